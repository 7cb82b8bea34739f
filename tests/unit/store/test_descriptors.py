"""Security descriptors and named states."""

import pytest

from addc.base.errors import StoreError
from addc.store.engine import Store
from addc.store.tx import WriteTx
from tests.kit.rows import add


def test_equal_descriptors_are_one(store: Store) -> None:
    def work(tx: WriteTx) -> tuple[int, int, int]:
        return tx.put_descriptor(b"one"), tx.put_descriptor(b"two"), tx.put_descriptor(b"one")

    first, second, third = store.write("test", work)
    assert first == third != second
    assert store.write("test", lambda tx: tx.put_descriptor(b"one")) == first
    with store.read() as tx:
        assert (tx.descriptor(first), tx.descriptor(second)) == (b"one", b"two")
        with pytest.raises(StoreError):
            tx.descriptor(7)


def test_an_id_never_comes_to_mean_other_bytes(store: Store) -> None:
    """Not even when the write that first used it failed, since caches may have seen it."""
    seen: list[int] = []

    def fails(tx: WriteTx) -> None:
        seen.append(tx.put_descriptor(b"one"))
        raise KeyError

    with pytest.raises(KeyError):
        store.write("test", fails)
    other = store.write("test", lambda tx: tx.put_descriptor(b"two"))
    assert other != seen[0]
    assert store.write("test", lambda tx: tx.put_descriptor(b"one")) == seen[0]


def test_descriptors_that_nobody_uses_are_swept(store: Store) -> None:
    def work(tx: WriteTx) -> tuple[int, int]:
        used, unused = tx.put_descriptor(b"used"), tx.put_descriptor(b"unused")
        row = tx.get(add(tx, "a"))
        assert row is not None
        tx.update(row, sd_id=used)
        return used, unused

    used, unused = store.write("test", work)
    assert store.write("test", lambda tx: tx.sweep_descriptors()) == 1
    with store.read() as tx:
        assert tx.descriptor(used) == b"used"
    assert store.write("test", lambda tx: tx.put_descriptor(b"unused")) == unused


def test_states_are_set_changed_and_removed(store: Store) -> None:
    def work(tx: WriteTx) -> None:
        tx.set_state("forest", b"one")
        tx.set_state("forest", b"two")
        tx.set_state("other", b"x")
        tx.set_state("other", None)
        assert (tx.state("forest"), tx.state("other")) == (b"two", None)

    store.write("test", work)
    with store.read() as tx:
        assert (tx.state("forest"), tx.state("other")) == (b"two", None)
