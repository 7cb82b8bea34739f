"""NTLM as a client: this DC against a peer that Kerberos does not reach.

Off unless an operator turns it on where it is used. Version 2 alone, with a MIC, sealed by a fresh key.

Spec: [MS-NLMP] 3.1.5.1.
"""

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

_WANTED: Final = (
    NegotiateFlags.UNICODE
    | NegotiateFlags.REQUEST_TARGET
    | NegotiateFlags.NTLM
    | NegotiateFlags.ALWAYS_SIGN
    | NegotiateFlags.SIGN
    | NegotiateFlags.SEAL
    | NegotiateFlags.EXTENDED_SESSIONSECURITY
    | NegotiateFlags.TARGET_INFO
    | NegotiateFlags.N128
    | NegotiateFlags.KEY_EXCH
)
_NEEDED: Final = (
    NegotiateFlags.UNICODE
    | NegotiateFlags.EXTENDED_SESSIONSECURITY
    | NegotiateFlags.SIGN
    | NegotiateFlags.SEAL
    | NegotiateFlags.N128
    | NegotiateFlags.KEY_EXCH
    | NegotiateFlags.TARGET_INFO
)


@dataclass(frozen=True, slots=True)
class NtlmIdentity:
    """As whom to log on. nt_hash: NT OWF of the password."""

    user: str
    domain: str
    workstation: str
    nt_hash: Secret


class NtlmInitiator(NtlmSession):
    """One context: `step` twice, then what `NtlmSession` gives.

    target: the service's name, such as "ldap/dc2.example.com"; the server learns what it was meant to be.
    """

    __slots__ = ("_bindings", "_first", "_identity", "_now", "_rng", "_target")

    def __init__(
        self, identity: NtlmIdentity, target: str, rng: Rng, now: FileTime, bindings: bytes | None = None
    ) -> None:
        """now: where the server tells no time. bindings: application data of the TLS channel below."""
        super().__init__()
        self._identity = identity
        self._target = target
        self._rng = rng
        self._now = now
        self._bindings = bindings
        self._first = b""

    def step(self, token: bytes = b"") -> bytes:
        """NEGOTIATE_MESSAGE, then the answer to the server's challenge. Raises AuthError."""
        if not self._first:
            self._first = ntlm.Negotiate(int(_WANTED)).pack()
            return self._first
        try:
            return self._authenticate(token)
        except DecodeError as error:
            raise AuthError(f"NTLM: {error}") from None

    def _authenticate(self, token: bytes) -> bytes:
        """Spec: 3.1.5.1.2."""
        challenge = ntlm.Challenge.unpack(token)
        flags = int(challenge.flags & _WANTED)
        if flags & _NEEDED != _NEEDED:
            raise AuthError("NTLM: the server agrees to less than version 2 with sealing")
        identity = self._identity
        blob = self._client_challenge(challenge)
        key = ntlm_keys.ntowf_v2(identity.nt_hash.reveal(), identity.user, identity.domain)
        proof = ntlm_keys.nt_proof(key, challenge.server_challenge, blob)
        base_key = ntlm_keys.session_base_key(key, proof)
        exported = self._rng.bytes(len(base_key))
        message = ntlm.Authenticate(
            lm_response=bytes(24),
            nt_response=proof + blob,
            domain=identity.domain,
            user=identity.user,
            workstation=identity.workstation,
            session_key=insecure_rc4(base_key, exported),
            flags=flags,
            mic=bytes(16),
        ).pack()
        code = ntlm_keys.message_integrity_code(exported, self._first, token, message)
        self._begin(exported, flags, server=False)
        return ntlm.with_mic(message, code)

    def _client_challenge(self, challenge: ntlm.Challenge) -> bytes:
        """NTLMv2_CLIENT_CHALLENGE. Spec: 2.2.2.7, 3.1.5.1.2."""
        pairs = dict(ntlm.unpack_pairs(challenge.target_info))
        when = pairs.setdefault(AvId.TIMESTAMP, self._now.to_bytes(8, "little"))
        if len(when) != 8:
            raise DecodeError("a time of another size than 8", 0, "av.timestamp")
        pairs[AvId.FLAGS] = ntlm.AV_MIC_PRESENT.to_bytes(4, "little")
        pairs[AvId.TARGET_NAME] = self._target.encode("utf-16-le")
        pairs[AvId.CHANNEL_BINDINGS] = bindings_hash(self._bindings) if self._bindings else ntlm.NO_BINDINGS
        head = b"\x01\x01" + bytes(6) + when + self._rng.bytes(8) + bytes(4)
        return head + ntlm.pack_pairs(pairs.items()) + bytes(4)
