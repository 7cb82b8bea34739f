"""Heimdal's clients, as Samba members, BSD and macOS carry them: logons, tickets, a password changed.

They are unpacked beside MIT's, with libraries, configuration and credential cache of their own.
"""

import subprocess
from pathlib import Path

import pytest

from tests.journey.test_kerberos import USER_PASSWORD, make_user, replace
from tests.kit.clients import DC, Client, Done
from tests.kit.forest_host import DOMAIN_DN, PASSWORD, REALM
from tests.kit.net import Host

ROOT = Path(__file__).parents[2]


class Heimdal:
    """A person at a machine that has Heimdal."""

    def __init__(self, machine: Host, folder: Path, own: Path) -> None:
        """folder: where tools/heimdal-clients unpacked. own: for configuration and credentials."""
        self._machine = machine
        self._programs = folder / "usr" / "bin"
        libraries = [str(found) for found in (folder / "usr" / "lib").iterdir() if found.is_dir()]
        config = own / "krb5.conf"
        config.write_text(
            f"[libdefaults]\n default_realm = {REALM}\n dns_lookup_kdc = yes\n dns_lookup_realm = no\n"
        )
        self._environment = {
            "LD_LIBRARY_PATH": ":".join(libraries),
            "KRB5_CONFIG": str(config),
            "KRB5CCNAME": f"FILE:{own / 'ccache'}",
        }

    def run(self, program: str, *words: str, stdin: str = "") -> Done:
        """In a session without a terminal, so that passwords are read from standard input."""
        command = ["setsid", "--wait", str(self._programs / program), *words]
        return self._machine.run(command, stdin=stdin, environment=self._environment)

    def kinit(self, principal: str, password: str) -> Done:
        return self.run("kinit.heimdal", "--password-file=STDIN", principal, stdin=password + "\n")


@pytest.fixture(scope="session")
def unpacked() -> Path:
    folder = ROOT / "var" / "heimdal"
    subprocess.run([ROOT / "tools" / "heimdal-clients", folder], check=True)
    return folder


@pytest.fixture
def heimdal(machine: Host, unpacked: Path, tmp_path: Path) -> Heimdal:
    return Heimdal(machine, unpacked, tmp_path)


def test_logon_with_the_right_password(heimdal: Heimdal) -> None:
    done = heimdal.kinit("Administrator", PASSWORD)
    assert done.returncode == 0, done.stderr
    shown = heimdal.run("heimtools", "klist", "-v").stdout
    assert f"Principal: Administrator@{REALM}" in shown
    assert f"Server: krbtgt/{REALM}@{REALM}" in shown
    assert "aes256-cts-hmac-sha1-96" in shown


def test_wrong_password_and_unknown_user_are_refused(heimdal: Heimdal) -> None:
    wrong = heimdal.kinit("Administrator", "not the password")
    assert wrong.returncode != 0
    assert "Password incorrect" in wrong.stderr or "Preauthentication failed" in wrong.stderr, wrong.stderr
    unknown = heimdal.kinit("nobody-here", "x")
    assert unknown.returncode != 0
    assert "unknown" in unknown.stderr.lower() or "not found" in unknown.stderr.lower(), unknown.stderr


def test_service_tickets(heimdal: Heimdal) -> None:
    assert heimdal.kinit("Administrator", PASSWORD).returncode == 0
    for service in (f"ldap/{DC}", f"host/{DC}"):
        done = heimdal.run("kgetcred", f"{service}@{REALM}")
        assert done.returncode == 0, done.stderr
    shown = heimdal.run("heimtools", "klist").stdout
    assert f"ldap/{DC}@{REALM}" in shown and f"host/{DC}@{REALM}" in shown
    refused = heimdal.run("kgetcred", f"http/no-such-host.invalid@{REALM}")
    assert refused.returncode != 0


def test_kpasswd_changes_the_own_password(heimdal: Heimdal, user: Client) -> None:
    make_user(user, "jheimdal")
    replace(user, "jheimdal", "pwdLastSet", "-1")
    user.must_change(f"dn: {DOMAIN_DN}\nchangetype: modify\nreplace: minPwdAge\nminPwdAge: 0\n")
    weak = heimdal.run("kpasswd.heimdal", f"jheimdal@{REALM}", stdin=f"{USER_PASSWORD}\nweak\nweak\n")
    assert "Success" not in weak.stdout + weak.stderr
    new = "Heimd4l.Passw0rd!"
    done = heimdal.run("kpasswd.heimdal", f"jheimdal@{REALM}", stdin=f"{USER_PASSWORD}\n{new}\n{new}\n")
    assert done.returncode == 0, done.stdout + done.stderr
    assert heimdal.kinit("jheimdal", USER_PASSWORD).returncode != 0
    assert heimdal.kinit("jheimdal", new).returncode == 0
