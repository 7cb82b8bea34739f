"""Statements on the attribute index."""

from typing import Final

from sqlalchemy import and_, bindparam, delete, func, insert, select, tuple_

from addc.store.backend import Statement, limit_param
from addc.store.tables import ATTR_INDEX as T

KEY_SIZE_MAX: Final = 1024
"""PostgreSQL refuses long B-tree entries: longer keys are cut, so an index gives candidates, not answers."""

PUT_KEY: Final[Statement[None]] = Statement(insert(T), "att", "key", "dnt")
KEYS_OF: Final[Statement[tuple[bytes]]] = Statement(
    select(T.c.key).where(T.c.dnt == bindparam("row"), T.c.att == bindparam("attr")), "row", "attr"
)
DROP_KEY: Final[Statement[None]] = Statement(
    delete(T).where(
        T.c.att == bindparam("attr"), T.c.key == bindparam("value"), T.c.dnt == bindparam("row")
    ),
    "attr", "value", "row",
)  # fmt: skip
DROP_ROW: Final[Statement[None]] = Statement(delete(T).where(T.c.dnt == bindparam("row")), "row")

EQUAL: Final[Statement[tuple[int]]] = Statement(
    select(T.c.dnt)
    .where(T.c.att == bindparam("attr"), T.c.key == bindparam("value"), T.c.dnt > bindparam("after"))
    .order_by(T.c.dnt)
    .limit(limit_param()),
    "attr", "value", "after", "limit",
)  # fmt: skip

_RANGE = and_(T.c.att == bindparam("attr"), T.c.key >= bindparam("low"), T.c.key < bindparam("high"))
_OPEN = and_(T.c.att == bindparam("attr"), T.c.key >= bindparam("low"))

RANGE: Final[Statement[tuple[bytes, int]]] = Statement(
    select(T.c.key, T.c.dnt)
    .where(_RANGE, tuple_(T.c.key, T.c.dnt) > tuple_(bindparam("after_key"), bindparam("after_dnt")))
    .order_by(T.c.key, T.c.dnt)
    .limit(limit_param()),
    "attr", "low", "high", "after_key", "after_dnt", "limit",
)  # fmt: skip
OPEN_RANGE: Final[Statement[tuple[bytes, int]]] = Statement(
    select(T.c.key, T.c.dnt)
    .where(_OPEN, tuple_(T.c.key, T.c.dnt) > tuple_(bindparam("after_key"), bindparam("after_dnt")))
    .order_by(T.c.key, T.c.dnt)
    .limit(limit_param()),
    "attr", "low", "after_key", "after_dnt", "limit",
)  # fmt: skip
"""Without an upper end."""

COUNT_EQUAL: Final[Statement[tuple[int]]] = Statement(
    select(func.count()).select_from(
        select(T.c.dnt)
        .where(T.c.att == bindparam("attr"), T.c.key == bindparam("value"))
        .limit(limit_param())
        .subquery()
    ),
    "attr", "value", "limit",
)  # fmt: skip
COUNT_RANGE: Final[Statement[tuple[int]]] = Statement(
    select(func.count()).select_from(select(T.c.dnt).where(_RANGE).limit(limit_param()).subquery()),
    "attr", "low", "high", "limit",
)  # fmt: skip
COUNT_OPEN: Final[Statement[tuple[int]]] = Statement(
    select(func.count()).select_from(select(T.c.dnt).where(_OPEN).limit(limit_param()).subquery()),
    "attr", "low", "limit",
)  # fmt: skip


def cut(key: bytes) -> bytes:
    """The part of a key that the index holds."""
    return key[:KEY_SIZE_MAX]


def successor(prefix: bytes) -> bytes | None:
    """The least byte string above all that begin with `prefix`; None if there is none."""
    stem = prefix.rstrip(b"\xff")
    return stem[:-1] + bytes((stem[-1] + 1,)) if stem else None
