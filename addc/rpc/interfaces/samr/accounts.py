"""Users, groups and aliases of a domain: opening, creating, deleting.

Spec: [MS-SAMR] 3.1.5.1.6 - 3.1.5.1.9, 3.1.5.4, 3.1.5.7.
"""

from collections.abc import Callable
from typing import Final

from addc.base.errors import DsError, NtError
from addc.codec.ids import Sid
from addc.codec.ndr import NULL_HANDLE, ContextHandle
from addc.codes.ntstatus import NtStatus
from addc.codes.win32 import Win32
from addc.directory import accounts, delete, entry, member_rules, sam_accounts
from addc.directory.context import ReadContext, WriteContext
from addc.rpc.call import Call
from addc.rpc.interfaces.samr import idl, rights
from addc.rpc.interfaces.samr.handles import (
    AliasHandle,
    DomainHandle,
    GroupHandle,
    SamHandle,
    UserHandle,
    created,
    held,
    opened,
    read,
    use,
    write,
)
from addc.schema import attr
from addc.security.account_flags import GroupType, UserAccount, UserAccountControl
from addc.store.objects import ObjectRow, ObjectState

_FIRST_FREE_RID: Final = 1000
"""RIDs below belong to accounts that a domain cannot do without."""


def is_user(row: ObjectRow) -> bool:
    """Whether a row is what SAM calls a user."""
    return accounts.is_account(row)


def is_group(row: ObjectRow) -> bool:
    """Whether a row is a global or universal group."""
    return _group_type(row) & int(
        GroupType.GROUP_TYPE_ACCOUNT_GROUP | GroupType.GROUP_TYPE_UNIVERSAL_GROUP
    ) != 0  # fmt: skip


def is_alias(row: ObjectRow) -> bool:
    """Whether a row is a domain-local group."""
    return _group_type(row) & int(GroupType.GROUP_TYPE_RESOURCE_GROUP) != 0


def _group_type(row: ObjectRow) -> int:
    return entry.integer(row, attr.GROUP_TYPE) if entry.is_a(row, b"group") else 0


def find(ctx: ReadContext, sid: Sid, wanted: Callable[[ObjectRow], bool]) -> ObjectRow | None:
    """The living object with a SID, if it is of the kind that is wanted."""
    for row in ctx.tx.by_sid(bytes(sid)):
        if row.state is ObjectState.LIVE and row.nc == ctx.forest.domain_nc and wanted(row):
            return row
    return None


# --- opening -----------------------------------------------------------------------------------------------


async def samr_open_user(call: Call, request: idl.SamrOpenUser) -> idl.SamrOpenUserResponse:
    """Spec: [MS-SAMR] 3.1.5.1.9."""
    domain = held(call, request.domain_handle, DomainHandle, int(rights.Domain.LOOKUP))
    sid = domain.sid.child(request.user_id)

    def work(ctx: ReadContext) -> UserHandle:
        row = find(ctx, sid, is_user)
        if row is None:
            raise NtError(NtStatus.STATUS_NO_SUCH_USER)
        granted = opened(ctx, row, rights.USER, request.desired_access)
        return UserHandle(granted, ctx.requester.user, row.dnt, sid)

    return idl.SamrOpenUserResponse(call.handles.open(await read(call, "samr.open_user", work)))


async def samr_open_group(call: Call, request: idl.SamrOpenGroup) -> idl.SamrOpenGroupResponse:
    """Spec: [MS-SAMR] 3.1.5.1.7."""
    domain = held(call, request.domain_handle, DomainHandle, int(rights.Domain.LOOKUP))
    sid = domain.sid.child(request.group_id)

    def work(ctx: ReadContext) -> GroupHandle:
        row = find(ctx, sid, is_group)
        if row is None:
            raise NtError(NtStatus.STATUS_NO_SUCH_GROUP)
        granted = opened(ctx, row, rights.GROUP, request.desired_access)
        return GroupHandle(granted, ctx.requester.user, row.dnt, sid)

    return idl.SamrOpenGroupResponse(call.handles.open(await read(call, "samr.open_group", work)))


async def samr_open_alias(call: Call, request: idl.SamrOpenAlias) -> idl.SamrOpenAliasResponse:
    """Spec: [MS-SAMR] 3.1.5.1.8."""
    domain = held(call, request.domain_handle, DomainHandle, int(rights.Domain.LOOKUP))
    sid = domain.sid.child(request.alias_id)

    def work(ctx: ReadContext) -> AliasHandle:
        row = find(ctx, sid, is_alias)
        if row is None:
            raise NtError(NtStatus.STATUS_NO_SUCH_ALIAS)
        granted = opened(ctx, row, rights.ALIAS, request.desired_access)
        return AliasHandle(granted, ctx.requester.user, row.dnt, sid)

    return idl.SamrOpenAliasResponse(call.handles.open(await read(call, "samr.open_alias", work)))


# --- creating ----------------------------------------------------------------------------------------------


def _place(call: Call, handle: ContextHandle, right: rights.Domain) -> None:
    """The account domain, where accounts are made; the built-in one has all it will ever have."""
    if held(call, handle, DomainHandle, int(right)).is_builtin:
        raise NtError(NtStatus.STATUS_ACCESS_DENIED, "nothing is made in the built-in domain")


def _made_sid(row: ObjectRow) -> Sid:
    assert row.sid is not None
    return Sid(row.sid)


async def _create_user(
    call: Call, domain: ContextHandle, name: str | None, account_type: int, desired: int
) -> tuple[ContextHandle, int, int]:
    """A handle, what it was granted, and the RID. Spec: [MS-SAMR] 3.1.5.4.4."""
    _place(call, domain, rights.Domain.CREATE_USER)
    granted = created(call, rights.USER, desired)
    made = await write(
        call, "samr.create_user", lambda ctx: sam_accounts.create_user(ctx, name or "", account_type)
    )
    if made.by_privilege:
        granted &= rights.CREATED_BY_PRIVILEGE
    sid = _made_sid(made.row)
    handle = UserHandle(granted, call.requester.user, made.row.dnt, sid, made=True)
    return call.handles.open(handle), granted, sid.rid()


async def samr_create_user2_in_domain(
    call: Call, request: idl.SamrCreateUser2InDomain
) -> idl.SamrCreateUser2InDomainResponse:
    """Spec: [MS-SAMR] 3.1.5.4.4."""
    return idl.SamrCreateUser2InDomainResponse(
        *await _create_user(
            call, request.domain_handle, request.name, request.account_type, request.desired_access
        )
    )


async def samr_create_user_in_domain(
    call: Call, request: idl.SamrCreateUserInDomain
) -> idl.SamrCreateUserInDomainResponse:
    """Spec: [MS-SAMR] 3.1.5.4.5."""
    kind = int(UserAccount.USER_NORMAL_ACCOUNT)
    made = await _create_user(call, request.domain_handle, request.name, kind, request.desired_access)
    return idl.SamrCreateUserInDomainResponse(made[0], made[2])


async def samr_create_group_in_domain(
    call: Call, request: idl.SamrCreateGroupInDomain
) -> idl.SamrCreateGroupInDomainResponse:
    """Spec: [MS-SAMR] 3.1.5.4.2."""
    _place(call, request.domain_handle, rights.Domain.CREATE_GROUP)
    granted = created(call, rights.GROUP, request.desired_access)
    kind, name = GroupType.GROUP_TYPE_ACCOUNT_GROUP, request.name or ""
    made = await write(call, "samr.create_group", lambda ctx: sam_accounts.create_group(ctx, name, kind))
    sid = _made_sid(made.row)
    handle = GroupHandle(granted, call.requester.user, made.row.dnt, sid, made=True)
    return idl.SamrCreateGroupInDomainResponse(call.handles.open(handle), sid.rid())


async def samr_create_alias_in_domain(
    call: Call, request: idl.SamrCreateAliasInDomain
) -> idl.SamrCreateAliasInDomainResponse:
    """Spec: [MS-SAMR] 3.1.5.4.3."""
    _place(call, request.domain_handle, rights.Domain.CREATE_ALIAS)
    granted = created(call, rights.ALIAS, request.desired_access)
    kind, name = GroupType.GROUP_TYPE_RESOURCE_GROUP, request.account_name or ""
    made = await write(call, "samr.create_alias", lambda ctx: sam_accounts.create_group(ctx, name, kind))
    sid = _made_sid(made.row)
    handle = AliasHandle(granted, call.requester.user, made.row.dnt, sid, made=True)
    return idl.SamrCreateAliasInDomainResponse(call.handles.open(handle), sid.rid())


# --- deleting ----------------------------------------------------------------------------------------------


def _check_deletable(handle: SamHandle) -> None:
    if handle.sid.rid() < _FIRST_FREE_RID:
        raise NtError(NtStatus.STATUS_SPECIAL_ACCOUNT, "the domain cannot do without it")


def _delete(ctx: WriteContext, row: ObjectRow) -> None:
    """A parent of other objects stays. Spec: [MS-SAMR] 3.1.5.7 (DC configuration)."""
    try:
        delete.delete_row(ctx, row)
    except DsError as error:
        if error.code == Win32.ERROR_DS_CHILDREN_EXIST:
            raise NtError(NtStatus.STATUS_DS_BUSY, "there are objects below it") from None
        raise


async def samr_delete_user(call: Call, request: idl.SamrDeleteUser) -> idl.SamrDeleteUserResponse:
    """Spec: [MS-SAMR] 3.1.5.7.3."""
    user = held(call, request.user_handle, UserHandle, int(rights.Common.DELETE))
    _check_deletable(user)

    def work(ctx: WriteContext) -> None:
        row = use(ctx, user)
        flags = entry.integer(row, attr.USER_ACCOUNT_CONTROL)
        if flags & UserAccountControl.UF_INTERDOMAIN_TRUST_ACCOUNT:
            raise NtError(NtStatus.STATUS_ACCESS_DENIED, "trusts are unmade over LSA")
        _delete(ctx, row)

    await write(call, "samr.delete_user", work)
    call.handles.close(request.user_handle)
    return idl.SamrDeleteUserResponse(NULL_HANDLE)


async def samr_delete_group(call: Call, request: idl.SamrDeleteGroup) -> idl.SamrDeleteGroupResponse:
    """Spec: [MS-SAMR] 3.1.5.7.1."""
    group = held(call, request.group_handle, GroupHandle, int(rights.Common.DELETE))
    _check_deletable(group)

    def work(ctx: WriteContext) -> None:
        row = use(ctx, group)
        if member_rules.has_primary_members(ctx, row):
            raise NtError(NtStatus.STATUS_MEMBERS_PRIMARY_GROUP, "it is somebody's primary group")
        _delete(ctx, row)

    await write(call, "samr.delete_group", work)
    call.handles.close(request.group_handle)
    return idl.SamrDeleteGroupResponse(NULL_HANDLE)


async def samr_delete_alias(call: Call, request: idl.SamrDeleteAlias) -> idl.SamrDeleteAliasResponse:
    """Spec: [MS-SAMR] 3.1.5.7.2."""
    alias = held(call, request.alias_handle, AliasHandle, int(rights.Common.DELETE))
    _check_deletable(alias)
    await write(call, "samr.delete_alias", lambda ctx: _delete(ctx, use(ctx, alias)))
    call.handles.close(request.alias_handle)
    return idl.SamrDeleteAliasResponse(NULL_HANDLE)
