"""A DC's own records in the zones that it holds: what is missing is added, what it no longer is removed.

It remembers what it registered and removes nothing else, so that records of other DCs and of administrators
stay. What belongs into zones that are not here is only told.

Spec: [MS-ADTS] 6.3.2 (registrations), 6.3.2.1.1, 6.3.2.2.1; [MS-DNSP] 2.3.2.1.1 (auto NS servers), 3.1.4.5.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from ipaddress import ip_address
from typing import Final

from addc.base.clock import TICKS_PER_S
from addc.base.ids import Usn
from addc.codec.dns_rdata import (
    AaaaData,
    AData,
    DnsPropertyId,
    DnsRecord,
    DnsType,
    NameData,
    RecordData,
    SrvData,
    split_name,
    unpack_ip4_array,
)
from addc.directory import dns_aging, dns_node, fsmo
from addc.directory.context import ReadContext, WriteContext
from addc.directory.dns_node import APEX, Records
from addc.directory.dns_records import below_cut, records_at, write_nodes
from addc.directory.dns_settings import settings
from addc.directory.dns_zones import ZoneFacts, ZoneType, all_zones
from addc.directory.locator_facts import all_site_names, locator_facts, locator_settings
from addc.directory.locator_records import (
    Address,
    LocatorFacts,
    LocatorRecord,
    dsa_name,
    locator_records,
    services,
)
from addc.security.token import SYSTEM
from addc.store.agenda import Due

STATE: Final = "dns.registered"
"""Named state: JSON, the records that this DC registered and where."""
KIND: Final = "dns registration"
"""Of the agenda's row that asks for a registration now."""
PERIOD_S: Final = 5.0
"""How often the job looks whether something changed."""
_NS_TTL_S: Final = 3600
_MSDCS: Final = "_msdcs"


@dataclass(frozen=True, slots=True)
class Item:
    """One record and where it belongs. zone: "" for a zone that is not here; why: what that means."""

    zone: str
    relative: str
    record: LocatorRecord
    why: str = field(default="", compare=False)

    def key(self) -> tuple[object, ...]:
        """What it is apart from its time to live and from the case of names."""
        one = self.record
        words = (self.zone, self.relative.lower(), one.kind, one.data.lower())
        return (*words, one.priority, one.weight, one.port)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one record. done: added, kept, refreshed, changed, removed, refused or elsewhere."""

    done: str
    item: Item
    why: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a registration is to do. writes: by zone's name, what each name is to hold."""

    outcomes: tuple[Outcome, ...]
    writes: Mapping[str, Mapping[str, Records]]
    remembered: tuple[Item, ...]


# --- memory ---


def registered(ctx: ReadContext) -> tuple[Item, ...] | None:
    """What this DC registered; None where it never did."""
    held = ctx.tx.state(STATE)
    if held is None:
        return None
    return tuple(Item(zone, relative, LocatorRecord(*told)) for zone, relative, told in json.loads(held))


def _keep(ctx: WriteContext, items: Iterable[Item]) -> None:
    told = [
        [one.zone, one.relative, [r.name, r.kind, r.data, r.ttl_s, r.priority, r.weight, r.port]]
        for one in items
        for r in (one.record,)
    ]
    data = json.dumps(told).encode()
    if data != ctx.tx.state(STATE):
        ctx.tx.set_state(STATE, data)


# --- places ---


class Places:
    """Finds the zone of a name, among those of this DC."""

    def __init__(self, ctx: ReadContext) -> None:
        self._ctx = ctx
        self.zones = {one.name: one for one in all_zones(ctx)}

    def item(self, record: LocatorRecord) -> Item:
        """The record with the zone that it belongs into."""
        labels = tuple(split_name(record.name))
        found = [one for one in self.zones.values() if one.relative(labels) is not None]
        zone = max(found, key=lambda one: len(one.apex), default=None)
        relative = None if zone is None else zone.relative(labels)
        if zone is None or relative is None:
            return Item("", record.name, record, "no zone of this DC holds it")
        if zone.properties.type != ZoneType.PRIMARY:
            return Item("", record.name, record, f"{zone.name} is another server's")
        if below_cut(self._ctx, zone, relative):
            return Item("", record.name, record, f"{zone.name} delegates it to another server")
        return Item(zone.name, relative, record)


def data_of(record: LocatorRecord) -> tuple[DnsType, RecordData]:
    """A record as zones hold it."""
    match record.kind:
        case "SRV":
            return DnsType.SRV, SrvData(record.priority, record.weight, record.port, record.data)
        case "A" | "AAAA":
            packed = ip_address(record.data).packed
            return (DnsType.A, AData(packed)) if record.kind == "A" else (DnsType.AAAA, AaaaData(packed))
    return DnsType[record.kind], NameData(record.data)


# --- what is wanted ---


def wanted_items(ctx: ReadContext, addresses: tuple[Address, ...], places: Places) -> list[Item]:
    """Every record of this DC, where it belongs."""
    facts = locator_facts(ctx, addresses)
    records = locator_records(facts, locator_settings(settings(ctx)))
    return [*map(places.item, records), *_ns_items(ctx, places, addresses)]


def _ns_items(ctx: ReadContext, places: Places, addresses: Sequence[Address]) -> Iterator[Item]:
    """This DNS server's name at the apex of each zone that it holds, and at its own delegations of _msdcs."""
    host = ctx.forest.host_fqdn
    for zone in places.zones.values():
        if zone.properties.type != ZoneType.PRIMARY or zone.name == "." or not _names_itself(zone, addresses):
            continue
        yield Item(zone.name, APEX, LocatorRecord(zone.name, "NS", host, _NS_TTL_S))
        parent = places.zones.get(zone.name.partition(".")[2])
        if zone.name.startswith(_MSDCS + ".") and parent is not None:
            if parent.properties.type == ZoneType.PRIMARY:
                yield Item(parent.name, _MSDCS, LocatorRecord(zone.name, "NS", host, _NS_TTL_S))


def _names_itself(zone: ZoneFacts, addresses: Sequence[Address]) -> bool:
    """Whether this server is among those that may add themselves; all are where nobody decided."""
    for one in zone.properties.others:
        if one.id == DnsPropertyId.DSPROPERTY_ZONE_AUTO_NS_SERVERS and one.data:
            listed = unpack_ip4_array(one.data)
            return not listed or any(address.packed in listed for address in addresses)
    return True


def possible_items(ctx: ReadContext, facts: LocatorFacts, places: Places) -> list[Item]:
    """Every SRV and CNAME record that a DC may ever have registered: in all roles, at all sites."""
    sites = tuple(dict.fromkeys((*facts.sites, *all_site_names(ctx))))
    widest = replace(
        facts, sites=sites, gc_sites=None, nc_sites={}, is_writable=True, is_gc=True, is_pdc=True
    )
    names = [LocatorRecord(one.name, "SRV", facts.host_fqdn, port=one.port) for one in services(widest)]
    names.append(LocatorRecord(dsa_name(facts), "CNAME", facts.host_fqdn))
    return [one for one in map(places.item, names) if one.zone]


def _adopted(ctx: ReadContext, wanted: Sequence[Item], places: Places) -> tuple[Item, ...]:
    """What is this DC's own where nothing is remembered: what names it, and the addresses at its own name."""
    facts = locator_facts(ctx, ())
    found = {one.key(): one for one in wanted if one.zone}
    for item in possible_items(ctx, facts, places):
        for held in records_at(ctx, places.zones[item.zone], item.relative):
            data = held.data
            if (
                isinstance(data, SrvData)
                and item.record.kind == "SRV"
                and _same(data.target, facts.host_fqdn)
            ):
                record = LocatorRecord(
                    item.record.name, "SRV", data.target, held.ttl_s, data.priority, data.weight, data.port
                )
            elif isinstance(data, NameData) and held.type == DnsType.CNAME and item.record.kind == "CNAME":
                record = LocatorRecord(item.record.name, "CNAME", data.name, held.ttl_s)
            else:
                continue
            own = Item(item.zone, item.relative, record)
            found[own.key()] = own
    return tuple([*found.values(), *_old_addresses(ctx, wanted, places)])


def _old_addresses(ctx: ReadContext, wanted: Sequence[Item], places: Places) -> Iterator[Item]:
    """The addresses at the DC's host name, which is nobody else's, wherever it registers addresses."""
    host = places.item(LocatorRecord(ctx.forest.host_fqdn, "A", ""))
    if not host.zone:
        return
    names = {(one.zone, one.relative): one.record.name for one in wanted if one.record.kind in ("A", "AAAA")}
    names[host.zone, host.relative] = host.record.name
    for held in records_at(ctx, places.zones[host.zone], host.relative):
        if isinstance(held.data, AData | AaaaData):
            for (zone, relative), name in names.items():
                if zone:
                    yield Item(zone, relative, _address_record(name, held))


def _address_record(name: str, held: DnsRecord) -> LocatorRecord:
    assert isinstance(held.data, AData | AaaaData)
    address = ip_address(held.data.address)
    return LocatorRecord(name, "A" if address.version == 4 else "AAAA", str(address), held.ttl_s)


def _same(one: str, other: str) -> bool:
    return one.rstrip(".").lower() == other.rstrip(".").lower()


# --- planning ---


def plan(ctx: ReadContext, addresses: tuple[Address, ...], *, forget: bool = False) -> Plan:
    """What registering now is to do. forget: as if it were the first time, so that what was lost is found."""
    places = Places(ctx)
    wanted = wanted_items(ctx, addresses, places)
    kept = None if forget else registered(ctx)
    before = _adopted(ctx, wanted, places) if kept is None else kept
    return _planned(ctx, places, wanted, before)


def _planned(ctx: ReadContext, places: Places, wanted: Sequence[Item], before: Sequence[Item]) -> Plan:
    keys = {one.key() for one in wanted}
    obsolete = [one for one in before if one.key() not in keys]
    outcomes = [Outcome("elsewhere", one, one.why) for one in wanted if not one.zone]
    writes: dict[str, dict[str, Records]] = {}
    by_name: dict[tuple[str, str], tuple[list[Item], list[Item]]] = {}
    for which, items in enumerate((obsolete, wanted)):
        for one in items:
            if one.zone:
                by_name.setdefault((one.zone, one.relative.lower()), ([], []))[which].append(one)
    for (name, _), (gone, new) in by_name.items():
        zone = places.zones.get(name)
        if zone is None:
            continue
        told, records = _at_name(ctx, zone, gone, new)
        outcomes += told
        if records is not None:
            writes.setdefault(name, {})[(new or gone)[0].relative] = records
    done = {"added", "kept", "refreshed", "changed"}
    return Plan(tuple(outcomes), writes, tuple(one.item for one in outcomes if one.done in done))


def _at_name(
    ctx: ReadContext, zone: ZoneFacts, gone: Sequence[Item], new: Sequence[Item]
) -> tuple[list[Outcome], Records | None]:
    """What becomes of the records at one name, and what it is to hold; None for as it is."""
    relative = (new or gone)[0].relative
    held = before = records_at(ctx, zone, relative)
    told: list[Outcome] = []
    for one in gone:
        kind, data = data_of(one.record)
        if dns_node.find(held, kind, data) is not None:
            held = dns_node.removed(held, kind, data)
            told.append(Outcome("removed", one, "this DC no longer has it"))
    for one in new:
        outcome, held = _with(ctx, zone, one, held)
        told.append(outcome)
    return told, held if set(held) != set(before) else None


def _with(ctx: ReadContext, zone: ZoneFacts, item: Item, held: Records) -> tuple[Outcome, Records]:
    kind, data = data_of(item.record)
    found = dns_node.find(held, kind, data)
    if found is None:
        alias = next((one for one in held if one.type == DnsType.CNAME), None)
        if alias is not None and kind != DnsType.CNAME:
            return Outcome("refused", item, "an alias of somebody else stands there"), held
        if dns_node.conflicts(held, kind):
            return Outcome("refused", item, "somebody else's records stand there"), held
        stamp = 0 if kind == DnsType.NS else dns_aging.new_stamp(item.relative, held, ctx.now)
        cut = kind != DnsType.NS and below_cut(ctx, zone, item.relative)
        rank = dns_node.rank_of(item.relative, kind, below_cut=cut)
        record = DnsRecord(kind, data, item.record.ttl_s, timestamp_h=stamp, rank=rank)
        return Outcome("added", item, "it was missing"), dns_node.added(held, record)
    (fresh,) = dns_aging.refreshed([found], zone.properties, ctx.now)
    word = "kept" if fresh == found else "refreshed"
    if found.ttl_s != item.record.ttl_s and kind != DnsType.NS:
        word, fresh = "changed", replace(fresh, ttl_s=item.record.ttl_s)
    return Outcome(word, item), tuple(fresh if one is found else one for one in held)


# --- doing ---


def register(ctx: WriteContext, addresses: tuple[Address, ...], *, forget: bool = False) -> Plan:
    """Bring the records up to date, as the DNS server itself; what was done."""
    todo = plan(ctx, addresses, forget=forget)
    _write(ctx, todo.writes)
    _keep(ctx, todo.remembered)
    return todo


def _write(ctx: WriteContext, writes: Mapping[str, Mapping[str, Records]]) -> None:
    zones, server = {one.name: one for one in all_zones(ctx)}, ctx.as_requester(SYSTEM)
    for name, wanted in writes.items():
        write_nodes(server, zones[name], wanted)


def request_registration(ctx: WriteContext) -> None:
    """Have the records registered now. Spec: [MS-ADTS] 6.3.2.2.1, [MS-NRPC] 3.5.4.9.1 (FORCE_DNS_REG)."""
    ctx.tx.put_due(Due(KIND, ctx.forest.domain_nc, b"", ctx.now))


class Registrar:
    """The job: registers at the start, every hour, and soon after roles, sites or addresses changed."""

    def __init__(self, addresses: Callable[[], tuple[Address, ...]]) -> None:
        """addresses: tells those to register, as they are now."""
        self._addresses = addresses
        self._seen: object = None
        self._usn = Usn(0)
        self._next_ft = 0

    def step(self, ctx: WriteContext) -> bool:
        """Register if it is time to."""
        chosen = settings(ctx)
        asked = bool(ctx.tx.due(KIND, ctx.now, 1))
        if not (chosen.register_records or asked):
            return False
        addresses, forest = self._addresses(), ctx.forest
        if not addresses:
            return False  # the network is not there yet; what is registered stays
        seen = (addresses, fsmo.holder(ctx, fsmo.PDC), forest.host_fqdn, locator_settings(chosen), chosen)
        changed = ctx.tx.changes(forest.config_nc, self._usn, 1)
        if not asked and seen == self._seen and not changed and ctx.now < self._next_ft:
            return False
        register(ctx, addresses)
        ctx.tx.drop_due(KIND, forest.domain_nc)
        usn, next_ft = ctx.tx.usn, ctx.now + max(chosen.register_every_min, 1) * 60 * TICKS_PER_S

        def done() -> None:
            self._seen, self._usn, self._next_ft = seen, usn, next_ft

        ctx.tx.after_commit(done)
        return False
