"""Denial of existence, by the example zone of RFC 5155 and by NSEC."""

import base64
from collections.abc import Iterable
from dataclasses import dataclass

import pytest

from addc.codec.dns_data import Nsec3Data, NsecData, pack_types
from addc.codec.dns_names import Name, parse_name
from addc.codec.dns_rdata import DnsType, RecordData
from addc.dns.nsec import NsecProofs
from addc.dns.nsec3 import Nsec3Proofs, Verdict, covering_record, hash_label, matching_record, nsec3_hash

ZONE = parse_name("example")
SALT = bytes.fromhex("aabbccdd")


@dataclass(frozen=True)
class Held:
    owner: Name
    data: RecordData


def _nsec3(owner: str, next_hash: str, types: str, flags: int = 1) -> Held:
    numbers = [DnsType[one] for one in types.split()]
    after = base64.b32hexdecode(next_hash.upper())
    return Held(parse_name(f"{owner}.example"), Nsec3Data(1, flags, 12, SALT, after, pack_types(numbers)))


EXAMPLE = _nsec3(
    "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom",
    "2t7b4g4vsa5smi47k61mv5bv1a22bojr",
    "MX DNSKEY NS SOA NSEC3PARAM RRSIG",
)
NS1 = _nsec3("2t7b4g4vsa5smi47k61mv5bv1a22bojr", "2vptu5timamqttgl4luu9kg21e0aor3s", "A RRSIG")
XW = _nsec3("2vptu5timamqttgl4luu9kg21e0aor3s", "35mthgpgcu1qg68fab165klnsnk3dpvl", "MX RRSIG")
A = _nsec3("35mthgpgcu1qg68fab165klnsnk3dpvl", "b4um86eghhds6nea196smvmlo4ors995", "NS DS RRSIG")
XX = _nsec3("b4um86eghhds6nea196smvmlo4ors995", "gjeqe526plbf1g8mklp59enfd789njgi", "MX RRSIG")
AI = _nsec3("gjeqe526plbf1g8mklp59enfd789njgi", "ji6neoaepv8b5o6k4ev33abha8ht9fgc", "HINFO A AAAA RRSIG")
Y = _nsec3("ji6neoaepv8b5o6k4ev33abha8ht9fgc", "k8udemvp1j2f7eg6jebps17vp3n8i58h", "")
W = _nsec3("k8udemvp1j2f7eg6jebps17vp3n8i58h", "kohar7mbb8dc2ce8a9qvl8hon4k53uhi", "")
NS2 = _nsec3("q04jkcevqvmu85r014c7dkba38o0ji5r", "r53bq7cc2uvmubfu5ocmm6pers9tk9en", "A RRSIG")
WILD = _nsec3("r53bq7cc2uvmubfu5ocmm6pers9tk9en", "t644ebqk9bibcna874givr6joj62mlhv", "MX RRSIG")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("example", "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom"),
        ("a.example", "35mthgpgcu1qg68fab165klnsnk3dpvl"),
        ("ai.example", "gjeqe526plbf1g8mklp59enfd789njgi"),
        ("ns1.example", "2t7b4g4vsa5smi47k61mv5bv1a22bojr"),
        ("*.w.example", "r53bq7cc2uvmubfu5ocmm6pers9tk9en"),
        ("x.y.w.example", "2vptu5timamqttgl4luu9kg21e0aor3s"),
    ],
)
def test_hashes_of_rfc_5155(name: str, expected: str) -> None:
    """RFC 5155 appendix A."""
    assert hash_label(nsec3_hash(parse_name(name), SALT, 12)) == expected.encode()


def _proofs(*records: Held) -> Nsec3Proofs:
    return Nsec3Proofs(records, ZONE)


def test_a_name_error() -> None:
    """RFC 5155 B.1: a.c.x.w.example; x.w.example encloses it, opt-out leaves room for delegations."""
    name = parse_name("a.c.x.w.example")
    assert _proofs(EXAMPLE, XX, A).denies_name(name) is Verdict.OPT_OUT
    assert _proofs(EXAMPLE, XX).denies_name(name) is Verdict.BOGUS
    assert _proofs(XX, A).denies_name(name) is Verdict.BOGUS
    assert _proofs().denies_name(name) is Verdict.BOGUS


def test_no_data() -> None:
    """RFC 5155 B.2: ns1.example MX; B.2.1: an empty non-terminal."""
    assert _proofs(NS1).denies_type(parse_name("ns1.example"), DnsType.MX) is Verdict.SECURE
    assert _proofs(NS1).denies_type(parse_name("NS1.example"), DnsType.A) is Verdict.BOGUS
    assert _proofs(Y).denies_type(parse_name("y.w.example"), DnsType.A) is Verdict.SECURE


def test_an_opt_out_delegation_has_no_ds() -> None:
    """RFC 5155 B.3: mc.c.example below c.example; nothing signed tells of them."""
    proofs = _proofs(EXAMPLE, A)
    assert proofs.no_ds(parse_name("c.example")) is Verdict.OPT_OUT
    closed = [
        Held(one.owner, Nsec3Data(1, 0, 12, SALT, one.data.next_hash, one.data.bitmap))
        for one in (EXAMPLE, A)
        if isinstance(one.data, Nsec3Data)
    ]
    assert Nsec3Proofs(closed, ZONE).no_ds(parse_name("c.example")) is Verdict.BOGUS


def test_a_delegation_with_ds_is_no_insecure_one() -> None:
    assert _proofs(A).no_ds(parse_name("a.example")) is Verdict.BOGUS
    assert _proofs(EXAMPLE).no_ds(parse_name("example")) is Verdict.BOGUS


def test_an_answer_from_a_wildcard() -> None:
    """RFC 5155 B.4: a.z.w.example comes from *.w.example."""
    proofs = _proofs(NS2)
    assert proofs.denies_exact(parse_name("a.z.w.example"), parse_name("w.example")) is Verdict.OPT_OUT
    assert (
        _proofs(EXAMPLE).denies_exact(parse_name("a.z.w.example"), parse_name("w.example")) is Verdict.BOGUS
    )


def test_no_data_at_a_wildcard() -> None:
    """RFC 5155 B.5: a.z.w.example AAAA."""
    proofs = _proofs(W, NS2, WILD)
    assert proofs.denies_type(parse_name("a.z.w.example"), DnsType.AAAA) is Verdict.OPT_OUT
    assert proofs.denies_type(parse_name("a.z.w.example"), DnsType.MX) is Verdict.BOGUS


def test_the_parent_side_of_a_cut_denies_nothing_below() -> None:
    """RFC 6840 4.1."""
    label, data = matching_record(nsec3_hash(parse_name("sub.example"), b"", 0), [DnsType.NS], b"", 0)
    over, covering = covering_record(nsec3_hash(parse_name("www.sub.example"), b"", 0), b"", 0)
    wild, also = covering_record(nsec3_hash(parse_name("*.sub.example"), b"", 0), b"", 0)
    held = [Held((one, *ZONE), value) for one, value in ((label, data), (over, covering), (wild, also))]
    proofs = Nsec3Proofs(held, ZONE)
    assert proofs.denies_name(parse_name("www.sub.example")) is Verdict.BOGUS
    assert proofs.denies_type(parse_name("sub.example"), DnsType.A) is Verdict.BOGUS
    assert proofs.denies_type(parse_name("sub.example"), DnsType.DS) is Verdict.SECURE
    assert proofs.no_ds(parse_name("sub.example")) is Verdict.SECURE


def test_records_of_a_costly_zone_count_as_none() -> None:
    """RFC 9276 3.2."""
    data = Nsec3Data(1, 0, 2500, b"", bytes(20), b"")
    proofs = Nsec3Proofs([Held((hash_label(bytes(20)), *ZONE), data)], ZONE)
    assert proofs.denies_name(parse_name("a.example")) is Verdict.INSECURE


def test_records_that_are_not_understood_are_left_out() -> None:
    """RFC 5155 8.1, 8.2: unknown hashes and flags, other zones, other parameters, damaged owners."""
    good = matching_record(nsec3_hash(parse_name("a.example"), b"", 0), [DnsType.A], b"", 0)
    odd = [
        Held((good[0], *ZONE), Nsec3Data(2, 0, 0, b"", bytes(20), b"")),
        Held((good[0], *ZONE), Nsec3Data(1, 2, 0, b"", bytes(20), b"")),
        Held((good[0], b"other"), good[1]),
        Held((b"short", *ZONE), good[1]),
        Held((good[0], *ZONE), Nsec3Data(1, 0, 0, b"", b"x", b"")),
    ]
    for one in odd:
        assert Nsec3Proofs([one], ZONE).denies_type(parse_name("a.example"), DnsType.MX) is Verdict.BOGUS
    assert _both(good, EXAMPLE).denies_type(parse_name("example"), DnsType.A) is Verdict.BOGUS


def _both(first: tuple[bytes, Nsec3Data], then: Held) -> Nsec3Proofs:
    return Nsec3Proofs([Held((first[0], *ZONE), first[1]), then], ZONE)


def test_minimal_records_deny_one_name_each() -> None:
    """RFC 7129 B: nothing is told of other names; at the ends of the circle as well."""
    for hashed in (bytes(20), b"\xff" * 20, nsec3_hash(parse_name("nx.example"), b"", 0)):
        label, data = covering_record(hashed, b"", 0)
        assert data.next_hash != hashed and label != hash_label(hashed)
        before = int.from_bytes(hashed, "big")
        after = int.from_bytes(data.next_hash, "big")
        assert (after - before) % (1 << 160) == 1


# --- NSEC --------------------------------------------------------------------------------------------------


def _nsec(owner: str, after: str, types: str) -> Held:
    return Held(parse_name(owner), NsecData(after, pack_types(DnsType[one] for one in types.split())))


NSEC_B = _nsec("b.example", "ns1.example", "NS RRSIG NSEC")
NSEC_APEX = _nsec("example", "a.example", "NS SOA MX RRSIG NSEC DNSKEY")
NSEC_LAST = _nsec("xx.example", "example", "A HINFO AAAA RRSIG NSEC")
NSEC_NS1 = _nsec("ns1.example", "ns2.example", "A RRSIG NSEC")
NSEC_WILD = _nsec("*.w.example", "x.w.example", "MX RRSIG NSEC")
NSEC_XY = _nsec("x.y.w.example", "xx.example", "MX RRSIG NSEC")


def _plain(*records: Held) -> NsecProofs:
    return NsecProofs(records, ZONE)


@pytest.mark.parametrize(
    ("records", "name", "verdict"),
    [
        ((NSEC_B, NSEC_APEX), "ml.example", Verdict.SECURE),
        ((NSEC_B,), "ml.example", Verdict.BOGUS),
        ((NSEC_APEX,), "ml.example", Verdict.BOGUS),
        ((NSEC_B, NSEC_APEX), "x.b.example", Verdict.BOGUS),
        ((NSEC_LAST, NSEC_APEX), "zz.example", Verdict.SECURE),
        ((NSEC_LAST, NSEC_APEX), "zz.other", Verdict.BOGUS),
        ((NSEC_WILD, NSEC_XY), "ns1.example", Verdict.BOGUS),
    ],
)
def test_names_denied_by_nsec(records: Iterable[Held], name: str, verdict: Verdict) -> None:
    """RFC 4035 5.4, B.2; RFC 6840 4.1."""
    assert _plain(*records).denies_name(parse_name(name)) is verdict


def test_types_denied_by_nsec() -> None:
    """RFC 4035 B.3, B.7; RFC 6840 4.3."""
    assert _plain(NSEC_NS1).denies_type(parse_name("ns1.example"), DnsType.MX) is Verdict.SECURE
    assert _plain(NSEC_NS1).denies_type(parse_name("ns1.example"), DnsType.A) is Verdict.BOGUS
    assert _plain(NSEC_XY, NSEC_WILD).denies_type(parse_name("a.z.w.example"), DnsType.AAAA) is Verdict.SECURE
    assert _plain(NSEC_XY, NSEC_WILD).denies_type(parse_name("a.z.w.example"), DnsType.MX) is Verdict.BOGUS
    alias = _nsec("ns1.example", "ns2.example", "CNAME RRSIG NSEC")
    assert _plain(alias).denies_type(parse_name("ns1.example"), DnsType.A) is Verdict.BOGUS
    empty = _nsec("ns2.example", "*.w.example", "A RRSIG NSEC")
    assert _plain(empty).denies_type(parse_name("w.example"), DnsType.A) is Verdict.SECURE
    assert _plain(empty).denies_name(parse_name("w.example")) is Verdict.BOGUS


def test_an_insecure_delegation_by_nsec() -> None:
    """RFC 4035 B.5."""
    assert _plain(NSEC_B).no_ds(parse_name("b.example")) is Verdict.SECURE
    assert _plain(NSEC_APEX).no_ds(parse_name("example")) is Verdict.BOGUS
    assert _plain(NSEC_NS1).no_ds(parse_name("ns1.example")) is Verdict.BOGUS


def test_an_answer_from_a_wildcard_by_nsec() -> None:
    """RFC 4035 B.6."""
    assert (
        _plain(NSEC_XY).denies_exact(parse_name("a.z.w.example"), parse_name("w.example")) is Verdict.SECURE
    )
    assert (
        _plain(NSEC_NS1).denies_exact(parse_name("a.z.w.example"), parse_name("w.example")) is Verdict.BOGUS
    )
