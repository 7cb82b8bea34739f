"""Renaming and moving of files and folders.

Spec: [MS-FSA] 2.1.5.15.11, [MS-FSCC] 2.4.42.2, 2.4.43; [MS-SMB2] 3.3.5.21.1.
"""

from typing import Final

from addc.base.errors import NtError
from addc.codes.ntstatus import NtStatus
from addc.smb import file_access, fscc, notify
from addc.smb.file_access import ADD_FILE, ADD_SUBFOLDER
from addc.smb.opens import FileOpen, FileServer, OpenFile, Path
from addc.smb.paths import asked_path
from addc.smb.request import Request, SmbError
from addc.smb.share_modes import SHARE_READ, SHARE_WRITE
from addc.smb.volume import Node

_REPLACE: Final = 0x1
_POSIX: Final = 0x2


def _refuse(status: NtStatus) -> SmbError:
    return SmbError(status)


async def rename(server: FileServer, request: Request, one: FileOpen, data: bytes) -> None:
    """Give an open file another name, in its folder or in another one of the volume."""
    if not one.granted & file_access.DELETE:
        raise _refuse(NtStatus.STATUS_ACCESS_DENIED)
    asked = fscc.RenameInformation.unpack(data)
    if asked.flags & _POSIX:
        raise _refuse(NtStatus.STATUS_NOT_SUPPORTED)
    if asked.root_directory or not asked.file_name:
        raise _refuse(NtStatus.STATUS_INVALID_PARAMETER)
    path = asked_path(request, asked.file_name)
    if isinstance(path, NtStatus):
        raise _refuse(path)
    if not one.file.path or not path:
        raise _refuse(NtStatus.STATUS_INVALID_PARAMETER)
    replaces = bool(asked.flags & _REPLACE)
    await _free(server, request, one.file, one)
    folder = await one.volume.resolve(path[:-1])
    await _may_place(one, folder)
    taken = await _node_at(one, path)
    if taken is not None and taken.node_id != one.file.node_id:
        await _may_replace(server, request, one, taken, replaces)
    else:
        replaces = False
    if one.file.is_folder:
        await _nothing_open_below(server, request, one)
    await one.volume.rename(one.file.node_id, (folder.node_id, path[-1]), one.token, replace=replaces)
    _moved(server, one, (*path[:-1], path[-1]), folder)


async def _node_at(one: FileOpen, path: Path) -> Node | None:
    try:
        return await one.volume.resolve(path)
    except NtError as error:
        if error.status != NtStatus.STATUS_OBJECT_NAME_NOT_FOUND:
            raise
        return None


async def _free(server: FileServer, request: Request, file: OpenFile, own: FileOpen | None) -> None:
    """Have clients let go of handles that they only keep for later."""
    while True:
        holder = None if own is None else own.holder
        contention = file.caching.contend_handle(holder)
        server.send(contention.breaks)
        if not contention.waits or not file.caching.others_hold_handle(holder):
            return
        future = file.changed()
        await request.go_async()
        await future


async def _may_place(one: FileOpen, folder: Node) -> None:
    """Whether the file may come into a folder: its descriptor, the share, and who has the folder open."""
    if not folder.is_folder:
        raise _refuse(NtStatus.STATUS_OBJECT_PATH_NOT_FOUND)
    right = ADD_SUBFOLDER if one.file.is_folder else ADD_FILE
    descriptor = await one.volume.descriptor(folder.node_id)
    if not file_access.allowed(descriptor, one.token) & one.tree.maximal_access & right:
        raise _refuse(NtStatus.STATUS_ACCESS_DENIED)
    opened = one.file.volume.files.get(folder.node_id)
    if opened is not None:
        if opened.delete_pending:
            raise _refuse(NtStatus.STATUS_DELETE_PENDING)
        if opened.sharing.conflict(ADD_FILE, SHARE_READ | SHARE_WRITE):
            raise _refuse(NtStatus.STATUS_SHARING_VIOLATION)


async def _may_replace(
    server: FileServer, request: Request, one: FileOpen, taken: Node, replaces: bool
) -> None:
    """Whether what has the new name already may go away for it."""
    if not replaces:
        raise _refuse(NtStatus.STATUS_OBJECT_NAME_COLLISION)
    if taken.is_folder or one.file.is_folder or taken.attributes & fscc.READONLY:
        raise _refuse(NtStatus.STATUS_ACCESS_DENIED)
    opened = one.file.volume.files.get(taken.node_id)
    if opened is not None:
        await _free(server, request, opened, None)
        if opened.opens:
            raise _refuse(NtStatus.STATUS_ACCESS_DENIED)
    if not file_access.allowed(await one.volume.descriptor(taken.node_id), one.token) & file_access.DELETE:
        above = await one.volume.descriptor(taken.parent_id)
        if not file_access.allowed(above, one.token) & file_access.DELETE_CHILD:
            raise _refuse(NtStatus.STATUS_ACCESS_DENIED)


async def _nothing_open_below(server: FileServer, request: Request, one: FileOpen) -> None:
    """A folder moves only while nothing in it is open."""
    for file in one.file.volume.open_below(one.file.path):
        await _free(server, request, file, None)
    if one.file.volume.open_below(one.file.path):
        raise _refuse(NtStatus.STATUS_ACCESS_DENIED)


def _moved(server: FileServer, one: FileOpen, path: Path, folder: Node) -> None:
    """Tell everybody of the new name."""
    file, old = one.file, one.file.path
    kind = notify.DIR_NAME if file.is_folder else notify.FILE_NAME
    stays = file.parent_id == folder.node_id
    server.contend_parent(file, one)
    file.volume.moved(old, path)
    file.parent_id = folder.node_id
    if not stays:
        server.contend_parent(file, one)
    gone, come = (notify.RENAMED_OLD, notify.RENAMED_NEW) if stays else (notify.REMOVED, notify.ADDED)
    events = [notify.Event(gone, old, kind), notify.Event(come, path, kind)]
    if not file.is_folder:  # as NTFS tells it to those who do not watch names
        kinds = notify.ATTRIBUTES | notify.CREATION
        events.append(notify.Event(notify.MODIFIED, path, kinds, notify.FILE_NAME))
    file.volume.tell(*events)
