"""SYSVOL in the database as a volume: the tree itself, or a folder in it, such as NETLOGON's.

Reads that need no network run at once on the loop, since SYSVOL's cache answers most of them; writes go
through the one writer and are durable when they return.

Spec: [MS-FSA] 2.1.1 (what a volume, a file and a link are).
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final, TypeVar

from addc.base.clock import FileTime
from addc.base.errors import AddcError, NtError
from addc.base.limits import SYSVOL_TOTAL_MAX
from addc.codes.ntstatus import NtStatus
from addc.directory import sysvol
from addc.directory.api import Directory
from addc.directory.context import ReadContext, WriteContext
from addc.directory.sysvol import Basics, FileRow, NewFile
from addc.security.descriptor import SecurityDescriptor
from addc.security.token import SYSTEM, Token
from addc.smb.volume import BasicChange, Changed, NewNode, Node, VolumeFacts

T = TypeVar("T")

CLUSTER: Final = 4096
LOOK_S: Final = 1.0
"""How often changes of other processes are looked for while anybody wants to be told."""
_INLINE_MAX: Final = 262_144
"""Octets that a read on the loop may fetch."""
_ADDED: Final = 1
_REMOVED: Final = 2
_MODIFIED: Final = 3
_CHANGES_MAX: Final = 1000

Hook = Callable[[Changed], None]


class SysvolVolume:
    """A tree of SYSVOL. base: the names from SYSVOL's root to the root of this volume."""

    def __init__(self, directory: Directory, base: Sequence[str] = (), label: str = "SYSVOL") -> None:
        self._directory = directory
        self._base = tuple(base)
        self._label = label
        self._hooks: tuple[Hook, ...] = ()
        self._follower: asyncio.Task[None] | None = None
        self._own: set[int] = set()
        self._seen = (0, 0)

    # --- one way in for reads, one for writes ---

    async def _read(self, work: Callable[[ReadContext], T]) -> T:
        if self._directory.reads_inline:
            return self._directory.read_point("smb.sysvol", SYSTEM, work)
        return await self._directory.read("smb.sysvol", SYSTEM, work)

    async def _write(self, name: str, requester: Token, work: Callable[[WriteContext], T]) -> T:
        def noted(ctx: WriteContext) -> T:
            before = ctx.tx.usn
            done = work(ctx)
            if self._hooks:
                self._own.update(range(before + 1, ctx.tx.usn + 1))
            return done

        return await self._directory.write(name, requester, noted)

    def _root(self, ctx: ReadContext) -> FileRow:
        return sysvol.resolve(ctx, self._base)

    def _node(self, ctx: ReadContext, row: FileRow) -> Node:
        """A row as SMB sees it; the base of this volume has neither name nor parent."""
        base = self._base
        is_root = row.parent == 0 or (
            bool(base)
            and sysvol.name_of(row).lower() == base[-1].lower()
            and row.node == self._root(ctx).node
        )
        size = row.size
        return Node(
            row.node,
            0 if is_root else row.parent,
            "" if is_root else row.name.decode("utf-8", "surrogatepass"),
            row.attributes,
            size,
            (size + CLUSTER - 1) // CLUSTER * CLUSTER,
            FileTime(row.created_ft),
            FileTime(row.accessed_ft),
            FileTime(row.written_ft),
            FileTime(row.changed_ft),
        )

    # --- reading ---

    async def facts(self) -> VolumeFacts:
        def work(ctx: ReadContext) -> VolumeFacts:
            return VolumeFacts(
                self._label,
                int.from_bytes(ctx.forest.domain_guid.bytes_le[:4], "little"),
                FileTime(self._root(ctx).created_ft),
                SYSVOL_TOTAL_MAX,
                max(SYSVOL_TOTAL_MAX - sysvol.used(ctx), 0),
            )

        return await self._read(work)

    async def resolve(self, path: Sequence[str]) -> Node:
        """The node at a path of names from the root; () is the root itself."""
        whole = (*self._base, *path)
        return await self._read(lambda ctx: self._node(ctx, sysvol.resolve(ctx, whole)))

    async def node(self, node_id: int) -> Node:
        return await self._read(lambda ctx: self._node(ctx, sysvol.get(ctx, node_id)))

    async def path_of(self, node_id: int) -> tuple[str, ...]:
        depth = len(self._base)
        return await self._read(lambda ctx: sysvol.path_of(ctx, node_id)[depth:])

    async def children(self, folder_id: int) -> Sequence[Node]:
        """What a folder holds, ordered by case-folded name."""
        return await self._read(lambda ctx: [self._node(ctx, row) for row in sysvol.children(ctx, folder_id)])

    async def descriptor(self, node_id: int) -> SecurityDescriptor:
        return await self._read(lambda ctx: sysvol.descriptor(ctx, node_id))

    async def read(self, node_id: int, offset: int, size: int) -> bytes:
        """At most `size` octets; fewer at the end of the file."""
        if size > _INLINE_MAX:
            return await self._directory.read(
                "smb.sysvol", SYSTEM, lambda ctx: sysvol.read(ctx, node_id, offset, size)
            )
        return await self._read(lambda ctx: sysvol.read(ctx, node_id, offset, size))

    # --- changing ---

    async def set_descriptor(self, node_id: int, descriptor: SecurityDescriptor, requester: Token) -> None:
        await self._write(
            "smb.descriptor", requester, lambda ctx: sysvol.set_descriptor(ctx, node_id, descriptor)
        )

    async def create(self, parent_id: int, new: NewNode, requester: Token) -> Node:
        made = NewFile(new.name, new.folder, new.attributes, new.descriptor)
        return await self._write(
            "smb.create", requester, lambda ctx: self._node(ctx, sysvol.create(ctx, parent_id, made))
        )

    async def write(self, node_id: int, offset: int, data: bytes | memoryview, requester: Token) -> None:
        """All of `data`; what lies between the old end and `offset` reads as zeros."""
        await self._write("smb.write", requester, lambda ctx: sysvol.write(ctx, node_id, offset, data))

    async def set_size(self, node_id: int, size: int, requester: Token) -> None:
        await self._write("smb.size", requester, lambda ctx: sysvol.set_size(ctx, node_id, size))

    async def set_basic(self, node_id: int, change: BasicChange, requester: Token) -> None:
        basics = Basics(
            change.attributes, change.created_ft, change.accessed_ft, change.written_ft, change.changed_ft
        )
        await self._write("smb.basic", requester, lambda ctx: sysvol.set_basic(ctx, node_id, basics))

    async def rename(self, node_id: int, place: tuple[int, str], requester: Token, *, replace: bool) -> None:
        """place: the new folder and name. replace: a file of that name there goes away."""

        def work(ctx: WriteContext) -> None:
            self._keep_base(ctx, node_id)
            sysvol.rename(ctx, node_id, place[0], place[1], replace=replace)

        await self._write("smb.rename", requester, work)

    async def remove(self, node_id: int, requester: Token) -> None:
        def work(ctx: WriteContext) -> None:
            self._keep_base(ctx, node_id)
            sysvol.remove(ctx, node_id)

        await self._write("smb.remove", requester, work)

    def _keep_base(self, ctx: ReadContext, node_id: int) -> None:
        """The root of a share is not renamed or removed through it."""
        if node_id == self._root(ctx).node:
            raise NtError(NtStatus.STATUS_ACCESS_DENIED, "the root of a share stays")

    async def flush(self, node_id: int) -> None:
        """Nothing to do: what was acknowledged is on the disk."""

    # --- changes by others ---

    def watch(self, hook: Hook) -> Callable[[], None]:
        """Be told of changes that are not made through this volume; the result ends that."""
        self._hooks = (*self._hooks, hook)
        if self._follower is None:
            self._follower = asyncio.get_running_loop().create_task(self._follow())

        def end() -> None:
            self._hooks = tuple(one for one in self._hooks if one is not hook)
            if not self._hooks and self._follower is not None:
                self._follower.cancel()
                self._follower = None
                self._own.clear()

        return end

    async def _follow(self) -> None:
        self._seen = await self._read(sysvol.generation)
        while True:
            await asyncio.sleep(LOOK_S)
            await self.look()

    async def look(self) -> None:
        """Tell the watchers what others changed since the last look."""
        try:
            seen = await self._read(sysvol.generation)
            if seen[0] == self._seen[0]:
                return
            after = self._seen[1]
            found = await self._read(lambda ctx: sysvol.changed(ctx, after, _CHANGES_MAX))
        except AddcError:
            return  # the database is away; the next look tells
        self._seen = (seen[0], max((row.usn_changed for row in found), default=seen[1]))
        for row in found:
            if row.usn_changed in self._own:
                continue
            action = _REMOVED if row.state else _ADDED if row.usn_created > after else _MODIFIED
            change = Changed(row.parent, sysvol.name_of(row), action)
            for hook in self._hooks:
                hook(change)
        self._own = {usn for usn in self._own if usn > self._seen[1]}
