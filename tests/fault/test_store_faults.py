"""Every statement fails once, connections drop, processes are killed: all or nothing, the store answers."""

import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

import pytest

from addc.base.errors import StoreError
from addc.base.ids import Dnt
from addc.store.backend import Connection
from addc.store.engine import Store
from addc.store.objects import ROOT_DNT
from addc.store.postgres import PostgresConnection
from addc.store.sqlite import SqliteConnection
from addc.store.tx import WriteTx
from tests.fault.store_writer_program import check_whole, write_one
from tests.kit.databases import KEY, SECRET_ATTS, PostgresServer
from tests.kit.rows import NOTE, add, change, key, note_of

ROOT: Final = Path(__file__).parents[2]
STATEMENTS_MAX: Final = 200


class Fault:
    """Counts what is sent to the driver and fails at one number, once; before the statement or behind it."""

    def __init__(self, at: int, hit: Callable[[], None], behind: bool) -> None:
        self.at, self.hit, self.behind = at, hit, behind
        self.sent = 0

    def around(self, send: Callable[[], object]) -> object:
        self.sent += 1
        if self.sent != self.at:
            return send()
        if self.behind:
            send()
        self.hit()
        return send()


class FaultyCursor:
    """A driver's cursor with a fault in it."""

    def __init__(self, cursor: object, fault: Fault) -> None:
        self._cursor, self._fault = cursor, fault

    def execute(self, *args: object) -> object:
        return self._fault.around(lambda: self._cursor.execute(*args))  # type: ignore[attr-defined]

    def executemany(self, *args: object) -> object:
        return self._fault.around(lambda: self._cursor.executemany(*args))  # type: ignore[attr-defined]

    def __getattr__(self, name: str) -> object:
        return getattr(self._cursor, name)


def _break_sqlite() -> None:
    raise sqlite3.OperationalError("disk I/O error")


def _inject(connection: Connection, fault: Fault) -> None:
    if isinstance(connection, SqliteConnection):
        connection._cursor = FaultyCursor(connection._cursor, fault)  # type: ignore[assignment]
        connection._execute = connection._cursor.execute
    else:
        assert isinstance(connection, PostgresConnection)
        connection._plain = FaultyCursor(connection._plain, fault)  # type: ignore[assignment]
        connection._text = FaultyCursor(connection._text, fault)  # type: ignore[assignment]


def _arm(store: Store, at: int, behind: bool) -> Fault:
    """Make the writer's next connection fail at statement number `at`."""
    if store._write_connection is None:
        store.write("warm up", lambda tx: None)
    connection = store._write_connection
    assert connection is not None
    if isinstance(connection, SqliteConnection):
        hit = _break_sqlite
    else:
        assert isinstance(connection, PostgresConnection)
        hit = connection._db.close
    fault = Fault(at, hit, behind)
    _inject(connection, fault)
    return fault


def _disarm(store: Store) -> None:
    """The next write has a fresh connection."""
    connection, store._write_connection = store._write_connection, None
    if connection is not None:
        connection.close()


def _big_work(tx: WriteTx, a: Dnt, b: Dnt) -> str:
    write_one(tx, "w")
    change(tx, a, b"changed")
    tx.move(a, b)
    return "done"


def _state_of(store: Store) -> tuple[object, ...]:
    with store.read() as tx:
        found = tx.get_many(tx.subtree_dnts(ROOT_DNT.to_bytes(8, "big")))
        rows = [(row.dnt, row.parent, row.path, row.attrs) for row in found]
        return (tx.usn, tx.seq, rows, tx.state("count"), tx.index_range_count(NOTE, None, None))


@pytest.mark.parametrize("behind", [False, True], ids=["before", "behind"])
def test_each_statement_of_a_write_fails_once(store: Store, behind: bool) -> None:
    """The work is there as a whole or not at all, its caller knows which, and the next work succeeds."""
    store.write("test", lambda tx: [add(tx, "a", note=b"old"), add(tx, "b")])
    for at in range(1, STATEMENTS_MAX):
        with store.read() as tx:
            a, b = tx.child(ROOT_DNT, key("a")), tx.child(ROOT_DNT, key("b"))
        assert a is not None and b is not None
        before = _state_of(store)
        fault = _arm(store, at, behind)
        try:
            done = store.write("test", lambda tx: _big_work(tx, a.dnt, b.dnt)) == "done"  # noqa: B023
        except StoreError:
            done = False
        _disarm(store)
        assert (_state_of(store) != before) == done
        usn = store.write("test", lambda tx: add(tx, "probe") and tx.usn)
        assert usn > before[0]  # type: ignore[operator]
        if done:
            store.write("test", lambda tx: _undo(tx, a.dnt))  # noqa: B023
        store.write("test", lambda tx: tx.remove(_child(tx, "probe")))
        if fault.sent < at:
            assert done
            return
    raise AssertionError("the write has more statements than were tried")


def _child(tx: WriteTx, name: str) -> Dnt:
    row = tx.child(ROOT_DNT, key(name))
    assert row is not None
    return row.dnt


def _undo(tx: WriteTx, a: Dnt) -> None:
    tx.move(a, ROOT_DNT)
    change(tx, a, b"old")
    w = _child(tx, "w")
    child = tx.child(w, key("child"))
    assert child is not None
    tx.remove(child.dnt)
    tx.remove(w)


def test_each_statement_of_a_group_fails_once(store: Store) -> None:
    """Whatever breaks: what was acknowledged is there, what was refused is not, nothing is there in part."""
    for at in range(1, STATEMENTS_MAX):
        before = set(_names(store))
        fault = _arm(store, at, behind=False)
        works = [f"{at}-{number}" for number in range(3)]
        with store.read():
            futures = [store.submit("test", lambda tx, name=name: write_one(tx, name)) for name in works]  # type: ignore[misc]
        done = {name for name, future in zip(works, futures, strict=True) if future.exception(30) is None}
        _disarm(store)
        assert _names(store) == before | done
        if fault.sent < at:
            assert len(done) == 3
            return
    raise AssertionError("the group has more statements than were tried")


def _names(store: Store) -> set[str]:
    with store.read() as tx:
        return check_whole(tx)


@pytest.fixture
def postgres_store(postgres_server: PostgresServer) -> Iterator[tuple[Store, str]]:
    url = postgres_server.new_database()
    made = Store.create(url, KEY, SECRET_ATTS)
    yield made, url
    made.close()
    postgres_server.drop_database(url)


def test_dropped_connections_are_made_anew(
    postgres_store: tuple[Store, str], postgres_server: PostgresServer
) -> None:
    store, url = postgres_store
    a = store.write("test", lambda tx: add(tx, "a", note=b"1"))
    with store.read() as tx:
        tx.get(a)
    postgres_server.drop_clients(url)
    with store.read() as tx:
        assert note_of(tx.get(a)) == b"1"
    postgres_server.drop_clients(url)
    store.write("test", lambda tx: change(tx, a, b"2"))
    with store.read() as tx:
        assert note_of(tx.get(a)) == b"2"


def test_a_connection_that_drops_within_a_read_is_worth_another_try(
    postgres_store: tuple[Store, str], postgres_server: PostgresServer
) -> None:
    store, url = postgres_store
    with store.read() as tx:
        postgres_server.drop_clients(url)
        with pytest.raises(StoreError) as caught:
            tx.get(Dnt(1))
    assert caught.value.retryable
    with store.read() as tx:
        assert tx.get(Dnt(1)) is not None


def test_a_connection_that_drops_within_a_write_is_worth_another_try(
    postgres_store: tuple[Store, str], postgres_server: PostgresServer
) -> None:
    store, url = postgres_store

    def work(tx: WriteTx) -> None:
        write_one(tx, "a")
        postgres_server.drop_clients(url)
        tx.child(ROOT_DNT, key("b"))

    with pytest.raises(StoreError) as caught:
        store.write("test", work)
    assert caught.value.retryable
    assert _names(store) == set()
    store.write("test", lambda tx: write_one(tx, "a"))
    assert _names(store) == {"a"}


def test_a_commit_whose_answer_is_lost_is_told_from_one_that_failed(store: Store) -> None:
    """The connection dies behind COMMIT: the caller learns that it was done. Before it: that it was not."""
    store.write("test", lambda tx: write_one(tx, "a"))
    counted = _arm(store, STATEMENTS_MAX, behind=False)
    store.write("test", lambda tx: write_one(tx, "b"))
    _disarm(store)
    _arm(store, counted.sent, behind=True)
    store.write("test", lambda tx: write_one(tx, "c"))
    assert _names(store) == {"a", "b", "c"}
    _disarm(store)
    _arm(store, counted.sent, behind=False)
    with pytest.raises(StoreError):
        store.write("test", lambda tx: write_one(tx, "d"))
    assert _names(store) == {"a", "b", "c"}


def _spawn(url: str, prefix: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "tests.fault.store_writer_program", url, prefix],
        cwd=ROOT, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip


def _read_until(process: "subprocess.Popen[str]", lines: int) -> list[str]:
    assert process.stdout is not None
    got = []
    for _ in range(lines):
        line = process.stdout.readline()
        assert line.endswith("\n")
        got.append(line[:-1])
    return got


def _kill(processes: Sequence["subprocess.Popen[str]"]) -> list[str]:
    """Kill them all; what they had still acknowledged."""
    for process in processes:
        process.send_signal(signal.SIGKILL)
    rest = [line for process in processes for line in process.communicate()[0].split("\n")[:-1]]
    assert [process.returncode for process in processes] == [-signal.SIGKILL] * len(processes)
    return rest


def test_a_killed_process_loses_nothing_that_it_acknowledged(database_url: str) -> None:
    """kill -9 of two processes that write at once, again and again at other moments."""
    Store.create(database_url, KEY, SECRET_ATTS).close()
    acknowledged: set[str] = set()
    for attempt in range(3):
        processes = [_spawn(database_url, f"{attempt}{who}") for who in "ab"]
        for process in processes:
            acknowledged.update(_read_until(process, 40 + 7 * attempt))
        acknowledged.update(_kill(processes))
        again = Store.open(database_url, KEY, SECRET_ATTS)
        names = _names(again)
        assert acknowledged <= names
        again.write("test", lambda tx: write_one(tx, f"probe-{attempt}"))  # noqa: B023
        acknowledged.add(f"probe-{attempt}")
        again.close()
    if database_url.startswith("sqlite"):
        with sqlite3.connect(database_url.partition("///")[2]) as database:
            assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        database.close()


def test_a_crashed_postgresql_loses_nothing_that_was_acknowledged() -> None:
    """The server dies without a word, recovers when it starts, and the same store goes on."""
    server = PostgresServer()
    try:
        server.init()
        server.start()
        url = server.new_database()
        store = Store.create(url, KEY, SECRET_ATTS)
        for number in range(10):
            store.write("test", lambda tx, name=f"n{number}": write_one(tx, name))  # type: ignore[misc]
        server.stop(signal.SIGQUIT)
        with pytest.raises(StoreError) as caught:
            store.write("test", lambda tx: write_one(tx, "down"))
        assert caught.value.retryable
        with pytest.raises(StoreError):
            store.read()
        server.start()
        assert _names(store) == {f"n{number}" for number in range(10)}
        store.write("test", lambda tx: write_one(tx, "up"))
        store.close()
    finally:
        server.remove()
