"""The answer to a CREATE, with the contexts that belong to it.

Spec: [MS-SMB2] 2.2.14, 3.3.5.9 (Response Construction).
"""

from typing import Final

from addc.codes.ntstatus import NtStatus
from addc.smb import create_contexts as contexts_of
from addc.smb.create_contexts import (
    LEASE_BREAK_IN_PROGRESS,
    LEASE_PARENT_KEY_SET,
    Contexts,
    DurableResponseV2,
    LeaseV1,
    LeaseV2,
    MaximalAccessResponse,
    OnDiskId,
    write_contexts,
)
from addc.smb.file_access import Target, maximal
from addc.smb.leases import LEVEL_BATCH, Holder
from addc.smb.messages import CreateResponse
from addc.smb.opens import FileOpen, FileServer
from addc.smb.request import Reply, Request
from addc.smb.volume import Node

SUPERSEDED: Final = 0
OPENED: Final = 1
CREATED: Final = 2
OVERWRITTEN: Final = 3


def lease_context(lease: Holder) -> bytes:
    """What a client is told of its lease ([MS-SMB2] 2.2.14.2.10, 2.2.14.2.11)."""
    assert lease.key is not None
    flags = LEASE_BREAK_IN_PROGRESS if lease.breaking else 0
    if lease.version == 1:
        return LeaseV1(lease.key, lease.state, flags).pack()
    if lease.parent_key is not None:
        flags |= LEASE_PARENT_KEY_SET
    return LeaseV2(lease.key, lease.state, flags, lease.parent_key or bytes(16), lease.epoch).pack()


async def created_reply(
    server: FileServer,
    request: Request,
    one: FileOpen,
    contexts: Contexts,
    found: tuple[Node, int],
    *,
    level: int | None = None,
) -> Reply:
    """found: the file as it is now, and what was done.

    level: the oplock that a request asked again speaks of. It is told what it would have had by that one,
    though the open keeps its own, as Windows answers.
    """
    one.opening.action = found[1]
    told: list[tuple[bytes, bytes]] = []
    if contexts.maximal_access is not None:
        told.append((contexts_of.MAXIMAL_ACCESS, await _maximal(one, contexts.maximal_access, found[0])))
    if contexts.on_disk_id:
        facts = await one.file.volume.fixed_facts()
        told.append((contexts_of.ON_DISK_ID, OnDiskId(found[0].node_id, facts.serial).pack()))
    if one.lease is not None and contexts.lease is not None:
        told.append((contexts_of.LEASE, lease_context(one.lease)))
    if one.durable is not None and level in (None, LEVEL_BATCH):
        if contexts.durable_v2 is not None:
            told.append((contexts_of.DURABLE_REQUEST_V2, DurableResponseV2(one.durable.timeout_ms).pack()))
        elif contexts.durable:
            told.append((contexts_of.DURABLE_REQUEST, bytes(8)))
    return reply_with(one, found, told, level=level)


def reply_with(
    one: FileOpen, found: tuple[Node, int], told: list[tuple[bytes, bytes]], *, level: int | None = None
) -> Reply:
    node, action = one.file.with_room(found[0]), found[1]
    body = CreateResponse(
        one.oplock_level if level is None else level,
        0,
        action,
        node.created_ft,
        node.accessed_ft,
        node.written_ft,
        node.changed_ft,
        node.allocation,
        node.size,
        node.attributes,
        one.file_id,
        write_contexts(told) if told else b"",
    )
    return Reply(body, file_id=one.file_id)


async def _maximal(one: FileOpen, known: int, node: Node) -> bytes:
    """Spec: [MS-SMB2] 3.3.5.9.5."""
    if known and known == node.changed_ft:
        return MaximalAccessResponse(NtStatus.STATUS_NONE_MAPPED, 0).pack()
    volume = one.volume
    parent = await volume.descriptor(node.parent_id) if node.name else None
    read_only = (await one.file.volume.fixed_facts()).read_only
    target = Target(await volume.descriptor(node.node_id), parent, node.attributes, read_only)
    return MaximalAccessResponse(0, maximal(target, one.token) & one.tree.maximal_access).pack()
