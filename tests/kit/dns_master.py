"""A master of a zone in this process, whose messages dnspython makes: SOA by UDP, AXFR and IXFR by TCP.

It does as it is told: answer, refuse, break off, lie. Every request that came is there to look at.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import pairwise

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rrset
import dns.tsig
import dns.tsigkeyring

Texts = tuple[str, ...]
"""Records as "name ttl type data", without the SOA; names relative to the zone, "@" for itself."""
Twist = Callable[[list[dns.message.Message]], list[dns.message.Message]]


@dataclass
class DnsMaster:
    """versions: content by serial, the newest last. twist: what is done to a transfer's messages;
    alter: to their bytes, behind the signature."""

    origin: str
    versions: dict[int, Texts] = field(default_factory=dict)
    refresh: int = 900
    expire: int = 3600
    keyring: dict[dns.name.Name, dns.tsig.Key] | None = None
    refuses: bool = False
    silent: bool = False
    per_message: int = 3
    twist: Twist | None = None
    signs: bool = True
    alter: Callable[[bytes], bytes] | None = None
    cut_after: int = 1 << 30
    asked: list[str] = field(default_factory=list)
    port: int = 0

    @property
    def serial(self) -> int:
        return max(self.versions)

    def soa(self, serial: int) -> str:
        return f"@ 3600 SOA ns admin {serial} {self.refresh} 600 {self.expire} 60"

    # --- messages ---

    def rrset(self, text: str) -> dns.rrset.RRset:
        owner, ttl, kind, data = text.split(" ", 3)
        origin = dns.name.from_text(self.origin)
        name = origin if owner == "@" else dns.name.from_text(owner, origin)
        rdata = dns.rdata.from_text("IN", kind, data, origin, relativize=False)
        return dns.rrset.from_rdata(name, int(ttl), rdata)

    def answer(self, query: dns.message.Message) -> list[dns.message.Message]:
        (question,) = query.question
        kind = dns.rdatatype.to_text(question.rdtype)
        self.asked.append(kind)
        if self.refuses:
            reply = dns.message.make_response(query)
            reply.set_rcode(dns.rcode.REFUSED)
            return [reply]
        if kind == "SOA":
            reply = dns.message.make_response(query)
            reply.flags |= dns.flags.AA
            reply.answer.append(self.rrset(self.soa(self.serial)))
            return [reply]
        texts = self._changes(query) if kind == "IXFR" else self._whole()
        groups = [texts[at : at + self.per_message] for at in range(0, len(texts), self.per_message)]
        replies = []
        for index, group in enumerate(groups):
            reply = dns.message.make_response(query)
            reply.flags |= dns.flags.AA
            if index:
                reply.question = []
            for text in group:
                reply.answer.append(self.rrset(text))
            replies.append(reply)
        return self.twist(replies) if self.twist is not None else replies

    def _whole(self) -> list[str]:
        soa = self.soa(self.serial)
        return [soa, *self.versions[self.serial], soa]

    def _changes(self, query: dns.message.Message) -> list[str]:
        theirs = query.authority[0][0].serial
        if theirs not in self.versions:
            return self._whole()
        newest = self.soa(self.serial)
        texts = [newest]
        steps = sorted(one for one in self.versions if one >= theirs)
        for before, after in pairwise(steps):
            old, new = self.versions[before], self.versions[after]
            texts += [self.soa(before), *(one for one in old if one not in new)]
            texts += [self.soa(after), *(one for one in new if one not in old)]
        return [*texts, newest] if len(steps) > 1 else texts

    # --- sockets ---

    def wires(self, data: bytes) -> list[bytes]:
        query = dns.message.from_wire(data, keyring=self.keyring)
        if self.silent:
            self.asked.append("silence")
            return []
        found, context = [], None
        replies = self.answer(query)
        for reply in replies:
            if not self.signs:
                reply.tsig = None
            if reply.tsig is not None:
                found.append(reply.to_wire(multi=len(replies) > 1, tsig_ctx=context))
                context = reply.tsig_ctx
            else:
                found.append(reply.to_wire())
        return [self.alter(one) for one in found] if self.alter is not None else found

    async def stream(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            size = int.from_bytes(await reader.readexactly(2), "big")
            for data in self.wires(await reader.readexactly(size))[: self.cut_after]:
                writer.write(len(data).to_bytes(2, "big") + data)
            await writer.drain()
        except (asyncio.IncompleteReadError, OSError):
            pass
        finally:
            writer.close()


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, master: DnsMaster) -> None:
        self._master = master

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        for reply in self._master.wires(data):
            self._transport.sendto(reply, addr)  # type: ignore[attr-defined]


@asynccontextmanager
async def serving(master: DnsMaster) -> AsyncIterator[DnsMaster]:
    """Serve on a port of loopback, the same for UDP and TCP."""
    server = await asyncio.start_server(master.stream, "127.0.0.1", 0)
    master.port = server.sockets[0].getsockname()[1]
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(
        lambda: _Datagrams(master), local_addr=("127.0.0.1", master.port)
    )
    try:
        yield master
    finally:
        transport.close()
        server.close()
