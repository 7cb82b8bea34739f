"""Sockets towards other servers: a port of its own for each datagram, streams that are used again.

Spec: RFC 5452 9.2 (ports), RFC 7766 6.2 (streams), RFC 1035 4.2
"""

import asyncio
import errno
import socket
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final

from addc.base.rng import Rng
from addc.dns.exchange import FORGED_MAX, Got, Wire
from addc.dns.forward import Forwarder

_PORT_MIN: Final = 10_240
_PORT_COUNT: Final = 65_536 - _PORT_MIN
_PORT_TRIES: Final = 8
_IDLE_MAX: Final = 64
"""Streams kept open for the next question, of all servers together."""
_IDLE_S: Final = 10.0
_RESEND_AT: Final = 0.4
"""Part of the time after which a datagram is sent once more: it may have been lost."""

Monotonic = Callable[[], float]


@dataclass(slots=True)
class _Stream:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    since_s: float


class UpstreamSockets:
    """Carries one message to one server and its reply back."""

    def __init__(self, rng: Rng, monotonic: Monotonic) -> None:
        self._rng = rng
        self._monotonic = monotonic
        self._idle: OrderedDict[Forwarder, list[_Stream]] = OrderedDict()
        self._idle_count = 0

    async def ask(self, server: Forwarder, wire: Wire) -> Got:
        """The first reply that counts; never raises but CancelledError."""
        started = self._monotonic()
        data, forged = None, 0
        try:
            async with asyncio.timeout(wire.timeout_s):
                if wire.tcp:
                    data = await self._by_stream(server, wire)
                else:
                    data, forged = await self._by_datagram(server, wire)
        except (TimeoutError, OSError, asyncio.IncompleteReadError):
            data = None
        now_s = self._monotonic()
        return Got(data, forged, now_s - started, now_s)

    async def _by_datagram(self, server: Forwarder, wire: Wire) -> tuple[bytes | None, int]:
        loop = asyncio.get_running_loop()
        sock = self._random_socket(server)
        try:
            sock.connect((server.address, server.port))  # only its replies arrive, and its refusals too
            transport, waiting = await loop.create_datagram_endpoint(lambda: _Waiting(wire), sock=sock)
        except BaseException:
            sock.close()
            raise
        try:
            transport.sendto(wire.payload)
            again = loop.call_later(wire.timeout_s * _RESEND_AT, transport.sendto, wire.payload)
            try:
                return await waiting.reply, waiting.forged
            finally:
                again.cancel()
        finally:
            transport.close()

    def _random_socket(self, server: Forwarder) -> socket.socket:
        """A socket on a port that cannot be guessed; the system's choice where ours are all taken."""
        is_v6 = ip_address(server.address).version == 6
        sock = socket.socket(socket.AF_INET6 if is_v6 else socket.AF_INET, socket.SOCK_DGRAM)
        sock.setblocking(False)
        anywhere = "::" if is_v6 else "0.0.0.0"  # noqa: S104 - it is connected to one server at once
        for _ in range(_PORT_TRIES):
            port = _PORT_MIN + int.from_bytes(self._rng.bytes(4), "big") % _PORT_COUNT
            try:
                sock.bind((anywhere, port))
            except OSError as error:
                if error.errno not in (errno.EADDRINUSE, errno.EACCES):
                    sock.close()
                    raise
                continue
            return sock
        sock.bind((anywhere, 0))
        return sock

    async def _by_stream(self, server: Forwarder, wire: Wire) -> bytes | None:
        """By a stream that is open already, or by a new one where that turns out to be dead."""
        kept = self._take(server)
        if kept is not None:
            try:
                return await self._say(server, kept, wire)
            except (OSError, asyncio.IncompleteReadError):
                pass
        reader, writer = await asyncio.open_connection(server.address, server.port)
        return await self._say(server, _Stream(reader, writer, 0.0), wire)

    async def _say(self, server: Forwarder, stream: _Stream, wire: Wire) -> bytes | None:
        done = False
        try:
            stream.writer.write(len(wire.payload).to_bytes(2, "big") + wire.payload)
            await stream.writer.drain()
            size = int.from_bytes(await stream.reader.readexactly(2), "big")
            data = await stream.reader.readexactly(size)
            done = wire.accepts(data)
            return data if done else None
        finally:
            if done:
                self._keep(server, stream)
            else:
                stream.writer.close()

    def _take(self, server: Forwarder) -> _Stream | None:
        kept = self._idle.get(server)
        while kept:
            stream = kept.pop()
            self._idle_count -= 1
            if not kept:
                del self._idle[server]
            if not stream.reader.at_eof() and self._monotonic() - stream.since_s < _IDLE_S:
                return stream
            stream.writer.close()
        return None

    def _keep(self, server: Forwarder, stream: _Stream) -> None:
        stream.since_s = self._monotonic()
        self._idle.setdefault(server, []).append(stream)
        self._idle.move_to_end(server)
        self._idle_count += 1
        while self._idle_count > _IDLE_MAX:
            oldest, kept = next(iter(self._idle.items()))
            kept.pop(0).writer.close()
            self._idle_count -= 1
            if not kept:
                del self._idle[oldest]

    def close(self) -> None:
        """Close the streams that wait for questions."""
        for kept in self._idle.values():
            for stream in kept:
                stream.writer.close()
        self._idle.clear()
        self._idle_count = 0


class _Waiting(asyncio.DatagramProtocol):
    """Waits for the reply that counts; gives up on a port where many others arrive."""

    def __init__(self, wire: Wire) -> None:
        self._accepts = wire.accepts
        self.forged = 0
        self.reply: asyncio.Future[bytes | None] = asyncio.get_running_loop().create_future()

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        del addr
        if self.reply.done():
            return
        if self._accepts(data):
            self.reply.set_result(data)
            return
        self.forged += 1
        if self.forged >= FORGED_MAX:
            self.reply.set_result(None)

    def error_received(self, exc: Exception) -> None:
        if not self.reply.done():
            self.reply.set_exception(exc)
