"""What a plan changes in the directory, object by object, with each attribute as Windows writes it.

Whoever carries it out adds nothing: here with the DC's own rights, elsewhere by LDAP with somebody's.

Spec: [MS-ADTS] 6.1.1.2.2.1.2.1.2 (nTDSConnection), 6.2.2.3.1 (ISTG), 6.2.2.3.4.5, 6.2.2.7.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import IntFlag
from typing import Final
from uuid import UUID

from addc.codec.schedule import Quarters, pack_schedule
from addc.kcc.snapshot import Connection, DcAt, NcAt, Replica, SiteOption, Snapshot
from addc.kcc.wanted import Action, Plan, Planned, Reason, Rule

SYSTEM_FLAGS: Final = 0x6000_0000
"""FLAG_CONFIG_ALLOW_RENAME | FLAG_CONFIG_ALLOW_MOVE."""
Attributes = tuple[tuple[str, tuple[bytes, ...]], ...]


class NcReason(IntFlag):
    """Binary part of mS-DS-ReplicatesNCReason, [MS-ADTS] 6.1.1.2.2.1.2.1.2."""

    NONE = 0
    NTDSCONN_KCC_GC_TOPOLOGY = 0x1
    NTDSCONN_KCC_RING_TOPOLOGY = 0x2
    NTDSCONN_KCC_MINIMIZE_HOPS_TOPOLOGY = 0x4
    NTDSCONN_KCC_STALE_SERVERS_TOPOLOGY = 0x8
    NTDSCONN_KCC_OSCILLATING_CONNECTION_TOPOLOGY = 0x10
    NTDSCONN_KCC_INTERSITE_GC_TOPOLOGY = 0x20
    NTDSCONN_KCC_INTERSITE_TOPOLOGY = 0x40
    NTDSCONN_KCC_SERVER_FAILOVER_TOPOLOGY = 0x80
    NTDSCONN_KCC_SITE_FAILOVER_TOPOLOGY = 0x100
    NTDSCONN_KCC_REDUNDANT_SERVER_TOPOLOGY = 0x200


@dataclass(frozen=True, slots=True)
class AddConnection:
    """A new nTDSConnection."""

    dn: str
    source_dn: str
    attributes: Attributes


@dataclass(frozen=True, slots=True)
class ChangeConnection:
    """Values of one that is there; an attribute without values is removed."""

    dn: str
    guid: bytes
    attributes: Attributes


@dataclass(frozen=True, slots=True)
class RemoveConnection:
    """One that goes."""

    dn: str
    guid: bytes


@dataclass(frozen=True, slots=True)
class NameGenerator:
    """A new interSiteTopologyGenerator. dn: of the site's settings."""

    dn: str
    dsa_dn: str


Write = AddConnection | ChangeConnection | RemoveConnection | NameGenerator


def writes(plan: Plan, new_name: Callable[[], UUID]) -> tuple[Write, ...]:
    """Everything that the plan changes; nothing where all is as it ought to be.

    new_name: gives the name of a new connection, a random GUID.
    """
    snapshot = plan.snapshot
    found: list[Write] = []
    for one in plan.connections:
        if not (one.is_written and one.is_decided):
            continue
        if one.action is Action.ADD:
            found.append(_added(snapshot, one, new_name()))
        elif one.action is Action.CHANGE and one.existing is not None:
            change = _changed(snapshot, one, one.existing)
            if change is not None:
                found.append(change)
        elif one.action is Action.DELETE and one.existing is not None:
            found.append(RemoveConnection(one.existing.dn, one.existing.guid))
    return (*found, *_generators(plan))


def _added(snapshot: Snapshot, one: Planned, name: UUID) -> AddConnection:
    assert one.source is not None
    source_dn = snapshot.dcs[one.source].dn
    attributes: list[tuple[str, tuple[bytes, ...]]] = [
        ("objectClass", (b"nTDSConnection",)),
        ("enabledConnection", (_truth(one.is_enabled),)),
        ("fromServer", (source_dn.encode(),)),
        ("options", (b"%d" % one.options,)),
        ("showInAdvancedViewOnly", (b"TRUE",)),
        ("systemFlags", (b"%d" % SYSTEM_FLAGS,)),
    ]
    if one.schedule is not None:
        attributes.append(("schedule", (pack_schedule(one.schedule),)))
    if one.transport:
        attributes.append(("transportType", (transport_dn(snapshot).encode(),)))
    reasons = nc_reasons(snapshot, one.target, one.reasons)
    if reasons:
        attributes.append(("mS-DS-ReplicatesNCReason", reasons))
    return AddConnection(f"CN={name},{snapshot.dcs[one.target].dn}", source_dn, tuple(attributes))


def transport_dn(snapshot: Snapshot) -> str:
    """The IP transport's DN, by name where the snapshot tells none."""
    return snapshot.transport_dn or f"CN=IP,CN=Inter-Site Transports,CN=Sites,{snapshot.config_dn}"


def _changed(snapshot: Snapshot, one: Planned, held: Connection) -> ChangeConnection | None:
    attributes: list[tuple[str, tuple[bytes, ...]]] = []
    if one.options != held.options:
        attributes.append(("options", (b"%d" % one.options,)))
    if one.schedule != held.schedule:
        attributes.append(("schedule", _schedule(one.schedule)))
    if one.transport.lower() != held.transport.lower():
        attributes.append(
            ("transportType", (transport_dn(snapshot).encode(),) if one.transport else ()),
        )
    if one.is_enabled != held.is_enabled:
        attributes.append(("enabledConnection", (_truth(one.is_enabled),)))
    if not attributes:
        return None
    reasons = nc_reasons(snapshot, one.target, one.reasons)
    if reasons:
        attributes.append(("mS-DS-ReplicatesNCReason", reasons))
    return ChangeConnection(held.dn, held.guid, tuple(attributes))


def _schedule(week: Quarters | None) -> tuple[bytes, ...]:
    return () if week is None else (pack_schedule(week),)


def _truth(value: bool) -> bytes:
    return b"TRUE" if value else b"FALSE"


def nc_reasons(snapshot: Snapshot, target: DcAt, reasons: Sequence[Reason]) -> tuple[bytes, ...]:
    """mS-DS-ReplicatesNCReason: each naming context with the kinds of topology that want it."""
    bits: dict[NcAt, NcReason] = {}
    for one in reasons:
        bits[one.nc] = bits.get(one.nc, NcReason.NONE) | _bit(snapshot, target, one)
    return tuple(
        b"B:8:%08X:" % value + snapshot.ncs[nc].dn.encode() for nc, value in sorted(bits.items()) if value
    )


def _bit(snapshot: Snapshot, target: DcAt, reason: Reason) -> NcReason:
    match reason.rule:
        case Rule.RING | Rule.GC_RING:
            return NcReason.NTDSCONN_KCC_RING_TOPOLOGY
        case Rule.SHORTCUT:
            return NcReason.NTDSCONN_KCC_MINIMIZE_HOPS_TOPOLOGY
        case Rule.REDUNDANT:
            return NcReason.NTDSCONN_KCC_REDUNDANT_SERVER_TOPOLOGY
        case Rule.TREE | Rule.RODC_SOURCE:
            partial = snapshot.dcs[target].due.get(reason.nc) is Replica.PARTIAL
            return (
                NcReason.NTDSCONN_KCC_INTERSITE_GC_TOPOLOGY
                if partial
                else NcReason.NTDSCONN_KCC_INTERSITE_TOPOLOGY
            )


def _generators(plan: Plan) -> list[NameGenerator]:
    """The role in the sites whose generator the plan was made for, where the settings name another DC.

    Each DC writes itself only: who is of another opinion learns by replication.
    """
    snapshot = plan.snapshot
    found = []
    for site_at, dc_at in sorted(plan.istg.items()):
        site, dc = snapshot.sites[site_at], snapshot.dcs[dc_at]
        if dc_at not in plan.planned_for or site.generator.lower() == dc.dn.lower():
            continue
        if site.has_settings and not site.options & SiteOption.IS_INTER_SITE_AUTO_TOPOLOGY_DISABLED:
            found.append(NameGenerator(f"CN=NTDS Site Settings,{site.dn}", dc.dn))
    return found


def sysvol_repointed(snapshot: Snapshot, dc: DcAt, sources: Sequence[tuple[DcAt, Quarters]]) -> list[Write]:
    """What makes a read-only DC's SYSVOL connection follow one that it replicates by.

    sources: whom it replicates from, best first, and when. Nothing where it has none of either.
    Spec: [MS-ADTS] 6.2.2.7.
    """
    if not sources or not snapshot.dcs[dc].is_read_only:
        return []
    sysvol = [one for one in snapshot.dcs[dc].connections if one.is_sysvol_only]
    found: list[Write] = []
    for held in sysvol:
        schedule = dict(sources).get(held.source) if held.source is not None else None
        source, week = sources[0]
        if schedule is not None and held.source is not None:
            source, week = held.source, schedule  # any that it replicates by will do: the one it has
        attributes: list[tuple[str, tuple[bytes, ...]]] = []
        if source != held.source:
            attributes.append(("fromServer", (snapshot.dcs[source].dn.encode(),)))
        if held.schedule != week:
            attributes.append(("schedule", (pack_schedule(week),)))
        if attributes:
            found.append(ChangeConnection(held.dn, held.guid, tuple(attributes)))
    return found
