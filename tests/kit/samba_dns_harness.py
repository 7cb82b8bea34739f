"""Runs one of Samba's own DNS tests, as its packages install them, against the DC of the environment.

Belongs to the system's Python, which alone has Samba's bindings:
`python3 samba_dns_harness.py FOLDER MODULE [WORD...]`; WORDs are the arguments of a test that is a program.
The module runs unchanged; what it finds elsewhere stands here: the logon that Samba's own runner would hand
it, its place in a source tree (FOLDER becomes one), and, where SAMDB names a URL, the database that it would
open as a file of the server's own.
"""

import os
import runpy
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Final

import samba
import samba.tests
from samba import credentials, samdb
from samba.subunit.run import TestProgram

_FILES: Final = ("tdb://", "mdb://", "/")


def _over_ldap(url: str) -> None:
    """Whoever opens the server's database as a file is given it by LDAP."""
    opened = samdb.SamDB.__init__

    def elsewhere(self: Any, *args: Any, **named: Any) -> None:
        asked = named.get("url") or (args[0] if args else None)
        if asked is None or str(asked).startswith(_FILES):
            named["url"] = url
            args = args[1:]
        opened(self, *args, **named)

    samdb.SamDB.__init__ = elsewhere


def _servers_that_run() -> None:
    """A server that a test starts is there when it goes on; the test itself looks too early."""
    started = subprocess.Popen.__init__

    def started_whole(self: Any, words: Any, *args: Any, **named: Any) -> None:
        started(self, words, *args, **named)
        if isinstance(words, list) and any("dns_forwarder_helpers" in str(word) for word in words):
            wanted = f":{int(words[3]):04X} "
            deadline = time.monotonic() + 60
            while time.monotonic() < deadline and not _bound(words[2], wanted):
                time.sleep(0.05)

    popen: Any = subprocess.Popen
    popen.__init__ = started_whole


def _bound(address: str, port: str) -> bool:
    """Whether somebody listens there."""
    octets = "".join(f"{int(octet):02X}" for octet in reversed(address.split(".")))
    return f"{octets}{port}" in Path("/proc/net/udp").read_text()


def _logon() -> Any:
    """The administrator of the environment."""
    found = credentials.Credentials()
    found.guess(samba.tests.env_loadparm())
    found.set_username(os.environ["DC_USERNAME"])
    found.set_password(os.environ["DC_PASSWORD"])
    found.set_domain(os.environ["DOMAIN"])
    found.set_realm(os.environ["REALM"])
    return found


def _source_tree(folder: Path) -> None:
    """Where a test looks for its helpers."""
    tests = folder / "python" / "samba" / "tests"
    tests.parent.mkdir(parents=True, exist_ok=True)
    if not tests.exists():
        tests.symlink_to(Path(samba.tests.__file__).parent)
    samba.source_tree_topdir = lambda: str(folder)


def main() -> None:
    folder, module, *words = sys.argv[1:]
    if url := os.environ.get("SAMDB"):
        _over_ldap(url)
    _source_tree(Path(folder))
    _servers_that_run()
    if words:
        sys.argv = [module, *words]
        runpy.run_module(module, run_name="__main__", alter_sys=True)
        return
    samba.tests.cmdline_credentials = _logon()
    TestProgram(module=None, argv=[sys.argv[0], module])


if __name__ == "__main__":
    main()
