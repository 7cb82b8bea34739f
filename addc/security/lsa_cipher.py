"""How secrets travel inside of the LSA's calls: by DES blocks under the session key, by RC4, and by AES.

The two old forms protect nothing by today's measure; the transport below them does.

Spec: [MS-LSAD] 5.1.1, 5.1.2, 5.1.3, 5.1.5, 2.2.7.16.
"""

from dataclasses import dataclass
from typing import Final

from addc.base.errors import DecodeError
from addc.codec.blobs import TrustAuthInfo
from addc.security import aead_cbc
from addc.security.aead_cbc import Labels
from addc.security.crypto.ciphers import insecure_des_decrypt, insecure_des_encrypt, insecure_rc4

KEY_SIZE: Final = 16
"""What these ciphers use of a session key."""
_BLOCK: Final = 8
_DES_KEY: Final = 7
_VERSION: Final = 1
_LABELS: Final = Labels(
    b"Microsoft LSAD encryption key AEAD-AES-256-CBC-HMAC-SHA512 16\0",
    b"Microsoft LSAD MAC key AEAD-AES-256-CBC-HMAC-SHA512 16\0",
)
CONFOUNDER_SIZE: Final = 512


# --- secrets under the session key -------------------------------------------------------------------------


def _block_keys(session_key: bytes, count: int) -> list[bytes]:
    """The DES keys of `count` blocks, which go round through the session key. Spec: AdvanceKey, 5.1.2."""
    keys, at = [], 0
    for _ in range(count):
        keys.append(session_key[at : at + _DES_KEY])
        at += _DES_KEY
        if at + _DES_KEY > KEY_SIZE:
            at = _DES_KEY - (at + _DES_KEY - KEY_SIZE)
    return keys


def encrypt_secret(session_key: bytes, plain: bytes) -> bytes:
    """encrypt_secret: length and version, then the secret, in blocks. session_key: 16 octets."""
    data = len(plain).to_bytes(4, "little") + _VERSION.to_bytes(4, "little") + plain
    data += bytes(-len(data) % _BLOCK)
    keys = _block_keys(session_key, len(data) // _BLOCK)
    return b"".join(
        insecure_des_encrypt(key, data[at * _BLOCK : (at + 1) * _BLOCK]) for at, key in enumerate(keys)
    )


def decrypt_secret(session_key: bytes, data: bytes) -> bytes:
    """The secret. Raises DecodeError for what was made with another key."""
    if len(data) % _BLOCK or not data:
        raise DecodeError("not whole blocks", len(data), "secret")
    keys = _block_keys(session_key, len(data) // _BLOCK)
    plain = b"".join(
        insecure_des_decrypt(key, data[at * _BLOCK : (at + 1) * _BLOCK]) for at, key in enumerate(keys)
    )
    size, version = int.from_bytes(plain[:4], "little"), int.from_bytes(plain[4:8], "little")
    if version != _VERSION or size > len(plain) - _BLOCK:
        raise DecodeError("made with another key", 0, "secret")
    return plain[_BLOCK : _BLOCK + size]


# --- AES ---------------------------------------------------------------------------------------------------


def seal_aes(session_key: bytes, salt: bytes, plain: bytes) -> tuple[bytes, bytes]:
    """AuthData and Cipher. salt: 16 random octets. Spec: [MS-LSAD] 5.1.5."""
    return aead_cbc.seal(session_key, _LABELS, salt, plain)


def open_aes(session_key: bytes, auth_data: bytes, salt: bytes, cipher: bytes) -> bytes:
    """The plain text. Raises DecodeError for what is not authentic."""
    return aead_cbc.unseal(session_key, _LABELS, salt, (auth_data, cipher))


# --- the secrets of a trust --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TrustAuthBlob:
    """The plain text of an LSAPR_TRUSTED_DOMAIN_AUTH_BLOB without its random octets."""

    incoming: TrustAuthInfo
    outgoing: TrustAuthInfo

    def pack(self, confounder: bytes) -> bytes:
        """confounder: 512 random octets."""
        outgoing, incoming = self.outgoing.pack(), self.incoming.pack()
        sizes = len(outgoing).to_bytes(4, "little") + len(incoming).to_bytes(4, "little")
        return confounder + outgoing + incoming + sizes

    @classmethod
    def unpack(cls, data: bytes) -> "TrustAuthBlob":
        """Raises DecodeError for what is no such blob. Spec: [MS-LSAD] 2.2.7.16."""
        if len(data) < CONFOUNDER_SIZE + 8:
            raise DecodeError("too short", len(data), "LSAPR_TRUSTED_DOMAIN_AUTH_BLOB")
        outgoing_size = int.from_bytes(data[-8:-4], "little")
        incoming_size = int.from_bytes(data[-4:], "little")
        if CONFOUNDER_SIZE + outgoing_size + incoming_size + 8 > len(data):
            raise DecodeError("sizes beyond the blob", len(data), "LSAPR_TRUSTED_DOMAIN_AUTH_BLOB")
        body = data[-8 - incoming_size - outgoing_size : -8]
        return cls(_infos(body[outgoing_size:]), _infos(body[:outgoing_size]))


def _infos(data: bytes) -> TrustAuthInfo:
    return TrustAuthInfo.unpack(data) if data else TrustAuthInfo((), ())


def open_rc4(session_key: bytes, blob: bytes) -> TrustAuthBlob:
    """An LSAPR_TRUSTED_DOMAIN_AUTH_BLOB as it travels. Spec: [MS-LSAD] 5.1.1."""
    return TrustAuthBlob.unpack(insecure_rc4(session_key, blob))


def seal_rc4(session_key: bytes, blob: TrustAuthBlob, confounder: bytes) -> bytes:
    """The inverse of `open_rc4`."""
    return insecure_rc4(session_key, blob.pack(confounder))
