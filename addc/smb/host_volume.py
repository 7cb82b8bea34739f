"""A folder of the host as a volume.

Content, names and times are the host's; NT descriptors, DOS attributes and birth times, which it does not
keep, are rows of the database (directory/share_files.py). No extended attribute and no privilege is needed:
the process owns what it makes. Everything that may wait for a disk runs on a thread.

Spec: [MS-FSA] 2.1.1.
"""

import asyncio
import os
import stat
from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from addc.base.clock import UNIX_EPOCH_FT, FileTime
from addc.base.errors import NtError
from addc.codec.file_names import key, upcase
from addc.codes.ntstatus import NtStatus
from addc.directory import share_files
from addc.directory.api import Directory
from addc.directory.context import ReadContext, WriteContext
from addc.directory.share_files import ShareFileRow
from addc.security import sddl
from addc.security.descriptor import SecurityDescriptor
from addc.security.token import SYSTEM, Token
from addc.smb.host_handles import (
    Handle,
    Handles,
    on_writable,
    open_handle,
    read_all,
    read_cached,
    write_all,
)
from addc.smb.host_tree import HostTree, told_as_status
from addc.smb.new_descriptors import new_descriptor
from addc.smb.volume import BasicChange, Changed, NewNode, Node, VolumeFacts

T = TypeVar("T")

FOLDER_ATTRIBUTE: Final = 0x10
ARCHIVE: Final = 0x20
UNIT: Final = 4096
THREADS: Final = 4
PLACES_MAX: Final = 262_144
"""Files whose place is remembered. An open one is asked for often enough to stay among them."""
KEPT_MAX: Final = 65_536
DEFAULT_FILES_SDDL: Final = (
    "O:BAG:BAD:AI(A;OICI;FA;;;BA)(A;OICI;FA;;;SY)(A;OICIIO;FA;;;CO)(A;OICI;0x1200a9;;;AU)"
)
"""What a share's files have where nobody has said otherwise: administrators everything, users reading."""

Path = tuple[str, ...]


def _ft(when_ns: int) -> FileTime:
    return FileTime(when_ns // 100 + UNIX_EPOCH_FT)


def _ns(when_ft: int) -> int:
    return (when_ft - UNIX_EPOCH_FT) * 100


class _Kept:
    """What the database keeps of one file: its row, and the descriptor that counts for it."""

    __slots__ = ("descriptor", "row")

    def __init__(self, row: ShareFileRow | None, descriptor: SecurityDescriptor) -> None:
        self.row = row
        self.descriptor = descriptor


class HostVolume:
    """One folder of the host. share: the name under which the database keeps what belongs to its files."""

    def __init__(self, directory: Directory, share: str, root: str, *, created_ft: FileTime) -> None:
        """Raises OSError if there is no such folder."""
        self._directory = directory
        self._share = share
        self._tree = HostTree(root)
        self._created_ft = created_ft
        self._places: OrderedDict[int, tuple[int, str]] = OrderedDict()
        self._handles = Handles()
        self._kept: OrderedDict[Path, _Kept] = OrderedDict()
        self._seen = b""
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix=f"share {share}")

    def close(self) -> None:
        """Let go of the host's files. Waits for what is under way."""
        self._threads.shutdown(wait=True)
        self._handles.clear()
        self._tree.close()

    async def _on_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    async def _write(self, work: Callable[[WriteContext], None]) -> None:
        """Change what the database keeps; the access was checked by who asked for the change."""
        await self._directory.write("smb.share", SYSTEM, work)
        self._kept.clear()

    # --- what the database keeps ---

    async def _look_up(self, path: Path, *, folder: bool) -> _Kept:
        def work(ctx: ReadContext) -> _Kept:
            return self._kept_of(ctx, path, folder)

        return await self._directory.read("smb.share", SYSTEM, work, point=True)

    def _kept_of(self, ctx: ReadContext, path: Path, folder: bool) -> _Kept:
        """Row and descriptor of a file; what was never set comes down from its folder."""
        seen = share_files.seen_change(ctx)
        if seen != self._seen:
            self._kept.clear()
            self._seen = seen
        compared = tuple(map(upcase, path))
        known = self._kept.get(compared)
        if known is not None:
            return known
        rows = share_files.look_up(ctx, self._share, path)
        row = rows[len(path)] if len(rows) > len(path) else None
        own = share_files.descriptor(ctx, row) if row is not None else None
        if own is None and not path:
            own = DEFAULT_FILES
        if own is None:
            above = self._kept_of(ctx, path[:-1], True).descriptor
            own = new_descriptor(above, None, SYSTEM, folder=folder)
        kept = self._kept[compared] = _Kept(row, own)
        while len(self._kept) > KEPT_MAX:
            self._kept.popitem(last=False)
        return kept

    # --- places ---

    def _place(self, node_id: int, parent_id: int, name: str) -> None:
        self._places[node_id] = (parent_id, name)
        self._places.move_to_end(node_id)
        while len(self._places) > PLACES_MAX:
            self._places.popitem(last=False)

    def _path(self, node_id: int) -> Path:
        """Where a file was seen last. Raises NtError(STATUS_OBJECT_NAME_NOT_FOUND)."""
        names: list[str] = []
        while True:
            place = self._places.get(node_id)
            if place is None:
                raise NtError(NtStatus.STATUS_OBJECT_NAME_NOT_FOUND)
            if not place[0]:
                return tuple(reversed(names))
            self._places.move_to_end(node_id)
            names.append(place[1])
            node_id = place[0]

    def _node_of(self, found: os.stat_result, place: tuple[int, str], row: ShareFileRow | None) -> Node:
        """A file as SMB sees it. place: number of its folder, and its name."""
        is_folder = stat.S_ISDIR(found.st_mode)
        size = 0 if is_folder else found.st_size
        attributes = row.attributes if row is not None else share_files.UNSET
        if attributes == share_files.UNSET:
            attributes = FOLDER_ATTRIBUTE if is_folder else ARCHIVE
        created = row.created_ft if row is not None else 0
        changed = _ft(found.st_ctime_ns)
        if row is not None and row.host_ns == found.st_ctime_ns:
            changed = FileTime(row.changed_ft)
        return Node(
            self._tree.id_of(found),
            place[0],
            place[1],
            attributes,
            size,
            -(-size // UNIT) * UNIT,
            FileTime(created) if created else _ft(min(found.st_mtime_ns, found.st_ctime_ns)),
            _ft(found.st_atime_ns),
            _ft(found.st_mtime_ns),
            changed,
        )

    # --- reading ---

    async def facts(self) -> VolumeFacts:
        total, free = await self._on_thread(self._tree.space)
        serial = int.from_bytes(key(self._share)[-8:].rjust(8, b"\x5a"), "big")
        return VolumeFacts(self._share, serial, self._created_ft, total, free)

    async def resolve(self, path: Sequence[str]) -> Node:
        """The node at a path of names from the root; () is the root itself."""
        found = await self._on_thread(lambda: self._tree.find(path))
        parent_id = node_id = 0
        for name, facts in found:
            parent_id, node_id = node_id, self._tree.id_of(facts)
            self._place(node_id, parent_id, name)
        name, facts = found[-1]
        real = tuple(name for name, _ in found[1:])
        kept = await self._look_up(real, folder=stat.S_ISDIR(facts.st_mode))
        return self._node_of(facts, (parent_id, name), kept.row)

    async def node(self, node_id: int) -> Node:
        path = self._path(node_id)
        handle = self._handles.get(node_id)
        if handle is not None:
            facts = os.fstat(handle.fd)
            if not facts.st_nlink:
                raise NtError(NtStatus.STATUS_OBJECT_NAME_NOT_FOUND)
        else:
            found = await self._on_thread(lambda: self._tree.find(path))
            facts = found[-1][1]
            if self._tree.id_of(facts) != node_id:
                raise NtError(NtStatus.STATUS_OBJECT_NAME_NOT_FOUND)
        kept = await self._look_up(path, folder=stat.S_ISDIR(facts.st_mode))
        return self._node_of(facts, self._places[node_id], kept.row)

    async def path_of(self, node_id: int) -> tuple[str, ...]:
        return self._path(node_id)

    async def children(self, folder_id: int) -> Sequence[Node]:
        """What a folder holds, ordered by case-folded name."""
        path = self._path(folder_id)

        def listed() -> list[tuple[str, os.stat_result]]:
            with told_as_status(), self._tree.folder(path) as folder:
                return self._tree.entries(folder)

        found = await self._on_thread(listed)

        def kept(ctx: ReadContext) -> dict[bytes, ShareFileRow]:
            rows = share_files.look_up(ctx, self._share, path)
            return share_files.below(ctx, rows[-1].row) if len(rows) > len(path) else {}

        rows = await self._directory.read("smb.share", SYSTEM, kept)
        nodes = []
        for name, facts in found:
            node = self._node_of(facts, (folder_id, name), rows.get(key(name)))
            self._place(node.node_id, folder_id, name)
            nodes.append(node)
        return sorted(nodes, key=lambda node: key(node.name))

    async def descriptor(self, node_id: int) -> SecurityDescriptor:
        path = self._path(node_id)
        known = self._kept.get(tuple(map(upcase, path)))
        if known is not None:
            return (await self._look_up(path, folder=False)).descriptor
        node = await self.node(node_id)
        return (await self._look_up(path, folder=node.is_folder)).descriptor

    # --- content ---

    async def _handle(self, node_id: int) -> Handle:
        """A descriptor of a file; what was put in its place meanwhile is not it."""
        found = self._handles.get(node_id)
        if found is not None:
            return found
        path = self._path(node_id)

        def opened() -> Handle:
            with told_as_status(), self._tree.folder(path[:-1]) as folder:
                handle = open_handle(path[-1] if path else ".", folder)
            if self._tree.id_of(os.fstat(handle.fd)) != node_id:
                raise NtError(NtStatus.STATUS_OBJECT_NAME_NOT_FOUND)
            return handle

        handle = await self._on_thread(opened)
        self._handles.keep(node_id, handle)
        return handle

    async def read(self, node_id: int, offset: int, size: int) -> bytes | memoryview:
        """At most `size` octets; fewer at the end of the file."""
        handle = await self._handle(node_id)
        data = read_cached(handle, offset, size)
        if data is not None:
            return data
        return await self._on_thread(lambda: read_all(handle, offset, size))

    async def write(self, node_id: int, offset: int, data: bytes | memoryview, requester: Token) -> None:
        """All of `data`; what lies between the old end and `offset` reads as zeros."""
        handle = await self._handle(node_id)
        await self._on_thread(lambda: write_all(handle, offset, data))

    async def set_size(self, node_id: int, size: int, requester: Token) -> None:
        handle = await self._handle(node_id)
        await self._on_thread(lambda: on_writable(handle, lambda fd: os.ftruncate(fd, size)))

    async def flush(self, node_id: int) -> None:
        """Everything acknowledged is on the disk."""
        handle = await self._handle(node_id)

        def synced() -> None:
            with told_as_status():
                os.fsync(handle.fd)

        await self._on_thread(synced)

    # --- facts ---

    async def set_basic(self, node_id: int, change: BasicChange, requester: Token) -> None:
        """The host keeps when it was read and written; the rest goes into the database."""
        path, handle = self._path(node_id), await self._handle(node_id)

        def touched() -> int:
            """The host's own time of change, after the others were set."""
            now = os.fstat(handle.fd)
            accessed = now.st_atime_ns if change.accessed_ft is None else _ns(change.accessed_ft)
            written = now.st_mtime_ns if change.written_ft is None else _ns(change.written_ft)
            with told_as_status():
                os.utime(handle.fd, ns=(accessed, written))
            return os.fstat(handle.fd).st_ctime_ns

        host_ns = 0
        if change.accessed_ft is not None or change.written_ft is not None:
            host_ns = await self._on_thread(touched)
        if change.attributes is None and change.created_ft is None and change.changed_ft is None:
            return
        host_ns = host_ns or os.fstat(handle.fd).st_ctime_ns
        changed = None if change.changed_ft is None else (change.changed_ft, host_ns)
        await self._write(
            lambda ctx: share_files.keep(
                ctx,
                self._share,
                path,
                attributes=change.attributes,
                created_ft=change.created_ft,
                changed=changed,
            )
        )

    async def set_descriptor(self, node_id: int, descriptor: SecurityDescriptor, requester: Token) -> None:
        path = self._path(node_id)
        await self._write(lambda ctx: share_files.keep(ctx, self._share, path, descriptor=descriptor))

    # --- names ---

    async def create(self, parent_id: int, new: NewNode, requester: Token) -> Node:
        path = self._path(parent_id)

        def made() -> tuple[os.stat_result, Handle | None]:
            with told_as_status(), self._tree.folder(path) as folder:
                if self._tree.real_name(folder, new.name) is not None:
                    raise NtError(NtStatus.STATUS_OBJECT_NAME_COLLISION)
                with self._tree.change(folder, come=new.name):
                    if new.folder:
                        os.mkdir(new.name, 0o777, dir_fd=folder)
                        return os.stat(new.name, dir_fd=folder, follow_symlinks=False), None
                    flags = os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC
                    handle = Handle(os.open(new.name, flags, 0o666, dir_fd=folder), True)
                    return os.fstat(handle.fd), handle

        facts, handle = await self._on_thread(made)
        node_id = self._tree.id_of(facts)
        self._handles.drop(node_id)
        if handle is not None:
            self._handles.keep(node_id, handle)
        self._place(node_id, parent_id, new.name)
        born = _ft(facts.st_mtime_ns)

        def keep(ctx: WriteContext) -> None:
            share_files.drop(ctx, self._share, (*path, new.name))
            share_files.keep(
                ctx,
                self._share,
                (*path, new.name),
                attributes=new.attributes,
                created_ft=born,
                descriptor=new.descriptor,
            )

        await self._write(keep)
        kept = await self._look_up((*path, new.name), folder=new.folder)
        return self._node_of(facts, (parent_id, new.name), kept.row)

    async def rename(self, node_id: int, place: tuple[int, str], requester: Token, *, replace: bool) -> None:
        """place: the new folder and name. replace: a file of that name there goes away."""
        old, into, name = self._path(node_id), self._path(place[0]), place[1]
        if into[: len(old)] == old:
            raise NtError(NtStatus.STATUS_INVALID_PARAMETER)

        def moved() -> int:
            """The number of what went away, 0 for nothing."""
            with (
                told_as_status(),
                self._tree.folder(old[:-1]) as source,
                self._tree.folder(into) as target,
            ):
                taken, gone = self._tree.real_name(target, name), 0
                if taken is not None:
                    found = self._tree.id_of(os.stat(taken, dir_fd=target, follow_symlinks=False))
                    if found != node_id:
                        if not replace:
                            raise NtError(NtStatus.STATUS_OBJECT_NAME_COLLISION)
                        gone = found
                os.rename(old[-1], name, src_dir_fd=source, dst_dir_fd=target)
                if gone and taken != name and taken is not None:
                    os.unlink(taken, dir_fd=target)
                return gone

        gone = await self._on_thread(moved)
        if gone:
            self._handles.drop(gone)
            self._places.pop(gone, None)
        self._place(node_id, place[0], name)
        await self._write(lambda ctx: share_files.move(ctx, self._share, old, (*into, name)))

    async def remove(self, node_id: int, requester: Token) -> None:
        path = self._path(node_id)
        if not path:
            raise NtError(NtStatus.STATUS_ACCESS_DENIED, "the root of a share stays")

        def removed() -> None:
            with told_as_status(), self._tree.folder(path[:-1]) as folder:
                found = os.stat(path[-1], dir_fd=folder, follow_symlinks=False)
                if self._tree.id_of(found) != node_id:
                    raise NtError(NtStatus.STATUS_OBJECT_NAME_NOT_FOUND)
                with self._tree.change(folder, gone=path[-1]):
                    if stat.S_ISDIR(found.st_mode):
                        os.rmdir(path[-1], dir_fd=folder)
                    else:
                        os.unlink(path[-1], dir_fd=folder)

        await self._on_thread(removed)
        self._handles.drop(node_id)
        self._places.pop(node_id, None)
        await self._write(lambda ctx: share_files.drop(ctx, self._share, path))

    def watch(self, hook: Callable[[Changed], None]) -> Callable[[], None]:
        """What other programs of the host change is not told: only changes through SMB are."""
        return lambda: None


DEFAULT_FILES: Final = sddl.parse(DEFAULT_FILES_SDDL)
