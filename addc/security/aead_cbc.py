"""AEAD-AES-256-CBC-HMAC-SHA512 as the calls of SAM and the LSA use it: two keys out of one by two labels.

Spec: [MS-SAMR] 3.2.2.4, [MS-LSAD] 5.1.5.
"""

from typing import Final, NamedTuple

from addc.base.errors import DecodeError
from addc.security.crypto.ciphers import aes_cbc_decrypt, aes_cbc_encrypt
from addc.security.crypto.hashes import equal, hmac_sha512

_VERSION: Final = b"\x01"
_KEY_SIZE: Final = 32
_BLOCK: Final = 16


class Labels(NamedTuple):
    """What the two keys are derived by, each with its zero octet."""

    encryption: bytes
    mac: bytes


def _encryption_key(key: bytes, labels: Labels) -> bytes:
    return hmac_sha512(key, labels.encryption)[:_KEY_SIZE]


def _mac(key: bytes, labels: Labels, salt: bytes, cipher: bytes) -> bytes:
    size = len(_VERSION).to_bytes(1, "little")
    return hmac_sha512(hmac_sha512(key, labels.mac), _VERSION + salt + cipher + size)


def seal(key: bytes, labels: Labels, salt: bytes, plain: bytes) -> tuple[bytes, bytes]:
    """AuthData and Cipher. salt: 16 random octets."""
    pad = _BLOCK - len(plain) % _BLOCK
    cipher = aes_cbc_encrypt(_encryption_key(key, labels), salt, plain + bytes((pad,)) * pad)
    return _mac(key, labels, salt, cipher), cipher


def unseal(key: bytes, labels: Labels, salt: bytes, sealed: tuple[bytes, bytes]) -> bytes:
    """The plain text of AuthData and Cipher. Raises DecodeError for what is not authentic."""
    auth_data, cipher = sealed
    if not equal(_mac(key, labels, salt, cipher), auth_data):
        raise DecodeError("the authentication data disagree", 0, "cipher")
    if not cipher or len(cipher) % _BLOCK:
        raise DecodeError("not whole blocks", len(cipher), "cipher")
    padded = aes_cbc_decrypt(_encryption_key(key, labels), salt, cipher)
    pad = padded[-1]
    if not 1 <= pad <= _BLOCK or padded[-pad:] != bytes((pad,)) * pad:
        raise DecodeError("bad padding", 0, "cipher")
    return padded[:-pad]
