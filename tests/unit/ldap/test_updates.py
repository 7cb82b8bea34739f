"""Originating updates over LDAP: results, messages and controls as clients see them.

[MS-ADTS] 3.1.1.5.2 - 3.1.1.5.4.
"""

from dataclasses import replace

import pytest

from addc.codec.filter import Present
from addc.codes.ldap_result import LdapResult
from addc.ldap import controls as wire
from addc.ldap import messages as m
from addc.security.descriptor import ACCESS_ALLOWED, Ace, Acl, SecurityDescriptor
from addc.security.token import SYSTEM
from tests.kit.corp import replace_values
from tests.kit.corp_forest import CONFIG_DN, DOMAIN_DN
from tests.kit.ldap_desk import Desk, LdapClient

CLERK = "clerk@corp.example.com"
PASSWORD = "Str0ng-Passw0rd!"
USERS = f"CN=Users,{DOMAIN_DN}"
YARD = f"OU=yard,{DOMAIN_DN}"
QUOTAS = f"CN=NTDS Quotas,{DOMAIN_DN}"
REPLACE = 2


def attribute(name: str, *values: str) -> m.PartialAttribute:
    return m.PartialAttribute(name, tuple(value.encode() for value in values))


def add(
    client: LdapClient,
    dn: str,
    object_class: str,
    *more: m.PartialAttribute,
    control: str = "",
    value: bytes = b"",
) -> m.LdapResultFields:
    controls = [m.Control(control, True, value or None)] if control else []
    return client.ask(m.AddRequest(dn, (attribute("objectClass", object_class), *more)), *controls)


def modify(client: LdapClient, dn: str, op: int, name: str, *values: str) -> m.LdapResultFields:
    return client.ask(m.ModifyRequest(dn, (m.Change(op, attribute(name, *values)),)))


@pytest.fixture
def admin(desk: Desk) -> LdapClient:
    client = desk.connect(tls=True)
    assert client.bind().result_code == LdapResult.SUCCESS
    return client


@pytest.fixture
def clerk(desk: Desk) -> LdapClient:
    """Somebody who may do all in one OU, and nothing else."""
    corp = desk.corp
    corp.user("clerk", PASSWORD)
    dnt = corp.add("OU=yard", "organizationalUnit")
    sd = corp.values(dnt, "nTSecurityDescriptor")[0]
    old = SecurityDescriptor.unpack(sd)
    assert old.dacl is not None
    ace = Ace(ACCESS_ALLOWED, 2, 0xF01FF, corp.token("clerk").user)
    new = replace(old, dacl=Acl(4, (ace, *old.dacl.aces)))
    corp.modify("OU=yard", replace_values("nTSecurityDescriptor", new.pack()), requester=SYSTEM)
    client = desk.connect(tls=True)
    assert client.bind(CLERK, PASSWORD).result_code == LdapResult.SUCCESS
    return client


def test_a_quota_is_an_admin_limit_with_its_status(desk: Desk, clerk: LdapClient) -> None:
    """3.1.1.5.2.5: adminLimitExceeded / STATUS_QUOTA_EXCEEDED; bypassing takes DS-Bypass-Quota."""
    desk.corp.modify("CN=NTDS Quotas", replace_values("msDS-DefaultQuota", "1"))
    assert add(clerk, f"CN=one,{YARD}", "container").result_code == LdapResult.SUCCESS
    answer = add(clerk, f"CN=two,{YARD}", "container")
    assert answer.result_code == LdapResult.ADMIN_LIMIT_EXCEEDED
    assert answer.diagnostic_message.startswith("C0000044: SvcErr: DSID-")
    answer = add(clerk, f"CN=two,{YARD}", "container", control=wire.LDAP_SERVER_BYPASS_QUOTA_OID)
    assert answer.result_code == LdapResult.ADMIN_LIMIT_EXCEEDED
    found = clerk.send(
        m.SearchRequest(QUOTAS, 0, 0, 0, 0, False, Present("objectClass"), ("msDS-QuotaUsed",))
    )
    entry = found[0].protocol_op
    assert isinstance(entry, m.SearchResultEntry)
    assert {one.type: one.vals for one in entry.attributes}["msDS-QuotaUsed"] == (b"1",)


def test_an_owner_is_set_by_control(desk: Desk, admin: LdapClient, clerk: LdapClient) -> None:
    """3.1.1.3.4.1.34: the SID in text form inside an OCTET STRING; 6.1.3.5: not for everybody to choose."""
    sid = desk.corp.token("clerk").user
    value = b"\x04" + bytes([len(str(sid))]) + str(sid).encode()
    oid = wire.LDAP_SERVER_SET_OWNER_OID
    assert add(admin, f"CN=hers,{USERS}", "container", control=oid, value=value).result_code == 0
    descriptor = desk.corp.values("CN=hers,CN=Users", "nTSecurityDescriptor")[0]
    assert bytes(sid) in descriptor
    other = str(desk.corp.forest.domain_sid.child(501))
    value = b"\x04" + bytes([len(other)]) + other.encode()
    answer = add(clerk, f"CN=x,{YARD}", "container", control=oid, value=value)
    assert answer.result_code == LdapResult.CONSTRAINT_VIOLATION
    assert answer.diagnostic_message.startswith("0000051B: ")


def test_moves_between_domains_are_told_apart(admin: LdapClient) -> None:
    """3.1.1.5.4.1, 3.1.1.5.4.2: with and without LDAP_SERVER_CROSSDOM_MOVE_TARGET_OID."""
    assert add(admin, f"CN=box,{USERS}", "container").result_code == 0
    target = m.Control(wire.LDAP_SERVER_CROSSDOM_MOVE_TARGET_OID, True, b"dc9.corp.example.com")
    move = m.ModifyDnRequest(f"CN=box,{USERS}", "CN=box", True, CONFIG_DN)
    plain = admin.ask(move)
    assert plain.result_code == LdapResult.UNWILLING_TO_PERFORM
    assert plain.diagnostic_message.startswith("00002077: SvcErr: ")
    crossing = admin.ask(move, target)
    assert crossing.result_code == LdapResult.NO_SUCH_OBJECT
    assert crossing.diagnostic_message.startswith("000020E4: NameErr: ")
    same = admin.ask(m.ModifyDnRequest(f"CN=box,{USERS}", "CN=box", True, DOMAIN_DN), target)
    assert same.result_code == LdapResult.INVALID_DN_SYNTAX


def test_deleteoldrdn_is_true_and_names_are_not_empty(admin: LdapClient) -> None:
    """3.1.1.5.4.1, 3.1.1.3.1.7."""
    assert add(admin, f"CN=box,{USERS}", "container").result_code == 0
    dn = f"CN=box,{USERS}"
    for rdn, old, result in (
        ("CN=new", False, LdapResult.UNWILLING_TO_PERFORM),
        ("", True, LdapResult.PROTOCOL_ERROR),
        ("CN=", True, LdapResult.NAMING_VIOLATION),
        ("OU=new", True, LdapResult.UNWILLING_TO_PERFORM),
        ("CN=a,CN=b", True, LdapResult.NAMING_VIOLATION),
        ("CN=new", True, LdapResult.SUCCESS),
    ):
        assert admin.ask(m.ModifyDnRequest(dn, rdn, old, None)).result_code == result, rdn


def test_an_application_naming_context_is_made_and_listed(admin: LdapClient) -> None:
    """3.1.1.5.2.8: an Add with instanceType 5."""
    app = f"DC=app,{DOMAIN_DN}"
    assert add(admin, app, "domainDNS", attribute("instanceType", "5")).result_code == 0
    root = m.SearchRequest("", 0, 0, 0, 0, False, Present("objectClass"), ("namingContexts",))
    entry = admin.send(root)[0].protocol_op
    assert isinstance(entry, m.SearchResultEntry) and app.encode() in entry.attributes[0].vals
    assert add(admin, f"CN=box,{app}", "container").result_code == 0
    below = m.SearchRequest(app, 1, 0, 0, 0, False, Present("objectClass"), ("1.1",))
    found = [one.protocol_op for one in admin.send(below)]
    names = {one.object_name for one in found if isinstance(one, m.SearchResultEntry)}
    assert f"CN=box,{app}" in names and f"CN=NTDS Quotas,{app}" in names
    again = add(admin, app, "domainDNS", attribute("instanceType", "5"))
    assert again.diagnostic_message.startswith("000020B6: SvcErr: ")


def test_who_may_not_make_partitions_is_refused(clerk: LdapClient) -> None:
    answer = add(clerk, f"DC=app,{DOMAIN_DN}", "domainDNS", attribute("instanceType", "5"))
    assert answer.result_code == LdapResult.INSUFFICIENT_ACCESS_RIGHTS


def test_errors_of_values_carry_attribute_and_code(admin: LdapClient) -> None:
    """3.1.1.3.1.9, 3.1.1.5.3.2."""
    assert add(admin, f"CN=box,{USERS}", "container").result_code == 0
    dn = f"CN=box,{USERS}"
    for name, values, start in (
        ("displayName", ("a", "b"), "00002081: AtrErr: "),
        ("canonicalName", ("x",), "0000211B: AtrErr: "),
        ("systemFlags", ("0",), "000020B1: AtrErr: "),
        ("name", ("x",), "000020B1: "),
        ("groupType", ("2",), "0000207D: UpdErr: "),
        ("adminDescription", ("x" * 1025,), "00002082: AtrErr: "),
    ):
        answer = modify(admin, dn, REPLACE, name, *values)
        assert answer.result_code != LdapResult.SUCCESS
        assert answer.diagnostic_message[:8] == start[:8], (name, answer.diagnostic_message)
    empty = admin.ask(m.ModifyRequest(dn, ()))
    assert empty.result_code == LdapResult.UNWILLING_TO_PERFORM


def test_a_parent_may_be_well_known(admin: LdapClient) -> None:
    """3.1.1.3.1.2.4."""
    parent = f"<WKGUID=a9d1ca15768811d1aded00c04fd8d5cd,{DOMAIN_DN}>"
    assert add(admin, f"CN=box,{parent}", "container").result_code == 0
    answer = modify(admin, f"CN=box,{USERS}", REPLACE, "description", "found")
    assert answer.result_code == 0


def test_names_of_other_forests_are_referred(admin: LdapClient) -> None:
    """3.1.1.5.1: what lies in no naming context here; the URL names the object itself."""
    foreign = "CN=x,DC=elsewhere,DC=example"
    for answer in (
        add(admin, foreign, "contact"),
        add(admin, foreign, "nosuchclass"),
        admin.ask(m.DelRequest(foreign)),
    ):
        assert answer.result_code == LdapResult.REFERRAL
        assert answer.referral == (f"ldap://elsewhere.example/{foreign}",)


def test_a_wrong_old_password_leaves_nothing_of_its_request_but_its_count(
    desk: Desk, admin: LdapClient
) -> None:
    """[MS-SAMR] 3.1.5.14.6, [MS-ADTS] 3.1.1.5.3: a stranger's SID would have brought an object along."""
    dn = f"CN=box,{USERS}"
    password = m.PartialAttribute("unicodePwd", (f'"{PASSWORD}"'.encode("utf-16-le"),))
    more = (attribute("sAMAccountName", "box$"), attribute("userAccountControl", "4096"), password)
    assert add(admin, dn, "computer", *more).result_code == LdapResult.SUCCESS
    stranger = "S-1-5-21-1-2-3-1234"
    wrong, new = (
        m.PartialAttribute("unicodePwd", (f'"{text}"'.encode("utf-16-le"),))
        for text in ("Wr0ng!pass", "N3w!passw0rd")
    )
    group = m.Change(0, attribute("msDS-NeverRevealGroup", f"<SID={stranger}>"))
    changes = (group, m.Change(1, wrong), m.Change(0, new))
    answer = admin.ask(m.ModifyRequest(dn, changes))
    assert answer.result_code == LdapResult.CONSTRAINT_VIOLATION
    assert desk.corp.values(dn, "badPwdCount") == [b"1"]
    place = f"CN={stranger},CN=ForeignSecurityPrincipals,{DOMAIN_DN}"
    assert admin.ask(m.CompareRequest(place, m.AttributeValueAssertion("cn", b"x"))).result_code == (
        LdapResult.NO_SUCH_OBJECT
    )
