"""Statements on the clock, the commit log and the named states."""

import hashlib
import struct
from collections.abc import Collection
from typing import Final

from sqlalchemy import bindparam, delete, insert, select, update

from addc.store.backend import Statement, limit_param
from addc.store.tables import CLOCK, COMMIT_LOG, STATE, VERSION

SCHEMA_VERSION: Final = "0004"
"""The newest migration; a fresh directory is stamped with it."""

COMMIT_LOG_KEPT: Final = 4096
"""Commits that a process may lag behind before it drops its whole cache."""
COMMIT_DNTS_MAX: Final = 20_000
"""Rows that one commit names; one that touched more makes every process drop its cache."""
LINKS_STATE: Final = "links"
"""Named state: the last commit that changed link values, or said that it is as if; 8 bytes big-endian."""

READ_CLOCK: Final[Statement[tuple[int, int]]] = Statement(select(CLOCK.c.seq, CLOCK.c.usn))
WRITE_CLOCK: Final[Statement[tuple[int, int, int]]] = Statement(select(CLOCK.c.seq, CLOCK.c.usn, CLOCK.c.dnt))
SET_CLOCK: Final[Statement[None]] = Statement(
    update(CLOCK).values(
        seq=bindparam("seq_new"), usn=bindparam("usn_new"), dnt=bindparam("dnt_new")
    ),
    "seq_new", "usn_new", "dnt_new",
)  # fmt: skip
INSERT_CLOCK: Final[Statement[None]] = Statement(insert(CLOCK), "one", "seq", "usn", "dnt")

LogRow = tuple[int, bytes, int, int, int, bytes, bytes | None]
"""seq, writer, usn_low, usn_high, sids, ncs, dnts."""
PUT_LOG: Final[Statement[None]] = Statement(
    insert(COMMIT_LOG), "seq", "writer", "usn_low", "usn_high", "sids", "ncs", "dnts"
)
LOG_AFTER: Final[Statement[LogRow]] = Statement(
    select(COMMIT_LOG)
    .where(COMMIT_LOG.c.seq > bindparam("after"))
    .order_by(COMMIT_LOG.c.seq)
    .limit(limit_param()),
    "after", "limit",
)  # fmt: skip
LOG_WRITER: Final[Statement[tuple[bytes]]] = Statement(
    select(COMMIT_LOG.c.writer).where(COMMIT_LOG.c.seq == bindparam("number")), "number"
)
TRIM_LOG: Final[Statement[None]] = Statement(
    delete(COMMIT_LOG).where(COMMIT_LOG.c.seq <= bindparam("oldest")), "oldest"
)

GET_STATE: Final[Statement[tuple[bytes]]] = Statement(
    select(STATE.c.value).where(STATE.c.name == bindparam("key_name")), "key_name"
)
PUT_STATE: Final[Statement[None]] = Statement(insert(STATE), "name", "value")
SET_STATE: Final[Statement[None]] = Statement(
    update(STATE).values(value=bindparam("new")).where(STATE.c.name == bindparam("key_name")),
    "new", "key_name",
)  # fmt: skip
DROP_STATE: Final[Statement[None]] = Statement(
    delete(STATE).where(STATE.c.name == bindparam("key_name")), "key_name"
)

GET_VERSION: Final[Statement[tuple[str]]] = Statement(select(VERSION.c.version_num))
PUT_VERSION: Final[Statement[None]] = Statement(insert(VERSION), "version_num")


def sealed_as(name: str) -> bytes:
    """What a sealed state is bound to, in the form of a GUID that no object has."""
    return hashlib.sha256(b"state " + name.encode()).digest()[:16]


def pack_dnts(dnts: Collection[int]) -> bytes:
    """Row ids as the commit log holds them."""
    return struct.pack(f"<{len(dnts)}q", *dnts)


def unpack_dnts(data: bytes) -> tuple[int, ...]:
    return struct.unpack(f"<{len(data) // 8}q", data[: len(data) // 8 * 8])
