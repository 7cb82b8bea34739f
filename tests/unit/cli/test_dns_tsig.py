"""`addc dns tsig`: keys that tools sign with. Spec: RFC 8945 7, 8."""

import base64
import json
from pathlib import Path

import pytest

from addc.cli.main import main


def run(folder: Path, capsys: pytest.CaptureFixture[str], *words: str, status: int = 0) -> str:
    assert main(["dns", "tsig", *words, "--data-dir", str(folder)]) == status
    told = capsys.readouterr()
    return told.out + told.err


NEW = ("add", "Tool.Example.com.", "--right", "update", "--zone", "Corp.Example.com")


def test_a_key_is_made_shown_listed_and_ended(corp_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = run(corp_folder, capsys, *NEW)
    assert made.startswith('key "tool.example.com" {\n\talgorithm hmac-sha256;\n\tsecret "')
    assert run(corp_folder, capsys, "show", "TOOL.example.com") == made
    facts = json.loads(run(corp_folder, capsys, "show", "tool.example.com", "--json"))
    assert len(base64.b64decode(facts["secret"])) == 32
    listed = run(corp_folder, capsys, "list")
    assert "update of corp.example.com" in listed and facts["secret"] not in listed
    run(corp_folder, capsys, "delete", "tool.example.com")
    assert "There are no keys." in run(corp_folder, capsys, "list")


def test_a_secret_of_another_s_is_taken(
    corp_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    secret = tmp_path / "secret"
    secret.write_text(base64.b64encode(bytes(range(64))).decode() + "\n")
    words = ("add", "x", "--algorithm", "HMAC-SHA512", "--right", "transfer", "--zone", "*")
    made = run(corp_folder, capsys, *words, "--secret-file", str(secret))
    assert "hmac-sha512" in made and secret.read_text().strip() in made


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("add", "x", "--algorithm", "hmac-md5", "--right", "update", "--zone", "*"), "No algorithm"),
        (("add", "..", "--right", "update", "--zone", "*"), "is no name"),
        (("show", "x"), "There is no key x"),
        (("delete", "x"), "There is no key x"),
    ],
)
def test_what_cannot_be_is_told_with_the_next_step(
    corp_folder: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], told: str
) -> None:
    answer = run(corp_folder, capsys, *words, status=1)
    assert told in answer and "Next step:" in answer


def test_a_short_secret_is_refused(
    corp_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Denied: RFC 8945 8."""
    for text, told in (("c2hvcnQ=", "can be guessed"), ("not base64!", "not base64")):
        (tmp_path / "secret").write_text(text)
        answer = run(corp_folder, capsys, *NEW, "--secret-file", str(tmp_path / "secret"), status=1)
        assert told in answer


def test_a_key_is_made_once_and_tried_without_being_kept(
    corp_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(corp_folder, capsys, *NEW, "--dry-run")
    assert "There are no keys." in run(corp_folder, capsys, "list")
    run(corp_folder, capsys, *NEW)
    assert "There is a key" in run(corp_folder, capsys, *NEW, status=1)
    run(corp_folder, capsys, "delete", "tool.example.com", "--dry-run")
    assert "tool.example.com" in run(corp_folder, capsys, "list")
