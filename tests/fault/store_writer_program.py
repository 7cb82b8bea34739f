"""A process that writes to a store as fast as it can and says what was acknowledged; the tests kill it.

Each work adds a parent and a child, an index key, a link, and counts in a state: all of them or none.
"""

import sys
from itertools import count
from typing import Final

from addc.base.ids import AttId
from addc.store.engine import Store
from addc.store.links import LinkRow
from addc.store.objects import ROOT_DNT
from addc.store.tx import ReadTx, WriteTx
from tests.kit.databases import KEY, SECRET_ATTS
from tests.kit.rows import NOTE, add, key, note_of, stamp

COUNT: Final = "count"
LINK: Final = 1


def write_one(tx: WriteTx, name: str) -> int:
    """One work; its USN."""
    parent = add(tx, name, note=name.encode())
    child = add(tx, "child", parent, parent)
    tx.set_index(child, AttId(77), [name.encode()])
    tx.put_link(LinkRow(LINK, child, parent, b"", 1, 0, stamp(tx.usn)))
    tx.put_descriptor(name.encode())
    tx.set_state(COUNT, b"%d" % (int(tx.state(COUNT) or b"0") + 1))
    return tx.usn


def check_whole(tx: ReadTx) -> set[str]:
    """The names that are there; AssertionError if one of them is there in part, or a USN is missing."""
    names = set()
    for parent in tx.get_many(tx.child_dnts(ROOT_DNT)):
        names.add(parent.rdn)
        child = tx.child(parent.dnt, key("child"))
        assert child is not None
        assert note_of(parent) == parent.rdn.encode()
        assert tx.index_eq(NOTE, note_of(parent)) == [parent.dnt]
        assert tx.index_eq(AttId(77), note_of(parent)) == [child.dnt]
        assert tx.link_targets(LINK, child.dnt) == [parent.dnt]
        assert tx.changes(parent.dnt, parent.usn_created) == [child.dnt]
        assert child.usn_created == parent.usn_created + 1 <= tx.usn
    assert int(tx.state(COUNT) or b"0") == len(names)
    assert tx.index_range_count(AttId(77), None, None) == len(names)
    return names


def main(url: str, prefix: str) -> None:
    store = Store.open(url, KEY, SECRET_ATTS)
    for number in count():
        group = [f"{prefix}-{number}-{part}" for part in range(4)]
        futures = [store.submit("test", lambda tx, name=name: write_one(tx, name)) for name in group]  # type: ignore[misc]
        for name, future in zip(group, futures, strict=True):
            future.result()
            sys.stdout.write(name + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
