"""What ageing says of single records and zones. Spec: [MS-DNSP] 2.2.5.2.4.1, 3.1.4.5, 3.1.1.2.1."""

from dataclasses import replace

import pytest

from addc.base.clock import HOUR_FT, FileTime
from addc.codec.dns_rdata import AData, DnsRecord, DnsType, NameData, timestamp_hours
from addc.directory import dns_aging
from addc.directory.dns_zones import Replication, ZoneFacts, ZoneProperties, ZoneType, ZoneUpdate
from addc.store.objects import ObjectRow
from tests.kit.corp_forest import NOW

HOUR = timestamp_hours(NOW)
AGING = ZoneProperties(aging=True)


def record(age_h: int, kind: DnsType = DnsType.A) -> DnsRecord:
    data = AData(bytes(4)) if kind == DnsType.A else NameData("ns.example.com")
    return DnsRecord(kind, data, timestamp_h=HOUR - age_h)


STATIC = replace(record(0), timestamp_h=0)


def at(hours: int) -> FileTime:
    return FileTime(NOW + hours * HOUR_FT)


@pytest.mark.parametrize(
    ("age_h", "moves"), [(0, False), (167, False), (168, False), (169, True), (900, True)]
)
def test_a_refresh_within_the_no_refresh_interval_changes_nothing(age_h: int, moves: bool) -> None:
    (found,) = dns_aging.refreshed([record(age_h)], AGING, NOW)
    assert (found.timestamp_h == HOUR) is (moves or age_h == 0)


def test_without_ageing_and_for_static_records_a_refresh_changes_nothing() -> None:
    assert dns_aging.refreshed([record(900)], ZoneProperties(), NOW) == (record(900),)
    assert dns_aging.refreshed([STATIC], AGING, NOW) == (STATIC,)


@pytest.mark.parametrize(("age_h", "stale"), [(0, False), (336, False), (337, True), (9000, True)])
def test_a_record_is_stale_after_both_intervals(age_h: int, stale: bool) -> None:
    assert dns_aging.is_stale(record(age_h), AGING, NOW) is stale
    assert dns_aging.is_stale(replace(record(age_h), timestamp_h=0), AGING, NOW) is False


def test_zero_intervals_stand_for_the_default() -> None:
    zero = replace(AGING, refresh_h=0, no_refresh_h=0)
    assert not dns_aging.is_stale(record(336), zero, NOW) and dns_aging.is_stale(record(337), zero, NOW)


def test_what_the_server_keeps_itself_is_never_stale() -> None:
    assert not dns_aging.is_stale(record(9000, DnsType.NS), AGING, NOW)
    assert not dns_aging.is_stale(replace(record(9000), type=DnsType.SOA), AGING, NOW)


def test_the_zones_own_name_loses_nothing() -> None:
    old = (record(9000),)
    assert dns_aging.left("@", old, AGING, NOW) == old
    assert dns_aging.left("pc1", old, AGING, NOW) == ()
    assert dns_aging.left("pc1", (STATIC, *old), AGING, NOW) == (STATIC,)


def test_one_static_record_makes_what_is_added_beside_it_static() -> None:
    assert dns_aging.new_stamp("pc1", (), NOW) == HOUR
    assert dns_aging.new_stamp("pc1", (record(5),), NOW) == HOUR
    assert dns_aging.new_stamp("pc1", (record(5), STATIC), NOW) == 0
    assert dns_aging.new_stamp("@", (), NOW) == 0


def test_switching_ageing_on_gives_machines_one_refresh_interval() -> None:
    found = dns_aging.enabled(ZoneProperties(), replace(AGING, refresh_h=24), NOW)
    assert found.scavenge_from_h == HOUR + 24
    assert dns_aging.enabled(found, replace(found, refresh_h=48), at(99)).scavenge_from_h == HOUR + 24
    assert dns_aging.enabled(found, replace(found, aging=False), at(99)).scavenge_from_h == HOUR + 24


def _zone(row: ObjectRow, properties: ZoneProperties) -> ZoneFacts:
    return ZoneFacts(row, "x.example", (b"x", b"example"), Replication.DOMAIN, properties)


@pytest.mark.parametrize(
    ("properties", "word"),
    [
        (AGING, ""),
        (replace(AGING, aging=False), "off"),
        (replace(AGING, type=ZoneType.STUB), "primary"),
        (replace(AGING, allow_update=ZoneUpdate.OFF), "no updates"),
        (replace(AGING, scavengers=(b"\xc0\0\2\x63",)), "other servers"),
        (replace(AGING, scavengers=(b"\xc0\0\2\x63", b"\xc0\0\2\x0a")), ""),
        (replace(AGING, scavenge_from_h=HOUR + 3), "3 hours"),
        (replace(AGING, scavenge_from_h=HOUR), ""),
    ],
)
def test_when_a_server_may_scavenge_a_zone(properties: ZoneProperties, word: str) -> None:
    row = ObjectRow.__new__(ObjectRow)
    found = dns_aging.why_not(_zone(row, properties), NOW, [b"\xc0\0\2\x0a"])
    assert (word in found) if word else found == ""


def test_a_server_that_was_away_gives_machines_one_refresh_interval_again() -> None:
    zone = _zone(ObjectRow.__new__(ObjectRow), AGING)
    assert "was away" in dns_aging.why_not(zone, NOW, served_since_h=HOUR - 167)
    assert dns_aging.why_not(zone, NOW, served_since_h=HOUR - 168) == ""
