"""Block and stream ciphers as plain functions; the broken ones say so in their names.

pycryptodomex is imported by the functions that need it: it loads a C parser and nine libraries, and a domain
without RC4 accounts never calls them.
"""

from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import keywrap
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

try:
    from cryptography.hazmat.decrepit.ciphers.modes import CFB8
except ImportError:  # before release 47
    from cryptography.hazmat.primitives.ciphers.modes import CFB8

from addc.base.errors import DecodeError
from addc.base.secret import Secret

BLOCK: Final = 16
_ZERO_IV_CBC: Final = modes.CBC(bytes(BLOCK))
_ECB: Final = modes.ECB()  # noqa: S305 - single blocks, for stealing and key derivation
NONCE_SIZE: Final = 12


class AesCts:
    """AES in CBC mode with ciphertext stealing and a zero initial vector; keep one per key.

    At least one block of plain text. Output is as long as input.
    Spec: RFC 3962 5 (CBC-CS3: the last two blocks are always swapped), RFC 8009 5.
    """

    __slots__ = ("_cbc", "_ecb")

    def __init__(self, key: bytes) -> None:
        algorithm = algorithms.AES(key)
        self._cbc = Cipher(algorithm, _ZERO_IV_CBC)
        self._ecb = Cipher(algorithm, _ECB)

    def __repr__(self) -> str:
        return "AesCts()"

    def encrypt(self, plain: bytes) -> bytes:
        size = len(plain)
        assert size >= BLOCK
        tail = size % BLOCK
        out = self._cbc.encryptor().update(plain + bytes(BLOCK - tail) if tail else plain)
        if size == BLOCK:
            return out
        head = len(out) - 2 * BLOCK
        return out[:head] + out[head + BLOCK :] + out[head : head + (tail or BLOCK)]

    def decrypt(self, data: bytes) -> bytes:
        size = len(data)
        if size < BLOCK:
            raise DecodeError("less than one block", 0, "cipher")
        if size == BLOCK:
            return self._cbc.decryptor().update(data)
        tail = size % BLOCK or BLOCK
        head = size - tail - BLOCK
        last, stolen = data[head : head + BLOCK], data[head + BLOCK :]
        if tail != BLOCK:
            stolen += self._ecb.decryptor().update(last)[tail:]
        return self._cbc.decryptor().update(b"".join((data[:head], stolen, last)))[:size]


class AesBlock:
    """AES on single blocks, for key derivation."""

    __slots__ = ("_ecb",)

    def __init__(self, key: bytes) -> None:
        self._ecb = Cipher(algorithms.AES(key), _ECB)

    def __repr__(self) -> str:
        return "AesBlock()"

    def chain(self, block: bytes, count: int) -> bytes:
        """`count` blocks, each the encryption of the one before; the first that of `block`."""
        update = self._ecb.encryptor().update
        if count == 1:
            return update(block)
        out = []
        for _ in range(count):
            block = update(block)
            out.append(block)
        return b"".join(out)


def aes_cbc_encrypt(key: bytes, iv: bytes, plain: bytes) -> bytes:
    """Whole blocks only."""
    return Cipher(algorithms.AES(key), modes.CBC(iv)).encryptor().update(plain)


def aes_cbc_decrypt(key: bytes, iv: bytes, data: bytes) -> bytes:
    """Whole blocks only."""
    if len(data) % BLOCK:
        raise DecodeError("not a whole number of blocks", len(data), "cipher")
    return Cipher(algorithms.AES(key), modes.CBC(iv)).decryptor().update(data)


def aes_key_wrap(key: bytes, wrapped: bytes) -> bytes:
    """A key under another, 8 octets longer (RFC 3394)."""
    return keywrap.aes_key_wrap(key, wrapped)


def aes_key_unwrap(key: bytes, data: bytes) -> bytes:
    """The reverse of `aes_key_wrap`; raises DecodeError."""
    try:
        return keywrap.aes_key_unwrap(key, data)
    except keywrap.InvalidUnwrap:
        raise DecodeError("a wrapped key does not open", 0, "key") from None


def aes_cfb8_encrypt(key: bytes, iv: bytes, plain: bytes) -> bytes:
    """AES-128 in 8-bit CFB mode, [MS-NRPC] 3.1.4.4.1."""
    return Cipher(algorithms.AES(key), CFB8(iv)).encryptor().update(plain)


def aes_cfb8_decrypt(key: bytes, iv: bytes, data: bytes) -> bytes:
    """The reverse of `aes_cfb8_encrypt`."""
    return Cipher(algorithms.AES(key), CFB8(iv)).decryptor().update(data)


def insecure_rc4(key: bytes, data: bytes) -> bytes:
    """RC4, both directions."""
    from Cryptodome.Cipher import ARC4  # noqa: PLC0415

    return bytes(ARC4.new(key).encrypt(data))


class InsecureRc4Stream:
    """RC4 whose state goes on from call to call."""

    __slots__ = ("_cipher",)

    def __init__(self, key: bytes) -> None:
        from Cryptodome.Cipher import ARC4  # noqa: PLC0415

        self._cipher = ARC4.new(key)

    def apply(self, data: bytes) -> bytes:
        """The next bytes, sealed or opened."""
        return bytes(self._cipher.encrypt(data))


def _des_key(key: bytes) -> bytes:
    """8 bytes with (unset) parity bits from 7, [MS-SAMR] 2.2.11.1.2."""
    assert len(key) == 7
    bits = int.from_bytes(key, "big")
    return bytes((bits >> (49 - 7 * i) & 0x7F) << 1 for i in range(8))


def insecure_des_encrypt(key7: bytes, block: bytes) -> bytes:
    """One block of DES under a 7-byte key, [MS-SAMR] 2.2.11.1.1."""
    from Cryptodome.Cipher import DES  # noqa: PLC0415

    return bytes(DES.new(_des_key(key7), DES.MODE_ECB).encrypt(block))  # noqa: S304


def insecure_des_decrypt(key7: bytes, block: bytes) -> bytes:
    """The reverse of `insecure_des_encrypt`."""
    from Cryptodome.Cipher import DES  # noqa: PLC0415

    return bytes(DES.new(_des_key(key7), DES.MODE_ECB).decrypt(block))  # noqa: S304


def seal(key: Secret, nonce: bytes, aad: bytes, plain: bytes) -> bytes:
    """AES-256-GCM: nonce (12 bytes, never used twice under one key), cipher text, tag.

    aad: what the value is bound to.
    """
    assert len(key.reveal()) == 32
    assert len(nonce) == NONCE_SIZE
    return nonce + AESGCM(key.reveal()).encrypt(nonce, plain, aad)


def open_sealed(key: Secret, aad: bytes, sealed: bytes) -> bytes:
    """The plain text of `seal`; raises DecodeError if a bit or the binding differs."""
    if len(sealed) < NONCE_SIZE + 16:
        raise DecodeError("too short for a sealed value", len(sealed), "sealed")
    try:
        return AESGCM(key.reveal()).decrypt(sealed[:NONCE_SIZE], sealed[NONCE_SIZE:], aad)
    except InvalidTag:
        raise DecodeError("sealed value does not open", 0, "sealed") from None
