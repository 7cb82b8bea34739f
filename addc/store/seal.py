"""Encryption at rest of secret attribute values: AES-256-GCM, bound to object and attribute.

The key lies outside the database, so a copy of the database alone tells no password.
"""

import hmac
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from addc.base.errors import DecodeError, UserError
from addc.base.rng import Rng
from addc.base.secret import Secret

KEY_SIZE: Final = 32
_NONCE_SIZE: Final = 12
_TAG_SIZE: Final = 16


class Sealer:
    """Seals and opens values under one store key."""

    __slots__ = ("_aead", "_rng", "descriptor_key")

    def __init__(self, key: Secret, rng: Rng) -> None:
        raw = key.reveal()
        if len(raw) != KEY_SIZE:
            raise UserError(f"the store key has {len(raw)} bytes; it must have {KEY_SIZE}")
        self._aead = AESGCM(hmac.digest(raw, b"addc store: values", "sha256"))
        self._rng = rng
        self.descriptor_key = Secret(hmac.digest(raw, b"addc store: descriptor ids", "sha256"))

    def seal(self, guid: bytes, att: int, value: bytes) -> bytes:
        """Nonce, ciphertext, tag; opens only for the same object and attribute."""
        nonce = self._rng.bytes(_NONCE_SIZE)
        return nonce + self._aead.encrypt(nonce, value, guid + att.to_bytes(4, "big"))

    def open(self, guid: bytes, att: int, sealed: bytes) -> bytes:
        """The value; DecodeError if it was sealed for another object, attribute or key, or was changed."""
        if len(sealed) < _NONCE_SIZE + _TAG_SIZE:
            raise DecodeError("sealed value too short", 0, f"attribute {att:#x}")
        try:
            return self._aead.decrypt(
                sealed[:_NONCE_SIZE], sealed[_NONCE_SIZE:], guid + att.to_bytes(4, "big")
            )
        except InvalidTag:
            raise DecodeError("sealed value does not open", 0, f"attribute {att:#x}") from None
