"""The answer to a question over zones that a test writes down."""

from collections.abc import Mapping, Sequence

from addc.codec.dns_message import Question
from addc.codec.dns_names import Name
from addc.codec.dns_rdata import AData, DnsRecord, DnsType, NameData, SoaData, SrvData
from addc.codes.rcode import Rcode
from addc.dns.answer import CLASS_IN, QTYPE_ANY, Answer, answer, labels
from tests.unit.dns.records import record

SOA = record(DnsType.SOA, SoaData("dc1.x.test", "hostmaster.x.test", 5, 900, 600, 86400, 60), ttl_s=3600)
NS = record(DnsType.NS, NameData("dc1.x.test"))
A1 = record(DnsType.A, AData(bytes((10, 0, 0, 1))))
A2 = record(DnsType.A, AData(bytes((10, 0, 0, 2))))


class FakeZone:
    signing = None

    def __init__(self, apex: str, nodes: Mapping[str, Sequence[DnsRecord]]) -> None:
        self.apex = labels(apex)
        self._nodes = {labels(name): list(records) for name, records in nodes.items()}

    def node(self, name: Name) -> Sequence[DnsRecord] | None:
        if name in self._nodes:
            return self._nodes[name]
        return () if any(known[-len(name) :] == name for known in self._nodes) else None


class FakeZones:
    def __init__(self, *zones: FakeZone) -> None:
        self._zones = sorted(zones, key=lambda zone: -len(zone.apex))

    def covering(self, name: Name) -> FakeZone | None:
        return next((z for z in self._zones if name[len(name) - len(z.apex) :] == z.apex), None)


ZONES = FakeZones(
    FakeZone(
        "x.test",
        {
            "x.test": [SOA, NS, A1],
            "dc1.x.test": [A1, A2],
            "_ldap._tcp.x.test": [record(DnsType.SRV, SrvData(0, 100, 389, "dc1.x.test"))],
            "www.x.test": [record(DnsType.CNAME, NameData("dc1.x.test"))],
            "away.x.test": [record(DnsType.CNAME, NameData("host.other.test"))],
            "loop.x.test": [record(DnsType.CNAME, NameData("loop.x.test"))],
            "ping.x.test": [record(DnsType.CNAME, NameData("pong.x.test"))],
            "pong.x.test": [record(DnsType.CNAME, NameData("ping.x.test"))],
            "*.wild.x.test": [A2],
            "known.wild.x.test": [A1],
            "sub.x.test": [record(DnsType.NS, NameData("ns.sub.x.test"))],
            "ns.sub.x.test": [A2],
        },
    ),
    FakeZone("_msdcs.x.test", {"_msdcs.x.test": [SOA, NS], "gc._msdcs.x.test": [A1]}),
)


def ask(name: str, qtype: int, qclass: int = CLASS_IN) -> Answer:
    found = answer(Question(labels(name), qtype, qclass), ZONES)
    assert found is not None
    return found


def test_a_name_of_the_zone() -> None:
    found = ask("DC1.x.test", DnsType.A)
    assert found.authoritative and found.rcode == Rcode.NOERROR
    assert [r.data for r in found.answers] == [A1.data, A2.data]


def test_srv_brings_the_addresses_of_its_target() -> None:
    found = ask("_ldap._tcp.x.test", DnsType.SRV)
    assert [r.owner for r in found.additional] == [labels("dc1.x.test")] * 2


def test_no_such_name_and_no_such_type_are_told_apart() -> None:
    missing = ask("nobody.x.test", DnsType.A)
    assert missing.rcode == Rcode.NXDOMAIN
    assert [(r.owner, r.ttl_s) for r in missing.authority] == [(labels("x.test"), 60)]
    other_type = ask("dc1.x.test", DnsType.AAAA)
    assert other_type.rcode == Rcode.NOERROR and not other_type.answers
    assert other_type.authority[0].data is SOA.data
    interior = ask("_tcp.x.test", DnsType.A)
    assert interior.rcode == Rcode.NOERROR and not interior.answers


def test_aliases_are_followed_inside_our_zones_and_not_in_circles() -> None:
    assert [r.type for r in ask("www.x.test", DnsType.A).answers] == [
        DnsType.CNAME,
        DnsType.A,
        DnsType.A,
    ]
    assert [r.type for r in ask("www.x.test", DnsType.CNAME).answers] == [DnsType.CNAME]
    assert len(ask("away.x.test", DnsType.A).answers) == 1
    assert len(ask("loop.x.test", DnsType.A).answers) == 1
    assert len(ask("ping.x.test", DnsType.A).answers) == 2


def test_wildcards_do_not_hide_names_that_exist() -> None:
    made = ask("anything.wild.x.test", DnsType.A)
    assert [(r.owner, r.data) for r in made.answers] == [(labels("anything.wild.x.test"), A2.data)]
    assert [r.data for r in ask("known.wild.x.test", DnsType.A).answers] == [A1.data]
    assert ask("below.known.wild.x.test", DnsType.A).rcode == Rcode.NXDOMAIN


def test_a_delegated_name_is_referred_and_not_answered() -> None:
    found = ask("host.sub.x.test", DnsType.A)
    assert not found.authoritative and not found.answers
    assert [r.type for r in found.authority] == [DnsType.NS]
    assert [r.owner for r in found.additional] == [labels("ns.sub.x.test")]


def test_the_deepest_zone_answers() -> None:
    assert [r.data for r in ask("gc._msdcs.x.test", DnsType.A).answers] == [A1.data]
    assert ask("nothing._msdcs.x.test", DnsType.A).authority[0].owner == labels("_msdcs.x.test")


def test_any_and_foreign_classes() -> None:
    assert len(ask("x.test", QTYPE_ANY).answers) == 3
    assert ask("x.test", DnsType.A, 4).rcode == Rcode.NOTIMP


def test_a_name_outside_is_nobodys() -> None:
    assert answer(Question(labels("example.org"), DnsType.A, CLASS_IN), ZONES) is None
