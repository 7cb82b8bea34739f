"""Signing answers as they are given: signatures, and records of denial that tell of one name each.

Nothing signed is stored: a signature is made when an answer first shows its set, and kept until a quarter of
its life is left. Names that do not exist are denied by NSEC3 records made for the question (RFC 7129 B), so
that the zone cannot be listed and a change of a name changes no other name's proof.

Spec: RFC 4035 3.1, RFC 5155 7.2, RFC 6672 5.3, RFC 9276 3.1, RFC 7344 4.1.
"""

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from addc.codec.dns_data import RrsigData
from addc.codec.dns_message import CLASS_IN, Question, Record
from addc.codec.dns_names import Name, fold, is_below, parse_name
from addc.codec.dns_rdata import DnsRecord, DnsType, NameData, RecordData, SoaData
from addc.codec.dns_wire import canonical_rdata
from addc.codes.rcode import Rcode
from addc.dns.answer import Answer, Zone, Zones, folded, owned
from addc.dns.dnssec import sign_rrset, unsigned_rrsig
from addc.dns.nsec3 import covering_record, matching_record, nsec3_hash
from addc.security.zone_keys import ZoneKey, ZoneSigning

_KEPT_MAX: Final = 50_000
_HOUR_S: Final = 3600
_OF_KEYS: Final = frozenset({DnsType.DNSKEY, DnsType.CDS, DnsType.CDNSKEY})
_AT_CUTS: Final = frozenset({DnsType.NS, DnsType.DS})
_WILD: Final = b"*"

_Key = tuple[Name, int, int, frozenset[RecordData], int, bytes]


class Signatures:
    """Signatures that were made, for as long as they are good; one per process.

    Times of signatures stand on whole hours, so that all processes and servers make much the same.
    """

    __slots__ = ("_kept", "_kept_max", "given", "made")

    def __init__(self, kept_max: int = _KEPT_MAX) -> None:
        """kept_max: what was asked for longest ago goes where there would be more, say denials of odd names;
        for whole zones, as many as they have sets.
        """
        self._kept_max = kept_max
        self._kept: OrderedDict[_Key, tuple[int, RrsigData]] = OrderedDict()
        self.given = 0
        self.made = 0

    def complete(self, reply: Answer, question: Question, zones: Zones, now_s: int) -> bool:
        """`complete` with these signatures."""
        return complete(reply, question, zones, now_s, self)

    def of(
        self, signing: ZoneSigning, source: Name, records: Sequence[Record], now_s: int
    ) -> list[RrsigData]:
        """The RRSIGs of one set. source: the owner that is signed: a wildcard's own name, folded."""
        first = records[0]
        datas = frozenset(one.data for one in records)
        found = []
        for key in signing.keys:
            if not _signs(key, first.type):
                continue
            at: _Key = (source, first.type, first.ttl_s, datas, key.tag, key.key.key)
            kept = self._kept.get(at)
            if kept is None or not kept[1].inception <= now_s < kept[0]:  # or the clock was set back
                kept = self._make(signing, key, source, records, now_s)
                self._keep(at, kept)
            else:
                self._kept.move_to_end(at)
            found.append(kept[1])
        self.given += len(found)
        return found

    def _make(
        self, signing: ZoneSigning, key: ZoneKey, source: Name, records: Sequence[Record], now_s: int
    ) -> tuple[int, RrsigData]:
        first = records[0]
        life_s = _life(key, first.type)
        hour = now_s - now_s % _HOUR_S
        unsigned = unsigned_rrsig(
            source,
            first.type,
            first.ttl_s,
            signer=signing.apex,
            key=(key.key.algorithm, key.tag),
            times=(hour - signing.inception_offset_s, hour + life_s),
        )
        assert key.pair is not None
        self.made += 1
        data = [canonical_rdata(one.type, one.data) for one in records]
        return hour + life_s - life_s // 4, sign_rrset(key.pair, unsigned, source, data)

    def _keep(self, at: _Key, made: tuple[int, RrsigData]) -> None:
        kept = self._kept
        kept.pop(at, None)
        while len(kept) >= self._kept_max:
            kept.popitem(last=False)
        kept[at] = made


def _signs(key: ZoneKey, rtype: int) -> bool:
    """Which keys sign what; CDS and CDNSKEY are signed by both kinds (RFC 7344 4.1)."""
    if key.pair is None:
        return False
    if rtype == DnsType.DNSKEY:
        return key.signs_keys
    return key.signs_zone or (rtype in _OF_KEYS and key.signs_keys)


def _life(key: ZoneKey, rtype: int) -> int:
    if rtype in _OF_KEYS:
        return key.dnskey_validity_s
    return key.ds_validity_s if rtype == DnsType.DS else key.validity_s


# --- names and sets of a zone ------------------------------------------------------------------------------


def is_cut(zone: Zone, name: Name, records: Iterable[DnsRecord]) -> bool:
    """Whether another zone begins at a name."""
    return name != zone.apex and any(one.type == DnsType.NS for one in records)


def shown_types(zone: Zone, name: Name, records: Sequence[DnsRecord]) -> list[int]:
    """The types of a name as its NSEC3 tells them. Spec: RFC 5155 3.2.1, 7.1."""
    types = {int(one.type) for one in records}
    if is_cut(zone, name, records):
        types &= _AT_CUTS
        return sorted(types | ({DnsType.RRSIG} if DnsType.DS in types else set()))
    return sorted(types | {DnsType.RRSIG}) if types else []


def sets_of(records: Iterable[Record]) -> list[list[Record]]:
    """Records by owner and type, in the order of their first."""
    found: dict[tuple[Name, int], list[Record]] = {}
    for one in records:
        found.setdefault((fold(one.owner), one.type), []).append(one)
    return list(found.values())


def encloser_of(zone: Zone, name: Name) -> tuple[Name, Sequence[DnsRecord]]:
    """The closest name at or above that is there, folded, with its records."""
    for skip in range(len(name) - len(zone.apex)):
        records = zone.node(name[skip:])
        if records is not None:
            return name[skip:], records
    return zone.apex, zone.node(zone.apex) or ()


# --- the step ----------------------------------------------------------------------------------------------


def complete(reply: Answer, question: Question, zones: Zones, now_s: int, signatures: Signatures) -> bool:
    """Add to a reply from our zones what a validator wants: signatures, and proofs of what is not there.

    Whether something was signed, so that the reply ages.
    """
    before = signatures.given
    if question.qtype == DnsType.RRSIG:
        _signatures_alone(reply, question, zones, now_s, signatures)
    else:
        _Completion(reply, zones, now_s, signatures).run(question)
    return signatures.given != before


@dataclass(slots=True)
class _Completion:
    """One reply being completed."""

    reply: Answer
    zones: Zones
    now_s: int
    signatures: Signatures

    def run(self, question: Question) -> None:
        reply = self.reply
        denials: dict[Name, Record] = {}
        self._prove_wildcards(denials)
        self._prove_negative(question, denials)
        self._prove_referral(denials)
        reply.answers += self._rrsigs(reply.answers)
        reply.authority += denials.values()
        reply.authority += self._rrsigs(reply.authority)
        reply.additional += self._rrsigs(reply.additional)

    def _rrsigs(self, section: Sequence[Record]) -> list[Record]:
        """The signatures of a section's sets, as records."""
        made = []
        renamed = [fold(one.owner) for one in section if one.type == DnsType.DNAME]
        for rrset in sets_of(section):
            first = rrset[0]
            owner = fold(first.owner)
            if first.type == DnsType.RRSIG or (
                first.type == DnsType.CNAME and any(one != owner and is_below(owner, one) for one in renamed)
            ):
                continue
            made += self._rrsigs_of(rrset)
        return made

    def _rrsigs_of(self, rrset: Sequence[Record]) -> list[Record]:
        first = rrset[0]
        found = self._signed_zone(folded(first.owner), first.type)
        if found is None:
            return []
        zone, signing = found
        source = self._source(zone, first)
        if source is None:
            return []
        signed = self.signatures.of(signing, source, rrset, self.now_s)
        return [Record(first.owner, DnsType.RRSIG, CLASS_IN, first.ttl_s, one) for one in signed]

    def _source(self, zone: Zone, first: Record) -> Name | None:
        """The name that is signed; None for what is below a delegation, or the delegation itself."""
        owner = fold(first.owner)
        if first.type == DnsType.NSEC3:
            return owner
        name = folded(first.owner)
        for skip in range(len(name) - len(zone.apex)):
            records = zone.node(name[skip:])
            if records and is_cut(zone, name[skip:], records) and (skip or first.type != DnsType.DS):
                return None
        if zone.node(name) is not None:
            return owner
        encloser, _ = encloser_of(zone, name)
        return (_WILD, *owner[len(owner) - len(encloser) :])

    def _signed_zone(self, name: Name, rtype: int) -> tuple[Zone, ZoneSigning] | None:
        """The zone that holds a set, where it is signed here; a DS is the parent's."""
        zone = self.zones.covering(name)
        if rtype == DnsType.DS and zone is not None and name and zone.apex == name:
            zone = self.zones.covering(name[1:])
        if zone is None or zone.signing is None:
            return None
        return zone, zone.signing

    def _prove_wildcards(self, denials: dict[Name, Record]) -> None:
        """That the names which a wildcard answered for are not there. Spec: RFC 5155 7.2.6."""
        for rrset in sets_of(self.reply.answers):
            name = folded(rrset[0].owner)
            found = self._signed_zone(name, rrset[0].type)
            if found is None or found[0].node(name) is not None:
                continue
            encloser, records = encloser_of(found[0], name)
            if not any(one.type == DnsType.DNAME for one in records):
                self._cover(found, name[len(name) - len(encloser) - 1 :], denials)

    def _prove_negative(self, question: Question, denials: dict[Name, Record]) -> None:
        """That the last name of the chain, or what was asked of it, is not there (RFC 5155 7.2.2 - 7.2.5)."""
        if not any(one.type == DnsType.SOA for one in self.reply.authority):
            return
        name = self._last(folded(question.name))
        found = self._signed_zone(name, question.qtype)
        if found is None:
            return
        zone = found[0]
        records = zone.node(name)
        if records is not None:
            self._match(found, name, records, denials)
            return
        encloser, held = encloser_of(zone, name)
        self._match(found, encloser, held, denials)
        self._cover(found, name[len(name) - len(encloser) - 1 :], denials)
        wildcard = (_WILD, *encloser)
        at_wildcard = zone.node(wildcard)
        if at_wildcard is None or self.reply.rcode == Rcode.NXDOMAIN:
            self._cover(found, wildcard, denials)
        else:
            self._match(found, wildcard, at_wildcard, denials)

    def _last(self, name: Name) -> Name:
        """Where the aliases of the answer lead."""
        targets = {
            folded(one.owner): one.data.name
            for one in self.reply.answers
            if one.type == DnsType.CNAME and isinstance(one.data, NameData)
        }
        for _ in range(len(targets)):
            target = targets.pop(name, None)
            if target is None:
                break
            name = folded(parse_name(target))
        return name

    def _prove_referral(self, denials: dict[Name, Record]) -> None:
        """The DS of a delegation, or that it has none. Spec: RFC 4035 3.1.4, RFC 5155 7.2.7."""
        for rrset in sets_of(self.reply.authority):
            name = folded(rrset[0].owner)
            found = self._signed_zone(name, DnsType.DS) if rrset[0].type == DnsType.NS else None
            if found is None or name == found[0].apex:
                continue
            records = found[0].node(name) or ()
            ds = [one for one in records if one.type == DnsType.DS]
            if ds:
                self.reply.authority += owned(rrset[0].owner, ds)
            else:
                self._match(found, name, records, denials)

    def _match(
        self,
        found: tuple[Zone, ZoneSigning],
        name: Name,
        records: Sequence[DnsRecord],
        denials: dict[Name, Record],
    ) -> None:
        """Tell the types of a name that is there."""
        zone, signing = found
        hashed = nsec3_hash(fold(name), signing.salt, signing.iterations)
        types = shown_types(zone, name, records)
        label, data = matching_record(hashed, types, signing.salt, signing.iterations)
        self._add(zone, (label, *signing.apex), data, denials)

    def _cover(self, found: tuple[Zone, ZoneSigning], name: Name, denials: dict[Name, Record]) -> None:
        """Tell that a name is not there."""
        zone, signing = found
        hashed = nsec3_hash(fold(name), signing.salt, signing.iterations)
        label, data = covering_record(hashed, signing.salt, signing.iterations)
        self._add(zone, (label, *signing.apex), data, denials)

    @staticmethod
    def _add(zone: Zone, owner: Name, data: RecordData, denials: dict[Name, Record]) -> None:
        """Its TTL is that of negative answers (RFC 9077 3.2)."""
        denials.setdefault(owner, Record(owner, DnsType.NSEC3, CLASS_IN, negative_ttl(zone), data))


def negative_ttl(zone: Zone) -> int:
    """The TTL of negative answers of a zone (RFC 2308 5)."""
    for one in zone.node(zone.apex) or ():
        if isinstance(one.data, SoaData):
            return min(one.ttl_s, one.data.minimum)
    return 0


def _signatures_alone(
    reply: Answer, question: Question, zones: Zones, now_s: int, signatures: Signatures
) -> None:
    """What asks for RRSIG gets those of every set of the name."""
    name = folded(question.name)
    zone = zones.covering(name)
    if zone is None or zone.signing is None or not reply.authoritative or reply.answers:
        return
    records = zone.node(name)
    if not records or is_cut(zone, name, records):
        _Completion(reply, zones, now_s, signatures).run(question)
        return
    sets = sets_of(owned(question.name, records))
    reply.authority.clear()
    for rrset in sets:
        signed = signatures.of(zone.signing, fold(question.name), rrset, now_s)
        reply.answers += [
            Record(question.name, DnsType.RRSIG, CLASS_IN, rrset[0].ttl_s, one) for one in signed
        ]
