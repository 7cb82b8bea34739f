"""OpenLDAP's tools against the directory: binds of every kind, and what each lets one do."""

import pytest

from tests.kit.clients import DC, Client, parse_ldif, unicode_pwd, user_ldif
from tests.kit.forest_host import DNS_DOMAIN, DOMAIN_DN, PASSWORD
from tests.kit.net import Host

CONFIG_DN = f"CN=Configuration,{DOMAIN_DN}"
ADMIN = f"Administrator@{DNS_DOMAIN}"
USER_PASSWORD = "Us3r.Passw0rd!"


@pytest.fixture
def admin(user: Client) -> Client:
    user.login()
    return user


def simple(machine: Host, *words: str, who: str = ADMIN, password: str = PASSWORD) -> list[str]:
    return [
        "ldapsearch",
        "-LLL",
        "-x",
        "-o",
        "ldif-wrap=no",
        "-D",
        who,
        "-w",
        password,
        "-b",
        DOMAIN_DN,
        *words,
    ]


@pytest.mark.parametrize("mech", ["GSSAPI", "GSS-SPNEGO"])
def test_kerberos_binds_are_sealed(admin: Client, mech: str) -> None:
    done = admin.machine.run(["ldapsearch", "-LLL", "-Y", mech, "-b", DOMAIN_DN, "-s", "base", "objectSid"])
    assert done.returncode == 0, done.stderr
    assert "SASL SSF: 256" in done.stderr
    assert "objectSid::" in done.stdout
    who = admin.machine.run(["ldapwhoami", "-Q", "-Y", mech], check=True)
    assert who.stdout.strip() == "u:ADDC\\Administrator"


@pytest.mark.parametrize("url", [f"ldap://{DC}", f"ldaps://{DC}"])
@pytest.mark.parametrize(
    "who", [ADMIN, "ADDC\\Administrator", f"CN=Administrator,CN=Users,{DOMAIN_DN}", "Administrator"]
)
def test_simple_binds_over_tls(machine: Host, url: str, who: str) -> None:
    tls = ["-ZZ"] if url.startswith("ldap:") else []
    words = simple(machine, "-s", "base", "dc", who=who)
    done = machine.run([*words[:1], "-H", url, *tls, *words[1:]])
    if who == "Administrator":  # no form of a bind name: neither DN, UPN nor DOMAIN\name
        assert done.returncode == 49
        return
    assert done.returncode == 0, done.stderr
    assert "dc: addc" in done.stdout


def test_wrong_password_tells_52e(machine: Host) -> None:
    done = machine.run([*simple(machine, password="wrong"), "-ZZ", "-H", f"ldap://{DC}"])
    assert done.returncode == 49
    assert "80090308" in done.stderr and "data 52e" in done.stderr


def test_simple_bind_in_clear_is_refused(machine: Host) -> None:
    done = machine.run([*simple(machine), "-H", f"ldap://{DC}"])
    assert done.returncode == 8
    assert "00002028" in done.stderr


def test_anonymous_reads_the_root_dse_and_nothing_else(machine: Host) -> None:
    done = machine.run(["ldapsearch", "-LLL", "-x", "-H", f"ldap://{DC}", "-b", "", "-s", "base"], check=True)
    root = parse_ldif("dn: \n" + done.stdout.replace("dn:\n", ""))[0]
    assert root["defaultnamingcontext"] == [DOMAIN_DN]
    assert root["dnshostname"] == [DC]
    assert set(root["supportedsaslmechanisms"]) >= {"GSSAPI", "GSS-SPNEGO"}
    assert len(root["namingcontexts"]) == 5
    for words in (["-b", DOMAIN_DN], ["-b", CONFIG_DN, "-s", "base"], ["-b", f"CN=Schema,{CONFIG_DN}"]):
        refused = machine.run(["ldapsearch", "-LLL", "-x", "-H", f"ldap://{DC}", *words])
        assert refused.returncode == 1, refused.stdout
        assert "000004DC" in refused.stderr


def test_add_user_log_on_at_once_and_be_a_member(admin: Client) -> None:
    admin.must_change(f"dn: OU=Staff,{DOMAIN_DN}\nobjectClass: organizationalUnit\n", "ldapadd")
    parent = f"OU=Staff,{DOMAIN_DN}"
    admin.must_change(user_ldif("lalice", USER_PASSWORD, "givenName: Alice", parent=parent), "ldapadd")
    admin.must_change(f"dn: CN=lteam,{parent}\nobjectClass: group\nsAMAccountName: lteam\n", "ldapadd")
    admin.must_change(f"dn: CN=lteam,{parent}\nchangetype: modify\nadd: member\nmember: CN=lalice,{parent}\n")
    alice = admin.entries("(sAMAccountName=lalice)", "memberOf", "objectSid", "primaryGroupID", "uSNChanged")[
        0
    ]
    assert alice["memberof"] == [f"CN=lteam,{parent}"]
    assert alice["primarygroupid"] == ["513"]
    admin.login("lalice", USER_PASSWORD)


def test_add_computer_and_user_without_password(admin: Client) -> None:
    admin.must_change(
        f"dn: CN=LWS1,CN=Computers,{DOMAIN_DN}\nobjectClass: computer\nsAMAccountName: LWS1$\n"
        "userAccountControl: 4096\n",
        "ldapadd",
    )
    admin.must_change(user_ldif("lnopassword"), "ldapadd")
    found = admin.entries("(sAMAccountName=lnopassword)", "userAccountControl")[0]
    assert int(found["useraccountcontrol"][0]) & 2


def test_password_over_a_clear_connection_is_refused(admin: Client) -> None:
    admin.must_change(user_ldif("lclear", USER_PASSWORD), "ldapadd")
    ldif = (
        f"dn: CN=lclear,CN=Users,{DOMAIN_DN}\nchangetype: modify\nreplace: unicodePwd\n"
        f"{unicode_pwd('Other.Passw0rd1')}\n"
    )
    done = admin.change(ldif, "ldapmodify", "-O", "maxssf=1")
    assert done.returncode in (8, 53), done.stderr
    tls = admin.machine.run(
        ["ldapmodify", "-x", "-ZZ", "-H", f"ldap://{DC}", "-D", ADMIN, "-w", PASSWORD], stdin=ldif
    )
    assert tls.returncode == 0, tls.stderr


def test_move_of_a_subtree_and_delete(admin: Client) -> None:
    for name in ("LFrom", "LTo"):
        admin.must_change(f"dn: OU={name},{DOMAIN_DN}\nobjectClass: organizationalUnit\n", "ldapadd")
    admin.must_change(f"dn: OU=Inner,OU=LFrom,{DOMAIN_DN}\nobjectClass: organizationalUnit\n", "ldapadd")
    admin.must_change(user_ldif("lmoved", None, parent=f"OU=Inner,OU=LFrom,{DOMAIN_DN}"), "ldapadd")
    moved = admin.machine.run(
        ["ldapmodrdn", "-Q", "-Y", "GSSAPI", "-r", "-s", f"OU=LTo,{DOMAIN_DN}",
         f"OU=Inner,OU=LFrom,{DOMAIN_DN}", "OU=Outer"]
    )  # fmt: skip
    assert moved.returncode == 0, moved.stderr
    found = admin.entries("(sAMAccountName=lmoved)", "dn")
    assert found[0]["dn"] == [f"CN=lmoved,OU=Outer,OU=LTo,{DOMAIN_DN}"]
    not_leaf = admin.delete(f"OU=Outer,OU=LTo,{DOMAIN_DN}")
    assert not_leaf.returncode == 66, not_leaf.stderr
    assert admin.delete(f"CN=lmoved,OU=Outer,OU=LTo,{DOMAIN_DN}").returncode == 0
    assert admin.entries("(sAMAccountName=lmoved)", "dn") == []
    deleted = admin.entries(
        "-E", "!1.2.840.113556.1.4.417", "(&(isDeleted=TRUE)(sAMAccountName=lmoved))", "lastKnownParent",
        base=f"CN=Deleted Objects,{DOMAIN_DN}",
    )  # fmt: skip
    assert deleted[0]["lastknownparent"] == [f"OU=Outer,OU=LTo,{DOMAIN_DN}"]


def test_a_plain_user_may_not_what_an_administrator_may(admin: Client) -> None:
    admin.must_change(user_ldif("lplain", USER_PASSWORD), "ldapadd")
    admin.must_change(user_ldif("lvictim", USER_PASSWORD), "ldapadd")
    victim = f"CN=lvictim,CN=Users,{DOMAIN_DN}"
    admin.login("lplain", USER_PASSWORD)
    insufficient = 50
    add = admin.change(user_ldif("lintruder"), "ldapadd")
    assert add.returncode == insufficient, add.stderr
    modify = admin.change(f"dn: {victim}\nchangetype: modify\nreplace: description\ndescription: mine\n")
    assert modify.returncode == insufficient, modify.stderr
    member = admin.change(
        f"dn: CN=Domain Admins,CN=Users,{DOMAIN_DN}\nchangetype: modify\nadd: member\n"
        f"member: CN=lplain,CN=Users,{DOMAIN_DN}\n"
    )
    assert member.returncode == insufficient, member.stderr
    password = admin.change(
        f"dn: {victim}\nchangetype: modify\nreplace: unicodePwd\n{unicode_pwd('Other.Passw0rd1')}\n"
    )
    assert password.returncode == insufficient, password.stderr
    renamed = admin.machine.run(["ldapmodrdn", "-Q", "-Y", "GSSAPI", "-r", victim, "CN=other"])
    assert renamed.returncode == insufficient, renamed.stderr
    assert admin.delete(victim).returncode == insufficient
    own = admin.change(
        f"dn: CN=lplain,CN=Users,{DOMAIN_DN}\nchangetype: modify\nreplace: homePhone\nhomePhone: 1\n"
    )
    assert own.returncode == 0, own.stderr


def test_a_confidential_attribute_is_hidden_from_a_plain_user(admin: Client) -> None:
    recovery = f"CN=lrecovery,CN=LWS2,CN=Computers,{DOMAIN_DN}"
    admin.must_change(
        f"dn: CN=LWS2,CN=Computers,{DOMAIN_DN}\nobjectClass: computer\nsAMAccountName: LWS2$\n", "ldapadd"
    )
    admin.must_change(
        f"dn: {recovery}\nobjectClass: msFVE-RecoveryInformation\nmsFVE-RecoveryPassword: 123456\n"
        "msFVE-RecoveryGuid:: AAAAAAAAAAAAAAAAAAAAAA==\n",
        "ldapadd",
    )
    words = ("-s", "base", "(objectClass=*)", "msFVE-RecoveryPassword")
    assert "msfve-recoverypassword" in admin.entries(*words, base=recovery)[0]
    admin.must_change(user_ldif("lcurious", USER_PASSWORD), "ldapadd")
    admin.login("lcurious", USER_PASSWORD)
    for entry in admin.entries(*words, base=recovery):
        assert "msfve-recoverypassword" not in entry
    assert admin.entries("(msFVE-RecoveryPassword=123456)", "dn") == []


def test_controls(admin: Client) -> None:
    paged = admin.entries("-E", "pr=50/noprompt", "-s", "sub", "(objectClass=*)", "dn", base=CONFIG_DN)
    assert len(paged) > 350
    (extended,) = admin.entries("-E", "1.2.840.113556.1.4.529", "-s", "base", "dn")
    assert extended["dn"][0].startswith("<GUID=") and ";<SID=" in extended["dn"][0]
    ordered = admin.entries("-E", "sss=sAMAccountName", "(objectClass=group)", "sAMAccountName")
    names = [e["samaccountname"][0].lower() for e in ordered if "samaccountname" in e]
    assert names == sorted(names) and len(names) > 20
    critical = admin.search("-E", "!1.2.3.4.5.6", "-s", "base", "dn")
    assert critical.returncode == 12, critical.stderr


def test_compare_and_subschema(admin: Client) -> None:
    administrator = f"CN=Administrator,CN=Users,{DOMAIN_DN}"
    yes = admin.machine.run(
        ["ldapcompare", "-Q", "-Y", "GSSAPI", administrator, "sAMAccountName:administrator"]
    )
    no = admin.machine.run(["ldapcompare", "-Q", "-Y", "GSSAPI", administrator, "sAMAccountName:guest"])
    assert (yes.returncode, no.returncode) == (6, 5)
    schema = admin.entries(
        "-s",
        "base",
        "(objectClass=subSchema)",
        "attributeTypes",
        "objectClasses",
        base=f"CN=Aggregate,CN=Schema,{CONFIG_DN}",
    )[0]
    assert len(schema["attributetypes"]) >= 1498
    assert len(schema["objectclasses"]) >= 269


def test_global_catalogue_ports(admin: Client) -> None:
    done = admin.machine.run(
        ["ldapsearch", "-LLL", "-Q", "-Y", "GSSAPI", "-H", f"ldap://{DC}:3268", "-b", "", "-s", "sub",
         "(sAMAccountName=Administrator)", "dn", "pwdLastSet", "sAMAccountName"]
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "sAMAccountName: Administrator" in done.stdout
    assert "pwdLastSet" not in done.stdout
    done = admin.machine.run([*simple(admin.machine, "-s", "base", "dc"), "-H", f"ldaps://{DC}:3269"])
    assert done.returncode == 0, done.stderr


def test_five_thousand_users_read_back_through_pages(admin: Client) -> None:
    admin.must_change(f"dn: OU=Many,{DOMAIN_DN}\nobjectClass: organizationalUnit\n", "ldapadd")
    parent = f"OU=Many,{DOMAIN_DN}"
    ldif = "\n".join(
        f"dn: CN=m{n:05},{parent}\nobjectClass: user\nsAMAccountName: m{n:05}\n" for n in range(5000)
    )
    done = admin.machine.run(["ldapadd", "-Q", "-Y", "GSSAPI"], stdin=ldif, timeout_s=300)
    assert done.returncode == 0, done.stderr[-500:]
    found = admin.entries("-E", "pr=1000/noprompt", "(objectClass=user)", "sAMAccountName", base=parent)
    assert {entry["samaccountname"][0] for entry in found} == {f"m{n:05}" for n in range(5000)}
    unpaged = admin.search("(objectClass=user)", "dn", base=parent)
    assert unpaged.returncode == 4, unpaged.stderr
    # Other journeys want a domain of common size.
    gone = admin.delete("-e", "!1.2.840.113556.1.4.805", parent)
    assert gone.returncode == 0, gone.stderr
    assert admin.search("(objectClass=*)", "dn", base=parent).returncode == 32
