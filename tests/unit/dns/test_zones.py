"""Zones as the directory keeps them: nodes, tombstones, names that only lie between, and their changes."""

from collections.abc import Sequence

import pytest

from addc.codec.dns_names import Name
from addc.codec.dns_rdata import AData, DnsRecord, DnsType, NameData
from addc.directory.context import ReadContext
from addc.directory.controls import PLAIN
from addc.directory.delete import delete_object
from addc.dns.answer import labels
from addc.dns.zone_memory import ZoneMemory
from addc.dns.zones import DirectoryZones
from tests.kit.corp import Corp, replace_values
from tests.kit.corp_forest import DOMAIN_DN
from tests.unit.dns.records import record

ZONE = f"DC=corp.example.com,CN=MicrosoftDNS,DC=DomainDnsZones,{DOMAIN_DN}"
ADDRESS = record(DnsType.A, AData(bytes((192, 0, 2, 50))))


class View:
    """Looks into the zones, with what is remembered kept from one look to the next."""

    def __init__(self, corp: Corp) -> None:
        self._corp = corp
        self._memory = ZoneMemory()

    def apex(self, name: str) -> Name | None:
        def work(ctx: ReadContext) -> Name | None:
            self._memory.follow(ctx)
            zone = DirectoryZones(ctx, self._memory).covering(labels(name))
            return None if zone is None else zone.apex

        return self._corp.read(work)

    def node(self, name: str | Name) -> Sequence[DnsRecord] | None:
        wanted = labels(name) if isinstance(name, str) else name

        def work(ctx: ReadContext) -> Sequence[DnsRecord] | None:
            self._memory.follow(ctx)
            zone = DirectoryZones(ctx, self._memory).covering(wanted)
            assert zone is not None
            return zone.node(wanted)

        return self._corp.read(work)


@pytest.fixture
def view(corp: Corp) -> View:
    return View(corp)


def add_node(corp: Corp, name: str, *records: DnsRecord, zone: str = ZONE) -> None:
    corp.add(f"DC={name},{zone}", "dnsNode", dnsRecord=[one.pack() for one in records])


def test_the_longest_apex_covers_a_name(view: View) -> None:
    assert view.apex("dc1.corp.example.com") == labels("corp.example.com")
    assert view.apex("CORP.Example.COM") == labels("corp.example.com")
    assert view.apex("dc._msdcs.corp.example.com") == labels("_msdcs.corp.example.com")
    assert (
        view.apex("example.com") is None and view.apex("corp.example.org") is None and view.apex("") is None
    )


def test_hidden_zones_are_none(view: View) -> None:
    assert view.apex("RootDNSServers") is None
    assert view.apex("x.RootDNSServers") is None


def test_apex_and_nodes(view: View) -> None:
    apex = view.node("corp.example.com")
    assert apex is not None
    assert {one.type for one in apex} >= {DnsType.SOA, DnsType.NS, DnsType.A, DnsType.AAAA}
    host = view.node("DC1.corp.example.com")
    assert host is not None and {one.type for one in host} == {DnsType.A, DnsType.AAAA}
    assert view.node("none.corp.example.com") is None


def test_names_between_exist_and_are_empty(view: View) -> None:
    for name in ("_tcp", "_sites", "_tcp.Default-First-Site-Name._sites"):
        assert view.node(f"{name}.corp.example.com") == ()
    assert view.node("dc._msdcs.corp.example.com") == ()
    assert view.node("cp.corp.example.com") is None, "a part of a label is no name"


def test_names_between_follow_changes(corp: Corp, view: View) -> None:
    assert view.node("deep.corp.example.com") is None
    add_node(corp, "host.very.deep", ADDRESS)
    assert view.node("host.very.deep.corp.example.com") == (ADDRESS,)
    assert view.node("deep.corp.example.com") == () == view.node("very.deep.corp.example.com")
    corp.modify(
        f"DC=host.very.deep,{ZONE}", replace_values("dNSTombstoned", "TRUE"), replace_values("dnsRecord")
    )
    for name in ("host.very.deep", "very.deep", "deep"):
        assert view.node(f"{name}.corp.example.com") is None
    corp.modify(
        f"DC=host.very.deep,{ZONE}",
        replace_values("dNSTombstoned", "FALSE"),
        replace_values("dnsRecord", ADDRESS.pack()),
    )
    assert view.node("deep.corp.example.com") == ()


def test_a_deleted_node_takes_the_names_above_it_along(corp: Corp, view: View) -> None:
    add_node(corp, "a.b", ADDRESS)
    assert view.node("b.corp.example.com") == ()
    corp.write(lambda ctx: delete_object(ctx, f"DC=a.b,{ZONE}", PLAIN), corp.admin)
    assert view.node("b.corp.example.com") is None


def test_a_record_that_cannot_be_read_hides_no_other(corp: Corp, view: View) -> None:
    corp.add(f"DC=mixed,{ZONE}", "dnsNode", dnsRecord=[b"rubbish", ADDRESS.pack()])
    assert view.node("mixed.corp.example.com") == (ADDRESS,)


def test_a_live_node_without_records_is_empty(corp: Corp, view: View) -> None:
    corp.add(f"DC=bare,{ZONE}", "dnsNode")
    assert view.node("bare.corp.example.com") == ()


def test_labels_that_no_node_can_have(corp: Corp, view: View) -> None:
    add_node(corp, "dotted.label", ADDRESS)
    apex = labels("corp.example.com")
    assert view.node((b"dotted.label", *apex)) is None, "one label is not two"
    assert view.node((b"\xff\xfe", *apex)) is None
    assert view.node((b"\x00", *apex)) is None


def test_names_beyond_ascii(corp: Corp, view: View) -> None:
    add_node(corp, "drucker-süd", ADDRESS)
    assert view.node("drucker-süd.corp.example.com") == (ADDRESS,)


def test_a_new_zone_is_there_at_once(corp: Corp, view: View) -> None:
    assert view.apex("host.other.test") is None
    other = f"DC=other.test,CN=MicrosoftDNS,DC=DomainDnsZones,{DOMAIN_DN}"
    corp.add(other, "dnsZone")
    add_node(corp, "alias", record(DnsType.CNAME, NameData("dc1.corp.example.com")), zone=other)
    found = view.node("alias.other.test")
    assert found is not None and [one.type for one in found] == [DnsType.CNAME]
