"""`addc gpo`: policies are made, linked, kept, put back and checked with their folders."""

import json
from pathlib import Path

import pytest

from addc.cli.main import main
from addc.directory.gpo_objects import DEFAULT_DOMAIN_POLICY
from tests.kit.corp_forest import DOMAIN_DN


def _run(corp_folder: Path, capsys: pytest.CaptureFixture[str], *words: str, status: int = 0) -> str:
    assert main(["gpo", *words, "--data-dir", str(corp_folder)]) == status
    told = capsys.readouterr()
    return told.out + told.err


def _facts(corp_folder: Path, capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, object]:
    found: dict[str, object] = json.loads(_run(corp_folder, capsys, *words, "--json"))
    return found


def test_the_default_policies_are_told(corp_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "Default Domain Policy" in _run(corp_folder, capsys, "list")
    shown = _facts(corp_folder, capsys, "show", DEFAULT_DOMAIN_POLICY)
    assert shown["links"] == [DOMAIN_DN] and shown["version_in_file"] == 3
    assert "GPT.INI" in str(shown["files"])
    assert "machine version    3" in _run(corp_folder, capsys, "show", "default domain policy")


def test_a_policy_is_made_linked_and_ended(corp_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _run(corp_folder, capsys, "create", "Sales", "--dry-run")
    assert "Sales" not in _run(corp_folder, capsys, "list")
    made = _facts(corp_folder, capsys, "create", "Sales")
    assert made["links"] == []
    told = _run(corp_folder, capsys, "link", "Sales", "corp.example.com", "--enforced")
    assert "Default Domain Policy; Sales (enforced)" in told
    assert _facts(corp_folder, capsys, "show", "Sales")["links"] == [DOMAIN_DN]
    told = _run(corp_folder, capsys, "unlink", "Sales", DOMAIN_DN)
    assert "Sales" not in told
    _run(corp_folder, capsys, "delete", "Sales", "--dry-run")
    _run(corp_folder, capsys, "delete", "Sales")
    assert "Next step" in _run(corp_folder, capsys, "show", "Sales", status=1)


def test_a_policy_is_kept_and_put_back(
    corp_folder: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    made = _facts(corp_folder, capsys, "create", "Sales")
    _run(corp_folder, capsys, "link", "Sales", DOMAIN_DN)
    script = tmp_path / "in" / "USER" / "Scripts"
    script.mkdir(parents=True)
    (script / "logon.cmd").write_bytes(b"echo hello\r\n")
    words = ["sysvol", "import", str(tmp_path / "in"), "--to", str(made["path"])]
    assert main([*words, "--data-dir", str(corp_folder)]) == 0
    capsys.readouterr()
    place = str(_facts(corp_folder, capsys, "backup", "Sales", str(tmp_path / "kept"))["folder"])
    _run(corp_folder, capsys, "delete", "Sales")
    _run(corp_folder, capsys, "restore", place, "--dry-run")
    assert "Sales" not in _run(corp_folder, capsys, "list")
    again = _facts(corp_folder, capsys, "restore", place, "--links")
    assert (again["guid"], again["links"]) == (made["guid"], [DOMAIN_DN])
    shown = _facts(corp_folder, capsys, "show", "Sales")
    assert "USER/Scripts/logon.cmd" in str(shown["files"])
    copy = _facts(corp_folder, capsys, "restore", place, "--new-name", "Copy of Sales")
    assert copy["guid"] != made["guid"]
    assert "0 findings" in _run(corp_folder, capsys, "check")


def test_restoring_makes_a_changed_policy_what_it_was_and_clients_read_it_again(
    corp_folder: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    before = _facts(corp_folder, capsys, "show", DEFAULT_DOMAIN_POLICY)
    place = str(
        _facts(corp_folder, capsys, "backup", DEFAULT_DOMAIN_POLICY, str(tmp_path / "kept"))["folder"]
    )
    more = tmp_path / "more"
    more.mkdir()
    (more / "extra.txt").write_bytes(b"x")
    assert main(
        ["sysvol", "import", str(more), "--to", str(before["path"]), "--data-dir", str(corp_folder)]
    ) == 0  # fmt: skip
    capsys.readouterr()
    after = _facts(corp_folder, capsys, "restore", place)
    assert after["machine_version"] == after["version_in_file"] == 4
    shown = _facts(corp_folder, capsys, "show", DEFAULT_DOMAIN_POLICY)
    assert (shown["files"], shown["sddl"]) == (before["files"], before["sddl"])


def test_what_is_no_backup_is_refused(
    corp_folder: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "gpo.json").write_text("{}")
    assert "no backup" in _run(corp_folder, capsys, "restore", str(tmp_path), status=1)


def test_a_default_policy_is_ended_only_by_force(
    corp_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "Next step" in _run(corp_folder, capsys, "delete", DEFAULT_DOMAIN_POLICY, status=1)
    _run(corp_folder, capsys, "delete", DEFAULT_DOMAIN_POLICY, "--force")
    assert "Default Domain Policy" not in _run(corp_folder, capsys, "list")


def test_a_link_that_is_not_there_cannot_be_ended(
    corp_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = _run(corp_folder, capsys, "unlink", "Default Domain Controllers Policy", DOMAIN_DN, status=1)
    assert "not linked" in told
