"""Port 53's sockets: datagrams taken in many at once, streams with many queries under way."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import dns.flags
import dns.message
import dns.rcode
import pytest

from addc.codec.dns_message import Message, reply_to
from addc.codec.dns_rdata import DnsType, TxtData
from addc.dns.counters import Count
from addc.dns.datagrams import Datagrams
from addc.dns.service import DnsService
from addc.dns.streams import _HIGH_WATER, StreamTable
from tests.kit.corp import Corp
from tests.unit.dns.asking import Asker, asker_of
from tests.unit.dns.records import record

LOCALHOST = "127.0.0.1"
OWN = dns.message.make_query("dc1.corp.example.com", "A", id=1)
AWAY = dns.message.make_query("www.outside.test", "A", id=4711)

Scene = Callable[[], Awaitable[None]]


def run(scene: Scene) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(20):
            await scene()

    asyncio.run(bounded())


class Slow:
    """A resolver that answers once it is told to."""

    def __init__(self) -> None:
        self.go = asyncio.Event()
        self.asked = 0
        self.heard: asyncio.Queue[None] = asyncio.Queue()

    def offers(self, source: str) -> bool:
        return True

    def cached(self, request: Message, source: str) -> Message | None:
        return None

    async def resolve(self, request: Message, source: str) -> Message:
        self.asked += 1
        self.heard.put_nowait(None)
        await self.go.wait()
        return reply_to(request, ra=True)


@pytest.fixture
def asker(corp_sqlite: Corp) -> Asker:
    return asker_of(corp_sqlite)


# --- datagrams ---


class Peer(asyncio.DatagramProtocol):
    def __init__(self) -> None:
        self.got: asyncio.Queue[bytes] = asyncio.Queue()

    def datagram_received(self, data: bytes, addr: object) -> None:
        self.got.put_nowait(data)


@asynccontextmanager
async def datagrams_of(service: DnsService) -> AsyncIterator[tuple[asyncio.DatagramTransport, Peer]]:
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind((LOCALHOST, 0))
    served = Datagrams(service, sock)
    loop = asyncio.get_running_loop()
    transport, peer = await loop.create_datagram_endpoint(Peer, remote_addr=sock.getsockname())
    try:
        yield transport, peer
    finally:
        transport.close()
        served.close()
        served.close()


def test_many_datagrams_are_answered_and_counted(asker: Asker) -> None:
    async def scene() -> None:
        async with datagrams_of(asker.service) as (transport, peer):
            wanted = set(range(200))
            for number in wanted:
                transport.sendto(dns.message.make_query("dc1.corp.example.com", "A", id=number).to_wire())
            got = {dns.message.from_wire(await peer.got.get()).id for _ in wanted}
            assert got == wanted
        counters = asker.service.counters
        assert counters[Count.UDP_QUERIES] == counters[Count.UDP_REPLIES] == 200
        assert counters[Count.KEPT_REPLIES] == 199

    run(scene)


def test_rubbish_and_empty_datagrams_stop_nobody(asker: Asker) -> None:
    async def scene() -> None:
        async with datagrams_of(asker.service) as (transport, peer):
            for data in (b"", b"rubbish", b"\xff" * 600, OWN.to_wire()):
                transport.sendto(data)
            assert OWN.is_response(dns.message.from_wire(await peer.got.get()))

    run(scene)


def test_what_others_are_asked_for_holds_up_no_other_datagram(corp_sqlite: Corp) -> None:
    async def scene() -> None:
        helper = Slow()
        async with datagrams_of(asker_of(corp_sqlite, resolver=helper).service) as (transport, peer):
            transport.sendto(AWAY.to_wire())
            transport.sendto(OWN.to_wire())
            assert OWN.is_response(dns.message.from_wire(await peer.got.get()))
            helper.go.set()
            assert AWAY.is_response(dns.message.from_wire(await peer.got.get()))

    run(scene)


def test_queries_that_wait_are_bounded(corp_sqlite: Corp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("addc.dns.datagrams.LATER_MAX", 3)

    async def scene() -> None:
        helper = Slow()
        async with datagrams_of(asker_of(corp_sqlite, resolver=helper).service) as (transport, peer):
            for _ in range(10):
                transport.sendto(AWAY.to_wire())
            transport.sendto(OWN.to_wire())
            await peer.got.get()
            await asyncio.sleep(0)
            assert helper.asked == 3

    run(scene)


# --- streams ---


@asynccontextmanager
async def table_of(service: DnsService) -> AsyncIterator[tuple[StreamTable, tuple[str, int]]]:
    table = StreamTable(service)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(table.connection, LOCALHOST, 0)
    try:
        yield table, server.sockets[0].getsockname()[:2]
    finally:
        table.close()
        server.close()
        await server.wait_closed()


@asynccontextmanager
async def stream_of(service: DnsService) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    async with table_of(service) as (_, address):
        reader, writer = await asyncio.open_connection(*address)
        try:
            yield reader, writer
        finally:
            writer.close()


def framed(message: dns.message.Message) -> bytes:
    data = message.to_wire()
    return struct.pack("!H", len(data)) + data


async def take(reader: asyncio.StreamReader) -> dns.message.Message:
    data = await reader.readexactly(int.from_bytes(await reader.readexactly(2), "big"))
    return dns.message.from_wire(data)


def test_a_stream_carries_many_queries(asker: Asker) -> None:
    async def scene() -> None:
        async with stream_of(asker.service) as (reader, writer):
            count = 100
            for number in range(count):
                data = framed(dns.message.make_query("dc1.corp.example.com", "A", id=number))
                writer.write(data[:1])
                writer.write(data[1:])
            replies = [await take(reader) for _ in range(count)]
            assert {reply.id for reply in replies} == set(range(count))
            assert all(reply.answer for reply in replies)
        counters = asker.service.counters
        assert counters[Count.TCP_QUERIES] == counters[Count.TCP_REPLIES] == count
        assert counters[Count.KEPT_REPLIES] == count - 1

    run(scene)


def test_a_message_may_come_octet_by_octet(asker: Asker) -> None:
    async def scene() -> None:
        async with stream_of(asker.service) as (reader, writer):
            for octet in framed(OWN) * 2:
                writer.write(bytes((octet,)))
                await writer.drain()
            assert (await take(reader)).answer and (await take(reader)).answer

    run(scene)


def test_replies_come_in_the_order_they_can_rfc_7766_6_2_1_1(corp_sqlite: Corp) -> None:
    async def scene() -> None:
        helper = Slow()
        async with stream_of(asker_of(corp_sqlite, resolver=helper).service) as (reader, writer):
            writer.write(framed(AWAY) + framed(OWN))
            assert (await take(reader)).id == OWN.id
            helper.go.set()
            assert (await take(reader)).id == AWAY.id

    run(scene)


def test_a_client_that_ends_its_half_still_gets_its_replies(corp_sqlite: Corp) -> None:
    async def scene() -> None:
        helper = Slow()
        async with stream_of(asker_of(corp_sqlite, resolver=helper).service) as (reader, writer):
            writer.write(framed(AWAY))
            writer.write_eof()
            await helper.heard.get()
            helper.go.set()
            assert (await take(reader)).id == AWAY.id
            assert await reader.read() == b""

    run(scene)


def test_one_connection_has_only_so_many_queries_under_way(
    corp_sqlite: Corp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("addc.dns.streams.UNDER_WAY_MAX", 2)

    async def scene() -> None:
        helper = Slow()
        async with stream_of(asker_of(corp_sqlite, resolver=helper).service) as (reader, writer):
            writer.write(framed(AWAY) * 6)
            for _ in range(2):
                await helper.heard.get()
            for _ in range(20):
                await asyncio.sleep(0)
            assert helper.asked == 2, "the others wait"
            helper.go.set()
            for _ in range(6):
                assert (await take(reader)).id == AWAY.id

    run(scene)


def test_the_most_silent_stream_makes_way_for_one_too_many(
    asker: Asker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("addc.dns.streams.CONNECTIONS_MAX", 2)

    async def scene() -> None:
        async with table_of(asker.service) as (table, address):
            one, two = await asyncio.open_connection(*address), await asyncio.open_connection(*address)
            for reader, writer in (two, one):  # the second is now the more silent one
                writer.write(framed(OWN))
                assert (await take(reader)).answer
            three = await asyncio.open_connection(*address)
            assert await is_cut_off(two[0])
            for reader, writer in (one, three):
                writer.write(framed(OWN))
                assert (await take(reader)).answer
            assert len(table) == 2
            for _, writer in (one, two, three):
                writer.close()

    run(scene)


async def is_cut_off(reader: asyncio.StreamReader) -> bool:
    """By a reset or an end."""
    try:
        return await reader.read() == b""
    except ConnectionError:
        return True


def test_one_client_cannot_have_all_streams(asker: Asker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("addc.dns.streams.CONNECTIONS_PER_CLIENT_MAX", 2)

    async def scene() -> None:
        async with table_of(asker.service) as (table, address):
            held = [await asyncio.open_connection(*address) for _ in range(5)]
            held[-1][1].write(framed(OWN))
            assert (await take(held[-1][0])).answer
            assert len(table) == 2
            for _, writer in held:
                writer.close()

    run(scene)


def test_a_silent_stream_is_cut_off(corp_sqlite: Corp) -> None:
    async def scene() -> None:
        async with stream_of(asker_of(corp_sqlite, tcp_idle_s=0.1).service) as (reader, writer):
            writer.write(b"\0")
            assert await is_cut_off(reader)

    run(scene)


class Full(asyncio.Transport):
    """A connection whose other end reads nothing."""

    def __init__(self) -> None:
        super().__init__({"peername": (LOCALHOST, 1)})
        self.aborted = asyncio.Event()
        self.closed = asyncio.Event()

    def close(self) -> None:
        self.closed.set()

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        pass

    def pause_reading(self) -> None:
        pass

    def abort(self) -> None:
        self.aborted.set()


def test_who_reads_no_replies_is_cut_off_though_some_are_to_come(corp_sqlite: Corp) -> None:
    """Denied: some dozens of such connections held every place for queries that take time, for ever."""

    async def scene() -> None:
        helper, transport = Slow(), Full()
        table = StreamTable(asker_of(corp_sqlite, resolver=helper, tcp_idle_s=0.1).service)
        stream = table.connection()
        stream.connection_made(transport)
        stream.data_received(framed(AWAY))
        await helper.heard.get()
        stream.pause_writing()
        helper.go.set()
        await transport.aborted.wait()
        assert stream.is_waited_for is False and table.later == 1
        stream.connection_lost(None)
        for _ in range(5):
            await asyncio.sleep(0)
        assert table.later == 0

    run(scene)


def test_many_small_questions_with_large_answers_are_answered_bit_by_bit(asker: Asker) -> None:
    """Denied: 256 KiB of questions for large records made hundreds of MiB of replies in one go."""
    asker.node("big", *(record(DnsType.TXT, TxtData((bytes((65 + n,)) * 200,))) for n in range(40)))
    count = 500
    question = framed(dns.message.make_query("big.corp.example.com", "TXT"))

    class Counting(Full):
        largest = total = 0

        def write(self, data: bytes | bytearray | memoryview) -> None:
            self.largest, self.total = max(self.largest, len(data)), self.total + len(data)

    async def scene() -> None:
        table, transport = StreamTable(asker.service), Counting()
        stream = table.connection()
        stream.connection_made(transport)
        stream.data_received(question * count)
        stream.eof_received()
        assert 0 < transport.total == transport.largest < 2 * _HIGH_WATER
        await transport.closed.wait()
        assert transport.total > count * 8000 and transport.largest < 2 * _HIGH_WATER
        stream.connection_lost(None)
        table.close()

    run(scene)


def test_what_can_be_no_message_ends_the_stream_after_the_replies(asker: Asker) -> None:
    """A length below a header's leaves nobody knowing where the next message begins."""

    async def scene() -> None:
        async with stream_of(asker.service) as (reader, writer):
            writer.write(framed(OWN) + bytes(100_000))
            assert (await take(reader)).answer
            assert await is_cut_off(reader)

    run(scene)


def test_rubbish_on_a_stream_is_answered_and_the_next_query_too(asker: Asker) -> None:
    async def scene() -> None:
        async with stream_of(asker.service) as (reader, writer):
            bad = OWN.to_wire()[:-3]
            writer.write(struct.pack("!H", len(bad)) + bad + framed(OWN))
            codes = [(await take(reader)).rcode() for _ in range(2)]
            assert codes == [dns.rcode.FORMERR, dns.rcode.NOERROR]

    run(scene)


def test_what_the_service_gives_is_not_changed_by_the_transport(asker: Asker) -> None:
    """A kept reply is the same for both, but for what fits."""

    async def scene() -> None:
        async with stream_of(asker.service) as (reader, writer):
            writer.write(framed(OWN) * 2)
            first, second = await take(reader), await take(reader)
            assert first == second and not first.flags & dns.flags.TC

    run(scene)


class OverTls(asyncio.Transport):
    """What a connection looks like behind TLS."""

    def __init__(self) -> None:
        super().__init__({"sslcontext": object(), "peername": (LOCALHOST, 4711)})
        self.closed = False

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        return

    def close(self) -> None:
        self.closed = True

    abort = close


def test_a_client_that_ends_its_side_of_tls_ends_the_connection(asker: Asker) -> None:
    """asyncio warns where it is asked to keep such a connection: a line of the log for each of them."""

    async def scene() -> None:
        table, transport = StreamTable(asker.service), OverTls()
        stream = table.connection()
        stream.connection_made(transport)
        assert not stream.eof_received() and transport.closed
        stream.connection_lost(None)
        table.close()

    run(scene)
