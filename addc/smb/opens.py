"""Open files: what all opens of one file share, and what one open is.

All of it is plain memory of one event loop: between two awaits nothing changes. What is decided after an
await is decided on what is there then.

Spec: [MS-SMB2] 3.3.1.10, 3.3.4.6, 3.3.4.7, 3.3.4.17; [MS-FSA] 2.1.1.4, 2.1.1.6.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final
from uuid import UUID

from addc.base.clock import FileTime
from addc.base.errors import NtError
from addc.codec.ids import Sid
from addc.codes.ntstatus import NtStatus
from addc.security.token import Token
from addc.smb import leases, notify
from addc.smb.leases import Break, Caching, Holder, LeaseTable
from addc.smb.locks import Locks, LockSequences
from addc.smb.messages import LeaseBreakNotification, OplockBreak
from addc.smb.names import folded
from addc.smb.request import SmbHost
from addc.smb.session import EndReason, Open, Session, Tree
from addc.smb.share_modes import ShareModes
from addc.smb.volume import Changed, Node, Volume, VolumeFacts

BREAK_TIMEOUT_S: Final = 35.0
"""How long a client may take to acknowledge a break ([MS-SMB2] 3.3.2.1, 3.3.2.5)."""
DURABLE_TIMEOUT_MS: Final = 60_000
DURABLE_TIMEOUT_MAX_MS: Final = 300_000
_ACK_REQUIRED: Final = 1
_MAY_COME_BACK: Final = frozenset((EndReason.CONNECTION_LOST, EndReason.LOGGED_OFF))
"""Ends that a durable handle outlives ([MS-SMB2] 3.3.5.6, 3.3.7.1)."""
WRITE_TIME_S: Final = 1.5
UNIT: Final = 4096
"""Octets by which files take up room."""

Path = tuple[str, ...]


class OpenFile:
    """What all opens of one file or folder share.

    path: its names from the root. frozen: times that a client has set or frozen by an open, until it closes.
    """

    __slots__ = (
        "_waiting",
        "caching",
        "changes",
        "delete_pending",
        "deleting",
        "is_folder",
        "locks",
        "node_id",
        "opens",
        "parent_id",
        "path",
        "reserved",
        "sharing",
        "volume",
        "written_ft",
    )

    def __init__(self, volume: "OpenVolume", node: Node, path: Path) -> None:
        self.volume = volume
        self.node_id = node.node_id
        self.parent_id = node.parent_id
        self.is_folder = node.is_folder
        self.path = path
        self.opens: set[FileOpen] = set()
        self.sharing = ShareModes()
        self.locks = Locks()
        self.caching = Caching()
        self.delete_pending = False
        self.deleting = False
        self.changes = 0
        """Grows with every change inside of a folder."""
        self.reserved = 0
        """Octets that a client wants kept for the file, as long as it is open."""
        self.written_ft: FileTime | None = None
        """What its time of writing is told to be, for a moment or until its writer flushes or closes it."""
        self._waiting: list[asyncio.Future[None]] = []

    def changed(self) -> asyncio.Future[None]:
        """Done as soon as something of this file's opens, locks or caching is another."""
        future = asyncio.get_running_loop().create_future()
        self._waiting.append(future)
        return future

    def wake(self) -> None:
        """Let those who wait look again, in the order they came."""
        waiting, self._waiting = self._waiting, []
        for future in waiting:
            if not future.done():
                future.set_result(None)

    def hold_time(self, written_ft: FileTime) -> None:
        """Data is about to be written: the time of that is told later, as by file systems that put it off."""
        self.written_ft = written_ft
        asyncio.get_running_loop().call_later(WRITE_TIME_S, self._tell_time)

    def _tell_time(self) -> None:
        self.written_ft = None

    def with_room(self, node: Node) -> Node:
        """The file with what is reserved for it counted in, and the time of writing that counts."""
        if self.written_ft is not None:
            node = replace(node, written_ft=self.written_ft)
        if self.reserved <= node.allocation:
            return node
        return replace(node, allocation=-(-self.reserved // UNIT) * UNIT)

    @property
    def is_going(self) -> bool:
        """Whether nobody has it open any more that was to be deleted with its last open."""
        return self.deleting or (self.delete_pending and not self.opens)

    @property
    def is_idle(self) -> bool:
        return not self.opens and not self._waiting


@dataclass(slots=True)
class Durable:
    """What lets an open outlive its connection.

    owner: whose it is. create_guid: of version 2. timer: while it is cut off.
    Spec: [MS-SMB2] 3.3.1.10 (Open.IsDurable and on).
    """

    owner: Sid
    timeout_ms: int
    create_guid: UUID | None = None
    timer: asyncio.TimerHandle | None = None


@dataclass(slots=True)
class Listing:
    """What a folder held when its reading began, and how far it got."""

    pattern: str
    entries: Sequence[Node]
    changes: int = 0
    at: int = 0
    found_any: bool = False


@dataclass(slots=True)
class Opening:
    """How a file was opened, as the request said it."""

    desired: int
    granted: int
    share: int
    options: int
    attributes: int = 0
    delete_on_close: bool = False
    create_guid: UUID | None = None
    app_instance_id: UUID | None = None
    app_instance_version: tuple[int, int] | None = None
    action: int = 1
    """What its CREATE did, for the same request asked again."""


class FileOpen(Open):
    """One open of a file or folder."""

    __slots__ = (
        "disconnected",
        "durable",
        "file",
        "frozen",
        "granted",
        "holder",
        "listing",
        "lock_sequences",
        "opened_ft",
        "opening",
        "position",
        "server",
        "token",
        "watcher",
        "watching",
        "wrote",
    )

    def __init__(
        self, server: "FileServer", place: tuple[Session, Tree], file: OpenFile, how: Opening
    ) -> None:
        """how: its `granted` is what the access check gave."""
        super().__init__(*place)
        self.server = server
        self.file = file
        self.granted = how.granted
        self.opening = how
        self.token: Token = place[0].token
        self.holder: Holder | None = None
        self.durable: Durable | None = None
        self.disconnected = False
        self.position = 0
        self.opened_ft = FileTime(0)
        self.listing: Listing | None = None
        self.watcher: notify.Watcher | None = None
        self.watching: list[asyncio.Future[NtStatus]] = []
        self.lock_sequences = LockSequences()
        self.frozen: dict[str, FileTime] = {}
        """Times that a client has set or frozen by it, until it closes."""
        self.wrote = False

    @property
    def volume(self) -> Volume:
        return self.file.volume.volume

    @property
    def lease(self) -> Holder | None:
        """The lease it shares; None for an oplock."""
        return self.holder if self.holder is not None and self.holder.is_lease else None

    @property
    def oplock_level(self) -> int:
        if self.holder is None:
            return leases.LEVEL_NONE
        if self.holder.is_lease:
            return leases.LEVEL_LEASE
        return leases.level_of_state(self.holder.state)

    @property
    def counts_as_plain(self) -> bool:
        """Whether it keeps others from caching writes though it caches nothing itself."""
        return self.holder is None and not leases.is_stat_open(self.granted)

    def wake_watching(self) -> None:
        """Answer the oldest request that waits for changes."""
        for waiting in self.watching:
            if not waiting.done():
                waiting.set_result(NtStatus.STATUS_SUCCESS)
                return

    def end_watching(self, status: NtStatus) -> None:
        """Answer every request that waits for changes with this."""
        waiting, self.watching = self.watching, []
        for future in waiting:
            if not future.done():
                future.set_result(status)

    async def end(self, reason: EndReason) -> None:
        """Close it, or keep it for its client to come back."""
        if reason in _MAY_COME_BACK and self.server.keep(self):
            return
        await self.server.finish(self)


class OpenVolume:
    """One volume's open files and the watchers of its folders."""

    def __init__(self, volume: Volume) -> None:
        self.volume = volume
        self.files: dict[int, OpenFile] = {}
        self.watchers = notify.Watchers()
        self._facts: VolumeFacts | None = None
        self._unwatch: Callable[[], None] | None = None

    async def fixed_facts(self) -> VolumeFacts:
        """Label, serial number and whether it can be written, as they were when first asked for."""
        if self._facts is None:
            self._facts = await self.volume.facts()
        return self._facts

    def file(self, node: Node, path: Path) -> OpenFile:
        """The shared state of a node that is about to be opened."""
        found = self.files.get(node.node_id)
        if found is None:
            found = self.files[node.node_id] = OpenFile(self, node, path)
        return found

    def forget_idle(self, file: OpenFile) -> None:
        if file.is_idle and self.files.get(file.node_id) is file:
            del self.files[file.node_id]

    def tell(self, *events: notify.Event) -> None:
        """Tell watchers what has changed."""
        if self.watchers:
            self.watchers.tell(events, folded)

    def watch(self, watcher: notify.Watcher) -> None:
        """Tell a watcher of changes from now on; those of other processes count as well."""
        self.watchers.add(watcher)
        if self._unwatch is None:
            self._unwatch = self.volume.watch(self._changed_elsewhere)

    def unwatch(self, watcher: notify.Watcher) -> None:
        self.watchers.remove(watcher)
        if not self.watchers and self._unwatch is not None:
            self._unwatch()
            self._unwatch = None

    def open_below(self, path: Path) -> list[OpenFile]:
        """Open files and folders inside a folder."""
        key, depth = folded(path), len(path)
        return [
            file
            for file in self.files.values()
            if len(file.path) > depth and file.opens and folded(file.path[:depth]) == key
        ]

    def moved(self, old: Path, new: Path) -> None:
        """Everything open at or below a path, and who watches it, has another path now."""
        key, depth = folded(old), len(old)
        for file in self.files.values():
            if folded(file.path[:depth]) == key:
                file.path = (*new, *file.path[depth:])
        for watcher in self.watchers.below(key):
            self.watchers.move(watcher, (*folded(new), *watcher.folder[depth:]))

    def _changed_elsewhere(self, change: Changed) -> None:
        parent = self.files.get(change.parent_id)
        if parent is None:
            return
        kinds = notify.FILE_NAME | notify.DIR_NAME
        if change.action == notify.MODIFIED:
            kinds = notify.ALL_FILTERS & ~kinds
        self.tell(notify.Event(change.action, (*parent.path, change.name), kinds))


@dataclass(slots=True)
class FileServer:
    """All open files of this server: the tables that sessions, durable handles and leases meet in.

    Spec: [MS-SMB2] 3.3.1.1, 3.3.1.5 (GlobalOpenTable, GlobalLeaseTableList).
    """

    host: SmbHost
    break_timeout_s: float = BREAK_TIMEOUT_S
    leases: LeaseTable = field(default_factory=LeaseTable)
    durable: dict[int, FileOpen] = field(default_factory=dict)
    """Opens that may come back, by the persistent part of their ids."""
    by_create_guid: dict[tuple[UUID, UUID], FileOpen] = field(default_factory=dict)
    """By client and CreateGuid."""
    by_app_instance: dict[UUID, FileOpen] = field(default_factory=dict)
    pending: set[tuple[UUID, UUID]] = field(default_factory=set)
    """Client and CreateGuid of requests that wait for others' breaks."""
    _volumes: dict[int, OpenVolume] = field(default_factory=dict)
    _closing: set[asyncio.Task[None]] = field(default_factory=set)

    def volume(self, volume: Volume) -> OpenVolume:
        found = self._volumes.get(id(volume))
        if found is None:
            found = self._volumes[id(volume)] = OpenVolume(volume)
        return found

    def all_opens(self) -> Iterable[FileOpen]:
        """Every open file, for administrators' lists."""
        files = [file for volume in self._volumes.values() for file in volume.files.values()]
        return [one for file in files for one in file.opens]

    # --- opening and closing ---

    def add(self, one: FileOpen) -> None:
        """Count an open in; its holder is set by then."""
        file = one.file
        file.opens.add(one)
        file.sharing.add(one.granted, one.opening.share)
        if one.holder is not None:
            one.holder.opens.add(one)
        elif one.counts_as_plain:
            file.caching.plain_opens += 1

    def _detach(self, one: FileOpen) -> None:
        """Count an open out."""
        file = one.file
        if one not in file.opens:
            return
        file.opens.discard(one)
        file.sharing.remove(one.granted, one.opening.share)
        if one.holder is not None:
            self.leases.release(one.holder, one)
        elif one.counts_as_plain:
            file.caching.plain_opens -= 1
        file.locks.drop(one)
        if one.watcher is not None:
            file.volume.unwatch(one.watcher)
            one.watcher = None

    def forget_durable(self, one: FileOpen) -> None:
        """It cannot come back any more."""
        if one.durable is not None and one.durable.timer is not None:
            one.durable.timer.cancel()
            one.durable.timer = None
        if self.durable.get(one.file_id.persistent) is one:
            del self.durable[one.file_id.persistent]
        if one.opening.create_guid is not None:
            key = (one.session.client_guid, one.opening.create_guid)
            if self.by_create_guid.get(key) is one:
                del self.by_create_guid[key]
        app_id = one.opening.app_instance_id
        if app_id is not None and self.by_app_instance.get(app_id) is one:
            del self.by_app_instance[app_id]

    async def finish(self, one: FileOpen) -> None:
        """Close an open for good; the last one takes with it what is to be deleted.

        Spec: [MS-SMB2] 3.3.4.17, [MS-FSA] 2.1.5.5.
        """
        self.forget_durable(one)
        one.end_watching(NtStatus.STATUS_NOTIFY_CLEANUP)
        file = one.file
        if one.opening.delete_on_close and not file.delete_pending:
            file.delete_pending = True
            self.send(file.caching.contend_handle(one.holder).breaks)
            for other in file.opens:
                other.end_watching(NtStatus.STATUS_DELETE_PENDING)
        self._detach(one)
        if one.wrote:
            file.written_ft = None
        file.wake()
        if file.delete_pending and not file.opens:
            await self._delete(file, one)
        elif one.wrote:
            self.contend_parent(file, one)
        file.volume.forget_idle(file)

    async def _delete(self, file: OpenFile, one: FileOpen) -> None:
        file.deleting = True
        try:
            await file.volume.volume.remove(file.node_id, one.token)
        except NtError:
            # Somebody put something into the folder meanwhile; it stays, as it does on NTFS.
            file.delete_pending = False
            return
        finally:
            file.deleting = False
            file.wake()
        file.volume.files.pop(file.node_id, None)
        kind = notify.DIR_NAME if file.is_folder else notify.FILE_NAME
        file.volume.tell(notify.Event(notify.REMOVED, file.path, kind))
        self.contend_parent(file, one)

    # --- durable handles ---

    def keep(self, one: FileOpen) -> bool:
        """Keep an open whose connection is gone, if it may come back; whether it is kept.

        Spec: [MS-SMB2] 3.3.7.1.
        """
        durable = one.durable
        if (
            durable is None
            or one.holder is None
            or not one.holder.state & leases.HANDLE
            or one.holder.breaking
        ):
            return False
        if one.file.delete_pending:
            return False
        one.disconnected = True
        loop = asyncio.get_running_loop()
        durable.timer = loop.call_later(durable.timeout_ms / 1000, self.close_later, one)
        self.durable[one.file_id.persistent] = one
        return True

    def close_later(self, one: FileOpen) -> None:
        """Close an open that nobody waits for: its time is up, or its break cannot be told."""
        if one.disconnected:
            one.disconnected = False
            self.forget_durable(one)
            work = self.finish(one)
        else:
            work = self.host.close_open(one, EndReason.CLOSED)
        task = asyncio.get_running_loop().create_task(work)
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    async def close_all(self) -> None:
        """Close what only waits for its client, when the server ends."""
        for one in list(self.durable.values()):
            if one.disconnected:
                self.close_later(one)
        if self._closing:
            await asyncio.wait(self._closing)

    # --- breaks ---

    def send(self, breaks: Sequence[Break]) -> None:
        """Tell holders what they lose. Spec: [MS-SMB2] 3.3.4.6, 3.3.4.7."""
        for one in breaks:
            if not self._told(one):
                self._untold(one.holder)
            elif one.must_acknowledge:
                loop = asyncio.get_running_loop()
                loop.call_later(self.break_timeout_s, self._break_timed_out, one.holder, one.holder.epoch)

    def _told(self, one: Break) -> bool:
        holder = one.holder
        for opened in tuple(holder.opens):
            if not isinstance(opened, FileOpen) or opened.disconnected:
                continue
            if holder.key is None:
                body: OplockBreak | LeaseBreakNotification = OplockBreak(
                    leases.level_of_state(one.after), opened.file_id
                )
            else:
                body = LeaseBreakNotification(
                    holder.epoch if holder.version == 2 else 0,
                    _ACK_REQUIRED if one.must_acknowledge else 0,
                    holder.key,
                    one.before,
                    one.after,
                )
            if self.host.send_break(opened.session, body, lease=holder.is_lease):
                return True
        return False

    def _untold(self, holder: Holder) -> None:
        """Nobody is there to hear of a break: the caches are gone, and with them the way back."""
        leases.end_break(holder)
        for opened in tuple(holder.opens):
            if isinstance(opened, FileOpen) and opened.disconnected:
                self.forget_durable(opened)
                opened.file.delete_pending |= opened.opening.delete_on_close
                self._detach(opened)
                opened.disconnected = False
                self.close_later_detached(opened)
        if holder.file is not None:
            self.wake_file_of(holder)

    def close_later_detached(self, one: FileOpen) -> None:
        """Finish what is counted out already: a deletion that waited for it."""
        file = one.file
        file.wake()
        if file.delete_pending and not file.opens:
            task = asyncio.get_running_loop().create_task(self._delete(file, one))
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)
        else:
            file.volume.forget_idle(file)

    def _break_timed_out(self, holder: Holder, epoch: int) -> None:
        """Spec: [MS-SMB2] 3.3.6.1, 3.3.6.5."""
        if holder.breaking and holder.epoch == epoch:
            leases.end_break(holder)
            self.wake_file_of(holder)

    def wake_file_of(self, holder: Holder) -> None:
        for opened in holder.opens:
            if isinstance(opened, FileOpen):
                opened.file.wake()
                return

    def contend_parent(self, file: OpenFile, one: FileOpen | None) -> None:
        """A folder's content has changed: who caches the folder is told, except who did it."""
        parent = file.volume.files.get(file.parent_id)
        if parent is None:
            return
        parent.changes += 1
        if not parent.caching.holders:
            return
        lease = None if one is None else one.lease
        client = b"" if one is None else one.session.client_guid.bytes
        self.send(parent.caching.contend_listing(client, None if lease is None else lease.parent_key))
