"""SET_INFO: times, attributes, sizes, deletion and descriptors of files.

Spec: [MS-SMB2] 3.3.5.21, [MS-FSA] 2.1.5.15 - 2.1.5.17.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Final

from addc.base.clock import FileTime
from addc.base.errors import DecodeError
from addc.codes.ntstatus import NtStatus
from addc.security.access_mask import FILE_MAPPING
from addc.security.descriptor import Control, SecurityDescriptor, SecurityInformation, map_generic, merge
from addc.security.token import Privilege
from addc.smb import file_access, fscc, notify
from addc.smb.files import FILE_SIZE_MAX, modified
from addc.smb.fscc import FileInfo
from addc.smb.messages import InfoType, SetInfoRequest, SetInfoResponse
from addc.smb.opens import FileOpen, FileServer
from addc.smb.rename import rename
from addc.smb.request import Reply, Request, SmbError
from addc.smb.volume import BasicChange

FREEZE: Final = -1
THAW: Final = -2
_DELETE: Final = 0x1
_POSIX: Final = 0x2
_ON_CLOSE: Final = 0x8
_IGNORE_READONLY: Final = 0x10


_OF_OTHER_VOLUMES: Final = 0x0002_8000
"""Integrity and no scrubbing ([MS-FSCC] 2.6): known, and without effect here."""


async def set_info(server: FileServer, request: Request) -> Reply:
    """Serve a SET_INFO."""
    message = request.body(SetInfoRequest)
    if len(message.buffer) > request.link.max_size:
        raise SmbError(NtStatus.STATUS_INVALID_PARAMETER)
    one = request.open(message.file_id, FileOpen)
    try:
        match message.info_type:
            case InfoType.FILE:
                await _file(server, request, one, message)
            case InfoType.SECURITY:
                await _security(one, message)
            case InfoType.FILESYSTEM | InfoType.QUOTA:
                raise SmbError(NtStatus.STATUS_NOT_SUPPORTED)
            case _:
                raise SmbError(NtStatus.STATUS_INVALID_PARAMETER)
    except DecodeError:
        raise SmbError(NtStatus.STATUS_INFO_LENGTH_MISMATCH) from None
    return Reply(SetInfoResponse())


async def _file(server: FileServer, request: Request, one: FileOpen, message: SetInfoRequest) -> None:
    """Spec: [MS-SMB2] 3.3.5.21.1."""
    change = _CHANGES.get(message.file_info_class)
    if change is None:
        known = message.file_info_class in FileInfo._value2member_map_
        raise SmbError(NtStatus.STATUS_NOT_SUPPORTED if known else NtStatus.STATUS_INVALID_INFO_CLASS)
    await change(server, request, one, message.buffer)


# --- times and attributes ---


def _attributes(one: FileOpen, asked: int) -> int | None:
    """The attributes that a file gets; None leaves them."""
    if not asked:
        return None
    if asked & ~(fscc.ATTRIBUTES_MASK | _OF_OTHER_VOLUMES):
        raise SmbError(NtStatus.STATUS_INVALID_PARAMETER)
    if asked & fscc.DIRECTORY and not one.file.is_folder:
        raise SmbError(NtStatus.STATUS_INVALID_PARAMETER)
    if asked & fscc.TEMPORARY and one.file.is_folder:
        raise SmbError(NtStatus.STATUS_INVALID_PARAMETER)
    kept = asked & fscc.SETTABLE
    if one.file.is_folder:
        return kept | fscc.DIRECTORY
    return kept or fscc.NORMAL


async def _basic(server: FileServer, request: Request, one: FileOpen, data: bytes) -> None:
    """Spec: [MS-FSA] 2.1.5.15.2."""
    if len(data) < fscc.BASIC_SIZE_MIN:
        raise SmbError(NtStatus.STATUS_INFO_LENGTH_MISMATCH)
    file_access.require(one.granted, file_access.WRITE_ATTRIBUTES)
    asked = fscc.BasicInformation.unpack(data + bytes(4))
    attributes = _attributes(one, asked.file_attributes)
    node = await one.volume.node(one.file.node_id)
    times: dict[str, FileTime | None] = {}
    kinds = 0 if attributes is None else notify.ATTRIBUTES
    for name, value, kind in (
        ("created_ft", asked.creation_time, notify.CREATION),
        ("accessed_ft", asked.last_access_time, notify.LAST_ACCESS),
        ("written_ft", asked.last_write_time, notify.LAST_WRITE),
        ("changed_ft", asked.change_time, 0),
    ):
        if value < THAW:
            raise SmbError(NtStatus.STATUS_INVALID_PARAMETER)
        times[name] = None
        if value == THAW:
            one.frozen.pop(name, None)
        elif value == FREEZE:
            one.frozen[name] = getattr(node, name)
        elif value:
            times[name] = one.frozen[name] = FileTime(value)
            kinds |= kind
    if times["changed_ft"] is None and (kinds or attributes is not None):
        times["changed_ft"] = one.frozen.get("changed_ft") or request.host.services.clock.now()
    await one.volume.set_basic(one.file.node_id, BasicChange(attributes, **times), one.token)
    one.file.written_ft = None
    if kinds:
        one.file.volume.tell(notify.Event(notify.MODIFIED, one.file.path, kinds))
        server.contend_parent(one.file, one)


# --- sizes and positions ---


def _number(data: bytes) -> int:
    value = fscc.NumberInformation.unpack(data).value
    if value < 0:
        raise SmbError(NtStatus.STATUS_INVALID_PARAMETER)
    return value


async def _resize(server: FileServer, one: FileOpen, size: int) -> None:
    if one.file.is_folder or size > FILE_SIZE_MAX:
        raise SmbError(NtStatus.STATUS_INVALID_PARAMETER)
    server.send(one.file.caching.contend_data(one.holder))
    await one.volume.set_size(one.file.node_id, size, one.token)
    one.file.written_ft = None
    await modified(one, notify.SIZE | notify.LAST_WRITE)


async def _end_of_file(server: FileServer, request: Request, one: FileOpen, data: bytes) -> None:
    """Spec: [MS-FSA] 2.1.5.15.4."""
    size = _number(data)
    file_access.require(one.granted, file_access.WRITE_DATA)
    await _resize(server, one, size)


async def _allocation(server: FileServer, request: Request, one: FileOpen, data: bytes) -> None:
    """Less room than content cuts the content off. Spec: [MS-FSA] 2.1.5.15.1."""
    room = _number(data)
    file_access.require(one.granted, file_access.WRITE_DATA)
    one.file.reserved = room
    server.send(one.file.caching.contend_data(one.holder))
    if room < (await one.volume.node(one.file.node_id)).size:
        await _resize(server, one, room)


async def _position(server: FileServer, request: Request, one: FileOpen, data: bytes) -> None:
    one.position = _number(data)


async def _mode(server: FileServer, request: Request, one: FileOpen, data: bytes) -> None:
    """Spec: [MS-FSA] 2.1.5.15.8."""
    mode = fscc.WordInformation.unpack(data).value
    if mode & ~0x3E or mode & 0x30 == 0x30:
        raise SmbError(NtStatus.STATUS_INVALID_PARAMETER)
    one.opening.options = (one.opening.options & ~0x3E) | mode


async def _full_ea(server: FileServer, request: Request, one: FileOpen, data: bytes) -> None:
    file_access.require(one.granted, file_access.WRITE_EA)
    raise SmbError(NtStatus.STATUS_EAS_NOT_SUPPORTED)


# --- deletion ---


async def _disposition(server: FileServer, request: Request, one: FileOpen, data: bytes) -> None:
    """Spec: [MS-FSA] 2.1.5.15.3."""
    asked = fscc.DispositionInformation.unpack(data).delete_pending
    await _set_deletion(server, request, one, asked, ignore_readonly=False)


async def _disposition_ex(server: FileServer, request: Request, one: FileOpen, data: bytes) -> None:
    """Spec: [MS-FSCC] 2.4.12."""
    flags = fscc.WordInformation.unpack(data).value
    if flags & _POSIX:
        raise SmbError(NtStatus.STATUS_NOT_SUPPORTED)
    if flags & _ON_CLOSE:
        if not one.opening.delete_on_close and flags & _DELETE:
            raise SmbError(NtStatus.STATUS_NOT_SUPPORTED)
        one.opening.delete_on_close = bool(flags & _DELETE)
        return
    await _set_deletion(
        server, request, one, bool(flags & _DELETE), ignore_readonly=bool(flags & _IGNORE_READONLY)
    )


async def _set_deletion(
    server: FileServer, request: Request, one: FileOpen, asked: bool, *, ignore_readonly: bool
) -> None:
    """Have a file go away with its last open, or stay after all."""
    file_access.require(one.granted, file_access.DELETE)
    file = one.file
    if not asked:
        file.delete_pending = False
        return
    node = await one.volume.node(file.node_id)
    read_only = (await file.volume.fixed_facts()).read_only
    if (node.attributes & fscc.READONLY and not ignore_readonly) or read_only or not file.path:
        raise SmbError(NtStatus.STATUS_CANNOT_DELETE)
    if file.is_folder and await one.volume.children(file.node_id):
        raise SmbError(NtStatus.STATUS_DIRECTORY_NOT_EMPTY)
    while True:
        contention = file.caching.contend_handle(one.holder)
        server.send(contention.breaks)
        if not contention.waits or not file.caching.others_hold_handle(one.holder):
            break
        future = file.changed()
        await request.go_async()
        await future
    file.delete_pending = True
    if one.lease is not None:
        one.lease.delete_on_close = True
    for opened in tuple(file.opens):
        opened.end_watching(NtStatus.STATUS_DELETE_PENDING)


# --- descriptors ---


def _check_owner(one: FileOpen, new: SecurityDescriptor) -> None:
    """Who may be made owner: oneself, one's owner group, or with the right to restore anybody.

    Spec: [MS-FSA] 2.1.5.17, [MS-DTYP] 2.5.3.4.
    """
    if new.owner is None:
        raise SmbError(NtStatus.STATUS_INVALID_OWNER)
    if new.owner not in one.token.sids and not one.token.has(Privilege.SE_RESTORE):
        raise SmbError(NtStatus.STATUS_INVALID_OWNER)


_REQUESTED: Final = int(Control.DC | Control.SC)
_AUTO_INHERITED: Final = ((int(Control.DC), int(Control.DI)), (int(Control.SC), int(Control.SI)))


def _inheritance(new: SecurityDescriptor) -> SecurityDescriptor:
    """A list counts as inherited automatically only if the client asks for that as well as says it."""
    control = int(new.control)
    for requested, inherited in _AUTO_INHERITED:
        if not control & requested:
            control &= ~inherited
    return replace(new, control=control & ~_REQUESTED)


async def _security(one: FileOpen, message: SetInfoRequest) -> None:
    """Spec: [MS-SMB2] 3.3.5.21.3, [MS-FSA] 2.1.5.17."""
    asked = message.additional_information
    if asked & (SecurityInformation.OWNER | SecurityInformation.GROUP | SecurityInformation.LABEL):
        file_access.require(one.granted, file_access.WRITE_OWNER)
    if asked & SecurityInformation.DACL:
        file_access.require(one.granted, file_access.WRITE_DAC)
    if asked & SecurityInformation.SACL:
        file_access.require(one.granted, file_access.SYSTEM_SECURITY)
    try:
        new = SecurityDescriptor.unpack(message.buffer)
    except DecodeError:
        raise SmbError(NtStatus.STATUS_INVALID_SECURITY_DESCR) from None
    if asked & SecurityInformation.OWNER:
        _check_owner(one, new)
    new = _inheritance(map_generic(new, FILE_MAPPING))
    if asked & SecurityInformation.DACL:
        new = replace(new, control=new.control | Control.DP)  # no list given is a list for everybody
    merged = merge(await one.volume.descriptor(one.file.node_id), new, asked)
    await one.volume.set_descriptor(one.file.node_id, merged, one.token)
    one.file.volume.tell(notify.Event(notify.MODIFIED, one.file.path, notify.SECURITY))


_Change = Callable[[FileServer, Request, FileOpen, bytes], Awaitable[None]]
_CHANGES: Final[dict[int, _Change]] = {
    FileInfo.BASIC: _basic,
    FileInfo.RENAME: rename,
    FileInfo.RENAME_EX: rename,
    FileInfo.DISPOSITION: _disposition,
    FileInfo.DISPOSITION_EX: _disposition_ex,
    FileInfo.POSITION: _position,
    FileInfo.FULL_EA: _full_ea,
    FileInfo.MODE: _mode,
    FileInfo.ALLOCATION: _allocation,
    FileInfo.END_OF_FILE: _end_of_file,
}
