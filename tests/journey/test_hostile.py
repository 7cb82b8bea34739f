"""Clients that mean harm: meanwhile an honest one is served, and afterwards nothing has been broken."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.bench.attacks import TCP_PORTS
from tests.kit.clients import Client
from tests.kit.forest_host import DNS_DOMAIN, ForestHost, client, log_lines, provision, serve
from tests.kit.net import Host, Lan

ROOT = Path(__file__).parents[2]
GROWTH_MAX_MIB = 400
HONEST_S = 20.0


@dataclass
class Scene:
    """A forest under attack, the attacker's machine and an honest person at another."""

    forest: ForestHost
    attacker: Host
    honest: Client

    @contextmanager
    def attack(self, kind: str, port: int, count: int) -> Iterator[int]:
        """While the context lasts, it is on; gives how many connections stand."""
        words = [sys.executable, "-m", "tests.bench.attacks", kind, self.forest.host.address]
        process = subprocess.Popen(
            self.attacker.command([*words, str(port), str(count)]),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        with process:
            assert process.stdout is not None
            line = process.stdout.readline().split()
            assert line and line[0] == "ready", line
            yield int(line[1])
            try:
                process.communicate(timeout=150)
            finally:
                process.kill()
        assert process.returncode == 0

    def serves_the_honest(self) -> None:
        """A logon, a sealed search and a name, each within its time."""
        person, address = self.honest, self.forest.host.address
        person.machine.run(["kdestroy", "-q"])
        person.login()
        found = person.entries("(sAMAccountName=Administrator)", "cn")
        assert found[0]["cn"] == ["Administrator"]
        name = f"_ldap._tcp.dc._msdcs.{DNS_DOMAIN}"
        dig = person.machine.run(["dig", "+short", f"@{address}", "SRV", name], timeout_s=HONEST_S)
        assert f"dc1.{DNS_DOMAIN}" in dig.stdout

    def memory_mib(self) -> float:
        """Resident memory of the serving process."""
        text = Path(f"/proc/{self.forest.process.pid}/status").read_text()
        (line,) = (line for line in text.splitlines() if line.startswith("VmRSS:"))
        return int(line.split()[1]) / 1024

    def is_unharmed(self, memory_before: float) -> None:
        self.serves_the_honest()
        assert self.forest.process.poll() is None
        assert self.memory_mib() - memory_before < GROWTH_MAX_MIB
        wrong = [line for line in log_lines(self.forest.log) if line["level"] in ("error", "critical")]
        assert not wrong, json.dumps(wrong[:2])


@pytest.fixture(scope="module")
def scene(lan: Lan) -> Iterator[Scene]:
    host, attacker, machine = lan.host("fort", 60), lan.host("attacker", 61), lan.host("honest", 62)
    data_dir = host.folder / "data"
    provision(host, data_dir)
    forest = serve(host, data_dir)
    attacker.run(["sh", "-c", "echo 1024 65000 > /proc/sys/net/ipv4/ip_local_port_range"], check=True)
    person = Client(client(machine, host, data_dir / "tls" / "ca.pem"))
    found = Scene(forest, attacker, person)
    found.serves_the_honest()
    yield found
    assert found.forest.stop() == 0


def test_ten_thousand_connections(scene: Scene) -> None:
    before = scene.memory_mib()
    with scene.attack("burst", 389, 10_000) as standing:
        assert standing > 1000
        scene.serves_the_honest()
        assert scene.memory_mib() - before < GROWTH_MAX_MIB
    scene.is_unharmed(before)


@pytest.mark.parametrize("port", [53, 88, 636])
def test_thousands_of_connections_that_say_nothing(scene: Scene, port: int) -> None:
    before = scene.memory_mib()
    with scene.attack("burst", port, 6_000):
        scene.serves_the_honest()
        assert scene.memory_mib() - before < GROWTH_MAX_MIB
    scene.is_unharmed(before)


@pytest.mark.parametrize("port", [88, 389, 636])
def test_messages_by_the_drop(scene: Scene, port: int) -> None:
    before = scene.memory_mib()
    with scene.attack("drip", port, 800):
        for _ in range(20):
            scene.serves_the_honest()
    scene.is_unharmed(before)


@pytest.mark.parametrize("port", TCP_PORTS)
def test_messages_without_an_end(scene: Scene, port: int) -> None:
    before = scene.memory_mib()
    with scene.attack("flood", port, 20):
        scene.serves_the_honest()
        assert scene.memory_mib() - before < GROWTH_MAX_MIB
    scene.is_unharmed(before)


@pytest.mark.parametrize("port", TCP_PORTS)
def test_garbage(scene: Scene, port: int) -> None:
    before = scene.memory_mib()
    with scene.attack("garbage", port, 300):
        scene.serves_the_honest()
    scene.is_unharmed(before)


def test_those_who_ask_and_do_not_listen(scene: Scene) -> None:
    before = scene.memory_mib()
    with scene.attack("deaf", 636, 5):
        scene.serves_the_honest()
        assert scene.memory_mib() - before < GROWTH_MAX_MIB
    scene.is_unharmed(before)
