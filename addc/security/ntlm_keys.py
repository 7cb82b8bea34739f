"""NTLM's key mathematics: response keys of version 2, session keys, signatures and sealing.

Everything here rests on MD4, MD5 and RC4; it is for clients that cannot do better.

Spec: [MS-NLMP] 3.3.2, 3.4.
"""

from typing import Final

from addc.codec.ntlm import NegotiateFlags
from addc.security.crypto.ciphers import InsecureRc4Stream
from addc.security.crypto.hashes import equal, insecure_hmac_md5, insecure_md5

SIGNATURE_SIZE: Final = 16
_VERSION: Final = b"\x01\0\0\0"
_SIGN: Final = {
    "client": b"session key to client-to-server signing key magic constant\0",
    "server": b"session key to server-to-client signing key magic constant\0",
}
_SEAL: Final = {
    "client": b"session key to client-to-server sealing key magic constant\0",
    "server": b"session key to server-to-client sealing key magic constant\0",
}


def ntowf_v2(nt_hash: bytes, user: str, domain: str) -> bytes:
    """NTOWFv2 from the NT hash. Spec: 3.3.2."""
    return insecure_hmac_md5(nt_hash, (user.upper() + domain).encode("utf-16-le"))


def nt_proof(response_key: bytes, server_challenge: bytes, blob: bytes) -> bytes:
    """NTProofStr: what the first 16 bytes of an NTLMv2 response must be. Spec: 3.3.2."""
    return insecure_hmac_md5(response_key, server_challenge + blob)


def session_base_key(response_key: bytes, proof: bytes) -> bytes:
    """SessionBaseKey of version 2, which is the KeyExchangeKey too. Spec: 3.3.2, 3.4.5.1."""
    return insecure_hmac_md5(response_key, proof)


def message_integrity_code(exported_key: bytes, *messages: bytes) -> bytes:
    """MIC over the three messages. Spec: 3.2.5.1.2."""
    return insecure_hmac_md5(exported_key, b"".join(messages))


def signing_key(exported_key: bytes, side: str) -> bytes:
    """SIGNKEY with extended session security. Spec: 3.4.5.2."""
    return insecure_md5(exported_key + _SIGN[side])


def sealing_key(exported_key: bytes, side: str, flags: int) -> bytes:
    """SEALKEY with extended session security. Spec: 3.4.5.3."""
    size = 16 if flags & NegotiateFlags.N128 else 7 if flags & NegotiateFlags.N56 else 5
    return insecure_md5(exported_key[:size] + _SEAL[side])


class Direction:
    """One direction of a session: its keys, its cipher's state and its sequence number.

    Spec: [MS-NLMP] 3.4.2, 3.4.3, 3.4.4.2.
    """

    __slots__ = ("_cipher", "_exchanged", "_next", "_seal_key", "_sign_key")

    def __init__(self, exported_key: bytes, side: str, flags: int) -> None:
        """side: of the sender, "client" or "server"."""
        self._sign_key = signing_key(exported_key, side)
        self._seal_key = sealing_key(exported_key, side, flags)
        self._exchanged = bool(flags & NegotiateFlags.KEY_EXCH)
        self._next = 0
        self.restart()

    def restart(self) -> None:
        """The cipher's state is as before SPNEGO's mechListMIC; the count of messages goes on.

        Spec: [MS-SPNG] 3.3.5.1.
        """
        self._cipher = InsecureRc4Stream(self._seal_key)

    def sign(self, message: bytes) -> bytes:
        """The signature of the next message."""
        number = self._next.to_bytes(4, "little")
        self._next = (self._next + 1) & 0xFFFF_FFFF
        checksum = insecure_hmac_md5(self._sign_key, number + message)[:8]
        if self._exchanged:
            checksum = self._cipher.apply(checksum)
        return _VERSION + checksum + number

    def verify(self, message: bytes, signature: bytes) -> bool:
        """Whether that is the signature of the next message."""
        return equal(self.sign(message), signature)

    def cipher(self, data: bytes) -> bytes:
        """Seal or open the next message's text; its signature follows."""
        return self._cipher.apply(data)
