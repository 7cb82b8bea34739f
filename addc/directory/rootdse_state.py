"""Operational attributes of the rootDSE that tell the state of this DC, and the options some of them take.

What is internal to one implementation is left out where nothing here corresponds to it: memory arenas,
segment caches, thread states, disk usage.

Spec: [MS-ADTS] 3.1.1.3.2.
"""

from collections.abc import Callable
from typing import Final

from addc.base.ids import Dnt
from addc.directory import policy, quotas
from addc.directory.context import ReadContext
from addc.security import wellknown
from addc.store import state

OPERATION_NAMES: Final = (
    "becomeDomainMaster", "becomeInfrastructureMaster", "becomePdc", "becomePdcWithCheckPoint",
    "becomeRidMaster", "becomeSchemaMaster", "checkPhantoms", "disableOptionalFeature",
    "doGarbageCollection", "doGarbageCollectionPhantomsNow", "doLinkCleanup", "doOnlineDefrag",
    "dumpDatabase", "dumpLDAPState", "dumpLinks", "dumpLinksExtended", "dumpQuota", "dumpReferences",
    "enableOptionalFeature", "fixupInheritance", "invalidateGCConnection", "invalidateRidPool",
    "migrateADServiceAccount", "msDS-ProcessLinksAbandonOperation", "msDS-ProcessLinksScheduleOperation",
    "msDS-RunDeletedPhantomsWithLinksTask", "null", "recalcHierarchy", "removeLingeringObject",
    "renewServerCertificate", "replicateSingleObject", "rODCPurgeAccount", "runProtectAdminGroupsTask",
    "runSamUpgradeTasks", "schemaUpdateIndicesNow", "schemaUpdateNow", "schemaUpgradeInProgress",
    "sidCompatibilityVersion", "sqmRunOnce", "stopService", "updateCachedMemberships",
)  # fmt: skip
"""msDS-SupportedRootDSEModifications: those of rootdse_operations, which cannot be asked from here."""

SETTINGS: Final = {"DynamicObjectDefaultTTL": 86_400, "DynamicObjectMinTTL": 900, "DisableVLVSupport": 0}
"""supportedConfigurableSettings with their defaults. Spec: [MS-ADTS] 3.1.1.3.4.7."""

_TIME_NONE: Final = "1601-01-01T00:00:00Z"
_QUEUE_TIMES: Final = ("Sync", "Add", "Mod", "Del", "UpdRefs")
_QUEUE_SIZE: Final = 52

Reader = Callable[[ReadContext, str], list[bytes]]
"""Values of an attribute; the second argument holds the options of its description, in lower case."""


def _nothing(ctx: ReadContext, options: str) -> list[bytes]:
    del ctx, options
    return []


def _queue_statistics(ctx: ReadContext, options: str) -> list[bytes]:
    """Nothing ever waits in the queue of replication. Spec: [MS-ADTS] 3.1.1.3.2.30, 2.2.5."""
    del ctx
    if options == "binary":
        return [bytes(_QUEUE_SIZE)]
    oldest = "".join(f"<ftimeOldest{one}>{_TIME_NONE}</ftimeOldest{one}>" for one in _QUEUE_TIMES)
    text = (
        f"<DS_REPL_QUEUE_STATISTICSW><ftimeCurrentOpStarted>{_TIME_NONE}</ftimeCurrentOpStarted>"
        f"<cNumPendingOps>0</cNumPendingOps>{oldest}</DS_REPL_QUEUE_STATISTICSW>"
    )
    return [text.encode()]


def _contexts(ctx: ReadContext) -> list[Dnt]:
    forest = ctx.forest
    found = (forest.domain_nc, forest.config_nc, forest.schema_nc, forest.domain_dns_nc, forest.forest_dns_nc)
    return [nc for nc in found if nc]


def _top_quota(ctx: ReadContext, options: str) -> list[bytes]:
    """Spec: [MS-ADTS] 3.1.1.3.2.31; nothing for who may not read the quotas containers."""
    del options
    return quotas.top_usage_of_dc(ctx, _contexts(ctx))


def _highest_id(ctx: ReadContext, options: str) -> list[bytes]:
    """The row that was made last. Spec: [MS-ADTS] 3.1.1.3.2.43."""
    del options
    return [b"%d" % dnt for _, _, dnt in ctx.tx.ask(state.WRITE_CLOCK, ())]


def _settings_effective(ctx: ReadContext, options: str) -> list[bytes]:
    del options
    found = policy.configurable_settings(ctx)
    return [f"{name}:{found.get(name.lower(), default)}".encode() for name, default in SETTINGS.items()]


def _prefix_table(ctx: ReadContext, options: str) -> list[bytes]:
    del options
    pairs = sorted(ctx.schema.prefixes.by_index.items())
    return ["\n".join(f"{index:#06x}:{prefix.hex()}" for index, prefix in pairs).encode()]


def _indices(ctx: ReadContext, options: str) -> list[bytes]:
    """The attributes that have an index, for administrators. Spec: [MS-ADTS] 3.1.1.3.2.58."""
    del options
    if not ctx.unrestricted and wellknown.BUILTIN_ADMINISTRATORS not in ctx.requester.sids:
        return []
    return ["\n".join(sorted(one.name for one in ctx.schema.attributes if one.is_indexed)).encode()]


READERS: Final[dict[str, Reader]] = {
    "approximateHighestInternalObjectID": _highest_id,
    "ConfigurableSettingsEffective": _settings_effective,
    "databaseGuid": lambda ctx, _: [str(ctx.forest.invocation_id).encode()],
    "dsSchemaPrefixCount": lambda ctx, _: [b"%d" % len(ctx.schema.prefixes.by_index)],
    "msDS-DatabaseIndices": _indices,
    "msDS-PrefixTable": _prefix_table,
    # Until it replicates, this DC has neither neighbours nor failures to tell of.
    "msDS-ReplAllInboundNeighbors": _nothing,
    "msDS-ReplAllOutboundNeighbors": _nothing,
    "msDS-ReplConnectionFailures": _nothing,
    "msDS-ReplLinkFailures": _nothing,
    "msDS-ReplPendingOps": _nothing,
    "msDS-ReplQueueStatistics": _queue_statistics,
    # Links are never processed later than the change that asks for it.
    "msDS-ProcessLinksOperations": lambda ctx, _: [b"<ProcessLinksOperations/>"],
    "msDS-SupportedRootDSEModifications": lambda ctx, _: [name.encode() for name in OPERATION_NAMES],
    "msDS-TopQuotaUsage": _top_quota,
    "supportedConfigurableSettings": lambda ctx, _: [name.encode() for name in SETTINGS],
    # Only an RODC that was installed from media has one.
    "usnAtRifm": _nothing,
}
"""By name as Windows spells it."""

BINARY: Final = frozenset(name.lower() for name in READERS if name.startswith("msDS-Repl"))
"""Attributes that the option "binary" turns from XML into a structure."""
