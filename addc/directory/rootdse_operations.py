"""Operations that a Modify of the rootDSE triggers, each with the right that it needs.

The name of the modified attribute is the operation, its first value the argument. What touches the directory
is done in the transaction of the Modify; what the background would do at its time is run to its end before
the Modify is answered.

Spec: [MS-ADTS] 3.1.1.3.3.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from addc.base.errors import DecodeError, DsError
from addc.codec.ids import Sid
from addc.codec.text import utf8_from_wire
from addc.codes.ldap_result import LdapResult
from addc.codes.win32 import Win32
from addc.directory import (
    admin_sd,
    entry,
    fsmo,
    garbage,
    names,
    policy,
    recycle_bin,
    rid_pool,
    rights,
    schema_cache,
    sd_propagate,
    service_migration,
)
from addc.directory.context import ReadContext, WriteContext
from addc.directory.draft import draft_of
from addc.directory.fsmo import Role
from addc.directory.jobs import JOBS
from addc.directory.modify import Change, ModOp
from addc.directory.stamp import save
from addc.directory.visibility import visible
from addc.schema import attr
from addc.schema.wellknown import ExtendedRight
from addc.security import wellknown
from addc.security.token import Privilege
from addc.store.objects import ObjectRow

Guard = Callable[[ReadContext], bool]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What is left to do once the Modify's transaction is durable.

    jobs: names of jobs to run to their end before the answer. schema_upgrade: what the connection's
    fSchemaUpgradeInProgress becomes, None for as it is. renew_certificate: read the TLS certificate anew.
    """

    jobs: tuple[str, ...] = ()
    schema_upgrade: bool | None = None
    renew_certificate: bool = False

    def then(self, other: "Outcome") -> "Outcome":
        """Both, the later word of two on one matter."""
        upgrade = self.schema_upgrade if other.schema_upgrade is None else other.schema_upgrade
        renew = self.renew_certificate or other.renew_certificate
        return Outcome(self.jobs + other.jobs, upgrade, renew)


NOTHING: Final = Outcome()

Action = Callable[[WriteContext, bytes], Outcome]


@dataclass(frozen=True, slots=True)
class Operation:
    """A row of the table. may: whether the requester has the right. act: what it does with the value."""

    name: str
    may: Guard
    act: Action


def operate(ctx: WriteContext, changes: Sequence[Change]) -> Outcome:
    """Carry out a Modify of the rootDSE: all of its operations, or none.

    Raises DsError: ERROR_ACCESS_DENIED; ERROR_DS_UNWILLING_TO_PERFORM for what is no operation of this DC.
    """
    outcome = NOTHING
    for change in changes:
        operation = OPERATIONS.get(change.attribute.lower())
        if operation is None:
            raise _unwilling(f"rootDSE has no operation {change.attribute}")
        if change.op == ModOp.DELETE:
            raise _unwilling("an operation is triggered by add or replace", Win32.ERROR_INVALID_PARAMETER)
        if not operation.may(ctx):
            raise DsError(Win32.ERROR_ACCESS_DENIED, f"the right to {operation.name} is missing")
        outcome = outcome.then(operation.act(ctx, change.values[0] if change.values else b""))
    return outcome


def _unwilling(detail: str, code: Win32 = Win32.ERROR_DS_UNWILLING_TO_PERFORM) -> DsError:
    return DsError(code, detail, ldap_result=LdapResult.UNWILLING_TO_PERFORM)


def _failed(code: Win32, detail: str) -> DsError:
    return DsError(code, detail, ldap_result=LdapResult.OPERATIONS_ERROR)


# --- who may ---


def _anybody(ctx: ReadContext) -> bool:
    del ctx
    return True


def _on_dsa(right: UUID) -> Guard:
    """A control access right on this DC's nTDSDSA object."""
    return lambda ctx: _holds(ctx, ctx.tx.get(ctx.forest.dsa_dnt), right)


def _on_domain(right: UUID) -> Guard:
    return lambda ctx: _holds(ctx, ctx.tx.get(ctx.forest.domain_nc), right)


def _on_schema(right: UUID) -> Guard:
    return lambda ctx: _holds(ctx, ctx.tx.get(ctx.forest.schema_nc), right)


def _either(one: Guard, other: Guard) -> Guard:
    return lambda ctx: one(ctx) or other(ctx)


def _both(one: Guard, other: Guard) -> Guard:
    return lambda ctx: one(ctx) and other(ctx)


def _holds(ctx: ReadContext, row: ObjectRow | None, right: UUID) -> bool:
    return row is not None and rights.holds_right(ctx, row, right.bytes_le)


def _in_groups(*groups: Sid) -> Guard:
    return lambda ctx: ctx.unrestricted or not ctx.requester.sids.isdisjoint(groups)


def _is_domain_admin(ctx: ReadContext) -> bool:
    return ctx.unrestricted or ctx.forest.domain_sid.child(wellknown.RID_DOMAIN_ADMINS) in ctx.requester.sids


def _may_debug(ctx: ReadContext) -> bool:
    return ctx.unrestricted or ctx.requester.has(Privilege.SE_DEBUG)


_ADMINISTRATORS: Final = _in_groups(wellknown.BUILTIN_ADMINISTRATORS)
_OPERATORS: Final = _in_groups(wellknown.BUILTIN_ADMINISTRATORS, wellknown.SERVER_OPERATORS)
_GARBAGE: Final = _on_dsa(ExtendedRight.DO_GARBAGE_COLLECTION)
_SCHEMA_CACHE: Final = _either(
    _on_dsa(ExtendedRight.UPDATE_SCHEMA_CACHE), _on_schema(ExtendedRight.UPDATE_SCHEMA_CACHE)
)


# --- what they do ---


def _nothing(ctx: WriteContext, value: bytes) -> Outcome:
    """Right as it is: what the operation would bring about always holds here, or concerns no one."""
    del ctx, value
    return NOTHING


def _refuse(why: str) -> Action:
    def act(ctx: WriteContext, value: bytes) -> Outcome:
        del ctx, value
        raise _unwilling(why)

    return act


def run(*jobs: str, only_for: bytes | None = None) -> Action:
    """Run the jobs of these names to their end. only_for: the one value that triggers it."""

    def act(ctx: WriteContext, value: bytes) -> Outcome:
        del ctx
        if only_for is not None and value != only_for:
            raise _unwilling(f"the value is not {only_for.decode()}", Win32.ERROR_INVALID_PARAMETER)
        if not {job.name for job in JOBS}.issuperset(jobs):
            raise _unwilling("this DC has no such task")
        return Outcome(jobs)

    return act


def _become(role: Role, *, names_domain: bool = False) -> Action:
    """names_domain: the value has to be the domain's SID."""

    def act(ctx: WriteContext, value: bytes) -> Outcome:
        if names_domain:
            _require_domain_sid(ctx, value)
        fsmo.become(ctx, role)
        return NOTHING

    return act


def _require_domain_sid(ctx: ReadContext, value: bytes) -> None:
    if value != bytes(ctx.forest.domain_sid):
        raise _unwilling("the value is not the domain's SID", Win32.ERROR_INVALID_PARAMETER)


def _schema_upgrade(ctx: WriteContext, value: bytes) -> Outcome:
    """Spec: [MS-ADTS] 3.1.1.3.3.14."""
    del ctx
    if value not in (b"0", b"1"):
        raise _unwilling("the value is neither 0 nor 1", Win32.ERROR_INVALID_PARAMETER)
    return Outcome(schema_upgrade=value == b"1")


def _renew_certificate(ctx: WriteContext, value: bytes) -> Outcome:
    del ctx, value
    return Outcome(renew_certificate=True)


def _fixup_inheritance(ctx: WriteContext, value: bytes) -> Outcome:
    """Accepted means that the background will do it. Spec: [MS-ADTS] 3.1.1.3.3.10."""
    sd_propagate.fixup_inheritance(ctx, value)
    return NOTHING


def _defragment(ctx: WriteContext, value: bytes) -> Outcome:
    """Both databases take freed pages into use again by themselves. Spec: [MS-ADTS] 3.1.1.3.3.17."""
    del ctx
    if not value.isdigit():
        raise _unwilling("the value is no number of seconds", Win32.ERROR_INVALID_PARAMETER)
    return NOTHING


_NAMES_MAX: Final = 2048
"""Longer values are not taken apart: anybody may send one, and each colon costs the writer two look-ups."""


def _two_names(ctx: ReadContext, value: bytes) -> tuple[ObjectRow, ObjectRow]:
    """The objects of "DSA object DN:object DN"; colons may also stand inside of either."""
    text = _text(value)
    places = [at for at, character in enumerate(text) if character == ":"]
    for at in places if len(text) <= _NAMES_MAX else ():
        try:
            first, second = names.resolve(ctx, text[:at]), names.resolve(ctx, text[at + 1 :])
        except DsError:
            continue
        if visible(ctx, first) and visible(ctx, second):
            return first, second
    raise _failed(Win32.ERROR_DS_OBJ_NOT_FOUND, "the value does not name a DC and an object")


def _text(value: bytes) -> str:
    try:
        return utf8_from_wire(value)
    except DecodeError:
        raise _failed(Win32.ERROR_DS_OBJ_NOT_FOUND, "the value is no text") from None


def _require_synchronize(ctx: ReadContext, row: ObjectRow) -> None:
    """DS-Replication-Synchronize on the root of the object's naming context."""
    if not _holds(ctx, ctx.tx.get(row.nc), ExtendedRight.DS_REPLICATION_SYNCHRONIZE):
        raise DsError(Win32.ERROR_ACCESS_DENIED, "DS-Replication-Synchronize is missing")


def _remove_lingering(ctx: WriteContext, value: bytes) -> Outcome:
    """Nobody can be asked whether the object is gone elsewhere. Spec: [MS-ADTS] 3.1.1.3.3.15."""
    _, lingering = _two_names(ctx, value)
    _require_synchronize(ctx, lingering)
    raise _failed(Win32.ERROR_DS_GENERIC_ERROR, "the other DC cannot be asked")


def _replicate_one(ctx: WriteContext, value: bytes) -> Outcome:
    """Spec: [MS-ADTS] 3.1.1.3.3.18."""
    _, wanted = _two_names(ctx, value)
    _require_synchronize(ctx, wanted)
    raise _unwilling("the other DC cannot be asked", Win32.ERROR_DS_DRA_NOT_SUPPORTED)


def _existing(ctx: WriteContext, value: bytes) -> Outcome:
    """The value names an object; links are never left for later, so there is nothing to do about it."""
    names.resolve(ctx, _text(value), deleted=True)
    return NOTHING


def _update_indices(ctx: WriteContext, value: bytes) -> Outcome:
    """Only where administrators keep index creation to themselves. Spec: [MS-ADTS] 3.1.1.3.3.32."""
    if policy.heuristics(ctx).disable_auto_indexing != "2":
        raise _unwilling("indices are made as the schema changes", Win32.ERROR_DS_NOT_SUPPORTED)
    schema_cache.bring_forward(ctx)
    return run("reindex")(ctx, value)


def _schema_update(ctx: WriteContext, value: bytes) -> Outcome:
    """Spec: [MS-ADTS] 3.1.1.3.3.13."""
    del value
    schema_cache.renew(ctx)
    return NOTHING


_SERVER: Final = "CN=Server,CN=System,"
_SAM_UPGRADE: Final = b"B:32:6ACDD74F3F314AE396F62BBE6B2DB961:"


def _sam_upgrade(ctx: WriteContext, value: bytes) -> Outcome:
    """Default groups came with the forest; the condition is checked all the same.

    Spec: [MS-ADTS] 3.1.1.3.3.24.
    """
    del value
    row = names.resolve(ctx, _SERVER + ctx.forest.domain_dn)
    wanted = names.dn_of(ctx, ctx.forest.dsa_dnt).lower()
    for one in entry.values(ctx, row, attr.OTHER_WELL_KNOWN_OBJECTS):
        if one.upper().startswith(_SAM_UPGRADE) and one[len(_SAM_UPGRADE) :].decode().lower() == wanted:
            return NOTHING
    raise _failed(Win32.ERROR_DS_GENERIC_ERROR, "the PDC has not called for this DC's upgrade tasks")


def _sid_compatibility(ctx: WriteContext, value: bytes) -> Outcome:
    """Widen the RIDs that the domain may use. Spec: [MS-ADTS] 3.1.1.3.3.30."""
    row = fsmo.role_object(ctx, fsmo.RID_MASTER)
    if row is None or not fsmo.is_ours(ctx, fsmo.RID_MASTER):
        raise _unwilling("the RID master is another DC", Win32.ERROR_DS_NOT_SUPPORTED)
    high = {b"0": 0x3FFF_FFFF, b"1": 0x7FFF_FFFF}.get(value)
    draft = draft_of(ctx, row)
    before = draft.integer(attr.RID_AVAILABLE_POOL)
    if high is None or high < before >> 32:
        raise _unwilling("the value is not 0 or 1, or less than it was", Win32.ERROR_INVALID_PARAMETER)
    draft.put_integer(attr.RID_AVAILABLE_POOL, high << 32 | before & 0xFFFF_FFFF)
    save(ctx, draft)
    return NOTHING


_NO_DUMPS: Final = _refuse("this DC writes nothing of its database to files")


def _invalidate_rid_pool(ctx: WriteContext, value: bytes) -> Outcome:
    """Spec: [MS-ADTS] 3.1.1.3.3.11."""
    _require_domain_sid(ctx, value)
    rid_pool.invalidate(ctx)
    return NOTHING


def _purge(ctx: WriteContext, value: bytes) -> Outcome:
    """Spec: [MS-ADTS] 3.1.1.3.3.23."""
    del ctx, value
    raise _failed(Win32.ERROR_DS_GENERIC_ERROR, "this DC is not read-only")


def _phantoms(ctx: WriteContext, value: bytes) -> Outcome:
    """Spec: [MS-ADTS] 3.1.1.3.3.20."""
    outcome = run("phantoms", only_for=b"1")(ctx, value)
    garbage.hasten_phantoms(ctx)
    return outcome


def _migrate(ctx: WriteContext, value: bytes) -> Outcome:
    """A step of the migration to a delegated managed account. Spec: 3.1.1.3.3.43."""
    service_migration.migrate(ctx, _text(value))
    return NOTHING


def _feature(switch: Callable[[WriteContext, bytes], None]) -> Action:
    def act(ctx: WriteContext, value: bytes) -> Outcome:
        switch(ctx, value)
        return NOTHING

    return act


_ALL: Final = (
    Operation(
        "becomeDomainMaster", lambda ctx: fsmo.may_move(ctx, fsmo.NAMING_MASTER), _become(fsmo.NAMING_MASTER)
    ),
    Operation(
        "becomeInfrastructureMaster",
        lambda ctx: fsmo.may_move(ctx, fsmo.INFRASTRUCTURE_MASTER),
        _become(fsmo.INFRASTRUCTURE_MASTER),
    ),
    Operation("becomePdc", lambda ctx: fsmo.may_move(ctx, fsmo.PDC), _become(fsmo.PDC, names_domain=True)),
    Operation(
        "becomePdcWithCheckPoint",
        lambda ctx: fsmo.may_move(ctx, fsmo.PDC),
        _become(fsmo.PDC, names_domain=True),
    ),
    Operation("becomeRidMaster", lambda ctx: fsmo.may_move(ctx, fsmo.RID_MASTER), _become(fsmo.RID_MASTER)),
    Operation(
        "becomeSchemaMaster",
        lambda ctx: fsmo.may_move(ctx, fsmo.SCHEMA_MASTER),
        _become(fsmo.SCHEMA_MASTER),
    ),
    # References are kept by row number here: a name that another DC changes is changed for all of them.
    Operation("checkPhantoms", _on_dsa(ExtendedRight.DS_CHECK_STALE_PHANTOMS), _nothing),
    Operation("doGarbageCollection", _GARBAGE, run("garbage", only_for=b"1")),
    Operation("doGarbageCollectionPhantomsNow", _GARBAGE, _phantoms),
    Operation("doLinkCleanup", _GARBAGE, _nothing),
    Operation("msDS-RunDeletedPhantomsWithLinksTask", _GARBAGE, _nothing),
    Operation("doOnlineDefrag", _GARBAGE, _defragment),
    Operation("dumpDatabase", _ADMINISTRATORS, _NO_DUMPS),
    Operation("dumpReferences", _ADMINISTRATORS, _NO_DUMPS),
    Operation("dumpLinks", _ADMINISTRATORS, _NO_DUMPS),
    Operation("dumpLinksExtended", _ADMINISTRATORS, _NO_DUMPS),
    Operation("dumpQuota", _ADMINISTRATORS, _NO_DUMPS),
    Operation("dumpLDAPState", _ADMINISTRATORS, _NO_DUMPS),
    # The address book's hierarchy and other DCs' memberships are never kept, so there is nothing stale.
    Operation("recalcHierarchy", _on_dsa(ExtendedRight.RECALCULATE_HIERARCHY), _nothing),
    Operation("updateCachedMemberships", _on_dsa(ExtendedRight.REFRESH_GROUP_CACHE), _nothing),
    Operation("invalidateGCConnection", _OPERATORS, _nothing),
    Operation("schemaUpdateNow", _SCHEMA_CACHE, _schema_update),
    Operation("schemaUpgradeInProgress", _on_schema(ExtendedRight.CHANGE_SCHEMA_MASTER), _schema_upgrade),
    Operation("schemaUpdateIndicesNow", _SCHEMA_CACHE, _update_indices),
    Operation("removeLingeringObject", _anybody, _remove_lingering),
    Operation("replicateSingleObject", _anybody, _replicate_one),
    Operation(
        "fixupInheritance",
        _on_dsa(ExtendedRight.RECALCULATE_SECURITY_INHERITANCE),
        _fixup_inheritance,
    ),
    Operation("renewServerCertificate", _on_dsa(ExtendedRight.RELOAD_SSL_CERTIFICATE), _renew_certificate),
    Operation(
        "rODCPurgeAccount",
        _on_domain(ExtendedRight.READ_ONLY_REPLICATION_SECRET_SYNCHRONIZATION),
        _purge,
    ),
    Operation("invalidateRidPool", lambda ctx: fsmo.may_move(ctx, fsmo.RID_MASTER), _invalidate_rid_pool),
    Operation(
        "runProtectAdminGroupsTask",
        _on_domain(ExtendedRight.RUN_PROTECT_ADMIN_GROUPS_TASK),
        run(admin_sd.JOB),  # of no effect on a DC that is not the PDC
    ),
    Operation("runSamUpgradeTasks", _is_domain_admin, _sam_upgrade),
    Operation("sqmRunOnce", _may_debug, _refuse("this DC reports nothing to anybody")),
    Operation(
        "sidCompatibilityVersion",
        _both(_on_domain(ExtendedRight.ALLOCATE_RIDS), _may_debug),
        _sid_compatibility,
    ),
    Operation("msDS-ProcessLinksAbandonOperation", _may_debug, _existing),
    Operation("msDS-ProcessLinksScheduleOperation", _may_debug, _existing),
    Operation("stopService", _anybody, _refuse("the service is stopped by its supervisor alone")),
    # Who may is asked there, after what the right is needed on has been found.
    Operation("enableOptionalFeature", _anybody, _feature(recycle_bin.enable)),
    Operation("disableOptionalFeature", _anybody, _feature(recycle_bin.disable)),
    Operation("migrateADServiceAccount", _anybody, _migrate),
    Operation("null", _anybody, _nothing),
)

OPERATIONS: Final = {operation.name.lower(): operation for operation in _ALL}
"""By name in lower case. Spec: [MS-ADTS] 3.1.1.3.3 (those of Windows Server 2019, and what 2025 adds)."""
