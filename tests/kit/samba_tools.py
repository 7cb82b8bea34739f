"""Samba's administration tools as a person uses them against our DC, by Kerberos or by NTLM."""

from dataclasses import dataclass, replace
from typing import Final

from tests.kit.clients import DC, Done
from tests.kit.forest_host import DOMAIN, PASSWORD, REALM
from tests.kit.net import Host

URI: Final = f"ldap://{DC}"
KERBEROS: Final = ("--use-kerberos=required",)
NTLM: Final = (f"-UAdministrator%{PASSWORD}", "--use-kerberos=off")


def samba_desk(machine: Host) -> Host:
    """The machine with caches of its own: Samba's clients remember who could not be reached."""
    places = machine.folder / "samba"
    places.mkdir(exist_ok=True)
    kinds = ("lock directory", "cache directory", "state directory", "private dir")
    lines = [
        "[global]",
        f" workgroup = {DOMAIN}",
        f" realm = {REALM}",
        *[f" {one} = {places}" for one in kinds],
    ]
    (places / "smb.conf").write_text("\n".join([*lines, ""]))
    return replace(machine, environment={**machine.environment, "SMB_CONF_PATH": str(places / "smb.conf")})


@dataclass(frozen=True, slots=True)
class SambaTools:
    """samba-tool and ldb's tools with one way to log on."""

    machine: Host
    logon: tuple[str, ...] = KERBEROS

    def run(self, *words: str) -> Done:
        return self.machine.run(["samba-tool", *words, "-H", URI, *self.logon])

    def ok(self, *words: str) -> str:
        """What samba-tool printed, having succeeded."""
        done = self.run(*words)
        assert done.returncode == 0, f"{' '.join(words)}\n{done.stdout}\n{done.stderr}"
        return done.stdout + done.stderr

    def refused(self, *words: str) -> str:
        """What samba-tool printed, having failed as it should."""
        done = self.run(*words)
        assert done.returncode != 0, f"{' '.join(words)}\n{done.stdout}\n{done.stderr}"
        assert "Traceback" not in done.stderr
        return done.stdout + done.stderr

    def ldb(self, tool: str, *words: str, stdin: str = "") -> Done:
        """ldbsearch, ldbadd, ldbmodify, ldbdel, ldbrename."""
        return self.machine.run([tool, "-H", URI, *self.logon, *words], stdin=stdin)
