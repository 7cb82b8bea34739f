"""Relative identifiers for new principals, out of this DC's pool; the RID master tops the pool up itself.

Spec: [MS-SAMR] 3.1.1.9.2, [MS-ADTS] 6.1.5.3 (RID master), [MS-DRSR] 4.1.10.5.9 (EXOP_FSMO_REQ_RID_ALLOC).
"""

from typing import Final

from addc.base.errors import DsError
from addc.codec.ids import Sid
from addc.codes.ldap_result import LdapResult
from addc.codes.win32 import Win32
from addc.directory import entry, names
from addc.directory.context import ReadContext, WriteContext
from addc.directory.draft import Draft, draft_of
from addc.directory.stamp import save
from addc.schema import attr
from addc.store.objects import ObjectRow

POOL_SIZE: Final = 500
RID_MAX: Final = 0x3FFF_FFFF
_RID_MANAGER: Final = "CN=RID Manager$,CN=System,"


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


def _take(ctx: WriteContext, draft: Draft) -> int:
    low, high = unpack_pool(draft.integer(attr.RID_PREVIOUS_ALLOCATION_POOL))
    rid = max(draft.integer(attr.RID_NEXT_RID) + 1, low)
    if not low or rid > high:
        pool = draft.integer(attr.RID_ALLOCATION_POOL)
        if not pool or pool == draft.integer(attr.RID_PREVIOUS_ALLOCATION_POOL):
            pool = _allocate(ctx)
            draft.put_integer(attr.RID_ALLOCATION_POOL, pool)
        draft.put_integer(attr.RID_PREVIOUS_ALLOCATION_POOL, pool)
        rid = unpack_pool(pool)[0]
    draft.put_integer(attr.RID_NEXT_RID, rid)
    return rid


def _allocate(ctx: WriteContext) -> int:
    """A fresh pool from the RID Manager object, which only its role owner may cut.

    Spec: [MS-DRSR] 4.1.10.5.9.
    """
    try:
        manager = names.resolve(ctx, _RID_MANAGER + ctx.forest.domain_dn)
    except DsError:
        raise _no_rids("there is no RID Manager object") from None
    if entry.reference(manager, attr.FSMO_ROLE_OWNER) != ctx.forest.dsa_dnt:
        raise _no_rids("the pool is empty and the RID master is another DC")
    draft = draft_of(ctx, manager)
    low, high = unpack_pool(draft.integer(attr.RID_AVAILABLE_POOL))
    if not low or low + POOL_SIZE - 1 > min(high, RID_MAX):
        raise DsError(Win32.ERROR_DS_NO_MORE_RIDS, "the domain has no more RIDs")
    draft.put_integer(attr.RID_AVAILABLE_POOL, pack_pool(low + POOL_SIZE, high))
    save(ctx, draft)
    return pack_pool(low, low + POOL_SIZE - 1)
