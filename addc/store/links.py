"""Link values: forward and back links are the same rows, read in two orders."""

from collections.abc import Iterable
from typing import Final, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Select,
    bindparam,
    delete,
    func,
    insert,
    literal_column,
    select,
    tuple_,
    update,
)

from addc.base.ids import Dnt, Usn
from addc.store.backend import Statement, limit_param
from addc.store.objects import Stamp
from addc.store.tables import LINK as T
from addc.store.tables import OBJECT


class LinkRow(NamedTuple):
    """One value of a linked attribute.

    link_base: linkID // 2. data: the payload of DN-Binary or DN-String values, else empty.
    deleted_ft: when the value was deleted; 0 while it is live.
    """

    link_base: int
    source: Dnt
    target: Dnt
    data: bytes
    created_ft: int
    deleted_ft: int
    stamp: Stamp

    @property
    def deleted(self) -> bool:
        return self.deleted_ft != 0


LinkTuple = tuple[int, int, int, bytes, int, int, int, int, bytes, int, int]
COLUMNS: Final = (
    T.c.link_base, T.c.source, T.c.target, T.c.data, T.c.created_ft, T.c.deleted_ft,
    T.c.version, T.c.time_ft, T.c.invocation_id, T.c.originating_usn, T.c.local_usn,
)  # fmt: skip


def from_tuple(row: LinkTuple) -> LinkRow:
    """The value that a row of the statements below is."""
    stamp = Stamp(row[6], row[7], row[8], Usn(row[9]), Usn(row[10]))
    return LinkRow(row[0], Dnt(row[1]), Dnt(row[2]), row[3], row[4], row[5], stamp)


PUT: Final[Statement[None]] = Statement(
    insert(T).values({column.name: bindparam(column.name) for column in COLUMNS}),
    "source", "link_base", "target", "data", "deleted_ft", "created_ft",
    "version", "time_ft", "invocation_id", "originating_usn", "local_usn",
)  # fmt: skip
_SAME = (
    T.c.source == bindparam("s"), T.c.link_base == bindparam("b"),
    T.c.target == bindparam("t"), T.c.data == bindparam("d"),
)  # fmt: skip
SET: Final[Statement[None]] = Statement(
    update(T)
    .values(
        {
            "deleted_ft": bindparam("n1"), "created_ft": bindparam("n2"), "version": bindparam("n3"),
            "time_ft": bindparam("n4"), "invocation_id": bindparam("n5"), "originating_usn": bindparam("n6"),
            "local_usn": bindparam("n7"),
        }
    )
    .where(*_SAME),
    "n1", "n2", "n3", "n4", "n5", "n6", "n7", "s", "b", "t", "d",
)  # fmt: skip
DROP: Final[Statement[None]] = Statement(delete(T).where(*_SAME), "s", "b", "t", "d")
GET: Final[Statement[LinkTuple]] = Statement(select(*COLUMNS).where(*_SAME), "s", "b", "t", "d")

_NONE: ColumnElement[int] = literal_column("0")
_FORWARD = (T.c.source == bindparam("s"), T.c.link_base == bindparam("b"))
_BACK = (T.c.target == bindparam("t"), T.c.link_base == bindparam("b"))
_AFTER_TARGET = tuple_(T.c.target, T.c.data) > tuple_(bindparam("at"), bindparam("ad"))
_AFTER_SOURCE = tuple_(T.c.source, T.c.data) > tuple_(bindparam("at"), bindparam("ad"))
_LIVE = T.c.deleted_ft == _NONE


def _list(terms: Iterable[ColumnElement[bool]], order: Iterable[ColumnElement[object]]) -> Select[LinkTuple]:
    return select(*COLUMNS).where(*terms).order_by(*order).limit(limit_param())


_TARGETS = (T.c.target, T.c.data)
_SOURCES = (T.c.source, T.c.data)
FORWARD_LIVE: Final[Statement[LinkTuple]] = Statement(
    _list((*_FORWARD, _AFTER_TARGET, _LIVE), _TARGETS), "s", "b", "at", "ad", "limit"
)
FORWARD_ANY: Final[Statement[LinkTuple]] = Statement(
    _list((*_FORWARD, _AFTER_TARGET), _TARGETS), "s", "b", "at", "ad", "limit"
)
BACK_LIVE: Final[Statement[LinkTuple]] = Statement(
    _list((*_BACK, _AFTER_SOURCE, _LIVE), _SOURCES), "t", "b", "at", "ad", "limit"
)
BACK_ANY: Final[Statement[LinkTuple]] = Statement(
    _list((*_BACK, _AFTER_SOURCE), _SOURCES), "t", "b", "at", "ad", "limit"
)
TARGETS_AFTER: Final[Statement[tuple[int, bytes]]] = Statement(
    select(*_TARGETS).where(*_FORWARD, _AFTER_TARGET, _LIVE).order_by(*_TARGETS).limit(limit_param()),
    "s", "b", "at", "ad", "limit",
)  # fmt: skip
SOURCES_AFTER: Final[Statement[tuple[int, bytes]]] = Statement(
    select(*_SOURCES).where(*_BACK, _AFTER_SOURCE, _LIVE).order_by(*_SOURCES).limit(limit_param()),
    "t", "b", "at", "ad", "limit",
)  # fmt: skip
ALL_FORWARD: Final[Statement[LinkTuple]] = Statement(
    _list((T.c.source == bindparam("s"),), (T.c.link_base, *_TARGETS)), "s", "limit"
)
ALL_BACK: Final[Statement[LinkTuple]] = Statement(
    _list((T.c.target == bindparam("t"),), (T.c.link_base, *_SOURCES)), "t", "limit"
)
BACK_SOURCES: Final[Statement[tuple[int]]] = Statement(
    select(T.c.source).where(*_BACK, _LIVE).order_by(T.c.source).limit(limit_param()), "t", "b", "limit"
)
FORWARD_TARGETS: Final[Statement[tuple[int]]] = Statement(
    select(T.c.target).where(*_FORWARD, _LIVE).order_by(T.c.target).limit(limit_param()), "s", "b", "limit"
)


BATCH: Final = 32
"""Rows that the statements below ask for at once; unused places hold dnt 0, which no row has."""
_PLACES: Final = tuple(f"row{number}" for number in range(BATCH))


def _bases(near: ColumnElement[int]) -> Statement[tuple[int, int]]:
    """(row, link base) for every base with values on it, deleted ones too; few seeks for any number."""
    row = OBJECT.c.dnt
    first = select(func.min(T.c.link_base)).where(near == row).scalar_subquery()
    held = (
        select(row.label("dnt"), first.label("base"))
        .where(row.in_([bindparam(name, 0, type_=row.type) for name in _PLACES]))
        .cte("held", recursive=True)
    )
    following = (
        select(func.min(T.c.link_base))
        .where(near == held.c.dnt, T.c.link_base > held.c.base)
        .scalar_subquery()
    )
    held = held.union_all(select(held.c.dnt, following).where(held.c.base.is_not(None)))
    return Statement(select(held.c.dnt, held.c.base).where(held.c.base.is_not(None)), *_PLACES)


def _ends(near: ColumnElement[int], far: ColumnElement[int]) -> Statement[tuple[int, int, bytes]]:
    """(row, far end, payload) of the live values of one base, in order."""
    places = [bindparam(name, 0, type_=OBJECT.c.dnt.type) for name in _PLACES]
    return Statement(
        select(near, far, T.c.data)
        .where(T.c.link_base == bindparam("b"), near.in_(places), _LIVE)
        .order_by(near, far, T.c.data)
        .limit(limit_param()),
        "b", *_PLACES, "limit",
    )  # fmt: skip


BASES_FORWARD: Final = _bases(T.c.source)
BASES_BACK: Final = _bases(T.c.target)
TARGETS_OF: Final = _ends(T.c.source, T.c.target)
SOURCES_OF: Final = _ends(T.c.target, T.c.source)
COUNT: Final[Statement[tuple[int]]] = Statement(
    select(func.count()).select_from(
        select(T.c.target).where(*_FORWARD, _LIVE).limit(limit_param()).subquery()
    ),
    "s", "b", "limit",
)  # fmt: skip
DROP_FORWARD: Final[Statement[None]] = Statement(delete(T).where(T.c.source == bindparam("s")), "s")
DROP_BACK: Final[Statement[None]] = Statement(delete(T).where(T.c.target == bindparam("t")), "t")
