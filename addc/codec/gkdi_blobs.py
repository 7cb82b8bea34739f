"""Structures of group key distribution, and the blob in which a managed password is handed out.

Strings are UTF-16LE with a NUL at the end, which counts in their lengths; large numbers are big-endian.

Spec: [MS-GKDI] 2.2.1 - 2.2.4, [MS-ADTS] 2.2.19.
"""

import struct
from dataclasses import dataclass, field
from typing import Final, Self
from uuid import UUID

from addc.base.errors import DecodeError
from addc.codec.cursor import Reader
from addc.codec.declare import register
from addc.codec.text import utf16_from_wire, utf16_to_wire

_NUL: Final = b"\0\0"
_PART_MAX: Final = 4096
"""Bytes of one string, parameter or key; a 2048-bit group's parameters take 524."""


def _text(text: str) -> bytes:
    return utf16_to_wire(text) + _NUL


def _read_text(reader: Reader, size: int, path: str) -> str:
    data = _part(reader, size, path)
    if data[-2:] != _NUL:
        raise DecodeError("no NUL at the end", -1, path)
    text = utf16_from_wire(data[:-2], path)
    if "\0" in text:
        raise DecodeError("a NUL within", -1, path)
    return text


def _part(reader: Reader, size: int, path: str) -> bytes:
    if size > _PART_MAX:
        raise DecodeError(f"over {_PART_MAX} bytes", -1, path)
    return reader.take(size, path)


def _expect(reader: Reader, value: int, path: str) -> None:
    if reader.u32(path) != value:
        raise DecodeError(f"{value:#x} wanted", -1, path)


def _pack_number(value: int, size: int) -> bytes:
    return value.to_bytes(size, "big")


# --- parameters and public keys ----------------------------------------------------------------------------

_KDF_HEAD: Final = struct.Struct("<IIII")


@register
@dataclass(frozen=True, slots=True)
class KdfParameters:
    """Which hash the KDF of [SP800-108] is to use. Spec: [MS-GKDI] 2.2.1."""

    hash_name: str

    def pack(self) -> bytes:
        name = _text(self.hash_name)
        return _KDF_HEAD.pack(0, 1, len(name), 0) + name

    @classmethod
    def unpack(cls, data: bytes) -> Self:
        reader = Reader(data)
        _expect(reader, 0, "KDFParameters")
        _expect(reader, 1, "KDFParameters")
        size = reader.u32("KDFParameters.length")
        _expect(reader, 0, "KDFParameters")
        name = _read_text(reader, size, "KDFParameters.name")
        reader.finish("KDFParameters")
        return cls(name)


_DHPM: Final = int.from_bytes(b"DHPM", "little")
_DHPB: Final = int.from_bytes(b"DHPB", "little")


@register
@dataclass(frozen=True, slots=True)
class FfcDhParameters:
    """A finite field and its generator. size: bytes of each number. Spec: [MS-GKDI] 2.2.2."""

    size: int
    field_order: int
    generator: int

    def pack(self) -> bytes:
        head = struct.pack("<III", 12 + 2 * self.size, _DHPM, self.size)
        return head + _pack_number(self.field_order, self.size) + _pack_number(self.generator, self.size)

    @classmethod
    def unpack(cls, data: bytes) -> Self:
        reader = Reader(data)
        _expect(reader, len(data), "FFCDHParameters.Length")
        _expect(reader, _DHPM, "FFCDHParameters.magic")
        size = reader.u32("FFCDHParameters.KeyLength")
        numbers = [int.from_bytes(_part(reader, size, "FFCDHParameters.number"), "big") for _ in range(2)]
        reader.finish("FFCDHParameters")
        return cls(size, *numbers)


@register
@dataclass(frozen=True, slots=True)
class FfcDhKey:
    """A public key of a finite field, with the field. size: bytes of each number. Spec: [MS-GKDI] 2.2.3.1."""

    size: int
    field_order: int
    generator: int
    public_key: int

    def pack(self) -> bytes:
        numbers = (self.field_order, self.generator, self.public_key)
        head = struct.pack("<II", _DHPB, self.size)
        return head + b"".join(_pack_number(one, self.size) for one in numbers)

    @classmethod
    def unpack(cls, data: bytes) -> Self:
        reader = Reader(data)
        _expect(reader, _DHPB, "FFCDHKey.magic")
        size = reader.u32("FFCDHKey.KeyLength")
        numbers = [int.from_bytes(_part(reader, size, "FFCDHKey.number"), "big") for _ in range(3)]
        reader.finish("FFCDHKey")
        return cls(size, *numbers)


_CURVES: Final = {
    int.from_bytes(b"ECK1", "little"): "P256",
    int.from_bytes(b"ECK3", "little"): "P384",
    int.from_bytes(b"ECK5", "little"): "P521",
}
_CURVE_MAGIC: Final = {name: magic for magic, name in _CURVES.items()}


@register
@dataclass(frozen=True, slots=True)
class EcdhKey:
    """A public key on a curve. curve: P256, P384 or P521. size: bytes of each. Spec: [MS-GKDI] 2.2.3.2."""

    curve: str
    size: int
    x: int
    y: int

    def pack(self) -> bytes:
        head = struct.pack("<II", _CURVE_MAGIC[self.curve], self.size)
        return head + _pack_number(self.x, self.size) + _pack_number(self.y, self.size)

    @classmethod
    def unpack(cls, data: bytes) -> Self:
        reader = Reader(data)
        curve = _CURVES.get(reader.u32("ECDHKey.Magic"))
        if curve is None:
            raise DecodeError("no such curve", 0, "ECDHKey.Magic")
        size = reader.u32("ECDHKey.KeyLength")
        numbers = [int.from_bytes(_part(reader, size, "ECDHKey.number"), "big") for _ in range(2)]
        reader.finish("ECDHKey")
        return cls(curve, size, *numbers)


# --- envelopes ---------------------------------------------------------------------------------------------

_KDSK: Final = int.from_bytes(b"KDSK", "little")
_INDEX_MAX: Final = 31
FLAG_PUBLIC_KEY: Final = 0x1
"""The envelope carries a public key."""
FLAG_MAY_ENCRYPT: Final = 0x2
"""The key may be used for new data, not only to open old."""


def _index(reader: Reader, path: str) -> int:
    value = reader.u32(path)
    if value > _INDEX_MAX:
        raise DecodeError(f"at most {_INDEX_MAX}", -1, path)
    return value


def _read_head(reader: Reader, path: str) -> tuple[int, int, int, int, int, UUID]:
    """version, flags, l0, l1, l2, root key id: what both envelopes begin with."""
    version = reader.u32(f"{path}.Version")
    _expect(reader, _KDSK, f"{path}.magic")
    flags, l0 = reader.u32(f"{path}.dwFlags"), reader.u32(f"{path}.L0")
    l1, l2 = _index(reader, f"{path}.L1"), _index(reader, f"{path}.L2")
    return version, flags, l0, l1, l2, UUID(bytes_le=reader.take(16, f"{path}.RootKeyIdentifier"))


@register
@dataclass(frozen=True, slots=True)
class KeyIdentifier:
    """Which group key something was made with: msDS-ManagedPasswordId, and the key id in protected data.

    The form is that of the Group Key Envelope up to the root key's identifier; what follows is in no document
    and as Windows writes it. additional: a public key or a nonce, in protected data alone.
    """

    l0: int
    l1: int
    l2: int
    root_key_id: UUID
    domain_name: str
    forest_name: str
    flags: int = FLAG_MAY_ENCRYPT
    additional: bytes = field(default=b"", repr=False)
    version: int = 1

    def pack(self) -> bytes:
        domain, forest = _text(self.domain_name), _text(self.forest_name)
        head = struct.pack("<6I", self.version, _KDSK, self.flags, self.l0, self.l1, self.l2)
        sizes = struct.pack("<3I", len(self.additional), len(domain), len(forest))
        return head + self.root_key_id.bytes_le + sizes + self.additional + domain + forest

    @classmethod
    def unpack(cls, data: bytes) -> Self:
        reader, path = Reader(data), "KeyIdentifier"
        version, flags, l0, l1, l2, root_key_id = _read_head(reader, path)
        sizes = [reader.u32(f"{path}.size") for _ in range(3)]
        additional = _part(reader, sizes[0], f"{path}.additional")
        domain = _read_text(reader, sizes[1], f"{path}.DomainName")
        forest = _read_text(reader, sizes[2], f"{path}.ForestName")
        reader.finish(path)
        return cls(l0, l1, l2, root_key_id, domain, forest, flags, additional, version)


@register
@dataclass(frozen=True, slots=True)
class GroupKeyEnvelope:
    """What GetKey answers: seed keys or a public key, and what they were made with.

    private_key_length, public_key_length: bits. l1_key, l2_key: b"" where absent; l2_key holds the public
    key if `flags` says so. Spec: [MS-GKDI] 2.2.4.
    """

    l0: int
    l1: int
    l2: int
    root_key_id: UUID
    kdf_algorithm: str
    kdf_parameters: bytes
    secret_algorithm: str
    secret_parameters: bytes
    private_key_length: int
    public_key_length: int
    domain_name: str
    forest_name: str
    l1_key: bytes = field(default=b"", repr=False)
    l2_key: bytes = field(default=b"", repr=False)
    flags: int = 0
    version: int = 1

    @property
    def is_public(self) -> bool:
        return bool(self.flags & FLAG_PUBLIC_KEY)

    def pack(self) -> bytes:
        kdf, secret = _text(self.kdf_algorithm), _text(self.secret_algorithm)
        domain, forest = _text(self.domain_name), _text(self.forest_name)
        head = struct.pack("<6I", self.version, _KDSK, self.flags, self.l0, self.l1, self.l2)
        sizes = struct.pack(
            "<10I",
            len(kdf), len(self.kdf_parameters), len(secret), len(self.secret_parameters),
            self.private_key_length, self.public_key_length,
            len(self.l1_key), len(self.l2_key), len(domain), len(forest),
        )  # fmt: skip
        parts = (kdf, self.kdf_parameters, secret, self.secret_parameters, domain, forest)
        return b"".join((head, self.root_key_id.bytes_le, sizes, *parts, self.l1_key, self.l2_key))

    @classmethod
    def unpack(cls, data: bytes) -> Self:
        reader, path = Reader(data), "GroupKeyEnvelope"
        version, flags, l0, l1, l2, root_key_id = _read_head(reader, path)
        kdf, kdf_parameters, secret, secret_parameters = (reader.u32(f"{path}.size") for _ in range(4))
        private, public = reader.u32(f"{path}.PrivateKeyLength"), reader.u32(f"{path}.PublicKeyLength")
        l1_size, l2_size, domain, forest = (reader.u32(f"{path}.size") for _ in range(4))
        value = cls(
            l0, l1, l2, root_key_id,
            _read_text(reader, kdf, f"{path}.KDFAlgorithm"),
            _part(reader, kdf_parameters, f"{path}.KDFParameters"),
            _read_text(reader, secret, f"{path}.SecretAgreementAlgorithm"),
            _part(reader, secret_parameters, f"{path}.SecretAgreementParameters"),
            private, public,
            _read_text(reader, domain, f"{path}.DomainName"),
            _read_text(reader, forest, f"{path}.ForestName"),
            _part(reader, l1_size, f"{path}.L1Key"),
            _part(reader, l2_size, f"{path}.L2Key"),
            flags, version,
        )  # fmt: skip
        reader.finish(path)
        return value


# --- the managed password ----------------------------------------------------------------------------------

_BLOB_HEAD: Final = struct.Struct("<HHIHHHH")


@register
@dataclass(frozen=True, slots=True)
class ManagedPasswordBlob:
    """MSDS-MANAGEDPASSWORD_BLOB: passwords as UTF-16LE without the NUL at their ends; spans in 100 ns.

    Deviation: no padding before the spans: Windows writes none, and what reads the blob goes by the offsets.
    Spec: [MS-ADTS] 2.2.19.
    """

    current: bytes = field(repr=False)
    previous: bytes | None = field(repr=False)
    query_interval: int
    unchanged_interval: int

    def pack(self) -> bytes:
        body, at = self.current + _NUL, _BLOB_HEAD.size
        previous_at = 0
        if self.previous is not None:
            previous_at = at + len(body)
            body += self.previous + _NUL
        query_at = at + len(body)
        body += struct.pack("<QQ", self.query_interval, self.unchanged_interval)
        return _BLOB_HEAD.pack(1, 0, at + len(body), at, previous_at, query_at, query_at + 8) + body

    @classmethod
    def unpack(cls, data: bytes) -> Self:
        reader, path = Reader(data), "MSDS-MANAGEDPASSWORD_BLOB"
        if reader.u16(f"{path}.Version") != 1:
            raise DecodeError("version 1 wanted", 0, f"{path}.Version")
        reader.skip(2, f"{path}.Reserved")
        _expect(reader, len(data), f"{path}.Length")
        current_at, previous_at, query_at, unchanged_at = (reader.u16(f"{path}.offset") for _ in range(4))
        current = _wide_string(data, current_at)
        previous = _wide_string(data, previous_at) if previous_at else None
        spans = [_span(data, at) for at in (query_at, unchanged_at)]
        return cls(current, previous, *spans)


def _wide_string(data: bytes, at: int) -> bytes:
    """The UTF-16 units from an offset up to the first NUL."""
    if at < _BLOB_HEAD.size:
        raise DecodeError("points into the head", at, "MSDS-MANAGEDPASSWORD_BLOB.Password")
    for end in range(at, len(data) - 1, 2):
        if end - at > _PART_MAX:
            break
        if data[end : end + 2] == _NUL:
            return data[at:end]
    raise DecodeError("no NUL at the end", at, "MSDS-MANAGEDPASSWORD_BLOB.Password")


def _span(data: bytes, at: int) -> int:
    if at < _BLOB_HEAD.size or at + 8 > len(data):
        raise DecodeError("points outside", at, "MSDS-MANAGEDPASSWORD_BLOB.Interval")
    return int.from_bytes(data[at : at + 8], "little")
