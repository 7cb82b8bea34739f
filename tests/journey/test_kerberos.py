"""MIT's clients against the KDC: logons, refusals for the right reason, service tickets, passwords."""

from pathlib import Path

from tests.kit.clients import DC, Client, unicode_pwd, user_ldif
from tests.kit.forest_host import DNS_DOMAIN, DOMAIN_DN, PASSWORD, REALM

USER_PASSWORD = "Us3r.Passw0rd!"


def make_user(user: Client, name: str, *more: str, password: str | None = USER_PASSWORD) -> None:
    user.login()
    user.delete(f"CN={name},CN=Users,{DOMAIN_DN}")
    user.must_change(user_ldif(name, password, *more), "ldapadd")


def replace(user: Client, name: str, attribute: str, value: str) -> None:
    dn = f"CN={name},CN=Users,{DOMAIN_DN}"
    user.must_change(f"dn: {dn}\nchangetype: modify\nreplace: {attribute}\n{attribute}: {value}\n")


def test_administrator_logs_on_and_gets_aes256(user: Client) -> None:
    user.login()
    shown = user.klist("-e")
    assert f"Default principal: Administrator@{REALM}" in shown
    assert "aes256-cts-hmac-sha1-96" in shown


def test_wrong_password_and_unknown_user_are_told_apart(user: Client) -> None:
    wrong = user.kinit("Administrator", "not the password")
    assert wrong.returncode == 1
    assert "Password incorrect" in wrong.stderr or "Preauthentication failed" in wrong.stderr
    unknown = user.kinit("nobody-here", "x")
    assert unknown.returncode == 1
    assert "not found in Kerberos database" in unknown.stderr


def test_disabled_expired_and_must_change_are_refused(user: Client) -> None:
    make_user(user, "jdisabled")
    replace(user, "jdisabled", "userAccountControl", "514")
    make_user(user, "jexpired")
    replace(user, "jexpired", "accountExpires", "131000000000000000")
    make_user(user, "jmustchange")
    replace(user, "jmustchange", "pwdLastSet", "0")
    assert "revoked" in user.kinit("jdisabled", USER_PASSWORD).stderr
    expired = user.kinit("jexpired", USER_PASSWORD).stderr
    assert "expired" in expired or "revoked" in expired, expired
    new = "An0ther.Passw0rd!"
    changed = user.machine.run(["kinit", "jmustchange"], stdin=f"{USER_PASSWORD}\n{new}\n{new}\n")
    assert "Password expired" in changed.stdout + changed.stderr
    assert changed.returncode == 0, changed.stdout + changed.stderr
    user.login("jmustchange", new)


def test_service_tickets_for_every_name_of_the_dc(user: Client) -> None:
    user.login()
    for service in (
        f"ldap/{DC}",
        f"host/{DC}",
        f"cifs/{DC}",
        f"LDAP/{DC}/{DNS_DOMAIN}",
        f"DNS/{DC}",
        "ldap/dc1",
    ):
        done = user.kvno(service)
        assert done.returncode == 0, done.stderr
    refused = user.kvno("http/no-such-host.invalid")
    assert refused.returncode == 1
    assert "not found in Kerberos database" in refused.stderr


def test_keytab_logon(user: Client, tmp_path: Path) -> None:
    make_user(user, "jkeytab")
    keytab = tmp_path / "keytab"
    made = user.machine.run(
        ["ktutil"],
        stdin=f"addent -password -p jkeytab@{REALM} -k 1 -e aes256-cts-hmac-sha1-96 -s {REALM}jkeytab\n"
        f"{USER_PASSWORD}\nwkt {keytab}\nq\n",
    )
    assert keytab.exists(), made.stdout + made.stderr
    done = user.machine.run(["kinit", "-k", "-t", str(keytab), "jkeytab"])
    assert done.returncode == 0, done.stderr


def test_enterprise_names_and_canonicalisation(user: Client) -> None:
    make_user(user, "jenterprise")
    done = user.kinit(f"jenterprise@{DNS_DOMAIN}", USER_PASSWORD, "-E", "-C")
    assert done.returncode == 0, done.stderr
    assert f"jenterprise@{REALM}" in user.klist()
    done = user.kinit("JENTERPRISE", USER_PASSWORD, "-C")
    assert done.returncode == 0, done.stderr
    assert f"Default principal: jenterprise@{REALM}" in user.klist()


def test_udp_only_and_tcp_only(user: Client, tmp_path: Path) -> None:
    plain = Path(user.machine.environment["KRB5_CONFIG"]).read_text()
    for name, line in (("udp", "udp_preference_limit = 65000"), ("tcp", "udp_preference_limit = 1")):
        path = tmp_path / f"{name}.conf"
        path.write_text(plain.replace("[libdefaults]", f"[libdefaults]\n {line}"))
        done = user.machine.run(
            ["kinit", "Administrator"],
            stdin=PASSWORD + "\n",
            environment={"KRB5_CONFIG": str(path), "KRB5_TRACE": str(tmp_path / f"{name}.trace")},
        )
        assert done.returncode == 0, done.stderr
        trace = (tmp_path / f"{name}.trace").read_text()
        assert ("dgram" in trace) == (name == "udp")


def test_renewal_and_flags(user: Client) -> None:
    assert user.kinit("Administrator", PASSWORD, "-r", "3d", "-l", "1h", "-f").returncode == 0
    assert "F" in user.klist("-f").split("Flags:")[1]
    done = user.machine.run(["kinit", "-R"])
    assert done.returncode == 0, done.stderr


def test_kpasswd_changes_the_own_password(user: Client) -> None:
    make_user(user, "jchange")
    replace(user, "jchange", "pwdLastSet", "-1")
    user.must_change(f"dn: {DOMAIN_DN}\nchangetype: modify\nreplace: minPwdAge\nminPwdAge: 0\n")
    weak = user.machine.run(["kpasswd", "jchange"], stdin=f"{USER_PASSWORD}\nweak\nweak\n")
    assert weak.returncode != 0, weak.stdout
    new = "Ch4nged.Passw0rd!"
    done = user.machine.run(["kpasswd", "jchange"], stdin=f"{USER_PASSWORD}\n{new}\n{new}\n")
    assert done.returncode == 0, done.stdout + done.stderr
    assert user.kinit("jchange", USER_PASSWORD).returncode == 1
    user.login("jchange", new)


def test_a_password_set_over_ldap_counts_at_once(user: Client) -> None:
    make_user(user, "jreset")
    user.login("jreset", USER_PASSWORD)
    user.login()
    new = "Res3t.Passw0rd!"
    user.must_change(
        f"dn: CN=jreset,CN=Users,{DOMAIN_DN}\nchangetype: modify\nreplace: unicodePwd\n{unicode_pwd(new)}\n"
    )
    user.login("jreset", new)
    assert user.kinit("jreset", USER_PASSWORD).returncode == 1
