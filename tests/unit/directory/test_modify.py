"""Changing attributes: semantics, exact refusals, rights, descriptors, account rules."""

from collections.abc import Callable

import pytest

from addc.base.errors import DsError
from addc.base.ids import Dnt
from addc.codes.ldap_result import LdapResult
from addc.codes.win32 import Win32
from addc.directory import passwords, rights
from addc.directory.context import WriteContext
from addc.directory.controls import RequestOptions
from addc.directory.delete import delete_object
from addc.directory.modify import modify_object
from addc.directory.rename import rename_object
from addc.schema import attr
from addc.schema.wellknown import ValidatedWrite
from addc.security import sddl, wellknown
from addc.security.access_mask import AccessMask
from addc.security.descriptor import ACCESS_ALLOWED, ACCESS_ALLOWED_OBJECT, Ace, Acl, SecurityDescriptor
from addc.security.token import SYSTEM
from tests.kit.corp import Corp, add_values, delete_values, has_password, quoted, replace_values
from tests.kit.corp_forest import DOMAIN_DN
from tests.kit.refusals import refusal

PASSWORD = "Tr0ub4dor&3"
ANN = "CN=ann,CN=Users"
PERMISSIVE = RequestOptions(permissive_modify=True)
NO_RIGHTS = Win32.ERROR_DS_INSUFF_ACCESS_RIGHTS


@pytest.fixture
def ann(corp: Corp) -> Dnt:
    return corp.user("ann")


@pytest.fixture
def anne(corp_sqlite: Corp) -> Dnt:
    return corp_sqlite.user("ann")


def descriptor(corp: Corp, dn: str | Dnt) -> SecurityDescriptor:
    row = corp.row(dn)
    return corp.read(lambda ctx: rights.descriptor(ctx, row))


def grant(corp: Corp, dn: str, *aces: Ace) -> None:
    """Put ACEs before the others of an object's DACL."""
    sd = descriptor(corp, dn)
    assert sd.dacl is not None
    dacl = Acl(4, (*aces, *sd.dacl.aces))
    changed = SecurityDescriptor(sd.control, sd.owner, sd.group, sd.sacl, dacl)
    corp.modify(dn, replace_values("nTSecurityDescriptor", changed.pack()), requester=SYSTEM)


# --- values ------------------------------------------------------------------------------------------------


def test_a_change_moves_usn_stamp_and_time(corp: Corp, ann: Dnt) -> None:
    before = corp.row(ann)
    corp.later(5)
    corp.modify(ANN, replace_values("description", "one"))
    row = corp.row(ann)
    stamp = row.meta[attr.DESCRIPTION]
    assert row.usn_changed > before.usn_changed and row.usn_created == before.usn_created
    assert (stamp.version, stamp.originating_usn, stamp.local_usn) == (1, row.usn_changed, row.usn_changed)
    assert stamp.time_ft == corp.now and stamp.invocation_id == corp.forest.invocation_id.bytes_le
    assert corp.text(ann, "whenChanged") == "20250818141325.0Z"
    assert row.meta[attr.SAM_ACCOUNT_NAME] == before.meta[attr.SAM_ACCOUNT_NAME]
    corp.modify(ANN, delete_values("description"))
    assert corp.values(ann, "description") == [] and corp.version(ann, attr.DESCRIPTION) == 2
    corp.modify(ANN, add_values("description", "two"))
    assert corp.version(ann, attr.DESCRIPTION) == 3


def test_one_request_is_one_usn(corp: Corp, ann: Dnt) -> None:
    before = corp.read(lambda ctx: ctx.tx.usn)
    corp.modify(ANN, replace_values("description", "one"), replace_values("displayName", "Ann"))
    assert corp.read(lambda ctx: ctx.tx.usn) == before + 1


def test_what_changes_nothing_stamps_nothing(corp: Corp, ann: Dnt) -> None:
    corp.modify(ANN, replace_values("description", "one"))
    before = corp.row(ann)
    corp.modify(ANN, replace_values("description", "one"))
    assert corp.row(ann).usn_changed == before.usn_changed


def test_a_change_is_indexed(corp: Corp, ann: Dnt) -> None:
    corp.modify(ANN, replace_values("displayName", "Ann"))
    corp.modify(ANN, replace_values("displayName", "Anna"))
    found = corp.read(lambda ctx: [ctx.tx.index_eq(attr.DISPLAY_NAME, key) for key in (b"ann", b"anna")])
    assert found == [[], [ann]]


def test_values_are_added_deleted_and_replaced(corp: Corp, ann: Dnt) -> None:
    corp.modify(ANN, add_values("url", "a", "b"))
    corp.modify(ANN, delete_values("url", "a"), add_values("url", "c"))
    assert sorted(corp.values(ann, "url")) == [b"b", b"c"]
    corp.modify(ANN, replace_values("url", "d"))
    assert corp.values(ann, "url") == [b"d"]
    corp.modify(ANN, replace_values("url"))
    assert corp.values(ann, "url") == []


def test_what_is_there_or_missing_is_refused_exactly(corp_sqlite: Corp, anne: Dnt) -> None:
    modify = corp_sqlite.modify
    modify(ANN, add_values("url", "a"))
    assert refusal(lambda: modify(ANN, add_values("url", "a"))) == (
        LdapResult.ATTRIBUTE_OR_VALUE_EXISTS,
        Win32.ERROR_DS_ATT_VAL_ALREADY_EXISTS,
    )
    assert refusal(lambda: modify(ANN, delete_values("url", "x"))) == (
        LdapResult.NO_SUCH_ATTRIBUTE,
        Win32.ERROR_DS_CANT_REM_MISSING_ATT_VAL,
    )
    assert refusal(lambda: modify(ANN, delete_values("info"))) == (
        LdapResult.NO_SUCH_ATTRIBUTE,
        Win32.ERROR_DS_ATT_IS_NOT_ON_OBJ,
    )
    modify(ANN, add_values("displayName", "Ann"))
    assert refusal(lambda: modify(ANN, add_values("displayName", "Anna"))) == (
        LdapResult.ATTRIBUTE_OR_VALUE_EXISTS,
        Win32.ERROR_DS_SINGLE_VALUE_CONSTRAINT,
    )
    assert refusal(lambda: modify(ANN, replace_values("displayName", "a", "b"))) == (
        LdapResult.ATTRIBUTE_OR_VALUE_EXISTS,
        Win32.ERROR_DS_SINGLE_VALUE_CONSTRAINT,
    )
    assert refusal(lambda: modify("CN=nobody,CN=Users", replace_values("info", "x")))[1] is (
        Win32.ERROR_DS_OBJ_NOT_FOUND
    )


def test_a_permissive_modify_forgives(corp: Corp, ann: Dnt) -> None:
    corp.modify(ANN, add_values("url", "a"))
    corp.modify(
        ANN,
        add_values("url", "a", "b"),
        delete_values("url", "x"),
        delete_values("info"),
        options=PERMISSIVE,
    )
    assert sorted(corp.values(ann, "url")) == [b"a", b"b"]


def test_nothing_of_a_refused_request_stays(corp: Corp, ann: Dnt) -> None:
    refusal(lambda: corp.modify(ANN, replace_values("description", "x"), delete_values("info")))
    assert corp.values(ann, "description") == []


def test_attributes_that_nobody_modifies(corp_sqlite: Corp, anne: Dnt) -> None:
    def result(attribute: str, value: str | bytes) -> tuple[LdapResult | None, Win32]:
        return refusal(lambda: corp_sqlite.modify(ANN, replace_values(attribute, value)))

    assert result("cn", "x") == (LdapResult.NOT_ALLOWED_ON_RDN, Win32.ERROR_DS_CANT_MOD_SYSTEM_ONLY)
    assert result("name", "x") == (LdapResult.NOT_ALLOWED_ON_RDN, Win32.ERROR_DS_CANT_MOD_SYSTEM_ONLY)
    assert result("canonicalName", "x") == (
        LdapResult.CONSTRAINT_VIOLATION,
        Win32.ERROR_DS_CONSTRUCTED_ATT_MOD,
    )
    assert result("whenCreated", "x") == (
        LdapResult.CONSTRAINT_VIOLATION,
        Win32.ERROR_DS_CANT_MOD_SYSTEM_ONLY,
    )
    assert result("directReports", DOMAIN_DN) == (
        LdapResult.CONSTRAINT_VIOLATION,
        Win32.ERROR_DS_CANT_MOD_SYSTEM_ONLY,
    )
    assert result("objectSid", b"\1") == (
        LdapResult.UNWILLING_TO_PERFORM,
        Win32.ERROR_DS_ATTRIBUTE_OWNED_BY_SAM,
    )
    assert result("noSuch", "x") == (LdapResult.NO_SUCH_ATTRIBUTE, Win32.ERROR_INVALID_PARAMETER)
    assert result("location", "x") == (
        LdapResult.OBJECT_CLASS_VIOLATION,
        Win32.ERROR_DS_ATT_NOT_DEF_FOR_CLASS,
    )


def test_sid_history_only_shrinks(corp_sqlite: Corp, anne: Dnt) -> None:
    """A value is as good as membership in the group it names, which rights on the object do not give."""
    admins = bytes(corp_sqlite.forest.domain_sid.child(512))
    for change in (replace_values("sIDHistory", admins), add_values("sIDHistory", admins)):
        refused = refusal(lambda change=change: corp_sqlite.modify(ANN, change))  # type: ignore[misc]
        assert refused == (None, Win32.ERROR_ACCESS_DENIED)
    corp_sqlite.modify(ANN, add_values("sIDHistory", admins), requester=SYSTEM)
    corp_sqlite.modify(ANN, delete_values("sIDHistory", admins))
    assert corp_sqlite.values(ANN, "sIDHistory") == []


def test_mandatory_attributes_stay(corp_sqlite: Corp) -> None:
    corp_sqlite.add("CN=v,CN=Users", "volume", uNCName="\\\\dc1\\x")
    refused = refusal(lambda: corp_sqlite.modify("CN=v,CN=Users", delete_values("uNCName")))
    assert refused == (LdapResult.OBJECT_CLASS_VIOLATION, Win32.ERROR_DS_MISSING_REQUIRED_ATT)


def test_an_account_has_one_description(corp_sqlite: Corp, anne: Dnt) -> None:
    corp_sqlite.modify(ANN, add_values("description", "one"))
    refused = refusal(lambda: corp_sqlite.modify(ANN, add_values("description", "two")))
    assert refused == (LdapResult.ATTRIBUTE_OR_VALUE_EXISTS, Win32.ERROR_DS_SINGLE_VALUE_CONSTRAINT)


def test_an_auxiliary_class_comes_and_goes(corp: Corp, ann: Dnt) -> None:
    corp.modify(ANN, add_values("objectClass", "posixAccount"))
    assert b"posixAccount" in corp.values(ann, "objectClass")
    corp.modify(ANN, delete_values("objectClass", "posixAccount"))
    assert b"posixAccount" not in corp.values(ann, "objectClass")
    refused = refusal(lambda: corp.modify(ANN, add_values("objectClass", "computer")))
    assert refused == (LdapResult.OBJECT_CLASS_VIOLATION, Win32.ERROR_DS_ILLEGAL_MOD_OPERATION)


def test_heuristics_count_their_tens(corp_sqlite: Corp) -> None:
    dn = f"CN=Directory Service,CN=Windows NT,CN=Services,CN=Configuration,{DOMAIN_DN}"
    refused = refusal(lambda: corp_sqlite.modify(dn, replace_values("dSHeuristics", "0000000000")))
    assert refused == (LdapResult.CONSTRAINT_VIOLATION, Win32.ERROR_DS_CONSTRAINT_VIOLATION)
    corp_sqlite.modify(dn, replace_values("dSHeuristics", "0000000001"))


def test_the_schema_stays_as_it_is(corp_sqlite: Corp) -> None:
    dn = f"CN=Person,CN=Schema,CN=Configuration,{DOMAIN_DN}"
    refused = refusal(lambda: corp_sqlite.modify(dn, replace_values("isDefunct", "TRUE")))
    assert refused == (LdapResult.UNWILLING_TO_PERFORM, Win32.ERROR_DS_ILLEGAL_BASE_SCHEMA_MOD)


# --- rights ------------------------------------------------------------------------------------------------


def test_others_may_not_write(corp: Corp, ann: Dnt) -> None:
    corp.user("joe", PASSWORD)
    joe = corp.token("joe")
    refused = refusal(lambda: corp.modify(ANN, replace_values("description", "x"), requester=joe))
    assert refused[1] is NO_RIGHTS


def test_self_may_write_personal_information_only(corp: Corp) -> None:
    corp.user("joe", PASSWORD)
    joe = corp.token("joe")
    corp.modify("CN=joe,CN=Users", replace_values("telephoneNumber", "1"), requester=joe)
    for attribute in ("description", "sAMAccountName", "userAccountControl", "servicePrincipalName"):
        refused = refusal(
            lambda attribute=attribute: corp.modify(  # type: ignore[misc]
                "CN=joe,CN=Users", replace_values(attribute, "1"), requester=joe
            )
        )
        assert refused[1] is NO_RIGHTS, attribute


def test_a_property_set_grants_its_attributes(corp_sqlite: Corp, anne: Dnt) -> None:
    corp_sqlite.user("joe", PASSWORD)
    public = corp_sqlite.schema.attribute("displayName")
    assert public is not None and public.attribute_security_guid_wire is not None
    ace = Ace(
        ACCESS_ALLOWED_OBJECT,
        0,
        int(AccessMask.RIGHT_DS_WRITE_PROPERTY),
        corp_sqlite.sid("CN=joe,CN=Users"),
        object_type=public.attribute_security_guid_wire,
    )
    grant(corp_sqlite, ANN, ace)
    joe = corp_sqlite.token("joe")
    corp_sqlite.modify(ANN, replace_values("displayName", "Ann"), requester=joe)
    refused = refusal(lambda: corp_sqlite.modify(ANN, replace_values("info", "x"), requester=joe))
    assert refused[1] is NO_RIGHTS


def allow_validated(corp: Corp, dn: str, right: bytes, name: str) -> None:
    mask = int(AccessMask.RIGHT_DS_WRITE_PROPERTY_EXTENDED)
    grant(corp, dn, Ace(ACCESS_ALLOWED_OBJECT, 0, mask, corp.token(name).user, object_type=right))


def test_self_membership_lets_one_join_and_leave(corp: Corp) -> None:
    corp.user("joe", PASSWORD)
    corp.user("ann")
    corp.group("club")
    club, joe_dn = "CN=club,CN=Users", corp.dn("CN=joe,CN=Users")
    allow_validated(corp, club, ValidatedWrite.SELF_MEMBERSHIP.bytes_le, "joe")
    joe = corp.token("joe")
    corp.modify(club, add_values("member", joe_dn), requester=joe)
    assert corp.values(club, "member") == [joe_dn.encode()]
    refused = refusal(lambda: corp.modify(club, add_values("member", corp.dn(ANN)), requester=joe))
    assert refused[0] is LdapResult.CONSTRAINT_VIOLATION
    refused = refusal(lambda: corp.modify(club, replace_values("member", joe_dn), requester=joe))
    assert refused[1] is NO_RIGHTS
    corp.modify(club, delete_values("member", joe_dn), requester=joe)
    assert corp.values(club, "member") == []


@pytest.mark.parametrize(
    ("attribute", "value", "good"),
    [
        ("dNSHostName", "pc1.corp.example.com", True),
        ("dNSHostName", "PC1.CORP.example.com", True),
        ("dNSHostName", "dc1.corp.example.com", False),
        ("dNSHostName", "pc1.example.org", False),
        ("servicePrincipalName", "HTTP/pc1", True),
        ("servicePrincipalName", "HTTP/pc1.corp.example.com:8080", True),
        ("servicePrincipalName", "HTTP/pc1:instance", False),
        ("servicePrincipalName", "HTTP/pc2", False),
        ("servicePrincipalName", "ldap/pc1/corp.example.com", False),
        ("servicePrincipalName", "nonsense", False),
    ],
)
def test_a_machine_names_itself_only(corp_sqlite: Corp, attribute: str, value: str, good: bool) -> None:
    dn = "CN=pc1,CN=Computers"
    corp_sqlite.add(
        dn, "computer", sAMAccountName="pc1$", dNSHostName="pc1.corp.example.com", userAccountControl="4128"
    )
    machine = corp_sqlite.token("pc1$")
    change = replace_values(attribute, value)
    if good:
        corp_sqlite.modify(dn, change, requester=machine)
        assert corp_sqlite.text(dn, attribute) == value
    else:
        assert refusal(lambda: corp_sqlite.modify(dn, change, requester=machine))[0] is (
            LdapResult.CONSTRAINT_VIOLATION
        )


def test_a_new_host_name_counts_for_the_spns_beside_it(corp_sqlite: Corp) -> None:
    dn = "CN=pc1,CN=Computers"
    corp_sqlite.add(dn, "computer", sAMAccountName="pc1$", userAccountControl="4128")
    corp_sqlite.modify(
        dn,
        replace_values("servicePrincipalName", "HOST/pc1.corp.example.com"),
        replace_values("dNSHostName", "pc1.corp.example.com"),
        requester=corp_sqlite.token("pc1$"),
    )


# --- uniqueness --------------------------------------------------------------------------------------------


def test_principal_names_are_unique(corp: Corp, ann: Dnt) -> None:
    corp.user("joe", userPrincipalName="joe@corp.example.com", servicePrincipalName="http/web")
    modify = corp.modify
    assert refusal(lambda: modify(ANN, replace_values("userPrincipalName", "JOE@corp.example.com"))) == (
        LdapResult.CONSTRAINT_VIOLATION,
        Win32.ERROR_DS_UPN_VALUE_NOT_UNIQUE_IN_FOREST,
    )
    assert refusal(lambda: modify(ANN, replace_values("servicePrincipalName", "HTTP/web"))) == (
        LdapResult.CONSTRAINT_VIOLATION,
        Win32.ERROR_DS_SPN_VALUE_NOT_UNIQUE_IN_FOREST,
    )
    assert refusal(lambda: modify(ANN, replace_values("sAMAccountName", "joe")))[1] is (
        Win32.ERROR_USER_EXISTS
    )
    assert refusal(lambda: modify(ANN, replace_values("servicePrincipalName", "no-slash"))) == (
        LdapResult.CONSTRAINT_VIOLATION,
        Win32.ERROR_DS_NAME_REFERENCE_INVALID,
    )
    modify(ANN, replace_values("sAMAccountName", "ANN"))


# --- members -----------------------------------------------------------------------------------------------


def test_members_come_and_go_with_stamps_of_their_own(corp: Corp, ann: Dnt) -> None:
    group = corp.group("club")
    club, ann_dn = "CN=club,CN=Users", corp.dn(ANN)
    before = corp.row(group)
    corp.later(1)
    corp.modify(club, add_values("member", ann_dn))
    row = corp.row(group)
    assert row.usn_changed > before.usn_changed and attr.MEMBER not in row.meta
    assert corp.row(ann).usn_changed == corp.row(ann).usn_created
    link = corp.read(lambda ctx: ctx.tx.link(1, group, ann))
    assert link is not None and link.stamp.version == 1 and link.created_ft == corp.now
    assert link.stamp.local_usn == row.usn_changed
    assert corp.values(ann, "memberOf") == [corp.dn(club).encode()]
    assert refusal(lambda: corp.modify(club, add_values("member", ann_dn))) == (
        LdapResult.ENTRY_ALREADY_EXISTS,
        Win32.ERROR_MEMBER_IN_ALIAS,
    )
    corp.later(1)
    corp.modify(club, delete_values("member", ann_dn))
    gone = corp.read(lambda ctx: ctx.tx.link(1, group, ann))
    assert gone is not None and gone.deleted_ft == corp.now and gone.stamp.version == 2
    assert corp.values(ann, "memberOf") == []
    refused = refusal(lambda: corp.modify(club, delete_values("member", ann_dn)))
    assert refused == (LdapResult.UNWILLING_TO_PERFORM, Win32.ERROR_MEMBER_NOT_IN_ALIAS)
    corp.modify(club, add_values("member", ann_dn))
    back = corp.read(lambda ctx: ctx.tx.link(1, group, ann))
    assert back is not None and not back.deleted and back.stamp.version == 3
    assert back.created_ft == link.created_ft


def test_replacing_members_touches_only_the_difference(corp: Corp, ann: Dnt) -> None:
    bob = corp.user("bob")
    carl = corp.user("carl")
    group = corp.group("club")
    club = "CN=club,CN=Users"
    dns = [corp.dn(f"CN={name},CN=Users") for name in ("ann", "bob", "carl")]
    corp.modify(club, add_values("member", dns[0], dns[1]))
    corp.modify(club, replace_values("member", dns[1], dns[2]))
    assert sorted(corp.values(group, "member")) == [dn.encode() for dn in dns[1:]]
    links = [corp.read(lambda ctx, one=one: ctx.tx.link(1, group, one)) for one in (ann, bob, carl)]  # type: ignore[misc]
    assert [link.stamp.version for link in links if link] == [2, 1, 1]
    corp.modify(club, delete_values("member"))
    assert corp.values(group, "member") == []
    refused = refusal(lambda: corp.modify(club, delete_values("member")))
    assert refused == (LdapResult.NO_SUCH_ATTRIBUTE, Win32.ERROR_DS_ATT_IS_NOT_ON_OBJ)


def test_groups_nest_as_their_scopes_allow(corp_sqlite: Corp) -> None:
    corp = corp_sqlite
    kinds = {"glob": -2147483646, "loc": -2147483644, "uni": -2147483640}
    for name, kind in kinds.items():
        corp.group(name, kind)
        corp.group(name + "2", kind)

    def nest(inner: str, outer: str) -> None:
        corp.modify(f"CN={outer},CN=Users", add_values("member", corp.dn(f"CN={inner},CN=Users")))

    for inner, outer in (
        ("glob", "loc"), ("glob", "uni"), ("glob", "glob2"), ("uni", "loc"), ("uni", "uni2"), ("loc", "loc2"),
    ):  # fmt: skip
        nest(inner, outer)
    for inner, outer, code in (
        ("loc", "glob", Win32.ERROR_DS_GLOBAL_CANT_HAVE_LOCAL_MEMBER),
        ("uni", "glob", Win32.ERROR_DS_GLOBAL_CANT_HAVE_UNIVERSAL_MEMBER),
        ("loc", "uni", Win32.ERROR_DS_UNIVERSAL_CANT_HAVE_LOCAL_MEMBER),
    ):
        with pytest.raises(DsError) as caught:
            nest(inner, outer)
        assert caught.value.code == code


def test_the_primary_group_swaps_memberships(corp: Corp, ann: Dnt) -> None:
    group = corp.group("club")
    club, rid = "CN=club,CN=Users", str(corp.sid(group).rid())
    refused = refusal(lambda: corp.modify(ANN, replace_values("primaryGroupID", rid)))
    assert refused == (LdapResult.UNWILLING_TO_PERFORM, Win32.ERROR_MEMBER_NOT_IN_GROUP)
    corp.modify(club, add_values("member", corp.dn(ANN)))
    corp.modify(ANN, replace_values("primaryGroupID", rid))
    assert corp.values(club, "member") == []
    assert corp.values(ann, "memberOf") == [corp.dn("CN=Domain Users,CN=Users").encode()]
    refused = refusal(lambda: corp.modify(club, add_values("member", corp.dn(ANN))))
    assert refused[0] is LdapResult.ENTRY_ALREADY_EXISTS


# --- accounts ----------------------------------------------------------------------------------------------


def test_enabling_takes_a_password(corp: Corp, ann: Dnt) -> None:
    refused = refusal(lambda: corp.modify(ANN, replace_values("userAccountControl", "512")))
    assert refused == (LdapResult.UNWILLING_TO_PERFORM, Win32.ERROR_PASSWORD_RESTRICTION)
    corp.modify(ANN, replace_values("unicodePwd", quoted(PASSWORD)))
    corp.modify(ANN, replace_values("userAccountControl", "512"))
    assert corp.text(ann, "userAccountControl") == "512"


@pytest.mark.parametrize(
    "value",
    [0x200 | 0x1000, 0x200 | 0x100, 0x800, 0x4000200],
    ids=["two kinds", "duplicate", "trust", "rodc"],
)
def test_some_account_controls_are_none(corp_sqlite: Corp, anne: Dnt, value: int) -> None:
    refused = refusal(lambda: corp_sqlite.modify(ANN, replace_values("userAccountControl", str(value))))
    trust = (None, Win32.ERROR_ACCESS_DENIED)
    assert refused == (trust if value == 0x800 else (LdapResult.OTHER, Win32.ERROR_INVALID_PARAMETER))


def test_account_operators_cannot_trust_for_delegation(corp_sqlite: Corp, anne: Dnt) -> None:
    corp_sqlite.user("op", PASSWORD)
    op = corp_sqlite.dn("CN=op,CN=Users")
    corp_sqlite.modify("CN=Account Operators,CN=Builtin", add_values("member", op))
    token = corp_sqlite.token("op")
    corp_sqlite.modify(ANN, replace_values("description", "x"), requester=token)
    for bits in (0x80222, 0x1000222):
        refused = refusal(
            lambda bits=bits: corp_sqlite.modify(  # type: ignore[misc]
                ANN, replace_values("userAccountControl", str(bits)), requester=token
            )
        )
        assert refused[1] is Win32.ERROR_ACCESS_DENIED
    refused = refusal(
        lambda: corp_sqlite.modify(ANN, replace_values("userAccountControl", "4130"), requester=token)
    )
    assert refused[0] is LdapResult.OBJECT_CLASS_VIOLATION


def test_transient_bits_are_not_kept(corp_sqlite: Corp, anne: Dnt) -> None:
    corp_sqlite.modify(ANN, replace_values("userAccountControl", str(0x800000 | 0x10 | 0x222)))
    assert corp_sqlite.text(anne, "userAccountControl") == str(0x222)


def test_smart_card_only_forgets_the_password(corp_sqlite: Corp) -> None:
    dnt = corp_sqlite.user("card", PASSWORD)
    corp_sqlite.modify("CN=card,CN=Users", replace_values("userAccountControl", str(0x40200)))
    row, old = corp_sqlite.row(dnt), passwords.password_of_text(PASSWORD)
    assert not has_password(row, old)
    assert passwords.stored_keys(row.attrs[attr.SUPPLEMENTAL_CREDENTIALS][0]) is None


def test_group_types_convert_over_universal(corp_sqlite: Corp) -> None:
    group = corp_sqlite.group("g")
    dn = "CN=g,CN=Users"
    refused = refusal(lambda: corp_sqlite.modify(dn, replace_values("groupType", "-2147483644")))
    assert refused[1] is Win32.ERROR_DS_INVALID_GROUP_TYPE
    corp_sqlite.modify(dn, replace_values("groupType", "-2147483640"))
    corp_sqlite.modify(dn, replace_values("groupType", "-2147483644"))
    assert corp_sqlite.text(group, "sAMAccountType") == str(0x20000000)


def test_unlocking_resets_the_count(corp_sqlite: Corp, anne: Dnt) -> None:
    corp_sqlite.modify(
        ANN, replace_values("lockoutTime", "5"), replace_values("badPwdCount", "3"), requester=SYSTEM
    )
    corp_sqlite.modify(ANN, replace_values("lockoutTime", "0"))
    assert corp_sqlite.text(anne, "badPwdCount") == "0"
    refused = refusal(lambda: corp_sqlite.modify(ANN, replace_values("lockoutTime", "7")))
    assert refused == (LdapResult.OTHER, Win32.ERROR_INVALID_PARAMETER)


def test_the_password_policy_of_the_domain_is_checked(corp_sqlite: Corp) -> None:
    refused = refusal(lambda: corp_sqlite.modify("", replace_values("maxPwdAge", "1")))
    assert refused == (LdapResult.OTHER, Win32.ERROR_INVALID_PARAMETER)
    corp_sqlite.modify("", replace_values("minPwdLength", "3"))


# --- passwords ---------------------------------------------------------------------------------------------


def test_a_reset_needs_right_and_encryption(corp: Corp, ann: Dnt) -> None:
    corp.user("joe", PASSWORD)
    change = replace_values("unicodePwd", quoted("N3w.passw0rd!"))
    refused = refusal(lambda: corp.modify(ANN, change, requester=corp.token("joe")))
    assert refused[1] is Win32.ERROR_ACCESS_DENIED
    refused = refusal(lambda: corp.modify(ANN, change, options=RequestOptions()))
    assert refused[0] is LdapResult.UNWILLING_TO_PERFORM
    corp.modify(ANN, change)
    row, new = corp.row(ann), passwords.password_of_text("N3w.passw0rd!")
    assert has_password(row, new)


def test_one_changes_the_own_password_by_proving_the_old_one(corp: Corp) -> None:
    dnt = corp.user("joe", PASSWORD)
    joe, dn = corp.token("joe"), "CN=joe,CN=Users"
    corp.later(86_400 * 2)

    def change(old: str, new: str) -> Dnt:
        return corp.modify(
            dn,
            delete_values("unicodePwd", quoted(old)),
            add_values("unicodePwd", quoted(new)),
            requester=joe,
        )

    assert refusal(lambda: change("wrong", "N3w.passw0rd!")) == (
        LdapResult.CONSTRAINT_VIOLATION,
        Win32.ERROR_INVALID_PASSWORD,
    )
    assert refusal(lambda: change(PASSWORD, "short"))[1] is Win32.ERROR_PASSWORD_RESTRICTION
    assert refusal(lambda: change(PASSWORD, PASSWORD))[1] is Win32.ERROR_PASSWORD_RESTRICTION
    change(PASSWORD, "N3w.passw0rd!")
    assert refusal(lambda: change("N3w.passw0rd!", "An0ther.one!"))[1] is Win32.ERROR_PASSWORD_RESTRICTION
    row = corp.row(dnt)
    assert corp.read(lambda ctx: passwords.keys_of(ctx, row)).kvno == 2


def test_a_password_is_not_merely_added(corp_sqlite: Corp, anne: Dnt) -> None:
    refused = refusal(lambda: corp_sqlite.modify(ANN, add_values("unicodePwd", quoted(PASSWORD))))
    assert refused[0] is LdapResult.UNWILLING_TO_PERFORM


def test_pwd_last_set_takes_two_values(corp_sqlite: Corp) -> None:
    dnt = corp_sqlite.user("joe", PASSWORD)
    dn = "CN=joe,CN=Users"
    corp_sqlite.modify(dn, replace_values("pwdLastSet", "0"))
    assert corp_sqlite.text(dnt, "pwdLastSet") == "0"
    corp_sqlite.later(60)
    corp_sqlite.modify(dn, replace_values("pwdLastSet", "-1"))
    assert corp_sqlite.text(dnt, "pwdLastSet") == str(corp_sqlite.now)
    refused = refusal(lambda: corp_sqlite.modify(dn, replace_values("pwdLastSet", "5")))
    assert refused == (LdapResult.OTHER, Win32.ERROR_INVALID_PARAMETER)


# --- descriptors -------------------------------------------------------------------------------------------


def test_a_descriptor_is_inherited_by_all_below(corp: Corp) -> None:
    corp.add("OU=top", "organizationalUnit")
    corp.add("OU=mid,OU=top", "organizationalUnit")
    leaf = corp.add("CN=leaf,OU=mid,OU=top", "user", sAMAccountName="leaf")
    joe = corp.user("joe", PASSWORD)
    sid = corp.sid(joe)
    before = corp.row(leaf)
    mask = int(AccessMask.RIGHT_DS_WRITE_PROPERTY)
    grant(corp, "OU=top", Ace(ACCESS_ALLOWED, 0x2, mask, sid))
    dacl = descriptor(corp, leaf).dacl
    assert dacl is not None and any(ace.sid == sid and ace.flags & 0x10 for ace in dacl.aces)
    after = corp.row(leaf)
    assert after.sd_id != before.sd_id and after.usn_changed == before.usn_changed
    assert corp.version("OU=top", attr.NT_SECURITY_DESCRIPTOR) == 2
    assert corp.version(leaf, attr.NT_SECURITY_DESCRIPTOR) == 1
    corp.modify("CN=leaf,OU=mid,OU=top", replace_values("info", "x"), requester=corp.token("joe"))


def test_a_protected_descriptor_inherits_nothing(corp_sqlite: Corp) -> None:
    corp = corp_sqlite
    corp.add("OU=top", "organizationalUnit")
    closed = sddl.parse("O:DAG:DAD:PAI(A;;GA;;;DA)", corp.forest.domain_sid, corp.forest.domain_sid)
    corp.add("OU=mid,OU=top", "organizationalUnit", nTSecurityDescriptor=closed.pack())
    leaf = corp.add("CN=leaf,OU=mid,OU=top", "container")
    before = corp.row(leaf).sd_id
    grant(corp, "OU=top", Ace(ACCESS_ALLOWED, 0x2, 0x20, wellknown.AUTHENTICATED_USERS))
    assert corp.row(leaf).sd_id == before


def test_writing_a_descriptor_takes_its_rights(corp: Corp, ann: Dnt) -> None:
    corp.user("joe", PASSWORD)
    joe = corp.token("joe")
    old = descriptor(corp, ann)
    assert old.dacl is not None
    more = Ace(ACCESS_ALLOWED, 0, 0x20, joe.user)
    new = SecurityDescriptor(old.control, old.owner, old.group, None, Acl(4, (more, *old.dacl.aces)))
    dacl_only = RequestOptions(sd_flags=4)
    change = replace_values("nTSecurityDescriptor", new.pack())
    assert (
        refusal(lambda: corp.modify(ANN, change, requester=joe, options=dacl_only))[1]
        is Win32.ERROR_ACCESS_DENIED
    )
    grant(corp, ANN, Ace(ACCESS_ALLOWED, 0, int(AccessMask.RIGHT_WRITE_DAC), joe.user))
    corp.modify(ANN, change, requester=joe, options=dacl_only)
    owned = SecurityDescriptor(old.control, joe.user, old.group, None, old.dacl)
    change = replace_values("nTSecurityDescriptor", owned.pack())
    for flags in (1, 5):
        refused = refusal(
            lambda flags=flags: corp.modify(  # type: ignore[misc]
                ANN, change, requester=joe, options=RequestOptions(sd_flags=flags)
            )
        )
        assert refused[1] is Win32.ERROR_ACCESS_DENIED
    grant(corp, ANN, Ace(ACCESS_ALLOWED, 0, int(AccessMask.RIGHT_WRITE_OWNER), joe.user))
    corp.modify(ANN, change, requester=joe, options=RequestOptions(sd_flags=1))
    assert descriptor(corp, ann).owner == joe.user


def test_ownership_cannot_be_given_away(corp_sqlite: Corp, anne: Dnt) -> None:
    corp = corp_sqlite
    corp.user("joe", PASSWORD)
    joe = corp.token("joe")
    grant(corp, ANN, Ace(ACCESS_ALLOWED, 0, int(AccessMask.RIGHT_WRITE_OWNER), joe.user))
    old = descriptor(corp, anne)
    other = SecurityDescriptor(old.control, corp.sid("CN=krbtgt,CN=Users"), old.group, None, old.dacl)
    refused = refusal(
        lambda: corp.modify(
            ANN,
            replace_values("nTSecurityDescriptor", other.pack()),
            requester=joe,
            options=RequestOptions(sd_flags=1),
        )
    )
    assert refused == (LdapResult.CONSTRAINT_VIOLATION, Win32.ERROR_INVALID_OWNER)


def test_auditing_takes_the_security_privilege(corp_sqlite: Corp, anne: Dnt) -> None:
    corp = corp_sqlite
    corp.user("joe", PASSWORD)
    joe = corp.token("joe")
    grant(corp, ANN, Ace(ACCESS_ALLOWED, 0, 0xF01FF, joe.user))
    old = descriptor(corp, anne)
    sacl = Acl(4, (Ace(0x02, 0x40, 0x20, wellknown.EVERYONE),))
    audited = SecurityDescriptor(old.control, old.owner, old.group, sacl, old.dacl)
    change = replace_values("nTSecurityDescriptor", audited.pack())
    refused = refusal(lambda: corp.modify(ANN, change, requester=joe, options=RequestOptions(sd_flags=8)))
    assert refused[1] is Win32.ERROR_ACCESS_DENIED
    corp.modify(ANN, change, options=RequestOptions(sd_flags=8))


# --- redirection -------------------------------------------------------------------------------------------

USERS_GUID = "A9D1CA15768811D1ADED00C04FD8D5CD"
SYSTEM_GUID = "AB1D30F3768811D1ADED00C04FD8D5CD"


def test_new_users_can_be_sent_elsewhere(corp: Corp) -> None:
    corp.add("OU=people", "organizationalUnit")
    old, new = corp.dn("CN=Users"), corp.dn("OU=people")
    corp.modify(
        "",
        delete_values("wellKnownObjects", f"B:32:{USERS_GUID}:{old}"),
        add_values("wellKnownObjects", f"B:32:{USERS_GUID}:{new}"),
    )
    assert corp.text("OU=people", "systemFlags") == str(0x8C000000 - (1 << 32))
    assert corp.text("OU=people", "isCriticalSystemObject") == "TRUE"
    assert corp.text("CN=Users", "isCriticalSystemObject") == "FALSE"


def test_the_system_container_stays(corp_sqlite: Corp) -> None:
    corp_sqlite.add("OU=people", "organizationalUnit")
    refused = refusal(
        lambda: corp_sqlite.modify(
            "",
            delete_values("wellKnownObjects", f"B:32:{SYSTEM_GUID}:{corp_sqlite.dn('CN=System')}"),
            add_values("wellKnownObjects", f"B:32:{SYSTEM_GUID}:{corp_sqlite.dn('OU=people')}"),
        )
    )
    assert refused == (LdapResult.UNWILLING_TO_PERFORM, Win32.ERROR_DS_UNWILLING_TO_PERFORM)


def test_the_dc_itself_writes_what_others_cannot(corp_sqlite: Corp, anne: Dnt) -> None:
    def work(ctx: WriteContext) -> Dnt:
        return modify_object(ctx, corp_sqlite.dn(ANN), [replace_values("badPwdCount", "2")])

    before = corp_sqlite.row(anne)
    corp_sqlite.write(work)
    after = corp_sqlite.row(anne)
    assert corp_sqlite.text(anne, "badPwdCount") == "2"
    assert after.usn_changed == before.usn_changed and after.meta == before.meta


def test_additional_host_names_bring_account_names(corp_sqlite: Corp) -> None:
    dn = "CN=pc1,CN=Computers"
    dnt = corp_sqlite.add(dn, "computer", sAMAccountName="pc1$")
    corp_sqlite.modify(dn, add_values("msDS-AdditionalDnsHostName", "alias.corp.example.com"))
    assert corp_sqlite.values(dnt, "msDS-AdditionalSamAccountName") == [b"alias$"]
    corp_sqlite.modify(dn, delete_values("msDS-AdditionalDnsHostName"))
    assert corp_sqlite.values(dnt, "msDS-AdditionalSamAccountName") == []


def test_what_one_cannot_see_is_not_there_to_write(corp_sqlite: Corp, anne: Dnt) -> None:
    corp = corp_sqlite
    corp.user("joe", PASSWORD)
    closed = sddl.parse("O:DAG:DAD:PAI(A;;GA;;;DA)", corp.forest.domain_sid, corp.forest.domain_sid)
    corp.add("OU=hidden", "organizationalUnit", nTSecurityDescriptor=closed.pack())
    corp.add("OU=inner,OU=hidden", "organizationalUnit", nTSecurityDescriptor=closed.pack())
    corp.add("CN=x,OU=inner,OU=hidden", "container")
    joe = corp.token("joe")

    def told(write: Callable[[str], object]) -> list[tuple[int, str, str]]:
        """What is said of what is there, of what is not, and of what is not below what is not."""
        found = []
        for name in ("CN=x,OU=inner,OU=hidden", "CN=y,OU=inner,OU=hidden", "CN=x,OU=other,OU=hidden"):
            with pytest.raises(DsError) as caught:
                write(name)
            found.append((caught.value.code, caught.value.matched_dn, caught.value.detail))
        return found

    def modify(name: str) -> None:
        corp.modify(name, replace_values("description", "x"), requester=joe)

    def add(name: str) -> None:
        corp.add(f"CN=new,{name}", "container", requester=joe)

    def delete(name: str) -> None:
        corp.write(lambda ctx: delete_object(ctx, corp.dn(name)), joe)

    def rename(name: str) -> None:
        corp.write(lambda ctx: rename_object(ctx, corp.dn(name), "CN=z"), joe)

    def move(name: str) -> None:
        corp.write(lambda ctx: rename_object(ctx, corp.dn(ANN), "CN=ann", True, corp.dn(name)), joe)

    for write in (modify, add, delete, rename):
        assert told(write) == [(Win32.ERROR_DS_OBJ_NOT_FOUND, f"OU=hidden,{DOMAIN_DN}", "NO_OBJECT")] * 3
    assert told(move) == [(Win32.ERROR_DS_NO_PARENT_OBJECT, "", "no such parent")] * 3


def test_who_may_not_create_does_not_learn_which_names_are_taken(corp_sqlite: Corp, anne: Dnt) -> None:
    corp_sqlite.user("joe", PASSWORD)
    joe = corp_sqlite.token("joe")
    for name in ("ann", "nobody"):
        refused = refusal(lambda name=name: corp_sqlite.add(f"CN={name},CN=Users", "user", requester=joe))  # type: ignore[misc]
        assert refused == (None, NO_RIGHTS)


def test_expiring_and_setting_a_password_go_together(corp_sqlite: Corp, anne: Dnt) -> None:
    for asked, kept in (("0", "0"), ("-1", str(corp_sqlite.now))):
        corp_sqlite.modify(
            ANN, replace_values("unicodePwd", quoted(PASSWORD)), replace_values("pwdLastSet", asked)
        )
        assert corp_sqlite.text(anne, "pwdLastSet") == kept
