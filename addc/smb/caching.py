"""What a new open may cache, and whether it outlives its connection.

Spec: [MS-SMB2] 3.3.5.9 (Oplock Acquisition), 3.3.5.9.6, 3.3.5.9.8, 3.3.5.9.10, 3.3.5.9.11.
"""

from addc.smb import leases
from addc.smb.create_contexts import LEASE_PARENT_KEY_SET, Contexts, LeaseV1, LeaseV2
from addc.smb.leases import Holder
from addc.smb.messages import CreateRequest, Dialect
from addc.smb.opens import DURABLE_TIMEOUT_MAX_MS, DURABLE_TIMEOUT_MS, Durable, FileOpen, FileServer, OpenFile
from addc.smb.request import Request
from addc.smb.shares import SHARE_FLAG_FORCE_LEVELII_OPLOCK
from addc.smb.volume import Node


def wanted_lease(request: Request, level: int, contexts: Contexts) -> LeaseV1 | LeaseV2 | None:
    """The lease that a request asks for, as far as its dialect knows leases."""
    lease = contexts.lease
    if level != leases.LEVEL_LEASE or lease is None or request.link.dialect == Dialect.SMB_2_0_2:
        return None
    if isinstance(lease, LeaseV2) and request.link.dialect < Dialect.SMB_3_0:
        return None
    return lease


def lease_conflict(own: Holder | None, file: OpenFile | None) -> bool:
    """Whether a lease key stands for another file already."""
    if own is None or own.delete_on_close:
        return False
    return file is None or own.file is not file.caching


def acquire(
    server: FileServer,
    request: Request,
    one: FileOpen,
    contexts: Contexts,
    node: Node,
    *,
    overwritten: bool = False,
) -> None:
    """Give a new open what it can have of the caching and durability that it asks for."""
    message = request.body(CreateRequest)
    file, caching = one.file, one.file.caching
    has_locks = bool(file.locks) and not overwritten
    lease = wanted_lease(request, message.oplock_level, contexts)
    plain = one.counts_as_plain
    if plain:
        caching.plain_opens -= 1
    force_level_ii = bool(request.tree.share.flags & SHARE_FLAG_FORCE_LEVELII_OPLOCK)
    client = request.link.client_guid.bytes
    if lease is not None:
        own = server.leases.find(client, lease.lease_key)
        wanted = lease.lease_state & leases.ALL
        if force_level_ii:
            wanted &= ~leases.WRITE
        if node.is_folder:
            wanted = wanted & ~leases.WRITE if isinstance(lease, LeaseV2) else leases.NONE
        given = caching.grantable(
            wanted, one.granted, own, is_lease=True, has_locks=has_locks, folder=node.is_folder
        )
        if own is None or own.file is not caching:
            own = _new_lease(server, one, client, lease, given)
        else:
            leases.upgrade(own, wanted, given)
        own.opens.add(one)
        own.delete_on_close = own.delete_on_close or one.opening.delete_on_close
        one.holder = own
    else:
        _acquire_oplock(one, message.oplock_level, client, has_locks=has_locks, force=force_level_ii)
    if one.holder is None and plain:
        caching.plain_opens += 1
    _make_durable(server, one, contexts)


def _new_lease(
    server: FileServer, one: FileOpen, client: bytes, lease: LeaseV1 | LeaseV2, state: int
) -> Holder:
    own = Holder(client, lease.lease_key, 1, state=state)
    if isinstance(lease, LeaseV2):
        own.version = 2
        own.epoch = (lease.epoch + (1 if state else 0)) & 0xFFFF
        if lease.flags & LEASE_PARENT_KEY_SET:
            own.parent_key = lease.parent_lease_key
    one.file.caching.add(own)
    server.leases.add(own)
    return own


def _acquire_oplock(one: FileOpen, level: int, client: bytes, *, has_locks: bool, force: bool) -> None:
    if force and level in (leases.LEVEL_BATCH, leases.LEVEL_EXCLUSIVE):
        level = leases.LEVEL_II
    wanted = leases.state_of_level(level)
    state = one.file.caching.grantable(
        wanted, one.granted, None, is_lease=False, has_locks=has_locks, folder=one.file.is_folder
    )
    if state:
        one.holder = Holder(client, None, state=state)
        one.holder.opens.add(one)
        one.file.caching.add(one.holder)


def _make_durable(server: FileServer, one: FileOpen, contexts: Contexts) -> None:
    """Spec: [MS-SMB2] 3.3.5.9.6, 3.3.5.9.10."""
    version_2 = contexts.durable_v2
    if version_2 is not None:
        server.by_create_guid[(one.session.client_guid, version_2.create_guid)] = one
    if one.opening.app_instance_id is not None:
        server.by_app_instance[one.opening.app_instance_id] = one
    if not contexts.durable and version_2 is None:
        return
    holder = one.holder
    if one.file.is_folder or holder is None or not holder.state & leases.HANDLE or one.session.anonymous:
        return
    timeout_ms = DURABLE_TIMEOUT_MS
    if version_2 is not None and version_2.timeout_ms:
        timeout_ms = min(version_2.timeout_ms, DURABLE_TIMEOUT_MAX_MS)
    create_guid = None if version_2 is None else version_2.create_guid
    one.durable = Durable(one.token.user, timeout_ms, create_guid)
    server.durable[one.file_id.persistent] = one
