"""A member of the domain by Samba: its smb.conf, its winbindd, and its smbd with one share."""

import subprocess
from typing import Final

from tests.kit.forest_host import DOMAIN, REALM
from tests.kit.member import Member

DATA: Final = "/home/data"
_SMB_CONF: Final = f"""[global]
 workgroup = {DOMAIN}
 realm = {REALM}
 security = ads
 kerberos method = secrets and keytab
 idmap config * : backend = tdb
 idmap config * : range = 3000-7999
 idmap config {DOMAIN} : backend = rid
 idmap config {DOMAIN} : range = 10000-999999
 template shell = /bin/sh
 template homedir = /home/%U
 log file = /var/log/samba/%m.log
"""
_SHARE: Final = f"[data]\n path = {DATA}\n read only = no\n"
_NSSWITCH: Final = "passwd: files winbind\ngroup: files winbind\nhosts: files dns\n"


def configure(machine: Member, **options: str) -> None:
    """What an administrator writes before a join. options: other lines of smb.conf, _ for blanks."""
    given = {name.replace("_", " "): value for name, value in options.items()}
    kept = [line for line in _SMB_CONF.splitlines() if line.partition("=")[0].strip() not in given]
    lines = [*kept, *[f" {name} = {value}" for name, value in given.items()], _SHARE]
    machine.write("/etc/samba/smb.conf", "\n".join(lines))


def start(machine: Member) -> None:
    """winbindd, which the name service asks, and smbd."""
    machine.write("/etc/nsswitch.conf", _NSSWITCH)
    for daemon in ("winbindd", "smbd"):
        machine.run([daemon, "-D"], check=True)


def said(machine: Member, *words: str, stdin: str = "") -> str:
    """Run what must succeed; all that it says."""
    done = machine.run(words, stdin=stdin)
    assert done.returncode == 0, f"{' '.join(words)}\n{done.stdout}{done.stderr}"
    return done.stdout + done.stderr


def refused(machine: Member, *words: str, stdin: str = "") -> str:
    """Run what must fail; all that it says."""
    done: subprocess.CompletedProcess[str] = machine.run(words, stdin=stdin)
    assert done.returncode != 0, f"{' '.join(words)}\n{done.stdout}{done.stderr}"
    return done.stdout + done.stderr
