"""Copies of a master's zone: what comes, what is refused, what survives, and when it is answered from."""

import asyncio
import base64
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import dns.message
import dns.name
import dns.tsig
import dns.tsigkeyring
import pytest

from addc.base.errors import DsError
from addc.base.secret import Secret
from addc.codec.dns_message import CLASS_IN, OPCODE_NOTIFY, Message, Question, decode_message
from addc.codec.dns_names import parse_name
from addc.codec.dns_rdata import DnsType
from addc.codes.rcode import Rcode
from addc.directory import dns_secondary
from addc.directory.api import Directory, Services
from addc.directory.dns_secondary import Secondary, Status
from addc.directory.dns_tsig_keys import TsigKeyFacts, keep_tsig_key
from addc.dns.counters import Count, alone
from addc.dns.secondary import Pace, Secondaries, SecondaryServices
from addc.dns.secondary_zones import SecondaryZones
from addc.dns.transfer_in import Limits
from addc.dns.transfers import Transfers, TransferServices
from addc.security.token import SYSTEM
from tests.kit.corp import Corp
from tests.kit.corp_forest import CountingRng, StandingClock
from tests.kit.dns_master import DnsMaster, Texts, serving
from tests.kit.on_loop import on_loop, until

ZONE = "copy.test"
SECRET = "c2VjcmV0IHNlY3JldCBzZWNyZXQgc2VjcmV0ISE="
FIRST: Texts = (
    "@ 300 NS ns",
    "ns 300 A 192.0.2.1",
    "www 300 A 192.0.2.2",
    "www 300 A 192.0.2.3",
    "a.b 300 TXT x",
)
SECOND: Texts = ("@ 300 NS ns", "ns 300 A 192.0.2.1", "www 300 A 192.0.2.2", "new 60 AAAA 2001:db8::1")
QUICK = Pace(min_s=0.01, first_retry_s=0.01, look_s=0.01, ask_s=0.3, asks=1)


@dataclass
class Copy:
    """A secondary zone of a forest's DC, and its master."""

    directory: Directory
    clock: StandingClock
    master: DnsMaster
    zones: SecondaryZones = field(default_factory=SecondaryZones)
    pace: Pace = QUICK

    def __post_init__(self) -> None:
        self.counters = alone()
        services = SecondaryServices(CountingRng(b"copy"), self.clock, self.counters, self.pace)
        self.service = Secondaries(self.directory, self.zones, services)

    async def write(self, work: object) -> None:
        await self.directory.write("test", SYSTEM, work)  # type: ignore[arg-type]

    async def create(self, key: str = "", *more: str) -> None:
        masters = (*more, f"127.0.0.1#{self.master.port}")
        await self.write(lambda ctx: dns_secondary.create_secondary(ctx, Secondary(ZONE, masters, key)))

    async def refresh(self, *, whole: bool = False) -> bool:
        return await self.service.refresh(ZONE, whole=whole)

    def status(self) -> Status:
        return self.directory.read_now("test", SYSTEM, lambda ctx: dns_secondary.status(ctx, ZONE))

    def texts(self, name: str) -> list[str] | None:
        """What is answered of a name; None for no such name."""
        zone = self.zones.covering(parse_name(f"{name}.{ZONE}" if name else ZONE))
        assert zone is not None
        found = zone.node(parse_name(f"{name}.{ZONE}" if name else ZONE))
        return None if found is None else sorted(one.type.name for one in found)


@pytest.fixture
def directory(corp_sqlite: Corp) -> Iterator[Directory]:
    clock = StandingClock(corp_sqlite.now)
    yield Directory(corp_sqlite.store, corp_sqlite.schema, Services(clock, CountingRng(b"dns")))


@pytest.fixture
def clock(corp_sqlite: Corp) -> StandingClock:
    return StandingClock(corp_sqlite.now)


@asynccontextmanager
async def copied(directory: Directory, clock: StandingClock, **more: object) -> AsyncIterator[Copy]:
    master = DnsMaster(ZONE, {5: FIRST}, **more)  # type: ignore[arg-type]
    async with serving(master):
        yield Copy(directory, clock, master)


@on_loop
async def test_a_zone_is_copied_and_answered_from(directory: Directory, clock: StandingClock) -> None:
    async with copied(directory, clock) as copy:
        await copy.create()
        assert await copy.refresh()
        assert copy.master.asked == ["AXFR"]
        assert copy.texts("www") == ["A", "A"] and copy.texts("") == ["NS", "SOA"]
        assert copy.texts("b") == [] and copy.texts("none") is None
        zone = copy.zones.covering(parse_name("WWW.Copy.TEST"))
        assert zone is not None and not zone.expired(clock.now()) and zone.node(parse_name("wWw.copy.test"))
        assert copy.zones.covering(parse_name("other.test")) is None
        assert copy.status().serial == 5 and copy.status().records == 6
        assert copy.counters[Count.TRANSFERS_IN] == 1


@on_loop
async def test_nothing_is_transferred_while_the_serial_stays(
    directory: Directory, clock: StandingClock
) -> None:
    """RFC 1034 4.3.5: the SOA is looked at first"""
    async with copied(directory, clock) as copy:
        await copy.create()
        await copy.refresh()
        version = copy.zones.version
        assert await copy.refresh()
        assert copy.master.asked == ["AXFR", "SOA"] and copy.counters[Count.TRANSFERS_IN] == 1
        assert copy.zones.version > version, "its time to live is another"


@on_loop
async def test_changes_come_by_ixfr(directory: Directory, clock: StandingClock) -> None:
    """RFC 1995"""
    async with copied(directory, clock) as copy:
        await copy.create()
        await copy.refresh()
        copy.master.versions[6] = SECOND
        assert await copy.refresh()
        assert copy.master.asked[-2:] == ["SOA", "IXFR"]
        assert copy.texts("new") == ["AAAA"] and copy.texts("www") == ["A"] and copy.texts("b") is None
        assert copy.status().serial == 6


@on_loop
async def test_another_process_follows(directory: Directory, clock: StandingClock) -> None:
    async with copied(directory, clock) as copy:
        await copy.create()
        worker = SecondaryZones()
        assert await worker.follow(directory) and not await worker.follow(directory)
        zone = worker.covering(parse_name(ZONE))
        assert zone is not None and zone.expired(clock.now()), "nothing has come yet"
        await copy.refresh()
        assert await worker.follow(directory)
        copy.master.versions[6] = SECOND
        await copy.refresh()
        assert await worker.follow(directory)
        zone = worker.covering(parse_name(ZONE))
        held = copy.zones.covering(parse_name(ZONE))
        assert zone is not None and held is not None and zone.content is not None and held.content is not None
        assert zone.content.nodes == held.content.nodes and zone.content.records == held.content.records


@on_loop
async def test_a_copy_survives_a_restart(directory: Directory, clock: StandingClock) -> None:
    async with copied(directory, clock) as copy:
        await copy.create()
        await copy.refresh()
        later = Copy(directory, clock, copy.master)
        copy.master.versions[6] = SECOND
        assert await later.refresh()
        assert later.master.asked == ["AXFR", "SOA", "IXFR"], "what was there is built upon"


@on_loop
async def test_an_expired_copy_says_so_and_comes_back(directory: Directory, clock: StandingClock) -> None:
    """RFC 1034 4.3.5"""
    async with copied(directory, clock) as copy:
        await copy.create()
        await copy.refresh()
        copy.master.silent = True
        zone = copy.zones.covering(parse_name(ZONE))
        assert zone is not None
        assert not zone.expired(clock.now()) and zone.expired(
            type(clock.now())(clock.now() + 3600 * 10_000_000)
        )
        assert not await copy.refresh()
        assert "does not answer" in copy.status().problem
        copy.master.silent = False
        assert await copy.refresh() and copy.status().problem == ""


@on_loop
async def test_changes_that_do_not_fit_are_replaced_by_the_zone(
    directory: Directory, clock: StandingClock
) -> None:
    async with copied(directory, clock) as copy:
        await copy.create()
        await copy.refresh()
        copy.master.versions[5] = (*FIRST, "ghost 60 A 192.0.2.99")  # what we never had is to be removed
        copy.master.versions[6] = SECOND
        assert await copy.refresh()
        assert copy.master.asked[-2:] == ["IXFR", "AXFR"] and copy.texts("new") == ["AAAA"]


@on_loop
async def test_a_master_without_the_steps_gives_the_zone(directory: Directory, clock: StandingClock) -> None:
    async with copied(directory, clock) as copy:
        await copy.create()
        await copy.refresh()
        copy.master.versions = {9: SECOND}
        assert await copy.refresh()
        assert copy.master.asked[-1] == "IXFR" and copy.status().serial == 9


@on_loop
async def test_a_serial_that_went_back_is_taken_on_demand_alone(
    directory: Directory, clock: StandingClock
) -> None:
    async with copied(directory, clock) as copy:
        await copy.create()
        await copy.refresh()
        copy.master.versions = {3: SECOND}
        assert not await copy.refresh()
        assert "behind ours" in copy.status().problem and copy.texts("www") == ["A", "A"]
        assert await copy.refresh(whole=True)
        assert copy.status().serial == 3 and copy.texts("new") == ["AAAA"]


@on_loop
async def test_a_broken_stream_changes_nothing(directory: Directory, clock: StandingClock) -> None:
    async with copied(directory, clock) as copy:
        await copy.create()
        await copy.refresh()
        copy.master.versions[6] = SECOND
        copy.master.cut_after = 1
        assert not await copy.refresh()
        assert "too early" in copy.status().problem and copy.texts("www") == ["A", "A"]
        copy.master.cut_after = 99

        def lie(replies: list[dns.message.Message]) -> list[dns.message.Message]:
            for one in replies:
                one.id = (one.id + 1) % 65_536
            return replies

        copy.master.twist = lie
        assert not await copy.refresh()
        assert "no answer to our request" in copy.status().problem


@on_loop
async def test_a_zone_that_is_too_large_is_refused(directory: Directory, clock: StandingClock) -> None:
    async with copied(directory, clock) as plain:
        copy = Copy(directory, clock, plain.master, pace=replace(QUICK, limits=Limits(records=5)))
        await copy.create()
        assert not await copy.refresh()
        assert "too large" in copy.status().problem and not copy.status().pieces


@on_loop
async def test_the_next_master_is_asked(directory: Directory, clock: StandingClock) -> None:
    async with copied(directory, clock, refuses=True) as bad, copied(directory, clock) as copy:
        await copy.create("", f"127.0.0.1#{bad.master.port}")
        assert await copy.refresh()
        assert bad.master.asked == ["AXFR"] and copy.status().master.endswith(str(copy.master.port))


# --- signatures ---


async def keyed(directory: Directory, secret: str = SECRET) -> None:
    key = TsigKeyFacts("transfers", "hmac-sha256", Secret(base64.b64decode(secret)), frozenset(), ())
    await directory.write("test", SYSTEM, lambda ctx: keep_tsig_key(ctx, key))


def keyring(secret: str = SECRET) -> dict[dns.name.Name, dns.tsig.Key]:
    found: dict[dns.name.Name, dns.tsig.Key] = dns.tsigkeyring.from_text(
        {"transfers.": ("hmac-sha256", secret)}
    )
    return found


@on_loop
async def test_signed_transfers(
    directory: Directory, clock: StandingClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """RFC 8945 5.3.1"""
    monkeypatch.setattr("time.time", lambda: (clock.now() - 116_444_736_000_000_000) / 10_000_000)
    async with copied(directory, clock, keyring=keyring(), per_message=1) as copy:
        await keyed(directory)
        await copy.create("transfers")
        assert await copy.refresh()
        copy.master.versions[6] = SECOND
        assert await copy.refresh() and copy.texts("new") == ["AAAA"]


@on_loop
async def test_an_unsigned_or_altered_answer_is_refused(
    directory: Directory, clock: StandingClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.time", lambda: (clock.now() - 116_444_736_000_000_000) / 10_000_000)
    async with copied(directory, clock, keyring=keyring()) as copy:
        await keyed(directory)
        await copy.create("transfers")
        copy.master.signs = False
        assert not await copy.refresh() and "without its signature" in copy.status().problem
        copy.master.signs = True
        copy.master.alter = lambda data: data.replace(bytes((192, 0, 2, 2)), bytes((6, 6, 6, 6)))
        assert not await copy.refresh() and "does not hold" in copy.status().problem
        assert not copy.status().pieces


# --- the loop, NOTIFY, operators ---


def notify(name: str = ZONE, kind: int = DnsType.SOA) -> Message:
    return Message(9, OPCODE_NOTIFY, aa=True, questions=(Question(parse_name(name), kind, CLASS_IN),))


@asynccontextmanager
async def running(copy: Copy) -> AsyncIterator[Transfers]:
    services = TransferServices(CountingRng(b"run"), copy.clock, copy.counters, pace=copy.pace)
    transfers = Transfers(copy.directory, services)
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(transfers.run(stop))
        yield transfers
        stop.set()


@on_loop
async def test_a_master_s_notify_has_the_zone_fetched(directory: Directory, clock: StandingClock) -> None:
    """RFC 1996 4.3"""
    async with copied(directory, clock) as copy, running(copy) as transfers:
        await copy.create()
        await until(lambda: copy.status().serial == 5)
        copy.master.versions[6] = SECOND
        reply = decode_message(await transfers.notified(notify("COPY.test"), "127.0.0.1"))
        assert reply.rcode == Rcode.NOERROR and reply.qr and reply.aa and reply.opcode == OPCODE_NOTIFY
        await until(lambda: copy.status().serial == 6)


@on_loop
async def test_a_stranger_s_notify_is_refused(directory: Directory, clock: StandingClock) -> None:
    """RFC 1996 3.10"""
    async with copied(directory, clock) as copy, running(copy) as transfers:
        await copy.create()
        await until(lambda: copy.status().serial == 5)
        asked = len(copy.master.asked)
        for message, source, rcode in (
            (notify(), "192.0.2.66", Rcode.REFUSED),
            (notify("corp.example.com"), "127.0.0.1", Rcode.NOTAUTH),
            (notify(kind=DnsType.A), "127.0.0.1", Rcode.FORMERR),
            (replace(notify(), questions=()), "127.0.0.1", Rcode.FORMERR),
        ):
            assert decode_message(await transfers.notified(message, source)).rcode == rcode
        assert len(copy.master.asked) == asked


@on_loop
async def test_a_key_is_as_good_as_a_master_s_address(directory: Directory, clock: StandingClock) -> None:
    async with copied(directory, clock) as copy:
        await keyed(directory)
        await copy.create("transfers")
        assert await copy.service.notified(ZONE, "192.0.2.66", "transfers") is Rcode.NOERROR
        assert await copy.service.notified(ZONE, "192.0.2.66", "other") is Rcode.REFUSED


@on_loop
async def test_operators_have_masters_asked_and_end_a_copy(
    directory: Directory, clock: StandingClock
) -> None:
    async with copied(directory, clock) as copy, running(copy) as transfers:
        await copy.create()
        await until(lambda: copy.status().serial == 5)
        copy.master.versions[6] = SECOND
        await copy.write(lambda ctx: dns_secondary.ask_now(ctx, ZONE))
        await until(lambda: copy.status().serial == 6)
        await copy.write(lambda ctx: dns_secondary.delete_secondary(ctx, ZONE))
        await until(lambda: transfers.copies.covering(parse_name(ZONE)) is None)
        assert copy.status() == Status()


@on_loop
async def test_names_and_masters_are_checked(directory: Directory, clock: StandingClock) -> None:
    async with copied(directory, clock) as copy:
        await copy.create()
        for wrong in (
            Secondary(ZONE, ("192.0.2.1",)),
            Secondary("corp.example.com", ("192.0.2.1",)),
            Secondary("b.test", ()),
            Secondary("b.test", ("ns.b.test",)),
            Secondary("b.test", ("192.0.2.1#0",)),
            Secondary("x" * 64 + ".test", ("192.0.2.1",)),
        ):
            with pytest.raises(DsError):
                await copy.write(lambda ctx, wrong=wrong: dns_secondary.create_secondary(ctx, wrong))


@on_loop
async def test_a_zone_that_failed_is_taken_up_again(
    directory: Directory, clock: StandingClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bug in one try ends neither the others nor the next try."""
    async with copied(directory, clock) as copy, running(copy) as transfers:
        true, tried = transfers.secondaries.refresh, []

        async def fails(name: str, *, whole: bool = False) -> bool:
            tried.append(name)
            if len(tried) == 1:
                raise ValueError("a bug")
            return await true(name, whole=whole)

        monkeypatch.setattr(transfers.secondaries, "refresh", fails)
        await copy.create()
        await until(lambda: copy.status().serial == 5)
        assert len(tried) > 1
