"""Key derivation: PBKDF2, n-fold and the counter-mode KDF."""

import hashlib
import hmac
from functools import lru_cache
from math import lcm
from typing import Final

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC

from addc.security.crypto.ciphers import AesBlock

_SHORT_ITERATIONS: Final = 4096


def pbkdf2(algorithm: str, password: bytes, salt: bytes, iterations: int, size: int) -> bytes:
    """RFC 8018 5.2; slow on purpose.

    Few rounds of SHA-1 take half the time in cryptography (1 ms for AES256's 4,096), which keeps the GIL so
    long; everything longer goes to hashlib, which lets it go.
    """
    if algorithm == "sha1" and iterations <= _SHORT_ITERATIONS:
        return PBKDF2HMAC(SHA1(), size, salt, iterations).derive(password)  # noqa: S303  RFC 3962 names it
    return hashlib.pbkdf2_hmac(algorithm, password, salt, iterations, size)


@lru_cache(maxsize=256)
def n_fold(data: bytes, size: int) -> bytes:
    """`data` stretched or folded to `size` bytes, RFC 3961 5.1.

    Copies of the input, each rotated 13 bits further right, are added up in ones' complement.
    """
    assert data and size > 0
    length = len(data)
    bits = length * 8
    value = int.from_bytes(data, "big")
    stretched = bytearray()
    for copy in range(lcm(length, size) // length):
        turn = 13 * copy % bits
        rotated = (value >> turn) | (value << (bits - turn)) & ((1 << bits) - 1)
        stretched += rotated.to_bytes(length, "big")
    total = sum(int.from_bytes(stretched[at : at + size], "big") for at in range(0, len(stretched), size))
    modulus = (1 << size * 8) - 1
    while total > modulus:
        total = (total & modulus) + (total >> size * 8)
    return total.to_bytes(size, "big")


def derive_random(cipher: AesBlock, constant: bytes, size: int) -> bytes:
    """DR(Key, Constant) of RFC 3961 5.1, for a cipher with 16-byte blocks."""
    block = constant if len(constant) == 16 else n_fold(constant, 16)
    return cipher.chain(block, (size + 15) // 16)[:size]


def kdf_hmac_sha2(algorithm: str, key: bytes, label: bytes, size: int, context: bytes = b"") -> bytes:
    """KDF-HMAC-SHA2 of RFC 8009 3: one block of [SP800-108] counter mode.

    size: bytes wanted, at most one digest.
    """
    data = b"".join((b"\0\0\0\1", label, b"\0", context, (size * 8).to_bytes(4, "big")))
    out = hmac.digest(key, data, algorithm)
    assert size <= len(out)
    return out[:size]


def sp800_108_counter(algorithm: str, key: bytes, label: bytes, context: bytes, size: int) -> bytes:
    """[SP800-108] 5.1 with a 32-bit counter and length, for SMB 3 and [MS-GKDI]."""
    out = b""
    counter = 0
    tail = b"".join((label, b"\0", context, (size * 8).to_bytes(4, "big")))
    while len(out) < size:
        counter += 1
        out += hmac.digest(key, counter.to_bytes(4, "big") + tail, algorithm)
    return out[:size]
