"""Rules about logons as people meet them: lockout, old passwords, hours, RC4; with kinit, kpasswd and kvno.

Each rule is for the account alone, or is taken back: the forest is shared.
"""

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.kit.clients import Client, user_ldif
from tests.kit.forest_host import DNS_DOMAIN, DOMAIN_DN, REALM, ForestHost, log_lines

PASSWORD, NEW = "Us3r.Passw0rd!", "An0ther.Passw0rd!"
THRESHOLD = 3
ALL_HOURS, NO_HOURS = b"\xff" * 21, bytes(21)
SETTINGS = f"CN=Password Settings Container,CN=System,{DOMAIN_DN}"


def make_user(user: Client, name: str, *more: str) -> str:
    """A fresh account; its DN."""
    user.login()
    dn = f"CN={name},CN=Users,{DOMAIN_DN}"
    user.delete(dn)
    user.must_change(user_ldif(name, PASSWORD, *more), "ldapadd")
    return dn


def put(user: Client, dn: str, attribute: str, value: str | bytes) -> None:
    """As the administrator."""
    user.login()
    if isinstance(value, bytes):
        line = f"{attribute}:: {base64.b64encode(value).decode()}"
    else:
        line = f"{attribute}: {value}"
    user.must_change(f"dn: {dn}\nchangetype: modify\nreplace: {attribute}\n{line}\n")


def values(user: Client, name: str, *attributes: str) -> dict[str, str]:
    user.login()
    (entry,) = user.entries(f"(sAMAccountName={name})", *attributes)
    return {one: entry.get(one.lower(), [""])[0] for one in attributes}


@pytest.fixture
def settings(user: Client) -> Iterator[str]:
    """A fine-grained policy for who it is applied to; its DN."""
    dn = f"CN=journey,{SETTINGS}"
    user.login()
    user.delete(dn)
    user.must_change(
        f"dn: {dn}\nobjectClass: msDS-PasswordSettings\nmsDS-PasswordSettingsPrecedence: 1\n"
        "msDS-PasswordReversibleEncryptionEnabled: FALSE\nmsDS-PasswordHistoryLength: 0\n"
        "msDS-PasswordComplexityEnabled: TRUE\nmsDS-MinimumPasswordLength: 7\n"
        "msDS-MinimumPasswordAge: 0\nmsDS-MaximumPasswordAge: -36288000000000\n"
        f"msDS-LockoutThreshold: {THRESHOLD}\nmsDS-LockoutObservationWindow: -18000000000\n"
        "msDS-LockoutDuration: -18000000000\n",
        "ldapadd",
    )
    yield dn
    user.login()
    user.delete(dn)


def audit(forest: ForestHost, name: str) -> list[dict[str, Any]]:
    """What the audit log was told of an account."""
    lines = [one for one in log_lines(forest.log) if str(one["logger"]).startswith("addc.audit")]
    return [
        one
        for one in lines
        if name in (one.get("client"), one.get("account")) or name in str(one.get("object"))
    ]


def test_guesses_lock_out_and_an_administrator_unlocks(
    user: Client, forest: ForestHost, settings: str
) -> None:
    dn = make_user(user, "jlocked")
    put(user, settings, "msDS-PSOAppliesTo", dn)
    for _ in range(THRESHOLD):
        assert "Password incorrect" in user.kinit("jlocked", "wrong").stderr
    locked = user.kinit("jlocked", PASSWORD)
    assert "Client's credentials have been revoked" in locked.stderr
    found = values(user, "jlocked", "badPwdCount", "lockoutTime", "msDS-User-Account-Control-Computed")
    assert found["badPwdCount"] == str(THRESHOLD) and int(found["lockoutTime"]) > 0
    assert int(found["msDS-User-Account-Control-Computed"]) & 0x10
    told = audit(forest, "jlocked")
    assert [one["event"] for one in told if one["event"] == 4771] == [4771] * THRESHOLD
    assert [one["event"] for one in told if one["event"] == 4740] == [4740]
    assert told[-1]["status_name"] == "STATUS_ACCOUNT_LOCKED_OUT"
    explained = forest.addc("krb", "explain", "jlocked", "--data-dir", str(forest.data_dir)).stdout
    assert "NO  locked out until" in explained and "set lockoutTime to 0" in explained
    put(user, dn, "lockoutTime", "0")
    assert values(user, "jlocked", "badPwdCount")["badPwdCount"] == "0"
    user.login("jlocked", PASSWORD)


def test_guesses_by_ldap_and_kerberos_are_counted_together(user: Client, settings: str) -> None:
    dn = make_user(user, "jboth")
    put(user, settings, "msDS-PSOAppliesTo", dn)
    words = ["ldapwhoami", "-x", "-ZZ", "-D", f"jboth@{DNS_DOMAIN}", "-w"]
    assert "data 52e" in user.machine.run([*words, "wrong"]).stderr
    assert "Password incorrect" in user.kinit("jboth", "wrong").stderr
    assert "data 52e" in user.machine.run([*words, "wrong"]).stderr
    assert "revoked" in user.kinit("jboth", PASSWORD).stderr
    assert "data 775" in user.machine.run([*words, PASSWORD]).stderr


def test_an_old_password_is_changed_at_the_prompt(user: Client, settings: str) -> None:
    """kinit asks for a new one and changes it by kpasswd; a computed attribute tells when."""
    dn = make_user(user, "jold")
    put(user, settings, "msDS-PSOAppliesTo", dn)
    user.login("jold", PASSWORD)
    put(user, settings, "msDS-MaximumPasswordAge", "-1")
    expiry = values(user, "jold", "msDS-UserPasswordExpiryTimeComputed", "pwdLastSet")
    assert int(expiry["msDS-UserPasswordExpiryTimeComputed"]) == int(expiry["pwdLastSet"]) + 1
    asked = user.machine.run(["kinit", "jold"], stdin=f"{PASSWORD}\n{NEW}\n{NEW}\n")
    assert "Password expired.  You must change it now." in asked.stdout + asked.stderr
    put(user, settings, "msDS-MaximumPasswordAge", "-36288000000000")
    assert user.kinit("jold", PASSWORD).returncode == 1
    user.login("jold", NEW)


def test_a_password_that_must_be_changed(user: Client) -> None:
    dn = make_user(user, "jmust")
    put(user, dn, "pwdLastSet", "0")
    weak = user.machine.run(["kinit", "jmust"], stdin=f"{PASSWORD}\nweak\nweak\n")
    assert weak.returncode == 1 and "Password change rejected" in weak.stdout + weak.stderr
    done = user.machine.run(["kinit", "jmust"], stdin=f"{PASSWORD}\n{NEW}\n{NEW}\n")
    assert done.returncode == 0, done.stdout + done.stderr
    user.login("jmust", NEW)


def test_logon_hours(user: Client, forest: ForestHost) -> None:
    """Outside them the password is not even wrong."""
    dn = make_user(user, "jhours")
    put(user, dn, "logonHours", NO_HOURS)
    refused = user.kinit("jhours", PASSWORD)
    assert "Client's credentials have been revoked" in refused.stderr
    assert audit(forest, "jhours")[-1]["status_name"] == "STATUS_INVALID_LOGON_HOURS"
    assert "Password incorrect" in user.kinit("jhours", "wrong").stderr
    explained = forest.addc("krb", "explain", "jhours", "--data-dir", str(forest.data_dir)).stdout
    assert "logonHours do not allow this hour" in explained
    put(user, dn, "logonHours", ALL_HOURS)
    user.login("jhours", PASSWORD)


def test_a_user_who_may_log_on_at_one_machine_only(user: Client, forest: ForestHost) -> None:
    """MIT's kinit does not name its machine, as Windows does: it is refused."""
    dn = make_user(user, "jdesk")
    put(user, dn, "userWorkstations", "DESK1")
    assert "KDC policy rejects request" in user.kinit("jdesk", PASSWORD).stderr
    words = ["krb", "explain", "jdesk", "--from", "DESK1", "--data-dir", str(forest.data_dir)]
    assert forest.addc(*words).returncode == 0


@pytest.fixture
def rc4(user: Client, tmp_path: Path) -> dict[str, str]:
    """A client that knows RC4 alone."""
    plain = Path(user.machine.environment["KRB5_CONFIG"]).read_text()
    path = tmp_path / "rc4.conf"
    types = "".join(
        f" {name}_enctypes = arcfour-hmac\n" for name in ("default_tkt", "default_tgs", "permitted")
    )
    path.write_text(plain.replace("[libdefaults]\n", f"[libdefaults]\n allow_weak_crypto = true\n{types}"))
    return {"KRB5_CONFIG": str(path)}


def test_rc4_is_refused_unless_the_account_lists_it(user: Client, rc4: dict[str, str]) -> None:
    """msDS-SupportedEncryptionTypes: [MS-KILE] 2.2.7; AES alone where it is absent."""
    dn = make_user(user, "jrc4")
    refused = user.machine.run(["kinit", "jrc4"], stdin=PASSWORD + "\n", environment=rc4)
    assert "KDC has no support for encryption type" in refused.stderr
    put(user, dn, "msDS-SupportedEncryptionTypes", "4")
    user.machine.run(["kdestroy", "-q"])
    done = user.machine.run(["kinit", "jrc4"], stdin=PASSWORD + "\n", environment=rc4)
    assert done.returncode == 0, done.stderr
    shown = user.machine.run(["klist", "-e"], environment=rc4).stdout
    assert f"krbtgt/{REALM}" in shown
    etypes = shown.rpartition("Etype (skey, tkt):")[2]
    assert "arcfour-hmac, aes256-cts-hmac-sha1-96" in etypes, "the session is RC4's, the ticket krbtgt's own"


def test_a_service_ticket_is_of_rc4_only_where_the_service_lists_it(user: Client) -> None:
    dn = make_user(user, "jservice", "servicePrincipalName: HTTP/old.addc.example.com")
    refused = user.kvno("HTTP/old.addc.example.com", "-e", "arcfour-hmac")
    assert refused.returncode == 1 and "KDC has no support for encryption type" in refused.stderr
    put(user, dn, "msDS-SupportedEncryptionTypes", "4")
    user.login()
    done = user.kvno("HTTP/old.addc.example.com", "-e", "arcfour-hmac")
    assert done.returncode == 0, done.stderr
    last = user.klist("-e").strip().splitlines()[-1]
    assert last.count("arcfour-hmac") == 2, last
