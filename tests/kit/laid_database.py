"""A PostgreSQL database that is laid once and set back after every test.

Copying a database makes and deletes some three hundred files; a test changes a few rows. So one database
stays, with a copy of every table beside it: what a test wrote is deleted (rows of a transaction after the
mark), what it deleted comes back from the copy. A test that changed the tables themselves costs the whole
database: it is laid anew.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from psycopg import sql

if TYPE_CHECKING:
    import psycopg

    from tests.kit.databases import PostgresServer

_TABLES: Final = """
    SELECT c.relname, array_agg(a.attname::text ORDER BY a.attnum) FROM pg_class c
    LEFT JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary
    LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = ANY (i.indkey)
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' GROUP BY c.relname ORDER BY c.relname
"""
_SHAPE: Final = """
    SELECT string_agg(concat_ws(' ', c.oid, c.relname, c.relkind, c.relfilenode, c.relnatts, c.relchecks,
        c.relhastriggers), '; ' ORDER BY c.oid) FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace
"""
"""Changes whenever a table or index is made, dropped, altered, emptied or written anew."""
_OTHERS_OUT: Final = """
    SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
"""
_MARK: Final = "SELECT txid_current()"


class LaidDatabase:
    """One database for many tests, which take it one after another."""

    def __init__(self, server: PostgresServer, lay: Callable[[str], None]) -> None:
        self._server = server
        self._lay = lay
        self._url = ""
        self._taken = False

    def take(self) -> str:
        """The URL of the database as it was laid, with nobody connected to it."""
        assert not self._taken, "a test has one laid database"
        if not self._url:
            self._url = self._server.new_database()
            self._lay(self._url)
            with self._server.connect(self._url) as connection:
                self._remember(connection)
        self._taken = True
        return self._url

    def give_back(self) -> None:
        """Set everything back to how it was laid; clients that are still there are cut."""
        self._taken = False
        with self._server.connect(self._url) as connection:
            connection.execute(_OTHERS_OUT)
            same = connection.execute(_SHAPE).fetchone() == self._shape
            if same:
                self._set_back(connection)
        if not same:
            self._server.drop_database(self._url)
            self._url = ""

    def _remember(self, connection: psycopg.Connection[tuple[object, ...]]) -> None:
        self._shape = connection.execute(_SHAPE).fetchone()
        connection.execute("CREATE SCHEMA pristine")
        self._work: list[tuple[sql.Composed, sql.Composed, sql.Composed, object]] = []
        for name, keys in connection.execute(_TABLES).fetchall():
            assert isinstance(name, str) and isinstance(keys, list) and all(keys), "every table has a key"
            now, was = sql.Identifier("public", name), sql.Identifier("pristine", name)
            connection.execute(sql.SQL("CREATE TABLE {} AS TABLE {}").format(was, now))
            count = sql.SQL("SELECT count(*) FROM {}").format(now)
            key = sql.SQL(" AND ").join(
                sql.SQL("now.{0} = was.{0}").format(sql.Identifier(one)) for one in keys
            )
            self._work.append((
                sql.SQL("DELETE FROM {} WHERE age(xmin) < age(%s::text::xid)").format(now),
                count,
                sql.SQL(
                    "INSERT INTO {} SELECT * FROM {} was WHERE NOT EXISTS (SELECT FROM {} now WHERE {})"
                ).format(now, was, now, key),
                connection.execute(count).fetchone(),
            ))  # fmt: skip
        self._mark = connection.execute(_MARK).fetchone()

    def _set_back(self, connection: psycopg.Connection[tuple[object, ...]]) -> None:
        for forget, count, restore, rows in self._work:
            connection.execute(forget, self._mark)
            if connection.execute(count).fetchone() != rows:
                connection.execute(restore)
                assert connection.execute(count).fetchone() == rows
        self._mark = connection.execute(_MARK).fetchone()
