"""Privileges by name and number, and the accounts that hold them.

Spec: [MS-LSAD] 3.1.4.5, 3.1.4.8.
"""

from collections.abc import Callable, Sequence
from typing import Final, TypeVar

from addc.base.errors import NtError
from addc.codec.ids import Sid
from addc.codes.ntstatus import NtStatus
from addc.directory import lsa_accounts
from addc.directory.context import ReadContext, WriteContext
from addc.directory.lsa_accounts import LsaAccount
from addc.rpc.call import Call
from addc.rpc.interfaces.lsarpc import handles, idl
from addc.rpc.interfaces.lsarpc.handles import AccountHandle, PolicyHandle, held
from addc.rpc.interfaces.lsarpc.rights import DELETE, AccountAccess, PolicyAccess
from addc.security import wellknown
from addc.security.account_rights import (
    PRIVILEGE_BY_LUID,
    PRIVILEGES,
    RIGHTS,
    SYSTEM_ACCESS_ALL,
    AccountRight,
    Held,
    SystemAccess,
)
from addc.security.token import Privilege

T = TypeVar("T")

_ENGLISH: Final = 0x409
_ATTRIBUTES_DEFAULT: Final = 0
_VIEW_LOCAL: Final = int(PolicyAccess.VIEW_LOCAL_INFORMATION)
_LOOKUP: Final = int(PolicyAccess.LOOKUP_NAMES)
_CHANGE: Final = int(
    AccountAccess.ADJUST_PRIVILEGES | AccountAccess.ADJUST_SYSTEM_ACCESS | AccountAccess.VIEW
)
_SID_ENTRY_SIZE: Final = 4
_PRIVILEGE_ENTRY_SIZE: Final = 16


def filled(items: Sequence[T], start: int, size_max: int, size_of: Callable[[T], int]) -> list[T]:
    """As many items from `start` on as it takes to reach `size_max` octets, one at least.

    Spec: [MS-LSAD] 3.1.4.5.2 (PreferedMaximumLength).
    """
    found: list[T] = []
    size = 0
    for item in items[start:]:
        found.append(item)
        size += size_of(item)
        if size >= size_max:
            break
    return found


# --- privileges --------------------------------------------------------------------------------------------


async def enumerate_privileges(
    call: Call, request: idl.LsarEnumeratePrivileges
) -> idl.LsarEnumeratePrivilegesResponse:
    """Success as long as there is something: Windows says STATUS_NO_MORE_ENTRIES behind the last one only."""
    held(call, request.policy_handle, PolicyHandle, _VIEW_LOCAL)
    start = request.enumeration_context
    chosen = filled(
        PRIVILEGES,
        start,
        request.prefered_maximum_length,
        lambda one: _PRIVILEGE_ENTRY_SIZE + 2 * len(one.name),
    )
    if not chosen:
        return idl.LsarEnumeratePrivilegesResponse(start, status=NtStatus.STATUS_NO_MORE_ENTRIES)
    rows = tuple([idl.LsaprPolicyPrivilegeDef(one.name, idl.Luid(one.luid)) for one in chosen])
    return idl.LsarEnumeratePrivilegesResponse(start + len(rows), idl.LsaprPrivilegeEnumBuffer(rows))


def _privilege_named(name: str | None) -> AccountRight:
    found = RIGHTS.get((name or "").lower())
    if found is None or not found.privilege:
        raise NtError(NtStatus.STATUS_NO_SUCH_PRIVILEGE, "no privilege of that name")
    return found


async def lookup_privilege_value(
    call: Call, request: idl.LsarLookupPrivilegeValue
) -> idl.LsarLookupPrivilegeValueResponse:
    held(call, request.policy_handle, PolicyHandle, _LOOKUP)
    return idl.LsarLookupPrivilegeValueResponse(idl.Luid(_privilege_named(request.name).luid))


async def lookup_privilege_name(
    call: Call, request: idl.LsarLookupPrivilegeName
) -> idl.LsarLookupPrivilegeNameResponse:
    held(call, request.policy_handle, PolicyHandle, _LOOKUP)
    found = PRIVILEGE_BY_LUID.get(request.value.low_part)
    if found is None or request.value.high_part:
        raise NtError(NtStatus.STATUS_NO_SUCH_PRIVILEGE, "no privilege of that LUID")
    return idl.LsarLookupPrivilegeNameResponse(found.name)


async def lookup_privilege_display_name(
    call: Call, request: idl.LsarLookupPrivilegeDisplayName
) -> idl.LsarLookupPrivilegeDisplayNameResponse:
    """In English, whatever the client speaks. Logon rights have display names here too."""
    held(call, request.policy_handle, PolicyHandle, _LOOKUP)
    found = RIGHTS.get((request.name or "").lower())
    if found is None:
        raise NtError(NtStatus.STATUS_NO_SUCH_PRIVILEGE, "no privilege of that name")
    return idl.LsarLookupPrivilegeDisplayNameResponse(found.display_name, _ENGLISH)


# --- accounts ----------------------------------------------------------------------------------------------


async def create_account(call: Call, request: idl.LsarCreateAccount) -> idl.LsarCreateAccountResponse:
    """Spec: [MS-LSAD] 3.1.4.5.1."""
    held(call, request.policy_handle, PolicyHandle, int(PolicyAccess.CREATE_ACCOUNT))
    _not_by_nobody(call, NtStatus.STATUS_OBJECT_NAME_NOT_FOUND)
    access = handles.account_access(LsaAccount(Held()), call.requester, request.desired_access)
    await call.directory.write(
        "lsa.account", call.requester, lambda ctx: lsa_accounts.create(ctx, request.account_sid)
    )
    return idl.LsarCreateAccountResponse(call.handles.open(AccountHandle(access, request.account_sid)))


def _not_by_nobody(call: Call, status: NtStatus) -> None:
    """LsaRestrictAnonymous. Spec: [MS-LSAD] 3.1.1.6.1."""
    if call.requester.is_anonymous:
        raise NtError(status, "nobody in particular")


async def enumerate_accounts(
    call: Call, request: idl.LsarEnumerateAccounts
) -> idl.LsarEnumerateAccountsResponse:
    """Spec: [MS-LSAD] 3.1.4.5.2; success as with enumerate_privileges."""
    held(call, request.policy_handle, PolicyHandle, _VIEW_LOCAL)
    _not_by_nobody(call, NtStatus.STATUS_ACCESS_DENIED)
    every = await call.directory.read(
        "lsa.accounts", call.requester, lambda ctx: tuple(lsa_accounts.listed(ctx)), point=True
    )
    start = request.enumeration_context
    chosen = filled(
        every, start, request.prefered_maximum_length, lambda sid: _SID_ENTRY_SIZE + len(bytes(sid))
    )
    if not chosen:
        return idl.LsarEnumerateAccountsResponse(start, status=NtStatus.STATUS_NO_MORE_ENTRIES)
    return idl.LsarEnumerateAccountsResponse(start + len(chosen), _enum_buffer(chosen))


def _enum_buffer(sids: Sequence[Sid]) -> idl.LsaprAccountEnumBuffer:
    return idl.LsaprAccountEnumBuffer(tuple([idl.SidPointer(sid) for sid in sids]))


async def open_account(call: Call, request: idl.LsarOpenAccount) -> idl.LsarOpenAccountResponse:
    """Spec: [MS-LSAD] 3.1.4.5.3."""
    held(call, request.policy_handle, PolicyHandle)
    _not_by_nobody(call, NtStatus.STATUS_OBJECT_NAME_NOT_FOUND)
    account = await _read(call, request.account_sid)
    if account is None:
        raise NtError(NtStatus.STATUS_OBJECT_NAME_NOT_FOUND, "no such account")
    access = handles.account_access(account, call.requester, request.desired_access)
    return idl.LsarOpenAccountResponse(call.handles.open(AccountHandle(access, request.account_sid)))


async def _read(call: Call, sid: Sid) -> LsaAccount | None:
    return await call.directory.read(
        "lsa.account", call.requester, lambda ctx: lsa_accounts.find(ctx, sid), point=True
    )


async def _of_handle(call: Call, account: AccountHandle) -> LsaAccount:
    found = await _read(call, account.sid)
    if found is None:
        raise NtError(NtStatus.STATUS_INVALID_HANDLE, "the account is gone")
    return found


async def _change(call: Call, account: AccountHandle, change: Callable[[Held], Held]) -> None:
    def work(ctx: WriteContext) -> None:
        found = lsa_accounts.find(ctx, account.sid)
        if found is None:
            raise NtError(NtStatus.STATUS_INVALID_HANDLE, "the account is gone")
        lsa_accounts.hold(ctx, account.sid, change(found.held))

    await call.directory.write("lsa.account", call.requester, work)


async def enumerate_privileges_account(
    call: Call, request: idl.LsarEnumeratePrivilegesAccount
) -> idl.LsarEnumeratePrivilegesAccountResponse:
    account = held(call, request.account_handle, AccountHandle, int(AccountAccess.VIEW))
    found = await _of_handle(call, account)
    rows = tuple(
        [
            idl.LuidAndAttributes(idl.Luid(one.luid), _ATTRIBUTES_DEFAULT)
            for one in PRIVILEGES
            if one.privilege & found.held.privileges
        ]
    )
    return idl.LsarEnumeratePrivilegesAccountResponse(idl.LsaprPrivilegeSet(0, rows))


def _privileges(given: idl.LsaprPrivilegeSet) -> tuple[AccountRight, ...]:
    """Raises NtError for a LUID that nobody knows. Spec: [MS-LSAD] 3.1.4.5.5, 3.1.4.10."""
    found = []
    for one in given.privilege:
        right = PRIVILEGE_BY_LUID.get(one.luid.low_part)
        if right is None or one.luid.high_part:
            raise NtError(NtStatus.STATUS_INVALID_PARAMETER, "no privilege of that LUID")
        found.append(right)
    return tuple(found)


async def add_privileges_to_account(
    call: Call, request: idl.LsarAddPrivilegesToAccount
) -> idl.LsarAddPrivilegesToAccountResponse:
    account = held(call, request.account_handle, AccountHandle, int(AccountAccess.ADJUST_PRIVILEGES))
    added = _privileges(request.privileges)
    await _change(call, account, lambda before: before.with_rights(added))
    return idl.LsarAddPrivilegesToAccountResponse()


async def remove_privileges_from_account(
    call: Call, request: idl.LsarRemovePrivilegesFromAccount
) -> idl.LsarRemovePrivilegesFromAccountResponse:
    account = held(call, request.account_handle, AccountHandle, int(AccountAccess.ADJUST_PRIVILEGES))
    if bool(request.all_privileges) == (request.privileges is not None):
        raise NtError(NtStatus.STATUS_INVALID_PARAMETER, "all privileges, or those that are named")
    if request.privileges is None:
        await _change(call, account, lambda before: Held(Privilege(0), before.access))
    else:
        removed = _privileges(request.privileges)
        await _change(call, account, lambda before: before.without_rights(removed))
    return idl.LsarRemovePrivilegesFromAccountResponse()


async def get_system_access_account(
    call: Call, request: idl.LsarGetSystemAccessAccount
) -> idl.LsarGetSystemAccessAccountResponse:
    account = held(call, request.account_handle, AccountHandle, int(AccountAccess.VIEW))
    found = await _of_handle(call, account)
    return idl.LsarGetSystemAccessAccountResponse(int(found.held.access))


async def set_system_access_account(
    call: Call, request: idl.LsarSetSystemAccessAccount
) -> idl.LsarSetSystemAccessAccountResponse:
    account = held(call, request.account_handle, AccountHandle, int(AccountAccess.ADJUST_SYSTEM_ACCESS))
    if request.system_access & ~SYSTEM_ACCESS_ALL:
        raise NtError(NtStatus.STATUS_INVALID_PARAMETER, "SystemAccess")
    access = SystemAccess(request.system_access)
    await _change(call, account, lambda before: Held(before.privileges, access))
    return idl.LsarSetSystemAccessAccountResponse()


# --- rights by account -------------------------------------------------------------------------------------


def _rights(given: idl.LsaprUserRightSet) -> tuple[AccountRight, ...]:
    found = []
    for name in given.user_rights or ():
        right = RIGHTS.get((name or "").lower())
        if right is None:
            raise NtError(NtStatus.STATUS_NO_SUCH_PRIVILEGE, "no right of that name")
        found.append(right)
    return tuple(found)


async def enumerate_accounts_with_user_right(
    call: Call, request: idl.LsarEnumerateAccountsWithUserRight
) -> idl.LsarEnumerateAccountsWithUserRightResponse:
    """For members of Administrators; without a right: all accounts. Spec: [MS-LSAD] 3.1.4.5.9 <73>."""
    held(call, request.policy_handle, PolicyHandle, _VIEW_LOCAL)
    if wellknown.BUILTIN_ADMINISTRATORS not in call.requester.sids:
        raise NtError(NtStatus.STATUS_ACCESS_DENIED, "for administrators")
    name = request.user_right
    right = None if name is None else RIGHTS.get(name.lower())
    if name is not None and right is None:
        raise NtError(NtStatus.STATUS_NO_SUCH_PRIVILEGE, "no right of that name")

    def work(ctx: ReadContext) -> tuple[Sid, ...]:
        return tuple(lsa_accounts.listed(ctx)) if right is None else lsa_accounts.holders(ctx, right)

    found = await call.directory.read("lsa.holders", call.requester, work, point=True)
    if not found:
        return idl.LsarEnumerateAccountsWithUserRightResponse(status=NtStatus.STATUS_NO_MORE_ENTRIES)
    return idl.LsarEnumerateAccountsWithUserRightResponse(_enum_buffer(found))


async def enumerate_account_rights(
    call: Call, request: idl.LsarEnumerateAccountRights
) -> idl.LsarEnumerateAccountRightsResponse:
    """Spec: [MS-LSAD] 3.1.4.5.10; the account's descriptor decides."""
    held(call, request.policy_handle, PolicyHandle)
    _not_by_nobody(call, NtStatus.STATUS_OBJECT_NAME_NOT_FOUND)
    account = await _read(call, request.account_sid)
    if account is None:
        raise NtError(NtStatus.STATUS_OBJECT_NAME_NOT_FOUND, "no such account")
    handles.account_access(account, call.requester, int(AccountAccess.VIEW))
    return idl.LsarEnumerateAccountRightsResponse(idl.LsaprUserRightSet(account.held.names or None))


async def add_account_rights(
    call: Call, request: idl.LsarAddAccountRights
) -> idl.LsarAddAccountRightsResponse:
    """Spec: [MS-LSAD] 3.1.4.5.11; the account is made where it is not there."""
    policy = held(call, request.policy_handle, PolicyHandle)
    added = _rights(request.user_rights)

    def work(ctx: WriteContext) -> None:
        account = lsa_accounts.find(ctx, request.account_sid)
        if account is not None:
            handles.account_access(account, call.requester, _CHANGE)
        elif not policy.access & PolicyAccess.CREATE_ACCOUNT:
            raise NtError(NtStatus.STATUS_ACCESS_DENIED, "the handle may not create accounts")
        before = Held() if account is None else account.held
        lsa_accounts.hold(ctx, request.account_sid, before.with_rights(added))

    await call.directory.write("lsa.rights", call.requester, work)
    return idl.LsarAddAccountRightsResponse()


async def remove_account_rights(
    call: Call, request: idl.LsarRemoveAccountRights
) -> idl.LsarRemoveAccountRightsResponse:
    """Spec: [MS-LSAD] 3.1.4.5.12; an account that holds nothing any more goes."""
    held(call, request.policy_handle, PolicyHandle)
    _not_by_nobody(call, NtStatus.STATUS_OBJECT_NAME_NOT_FOUND)
    removed = _rights(request.user_rights)

    def work(ctx: WriteContext) -> None:
        account = lsa_accounts.find(ctx, request.account_sid)
        if account is None:
            raise NtError(NtStatus.STATUS_OBJECT_NAME_NOT_FOUND, "no such account")
        handles.account_access(account, call.requester, _CHANGE | DELETE)
        left = Held() if request.all_rights else account.held.without_rights(removed)
        if left == Held():
            lsa_accounts.delete(ctx, request.account_sid)
        else:
            lsa_accounts.hold(ctx, request.account_sid, left)

    await call.directory.write("lsa.rights", call.requester, work)
    return idl.LsarRemoveAccountRightsResponse()
