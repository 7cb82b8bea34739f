"""The UDP socket, read and written by hand: what has come is taken in at once, then answered at once.

An event loop's datagram endpoint makes a callback of each datagram and looks at the directory for each. Here
one look serves all that was waiting, since it comes after the last of them was taken in; a busy server
answers some dozens per turn of its loop and then lets others have theirs.

Spec: RFC 1035 4.2.1
"""

import asyncio
import socket
from typing import Final

from addc.dns.counters import Count
from addc.dns.service import DnsService
from addc.dns.surroundings import Later, Transport

TURN_MAX: Final = 64
"""Datagrams in one turn of the loop."""
LATER_MAX: Final = 2048
"""Queries that wait for others; beyond these the newest get no reply."""
_SIZE_MAX: Final = 65_535

Address = tuple[str, int] | tuple[str, int, int, int]


class Datagrams:
    """Serves one socket until it is closed."""

    def __init__(self, service: DnsService, sock: socket.socket) -> None:
        """sock: bound; it is closed by `close`."""
        sock.setblocking(False)
        self._service = service
        self._sock = sock
        self._loop = asyncio.get_running_loop()
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop.add_reader(sock.fileno(), self._turn)

    def _turn(self) -> None:
        """Take in what waits, up to TURN_MAX, then answer it."""
        taken: list[tuple[bytes, Address]] = []
        receive = self._sock.recvfrom
        try:
            for _ in range(TURN_MAX):
                taken.append(receive(_SIZE_MAX))
        except OSError:
            pass  # nothing more waits; or it was an ICMP error of a reply sent before
        if taken:
            self._answer(taken)

    def _answer(self, taken: list[tuple[bytes, Address]]) -> None:
        service, send = self._service, self._sock.sendto
        service.freshen()
        known = service.datagram_replies
        kept_count = sent = 0
        for data, source in taken:
            table = known.get(source[0])
            kept = table.get(data[2:]) if table is not None else None
            if kept is not None and kept.body is not None and kept.networks is None:
                reply: bytes | Later | None = data[:2] + kept.body
                kept_count += 1
            else:
                reply = service.answer_safely(data, source[0], Transport.UDP)
                if reply is None:
                    continue
                if isinstance(reply, Later):
                    self._begin(reply, source)
                    continue
            try:
                send(reply, source)  # type: ignore[arg-type]
                sent += 1
            except OSError:
                continue  # the client cannot be reached, or its network takes no more: it asks again
        counters = service.counters
        counters[Count.UDP_QUERIES] += len(taken)
        counters[Count.UDP_REPLIES] += sent
        counters[Count.KEPT_REPLIES] += kept_count

    def _begin(self, later: Later, source: Address) -> None:
        if len(self._tasks) >= LATER_MAX:
            return
        task = self._loop.create_task(self._finish(later, source))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _finish(self, later: Later, source: Address) -> None:
        async for reply in self._service.finish_safely(later):
            if self._sock.fileno() < 0:
                return
            try:
                self._sock.sendto(reply, source)
            except OSError:
                return
            self._service.counters[Count.UDP_REPLIES] += 1

    def close(self) -> None:
        """Stop; what waits for others gets no reply."""
        if self._sock.fileno() >= 0:
            self._loop.remove_reader(self._sock.fileno())
            self._sock.close()
        for task in self._tasks:
            task.cancel()
