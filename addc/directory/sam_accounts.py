"""Accounts and groups as SAM's remote protocol makes them: a name, a kind, and a place that follows from it.

Everything else about a new object is as with an Add, in the requester's name.

Spec: [MS-SAMR] 3.1.5.4.1, 3.1.5.4.4, 3.1.5.14.1.
"""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from addc.base.errors import DsError
from addc.codec.dn import Rdn
from addc.codes.win32 import Win32
from addc.directory import accounts, entry, names, rights
from addc.directory.add import add_object
from addc.directory.context import WriteContext
from addc.directory.controls import RequestOptions
from addc.schema import attr, cls
from addc.schema.wellknown import WellKnownContainer
from addc.security.account_flags import GroupType, UserAccount, UserAccountControl
from addc.security.token import Privilege
from addc.store.objects import ObjectRow

_OPTIONS: Final = RequestOptions(confidential=True, over_sam=True)
_UF = UserAccountControl
_KINDS: Final = {
    int(UserAccount.USER_NORMAL_ACCOUNT): (_UF.UF_NORMAL_ACCOUNT, WellKnownContainer.USERS),
    int(UserAccount.USER_WORKSTATION_TRUST_ACCOUNT): (
        _UF.UF_WORKSTATION_TRUST_ACCOUNT,
        WellKnownContainer.COMPUTERS,
    ),
    int(UserAccount.USER_SERVER_TRUST_ACCOUNT): (
        _UF.UF_SERVER_TRUST_ACCOUNT,
        WellKnownContainer.DOMAIN_CONTROLLERS,
    ),
}
_TAKEN: Final = {
    GroupType.GROUP_TYPE_ACCOUNT_GROUP: Win32.ERROR_GROUP_EXISTS,
    GroupType.GROUP_TYPE_RESOURCE_GROUP: Win32.ERROR_ALIAS_EXISTS,
}


@dataclass(frozen=True, slots=True)
class NewAccount:
    """What was made. by_privilege: a computer, by SeMachineAccountPrivilege alone."""

    row: ObjectRow
    by_privilege: bool = False


def create_user(ctx: WriteContext, name: str, account_type: int) -> NewAccount:
    """Make a user, a computer or a domain controller's account, disabled and without a password.

    account_type: one of USER_NORMAL_ACCOUNT, USER_WORKSTATION_TRUST_ACCOUNT and USER_SERVER_TRUST_ACCOUNT.
    A computer that only the privilege lets the requester make is enabled: he could not do that afterwards.
    Deviation: all others need no password either, which the document does not say, and Windows does.
    Raises DsError: ERROR_INVALID_PARAMETER for another type, ERROR_ACCESS_DENIED for trusts, and those of
    the Add. Spec: [MS-SAMR] 3.1.5.4.4.
    """
    if account_type == UserAccount.USER_INTERDOMAIN_TRUST_ACCOUNT:
        raise DsError(Win32.ERROR_ACCESS_DENIED, "trusts are made over LSA")
    kind = _KINDS.get(account_type)
    if kind is None:
        raise DsError(Win32.ERROR_INVALID_PARAMETER, "no such kind of account")
    flag, container = kind
    is_user = account_type == UserAccount.USER_NORMAL_ACCOUNT
    place = _container(ctx, container)
    by_privilege = (
        account_type == UserAccount.USER_WORKSTATION_TRUST_ACCOUNT
        and ctx.requester.has(Privilege.SE_MACHINE_ACCOUNT)
        and not _may_create_computers(ctx, place)
    )
    bits = flag if by_privilege else flag | _UF.UF_ACCOUNTDISABLE | _UF.UF_PASSWD_NOTREQD
    values = [
        ("objectClass", [b"user" if is_user else b"computer"]),
        ("userAccountControl", [b"%d" % bits]),
    ]
    leaf = name if is_user else name.removesuffix("$")
    dn = f"{Rdn('CN', leaf)},{names.dn_of_row(ctx, place)}"
    return NewAccount(_make(ctx, name, dn, values, Win32.ERROR_USER_EXISTS), by_privilege)


def create_group(ctx: WriteContext, name: str, kind: GroupType) -> NewAccount:
    """Make a security group. kind: GROUP_TYPE_ACCOUNT_GROUP, or GROUP_TYPE_RESOURCE_GROUP for an alias.

    Spec: [MS-SAMR] 3.1.5.4.1.
    """
    group_type = int(kind | GroupType.GROUP_TYPE_SECURITY_ENABLED) - (1 << 32)
    values = [("objectClass", [b"group"]), ("groupType", [b"%d" % group_type])]
    place = _container(ctx, WellKnownContainer.USERS)
    dn = f"{Rdn('CN', name)},{names.dn_of_row(ctx, place)}"
    return NewAccount(_make(ctx, name, dn, values, _TAKEN[kind]))


def _may_create_computers(ctx: WriteContext, place: ObjectRow) -> bool:
    computer = ctx.schema.class_by_id(cls.COMPUTER)
    assert computer is not None
    return rights.can_create_child(ctx, place, computer)


def _container(ctx: WriteContext, container: UUID) -> ObjectRow:
    domain = ctx.tx.get(ctx.forest.domain_nc)
    assert domain is not None
    found = names.well_known(ctx, domain, container)
    if found is None:
        raise DsError(Win32.ERROR_DS_OBJ_NOT_FOUND, "the domain has no such container")
    return found


def _make(
    ctx: WriteContext,
    name: str,
    dn: str,
    values: list[tuple[str, list[bytes]]],
    taken: Win32,
) -> ObjectRow:
    if not name.strip("$ "):
        raise DsError(Win32.ERROR_INVALID_ACCOUNT_NAME, "an account has a name")
    there = accounts.row_by_sam(ctx, name)
    if there is not None:
        raise _exists(there)
    values.append(("sAMAccountName", [name.encode("utf-8", "replace")]))
    try:
        dnt = add_object(ctx, dn, values, _OPTIONS)
    except DsError as error:
        if error.code == Win32.ERROR_DS_OBJ_STRING_NAME_EXISTS:
            raise DsError(taken, "the container holds another object of that name") from None
        raise
    row = ctx.tx.get(dnt)
    assert row is not None
    return row


def _exists(row: ObjectRow) -> DsError:
    """A principal has the name, of whatever kind."""
    code = Win32.ERROR_USER_EXISTS
    if entry.is_a(row, b"group"):
        local = entry.integer(row, attr.GROUP_TYPE) & GroupType.GROUP_TYPE_RESOURCE_GROUP
        code = Win32.ERROR_ALIAS_EXISTS if local else Win32.ERROR_GROUP_EXISTS
    return DsError(code, "the name is taken")
