"""Readers and writers at once: USNs in commit order, snapshots that hold still, on every process."""

import threading
from concurrent.futures import ThreadPoolExecutor

from addc.base.ids import Dnt, Usn
from addc.store.engine import Store
from addc.store.objects import ROOT_DNT
from addc.store.tx import WriteTx
from tests.kit.databases import Opener
from tests.kit.rows import add, change, note_of

WRITES = 60


def test_no_reader_sees_a_usn_before_all_changes_up_to_it(store: Store, open_again: Opener) -> None:
    """Every USN is one new row here, so a snapshot with USN n holds exactly n of them."""
    stores = [store, open_again()]
    nc = store.write("test", lambda tx: add(tx, "nc"))
    stop = threading.Event()

    def write(one: Store, who: str) -> None:
        for number in range(WRITES):
            one.write("test", lambda tx: add(tx, f"{who}{number}", nc, nc))  # noqa: B023

    def watch(one: Store) -> int:
        seen = 0
        while not stop.is_set():
            with one.read() as tx:
                usns = [row.usn_changed for row in tx.get_many(tx.changes(nc, Usn(0)))]
                assert usns == list(range(1, tx.usn + 1))
                assert tx.usn >= seen
                seen = tx.usn
                assert len(tx.changes(nc, Usn(0))) == seen
        return seen

    with ThreadPoolExecutor(8) as pool:
        watchers = [pool.submit(watch, one) for one in stores]
        writers = [pool.submit(write, one, f"{who}") for who, one in enumerate(stores * 2)]
        for done in writers:
            done.result()
        stop.set()
        for watcher in watchers:
            watcher.result()
    with store.read() as tx:
        assert tx.usn == 1 + 4 * WRITES


def test_rows_of_one_snapshot_fit_together(store: Store, open_again: Opener) -> None:
    """Two rows always change together; no reader, cached or not, ever sees them differ."""
    stores = [store, open_again()]
    a, b = store.write("test", lambda tx: [add(tx, "a", note=b"0"), add(tx, "b", note=b"0")])
    stop = threading.Event()

    def count_up(tx: WriteTx) -> None:
        note = b"%d" % (int(note_of(tx.get(a))) + 1)
        assert note_of(tx.get(a)) == note_of(tx.get(b))
        change(tx, a, note)
        change(tx, b, note)

    def write(one: Store) -> None:
        for _ in range(WRITES):
            one.write("test", count_up)

    def watch(one: Store) -> None:
        last = 0
        while not stop.is_set():
            with one.read() as tx, one.read() as later:
                first = note_of(tx.get(a))
                assert note_of(later.get(b)) == note_of(later.get(a))
                assert first == note_of(tx.get(b))
                assert last <= int(first) <= int(note_of(later.get(a)))
                last = int(first)

    with ThreadPoolExecutor(8) as pool:
        watchers = [pool.submit(watch, one) for one in stores * 2]
        for done in [pool.submit(write, one) for one in stores]:
            done.result()
        stop.set()
        for watcher in watchers:
            watcher.result()
    with store.read() as tx:
        assert note_of(tx.get(a)) == b"%d" % (2 * WRITES)


def test_threads_that_end_give_their_connections_back(store: Store) -> None:
    def look() -> None:
        with store.read() as tx:
            assert tx.get(Dnt(1)) is not None

    for _ in range(10):
        thread = threading.Thread(target=look)
        thread.start()
        thread.join()
    with store._lock:
        assert len(store._connections) <= 2


def test_a_thread_may_hold_several_snapshots(store: Store) -> None:
    held = []
    for number in range(6):
        held.append(store.read())
        store.write("test", lambda tx, name=f"n{number}": add(tx, name))  # type: ignore[misc]
    for number, tx in enumerate(held):
        assert (tx.usn, len(tx.child_dnts(ROOT_DNT))) == (number, number)
        tx.__exit__(None, None, None)
