"""What the schema takes from nobody: consistency and safety checks over LDAP. [MS-ADTS] 3.1.1.2.5.1."""

from typing import Final

import pytest

from addc.codes.ldap_result import LdapResult
from addc.codes.win32 import Win32
from addc.ldap import messages as m
from tests.kit.corp_forest import CONFIG_DN, DOMAIN_DN
from tests.kit.ldap_desk import Desk
from tests.kit.schema_desk import OID_BASE, SCHEMA_DN, SchemaDesk, refused, succeeded

UNWILLING = LdapResult.UNWILLING_TO_PERFORM
CONSTRAINT = LdapResult.CONSTRAINT_VIOLATION
ADD, DELETE, REPLACE = 0, 1, 2
INTEGER = {"attributeSyntax": "2.5.5.9", "oMSyntax": "2"}
DN_SYNTAX = {"attributeSyntax": "2.5.5.1", "oMSyntax": "127", "isSingleValued": "FALSE"}


@pytest.fixture
def schema(desk: Desk) -> SchemaDesk:
    return SchemaDesk.open(desk)


def test_who_is_no_schema_admin_changes_nothing(desk: Desk) -> None:
    """[MS-ADTS] 3.1.1.5.2.1: the descriptor of the schema NC lets Schema Admins in, and nobody else."""
    password = "Str0ng-Passw0rd!"
    desk.corp.user("clerk", password)
    client = desk.connect(tls=True)
    assert client.bind("clerk@corp.example.com", password).result_code == LdapResult.SUCCESS
    clerk = SchemaDesk(client)
    assert clerk.attribute("test-A", 1).result_code == LdapResult.INSUFFICIENT_ACCESS_RIGHTS
    answer = clerk.modify(clerk.dn("Surname"), (REPLACE, "searchFlags", "0"))
    assert answer.result_code == LdapResult.INSUFFICIENT_ACCESS_RIGHTS
    answer = clerk.modify("", (ADD, "schemaUpdateNow", "1"))
    assert answer.result_code == LdapResult.INSUFFICIENT_ACCESS_RIGHTS
    answer = clerk.modify("", (ADD, "schemaUpgradeInProgress", "1"))
    assert answer.result_code == LdapResult.INSUFFICIENT_ACCESS_RIGHTS


def test_schema_objects_are_not_deleted(schema: SchemaDesk) -> None:
    """[MS-ADTS] 3.1.1.2.5"""
    succeeded(schema.attribute("test-A", 1))
    for cn in ("test-A", "Person"):
        answer = schema.delete(schema.dn(cn))
        assert answer.result_code in (UNWILLING, LdapResult.INSUFFICIENT_ACCESS_RIGHTS)
        assert schema.read(schema.dn(cn), "cn")["cn"] == [cn.encode()]


def test_only_schema_objects_live_in_the_schema(schema: SchemaDesk) -> None:
    """[MS-ADTS] 3.1.1.2.5"""
    answer = schema.add(schema.dn("thing"), "container")
    assert answer.result_code in (UNWILLING, LdapResult.NAMING_VIOLATION)


def test_nothing_moves_out_of_the_schema(schema: SchemaDesk) -> None:
    """[MS-ADTS] 3.1.1.5.4.1"""
    succeeded(schema.attribute("test-A", 1))
    answer = schema.client.ask(
        m.ModifyDnRequest(schema.dn("test-A"), "CN=test-A", True, f"CN=Services,{CONFIG_DN}")
    )
    assert answer.result_code != LdapResult.SUCCESS


_BAD_ATTRIBUTES: Final[list[tuple[dict[str, str | bytes], Win32]]] = [
    ({"attributeID": "2.5.4.4"}, Win32.ERROR_DS_DUP_OID),
    ({"attributeID": "2.5.6.6"}, Win32.ERROR_DS_DUP_OID),
    ({"lDAPDisplayName": "SN"}, Win32.ERROR_DS_DUP_LDAP_DISPLAY_NAME),
    ({"lDAPDisplayName": "person"}, Win32.ERROR_DS_DUP_LDAP_DISPLAY_NAME),
    ({"lDAPDisplayName": "9lives"}, Win32.ERROR_DS_INVALID_LDAP_DISPLAY_NAME),
    ({"lDAPDisplayName": "two words"}, Win32.ERROR_DS_INVALID_LDAP_DISPLAY_NAME),
    ({"schemaIDGUID": bytes(16)}, Win32.ERROR_DS_DUP_SCHEMA_ID_GUID),
    ({"attributeSecurityGUID": bytes(16)}, Win32.ERROR_DS_SECURITY_ILLEGAL_MODIFY),
    ({"mAPIID": "14847"}, Win32.ERROR_DS_DUP_MAPI_ID),
    ({"oMSyntax": "2"}, Win32.ERROR_DS_SYNTAX_MISMATCH),
    ({"attributeSyntax": "2.5.5.99"}, Win32.ERROR_DS_SYNTAX_MISMATCH),
    ({"rangeLower": "9", "rangeUpper": "8"}, Win32.ERROR_DS_SEMANTIC_ATT_TEST),
    ({**INTEGER, "searchFlags": "5"}, Win32.ERROR_DS_INVALID_SEARCH_FLAG),
    ({"linkID": "2"}, Win32.ERROR_DS_DUP_LINK_ID),
    ({"linkID": "9001"}, Win32.ERROR_DS_BACKLINK_WITHOUT_LINK),
    ({"linkID": "1"}, Win32.ERROR_DS_BACKLINK_WITHOUT_LINK),
    ({"linkID": "9000"}, Win32.ERROR_DS_WRONG_LINKED_ATT_SYNTAX),
    ({"linkID": "memberOf"}, Win32.ERROR_DS_BACKLINK_WITHOUT_LINK),
    ({"msDS-IntId": "-2000000000"}, Win32.ERROR_DS_SECURITY_ILLEGAL_MODIFY),
]  # fmt: skip


def test_an_inconsistent_attribute_is_refused(schema: SchemaDesk) -> None:
    """[MS-ADTS] 3.1.1.2.5.1.1, 3.1.1.2.3"""
    for values, code in _BAD_ATTRIBUTES:
        refused(
            schema.attribute("test-A", 1, **{k.replace("-", "_"): v for k, v in values.items()}),
            code,
            UNWILLING,
        )


_BAD_CLASSES: Final[list[tuple[dict[str, str], Win32]]] = [
    ({"governsID": "2.5.6.6"}, Win32.ERROR_DS_DUP_OID),
    ({"lDAPDisplayName": "sn"}, Win32.ERROR_DS_DUP_LDAP_DISPLAY_NAME),
    ({"mustContain": "1.2.3.4"}, Win32.ERROR_DS_NONEXISTENT_MUST_HAVE),
    ({"mayContain": "1.2.3.4"}, Win32.ERROR_DS_NONEXISTENT_MAY_HAVE),
    ({"mayContain": "2.5.6.6"}, Win32.ERROR_DS_NONEXISTENT_MAY_HAVE),
    ({"possSuperiors": "1.2.3.4"}, Win32.ERROR_DS_NONEXISTENT_POSS_SUP),
    ({"possSuperiors": "mailRecipient"}, Win32.ERROR_DS_NONEXISTENT_POSS_SUP),
    ({"auxiliaryClass": "container"}, Win32.ERROR_DS_AUX_CLS_TEST_FAIL),
    ({"subClassOf": "1.2.3.4"}, Win32.ERROR_DS_SUB_CLS_TEST_FAIL),
    ({"subClassOf": "mailRecipient"}, Win32.ERROR_DS_SUB_CLS_TEST_FAIL),
    ({"subClassOf": "dynamicObject", "objectClassCategory": "3"}, Win32.ERROR_DS_SUB_CLS_TEST_FAIL),
    ({"subClassOf": "container", "objectClassCategory": "2"}, Win32.ERROR_DS_SUB_CLS_TEST_FAIL),
    ({"subClassOf": "container", "objectClassCategory": "3"}, Win32.ERROR_DS_SUB_CLS_TEST_FAIL),
    ({"objectClassCategory": "4"}, Win32.ERROR_DS_SEMANTIC_ATT_TEST),
    ({"rDNAttID": "jpegPhoto"}, Win32.ERROR_DS_BAD_RDN_ATT_ID_SYNTAX),
    ({"defaultSecurityDescriptor": "D:(nonsense"}, Win32.ERROR_INVALID_SECURITY_DESCR),
]


def test_an_inconsistent_class_is_refused(schema: SchemaDesk) -> None:
    """[MS-ADTS] 3.1.1.2.5.1.1, 3.1.1.2.4.2"""
    for values, code in _BAD_CLASSES:
        answer = schema.class_("test-C", 1, **values)
        if answer.result_code == CONSTRAINT:  # objectClassCategory has a range of its own
            assert values == {"objectClassCategory": "4"}
            continue
        refused(answer, code, UNWILLING)


def test_names_that_no_schema_object_has_are_no_attributes(schema: SchemaDesk) -> None:
    answer = schema.class_("test-C", 1, mayContain="nothingOfTheKind")
    refused(answer, Win32.ERROR_INVALID_PARAMETER, LdapResult.NO_SUCH_ATTRIBUTE)


def test_a_category_that_is_no_class_is_refused(schema: SchemaDesk) -> None:
    for dn in ("CN=_", f"CN=Users,{DOMAIN_DN}"):
        answer = schema.class_("test-C", 1, defaultObjectCategory=dn)
        refused(answer, Win32.ERROR_DS_CONSTRAINT_VIOLATION, CONSTRAINT)


_FIXED_OF_ATTRIBUTES: Final = [
    ("attributeID", f"{OID_BASE}.1.1"), ("attributeSyntax", "2.5.5.4"), ("oMSyntax", "20"),
    ("isSingleValued", "FALSE"), ("schemaIDGUID", "0123456789abcdef"), ("linkID", "9000"),
    ("systemOnly", "TRUE"), ("msDS-IntId", "-2000000000"), ("systemFlags", "16"),
]  # fmt: skip


def test_system_only_attributes_of_an_attribute_stay(schema: SchemaDesk) -> None:
    """[MS-ADTS] 3.1.1.2.5, 3.1.1.2.3"""
    succeeded(schema.attribute("test-A", 1))
    for attribute, value in _FIXED_OF_ATTRIBUTES:
        answer = schema.modify(schema.dn("test-A"), (REPLACE, attribute, value))
        refused(answer, Win32.ERROR_DS_CANT_MOD_SYSTEM_ONLY, CONSTRAINT)


_FIXED_OF_CLASSES: Final = [
    ("governsID", f"{OID_BASE}.2.9"), ("subClassOf", "person"), ("objectClassCategory", "0"),
    ("systemMustContain", "sn"), ("systemMayContain", "sn"), ("systemPossSuperiors", "container"),
    ("systemAuxiliaryClass", "mailRecipient"), ("rDNAttID", "ou"), ("schemaIDGUID", "0123456789abcdef"),
]  # fmt: skip


def test_system_only_attributes_of_a_class_stay(schema: SchemaDesk) -> None:
    """[MS-ADTS] 3.1.1.2.5, 3.1.1.2.4.8"""
    succeeded(schema.class_("test-C", 1))
    for attribute, value in _FIXED_OF_CLASSES:
        answer = schema.modify(schema.dn("test-C"), (REPLACE, attribute, value))
        refused(answer, Win32.ERROR_DS_CANT_MOD_SYSTEM_ONLY, CONSTRAINT)


def test_a_naming_flag_and_a_mapi_number_may_be_set_later(schema: SchemaDesk) -> None:
    """[MS-ADTS] 3.1.1.5.3.2, 3.1.1.2.3"""
    succeeded(schema.attribute("test-A", 1))
    dn = schema.dn("test-A")
    succeeded(schema.modify(dn, (REPLACE, "systemFlags", "32")))
    refused(schema.modify(dn, (REPLACE, "systemFlags", "0")), Win32.ERROR_DS_CANT_MOD_SYSTEM_ONLY, CONSTRAINT)
    succeeded(schema.modify(dn, (REPLACE, "mAPIID", "1.2.840.113556.1.2.49")))
    assert int(schema.read(dn, "mAPIID")["mAPIID"][0]) > 0
    base = schema.modify(schema.dn("Surname"), (REPLACE, "mAPIID", "65000"))
    refused(base, Win32.ERROR_DS_CANT_MOD_SYSTEM_ONLY, CONSTRAINT)


def test_the_name_is_mandatory_and_stays_unique(schema: SchemaDesk) -> None:
    """[MS-ADTS] 3.1.1.2.3"""
    succeeded(schema.attribute("test-A", 1))
    succeeded(schema.attribute("test-B", 2))
    dn = schema.dn("test-B")
    answer = schema.modify(dn, (REPLACE, "lDAPDisplayName", ()))
    refused(answer, Win32.ERROR_DS_MISSING_REQUIRED_ATT, LdapResult.OBJECT_CLASS_VIOLATION)
    taken = schema.modify(dn, (REPLACE, "lDAPDisplayName", "testA"))
    refused(taken, Win32.ERROR_DS_DUP_LDAP_DISPLAY_NAME, UNWILLING)
    succeeded(schema.modify(dn, (REPLACE, "lDAPDisplayName", "testB2")))


def test_two_objects_do_not_share_a_name_by_generation(schema: SchemaDesk) -> None:
    """[MS-ADTS] 3.1.1.2.3.4"""
    succeeded(schema.attribute("test-One-Two", 1))
    answer = schema.attribute("test-OneTwo", 2)
    refused(answer, Win32.ERROR_DS_DUP_LDAP_DISPLAY_NAME, UNWILLING)
    cn = schema.attribute("test-One-Two", 3)
    refused(cn, Win32.ERROR_DS_OBJ_STRING_NAME_EXISTS, LdapResult.ENTRY_ALREADY_EXISTS)


def test_links_come_in_pairs(schema: SchemaDesk) -> None:
    """[MS-ADTS] 3.1.1.2.3.1"""
    for number, (cn, link) in enumerate(
        [("test-F", "1.2.840.113556.1.2.50"), ("test-G", "1.2.840.113556.1.2.50"), ("test-F-BL", "testF")], 1
    ):
        succeeded(schema.attribute(cn, number, linkID=link, **DN_SYNTAX))
    first, second, back = (
        int(schema.read(schema.dn(cn), "linkID")["linkID"][0]) for cn in ("test-F", "test-G", "test-F-BL")
    )
    assert first and not first % 2 and not second % 2 and first != second and back == first + 1
    assert schema.read(schema.dn("test-F-BL"), "systemFlags")["systemFlags"] == [b"1"]
    assert schema.read(schema.dn("test-F"), "oMObjectClass")["oMObjectClass"] == [
        bytes.fromhex("2b0c0287731c00854a")
    ]
    by_oid = schema.attribute("test-G-BL", 4, linkID=f"{OID_BASE}.1.2", **DN_SYNTAX)
    succeeded(by_oid)
    again = schema.attribute("test-F-BL2", 5, linkID=f"{OID_BASE}.1.1", **DN_SYNTAX)
    refused(again, Win32.ERROR_DS_DUP_LINK_ID, UNWILLING)
    of_back = schema.attribute("test-F-BL3", 6, linkID="testFBL", **DN_SYNTAX)
    refused(of_back, Win32.ERROR_DS_BACKLINK_WITHOUT_LINK, UNWILLING)


# --- safety ------------------------------------------------------------------------------------------------


def test_a_class_in_use_gets_no_mandatory_attribute(schema: SchemaDesk) -> None:
    """[MS-ADTS] 3.1.1.2.5.1.2"""
    succeeded(schema.class_("test-C", 1))
    answer = schema.modify(schema.dn("test-C"), (ADD, "mustContain", "sn"))
    refused(answer, Win32.ERROR_DS_NONSAFE_SCHEMA_CHANGE, UNWILLING)
    aux = schema.class_("test-Aux", 2, objectClassCategory="3", mustContain="sn")
    succeeded(aux)
    answer = schema.modify(schema.dn("test-C"), (ADD, "auxiliaryClass", "testAux"))
    refused(answer, Win32.ERROR_DS_NONSAFE_SCHEMA_CHANGE, UNWILLING)


def test_top_only_gets_back_links(schema: SchemaDesk) -> None:
    """[MS-ADTS] 3.1.1.2.5.1.2"""
    succeeded(schema.attribute("test-F", 1, linkID="1.2.840.113556.1.2.50", **DN_SYNTAX))
    succeeded(schema.attribute("test-F-BL", 2, linkID="testF", **DN_SYNTAX))
    succeeded(schema.attribute("test-A", 3))
    top = schema.dn("Top")
    refused(schema.modify(top, (ADD, "mayContain", "testA")), Win32.ERROR_DS_NONSAFE_SCHEMA_CHANGE, UNWILLING)
    refused(schema.modify(top, (ADD, "mayContain", "testF")), Win32.ERROR_DS_NONSAFE_SCHEMA_CHANGE, UNWILLING)
    succeeded(schema.modify(top, (ADD, "mayContain", "testFBL")))
    refused(
        schema.modify(top, (DELETE, "mayContain", "testFBL")), Win32.ERROR_DS_NONSAFE_SCHEMA_CHANGE, UNWILLING
    )


def test_constructed_attributes_and_the_subschema_stay(schema: SchemaDesk) -> None:
    """[MS-ADTS] 3.1.1.2.5.1.2"""
    answer = schema.modify(schema.dn("Canonical-Name"), (REPLACE, "searchFlags", "1"))
    refused(answer, Win32.ERROR_DS_NONSAFE_SCHEMA_CHANGE, UNWILLING)
    answer = schema.modify(f"CN=Aggregate,{SCHEMA_DN}", (ADD, "description", "x"))
    refused(answer, Win32.ERROR_DS_ILLEGAL_MOD_OPERATION, UNWILLING)


_PROTECTED: Final = [
    ("Surname", "lDAPDisplayName", "surname2"),
    ("Person", "lDAPDisplayName", "person2"),
    ("Person", "defaultObjectCategory", f"CN=User,{SCHEMA_DN}"),
    ("Attribute-Schema", "mayContain", "sn"),
    ("Class-Schema", "mayContain", "sn"),
    ("DMD", "mayContain", "sn"),
    ("SubSchema", "mayContain", "sn"),
    ("Surname", "searchFlags", "133"),
    ("Member", "attributeSecurityGUID", "0123456789abcdef"),
]


def test_the_base_schema_is_protected(schema: SchemaDesk) -> None:
    """[MS-ADTS] 3.1.1.2.5.1.2"""
    for cn, attribute, value in _PROTECTED:
        answer = schema.modify(schema.dn(cn), (REPLACE, attribute, value))
        refused(answer, Win32.ERROR_DS_ILLEGAL_BASE_SCHEMA_MOD, UNWILLING)


def test_what_is_harmless_of_the_base_schema_changes(schema: SchemaDesk) -> None:
    succeeded(schema.modify(schema.dn("Surname"), (REPLACE, "rangeUpper", "128")))
    succeeded(schema.modify(schema.dn("Surname"), (REPLACE, "isMemberOfPartialAttributeSet", "TRUE")))
    succeeded(schema.modify(schema.dn("Attribute-Schema"), (REPLACE, "adminDescription", "x")))


def test_the_category_of_a_base_class_object_stays(schema: SchemaDesk) -> None:
    """[MS-ADTS] 3.1.1.5.3.2"""
    answer = schema.modify(schema.dn("Person"), (REPLACE, "objectCategory", f"CN=Class-Schema,{SCHEMA_DN}"))
    refused(answer, Win32.ERROR_DS_ILLEGAL_MOD_OPERATION, UNWILLING)


def test_what_can_never_be_filtered_keeps_its_flag(schema: SchemaDesk) -> None:
    """[MS-ADTS] 3.1.1.2.3.5"""
    held = int(schema.read(schema.dn("Display-Name"), "searchFlags")["searchFlags"][0])
    answer = schema.modify(schema.dn("Display-Name"), (REPLACE, "searchFlags", str(held | 0x200)))
    refused(answer, Win32.ERROR_DS_NONSAFE_SCHEMA_CHANGE, UNWILLING)
    succeeded(schema.attribute("test-A", 1, searchFlags="512"))
    succeeded(schema.modify(schema.dn("test-A"), (REPLACE, "searchFlags", "0")))


def test_base_objects_keep_their_cn(schema: SchemaDesk) -> None:
    """[MS-ADTS] 3.1.1.5.4.1"""
    answer = schema.rename(schema.dn("Surname"), "CN=Family-Name")
    refused(answer, Win32.ERROR_DS_ILLEGAL_BASE_SCHEMA_MOD, UNWILLING)
    succeeded(schema.attribute("test-A", 1))
    succeeded(schema.rename(schema.dn("test-A"), "CN=test-B"))
    assert schema.read(schema.dn("test-B"), "lDAPDisplayName")["lDAPDisplayName"] == [b"testA"]


def test_an_upgrade_may_do_what_others_may_not(schema: SchemaDesk) -> None:
    """[MS-ADTS] 3.1.1.3.3.14"""
    dn = schema.dn("Surname")
    refused(
        schema.modify(dn, (REPLACE, "searchFlags", "133")), Win32.ERROR_DS_ILLEGAL_BASE_SCHEMA_MOD, UNWILLING
    )
    succeeded(schema.modify("", (ADD, "schemaUpgradeInProgress", "1")))
    succeeded(schema.modify(dn, (REPLACE, "searchFlags", "133")))
    succeeded(schema.attribute("test-A", 1, systemFlags="16"))
    found = schema.read(schema.dn("test-A"), "systemFlags", "msDS-IntId")
    assert found["systemFlags"] == [b"16"] and "msDS-IntId" not in found
    succeeded(schema.modify("", (REPLACE, "schemaUpgradeInProgress", "0")))
    refused(
        schema.modify(dn, (REPLACE, "searchFlags", "5")), Win32.ERROR_DS_ILLEGAL_BASE_SCHEMA_MOD, UNWILLING
    )
