"""`addc dns zone`. Spec: [MS-DNSP] 2.3.1, 2.3.2.1 (dNSProperty), 3.1.4.1 (ZoneCreate, DeleteZoneFromDs)."""

import json
from pathlib import Path

import pytest

from addc.base.clock import SystemClock
from addc.base.errors import UserError
from addc.cli.main import main
from addc.codec.dns_rdata import DnsType, timestamp_hours
from addc.directory.dns_records import records_at
from addc.directory.dns_zones import ZoneFacts, ZoneType, ZoneUpdate, zone_named
from addc.security.token import SYSTEM
from addc.server.admin.dns_zones import reverse_zone, zone_name
from addc.server.offline import open_directory

ZONE = "corp.example.com"


def run(folder: Path, capsys: pytest.CaptureFixture[str], *words: str, status: int = 0) -> str:
    assert main(["dns", "zone", *words, "--data-dir", str(folder)]) == status
    told = capsys.readouterr()
    return told.out + told.err


def stored(folder: Path, name: str) -> ZoneFacts | None:
    directory = open_directory(folder)
    found = directory.read_now("test", SYSTEM, lambda ctx: zone_named(ctx, name))
    directory.close()
    return found


@pytest.mark.parametrize(
    ("network", "name"),
    [
        ("10.0.0.0/24", "0.0.10.in-addr.arpa"),
        ("192.168.0.0/16", "168.192.in-addr.arpa"),
        ("10.0.0.0/8", "10.in-addr.arpa"),
        ("2001:db8::/32", "8.b.d.0.1.0.0.2.ip6.arpa"),
        ("fd00::/8", "d.f.ip6.arpa"),
    ],
)
def test_a_network_means_its_reverse_zone(network: str, name: str) -> None:
    """Spec: RFC 1035 3.5, RFC 3596 2.5."""
    assert zone_name(network) == reverse_zone(network) == name


@pytest.mark.parametrize("word", ["10.0.0.0/25", "10.0.0.1/24", "2001:db8::/33", "x/24", "a..b", "", "a b"])
def test_what_is_no_zone_is_refused(word: str) -> None:
    with pytest.raises(UserError, match="Next step"):
        zone_name(word)


def test_a_primary_zone_begins_with_this_dc_and_ends_whole(
    corp_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(corp_folder, capsys, "create", "10.0.0.0/24", "--replicated", "forest", "--dry-run")
    assert stored(corp_folder, "0.0.10.in-addr.arpa") is None
    told = run(corp_folder, capsys, "create", "10.0.0.0/24", "--replicated", "forest")
    assert told == "Made 0.0.10.in-addr.arpa, a primary zone, replicated: forest.\n"
    zone = stored(corp_folder, "0.0.10.in-addr.arpa")
    assert zone is not None and zone.replication.value == "forest"
    assert zone.properties.allow_update == ZoneUpdate.SECURE and not zone.properties.aging
    directory = open_directory(corp_folder)
    apex = directory.read_now("test", SYSTEM, lambda ctx: records_at(ctx, zone, "@"))
    directory.close()
    assert [one.type for one in apex] == [DnsType.SOA, DnsType.NS]
    assert "already" in run(corp_folder, capsys, "create", "10.0.0.0/24", status=1)
    assert json.loads(run(corp_folder, capsys, "info", "10.0.0.0/24", "--json"))["records"] == 2
    run(corp_folder, capsys, "delete", "10.0.0.0/24")
    assert stored(corp_folder, "0.0.10.in-addr.arpa") is None


def test_conditional_forwarders_name_their_servers(
    corp_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("create", "partner.example", "--type", "forwarder")
    assert "--masters" in run(corp_folder, capsys, *words, status=1)
    assert "no address" in run(corp_folder, capsys, *words, "--masters", "x", status=1)
    run(corp_folder, capsys, *words, "--masters", "192.0.2.53,2001:db8::53")
    zone = stored(corp_folder, "partner.example")
    assert zone is not None and zone.properties.type == ZoneType.FORWARDER
    facts = json.loads(run(corp_folder, capsys, "info", "partner.example", "--json"))
    assert facts["masters"] == ["192.0.2.53", "2001:db8::53"] and facts["updates"] == "none"
    run(corp_folder, capsys, "set", "partner.example", "--masters", "192.0.2.54", "--timeout", "9", "--only")
    facts = json.loads(run(corp_folder, capsys, "info", "partner.example", "--json"))
    assert facts["masters"] == ["192.0.2.54"]
    assert facts["this_dc"]["forward_timeout_s"] == 9 and facts["this_dc"]["forward_is_slave"] is True
    assert "Only primary zones age" in run(corp_folder, capsys, "set", "partner.example", "--aging", status=1)


def test_switching_ageing_on_stamps_the_zone(corp_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(corp_folder, capsys, "set", ZONE, "--aging", "--refresh", "24", "--no-refresh", "12")
    zone = stored(corp_folder, ZONE)
    assert zone is not None and zone.properties.aging
    assert (zone.properties.no_refresh_h, zone.properties.refresh_h) == (12, 24)
    hour = timestamp_hours(SystemClock().now())
    assert zone.properties.scavenge_from_h in (hour + 23, hour + 24)
    assert "scavenged from" in run(corp_folder, capsys, "info", ZONE)
    assert "(a year)" in run(corp_folder, capsys, "set", ZONE, "--refresh", "9000", status=1)
    run(corp_folder, capsys, "set", ZONE, "--no-aging", "--updates", "any")
    zone = stored(corp_folder, ZONE)
    assert zone is not None and not zone.properties.aging
    assert zone.properties.allow_update == ZoneUpdate.UNSECURE


def test_who_may_ask_is_each_dcs_own(corp_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(corp_folder, capsys, "set", ZONE, "--queries", "10.0.0.0/8")
    facts = json.loads(run(corp_folder, capsys, "info", ZONE, "--json"))
    assert (
        facts["this_dc"]["query_networks"] == ["10.0.0.0/8"] and facts["serial"] >= 1 and facts["names"] > 9
    )
    assert "no network" in run(corp_folder, capsys, "set", ZONE, "--queries", "10.0.0.0/99", status=1)
    run(corp_folder, capsys, "set", ZONE, "--queries", "any")
    facts = json.loads(run(corp_folder, capsys, "info", ZONE, "--json"))
    assert facts["this_dc"]["query_networks"] is None
    assert "Nothing is to be changed" in run(corp_folder, capsys, "set", ZONE, status=1)


def test_what_was_decided_about_a_zone_ends_with_it(
    corp_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Denied: a new zone that anybody may copy, since one of its name once was public."""
    run(corp_folder, capsys, "create", "new.test")
    run(corp_folder, capsys, "set", "new.test", "--queries", "10.0.0.0/8")
    run(corp_folder, capsys, "delete", "new.test", "--dry-run")
    assert '"10.0.0.0/8"' in run(corp_folder, capsys, "info", "new.test", "--json")
    run(corp_folder, capsys, "delete", "new.test")
    run(corp_folder, capsys, "create", "new.test")
    assert '"10.0.0.0/8"' not in run(corp_folder, capsys, "info", "new.test", "--json")


def test_the_domains_own_zones_do_not_end_by_mistake(
    corp_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in (ZONE, f"_msdcs.{ZONE}"):
        assert "--force" in run(corp_folder, capsys, "delete", name, status=1)
        assert stored(corp_folder, name) is not None
    run(corp_folder, capsys, "delete", ZONE, "--force")
    assert stored(corp_folder, ZONE) is None
