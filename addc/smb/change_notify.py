"""CHANGE_NOTIFY: telling who watches a folder what changed in it.

Spec: [MS-SMB2] 3.3.5.19, [MS-FSA] 2.1.5.11.
"""

import asyncio
from typing import Final

from addc.codes.ntstatus import NtStatus
from addc.smb import file_access
from addc.smb.messages import ChangeNotifyRequest, OutputResponse
from addc.smb.names import folded
from addc.smb.notify import Watcher
from addc.smb.opens import FileOpen, FileServer
from addc.smb.request import Reply, Request, SmbError

WATCH_TREE: Final = 0x1
REQUESTS_PER_OPEN_MAX: Final = 64


async def change_notify(server: FileServer, request: Request) -> Reply:
    """Serve a CHANGE_NOTIFY: at once if something happened since the last one."""
    message = request.body(ChangeNotifyRequest)
    one = request.open(message.file_id, FileOpen)
    if message.output_buffer_length > request.link.max_size or not one.file.is_folder:
        raise SmbError(NtStatus.STATUS_INVALID_PARAMETER)
    file_access.require(one.granted, file_access.LIST_FOLDER)
    if one.file.delete_pending:
        raise SmbError(NtStatus.STATUS_DELETE_PENDING)
    watcher = one.watcher or _watch(one, message)
    if watcher.is_ready and not one.watching:
        return _told(watcher, message.output_buffer_length)
    if len(one.watching) >= REQUESTS_PER_OPEN_MAX:
        raise SmbError(NtStatus.STATUS_INSUFFICIENT_RESOURCES)
    status = await _wait(request, one)
    if status:
        return Reply(OutputResponse(), status=status)
    return _told(watcher, message.output_buffer_length)


def _watch(one: FileOpen, message: ChangeNotifyRequest) -> Watcher:
    """Begin to take notes; filter, depth and room of the first request hold for all."""
    one.watcher = Watcher(
        folded(one.file.path),
        message.completion_filter,
        bool(message.flags & WATCH_TREE),
        message.output_buffer_length,
        one.wake_watching,
    )
    one.file.volume.watch(one.watcher)
    return one.watcher


async def _wait(request: Request, one: FileOpen) -> NtStatus:
    future: asyncio.Future[NtStatus] = asyncio.get_running_loop().create_future()
    one.watching.append(future)
    try:
        await request.go_async()
        return await future
    finally:
        if future in one.watching:
            one.watching.remove(future)


def _told(watcher: Watcher, room: int) -> Reply:
    """What happened; "look again" where that is too much."""
    data = watcher.take(room)
    if data is None:
        return Reply(OutputResponse(), status=NtStatus.STATUS_NOTIFY_ENUM_DIR)
    return Reply(OutputResponse(data))
