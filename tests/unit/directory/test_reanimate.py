"""Undelete, over LDAP: what comes back, who may, and every refusal. [MS-ADTS] 3.1.1.5.3.7."""

from dataclasses import replace

import pytest

from addc.codes.ldap_result import LdapResult
from addc.codes.win32 import Win32
from addc.directory import names, rights
from addc.ldap import messages as m
from addc.schema import attr
from addc.schema.wellknown import ExtendedRight
from addc.security.access_mask import AccessMask
from addc.security.descriptor import ACCESS_ALLOWED, ACCESS_ALLOWED_OBJECT, Ace, Acl
from addc.security.token import SYSTEM
from addc.store.objects import ObjectState
from tests.kit.corp import Corp, quoted, replace_values
from tests.kit.corp_forest import CONFIG_DN, DOMAIN_DN
from tests.kit.graveyard import DEACTIVATED, DELETE, DELETED, REPLACE, Graveyard, change, result

ANN = "CN=ann,CN=Users"
CLUB = "CN=club,CN=Users"
SUCCESS = (0, 0)
ILLEGAL = (LdapResult.UNWILLING_TO_PERFORM, Win32.ERROR_DS_ILLEGAL_MOD_OPERATION)
NOTHING_THERE = (LdapResult.NO_SUCH_ATTRIBUTE, Win32.ERROR_DS_ATT_IS_NOT_ON_OBJ)


def give(corp: Corp, dn: str, *aces: Ace) -> None:
    row = corp.row(dn)
    sd = corp.read(lambda ctx: rights.descriptor(ctx, row))
    assert sd.dacl is not None
    changed = replace(sd, dacl=Acl(4, (*aces, *sd.dacl.aces)))
    corp.modify(dn, replace_values("nTSecurityDescriptor", changed.pack()), requester=SYSTEM)


def buried(yard: Graveyard, dn: str = ANN) -> str:
    """Delete an object; its name by GUID."""
    guid = yard.guid(dn)
    assert result(yard.delete(dn)) == SUCCESS
    return guid


# --- what comes back ---------------------------------------------------------------------------------------


def test_a_tombstone_of_a_user_comes_back_disabled_and_bare(yard: Graveyard) -> None:
    """3.1.1.5.3.7.3; attributes as Windows gives them."""
    yard.corp.user("ann", "Tr0ub4dor&3", description="a user")
    before = yard.corp.row(ANN)
    guid = buried(yard)
    assert result(yard.undelete(guid, ANN)) == SUCCESS
    seen = yard.read(ANN)
    assert "isDeleted" not in seen and "isRecycled" not in seen and "description" not in seen
    assert seen["userAccountControl"] == [b"514"] and seen["sAMAccountType"] == [b"805306368"]
    assert seen["objectCategory"] == [f"CN=Person,CN=Schema,{CONFIG_DN}".encode()]
    assert seen["primaryGroupID"] == [b"513"] and seen["pwdLastSet"] == [b"0"]
    assert seen["adminCount"] == seen["operatorCount"] == seen["accountExpires"] == [b"0"]
    assert seen["lastKnownParent"] == [f"CN=Users,{DOMAIN_DN}".encode()]
    row = yard.corp.row(ANN)
    assert row.state is ObjectState.LIVE and row.guid == before.guid and row.sid == before.sid
    assert row.meta[attr.IS_DELETED].version == row.meta[attr.IS_RECYCLED].version == 2
    assert row.meta[attr.NAME].version == row.meta[attr.CN].version == 3
    assert row.meta[attr.OBJECT_CATEGORY].version == 3 and attr.UNICODE_PWD not in row.attrs
    assert yard.corp.token("ann").user == yard.corp.sid(ANN)


def test_a_deleted_object_comes_back_whole(yard: Graveyard) -> None:
    """3.1.1.5.3.7, 3.1.1.1.6: with its password, its attributes and its links."""
    yard.enable()
    yard.corp.group("club")
    yard.corp.user("ann", "Tr0ub4dor&3", description="a user")
    yard.modify(CLUB, change(0, "member", yard.corp.dn(ANN)))
    before = yard.corp.row(ANN)
    guid = buried(yard)
    assert result(yard.undelete(guid, ANN)) == SUCCESS
    row = yard.corp.row(ANN)
    extra = set(row.attrs) - set(before.attrs)
    assert extra == {attr.LAST_KNOWN_PARENT, attr.MS_DS_LAST_KNOWN_RDN}
    for att in set(before.attrs) - {attr.WHEN_CHANGED}:
        assert row.attrs[att] == before.attrs[att], att
    assert yard.read(CLUB, "member")["member"] == [yard.corp.dn(ANN).encode()]
    assert yard.read(ANN, "memberOf")["memberOf"] == [yard.corp.dn(CLUB).encode()]
    client = yard.desk.connect(tls=True)
    assert client.bind("ann@corp.example.com", "Tr0ub4dor&3").result_code == 0


def test_a_link_between_two_deleted_objects_waits_for_both(yard: Graveyard) -> None:
    """3.1.1.1.6"""
    yard.enable()
    yard.corp.group("club")
    yard.corp.user("ann")
    yard.modify(CLUB, change(0, "member", yard.corp.dn(ANN)))
    ann, club = buried(yard), buried(yard, CLUB)
    assert result(yard.undelete(ann, ANN)) == SUCCESS
    assert yard.read(ANN, "memberOf").keys() == {"dn"}
    assert len(yard.read(ANN, "memberOf", controls=(DEACTIVATED,))["memberOf"]) == 1
    assert result(yard.undelete(club, CLUB)) == SUCCESS
    assert yard.read(CLUB, "member")["member"] == [yard.corp.dn(ANN).encode()]


def test_groups_and_containers_come_back(yard: Graveyard) -> None:
    yard.corp.group("club")
    guid = buried(yard, CLUB)
    assert result(yard.undelete(guid, CLUB)) == SUCCESS
    seen = yard.read(CLUB)
    assert seen["sAMAccountType"] == [b"268435456"] and seen["adminCount"] == [b"0"]
    yard.corp.add("OU=a", "organizationalUnit", description="gone")
    guid = buried(yard, "OU=a")
    assert result(yard.undelete(guid, "OU=b")) == SUCCESS
    seen = yard.read("OU=b")
    assert seen["ou"] == [b"b"] and "description" not in seen
    assert seen["objectCategory"] == [f"CN=Organizational-Unit,CN=Schema,{CONFIG_DN}".encode()]
    box = f"CN=box,CN=Services,{CONFIG_DN}"
    yard.corp.add(box, "container")
    assert result(yard.undelete(buried(yard, box), box)) == SUCCESS


def test_the_rest_of_the_request_is_a_modify(yard: Graveyard) -> None:
    """3.1.1.5.3.7: one request renames, sets a password, enables and writes more."""
    yard.corp.user("ann", "Tr0ub4dor&3")
    yard.corp.add("OU=back", "organizationalUnit")
    guid = buried(yard)
    more = (
        change(REPLACE, "description", "was away"),
        change(REPLACE, "unicodePwd", quoted("N3w.Password!x")),
        change(REPLACE, "userAccountControl", "512"),
    )
    assert result(yard.undelete(guid, "CN=Ann Again,OU=back", *more)) == SUCCESS
    assert yard.read("CN=Ann Again,OU=back", "description")["description"] == [b"was away"]
    client = yard.desk.connect(tls=True)
    assert client.bind("ann@corp.example.com", "N3w.Password!x").result_code == 0
    assert yard.search(f"CN=Deleted Objects,{DOMAIN_DN}", scope=1, controls=(DELETED,)) == []


def test_all_or_nothing(yard: Graveyard) -> None:
    yard.corp.user("ann")
    guid = buried(yard)
    answer = yard.undelete(guid, ANN, change(REPLACE, "sAMAccountType", "1"))
    assert answer.result_code != 0 and yard.corp.row(guid).state is ObjectState.DELETED


def test_the_index_finds_what_came_back(yard: Graveyard) -> None:
    yard.corp.user("ann")
    assert result(yard.undelete(buried(yard), "CN=zoe,CN=Users")) == SUCCESS
    row = yard.corp.row("CN=zoe,CN=Users")
    found = yard.corp.read(lambda ctx: ctx.tx.index_eq(attr.CN, b"zoe"))
    assert found == [row.dnt]
    assert yard.corp.read(lambda ctx: ctx.tx.due_of("tombstone", row.dnt)) == []


# --- refusals, 3.1.1.5.3.7.2 -------------------------------------------------------------------------------


def test_without_the_control_there_is_nothing(yard: Graveyard) -> None:
    """3.1.1.3.4.1.14"""
    yard.corp.user("ann")
    answer = yard.undelete(buried(yard), ANN, controls=())
    assert result(answer)[0] == LdapResult.NO_SUCH_OBJECT


def test_what_lives_is_not_undeleted(yard: Graveyard) -> None:
    yard.corp.user("ann")
    assert result(yard.undelete(ANN, "CN=zoe,CN=Users")) == NOTHING_THERE


def test_both_halves_are_needed(yard: Graveyard) -> None:
    """3.1.1.5.3.2: any other Modify of a deleted object is illegal."""
    yard.corp.user("ann")
    guid = buried(yard)
    alone = (
        (change(DELETE, "isDeleted"),),
        (change(REPLACE, "distinguishedName", yard.corp.dn(ANN)),),
        (change(REPLACE, "description", "x"),),
        (change(REPLACE, "isDeleted", "FALSE"), change(REPLACE, "distinguishedName", yard.corp.dn(ANN))),
    )
    for changes in alone:
        assert result(yard.modify(guid, *changes, controls=(DELETED,))) == ILLEGAL


def test_the_container_stays_what_it_is(yard: Graveyard) -> None:
    answer = yard.undelete("CN=Deleted Objects", "CN=Undeleted")
    assert result(answer) == ILLEGAL


@pytest.mark.parametrize(
    ("new_dn", "refused"),
    [
        ("<GUID=12345678-1234-1234-1234-123456789012>", ILLEGAL),
        (f"CN=ann,CN=Services,{CONFIG_DN}", ILLEGAL),
        (f"CN=ann,OU=nowhere,{DOMAIN_DN}", (LdapResult.OTHER, Win32.ERROR_DS_NO_PARENT_OBJECT)),
        (
            f"OU=ann,CN=Users,{DOMAIN_DN}",
            (LdapResult.NAMING_VIOLATION, Win32.ERROR_DS_RDN_DOESNT_MATCH_SCHEMA),
        ),
        (
            f"CN=Guest,CN=Users,{DOMAIN_DN}",
            (LdapResult.ENTRY_ALREADY_EXISTS, Win32.ERROR_DS_OBJ_STRING_NAME_EXISTS),
        ),
        (
            f"CN=ann,CN=Guest,CN=Users,{DOMAIN_DN}",
            (LdapResult.NAMING_VIOLATION, Win32.ERROR_DS_ILLEGAL_SUPERIOR),
        ),
    ],
)
def test_bad_names_are_refused_exactly(
    yard: Graveyard, new_dn: str, refused: tuple[LdapResult, Win32]
) -> None:
    yard.corp.user("ann")
    asked = (change(DELETE, "isDeleted"), change(REPLACE, "distinguishedName", new_dn))
    assert result(yard.modify(buried(yard), *asked, controls=(DELETED,))) == refused


def test_names_that_others_took_are_not_taken_back(yard: Graveyard) -> None:
    """3.1.1.5.1.3: sAMAccountName, userPrincipalName and servicePrincipalName"""
    yard.enable()
    corp = yard.corp
    corp.user("ann", userPrincipalName="a@corp.example.com", servicePrincipalName="http/a.example.com")
    guid = buried(yard)
    corp.user("ann")
    assert result(yard.undelete(guid, "CN=old,CN=Users"))[1] == Win32.ERROR_USER_EXISTS
    yard.modify(ANN, change(REPLACE, "sAMAccountName", "ann2"))
    yard.modify(ANN, change(REPLACE, "userPrincipalName", "a@corp.example.com"))
    refused = result(yard.undelete(guid, "CN=old,CN=Users"))
    assert refused[1] == Win32.ERROR_DS_UPN_VALUE_NOT_UNIQUE_IN_FOREST
    yard.modify(ANN, change(DELETE, "userPrincipalName"))
    yard.modify(ANN, change(REPLACE, "servicePrincipalName", "http/a.example.com"))
    refused = result(yard.undelete(guid, "CN=old,CN=Users"))
    assert refused[1] == Win32.ERROR_DS_SPN_VALUE_NOT_UNIQUE_IN_FOREST
    yard.modify(ANN, change(DELETE, "servicePrincipalName"))
    assert result(yard.undelete(guid, "CN=old,CN=Users")) == SUCCESS


def test_the_category_follows_from_a_base_class(yard: Graveyard) -> None:
    yard.corp.user("ann")
    other = change(REPLACE, "objectCategory", f"CN=Group,CN=Schema,{CONFIG_DN}")
    assert result(yard.undelete(buried(yard), ANN, other)) == ILLEGAL


def test_what_is_mandatory_has_to_be_there_again(yard: Graveyard) -> None:
    """3.1.1.5.3.7.2: full schema compliance after the update"""
    must = {"uNCName": "//x/y", "serverName": "x", "shortServerName": "x", "printerName": "y"}
    yard.corp.add("CN=y,CN=Users", "printQueue", values={**must, "versionNumber": "1"})
    guid = buried(yard, "CN=y,CN=Users")
    missing = (LdapResult.OBJECT_CLASS_VIOLATION, Win32.ERROR_DS_MISSING_REQUIRED_ATT)
    assert result(yard.undelete(guid, "CN=y,CN=Users")) == missing
    again = [change(REPLACE, name, value) for name, value in (*must.items(), ("versionNumber", "1"))]
    assert result(yard.undelete(guid, "CN=y,CN=Users", *again)) == SUCCESS


def test_deleted_objects_are_not_renamed(yard: Graveyard) -> None:
    """3.1.1.5.4.1: not there without the control, and illegal with it"""
    yard.corp.user("ann")
    guid = buried(yard)
    asked = m.ModifyDnRequest(guid, "CN=ann", True, yard.corp.dn("CN=Users"))
    assert result(yard.client.ask(asked))[0] == LdapResult.NO_SUCH_OBJECT
    assert result(yard.client.ask(asked, DELETED)) == ILLEGAL


# --- rights, 3.1.1.5.3.7.1 ---------------------------------------------------------------------------------


def test_undeleting_takes_three_rights(yard: Graveyard) -> None:
    """Reanimate-Tombstones on the NC root, what a rename takes, and CREATE_CHILD on the new parent."""
    corp = yard.corp
    clerk = yard.as_clerk()
    who = corp.token("clerk").user
    corp.add("OU=back", "organizationalUnit")
    corp.add("CN=box,CN=Users", "container")
    write = int(AccessMask.RIGHT_DS_WRITE_PROPERTY | AccessMask.RIGHT_DS_READ_PROPERTY)
    give(corp, "CN=Deleted Objects", Ace(ACCESS_ALLOWED, 0, int(AccessMask.RIGHT_DS_LIST_CONTENTS), who))
    guid = buried(yard, "CN=box,CN=Users")

    def attempt() -> LdapResult:
        return LdapResult(clerk.undelete(guid, "CN=box,OU=back").result_code)

    assert attempt() == LdapResult.INSUFFICIENT_ACCESS_RIGHTS
    right = ExtendedRight.REANIMATE_TOMBSTONES
    control = Ace(
        ACCESS_ALLOWED_OBJECT, 0, int(AccessMask.RIGHT_DS_CONTROL_ACCESS), who, object_type=right.bytes_le
    )
    give(corp, "", control)
    assert attempt() == LdapResult.INSUFFICIENT_ACCESS_RIGHTS
    row = corp.row(guid)
    sd = corp.read(lambda ctx: rights.descriptor(ctx, row))
    assert sd.dacl is not None
    with_write = replace(sd, dacl=Acl(4, (Ace(ACCESS_ALLOWED, 0, write, who), *sd.dacl.aces)))
    answer = yard.modify(
        guid, change(REPLACE, "nTSecurityDescriptor", with_write.pack()), controls=(DELETED,)
    )
    assert result(answer) == SUCCESS  # 3.1.1.5.3.2: the one other Modify that deleted objects take
    assert attempt() == LdapResult.INSUFFICIENT_ACCESS_RIGHTS
    give(corp, "OU=back", Ace(ACCESS_ALLOWED, 0, int(AccessMask.RIGHT_DS_CREATE_CHILD), who))
    assert attempt() == LdapResult.SUCCESS
    assert corp.read(lambda ctx: names.dn_of(ctx, corp.row(guid).dnt)) == f"CN=box,OU=back,{DOMAIN_DN}"


def test_nobody_undeletes_himself(yard: Graveyard) -> None:
    """3.1.1.5.3.7.2"""
    boss = yard.as_clerk("boss")
    yard.modify("CN=Domain Admins,CN=Users", change(0, "member", yard.corp.dn("CN=boss,CN=Users")))
    client = yard.desk.connect(tls=True)
    assert client.bind("boss@corp.example.com", "Str0ng-Passw0rd!").result_code == 0
    boss = Graveyard(yard.desk, client)
    guid = buried(yard, "CN=boss,CN=Users")
    assert result(boss.undelete(guid, "CN=boss,CN=Users")) == ILLEGAL
    assert result(yard.undelete(guid, "CN=boss,CN=Users")) == SUCCESS
