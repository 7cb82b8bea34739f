"""The directory with many users: addc beside Debian's Samba, in network namespaces. Needs root.

Run as `python -m tests.bench.bench_directory`, the second part of `make bench`. Samba takes minutes to take
in 10,000 users, so its filled domain is kept in var/bench and used again.
"""

import argparse
import json
import platform
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from addc.server.offline import open_directory
from tests.bench.figures import Figure, table
from tests.bench.people import BIG, Size
from tests.bench.population import fill
from tests.bench.run import Bench, on_a_lan, stop_all
from tests.bench.targets import (
    AddcTarget,
    SambaTarget,
    Target,
    client_of,
    load_words,
    memory_mib,
    pin,
    timed_start,
)
from tests.kit import samba_peer
from tests.kit.net import Host, Lan

_ROOT: Final = Path(__file__).parents[2]
_FILL_S: Final = 3600.0

FIGURES: Final = (
    Figure("fill", "filled with users", "s"),
    Figure("surname", "indexed, 10 answers", "/s", "surname", 3500),
    Figure("member_of_user", "(member=DN)", "/s", "member_of_user", 16),
    Figure("in_chain", "memberOf in chain", "/s", "in_chain", 0.7),
    Figure("substring", "(cn=*x*)", "/s", "substring", 16),
    Figure("display_substring", "(displayName=*x*)", "/s", "display_substring", 16),
    Figure("unindexed", "unindexed equality", "/s", "unindexed", 20),
    Figure("paged_names", "pages of all, cn", "objects/s", "paged_names", 9700),
    Figure("paged_people", "pages of all, six attributes", "objects/s", "paged_people"),
    Figure("paged_all", "pages of all, all attributes", "objects/s", "paged_all"),
    Figure("big_group", f"members of {BIG}", "/s", "big_group", 257),
    Figure("member_add", "member added to it", "/s", "member_add", 68),
    Figure("member_delete", "member deleted from it", "/s", "member_delete", 72),
    Figure("idle_p99", "point search, p99 idle", "ms"),
    Figure("busy_p99", "the same beside 4 walks", "ms"),
    Figure("memory_load", "resident memory after load", "MiB"),
)


@dataclass(slots=True)
class FullAddc(AddcTarget):
    """addc with its directory filled before it is started."""

    size: Size = field(default_factory=Size)

    def fill(self) -> float:
        """Seconds that it took."""
        started = time.monotonic()
        directory = open_directory(self._data_dir)
        fill(directory, self.size)
        directory.close()
        return time.monotonic() - started


@dataclass(slots=True)
class FullSamba(SambaTarget):
    """Samba with its directory filled, provisioned by this run or by an earlier one."""

    size: Size = field(default_factory=Size)

    @property
    def _home(self) -> Path:
        size = self.size
        return _ROOT / "var" / "bench" / f"peer-{size.users}-{size.groups}-{size.big}-{size.small}"

    @property
    def _mark(self) -> Path:
        return self._home / "filled"

    def provision(self) -> float:
        if self._mark.exists():
            self._peer = samba_peer.kept(self.host, self._home)
            return 0.0
        shutil.rmtree(self._home, ignore_errors=True)
        self._peer = samba_peer.provision(self.host, self._home)
        return self._peer.provision_s

    def fill(self) -> float:
        """Seconds that it took; those of the run that did it."""
        if self._mark.exists():
            return float(self._mark.read_text())
        assert self._peer is not None
        size, started = self.size, time.monotonic()
        counts = map(str, (size.users, size.groups, size.big, size.small))
        program = str(Path(__file__).with_name("samba_fill.py"))
        words = ["/usr/bin/python3", program, str(self._peer.conf), self.names.domain_dn, *counts]
        self.host.run(words, timeout_s=_FILL_S, check=True)
        took_s = time.monotonic() - started
        self._mark.write_text(str(took_s))
        return took_s


class DirectoryBench(Bench):
    """One run."""

    def bring_up(self, target: Target) -> None:
        assert isinstance(target, FullAddc | FullSamba)
        _say(f"{target.name}: provision")
        target.provision()
        _say(f"{target.name}: {target.size.users} users")
        self.series("fill", target).values.append(target.fill())
        timed_start(target, self.client)
        for figure in self.figures[:1]:
            self.measure(figure, target)  # the first answers fill caches, here as there

    @property
    def figures(self) -> list[Figure]:
        only = self.args.only
        return [figure for figure in FIGURES if figure.load and (not only or figure.name in only)]

    def latency(self, target: Target) -> None:
        """Point searches alone, and beside others that look at every object."""
        pin(target, self._cpu)
        words = [sys.executable, "-m", "tests.bench.latency", target.host.address, str(self.args.seconds)]
        words += load_words(target, f"users={self.args.users}")
        done = subprocess.run(
            self.client.command(words), check=False, capture_output=True, text=True, cwd=_ROOT
        )
        if done.returncode:
            self.series("busy_p99", target).faults.append((done.stderr.strip().splitlines() or ["?"])[-1])
            return
        found = json.loads(done.stdout.splitlines()[-1])
        for name in ("idle_p99", "busy_p99"):
            self.series(name, target).values.append(found[name])
        _say(f"  latency on {target.name}: {found}")


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tests.bench.bench_directory", description=__doc__)
    parser.add_argument("--users", type=int, default=10_000, help="(default: %(default)s)")
    parser.add_argument("--groups", type=int, default=1_000, help="of ten members (default: %(default)s)")
    parser.add_argument("--big", type=int, default=5_000, help="members of one group (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=3.0, help="of each load (default: %(default)s)")
    parser.add_argument("--only", default="", metavar="NAME,...")
    parser.add_argument("--no-peer", action="store_true", help="without Samba")
    parser.add_argument("--workers", type=int, default=0, help="of addc serve (default: %(default)s)")
    args = parser.parse_args()
    args.only = [name for name in args.only.split(",") if name]
    return args


def _targets(args: argparse.Namespace, lan: Lan) -> list[Target]:
    size = Size(args.users, args.groups, args.big)
    addc = FullAddc(lan.host("dc1", 10), args.workers, size=size)
    return [addc] if args.no_peer else [addc, FullSamba(lan.host("peer", 11), size=size)]


def _run(args: argparse.Namespace, lan: Lan) -> DirectoryBench:
    targets = _targets(args, lan)
    client: Host = client_of(lan.host("load", 20), targets)
    bench = DirectoryBench(args, client, targets)
    try:
        for target in targets:
            bench.bring_up(target)
        for _ in range(args.rounds):
            for figure in bench.figures:
                for target in targets:
                    bench.measure(figure, target)
            for target in targets:
                bench.latency(target)
        for target in targets:
            bench.series("memory_load", target).values.append(memory_mib(target))
    finally:
        stop_all(targets)
    return bench


def main() -> int:
    args = _arguments()
    bench = on_a_lan(lambda lan: _run(args, lan))
    if bench is None:
        return 1
    servers = [target.name for target in bench.targets]
    print(f"{args.users} users, {args.groups} groups, one of {args.big}; {platform.platform()}")
    print(f"servers on one processor, load on another; {args.rounds} rounds of {args.seconds:g} s")
    print(table(bench.results, servers, FIGURES))
    return 0


if __name__ == "__main__":
    sys.exit(main())
