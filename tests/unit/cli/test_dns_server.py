"""`addc dns server` and `addc dns forwarder`. Spec: [MS-DNSP] 3.1.1.1."""

import json
from pathlib import Path

import pytest

from addc.base.data_dir import CONFIG_NAME
from addc.cli.main import main
from addc.directory.dns_settings import DnsSettings, settings
from addc.security.token import SYSTEM
from addc.server.offline import open_directory


@pytest.fixture
def folder(corp_folder: Path) -> Path:
    config = json.loads((corp_folder / CONFIG_NAME).read_text())
    more = {"host_ips": ["192.0.2.10"], "dns_forwarders": ["192.0.2.1"]}
    (corp_folder / CONFIG_NAME).write_text(json.dumps(config | more))
    return corp_folder


def run(folder: Path, capsys: pytest.CaptureFixture[str], *words: str, status: int = 0) -> str:
    assert main(["dns", *words, "--data-dir", str(folder)]) == status
    told = capsys.readouterr()
    return told.out + told.err


def held(folder: Path) -> DnsSettings:
    directory = open_directory(folder)
    found = directory.read_now("test", SYSTEM, settings)
    directory.close()
    return found


def test_settings_are_changed_by_name_and_taken_back(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = (
        "server",
        "set",
        "recursion=off",
        "scavenging_interval_h=24",
        "recursion_networks=10.0.0.0/8,::1/128",
    )
    run(folder, capsys, *words, "--dry-run")
    assert held(folder) == DnsSettings()
    run(folder, capsys, *words)
    found = held(folder)
    assert (found.recursion, found.scavenging_interval_h) == (False, 24)
    assert found.recursion_networks == ("10.0.0.0/8", "::1/128")
    told = run(folder, capsys, "server", "info")
    assert "recursion                  off  (changed)" in told and "dc1.corp.example.com" in told
    run(folder, capsys, "server", "set", "recursion=default", "recursion_networks=default")
    facts = json.loads(run(folder, capsys, "server", "info", "--json"))
    assert facts["changed"] == ["scavenging_interval_h"] and facts["zones"] == {"primary": 2}


@pytest.mark.parametrize(
    ("word", "told"),
    [
        ("recursion=perhaps", "on or off"),
        ("scavenging_interval_h=9999", "0 to 8760"),
        ("srv_weight=x", "0 to 65535"),
        ("recursion_networks=10.0.0.0/99", "no network"),
        ("avoid_records=Ldap,Nothing", "No record of a DC"),
        ("dc_sites=Mars", "There is no site"),
        ("colour=red", "There is no setting"),
        ("forwarders=192.0.2.1", "addc dns forwarder"),
        ("recursion", "name=value"),
    ],
)
def test_values_are_checked(folder: Path, capsys: pytest.CaptureFixture[str], word: str, told: str) -> None:
    assert told in run(folder, capsys, "server", "set", "round_robin=off", word, status=1)
    assert held(folder) == DnsSettings()


def test_the_cache_is_cleared_by_a_new_generation(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(folder, capsys, "server", "clear-cache")
    assert held(folder).cache_generation == 1


def test_forwarders_are_config_jsons_until_somebody_decides(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    facts = json.loads(run(folder, capsys, "forwarder", "list", "--json"))
    assert (facts["forwarders"], facts["decided_in"]) == (["192.0.2.1"], "config.json")
    run(folder, capsys, "forwarder", "add", "192.0.2.2#5353", "2001:db8::2")
    assert held(folder).forwarders == ("192.0.2.1", "192.0.2.2#5353", "2001:db8::2")
    run(folder, capsys, "forwarder", "remove", "192.0.2.1")
    assert held(folder).forwarders == ("192.0.2.2#5353", "2001:db8::2")
    assert "is no forwarder" in run(folder, capsys, "forwarder", "remove", "192.0.2.1", status=1)
    run(folder, capsys, "forwarder", "set", "192.0.2.9", "--timeout", "7", "--only")
    found = held(folder)
    assert (found.forwarders, found.forward_timeout_s, found.is_slave) == (("192.0.2.9",), 7, True)
    run(folder, capsys, "forwarder", "set", "--none")
    assert held(folder).forwarders == ()
    assert "No forwarders." in run(folder, capsys, "forwarder", "list")
    assert "exclude" in run(folder, capsys, "forwarder", "set", "--none", "--default", status=1)
    run(folder, capsys, "forwarder", "set", "--default")
    assert held(folder).forwarders is None


def test_no_server_forwards_to_itself(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for address in ("192.0.2.10", "127.0.0.1"):
        assert "this server itself" in run(folder, capsys, "forwarder", "add", address, status=1)
    assert "address" in run(folder, capsys, "forwarder", "add", "dns.example.com", status=1)
    assert held(folder).forwarders is None


def test_conditional_forwarders_are_told_beside_them(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(folder, capsys, "zone", "create", "partner.example", "--type", "forwarder", "--masters", "192.0.2.53")
    assert "partner.example (forwarder): 192.0.2.53" in run(folder, capsys, "forwarder", "list")
