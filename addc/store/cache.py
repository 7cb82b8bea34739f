"""The process's cache of rows; every reader gets from it only what its own snapshot holds.

Every commit has a number and leaves the ids of the rows it touched in the commit log. The cache has applied
the log up to `seq`: what it holds is right for every snapshot from the one at which an entry was read
(`seen`) up to `seq`. A reader first brings the cache up to its snapshot (`advance`), then takes an entry only
if `seen` is not newer than the snapshot; a row may enter only while the cache stands exactly at the snapshot
it was read from.
Look-ups by name and GUID are only hints, proved by the row they lead to, so they need no invalidation.
"""

from collections.abc import Hashable, Iterable
from threading import Lock
from typing import Final

from addc.base.ids import Dnt
from addc.store.objects import ObjectRow

ROWS_MAX: Final = 20_000
_HINTS_MAX: Final = 50_000
_ANSWERS_MAX: Final = 20_000


class RowCache:
    """Rows by dnt in two generations: what was not asked for during one generation goes."""

    __slots__ = ("_answers", "_half", "_lock", "_old", "_young", "guids", "names", "seq", "sids")

    def __init__(self, rows_max: int = ROWS_MAX) -> None:
        self._half = max(1, rows_max // 2)
        self._lock = Lock()
        self._young: dict[int, ObjectRow] = {}
        self._old: dict[int, ObjectRow] = {}
        self.names: dict[tuple[int, bytes], Dnt] = {}
        self.guids: dict[bytes, Dnt] = {}
        self.sids: dict[bytes, tuple[int, tuple[Dnt, ...]]] = {}
        self._answers: dict[Hashable, tuple[int, object]] = {}
        self.seq = 0

    def answer(self, question: Hashable, seq: int) -> object | None:
        """What the index or the links of snapshot `seq` answered, if that very snapshot was asked before."""
        kept = self._answers.get(question)
        return kept[1] if kept is not None and kept[0] == seq else None

    def keep_answer(self, question: Hashable, seq: int, answer: object) -> None:
        """Remember a short answer; it is good for snapshot `seq` alone, so no commit has to look for it."""
        if len(self._answers) >= _ANSWERS_MAX:
            self._answers.clear()
        self._answers[question] = (seq, answer)

    def get(self, dnt: int, seq: int) -> ObjectRow | None:
        """The row as snapshot `seq` has it, if it is here."""
        row = self._young.get(dnt)
        if row is None:
            row = self._old.get(dnt)
            if row is None:
                return None
            with self._lock:
                if self._old.pop(dnt, None) is row:  # else it was dropped meanwhile, and must stay so
                    self._keep(row)
        return row if row.seen <= seq else None

    def put(self, row: ObjectRow) -> None:
        """Keep a row, unless the cache has passed the snapshot it was read at."""
        with self._lock:
            if row.seen == self.seq:
                self._keep(row)

    def peek(self, dnt: int, seq: int) -> ObjectRow | None:
        """As `get`, but the row counts as not asked for: a walk over everything makes nothing popular."""
        row = self._young.get(dnt)
        if row is None:
            row = self._old.get(dnt)
            if row is None:
                return None
        return row if row.seen <= seq else None

    def put_aside(self, row: ObjectRow) -> None:
        """Keep a row that a walk came by, where nothing has to go for it, among those next to go."""
        with self._lock:
            if row.seen == self.seq and len(self._old) < self._half:
                self._old[row.dnt] = row

    def _keep(self, row: ObjectRow) -> None:
        if len(self._young) >= self._half:
            self._old = self._young
            self._young = {}
        self._young[row.dnt] = row

    def put_name(self, row: ObjectRow) -> None:
        """Remember by which name and GUID the row was found."""
        if len(self.names) >= _HINTS_MAX:
            self.names.clear()
        self.names[row.parent, row.rdn_key] = row.dnt

    def put_guid(self, row: ObjectRow) -> None:
        if len(self.guids) >= _HINTS_MAX:
            self.guids.clear()
        self.guids[row.guid] = row.dnt

    def get_sid(self, sid: bytes, seq: int) -> tuple[Dnt, ...] | None:
        """The rows with this SID in snapshot `seq`, if known."""
        entry = self.sids.get(sid)
        return entry[1] if entry is not None and entry[0] <= seq else None

    def put_sid(self, sid: bytes, dnts: tuple[Dnt, ...], seq: int) -> None:
        with self._lock:
            if seq == self.seq:
                if len(self.sids) >= _HINTS_MAX:
                    self.sids.clear()
                self.sids[sid] = (seq, dnts)

    def advance(self, before: int, seq: int, dnts: Iterable[int], sids: bool) -> None:
        """Apply the commits after `before` up to `seq`, which touched `dnts` (and, if `sids`, SIDs)."""
        with self._lock:
            if seq <= self.seq:
                return
            if before > self.seq:
                self._clear()
            else:
                young, old = self._young, self._old
                for dnt in dnts:
                    young.pop(dnt, None)
                    old.pop(dnt, None)
                if sids:
                    self.sids.clear()
            self.seq = seq  # last: until now no reader of these commits is served from here

    def reset(self, seq: int) -> None:
        """Drop everything and stand at `seq`."""
        with self._lock:
            if seq > self.seq:
                self._clear()
                self.seq = seq

    def _clear(self) -> None:
        self._answers.clear()
        self._young.clear()
        self._old.clear()
        self.sids.clear()

    def __len__(self) -> int:
        return len(self._young) + len(self._old)
