"""Port 53: datagrams and streams around the pure answer, and the forwarder.

A reply to a question that was asked before in the same words is kept until the directory changes.
Spec: RFC 1035 4.2, RFC 7766, RFC 6891 7
"""

import asyncio
import logging
from collections.abc import Sequence
from typing import Final

from addc.base.errors import DecodeError
from addc.base.rng import Rng
from addc.codes.rcode import Rcode
from addc.directory.api import Directory
from addc.directory.context import ReadContext
from addc.dns import codec, forward
from addc.dns.answer import QTYPE_ANY, Answer, answer
from addc.dns.codec import OPCODE_QUERY, UDP_SIZE_MIN, Query
from addc.dns.forward import Forwarder
from addc.dns.zones import DirectoryZones, InteriorNames
from addc.security.token import SYSTEM

_LOG: Final = logging.getLogger("addc.dns")
_KEPT_REPLIES_MAX: Final = 16_384
_KEPT_QUERY_MAX_BYTES: Final = 300
_TCP_IDLE_S: Final = 15.0
_TCP_QUERIES_IN_FLIGHT: Final = 32
_STREAMS_MAX: Final = 4096
_TCP_SIZE_MAX: Final = 65_535
_EDNS_VERSION_MAX: Final = 0
_BADVERS: Final = 16


class DnsService:
    """Answers one message at a time: at once where it can, later where a forwarder has to be asked."""

    def __init__(self, directory: Directory, rng: Rng, forwarders: Sequence[Forwarder]) -> None:
        self._directory = directory
        self._rng = rng
        self._forwarders = tuple(forwarders)
        self._interior = InteriorNames()
        self._kept: dict[bytes, bytes] = {}
        self._kept_usn = -1
        self._forwarding = 0
        self._streams: dict[asyncio.StreamWriter, None] = {}

    def answer_now(self, data: bytes, *, tcp: bool) -> "bytes | Query | None":
        """A reply; or None for silence; or the query itself where the world outside has to be asked."""
        usn = self._directory.usn()
        if usn != self._kept_usn:
            self._kept.clear()
            self._kept_usn = usn
        key = data[2:] if not tcp and len(data) < _KEPT_QUERY_MAX_BYTES else b""
        kept = self._kept.get(key)
        if kept is not None:
            return data[:2] + kept
        try:
            query = codec.decode_query(data)
        except DecodeError:
            return codec.encode_error(data, Rcode.FORMERR)
        reply = self._decide(query)
        if reply is None:
            return query
        encoded = self._encode(query, reply, tcp=tcp)
        if key:
            if len(self._kept) >= _KEPT_REPLIES_MAX:
                self._kept.clear()
            self._kept[key] = encoded[2:]
        return encoded

    def answer_safely(self, data: bytes, source: str, *, tcp: bool) -> "bytes | Query | None":
        """`answer_now`, and SERVFAIL where that fails: one bad query must not stop the others."""
        try:
            return self.answer_now(data, tcp=tcp)
        except Exception:
            _LOG.exception("DNS query failed", extra={"fields": {"source": source}})
            return codec.encode_error(data, Rcode.SERVFAIL)

    def _encode(self, query: Query, reply: Answer, *, tcp: bool) -> bytes:
        size = _TCP_SIZE_MAX if tcp else min(query.edns or UDP_SIZE_MIN, codec.UDP_SIZE_MAX)
        if not tcp and query.question is not None and query.question.qtype == QTYPE_ANY:
            size = 0  # who asks for everything shows by TCP that he is who he says (RFC 8482 4.4)
        return codec.encode_reply(query, reply, recursion_available=bool(self._forwarders), max_size=size)

    def _decide(self, query: Query) -> Answer | None:
        """Our own answer; None where the name is not ours."""
        if query.opcode != OPCODE_QUERY:
            return Answer(Rcode.NOTIMP, authoritative=False)
        question = query.question
        if question is None:
            return Answer(Rcode.FORMERR, authoritative=False)
        if query.edns is not None and query.edns_version > _EDNS_VERSION_MAX:
            return Answer(Rcode(_BADVERS), authoritative=False)
        if question.qtype in codec.META_TYPES:
            return Answer(Rcode.NOTIMP, authoritative=False)

        def work(ctx: ReadContext) -> Answer | None:
            return answer(question, DirectoryZones(ctx, self._interior))

        return self._directory.read_now("dns.query", SYSTEM, work)

    async def answer_from_outside(self, data: bytes, query: Query, source: str, *, tcp: bool) -> bytes:
        """What a forwarder says; REFUSED where there is none to ask, SERVFAIL where none answers."""
        allowed = forward.may_forward(source, self._forwarders, recursion_desired=query.recursion_desired)
        if not allowed:
            return self._encode(query, Answer(Rcode.REFUSED, authoritative=False), tcp=tcp)
        if self._forwarding >= forward.IN_FLIGHT_MAX:
            return self._encode(query, Answer(Rcode.SERVFAIL, authoritative=False), tcp=tcp)
        self._forwarding += 1
        try:
            async with asyncio.timeout(forward.TOTAL_TIMEOUT_S):
                for forwarder in self._forwarders:
                    found = await self._ask(forwarder, data, tcp=tcp)
                    if found is not None:
                        return data[:2] + found[2:]
        except TimeoutError:
            pass
        finally:
            self._forwarding -= 1
        return self._encode(query, Answer(Rcode.SERVFAIL, authoritative=False), tcp=tcp)

    async def _ask(self, forwarder: Forwarder, data: bytes, *, tcp: bool) -> bytes | None:
        """One forwarder's reply, by the transport that the client used; None when it gives none in time."""
        sent = forward.with_id(data, int.from_bytes(self._rng.bytes(2), "big"))
        try:
            async with asyncio.timeout(forward.ATTEMPT_TIMEOUT_S):
                if tcp:
                    return await _ask_stream(forwarder, sent)
                return await _ask_datagram(forwarder, sent)
        except (TimeoutError, OSError, asyncio.IncompleteReadError):
            return None

    async def serve_stream(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One TCP client: messages with two bytes of length before each, answered in any order."""
        source = str(writer.get_extra_info("peername", ("",))[0])
        self._streams[writer] = None
        if len(self._streams) > _STREAMS_MAX:
            # The oldest goes: it had its time, and what merely connects would else use up the files.
            next(iter(self._streams)).transport.abort()
        slots = asyncio.Semaphore(_TCP_QUERIES_IN_FLIGHT)
        try:
            async with asyncio.TaskGroup() as group:
                while True:
                    await slots.acquire()
                    async with asyncio.timeout(_TCP_IDLE_S):
                        size = int.from_bytes(await reader.readexactly(2), "big")
                        data = await reader.readexactly(size)
                    group.create_task(self._answer_stream(data, source, writer, slots))
        except* (TimeoutError, asyncio.IncompleteReadError, OSError):
            pass
        finally:
            self._streams.pop(writer, None)
            writer.close()

    async def _answer_stream(
        self, data: bytes, source: str, writer: asyncio.StreamWriter, slots: asyncio.Semaphore
    ) -> None:
        try:
            found = self.answer_safely(data, source, tcp=True)
            if isinstance(found, Query):
                found = await self.answer_from_outside(data, found, source, tcp=True)
            if found is not None:
                writer.write(len(found).to_bytes(2, "big") + found)
                await writer.drain()
        finally:
            slots.release()


class DnsDatagrams(asyncio.DatagramProtocol):
    """The UDP socket; queries for the world outside become tasks, bounded by IN_FLIGHT_MAX."""

    def __init__(self, service: DnsService) -> None:
        self._service = service
        self._answer = service.answer_safely
        self._tasks: set[asyncio.Task[None]] = set()
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        assert self._transport is not None
        found = self._answer(data, addr[0], tcp=False)
        if isinstance(found, Query):
            task = asyncio.get_running_loop().create_task(self._later(data, found, addr))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        elif found is not None:
            self._transport.sendto(found, addr)

    async def _later(self, data: bytes, query: Query, addr: tuple[str, int]) -> None:
        reply = await self._service.answer_from_outside(data, query, addr[0], tcp=False)
        if self._transport is not None and not self._transport.is_closing():
            self._transport.sendto(reply, addr)

    def error_received(self, exc: Exception) -> None:
        """A client that is gone (ICMP) is no concern of ours."""


class _OneReply(asyncio.DatagramProtocol):
    def __init__(self, sent: bytes) -> None:
        self._sent = sent
        self.reply: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if not self.reply.done() and forward.is_reply_to(self._sent, data):
            self.reply.set_result(data)

    def error_received(self, exc: Exception) -> None:
        if not self.reply.done():
            self.reply.set_exception(exc)


async def _ask_datagram(forwarder: Forwarder, sent: bytes) -> bytes:
    """The reply comes to a port of its own (RFC 5452 9.2), and only from the address asked."""
    loop = asyncio.get_running_loop()
    transport, protocol = await loop.create_datagram_endpoint(
        lambda: _OneReply(sent), remote_addr=(forwarder.address, forwarder.port)
    )
    try:
        transport.sendto(sent)
        return await protocol.reply
    finally:
        transport.close()


async def _ask_stream(forwarder: Forwarder, sent: bytes) -> bytes | None:
    reader, writer = await asyncio.open_connection(forwarder.address, forwarder.port)
    try:
        writer.write(len(sent).to_bytes(2, "big") + sent)
        await writer.drain()
        reply = await reader.readexactly(int.from_bytes(await reader.readexactly(2), "big"))
        return reply if forward.is_reply_to(sent, reply) else None
    finally:
        writer.close()
