"""Encrypted SMB 3 messages: the transform header and what lies in it.

Spec: [MS-SMB2] 2.2.41, 3.1.4.3, 3.3.5.2.1.1.
"""

import struct
from collections.abc import Sequence
from typing import Final

from addc.base.errors import DecodeError
from addc.base.secret import Secret
from addc.security.crypto.aead import AesCcm, AesGcm, Buffer
from addc.smb.messages import PROTOCOL_ID_TRANSFORM
from addc.smb.signing import Cipher

TRANSFORM_SIZE: Final = 52
_AAD_AT: Final = 20
_AAD: Final = struct.Struct("<16sIHHQ")
_ENCRYPTED: Final = 1


def session_of(message: Buffer) -> int:
    """The session that an encrypted message belongs to. Raises DecodeError."""
    if len(message) <= TRANSFORM_SIZE:
        raise DecodeError("a transform header and more wanted", 0, "TransformHeader")
    _, size, _, flags, session_id = _AAD.unpack_from(message, _AAD_AT)
    if flags != _ENCRYPTED or size != len(message) - TRANSFORM_SIZE:
        raise DecodeError("flags or size are wrong", _AAD_AT, "TransformHeader")
    return int(session_id)


class Sealer:
    """Encrypts what goes out and decrypts what comes in, for one session.

    Nonces count up and never repeat under a key: sealing fails long before they could.
    """

    __slots__ = ("_count", "_inward", "_outward")

    def __init__(self, cipher: Cipher, encryption: Secret, decryption: Secret) -> None:
        kind = AesCcm if cipher in (Cipher.AES_128_CCM, Cipher.AES_256_CCM) else AesGcm
        self._outward: AesCcm | AesGcm = kind(encryption.reveal())
        self._inward: AesCcm | AesGcm = kind(decryption.reveal())
        self._count = 0

    def __repr__(self) -> str:
        return "Sealer()"

    def seal(self, session_id: int, pieces: Sequence[Buffer]) -> list[Buffer]:
        """The transform header and the cipher text of a message that consists of `pieces`."""
        self._count += 1
        assert self._count < 1 << 60
        nonce = self._count.to_bytes(16, "little")
        aad = _AAD.pack(nonce, sum(map(len, pieces)), 0, _ENCRYPTED, session_id)
        texts, tag = self._outward.seal(nonce[: self._outward.nonce_size], pieces, aad)
        return [b"".join((PROTOCOL_ID_TRANSFORM, tag, aad)), *texts]

    def open(self, message: memoryview) -> bytes:
        """The message inside an encrypted one. Raises DecodeError."""
        inward = self._inward
        nonce = bytes(message[_AAD_AT : _AAD_AT + inward.nonce_size])
        sealed = b"".join((message[TRANSFORM_SIZE:], message[4:_AAD_AT]))
        return inward.open(nonce, sealed, message[_AAD_AT:TRANSFORM_SIZE])
