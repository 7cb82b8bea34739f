"""SYSVOL's files and folders as rows: their statements, and content in chunks that are stored once.

A chunk is CHUNK_SIZE octets of a file from a multiple of that on; trailing octets that a chunk lacks, and
chunks that are not there, read as zeros. A write touches only the chunks that it changes.
"""

import struct
from collections.abc import Iterable
from hashlib import sha256
from typing import Final, NamedTuple

from sqlalchemy import ColumnElement, bindparam, delete, func, insert, select, update

from addc.store.backend import ALL, Statement, limit_param
from addc.store.tables import CHUNK, EXTENT
from addc.store.tables import FILE as T
from addc.store.tx import ReadTx, WriteTx

CHUNK_SIZE: Final = 65_536
LIVE: Final = 0
REMOVED: Final = 1
NOWHERE: Final = 0
"""parent of the root."""
FILES_STATE: Final = "files"
"""Named state: the last commit that changed anything here, and the octets that all chunks have."""

_TOTALS: Final = struct.Struct(">QQ")
_ZEROS: Final = bytes(CHUNK_SIZE)


class FileRow(NamedTuple):
    """A file or folder. key: its name as names are compared. A removed one keeps its row for partners.

    name: UTF-8. *_ft: FILETIME. From usn_created on: USNs of this database, then the stamp as attributes
    of objects have one.
    """

    node: int
    parent: int
    key: bytes
    name: bytes
    guid: bytes
    state: int
    attributes: int
    size: int
    created_ft: int
    accessed_ft: int
    written_ft: int
    changed_ft: int
    sd_id: int
    usn_created: int
    usn_changed: int
    version: int
    time_ft: int
    invocation_id: bytes
    originating_usn: int


FileTuple = tuple[
    int, int, bytes, bytes, bytes, int, int, int, int, int, int, int, int, int, int, int, int, bytes, int
]
_NAMES: Final = tuple(column.name for column in T.columns)
assert _NAMES == FileRow._fields

_LIVE_ONES: Final = T.c.state == bindparam("live")
_GET: Final[Statement[FileTuple]] = Statement(select(T).where(T.c.node == bindparam("row")), "row")
_BY_KEY: Final[Statement[FileTuple]] = Statement(
    select(T).where(T.c.parent == bindparam("above"), T.c.key == bindparam("k")), "above", "k"
)
_CHILDREN: Final[Statement[FileTuple]] = Statement(
    select(T)
    .where(T.c.parent == bindparam("above"), T.c.key > bindparam("after"), _LIVE_ONES)
    .order_by(T.c.key)
    .limit(limit_param()),
    "above", "after", "live", "limit",
)  # fmt: skip
_CHANGED: Final[Statement[FileTuple]] = Statement(
    select(T).where(T.c.usn_changed > bindparam("after")).order_by(T.c.usn_changed).limit(limit_param()),
    "after", "limit",
)  # fmt: skip
_AFTER: Final[Statement[FileTuple]] = Statement(
    select(T).where(T.c.node > bindparam("after")).order_by(T.c.node).limit(limit_param()), "after", "limit"
)
_FORGOTTEN: Final[Statement[tuple[int]]] = Statement(
    select(T.c.node)
    .where(T.c.state == bindparam("gone"), T.c.time_ft < bindparam("before"))
    .limit(limit_param()),
    "gone", "before", "limit",
)  # fmt: skip
_INSERT: Final[Statement[None]] = Statement(insert(T), *_NAMES)
_CHANGEABLE: Final = _NAMES[1:]
_UPDATE: Final[Statement[None]] = Statement(
    update(T)
    .values({name: bindparam(f"new_{name}") for name in _CHANGEABLE})
    .where(T.c.node == bindparam("row")),
    *(f"new_{name}" for name in _CHANGEABLE), "row",
)  # fmt: skip
_DELETE: Final[Statement[None]] = Statement(delete(T).where(T.c.node == bindparam("row")), "row")

_SPAN: Final[tuple[ColumnElement[bool], ...]] = (
    EXTENT.c.node == bindparam("row"),
    EXTENT.c.number >= bindparam("low"),
    EXTENT.c.number <= bindparam("high"),
)
_CONTENT: Final[Statement[tuple[int, bytes]]] = Statement(
    select(EXTENT.c.number, CHUNK.c.data)
    .join(CHUNK, CHUNK.c.hash == EXTENT.c.hash)
    .where(*_SPAN)
    .order_by(EXTENT.c.number),
    "row", "low", "high",
)  # fmt: skip
_EXTENTS: Final[Statement[tuple[int, bytes]]] = Statement(
    select(EXTENT.c.number, EXTENT.c.hash).where(*_SPAN), "row", "low", "high"
)
_PUT_EXTENT: Final[Statement[None]] = Statement(insert(EXTENT), "node", "number", "hash")
_SET_EXTENT: Final[Statement[None]] = Statement(
    update(EXTENT)
    .values(hash=bindparam("new"))
    .where(EXTENT.c.node == bindparam("row"), EXTENT.c.number == bindparam("n")),
    "new", "row", "n",
)  # fmt: skip
_DROP_EXTENT: Final[Statement[None]] = Statement(
    delete(EXTENT).where(EXTENT.c.node == bindparam("row"), EXTENT.c.number == bindparam("n")), "row", "n"
)
_USES: Final[Statement[tuple[int, int]]] = Statement(
    select(CHUNK.c.uses, CHUNK.c.size).where(CHUNK.c.hash == bindparam("h")), "h"
)
_SET_USES: Final[Statement[None]] = Statement(
    update(CHUNK).values(uses=CHUNK.c.uses + bindparam("more")).where(CHUNK.c.hash == bindparam("h")),
    "more", "h",
)  # fmt: skip
_PUT_CHUNK: Final[Statement[None]] = Statement(insert(CHUNK), "hash", "uses", "size", "data")
_DROP_CHUNK: Final[Statement[None]] = Statement(delete(CHUNK).where(CHUNK.c.hash == bindparam("h")), "h")


# --- rows --------------------------------------------------------------------------------------------------


def get(tx: ReadTx, node: int) -> FileRow | None:
    """A row, live or removed."""
    found = tx.ask(_GET, (node,))
    return FileRow._make(found[0]) if found else None


def child(tx: ReadTx, parent: int, key: bytes) -> FileRow | None:
    """The row of that name in a folder."""
    found = tx.ask(_BY_KEY, (parent, key))
    return FileRow._make(found[0]) if found else None


def children(tx: ReadTx, parent: int, after: bytes = b"", limit: int = ALL) -> list[FileRow]:
    """What a folder holds by key, from behind the key `after` on."""
    return [FileRow._make(one) for one in tx.ask(_CHILDREN, (parent, after, LIVE, limit))]


def changed(tx: ReadTx, after_usn: int, limit: int = ALL) -> list[FileRow]:
    """Rows that changed after a USN, removed ones too, oldest change first."""
    return [FileRow._make(one) for one in tx.ask(_CHANGED, (after_usn, limit))]


def rows_after(tx: ReadTx, after: int, limit: int) -> list[FileRow]:
    """All rows, removed ones too, in the order of their ids."""
    return [FileRow._make(one) for one in tx.ask(_AFTER, (after, limit))]


def removed_before(tx: ReadTx, before_ft: int, limit: int) -> list[int]:
    """Rows of what was removed before a time."""
    return [node for (node,) in tx.ask(_FORGOTTEN, (REMOVED, before_ft, limit))]


def insert_row(tx: WriteTx, row: FileRow) -> None:
    tx.change_later(_INSERT, (row,))
    _note(tx, 0)


def update_row(tx: WriteTx, row: FileRow) -> None:
    """Write all columns of a row."""
    tx.change(_UPDATE, (*row[1:], row.node))
    _note(tx, 0)


def forget(tx: WriteTx, node: int) -> None:
    """Take a removed row away for good."""
    tx.change(_DELETE, (node,))


# --- totals ------------------------------------------------------------------------------------------------


def totals(tx: ReadTx) -> tuple[int, int]:
    """The last commit that changed anything, and the octets that all chunks have."""
    found = tx.state(FILES_STATE)
    if found is None:
        return 0, 0
    seq, used = _TOTALS.unpack(found)
    return seq, used


def _note(tx: WriteTx, more: int) -> None:
    """This transaction changed something; more: octets that chunks grew by."""
    seq, used = totals(tx)
    if more or seq != tx.seq + 1:
        tx.set_state(FILES_STATE, _TOTALS.pack(tx.seq + 1, max(used + more, 0)))


# --- content -----------------------------------------------------------------------------------------------


def read(tx: ReadTx, node: int, offset: int, size: int) -> bytes:
    """`size` octets from `offset` on; the caller has seen to it that the file has them."""
    if size <= 0:
        return b""
    low, high = offset // CHUNK_SIZE, (offset + size - 1) // CHUNK_SIZE
    found = tx.ask(_CONTENT, (node, low, high))
    if low == high:
        data = found[0][1] if found else b""
        start = offset - low * CHUNK_SIZE
        part = data[start : start + size]
        return part if len(part) == size else part.ljust(size, b"\0")
    held = bytearray((high - low + 1) * CHUNK_SIZE)
    for number, data in found:
        start = (number - low) * CHUNK_SIZE
        held[start : start + len(data)] = data
    start = offset - low * CHUNK_SIZE
    return bytes(memoryview(held)[start : start + size])


def write(tx: WriteTx, node: int, offset: int, data: bytes | memoryview) -> None:
    """Put `data` at `offset`."""
    view = memoryview(data)
    size = len(view)
    if not size:
        return
    low, high = offset // CHUNK_SIZE, (offset + size - 1) // CHUNK_SIZE
    new: dict[int, bytes] = {}
    for number in range(low, high + 1):
        start = number * CHUNK_SIZE - offset
        part = view[max(start, 0) : start + CHUNK_SIZE]
        if len(part) < CHUNK_SIZE:
            within = max(-start, 0)
            new[number] = _patched(_chunk(tx, node, number), within, part)
        else:
            new[number] = bytes(part)
    _put(tx, node, new)


def cut(tx: WriteTx, node: int, size: int) -> None:
    """Forget all octets from `size` on."""
    last, rest = divmod(size, CHUNK_SIZE)
    gone = [number for number, _ in tx.ask(_EXTENTS, (node, last + (1 if rest else 0), ALL))]
    new: dict[int, bytes] = dict.fromkeys(gone, b"")
    if rest:
        held = _chunk(tx, node, last)
        if len(held) > rest:
            new[last] = held[:rest]
    _put(tx, node, new)


def _chunk(tx: ReadTx, node: int, number: int) -> bytes:
    found = tx.ask(_CONTENT, (node, number, number))
    return found[0][1] if found else b""


def _patched(held: bytes, start: int, part: memoryview) -> bytes:
    whole = bytearray(max(len(held), start + len(part)))
    whole[: len(held)] = held
    whole[start : start + len(part)] = part
    return bytes(whole)


def _put(tx: WriteTx, node: int, new: dict[int, bytes]) -> None:
    """Give a file these chunks; one of zeros alone is none."""
    if not new:
        return
    held = dict(tx.ask(_EXTENTS, (node, min(new), max(new))))
    more = 0
    for number, data in new.items():
        before = held.get(number)
        if not data or data == _ZEROS[: len(data)]:
            if before is not None:
                tx.change(_DROP_EXTENT, (node, number))
                more -= _release(tx, before)
            continue
        address = sha256(data).digest()
        if address == before:
            continue
        more += _hold(tx, address, data)
        if before is None:
            tx.change(_PUT_EXTENT, (node, number, address))
        else:
            tx.change(_SET_EXTENT, (address, node, number))
            more -= _release(tx, before)
    _note(tx, more)


def _hold(tx: WriteTx, digest: bytes, data: bytes) -> int:
    """One more extent names this chunk; octets that it took."""
    if tx.change(_SET_USES, (1, digest)):
        return 0
    tx.change(_PUT_CHUNK, (digest, 1, len(data), data))
    return len(data)


def _release(tx: WriteTx, digest: bytes) -> int:
    """One extent fewer names this chunk; octets that it gave back."""
    found = tx.ask(_USES, (digest,))
    uses, size = found[0] if found else (0, 0)
    if uses > 1:
        tx.change(_SET_USES, (-1, digest))
        return 0
    tx.change(_DROP_CHUNK, (digest,))
    return size


# --- what the checker asks ---------------------------------------------------------------------------------

_STRAY_EXTENTS: Final = EXTENT.c.node.not_in(select(T.c.node).where(_LIVE_ONES))
_FIND_STRAYS: Final[Statement[tuple[int]]] = Statement(
    select(EXTENT.c.node).where(_STRAY_EXTENTS).limit(limit_param()), "live", "limit"
)
_DROP_STRAYS: Final[Statement[None]] = Statement(delete(EXTENT).where(_STRAY_EXTENTS), "live")
_COUNTED: Final = (
    select(func.count()).select_from(EXTENT).where(EXTENT.c.hash == CHUNK.c.hash).scalar_subquery()
)
_MISCOUNTED: Final[Statement[tuple[bytes, int, int]]] = Statement(
    select(CHUNK.c.hash, CHUNK.c.uses, _COUNTED).where(CHUNK.c.uses != _COUNTED).limit(limit_param()), "limit"
)
_LOST: Final[Statement[tuple[int, int]]] = Statement(
    select(EXTENT.c.node, EXTENT.c.number)
    .where(EXTENT.c.hash.not_in(select(CHUNK.c.hash)))
    .limit(limit_param()),
    "limit",
)
_RECOUNT: Final[Statement[None]] = Statement(update(CHUNK).values(uses=_COUNTED))
_DROP_UNUSED: Final[Statement[None]] = Statement(
    delete(CHUNK).where(CHUNK.c.uses == bindparam("none")), "none"
)
_SUM: Final[Statement[tuple[int | None]]] = Statement(select(func.sum(CHUNK.c.size)))


def faults(tx: ReadTx, limit: int) -> Iterable[str]:
    """What is wrong with the tables as such."""
    for (node,) in tx.ask(_FIND_STRAYS, (LIVE, limit)):
        yield f"content belongs to file {node}, which does not exist"
    for node, number in tx.ask(_LOST, (limit,)):
        yield f"chunk {number} of file {node} is lost"
    for digest, uses, counted in tx.ask(_MISCOUNTED, (limit,)):
        yield f"chunk {digest.hex()[:16]} is used {counted} times, not {uses}"
    held = int(tx.ask(_SUM, ())[0][0] or 0)
    if held != totals(tx)[1]:
        yield f"all chunks together have {held} octets, not {totals(tx)[1]}"


def mend(tx: WriteTx) -> None:
    """Put right what can be: counts, totals and what belongs to nothing."""
    tx.change(_DROP_STRAYS, (LIVE,))
    tx.change(_RECOUNT, ())
    tx.change(_DROP_UNUSED, (0,))
    held = int(tx.ask(_SUM, ())[0][0] or 0)
    tx.set_state(FILES_STATE, _TOTALS.pack(tx.seq + 1, held))
