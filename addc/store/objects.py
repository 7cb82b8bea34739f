"""Object rows: the value, its packed attributes and stamps, and the statements on them."""

import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from functools import lru_cache
from typing import Final, NamedTuple, TypedDict

from sqlalchemy import bindparam, delete, insert, select, update

from addc.base.errors import DecodeError
from addc.base.ids import AttId, Dnt, Usn
from addc.store.backend import Statement, limit_param
from addc.store.seal import Sealer
from addc.store.tables import OBJECT as T

ROOT_DNT: Final = Dnt(1)
"""The virtual root above all naming contexts."""
_NO_CLASS: Final = AttId(0)
_NO_USN: Final = Usn(0)
NO_GUID: Final = bytes(16)
"""guid of a phantom that is known by its name only."""

Values = tuple[bytes, ...]


class ObjectState(IntEnum):
    """Where a row is in the life of an object."""

    LIVE = 0
    DELETED = 1
    RECYCLED = 2
    PHANTOM = 3


class Stamp(NamedTuple):
    """When and where an attribute (or a link value) was last written.

    time_ft: FILETIME. invocation_id: 16 wire bytes of the originating DC's id.
    """

    version: int
    time_ft: int
    invocation_id: bytes
    originating_usn: Usn
    local_usn: Usn


# --- packed attributes -------------------------------------------------------------------------------------
# u8 format; n = attributes, m = values; n attribute ids u32; n value counts; m value sizes; the values.
# Format 1 has 16-bit n, m, counts and sizes, format 2 has 32-bit ones.

_NARROW: Final = 1
_WIDE: Final = 2
_NARROW_HEAD: Final = struct.Struct("<BHH")
_WIDE_HEAD: Final = struct.Struct("<BII")


@lru_cache(maxsize=2048)
def _attrs_table(narrow: bool, attributes: int, values: int) -> struct.Struct:
    width = "H" if narrow else "I"
    return struct.Struct(f"<{attributes}I{attributes}{width}{values}{width}")


def pack_attrs(attrs: Mapping[AttId, Values]) -> bytes:
    """The packed form; attributes without values are left out."""
    present = [(att, values) for att, values in attrs.items() if values]
    flat = [value for _, values in present for value in values]
    counts = [len(values) for _, values in present]
    sizes = [len(value) for value in flat]
    numbers = (*(att for att, _ in present), *counts, *sizes)
    narrow = len(flat) < 0x10000 and max(sizes, default=0) < 0x10000
    head = (
        _NARROW_HEAD.pack(_NARROW, len(present), len(flat))
        if narrow
        else _WIDE_HEAD.pack(_WIDE, len(present), len(flat))
    )
    return b"".join((head, _attrs_table(narrow, len(present), len(flat)).pack(*numbers), *flat))


def unpack_attrs(data: bytes) -> dict[AttId, Values]:
    """The values by attribute; DecodeError unless the bytes are exactly a packed form."""
    narrow = data[:1] == b"\x01"
    head = _NARROW_HEAD if narrow else _WIDE_HEAD
    if len(data) < head.size or data[0] not in (_NARROW, _WIDE):
        raise DecodeError("not packed attributes", 0, "attrs")
    _, count, total = head.unpack_from(data)
    width = 2 if narrow else 4
    pos = head.size + count * (4 + width) + total * width
    if pos > len(data):
        raise DecodeError("attribute table passes the end", head.size, "attrs")
    numbers = _attrs_table(narrow, count, total).unpack_from(data, head.size)
    counts = numbers[count : 2 * count]
    if sum(counts) != total or pos + sum(numbers[2 * count :]) != len(data):
        raise DecodeError("attribute table does not fit the values", head.size, "attrs")
    out: dict[AttId, Values] = {}
    at = 2 * count
    for att, values in zip(numbers, counts, strict=False):
        if values == 1:
            end = pos + numbers[at]
            out[att] = (data[pos:end],)
            pos = end
        else:
            held = []
            for size in numbers[at : at + values]:
                held.append(data[pos : pos + size])
                pos += size
            out[att] = tuple(held)
        at += values
    return out


# --- packed stamps -----------------------------------------------------------------------------------------
# u8 format (1; 2 where a local USN differs from the originating one), u8 invocation ids k, u16 stamps n;
# k ids of 16 bytes; n attribute ids u32, n versions u32, n id numbers u8, n times i64, n originating USNs
# i64, in format 2 also n local USNs i64.

_STAMPS_HEAD: Final = struct.Struct("<BBH")
_INVOCATIONS_MAX: Final = 255


@lru_cache(maxsize=1024)
def _stamps_table(stamps: int, both_usns: bool) -> struct.Struct:
    return struct.Struct(f"<{stamps}I{stamps}I{stamps}B{stamps * (3 if both_usns else 2)}q")


def pack_meta(meta: Mapping[AttId, Stamp]) -> bytes:
    """The packed form of an object's stamps."""
    stamps = meta.values()
    ids = list(dict.fromkeys(stamp.invocation_id for stamp in stamps))
    assert len(ids) <= _INVOCATIONS_MAX and all(len(one) == 16 for one in ids)
    numbers = {one: number for number, one in enumerate(ids)}
    both = any(stamp.local_usn != stamp.originating_usn for stamp in stamps)
    table = _stamps_table(len(meta), both).pack(
        *meta,
        *[stamp.version for stamp in stamps],
        *[numbers[stamp.invocation_id] for stamp in stamps],
        *[stamp.time_ft for stamp in stamps],
        *[stamp.originating_usn for stamp in stamps],
        *([stamp.local_usn for stamp in stamps] if both else ()),
    )
    return b"".join((_STAMPS_HEAD.pack(2 if both else 1, len(ids), len(meta)), *ids, table))


def unpack_meta(data: bytes) -> dict[AttId, Stamp]:
    """The stamps by attribute; DecodeError unless the bytes are exactly a packed form."""
    if len(data) < _STAMPS_HEAD.size:
        raise DecodeError("not packed stamps", 0, "meta")
    form, known, count = _STAMPS_HEAD.unpack_from(data)
    at = _STAMPS_HEAD.size + 16 * known
    if form not in (1, 2) or len(data) != at + count * (33 if form == 2 else 25):
        raise DecodeError("not packed stamps", 0, "meta")
    ids = [data[pos : pos + 16] for pos in range(_STAMPS_HEAD.size, at, 16)]
    n = _stamps_table(count, form == 2).unpack_from(data, at)
    try:
        invocations = [ids[number] for number in n[2 * count : 3 * count]]
    except IndexError:
        raise DecodeError("stamp of an unknown invocation id", at, "meta") from None
    originating = n[4 * count : 5 * count]
    local = n[5 * count :] if form == 2 else originating
    rest = zip(n[count : 2 * count], n[3 * count : 4 * count], invocations, originating, local, strict=True)
    return dict(zip(n[:count], map(Stamp._make, rest), strict=True))


# --- the row -----------------------------------------------------------------------------------------------

ObjectTuple = tuple[
    int, int, int, bytes | None, bytes | None, int, bytes, bytes, int, int, int, int, int, int,
    bytes, bytes, bytes,
]  # fmt: skip
"""A row of the table, in the order of its columns."""

_STATES: Final = tuple(ObjectState)


class RowContext(NamedTuple):
    """What a row needs to read its secrets."""

    sealer: Sealer
    secret_atts: frozenset[AttId]


class ObjectRow:
    """One object as some snapshot has it; treat everything in it as immutable.

    attrs and meta are unpacked when first asked for. path: dnts from the root to this row, 8 bytes each.
    seen: number of the commit at which the row was read (for the cache).
    """

    __slots__ = (
        "_attrs", "_context", "_meta", "attrs_packed", "class_id", "dnt", "guid", "instance_type",
        "meta_packed", "nc", "parent", "path", "rdn", "rdn_att", "rdn_key", "sd_id", "seen", "sid", "state",
        "usn_changed", "usn_created",
    )  # fmt: skip

    dnt: Dnt
    parent: Dnt
    nc: Dnt
    guid: bytes
    sid: bytes | None
    rdn_att: AttId
    rdn: str
    rdn_key: bytes
    instance_type: int
    state: ObjectState
    class_id: AttId
    sd_id: int
    usn_created: Usn
    usn_changed: Usn
    path: bytes
    attrs_packed: bytes
    meta_packed: bytes
    seen: int

    def __init__(self, row: ObjectTuple, context: RowContext, seen: int) -> None:
        (
            self.dnt, self.parent, self.nc, guid, self.sid, self.rdn_att, rdn, self.rdn_key,
            self.instance_type, state, self.class_id, self.sd_id, self.usn_created, self.usn_changed,
            self.path, self.attrs_packed, self.meta_packed,
        ) = row  # type: ignore[assignment]  # fmt: skip
        self.guid = guid or NO_GUID
        self.rdn = rdn.decode("utf-8", "surrogatepass")
        self.state = _STATES[state]
        self.seen = seen
        self._context = context
        self._attrs: dict[AttId, Values] | None = None
        self._meta: dict[AttId, Stamp] | None = None

    @property
    def attrs(self) -> dict[AttId, Values]:
        """All stored attributes; secrets are opened here."""
        attrs = self._attrs
        if attrs is None:
            attrs = unpack_attrs(self.attrs_packed)
            sealer, secret_atts = self._context
            if not secret_atts.isdisjoint(attrs):
                guid = self.guid
                for att in secret_atts.intersection(attrs):
                    attrs[att] = tuple([sealer.open(guid, att, value) for value in attrs[att]])
            self._attrs = attrs
        return attrs

    @property
    def meta(self) -> dict[AttId, Stamp]:
        meta = self._meta
        if meta is None:
            meta = self._meta = unpack_meta(self.meta_packed)
        return meta

    @property
    def is_deleted(self) -> bool:
        """Deleted or recycled."""
        return self.state in (ObjectState.DELETED, ObjectState.RECYCLED)

    def to_tuple(self) -> ObjectTuple:
        return (
            self.dnt, self.parent, self.nc, None if self.guid == NO_GUID else self.guid, self.sid,
            self.rdn_att, self.rdn.encode("utf-8", "surrogatepass"), self.rdn_key, self.instance_type,
            int(self.state), self.class_id, self.sd_id, self.usn_created, self.usn_changed, self.path,
            self.attrs_packed, self.meta_packed,
        )  # fmt: skip

    def __repr__(self) -> str:
        return f"ObjectRow(dnt={self.dnt}, parent={self.parent}, rdn={self.rdn!r}, state={self.state.name})"


ROOT_ROW: Final[ObjectTuple] = (
    ROOT_DNT, 0, 0, None, None, 0, b"", b"", 0, int(ObjectState.PHANTOM), 0, 0, 0, 0,
    ROOT_DNT.to_bytes(8, "big"), pack_attrs({}), pack_meta({}),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class NewObject:
    """What `insert` needs. nc: 0 makes the row the head of its own naming context."""

    parent: Dnt
    nc: Dnt
    rdn_att: AttId
    rdn: str
    rdn_key: bytes
    guid: bytes = NO_GUID
    sid: bytes | None = None
    instance_type: int = 0
    state: ObjectState = ObjectState.LIVE
    class_id: AttId = _NO_CLASS
    sd_id: int = 0
    usn_created: Usn = _NO_USN
    usn_changed: Usn = _NO_USN
    attrs: Mapping[AttId, Values] = field(default_factory=dict)
    meta: Mapping[AttId, Stamp] = field(default_factory=dict)
    index: Mapping[AttId, Iterable[bytes]] = field(default_factory=dict)


class RowChange(TypedDict, total=False):
    """What `update` may change; attrs and meta replace the whole map."""

    nc: Dnt
    guid: bytes
    sid: bytes | None
    rdn_att: AttId
    rdn: str
    rdn_key: bytes
    instance_type: int
    state: ObjectState
    class_id: AttId
    sd_id: int
    usn_created: Usn
    usn_changed: Usn
    attrs: Mapping[AttId, Values]
    meta: Mapping[AttId, Stamp]


def seal_attrs(
    attrs: Mapping[AttId, Values], guid: bytes, context: RowContext, before: ObjectRow | None = None
) -> bytes:
    """The packed form with secrets sealed.

    before: the row as it was; a secret that did not change keeps its sealed bytes, so that no key ever sees
    more nonces than secrets were set.
    """
    sealer, secret_atts = context
    if secret_atts.isdisjoint(attrs):
        return pack_attrs(attrs)
    old: Mapping[AttId, Values] = {}
    sealed: Mapping[AttId, Values] = {}
    if before is not None and before.guid == guid:
        old, sealed = before.attrs, unpack_attrs(before.attrs_packed)
    out = dict(attrs)
    for att in secret_atts.intersection(attrs):
        values = attrs[att]
        if values and att in sealed and old[att] == values:
            out[att] = sealed[att]
        else:
            out[att] = tuple([sealer.seal(guid, att, value) for value in values])
    return pack_attrs(out)


def path_end(path: bytes) -> bytes:
    """The least path above all that begin with `path`."""
    return path[:-8] + (int.from_bytes(path[-8:], "big") + 1).to_bytes(8, "big")


def path_before(path: bytes) -> bytes:
    """A byte string below `path` with no other path between them."""
    return path[:-8] + (int.from_bytes(path[-8:], "big") - 1).to_bytes(8, "big") + b"\xff"


def path_dnts(path: bytes) -> list[Dnt]:
    """The rows of a path, root first."""
    return [Dnt(number) for number in struct.unpack(f">{len(path) // 8}Q", path)]


# --- statements --------------------------------------------------------------------------------------------

BATCH: Final = 32
"""Rows that GET_BATCH asks for at once; unused places hold dnt 0, which no row has."""

_NAMES: Final = tuple(column.name for column in T.c)
GET: Final[Statement[ObjectTuple]] = Statement(select(T).where(T.c.dnt == bindparam("row")), "row")
GET_BATCH: Final[Statement[ObjectTuple]] = Statement(
    select(T).where(
        T.c.dnt.in_([bindparam(f"row{number}", 0, type_=T.c.dnt.type) for number in range(BATCH)])
    ),
    *[f"row{number}" for number in range(BATCH)],
)
GET_SPAN: Final[Statement[ObjectTuple]] = Statement(
    select(T).where(T.c.dnt >= bindparam("low"), T.c.dnt <= bindparam("high")), "low", "high"
)
"""Rows that stand side by side, as the members of one container often do."""
BY_GUID: Final[Statement[ObjectTuple]] = Statement(
    select(T).where(T.c.guid == bindparam("row_guid")), "row_guid"
)
BY_SID: Final[Statement[tuple[int]]] = Statement(
    select(T.c.dnt).where(T.c.sid == bindparam("row_sid")).order_by(T.c.dnt), "row_sid"
)
CHILD: Final[Statement[ObjectTuple]] = Statement(
    select(T).where(T.c.parent == bindparam("above"), T.c.rdn_key == bindparam("name")), "above", "name"
)
CHILDREN: Final[Statement[tuple[bytes, int]]] = Statement(
    select(T.c.rdn_key, T.c.dnt)
    .where(T.c.parent == bindparam("above"), T.c.rdn_key > bindparam("after"))
    .order_by(T.c.rdn_key)
    .limit(limit_param()),
    "above", "after", "limit",
)  # fmt: skip
SUBTREE: Final[Statement[tuple[bytes, int]]] = Statement(
    select(T.c.path, T.c.nc)
    .where(T.c.path > bindparam("after"), T.c.path < bindparam("end"))
    .order_by(T.c.path)
    .limit(limit_param()),
    "after", "end", "limit",
)  # fmt: skip
PATHS: Final[Statement[tuple[bytes]]] = Statement(
    select(T.c.path)
    .where(T.c.path > bindparam("after"), T.c.path < bindparam("end"))
    .order_by(T.c.path)
    .limit(limit_param()),
    "after", "end", "limit",
)  # fmt: skip
"""Answered by the index alone."""
CHANGES: Final[Statement[tuple[int, int]]] = Statement(
    select(T.c.usn_changed, T.c.dnt)
    .where(T.c.nc == bindparam("context"), T.c.usn_changed > bindparam("after"))
    .order_by(T.c.usn_changed, T.c.dnt)
    .limit(limit_param()),
    "context", "after", "limit",
)  # fmt: skip
INSERT: Final[Statement[None]] = Statement(insert(T), *_NAMES)
_SET: Final = tuple(name for name in _NAMES if name != "dnt")
UPDATE: Final[Statement[None]] = Statement(
    update(T)
    .values({name: bindparam(f"new_{name}", type_=T.c[name].type) for name in _SET})
    .where(T.c.dnt == bindparam("row")),
    *[f"new_{name}" for name in _SET], "row",
)  # fmt: skip
SET_PATH: Final[Statement[None]] = Statement(
    update(T)
    .values(nc=bindparam("new_nc"), path=bindparam("new_path"))
    .where(T.c.dnt == bindparam("row")),
    "new_nc", "new_path", "row",
)  # fmt: skip
DELETE: Final[Statement[None]] = Statement(delete(T).where(T.c.dnt == bindparam("row")), "row")
