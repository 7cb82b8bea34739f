"""SQLite: one file in WAL mode, every commit on disk before it returns, many processes at once."""

import os
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from sqlalchemy import URL
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.schema import CreateIndex, CreateTable

from addc.base.errors import StoreError, UserError
from addc.store import state
from addc.store.backend import Connection, Params, Row, Statement
from addc.store.tables import METADATA

BUSY_TIMEOUT_MS: Final = 10_000
_CACHE_KB: Final = 16_384
_STATEMENTS_CACHED: Final = 256
_BUSY: Final = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
_READ_CLOCK: Final = state.READ_CLOCK.sqlite
_WRITE_CLOCK: Final = state.WRITE_CLOCK.sqlite


def translate(error: sqlite3.Error) -> StoreError:
    """The error without the values that were sent."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    name = getattr(error, "sqlite_errorname", type(error).__name__)
    return StoreError(f"SQLite: {name}: {error}", retryable=code in _BUSY)


class SqliteConnection:
    """A connection to the file; SQL text that is not a Statement stands only here."""

    __slots__ = ("__weakref__", "_cursor", "_db", "_execute", "failures")

    def __init__(self, path: str, busy_timeout_ms: int) -> None:
        self.failures = 0
        try:
            self._db = sqlite3.connect(
                f"{Path(path).absolute().as_uri()}?mode=rw",
                uri=True,
                timeout=busy_timeout_ms / 1000,
                isolation_level=None,
                check_same_thread=False,
                cached_statements=_STATEMENTS_CACHED,
            )
            self._cursor = self._db.cursor()
            self._execute = self._cursor.execute
            for pragma in ("journal_mode=WAL", "synchronous=FULL", f"cache_size=-{_CACHE_KB}"):
                self._execute(f"PRAGMA {pragma}").fetchall()
        except sqlite3.Error as error:
            raise translate(error) from None

    def _failed(self, error: sqlite3.Error) -> StoreError:
        self.failures += 1
        return translate(error)

    @property
    def lost(self) -> bool:
        return False

    @property
    def in_transaction(self) -> bool:
        return self._db.in_transaction

    def one(self, statement: Statement[Row], params: Params) -> Row | None:
        try:
            row: Row | None = self._execute(statement.sqlite, params).fetchone()
        except sqlite3.Error as error:
            raise self._failed(error) from None
        if row is not None:
            self._cursor.fetchone()  # lets a statement that gives one row run to its end
        return row

    def all(self, statement: Statement[Row], params: Params) -> list[Row]:
        try:
            return self._execute(statement.sqlite, params).fetchall()
        except sqlite3.Error as error:
            raise self._failed(error) from None

    def run(self, statement: Statement[None], params: Params) -> int:
        try:
            return self._execute(statement.sqlite, params).rowcount
        except sqlite3.Error as error:
            raise self._failed(error) from None

    def later(self, statement: Statement[None], rows: Sequence[Params]) -> None:
        try:
            self._cursor.executemany(statement.sqlite, rows)
        except sqlite3.Error as error:
            raise self._failed(error) from None

    def begin_read(self) -> tuple[int, int]:
        try:
            self._execute("BEGIN")
            row: tuple[int, int] = self._execute(_READ_CLOCK).fetchall()[0]
        except sqlite3.Error as error:
            self.rollback()
            raise self._failed(error) from None
        return row

    def end_read(self) -> None:
        try:
            self._execute("COMMIT")
        except sqlite3.Error:
            self.rollback()

    def begin_write(self) -> tuple[int, int, int]:
        try:
            self._execute("BEGIN IMMEDIATE")
            row: tuple[int, int, int] = self._execute(_WRITE_CLOCK).fetchall()[0]
        except sqlite3.Error as error:
            self.rollback()
            raise self._failed(error) from None
        return row

    def _do(self, text: str) -> None:
        try:
            self._execute(text)
        except sqlite3.Error as error:
            raise self._failed(error) from None

    def commit(self) -> None:
        self._do("COMMIT")

    def rollback(self) -> None:
        try:
            if self._db.in_transaction:
                self._execute("ROLLBACK")
        except sqlite3.Error:
            self.failures += 1

    def savepoint(self) -> None:
        self._do("SAVEPOINT work")

    def release(self) -> None:
        self._do("RELEASE work")

    def rollback_to(self) -> None:
        self._do("ROLLBACK TO work")
        self._do("RELEASE work")

    def close(self) -> None:
        self._db.close()

    def __del__(self) -> None:
        if hasattr(self, "_db"):
            self._db.close()


class SqliteBackend:
    """A directory in one SQLite file."""

    embedded = True

    def __init__(self, url: URL, busy_timeout_ms: int = BUSY_TIMEOUT_MS) -> None:
        if not url.database or url.database == ":memory:":
            raise UserError("the SQLite directory needs a file: sqlite:////var/lib/addc/directory.db")
        self.url = url
        self.path = url.database
        self._busy_timeout_ms = busy_timeout_ms

    def connect(self) -> SqliteConnection:
        return SqliteConnection(self.path, self._busy_timeout_ms)

    def create(self, fill: Callable[[Connection], None]) -> None:
        try:
            os.close(os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        except FileExistsError:
            raise UserError(
                f"{self.path} exists already: a directory is never overwritten; "
                "choose another file, or remove this one if it is not needed"
            ) from None
        except OSError as error:
            raise UserError(f"cannot create {self.path}: {error.strerror}") from None
        try:
            connection = self.connect()
            try:
                self._create_tables(connection)
                fill(connection)
                connection.commit()
            finally:
                connection.close()
        except BaseException:
            self.discard()
            raise

    def _create_tables(self, connection: SqliteConnection) -> None:
        dialect = SQLiteDialect_pysqlite()
        connection._do("BEGIN IMMEDIATE")
        for table in METADATA.sorted_tables:
            connection._do(str(CreateTable(table).compile(dialect=dialect)))
            for index in sorted(table.indexes, key=lambda one: one.name or ""):
                connection._do(str(CreateIndex(index).compile(dialect=dialect)))

    def version(self) -> str | None:
        if not Path(self.path).is_file():
            return None
        connection = self.connect()
        try:
            row = connection.one(state.GET_VERSION, ())
        except StoreError as error:
            if "no such table" not in str(error):
                raise
            row = None
        finally:
            connection.close()
        return None if row is None else row[0]

    def upgrade(self) -> None:
        from addc.store.migrations.run import upgrade  # noqa: PLC0415  Alembic only when it is needed

        upgrade(self.url)

    def discard(self) -> None:
        for suffix in ("", "-wal", "-shm", "-journal"):
            Path(self.path + suffix).unlink(missing_ok=True)

    def at_rest(self) -> None:
        """Closing the last connection has emptied the write-ahead log already."""
