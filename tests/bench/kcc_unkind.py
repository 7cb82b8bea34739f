"""Forests that are unkind to the planner, each through every stage and report, timed; none may go wild.

    python -m tests.bench.kcc_unkind [SHAPE ...]

Each shape is a program of its own, so that its peak of memory is its own. Ends with status 1 where one takes
more than LIMIT_S of the processor in all or LIMIT_MIB of memory.
"""

import argparse
import gc
import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Final

from addc.codec.schedule import NEVER
from addc.kcc.reading.ldif_writing import ldif_of
from addc.kcc.snapshot import ConnectionOption, SiteOption, Snapshot, TransportOption
from addc.server.kcc_commands import FORMATS, Scope, shown, told
from addc.server.kcc_files import from_ldif
from tests.kit.kcc_forest import AConnection, ADc, ALink, ASite, forest, hours

LIMIT_S: Final = 20.0
"""Of the processor, from reading to each report: every report is wanted with its reading and planning."""
LIMIT_MIB: Final = 1024
_KIB_PER_MIB: Final = 1024
_TIMEOUT_S: Final = 600


def _named(kind: str, count: int) -> list[str]:
    return [f"{kind}{n}" for n in range(count)]


def one_big_site() -> Snapshot:
    """3,000 DCs in one site."""
    return forest(sites=["A"], dcs=[ADc(n, "A", gc=True) for n in _named("d", 3_000)])


def star() -> Snapshot:
    """10,000 links to one hub."""
    sites = _named("s", 10_000)
    links = [ALink(f"l{site}", ("hub", site)) for site in sites]
    return forest(sites=["hub", *sites], dcs=[f"{site}/d{site}" for site in ("hub", *sites)], links=links)


def mesh() -> Snapshot:
    """200 sites, each linked to every other, at different costs."""
    sites = _named("s", 200)
    rng = random.Random(1)  # noqa: S311 - a shape, no secret
    links = [ALink(f"{a}-{b}", (a, b), cost=rng.randint(1, 50)) for a, b in combinations(sites, 2)]
    return forest(sites=sites, dcs=[f"{site}/d{site}*" for site in sites], links=links)


def bridges() -> Snapshot:
    """3,000 bridges of three links each, bridges required."""
    sites = _named("s", 1_000)
    rng = random.Random(2)  # noqa: S311
    links = [ALink(f"l{n}", (sites[n], sites[(n + 1) % 1_000])) for n in range(1_000)]
    over = {f"b{n}": [f"l{one}" for one in rng.sample(range(1_000), 3)] for n in range(3_000)}
    every_third = [f"{site}/d{site}" for site in sites[::3]]
    required = TransportOption.BRIDGES_REQUIRED
    return forest(sites=sites, dcs=every_third, links=links, bridges=over, transport_options=required)


def domains() -> Snapshot:
    """300 domains, a GC in each of their 300 sites."""
    sites = _named("s", 300)
    dcs = [ADc(f"d{n}", site, gc=True, domain=f"c{n}") for n, site in enumerate(sites)]
    return forest(sites=sites, dcs=dcs, links=[ALink("all", tuple(sites))])


def failed() -> Snapshot:
    """Every one of 1,000 DCs has failed."""
    sites = _named("s", 300)
    names = [f"d{n}" for n in range(1_000)]
    dcs = [f"{sites[n % 300]}/{name}" for n, name in enumerate(names)]
    links = [ALink(f"l{n}", (sites[0], site)) for n, site in enumerate(sites[1:])]
    ring = [AConnection(names[n], names[n - 1]) for n in range(1_000)]
    return forest(sites=sites, dcs=dcs, links=links, connections=ring, failures=dict.fromkeys(names, 5.0))


def duplicates() -> Snapshot:
    """Every connection 20 times: in a site of 200 DCs and between 200 sites."""
    sites = _named("s", 200)
    inside = [f"{sites[0]}/i{n}" for n in range(200)]
    dcs = [*inside, *(f"{site}/d{site}" for site in sites)]
    ends = [(f"i{n}", f"i{n - 1 if n else 199}") for n in range(200)]
    ends += [(f"d{sites[0]}", f"d{site}") for site in sites[1:]]
    ends += [(b, a) for a, b in ends]
    twice = [AConnection(a, b, name=f"{a}{b}{n}") for a, b in ends for n in range(20)]
    links = [ALink(f"l{n}", (sites[0], site)) for n, site in enumerate(sites[1:])]
    return forest(sites=sites, dcs=dcs, links=links, connections=twice)


def administrators() -> Snapshot:
    """5,000 connections made by hand, each with a schedule, among 500 DCs; one in ten disabled."""
    sites = _named("s", 100)
    names = [f"d{n}" for n in range(500)]
    rng = random.Random(3)  # noqa: S311
    made = []
    for n in range(5_000):
        a, b = rng.sample(names, 2)
        week = hours(rng.sample(range(168), 40))
        by_hand = ConnectionOption(0)
        made.append(AConnection(a, b, by_hand, is_enabled=n % 10 > 0, schedule=week, name=f"c{n}"))
    links = [ALink(f"l{n}", (sites[n // 3], site)) for n, site in enumerate(sites) if n]
    dcs = [f"{sites[n % 100]}/{name}" for n, name in enumerate(names)]
    return forest(sites=sites, dcs=dcs, links=links, connections=made)


def contexts() -> Snapshot:
    """2,000 DCs in one site with 50 application naming contexts each, every set another."""
    rng = random.Random(4)  # noqa: S311
    apps = _named("app", 60)
    dcs = [ADc(name, "A", apps=tuple(rng.sample(apps, 50))) for name in _named("d", 2_000)]
    return forest(sites=["A"], dcs=dcs)


def many_contexts() -> Snapshot:
    """3,000 application naming contexts over 60 sites, each on three DCs of its own choice."""
    rng = random.Random(5)  # noqa: S311
    sites = _named("s", 60)
    apps: list[list[str]] = [[] for _ in sites]
    for n in range(3_000):
        for at in rng.sample(range(60), 3):
            apps[at].append(f"app{n}")
    dcs = [ADc(f"d{n}", site, apps=tuple(apps[n])) for n, site in enumerate(sites)]
    return forest(
        sites=sites, dcs=dcs, links=[ALink(f"l{n}", (sites[0], s)) for n, s in enumerate(sites[1:])]
    )


def one_link() -> Snapshot:
    """One link that joins 20,000 sites."""
    sites = _named("s", 20_000)
    return forest(sites=sites, dcs=[f"{site}/d{site}" for site in sites], links=[ALink("all", tuple(sites))])


def closed() -> Snapshot:
    """5,000 sites whose links are never open."""
    sites = _named("s", 5_000)
    links = [ALink(f"l{n}", (sites[n // 8], site), window=NEVER) for n, site in enumerate(sites) if n]
    return forest(sites=sites, dcs=[f"{site}/d{site}" for site in sites], links=links)


def chain() -> Snapshot:
    """3,000 sites in a row, each link with another schedule and interval."""
    sites = _named("s", 3_000)
    rng = random.Random(6)  # noqa: S311
    links = [
        ALink(
            f"l{n}", (sites[n], sites[n + 1]), rng.randint(1, 900), rng.randint(15, 10_080),
            window=hours(rng.sample(range(168), 80)),
        )
        for n in range(2_999)
    ]  # fmt: skip
    return forest(sites=sites, dcs=[f"{site}/d{site}" for site in sites], links=links)


def weeks() -> Snapshot:
    """120 sites with 4 DCs each in a ring of links with schedules: what exact latencies are tried for."""
    sites = _named("s", 30)
    rng = random.Random(7)  # noqa: S311
    links = [
        ALink(f"l{n}", (sites[n], sites[n - 1]), window=hours(rng.sample(range(168), 60)))
        for n in range(30)
    ]  # fmt: skip
    dcs = [
        ADc(f"d{n}", sites[n % 30], gc=True, domain=f"c{n % 20}", apps=tuple(f"a{k}" for k in range(n % 13)))
        for n in range(118)
    ]
    return forest(sites=sites, dcs=dcs, links=links)


def redundant() -> Snapshot:
    """1,000 sites of three DCs that all want a redundant topology, bridges required, links all over."""
    sites = [
        ASite(n, SiteOption.IS_REDUNDANT_SERVER_TOPOLOGY_ENABLED | SiteOption.IS_RAND_BH_SELECTION_DISABLED)
        for n in _named("s", 1_000)
    ]
    rng = random.Random(8)  # noqa: S311
    names = [one.name for one in sites]
    links = [ALink(f"l{n}", (*rng.sample(names, 2),), cost=rng.randint(1, 9)) for n in range(5_000)]
    dcs = [f"{site}/d{site}{n}{'*' if n else ''}" for site in names for n in range(3)]
    return forest(sites=sites, dcs=dcs, links=links)


def read_only() -> Snapshot:
    """2,000 read-only DCs in one site, beside 100 writable ones elsewhere."""
    dcs = [*(f"A/w{n}" for n in range(100)), *(f"B/r{n}!" for n in range(2_000))]
    return forest(sites=["A", "B"], dcs=dcs, links=[ALink("ab", ("A", "B"))])


def many_sites_no_links() -> Snapshot:
    """5,000 sites with a DC each, and no link."""
    sites = _named("s", 5_000)
    return forest(sites=sites, dcs=[f"{site}/d{site}" for site in sites])


SHAPES: Final[dict[str, Callable[[], Snapshot]]] = {
    one.__name__: one
    for one in (
        one_big_site, star, mesh, bridges, domains, failed, duplicates, administrators, contexts,
        many_contexts, one_link, closed, chain, weeks, redundant, read_only, many_sites_no_links,
    )
}  # fmt: skip


def _peak_mib() -> int:
    (line,) = [one for one in Path("/proc/self/status").read_text().splitlines() if one.startswith("VmHWM:")]
    return int(line.split()[1]) // _KIB_PER_MIB


def _stages(path: Path, failing: Snapshot) -> None:
    """Everything that is done with one file; prints what each stage took and the peak after it."""
    gc.disable()
    took: dict[str, float] = {}
    peaks: dict[str, int] = {}
    before = time.process_time()

    def mark(name: str) -> None:
        nonlocal before
        now = time.process_time()
        took[name] = round(took.get(name, 0.0) + now - before, 2)
        peaks[name] = _peak_mib()
        before = now

    snapshot = replace(from_ldif(path), failures=failing.failures)
    mark("read")
    names = iter(("", "plan", "latency"))

    def tell(_: str) -> None:
        name = next(names)
        if name:
            mark(name)

    one = told(snapshot, Scope(), tell)
    mark("findings")
    size: dict[str, int] = {}
    for form in FORMATS:
        size[form] = sum(len(piece) for piece in shown(one, form, everything=form == "text"))
        mark(form)
    print(json.dumps({"took": took, "peaks": peaks, "size": size}), flush=True)


def _run(name: str) -> bool:
    """Whether a shape stays within the limits."""
    with tempfile.TemporaryDirectory(prefix="addc-unkind-") as folder:
        path = Path(folder) / "forest.ldif"
        command = (sys.executable, "-m", "tests.bench.kcc_unkind", "--stages", name, "--file", str(path))
        try:
            done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            print(f"{name:<20} OVER {_TIMEOUT_S} s", flush=True)
            return False
    if done.returncode:
        print(f"{name:<20} FAILED: {done.stderr[-2000:]}", flush=True)
        return False
    told_of = json.loads(done.stdout)
    took, peaks, size = told_of["took"], told_of["peaks"], told_of["size"]
    common = sum(took[stage] for stage in ("read", "plan", "latency", "findings"))
    worst = common + max(took[form] for form in FORMATS)
    is_good = bool(worst <= LIMIT_S) and max(peaks.values()) <= LIMIT_MIB
    parts = " ".join(f"{stage} {seconds:.1f}" for stage, seconds in took.items())
    sizes = " ".join(f"{form} {count >> 10:,}K" for form, count in size.items())
    print(f"{name:<20} {worst:6.1f} s {max(peaks.values()):5} MiB  {'' if is_good else 'OVER '}"
          f"({parts}; {sizes})", flush=True)  # fmt: skip
    return is_good


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="tests.bench.kcc_unkind", description=__doc__)
    parser.add_argument("shapes", nargs="*", metavar="SHAPE", help=", ".join(SHAPES))
    parser.add_argument("--stages", choices=SHAPES, help=argparse.SUPPRESS)
    parser.add_argument("--file", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args(arguments)
    if args.stages:
        snapshot = SHAPES[args.stages]()
        args.file.write_bytes(ldif_of(snapshot))
        failing = snapshot if snapshot.failures else replace(snapshot, sites=(), dcs=(), links=())
        _stages(args.file, failing)
        return 0
    return 0 if all([_run(name) for name in args.shapes or SHAPES]) else 1


if __name__ == "__main__":
    sys.exit(main())
