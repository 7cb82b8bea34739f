"""How passwords travel inside of SAM's and Netlogon's calls: RC4 buffers, DES-wrapped hashes, AES with a MAC.

The RC4 and DES forms protect nothing by today's measure; the transport below them does.

Spec: [MS-SAMR] 2.2.6.21, 2.2.6.22, 2.2.6.32, 2.2.11.1, 3.2.2.
"""

from typing import Final

from addc.base.errors import DecodeError
from addc.base.secret import Secret
from addc.security import aead_cbc
from addc.security.aead_cbc import Labels
from addc.security.crypto.ciphers import insecure_des_decrypt, insecure_des_encrypt, insecure_rc4
from addc.security.crypto.hashes import insecure_md5
from addc.security.crypto.kdf import pbkdf2

PLAIN_SIZE: Final = 516
"""SAMPR_USER_PASSWORD: room for 256 characters, then the length in octets."""
_ROOM: Final = 512
CONFOUNDER_SIZE: Final = 16
AES_PLAIN_SIZE: Final = 514
"""SAMPR_USER_PASSWORD_AES: the length in octets, then room for 256 characters.

The document speaks of 512 characters. Peers send as many octets: SAM_MAX_PASSWORD_LENGTH is 256 for them.
"""
ITERATIONS_MIN: Final = 5_000
ITERATIONS_MAX: Final = 1_000_000
_LABELS: Final = Labels(
    b"Microsoft SAM encryption key AEAD-AES-256-CBC-HMAC-SHA512 16\0",
    b"Microsoft SAM MAC key AEAD-AES-256-CBC-HMAC-SHA512 16\0",
)


class WrongBufferError(DecodeError):
    """A buffer that does not hold a password: made with another key, or no buffer at all."""

    def __init__(self, why: str) -> None:
        super().__init__(why, 0, "password buffer")


# --- RC4 ---------------------------------------------------------------------------------------------------


def open_rc4(key: bytes, buffer: bytes) -> Secret:
    """The password of a SAMPR_ENCRYPTED_USER_PASSWORD. Spec: [MS-SAMR] 2.2.6.21, 3.2.2.1."""
    if len(buffer) != PLAIN_SIZE:
        raise WrongBufferError("not 516 octets")
    plain = insecure_rc4(key, buffer)
    size = int.from_bytes(plain[_ROOM:], "little")
    if size > _ROOM:
        raise WrongBufferError("a length beyond the buffer")
    return Secret(plain[_ROOM - size : _ROOM])


def open_rc4_salted(session_key: bytes, buffer: bytes) -> Secret:
    """The password of a SAMPR_ENCRYPTED_USER_PASSWORD_NEW. Spec: [MS-SAMR] 2.2.6.22, 3.2.2.2."""
    if len(buffer) != PLAIN_SIZE + CONFOUNDER_SIZE:
        raise WrongBufferError("not 532 octets")
    salt = buffer[PLAIN_SIZE:]
    return open_rc4(insecure_md5(salt + session_key), buffer[:PLAIN_SIZE])


def seal_rc4(key: bytes, password: bytes, filler: bytes) -> bytes:
    """A SAMPR_ENCRYPTED_USER_PASSWORD. filler: 512 random octets."""
    plain = filler[: _ROOM - len(password)] + password + len(password).to_bytes(4, "little")
    return insecure_rc4(key, plain)


def seal_rc4_salted(session_key: bytes, password: bytes, filler: bytes, salt: bytes) -> bytes:
    """A SAMPR_ENCRYPTED_USER_PASSWORD_NEW. salt: 16 random octets."""
    return seal_rc4(insecure_md5(salt + session_key), password, filler) + salt


# --- hashes ------------------------------------------------------------------------------------------------


def open_hash(key: bytes, sealed: bytes) -> bytes:
    """A 16-octet hash that was wrapped with the first 14 octets of a key. Spec: [MS-SAMR] 2.2.11.1."""
    return insecure_des_decrypt(key[:7], sealed[:8]) + insecure_des_decrypt(key[7:14], sealed[8:16])


def seal_hash(key: bytes, value: bytes) -> bytes:
    """The inverse of `open_hash`."""
    return insecure_des_encrypt(key[:7], value[:8]) + insecure_des_encrypt(key[7:14], value[8:16])


# --- AES ---------------------------------------------------------------------------------------------------


def key_of_old_password(nt_hash: bytes, salt: bytes, iterations: int) -> bytes:
    """The content encryption key of SamrUnicodeChangePasswordUser4: up to a second of work.

    Raises WrongBufferError for a count of iterations out of its range. Spec: [MS-SAMR] 3.2.2.5.
    """
    if not ITERATIONS_MIN <= iterations <= ITERATIONS_MAX:
        raise WrongBufferError("iterations out of range")
    return pbkdf2("sha512", nt_hash, salt, iterations, 16)


def open_aes(cek: bytes, salt: bytes, auth_data: bytes, cipher: bytes) -> Secret:
    """The password of a SAMPR_ENCRYPTED_PASSWORD_AES. Spec: [MS-SAMR] 2.2.6.32, 3.2.2.4."""
    try:
        plain = aead_cbc.unseal(cek, _LABELS, salt, (auth_data, cipher))
    except DecodeError as error:
        raise WrongBufferError(str(error)) from None
    size = int.from_bytes(plain[:2], "little")
    if len(plain) < AES_PLAIN_SIZE or size > AES_PLAIN_SIZE - 2:
        raise WrongBufferError("too short")
    return Secret(plain[2 : 2 + size])


def seal_aes(cek: bytes, salt: bytes, password: bytes, filler: bytes) -> tuple[bytes, bytes]:
    """AuthData and Cipher of a SAMPR_ENCRYPTED_PASSWORD_AES. salt: 16, filler: 512 random octets."""
    plain = len(password).to_bytes(2, "little") + password
    plain += filler[: AES_PLAIN_SIZE - len(plain)]
    return aead_cbc.seal(cek, _LABELS, salt, plain)
