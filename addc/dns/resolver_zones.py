"""Whom to ask for which names, as the directory and this server's settings say.

Conditional forwarders and stub zones are zones of the directory, root hints are the records of its zone
RootDNSServers; forwarders for everything else are this server's own setting.

Spec: [MS-DNSP] 2.2.5.1.1 (DNS_ZONE_TYPE_FORWARDER, DNS_ZONE_TYPE_STUB), 2.3.1.2 (RootDNSServers), 3.1.1.1.2
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Final

from addc.base.errors import DecodeError
from addc.codec.dns_data import DnskeyData, DsData
from addc.codec.dns_message import CLASS_IN, Record
from addc.codec.dns_names import Name
from addc.codec.dns_rdata import AaaaData, AData, DnsRecord, DnsType, NameData
from addc.codec.dns_text import parse_rdata
from addc.codec.dns_wire import rdata_name
from addc.directory import dns_records, sites
from addc.directory.context import ReadContext
from addc.directory.dns_settings import DnsSettings, settings, zone_settings
from addc.directory.dns_zones import ROOT_HINTS, TRUST_ANCHORS, ZoneFacts, ZoneType, all_zones, zone_named
from addc.dns.forward import Forwarder, parse_forwarder, usable
from addc.dns.recursion import Route, World
from addc.dns.recursion_acl import NEAR, Network, networks_of
from addc.dns.reply_reading import Delegation
from addc.dns.validator import Anchor

_PORT: Final = 53


@dataclass(frozen=True, slots=True)
class Plan:
    """How questions about others' names are answered.

    private: zones that only we know the way to. anchors: what is believed of zones' keys, where answers are
    validated.
    """

    settings: DnsSettings
    world: World
    networks: tuple[Network, ...]
    private: frozenset[Name]
    anchors: Mapping[Name, Anchor] = field(default_factory=dict)

    @property
    def can_ask(self) -> bool:
        """Whether there is anybody to ask."""
        return self.settings.recursion and bool(self.world.routes or self.world.hints is not None)


@dataclass(frozen=True, slots=True)
class Own:
    """This server. attached: the networks that it has a leg in."""

    addresses: frozenset[str]
    port: int
    configured: tuple[Forwarder, ...]
    attached: tuple[Network, ...] = ()


def read_plan(ctx: ReadContext, own: Own) -> Plan:
    """The plan as of the context's snapshot."""
    wanted = settings(ctx)
    hints = _root_hints(ctx, own) if wanted.use_root_hints else None
    routes: dict[Name, Route] = {}
    others = _usable(_forwarders(wanted, own), own)
    if others:
        slave = wanted.is_slave or hints is None
        routes[()] = Route((), others, timeout_s=float(wanted.forward_timeout_s), is_slave=slave)
    private = set()
    for zone in all_zones(ctx):
        route = _route(ctx, zone, own, has_hints=hints is not None)
        if route is not None:
            routes[zone.apex] = route
            private.add(zone.apex)
    world = World(routes, hints, own.addresses, wanted.minimise_names)
    anchors = _anchors(ctx, wanted) if wanted.validate else {}
    return Plan(wanted, world, _networks(ctx, wanted, own), frozenset(private), anchors)


def _forwarders(wanted: DnsSettings, own: Own) -> Sequence[Forwarder]:
    """The settings' forwarders, those of the configuration while the settings say nothing."""
    if wanted.forwarders is None:
        return own.configured
    found = []
    for text in wanted.forwarders:
        try:
            found.append(parse_forwarder(text))
        except DecodeError:
            continue
    return found


def _usable(servers: Iterable[Forwarder], own: Own) -> tuple[Forwarder, ...]:
    """The servers that are not ourselves."""
    return usable(servers, own.addresses, own.port)


def _route(ctx: ReadContext, zone: ZoneFacts, own: Own, *, has_hints: bool) -> Route | None:
    """The way to a zone of another's; None for a zone that is ours, or that names nobody."""
    if zone.properties.type == ZoneType.FORWARDER:
        masters = (Forwarder(str(ip_address(a)), _PORT) for a in zone.properties.masters)
        servers = _usable(masters, own)
        chosen = zone_settings(ctx, zone.name)
        slave = chosen.forward_is_slave or not has_hints
        timeout_s = float(chosen.forward_timeout_s)
        return Route(zone.apex, servers, timeout_s=timeout_s, is_slave=slave) if servers else None
    if zone.properties.type == ZoneType.STUB:
        return Route(zone.apex, stub=_stub(ctx, zone, own))
    return None


def _stub(ctx: ReadContext, zone: ZoneFacts, own: Own) -> Delegation:
    """The servers that the zone's refreshed records name; its masters before they were ever fetched."""
    names = _names_of(dns_records.records_at(ctx, zone, "@"))
    glue: dict[Name, tuple[Record, ...]] = {}
    for name in names:
        relative = zone.relative(name)
        held = dns_records.records_at(ctx, zone, relative) if relative is not None else ()
        if found := _addresses(name, held):
            glue[name] = found
    masters = (Forwarder(str(ip_address(a)), _PORT) for a in zone.properties.masters)
    return Delegation(zone.apex, names, glue, fixed=() if names else _usable(masters, own))


def _root_hints(ctx: ReadContext, own: Own) -> Delegation | None:
    """The addresses in the zone of root hints; None where it holds none."""
    zone = zone_named(ctx, ROOT_HINTS)
    if zone is None:
        return None
    names = set(_names_of(dns_records.records_at(ctx, zone, "@")))
    servers = []
    for node in dns_records.nodes(ctx, zone):
        try:
            name = rdata_name(node.relative)
        except DecodeError:
            continue
        if name in names:
            for record in _addresses(name, node.records):
                assert isinstance(record.data, AData | AaaaData)
                servers.append(Forwarder(str(ip_address(record.data.address)), _PORT))
    others = _usable(servers, own)
    return Delegation((), tuple(names), fixed=others) if others else None


def _anchors(ctx: ReadContext, wanted: DnsSettings) -> dict[Name, Anchor]:
    """The trust anchors of the settings, and those that the directory holds for all DNS servers."""
    found: dict[Name, list[DsData | DnskeyData]] = {}
    for text in wanted.trust_anchors:
        owner, kind, *words = [word for word in text.split() if word.upper() != "IN"] + ["", ""]
        try:
            rtype = DnsType[kind.upper()]
            data = parse_rdata(rtype, [word for word in words if word])
            name = rdata_name(owner)
        except (KeyError, DecodeError):
            continue
        if isinstance(data, DsData | DnskeyData):
            found.setdefault(name, []).append(data)
    zone = zone_named(ctx, TRUST_ANCHORS)
    for node in dns_records.nodes(ctx, zone) if zone is not None else ():
        try:
            name = rdata_name("." if node.relative == "@" else node.relative)
        except DecodeError:
            continue
        for record in node.records:
            if isinstance(record.data, DsData | DnskeyData):
                found.setdefault(name, []).append(record.data)
    return {
        name: Anchor(
            tuple(one for one in held if isinstance(one, DsData)),
            tuple(one for one in held if isinstance(one, DnskeyData)),
        )
        for name, held in found.items()
    }


def _names_of(records: Iterable[DnsRecord]) -> tuple[Name, ...]:
    found: dict[Name, None] = {}
    for record in records:
        if record.type == DnsType.NS and isinstance(record.data, NameData):
            try:
                found[rdata_name(record.data.name)] = None
            except DecodeError:
                continue
    return tuple(found)


def _addresses(owner: Name, records: Iterable[DnsRecord]) -> tuple[Record, ...]:
    return tuple(
        Record(owner, record.type, CLASS_IN, record.ttl_s, record.data)
        for record in records
        if record.type in (DnsType.A, DnsType.AAAA)
    )


def _networks(ctx: ReadContext, wanted: DnsSettings, own: Own) -> tuple[Network, ...]:
    """Whom we ask for: those listed; else our neighbours and the subnets of the forest's sites."""
    if wanted.recursion_networks is not None:
        return networks_of(wanted.recursion_networks)
    subnets = (network for network, _ in sites.site_map(ctx).subnets)
    return (*NEAR, *own.attached, *subnets)
