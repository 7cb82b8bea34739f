"""RPC and SMB under load and kill -9: nobody is refused, who was cut off comes back, nothing is lost."""

import json
import os
import signal
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.kit.clients import DC, Client
from tests.kit.forest_host import (
    DNS_DOMAIN,
    DOMAIN_DN,
    PASSWORD,
    REALM,
    ForestHost,
    client,
    log_lines,
    provision,
    serve,
)
from tests.kit.member import wait_until
from tests.kit.member_traffic import MEMBERS, content_of
from tests.kit.net import Host, Lan
from tests.kit.samba_tools import samba_desk

ROOT: Final = Path(__file__).parents[2]
SESSIONS: Final = 1_000
SESSION_BYTES_MAX: Final = 200_000
"""Generous: of resident memory, for one idle session."""
ENOUGH: Final = 15
"""Of each kind acknowledged before a blow, and after it."""
KINDS: Final = ("file", "account", "logon")


@pytest.fixture(scope="module")
def scene(lan: Lan) -> Iterator[tuple[ForestHost, Host]]:
    """A forest of the module's own, RPC and SMB in a process of theirs, and a machine full of members."""
    host, machine = lan.host("rpcload", 208), lan.host("manyws", 209)
    data_dir = host.folder / "data"
    provision(host, data_dir)
    found = serve(host, data_dir, "--workers", "1")
    machine = samba_desk(client(machine, host, data_dir / "tls" / "ca.pem"))
    Client(machine).login()
    machine.run(words(found, "setup"), timeout_s=60, check=True)
    yield found, machine
    if found.process.poll() is None:
        found.stop()


def words(forest: ForestHost, what: str, connections: int = MEMBERS) -> list[str]:
    return [
        sys.executable, "-m", "tests.kit.member_traffic", what, forest.host.address, "60", f"host={DC}",
        f"realm={REALM}", f"domain_dn={DOMAIN_DN}", f"user=Administrator@{DNS_DOMAIN}",
        f"password={PASSWORD}", f"connections={connections}",
    ]  # fmt: skip


def begun(machine: Host, command: list[str]) -> "subprocess.Popen[str]":
    environment = {**os.environ, **machine.environment}
    return subprocess.Popen(
        machine.command(command), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT,
        env=environment,
    )  # fmt: skip


def rpc_process(forest: ForestHost) -> int:
    """The process of RPC and SMB that was ready last."""
    ready = [line for line in log_lines(forest.log) if line["message"] == "RPC and SMB ready"]
    return int(str(ready[-1]["pid"]))


def wait_for_another(forest: ForestHost, killed: int) -> None:
    """Until another process of RPC and SMB is ready."""

    def ready() -> int | None:
        pid = rpc_process(forest)
        return None if pid == killed else pid

    wait_until("another process for RPC and SMB", ready)


def resident(pid: int) -> int:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def test_two_hundred_members_log_users_on_at_once(scene: tuple[ForestHost, Host]) -> None:
    forest, machine = scene
    done = machine.run(words(forest, "members"), timeout_s=60, check=True)
    assert json.loads(done.stdout)["refused"] == []


def test_a_thousand_idle_sessions(scene: tuple[ForestHost, Host]) -> None:
    forest, machine = scene
    pid = rpc_process(forest)
    before = resident(pid)
    with begun(machine, words(forest, "idle", SESSIONS)) as holding:
        assert holding.stdout is not None
        assert holding.stdout.readline().strip() == "held"
        assert resident(pid) - before < SESSIONS * SESSION_BYTES_MAX
        done = machine.run(["smbclient", f"//{DC}/SYSVOL", "--use-kerberos=required", "-c", "ls"])
        assert done.returncode == 0 and DNS_DOMAIN in done.stdout
        holding.communicate()
    assert rpc_process(forest) == pid


class Steady:
    """Files, accounts and logons that the server acknowledged, as they go on."""

    def __init__(self, forest: ForestHost, machine: Host) -> None:
        self._process = begun(machine, words(forest, "steady"))
        self.names: defaultdict[str, set[str]] = defaultdict(set)

    def _take(self, line: str) -> str:
        kind, name = line.split()
        self.names[kind].add(name)
        return kind

    def wait_for_more(self) -> None:
        """ENOUGH more of every kind."""
        assert self._process.stdout is not None
        more = Counter[str]()
        while any(more[kind] < ENOUGH for kind in KINDS):
            line = self._process.stdout.readline()
            assert line, f"the load ended after {dict(more)}"
            more[self._take(line)] += 1

    def stop(self) -> None:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        with self._process.stdout as rest:
            for line in rest:
                self._take(line)
        self._process.wait(timeout=60)


def test_nothing_acknowledged_is_lost_with_the_process(scene: tuple[ForestHost, Host]) -> None:
    """kill -9 twice, then SIGTERM to all of the server; each time in the middle of it all."""
    forest, machine = scene
    load = Steady(forest, machine)
    for _ in range(2):
        load.wait_for_more()
        killed = rpc_process(forest)
        os.kill(killed, signal.SIGKILL)
        wait_for_another(forest, killed)  # what was acknowledged before may still be in the pipe
    load.wait_for_more()
    assert forest.process.poll() is None
    assert forest.stop() == 0
    load.stop()
    again = serve(forest.host, forest.data_dir)
    _compare(machine, load.names)
    assert again.stop() == 0
    checked = again.addc("check", "--data-dir", str(forest.data_dir))
    assert checked.returncode == 0, checked.stdout[-4000:] + checked.stderr


def _compare(machine: Host, acknowledged: defaultdict[str, set[str]]) -> None:
    person = Client(machine)
    person.login()
    entries = person.entries("-E", "pr=500/noprompt", "(sAMAccountName=steady*)", "sAMAccountName")
    assert not acknowledged["account"] - {entry["samaccountname"][0] for entry in entries}
    folder = machine.folder / "fetched"
    folder.mkdir()
    fetch = f"prompt off; lcd {folder}; cd {DNS_DOMAIN}/scripts; mget steady*"
    done = machine.run(["smbclient", f"//{DC}/SYSVOL", "--use-kerberos=required", "-c", fetch], timeout_s=60)
    assert done.returncode == 0, done.stdout + done.stderr
    wrong = [
        name for name in acknowledged["file"]
        if not (folder / name).exists() or (folder / name).read_bytes() != content_of(name)
    ]  # fmt: skip
    assert wrong == []
