"""Groups and aliases: what is known of them, and who is in them.

Spec: [MS-SAMR] 3.1.5.5.3, 3.1.5.5.4, 3.1.5.6.2, 3.1.5.6.3, 3.1.5.8, 3.1.5.13.2, 3.1.5.14.7.
"""

from collections.abc import Sequence
from typing import Final, cast

from addc.base.errors import DsError, NtError
from addc.codec.ids import Sid
from addc.codec.ndr import Ndr, Tagged
from addc.codes.ntstatus import NtStatus
from addc.codes.win32 import Win32
from addc.directory import entry
from addc.directory import groups as memberships
from addc.directory.context import ReadContext, WriteContext
from addc.directory.modify import Change, ModOp, modify_row
from addc.rpc.call import Call
from addc.rpc.interfaces.samr import idl, rights
from addc.rpc.interfaces.samr.accounts import find
from addc.rpc.interfaces.samr.handles import (
    AliasHandle,
    DomainHandle,
    GroupHandle,
    SamHandle,
    held,
    read,
    row_of,
    use,
    write,
)
from addc.schema import attr
from addc.security import wellknown
from addc.security.account_flags import GroupType
from addc.store.objects import ObjectRow, ObjectState

ATTRIBUTES: Final = 0x7
"""SE_GROUP_MANDATORY, _ENABLED_BY_DEFAULT and _ENABLED: what a DC says of every membership."""
_ROWS_PER_READ: Final = 512


def _members(ctx: ReadContext, row: ObjectRow) -> list[ObjectRow]:
    """The living members of a group, in the order of their rows."""
    found: list[ObjectRow] = []
    after = (0, b"")
    while True:
        ends = ctx.tx.link_ends(
            memberships.MEMBER_LINK, row.dnt, back=False, after=after, limit=_ROWS_PER_READ
        )
        ctx.pace.step(len(ends))
        rows = ctx.tx.pass_by([dnt for dnt, _ in ends])  # type: ignore[misc]
        found += [one for one in rows if one.state is ObjectState.LIVE and one.sid is not None]
        if len(ends) < _ROWS_PER_READ:
            return found
        after = ends[-1]


def _member_count(ctx: ReadContext, row: ObjectRow) -> int:
    return ctx.tx.link_count(memberships.MEMBER_LINK, row.dnt)


def _name(row: ObjectRow) -> str:
    return entry.text(row, attr.SAM_ACCOUNT_NAME) or ""


def _comment(row: ObjectRow) -> str:
    return entry.text(row, attr.DESCRIPTION) or ""


# --- information -------------------------------------------------------------------------------------------


async def samr_query_information_group(
    call: Call, request: idl.SamrQueryInformationGroup
) -> idl.SamrQueryInformationGroupResponse:
    """Spec: [MS-SAMR] 3.1.5.5.3."""
    level = request.group_information_class
    group = held(call, request.group_handle, GroupHandle, int(rights.Group.READ_INFORMATION))

    def work(ctx: ReadContext) -> Ndr:
        row = row_of(ctx, group)
        match level:
            case 1:
                count = _member_count(ctx, row)
                return idl.GroupGeneralInformation(_name(row), ATTRIBUTES, count, _comment(row))
            case 2:
                return idl.GroupNameInformation(_name(row))
            case 3:
                return idl.GroupAttributeInformation(ATTRIBUTES)
            case 4:
                return idl.GroupAdmCommentInformation(_comment(row))
            case 5:
                return idl.GroupGeneralInformation(_name(row), ATTRIBUTES, 0, _comment(row))
        raise NtError(NtStatus.STATUS_INVALID_INFO_CLASS)

    found = await read(call, "samr.query_group", work)
    return idl.SamrQueryInformationGroupResponse(Tagged(level, found))


async def samr_query_information_alias(
    call: Call, request: idl.SamrQueryInformationAlias
) -> idl.SamrQueryInformationAliasResponse:
    """Spec: [MS-SAMR] 3.1.5.5.4."""
    level = request.alias_information_class
    alias = held(call, request.alias_handle, AliasHandle, int(rights.Alias.READ_INFORMATION))

    def work(ctx: ReadContext) -> Ndr:
        row = row_of(ctx, alias)
        match level:
            case 1:
                return idl.AliasGeneralInformation(_name(row), _member_count(ctx, row), _comment(row))
            case 2:
                return idl.AliasNameInformation(_name(row))
            case 3:
                return idl.AliasAdmCommentInformation(_comment(row))
        raise NtError(NtStatus.STATUS_INVALID_INFO_CLASS)

    found = await read(call, "samr.query_alias", work)
    return idl.SamrQueryInformationAliasResponse(Tagged(level, found))


async def _set(call: Call, handle: SamHandle, attribute: str, text: str | None) -> None:
    values = [text.encode("utf-8", "surrogatepass")] if text else []
    change = Change(ModOp.REPLACE, attribute, values)

    def work(ctx: WriteContext) -> None:
        modify_row(ctx, use(ctx, handle), [change])

    await write(call, "samr.set_group", work)


async def samr_set_information_group(
    call: Call, request: idl.SamrSetInformationGroup
) -> idl.SamrSetInformationGroupResponse:
    """Attributes are what they are on a DC. Spec: [MS-SAMR] 3.1.5.6.2, 3.1.5.14.7."""
    group = held(call, request.group_handle, GroupHandle, int(rights.Group.WRITE_ACCOUNT))
    match request.buffer.value:
        case idl.GroupNameInformation(name):
            await _set(call, group, "sAMAccountName", name)
        case idl.GroupAttributeInformation():
            pass
        case idl.GroupAdmCommentInformation(comment):
            await _set(call, group, "description", comment)
        case _:
            raise NtError(NtStatus.STATUS_INVALID_INFO_CLASS)
    return idl.SamrSetInformationGroupResponse()


async def samr_set_information_alias(
    call: Call, request: idl.SamrSetInformationAlias
) -> idl.SamrSetInformationAliasResponse:
    """Spec: [MS-SAMR] 3.1.5.6.3."""
    alias = held(call, request.alias_handle, AliasHandle, int(rights.Alias.WRITE_ACCOUNT))
    match request.buffer.value:
        case idl.AliasNameInformation(name):
            await _set(call, alias, "sAMAccountName", name)
        case idl.AliasAdmCommentInformation(comment):
            await _set(call, alias, "description", comment)
        case _:
            raise NtError(NtStatus.STATUS_INVALID_INFO_CLASS)
    return idl.SamrSetInformationAliasResponse()


# --- members -----------------------------------------------------------------------------------------------


def _exists(row: ObjectRow) -> bool:
    return True


def _member_of_domain(ctx: ReadContext, group: GroupHandle, rid: int) -> ObjectRow:
    row = find(ctx, group.sid.domain().child(rid), _exists)
    if row is None:
        raise NtError(NtStatus.STATUS_NO_SUCH_USER, "nobody has this RID")
    return row


def _change_member(ctx: WriteContext, handle: SamHandle, op: ModOp, sid: Sid) -> None:
    """Add or remove one member by its SID; strangers come along as LDAP has them come."""
    change = Change(op, "member", [f"<SID={sid}>".encode()])
    modify_row(ctx, use(ctx, handle), [change])


_OF_GROUPS: Final = {
    Win32.ERROR_MEMBER_IN_ALIAS: NtStatus.STATUS_MEMBER_IN_GROUP,
    Win32.ERROR_MEMBER_NOT_IN_ALIAS: NtStatus.STATUS_MEMBER_NOT_IN_GROUP,
}
"""The directory speaks of aliases in both cases, as DCs do over LDAP."""


async def _change_group(call: Call, group: GroupHandle, op: ModOp, rid: int) -> None:
    def work(ctx: WriteContext) -> None:
        row = _member_of_domain(ctx, group, rid)
        assert row.sid is not None
        try:
            _change_member(ctx, group, op, Sid(row.sid))
        except DsError as error:
            status = _OF_GROUPS.get(cast(Win32, error.code))
            if status is None:
                raise
            raise NtError(status, error.detail) from None

    await write(call, "samr.group_member", work)


async def samr_add_member_to_group(
    call: Call, request: idl.SamrAddMemberToGroup
) -> idl.SamrAddMemberToGroupResponse:
    """Spec: [MS-SAMR] 3.1.5.8.1."""
    group = held(call, request.group_handle, GroupHandle, int(rights.Group.ADD_MEMBER))
    await _change_group(call, group, ModOp.ADD, request.member_id)
    return idl.SamrAddMemberToGroupResponse()


async def samr_remove_member_from_group(
    call: Call, request: idl.SamrRemoveMemberFromGroup
) -> idl.SamrRemoveMemberFromGroupResponse:
    """Spec: [MS-SAMR] 3.1.5.8.2."""
    group = held(call, request.group_handle, GroupHandle, int(rights.Group.REMOVE_MEMBER))
    await _change_group(call, group, ModOp.DELETE, request.member_id)
    return idl.SamrRemoveMemberFromGroupResponse()


async def samr_set_member_attributes_of_group(
    call: Call, request: idl.SamrSetMemberAttributesOfGroup
) -> idl.SamrSetMemberAttributesOfGroupResponse:
    """Nothing is set on a DC. Spec: [MS-SAMR] 3.1.5.13.2, 3.1.5.14.7."""
    held(call, request.group_handle, GroupHandle, int(rights.Group.ADD_MEMBER))
    return idl.SamrSetMemberAttributesOfGroupResponse()


async def samr_get_members_in_group(
    call: Call, request: idl.SamrGetMembersInGroup
) -> idl.SamrGetMembersInGroupResponse:
    """Accounts, and those groups that are no aliases. Those by primary group are not among them.

    Spec: [MS-SAMR] 3.1.5.8.3.
    """
    group = held(call, request.group_handle, GroupHandle, int(rights.Group.LIST_MEMBERS))
    domain = group.sid.domain()

    def work(ctx: ReadContext) -> tuple[int, ...]:
        rids = []
        for row in _members(ctx, row_of(ctx, group)):
            if entry.integer(row, attr.GROUP_TYPE) & GroupType.GROUP_TYPE_RESOURCE_GROUP:
                continue
            sid = Sid(cast(bytes, row.sid))
            if sid.domain() != domain:
                raise NtError(NtStatus.STATUS_DS_GLOBAL_CANT_HAVE_CROSSDOMAIN_MEMBER)
            rids.append(int(sid.rid()))
        return tuple(rids)

    rids = await read(call, "samr.group_members", work, point=False)
    return idl.SamrGetMembersInGroupResponse(idl.GetMembersBuffer(rids, (ATTRIBUTES,) * len(rids)))


def _check_alias_member(ctx: ReadContext, sid: Sid) -> None:
    """A SID of this domain is somebody's. Spec: [MS-SAMR] 3.1.5.8.4."""
    local = sid.domain() in (ctx.forest.domain_sid, wellknown.BUILTIN_DOMAIN)
    if local and find(ctx, sid, _exists) is None:
        raise NtError(NtStatus.STATUS_NO_SUCH_MEMBER)


async def _change_alias(
    call: Call, alias: AliasHandle, op: ModOp, sids: Sequence[Sid], ignored: int = 0
) -> None:
    """All changes or none. ignored: the error of one that is there, or not there, already."""

    def work(ctx: WriteContext) -> None:
        for sid in sids:
            if op == ModOp.ADD:
                _check_alias_member(ctx, sid)
            elif ignored and not ctx.tx.by_sid(bytes(sid)):
                raise NtError(NtStatus.STATUS_OBJECT_NAME_NOT_FOUND, "nobody has ever had this SID")
            try:
                _change_member(ctx, alias, op, sid)
            except DsError as error:
                if error.code != ignored:
                    raise

    await write(call, "samr.alias_member", work)


async def samr_add_member_to_alias(
    call: Call, request: idl.SamrAddMemberToAlias
) -> idl.SamrAddMemberToAliasResponse:
    """Spec: [MS-SAMR] 3.1.5.8.4."""
    alias = held(call, request.alias_handle, AliasHandle, int(rights.Alias.ADD_MEMBER))
    await _change_alias(call, alias, ModOp.ADD, [request.member_id])
    return idl.SamrAddMemberToAliasResponse()


async def samr_remove_member_from_alias(
    call: Call, request: idl.SamrRemoveMemberFromAlias
) -> idl.SamrRemoveMemberFromAliasResponse:
    """Spec: [MS-SAMR] 3.1.5.8.5."""
    alias = held(call, request.alias_handle, AliasHandle, int(rights.Alias.REMOVE_MEMBER))
    await _change_alias(call, alias, ModOp.DELETE, [request.member_id])
    return idl.SamrRemoveMemberFromAliasResponse()


async def samr_add_multiple_members_to_alias(
    call: Call, request: idl.SamrAddMultipleMembersToAlias
) -> idl.SamrAddMultipleMembersToAliasResponse:
    """Spec: [MS-SAMR] 3.1.5.8.8."""
    alias = held(call, request.alias_handle, AliasHandle, int(rights.Alias.ADD_MEMBER))
    sids = sids_of(request.members_buffer)
    await _change_alias(call, alias, ModOp.ADD, sids, Win32.ERROR_MEMBER_IN_ALIAS)
    return idl.SamrAddMultipleMembersToAliasResponse()


async def samr_remove_multiple_members_from_alias(
    call: Call, request: idl.SamrRemoveMultipleMembersFromAlias
) -> idl.SamrRemoveMultipleMembersFromAliasResponse:
    """Spec: [MS-SAMR] 3.1.5.8.9."""
    alias = held(call, request.alias_handle, AliasHandle, int(rights.Alias.REMOVE_MEMBER))
    sids = sids_of(request.members_buffer)
    await _change_alias(call, alias, ModOp.DELETE, sids, Win32.ERROR_MEMBER_NOT_IN_ALIAS)
    return idl.SamrRemoveMultipleMembersFromAliasResponse()


def sids_of(given: idl.PsidArray) -> list[Sid]:
    """The SIDs of an array. Raises STATUS_INVALID_PARAMETER for a null one."""
    found = []
    for one in given.sids or ():
        if one.sid_pointer is None:
            raise NtError(NtStatus.STATUS_INVALID_PARAMETER, "a null SID")
        found.append(one.sid_pointer)
    return found


async def samr_get_members_in_alias(
    call: Call, request: idl.SamrGetMembersInAlias
) -> idl.SamrGetMembersInAliasResponse:
    """Spec: [MS-SAMR] 3.1.5.8.6."""
    alias = held(call, request.alias_handle, AliasHandle, int(rights.Alias.LIST_MEMBERS))

    def work(ctx: ReadContext) -> tuple[idl.SidInformation, ...]:
        rows = _members(ctx, row_of(ctx, alias))
        return tuple(idl.SidInformation(Sid(cast(bytes, row.sid))) for row in rows)

    found = await read(call, "samr.alias_members", work, point=False)
    return idl.SamrGetMembersInAliasResponse(idl.PsidArrayOut(found))


async def samr_remove_member_from_foreign_domain(
    call: Call, request: idl.SamrRemoveMemberFromForeignDomain
) -> idl.SamrRemoveMemberFromForeignDomainResponse:
    """Nothing is removed on a DC. Spec: [MS-SAMR] 3.1.5.8.7."""
    held(call, request.domain_handle, DomainHandle, int(rights.Domain.LOOKUP))
    return idl.SamrRemoveMemberFromForeignDomainResponse()
