"""Changes of a zone's records: nodes, serials, tombstones, and whose right it takes."""

import pytest

from addc.base.errors import DsError
from addc.codec.dns_rdata import AData, DnsRecord, DnsType, SoaData
from addc.codes.win32 import Win32
from addc.directory import dns_records, dns_zones, names
from addc.directory.context import ReadContext, WriteContext
from addc.directory.dns_zones import ZoneFacts
from addc.schema import attr
from addc.security.token import SYSTEM, Token
from tests.kit.corp import Corp, add_values
from tests.kit.corp_forest import DOMAIN_DN

ZONE = "corp.example.com"
ZONE_DN = f"DC={ZONE},CN=MicrosoftDNS,DC=DomainDnsZones,{DOMAIN_DN}"
HERE = DnsRecord(DnsType.A, AData(bytes((192, 0, 2, 1))), ttl_s=1200)
THERE = DnsRecord(DnsType.A, AData(bytes((192, 0, 2, 2))), ttl_s=1200)


def zone_of(ctx: ReadContext) -> ZoneFacts:
    found = dns_zones.zone_named(ctx, ZONE)
    assert found is not None
    return found


def write(corp: Corp, requester: Token = SYSTEM, **wanted: tuple[DnsRecord, ...]) -> int:
    def work(ctx: WriteContext) -> int:
        names_of = {name.replace("apex", "@"): records for name, records in wanted.items()}
        return dns_records.write_nodes(ctx, zone_of(ctx), names_of)

    return corp.write(work, requester)


def held(corp: Corp, name: str) -> tuple[DnsRecord, ...]:
    return corp.read(lambda ctx: dns_records.records_at(ctx, zone_of(ctx), name))


def serial(corp: Corp) -> int:
    return corp.read(lambda ctx: dns_records.serial_of(ctx, zone_of(ctx)))


def test_a_change_is_one_raise_of_the_serial_that_new_records_bear(corp: Corp) -> None:
    """[MS-DNSP] 2.3.2.2, RFC 1982: several names at once are one change."""
    before = serial(corp)
    assert write(corp, one=(HERE,), two=(THERE,)) == before + 1 == serial(corp)
    assert [record.serial for record in held(corp, "one")] == [before + 1]
    assert write(corp, one=(HERE, THERE)) == before + 2
    assert {record.serial for record in held(corp, "one")} == {before + 1, before + 2}


def test_what_is_there_already_changes_nothing(corp: Corp) -> None:
    after = write(corp, one=(HERE,))
    version = corp.version(f"DC=one,{ZONE_DN}", attr.DNS_RECORD)
    assert write(corp, one=held(corp, "one")) == after == serial(corp)
    assert corp.version(f"DC=one,{ZONE_DN}", attr.DNS_RECORD) == version


def test_a_refreshed_time_stamp_raises_no_serial(corp: Corp) -> None:
    """[MS-DNSP] 3.1.1.1: ageing is no change that resolvers see."""
    after = write(corp, one=(HERE,))
    (now,) = held(corp, "one")
    fresh = DnsRecord(now.type, now.data, now.ttl_s, now.serial, timestamp_h=3_700_000)
    assert write(corp, one=(fresh,)) == after == serial(corp)
    assert held(corp, "one") == (fresh,)


def test_a_name_without_records_is_a_tombstone_that_wakes_up(corp: Corp) -> None:
    """[MS-DNSP] 2.2.2.2.4.23, dNSTombstoned."""
    write(corp, one=(HERE,))
    after = write(corp, one=())
    node = corp.read(lambda ctx: dns_records.read_node(ctx, zone_of(ctx), "one"))
    assert node is not None and node.tombstoned and node.records == ()
    values = corp.values(f"DC=one,{ZONE_DN}", "dnsRecord")
    assert [DnsRecord.unpack(value).type for value in values] == [DnsType.ZERO]
    assert write(corp, one=()) == after
    write(corp, one=(THERE,))
    assert corp.text(f"DC=one,{ZONE_DN}", "dNSTombstoned") == "FALSE"
    assert [record.data for record in held(corp, "one")] == [THERE.data]


def test_the_zone_itself_never_ends_with_its_records(corp: Corp) -> None:
    with pytest.raises(DsError) as refused:
        write(corp, apex=())
    assert refused.value.code == Win32.DNS_ERROR_SOA_DELETE_INVALID


def test_a_soa_with_a_later_serial_is_obeyed_an_earlier_is_not(corp: Corp) -> None:
    """RFC 2136 3.4.2.2, RFC 1982."""
    before = held(corp, "@")
    soa = next(one for one in before if isinstance(one.data, SoaData))
    others = tuple(one for one in before if one is not soa)

    def asked(number: int) -> DnsRecord:
        assert isinstance(soa.data, SoaData)
        times = (soa.data.refresh, soa.data.retry, soa.data.expire)
        return DnsRecord(DnsType.SOA, SoaData(soa.data.mname, "new.example.com", number, *times, 77))

    assert write(corp, apex=(*others, asked(5000))) == 5000 == serial(corp)
    assert write(corp, apex=(*others, asked(12))) == 5001 == serial(corp)


def test_values_that_cannot_be_read_stay(corp: Corp) -> None:
    write(corp, one=(HERE,))
    corp.modify(f"DC=one,{ZONE_DN}", add_values("dnsRecord", b"another's"), requester=SYSTEM)
    write(corp, one=(THERE,))
    assert b"another's" in corp.values(f"DC=one,{ZONE_DN}", "dnsRecord")


def test_who_writes_first_owns_the_name_and_others_are_refused(corp: Corp) -> None:
    """[MS-ADTS] 5.1.3: authenticated users create nodes; only a node's owner changes it."""
    corp.user("ann", "Passw0rd.1")
    corp.user("bob", "Passw0rd.1")
    after = write(corp, corp.token("ann"), one=(HERE,))
    assert serial(corp) == after
    with pytest.raises(DsError) as refused:
        write(corp, corp.token("bob"), one=(THERE,), two=(HERE,))
    assert refused.value.code == Win32.ERROR_DS_INSUFF_ACCESS_RIGHTS
    assert held(corp, "two") == () and serial(corp) == after
    write(corp, corp.token("ann"), one=(THERE,))
    assert [record.data for record in held(corp, "one")] == [THERE.data]


def test_names_are_found_by_labels(corp: Corp) -> None:
    zone = corp.read(zone_of)
    assert zone.relative((b"DC1", *zone.apex)) == "DC1" and zone.relative(zone.apex) == "@"
    assert zone.relative((b"a", b"b", b"CORP", b"example", b"com")) == "a.b"
    assert zone.relative((b"example", b"org")) is None and zone.relative((b"a.b", *zone.apex)) is None
    assert zone.relative((b"\xff", *zone.apex)) is None
    assert corp.read(lambda ctx: names.resolve(ctx, zone.dn(ctx)).dnt) == zone.row.dnt
