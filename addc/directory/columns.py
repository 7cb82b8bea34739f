"""All values of one attribute at hand, for filters that no index answers: substrings, unindexed equality.

A column is made of one snapshot when an attribute is asked for again, and kept by the process: the match keys
of every row in one byte string, searched as a whole. It gives candidates, which the filter then judges anew:
what it holds may be outdated, as long as nothing is missing. So every row that a commit touched since the
column was made is a candidate too, and the commit log names those; once they are many, their keys are added.

The indexes that an administrator can ask for are searchFlags' (fATTINDEX, fTUPLEINDEX); a search finds the
same with or without any of this.
Spec: [MS-ADTS] 3.1.1.3.1.3.
"""

from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from addc.base.ids import AttId, Dnt
from addc.store import state
from addc.store.objects import ObjectRow
from addc.store.tx import ReadTx

TOUCHED_MAX: Final = 128
"""Rows that changed since a column was made, up to which they are simply looked at each time."""
BLOB_MAX: Final = 32 << 20
"""Bytes of one column; an attribute with more is not kept."""
TOTAL_MAX: Final = 96 << 20
"""Bytes of all columns of a process."""
KEY_MAX: Final = 1024
"""A row with a longer key is always a candidate."""
LONG_MAX: Final = 1024
"""Rows with such keys; an attribute with more of them is not kept."""
_ASKED_MAX: Final = 4096
_BATCH: Final = 4096
_SLICE: Final = 1 << 18
_SEPARATOR: Final = b"\0"

Keys = Callable[[ObjectRow], Iterable[bytes]]
"""The match keys that a row has of the attribute."""
Step = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Column:
    """The keys of one attribute, as of commit `base`, and the rows that changed up to commit `seq`.

    blob: each key behind a separator, and one at the end. starts: where each key's separator stands; dnts:
    whose it is. long: rows with keys too long to hold. stale: entries that may be outdated.
    """

    blob: bytes
    starts: "array[int]"
    dnts: "array[int]"
    long: frozenset[Dnt]
    base: int
    seq: int
    touched: frozenset[Dnt] = frozenset()
    stale: int = 0

    @property
    def size(self) -> int:
        return len(self.blob) + 16 * len(self.dnts)

    def holding(self, needle: bytes, limit: int) -> list[Dnt]:
        """The rows that may have a key around which, separators included, `needle` occurs."""
        found: dict[int, None] = dict.fromkeys((*self.touched, *self.long))
        blob, starts, dnts = self.blob, self.starts, self.dnts
        end, overlap = len(blob), len(needle) - 1
        at = 0
        while at < end and len(found) < limit:
            stop = min(at + _SLICE, end)
            hit = blob.find(needle, at, min(stop + overlap, end))  # in slices: other threads want their turn
            if hit < 0:
                at = stop
                continue
            number = bisect_right(starts, hit) - 1
            found[dnts[number]] = None
            number += 1
            at = starts[number] if number < len(starts) else end
        return [Dnt(dnt) for dnt in found]

    def holders(self, limit: int) -> list[Dnt]:
        """The rows that may have a value, each once; as many as `limit` may not be all."""
        found: dict[int, None] = dict.fromkeys((*self.touched, *self.long))
        for dnt in self.dnts:
            if len(found) >= limit:
                break
            found[dnt] = None
        return [Dnt(dnt) for dnt in found]


class _Maker:
    """Gathers the entries of a column."""

    def __init__(self) -> None:
        self.parts: list[bytes] = []
        self.starts: array[int] = array("Q")
        self.dnts = array("Q")
        self.long: set[Dnt] = set()
        self.at = 0

    def add(self, dnt: Dnt, keys: Iterable[bytes]) -> None:
        for key in keys:
            if len(key) >= KEY_MAX:
                self.long.add(dnt)
                continue
            self.parts.append(key)
            self.starts.append(self.at)
            self.dnts.append(dnt)
            self.at += len(key) + 1

    @property
    def fits(self) -> bool:
        return self.at <= BLOB_MAX and len(self.long) <= LONG_MAX

    def column(self, seq: int) -> Column:
        blob = b"".join((_SEPARATOR, _SEPARATOR.join(self.parts), _SEPARATOR)) if self.parts else b""
        return Column(blob, self.starts, self.dnts, frozenset(self.long), seq, seq)


class Columns:
    """The columns of one process. Steps are single dict operations on immutable values: safe between threads.

    What is kept is by attribute and naming context; dnt 0 is for all of them.
    """

    __slots__ = ("_asked", "_kept", "_making")

    def __init__(self) -> None:
        self._kept: dict[tuple[AttId, Dnt], Column | None] = {}
        self._asked: dict[tuple[AttId, Dnt], None] = {}
        self._making: set[tuple[AttId, Dnt]] = set()

    def is_worth(self, key: tuple[AttId, Dnt]) -> bool:
        """Whether there is a column or shall be one: the first question is not worth it."""
        if key in self._kept:
            return self._kept[key] is not None
        if key in self._asked:
            return True
        if len(self._asked) >= _ASKED_MAX:
            self._asked.clear()
        self._asked[key] = None
        return False

    def find(
        self, tx: ReadTx, key: tuple[AttId, Dnt], keys: Keys, step: Step, *, indexed: bool
    ) -> Column | None:
        """The column of an attribute, right for the snapshot of `tx`; None where a walk has to do.

        keys: what a row has of the attribute. indexed: the store's index holds just these keys.
        step: told of rows before they are read.
        """
        if key in self._kept:
            column = self._kept[key]
            if column is None:
                return None
            column = self._advanced(tx, column, keys)
            if column is not None:
                self._keep(key, column)
                return column if column.base <= tx.seq else None
            self._kept.pop(key, None)
        if key in self._making:
            return None
        self._making.add(key)
        try:
            made = _from_index(tx, key[0], step) if indexed else _from_rows(tx, key[1], keys, step)
        finally:
            self._making.discard(key)
        self._keep(key, made)
        return made

    def _keep(self, key: tuple[AttId, Dnt], column: Column | None) -> None:
        """Keep a column as the newest; the oldest go where all together are too large."""
        kept = self._kept
        held = kept.pop(key, None)
        if held is not None and column is not None and held.seq > column.seq:
            column = held  # another thread was ahead
        kept[key] = column
        while sum(one.size for one in list(kept.values()) if one is not None) > TOTAL_MAX and len(kept) > 1:
            kept.pop(next(iter(kept)), None)

    @staticmethod
    def _advanced(tx: ReadTx, column: Column, keys: Keys) -> Column | None:
        """The column with what was committed up to the snapshot; None if the log does not tell it all."""
        seq = tx.seq
        if column.seq >= seq:
            return column
        log = tx.log_after(column.seq)
        touched: set[Dnt] = set(column.touched)
        if len(log) != seq - column.seq:
            return None
        for entry in log:
            if entry[6] is None:
                return None
            touched.update(map(Dnt, state.unpack_dnts(entry[6])))
        if len(touched) <= TOUCHED_MAX:
            return replace(column, seq=seq, touched=frozenset(touched))
        if column.stale + len(touched) > TOUCHED_MAX + len(column.dnts) // 4:
            return None
        return _grown(tx, column, touched, keys)


def _grown(tx: ReadTx, column: Column, touched: set[Dnt], keys: Keys) -> Column | None:
    """The column with the keys that the touched rows have now; those that they had stay, to no harm."""
    maker = _Maker()
    for row in tx.pass_by(sorted(touched)):
        maker.add(row.dnt, keys(row))
    more = maker.column(tx.seq)
    offset = max(len(column.blob) - 1, 0)
    grown = Column(
        blob=column.blob[:-1] + more.blob if more.blob else column.blob,
        starts=column.starts + array("Q", [offset + start for start in more.starts]),
        dnts=column.dnts + more.dnts,
        long=column.long | more.long,
        base=more.base,
        seq=more.seq,
        stale=column.stale + len(touched),
    )
    return grown if len(grown.blob) <= BLOB_MAX and len(grown.long) <= LONG_MAX else None


def _from_index(tx: ReadTx, att: AttId, step: Step) -> Column | None:
    """From the index, whose keys are cut no earlier than those here."""
    maker, after = _Maker(), (b"", 0)
    while found := tx.index_scan(att, b"", None, _BATCH, after):
        step(len(found) // 8)
        for key, dnt in found:
            maker.add(dnt, (key,))
        if not maker.fits:
            return None
        after = found[-1]
    return maker.column(tx.seq)


def _from_rows(tx: ReadTx, nc: Dnt, keys: Keys, step: Step) -> Column | None:
    """From the rows of a naming context, or of all."""
    top = tx.get(nc or Dnt(1))
    if top is None:
        return None
    maker, after = _Maker(), b""
    while paths := tx.subtree_paths(top.path, after, 256):
        step(len(paths))
        for row in _rows(tx, paths):
            if row.nc == nc or not nc:
                maker.add(row.dnt, keys(row))
        if not maker.fits:
            return None
        after = paths[-1]
    return maker.column(tx.seq)


def _rows(tx: ReadTx, paths: Sequence[bytes]) -> list[ObjectRow]:
    return tx.pass_by([Dnt(int.from_bytes(path[-8:], "big")) for path in paths])


def needle(initial: bytes | None, middle: Sequence[bytes], final: bytes | None) -> bytes:
    """The piece of a substring clause that is rarest, with the separators that it must stand beside."""
    pieces = [*middle]
    if initial is not None:
        pieces.append(_SEPARATOR + initial)
    if final is not None:
        pieces.append(final + _SEPARATOR)
    return max(pieces, key=len, default=b"")


def whole(key: bytes) -> bytes:
    """What to look for where a key has to be equal."""
    return b"".join((_SEPARATOR, key, _SEPARATOR))
