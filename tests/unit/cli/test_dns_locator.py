"""`addc dns register` and `addc dns scavenge`. Spec: [MS-ADTS] 6.3.2, [MS-DNSP] 3.1.4.1."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from addc.base.clock import SystemClock
from addc.base.data_dir import CONFIG_NAME
from addc.cli.main import main
from addc.codec.dns_rdata import AData, DnsRecord, DnsType, NameData, timestamp_hours
from addc.directory.context import WriteContext
from addc.directory.dns_records import records_at, write_nodes
from addc.directory.dns_zones import set_properties, zone_named
from addc.security.token import SYSTEM
from addc.server.offline import open_directory

ZONE = "corp.example.com"
ADDRESSES = ["192.0.2.10", "2001:db8::10"]


@pytest.fixture
def folder(corp_folder: Path) -> Path:
    config = json.loads((corp_folder / CONFIG_NAME).read_text())
    (corp_folder / CONFIG_NAME).write_text(json.dumps(config | {"host_ips": ADDRESSES}))
    return corp_folder


def run(folder: Path, capsys: pytest.CaptureFixture[str], *words: str, status: int = 0) -> str:
    assert main(["dns", *words, "--data-dir", str(folder)]) == status
    told = capsys.readouterr()
    return told.out + told.err


def change(folder: Path, relative: str, *records: DnsRecord, aging: bool = False) -> None:
    def work(ctx: WriteContext) -> None:
        zone = zone_named(ctx, ZONE)
        assert zone is not None
        write_nodes(ctx, zone, {relative: records})
        if aging:
            set_properties(ctx, zone, replace(zone.properties, aging=True))

    directory = open_directory(folder)
    directory.write_now("test", SYSTEM, work)
    directory.close()


def has(folder: Path, relative: str) -> bool:
    directory = open_directory(folder)
    zone = directory.read_now("test", SYSTEM, lambda ctx: zone_named(ctx, ZONE))
    assert zone is not None
    found = directory.read_now("test", SYSTEM, lambda ctx: records_at(ctx, zone, relative))
    directory.close()
    return bool(found)


def test_a_report_tells_what_is_missing_and_a_run_adds_it(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    change(folder, "_ldap._tcp")
    told = run(folder, capsys, "register", "--dry-run")
    assert f"added      _ldap._tcp.{ZONE} 600 SRV 0 100 389 dc1.{ZONE}.  (it was missing)" in told
    assert "Would be done, nothing was changed: 1 added" in told and not has(folder, "_ldap._tcp")
    assert "1 added" in run(folder, capsys, "register") and has(folder, "_ldap._tcp")
    assert "added" not in run(folder, capsys, "register")
    facts = json.loads(run(folder, capsys, "register", "--json"))
    assert facts["addresses"] == ADDRESSES and {one["done"] for one in facts["records"]} == {"kept"}
    assert f"kept       _gc._tcp.{ZONE}" in run(folder, capsys, "register", "--all")


def test_somebody_elses_alias_is_told_and_the_command_fails(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    change(folder, "_ldap._tcp", DnsRecord(DnsType.CNAME, NameData("x.example"), 600))
    assert "refused    _ldap._tcp" in run(folder, capsys, "register", status=1)


def test_zones_elsewhere_are_told_as_nsupdate_reads_it(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "hold all of its records" in run(folder, capsys, "register", "--nsupdate")
    change(folder, "_tcp", DnsRecord(DnsType.NS, NameData("ns.elsewhere.example"), 600))
    told = run(folder, capsys, "register", "--nsupdate").splitlines()
    line = f"update add _ldap._tcp.{ZONE}. 600 SRV 0 100 389 dc1.{ZONE}."
    assert told[told.index(line) + 1] == "send"
    assert "Zones elsewhere" in run(folder, capsys, "register")


def test_addresses_are_told_with_what_speaks_against_them(
    folder: Path, corp_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = json.loads(run(folder, capsys, "register", "--addresses", "--json"))
    assert [one["address"] for one in found] == ADDRESSES
    (corp_folder / CONFIG_NAME).write_text(
        (corp_folder / CONFIG_NAME).read_text().replace(json.dumps(ADDRESSES), "[]")
    )
    assert "loopback" in run(folder, capsys, "register", "--addresses")


def test_scavenging_is_told_first_and_then_done(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    hour = timestamp_hours(SystemClock().now())
    old = DnsRecord(DnsType.A, AData(bytes((192, 0, 2, 7))), 600, timestamp_h=hour - 400)
    change(folder, "old", old)
    assert f"{ZONE}: not scavenged: ageing is off" in run(folder, capsys, "scavenge")
    change(folder, "new", replace(old, timestamp_h=hour), aging=True)
    told = run(folder, capsys, "scavenge", ZONE, "--dry-run")
    assert "1 records would end, 1 whole names" in told and "A 192.0.2.7 (refreshed " in told
    assert has(folder, "old")
    (facts,) = json.loads(run(folder, capsys, "scavenge", ZONE, "--json"))["zones"]
    assert [one["name"] for one in facts["stale"]] == ["old"]
    assert not has(folder, "old") and has(folder, "new") and has(folder, "_ldap._tcp")
    assert "There is no zone" in run(folder, capsys, "scavenge", "nowhere.example", status=1)
