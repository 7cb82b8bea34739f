"""groupType: the default, what it may become, and the sAMAccountType that goes with it.

Domains here are in native mode always, so universal groups and conversions are open.

Spec: [MS-SAMR] 2.2.1.11, 3.1.1.6, 3.1.1.8.1, 3.1.1.8.9.
"""

from typing import Final

from addc.base.errors import DsError
from addc.base.ids import Dnt
from addc.codes.win32 import Win32
from addc.directory import entry, groups, member_rules
from addc.directory.context import WriteContext
from addc.directory.draft import Draft
from addc.directory.sam_rules import unwilling
from addc.schema import attr
from addc.security.account_flags import GroupType, SamAccountType
from addc.store.objects import ObjectRow

_NAME: Final = "groupType"
_BUILTIN: Final = int(GroupType.GROUP_TYPE_BUILTIN_LOCAL_GROUP)
_GLOBAL: Final = int(GroupType.GROUP_TYPE_ACCOUNT_GROUP)
_LOCAL: Final = int(GroupType.GROUP_TYPE_RESOURCE_GROUP)
_UNIVERSAL: Final = int(GroupType.GROUP_TYPE_UNIVERSAL_GROUP)
_SECURE: Final = int(GroupType.GROUP_TYPE_SECURITY_ENABLED)
_SCOPES: Final = frozenset(
    (
        _GLOBAL,
        _LOCAL,
        _UNIVERSAL,
        int(GroupType.GROUP_TYPE_APP_BASIC_GROUP),
        int(GroupType.GROUP_TYPE_APP_QUERY_GROUP),
    )
)
_CONVERTIBLE: Final = frozenset((_GLOBAL, _LOCAL, _UNIVERSAL))


def apply(ctx: WriteContext, draft: Draft) -> None:
    """Default, legal values, legal conversions; sAMAccountType follows."""
    if draft.is_new:
        draft.put_if_absent(attr.GROUP_TYPE, b"%d" % (_GLOBAL | _SECURE - (1 << 32)))
    if not draft.changes(attr.GROUP_TYPE):
        return
    new = draft.integer(attr.GROUP_TYPE) & 0xFFFF_FFFF
    if not ctx.unrestricted:
        if new & ~_SECURE not in _SCOPES:
            raise unwilling(Win32.ERROR_DS_INVALID_GROUP_TYPE, "no such groupType", _NAME)
        if draft.row is not None:
            _check_conversion(ctx, draft.row, draft.integer_before(attr.GROUP_TYPE) & 0xFFFF_FFFF, new)
    draft.put_integer(attr.SAM_ACCOUNT_TYPE, int(_sam_account_type(new)))


def _sam_account_type(group: int) -> SamAccountType:
    secure = bool(group & _SECURE)
    if group & GroupType.GROUP_TYPE_APP_BASIC_GROUP:
        return SamAccountType.SAM_APP_BASIC_GROUP
    if group & GroupType.GROUP_TYPE_APP_QUERY_GROUP:
        return SamAccountType.SAM_APP_QUERY_GROUP
    if group & _LOCAL:
        return SamAccountType.SAM_ALIAS_OBJECT if secure else SamAccountType.SAM_NON_SECURITY_ALIAS_OBJECT
    return SamAccountType.SAM_GROUP_OBJECT if secure else SamAccountType.SAM_NON_SECURITY_GROUP_OBJECT


def _check_conversion(ctx: WriteContext, row: ObjectRow, old: int, new: int) -> None:
    """Only to and from universal, never of built-in groups, and only where the memberships stay legal."""
    if old & _BUILTIN:
        raise unwilling(Win32.ERROR_DS_ILLEGAL_MOD_OPERATION, "a built-in group", _NAME)
    before, after = old & ~_SECURE, new & ~_SECURE
    if before != after:
        if _UNIVERSAL not in (before, after) or not {before, after} <= _CONVERTIBLE:
            raise unwilling(Win32.ERROR_DS_INVALID_GROUP_TYPE, "no such conversion", _NAME)
        _check_members(ctx, row, after)
        _check_holders(ctx, row, after)
    if (old & _SECURE and not new & _SECURE) and member_rules.has_primary_members(ctx, row):
        raise unwilling(Win32.ERROR_DS_HAVE_PRIMARY_MEMBERS, "the group is somebody's primary group", _NAME)


def _check_members(ctx: WriteContext, row: ObjectRow, after: int) -> None:
    """The members that the group has may be members of one of its new scope."""
    targets = [link.target for link in ctx.tx.links(groups.MEMBER_LINK, row.dnt)]
    try:
        member_rules.check_members(ctx, after, row.dnt, targets)
    except DsError as error:
        error.attribute = _NAME
        raise


def _check_holders(ctx: WriteContext, row: ObjectRow, after: int) -> None:
    """The groups that it is a member of may have a member of its new scope.

    A global group takes no universal one in, a universal one no local one.
    """
    holders: list[Dnt] = ctx.tx.link_sources(groups.MEMBER_LINK, row.dnt)
    for holder in ctx.tx.get_many(holders):
        kind = entry.integer(holder, attr.GROUP_TYPE)
        if after & _UNIVERSAL and kind & _GLOBAL:
            raise unwilling(
                Win32.ERROR_DS_GLOBAL_CANT_HAVE_UNIVERSAL_MEMBER, "a member of a global group", _NAME
            )
        if after & _LOCAL and kind & (_UNIVERSAL | _GLOBAL):
            raise unwilling(
                Win32.ERROR_DS_UNIVERSAL_CANT_HAVE_LOCAL_MEMBER, "a member of a universal group", _NAME
            )
