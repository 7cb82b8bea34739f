"""Copies of zones, out and in, for the one process that makes them: who may have one, and what it is given.

Requests come from the desk, which has verified signatures and signs the replies. A transfer is made of an
image that no later change touches, message by message on a thread, as fast as who asked takes them.

Spec: RFC 5936 2.2, 5 (AXFR, who may), RFC 1995 2, 4 (IXFR), RFC 1996 3.10, 4.7 (NOTIFY in)
"""

import asyncio
import logging
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from ipaddress import IPv6Address, ip_address, ip_network
from itertools import islice
from typing import Final

from addc.base.clock import Clock, to_unix
from addc.base.errors import AddcError
from addc.base.rng import Rng
from addc.codec.dns_message import CLASS_IN, Message, encode_message, reply_to
from addc.codec.dns_names import Name, fold, name_text, parse_name
from addc.codec.dns_rdata import DnsType, NameData, SoaData
from addc.codec.dns_wire import unpack_rdata
from addc.codes.rcode import Rcode
from addc.directory import dns_tsig_keys
from addc.directory.api import Directory
from addc.directory.context import ReadContext
from addc.directory.dns_keys import is_signed
from addc.directory.dns_node import is_later
from addc.directory.dns_secondary import split_address
from addc.directory.dns_settings import ZoneSettings, zone_settings
from addc.directory.dns_tsig_keys import KeyRight
from addc.dns.counters import Count, Counters
from addc.dns.journal import shortest
from addc.dns.notify import TRIES_S, Notifier, NotifyServices
from addc.dns.peers import Peer, key_of
from addc.dns.refusal_log import RefusalLog
from addc.dns.secondary import Pace, Secondaries, SecondaryServices
from addc.dns.secondary_zones import SecondaryZones
from addc.dns.server_addresses import ServerAddresses
from addc.dns.signed_copies import SignedCopies
from addc.dns.transfer import TYPE_AXFR, TYPE_IXFR, Head, Step, full, incremental, messages, single
from addc.dns.zone_content import Rr, soa_serial
from addc.dns.zone_follower import Followed, ZoneFollower
from addc.security.token import SYSTEM

_LOG: Final = logging.getLogger("addc.dns.transfer")
LOOK_S: Final = 1.0
AT_ONCE: Final = 10
AT_ONCE_PER_SOURCE: Final = 3
WHOLE_PER_MINUTE: Final = 30
"""Whole zones that one address gets in a minute."""
_SOURCES_MAX: Final = 4096
_CHUNK: Final = 4
"""Messages made at one time on a thread."""
_UDP_MIN: Final = 512
_UDP_MAX: Final = 1232
_MINUTE_S: Final = 60


@dataclass(frozen=True, slots=True)
class TransferServices:
    """What comes from outside. own: this DC's addresses, which are never notified."""

    rng: Rng
    clock: Clock
    counters: Counters
    own: frozenset[str] = frozenset()
    tries_s: tuple[float, ...] = TRIES_S
    pace: Pace = field(default_factory=Pace)


@dataclass(frozen=True, slots=True)
class _Source:
    """What a transfer is made of. steps: None where only all of it will do."""

    soa: Rr
    records: Iterable[Rr]
    steps: tuple[Step, ...] | None


class Transfers:
    """Zone transfers of this server; one object, in one process."""

    def __init__(self, directory: Directory, services: TransferServices) -> None:
        self._directory = directory
        self._services = services
        self._addresses = ServerAddresses(directory)
        self._refusals = RefusalLog(_LOG)
        self._notifier = Notifier(
            NotifyServices(services.rng, services.clock, services.counters, services.tries_s)
        )
        self._follower = ZoneFollower(directory, services.clock, self._changed)
        self._signed = SignedCopies(directory, services.clock)
        self.copies = SecondaryZones()
        """The content of secondary zones, as this process has it."""
        self.secondaries = Secondaries(
            directory,
            self.copies,
            SecondaryServices(services.rng, services.clock, services.counters, services.pace),
        )
        self._running: dict[str, int] = {}
        self._whole: OrderedDict[str, deque[int]] = OrderedDict()
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self, stop: asyncio.Event) -> None:
        """Follow the directory, tell of changes and keep copies, until `stop` is set."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.secondaries.run(stop))
            while not stop.is_set():
                await self._look()
                try:
                    async with asyncio.timeout(LOOK_S):
                        await stop.wait()
                except TimeoutError:
                    continue
        await self.close()

    async def _look(self) -> None:
        try:
            await asyncio.to_thread(self._directory.poll)
            await self._follower.look()
        except AddcError as error:
            _LOG.error("zones cannot be followed", extra={"fields": {"why": str(error)}})

    async def close(self) -> None:
        """Stop telling of changes."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._notifier.close()

    async def settled(self) -> None:
        """Look once, and wait until everybody was told of what it found."""
        await self._look()
        while self._tasks:
            await asyncio.gather(*self._tasks)
        await self._notifier.settled()

    # --- NOTIFY ---

    def _changed(self, zone: Followed) -> None:
        if zone.settings.notify == "off" or zone.soa is None:
            return
        task = asyncio.get_running_loop().create_task(self._tell(zone))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _tell(self, zone: Followed) -> None:
        soa, settings = zone.soa, zone.settings
        assert soa is not None
        try:
            key = await key_of(self._directory, settings.notify_key)
            found = await self._told(zone)
        except (AddcError, OSError) as error:
            fields = {"zone": zone.image.zone.name, "why": str(error)}
            _LOG.warning("servers cannot be told of a change", extra={"fields": fields})
            return
        self._notifier.tell(soa, [Peer(address, port, key) for address, port in found])

    async def _told(self, zone: Followed) -> list[tuple[str, int]]:
        """Who is told of a zone's changes."""
        if zone.settings.notify == "listed":
            return [split_address(one) for one in zone.settings.notify_to]
        found = await self._addresses.of(name_servers(zone))
        return [(one, 53) for one in sorted(found - self._services.own)]

    async def notified(self, message: Message, source: str, *, key: str = "") -> bytes:
        """The reply to a NOTIFY; only masters of a secondary zone are listened to."""
        rcode = Rcode.FORMERR
        if len(message.questions) == 1:
            question = message.questions[0]
            if question.qclass == CLASS_IN and question.qtype == DnsType.SOA:
                name = name_text(fold(question.name))
                rcode = await self.secondaries.notified(name, plain_address(source), key)
        if rcode is Rcode.NOERROR:
            self._services.counters[Count.NOTIFIES_TAKEN] += 1
        return encode_message(reply_to(message, rcode=rcode, aa=True))

    # --- who may have a copy ---

    async def answer(
        self, message: Message, source: str, *, tcp: bool, key: str = ""
    ) -> AsyncIterator[bytes]:
        """The messages that answer a request for a transfer.

        source: an address. key: the name of the TSIG key that signed the request, verified; "" for none.
        """
        source = plain_address(source)
        rcode = await self._judged(message, source, tcp=tcp, key=key)
        found: _Source | None = None
        if rcode is Rcode.NOERROR:
            found = await self._source(message)
            rcode = Rcode.NOERROR if found is not None else Rcode.NOTAUTH
        if rcode is Rcode.NOERROR and found is not None and found.steps is None and tcp:
            rcode = self._counted(source)
        if rcode is not Rcode.NOERROR or found is None:
            self._refused(message, source, rcode)
            yield encode_message(reply_to(message, rcode=rcode))
            return
        with self._slot(source) as free:
            if not free:
                self._refused(message, source, Rcode.REFUSED)
                yield encode_message(reply_to(message, rcode=Rcode.REFUSED))
                return
            async for data in self._stream(message, source, found, tcp=tcp):
                yield data

    async def _judged(self, message: Message, source: str, *, tcp: bool, key: str) -> Rcode:
        """Whether a request is answered: its form, then who asks."""
        if len(message.questions) != 1:
            return Rcode.FORMERR
        question = message.questions[0]
        if question.qtype == TYPE_AXFR and not tcp:
            return Rcode.FORMERR
        if question.qtype == TYPE_IXFR and _serial(message) is None:
            return Rcode.FORMERR
        if question.qclass != CLASS_IN:
            return Rcode.REFUSED
        return Rcode.NOERROR if await self._may(question.name, source, key) else Rcode.REFUSED

    async def _may(self, apex: Name, source: str, key: str) -> bool:
        """Whether an address, with a key or without, may have a copy of a zone."""
        name = name_text(fold(apex))

        def read(ctx: ReadContext) -> tuple[ZoneSettings, bool]:
            facts = dns_tsig_keys.tsig_key(ctx, key) if key else None
            return zone_settings(ctx, name), facts is not None and facts.may(KeyRight.TRANSFER, name)

        settings, key_may = await self._directory.read("dns.transfer", SYSTEM, read, point=True)
        if key_may:
            return True
        if settings.transfers == "off":
            return False
        if settings.transfer_keys and dns_tsig_keys.key_name(key) not in settings.transfer_keys:
            return False
        match settings.transfers:
            case "any":
                return True
            case "listed":
                return _is_listed(source, settings.transfer_networks)
            case "servers":
                zone = await self._follower.fresh(apex)
                return zone is not None and source in await self._addresses.of(name_servers(zone))
        return False

    def _counted(self, source: str) -> Rcode:
        """Whether an address may have one more whole zone in this minute."""
        now_s = to_unix(self._services.clock.now())
        times = self._whole.pop(source, None) or deque()
        while times and times[0] <= now_s - _MINUTE_S:
            times.popleft()
        self._whole[source] = times
        if len(self._whole) > _SOURCES_MAX:
            self._whole.popitem(last=False)
        if len(times) >= WHOLE_PER_MINUTE:
            return Rcode.REFUSED
        times.append(now_s)
        return Rcode.NOERROR

    @contextmanager
    def _slot(self, source: str) -> Iterator[bool]:
        """A place among the transfers that run at one time, and whether there was one."""
        running = self._running
        if sum(running.values()) >= AT_ONCE or running.get(source, 0) >= AT_ONCE_PER_SOURCE:
            yield False
            return
        running[source] = running.get(source, 0) + 1
        try:
            yield True
        finally:
            running[source] -= 1
            if not running[source]:
                del running[source]

    def _refused(self, message: Message, source: str, rcode: Rcode) -> None:
        self._services.counters[Count.TRANSFERS_REFUSED] += 1
        zone = name_text(message.questions[0].name) if message.questions else ""
        fields = {"zone": zone, "source": source, "rcode": rcode.name}
        self._refusals.tell("transfer refused", fields, to_unix(self._services.clock.now()))

    # --- what it is given ---

    async def _source(self, message: Message) -> _Source | None:
        """What the transfer is made of; None where we have no such zone."""
        question = message.questions[0]
        zone = await self._follower.fresh(question.name)
        if zone is None:
            return self._copy(question.name)
        if zone.soa is None:
            return None
        if is_signed(zone.image.zone.row):
            content = await self._signed.of(zone.image)
            return _Source(Rr(content.apex, *(content.soa or zone.soa[1:])), content.all_records(), None)
        if question.qtype == TYPE_AXFR:
            return _Source(zone.soa, zone.image.content.all_records(), None)
        ours, theirs = soa_serial(zone.soa.rdata), _serial(message)
        assert theirs is not None
        if not is_later(ours, theirs):
            return _Source(zone.soa, (), ())
        steps = zone.journal.since(theirs)
        return _Source(zone.soa, zone.image.content.all_records(), steps and shortest(steps))

    def _copy(self, apex: Name) -> _Source | None:
        """A zone that is itself a copy: handed on as it is."""
        held = self.copies.zones.get(fold(apex))
        if held is None or held.content is None or held.expired(self._services.clock.now()):
            return None
        soa = held.content.soa
        return None if soa is None else _Source(Rr(held.apex, *soa), held.content.all_records(), None)

    async def _stream(
        self, message: Message, source: str, found: _Source, *, tcp: bool
    ) -> AsyncIterator[bytes]:
        question = message.questions[0]
        edns = None if message.edns is None else _UDP_MAX
        head = Head(message.id, question.name, question.qtype, question.qclass, message.rd, edns)
        theirs = _serial(message) if question.qtype == TYPE_IXFR else None
        records: Iterable[Rr]
        if theirs is not None and not is_later(soa_serial(found.soa.rdata), theirs):
            records, kind = [found.soa], "current"
        elif theirs is not None and found.steps:
            records, kind = incremental(found.soa, found.steps), "changes"
        else:
            records, kind = full(found.soa, found.records), "whole"
        if not tcp:
            yield _datagram(head, found, records, kind, message)
            return
        count = size = 0
        stream = messages(head, records)
        while chunk := await asyncio.to_thread(lambda: list(islice(stream, _CHUNK))):
            for data in chunk:
                count, size = count + 1, size + len(data)
                yield data
        counted = Count.TRANSFERS_FULL if kind == "whole" else Count.TRANSFERS_PARTIAL
        self._services.counters[counted] += 1
        fields = {
            "zone": name_text(fold(question.name)), "source": source, "kind": kind,
            "serial": soa_serial(found.soa.rdata), "messages": count, "octets": size,
        }  # fmt: skip
        _LOG.info("zone transferred", extra={"fields": fields})


def _datagram(head: Head, found: _Source, records: Iterable[Rr], kind: str, message: Message) -> bytes:
    """Small changes in one datagram; else the SOA, so that TCP is tried (RFC 1995 2)."""
    asked = message.edns.udp_size if message.edns is not None else _UDP_MIN
    data = None
    if kind == "changes":
        data = single(head, list(records), min(max(asked, _UDP_MIN), _UDP_MAX))
    data = data or single(head, [found.soa], _UDP_MIN * 2)
    assert data is not None
    return data


def _serial(message: Message) -> int | None:
    """The serial that who asks for changes has: of the SOA in the authority section (RFC 1995 3)."""
    for one in message.authority:
        if isinstance(one.data, SoaData) and fold(one.owner) == fold(message.questions[0].name):
            return one.data.serial
    return None


def name_servers(zone: Followed) -> frozenset[str]:
    """The names of a zone's servers, lower case, but for this DC's own."""
    found = set()
    soa = zone.soa
    own = "" if soa is None else _mname(soa)
    for one in zone.image.content.at(()) or ():
        if one.type == DnsType.NS:
            data = unpack_rdata(one.type, one.rdata)
            assert isinstance(data, NameData)
            found.add(name_text(fold(parse_name(data.name))))
    return frozenset(found - {own})


def _mname(soa: Rr) -> str:
    data = unpack_rdata(DnsType.SOA, soa.rdata)
    assert isinstance(data, SoaData)
    return name_text(fold(parse_name(data.mname)))


def plain_address(text: str) -> str:
    """An address as settings spell it: without a scope, an IPv4 address as such."""
    try:
        found = ip_address(text.partition("%")[0])
    except ValueError:
        return text
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return str(mapped or found)


def _is_listed(source: str, networks: Iterable[str]) -> bool:
    try:
        address = ip_address(source)
        return any(address in ip_network(one, strict=False) for one in networks)
    except ValueError:
        return False
