"""The servers under load: addc, and Debian's Samba beside it, each in a namespace of its own."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

from tests.kit import forest_host, samba_peer
from tests.kit.net import Host
from tests.kit.samba_peer import SambaPeer, pids_of

_ADDC: Final = (sys.executable, "-m", "addc.cli.main")
_START_S: Final = 60.0
_STOP_S: Final = 30.0
_COMPLAINTS_MAX: Final = 10
_TICKS_PER_S: Final = os.sysconf("SC_CLK_TCK")
_MIB: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Names:
    """What a load must know of a domain."""

    realm: str
    domain_dn: str
    host: str
    password: str

    @property
    def user(self) -> str:
        return f"Administrator@{self.realm.lower()}"


class Target(Protocol):
    """A server that can be made, started, measured and stopped."""

    name: str
    names: Names
    host: Host

    def provision(self) -> float: ...
    def start(self) -> None: ...
    def stop(self) -> None: ...
    def complaints(self) -> list[str]: ...


@dataclass(slots=True)
class AddcTarget:
    """The product as `addc provision` and `addc serve` bring it up."""

    host: Host
    workers: int
    name: str = "addc"
    names: Names = field(
        default=Names(
            forest_host.REALM,
            forest_host.DOMAIN_DN,
            f"dc1.{forest_host.DNS_DOMAIN}",
            forest_host.PASSWORD,
        )
    )
    _process: "subprocess.Popen[bytes] | None" = None

    @property
    def _data_dir(self) -> Path:
        return self.host.folder / "data"

    def provision(self) -> float:
        """Seconds from the command to its end."""
        return forest_host.provision(self.host, self._data_dir)

    def command(self, *words: str) -> None:
        """A word of addc's own on the server's host, before it is started."""
        self.host.run([*_ADDC, *words, "--data-dir", str(self._data_dir)], check=True)

    def start(self) -> None:
        words = [*_ADDC, "serve", "--data-dir", str(self._data_dir), "--workers", str(self.workers)]
        self._process = self.host.start([*words, "--log-level", "warning"], self.host.folder / "serve.log")

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(timeout=_STOP_S)

    def complaints(self) -> list[str]:
        """What the log has of warnings and errors, the last lines of it."""
        path = self.host.folder / "serve.log"
        return path.read_text().splitlines()[-_COMPLAINTS_MAX:] if path.exists() else []


@dataclass(slots=True)
class SambaTarget:
    """Debian's Samba with its defaults."""

    host: Host
    name: str = "samba"
    names: Names = field(
        default=Names(
            samba_peer.REALM,
            samba_peer.DOMAIN_DN,
            f"{samba_peer.HOST_NAME}.{samba_peer.DNS_DOMAIN}",
            samba_peer.PASSWORD,
        )
    )
    _peer: SambaPeer | None = None

    @property
    def conf(self) -> Path:
        """Its smb.conf, once it is provisioned."""
        assert self._peer is not None
        return self._peer.conf

    def provision(self) -> float:
        self._peer = samba_peer.provision(self.host, self.host.folder / "samba")
        return self._peer.provision_s

    def start(self) -> None:
        assert self._peer is not None
        self._peer.start()

    def stop(self) -> None:
        if self._peer is not None:
            self._peer.stop()

    def complaints(self) -> list[str]:
        """Its log is its own affair."""
        return []


def load_words(target: Target, *more: str) -> list[str]:
    """Address-independent key=value words for the load programs."""
    names = target.names
    return [
        f"realm={names.realm}", f"domain_dn={names.domain_dn}", f"user={names.user}",
        f"password={names.password}", f"host={names.host}", *more,
    ]  # fmt: skip


def timed_start(target: Target, client: Host) -> dict[str, float]:
    """Start the server; seconds until its first answers, by protocol."""
    words = [sys.executable, "-m", "tests.bench.first_answers", target.host.address, str(_START_S)]
    knocking = subprocess.Popen(
        client.command([*words, *load_words(target)]),
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    assert knocking.stdout is not None
    with knocking.stdout as output:
        assert output.readline().strip() == "waiting"
        started = time.monotonic()
        target.start()
        found = output.read()
    knocking.wait(timeout=_STOP_S)
    return {kind: when - started for kind, when in json.loads(found).items()}


def pin(target: Target, cpu: int) -> None:
    """Bind every process and thread of the server to one processor; their children inherit that."""
    for pid in pids_of(target.host):
        subprocess.run(["taskset", "-a", "-c", "-p", str(cpu), str(pid)], check=False, capture_output=True)


def memory_mib(target: Target) -> float:
    """Resident memory of all processes, what they share counted once."""
    return sum(_proportional_bytes(pid) for pid in pids_of(target.host)) / _MIB


def _proportional_bytes(pid: int) -> int:
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0
    found = [line.split()[1] for line in text.splitlines() if line.startswith("Pss:")]
    return int(found[0]) * 1024 if found else 0


def cpu_s(target: Target) -> float:
    """Processor time that the server has taken so far, with that of its children that ended."""
    return sum(map(_cpu_ticks, pids_of(target.host))) / _TICKS_PER_S


def _cpu_ticks(pid: int) -> int:
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return 0
    return sum(map(int, text.rpartition(")")[2].split()[11:15]))


def client_of(host: Host, targets: Sequence[Target]) -> Host:
    """Point the load's machine at all KDCs."""
    lines = [
        "[libdefaults]",
        " dns_lookup_kdc = false",
        " rdns = false",
        " dns_canonicalize_hostname = false",
    ]
    lines.append("[realms]")
    lines += [f" {t.names.realm} = {{\n  kdc = {t.host.address}\n }}" for t in targets]
    lines.append("[domain_realm]")
    lines += [f" .{t.names.realm.lower()} = {t.names.realm}" for t in targets]
    krb5 = host.folder / "krb5.conf"
    krb5.write_text("\n".join(lines) + "\n")
    host.environment.update(KRB5_CONFIG=str(krb5), LC_ALL="C")
    return host
