"""Object rows: add, find, change, move, remove; inside a transaction and after it."""

import pytest

from addc.base.errors import StoreError
from addc.base.ids import AttId, Dnt, Usn
from addc.store.engine import Store
from addc.store.links import LinkRow
from addc.store.objects import NO_GUID, ROOT_DNT, NewObject, ObjectState, path_dnts
from addc.store.tx import WriteTx
from tests.kit.rows import CN, NOTE, add, change, guid, key, note_of, stamp


def _tree(tx: WriteTx) -> list[Dnt]:
    """root - a - b - c, and root - a - d."""
    a = add(tx, "a")
    b = add(tx, "b", a, a)
    c = add(tx, "c", b, a, b"deep")
    return [a, b, c, add(tx, "d", a, a)]


def test_the_root_is_there(store: Store) -> None:
    with store.read() as tx:
        root = tx.get(ROOT_DNT)
        assert root is not None
        assert (root.parent, root.guid, root.state) == (0, NO_GUID, ObjectState.PHANTOM)
        assert path_dnts(root.path) == [ROOT_DNT]
        assert (tx.usn, tx.get(Dnt(2)), tx.by_guid(NO_GUID)) == (0, None, None)


def test_a_row_reads_as_it_was_written(store: Store) -> None:
    new = NewObject(
        parent=ROOT_DNT, nc=Dnt(0), rdn_att=CN, rdn="Größe\n\0\U0001f600", rdn_key=key("g"), guid=guid(1),
        sid=b"sid", instance_type=5, state=ObjectState.DELETED, class_id=AttId(0x10005), sd_id=9,
        usn_created=Usn(3), usn_changed=Usn(4), attrs={NOTE: (b"x", b"y")}, meta={NOTE: stamp(4)},
    )  # fmt: skip
    dnt = store.write("test", lambda tx: tx.insert(new))
    with store.read() as tx:
        row = tx.get(dnt)
        assert row is not None
        assert (row.dnt, row.nc, row.parent, row.path) == (
            dnt,
            dnt,
            1,
            b"\0" * 7 + b"\1" + dnt.to_bytes(8, "big"),
        )
        assert (row.rdn_att, row.rdn, row.rdn_key) == (CN, "Größe\n\0\U0001f600", key("g"))
        assert (row.guid, row.sid, row.instance_type) == (guid(1), b"sid", 5)
        assert (row.state, row.class_id, row.sd_id) == (ObjectState.DELETED, 0x10005, 9)
        assert (row.usn_created, row.usn_changed, row.is_deleted) == (3, 4, True)
        assert (row.attrs, row.meta) == ({NOTE: (b"x", b"y")}, {NOTE: stamp(4)})


def test_rows_are_found_by_name_guid_and_sid(store: Store) -> None:
    a, b, _, _ = store.write("test", _tree)
    store.write("sid", lambda tx: [tx.update(tx.get_many([dnt])[0], sid=b"same") for dnt in (b, a)])
    for _ in range(2):  # from the database, then from the cache
        with store.read() as tx:
            row = tx.child(a, key("B"))
            assert row is not None and row.dnt == b
            found = tx.by_guid(row.guid)
            assert found is not None and found.dnt == b
            assert [one.dnt for one in tx.by_sid(b"same")] == [a, b]
            assert tx.child(a, key("x")) is None
            assert tx.by_guid(guid(99)) is None
            assert tx.by_sid(b"none") == []


def test_get_many_keeps_the_order_and_leaves_out_what_is_missing(store: Store) -> None:
    made = store.write("test", lambda tx: [add(tx, f"n{number}") for number in range(70)])
    wanted = [made[5], Dnt(9999), *reversed(made), made[5]]
    with store.read() as tx:
        found = [row.dnt for row in tx.get_many(wanted)]
        assert found == [dnt for dnt in wanted if dnt != 9999]
        assert [row.dnt for row in tx.get_many(wanted)] == found


def test_children_and_subtrees_come_in_order_and_in_pages(store: Store) -> None:
    a, b, c, d = store.write("test", _tree)
    with store.read() as tx:
        assert tx.child_dnts(a) == [b, d]
        assert tx.child_dnts(a, limit=1) == [b]
        assert tx.child_dnts(a, after=b) == [d]
        assert tx.children(a, key("b"), 5) == [(key("d"), d)]
        assert (tx.has_children(a), tx.has_children(c)) == (True, False)
        rows = {dnt: row for dnt in (a, b, c, d) if (row := tx.get(dnt)) is not None}
        assert tx.subtree_dnts(rows[a].path) == [a, b, c, d]
        assert tx.subtree_dnts(rows[b].path) == [b, c]
        assert tx.subtree_dnts(rows[a].path, after=b, limit=1) == [c]
        assert tx.subtree_paths(rows[a].path, rows[c].path) == [rows[d].path]


def test_the_subtree_of_a_row_leaves_out_its_neighbours(store: Store) -> None:
    made = store.write("test", lambda tx: [add(tx, f"n{number}") for number in range(300)])
    below = store.write("test", lambda tx: [add(tx, "child", dnt) for dnt in made])
    with store.read() as tx:
        for dnt, child in zip(made, below, strict=True):
            row = tx.get(dnt)
            assert row is not None
            assert tx.subtree_dnts(row.path) == [dnt, child]


def test_changes_come_by_usn(store: Store) -> None:
    a, b, c, d = store.write("test", _tree)
    usn = store.write("test", lambda tx: change(tx, b, b"later"))
    with store.read() as tx:
        assert tx.usn == usn == 5
        assert tx.changes(a, Usn(0)) == [a, c, d, b]
        assert tx.changes(a, Usn(3)) == [d, b]
        assert tx.changes(a, Usn(0), 2) == [a, c]
        assert tx.changes(b, Usn(0)) == []


def test_an_update_keeps_what_it_does_not_name(store: Store) -> None:
    a, _, c, _ = store.write("test", _tree)

    def work(tx: WriteTx) -> None:
        stale = tx.get(c)
        assert stale is not None
        tx.update(stale, state=ObjectState.DELETED)
        tx.update(stale, rdn="Z", rdn_key=key("z"), sid=b"s")
        row = tx.get(c)
        assert row is not None and row.state == ObjectState.DELETED

    store.write("test", work)
    with store.read() as tx:
        row = tx.get(c)
        assert row is not None
        assert (row.state, row.rdn, row.sid, row.attrs) == (
            ObjectState.DELETED,
            "Z",
            b"s",
            {NOTE: (b"deep",)},
        )
        assert row.nc == a


def test_a_move_rewrites_the_paths_below(store: Store) -> None:
    a, b, c, d = store.write("test", _tree)
    with store.read() as tx:
        tx.get_many([a, b, c, d])  # cached at their old places
    row = store.write("test", lambda tx: tx.move(b, d, name=(CN, "New", key("new"))))
    assert path_dnts(row.path) == [ROOT_DNT, a, d, b]
    with store.read() as tx:
        moved = tx.get(c)
        assert moved is not None and path_dnts(moved.path) == [ROOT_DNT, a, d, b, c]
        assert tx.child(a, key("b")) is None
        found = tx.child(d, key("new"))
        assert found is not None and (found.dnt, found.rdn, found.nc) == (b, "New", a)
        assert tx.subtree_dnts(found.path) == [b, c]


def test_a_move_to_another_naming_context_takes_the_subtree_along(store: Store) -> None:
    _, b, c, _ = store.write("test", _tree)
    other = store.write("test", lambda tx: add(tx, "other"))
    store.write("test", lambda tx: tx.move(b, other, other))
    with store.read() as tx:
        assert [row.nc for row in tx.get_many([b, c])] == [other, other]


def test_a_move_is_seen_within_its_transaction(store: Store) -> None:
    a, b, c, d = store.write("test", _tree)

    def work(tx: WriteTx) -> None:
        tx.get(c)
        tx.move(b, d)
        row, top = tx.get(c), tx.get(a)
        assert row is not None and top is not None
        assert path_dnts(row.path) == [ROOT_DNT, a, d, b, c]
        assert tx.subtree_dnts(top.path) == [a, d, b, c]
        child = tx.child(d, key("b"))
        assert child is not None and child.dnt == b
        assert tx.child(a, key("b")) is None

    store.write("test", work)


def test_a_row_cannot_move_below_itself(store: Store) -> None:
    _, b, c, _ = store.write("test", _tree)
    with pytest.raises(StoreError):
        store.write("test", lambda tx: tx.move(b, c))


def test_two_children_cannot_have_one_name(store: Store) -> None:
    a = store.write("test", lambda tx: add(tx, "a"))
    with pytest.raises(StoreError) as caught:
        store.write("test", lambda tx: add(tx, "A"))
    assert not caught.value.retryable
    with store.read() as tx:
        assert tx.child_dnts(ROOT_DNT) == [a]


def test_a_removed_row_leaves_nothing(store: Store) -> None:
    a, b, c, d = store.write("test", _tree)

    def work(tx: WriteTx) -> None:
        tx.put_link(LinkRow(1, d, c, b"", 1, 0, stamp(1)))
        tx.put_link(LinkRow(1, c, d, b"", 1, 0, stamp(1)))
        with pytest.raises(StoreError):
            tx.remove(b)
        tx.remove(c)
        assert tx.get(c) is None

    store.write("test", work)
    with store.read() as tx:
        assert tx.get(c) is None
        assert tx.index_eq(NOTE, b"deep") == []
        assert (tx.all_links(d), tx.all_back_links(d)) == ([], [])
        assert not tx.has_children(b)
        assert tx.child_dnts(a) == [b, d]


def test_a_row_needs_its_parent(store: Store) -> None:
    with pytest.raises(StoreError):
        store.write("test", lambda tx: add(tx, "x", Dnt(77)))


def test_own_writes_are_seen_before_the_commit(store: Store) -> None:
    def work(tx: WriteTx) -> None:
        a = add(tx, "a", note=b"one")
        b = add(tx, "b", a, note=b"two")
        assert note_of(tx.child(a, key("b"))) == b"two"
        assert tx.child(a, key("none")) is None
        assert tx.index_eq(NOTE, b"two") == [b]
        change(tx, b, b"three")
        assert note_of(tx.get(b)) == b"three"
        assert (tx.index_eq(NOTE, b"two"), tx.index_eq(NOTE, b"three")) == ([], [b])
        row = tx.by_guid(guid(2))
        assert row is not None and note_of(row) == b"three"
        tx.update(row, sid=b"sid")
        assert [one.dnt for one in tx.by_sid(b"sid")] == [b]
        assert (tx.usn, tx.child_dnts(a)) == (3, [b])
        with store.read() as outside:
            assert (outside.get(a), outside.usn) == (None, 0)

    store.write("test", work)
