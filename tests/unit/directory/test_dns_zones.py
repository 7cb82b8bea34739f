"""Zones that the directory holds: found, made, changed and ended by the rights that their places give."""

import pytest

from addc.base.clock import FileTime
from addc.base.errors import DsError
from addc.codec.dns_names import parse_name
from addc.codec.dns_rdata import DnsProperty, DnsPropertyId, DnsType
from addc.codes.win32 import Win32
from addc.directory import dns_records, dns_zones
from addc.directory.dns_zones import Replication, ZoneProperties, ZoneType, ZoneUpdate, taking
from addc.security.token import SYSTEM
from tests.kit.corp import Corp

MASTERS = (bytes((192, 0, 2, 9)), bytes(15) + b"\x01")


def test_every_property_survives_its_values() -> None:
    """[MS-DNSP] 2.3.2.1.1."""
    kept = DnsProperty(DnsPropertyId.DSPROPERTY_ZONE_DCPROMO_CONVERT, b"\x01\0\0\0")
    wanted = ZoneProperties(
        ZoneType.FORWARDER, ZoneUpdate.UNSECURE, True, 24, 48, 3_700_000, MASTERS[:1], MASTERS, 7, (kept,)
    )
    assert ZoneProperties.unpack(wanted.pack()) == wanted


def test_values_that_cannot_be_read_leave_the_default() -> None:
    """[MS-DNSP] 2.3.2.1.1: an empty value stands for the default."""
    empty = DnsProperty(DnsPropertyId.DSPROPERTY_ZONE_REFRESH_INTERVAL, b"").pack()
    assert ZoneProperties.unpack((empty, b"junk")) == ZoneProperties(allow_update=ZoneUpdate.OFF)


def test_an_empty_value_takes_nothing_back() -> None:
    """[MS-DNSP] 2.3.2.1.1: in whatever order the values come."""
    told = ZoneProperties(allow_update=ZoneUpdate.UNSECURE).pack()
    values = (DnsProperty(DnsPropertyId.DSPROPERTY_ZONE_ALLOW_UPDATE, b"").pack(), *told)
    for order in (values, values[::-1]):
        assert ZoneProperties.unpack(order).allow_update == ZoneUpdate.UNSECURE


def test_an_old_list_of_masters_counts_where_there_is_no_new_one() -> None:
    """[MS-DNSP] 2.3.2.1.1: the _DA property goes before."""
    told = ZoneProperties(ZoneType.STUB, masters=MASTERS).pack()
    old = [
        one for one in told if DnsProperty.unpack(one).id != DnsPropertyId.DSPROPERTY_ZONE_MASTER_SERVERS_DA
    ]
    assert ZoneProperties.unpack(told[::-1]).masters == MASTERS
    assert ZoneProperties.unpack(old).masters == MASTERS[:1]


def test_a_new_forest_has_two_zones(corp: Corp) -> None:
    found = corp.read(dns_zones.all_zones)
    assert [(one.name, one.replication) for one in found] == [
        ("_msdcs.corp.example.com", Replication.FOREST),
        ("corp.example.com", Replication.DOMAIN),
    ]
    assert {one.properties.allow_update for one in found} == {ZoneUpdate.SECURE}
    hints = corp.read(lambda ctx: dns_zones.zone_named(ctx, dns_zones.ROOT_HINTS))
    assert hints is not None and hints.properties.type == ZoneType.CACHE


@pytest.mark.parametrize("replication", Replication)
def test_a_zone_is_made_where_it_is_wanted_and_ended(corp: Corp, replication: Replication) -> None:
    """[MS-DNSP] 3.1.4.1: ZoneCreate, DeleteZoneFromDs."""
    made = corp.write(
        lambda ctx: dns_zones.create_zone(ctx, "2.0.192.in-addr.arpa", ZoneProperties(), replication),
        corp.admin,
    )
    found = corp.read(lambda ctx: dns_zones.zone_named(ctx, "2.0.192.IN-ADDR.ARPA."))
    assert found is not None and found.name == made.name and found.replication is replication
    records = corp.read(lambda ctx: dns_records.records_at(ctx, made, "@"))
    assert [one.type for one in records] == [DnsType.SOA, DnsType.NS]
    with pytest.raises(DsError) as twice:
        corp.write(lambda ctx: dns_zones.create_zone(ctx, "2.0.192.in-addr.arpa", ZoneProperties()))
    assert twice.value.code == Win32.DNS_ERROR_ZONE_ALREADY_EXISTS
    assert corp.write(lambda ctx: dns_zones.delete_zone(ctx, made), corp.admin)
    assert corp.read(lambda ctx: dns_zones.zone_named(ctx, "2.0.192.in-addr.arpa")) is None


def test_users_neither_make_nor_change_nor_end_zones(corp: Corp) -> None:
    corp.user("ann", "Passw0rd.1")
    zone = corp.read(lambda ctx: dns_zones.zone_named(ctx, "corp.example.com"))
    assert zone is not None
    weaker = ZoneProperties(allow_update=ZoneUpdate.UNSECURE)
    for work in (
        lambda ctx: dns_zones.create_zone(ctx, "new.example.com", ZoneProperties()),
        lambda ctx: dns_zones.set_properties(ctx, zone, weaker),
        lambda ctx: dns_zones.delete_zone(ctx, zone),
    ):
        with pytest.raises(DsError) as refused:
            corp.write(work, corp.token("ann"))
        assert refused.value.code == Win32.ERROR_DS_INSUFF_ACCESS_RIGHTS
    corp.write(lambda ctx: dns_zones.set_properties(ctx, zone, weaker), SYSTEM)
    changed = corp.read(lambda ctx: dns_zones.zone_named(ctx, "corp.example.com"))
    assert changed is not None and changed.properties == weaker


def test_the_time_when_a_zone_became_secure_is_noted_and_stays() -> None:
    """[MS-DNSP] 3.1.1 (Time Zone Secured): changes to any other value leave it."""
    now = FileTime(13_400_000_000 * 10_000_000 + 7)
    made = taking(ZoneProperties(allow_update=ZoneUpdate.OFF), ZoneUpdate.SECURE, now)
    assert (made.allow_update, made.secure_since_s) == (ZoneUpdate.SECURE, 13_400_000_000)
    later = FileTime(now + 10_000_000)
    assert taking(made, ZoneUpdate.SECURE, later) == made, "it was secure"
    opened = taking(made, ZoneUpdate.UNSECURE, later)
    assert (opened.allow_update, opened.secure_since_s) == (ZoneUpdate.UNSECURE, 13_400_000_000)


def test_the_zone_of_a_name_is_that_with_the_longest_apex(corp: Corp) -> None:
    def of(name: str) -> str | None:
        found = corp.read(lambda ctx: dns_zones.zone_covering(ctx, parse_name(name)))
        return None if found is None else found.name

    assert of("dc1.corp.example.com") == of("Corp.Example.com") == "corp.example.com"
    assert of("x._msdcs.corp.example.com") == "_msdcs.corp.example.com"
    assert of("example.com") is None is of(".")
    assert of(f"a.{dns_zones.ROOT_HINTS}") is None, "root hints are no zone of names"
