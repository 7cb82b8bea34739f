"""`addc serve` as a process of this machine, on loopback and on ports that nobody uses.

For what only a real process can show: ports, workers, signals, exit statuses, words on standard error.
"""

import fcntl
import http.client
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self, cast

import pytest

from addc.base.ids import MessageId
from addc.cli.main import main
from addc.codec.filter import Present
from addc.ldap import messages as m
from addc.server import listeners
from addc.server.config import Ports

REALM: Final = "SERVED.EXAMPLE.COM"
DOMAIN_DN: Final = "DC=served,DC=example,DC=com"
PASSWORD: Final = "Adm1n.Passw0rd"
ADMIN: Final = f"Administrator@{REALM}"
HEALTH: Final = 8389
ADDC: Final = [sys.executable, "-m", "addc.cli.main"]
_OFFSETS: Final = range(10_500, 24_000, 700)
"""Above the well-known ports and below those that connections draw; no two of them make the same port."""
_PATIENCE_S: Final = 60.0


@pytest.fixture(scope="session")
def provisioned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A forest's data folder that nobody serves: copy it."""
    return provision_below(tmp_path_factory.mktemp("served"))


def provision_below(scene: Path, *more: str) -> Path:
    """Provision REALM with more options of the command; its data folder."""
    (scene / "password").write_text(PASSWORD)
    words = ["provision", "--realm", REALM, "--host-name", "dc1", "--host-ip", "127.0.0.1", *more]
    words += ["--admin-password-file", str(scene / "password"), "--data-dir", str(scene / "forest")]
    assert main(words) == 0
    return scene / "forest"


_HELD: Final[set[int]] = set()
"""The offsets that this test run has drawn so far; their locks stay open until it ends."""


def free_offset() -> int:
    """An offset at which every port is free now, and which no other test run draws."""
    for offset in _OFFSETS:
        if offset not in _HELD:
            name = Path(tempfile.gettempdir()) / f"addc-test-{os.getuid()}-{offset}.lock"
            lock = os.open(name, os.O_RDWR | os.O_CREAT, 0o600)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(lock)
                continue
            _HELD.add(offset)
        ports = [(port, socket.SOCK_STREAM) for port in (*listeners.TCP, HEALTH)]
        ports += [(port, socket.SOCK_DGRAM) for port in listeners.UDP]
        if all(_is_free(port + offset, kind) for port, kind in ports):
            return offset
    raise AssertionError("no free ports")


def _is_free(port: int, kind: socket.SocketKind) -> bool:
    with socket.socket(socket.AF_INET, kind) as probe:
        if (
            kind is socket.SOCK_STREAM
        ):  # past connections of other tests do not count, as they do not for a server
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((listeners.LOOPBACK, port))
        except OSError:
            return False
    return True


@dataclass(slots=True)
class Served:
    """A serving process, its data folder and its log."""

    process: "subprocess.Popen[bytes]"
    data_dir: Path
    log: Path
    ports: Ports

    def report(self) -> dict[str, object]:
        """What /readyz says on a fresh connection."""
        connection = http.client.HTTPConnection(listeners.LOOPBACK, self.ports.of(HEALTH), timeout=10)
        connection.request("GET", "/readyz")
        report = json.loads(connection.getresponse().read())
        connection.close()
        return cast(dict[str, object], report)

    def workers(self, count: int) -> dict[int, int]:
        """Worker number -> pid, asked until `count` ready ones have answered."""
        found: dict[int, int] = {}
        deadline = time.monotonic() + _PATIENCE_S
        while len(found) < count and time.monotonic() < deadline:
            report = self.report()
            found[cast(int, report["worker"])] = cast(int, report["pid"])
        assert len(found) == count
        return found

    def stop(self) -> int:
        """SIGTERM; the exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(_PATIENCE_S)

    def lines(self) -> list[dict[str, object]]:
        """The log, each line of which has to be JSON."""
        return [json.loads(line) for line in self.log.read_text().splitlines()]


def start(data_dir: Path, *words: str, addc: Sequence[str | Path] = ADDC) -> Served:
    """Serve, and wait until it is ready; on other ports if somebody takes these meanwhile."""
    log = data_dir.parent / "serve.log"
    deadline = time.monotonic() + _PATIENCE_S
    while time.monotonic() < deadline:
        ports = Ports(free_offset())
        command = [*addc, "serve", "--data-dir", data_dir, "--listen", listeners.LOOPBACK, *words]
        with log.open("wb") as output:
            process = subprocess.Popen([*command, "--port-offset", str(ports.offset)], stderr=output)
        served = Served(process, data_dir, log, ports)
        if _becomes_ready(served, deadline):
            return served
        assert "serves" in log.read_text(), log.read_text()
    raise AssertionError(f"not ready in time: {log.read_text()}")


def _becomes_ready(served: Served, deadline: float) -> bool:
    while time.monotonic() < deadline and served.process.poll() is None:
        try:
            if served.report()["ready"]:
                return True
        except OSError:
            time.sleep(0.01)
    return False


class LdapLine:
    """One LDAP connection, a request at a time."""

    def __init__(self, port: int, *, tls: bool | ssl.SSLContext = False) -> None:
        """tls: True for TLS with whoever answers."""
        self.sock: socket.socket = socket.create_connection((listeners.LOOPBACK, port), timeout=_PATIENCE_S)
        if tls is True:
            tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            tls.check_hostname, tls.verify_mode = False, ssl.CERT_NONE
        if tls:
            self.sock = tls.wrap_socket(self.sock)
        self._held = b""
        self._last = 0

    def send(self, op: m.Request) -> None:
        self._last += 1
        self.sock.sendall(m.LdapMessage(MessageId(self._last), op).pack())

    def take(self) -> m.Request | m.Response:
        """The next message's operation; EOFError at the end of the connection."""
        return self.take_message().protocol_op

    def take_message(self) -> m.LdapMessage:
        """The next message, whole; EOFError at the end of the connection."""
        while (size := _whole(self._held)) == 0:
            chunk = self.sock.recv(65_536)
            if not chunk:
                raise EOFError
            self._held += chunk
        message, self._held = m.LdapMessage.unpack(self._held[:size]), self._held[size:]
        return message

    def ask(self, op: m.Request) -> m.Request | m.Response:
        self.send(op)
        return self.take()

    def bind(self) -> None:
        answer = self.ask(m.BindRequest(3, ADMIN, m.SimpleAuth(PASSWORD.encode())))
        assert isinstance(answer, m.BindResponse) and answer.result_code == 0, answer

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.sock.close()


def _whole(data: bytes) -> int:
    """The size of the first element, 0 while it is incomplete."""
    if len(data) < 2:
        return 0
    width = data[1] & 0x7F if data[1] & 0x80 else 0
    size = 2 + width + (int.from_bytes(data[2 : 2 + width], "big") if width else data[1])
    return size if len(data) >= size else 0


ROOT_DSE: Final = m.SearchRequest("", 0, 0, 0, 0, False, Present("objectClass"), ("dnsHostName",))
