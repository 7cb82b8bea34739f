"""Copies of signed zones: the master's signatures and denials come along, whichever chain it made."""

from datetime import UTC, datetime

import dns.dnssec
import dns.dnssectypes
import dns.name
import dns.rdata
import dns.rdatatype
import dns.zone
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from addc.base.clock import UNIX_EPOCH_FT
from addc.codec.dns_data import RrsigData
from addc.codec.dns_message import Question, Record
from addc.codec.dns_names import parse_name
from addc.codec.dns_rdata import DnsType
from addc.codes.rcode import Rcode
from addc.directory.dns_secondary import Status
from addc.dns.answer import Answer, answer
from addc.dns.copied_proofs import complete
from addc.dns.nsec import NsecProofs
from addc.dns.nsec3 import Nsec3Proofs, Verdict
from addc.dns.secondary_zones import SecondaryZone
from addc.dns.zone_content import Rr, ZoneContent

APEX = parse_name("signed.test")
TEXT = """
@ 300 SOA ns admin 7 3600 600 86400 60
@ 300 NS ns
ns 300 A 192.0.2.1
www 300 A 192.0.2.2
alias 300 CNAME www
a.b.c 300 TXT "deep"
*.wild 300 A 192.0.2.3
sub 300 NS ns.sub
ns.sub 300 A 192.0.2.4
safe 300 NS ns.elsewhere.test.
safe 300 DS 1 13 2 e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
"""
PARAMETERS = "1 0 0 aabb"


class One:
    """The only zone there is."""

    def __init__(self, zone: SecondaryZone) -> None:
        self.zone = zone

    def covering(self, name: tuple[bytes, ...]) -> SecondaryZone | None:
        return self.zone if name[-2:] == APEX else None


def signed(by_hash: bool) -> list[Rr]:
    """The zone as dnspython signs it; its NSEC3 records are made here, from RFC 5155 7.1."""
    zone = dns.zone.from_text(TEXT, "signed.test.", relativize=False)
    key = ec.derive_private_key(7, ec.SECP256R1())
    public = dns.dnssec.make_dnskey(key.public_key(), dns.dnssectypes.Algorithm.ECDSAP256SHA256, flags=257)
    if by_hash:
        _add_nsec3(zone)
    times = {"inception": datetime(2026, 1, 1, tzinfo=UTC), "expiration": datetime(2027, 1, 1, tzinfo=UTC)}
    dns.dnssec.sign_zone(zone, keys=[(key, public)], add_dnskey=True, **times)  # type: ignore[arg-type]
    found = []
    for name, ttl, rdata in zone.iterate_rdatas():
        owner = tuple(one.lower() for one in name.labels[:-1])
        if by_hash and _is_nsec(rdata):
            continue
        found.append(Rr(owner, int(rdata.rdtype), ttl, rdata.to_wire() or b""))
    return found


def _is_nsec(rdata: dns.rdata.Rdata) -> bool:
    covers = rdata.covers() if rdata.rdtype == dns.rdatatype.RRSIG else rdata.rdtype
    return covers == dns.rdatatype.NSEC


def _add_nsec3(zone: dns.zone.Zone) -> None:
    apex = dns.name.from_text("signed.test.")
    types: dict[dns.name.Name, set[str]] = {}
    for name, _, rdata in zone.iterate_rdatas():
        if name.is_subdomain(dns.name.from_text("ns.sub.signed.test.")):
            continue
        types.setdefault(name, set()).add(dns.rdatatype.to_text(rdata.rdtype))
        above = name.parent()
        while above != apex and above.is_subdomain(apex):
            types.setdefault(above, set())
            above = above.parent()
    types[apex] |= {"DNSKEY", "NSEC3PARAM"}
    for held in types.values():
        if held and held != {"NS"}:
            held.add("RRSIG")
    hashed = {
        dns.dnssec.nsec3_hash(name, bytes.fromhex("aabb"), 0, 1).lower(): held for name, held in types.items()
    }
    labels = sorted(hashed)
    for label, after in zip(labels, [*labels[1:], labels[0]], strict=True):
        text = f"{PARAMETERS} {after} {' '.join(sorted(hashed[label]))}"
        rdata = dns.rdata.from_text("IN", "NSEC3", text)
        zone.find_rdataset(f"{label}.signed.test.", "NSEC3", create=True).add(rdata, 60)
    zone.find_rdataset(apex, "NSEC3PARAM", create=True).add(
        dns.rdata.from_text("IN", "NSEC3PARAM", PARAMETERS), 0
    )


@pytest.fixture(scope="module", params=[False, True], ids=["nsec", "nsec3"])
def copy(request: pytest.FixtureRequest) -> SecondaryZone:
    records = signed(request.param)
    content = ZoneContent.of(APEX, records)
    status = Status(7, len(records), (1,), 0, 0, UNIX_EPOCH_FT * 3)
    zone = SecondaryZone("signed.test", content, status)
    assert zone.chain is not None and zone.chain.by_hash is request.param
    return zone


def ask(zone: SecondaryZone, name: str, kind: DnsType) -> Answer:
    question = Question(parse_name(name), kind)
    reply = answer(question, One(zone))
    assert reply is not None
    complete(reply, question, One(zone))
    return reply


def kinds(section: list[Record]) -> list[str]:
    return sorted(DnsType(one.type).name for one in section)


def covered(section: list[Record]) -> set[int]:
    return {one.data.covered for one in section if isinstance(one.data, RrsigData)}


def denies_name(zone: SecondaryZone, reply: Answer, name: str) -> Verdict:
    assert zone.chain is not None
    proofs = (Nsec3Proofs if zone.chain.by_hash else NsecProofs)(reply.authority, APEX)
    return proofs.denies_name(parse_name(name))


def test_answers_are_signed(copy: SecondaryZone) -> None:
    """RFC 4035 3.1.1"""
    reply = ask(copy, "WWW.signed.test", DnsType.A)
    assert kinds(reply.answers) == ["A", "RRSIG"] and covered(reply.answers) == {DnsType.A}
    chain = ask(copy, "alias.signed.test", DnsType.A)
    assert kinds(chain.answers) == ["A", "CNAME", "RRSIG", "RRSIG"]
    soa = ask(copy, "signed.test", DnsType.NS)
    assert DnsType.NS in covered(soa.answers) and DnsType.A in covered(soa.additional)


def test_a_name_that_is_not_there_is_denied(copy: SecondaryZone) -> None:
    """RFC 4035 3.1.3.2, RFC 5155 7.2.2"""
    for name in ("none.signed.test", "x.y.www.signed.test", "zzz.signed.test", "x.b.c.signed.test"):
        reply = ask(copy, name, DnsType.A)
        assert reply.rcode is Rcode.NXDOMAIN
        assert denies_name(copy, reply, name) is Verdict.SECURE
        denial = DnsType.NSEC3 if copy.chain is not None and copy.chain.by_hash else DnsType.NSEC
        assert {DnsType.SOA, denial} == covered(reply.authority)


def test_a_type_that_is_not_there_is_denied(copy: SecondaryZone) -> None:
    """RFC 4035 3.1.3.1, RFC 5155 7.2.3; names between as well"""
    assert copy.chain is not None
    for name in ("www.signed.test", "signed.test", "b.c.signed.test"):
        reply = ask(copy, name, DnsType.MX)
        assert reply.rcode is Rcode.NOERROR and not reply.answers
        proofs = (Nsec3Proofs if copy.chain.by_hash else NsecProofs)(reply.authority, APEX)
        assert proofs.denies_type(parse_name(name), DnsType.MX) is Verdict.SECURE


def test_what_a_wildcard_answers_is_proven(copy: SecondaryZone) -> None:
    """RFC 4035 3.1.3.3, RFC 5155 7.2.6"""
    reply = ask(copy, "any.thing.wild.signed.test", DnsType.A)
    assert kinds(reply.answers) == ["A", "RRSIG"]
    (signature,) = [one.data for one in reply.answers if isinstance(one.data, RrsigData)]
    assert signature.labels == 3, "of *.wild.signed.test"
    assert any(one.type in (DnsType.NSEC, DnsType.NSEC3) for one in reply.authority)


def test_delegations_are_proven_or_denied(copy: SecondaryZone) -> None:
    """RFC 4035 3.1.4"""
    safe = ask(copy, "host.safe.signed.test", DnsType.A)
    assert safe.is_referral() and "DS" in kinds(safe.authority) and covered(safe.authority) == {DnsType.DS}
    plain = ask(copy, "host.sub.signed.test", DnsType.A)
    assert copy.chain is not None
    proofs = (Nsec3Proofs if copy.chain.by_hash else NsecProofs)(plain.authority, APEX)
    assert proofs.no_ds(parse_name("sub.signed.test")) is Verdict.SECURE
    assert DnsType.A not in covered(plain.additional), "glue is not the zone's own word"


def test_names_of_the_chain_are_none(copy: SecondaryZone) -> None:
    """RFC 5155 7.2.8"""
    assert copy.chain is not None
    for name in copy.chain.hidden:
        assert copy.node((*name, *APEX)) is None and copy.held((*name, *APEX))


def test_a_chain_that_costs_too_much_is_left_out() -> None:
    """RFC 9276 3.2"""
    records = signed(True)
    dear = [
        one._replace(rdata=b"\1\0\xff\xff" + one.rdata[4:]) if one.type == DnsType.NSEC3PARAM else one
        for one in records
    ]
    zone = SecondaryZone("signed.test", ZoneContent.of(APEX, dear), Status(pieces=(1,)))
    reply = ask(zone, "none.signed.test", DnsType.A)
    assert reply.rcode is Rcode.NXDOMAIN and "NSEC3" not in kinds(reply.authority)
