"""Claims and authentication policies as clients meet them: MIT's kinit and kvno, OpenLDAP's ldapsearch."""

import base64
import re
from datetime import datetime, timedelta

import pytest

from addc.codec.ids import Sid
from addc.security import sddl
from tests.journey.test_fast import armor
from tests.journey.test_kerberos import USER_PASSWORD, make_user
from tests.kit.clients import DC, Client, unicode_pwd
from tests.kit.forest_host import DNS_DOMAIN, DOMAIN, DOMAIN_DN, REALM

__all__ = ["armor"]

CONFIG_DN = f"CN=Configuration,{DOMAIN_DN}"
SCHEMA_DN = f"CN=Schema,{CONFIG_DN}"
CLAIM_DN = f"CN=department,CN=Claim Types,CN=Claims Configuration,CN=Services,{CONFIG_DN}"
POLICIES_DN = f"CN=AuthN Policies,CN=AuthN Policy Configuration,CN=Services,{CONFIG_DN}"
SILOS_DN = f"CN=AuthN Silos,CN=AuthN Policy Configuration,CN=Services,{CONFIG_DN}"
VAULT_DN = f"OU=vault,{DOMAIN_DN}"


def descriptor(text: str) -> str:
    """An LDIF value."""
    return base64.b64encode(sddl.parse(text).pack()).decode()


def sid_of(user: Client, name: str) -> Sid:
    (found,) = user.entries(f"(sAMAccountName={name})", "objectSid")
    return Sid.of(found["objectsid"][0].encode("latin-1"))


def add(user: Client, dn: str, *lines: str) -> None:
    user.login()
    user.delete(dn)
    user.must_change("\n".join((f"dn: {dn}", *lines, "")), "ldapadd")


def assign(user: Client, dn: str, attribute: str, value: str) -> None:
    user.must_change(f"dn: {dn}\nchangetype: modify\nreplace: {attribute}\n{attribute}: {value}\n")


def user_dn(name: str) -> str:
    return f"CN={name},CN=Users,{DOMAIN_DN}"


@pytest.fixture
def department(user: Client) -> str:
    """Claim type "department", from the attribute of that name."""
    add(
        user,
        CLAIM_DN,
        "objectClass: msDS-ClaimType",
        "Enabled: TRUE",
        "msDS-ClaimSourceType: AD",
        "msDS-ClaimValueType: 3",
        f"msDS-ClaimAttributeSource: CN=Department,{SCHEMA_DN}",
        f"msDS-ClaimTypeAppliesToClass: CN=User,{SCHEMA_DN}",
    )
    return "department"


def test_a_conditional_entry_decides_by_a_claim(user: Client, department: str) -> None:
    """Who is in Sales reads the vault; who is not does not even see it."""
    make_user(user, "jsales", "department: Sales")
    make_user(user, "jops", "department: Ops")
    user.login()
    user.delete(VAULT_DN)
    rights = "CCDCLCSWRPWPDTLOCRSDRCWDWO"
    vault = descriptor(f'O:BAG:BAD:P(A;;{rights};;;BA)(XA;;LCRPLORC;;;AU;(@USER.{department} == "Sales"))')
    user.must_change(
        f"dn: {VAULT_DN}\nobjectClass: organizationalUnit\ndescription: treasure\n"
        f"nTSecurityDescriptor:: {vault}\n",
        "ldapadd",
    )
    seen = {}
    for name in ("jsales", "jops"):
        user.login(name, USER_PASSWORD)
        found = user.entries("(ou=vault)", "description")
        seen[name] = [one.get("description") for one in found]
    assert seen == {"jsales": [["treasure"]], "jops": []}
    user.login()
    assign(user, user_dn("jops"), "department", "Sales")
    user.login("jops", USER_PASSWORD)
    assert user.entries("(ou=vault)", "description"), "the next logon brings the new claim"


def test_a_user_may_only_come_from_the_machines_of_a_policy(user: Client, armor: str) -> None:
    make_user(user, "jtier0")
    machine = sid_of(user, "FASTWS$")
    policy = f"CN=tier0,{POLICIES_DN}"
    allowed = descriptor(f"O:SYG:SYD:(XA;OICI;CR;;;WD;(Member_of_any {{SID({machine})}}))")
    add(
        user,
        policy,
        "objectClass: msDS-AuthNPolicy",
        "msDS-AuthNPolicyEnforced: TRUE",
        f"msDS-UserAllowedToAuthenticateFrom:: {allowed}",
        "msDS-UserTGTLifetime: 12000000000",
    )
    assign(user, user_dn("jtier0"), "msDS-AssignedAuthNPolicy", policy)
    plain = user.kinit("jtier0", USER_PASSWORD)
    assert plain.returncode == 1 and "KDC policy rejects request" in plain.stderr, plain.stderr
    armored = user.kinit("jtier0", USER_PASSWORD, "-T", armor)
    assert armored.returncode == 0, armored.stderr
    assert lifetime(user) <= timedelta(minutes=20), "msDS-UserTGTLifetime"
    simple = user.machine.run(
        ["ldapwhoami", "-x", "-H", f"ldaps://{DC}", "-D", f"{DOMAIN}\\jtier0", "-w", USER_PASSWORD]
    )
    assert simple.returncode == 49 and "data 52f" in simple.stderr, simple.stderr
    user.login()
    assign(user, policy, "msDS-AuthNPolicyEnforced", "FALSE")
    audited = user.kinit("jtier0", USER_PASSWORD)
    assert audited.returncode == 0, "a policy that only audits refuses nobody"


def lifetime(user: Client) -> timedelta:
    """Of the TGT in the cache."""
    line = next(one for one in user.klist().splitlines() if "krbtgt/" in one)
    start, end = re.findall(r"\d\d/\d\d/\d{2,4} \d\d:\d\d:\d\d", line)[:2]
    form = "%m/%d/%Y %H:%M:%S" if len(start.split()[0]) == 10 else "%m/%d/%y %H:%M:%S"
    return datetime.strptime(end, form) - datetime.strptime(start, form)


def test_a_service_takes_tickets_of_its_silo_alone(user: Client) -> None:
    """msDS-ComputerAllowedToAuthenticateTo asks for the silo's claim."""
    for name in ("jinside", "joutside"):
        make_user(user, name)
    service = f"CN=SILOSRV,CN=Computers,{DOMAIN_DN}"
    add(
        user,
        service,
        "objectClass: computer",
        "sAMAccountName: SILOSRV$",
        "userAccountControl: 4096",
        f"servicePrincipalName: host/silosrv.{DNS_DOMAIN}",
        unicode_pwd(USER_PASSWORD),
    )
    policy, silo = f"CN=silo policy,{POLICIES_DN}", f"CN=vault,{SILOS_DN}"
    only = descriptor('O:SYG:SYD:(XA;OICI;CR;;;WD;(@USER.ad://ext/AuthenticationSilo == "vault"))')
    add(
        user,
        policy,
        "objectClass: msDS-AuthNPolicy",
        f"msDS-ComputerAllowedToAuthenticateTo:: {only}",
    )
    add(
        user,
        silo,
        "objectClass: msDS-AuthNPolicySilo",
        "msDS-AuthNPolicySiloEnforced: TRUE",
        f"msDS-ComputerAuthNPolicy: {policy}",
        f"msDS-AuthNPolicySiloMembers: {service}",
        f"msDS-AuthNPolicySiloMembers: {user_dn('jinside')}",
    )
    for dn in (service, user_dn("jinside")):
        assign(user, dn, "msDS-AssignedAuthNPolicySilo", silo)
    came = {}
    for name in ("jinside", "joutside"):
        user.login(name, USER_PASSWORD)
        done = user.kvno(f"host/silosrv.{DNS_DOMAIN}")
        came[name] = (done.returncode, "KDC policy rejects request" in done.stderr)
    assert came == {"jinside": (0, False), "joutside": (1, True)}
    assert REALM in user.klist()
