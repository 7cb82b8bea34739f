"""Optional features and the Recycle Bin, over LDAP: who enables them, deleted-objects, recycled-objects."""

from dataclasses import replace

import pytest

from addc.codec.filter import Equal
from addc.codes.ldap_result import LdapResult
from addc.codes.win32 import Win32
from addc.directory import names, rights
from addc.directory.context import WriteContext
from addc.schema import attr
from addc.security.access_mask import AccessMask
from addc.security.descriptor import ACCESS_ALLOWED, Ace, Acl
from addc.security.token import SYSTEM
from addc.store.objects import ObjectState
from tests.kit.corp import Corp, add_values, replace_values
from tests.kit.corp_forest import CONFIG_DN, DOMAIN_DN
from tests.kit.graveyard import (
    ADD,
    DEACTIVATED,
    DELETED,
    PARTITIONS,
    PRIVILEGED_ACCESS,
    RECYCLE_BIN,
    RECYCLED,
    Graveyard,
    change,
    result,
)

FEATURE = (
    f"CN=Recycle Bin Feature,CN=Optional Features,CN=Directory Service,CN=Windows NT,CN=Services,{CONFIG_DN}"
)
ANN = "CN=ann,CN=Users"
CLUB = "CN=club,CN=Users"
SUCCESS = (0, 0)


def grant(corp: Corp, dn: str, name: str, mask: AccessMask) -> None:
    row = corp.row(dn)
    sd = corp.read(lambda ctx: rights.descriptor(ctx, row))
    assert sd.dacl is not None
    ace = Ace(ACCESS_ALLOWED, 0, int(mask), corp.token(name).user)
    changed = replace(sd, dacl=Acl(4, (ace, *sd.dacl.aces)))
    corp.modify(dn, replace_values("nTSecurityDescriptor", changed.pack()), requester=SYSTEM)


# --- enabling, 3.1.1.3.3.28, 3.1.1.9 -----------------------------------------------------------------------


def test_enabling_links_scope_and_feature(yard: Graveyard) -> None:
    assert result(yard.enable()) == SUCCESS
    dsa = yard.corp.read(lambda ctx: names.dn_of(ctx, ctx.forest.dsa_dnt))
    for scope in (PARTITIONS, dsa):
        assert yard.read(scope, "msDS-EnabledFeature")["msDS-EnabledFeature"] == [FEATURE.encode()]
    held = {one.decode() for one in yard.read(FEATURE, "msDS-EnabledFeatureBL")["msDS-EnabledFeatureBL"]}
    assert held == {PARTITIONS, dsa}
    assert result(yard.enable()) == (
        LdapResult.ATTRIBUTE_OR_VALUE_EXISTS,
        Win32.ERROR_DS_ATT_VAL_ALREADY_EXISTS,
    )
    assert result(yard.enable(PRIVILEGED_ACCESS)) == SUCCESS


@pytest.mark.parametrize(
    ("value", "refused"),
    [
        (f"{PARTITIONS}:12345678-acd0-445e-f3b9-a7f9b6744f2a", Win32.ERROR_INVALID_PARAMETER),
        (f"{PARTITIONS}:recycle", Win32.ERROR_INVALID_PARAMETER),
        (f"CN=Nothing,{CONFIG_DN}:{RECYCLE_BIN}", Win32.ERROR_INVALID_PARAMETER),
        (f"CN=Users,{DOMAIN_DN}:{RECYCLE_BIN}", Win32.ERROR_DS_NOT_SUPPORTED),
        (f"{DOMAIN_DN}:{RECYCLE_BIN}", Win32.ERROR_DS_NOT_SUPPORTED),
    ],
)
def test_enabling_is_refused_exactly(yard: Graveyard, value: str, refused: Win32) -> None:
    """3.1.1.3.3.28"""
    answer = yard.modify("", change(ADD, "enableOptionalFeature", value))
    invalid = refused is Win32.ERROR_INVALID_PARAMETER
    expected = LdapResult.OPERATIONS_ERROR if invalid else LdapResult.UNWILLING_TO_PERFORM
    assert result(answer) == (expected, refused)


def test_enabling_takes_the_right_on_the_scope(yard: Graveyard) -> None:
    """3.1.1.3.3.28: Manage-Optional-Features."""
    assert yard.as_clerk().enable().result_code == LdapResult.INSUFFICIENT_ACCESS_RIGHTS
    assert yard.read(PARTITIONS, "msDS-EnabledFeature").keys() == {"dn"}


def test_enabling_takes_the_functional_level(yard: Graveyard) -> None:
    """3.1.1.9.1, 3.1.1.9.2"""

    def lower(ctx: WriteContext) -> None:
        row = names.resolve(ctx, PARTITIONS)
        ctx.tx.update(row, attrs={**row.attrs, attr.MS_DS_BEHAVIOR_VERSION: (b"4",)})

    yard.corp.write(lower)
    assert result(yard.enable(PRIVILEGED_ACCESS))[1] == Win32.ERROR_DS_NOT_SUPPORTED
    assert result(yard.enable(RECYCLE_BIN)) == SUCCESS


def test_neither_feature_can_be_disabled(yard: Graveyard) -> None:
    """3.1.1.3.3.27"""
    yard.enable()
    answer = yard.modify("", change(ADD, "disableOptionalFeature", f"{PARTITIONS}:{RECYCLE_BIN}"))
    assert result(answer) == (LdapResult.UNWILLING_TO_PERFORM, Win32.ERROR_DS_NOT_SUPPORTED)


def test_tombstones_become_recycled_objects_when_the_bin_is_enabled(yard: Graveyard) -> None:
    """3.1.1.9.1"""
    yard.corp.user("ann")
    guid = yard.guid(ANN)
    yard.delete(ANN)
    assert yard.read(guid, "isRecycled", controls=(DELETED,))["isRecycled"] == [b"TRUE"]
    yard.enable()
    assert yard.read(guid, controls=(DELETED,)) == {}
    assert yard.read(guid, "isRecycled", controls=(RECYCLED,))["isRecycled"] == [b"TRUE"]
    refused = result(yard.undelete(guid, ANN, controls=(RECYCLED,)))
    assert refused == (LdapResult.NO_SUCH_ATTRIBUTE, Win32.ERROR_DS_ATT_IS_NOT_ON_OBJ)
    container = f"CN=Deleted Objects,{DOMAIN_DN}"
    assert yard.read(container, controls=(DELETED,)) and yard.corp.row(container).state is ObjectState.DELETED


# --- deleted-objects, 3.1.1.5.5.1.2, 3.1.1.5.5.6.2 ---------------------------------------------------------


def test_a_deleted_object_keeps_all_but_two_attributes(yard: Graveyard) -> None:
    yard.enable()
    yard.corp.user("ann", "Tr0ub4dor&3", description="a user", userPrincipalName="ann@corp.example.com")
    guid = yard.guid(ANN)
    before = yard.corp.row(ANN)
    assert result(yard.delete(ANN)) == SUCCESS
    seen = yard.read(guid, controls=(DELETED,))
    assert seen["isDeleted"] == [b"TRUE"] and "isRecycled" not in seen
    assert seen["description"] == [b"a user"] and seen["userPrincipalName"] == [b"ann@corp.example.com"]
    assert seen["msDS-LastKnownRDN"] == [b"ann"]
    assert seen["lastKnownParent"] == [f"CN=Users,{DOMAIN_DN}".encode()]
    assert "objectCategory" not in seen and "sAMAccountType" not in seen
    row = yard.corp.row(guid)
    assert row.state is ObjectState.DELETED and row.rdn.startswith("ann\nDEL:")
    gone = set(before.attrs) - set(row.attrs)
    assert gone == {attr.OBJECT_CATEGORY, attr.SAM_ACCOUNT_TYPE}
    assert row.sid == before.sid and row.sd_id == before.sd_id


def test_links_of_deleted_objects_are_kept_and_hidden(yard: Graveyard) -> None:
    """3.1.1.3.4.1.25, the whole table"""
    yard.enable()
    yard.corp.group("club")
    yard.corp.user("ann", manager=yard.corp.dn("CN=Administrator,CN=Users"))
    yard.corp.modify(CLUB, add_values("member", yard.corp.dn(ANN)))
    guid = yard.guid(ANN)
    yard.delete(ANN)
    dead = yard.corp.row(guid)
    dead_dn = yard.corp.read(lambda ctx: names.dn_of(ctx, dead.dnt)).encode()
    assert yard.read(CLUB, "member").keys() == {"dn"}
    assert yard.read(CLUB, "member", controls=(DELETED,)).keys() == {"dn"}
    assert yard.read(CLUB, "member", controls=(DEACTIVATED,))["member"] == [dead_dn]
    assert yard.read(guid, "manager", "memberOf", controls=(DELETED,)).keys() == {"dn"}
    both = yard.read(guid, "manager", "memberOf", controls=(DELETED, DEACTIVATED))
    assert both["memberOf"] == [yard.corp.dn(CLUB).encode()] and len(both["manager"]) == 1
    held = Equal("member", dead_dn)
    assert yard.search("", "cn", where=held) == []
    assert len(yard.search("", "cn", where=held, controls=(DEACTIVATED,))) == 1


def test_a_deleted_group_is_in_no_token(yard: Graveyard) -> None:
    yard.enable()
    yard.corp.user("ann", "Tr0ub4dor&3")
    yard.corp.group("club")
    yard.corp.modify(CLUB, add_values("member", yard.corp.dn(ANN)))
    sid = yard.corp.sid(CLUB)
    assert sid in yard.corp.token("ann").sids
    guid = yard.guid(CLUB)
    yard.delete(CLUB)
    assert sid not in yard.corp.token("ann").sids
    assert result(yard.undelete(guid, CLUB)) == SUCCESS
    assert sid in yard.corp.token("ann").sids


def test_values_that_nobody_sees_give_way(yard: Graveyard) -> None:
    """3.1.1.5.3.3: replacing, removing all and adding to a single-valued attribute take them away."""
    yard.enable()
    for name in ("ann", "bob", "joe"):
        yard.corp.user(name)
    joe = "CN=joe,CN=Users"
    yard.modify(joe, change(ADD, "manager", yard.corp.dn(ANN)))
    yard.corp.group("club")
    yard.modify(CLUB, change(ADD, "member", yard.corp.dn(ANN), yard.corp.dn("CN=bob,CN=Users")))
    yard.delete(ANN)
    assert result(yard.modify(joe, change(ADD, "manager", yard.corp.dn("CN=bob,CN=Users")))) == SUCCESS
    assert yard.read(joe, "manager", controls=(DEACTIVATED,))["manager"] == [
        yard.corp.dn("CN=bob,CN=Users").encode()
    ]
    assert result(yard.modify(CLUB, change(1, "member", yard.corp.dn("CN=bob,CN=Users")))) == SUCCESS
    assert len(yard.read(CLUB, "member", controls=(DEACTIVATED,))["member"]) == 1
    assert result(yard.modify(CLUB, change(1, "member"))) == SUCCESS
    assert yard.read(CLUB, "member", controls=(DEACTIVATED,)).keys() == {"dn"}


def test_a_value_that_refers_to_a_deleted_object_goes_by_its_name_with_the_control(yard: Graveyard) -> None:
    """3.1.1.5.3.3"""
    yard.enable()
    yard.corp.user("ann")
    yard.corp.group("club")
    yard.modify(CLUB, change(ADD, "member", yard.corp.dn(ANN)))
    guid = yard.guid(ANN)
    yard.delete(ANN)
    remove = change(1, "member", guid)
    assert result(yard.modify(CLUB, remove))[0] == LdapResult.UNWILLING_TO_PERFORM
    assert result(yard.modify(CLUB, remove, controls=(DEACTIVATED,))) == SUCCESS
    assert yard.read(CLUB, "member", controls=(DEACTIVATED,)).keys() == {"dn"}


def test_nobody_is_linked_to_what_is_deleted(yard: Graveyard) -> None:
    """3.1.1.1.6, with and without the controls"""
    yard.enable()
    yard.corp.user("ann")
    yard.corp.group("club")
    guid = yard.guid(ANN)
    yard.delete(ANN)
    for controls in ((), (DELETED,), (DELETED, DEACTIVATED)):
        answer = yard.modify(CLUB, change(ADD, "member", guid), controls=controls)
        assert result(answer)[0] == LdapResult.NO_SUCH_OBJECT


# --- recycled-objects, 3.1.1.5.5.1.3, 3.1.1.5.5.6.3 --------------------------------------------------------


def test_deleting_a_deleted_object_recycles_it(yard: Graveyard) -> None:
    yard.enable()
    yard.corp.group("club")
    yard.corp.user("ann", description="a user")
    yard.modify(CLUB, change(ADD, "member", yard.corp.dn(ANN)))
    guid = yard.guid(ANN)
    yard.delete(ANN)
    assert result(yard.delete(guid))[0] == LdapResult.NO_SUCH_OBJECT
    assert result(yard.delete(guid, DELETED)) == SUCCESS
    assert yard.read(guid, controls=(DELETED,)) == {}
    seen = yard.read(guid, controls=(RECYCLED, DEACTIVATED))
    assert seen["isRecycled"] == seen["isDeleted"] == [b"TRUE"]
    assert seen["sAMAccountName"] == [b"ann"] and seen["msDS-LastKnownRDN"] == [b"ann"]
    assert "description" not in seen and "memberOf" not in seen
    assert yard.read(CLUB, "member", controls=(DEACTIVATED,)).keys() == {"dn"}
    assert result(yard.delete(guid, RECYCLED)) == (
        LdapResult.UNWILLING_TO_PERFORM,
        Win32.ERROR_DS_CANT_DELETE,
    )
    assert result(yard.delete(guid, DELETED))[0] == LdapResult.NO_SUCH_OBJECT


def test_recycling_takes_reanimate_tombstones_too(yard: Graveyard) -> None:
    """3.1.1.5.5.4"""
    yard.enable()
    corp = yard.corp
    clerk = yard.as_clerk()
    corp.add("CN=box,CN=Users", "container")
    guid = yard.guid("CN=box,CN=Users")
    grant(corp, "CN=box,CN=Users", "clerk", AccessMask.RIGHT_DELETE)
    assert result(clerk.delete("CN=box,CN=Users")) == SUCCESS
    grant(corp, "CN=Deleted Objects", "clerk", AccessMask.RIGHT_DS_LIST_CONTENTS)
    assert clerk.delete(guid, DELETED).result_code == LdapResult.INSUFFICIENT_ACCESS_RIGHTS
    assert corp.row(guid).state is ObjectState.DELETED


def test_the_container_of_deleted_objects_is_never_deleted(yard: Graveyard) -> None:
    """3.1.1.5.5.1.3"""
    yard.enable()
    answer = yard.delete("CN=Deleted Objects", DELETED)
    assert result(answer) == (LdapResult.UNWILLING_TO_PERFORM, Win32.ERROR_DS_CANT_DELETE)


# --- who sees what is deleted, 6.1.1.4.2, 5.1.3.3.6 --------------------------------------------------------


@pytest.mark.parametrize("recycle_bin", [False, True])
def test_deleted_objects_are_seen_with_the_control_and_the_right(yard: Graveyard, recycle_bin: bool) -> None:
    if recycle_bin:
        yard.enable()
    clerk = yard.as_clerk()
    yard.corp.user("ann")
    guid = yard.guid(ANN)
    yard.delete(ANN)
    wanted = Equal("sAMAccountName", b"ann")
    assert yard.search("", "cn", where=wanted) == [] and yard.read(guid) == {}
    assert len(yard.search("", "cn", where=wanted, controls=(DELETED,))) == 1
    assert clerk.search("", "cn", where=wanted, controls=(DELETED,)) == []
    assert clerk.read(guid, controls=(DELETED,)) == {} and clerk.read(guid, controls=(RECYCLED,)) == {}
    grant(yard.corp, "CN=Deleted Objects", "clerk", AccessMask.RIGHT_DS_LIST_CONTENTS)
    assert len(clerk.search("", "cn", where=wanted, controls=(DELETED,))) == 1
