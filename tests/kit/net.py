"""Hosts for journeys: network namespaces on one bridge, each with its own resolv.conf, hosts and krb5.conf.

Needs root. Every name begins with "addcj" and is removed at the end; traffic stays on the bridge.
"""

import fcntl
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TextIO

_PREFIX: Final = "addcj"
_NETWORK: Final = "10.213.{n}"
_OWN_CHOICE: Final = range(210, 255)
_LANS_MAX: Final = 250


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True, text=True)


@dataclass(slots=True)
class Host:
    """One namespace. `run` executes a program there as a user of that machine would."""

    name: str
    address: str
    folder: Path
    environment: dict[str, str] = field(default_factory=dict)

    def command(self, words: Sequence[str]) -> list[str]:
        return ["ip", "netns", "exec", self.name, *words]

    def run(
        self,
        words: Sequence[str],
        *,
        stdin: str = "",
        timeout_s: float = 60,
        environment: Mapping[str, str] | None = None,
        check: bool = False,
    ) -> subprocess.CompletedProcess[str]:
        """Run to the end; output and errors are texts. check: fail the test unless it exits with 0."""
        done = subprocess.run(
            self.command(words),
            check=False,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            env={**os.environ, **self.environment, **(environment or {})},
            cwd=self.folder,
        )
        if check:
            assert done.returncode == 0, f"{' '.join(words)}\n{done.stdout}\n{done.stderr}"
        return done

    def start(self, words: Sequence[str], log: Path) -> "subprocess.Popen[bytes]":
        """Start a server there; the caller ends it."""
        with log.open("ab") as output:
            return subprocess.Popen(
                self.command(words),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env={**os.environ, **self.environment},
                cwd=self.folder,
            )

    def etc(self, name: str, text: str) -> None:
        """A file that stands in /etc of this namespace alone."""
        path = Path("/etc/netns") / self.name / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def _free_number() -> tuple[TextIO, int]:
    """A number that no other run on this machine uses, and the lock that keeps it ours."""
    for number in range(1, _LANS_MAX + 1):
        lock = (Path(tempfile.gettempdir()) / f"{_PREFIX}{number}.lock").open("w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            continue
        return lock, number
    raise AssertionError("every test LAN is in use")


class Lan:
    """A bridge with hosts; use as a context manager."""

    def __init__(self, folder: Path) -> None:
        self._lock, self._number = _free_number()
        self._folder = folder
        self._bridge = f"{_PREFIX}{self._number}"
        self.hosts: list[Host] = []

    def __enter__(self) -> "Lan":
        self._remove()
        _ip("link", "add", self._bridge, "type", "bridge")
        _ip("link", "set", self._bridge, "up")
        return self

    def __exit__(self, *_: object) -> None:
        self._remove()
        self._lock.close()

    def _remove(self) -> None:
        """Take down what is here under our number, left behind by a killed run or our own."""
        listed = subprocess.run(["ip", "netns", "list"], check=True, capture_output=True, text=True).stdout
        for line in listed.splitlines():
            name = line.split()[0]
            if name.startswith(f"{self._bridge}-"):
                _end_processes(name)
                _ip("netns", "del", name)
                shutil.rmtree(Path("/etc/netns") / name, ignore_errors=True)
        # A namespace that is gone lets go of its links only later; the next run wants their names now.
        shown = subprocess.run(
            ["ip", "-o", "link", "show", "type", "veth"], check=False, capture_output=True, text=True
        )
        for line in shown.stdout.splitlines():
            link = line.split(":")[1].strip().partition("@")[0]
            if link.startswith(f"{self._bridge}v"):
                subprocess.run(["ip", "link", "del", link], check=False, capture_output=True)
        subprocess.run(["ip", "link", "del", self._bridge], check=False, capture_output=True)

    def host(self, name: str, last_octet: int = 0) -> Host:
        """A new machine with one address on the bridge: the one given, or one that nobody gives."""
        namespace = f"{self._bridge}-{name}"
        taken = {int(known.address.rpartition(".")[2]) for known in self.hosts}
        last_octet = last_octet or next(octet for octet in _OWN_CHOICE if octet not in taken)
        assert last_octet not in taken, f"{last_octet} is another host's"
        address = f"{_NETWORK.format(n=self._number)}.{last_octet}"
        inside, outside = "eth0", f"{self._bridge}v{last_octet}"
        _ip("netns", "add", namespace)
        _ip("link", "add", outside, "type", "veth", "peer", "name", inside, "netns", namespace)
        _ip("link", "set", outside, "master", self._bridge, "up")
        _ip("-n", namespace, "addr", "add", f"{address}/24", "dev", inside)
        _ip("-n", namespace, "link", "set", inside, "up")
        _ip("-n", namespace, "link", "set", "lo", "up")
        folder = self._folder / name
        folder.mkdir(parents=True, exist_ok=True)
        host = Host(namespace, address, folder)
        host.etc("hosts", f"127.0.0.1 localhost {os.uname().nodename}\n")
        self.hosts.append(host)
        return host


def _end_processes(namespace: str) -> None:
    """End what this namespace still runs, each by its id."""
    pids = subprocess.run(
        ["ip", "netns", "pids", namespace], check=False, capture_output=True, text=True
    ).stdout
    for pid in pids.split():
        try:
            os.kill(int(pid), 9)
        except ProcessLookupError:
            continue
