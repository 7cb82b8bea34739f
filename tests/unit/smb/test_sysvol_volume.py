"""SYSVOL as a volume: what the SMB layer asks of one, and what it is told of changes by others.

Spec: [MS-FSA] 2.1.1.
"""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

import pytest

from addc.base.clock import FileTime
from addc.base.errors import NtError
from addc.codes.ntstatus import NtStatus
from addc.directory import sysvol, sysvol_paths
from addc.directory.api import Directory
from addc.security import sddl
from addc.security.token import SYSTEM
from addc.smb.sysvol_volume import CLUSTER, SysvolVolume
from addc.smb.volume import BasicChange, Changed, NewNode, Volume
from tests.kit.corp import Corp

T = TypeVar("T")
SCRIPTS = ("corp.example.com", "scripts")
SD = sddl.parse("O:BAG:BAD:P(A;OICI;FA;;;BA)", sddl.parse_sid("S-1-5-21-1-2-3"))


@pytest.fixture
def directory(corp: Corp) -> Directory:
    return Directory(corp.store, corp.schema)


@pytest.fixture
def volume(directory: Directory) -> SysvolVolume:
    return SysvolVolume(directory, SCRIPTS, "NETLOGON")


async def _status(work: Awaitable[object]) -> int:
    with pytest.raises(NtError) as refused:
        await work
    return refused.value.status


def test_a_share_is_a_folder_with_a_root_of_its_own(
    volume: SysvolVolume, directory: Directory, runner: asyncio.Runner
) -> None:
    async def work() -> None:
        protocol: Volume = volume
        root = await protocol.resolve(())
        assert (root.parent_id, root.name, root.is_folder) == (0, "", True)
        made = await protocol.create(root.node_id, NewNode("Logon.cmd", False, 0x20, SD), SYSTEM)
        assert (made.parent_id, made.name, made.size) == (root.node_id, "Logon.cmd", 0)
        assert await protocol.path_of(made.node_id) == ("Logon.cmd",)
        whole = SysvolVolume(directory)
        seen = await whole.resolve((*SCRIPTS, "LOGON.CMD"))
        assert seen.node_id == made.node_id
        assert await whole.path_of(made.node_id) == (*SCRIPTS, "Logon.cmd")
        assert (await whole.node(root.node_id)).name == "scripts"
        for tried in (
            protocol.remove(root.node_id, SYSTEM),
            protocol.rename(root.node_id, ((await whole.resolve(())).node_id, "x"), SYSTEM, replace=False),
        ):
            assert await _status(tried) == NtStatus.STATUS_ACCESS_DENIED

    runner.run(work())


def test_content_sizes_times_and_descriptors(volume: SysvolVolume, runner: asyncio.Runner) -> None:
    async def work() -> None:
        root = await volume.resolve(())
        node = (await volume.create(root.node_id, NewNode("f", False, 0, SD), SYSTEM)).node_id
        data = bytes(range(256)) * 2000
        await volume.write(node, 10, memoryview(data), SYSTEM)
        assert await volume.read(node, 0, 20) == bytes(10) + data[:10]
        assert await volume.read(node, 0, 1 << 20) == bytes(10) + data
        seen = await volume.node(node)
        assert (seen.size, seen.allocation % CLUSTER) == (len(data) + 10, 0)
        assert seen.allocation >= seen.size
        await volume.set_size(node, 5, SYSTEM)
        assert await volume.read(node, 0, 100) == bytes(5)
        await volume.set_basic(node, BasicChange(attributes=1, written_ft=FileTime(7)), SYSTEM)
        seen = await volume.node(node)
        assert (seen.attributes, seen.written_ft) == (1, 7)
        other = sddl.parse("O:BAG:BAD:P(A;;FA;;;SY)")
        await volume.set_descriptor(node, other, SYSTEM)
        assert (await volume.descriptor(node)).pack() == other.pack()
        await volume.flush(node)
        facts = await volume.facts()
        assert facts.label == "NETLOGON" and 0 < facts.free < facts.total

    runner.run(work())


def test_names_move_and_go(volume: SysvolVolume, runner: asyncio.Runner) -> None:
    async def work() -> None:
        root = (await volume.resolve(())).node_id
        folder = (await volume.create(root, NewNode("d", True, 0, SD), SYSTEM)).node_id
        node = (await volume.create(root, NewNode("a", False, 0, SD), SYSTEM)).node_id
        await volume.create(root, NewNode("b", False, 0, SD), SYSTEM)
        assert [one.name for one in await volume.children(root)] == ["a", "b", "d"]
        tried = volume.rename(node, (root, "B"), SYSTEM, replace=False)
        assert await _status(tried) == NtStatus.STATUS_OBJECT_NAME_COLLISION
        await volume.rename(node, (root, "B"), SYSTEM, replace=True)
        await volume.rename(node, (folder, "c"), SYSTEM, replace=False)
        assert [one.name for one in await volume.children(root)] == ["d"]
        assert await _status(volume.remove(folder, SYSTEM)) == NtStatus.STATUS_DIRECTORY_NOT_EMPTY
        await volume.remove(node, SYSTEM)
        await volume.remove(folder, SYSTEM)
        assert await volume.children(root) == []
        assert await _status(volume.node(node)) == NtStatus.STATUS_FILE_DELETED

    runner.run(work())


def test_watchers_learn_of_what_others_changed_and_of_nothing_else(
    volume: SysvolVolume, directory: Directory, runner: asyncio.Runner
) -> None:
    async def work() -> None:
        told: list[Changed] = []
        root = (await volume.resolve(())).node_id
        end = volume.watch(told.append)
        await asyncio.sleep(0)
        await volume.create(root, NewNode("own", False, 0, SD), SYSTEM)
        await volume.look()
        assert told == []
        path = (*SCRIPTS, "theirs.txt")
        await directory.write("t", SYSTEM, lambda ctx: sysvol_paths.put_file(ctx, path, b"1"))
        await volume.look()
        assert told == [Changed(root, "theirs.txt", 1)]
        await directory.write("t", SYSTEM, lambda ctx: sysvol_paths.put_file(ctx, path, b"2"))
        await volume.look()
        await directory.write("t", SYSTEM, lambda ctx: sysvol.remove(ctx, sysvol.resolve(ctx, path).node))
        await volume.look()
        assert [one.action for one in told] == [1, 3, 2]
        end()
        await directory.write("t", SYSTEM, lambda ctx: sysvol_paths.put_file(ctx, path, b"3"))
        await volume.look()
        assert len(told) == 3

    runner.run(work())
