"""Attributes and classes added over LDAP, and used. [MS-ADTS] 3.1.1.2.5, 3.1.1.2.3, 3.1.1.2.4."""

import pytest

from addc.codes.ldap_result import LdapResult
from addc.codes.win32 import Win32
from tests.kit.corp_forest import DOMAIN_DN
from tests.kit.ldap_desk import Desk
from tests.kit.schema_desk import OID_BASE, SchemaDesk, refused, succeeded

UNWILLING = LdapResult.UNWILLING_TO_PERFORM
USERS = f"CN=Users,{DOMAIN_DN}"


@pytest.fixture
def schema(desk: Desk) -> SchemaDesk:
    return SchemaDesk.open(desk)


def test_a_new_attribute_is_completed_by_the_dc(schema: SchemaDesk) -> None:
    """[MS-ADTS] 3.1.1.2.3, 3.1.1.2.3.4"""
    succeeded(schema.attribute("test-Attr_one two", 1))
    found = schema.read(
        schema.dn("test-Attr_one two"), "lDAPDisplayName", "schemaIDGUID", "msDS-IntId", "objectClass"
    )
    assert found["lDAPDisplayName"] == [b"testAttrOneTwo"]
    assert len(found["schemaIDGUID"][0]) == 16
    assert -(1 << 31) <= int(found["msDS-IntId"][0]) < -(1 << 30)
    assert found["objectClass"] == [b"top", b"attributeSchema"]


def test_a_new_class_is_completed_by_the_dc(schema: SchemaDesk) -> None:
    """[MS-ADTS] 3.1.1.2.5.2"""
    dn = schema.dn("test-Class")
    succeeded(schema.add(dn, "classSchema", governsID=f"{OID_BASE}.2.1", objectClassCategory="1"))
    names = ("lDAPDisplayName", "subClassOf", "showInAdvancedViewOnly", "defaultObjectCategory", "msDS-IntId")
    found = schema.read(dn, *names)
    assert found["lDAPDisplayName"] == [b"testClass"]
    assert found["subClassOf"] == [b"top"]
    assert found["showInAdvancedViewOnly"] == [b"TRUE"]
    assert found["defaultObjectCategory"] == [dn.encode()]
    assert "msDS-IntId" not in found


def test_after_schema_update_now_attribute_and_class_are_used(schema: SchemaDesk) -> None:
    """[MS-ADTS] 3.1.1.3.3.13"""
    succeeded(schema.attribute("test-Colour", 1))
    succeeded(schema.class_("test-Thing", 1, mayContain="testColour"))
    thing = f"CN=thing,{USERS}"
    answer = schema.add(thing, "testThing", testColour="blue")
    refused(answer, Win32.ERROR_INVALID_PARAMETER, LdapResult.NO_SUCH_ATTRIBUTE)
    schema.update_now()
    succeeded(schema.add(thing, "testThing", testColour="blue"))
    found = schema.read(thing)
    assert found["objectClass"] == [b"top", b"testThing"]
    assert found["testColour"] == [b"blue"]
    assert found["objectCategory"] == [schema.dn("test-Thing").encode()]
    succeeded(schema.modify(thing, (2, "testColour", "red")))
    assert len(schema.search(DOMAIN_DN, "(testColour=RED)")) == 1
    assert len(schema.search(DOMAIN_DN, "(objectClass=testThing)")) == 1
    assert len(schema.search(DOMAIN_DN, "(objectCategory=testThing)")) == 1
    class_row = schema.read(schema.dn("test-Thing"), "mayContain", "possSuperiors", "governsID")
    assert class_row["mayContain"] == [b"testColour"]
    assert class_row["governsID"] == [f"{OID_BASE}.2.1".encode()]
