"""Authoritative answers: a question and a view of the zones in, the sections of a reply out.

Names are tuples of lower-case labels, leaf first; the root is ().
Spec: RFC 1034 4.3.2, RFC 2308 2, RFC 4592 2, RFC 2782, RFC 2181 5
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from addc.codec.dns_rdata import DnsRecord, DnsType, MxData, NameData, SoaData, SrvData, split_name
from addc.codes.rcode import Rcode

Name = tuple[bytes, ...]

CLASS_IN: Final = 1
QTYPE_ANY: Final = 255
_CNAME_CHAIN_MAX: Final = 8
_ADDITIONAL_MAX: Final = 32
_ADDRESS_TYPES: Final = (DnsType.A, DnsType.AAAA)


@dataclass(frozen=True, slots=True)
class Question:
    """One question; `qtype` and `qclass` as they came."""

    name: Name
    qtype: int
    qclass: int


@dataclass(frozen=True, slots=True)
class ResourceRecord:
    """A record under its owner's name; `ttl_s` is what the reply shows."""

    owner: Name
    ttl_s: int
    record: DnsRecord


@dataclass(slots=True)
class Answer:
    """The sections of a reply. authoritative: the AA bit."""

    rcode: Rcode = Rcode.NOERROR
    authoritative: bool = True
    answers: list[ResourceRecord] = field(default_factory=list)
    authority: list[ResourceRecord] = field(default_factory=list)
    additional: list[ResourceRecord] = field(default_factory=list)


class Zone(Protocol):
    """A zone that this server is an authority for."""

    @property
    def apex(self) -> Name: ...

    def node(self, name: Name) -> Sequence[DnsRecord] | None:
        """The records at `name`; () where only names below it exist; None where there is nothing."""


class Zones(Protocol):
    """Which zone a name is in."""

    def covering(self, name: Name) -> Zone | None:
        """The zone with the longest apex that ends `name`."""


def answer(question: Question, zones: Zones) -> Answer | None:
    """The reply from our zones; None for a name outside them all."""
    zone = zones.covering(question.name)
    if zone is None:
        return None
    reply = Answer()
    if question.qclass not in (CLASS_IN, QTYPE_ANY):
        reply.rcode, reply.authoritative = Rcode.REFUSED, False
        return reply
    name = question.name
    for _ in range(_CNAME_CHAIN_MAX):
        alias = _answer_in_zone(reply, zone, name, question.qtype)
        if alias is None:
            break
        next_zone = zones.covering(alias)
        if next_zone is None:
            break
        name, zone = alias, next_zone
    _add_addresses(reply, zones)
    return reply


def _answer_in_zone(reply: Answer, zone: Zone, name: Name, qtype: int) -> Name | None:
    """Add what one zone knows of `name`; the name to go on with where it is an alias."""
    cut = _delegation(zone, name)
    if cut is not None:
        owner, servers = cut
        if not reply.answers:
            reply.authoritative = False
        reply.authority += _owned(owner, servers)
        return None
    records = zone.node(name)
    if records is None:
        records = _wildcard(zone, name)
    if records is None:
        reply.rcode = Rcode.NXDOMAIN
        _add_soa(reply, zone)
        return None
    wanted = [r for r in records if qtype in (r.type, QTYPE_ANY)]
    if wanted:
        reply.answers += _owned(name, wanted)
        return None
    for record in records:
        if record.type == DnsType.CNAME and isinstance(record.data, NameData):
            reply.answers += _owned(name, [record])
            target = labels(record.data.name)
            seen = {r.owner for r in reply.answers}
            return None if target in seen else target
    _add_soa(reply, zone)
    return None


def _delegation(zone: Zone, name: Name) -> tuple[Name, list[DnsRecord]] | None:
    """NS records between the apex and `name`: another server's part of the tree."""
    depth = len(name) - len(zone.apex)
    for skip in range(depth - 1, -1, -1):
        owner = name[skip:]
        servers = [r for r in zone.node(owner) or () if r.type == DnsType.NS]
        if servers:
            return owner, servers
    return None


def _wildcard(zone: Zone, name: Name) -> Sequence[DnsRecord] | None:
    """The records of the source of synthesis: "*" below the closest encloser (RFC 4592 2.2.1)."""
    for skip in range(1, len(name) - len(zone.apex) + 1):
        encloser = name[skip:]
        found = zone.node((b"*", *encloser))
        if found:
            return found
        if zone.node(encloser) is not None:
            return None
    return None


def _add_soa(reply: Answer, zone: Zone) -> None:
    """The SOA of a negative answer; its TTL is the lesser of its own and the minimum (RFC 2308 3)."""
    for record in zone.node(zone.apex) or ():
        if isinstance(record.data, SoaData):
            reply.authority.append(ResourceRecord(zone.apex, min(record.ttl_s, record.data.minimum), record))


def _owned(owner: Name, records: Iterable[DnsRecord]) -> list[ResourceRecord]:
    return [ResourceRecord(owner, record.ttl_s, record) for record in records]


def _add_addresses(reply: Answer, zones: Zones) -> None:
    """A and AAAA records of the names that the reply points at, so that a client need not ask again."""
    seen: set[Name] = {r.owner for r in reply.answers if r.record.type in _ADDRESS_TYPES}
    for resource in (*reply.answers, *reply.authority):
        target = _target(resource.record)
        if target is None or target in seen or len(reply.additional) >= _ADDITIONAL_MAX:
            continue
        seen.add(target)
        zone = zones.covering(target)
        records = zone.node(target) if zone is not None else None
        reply.additional += _owned(target, [r for r in records or () if r.type in _ADDRESS_TYPES])


def _target(record: DnsRecord) -> Name | None:
    match record.data:
        case SrvData(target=text) | MxData(exchange=text):
            return labels(text)
        case NameData(name=text) if record.type == DnsType.NS:
            return labels(text)
    return None


def labels(text: str) -> Name:
    """ "DC1.Example.com." as lower-case labels; "" and "." are the root."""
    return tuple(part.lower() for part in split_name(text))
