"""Answers of DNS servers by dnsperf: addc beside Samba's internal server and BIND 9. Needs root.

Run as `python -m tests.bench.bench_dns`. Each server has the names that a domain's clients ask for, of its
own domain; BIND has those of addc in a zone file. Servers are bound to the first processor, dnsperf to the
last, and take turns, load by load and round by round. Medians are shown. p99 is of a steady rate that all of
them can serve, in a run of its own, since dnsperf then tells of every reply.
"""

import argparse
import os
import platform
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import median, quantiles
from typing import Final

from tests.bench.run import on_a_lan
from tests.bench.targets import AddcTarget, SambaTarget, cpu_s
from tests.kit import samba_peer
from tests.kit.dns_servers import OtherServer, named
from tests.kit.forest_host import DNS_DOMAIN
from tests.kit.net import Host, Lan

_SITE: Final = "Default-First-Site-Name"
_READY_TRIES: Final = 200
_STEADY_PER_S: Final = 2000
_LINE: Final = re.compile(r"^> \w+ \S+ \w+ (\d+\.\d+)", re.MULTILINE)
_RATE: Final = re.compile(r"Queries per second:\s+([\d.]+)")
_LOST: Final = re.compile(r"Queries lost:\s+(\d+)")


@dataclass(frozen=True, slots=True)
class Load:
    """One kind of load. words: of dnsperf."""

    name: str
    label: str
    kind: str
    words: tuple[str, ...]


LOADS: Final = (
    Load("udp_a", "A, UDP", "a", ("-c", "8")),
    Load("udp_srv", "SRV, UDP", "srv", ("-c", "8")),
    Load("udp_edns", "SRV, UDP, EDNS", "srv", ("-c", "8", "-e")),
    Load("udp_missing", "names that are not there, UDP", "missing", ("-c", "8")),
    Load("tcp_a", "A, TCP", "a", ("-m", "tcp", "-c", "8")),
    Load("tcp_srv", "SRV, TCP", "srv", ("-m", "tcp", "-c", "8")),
)


@dataclass(slots=True)
class Server:
    """A server under load. pins: bind its processes to a processor."""

    name: str
    domain: str
    host_name: str
    host: Host
    start: Callable[[], None]
    stop: Callable[[], None]
    rates: dict[str, list[float]] = field(default_factory=dict)
    cpu_us: dict[str, list[float]] = field(default_factory=dict)
    p99_us: dict[str, list[float]] = field(default_factory=dict)
    lost: int = 0


def questions(server: Server, kind: str) -> str:
    """What is asked, as dnsperf reads it."""
    domain = server.domain
    if kind == "a":
        return f"{server.host_name}.{domain} A\n"
    if kind == "missing":
        return "".join(f"no-host-{number}.{domain} A\n" for number in range(100))
    names = (
        "_ldap._tcp.dc._msdcs", f"_ldap._tcp.{_SITE}._sites.dc._msdcs", "_kerberos._tcp.dc._msdcs",
        "_kerberos._udp", "_ldap._tcp",
    )  # fmt: skip
    return "".join(f"{name}.{domain} SRV\n" for name in names)


def zone_file(address: str) -> str:
    """BIND's zone: the records of addc's domain that are asked for."""
    lines = [
        "$TTL 600", f"@ 3600 IN SOA dc1.{DNS_DOMAIN}. hostmaster.{DNS_DOMAIN}. 1 900 600 86400 3600",
        f"@ IN NS dc1.{DNS_DOMAIN}.", f"dc1 IN A {address}",
    ]  # fmt: skip
    for name, port in (
        ("_ldap._tcp.dc._msdcs", 389), (f"_ldap._tcp.{_SITE}._sites.dc._msdcs", 389),
        ("_kerberos._tcp.dc._msdcs", 88), ("_kerberos._udp", 88), ("_ldap._tcp", 389),
    ):  # fmt: skip
        lines.append(f"{name} IN SRV 0 100 {port} dc1.{DNS_DOMAIN}.")
    return "\n".join(lines) + "\n"


class _Bind:
    def __init__(self, host: Host) -> None:
        self.host = host
        self._server: OtherServer | None = None

    def start(self) -> None:
        folder = self.host.folder / "named"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "zone").write_text(zone_file(self.host.address))
        clause = f'zone "{DNS_DOMAIN}" {{ type primary; file "zone"; }};'
        self._server = named(self.host, clause, minimal="no-auth")

    def stop(self) -> None:
        if self._server is not None:
            self._server.stop()


def servers_of(args: argparse.Namespace, lan: Lan) -> list[Server]:
    """The servers, made but not started."""
    own = AddcTarget(lan.host("dc1", 15), args.workers)
    made = [Server("addc", DNS_DOMAIN, "dc1", own.host, own.start, own.stop)]
    own.provision()
    if "samba" in args.peers:
        samba = SambaTarget(lan.host("peer", 16))
        samba.provision()
        made.append(
            Server("samba", samba_peer.DNS_DOMAIN, samba_peer.HOST_NAME, samba.host, samba.start, samba.stop)
        )
    if "bind" in args.peers:
        bind = _Bind(lan.host("bind", 17))
        made.append(Server("bind", DNS_DOMAIN, "dc1", bind.host, bind.start, bind.stop))
    return made


class Bench:
    """One run."""

    def __init__(self, args: argparse.Namespace, client: Host, servers: Sequence[Server]) -> None:
        self.args = args
        self.client = client
        self.servers = servers
        processors = sorted(os.sched_getaffinity(0))
        self._server_cpu, self._load_cpu = processors[0], processors[-1]

    def wait_for(self, server: Server) -> None:
        """Until it answers."""
        name = f"{server.host_name}.{server.domain}"
        for _ in range(_READY_TRIES):
            words = ["dig", "+time=1", "+tries=1", "+short", f"@{server.host.address}", name]
            if self.client.run(words).stdout.strip()[:1].isdigit():
                return
        raise RuntimeError(f"{server.name} does not answer")

    def _dnsperf(self, server: Server, load: Load, *more: str) -> str:
        asked = self.client.folder / f"{server.name}.{load.kind}"
        asked.write_text(questions(server, load.kind))
        words = [
            "taskset", "-c", str(self._load_cpu), "dnsperf", "-s", server.host.address, "-d", str(asked),
            *load.words, *more,
        ]  # fmt: skip
        return self.client.run(words, timeout_s=self.args.seconds + 60).stdout

    def measure(self, server: Server, load: Load) -> None:
        for pid in samba_peer.pids_of(server.host):
            words = ["taskset", "-a", "-c", "-p", str(self._server_cpu), str(pid)]
            subprocess.run(words, check=False, capture_output=True)
        before_s = cpu_s(server)  # type: ignore[arg-type]
        told = self._dnsperf(server, load, "-l", str(self.args.seconds), "-q", str(self.args.outstanding))
        used_s = cpu_s(server) - before_s  # type: ignore[arg-type]
        rate = _RATE.search(told)
        if rate is None:
            raise RuntimeError(f"dnsperf on {server.name}: {told[-500:]}")
        per_s = float(rate.group(1))
        server.rates.setdefault(load.name, []).append(per_s)
        server.cpu_us.setdefault(load.name, []).append(used_s * 1e6 / max(per_s * self.args.seconds, 1))
        lost = _LOST.search(told)
        server.lost += int(lost.group(1)) if lost else 0
        steady = self._dnsperf(server, load, "-l", "2", "-Q", str(_STEADY_PER_S), "-v")
        times = sorted(float(found) * 1e6 for found in _LINE.findall(steady))
        if len(times) > 100:
            server.p99_us.setdefault(load.name, []).append(quantiles(times, n=100)[98])
        _say(f"  {load.label} on {server.name}: {per_s:,.0f}/s")

    def rounds(self) -> None:
        for number in range(self.args.rounds):
            _say(f"round {number + 1} of {self.args.rounds}")
            for load in LOADS:
                if self.args.only and load.name not in self.args.only:
                    continue
                for server in self.servers:
                    self.measure(server, load)


def table(servers: Sequence[Server]) -> str:
    """Markdown: a row for each load; rate, processor time and p99 of each server."""
    heads = "".join(f" {one.name}/s | {one.name} us CPU | {one.name} p99 us |" for one in servers)
    lines = [f"| |{heads}", "|---|" + "---|" * (3 * len(servers))]
    for load in LOADS:
        cells = []
        for server in servers:
            rates, p99 = server.rates.get(load.name), server.p99_us.get(load.name)
            cells.append(f"{median(rates):,.0f}" if rates else "")
            cells.append(f"{median(server.cpu_us[load.name]):.1f}" if rates else "")
            cells.append(f"{median(p99):,.0f}" if p99 else "")
        lines.append(f"| {load.label} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tests.bench.bench_dns", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=3.0, help="of each load (default: %(default)s)")
    parser.add_argument("--outstanding", type=int, default=100, help="queries under way at once")
    parser.add_argument("--only", default="", help=f"of {', '.join(load.name for load in LOADS)}")
    parser.add_argument("--peers", default="samba,bind", help="whom to measure beside (default: %(default)s)")
    parser.add_argument("--workers", type=int, default=0, help="of addc serve (default: %(default)s)")
    args = parser.parse_args()
    args.only = [name for name in args.only.split(",") if name]
    args.peers = args.peers.split(",")
    return args


def _run(args: argparse.Namespace, lan: Lan) -> Bench:
    servers = servers_of(args, lan)
    bench = Bench(args, lan.host("load", 18), servers)
    try:
        for server in servers:
            server.start()
        for server in servers:
            bench.wait_for(server)
        bench.rounds()
    finally:
        for server in servers:
            server.stop()
    return bench


def main() -> int:
    args = _arguments()
    bench = on_a_lan(lambda lan: _run(args, lan))
    if bench is None:
        return 1
    print(f"{os.cpu_count()} processors, {platform.platform()}, Python {platform.python_version()}")
    print(f"servers on one processor, dnsperf on another; medians of {args.rounds} x {args.seconds:g} s")
    print(table(bench.servers))
    for server in bench.servers:
        if server.lost:
            print(f"{server.name}: {server.lost} queries lost")
    return 0


if __name__ == "__main__":
    sys.exit(main())
