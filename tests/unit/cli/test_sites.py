"""`addc sites`: the forest's sites, subnets, links and servers as objects of the configuration."""

import json
from pathlib import Path

import pytest

from addc.cli.main import main
from addc.server.offline import open_directory
from tests.kit.corp_forest import CONFIG_DN

SITE = "Default-First-Site-Name"


def _run(folder: Path, capsys: pytest.CaptureFixture[str], *words: str, status: int = 0) -> str:
    assert main(["sites", *words, "--data-dir", str(folder)]) == status
    told = capsys.readouterr()
    return told.out + told.err


def _facts(folder: Path, capsys: pytest.CaptureFixture[str], *words: str) -> list[dict[str, object]]:
    assert main(["sites", *words, "--json", "--data-dir", str(folder)]) == 0
    found = json.loads(capsys.readouterr().out)
    return found if isinstance(found, list) else [found]


def test_a_site_is_made_whole_renamed_and_ended(
    corp_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _run(corp_folder, capsys, "create", "Berlin", "--dry-run")
    assert "Berlin" not in _run(corp_folder, capsys, "list")
    assert "DEFAULTIPSITELINK" in _run(corp_folder, capsys, "create", "Berlin", "--description", "north")
    (shown,) = _facts(corp_folder, capsys, "show", "berlin")
    assert (shown["description"], shown["links"], shown["servers"]) == ("north", ["DEFAULTIPSITELINK"], [])
    assert shown["dn"] == f"CN=Berlin,CN=Sites,{CONFIG_DN}"
    assert "already" in _run(corp_folder, capsys, "create", "Berlin", status=1)
    _run(corp_folder, capsys, "rename", "Berlin", "Hamburg")
    assert [one["name"] for one in _facts(corp_folder, capsys, "list")] == [SITE, "Hamburg"]
    _run(corp_folder, capsys, "subnets", "add", "192.0.2.0/24", "Hamburg")
    assert "192.0.2.0/24" in _run(corp_folder, capsys, "delete", "Hamburg")
    assert "(no site)" in _run(corp_folder, capsys, "subnets", "list")
    assert "Next step" in _run(corp_folder, capsys, "show", "Hamburg", status=1)


def test_a_site_with_servers_stays(corp_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "addc sites servers move" in _run(corp_folder, capsys, "delete", SITE, status=1)


def test_names_that_dns_would_not_take_are_refused(
    corp_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Spec: [MS-ADTS] 3.1.1.5.2.2."""
    for name in ("New York", "a.b", "", "x" * 64):
        assert "letters, digits and hyphens" in _run(corp_folder, capsys, "create", name, status=1)


def test_subnets_lead_to_sites(corp_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _run(corp_folder, capsys, "create", "Berlin")
    _run(corp_folder, capsys, "subnets", "add", "198.51.100.0/24", SITE, "--location", "b/2")
    _run(corp_folder, capsys, "subnets", "add", "2001:db8::/32", "Berlin")
    told = _run(corp_folder, capsys, "subnets", "move", "198.51.100.0/24", "Berlin")
    assert f"no more in {SITE}" in told
    assert _facts(corp_folder, capsys, "subnets", "list") == [
        {"name": "198.51.100.0/24", "site": "Berlin", "description": "", "location": "b/2"},
        {"name": "2001:db8::/32", "site": "Berlin", "description": "", "location": ""},
    ]
    (shown,) = _facts(corp_folder, capsys, "show", "Berlin")
    assert shown["subnets"] == ["198.51.100.0/24", "2001:db8::/32"]
    _run(corp_folder, capsys, "subnets", "remove", "198.51.100.0/24", "--dry-run")
    _run(corp_folder, capsys, "subnets", "remove", "198.51.100.0/24")
    assert "Next step" in _run(corp_folder, capsys, "subnets", "remove", "198.51.100.0/24", status=1)


def test_a_subnet_with_host_bits_is_refused_and_the_right_one_named(
    corp_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Spec: [MS-ADTS] 6.1.1.2.2.2.1."""
    assert "write 192.0.2.0/24" in _run(corp_folder, capsys, "subnets", "add", "192.0.2.5/24", SITE, status=1)
    assert "ADDRESS/BITS" in _run(corp_folder, capsys, "subnets", "add", "office", SITE, status=1)
    assert "There is no site" in _run(corp_folder, capsys, "subnets", "add", "192.0.2.0/24", "x", status=1)


def test_links_join_two_sites_or_more(corp_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("Berlin", "Paris"):
        _run(corp_folder, capsys, "create", name)
    words = ("links", "create", "north", "Berlin", "Paris", "--cost", "50", "--interval", "15", "--notify")
    _run(corp_folder, capsys, *words, "--dry-run")
    (made,) = _facts(corp_folder, capsys, *words)
    expected = {"name": "north", "sites": ["Berlin", "Paris"], "cost": 50, "interval_min": 15, "notify": True}
    plan = {
        "added": [],
        "deleted": [],
        "changed": [],
        "kept": 0,
        "cut_off": [],
        "joined": [],
        "generators": [],
    }
    more = {"schedule": "always", "two_way": False, "compression": True, "description": ""}
    assert made == {"done": True, **expected, **more, "plan": plan}
    _run(corp_folder, capsys, "links", "set", "north", "--add", SITE, "--remove", "Paris", "--no-notify")
    (_, north) = _facts(corp_folder, capsys, "links", "list")
    assert north == {**expected, **more, "sites": ["Berlin", SITE], "notify": False}
    assert "two sites" in _run(corp_folder, capsys, "links", "set", "north", "--remove", "Berlin", status=1)
    assert "two sites" in _run(corp_folder, capsys, "links", "create", "x", "Berlin", status=1)
    assert "multiple" in _run(corp_folder, capsys, "links", "set", "north", "--interval", "20", status=1)
    assert "No link costs" in _run(corp_folder, capsys, "links", "set", "north", "--cost", "0", status=1)
    assert "Nothing" in _run(corp_folder, capsys, "links", "set", "north", status=1)
    _run(corp_folder, capsys, "links", "delete", "north")


def test_ending_a_link_tells_which_sites_are_cut_off(
    corp_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _run(corp_folder, capsys, "create", "Berlin")
    told = _run(corp_folder, capsys, "links", "delete", "DEFAULTIPSITELINK", "--dry-run")
    assert f"in no link now: Berlin, {SITE}" in told


def test_a_server_moves_to_another_site(corp_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _run(corp_folder, capsys, "create", "Berlin")
    (server,) = _facts(corp_folder, capsys, "servers", "list")
    assert (server["site"], server["dc"], server["global_catalog"]) == (SITE, True, True)
    assert "already" in _run(corp_folder, capsys, "servers", "move", "dc1", SITE, status=1)
    _run(corp_folder, capsys, "servers", "move", "dc1.corp.example.com", "Berlin")
    (server,) = _facts(corp_folder, capsys, "servers", "list")
    assert server["site"] == "Berlin"
    directory = open_directory(corp_folder)
    assert directory.forest.host_fqdn == "dc1.corp.example.com"
    directory.close()


def test_what_the_kcc_makes_of_a_change_is_told_with_it(
    corp_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _run(corp_folder, capsys, "create", "Berlin", "--no-plan")
    told = _run(corp_folder, capsys, "servers", "move", "dc1", "Berlin", "--dry-run")
    assert "Would be done, nothing was changed" in told
    assert "Berlin: what comes from other sites is decided by DC1" in told
    (told_json,) = _facts(corp_folder, capsys, "servers", "move", "dc1", "Berlin", "--dry-run")
    assert told_json["plan"] == {
        "added": [], "deleted": [], "changed": [], "kept": 0, "cut_off": [], "joined": [],
        "generators": [{"site": "Berlin", "was": "", "is": "DC1"}],
    }  # fmt: skip
    (quiet,) = _facts(corp_folder, capsys, "servers", "move", "dc1", "Berlin", "--no-plan")
    assert "plan" not in quiet


def test_schedules_are_written_as_people_read_them(
    corp_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    link = ("links", "set", "DEFAULTIPSITELINK", "--schedule")
    _run(corp_folder, capsys, *link, "Mo-Fr 20:00-06:00; Sa-Su")
    assert "open Mo-Fr 20:00-06:00; Sa-Su (UTC)" in _run(corp_folder, capsys, "links", "list")
    assert "quarters of an hour" in _run(corp_folder, capsys, *link, "Mo 08:10-09:00", status=1)
    assert "never open" in _run(corp_folder, capsys, *link, "never", status=1)
    _run(corp_folder, capsys, *link, "always")
    assert "open" not in _run(corp_folder, capsys, "links", "list")


def test_options_of_sites_transport_and_servers(
    corp_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("--no-minimum-hops", "--redundant-topology", "--failover", "30", "--schedule", "every 30 min")
    _run(corp_folder, capsys, "set", SITE, *words)
    shown = _run(corp_folder, capsys, "show", SITE)
    assert "every 30 min from 00:00 UTC" in shown and "redundant topology" in shown
    (facts,) = _facts(corp_folder, capsys, "show", SITE)
    assert (facts["minimum_hops"], facts["redundant_topology"], facts["failover_min"]) == (False, True, 30)
    assert "Nothing" in _run(corp_folder, capsys, "set", SITE, status=1)
    assert "bridges alone" in _run(corp_folder, capsys, "transport", "set", "--no-bridge-all")
    assert "no" in _run(corp_folder, capsys, "transport", "show")
    _run(corp_folder, capsys, "servers", "set", "dc1", "--preferred-bridgehead")
    assert "preferred bridgehead" in _run(corp_folder, capsys, "servers", "list")


def test_bridges_and_connections_are_listed_and_made(
    corp_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "no bridges" in _run(corp_folder, capsys, "bridges", "list")
    assert "no connections" in _run(corp_folder, capsys, "connections", "list")
    for name in ("Berlin", "Paris"):
        _run(corp_folder, capsys, "create", name, "--no-plan")
    _run(corp_folder, capsys, "links", "create", "north", "Berlin", "Paris", "--no-plan")
    _run(corp_folder, capsys, "bridges", "create", "all", "north", "DEFAULTIPSITELINK")
    assert "DEFAULTIPSITELINK, north" in _run(corp_folder, capsys, "bridges", "list")
    told = _run(corp_folder, capsys, "links", "delete", "north", "--dry-run", "--no-plan")
    assert "bridges that join fewer than two links now: all" in told
    _run(corp_folder, capsys, "bridges", "set", "all", "--description", "x", "--no-plan")
    _run(corp_folder, capsys, "bridges", "delete", "all", "--no-plan")
    assert "itself" in _run(corp_folder, capsys, "connections", "create", "dc1", "dc1", status=1)
    assert "no connection" in _run(corp_folder, capsys, "connections", "delete", "x", status=1)
    _run(corp_folder, capsys, "links", "set", "DEFAULTIPSITELINK", "--remove", "Paris", "--no-plan")
    told = _run(corp_folder, capsys, "delete", "Berlin", "--no-plan")
    assert "fewer than two sites now: DEFAULTIPSITELINK, north" in told
