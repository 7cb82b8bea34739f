"""Authenticated encryption and message authentication with AES, prepared once per key.

Buffers may be bytes, bytearrays or memoryviews, and are not copied where the library lets us.
Spec: NIST SP 800-38B (CMAC), SP 800-38C (CCM), SP 800-38D (GCM, GMAC).
"""

from collections.abc import Iterable, Sequence
from hashlib import sha256
from hmac import HMAC
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESCCM, AESGCM
from cryptography.hazmat.primitives.cmac import CMAC

from addc.base.errors import DecodeError

Buffer = bytes | bytearray | memoryview
TAG_SIZE: Final = 16
_JOINED_MAX: Final = 16_384


class HmacSha256:
    """HMAC-SHA256 of several pieces."""

    __slots__ = ("_begun",)

    def __init__(self, key: bytes) -> None:
        self._begun = HMAC(key, None, sha256)

    def __repr__(self) -> str:
        return "HmacSha256()"

    def tag(self, pieces: Iterable[Buffer]) -> bytes:
        begun = self._begun.copy()
        for piece in pieces:
            begun.update(piece)
        return begun.digest()


class AesCmac:
    """AES-CMAC of several pieces."""

    __slots__ = ("_begun",)

    def __init__(self, key: bytes) -> None:
        self._begun = CMAC(algorithms.AES(key))

    def __repr__(self) -> str:
        return "AesCmac()"

    def tag(self, pieces: Iterable[Buffer]) -> bytes:
        begun = self._begun.copy()
        for piece in pieces:
            begun.update(piece)  # type: ignore[arg-type]  # any buffer does
        return begun.finalize()


class AesGmac:
    """AES-GMAC of several pieces; a nonce of 12 octets is used once."""

    __slots__ = ("_algorithm", "_whole")

    def __init__(self, key: bytes) -> None:
        self._algorithm = algorithms.AES(key)
        self._whole = AESGCM(key)

    def __repr__(self) -> str:
        return "AesGmac()"

    def tag(self, nonce: bytes, pieces: Sequence[Buffer]) -> bytes:
        if sum(map(len, pieces)) <= _JOINED_MAX:  # a context costs more than the copy
            return self._whole.encrypt(nonce, b"", b"".join(pieces))
        context = Cipher(self._algorithm, modes.GCM(nonce)).encryptor()
        for piece in pieces:
            context.authenticate_additional_data(piece)
        context.finalize()
        return context.tag


class AesCcm:
    """AES-CCM with tags of 16 octets; nonces of 11 octets."""

    __slots__ = ("_cipher",)
    nonce_size = 11

    def __init__(self, key: bytes) -> None:
        self._cipher = AESCCM(key)

    def __repr__(self) -> str:
        return "AesCcm()"

    def seal(self, nonce: bytes, pieces: Sequence[Buffer], aad: Buffer) -> tuple[list[Buffer], bytes]:
        """The cipher text of the pieces, one after the other, and the tag."""
        return _taken_apart(self._cipher.encrypt(nonce, _joined(pieces), aad))

    def open(self, nonce: bytes, sealed: Buffer, aad: Buffer) -> bytes:
        """The plain text of cipher text and tag. Raises DecodeError."""
        try:
            return self._cipher.decrypt(nonce, sealed, aad)
        except InvalidTag:
            raise DecodeError("the tag does not match", -1, "AES-CCM") from None


class AesGcm:
    """AES-GCM with tags of 16 octets; nonces of 12 octets."""

    __slots__ = ("_algorithm", "_cipher")
    nonce_size = 12

    def __init__(self, key: bytes) -> None:
        self._algorithm = algorithms.AES(key)
        self._cipher = AESGCM(key)

    def __repr__(self) -> str:
        return "AesGcm()"

    def seal(self, nonce: bytes, pieces: Sequence[Buffer], aad: Buffer) -> tuple[list[Buffer], bytes]:
        """The cipher text of the pieces, one after the other, and the tag."""
        if sum(map(len, pieces)) <= _JOINED_MAX:  # a context costs more than the copy
            return _taken_apart(self._cipher.encrypt(nonce, _joined(pieces), aad))
        context = Cipher(self._algorithm, modes.GCM(nonce)).encryptor()
        context.authenticate_additional_data(aad)
        texts: list[Buffer] = [context.update(piece) for piece in pieces]
        context.finalize()
        return texts, context.tag

    def open(self, nonce: bytes, sealed: Buffer, aad: Buffer) -> bytes:
        """The plain text of cipher text and tag. Raises DecodeError."""
        try:
            return self._cipher.decrypt(nonce, sealed, aad)
        except InvalidTag:
            raise DecodeError("the tag does not match", -1, "AES-GCM") from None


def _joined(pieces: Sequence[Buffer]) -> Buffer:
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def _taken_apart(sealed: bytes) -> tuple[list[Buffer], bytes]:
    return [memoryview(sealed)[:-TAG_SIZE]], sealed[-TAG_SIZE:]
