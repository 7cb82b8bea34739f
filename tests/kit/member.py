"""A machine that can be joined: its own /etc, /run, /tmp (credentials), state of sssd and Samba, processes.

A holder process keeps its namespaces; when it ends, every process in them ends, and with them all mounts.
Nothing of the real machine's configuration is touched.
"""

import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

from tests.kit.forest_host import DNS_DOMAIN
from tests.kit.net import Host, Lan

T = TypeVar("T")

_PRIVATE: Final = (
    *("/etc", "/home", "/var/lib/sss", "/var/log/sssd", "/var/lib/realmd", "/var/cache/realmd"),
    *("/var/lib/samba", "/var/cache/samba", "/var/log/samba"),
)
_CHECKOUT: Final = Path(__file__).parents[2]
_HOLD: Final = """
folder=$1 name=$2 checkout=$3; shift 3
hostname "$name"
mount -t proc proc /proc
for place in "$@"; do
  mkdir -p "$place" "$folder/own$place"
  cp -a "$place/." "$folder/own$place/"
done
resolver=$(cat /etc/resolv.conf) hosts=$(cat /etc/hosts)
umount /etc/resolv.conf /etc/hosts
for place in "$@"; do mount --bind "$folder/own$place" "$place"; done
printf '%s\\n' "$resolver" > /etc/resolv.conf
printf '%s\\n' "$hosts" > /etc/hosts
rm -f /etc/krb5.keytab /etc/sssd/sssd.conf
mkdir -p "$folder/own/tmp"
chmod 1777 "$folder/own/tmp"
for stays in "${folder%/*}" "$checkout"; do  # what the journeys share, and the product
  case "$stays" in /tmp/*)
    mkdir -p "$folder/own$stays"
    mount --bind "$stays" "$folder/own$stays"
  esac
done
mount --rbind "$folder/own/tmp" /tmp
mount -t tmpfs -o mode=755 tmpfs /run
rm -rf /var/lib/samba/* /var/cache/samba/*
mkdir -p /run/dbus /run/lock /run/samba /var/lib/samba/private
echo ready
exec cat
"""


@dataclass(slots=True)
class Member(Host):
    """A namespace whose programs see the member's own files."""

    holder: "subprocess.Popen[str] | None" = None

    def command(self, words: Sequence[str]) -> list[str]:
        """Programs run in the holder's namespaces; its child is their first process."""
        assert self.holder is not None
        pid = Path(f"/proc/{self.holder.pid}/task/{self.holder.pid}/children").read_text().split()[0]
        return ["nsenter", f"--target={pid}", "--mount", "--net", "--uts", "--pid", "--wd=/", "--", *words]

    def read(self, path: str) -> str:
        """A file as the member sees it."""
        return self.run(["cat", path], check=True).stdout

    def write(self, path: str, text: str, mode: str = "644") -> None:
        """Put a file where the member sees it."""
        self.run(["sh", "-c", f'cat > "$1" && chmod {mode} "$1"', "write", path], stdin=text, check=True)

    def end(self) -> None:
        """End it, and all that runs in it."""
        if self.holder is not None and self.holder.stdin is not None and self.holder.stdout is not None:
            self.holder.stdin.close()
            self.holder.wait(timeout=30)
            self.holder.stdout.close()


def member(lan: Lan, name: str, last_octet: int, dc: Host) -> Member:
    """A machine named in the domain, whose resolver is the DC; not joined yet."""
    plain = lan.host(name, last_octet)
    fqdn = f"{name}.{DNS_DOMAIN}"
    plain.etc("resolv.conf", f"search {DNS_DOMAIN}\nnameserver {dc.address}\noptions timeout:2 attempts:2\n")
    plain.etc("hosts", f"127.0.0.1 localhost\n{plain.address} {fqdn} {name}\n")
    holder = subprocess.Popen(
        [
            *plain.command(["unshare", "--mount", "--uts", "--pid", "--fork", "--kill-child"]),
            *["--propagation", "private", "sh", "-euc", _HOLD, "member"],
            *[str(plain.folder), fqdn, str(_CHECKOUT), *_PRIVATE],
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "ready\n", "the member's namespaces could not be made"
    found = Member(plain.name, plain.address, plain.folder, {"LC_ALL": "C", "HOME": "/root"}, holder)
    lines = (
        f"default_realm = {DNS_DOMAIN.upper()}",
        *("dns_lookup_kdc = true", "dns_lookup_realm = false", "rdns = false"),
    )
    found.write("/etc/krb5.conf", "\n ".join(["[libdefaults]", *lines, ""]))
    return found


def wait_until(what: str, ask: Callable[[], T | None], timeout_s: float = 60) -> T:
    """The first answer of `ask` that is not None; each asking takes its own while."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        found = ask()
        if found is not None:
            return found
    raise AssertionError(f"{what} did not happen within {timeout_s} s")
