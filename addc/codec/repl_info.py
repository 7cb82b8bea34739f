"""Replication state as LDAP clients read it: each structure once, printed as XML or packed.

Spec: [MS-ADTS] 3.1.1.4.5.13, 3.1.1.4.5.14, 2.2.2, 2.2.6, 2.2.7, 2.2.8; [MS-DRSR] 4.1.13.1.
"""

import struct
from dataclasses import dataclass
from enum import Enum
from typing import Final
from uuid import UUID
from xml.sax.saxutils import escape

from addc.base.clock import FileTime
from addc.codec.text import utf16_to_wire
from addc.codec.times import format_generalized

_NEVER: Final = "1601-01-01T00:00:00Z"


class Kind(Enum):
    """What a field of such a structure holds; the value is its struct format."""

    DWORD = "I"
    INT64 = "Q"
    TIME = "Q "
    GUID = "16s"
    STRING = "I "
    SIZE = "I  "
    BYTES = "I   "


@dataclass(frozen=True, slots=True)
class Layout:
    """A structure: its XML element and its fields in the order of the XML.

    packed: the fields in the order of the packed form, without the variable part.
    Deviation: the elements are named without "_2", as Windows writes them and PowerShell reads them.
    """

    element: str
    fields: tuple[tuple[str, Kind], ...]
    packed: tuple[str, ...]


Record = dict[str, int | str | bytes]
"""Values by field name: numbers, FILETIMEs, strings, GUIDs as 16 wire bytes."""

_ORIGIN: Final = (
    ("dwVersion", Kind.DWORD),
    ("ftimeLastOriginatingChange", Kind.TIME),
    ("uuidLastOriginatingDsaInvocationID", Kind.GUID),
    ("usnOriginatingChange", Kind.INT64),
    ("usnLocalChange", Kind.INT64),
    ("pszLastOriginatingDsaDN", Kind.STRING),
)
_ORIGIN_NAMES: Final = tuple(name for name, _ in _ORIGIN)

ATTR_META_DATA: Final = Layout(
    "DS_REPL_ATTR_META_DATA",
    (("pszAttributeName", Kind.STRING), *_ORIGIN),
    ("pszAttributeName", *_ORIGIN_NAMES),
)
VALUE_META_DATA: Final = Layout(
    "DS_REPL_VALUE_META_DATA",
    (
        ("pszAttributeName", Kind.STRING),
        ("pszObjectDn", Kind.STRING),
        ("cbData", Kind.SIZE),
        ("pbData", Kind.BYTES),
        ("ftimeDeleted", Kind.TIME),
        ("ftimeCreated", Kind.TIME),
        *_ORIGIN,
    ),
    ("pszAttributeName", "pszObjectDn", "cbData", "pbData", "ftimeDeleted", "ftimeCreated", *_ORIGIN_NAMES),
)
CURSOR: Final = Layout(
    "DS_REPL_CURSOR",
    (
        ("uuidSourceDsaInvocationID", Kind.GUID),
        ("usnAttributeFilter", Kind.INT64),
        ("ftimeLastSyncSuccess", Kind.TIME),
        ("pszSourceDsaDN", Kind.STRING),
    ),
    ("uuidSourceDsaInvocationID", "usnAttributeFilter", "ftimeLastSyncSuccess", "pszSourceDsaDN"),
)
_NEIGHBOR: Final = (
    ("pszNamingContext", Kind.STRING),
    ("pszSourceDsaDN", Kind.STRING),
    ("pszSourceDsaAddress", Kind.STRING),
    ("pszAsyncIntersiteTransportDN", Kind.STRING),
    ("dwReplicaFlags", Kind.DWORD),
    ("dwReserved", Kind.DWORD),
    ("uuidNamingContextObjGuid", Kind.GUID),
    ("uuidSourceDsaObjGuid", Kind.GUID),
    ("uuidSourceDsaInvocationID", Kind.GUID),
    ("uuidAsyncIntersiteTransportObjGuid", Kind.GUID),
    ("usnLastObjChangeSynced", Kind.INT64),
    ("usnAttributeFilter", Kind.INT64),
    ("ftimeLastSyncSuccess", Kind.TIME),
    ("ftimeLastSyncAttempt", Kind.TIME),
    ("dwLastSyncResult", Kind.DWORD),
    ("cNumConsecutiveSyncFailures", Kind.DWORD),
)
NEIGHBOR: Final = Layout("DS_REPL_NEIGHBOR", _NEIGHBOR, tuple(name for name, _ in _NEIGHBOR))


def when(when_ft: int) -> str:
    """A FILETIME as XML dateTime."""
    if not when_ft:
        return _NEVER
    text = format_generalized(FileTime(when_ft)).decode()
    return f"{text[:4]}-{text[4:6]}-{text[6:8]}T{text[8:10]}:{text[10:12]}:{text[12:14]}Z"


def _printed(kind: Kind, value: int | str | bytes) -> str:
    if kind is Kind.TIME:
        assert isinstance(value, int)
        return when(value)
    if kind is Kind.GUID:
        assert isinstance(value, bytes)
        return str(UUID(bytes_le=value))
    if isinstance(value, bytes):
        return value.hex().upper()
    return escape(str(value))


def xml(layout: Layout, record: Record) -> bytes:
    """The record as XML; the text ends with a null character."""
    inner = "".join(f"\t<{name}>{_printed(kind, record[name])}</{name}>\n" for name, kind in layout.fields)
    return f"<{layout.element}>\n{inner}</{layout.element}>\n\0".encode()


def packed(layout: Layout, record: Record) -> bytes:
    """The record as *_BLOB: fixed fields, then strings and bytes, which the offsets point at.

    An offset of 0 stands for a string that there is none of.
    """
    kinds = dict(layout.fields)
    form = struct.Struct("<" + "".join(kinds[name].value for name in layout.packed))
    variable = bytearray()
    fixed: list[int | bytes] = []
    for name in layout.packed:
        value = record[name]
        if kinds[name] not in (Kind.STRING, Kind.BYTES):
            assert not isinstance(value, str)
            fixed.append(value)
            continue
        data = utf16_to_wire(value + "\0") if isinstance(value, str) and value else value
        if not data:
            fixed.append(0)
            continue
        assert isinstance(data, bytes)
        fixed.append(form.size + len(variable))
        variable += data + bytes(-len(data) % 4)
    return form.pack(*fixed) + bytes(variable)


def written(layout: Layout, record: Record, *, binary: bool) -> bytes:
    """The record in the form that the client asked for."""
    return packed(layout, record) if binary else xml(layout, record)
