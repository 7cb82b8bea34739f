"""OPLOCK_BREAK: what clients answer when their caching is taken back.

Spec: [MS-SMB2] 3.3.5.22.
"""

from addc.codes.ntstatus import NtStatus
from addc.smb import leases
from addc.smb.messages import LeaseBreak, OplockBreak
from addc.smb.opens import FileOpen, FileServer
from addc.smb.request import Reply, Request, SmbError


async def acknowledge(server: FileServer, request: Request) -> Reply:
    """Serve an acknowledgment of either kind."""
    if isinstance(request.message, LeaseBreak):
        return _lease(server, request, request.message)
    message = request.body(OplockBreak)
    one = request.open(message.file_id, FileOpen)
    holder = one.holder
    if holder is None or holder.is_lease:
        raise SmbError(NtStatus.STATUS_INVALID_DEVICE_STATE)
    status = leases.acknowledge_oplock(holder, message.oplock_level)
    one.file.wake()
    if status:
        raise SmbError(status)
    return Reply(OplockBreak(leases.level_of_state(holder.state), one.file_id))


def _lease(server: FileServer, request: Request, message: LeaseBreak) -> Reply:
    holder = server.leases.find(request.link.client_guid.bytes, message.lease_key)
    if holder is None:
        raise SmbError(NtStatus.STATUS_OBJECT_NAME_NOT_FOUND)
    status, more = leases.acknowledge_lease(holder, message.lease_state)
    if status:
        raise SmbError(status)
    server.wake_file_of(holder)
    body = LeaseBreak(0, message.lease_key, message.lease_state)
    if more is None:
        return Reply(body)
    told = more
    return Reply(body, after=lambda: server.send([told]))
