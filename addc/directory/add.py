"""Creating an object: the Add of LDAP and of every other door, and the bulk inserts of a new forest.

The order of the steps is that of [MS-ADTS] 3.1.1.5.2: who and what, where, which values, what follows, store.

Spec: [MS-ADTS] 3.1.1.5.2.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, TypedDict
from uuid import UUID

from addc.base.errors import DsError
from addc.base.ids import AttId, Dnt, Usn
from addc.base.rng import new_guid
from addc.base.secret import Secret
from addc.codec.dn import Dn
from addc.codec.ids import Sid
from addc.codec.site_names import is_site_name, is_subnet_name
from addc.codec.times import format_generalized
from addc.codes.ldap_result import LdapResult
from addc.codes.win32 import Win32
from addc.directory import (
    add_rights,
    add_values,
    audit,
    cross_refs,
    dynamic_objects,
    foreign_principals,
    hooks,
    linked_values,
    machine_accounts,
    managed_passwords,
    names,
    object_sd,
    owners,
    passwords,
    policy,
    quotas,
    referrals,
    rid_pool,
    rights,
    rodc_promotion,
    schema_updates,
    write_values,
)
from addc.directory.add_values import Given
from addc.directory.context import WriteContext
from addc.directory.controls import PLAIN, RequestOptions
from addc.directory.draft import Draft
from addc.directory.object_classes import ClassPlan, check_concrete
from addc.directory.passwords import PreparedPassword
from addc.directory.stamp import whole_second
from addc.schema import attr, cls
from addc.schema.snapshot import Schema
from addc.schema.syntax import DnKind
from addc.schema.wellknown import MANAGED_ACCOUNT_CLASSES, ExtendedRight
from addc.security.account_flags import InstanceType
from addc.security.descriptor import SecurityDescriptor
from addc.security.token import SYSTEM
from addc.store.objects import NewObject, ObjectRow, ObjectState, Stamp

RDN_LENGTH_MAX: Final = 255

_PASSWORD_ATTRIBUTES: Final = (attr.DBCS_PWD, attr.UNICODE_PWD, attr.NT_PWD_HISTORY, attr.LM_PWD_HISTORY)
_PRINCIPALS: Final = frozenset((cls.BUILTIN_DOMAIN, cls.SAM_SERVER, cls.GROUP, cls.USER))
_NOT_PLAIN: Final = '\\";'
"""With one of these a DN may part elsewhere than at its first comma."""


@dataclass(frozen=True, slots=True)
class Fixed:
    """What only the DC itself may fix about a new object; None means as for everybody."""

    guid: UUID | None = None
    sid: Sid | None = None
    sd: SecurityDescriptor | None = None


NOTHING_FIXED: Final = Fixed()


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a new object goes. parent: None for the root of a naming context."""

    dn: Dn
    parent: ObjectRow | None
    parent_dnt: Dnt
    nc: Dnt
    rdn_att: AttId
    rdn_key: bytes


def add_object(
    ctx: WriteContext,
    dn: str,
    attributes: Sequence[tuple[str, Sequence[bytes]]],
    options: RequestOptions = PLAIN,
    *,
    fixed: Fixed = NOTHING_FIXED,
    password: PreparedPassword | None = None,
) -> Dnt:
    """Create an object and give its row.

    attributes: names as written and values in LDAP form. fixed: only for the requester SYSTEM.
    password: what passwords.prepare_add made of the same attributes.
    Raises DsError with the pairs of [MS-ADTS] 3.1.1.5.2.2.
    """
    assert fixed is NOTHING_FIXED or ctx.unrestricted
    try:
        given = add_values.collect(ctx, attributes)
    except DsError:
        _refuse_foreign_place(ctx, dn)
        raise
    plan = given.plan
    upgrading = schema_updates.relaxes(ctx, dn, options)
    if not ctx.unrestricted:
        check_concrete(plan)
        _check_class(ctx, plan, upgrading, options)
    place = _place(ctx, dn, given)
    machine = False
    if not ctx.unrestricted:
        machine = _check_access(ctx, place, given, over_sam=options.over_sam)
        _waiting(ctx, place.parent_dnt, place.rdn_key)
    schema_object = schema_updates.Addition(ctx, given, place.dn, place.parent, options)
    for att in given.plain.keys() & foreign_principals.ENABLED:
        add_foreign_principals(ctx, given.values(att))
    draft = Draft(plan, None, None, place.dn.rdn.value)
    cross_refs.take_name(ctx, draft, given)
    links = add_values.store(ctx, draft, given, place.rdn_att)
    dynamic_objects.on_add(ctx, draft, given.values(attr.ENTRY_TTL))
    if place.parent is not None and not ctx.unrestricted and not machine:
        add_rights.check_attributes(ctx, place.parent, draft, given, place.rdn_att)
    fixed = _fixed_by_requester(ctx, given, fixed)
    _defaults(ctx, draft, given)
    if not ctx.unrestricted and not upgrading:
        hooks.limit_system_flags(draft)
    _rules_of_place(ctx, draft, place.parent)
    if machine:
        machine_accounts.mark(ctx, draft)
    draft.sid = fixed.sid or _new_sid(ctx, plan)
    _password(ctx, draft, given, options, password)
    if machine:
        machine_accounts.check_values(ctx, draft)
    hooks.before_add(ctx, draft)
    schema_object.complete(ctx, draft)
    add_values.check_complete(ctx, draft, links, place.rdn_att)
    if links:
        hooks.check_new_links(ctx, draft, links)
    if machine:
        sd_id = machine_accounts.descriptor(ctx, place.parent, plan)
    else:
        nc = place.nc or ctx.forest.domain_nc
        sd_id = object_sd.new_descriptor(ctx, place.parent, plan, nc, fixed.sd, owner=options.set_owner)
    quotas.check_descriptor(ctx, place.nc, sd_id, bypass=options.bypass_quota)
    dnt = _insert(ctx, draft, place, fixed, sd_id)
    _follow_up(ctx, dnt, draft, links, schema_object)
    audit.created(ctx, place.parent, dnt)
    return dnt


def add_foreign_principals(ctx: WriteContext, values: Sequence[bytes], made: int = 0) -> int:
    """Make the objects that values of an FPO-enabled attribute need; how many the request has made by now.

    made: before. Spec: [MS-SAMR] 3.1.1.8.9.
    """
    missing = foreign_principals.missing(ctx, values)
    foreign_principals.check_count(made + len(missing))
    for sid in missing:
        add_object(
            ctx.as_requester(SYSTEM),
            foreign_principals.dn_of(ctx, sid),
            [("objectClass", [foreign_principals.CLASS_NAME])],
            fixed=Fixed(sid=sid, sd=foreign_principals.descriptor(ctx)),
        )
    return made + len(missing)


# --- who and where -----------------------------------------------------------------------------------------


def _check_class(ctx: WriteContext, plan: ClassPlan, upgrading: bool, options: RequestOptions) -> None:
    """Classes that no requester may instantiate. Spec: [MS-ADTS] 3.1.1.5.2.2."""
    if options.rodc_promo:
        rodc_promotion.check_right(ctx)
        upgrading |= rodc_promotion.may_add(plan.structural.class_id)
    if (plan.structural.system_only and not upgrading) or plan.is_lsa:
        raise DsError(
            Win32.ERROR_DS_CANT_ADD_SYSTEM_ONLY,
            f"{plan.structural.name} is for the system",
            ldap_result=LdapResult.UNWILLING_TO_PERFORM,
            attribute="objectClass",
        )
    hooks.check_supported(plan)


def check_site_names(plan: ClassPlan, value: str) -> None:
    """Sites are labels in the DNS, subnets are networks. Spec: [MS-ADTS] 3.1.1.5.2.2."""
    fits = {cls.SITE: is_site_name, cls.SUBNET: is_subnet_name}.get(plan.structural.class_id)
    if fits is not None and not fits(value):
        raise DsError(
            Win32.ERROR_DS_BAD_NAME_SYNTAX,
            f"no name for a {plan.structural.name}",
            ldap_result=LdapResult.INVALID_DN_SYNTAX,
        )


def _parse(dn: str) -> Dn:
    parsed = names.parse(dn)
    if not isinstance(parsed, Dn) or not parsed:
        raise DsError(Win32.ERROR_DS_NAME_UNPARSEABLE, "not a DN", ldap_result=LdapResult.NAMING_VIOLATION)
    return parsed


def parent_of(ctx: WriteContext, dn: str, parsed: Dn, plan: ClassPlan) -> ObjectRow:
    """The living object above a DN; noSuchObject with matchedDN where there is none.

    It is there for who may create the object, whether or not he may see it.
    """
    plain = "," in dn and not any(sign in dn for sign in _NOT_PLAIN)
    above = dn.partition(",")[2].lstrip(" ") if plain else str(parsed.parent)
    try:
        return referrals.visible_object(ctx, above)
    except DsError as error:
        if error.code == Win32.ERROR_DS_REFERRAL:
            raise referrals.for_child(error, dn) from None
        if error.code != Win32.ERROR_DS_OBJ_NOT_FOUND:
            raise
        row = names.find_dn(ctx, parsed.parent)
        if row is None or row.state is not ObjectState.LIVE:
            raise
        if not rights.can_create_child(ctx, row, plan.structural):
            raise
        return row


def check_rdn(ctx: WriteContext, plan: ClassPlan, dn: Dn) -> AttId:
    """The naming attribute and the value of the leaf. Spec: [MS-ADTS] 3.1.1.5.1.1, 3.1.1.5.1.2."""
    att = names.rdn_att(ctx.schema, dn.rdn)
    if att != plan.structural.rdn_att:
        raise DsError(
            Win32.ERROR_DS_RDN_DOESNT_MATCH_SCHEMA,
            "wrong naming attribute",
            ldap_result=LdapResult.NAMING_VIOLATION,
        )
    if not ctx.unrestricted:
        check_rdn_value(ctx, att, dn.rdn.value)
        check_site_names(plan, dn.rdn.value)
    return att


def check_rdn_value(ctx: WriteContext, att: AttId, value: str) -> None:
    """Length, range and characters of a new RDN value. Spec: [MS-ADTS] 3.1.1.5.1.2."""
    attribute = ctx.schema.attribute_by_id(att)
    assert attribute is not None
    if "\0" in value:
        raise DsError(
            Win32.ERROR_DS_BAD_NAME_SYNTAX, "a NUL in the RDN", ldap_result=LdapResult.INVALID_DN_SYNTAX
        )
    wire = value.encode("utf-8", "surrogatepass")
    if "\n" in value or len(value) >= RDN_LENGTH_MAX:
        raise DsError(Win32.ERROR_DS_BAD_NAME_SYNTAX, "no such RDN", ldap_result=LdapResult.NAMING_VIOLATION)
    if not attribute.in_range(wire):
        raise DsError(
            Win32.ERROR_DS_RANGE_CONSTRAINT,
            "the RDN is out of range",
            ldap_result=LdapResult.CONSTRAINT_VIOLATION,
            attribute=attribute.name,
        )


def _place(ctx: WriteContext, dn: str, given: Given) -> _Place:
    by_other_form = "<" in dn
    if by_other_form:
        dn = names.below_other_form(ctx, dn)
    parsed = _parse(dn)
    rdn_att = check_rdn(ctx, given.plan, parsed)
    key = names.rdn_key(ctx.schema, rdn_att, parsed.rdn.value)
    head = given.instance_type & InstanceType.IT_NC_HEAD
    if head:
        parent, parent_dnt, nc = None, write_values.phantom(ctx, parsed.parent), Dnt(0)
    else:
        try:
            parent = parent_of(ctx, dn, parsed, given.plan)
        except DsError as error:
            if by_other_form:  # else matchedDN would tell where a hidden object is, by its GUID or SID
                error.matched_dn = ""
            raise
        parent_dnt, nc = parent.dnt, parent.nc
    if parent is not None and not ctx.unrestricted:
        check_superior(given.plan, parent)
        dynamic_objects.check_place(ctx, given.plan, parent)
        if parent.nc == ctx.forest.schema_nc and not given.plan.is_schema:
            raise DsError(
                Win32.ERROR_DS_CANT_CREATE_UNDER_SCHEMA,
                "only schema objects live there",
                ldap_result=LdapResult.UNWILLING_TO_PERFORM,
            )
        if parent.nc != ctx.forest.domain_nc:
            _check_no_principal(given.plan)
    return _Place(parsed, parent, parent_dnt, nc, rdn_att, key)


def _refuse_foreign_place(ctx: WriteContext, dn: str) -> None:
    """A name that is none of ours is told before anything about the values. Spec: [MS-ADTS] 3.1.1.5.2.2."""
    if "<" in dn:
        return
    try:
        referrals.visible_object(ctx, str(_parse(dn).parent))
    except DsError as error:
        if error.code == Win32.ERROR_DS_REFERRAL:
            raise referrals.for_child(error, dn) from None


def _waiting(ctx: WriteContext, parent: Dnt, key: bytes) -> ObjectRow | None:
    """The phantom that holds the new object's name; entryAlreadyExists where an object has it."""
    there = ctx.tx.child(parent, key)
    if there is not None and there.state is not ObjectState.PHANTOM:
        raise DsError(
            Win32.ERROR_DS_OBJ_STRING_NAME_EXISTS,
            "ENTRY_EXISTS",
            ldap_result=LdapResult.ENTRY_ALREADY_EXISTS,
        )
    return there


def _check_no_principal(plan: ClassPlan) -> None:
    """Principals live in the domain: who rules over another naming context makes no accounts there.

    Spec: [MS-ADTS] 3.1.1.4.5.5 (SPC), 5.1.1.5, glossary (application naming context).
    """
    own = plan.structural
    if not _PRINCIPALS.isdisjoint((own.class_id, *own.superclasses)):
        raise DsError(
            Win32.ERROR_DS_CANT_CREATE_IN_NONDOMAIN_NC,
            "no principals in this naming context",
            ldap_result=LdapResult.UNWILLING_TO_PERFORM,
        )


def check_superior(plan: ClassPlan, parent: ObjectRow) -> None:
    """The parent's class is a possible superior. Spec: [MS-ADTS] 3.1.1.2.4.4, 3.1.1.5.2.2."""
    allowed = plan.structural.poss_superiors
    if parent.class_id not in allowed and cls.TOP not in allowed:
        raise DsError(
            Win32.ERROR_DS_ILLEGAL_SUPERIOR, "not below that class", ldap_result=LdapResult.NAMING_VIOLATION
        )


def _check_access(ctx: WriteContext, place: _Place, given: Given, *, over_sam: bool) -> bool:
    """RIGHT_DS_CREATE_CHILD, or a machine account by privilege; True for the latter. Spec: 3.1.1.5.2.1."""
    assert place.parent is not None
    if rights.can_create_child(ctx, place.parent, given.plan.structural):
        add_rights.check_partition_secrets(ctx, place.nc, given)
        return False
    if given.plan.structural.class_id == cls.COMPUTER and machine_accounts.may_create(
        ctx, place.parent, given, over_sam=over_sam
    ):
        return True
    raise DsError(Win32.ERROR_DS_INSUFF_ACCESS_RIGHTS, "INSUFF_ACCESS_RIGHTS")


# --- values ------------------------------------------------------------------------------------------------


def _fixed_by_requester(ctx: WriteContext, given: Given, fixed: Fixed) -> Fixed:
    """objectGUID and descriptor that the requester itself brought, where allowed. Spec: 3.1.1.5.2.2."""
    if given.guid is None and given.sid is None and given.sd is None:
        return fixed
    if not ctx.unrestricted:
        if given.sid is not None:
            raise _illegal("objectSid")
        if given.guid is not None and not _may_fix_guid(ctx, given.guid):
            raise _illegal("objectGUID")
    return Fixed(
        fixed.guid or (None if given.guid is None else UUID(bytes_le=given.guid)),
        fixed.sid or (None if given.sid is None else Sid.of(given.sid)),
        fixed.sd or (None if given.sd is None else object_sd.unpack(given.sd)),
    )


def _illegal(attribute: str) -> DsError:
    return DsError(
        Win32.ERROR_DS_SECURITY_ILLEGAL_MODIFY,
        f"{attribute} is not for the requester to choose",
        ldap_result=LdapResult.UNWILLING_TO_PERFORM,
        attribute=attribute,
    )


def _may_fix_guid(ctx: WriteContext, guid: bytes) -> bool:
    if len(guid) != 16 or not any(guid) or not policy.heuristics(ctx).specify_guid_on_add:
        return False
    root = ctx.tx.get(ctx.forest.domain_nc)
    return (
        root is not None
        and rights.holds_right(ctx, root, ExtendedRight.ADD_GUID.bytes_le)
        and ctx.tx.by_guid(guid) is None
    )


def _defaults(ctx: WriteContext, draft: Draft, given: Given) -> None:
    """Values that every object has. Spec: [MS-ADTS] 3.1.1.5.2.4."""
    plan = draft.plan
    attrs = draft.attrs
    attrs[attr.OBJECT_CLASS] = plan.names
    now = format_generalized(ctx.now)
    if not (ctx.unrestricted and attr.WHEN_CREATED in attrs):
        attrs[attr.WHEN_CREATED] = (now,)
    attrs[attr.WHEN_CHANGED] = (now,)
    if attr.OBJECT_CATEGORY not in attrs:
        attrs[attr.OBJECT_CATEGORY] = (
            names.reference(category(ctx, plan.structural.default_object_category)),
        )
    if plan.structural.default_hiding and attr.SHOW_IN_ADVANCED_VIEW_ONLY not in attrs:
        attrs[attr.SHOW_IN_ADVANCED_VIEW_ONLY] = (b"TRUE",)


def _rules_of_place(ctx: WriteContext, draft: Draft, parent: ObjectRow | None) -> None:
    if parent is None or ctx.unrestricted:
        return
    hooks.flags_of_place(draft, parent)
    if draft.plan.structural.class_id == cls.CROSS_REF:
        cross_refs.check_add(ctx, parent, draft)


def category(ctx: WriteContext, cn: str) -> Dnt:
    """The classSchema object with this cn; a phantom while the schema is still being made."""
    key = ("category", cn)
    found = ctx.facts.get(key)
    if found is not None:
        return Dnt(found[1])  # type: ignore[arg-type]
    row = None
    if ctx.forest.schema_nc:
        row = ctx.tx.child(ctx.forest.schema_nc, names.rdn_key(ctx.schema, attr.CN, cn))
    if row is None:
        schema_dn = names.parse(ctx.forest.schema_dn)
        assert isinstance(schema_dn, Dn)
        dnt = write_values.phantom(ctx, schema_dn.child("CN", cn))
    else:
        dnt = row.dnt
    ctx.facts[key] = (None, dnt)
    return dnt


def _new_sid(ctx: WriteContext, plan: ClassPlan) -> Sid | None:
    """The SID of a new principal. Spec: [MS-SAMR] 3.1.1.9.2."""
    return rid_pool.next_sid(ctx) if plan.is_account else None


def _password(
    ctx: WriteContext, draft: Draft, given: Given, options: RequestOptions, password: PreparedPassword | None
) -> None:
    """A password that comes with the object. Spec: [MS-ADTS] 3.1.1.3.1.5, 3.1.1.5.2.2."""
    if options.rodc_promo and draft.plan.is_user:
        password = rodc_promotion.make_krbtgt(ctx, draft)
    if draft.plan.is_user:
        hooks.user_before_password(ctx, draft)
    new = _new_password(given)
    if draft.plan.structural.class_id in MANAGED_ACCOUNT_CLASSES:
        _managed_password(ctx, draft, new)
        return
    if new is None and password is None:
        return
    if not draft.plan.is_user:
        raise DsError(
            Win32.ERROR_DS_ILLEGAL_MOD_OPERATION,
            "no password on this class",
            ldap_result=LdapResult.UNWILLING_TO_PERFORM,
            attribute="unicodePwd",
        )
    if new is not None:
        hooks.require_confidential(ctx, options)
        if password is None or not password.password.matches(new):
            salt = passwords.salt_for(
                ctx.forest.realm,
                draft.text(attr.SAM_ACCOUNT_NAME),
                draft.plan.is_computer,
                upn=draft.text(attr.USER_PRINCIPAL_NAME),
            )
            password = passwords.derive(new, salt)
    assert password is not None
    passwords.store_password(ctx, draft, password, change=False, policy_hints=options.policy_hints)


def _managed_password(ctx: WriteContext, draft: Draft, given: Secret | None) -> None:
    """The first password of a managed account, which nobody chooses. Spec: [MS-ADTS] 3.1.1.4.5.39."""
    if given is not None:
        raise DsError(Win32.ERROR_ACCESS_DENIED, "this password is not set by hand", attribute="unicodePwd")
    if not draft.has(attr.MS_DS_MANAGED_PASSWORD_INTERVAL):
        return  # check_complete refuses what is not there
    made = managed_passwords.first_password(ctx, draft)
    passwords.store_password(ctx.as_requester(SYSTEM), draft, made, change=False)


def _new_password(given: Given) -> Secret | None:
    """unicodePwd, else the last userPassword where that is a password. Spec: [MS-ADTS] 3.1.1.3.1.5."""
    if given.password is not None:
        return passwords.decode_unicode_pwd(given.password)
    plain = given.user_password
    return None if plain is None else passwords.password_of_utf8(Secret(plain))


# --- storing -----------------------------------------------------------------------------------------------


@lru_cache(maxsize=8)
def _replicated(schema: Schema) -> frozenset[AttId]:
    """Attributes whose changes carry a stamp of the attribute."""
    return frozenset(one.att_id for one in schema.attributes if not one.not_replicated and not one.is_linked)


@lru_cache(maxsize=8)
def _key_makers(schema: Schema) -> Mapping[AttId, Callable[[bytes], bytes] | None]:
    """The indexed attributes with what makes their keys; None where the stored value is the key."""
    return {
        one.att_id: None if one.syntax.dn_kind is not DnKind.NONE else one.syntax.key
        for one in schema.attributes
        if one.is_indexed and not one.is_linked
    }


def index_of(
    schema: Schema, attrs: Mapping[AttId, tuple[bytes, ...]], rdn_att: AttId, rdn: str
) -> dict[AttId, list[bytes]]:
    """All index keys of an object."""
    makers = _key_makers(schema)
    index: dict[AttId, list[bytes]] = {}
    for att, values in attrs.items():
        if att in makers:
            make = makers[att]
            index[att] = list(values) if make is None else [make(value) for value in values]
    wire = rdn.encode("utf-8", "surrogatepass")
    for att in (attr.NAME, rdn_att):
        make = makers.get(att)
        if make is not None:
            index[att] = [make(wire)]
    return index


class _Columns(TypedDict):
    """What a new object stores, whether in a new row or in the phantom that kept its place."""

    guid: bytes
    sid: bytes | None
    rdn: str
    instance_type: int
    state: ObjectState
    class_id: AttId
    sd_id: int
    usn_created: Usn
    usn_changed: Usn
    attrs: Mapping[AttId, tuple[bytes, ...]]
    meta: Mapping[AttId, Stamp]


def _insert(ctx: WriteContext, draft: Draft, place: _Place, fixed: Fixed, sd_id: int) -> Dnt:
    tx = ctx.tx
    usn = draft.usn = tx.next_usn()
    attrs = draft.attrs
    stamp = Stamp(1, whole_second(ctx.now), ctx.forest.invocation_id.bytes_le, usn, usn)
    replicated = _replicated(ctx.schema)
    meta = {att: stamp for att in attrs if att in replicated}
    for att in (attr.INSTANCE_TYPE, attr.NT_SECURITY_DESCRIPTOR, attr.NAME, place.rdn_att):
        meta[att] = stamp
    if draft.sid is not None:
        meta[attr.OBJECT_SID] = stamp
    if draft.plan.is_user:  # born without a password, an account gets its first as version 2
        for att in _PASSWORD_ATTRIBUTES:
            meta[att] = stamp
    deleted = attrs.get(attr.IS_DELETED) == (b"TRUE",)
    index = index_of(ctx.schema, attrs, place.rdn_att, draft.rdn)
    columns = _Columns(
        guid=(fixed.guid or new_guid(ctx.rng)).bytes_le,
        sid=None if draft.sid is None else bytes(draft.sid),
        rdn=draft.rdn,
        instance_type=draft.integer(attr.INSTANCE_TYPE, int(InstanceType.IT_WRITE)),
        state=ObjectState.DELETED if deleted else ObjectState.LIVE,
        class_id=draft.plan.structural.class_id,
        sd_id=sd_id,
        usn_created=usn,
        usn_changed=usn,
        attrs=attrs,
        meta=meta,
    )
    attrs.pop(attr.INSTANCE_TYPE, None)
    if place.nc:
        index[owners.OWNER_INDEX] = owners.keys(ctx, place.nc, sd_id, columns["state"])
    # Looked up only now: an object's own values may have referred to it, and made its phantom.
    phantom = _waiting(ctx, place.parent_dnt, place.rdn_key)
    if phantom is None:
        dnt = tx.insert(
            NewObject(
                parent=place.parent_dnt,
                nc=place.nc,
                rdn_att=place.rdn_att,
                rdn_key=place.rdn_key,
                index=index,
                **columns,
            )
        )
    else:
        dnt = phantom.dnt
        tx.update(phantom, nc=place.nc or dnt, **columns)
        for att, keys in index.items():
            tx.set_index(dnt, att, keys)
        if phantom.rdn != draft.rdn:
            names.renamed(ctx)
    if not place.nc:  # the root of a naming context is in its own, whose number it gets only now
        tx.set_index(dnt, owners.OWNER_INDEX, owners.keys(ctx, dnt, sd_id, columns["state"]))
    return dnt


def _follow_up(
    ctx: WriteContext, dnt: Dnt, draft: Draft, links: add_values.Links, of_schema: schema_updates.Addition
) -> None:
    """What is stored beside the row."""
    _put_links(ctx, dnt, draft, links)
    dynamic_objects.stored(ctx, dnt, draft)
    managed_passwords.stored(ctx, dnt, draft)
    of_schema.stored(ctx)


def _put_links(ctx: WriteContext, dnt: Dnt, draft: Draft, links: add_values.Links) -> None:
    assert draft.usn is not None
    for attribute, targets in links:
        for target in targets:
            if not linked_values.add_value(ctx, dnt, attribute, target, draft.usn):
                raise write_values.duplicate_error(attribute)
            due_ft = draft.expiries.get((attribute.att_id, *target))
            if due_ft is not None:
                linked_values.set_expiry(ctx, dnt, attribute, target, due_ft)
