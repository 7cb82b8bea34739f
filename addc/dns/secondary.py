"""Secondary zones kept up to date: when masters are asked, what they are asked, and what becomes of it.

One task for each zone: it asks for the SOA when its time has come, when a master says that the zone changed,
or when an operator wants it; it takes the changes where it can and the whole zone where it must. What came is
kept in the store before anybody is told of it, so a restart begins where the last try ended.

Spec: RFC 1034 4.3.5 (refresh, retry, expire), RFC 1995, RFC 1996 3.11, 4.3 (NOTIFY), RFC 5936 2
"""

import asyncio
import logging
from dataclasses import dataclass, field, replace
from typing import Final

from addc.base.clock import TICKS_PER_S, Clock, FileTime, to_unix
from addc.base.errors import AddcError, DecodeError
from addc.base.rng import Rng
from addc.codec.dns_message import CLASS_IN, Message, Question, Record, decode_message, encode_message
from addc.codec.dns_names import Name, fold, parse_name
from addc.codec.dns_rdata import DnsType, SoaData
from addc.codec.dns_wire import unpack_rdata
from addc.codes.rcode import Rcode
from addc.directory import dns_secondary
from addc.directory.api import Directory
from addc.directory.context import ReadContext, WriteContext
from addc.directory.dns_node import is_later
from addc.directory.dns_secondary import Secondary, Status, split_address
from addc.directory.dns_tsig_keys import key_name
from addc.dns.counters import Count, Counters
from addc.dns.journal import condensed
from addc.dns.peers import Line, Peer, PeerError, ask, key_of
from addc.dns.refusal_log import RefusalLog
from addc.dns.secondary_zones import SecondaryZone, SecondaryZones, Stored, stored
from addc.dns.transfer import TYPE_AXFR, TYPE_IXFR
from addc.dns.transfer_in import Changes, Current, Incoming, Limits, Outcome, TransferError, Whole
from addc.dns.tsig import TsigError
from addc.dns.zone_content import NotThereError, ZoneContent, soa_numbers
from addc.security.token import SYSTEM

_LOG: Final = logging.getLogger("addc.dns.secondary")
_AT_ONCE: Final = 8
_GAP_S: Final = 1.0
"""Between two tries of a zone, at least."""
_WHY_MAX: Final = 300


@dataclass(frozen=True, slots=True)
class Pace:
    """Bounds of what a zone's SOA asks for, in seconds. ask_s: how long a datagram's answer is waited for."""

    min_s: float = 5.0
    first_retry_s: float = 10.0
    refresh_max_s: float = 604_800.0
    retry_max_s: float = 86_400.0
    expire_max_s: float = 4_838_400.0
    look_s: float = 1.0
    ask_s: float = 3.0
    asks: int = 3
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True, slots=True)
class SecondaryServices:
    """What comes from outside."""

    rng: Rng
    clock: Clock
    counters: Counters
    pace: Pace = field(default_factory=Pace)


@dataclass(slots=True)
class _Kept:
    """One zone's task. wake: something else than time says that masters are to be asked."""

    zone: Secondary
    task: "asyncio.Task[None]"
    wake: asyncio.Event
    failures: int = 0


class Secondaries:
    """Keeps the copies that this server has of other servers' zones."""

    def __init__(self, directory: Directory, copies: SecondaryZones, services: SecondaryServices) -> None:
        """copies: this process's view of the content, which is followed here."""
        self._directory = directory
        self._copies = copies
        self._rng = services.rng
        self._clock = services.clock
        self._counters = services.counters
        self._pace = services.pace
        self._refusals = RefusalLog(_LOG)
        self._kept: dict[str, _Kept] = {}
        self._slots = asyncio.Semaphore(_AT_ONCE)
        self._locks: dict[str, asyncio.Lock] = {}

    async def run(self, stop: asyncio.Event) -> None:
        """Keep every zone until `stop` is set."""
        try:
            while not stop.is_set():
                try:
                    await self._look()
                except AddcError as error:
                    _LOG.error("secondary zones cannot be read", extra={"fields": {"why": str(error)}})
                try:
                    async with asyncio.timeout(self._pace.look_s):
                        await stop.wait()
                except TimeoutError:
                    continue
        finally:
            tasks = [one.task for one in self._kept.values()]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._kept.clear()

    async def _look(self) -> None:
        """Begin with zones that are new, end with those that are gone, wake those that operators want."""
        await self._copies.follow(self._directory)
        told = await self._directory.read("dns.secondaries", SYSTEM, dns_secondary.secondaries, point=True)
        for name in self._kept.keys() - told.keys():
            self._kept.pop(name).task.cancel()
            self._locks.pop(name, None)
        for name, zone in told.items():
            kept = self._kept.get(name)
            if kept is not None and kept.task.done():
                _LOG.error(
                    "secondary zone failed", exc_info=_failure(kept.task), extra={"fields": {"zone": name}}
                )
                kept = None
            if kept is None:
                wake = asyncio.Event()
                task = asyncio.get_running_loop().create_task(self._keep(name))
                self._kept[name] = _Kept(zone, task, wake)
            elif kept.zone != zone:
                kept.zone = zone
                kept.wake.set()

    async def _keep(self, name: str) -> None:
        """One zone's life."""
        await asyncio.sleep(0)
        kept = self._kept[name]
        asked = kept.zone.asked
        wait_s = await self._first_wait_s(name)
        while True:
            try:
                async with asyncio.timeout(wait_s):
                    await kept.wake.wait()
            except TimeoutError:
                pass
            kept.wake.clear()
            whole = kept.zone.asked_whole > asked
            asked = kept.zone.asked
            try:
                good = await self.refresh(name, whole=whole)
            except AddcError as error:
                _LOG.error("secondary zone failed", extra={"fields": {"zone": name, "why": str(error)}})
                good = False
            kept.failures = 0 if good else kept.failures + 1
            wait_s = self._wait_s(name, kept.failures)
            # A NOTIFY is easily forged: however many come, the master is not flooded with our questions.
            await asyncio.sleep(min(self._pace.min_s, _GAP_S))

    async def _first_wait_s(self, name: str) -> float:
        """After a start: what is left of the time until the next try."""
        status = await self._directory.read(
            "dns.secondary", SYSTEM, lambda ctx: dns_secondary.status(ctx, name)
        )
        held = self._copies.zones.get(fold(parse_name(name)))
        if held is None or held.content is None or held.content.soa is None:
            return 0
        refresh_s = soa_numbers(held.content.soa.rdata)[1]
        due_ft = status.checked_ft + int(min(refresh_s, self._pace.refresh_max_s) * TICKS_PER_S)
        return max((due_ft - self._clock.now()) / TICKS_PER_S, 0)

    def _wait_s(self, name: str, failures: int) -> float:
        """How long to wait for the next try; a little less, at random, so that servers do not ask as one."""
        held = self._copies.zones.get(fold(parse_name(name)))
        pace = self._pace
        if held is None or held.content is None or held.content.soa is None:
            wait_s = min(pace.first_retry_s * (1 << min(failures, 10)), 900.0)
        else:
            _, refresh_s, retry_s, *_ = soa_numbers(held.content.soa.rdata)
            wait_s = min(retry_s, pace.retry_max_s) if failures else min(refresh_s, pace.refresh_max_s)
        return max(wait_s * (1 - self._rng.bytes(1)[0] / 2560), pace.min_s)

    async def notified(self, name: str, source: str, key: str) -> Rcode:
        """Take a NOTIFY; NOERROR where it comes from a master of that zone, by address or by key."""
        zones = await self._directory.read("dns.notify", SYSTEM, dns_secondary.secondaries, point=True)
        zone = zones.get(name)
        if zone is None:
            return Rcode.NOTAUTH
        masters = {split_address(one)[0] for one in zone.masters}
        if source not in masters and not (zone.key and key_name(key) == zone.key):
            now_s = to_unix(self._clock.now())
            self._refusals.tell("NOTIFY of a stranger", {"zone": name, "source": source}, now_s)
            return Rcode.REFUSED
        if (kept := self._kept.get(name)) is not None:
            kept.wake.set()
        return Rcode.NOERROR

    # --- one try ---

    async def refresh(self, name: str, *, whole: bool = False) -> bool:
        """Ask the masters in turn until one has answered; whether one did.

        whole: take all of the zone, whatever its serial.
        """
        async with self._locks.setdefault(name, asyncio.Lock()), self._slots:
            await self._copies.follow(self._directory)
            read = await self._directory.read("dns.secondary", SYSTEM, lambda ctx: _facts(ctx, name))
            if read is None:
                return False
            zone, status = read
            problems = []
            for master in zone.masters:
                try:
                    await self._from(zone, status, master, whole=whole)
                    return True
                except (AddcError, OSError) as error:
                    problems.append(f"{master}: {error}")
            problem = "; ".join(problems)[:_WHY_MAX]
            _LOG.warning("no master gave a zone", extra={"fields": {"zone": name, "why": problem}})
            if problem != status.problem:
                await self._note(name, replace(status, problem=problem))
            return False

    async def _from(self, zone: Secondary, status: Status, master: str, *, whole: bool) -> None:
        """One master. Raises AddcError where it has nothing good."""
        address, port = split_address(master)
        peer = Peer(address, port, await key_of(self._directory, zone.key))
        apex = fold(parse_name(zone.name))
        held = self._copies.zones.get(apex)
        content = None if held is None or whole else held.content
        if content is not None and content.soa is not None:
            theirs = await self._serial(peer, apex)
            if not is_later(theirs, content.serial):
                if theirs != content.serial:
                    raise TransferError(f"its serial {theirs} is behind ours, {content.serial}")
                await self._note(zone.name, self._checked(status, content, master))
                return
        found = await self._transferred(peer, apex, content)
        if isinstance(found, Current) and content is not None:
            await self._note(zone.name, self._checked(status, content, master))
            return
        assert isinstance(found, ZoneContent)
        await self._store(zone, held, found, master)

    async def _serial(self, peer: Peer, apex: Name) -> int:
        """The serial that a master has. Raises PeerError."""
        message_id = int.from_bytes(self._rng.bytes(2), "big")
        request = Message(message_id, questions=(Question(apex, DnsType.SOA, CLASS_IN),))
        problem = PeerError(f"{peer} does not answer")
        for _ in range(self._pace.asks):
            try:
                reply = await ask(peer, request, self._clock, self._pace.ask_s)
            except PeerError as error:
                problem = error
                continue
            if reply.rcode or not reply.aa:
                told = Rcode(reply.rcode).name if reply.rcode else "no authority"
                raise PeerError(f"{peer} says {told} of the zone's SOA")
            for one in reply.answers:
                if isinstance(one.data, SoaData) and fold(one.owner) == apex:
                    return one.data.serial
            raise PeerError(f"{peer} says no SOA")
        raise problem

    async def _transferred(
        self, peer: Peer, apex: Name, content: ZoneContent | None
    ) -> ZoneContent | Current:
        """The zone's new content: by its changes where we have one, else, or where that fails, as a whole."""
        if content is not None and content.soa is not None:
            try:
                found = await self._take(peer, apex, TYPE_IXFR, content)
                if isinstance(found, Changes):
                    return await asyncio.to_thread(_changed, content, found)
                if isinstance(found, Current):
                    return found
                return await asyncio.to_thread(ZoneContent.of, apex, found.records)
            except (TransferError, NotThereError, DecodeError, TsigError) as error:
                fields = {"server": str(peer), "why": str(error)}
                _LOG.info("changes are no good, taking the whole zone", extra={"fields": fields})
        found = await self._take(peer, apex, TYPE_AXFR, content)
        assert isinstance(found, Whole)
        return await asyncio.to_thread(ZoneContent.of, apex, found.records)

    async def _take(self, peer: Peer, apex: Name, kind: int, content: ZoneContent | None) -> Outcome:
        """One transfer by TCP. Raises AddcError."""
        message_id = int.from_bytes(self._rng.bytes(2), "big")
        ours = None if content is None else content.serial
        incoming = Incoming(apex, message_id, kind, ours, self._pace.limits)
        async with Line(peer, self._clock) as line:
            verifier = await line.send(encode_message(_request(message_id, apex, kind, content)))

            def take(data: bytes) -> bool:
                message = decode_message(data)
                verifier.take(data, message)
                return incoming.take(message)

            async for data in line.replies():
                if await asyncio.to_thread(take, data):
                    break
            verifier.end()
        return incoming.outcome()

    # --- what came ---

    def _checked(self, status: Status, content: ZoneContent, master: str) -> Status:
        """The status after a master said that nothing is newer."""
        now = self._clock.now()
        return replace(
            status, checked_ft=now, expires_ft=self._expiry(content, now), master=master, problem=""
        )

    def _expiry(self, content: ZoneContent, now: FileTime) -> int:
        assert content.soa is not None
        _, refresh_s, _, expire_s, _ = soa_numbers(content.soa.rdata)
        expire_s = min(max(expire_s, refresh_s, int(self._pace.min_s)), int(self._pace.expire_max_s))
        return now + expire_s * TICKS_PER_S

    async def _note(self, name: str, status: Status) -> None:
        await self._directory.write(
            "dns.secondary", SYSTEM, lambda ctx: dns_secondary.keep_status(ctx, name, status)
        )
        await self._copies.follow(self._directory)

    async def _store(
        self, zone: Secondary, held: SecondaryZone | None, content: ZoneContent, master: str
    ) -> None:
        before = None
        if held is not None and held.pieces:
            before = (held.content or ZoneContent(held.apex, {}, 0), held.pieces)
        pieces = await asyncio.to_thread(stored, content, before)
        now = self._clock.now()
        status = Status(
            content.serial, content.records, pieces.versions, now, now, self._expiry(content, now), master
        )
        there = await self._directory.write(
            "dns.secondary", SYSTEM, lambda ctx: _keep(ctx, zone, status, pieces)
        )
        await self._copies.follow(self._directory)
        if there:
            self._counters[Count.TRANSFERS_IN] += 1
        fields = {"zone": zone.name, "master": master, "serial": content.serial, "records": content.records}
        _LOG.info("zone copied", extra={"fields": fields})


def _failure(task: "asyncio.Task[None]") -> BaseException | None:
    """What a task that is done failed with."""
    return None if task.cancelled() else task.exception()


def _facts(ctx: ReadContext, name: str) -> tuple[Secondary, Status] | None:
    zone = dns_secondary.secondary_named(ctx, name)
    return None if zone is None else (zone, dns_secondary.status(ctx, name))


def _keep(ctx: WriteContext, zone: Secondary, status: Status, pieces: Stored) -> bool:
    return dns_secondary.keep_content(ctx, zone.name, status, pieces.pieces)


def _changed(content: ZoneContent, found: Changes) -> ZoneContent:
    """The content after the steps. Raises NotThereError where they are of another content."""
    one = condensed(found.steps)
    assert one is not None
    return content.changed((one.before, *one.removed), (one.after, *one.added))


def _request(message_id: int, apex: Name, kind: int, content: ZoneContent | None) -> Message:
    """A request for a transfer; for changes it shows the SOA that we have (RFC 1995 3)."""
    authority: tuple[Record, ...] = ()
    soa = None if content is None else content.soa
    if kind == TYPE_IXFR and soa is not None:
        data = unpack_rdata(DnsType.SOA, soa.rdata)
        authority = (Record(apex, DnsType.SOA, CLASS_IN, soa.ttl_s, data),)
    return Message(message_id, questions=(Question(apex, kind, CLASS_IN),), authority=authority)
