"""Forests for the planner, written by hand: names instead of places, GUIDs that follow from names.

forest(
    sites=["A", ASite("B", schedule=hours(range(20, 24)))],
    dcs=["A/a1*", "A/a2", ADc("b1", "B", apps=("DomainDnsZones",))],
    links=[ALink("ab", ("A", "B"), cost=50)],
)
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from enum import IntFlag
from typing import Final

from addc.base.clock import HOUR_FT, FileTime, from_unix
from addc.codec.schedule import ALWAYS, Quarters
from addc.kcc.snapshot import (
    COST_DEFAULT,
    FAILOVER_DEFAULT_S,
    INTERVAL_DEFAULT_MIN,
    Connection,
    ConnectionOption,
    Dc,
    DcAt,
    DsaOption,
    Failure,
    LinkAt,
    LinkOption,
    NamingContext,
    NcAt,
    NcKind,
    Replica,
    Site,
    SiteAt,
    SiteLink,
    SiteLinkBridge,
    SiteOption,
    Snapshot,
    TransportOption,
)

ROOT: Final = "corp"
FOREST_DN: Final = f"DC={ROOT},DC=example"
CONFIG_DN: Final = f"CN=Configuration,{FOREST_DN}"
SITES_DN: Final = f"CN=Sites,{CONFIG_DN}"
TRANSPORT_DN: Final = f"CN=IP,CN=Inter-Site Transports,{SITES_DN}"
NOW: Final = from_unix(1_780_000_000)
RODC_OPTIONS: Final = DsaOption(0x20) | DsaOption.DISABLE_OUTBOUND_REPL
GENERATED: Final = ConnectionOption.IS_GENERATED


class _Written:
    """Shows itself as one would write it: what is as it usually is stays out."""

    __slots__ = ()

    def __repr__(self) -> str:
        assert is_dataclass(self)
        told = []
        for one in fields(self):
            value = getattr(self, one.name)
            usual = one.default_factory() if one.default_factory is not MISSING else one.default
            if usual is MISSING or value != usual:
                shown = f"{type(value).__name__}({int(value)})" if isinstance(value, IntFlag) else repr(value)
                told.append(f"{one.name}={shown}")
        return f"{type(self).__name__}({', '.join(told)})"


@dataclass(frozen=True, slots=True, repr=False)
class ASite(_Written):
    """generator: a DC's name."""

    name: str
    options: SiteOption = SiteOption.NONE
    generator: str = ""
    failover_s: int = FAILOVER_DEFAULT_S
    schedule: Quarters | None = None
    has_settings: bool = True
    guid: bytes = b""


@dataclass(frozen=True, slots=True, repr=False)
class ADc(_Written):
    """held: what differs from what is due, by name of naming context ("config", "schema", a domain's or an
    application's first label); None for a replica that is not there."""

    name: str
    site: str
    gc: bool = False
    rodc: bool = False
    domain: str = ROOT
    apps: tuple[str, ...] = ()
    options: DsaOption = DsaOption.NONE
    behavior_version: int = 7
    preferred: bool = False
    held: Mapping[str, Replica | None] = field(default_factory=dict)
    guid: bytes = b""


@dataclass(frozen=True, slots=True, repr=False)
class ALink(_Written):
    name: str
    sites: tuple[str, ...]
    cost: int = COST_DEFAULT
    interval_min: int = INTERVAL_DEFAULT_MIN
    options: LinkOption = LinkOption.NONE
    window: Quarters = ALWAYS
    guid: bytes = b""


@dataclass(frozen=True, slots=True, repr=False)
class AConnection(_Written):
    """source, target: names of DCs; a source that is no DC's name is one that is gone. name: its RDN's value,
    by which several from the same source differ. age_h: since it was created."""

    source: str
    target: str
    options: ConnectionOption = GENERATED
    is_enabled: bool = True
    transport: str = ""
    schedule: Quarters | None = None
    age_h: float = 24
    name: str = ""
    guid: bytes = b""


def guid_of(kind: str, name: str) -> bytes:
    """16 stored bytes that always belong to this name."""
    return hashlib.blake2b(f"{kind}:{name}".encode(), digest_size=16).digest()


def in_order(place: int) -> bytes:
    """GUIDs for tests that care for their order: the lower the place, the lower the GUID."""
    return place.to_bytes(4, "big") + bytes(11) + b"\x01"


def hours(wanted: Iterable[int]) -> Quarters:
    """A week that is open in these hours; those below 24 mean every day, others count from Sunday 00:00."""
    week = 0
    listed = list(wanted)
    for hour in listed:
        days = range(7) if max(listed) < 24 else range(1)
        for day in days:
            week |= 0xF << (4 * (24 * day + hour))
    return Quarters(week)


def domain_dn(name: str) -> str:
    return FOREST_DN if name == ROOT else f"DC={name},{FOREST_DN}"


def dsa_dn(name: str, site: str) -> str:
    return f"CN=NTDS Settings,CN={name},CN=Servers,CN={site},{SITES_DN}"


def forest(
    *,
    sites: Sequence[str | ASite] = ("A",),
    dcs: Sequence[str | ADc] = (),
    links: Sequence[ALink] = (),
    bridges: Mapping[str, Sequence[str]] | None = None,
    connections: Sequence[AConnection] = (),
    failures: Mapping[str, float | Failure] | None = None,
    cursors: Mapping[str, float] | None = None,
    roles: Mapping[str, Sequence[str]] | None = None,
    not_in_gc: Sequence[str] = (),
    local: str = "",
    transport_options: TransportOption = TransportOption.NONE,
    now: FileTime = NOW,
) -> Snapshot:
    """A snapshot of it.

    dcs: "site/name", with a `*` behind for a GC and a `!` for a read-only DC, or ADc.
    bridges: names of links by name of bridge. failures: hours since a DC first failed, by its name.
    cursors: hours since the last sync of a DC's changes. roles: names of role owners by naming context.
    """
    their_sites = sorted(
        (ASite(one) if isinstance(one, str) else one for one in sites),
        key=lambda one: one.guid or guid_of("site", one.name),
    )
    their_dcs = sorted(
        (_parsed(one) if isinstance(one, str) else one for one in dcs),
        key=lambda one: one.guid or guid_of("dc", one.name),
    )
    their_links = sorted(links, key=lambda one: one.guid or guid_of("link", one.name))
    ncs = _naming_contexts(their_dcs, not_in_gc)
    site_places = {one.name: SiteAt(at) for at, one in enumerate(their_sites)}
    link_places = {one.name: LinkAt(at) for at, one in enumerate(their_links)}
    dc_places = {one.name: DcAt(at) for at, one in enumerate(their_dcs)}
    site_of = {one.name: one.site for one in their_dcs}
    nc_places = {label(nc): NcAt(at) for at, nc in enumerate(ncs)}
    inbound = _connections(connections, dc_places, site_of, now)
    return Snapshot(
        now=now,
        config_dn=CONFIG_DN,
        forest_dns=f"{ROOT}.example",
        local=dc_places[local] if local else None,
        ncs=ncs,
        sites=tuple(_site(one, site_of) for one in their_sites),
        dcs=tuple(_dc(one, site_places, ncs, inbound.get(one.name, ())) for one in their_dcs),
        links=tuple(_link(one, site_places) for one in their_links),
        bridges=_bridges(bridges or {}, link_places),
        transport_guid=guid_of("transport", "IP"),
        transport_dn=TRANSPORT_DN,
        transport_options=transport_options,
        failures={
            their_dcs[dc_places[name]].guid or guid_of("dc", name): how
            if isinstance(how, Failure)
            else Failure(3, FileTime(now - int(how * HOUR_FT)))
            for name, how in (failures or {}).items()
        },
        cursors={
            guid_of("invocation", name): FileTime(now - int(ago * HOUR_FT))
            for name, ago in (cursors or {}).items()
        },
        role_owners={
            nc_places[nc]: frozenset(dc_places[name] for name in names) for nc, names in (roles or {}).items()
        },
    )


def label(nc: NamingContext) -> str:
    """What tests call a naming context: "config", "schema", or the first label of its name."""
    if nc.kind is NcKind.CONFIG:
        return "config"
    if nc.kind is NcKind.SCHEMA:
        return "schema"
    return nc.dn.partition(",")[0].partition("=")[2]


def nc_at(snapshot: Snapshot, name: str) -> NcAt:
    return NcAt([label(nc) for nc in snapshot.ncs].index(name))


def dc_at(snapshot: Snapshot, name: str) -> DcAt:
    return DcAt([dc.name for dc in snapshot.dcs].index(name))


def site_at(snapshot: Snapshot, name: str) -> SiteAt:
    return SiteAt([site.name for site in snapshot.sites].index(name))


def link_at(snapshot: Snapshot, name: str) -> LinkAt:
    return LinkAt([link.name for link in snapshot.links].index(name))


def _parsed(text: str) -> ADc:
    site, _, name = text.partition("/")
    bare = name.rstrip("*!")
    marks = name[len(bare) :]
    return ADc(bare, site, gc="*" in marks, rodc="!" in marks)


def _naming_contexts(dcs: Sequence[ADc], not_in_gc: Sequence[str]) -> tuple[NamingContext, ...]:
    domains = sorted({dc.domain for dc in dcs} | {ROOT}, key=domain_dn)
    apps = sorted({app for dc in dcs for app in dc.apps})
    return (
        NamingContext(CONFIG_DN, NcKind.CONFIG),
        NamingContext(f"CN=Schema,{CONFIG_DN}", NcKind.SCHEMA),
        *(NamingContext(domain_dn(name), NcKind.DOMAIN, name not in not_in_gc) for name in domains),
        *(NamingContext(f"DC={name},{FOREST_DN}", NcKind.APPLICATION) for name in apps),
    )


def _site(one: ASite, site_of: Mapping[str, str]) -> Site:
    name = one.generator
    return Site(
        guid=one.guid or guid_of("site", one.name),
        dn=f"CN={one.name},{SITES_DN}",
        name=one.name,
        options=one.options,
        generator=dsa_dn(name, site_of.get(name, one.name)) if name else "",
        failover_s=one.failover_s,
        schedule=one.schedule,
        has_settings=one.has_settings,
    )


def _dc(
    one: ADc,
    site_places: Mapping[str, SiteAt],
    ncs: Sequence[NamingContext],
    inbound: tuple[Connection, ...],
) -> Dc:
    due = _due(one, ncs)
    held = dict(due)
    for nc_name, replica in one.held.items():
        at = NcAt([label(nc) for nc in ncs].index(nc_name))
        if replica is None:
            held.pop(at, None)
        else:
            held[at] = replica
    flags = (DsaOption.IS_GC if one.gc else DsaOption.NONE) | (RODC_OPTIONS if one.rodc else DsaOption.NONE)
    return Dc(
        guid=one.guid or guid_of("dc", one.name),
        dn=dsa_dn(one.name, one.site),
        name=one.name,
        site=site_places[one.site],
        invocation_id=bytes(16) if one.rodc else guid_of("invocation", one.name),
        options=one.options | flags,
        behavior_version=one.behavior_version,
        is_read_only=one.rodc,
        domain=next(NcAt(at) for at, nc in enumerate(ncs) if nc.dn == domain_dn(one.domain)),
        held=held,
        due=due,
        is_preferred=one.preferred,
        connections=inbound,
    )


def _due(one: ADc, ncs: Sequence[NamingContext]) -> dict[NcAt, Replica]:
    full = Replica.READ_ONLY if one.rodc else Replica.WRITABLE
    due = {}
    for at, nc in enumerate(ncs):
        is_own = nc.kind in {NcKind.CONFIG, NcKind.SCHEMA} or nc.dn == domain_dn(one.domain)
        if is_own or (nc.kind is NcKind.APPLICATION and label(nc) in one.apps):
            due[NcAt(at)] = full
        elif nc.kind is NcKind.DOMAIN and one.gc and nc.is_in_gc:
            due[NcAt(at)] = Replica.PARTIAL
    return due


def _link(one: ALink, site_places: Mapping[str, SiteAt]) -> SiteLink:
    return SiteLink(
        guid=one.guid or guid_of("link", one.name),
        dn=f"CN={one.name},{TRANSPORT_DN}",
        name=one.name,
        sites=tuple(sorted({site_places[name] for name in one.sites})),
        cost=one.cost,
        interval_min=one.interval_min,
        options=one.options,
        window=one.window,
    )


def _bridges(
    bridges: Mapping[str, Sequence[str]], link_places: Mapping[str, LinkAt]
) -> tuple[SiteLinkBridge, ...]:
    made = [
        SiteLinkBridge(
            guid=guid_of("bridge", name),
            dn=f"CN={name},{TRANSPORT_DN}",
            name=name,
            links=tuple(sorted({link_places[link] for link in links})),
        )
        for name, links in bridges.items()
    ]
    return tuple(sorted(made, key=lambda bridge: bridge.guid))


def _connections(
    connections: Sequence[AConnection],
    dc_places: Mapping[str, DcAt],
    site_of: Mapping[str, str],
    now: FileTime,
) -> dict[str, tuple[Connection, ...]]:
    found: dict[str, list[Connection]] = {}
    for at, one in enumerate(connections):
        name = one.name or f"{one.source}-{at}"
        found.setdefault(one.target, []).append(
            Connection(
                guid=one.guid or guid_of("connection", f"{one.target}/{name}"),
                dn=f"CN={name},{dsa_dn(one.target, site_of[one.target])}",
                source=dc_places.get(one.source),
                target=dc_places[one.target],
                source_dn=dsa_dn(one.source, site_of.get(one.source, "Gone")),
                options=one.options,
                is_enabled=one.is_enabled,
                transport=one.transport,
                schedule=one.schedule,
                created=FileTime(now - int(one.age_h * HOUR_FT)),
            )
        )
    return {target: tuple(sorted(ones, key=lambda one: one.guid)) for target, ones in found.items()}
