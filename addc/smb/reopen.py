"""Clients that come back: durable handles, requests asked twice, applications that moved to another machine.

Spec: [MS-SMB2] 3.3.5.9 (Create Context Validation), 3.3.5.9.7, 3.3.5.9.12, 3.3.5.9.13.
"""

from typing import Final
from uuid import UUID

from addc.base.errors import NtError
from addc.codes.ntstatus import NtStatus
from addc.security.access_mask import FILE_MAPPING
from addc.smb import create_contexts as contexts_of
from addc.smb import file_access, leases
from addc.smb.create_contexts import DURABLE_PERSISTENT, Contexts, LeaseV1, LeaseV2
from addc.smb.create_reply import OPENED, created_reply, lease_context, reply_with
from addc.smb.messages import FLAGS_REPLAY_OPERATION, CreateRequest, Dialect
from addc.smb.names import folded
from addc.smb.opens import FileOpen, FileServer, OpenVolume, Path
from addc.smb.paths import asked_path
from addc.smb.request import Reply, Request, SmbError
from addc.smb.session import EndReason

CLOSED: Final = EndReason.CLOSED
_NO_GUID: Final = UUID(int=0)


def _refuse(status: NtStatus) -> SmbError:
    return SmbError(status)


async def answer(server: FileServer, request: Request, contexts: Contexts) -> Reply | None:
    """The answer to a CREATE that opens nothing new; None for the others."""
    asks = (contexts.durable_v2, contexts.reconnect_v2)
    if contexts.reconnect is not None and any(asks):
        raise _refuse(NtStatus.STATUS_INVALID_PARAMETER)
    if contexts.durable and any(asks):
        raise _refuse(NtStatus.STATUS_INVALID_PARAMETER)
    if all(asks):
        raise _refuse(NtStatus.STATUS_INVALID_PARAMETER)
    if contexts.reconnect is not None:
        return await _reconnect(server, request, contexts)
    if request.link.dialect < Dialect.SMB_3_0:
        return None
    if contexts.reconnect_v2 is not None:
        return await _reconnect(server, request, contexts)
    if contexts.durable_v2 is not None:
        return await _replayed(server, request, contexts)
    return None


async def _replayed(server: FileServer, request: Request, contexts: Contexts) -> Reply | None:
    """A CREATE that was answered already. Spec: [MS-SMB2] 3.3.5.9, 3.3.5.9.10."""
    assert contexts.durable_v2 is not None
    key = (request.link.client_guid, contexts.durable_v2.create_guid)
    if key in server.pending and request.header.flags & FLAGS_REPLAY_OPERATION:
        raise _refuse(NtStatus.STATUS_FILE_NOT_AVAILABLE)
    one = server.by_create_guid.get(key)
    if one is None:
        return None
    if not request.header.flags & FLAGS_REPLAY_OPERATION:
        raise _refuse(NtStatus.STATUS_DUPLICATE_OBJECTID)
    if one.durable is not None and one.durable.owner != request.session.token.user:
        raise _refuse(NtStatus.STATUS_ACCESS_DENIED)
    asked = None if contexts.lease is None else contexts.lease.lease_key
    if asked != (None if one.lease is None else one.lease.key):
        raise _refuse(NtStatus.STATUS_ACCESS_DENIED)
    if one.session is not request.session:
        raise _refuse(NtStatus.STATUS_DUPLICATE_OBJECTID)
    if one.used:  # the answer came: this is a new request for the same file
        return None
    node = await one.volume.node(one.file.node_id)
    level = request.body(CreateRequest).oplock_level if one.lease is None else None
    return await created_reply(server, request, one, contexts, (node, one.opening.action), level=level)


def _check_lease(one: FileOpen, request: Request, contexts: Contexts) -> None:
    """What a reconnect must say of its lease. Spec: [MS-SMB2] 3.3.5.9.7, 3.3.5.9.12."""
    lease, asked = one.lease, contexts.lease
    not_found = _refuse(NtStatus.STATUS_OBJECT_NAME_NOT_FOUND)
    if lease is None:
        if asked is not None or one.oplock_level != leases.LEVEL_BATCH:
            raise not_found
        return
    if lease.client != request.link.client_guid.bytes or asked is None:
        raise not_found
    kind = LeaseV2 if lease.version == 2 else LeaseV1
    if not isinstance(asked, kind) or asked.lease_key != lease.key or not lease.state & leases.HANDLE:
        raise not_found
    path = asked_path(request, request.body(CreateRequest).name)
    if lease.delete_on_close:
        return
    if isinstance(path, NtStatus) or folded(path) != folded(one.file.path):
        raise _refuse(NtStatus.STATUS_INVALID_PARAMETER)


async def _reconnect(server: FileServer, request: Request, contexts: Contexts) -> Reply:
    """A client takes up an open again that its lost connection left behind."""
    version_2 = contexts.reconnect_v2
    wanted = version_2 or contexts.reconnect
    assert wanted is not None
    one = server.durable.get(wanted.file_id.persistent)
    not_found = _refuse(NtStatus.STATUS_OBJECT_NAME_NOT_FOUND)
    if one is None or one.durable is None or not one.disconnected:
        raise not_found
    if one.tree.share.volume is not request.tree.share.volume:
        raise not_found
    if version_2 is not None and (one.durable.create_guid or _NO_GUID) != version_2.create_guid:
        raise not_found
    _check_lease(one, request, contexts)
    if version_2 is not None and version_2.flags & DURABLE_PERSISTENT:
        raise _refuse(NtStatus.STATUS_INVALID_PARAMETER)
    if one.durable.owner != request.session.token.user:
        raise _refuse(NtStatus.STATUS_ACCESS_DENIED)
    if one.durable.timer is not None:
        one.durable.timer.cancel()
        one.durable.timer = None
    one.disconnected = False
    one.session, one.tree, one.token = request.session, request.tree, request.session.token
    request.host.add_open(one, one.file_id.persistent)
    try:
        node = await one.volume.node(one.file.node_id)
    except NtError:
        await request.host.close_open(one, CLOSED)
        raise
    told = []
    if one.lease is not None:
        told.append((contexts_of.LEASE, lease_context(one.lease)))
    return reply_with(one, (node, OPENED), told)


async def replace_instance(
    server: FileServer, request: Request, volume: OpenVolume, contexts: Contexts, path: Path
) -> None:
    """An application that runs elsewhere now takes its file over from where it ran, if it may read the file.

    Spec: [MS-SMB2] 3.3.5.9.13.
    """
    if contexts.app_instance_id is None or request.link.dialect < Dialect.SMB_3_0:
        return
    one = server.by_app_instance.get(contexts.app_instance_id)
    if one is None or one.session.client_guid == request.link.client_guid:
        return
    if one.file.volume is not volume or folded(one.file.path) != folded(path):
        return
    asked, held = contexts.app_instance_version, one.opening.app_instance_version
    is_newer = held is None or (asked is not None and held < asked)
    if request.link.dialect >= Dialect.SMB_3_1_1 and not is_newer:
        raise _refuse(NtStatus.STATUS_FILE_FORCED_CLOSED)
    readable = file_access.allowed(await one.volume.descriptor(one.file.node_id), request.session.token)
    if FILE_MAPPING.read & ~(readable & request.tree.maximal_access):
        return
    if one.disconnected:
        one.disconnected = False
        await server.finish(one)
    else:
        await request.host.close_open(one, CLOSED)
