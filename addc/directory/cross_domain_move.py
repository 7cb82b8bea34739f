"""Moves of objects to other domains: whether one could be carried out; it is always refused in the end.

Moving takes a delegated credential to log on to the other domain's DC with, which no connection here brings.

Spec: [MS-ADTS] 3.1.1.5.4.2, 3.1.1.3.4.1.2 (LDAP_SERVER_CROSSDOM_MOVE_TARGET_OID).
"""

from typing import Final

from addc.base.errors import DsError
from addc.base.ids import Dnt
from addc.codec.dn import Dn
from addc.codec.ids import Sid
from addc.codes.ldap_result import LdapResult
from addc.codes.win32 import Win32
from addc.directory import entry, fsmo, names, referrals, rights
from addc.directory.context import WriteContext
from addc.directory.object_classes import ClassPlan, class_plan
from addc.directory.referrals import CrossRef
from addc.schema import attr
from addc.security.account_flags import GroupType, SystemFlags, UserAccountControl
from addc.store.objects import ObjectRow, ObjectState

_SETTLED_CLASSES: Final = frozenset(
    b"addressBookContainer attributeSchema builtinDomain certificationAuthority classSchema configuration"
    b" cRLDistributionPoint crossRef crossRefContainer dMD domain dSA foreignSecurityPrincipal"
    b" infrastructureUpdate linkTrackObjectMoveTable linkTrackOMTEntry linkTrackVolEntry"
    b" linkTrackVolumeTable lostAndFound nTDSConnection nTDSDSA nTDSSiteSettings rIDManager rIDSet samDomain"
    b" samDomainBase samServer site siteLink siteLinkBridge sitesContainer subnet subnetContainer"
    b" trustedDomain".split()
)
_SETTLED_ACCOUNTS: Final = (
    UserAccountControl.UF_SERVER_TRUST_ACCOUNT | UserAccountControl.UF_INTERDOMAIN_TRUST_ACCOUNT
)
_FIRST_RID: Final = 1000
_BY_KIND: Final = (
    (GroupType.GROUP_TYPE_ACCOUNT_GROUP, Win32.ERROR_DS_CANT_MOVE_ACCOUNT_GROUP),
    (GroupType.GROUP_TYPE_RESOURCE_GROUP, Win32.ERROR_DS_CANT_MOVE_RESOURCE_GROUP),
    (GroupType.GROUP_TYPE_APP_BASIC_GROUP, Win32.ERROR_DS_CANT_MOVE_APP_BASIC_GROUP),
    (GroupType.GROUP_TYPE_APP_QUERY_GROUP, Win32.ERROR_DS_CANT_MOVE_APP_QUERY_GROUP),
)


def _refuse(code: Win32, detail: str, result: LdapResult = LdapResult.UNWILLING_TO_PERFORM) -> DsError:
    return DsError(code, detail, ldap_result=result)


def check(ctx: WriteContext, row: ObjectRow, new_superior: str | None, target: str) -> None:
    """Whether a move to another domain could be; returns only where the client asks no more than that.

    target: the value of the control, "" to ask.
    Raises DsError with the pairs of [MS-ADTS] 3.1.1.5.4.2.
    """
    if not new_superior:
        raise _refuse(Win32.ERROR_DS_ILLEGAL_XDOM_MOVE_OPERATION, "a new superior is needed")
    if row.state is not ObjectState.LIVE:
        raise _refuse(Win32.ERROR_DS_CANT_MOVE_DELETED_OBJECT, "the object is deleted")
    plan = class_plan(ctx.schema, entry.class_names(row))
    _check_access(ctx, row, plan)
    _check_object(ctx, row, plan)
    if plan.is_account:
        _check_account(ctx, row, plan)
    _check_domains(ctx, row, new_superior)
    _check_place(ctx, row)
    if target:
        raise _refuse(
            Win32.ERROR_DS_INAPPROPRIATE_AUTH,
            "the bind brought no delegated credentials",
            LdapResult.INAPPROPRIATE_AUTHENTICATION,
        )


def _check_access(ctx: WriteContext, row: ObjectRow, plan: ClassPlan) -> None:
    parent = ctx.tx.get(row.parent)
    if rights.allows(ctx, row, rights.DELETE):
        return
    if parent is None or not rights.can_delete_child(ctx, parent, plan.structural):
        raise DsError(Win32.ERROR_DS_INSUFF_ACCESS_RIGHTS, "INSUFF_ACCESS_RIGHTS")


def _check_object(ctx: WriteContext, row: ObjectRow, plan: ClassPlan) -> None:
    flags = entry.integer(row, attr.SYSTEM_FLAGS)
    if flags & SystemFlags.FLAG_DISALLOW_DELETE:
        raise _refuse(Win32.ERROR_DS_CANT_DELETE, "systemFlags forbid it")
    if not fsmo.is_ours(ctx, fsmo.RID_MASTER):
        raise _refuse(Win32.ERROR_DS_INCORRECT_ROLE_OWNER, "another DC is the RID master")
    if plan.structural.system_only:
        raise _refuse(Win32.ERROR_DS_CANT_MOD_SYSTEM_ONLY, "the class is for the system")
    if plan.structural.name_wire in _SETTLED_CLASSES:
        raise _refuse(Win32.ERROR_DS_ILLEGAL_XDOM_MOVE_OPERATION, "objects of the class stay")
    if flags & SystemFlags.FLAG_DOMAIN_DISALLOW_MOVE:
        raise _refuse(Win32.ERROR_DS_ILLEGAL_MOD_OPERATION, "systemFlags forbid a move")
    if entry.boolean(row, attr.IS_CRITICAL_SYSTEM_OBJECT):
        raise _refuse(Win32.ERROR_DS_ILLEGAL_MOD_OPERATION, "a critical system object")


def _check_account(ctx: WriteContext, row: ObjectRow, plan: ClassPlan) -> None:
    if entry.integer(row, attr.USER_ACCOUNT_CONTROL) & _SETTLED_ACCOUNTS:
        raise _refuse(Win32.ERROR_DS_ILLEGAL_XDOM_MOVE_OPERATION, "DCs and trusts stay")
    sid = None if row.sid is None else Sid(row.sid)
    if sid is None or sid.rid() <= _FIRST_RID:
        raise _refuse(Win32.ERROR_DS_ILLEGAL_XDOM_MOVE_OPERATION, "a built-in account")
    kind = entry.integer(row, attr.GROUP_TYPE)
    if plan.is_group:
        if kind & GroupType.GROUP_TYPE_BUILTIN_LOCAL_GROUP:
            raise _refuse(Win32.ERROR_DS_ILLEGAL_XDOM_MOVE_OPERATION, "a built-in group")
        if _has_members(ctx, row):
            for bit, code in _BY_KIND:
                if kind & bit:
                    raise _refuse(code, "a group of that kind with members")
    member = ctx.schema.attribute_by_id(attr.MEMBER)
    assert member is not None
    for dnt in ctx.tx.link_sources(entry.link_base(member), row.dnt):
        group = ctx.tx.get(dnt)
        if group is not None and entry.integer(group, attr.GROUP_TYPE) & GroupType.GROUP_TYPE_ACCOUNT_GROUP:
            raise _refuse(Win32.ERROR_DS_CANT_WITH_ACCT_GROUP_MEMBERSHPS, "a member of a global group")


def _has_members(ctx: WriteContext, row: ObjectRow) -> bool:
    for att in (attr.MEMBER, attr.MS_DS_NON_MEMBERS):
        attribute = ctx.schema.attribute_by_id(att)
        if attribute is not None and ctx.tx.link_count(entry.link_base(attribute), row.dnt, 1):
            return True
    return False


def _domain_of(refs: tuple[CrossRef, ...], nc: Dnt) -> CrossRef | None:
    return next((one for one in refs if one.nc == nc and one.is_domain), None)


def _check_domains(ctx: WriteContext, row: ObjectRow, new_superior: str) -> None:
    """Both ends are in domains, and not in one."""
    refs = referrals.cross_refs(ctx)
    here = _domain_of(refs, row.nc)
    parsed = names.parse(new_superior)
    there: CrossRef | None = None
    if isinstance(parsed, Dn):
        for one in refs:
            if parsed.is_under(one.dn) and (there is None or len(one.dn) > len(there.dn)):
                there = one
    else:
        there = _domain_of(refs, referrals.visible_object(ctx, new_superior).nc)
    if here is None or there is None or not there.is_domain:
        raise _refuse(Win32.ERROR_DS_CANT_FIND_EXPECTED_NC, "no such domain", LdapResult.NO_SUCH_OBJECT)
    if here.nc == there.nc:
        raise _refuse(
            Win32.ERROR_DS_SRC_AND_DST_NC_IDENTICAL, "the same domain", LdapResult.INVALID_DN_SYNTAX
        )


def _check_place(ctx: WriteContext, row: ObjectRow) -> None:
    """Well-known containers stay, and what has children does."""
    root = ctx.tx.get(row.nc)
    assert root is not None
    if any(names.reference_dnt(one) == row.dnt for one in root.attrs.get(attr.WELL_KNOWN_OBJECTS, ())):
        raise _refuse(Win32.ERROR_DS_ILLEGAL_XDOM_MOVE_OPERATION, "a well-known object")
    if next(names.children(ctx, row.dnt), None) is not None:
        raise _refuse(
            Win32.ERROR_DS_CHILDREN_EXIST, "the object has children", LdapResult.NOT_ALLOWED_ON_NON_LEAF
        )
