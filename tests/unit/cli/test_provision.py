"""`addc provision` as a person types it."""

import io
import json
import os
import signal
import sys
from pathlib import Path

import pytest

from addc.cli.main import main
from addc.cli.provision import PASSWORD_VARIABLE
from addc.provision.admin_password import check_admin_password, generate_admin_password
from tests.kit.corp_forest import ADMIN_PASSWORD, CountingRng

WORDS = ["provision", "--realm", "corp.example.com", "--host-name", "dc1", "--host-ip", "192.0.2.10"]


@pytest.fixture(autouse=True)
def _no_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(PASSWORD_VARIABLE, raising=False)


def test_a_forest_is_made_and_described(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(PASSWORD_VARIABLE, ADMIN_PASSWORD)
    assert main([*WORDS, "--data-dir", str(tmp_path / "forest")]) == 0
    out, err = capsys.readouterr()
    assert "CORP.EXAMPLE.COM" in out and f"addc serve --data-dir {tmp_path / 'forest'}" in out
    assert "adding" in err and ADMIN_PASSWORD not in out + err
    assert PASSWORD_VARIABLE not in os.environ


def test_machines_read_json(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ADDC_DATA_DIR", str(tmp_path / "forest"))
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    assert main([*WORDS, "--json", "--dry-run", "--dns-forwarder", "192.0.2.53"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["netbios_domain"] == "CORP" and report["dns_forwarders"] == ["192.0.2.53"]
    assert report["addresses"] == ["192.0.2.10"]
    assert not (tmp_path / "forest").exists()


def test_a_made_up_password_is_shown_once_and_fits_the_policy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    assert main([*WORDS, "--dry-run", "--json", "--data-dir", str(tmp_path / "forest")]) == 0
    shown = json.loads(capsys.readouterr().out)["admin_password"]
    assert len(shown) == 24
    for seed in range(200):
        check_admin_password(generate_admin_password(CountingRng(seed.to_bytes(2, "big"))))


@pytest.mark.parametrize("name", ["file", "-"])
def test_a_password_is_the_first_line_of_its_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    content = ADMIN_PASSWORD.encode() + b"\r\nsecond line\n"
    (tmp_path / "file").write_bytes(content)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
    where = name if name == "-" else str(tmp_path / name)
    assert main([*WORDS, "--dry-run", "--data-dir", str(tmp_path / "f"), "--admin-password-file", where]) == 0
    assert "admin password" not in capsys.readouterr().out


@pytest.mark.parametrize("password", ["short1A", "alllowercase", "Administrator1!", "12345678", ""])
def test_a_weak_password_is_refused_with_the_rules(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], password: str
) -> None:
    (tmp_path / "file").write_text(password)
    words = [*WORDS, "--data-dir", str(tmp_path / "f"), "--admin-password-file", str(tmp_path / "file")]
    if password == "short1A":
        (tmp_path / "file").write_text("sh0rT!")
    assert main(words) == 1
    error = capsys.readouterr().err
    assert "is refused" in error and "Next step" in error
    assert os.listdir(tmp_path) == ["file"]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--realm", "SINGLE"], "cannot be a realm"),
        (["--domain", "TOO.LONG"], "NetBIOS"),
        (["--host-name", "corp"], "both called"),
        (["--host-ip", "nonsense"], "not an IP address"),
        (["--site", "a b"], "site name"),
        (["--dns-forwarder", "x"], "no DNS forwarder"),
        (["--admin-password-file", "/nonexistent/file"], "cannot be read"),
    ],
)
def test_wrong_answers_are_refused_before_anything_is_made(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], more: list[str], said: str
) -> None:
    assert main([*WORDS, "--data-dir", str(tmp_path / "f"), *more]) == 1
    error = capsys.readouterr().err
    assert said in error and "Next step" in error and "Traceback" not in error
    assert os.listdir(tmp_path) == []


def test_a_folder_in_use_is_refused_before_a_password_is_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine").write_text("x")
    assert main([*WORDS, "--data-dir", str(tmp_path)]) == 1
    assert "will not be overwritten" in capsys.readouterr().err


def test_sigterm_unwinds_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(PASSWORD_VARIABLE, ADMIN_PASSWORD)

    def create(*_: object) -> None:
        os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr("addc.provision.command.create_forest", create)
    assert main([*WORDS, "--data-dir", str(tmp_path / "forest")]) == 130
    assert "interrupted" in capsys.readouterr().err and os.listdir(tmp_path) == []
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
