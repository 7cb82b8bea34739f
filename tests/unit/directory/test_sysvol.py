"""SYSVOL's tree: names, content, times, attributes and descriptors as rules.

Spec: [MS-FSA] 2.1.1.3, [MS-FSCC] 2.1.5.
"""

from collections.abc import Callable
from typing import TypeVar

import pytest

from addc.base import limits
from addc.base.clock import FileTime
from addc.base.errors import NtError
from addc.codes.ntstatus import NtStatus
from addc.directory import sysvol, sysvol_watch
from addc.directory.context import ReadContext, WriteContext
from addc.directory.sysvol import Basics, FileRow, NewFile
from addc.security import sddl
from addc.security.descriptor import SecurityDescriptor
from addc.store import files
from tests.kit.forest import DOMAIN_SID, NOW, KitForest

T = TypeVar("T")
SD = sddl.parse("O:BAG:BAD:P(A;OICI;FA;;;BA)", DOMAIN_SID, DOMAIN_SID)
OTHER_SD = sddl.parse("O:BAG:BAD:P(A;OICI;FA;;;SY)", DOMAIN_SID, DOMAIN_SID)


def _new(name: str, folder: bool = False, sd: SecurityDescriptor = SD) -> NewFile:
    return NewFile(name, folder, 0x20, sd)


def _make(forest: KitForest, *paths: str) -> dict[str, int]:
    """The root and these paths below it; a path that ends in "/" is a folder."""
    made: dict[str, int] = {}

    def work(ctx: WriteContext) -> None:
        root = sysvol.root(ctx) or sysvol.create(ctx, files.NOWHERE, _new("", True))
        made[""] = root.node
        for path in paths:
            *above, name = path.strip("/").split("/")
            parent = sysvol.resolve(ctx, above).node
            made[path] = sysvol.create(ctx, parent, _new(name, path.endswith("/"))).node

    forest.write(work)
    return made


def _row(forest: KitForest, path: str) -> FileRow:
    names = [name for name in path.split("/") if name]
    return forest.read(lambda ctx: sysvol.resolve(ctx, names))


def _refused(forest: KitForest, work: Callable[[WriteContext], object]) -> int:
    with pytest.raises(NtError) as refused:
        forest.write(work)
    return refused.value.status


def _status(forest: KitForest, work: Callable[[ReadContext], object]) -> int:
    with pytest.raises(NtError) as refused:
        forest.read(work)
    return refused.value.status


def test_a_forest_without_the_tree_says_so(forest: KitForest) -> None:
    assert forest.read(sysvol.root) is None
    status = _status(forest, lambda ctx: sysvol.resolve(ctx, ["a"]))
    assert status == NtStatus.STATUS_OBJECT_PATH_NOT_FOUND


def test_names_keep_their_case_and_compare_without_it(forest: KitForest) -> None:
    made = _make(forest, "Policies/", "Policies/Größe.TXT")
    for spelled in ("POLICIES/GRÖßE.txt", "policies/größe.txt"):
        assert _row(forest, spelled).node == made["Policies/Größe.TXT"]
    node = made["Policies/Größe.TXT"]
    assert forest.read(lambda ctx: sysvol.path_of(ctx, node)) == ("Policies", "Größe.TXT")
    assert forest.read(lambda ctx: sysvol.find(ctx, ["Policies", "Grosse.TXT"])) is None


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (["b"], NtStatus.STATUS_OBJECT_NAME_NOT_FOUND),
        (["folder", "b"], NtStatus.STATUS_OBJECT_NAME_NOT_FOUND),
        (["b", "c"], NtStatus.STATUS_OBJECT_PATH_NOT_FOUND),
        (["file", "c"], NtStatus.STATUS_OBJECT_PATH_NOT_FOUND),
    ],
)
def test_what_is_missing_is_told_apart(forest: KitForest, path: list[str], status: NtStatus) -> None:
    _make(forest, "folder/", "file")
    assert _status(forest, lambda ctx: sysvol.resolve(ctx, path)) == status


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "a\\b", "a:b", "a*", "a\x1f", "x" * 256, "😀" * 128])
def test_names_that_no_file_has_are_refused(sqlite_forest: KitForest, name: str) -> None:
    root = _make(sqlite_forest, "a")[""]
    status = _refused(sqlite_forest, lambda ctx: sysvol.create(ctx, root, _new(name)))
    assert status == NtStatus.STATUS_OBJECT_NAME_INVALID
    node = _row(sqlite_forest, "a").node
    status = _refused(sqlite_forest, lambda ctx: sysvol.rename(ctx, node, root, name))
    assert status == NtStatus.STATUS_OBJECT_NAME_INVALID


def test_a_name_is_given_once(forest: KitForest) -> None:
    root = _make(forest, "One")[""]
    status = _refused(forest, lambda ctx: sysvol.create(ctx, root, _new("ONE", True)))
    assert status == NtStatus.STATUS_OBJECT_NAME_COLLISION


def test_nothing_lies_below_a_file(forest: KitForest) -> None:
    node = _make(forest, "file")["file"]
    status = _refused(forest, lambda ctx: sysvol.create(ctx, node, _new("x")))
    assert status == NtStatus.STATUS_NOT_A_DIRECTORY


def test_content_and_its_times(forest: KitForest) -> None:
    made = _make(forest, "f")
    forest.clock.time = FileTime(NOW + 5)
    forest.write(lambda ctx: sysvol.write(ctx, made["f"], 3, b"abc"))
    row = _row(forest, "f")
    assert (row.size, row.created_ft, row.written_ft, row.changed_ft) == (6, NOW, NOW + 5, NOW + 5)
    assert row.version == 2
    assert forest.read(lambda ctx: sysvol.read(ctx, made["f"], 0, 100)) == b"\0\0\0abc"
    assert forest.read(lambda ctx: sysvol.read(ctx, made["f"], 4, 1)) == b"b"
    assert forest.read(lambda ctx: sysvol.read(ctx, made["f"], 6, 10)) == b""
    forest.write(lambda ctx: sysvol.set_size(ctx, made["f"], 4))
    forest.write(lambda ctx: sysvol.set_size(ctx, made["f"], 7))
    assert forest.read(lambda ctx: sysvol.read(ctx, made["f"], 0, 100)) == b"\0\0\0a\0\0\0"


def test_a_folder_has_no_content(forest: KitForest) -> None:
    root = _make(forest)[""]
    works: list[Callable[[WriteContext], object]] = [
        lambda ctx: sysvol.write(ctx, root, 0, b"x"),
        lambda ctx: sysvol.set_size(ctx, root, 1),
        lambda ctx: sysvol.read(ctx, root, 0, 1),
    ]
    for work in works:
        assert _refused(forest, work) == NtStatus.STATUS_FILE_IS_A_DIRECTORY


def test_limits_of_a_file_and_of_all(forest: KitForest, monkeypatch: pytest.MonkeyPatch) -> None:
    node = _make(forest, "f")["f"]
    top = limits.SYSVOL_FILE_MAX
    forest.write(lambda ctx: sysvol.write(ctx, node, top - 1, b"x"))
    forest.write(lambda ctx: sysvol.set_size(ctx, node, 0))
    for work in (
        lambda ctx: sysvol.write(ctx, node, top, b"x"),
        lambda ctx: sysvol.set_size(ctx, node, top + 1),
    ):
        assert _refused(forest, work) == NtStatus.STATUS_DISK_FULL
    monkeypatch.setattr(limits, "SYSVOL_TOTAL_MAX", 10)
    assert _refused(forest, lambda ctx: sysvol.write(ctx, node, 0, b"x" * 11)) == NtStatus.STATUS_DISK_FULL
    forest.write(lambda ctx: sysvol.write(ctx, node, 0, b"x" * 10))


def test_folders_are_nested_only_so_deep(sqlite_forest: KitForest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "SYSVOL_DEPTH_MAX", 3)
    made = _make(sqlite_forest, "a/", "a/b/", "a/b/c/")
    deep = made["a/b/c/"]
    status = _refused(sqlite_forest, lambda ctx: sysvol.create(ctx, deep, _new("d")))
    assert status == NtStatus.STATUS_OBJECT_NAME_INVALID


def test_attributes_are_those_that_a_client_may_set(forest: KitForest) -> None:
    made = _make(forest, "f", "d/")
    assert _row(forest, "f").attributes == 0x20
    assert _row(forest, "d").attributes == 0x30
    for node, asked, kept in (
        (made["f"], 0x80, 0x80), (made["f"], 0x81, 1), (made["f"], 0x12, 2), (made["d/"], 0x07, 0x17),
    ):  # fmt: skip
        forest.write(lambda ctx, n=node, a=asked: sysvol.set_basic(ctx, n, Basics(attributes=a)))  # type: ignore[misc]
        assert forest.read(lambda ctx, n=node: sysvol.get(ctx, n)).attributes == kept  # type: ignore[misc]


def test_times_are_set_one_by_one(forest: KitForest) -> None:
    node = _make(forest, "f")["f"]
    forest.write(lambda ctx: sysvol.set_basic(ctx, node, Basics(written_ft=11, changed_ft=12)))
    row = _row(forest, "f")
    assert (row.created_ft, row.accessed_ft, row.written_ft, row.changed_ft) == (NOW, NOW, 11, 12)


def test_a_rename_keeps_the_node_and_may_change_only_the_case(forest: KitForest) -> None:
    made = _make(forest, "a", "d/")
    forest.write(lambda ctx: sysvol.rename(ctx, made["a"], made[""], "A"))
    assert forest.read(lambda ctx: sysvol.path_of(ctx, made["a"])) == ("A",)
    forest.write(lambda ctx: sysvol.rename(ctx, made["a"], made["d/"], "b"))
    assert _row(forest, "d/b").node == made["a"]
    assert forest.read(lambda ctx: sysvol.find(ctx, ["a"])) is None


def test_a_rename_replaces_a_file_when_asked(forest: KitForest) -> None:
    made = _make(forest, "a", "b", "d/")
    root = made[""]
    status = _refused(forest, lambda ctx: sysvol.rename(ctx, made["a"], root, "B"))
    assert status == NtStatus.STATUS_OBJECT_NAME_COLLISION
    status = _refused(forest, lambda ctx: sysvol.rename(ctx, made["a"], root, "d", replace=True))
    assert status == NtStatus.STATUS_ACCESS_DENIED
    forest.write(lambda ctx: sysvol.rename(ctx, made["a"], root, "B", replace=True))
    assert _row(forest, "b").node == made["a"]
    assert _status(forest, lambda ctx: sysvol.get(ctx, made["b"])) == NtStatus.STATUS_FILE_DELETED


def test_a_folder_never_comes_below_itself(forest: KitForest) -> None:
    made = _make(forest, "a/", "a/b/")
    for target in (made["a/"], made["a/b/"]):
        status = _refused(forest, lambda ctx, t=target: sysvol.rename(ctx, made["a/"], t, "x"))  # type: ignore[misc]
        assert status == NtStatus.STATUS_INVALID_PARAMETER


def test_the_root_stays(forest: KitForest) -> None:
    made = _make(forest, "a/")
    root = made[""]
    assert _refused(forest, lambda ctx: sysvol.remove(ctx, root)) == NtStatus.STATUS_CANNOT_DELETE
    status = _refused(forest, lambda ctx: sysvol.rename(ctx, root, made["a/"], "x"))
    assert status == NtStatus.STATUS_ACCESS_DENIED


def test_only_empty_folders_are_removed_and_names_become_free(forest: KitForest) -> None:
    made = _make(forest, "a/", "a/f")
    forest.write(lambda ctx: sysvol.write(ctx, made["a/f"], 0, b"x"))
    status = _refused(forest, lambda ctx: sysvol.remove(ctx, made["a/"]))
    assert status == NtStatus.STATUS_DIRECTORY_NOT_EMPTY
    forest.write(lambda ctx: sysvol.remove(ctx, made["a/f"]))
    forest.write(lambda ctx: sysvol.remove(ctx, made["a/"]))
    again = _make(forest, "a/", "a/f")
    assert again["a/f"] != made["a/f"]
    assert forest.read(lambda ctx: sysvol.read(ctx, again["a/f"], 0, 1)) == b""
    with forest.store.read() as tx:
        assert list(files.faults(tx, 10)) == []


def test_rows_of_what_was_removed_are_forgotten_in_the_end(forest: KitForest) -> None:
    node = _make(forest, "a")["a"]
    forest.write(lambda ctx: sysvol.remove(ctx, node))
    assert forest.write(sysvol.forget_step) is False
    with forest.store.read() as tx:
        assert files.get(tx, node) is not None
    forest.clock.time = FileTime(NOW + sysvol_watch.REMEMBERED_FT + 1)
    forest.write(sysvol.forget_step)
    with forest.store.read() as tx:
        assert files.get(tx, node) is None


def test_a_folder_lists_in_the_order_of_capitals(forest: KitForest) -> None:
    root = _make(forest, "b", "A", "ä", "_", "C/")[""]
    listed = forest.read(lambda ctx: [sysvol.name_of(row) for row in sysvol.children(ctx, root)])
    assert listed == ["A", "b", "C", "_", "ä"]


def test_descriptors_are_stored_once_and_replaced_alone(forest: KitForest) -> None:
    made = _make(forest, "a/", "a/f")
    assert _row(forest, "a").sd_id == _row(forest, "a/f").sd_id
    forest.write(lambda ctx: sysvol.set_descriptor(ctx, made["a/"], OTHER_SD))
    assert forest.read(lambda ctx: sysvol.descriptor(ctx, made["a/"])).pack() == OTHER_SD.pack()
    assert forest.read(lambda ctx: sysvol.descriptor(ctx, made["a/f"])).pack() == SD.pack()
    before = _row(forest, "a").version
    forest.write(lambda ctx: sysvol.set_descriptor(ctx, made["a/"], OTHER_SD))
    assert _row(forest, "a").version == before


def test_every_change_has_a_usn_and_a_stamp(forest: KitForest) -> None:
    node = _make(forest, "a")["a"]
    usn = forest.read(lambda ctx: ctx.tx.usn)
    forest.write(lambda ctx: sysvol.write(ctx, node, 0, b"x"))
    with forest.store.read() as tx:
        (row,) = files.changed(tx, usn)
        assert row.usn_changed == row.originating_usn == tx.usn
        assert row.invocation_id == forest.forest.invocation_id.bytes_le
        assert row.guid != bytes(16)


def test_what_is_kept_is_true_for_each_snapshot(forest: KitForest) -> None:
    """A reader of an older snapshot sees its own, before and after the commit."""
    node = _make(forest, "a")["a"]
    forest.write(lambda ctx: sysvol.write(ctx, node, 0, b"old"))
    assert forest.read(lambda ctx: sysvol.read(ctx, node, 0, 9)) == b"old"

    def work(ctx: ReadContext) -> tuple[bytes, bytes]:
        before = sysvol.read(ctx, node, 0, 9)
        forest.write(lambda inner: sysvol.write(inner, node, 0, b"newer"))
        assert forest.read(lambda inner: sysvol.read(inner, node, 0, 9)) == b"newer"
        return before, sysvol.read(ctx, node, 0, 9)

    assert forest.read(work) == (b"old", b"old")
    assert forest.read(lambda ctx: sysvol.read(ctx, node, 0, 9)) == b"newer"
    forest.build(lambda b: b.user("carol", 1200))
    assert forest.read(lambda ctx: sysvol.read(ctx, node, 0, 9)) == b"newer"


def test_a_security_template_is_put_on_the_agenda(forest: KitForest) -> None:
    node = _make(forest, "f")["f"]
    assert forest.read(lambda ctx: ctx.tx.next_due(sysvol_watch.KIND)) is None
    forest.write(lambda ctx: sysvol.rename(ctx, node, sysvol.get(ctx, node).parent, "GptTmpl.inf"))
    due = forest.read(lambda ctx: ctx.tx.next_due(sysvol_watch.KIND))
    assert due is not None and due > NOW
