"""`addc serve` as a person types it: what it says, in one sentence, when it cannot serve."""

import asyncio
import gc
import json
import shutil
import socket
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from addc.base.data_dir import CERTIFICATE_KEY_NAME, CONFIG_NAME, DATABASE_NAME, KEY_NAME, STATUS_NAME
from addc.cli.main import main
from addc.server.listeners import DNS, LDAP, LOOPBACK, UDP
from tests.kit.served import HEALTH, free_offset


@pytest.fixture
def data_dir(provisioned: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("KRB5_CONFIG", "/dev/null")  # serve sets it for its own process: this one
    monkeypatch.setattr("addc.server.logs.configure", lambda level: None)
    monkeypatch.setattr("addc.server.assembly._keep_to_itself", lambda: None)
    monkeypatch.setattr("addc.server.assembly._keep_to_itself", lambda: None)
    folder = tmp_path / "forest"
    shutil.copytree(provisioned, folder)
    return folder


def fails(data_dir: Path, capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """What is said on standard error by a serve that ends with 1."""
    capsys.readouterr()
    offset = str(free_offset())
    assert (
        main(["serve", "--data-dir", str(data_dir), "--listen", LOOPBACK, "--port-offset", offset, *words])
        == 1
    )
    out, err = capsys.readouterr()
    assert out == "" and err.startswith("addc: ") and err.count("\n") == 1 and "Traceback" not in err
    assert not (data_dir / STATUS_NAME).exists()
    assert gc.isenabled()
    return err


def configure(**more: object) -> Callable[[Path], object]:
    config = {"database": f"sqlite:///{DATABASE_NAME}", **more}
    return lambda folder: (folder / CONFIG_NAME).write_text(json.dumps(config))


def newer_schema(folder: Path) -> None:
    with sqlite3.connect(folder / DATABASE_NAME) as database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
    database.close()


def other_key(folder: Path) -> None:
    (folder / KEY_NAME).write_text("00" * 32)


def remove(name: str) -> Callable[[Path], object]:
    return lambda folder: (folder / name).unlink()


def junk(name: str) -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_text("junk")


@pytest.mark.parametrize("workers", ["0", "2"])
@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (other_key, "key does not fit"),
        (newer_schema, "install a newer program"),
        (remove(DATABASE_NAME), "addc provision"),
        (junk(DATABASE_NAME), "The database fails"),
        (junk(CERTIFICATE_KEY_NAME), "TLS certificate"),
    ],
)
def test_a_forest_that_cannot_be_served_is_told(
    data_dir: Path,
    capsys: pytest.CaptureFixture[str],
    spoil: Callable[[Path], object],
    said: str,
    workers: str,
) -> None:
    spoil(data_dir)
    assert said in fails(data_dir, capsys, "--workers", workers)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (shutil.rmtree, "addc provision"),
        (remove(CONFIG_NAME), "config.json is missing"),
        (remove(KEY_NAME), "restore"),
        (junk(KEY_NAME), "does not hold a key"),
        (junk("run"), "keys cannot be written"),
        (configure(host_ips=["nowhere"]), "'nowhere' is not an IP address"),
        (configure(listen="127.0.0.1"), "listen has to be a list"),
        (configure(allow_simple_bind_in_clear="no"), "true or false"),
        (configure(database=5), "has to be a URL"),
        (configure(database="mysql://localhost/x"), "no back end for 'mysql'"),
        (configure(dns_forwarders=["nowhere"]), "'nowhere' is no address"),
        (configure(ports=[]), "unknown: ports"),
    ],
)
def test_what_is_wrong_with_the_data_folder_is_told(
    data_dir: Path, capsys: pytest.CaptureFixture[str], spoil: Callable[[Path], object], said: str
) -> None:
    spoil(data_dir)
    assert said in fails(data_dir, capsys)


@pytest.mark.parametrize("workers", ["0", "2"])
@pytest.mark.parametrize("shares", [False, True])
@pytest.mark.parametrize("port", [DNS, LDAP, HEALTH])
def test_a_port_of_another_program_is_not_taken(
    data_dir: Path, capsys: pytest.CaptureFixture[str], port: int, shares: bool, workers: str
) -> None:
    """Not even if that program, of the same user, would let us."""
    kind = socket.SOCK_DGRAM if port in UDP else socket.SOCK_STREAM
    with socket.socket(socket.AF_INET, kind) as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, kind is socket.SOCK_STREAM)
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, shares)
        offset = free_offset()
        other.bind((LOOPBACK, port + offset))
        if port not in UDP:
            other.listen()
        words = ["--port-offset", str(offset), "--workers", workers]
        assert f"serves {LOOPBACK}:{port + offset} already" in fails(data_dir, capsys, *words)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--listen", "nowhere"], "not an IP address"),
        (["--listen", "192.0.2.1"], "no address 192.0.2.1"),
        (["--health-port", "60000"], "add up to more than"),
    ],
)
def test_a_wrong_option_is_told(
    data_dir: Path, capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    assert said in fails(data_dir, capsys, *words)


@pytest.mark.parametrize(
    "words", [["--workers", "-1"], ["--workers", "many"], ["--port-offset", "65000"], ["--log-level", "loud"]]
)
def test_a_value_that_no_server_could_have_ends_with_2(words: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["serve", *words])
    assert ended.value.code == 2


def test_a_failure_nobody_foresaw_is_a_bug_and_says_so(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def break_down(*_: object, **__: object) -> None:
        raise KeyError("x")

    monkeypatch.setattr(asyncio, "Runner", break_down)
    assert main(["serve", "--data-dir", str(data_dir)]) == 70
    assert "this is a bug: KeyError" in capsys.readouterr().err


@pytest.mark.parametrize("command", [[], ["serve"], ["status"], ["provision"]])
def test_help_is_there(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([*command, "--help"])
    assert ended.value.code == 0 and "usage: addc" in capsys.readouterr().out
