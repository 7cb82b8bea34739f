"""Which objects a filter clause is true of, by syntax and matching rule.

[MS-ADTS] 3.1.1.2.2.4, 3.1.1.3.1.3.1, 3.1.1.3.4.4.
"""

from uuid import UUID

import pytest

from addc.base.errors import DsError
from addc.codec.filter import And, Equal, Extensible, GreaterOrEqual, Not, Present
from addc.codes.faces import ldap_face
from addc.codes.ldap_result import LdapResult
from addc.directory import names
from addc.directory.controls import PLAIN, RequestOptions
from addc.directory.filter_match import Compiler, Match
from addc.directory.search import SUBTREE, SearchRequest, search
from addc.security.access_check import Grants
from addc.security.token import SYSTEM
from addc.store.objects import ObjectRow, ObjectState
from tests.kit.forest import DOMAIN_DN, DOMAIN_SID, SCHEMA_DN, USERS_DN, ForestBuilder, KitForest
from tests.kit.searching import ask, order_of

BOX = f"OU=box,{DOMAIN_DN}"
ONE = f"CN=one,{BOX}"
TWO = f"CN=two,{BOX}"
GONE = f"CN=gone,CN=Deleted Objects,{DOMAIN_DN}"
BIT_AND = "1.2.840.113556.1.4.803"
BIT_OR = "1.2.840.113556.1.4.804"
CHAIN = "1.2.840.113556.1.4.1941"
WITH_DATA = "1.2.840.113556.1.4.2253"


def _fill(b: ForestBuilder) -> None:
    b.add(BOX, "organizationalUnit")
    b.add(
        TWO, "inetOrgPerson", {"sAMAccountName": "two", "userAccountControl": 2}, sid=DOMAIN_SID.child(4001)
    )
    b.add(
        ONE,
        "user",
        {
            "sAMAccountName": "one",
            "userAccountControl": 0x10200,
            "pwdLastSet": 0x7FFF_FFFF_FFFF_FFFF,
            "groupType": -2147483646,
            "description": ["Größe", "second"],
            "telexNumber": b"\x01\xff",
            "userWorkstations": "WS1",
            "employeeID": "x*y",
            "serialNumber": "AbC",
            "isDeleted": "FALSE",
            "msTSExpireDate": "20260101120000.0Z",
            "seeAlso": TWO,
        },
        sid=DOMAIN_SID.child(4000),
    )
    b.add(GONE, "user", {"isDeleted": "TRUE"}, state=ObjectState.DELETED)
    b.group("first", DOMAIN_SID.child(4100), members=[ONE])
    b.group("second", DOMAIN_SID.child(4101), members=[f"CN=first,{USERS_DN}"])
    b.group("empty", DOMAIN_SID.child(4102), members=[GONE])
    b.link(ONE, "msDS-RevealedUsers", TWO, b"\x01\x02\x03")
    host = b.tx.get(b.row(BOX))
    assert host is not None
    well_known = b.schema.attribute("otherWellKnownObjects")
    assert well_known is not None
    named = names.reference(b.row(TWO), b"\xaa\xbb\xcc")
    b.tx.update(host, attrs={**host.attrs, well_known.att_id: (named,)})


@pytest.fixture(scope="module")
def box(shared_forest: KitForest) -> KitForest:
    shared_forest.build(_fill)
    return shared_forest


def found(forest: KitForest, wanted: str, options: RequestOptions = PLAIN, base: str = BOX) -> str:
    return " ".join(sorted(order_of(ask(forest, base, SUBTREE, wanted, options=options))))


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (f"(userAccountControl:{BIT_AND}:=65536)", "one"),
        (f"(userAccountControl:{BIT_AND}:=66048)", "one"),
        (f"(userAccountControl:{BIT_AND}:=66050)", ""),
        (f"(userAccountControl:{BIT_OR}:=66050)", "one two"),
        (f"(userAccountControl:{BIT_AND}:=0)", "one two"),
        (f"(userAccountControl:{BIT_OR}:=0)", ""),
        (f"(groupType:{BIT_AND}:=2147483648)", "one"),
        (f"(groupType:{BIT_AND}:=-2147483648)", "one"),
        (f"(groupType:{BIT_OR}:=2147483652)", "one"),
        (f"(pwdLastSet:{BIT_AND}:=4611686018427387904)", "one"),
        (f"(pwdLastSet:{BIT_AND}:=-1)", ""),
        (f"(pwdLastSet:{BIT_OR}:=-1)", "one"),
    ],
)
def test_bits(box: KitForest, wanted: str, expected: str) -> None:
    """[MS-ADTS] 3.1.1.3.4.4.1, 3.1.1.3.4.4.2: on numbers of 32 and of 64 bits."""
    assert found(box, wanted) == expected


def undefined(forest: KitForest, wanted: object) -> bool:
    """Whether a clause is neither true nor false of an object."""

    def evaluate(ctx: object) -> bool | None:
        assert hasattr(ctx, "tx")
        match: Match = Compiler(ctx, PLAIN).compile(wanted)  # type: ignore[arg-type]
        row: ObjectRow = forest.row(ONE)
        return match(row, Grants.__new__(Grants))

    return forest.read(evaluate) is None


@pytest.mark.parametrize(
    "clause",
    [
        Extensible(BIT_AND, "userAccountControl", b"1_0"),
        Extensible(BIT_AND, "userAccountControl", b""),
        Extensible(BIT_AND, "userAccountControl", b"99999999999999999999"),
        Extensible(BIT_AND, "description", b"1"),
        Extensible(BIT_AND, "isDeleted", b"1"),
        Extensible(CHAIN, "description", b"x"),
        Extensible(CHAIN, "seeAlso", TWO.encode()),
        Extensible(CHAIN, "member", b"no name"),
        Extensible(WITH_DATA, "member", ONE.encode()),
        Extensible(WITH_DATA, "otherWellKnownObjects", b"B:3:01:DC=x"),
        Extensible(None, None, b"one"),
        Extensible("2.5.13.2", None, b"one"),
        Extensible("caseIgnoreMatch", "cn", b"one"),
        Extensible("2.5.13.2", "cn", b"one"),
        Equal("nonsense", b"x"),
        Present("nonsense"),
        Present("cn;lang-de"),
        Equal("nTSecurityDescriptor", b"x"),
        Equal("userAccountControl", b"many"),
        Equal("userAccountControl", b"4294967296"),
        Equal("isDeleted", b"maybe"),
        Equal("objectClass", b"noSuchClass"),
        Equal("objectCategory", b"noSuchClass"),
        Equal("seeAlso", b"no name"),
        GreaterOrEqual("seeAlso", TWO.encode()),
        GreaterOrEqual("objectClass", b"user"),
        GreaterOrEqual("whenCreated", b"yesterday"),
        Equal("msTSExpireDate", b"20261399000000.0Z"),
    ],
)
def test_clauses_that_are_neither_true_nor_false(box: KitForest, clause: object) -> None:
    assert undefined(box, clause)
    request = SearchRequest(BOX, SUBTREE, Not(clause), ("cn",))  # type: ignore[arg-type]
    assert box.read(lambda ctx: search(ctx, request)).entries == [], "nor is their opposite true"
    request = SearchRequest(BOX, SUBTREE, And((Present("cn"), Not(clause))), ("cn",))  # type: ignore[arg-type]
    assert box.read(lambda ctx: search(ctx, request)).entries == []


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ("(description=grosse)", "one"),
        ("(description=GRÖSSE)", "one"),
        ("(description~=grösse)", "one"),
        ("(description=GROSSE)", "one"),
        ("(description=*ÖSS*)", "one"),
        ("(description=gr*e)", "one"),
        ("(serialNumber=AbC)", "one"),
        ("(serialNumber=abc)", ""),
        ("(serialNumber=*bC)", "one"),
        ("(employeeID=x\\2ay)", "one"),
        ("(telexNumber=\\01\\ff)", "one"),
        ("(telexNumber>=\\01)", "one"),
        ("(telexNumber>=\\02)", ""),
        ("(telexNumber=*\\ff)", "one"),
        ("(2.5.4.13=second)", "one"),
        ("(OID.2.5.4.13=second)", "one"),
        ("(description;binary=second)", "one"),
        ("(isDeleted=false)", "one"),
        ("(isDeleted<=TRUE)", "one"),
        ("(pwdLastSet>=9223372036854775807)", "one"),
        ("(userAccountControl<=2)", "two"),
        ("(groupType=2147483650)", "one"),
        ("(msTSExpireDate=20260101120000Z)", "one"),
        ("(msTSExpireDate=260101120000Z)", "one"),
        ("(msTSExpireDate>=20260101115959.0Z)", "one"),
        ("(msTSExpireDate<=20260101115959.0Z)", ""),
        (f"(objectSid={DOMAIN_SID.child(4000)})", "one"),
        ("(objectSid=\\01\\05\\00\\00\\00\\00\\00\\05\\15\\00\\00\\00\\01\\00\\00\\00\\02\\00\\00\\00\\03\\00"
         "\\00\\00\\a0\\0f\\00\\00)", "one"),
        (f"(seeAlso={TWO})", "one"),
        (f"(seeAlso= cn = TWO , ou=box,{DOMAIN_DN.lower()})", "one"),
        (f"(seeAlso=<SID={DOMAIN_SID.child(4001)}>)", "one"),
        (f"(seeAlso=CN=nobody,{BOX})", ""),
        (f"(!(seeAlso=CN=nobody,{BOX}))", "box one two"),
        ("(!(description=second))", "box two"),
        (f"(distinguishedName={ONE})", "one"),
        ("(objectClass=user)", "one two"),
        ("(objectClass=1.2.840.113556.1.5.9)", "one two"),
        ("(objectClass=inetorgperson)", "two"),
        ("(objectCategory=person)", "one two"),
        ("(objectCategory=inetOrgPerson)", "one two"),
        (f"(objectCategory=CN=Person,{SCHEMA_DN})", "one two"),
        ("(cn:dn:=box)", ""),
        ("(cn:=one)", "one"),
        ("(&(cn=one)(nonsense=1))", ""),
        ("(|(cn=one)(nonsense=1))", "one"),
        ("(!(&(cn=one)(nonsense=1)))", "box two"),
        ("(&)", "box one two"),
        ("(|)", ""),
    ],
)  # fmt: skip
def test_comparison_by_syntax(box: KitForest, wanted: str, expected: str) -> None:
    assert found(box, wanted) == expected


def test_identifiers_of_the_schema_compare_as_numbers(box: KitForest) -> None:
    def attribute(b: ForestBuilder) -> None:
        values = {"lDAPDisplayName": "zzz", "attributeID": "2.5.4.3", "mustContain": "cn"}
        b.add(f"CN=zzz,{SCHEMA_DN}", "classSchema", values)

    box.build(attribute)
    assert found(box, "(attributeID=2.5.4.3)", base=SCHEMA_DN) == "zzz"
    assert found(box, "(attributeID=cn)", base=SCHEMA_DN) == "zzz"
    assert found(box, "(attributeID=2.5.4.4)", base=SCHEMA_DN) == ""


def test_guids_in_text_and_escaped(box: KitForest) -> None:
    guid = box.row(ONE).guid
    escaped = "".join(f"\\{byte:02x}" for byte in guid)
    assert found(box, f"(objectGUID={escaped})") == "one"
    assert found(box, f"(objectGUID={UUID(bytes_le=guid)})") == "one"
    assert found(box, f"(seeAlso=<GUID={UUID(bytes_le=box.row(TWO).guid)}>)") == "one"


# --- links ---


def test_chains_go_both_ways(box: KitForest) -> None:
    """[MS-ADTS] 3.1.1.3.4.4.3."""
    second = f"CN=second,{USERS_DN}"
    assert found(box, f"(memberOf:{CHAIN}:={second})") == "one"
    assert found(box, f"(member:{CHAIN}:={ONE})", base=USERS_DN) == "first second"
    assert found(box, f"(memberOf:{CHAIN}:=CN=nobody,{USERS_DN})") == ""


def test_chains_of_values_with_data_look_at_the_object_alone(box: KitForest) -> None:
    assert found(box, f"(msDS-RevealedUsers:{CHAIN}:=B:2:ff:{TWO})") == "one"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (f"B:6:010203:{TWO}", True),
        (f"B:4:0102:{TWO}", True),
        (f"B:0::{TWO}", True),
        ("B:4:0102:", True),
        ("B:0::", True),
        (f"B:4:0103:{TWO}", False),
        (f"B:8:01020304:{TWO}", False),
        (f"B:4:0102:{ONE}", False),
    ],
)
def test_values_with_data_by_their_first_bytes(box: KitForest, value: str, expected: bool) -> None:
    """[MS-ADTS] 3.1.1.3.4.4.4."""
    assert found(box, f"(msDS-RevealedUsers:{WITH_DATA}:={value})") == ("one" if expected else "")
    stored = value.replace("01", "aa").replace("02", "bb").replace("03", "cc").replace("04", "dd")
    if "0103" in value:
        stored = f"B:4:aacc:{TWO}"
    assert found(box, f"(otherWellKnownObjects:{WITH_DATA}:={stored})") == ("box" if expected else "")


def test_equality_of_values_with_data_is_of_both_parts(box: KitForest) -> None:
    assert found(box, f"(msDS-RevealedUsers=B:6:010203:{TWO})") == "one"
    assert found(box, f"(msDS-RevealedUsers=B:4:0102:{TWO})") == ""
    assert found(box, f"(otherWellKnownObjects=B:6:AABBCC:{TWO})") == "box"


def test_values_that_name_deleted_objects_need_their_control(box: KitForest) -> None:
    """[MS-ADTS] 3.1.1.3.4.1.25: deactivated links."""
    shown = RequestOptions(show_deleted=True, show_deactivated_link=True)
    assert found(box, "(&(cn=empty)(member=*))", base=USERS_DN) == ""
    assert found(box, f"(member={GONE})", base=USERS_DN) == ""
    assert found(box, "(&(cn=empty)(member=*))", shown, USERS_DN) == "empty"
    assert found(box, f"(member={GONE})", shown, USERS_DN) == "empty"
    assert found(box, "(&(cn=empty)(!(member=*)))", base=USERS_DN) == "empty"


@pytest.mark.parametrize(
    "name", ["canonicalName", "tokenGroups", "modifyTimeStamp", "msds-memberOfTransitive"]
)
def test_constructed_attributes_cannot_be_searched_for(box: KitForest, name: str) -> None:
    """[MS-ADTS] 3.1.1.3.1.3.1."""
    for wanted in (f"({name}=*)", f"(!({name}=x))", f"(|(cn=one)({name}=x))"):
        with pytest.raises(DsError) as caught:
            ask(box, BOX, SUBTREE, wanted, who=SYSTEM)
        assert caught.value.code == 8238
        assert ldap_face(caught.value)[0] == LdapResult.INAPPROPRIATE_MATCHING
