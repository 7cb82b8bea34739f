"""Computer accounts that ordinary users make by privilege, each a few of them, and join to again.

Spec: [MS-SAMR] 3.1.5.4.4 (13), 3.1.5.13.8, [MS-ADTS] 3.1.1.5.2.1, 3.1.1.5.2.2.
"""

from dataclasses import replace
from typing import Final

from addc.base.errors import DsError
from addc.codec.ids import Sid
from addc.codes.ldap_result import LdapResult
from addc.codes.win32 import Win32
from addc.directory import entry, groups, names, object_sd, rights, validated_writes
from addc.directory.add_values import Given
from addc.directory.context import ReadContext, WriteContext
from addc.directory.draft import Draft
from addc.directory.object_classes import ClassPlan
from addc.schema import attr, cls
from addc.schema.wellknown import WellKnownContainer
from addc.security import wellknown
from addc.security.access_check import evaluate
from addc.security.account_flags import UserAccountControl
from addc.security.descriptor import Acl, SecurityDescriptor
from addc.security.sd_create import create_sd
from addc.security.token import Privilege, Token
from addc.store.objects import ObjectRow, ObjectState

_ALLOWED: Final = frozenset(
    (attr.DNS_HOST_NAME, attr.SERVICE_PRINCIPAL_NAME, attr.USER_ACCOUNT_CONTROL, attr.SAM_ACCOUNT_NAME)
)
_UF = UserAccountControl
_ALLOWED_UAC: Final = int(_UF.UF_WORKSTATION_TRUST_ACCOUNT | _UF.UF_ACCOUNTDISABLE)
_COUNT_MAX: Final = 1_000_000


def may_create(ctx: WriteContext, parent: ObjectRow, given: Given, *, over_sam: bool = False) -> bool:
    """Whether the requester, who lacks CREATE_CHILD, makes this computer by SeMachineAccountPrivilege.

    over_sam: SAM chose the values, and the rest comes later by the handle ([MS-SAMR] 3.1.5.4.4).

    Only where computers go by default: elsewhere, as below OU=Domain Controllers, policies and delegations
    meant for others would apply to it. The document says that of SAMR; Windows holds to it over LDAP too.
    Raises DsError where the privilege would do but the request or the quota does not let it.
    """
    if not ctx.requester.has(Privilege.SE_MACHINE_ACCOUNT) or not _is_default_place(ctx, parent):
        return False
    if _is_denied(ctx, parent):
        return False
    if not over_sam:
        _check_request(given)
    _check_quota(ctx)
    return True


def _is_default_place(ctx: WriteContext, parent: ObjectRow) -> bool:
    domain = ctx.tx.get(ctx.forest.domain_nc)
    place = None if domain is None else names.well_known(ctx, domain, WellKnownContainer.COMPUTERS)
    return place is not None and place.dnt == parent.dnt


def _is_denied(ctx: WriteContext, parent: ObjectRow) -> bool:
    """An explicit deny of creating computers stands above the privilege."""
    dacl = rights.descriptor(ctx, parent).dacl
    computer = ctx.schema.class_by_id(cls.COMPUTER)
    assert computer is not None
    return dacl is not None and any(
        ace.is_deny
        and ace.mask & rights.CREATE_CHILD
        and not ace.flags & 0x08
        and ace.object_type in (None, computer.schema_id_guid_wire)
        and ace.sid in ctx.requester.sids
        for ace in dacl.aces
    )


def _refuse(code: Win32, detail: str) -> DsError:
    return DsError(code, detail, ldap_result=LdapResult.UNWILLING_TO_PERFORM)


def _check_request(given: Given) -> None:
    """The attributes that must and may come. Spec: [MS-ADTS] 3.1.1.5.2.2."""
    if given.sd is not None or given.guid is not None or given.plain.keys() - _ALLOWED:
        raise _refuse(Win32.ERROR_DS_MISSING_REQUIRED_ATT, "an attribute that is not for a machine account")
    if _ALLOWED - given.plain.keys():
        raise _refuse(Win32.ERROR_DS_MISSING_REQUIRED_ATT, "a machine account needs its four attributes")
    values = given.values(attr.USER_ACCOUNT_CONTROL)
    uac = int(values[0]) if len(values) == 1 and values[0].isdigit() and len(values[0]) <= 10 else 0
    if not uac & _UF.UF_WORKSTATION_TRUST_ACCOUNT or uac & ~_ALLOWED_UAC:
        raise _refuse(Win32.ERROR_DS_SECURITY_ILLEGAL_MODIFY, "not the bits of a machine account")
    if not uac & _UF.UF_ACCOUNTDISABLE:
        if given.password is None:
            raise _refuse(Win32.ERROR_DS_MISSING_REQUIRED_ATT, "an enabled machine account needs a password")
        if len(given.password) <= 4:
            raise _refuse(Win32.ERROR_DS_SECURITY_ILLEGAL_MODIFY, "the password is empty")


def _created_by(ctx: WriteContext, sid: bytes) -> list[ObjectRow]:
    rows = ctx.tx.get_many(ctx.tx.index_eq(attr.MS_DS_CREATOR_SID, sid, limit=_COUNT_MAX))
    return [
        row
        for row in rows
        if row.state is ObjectState.LIVE and row.attrs.get(attr.MS_DS_CREATOR_SID) == (sid,)
    ]


def _check_quota(ctx: WriteContext) -> None:
    """ms-DS-MachineAccountQuota; what a computer creates counts for its creator too.

    Spec: [MS-SAMR] 3.1.5.4.4 (13).
    """
    domain = ctx.tx.get(ctx.forest.domain_nc)
    assert domain is not None
    quota = entry.integer(domain, attr.MS_DS_MACHINE_ACCOUNT_QUOTA)
    computers = ctx.forest.domain_sid.child(wellknown.RID_DOMAIN_COMPUTERS)
    transitive = ctx.requester.primary_group == computers
    if transitive and ctx.requester.user.domain() != ctx.forest.domain_sid:
        raise _refuse(Win32.ERROR_DS_MACHINE_ACCOUNT_QUOTA_EXCEEDED, "a computer of another domain")
    todo, seen, count = [bytes(ctx.requester.user)], set[bytes](), 0
    while todo and count < quota:
        sid = todo.pop()
        if sid in seen:
            continue
        seen.add(sid)
        rows = _created_by(ctx, sid)
        count += len(rows)
        if transitive:
            todo += [bytes(row.sid) for row in rows if row.sid is not None]
    if count >= quota:
        raise _refuse(Win32.ERROR_DS_MACHINE_ACCOUNT_QUOTA_EXCEEDED, "the machine account quota is used up")


def mark(ctx: WriteContext, draft: Draft) -> None:
    """Remember the creator."""
    draft.put(attr.MS_DS_CREATOR_SID, bytes(ctx.requester.user))


def check_values(ctx: WriteContext, draft: Draft) -> None:
    """Host name and SPNs must be such as the machine could write itself. Spec: [MS-ADTS] 3.1.1.5.2.2."""
    for att in (attr.DNS_HOST_NAME, attr.SERVICE_PRINCIPAL_NAME):
        if not validated_writes.values_fit(ctx, draft, att, draft.get(att)):
            raise DsError(
                Win32.ERROR_DS_INVALID_ATTRIBUTE_SYNTAX,
                "not a name of this machine",
                ldap_result=LdapResult.INVALID_ATTRIBUTE_SYNTAX,
            )


def descriptor(ctx: WriteContext, parent: ObjectRow | None, plan: ClassPlan) -> int:
    """Store the class's default descriptor, owned by Domain Admins. Spec: [MS-SAMR] 3.1.5.4.4 (13).

    What the class leaves to the creator is the requester's, who could not join his machine to it else; what
    an owner may do to a descriptor, and what the parent leaves to owners, is not.
    """
    domain_sid = ctx.forest.domain_sid
    admins: Sid = domain_sid.child(wellknown.RID_DOMAIN_ADMINS)
    default = object_sd.default_descriptor(plan.structural.default_sd, domain_sid, domain_sid)
    default = default or SecurityDescriptor()
    made = create_sd(
        None if parent is None else rights.descriptor(ctx, parent),
        None,
        ctx.requester,
        plan.object_types,
        default_sd=replace(
            default, owner=admins, group=admins, dacl=_of_creator(default.dacl, ctx.requester)
        ),
    )
    return ctx.tx.put_descriptor(made.pack())


def _of_creator(dacl: Acl | None, creator: Token) -> Acl | None:
    """The list with the creator's name in it."""
    if dacl is None:
        return None
    aces = [
        replace(ace, sid=creator.user) if ace.sid == wellknown.CREATOR_OWNER else ace for ace in dacl.aces
    ]
    return Acl(dacl.revision, tuple(aces))


# --- joining again under an old name -----------------------------------------------------------------------


def may_reuse(ctx: ReadContext, row: ObjectRow, allow_list: SecurityDescriptor | None = None) -> bool:
    """Whether the requester may join a machine to the account that is there already.

    He made it, or owns it, or somebody whom he has to trust anyhow does: else whoever may write to an account
    could have a machine join under a name that others control.
    allow_list: ComputerAccountReuseAllowList; its trustees are owners to be trusted.
    Raises DsError: ERROR_INVALID_PARAMETER for what is no computer, ERROR_ACCESS_DENIED where the owner is
    unknown. Spec: [MS-SAMR] 3.1.5.13.8 (KB5020276).
    """
    if not entry.is_a(row, b"computer"):
        raise DsError(Win32.ERROR_INVALID_PARAMETER, "not a computer")
    owner = rights.descriptor(ctx, row).owner
    if owner is None:
        raise DsError(Win32.ERROR_ACCESS_DENIED, "the account has no owner")
    owners = [one for one in ctx.tx.by_sid(bytes(owner)) if one.state is ObjectState.LIVE]
    if not owners:
        raise DsError(Win32.ERROR_ACCESS_DENIED, "nobody knows the account's owner")
    requester = ctx.requester
    if row.attrs.get(attr.MS_DS_CREATOR_SID) == (bytes(requester.user),) or owner in requester.sids:
        return True
    if _trusted_owners(ctx, owner, owners[0]):
        return True
    return allow_list is not None and bool(evaluate(allow_list, _as_owner(ctx, owners[0])).object_mask)


def _trusted_owners(ctx: ReadContext, owner: Sid, row: ObjectRow) -> bool:
    """Whether the owner is an administrators' group, or somebody in one."""
    domain = ctx.forest.domain_sid
    admins = {
        domain.child(wellknown.RID_DOMAIN_ADMINS),
        domain.child(wellknown.RID_ENTERPRISE_ADMINS),
        wellknown.BUILTIN_ADMINISTRATORS,
    }
    return owner in admins or not admins.isdisjoint(_as_owner(ctx, row).sids)


def _as_owner(ctx: ReadContext, row: ObjectRow) -> Token:
    return groups.token_for(ctx, row.dnt)
