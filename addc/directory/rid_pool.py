"""Relative identifiers for new principals, out of this DC's pool; the RID master tops the pool up itself.

Spec: [MS-SAMR] 3.1.1.9.2, [MS-ADTS] 6.1.5.3 (RID master), [MS-DRSR] 4.1.10.5.12 (EXOP_FSMO_REQ_RID_ALLOC).
"""

from typing import Final

from addc.base.errors import DsError
from addc.codec.ids import Sid
from addc.codes.ldap_result import LdapResult
from addc.codes.win32 import Win32
from addc.directory import entry, fsmo
from addc.directory.context import ReadContext, WriteContext
from addc.directory.draft import Draft, draft_of
from addc.directory.stamp import save
from addc.schema import attr
from addc.store.objects import ObjectRow

POOL_SIZE: Final = 500
RID_MAX: Final = 0x7FFF_FFFF
"""RIDs have 30 bits, or 31 where an administrator said so; the manager's pool has the domain's bound."""
_CEILING_PERCENT: Final = 90
"""At so much of the domain's RIDs no more pools are given out, until an administrator allows it."""


def pack_pool(low: int, high: int) -> int:
    """A range of RIDs as rIDAllocationPool stores it: the lower bound in the low half. Spec: 3.1.1.9.2.1."""
    return high << 32 | low


def unpack_pool(value: int) -> tuple[int, int]:
    """Lower and upper bound of a stored range."""
    return value & 0xFFFF_FFFF, value >> 32 & 0xFFFF_FFFF


def _no_rids(detail: str) -> DsError:
    return DsError(Win32.ERROR_DS_NO_RIDS_ALLOCATED, detail, ldap_result=LdapResult.UNWILLING_TO_PERFORM)


def rid_set(ctx: ReadContext) -> ObjectRow | None:
    """This DC's rIDSet object: referred to by its computer object."""
    server = ctx.tx.get(ctx.forest.server_dnt)
    attribute = ctx.schema.attribute_by_id(attr.SERVER_REFERENCE)
    if server is None or attribute is None:
        return None
    for link in entry.live_links(ctx, server, attribute):
        computer = ctx.tx.get(link.target)
        named = None if computer is None else entry.reference(computer, attr.RID_SET_REFERENCES)
        return None if named is None else ctx.tx.get(named)
    return None


def next_sid(ctx: WriteContext) -> Sid:
    """The SID of a new principal; if the transaction fails, the next one gets the same.

    Raises DsError(ERROR_DS_NO_RIDS_ALLOCATED) where the pool is empty and this DC cannot fill it itself.
    """
    row = rid_set(ctx)
    if row is None:
        raise _no_rids("this DC has no RID set")
    draft = draft_of(ctx, row)
    rid = _take(ctx, draft)
    save(ctx, draft)
    return ctx.forest.domain_sid.child(rid)


def invalidate(ctx: WriteContext) -> None:
    """Never use what is left of this DC's pool: the next principal gets a RID of a fresh one.

    For a DC that came back from a backup, or whose RIDs another DC may have given out too. The RID master
    takes its fresh pool at once; another DC is without RIDs until the master answers.
    Spec: [MS-ADTS] 3.1.1.3.3.11.
    """
    row = rid_set(ctx)
    if row is None:
        raise _no_rids("this DC has no RID set")
    draft = draft_of(ctx, row)
    if fsmo.is_ours(ctx, fsmo.RID_MASTER):
        draft.put_integer(attr.RID_ALLOCATION_POOL, _allocate(ctx))
        draft.put_integer(attr.RID_PREVIOUS_ALLOCATION_POOL, draft.integer(attr.RID_ALLOCATION_POOL))
    else:
        draft.put_integer(attr.RID_ALLOCATION_POOL, 0)
        draft.put_integer(attr.RID_PREVIOUS_ALLOCATION_POOL, 0)
    save(ctx, draft)


def _take(ctx: WriteContext, draft: Draft) -> int:
    """The next RID. With half of a pool used the master lays a second one by, as other DCs ask for one."""
    low, high = unpack_pool(draft.integer(attr.RID_PREVIOUS_ALLOCATION_POOL))
    rid = max(draft.integer(attr.RID_NEXT_RID) + 1, low)
    if not low or rid > high:
        if not _has_spare(draft):
            draft.put_integer(attr.RID_ALLOCATION_POOL, _allocate(ctx))
        draft.put_integer(attr.RID_PREVIOUS_ALLOCATION_POOL, draft.integer(attr.RID_ALLOCATION_POOL))
        low, high = unpack_pool(draft.integer(attr.RID_PREVIOUS_ALLOCATION_POOL))
        rid = low
    elif rid - low == (high - low + 1) // 2 and not _has_spare(draft) and _may_allocate(ctx):
        draft.put_integer(attr.RID_ALLOCATION_POOL, _allocate(ctx))
    draft.put_integer(attr.RID_NEXT_RID, rid)
    return rid


def _has_spare(draft: Draft) -> bool:
    """Whether a pool waits for its turn. Spec: [MS-SAMR] 3.1.1.9.2.1."""
    pool = draft.integer(attr.RID_ALLOCATION_POOL)
    return bool(pool) and pool != draft.integer(attr.RID_PREVIOUS_ALLOCATION_POOL)


def _may_allocate(ctx: ReadContext) -> bool:
    """Whether asking for a pool now would get one; where it would not, that is for later to say."""
    manager = fsmo.role_object(ctx, fsmo.RID_MASTER)
    if manager is None or not fsmo.is_ours(ctx, fsmo.RID_MASTER):
        return False
    low, high = unpack_pool(entry.integer(manager, attr.RID_AVAILABLE_POOL))
    open_ = entry.boolean(manager, attr.MS_DS_RID_POOL_ALLOCATION_ENABLED, True)
    return open_ and bool(low) and low + POOL_SIZE - 1 <= min(high, RID_MAX)


def _allocate(ctx: WriteContext) -> int:
    """A fresh pool from the RID Manager object, which only its role owner may cut.

    Spec: [MS-DRSR] 4.1.10.5.12 (EXOP_FSMO_REQ_RID_ALLOC).
    """
    manager = fsmo.role_object(ctx, fsmo.RID_MASTER)
    if manager is None:
        raise _no_rids("there is no RID Manager object")
    if entry.reference(manager, attr.FSMO_ROLE_OWNER) != ctx.forest.dsa_dnt:
        raise _no_rids("the pool is empty and the RID master is another DC")
    if not entry.boolean(manager, attr.MS_DS_RID_POOL_ALLOCATION_ENABLED, True):
        raise _no_rids("the RID master gives no pools out: msDS-RIDPoolAllocationEnabled is FALSE")
    draft = draft_of(ctx, manager)
    low, high = unpack_pool(draft.integer(attr.RID_AVAILABLE_POOL))
    end = min(high, RID_MAX)
    if not low or low + POOL_SIZE - 1 > end:
        raise DsError(Win32.ERROR_DS_NO_MORE_RIDS, "the domain has no more RIDs")
    draft.put_integer(attr.RID_AVAILABLE_POOL, pack_pool(low + POOL_SIZE, high))
    if low < _ceiling(end) <= low + POOL_SIZE:
        draft.put(attr.MS_DS_RID_POOL_ALLOCATION_ENABLED, b"FALSE")
    save(ctx, draft)
    return pack_pool(low, low + POOL_SIZE - 1)


def _ceiling(end: int) -> int:
    """The RID at which giving out stops by itself, once: an administrator who goes on goes to the end."""
    return end * _CEILING_PERCENT // 100
