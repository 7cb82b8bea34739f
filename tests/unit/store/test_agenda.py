"""Work that waits: found by its time or by its row, gone with its row."""

import pytest

from addc.base.ids import Dnt
from addc.store.agenda import Due
from addc.store.engine import Store
from addc.store.tx import WriteTx
from tests.kit.rows import add

LATER, SOON, OTHER = 200, 100, "other"


def _fill(tx: WriteTx) -> tuple[Dnt, Dnt]:
    one, two = add(tx, "one"), add(tx, "two")
    for due in (
        Due("link", one, b"b", LATER), Due("link", one, b"a", SOON), Due("link", two, b"", SOON),
        Due(OTHER, one, b"", 0),
    ):  # fmt: skip
        tx.put_due(due)
    return one, two


def test_work_is_found_by_its_time(store: Store) -> None:
    one, two = store.write("test", _fill)
    with store.read() as tx:
        assert tx.due("link", SOON) == [Due("link", one, b"a", SOON), Due("link", two, b"", SOON)]
        assert tx.due("link", LATER, 1) == [Due("link", one, b"a", SOON)]
        assert tx.due("link", SOON - 1) == []
        assert (tx.next_due("link"), tx.next_due(OTHER), tx.next_due("none")) == (SOON, 0, None)


def test_work_is_found_by_its_row(store: Store) -> None:
    one, _ = store.write("test", _fill)
    with store.read() as tx:
        assert tx.due_of("link", one) == [Due("link", one, b"a", SOON), Due("link", one, b"b", LATER)]


def test_putting_work_again_changes_its_time(store: Store) -> None:
    one, two = store.write("test", _fill)
    store.write("test", lambda tx: tx.put_due(Due("link", one, b"a", LATER + 1)))
    with store.read() as tx:
        assert tx.due("link", SOON) == [Due("link", two, b"", SOON)]
        assert tx.due_of("link", one)[0].due_ft == LATER + 1


def test_a_work_put_twice_in_one_transaction_waits_once(store: Store) -> None:
    def twice(tx: WriteTx) -> Dnt:
        dnt = add(tx, "one")
        tx.put_due(Due("link", dnt, b"", LATER))
        tx.put_due(Due("link", dnt, b"", SOON))
        return dnt

    dnt = store.write("test", twice)
    with store.read() as tx:
        assert tx.due_of("link", dnt) == [Due("link", dnt, b"", SOON)]


def test_dropped_work_waits_no_more(store: Store) -> None:
    one, _ = store.write("test", _fill)
    assert store.write("test", lambda tx: tx.drop_due("link", one, b"a"))
    assert not store.write("test", lambda tx: tx.drop_due("link", one, b"a"))
    with store.read() as tx:
        assert tx.due_of("link", one) == [Due("link", one, b"b", LATER)]


def test_a_removed_row_takes_its_work_along(store: Store) -> None:
    one, two = store.write("test", _fill)
    store.write("test", lambda tx: tx.remove(one))
    with store.read() as tx:
        assert tx.due("link", LATER) == [Due("link", two, b"", SOON)]
        assert tx.next_due(OTHER) is None


def test_a_failed_work_puts_nothing(store: Store) -> None:
    def fails(tx: WriteTx) -> None:
        _fill(tx)
        raise ValueError("changed its mind")

    with pytest.raises(ValueError, match="changed"):
        store.write("test", fails)
    with store.read() as tx:
        assert tx.next_due("link") is None
