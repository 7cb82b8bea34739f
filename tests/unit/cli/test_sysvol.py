"""`addc sysvol`: listed, read, exported, and imported as it was."""

import json
import os
from pathlib import Path

import pytest

from addc.cli.main import main
from addc.server.sysvol_commands import SIDECAR

SCRIPTS = "corp.example.com/scripts"


def _run(corp_folder: Path, capsys: pytest.CaptureFixture[str], *words: str, status: int = 0) -> str:
    assert main(["sysvol", *words, "--data-dir", str(corp_folder)]) == status
    told = capsys.readouterr()
    return told.out + told.err


def _tree(corp_folder: Path, capsys: pytest.CaptureFixture[str], path: str = "") -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads(_run(corp_folder, capsys, "ls", "-R", path, "--json"))
    return found


def test_folders_are_listed_and_files_are_read(corp_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "Policies/" in _run(corp_folder, capsys, "ls", "CORP.example.com")
    listed = _run(corp_folder, capsys, "ls", "corp.example.com\\policies", "--sddl")
    assert "O:DAG:DAD:P(A;OICI;FA;;;DA)" in listed
    path = "corp.example.com/Policies/{31B2F340-016D-11D2-945F-00C04FB984F9}/gpt.ini"
    assert _run(corp_folder, capsys, "cat", path) == "[General]\r\nVersion=3\r\n"
    assert "Next step" in _run(corp_folder, capsys, "cat", "nowhere", status=1)
    assert "folder" in _run(corp_folder, capsys, "cat", "corp.example.com", status=1)


def test_what_was_exported_comes_back_as_it_was(
    corp_folder: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    before = _tree(corp_folder, capsys)
    out = tmp_path / "out"
    _run(corp_folder, capsys, "export", str(out), "--dry-run")
    assert not out.exists()
    _run(corp_folder, capsys, "export", str(out))
    assert (out / SIDECAR).is_file()
    assert "0 changes" in _run(corp_folder, capsys, "import", str(out))
    empty = tmp_path / "empty"
    empty.mkdir()
    gone = json.loads(_run(corp_folder, capsys, "import", str(empty), "--mirror", "--json"))
    assert len(gone["removed"]) == len(before)
    assert _tree(corp_folder, capsys) == []
    _run(corp_folder, capsys, "import", str(out))
    assert [{**one, "written": 0} for one in _tree(corp_folder, capsys)] == [
        {**one, "written": 0} for one in before
    ]
    assert "Next step" in _run(corp_folder, capsys, "export", str(out), status=1)


def test_an_import_tells_what_it_would_do_and_does_it(
    corp_folder: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "in" / "sub").mkdir(parents=True)
    (tmp_path / "in" / "logon.bat").write_bytes(b"@echo off\r\n")
    (tmp_path / "in" / "sub" / "large.bin").write_bytes(os.urandom(9_000_000))
    words = ["import", str(tmp_path / "in"), "--to", SCRIPTS]
    told = json.loads(_run(corp_folder, capsys, *words, "--dry-run", "--json"))
    wanted = [f"{SCRIPTS}/logon.bat", f"{SCRIPTS}/sub", f"{SCRIPTS}/sub/large.bin"]
    assert sorted(told["made"]) == wanted and _tree(corp_folder, capsys, SCRIPTS) == []
    told = json.loads(_run(corp_folder, capsys, *words, "--json"))
    assert sorted(told["made"]) == wanted
    for one in _tree(corp_folder, capsys, SCRIPTS):
        assert str(one["sddl"]).startswith("O:LAG:BAD:AI(A;")
    assert "0 changes" in _run(corp_folder, capsys, *words)
    (tmp_path / "in" / "logon.bat").write_bytes(b"rem changed\r\n")
    (tmp_path / "in" / "sub" / "large.bin").write_bytes(os.urandom(9_000_001))
    told = json.loads(_run(corp_folder, capsys, *words, "--json"))
    assert sorted(told["changed"]) == [f"{SCRIPTS}/logon.bat", f"{SCRIPTS}/sub/large.bin"]
    _run(corp_folder, capsys, "export", str(tmp_path / "out"), "--from", SCRIPTS)
    for name in ("logon.bat", "sub/large.bin"):
        assert (tmp_path / "out" / name).read_bytes() == (tmp_path / "in" / name).read_bytes()


def test_links_and_bad_names_of_the_host_are_refused(
    corp_folder: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "link").symlink_to("/etc/passwd")
    assert "neither" in _run(corp_folder, capsys, "import", str(folder), status=1)
    (folder / "link").unlink()
    (folder / "a:b").write_bytes(b"")
    assert "Next step" in _run(corp_folder, capsys, "import", str(folder), status=1)


def test_descriptors_of_the_sidecar_are_given_back(
    corp_folder: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    _run(corp_folder, capsys, "export", str(out), "--from", "corp.example.com")
    sidecar = json.loads((out / SIDECAR).read_text())
    (scripts,) = [one for one in sidecar["entries"] if one["path"] == "scripts"]
    scripts["sddl"] = "O:DAG:DAD:P(A;OICI;FA;;;DA)"
    (out / SIDECAR).write_text(json.dumps(sidecar))
    told = json.loads(_run(corp_folder, capsys, "import", str(out), "--to", "corp.example.com", "--json"))
    assert told["changed"] == [SCRIPTS]
    listed = _run(corp_folder, capsys, "ls", "corp.example.com", "--sddl")
    assert "O:DAG:DAD:P(A;OICI;FA;;;DA)" in listed
    scripts["sddl"] = "no sddl"
    (out / SIDECAR).write_text(json.dumps(sidecar))
    told_again = _run(corp_folder, capsys, "import", str(out), "--to", "corp.example.com", status=1)
    assert "Next step" in told_again
