"""Small rows for store tests."""

from typing import Final

from addc.base.ids import AttId, Dnt, Usn
from addc.store.objects import ROOT_DNT, NewObject, ObjectRow, Stamp, Values
from addc.store.tx import WriteTx

CN: Final = AttId(3)
NOTE: Final = AttId(13)
OWN: Final = Dnt(0)
"""As naming context: the new row heads its own."""
INVOCATION: Final = bytes(range(16))


def key(name: str) -> bytes:
    """The match key of CN=name."""
    return CN.to_bytes(4, "big") + name.casefold().encode()


def guid(number: int) -> bytes:
    return b"guid" + number.to_bytes(12, "big")


def stamp(usn: int, version: int = 1) -> Stamp:
    return Stamp(version, 133_000_000_000_000_000, INVOCATION, Usn(usn), Usn(usn))


def add(tx: WriteTx, name: str, parent: Dnt = ROOT_DNT, nc: Dnt = OWN, note: bytes = b"") -> Dnt:
    """A row with a GUID of its own, a USN and, if given, one indexed attribute."""
    usn = tx.next_usn()
    attrs: dict[AttId, Values] = {NOTE: (note,)} if note else {}
    return tx.insert(
        NewObject(
            parent=parent, nc=nc, rdn_att=CN, rdn=name, rdn_key=key(name), guid=guid(usn),
            usn_created=usn, usn_changed=usn, attrs=attrs, meta={att: stamp(usn) for att in attrs},
            index={NOTE: [note]} if note else {},
        )
    )  # fmt: skip


def change(tx: WriteTx, dnt: Dnt, note: bytes) -> Usn:
    """Give a row another note; the USN of that."""
    row = tx.get(dnt)
    assert row is not None
    usn = tx.next_usn()
    attrs = {**row.attrs, NOTE: (note,)}
    tx.update(row, attrs=attrs, meta={NOTE: stamp(usn)}, usn_changed=usn)
    tx.set_index(dnt, NOTE, [note])
    return usn


def note_of(row: ObjectRow | None) -> bytes:
    """The note of a row that is there."""
    assert row is not None
    return row.attrs[NOTE][0]
