"""`addc dns import` and `export`: zones as master files, both ways."""

import io
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from addc.base.errors import UserError
from addc.cli.main import main
from addc.codec.dns_names import parse_name
from addc.codec.zone_file import parse_zone
from addc.server.admin.local import LocalTarget
from addc.server.admin.target import Operation
from tests.kit.dns_samples import OURS, TEXTS

ZONE = "corp.example.com"


def _run(folder: Path, capsys: pytest.CaptureFixture[str], *words: str, status: int = 0) -> str:
    assert main(["dns", *words, "--data-dir", str(folder)]) == status
    told = capsys.readouterr()
    return told.out + told.err


def _import(folder: Path, capsys: pytest.CaptureFixture[str], text: str, *words: str) -> dict[str, object]:
    file = folder / "zone.txt"
    file.write_text(text)
    found: dict[str, object] = json.loads(_run(folder, capsys, "import", ZONE, str(file), "--json", *words))
    return found


def _export(folder: Path, capsys: pytest.CaptureFixture[str]) -> str:
    return _run(folder, capsys, "export", ZONE)


def _counts(facts: dict[str, object]) -> tuple[object, ...]:
    return tuple(facts[f"names_{kind}"] for kind in ("added", "changed", "ended", "unchanged"))


_NOT_ASKED = frozenset(
    ("SOA", "NS", "MD", "MF", "RRSIG", "NSEC", "NSEC3", "NSEC3PARAM", "DNSKEY", "CDS", "CDNSKEY", "ZONEMD")
)
"""Of the zone itself, of its signing, or written as something else."""


def _every_type() -> str:
    texts = [one for one in (*TEXTS, *OURS) if one[0] not in _NOT_ASKED]
    return "".join(f"every{at} 60 IN {kind} {text}\n" for at, (kind, text) in enumerate(texts))


def test_what_is_exported_is_there_already(corp_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Neither a name nor the serial changes."""
    text = _export(corp_folder, capsys)
    facts = _import(corp_folder, capsys, text, "--replace")
    added, changed, ended, unchanged = _counts(facts)
    assert (added, changed, ended) == (0, 0, 0) and unchanged
    assert _export(corp_folder, capsys) == text


def test_records_of_every_type_come_back(corp_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """[MS-DNSP] 2.2.2.2.4: kept in the directory, written again as they were read."""
    text = _every_type()
    facts = _import(corp_folder, capsys, text)
    assert facts["names_added"] == text.count("\n") and facts["left_out"] == []
    apex = parse_name(ZONE)
    held = {
        (one.owner, one.type, one.ttl_s): one.data
        for one in parse_zone(_export(corp_folder, capsys), ()).records
    }
    for one in parse_zone(text, apex).records:
        assert held[one.owner, one.type, one.ttl_s] == one.data


def test_an_export_may_be_a_new_file(corp_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = corp_folder / "exported"
    told = _run(corp_folder, capsys, "export", ZONE, "--output", str(file))
    assert "records of corp.example.com" in told and file.read_text() == _export(corp_folder, capsys)
    assert "that is not there" in _run(corp_folder, capsys, "export", ZONE, "--output", str(file), status=1)


def test_mail_records_of_1983_are_exported_as_what_they_stand_for(
    corp_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """RFC 1035 3.3.4, 3.3.5"""
    _import(corp_folder, capsys, "x MD a.test.\ny MF a.test.\n")
    held = _export(corp_folder, capsys)
    assert "x\t3600\tIN\tMX\t0 a.test." in held and "y\t3600\tIN\tMX\t10 a.test." in held


def test_a_dry_run_changes_nothing(corp_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = _export(corp_folder, capsys)
    facts = _import(corp_folder, capsys, "new A 192.0.2.1\n", "--dry-run")
    assert facts["done"] is False and facts["names_added"] == 1
    assert _export(corp_folder, capsys) == before


def test_the_files_sets_take_the_place_of_the_zones(
    corp_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of a name and a type that it has; other types of the name stay, --replace ends them."""
    _import(corp_folder, capsys, "x A 192.0.2.1\nx TXT old\ny A 192.0.2.2\n")
    assert _counts(_import(corp_folder, capsys, "x A 192.0.2.9\n"))[:3] == (0, 2, 0)  # and the SOA
    held = _export(corp_folder, capsys)
    assert "x\t3600\tIN\tA\t192.0.2.9" in held and "192.0.2.1\n" not in held and '"old"' in held
    facts = _import(corp_folder, capsys, "x A 192.0.2.9\n", "--replace")
    assert int(str(facts["names_ended"])) >= 1
    held = _export(corp_folder, capsys)
    assert '"old"' not in held and "y\t" not in held
    assert "\tNS\t" in held and held.count("\tSOA\t") == 1
    assert _import(corp_folder, capsys, "y A 192.0.2.2\n")["names_added"] == 1  # the tombstone wakes up


def test_serials_are_raised_once_or_are_the_files(
    corp_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """RFC 1982 3"""
    soa = "@ 1200 IN SOA elsewhere.test. admin.test. {} 1 2 3 4\n"
    first = int(str(_import(corp_folder, capsys, "x A 192.0.2.1\n")["serial"]))
    assert _import(corp_folder, capsys, "z A 192.0.2.1\n")["serial"] == first + 1
    assert _import(corp_folder, capsys, soa.format(2026010100) + "x A 192.0.2.3\n")["serial"] == 2026010100
    assert _import(corp_folder, capsys, soa.format(7) + "x A 192.0.2.4\n")["serial"] == 2026010101
    (line,) = [one for one in _export(corp_folder, capsys).split("\n") if "\tSOA\t" in one]
    assert "elsewhere" not in line and line.endswith("admin.test. 2026010101 1 2 3 4")


def test_what_has_no_place_is_left_out_and_told(
    corp_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = "@ NS old.example.\nout.test. A 192.0.2.1\na\\.b A 192.0.2.1\n"
    text += "@ NSEC3PARAM 1 0 0 -\nsub SOA a b 1 2 3 4 5\n"
    facts = _import(corp_folder, capsys, text)
    left_out = facts["left_out"]
    assert isinstance(left_out, list) and len(left_out) == 5
    assert [one.rpartition(": ")[2] for one in left_out] == [
        "the zone's servers are its DCs", "not of this zone", "a name that no node of the directory has",
        "addc dns sign", "not at the zone's name",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("x CNAME a\nx A 192.0.2.1\n", "An alias has no other records"),
        ("\nx A 1.2.3\n", "line 2"),
        ("$INCLUDE x\n", "one file"),
    ],
)
def test_files_that_are_no_zone_are_refused(
    corp_folder: Path, capsys: pytest.CaptureFixture[str], text: str, told: str
) -> None:
    file = corp_folder / "zone.txt"
    file.write_text(text)
    before = _export(corp_folder, capsys)
    assert told in _run(corp_folder, capsys, "import", ZONE, str(file), status=1)
    assert _export(corp_folder, capsys) == before
    assert "cannot be read" in _run(corp_folder, capsys, "import", ZONE, str(file) + "x", status=1)


def test_input_is_read(
    corp_folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"x A 192.0.2.1\n")))
    assert "1 names added" in _run(corp_folder, capsys, "import", ZONE, "-")


def test_an_import_that_stops_tells_how_far_it_came(
    corp_folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same import again does the rest."""
    file = corp_folder / "zone.txt"
    file.write_text("".join(f"part{number} 60 IN A 192.0.2.{number}\n" for number in range(5)))
    monkeypatch.setattr("addc.server.admin.dns_files._CHUNK", 2)
    with monkeypatch.context() as patched:
        done: list[int] = []
        apply = LocalTarget.apply

        def fail(self: LocalTarget, operations: Sequence[Operation], *, dry_run: bool = False) -> None:
            if done:
                raise UserError("The disk is full. Next step: make room")
            done.append(len(operations))
            apply(self, operations, dry_run=dry_run)

        patched.setattr(LocalTarget, "apply", fail)
        told = _run(corp_folder, capsys, "import", ZONE, str(file), status=1)
        assert "2 names were written" in told and "disk is full" in told
    assert _counts(_import(corp_folder, capsys, file.read_text()))[0] == 3
