"""Services that act for users, with the clients people have: MIT, Heimdal, GSS-API in Python, impacket."""

import base64
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from addc.codec.ids import Sid
from tests.journey.test_heimdal import Heimdal, unpacked
from tests.kit.certificates import Authority
from tests.kit.clients import Client, unicode_pwd, user_ldif
from tests.kit.forest_host import DNS_DOMAIN, DOMAIN_DN, REALM, ForestHost
from tests.kit.net import Host

__all__ = ["unpacked"]

USERS_DN = f"CN=Users,{DOMAIN_DN}"
PASSWORD = "S4u.Passw0rd!"
WEB, WEB_SPN = "jsweb", f"http/jsweb.{DNS_DOMAIN}"
LISTED, LISTED_SPN = "jslisted", f"http/jslisted.{DNS_DOMAIN}"
FILES_SPN = f"cifs/jsfiles.{DNS_DOMAIN}"
USER, KEPT = "jsalice", "jskept"


@dataclass(frozen=True)
class Service:
    """A machine's service account with its keytab, at that machine."""

    at: Client
    keytab: Path

    def kvno(self, *words: str) -> str:
        """kvno as this service; what it printed, having succeeded."""
        done = self.at.machine.run(["kvno", "-k", str(self.keytab), *words])
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def refused(self, *words: str) -> str:
        done = self.at.machine.run(["kvno", *words])
        assert done.returncode != 0, done.stdout
        return done.stderr


def _add(user: Client, name: str, ldif: str) -> None:
    user.delete(f"CN={name},{USERS_DN}")
    user.must_change(ldif, "ldapadd")


def _computer(name: str, spn: str, control: int, *more: str) -> str:
    lines = [
        f"dn: CN={name},{USERS_DN}", "objectClass: computer", f"sAMAccountName: {name}$",
        f"userAccountControl: {control}", f"servicePrincipalName: {spn}", unicode_pwd(PASSWORD), *more,
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


@pytest.fixture(scope="module")
def cast(machine: Host) -> Client:
    """A service with protocol transition, one without, a file server, a user and one who is kept from it."""
    user = Client(machine)
    user.login()
    target = f"msDS-AllowedToDelegateTo: {FILES_SPN}"
    _add(user, WEB, _computer(WEB, WEB_SPN, 0x100_1000, target))
    _add(user, LISTED, _computer(LISTED, LISTED_SPN, 0x1000, target))
    _add(user, "jsfiles", _computer("jsfiles", FILES_SPN, 0x1000))
    _add(user, USER, user_ldif(USER, PASSWORD))
    _add(user, KEPT, user_ldif(KEPT, PASSWORD))
    user.must_change(
        f"dn: CN={KEPT},{USERS_DN}\nchangetype: modify\nreplace: userAccountControl\n"
        f"userAccountControl: {0x10_0200}\n"
    )
    return user


def _at(cast: Client, forest: ForestHost, folder: Path, name: str) -> Service:
    """Logged on by a keytab that holds its keys under all its names."""
    keytab = folder / "keytab"
    exported = forest.addc(
        "keytab", "export", str(keytab), "--data-dir", str(forest.data_dir), "--all-spns-of", f"{name}$"
    )
    assert exported.returncode == 0, exported.stderr
    done = cast.machine.run(["kinit", "-f", "-k", "-t", str(keytab), f"{name}$"])
    assert done.returncode == 0, done.stderr
    return Service(cast, keytab)


@pytest.fixture
def web(cast: Client, forest: ForestHost, tmp_path: Path) -> Iterator[Service]:
    yield _at(cast, forest, tmp_path, WEB)


@pytest.fixture
def listed(cast: Client, forest: ForestHost, tmp_path: Path) -> Iterator[Service]:
    yield _at(cast, forest, tmp_path, LISTED)


# --- MIT ------------------------------------------------------------------------------------------


def test_kvno_for_a_user(web: Service) -> None:
    """-I: the reply's checksums, its name and the ticket's must agree, or the client would not take it."""
    assert "keytab entry valid" in web.kvno("-I", USER, f"{WEB}$")
    shown = web.at.klist("-f")
    assert f"for client {USER}@{REALM}" in shown


def test_kvno_for_a_user_principal_name(web: Service) -> None:
    """-U: found as an enterprise name, answered under the account's own."""
    assert "keytab entry valid" in web.kvno("-U", f"{USER}@{DNS_DOMAIN}", f"{WEB}$")
    assert f"for client {USER}@{REALM}" in web.at.klist()


def test_kvno_goes_on_to_the_listed_service(web: Service) -> None:
    """-P: S4U2Self, then S4U2Proxy."""
    done = web.at.machine.run(["kvno", "-I", USER, "-P", FILES_SPN])
    assert done.returncode == 0, done.stderr
    shown = web.at.klist()
    assert FILES_SPN in shown and f"for client {USER}@{REALM}" in shown


def test_kvno_goes_nowhere_else(web: Service) -> None:
    assert "KDC can't fulfill requested option" in web.refused("-I", USER, "-P", LISTED_SPN)


def test_without_protocol_transition_only_the_own_question_is_answered(listed: Service) -> None:
    assert "keytab entry valid" in listed.kvno("-I", USER, f"{LISTED}$")
    refused = listed.refused("-I", USER, "-P", FILES_SPN)
    assert "not forwardable" in refused or "can't fulfill" in refused, refused


def test_who_is_kept_from_delegation_is_not_delegated(web: Service) -> None:
    assert "keytab entry valid" in web.kvno("-I", KEPT, f"{WEB}$")
    refused = web.refused("-I", KEPT, "-P", FILES_SPN)
    assert "not forwardable" in refused or "can't fulfill" in refused, refused


def test_kvno_for_nobody(web: Service) -> None:
    assert "not found in Kerberos database" in web.refused("-I", "nobody-here", f"{WEB}$")


def test_kvno_for_a_certificate(web: Service, forest: ForestHost, tmp_path: Path) -> None:
    """-F: the client asks where the user is, then for a ticket, with nothing but the certificate."""
    authority = Authority("S4U People CA")
    services = f"CN=Public Key Services,CN=Services,CN=Configuration,{DOMAIN_DN}"
    nt_auth = f"dn: CN=NTAuthCertificates,{services}\nchangetype: modify\nadd: cACertificate\n"
    web.at.login()
    (found,) = web.at.entries(f"(sAMAccountName={USER})", "objectSid")
    sid = str(Sid.of(found["objectsid"][0].encode("latin-1")))
    pem, _ = authority.issue(USER, sid=sid).write(tmp_path)
    done = web.at.machine.run(["kinit", "-f", "-k", "-t", str(web.keytab), f"{WEB}$"])
    assert done.returncode == 0, done.stderr
    assert "not found in Kerberos database" in web.refused("-F", str(pem), f"{WEB}$")
    web.at.login()
    web.at.must_change(f"{nt_auth}cACertificate:: {base64.b64encode(authority.der).decode()}\n")
    done = web.at.machine.run(["kinit", "-f", "-k", "-t", str(web.keytab), f"{WEB}$"])
    assert done.returncode == 0, done.stderr
    assert "keytab entry valid" in web.kvno("-F", str(pem), f"{WEB}$")
    assert f"for client {USER}@{REALM}" in web.at.klist()


GSS = """
import sys, gssapi
from gssapi.raw import acquire_cred_impersonate_name
service = gssapi.Credentials(usage='both', store={'client_keytab': sys.argv[1], 'keytab': sys.argv[1]})
kerberos = gssapi.MechType.kerberos
user = gssapi.Name(sys.argv[2], gssapi.NameType.user)
acting = gssapi.Credentials(
    acquire_cred_impersonate_name(service, user, mechs=[kerberos], usage='initiate').creds)
target = gssapi.Name(sys.argv[3], gssapi.NameType.kerberos_principal)
token = gssapi.SecurityContext(name=target, creds=acting, mech=kerberos, usage='initiate').step()
print(acting.name, len(token) > 1000)
"""


def test_gss_api_impersonates(web: Service, tmp_path: Path) -> None:
    """gss_acquire_cred_impersonate_name, then a context towards the file server: what gss-s4u does."""
    plain = Path(web.at.machine.environment["KRB5_CONFIG"]).read_text()
    config = tmp_path / "krb5.conf"
    config.write_text(plain.replace("[libdefaults]", "[libdefaults]\n forwardable = true"))
    done = web.at.machine.run(
        [sys.executable, "-c", GSS, str(web.keytab), USER, FILES_SPN],
        environment={"KRB5CCNAME": f"FILE:{tmp_path / 'gss'}", "KRB5_CONFIG": str(config)},
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [f"{USER}@{REALM}", "True"]


# --- Heimdal --------------------------------------------------------------------------------------


def test_heimdal_impersonates_and_delegates(
    cast: Client, forest: ForestHost, unpacked: Path, tmp_path: Path
) -> None:
    """kgetcred --impersonate, and --delegation-credential-cache."""
    heimdal = Heimdal(cast.machine, unpacked, tmp_path)
    done = heimdal.run(
        "kinit.heimdal", "--forwardable", "--password-file=STDIN", f"{WEB}$", stdin=PASSWORD + "\n"
    )
    assert done.returncode == 0, done.stderr
    evidence = f"FILE:{tmp_path / 'evidence'}"
    done = heimdal.run(
        "kgetcred",
        "--forwardable",
        f"--impersonate={USER}@{REALM}",
        f"--out-cache={evidence}",
        f"{WEB}$@{REALM}",
    )
    assert done.returncode == 0, done.stderr
    shown = heimdal.run("heimtools", "klist", "-c", evidence).stdout
    assert f"Principal: {USER}@{REALM}" in shown and f"{WEB}$@{REALM}" in shown, shown
    done = heimdal.run("kgetcred", f"--delegation-credential-cache={evidence}", f"{FILES_SPN}@{REALM}")
    assert done.returncode == 0, done.stderr
    refused = heimdal.run("kgetcred", f"--delegation-credential-cache={evidence}", f"{LISTED_SPN}@{REALM}")
    assert refused.returncode != 0


# --- impacket -------------------------------------------------------------------------------------


def get_st(machine: Host, forest: ForestHost, folder: Path, who: str, *words: str) -> str:
    """getST.py as a service; all that it said. Its ticket is left in `folder`."""
    program = Path(sys.executable).parent / "getST.py"
    done = machine.run(
        [
            "sh", "-c", 'cd "$0" && unset KRB5CCNAME && exec "$@"', str(folder),
            sys.executable, "-W", "ignore", str(program),
            "-dc-ip", forest.host.address, *words, f"{DNS_DOMAIN}/{who}:{PASSWORD}",
        ],
    )  # fmt: skip
    return done.stdout + done.stderr


def test_get_st_impersonates(cast: Client, forest: ForestHost, tmp_path: Path) -> None:
    said = get_st(cast.machine, forest, tmp_path, f"{WEB}$", "-impersonate", USER, "-spn", FILES_SPN)
    assert "S4U2Proxy" in said and "Saving ticket" in said, said
    assert list(tmp_path.glob(f"{USER}@*.ccache"))


def test_get_st_self(cast: Client, forest: ForestHost, tmp_path: Path) -> None:
    said = get_st(cast.machine, forest, tmp_path, f"{WEB}$", "-impersonate", USER, "-self")
    assert "Saving ticket" in said, said


def test_get_st_user_to_user(cast: Client, forest: ForestHost, tmp_path: Path) -> None:
    """An account without SPN asks for a user by its own ticket-granting ticket."""
    said = get_st(cast.machine, forest, tmp_path, KEPT, "-impersonate", USER, "-self", "-u2u")
    assert "Saving ticket" in said, said


def test_get_st_with_evidence_of_before(cast: Client, forest: ForestHost, tmp_path: Path) -> None:
    """-additional-ticket."""
    get_st(cast.machine, forest, tmp_path, f"{WEB}$", "-impersonate", USER, "-self")
    (evidence,) = tmp_path.glob("*.ccache")
    said = get_st(
        cast.machine, forest, tmp_path, f"{WEB}$",
        "-impersonate", USER, "-spn", FILES_SPN, "-additional-ticket", str(evidence),
    )  # fmt: skip
    assert "Saving ticket" in said, said


def test_get_st_force_forwardable_is_refused(cast: Client, forest: ForestHost, tmp_path: Path) -> None:
    """The Bronze Bit (CVE-2020-17049): the flag set by the service itself."""
    key = _aes_key(forest, LISTED)
    said = get_st(
        cast.machine, forest, tmp_path, f"{LISTED}$",
        "-impersonate", USER, "-spn", FILES_SPN, "-force-forwardable", "-aesKey", key,
    )  # fmt: skip
    assert "KRB_AP_ERR_MODIFIED" in said, said
    assert not list(tmp_path.glob("*.ccache"))
    plain = get_st(cast.machine, forest, tmp_path, f"{LISTED}$", "-impersonate", USER, "-spn", FILES_SPN)
    assert "KDC_ERR_BADOPTION" in plain and "Saving" not in plain, plain


def _aes_key(forest: ForestHost, name: str) -> str:
    from impacket.krb5.crypto import string_to_key  # noqa: PLC0415

    assert forest
    return str(string_to_key(18, PASSWORD, f"{REALM}host{name}.{DNS_DOMAIN}").contents.hex())
