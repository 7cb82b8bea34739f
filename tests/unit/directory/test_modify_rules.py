"""Modify: rules of single attributes and of objectClass, each with the result that Windows gives."""

from functools import partial
from uuid import UUID

import pytest

from addc.base.ids import Dnt
from addc.codes.ldap_result import LdapResult
from addc.codes.win32 import Win32
from addc.directory import behavior_versions, write_values
from addc.directory.add import add_object
from addc.directory.context import WriteContext
from addc.directory.controls import RequestOptions
from addc.directory.delete import delete_object
from addc.directory.names import mangled
from addc.security.token import SYSTEM
from tests.kit.corp import SEALED, Corp, add_values, delete_values, replace_values
from tests.kit.corp_forest import CONFIG_DN, DOMAIN_DN
from tests.kit.refusals import refusal

BOX = "CN=box,CN=Users"
PERSON = "CN=someone,CN=Users"
PARTITIONS = f"CN=Partitions,{CONFIG_DN}"
PERMISSIVE = RequestOptions(confidential=True, permissive_modify=True)
EXISTS = LdapResult.ATTRIBUTE_OR_VALUE_EXISTS
VIOLATION = LdapResult.CONSTRAINT_VIOLATION
UNWILLING = LdapResult.UNWILLING_TO_PERFORM
CLASS_VIOLATION = LdapResult.OBJECT_CLASS_VIOLATION
MISSING = LdapResult.NO_SUCH_ATTRIBUTE


@pytest.fixture
def box(corp_sqlite: Corp) -> Dnt:
    return corp_sqlite.add(BOX, "container")


@pytest.fixture
def person(corp_sqlite: Corp) -> Dnt:
    return corp_sqlite.add(PERSON, "person")


def test_a_request_without_changes_is_refused_whatever_it_names(corp_sqlite: Corp) -> None:
    assert refusal(lambda: corp_sqlite.modify("CN=nobody,CN=Users")) == (
        UNWILLING,
        Win32.ERROR_INVALID_PARAMETER,
    )


def test_a_second_value_is_told_by_the_kind_of_attribute(corp_sqlite: Corp) -> None:
    """3.1.1.5.1.1, 3.1.1.5.3.2: one value of an ordinary attribute, one of a link."""
    users = [f"CN={name},CN=Users,{DOMAIN_DN}" for name in ("Guest", "krbtgt")]
    code = Win32.ERROR_DS_SINGLE_VALUE_CONSTRAINT
    corp_sqlite.add("OU=box", "organizationalUnit")
    for make in (add_values, replace_values):
        two, links = make("displayName", "a", "b"), make("managedBy", *users)
        assert refusal(partial(corp_sqlite.modify, "OU=box", two)) == (EXISTS, code)
        assert refusal(partial(corp_sqlite.modify, "OU=box", links)) == (VIOLATION, code)
    corp_sqlite.modify("OU=box", replace_values("managedBy", users[0]))
    assert refusal(lambda: corp_sqlite.modify("OU=box", add_values("managedBy", users[1]))) == (EXISTS, code)


def test_values_may_be_many_and_not_endless(corp_sqlite: Corp, box: Dnt) -> None:
    values = [str(number) for number in range(write_values.VALUES_MAX)]
    corp_sqlite.modify(BOX, replace_values("url", *values))
    refused = refusal(lambda: corp_sqlite.modify(BOX, add_values("url", "one more")))
    assert refused == (LdapResult.ADMIN_LIMIT_EXCEEDED, Win32.ERROR_DS_MAX_OBJ_SIZE_EXCEEDED)
    refused = refusal(lambda: corp_sqlite.modify(BOX, replace_values("url", *values, "one more")))
    assert refused[0] is LdapResult.ADMIN_LIMIT_EXCEEDED


@pytest.mark.parametrize(
    ("name", "value", "result", "code"),
    [
        ("canonicalName", "x", VIOLATION, Win32.ERROR_DS_CONSTRUCTED_ATT_MOD),
        ("memberOf", f"CN=Guests,CN=Builtin,{DOMAIN_DN}", VIOLATION, Win32.ERROR_DS_CANT_MOD_SYSTEM_ONLY),
        ("instanceType", "4", VIOLATION, Win32.ERROR_DS_CANT_MOD_SYSTEM_ONLY),
        ("systemFlags", "0", VIOLATION, Win32.ERROR_DS_CANT_MOD_SYSTEM_ONLY),
        ("objectGUID", "x" * 16, VIOLATION, Win32.ERROR_DS_CANT_MOD_SYSTEM_ONLY),
        ("whenCreated", "20250101000000.0Z", VIOLATION, Win32.ERROR_DS_CANT_MOD_SYSTEM_ONLY),
        ("name", "x", LdapResult.NOT_ALLOWED_ON_RDN, Win32.ERROR_DS_CANT_MOD_SYSTEM_ONLY),
        ("cn", "x", LdapResult.NOT_ALLOWED_ON_RDN, Win32.ERROR_DS_CANT_MOD_SYSTEM_ONLY),
        ("nTMixedDomain", "1", UNWILLING, Win32.ERROR_DS_ILLEGAL_MOD_OPERATION),
        ("noSuchThing", "x", MISSING, Win32.ERROR_INVALID_PARAMETER),
        ("sAMAccountName", "x", UNWILLING, Win32.ERROR_DS_ILLEGAL_MOD_OPERATION),
        ("objectSid", "x", UNWILLING, Win32.ERROR_DS_ILLEGAL_MOD_OPERATION),
        ("groupType", "2", CLASS_VIOLATION, Win32.ERROR_DS_ATT_NOT_DEF_FOR_CLASS),
        ("showInAdvancedViewOnly", "yes", LdapResult.INVALID_ATTRIBUTE_SYNTAX, None),
        ("adminDescription", "x" * 1025, VIOLATION, Win32.ERROR_DS_RANGE_CONSTRAINT),
    ],
)
def test_attributes_are_refused_by_their_pairs(
    corp_sqlite: Corp, box: Dnt, name: str, value: str, result: LdapResult, code: Win32 | None
) -> None:
    """3.1.1.5.3.2."""
    dn = BOX if name != "nTMixedDomain" else f"CN=CORP,{PARTITIONS}"
    found = refusal(lambda: corp_sqlite.modify(dn, replace_values(name, value)))
    if code is None:
        assert found[0] in (None, result) and found[1] is Win32.ERROR_DS_INVALID_ATTRIBUTE_SYNTAX
    else:
        assert found == (result, code)


def test_the_own_name_is_only_ever_replaced(corp_sqlite: Corp, box: Dnt) -> None:
    """3.1.1.5.3.2 (distinguishedName), with Windows' result for adding and deleting."""
    for make in (add_values, delete_values):
        refused = refusal(partial(corp_sqlite.modify, BOX, make("distinguishedName", DOMAIN_DN)))
        assert refused == (UNWILLING, Win32.ERROR_DS_ILLEGAL_MOD_OPERATION)
    refused = refusal(lambda: corp_sqlite.modify(BOX, replace_values("distinguishedName", DOMAIN_DN)))
    assert refused == (VIOLATION, Win32.ERROR_DS_CANT_MOD_SYSTEM_ONLY)


# --- objectClass ---


def test_a_class_is_added_once(corp_sqlite: Corp, person: Dnt) -> None:
    """3.1.1.5.3.5, 3.1.1.5.3.2: duplicates, and their forgiveness."""
    change = add_values("objectClass", "person")
    assert refusal(lambda: corp_sqlite.modify(PERSON, change)) == (
        EXISTS,
        Win32.ERROR_DS_ATT_VAL_ALREADY_EXISTS,
    )
    corp_sqlite.modify(PERSON, change, options=PERMISSIVE)
    change = delete_values("objectClass", "computer")
    assert refusal(lambda: corp_sqlite.modify(PERSON, change)) == (
        MISSING,
        Win32.ERROR_DS_CANT_REM_MISSING_ATT_VAL,
    )
    corp_sqlite.modify(PERSON, change, options=PERMISSIVE)


def test_missing_superclasses_come_back(corp_sqlite: Corp, person: Dnt) -> None:
    """3.1.1.5.3.5: the server fills the holes."""
    corp_sqlite.modify(PERSON, delete_values("objectClass", "top"))
    corp_sqlite.modify(PERSON, replace_values("objectClass", "person", "bootableDevice"))
    assert corp_sqlite.values(person, "objectClass") == [b"top", b"bootableDevice", b"person"]


@pytest.mark.parametrize("names", [(), ("top", "computer"), ("top", "person", "leaf"), ("top",)])
def test_the_structural_class_stays(corp_sqlite: Corp, person: Dnt, names: tuple[str, ...]) -> None:
    """3.1.1.5.3.5."""
    assert refusal(lambda: corp_sqlite.modify(PERSON, replace_values("objectClass", *names)))[0] is (
        CLASS_VIOLATION
    )


def test_all_classes_cannot_go(corp_sqlite: Corp, person: Dnt) -> None:
    refused = refusal(lambda: corp_sqlite.modify(PERSON, delete_values("objectClass")))
    assert refused == (CLASS_VIOLATION, Win32.ERROR_DS_OBJECT_CLASS_REQUIRED)
    refused = refusal(lambda: corp_sqlite.modify(PERSON, add_values("objectClass")))
    assert refused == (VIOLATION, Win32.ERROR_INVALID_PARAMETER)
    refused = refusal(lambda: corp_sqlite.modify(PERSON, add_values("objectClass", "noClass")))
    assert refused == (MISSING, Win32.ERROR_INVALID_PARAMETER)


def test_an_auxiliary_class_stays_while_its_attributes_are_there(corp_sqlite: Corp, person: Dnt) -> None:
    """3.1.1.5.3.5, 3.1.1.5.1.1."""
    corp_sqlite.modify(PERSON, add_values("objectClass", "bootableDevice"))
    corp_sqlite.modify(PERSON, add_values("bootParameter", "x"))
    change = delete_values("objectClass", "bootableDevice")
    assert refusal(lambda: corp_sqlite.modify(PERSON, change)) == (
        CLASS_VIOLATION,
        Win32.ERROR_DS_ATT_NOT_DEF_FOR_CLASS,
    )
    corp_sqlite.modify(PERSON, delete_values("bootParameter"), change)
    assert corp_sqlite.values(person, "objectClass") == [b"top", b"person"]


def test_an_auxiliary_class_comes_with_what_it_must_have(corp_sqlite: Corp, person: Dnt) -> None:
    """3.1.1.5.3.2: not one that must have a system-only attribute; others with their attributes."""
    refused = refusal(lambda: corp_sqlite.modify(PERSON, add_values("objectClass", "securityPrincipal")))
    assert refused == (VIOLATION, Win32.ERROR_DS_CANT_MOD_SYSTEM_ONLY)
    corp_sqlite.modify(PERSON, add_values("objectClass", "posixAccount"))


def test_users_become_inet_org_persons_and_back(corp_sqlite: Corp) -> None:
    """3.1.1.5.3.5."""
    dnt = corp_sqlite.user("ann")
    corp_sqlite.modify("CN=ann,CN=Users", add_values("objectClass", "inetOrgPerson"))
    assert corp_sqlite.values(dnt, "objectClass")[-1] == b"inetOrgPerson"
    corp_sqlite.modify("CN=ann,CN=Users", delete_values("objectClass", "inetOrgPerson"))
    assert corp_sqlite.values(dnt, "objectClass")[-1] == b"user"


# --- levels and roles ---


def test_levels_of_domain_and_forest_rise_with_their_dcs(corp_sqlite: Corp) -> None:
    """3.1.1.5.3.4."""
    corp = corp_sqlite
    assert refusal(lambda: corp.modify("", replace_values("msDS-Behavior-Version", "99"))) == (
        UNWILLING,
        Win32.ERROR_DS_LOW_DSA_VERSION,
    )
    assert refusal(lambda: corp.modify("", replace_values("msDS-Behavior-Version", "6"))) == (
        UNWILLING,
        Win32.ERROR_DS_ILLEGAL_MOD_OPERATION,
    )
    assert refusal(lambda: corp.modify(PARTITIONS, replace_values("msDS-Behavior-Version", "2"))) == (
        UNWILLING,
        Win32.ERROR_DS_HIGH_DSA_VERSION,
    )
    corp.modify(PARTITIONS, replace_values("msDS-Behavior-Version", "5"))
    corp.modify("", replace_values("msDS-Behavior-Version", "6"))
    assert corp.text("", "msDS-Behavior-Version") == "6"
    dsa = f"CN=NTDS Settings,CN=DC1,CN=Servers,CN=Default-First-Site-Name,CN=Sites,{CONFIG_DN}"
    corp.modify(dsa, replace_values("msDS-Behavior-Version", "6"), requester=SYSTEM)
    for dn in ("", PARTITIONS):
        refused = refusal(partial(corp.modify, dn, replace_values("msDS-Behavior-Version", "7")))
        assert refused == (UNWILLING, Win32.ERROR_DS_LOW_DSA_VERSION)
    assert behavior_versions.DS_BEHAVIOR_WIN2008 == 3
    refused = refusal(lambda: corp.modify("CN=Users", replace_values("msDS-Behavior-Version", "7")))
    assert refused == (UNWILLING, Win32.ERROR_DS_ILLEGAL_MOD_OPERATION)


def test_what_belongs_to_a_role_is_written_by_its_holder(corp_sqlite: Corp) -> None:
    """3.1.1.5.1.8: others refer to the holder; taking the role itself is free."""
    corp = corp_sqlite
    servers = f"CN=Servers,CN=Default-First-Site-Name,CN=Sites,{CONFIG_DN}"
    corp.add(f"CN=DC2,{servers}", "server", values={"dNSHostName": "dc2.corp.example.com"})
    other = f"CN=NTDS Settings,CN=DC2,{servers}"
    corp.write(lambda ctx: _add_dsa(ctx, other))
    for dn in (PARTITIONS, "", "CN=RID Manager$,CN=System"):
        corp.modify(dn, replace_values("fSMORoleOwner", other), requester=SYSTEM)
    change = replace_values("description", "x")
    for dn in (PARTITIONS, f"CN=CORP,{PARTITIONS}", "CN=RID Manager$,CN=System"):
        refused = refusal(partial(corp.modify, dn, change))
        assert refused[1] is Win32.ERROR_DS_REFERRAL
    corp.modify("", change)
    refused = refusal(lambda: corp.modify("", replace_values("msDS-Behavior-Version", "8")))
    assert refused[1] is Win32.ERROR_DS_REFERRAL
    named = {"nCName": "DC=x,DC=test", "dnsRoot": "x.test"}
    refused = refusal(lambda: corp.add(f"CN=x,{PARTITIONS}", "crossRef", values=named))
    assert refused[1] is Win32.ERROR_DS_REFERRAL
    domain = f"CN=CORP,{PARTITIONS}"
    refused = refusal(lambda: corp.write(lambda ctx: delete_object(ctx, domain), corp.admin))
    assert refused[1] is Win32.ERROR_DS_REFERRAL
    mine = f"CN=NTDS Settings,CN=DC1,{servers}"
    corp.modify(PARTITIONS, replace_values("fSMORoleOwner", mine))
    corp.modify(PARTITIONS, change)


def _add_dsa(ctx: WriteContext, dn: str) -> Dnt:
    return add_object(ctx, dn, [("objectClass", [b"nTDSDSA"]), ("msDS-Behavior-Version", [b"7"])])


def test_an_update_script_comes_in_secret(corp_sqlite: Corp) -> None:
    """3.1.1.5.3.2 (msDS-UpdateScript), 3.1.1.5.3.3."""
    change = replace_values("msDS-UpdateScript", "<script/>")
    clear = RequestOptions()
    assert refusal(lambda: corp_sqlite.modify(PARTITIONS, change, options=clear)) == (
        UNWILLING,
        Win32.ERROR_DS_CONFIDENTIALITY_REQUIRED,
    )
    corp_sqlite.modify(PARTITIONS, change, options=SEALED)


def test_a_mangled_name_fits_and_tells_its_object() -> None:
    """3.1.1.5.5, [MS-DRSR] 4.1.10.6.9."""
    guid = UUID("00112233-4455-6677-8899-aabbccddeeff")
    assert mangled("box", "CNF", guid) == f"box\nCNF:{guid}"
    assert len(mangled("x" * 255, "DEL", guid)) == 255
