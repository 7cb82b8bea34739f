"""Rules on the records of one name."""

from addc.codec.dns_rdata import (
    RANK_GLUE,
    RANK_NS_GLUE,
    RANK_ZONE,
    AData,
    DnsRecord,
    DnsType,
    NameData,
    SoaData,
    SrvData,
    TxtData,
    tombstone,
)
from addc.directory import dns_node
from tests.kit.corp_forest import NOW

HERE = DnsRecord(DnsType.A, AData(bytes((192, 0, 2, 1))))
THERE = DnsRecord(DnsType.A, AData(bytes((192, 0, 2, 2))))
ALIAS = DnsRecord(DnsType.CNAME, NameData("www.example.com"))


def test_names_in_data_have_no_case_but_texts_have() -> None:
    """RFC 4343: only names fold."""
    assert dns_node.same_data(NameData("WWW.example.com"), NameData("www.EXAMPLE.com"))
    assert dns_node.same_data(SrvData(0, 1, 65, "DC1"), SrvData(0, 1, 65, "dc1"))
    assert not dns_node.same_data(SrvData(0, 1, 97, "dc1"), SrvData(0, 1, 65, "dc1"))
    assert not dns_node.same_data(TxtData((b"A",)), TxtData((b"a",)))
    assert not dns_node.same_data(AData(b"abcd"), NameData("abcd"))


def test_an_alias_is_alone() -> None:
    """RFC 1034 3.6.2, RFC 2181 10.1: but for what DNSSEC keeps beside it."""
    assert dns_node.conflicts((HERE,), DnsType.CNAME) and dns_node.conflicts((ALIAS,), DnsType.A)
    assert not dns_node.conflicts((ALIAS,), DnsType.CNAME) and not dns_node.conflicts((ALIAS,), DnsType.RRSIG)
    assert not dns_node.conflicts((), DnsType.CNAME) and not dns_node.conflicts((HERE,), DnsType.TXT)


def test_what_is_added_takes_the_place_of_its_like() -> None:
    """RFC 2136 3.4.2.2."""
    longer = DnsRecord(DnsType.A, HERE.data, ttl_s=7)
    assert dns_node.added((HERE, THERE), longer) == (THERE, longer)
    other = DnsRecord(DnsType.CNAME, NameData("ftp.example.com"))
    assert dns_node.added((ALIAS,), other) == (other,)
    assert dns_node.removed((HERE, THERE), DnsType.A, HERE.data) == (THERE,)
    assert dns_node.removed((HERE, THERE), DnsType.A) == ()
    assert dns_node.removed((HERE,), DnsType.AAAA) == (HERE,)


def test_serials_go_in_a_circle() -> None:
    """RFC 1982 3."""
    assert dns_node.serial_after(1) == 2 and dns_node.serial_after(0xFFFF_FFFF) == 1
    assert dns_node.is_later(2, 1) and not dns_node.is_later(1, 2) and not dns_node.is_later(1, 1)
    assert dns_node.is_later(5, 0xFFFF_FFF0) and not dns_node.is_later(0xFFFF_FFF0, 5)


def test_a_serial_is_told_in_both_places() -> None:
    """[MS-DNSP] 2.3.2.2: Serial of the record, and in the data of a SOA."""
    soa = DnsRecord(DnsType.SOA, SoaData("a", "b", 1, 2, 3, 4, 5))
    assert dns_node.soa_of((HERE, soa)) is soa and dns_node.soa_of((HERE,)) is None
    raised = dns_node.with_serial(soa, 9)
    assert raised.serial == 9 and raised.data == SoaData("a", "b", 9, 2, 3, 4, 5)


def test_ranks_tell_glue_from_the_zone_s_own() -> None:
    """[MS-DNSP] 2.2.2.2.5."""
    assert dns_node.rank_of("@", DnsType.NS, below_cut=False) == RANK_ZONE
    assert dns_node.rank_of("sub", DnsType.NS, below_cut=False) == RANK_NS_GLUE
    assert dns_node.rank_of("ns.sub", DnsType.A, below_cut=True) == RANK_GLUE
    assert dns_node.rank_of("ns.sub", DnsType.TXT, below_cut=True) == RANK_ZONE
    assert dns_node.above("a.b.c") == ["a.b.c", "b.c", "c"] and dns_node.above("@") == []


def test_values_that_are_no_records_hide_no_other() -> None:
    """[MS-DNSP] 2.3.2.2; a tombstone's record is none."""
    assert dns_node.unpacked((b"junk", HERE.pack(), tombstone(NOW, 3).pack())) == (HERE,)
    assert dns_node.is_readable(HERE.pack()) and not dns_node.is_readable(b"junk")
