"""Debian's samba-tool and ldb-tools work unchanged: each subcommand, and what its user sees."""

import pytest

from tests.kit.clients import Client
from tests.kit.forest_host import DNS_DOMAIN, DOMAIN_DN
from tests.kit.net import Host
from tests.kit.samba_tools import NTLM, SambaTools

YARD = f"OU=yard,{DOMAIN_DN}"
USERS = f"CN=Users,{DOMAIN_DN}"
POLICY = "{31B2F340-016D-11D2-945F-00C04FB984F9}"


@pytest.fixture
def tool(user: Client) -> SambaTools:
    """The administrator at the client machine, with tickets."""
    user.login()
    return SambaTools(user.machine)


@pytest.fixture(scope="module", autouse=True)
def yard(machine: Host) -> None:
    """Where this module's objects live."""
    SambaTools(machine, NTLM).ok("ou", "create", YARD, "--description=of samba-tool")


def test_organizational_units(tool: SambaTools) -> None:
    tool.ok("ou", "create", f"OU=a,{YARD}")
    tool.ok("ou", "add", f"OU=b,{YARD}")
    assert "OU=a,OU=yard" in tool.ok("ou", "list")
    assert f"OU=a,{YARD}" in tool.ok("ou", "list", "--full-dn")
    tool.ok("ou", "rename", f"OU=a,{YARD}", f"OU=c,{YARD}")
    tool.ok("ou", "move", f"OU=c,{YARD}", f"OU=b,{YARD}")
    assert "OU=c,OU=b,OU=yard" in tool.ok("ou", "listobjects", YARD, "--recursive")
    assert "CANT_ON_NON_LEAF" in tool.refused("ou", "delete", f"OU=b,{YARD}")
    tool.ok("ou", "delete", f"OU=b,{YARD}", "--force-subtree-delete")
    assert not [line for line in tool.ok("ou", "list").splitlines() if "OU=b" in line.split(",")]


def test_the_life_of_a_user(tool: SambaTools, user: Client) -> None:
    given = (
        "--given-name=Ann", "--surname=Bee", "--initials=AB", "--userou=OU=yard",
        "--mail-address=ann@b.example",
        "--job-title=clerk", "--department=d", "--company=c", "--description=x", "--telephone-number=1",
        "--internet-address=http://x", "--physical-delivery-office=o", "--script-path=a.bat",
        "--home-drive=H:", r"--home-directory=\\x\y", r"--profile-path=\\x\p",
    )  # fmt: skip
    tool.ok("user", "create", "annt", "Passw0rd.X1", *given)
    assert "ENTRY_EXISTS" in tool.refused("user", "create", "annt", "Passw0rd.X1", *given)
    assert "annt" in tool.ok("user", "list").splitlines()
    assert f"CN=Ann AB. Bee,{YARD}" in tool.ok("user", "list", "--full-dn")
    shown = tool.ok("user", "show", "annt")
    assert "title: clerk" in shown and "userAccountControl: 512" in shown
    assert user.kinit("annt", "Passw0rd.X1").returncode == 0
    user.login()
    tool.ok("user", "disable", "annt")
    assert "userAccountControl: 514" in tool.ok("user", "show", "annt", "--attributes=userAccountControl")
    assert user.kinit("annt", "Passw0rd.X1").returncode != 0
    user.login()
    tool.ok("user", "enable", "annt")
    tool.ok("user", "setexpiry", "annt", "--days=10")
    assert "accountExpires: 1" in tool.ok("user", "show", "annt", "--attributes=accountExpires")
    tool.ok("user", "setexpiry", "annt", "--noexpiry")
    tool.ok("user", "unlock", "annt")
    tool.ok("user", "sensitive", "annt", "on")
    assert "True" in tool.ok("user", "sensitive", "annt", "show")
    tool.ok("user", "sensitive", "annt", "off")
    tool.ok("user", "addunixattrs", "annt", "10005", "--gid-number=10000")
    assert "uidNumber: 10005" in tool.ok("user", "show", "annt")
    tool.ok("user", "rename", "annt", "--surname=Cee", "--display-name=Ann C", "--force-new-cn=annc")
    tool.ok("user", "rename", "annt", "--samaccountname=annc", f"--upn=annc@{DNS_DOMAIN}")
    tool.ok("user", "move", "annc", USERS)
    assert f"dn: CN=annc,{USERS}" in tool.ok("user", "show", "annc")
    tool.ok("user", "delete", "annc")
    assert "annc" not in tool.ok("user", "list").splitlines()
    assert "0000055B" in tool.refused("user", "delete", "Administrator")


def test_passwords_of_users(tool: SambaTools, user: Client) -> None:
    tool.ok("user", "create", "pwt", "Passw0rd.One", "--use-username-as-cn")
    assert "0000052D" in tool.refused("user", "setpassword", "pwt", "--newpassword=x")
    tool.ok("user", "setpassword", "pwt", "--newpassword=Passw0rd.Two")
    assert user.kinit("pwt", "Passw0rd.Two").returncode == 0
    user.login()
    tool.ok("user", "setpassword", "pwt", "--newpassword=Passw0rd.3", "--must-change-at-next-login")
    assert "pwdLastSet: 0" in tool.ok("user", "show", "pwt", "--attributes=pwdLastSet")
    tool.ok("user", "create", "pwr", "--random-password", "--must-change-at-next-login")
    tool.ok("user", "add", "pwc", "--random-password", "--smartcard-required")
    assert "userAccountControl: 262656" in tool.ok("user", "show", "pwc")
    for name in ("pwt", "pwr", "pwc"):
        tool.ok("user", "delete", name)


def test_groups_and_members(tool: SambaTools) -> None:
    tool.ok("user", "create", "gm", "Passw0rd.G", "--use-username-as-cn")
    tool.ok("group", "add", "g1t", "--groupou=OU=yard", "--description=x", "--mail-address=g@x.example")
    tool.ok("group", "create", "g2t", "--group-scope=Universal", "--group-type=Distribution")
    tool.ok("group", "create", "g3t", "--group-scope=Domain", "--nis-domain=addc", "--gid-number=10000")
    assert "00002071" in tool.refused("group", "add", "g2t")
    tool.ok("group", "addmembers", "g1t", "gm,Guest")
    assert "00000562" in tool.refused("group", "addmembers", "g1t", "gm")
    tool.ok("group", "addmembers", "g3t", "g1t")
    tool.ok("group", "addmembers", "g3t", "S-1-5-11")
    tool.ok("group", "addmembers", "g3t", "", f"--member-dn=CN=Guest,{USERS}")
    assert tool.ok("group", "listmembers", "g1t").split() == ["Guest", "gm"]
    assert "CN=S-1-5-11,CN=ForeignSecurityPrincipals" in tool.ok("group", "listmembers", "g3t", "--full-dn")
    assert "g2t" in tool.ok("group", "list") and "g2t" in tool.ok("group", "list", "--verbose")
    assert "groupType: -2147483644" in tool.ok("group", "show", "g3t")
    assert "Total" in tool.ok("group", "stats")
    assert set(tool.ok("user", "getgroups", "gm").split()) == {"Domain", "Users", "g1t"}
    tool.ok("user", "setprimarygroup", "gm", "g1t")
    assert "00000528" in tool.refused("group", "addmembers", "g1t", "gm")
    tool.ok("user", "setprimarygroup", "gm", "Domain Users")
    tool.ok("group", "removemembers", "g1t", "gm")
    tool.ok("group", "addunixattrs", "g1t", "10010")
    tool.ok("group", "rename", "g1t", "--samaccountname=g4t", "--force-new-cn=g4t")
    tool.ok("group", "move", "g4t", USERS)
    assert f"dn: CN=g4t,{USERS}" in tool.ok("group", "show", "g4t")
    assert "0000055B" in tool.refused("group", "delete", "Domain Admins")
    for name in ("g2t", "g3t", "g4t"):
        tool.ok("group", "delete", name)
    tool.ok("user", "delete", "gm")


def test_computers_and_contacts(tool: SambaTools) -> None:
    spn = ("--service-principal-name=HOST/c1t", f"--service-principal-name=HTTP/c1t.{DNS_DOMAIN}")
    tool.ok("computer", "create", "c1t", "--computerou=OU=yard", "--description=c", *spn)
    assert "00000524" in tool.refused("computer", "add", "c1t")
    assert "c1t$" in tool.ok("computer", "list") and YARD in tool.ok("computer", "list", "--full-dn")
    assert f"HTTP/c1t.{DNS_DOMAIN}" in tool.ok("computer", "show", "c1t", "--attributes=servicePrincipalName")
    tool.ok("computer", "move", "c1t", f"CN=Computers,{DOMAIN_DN}")
    tool.ok("computer", "delete", "c1t")
    tool.ok("computer", "create", "c2t", "--prepare-oldjoin")
    tool.ok("computer", "delete", "c2t")
    tool.ok("contact", "create", "--given-name=Ned", "--surname=Kelly", "--ou=OU=yard")
    tool.ok("contact", "add", "ct", "--mail-address=c@t.example", "--telephone-number=3")
    assert "Ned Kelly" in tool.ok("contact", "list")
    assert "mail: c@t.example" in tool.ok("contact", "show", "ct")
    tool.ok("contact", "move", "ct", YARD)
    tool.ok("contact", "rename", "ct", "--force-new-cn=cu", "--surname=Q", "--display-name=Z")
    assert f"CN=cu,{YARD}" in tool.ok("contact", "list", "--full-dn")
    tool.ok("contact", "delete", "cu")
    tool.ok("contact", "delete", "Ned Kelly")


def test_service_names_and_delegation(tool: SambaTools) -> None:
    for name in ("svc", "svd"):
        tool.ok("user", "create", name, "Passw0rd.S", "--use-username-as-cn")
    tool.ok("spn", "add", "HTTP/w.example", "svc")
    assert "HTTP/w.example" in tool.ok("spn", "list", "svc")
    assert "already" in tool.refused("spn", "add", "HTTP/w.example", "svd")
    tool.ok("delegation", "for-any-service", "svc", "on")
    tool.ok("delegation", "for-any-protocol", "svc", "on")
    tool.ok("delegation", "add-service", "svc", "HTTP/z.example")
    shown = tool.ok("delegation", "show", "svc")
    assert "UF_TRUSTED_FOR_DELEGATION: True" in shown and "HTTP/z.example" in shown
    assert "UF_TRUSTED_TO_AUTHENTICATE_FOR_DELEGATION: True" in shown
    tool.ok("delegation", "del-service", "svc", "HTTP/z.example")
    tool.ok("delegation", "for-any-service", "svc", "off")
    tool.ok("delegation", "for-any-protocol", "svc", "off")
    tool.ok("delegation", "add-principal", "svd", "svc")
    assert "CN=svc" in tool.ok("delegation", "show", "svd")
    tool.ok("delegation", "del-principal", "svd", "svc")
    tool.ok("spn", "delete", "HTTP/w.example", "svc")
    for name in ("svc", "svd"):
        tool.ok("user", "delete", name)


def test_sites_and_roles(tool: SambaTools) -> None:
    tool.ok("sites", "create", "Remote")
    tool.ok("sites", "subnet", "create", "10.77.0.0/16", "Remote")
    assert "exists" in tool.refused("sites", "subnet", "create", "10.77.0.0/16", "Remote")
    assert "not a valid subnet" in tool.refused("sites", "subnet", "create", "10.77.1.0/8", "Remote")
    tool.ok("sites", "subnet", "set-site", "10.77.0.0/16", "Default-First-Site-Name")
    tool.ok("sites", "subnet", "remove", "10.77.0.0/16")
    tool.ok("sites", "remove", "Remote")
    assert "still has servers" in tool.refused("sites", "remove", "Default-First-Site-Name")
    roles = tool.ok("fsmo", "show").splitlines()
    assert len(roles) == 7 and all("CN=NTDS Settings,CN=DC1" in line for line in roles)
    assert "already" in tool.ok("fsmo", "transfer", "--role=schema")


def test_password_settings(tool: SambaTools) -> None:
    before = tool.ok("domain", "passwordsettings", "show")
    assert "Minimum password length: 7" in before
    tool.ok("domain", "passwordsettings", "set", "--min-pwd-length=8", "--account-lockout-threshold=7")
    assert "Minimum password length: 8" in tool.ok("domain", "passwordsettings", "show")
    tool.ok("domain", "passwordsettings", "set", "--min-pwd-length=7", "--account-lockout-threshold=0")
    assert tool.ok("domain", "passwordsettings", "show") == before
    tool.ok("user", "create", "psu", "Passw0rd.S", "--use-username-as-cn")
    pso = ("domain", "passwordsettings", "pso")
    tool.ok(
        *pso, "create", "strict", "10", "--min-pwd-length=9", "--complexity=off", "--history-length=3",
        "--min-pwd-age=0", "--max-pwd-age=30", "--account-lockout-duration=10",
        "--account-lockout-threshold=4", "--reset-account-lockout-after=5",
    )  # fmt: skip
    assert "strict" in tool.ok(*pso, "list")
    assert "Minimum password length: 9" in tool.ok(*pso, "show", "strict")
    tool.ok(*pso, "set", "strict", "--min-pwd-length=10")
    tool.ok(*pso, "apply", "strict", "psu")
    assert "strict" in tool.ok(*pso, "show-user", "psu")
    assert "0000052D" in tool.refused("user", "setpassword", "psu", "--newpassword=Short.1x")
    tool.ok(*pso, "unapply", "strict", "psu")
    assert "No PSO applies" in tool.ok(*pso, "show-user", "psu")
    tool.ok(*pso, "delete", "strict")
    tool.ok("user", "delete", "psu")


def test_the_forest_and_its_schema(tool: SambaTools) -> None:
    assert "Domain function level" in tool.ok("domain", "level", "show")
    assert "dsheuristics" in tool.ok("forest", "directory_service", "show")
    tool.ok("forest", "directory_service", "dsheuristics", "0000000")
    assert "attributeID: 1.2.840.113556.1.4.221" in tool.ok("schema", "attribute", "show", "sAMAccountName")
    assert "Security-Principal" in tool.ok("schema", "attribute", "show_oc", "sAMAccountName")
    assert "subClassOf: organizationalPerson" in tool.ok("schema", "objectclass", "show", "user")


def test_descriptors_and_policy_links(tool: SambaTools) -> None:
    assert "O:DAG:DA" in tool.ok("dsacl", "get", f"--objectdn={YARD}")
    tool.ok("dsacl", "set", f"--objectdn={YARD}", "--sddl=(A;CI;GA;;;AU)")
    guest = f"--trusteedn=CN=Guest,{USERS}"
    tool.ok("dsacl", "set", f"--objectdn={YARD}", "--action=deny", guest, "--car=change-rid")
    shown = tool.ok("dsacl", "get", f"--objectdn={YARD}")
    assert ";;;AU)" in shown and "(OD;;CR;d58d5f36-0a98-11d1-adbb-00c04fd8d5cd" in shown
    assert POLICY in tool.ok("gpo", "listall")
    assert POLICY in tool.ok("gpo", "getlink", DOMAIN_DN)
    assert "Default Domain Policy" in tool.ok("gpo", "list", "Administrator")
    tool.ok("gpo", "setlink", YARD, POLICY)
    assert YARD in tool.ok("gpo", "listcontainers", POLICY)
    tool.ok("gpo", "setinheritance", YARD, "block")
    assert "GPO_BLOCK_INHERITANCE" in tool.ok("gpo", "getinheritance", YARD)
    tool.ok("gpo", "dellink", YARD, POLICY)


def test_the_same_by_ntlm(machine: Host) -> None:
    """-U user%password without a domain: the workgroup of an empty smb.conf stands for ours."""
    tool = SambaTools(machine, NTLM)
    tool.ok("user", "create", "byntlm", "Passw0rd.N", "--use-username-as-cn")
    tool.ok("group", "addmembers", "Remote Desktop Users", "byntlm")
    assert "byntlm" in tool.ok("group", "listmembers", "Remote Desktop Users")
    tool.ok("user", "setpassword", "byntlm", "--newpassword=Passw0rd.N2")
    tool.ok("user", "delete", "byntlm")
    wrong = SambaTools(machine, ("-UAdministrator%wrong.Pass1", "--use-kerberos=off"))
    assert "data 52e" in wrong.refused("user", "list")


CONTROLS = {
    "extended_dn:1:1": "<GUID=", "show_deleted:1": "returned", "paged_results:1:10": "returned",
    "server_sort:1:0:cn": "returned", "domain_scope:1": "0 referrals", "search_options:1:2": "0 referrals",
    "dirsync:1:0:1000": "returned", "sd_flags:1:7": "returned", "show_recycled:1": "returned",
    "show_deactivated_link:1": "returned", "tree_delete:0": "returned", "permissive_modify:0": "returned",
}  # fmt: skip
"""Control of ldbsearch -> what stands in its output."""


def test_ldb_tools(tool: SambaTools) -> None:
    dn, moved = f"CN=ldb one,{YARD}", f"CN=ldb two,{YARD}"
    entry = f"dn: {dn}\nobjectClass: user\nsAMAccountName: ldbone\n"
    assert "Added 1 records" in tool.ldb("ldbadd", stdin=entry).stdout
    again = tool.ldb("ldbadd", stdin=entry)
    assert again.returncode != 0 and "LDAP_ENTRY_ALREADY_EXISTS" in again.stderr
    change = f"dn: {dn}\nchangetype: modify\nreplace: description\ndescription: one\n"
    assert "Modified 1 records" in tool.ldb("ldbmodify", stdin=change).stdout
    assert "Renamed 1 record" in tool.ldb("ldbrename", dn, moved).stdout
    assert "description: one" in tool.ldb("ldbsearch", "-b", moved, "-s", "base", "description").stdout
    assert "Deleted 1 record" in tool.ldb("ldbdel", moved).stdout
    for control, expected in CONTROLS.items():
        words = ("-b", DOMAIN_DN, "--controls", control, "(objectClass=group)", "cn", "member")
        found = tool.ldb("ldbsearch", *words)
        assert found.returncode == 0 and expected in found.stdout, f"{control}: {found.stderr}"
    listed = tool.ldb(
        "ldbsearch", "-b", DOMAIN_DN, "--controls", "vlv:1:0:5:1:0", "--controls", "server_sort:1:0:cn",
        "(objectClass=group)", "cn",
    )  # fmt: skip
    assert "6 entries" in listed.stdout and "VLV Info: target position = 1" in listed.stderr
    asked = tool.ldb(
        "ldbsearch", "-b", f"CN=Administrators,CN=Builtin,{DOMAIN_DN}", "-s", "base",
        "--controls", "asq:0:member", "(objectClass=*)", "cn",
    )  # fmt: skip
    assert "cn: Domain Admins" in asked.stdout
