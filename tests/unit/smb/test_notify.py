"""What watchers of folders are told ([MS-FSA] 2.1.4.1, [MS-FSCC] 2.7.1)."""

from addc.smb import notify
from addc.smb.names import folded
from addc.smb.notify import Event, Record, Watcher, Watchers, packed_records, packed_size


def _watcher(folder: tuple[str, ...], *, tree: bool = False, size: int = 1000) -> tuple[Watcher, list[int]]:
    woken: list[int] = []
    return Watcher(folded(folder), notify.FILE_NAME, tree, size, lambda: woken.append(1)), woken


def _all(*watchers: Watcher) -> Watchers:
    found = Watchers()
    for one in watchers:
        found.add(one)
    return found


def test_a_watcher_hears_of_its_folder_and_of_more_only_if_it_asked() -> None:
    (flat, _), (deep, _), (other, _) = _watcher(("A",)), _watcher((), tree=True), _watcher(("b",))
    _all(flat, deep, other).tell([Event(notify.ADDED, ("a", "x", "y"), notify.FILE_NAME)], folded)
    assert not flat.is_ready
    assert not other.is_ready
    assert deep.records == [Record(notify.ADDED, "a\\x\\y")]


def test_only_kinds_that_were_asked_for_are_told() -> None:
    watcher, woken = _watcher(())
    watchers = _all(watcher)
    watchers.tell([Event(notify.MODIFIED, ("x",), notify.SIZE)], folded)
    assert not woken
    watchers.tell([Event(notify.ADDED, ("x",), notify.FILE_NAME)], folded)
    assert woken == [1]


def test_both_names_of_a_rename_come_together() -> None:
    watcher, woken = _watcher(())
    _all(watcher).tell(
        [
            Event(notify.RENAMED_OLD, ("x",), notify.FILE_NAME),
            Event(notify.RENAMED_NEW, ("y",), notify.FILE_NAME),
        ],
        folded,
    )
    assert woken == [1]
    data = watcher.take(1000)
    assert data == bytes.fromhex("10000000 04000000 02000000 7800 0000 00000000 05000000 02000000 7900")


def test_more_than_fits_says_only_look_again() -> None:
    watcher, _ = _watcher((), size=16)
    watchers = _all(watcher)
    watchers.tell([Event(notify.ADDED, ("a long name",), notify.FILE_NAME)], folded)
    assert watcher.take(1000) is None
    assert not watcher.is_ready


def test_notes_are_bounded() -> None:
    watcher, _ = _watcher(())
    watchers = _all(watcher)
    for number in range(notify.EVENTS_KEPT_MAX + 2):
        watchers.tell([Event(notify.ADDED, (f"{number}",), notify.FILE_NAME)], folded)
    assert watcher.lost
    assert not watcher.records
    assert watcher.take(1 << 20) is None


def test_a_moved_folder_is_watched_where_it_is() -> None:
    watcher, _ = _watcher(("a",))
    watchers = _all(watcher)
    watchers.move(watcher, ("B",))
    watchers.tell([Event(notify.ADDED, ("b", "x"), notify.FILE_NAME)], folded)
    assert watcher.is_ready
    watchers.remove(watcher)
    assert not watchers


def test_sizes_are_known_before_packing() -> None:
    records = [Record(1, "a"), Record(2, "bcd"), Record(3, "\U0001f600")]
    assert packed_size(records) == len(packed_records(records))
