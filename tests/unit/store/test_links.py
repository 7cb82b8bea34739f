"""Link values, read forward and back."""

import pytest

from addc.base.errors import StoreError
from addc.base.ids import Dnt
from addc.store.engine import Store
from addc.store.links import LinkRow
from addc.store.tx import WriteTx
from tests.kit.rows import add, stamp

MEMBER, MANAGER = 1, 36


def _value(source: Dnt, target: Dnt, data: bytes = b"", base: int = MEMBER) -> LinkRow:
    return LinkRow(base, source, target, data, 11, 0, stamp(5))


def _fill(tx: WriteTx) -> list[Dnt]:
    made = [add(tx, f"n{number}") for number in range(4)]
    group, x, y, other = made
    for value in (
        _value(group, y), _value(group, x), _value(group, x, b"data"), _value(other, x),
        _value(x, y, base=MANAGER),
    ):  # fmt: skip
        tx.put_link(value)
    return made


def test_links_read_in_both_directions(store: Store) -> None:
    group, x, y, other = store.write("test", _fill)
    with store.read() as tx:
        assert tx.links(MEMBER, group) == [_value(group, x), _value(group, x, b"data"), _value(group, y)]
        assert tx.links(MEMBER, group, after=(x, b""), limit=1) == [_value(group, x, b"data")]
        assert tx.back_links(MEMBER, x) == [
            _value(group, x), _value(group, x, b"data"), _value(other, x)
        ]  # fmt: skip
        assert tx.back_links(MEMBER, x, after=(group, b"data")) == [_value(other, x)]
        assert tx.link_targets(MEMBER, group) == [x, x, y]
        assert tx.link_sources(MEMBER, x) == [group, group, other]
        assert tx.link_sources(MEMBER, x, 1) == [group]
        assert tx.link_bases((x, y)) == {x: [MANAGER]}
        assert tx.link_bases((x, y), back=True) == {x: [MEMBER], y: [MEMBER, MANAGER]}
        assert [one.link_base for one in tx.all_links(x)] == [MANAGER]
        assert [one.link_base for one in tx.all_back_links(y)] == [MEMBER, MANAGER]
        assert (tx.link_count(MEMBER, group), tx.link_count(MEMBER, group, 2)) == (3, 2)
        assert tx.link(MEMBER, group, x, b"data") == _value(group, x, b"data")
        assert tx.link(MEMBER, group, other) is None


def test_a_deleted_value_is_kept_but_not_listed(store: Store) -> None:
    group, x, y, _ = store.write("test", _fill)
    gone = _value(group, y)._replace(deleted_ft=99, stamp=stamp(7, 2))
    store.write("test", lambda tx: tx.update_link(gone))
    with store.read() as tx:
        assert tx.link(MEMBER, group, y) == gone and gone.deleted
        assert tx.link_targets(MEMBER, group) == [x, x]
        assert tx.links(MEMBER, group, deleted=True)[-1] == gone
        assert (tx.back_links(MEMBER, y), tx.back_links(MEMBER, y, deleted=True)) == ([], [gone])
        assert tx.link_count(MEMBER, group) == 2


def test_a_value_goes_for_good(store: Store) -> None:
    group, x, _, _ = store.write("test", _fill)
    assert store.write("test", lambda tx: tx.delete_link(MEMBER, group, x, b"data"))
    assert not store.write("test", lambda tx: tx.delete_link(MEMBER, group, x, b"data"))
    with store.read() as tx:
        assert tx.link(MEMBER, group, x, b"data") is None
        assert tx.link(MEMBER, group, x) is not None


def test_a_value_is_there_once_and_updates_need_it(store: Store) -> None:
    group, x, y, other = store.write("test", _fill)
    with pytest.raises(StoreError):
        store.write("test", lambda tx: tx.put_link(_value(group, y)))
    with pytest.raises(StoreError):
        store.write("test", lambda tx: tx.update_link(_value(other, y)))
    with pytest.raises(StoreError):
        store.write("test", lambda tx: tx.put_link(_value(Dnt(99), x)))


def test_links_of_many_rows_are_read_together(store: Store) -> None:
    group, x, y, other = store.write("test", _fill)
    with store.read() as tx:
        assert tx.link_ends(MEMBER, group, back=False) == [(x, b""), (x, b"data"), (y, b"")]
        assert tx.link_ends(MEMBER, group, back=False, after=(x, b""), limit=1) == [(x, b"data")]
        assert tx.link_ends(MEMBER, x, back=True) == [(group, b""), (group, b"data"), (other, b"")]
        assert tx.link_ends_of(MEMBER, (x, y, group), 9, back=True) == {
            x: [(group, b""), (group, b"data"), (other, b"")],
            y: [(group, b"")],
        }
        assert tx.link_ends_of(MEMBER, (group, other), 4, back=False) == {
            group: [(x, b""), (x, b"data"), (y, b"")],
            other: [(x, b"")],
        }
        assert tx.link_ends_of(MEMBER, (group, other), 3, back=False) is None
        everything = [Dnt(number) for number in range(1, 100)]
        assert tx.link_bases(everything) == {group: [MEMBER], other: [MEMBER], x: [MANAGER]}
