"""Rules of answering, each over a zone that a test writes down."""

from collections.abc import Sequence

from addc.codec.dns_data import DsData
from addc.codec.dns_message import Question
from addc.codec.dns_names import Name, name_text, parse_name
from addc.codec.dns_rdata import AData, DnsRecord, DnsType, MxData, NameData, SoaData
from addc.codes.rcode import Rcode
from addc.dns.answer import CHAIN_MAX, QTYPE_ANY, Answer, Zone, answer, folded, labels
from tests.unit.dns.records import record
from tests.unit.dns.test_answer import FakeZone, FakeZones

SOA = record(DnsType.SOA, SoaData("dc1.x.test", "hostmaster.x.test", 5, 900, 600, 86400, 60), ttl_s=30)
A1 = record(DnsType.A, AData(bytes((10, 0, 0, 1))))
A2 = record(DnsType.A, AData(bytes((10, 0, 0, 2))), ttl_s=60)


def cname(target: str) -> DnsRecord:
    return record(DnsType.CNAME, NameData(target))


def ns(target: str) -> DnsRecord:
    return record(DnsType.NS, NameData(target))


def dname(target: str) -> DnsRecord:
    return record(DnsType.DNAME, NameData(target))


def ask(zones: FakeZones, name: str, qtype: int = DnsType.A) -> Answer:
    found = answer(Question(parse_name(name), qtype), zones)
    assert found is not None
    return found


def owners(reply: Answer) -> list[tuple[str, int]]:
    return [(name_text(one.owner), one.type) for one in reply.answers]


# --- DNAME, RFC 6672 ---


RENAMED = FakeZones(
    FakeZone(
        "x.test",
        {
            "x.test": [SOA],
            "old.x.test": [dname("new.x.test"), A1],
            "host.old.x.test": [A2],
            "host.new.x.test": [A1],
            "away.x.test": [dname("other.test")],
            "ring.x.test": [dname("ring.x.test")],
            "long.x.test": [dname(".".join(["a" * 60] * 4))],
        },
    )
)


def test_a_name_below_a_dname_is_renamed_with_a_cname_that_says_so() -> None:
    """RFC 6672 3.1: and what stands below it is hidden."""
    found = ask(RENAMED, "Host.OLD.x.test")
    assert owners(found) == [("OLD.x.test", 39), ("Host.OLD.x.test", 5), ("Host.new.x.test", 1)]
    assert found.answers[1].ttl_s == found.answers[0].ttl_s and found.answers[2].data == A1.data


def test_the_owner_of_a_dname_itself_is_not_renamed() -> None:
    """RFC 6672 2.3."""
    assert owners(ask(RENAMED, "old.x.test")) == [("old.x.test", 1)]
    assert owners(ask(RENAMED, "old.x.test", DnsType.DNAME)) == [("old.x.test", 39)]


def test_a_name_that_would_be_too_long_is_yxdomain() -> None:
    """RFC 6672 2.2."""
    found = ask(RENAMED, f"{'b' * 30}.long.x.test")
    assert found.rcode == Rcode.YXDOMAIN and owners(found) == [("long.x.test", 39)]


def test_a_dname_out_of_our_zones_ends_there() -> None:
    found = ask(RENAMED, "www.away.x.test")
    assert found.rcode == Rcode.NOERROR and found.outside == parse_name("www.other.test")


def test_a_dname_to_itself_ends() -> None:
    assert len(ask(RENAMED, "a.ring.x.test").answers) <= 2 * CHAIN_MAX


# --- wildcards, RFC 4592 ---


WILD = FakeZones(
    FakeZone(
        "example",
        {
            "example": [SOA],
            "*.example": [record(DnsType.TXT, A1.data), record(DnsType.MX, MxData(10, "host1.example"))],
            "sub.*.example": [A1],
            "host1.example": [A1],
            "_ssh._tcp.host1.example": [A1],
            "subdel.example": [ns("ns.example.com")],
            "*.alias.example": [cname("host1.example")],
        },
    )
)


def test_the_examples_of_rfc_4592_2_2_1() -> None:
    assert owners(ask(WILD, "host3.example", DnsType.MX)) == [("host3.example", 15)]
    nothing = ask(WILD, "host3.example", DnsType.A)
    assert nothing.rcode == Rcode.NOERROR and not nothing.answers and nothing.authority
    assert owners(ask(WILD, "foo.bar.example", DnsType.TXT)) == [("foo.bar.example", 16)]
    assert not ask(WILD, "host1.example", DnsType.MX).answers
    assert not ask(WILD, "sub.*.example", DnsType.MX).answers
    assert ask(WILD, "_telnet._tcp.host1.example", DnsType.MX).rcode == Rcode.NXDOMAIN
    referral = ask(WILD, "host.subdel.example")
    assert referral.is_referral()
    assert ask(WILD, "ghost.*.example", DnsType.MX).rcode == Rcode.NXDOMAIN


def test_a_wildcard_may_be_an_alias() -> None:
    assert owners(ask(WILD, "any.alias.example")) == [("any.alias.example", 5), ("host1.example", 1)]


# --- delegations ---


CUT = FakeZones(
    FakeZone(
        "x.test",
        {
            "x.test": [SOA, ns("dc1.x.test")],
            "dc1.x.test": [A1],
            "sub.x.test": [
                ns("ns.sub.x.test"), ns("dc1.x.test"), ns("ns.away.test"),
                record(DnsType.DS, DsData(1, 13, 2, b"\0" * 32)),
            ],
            "ns.sub.x.test": [A2],
            "deep.er.sub.x.test": [A1],
            "to.x.test": [cname("host.sub.x.test")],
            "_msdcs.x.test": [ns("dc1.x.test")],
        },
    ),
    FakeZone("_msdcs.x.test", {"_msdcs.x.test": [SOA], "gc._msdcs.x.test": [A1]}),
)  # fmt: skip


def test_a_referral_has_the_glue_it_needs_first() -> None:
    """RFC 9471 2.1; addresses of servers elsewhere in our zones come after."""
    found = ask(CUT, "deep.er.sub.x.test")
    assert found.is_referral() and len(found.authority) == 3
    assert [name_text(one.owner) for one in found.additional] == ["ns.sub.x.test", "dc1.x.test"]
    assert found.glue == 1


def test_the_delegated_name_itself_is_referred_but_for_its_ds() -> None:
    """RFC 4035 3.1.4.1."""
    assert ask(CUT, "sub.x.test").is_referral() and ask(CUT, "sub.x.test", DnsType.NS).is_referral()
    assert owners(ask(CUT, "sub.x.test", DnsType.DS)) == [("sub.x.test", 43)]
    assert ask(CUT, "ns.sub.x.test", DnsType.DS).is_referral()


def test_the_ds_of_a_zone_of_ours_is_its_parents() -> None:
    found = ask(CUT, "_msdcs.x.test", DnsType.DS)
    assert found.authoritative and not found.answers
    assert [name_text(one.owner) for one in found.authority] == ["x.test"]


def test_an_alias_into_a_delegated_part_keeps_its_authority() -> None:
    found = ask(CUT, "to.x.test")
    assert found.authoritative and owners(found) == [("to.x.test", 5)] and found.authority


# --- aliases and negative answers ---


def test_the_code_of_a_chain_is_that_of_its_last_name() -> None:
    """RFC 6604 3."""
    zones = FakeZones(FakeZone("x.test", {"x.test": [SOA], "a.x.test": [cname("none.x.test")]}))
    found = ask(zones, "a.x.test")
    assert found.rcode == Rcode.NXDOMAIN and found.authoritative and len(found.answers) == 1


def test_chains_are_bounded() -> None:
    nodes = {f"c{n}.x.test": [cname(f"c{n + 1}.x.test")] for n in range(100)}
    zones = FakeZones(FakeZone("x.test", {"x.test": [SOA], **nodes}))
    assert len(ask(zones, "c0.x.test").answers) == CHAIN_MAX


def test_the_ttl_of_a_negative_answer_is_the_lesser_one() -> None:
    """RFC 2308 3."""
    zones = FakeZones(FakeZone("x.test", {"x.test": [SOA]}))
    assert ask(zones, "none.x.test").authority[0].ttl_s == 30


def test_records_of_one_set_have_one_ttl() -> None:
    """RFC 2181 5.2."""
    zones = FakeZones(FakeZone("x.test", {"x.test": [SOA], "h.x.test": [A1, A2]}))
    assert [one.ttl_s for one in ask(zones, "h.x.test").answers] == [60, 60]


def test_nothing_is_below_a_name_that_is_not_there() -> None:
    """RFC 8020 2: the zone is not even asked for more."""
    asked: list[Name] = []

    class Watched(FakeZone):
        def node(self, name: Name) -> Sequence[DnsRecord] | None:
            asked.append(name)
            return super().node(name)

    zone: Zone = Watched("x.test", {"x.test": [SOA]})
    found = answer(Question(parse_name("a.b.c.x.test"), DnsType.A), FakeZones(zone))  # type: ignore[arg-type]
    assert found is not None and found.rcode == Rcode.NXDOMAIN
    assert labels("b.c.x.test") not in asked


def test_any_shows_all_of_a_name_and_no_chain() -> None:
    zones = FakeZones(
        FakeZone("x.test", {"x.test": [SOA], "a.x.test": [cname("b.x.test")], "b.x.test": [A1]})
    )
    assert owners(ask(zones, "a.x.test", QTYPE_ANY)) == [("a.x.test", 5)]


def test_names_beyond_ascii_are_found_whatever_their_case() -> None:
    zones = FakeZones(FakeZone("x.test", {"x.test": [SOA], "dr\u00fccker.x.test": [A1]}))
    assert ask(zones, "DR\u00dcCKER.x.test").answers
    assert folded(("DR\u00dc".encode(), b"\xff\xfeA")) == ("dr\u00fc".encode(), b"\xff\xfea")


def test_a_zone_of_the_root_covers_everything() -> None:
    zones = FakeZones(FakeZone(".", {".": [SOA], "com": [ns("ns.com")]}))
    assert ask(zones, "org").rcode == Rcode.NXDOMAIN and ask(zones, "a.com").is_referral()
