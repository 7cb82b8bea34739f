"""Constructed attributes, each against what [MS-ADTS] 3.1.1.4.5 says of it."""

import pytest

from addc.base.clock import TICKS_PER_S, FileTime
from addc.codec.blobs import ReplPropertyMetaData
from addc.codec.dn import Dn
from addc.codec.filter import Present
from addc.directory.constructed import canonical_name
from addc.directory.controls import RequestOptions
from addc.directory.search import BASE, SearchRequest, search
from addc.schema import attr
from addc.security import wellknown
from addc.security.token import SYSTEM, Token
from addc.store.objects import ObjectState
from tests.kit.forest import (
    CONFIG_DN,
    DOMAIN_DN,
    DOMAIN_SID,
    NOW,
    SCHEMA_DN,
    UNIVERSAL,
    USERS_DN,
    ForestBuilder,
    KitForest,
)

ALICE = f"CN=alice,{USERS_DN}"
ADMIN = f"CN=Administrator,{USERS_DN}"
SITE = f"CN=Default-First-Site-Name,CN=Sites,{CONFIG_DN}"
DSA = f"CN=NTDS Settings,CN=DC1,CN=Servers,{SITE}"
_DAY = 86_400 * TICKS_PER_S


def get(forest: KitForest, dn: str, attribute: str, who: Token = SYSTEM) -> list[bytes]:
    request = SearchRequest(
        dn, BASE, Present("objectClass"), (attribute,), options=RequestOptions(show_recycled=True)
    )
    entries = forest.read(lambda ctx: search(ctx, request), who).entries
    assert len(entries) == 1
    return entries[0].attributes[0][1] if entries[0].attributes else []


@pytest.mark.parametrize(
    ("dn", "name"),
    [
        ("CN=Peter Houston,OU=NTDEV,DC=microsoft,DC=com", "microsoft.com/NTDEV/Peter Houston"),
        ("CN=Configuration,DC=microsoft,DC=com", "microsoft.com/Configuration"),
        ("DC=microsoft,DC=com", "microsoft.com/"),
        ("CN=a/b,DC=x", "x/a\\/b"),
        ("DC=node,CN=zone,DC=x,DC=y", "x.y/zone/node"),
    ],
)
def test_canonical_names(dn: str, name: str) -> None:
    assert canonical_name(Dn.parse(dn)) == name


@pytest.mark.parametrize(
    ("dn", "attribute", "values"),
    [
        (ALICE, "canonicalName", [b"example.com/Users/alice"]),
        (ALICE, "subSchemaSubEntry", [f"CN=Aggregate,{SCHEMA_DN}".encode()]),
        (ALICE, "fromEntry", [b"TRUE"]),
        (ALICE, "createTimeStamp", [b"20220618042640.0Z"]),
        (ALICE, "modifyTimeStamp", [b"20220618042640.0Z"]),
        (ALICE, "primaryGroupToken", []),
        (f"CN=Domain Users,{USERS_DN}", "primaryGroupToken", [b"513"]),
        (ALICE, "structuralObjectClass", [b"top", b"person", b"organizationalPerson", b"user"]),
        (ALICE, "msDS-PrincipalName", [b"EXAMPLE\\alice"]),
        (DOMAIN_DN, "msDS-PrincipalName", [str(DOMAIN_SID).encode()]),
        (USERS_DN, "msDS-PrincipalName", []),
        (DOMAIN_DN, "parentGUID", []),
        (ALICE, "msDS-parentdistname", [USERS_DN.encode()]),
        (DSA, "msDS-SiteName", [b"Default-First-Site-Name"]),
        (DSA, "msDS-isGC", [b"TRUE"]),
        (DSA, "msDS-isRODC", [b"FALSE"]),
        (ALICE, "msDS-isGC", []),
        (ALICE, "sDRightsEffective", [b"15"]),
        (USERS_DN, "msDS-User-Account-Control-Computed", []),
        (f"CN=Aggregate,{SCHEMA_DN}", "createTimeStamp", []),
        (ADMIN, "msds-memberOfTransitive", None),
        (ALICE, "entryTTL", []),
    ],
)
def test_simple_ones(shared_forest: KitForest, dn: str, attribute: str, values: list[bytes] | None) -> None:
    found = get(shared_forest, dn, attribute)
    if values is None:
        assert sorted(found) == [
            f"CN=Administrators,{USERS_DN}".encode(),
            f"CN=Domain Admins,{USERS_DN}".encode(),
        ]
    else:
        assert found == values


def test_parent_guid(shared_forest: KitForest) -> None:
    assert get(shared_forest, ALICE, "parentGUID") == [shared_forest.row(USERS_DN).guid]


def test_what_may_be_created_where(shared_forest: KitForest) -> None:
    ou = f"OU=Domain Controllers,{DOMAIN_DN}"
    allowed = get(shared_forest, ou, "allowedChildClasses")
    assert {b"user", b"group", b"computer", b"organizationalUnit"} <= set(allowed)
    assert not {b"top", b"domainDNS", b"mailRecipient"} & set(allowed)
    assert get(shared_forest, ou, "allowedChildClassesEffective") == allowed
    alice = shared_forest.token(ALICE)
    assert get(shared_forest, ou, "allowedChildClassesEffective", alice) == []
    services = f"CN=Services,{CONFIG_DN}"
    assert b"user" not in get(shared_forest, services, "allowedChildClassesEffective")


def test_what_may_be_written(shared_forest: KitForest) -> None:
    allowed = get(shared_forest, ALICE, "allowedAttributes")
    assert {b"mail", b"sn", b"memberOf", b"canonicalName"} <= set(allowed)
    effective = get(shared_forest, ALICE, "allowedAttributesEffective")
    assert b"mail" in effective
    assert not {b"memberOf", b"canonicalName"} & set(effective), "back links and constructed ones are not"
    assert get(shared_forest, ALICE, "allowedAttributesEffective", shared_forest.token(ALICE)) == []
    assert get(shared_forest, ALICE, "sDRightsEffective", shared_forest.token(ALICE)) == [b"0"]


def test_token_groups(sqlite_forest: KitForest) -> None:
    sqlite_forest.build(lambda b: b.group("u", DOMAIN_SID.child(3001), UNIVERSAL, [ADMIN]))
    found = get(sqlite_forest, ADMIN, "tokenGroups")
    assert set(found) == {
        bytes(DOMAIN_SID.child(513)),
        bytes(DOMAIN_SID.child(512)),
        bytes(DOMAIN_SID.child(3001)),
        bytes(wellknown.BUILTIN_ADMINISTRATORS),
    }
    account = get(sqlite_forest, ADMIN, "tokenGroupsGlobalAndUniversal")
    assert set(found) - set(account) == {bytes(wellknown.BUILTIN_ADMINISTRATORS)}
    assert f"CN=Domain Users,{USERS_DN}".encode() in get(sqlite_forest, ADMIN, "msds-tokenGroupNames")
    assert get(sqlite_forest, USERS_DN, "tokenGroups") == []


def _with_policy(b: ForestBuilder) -> None:
    domain = b.tx.get(b.row(DOMAIN_DN))
    assert domain is not None
    rules = {
        attr.MAX_PWD_AGE: (b"%d" % (-42 * _DAY),),
        attr.LOCKOUT_DURATION: (b"%d" % (-30 * 60 * TICKS_PER_S),),
    }
    b.tx.update(domain, attrs={**domain.attrs, **rules})


@pytest.mark.parametrize(
    ("values", "expiry", "computed"),
    [
        ({"pwdLastSet": int(NOW) - _DAY}, int(NOW) + 41 * _DAY, 0),
        ({"pwdLastSet": int(NOW) - 50 * _DAY}, int(NOW) - 8 * _DAY, 0x80_0000),
        ({"pwdLastSet": 0}, 0, 0x80_0000),
        ({"pwdLastSet": 0, "userAccountControl": 0x1_0200}, 0x7FFF_FFFF_FFFF_FFFF, 0),
        ({"pwdLastSet": int(NOW), "lockoutTime": int(NOW) - TICKS_PER_S}, int(NOW) + 42 * _DAY, 0x10),
        ({"pwdLastSet": int(NOW), "lockoutTime": int(NOW) - _DAY}, int(NOW) + 42 * _DAY, 0),
    ],
)
def test_expiry_and_lockout(
    sqlite_forest: KitForest, values: dict[str, int], expiry: int, computed: int
) -> None:
    sqlite_forest.build(_with_policy)
    dn = sqlite_forest.build(lambda b: b.user("ageing", 1300, values))
    assert get(sqlite_forest, dn, "msDS-UserPasswordExpiryTimeComputed") == [b"%d" % expiry]
    assert get(sqlite_forest, dn, "msDS-User-Account-Control-Computed") == [b"%d" % computed]


def test_key_version_number_is_the_password_s_version(sqlite_forest: KitForest) -> None:
    dn = sqlite_forest.build(lambda b: b.user("keyed", 1300, {"unicodePwd": b"0123456789abcdef"}))
    assert get(sqlite_forest, dn, "msDS-KeyVersionNumber") == [b"1"]
    assert get(sqlite_forest, ALICE, "msDS-KeyVersionNumber") == []


def test_metadata_as_octets_and_as_xml(sqlite_forest: KitForest) -> None:
    blob = ReplPropertyMetaData.unpack(get(sqlite_forest, ALICE, "replPropertyMetaData")[0])
    assert {entry.att_id for entry in blob.entries} == set(sqlite_forest.row(ALICE).meta)
    xml = b"".join(get(sqlite_forest, ALICE, "msDS-ReplAttributeMetaData"))
    assert b"<pszAttributeName>mail</pszAttributeName>" in xml
    assert b"<ftimeLastOriginatingChange>2022-06-18T04:26:40Z</ftimeLastOriginatingChange>" in xml
    assert f"<pszLastOriginatingDsaDN>{DSA}</pszLastOriginatingDsaDN>".encode() in xml
    links = b"".join(get(sqlite_forest, f"CN=Domain Admins,{USERS_DN}", "msDS-ReplValueMetaData"))
    assert f"<pszObjectDn>{ADMIN}</pszObjectDn>".encode() in links
    veiled = sqlite_forest.build(lambda b: b.user("veiled", 1301, {}, "D:(A;;LC;;;AU)"))
    alice = sqlite_forest.token(ALICE)
    assert get(sqlite_forest, veiled, "msDS-ReplAttributeMetaData", alice) == []
    assert get(sqlite_forest, veiled, "replPropertyMetaData", alice) == []


def test_entry_ttl(sqlite_forest: KitForest) -> None:
    values = {"msDS-Entry-Time-To-Die": "20220618042740.0Z"}
    dn = sqlite_forest.build(lambda b: b.user("brief", 1300, values))
    assert get(sqlite_forest, dn, "entryTTL") == [b"60"]
    sqlite_forest.clock.time = FileTime(NOW + _DAY)
    assert get(sqlite_forest, dn, "entryTTL") == [b"0"]


def test_children_are_counted_for_those_who_may_list_them(sqlite_forest: KitForest) -> None:
    closed = sqlite_forest.build(
        lambda b: (
            b.add(f"OU=o,{DOMAIN_DN}", "organizationalUnit", acl="D:(A;;RP;;;AU)"),
            f"OU=o,{DOMAIN_DN}",
        )[1]
    )
    sqlite_forest.build(lambda b: b.add(f"CN=x,{closed}", "container"))
    assert get(sqlite_forest, closed, "msDS-Approx-Immed-Subordinates") == [b"1"]
    alice = sqlite_forest.token(ALICE)
    assert get(sqlite_forest, closed, "msDS-Approx-Immed-Subordinates", alice) == [b"0"]


def test_possible_inferiors_and_the_subschema(sqlite_forest: KitForest) -> None:
    dn = f"CN=Locality,{SCHEMA_DN}"
    sqlite_forest.build(lambda b: b.add(dn, "classSchema", {"lDAPDisplayName": "locality"}))
    assert b"physicalLocation" in get(sqlite_forest, dn, "possibleInferiors")
    aggregate = f"CN=Aggregate,{SCHEMA_DN}"
    assert b"( 2.5.4.3 NAME 'cn' SYNTAX '1.3.6.1.4.1.1466.115.121.1.15' SINGLE-VALUE )" in get(
        sqlite_forest, aggregate, "attributeTypes"
    )
    classes = get(sqlite_forest, aggregate, "objectClasses")
    assert len(classes) == len(sqlite_forest.schema.classes)
    user = next(one for one in classes if b"NAME 'user'" in one)
    assert user.startswith(b"( 1.2.840.113556.1.5.9 NAME 'user' SUP organizationalPerson STRUCTURAL MAY (")
    assert any(b"NAME 'user' AUX" in one for one in get(sqlite_forest, aggregate, "dITContentRules"))
    extended = get(sqlite_forest, aggregate, "extendedAttributeInfo")
    cn = sqlite_forest.schema.attribute("cn")
    assert cn is not None
    assert any(cn.schema_id_guid_wire.hex().encode() in one for one in extended)
    assert len(get(sqlite_forest, aggregate, "extendedClassInfo")) == len(classes)
    assert get(sqlite_forest, ALICE, "attributeTypes") == []


def test_the_resultant_settings_object(sqlite_forest: KitForest) -> None:
    container = f"CN=Password Settings Container,CN=System,{DOMAIN_DN}"

    def work(b: ForestBuilder) -> None:
        b.add(f"CN=System,{DOMAIN_DN}", "container")
        b.add(container, "container")
        for name, precedence in (("strict", 10), ("lax", 20)):
            dn = f"CN={name},{container}"
            b.add(dn, "msDS-PasswordSettings", {"msDS-PasswordSettingsPrecedence": precedence})
        b.link(f"CN=lax,{container}", "msDS-PSOAppliesTo", ALICE)

    sqlite_forest.build(work)
    assert get(sqlite_forest, ALICE, "msDS-ResultantPSO") == [f"CN=lax,{container}".encode()]
    sqlite_forest.build(lambda b: b.link(f"CN=strict,{container}", "msDS-PSOAppliesTo", ALICE))
    assert get(sqlite_forest, ALICE, "msDS-ResultantPSO") == [f"CN=strict,{container}".encode()]
    assert get(sqlite_forest, ADMIN, "msDS-ResultantPSO") == []


def test_deleted_accounts_have_no_groups(sqlite_forest: KitForest) -> None:
    dn = f"CN=gone,CN=Deleted Objects,{DOMAIN_DN}"
    sqlite_forest.build(
        lambda b: b.add(
            dn, "user", {"primaryGroupID": 513}, sid=DOMAIN_SID.child(9), state=ObjectState.DELETED
        )
    )
    assert get(sqlite_forest, dn, "tokenGroups") == []
