"""Optional features: enabling the Recycle Bin and Privileged Access Management.

Spec: [MS-ADTS] 3.1.1.9, 3.1.1.3.3.27, 3.1.1.3.3.28.
"""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from addc.base.clock import NEVER_FT
from addc.base.errors import DsError
from addc.base.ids import Dnt
from addc.codec.ids import guid_to_wire
from addc.codes.ldap_result import LdapResult
from addc.codes.win32 import Win32
from addc.directory import entry, levels, linked_values, names, referrals, rights, tombstones
from addc.directory.context import ReadContext, WriteContext
from addc.schema import attr, cls
from addc.schema.snapshot import Attribute
from addc.schema.wellknown import ExtendedRight
from addc.store.objects import ObjectRow, ObjectState

FOREST_OPTIONAL_FEATURE: Final = 0x1
DOMAIN_OPTIONAL_FEATURE: Final = 0x2
DISABLABLE_OPTIONAL_FEATURE: Final = 0x4
SERVER_OPTIONAL_FEATURE: Final = 0x8
"""msDS-OptionalFeatureFlags. Spec: 2.2.17."""

_CONTAINER: Final = "CN=Optional Features,CN=Directory Service,CN=Windows NT,CN=Services,"


@dataclass(frozen=True, slots=True)
class _Request:
    """A scope and a feature. flag: the kind of the scope."""

    scope: ObjectRow
    feature: ObjectRow
    guid: UUID
    flag: int


def enable(ctx: WriteContext, value: bytes) -> None:
    """enableOptionalFeature: `DN of the scope:GUID of the feature`.

    Raises DsError with the pairs of 3.1.1.3.3.28; ERROR_DS_INSUFF_ACCESS_RIGHTS without
    Manage-Optional-Features on the scope.
    """
    asked = _read(ctx, value)
    attribute = _attribute(ctx)
    if _is_enabled(ctx, attribute, asked.scope, asked.feature):
        raise DsError(
            Win32.ERROR_DS_ATT_VAL_ALREADY_EXISTS,
            "the feature is enabled",
            ldap_result=LdapResult.ATTRIBUTE_OR_VALUE_EXISTS,
            attribute=attribute.name,
        )
    _check_levels(ctx, asked)
    _link(ctx, attribute, asked.scope.dnt, asked.feature.dnt)
    if asked.flag == FOREST_OPTIONAL_FEATURE:  # it is then enabled on this server too, 3.1.1.9.1 and .2
        if not _is_enabled(ctx, attribute, ctx.tx.get(ctx.forest.dsa_dnt), asked.feature):
            _link(ctx, attribute, ctx.forest.dsa_dnt, asked.feature.dnt)
    if asked.guid == levels.RECYCLE_BIN_FEATURE:
        _recycle_tombstones(ctx)


def disable(ctx: WriteContext, value: bytes) -> None:
    """disableOptionalFeature; neither feature of this DC can be disabled. Spec: 3.1.1.3.3.27."""
    asked = _read(ctx, value)
    if not entry.integer(asked.feature, attr.MS_DS_OPTIONAL_FEATURE_FLAGS) & DISABLABLE_OPTIONAL_FEATURE:
        raise _unwilling("the feature cannot be disabled")
    attribute = _attribute(ctx)
    usn = ctx.tx.next_usn()
    if not linked_values.remove_value(ctx, asked.scope.dnt, attribute, (asked.feature.dnt, b""), usn):
        raise DsError(
            Win32.ERROR_DS_CANT_REM_MISSING_ATT_VAL,
            "the feature is not enabled",
            ldap_result=LdapResult.NO_SUCH_ATTRIBUTE,
            attribute=attribute.name,
        )
    linked_values.touch_source(ctx, asked.scope, usn)


# --- what is asked for -------------------------------------------------------------------------------------


def _invalid(detail: str) -> DsError:
    return DsError(Win32.ERROR_INVALID_PARAMETER, detail, ldap_result=LdapResult.OPERATIONS_ERROR)


def _unwilling(detail: str) -> DsError:
    return DsError(Win32.ERROR_DS_NOT_SUPPORTED, detail, ldap_result=LdapResult.UNWILLING_TO_PERFORM)


def _read(ctx: WriteContext, value: bytes) -> _Request:
    """The checks that enabling and disabling share, in the order of 3.1.1.3.3.28."""
    dn, _, text = value.decode("utf-8", "replace").rpartition(":")
    try:
        guid = UUID(text.strip())
    except ValueError:
        raise _invalid("no GUID") from None
    feature = _feature(ctx, guid)
    if feature is None:
        raise _invalid("no such feature")
    try:
        scope = referrals.visible_object(ctx, dn.strip())
    except DsError:
        raise _invalid("no such scope") from None
    flag = _kind_of_scope(ctx, scope)
    if not flag:
        raise _unwilling("the object is no scope")
    rights_wire = ExtendedRight.MANAGE_OPTIONAL_FEATURES.bytes_le
    if not rights.holds_right(ctx, scope, rights_wire):
        raise DsError(Win32.ERROR_DS_INSUFF_ACCESS_RIGHTS, "INSUFF_ACCESS_RIGHTS")
    if not entry.integer(feature, attr.MS_DS_OPTIONAL_FEATURE_FLAGS) & flag:
        raise _unwilling("not a scope of this feature")
    if flag == FOREST_OPTIONAL_FEATURE and not _is_naming_master(ctx, scope):
        raise _unwilling("the naming master is another DC")
    return _Request(scope, feature, guid, flag)


def _feature(ctx: ReadContext, guid: UUID) -> ObjectRow | None:
    try:
        container = names.resolve(ctx, _CONTAINER + ctx.forest.config_dn)
    except DsError:
        return None
    wire = guid_to_wire(guid)
    for row in names.children(ctx, container.dnt):
        if entry.first(row, attr.MS_DS_OPTIONAL_FEATURE_GUID) == wire:
            return row
    return None


def _kind_of_scope(ctx: ReadContext, row: ObjectRow) -> int:
    if row.class_id == cls.CROSS_REF_CONTAINER:
        return FOREST_OPTIONAL_FEATURE
    if row.dnt == ctx.forest.domain_nc:
        return DOMAIN_OPTIONAL_FEATURE
    return SERVER_OPTIONAL_FEATURE if row.class_id == cls.NTDSDSA else 0


def _is_naming_master(ctx: ReadContext, partitions: ObjectRow) -> bool:
    return entry.reference(partitions, attr.FSMO_ROLE_OWNER) == ctx.forest.dsa_dnt


def _check_levels(ctx: ReadContext, asked: _Request) -> None:
    """The functional level of the forest, and of a domain that is the scope. Spec: 3.1.1.9."""
    forest = entry.integer(asked.feature, attr.MS_DS_REQUIRED_FOREST_BEHAVIOR_VERSION)
    domain = entry.integer(asked.feature, attr.MS_DS_REQUIRED_DOMAIN_BEHAVIOR_VERSION)
    low = levels.forest_level(ctx) < forest
    if asked.flag == DOMAIN_OPTIONAL_FEATURE:
        low = low or levels.domain_level(ctx) < domain
    if low:
        raise _unwilling("the functional level is too low")


# --- carrying it out ---------------------------------------------------------------------------------------


def _attribute(ctx: ReadContext) -> Attribute:
    attribute = ctx.schema.attribute_by_id(attr.MS_DS_ENABLED_FEATURE)
    assert attribute is not None
    return attribute


def _is_enabled(ctx: WriteContext, attribute: Attribute, scope: ObjectRow | None, feature: ObjectRow) -> bool:
    assert scope is not None
    found = linked_values.find(ctx, scope.dnt, attribute, feature.dnt, b"")
    return found is not None and not found.deleted


def _link(ctx: WriteContext, attribute: Attribute, scope: Dnt, feature: Dnt) -> None:
    usn = ctx.tx.next_usn()
    linked_values.add_value(ctx, scope, attribute, (feature, b""), usn)
    row = ctx.tx.get(scope)
    assert row is not None
    linked_values.touch_source(ctx, row, usn)


def _recycle_tombstones(ctx: WriteContext) -> None:
    """All tombstones become recycled-objects: nothing of them can come back any more. Spec: 3.1.1.9.1."""
    rows = {work.dnt for work in ctx.tx.due(tombstones.TOMBSTONE, NEVER_FT)}
    forest = ctx.forest
    held = (forest.domain_nc, forest.config_nc, forest.domain_dns_nc, forest.forest_dns_nc)
    for nc in held:
        container = tombstones.deleted_objects(ctx, nc) if nc else None
        if container is not None:
            rows.update(ctx.tx.child_dnts(container.dnt))
    for row in ctx.tx.get_many(sorted(rows)):
        if row.state is ObjectState.DELETED and tombstones.is_recycled(row):
            ctx.tx.update(row, state=ObjectState.RECYCLED)
