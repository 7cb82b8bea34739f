"""Group commit: works together, failures apart, answers after the commit."""

import threading
from concurrent.futures import Future, wait

import pytest

from addc.base.errors import StoreError
from addc.base.ids import Dnt, Usn
from addc.store.engine import Store
from addc.store.objects import ROOT_DNT
from addc.store.tx import WriteTx
from addc.store.writer import Committed
from tests.kit.databases import Opener
from tests.kit.rows import add, change, key


class Gate:
    """A work that holds the writer until the test lets it go, so that others queue up behind it."""

    def __init__(self, store: Store) -> None:
        self._entered, self._leave = threading.Event(), threading.Event()
        self.future = store.submit("gate", self._work)
        assert self._entered.wait(10)

    def _work(self, tx: WriteTx) -> None:
        self._entered.set()
        assert self._leave.wait(10)

    def open(self) -> None:
        self._leave.set()


def _submit_adds(store: Store, names: list[str]) -> list[Future[Dnt]]:
    return [store.submit("add", lambda tx, name=name: add(tx, name)) for name in names]  # type: ignore[misc]


def test_queued_works_share_a_commit(store: Store) -> None:
    with store.read() as tx:
        before = tx.seq
    gate = Gate(store)
    futures = _submit_adds(store, [f"n{number}" for number in range(8)])
    gate.open()
    wait(futures)
    assert len({future.result() for future in futures}) == 8
    with store.read() as tx:
        assert (tx.seq, tx.usn) == (before + 1, 8)


def test_a_failing_work_takes_back_only_itself(store: Store) -> None:
    def fails(tx: WriteTx) -> None:
        add(tx, "gone")
        tx.set_state("gone", b"x")
        raise ValueError("mine")

    gate = Gate(store)
    first = store.submit("a", lambda tx: add(tx, "a"))
    broken = store.submit("b", fails)
    clash = store.submit("c", lambda tx: add(tx, "a"))
    swallowed = store.submit("d", _swallow)
    last = store.submit("e", lambda tx: add(tx, "e"))
    gate.open()
    with pytest.raises(ValueError, match="mine"):
        broken.result(10)
    for future in (clash, swallowed):
        with pytest.raises(StoreError):
            future.result(10)
    with store.read() as tx:
        assert tx.child_dnts(ROOT_DNT) == [first.result(), last.result()]
        assert tx.state("gone") is None
        usns = [row.usn_changed for row in tx.get_many(tx.child_dnts(ROOT_DNT))]
        assert usns == sorted(set(usns)) and usns[-1] <= tx.usn


def _swallow(tx: WriteTx) -> str:
    """Hides a failed statement; what it did is not kept all the same."""
    add(tx, "d")
    try:
        add(tx, "a")
        tx.index_eq(3, b"")  # type: ignore[arg-type]
    except StoreError:
        pass
    return "fine"


def test_a_work_that_swallows_a_failure_fails(store: Store) -> None:
    store.write("test", lambda tx: add(tx, "a"))
    with pytest.raises(StoreError):
        store.write("test", _swallow)
    with store.read() as tx:
        assert len(tx.child_dnts(ROOT_DNT)) == 1


def test_usns_of_failed_works_are_never_those_of_others(store: Store) -> None:
    drawn: list[Usn] = []

    def draw(tx: WriteTx) -> None:
        drawn.append(tx.next_usn())
        tx.set_state("x", b"%d" % drawn[-1])

    def fails(tx: WriteTx) -> None:
        tx.next_usn()
        raise KeyError

    gate = Gate(store)
    futures = [store.submit("test", work) for work in (draw, fails, draw, fails, fails, draw)]
    gate.open()
    wait(futures)
    assert drawn == sorted(set(drawn))
    with store.read() as tx:
        assert tx.usn >= drawn[-1]
    store.write("test", draw)
    assert drawn == sorted(set(drawn))


def test_a_work_without_changes_commits_nothing(store: Store) -> None:
    called: list[str] = []
    with store.read() as tx:
        before = tx.seq

    def work(tx: WriteTx) -> str:
        tx.after_commit(lambda: called.append("hook"))
        return "result"

    assert store.write("test", work) == "result"
    with store.read() as tx:
        assert (tx.seq, called) == (before, ["hook"])


def test_hooks_run_after_the_commit_and_before_the_answer(store: Store) -> None:
    seen: list[tuple[str, bool]] = []

    def visible() -> bool:
        with store.read() as tx:
            return tx.child(ROOT_DNT, key("a")) is not None

    def work(tx: WriteTx) -> None:
        add(tx, "a")
        tx.after_commit(lambda: seen.append(("hook", visible() and not future.done())))

    def fails(tx: WriteTx) -> None:
        tx.after_commit(lambda: seen.append(("never", True)))
        raise KeyError

    gate = Gate(store)
    future = store.submit("a", work)
    broken = store.submit("b", fails)
    gate.open()
    wait([future, broken])
    assert seen == [("hook", True)]


def test_subscribers_learn_what_changed(store: Store) -> None:
    changes: list[Committed] = []
    store.write("test", lambda tx: add(tx, "before"))
    end = store.subscribe(changes.append)

    def work(tx: WriteTx) -> tuple[Dnt, Dnt]:
        a = add(tx, "a")
        return a, add(tx, "b", a, a)

    a, b = store.write("test", work)
    store.write("test", lambda tx: tx.set_state("x", b""))
    store.write("test", lambda tx: None)
    end()
    store.write("test", lambda tx: add(tx, "after"))
    assert changes == [
        Committed(Usn(2), Usn(3), frozenset({a}), frozenset({a, b})),
        Committed(Usn(4), Usn(3), frozenset(), frozenset()),
    ]


def test_a_broken_subscriber_does_not_stop_the_writer(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    reported: list[BaseException | None] = []
    monkeypatch.setattr("addc.store.writer.excepthook", lambda args: reported.append(args.exc_value))

    def broken(_: Committed) -> None:
        raise KeyError("hook")

    changes: list[Committed] = []
    store.subscribe(broken)
    store.subscribe(changes.append)
    store.write("test", lambda tx: add(tx, "a"))
    store.write("test", lambda tx: add(tx, "b"))
    store.close()
    assert len(changes) == 2
    assert [type(error) for error in reported] == [KeyError, KeyError]


def test_poll_tells_of_other_processes(store: Store, open_again: Opener) -> None:
    other = open_again()
    changes: list[Committed] = []
    other.subscribe(changes.append)
    a = store.write("test", lambda tx: add(tx, "a"))
    store.write("test", lambda tx: change(tx, a, b"x"))
    assert changes == []
    other.poll()
    assert changes == [
        Committed(Usn(1), Usn(1), frozenset({a}), frozenset({a})),
        Committed(Usn(2), Usn(2), frozenset({a}), frozenset({a})),
    ]
    other.write("test", lambda tx: change(tx, a, b"y"))
    changes.clear()
    other.poll()
    assert changes == []


def test_a_cancelled_work_does_not_run(store: Store) -> None:
    gate = Gate(store)
    future = store.submit("test", lambda tx: add(tx, "a"))
    assert future.cancel()
    gate.open()
    store.write("test", lambda tx: None)
    with store.read() as tx:
        assert not tx.has_children(ROOT_DNT)


def test_close_finishes_what_is_queued(store: Store, open_again: Opener) -> None:
    other = open_again()
    gate = Gate(store)
    futures = _submit_adds(store, ["a", "b"])
    gate.open()
    store.close()
    assert all(future.done() for future in futures)
    with other.read() as tx:
        assert len(tx.child_dnts(ROOT_DNT)) == 2
