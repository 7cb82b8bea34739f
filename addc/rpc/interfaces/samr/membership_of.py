"""What accounts are members of: the groups of one user, the aliases of many SIDs.

Spec: [MS-SAMR] 3.1.5.9.
"""

from typing import Final, cast

from addc.codec.ids import Sid
from addc.directory import entry, groups
from addc.directory.context import ReadContext
from addc.rpc.call import Call
from addc.rpc.interfaces.samr import idl, rights
from addc.rpc.interfaces.samr.groups import ATTRIBUTES, sids_of
from addc.rpc.interfaces.samr.handles import DomainHandle, UserHandle, held, read, row_of
from addc.rpc.interfaces.samr.lookups import in_domain
from addc.schema import attr
from addc.security.account_flags import GroupType
from addc.store.objects import ObjectRow, ObjectState

_SECURE: Final = int(GroupType.GROUP_TYPE_SECURITY_ENABLED)
_ACCOUNT: Final = _SECURE | int(GroupType.GROUP_TYPE_ACCOUNT_GROUP)
_UNIVERSAL: Final = _SECURE | int(GroupType.GROUP_TYPE_UNIVERSAL_GROUP)
_RESOURCE: Final = int(GroupType.GROUP_TYPE_RESOURCE_GROUP)


def _holders(ctx: ReadContext, row: ObjectRow) -> list[ObjectRow]:
    """The groups that have a row among their members."""
    sources = ctx.tx.link_sources(groups.MEMBER_LINK, row.dnt)
    ctx.pace.step(len(sources))
    return ctx.tx.get_many(sources)


async def samr_get_groups_for_user(
    call: Call, request: idl.SamrGetGroupsForUser
) -> idl.SamrGetGroupsForUserResponse:
    """Global and universal groups of the user's domain, and its primary group. Spec: [MS-SAMR] 3.1.5.9.1."""
    user = held(call, request.user_handle, UserHandle, int(rights.User.LIST_GROUPS))
    domain = user.sid.domain()

    def work(ctx: ReadContext) -> list[int]:
        row = row_of(ctx, user)
        rids = {entry.integer(row, attr.PRIMARY_GROUP_ID): None}
        for group in _holders(ctx, row):
            kind = entry.integer(group, attr.GROUP_TYPE) & 0xFFFF_FFFF
            if kind in (_ACCOUNT, _UNIVERSAL) and in_domain(ctx, group, domain):
                rids[int(Sid(cast(bytes, group.sid)).rid())] = None
        return list(rids)

    rids = await read(call, "samr.groups_of_user", work)
    return idl.SamrGetGroupsForUserResponse(
        idl.GetGroupsBuffer(tuple(idl.GroupMembership(rid, ATTRIBUTES) for rid in rids))
    )


async def samr_get_alias_membership(
    call: Call, request: idl.SamrGetAliasMembership
) -> idl.SamrGetAliasMembershipResponse:
    """Aliases of the domain that any of the SIDs is a member of directly. Spec: [MS-SAMR] 3.1.5.9.2."""
    domain = held(call, request.domain_handle, DomainHandle, int(rights.Domain.GET_ALIAS_MEMBERSHIP))
    sids = sids_of(request.sid_array)

    def work(ctx: ReadContext) -> tuple[int, ...]:
        rids: dict[int, None] = {}
        for sid in sids:
            for row in ctx.tx.by_sid(bytes(sid)):
                if row.state is not ObjectState.LIVE:
                    continue
                for group in _holders(ctx, row):
                    kind = entry.integer(group, attr.GROUP_TYPE)
                    if kind & _RESOURCE and in_domain(ctx, group, domain.sid):
                        rids[int(Sid(cast(bytes, group.sid)).rid())] = None
        return tuple(rids)

    found = await read(call, "samr.alias_membership", work)
    return idl.SamrGetAliasMembershipResponse(idl.UlongArray(found))
