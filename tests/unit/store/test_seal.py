"""Secrets at rest: bound to object and attribute, useless without the key."""

import sqlite3
from pathlib import Path

import pytest

from addc.base.errors import DecodeError, UserError
from addc.base.ids import AttId, Dnt
from addc.base.rng import SystemRng
from addc.base.secret import Secret
from addc.store.engine import Store
from addc.store.objects import ROOT_DNT, NewObject, unpack_attrs
from addc.store.seal import Sealer
from addc.store.tx import WriteTx
from tests.kit.databases import KEY, SECRET_ATT, SECRET_ATTS
from tests.kit.rows import CN, add, guid, key


def test_a_value_opens_for_its_object_attribute_and_key_only() -> None:
    sealer = Sealer(Secret(bytes(32)), SystemRng())
    sealed = sealer.seal(guid(1), 7, b"secret")
    assert b"secret" not in sealed
    assert sealer.open(guid(1), 7, sealed) == b"secret"
    for other, who, att, data in (
        (sealer, guid(2), 7, sealed),
        (sealer, guid(1), 8, sealed),
        (Sealer(Secret(b"k" * 32), SystemRng()), guid(1), 7, sealed),
        (sealer, guid(1), 7, sealed[:-1] + bytes((sealed[-1] ^ 1,))),
        (sealer, guid(1), 7, sealed[:20]),
    ):
        with pytest.raises(DecodeError):
            other.open(who, att, data)


def test_equal_values_do_not_look_equal() -> None:
    sealer = Sealer(Secret(bytes(32)), SystemRng())
    assert sealer.seal(guid(1), 7, b"same") != sealer.seal(guid(1), 7, b"same")


def test_a_key_of_another_size_is_refused() -> None:
    with pytest.raises(UserError):
        Sealer(Secret(b"short"), SystemRng())


def _with_secret(store: Store, value: bytes) -> Dnt:
    def work(tx: WriteTx) -> Dnt:
        return tx.insert(
            NewObject(
                parent=ROOT_DNT, nc=Dnt(0), rdn_att=CN, rdn="a", rdn_key=key("a"), guid=guid(100),
                attrs={SECRET_ATT: (value,), AttId(1): (b"plain",)},
            )
        )  # fmt: skip

    return store.write("test", work)


def test_a_secret_is_sealed_in_the_row_and_read_back(store: Store) -> None:
    dnt = _with_secret(store, b"a very secret hash")
    with store.read() as tx:
        row = tx.get(dnt)
        assert row is not None
        assert b"secret" not in row.attrs_packed
        assert row.attrs == {SECRET_ATT: (b"a very secret hash",), AttId(1): (b"plain",)}


def test_a_secret_never_reaches_the_files(sqlite_store: Store, tmp_path: Path) -> None:
    _with_secret(sqlite_store, b"a very secret hash")
    assert all(b"a very secret hash" not in path.read_bytes() for path in tmp_path.iterdir())
    sqlite_store.close()
    assert b"a very secret hash" not in (tmp_path / "directory.db").read_bytes()


def test_an_unchanged_secret_keeps_its_sealed_bytes(store: Store) -> None:
    dnt = _with_secret(store, b"hash")

    def change(tx: WriteTx) -> tuple[bytes, bytes]:
        row = tx.get(dnt)
        assert row is not None
        new = tx.update(row, attrs={**row.attrs, AttId(1): (b"other",)})
        return (
            unpack_attrs(row.attrs_packed)[SECRET_ATT][0],
            unpack_attrs(new.attrs_packed)[SECRET_ATT][0],
        )

    before, after = store.write("test", change)
    assert before == after


def test_a_changed_secret_or_guid_is_sealed_anew(store: Store) -> None:
    dnt = _with_secret(store, b"hash")

    def change(tx: WriteTx) -> None:
        row = tx.get(dnt)
        assert row is not None
        row = tx.update(row, attrs={SECRET_ATT: (b"new",)})
        assert row.attrs == {SECRET_ATT: (b"new",)}
        tx.update(row, guid=guid(200))

    store.write("test", change)
    with store.read() as tx:
        row = tx.get(dnt)
        assert row is not None and row.guid == guid(200)
        assert row.attrs == {SECRET_ATT: (b"new",)}


def test_a_sealed_value_moved_to_another_object_does_not_open(sqlite_store: Store, tmp_path: Path) -> None:
    first = _with_secret(sqlite_store, b"hash")
    second = sqlite_store.write("test", lambda tx: add(tx, "b"))
    sqlite_store.close()
    with sqlite3.connect(tmp_path / "directory.db") as database:
        database.execute(
            "UPDATE object SET attrs = (SELECT attrs FROM object WHERE dnt = ?) WHERE dnt = ?",
            (first, second),
        )
    database.close()
    again = Store.open(f"sqlite:///{tmp_path / 'directory.db'}", KEY, SECRET_ATTS)
    with again.read() as tx:
        row = tx.get(second)
        assert row is not None
        with pytest.raises(DecodeError):
            _ = row.attrs
    again.close()
