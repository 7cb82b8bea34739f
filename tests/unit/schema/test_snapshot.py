"""The base schema as one immutable view."""

from uuid import UUID

import pytest

from addc.base.errors import DecodeError
from addc.schema import attr, cls, loader
from addc.schema.generate import constant_name, generated
from addc.schema.loader import load_base, table
from addc.schema.snapshot import Attribute, AttributeDef, ClassDef, ObjectClass, Schema
from addc.schema.wellknown import DRS_SECRETS, NEVER_READABLE, ExtendedRight, WellKnownContainer

_SCHEMA = load_base()


def _attribute(name: str) -> Attribute:
    found = _SCHEMA.attribute(name)
    assert found is not None
    return found


def _class(name: str) -> ObjectClass:
    found = _SCHEMA.class_(name)
    assert found is not None
    return found


def test_sizes_of_version_88() -> None:
    assert (len(_SCHEMA.attributes), len(_SCHEMA.classes)) == (1498, 269)


def test_look_ups() -> None:
    account = _attribute("samaccountname")
    assert account is _attribute("sAMAccountName") is _attribute("1.2.840.113556.1.4.221")
    assert account is _attribute("OID.1.2.840.113556.1.4.221")
    assert account is _SCHEMA.attribute_by_id(attr.SAM_ACCOUNT_NAME)
    assert account is _SCHEMA.attribute_by_guid(account.schema_id_guid)
    assert _SCHEMA.attribute("nonsense") is None
    user = _class("USER")
    assert user is _class("1.2.840.113556.1.5.9") is _SCHEMA.class_by_id(cls.USER)
    assert user is _SCHEMA.class_by_guid(UUID("bf967aba-0de6-11d0-a285-00aa003049e2"))
    assert _SCHEMA.class_("nonsense") is None


def test_names_and_oids() -> None:
    assert _SCHEMA.token_of_oid("2.5.6.6") == "person"
    assert _SCHEMA.token_of_oid("2.5.4.3") == "cn"
    assert _SCHEMA.token_of_oid("1.2.3") is None
    assert _SCHEMA.oid_of_name("PERSON") == "2.5.6.6"
    assert _SCHEMA.oid_of_name("nonsense") is None


def test_flags_of_attributes() -> None:
    member = _attribute("member")
    assert member.is_linked and not member.is_back_link and member.link_id == 2
    assert _attribute("memberOf").is_back_link
    assert _attribute("tokenGroups").is_constructed
    assert _attribute("sAMAccountName").is_indexed and _attribute("sAMAccountName").is_anr
    assert _attribute("objectSid").in_gc and _attribute("objectSid").preserve_on_delete
    assert _attribute("badPwdCount").not_replicated
    assert _attribute("unixUserPassword").is_confidential
    assert _attribute("msDS-ExternalDirectoryObjectId").single_valued
    assert not _attribute("cn").is_operational


def test_secrets_are_those_of_the_documents() -> None:
    secret = {att.att_id for att in _SCHEMA.attributes if att.is_secret}
    assert secret == DRS_SECRETS | NEVER_READABLE
    assert attr.UNICODE_PWD in secret and attr.CN not in secret


def test_class_inheritance() -> None:
    computer = _class("computer")
    names = [found.name for found in map(_SCHEMA.class_by_id, computer.superclasses) if found is not None]
    assert names == ["user", "organizationalPerson", "person", "top"]
    assert computer.is_a(cls.USER) and not _class("user").is_a(cls.COMPUTER)
    assert _class("top").superclasses == ()
    assert cls.SECURITY_PRINCIPAL in computer.aux
    assert {attr.SAM_ACCOUNT_NAME, attr.OBJECT_SID, attr.CN, attr.OBJECT_CLASS} <= computer.must
    assert {attr.DNS_HOST_NAME, attr.PWD_LAST_SET, attr.DESCRIPTION} <= computer.may
    assert not computer.must & computer.may


def test_naming_attributes_are_inherited() -> None:
    assert _class("user").rdn_att == attr.CN
    assert _class("organizationalUnit").rdn_att == attr.OU
    assert _class("domainDNS").rdn_att == attr.DC


def test_possible_superiors() -> None:
    assert {cls.ORGANIZATIONAL_UNIT, cls.CONTAINER, cls.DOMAIN_DNS} <= _class("user").poss_superiors
    assert cls.USER not in _class("organizationalUnit").poss_superiors


def test_generated_modules_are_fresh() -> None:
    folder = loader.data_folder().parent / "addc" / "schema"
    for name, text in generated().items():
        assert (folder / name).read_text(encoding="utf-8") == text


@pytest.mark.parametrize(
    ("name", "constant"),
    [
        ("sAMAccountName", "SAM_ACCOUNT_NAME"),
        ("nTSecurityDescriptor", "NT_SECURITY_DESCRIPTOR"),
        ("msDS-KeyVersionNumber", "MS_DS_KEY_VERSION_NUMBER"),
        ("mS-DS-CreatorSID", "MS_DS_CREATOR_SID"),
        ("uSNChanged", "USN_CHANGED"),
        ("dNSHostName", "DNS_HOST_NAME"),
        ("cn", "CN"),
    ],
)
def test_constant_names(name: str, constant: str) -> None:
    assert constant_name(name) == constant


def test_tables() -> None:
    assert len(table("extended_rights")) == 81
    assert {row["object"] for row in table("display_specifiers_409")} >= {"user-Display", "group-Display"}
    assert UUID("00299570-246d-11d0-a768-00aa006e0529") == ExtendedRight.USER_FORCE_CHANGE_PASSWORD
    assert WellKnownContainer.USERS.bytes_le == bytes.fromhex("A9D1CA15768811D1ADED00C04FD8D5CD")


def _built(attributes: list[AttributeDef], classes: list[ClassDef]) -> Schema:
    return Schema.build(
        [*loader.attribute_defs(), *attributes],
        [*loader.class_defs(), *classes],
        loader.load_prefixes(),
        loader.load_syntaxes(),
    )


_BADGE = AttributeDef(
    "exampleBadge", "Example-Badge", "1.3.6.1.4.1.99999.1.1", "2.5.5.12", 64, b"", True, UUID(int=7), 1
)
_VISITOR = ClassDef(
    "exampleVisitor",
    "Example-Visitor",
    "1.3.6.1.4.1.99999.2.1",
    1,
    "user",
    UUID(int=8),
    may=("exampleBadge",),
)


def test_extension_with_a_new_attribute_and_class() -> None:
    schema = _built([_BADGE], [_VISITOR])
    badge, visitor = schema.attribute("exampleBadge"), schema.class_("exampleVisitor")
    assert badge is not None and visitor is not None
    assert badge.is_indexed and schema.prefixes.oid(badge.att_id) == badge.oid
    assert badge.att_id in visitor.may and visitor.rdn_att == attr.CN
    assert visitor.class_id != badge.att_id


def test_int_id_replaces_the_prefix() -> None:
    schema = _built([_BADGE._replace(int_id=0x80000001)], [])
    assert schema.attribute_by_id(0x80000001) is schema.attribute("exampleBadge")


@pytest.mark.parametrize(
    "wrong",
    [
        _VISITOR._replace(sub_class_of="nobody"),
        _VISITOR._replace(may=("nothing",)),
        _VISITOR._replace(aux=("exampleVisitor",)),
        _VISITOR._replace(poss_superiors=("nobody",)),
    ],
)
def test_definitions_that_cannot_be_resolved(wrong: ClassDef) -> None:
    with pytest.raises(DecodeError):
        _built([_BADGE], [wrong])


def test_attribute_of_no_known_syntax() -> None:
    with pytest.raises(DecodeError):
        _built([_BADGE._replace(syntax_oid="2.5.5.99")], [])
