"""The resolver of a DC: settings and zones of the directory, sockets, clients that wait together."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from ipaddress import ip_address, ip_network
from typing import cast

import pytest

from addc.base.clock import FileTime
from addc.codec.dns_data import DnskeyData, DsData
from addc.codec.dns_message import (
    OPTION_EXTENDED_ERROR,
    Edns,
    Message,
    Question,
    Record,
    decode_message,
    encode_message,
    reply_to,
)
from addc.codec.dns_names import Name, name_text, parse_name
from addc.codec.dns_rdata import DnsRecord, DnsType, NameData
from addc.codes.rcode import Rcode
from addc.directory import dns_records
from addc.directory.api import Directory, Services
from addc.directory.context import ReadContext, WriteContext
from addc.directory.dns_settings import DnsSettings, ZoneSettings, keep_settings, keep_zone_settings, settings
from addc.directory.dns_zones import (
    ROOT_HINTS,
    TRUST_ANCHORS,
    ZoneProperties,
    ZoneType,
    create_zone,
    zone_named,
)
from addc.dns import resolver as resolver_module
from addc.dns.counters import Count, alone
from addc.dns.forward import Forwarder
from addc.dns.resolver import Resolver, ResolverServices, Why
from addc.dns.resolver_zones import Own, Plan, read_plan
from addc.dns.stub_refresh import StubRefresh, StubServices
from addc.dns.validator import Anchor
from addc.security.token import SYSTEM
from tests.kit.corp import Corp
from tests.kit.corp_forest import CONFIG_DN, CountingRng, StandingClock
from tests.kit.signed_internet import NOW_S, SignedZone, sign
from tests.kit.small_internet import record, records

HERE, CLIENT = "127.0.0.1", "192.168.7.7"
Scene = Callable[[], Awaitable[None]]
Answers = Callable[[Message], Message | None]


@pytest.fixture
def directory(corp_sqlite: Corp) -> Directory:
    services = Services(StandingClock(corp_sqlite.now), CountingRng(b"dns"))
    return Directory(corp_sqlite.store, corp_sqlite.schema, services)


def run(scene: Scene) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(20):
            await scene()

    asyncio.run(bounded())


@dataclass
class Upstream(asyncio.DatagramProtocol):
    """Another server on a loopback port, by UDP and TCP. seen: the queries and the ports they came from."""

    answers: Answers
    seen: list[tuple[Message, int]] = field(default_factory=list)
    before: list[bytes] = field(default_factory=list)
    transport: asyncio.DatagramTransport | None = None
    open: list[asyncio.StreamWriter] = field(default_factory=list)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        query = decode_message(data)
        self.seen.append((query, addr[1]))
        assert self.transport is not None
        for forged in self.before:
            self.transport.sendto(forged.replace(b"ID", data[:2], 1), addr)
        reply = self.answers(query)
        if reply is not None:
            self.transport.sendto(encode_message(reply, 1232), addr)

    async def stream(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open.append(writer)
        try:
            while True:
                data = await reader.readexactly(int.from_bytes(await reader.readexactly(2), "big"))
                query = decode_message(data)
                self.seen.append((query, -writer.get_extra_info("peername")[1]))
                reply = self.answers(query)
                if reply is not None:
                    whole = encode_message(reply)
                    writer.write(len(whole).to_bytes(2, "big") + whole)
        except asyncio.IncompleteReadError:
            writer.close()


@asynccontextmanager
async def upstream(answers: Answers) -> AsyncIterator[tuple[Upstream, Forwarder]]:
    server = Upstream(answers)
    streams = await asyncio.start_server(server.stream, HERE, 0)
    port = streams.sockets[0].getsockname()[1]
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(lambda: server, local_addr=(HERE, port))
    try:
        yield server, Forwarder(HERE, port)
    finally:
        transport.close()
        streams.close()
        for writer in server.open:
            writer.close()
            await writer.wait_closed()
        await streams.wait_closed()


def address(query: Message, ttl_s: int = 60) -> Message:
    name = name_text(query.questions[0].name)
    return reply_to(query, ra=True, answers=(record(name, "A", "203.0.113.7", ttl_s),))


@asynccontextmanager
async def resolving(
    directory: Directory, *forwarders: Forwarder, wanted: DnsSettings | None = None, **more: object
) -> AsyncIterator[Resolver]:
    if wanted is not None:
        await directory.write("test", SYSTEM, lambda ctx: keep_settings(ctx, wanted))
    services = ResolverServices(
        CountingRng(),
        StandingClock(FileTime(0)),
        frozenset({"192.0.2.10"}),
        configured=forwarders,
        counters=alone(),
    )
    found = Resolver(directory, replace(services, **more))  # type: ignore[arg-type]
    try:
        yield found
    finally:
        found.close()
        await asyncio.sleep(0)


def ask(name: str, kind: str = "A", **more: object) -> Message:
    base = Message(id=4711, rd=True, questions=(Question(parse_name(name), int(DnsType[kind])),), edns=Edns())
    return replace(base, **more)  # type: ignore[arg-type]


def why(reply: Message) -> int | None:
    assert reply.edns is not None
    told = reply.edns.option(OPTION_EXTENDED_ERROR)
    return None if told is None else int.from_bytes(told, "big")


def addresses(reply: Message) -> list[str]:
    return [str(ip_address(r.data.address)) for r in reply.answers if hasattr(r.data, "address")]


# --- answers, kept and shared ---


def test_a_forwarder_answers_and_its_answer_is_kept(directory: Directory) -> None:
    async def scene() -> None:
        async with upstream(address) as (server, forwarder), resolving(directory, forwarder) as resolver:
            assert resolver.cached(ask("www.far"), CLIENT) is None
            reply = await resolver.resolve(ask("www.far"), CLIENT)
            assert addresses(reply) == ["203.0.113.7"]
            assert (reply.id, reply.ra, reply.rd, reply.qr, reply.aa) == (4711, True, True, True, False)
            assert server.seen[0][0].id != 4711 and server.seen[0][1] >= 10_240
            again = resolver.cached(ask("WWW.Far"), CLIENT)
            assert again is not None and addresses(again) == ["203.0.113.7"] and len(server.seen) == 1
            assert again.questions[0].name == parse_name("WWW.Far")

    run(scene)


def test_kept_answers_age_and_end(directory: Directory) -> None:
    async def scene() -> None:
        now = [100.0]
        async with (
            upstream(address) as (server, forwarder),
            resolving(directory, forwarder, monotonic=lambda: now[0]) as resolver,
        ):
            await resolver.resolve(ask("www.far"), CLIENT)
            for later_s, left_s in ((0.0, 60), (0.4, 59), (10.5, 49), (59.0, 1)):
                now[0] = 100.0 + later_s
                reply = resolver.cached(ask("www.far"), CLIENT)
                assert reply is not None and reply.answers[0].ttl_s in (left_s, left_s + 1)
            now[0] = 161.0
            assert resolver.cached(ask("www.far"), CLIENT) is None and len(server.seen) == 1

    run(scene)


def test_the_same_question_is_asked_once_for_all_who_wait(directory: Directory) -> None:
    async def scene() -> None:
        async with upstream(address) as (server, forwarder), resolving(directory, forwarder) as resolver:
            waiting = [resolver.resolve(ask("www.far"), f"192.168.7.{n}") for n in range(200)]
            replies = await asyncio.gather(*waiting)
            assert len(server.seen) == 1 and all(addresses(r) == ["203.0.113.7"] for r in replies)
            assert resolver.figures()["coalesced"] == 199 and resolver.figures()["waiting"] == 0

    run(scene)


def test_a_client_that_goes_away_ends_nobody_elses_question(directory: Directory) -> None:
    async def scene() -> None:
        async with upstream(address) as (_, forwarder), resolving(directory, forwarder) as resolver:
            first = asyncio.create_task(resolver.resolve(ask("www.far"), CLIENT))
            await asyncio.sleep(0)
            second = asyncio.create_task(resolver.resolve(ask("www.far"), CLIENT))
            await asyncio.sleep(0)
            first.cancel()
            assert addresses(await second) == ["203.0.113.7"]

    run(scene)


def test_questions_and_clients_are_bounded(directory: Directory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resolver_module, "QUESTIONS_MAX", 3)
    monkeypatch.setattr(resolver_module, "WAITING_OF_ONE_MAX", 5)

    async def scene() -> None:
        async with (
            upstream(lambda _: None) as (_, forwarder),
            resolving(directory, forwarder) as resolver,
        ):
            waiting = [asyncio.create_task(resolver.resolve(ask(f"n{n}.far"), CLIENT)) for n in range(8)]
            done, _ = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            while len(done) < 5:
                done, _ = await asyncio.wait(waiting, timeout=0.05)
            assert {why(task.result()) for task in done} == {Why.NOT_READY}
            assert resolver.figures()["questions"] == 3
            for task in waiting:
                task.cancel()

    run(scene)


def test_a_silent_forwarder_is_servfail_with_a_reason(directory: Directory) -> None:
    wanted = DnsSettings(recursion_timeout_s=0)

    async def scene() -> None:
        async with (
            upstream(lambda _: None) as (_, forwarder),
            resolving(directory, forwarder, wanted=wanted) as resolver,
        ):
            reply = await resolver.resolve(ask("www.far"), CLIENT)
            assert reply.rcode == Rcode.SERVFAIL and why(reply) == Why.NO_REACHABLE_AUTHORITY
            plain = await resolver.resolve(ask("www.far", edns=None), CLIENT)
            assert plain.edns is None

    run(scene)


def test_large_answers_come_by_tcp_and_streams_are_used_again(directory: Directory) -> None:
    def large(query: Message) -> Message:
        name = name_text(query.questions[0].name)
        many = tuple(record(name, "A", f"10.1.{n >> 8}.{n & 255}") for n in range(300))
        return reply_to(query, ra=True, answers=many)

    async def scene() -> None:
        async with upstream(large) as (server, forwarder), resolving(directory, forwarder) as resolver:
            for name in ("one.far", "two.far"):
                assert len((await resolver.resolve(ask(name), CLIENT)).answers) == 300
            streams = [port for _, port in server.seen if port < 0]
            assert len(streams) == 2 and len(set(streams)) == 1

    run(scene)


def test_forged_datagrams_are_passed_over_and_counted(directory: Directory) -> None:
    """Off the path: wrong id, wrong question, no response; a storm of them leads to TCP."""
    name = b"\3www\3far\0\0\1\0\1"
    wrong_id = b"\0\0\x81\x80\0\1\0\0\0\0\0\0" + name
    other = b"ID\x81\x80\0\1\0\0\0\0\0\0\3xxx\3far\0\0\1\0\1"

    async def scene() -> None:
        for forged, by_tcp in (([wrong_id, other], False), ([wrong_id] * 10, True)):
            counters = alone()
            async with (
                upstream(address) as (server, forwarder),
                resolving(directory, forwarder, counters=counters) as resolver,
            ):
                server.before = forged
                assert addresses(await resolver.resolve(ask("www.far"), CLIENT)) == ["203.0.113.7"]
                assert any(port < 0 for _, port in server.seen) is by_tcp
                assert counters[Count.FORGED] >= 2

    run(scene)


# --- for whom ---


def test_strangers_are_refused(directory: Directory) -> None:
    async def scene() -> None:
        async with upstream(address) as (server, forwarder), resolving(directory, forwarder) as resolver:
            for source in ("8.8.8.8", "2001:db8::5"):
                reply = await resolver.resolve(ask("www.far"), source)
                assert reply.rcode == Rcode.REFUSED and why(reply) == Why.PROHIBITED and not reply.ra
                assert not resolver.offers(source)
            await resolver.resolve(ask("www.far"), CLIENT)
            seen = len(server.seen)
            cached = await resolver.resolve(ask("www.far"), "8.8.8.8")
            assert cached.rcode == Rcode.REFUSED and not cached.answers, "nor what is known"
            assert resolver.offers(CLIENT) and len(server.seen) == seen == 1

    run(scene)


def test_an_administrator_may_name_who_is_served(directory: Directory) -> None:
    wanted = DnsSettings(recursion_networks=("203.0.113.0/24",))

    async def scene() -> None:
        async with upstream(address) as (_, forwarder), resolving(directory, forwarder, wanted=wanted) as one:
            assert one.offers("203.0.113.9") and not one.offers(CLIENT)
            assert (await one.resolve(ask("www.far"), CLIENT)).rcode == Rcode.REFUSED

    run(scene)


def test_what_is_no_question_for_others_is_refused(directory: Directory) -> None:
    async def scene() -> None:
        async with upstream(address) as (server, forwarder), resolving(directory, forwarder) as resolver:
            plain = await resolver.resolve(ask("www.far", rd=False), CLIENT)
            chaos = ask("version.bind", questions=(Question(parse_name("version.bind"), 16, 3),))
            own = await resolver.resolve(ask("www.far"), HERE)
            assert plain.rcode == Rcode.REFUSED
            assert (await resolver.resolve(chaos, CLIENT)).rcode == Rcode.REFUSED
            assert own.rcode == Rcode.REFUSED, "the forwarder's own question would come back to it"
            transfer = ask("far", questions=(Question(parse_name("far"), 252),))
            assert (await resolver.resolve(transfer, CLIENT)).rcode == Rcode.NOTIMP
            assert not server.seen

    run(scene)


def test_recursion_can_be_switched_off(directory: Directory) -> None:
    async def scene() -> None:
        wanted = DnsSettings(recursion=False)
        async with upstream(address) as (_, forwarder), resolving(directory, forwarder, wanted=wanted) as one:
            assert not one.offers(CLIENT)
            assert (await one.resolve(ask("www.far"), CLIENT)).rcode == Rcode.REFUSED
        async with resolving(directory, wanted=DnsSettings()) as alone_:
            assert not alone_.offers(CLIENT), "nobody to ask"

    run(scene)


# --- what holds ---


def test_settings_are_followed_and_the_cache_is_emptied_by_them(directory: Directory) -> None:
    async def scene() -> None:
        now = [100.0]
        async with (
            upstream(address) as (first, one),
            upstream(address) as (second, two),
            resolving(directory, one, monotonic=lambda: now[0]) as resolver,
        ):

            async def change(**more: object) -> None:
                def work(ctx: WriteContext) -> None:
                    keep_settings(ctx, replace(settings(ctx), **more))  # type: ignore[arg-type]

                await directory.write("test", SYSTEM, work)
                now[0] += 1.0

            await resolver.resolve(ask("www.far"), CLIENT)
            assert resolver.cached(ask("www.far"), CLIENT) is not None
            await change(cache_generation=1)
            assert resolver.cached(ask("www.far"), CLIENT) is None
            await change(forwarders=(f"{two.address}#{two.port}",))
            await resolver.resolve(ask("www.far"), CLIENT)
            assert (len(first.seen), len(second.seen)) == (1, 1)
            await change(max_cache_ttl_s=10)
            reply = await resolver.resolve(ask("www.far"), CLIENT)
            assert reply.answers[0].ttl_s == 10
            await change(forwarders=())
            assert not resolver.offers(CLIENT)

    run(scene)


def add_zone(ctx: WriteContext, name: str, kind: ZoneType, *masters: str, **nodes: list[DnsRecord]) -> None:
    told = ZoneProperties(type=kind, masters=tuple(ip_address(m).packed for m in masters))
    create_zone(ctx, name, told, nodes={key.replace("__", "."): value for key, value in nodes.items()})


def plain(text: str) -> list[DnsRecord]:
    return [DnsRecord(DnsType(r.type), r.data) for r in records(text)]


def test_zones_of_the_directory_name_whom_to_ask(corp_sqlite: Corp, directory: Directory) -> None:
    """[MS-DNSP] 2.2.5.1.1: forwarders with their own settings, stubs by their records or their masters."""

    def work(ctx: WriteContext) -> None:
        add_zone(ctx, "partner.test", ZoneType.FORWARDER, "192.0.2.1", "2001:db8::1", "192.0.2.10")
        keep_zone_settings(ctx, "partner.test", ZoneSettings(forward_timeout_s=2, forward_is_slave=True))
        add_zone(ctx, "new.test", ZoneType.STUB, "192.0.2.2")
        apex = plain("stub.test NS ns1.stub.test\nstub.test NS ns.far")
        glue = {"@": apex, "ns1": plain("ns1.stub.test A 192.0.2.3")}
        add_zone(ctx, "stub.test", ZoneType.STUB, "192.0.2.2", **glue)
        keep_settings(ctx, DnsSettings(forwarders=("192.0.2.9", "rubbish"), use_root_hints=True))

    corp_sqlite.write(work)
    own = Own(frozenset({"192.0.2.10"}), 53, (Forwarder("192.0.2.8", 53),))
    plan = directory.read_now("test", SYSTEM, lambda ctx: read_plan(ctx, own))
    routes = plan.world.routes
    partner = routes[parse_name("partner.test")]
    assert [s.address for s in partner.servers] == ["192.0.2.1", "2001:db8::1"], "never ourselves"
    assert partner.timeout_s == 2 and partner.is_slave
    new, stub = routes[parse_name("new.test")].stub, routes[parse_name("stub.test")].stub
    assert new is not None and new.fixed == (Forwarder("192.0.2.2", 53),)
    assert stub is not None and not stub.fixed
    assert stub.names == (parse_name("ns1.stub.test"), parse_name("ns.far"))
    assert list(stub.glue) == [parse_name("ns1.stub.test")]
    assert [s.address for s in routes[()].servers] == ["192.0.2.9"]
    assert plan.private == {parse_name(z) for z in ("partner.test", "new.test", "stub.test")}


def test_root_hints_are_the_directorys(corp_sqlite: Corp, directory: Directory) -> None:
    def work(ctx: WriteContext) -> None:
        keep_settings(ctx, DnsSettings(use_root_hints=True))

    corp_sqlite.write(work)
    own = Own(frozenset(), 53, ())
    plan = directory.read_now("test", SYSTEM, lambda ctx: read_plan(ctx, own))
    assert plan.world.hints is not None and len(plan.world.hints.fixed) >= 13, ROOT_HINTS
    off = directory.read_now("test", SYSTEM, lambda ctx: read_plan(ctx, replace(own)))
    assert off.can_ask


def test_the_subnets_of_the_forests_sites_are_neighbours(corp_sqlite: Corp, directory: Directory) -> None:
    own = Own(frozenset(), 53, (), (ip_network("203.0.113.0/24"),))
    before = directory.read_now("test", SYSTEM, lambda ctx: read_plan(ctx, own)).networks
    sites = f"CN=Sites,{CONFIG_DN}"
    corp_sqlite.add(
        f"CN=198.51.100.0/24,CN=Subnets,{sites}", "subnet", siteObject=f"CN=Default-First-Site-Name,{sites}"
    )
    after = directory.read_now("test", SYSTEM, lambda ctx: read_plan(ctx, own)).networks
    assert ip_network("203.0.113.0/24") in before and ip_network("198.51.100.0/24") not in before
    assert set(after) - set(before) == {ip_network("198.51.100.0/24")}


def test_trust_anchors_of_the_directory_hold_for_every_dc(corp_sqlite: Corp, directory: Directory) -> None:
    """[MS-DNSP] 2.3.1.1: records of nodes below DC=..TrustAnchors."""
    ds = DnsRecord(DnsType.DS, DsData(4711, 13, 2, bytes(32)))
    key = DnsRecord(DnsType.DNSKEY, DnskeyData(257, 3, 13, bytes(64)))

    def work(ctx: WriteContext) -> None:
        create_zone(ctx, TRUST_ANCHORS, ZoneProperties(), nodes={"safe.test": [ds], "@": [key]})
        keep_settings(ctx, DnsSettings(validate=True))

    corp_sqlite.write(work)
    plan = directory.read_now("test", SYSTEM, lambda ctx: read_plan(ctx, Own(frozenset(), 53, ())))
    assert plan.anchors == {
        parse_name("safe.test"): Anchor(digests=(DsData(4711, 13, 2, bytes(32)),)),
        (): Anchor(keys=(DnskeyData(257, 3, 13, bytes(64)),)),
    }


# --- proofs ---


def serving(zone: SignedZone) -> Answers:
    """A forwarder's answers from one signed zone; everything else does not exist."""

    def answers(query: Message) -> Message:
        asked = query.questions[0]
        found = zone.answer(tuple(label.lower() for label in asked.name), asked.qtype)
        return replace(found, id=query.id, questions=query.questions, ra=True, aa=False, edns=Edns())

    return answers


class SignedClock:
    def now(self) -> int:
        return NOW_S * 10_000_000 + 116_444_736_000_000_000


def validating(zone: SignedZone, **more: object) -> DnsSettings:
    assert zone.ds is not None
    ds = f"{zone.apex} DS {zone.ds.key_tag} {zone.ds.algorithm} {zone.ds.digest_type} {zone.ds.digest.hex()}"
    return DnsSettings(validate=True, trust_anchors=(ds, "rubbish", "x. DS 1"), **more)  # type: ignore[arg-type]


def test_validated_answers_carry_ad_and_bogus_ones_fail(directory: Directory) -> None:
    """RFC 4035 3.2.2, 3.2.3, 5.5; RFC 6840 5.7: AD for who shows that it understands it."""
    zone = sign("safe.test", "safe.test NS ns.far\nwww.safe.test A 203.0.113.7\nbad.safe.test A 203.0.113.8")
    zone.held = [
        record("bad.safe.test", "A", "6.6.6.6")
        if r.owner == parse_name("bad.safe.test") and r.type == 1
        else r
        for r in zone.held
    ]

    async def scene() -> None:
        counters = alone()
        async with (
            upstream(serving(zone)) as (server, forwarder),
            resolving(
                directory, forwarder, wanted=validating(zone), clock=SignedClock(), counters=counters
            ) as resolver,
        ):
            with_do, with_ad = Edns(dnssec_ok=True), True
            for request, ad, signed in (
                (ask("www.safe.test", edns=with_do), True, True),
                (ask("www.safe.test", ad=with_ad), True, False),
                (ask("www.safe.test"), False, False),
            ):
                reply = await resolver.resolve(request, CLIENT)
                assert addresses(reply) == ["203.0.113.7"] and reply.ad is ad
                assert any(r.type == DnsType.RRSIG for r in reply.answers) is signed
            assert server.seen[0][0].cd, "RFC 6840 5.9"
            seen = len(server.seen)
            assert resolver.cached(ask("www.safe.test"), CLIENT) is not None
            missing = await resolver.resolve(ask("none.safe.test", edns=with_do), CLIENT)
            assert missing.rcode == Rcode.NXDOMAIN and missing.ad
            assert any(r.type == DnsType.NSEC for r in missing.authority)
            bogus = await resolver.resolve(ask("bad.safe.test"), CLIENT)
            assert bogus.rcode == Rcode.SERVFAIL and why(bogus) == Why.BOGUS and not bogus.answers
            assert counters[Count.BOGUS] == 1 and len(server.seen) > seen
            unchecked = await resolver.resolve(ask("bad.safe.test", cd=True), CLIENT)
            assert addresses(unchecked) == ["6.6.6.6"] and not unchecked.ad
            again = await resolver.resolve(ask("bad.safe.test"), CLIENT)
            assert again.rcode == Rcode.SERVFAIL and not again.answers

    run(scene)


def test_without_validation_a_forwarders_word_is_passed_on(directory: Directory) -> None:
    """CD goes on to the forwarder, AD comes back from it to who asks for it."""

    def checked(query: Message) -> Message:
        return replace(address(query), ad=not query.cd)

    async def scene() -> None:
        async with upstream(checked) as (server, forwarder), resolving(directory, forwarder) as resolver:
            assert (await resolver.resolve(ask("www.far", ad=True), CLIENT)).ad
            assert not (await resolver.resolve(ask("www.far"), CLIENT)).ad
            lax = await resolver.resolve(ask("www.far", cd=True, ad=True), CLIENT)
            assert lax.cd and not lax.ad
            assert [query.cd for query, _ in server.seen] == [False, True]

    run(scene)


# --- our own zones in the chain ---


def test_chains_lead_into_our_own_zones(directory: Directory) -> None:
    own = record("dc1.corp.example.com", "A", "192.0.2.10")

    def local(name: Name, qtype: int, _: bool) -> Message | None:
        if name[-3:] != parse_name("corp.example.com"):
            return None
        return Message(qr=True, aa=True, answers=(own,) if qtype == 1 else ())

    def alias(query: Message) -> Message:
        chain: tuple[Record, ...] = (
            Record(query.questions[0].name, 5, 1, 60, NameData("dc1.corp.example.com")),
            record("dc1.corp.example.com", "A", "6.6.6.6"),
        )
        return reply_to(query, ra=True, answers=chain)

    async def scene() -> None:
        async with upstream(alias) as (_, forwarder), resolving(directory, forwarder) as resolver:
            resolver.local = local
            reply = await resolver.resolve(ask("www.far"), CLIENT)
            assert addresses(reply) == ["192.0.2.10"], "of our own names we know better"

    run(scene)


# --- stub zones ---


def test_a_stub_zone_is_refreshed_from_its_masters(
    corp_sqlite: Corp, directory: Directory, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = {
        ("stub.test", 6): "stub.test SOA ns1.stub.test",
        ("stub.test", 2): "stub.test NS ns1.stub.test\nstub.test NS ns.far",
        ("ns1.stub.test", 1): "ns1.stub.test A 192.0.2.53",
    }

    def master(query: Message) -> Message:
        asked = query.questions[0]
        key = (name_text(tuple(label.lower() for label in asked.name)), asked.qtype)
        return reply_to(query, aa=True, answers=tuple(records(held[key])) if key in held else ())

    def at(relative: str) -> list[str]:
        def work(ctx: ReadContext) -> list[str]:
            zone = zone_named(ctx, "stub.test")
            assert zone is not None
            found = dns_records.records_at(ctx, zone, relative)
            return sorted(f"{r.type.name} {getattr(r.data, 'name', '')}".strip() for r in found)

        return directory.read_now("test", SYSTEM, work)

    async def scene() -> None:
        now = [100.0]
        async with upstream(master) as (server, forwarder):
            monkeypatch.setattr("addc.dns.stub_refresh._PORT", forwarder.port)
            corp_sqlite.write(lambda ctx: add_zone(ctx, "stub.test", ZoneType.STUB, "127.0.0.2", HERE))
            services = StubServices(CountingRng(), frozenset({"127.0.0.2"}), monotonic=lambda: now[0])
            stubs = StubRefresh(directory, services)
            assert await stubs.step() == 1
            assert at("@") == ["NS ns.far", "NS ns1.stub.test", "SOA"] and at("ns1") == ["A"]
            seen = len(server.seen)
            assert await stubs.step() == 0 and len(server.seen) == seen, "not due"
            now[0] += 901
            assert await stubs.step() == 0 and len(server.seen) > seen, "nothing new"
            held["stub.test", 2] = "stub.test NS ns2.stub.test"
            held["ns2.stub.test", 1] = "ns2.stub.test A 192.0.2.54"
            now[0] += 901
            assert await stubs.step() == 1
            assert at("@") == ["NS ns2.stub.test", "SOA"] and at("ns1") == [] and at("ns2") == ["A"]
            held.clear()
            now[0] += 901
            assert await stubs.step() == 0
            assert at("@") == ["NS ns2.stub.test", "SOA"], "masters that know nothing change nothing"

    run(scene)


def test_looking_at_a_thousand_zones_is_no_work_all_the_time(directory: Directory, corp_sqlite: Corp) -> None:
    """A look that took 0.1 s is not made again for 5 s, though the directory changes all the time."""
    now_s, looks = 100.0, 0

    def monotonic() -> float:
        return now_s

    def slow(ctx: ReadContext, own: Own) -> Plan:
        nonlocal now_s, looks
        now_s, looks = now_s + 0.1, looks + 1
        return read_plan(ctx, own)

    resolver = Resolver(
        directory,
        ResolverServices(CountingRng(b"r"), StandingClock(corp_sqlite.now), frozenset(), monotonic=monotonic),
    )
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(resolver_module, "read_plan", slow)
        for _ in range(12):
            corp_sqlite.write(lambda ctx: keep_settings(ctx, DnsSettings(cache_generation=ctx.tx.seq)))
            resolver.offers(CLIENT)
            now_s += 1
    assert looks == 3
    resolver.close()
