"""The planner from LDIF to report: whole forests of up to ten thousand sites, all naming contexts, one core.

Run as `python -m tests.bench.bench_kcc`, a part of `make bench`. Each report has a fresh process. Beside
small ones, Debian's samba_kcc plans one site's share of the same file (it never plans a forest). Parts are
seconds of the processor; the whole is told by the clock too, which other work on the machine makes longer.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from addc.kcc.snapshot import DcAt, Snapshot
from tests.kit.kcc_ldif import ldif_of
from tests.kit.kcc_shapes import hub_tree, one_link
from tests.kit.samba_kcc import PROGRAM, samba_kcc

_MEMORY_MIB: Final = 512


@dataclass(frozen=True, slots=True)
class Case:
    """A forest, and what its report may take. aim_s: None for one that only stands beside Samba."""

    label: str
    made: Callable[[], Snapshot]
    aim_s: float | None
    with_samba: bool = False


CASES: Final = (
    Case("hub tree, 50 sites", lambda: hub_tree(50, connected=False), None, with_samba=True),
    Case("hub tree, 200 sites", lambda: hub_tree(200, connected=False), None, with_samba=True),
    Case("one link, 200 sites", lambda: one_link(200), None, with_samba=True),
    Case("hub tree, 1,000 sites", lambda: hub_tree(1_000), 1),
    Case("hub tree, 5,000 sites", lambda: hub_tree(5_000), 5),
    Case("hub tree, 10,000 sites", lambda: hub_tree(10_000), 10),
    Case("one link, 1,000 sites", lambda: one_link(1_000), 1),
    Case("one link, 5,000 sites", lambda: one_link(5_000), 5),
    Case("hub tree, 1,000 sites, a tenth scheduled", lambda: hub_tree(1_000, scheduled=10), 2),
    Case("hub tree, 5,000 sites, a tenth scheduled", lambda: hub_tree(5_000, scheduled=10), 10),
    Case("hub tree, 10,000 sites, a tenth scheduled", lambda: hub_tree(10_000, scheduled=10), 20),
    Case("one link, 1,000 sites, schedules beside it", lambda: one_link(1_000, scheduled=10), 2),
    Case("one link, 5,000 sites, schedules beside it", lambda: one_link(5_000, scheduled=10), 10),
)


@dataclass(frozen=True, slots=True)
class Run:
    """wall_s, cpu_s: of the process from start to end. parts: seconds by name."""

    wall_s: float
    cpu_s: float
    parts: dict[str, float]
    peak_mib: int
    connections: int


def report_of(path: Path, core: int) -> Run:
    """One report in a process of its own, on one core."""
    began, before = time.perf_counter(), _children_s()
    done = subprocess.run(
        ["taskset", "-c", str(core), sys.executable, "-m", "tests.bench.kcc_once", str(path)],
        capture_output=True,
        text=True,
        check=True,
    )
    wall = time.perf_counter() - began
    told = json.loads(done.stdout)
    return Run(wall, _children_s() - before, told["parts"], told["peak_mib"], told["added"])


def _children_s() -> float:
    """Time of the processor that finished child processes took."""
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime


def samba_s(snapshot: Snapshot, path: Path, core: int) -> float:
    """What samba_kcc takes for one ISTG's share, changing nothing."""
    assert snapshot.dcs
    with tempfile.TemporaryDirectory() as scratch:
        os.sched_setaffinity(0, {core})
        try:
            before = _children_s()
            words = ["--readonly", f"--importldif={path}", f"--tmpdb={scratch}/kcc.ldb"]
            done = samba_kcc(Path(scratch), *words)
            assert done.returncode == 0, done.stderr
            return _children_s() - before
        finally:
            os.sched_setaffinity(0, range(os.cpu_count() or 1))


def rows(chosen: Sequence[Case], rounds: int, core: int) -> Iterator[str]:
    """Lines of the table, as they are measured."""
    yield "| forest | s | CPU s | aim | MiB | start | read | plan | findings | latencies | report | Samba |"
    yield "|---|---|---|---|---|---|---|---|---|---|---|---|"
    with tempfile.TemporaryDirectory() as scratch:
        for at, case in enumerate(chosen):
            path = Path(scratch) / f"{at}.ldif"
            snapshot = case.made()
            path.write_text(ldif_of(snapshot, DcAt(0)))
            runs = sorted((report_of(path, core) for _ in range(rounds)), key=lambda run: run.cpu_s)
            run = runs[len(runs) // 2]
            beside = ""
            if case.with_samba and Path(PROGRAM).exists():
                beside = f"{statistics.median(samba_s(snapshot, path, core) for _ in range(rounds)):.2f}"
            parts = " | ".join(f"{seconds:.2f}" for seconds in run.parts.values())
            aim = "" if case.aim_s is None else f"{case.aim_s:g}"
            missed = " (missed)" if _misses(case, run) else ""
            figures = (
                f"{run.wall_s:.2f}{missed} | {run.cpu_s:.2f} | {aim} | {run.peak_mib} | {parts} | {beside}"
            )
            yield f"| {case.label} | {figures} |"


def _misses(case: Case, run: Run) -> bool:
    return case.aim_s is not None and (run.cpu_s > case.aim_s or run.peak_mib > _MEMORY_MIB)


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--core", type=int, default=(os.cpu_count() or 1) - 1)
    parser.add_argument("--only", default="", help="a part of the forest's name")
    chosen = parser.parse_args()
    for row in rows([case for case in CASES if chosen.only in case.label], chosen.rounds, chosen.core):
        print(row, flush=True)


if __name__ == "__main__":
    main()
