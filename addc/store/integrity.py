"""Statements of the checker: tables read row by row, past every cache, and what belongs to no row."""

from typing import Final

from sqlalchemy import BindParameter, bindparam, delete, or_, select
from sqlalchemy.sql.elements import ColumnElement

from addc.base.ids import AttId, Dnt
from addc.store.backend import Statement, limit_param
from addc.store.links import COLUMNS, LinkRow, LinkTuple, from_tuple
from addc.store.objects import ObjectRow, ObjectTuple
from addc.store.tables import AGENDA, ATTR_INDEX, LINK, OBJECT
from addc.store.tx import ReadTx, WriteTx

_ROWS: Final[Statement[ObjectTuple]] = Statement(
    select(OBJECT).where(OBJECT.c.dnt > bindparam("after")).order_by(OBJECT.c.dnt).limit(limit_param()),
    "after", "limit",
)  # fmt: skip
_BETWEEN: Final[tuple[BindParameter[int], BindParameter[int]]] = (bindparam("low"), bindparam("high"))
_KEYS: Final[Statement[tuple[int, int, bytes]]] = Statement(
    select(ATTR_INDEX.c.dnt, ATTR_INDEX.c.att, ATTR_INDEX.c.key).where(ATTR_INDEX.c.dnt.between(*_BETWEEN)),
    "low", "high",
)  # fmt: skip
_LINKS: Final[Statement[LinkTuple]] = Statement(
    select(*COLUMNS).where(LINK.c.source.between(*_BETWEEN)), "low", "high"
)


def _no_row(column: ColumnElement[int]) -> ColumnElement[bool]:
    return column.not_in(select(OBJECT.c.dnt))


_STRAYS: Final = {
    "index": (ATTR_INDEX, _no_row(ATTR_INDEX.c.dnt)),
    "link": (LINK, or_(_no_row(LINK.c.source), _no_row(LINK.c.target))),
    "agenda": (AGENDA, _no_row(AGENDA.c.dnt)),
}
STRAY_KINDS: Final = tuple(_STRAYS)
_FIND_STRAYS: Final[dict[str, Statement[tuple[int]]]] = {
    "index": Statement(select(ATTR_INDEX.c.dnt).where(_STRAYS["index"][1]).limit(limit_param()), "limit"),
    "link": Statement(select(LINK.c.source).where(_STRAYS["link"][1]).limit(limit_param()), "limit"),
    "agenda": Statement(select(AGENDA.c.dnt).where(_STRAYS["agenda"][1]).limit(limit_param()), "limit"),
}
_DROP_STRAYS: Final[dict[str, Statement[None]]] = {
    kind: Statement(delete(table).where(is_stray)) for kind, (table, is_stray) in _STRAYS.items()
}


def rows_after(tx: ReadTx, after: Dnt, limit: int) -> list[ObjectRow]:
    """Rows in the order of their ids, above `after`, as the table has them."""
    return [tx.fresh(found) for found in tx.ask(_ROWS, (after, limit))]


def index_between(tx: ReadTx, low: Dnt, high: Dnt) -> dict[Dnt, dict[AttId, set[bytes]]]:
    """The index keys of the rows low..high, by row and attribute."""
    found: dict[Dnt, dict[AttId, set[bytes]]] = {}
    for dnt, att, key in tx.ask(_KEYS, (low, high)):
        found.setdefault(Dnt(dnt), {}).setdefault(AttId(att), set()).add(key)
    return found


def links_between(tx: ReadTx, low: Dnt, high: Dnt) -> dict[Dnt, list[LinkRow]]:
    """The forward link values of the rows low..high, deleted ones too."""
    found: dict[Dnt, list[LinkRow]] = {}
    for row in tx.ask(_LINKS, (low, high)):
        link = from_tuple(row)
        found.setdefault(link.source, []).append(link)
    return found


def strays(tx: ReadTx, kind: str, limit: int) -> list[Dnt]:
    """Row ids that index, link or agenda entries name although there is no such row."""
    return [Dnt(dnt) for (dnt,) in tx.ask(_FIND_STRAYS[kind], (limit,))]


def drop_strays(tx: WriteTx, kind: str) -> int:
    """Remove those entries; how many."""
    return tx.change(_DROP_STRAYS[kind], ())
