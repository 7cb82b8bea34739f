"""A signed zone that tests write down, with its own keys, and a validator that is not ours: dnspython."""

from collections.abc import Mapping, Sequence
from typing import Final

import dns.dnssec
import dns.message
import dns.name
import dns.rdatatype
import dns.rrset

from addc.base.secret import Secret
from addc.codec.dns_data import DnskeyData, DsData, Nsec3ParamData
from addc.codec.dns_message import CLASS_IN, Message, Question, Record, encode_message
from addc.codec.dns_names import Name, parse_name
from addc.codec.dns_rdata import AData, DnsRecord, DnsType, MxData, NameData, RecordData, SoaData, TxtData
from addc.dns.answer import Answer, answer, folded
from addc.dns.signing import Signatures, complete
from addc.security.crypto.zone_signatures import SigningKey
from addc.security.zone_keys import ZoneKey, ZoneSigning, key_tag

NOW_S: Final = 1_800_000_000
DAY_S: Final = 86_400


def record(kind: DnsType, data: RecordData, ttl_s: int = 900) -> DnsRecord:
    return DnsRecord(kind, data, ttl_s)


def address(*octets: int) -> DnsRecord:
    return record(DnsType.A, AData(bytes(octets)))


def zone_key(seed: int, *, ksk: bool) -> ZoneKey:
    """A key pair of a number."""
    pair = SigningKey.of_seed(Secret(bytes((seed,)) * 32))
    key = DnskeyData(257 if ksk else 256, 3, pair.algorithm, pair.public_key)
    return ZoneKey(key, key_tag(key), pair, ksk, not ksk, 3 * DAY_S, 3 * DAY_S, 10 * DAY_S)


def signing(apex: str, *keys: ZoneKey, salt: bytes = b"", iterations: int = 0) -> ZoneSigning:
    made = [record(DnsType.DNSKEY, one.key, 3600) for one in keys]
    made.append(record(DnsType.NSEC3PARAM, Nsec3ParamData(1, 0, iterations, salt), 0))
    return ZoneSigning(parse_name(apex), keys, salt, iterations, 3600, tuple(made))


class FakeZone:
    """A zone by its nodes. signed: None for one that is not."""

    def __init__(
        self, apex: str, nodes: Mapping[str, Sequence[DnsRecord]], signed: ZoneSigning | None = None
    ) -> None:
        self.apex = folded(parse_name(apex))
        self.signing = signed
        self.nodes = {folded(parse_name(name)): list(held) for name, held in nodes.items()}
        if signed is not None:
            self.nodes[self.apex] += signed.apex_records

    def node(self, name: Name) -> Sequence[DnsRecord] | None:
        if name in self.nodes:
            return self.nodes[name]
        return () if any(known[-len(name) :] == name for known in self.nodes) else None


class FakeZones:
    def __init__(self, *zones: FakeZone) -> None:
        self._zones = sorted(zones, key=lambda zone: -len(zone.apex))

    def covering(self, name: Name) -> FakeZone | None:
        return next((z for z in self._zones if name[len(name) - len(z.apex) :] == z.apex), None)


KSK: Final = zone_key(1, ksk=True)
ZSK: Final = zone_key(2, ksk=False)
SOA: Final = record(DnsType.SOA, SoaData("dc1.x.test", "hostmaster.x.test", 5, 900, 600, 86400, 60), 3600)
NODES: Final[Mapping[str, Sequence[DnsRecord]]] = {
    "x.test": [SOA, record(DnsType.NS, NameData("DC1.x.test")), record(DnsType.MX, MxData(10, "DC1.x.test"))],
    "dc1.x.test": [address(10, 0, 0, 1), address(10, 0, 0, 2)],
    "a.deep.x.test": [address(10, 0, 0, 3)],
    "www.x.test": [record(DnsType.CNAME, NameData("dc1.x.test"))],
    "gone.x.test": [record(DnsType.CNAME, NameData("nowhere.x.test"))],
    "*.wild.x.test": [record(DnsType.TXT, TxtData((b"any",)))],
    "known.wild.x.test": [address(10, 0, 0, 4)],
    "*.alias.x.test": [record(DnsType.CNAME, NameData("dc1.x.test"))],
    "old.x.test": [record(DnsType.DNAME, NameData("deep.x.test"))],
    "sub.x.test": [record(DnsType.NS, NameData("ns.sub.x.test"))],
    "ns.sub.x.test": [address(10, 0, 0, 5)],
    "safe.x.test": [
        record(DnsType.NS, NameData("ns.safe.x.test")),
        record(DnsType.DS, DsData(12345, 13, 2, bytes(32))),
    ],
    "ns.safe.x.test": [address(10, 0, 0, 6)],
}


def sample_zone(**options: object) -> FakeZone:
    salt, iterations = options.get("salt", b""), options.get("iterations", 0)
    assert isinstance(salt, bytes) and isinstance(iterations, int)
    return FakeZone("x.test", NODES, signing("x.test", KSK, ZSK, salt=salt, iterations=iterations))


def asked(zones: FakeZones, name: str, qtype: int, signatures: Signatures | None = None) -> Answer:
    """A question's answer, completed."""
    question = Question(parse_name(name), qtype)
    reply = answer(question, zones)
    assert reply is not None
    complete(reply, question, zones, NOW_S, signatures or Signatures())
    return reply


def as_dnspython(reply: Answer) -> dns.message.Message:
    """The reply after a way over the wire, read by dnspython."""
    told = Message(
        qr=True,
        rcode=int(reply.rcode),
        answers=tuple(reply.answers),
        authority=tuple(reply.authority),
        additional=tuple(reply.additional),
    )
    return dns.message.from_wire(encode_message(told))


def check_signatures(
    sets: Sequence[dns.rrset.RRset], keys: dns.rrset.RRset, *, now_s: int = NOW_S
) -> set[str]:
    """Validate every RRSIG of these sets by dnspython; "owner TYPE" of what was signed."""
    found = set()
    for rrsigs in sets:
        if rrsigs.rdtype != dns.rdatatype.RRSIG:
            continue
        rrset = next(one for one in sets if one.name == rrsigs.name and one.rdtype == rrsigs.covers)
        dns.dnssec.validate(rrset, rrsigs, {keys.name: keys}, now=now_s)
        found.add(f"{rrset.name} {dns.rdatatype.to_text(rrset.rdtype)}")
    return found


def dnskeys(zone: FakeZone) -> dns.rrset.RRset:
    """The zone's DNSKEY set as dnspython has it."""
    assert zone.signing is not None
    records = [
        Record(zone.apex, DnsType.DNSKEY, CLASS_IN, 3600, one.data)
        for one in zone.signing.apex_records
        if one.type == DnsType.DNSKEY
    ]
    (found,) = as_dnspython(Answer(answers=records)).answer
    return found
