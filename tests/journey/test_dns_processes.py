"""DNS of a server with two workers: whichever gets a message, one desk elsewhere does what has state.

The desk may die at any time: nothing that it acknowledged is lost, and clients go on with the next one.
"""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from tests.journey.test_crash import workers_of
from tests.journey.test_dns_transfers import until
from tests.kit.clients import Client
from tests.kit.databases import PostgresServer
from tests.kit.dns_servers import OtherServer, named
from tests.kit.forest_host import DNS_DOMAIN, ForestHost, client, log_lines, provision, serve
from tests.kit.net import Host, Lan

ROOT: Final = Path(__file__).parents[2]
ZONE: Final = "stream.example.com"
KEY: Final = "streams"
ENOUGH: Final = 60
"""Acknowledged updates between two blows."""
DC: Final = f"dc1.{DNS_DOMAIN}"


@dataclass
class Scene:
    """A DC with two workers, a person at a machine, and a BIND that copies a zone."""

    forest: ForestHost
    person: Client
    bind: OtherServer
    secret: str

    @property
    def machine(self) -> Host:
        return self.person.machine

    def addc(self, *words: str) -> str:
        done = self.forest.addc("dns", *words, "--data-dir", str(self.forest.data_dir))
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def names(self, server: str, zone: str = ZONE) -> set[str]:
        """The owners of TXT records in a transfer of the zone, signed with the key."""
        key = f"hmac-sha256:{KEY}:{self.secret}"
        told = self.machine.run(["dig", f"@{server}", "+time=5", "+tries=3", "-y", key, "AXFR", zone]).stdout
        return set(re.findall(rf"^([a-z]+\d+)\.{re.escape(zone)}\.\s.*\sTXT\s", told, re.MULTILINE))


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def scene(lan: Lan, request: pytest.FixtureRequest) -> Iterator[Scene]:
    first, database = 70, list[str]()
    if request.param == "postgresql":
        server: PostgresServer = request.getfixturevalue("postgres_server")
        first, database = 73, ["--database", server.new_database()]
    names = (f"{one}{first}" for one in ("dnsdc", "dnsclient", "dnsbind"))
    host, machine, other = (lan.host(name, first + at) for at, name in enumerate(names))
    data_dir = host.folder / "data"
    provision(host, data_dir, *database)
    forest = serve(host, data_dir, "--workers", "2")
    person = Client(client(machine, host, data_dir / "tls" / "ca.pem"))
    person.login()
    where = ("--data-dir", str(data_dir))
    made = forest.addc("dns", "zone", "create", ZONE, *where)
    assert made.returncode == 0, made.stderr
    rights = ("--right", "update", "--right", "transfer", "--zone", "*", "--json")
    key = forest.addc("dns", "tsig", "add", KEY, *rights, *where)
    assert key.returncode == 0, key.stderr
    secret = json.loads(key.stdout)["secret"]
    transfer = ("--to", other.address, "--notify", other.address)
    done = forest.addc("dns", "transfer", "set", ZONE, *transfer, *where)
    assert done.returncode == 0, done.stderr
    bind = named(
        other,
        f'zone "{ZONE}" {{ type secondary; primaries {{ {host.address} key {KEY}; }}; file "copy"; }};',
        more=f'key "{KEY}" {{ algorithm hmac-sha256; secret "{secret}"; }};',
    )
    yield Scene(forest, person, bind, secret)
    bind.stop()
    assert forest.stop() == 0


class Stream:
    """Updates from a client machine; names are collected as they are acknowledged."""

    def __init__(self, scene: Scene, zone: str, prefix: str, signer: str) -> None:
        program = [sys.executable, "-m", "tests.kit.update_stream"]
        self._process = subprocess.Popen(
            scene.machine.command([*program, scene.forest.host.address, zone, prefix, signer]),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT,
            env={**os.environ, **scene.machine.environment},
        )  # fmt: skip
        self.names: set[str] = set()
        self.renewed = 0

    def _take(self, line: str) -> None:
        if line == "again":
            self.renewed += 1
        elif line:
            self.names.add(line)

    def wait_for(self, count: int) -> None:
        """Until so many more were acknowledged."""
        assert self._process.stdout is not None
        wanted = len(self.names) + count
        while len(self.names) < wanted:
            line = self._process.stdout.readline()
            assert line, f"the stream ended after {len(self.names)} updates"
            self._take(line.strip())

    def stop(self) -> None:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        with self._process.stdout as rest:
            for line in rest.read().split():
                self._take(line)
        assert self._process.wait(timeout=60) == 0


def desk_of(forest: ForestHost) -> int:
    """The one process below the supervisor that listens nowhere on the network."""
    said = forest.host.run(["ss", "-Hlntup"], check=True).stdout
    listening = {int(pid) for pid in re.findall(r"pid=(\d+)", said)}
    (found,) = workers_of(forest) - listening
    return found


def listeners(scene: Scene) -> int:
    """How many processes share the port."""
    said = scene.forest.host.run(["ss", "-Hlnup", "sport = :53"], check=True).stdout
    return len(set(re.findall(r"pid=(\d+)", said)))


def test_a_key_made_over_one_worker_signs_over_the_other(scene: Scene) -> None:
    """RFC 3645: one TKEY over one connection, then dozens of updates, each from a port of its own."""
    assert listeners(scene) == 2
    stream = Stream(scene, DNS_DOMAIN, "spread", f"gss:{DC}")
    stream.wait_for(40)
    stream.stop()
    assert stream.renewed == 0
    assert stream.names <= scene.names(scene.forest.host.address, DNS_DOMAIN)


def test_transfers_and_notify_come_from_the_one_desk(scene: Scene) -> None:
    """RFC 1995, RFC 1996, RFC 8945"""
    stream = Stream(scene, ZONE, "early", f"{KEY}:{scene.secret}")
    stream.wait_for(20)
    stream.stop()
    until(lambda: stream.names <= scene.names(scene.bind.host.address), scene.bind.said)
    sent = [line for line in log_lines(scene.forest.log) if line.get("message") == "zone transferred"]
    assert {line["kind"] for line in sent if line["zone"] == ZONE} >= {"changes"}


@pytest.mark.parametrize(
    ("zone", "prefix", "signer"),
    [
        (ZONE, "keyed", lambda scene: f"{KEY}:{scene.secret}"),
        (DNS_DOMAIN, "gss", lambda scene: f"gss:{DC}"),
    ],
)
def test_the_desk_is_killed_in_the_middle(
    scene: Scene, zone: str, prefix: str, signer: Callable[[Scene], str]
) -> None:
    """What was acknowledged is there; keys hold on, contexts are made anew, and clients go on."""
    stream = Stream(scene, zone, prefix, signer(scene))
    for _ in range(2):
        stream.wait_for(ENOUGH)
        before = desk_of(scene.forest)
        os.kill(before, signal.SIGKILL)
        answer = scene.machine.run(["dig", "+time=1", "+tries=3", "+short", DC], check=True).stdout
        assert answer.strip() == scene.forest.host.address, "workers answer meanwhile"
        stream.wait_for(ENOUGH)
        assert desk_of(scene.forest) != before
    stream.stop()
    assert not stream.names - scene.names(scene.forest.host.address, zone)
    assert bool(stream.renewed) is (prefix == "gss")
    if zone == ZONE:
        until(lambda: stream.names <= scene.names(scene.bind.host.address), scene.bind.said)
