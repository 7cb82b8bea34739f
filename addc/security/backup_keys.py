"""Wrapping and unwrapping secrets for the domain: what BackuprKey does between the octets and the keys.

Spec: [MS-BKRP] 3.1.4.1.
"""

from dataclasses import dataclass
from hmac import compare_digest
from typing import Final
from uuid import UUID

from addc.base.errors import DecodeError
from addc.base.rng import Rng
from addc.base.secret import Secret
from addc.codec.backup_key import (
    MAC_SIZE,
    R2_SIZE,
    R3_SIZE,
    AccessCheck,
    ClientWrapPair,
    ClientWrapped,
    EncryptedSecret,
    ServerWrapped,
    take_sid,
)
from addc.codec.cursor import Reader
from addc.codec.ids import Sid
from addc.security.crypto.backup_pair import insecure_des_ede3_decrypt, open_with
from addc.security.crypto.ciphers import aes_cbc_decrypt, insecure_rc4
from addc.security.crypto.hashes import hmac_sha1, insecure_sha1, sha512

_SALT_SIZE: Final = 16


@dataclass(frozen=True, slots=True)
class Unwrapped:
    """A secret and whose it is. nonce: of client wrapping, else empty."""

    secret: Secret
    owner: Sid
    nonce: bytes = b""


class WrongKeyError(DecodeError):
    """The secret was not encrypted for the pair that it names."""


class ForgedError(DecodeError):
    """A server's secret whose checksum is not ours."""


def unwrap_client(pair: ClientWrapPair, wrapped: ClientWrapped) -> Unwrapped:
    """Raises WrongKeyError, or DecodeError where what is inside is not well-formed. Spec: 3.1.4.1.4 (3-7)."""
    try:
        opened = open_with(pair, wrapped.encrypted_secret)
    except DecodeError as error:
        raise WrongKeyError(error.why, error.offset, error.path) from None
    if int.from_bytes(opened[:4], "little") > len(opened):
        # The library answers a wrong padding with noise rather than with an error that would be an oracle.
        raise WrongKeyError("not encrypted for this key", 0, "EncryptedSecret")
    inside = EncryptedSecret.unpack(opened, wrapped.version)
    key = inside.payload_key
    if wrapped.version == 2:
        check = AccessCheck.unpack(insecure_des_ede3_decrypt(key[:24], key[24:], wrapped.access_check), 2)
        digest = insecure_sha1(check.signed)
    else:
        check = AccessCheck.unpack(aes_cbc_decrypt(key[:32], key[32:], wrapped.access_check), wrapped.version)
        digest = sha512(check.signed)
    if not compare_digest(digest, check.digest):
        raise DecodeError("another digest", 0, "AccessCheck")
    return Unwrapped(Secret(inside.secret), check.sid, check.nonce)


def wrap_server(key: bytes, key_id: UUID, owner: Sid, secret: bytes, rng: Rng) -> bytes:
    """A secret wrapped for its owner with the server's key. Spec: 3.1.4.1.1 (4-11)."""
    r2, r3 = rng.bytes(R2_SIZE), rng.bytes(R3_SIZE)
    content = bytes(owner) + secret
    payload = r3 + hmac_sha1(hmac_sha1(key, r3), content) + content
    return ServerWrapped(len(secret), key_id, r2, insecure_rc4(hmac_sha1(key, r2), payload)).pack()


def unwrap_server(key: bytes, wrapped: ServerWrapped) -> Unwrapped:
    """Raises ForgedError, or DecodeError where what is inside is not well-formed. Spec: 3.1.4.1.2.1 (2-4)."""
    payload = Reader(insecure_rc4(hmac_sha1(key, wrapped.r2), wrapped.payload))
    r3, mac = payload.take(R3_SIZE, "R3"), payload.take(MAC_SIZE, "MAC")
    content = payload.take(payload.remaining(), "Rc4EncryptedPayload")
    if not compare_digest(hmac_sha1(hmac_sha1(key, r3), content), mac):
        raise ForgedError("another MAC", R3_SIZE, "Rc4EncryptedPayload")
    reader = Reader(content)
    owner = take_sid(reader)
    if reader.remaining() != wrapped.secret_size:
        raise DecodeError("a secret of another size", 0, "Payload_Length")
    return Unwrapped(Secret(reader.take(wrapped.secret_size, "Secret")), owner)


def sealed_reply(unwrapped: Unwrapped, rng: Rng) -> bytes:
    """A client-wrapped secret for who asked in the old way, encrypted by its nonce.

    Spec: [MS-BKRP] 2.2.6, 3.1.4.1.2.2.
    """
    secret = unwrapped.secret.reveal()
    envelope = insecure_sha1(unwrapped.nonce)
    salt, mac_salt = rng.bytes(_SALT_SIZE), rng.bytes(_SALT_SIZE)
    mac = hmac_sha1(hmac_sha1(envelope, mac_salt), secret)
    body = insecure_rc4(hmac_sha1(envelope, salt), mac_salt + mac + secret)
    return (1).to_bytes(4, "little") + salt + body
