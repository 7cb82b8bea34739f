"""Caches that cannot lie: old snapshots, other processes, moves, overflow."""

import pytest

from addc.base.ids import Dnt
from addc.store import state
from addc.store.cache import RowCache
from addc.store.engine import Store
from addc.store.objects import ROOT_DNT, ROOT_ROW, ObjectRow, path_dnts
from addc.store.tx import WriteTx
from tests.kit.databases import Opener
from tests.kit.rows import add, change, key, note_of


def _row(store: Store, dnt: int, seen: int) -> ObjectRow:
    return ObjectRow((dnt, *ROOT_ROW[1:]), store._context, seen)


def test_a_snapshot_keeps_its_rows_whatever_is_written(store: Store) -> None:
    dnt = store.write("test", lambda tx: add(tx, "a", note=b"old"))
    with store.read() as before:
        assert note_of(before.get(dnt)) == b"old"
        store.write("test", lambda tx: change(tx, dnt, b"new"))
        with store.read() as after:
            assert note_of(after.get(dnt)) == b"new"
            assert note_of(before.get(dnt)) == b"old"
            assert note_of(after.get(dnt)) == b"new"
        assert (before.usn, after.usn) == (1, 2)
        row = before.by_guid(note_row.guid) if (note_row := before.get(dnt)) is not None else None
        assert note_of(row) == b"old"
        assert note_of(before.child(ROOT_DNT, key("a"))) == b"old"


def test_a_snapshot_does_not_see_rows_made_later(store: Store) -> None:
    with store.read() as before:
        dnt = store.write("test", lambda tx: add(tx, "a", note=b"x"))
        with store.read() as after:
            assert after.child(ROOT_DNT, key("a")) is not None
            assert after.get(dnt) is not None
        assert before.get(dnt) is None
        assert before.child(ROOT_DNT, key("a")) is None


def test_another_process_sees_every_commit(store: Store, open_again: Opener) -> None:
    other = open_again()
    a = store.write("test", lambda tx: add(tx, "a", note=b"0"))
    for number in range(5):
        with other.read() as tx:
            assert note_of(tx.get(a)) == b"%d" % number
            assert note_of(tx.child(ROOT_DNT, key("a"))) == b"%d" % number
        writer = other if number % 2 else store
        writer.write("test", lambda tx, note=b"%d" % (number + 1): change(tx, a, note))  # type: ignore[misc]


def test_another_process_sees_a_moved_subtree(store: Store, open_again: Opener) -> None:
    other = open_again()

    def tree(tx: WriteTx) -> list[Dnt]:
        a = add(tx, "a")
        b = add(tx, "b", a)
        return [a, b, add(tx, "c", b), add(tx, "d")]

    a, b, c, d = store.write("test", tree)
    with other.read() as tx:
        assert [path_dnts(row.path) for row in tx.get_many([b, c])] == [[1, a, b], [1, a, b, c]]
    store.write("test", lambda tx: tx.move(b, d))
    with other.read() as tx:
        assert [path_dnts(row.path) for row in tx.get_many([b, c])] == [[1, d, b], [1, d, b, c]]
        assert tx.child(a, key("b")) is None


def test_another_process_sees_sids_come_and_go(store: Store, open_again: Opener) -> None:
    other = open_again()
    a, b = store.write("test", lambda tx: [add(tx, "a"), add(tx, "b")])

    def set_sid(dnt: Dnt, sid: bytes | None) -> None:
        store.write("test", lambda tx: tx.update(tx.get_many([dnt])[0], sid=sid))

    for dnt, sid, found in ((a, b"s", [a]), (b, b"s", [a, b]), (a, None, [b]), (b, b"t", [])):
        with store.read() as one, other.read() as two:
            one.by_sid(b"s"), two.by_sid(b"s")
        set_sid(dnt, sid)
        with store.read() as one, other.read() as two:
            assert [row.dnt for row in one.by_sid(b"s")] == [row.dnt for row in two.by_sid(b"s")] == found


def test_a_name_that_goes_to_another_row_is_followed(store: Store, open_again: Opener) -> None:
    other = open_again()
    a, b = store.write("test", lambda tx: [add(tx, "a", note=b"1"), add(tx, "b", note=b"2")])
    with other.read() as tx:
        assert note_of(tx.child(ROOT_DNT, key("a"))) == b"1"

    def swap(tx: WriteTx) -> None:
        one, two = tx.get_many([a, b])
        tx.update(one, rdn_key=key("tmp"))
        tx.update(two, rdn_key=key("a"))
        tx.update(one, rdn_key=key("b"))

    store.write("test", swap)
    with other.read() as tx:
        assert note_of(tx.child(ROOT_DNT, key("a"))) == b"2"
        assert note_of(tx.child(ROOT_DNT, key("b"))) == b"1"


def test_a_process_that_lags_behind_the_log_starts_afresh(
    store: Store, open_again: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(state, "COMMIT_LOG_KEPT", 3)
    other = open_again()
    a = store.write("test", lambda tx: add(tx, "a", note=b"0"))
    with other.read() as tx:
        tx.get(a)
    for number in range(10):
        store.write("test", lambda tx, note=b"%d" % number: change(tx, a, note))  # type: ignore[misc]
    with other.read() as tx:
        assert note_of(tx.get(a)) == b"9"
        assert len(tx.log_after(0)) == 3


def test_a_commit_too_large_to_name_its_rows_is_seen(
    store: Store, open_again: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(state, "COMMIT_DNTS_MAX", 2)
    other = open_again()
    made = store.write("test", lambda tx: [add(tx, f"n{number}", note=b"old") for number in range(4)])
    with other.read() as tx:
        assert {note_of(row) for row in tx.get_many(made)} == {b"old"}
    store.write("test", lambda tx: [change(tx, dnt, b"new") for dnt in made])
    with other.read() as tx, store.read() as own:
        assert {note_of(row) for row in (*tx.get_many(made), *own.get_many(made))} == {b"new"}


def test_what_a_failed_work_read_and_wrote_is_forgotten(store: Store) -> None:
    a = store.write("test", lambda tx: add(tx, "a", note=b"old"))

    def fails(tx: WriteTx) -> None:
        change(tx, a, b"never")
        assert note_of(tx.get(a)) == b"never"
        add(tx, "b")
        raise KeyError

    with pytest.raises(KeyError):
        store.write("test", fails)
    with store.read() as tx:
        assert note_of(tx.get(a)) == b"old"
        assert tx.child(ROOT_DNT, key("b")) is None
    assert store.write("test", lambda tx: note_of(tx.get(a))) == b"old"


def test_the_cache_is_bounded_and_keeps_what_is_used(store: Store) -> None:
    cache = RowCache(10)
    cache.reset(1)
    for dnt in range(2, 100):
        cache.put(_row(store, dnt, 1))
        assert cache.get(2, 1) is not None
        assert len(cache) <= 11
    assert cache.get(3, 1) is None
    assert cache.get(99, 1) is not None


def test_a_row_read_at_a_passed_snapshot_does_not_enter(store: Store) -> None:
    cache = RowCache(10)
    cache.reset(1)
    cache.advance(1, 2, [5], False)
    cache.put(_row(store, 5, 1))
    assert cache.get(5, 2) is None
    cache.put(_row(store, 5, 2))
    assert cache.get(5, 2) is not None
    assert cache.get(5, 1) is None  # an older reader may have to see the row as it was


def test_advancing_over_a_gap_drops_everything(store: Store) -> None:
    cache = RowCache(10)
    cache.reset(1)
    cache.put(_row(store, 5, 1))
    cache.put_sid(b"s", (Dnt(5),), 1)
    cache.advance(3, 4, [], False)
    assert (cache.seq, cache.get(5, 4), cache.get_sid(b"s", 4)) == (4, None, None)
    cache.advance(2, 3, [], False)
    assert cache.seq == 4


def test_an_answer_is_good_for_its_own_snapshot_alone() -> None:
    cache = RowCache()
    cache.keep_answer(("index", 1), 5, [1, 2])
    assert cache.answer(("index", 1), 5) == [1, 2]
    assert cache.answer(("index", 1), 6) is None
    assert cache.answer(("index", 1), 4) is None
    cache.reset(9)
    assert cache.answer(("index", 1), 5) is None


def test_a_walk_pushes_nothing_out_and_sees_its_snapshot(store: Store) -> None:
    dnts = store.write("test", lambda tx: [add(tx, f"n{number}", note=b"old") for number in range(40)])
    cache = RowCache(20)
    with store.read() as tx:
        tx._cache = cache
        cache.reset(tx.seq)
        used = tx.get_many(dnts[:8])
        assert [row.dnt for row in tx.pass_by([Dnt(10**9), *reversed(dnts)])] == [*reversed(dnts)]
        assert [row.dnt for row in tx.pass_by([dnts[-1], dnts[0], dnts[20]])] == [dnts[-1], dnts[0], dnts[20]]
        assert len(cache) <= 20
        assert all(cache.peek(row.dnt, tx.seq) is row for row in used)
        store.write("test", lambda tx: change(tx, dnts[3], b"new"))
        assert [note_of(row) for row in tx.pass_by(dnts)] == [note_of(row) for row in tx.get_many(dnts)]
    with store.read() as tx:
        assert note_of(tx.pass_by(dnts)[3]) == b"new"


def test_a_walk_of_the_writer_sees_what_it_wrote(store: Store) -> None:
    dnts = store.write("test", lambda tx: [add(tx, f"n{number}", note=b"old") for number in range(40)])

    def work(tx: WriteTx) -> list[bytes]:
        change(tx, dnts[5], b"own")
        more = add(tx, "more", note=b"new")
        return [note_of(row) for row in tx.pass_by([*dnts, more])]

    found = store.write("test", work)
    assert (len(found), found[5]) == (41, b"own")
