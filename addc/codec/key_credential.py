"""Keys that an account trusts: the binary part of msDS-KeyCredentialLink.

Spec: [MS-ADTS] 2.2.20.
"""

import struct
from dataclasses import dataclass
from enum import IntEnum, IntFlag
from typing import Final, Self

from addc.base.errors import DecodeError
from addc.codec.cursor import Reader
from addc.codec.declare import register

VERSION_2: Final = 0x200
RSA_PUBLIC_MAGIC: Final = 0x31415352
_ENTRIES_MAX: Final = 32
_ENTRY: Final = struct.Struct("<HB")
_RSA_HEADER: Final = struct.Struct("<6I")


class EntryKind(IntEnum):
    """Identifier of a KEYCREDENTIALLINK_ENTRY ([MS-ADTS] 2.2.20.6)."""

    KEY_ID = 1
    KEY_HASH = 2
    KEY_MATERIAL = 3
    KEY_USAGE = 4
    KEY_SOURCE = 5
    DEVICE_ID = 6
    CUSTOM_KEY_INFORMATION = 7
    KEY_APPROXIMATE_LAST_LOGON_TIME_STAMP = 8
    KEY_CREATION_TIME = 9


class KeyUse(IntEnum):
    """KeyUsage ([MS-ADTS] 2.2.20.1)."""

    KEY_USAGE_NGC = 1
    KEY_USAGE_FIDO = 7
    KEY_USAGE_FEK = 8


class CustomKeyFlags(IntFlag):
    """Flags of CUSTOM_KEY_INFORMATION ([MS-ADTS] 2.2.20.4)."""

    ATTESTATION = 0x01
    MFA_NOT_USED = 0x02


@register
@dataclass(frozen=True, slots=True)
class KeyCredential:
    """KEYCREDENTIALLINK_BLOB: entries as (identifier, value), in increasing order of their identifiers."""

    entries: tuple[tuple[int, bytes], ...]

    def pack(self) -> bytes:
        out = bytearray(struct.pack("<I", VERSION_2))
        for kind, value in self.entries:
            out += _ENTRY.pack(len(value), kind) + value
        return bytes(out)

    @classmethod
    def unpack(cls, data: bytes) -> Self:
        path = "KEYCREDENTIALLINK_BLOB"
        reader = Reader(data)
        if reader.u32(path) != VERSION_2:
            raise DecodeError("unknown version", 0, path)
        entries: list[tuple[int, bytes]] = []
        while reader.remaining():
            if len(entries) == _ENTRIES_MAX:
                raise DecodeError("too many entries", len(data) - reader.remaining(), path)
            size = reader.u16(path)
            kind = reader.u8(path)
            if entries and kind < entries[-1][0]:
                raise DecodeError("entries out of order", len(data) - reader.remaining(), path)
            entries.append((kind, reader.take(size, path)))
        return cls(tuple(entries))

    def get(self, kind: int) -> bytes | None:
        """The value of the first entry of a kind."""
        return next((value for one, value in self.entries if one == kind), None)

    @property
    def custom_flags(self) -> int | None:
        """Flags of its CUSTOM_KEY_INFORMATION; None where it has none."""
        value = self.get(EntryKind.CUSTOM_KEY_INFORMATION)
        return value[1] if value is not None and len(value) >= 2 and value[0] == 1 else None


@register
@dataclass(frozen=True, slots=True)
class RsaPublicBlob:
    """Key material of KEY_USAGE_NGC: an RSA public key ([MS-ADTS] 2.2.20.5.1). bits: as it says itself."""

    bits: int
    exponent: bytes
    modulus: bytes

    def pack(self) -> bytes:
        sizes = (len(self.exponent), len(self.modulus), 0, 0)
        return _RSA_HEADER.pack(RSA_PUBLIC_MAGIC, self.bits, *sizes) + self.exponent + self.modulus

    @classmethod
    def unpack(cls, data: bytes) -> Self:
        path = "BCRYPT_RSAKEY_BLOB"
        if len(data) < _RSA_HEADER.size:
            raise DecodeError("too short", 0, path)
        magic, bits, exponent, modulus, prime1, prime2 = _RSA_HEADER.unpack_from(data)
        if magic != RSA_PUBLIC_MAGIC or prime1 or prime2:
            raise DecodeError("not an RSA public key", 0, path)
        if len(data) != _RSA_HEADER.size + exponent + modulus:
            raise DecodeError("a key of another size", _RSA_HEADER.size, path)
        start = _RSA_HEADER.size + exponent
        return cls(bits, data[_RSA_HEADER.size : start], data[start:])
