"""An internet in a dict: authoritative servers by address, without sockets, for what the resolver decides.

A server holds zones; its replies are made as RFC 1034 4.3.2 says, or by a function of the test's own.
"""

from collections.abc import Callable, Generator, Iterable, Mapping
from dataclasses import dataclass, field, replace
from ipaddress import ip_address
from typing import TypeVar

from addc.codec.dns_message import CLASS_IN, Message, Question, Record
from addc.codec.dns_names import Name, fold, is_below, name_text, parse_name
from addc.codec.dns_rdata import AaaaData, AData, DnsType, MxData, NameData, RecordData, SoaData, TxtData
from addc.codes.rcode import Rcode
from addc.dns.forward import Forwarder
from addc.dns.recursion import Ask, Heard, Outcome, Recursion, World
from addc.dns.reply_reading import Delegation
from addc.dns.resolver_cache import CacheLimits, ResolverCache
from addc.dns.upstream_health import UpstreamHealth

T = TypeVar("T")
Script = Callable[[Ask], Message | None]


def record(owner: str, kind: str, value: str, ttl_s: int = 3600) -> Record:
    """ "www.example", "A", "192.0.2.1"."""
    rtype = DnsType[kind]
    data: RecordData
    match kind:
        case "A":
            data = AData(ip_address(value).packed)
        case "AAAA":
            data = AaaaData(ip_address(value).packed)
        case "TXT":
            data = TxtData((value.encode(),))
        case "MX":
            data = MxData(10, value)
        case "SOA":
            data = SoaData(value, "hostmaster." + value, 1, 900, 600, 86_400, 300)
        case _:
            data = NameData(value)
    return Record(parse_name(owner), int(rtype), CLASS_IN, ttl_s, data)


def records(text: str) -> list[Record]:
    """Lines "owner kind value [ttl]"."""
    found = []
    for line in text.strip().splitlines():
        owner, kind, value, *ttl = line.split()
        found.append(record(owner, kind, value, int(ttl[0]) if ttl else 3600))
    return found


@dataclass
class Zone:
    """Records of one zone, glue below its cuts among them."""

    apex: str
    held: list[Record]

    def answer(self, name: Name, qtype: int) -> Message:
        apex = parse_name(self.apex)
        cut = self._cut(name, apex, qtype)
        if cut is not None:
            servers = [r for r in self.held if r.owner == cut and r.type == DnsType.NS]
            wanted = {parse_name(r.data.name) for r in servers if isinstance(r.data, NameData)}
            glue = [r for r in self.held if r.owner in wanted and r.type in (DnsType.A, DnsType.AAAA)]
            return Message(qr=True, authority=tuple(servers), additional=tuple(glue))
        here = [r for r in self.held if r.owner == name] or self._from_wildcard(name, apex)
        found = [r for r in here if r.type in (qtype, DnsType.CNAME) or qtype == 255]
        soa = tuple(r for r in self.held if r.owner == apex and r.type == DnsType.SOA)
        for skip in range(1, len(name) - len(apex) + 1):
            found += [r for r in self.held if r.owner == name[skip:] and r.type == DnsType.DNAME]
        if found:
            more = tuple(r for r in self.held if not name and r.type == DnsType.A)
            return Message(qr=True, aa=True, answers=tuple(found), additional=more)
        exists = here or any(is_below(r.owner, name) for r in self.held)
        rcode = Rcode.NOERROR if exists else Rcode.NXDOMAIN
        return Message(qr=True, aa=True, rcode=rcode, authority=soa)

    def _from_wildcard(self, name: Name, apex: Name) -> list[Record]:
        for skip in range(1, len(name) - len(apex) + 1):
            if any(is_below(r.owner, name[skip - 1 :]) for r in self.held):
                return []
            found = [r for r in self.held if r.owner == (b"*", *name[skip:])]
            if found:
                return [replace(r, owner=name) for r in found]
        return []

    def _cut(self, name: Name, apex: Name, qtype: int) -> Name | None:
        for size in range(len(apex) + 1, len(name) + 1):
            owner = name[len(name) - size :]
            if any(r.owner == owner and r.type == DnsType.NS for r in self.held):
                return None if qtype == DnsType.DS and owner == name else owner
        return None


@dataclass
class Internet:
    """Servers by address. asked: every question, in order. latency_s: how long each answer takes."""

    servers: dict[str, list[Zone] | Script] = field(default_factory=dict)
    asked: list[Ask] = field(default_factory=list)
    now_s: float = 1000.0
    latency_s: float = 0.01

    def serve(self, address: str, apex: str, text: str) -> None:
        """Have a server answer for a zone; its SOA is made."""
        zone = Zone(apex, [record(apex, "SOA", "ns." + apex.removesuffix(".")), *records(text)])
        held = self.servers.setdefault(address, [])
        assert isinstance(held, list)
        held.append(zone)

    def script(self, address: str, script: Script) -> None:
        self.servers[address] = script

    def reply(self, ask: Ask) -> Message | None:
        """What the server says; None where there is none."""
        server = self.servers.get(ask.server.address)
        if server is None:
            return None
        if callable(server):
            return server(ask)
        zones = [z for z in server if is_below(ask.name, parse_name(z.apex))]
        if not zones:
            return Message(qr=True, rcode=Rcode.REFUSED)
        zone = max(zones, key=lambda z: len(parse_name(z.apex)))
        reply = zone.answer(ask.name, ask.qtype)
        return replace(reply, questions=(Question(ask.name, ask.qtype),))

    def run(self, steps: Generator[Ask, Heard, T]) -> T:
        """Carry a question to its end."""
        try:
            ask = next(steps)
            while True:
                self.asked.append(ask)
                reply = self.reply(ask)
                self.now_s += self.latency_s if reply is not None else ask.timeout_s
                ask = steps.send(Heard(reply, self.now_s))
        except StopIteration as done:
            found: T = done.value
            return found


@dataclass
class Desk:
    """A resolver's memory over an internet. local: what our own zones say, by name and type."""

    internet: Internet
    world: World
    cache: ResolverCache = field(default_factory=lambda: ResolverCache(CacheLimits()))
    health: UpstreamHealth = field(default_factory=UpstreamHealth)
    local: Mapping[tuple[str, str], Message] = field(default_factory=dict)

    def resolve(self, name: str, kind: str = "A", *, lax: bool = False) -> Outcome:
        """Ask as a client would; the questions sent for it are in `internet.asked`."""
        recursion = self.recursion(lax=lax)
        self.internet.asked.clear()
        return self.internet.run(recursion.resolve(fold(parse_name(name)), int(DnsType[kind])))

    def recursion(self, *, lax: bool = False) -> Recursion:
        def local(name: Name, qtype: int, _: bool) -> Message | None:
            return self.local.get((name_text(name), DnsType(qtype).name))

        return Recursion(self.world, self.cache, self.health, local, self.internet.now_s, lax=lax)

    def texts(self, name: str, kind: str = "A") -> list[str]:
        return [text_of(r) for r in self.resolve(name, kind).answers]

    def sent(self) -> list[str]:
        """The questions that were sent, as "address name kind"."""
        return [
            f"{a.server.address} {name_text(a.name)} {DnsType(a.qtype).name}" for a in self.internet.asked
        ]


def text_of(one: Record) -> str:
    """A record as "owner kind value"."""
    match one.data:
        case AData(address=octets) | AaaaData(address=octets):
            value = str(ip_address(octets))
        case NameData(name=value):
            pass
        case other:
            value = repr(other)
    return f"{name_text(one.owner)} {DnsType(one.type).name} {value}"


def hints(addresses: Iterable[str]) -> Delegation:
    return Delegation((), fixed=tuple(Forwarder(a, 53) for a in addresses))
