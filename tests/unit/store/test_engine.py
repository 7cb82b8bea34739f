"""Opening a store: new, again, with the wrong key, newer than the program, not there at all."""

import stat
from pathlib import Path
from typing import Final

import psycopg
import pytest
from sqlalchemy import bindparam, make_url, update

from addc.base.errors import StoreError, UserError
from addc.base.rng import SystemRng
from addc.base.secret import Secret
from addc.store import state
from addc.store.backend import Backend, Connection, Statement
from addc.store.engine import Store, backend_of
from addc.store.objects import ROOT_DNT
from addc.store.postgres import PostgresBackend
from addc.store.sqlite import SqliteBackend, SqliteConnection
from addc.store.tables import VERSION
from tests.kit.databases import KEY, SECRET_ATTS, PostgresServer
from tests.kit.rows import add, note_of

_UPDATE_VERSION: Final[Statement[None]] = Statement(
    update(VERSION).values(version_num=bindparam("new")), "new"
)


def _impatient(url: str) -> Backend:
    """The back end with a lock time-out of 50 ms."""
    parsed = make_url(url)
    return SqliteBackend(parsed, 50) if "sqlite" in url else PostgresBackend(parsed, 50)


def _set_version(url: str, version: str) -> None:
    connection = backend_of(url).connect()
    connection.begin_write()
    connection.run(_UPDATE_VERSION, (version,))
    connection.commit()
    connection.close()


def test_a_store_opens_with_what_was_written(database_url: str) -> None:
    first = Store.create(database_url, KEY, SECRET_ATTS)
    dnt = first.write("test", lambda tx: add(tx, "a", note=b"kept"))
    first.close()
    second = Store.open(database_url, KEY, SECRET_ATTS)
    with second.read() as tx:
        assert note_of(tx.get(dnt)) == b"kept"
        assert tx.usn == 1
    assert second.write("test", lambda tx: add(tx, "b")) == dnt + 1
    second.close()


def test_create_refuses_what_is_there(store: Store, store_url: str) -> None:
    store.write("test", lambda tx: add(tx, "a"))
    with pytest.raises(UserError):
        Store.create(store_url, KEY, SECRET_ATTS)
    with store.read() as tx:
        assert tx.has_children(ROOT_DNT)


def test_open_refuses_an_empty_database(database_url: str) -> None:
    with pytest.raises(UserError, match="not there, or empty"):
        Store.open(database_url, KEY, SECRET_ATTS)


def test_open_refuses_another_key(store: Store, store_url: str) -> None:
    with pytest.raises(UserError, match="key"):
        Store.open(store_url, Secret(b"x" * 32), SECRET_ATTS)


def test_open_refuses_a_newer_schema(store: Store, store_url: str) -> None:
    _set_version(store_url, "9999")
    with pytest.raises(UserError, match="9999"):
        Store.open(store_url, KEY, SECRET_ATTS)


@pytest.mark.parametrize("url", ["mysql://x/y", "nonsense", "sqlite://", "sqlite:///:memory:"])
def test_other_addresses_are_refused(url: str) -> None:
    with pytest.raises(UserError):
        Store.create(url, KEY, SECRET_ATTS)


def test_discard_leaves_nothing(database_url: str) -> None:
    made = Store.create(database_url, KEY, SECRET_ATTS)
    made.write("test", lambda tx: add(tx, "a"))
    made.discard()
    again = Store.create(database_url, KEY, SECRET_ATTS)
    with again.read() as tx:
        assert (tx.usn, tx.has_children(ROOT_DNT)) == (0, False)
    again.close()


def test_a_failed_create_leaves_nothing(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state, "SCHEMA_VERSION", "x" * 100 if "postgresql" in database_url else None)
    with pytest.raises(StoreError):
        Store.create(database_url, KEY, SECRET_ATTS)
    monkeypatch.undo()
    Store.create(database_url, KEY, SECRET_ATTS).close()


def test_a_failed_create_leaves_no_file(tmp_path: Path) -> None:
    def fill(connection: Connection) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        backend_of(f"sqlite:///{tmp_path / 'a.db'}").create(fill)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(UserError, match="cannot create"):
        Store.create(f"sqlite:///{tmp_path / 'none' / 'a.db'}", KEY, SECRET_ATTS)


def test_a_closed_sqlite_store_is_one_private_file(tmp_path: Path) -> None:
    made = Store.create(f"sqlite:///{tmp_path / 'a.db'}", KEY, SECRET_ATTS)
    made.write("test", lambda tx: add(tx, "a"))
    with made.read():
        assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {0o600}
    made.close()
    assert [path.name for path in tmp_path.iterdir()] == ["a.db"]
    (tmp_path / "a.db").rename(tmp_path / "b.db")
    renamed = Store.open(f"sqlite:///{tmp_path / 'b.db'}", KEY, SECRET_ATTS)
    with renamed.read() as tx:
        assert tx.has_children(ROOT_DNT)
    renamed.close()


def test_sqlite_is_set_up_to_survive(sqlite_store: Store, tmp_path: Path) -> None:
    connection = SqliteConnection(str(tmp_path / "directory.db"), 1000)
    asked = [
        connection._db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous")
    ]
    connection.close()
    assert asked == ["wal", 2]


def test_a_closed_store_answers_with_an_error(store: Store) -> None:
    store.close()
    with pytest.raises(StoreError):
        store.read()
    with pytest.raises(StoreError):
        store.write("test", lambda tx: None)


def test_a_foreign_table_is_not_overwritten(postgres_server: PostgresServer) -> None:
    url = postgres_server.new_database()
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        connection.execute("CREATE TABLE link (x int)")
    connection.close()
    with pytest.raises(UserError, match="'link'"):
        Store.create(url, KEY, SECRET_ATTS)
    postgres_server.drop_database(url)


def test_a_busy_database_is_worth_another_try(store: Store, store_url: str) -> None:
    """The writer's lock is waited for, but not for ever."""
    holder = backend_of(store_url).connect()
    holder.begin_write()
    waiting = Store(_impatient(store_url), store._context.sealer, SECRET_ATTS, SystemRng())
    with pytest.raises(StoreError) as caught:
        waiting.write("test", lambda tx: add(tx, "a"))
    assert caught.value.retryable
    with waiting.read() as tx:
        assert tx.usn == 0
    holder.rollback()
    waiting.write("test", lambda tx: add(tx, "a"))
    holder.close()
    waiting.close()
