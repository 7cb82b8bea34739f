"""primaryGroupID: a membership that stands on the member, and swaps places with one in `member`.

Spec: [MS-SAMR] 3.1.1.6, 3.1.1.8.2, 3.1.1.8.10.
"""

from typing import Final

from addc.base.errors import DsError
from addc.codes.win32 import Win32
from addc.directory import account_control, entry, linked_values, member_rules
from addc.directory.context import WriteContext
from addc.directory.draft import Draft
from addc.directory.sam_rules import unwilling
from addc.schema import attr
from addc.security import wellknown
from addc.security.account_flags import GroupType, UserAccountControl
from addc.store.objects import ObjectRow

_NAME: Final = "primaryGroupID"
_SECURE: Final = int(GroupType.GROUP_TYPE_SECURITY_ENABLED)
_SCOPES: Final = int(GroupType.GROUP_TYPE_ACCOUNT_GROUP | GroupType.GROUP_TYPE_UNIVERSAL_GROUP)


def apply(ctx: WriteContext, draft: Draft) -> None:
    """Check a changed primary group of an account that exists, and move the memberships."""
    if not draft.changes(attr.PRIMARY_GROUP_ID) or draft.row is None:
        return
    rid, before = draft.integer(attr.PRIMARY_GROUP_ID), draft.integer_before(attr.PRIMARY_GROUP_ID)
    uac = draft.integer(attr.USER_ACCOUNT_CONTROL)
    forced = account_control.forced_primary_group(uac)
    if forced is not None and rid != forced:
        raise _refused("a domain controller keeps its primary group")
    new, old = member_rules.group_of_rid(ctx, rid), member_rules.group_of_rid(ctx, before)
    if new is None:
        raise _refused("no such group")
    by_kind = draft.changes(attr.USER_ACCOUNT_CONTROL) and attr.PRIMARY_GROUP_ID not in draft.given
    is_member = _leave(ctx, draft.row, new)
    if not by_kind:
        if not is_member:
            raise _refused("the account is not a member of its new primary group")
        _check_kind_of_group(new)
    if old is not None and (not by_kind or _is_joined(uac, before)):
        _join(ctx, draft.row, old)


def _is_joined(uac: int, before: int) -> bool:
    """Whether an account that became of another kind stays in its old primary group.

    Spec: [MS-SAMR] 3.1.1.8.10: what becomes a domain controller does, unless it was a mere computer.
    """
    is_dc = uac & (UserAccountControl.UF_SERVER_TRUST_ACCOUNT | UserAccountControl.UF_PARTIAL_SECRETS_ACCOUNT)
    return bool(is_dc) and before != wellknown.RID_DOMAIN_COMPUTERS


def _check_kind_of_group(group: ObjectRow) -> None:
    """A primary group's SID must get into every token.

    Deviation: the document names global and domain local groups; Windows takes global and universal ones,
    since tokens made in other domains hold no local group.
    """
    kind = entry.integer(group, attr.GROUP_TYPE) & 0xFFFF_FFFF
    if not kind & _SECURE or not kind & _SCOPES:
        raise _refused("not a group that an account can be in first of all")


def _leave(ctx: WriteContext, row: ObjectRow, group: ObjectRow) -> bool:
    """Take the account out of `member`; False where it was not there."""
    member = ctx.schema.attribute_by_id(attr.MEMBER)
    assert member is not None
    usn = ctx.tx.next_usn()
    if not linked_values.remove_value(ctx, group.dnt, member, (row.dnt, b""), usn):
        return False
    linked_values.touch_source(ctx, group, usn)
    return True


def _join(ctx: WriteContext, row: ObjectRow, group: ObjectRow) -> None:
    member = ctx.schema.attribute_by_id(attr.MEMBER)
    assert member is not None
    usn = ctx.tx.next_usn()
    if linked_values.add_value(ctx, group.dnt, member, (row.dnt, b""), usn):
        linked_values.touch_source(ctx, group, usn)


def _refused(detail: str) -> DsError:
    return unwilling(Win32.ERROR_MEMBER_NOT_IN_GROUP, detail, _NAME)
