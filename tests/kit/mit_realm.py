"""A realm of MIT's krb5-kdc in a namespace of its own: a peer without PACs that anybody would trust."""

import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.kit.net import Host

REALM: Final = "MIT.EXAMPLE.ORG"
_MASTER: Final = "M4ster.Passw0rd"
_KDC: Final = "krb5kdc"


@dataclass(slots=True)
class MitRealm:
    """Its database is made by `make`; `start` serves it until `stop`."""

    host: Host
    folder: Path
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def environment(self) -> dict[str, str]:
        return {
            "KRB5_CONFIG": str(self.folder / "krb5.conf"),
            "KRB5_KDC_PROFILE": str(self.folder / "kdc.conf"),
            "KRB5CCNAME": f"FILE:{self.folder / 'ccache'}",
            "LC_ALL": "C",
        }

    def admin(self, *queries: str) -> None:
        """kadmin.local, query by query."""
        for query in queries:
            done = self.run(["/usr/sbin/kadmin.local", "-q", query])
            assert done.returncode == 0 and "while" not in done.stderr, f"{query}\n{done.stdout}{done.stderr}"

    def run(self, words: Sequence[str], stdin: str = "") -> "subprocess.CompletedProcess[str]":
        """A program at the KDC's own machine."""
        return self.host.run(words, stdin=stdin, environment=self.environment)

    def start(self) -> None:
        given = [f"{name}={value}" for name, value in self.environment.items()]
        words = ["env", *given, f"/usr/sbin/{_KDC}", "-n"]
        self.process = self.host.start(words, self.folder / "krb5kdc.log")

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait(timeout=10)


def make(host: Host, folder: Path, others: str) -> MitRealm:
    """A new realm. others: more of krb5.conf's [realms], and what else it needs to know of its peers."""
    if shutil.which(f"/usr/sbin/{_KDC}") is None:
        raise RuntimeError("MIT's KDC is not installed; next step: tools/debian-packages journey")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "krb5.conf").write_text(
        f"[libdefaults]\n default_realm = {REALM}\n dns_lookup_kdc = true\n dns_lookup_realm = false\n"
        " rdns = false\n dns_canonicalize_hostname = false\n"
        f"[realms]\n {REALM} = {{\n  kdc = {host.address}\n }}\n{others}"
    )
    (folder / "kdc.conf").write_text(
        f"[realms]\n {REALM} = {{\n  database_name = {folder}/principal\n  key_stash_file = {folder}/stash\n"
        f"  acl_file = {folder}/acl\n  max_renewable_life = 7d\n"
        "  supported_enctypes = aes256-cts:normal aes128-cts:normal\n }\n"
        f"[logging]\n kdc = FILE:{folder}/kdc.log\n"
    )
    made = MitRealm(host, folder)
    done = made.run(["/usr/sbin/kdb5_util", "create", "-s", "-P", _MASTER, "-r", REALM])
    assert done.returncode == 0, done.stdout + done.stderr
    return made
