"""`addc dns transfer` and `addc dns secondary`. Spec: [MS-DNSP] 3.1.1.2."""

import json
from pathlib import Path

import pytest

from addc.cli.main import main
from addc.directory.dns_secondary import Secondary, secondaries
from addc.directory.dns_settings import ZoneSettings, zone_settings
from addc.security.token import SYSTEM
from addc.server.offline import open_directory

ZONE = "corp.example.com"


def run(folder: Path, capsys: pytest.CaptureFixture[str], *words: str, status: int = 0) -> str:
    assert main(["dns", *words, "--data-dir", str(folder)]) == status
    told = capsys.readouterr()
    return told.out + told.err


def held(folder: Path) -> ZoneSettings:
    directory = open_directory(folder)
    found = directory.read_now("test", SYSTEM, lambda ctx: zone_settings(ctx, ZONE))
    directory.close()
    return found


def copies(folder: Path) -> dict[str, Secondary]:
    directory = open_directory(folder)
    found = directory.read_now("test", SYSTEM, secondaries)
    directory.close()
    return found


def test_who_has_copies_is_decided_and_taken_back(
    corp_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert held(corp_folder) == ZoneSettings()
    words = (
        "transfer",
        "set",
        ZONE,
        "--to",
        "192.0.2.7",
        "10.0.0.0/8",
        "--notify",
        "192.0.2.7",
        "2001:db8::1#53",
    )
    run(corp_folder, capsys, *words, "--dry-run")
    assert held(corp_folder) == ZoneSettings()
    run(corp_folder, capsys, *words)
    found = held(corp_folder)
    assert (found.transfers, found.transfer_networks) == ("listed", ("192.0.2.7", "10.0.0.0/8"))
    assert (found.notify, found.notify_to) == ("listed", ("192.0.2.7", "2001:db8::1#53"))
    told = run(corp_folder, capsys, "transfer", "show", ZONE)
    assert "copies to 192.0.2.7, 10.0.0.0/8; told: 192.0.2.7, 2001:db8::1#53; serial" in told
    run(corp_folder, capsys, "transfer", "set", ZONE, "--to", "servers", "--notify", "servers")
    assert (held(corp_folder).transfers, held(corp_folder).notify) == ("servers", "servers")
    run(corp_folder, capsys, "transfer", "set", ZONE, "--to", "off", "--notify", "off")
    assert held(corp_folder) == ZoneSettings()


def test_keys_are_those_that_there_are(corp_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(corp_folder, capsys, "tsig", "add", "Backup", "--right", "transfer", "--zone", "other.test")
    run(
        corp_folder,
        capsys,
        "transfer",
        "set",
        ZONE,
        "--to",
        "any",
        "--key",
        "backup",
        "--notify-key",
        "backup",
    )
    found = held(corp_folder)
    assert (found.transfer_keys, found.notify_key) == (("backup",), "backup")
    told = run(corp_folder, capsys, "transfer", "set", ZONE, "--key", "nobody", status=1)
    assert "no key 'nobody'" in told and "Next step" in told
    run(corp_folder, capsys, "transfer", "set", ZONE, "--key", "none", "--notify-key", "none")
    assert (held(corp_folder).transfer_keys, held(corp_folder).notify_key) == ((), "")


@pytest.mark.parametrize(
    "words",
    [
        (ZONE,),
        (ZONE, "--to", "off", "192.0.2.7"),
        (ZONE, "--to", "everybody"),
        (ZONE, "--to", "192.0.2.7/8"),
        (ZONE, "--notify", "any"),
        (ZONE, "--notify", "ns.example.com"),
        (ZONE, "--notify", "192.0.2.7#0"),
        ("none.test", "--to", "any"),
    ],
)
def test_what_says_nothing_is_refused(
    corp_folder: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    assert "Next step" in run(corp_folder, capsys, "transfer", "set", *words, status=1)
    assert held(corp_folder) == ZoneSettings()


def test_zones_of_others_are_copied_and_given_up(
    corp_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "No zone is copied" in run(corp_folder, capsys, "secondary", "list")
    words = ("secondary", "add", "Their.Test.", "192.0.2.1", "2001:db8::1#5353")
    run(corp_folder, capsys, *words, "--dry-run")
    assert copies(corp_folder) == {}
    run(corp_folder, capsys, *words)
    assert copies(corp_folder)["their.test"].masters == ("192.0.2.1", "2001:db8::1#5353")
    assert "nothing came yet" in run(corp_folder, capsys, "secondary", "list")
    (facts,) = json.loads(run(corp_folder, capsys, "secondary", "list", "--json"))
    assert (facts["zone"], facts["serial"], facts["checked"]) == ("their.test", 0, None)
    run(corp_folder, capsys, "secondary", "refresh", "their.test", "--whole")
    assert (copies(corp_folder)["their.test"].asked, copies(corp_folder)["their.test"].asked_whole) == (1, 1)
    run(corp_folder, capsys, "transfer", "set", "their.test", "--to", "any")
    run(corp_folder, capsys, "secondary", "delete", "their.test")
    assert copies(corp_folder) == {}


@pytest.mark.parametrize(
    "words",
    [
        ("add", ZONE, "192.0.2.1"),
        ("add", "their.test", "ns.their.test"),
        ("add", "their.test", "192.0.2.1", "--key", "nobody"),
        ("add", "x" * 64 + ".test", "192.0.2.1"),
        ("refresh", "their.test"),
        ("delete", "their.test"),
    ],
)
def test_what_cannot_be_copied_is_refused(
    corp_folder: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    assert "Next step" in run(corp_folder, capsys, "secondary", *words, status=1)
    assert copies(corp_folder) == {}
