"""`addc check`: what it prints, what it changes, and its exit status."""

import json
import sqlite3
from pathlib import Path

import pytest

from addc.base.data_dir import DATABASE_NAME
from addc.cli.main import main


def _hurt(corp_folder: Path) -> None:
    """An index key that no object has."""
    connection = sqlite3.connect(corp_folder / DATABASE_NAME)
    with connection:
        connection.execute("DELETE FROM attr_index WHERE dnt = (SELECT max(dnt) FROM object)")
    connection.close()


def test_a_sound_forest_is_0(corp_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--data-dir", str(corp_folder)]) == 0
    out = capsys.readouterr().out
    assert "0 findings" in out and "Next step" not in out


def test_damage_is_1_and_nothing_is_changed_unasked(
    corp_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _hurt(corp_folder)
    assert main(["check", "--data-dir", str(corp_folder)]) == 1
    assert "addc check --repair" in capsys.readouterr().out
    assert main(["check", "--data-dir", str(corp_folder)]) == 1


def test_repair_mends_and_says_so(corp_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _hurt(corp_folder)
    assert main(["check", "--repair", "--data-dir", str(corp_folder)]) == 0
    assert "[mended]" in capsys.readouterr().out
    assert main(["check", "--data-dir", str(corp_folder)]) == 0


def test_a_report_for_machines(corp_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _hurt(corp_folder)
    assert main(["check", "--json", "--data-dir", str(corp_folder)]) == 1
    report = json.loads(capsys.readouterr().out)
    assert report["objects"] > 2000 and report["open"] == len(report["findings"]) > 0
    assert report["findings"][0].keys() >= {"rule", "dnt", "where", "detail", "mendable", "outcome"}


def test_no_forest_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--data-dir", str(tmp_path)]) == 1
    assert "addc provision" in capsys.readouterr().err
