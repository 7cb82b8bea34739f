"""`addc status` without a server, and with one that is in trouble. With a sound one: test_serving.py."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from addc.base.data_dir import STATUS_NAME
from addc.cli.main import main


def note(data_dir: Path, text: str) -> None:
    (data_dir / STATUS_NAME).parent.mkdir(exist_ok=True)
    (data_dir / STATUS_NAME).write_text(text)


@contextmanager
def server(data_dir: Path, *answers: bytes) -> Iterator[None]:
    """Answers each connection with the next bytes; with a reset for none."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            for answer in answers:
                connection, _ = listener.accept()
                with connection:
                    if not answer:  # closing with unread bytes resets
                        connection.recv(1)
                        continue
                    connection.recv(65_536)
                    connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        note(data_dir, json.dumps({"health_port": listener.getsockname()[1], "pid": 1}))
        yield
        thread.join()


def http(status: int, body: str) -> bytes:
    return f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()


READY = http(200, json.dumps({"ready": True, "uptime_s": 5, "serving": ["tcp ::1 389"]}))


def test_a_report_for_people_and_for_machines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with server(tmp_path, READY, READY):
        assert main(["status", "--data-dir", str(tmp_path)]) == 0
        assert capsys.readouterr().out == "ready: yes\nuptime s: 5\nserving: \n  tcp ::1 389\n"
        assert main(["status", "--data-dir", str(tmp_path), "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["uptime_s"] == 5


def test_a_server_that_is_not_ready_is_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with server(tmp_path, http(503, '{"ready": false, "error": "the database does not answer"}')):
        assert main(["status", "--data-dir", str(tmp_path)]) == 1
    assert "ready: no\nerror: the database" in capsys.readouterr().out


def test_a_worker_that_dies_meanwhile_is_not_the_end(tmp_path: Path) -> None:
    with server(tmp_path, b"", b"", READY):
        assert main(["status", "--data-dir", str(tmp_path)]) == 0


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ([b"", b"", b""], "drops connections"),
        ([b"SSH-2.0-x\r\n"], "does not answer"),
        ([http(200, "<html>")], "does not answer"),
        ([http(200, "[]")] * 3, "Something else answers"),
    ],
)
def test_what_is_no_answer_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], answers: list[bytes], said: str
) -> None:
    with server(tmp_path, *answers):
        assert main(["status", "--data-dir", str(tmp_path)]) == 1
    error = capsys.readouterr().err
    assert said in error and "Next step" in error


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "not a server's note"),
        ("[]", "not a server's note"),
        ('{"health_port": 0}', "--health-port 0"),
        ('{"health_port": 1}', "does not answer on port 1"),
    ],
)
def test_a_note_of_no_use_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, said: str
) -> None:
    note(tmp_path, text)
    assert main(["status", "--data-dir", str(tmp_path)]) == 1
    assert said in capsys.readouterr().err


def test_no_server_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["status", "--data-dir", str(tmp_path)]) == 1
    assert f"addc serve --data-dir {tmp_path}" in capsys.readouterr().err
