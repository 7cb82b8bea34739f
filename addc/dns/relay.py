"""Messages from workers to the desk and its replies back, over a listening Unix socket.

The socket is made before the processes part, so that its name is known to all and nobody else can hold it.
Both ends ask the kernel who the other one is: only processes of this user talk. A worker has one connection,
with any number of requests in it up to a bound; each reply of many waits until the worker has passed on most
of those before, so that a slow client holds up nobody but itself.

A desk that is gone takes with it what was under way: SERVFAIL for what has no reply yet, an end
for a transfer.
"""

import asyncio
import logging
import os
import socket
import struct
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Final, Protocol

from addc.base.rng import Rng
from addc.codec.dns_message import error_reply
from addc.codes.rcode import Rcode

_LOG: Final = logging.getLogger("addc.dns")
REQUESTS_MAX: Final = 512
"""Of one worker, at any time."""
REQUESTS_EACH: Final = 64
"""Of one source address in one worker, by datagrams and by streams each: who forges datagrams in a client's
name does not keep it from coming by TCP."""
DATAGRAMS_MAX: Final = 384
"""Of REQUESTS_MAX, those by datagrams; the rest is for those whose address is known."""
CONNECTIONS_MAX: Final = 256
WINDOW: Final = 8
"""Replies of one request that may be on their way at once."""
REPLY_TIMEOUT_S: Final = 30.0
_BACKLOG: Final = 128
_SOURCE_MAX: Final = 64
_HEAD: Final = struct.Struct("!IBI")
"""Request's number, kind, size of what follows."""
_FRAME_MAX: Final = 0x10000 + _SOURCE_MAX + 1
_ASK_UDP: Final = 0
_ASK_TCP: Final = 1
_TOOK: Final = 2
_LEAVE: Final = 3
_REPLY: Final = 4
_END: Final = 5
_CREDENTIALS: Final = struct.Struct("3i")


class Answers(Protocol):
    """What the desk does, and what its relay does for a worker."""

    def answer(self, data: bytes, source: str, *, tcp: bool) -> AsyncGenerator[bytes, None]:
        """The replies to a message as it came: one, many to a transfer, none for silence."""


@dataclass(frozen=True, slots=True)
class Door:
    """A listening socket, and the abstract name that workers find it by."""

    sock: socket.socket
    address: str


def open_door(rng: Rng) -> Door:
    """A door for this user's processes; to be made before they are forked."""
    address = f"\0addc-dns-{rng.bytes(16).hex()}"
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    sock.bind(address)
    sock.listen(_BACKLOG)
    sock.setblocking(False)
    return Door(sock, address)


def _is_ours(writer: asyncio.StreamWriter) -> bool:
    """Whether a process of this user is at the other end."""
    sock = writer.get_extra_info("socket")
    raw = sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    uid: int = _CREDENTIALS.unpack(raw)[1]
    return uid == os.geteuid()


async def _read_frame(reader: asyncio.StreamReader) -> tuple[int, int, bytes]:
    """Number, kind, content. Raises ConnectionError for a frame that cannot be."""
    number, kind, size = _HEAD.unpack(await reader.readexactly(_HEAD.size))
    if size > _FRAME_MAX:
        raise ConnectionError("a frame too long")
    return number, kind, await reader.readexactly(size)


# --- the desk's end ----------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Served:
    """A request that the desk works on. credit: replies that the worker has room for."""

    number: int
    data: bytes
    source: str
    tcp: bool
    task: asyncio.Task[None] | None = None
    credit: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(WINDOW))


class RelayServer:
    """The desk's end: takes workers' requests and sends the desk's replies."""

    def __init__(self, sock: socket.socket, desk: Answers) -> None:
        self._sock = sock
        self._desk = desk
        self._connections: set[asyncio.Task[None]] = set()

    async def run(self, stop: asyncio.Event) -> None:
        """Serve until told to stop; what is under way then is let go."""
        server = await asyncio.start_unix_server(self._connected, sock=self._sock.dup())
        try:
            await stop.wait()
        finally:
            server.close()
            for task in list(self._connections):
                task.cancel()
            await asyncio.gather(*self._connections, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not _is_ours(writer) or len(self._connections) >= CONNECTIONS_MAX:
            _LOG.warning("a stranger at the relay of DNS")
            writer.close()
            return
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        served: dict[int, _Served] = {}
        try:
            while True:
                self._take(await _read_frame(reader), writer, served)
        except (asyncio.IncompleteReadError, OSError):
            return
        except asyncio.CancelledError:
            return  # `run` waits for this one; nobody above wants to know
        finally:
            self._connections.discard(task)
            for one in served.values():
                if one.task is not None:
                    one.task.cancel()
            writer.close()

    def _take(
        self, frame: tuple[int, int, bytes], writer: asyncio.StreamWriter, served: dict[int, _Served]
    ) -> None:
        """One frame of a worker. Raises ConnectionError for what no worker of ours sends."""
        number, kind, content = frame
        found = served.get(number)
        if kind in (_ASK_UDP, _ASK_TCP):
            if found is not None or len(served) >= 2 * REQUESTS_MAX or not content:
                raise ConnectionError("more requests than a worker has")
            size = content[0]
            source, data = content[1 : 1 + size].decode("ascii", "replace"), content[1 + size :]
            found = served[number] = _Served(number, data, source, kind == _ASK_TCP)
            found.task = asyncio.get_running_loop().create_task(self._answer(found, writer, served))
        elif kind == _TOOK and found is not None:
            found.credit.release()
        elif kind == _LEAVE and found is not None and found.task is not None:
            found.task.cancel()

    async def _answer(
        self, request: _Served, writer: asyncio.StreamWriter, served: dict[int, _Served]
    ) -> None:
        try:
            async with aclosing(self._desk.answer(request.data, request.source, tcp=request.tcp)) as replies:
                async for reply in replies:
                    await request.credit.acquire()
                    writer.write(_HEAD.pack(request.number, _REPLY, len(reply)) + reply)
                    await writer.drain()
            writer.write(_HEAD.pack(request.number, _END, 0))
        except OSError:
            return  # the worker is gone, and its connection's reader sees that
        finally:
            served.pop(request.number, None)

    def close(self) -> None:
        """The door itself stays open for the desk that comes next."""
        for task in list(self._connections):
            task.cancel()


# --- a worker's end ----------------------------------------------------------------------------------------


class _Link:
    """One connection to the desk, and the requests in it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writer = writer
        self.requests: dict[int, asyncio.Queue[bytes | None]] = {}
        self.alive = True
        self.task = asyncio.get_running_loop().create_task(self._read(reader))

    async def _read(self, reader: asyncio.StreamReader) -> None:
        try:
            while True:
                number, kind, content = await _read_frame(reader)
                queue = self.requests.get(number)
                if queue is not None:
                    queue.put_nowait(content if kind == _REPLY else None)
        except (asyncio.IncompleteReadError, OSError, asyncio.QueueFull):
            return
        finally:
            self.close()

    def close(self) -> None:
        """All that is under way ends."""
        self.alive = False
        self.writer.close()
        for queue in self.requests.values():
            if queue.full():
                queue.get_nowait()
            queue.put_nowait(None)
        self.requests.clear()


class RelayClient:
    """A worker's end: answers as the desk would."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._link: _Link | None = None
        self._connecting = asyncio.Lock()
        self._number = 0
        self._under_way: Counter[tuple[str, bool]] = Counter()
        self._by_datagram = 0

    async def answer(self, data: bytes, source: str, *, tcp: bool) -> AsyncGenerator[bytes, None]:
        """The desk's replies; SERVFAIL where there is no desk, or too much is asked of it."""
        count, place = self._under_way, (source, tcp)
        full = count.total() >= REQUESTS_MAX or (not tcp and self._by_datagram >= DATAGRAMS_MAX)
        if full or count[place] >= REQUESTS_EACH:
            failed = error_reply(data, Rcode.SERVFAIL)
            if failed is not None:
                yield failed
            return
        count[place] += 1
        self._by_datagram += not tcp
        replied = False
        try:
            async with aclosing(self._asked(data, source, tcp=tcp)) as replies:
                async for reply in replies:
                    replied = True
                    yield reply
        except (TimeoutError, OSError) as error:
            _LOG.warning("the desk of DNS does not answer", extra={"fields": {"why": str(error)}})
            failed = None if replied else error_reply(data, Rcode.SERVFAIL)
            if failed is not None:
                yield failed
        finally:
            self._by_datagram -= not tcp
            count[place] -= 1
            if not count[place]:
                del count[place]

    async def _asked(self, data: bytes, source: str, *, tcp: bool) -> AsyncGenerator[bytes, None]:
        """Raises OSError or TimeoutError where the desk is gone."""
        link = await self._linked()
        self._number = (self._number + 1) % (1 << 32)
        number = self._number
        queue: asyncio.Queue[bytes | None] = asyncio.Queue(WINDOW + 2)
        link.requests[number] = queue
        sender = source.encode("ascii", "replace")[:_SOURCE_MAX]
        content = bytes((len(sender),)) + sender + data
        kind = _ASK_TCP if tcp else _ASK_UDP
        reply: bytes | None = b""
        try:
            link.writer.write(_HEAD.pack(number, kind, len(content)) + content)
            await link.writer.drain()
            while True:
                async with asyncio.timeout(REPLY_TIMEOUT_S):
                    reply = await queue.get()
                if reply is None:
                    break
                yield reply
                link.writer.write(_HEAD.pack(number, _TOOK, 0))
            if not link.alive:
                raise ConnectionError("the desk went away")
        finally:
            if link.requests.pop(number, None) is not None and link.alive and reply is not None:
                link.writer.write(_HEAD.pack(number, _LEAVE, 0))

    async def _linked(self) -> _Link:
        """The connection, made anew where the last one ended."""
        async with self._connecting:
            link = self._link
            if link is not None and link.alive:
                return link
            reader, writer = await asyncio.open_unix_connection(sock=await self._connected())
            if not _is_ours(writer):
                writer.close()
                raise ConnectionError("the desk is another user's process")
            self._link = link = _Link(reader, writer)
            return link

    async def _connected(self) -> socket.socket:
        """By hand: the event loop of libuv takes no abstract names."""
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
        try:
            await asyncio.to_thread(sock.connect, self._address)
        except OSError:
            sock.close()
            raise
        sock.setblocking(False)
        return sock

    def close(self) -> None:
        """No more answers are wanted."""
        if self._link is not None:
            self._link.task.cancel()
            self._link.close()
