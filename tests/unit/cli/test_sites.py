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
    assert made == {"done": True, **expected, "description": ""}
    _run(corp_folder, capsys, "links", "set", "north", "--add", SITE, "--remove", "Paris", "--no-notify")
    (_, north) = _facts(corp_folder, capsys, "links", "list")
    assert north == {**expected, "sites": ["Berlin", SITE], "notify": False, "description": ""}
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
