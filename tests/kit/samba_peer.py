"""Debian's Samba as a domain controller in a namespace of its own: a peer to measure beside.

Provisioned with its own defaults. Every process of it is ended by its id.
"""

import os
import re
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.kit.net import Host

REALM: Final = "PEER.EXAMPLE.COM"
DOMAIN: Final = "PEER"
DNS_DOMAIN: Final = "peer.example.com"
DOMAIN_DN: Final = "DC=peer,DC=example,DC=com"
HOST_NAME: Final = "peerdc"
PASSWORD: Final = "Passw0rd.Peer1"
_STOP_S: Final = 10.0


@dataclass(slots=True)
class SambaPeer:
    """A provisioned Samba DC; `start` and `stop` may alternate."""

    host: Host
    folder: Path
    provision_s: float
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def conf(self) -> Path:
        return self.folder / "etc" / "smb.conf"

    def start(self) -> None:
        """Start it; it answers some seconds later.

        Its pipes live in /run/samba: shared with another Samba, calls would reach whichever started last.
        """
        private_run = self.folder / "run-samba"
        (private_run / "ncalrpc").mkdir(parents=True, exist_ok=True)
        (private_run / "ncalrpc").chmod(0o755)
        Path("/run/samba").mkdir(exist_ok=True)
        self.process = self.host.start(
            [
                "sh", "-c", 'mount --bind "$1" /run/samba && exec samba -F --no-process-group -s "$2"',
                "samba-peer", str(private_run), str(self.conf),
            ],
            self.folder / "samba.log",
        )  # fmt: skip

    def pids(self) -> list[int]:
        """Every process of the server."""
        return pids_of(self.host)

    def stop(self) -> None:
        """SIGTERM to the first process, which takes the others along; SIGKILL to what stays."""
        if self.process is None:
            return
        self.process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + _STOP_S
        while time.monotonic() < deadline and self.pids():
            try:
                self.process.wait(timeout=0.1)
            except subprocess.TimeoutExpired:
                continue
        for pid in self.pids():
            os.kill(pid, signal.SIGKILL)
        self.process.wait(timeout=_STOP_S)
        self.process = None


def pids_of(host: Host) -> list[int]:
    """The processes that run in a namespace."""
    listed = subprocess.run(
        ["ip", "netns", "pids", host.name], check=True, capture_output=True, text=True
    ).stdout
    return [int(word) for word in listed.split()]


def provision(host: Host, folder: Path) -> SambaPeer:
    """A new domain in `folder`; its address is the host's."""
    if shutil.which("samba-tool") is None or shutil.which("samba") is None:
        raise RuntimeError(
            "Samba's domain controller is not installed; next step: tools/debian-packages bench"
        )
    folder.mkdir(parents=True, exist_ok=True)
    _name(host)
    started = time.monotonic()
    host.run(
        [
            "samba-tool", "domain", "provision", f"--realm={REALM}", f"--domain={DOMAIN}",
            "--server-role=dc", "--dns-backend=SAMBA_INTERNAL", f"--adminpass={PASSWORD}",
            f"--host-name={HOST_NAME}", f"--host-ip={host.address}", f"--targetdir={folder}",
        ],
        timeout_s=180,
        check=True,
    )  # fmt: skip
    took_s = time.monotonic() - started
    peer = SambaPeer(host, folder, took_s)
    _configure(peer)
    return peer


def kept(host: Host, folder: Path) -> SambaPeer:
    """The domain that an earlier run provisioned in `folder`."""
    _name(host)
    return SambaPeer(host, folder, 0.0)


def _name(host: Host) -> None:
    """Let the machine find itself by name."""
    host.etc("resolv.conf", f"search {DNS_DOMAIN}\nnameserver 127.0.0.1\noptions timeout:1 attempts:1\n")
    host.etc(
        "hosts",
        f"127.0.0.1 localhost {os.uname().nodename}\n{host.address} {HOST_NAME}.{DNS_DOMAIN} {HOST_NAME}\n",
    )


def _configure(peer: SambaPeer) -> None:
    """Only its own interfaces, quiet, and no forwarder: one that never answers would stall it."""
    text = re.sub(r"(?m)^\s*dns forwarder.*\n", "", peer.conf.read_text())
    for name in ("run", "log"):
        (peer.folder / name).mkdir(exist_ok=True)
    lines = {
        "bind interfaces only": "yes",
        "interfaces": "lo eth0",
        "log level": "0",
        "log file": f"{peer.folder}/log/log.%m",
        "pid directory": f"{peer.folder}/run",
        "ldap server require strong auth": "no",
    }
    added = "".join(f"\t{name} = {value}\n" for name, value in lines.items())
    peer.conf.write_text(text.replace("[global]\n", "[global]\n" + added, 1))
