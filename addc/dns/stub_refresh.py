"""Stub zones kept up to date: the name servers of another's zone, as its masters name them.

What is written is the zone's SOA, its NS records and the addresses of those servers that are in it; every
resolver of the domain's DCs then asks these servers. Runs in one process; while the masters are silent what
is there stays.

Spec: [MS-DNSP] 2.2.5.1.1 (DNS_ZONE_TYPE_STUB), RFC 1034 4.3.5 (refresh and retry)
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Final

from addc.base.errors import AddcError
from addc.base.rng import Rng
from addc.codec.dns_message import Record
from addc.codec.dns_names import Name, is_below
from addc.codec.dns_rdata import RANK_GLUE, RANK_ZONE, DnsRecord, DnsType, SoaData
from addc.directory import dns_node, dns_records
from addc.directory.api import Directory
from addc.directory.context import ReadContext, WriteContext
from addc.directory.dns_zones import ZoneFacts, ZoneType, all_zones, zone_named
from addc.dns.counters import Counters, alone
from addc.dns.forward import Forwarder
from addc.dns.recursion import Ask
from addc.dns.reply_reading import Kind, Reading, Trust, address_of, read_reply, servers_of
from addc.dns.upstream import Upstream
from addc.dns.upstream_sockets import Monotonic
from addc.security.token import SYSTEM

_LOG: Final = logging.getLogger("addc.dns")
LOOK_S: Final = 5.0
"""How long a new stub zone, or other masters of one, may go unseen."""
_REFRESH_MIN_S, _REFRESH_MAX_S = 60.0, 86_400.0
_RETRY_MIN_S, _RETRY_MAX_S = 30.0, 3600.0
_ASK_S: Final = 2.0
_PORT: Final = 53
_ADDRESS_TYPES: Final = (DnsType.A, DnsType.AAAA)


@dataclass(frozen=True, slots=True)
class StubServices:
    """own: addresses of this DC, which are no masters of its stub zones."""

    rng: Rng
    own: frozenset[str]
    counters: Counters = field(default_factory=alone)
    monotonic: Monotonic | None = None


@dataclass(slots=True)
class _Turn:
    """One zone's plan: whom it was asked of, and when that is to be done again."""

    masters: tuple[bytes, ...]
    due_s: float


Nodes = Mapping[str, tuple[DnsRecord, ...]]


class StubRefresh:
    """Refreshes the stub zones of one directory."""

    def __init__(self, directory: Directory, services: StubServices) -> None:
        self._directory = directory
        self._own = services.own
        self._monotonic = services.monotonic or _loop_time
        self._upstream = Upstream.of(services.rng, self._monotonic, services.counters)
        self._turns: dict[str, _Turn] = {}

    async def run(self, stop: asyncio.Event) -> None:
        """Refresh what is due until told to stop."""
        try:
            while not stop.is_set():
                try:
                    await self.step()
                except AddcError as error:
                    _LOG.warning("stub zones not refreshed", extra={"fields": {"why": str(error)}})
                try:
                    async with asyncio.timeout(LOOK_S):
                        await stop.wait()
                except TimeoutError:
                    continue
        finally:
            self._upstream.close()

    async def step(self) -> int:
        """Refresh the zones that are due; how many were written anew."""
        zones = await self._directory.read("dns.stubs", SYSTEM, _stub_zones)
        self._turns = {zone.name: self._turns[zone.name] for zone in zones if zone.name in self._turns}
        written = 0
        for zone in zones:
            masters = zone.properties.masters
            turn = self._turns.get(zone.name)
            if turn is None or turn.masters != masters:
                turn = self._turns[zone.name] = _Turn(masters, 0.0)
            if turn.due_s <= self._monotonic():
                written += await self._refresh(zone, turn)
        return written

    async def _refresh(self, zone: ZoneFacts, turn: _Turn) -> bool:
        """Ask the masters in their order; the first that is an authority counts."""
        soa, wanted = None, None
        for master in zone.properties.masters:
            address = str(ip_address(master))
            if address in self._own:
                continue
            found = await self._fetch(zone, Forwarder(address, _PORT))
            if found is not None:
                soa, wanted = found
                break
        if soa is None or wanted is None:
            held = await self._directory.read("dns.stub", SYSTEM, lambda ctx: _soa_of(ctx, zone))
            retry_s = float(held.retry) if held is not None else _RETRY_MIN_S
            turn.due_s = self._monotonic() + min(max(retry_s, _RETRY_MIN_S), _RETRY_MAX_S)
            return False
        turn.due_s = self._monotonic() + min(max(float(soa.refresh), _REFRESH_MIN_S), _REFRESH_MAX_S)
        return await self._directory.write("dns.stub", SYSTEM, _writer(zone.name, wanted))

    async def _fetch(self, zone: ZoneFacts, master: Forwarder) -> tuple[SoaData, Nodes] | None:
        """SOA, NS and addresses as one master tells them; None where it is no authority for the zone."""
        soa_reading = await self._ask(zone.apex, zone.apex, DnsType.SOA, master)
        ns_reading = await self._ask(zone.apex, zone.apex, DnsType.NS, master)
        if soa_reading is None or ns_reading is None:
            return None
        soa_records = _of_type(soa_reading, DnsType.SOA)
        ns_records = _of_type(ns_reading, DnsType.NS)
        if not soa_records or not ns_records or not isinstance(soa_records[0].data, SoaData):
            return None
        nodes: dict[str, tuple[DnsRecord, ...]] = {
            "@": tuple(_kept(r, RANK_ZONE) for r in (soa_records[0], *ns_records))
        }
        for server in servers_of(ns_records):
            relative = zone.relative(server)
            if not is_below(server, zone.apex) or relative is None or relative == "@":
                continue
            glue: list[DnsRecord] = []
            for kind in _ADDRESS_TYPES:
                reading = await self._ask(zone.apex, server, kind, master)
                told = _of_type(reading, kind) if reading is not None else ()
                glue += [_kept(r, RANK_GLUE) for r in told if address_of(r) not in self._own]
            if glue:
                nodes[relative] = tuple(glue)
        return soa_records[0].data, nodes

    async def _ask(self, apex: Name, name: Name, kind: int, master: Forwarder) -> Reading | None:
        """What the master says with authority."""
        ask = Ask(master, name, int(kind), recurse=False, lax=True, timeout_s=_ASK_S)
        heard = await self._upstream.ask(ask, mix_case=True)
        if heard.reply is None:
            return None
        reading = read_reply(heard.reply, name, int(kind), Trust(apex, must_be_authority=True))
        return reading if reading.kind in (Kind.ANSWER, Kind.NO_DATA) else None


def _loop_time() -> float:
    return asyncio.get_running_loop().time()


def _stub_zones(ctx: ReadContext) -> tuple[ZoneFacts, ...]:
    return tuple(zone for zone in all_zones(ctx) if zone.properties.type == ZoneType.STUB)


def _soa_of(ctx: ReadContext, zone: ZoneFacts) -> SoaData | None:
    soa = dns_node.soa_of(dns_records.records_at(ctx, zone, "@"))
    return soa.data if soa is not None and isinstance(soa.data, SoaData) else None


def _of_type(reading: Reading, kind: int) -> tuple[Record, ...]:
    return tuple(r for rrset in reading.rrsets for r in rrset.records if r.type == kind)


def _kept(record: Record, rank: int) -> DnsRecord:
    return DnsRecord(DnsType(record.type), record.data, ttl_s=record.ttl_s, rank=rank)


def _writer(name: str, wanted: Nodes) -> Callable[[WriteContext], bool]:
    """Makes the zone hold just `wanted`; whether anything had to be changed."""

    def work(ctx: WriteContext) -> bool:
        zone = zone_named(ctx, name)
        if zone is None or zone.properties.type != ZoneType.STUB:
            return False  # deleted, or made something else, while the masters were asked
        held = {node.relative: node.records for node in dns_records.nodes(ctx, zone) if node.records}
        if {key: _told(records) for key, records in held.items()} == {
            key: _told(records) for key, records in wanted.items()
        }:
            return False
        ended: Nodes = {relative: () for relative in held if relative not in wanted}
        dns_records.write_nodes(ctx, zone, {**ended, **wanted})
        return True

    return work


def _told(records: tuple[DnsRecord, ...]) -> frozenset[tuple[int, object, int]]:
    """What records say. A zone's serial alone is no reason to write: nobody asks a stub zone for it."""
    return frozenset(
        (r.type, (r.data.mname, r.data.rname, r.data.refresh, r.data.retry), r.ttl_s)
        if isinstance(r.data, SoaData)
        else (r.type, r.data, r.ttl_s)
        for r in records
    )
