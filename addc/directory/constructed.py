"""Constructed attributes: values that no row holds, built when they are asked for by name.

Each builder answers for one object and one requester; [] means that the attribute is absent. Builders of
DN-valued attributes return references, which selection.py prints.

Spec: [MS-ADTS] 3.1.1.4.5.
"""

from collections.abc import Callable
from typing import Final, NamedTuple

from addc.base.clock import NEVER_FT, TICKS_PER_S, FileTime
from addc.base.errors import DsError
from addc.base.ids import AttId, Dnt
from addc.codec.dn import Dn
from addc.codec.ids import Sid
from addc.codec.times import format_generalized
from addc.codes.ldap_result import LdapResult
from addc.codes.win32 import Win32
from addc.directory import (
    constructed_rodc,
    entry,
    groups,
    levels,
    managed_passwords,
    names,
    password_policy,
    policy,
    quotas,
    repl_metadata,
    rights,
    subschema,
)
from addc.directory.context import Fact, ReadContext
from addc.directory.controls import RequestOptions
from addc.directory.filter_match import led_to
from addc.schema import attr, cls
from addc.schema.snapshot import Attribute, ObjectClass
from addc.schema.wellknown import ExtendedRight
from addc.security.access_check import Grants
from addc.security.account_flags import UserAccountControl
from addc.security.wellknown import BUILTIN_DOMAIN
from addc.store.objects import ObjectRow, ObjectState

property_meta_data = repl_metadata.property_meta_data


class Request(NamedTuple):
    """One read of one constructed attribute.

    binary: with the ;binary option. upto: how many values are needed at most, where they cost something each.
    """

    ctx: ReadContext
    row: ObjectRow
    granted: Grants
    binary: bool
    options: RequestOptions
    upto: int


Builder = Callable[[Request], list[bytes]]

LINKS: Final[Fact[dict[int, Attribute]]] = Fact()
"""Link attributes by linkID; kept per schema."""

_MACHINE: Final = int(
    UserAccountControl.UF_WORKSTATION_TRUST_ACCOUNT
    | UserAccountControl.UF_SERVER_TRUST_ACCOUNT
    | UserAccountControl.UF_INTERDOMAIN_TRUST_ACCOUNT
)
NEVER_FT_EXPIRES: Final = _MACHINE | int(
    UserAccountControl.UF_SMARTCARD_REQUIRED | UserAccountControl.UF_DONT_EXPIRE_PASSWD
)
_SPC: Final = frozenset((cls.BUILTIN_DOMAIN, cls.SAM_SERVER, cls.SAM_DOMAIN, cls.GROUP, cls.USER))
_NTDSDSA_OPT_IS_GC: Final = 0x1


def _sub_schema_sub_entry(request: Request) -> list[bytes]:
    """3.1.1.4.5.1"""
    return _reference_to(request.ctx, f"CN=Aggregate,{request.ctx.forest.schema_dn}")


def _reference_to(ctx: ReadContext, dn: str) -> list[bytes]:
    try:
        return [names.reference(names.resolve(ctx, dn).dnt)]
    except DsError:
        return []


def canonical_name(dn: Dn) -> str:
    """A DN as DNS name, slash and path from the top.

    Spec: [MS-ADTS] 3.1.1.1.7.
    """
    above = [rdn.value for rdn in dn.rdns]
    split = len(dn.rdns)
    while split and dn.rdns[split - 1].att.lower() == "dc":
        split -= 1
    path = [value.replace("/", "\\/") for value in reversed(above[:split])]
    return ".".join(above[split:]) + "/" + "/".join(path)


def _canonical_name(request: Request) -> list[bytes]:
    """3.1.1.4.5.2"""
    return [canonical_name(names.parsed_dn(request.ctx, request.row)).encode("utf-8")]


_CHILDREN: Final[Fact[dict[frozenset[AttId], tuple[ObjectClass, ...]]]] = Fact()


def child_classes(ctx: ReadContext, row: ObjectRow) -> tuple[ObjectClass, ...]:
    """The classes of which instances may be created below the object.

    Spec: [MS-ADTS] 3.1.1.4.5.3.
    """
    own = frozenset(one.class_id for one in classes_of(ctx, row))
    kept = _CHILDREN.get(ctx, ctx.schema, dict)
    found = kept.get(own)
    if found is None:
        found = kept[own] = tuple(
            one
            for one in ctx.schema.classes
            if not one.system_only and one.category not in (2, 3) and own & one.poss_superiors
        )
    return found


def classes_of(ctx: ReadContext, row: ObjectRow) -> list[ObjectClass]:
    """The classes in objectClass."""
    found = [ctx.schema.stored_class(token) for token in entry.class_names(row)]
    return [one for one in found if one is not None]


def _allowed_child_classes(request: Request) -> list[bytes]:
    """3.1.1.4.5.3"""
    return [one.name_wire for one in child_classes(request.ctx, request.row)]


def _allowed_child_classes_effective(request: Request) -> list[bytes]:
    """3.1.1.4.5.5"""
    ctx, row = request.ctx, request.row
    no_principals = row.nc in (ctx.forest.config_nc, ctx.forest.schema_nc)
    return [
        one.name_wire
        for one in child_classes(ctx, row)
        if rights.can_create_child(ctx, row, one)
        and not (no_principals and (one.class_id in _SPC or not _SPC.isdisjoint(one.superclasses)))
    ]


def _sd_rights_effective(request: Request) -> list[bytes]:
    """3.1.1.4.5.4"""
    return [b"%d" % rights.writable_sd_parts(request.ctx, request.row)]


def allowed_attributes(ctx: ReadContext, row: ObjectRow) -> list[Attribute]:
    """Every attribute that the object's classes allow. Spec: [MS-ADTS] 3.1.1.4.5.6."""
    atts: set[AttId] = set()
    for one in classes_of(ctx, row):
        atts |= one.must
        atts |= one.may
    found = [ctx.schema.attribute_by_id(att) for att in sorted(atts)]
    return [one for one in found if one is not None]


def _allowed_attributes(request: Request) -> list[bytes]:
    """3.1.1.4.5.6"""
    return [one.name_wire for one in allowed_attributes(request.ctx, request.row)]


def _allowed_attributes_effective(request: Request) -> list[bytes]:
    """3.1.1.4.5.7"""
    return [
        one.name_wire
        for one in allowed_attributes(request.ctx, request.row)
        if not one.is_back_link
        and (not one.is_constructed or one.att_id == attr.ENTRY_TTL)
        and rights.can_write(request.ctx, request.row, one)
    ]


def _from_entry(request: Request) -> list[bytes]:
    """3.1.1.4.5.8"""
    return [b"TRUE" if request.row.instance_type & 0x4 else b"FALSE"]


def _create_time_stamp(request: Request) -> list[bytes]:
    """3.1.1.4.5.9; the subSchema object has none (3.1.1.3.1.1.1)."""
    if request.row.class_id == cls.SUB_SCHEMA:
        return []
    return list(request.row.attrs.get(attr.WHEN_CREATED, ()))


def _modify_time_stamp(request: Request) -> list[bytes]:
    """3.1.1.4.5.10"""
    return list(request.row.attrs.get(attr.WHEN_CHANGED, ()))


def _primary_group_token(request: Request) -> list[bytes]:
    """3.1.1.4.5.11"""
    row = request.row
    if row.sid is None or not entry.is_a(row, b"group"):
        return []
    return [b"%d" % int.from_bytes(row.sid[-4:], "little")]


def _entry_ttl(request: Request) -> list[bytes]:
    """3.1.1.4.5.12"""
    dies = entry.time(request.row, attr.MS_DS_ENTRY_TIME_TO_DIE)
    if dies is None:
        return []
    return [b"%d" % min(max((dies - request.ctx.now) // TICKS_PER_S, 0), 0xFFFF_FFFF)]


_META_ATTRIBUTE: Final = attr.REPL_PROPERTY_META_DATA


def _may_read_meta(request: Request) -> bool:
    """3.1.1.4.4: RIGHT_DS_READ_PROPERTY on replPropertyMetaData, or DS-Replication-Manage-Topology."""
    ctx, row = request.ctx, request.row
    attribute = ctx.schema.attribute_by_id(_META_ATTRIBUTE)
    if attribute is not None and rights.can_read(ctx, row, attribute):
        return True
    root = ctx.tx.get(row.nc)
    manage = ExtendedRight.DS_REPLICATION_MANAGE_TOPOLOGY.bytes_le
    return root is not None and rights.holds_right(ctx, root, manage)


def _attribute_meta_data(request: Request) -> list[bytes]:
    """3.1.1.4.5.13"""
    if not _may_read_meta(request):
        return []
    return repl_metadata.attribute_meta_data(request.ctx, request.row, binary=request.binary)


def _value_meta_data(request: Request) -> list[bytes]:
    """3.1.1.4.5.13"""
    if not _may_read_meta(request):
        return []
    return repl_metadata.value_meta_data(request.ctx, request.row, request.upto, binary=request.binary)


def _may_read_topology(request: Request, att: AttId) -> bool:
    """3.1.1.4.4; false too for an object that is not the root of a naming context."""
    row = request.row
    return row.nc == row.dnt and repl_metadata.may_read_topology(request.ctx, row, att)


def _repl_cursors(request: Request) -> list[bytes]:
    """3.1.1.4.5.13"""
    if not _may_read_topology(request, attr.REPL_UP_TO_DATE_VECTOR):
        return []
    return repl_metadata.cursors(request.ctx, request.row, binary=request.binary)


def _repl_neighbors(att: AttId) -> Builder:
    """3.1.1.4.5.13, 3.1.1.4.5.14"""

    def build(request: Request) -> list[bytes]:
        if not _may_read_topology(request, att):
            return []
        return repl_metadata.neighbors(request.ctx, request.row, att, binary=request.binary)

    return build


def _approx_immed_subordinates(request: Request) -> list[bytes]:
    """3.1.1.4.5.15"""
    ctx, row = request.ctx, request.row
    if not rights.allows(ctx, row, rights.LIST_CONTENTS):
        return [b"0"]
    return [b"%d" % len(ctx.tx.children(row.dnt))]


def _key_version_number(request: Request) -> list[bytes]:
    """3.1.1.4.5.16"""
    stamp = request.row.meta.get(attr.UNICODE_PWD)
    if not entry.is_a(request.row, b"user"):
        return []
    if policy.heuristics(request.ctx).kvno_emu_w2k:
        return [b"1"]
    return [] if stamp is None else [b"%d" % stamp.version]


def _is_in_domain(ctx: ReadContext, row: ObjectRow) -> bool:
    return row.nc == ctx.forest.domain_nc


def _user_account_control_computed(request: Request) -> list[bytes]:
    """3.1.1.4.5.17"""
    ctx, row = request.ctx, request.row
    if not entry.is_a(row, b"user"):
        return []
    if not _is_in_domain(ctx, row):
        return [b"0"]
    rules = password_policy.effective_policy(ctx, row)
    uac = entry.integer(row, attr.USER_ACCOUNT_CONTROL)
    computed = 0
    locked_at = entry.integer(row, attr.LOCKOUT_TIME)
    if not uac & _MACHINE and locked_at:
        if rules.lockout_duration == 0 or ctx.now - rules.lockout_duration <= locked_at:
            computed |= int(UserAccountControl.UF_LOCKOUT)
    expiry = password_expiry(ctx, row)
    if expiry is not None and expiry < ctx.now:
        computed |= int(UserAccountControl.UF_PASSWORD_EXPIRED)
    return [b"%d" % computed]


def password_expiry(ctx: ReadContext, row: ObjectRow) -> int | None:
    """msDS-UserPasswordExpiryTimeComputed as FILETIME; 0 = must change now, None for what is no user here.

    Spec: [MS-ADTS] 3.1.1.4.5.33.
    """
    if not entry.is_a(row, b"user") or not _is_in_domain(ctx, row):
        return None
    if entry.integer(row, attr.USER_ACCOUNT_CONTROL) & NEVER_FT_EXPIRES:
        return NEVER_FT
    last_set = entry.integer(row, attr.PWD_LAST_SET)
    if last_set == 0:
        return 0
    oldest = password_policy.effective_policy(ctx, row).maximum_age
    return NEVER_FT if oldest == 0 else min(last_set + oldest, NEVER_FT)


def _password_expiry_time(request: Request) -> list[bytes]:
    """3.1.1.4.5.33"""
    expiry = password_expiry(request.ctx, request.row)
    return [] if expiry is None else [b"%d" % expiry]


def _structural_chain(request: Request) -> list[ObjectClass]:
    schema = request.ctx.schema
    own = schema.class_by_id(request.row.class_id)
    if own is None:
        return []
    above = [schema.class_by_id(class_id) for class_id in own.superclasses]
    return [one for one in reversed([own, *above]) if one is not None]


def _auxiliary_classes(request: Request) -> list[bytes]:
    """3.1.1.4.5.18"""
    structural = {one.token for one in _structural_chain(request)}
    others = [token for token in entry.class_names(request.row) if token not in structural]
    return entry.shown_tokens(request.ctx, others)


def _structural_object_class(request: Request) -> list[bytes]:
    """3.1.1.4.5.44"""
    return [one.name_wire for one in _structural_chain(request)]


def _membership(request: Request) -> groups.GroupMembership | None:
    row = request.row
    if row.sid is None or row.state is not ObjectState.LIVE:
        return None
    return groups.account_groups(request.ctx, row.dnt)


def _token_groups(request: Request) -> list[bytes]:
    """3.1.1.4.5.19"""
    found = _membership(request)
    if found is None:
        return []
    sids = [*(sid for sid, _ in found.global_universal), *found.domain_local, *found.builtin]
    return [bytes(sid) for sid in dict.fromkeys(sids)]


def _token_groups_global(request: Request) -> list[bytes]:
    """3.1.1.4.5.20"""
    found = _membership(request)
    return [] if found is None else [bytes(sid) for sid, _ in found.global_universal]


def _named(request: Request, sids: list[bytes]) -> list[bytes]:
    """References to the objects with these SIDs."""
    found = []
    for sid in sids:
        found += [row for row in request.ctx.tx.by_sid(sid) if row.state is ObjectState.LIVE]
    return [names.reference(row.dnt) for row in found]


def _token_group_names(request: Request) -> list[bytes]:
    """3.1.1.4.5.42"""
    return _named(request, _token_groups(request))


def _token_group_names_global(request: Request) -> list[bytes]:
    """3.1.1.4.5.43"""
    return _named(request, _token_groups_global(request))


def _transitive(request: Request, name: str) -> list[bytes]:
    attribute = request.ctx.schema.attribute(name)
    assert attribute is not None
    return [names.reference(dnt) for dnt in sorted(led_to(request.ctx, attribute, request.row.dnt))]


def _member_of_transitive(request: Request) -> list[bytes]:
    """3.1.1.4.5.40"""
    return _transitive(request, "memberOf")


def _member_transitive(request: Request) -> list[bytes]:
    """3.1.1.4.5.41"""
    return _transitive(request, "member")


def _possible_inferiors(request: Request) -> list[bytes]:
    """3.1.1.4.5.21"""
    schema = request.ctx.schema
    name = entry.text(request.row, attr.LDAP_DISPLAY_NAME)
    own = None if name is None or request.row.class_id != cls.CLASS_SCHEMA else schema.class_(name)
    if own is None:
        return []
    return [
        one.name_wire
        for one in schema.classes
        if not one.system_only and one.category not in (2, 3) and own.class_id in one.poss_superiors
    ]


def principal_name(ctx: ReadContext, row: ObjectRow) -> str | None:
    """DOMAIN\\name of a principal, its SID where it has no name here. Spec: [MS-ADTS] 3.1.1.4.5.27."""
    if row.sid is None:
        return None
    sam = entry.text(row, attr.SAM_ACCOUNT_NAME)
    if sam is None or not _is_in_domain(ctx, row):
        return str(Sid(row.sid))
    authority = "BUILTIN" if Sid(row.sid).domain() == BUILTIN_DOMAIN else ctx.forest.netbios
    return f"{authority}\\{sam}"


def _principal_name(request: Request) -> list[bytes]:
    """3.1.1.4.5.27"""
    name = principal_name(request.ctx, request.row)
    return [] if name is None else [name.encode("utf-8")]


def _parent_guid(request: Request) -> list[bytes]:
    """3.1.1.4.5.28"""
    row = request.row
    parent = None if row.nc == row.dnt else request.ctx.tx.get(row.parent)
    return [] if parent is None else [parent.guid]


def _parent_dist_name(request: Request) -> list[bytes]:
    """msDS-parentdistname: the DN of the parent."""
    row = request.row
    return [] if row.nc == row.dnt else [names.reference(row.parent)]


def _server_of(request: Request) -> ObjectRow | None:
    """The server object of an nTDSDSA, server or computer object."""
    ctx, row = request.ctx, request.row
    if row.class_id == cls.SERVER:
        return row
    if row.class_id in (cls.NTDSDSA, cls.NTDSDSARO):
        return ctx.tx.get(row.parent)
    if not entry.is_a(row, b"computer"):
        return None
    back = ctx.schema.attribute("serverReferenceBL")
    links = [] if back is None else entry.live_back_links(ctx, row, back)
    servers = ctx.tx.get_many([link.source for link in links])
    return next((one for one in servers if one.state is ObjectState.LIVE), None)


def _dsa_of(request: Request) -> ObjectRow | None:
    server = _server_of(request)
    if server is None:
        return None
    if request.row.class_id in (cls.NTDSDSA, cls.NTDSDSARO):
        return request.row
    key = names.rdn_key(request.ctx.schema, attr.CN, "NTDS Settings")
    return request.ctx.tx.child(server.dnt, key)


def _site_name(request: Request) -> list[bytes]:
    """3.1.1.4.5.29"""
    row = _server_of(request)
    while row is not None and row.class_id != cls.SITE:
        row = None if row.nc == row.dnt else request.ctx.tx.get(row.parent)
    return [] if row is None else [row.rdn.encode("utf-8")]


def _is_rodc(request: Request) -> list[bytes]:
    """3.1.1.4.5.30"""
    dsa = _dsa_of(request)
    return [] if dsa is None else [b"TRUE" if dsa.class_id == cls.NTDSDSARO else b"FALSE"]


def _is_gc(request: Request) -> list[bytes]:
    """3.1.1.4.5.31"""
    dsa = _dsa_of(request)
    if dsa is None:
        return []
    return [b"TRUE" if entry.integer(dsa, attr.OPTIONS) & _NTDSDSA_OPT_IS_GC else b"FALSE"]


def _resultant_pso(request: Request) -> list[bytes]:
    """3.1.1.4.5.36"""
    row = request.row
    if levels.domain_level(request.ctx) < 3 or not entry.is_a(row, b"user"):
        return []
    found = password_policy.resultant_settings(request.ctx, row)
    return [] if found is None else [names.reference(found.dnt)]


def _is_user_cachable(request: Request) -> list[bytes]:
    """3.1.1.4.5.32"""
    ctx, row = request.ctx, request.row
    computer: ObjectRow | None = row if entry.is_a(row, b"computer") else None
    if computer is None:
        server = _server_of(request)
        named = None if server is None else _first_target(ctx, server, attr.SERVER_REFERENCE)
        computer = None if named is None else ctx.tx.get(named)
    return constructed_rodc.is_user_cachable(ctx, computer, request.options.dn_input)


def _managed_password(request: Request) -> list[bytes]:
    """3.1.1.4.5.39"""
    ctx, row = request.ctx, request.row
    if row.class_id != cls.MS_DS_GROUP_MANAGED_SERVICE_ACCOUNT or not managed_passwords.is_managed(row):
        return []
    if not request.options.confidential and not ctx.unrestricted:
        raise DsError(
            Win32.ERROR_DS_CONFIDENTIALITY_REQUIRED,
            "a password needs an encrypted connection",
            ldap_result=LdapResult.OPERATIONS_ERROR,
        )
    if not ctx.unrestricted and not managed_passwords.may_retrieve(row, ctx.requester):
        managed_passwords.note_fetch(ctx, row, success=False)
        return []
    value = managed_passwords.blob(ctx, row).pack()
    managed_passwords.note_fetch(ctx, row, success=True)
    return [value]


def _first_target(ctx: ReadContext, row: ObjectRow, att: AttId) -> Dnt | None:
    attribute = ctx.schema.attribute_by_id(att)
    links = [] if attribute is None else entry.live_links(ctx, row, attribute)
    return links[0].target if links else None


def _transformed(att: AttId) -> Builder:
    """3.1.1.4.5.37, 3.1.1.4.5.38: when the object was deleted or recycled, by the stamp of what says so."""

    def build(request: Request) -> list[bytes]:
        row = request.row
        if row.state not in (ObjectState.DELETED, ObjectState.RECYCLED) or not entry.boolean(row, att):
            return []
        stamp = row.meta.get(att)
        return [] if stamp is None else [format_generalized(FileTime(stamp.time_ft))]

    return build


def _subschema(build: Callable[[ReadContext], list[bytes]]) -> Builder:
    """A builder for the subSchema object alone. Spec: [MS-ADTS] 3.1.1.3.1.1.1."""
    return lambda request: build(request.ctx) if request.row.class_id == cls.SUB_SCHEMA else []


BUILDERS: Final[dict[AttId, Builder]] = {
    attr.ALLOWED_ATTRIBUTES: _allowed_attributes,
    attr.ALLOWED_ATTRIBUTES_EFFECTIVE: _allowed_attributes_effective,
    attr.ALLOWED_CHILD_CLASSES: _allowed_child_classes,
    attr.ALLOWED_CHILD_CLASSES_EFFECTIVE: _allowed_child_classes_effective,
    attr.ATTRIBUTE_TYPES: _subschema(subschema.attribute_types),
    attr.CANONICAL_NAME: _canonical_name,
    attr.CREATE_TIME_STAMP: _create_time_stamp,
    attr.DIT_CONTENT_RULES: _subschema(subschema.content_rules),
    attr.ENTRY_TTL: _entry_ttl,
    attr.EXTENDED_ATTRIBUTE_INFO: _subschema(subschema.extended_attributes),
    attr.EXTENDED_CLASS_INFO: _subschema(subschema.extended_classes),
    attr.FROM_ENTRY: _from_entry,
    attr.MODIFY_TIME_STAMP: _modify_time_stamp,
    attr.MS_DS_APPROX_IMMED_SUBORDINATES: _approx_immed_subordinates,
    attr.MS_DS_AUXILIARY_CLASSES: _auxiliary_classes,
    attr.MS_DS_IS_GC: _is_gc,
    attr.MS_DS_IS_USER_CACHABLE_AT_RODC: _is_user_cachable,
    attr.MS_DS_LOCAL_EFFECTIVE_DELETION_TIME: _transformed(attr.IS_DELETED),
    attr.MS_DS_LOCAL_EFFECTIVE_RECYCLE_TIME: _transformed(attr.IS_RECYCLED),
    attr.MS_DS_MANAGED_PASSWORD: _managed_password,
    attr.MS_DS_NC_REPL_CURSORS: _repl_cursors,
    attr.MS_DS_NC_REPL_INBOUND_NEIGHBORS: _repl_neighbors(attr.REPS_FROM),
    attr.MS_DS_NC_REPL_OUTBOUND_NEIGHBORS: _repl_neighbors(attr.REPS_TO),
    attr.MS_DS_QUOTA_EFFECTIVE: lambda request: quotas.effective(
        request.ctx, request.row, request.options.quota_sid
    ),
    attr.MS_DS_QUOTA_USED: lambda request: quotas.used(request.ctx, request.row, request.options.quota_sid),
    attr.MS_DS_REVEALED_LIST: lambda request: constructed_rodc.revealed_list(request.ctx, request.row),
    attr.MS_DS_REVEALED_LIST_BL: lambda request: constructed_rodc.revealed_list_back(
        request.ctx, request.row
    ),
    attr.MS_DS_TOP_QUOTA_USAGE: lambda request: quotas.top_usage(request.ctx, request.row),
    attr.MS_DS_IS_RODC: _is_rodc,
    attr.MS_DS_KEY_VERSION_NUMBER: _key_version_number,
    attr.MSDS_MEMBER_OF_TRANSITIVE: _member_of_transitive,
    attr.MSDS_MEMBER_TRANSITIVE: _member_transitive,
    attr.MS_DS_PARENTDISTNAME: _parent_dist_name,
    attr.MS_DS_PRINCIPAL_NAME: _principal_name,
    attr.MS_DS_REPL_ATTRIBUTE_META_DATA: _attribute_meta_data,
    attr.MS_DS_REPL_VALUE_META_DATA: _value_meta_data,
    attr.MS_DS_RESULTANT_PSO: _resultant_pso,
    attr.MS_DS_SITE_NAME: _site_name,
    attr.MSDS_TOKEN_GROUP_NAMES: _token_group_names,
    attr.MSDS_TOKEN_GROUP_NAMES_GLOBAL_AND_UNIVERSAL: _token_group_names_global,
    attr.MSDS_TOKEN_GROUP_NAMES_NO_GC_ACCEPTABLE: _token_group_names,
    attr.MS_DS_USER_ACCOUNT_CONTROL_COMPUTED: _user_account_control_computed,
    attr.MS_DS_USER_PASSWORD_EXPIRY_TIME_COMPUTED: _password_expiry_time,
    attr.OBJECT_CLASSES: _subschema(subschema.object_classes),
    attr.PARENT_GUID: _parent_guid,
    attr.POSSIBLE_INFERIORS: _possible_inferiors,
    attr.PRIMARY_GROUP_TOKEN: _primary_group_token,
    attr.SD_RIGHTS_EFFECTIVE: _sd_rights_effective,
    attr.STRUCTURAL_OBJECT_CLASS: _structural_object_class,
    attr.SUB_SCHEMA_SUB_ENTRY: _sub_schema_sub_entry,
    attr.TOKEN_GROUPS: _token_groups,
    attr.TOKEN_GROUPS_GLOBAL_AND_UNIVERSAL: _token_groups_global,
    attr.TOKEN_GROUPS_NO_GC_ACCEPTABLE: _token_groups,
}
"""Constructed attributes that this DC builds; others are absent from every object."""

OWN_ACCESS_RULES: Final = frozenset(
    (
        attr.SD_RIGHTS_EFFECTIVE,
        attr.ALLOWED_CHILD_CLASSES_EFFECTIVE,
        attr.ALLOWED_ATTRIBUTES_EFFECTIVE,
        attr.MS_DS_APPROX_IMMED_SUBORDINATES,
        attr.MS_DS_REPL_ATTRIBUTE_META_DATA,
        attr.MS_DS_REPL_VALUE_META_DATA,
        attr.MS_DS_NC_REPL_CURSORS,
        attr.MS_DS_NC_REPL_INBOUND_NEIGHBORS,
        attr.MS_DS_NC_REPL_OUTBOUND_NEIGHBORS,
        attr.MS_DS_IS_USER_CACHABLE_AT_RODC,
        attr.MS_DS_QUOTA_EFFECTIVE,
        attr.MS_DS_QUOTA_USED,
    )
)
"""Attributes whose rule of access is their own and not RIGHT_DS_READ_PROPERTY ([MS-ADTS] 3.1.1.4.4)."""

_UNBOUNDED: Final = frozenset(
    (
        attr.ATTRIBUTE_TYPES,
        attr.OBJECT_CLASSES,
        attr.DIT_CONTENT_RULES,
        attr.EXTENDED_ATTRIBUTE_INFO,
        attr.EXTENDED_CLASS_INFO,
        attr.ALLOWED_ATTRIBUTES,
        attr.ALLOWED_ATTRIBUTES_EFFECTIVE,
    )
)
_TOKEN_GROUPS: Final = frozenset(
    (
        attr.TOKEN_GROUPS,
        attr.TOKEN_GROUPS_NO_GC_ACCEPTABLE,
        attr.TOKEN_GROUPS_GLOBAL_AND_UNIVERSAL,
        attr.MSDS_TOKEN_GROUP_NAMES,
        attr.MSDS_TOKEN_GROUP_NAMES_NO_GC_ACCEPTABLE,
        attr.MSDS_TOKEN_GROUP_NAMES_GLOBAL_AND_UNIVERSAL,
    )
)


def values_at_once(ctx: ReadContext, attribute: Attribute, max_val_range: int, *, ranged: bool) -> int | None:
    """How many values an entry may have of the attribute; None for all, however many.

    ranged: the client asked for a range of them.
    Spec: [MS-ADTS] 3.1.1.3.4.6 (MaxValRange, MaxValRangeTransitive), 3.1.1.4.5.24 (ten by default).
    """
    att = attribute.att_id
    if att in _UNBOUNDED:
        return max_val_range if ranged else None
    if att in _TOKEN_GROUPS and policy.heuristics(ctx).treat_token_groups_as_transitive:
        return max(1, policy.limits(ctx).max_val_range_transitive)
    if att == attr.MS_DS_TOP_QUOTA_USAGE and not ranged:
        return min(quotas.TOP_USAGE_RANGE, max_val_range)
    return max_val_range
