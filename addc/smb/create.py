"""CREATE: opening what exists, making what does not.

The steps are those of the documents: parameters, names, access, sharing with breaks, opening, caching.
Spec: [MS-SMB2] 3.3.5.9, [MS-FSA] 2.1.5.1.
"""

from dataclasses import dataclass
from typing import Final

from addc.base.errors import DecodeError, NtError
from addc.codes.ntstatus import NtStatus
from addc.security.access_mask import FILE_MAPPING
from addc.security.descriptor import Control, SecurityDescriptor
from addc.security.token import Privilege
from addc.smb import file_access, fscc, leases, notify, reopen
from addc.smb.caching import acquire, lease_conflict, wanted_lease
from addc.smb.create_contexts import Contexts, read_contexts
from addc.smb.create_reply import CREATED, OPENED, OVERWRITTEN, SUPERSEDED, created_reply
from addc.smb.file_access import ADD_FILE, ADD_SUBFOLDER, Target
from addc.smb.leases import Holder
from addc.smb.messages import CreateRequest
from addc.smb.new_descriptors import new_descriptor
from addc.smb.opens import FileOpen, FileServer, OpenFile, Opening, OpenVolume, Path
from addc.smb.paths import asked_path
from addc.smb.request import Reply, Request, SmbError
from addc.smb.volume import BasicChange, NewNode, Node

SUPERSEDE: Final = 0
OPEN: Final = 1
CREATE: Final = 2
OPEN_IF: Final = 3
OVERWRITE: Final = 4
OVERWRITE_IF: Final = 5
_OVERWRITES: Final = frozenset((SUPERSEDE, OVERWRITE, OVERWRITE_IF))
_MUST_EXIST: Final = frozenset((OPEN, OVERWRITE))

DIRECTORY_FILE: Final = 0x0000_0001
NO_INTERMEDIATE_BUFFERING: Final = 0x0000_0008
NON_DIRECTORY_FILE: Final = 0x0000_0040
NO_EA_KNOWLEDGE: Final = 0x0000_0200
DELETE_ON_CLOSE: Final = 0x0000_1000
BACKUP_INTENT: Final = 0x0000_4000
_NOT_SUPPORTED: Final = 0x0010_2080
_INVALID_OPTIONS: Final = 0xFF00_0000
_TEMPORARY: Final = fscc.TEMPORARY

_NEEDED_TO_OVERWRITE: Final = file_access.WRITE_DATA | file_access.WRITE_EA | file_access.WRITE_ATTRIBUTES
_NEEDED_TO_SUPERSEDE: Final = file_access.DELETE | file_access.WRITE_EA | file_access.WRITE_ATTRIBUTES


@dataclass(slots=True)
class Asked:
    """One CREATE, understood. desired: without what unbuffered files cannot have. share: as it counts."""

    request: Request
    message: CreateRequest
    contexts: Contexts
    path: Path
    desired: int
    volume: OpenVolume
    must_be_folder: bool
    must_be_file: bool

    @property
    def overwrites(self) -> bool:
        return self.message.create_disposition in _OVERWRITES

    @property
    def backup_intent(self) -> bool:
        return bool(self.message.create_options & BACKUP_INTENT)

    @property
    def deletes_on_close(self) -> bool:
        return bool(self.message.create_options & DELETE_ON_CLOSE)

    def opening(self, granted: int) -> Opening:
        message, contexts = self.message, self.contexts
        return Opening(
            self.desired,
            granted,
            message.share_access,
            message.create_options,
            message.file_attributes,
            self.deletes_on_close,
            contexts.durable_v2.create_guid if contexts.durable_v2 is not None else None,
            contexts.app_instance_id,
            contexts.app_instance_version,
        )


def _refuse(status: NtStatus) -> SmbError:
    return SmbError(status)


def _check_parameters(message: CreateRequest, contexts: Contexts) -> None:
    """Phase 1 of [MS-FSA] 2.1.5.1, and what SMB refuses before."""
    options = message.create_options
    if message.impersonation_level > 3:
        raise _refuse(NtStatus.STATUS_BAD_IMPERSONATION_LEVEL)
    desired = message.desired_access & ~file_access.SYSTEM_SECURITY  # which alone opens nothing
    if not desired or desired & file_access.INVALID_BITS:
        raise _refuse(NtStatus.STATUS_ACCESS_DENIED)
    if options & _NOT_SUPPORTED:
        raise _refuse(NtStatus.STATUS_NOT_SUPPORTED)
    is_both = options & (DIRECTORY_FILE | NON_DIRECTORY_FILE) == DIRECTORY_FILE | NON_DIRECTORY_FILE
    if (
        options & _INVALID_OPTIONS
        or message.share_access & ~7
        or message.create_disposition > OVERWRITE_IF
        or message.file_attributes & ~fscc.ATTRIBUTES_MASK
        or is_both
        or (options & DIRECTORY_FILE and message.create_disposition in _OVERWRITES)
        or (options & DIRECTORY_FILE and message.file_attributes & _TEMPORARY)
    ):
        raise _refuse(NtStatus.STATUS_INVALID_PARAMETER)
    if options & DELETE_ON_CLOSE and not FILE_MAPPING.map(message.desired_access) & (
        file_access.DELETE | file_access.MAXIMUM_ALLOWED
    ):
        raise _refuse(NtStatus.STATUS_INVALID_PARAMETER)
    if contexts.extended_attributes is not None and options & NO_EA_KNOWLEDGE:
        raise _refuse(NtStatus.STATUS_ACCESS_DENIED)


def _understood(server: FileServer, request: Request, contexts: Contexts) -> Asked:
    message = request.body(CreateRequest)
    _check_parameters(message, contexts)
    path = asked_path(request, message.name)
    if isinstance(path, NtStatus):
        raise _refuse(path)
    must_be_file = bool(message.create_options & NON_DIRECTORY_FILE)
    if message.name.endswith("\\") and must_be_file:
        raise _refuse(NtStatus.STATUS_OBJECT_NAME_INVALID)
    volume = request.tree.share.volume
    assert volume is not None
    desired = message.desired_access
    if message.create_options & NO_INTERMEDIATE_BUFFERING:
        desired &= ~file_access.APPEND_DATA
    if contexts.timewarp:
        raise _refuse(NtStatus.STATUS_OBJECT_NAME_NOT_FOUND)
    must_be_folder = bool(message.create_options & DIRECTORY_FILE)
    return Asked(
        request, message, contexts, path, desired, server.volume(volume), must_be_folder, must_be_file
    )


async def create(server: FileServer, request: Request) -> Reply:
    """Serve a CREATE on a share of files."""
    try:
        contexts = read_contexts(request.body(CreateRequest).contexts)
    except DecodeError:
        raise _refuse(NtStatus.STATUS_INVALID_PARAMETER) from None
    if (back := await reopen.answer(server, request, contexts)) is not None:
        return back
    asked = _understood(server, request, contexts)
    _check_share(asked)
    await reopen.replace_instance(server, request, asked.volume, contexts, asked.path)
    first = True
    while True:
        waits_for = await _attempt(server, asked, first)
        if isinstance(waits_for, Reply):
            return waits_for
        await _wait(server, request, contexts, waits_for)
        first = False


async def _wait(server: FileServer, request: Request, contexts: Contexts, file: OpenFile) -> None:
    """Wait until somebody has let go of a cache. The same request asked again meanwhile is told so."""
    future = file.changed()
    await request.go_async()
    key = None
    if contexts.durable_v2 is not None:
        key = (request.link.client_guid, contexts.durable_v2.create_guid)
        server.pending.add(key)
    try:
        await future
    finally:
        if key is not None:
            server.pending.discard(key)


def _check_share(asked: Asked) -> None:
    """What the share itself leaves to the user. Spec: [MS-SMB2] 3.3.5.9 (Open Execution)."""
    ceiling = asked.request.tree.maximal_access
    needed = file_access.DELETE if asked.deletes_on_close else 0
    if asked.overwrites:
        needed |= file_access.WRITE_DATA
    if not file_access.share_allows(ceiling, asked.desired | needed):
        hides = asked.request.tree.share.access_based_enumeration
        if hides and asked.message.create_disposition == OPEN:
            raise _refuse(NtStatus.STATUS_OBJECT_NAME_NOT_FOUND)
        raise _refuse(NtStatus.STATUS_ACCESS_DENIED)


async def _attempt(server: FileServer, asked: Asked, first: bool, *, again: bool = False) -> Reply | OpenFile:
    """Open or create once; the file to wait for where somebody must let go of a cache first.

    again: the name was taken when it was to be created.
    """
    volume = asked.volume.volume
    try:
        node = await volume.resolve(asked.path)
    except NtError as error:
        if error.status != NtStatus.STATUS_OBJECT_NAME_NOT_FOUND:
            raise
        if asked.message.create_disposition in _MUST_EXIST:
            raise
        return await _make(server, asked, again=again)
    return await _open(server, asked, node, first)


# --- what exists ---


def _check_kind(asked: Asked, node: Node) -> None:
    disposition = asked.message.create_disposition
    if disposition == CREATE:
        raise _refuse(NtStatus.STATUS_OBJECT_NAME_COLLISION)
    if node.is_folder:
        if asked.must_be_file:
            raise _refuse(NtStatus.STATUS_FILE_IS_A_DIRECTORY)
        if asked.overwrites:
            raise _refuse(
                NtStatus.STATUS_OBJECT_NAME_COLLISION if node.name else NtStatus.STATUS_ACCESS_DENIED
            )
    elif asked.must_be_folder or asked.message.name.endswith("\\"):
        raise _refuse(NtStatus.STATUS_NOT_A_DIRECTORY)
    elif asked.overwrites:
        kept = node.attributes & (fscc.HIDDEN | fscc.SYSTEM)
        if kept & ~asked.message.file_attributes or node.attributes & fscc.READONLY:
            raise _refuse(NtStatus.STATUS_ACCESS_DENIED)
    if node.attributes & fscc.READONLY and asked.deletes_on_close:
        raise _refuse(NtStatus.STATUS_CANNOT_DELETE)


async def _target(asked: Asked, node: Node, *, with_parent: bool) -> Target:
    volume = asked.volume.volume
    parent = None
    if with_parent and node.name:
        parent = await volume.descriptor(node.parent_id)
    facts = await asked.volume.fixed_facts()
    return Target(await volume.descriptor(node.node_id), parent, node.attributes, facts.read_only)


async def _granted(asked: Asked, node: Node) -> int:
    """The access check on what exists; the folder's descriptor is read only where it can matter."""
    token, ceiling = asked.request.session.token, asked.request.tree.maximal_access
    needed = 0
    if asked.overwrites:
        superseded = asked.message.create_disposition == SUPERSEDE
        needed = _NEEDED_TO_SUPERSEDE if superseded else _NEEDED_TO_OVERWRITE
    backup = asked.backup_intent
    maximum = asked.desired & file_access.MAXIMUM_ALLOWED
    target = await _target(asked, node, with_parent=bool(maximum))
    granted = file_access.granted_access(target, token, asked.desired, needed=needed, backup_intent=backup)
    if granted is NtStatus.STATUS_ACCESS_DENIED and not maximum and node.name:
        target = await _target(asked, node, with_parent=True)
        granted = file_access.granted_access(
            target, token, asked.desired, needed=needed, backup_intent=backup
        )
    if isinstance(granted, NtStatus):
        raise _refuse(granted)
    if maximum:
        granted &= ceiling | file_access.SYSTEM_SECURITY
    if asked.deletes_on_close and not granted & file_access.DELETE:
        raise _refuse(NtStatus.STATUS_ACCESS_DENIED)
    return granted


async def _open(server: FileServer, asked: Asked, node: Node, first: bool) -> Reply | OpenFile:
    _check_kind(asked, node)
    granted = await _granted(asked, node)
    path = (*asked.path[:-1], node.name) if asked.path else ()
    file = asked.volume.file(node, path)
    if file.deleting:
        return file
    if file.delete_pending:
        raise _refuse(NtStatus.STATUS_DELETE_PENDING)
    own = _own_lease(server, asked, file)
    shared = granted | (file_access.WRITE_DATA if asked.overwrites else 0)
    violates = file.sharing.conflict(shared, asked.message.share_access)
    contention = file.caching.contend_open(
        granted, own, overwrites=asked.overwrites, violates=violates, first=first
    )
    server.send(contention.breaks)
    if (contention.waits and _still_waits(file, own, violates)) or file.is_going:
        return file
    if violates and file.sharing.conflict(shared, asked.message.share_access):
        asked.volume.forget_idle(file)
        raise _refuse(NtStatus.STATUS_SHARING_VIOLATION)
    one = _opened(server, asked, file, granted)
    action = OPENED
    if asked.overwrites:
        action = SUPERSEDED if asked.message.create_disposition == SUPERSEDE else OVERWRITTEN
        node = await _overwritten(server, asked, one, node)
    acquire(server, asked.request, one, asked.contexts, node, overwritten=asked.overwrites)
    if asked.overwrites:
        node = _reserved(asked, file, node)
    return await created_reply(server, asked.request, one, asked.contexts, (node, action))


def _still_waits(file: OpenFile, own: Holder | None, violates: bool) -> bool:
    """Whether anybody is left to wait for: whom nobody could tell has lost it already."""
    gone = leases.HANDLE if violates else leases.WRITE
    return any(holder.breaking or holder.state & gone for holder in file.caching.holders if holder is not own)


def _own_lease(server: FileServer, asked: Asked, file: OpenFile | None) -> Holder | None:
    """The lease that the request comes with, if there is one of its key already.

    A key stands for one file. Spec: [MS-SMB2] 3.3.5.9.8, 3.3.5.9.11.
    """
    lease = wanted_lease(asked.request, asked.message.oplock_level, asked.contexts)
    if lease is None:
        return None
    own = server.leases.find(asked.request.link.client_guid.bytes, lease.lease_key)
    if lease_conflict(own, file):
        raise _refuse(NtStatus.STATUS_INVALID_PARAMETER)
    return own


def _opened(server: FileServer, asked: Asked, file: OpenFile, granted: int) -> FileOpen:
    """A new open, counted in, with its id."""
    request = asked.request
    one = FileOpen(server, (request.session, request.tree), file, asked.opening(granted))
    one.opened_ft = request.host.services.clock.now()
    request.host.add_open(one)
    server.add(one)
    return one


def _reserved(asked: Asked, file: OpenFile, node: Node) -> Node:
    """Take note of the room that the client wants for a file. Spec: [MS-SMB2] 3.3.5.9.3."""
    file.reserved = 0 if node.is_folder else asked.contexts.allocation_size or 0
    return file.with_room(node)


async def _overwritten(server: FileServer, asked: Asked, one: FileOpen, node: Node) -> Node:
    """Empty a file that is opened in place of a new one. Spec: [MS-FSA] 2.1.4.17."""
    volume, token = one.volume, asked.request.session.token
    attributes = asked.message.file_attributes & fscc.SETTABLE & ~fscc.NOT_CONTENT_INDEXED
    now = asked.request.host.services.clock.now()
    try:
        await volume.set_size(node.node_id, 0, token)
        one.file.written_ft = None
        await volume.set_basic(
            node.node_id,
            BasicChange(attributes | fscc.ARCHIVE, None, None, now, now),
            token,
        )
        node = await volume.node(node.node_id)
    except NtError:
        await asked.request.host.close_open(one, reopen.CLOSED)
        raise
    kinds = notify.ATTRIBUTES | notify.SIZE | notify.LAST_WRITE | notify.LAST_ACCESS | notify.CREATION
    one.file.volume.tell(notify.Event(notify.MODIFIED, one.file.path, kinds))
    server.contend_parent(one.file, one)
    return node


# --- what does not exist ---


def _given_descriptor(asked: Asked) -> SecurityDescriptor | None:
    """The descriptor that the client wants on the new file, if it may give it.

    Spec: [MS-SMB2] 3.3.5.9.2, [MS-FSA] 2.1.5.1.1.
    """
    data, token = asked.contexts.descriptor, asked.request.session.token
    if data is None:
        return None
    try:
        given = SecurityDescriptor.unpack(data)
    except DecodeError:
        raise _refuse(NtStatus.STATUS_INVALID_SECURITY_DESCR) from None
    if given.control & Control.SP and given.sacl is not None and not token.has(Privilege.SE_SECURITY):
        raise _refuse(NtStatus.STATUS_PRIVILEGE_NOT_HELD)
    if given.owner is not None and given.owner not in token.sids and not token.has(Privilege.SE_RESTORE):
        raise _refuse(NtStatus.STATUS_INVALID_OWNER)
    return given


async def _folder_for(asked: Asked, folder: bool) -> tuple[Node, SecurityDescriptor]:
    """The folder that something new goes into, and its descriptor, which must allow that."""
    volume, token = asked.volume.volume, asked.request.session.token
    parent = await volume.resolve(asked.path[:-1])
    if not parent.is_folder:
        raise _refuse(NtStatus.STATUS_OBJECT_PATH_NOT_FOUND)
    open_parent = asked.volume.files.get(parent.node_id)
    if open_parent is not None and open_parent.delete_pending:
        raise _refuse(NtStatus.STATUS_DELETE_PENDING)
    if (await asked.volume.fixed_facts()).read_only:
        raise _refuse(NtStatus.STATUS_MEDIA_WRITE_PROTECTED)
    descriptor = await volume.descriptor(parent.node_id)
    right = ADD_SUBFOLDER if folder else ADD_FILE
    if not asked.request.tree.maximal_access & right:
        raise _refuse(NtStatus.STATUS_ACCESS_DENIED)
    by_privilege = asked.backup_intent and token.has(Privilege.SE_RESTORE)
    if not by_privilege and not file_access.allowed(descriptor, token) & right:
        raise _refuse(NtStatus.STATUS_ACCESS_DENIED)
    return parent, descriptor


async def _make(server: FileServer, asked: Asked, *, again: bool) -> Reply | OpenFile:
    """Create a file or folder and open it. again: if the name is taken, it is by what SMB does not show."""
    message, token = asked.message, asked.request.session.token
    folder = asked.must_be_folder
    if not folder and message.name.endswith("\\"):
        raise _refuse(NtStatus.STATUS_OBJECT_NAME_INVALID)
    _own_lease(server, asked, None)
    if asked.contexts.extended_attributes:
        raise _refuse(NtStatus.STATUS_EAS_NOT_SUPPORTED)
    attributes = message.file_attributes & fscc.SETTABLE
    if attributes & fscc.READONLY and asked.deletes_on_close:
        raise _refuse(NtStatus.STATUS_CANNOT_DELETE)
    parent, above = await _folder_for(asked, folder)
    descriptor = new_descriptor(above, _given_descriptor(asked), token, folder=folder)
    granted = file_access.created_access(token, asked.desired, descriptor, asked.request.tree.maximal_access)
    if isinstance(granted, NtStatus):
        raise _refuse(granted)
    attributes |= fscc.DIRECTORY if folder else fscc.ARCHIVE
    try:
        node = await asked.volume.volume.create(
            parent.node_id, NewNode(asked.path[-1], folder, attributes, descriptor), token
        )
    except NtError as error:
        taken = error.status == NtStatus.STATUS_OBJECT_NAME_COLLISION
        if not taken or again or message.create_disposition == CREATE:
            raise
        return await _attempt(server, asked, True, again=True)  # somebody was quicker
    file = asked.volume.file(node, (*asked.path[:-1], node.name))
    one = _opened(server, asked, file, granted)
    acquire(server, asked.request, one, asked.contexts, node)
    node = _reserved(asked, file, node)
    kind = notify.DIR_NAME if folder else notify.FILE_NAME
    asked.volume.tell(notify.Event(notify.ADDED, file.path, kind))
    server.contend_parent(file, one)
    return await created_reply(server, asked.request, one, asked.contexts, (node, CREATED))
