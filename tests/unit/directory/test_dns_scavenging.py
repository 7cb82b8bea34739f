"""Scavenging over a simulated month: machines that live, machines that die, and what is static.

Spec: [MS-DNSP] 3.1.4.1 (StartScavenging), 3.1.1.1.1 (ScavengingInterval, DsTombstoneInterval), 2.2.5.2.4.1.
"""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from addc.codec.dns_rdata import AData, DnsRecord, DnsType, timestamp_hours
from addc.directory import dns_aging, dns_scavenging
from addc.directory.context import ReadContext, WriteContext
from addc.directory.dns_records import Node, nodes, read_node, records_at, serial_of, write_nodes
from addc.directory.dns_scavenging import Course, course, step
from addc.directory.dns_settings import keep_settings, settings
from addc.directory.dns_zones import ZoneFacts, set_properties, zone_named
from addc.security.token import SYSTEM
from tests.kit.corp import Corp

ZONE = "corp.example.com"


def zone_of(ctx: ReadContext) -> ZoneFacts:
    zone = zone_named(ctx, ZONE)
    assert zone is not None
    return zone


def age(corp: Corp, *, interval_h: int = 24) -> None:
    """Switch ageing on, for the zone and the server."""

    def work(ctx: WriteContext) -> None:
        zone = zone_of(ctx)
        wanted = replace(zone.properties, aging=True)
        set_properties(ctx, zone, dns_aging.enabled(zone.properties, wanted, ctx.now))
        keep_settings(ctx, replace(settings(ctx), scavenging_interval_h=interval_h))

    corp.write(work, SYSTEM)


def register(corp: Corp, names: Sequence[str], *, static: bool = False) -> int:
    """Have machines register themselves, as they do every day; the zone's serial."""

    def work(ctx: WriteContext) -> int:
        zone = zone_of(ctx)
        wanted = {}
        for name in names:
            held = records_at(ctx, zone, name)
            stamp = 0 if static else dns_aging.new_stamp(name, held, ctx.now)
            new = (DnsRecord(DnsType.A, AData(bytes(4)), 1200, timestamp_h=stamp),)
            wanted[name] = dns_aging.refreshed(held, zone.properties, ctx.now) if held else new
        return write_nodes(ctx, zone, wanted)

    return corp.write(work, SYSTEM)


def run_jobs(corp: Corp) -> int:
    parts = 1
    while corp.write(step, SYSTEM):
        parts += 1
    return parts


def node(corp: Corp, name: str) -> Node | None:
    return corp.read(lambda ctx: read_node(ctx, zone_of(ctx), name))


def is_there(corp: Corp, name: str) -> bool:
    found = node(corp, name)
    return found is not None and bool(found.records)


def days(corp: Corp, count: int, living: Sequence[str]) -> None:
    """Days in which machines register every day, and the job runs every hour of six."""
    for _ in range(count):
        register(corp, living)
        for _ in range(4):
            corp.later(6 * 3600)
            run_jobs(corp)


def test_a_month_in_which_one_machine_lives_and_one_dies(corp_sqlite: Corp) -> None:
    corp = corp_sqlite
    before = corp.read(lambda ctx: records_at(ctx, zone_of(ctx), "@"))
    age(corp)
    register(corp, ["server"], static=True)
    register(corp, ["lives", "dies"])
    began = corp.now
    days(corp, 14, ["lives"])
    assert is_there(corp, "dies")  # no-refresh and refresh interval are 14 days together
    days(corp, 2, ["lives"])
    dead = node(corp, "dies")
    assert dead is not None and dead.tombstoned and not dead.records
    assert is_there(corp, "lives") and is_there(corp, "server")
    days(corp, 12, ["lives"])
    assert node(corp, "dies") is not None
    days(corp, 3, ["lives"])
    assert node(corp, "dies") is None  # its tombstone is older than 14 days
    assert is_there(corp, "lives") and is_there(corp, "server")
    found = node(corp, "lives")
    assert found is not None
    stamps = {timestamp_hours(began), found.records[0].timestamp_h}
    assert max(stamps) - min(stamps) > 14 * 24
    apex = corp.read(lambda ctx: records_at(ctx, zone_of(ctx), "@"))
    assert {one.type for one in apex} == {one.type for one in before}
    assert is_there(corp, "_ldap._tcp") and is_there(corp, "dc1")


def test_daily_registration_replicates_once_a_week(corp_sqlite: Corp) -> None:
    corp = corp_sqlite
    age(corp)
    register(corp, ["pc1"])
    seen = set()
    for _ in range(22):
        serial = register(corp, ["pc1"])
        found = node(corp, "pc1")
        assert found is not None
        seen.add((found.records[0].timestamp_h, serial))
        corp.later(24 * 3600)
    assert len({stamp for stamp, _ in seen}) == 3  # day 0, 8 and 16
    assert len({serial for _, serial in seen}) == 1  # a new stamp is no news for resolvers


def test_nothing_ends_before_machines_had_a_refresh_interval(corp_sqlite: Corp) -> None:
    corp = corp_sqlite
    register(corp, ["old"])
    corp.later(60 * 24 * 3600)
    age(corp, interval_h=1)
    for _ in range(7):
        corp.later(23 * 3600)
        run_jobs(corp)
    assert is_there(corp, "old")
    corp.later(8 * 3600)
    run_jobs(corp)
    assert not is_there(corp, "old")


def test_a_server_that_was_away_for_weeks_ends_nothing_at_once(corp_sqlite: Corp) -> None:
    corp = corp_sqlite
    age(corp)
    days(corp, 8, ["pc1"])
    corp.later(30 * 24 * 3600)
    run_jobs(corp)
    assert is_there(corp, "pc1")
    days(corp, 6, ["pc1"])
    run_jobs(corp)
    assert is_there(corp, "pc1")


def test_without_an_interval_nothing_is_scavenged_until_somebody_asks(corp_sqlite: Corp) -> None:
    corp = corp_sqlite
    age(corp, interval_h=0)
    register(corp, ["old"])
    for _ in range(20):
        corp.later(23 * 3600)
        run_jobs(corp)
    assert is_there(corp, "old")
    corp.write(dns_scavenging.request_scavenging, SYSTEM)
    run_jobs(corp)
    assert not is_there(corp, "old")
    assert corp.read(course).names == 1


def test_a_zone_that_does_not_age_loses_nothing(corp_sqlite: Corp) -> None:
    corp = corp_sqlite
    register(corp, ["old"])
    for _ in range(30):
        corp.later(23 * 3600)
        run_jobs(corp)
    corp.write(dns_scavenging.request_scavenging, SYSTEM)
    run_jobs(corp)
    assert is_there(corp, "old")


def test_a_report_tells_and_changes_nothing(corp_sqlite: Corp) -> None:
    corp = corp_sqlite
    age(corp)
    register(corp, ["old", "older"])
    corp.later(15 * 24 * 3600)
    serial = corp.read(lambda ctx: serial_of(ctx, zone_of(ctx)))
    found = corp.read(lambda ctx: dns_scavenging.report(ctx, zone_of(ctx)))
    assert {one.name for one in found.stale} == {"old", "older"} and all(one.whole for one in found.stale)
    assert found.why_not == ""
    assert is_there(corp, "old") and corp.read(lambda ctx: serial_of(ctx, zone_of(ctx))) == serial


def test_big_zones_are_scavenged_in_parts_and_a_run_can_be_ended(
    corp_sqlite: Corp, monkeypatch: pytest.MonkeyPatch
) -> None:
    corp = corp_sqlite
    monkeypatch.setattr(dns_scavenging, "BATCH", 10)
    age(corp)
    register(corp, [f"pc{number}" for number in range(40)])
    for _ in range(15):
        corp.later(23.9 * 3600)
        corp.write(
            lambda ctx: dns_scavenging._keep(ctx, replace(course(ctx), alive_h=timestamp_hours(ctx.now)))
        )
    assert corp.write(step, SYSTEM) and corp.write(step, SYSTEM)
    corp.write(dns_scavenging.abort_scavenging, SYSTEM)
    some = corp.read(lambda ctx: sum(one.tombstoned for one in nodes(ctx, zone_of(ctx))))
    assert some < 40 and not corp.read(course).running
    corp.write(dns_scavenging.request_scavenging, SYSTEM)
    assert run_jobs(corp) > 4
    assert corp.read(lambda ctx: sum(one.tombstoned for one in nodes(ctx, zone_of(ctx)))) == 40
    assert isinstance(corp.read(course), Course)


def test_tombstones_are_gone_through_in_parts_also_where_most_are_young(
    corp_sqlite: Corp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Spec: [MS-DNSP] 3.1.1.1.1 (DsTombstoneInterval)."""
    corp = corp_sqlite
    monkeypatch.setattr(dns_scavenging, "BATCH", 4)

    def end(*names: str) -> None:
        corp.write(lambda ctx: write_nodes(ctx, zone_of(ctx), {name: () for name in names}), SYSTEM)

    register(corp, [f"young{number}" for number in range(9)])
    register(corp, ["old1", "old2"])
    end("old1", "old2")
    corp.later(13 * 86_400)
    end(*(f"young{number}" for number in range(9)))
    run_jobs(corp)
    assert node(corp, "old1") is not None
    corp.later(2 * 86_400)
    assert run_jobs(corp) == 3  # eleven tombstones, four at a time
    assert node(corp, "old1") is None and node(corp, "old2") is None
    assert node(corp, "young8") is not None and not corp.read(course).bury_at
