"""Signatures of SMB 2 and 3 messages, and the keys of a session.

Spec: [MS-SMB2] 3.1.4.1 (signing), 3.1.4.2 (keys), 3.1.5.1 (verifying), 3.3.5.5.3.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from addc.base.secret import Secret
from addc.security.crypto.aead import AesCmac, AesGmac, Buffer, HmacSha256
from addc.security.crypto.hashes import equal
from addc.security.crypto.kdf import sp800_108_counter
from addc.smb.messages import FLAGS_SERVER_TO_REDIR, Command, Dialect

SIGNATURE_AT: Final = 48
SIGNATURE_END: Final = 64
_ZEROS: Final = bytes(16)
_KEY_SIZE: Final = 16
_GMAC_NONCE: Final = struct.Struct("<QI")
_GMAC_SERVER: Final = 1
_GMAC_CANCEL: Final = 2


class SigningAlgorithm(IntEnum):
    """Spec: [MS-SMB2] 2.2.3.1.7."""

    HMAC_SHA256 = 0
    AES_CMAC = 1
    AES_GMAC = 2


class Cipher(IntEnum):
    """Spec: [MS-SMB2] 2.2.3.1.2."""

    NONE = 0
    AES_128_CCM = 1
    AES_128_GCM = 2
    AES_256_CCM = 3
    AES_256_GCM = 4


LONG_KEYS: Final = frozenset({Cipher.AES_256_CCM, Cipher.AES_256_GCM})


class Signer:
    """Signs and verifies with one key."""

    __slots__ = ("_gmac", "_mac")

    def __init__(self, algorithm: SigningAlgorithm, key: Secret) -> None:
        revealed = key.reveal()
        self._gmac = AesGmac(revealed) if algorithm is SigningAlgorithm.AES_GMAC else None
        self._mac = AesCmac(revealed) if algorithm is SigningAlgorithm.AES_CMAC else HmacSha256(revealed)

    def __repr__(self) -> str:
        return "Signer()"

    def _signature(self, head: Buffer, pieces: Sequence[Buffer]) -> bytes:
        """head: the 48 octets before the signature."""
        everything = (head, _ZEROS, *pieces)
        if self._gmac is None:
            return self._mac.tag(everything)[:16]
        command, message_id = struct.unpack_from("<H", head, 12)[0], struct.unpack_from("<Q", head, 24)[0]
        flags = struct.unpack_from("<I", head, 16)[0]
        extra = _GMAC_SERVER if flags & FLAGS_SERVER_TO_REDIR else 0
        if command == Command.CANCEL:
            extra |= _GMAC_CANCEL
        return self._gmac.tag(_GMAC_NONCE.pack(message_id, extra), everything)

    def sign(self, message: bytearray, payload: Buffer = b"") -> None:
        """Write the signature into a message; payload: what follows it on the wire."""
        view = memoryview(message)
        behind = view[SIGNATURE_END:]
        pieces = (behind, payload) if payload else (behind,)
        view[SIGNATURE_AT:SIGNATURE_END] = self._signature(view[:SIGNATURE_AT], pieces)

    def verifies(self, message: memoryview) -> bool:
        """Whether the signature in a message is right."""
        made = self._signature(message[:SIGNATURE_AT], (message[SIGNATURE_END:],))
        return equal(made, bytes(message[SIGNATURE_AT:SIGNATURE_END]))


@dataclass(frozen=True, slots=True)
class SessionKeys:
    """The keys of a session. encryption, decryption: of what we send and what comes."""

    session: Secret
    signing: Secret
    application: Secret
    encryption: Secret
    decryption: Secret


def short_key(key: bytes) -> bytes:
    """Session.SessionKey: the first 16 octets of the mechanism's key, filled with zeros. Spec: 3.3.1.8."""
    return key[:_KEY_SIZE].ljust(_KEY_SIZE, b"\0")


def _derived(key: bytes, label: bytes, context: bytes, size: int = _KEY_SIZE) -> Secret:
    """Spec: [MS-SMB2] 3.1.4.2; label and the fixed contexts end in a zero octet."""
    return Secret(sp800_108_counter("sha256", key, label + b"\0", context, size))


def signing_key(dialect: Dialect, key: bytes, preauth: bytes) -> Secret:
    """The signing key of a session, or of a channel bound to one. key: as the mechanism gave it."""
    short = short_key(key)
    if dialect < Dialect.SMB_3_0:
        return Secret(short)
    if dialect < Dialect.SMB_3_1_1:
        return _derived(short, b"SMB2AESCMAC", b"SmbSign\0")
    return _derived(short, b"SMBSigningKey", preauth)


def session_keys(dialect: Dialect, cipher: Cipher, key: bytes, preauth: bytes) -> SessionKeys:
    """All keys of a new session. key: as the mechanism gave it. preauth: the session's hash for 3.1.1."""
    short = short_key(key)
    session = Secret(short)
    if dialect < Dialect.SMB_3_0:
        return SessionKeys(session, session, session, session, session)
    signing = signing_key(dialect, key, preauth)
    if dialect < Dialect.SMB_3_1_1:
        return SessionKeys(
            session,
            signing,
            _derived(short, b"SMB2APP", b"SmbRpc\0"),
            _derived(short, b"SMB2AESCCM", b"ServerOut\0"),
            _derived(short, b"SMB2AESCCM", b"ServerIn \0"),
        )
    long = cipher in LONG_KEYS
    whole, size = (key, 32) if long else (short, _KEY_SIZE)
    return SessionKeys(
        session,
        signing,
        _derived(short, b"SMBAppKey", preauth),
        _derived(whole, b"SMBS2CCipherKey", preauth, size),
        _derived(whole, b"SMBC2SCipherKey", preauth, size),
    )
