"""What a DC's locator records are made from, read from the directory: its roles, its sites, those it covers.

Spec: [MS-ADTS] 6.3.2.3, 6.1.1.2.2.1 (sites), 6.1.1.2.2.1.2.1.1 (nTDSDSA), 6.1.1.2.2.3 (site links),
6.1.1.2.2.2 (transports).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from addc.base.errors import DsError
from addc.base.ids import Dnt
from addc.directory import entry, fsmo, names
from addc.directory.config_facts import ConfigFact
from addc.directory.context import ReadContext
from addc.directory.dns_settings import DnsSettings, settings
from addc.directory.locator_records import Address, LocatorFacts, LocatorSettings
from addc.directory.site_coverage import Placed, SiteLink, Topology, covered
from addc.directory.sites import own_site, targets_of
from addc.schema import attr, cls
from addc.store.objects import ObjectRow, ObjectState

_IS_GC: Final = 0x1
"""NTDSDSA_OPT_IS_GC of nTDSDSA's options."""
_BRIDGES_REQUIRED: Final = 0x2
"""NTDSTRANSPORT_OPT_BRIDGES_REQUIRED: links are not all bridged."""
_COST: Final = 100


@dataclass(frozen=True, slots=True)
class DcPlace:
    """One DC of the forest. ncs: roots of the naming contexts that it holds in full."""

    site: Dnt
    dsa: Dnt
    ncs: frozenset[Dnt]
    is_writable: bool
    is_gc: bool


def _children(ctx: ReadContext, dn: str) -> Iterator[ObjectRow]:
    try:
        yield from names.children(ctx, names.resolve(ctx, dn).dnt)
    except DsError:
        return


_TOPOLOGY: Final[ConfigFact[Topology]] = ConfigFact()
_PLACES: Final[ConfigFact[tuple[DcPlace, ...]]] = ConfigFact()


def topology(ctx: ReadContext) -> Topology:
    """The forest's sites and how IP links them."""
    return _TOPOLOGY.get(ctx, lambda: _read_topology(ctx))


def _read_topology(ctx: ReadContext) -> Topology:
    base = f"CN=Sites,{ctx.forest.config_dn}"
    found = {row.dnt: row.rdn for row in _children(ctx, base) if row.class_id == cls.SITE}
    transport = f"CN=IP,CN=Inter-Site Transports,{base}"
    rows = list(_children(ctx, transport))
    links = [row for row in rows if row.class_id == cls.SITE_LINK]
    sites = targets_of(ctx, attr.SITE_LIST, [row.dnt for row in links])
    told = tuple(
        SiteLink(
            frozenset(sites.get(row.dnt, ())) & found.keys(), max(entry.integer(row, attr.COST, _COST), 1)
        )
        for row in links
    )
    if not _needs_bridges(ctx, transport):
        return Topology(found, told)
    place = {row.dnt: at for at, row in enumerate(links)}
    bridges = [row.dnt for row in rows if row.class_id == cls.SITE_LINK_BRIDGE]
    bridged = targets_of(ctx, attr.SITE_LINK_LIST, bridges)
    return Topology(
        found,
        told,
        tuple(frozenset(place[at] for at in bridged.get(one, ()) if at in place) for one in bridges),
    )


def _needs_bridges(ctx: ReadContext, transport: str) -> bool:
    try:
        return bool(entry.integer(names.resolve(ctx, transport), attr.OPTIONS) & _BRIDGES_REQUIRED)
    except DsError:
        return False


def dc_places(ctx: ReadContext) -> tuple[DcPlace, ...]:
    """Every DC of the forest."""
    return _PLACES.get(ctx, lambda: tuple(_read_places(ctx)))


def _read_places(ctx: ReadContext) -> Iterator[DcPlace]:
    """By class, and from each nTDSDSA up to its site: few questions however many sites there are."""
    sites = topology(ctx).sites
    classes = (cls.NTDSDSA, cls.NTDSDSARO)
    dsas = [row for row in _of_class(ctx, b"nTDSDSA") if row.class_id in classes]
    above = _parents(ctx, dsas)
    containers = _parents(ctx, above.values())
    ncs: dict[Dnt, set[Dnt]] = {}
    for att in (attr.MS_DS_HAS_MASTER_N_CS, attr.HAS_MASTER_N_CS, attr.MS_DS_HAS_FULL_REPLICA_N_CS):
        for dnt, held in targets_of(ctx, att, [row.dnt for row in dsas]).items():
            ncs.setdefault(dnt, set()).update(held)
    for dsa in dsas:
        server = above.get(dsa.parent)
        servers = None if server is None else containers.get(server.parent)
        if servers is None or servers.class_id != cls.SERVERS_CONTAINER or servers.parent not in sites:
            continue
        is_gc = bool(entry.integer(dsa, attr.OPTIONS) & _IS_GC)
        held_ncs = frozenset(ncs.get(dsa.dnt, ()))
        yield DcPlace(servers.parent, dsa.dnt, held_ncs, dsa.class_id == cls.NTDSDSA, is_gc)


def _of_class(ctx: ReadContext, name: bytes) -> list[ObjectRow]:
    by_class = ctx.schema.attribute_by_id(attr.OBJECT_CLASS)
    assert by_class is not None
    found = ctx.tx.get_many(ctx.tx.index_eq(attr.OBJECT_CLASS, by_class.syntax.key(name)))
    return [row for row in found if row.state is ObjectState.LIVE]


def _parents(ctx: ReadContext, rows: Iterable[ObjectRow]) -> dict[Dnt, ObjectRow]:
    found = ctx.tx.get_many(list({row.parent for row in rows}))
    return {row.dnt: row for row in found if row.state is ObjectState.LIVE}


def _counted(places: Iterable[DcPlace]) -> dict[Dnt, Placed]:
    found: dict[Dnt, Placed] = {}
    for one in places:
        before = found.get(one.site, Placed(0, 0))
        found[one.site] = Placed(before.count + 1, before.writable + one.is_writable)
    return found


@dataclass(frozen=True, slots=True)
class Coverage:
    """The names of the sites that this DC registers: as a DC, as a GC, and by the NC that it hosts."""

    dc: tuple[str, ...]
    gc: tuple[str, ...]
    ncs: dict[Dnt, tuple[str, ...]]


def coverage(ctx: ReadContext) -> Coverage:
    """Its own site, those that an operator listed, and those that it is closest to."""
    chosen, places, sites = settings(ctx), dc_places(ctx), topology(ctx)
    own = next((one for one in places if one.dsa == ctx.forest.dsa_dnt), None)
    if own is None or own.site not in sites.sites:
        return Coverage((own_site(ctx),), (own_site(ctx),), {})

    def of(counted: Iterable[DcPlace], listed: tuple[str, ...]) -> tuple[str, ...]:
        more = covered(sites, _counted(counted), own.site) if chosen.cover_sites else ()
        return _unlike((sites.sites[own.site], *listed, *more))

    return Coverage(
        of((one for one in places if ctx.forest.domain_nc in one.ncs), chosen.dc_sites),
        of((one for one in places if one.is_gc), chosen.gc_sites),
        {nc: of((one for one in places if nc in one.ncs), chosen.nc_sites) for nc in hosted_ncs(ctx, own)},
    )


def _unlike(told: Iterable[str]) -> tuple[str, ...]:
    """Names without those that differ in case alone from one before."""
    found: dict[str, str] = {}
    for one in told:
        found.setdefault(one.casefold(), one)
    return tuple(found.values())


def hosted_ncs(ctx: ReadContext, place: DcPlace) -> list[Dnt]:
    """The application NCs that a DC has, in order of their names."""
    forest = ctx.forest
    others = place.ncs - {forest.domain_nc, forest.root_nc, forest.config_nc, forest.schema_nc}
    found = {nc: dns_name(names.dn_of(ctx, nc)) for nc in others}
    return sorted((nc for nc, name in found.items() if name), key=lambda nc: found[nc].casefold())


def dns_name(dn: str) -> str:
    """The DNS name of an NC; "" for a DN that is not of domain components alone. Spec: 3.1.1.1.5."""
    parts = names.parse(dn)
    rdns = getattr(parts, "rdns", ())
    if not rdns or any(one.att.upper() != "DC" for one in rdns):
        return ""
    return ".".join(one.value for one in rdns)


def all_site_names(ctx: ReadContext) -> tuple[str, ...]:
    """Every site of the forest."""
    return tuple(topology(ctx).sites.values())


def locator_facts(ctx: ReadContext, addresses: tuple[Address, ...]) -> LocatorFacts:
    """What this DC's records are made from, now."""
    forest, found = ctx.forest, coverage(ctx)
    own = next((one for one in dc_places(ctx) if one.dsa == forest.dsa_dnt), None)
    ncs = {nc: dns_name(names.dn_of(ctx, nc)) for nc in found.ncs}
    return LocatorFacts(
        dns_domain=forest.dns_domain,
        dns_forest=forest.dns_forest,
        host_fqdn=forest.host_fqdn,
        domain_guid=forest.domain_guid,
        dsa_guid=forest.dsa_guid,
        sites=found.dc,
        addresses=addresses,
        app_ncs=tuple(ncs.values()),
        is_writable=own is None or own.is_writable,
        is_gc=own is None or own.is_gc,
        is_pdc=fsmo.is_ours(ctx, fsmo.PDC),
        gc_sites=found.gc,
        nc_sites={ncs[nc]: told for nc, told in found.ncs.items()},
    )


def locator_settings(chosen: DnsSettings) -> LocatorSettings:
    """What an operator decided about the records."""
    return LocatorSettings(
        chosen.locator_ttl_s, chosen.srv_priority, chosen.srv_weight, frozenset(chosen.avoid_records)
    )
