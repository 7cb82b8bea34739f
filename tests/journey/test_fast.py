"""MIT's and Heimdal's clients with FAST: logons in a machine's armor, service tickets in the user's own."""

from pathlib import Path

import pytest

from tests.journey.test_heimdal import Heimdal, heimdal, unpacked
from tests.journey.test_kerberos import USER_PASSWORD, make_user, replace
from tests.kit.clients import DC, Client, Done, unicode_pwd
from tests.kit.forest_host import DNS_DOMAIN, DOMAIN_DN, REALM

__all__ = ["heimdal", "unpacked"]

MACHINE = "FASTWS"
MACHINE_PASSWORD = "M4chine.Passw0rd!"


@pytest.fixture
def armor(user: Client, tmp_path: Path) -> str:
    """The credential cache of a machine that has logged on."""
    dn = f"CN={MACHINE},CN=Computers,{DOMAIN_DN}"
    user.login()
    user.delete(dn)
    user.must_change(
        f"dn: {dn}\nobjectClass: computer\nsAMAccountName: {MACHINE}$\nuserAccountControl: 4096\n"
        f"servicePrincipalName: host/fastws.{DNS_DOMAIN}\nmsDS-SupportedEncryptionTypes: {0x2001C}\n"
        f"{unicode_pwd(MACHINE_PASSWORD)}\n",
        "ldapadd",
    )
    cache = f"FILE:{tmp_path / 'machine.ccache'}"
    done = user.kinit(f"{MACHINE}$", MACHINE_PASSWORD, "-c", cache)
    assert done.returncode == 0, done.stderr
    return cache


def traced(user: Client, tmp_path: Path, command: list[str], stdin: str = "") -> tuple[Done, str]:
    """A command, and what MIT's library tells of it."""
    trace = tmp_path / "trace"
    trace.unlink(missing_ok=True)
    done = user.machine.run(command, stdin=stdin, environment={"KRB5_TRACE": str(trace)})
    return done, trace.read_text()


def kinit(user: Client, tmp_path: Path, armor: str, name: str, password: str) -> tuple[Done, str]:
    return traced(user, tmp_path, ["kinit", "-T", armor, name], password + "\n")


def test_logon_in_the_machines_armor(user: Client, armor: str, tmp_path: Path) -> None:
    make_user(user, "jfast")
    done, trace = kinit(user, tmp_path, armor, "jfast", USER_PASSWORD)
    assert done.returncode == 0, done.stderr + trace
    assert "FAST armor key" in trace
    assert "encrypted_challenge" in trace.lower() or "Encrypted challenge" in trace, trace
    assert "encrypted timestamp" not in trace.lower(), trace
    assert f"jfast@{REALM}" in user.klist()


def test_a_wrong_password_is_told_in_armor(user: Client, armor: str, tmp_path: Path) -> None:
    make_user(user, "jfastwrong")
    done, trace = kinit(user, tmp_path, armor, "jfastwrong", "not the password")
    assert done.returncode == 1
    assert "Password incorrect" in done.stderr or "Preauthentication failed" in done.stderr, trace
    found = user.entries("(sAMAccountName=jfastwrong)", "badPwdCount")
    assert found[0]["badpwdcount"] == ["1"], "one guess is one guess"


def test_an_expired_password_is_changed_in_armor(user: Client, armor: str, tmp_path: Path) -> None:
    make_user(user, "jfastexpired")
    replace(user, "jfastexpired", "pwdLastSet", "0")
    new = "An0ther.Passw0rd!"
    words = ["kinit", "-T", armor, "jfastexpired"]
    done, trace = traced(user, tmp_path, words, f"{USER_PASSWORD}\n{new}\n{new}\n")
    assert "Password expired" in done.stdout + done.stderr, trace
    assert done.returncode == 0, done.stdout + done.stderr + trace
    user.login("jfastexpired", new)


def test_a_disabled_user_and_an_unknown_one_are_refused_in_armor(
    user: Client, armor: str, tmp_path: Path
) -> None:
    make_user(user, "jfastdisabled")
    replace(user, "jfastdisabled", "userAccountControl", "514")
    done, _ = kinit(user, tmp_path, armor, "jfastdisabled", USER_PASSWORD)
    assert "revoked" in done.stderr
    done, _ = kinit(user, tmp_path, armor, "nobody-here", "x")
    assert "not found in Kerberos database" in done.stderr


def test_a_disabled_machines_armor_is_refused(user: Client, armor: str, tmp_path: Path) -> None:
    make_user(user, "jfastbare")
    user.must_change(
        f"dn: CN={MACHINE},CN=Computers,{DOMAIN_DN}\nchangetype: modify\n"
        "replace: userAccountControl\nuserAccountControl: 4098\n"
    )
    done, trace = kinit(user, tmp_path, armor, "jfastbare", USER_PASSWORD)
    assert done.returncode == 1
    assert "revoked" in done.stderr, done.stderr + trace


def test_service_tickets_come_in_the_users_own_armor(user: Client, armor: str, tmp_path: Path) -> None:
    """MIT's clients armor every TGS request, whoever logged on however."""
    user.login()
    done, trace = traced(user, tmp_path, ["kvno", f"host/fastws.{DNS_DOMAIN}", f"ldap/{DC}"])
    assert done.returncode == 0, done.stderr
    assert "Encoding request body and padata into FAST request" in trace
    assert trace.count("FAST reply key") == 2, trace
    refused, trace = traced(user, tmp_path, ["kvno", "http/no-such-host.invalid"])
    assert "not found in Kerberos database" in refused.stderr
    assert "Decoding FAST response" in trace, trace


def test_a_logon_says_that_there_is_fast(user: Client, armor: str, tmp_path: Path) -> None:
    """RFC 6806 11: in the encrypted part, so that nobody can talk a client out of it."""
    assert armor
    done, trace = traced(user, tmp_path, ["kinit", f"{MACHINE}$"], MACHINE_PASSWORD + "\n")
    assert done.returncode == 0, done.stderr
    assert "FAST negotiation: available" in trace, trace


def test_heimdals_own_way_in_armor_is_no_guess_either(heimdal: Heimdal, user: Client, armor: str) -> None:
    """Heimdal 7 knows the encrypted timestamp alone, which Windows does not take in armor; nor do we.

    It says "Password incorrect" of it, which is not what the account is told.
    """
    make_user(user, "jfastheim")
    words = ("kinit.heimdal", f"--fast-armor-cache={armor}", "--password-file=STDIN", "jfastheim")
    done = heimdal.run(*words, stdin=USER_PASSWORD + "\n")
    assert done.returncode != 0
    user.login()
    found = user.entries("(sAMAccountName=jfastheim)", "badPwdCount")
    assert found[0].get("badpwdcount", ["0"]) == ["0"]
    assert heimdal.kinit("jfastheim", USER_PASSWORD).returncode == 0
