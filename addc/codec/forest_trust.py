"""msDS-TrustForestTrustInfo: the names and SIDs that a trusted forest claims.

Records are not aligned; each begins where the one before it ends.

Spec: [MS-ADTS] 6.1.6.9.3, 6.1.6.9.3.1.
"""

from dataclasses import dataclass
from enum import IntEnum, IntFlag
from typing import Final, Self

from addc.base.clock import FileTime
from addc.base.errors import DecodeError
from addc.codec.cursor import Reader, Writer
from addc.codec.declare import register
from addc.codec.ids import Sid

RECORDS_MAX: Final = 4000
"""What [MS-LSAD] 2.2.7.25 lets a trust have."""
_PATH: Final = "msDS-TrustForestTrustInfo"


class RecordType(IntEnum):
    """RecordType."""

    TOP_LEVEL_NAME = 0
    TOP_LEVEL_NAME_EX = 1
    DOMAIN_INFO = 2
    BINARY_INFO = 3
    SCANNER_INFO = 4


class TopLevelFlags(IntFlag):
    """Flags of top-level names and their exclusions; any of them takes the name out of use."""

    DISABLED_NEW = 0x1
    DISABLED_ADMIN = 0x2
    DISABLED_CONFLICT = 0x4


class DomainFlags(IntFlag):
    """Flags of domain records."""

    SID_DISABLED_ADMIN = 0x1
    SID_DISABLED_CONFLICT = 0x2
    NETBIOS_DISABLED_ADMIN = 0x4
    NETBIOS_DISABLED_CONFLICT = 0x8


_DISABLED: Final = 0xFFFF
"""LSA_FTRECORD_DISABLED_REASONS."""
_SID_DISABLED: Final = int(DomainFlags.SID_DISABLED_ADMIN | DomainFlags.SID_DISABLED_CONFLICT)


@dataclass(frozen=True, slots=True)
class TopLevelName:
    """A name that the forest claims with everything below it, or one that is excepted from such a claim."""

    name: str
    excluded: bool = False
    flags: int = 0
    timestamp: FileTime = FileTime(0)  # noqa: RUF009 - a number

    @property
    def enabled(self) -> bool:
        return not self.flags & _DISABLED


@dataclass(frozen=True, slots=True)
class DomainInfo:
    """A domain of the forest. scanned: found by the PDC's search of the partner, not yet in force."""

    sid: Sid | None
    dns_name: str
    netbios_name: str
    scanned: bool = False
    flags: int = 0
    timestamp: FileTime = FileTime(0)  # noqa: RUF009 - a number

    @property
    def enabled(self) -> bool:
        """Whether SIDs and DNS names of the domain are let through."""
        return not self.scanned and not self.flags & _SID_DISABLED


@dataclass(frozen=True, slots=True)
class OtherRecord:
    """A record whose meaning is not defined here, kept as it is. record_type: none of those above."""

    record_type: int
    sub_type: int
    data: bytes
    flags: int = 0
    timestamp: FileTime = FileTime(0)  # noqa: RUF009 - a number


Record = TopLevelName | DomainInfo | OtherRecord


@register
@dataclass(frozen=True, slots=True)
class ForestTrustInfo:
    """All records, in order."""

    records: tuple[Record, ...] = ()

    @property
    def names(self) -> tuple[TopLevelName, ...]:
        return tuple(one for one in self.records if isinstance(one, TopLevelName))

    @property
    def domains(self) -> tuple[DomainInfo, ...]:
        return tuple(one for one in self.records if isinstance(one, DomainInfo))

    def pack(self) -> bytes:
        out = Writer()
        out.u32(1)
        out.u32(len(self.records))
        for record in self.records:
            body = _pack(record)
            out.u32(len(body))
            out.put(body)
        return out.bytes()

    @classmethod
    def unpack(cls, data: bytes) -> Self:
        reader = Reader(data)
        if reader.u32(f"{_PATH}.Version") != 1:
            raise DecodeError("version 1 wanted", 0, f"{_PATH}.Version")
        count = reader.u32(f"{_PATH}.RecordCount")
        if count > RECORDS_MAX:
            raise DecodeError(f"over {RECORDS_MAX} records", 4, f"{_PATH}.RecordCount")
        records = []
        for _ in range(count):
            size = reader.u32(f"{_PATH}.RecordLen")
            records.append(_read(reader.window(size, f"{_PATH}.Record")))
        reader.finish(_PATH)
        return cls(tuple(records))


def _pack(record: Record) -> bytes:
    out = Writer()
    out.u32(record.flags)
    out.u64(record.timestamp)
    match record:
        case TopLevelName():
            out.u8(RecordType.TOP_LEVEL_NAME_EX if record.excluded else RecordType.TOP_LEVEL_NAME)
            _put_text(out, record.name)
        case DomainInfo(scanned=False):
            out.u8(RecordType.DOMAIN_INFO)
            _put_domain(out, record)
        case DomainInfo():
            out.u8(RecordType.SCANNER_INFO)
            inner = Writer()
            inner.u8(RecordType.SCANNER_INFO)
            _put_domain(inner, record)
            _put_sized(out, inner.bytes())
        case OtherRecord():
            out.u8(record.record_type)
            _put_sized(out, bytes((record.sub_type,)) + record.data)
    return out.bytes()


def _put_sized(out: Writer, data: bytes) -> None:
    out.u32(len(data))
    out.put(data)


def _put_text(out: Writer, text: str) -> None:
    _put_sized(out, text.encode("utf-8"))


def _put_domain(out: Writer, domain: DomainInfo) -> None:
    _put_sized(out, domain.sid or b"")
    _put_text(out, domain.dns_name)
    _put_text(out, domain.netbios_name)


def _read(reader: Reader) -> Record:
    flags = reader.u32(f"{_PATH}.Flags")
    when = FileTime(reader.u64(f"{_PATH}.Timestamp"))
    kind = reader.u8(f"{_PATH}.RecordType")
    record: Record
    if kind in (RecordType.TOP_LEVEL_NAME, RecordType.TOP_LEVEL_NAME_EX):
        name = _text(reader, f"{_PATH}.Name")
        record = TopLevelName(name, kind == RecordType.TOP_LEVEL_NAME_EX, flags, when)
    elif kind == RecordType.DOMAIN_INFO:
        record = _domain(reader, False, flags, when)
    else:
        inner = reader.window(reader.u32(f"{_PATH}.BinaryDataLen"), f"{_PATH}.BinaryData")
        sub_type = inner.u8(f"{_PATH}.SubRecordType")
        if kind == RecordType.SCANNER_INFO and sub_type == RecordType.SCANNER_INFO:
            record = _domain(inner, True, flags, when)
            inner.finish(f"{_PATH}.BinaryData")
        else:
            record = OtherRecord(
                kind, sub_type, inner.take(inner.remaining(), f"{_PATH}.BinaryData"), flags, when
            )
    reader.finish(f"{_PATH}.Record")
    return record


def _domain(reader: Reader, scanned: bool, flags: int, when: FileTime) -> DomainInfo:
    sid = reader.take(reader.u32(f"{_PATH}.SidLen"), f"{_PATH}.Sid")
    dns_name = _text(reader, f"{_PATH}.DnsName")
    return DomainInfo(
        Sid.of(sid) if sid else None, dns_name, _text(reader, f"{_PATH}.NetbiosName"), scanned, flags, when
    )


def _text(reader: Reader, path: str) -> str:
    raw = reader.take(reader.u32(path), path)
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        raise DecodeError("not UTF-8", -1, path) from None
