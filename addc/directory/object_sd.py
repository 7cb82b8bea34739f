"""Security descriptors of objects: made at creation, replaced by parts, worked out below a parent.

Spec: [MS-ADTS] 6.1.3, [MS-DTYP] 2.5.3.4.
"""

from dataclasses import replace
from functools import lru_cache
from typing import Final

from addc.base.errors import DecodeError, DsError
from addc.base.ids import Dnt
from addc.codec.ids import Sid
from addc.codes.ldap_result import LdapResult
from addc.codes.win32 import Win32
from addc.directory import policy, rights
from addc.directory.context import ReadContext, WriteContext
from addc.directory.object_classes import ClassPlan, class_plan
from addc.schema import attr
from addc.schema.wellknown import ExtendedRight
from addc.security import sddl, wellknown
from addc.security.access_check import evaluate
from addc.security.descriptor import Control, SecurityDescriptor, SecurityInformation, merge
from addc.security.sd_create import DS_OBJECT, NcKind, ObjectKind, create_sd, default_administrators_group
from addc.security.token import SYSTEM, Privilege
from addc.store.objects import ObjectRow

_KEPT_MAX: Final = 60_000


@lru_cache(maxsize=1024)
def default_descriptor(text: str, domain_sid: Sid, root_sid: Sid) -> SecurityDescriptor | None:
    """A class's defaultSecurityDescriptor in a domain; None where the class has none. Spec: 6.1.3.6."""
    return sddl.parse(text, domain_sid, root_sid) if text else None


def nc_kind(ctx: ReadContext, nc: Dnt) -> NcKind:
    """What kind of naming context a row is in, for the default administrators group."""
    forest = ctx.forest
    if nc == forest.config_nc:
        return NcKind.CONFIGURATION
    if nc == forest.schema_nc:
        return NcKind.SCHEMA
    return NcKind.DOMAIN if nc == forest.domain_nc else NcKind.APPLICATION


def _administrators(ctx: ReadContext, nc: Dnt) -> Sid | None:
    sid = ctx.forest.domain_sid
    return default_administrators_group(ctx.requester, nc_kind(ctx, nc), sid, sid)


def unpack(value: bytes) -> SecurityDescriptor:
    """A descriptor that a requester sent."""
    try:
        return SecurityDescriptor.unpack(value)
    except DecodeError as error:
        raise DsError(
            Win32.ERROR_INVALID_SECURITY_DESCR,
            error.why,
            ldap_result=LdapResult.CONSTRAINT_VIOLATION,
            attribute="nTSecurityDescriptor",
        ) from None


_AS_GIVEN: Final = ObjectKind(standard_order=False)


def _kind(ctx: WriteContext) -> ObjectKind:
    """Whether lists are put in order. Spec: [MS-ADTS] 6.1.3 (fDontStandardizeSDs)."""
    return _AS_GIVEN if not ctx.unrestricted and policy.heuristics(ctx).dont_standardize_sds else DS_OBJECT


def check_owner(ctx: WriteContext, owner: Sid | None, nc: Dnt) -> None:
    """Whom the requester may name as owner, of a new object too. Spec: [MS-ADTS] 6.1.3.3, 6.1.3.5."""
    requester = ctx.requester
    if owner is None or ctx.unrestricted or owner == requester.user or requester.has(Privilege.SE_RESTORE):
        return
    if owner != _administrators(ctx, nc):
        raise DsError(
            Win32.ERROR_INVALID_OWNER,
            "no such owner",
            ldap_result=LdapResult.CONSTRAINT_VIOLATION,
            attribute="nTSecurityDescriptor",
        )


def new_descriptor(
    ctx: WriteContext,
    parent: ObjectRow | None,
    plan: ClassPlan,
    nc: Dnt,
    given: SecurityDescriptor | None = None,
    *,
    owner: Sid | None = None,
) -> int:
    """Store the descriptor of an object that is being created and give its id.

    parent: None for the root of a naming context. given: from the requester, None for the class's default.
    owner: whom the requester asks for by LDAP_SERVER_SET_OWNER_OID, in place of the owner that `given` names.
    Spec: [MS-ADTS] 6.1.3.3 (add), 6.1.3.6, 6.1.3.7.
    """
    if given is not None and not ctx.unrestricted:
        # Deviation: 6.1.3.3 refuses a descriptor without a DACL; Windows takes it, with what is inherited.
        if given.sacl is not None and not ctx.requester.has(Privilege.SE_SECURITY):
            raise DsError(
                Win32.ERROR_PRIVILEGE_NOT_HELD,
                "a SACL takes the privilege to manage it",
                ldap_result=LdapResult.CONSTRAINT_VIOLATION,
                attribute="nTSecurityDescriptor",
            )
        if owner is None:
            check_owner(ctx, given.owner, nc)
    default = default_descriptor(plan.structural.default_sd, ctx.forest.domain_sid, ctx.forest.domain_sid)
    if owner is not None:
        check_owner(ctx, owner, nc)
        if given is not None:
            given = replace(given, owner=owner)
        else:
            default = replace(default or SecurityDescriptor(), owner=owner)
    above = parent.sd_id if parent is not None else 0
    administrators = None if ctx.unrestricted else _administrators(ctx, nc)
    kind = _kind(ctx)
    source: object = plan.structural.default_sd if given is None else id(given)
    key = ("new-sd", above, source, plan.object_types, administrators, ctx.requester, kind, owner)
    # Ids are made of contents, so what was worked out holds in every transaction, undone ones too.
    facts = ctx.shared.facts
    known = facts.get(key)
    if known is not None and known[0] is given:
        return ctx.tx.put_descriptor(known[1])  # type: ignore[arg-type]
    made = create_sd(
        None if parent is None else rights.descriptor(ctx, parent),
        given,
        ctx.requester,
        plan.object_types,
        default_sd=default,
        default_owner=administrators,
        kind=kind,
    )
    packed = made.pack()
    if given is None or ctx.unrestricted:  # what a requester sends does not come twice
        if len(facts) >= _KEPT_MAX:
            facts.clear()
        facts[key] = (given, packed)
    return ctx.tx.put_descriptor(packed)


def inherited_anew(ctx: WriteContext, sd_id: int, parent_sd_id: int, object_types: tuple[bytes, ...]) -> int:
    """The descriptor `sd_id` below a parent with descriptor `parent_sd_id`; 0 for the root of an NC."""
    key = ("inherit", sd_id, parent_sd_id, object_types)
    known = ctx.facts.get(key)
    if known is not None:
        return known[1]  # type: ignore[return-value]
    parent = rights.descriptor_by_id(ctx, parent_sd_id) if parent_sd_id else None
    made = create_sd(parent, rights.descriptor_by_id(ctx, sd_id), SYSTEM, object_types)
    found = ctx.tx.put_descriptor(made.pack())
    ctx.keep(key, None, found)
    return found


def replaced(ctx: WriteContext, row: ObjectRow, value: bytes, flags: int) -> int:
    """The id of the object's descriptor after a requester replaced the parts that `flags` names.

    Spec: [MS-ADTS] 6.1.3.2, 6.1.3.3, 6.1.3.5.
    """
    flags = flags & rights.ALL_PARTS or rights.ALL_PARTS
    sent = _with_defaults(ctx, row.nc, unpack(value), flags)
    old = rights.descriptor(ctx, row)
    if not ctx.unrestricted:
        flags = _writable(ctx, row, old, sent, flags)
    new = merge(old, sent, flags)
    if new.dacl is None:
        raise DsError(
            Win32.ERROR_INVALID_SECURITY_DESCR,
            "a DACL is needed",
            ldap_result=LdapResult.UNWILLING_TO_PERFORM,
        )
    if sent.control & Control.RM:
        new = replace(new, control=new.control | int(Control.RM), sbz1=sent.sbz1 & 1)
    parent = None if is_nc_root(row) else ctx.tx.get(row.parent)
    plan = class_plan(ctx.schema, row.attrs[attr.OBJECT_CLASS])
    made = create_sd(
        None if parent is None else rights.descriptor(ctx, parent),
        new,
        ctx.requester,
        plan.object_types,
        kind=_kind(ctx),
    )
    return ctx.tx.put_descriptor(made.pack())


def _with_defaults(ctx: WriteContext, nc: Dnt, sent: SecurityDescriptor, flags: int) -> SecurityDescriptor:
    """What was sent, with an owner and a group where they are to be written but none is named.

    Spec: [MS-ADTS] 6.1.3.7.
    """
    owner, group = sent.owner, sent.group
    if flags & SecurityInformation.OWNER and owner is None:
        administrators = _administrators(ctx, nc)
        owner = administrators or ctx.requester.owner or ctx.requester.user
        group = group or administrators
    if flags & SecurityInformation.GROUP and group is None:
        group = ctx.requester.primary_group
    return replace(sent, owner=owner, group=group)


def is_nc_root(row: ObjectRow) -> bool:
    """Whether a row is the root of its naming context."""
    return row.nc == row.dnt


def _writable(
    ctx: WriteContext, row: ObjectRow, old: SecurityDescriptor, sent: SecurityDescriptor, flags: int
) -> int:
    """Refuse parts that the requester may not write; parts that stay as they are do not count.

    Spec: [MS-ADTS] 6.1.3.5.
    """
    same = 0
    if sent.owner == old.owner:
        same |= SecurityInformation.OWNER
    if sent.group == old.group:
        same |= SecurityInformation.GROUP
    if sent.sacl == old.sacl or (sent.sacl is None and flags == rights.ALL_PARTS):
        same |= SecurityInformation.SACL
    flags &= ~int(same)
    if flags & SecurityInformation.OWNER:
        check_owner(ctx, sent.owner, row.nc)
    missing = flags & ~rights.writable_sd_parts(ctx, row)
    owner_parts = int(SecurityInformation.OWNER | SecurityInformation.GROUP)
    if missing & owner_parts and _may_set_owner(ctx, row):
        missing &= ~owner_parts
    if missing or (flags & SecurityInformation.DACL and _owner_is_blocked(ctx, row, old)):
        raise DsError(Win32.ERROR_ACCESS_DENIED, "INSUFF_ACCESS_RIGHTS", attribute="nTSecurityDescriptor")
    return flags


def _may_set_owner(ctx: WriteContext, row: ObjectRow) -> bool:
    root = ctx.tx.get(row.nc)
    return root is not None and rights.holds_right(ctx, root, ExtendedRight.DS_SET_OWNER.bytes_le)


def _owner_is_blocked(ctx: WriteContext, row: ObjectRow, old: SecurityDescriptor) -> bool:
    """Whether WRITE_DAC would come only from owning a computer, and dSHeuristics forbids that.

    Spec: [MS-ADTS] 6.1.3.4.
    """
    if policy.heuristics(ctx).block_owner_implicit_rights != 1:
        return False
    if b"computer" not in row.attrs.get(attr.OBJECT_CLASS, ()) or old.owner not in ctx.requester.sids:
        return False
    domain_sid = ctx.forest.domain_sid
    admins = {
        domain_sid.child(wellknown.RID_DOMAIN_ADMINS),
        domain_sid.child(wellknown.RID_ENTERPRISE_ADMINS),
    }
    if not admins.isdisjoint(ctx.requester.sids):
        return False
    without_owner = replace(old, owner=wellknown.NULL)
    return not evaluate(without_owner, ctx.requester, None).object_mask & rights.WRITE_DAC
