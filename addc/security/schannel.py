"""Netlogon's key mathematics: session keys, credentials, authenticators and protected messages; AES alone.

Spec: [MS-NRPC] 3.1.4.3.1, 3.1.4.4.1, 3.1.4.5, 3.3.4.2.
"""

from typing import Final

from addc.security.crypto.ciphers import aes_cfb8_decrypt, aes_cfb8_encrypt
from addc.security.crypto.hashes import equal, hmac_sha256

CREDENTIAL_SIZE: Final = 8
SIGNATURE_SIZE: Final = 56
"""What is sent, sealed or not; the last 24 bytes hold nothing."""
_SIGNED_MIN: Final = 48
"""Of a signature without a confounder, as some senders leave that out ([MS-NRPC] 2.2.1.3.3)."""
_CHECKSUM_SIZE: Final = 8
_SIGNED: Final = b"\x13\0\xff\xff\xff\xff\0\0"
_SEALED: Final = b"\x13\0\x1a\0\xff\xff\0\0"
"""HMAC-SHA256; nothing or AES-128; Pad and Flags."""
_ALGORITHMS_SIZE: Final = 6
"""Of these, the bytes that a receiver compares: Flags are not looked at."""
_ZERO_IV: Final = bytes(16)
_FROM_CLIENT: Final = 0x8000_0000
_LOOKED_AT: Final = 5
_XOR: Final = int.from_bytes(b"\xf0" * 16, "big")


def session_key(nt_hash: bytes, client_challenge: bytes, server_challenge: bytes) -> bytes:
    """The key that both sides make of the shared secret and their challenges. Spec: 3.1.4.3.1."""
    return hmac_sha256(nt_hash, client_challenge + server_challenge)[:16]


def credential(value: bytes, key: bytes) -> bytes:
    """A Netlogon credential of a challenge or of the credential before it. Spec: 3.1.4.4.1."""
    return aes_cfb8_encrypt(key, _ZERO_IV, value)


def advanced(stored: bytes, by: int) -> bytes:
    """A stored credential with a number added to its first four bytes. Spec: 3.1.4.5."""
    low = (int.from_bytes(stored[:4], "little") + by) & 0xFFFF_FFFF
    return low.to_bytes(4, "little") + stored[4:]


def is_predictable(value: bytes) -> bool:
    """Whether a challenge or credential may be one that AES-CFB8 makes of zeros by chance (CVE-2020-1472).

    Spec: [MS-NRPC] 3.1.4.1, 3.1.4.6.
    """
    return len(set(value[:_LOOKED_AT])) == 1


def encrypted(key: bytes, data: bytes) -> bytes:
    """A buffer inside a call: passwords, session keys, generic logon data. Spec: 3.4.5.2.6."""
    return aes_cfb8_encrypt(key, _ZERO_IV, data)


def decrypted(key: bytes, data: bytes) -> bytes:
    """The inverse of `encrypted`."""
    return aes_cfb8_decrypt(key, _ZERO_IV, data)


class MessageKeys:
    """What protects the messages of one security context: the session key and one count for both directions.

    Spec: [MS-NRPC] 3.3.1, 3.3.4.2.
    """

    __slots__ = ("_is_client", "_key", "_number", "_sealing_key")

    def __init__(self, key: bytes, *, client: bool) -> None:
        """client: whether this is the initiator's side."""
        self._key = key
        self._sealing_key = (int.from_bytes(key, "big") ^ _XOR).to_bytes(16, "big")
        self._is_client = client
        self._number = 0

    def _next(self, *, from_client: bool) -> bytes:
        """CopySeqNumber of the next message."""
        number = self._number
        self._number = number + 1
        high = (number >> 32) & 0x7FFF_FFFF | (_FROM_CLIENT if from_client else 0)
        return (number & 0xFFFF_FFFF).to_bytes(4, "big") + high.to_bytes(4, "big")

    def sign(self, message: bytes) -> bytes:
        """The signature of the next message that is not sealed."""
        number = self._next(from_client=self._is_client)
        return self._signature(_SIGNED, number, message, bytes(8))

    def seal(self, before: bytes, data: bytes, after: bytes, confounder: bytes) -> tuple[bytes, bytes]:
        """`data` as it travels, and the signature of all three parts. confounder: 8 random bytes."""
        number = self._next(from_client=self._is_client)
        travels = aes_cfb8_encrypt(self._sealing_key, number + number, confounder + data)
        checksummed = b"".join((confounder, before, data, after))
        return travels[8:], self._signature(_SEALED, number, checksummed, travels[:8])

    def _signature(self, head: bytes, number: bytes, checksummed: bytes, confounder: bytes) -> bytes:
        checksum = hmac_sha256(self._key, head + checksummed)[:_CHECKSUM_SIZE]
        hidden = aes_cfb8_encrypt(self._key, checksum + checksum, number)
        return b"".join((head, hidden, checksum, confounder, bytes(24)))

    def verify(self, message: bytes, token: bytes) -> bool:
        """Whether that is the signature of the peer's next message."""
        number = self._next(from_client=not self._is_client)
        return self._is_signed(_SIGNED, number, message, token)

    def unseal(self, before: bytes, data: bytes, after: bytes, token: bytes) -> bytes | None:
        """The plain `data` of the peer's next message; None if it was altered or is out of sequence."""
        number = self._next(from_client=not self._is_client)
        if len(token) < _SIGNED_MIN + 8:
            return None
        plain = aes_cfb8_decrypt(self._sealing_key, number + number, token[24:32] + data)
        checksummed = b"".join((plain[:8], before, plain[8:], after))
        return plain[8:] if self._is_signed(_SEALED, number, checksummed, token) else None

    def _is_signed(self, head: bytes, number: bytes, checksummed: bytes, token: bytes) -> bool:
        if len(token) < _SIGNED_MIN or token[:_ALGORITHMS_SIZE] != head[:_ALGORITHMS_SIZE]:
            return False
        checksum = hmac_sha256(self._key, token[:8] + checksummed)[:_CHECKSUM_SIZE]
        hidden = aes_cfb8_encrypt(self._key, checksum + checksum, number)
        return equal(checksum, token[16:24]) and equal(hidden, token[8:16])
