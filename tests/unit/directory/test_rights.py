"""What a descriptor lets a requester see: each rule with the case that it denies."""

import pytest

from addc.base.errors import DsError
from addc.codec.filter import parse_text
from addc.codes.win32 import Win32
from addc.directory import rights
from addc.directory.context import ReadContext
from addc.directory.controls import PLAIN, RequestOptions
from addc.directory.delete import delete_object
from addc.directory.search import BASE, SUBTREE, SearchRequest, search
from addc.schema import attr
from addc.security import sddl, wellknown
from addc.security.descriptor import SecurityDescriptor
from addc.security.token import SYSTEM, Privilege, Token, build_token
from tests.kit.corp import Corp
from tests.kit.forest import CONFIG_DN, DOMAIN_DN, DOMAIN_SID, USERS_DN, ForestBuilder, KitForest

SEALED = RequestOptions(confidential=True)
READ_MAIL = "bf967961-0de6-11d0-a285-00aa003049e2"
PERSONAL_INFORMATION = "77b5b886-944a-11d1-aebd-0000f80367c1"
TELEPHONE = "bf967a49-0de6-11d0-a285-00aa003049e2"


def read(
    forest: KitForest,
    who: Token,
    dn: str,
    attributes: tuple[str, ...],
    options: RequestOptions = PLAIN,
    wanted: str = "(objectClass=*)",
) -> dict[str, list[bytes]]:
    request = SearchRequest(dn, BASE, parse_text(wanted), attributes, options=options)
    found = forest.read(lambda ctx: search(ctx, request), who)
    return {name.decode(): values for entry in found.entries for name, values in entry.attributes}


def matches(
    forest: KitForest, who: Token, wanted: str, options: RequestOptions = PLAIN, base: str = DOMAIN_DN
) -> bool:
    request = SearchRequest(base, SUBTREE, parse_text(wanted), ("1.1",), options=options)
    return bool(forest.read(lambda ctx: search(ctx, request), who).entries)


@pytest.fixture
def alice(sqlite_forest: KitForest) -> Token:
    return sqlite_forest.token(f"CN=alice,{USERS_DN}")


def test_without_read_property_nothing_is_shown_or_matched(sqlite_forest: KitForest, alice: Token) -> None:
    dn = sqlite_forest.build(lambda b: b.user("veiled", 1200, {"mail": "v@x"}, "D:(A;;LC;;;AU)"))
    assert read(sqlite_forest, alice, dn, ("mail", "cn", "objectSid", "memberOf")) == {}
    assert not matches(sqlite_forest, alice, "(mail=v@x)")
    assert not matches(sqlite_forest, alice, "(mail=*)", base=dn)
    assert matches(sqlite_forest, alice, "(objectClass=*)", base=dn), "its existence is no secret here"
    assert matches(sqlite_forest, alice, "(!(mail=v@x))", base=dn), "as if it had no mail"
    assert matches(sqlite_forest, alice, "(!(mail=other))", base=dn), "whatever the value is"
    assert matches(sqlite_forest, SYSTEM, "(mail=v@x)")


def test_a_right_on_one_attribute_shows_that_one(sqlite_forest: KitForest, alice: Token) -> None:
    acl = f"D:(OA;;RP;{READ_MAIL};;AU)"
    dn = sqlite_forest.build(lambda b: b.user("partly", 1201, {"mail": "p@x", "sn": "P"}, acl))
    assert read(sqlite_forest, alice, dn, ("mail", "sn", "cn")) == {"mail": [b"p@x"]}
    assert matches(sqlite_forest, alice, "(mail=p@x)")
    assert not matches(sqlite_forest, alice, "(&(mail=p@x)(sn=P))")


def test_a_property_set_covers_its_attributes_only(sqlite_forest: KitForest, alice: Token) -> None:
    acl = f"D:(OA;;RP;{PERSONAL_INFORMATION};;AU)"
    values = {"telephoneNumber": "1", "mail": "s@x"}
    dn = sqlite_forest.build(lambda b: b.user("set", 1202, values, acl))
    assert read(sqlite_forest, alice, dn, ("telephoneNumber", "mail")) == {"telephoneNumber": [b"1"]}


def test_a_deny_on_one_attribute_hides_that_one(sqlite_forest: KitForest, alice: Token) -> None:
    acl = f"D:(OD;;RP;{TELEPHONE};;AU)(A;;RP;;;AU)"
    values = {"telephoneNumber": "1", "mail": "d@x"}
    dn = sqlite_forest.build(lambda b: b.user("deny", 1203, values, acl))
    assert read(sqlite_forest, alice, dn, ("telephoneNumber", "mail")) == {"mail": [b"d@x"]}
    assert not matches(sqlite_forest, alice, "(telephoneNumber=1)")
    assert "telephoneNumber" not in read(sqlite_forest, alice, dn, ())


def test_secrets_are_never_read_not_even_by_the_system(sqlite_forest: KitForest) -> None:
    secret = {"unicodePwd": b"0123456789abcdef", "supplementalCredentials": b"x", "trustAuthIncoming": b"y"}
    dn = sqlite_forest.build(lambda b: b.user("keeper", 1204, secret, "D:(A;;GA;;;WD)"))
    admin = sqlite_forest.token(f"CN=Administrator,{USERS_DN}")
    for who in (SYSTEM, admin):
        assert read(sqlite_forest, who, dn, tuple(secret), SEALED) == {}
        assert not set(secret) & set(read(sqlite_forest, who, dn, ("*",), SEALED))
        assert not matches(sqlite_forest, who, "(unicodePwd=*)", SEALED)
        assert not matches(sqlite_forest, who, "(unicodePwd=0123456789abcdef)", SEALED)
        assert matches(sqlite_forest, who, "(!(unicodePwd=*))", SEALED, dn)


def test_confidential_attributes_need_control_access(sqlite_forest: KitForest, alice: Token) -> None:
    name = next(
        one.name
        for one in sqlite_forest.schema.attributes
        if one.is_confidential and one.syntax.name == "String(Unicode)" and not one.is_constructed
    )
    guid = sqlite_forest.schema.attribute(name)
    assert guid is not None

    def work(b: ForestBuilder) -> tuple[str, str]:
        plain = b.user("c1", 1205, {name: "x1"}, "D:(A;;RP;;;AU)")
        trusted = b.user("c2", 1206, {name: "x2"}, f"D:(A;;RP;;;AU)(OA;;CR;{guid.schema_id_guid};;AU)")
        return plain, trusted

    plain, trusted = sqlite_forest.build(work)
    assert read(sqlite_forest, alice, plain, (name,), SEALED) == {}
    assert not matches(sqlite_forest, alice, f"({name}=x1)", SEALED)
    assert not matches(sqlite_forest, alice, f"({name}=*)", SEALED, plain)
    assert read(sqlite_forest, alice, trusted, (name,), SEALED) == {name: [b"x2"]}
    assert matches(sqlite_forest, alice, f"({name}=x2)", SEALED)
    assert read(sqlite_forest, alice, trusted, (name,)) == {}, "not over a connection in the clear"
    assert not matches(sqlite_forest, alice, f"({name}=x2)")


def test_heuristics_can_lift_the_encryption_rule(sqlite_forest: KitForest, alice: Token) -> None:
    name = next(
        one.name
        for one in sqlite_forest.schema.attributes
        if one.is_confidential and one.syntax.name == "String(Unicode)" and not one.is_constructed
    )
    service = f"CN=Directory Service,CN=Windows NT,CN=Services,{CONFIG_DN}"

    def work(b: ForestBuilder) -> str:
        row = b.tx.get(b.row(service))
        assert row is not None
        heuristics = b"000000000100000000020000000003" + b"1"
        b.tx.update(row, attrs={**row.attrs, attr.DS_HEURISTICS: (heuristics,)})
        return b.user("c3", 1207, {name: "x3"}, "D:(A;;RPCR;;;AU)")

    dn = sqlite_forest.build(work)
    assert read(sqlite_forest, alice, dn, (name,)) == {name: [b"x3"]}


def _with(user: int, privileges: Privilege) -> Token:
    return build_token(DOMAIN_SID.child(user), (), privileges)


def test_descriptor_parts_follow_read_control_and_privilege(sqlite_forest: KitForest) -> None:
    acl = f"O:DAG:DAD:(A;;RCRP;;;{DOMAIN_SID.child(1300)})(A;;RP;;;AU)S:(AU;SA;WP;;;WD)"
    dn = sqlite_forest.build(lambda b: b.user("sd", 1208, {}, acl))
    reader = _with(1300, Privilege(0))
    auditor = _with(1300, Privilege.SE_SECURITY)
    nobody = _with(1301, Privilege(0))
    sd = ("nTSecurityDescriptor",)
    dacl = RequestOptions(sd_flags=4)
    assert read(sqlite_forest, nobody, dn, sd) == {}
    assert read(sqlite_forest, nobody, dn, sd, dacl) == {}
    assert read(sqlite_forest, reader, dn, sd) == {}, "all four parts were asked for, SACL included"
    shown = SecurityDescriptor.unpack(read(sqlite_forest, reader, dn, sd, dacl)["nTSecurityDescriptor"][0])
    assert shown.dacl is not None
    assert (shown.owner, shown.sacl) == (None, None)
    whole = SecurityDescriptor.unpack(read(sqlite_forest, auditor, dn, sd)["nTSecurityDescriptor"][0])
    assert whole.sacl is not None and whole.owner == DOMAIN_SID.child(512)
    assert "nTSecurityDescriptor" not in read(sqlite_forest, auditor, dn, ("*",))
    assert "nTSecurityDescriptor" not in read(sqlite_forest, nobody, dn, ("*",), dacl)


def test_principal_self_is_the_object_itself(sqlite_forest: KitForest, alice: Token) -> None:
    def work(b: ForestBuilder) -> tuple[str, str]:
        own = b.user("me", 1209, {"mail": "me@x"}, "D:(A;;RP;;;PS)")
        return own, b.user("you", 1210, {"mail": "you@x"}, "D:(A;;RP;;;PS)")

    mine, yours = sqlite_forest.build(work)
    me = build_token(DOMAIN_SID.child(1209))
    assert read(sqlite_forest, me, mine, ("mail",)) == {"mail": [b"me@x"]}
    assert read(sqlite_forest, me, yours, ("mail",)) == {}, "the same descriptor, another object"
    assert read(sqlite_forest, alice, mine, ("mail",)) == {}


def test_grants_are_kept_apart_by_requester(sqlite_forest: KitForest, alice: Token) -> None:
    acl = f"D:(A;;RP;;;{DOMAIN_SID.child(1101)})"
    dn = sqlite_forest.build(lambda b: b.user("kept", 1211, {"mail": "k@x"}, acl))
    bob = sqlite_forest.token(f"CN=bob,{USERS_DN}")
    for _ in range(2):
        assert read(sqlite_forest, alice, dn, ("mail",)) == {"mail": [b"k@x"]}
        assert read(sqlite_forest, bob, dn, ("mail",)) == {}


def test_a_changed_descriptor_counts_at_once(sqlite_forest: KitForest, alice: Token) -> None:
    from addc.security import sddl  # noqa: PLC0415

    dn = sqlite_forest.build(lambda b: b.user("turn", 1212, {"mail": "t@x"}, "D:(A;;RP;;;AU)"))
    assert read(sqlite_forest, alice, dn, ("mail",)) == {"mail": [b"t@x"]}

    def close(b: ForestBuilder) -> None:
        row = b.tx.get(b.row(dn))
        assert row is not None
        b.tx.update(row, sd_id=b.tx.put_descriptor(sddl.parse("D:", DOMAIN_SID, DOMAIN_SID).pack()))

    sqlite_forest.build(close)
    assert read(sqlite_forest, alice, dn, ("mail",)) == {}


def test_require_and_the_writing_rights_deny(sqlite_forest: KitForest, alice: Token) -> None:
    mail = sqlite_forest.schema.attribute("mail")
    user = sqlite_forest.schema.class_("user")
    assert mail is not None and user is not None
    row = sqlite_forest.row(f"CN=bob,{USERS_DN}")
    right = rights.READ_PARTITION_SECRETS

    def denied() -> list[bool]:
        return sqlite_forest.read(
            lambda ctx: [
                rights.can_write(ctx, row, mail),
                rights.can_create_child(ctx, row, user),
                rights.can_delete_child(ctx, row, user),
                rights.holds_right(ctx, row, right),
                rights.holds_validated_write(ctx, row, right),
                rights.allows(ctx, row, rights.DELETE),
                bool(rights.writable_sd_parts(ctx, row)),
            ],
            alice,
        )

    assert denied() == [False] * 7
    with pytest.raises(DsError) as caught:
        sqlite_forest.read(lambda ctx: rights.require(ctx, row, rights.WRITE_DAC), alice)
    assert caught.value.code == Win32.ERROR_DS_INSUFF_ACCESS_RIGHTS
    admin = sqlite_forest.token(f"CN=Administrator,{USERS_DN}")
    sqlite_forest.read(lambda ctx: rights.require(ctx, row, rights.WRITE_DAC), admin)
    assert sqlite_forest.read(lambda ctx: rights.holds_right(ctx, row, right), admin)


def test_partition_secrets_need_their_right_on_the_root(sqlite_forest: KitForest, alice: Token) -> None:
    found = [one for one in sqlite_forest.schema.attributes if one.search_flags & rights.PARTITION_SECRET]
    row = sqlite_forest.row(f"CN=bob,{USERS_DN}")

    def readable(ctx: ReadContext) -> list[bool]:
        return [rights.can_read(ctx, row, one) for one in found]

    assert not any(sqlite_forest.read(readable, alice))


def test_a_null_dacl_lets_everybody_in(sqlite_forest: KitForest) -> None:
    dn = sqlite_forest.build(lambda b: b.user("open", 1213, {"mail": "o@x"}, "O:DA"))
    stranger = build_token(wellknown.BUILTIN_GUESTS)
    assert read(sqlite_forest, stranger, dn, ("mail",)) == {"mail": [b"o@x"]}


def test_no_chain_tells_what_its_links_do_not(sqlite_forest: KitForest, alice: Token) -> None:
    def work(b: ForestBuilder) -> tuple[str, str]:
        names = ("outer", "middle", "inner")
        groups = [b.group(name, DOMAIN_SID.child(1400 + number)) for number, name in enumerate(names)]
        veiled = b.user("member", 1410, {}, "D:(A;;RP;;;AU)")
        b.link(groups[0], "member", groups[1])
        b.link(groups[1], "member", groups[2])
        b.link(groups[2], "member", veiled)
        return groups[0], veiled

    outer, veiled = sqlite_forest.build(work)

    def asked() -> list[bool]:
        up = f"(member:1.2.840.113556.1.4.1941:={veiled})"
        down = f"(memberOf:1.2.840.113556.1.4.1941:={outer})"
        members = read(sqlite_forest, alice, outer, ("msds-memberTransitive",))
        groups = read(sqlite_forest, alice, veiled, ("msds-memberOfTransitive",))
        return [
            matches(sqlite_forest, alice, up, base=outer),
            matches(sqlite_forest, alice, down, base=veiled),
            veiled.encode() in members.get("msds-memberTransitive", ()),
            outer.encode() in groups.get("msds-memberOfTransitive", ()),
        ]

    assert asked() == [True] * 4

    def hide(b: ForestBuilder) -> None:
        row = b.tx.get(b.row(f"CN=middle,{USERS_DN}"))
        assert row is not None
        closed = sddl.parse("D:(A;;LC;;;AU)", DOMAIN_SID, DOMAIN_SID)
        b.tx.update(row, sd_id=b.tx.put_descriptor(closed.pack()))

    sqlite_forest.build(hide)
    assert asked() == [False] * 4


def test_who_may_create_units_in_a_unit_creates_nothing_else(corp_sqlite: Corp) -> None:
    corp = corp_sqlite
    corp.user("joe", "Tr0ub4dor&3")
    joe, domain = corp.token("joe"), corp.forest.domain_sid
    unit = corp.schema.class_("organizationalUnit")
    assert unit is not None
    made = sddl.parse(f"D:(A;;LCRP;;;AU)(OA;;CCDC;{unit.schema_id_guid};;{joe.user})", domain, domain)
    corp.add("OU=dept", "organizationalUnit", nTSecurityDescriptor=made.pack())
    corp.add("CN=x,OU=dept", "container")
    corp.add("OU=inner,OU=dept", "organizationalUnit", joe)
    with pytest.raises(DsError) as refused:
        corp.add("CN=y,OU=dept", "user", joe, sAMAccountName="y")
    assert refused.value.code == Win32.ERROR_DS_INSUFF_ACCESS_RIGHTS
    with pytest.raises(DsError) as refused:
        corp.write(lambda ctx: delete_object(ctx, corp.dn("CN=x,OU=dept")), joe)
    assert refused.value.code == Win32.ERROR_DS_INSUFF_ACCESS_RIGHTS
