"""Who may be a member of which group.

Spec: [MS-SAMR] 3.1.1.8.9, 3.1.1.8.2 (primary group).
"""

from collections.abc import Iterable
from typing import Final

from addc.base.errors import DsError
from addc.base.ids import Dnt
from addc.codes.ldap_result import LdapResult
from addc.codes.win32 import Win32
from addc.directory import accounts, entry, names
from addc.directory.context import ReadContext, WriteContext
from addc.schema import attr
from addc.security.account_flags import GroupType
from addc.store.objects import ObjectRow

_GLOBAL: Final = int(GroupType.GROUP_TYPE_ACCOUNT_GROUP)
_LOCAL: Final = int(GroupType.GROUP_TYPE_RESOURCE_GROUP)
_UNIVERSAL: Final = int(GroupType.GROUP_TYPE_UNIVERSAL_GROUP)


def _refuse(code: Win32, detail: str) -> DsError:
    return DsError(code, detail, ldap_result=LdapResult.UNWILLING_TO_PERFORM, attribute="member")


def check_members(ctx: WriteContext, group: int, own: Dnt | None, targets: Iterable[Dnt]) -> None:
    """Refuse members that a group of type `group` cannot have.

    own: the group's row, None while it is being made; a group is no member of itself.
    """
    for row in ctx.tx.get_many(list(targets)):
        if row.dnt == own:
            raise _refuse(Win32.ERROR_DS_SECURITY_ILLEGAL_MODIFY, "a group in itself")
        _check_member(ctx, group, row)


def _check_member(ctx: WriteContext, group: int, row: ObjectRow) -> None:
    kind = entry.integer(row, attr.GROUP_TYPE) & 0xFFFF_FFFF if entry.is_a(row, b"group") else 0
    if group & _GLOBAL:
        if kind & _LOCAL:
            raise _refuse(Win32.ERROR_DS_GLOBAL_CANT_HAVE_LOCAL_MEMBER, "a local group in a global one")
        if kind & _UNIVERSAL:
            raise _refuse(
                Win32.ERROR_DS_GLOBAL_CANT_HAVE_UNIVERSAL_MEMBER, "a universal group in a global one"
            )
        if entry.is_a(row, b"foreignSecurityPrincipal"):
            raise _refuse(Win32.ERROR_DS_GLOBAL_CANT_HAVE_CROSSDOMAIN_MEMBER, "a foreigner in a global group")
    elif group & _UNIVERSAL:
        if kind & _LOCAL:
            raise _refuse(Win32.ERROR_DS_UNIVERSAL_CANT_HAVE_LOCAL_MEMBER, "a local group in a universal one")
        if entry.is_a(row, b"foreignSecurityPrincipal"):
            raise _refuse(Win32.ERROR_DS_NO_FPO_IN_UNIVERSAL_GROUPS, "a foreigner in a universal group")
    elif group & _LOCAL and kind & _LOCAL and row.nc != ctx.forest.domain_nc:
        raise _refuse(Win32.ERROR_DS_LOCAL_CANT_HAVE_CROSSDOMAIN_LOCAL_MEMBER, "another domain's local group")


def check_not_primary(ctx: WriteContext, group: ObjectRow, targets: Iterable[Dnt]) -> None:
    """A user is not added to, nor taken out of, its own primary group through `member`."""
    if group.sid is None:
        return
    rid = int.from_bytes(group.sid[-4:], "little")
    for row in ctx.tx.get_many(list(targets)):
        if row.sid is not None and row.sid[:-4] == group.sid[:-4] and _primary(row) == rid:
            raise DsError(
                Win32.ERROR_MEMBER_IN_GROUP,
                "the group is the member's primary group",
                ldap_result=LdapResult.ENTRY_ALREADY_EXISTS,
                attribute="member",
            )


def in_group_already() -> DsError:
    """A member is added a second time."""
    return DsError(
        Win32.ERROR_MEMBER_IN_ALIAS,
        "a member already",
        ldap_result=LdapResult.ENTRY_ALREADY_EXISTS,
        attribute="member",
    )


def not_in_group(ctx: WriteContext, group: ObjectRow, target: tuple[Dnt, bytes] | None) -> DsError:
    """What is no member is removed. A primary group is left by taking another one, not by way of `member`."""
    row = None if target is None else ctx.tx.get(target[0])
    if group.sid is not None and row is not None and row.sid is not None and row.sid[:-4] == group.sid[:-4]:
        if _primary(row) == int.from_bytes(group.sid[-4:], "little"):
            return _refuse(Win32.ERROR_MEMBERS_PRIMARY_GROUP, "the group is the member's primary group")
    return _refuse(Win32.ERROR_MEMBER_NOT_IN_ALIAS, "not a member")


def _primary(row: ObjectRow) -> int:
    return entry.integer(row, attr.PRIMARY_GROUP_ID, -1)


def has_primary_members(ctx: ReadContext, group: ObjectRow) -> bool:
    """Whether a group is some account's primary group."""
    if group.sid is None:
        return False
    rid = int.from_bytes(group.sid[-4:], "little")
    found = accounts.indexed(ctx, attr.PRIMARY_GROUP_ID, str(rid))
    return any(row.sid is not None and row.sid[:-4] == group.sid[:-4] for row in found)


def group_of_rid(ctx: ReadContext, rid: int) -> ObjectRow | None:
    """The domain's living group with a RID."""
    for row in ctx.tx.by_sid(bytes(ctx.forest.domain_sid.child(rid))):
        if not row.is_deleted and names.is_object(row) and entry.is_a(row, b"group"):
            return row
    return None
