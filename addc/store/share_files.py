"""What is kept of files in operators' shares, as rows: their statements.

A row stands for a file or folder of the host; its parent is the row of its folder. A row is there only where
something was to be kept of it or of something below it.
"""

from typing import Final, NamedTuple

from sqlalchemy import bindparam, delete, insert, select, update

from addc.store.backend import Statement
from addc.store.descriptors import NO_DESCRIPTOR
from addc.store.tables import SHARE_FILE as T
from addc.store.tx import ReadTx, WriteTx

ROOTS: Final = 0
"""parent of the rows that stand for shares."""


class ShareFileRow(NamedTuple):
    """key: the name as names are compared. attributes: -1 where none were set. sd_id: 0 where none was.

    changed_ft: the time of change that a client has set, for as long as the host's own is host_ns.
    """

    row: int
    parent: int
    key: bytes
    attributes: int
    created_ft: int
    changed_ft: int
    host_ns: int
    sd_id: int


UNSET: Final = -1
_Tuple = tuple[int, int, bytes, int, int, int, int, int]
_CHILD: Final[Statement[_Tuple]] = Statement(
    select(T).where(T.c.parent == bindparam("above"), T.c.key == bindparam("k")), "above", "k"
)
_CHILDREN: Final[Statement[_Tuple]] = Statement(select(T).where(T.c.parent == bindparam("above")), "above")
_INSERT: Final[Statement[None]] = Statement(
    insert(T), "row", "parent", "key", "attributes", "created_ft", "changed_ft", "host_ns", "sd_id"
)
_UPDATE: Final[Statement[None]] = Statement(
    update(T)
    .values(attributes=bindparam("attrs"), created_ft=bindparam("created"))
    .values(changed_ft=bindparam("changed"), host_ns=bindparam("host"), sd_id=bindparam("sd"))
    .where(T.c.row == bindparam("which")),
    "attrs", "created", "changed", "host", "sd", "which",
)  # fmt: skip
_MOVE: Final[Statement[None]] = Statement(
    update(T)
    .values(parent=bindparam("above"), key=bindparam("k"))
    .where(T.c.row == bindparam("which")),
    "above", "k", "which",
)  # fmt: skip
_DELETE: Final[Statement[None]] = Statement(delete(T).where(T.c.row == bindparam("which")), "which")


def child(tx: ReadTx, parent: int, key: bytes) -> ShareFileRow | None:
    found = tx.ask(_CHILD, (parent, key))
    return ShareFileRow(*found[0]) if found else None


def children(tx: ReadTx, parent: int) -> list[ShareFileRow]:
    return [ShareFileRow(*one) for one in tx.ask(_CHILDREN, (parent,))]


def add(tx: WriteTx, parent: int, key: bytes) -> ShareFileRow:
    """A new row that keeps nothing yet."""
    made = ShareFileRow(tx.draw_id(), parent, key, UNSET, 0, 0, 0, NO_DESCRIPTOR)
    tx.change(_INSERT, made)
    return made


def change(tx: WriteTx, row: ShareFileRow) -> None:
    """Keep what `row` says."""
    tx.change(_UPDATE, (row.attributes, row.created_ft, row.changed_ft, row.host_ns, row.sd_id, row.row))


def move(tx: WriteTx, row: ShareFileRow, parent: int, key: bytes) -> None:
    tx.change(_MOVE, (parent, key, row.row))


def drop(tx: WriteTx, row: ShareFileRow) -> None:
    """Forget a row and everything below it."""
    todo = [row.row]
    while todo:
        one = todo.pop()
        todo += [below.row for below in children(tx, one)]
        tx.change(_DELETE, (one,))
