"""Files as rows: content in chunks that are stored once, and only those written that change."""

import random
from hashlib import sha256

import pytest
from sqlalchemy import select

from addc.base.ids import Dnt
from addc.store import files
from addc.store.backend import Statement
from addc.store.engine import Store
from addc.store.files import CHUNK_SIZE, FileRow
from addc.store.tables import CHUNK
from addc.store.tx import ReadTx, WriteTx
from tests.kit.rows import INVOCATION, guid


def _row(node: int, parent: int = 0, name: str = "a", size: int = 0) -> FileRow:
    key = name.upper().encode("utf-16-be")
    return FileRow(
        node, parent, key, name.encode(), guid(node), files.LIVE, 0x20, size, 1, 1, 1, 1, 5,
        node, node, 1, 1, INVOCATION, node,
    )  # fmt: skip


def _file(store: Store, name: str = "a") -> int:
    def work(tx: WriteTx) -> Dnt:
        node = tx.draw_id()
        files.insert_row(tx, _row(node, 0, name))
        return node

    return store.write("test", work)


def _chunks(tx: ReadTx) -> dict[bytes, tuple[int, int]]:
    statement: Statement[tuple[bytes, int, int]] = Statement(select(CHUNK.c.hash, CHUNK.c.uses, CHUNK.c.size))
    return {digest: (uses, size) for digest, uses, size in tx.ask(statement, ())}


def _sound(store: Store) -> None:
    with store.read() as tx:
        assert list(files.faults(tx, 10)) == []


def test_rows_come_back_as_they_were_put(store: Store) -> None:
    node = _file(store)
    with store.read() as tx:
        found = files.get(tx, node)
        assert found == _row(node)
        assert files.child(tx, 0, found.key) == found
        assert files.children(tx, 0) == [found]
        assert files.children(tx, 0, after=found.key) == []
        assert files.changed(tx, node - 1) == [found]
        assert files.get(tx, node + 1) is None


def test_what_is_removed_is_no_child_but_a_change(store: Store) -> None:
    node = _file(store)
    gone = _row(node)._replace(state=files.REMOVED, key=b"mangled", usn_changed=99, time_ft=7)
    store.write("test", lambda tx: files.update_row(tx, gone))
    with store.read() as tx:
        assert files.children(tx, 0) == []
        assert files.changed(tx, 98) == [gone]
        assert files.removed_before(tx, 7, 10) == []
        assert files.removed_before(tx, 8, 10) == [node]
    store.write("test", lambda tx: files.forget(tx, node))
    with store.read() as tx:
        assert files.get(tx, node) is None


def test_any_writes_and_cuts_give_what_a_plain_buffer_gives(store: Store) -> None:
    node = _file(store)
    source = random.Random(7)  # noqa: S311
    model = bytearray()
    for _ in range(40):
        if source.random() < 0.25:
            size = source.randrange(0, 4 * CHUNK_SIZE)
            del model[size:]
            store.write("test", lambda tx, size=size: files.cut(tx, node, size))  # type: ignore[misc]
        else:
            offset = source.choice((0, CHUNK_SIZE, source.randrange(0, 3 * CHUNK_SIZE)))
            data = source.randbytes(source.choice((1, 100, CHUNK_SIZE, 2 * CHUNK_SIZE + 5)))
            if source.random() < 0.2:
                data = bytes(len(data))
            model.extend(bytes(max(0, offset + len(data) - len(model))))
            model[offset : offset + len(data)] = data
            store.write("test", lambda tx, o=offset, d=data: files.write(tx, node, o, d))  # type: ignore[misc]
        with store.read() as tx:
            assert files.read(tx, node, 0, len(model)) == bytes(model)
            start = len(model) // 3
            assert files.read(tx, node, start, len(model) // 2) == bytes(model[start:][: len(model) // 2])
    _sound(store)


def test_the_same_content_is_stored_once_and_goes_with_its_last_user(store: Store) -> None:
    first, second = _file(store, "a"), _file(store, "b")
    data = b"policy" * 20_000
    for node in (first, second):
        store.write("test", lambda tx, node=node: files.write(tx, node, 0, data))  # type: ignore[misc]
    with store.read() as tx:
        kept = _chunks(tx)
        assert [uses for uses, _ in kept.values()] == [2, 2]
        assert files.totals(tx) == (tx.seq, len(data))
    store.write("test", lambda tx: files.cut(tx, first, 0))
    with store.read() as tx:
        assert {uses for uses, _ in _chunks(tx).values()} == {1}
        assert files.read(tx, second, 0, len(data)) == data
    store.write("test", lambda tx: files.cut(tx, second, 0))
    with store.read() as tx:
        assert _chunks(tx) == {}
        assert files.totals(tx)[1] == 0


def test_a_write_touches_only_its_chunks(store: Store) -> None:
    node = _file(store)
    data = random.Random(1).randbytes(10 * CHUNK_SIZE)  # noqa: S311
    store.write("test", lambda tx: files.write(tx, node, 0, data))
    with store.read() as tx:
        before = set(_chunks(tx))
    store.write("test", lambda tx: files.write(tx, node, 3 * CHUNK_SIZE + 10, b"x"))
    with store.read() as tx:
        after = set(_chunks(tx))
    assert len(before - after) == len(after - before) == 1


def test_zeros_take_no_room(store: Store) -> None:
    node = _file(store)
    store.write("test", lambda tx: files.write(tx, node, 0, bytes(5 * CHUNK_SIZE)))
    store.write("test", lambda tx: files.write(tx, node, 1 << 32, b"end"))
    with store.read() as tx:
        assert list(_chunks(tx)) == [sha256(b"end").digest()]
        assert files.read(tx, node, (1 << 32) - 2, 5) == b"\0\0end"


def test_content_goes_with_the_work_that_fails(store: Store) -> None:
    node = _file(store)
    store.write("test", lambda tx: files.write(tx, node, 0, b"old"))

    def work(tx: WriteTx) -> None:
        files.write(tx, node, 0, b"new content")
        raise ValueError("taken back")

    with pytest.raises(ValueError, match="taken back"):
        store.write("test", work)
    with store.read() as tx:
        assert files.read(tx, node, 0, 3) == b"old"
    _sound(store)


def test_descriptors_of_files_are_not_swept(store: Store) -> None:
    def work(tx: WriteTx) -> int:
        kept, gone = tx.put_descriptor(b"of a file"), tx.put_descriptor(b"of nothing")
        node = tx.draw_id()
        files.insert_row(tx, _row(node)._replace(sd_id=kept))
        assert gone != kept
        return kept

    kept = store.write("test", work)
    assert store.write("test", lambda tx: tx.sweep_descriptors()) == 1
    with store.read() as tx:
        assert tx.descriptor(kept) == b"of a file"


def test_faults_of_the_tables_are_found_and_mended(store: Store) -> None:
    node, other = _file(store, "a"), _file(store, "b")

    def work(tx: WriteTx) -> None:
        files.write(tx, node, 0, b"shared")
        files.write(tx, other, 0, b"shared")
        tx.change(files._SET_USES, (5, sha256(b"shared").digest()))
        files.update_row(tx, _row(other, 0, "b")._replace(state=files.REMOVED, key=b"gone"))
        tx.set_state(files.FILES_STATE, bytes(16))

    store.write("test", work)
    with store.read() as tx:
        told = list(files.faults(tx, 10))
    assert len(told) == 3, told
    store.write("test", files.mend)
    _sound(store)
    with store.read() as tx:
        assert files.read(tx, node, 0, 6) == b"shared"
