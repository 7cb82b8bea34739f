"""NOTIFY out: telling the servers of a zone that it changed, until they say that they heard.

One task for each zone and server; what is newer takes the place of what is under way.

Spec: RFC 1996 3.6 (tries), 3.7 (the SOA as a hint), 4.8
"""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from addc.base.clock import Clock
from addc.base.rng import Rng
from addc.codec.dns_message import CLASS_IN, OPCODE_NOTIFY, Message, Question, Record
from addc.codec.dns_names import Name, name_text
from addc.codec.dns_rdata import DnsType
from addc.codec.dns_wire import unpack_rdata
from addc.codes.rcode import Rcode
from addc.dns.counters import Count, Counters
from addc.dns.peers import Peer, PeerError, ask
from addc.dns.zone_content import Rr, soa_serial

_LOG: Final = logging.getLogger("addc.dns.notify")
TRIES_S: Final = (2.0, 4.0, 8.0, 15.0, 30.0, 60.0, 60.0)
"""How long each try waits for its answer."""
TASKS_MAX: Final = 1000
_AT_ONCE: Final = 200


@dataclass(frozen=True, slots=True)
class NotifyServices:
    """What comes from outside. tries_s: how long each try waits for its answer."""

    rng: Rng
    clock: Clock
    counters: Counters
    tries_s: tuple[float, ...] = TRIES_S


def notification(message_id: int, soa: Rr) -> Message:
    """A NOTIFY that a zone has this SOA now."""
    record = Record(soa.owner, DnsType.SOA, CLASS_IN, soa.ttl_s, unpack_rdata(DnsType.SOA, soa.rdata))
    return Message(
        message_id,
        OPCODE_NOTIFY,
        aa=True,
        questions=(Question(soa.owner, DnsType.SOA, CLASS_IN),),
        answers=(record,),
    )


class Notifier:
    """Tells of changes."""

    def __init__(self, services: NotifyServices) -> None:
        self._services = services
        self._tasks: dict[tuple[Name, str, int], asyncio.Task[None]] = {}
        self._slots = asyncio.Semaphore(_AT_ONCE)

    def tell(self, soa: Rr, peers: Sequence[Peer]) -> None:
        """Begin to tell these servers of a zone's new SOA; on the event loop."""
        for peer in peers:
            key = (soa.owner, peer.address, peer.port)
            before = self._tasks.pop(key, None)
            if before is not None:
                before.cancel()
            if len(self._tasks) >= TASKS_MAX:
                _LOG.warning("too many notifications under way", extra={"fields": {"server": str(peer)}})
                continue
            task = asyncio.get_running_loop().create_task(self._tell(soa, peer))
            self._tasks[key] = task
            task.add_done_callback(lambda done, key=key: self._forget(key, done))  # type: ignore[misc]

    def _forget(self, key: tuple[Name, str, int], done: "asyncio.Task[None]") -> None:
        if self._tasks.get(key) is done:
            del self._tasks[key]

    async def close(self) -> None:
        """Stop telling."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def settled(self) -> None:
        """Wait until nothing is under way."""
        while self._tasks:
            await asyncio.gather(*self._tasks.values(), return_exceptions=True)
            await asyncio.sleep(0)

    async def _tell(self, soa: Rr, peer: Peer) -> None:
        fields = {"zone": name_text(soa.owner), "serial": soa_serial(soa.rdata), "server": str(peer)}
        loop = asyncio.get_running_loop()
        for wait_s in self._services.tries_s:
            message_id = int.from_bytes(self._services.rng.bytes(2), "big")
            until = loop.time() + wait_s
            self._services.counters[Count.NOTIFIES_SENT] += 1
            try:
                async with self._slots:
                    reply = await ask(peer, notification(message_id, soa), self._services.clock, wait_s)
            except PeerError:
                await asyncio.sleep(max(until - loop.time(), 0))  # a port that is closed answers at once
                continue
            if reply.rcode:
                told = Rcode(reply.rcode).name
                _LOG.info("a server wants no notification", extra={"fields": fields | {"rcode": told}})
            return
        _LOG.info("a server does not hear of a change", extra={"fields": fields})
