"""Attributes and classes taken out of force, and back. [MS-ADTS] 3.1.1.2.5.3, 3.1.1.4.8."""

import pytest

from addc.codes.ldap_result import LdapResult
from addc.codes.win32 import Win32
from tests.kit.corp_forest import DOMAIN_DN
from tests.kit.ldap_desk import Desk
from tests.kit.schema_desk import OID_BASE, SCHEMA_DN, SchemaDesk, refused, succeeded

UNWILLING = LdapResult.UNWILLING_TO_PERFORM
ADD, DELETE, REPLACE = 0, 1, 2
THING = f"CN=thing,CN=Users,{DOMAIN_DN}"


@pytest.fixture
def schema(desk: Desk) -> SchemaDesk:
    """With an attribute, a class that may have it, and an instance."""
    found = SchemaDesk.open(desk)
    succeeded(found.attribute("test-Colour", 1))
    succeeded(found.attribute("test-Free", 2))
    succeeded(found.class_("test-Thing", 1, mayContain="testColour"))
    found.update_now()
    succeeded(found.add(THING, "testThing", testColour="blue"))
    return found


def retire(schema: SchemaDesk, cn: str, value: str = "TRUE") -> None:
    succeeded(schema.modify(schema.dn(cn), (REPLACE, "isDefunct", value)))
    schema.update_now()


def test_what_is_in_use_stays_in_force(schema: SchemaDesk) -> None:
    """[MS-ADTS] 3.1.1.2.5.3.2"""
    answer = schema.modify(schema.dn("test-Colour"), (REPLACE, "isDefunct", "TRUE"))
    refused(answer, Win32.ERROR_DS_EXISTS_IN_MAY_HAVE, UNWILLING)
    more = [
        schema.attribute("test-Must", 3),
        schema.attribute("test-Rdn", 4),
        schema.class_("test-Aux", 2, objectClassCategory="3"),
        schema.class_("test-Above", 3),
        schema.class_(
            "test-Below", 4, subClassOf="testAbove", auxiliaryClass="testAux", rDNAttID="testRdn",
            mustContain="testMust", possSuperiors="testThing",
        ),
    ]  # fmt: skip
    for answer in more:
        succeeded(answer)
    for cn, code in (
        ("test-Must", Win32.ERROR_DS_EXISTS_IN_MUST_HAVE),
        ("test-Rdn", Win32.ERROR_DS_EXISTS_IN_RDNATTID),
        ("test-Aux", Win32.ERROR_DS_EXISTS_IN_AUX_CLS),
        ("test-Above", Win32.ERROR_DS_EXISTS_IN_SUB_CLS),
        ("test-Thing", Win32.ERROR_DS_EXISTS_IN_POSS_SUP),
    ):
        refused(schema.modify(schema.dn(cn), (REPLACE, "isDefunct", "TRUE")), code, UNWILLING)


def test_the_base_schema_is_never_defunct(schema: SchemaDesk) -> None:
    """[MS-ADTS] 3.1.1.2.5.3"""
    answer = schema.modify(schema.dn("Surname"), (REPLACE, "isDefunct", "TRUE"))
    refused(answer, Win32.ERROR_DS_ILLEGAL_BASE_SCHEMA_MOD, UNWILLING)


def test_is_defunct_changes_alone(schema: SchemaDesk) -> None:
    """[MS-ADTS] 3.1.1.2.5.3"""
    changes = ((REPLACE, "isDefunct", "TRUE"), (REPLACE, "adminDescription", "gone"))
    answer = schema.modify(schema.dn("test-Free"), *changes)
    refused(answer, Win32.ERROR_DS_ILLEGAL_MOD_OPERATION, UNWILLING)


def test_a_defunct_attribute_is_neither_written_nor_read(schema: SchemaDesk) -> None:
    """[MS-ADTS] 3.1.1.4.8, 3.1.1.5.2.2, 3.1.1.5.3.2"""
    retire(schema, "test-Thing")
    retire(schema, "test-Colour")
    assert "testColour" not in schema.read(THING)
    assert schema.search(DOMAIN_DN, "(testColour=blue)") == []
    answer = schema.modify(f"CN=Guest,CN=Users,{DOMAIN_DN}", (ADD, "testColour", "red"))
    refused(answer, Win32.ERROR_INVALID_PARAMETER, LdapResult.NO_SUCH_ATTRIBUTE)


def test_instances_of_a_defunct_class_show_its_oid_and_only_go(schema: SchemaDesk) -> None:
    """[MS-ADTS] 3.1.1.4.8, 3.1.1.5.2.2, 3.1.1.5.3.2, 3.1.1.5.5"""
    retire(schema, "test-Thing")
    oid = f"{OID_BASE}.2.1".encode()
    assert schema.read(THING, "objectClass")["objectClass"] == [b"top", oid]
    assert schema.search(DOMAIN_DN, "(objectClass=testThing)") == []
    answer = schema.add(f"CN=other,CN=Users,{DOMAIN_DN}", "testThing")
    refused(answer, Win32.ERROR_INVALID_PARAMETER, LdapResult.NO_SUCH_ATTRIBUTE)
    answer = schema.modify(THING, (REPLACE, "description", "x"))
    refused(answer, Win32.ERROR_DS_OBJECT_CLASS_REQUIRED, LdapResult.OBJECT_CLASS_VIOLATION)
    succeeded(schema.delete(THING))


def test_lists_show_the_oids_of_what_is_defunct(schema: SchemaDesk) -> None:
    """[MS-ADTS] 3.1.1.4.8"""
    retire(schema, "test-Thing")
    retire(schema, "test-Colour")
    may = schema.read(schema.dn("test-Thing"), "mayContain")["mayContain"]
    assert may == [f"{OID_BASE}.1.1".encode()]


def test_a_class_comes_back_once_its_attributes_are_back(schema: SchemaDesk) -> None:
    """[MS-ADTS] 3.1.1.2.5.3.2"""
    retire(schema, "test-Thing")
    retire(schema, "test-Colour")
    answer = schema.modify(schema.dn("test-Thing"), (DELETE, "isDefunct", ()))
    refused(answer, Win32.ERROR_DS_NONEXISTENT_MAY_HAVE, UNWILLING)
    retire(schema, "test-Colour", "FALSE")
    succeeded(schema.modify(schema.dn("test-Thing"), (DELETE, "isDefunct", ())))
    schema.update_now()
    found = schema.read(THING)
    assert found["objectClass"] == [b"top", b"testThing"] and found["testColour"] == [b"blue"]


def test_name_and_oid_of_a_defunct_object_are_free(schema: SchemaDesk) -> None:
    """[MS-ADTS] 3.1.1.2.3 ("Unique")"""
    retire(schema, "test-Free")
    succeeded(schema.attribute("test-Free-2", 2, lDAPDisplayName="testFree"))
    schema.update_now()
    answer = schema.modify(schema.dn("test-Free"), (REPLACE, "isDefunct", "FALSE"))
    refused(answer, Win32.ERROR_DS_DUP_OID, UNWILLING)
    succeeded(schema.modify(schema.dn("test-Free"), (REPLACE, "lDAPDisplayName", "testFreeOld")))
    ids = [schema.read(schema.dn(cn), "msDS-IntId")["msDS-IntId"] for cn in ("test-Free", "test-Free-2")]
    assert ids[0] != ids[1]


def test_a_naming_attribute_keeps_its_names_though_defunct(schema: SchemaDesk) -> None:
    """[MS-ADTS] 3.1.1.2.3 ("Unique")"""
    succeeded(schema.attribute("test-Rdn", 5, systemFlags="32"))
    retire(schema, "test-Rdn")
    answer = schema.attribute("test-Rdn-2", 5)
    refused(answer, Win32.ERROR_DS_DUP_OID, UNWILLING)
    answer = schema.attribute("test-Rdn-2", 6, lDAPDisplayName="testRdn")
    refused(answer, Win32.ERROR_DS_DUP_LDAP_DISPLAY_NAME, UNWILLING)


def test_link_numbers_of_defunct_attributes_stay_taken(schema: SchemaDesk) -> None:
    """[MS-ADTS] 3.1.1.2.3 (linkID)"""
    dn_syntax = {"attributeSyntax": "2.5.5.1", "oMSyntax": "127"}
    succeeded(schema.attribute("test-Link", 7, linkID="9000", **dn_syntax))
    retire(schema, "test-Link")
    answer = schema.attribute("test-Link-2", 8, linkID="9000", **dn_syntax)
    refused(answer, Win32.ERROR_DS_DUP_LINK_ID, UNWILLING)


def test_a_renamed_class_is_renamed_in_its_instances(schema: SchemaDesk) -> None:
    """Stored values name classes by tokens: no row has to be written. [MS-ADTS] 3.1.1.2.6"""
    succeeded(schema.modify(schema.dn("test-Thing"), (REPLACE, "lDAPDisplayName", "testObject")))
    succeeded(schema.modify(schema.dn("test-Colour"), (REPLACE, "lDAPDisplayName", "testHue")))
    schema.update_now()
    found = schema.read(THING)
    assert found["objectClass"] == [b"top", b"testObject"] and found["testHue"] == [b"blue"]
    assert len(schema.search(DOMAIN_DN, "(objectClass=testObject)")) == 1
    assert len(schema.search(DOMAIN_DN, f"(objectClass={OID_BASE}.2.1)")) == 1
    assert schema.read(schema.dn("test-Thing"), "mayContain")["mayContain"] == [b"testHue"]
    (line,) = [
        one
        for one in schema.read(f"CN=Aggregate,{SCHEMA_DN}", "objectClasses")["objectClasses"]
        if b"testObject" in one
    ]
    assert b"MAY testHue" in line


def test_objects_named_by_a_defunct_attribute_keep_their_names(schema: SchemaDesk) -> None:
    """[MS-ADTS] 3.1.1.2.5.3: existing objects stay as they are"""
    succeeded(schema.attribute("test-Rdn", 5))
    succeeded(schema.class_("test-Named", 5, rDNAttID="testRdn"))
    schema.update_now()
    dn = f"testRdn=x,CN=Users,{DOMAIN_DN}"
    succeeded(schema.add(dn, "testNamed"))
    retire(schema, "test-Named")
    retire(schema, "test-Rdn")
    (found,) = schema.search(DOMAIN_DN, "(name=x)", "name")
    assert found == {"dn": [dn.encode()], "name": [b"x"]}
    assert schema.read(dn, "name")["name"] == [b"x"]
    succeeded(schema.delete(dn))
