"""What the store asks of a database: statements compiled once, and a connection that runs them.

Statements are SQLAlchemy Core; each text is compiled once, when the dialect first asks for it, and run on the
bare driver, because a Core execution costs more than the point read that it carries.
"""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Final, Generic, Protocol, TypeVar

from sqlalchemy import BigInteger, BindParameter, Dialect, Insert, bindparam
from sqlalchemy.dialects.sqlite.base import SQLiteCompiler
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.expression import ClauseElement, GenerativeSelect

Row = TypeVar("Row")
Params = Sequence[object]


class _Compiler(SQLiteCompiler):
    def limit_clause(self, select: GenerativeSelect, **kw: object) -> str:
        """LIMIT alone; the dialect's own adds an OFFSET of 0, one parameter more."""
        return "" if select._limit_clause is None else f" LIMIT {self.process(select._limit_clause)}"


@cache
def _dialect(name: str) -> Dialect:
    if name == "sqlite":
        sqlite = SQLiteDialect_pysqlite(paramstyle="qmark")
        sqlite.statement_compiler = _Compiler
        return sqlite
    # Costs as much time as all the store's own modules, and an embedded server never needs it.
    from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg  # noqa: PLC0415

    return PGDialect_psycopg(paramstyle="format")  # type: ignore[no-untyped-call]


WRITER_LOCK: Final = 0x61646463
"""PostgreSQL advisory lock of the one writer ("addc"); such locks are per database."""
ALL: Final = 1 << 62
"""A limit that no result reaches."""


class Statement(Generic[Row]):
    """A Core statement with positional parameters, named here in the order in which the text has them.

    Row is the tuple that it gives; None for one that gives nothing.
    """

    __slots__ = ("_core", "_names", "is_insert", "postgres", "sqlite")
    sqlite: str
    postgres: str

    def __init__(self, core: ClauseElement, *names: str) -> None:
        self.is_insert = isinstance(core, Insert)
        self._core = core
        self._names = names

    def __getattr__(self, name: str) -> str:
        """Fill the slot `sqlite` or `postgres`; Python asks here only while it is empty."""
        if name not in ("sqlite", "postgres"):
            raise AttributeError(name)
        compiled = self._core.compile(dialect=_dialect(name))
        assert isinstance(compiled, SQLCompiler)
        assert tuple(compiled.positiontup or ()) == self._names, (compiled.positiontup, self._names)
        text = str(compiled)
        setattr(self, name, text)
        return text


def limit_param() -> BindParameter[int]:
    """The parameter `limit` of a statement."""
    return bindparam("limit", type_=BigInteger())


class Connection(Protocol):
    """One database connection; every failure comes out as StoreError and counts in `failures`.

    lost: the connection is of no more use. in_transaction: false once the database threw it away.
    """

    failures: int

    @property
    def lost(self) -> bool: ...

    @property
    def in_transaction(self) -> bool: ...

    def one(self, statement: Statement[Row], params: Params) -> Row | None: ...

    def all(self, statement: Statement[Row], params: Params) -> list[Row]: ...

    def run(self, statement: Statement[None], params: Params) -> int:
        """Rows changed."""
        ...

    def later(self, statement: Statement[None], rows: Sequence[Params]) -> None:
        """Run for each row, now or before the next statement whose result is wanted."""
        ...

    def begin_read(self) -> tuple[int, int]:
        """Open a snapshot; its commit number and USN."""
        ...

    def end_read(self) -> None:
        """Let the snapshot go; never raises."""
        ...

    def begin_write(self) -> tuple[int, int, int]:
        """Become the one writer; the newest commit number, USN and row id."""
        ...

    def commit(self) -> None: ...

    def rollback(self) -> None:
        """End the transaction, if there still is one; never raises."""
        ...

    def savepoint(self) -> None: ...

    def release(self) -> None:
        """Keep what was done since `savepoint`."""
        ...

    def rollback_to(self) -> None:
        """Undo what was done since `savepoint`."""
        ...

    def close(self) -> None: ...


class Backend(Protocol):
    """A kind of database at one address.

    embedded: it lives in this process, so that a point read costs no network round trip.
    """

    embedded: bool

    def connect(self) -> Connection: ...

    def create(self, fill: Callable[[Connection], None]) -> None:
        """Make the tables and `fill` them in one transaction; UserError if there is something already.

        A failure leaves nothing behind.
        """
        ...

    def version(self) -> str | None:
        """The schema version found there; None if there is no directory."""
        ...

    def upgrade(self) -> None:
        """Run the migrations that are missing."""
        ...

    def discard(self) -> None:
        """Remove the directory from there."""
        ...

    def at_rest(self) -> None:
        """All connections are closed: leave the data in its compact form."""
        ...
