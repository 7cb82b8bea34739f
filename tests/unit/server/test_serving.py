"""`addc serve` as a process: its ports, its workers, its end."""

import json
import os
import re
import shutil
import signal
import socket
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import dns.message
import dns.query
import pytest

from addc.auth.keytab import unpack_keytab
from addc.base.clock import SystemClock
from addc.base.data_dir import DATABASE_NAME, STATUS_NAME
from addc.base.ids import MessageId
from addc.cli.main import main
from addc.cli.provision import PASSWORD_VARIABLE
from addc.ldap import messages as m
from addc.server.listeners import DNS, GC, GC_TLS, KERBEROS, KPASSWD, LDAP, LDAPS, LOOPBACK
from tests.kit.kerberos_messages import (
    AS_REP,
    CHANGE_PASSWORD,
    KRB_ERROR,
    as_req,
    granted,
    kpasswd_req,
    login,
)
from tests.kit.served import DOMAIN_DN, PASSWORD, REALM, ROOT_DSE, LdapLine, Served, start


@pytest.fixture
def data_dir(provisioned: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "forest"
    shutil.copytree(provisioned, folder)
    return folder


@pytest.fixture(params=["0", "2"])
def served(request: pytest.FixtureRequest, data_dir: Path) -> Iterator[Served]:
    found = start(data_dir, "--workers", request.param)
    yield found
    found.process.kill()
    found.process.wait()


def ask_udp(port: int, data: bytes) -> bytes:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(20)
        sock.connect((LOOPBACK, port))
        sock.send(data)
        return sock.recv(65_536)


def ask_tcp(port: int, data: bytes) -> bytes:
    with socket.create_connection((LOOPBACK, port), timeout=20) as sock:
        sock.sendall(len(data).to_bytes(4, "big") + data)
        with sock.makefile("rb") as stream:
            return stream.read(int.from_bytes(stream.read(4), "big"))


def test_every_port_answers_whichever_worker_gets_the_call(served: Served) -> None:
    of = served.ports.of
    question = dns.message.make_query(f"_ldap._tcp.{REALM}", "SRV")
    now, who = SystemClock().now(), login("Administrator", REALM, PASSWORD)
    wanted = as_req(who, now, CHANGE_PASSWORD)
    weak_password = kpasswd_req(granted(who, ask_tcp(of(KERBEROS), wanted)), "x", now)
    for _ in range(6):
        for port, tls in ((LDAP, False), (GC, False), (LDAPS, True), (GC_TLS, True)):
            with LdapLine(of(port), tls=tls) as line:
                assert isinstance(line.ask(ROOT_DSE), m.SearchResultEntry)
        assert dns.query.udp(question, LOOPBACK, port=of(DNS), timeout=20).answer
        assert dns.query.tcp(question, LOOPBACK, port=of(DNS), timeout=20).answer
        for ask in (ask_udp, ask_tcp):
            assert ask(of(KERBEROS), wanted)[0] in (AS_REP, KRB_ERROR)
            assert len(ask(of(KPASSWD), weak_password)) > 6
        ping = m.LdapMessage(MessageId(1), ROOT_DSE).pack()
        assert b"dc1.served.example.com" in ask_udp(of(LDAP), ping)
    assert served.stop() == 0
    assert [line["message"] for line in served.lines()].count("ready") == len(
        [line for line in served.lines() if line["message"] == "stopped"]
    )
    assert not [line for line in served.lines() if line["level"] == "error"]
    assert not (served.data_dir / STATUS_NAME).exists()


def test_sigterm_lets_what_was_begun_be_answered(served: Served) -> None:
    dn = f"OU=begun,{DOMAIN_DN}"
    with LdapLine(served.ports.of(LDAPS), tls=True) as line:
        line.bind()
        other = sqlite3.connect(served.data_dir / DATABASE_NAME, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")  # the server's writer has to wait
        line.send(m.AddRequest(dn, (m.PartialAttribute("objectClass", (b"organizationalUnit",)),)))
        line.send(ROOT_DSE)  # answered at once: the add before it has been begun
        assert isinstance(line.take(), m.SearchResultEntry) and isinstance(line.take(), m.SearchResultDone)
        served.process.send_signal(signal.SIGTERM)
        _wait_until_closed(served.ports.of(LDAP))
        other.execute("ROLLBACK")
        other.close()
        answer = line.take()
        assert isinstance(answer, m.AddResponse) and answer.result_code == 0, answer
    assert served.process.wait(timeout=30) == 0
    again = start(served.data_dir)
    with LdapLine(again.ports.of(LDAPS), tls=True) as line:
        line.bind()
        answer = line.ask(m.DelRequest(dn))
        assert isinstance(answer, m.DelResponse) and answer.result_code == 0, answer
    assert again.stop() == 0


def _wait_until_closed(port: int) -> None:
    while True:
        try:
            socket.create_connection((LOOPBACK, port), timeout=20).close()
        except ConnectionResetError:  # it was closed between the two packets of a handshake
            continue
        except ConnectionRefusedError:
            return


def test_a_killed_worker_is_not_missed(data_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    served = start(data_dir, "--workers", "2")
    before = served.workers(2)
    os.kill(before[0], signal.SIGKILL)
    for _ in range(20):
        assert main(["status", "--data-dir", str(data_dir)]) == 0
    while (now := served.workers(2))[0] == before[0]:
        continue
    assert now[1] == before[1]
    assert "workers: 2" in capsys.readouterr().out
    (ended,) = (line for line in served.lines() if line["message"] == "worker ended")
    assert ended["worker"] == 0 and ended["exit"] == -signal.SIGKILL
    assert served.stop() == 0


def test_workers_end_with_their_supervisor(data_dir: Path) -> None:
    served = start(data_dir, "--workers", "2")
    workers = served.workers(2)
    served.process.kill()
    served.process.wait()
    while any(_is_alive(pid) for pid in workers.values()):
        os.sched_yield()
    assert [line["message"] for line in served.lines()].count("stopped") == 2


def _is_alive(pid: int) -> bool:
    """Whether it runs; one that waits to be reaped does not."""
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False


def test_nothing_of_the_server_is_left_where_others_read(data_dir: Path) -> None:
    os.environ[PASSWORD_VARIABLE] = PASSWORD
    try:
        found = start(data_dir, "--workers", "1")
    finally:
        del os.environ[PASSWORD_VARIABLE]
    try:
        pid = json.loads((data_dir / STATUS_NAME).read_text())["pid"]
        limits = Path(f"/proc/{pid}/limits").read_text()
        assert re.search(r"^Max core file size +0 ", limits, re.MULTILINE)
        made = [path for path in data_dir.rglob("*") if path.is_file() and "run" in path.parts]
        made += data_dir.glob(f"{DATABASE_NAME}*")
        assert {path.name for path in made} >= {"acceptor.keytab", "status.json", DATABASE_NAME}
        assert {path.stat().st_mode & 0o077 for path in made} == {0}
        assert PASSWORD not in found.log.read_text()
        (keytab,) = (path for path in made if path.name == "acceptor.keytab")
        assert {one.etype for one in unpack_keytab(keytab.read_bytes())} == {18, 17}, "no NT hash"
    finally:
        found.process.kill()
        found.process.wait()
