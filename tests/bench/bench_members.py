"""What members ask of their DC, by RPC and SMB: addc beside Debian's Samba, in namespaces. Needs root.

Run as `python -m tests.bench.bench_members`, the third part of `make bench`. One word of --only names a
figure. Idle sessions and connections are held by a load program while the server's memory is looked at.
"""

import argparse
import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import Final

from tests.bench.figures import Figure, table
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
from tests.kit.net import Lan

_ROOT: Final = Path(__file__).parents[2]
_SETUP_S: Final = 600.0
_SHARE: Final = "bench"
_KIB_PER_MIB: Final = 1024
_PEER_HELD_MAX: Final = 200
"""Samba has a process for each: as many tell the same."""

FIGURES: Final = (
    Figure("sam_logon", "SamLogonEx, network, sealed", "/s", "sam_logon", 802, connections=4),
    Figure("lookup_sids", "LookupSids, TCP, sealed", "/s", "lookup_sids", 6053, connections=4),
    Figure("lookup_names", "LookupNames, TCP, sealed", "/s", "lookup_names", 8264, connections=4),
    Figure("lookup_sids_pipe", "LookupSids, pipe, signed", "/s", "lookup_sids_pipe", connections=4),
    Figure("lookup_names_pipe", "LookupNames, pipe, signed", "/s", "lookup_names_pipe", connections=4),
    Figure("secure_channel", "secure channels opened", "/s", "secure_channel"),
    Figure("rpc_bind", "RPC connect, bind by Kerberos", "/s", "rpc_bind", 90),
    Figure("session_setup", "SMB sessions by Kerberos", "/s", "session_setup", 30),
    Figure("small_files", "SYSVOL open, read, close", "/s", "small_files", 4686, connections=4),
    Figure("read_signed", "large reads, signed", "MiB/s", "read_signed", 805),
    Figure("read_encrypted", "large reads, encrypted", "MiB/s", "read_encrypted"),
    Figure("write_signed", "large writes, signed", "MiB/s", "write_large"),
    Figure("idle_session", "memory of an idle SMB session", "KiB"),
    Figure("idle_rpc", "memory of an idle RPC connection", "KiB"),
    Figure("memory_load", "resident memory after load", "MiB"),
)
_HELD: Final = {"idle_session": "hold_sessions", "idle_rpc": "hold_rpc"}


class MembersBench(Bench):
    """One run."""

    def bring_up(self, target: Target) -> None:
        _say(f"{target.name}: provision and start")
        target.provision()
        _share(target)
        timed_start(target, self.client)
        for kind in ("setup", "setup_members"):
            made = self._load(target, kind, _SETUP_S, ["connections=4"])
            if made["errors"]:
                raise RuntimeError(f"{kind} of {target.name}: {made['errors']} errors, {made['first_error']}")
        self._log_on(target)

    def fill(self, target: Target) -> None:
        """Make the large file."""
        self._load(target, "fill_large", _SETUP_S)

    def held(self, name: str, target: Target) -> None:
        """Memory of what is idle, by the difference that many of them make."""
        count = self.args.idle if isinstance(target, AddcTarget) else min(self.args.idle, _PEER_HELD_MAX)
        words = [sys.executable, "-m", "tests.bench.load", _HELD[name], target.host.address, str(_SETUP_S)]
        pin(target, self._cpu)
        before_mib = memory_mib(target)
        with subprocess.Popen(
            self.client.command([*words, *load_words(target, f"connections={count}")]),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=_ROOT,
            env={**os.environ, **self.client.environment, "KRB5CCNAME": self._ccache(target)},
        ) as holding:  # fmt: skip
            assert holding.stdout is not None
            if holding.stdout.readline().strip() != "held":
                self.series(name, target).faults.append(f"{count} were not to be had")
                return
            each_kib = (memory_mib(target) - before_mib) * _KIB_PER_MIB / count
            holding.communicate()
        self.series(name, target).values.append(each_kib)
        _say(f"  {name} on {target.name}: {each_kib:,.1f} KiB")


def _share(target: Target) -> None:
    """A share of a folder on the server's host."""
    folder = target.host.folder / _SHARE
    folder.mkdir()
    folder.chmod(0o777)
    if isinstance(target, AddcTarget):
        target.command("share", "add", _SHARE, str(folder))
    elif isinstance(target, SambaTarget):
        conf = target.conf
        conf.write_text(f"{conf.read_text()}\n[{_SHARE}]\n\tpath = {folder}\n\tread only = no\n")


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _arguments() -> argparse.Namespace:
    loads = [figure.name for figure in FIGURES if figure.load or figure.name in _HELD]
    parser = argparse.ArgumentParser(prog="tests.bench.bench_members", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=3.0, help="of each load (default: %(default)s)")
    parser.add_argument("--users", type=int, default=50, help="users in OU=Bench (default: %(default)s)")
    parser.add_argument("--idle", type=int, default=1_000, help="of each kind held (default: %(default)s)")
    parser.add_argument("--only", default="", metavar="NAME,...", help=f"of {', '.join(loads)}")
    parser.add_argument("--no-peer", action="store_true", help="without Samba")
    parser.add_argument("--workers", type=int, default=0, help="of addc serve (default: %(default)s)")
    args = parser.parse_args()
    args.only = [name for name in args.only.split(",") if name]
    if unknown := set(args.only) - set(loads):
        parser.error(f"unknown: {', '.join(sorted(unknown))}")
    return args


def _run(args: argparse.Namespace, lan: Lan) -> MembersBench:
    targets: list[Target] = [AddcTarget(lan.host("dc1", 10), args.workers)]
    if not args.no_peer:
        targets.append(SambaTarget(lan.host("peer", 11)))
    bench = MembersBench(args, client_of(lan.host("load", 20), targets), targets)
    wanted = [figure for figure in FIGURES if not args.only or figure.name in args.only]
    large = {"read_signed", "read_encrypted", "write_signed"} & {figure.name for figure in wanted}
    try:
        for target in targets:
            bench.bring_up(target)
        for figure in wanted:  # before the loads: what those leave behind would be used again
            for target in targets if figure.name in _HELD else ():
                bench.held(figure.name, target)
        for target in targets if large else ():
            bench.fill(target)
        bench.rounds([figure for figure in wanted if figure.load])
    finally:
        stop_all(targets)
    return bench


def main() -> int:
    args = _arguments()
    bench = on_a_lan(lambda lan: _run(args, lan))
    if bench is None:
        return 1
    servers = [target.name for target in bench.targets]
    print(f"{os.cpu_count()} processors, {platform.platform()}, Python {platform.python_version()}")
    print(f"servers on one processor, load on another; medians of {args.rounds} rounds of {args.seconds:g} s")
    print(table(bench.results, servers, FIGURES))
    return 0


if __name__ == "__main__":
    sys.exit(main())
