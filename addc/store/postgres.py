"""PostgreSQL through psycopg 3: repeatable-read snapshots for readers, one advisory lock for the writer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, cast

import psycopg
from sqlalchemy import URL
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.schema import CreateIndex, CreateTable

from addc.base.errors import StoreError, UserError
from addc.store import state
from addc.store.backend import WRITER_LOCK, Connection, Params, Row, Statement
from addc.store.tables import METADATA, OBJECT, OBJECT_CHILD, OBJECT_SID

LOCK_TIMEOUT_MS: Final = 10_000
_DIALECT: Final = PGDialect_psycopg()  # type: ignore[no-untyped-call]
_RETRYABLE_STATES: Final = frozenset({"40001", "40P01", "55P03", "53300", "57P01", "57P02", "57P03"})
_UNDEFINED_TABLE: Final = "42P01"

OBJECT_CHILD.dialect_options["postgresql"]["include"] = ["dnt"]
OBJECT_SID.dialect_options["postgresql"]["where"] = OBJECT.c.sid.is_not(None)

_BEGIN_READ: Final = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; " + state.READ_CLOCK.postgres
_BEGIN_WRITE: Final = (
    f"BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; SELECT pg_advisory_xact_lock({WRITER_LOCK}); "
    + state.WRITE_CLOCK.postgres
)
"""Every statement after the lock has its own snapshot, so it sees all that the previous writer committed."""


class PostgresConnection:
    """A connection; the driver's own transaction control is off."""

    __slots__ = ("__weakref__", "_db", "_inserts_only", "_plain", "_text", "_waiting", "failures")

    def __init__(self, conninfo: dict[str, str], lock_timeout_ms: int) -> None:
        self.failures = 0
        self._waiting: list[tuple[Statement[None], list[Params]]] = []
        self._inserts_only = True
        try:
            self._db = psycopg.connect(autocommit=True, **conninfo)  # type: ignore[arg-type]
            self._plain = self._db.cursor(binary=True)
            self._text = self._db.cursor()
            self._text.execute(f"SET lock_timeout = {lock_timeout_ms:d}")
            self._text.execute(
                "SELECT set_config('synchronous_commit', 'on', false) "
                "WHERE current_setting('synchronous_commit') = 'off'"
            )
        except psycopg.Error as error:
            raise self._failed(error) from None

    def _failed(self, error: psycopg.Error) -> StoreError:
        """The error without the values that were sent."""
        self.failures += 1
        code = error.sqlstate or ""
        lost = not hasattr(self, "_db") or self._db.closed
        retryable = lost or code in _RETRYABLE_STATES or code.startswith("08")
        why = error.diag.message_primary or str(error).split("\n", maxsplit=1)[0]
        return StoreError(f"PostgreSQL: {code or type(error).__name__}: {why}", retryable=retryable)

    @property
    def lost(self) -> bool:
        return self._db.closed

    @property
    def in_transaction(self) -> bool:
        return self._db.info.transaction_status != psycopg.pq.TransactionStatus.IDLE and not self._db.closed

    def one(self, statement: Statement[Row], params: Params) -> Row | None:
        if self._waiting:
            self._flush()
        try:
            cursor = self._plain.execute(statement.postgres, params)
            return cast("Row | None", cursor.fetchone())
        except psycopg.Error as error:
            raise self._failed(error) from None

    def all(self, statement: Statement[Row], params: Params) -> list[Row]:
        if self._waiting:
            self._flush()
        try:
            cursor = self._plain.execute(statement.postgres, params)
            return cast("list[Row]", cursor.fetchall())
        except psycopg.Error as error:
            raise self._failed(error) from None

    def run(self, statement: Statement[None], params: Params) -> int:
        if self._waiting:
            self._flush()
        try:
            return self._plain.execute(statement.postgres, params).rowcount
        except psycopg.Error as error:
            raise self._failed(error) from None

    def later(self, statement: Statement[None], rows: Sequence[Params]) -> None:
        """Keep for `_flush`. Inserts commute, since no row is inserted twice: each statement goes once."""
        waiting = self._waiting
        if statement.is_insert and self._inserts_only:
            for other, held in waiting:
                if other is statement:
                    held.extend(rows)
                    return
        self._inserts_only = statement.is_insert and self._inserts_only
        waiting.append((statement, list(rows)))

    def _flush(self) -> None:
        """Send what waits, in one round trip."""
        waiting, self._waiting, self._inserts_only = self._waiting, [], True
        try:
            with self._db.pipeline():
                for statement, rows in waiting:
                    self._plain.executemany(statement.postgres, rows)
        except psycopg.Error as error:
            raise self._failed(error) from None

    def begin_read(self) -> tuple[int, int]:
        return cast("tuple[int, int]", self._begin(_BEGIN_READ))

    def begin_write(self) -> tuple[int, int, int]:
        return cast("tuple[int, int, int]", self._begin(_BEGIN_WRITE))

    def end_read(self) -> None:
        """By COMMIT, since a ROLLBACK makes the driver drop all its prepared statements."""
        try:
            self._text.execute("COMMIT")
        except psycopg.Error:
            self.rollback()

    def _begin(self, text: str) -> object:
        try:
            cursor = self._text.execute(text)  # one message, one round trip
            while cursor.nextset():
                pass
            row = cursor.fetchone()
        except psycopg.Error as error:
            failure = self._failed(error)
            self.rollback()
            raise failure from None
        if row is None:
            self.rollback()
            raise StoreError("PostgreSQL: the directory is gone from this database")
        return row

    def _do(self, text: str) -> str:
        if self._waiting:
            self._flush()
        try:
            return self._text.execute(text).statusmessage or ""
        except psycopg.Error as error:
            raise self._failed(error) from None

    def commit(self) -> None:
        if self._do("COMMIT") != "COMMIT":  # an aborted transaction answers COMMIT with "ROLLBACK"
            self.failures += 1
            raise StoreError("PostgreSQL: the transaction was aborted", retryable=True)

    def rollback(self) -> None:
        self._forget()
        try:
            if self.in_transaction:
                self._text.execute("ROLLBACK")
        except psycopg.Error:
            self.failures += 1
            self._db.close()

    def savepoint(self) -> None:
        self._do("SAVEPOINT work")

    def release(self) -> None:
        """The savepoint stays until the commit; the next one of its name hides it."""
        if self._waiting:
            self._flush()

    def _forget(self) -> None:
        self._waiting, self._inserts_only = [], True

    def rollback_to(self) -> None:
        self._forget()
        self._do("ROLLBACK TO work; RELEASE work")

    def close(self) -> None:
        self._db.close()

    def __del__(self) -> None:
        if hasattr(self, "_db"):
            self._db.close()


class PostgresBackend:
    """A directory in one PostgreSQL database."""

    embedded = False

    def __init__(self, url: URL, lock_timeout_ms: int = LOCK_TIMEOUT_MS) -> None:
        self.url = url
        arguments = _DIALECT.create_connect_args(url)[1]  # type: ignore[no-untyped-call]
        self._conninfo = {name: str(value) for name, value in arguments.items() if name != "context"}
        self._lock_timeout_ms = lock_timeout_ms

    def connect(self) -> PostgresConnection:
        return PostgresConnection(self._conninfo, self._lock_timeout_ms)

    def create(self, fill: Callable[[Connection], None]) -> None:
        connection = self.connect()
        try:
            connection._do(f"BEGIN; SELECT pg_advisory_xact_lock({WRITER_LOCK})")
            for table in METADATA.tables:
                if connection._do(f"SELECT FROM pg_tables WHERE tablename = '{table}'") != "SELECT 0":
                    raise UserError(
                        f"database {self.url.database!r} holds a table {table!r} already: a directory "
                        "is never overwritten; create an empty database for it"
                    )
            self._create_tables(connection)
            fill(connection)
            connection.commit()
        finally:
            connection.rollback()
            connection.close()

    def _create_tables(self, connection: PostgresConnection) -> None:
        dialect = _DIALECT
        for table in METADATA.sorted_tables:
            connection._do(str(CreateTable(table).compile(dialect=dialect)))
            for index in sorted(table.indexes, key=lambda one: one.name or ""):
                connection._do(str(CreateIndex(index).compile(dialect=dialect)))

    def version(self) -> str | None:
        connection = self.connect()
        try:
            row = connection.one(state.GET_VERSION, ())
        except StoreError as error:
            if _UNDEFINED_TABLE not in str(error):
                raise
            row = None
        finally:
            connection.close()
        return None if row is None else row[0]

    def upgrade(self) -> None:
        from addc.store.migrations.run import upgrade  # noqa: PLC0415  Alembic only when it is needed

        upgrade(self.url)

    def discard(self) -> None:
        connection = self.connect()
        try:
            for table in METADATA.tables:
                connection._do(f'DROP TABLE IF EXISTS "{table}"')
        finally:
            connection.close()

    def at_rest(self) -> None:
        """Nothing to do: the server keeps its files."""
