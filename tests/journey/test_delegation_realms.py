"""The delegation matrix's foreign rows: two forests that trust each other, and MIT's kvno between them."""

import base64
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

from addc.codec.ids import Sid
from tests.journey.test_delegation_matrix import READ_PACS
from tests.kit import forest_host
from tests.kit.clients import Client, parse_ldif, unicode_pwd
from tests.kit.foreign_pac import read_service_ticket
from tests.kit.forest_host import PASSWORD, ForestHost
from tests.kit.net import Lan
from tests.kit.s4u import letting
from tests.kit.samba_bindings import ask_samba

ROOT: Final = Path(__file__).parents[2]
OTHERS: Final = "Two.Realms.Passw0rd"
SECRET: Final = "Tru5t.Between.Red.And.Blue"
WEB_SPN, FILES_SPN, SHUT_SPN = "http/redweb.red.test", "cifs/bluefiles.blue.test", "cifs/blueshut.blue.test"


@dataclass(frozen=True)
class Forest:
    """One of the two."""

    name: str
    host: ForestHost

    @property
    def realm(self) -> str:
        return f"{self.name}.TEST"

    @property
    def dn(self) -> str:
        return f"DC={self.name.lower()},DC=test"

    @property
    def dc(self) -> str:
        return f"dc1.{self.realm.lower()}"

    def keys(self, *names: str) -> list[bytes]:
        """AES-256 keys, from the data folder."""
        lines = "".join(f"CN={name},CN=Users,{self.dn}\n" for name in names)
        done = subprocess.run(
            [sys.executable, "-m", "tests.kit.account_keys", str(self.host.data_dir)],
            check=True, input=lines, capture_output=True, text=True, cwd=ROOT,
        )  # fmt: skip
        return [bytes.fromhex(json.loads(line)["18"]) for line in done.stdout.splitlines()]


def _forest(lan: Lan, name: str, octet: int) -> Forest:
    host = lan.host(f"{name.lower()}dc1", octet)
    data_dir = host.folder / "data"
    forest_host.provision(host, data_dir, "--realm", f"{name}.TEST", "--domain", name)
    return Forest(name, forest_host.serve(host, data_dir))


@pytest.fixture(scope="module")
def forests(lan: Lan) -> Iterator[tuple[Forest, Forest]]:
    both = _forest(lan, "RED", 160), _forest(lan, "BLUE", 161)
    yield both
    assert [one.host.stop() for one in both] == [0, 0]


@pytest.fixture(scope="module")
def user(lan: Lan, forests: tuple[Forest, Forest]) -> Client:
    """A machine that finds both KDCs."""
    host = lan.host("redclient", 162)
    host.etc(
        "hosts",
        "127.0.0.1 localhost\n" + "".join(f"{one.host.host.address} {one.dc}\n" for one in forests),
    )
    conf = host.folder / "krb5.conf"
    realms = "".join(f" {one.realm} = {{\n  kdc = {one.host.host.address}\n }}\n" for one in forests)
    domains = "".join(f" .{one.realm.lower()} = {one.realm}\n" for one in forests)
    conf.write_text(
        "[libdefaults]\n default_realm = RED.TEST\n dns_lookup_kdc = false\n rdns = false\n"
        f" dns_canonicalize_hostname = false\n[realms]\n{realms}[domain_realm]\n{domains}"
    )
    (host.folder / "ldap.conf").write_text("SASL_NOCANON on\n")
    host.environment.update(
        KRB5_CONFIG=str(conf),
        KRB5CCNAME=f"FILE:{host.folder / 'ccache'}",
        LDAPCONF=str(host.folder / "ldap.conf"),
        LC_ALL="C",
    )
    return Client(host)


def _sid(user: Client, forest: Forest, *where: str) -> Sid:
    done = user.machine.run(
        ["ldapsearch", "-LLL", "-Q", "-Y", "GSSAPI", "-H", f"ldap://{forest.dc}", *where, "objectSid"]
    )
    (found,) = (one for one in parse_ldif(done.stdout) if "objectsid" in one)
    return Sid.of(found["objectsid"][0].encode("latin-1"))


def _add(user: Client, forest: Forest, name: str, *lines: str) -> None:
    ldif = "\n".join((f"dn: CN={name},CN=Users,{forest.dn}", *lines, unicode_pwd(OTHERS))) + "\n"
    user.must_change(ldif, "ldapadd", "-H", f"ldap://{forest.dc}")


def _computer(name: str, spn: str) -> tuple[str, ...]:
    return (
        "objectClass: computer", f"sAMAccountName: {name}$", "userAccountControl: 4096",
        f"servicePrincipalName: {spn}",
    )  # fmt: skip


def _person(name: str) -> tuple[str, ...]:
    return "objectClass: user", f"sAMAccountName: {name}", "userAccountControl: 512"


@pytest.fixture(scope="module")
def trusted(forests: tuple[Forest, Forest], user: Client) -> tuple[Forest, Forest]:
    """A web server in RED that BLUE's file server lets act for users; people in both; trusts both ways."""
    red, blue = forests
    user.login(f"Administrator@{red.realm}", PASSWORD)
    _add(user, red, "redweb", *_computer("redweb", WEB_SPN))
    _add(user, red, "anna", *_person("anna"))
    web = _sid(user, red, "-b", red.dn, "(sAMAccountName=redweb$)")
    sids = {red.name: _sid(user, red, "-b", red.dn, "-s", "base")}
    user.login(f"Administrator@{blue.realm}", PASSWORD)
    lets = base64.b64encode(letting(web)).decode()
    act = f"msDS-AllowedToActOnBehalfOfOtherIdentity:: {lets}"
    _add(user, blue, "bluefiles", *_computer("bluefiles", FILES_SPN), act)
    _add(user, blue, "blueshut", *_computer("blueshut", SHUT_SPN))
    _add(user, blue, "bob", *_person("bob"))
    sids[blue.name] = _sid(user, blue, "-b", blue.dn, "-s", "base")
    for one, other in ((red, blue), (blue, red)):
        secret = one.host.host.folder / "trust-password"
        secret.write_text(SECRET + "\n")
        done = one.host.addc(
            "trust", "create", "--partner", other.realm.lower(), "--netbios", other.name,
            "--sid", str(sids[other.name]), "--password-file", str(secret),
            "--data-dir", str(one.host.data_dir),
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
    return red, blue


@pytest.fixture
def web(trusted: tuple[Forest, Forest], user: Client, tmp_path: Path) -> tuple[Client, Path]:
    """The web server, logged on by its keytab."""
    red, keytab = trusted[0], tmp_path / "keytab"
    done = red.host.addc(
        "keytab", "export", str(keytab), "--data-dir", str(red.host.data_dir), "--all-spns-of", "redweb$"
    )
    assert done.returncode == 0, done.stderr
    done = user.machine.run(["kinit", "-f", "-k", "-t", str(keytab), f"redweb$@{red.realm}"])
    assert done.returncode == 0, done.stderr
    return user, keytab


def _pac(user: Client, forest: Forest, service: str, account: str) -> dict[str, Any]:
    """The PAC of a ticket in the cache, verified and taken apart by foreigners."""
    key, krbtgt = forest.keys(account, "krbtgt")
    ccache = user.machine.environment["KRB5CCNAME"].removeprefix("FILE:")
    found = read_service_ticket(ccache, service, key, krbtgt, 18)
    assert found.verified == {6, 7, 16, 19}
    answer: Any = ask_samba(READ_PACS, [found.data.hex()])["pacs"]
    return dict(answer[0])


def test_self_for_a_user_of_the_other_forest(
    web: tuple[Client, Path], trusted: tuple[Forest, Forest]
) -> None:
    """Each step of [MS-SFU] 4.2 by MIT's client, which checks every reply."""
    user, keytab = web
    done = user.machine.run(["kvno", "-k", str(keytab), "-I", "bob@BLUE.TEST", "redweb$@RED.TEST"])
    assert done.returncode == 0 and "keytab entry valid" in done.stdout, done.stderr
    assert "for client bob@BLUE.TEST" in user.klist()
    pac = _pac(user, trusted[0], "redweb$", "redweb")
    assert pac["name"] == "bob" and "S-1-18-2" in pac["sids"] and "S-1-18-1" not in pac["sids"]


def test_self_for_nobody_there(web: tuple[Client, Path]) -> None:
    user, _ = web
    refused = user.machine.run(["kvno", "-I", "nobody-there@BLUE.TEST", "redweb$@RED.TEST"])
    assert refused.returncode != 0 and "not found in Kerberos database" in refused.stderr, refused.stderr


def test_proxy_to_the_other_forest(web: tuple[Client, Path], trusted: tuple[Forest, Forest]) -> None:
    """Resource-based, across the trust: RED's user, RED's service, BLUE's file server.

    Without a realm in the name: MIT's client follows the referral.
    """
    user, _ = web
    done = user.machine.run(["kvno", "-I", "anna", "-P", f"{FILES_SPN}@"])
    assert done.returncode == 0, done.stderr
    shown = user.klist()
    assert "for client anna@RED.TEST" in shown and f"{FILES_SPN}@BLUE.TEST" in shown, shown
    pac = _pac(user, trusted[1], FILES_SPN, "bluefiles")
    assert pac["name"] == "anna"
    assert pac["target"] == FILES_SPN
    assert pac["way"] == ["redweb$@RED.TEST"]


def test_proxy_where_nobody_is_let(web: tuple[Client, Path]) -> None:
    user, _ = web
    refused = user.machine.run(["kvno", "-I", "anna", "-P", f"{SHUT_SPN}@"])
    assert refused.returncode != 0, refused.stdout
    assert "can't fulfill" in refused.stderr, refused.stderr


def test_nobody_is_led_back_to_the_own_forest(web: tuple[Client, Path]) -> None:
    """BLUE's user, at RED's service, for BLUE's file server: RED has no say about who is who in BLUE."""
    user, _ = web
    refused = user.machine.run(["kvno", "-I", "bob@BLUE.TEST", "-P", f"{FILES_SPN}@"])
    assert refused.returncode != 0, refused.stdout
