"""The client's side of NTLM version 2, bare, in SPNEGO, and as a security layer."""

from dataclasses import dataclass, field

from addc.auth.ntlm_session import bindings_hash
from addc.codec import ntlm, spnego
from addc.codec.ntlm import AvId, NegotiateFlags
from addc.codec.spnego import FirstToken, GssInitialToken, MechTypeList, NegTokenInit, NegTokenResp, NextToken
from addc.security import ntlm_keys
from addc.security.crypto.ciphers import insecure_rc4
from addc.security.krb_keys import nt_hash

SIGNED = NegotiateFlags.SIGN
SEALED = NegotiateFlags.SIGN | NegotiateFlags.SEAL
_ALWAYS = (
    NegotiateFlags.UNICODE
    | NegotiateFlags.REQUEST_TARGET
    | NegotiateFlags.NTLM
    | NegotiateFlags.ALWAYS_SIGN
    | NegotiateFlags.EXTENDED_SESSIONSECURITY
    | NegotiateFlags.N128
    | NegotiateFlags.KEY_EXCH
)
RANDOM_KEY = b"\x37" * 16


@dataclass
class NtlmClient:
    """One context. bindings: application data of the channel that the client believes to be in."""

    user: str
    password: str
    domain: str = "CORP"
    flags: int = int(_ALWAYS | SEALED)
    bindings: bytes | None = None
    workstation: str = "WKS"
    mic: bool = True
    eager: bool = False
    """Sends a session key even where nothing is to be protected by it."""
    first: bytes = b""
    sends: ntlm_keys.Direction = field(init=False)
    receives: ntlm_keys.Direction = field(init=False)

    @classmethod
    def of(cls, user: str, password: str, protection: int = int(SEALED)) -> "NtlmClient":
        """protection: SIGNED, SEALED or 0."""
        return cls(user, password, flags=int(_ALWAYS) | protection)

    def negotiate(self) -> bytes:
        self.first = ntlm.Negotiate(self.flags).pack()
        return self.first

    def authenticate(self, challenge_message: bytes) -> bytes:
        """The response to the challenge; the session's keys are there from then on."""
        challenge = ntlm.Challenge.unpack(challenge_message)
        pairs = dict(ntlm.unpack_pairs(challenge.target_info))
        if self.mic:
            pairs[AvId.FLAGS] = ntlm.AV_MIC_PRESENT.to_bytes(4, "little")
        if self.bindings is not None:
            pairs[AvId.CHANNEL_BINDINGS] = bindings_hash(self.bindings)
        head = b"\x01\x01" + bytes(6) + pairs[AvId.TIMESTAMP] + b"\xaa" * 8 + bytes(4)
        blob = head + ntlm.pack_pairs(pairs.items()) + bytes(4)
        response_key = ntlm_keys.ntowf_v2(nt_hash(self.password), self.user, self.domain)
        proof = ntlm_keys.nt_proof(response_key, challenge.server_challenge, blob)
        base_key = ntlm_keys.session_base_key(response_key, proof)
        flags = self.flags & challenge.flags
        exchanged = flags & NegotiateFlags.KEY_EXCH and (flags & int(SEALED) or self.eager)
        exported = RANDOM_KEY if exchanged else base_key
        message = ntlm.Authenticate(
            bytes(24), proof + blob, self.domain, self.user, self.workstation,
            insecure_rc4(base_key, exported) if exchanged else b"", flags, bytes(16),
        ).pack()  # fmt: skip
        if self.mic:
            code = ntlm_keys.message_integrity_code(exported, self.first, challenge_message, message)
            message = message[:72] + code + message[88:]
        self.sends = ntlm_keys.Direction(exported, "client", flags)
        self.receives = ntlm_keys.Direction(exported, "server", flags)
        return message

    # --- as the security layer of tests/kit/ldap_desk.py ---

    def wrap(self, data: bytes, *, seal: bool) -> bytes:
        text = self.sends.cipher(data) if seal else data
        return self.sends.sign(data) + text

    def unwrap(self, data: bytes) -> tuple[bytes, bool]:
        sealed = bool(self.flags & NegotiateFlags.SEAL)
        plain = self.receives.cipher(data[16:]) if sealed else data[16:]
        assert self.receives.verify(plain, data[:16])
        return plain, sealed

    # --- SPNEGO ---

    def offer(self, *mechanisms: str, token: bytes | None = None) -> bytes:
        """The first SPNEGO token."""
        self._list = MechTypeList(mechanisms or (spnego.NTLMSSP,))
        init = NegTokenInit(mech_types=self._list, mech_token=token)
        return GssInitialToken(spnego.SPNEGO, FirstToken(init).pack()).pack()

    def answer(self, token: bytes, *, mic: bool = True) -> bytes:
        """A later SPNEGO token; with a mechListMIC."""
        code = self.sends.sign(self._list.pack()) if mic else None
        return NextToken(NegTokenResp(response_token=token, mech_list_mic=code)).pack()

    def check_mic(self, code: bytes | None) -> None:
        """The acceptor's mechListMIC; what follows begins anew."""
        assert code is not None and self.receives.verify(self._list.pack(), code)
        self.sends.restart()
        self.receives.restart()
