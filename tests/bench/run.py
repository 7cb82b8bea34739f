"""Figures of this machine: addc beside Debian's Samba, in network namespaces. Needs root.

Run as `python -m tests.bench.run`, which is `make bench`. All processes of both servers are bound to the
first processor, the load to the last; servers take turns, kind by kind and round by round. Medians are shown.
"""

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Final, TypeVar

from tests.bench.figures import FIGURES, Figure, Results, Series, table
from tests.bench.mit_target import MitTarget
from tests.bench.targets import (
    AddcTarget,
    SambaTarget,
    Target,
    client_of,
    cpu_s,
    load_words,
    memory_mib,
    pin,
    timed_start,
)
from tests.kit.net import Host, Lan

T = TypeVar("T")
_ROOT: Final = Path(__file__).parents[2]
_SETUP_S: Final = 600.0
_LOAD_SPARE_S: Final = 60.0
_ADDED_FROM: Final = 100_000
_ADDED_STEP: Final = 20_000


class Bench:
    """One run: its servers, its load machine and what was measured."""

    def __init__(self, args: argparse.Namespace, client: Host, targets: Sequence[Target]) -> None:
        self.args = args
        self.client = client
        self.targets = targets
        self.results: Results = {}
        self._cpu = min(os.sched_getaffinity(0))
        self._adds = 0

    def series(self, figure: str, target: Target) -> Series:
        return self.results.setdefault(figure, {}).setdefault(target.name, Series())

    def bring_up(self, target: Target) -> None:
        """Provision, start, fill; a server that fails here cannot be measured."""
        _say(f"{target.name}: provision and start")
        if isinstance(target, MitTarget):
            target.provision()
            target.fill(self.args.users)
            target.start()
            return
        self.series("provision", target).values.append(target.provision())
        for kind, took_s in timed_start(target, self.client).items():
            self.series(f"first_{kind}", target).values.append(took_s)
        self.series("memory_start", target).values.append(memory_mib(target))
        _say(f"{target.name}: {self.args.users} users, one of them in many groups")
        made = self._load(target, "setup", _SETUP_S, ["connections=4"])
        if made["errors"]:
            raise RuntimeError(f"setup of {target.name}: {made['errors']} errors, {made['first_error']}")
        self._log_on(target)

    def _log_on(self, target: Target) -> None:
        words = ["kinit", f"Administrator@{target.names.realm}"]
        environment = {"KRB5CCNAME": self._ccache(target)}
        self.client.run(words, stdin=target.names.password + "\n", environment=environment, check=True)

    def _ccache(self, target: Target) -> str:
        return f"FILE:{self.client.folder / target.name}.ccache"

    def _load(self, target: Target, kind: str, seconds: float, more: Sequence[str] = ()) -> dict[str, object]:
        """Run a load program to its end; its result. Raises RuntimeError with its last line of error."""
        if isinstance(target, MitTarget):
            more = [*more, *target.words]
        words = [sys.executable, "-m", "tests.bench.load", kind, target.host.address, str(seconds)]
        done = subprocess.run(
            self.client.command([*words, *load_words(target, f"users={self.args.users}", *more)]),
            check=False,
            capture_output=True,
            text=True,
            timeout=seconds + _LOAD_SPARE_S,
            env={**os.environ, **self.client.environment, "KRB5CCNAME": self._ccache(target)},
            cwd=_ROOT,
        )
        if done.returncode:
            raise RuntimeError((done.stderr.strip().splitlines() or ["no output"])[-1])
        found: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
        return found

    def measure(self, figure: Figure, target: Target) -> None:
        """One figure on one server, once; a failure becomes a note and the run goes on."""
        assert figure.load is not None
        if isinstance(target, MitTarget) and figure.load not in target.loads:
            return
        series = self.series(figure.name, target)
        more = [f"connections={figure.connections}"]
        if figure.load.startswith("add"):
            more.append(f"start={_ADDED_FROM + _ADDED_STEP * self._adds}")
            self._adds += 1
        pin(target, self._cpu)
        before_s = cpu_s(target)
        try:
            found = self._load(target, figure.load, self.args.seconds, more)
        except (RuntimeError, subprocess.TimeoutExpired, ValueError) as error:
            series.faults.append(str(error))
            _say(f"  {figure.label} on {target.name}: {error}")
            return
        used_ms = (cpu_s(target) - before_s) * 1000
        count = int(str(found["count"]))
        series.values.append(float(str(found["per_s"])))
        series.cpu_ms.append(used_ms / max(count, 1))
        if found["p99_ms"] is not None:
            series.p99_ms.append(float(str(found["p99_ms"])))
        if found["errors"]:
            series.faults.append(f"{found['first_error']} ({found['errors']} of {count})")
        _say(f"  {figure.label} on {target.name}: {series.values[-1]:,.0f}/s")

    def rounds(self, figures: Sequence[Figure]) -> None:
        for number in range(self.args.rounds):
            _say(f"round {number + 1} of {self.args.rounds}")
            for figure in figures:
                for target in self.targets:
                    self.measure(figure, target)
        for target in self.targets:
            self.series("memory_load", target).values.append(memory_mib(target))


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _arguments() -> argparse.Namespace:
    loads = [figure.name for figure in FIGURES if figure.load]
    parser = argparse.ArgumentParser(prog="tests.bench.run", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=3.0, help="of each load (default: %(default)s)")
    parser.add_argument("--users", type=int, default=200, help="users in OU=Bench (default: %(default)s)")
    parser.add_argument("--only", default="", metavar="NAME,...", help=f"of {', '.join(loads)}")
    parser.add_argument("--order", default="addc,samba", help="who comes first (default: %(default)s)")
    parser.add_argument("--no-peer", action="store_true", help="without Samba")
    parser.add_argument("--mit", action="store_true", help="beside MIT's krb5-kdc too")
    parser.add_argument("--workers", type=int, default=0, help="of addc serve (default: %(default)s)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all that was measured")
    args = parser.parse_args()
    args.only = [name for name in args.only.split(",") if name]
    unknown = set(args.only) - set(loads)
    if unknown or set(args.order.split(",")) - {"addc", "samba"}:
        parser.error(f"unknown: {', '.join(sorted(unknown)) or args.order}")
    return args


def _write(path: Path, bench: Bench) -> None:
    machine = {"processors": os.cpu_count(), "system": platform.platform(), "python": sys.version.split()[0]}
    figures = {
        name: {server: asdict(series) for server, series in found.items()}
        for name, found in bench.results.items()
    }
    settings = {name: str(value) for name, value in vars(bench.args).items()}
    path.write_text(
        json.dumps({"machine": machine, "settings": settings, "figures": figures}, indent=1) + "\n"
    )


def _run(args: argparse.Namespace, lan: Lan) -> Bench:
    targets: list[Target] = []
    for name in args.order.split(","):
        if name == "addc":
            targets.append(AddcTarget(lan.host("dc1", 10), args.workers))
        elif not args.no_peer:
            targets.append(SambaTarget(lan.host("peer", 11)))
    if args.mit:
        targets.append(MitTarget(lan.host("mit", 12)))
    bench = Bench(args, client_of(lan.host("load", 20), targets), targets)
    try:
        for target in targets:
            bench.bring_up(target)
        wanted = [f for f in FIGURES if f.load and (not args.only or f.name in args.only)]
        bench.rounds(wanted)
    finally:
        stop_all(targets)
    return bench


def stop_all(targets: Sequence[Target]) -> None:
    """Stop the servers, and show what they complained of."""
    for target in targets:
        target.stop()
        for line in target.complaints():
            _say(f"{target.name}'s log: {line}")


def on_a_lan(work: Callable[[Lan], T]) -> T | None:
    """What `work` measures in namespaces of its own; None, with the reason told, where there can be none."""
    if os.geteuid() != 0:
        _say("The bench makes network namespaces: only root can. Next step: sudo make bench")
        return None
    folder = Path(tempfile.mkdtemp(prefix="addc-bench-"))
    folder.chmod(0o755)
    try:
        with Lan(folder) as lan:
            return work(lan)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def main() -> int:
    args = _arguments()
    bench = on_a_lan(lambda lan: _run(args, lan))
    if bench is None:
        return 1
    servers = sorted((target.name for target in bench.targets), key=["addc", "samba", "mit"].index)
    print(f"{os.cpu_count()} processors, {platform.platform()}, Python {platform.python_version()}")
    print(f"servers on one processor, load on another; medians of {args.rounds} rounds of {args.seconds:g} s")
    print(table(bench.results, servers))
    if args.json:
        _write(args.json, bench)
    return 0


if __name__ == "__main__":
    sys.exit(main())
