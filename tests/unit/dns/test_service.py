"""Port 53 over a forest: answers at once, answers kept and dropped, forwarders, and streams."""

import asyncio
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import cast

import dns.flags
import dns.message
import dns.opcode
import dns.rcode
import dns.rdatatype
import pytest

from addc.codec.dns_rdata import AData, DnsType
from addc.directory.api import Directory, Services
from addc.dns.codec import Query
from addc.dns.forward import Forwarder
from addc.dns.service import DnsDatagrams, DnsService
from tests.kit.corp import Corp, replace_values
from tests.kit.corp_forest import DOMAIN_DN, CountingRng, StandingClock
from tests.unit.dns.records import record

ZONE = f"DC=corp.example.com,CN=MicrosoftDNS,DC=DomainDnsZones,{DOMAIN_DN}"
CLIENT = "127.0.0.1"


@dataclass
class Resolver:
    """Asks one service as a client would; answers come parsed by dnspython."""

    corp: Corp
    service: DnsService

    def ask(self, name: str, kind: str = "A", *, tcp: bool = False, **more: object) -> dns.message.Message:
        query = dns.message.make_query(name, kind, **more)  # type: ignore[arg-type]
        data = self.service.answer_now(query.to_wire(), tcp=tcp)
        assert isinstance(data, bytes)
        reply = dns.message.from_wire(data)
        assert query.is_response(reply)
        return reply

    def texts(self, name: str, kind: str = "A", **more: bool) -> list[str]:
        """The answer section as sorted texts."""
        answers = self.ask(name, kind, **more).answer
        return sorted(rdata.to_text() for rrset in answers for rdata in rrset)


@pytest.fixture
def directory(corp_sqlite: Corp) -> Directory:
    services = Services(StandingClock(corp_sqlite.now), CountingRng(b"dns"))
    return Directory(corp_sqlite.store, corp_sqlite.schema, services)


@pytest.fixture
def resolver(corp_sqlite: Corp, directory: Directory) -> Iterator[Resolver]:
    yield Resolver(corp_sqlite, DnsService(directory, CountingRng(), ()))


# --- our own names ---


def test_services_and_the_addresses_of_their_hosts(resolver: Resolver) -> None:
    reply = resolver.ask("_ldap._tcp.dc._msdcs.corp.example.com", "SRV")
    assert reply.rcode() == dns.rcode.NOERROR and reply.flags & dns.flags.AA
    assert not reply.flags & dns.flags.RA, "nobody to ask"
    assert [r.to_text() for r in reply.answer[0]] == ["0 100 389 dc1.corp.example.com."]
    glue = {rdata.to_text() for rrset in reply.additional for rdata in rrset}
    assert glue == {"192.0.2.10", "2001:db8::10"}


def test_the_spelling_of_the_question_comes_back(resolver: Resolver) -> None:
    reply = resolver.ask("DC1.Corp.Example.COM")
    assert str(reply.question[0].name) == str(reply.answer[0].name) == "DC1.Corp.Example.COM."


def test_missing_names_and_missing_types(resolver: Resolver) -> None:
    missing = resolver.ask("none.corp.example.com")
    assert missing.rcode() == dns.rcode.NXDOMAIN
    assert missing.authority[0].rdtype == dns.rdatatype.SOA and missing.authority[0].ttl <= 3600
    for name, kind in (("_tcp.corp.example.com", "SRV"), ("dc1.corp.example.com", "MX")):
        empty = resolver.ask(name, kind)
        assert empty.rcode() == dns.rcode.NOERROR and not empty.answer
        assert empty.authority[0].rdtype == dns.rdatatype.SOA


def test_kept_replies_go_when_the_directory_changes(resolver: Resolver) -> None:
    corp, name = resolver.corp, "printer.corp.example.com"
    assert resolver.ask(name).rcode() == dns.rcode.NXDOMAIN
    address = record(DnsType.A, AData(bytes((192, 0, 2, 60))))
    corp.add(f"DC=printer,{ZONE}", "dnsNode", dnsRecord=address.pack())
    assert resolver.texts(name) == ["192.0.2.60"] == resolver.texts(name)
    moved = record(DnsType.A, AData(bytes((192, 0, 2, 61))))
    corp.modify(f"DC=printer,{ZONE}", replace_values("dnsRecord", moved.pack()))
    assert resolver.texts(name) == ["192.0.2.61"]


def test_a_kept_reply_answers_the_new_id_and_only_the_same_words(resolver: Resolver) -> None:
    for number in (1, 2, 65_535):
        assert resolver.ask("dc1.corp.example.com", id=number).id == number
    assert resolver.ask("dc1.corp.example.com", use_edns=0).edns == 0
    assert resolver.ask("dc1.corp.example.com").edns == -1
    assert resolver.ask("dc1.corp.example.com", flags=0).flags & dns.flags.RD == 0


def test_kept_replies_are_bounded(resolver: Resolver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("addc.dns.service._KEPT_REPLIES_MAX", 3)
    for number in range(10):
        resolver.ask(f"n{number}.corp.example.com")
    assert len(resolver.service._kept) <= 3


def test_large_answers_are_cut_for_datagrams_and_whole_for_streams(resolver: Resolver) -> None:
    many = [record(DnsType.A, AData(bytes((10, 0, n >> 8, n & 255)))).pack() for n in range(100)]
    resolver.corp.add(f"DC=many,{ZONE}", "dnsNode", dnsRecord=many)
    cut = resolver.ask("many.corp.example.com")
    assert cut.flags & dns.flags.TC and not cut.answer
    assert resolver.ask("many.corp.example.com", use_edns=0, payload=4096).flags & dns.flags.TC
    whole = resolver.ask("many.corp.example.com", tcp=True)
    assert len(whole.answer[0]) == 100 and not whole.flags & dns.flags.TC


# --- what is not served ---


def test_everything_about_a_name_is_told_over_streams_alone(resolver: Resolver) -> None:
    cut = resolver.ask("corp.example.com", "ANY")
    assert cut.flags & dns.flags.TC and not cut.answer and not cut.additional
    assert len(resolver.ask("corp.example.com", "ANY", tcp=True).answer) > 1


def test_other_operations_and_questions(resolver: Resolver) -> None:
    for kind in ("AXFR", "IXFR", "TKEY"):
        assert resolver.ask("corp.example.com", kind).rcode() == dns.rcode.NOTIMP
    notify = dns.message.make_query("corp.example.com", "SOA")
    notify.set_opcode(dns.opcode.NOTIFY)
    data = resolver.service.answer_now(notify.to_wire(), tcp=False)
    assert isinstance(data, bytes) and data[3] & 15 == dns.rcode.NOTIMP
    assert resolver.ask("corp.example.com", rdclass="CH").rcode() == dns.rcode.REFUSED


def test_an_unknown_version_of_edns(resolver: Resolver) -> None:
    reply = resolver.ask("dc1.corp.example.com", use_edns=1)
    assert reply.rcode() == dns.rcode.BADVERS and not reply.answer


def test_rubbish(resolver: Resolver) -> None:
    answer = resolver.service.answer_now
    query = dns.message.make_query("dc1.corp.example.com", "A").to_wire()
    assert answer(b"", tcp=False) is None and answer(b"\0" * 11, tcp=False) is None
    assert answer(query[:2] + b"\x80" + query[3:], tcp=False) is None, "a response is not answered"
    broken = answer(query[:-3], tcp=False)
    assert isinstance(broken, bytes) and broken[3] & 15 == dns.rcode.FORMERR
    nothing = answer(query[:4] + b"\0\0" + query[6:12], tcp=False)
    assert isinstance(nothing, bytes) and nothing[3] & 15 == dns.rcode.FORMERR


def test_a_bug_is_servfail_and_a_line_in_the_log(
    resolver: Resolver, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("bug")

    monkeypatch.setattr("addc.dns.service.answer", fail)
    query = dns.message.make_query("dc1.corp.example.com", "A").to_wire()
    found = resolver.service.answer_safely(query, CLIENT, tcp=True)
    assert isinstance(found, bytes) and found[3] & 15 == dns.rcode.SERVFAIL
    assert [entry.levelname for entry in caplog.records] == ["ERROR"]


# --- forwarding ---


@dataclass
class Outside(asyncio.DatagramProtocol):
    """A server of the world outside; mode: what it does with a query."""

    mode: str = "answer"
    seen: list[bytes] = field(default_factory=list)
    transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.seen.append(data)
        assert self.transport is not None
        for reply in self.replies(data):
            self.transport.sendto(reply, addr)

    def replies(self, data: bytes) -> list[bytes]:
        good = self.reply(data)
        if self.mode == "silent":
            return []
        if self.mode == "forge":
            other_id = bytes((data[0] ^ 1, data[1])) + good[2:]
            other_question = good.replace(b"outside", b"0utside")
            return [other_id, data, other_question, b"\0", good]
        return [good]

    @staticmethod
    def reply(data: bytes) -> bytes:
        reply = dns.message.make_response(dns.message.from_wire(data), recursion_available=True)
        reply.answer.append(dns.rrset.from_text(reply.question[0].name, 60, "IN", "A", "203.0.113.7"))
        return reply.to_wire()

    async def stream(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        data = await reader.readexactly(int.from_bytes(await reader.readexactly(2), "big"))
        self.seen.append(data)
        if self.mode != "silent":
            reply = self.reply(data)
            writer.write(struct.pack("!H", len(reply)) + reply)
        writer.close()


@asynccontextmanager
async def outside(mode: str = "answer") -> AsyncIterator[tuple[Outside, Forwarder]]:
    loop = asyncio.get_running_loop()
    server = Outside(mode)
    streams = await asyncio.start_server(server.stream, CLIENT, 0)
    port = streams.sockets[0].getsockname()[1]
    transport, _ = await loop.create_datagram_endpoint(lambda: server, local_addr=(CLIENT, port))
    try:
        yield server, Forwarder(CLIENT, port)
    finally:
        transport.close()
        streams.close()
        await streams.wait_closed()


QUERY = dns.message.make_query("www.outside.test", "A", id=4711)


async def forwarded(service: DnsService, *, tcp: bool, source: str = "192.0.2.77") -> dns.message.Message:
    data = QUERY.to_wire()
    query = service.answer_now(data, tcp=tcp)
    assert isinstance(query, Query)
    reply = dns.message.from_wire(await service.answer_from_outside(data, query, source, tcp=tcp))
    assert QUERY.is_response(reply)
    return reply


Scene = Callable[[], Awaitable[None]]


def run(scene: Scene) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(20):
            await scene()

    asyncio.run(bounded())


@pytest.mark.parametrize("tcp", [False, True])
def test_other_names_are_asked_for_outside(directory: Directory, tcp: bool) -> None:
    async def scene() -> None:
        async with outside() as (server, forwarder):
            service = DnsService(directory, CountingRng(), [forwarder])
            reply = await forwarded(service, tcp=tcp)
            assert [r.to_text() for r in reply.answer[0]] == ["203.0.113.7"]
            assert reply.flags & dns.flags.RA and len(server.seen) == 1
            assert server.seen[0][:2] != QUERY.to_wire()[:2], "under an id of our own"

    run(scene)


def test_forged_replies_are_passed_over(directory: Directory) -> None:
    async def scene() -> None:
        async with outside("forge") as (_, forwarder):
            reply = await forwarded(DnsService(directory, CountingRng(), [forwarder]), tcp=False)
            assert [r.to_text() for r in reply.answer[0]] == ["203.0.113.7"]

    run(scene)


def test_the_next_forwarder_is_asked_where_one_is_silent_or_gone(
    directory: Directory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("addc.dns.forward.ATTEMPT_TIMEOUT_S", 0.2)

    async def scene() -> None:
        async with outside("silent") as (mute, first), outside() as (_, third):
            gone = await asyncio.start_server(mute.stream, CLIENT, 0)
            second = Forwarder(CLIENT, gone.sockets[0].getsockname()[1])
            gone.close()
            await gone.wait_closed()
            service = DnsService(directory, CountingRng(), [first, second, third])
            for tcp in (False, True):
                assert (await forwarded(service, tcp=tcp)).rcode() == dns.rcode.NOERROR
            assert len(mute.seen) == 2

    run(scene)


def test_without_an_answer_in_time_it_is_servfail(
    directory: Directory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("addc.dns.forward.ATTEMPT_TIMEOUT_S", 0.1)

    async def scene() -> None:
        async with outside("silent") as (_, forwarder):
            service = DnsService(directory, CountingRng(), [forwarder])
            assert (await forwarded(service, tcp=False)).rcode() == dns.rcode.SERVFAIL
            monkeypatch.setattr("addc.dns.forward.IN_FLIGHT_MAX", 0)
            assert (await forwarded(service, tcp=False)).rcode() == dns.rcode.SERVFAIL

    run(scene)


def test_who_may_not_ask_the_world_is_refused(directory: Directory) -> None:
    async def scene() -> None:
        alone = DnsService(directory, CountingRng(), ())
        assert (await forwarded(alone, tcp=False)).rcode() == dns.rcode.REFUSED
        async with outside() as (server, forwarder):
            service = DnsService(directory, CountingRng(), [forwarder])
            loop = await forwarded(service, tcp=False, source=CLIENT)
            assert loop.rcode() == dns.rcode.REFUSED, "a forwarder's own query"
            assert not server.seen

    run(scene)


# --- sockets ---


class Datagrams(asyncio.DatagramTransport):
    def __init__(self) -> None:
        super().__init__()
        self.sent: list[tuple[bytes, object]] = []
        self.arrived = asyncio.Event()

    def sendto(self, data: bytes, addr: object = None) -> None:  # type: ignore[override]
        self.sent.append((data, addr))
        self.arrived.set()

    def is_closing(self) -> bool:
        return False


def test_datagrams_are_answered_to_their_senders(directory: Directory) -> None:
    async def scene() -> None:
        async with outside() as (_, forwarder):
            protocol = DnsDatagrams(DnsService(directory, CountingRng(), [forwarder]))
            transport = Datagrams()
            protocol.connection_made(transport)
            own = dns.message.make_query("dc1.corp.example.com", "A", id=1)
            protocol.datagram_received(own.to_wire(), ("192.0.2.77", 5001))
            assert transport.sent[0][1] == ("192.0.2.77", 5001), "at once"
            transport.arrived.clear()
            protocol.datagram_received(QUERY.to_wire(), ("192.0.2.78", 5002))
            assert len(transport.sent) == 1
            await transport.arrived.wait()
            assert transport.sent[1][1] == ("192.0.2.78", 5002)
            protocol.datagram_received(b"rubbish", ("192.0.2.79", 5003))
            assert len(transport.sent) == 2

    run(scene)


@asynccontextmanager
async def stream_of(service: DnsService) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    server = await asyncio.start_server(service.serve_stream, CLIENT, 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname()[:2])
    try:
        yield reader, writer
    finally:
        writer.close()
        server.close()
        await server.wait_closed()


async def take(reader: asyncio.StreamReader) -> dns.message.Message:
    data = await reader.readexactly(int.from_bytes(await reader.readexactly(2), "big"))
    return dns.message.from_wire(data)


def test_a_stream_carries_many_queries(directory: Directory) -> None:
    async def scene() -> None:
        async with stream_of(DnsService(directory, CountingRng(), ())) as (reader, writer):
            count = 100
            for number in range(count):
                data = dns.message.make_query("dc1.corp.example.com", "A", id=number).to_wire()
                framed = struct.pack("!H", len(data)) + data
                writer.write(framed[:1])
                writer.write(framed[1:])
            replies = [await take(reader) for _ in range(count)]
            assert {reply.id for reply in replies} == set(range(count))
            assert all(reply.answer for reply in replies)

    run(scene)


def test_the_oldest_stream_makes_way_for_one_too_many(
    directory: Directory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("addc.dns.service._STREAMS_MAX", 2)

    async def scene() -> None:
        service = DnsService(directory, CountingRng(), ())
        async with stream_of(service) as one, stream_of(service) as two, stream_of(service) as three:
            assert await one[0].read() == b""
            data = dns.message.make_query("dc1.corp.example.com", "A").to_wire()
            for reader, writer in (two, three):
                writer.write(struct.pack("!H", len(data)) + data)
                assert (await take(reader)).answer
            assert len(service._streams) == 2

    run(scene)


def test_a_silent_stream_is_closed(directory: Directory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("addc.dns.service._TCP_IDLE_S", 0.1)

    async def scene() -> None:
        async with stream_of(DnsService(directory, CountingRng(), ())) as (reader, writer):
            writer.write(b"\0")
            assert await reader.read() == b""

    run(scene)


def test_rubbish_on_a_stream_is_answered_and_the_next_query_too(directory: Directory) -> None:
    async def scene() -> None:
        async with stream_of(DnsService(directory, CountingRng(), ())) as (reader, writer):
            good = dns.message.make_query("dc1.corp.example.com", "A").to_wire()
            bad = good[:-3]
            for data in (bad, good):
                writer.write(struct.pack("!H", len(data)) + data)
            codes = {(await take(reader)).rcode() for _ in range(2)}
            assert codes == {dns.rcode.FORMERR, dns.rcode.NOERROR}

    run(scene)
