"""The NTLM acceptor: version 2 with extended session security and 128-bit keys, and nothing older.

An exchange has the shape of auth/gss.py's. Who a response belongs to is for `judge`, which looks at the
directory; what is agreed and what protects the session is decided here.

Spec: [MS-NLMP] 3.2.5.1, 3.4; RFC 4121 4.1.1.2 (channel bindings).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from addc.auth.gss import AuthError
from addc.auth.ntlm_session import NtlmSession, bindings_hash
from addc.base.clock import FileTime
from addc.base.errors import DecodeError
from addc.base.rng import Rng
from addc.base.secret import Secret
from addc.codec import ntlm
from addc.codec.ntlm import AvId, NegotiateFlags
from addc.security import ntlm_keys
from addc.security.crypto.ciphers import insecure_rc4
from addc.security.crypto.hashes import equal

_OFFERED: Final = (
    NegotiateFlags.UNICODE
    | NegotiateFlags.SIGN
    | NegotiateFlags.SEAL
    | NegotiateFlags.EXTENDED_SESSIONSECURITY
    | NegotiateFlags.N128
    | NegotiateFlags.KEY_EXCH
    | NegotiateFlags.N56
    | NegotiateFlags.VERSION
)
_ALWAYS: Final = (
    NegotiateFlags.REQUEST_TARGET
    | NegotiateFlags.NTLM
    | NegotiateFlags.ALWAYS_SIGN
    | NegotiateFlags.TARGET_TYPE_DOMAIN
    | NegotiateFlags.TARGET_INFO
)
_NEEDED: Final = NegotiateFlags.UNICODE | NegotiateFlags.EXTENDED_SESSIONSECURITY
_VERSION: Final = bytes.fromhex("0a0063450000000f")
"""10.0.17763, NTLMSSP_REVISION_W2K3: Server 2019, as the rootDSE's functional levels have it."""


@dataclass(frozen=True, slots=True)
class ServerNames:
    """What a challenge tells of this DC."""

    netbios_domain: str
    netbios_host: str
    dns_domain: str
    dns_host: str
    dns_forest: str


@dataclass(frozen=True, slots=True)
class Proof:
    """What a client gives as proof, for the directory to judge."""

    user: str
    domain: str
    workstation: str
    server_challenge: bytes
    response: ntlm.NtlmV2Response


@dataclass(frozen=True, slots=True)
class Proven:
    """A response that is good: the SessionBaseKey."""

    base_key: Secret


Judge = Callable[[Proof], Proven]
"""Raises AuthError where the response is not good, or its account may not log on."""


class NtlmExchange(NtlmSession):
    """One acceptor context: `step` twice, then what `NtlmSession` gives.

    lets_nobody_in: a client that names nobody is let in as nobody (null sessions); `is_anonymous` tells.
    """

    __slots__ = (
        "_bindings", "_challenge", "_challenge_message", "_judge", "_names",
        "_negotiate_message", "_now", "_rng", "bound_to_channel", "is_anonymous", "lets_nobody_in", "user",
    )  # fmt: skip

    def __init__(
        self, names: ServerNames, judge: Judge, rng: Rng, now: FileTime, bindings: bytes | None = None
    ) -> None:
        """now: for the challenge's time stamp. bindings: application data of the TLS channel below."""
        super().__init__()
        self._names = names
        self._judge = judge
        self._rng = rng
        self._now = now
        self._bindings = bindings
        self._negotiate_message = b""
        self._challenge_message = b""
        self._challenge = b""
        self.bound_to_channel = False
        self.is_anonymous = False
        self.lets_nobody_in = False
        self.user = ""

    def step(self, token: bytes) -> bytes:
        """Our answer to the client's message; b"" at the end. Raises AuthError."""
        try:
            if not self._challenge:
                return self._challenge_to(token)
            self._authenticate(token)
        except DecodeError as error:
            raise AuthError(f"NTLM: {error}") from None
        return b""

    def _challenge_to(self, token: bytes) -> bytes:
        """Spec: 3.2.5.1.1."""
        wanted = ntlm.Negotiate.unpack(token).flags
        if not wanted & NegotiateFlags.UNICODE or not wanted & NegotiateFlags.EXTENDED_SESSIONSECURITY:
            raise AuthError("NTLM: Unicode and extended session security are required")
        flags = wanted & _OFFERED | _ALWAYS
        names = self._names
        pairs = [
            (name, text.encode("utf-16-le"))
            for name, text in (
                (AvId.NB_DOMAIN_NAME, names.netbios_domain),
                (AvId.NB_COMPUTER_NAME, names.netbios_host),
                (AvId.DNS_DOMAIN_NAME, names.dns_domain),
                (AvId.DNS_COMPUTER_NAME, names.dns_host),
                (AvId.DNS_TREE_NAME, names.dns_forest),
            )
        ]
        pairs.append((AvId.TIMESTAMP, self._now.to_bytes(8, "little")))
        self._challenge = self._rng.bytes(8)
        message = ntlm.Challenge(
            int(flags), names.netbios_domain, self._challenge, ntlm.pack_pairs(pairs), _VERSION
        ).pack()
        self._negotiate_message, self._challenge_message, self._flags = token, message, int(flags)
        return message

    def _authenticate(self, token: bytes) -> None:
        """Spec: 3.2.5.1.2. No guest, no response of version 1."""
        message = ntlm.Authenticate.unpack(token)
        flags = message.flags & self._flags
        if not message.user or not message.nt_response:
            self._let_nobody_in(message, flags)
            return
        if flags & _NEEDED != _NEEDED:
            raise AuthError("NTLM: the client took back what was agreed")
        response = ntlm.unpack_v2_response(message.nt_response)
        proof = Proof(message.user, message.domain, message.workstation, self._challenge, response)
        base_key = self._judge(proof).base_key.reveal()
        exported = _exported_key(message, base_key, flags)
        self._check_integrity(token, message, response, exported)
        self._check_bindings(response)
        self.user = message.user
        self._begin(exported, flags, server=True)

    def _let_nobody_in(self, message: ntlm.Authenticate, flags: int) -> None:
        """A null session, whose keys anybody knows. Spec: 3.2.5.1.2, 3.3.2 (anonymous)."""
        if not self.lets_nobody_in or message.user or message.nt_response or len(message.lm_response) > 1:
            raise AuthError("NTLM: nobody is named")
        self.is_anonymous = True
        if not flags & NegotiateFlags.EXTENDED_SESSIONSECURITY:  # older protection is not spoken here
            flags &= ~(NegotiateFlags.SIGN | NegotiateFlags.SEAL)
        self._begin(_exported_key(message, bytes(16), flags), flags, server=True)

    def _check_integrity(
        self, token: bytes, message: ntlm.Authenticate, response: ntlm.NtlmV2Response, exported: bytes
    ) -> None:
        """That nobody changed the messages on their way (the MIC), where the client says it made one."""
        if not response.has_mic:
            return
        made = ntlm_keys.message_integrity_code(
            exported, self._negotiate_message, self._challenge_message, ntlm.without_mic(token)
        )
        if not equal(made, message.mic):
            raise AuthError("NTLM: the messages were changed on their way")

    def _check_bindings(self, response: ntlm.NtlmV2Response) -> None:
        """That the client means this TLS channel, where it says which one it means."""
        meant = response.bindings
        if self._bindings is not None and meant not in (ntlm.NO_BINDINGS, bindings_hash(self._bindings)):
            raise AuthError("NTLM: the client speaks through another TLS channel")
        self.bound_to_channel = self._bindings is not None and meant != ntlm.NO_BINDINGS


def _exported_key(message: ntlm.Authenticate, base_key: bytes, flags: int) -> bytes:
    """ExportedSessionKey: the client's own, where one is exchanged."""
    protects = flags & (NegotiateFlags.SIGN | NegotiateFlags.SEAL)
    # Clients that protect nothing themselves, as over TLS, may send a key nevertheless: then it holds.
    if not flags & NegotiateFlags.KEY_EXCH or not (protects or message.session_key):
        return base_key
    if len(message.session_key) != len(base_key):
        raise AuthError("NTLM: no session key was sent")
    return insecure_rc4(base_key, message.session_key)
