"""Scavenging: the server goes through its zones and ends what is stale, part by part.

A run goes on where it stopped, also after a restart. A name that loses its last record stays as a tombstone
for other DCs' servers; these are removed after DsTombstoneInterval, whether any zone ages or not.

Spec: [MS-DNSP] 3.1.4.1 (StartScavenging, AbortScavenging), 3.1.1.1.1 (ScavengingInterval,
DsTombstoneInterval), 2.2.2.2.4.23 (DNS_RPC_RECORD_TS).
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Final

from addc.base.clock import HOUR_FT
from addc.base.errors import DecodeError
from addc.base.ids import Dnt
from addc.codec.dns_rdata import AaaaData, AData, DnsRecord, TombstoneData, split_name, timestamp_hours
from addc.directory import dns_aging
from addc.directory.context import ReadContext, WriteContext
from addc.directory.delete import delete_row
from addc.directory.dns_records import Node, is_tombstoned, node_of, records_at, write_nodes
from addc.directory.dns_settings import settings
from addc.directory.dns_zones import ZoneFacts, all_zones
from addc.schema import attr, cls
from addc.security.token import SYSTEM
from addc.store.agenda import Due
from addc.store.objects import ObjectRow, ObjectState

KIND: Final = "dns scavenging"
"""Of the agenda's row that asks for a run now."""
STATE: Final = "dns.scavenging"
"""Named state: a Course as JSON."""
PERIOD_S: Final = 3600.0
BATCH: Final = 200
"""Names of one transaction."""
_AWAY_H: Final = 24
"""Machines that could not reach the server for so long may have missed a refresh."""
_DAY_H: Final = 24


@dataclass(frozen=True, slots=True)
class Course:
    """Where scavenging stands. Times in hours since 1601, 0 for never.

    alive_h: when the job last ran. since_h: when it came back after it had been away. last_h: when the last
    run began. running: whether one is under way; zones: what it has before it; at: the last row that it saw.
    names, records: what this run, or the last one, ended.
    buried_h: when tombstones were last removed; bury_at: the last one seen, while that is under way.
    """

    alive_h: int = 0
    since_h: int = 0
    last_h: int = 0
    running: bool = False
    zones: tuple[int, ...] = ()
    at: int = 0
    names: int = 0
    records: int = 0
    buried_h: int = 0
    bury_at: int = 0


@dataclass(frozen=True, slots=True)
class Stale:
    """A name and those of its records that are stale. whole: nothing of it is left."""

    name: str
    records: tuple[DnsRecord, ...]
    whole: bool


@dataclass(frozen=True, slots=True)
class Report:
    """What scavenging a zone would end, or did. why_not: what keeps the server from it; names: looked at."""

    zone: str
    why_not: str = ""
    names: int = 0
    stale: tuple[Stale, ...] = field(default=())


def course(ctx: ReadContext) -> Course:
    """Where scavenging stands."""
    held = ctx.tx.state(STATE)
    if held is None:
        return Course()
    told = json.loads(held)
    return Course(**{**told, "zones": tuple(told["zones"])})


def _keep(ctx: WriteContext, now: Course) -> None:
    ctx.tx.set_state(STATE, json.dumps(asdict(now), sort_keys=True).encode())


# --- asking for it ---


def request_scavenging(ctx: WriteContext) -> None:
    """Have a run begin now, whatever the interval is; the caller has asked who may."""
    ctx.tx.put_due(Due(KIND, ctx.forest.domain_nc, b"", ctx.now))


def abort_scavenging(ctx: WriteContext) -> None:
    """End a run that is under way; what it has ended stays ended."""
    ctx.tx.drop_due(KIND, ctx.forest.domain_nc)
    _keep(ctx, replace(course(ctx), running=False, zones=(), at=0))


# --- the job ---


def step(ctx: WriteContext) -> bool:
    """One part of what is due; whether more waits."""
    now, hour = course(ctx), timestamp_hours(ctx.now)
    before = now
    if hour - now.alive_h >= _AWAY_H and now.alive_h:
        now = replace(now, since_h=hour)
    now = replace(now, alive_h=max(hour, now.alive_h))
    if not now.running and _is_due(ctx, now, hour):
        ctx.tx.drop_due(KIND, ctx.forest.domain_nc)
        zones = tuple(int(one.row.dnt) for one in all_zones(ctx) if not why_not(ctx, one, now))
        now = replace(now, running=True, last_h=hour, zones=zones, at=0, names=0, records=0)
    more = now.running
    if now.running:
        now = _part(ctx, now)
    elif hour >= now.buried_h + _DAY_H:
        last = _bury(ctx, Dnt(now.bury_at))
        more = last is not None
        now = replace(now, bury_at=0, buried_h=hour) if last is None else replace(now, bury_at=int(last))
    if now != before:
        _keep(ctx, now)
    return more


def _is_due(ctx: ReadContext, now: Course, hour: int) -> bool:
    if ctx.tx.due(KIND, ctx.now, 1):
        return True
    interval_h = settings(ctx).scavenging_interval_h
    return bool(interval_h) and hour >= now.last_h + interval_h


def why_not(ctx: ReadContext, zone: ZoneFacts, now: Course) -> str:
    """What keeps this server from scavenging a zone."""
    return dns_aging.why_not(zone, ctx.now, addresses_in_dns(ctx), served_since_h=now.since_h)


def addresses_in_dns(ctx: ReadContext) -> tuple[bytes, ...]:
    """This server's addresses, as DNS tells them."""
    labels = tuple(split_name(ctx.forest.host_fqdn))
    found: list[bytes] = []
    for zone in all_zones(ctx):
        relative = zone.relative(labels)
        if relative is not None:
            records = records_at(ctx, zone, relative)
            found += [one.data.address for one in records if isinstance(one.data, AData | AaaaData)]
    return tuple(found)


def _part(ctx: WriteContext, now: Course) -> Course:
    """One batch of the run's first zone."""
    zones = {int(one.row.dnt): one for one in all_zones(ctx)}
    zone = zones.get(now.zones[0]) if now.zones else None
    if not now.zones:
        return replace(now, running=False)
    if zone is None or why_not(ctx, zone, now):
        return replace(now, zones=now.zones[1:], at=0)
    found, last = scavenge_part(ctx, zone, Dnt(now.at))
    names, records = len(found), sum(len(one.records) for one in found)
    now = replace(now, names=now.names + names, records=now.records + records)
    return replace(now, zones=now.zones[1:], at=0) if last is None else replace(now, at=int(last))


def scavenge_part(ctx: WriteContext, zone: ZoneFacts, after: Dnt) -> tuple[list[Stale], Dnt | None]:
    """End what is stale in the next names of a zone; what that was, and the last row seen (None: the end)."""
    held, last = _batch(ctx, zone, after)
    found = list(_stale(ctx, zone, held))
    if found:
        whole = {node.relative: node.records for node in held}
        gone = {one.name: set(one.records) for one in found}
        wanted = {name: [one for one in whole[name] if one not in ended] for name, ended in gone.items()}
        write_nodes(ctx.as_requester(SYSTEM), zone, wanted)
    return found, last


def _batch(ctx: ReadContext, zone: ZoneFacts, after: Dnt) -> tuple[list[Node], Dnt | None]:
    dnts = ctx.tx.child_dnts(zone.row.dnt, after, BATCH)
    rows = ctx.tx.get_many(dnts)
    held = [node_of(row) for row in rows if row.class_id == cls.DNS_NODE and row.state is ObjectState.LIVE]
    return held, dnts[-1] if len(dnts) == BATCH else None


def _stale(ctx: ReadContext, zone: ZoneFacts, held: Sequence[Node]) -> Iterator[Stale]:
    for node in held:
        kept = dns_aging.left(node.relative, node.records, zone.properties, ctx.now)
        if len(kept) != len(node.records):
            ended = tuple(one for one in node.records if one not in kept)
            yield Stale(node.relative, ended, not kept)


def report(ctx: ReadContext, zone: ZoneFacts) -> Report:
    """What scavenging the zone now would end."""
    names, found, after = 0, list[Stale](), Dnt(0)
    while True:
        held, last = _batch(ctx, zone, after)
        names += len(held)
        found += _stale(ctx, zone, held)
        if last is None:
            return Report(zone.name, why_not(ctx, zone, course(ctx)), names, tuple(found))
        after = last


# --- tombstones ---


def _bury(ctx: WriteContext, after: Dnt) -> Dnt | None:
    """Remove those of the next tombstones that are old enough; the last one seen, None at the end."""
    attribute = ctx.schema.attribute_by_id(attr.DNS_TOMBSTONED)
    assert attribute is not None
    before = ctx.now - settings(ctx).tombstone_interval_h * HOUR_FT
    dnts = ctx.tx.index_eq(attr.DNS_TOMBSTONED, attribute.syntax.key(b"TRUE"), limit=BATCH, after=after)
    for row in ctx.tx.get_many(dnts):
        if row.state is ObjectState.LIVE and row.class_id == cls.DNS_NODE and _ended_by(row, before):
            delete_row(ctx, row)
    return dnts[-1] if len(dnts) == BATCH else None


def _ended_by(row: ObjectRow, when: int) -> bool:
    """Whether a tombstone says that it is one since before `when`."""
    if not is_tombstoned(row):
        return False
    try:
        found = [DnsRecord.unpack(value) for value in row.attrs.get(attr.DNS_RECORD, ())]
    except DecodeError:
        return False
    times = [one.data.entombed_ft for one in found if isinstance(one.data, TombstoneData)]
    return len(found) == len(times) and bool(times) and max(times) <= when
