"""Change notification: what changed in a folder, kept until its watcher asks.

Spec: [MS-FSA] 2.1.5.11, 2.1.4.1; [MS-FSCC] 2.7.1; [MS-SMB2] 3.3.5.19.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar, Final, NamedTuple

from addc.codec.packed import U32, Buffer, Packed, Pad, chained, packed

ADDED: Final = 1
REMOVED: Final = 2
MODIFIED: Final = 3
RENAMED_OLD: Final = 4
RENAMED_NEW: Final = 5

FILE_NAME: Final = 0x001
DIR_NAME: Final = 0x002
ATTRIBUTES: Final = 0x004
SIZE: Final = 0x008
LAST_WRITE: Final = 0x010
LAST_ACCESS: Final = 0x020
CREATION: Final = 0x040
EA: Final = 0x080
SECURITY: Final = 0x100
ALL_FILTERS: Final = 0xFFF

EVENTS_KEPT_MAX: Final = 4096


class Event(NamedTuple):
    """One change. path: names from the volume's root, as written. filter: which watchers want it."""

    action: int
    path: tuple[str, ...]
    filter: int
    unless: int = 0
    """Filters whose watchers are told of it in another way."""


class Record(NamedTuple):
    """A change as a watcher is told it: the name relative to its folder."""

    action: int
    name: str


@packed
class NotifyInformation(Packed):
    """FILE_NOTIFY_INFORMATION, [MS-FSCC] 2.7.1."""

    next_entry_offset: ClassVar = Pad(4)
    action: Annotated[int, U32]
    file_name: Annotated[str, Buffer(None, U32)]


def packed_records(records: Iterable[Record]) -> bytes:
    """What a watcher is answered with."""
    return chained([NotifyInformation(action, name).pack() for action, name in records], 4)


def packed_size(records: Sequence[Record]) -> int:
    """Octets of `packed_records` without building them."""
    total = 0
    for _, text in records:
        total += -total % 4 + 12 + 2 * len(text) + 2 * sum(char > "\uffff" for char in text)
    return total


@dataclass(slots=True, eq=False)
class Watcher:
    """One open folder that is watched.

    folder: its path in compared form. wanted: the completion filter of the first request, which stays.
    size: the buffer of the first request; more than fits makes it lose count and say only "look again".
    wake: called when there is something to tell.
    """

    folder: tuple[str, ...]
    wanted: int
    tree: bool
    size: int
    wake: Callable[[], None]
    lost: bool = False
    records: list[Record] | None = None

    def note(self, record: Record) -> None:
        if self.records is None:
            self.records = []
        if self.lost:
            return
        if record.action == MODIFIED and self.records and self.records[-1] == record:
            return
        self.records.append(record)
        if len(self.records) > EVENTS_KEPT_MAX:
            self.lost = True
            self.records.clear()

    @property
    def is_ready(self) -> bool:
        return self.lost or bool(self.records)

    def take(self, size: int) -> bytes | None:
        """What has been noted; None if it does not fit into what the client can take, or was lost."""
        records, lost = self.records or [], self.lost
        self.records, self.lost = None, False
        if lost or packed_size(records) > min(size, self.size or size):
            return None
        return packed_records(records)


class Watchers:
    """Everybody who watches folders of one volume; telling them costs the depth of a path."""

    __slots__ = ("_by_folder",)

    def __init__(self) -> None:
        self._by_folder: dict[tuple[str, ...], list[Watcher]] = {}

    def add(self, watcher: Watcher) -> None:
        self._by_folder.setdefault(watcher.folder, []).append(watcher)

    def remove(self, watcher: Watcher) -> None:
        watching = self._by_folder.get(watcher.folder, [])
        if watcher in watching:
            watching.remove(watcher)
            if not watching:
                del self._by_folder[watcher.folder]

    def move(self, watcher: Watcher, folder: tuple[str, ...]) -> None:
        """Its folder has another path now."""
        self.remove(watcher)
        watcher.folder = folder
        self.add(watcher)

    def __bool__(self) -> bool:
        return bool(self._by_folder)

    def below(self, folder: tuple[str, ...]) -> list[Watcher]:
        """Those whose folder is this one or inside it."""
        depth = len(folder)
        return [one for place, all_ in self._by_folder.items() if place[:depth] == folder for one in all_]

    def tell(self, events: Sequence[Event], fold: Callable[[tuple[str, ...]], tuple[str, ...]]) -> None:
        """Note events that belong together, then wake everybody concerned. fold: a path in compared form."""
        if not self._by_folder:
            return
        woken: list[Watcher] = []
        for event in events:
            compared = fold(event.path)
            for depth in range(len(event.path)):
                for watcher in self._by_folder.get(compared[:depth], ()):
                    direct = depth == len(event.path) - 1
                    if watcher.wanted & event.unless:
                        continue
                    if watcher.wanted & event.filter and (direct or watcher.tree):
                        watcher.note(Record(event.action, "\\".join(event.path[depth:])))
                        if watcher not in woken:
                            woken.append(watcher)
        for watcher in woken:
            watcher.wake()
