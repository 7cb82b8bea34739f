"""DHCP servers and their clients, set up word for word as docs/dhcp.md says."""

import json
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.kit.forest_host import DNS_DOMAIN
from tests.kit.member import Member, wait_until
from tests.kit.net import Host

_DOCUMENT: Final = Path(__file__).parents[2] / "docs" / "dhcp.md"
_FENCE: Final = re.compile(r"(?:(?:^    .*|^)\n)+", re.MULTILINE)
TOLD: Final = "/run/told"
_LOGGER: Final = f'#!/bin/sh\nwhile IFS= read -r line; do echo "$line" >> {TOLD}; done\n'
"""In place of syslog's: what the hooks tell is kept in a file."""
_CONFIGURE: Final = """#!/bin/sh
case $1 in
  bound|renew) ip addr replace "$ip/24" dev "$interface" ;;
  deconfig) ip addr show dev "$interface" | sed -n 's/.*inet \\(10[.]90[.][^ ]*\\).*/\\1/p' |
    while read -r old; do ip addr del "$old" dev "$interface"; done ;;
esac
"""
"""udhcpc's script: it can only release from an address that it has."""
_OWN_PROGRAMS: Final = """
mkdir -p /run/own && cp -a /usr/local/sbin/. /run/own/
ln -s "$1" /run/own/addc
printf '%s' "$2" > /run/own/logger && chmod 755 /run/own/logger
mount --bind /run/own /usr/local/sbin
mkdir -p /etc/addc /run/lock /run/kea /run/lock/kea /run/leases
"""


def documented(sign: str) -> str:
    """The example of the document that holds this text, in the forest's domain."""
    found = [one.group() for one in _FENCE.finditer(_DOCUMENT.read_text()) if sign in one.group()]
    assert len(found) == 1, f"{len(found)} examples hold {sign!r}"
    lines = [line.removeprefix("    ") for line in found[0].strip("\n").splitlines()]
    return "\n".join(lines).replace("example.com", DNS_DOMAIN) + "\n"


def prepare(machine: Member) -> None:
    """The programs that hooks call are found there, as on a machine where addc is installed."""
    addc = Path(sys.executable).parent / "addc"
    machine.run(["sh", "-euc", _OWN_PROGRAMS, "prepare", str(addc), _LOGGER], check=True)


def told(machine: Member) -> str:
    """All that the hooks told so far."""
    return machine.run(["sh", "-c", f"cat {TOLD} 2>/dev/null"]).stdout


def told_now(machine: Member, before: str, words: str) -> str:
    """What the hooks told since, once these words are in it."""

    def asked() -> str | None:
        fresh = told(machine)[len(before) :]
        return fresh if words in fresh else None

    try:
        return wait_until(f"{words!r} of the hooks", asked, 30)
    except AssertionError as error:
        raise AssertionError(f"{error}: {told(machine)[len(before) :]}") from error


@contextmanager
def _serving(machine: Member, words: list[str], ready: str) -> Iterator[None]:
    log = machine.folder / f"{Path(words[0]).name}.log"
    log.unlink(missing_ok=True)
    process = machine.start(words, log)

    def is_up() -> bool | None:
        assert process.poll() is None, log.read_text()[-3000:]
        return True if ready in log.read_text() else None

    try:
        wait_until(f"{words[0]} to serve", is_up, 20)
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=20)


@contextmanager
def dhcpd(machine: Member, subnets: str) -> Iterator[None]:
    """ISC's, with the document's statements and script."""
    machine.write("/etc/addc/dhcp-name", documented("dhcp-name.$3"), "755")
    settings = "authoritative; ping-check false; ddns-update-style none;\nmin-lease-time 2;\n"
    machine.write("/etc/dhcpd.conf", settings + documented("on commit {") + subnets)
    machine.run(["sh", "-c", "> /run/leases/dhcpd"], check=True)
    words = ["dhcpd", "-4", "-d", "-f", "-cf", "/etc/dhcpd.conf", "-lf", "/run/leases/dhcpd"]
    with _serving(machine, [*words, "-pf", "/run/dhcpd.pid", "eth0"], "Server starting service"):
        yield


@contextmanager
def kea(machine: Member, version: int, subnet: str, pool: str) -> Iterator[None]:
    """ISC's Kea, with the document's hook and script."""
    machine.write("/etc/addc/kea-name", documented("leases4_committed)"), "755")
    hook = json.loads("{" + documented("libdhcp_run_script.so") + "}")
    facts = {
        "interfaces-config": {"interfaces": ["eth0"]},
        "lease-database": {"type": "memfile", "persist": False},
        "expired-leases-processing": {"reclaim-timer-wait-time": 1, "hold-reclaimed-time": 1},
        "valid-lifetime": 600,
        "min-valid-lifetime": 2,
        "max-valid-lifetime": 600,
        f"subnet{version}": [{"subnet": subnet, "interface": "eth0", "pools": [{"pool": pool}]}],
        "loggers": [
            {"name": f"kea-dhcp{version}", "severity": "INFO", "output_options": [{"output": "stdout"}]}
        ],
    }
    if version == 6:
        facts["server-id"] = {"type": "LL", "persist": False}
        facts |= {"preferred-lifetime": 300, "min-preferred-lifetime": 1, "max-preferred-lifetime": 300}
    machine.write(f"/etc/kea{version}.json", json.dumps({f"Dhcp{version}": facts | hook}))
    words = [f"kea-dhcp{version}", "-c", f"/etc/kea{version}.json"]
    with _serving(machine, words, f"DHCP{version}_STARTED"):
        yield


@dataclass(slots=True)
class Lease:
    """A client's lease that udhcpc holds in the background."""

    address: str
    process: "subprocess.Popen[bytes]"

    def renew(self) -> None:
        self.process.send_signal(signal.SIGUSR1)

    def release(self) -> None:
        self.process.send_signal(signal.SIGUSR2)


@contextmanager
def leased(client: Host, name: str, *more: str) -> Iterator[Lease]:
    """BusyBox's client, that asks for a name; it renews until the end."""
    log = client.folder / "udhcpc.log"
    log.unlink(missing_ok=True)
    script = client.folder / "configure"
    script.write_text(_CONFIGURE)
    script.chmod(0o755)
    words = ["busybox", "udhcpc", "-i", "eth0", "-f", "-n", "-s", str(script), "-t", "8", "-T", "1"]
    process = client.start([*words, *(("-x", f"hostname:{name}") if name else ()), *more], log)

    def address() -> str | None:
        ended = process.poll() is not None
        found = re.findall(r"lease of (\S+) obtained", log.read_text())
        assert found or not ended, log.read_text()
        return found[0] if found else None

    try:
        yield Lease(wait_until(f"a lease of {name}", address, 20), process)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=20)


@contextmanager
def leased6(client: Host, name: str) -> Iterator[Callable[[], object]]:
    """ISC's client by IPv6, that asks for a name; what is given releases the lease."""
    settings, pid_file = client.folder / "dhclient6.conf", client.folder / "dhclient6.pid"
    settings.write_text(f'send fqdn.fqdn "{name}.";\n')
    words = ["dhclient", "-6", "-d", "-sf", "/bin/true", "-cf", str(settings), "-pf", str(pid_file)]
    words += ["-lf", str(client.folder / "dhclient6.leases")]

    def is_ready() -> bool | None:
        shown = client.run(["ip", "-6", "addr", "show", "dev", "eth0", "scope", "link"]).stdout
        return True if "inet6" in shown and "tentative" not in shown else None

    wait_until("a link-local address", is_ready, 20)
    process = client.start([*words, "eth0"], client.folder / "dhclient6.log")
    try:
        yield lambda: client.run([*words, "-r", "eth0"], check=True)
    finally:
        process.terminate()
        process.wait(timeout=20)
