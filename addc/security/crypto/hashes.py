"""Digests and message authentication codes; the broken ones say so in their names."""

import hashlib
import hmac
from typing import Final

SHA1: Final = "sha1"
SHA256: Final = "sha256"
SHA384: Final = "sha384"
SHA512: Final = "sha512"
INSECURE_MD5: Final = "md5"


def insecure_md4(data: bytes) -> bytes:
    """RFC 1320; the NT hash is the MD4 of a password."""
    # Loads a C parser first; wanted only where a password is set.
    from Cryptodome.Hash import MD4  # noqa: PLC0415

    return bytes(MD4.new(data).digest())  # noqa: S303


def insecure_md5(data: bytes) -> bytes:
    """RFC 1321."""
    return hashlib.md5(data, usedforsecurity=False).digest()


def insecure_hmac_md5(key: bytes, data: bytes) -> bytes:
    """RFC 2104 over MD5."""
    return hmac.digest(key, data, INSECURE_MD5)


def hmac_sha1(key: bytes, data: bytes) -> bytes:
    return hmac.digest(key, data, SHA1)


def hmac_sha256(key: bytes, data: bytes) -> bytes:
    return hmac.digest(key, data, SHA256)


def hmac_sha224(key: bytes, data: bytes) -> bytes:
    return hmac.digest(key, data, "sha224")


def hmac_sha384(key: bytes, data: bytes) -> bytes:
    return hmac.digest(key, data, SHA384)


def hmac_sha512(key: bytes, data: bytes) -> bytes:
    return hmac.digest(key, data, SHA512)


def insecure_sha1(data: bytes) -> bytes:
    return hashlib.sha1(data, usedforsecurity=False).digest()


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def sha384(data: bytes) -> bytes:
    return hashlib.sha384(data).digest()


def sha512(data: bytes) -> bytes:
    return hashlib.sha512(data).digest()


def equal(left: bytes, right: bytes) -> bool:
    """Compare in constant time."""
    return hmac.compare_digest(left, right)
