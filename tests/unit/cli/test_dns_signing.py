"""`addc dns sign`, `unsign`, `keys` and `ds`."""

import json
from pathlib import Path
from typing import Any

import pytest

from addc.cli.main import main

ZONE = "corp.example.com"


def run(folder: Path, capsys: pytest.CaptureFixture[str], *words: str, status: int = 0) -> str:
    assert main(["dns", *words, "--data-dir", str(folder)]) == status
    told = capsys.readouterr()
    return told.out + told.err


def facts(folder: Path, capsys: pytest.CaptureFixture[str], *words: str) -> Any:
    return json.loads(run(folder, capsys, *words, "--json"))


def test_a_zone_is_signed_and_tells_its_parent(corp_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "nothing was changed" in run(corp_folder, capsys, "sign", ZONE, "--dry-run")
    assert "is not signed" in run(corp_folder, capsys, "keys", "list", ZONE, status=1)
    done = run(corp_folder, capsys, "sign", ZONE)
    assert "signs the zone's keys" in done and "signs the zone's records" in done
    found = facts(corp_folder, capsys, "ds", ZONE)
    assert found["ds"][0] in done
    assert found["ds"][0].startswith(f"{ZONE}. IN DS ") and " 13 2 " in found["ds"][0]
    assert found["dnskey"][0].startswith(f"{ZONE}. IN DNSKEY 257 3 13 ")
    assert " 13 4 " in run(corp_folder, capsys, "ds", ZONE, "--digest", "sha384")
    keys = facts(corp_folder, capsys, "keys", "list", ZONE)
    assert [one["kind"] for one in keys["keys"]] == ["ksk", "zsk"]
    assert keys["key_master"] and all(one["next_step"] for one in keys["keys"])
    assert "is signed" in run(corp_folder, capsys, "sign", ZONE, status=1)
    assert "signed no more" in run(corp_folder, capsys, "unsign", ZONE)
    assert "is not signed" in run(corp_folder, capsys, "unsign", ZONE, status=1)


def test_keys_are_replaced_on_demand(corp_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(corp_folder, capsys, "sign", ZONE, "--algorithm", "ecdsap384", "--zsk-days", "0")
    before = facts(corp_folder, capsys, "keys", "list", ZONE)["keys"]
    assert before[0]["algorithm"] == "ecdsap384sha384" and not before[1]["next_step"]
    run(corp_folder, capsys, "keys", "roll", ZONE, "zsk", "--dry-run")
    assert facts(corp_folder, capsys, "keys", "list", ZONE)["keys"] == before
    assert "is being published" in run(corp_folder, capsys, "keys", "roll", ZONE, "zsk")
    assert "is being replaced" in run(corp_folder, capsys, "keys", "roll", ZONE, "ksk", status=1)
    after = facts(corp_folder, capsys, "keys", "list", ZONE)["keys"]
    (fresh,) = [one for one in after if one["does"] == "is published"]
    assert "signs corp" in run(corp_folder, capsys, "keys", "retire", ZONE, str(before[0]["tag"]), status=1)
    run(corp_folder, capsys, "keys", "retire", ZONE, str(fresh["tag"]))
    assert len(facts(corp_folder, capsys, "keys", "list", ZONE)["keys"]) == 2
    assert "waits for its parent" in run(corp_folder, capsys, "keys", "confirm", ZONE, status=1)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("sign", "none.test"), "There is no zone"),
        (("sign", ZONE, "--ksk-days", "3"), "not replaced after 3 days"),
        (("ds", ZONE), "is not signed"),
        (("keys", "roll", "none.test", "ksk"), "There is no zone"),
    ],
)
def test_what_cannot_be_done_is_told(
    corp_folder: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], told: str
) -> None:
    assert told in run(corp_folder, capsys, *words, status=1)
