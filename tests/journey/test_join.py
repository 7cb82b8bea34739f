"""Machines that join: adcli by itself, and realmd with sssd up to a logon through PAM.

There is no systemd here. The system bus, realmd, polkitd and sssd run by hand in the member's own namespaces,
so realmd is told how to start sssd; everything else is Debian's own configuration. One line is added to it:
sssd lets in whom Group Policy lets in (enforcing), where Debian's would only tell its log.
"""

import re
import subprocess
from collections.abc import Iterator

import pytest

from addc.codec.ids import Sid
from tests.journey.test_kerberos import USER_PASSWORD, make_user, replace
from tests.kit.clients import DC, Client
from tests.kit.forest_host import DNS_DOMAIN, DOMAIN, DOMAIN_DN, PASSWORD, REALM, ForestHost
from tests.kit.member import Member, member, wait_until
from tests.kit.net import Host, Lan
from tests.kit.samba_tools import KERBEROS, SambaTools, samba_desk

SITE = "Default-First-Site-Name"
# Services whose right to log on sssd knows: interactive and remote interactive.
PAM_SERVICES = CONSOLE, REMOTE = ("login", "sshd")
MEMBERS = f"OU=jmembers,{DOMAIN_DN}"
# Where the two libraries lie depends on the architecture; realmd only looks whether the files are there.
REALMD_CONF = """
[service]
automatic-install = no
[sssd-packages]
sssd = /usr/sbin/sssd
libnss-sss = /usr/sbin/sssd
libpam-sss = /usr/sbin/sssd
[winbind-packages]
winbind = /usr/sbin/winbindd
libpam-winbind = /usr/sbin/winbindd
libnss-winbind = /usr/sbin/winbindd
[commands]
winbind-enable-service = /bin/true
winbind-disable-service = /bin/true
winbind-restart-service = /usr/sbin/winbindd -D
winbind-stop-service = /bin/sh -c "kill $(cat /run/samba/winbindd.pid)"
sssd-enable-service = /bin/true
sssd-disable-service = /bin/true
sssd-restart-service = /usr/sbin/sssd -D --logger=files
sssd-stop-service = /bin/sh -c "kill $(cat /run/sssd.pid)"
"""
SSSD_SNIPPET = f"[domain/{DNS_DOMAIN}]\nad_gpo_access_control = enforcing\n"
PAM_CONF = """
auth required pam_sss.so
account required pam_sss.so
password required pam_sss.so
session required pam_sss.so
"""


def words_of(machine: Member, *words: str, stdin: str = "") -> str:
    """Run what must succeed; all that it says."""
    done = machine.run(words, stdin=stdin)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def computer(user: Client, name: str) -> dict[str, list[str]] | None:
    """The account of a machine as an administrator sees it."""
    user.login()
    found = user.entries(
        f"(sAMAccountName={name}$)",
        *("servicePrincipalName", "dNSHostName", "userAccountControl", "primaryGroupID"),
        *("msDS-KeyVersionNumber", "operatingSystem", "msDS-SupportedEncryptionTypes"),
    )
    return found[0] if found else None


# --- adcli ---


@pytest.fixture(scope="module")
def ws1(lan: Lan, forest: ForestHost) -> Iterator[Member]:
    found = member(lan, "ws1", 30, forest.host)
    yield found
    found.end()


def test_adcli_finds_the_domain_controller(ws1: Member) -> None:
    info = words_of(ws1, "adcli", "info", DNS_DOMAIN)
    for line in (
        f"domain-name = {DNS_DOMAIN}",
        f"domain-short = {DOMAIN}",
        f"domain-forest = {DNS_DOMAIN}",
        f"domain-controller = dc1.{DNS_DOMAIN}",
        f"domain-controller-site = {SITE}",
        "domain-controller-flags = pdc gc ldap ds kdc timeserv closest writable full-secret",
        "domain-controller-usable = yes",
        f"computer-site = {SITE}",
    ):
        assert line in info, info


def test_adcli_joins_and_the_machine_logs_on(ws1: Member, user: Client) -> None:
    join = ["adcli", "join", "--verbose", "--stdin-password", "--login-user=Administrator", DNS_DOMAIN]
    words_of(ws1, *join, stdin=PASSWORD)
    account = computer(user, "WS1")
    assert account is not None
    fqdn = f"ws1.{DNS_DOMAIN}"
    wanted = {"host/WS1", f"host/{fqdn}", "RestrictedKrbHost/WS1", f"RestrictedKrbHost/{fqdn}"}
    assert set(account["serviceprincipalname"]) == wanted
    assert account["dnshostname"] == [fqdn]
    assert account["primarygroupid"] == ["515"]
    assert int(account["useraccountcontrol"][0]) & 0x1000
    words_of(ws1, "kinit", "-k", "-t", "/etc/krb5.keytab", "WS1$")
    assert f"Default principal: WS1$@{REALM}" in words_of(ws1, "klist")
    tickets = words_of(ws1, "kvno", "-k", "/etc/krb5.keytab", f"host/{fqdn}", "RestrictedKrbHost/WS1")
    kvno = account["msds-keyversionnumber"][0]
    assert tickets.count(f"kvno = {kvno}, keytab entry valid") == 2
    assert "Sucessfully validated" in words_of(ws1, "adcli", "testjoin")


def test_adcli_renews_the_machines_password(ws1: Member, user: Client) -> None:
    before = computer(user, "WS1")
    words_of(ws1, "adcli", "update", "--computer-password-lifetime=0")
    after = computer(user, "WS1")
    assert before is not None and after is not None
    versions = [int(one["msds-keyversionnumber"][0]) for one in (before, after)]
    assert versions[1] == versions[0] + 1
    words_of(ws1, "adcli", "testjoin")
    words_of(ws1, "kinit", "-k", "-t", "/etc/krb5.keytab", "WS1$")
    by_service = ws1.run(["kinit", "-k", "-t", "/etc/krb5.keytab", f"host/ws1.{DNS_DOMAIN}"])
    assert "not found in Kerberos database" in by_service.stderr, "a service name is no client's name in AD"


def test_adcli_joins_again_into_a_unit_and_for_administrators_alone(ws1: Member, user: Client) -> None:
    """What adcli writes is more than users may give an account. Spec: [MS-ADTS] 3.1.1.5.2.2."""
    make_user(user, "jplain")
    join = ("adcli", "join", "--stdin-password", "--login-user")
    words_of(ws1, *join, "Administrator", DNS_DOMAIN, stdin=PASSWORD)
    over = ws1.run([*join, "jplain", DNS_DOMAIN], stdin=USER_PASSWORD)
    assert over.returncode != 0 and "Access denied" in over.stderr
    words_of(ws1, "adcli", "testjoin")
    named = ("--computer-name=JADCLI", f"--host-fqdn=jadcli.{DNS_DOMAIN}", "--host-keytab=/etc/jadcli.keytab")
    fresh = ws1.run([*join, "jplain", *named, DNS_DOMAIN], stdin=USER_PASSWORD)
    assert fresh.returncode != 0 and "Insufficient permissions" in fresh.stderr
    unit = f"OU=jadcli,{DOMAIN_DN}"
    user.must_change(f"dn: {unit}\nobjectClass: organizationalUnit\n", "ldapadd")
    words_of(ws1, *join, "Administrator", *named, f"--domain-ou={unit}", DNS_DOMAIN, stdin=PASSWORD)
    assert len(user.entries("(sAMAccountName=JADCLI$)", base=unit)) == 1
    delete = ("adcli", "delete-computer", "--stdin-password", "--login-user=Administrator")
    words_of(ws1, *delete, f"--domain={DNS_DOMAIN}", "JADCLI", stdin=PASSWORD)
    assert computer(user, "JADCLI") is None


def test_a_machine_joins_by_a_password_that_was_set_for_it(ws1: Member, user: Client) -> None:
    fqdn, once = f"ws3.{DNS_DOMAIN}", "0ne-time.Passw0rd"
    words_of(
        ws1, "adcli", "preset-computer", "--stdin-password", "--login-user=Administrator",
        f"--domain={DNS_DOMAIN}", f"--one-time-password={once}", fqdn, stdin=PASSWORD,
    )  # fmt: skip
    join = ["adcli", "join", "--computer-name=WS3", f"--host-fqdn={fqdn}", "--host-keytab=/etc/ws3.keytab"]
    words_of(ws1, *join, f"--one-time-password={once}", DNS_DOMAIN)
    account = computer(user, "WS3")
    assert account is not None and account["dnshostname"] == [fqdn]
    words_of(ws1, "kinit", "-k", "-t", "/etc/ws3.keytab", "WS3$")
    assert ws1.run(["kinit", "WS3$"], stdin=once + "\n").returncode == 1, "it was changed at once"


# --- realmd and sssd ---


@pytest.fixture(scope="module")
def bus(lan: Lan, forest: ForestHost) -> Iterator[Member]:
    """A machine with a system bus, on which realmd and polkitd start when they are called."""
    found = member(lan, "ws2", 31, forest.host)
    found.write("/etc/realmd.conf", REALMD_CONF)
    found.write("/etc/sssd/conf.d/policy.conf", SSSD_SNIPPET, mode="600")
    for service in PAM_SERVICES:
        found.write(f"/etc/pam.d/{service}", PAM_CONF)
    daemon = found.start(["dbus-daemon", "--system", "--nofork", "--nopidfile"], found.folder / "bus.log")

    def is_up() -> bool | None:
        assert daemon.poll() is None
        return found.run(["test", "-S", "/run/dbus/system_bus_socket"]).returncode == 0 or None

    wait_until("the system bus", is_up)
    yield found
    found.end()
    daemon.wait(timeout=30)


TEMPLATE = """[Unicode]
Unicode=yes
[Version]
signature="$CHICAGO$"
Revision=1
[Privilege Rights]
SeRemoteInteractiveLogonRight = *S-1-5-32-544,*{allowed}
SeDenyRemoteInteractiveLogonRight = *{denied}
"""
SECURITY_EXTENSION = "[{827D319E-6EAC-11D2-A4EA-00C04F79F83A}{803E14A0-B4FB-11D0-A0D0-00A0C90F574B}]"


@pytest.fixture(scope="module")
def policy(machine: Host, forest: ForestHost) -> str:
    """A policy for the members' unit: whom sshd lets in. Its name."""
    admin = Client(machine)
    admin.login()
    for group in ("jremote", "jnever"):
        admin.must_change(
            f"dn: CN={group},CN=Users,{DOMAIN_DN}\nobjectClass: group\nsAMAccountName: {group}\n", "ldapadd"
        )
    admin.must_change(f"dn: {MEMBERS}\nobjectClass: organizationalUnit\n", "ldapadd")
    tool = SambaTools(samba_desk(machine))
    found = re.search(r"\{[0-9A-Fa-f-]{36}\}", tool.ok("gpo", "create", "Who comes in"))
    assert found is not None
    name = found.group()
    text = TEMPLATE.format(allowed=sid(admin, "jremote"), denied=sid(admin, "jnever"))
    put_template(machine, name, text)
    admin.must_change(
        f"dn: CN={name},CN=Policies,CN=System,{DOMAIN_DN}\nchangetype: modify\n"
        f"replace: gPCMachineExtensionNames\ngPCMachineExtensionNames: {SECURITY_EXTENSION}\n-\n"
        "replace: versionNumber\nversionNumber: 1\n"
    )
    tool.ok("gpo", "setlink", MEMBERS, name)
    return name


def sid(user: Client, name: str) -> str:
    """The SID of an account."""
    value = user.entries(f"(sAMAccountName={name})", "objectSid")[0]["objectsid"][0]
    return str(Sid.of(value.encode("latin-1")))


def put_template(machine: Host, policy: str, text: str) -> None:
    """The security settings of a policy, and its version, as RSAT writes them."""
    local, version = machine.folder / "GptTmpl.inf", machine.folder / "GPT.INI"
    local.write_bytes(text.replace("\n", "\r\n").encode("utf-16"))
    version.write_bytes(b"[General]\r\nVersion=1\r\n")
    folder = f"{DNS_DOMAIN}\\Policies\\{policy}"
    steps = [f'cd "{folder}"', f"put {version} GPT.INI", "cd MACHINE"]
    for one in ("Microsoft", "Windows NT", "SecEdit"):
        steps += [f'mkdir "{one}"', f'cd "{one}"']
    done = samba_desk(machine).run(
        ["smbclient", f"//{DC}/sysvol", *KERBEROS, "-c", "; ".join([*steps, f"put {local} GptTmpl.inf"])]
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def joined(bus: Member, policy: str) -> Member:
    words = ("realm", "join", "-v", "-U", "Administrator", f"--computer-ou={MEMBERS}", DNS_DOMAIN)
    words_of(bus, *words, stdin=PASSWORD + "\n")
    wait_until("sssd's first answer", lambda: known(bus, "administrator"))
    return bus


def known(machine: Member, name: str) -> str | None:
    """The passwd line of a user of the domain."""
    found = machine.run(["getent", "passwd", f"{name}@{DNS_DOMAIN}"])
    return found.stdout.strip() or None


def pam(
    machine: Member, name: str, password: str, *operations: str, service: str = CONSOLE
) -> "subprocess.CompletedProcess[str]":
    """A conversation with PAM. password: all lines that are typed."""
    return machine.run(
        ["pamtester", service, f"{name}@{DNS_DOMAIN}", *operations], stdin=password + "\n", timeout_s=90
    )


def test_realm_discovers(bus: Member) -> None:
    found = words_of(bus, "realm", "discover", DNS_DOMAIN)
    for line in (f"realm-name: {REALM}", f"domain-name: {DNS_DOMAIN}", "server-software: active-directory"):
        assert line in found
    assert "configured: no" in found


def test_realm_joins(joined: Member, user: Client) -> None:
    assert "configured: kerberos-member" in words_of(joined, "realm", "list")
    assert "id_provider = ad" in joined.read("/etc/sssd/sssd.conf")
    account = computer(user, "WS2")
    assert account is not None and f"host/ws2.{DNS_DOMAIN}" in account["serviceprincipalname"]
    status = words_of(joined, "sssctl", "domain-status", DNS_DOMAIN)
    assert "Online status: Online" in status
    assert f"AD Domain Controller: dc1.{DNS_DOMAIN}" in status


def test_users_and_their_groups_are_known(joined: Member, user: Client) -> None:
    make_user(user, "jmember")
    for name, member_dn in (("jinner", "CN=jmember"), ("jouter", "CN=jinner")):
        user.delete(f"CN={name},CN=Users,{DOMAIN_DN}")
        user.must_change(
            f"dn: CN={name},CN=Users,{DOMAIN_DN}\nobjectClass: group\nsAMAccountName: {name}\n"
            f"member: {member_dn},CN=Users,{DOMAIN_DN}\n",
            "ldapadd",
        )
    line = known(joined, "jmember")
    assert line is not None
    fields = line.split(":")
    assert fields[0] == f"jmember@{DNS_DOMAIN}"
    assert fields[5] == f"/home/jmember@{DNS_DOMAIN}"
    groups = words_of(joined, "id", "-Gn", f"jmember@{DNS_DOMAIN}")
    for name in ("domain users", "jinner", "jouter"):
        assert f"{name}@{DNS_DOMAIN}" in groups, "nested membership counts"
    assert f"jmember@{DNS_DOMAIN}" in words_of(joined, "getent", "group", f"jinner@{DNS_DOMAIN}")
    status = words_of(joined, "sssctl", "domain-status", DNS_DOMAIN)
    assert f"AD Global Catalog: dc1.{DNS_DOMAIN}" in status


def test_a_logon_through_pam(joined: Member, user: Client) -> None:
    make_user(user, "jlogon")
    whole = ("authenticate", "acct_mgmt", "open_session", "close_session")
    done = pam(joined, "jlogon", USER_PASSWORD, *whole)
    assert done.returncode == 0, done.stdout + done.stderr
    uid = words_of(joined, "id", "-u", f"jlogon@{DNS_DOMAIN}").strip()
    caches = words_of(joined, "sh", "-c", f"ls /tmp/krb5cc_{uid}_*").split()
    shown = words_of(joined, "klist", caches[0])
    assert f"jlogon@{REALM}" in shown and f"krbtgt/{REALM}@{REALM}" in shown
    words_of(joined, "rm", *caches)
    wrong = pam(joined, "jlogon", "not the password", "authenticate")
    assert wrong.returncode != 0 and "Authentication failure" in wrong.stdout + wrong.stderr
    assert words_of(joined, "su", f"jlogon@{DNS_DOMAIN}", "-s", "/bin/sh", "-c", "id -u").strip() == uid


def test_disabled_users_are_kept_out(joined: Member, user: Client) -> None:
    make_user(user, "joff")
    replace(user, "joff", "userAccountControl", "514")
    refused = pam(joined, "joff", USER_PASSWORD, "authenticate", "acct_mgmt")
    assert refused.returncode != 0, refused.stdout


def test_an_expired_password_is_changed_at_logon(joined: Member, user: Client) -> None:
    make_user(user, "jnew")
    replace(user, "jnew", "pwdLastSet", "0")
    told = pam(joined, "jnew", USER_PASSWORD, "authenticate", "acct_mgmt")
    assert told.returncode != 0 and "Password expired. Change your password now." in told.stdout
    new = "An0ther.Passw0rd!"
    typed = "\n".join((USER_PASSWORD, USER_PASSWORD, new, new))
    changed = pam(joined, "jnew", typed, "authenticate", "chauthtok(PAM_CHANGE_EXPIRED_AUTHTOK)")
    assert changed.returncode == 0, changed.stdout + changed.stderr
    assert pam(joined, "jnew", new, "authenticate", "acct_mgmt").returncode == 0
    user.login("jnew", new)


def test_group_policy_decides_who_logs_on_from_afar(joined: Member, user: Client) -> None:
    """sssd fetches the policy from SYSVOL with the machine's ticket, and holds to it."""
    for name, groups in (("jfar", ["jremote"]), ("jbarred", ["jremote", "jnever"]), ("jnear", [])):
        make_user(user, name)
        for group in groups:
            user.must_change(
                f"dn: CN={group},CN=Users,{DOMAIN_DN}\nchangetype: modify\nadd: member\n"
                f"member: CN={name},CN=Users,{DOMAIN_DN}\n"
            )
        assert pam(joined, name, USER_PASSWORD, "authenticate", "acct_mgmt").returncode == 0, "at the console"
    assert pam(joined, "jfar", USER_PASSWORD, "authenticate", "acct_mgmt", service=REMOTE).returncode == 0
    for name in ("jbarred", "jnear"):
        kept_out = pam(joined, name, USER_PASSWORD, "authenticate", "acct_mgmt", service=REMOTE)
        assert kept_out.returncode != 0 and "Permission denied" in kept_out.stdout + kept_out.stderr


def test_realm_leaves_and_takes_the_account_along(joined: Member, user: Client) -> None:
    words_of(
        joined, "realm", "leave", "-v", "--remove", "-U", "Administrator", DNS_DOMAIN, stdin=PASSWORD + "\n"
    )
    assert computer(user, "WS2") is None
    assert joined.run(["test", "-e", "/etc/krb5.keytab"]).returncode == 1
    assert f"[domain/{DNS_DOMAIN}]" not in joined.read("/etc/sssd/sssd.conf")


# --- realmd and winbind ---


def test_realm_joins_for_winbind(bus: Member, user: Client) -> None:
    """The other software that realmd knows, which Samba's own tools join."""
    bus.write("/etc/nsswitch.conf", "passwd: files winbind\ngroup: files winbind\nhosts: files dns\n")
    make_user(user, "jwind")
    choice = ("--client-software=winbind", "-U", "Administrator", DNS_DOMAIN)
    words_of(bus, "realm", "join", "-v", *choice, stdin=PASSWORD + "\n")
    shown = words_of(bus, "realm", "list")
    assert "client-software: winbind" in shown and "configured: kerberos-member" in shown
    assert computer(user, "WS2") is not None
    assert "Join is OK" in words_of(bus, "net", "ads", "testjoin")
    wait_until("winbindd's first answer", lambda: bus.run(["wbinfo", "-P"]).returncode == 0 or None)
    assert "succeeded" in words_of(bus, "wbinfo", f"--krb5auth={DOMAIN}\\jwind%{USER_PASSWORD}")
    line = words_of(bus, "getent", "passwd", f"{DOMAIN}\\jwind")
    assert line.startswith(f"{DOMAIN}\\jwind:")
    words_of(
        bus, "realm", "leave", "-v", "--remove", "-U", "Administrator", DNS_DOMAIN, stdin=PASSWORD + "\n"
    )
    assert computer(user, "WS2") is None
