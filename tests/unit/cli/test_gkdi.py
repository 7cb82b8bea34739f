"""`addc gkdi`: root keys are made and told, their secrets never."""

import json
from pathlib import Path
from uuid import UUID

import pytest

from addc.cli.main import main


def _run(corp_folder: Path, capsys: pytest.CaptureFixture[str], *words: str, status: int = 0) -> str:
    assert main(["gkdi", *words, "--data-dir", str(corp_folder)]) == status
    told = capsys.readouterr()
    return told.out + told.err


def test_a_new_forest_has_a_key_that_serves_at_once(
    corp_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (key,) = json.loads(_run(corp_folder, capsys, "list", "--json"))
    assert key["use_start_time"] < key["created"]
    assert (key["hash"], key["secret_agreement"], key["public_key_bits"]) == ("sha512", "DH", 2048)
    assert key["id"] in _run(corp_folder, capsys, "list")
    assert "sha512" in _run(corp_folder, capsys, "show", key["id"])


def test_keys_are_made_for_now_for_later_and_for_a_time(
    corp_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = json.loads(_run(corp_folder, capsys, "create-root-key", "--effective-now", "--json"))
    later = json.loads(_run(corp_folder, capsys, "create-root-key", "--json"))
    fixed = json.loads(
        _run(corp_folder, capsys, "create-root-key", "--effective-time", "2031-02-03T04:05:06Z", "--json")
    )
    assert (
        made["use_start_time"] < later["use_start_time"] < fixed["use_start_time"] == "2031-02-03T04:05:06Z"
    )
    known = {one["id"] for one in json.loads(_run(corp_folder, capsys, "list", "--json"))}
    assert {made["id"], later["id"], fixed["id"]} < known
    assert str(UUID(made["id"])) == made["id"]


def test_a_dry_run_makes_nothing(corp_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = _run(corp_folder, capsys, "list", "--json")
    assert "nothing was changed" in _run(corp_folder, capsys, "create-root-key", "--dry-run")
    assert _run(corp_folder, capsys, "list", "--json") == before


def test_what_is_wrongly_asked_is_told_with_the_next_step(
    corp_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = _run(corp_folder, capsys, "show", str(UUID(int=7)), status=1)
    assert "Next step: addc gkdi list" in told
    told = _run(corp_folder, capsys, "create-root-key", "--effective-time", "tomorrow", status=1)
    assert "Next step" in told
