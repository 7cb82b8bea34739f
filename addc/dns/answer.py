"""Authoritative answers: a question and a view of the zones in, the sections of a reply out.

Spec: RFC 1034 4.3.2, RFC 2308 2, RFC 4592 2, RFC 6672 3.2, RFC 6604 3, RFC 9471 2, RFC 2181 5, RFC 8020 2
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from addc.base.errors import DecodeError
from addc.codec.dns_message import Question, Record
from addc.codec.dns_names import NAME_MAX, Name, name_text, parse_name
from addc.codec.dns_rdata import DnsRecord, DnsType, MxData, NameData, RecordData, SoaData, SrvData
from addc.codes.rcode import Rcode
from addc.security.zone_keys import ZoneSigning

CLASS_IN: Final = 1
CLASS_ANY: Final = 255
QTYPE_ANY: Final = 255
CHAIN_MAX: Final = 16
"""Aliases that one question is led along."""
_ADDITIONAL_MAX: Final = 64
_ADDRESS_TYPES: Final = (DnsType.A, DnsType.AAAA)


@dataclass(slots=True)
class Answer:
    """The sections of a reply. authoritative: the AA bit.

    glue: how many of `additional`, the first ones, the reply cannot do without. outside: the name at which
    a chain of aliases leaves our zones.
    """

    rcode: Rcode = Rcode.NOERROR
    authoritative: bool = True
    answers: list[Record] = field(default_factory=list)
    authority: list[Record] = field(default_factory=list)
    additional: list[Record] = field(default_factory=list)
    glue: int = 0
    outside: Name | None = None

    def is_referral(self) -> bool:
        return not self.authoritative and not self.answers and bool(self.authority)


class Zone(Protocol):
    """A zone that this server is an authority for; names folded."""

    @property
    def apex(self) -> Name: ...

    @property
    def signing(self) -> ZoneSigning | None:
        """What it is signed with as answers are given; None for one that is not, or brings its signatures."""

    def node(self, name: Name) -> Sequence[DnsRecord] | None:
        """The records at `name`; () where only names below it exist; None where there is nothing."""


class Zones(Protocol):
    """Which zone a name is in."""

    def covering(self, name: Name) -> Zone | None:
        """The zone with the longest apex that ends `name`; None where that is none of ours to answer for."""


def folded(name: Name) -> Name:
    """A name as zones are asked for it: lower case, letters beyond ASCII too, as Windows keeps them."""
    return tuple([label.lower() if label.isascii() else _lower(label) for label in name])


def _lower(label: bytes) -> bytes:
    try:
        return label.decode("utf-8").lower().encode("utf-8")
    except UnicodeDecodeError:
        return label.lower()


def labels(text: str) -> Name:
    """ "DC1.Example.com." as folded labels; "" and "." are the root."""
    return folded(parse_name(text))


def answer(question: Question, zones: Zones) -> Answer | None:
    """The reply from our zones; None for a name outside them all."""
    name = folded(question.name)
    zone = _zone_for(zones, name, question.qtype)
    if zone is None:
        return None
    reply = Answer()
    if question.qclass not in (CLASS_IN, CLASS_ANY):
        reply.rcode, reply.authoritative = Rcode.NOTIMP, False
        return reply
    spelled, seen = question.name, {name}
    for _ in range(CHAIN_MAX):
        target = _InZone(reply, zone, spelled, name).look_up(question.qtype)
        if target is None:
            break
        spelled, name = target, folded(target)
        if name in seen:
            break
        seen.add(name)
        found = _zone_for(zones, name, question.qtype)
        if found is None:
            reply.outside = target
            break
        zone = found
    _add_addresses(reply, zones)
    return reply


def _zone_for(zones: Zones, name: Name, qtype: int) -> Zone | None:
    """The zone that answers; DS at the top of a zone is its parent's (RFC 4035 3.1.4.1)."""
    zone = zones.covering(name)
    if qtype == DnsType.DS and zone is not None and name and zone.apex == name:
        parent = zones.covering(name[1:])
        if parent is not None and parent.node(name) is not None:
            return parent
    return zone


class _InZone:
    """One name looked up in one zone, its findings added to a reply."""

    __slots__ = ("_name", "_reply", "_spelled", "_zone")

    def __init__(self, reply: Answer, zone: Zone, spelled: Name, name: Name) -> None:
        self._reply = reply
        self._zone = zone
        self._spelled = spelled
        self._name = name

    def look_up(self, qtype: int) -> Name | None:
        """Add what the zone knows; the name to go on with where it is an alias (RFC 1034 4.3.2 step 3)."""
        zone, name = self._zone, self._name
        depth = len(name) - len(zone.apex)
        records: Sequence[DnsRecord] | None = None
        for skip in range(depth, -1, -1):
            owner = name[skip:]
            records = zone.node(owner)
            if records is None:
                # Where a name is not there, nothing below it is: its parent is the closest encloser.
                records = zone.node((b"*", *name[skip + 1 :]))
                break
            if skip < depth and (skip or qtype != DnsType.DS) and _has(records, DnsType.NS):
                self._refer(skip, records)
                return None
            if skip and _has(records, DnsType.DNAME):
                return self._rename(skip, records)
        if records is None:
            self._reply.rcode = Rcode.NXDOMAIN
            self._add_soa()
            return None
        return self._at_node(records, qtype)

    def _at_node(self, records: Sequence[DnsRecord], qtype: int) -> Name | None:
        wanted = records if qtype == QTYPE_ANY else [one for one in records if one.type == qtype]
        if wanted:
            self._reply.answers += owned(self._spelled, wanted)
            return None
        for record in records:
            if record.type == DnsType.CNAME and isinstance(record.data, NameData):
                self._reply.answers += owned(self._spelled, [record])
                return parse_name(record.data.name)
        self._add_soa()
        return None

    def _refer(self, skip: int, records: Sequence[DnsRecord]) -> None:
        """To the servers of a delegated part, with the addresses of those inside it."""
        reply, cut = self._reply, self._name[skip:]
        if not reply.answers:
            reply.authoritative = False
        servers = [one for one in records if one.type == DnsType.NS]
        reply.authority += owned(self._spelled[skip:], servers)
        for server in servers:
            assert isinstance(server.data, NameData)
            target = parse_name(server.data.name)
            inside = folded(target)
            if inside[-len(cut) :] == cut:
                held = self._zone.node(inside) or ()
                reply.additional += owned(target, [one for one in held if one.type in _ADDRESS_TYPES])
        reply.glue = len(reply.additional)

    def _rename(self, skip: int, records: Sequence[DnsRecord]) -> Name | None:
        """By a DNAME above the name: the record, and the CNAME that follows from it (RFC 6672 3.1)."""
        reply = self._reply
        dname = next(one for one in records if one.type == DnsType.DNAME)
        assert isinstance(dname.data, NameData)
        reply.answers += owned(self._spelled[skip:], [dname])
        target = (*self._spelled[:skip], *parse_name(dname.data.name))
        if sum(map(len, target)) + len(target) + 1 > NAME_MAX:
            reply.rcode = Rcode.YXDOMAIN
            return None
        alias = NameData(name_text(target))
        reply.answers.append(Record(self._spelled, DnsType.CNAME, CLASS_IN, dname.ttl_s, alias))
        return target

    def _add_soa(self) -> None:
        """The SOA of a negative answer; its TTL is the lesser of its own and the minimum (RFC 2308 3)."""
        zone = self._zone
        depth = len(self._name) - len(zone.apex)
        for record in zone.node(zone.apex) or ():
            if isinstance(record.data, SoaData):
                ttl_s = min(record.ttl_s, record.data.minimum)
                owner = self._spelled[depth:]
                self._reply.authority.append(Record(owner, DnsType.SOA, CLASS_IN, ttl_s, record.data))


def _has(records: Iterable[DnsRecord], kind: DnsType) -> bool:
    for record in records:
        if record.type == kind:
            return True
    return False


def owned(owner: Name, records: Sequence[DnsRecord]) -> list[Record]:
    """Records of a node for a reply; those of one type have one TTL, the least (RFC 2181 5.2)."""
    if len(records) == 1:
        only = records[0]
        return [Record(owner, int(only.type), CLASS_IN, only.ttl_s, only.data)]
    ttls: dict[int, int] = {}
    for one in records:
        ttls[one.type] = min(one.ttl_s, ttls.get(one.type, one.ttl_s))
    return [Record(owner, int(one.type), CLASS_IN, ttls[one.type], one.data) for one in records]


def _add_addresses(reply: Answer, zones: Zones) -> None:
    """A and AAAA records of the names that the reply points at, so that a client need not ask again."""
    seen = {folded(one.owner) for one in reply.answers if one.type in _ADDRESS_TYPES}
    seen.update(folded(one.owner) for one in reply.additional)
    for record in (*reply.answers, *reply.authority):
        target = target_of(record.type, record.data)
        if target is None or len(reply.additional) >= _ADDITIONAL_MAX:
            continue
        name = folded(target)
        if name in seen:
            continue
        seen.add(name)
        zone = zones.covering(name)
        held = (zone.node(name) if zone is not None else None) or ()
        found = [one for one in held if one.type in _ADDRESS_TYPES]
        if found:
            reply.additional += owned(target, found)


def target_of(kind: int, data: RecordData) -> Name | None:
    """The host that a record points its reader at."""
    match data:
        case SrvData(target=text) | MxData(exchange=text):
            pass
        case NameData(name=text) if kind == DnsType.NS:
            pass
        case _:
            return None
    try:
        return parse_name(text) or None
    except DecodeError:
        return None
