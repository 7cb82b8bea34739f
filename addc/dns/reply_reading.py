"""What another server's reply says to one question, and how little of it is believed.

A server is believed about the part of the tree that it was asked for, and nothing else it adds; of the
additional section only the addresses of the name servers of a referral count. Every name is folded here.

Spec: RFC 1034 5.3.3, RFC 2181 5.4.1, RFC 2308 2, RFC 5452 6, RFC 6672 3.1 (DNAME)
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from ipaddress import ip_address
from typing import Final

from addc.base.errors import DecodeError
from addc.codec.dns_data import RrsigData
from addc.codec.dns_message import Message, Record
from addc.codec.dns_names import Name, check_name, fold, is_below, name_text
from addc.codec.dns_rdata import AaaaData, AData, DnsType, NameData
from addc.codec.dns_wire import rdata_name
from addc.codes.rcode import Rcode
from addc.dns.forward import Forwarder

QTYPE_ANY: Final = 255
CHAIN_MAX: Final = 16
"""Aliases followed for one question."""
RRSET_MAX: Final = 500
"""Records that one name and type may have; more is an attack on who keeps and serves them."""
NAME_SERVERS_MAX: Final = 16
"""Of a delegation; more than the thirteen of the root."""
GLUE_MAX: Final = 6
"""Addresses of one name server."""
_CLASS_IN: Final = 1
_PROOFS: Final = frozenset({DnsType.NSEC, DnsType.NSEC3})


class Kind(Enum):
    """What a reply is to the question.

    ALIAS: it leads to `target`, where somebody has to go on. LAME: it is no answer of an authority.
    """

    ANSWER = "answer"
    ALIAS = "alias"
    NO_NAME = "no name"
    NO_DATA = "no data"
    REFERRAL = "referral"
    LAME = "lame"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Delegation:
    """A zone's name servers.

    glue: A and AAAA records of them, as far as they were told. told: the NS records.
    fixed: servers by address alone, given by an administrator, for stub zones and root hints.
    """

    zone: Name
    names: tuple[Name, ...] = ()
    glue: Mapping[Name, tuple[Record, ...]] = field(default_factory=dict)
    told: tuple[Record, ...] = ()
    fixed: tuple[Forwarder, ...] = ()


@dataclass(frozen=True, slots=True)
class RrSet:
    """Records of one name and type with their signatures. key: under what they are found again."""

    key: tuple[Name, int]
    records: tuple[Record, ...]


@dataclass(frozen=True, slots=True)
class Reading:
    """What was believed. target: where the chain of aliases ended, or goes on."""

    kind: Kind
    target: Name
    rrsets: tuple[RrSet, ...] = ()
    authority: tuple[Record, ...] = ()
    delegation: Delegation | None = None
    authoritative: bool = False
    rcode: Rcode = Rcode.NOERROR


@dataclass(frozen=True, slots=True)
class Trust:
    """How far the server asked is believed.

    zone: it speaks for names in it. must_be_authority: an answer without AA is none.
    follows: whether the next name of a chain may be taken from the same reply.
    """

    zone: Name
    must_be_authority: bool
    follows: Callable[[Name], bool] = lambda _: True


def read_reply(reply: Message, name: Name, qtype: int, trust: Trust) -> Reading:
    """What `reply` says to the question; `name` is folded."""
    if reply.rcode not in (Rcode.NOERROR, Rcode.NXDOMAIN):
        return Reading(Kind.FAILED, name, rcode=Rcode(reply.rcode))
    try:
        answers = _believed(reply.answers, trust.zone)
        authority = _believed(reply.authority, trust.zone)
        chain = _Chain(name, qtype, answers, trust)
        chain.walk()
    except DecodeError:
        return Reading(Kind.FAILED, name, rcode=Rcode.FORMERR)
    if chain.loops or any(len(rrset.records) > RRSET_MAX for rrset in chain.rrsets):
        return Reading(Kind.FAILED, name, rcode=Rcode.SERVFAIL)
    if chain.rrsets and trust.must_be_authority and not reply.aa:
        return Reading(Kind.LAME, name)
    return _end_of(reply, chain, authority, trust)


def _end_of(reply: Message, chain: "_Chain", authority: list[Record], trust: Trust) -> Reading:
    """The reading once the chain of aliases has been walked."""
    target, rrsets = chain.name, tuple(chain.rrsets)
    proofs = tuple(r for r in authority if _covered(r) in _PROOFS)
    if chain.answered:
        return Reading(Kind.ANSWER, target, rrsets, proofs, authoritative=reply.aa)
    negative = tuple(
        r for r in authority if _covered(r) in (DnsType.SOA, *_PROOFS) and _in_zone_of(r, target)
    )
    has_soa = any(r.type == DnsType.SOA for r in negative)
    if rrsets and (chain.left or not has_soa):
        # The rest of the chain is somebody else's, or the server is no authority for it: it is asked for.
        if reply.rcode == Rcode.NXDOMAIN and not chain.left:
            return Reading(Kind.NO_NAME, target, rrsets, negative, authoritative=reply.aa)
        return Reading(Kind.ALIAS, target, rrsets, proofs, authoritative=reply.aa)
    if reply.rcode == Rcode.NXDOMAIN:
        if trust.must_be_authority and not reply.aa:
            return Reading(Kind.LAME, target)
        return Reading(Kind.NO_NAME, target, rrsets, negative, authoritative=reply.aa)
    delegation = _delegation(reply, authority, target, trust.zone)
    if delegation is not None and not has_soa and not rrsets:
        secure = tuple(r for r in authority if _covered(r) in (DnsType.DS, *_PROOFS))
        return Reading(Kind.REFERRAL, target, (), secure, delegation)
    if trust.must_be_authority and not reply.aa:
        return Reading(Kind.LAME, target)
    return Reading(Kind.NO_DATA, target, rrsets, negative, authoritative=reply.aa)


def _believed(records: Iterable[Record], zone: Name) -> list[Record]:
    """Records of class IN whose owner is in the server's part of the tree, their owners folded."""
    found = []
    for record in records:
        owner = fold(record.owner)
        if record.rclass == _CLASS_IN and is_below(owner, zone):
            found.append(record if owner == record.owner else replace(record, owner=owner))
    return found


def _covered(record: Record) -> int:
    """The type that a record is about: of a signature that which it signs."""
    return record.data.covered if isinstance(record.data, RrsigData) else record.type


def _in_zone_of(record: Record, target: Name) -> bool:
    """An SOA has to be of a zone that the name is in; proofs may be at any name of it."""
    return record.type != DnsType.SOA or is_below(target, record.owner)


class _Chain:
    """The way from the question's name through aliases, as far as the reply goes.

    answered: it ended at records of the type asked. left: the next name is not the server's to tell.
    """

    def __init__(self, name: Name, qtype: int, answers: Sequence[Record], trust: Trust) -> None:
        self.name = name
        self.rrsets: list[RrSet] = []
        self.answered = self.left = self.loops = False
        self._qtype = qtype
        self._trust = trust
        self._held: dict[tuple[Name, int], list[Record]] = {}
        for record in answers:
            self._held.setdefault((record.owner, _covered(record)), []).append(record)
        self._seen = {name}

    def walk(self) -> None:
        for _ in range(CHAIN_MAX):
            if self._take_answer():
                self.answered = True
                return
            target = self._take_alias()
            if target is None:
                return
            self.loops = target in self._seen
            self._seen.add(target)
            self.name = target
            self.left = not (is_below(target, self._trust.zone) and self._trust.follows(target))
            if self.left or self.loops:
                return
        self.left = True

    def _take_answer(self) -> bool:
        if self._qtype == QTYPE_ANY:
            found = [r for (owner, _), held in self._held.items() if owner == self.name for r in held]
        else:
            found = self._held.get((self.name, self._qtype), [])
            if self._qtype != DnsType.RRSIG and all(r.type == DnsType.RRSIG for r in found):
                found = []
        if self._qtype == DnsType.RRSIG:
            found = [r for (owner, _), held in self._held.items() if owner == self.name for r in held]
            found = [r for r in found if r.type == DnsType.RRSIG]
        if found:
            self.rrsets.append(RrSet((self.name, self._qtype), tuple(found)))
        return bool(found)

    def _take_alias(self) -> Name | None:
        """The next name, by a CNAME here or a DNAME above."""
        here = self._held.get((self.name, DnsType.CNAME), [])
        for skip in range(1, len(self.name) + 1):
            above = self._held.get((self.name[skip:], DnsType.DNAME), [])
            for record in above:
                if isinstance(record.data, NameData):
                    target = (*self.name[:skip], *rdata_name(record.data.name))
                    check_name(target)
                    made = Record(
                        self.name, DnsType.CNAME, _CLASS_IN, record.ttl_s, NameData(name_text(target))
                    )
                    self.rrsets.append(RrSet((self.name, DnsType.CNAME), (*above, made)))
                    return target
        for record in here:
            if isinstance(record.data, NameData):
                # Of several CNAMEs, which no zone may have, one counts.
                signed = [r for r in here if r is record or r.type == DnsType.RRSIG]
                self.rrsets.append(RrSet((self.name, DnsType.CNAME), tuple(signed)))
                return rdata_name(record.data.name)
        return None


def _delegation(reply: Message, authority: list[Record], target: Name, zone: Name) -> Delegation | None:
    """A zone cut between the server's zone and the name, with the glue that belongs to it."""
    cuts = {r.owner for r in authority if r.type == DnsType.NS}
    cuts = {owner for owner in cuts if is_below(target, owner) and len(owner) > len(zone)}
    if not cuts:
        return None
    cut = max(cuts, key=len)
    told = tuple(r for r in authority if r.type == DnsType.NS and r.owner == cut)[:NAME_SERVERS_MAX]
    names = servers_of(told)
    return Delegation(cut, names, glue_of(reply.additional, names, zone), told)


def servers_of(records: Iterable[Record]) -> tuple[Name, ...]:
    """The names in NS records; one that is no name is left out."""
    found: dict[Name, None] = {}
    for record in records:
        if record.type == DnsType.NS and isinstance(record.data, NameData):
            try:
                found[rdata_name(record.data.name)] = None
            except DecodeError:
                continue
    return tuple(found)[:NAME_SERVERS_MAX]


def glue_of(
    additional: Iterable[Record], names: Iterable[Name], zone: Name
) -> dict[Name, tuple[Record, ...]]:
    """The addresses of these name servers that a server of `zone` may tell."""
    wanted = set(names)
    found: dict[Name, list[Record]] = {}
    for record in _believed(additional, zone):
        if record.owner in wanted and isinstance(record.data, AData | AaaaData):
            held = found.setdefault(record.owner, [])
            if len(held) < GLUE_MAX and record not in held:
                held.append(record)
    return {owner: tuple(held) for owner, held in found.items()}


def address_of(record: Record) -> str | None:
    """The address of an A or AAAA record as text."""
    if isinstance(record.data, AData | AaaaData):
        return str(ip_address(record.data.address))
    return None


def is_sensible(address: str) -> bool:
    """Whether a server that the network told of can be there: no loopback, group, or address of nobody."""
    where = ip_address(address)
    return not (where.is_loopback or where.is_multicast or where.is_unspecified or where.is_link_local)
