"""`addc check`: what it prints, what it changes, and its exit status."""

import json
import sqlite3
from pathlib import Path

import pytest

from addc.base.data_dir import CONFIG_NAME, DATABASE_NAME, KEY_NAME
from addc.cli.main import main
from tests.kit.databases import KEY


@pytest.fixture
def forest(corp_file: Path, tmp_path: Path) -> Path:
    """A data folder with a forest in it."""
    (tmp_path / DATABASE_NAME).write_bytes(corp_file.read_bytes())
    (tmp_path / CONFIG_NAME).write_text(json.dumps({"database": f"sqlite:///{DATABASE_NAME}"}))
    key = tmp_path / KEY_NAME
    key.write_bytes(KEY.reveal())
    key.chmod(0o600)
    return tmp_path


def _hurt(forest: Path) -> None:
    """An index key that no object has."""
    connection = sqlite3.connect(forest / DATABASE_NAME)
    with connection:
        connection.execute("DELETE FROM attr_index WHERE dnt = (SELECT max(dnt) FROM object)")
    connection.close()


def test_a_sound_forest_is_0(forest: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--data-dir", str(forest)]) == 0
    out = capsys.readouterr().out
    assert "0 findings" in out and "Next step" not in out


def test_damage_is_1_and_nothing_is_changed_unasked(forest: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _hurt(forest)
    assert main(["check", "--data-dir", str(forest)]) == 1
    assert "addc check --repair" in capsys.readouterr().out
    assert main(["check", "--data-dir", str(forest)]) == 1


def test_repair_mends_and_says_so(forest: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _hurt(forest)
    assert main(["check", "--repair", "--data-dir", str(forest)]) == 0
    assert "[mended]" in capsys.readouterr().out
    assert main(["check", "--data-dir", str(forest)]) == 0


def test_a_report_for_machines(forest: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _hurt(forest)
    assert main(["check", "--json", "--data-dir", str(forest)]) == 1
    report = json.loads(capsys.readouterr().out)
    assert report["objects"] > 2000 and report["open"] == len(report["findings"]) > 0
    assert report["findings"][0].keys() >= {"rule", "dnt", "where", "detail", "mendable", "outcome"}


def test_no_forest_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--data-dir", str(tmp_path)]) == 1
    assert "addc provision" in capsys.readouterr().err
