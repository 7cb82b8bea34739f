"""kill -9 in the middle of a load: what was acknowledged is there, and the server comes back by itself."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kit.clients import DC, Client
from tests.kit.databases import PostgresServer
from tests.kit.forest_host import DNS_DOMAIN, DOMAIN_DN, PASSWORD, ForestHost, client, provision, serve
from tests.kit.net import Host, Lan

ROOT = Path(__file__).parents[2]
CONNECTIONS = 6
ENOUGH = 120
"""Acknowledged users between two blows."""
STATUS_TRIES = 100
BACKGROUND = 2
"""Processes beside the workers: of RPC and SMB, and of the directory's own work."""


class Load:
    """Users added from a client machine; names are collected as they are acknowledged."""

    def __init__(self, machine: Host, forest: ForestHost, start: int) -> None:
        words = [
            sys.executable, "-m", "tests.bench.steady_adds", forest.host.address, "120",
            f"domain_dn={DOMAIN_DN}", f"user=Administrator@{DNS_DOMAIN}", f"password={PASSWORD}",
            f"host={DC}", f"connections={CONNECTIONS}", f"start={start}",
        ]  # fmt: skip
        self._process = subprocess.Popen(
            machine.command(words), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
        )
        self.names: set[str] = set()

    def wait_for(self, count: int) -> None:
        """Until so many more were acknowledged."""
        assert self._process.stdout is not None
        for _ in range(count):
            line = self._process.stdout.readline()
            assert line, f"the load ended after {len(self.names)} users"
            self.names.add(line.strip())

    def stop(self) -> None:
        """Collect the rest through the same buffer; communicate() passes over what readline() left there."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        with self._process.stdout as rest:
            self.names.update(rest.read().split())
        self._process.wait(timeout=60)


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> Iterator[list[str]]:
    """Options of addc provision."""
    if request.param == "sqlite":
        yield []
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    url = server.new_database()
    yield ["--database", url]
    server.drop_database(url)


@pytest.fixture
def scene(lan: Lan, database: list[str], request: pytest.FixtureRequest) -> tuple[Host, Path, Client]:
    """A provisioned forest of the test's own, not served yet, and a person at a client of it."""
    number = len(lan.hosts)
    host, machine = lan.host(f"crash{number}"), lan.host(f"c{number}")
    data_dir = host.folder / "data"
    provision(host, data_dir, *database)
    return host, data_dir, Client(client(machine, host, data_dir / "tls" / "ca.pem"))


def start(host: Host, data_dir: Path, *more: str) -> ForestHost:
    return serve(host, data_dir, *more)


def found_users(person: Client) -> set[str]:
    """What the directory has."""
    person.login()
    entries = person.entries("-E", "pr=500/noprompt", "(sAMAccountName=crash*)", "sAMAccountName")
    return {entry["samaccountname"][0] for entry in entries}


def check(forest: ForestHost, person: Client, acknowledged: set[str], blows: int) -> None:
    """Nothing acknowledged is missing; at most what was in flight is there besides."""
    found = found_users(person)
    assert not acknowledged - found
    assert len(found - acknowledged) <= blows * CONNECTIONS
    status = forest.addc("status", "--data-dir", str(forest.data_dir))
    assert status.returncode == 0, status.stdout + status.stderr


def test_the_killed_server_has_all_that_it_acknowledged(scene: tuple[Host, Path, Client]) -> None:
    host, data_dir, person = scene
    acknowledged: set[str] = set()
    for blow in range(3):
        forest = start(host, data_dir)
        load = Load(person.machine, forest, blow * 100_000)
        load.wait_for(ENOUGH + 37 * blow)
        forest.process.kill()
        forest.process.wait()
        load.stop()
        acknowledged |= load.names
    forest = start(host, data_dir)
    check(forest, person, acknowledged, blows=3)
    assert forest.stop() == 0


def test_a_killed_worker_is_restarted(scene: tuple[Host, Path, Client]) -> None:
    host, data_dir, person = scene
    forest = start(host, data_dir, "--workers", "2")
    before = workers_of(forest)
    assert len(before) == 2 + BACKGROUND
    load = Load(person.machine, forest, 0)
    for _ in range(2):
        load.wait_for(ENOUGH)
        os.kill(sorted(workers_of(forest))[0], signal.SIGKILL)
        load.wait_for(ENOUGH)
        wait_for_workers(forest, 2 + BACKGROUND)
    load.stop()
    assert workers_of(forest) != before
    check(forest, person, load.names, blows=2)
    assert forest.stop() == 0


def workers_of(forest: ForestHost) -> set[int]:
    pid = forest.process.pid
    return {int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()}


def wait_for_workers(forest: ForestHost, count: int) -> None:
    """All processes below the supervisor. Each look takes as long as `addc status` does."""
    for _ in range(STATUS_TRIES):
        status = forest.addc("status", "--data-dir", str(forest.data_dir))
        if len(workers_of(forest)) == count and status.returncode == 0:
            return
    raise AssertionError(f"there are {len(workers_of(forest))} workers; {status.stdout}{status.stderr}")
