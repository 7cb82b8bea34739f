"""Signed updates of DNS servers: addc beside Samba's internal server. Needs root.

Run as `python -m tests.bench.bench_dns_updates`. Clients on one machine sign with GSS-TSIG and wait for each
reply: "add" gives each update a name of its own, "again" registers what is there. Servers are bound to the
first processor, the clients to the last; they take turns, round by round. Medians are shown.
"""

import argparse
import json
import os
import platform
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Final

from tests.bench.run import on_a_lan
from tests.bench.targets import AddcTarget, SambaTarget, Target, client_of, pin
from tests.kit import samba_peer
from tests.kit.forest_host import DNS_DOMAIN
from tests.kit.net import Host, Lan

KINDS: Final = {"add": "signed updates that add a name", "again": "signed updates that change nothing"}
_READY_TRIES: Final = 200


@dataclass
class Bench:
    """One run: rates by server and kind."""

    client: Host
    targets: Sequence[Target]
    args: argparse.Namespace
    rates: dict[tuple[str, str], list[float]] = field(default_factory=dict)
    refused: dict[str, int] = field(default_factory=dict)


def zone_of(target: Target) -> str:
    return DNS_DOMAIN if target.name == "addc" else samba_peer.DNS_DOMAIN


def wait_for(bench: Bench, target: Target) -> None:
    """Until it answers and gives tickets."""
    for _ in range(_READY_TRIES):
        asked = bench.client.run(
            ["dig", "+time=1", "+tries=1", "+short", f"@{target.host.address}", target.names.host]
        )
        if asked.stdout.strip()[:1].isdigit() and log_on(bench, target):
            return
    raise RuntimeError(f"{target.name} does not answer")


def log_on(bench: Bench, target: Target) -> bool:
    principal = f"Administrator@{target.names.realm}"
    ccache = f"FILE:{bench.client.folder / target.name}.ccache"
    bench.client.environment["KRB5CCNAME"] = ccache
    return bench.client.run(["kinit", principal], stdin=target.names.password + "\n").returncode == 0


def measure(bench: Bench, target: Target, kind: str, number: int) -> None:
    """One load on one server."""
    pin(target, min(os.sched_getaffinity(0)))
    assert log_on(bench, target)
    words = [
        *(
            "taskset",
            "-c",
            str(max(os.sched_getaffinity(0))),
            sys.executable,
            "-m",
            "tests.bench.load_dns_updates",
        ),
        *(f"server={target.host.address}", f"fqdn={target.names.host}", f"zone={zone_of(target)}"),
        *(f"realm={target.names.realm}", f"kind={kind}", f"seconds={bench.args.seconds}"),
        *(f"clients={bench.args.clients}", f"run={number}"),
    ]
    done = bench.client.run(words, timeout_s=bench.args.seconds + 60)
    if done.returncode:
        raise RuntimeError(f"{kind} on {target.name}: {done.stderr[-2000:]}")
    told = json.loads(done.stdout)
    good = told["said"].get("NOERROR", 0)
    refused = sum(told["said"].values()) - good
    bench.refused[target.name] = bench.refused.get(target.name, 0) + refused
    per_s = good / told["seconds"]
    bench.rates.setdefault((target.name, kind), []).append(per_s)
    print(f"  {kind} on {target.name}: {per_s:,.0f}/s {told['said']}", file=sys.stderr, flush=True)


def table(bench: Bench) -> str:
    """Markdown: a row for each kind."""
    lines = [
        "| |" + "".join(f" {one.name}/s |" for one in bench.targets),
        "|---|" + "---|" * len(bench.targets),
    ]
    for kind, label in KINDS.items():
        cells = [f"{median(bench.rates[one.name, kind]):,.0f}" for one in bench.targets]
        lines.append(f"| {label} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _run(args: argparse.Namespace, lan: Lan) -> Bench:
    targets: list[Target] = [AddcTarget(lan.host("dc1", 21), args.workers)]
    if args.samba:
        targets.append(SambaTarget(lan.host("peer", 22)))
    for target in targets:
        target.provision()
    bench = Bench(client_of(lan.host("load", 23), targets), targets, args)
    try:
        for target in targets:
            target.start()
        for target in targets:
            wait_for(bench, target)
        for number in range(args.rounds):
            for kind in KINDS:
                for target in targets:
                    measure(bench, target, kind, number)
    finally:
        for target in targets:
            target.stop()
    return bench


def main() -> int:
    parser = argparse.ArgumentParser(prog="tests.bench.bench_dns_updates", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=4.0, help="of each load (default: %(default)s)")
    parser.add_argument("--clients", type=int, default=8, help="that wait for replies (default: %(default)s)")
    parser.add_argument("--workers", type=int, default=0, help="of addc serve (default: %(default)s)")
    parser.add_argument("--no-samba", dest="samba", action="store_false", help="measure addc alone")
    args = parser.parse_args()
    bench = on_a_lan(lambda lan: _run(args, lan))
    if bench is None:
        return 1
    print(f"{os.cpu_count()} processors, {platform.platform()}, Python {platform.python_version()}")
    print(table(bench))
    print(f"not done: {bench.refused}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
