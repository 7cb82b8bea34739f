"""TCP and TLS: messages with two octets of length before each, answered in the order they can be.

A connection may have many queries under way; a reply that is at hand does not wait for one that is not
(RFC 7766 6.2.1.1). Who is silent too long, or takes longer than that over one message, is cut off; where
there are too many connections, of one client or in all, the one that was silent longest goes.

Spec: RFC 7766, RFC 7828, RFC 7858 3
"""

import asyncio
from collections import Counter
from typing import Final, cast

from addc.dns.counters import Count
from addc.dns.service import DnsService
from addc.dns.surroundings import Later, Transport

CONNECTIONS_MAX: Final = 4096
CONNECTIONS_PER_CLIENT_MAX: Final = 256
UNDER_WAY_MAX: Final = 64
"""Queries of one connection that others were asked for."""
_HIGH_WATER: Final = 65_536
"""Octets of replies that wait for a client, or are made in one go; small questions may have large answers."""
_TURN_MAX: Final = 512
"""Messages of one connection that are looked at before others have their turn."""
_HEADER_SIZE: Final = 12
_SWEEPS: Final = 3
"""Looks for silent connections in the time that one may be silent."""
_LATER_MAX: Final = 2048


class StreamTable:
    """The connections of one process, the one silent longest first."""

    def __init__(self, service: DnsService) -> None:
        self.service = service
        self.later = 0
        self._held: dict[Stream, float] = {}
        self._by_client: Counter[str] = Counter()
        self._sweep: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return len(self._held)

    def connection(self) -> "Stream":
        """A protocol for a new connection."""
        return Stream(self)

    def joined(self, stream: "Stream", now_s: float) -> None:
        """Take a connection in; where there are too many, another goes."""
        self._held[stream] = now_s
        self._by_client[stream.source] += 1
        if self._by_client[stream.source] > CONNECTIONS_PER_CLIENT_MAX:
            next(one for one in self._held if one.source == stream.source).abort()
        elif len(self._held) > CONNECTIONS_MAX:
            next(iter(self._held)).abort()
        if self._sweep is None:
            self._plan_sweep()

    def heard(self, stream: "Stream", now_s: float) -> None:
        """A whole message came: its connection is the last to go."""
        if self._held.pop(stream, None) is not None:
            self._held[stream] = now_s

    def left(self, stream: "Stream") -> None:
        if self._held.pop(stream, None) is not None:
            self._by_client[stream.source] -= 1
            if not self._by_client[stream.source]:
                del self._by_client[stream.source]

    def _plan_sweep(self) -> None:
        loop = asyncio.get_running_loop()
        self._sweep = loop.call_later(self.service.idle_s / _SWEEPS, self._sweep_now)

    def _sweep_now(self) -> None:
        self._sweep = None
        limit_s = asyncio.get_running_loop().time() - self.service.idle_s
        for stream, heard_s in tuple(self._held.items()):
            if heard_s > limit_s:
                break
            if stream.is_waited_for:
                self.heard(stream, limit_s + self.service.idle_s)
            else:
                stream.abort()
        if self._held:
            self._plan_sweep()

    def close(self) -> None:
        """Cut all connections off."""
        if self._sweep is not None:
            self._sweep.cancel()
            self._sweep = None
        for stream in tuple(self._held):
            stream.abort()


class Stream(asyncio.Protocol):
    """One connection."""

    def __init__(self, table: StreamTable) -> None:
        self._table = table
        self._service = table.service
        self._loop = asyncio.get_running_loop()
        self._buffer = b""
        self._transport: asyncio.Transport | None = None
        self._kind = Transport.TCP
        self._tasks: set[asyncio.Task[None]] = set()
        self._paused = False
        self._writable = asyncio.Event()
        self._writable.set()
        self._ended = False
        self._goes_on = False
        self.source = ""

    @property
    def is_waited_for(self) -> bool:
        """Whether replies are still to come, and are taken: who reads none of them waits for nothing."""
        return bool(self._tasks) and self._writable.is_set()

    # --- what the event loop calls ---

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = stream = cast("asyncio.Transport", transport)  # uvloop's is no subclass
        stream.set_write_buffer_limits(high=_HIGH_WATER)
        self.source = str((transport.get_extra_info("peername") or ("",))[0])
        if transport.get_extra_info("sslcontext") is not None:
            self._kind = Transport.TLS
        tls = self._kind is Transport.TLS
        self._service.counters[Count.TLS_CONNECTIONS if tls else Count.TCP_CONNECTIONS] += 1
        self._table.joined(self, self._loop.time())

    def data_received(self, data: bytes) -> None:
        self._buffer = self._buffer + data if self._buffer else data
        self._work()

    def eof_received(self) -> bool:
        """The client asks no more; what it asked is answered. TLS has no half-closed connections here."""
        self._ended = True
        self._close_if_done()
        return self._kind is not Transport.TLS

    def pause_writing(self) -> None:
        self._writable.clear()
        self._pace()

    def resume_writing(self) -> None:
        self._writable.set()
        self._table.heard(self, self._loop.time())  # it took replies, which counts as a word of it
        self._pace()

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._table.left(self)
        self._writable.set()
        for task in self._tasks:
            task.cancel()

    # --- messages ---

    def _work(self) -> None:
        """Answer the whole messages that came."""
        service, buffer = self._service, self._buffer
        at, end, count = 0, len(buffer), 0
        replies = kept_count = octets = 0
        is_broken = False
        out: list[bytes] = []
        if end >= 2 and end >= 2 + (buffer[0] << 8 | buffer[1]):
            service.freshen()
        table = service.stream_replies.get(self.source) if self._kind is Transport.TCP else None
        while end - at >= 2 and not self._paused and octets < _HIGH_WATER and count < _TURN_MAX:
            size = buffer[at] << 8 | buffer[at + 1]
            if size < _HEADER_SIZE:  # no message, so nobody knows where the next one begins
                is_broken = True
                break
            if end - at - 2 < size:
                break
            data = buffer[at + 2 : at + 2 + size]
            at += 2 + size
            count += 1
            kept = table.get(data[2:]) if table is not None else None
            if kept is not None and kept.body is not None and kept.networks is None:
                body = kept.body
                out += ((len(body) + 2).to_bytes(2, "big"), data[:2], body)
                octets += len(body)
                replies += 1
                kept_count += 1
                continue
            reply = service.answer_safely(data, self.source, self._kind)
            if isinstance(reply, Later):
                self._begin(reply)
            elif reply is not None:
                out += (len(reply).to_bytes(2, "big"), reply)
                octets += len(reply)
                replies += 1
        self._buffer = buffer[at:]
        if count:
            self._table.heard(self, self._loop.time())
            tls = self._kind is Transport.TLS
            service.counters[Count.TLS_QUERIES if tls else Count.TCP_QUERIES] += count
            service.counters[Count.KEPT_REPLIES] += kept_count
        if out:
            self._write(b"".join(out), replies)
        if is_broken and self._transport is not None:
            self._transport.close()
        elif (octets >= _HIGH_WATER or count == _TURN_MAX) and not self._goes_on:
            self._goes_on = True
            self._loop.call_soon(self._go_on)

    def _go_on(self) -> None:
        """Answer what was left for another turn, so that others had theirs."""
        self._goes_on = False
        self._work()
        self._close_if_done()

    def _write(self, data: bytes, replies: int = 1) -> None:
        if self._transport is not None:
            tls = self._kind is Transport.TLS
            self._service.counters[Count.TLS_REPLIES if tls else Count.TCP_REPLIES] += replies
            self._transport.write(data)

    def _begin(self, later: Later) -> None:
        if self._table.later >= _LATER_MAX:
            return
        self._table.later += 1
        task = self._loop.create_task(self._finish(later))
        self._tasks.add(task)
        task.add_done_callback(self._finished)
        self._pace()

    async def _finish(self, later: Later) -> None:
        async for reply in self._service.finish_safely(later):
            while not self._writable.is_set():  # the first of those that wait may fill it again
                await self._writable.wait()
            if self._transport is None:
                return
            self._write(len(reply).to_bytes(2, "big") + reply)

    def _finished(self, task: "asyncio.Task[None]") -> None:
        self._table.later -= 1
        self._tasks.discard(task)
        self._pace()
        self._close_if_done()

    def _pace(self) -> None:
        """Take in no more than can be worked at, or than the client takes replies of."""
        pause = len(self._tasks) >= UNDER_WAY_MAX or not self._writable.is_set()
        if pause == self._paused or self._transport is None:
            return
        self._paused = pause
        if pause:
            self._transport.pause_reading()
        else:
            self._transport.resume_reading()
            self._work()
            self._close_if_done()

    def _close_if_done(self) -> None:
        waits = self._tasks or self._paused or self._goes_on
        if self._ended and not waits and self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """Cut the connection off."""
        self._table.left(self)
        if self._transport is not None:
            self._transport.abort()
