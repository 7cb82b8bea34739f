"""Statements on the agenda: work that waits for its time, and outlives the process that put it there."""

from typing import Final, NamedTuple

from sqlalchemy import bindparam, delete, func, insert, select, update

from addc.base.ids import Dnt
from addc.store.backend import Statement, limit_param
from addc.store.tables import AGENDA as T


class Due(NamedTuple):
    """One piece of waiting work, named by the first three fields.

    kind: whose work it is. dnt: the row that it is about. data: what else names it.
    due_ft: when to do it; 0 for at once.
    """

    kind: str
    dnt: Dnt
    data: bytes
    due_ft: int


DueTuple = tuple[str, int, bytes, int]
_COLUMNS = (T.c.kind, T.c.dnt, T.c.data, T.c.due_ft)


def from_tuple(row: DueTuple) -> Due:
    """The work that a row of the statements below is."""
    return Due(row[0], Dnt(row[1]), row[2], row[3])


_SAME = (T.c.kind == bindparam("k"), T.c.dnt == bindparam("row"), T.c.data == bindparam("d"))
PUT: Final[Statement[None]] = Statement(insert(T), "dnt", "kind", "data", "due_ft")
SET: Final[Statement[None]] = Statement(
    update(T).values(due_ft=bindparam("due")).where(*_SAME), "due", "k", "row", "d"
)
DROP: Final[Statement[None]] = Statement(delete(T).where(*_SAME), "k", "row", "d")
DROP_ROW: Final[Statement[None]] = Statement(delete(T).where(T.c.dnt == bindparam("row")), "row")
DUE: Final[Statement[DueTuple]] = Statement(
    select(*_COLUMNS)
    .where(T.c.kind == bindparam("k"), T.c.due_ft <= bindparam("by"))
    .order_by(T.c.due_ft, T.c.dnt, T.c.data)
    .limit(limit_param()),
    "k", "by", "limit",
)  # fmt: skip
OF_ROW: Final[Statement[DueTuple]] = Statement(
    select(*_COLUMNS)
    .where(T.c.dnt == bindparam("row"), T.c.kind == bindparam("k"))
    .order_by(T.c.data),
    "row", "k",
)  # fmt: skip
NEXT: Final[Statement[tuple[int | None]]] = Statement(
    select(func.min(T.c.due_ft)).where(T.c.kind == bindparam("k")), "k"
)
