"""Creating objects: schema, names, defaults, accounts, rights."""

from collections.abc import Callable, Mapping
from uuid import UUID

import pytest

from addc.base.errors import DsError
from addc.base.ids import Dnt
from addc.codec.ids import Sid
from addc.codes.ldap_result import LdapResult
from addc.codes.win32 import Win32
from addc.directory import passwords, rights
from addc.directory.add import Fixed, add_object
from addc.directory.context import WriteContext
from addc.directory.controls import RequestOptions
from addc.schema import attr, cls
from addc.security import wellknown
from addc.security.token import SYSTEM
from addc.store.objects import ObjectState
from tests.kit.corp import Corp, Value, add_values, has_password, quoted, replace_values
from tests.kit.corp_forest import ADMIN_PASSWORD, DOMAIN_DN
from tests.kit.refusals import refusal

Refused = Callable[[], object]


def test_a_container_gets_what_every_object_has(corp: Corp) -> None:
    dnt = corp.add("CN=box,CN=Users", "container", description="a box")
    row = corp.row(dnt)
    assert corp.values(dnt, "objectClass") == [b"top", b"container"]
    assert row.instance_type == 4 and row.state is ObjectState.LIVE and row.class_id == cls.CONTAINER
    assert corp.text(dnt, "name") == corp.text(dnt, "cn") == "box"
    assert corp.text(dnt, "objectCategory") == f"CN=Container,CN=Schema,CN=Configuration,{DOMAIN_DN}"
    assert corp.text(dnt, "showInAdvancedViewOnly") == "TRUE"
    assert corp.text(dnt, "whenCreated") == corp.text(dnt, "whenChanged") == "20250818141320.0Z"
    assert row.usn_created == row.usn_changed
    assert UUID(bytes_le=row.guid).version == 4
    stamped = {attr.CN, attr.NAME, attr.DESCRIPTION, attr.INSTANCE_TYPE, attr.NT_SECURITY_DESCRIPTOR}
    assert stamped <= row.meta.keys() and attr.WHEN_CHANGED not in row.meta
    assert {stamp.version for stamp in row.meta.values()} == {1}
    assert {stamp.originating_usn for stamp in row.meta.values()} == {row.usn_created}


def test_an_organizational_unit_has_ou_as_its_name(corp: Corp) -> None:
    dnt = corp.add("OU=staff", "organizationalUnit")
    assert corp.text(dnt, "ou") == "staff"
    refused = refusal(lambda: corp.add("CN=staff2", "organizationalUnit"))
    assert refused == (LdapResult.NAMING_VIOLATION, Win32.ERROR_DS_RDN_DOESNT_MATCH_SCHEMA)


def test_a_user_gets_the_values_of_an_account(corp: Corp) -> None:
    dnt = corp.add("CN=Ann,CN=Users", "user", sAMAccountName="ann")
    assert corp.text(dnt, "userAccountControl") == str(0x222)
    assert corp.text(dnt, "sAMAccountType") == str(0x30000000)
    assert corp.text(dnt, "primaryGroupID") == "513"
    assert corp.text(dnt, "accountExpires") == "9223372036854775807"
    for name in ("badPwdCount", "codePage", "countryCode", "badPasswordTime", "lastLogoff", "lastLogon"):
        assert corp.text(dnt, name) == "0"
    assert corp.text(dnt, "pwdLastSet") == corp.text(dnt, "logonCount") == "0"
    sid = corp.sid(dnt)
    assert sid.domain() == corp.forest.domain_sid and sid.rid() >= 1000
    assert attr.BAD_PWD_COUNT not in corp.row(dnt).meta
    assert corp.sid(corp.add("CN=Bob,CN=Users", "user", sAMAccountName="bob")).rid() == sid.rid() + 1


def test_a_nameless_account_gets_a_made_up_name(corp_sqlite: Corp) -> None:
    name = corp_sqlite.text(corp_sqlite.add("CN=x,CN=Users", "user"), "sAMAccountName")
    assert len(name) == 20 and name[0] == "$" and name[7] == "-"


def test_a_group_is_a_global_security_group_by_default(corp: Corp) -> None:
    dnt = corp.add("CN=g,CN=Users", "group", sAMAccountName="g")
    assert corp.text(dnt, "groupType") == "-2147483646"
    assert corp.text(dnt, "sAMAccountType") == str(0x10000000)
    local = corp.add("CN=l,CN=Users", "group", sAMAccountName="l", groupType="-2147483644")
    assert corp.text(local, "sAMAccountType") == str(0x20000000)
    mail = corp.add("CN=m,CN=Users", "group", sAMAccountName="m", groupType="8")
    assert corp.text(mail, "sAMAccountType") == str(0x10000001)


def test_a_computer_is_a_workstation_by_default(corp: Corp) -> None:
    dnt = corp.add("CN=PC1,CN=Computers", "computer", sAMAccountName="PC1$")
    assert corp.text(dnt, "userAccountControl") == str(0x1022)
    assert corp.text(dnt, "primaryGroupID") == "515"
    assert corp.text(dnt, "sAMAccountType") == str(0x30000001)


@pytest.mark.parametrize(("bits", "critical"), [(0x1000, "FALSE"), (0x2000, "TRUE")])
def test_domain_controllers_are_critical_and_other_machines_are_not(
    corp_sqlite: Corp, bits: int, critical: str
) -> None:
    machine = {"sAMAccountName": "PC9$", "userAccountControl": str(bits)}
    dnt = corp_sqlite.add("CN=PC9,CN=Computers", "computer", values=machine)
    assert corp_sqlite.text(dnt, "isCriticalSystemObject") == critical


def test_a_password_may_come_with_the_account(corp: Corp) -> None:
    dnt = corp.user("carol", "Tr0ub4dor&3")
    row = corp.row(dnt)
    good = passwords.password_of_text("Tr0ub4dor&3")
    assert has_password(row, good)
    assert corp.text(dnt, "pwdLastSet") == str(corp.now)
    assert corp.text(dnt, "userAccountControl") == "512"


def test_a_password_needs_encryption_quotes_and_strength(corp_sqlite: Corp) -> None:
    def make(password: bytes, options: RequestOptions) -> Refused:
        return lambda: corp_sqlite.add(
            "CN=dan,CN=Users", "user", None, options, sAMAccountName="dan", unicodePwd=password
        )

    sealed = RequestOptions(confidential=True)
    assert refusal(make(quoted("Tr0ub4dor&3"), RequestOptions()))[0] is LdapResult.UNWILLING_TO_PERFORM
    assert refusal(make("Tr0ub4dor&3".encode("utf-16-le"), sealed)) == (
        LdapResult.UNWILLING_TO_PERFORM,
        Win32.ERROR_GEN_FAILURE,
    )
    # userAccountControl is 0x222 then, which lets weak passwords pass; an enabled account shows the policy.
    refused = refusal(lambda: corp_sqlite.user("dan", "weak"))
    assert refused == (LdapResult.UNWILLING_TO_PERFORM, Win32.ERROR_PASSWORD_RESTRICTION)


def test_an_enabled_account_needs_a_password(corp_sqlite: Corp) -> None:
    refused = refusal(
        lambda: corp_sqlite.add("CN=eve,CN=Users", "user", sAMAccountName="eve", userAccountControl="512")
    )
    assert refused == (LdapResult.UNWILLING_TO_PERFORM, Win32.ERROR_PASSWORD_RESTRICTION)


def test_the_parent_must_exist(corp: Corp) -> None:
    with pytest.raises(DsError) as caught:
        corp.add("CN=x,OU=nowhere,CN=Users", "container")
    assert caught.value.code == Win32.ERROR_DS_OBJ_NOT_FOUND
    assert caught.value.matched_dn == f"CN=Users,{DOMAIN_DN}"


def test_a_name_is_taken_once(corp: Corp) -> None:
    corp.add("CN=box,CN=Users", "container")
    refused = refusal(lambda: corp.add("CN=BOX,CN=Users", "container"))
    assert refused == (LdapResult.ENTRY_ALREADY_EXISTS, Win32.ERROR_DS_OBJ_STRING_NAME_EXISTS)


def test_an_account_name_is_taken_once(corp: Corp) -> None:
    corp.user("fred")
    refused = refusal(lambda: corp.add("CN=other,CN=Users", "user", sAMAccountName="FRED"))
    assert refused == (LdapResult.ENTRY_ALREADY_EXISTS, Win32.ERROR_USER_EXISTS)
    refused = refusal(lambda: corp.add("CN=other,CN=Users", "user", sAMAccountName="domain admins"))
    assert refused[1] is Win32.ERROR_GROUP_EXISTS


@pytest.mark.parametrize("name", ["a/b", "a.", " ", "a" * 21, "a[b", "a\tb"])
def test_some_account_names_are_no_names(corp_sqlite: Corp, name: str) -> None:
    refused = refusal(lambda: corp_sqlite.add("CN=x,CN=Users", "user", sAMAccountName=name))
    assert refused == (LdapResult.OTHER, Win32.ERROR_INVALID_ACCOUNT_NAME)


def test_schema_violations_are_told_apart(corp_sqlite: Corp) -> None:
    add = corp_sqlite.add
    assert refusal(lambda: add("CN=x,CN=Users", "noSuchClass"))[0] is LdapResult.NO_SUCH_ATTRIBUTE
    assert refusal(lambda: add("CN=x,CN=Users", "top")) == (
        LdapResult.UNWILLING_TO_PERFORM,
        Win32.ERROR_DS_CLASS_MUST_BE_CONCRETE,
    )
    assert refusal(lambda: add("CN=x,CN=Users", "container", noSuch="1")) == (
        LdapResult.NO_SUCH_ATTRIBUTE,
        Win32.ERROR_INVALID_PARAMETER,
    )
    assert refusal(lambda: add("CN=x,CN=Users", "container", telephoneNumber="1")) == (
        LdapResult.OBJECT_CLASS_VIOLATION,
        Win32.ERROR_DS_ATT_NOT_DEF_FOR_CLASS,
    )
    assert refusal(lambda: add("CN=x,CN=Users", "user", countryCode="abc"))[0] is (
        LdapResult.INVALID_ATTRIBUTE_SYNTAX
    )
    assert refusal(lambda: add("CN=x,CN=Users", "user", c="toolong")) == (
        LdapResult.CONSTRAINT_VIOLATION,
        Win32.ERROR_DS_RANGE_CONSTRAINT,
    )
    assert refusal(lambda: add("CN=x,CN=Users", "user", displayName=["a", "b"]))[0] is (
        LdapResult.CONSTRAINT_VIOLATION
    )
    assert refusal(lambda: add("CN=x,CN=Users", "user", url=["a", "a"]))[0] is (
        LdapResult.ATTRIBUTE_OR_VALUE_EXISTS
    )
    assert refusal(lambda: add("CN=x", "nTDSDSA"))[0] is LdapResult.UNWILLING_TO_PERFORM
    assert refusal(lambda: add("CN=x", "secret"))[1] is Win32.ERROR_DS_CANT_ADD_SYSTEM_ONLY
    assert refusal(lambda: add("OU=x,CN=Users", "organizationalUnit")) == (
        LdapResult.NAMING_VIOLATION,
        Win32.ERROR_DS_ILLEGAL_SUPERIOR,
    )
    assert refusal(lambda: add("CN=" + "y" * 65 + ",CN=Users", "container"))[0] is (
        LdapResult.CONSTRAINT_VIOLATION
    )
    assert refusal(lambda: add("CN=a\\0Ab,CN=Users", "container"))[0] is LdapResult.NAMING_VIOLATION


def test_mandatory_attributes_are_asked_for(corp_sqlite: Corp) -> None:
    refused = refusal(lambda: corp_sqlite.add("CN=q,CN=System", "msDS-PasswordSettings"))
    assert refused[1] in (Win32.ERROR_DS_MISSING_REQUIRED_ATT, Win32.ERROR_DS_ILLEGAL_SUPERIOR)
    refused = refusal(lambda: corp_sqlite.add("CN=v,CN=Users", "volume"))
    assert refused == (LdapResult.OBJECT_CLASS_VIOLATION, Win32.ERROR_DS_MISSING_REQUIRED_ATT)


@pytest.mark.parametrize("name", ["objectSid", "sAMAccountType", "badPwdCount", "supplementalCredentials"])
def test_sam_keeps_its_attributes_to_itself(corp_sqlite: Corp, name: str) -> None:
    refused = refusal(lambda: corp_sqlite.add("CN=x,CN=Users", "user", values={name: b"0"}))
    assert refused == (LdapResult.UNWILLING_TO_PERFORM, Win32.ERROR_DS_ATTRIBUTE_OWNED_BY_SAM)


def test_a_new_account_has_the_primary_group_of_its_kind(corp_sqlite: Corp) -> None:
    corp_sqlite.add("CN=u1,CN=Users", "user", sAMAccountName="u1", primaryGroupID="513")
    refused = refusal(
        lambda: corp_sqlite.add("CN=u2,CN=Users", "user", sAMAccountName="u2", primaryGroupID="512")
    )
    assert refused == (LdapResult.UNWILLING_TO_PERFORM, Win32.ERROR_MEMBER_NOT_IN_GROUP)


def test_the_first_password_of_an_account_made_without_one_is_version_two(corp_sqlite: Corp) -> None:
    dnt = corp_sqlite.user("late")
    assert corp_sqlite.read(lambda ctx: passwords.key_version(corp_sqlite.row(dnt))) == 1
    corp_sqlite.modify("CN=late,CN=Users", replace_values("unicodePwd", quoted(ADMIN_PASSWORD)))
    assert corp_sqlite.read(lambda ctx: passwords.key_version(corp_sqlite.row(dnt))) == 2


def test_a_requester_hands_out_no_roles(corp_sqlite: Corp) -> None:
    refused = refusal(lambda: corp_sqlite.add("CN=g,CN=Users", "group", fSMORoleOwner=DOMAIN_DN))
    assert refused == (LdapResult.UNWILLING_TO_PERFORM, Win32.ERROR_DS_INVALID_ROLE_OWNER)


def test_the_name_may_be_said_again(corp_sqlite: Corp) -> None:
    dnt = corp_sqlite.add("CN=same,CN=Users", "container", name="same", cn="SAME")
    assert corp_sqlite.text(dnt, "name") == "same"
    dnt = corp_sqlite.add("CN=one,CN=Users", "container", name="other")
    assert corp_sqlite.text(dnt, "name") == "one"
    refused = refusal(lambda: corp_sqlite.add("CN=two,CN=Users", "container", cn="other"))
    assert refused == (LdapResult.INVALID_DN_SYNTAX, Win32.ERROR_DS_INVALID_DN_SYNTAX)


def test_an_instance_type_is_one_number(corp_sqlite: Corp) -> None:
    for values in (["0", "4"], ["x"], ["8"]):
        refused = refusal(
            lambda values=values: corp_sqlite.add("CN=x,CN=Users", "container", instanceType=values)  # type: ignore[misc]
        )
        assert refused == (LdapResult.UNWILLING_TO_PERFORM, Win32.ERROR_DS_BAD_INSTANCE_TYPE)


def test_a_category_is_a_class(corp_sqlite: Corp) -> None:
    refused = refusal(lambda: corp_sqlite.add("CN=x,CN=Users", "container", objectCategory=DOMAIN_DN))
    assert refused == (LdapResult.OBJECT_CLASS_VIOLATION, Win32.ERROR_DS_OBJ_CLASS_NOT_DEFINED)
    category = f"CN=Person,CN=Schema,CN=Configuration,{DOMAIN_DN}"
    corp_sqlite.add("CN=x,CN=Users", "container", objectCategory=category)


def test_system_only_attributes_of_a_class_come_with_its_objects_alone(corp_sqlite: Corp) -> None:
    dnt = corp_sqlite.add("CN=az,CN=System", "msDS-AzAdminManager", msDS_AzObjectGuid=bytes(range(16)))
    assert corp_sqlite.values(dnt, "msDS-AzObjectGuid")
    refused = refusal(lambda: corp_sqlite.add("CN=k,CN=Users", "user", msDS_SecondaryKrbTgtNumber="7"))
    assert refused == (LdapResult.CONSTRAINT_VIOLATION, Win32.ERROR_DS_CANT_MOD_SYSTEM_ONLY)
    refused = refusal(lambda: corp_sqlite.add("CN=k,CN=Users", "container", isRecycled="TRUE"))
    assert refused == (LdapResult.CONSTRAINT_VIOLATION, Win32.ERROR_DS_CANT_MOD_SYSTEM_ONLY)


def test_sites_and_subnets_have_names_of_their_own_kind(corp_sqlite: Corp) -> None:
    above = f"CN=Sites,CN=Configuration,{DOMAIN_DN}"
    for kind, name in (("site", "a.b"), ("site", "a b"), ("subnet", "10.1.2.1/24"), ("subnet", "office")):
        refused = refusal(lambda: corp_sqlite.add(f"CN={name},{above}", kind))  # noqa: B023
        assert refused == (LdapResult.INVALID_DN_SYNTAX, Win32.ERROR_DS_BAD_NAME_SYNTAX)


def test_nobody_chooses_a_guid_or_a_sid(corp_sqlite: Corp) -> None:
    refused = refusal(lambda: corp_sqlite.add("CN=x,CN=Users", "container", objectGUID=bytes(range(16))))
    assert refused == (LdapResult.UNWILLING_TO_PERFORM, Win32.ERROR_DS_SECURITY_ILLEGAL_MODIFY)


def test_some_values_count_for_nothing(corp_sqlite: Corp) -> None:
    dnt = corp_sqlite.add(
        "CN=x,CN=Users", "container", cn="X", whenCreated="20010101000000.0Z", canonicalName="nonsense"
    )
    assert corp_sqlite.text(dnt, "whenCreated").startswith("2025")


def test_system_flags_are_limited(corp_sqlite: Corp) -> None:
    dnt = corp_sqlite.add("CN=x,CN=Users", "container", systemFlags="-1946157056")
    assert corp_sqlite.values(dnt, "systemFlags") == [b"0"]


def test_references_must_lead_somewhere(corp: Corp) -> None:
    boss = corp.user("boss")
    dnt = corp.user("minion", manager=corp.dn("CN=boss,CN=Users"))
    assert corp.values(dnt, "manager") == [corp.dn("CN=boss,CN=Users").encode()]
    assert corp.values(boss, "directReports") == [corp.dn("CN=minion,CN=Users").encode()]
    with pytest.raises(DsError) as caught:
        corp.user("other", manager=corp.dn("CN=nobody,CN=Users"))
    assert caught.value.code == Win32.ERROR_DS_OBJ_NOT_FOUND


def test_an_object_is_found_by_what_is_indexed(corp: Corp) -> None:
    dnt = corp.user("found", displayName="Found It")
    key = b"found"
    assert dnt in corp.read(lambda ctx: ctx.tx.index_eq(attr.NAME, key))
    assert dnt in corp.read(lambda ctx: ctx.tx.index_eq(attr.CN, key))
    assert dnt in corp.read(lambda ctx: ctx.tx.index_eq(attr.SAM_ACCOUNT_NAME, key))
    assert dnt in corp.read(lambda ctx: ctx.tx.index_eq(attr.DISPLAY_NAME, b"found it"))


def test_auxiliary_classes_come_between(corp_sqlite: Corp) -> None:
    attributes = [
        ("objectClass", [b"user", b"mailRecipient"]),
        ("sAMAccountName", [b"mailed"]),
    ]
    dnt = corp_sqlite.write(
        lambda ctx: add_object(ctx, corp_sqlite.dn("CN=mailed,CN=Users"), attributes), corp_sqlite.admin
    )
    classes = corp_sqlite.values(dnt, "objectClass")
    assert classes[0] == b"top" and classes[-1] == b"user" and b"mailRecipient" in classes[1:2]


# --- rights ------------------------------------------------------------------------------------------------


def test_an_ordinary_user_creates_nothing(corp: Corp) -> None:
    corp.user("joe", "Tr0ub4dor&3")
    joe = corp.token("joe")
    refused = refusal(lambda: corp.add("CN=x,CN=Users", "container", joe))
    assert refused[1] is Win32.ERROR_DS_INSUFF_ACCESS_RIGHTS
    refused = refusal(lambda: corp.add("CN=y,CN=Users", "user", joe, sAMAccountName="y"))
    assert refused[1] is Win32.ERROR_DS_INSUFF_ACCESS_RIGHTS


def machine(name: str, changed: Mapping[str, Value] | None = None) -> dict[str, Value]:
    """What a joining client sends."""
    return {
        "sAMAccountName": f"{name}$",
        "userAccountControl": "4096",
        "dNSHostName": f"{name}.corp.example.com",
        "servicePrincipalName": [f"HOST/{name}", f"RestrictedKrbHost/{name}.corp.example.com"],
        "unicodePwd": quoted("k" * 60),
        **(changed or {}),
    }


def test_an_ordinary_user_joins_ten_machines(corp: Corp) -> None:
    corp.user("joe", "Tr0ub4dor&3")
    joe = corp.token("joe")
    dnt = corp.add("CN=pc0,CN=Computers", "computer", joe, values=machine("pc0"))
    assert corp.values(dnt, "mS-DS-CreatorSID") == [bytes(joe.user)]
    assert corp.text(dnt, "userAccountControl") == "4096"
    admins = corp.forest.domain_sid.child(wellknown.RID_DOMAIN_ADMINS)
    sd = corp.read(lambda ctx: rights.descriptor(ctx, corp.row(dnt)))
    assert sd.owner == sd.group == admins
    for number in range(1, 10):
        corp.add(f"CN=pc{number},CN=Computers", "computer", joe, values=machine(f"pc{number}"))
    refused = refusal(lambda: corp.add("CN=pc10,CN=Computers", "computer", joe, values=machine("pc10")))
    assert refused == (
        LdapResult.UNWILLING_TO_PERFORM,
        Win32.ERROR_DS_MACHINE_ACCOUNT_QUOTA_EXCEEDED,
    )


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"description": "x"}, Win32.ERROR_DS_MISSING_REQUIRED_ATT),
        ({"userAccountControl": "8192"}, Win32.ERROR_DS_SECURITY_ILLEGAL_MODIFY),
        ({"userAccountControl": "--4096"}, Win32.ERROR_DS_SECURITY_ILLEGAL_MODIFY),
        ({"userAccountControl": "1" * 5000}, Win32.ERROR_DS_SECURITY_ILLEGAL_MODIFY),
        ({"userAccountControl": str(0x1000 | 0x80000)}, Win32.ERROR_DS_SECURITY_ILLEGAL_MODIFY),
        ({"dNSHostName": "dc1.corp.example.com"}, Win32.ERROR_DS_INVALID_ATTRIBUTE_SYNTAX),
        ({"servicePrincipalName": "HOST/dc1"}, Win32.ERROR_DS_INVALID_ATTRIBUTE_SYNTAX),
        ({"sAMAccountName": "pc1"}, Win32.ERROR_INVALID_ACCOUNT_NAME),
    ],
)
def test_joining_by_privilege_has_narrow_rules(
    corp_sqlite: Corp, changed: dict[str, Value], code: Win32
) -> None:
    corp_sqlite.user("joe", "Tr0ub4dor&3")
    joe = corp_sqlite.token("joe")
    refused = refusal(
        lambda: corp_sqlite.add("CN=pc1,CN=Computers", "computer", joe, values=machine("pc1", changed))
    )
    assert refused[1] is code


def test_delegation_takes_a_privilege(corp_sqlite: Corp) -> None:
    """Even to one who may create users: account operators hold no SeEnableDelegationPrivilege."""
    corp_sqlite.user("op", "Tr0ub4dor&3")
    op = corp_sqlite.dn("CN=op,CN=Users")
    corp_sqlite.modify("CN=Account Operators,CN=Builtin", add_values("member", op))
    token = corp_sqlite.token("op")
    corp_sqlite.add("CN=plain,CN=Users", "user", token, sAMAccountName="plain")
    refused = refusal(
        lambda: corp_sqlite.add(
            "CN=svc,CN=Users", "user", token, sAMAccountName="svc", msDS_AllowedToDelegateTo="cifs/dc1"
        )
    )
    assert refused[1] is Win32.ERROR_ACCESS_DENIED
    refused = refusal(
        lambda: corp_sqlite.add(
            "CN=svc,CN=Users", "user", token, sAMAccountName="svc", userAccountControl=str(0x80222)
        )
    )
    assert refused[1] is Win32.ERROR_ACCESS_DENIED


# --- the DC itself -----------------------------------------------------------------------------------------


def test_the_dc_may_fix_guid_sid_and_refer_to_what_is_yet_to_come(corp: Corp) -> None:
    guid, sid = UUID(int=77), corp.forest.domain_sid.child(9999)
    later = corp.dn("CN=later,CN=Users")

    def work(ctx: WriteContext) -> Dnt:
        return add_object(
            ctx,
            corp.dn("CN=early,CN=Users"),
            [("objectClass", [b"user"]), ("sAMAccountName", [b"early"]), ("manager", [later.encode()])],
            fixed=Fixed(guid=guid, sid=sid),
        )

    dnt = corp.write(work, SYSTEM)
    row = corp.row(dnt)
    assert row.guid == guid.bytes_le and Sid(row.sid or b"") == sid
    promoted = corp.add("CN=later,CN=Users", "user", sAMAccountName="later")
    assert corp.values(promoted, "directReports") == [corp.dn("CN=early,CN=Users").encode()]
    assert corp.row(promoted).state is ObjectState.LIVE


def test_the_forest_made_here_is_whole(corp: Corp) -> None:
    row = corp.row("CN=Administrator,CN=Users")
    good = passwords.password_of_text(ADMIN_PASSWORD)
    assert has_password(row, good)
    phantoms = corp.read(
        lambda ctx: [
            one.rdn
            for one in ctx.tx.get_many(ctx.tx.subtree_dnts(corp.row("").path))
            if one.state is ObjectState.PHANTOM
        ]
    )
    assert phantoms == []
