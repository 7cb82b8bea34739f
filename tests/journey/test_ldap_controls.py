"""Each control that OpenLDAP's tools and ldap3 know, or can be taught, as their users ask for it."""

import base64
import re
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from addc.ldap import controls as wire
from tests.kit.clients import DC, Client, parse_ldif, user_ldif
from tests.kit.forest_host import DNS_DOMAIN, DOMAIN_DN, PASSWORD, ForestHost
from tests.kit.net import Host

OU = f"OU=controls,{DOMAIN_DN}"
PEOPLE = ("alba", "bela", "cleo", "dora", "enid")
SHOW_DELETED = "1.2.840.113556.1.4.417"


@pytest.fixture(scope="module")
def admin(machine: Host) -> Iterator[Client]:
    client = Client(machine)
    machine.run(["kdestroy", "-q"])
    client.login()
    ldif = f"dn: {OU}\nobjectClass: organizationalUnit\n\n"
    ldif += "\n".join(user_ldif(name, None, f"sn: {name}", parent=OU) for name in PEOPLE)
    client.must_change(ldif, "ldapadd")
    yield client
    client.machine.run(["ldapdelete", "-Q", "-Y", "GSSAPI", "-e", "!1.2.840.113556.1.4.805", OU])


def search(client: Client, *words: str, base: str = OU) -> subprocess.CompletedProcess[str]:
    """ldapsearch with its comments, among which are the response controls."""
    return client.machine.run(["ldapsearch", "-Q", "-o", "ldif-wrap=no", "-Y", "GSSAPI", "-b", base, *words])


def names(done: subprocess.CompletedProcess[str]) -> list[str]:
    assert done.returncode == 0, done.stdout + done.stderr
    return re.findall(r"^name: (.*)$", done.stdout, re.MULTILINE)


def test_pages(admin: Client) -> None:
    done = search(admin, "-E", "!pr=2/noprompt", "(objectClass=user)", "name")
    assert sorted(names(done)) == list(PEOPLE)
    assert done.stdout.count("\npagedresults: cookie=") == 3


@pytest.mark.parametrize(("key", "step"), [("sn", 1), ("-sn", -1)])
def test_sorting(admin: Client, key: str, step: int) -> None:
    done = search(admin, "-E", f"!sss={key}", "(objectClass=user)", "name")
    assert names(done) == list(PEOPLE)[::step]
    assert "sortResult: (0) Success" in done.stdout


def test_sorting_by_what_does_not_exist(admin: Client) -> None:
    assert search(admin, "-E", "!sss=nonsense", "(objectClass=user)", "name").returncode == 12


def generic(oid: str, value: bytes) -> str:
    """A critical control by its number, as -E takes it."""
    return f"!{oid}=::{base64.b64encode(value).decode()}"


@pytest.mark.parametrize(
    ("target", "seen"),
    [
        (wire.VlvByOffset(3, 0), PEOPLE[1:4]),
        (wire.VlvGreaterThanOrEqual(b"d"), PEOPLE[2:5]),
    ],
)
def test_windows_of_a_list(
    admin: Client, target: wire.VlvByOffset | wire.VlvGreaterThanOrEqual, seen: tuple[str, ...]
) -> None:
    """The tool's own vlv asks its user for the next window and never ends in a script."""
    view = generic(wire.LDAP_CONTROL_VLVREQUEST, wire.VlvRequestValue(1, 1, target).pack())
    done = search(admin, "-E", "!sss=sn", "-E", view, "(objectClass=user)", "name")
    assert names(done) == list(seen)
    assert f"control: {wire.LDAP_CONTROL_VLVRESPONSE}" in done.stdout


def test_changes_since_a_cookie(admin: Client) -> None:
    """The tool reads each answer's cookie, and whether there is more; the next request has it."""
    wanted = ("(objectClass=user)", "name", "description")
    done = search(admin, "-E", "!dirSync=0/0", *wanted, base=DOMAIN_DN)
    seen = set(names(done))
    while "# DirSync control continueFlag=0" not in done.stdout:
        done = search(admin, "-E", dir_sync_after(done.stdout), *wanted, base=DOMAIN_DN)
        seen |= set(names(done))
    assert seen >= set(PEOPLE)
    last = dir_sync_after(done.stdout)
    ldif = f"dn: CN=enid,{OU}\nchangetype: modify\nreplace: description\ndescription: since\n"
    admin.must_change(ldif)
    done = search(admin, "-E", last, *wanted, base=DOMAIN_DN)
    assert re.findall(r"^dn: (\S+)", done.stdout, re.MULTILINE) == [f"CN=enid,{OU}"]
    assert "description: since" in done.stdout


def dir_sync_after(answer: str) -> str:
    """The control that goes on behind an answer."""
    cookie = re.search(r"^# cookie:: (\S+)$", answer, re.MULTILINE)
    assert cookie is not None
    value = wire.DirSyncValue(0, 0, base64.b64decode(cookie[1])).pack()
    return generic(wire.LDAP_SERVER_DIRSYNC_OID, value)


def test_extended_dns(admin: Client) -> None:
    done = search(admin, "-LLL", "-E", "!extendedDn=1", "-s", "base", "name")
    (entry,) = parse_ldif(done.stdout)
    assert re.fullmatch(rf"<GUID=[0-9a-f-]{{36}}>;{re.escape(OU)}", entry["dn"][0])
    root = search(admin, "-LLL", "-E", "extendedDn=1", "-s", "base", "defaultNamingContext", base="")
    (named,) = parse_ldif(root.stdout)[0]["defaultnamingcontext"]
    assert re.fullmatch(rf"<GUID=\S+>;<SID=S-1-5-21-\S+>;{re.escape(DOMAIN_DN)}", named)


def test_deleted_objects_are_shown_when_asked_for(admin: Client) -> None:
    admin.must_change(user_ldif("gone", None, parent=OU), "ldapadd")
    assert admin.delete(f"CN=gone,{OU}").returncode == 0
    wanted = ("(&(isDeleted=TRUE)(sAMAccountName=gone))", "sAMAccountName")
    assert "sAMAccountName: gone" not in search(admin, *wanted, base=DOMAIN_DN).stdout
    for control in ("!showDeleted", f"!{SHOW_DELETED}"):
        assert "sAMAccountName: gone" in search(admin, "-E", control, *wanted, base=DOMAIN_DN).stdout


def test_referrals_are_left_out_when_asked_for(admin: Client) -> None:
    assert "\nref: ldap" in search(admin, "(name=alba)", "name", base=DOMAIN_DN).stdout
    assert "\nref: ldap" not in search(admin, "-E", "!domainScope", "(name=alba)", base=DOMAIN_DN).stdout


def test_a_sequence_of_octets_as_a_control(admin: Client) -> None:
    """SD flags, by number and value: 7 leaves the SACL out, which is not everybody's to read."""
    flags = generic(wire.LDAP_SERVER_SD_FLAGS_OID, wire.FlagsValue(7).pack())
    done = search(admin, "-E", flags, "-s", "base", "nTSecurityDescriptor")
    assert done.returncode == 0 and "nTSecurityDescriptor:: " in done.stdout, done.stderr


@pytest.mark.parametrize(
    "control", ["!1.2.3.4", "!1.3.6.1.4.1.4203.666.5.12", "!subentries=true", "!sync=ro", "!mv=(cn=x)"]
)
def test_a_critical_control_that_is_none_of_windows(admin: Client, control: str) -> None:
    done = search(admin, "-E", control, "-s", "base", "name")
    assert done.returncode == 12
    assert "00000057: LdapErr: DSID-" in done.stderr + done.stdout
    assert search(admin, "-E", control[1:], "-s", "base", "name").returncode == 0


def test_update_statistics_come_with_the_answer(admin: Client) -> None:
    ldif = f"dn: CN=alba,{OU}\nchangetype: modify\nreplace: description\ndescription: x\n"
    done = admin.machine.run(
        ["ldapmodify", "-Q", "-Y", "GSSAPI", "-v", "-e", "!1.2.840.113556.1.4.2205"], stdin=ldif
    )
    assert done.returncode == 0, done.stderr


def test_a_value_that_is_there_is_added_again_permissively(admin: Client) -> None:
    ldif = f"dn: CN=bela,{OU}\nchangetype: modify\nadd: url\nurl: http://example.com/\n"
    assert admin.change(ldif).returncode == 0
    assert admin.change(ldif).returncode == 20
    done = admin.change(ldif, "ldapmodify", "-e", "!1.2.840.113556.1.4.1413")
    assert done.returncode == 0, done.stderr


def test_a_tree_is_deleted_with_its_control(admin: Client) -> None:
    inner = f"OU=tree,{OU}"
    admin.must_change(f"dn: {inner}\nobjectClass: organizationalUnit\n", "ldapadd")
    admin.must_change(f"dn: OU=leaf,{inner}\nobjectClass: organizationalUnit\n", "ldapadd")
    plain = admin.delete(inner)
    assert plain.returncode == 66 and "problem 6003 (CANT_ON_NON_LEAF)" in plain.stderr
    done = admin.machine.run(["ldapdelete", "-Q", "-Y", "GSSAPI", "-e", "!1.2.840.113556.1.4.805", inner])
    assert done.returncode == 0, done.stderr


def test_changes_are_reported_as_they_come(admin: Client) -> None:
    """The tool's serverNotif: it prints what changes until its time limit."""
    log = admin.machine.folder / "notified.log"
    log.unlink(missing_ok=True)
    words = ["-Q", "-o", "ldif-wrap=no", "-Y", "GSSAPI", "-b", OU, "-l", "20", "-E", "!serverNotif", "name"]
    watching = admin.machine.start(["ldapsearch", "-LLL", *words], log)
    try:
        deadline = time.monotonic() + 20
        number = 0
        while "name: cleo" not in log.read_text():
            assert time.monotonic() < deadline, log.read_text()
            number += 1
            ldif = f"dn: CN=cleo,{OU}\nchangetype: modify\nreplace: description\ndescription: {number}\n"
            admin.must_change(ldif)
    finally:
        watching.kill()
        watching.wait()


LDAP3_BATCH = """
import ssl, sys, ldap3
tls = ldap3.Tls(validate=ssl.CERT_REQUIRED, ca_certs_file=sys.argv[1])
server = ldap3.Server(sys.argv[2], port=636, use_ssl=True, tls=tls)
c = ldap3.Connection(server, sys.argv[3], sys.argv[4], auto_bind=True)
assert c.extended('1.2.840.113556.1.4.2212', b'0\\x00', no_encode=True)
print(c.result['result'], c.result['description'])
assert not c.extended('1.3.6.1.1.8')
print(c.result['result'], c.result['message'])
for oid in ('1.2.840.113556.1.4.970', '1.2.840.113556.1.4.2205'):
    c.search(sys.argv[5], '(objectClass=user)', attributes=['name'], controls=[(oid, True, None)])
    print(oid in c.result['controls'])
"""


def test_ldap3_with_raw_controls(machine: Host, forest: ForestHost, admin: Client) -> None:
    ca = str(forest.data_dir / "tls" / "ca.pem")
    who = f"Administrator@{DNS_DOMAIN}"
    done = machine.run([sys.executable, "-W", "ignore", "-c", LDAP3_BATCH, ca, DC, who, PASSWORD, OU])
    assert done.returncode == 0, done.stderr
    batch, cancel, *statistics = done.stdout.splitlines()
    assert batch == "0 success"
    assert cancel.startswith("2 0000203D: LdapErr: DSID-")
    assert statistics == ["True", "True"]


def test_rootdse_operations(admin: Client) -> None:
    for name in ("schemaUpdateNow", "doGarbageCollection", "updateCachedMemberships", "becomeRidMaster"):
        done = admin.change(f"dn:\nchangetype: modify\nadd: {name}\n{name}: 1\n")
        assert done.returncode == 0, done.stdout + done.stderr
    done = admin.change("dn:\nchangetype: modify\nadd: dumpDatabase\ndumpDatabase: cn\n")
    assert done.returncode == 53
