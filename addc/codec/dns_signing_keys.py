"""How a zone's signing keys stand in the directory: msDNS-SigningKeyDescriptors and msDNS-SigningKeys.

Deviation: the text of [MS-DNSP] differs from what Windows writes, and this follows Windows: fIsKSK stands
behind fStoreKeysInDirectory, not before the GUID; an exported key has a head of 16 octets and no name of its
own; a descriptor without a key has an empty string for it.

Spec: [MS-DNSP] 2.3.2.5, 2.3.2.19, 2.2.11.2.1 - 2.2.11.2.3, 2.2.11.2.6.
"""

import struct
from dataclasses import dataclass, field
from typing import Final, Self
from uuid import UUID

from addc.base.enums import OpenIntEnum
from addc.base.errors import DecodeError
from addc.codec.cursor import Reader
from addc.codec.declare import register
from addc.codec.text import utf16_from_wire, utf16_to_wire

SOFTWARE_PROVIDER: Final = "Microsoft Software Key Storage Provider"
NO_ROLLOVER: Final = 0xFFFF_FFFF
"""A rollover period that never comes."""
_TEXT_MAX: Final = 512
_RECORDS_MAX: Final = 100
_PART_MAX: Final = 8192
_VERSION: Final = 1
_EXPORTED_MAGIC: Final = (0x10, 0x4B545250)


class RolloverType(OpenIntEnum):
    """ZONE_SKD_ROLLOVER_TYPE, [MS-DNSP] 2.2.5.1.5."""

    PREPUBLISH = 0
    DOUBLE_SIGNATURE = 1


class RolloverAction(OpenIntEnum):
    """ZONE_SKD_ROLLOVER_ACTION, [MS-DNSP] 2.2.5.1.6."""

    DEFAULT = 0
    NORMAL = 1
    REVOKE_STANDBY = 2
    RETIRE = 3


class SkdState(OpenIntEnum):
    """dwState, [MS-DNSP] 2.2.6.2.3."""

    ACTIVE = 0
    RETIRED = 1


class RolloverStatus(OpenIntEnum):
    """dwCurrentRolloverStatus, [MS-DNSP] 2.2.6.2.3."""

    NOT_ROLLING = 0
    QUEUED = 1
    ROLL_STARTED = 2
    ZSK_WAITING_FOR_DNSKEY_TTL = 3
    ZSK_WAITING_FOR_MAXZONE_TTL = 4
    KSK_WAITING_FOR_DS_UPDATE = 5
    KSK_WAITING_FOR_DS_TTL = 6
    KSK_WAITING_FOR_DNSKEY_TTL = 7
    KSK_WAITING_FOR_5011_REMOVE_HOLD_DOWN = 8
    ROLL_ERROR = 9


class RollState(OpenIntEnum):
    """dwCurrentRollState, [MS-DNSP] 2.3.2.19: the next step."""

    NOT_STARTED = 0
    ZSK_SWAP = 1
    ZSK_FINISH = 2
    KSK_DS_WAIT = 3
    KSK_REVOKE = 4
    KSK_FINISH = 5


class KeyScope(OpenIntEnum):
    """KeySignScope, [MS-DNSP] 2.2.6.1.2: what a key does in its zone."""

    DEFAULT = 0
    DNSKEY_ONLY = 1
    ALL_RECORDS = 2
    ADD_ONLY = 3
    DO_NOT_PUBLISH = 4
    REVOKED = 5


@dataclass(frozen=True, slots=True)
class KeyPointer:
    """One of a descriptor's keys: its GUID among the values of msDNS-SigningKeys, None for no key."""

    key_id: UUID | None = None
    scope: KeyScope = KeyScope.DEFAULT


NO_KEY: Final = KeyPointer()
_FIXED: Final = struct.Struct("<11IQQ5IQ2I")


@register
@dataclass(frozen=True, slots=True)
class SigningKeyDescriptor:
    """One value of msDNS-SigningKeyDescriptors: a kind of key, its present keys and where its roll stands.

    Times of the head in seconds; *_ft: FILETIME, 0 for never. key_bits: of algorithms with a choice.
    records: DNSKEY and RRSIG records that Windows has computed ahead, as dnsRecord values; kept, never made.
    """

    guid: UUID
    is_ksk: bool
    algorithm: int
    key_bits: int
    dnskey_validity_s: int
    ds_validity_s: int
    validity_s: int
    rollover_type: RolloverType
    rollover_period_s: int
    initial_offset_s: int = 0
    next_action: RolloverAction = RolloverAction.NORMAL
    last_rollover_ft: int = 0
    next_rollover_ft: int = 0
    state: SkdState = SkdState.ACTIVE
    status: RolloverStatus = RolloverStatus.NOT_ROLLING
    roll_state: RollState = RollState.NOT_STARTED
    manual_trigger: bool = False
    pre_roll_event: int = 0
    next_key_made_ft: int = 0
    active: KeyPointer = NO_KEY
    standby: KeyPointer = NO_KEY
    next: KeyPointer = NO_KEY
    provider: str = SOFTWARE_PROVIDER
    in_directory: bool = True
    records: tuple[bytes, ...] = ()
    swapped_count: int = 0

    def pack(self) -> bytes:
        """The attribute's value."""
        head = struct.pack("<I", _VERSION) + self.guid.bytes_le + _pack_text(self.provider)
        told = _FIXED.pack(
            self.in_directory, self.is_ksk, self.algorithm, self.key_bits, self.initial_offset_s,
            self.dnskey_validity_s, self.ds_validity_s, self.validity_s, self.rollover_type,
            self.rollover_period_s, self.next_action,
            self.last_rollover_ft, self.next_rollover_ft,
            self.state, self.status, self.roll_state, self.manual_trigger, self.pre_roll_event,
            self.next_key_made_ft,
            self.swapped_count, len(self.records) - self.swapped_count,
        )  # fmt: skip
        pointers = b"".join(_pack_pointer(one) for one in (self.active, self.standby, self.next))
        return head + told + pointers + b"".join(self.records)

    @classmethod
    def unpack(cls, data: bytes) -> Self:
        """The inverse of `pack`. Raises DecodeError."""
        reader, path = Reader(data), "SigningKeyDescriptor"
        if reader.u32(f"{path}.Version") != _VERSION:
            raise DecodeError("version 1 wanted", 0, f"{path}.Version")
        guid = UUID(bytes_le=reader.take(16, f"{path}.Guid"))
        provider = _read_text(reader, f"{path}.pwszKeyStorageProvider")
        (
            in_directory, is_ksk, algorithm, key_bits, initial_offset_s,
            dnskey_validity_s, ds_validity_s, validity_s, rollover_type,
            rollover_period_s, next_action,
            last_rollover_ft, next_rollover_ft,
            state, status, roll_state, manual, pre_roll_event,
            next_key_made_ft, swapped_count, final_count,
        ) = _FIXED.unpack(reader.take(_FIXED.size, path))  # fmt: skip
        active, standby, following = (
            _read_pointer(reader, f"{path}.{one}") for one in ("Active", "Standby", "Next")
        )
        if swapped_count + final_count > _RECORDS_MAX:
            raise DecodeError(f"over {_RECORDS_MAX} records", reader.pos, path)
        records = tuple(_read_record(reader, path) for _ in range(swapped_count + final_count))
        reader.finish(path)
        return cls(
            guid, bool(is_ksk), algorithm, key_bits, dnskey_validity_s, ds_validity_s, validity_s,
            RolloverType(rollover_type), rollover_period_s, initial_offset_s, RolloverAction(next_action),
            last_rollover_ft, next_rollover_ft, SkdState(state), RolloverStatus(status),
            RollState(roll_state), bool(manual), pre_roll_event, next_key_made_ft,
            active=active, standby=standby, next=following, provider=provider,
            in_directory=bool(in_directory), records=records, swapped_count=swapped_count,
        )  # fmt: skip


def _pack_text(text: str) -> bytes:
    return utf16_to_wire(text) + b"\0\0"


def _read_text(reader: Reader, path: str) -> str:
    """UTF-16LE up to a NUL."""
    units = []
    while (unit := reader.take(2, path)) != b"\0\0":
        units.append(unit)
        if len(units) > _TEXT_MAX:
            raise DecodeError(f"over {_TEXT_MAX} characters", reader.pos, path)
    return utf16_from_wire(b"".join(units), path)


def _pack_pointer(pointer: KeyPointer) -> bytes:
    """Windows writes GUIDs of keys in braces and capitals."""
    text = "" if pointer.key_id is None else f"{{{pointer.key_id}}}".upper()
    return _pack_text(text) + struct.pack("<I", pointer.scope)


def _read_pointer(reader: Reader, path: str) -> KeyPointer:
    text = _read_text(reader, path)
    try:
        key_id = UUID(text) if text else None
    except ValueError:
        raise DecodeError("no GUID", reader.pos, path) from None
    return KeyPointer(key_id, KeyScope(reader.u32(path)))


def _read_record(reader: Reader, path: str) -> bytes:
    """A dnsRecord value: 24 octets and its data."""
    head = reader.take(24, f"{path}.record")
    return head + reader.take(int.from_bytes(head[:2], "little"), f"{path}.record")


# --- keys --------------------------------------------------------------------------------------------------


@register
@dataclass(frozen=True, slots=True)
class ExportedKey:
    """One value of msDNS-SigningKeys. algorithm: RSA, ECDSA_P256, ECDSA_P384. protected: the sealed pair."""

    key_id: UUID
    algorithm: str
    protected: bytes

    def pack(self) -> bytes:
        """The attribute's value."""
        name = _pack_text(self.algorithm)
        head = struct.pack("<4I", *_EXPORTED_MAGIC, len(name), len(self.protected))
        return self.key_id.bytes_le + head + name + self.protected

    @classmethod
    def unpack(cls, data: bytes) -> Self:
        """The inverse of `pack`. Raises DecodeError."""
        reader, path = Reader(data), "ExportedKeyPair"
        key_id = UUID(bytes_le=reader.take(16, f"{path}.GUID"))
        magic = (reader.u32(path), reader.u32(path))
        if magic != _EXPORTED_MAGIC:
            raise DecodeError("no exported key pair", 16, path)
        name_size, blob_size = reader.u32(path), reader.u32(path)
        if name_size > _TEXT_MAX or blob_size > _PART_MAX:
            raise DecodeError("too long", reader.pos, path)
        names = reader.window(name_size, f"{path}.AlgorithmName")
        name = _read_text(names, f"{path}.AlgorithmName")
        names.finish(f"{path}.AlgorithmName")
        protected = reader.take(blob_size, f"{path}.ProtectedKeyBlob")
        reader.finish(path)
        return cls(key_id, name, protected)


_ECS2: Final = int.from_bytes(b"ECS2", "little")
_ECS4: Final = int.from_bytes(b"ECS4", "little")
_ECK: Final = (int.from_bytes(b"ECK2", "little"), int.from_bytes(b"ECK4", "little"))
_CURVE_MAGIC: Final = {32: _ECS2, 48: _ECS4}
_RSA2: Final = int.from_bytes(b"RSA2", "little")
_NUMBER_MAX: Final = 1024


@register
@dataclass(frozen=True, slots=True)
class CurvePair:
    """ECDSA Key Pair: coordinates and the private number, of 32 or 48 octets.

    Deviation: Windows writes ECS2 and ECS4 before the numbers; ECK2, as the text has it, is read as well.
    """

    x: bytes
    y: bytes
    d: bytes = field(repr=False)

    def pack(self) -> bytes:
        """The structure."""
        size = len(self.x)
        return struct.pack("<2I", _CURVE_MAGIC[size], size) + self.x + self.y + self.d

    @classmethod
    def unpack(cls, data: bytes) -> Self:
        """The inverse of `pack`. Raises DecodeError."""
        reader, path = Reader(data), "ECDSA Key Pair"
        magic, size = reader.u32(path), reader.u32(path)
        if size not in _CURVE_MAGIC or magic not in (_CURVE_MAGIC[size], *_ECK):
            raise DecodeError("no such curve", 0, path)
        x, y, d = (reader.take(size, path) for _ in range(3))
        reader.finish(path)
        return cls(x, y, d)


@register
@dataclass(frozen=True, slots=True)
class RsaPair:
    """RSA Key Pair; numbers are big-endian."""

    exponent: bytes
    modulus: bytes
    prime1: bytes = field(repr=False)
    prime2: bytes = field(repr=False)

    def pack(self) -> bytes:
        """The structure."""
        parts = (self.exponent, self.modulus, self.prime1, self.prime2)
        return struct.pack("<6I", _RSA2, len(self.modulus) * 8, *map(len, parts)) + b"".join(parts)

    @classmethod
    def unpack(cls, data: bytes) -> Self:
        """The inverse of `pack`. Raises DecodeError."""
        reader, path = Reader(data), "RSA Key Pair"
        if reader.u32(path) != _RSA2:
            raise DecodeError("no RSA key pair", 0, path)
        bits = reader.u32(path)
        sizes = [reader.u32(path) for _ in range(4)]
        if max(sizes) > _NUMBER_MAX or bits != sizes[1] * 8:
            raise DecodeError("bad lengths", 8, path)
        parts = [reader.take(size, path) for size in sizes]
        reader.finish(path)
        return cls(*parts)
