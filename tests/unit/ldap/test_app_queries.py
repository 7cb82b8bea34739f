"""What products ask of Active Directory, in the forms they ask it in, and what they must find.

Forms as in the products' public sources or manuals; the names are of this test's little company.
"""

from typing import Final, cast

import pytest

from addc.codec.filter import parse_text
from addc.codes.ldap_result import LdapResult
from addc.ldap import controls as wire
from addc.ldap import messages as m
from tests.kit.corp import replace_values
from tests.kit.corp_forest import CONFIG_DN, DOMAIN_DN
from tests.kit.ldap_desk import Desk, LdapClient

USERS: Final = f"CN=Users,{DOMAIN_DN}"
ANN: Final = f"CN=ann,{USERS}"
SCHEMA_DN: Final = f"CN=Schema,{CONFIG_DN}"
STAFF: Final = f"CN=staff,{USERS}"
EVERYONE: Final = f"CN=everyone,{USERS}"
BIT_AND: Final = "1.2.840.113556.1.4.803"
BIT_OR: Final = "1.2.840.113556.1.4.804"
CHAIN: Final = "1.2.840.113556.1.4.1941"

PEOPLE: Final = f"(&(objectCategory=person)(objectClass=user)(memberOf:{CHAIN}:={EVERYONE})%s)"
QUERIES: Final[dict[str, tuple[str, set[str]]]] = {
    "ADUC, find": ("(&(objectCategory=user)(objectClass=user)(name=an*))", {"ann"}),
    "ADUC, find in all names": ("(&(|(&(objectCategory=person)(objectSid=*)))(anr=ann b))", {"ann"}),
    "Get-ADUser -Identity": ("(&(&(objectCategory=person)(objectClass=user))(sAMAccountName=ann))", {"ann"}),
    "Get-ADUser, enabled": (PEOPLE % f"(!(userAccountControl:{BIT_AND}:=2))", {"ann"}),
    "Get-ADUser, not enabled": (PEOPLE % f"(userAccountControl:{BIT_AND}:=2)", {"bob"}),
    "Search-ADAccount -LockedOut": (PEOPLE % f"(lockoutTime:{BIT_OR}:=4294967295)", set()),
    "Search-ADAccount, never expires": (
        PEOPLE % "(|(accountExpires=0)(accountExpires=9223372036854775807))", {"ann", "bob"}
    ),
    "OpenRSAT, find": (
        "(&(|(name=*an*)(sAMAccountName=*an*)(displayName=*an*))(|(&(objectCategory=user)(objectClass=user))))",
        {"ann"},
    ),
    "ADMC, by DN": (f"(distinguishedName={STAFF})", {"staff"}),
    "ADMC, is a member": (f"(&(distinguishedName={ANN})(memberOf:{CHAIN}:={EVERYONE}))", {"ann"}),
    "ADMC, not set": (PEOPLE % "(!(mail=*))", {"bob"}),
    "Keycloak, a user": (
        "(&(sAMAccountName=ann)(objectclass=person)(objectclass=organizationalPerson)(objectclass=user))",
        {"ann"},
    ),
    "Keycloak, changed since": (
        "(&(|(whenCreated>=20000101000000.0Z)(whenChanged>=20000101000000.0Z))(sAMAccountName=bob))",
        {"bob"},
    ),
    "Keycloak, groups in depth": (f"(&(member:{CHAIN}:={ANN})(objectclass=group))", {"staff", "everyone"}),
    "Jenkins, a user": ("(&(userPrincipalName=ann@corp.example.com)(objectCategory=user))", {"ann"}),
    "Jenkins, a group": ("(&(cn=staff)(objectCategory=group))", {"staff"}),
    "GitLab, a user": ("(&(sAMAccountName=ann)(&(objectClass=user)(memberOf=" + STAFF + ")))", {"ann"}),
    "Nextcloud, logon": (
        "(&(&(|(objectclass=person)))(|(samaccountname=ann)(|(mailPrimaryAddress=ann)(mail=ann))))", {"ann"}
    ),
    "Nextcloud, the primary group too": (
        f"(&(|(objectclass=person))(|(|(memberof={STAFF})(primaryGroupID=77))))", {"ann"}
    ),
    "sssd, a user": ("(&(sAMAccountName=ann)(objectclass=user)(objectSID=*))", {"ann"}),
    "sssd, a group": ("(&(sAMAccountName=staff)(objectClass=group)(sAMAccountName=*))", {"staff"}),
    "winbind, account types": (
        "(&(|(sAMAccountType=805306368)(sAMAccountType=805306369)(sAMAccountType=268435456))(cn=staff))",
        {"staff"},
    ),
    "winbind, security groups": (
        f"(&(objectCategory=group)(groupType:dn:{BIT_AND}:=2147483648)(cn=staff))", {"staff"}
    ),
    "vCenter": ("(&(objectClass=user)(|(userPrincipalName=ann)(sAMAccountName=ann)))", {"ann"}),
    "pfSense": (f"(&(objectCategory=Person)(sAMAccountName=*)(memberOf={STAFF}))", {"ann"}),
    "Jira, people": ("(&(objectCategory=Person)(sAMAccountName=bob))", {"bob"}),
    "Okta, people": (
        "(&(objectCategory=person)(objectClass=user)(!(isCriticalSystemObject=TRUE))(!(sAMAccountName=bob)))",
        {"ann"},
    ),
    "Entra Connect, scoped": ("(&(objectClass=user)(!(adminDescription=User_*))(cn=ann))", {"ann"}),
    "Exchange, recipients": ("(&(mailnickname=*)(|(&(objectCategory=person)(objectClass=user))))", set()),
    "Outlook, address book": ("(&(|(mail=ann@*)(anr=nosuch))(objectClass=user))", {"ann"}),
    "Apache, by name without a case": ("(&(OBJECTCLASS=USER)(SAMACCOUNTNAME=ANN))", {"ann"}),
    "a scanner": ("(&(samAccountType=805306368)(servicePrincipalName=*)(!(cn=krbtgt)))", set()),
    "an OID for a name": ("(1.2.840.113556.1.4.221=ann)", {"ann"}),
}  # fmt: skip
"""Product and purpose -> filter over the domain, and the names that it finds."""

CONFIGURATION: Final[dict[str, tuple[str, str, int]]] = {
    "ADMC, sites": (f"CN=Sites,{CONFIG_DN}", "(objectClass=site)", 1),
    "ADMC, rights": (f"CN=Extended-Rights,{CONFIG_DN}", "(objectClass=controlAccessRight)", 80),
    "OpenRSAT, classes": (SCHEMA_DN, "(objectClass=classSchema)", 260),
    "ADMC, one class": (SCHEMA_DN, "(lDAPDisplayName=user)", 1),
    "ADUC, columns": (f"CN=409,CN=DisplaySpecifiers,{CONFIG_DN}", "(cn=user-Display)", 1),
    "domains": (f"CN=Partitions,{CONFIG_DN}", f"(&(objectClass=crossRef)(systemFlags:{BIT_AND}:=2))", 1),
    "global catalogs": (CONFIG_DN, f"(&(objectCategory=nTDSDSA)(options:{BIT_AND}:=1))", 1),
    "Exchange": (f"CN=Services,{CONFIG_DN}", "(objectClass=msExchOrganizationContainer)", 0),
    "certificates": (f"CN=Services,{CONFIG_DN}", "(objectClass=pKIEnrollmentService)", 0),
}
"""Purpose -> base, filter, and how many at least (none: none)."""


@pytest.fixture
def client(desk: Desk) -> LdapClient:
    """The administrator of a company of two, with a group in a group."""
    corp = desk.corp
    names = {"displayName": "Ann Bee", "givenName": "Ann", "sn": "Bee", "mail": "ann@corp.example.com"}
    corp.user("ann", "Us3r.Passw0rd", userPrincipalName="ann@corp.example.com", **names)
    corp.user("bob", "Us3r.Passw0rd")
    corp.modify("CN=bob,CN=Users", replace_values("userAccountControl", "514"))
    corp.group("staff")
    corp.group("everyone")
    found = desk.connect(tls=True)
    assert found.bind().result_code == 0
    for group, member in ((STAFF, ANN), (EVERYONE, STAFF), (EVERYONE, f"CN=bob,{USERS}")):
        change = m.Change(0, m.PartialAttribute("member", (member.encode(),)))
        assert found.ask(m.ModifyRequest(group, (change,))).result_code == 0
    return found


def find(client: LdapClient, base: str, text: str, *controls: m.Control) -> list[m.SearchResultEntry]:
    """The entries of a subtree search that must succeed."""
    op = m.SearchRequest(base, 2, 0, 0, 0, False, parse_text(text), ("cn", "objectClass"))
    *answers, done = client.send(op, controls=controls)
    assert cast(m.LdapResultFields, done.protocol_op).result_code == LdapResult.SUCCESS
    return [one.protocol_op for one in answers if isinstance(one.protocol_op, m.SearchResultEntry)]


def test_products_find_people_and_groups(client: LdapClient) -> None:
    for purpose, (text, expected) in QUERIES.items():
        names = {
            value.decode()
            for one in find(client, DOMAIN_DN, text)
            for attribute in one.attributes
            if attribute.type == "cn"
            for value in attribute.vals
        }
        assert names == expected, purpose


def test_products_find_their_way_in_the_configuration(client: LdapClient) -> None:
    for purpose, (base, text, low) in CONFIGURATION.items():
        count = len(find(client, base, text))
        assert (count >= low) if low > 1 else (count == low), f"{purpose}: {count}"


def test_policies_that_are_linked_are_found_by_a_part_of_the_link(client: LdapClient) -> None:
    """ADMC and the Group Policy console: gPLink holds the DN somewhere."""
    (policy,) = find(
        client, DOMAIN_DN, "(&(objectClass=groupPolicyContainer)(displayName=Default Domain Policy))"
    )
    (linked,) = find(client, DOMAIN_DN, f"(gPLink=*{policy.object_name}*)")
    assert linked.object_name == DOMAIN_DN


def test_directory_synchronization_reads_the_dead(client: LdapClient) -> None:
    """Crowd and its like: what was deleted since, by uSNChanged and Show Deleted."""
    assert client.ask(m.DelRequest(f"CN=bob,{USERS}")).result_code == 0
    text = "(&(isDeleted=TRUE)(objectClass=user)(uSNChanged>=1))"
    assert find(client, DOMAIN_DN, text) == []
    (gone,) = find(client, DOMAIN_DN, text, m.Control(wire.LDAP_SERVER_SHOW_DELETED_OID, True))
    assert gone.object_name.startswith("CN=bob\\0ADEL:")
