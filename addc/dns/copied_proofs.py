"""Replies from copies of signed zones: the master's own signatures and denials, found and added.

Nothing is signed here: what proves a reply lies in the copy, by name (NSEC) or by hash (NSEC3).

Spec: RFC 4035 3.1, RFC 5155 7.2
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from addc.codec.dns_data import RrsigData
from addc.codec.dns_message import CLASS_IN, Question, Record
from addc.codec.dns_names import Name
from addc.codec.dns_rdata import DnsRecord, DnsType, NameData
from addc.codes.rcode import Rcode
from addc.dns.answer import Answer, Zones, folded, labels, owned
from addc.dns.secondary_zones import SecondaryZone
from addc.dns.signing import encloser_of, negative_ttl, sets_of

_WILD: Final = b"*"
_DENIALS: Final = (DnsType.NSEC, DnsType.NSEC3)


def complete(reply: Answer, question: Question, zones: Zones) -> None:
    """Add to a reply what a validator wants of copied zones; parts that come of others stay as they are."""
    _Proofs(reply, zones).run(question)


@dataclass(slots=True)
class _Proofs:
    """One reply. denials: records of chains, by owner."""

    reply: Answer
    zones: Zones
    denials: dict[Name, list[Record]] = field(default_factory=dict)

    def run(self, question: Question) -> None:
        reply = self.reply
        answers = self._signatures(reply.answers, wildcards=True)
        self._referral()
        self._negative(question)
        for found in self.denials.values():
            reply.authority += found
        reply.answers += answers
        reply.authority += self._signatures(reply.authority)
        reply.additional += self._signatures(reply.additional)

    def _zone(self, name: Name, rtype: int) -> SecondaryZone | None:
        """The copy that holds a set, where it is signed; a DS is the parent's."""
        zone = self.zones.covering(name)
        if rtype == DnsType.DS and zone is not None and name and zone.apex == name:
            zone = self.zones.covering(name[1:])
        return zone if isinstance(zone, SecondaryZone) and zone.chain is not None else None

    def _signatures(self, section: Sequence[Record], *, wildcards: bool = False) -> list[Record]:
        """The signatures of a section's sets; what wildcards answered for is proven not to be there."""
        found = []
        for rrset in sets_of(section):
            first = rrset[0]
            name = folded(first.owner)
            zone = None if first.type == DnsType.RRSIG else self._zone(name, first.type)
            if zone is None:
                continue
            held = zone.held(name)
            if held is None and wildcards:
                encloser, _ = encloser_of(zone, name)
                held = zone.held((_WILD, *encloser))
                if held is not None:
                    self._cover(zone, name[len(name) - len(encloser) - 1 :])
            for one in held or ():
                if isinstance(one.data, RrsigData) and one.data.covered == first.type:
                    found.append(Record(first.owner, DnsType.RRSIG, CLASS_IN, first.ttl_s, one.data))
        return found

    def _negative(self, question: Question) -> None:
        """That the last name of the chain of aliases, or what was asked of it, is not there."""
        if not any(one.type == DnsType.SOA for one in self.reply.authority):
            return
        name = self._last(folded(question.name))
        zone = self._zone(name, question.qtype)
        if zone is None:
            return
        if zone.node(name) is not None:
            self._match(zone, name)
            return
        encloser, _ = encloser_of(zone, name)
        self._absent(zone, name, encloser)
        wildcard = (_WILD, *encloser)
        if self.reply.rcode == Rcode.NXDOMAIN:
            self._cover(zone, wildcard)
        else:
            self._match(zone, wildcard)

    def _last(self, name: Name) -> Name:
        """Where the aliases of the answer lead."""
        targets = {
            folded(one.owner): one.data.name
            for one in self.reply.answers
            if one.type == DnsType.CNAME and isinstance(one.data, NameData)
        }
        while (target := targets.pop(name, None)) is not None:
            name = labels(target)
        return name

    def _referral(self) -> None:
        """The DS of a delegation, or that it has none."""
        for rrset in sets_of(self.reply.authority):
            name = folded(rrset[0].owner)
            zone = self._zone(name, DnsType.DS) if rrset[0].type == DnsType.NS else None
            if zone is None or name == zone.apex:
                continue
            ds = [one for one in zone.node(name) or () if one.type == DnsType.DS]
            if ds:
                self.reply.authority += owned(rrset[0].owner, ds)
            else:
                self._match(zone, name)

    # --- records of the chain ---

    def _match(self, zone: SecondaryZone, name: Name) -> None:
        """Tell the types of a name that is there; of one without a record (opt-out), that it is covered."""
        assert zone.chain is not None
        at = zone.chain.match(zone.relative(name))
        if at is not None:
            self._add(zone, at)
            return
        if not zone.chain.by_hash:
            self._cover(zone, name)
            return
        for skip in range(1, len(name) - len(zone.apex) + 1):
            if zone.chain.match(zone.relative(name[skip:])) is not None:
                self._absent(zone, name, name[skip:])
                return

    def _absent(self, zone: SecondaryZone, name: Name, encloser: Name) -> None:
        """Tell that a name is not there; by hash, that what encloses it is."""
        assert zone.chain is not None
        if zone.chain.by_hash:
            self._match(zone, encloser)
        self._cover(zone, name[len(name) - len(encloser) - 1 :] if zone.chain.by_hash else name)

    def _cover(self, zone: SecondaryZone, name: Name) -> None:
        assert zone.chain is not None
        at = zone.chain.before(zone.relative(name))
        if at is not None:
            self._add(zone, at)

    def _add(self, zone: SecondaryZone, at: Name) -> None:
        """Its TTL is that of negative answers at most (RFC 9077 3)."""
        owner = (*at, *zone.apex)
        if owner in self.denials:
            return
        ttl_s = negative_ttl(zone)
        kinds = (DnsType.NSEC, DnsType.NSEC3)
        self.denials[owner] = [
            _record(owner, one, ttl_s) for one in zone.held(owner) or () if one.type in kinds
        ]


def _record(owner: Name, one: DnsRecord, ttl_s: int) -> Record:
    return Record(owner, int(one.type), CLASS_IN, min(one.ttl_s, ttl_s), one.data)
