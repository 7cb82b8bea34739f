"""CLOSE, FLUSH, READ and WRITE of files.

Spec: [MS-SMB2] 3.3.5.10 - 3.3.5.13, [MS-FSA] 2.1.5.2 - 2.1.5.5, 2.1.5.7.
"""

from typing import Final

from addc.base.clock import FileTime
from addc.base.errors import NtError
from addc.codes.ntstatus import NtStatus
from addc.smb import file_access, notify
from addc.smb.messages import (
    CLOSE_FLAG_POSTQUERY_ATTRIB,
    CloseRequest,
    CloseResponse,
    FlushRequest,
    Plain,
    ReadRequest,
    ReadResponse,
    WriteRequest,
    WriteResponse,
)
from addc.smb.opens import FileOpen, FileServer
from addc.smb.request import Reply, Request, SmbError
from addc.smb.session import EndReason
from addc.smb.volume import BasicChange, Node

OFFSET_MAX: Final = (1 << 63) - 1
FILE_SIZE_MAX: Final = 0xFFF_FFFF_0000
"""Of NTFS with clusters of 4 KiB: 16 TiB less 64 KiB."""
_SPARSE_MAX: Final = 1 << 40
"""Files are not sparse to clients: beyond this, one is asked for must fit the volume."""
_READS: Final = file_access.READ_DATA | file_access.EXECUTE
_WRITES: Final = file_access.WRITE_DATA | file_access.APPEND_DATA
_TIMES: Final = ("created_ft", "accessed_ft", "written_ft", "changed_ft")


async def close(server: FileServer, request: Request) -> Reply:
    """Serve a CLOSE."""
    message = request.body(CloseRequest)
    one = request.open(message.file_id, FileOpen)
    body = CloseResponse()
    if one.wrote:
        one.file.written_ft = None
    if message.flags & CLOSE_FLAG_POSTQUERY_ATTRIB:
        try:
            body = _attributes(one.file.with_room(await one.volume.node(one.file.node_id)))
        except NtError:
            body = CloseResponse()
    await request.host.close_open(one, EndReason.CLOSED)
    return Reply(body)


def _attributes(node: Node) -> CloseResponse:
    return CloseResponse(
        CLOSE_FLAG_POSTQUERY_ATTRIB,
        node.created_ft,
        node.accessed_ft,
        node.written_ft,
        node.changed_ft,
        node.allocation,
        node.size,
        node.attributes,
    )


async def flush(server: FileServer, request: Request) -> Reply:
    """Serve a FLUSH: what was acknowledged is on the disk when it is answered."""
    one = request.open(request.body(FlushRequest).file_id, FileOpen)
    file_access.require(one.granted, _WRITES)
    await one.volume.flush(one.file.node_id)
    one.file.written_ft = None
    return Reply(Plain())


def _plain_file(one: FileOpen) -> None:
    if one.file.is_folder:
        raise SmbError(NtStatus.STATUS_INVALID_DEVICE_REQUEST)


async def read(server: FileServer, request: Request) -> Reply:
    """Serve a READ."""
    message = request.body(ReadRequest)
    one = request.open(message.file_id, FileOpen)
    file_access.require(one.granted, _READS)
    _plain_file(one)
    offset, length = message.offset, message.length
    if length > request.link.max_size or message.channel or offset + length > OFFSET_MAX:
        raise SmbError(NtStatus.STATUS_INVALID_PARAMETER)
    if one.file.locks.blocks(offset, length, one, writes=False):
        raise SmbError(NtStatus.STATUS_FILE_LOCK_CONFLICT)
    data = await one.volume.read(one.file.node_id, offset, length)
    if (not data and length) or len(data) < message.minimum_count:
        raise SmbError(NtStatus.STATUS_END_OF_FILE)
    one.position = offset + len(data)
    return Reply(ReadResponse(len(data)), data)


async def write(server: FileServer, request: Request) -> Reply:
    """Serve a WRITE."""
    message = request.body(WriteRequest)
    one = request.open(message.file_id, FileOpen)
    file_access.require(one.granted, _WRITES)
    _plain_file(one)
    data, offset = message.data, message.offset
    if len(data) > request.link.max_size or message.channel:
        raise SmbError(NtStatus.STATUS_INVALID_PARAMETER)
    if not one.granted & file_access.WRITE_DATA:
        await _check_append(one, offset)
    if offset + len(data) > (FILE_SIZE_MAX if data else OFFSET_MAX):
        raise SmbError(NtStatus.STATUS_INVALID_PARAMETER)
    if one.file.locks.blocks(offset, len(data), one, writes=True):
        raise SmbError(NtStatus.STATUS_FILE_LOCK_CONFLICT)
    if data:
        if offset + len(data) > _SPARSE_MAX and offset + len(data) > (await one.volume.facts()).total:
            raise SmbError(NtStatus.STATUS_DISK_FULL)
        server.send(one.file.caching.contend_data(one.holder))
        if one.file.written_ft is None:
            one.file.hold_time((await one.volume.node(one.file.node_id)).written_ft)
        await one.volume.write(one.file.node_id, offset, data, one.token)
        await modified(one, notify.SIZE | notify.LAST_WRITE)
    one.position = offset + len(data)
    return Reply(WriteResponse(len(data)))


async def _check_append(one: FileOpen, offset: int) -> None:
    """Who may only append writes behind the end ([MS-SMB2] 3.3.5.13)."""
    if offset < (await one.volume.node(one.file.node_id)).size:
        raise SmbError(NtStatus.STATUS_ACCESS_DENIED)


async def modified(one: FileOpen, kinds: int) -> None:
    """Data was changed through an open: watchers hear of it; times that the open has frozen stay.

    kinds: notify filters. Spec: [MS-FSA] 2.1.4.17, 2.1.5.15.2.
    """
    one.wrote = True
    if one.frozen:
        frozen = {name: FileTime(when) for name, when in one.frozen.items()}
        kept = BasicChange(None, *(frozen.get(name) for name in _TIMES))
        await one.volume.set_basic(one.file.node_id, kept, one.token)
    one.file.volume.tell(notify.Event(notify.MODIFIED, one.file.path, kinds))
