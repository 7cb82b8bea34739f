"""A realm of MIT's Kerberos and our forest trust each other: people and services of both, both ways."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kit import forest_host, mit_realm
from tests.kit.clients import Client, parse_ldif, unicode_pwd
from tests.kit.forest_host import DNS_DOMAIN, DOMAIN_DN, REALM, ForestHost
from tests.kit.mit_realm import MitRealm
from tests.kit.net import Host, Lan

SECRET = "Tru5t.Between.Kerberos.Realms"
PASSWORD = "M1t.User.Passw0rd"
USER_PASSWORD = "Us3r.Passw0rd!"
MAPPED = f"CN=mapped,CN=Users,{DOMAIN_DN}"


@pytest.fixture(scope="module")
def forest(lan: Lan) -> Iterator[ForestHost]:
    """A forest of its own: the shared one keeps no trusts."""
    host = lan.host("mitdc1", 110)
    data_dir = host.folder / "data"
    forest_host.provision(host, data_dir)
    found = forest_host.serve(host, data_dir)
    yield found
    assert found.stop() == 0


@pytest.fixture(scope="module")
def realm(lan: Lan, forest: ForestHost, scratch: Path) -> Iterator[MitRealm]:
    """The realm, and the trust on both sides."""
    host = lan.host("mitkdc", 111)
    host.etc("hosts", f"127.0.0.1 localhost\n{forest.host.address} dc1.{DNS_DOMAIN} dc1\n")
    ours = f" {REALM} = {{\n  kdc = {forest.host.address}\n }}\n"
    ours += f"[domain_realm]\n .{DNS_DOMAIN} = {REALM}\n {DNS_DOMAIN} = {REALM}\n"
    made = mit_realm.make(host, scratch / "mit", ours)
    made.admin(
        f"addprinc -pw {SECRET} krbtgt/{REALM}@{mit_realm.REALM}",
        f"addprinc -pw {SECRET} krbtgt/{mit_realm.REALM}@{REALM}",
        f"addprinc -pw {PASSWORD} walter",
        f"addprinc -pw {PASSWORD} stranger",
        "addprinc -randkey host/srv.mit.example.org",
        f"ktadd -k {made.folder}/srv.keytab host/srv.mit.example.org",
    )
    made.start()
    secret = forest.host.folder / "trust-password"
    secret.write_text(SECRET + "\n")
    done = forest.addc(
        "trust", "create", "--type", "mit", "--partner", mit_realm.REALM,
        "--password-file", str(secret), "--data-dir", str(forest.data_dir),
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    yield made
    made.stop()


@pytest.fixture(scope="module")
def machine(lan: Lan, forest: ForestHost, realm: MitRealm) -> Host:
    """A machine of our domain that knows where the realm's KDC is."""
    host = forest_host.client(lan.host("mitclient", 112), forest.host, forest.data_dir / "tls" / "ca.pem")
    conf = host.folder / "krb5.conf"
    conf.write_text(
        conf.read_text()
        + f"[realms]\n {mit_realm.REALM} = {{\n  kdc = {realm.host.address}\n }}\n"
        + "[domain_realm]\n .mit.example.org = " + mit_realm.REALM + "\n"
    )  # fmt: skip
    user = Client(host)
    user.login()
    user.must_change(
        f"dn: {MAPPED}\nobjectClass: user\nsAMAccountName: mapped\nuserAccountControl: 512\n"
        f"altSecurityIdentities: Kerberos:walter@{mit_realm.REALM}\n" + unicode_pwd(USER_PASSWORD),
        "ldapadd",
    )
    return host


def test_our_user_gets_a_ticket_for_a_service_of_theirs(machine: Host, realm: MitRealm) -> None:
    user = Client(machine)
    user.login("mapped", USER_PASSWORD)
    done = user.kvno(f"host/srv.mit.example.org@{mit_realm.REALM}")
    assert done.returncode == 0, done.stderr
    assert f"krbtgt/{mit_realm.REALM}@{REALM}" in user.klist()
    keytab = realm.folder / "srv.keytab"
    done = machine.run(["kvno", "-k", str(keytab), f"host/srv.mit.example.org@{mit_realm.REALM}"])
    assert "keytab entry valid" in done.stdout, done.stdout + done.stderr


def test_our_user_finds_the_way_by_referral(machine: Host) -> None:
    """Without [domain_realm]: the KDC here tells whose name it is, as Windows clients rely on."""
    user = Client(machine)
    user.login("mapped", USER_PASSWORD)
    conf = Path(machine.environment["KRB5_CONFIG"])
    plain = conf.with_name("krb5-plain.conf")
    plain.write_text(conf.read_text().partition("[domain_realm]")[0])
    done = machine.run(
        ["kvno", "host/srv.mit.example.org"], environment={"KRB5_CONFIG": str(plain)}
    )  # fmt: skip
    # The referral comes; the realm's suffix is its own name in lower case, below which its hosts are.
    assert done.returncode == 0, done.stderr


def test_their_user_reads_our_directory_as_the_account_it_stands_for(machine: Host, realm: MitRealm) -> None:
    """[MS-KILE] 3.3.5.7.2: altSecurityIdentities."""
    user = Client(machine)
    done = user.kinit(f"walter@{mit_realm.REALM}", PASSWORD)
    assert done.returncode == 0, done.stderr
    who = machine.run(["ldapwhoami", "-Q", "-Y", "GSSAPI"])
    assert who.returncode == 0, who.stderr
    assert who.stdout.strip() == f"u:{forest_host.DOMAIN}\\mapped"
    entries = parse_ldif(user.search("(sAMAccountName=mapped)", "cn").stdout)
    assert [one["cn"] for one in entries] == [["mapped"]]
    assert f"ldap/dc1.{DNS_DOMAIN}@{REALM}" in user.klist()


def test_their_user_who_is_nobody_here_is_refused(machine: Host) -> None:
    user = Client(machine)
    done = user.kinit(f"stranger@{mit_realm.REALM}", PASSWORD)
    assert done.returncode == 0, done.stderr
    assert user.kvno(f"ldap/dc1.{DNS_DOMAIN}@{REALM}").returncode == 0
    refused = user.search("(objectClass=*)", "cn")
    assert refused.returncode == 49, refused.stderr


def test_the_trust_is_verified_as_far_as_it_can_be(forest: ForestHost, realm: MitRealm) -> None:
    done = forest.addc(
        "trust", "verify", mit_realm.REALM, "--kdc", realm.host.address, "--data-dir", str(forest.data_dir)
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "good: the partner opens our tickets" in done.stdout
    assert "not looked at: we open the partner's tickets" in done.stdout


def test_a_new_secret_on_one_side_alone_shuts_the_way(
    machine: Host, forest: ForestHost, realm: MitRealm
) -> None:
    """The verification tells it, and tickets are refused; the same secret there opens it again."""
    secret = forest.host.folder / "other-password"
    secret.write_text("Another.Secret.For.This.Trust\n")
    words = ["trust", "set-password", mit_realm.REALM, "--data-dir", str(forest.data_dir)]
    for _ in range(2):  # the former secret would still be preferred
        assert forest.addc(*words, "--password-file", str(secret)).returncode == 0
        secret.write_text("A.Third.Secret.For.This.Trust\n")
    verify = ["trust", "verify", mit_realm.REALM, "--kdc", realm.host.address]
    done = forest.addc(*verify, "--data-dir", str(forest.data_dir))
    assert done.returncode == 1 and "BAD: the partner opens our tickets" in done.stdout
    user = Client(machine)
    assert user.kinit(f"walter@{mit_realm.REALM}", PASSWORD).returncode == 0
    assert user.kvno(f"ldap/dc1.{DNS_DOMAIN}@{REALM}").returncode != 0
    realm.admin(f"cpw -pw A.Third.Secret.For.This.Trust krbtgt/{REALM}@{mit_realm.REALM}")
    assert user.kinit(f"walter@{mit_realm.REALM}", PASSWORD).returncode == 0
    done = user.kvno(f"ldap/dc1.{DNS_DOMAIN}@{REALM}")
    assert done.returncode == 0, done.stderr
