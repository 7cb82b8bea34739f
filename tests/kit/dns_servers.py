"""DNS servers of other makers on a host of a journey: BIND 9, NSD and unbound, each with a folder of its own.

They run as root in their namespace, in the foreground, and end with the journey.
"""

import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.kit.net import Host

_READY_S: Final = 15.0


@dataclass(slots=True)
class OtherServer:
    """One of them, running. folder: its configuration, zone files and log."""

    host: Host
    folder: Path
    process: "subprocess.Popen[bytes]"
    log: Path

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(timeout=10)

    def said(self) -> str:
        """What it has logged so far."""
        return self.log.read_text(errors="replace")


def named(
    host: Host, zones: str, *, options: str = "recursion no;", more: str = "", minimal: str = "no"
) -> OtherServer:
    """BIND 9. zones: `zone ... { ... };` clauses; files are relative to its folder. more: keys, logging...

    minimal: "no" also adds a zone's NS records to its answers.
    """
    folder = _folder(host, "named")
    (folder / "named.conf").write_text(
        f'options {{ directory "{folder}"; pid-file none; session-keyfile none; listen-on-v6 {{ none; }};'
        f" dnssec-validation no; empty-zones-enable no; minimal-responses {minimal}; {options} }};\n"
        f"controls {{ }};\n{more}\n{zones}\n"
    )
    return _start(host, folder, ["/usr/sbin/named", "-g", "-n", "1", "-c", str(folder / "named.conf")])


def nsd(host: Host, zones: str, *, more: str = "") -> OtherServer:
    """NSD. zones: `zone:` clauses. more: `key:` clauses."""
    folder = _folder(host, "nsd")
    (folder / "nsd.conf").write_text(
        f'server:\n ip-address: {host.address}\n username: ""\n zonesdir: "{folder}"\n server-count: 1\n'
        f' pidfile: "{folder}/nsd.pid"\n xfrdfile: "{folder}/xfrd.state"\n'
        f' zonelistfile: "{folder}/zone.list"\n database: ""\n'
        f' xfrdir: "{folder}"\n verbosity: 3\n hide-version: yes\n'
        f"remote-control:\n control-enable: no\n{more}\n{zones}\n"
    )
    return _start(host, folder, ["/usr/sbin/nsd", "-d", "-c", str(folder / "nsd.conf")])


def unbound(host: Host, zones: str = "", *, server: str = "") -> OtherServer:
    """unbound. zones: `forward-zone:` or `stub-zone:` clauses. server: more lines of `server:`."""
    folder = _folder(host, "unbound")
    (folder / "unbound.conf").write_text(
        f"server:\n interface: {host.address}\n access-control: 0.0.0.0/0 allow\n"
        f' num-threads: 1\n username: ""\n chroot: ""\n'
        f' directory: "{folder}"\n pidfile: ""\n use-syslog: no\n do-ip6: no\n verbosity: 2\n'
        f" do-not-query-localhost: no\n{server}\nremote-control:\n control-enable: no\n{zones}\n"
    )
    return _start(host, folder, ["/usr/sbin/unbound", "-d", "-c", str(folder / "unbound.conf")])


def _folder(host: Host, kind: str) -> Path:
    folder = host.folder / kind
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _start(host: Host, folder: Path, words: list[str]) -> OtherServer:
    log = folder / "log"
    server = OtherServer(host, folder, host.start(words, log), log)
    until = time.monotonic() + _READY_S
    while not _listens(host):
        assert server.process.poll() is None, f"{words[0]} ended: {server.said()[-3000:]}"
        assert time.monotonic() < until, f"{words[0]} is not ready: {server.said()[-3000:]}"
    return server


def _listens(host: Host) -> bool:
    for transport in ("u", "t"):
        if f"{host.address}:53 " not in host.run(["ss", f"-Hln{transport}", "sport = :53"]).stdout + " ":
            return False
    return True
