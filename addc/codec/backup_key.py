"""Secrets wrapped for the domain, and the keys that they are wrapped with.

Spec: [MS-BKRP] 2.2.
"""

import struct
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from addc.base.errors import DecodeError
from addc.codec.cursor import Reader
from addc.codec.ids import Sid, guid_from_wire

SERVER_WRAPPED: Final = 1
"""The first four octets of a secret that the server wrapped."""
CLIENT_WRAPPED: Final = (2, 3)
"""dwVersion of secrets that clients wrap."""
SERVER_KEY_SIZE: Final = 256
R2_SIZE: Final = 68
R3_SIZE: Final = 32
MAC_SIZE: Final = 20
_HEAD: Final = struct.Struct("<III16s")
_PRIVATE_BLOB: Final = bytes.fromhex("0702000000a400005253413200080000")
_HALF, _WHOLE = 128, 256
_SID_MAX: Final = 68


def version_of(data: bytes) -> int:
    """The first four octets of a wrapped secret."""
    return Reader(data).u32("dwVersion")


@dataclass(frozen=True, slots=True)
class ClientWrapped:
    """Client-Side-Wrapped_Secret, [MS-BKRP] 2.2.2."""

    version: int
    key_id: UUID
    encrypted_secret: bytes
    access_check: bytes

    @classmethod
    def unpack(cls, data: bytes) -> "ClientWrapped":
        reader = Reader(data)
        version, secret, check = (
            reader.u32(name) for name in ("dwVersion", "cbEncryptedSecret", "cbAccessCheck")
        )
        if version not in CLIENT_WRAPPED:
            raise DecodeError("not a version of client wrapping", 0, "dwVersion")
        key_id = guid_from_wire(reader.take(16, "guidKey"))
        return cls(version, key_id, reader.take(secret, "EncryptedSecret"), reader.take(check, "AccessCheck"))

    def pack(self) -> bytes:
        sizes = len(self.encrypted_secret), len(self.access_check)
        return (
            _HEAD.pack(self.version, *sizes, self.key_id.bytes_le) + self.encrypted_secret + self.access_check
        )


@dataclass(frozen=True, slots=True)
class EncryptedSecret:
    """What the private key opens. payload_key: of the access check, with its IV. [MS-BKRP] 2.2.2.1 f."""

    secret: bytes
    payload_key: bytes

    @classmethod
    def unpack(cls, data: bytes, version: int) -> "EncryptedSecret":
        reader = Reader(data)
        size = reader.u32("cbSecret")
        key_size = reader.u32("cbPayloadKey")
        if version == CLIENT_WRAPPED[0]:
            wanted = 32
        else:
            wanted = 48
            if reader.take(8, "algorithms") != bytes.fromhex("106600000e800000"):
                raise DecodeError("other algorithms", 8, "EncryptedSecret")
        if key_size != wanted:
            raise DecodeError("a key of another size", 4, "EncryptedSecret")
        found = cls(reader.take(size, "Secret"), reader.take(key_size, "PayloadKey"))
        reader.finish("EncryptedSecret")
        return found


@dataclass(frozen=True, slots=True)
class AccessCheck:
    """Whose a secret is. signed: what `digest` is over. [MS-BKRP] 2.2.2.3, 2.2.2.4."""

    nonce: bytes
    sid: Sid
    signed: bytes
    digest: bytes

    @classmethod
    def unpack(cls, data: bytes, version: int) -> "AccessCheck":
        digest_size = 20 if version == CLIENT_WRAPPED[0] else 64
        if len(data) < digest_size:
            raise DecodeError("too short", len(data), "AccessCheck")
        signed = data[:-digest_size]
        reader = Reader(signed)
        if reader.u32("AccessCheck") != 1:
            raise DecodeError("not of version 1", 0, "AccessCheck")
        nonce = reader.take(reader.u32("cbNonce"), "Nonce")
        sid = take_sid(reader)
        if len(data) - len(signed) != digest_size or reader.remaining() >= 16:
            raise DecodeError("too much padding", len(data), "AccessCheck")
        return cls(nonce, sid, signed, data[-digest_size:])


def take_sid(reader: Reader) -> Sid:
    """A SID in its packet form, whose length its second octet says."""
    head = reader.take(2, "SID")
    size = 8 + 4 * head[1]
    if size > _SID_MAX:
        raise DecodeError("too many sub-authorities", 1, "SID")
    return Sid.of(head + reader.take(size - 2, "SID"))


@dataclass(frozen=True, slots=True)
class ServerWrapped:
    """A secret wrapped with a symmetric key, [MS-BKRP] 2.2.4. payload: encrypted."""

    secret_size: int
    key_id: UUID
    r2: bytes
    payload: bytes

    @classmethod
    def unpack(cls, data: bytes) -> "ServerWrapped":
        reader = Reader(data)
        if reader.u32("version") != SERVER_WRAPPED:
            raise DecodeError("not wrapped by a server", 0, "ServerWrapped")
        secret_size, payload_size = reader.u32("Payload_Length"), reader.u32("Ciphertext_Length")
        key_id = guid_from_wire(reader.take(16, "GUID_of_Wrapping_Key"))
        r2 = reader.take(R2_SIZE, "R2")
        found = cls(secret_size, key_id, r2, reader.take(payload_size, "Rc4EncryptedPayload"))
        reader.finish("ServerWrapped")
        return found

    def pack(self) -> bytes:
        head = _HEAD.pack(SERVER_WRAPPED, self.secret_size, len(self.payload), self.key_id.bytes_le)
        return head + self.r2 + self.payload


def pack_server_key(key: bytes) -> bytes:
    """A ServerWrap key as it is kept, [MS-BKRP] 2.2.7."""
    return struct.pack("<I", 1) + key


def unpack_server_key(data: bytes) -> bytes:
    """The inverse of `pack_server_key`."""
    if len(data) != 4 + SERVER_KEY_SIZE or version_of(data) != 1:
        raise DecodeError("not a ServerWrap key", 0, "ServerWrapKey")
    return data[4:]


@dataclass(frozen=True, slots=True)
class ClientWrapPair:
    """A ClientWrap RSA key pair of 2,048 bits as it is kept, with its certificate, [MS-BKRP] 2.2.5."""

    public_exponent: int
    modulus: int
    prime1: int
    prime2: int
    exponent1: int
    exponent2: int
    coefficient: int
    private_exponent: int
    certificate: bytes

    def pack(self) -> bytes:
        halves = (self.prime1, self.prime2, self.exponent1, self.exponent2, self.coefficient)
        key = _PRIVATE_BLOB + struct.pack("<I", self.public_exponent)
        key += self.modulus.to_bytes(_WHOLE, "little")
        key += b"".join(number.to_bytes(_HALF, "little") for number in halves)
        key += self.private_exponent.to_bytes(_WHOLE, "little")
        return struct.pack("<III", 2, len(key), len(self.certificate)) + key + self.certificate

    @classmethod
    def unpack(cls, data: bytes) -> "ClientWrapPair":
        reader = Reader(data)
        version, key_size, certificate_size = (reader.u32("ClientWrapPair") for _ in range(3))
        if version != 2 or key_size != len(_PRIVATE_BLOB) + 4 + 2 * _WHOLE + 5 * _HALF:
            raise DecodeError("not a key pair of 2,048 bits", 0, "ClientWrapPair")
        if reader.take(len(_PRIVATE_BLOB), "PRIVATEKEYBLOB") != _PRIVATE_BLOB:
            raise DecodeError("not a private key of 2,048 bits", 12, "ClientWrapPair")

        def number(size: int) -> int:
            return int.from_bytes(reader.take(size, "ClientWrapPair"), "little")

        found = cls(
            public_exponent=number(4),
            modulus=number(_WHOLE),
            prime1=number(_HALF),
            prime2=number(_HALF),
            exponent1=number(_HALF),
            exponent2=number(_HALF),
            coefficient=number(_HALF),
            private_exponent=number(_WHOLE),
            certificate=reader.take(certificate_size, "Certificate"),
        )
        reader.finish("ClientWrapPair")
        return found
