"""A zone of many machines that renew their addresses all the time: are answers as fast? Needs root.

Run as `python -m tests.bench.bench_dns_storm`. One server on one processor; dnsperf asks for names of the
zone while a second client sends unsigned updates at a steady rate. The zone takes updates from anybody, so
that only answers and updates cost.
"""

import argparse
import re
import subprocess
import sys
from pathlib import Path
from typing import Final

from addc.codec.dns_rdata import AData, DnsRecord, DnsType
from addc.directory.api import Directory
from addc.directory.context import WriteContext
from addc.directory.dns_records import write_nodes
from addc.directory.dns_zones import ZoneProperties, ZoneUpdate, create_zone, zone_named
from addc.security.token import SYSTEM
from addc.server.offline import open_directory
from tests.bench.run import on_a_lan
from tests.bench.targets import AddcTarget, pin
from tests.kit.net import Host, Lan

ZONE: Final = "storm.test"
_BATCH: Final = 5000
_RATE: Final = re.compile(r"Queries per second:\s+([\d.]+)")
_UPDATES: Final = """
import socket, struct, sys, time
import dns.message, dns.update
server, zone = sys.argv[1:3]
per_s, seconds, names = float(sys.argv[3]), float(sys.argv[4]), int(sys.argv[5])
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.connect((server, 53))
sock.settimeout(5)
start, done = time.monotonic(), 0
while (now := time.monotonic() - start) < seconds:
    if done / per_s > now:
        time.sleep(done / per_s - now)
    update = dns.update.UpdateMessage(zone)
    update.replace(f"h{done * 7 % names}", 600, "A", f"10.9.{done // 250 % 250}.{done % 250}")
    sock.send(update.to_wire())
    done += sock.recv(4096)[3] & 15 == 0
print(done / seconds)
"""


def _fill(directory: Directory, count: int) -> None:
    def make(ctx: WriteContext) -> None:
        create_zone(ctx, ZONE, ZoneProperties(allow_update=ZoneUpdate.UNSECURE))

    directory.write_now("bench", SYSTEM, make)
    for start in range(0, count, _BATCH):

        def add(ctx: WriteContext, start: int = start) -> None:
            zone = zone_named(ctx, ZONE)
            assert zone is not None
            nodes = {
                f"h{number}": [DnsRecord(DnsType.A, AData((0x0A000000 + number).to_bytes(4, "big")))]
                for number in range(start, min(start + _BATCH, count))
            }
            write_nodes(ctx, zone, nodes)

        directory.write_now("bench", SYSTEM, add)


def _questions(folder: Path, count: int, asked: int) -> dict[str, Path]:
    step = max(count // asked, 1)
    found = {"there": [f"h{n}" for n in range(0, count, step)], "missing": [f"x{n}" for n in range(asked)]}
    paths = {}
    for kind, names in found.items():
        paths[kind] = folder / kind
        paths[kind].write_text("".join(f"{name}.{ZONE} A\n" for name in names))
    return paths


def _dnsperf(client: Host, server: Host, asked: Path, seconds: float) -> float:
    words = [
        "taskset",
        "-c",
        "1",
        "dnsperf",
        "-s",
        server.address,
        "-d",
        str(asked),
        "-l",
        str(seconds),
        "-c",
        "8",
    ]
    told = client.run(words, timeout_s=seconds + 60).stdout
    rate = _RATE.search(told)
    assert rate, told
    return float(rate.group(1))


def _run(args: argparse.Namespace, lan: Lan) -> list[str]:
    target = AddcTarget(lan.host("dc1", 15), args.workers)
    target.provision()
    directory = open_directory(target.host.folder / "data")
    _fill(directory, args.names)
    directory.close()
    client = lan.host("load", 18)
    asked = _questions(client.folder, args.names, args.asked)
    target.start()
    lines = []
    try:
        knock = ["dig", "+short", "+time=1", "+tries=1", f"@{target.host.address}", f"h0.{ZONE}"]
        while not client.run(knock).stdout[:1].isdigit():
            pass
        pin(target, 0)
        for kind, path in asked.items():
            _dnsperf(client, target.host, path, 2.0)
            calm = _dnsperf(client, target.host, path, args.seconds)
            words = [
                "taskset", "-c", "1", sys.executable, "-c", _UPDATES, target.host.address, ZONE,
                str(args.updates), str(args.seconds), str(args.names),
            ]  # fmt: skip
            with subprocess.Popen(client.command(words), stdout=subprocess.PIPE, text=True) as updating:
                stormy = _dnsperf(client, target.host, path, args.seconds)
                done, _ = updating.communicate()
            lines.append(f"| {kind} | {calm:,.0f} | {stormy:,.0f} | {float(done):,.0f} |")
    finally:
        target.stop()
    return lines


def main() -> int:
    parser = argparse.ArgumentParser(prog="tests.bench.bench_dns_storm", description=__doc__)
    parser.add_argument("--names", type=int, default=50_000)
    parser.add_argument("--asked", type=int, default=2_000, help="different names that are asked for")
    parser.add_argument("--updates", type=int, default=200, help="a second (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--workers", type=int, default=0)
    args = parser.parse_args()
    lines = on_a_lan(lambda lan: _run(args, lan))
    if lines is None:
        return 1
    print(f"| names of {args.names:,} | answers/s | with updates | updates/s |\n|---|---|---|---|")
    print("\n".join(lines))
    return 0


if __name__ == "__main__":
    sys.exit(main())
