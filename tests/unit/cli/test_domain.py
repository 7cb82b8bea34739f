"""`addc domain`: facts of the domain, its functional levels, its rules for passwords."""

import json
from pathlib import Path

import pytest

from addc.cli.main import main
from addc.directory import password_policy
from addc.security.token import SYSTEM
from addc.server.offline import open_directory

_DAY = 864_000_000_000
_MINUTE = 600_000_000


def _run(folder: Path, capsys: pytest.CaptureFixture[str], *words: str, status: int = 0) -> str:
    assert main(["domain", *words, "--data-dir", str(folder)]) == status
    told = capsys.readouterr()
    return told.out + told.err


def _facts(folder: Path, capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, object]:
    assert main(["domain", *words, "--json", "--data-dir", str(folder)]) == 0
    found: dict[str, object] = json.loads(capsys.readouterr().out)
    return found


def test_the_domain_is_told(corp_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = _facts(corp_folder, capsys, "info")
    assert (told["domain"], told["netbios"], told["forest"]) == (
        "corp.example.com",
        "CORP",
        "corp.example.com",
    )
    assert (told["domain_level"], told["forest_level"], told["schema"]) == ("2016", "2016", 88)
    assert told["dcs"] == ["dc1.corp.example.com (Default-First-Site-Name)"]
    assert str(told["sid"]).startswith("S-1-5-21-")
    assert (told["machine_account_quota"], told["tombstone_days"]) == (10, 180)


def test_levels_follow_the_directory_s_rules(corp_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Spec: [MS-ADTS] 3.1.1.5.3.4."""
    assert _facts(corp_folder, capsys, "level", "show") == {
        "domain": "2016",
        "forest": "2016",
        "dcs_can": "2016",
    }
    told = _run(corp_folder, capsys, "level", "raise", "--domain", "2025", "--dry-run", status=1)
    assert "a DC is of a lower version" in told
    assert "does not sink" in _run(corp_folder, capsys, "level", "raise", "--domain", "2008", status=1)
    _run(corp_folder, capsys, "level", "raise", "--forest", "2012R2")
    assert _facts(corp_folder, capsys, "level", "show")["forest"] == "2012R2"
    told = _run(corp_folder, capsys, "level", "raise", "--forest", "2016", "--dry-run")
    assert "nothing was changed" in told
    assert "one of 2000" in _run(corp_folder, capsys, "level", "raise", "--forest", "3000", status=1)
    assert "--domain LEVEL" in _run(corp_folder, capsys, "level", "raise", status=1)


def test_rules_for_passwords_are_those_in_force(
    corp_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = _facts(corp_folder, capsys, "passwordsettings", "show")
    words = (
        "passwordsettings", "set", "--no-complexity", "--min-length", "12", "--history", "5",
        "--min-age", "2", "--max-age", "90", "--lockout-threshold", "4", "--lockout-duration", "20",
        "--lockout-window", "15",
    )  # fmt: skip
    _run(corp_folder, capsys, *words, "--dry-run")
    assert _facts(corp_folder, capsys, "passwordsettings", "show") == before
    _run(corp_folder, capsys, *words)
    assert _facts(corp_folder, capsys, "passwordsettings", "show") == {
        "complexity": False, "plain_text": False, "history": 5, "min_length": 12, "lockout_threshold": 4,
        "min_age_days": 2, "max_age_days": 90, "lockout_minutes": 20, "window_minutes": 15,
    }  # fmt: skip
    directory = open_directory(corp_folder)
    found = directory.read_now("test", SYSTEM, password_policy.domain_policy)
    directory.close()
    assert (found.minimum_length, found.history_length, found.complexity) == (12, 5, False)
    assert (found.minimum_age, found.maximum_age) == (2 * _DAY, 90 * _DAY)
    assert (found.lockout_duration, found.observation_window) == (20 * _MINUTE, 15 * _MINUTE)


def test_never_is_a_number_of_its_own(corp_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _run(corp_folder, capsys, "passwordsettings", "set", "--max-age", "0", "--lockout-duration", "0")
    told = _facts(corp_folder, capsys, "passwordsettings", "show")
    assert (told["max_age_days"], told["lockout_minutes"]) == (0, 0)
    directory = open_directory(corp_folder)
    found = directory.read_now("test", SYSTEM, password_policy.domain_policy)
    directory.close()
    assert (found.maximum_age, found.lockout_duration) == (0, 0)


def test_rules_that_contradict_each_other_are_refused(
    corp_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for words, told in (
        (("--min-age", "10", "--max-age", "5"), "in time"),
        (("--lockout-duration", "5", "--lockout-window", "15"), "forgotten"),
        (("--min-length", "300"), "0 to 256"),
        (("--history", "-1"), "0 to 1024"),
        ((), "Nothing is to be changed"),
    ):
        assert told in _run(corp_folder, capsys, "passwordsettings", "set", *words, status=1)
