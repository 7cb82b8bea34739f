"""Signatures over time replies by the asking machine's password. Spec: [MS-SNTP] 3.1.5.5, 3.2.5.1."""

import hmac
from typing import Final

from addc.security.crypto.hashes import insecure_md5
from addc.security.crypto.kdf import sp800_108_counter

_LABEL: Final = b"sntp-ms"
_SHA512: Final = "sha512"
_KEY_SIZE: Final = 64


def insecure_digest(nt_hash: bytes, message: bytes) -> bytes:
    """MD5 over the hash and the message, as NetrLogonComputeServerDigest makes it ([MS-NRPC] 3.5.4.8.2)."""
    return insecure_md5(nt_hash + message)


def extended_checksum(nt_hash: bytes, key_identifier: bytes, message: bytes) -> bytes:
    """HMAC-SHA512 by a derived key. The length of that key and its PRF are not written: SHA-512's own."""
    key = sp800_108_counter(_SHA512, nt_hash, _LABEL, key_identifier, _KEY_SIZE)
    return hmac.digest(key, message, _SHA512)
