"""The attribute index: equality, ranges, prefixes, counts, pages."""

from addc.base.ids import AttId, Dnt
from addc.store.engine import Store
from addc.store.index import KEY_SIZE_MAX, successor
from addc.store.tx import WriteTx
from tests.kit.rows import add

A, B = AttId(100), AttId(101)


def _fill(tx: WriteTx) -> list[Dnt]:
    made = [add(tx, f"n{number}") for number in range(4)]
    tx.set_index(made[0], A, [b"apple", b"pear"])
    tx.set_index(made[1], A, [b"apricot"])
    tx.set_index(made[2], A, [b"apple"])
    tx.set_index(made[3], B, [b"apple", b"\xff\xff"])
    return made


def test_equality_and_counts(store: Store) -> None:
    w, x, y, z = store.write("test", _fill)
    with store.read() as tx:
        assert tx.index_eq(A, b"apple") == [w, y]
        assert tx.index_eq(A, b"apple", 1) == [w]
        assert tx.index_eq(A, b"apple", after=w) == [y]
        assert tx.index_eq(A, b"appl") == []
        assert tx.index_eq(B, b"apple") == [z]
        assert (tx.index_count(A, b"apple"), tx.index_count(A, b"apple", 1)) == (2, 1)
        assert tx.index_count(A, b"none") == 0
        assert tx.index_eq(A, b"apricot") == [x]


def test_ranges_and_prefixes(store: Store) -> None:
    w, x, y, z = store.write("test", _fill)
    with store.read() as tx:
        assert tx.index_range(A, b"apple", b"apricot") == [w, y, x]
        assert tx.index_range(A, None, None) == [w, y, x]
        assert tx.index_range(A, b"apples", None) == [x, w]
        assert tx.index_range(A, None, b"apple") == [w, y]
        assert tx.index_range(A, None, None, 2) == [w, y]
        assert tx.index_prefix(A, b"ap") == [w, y, x]
        assert tx.index_prefix(A, b"apr") == [x]
        assert tx.index_prefix(B, b"\xff") == [z]
        assert tx.index_scan(A, b"", None, 10, (b"apple", w)) == [
            (b"apple", y),
            (b"apricot", x),
            (b"pear", w),
        ]
        assert tx.index_scan(A, b"apple", b"pear", 1) == [(b"apple", w)]
        assert tx.index_range_count(A, None, None) == 4
        assert tx.index_range_count(A, b"apple", b"b", 2) == 2


def test_setting_keys_replaces_those_of_one_attribute(store: Store) -> None:
    w, _, y, z = store.write("test", _fill)

    def work(tx: WriteTx) -> None:
        tx.set_index(w, A, [b"pear", b"plum", b"plum"])
        tx.set_index(y, A, [])
        tx.drop_index(z)

    store.write("test", work)
    with store.read() as tx:
        assert tx.index_eq(A, b"apple") == []
        assert tx.index_prefix(A, b"p") == [w]
        assert tx.index_range(B, None, None) == []


def test_long_keys_are_cut_and_still_found(store: Store) -> None:
    long = b"k" * (KEY_SIZE_MAX + 500)

    def work(tx: WriteTx) -> Dnt:
        dnt = add(tx, "n")
        tx.set_index(dnt, A, [long + b"1", long + b"2"])
        return dnt

    dnt = store.write("test", work)
    with store.read() as tx:
        assert tx.index_eq(A, long + b"1") == [dnt]
        assert tx.index_prefix(A, long) == [dnt]
        assert tx.index_range(A, long + b"0", long + b"9") == [dnt]
        assert tx.index_range(A, None, long) == [dnt]


def test_the_successor_of_a_prefix() -> None:
    assert successor(b"ab") == b"ac"
    assert successor(b"a\xff\xff") == b"b"
    assert successor(b"\xff") is None
    assert successor(b"") is None
