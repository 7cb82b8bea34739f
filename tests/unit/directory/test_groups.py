"""Group membership through nesting, and the tokens made of it."""

import pytest

from addc.base.errors import DsError
from addc.base.ids import Dnt
from addc.codec.ids import Sid
from addc.codes.win32 import Win32
from addc.directory import groups
from addc.security import wellknown
from addc.security.token import SYSTEM, Privilege
from addc.store.objects import ObjectState
from tests.kit.forest import (
    BUILTIN,
    DOMAIN_DN,
    DOMAIN_LOCAL,
    DOMAIN_SID,
    GLOBAL,
    UNIVERSAL,
    USERS_DN,
    ForestBuilder,
    KitForest,
)

ALICE = f"CN=alice,{USERS_DN}"


def rid(number: int) -> Sid:
    return DOMAIN_SID.child(number)


def membership(forest: KitForest, dn: str) -> groups.GroupMembership:
    return forest.read(lambda ctx: groups.account_groups(ctx, forest.rows[dn.lower()]))


def test_nested_groups_by_kind_the_primary_group_first(forest: KitForest) -> None:
    def work(b: ForestBuilder) -> None:
        inner = b.group("inner", rid(3001), GLOBAL, [ALICE])
        outer = b.group("outer", rid(3002), UNIVERSAL, [inner])
        b.group("local", rid(3003), DOMAIN_LOCAL, [outer])
        b.group("builtin", wellknown.BACKUP_OPERATORS, BUILTIN, [outer])
        b.group("by primary", rid(3004), DOMAIN_LOCAL, [f"CN=Domain Users,{USERS_DN}"])

    forest.build(work)
    found = membership(forest, ALICE)
    assert found.global_universal == ((rid(513), 7), (rid(3001), 7), (rid(3002), 7))
    assert set(found.domain_local) == {rid(3003), rid(3004)}
    assert found.builtin == (wellknown.BACKUP_OPERATORS,)
    assert found.sid_history == ()


def test_circles_end(sqlite_forest: KitForest) -> None:
    def work(b: ForestBuilder) -> None:
        first = b.group("first", rid(3001), UNIVERSAL, [ALICE])
        second = b.group("second", rid(3002), UNIVERSAL, [first])
        b.link(first, "member", second)

    sqlite_forest.build(work)
    sids = {sid for sid, _ in membership(sqlite_forest, ALICE).global_universal}
    assert sids == {rid(513), rid(3001), rid(3002)}


def test_distribution_groups_are_no_way_to_rights(sqlite_forest: KitForest) -> None:
    def work(b: ForestBuilder) -> None:
        mailing = b.group("mailing", rid(3001), 0x2, [ALICE])
        b.group("beyond", rid(3002), GLOBAL, [mailing])

    sqlite_forest.build(work)
    assert {sid for sid, _ in membership(sqlite_forest, ALICE).global_universal} == {rid(513)}


def test_deleted_groups_and_removed_links_do_not_count(sqlite_forest: KitForest) -> None:
    def work(b: ForestBuilder) -> str:
        b.add(f"CN=dead,CN=Deleted Objects,{DOMAIN_DN}", "group", {"groupType": -2147483646}, sid=rid(3001),
              state=ObjectState.DELETED)  # fmt: skip
        b.link(f"CN=dead,CN=Deleted Objects,{DOMAIN_DN}", "member", ALICE)
        return b.group("left", rid(3002), GLOBAL, [ALICE])

    left = sqlite_forest.build(work)
    assert {sid for sid, _ in membership(sqlite_forest, ALICE).global_universal} == {rid(513), rid(3002)}

    def leave(b: ForestBuilder) -> None:
        link = b.tx.link(groups.MEMBER_LINK, b.row(left), b.row(ALICE))
        assert link is not None
        b.tx.update_link(link._replace(deleted_ft=5))

    sqlite_forest.build(leave)
    assert {sid for sid, _ in membership(sqlite_forest, ALICE).global_universal} == {rid(513)}


def test_sid_history_of_the_account_and_its_groups(sqlite_forest: KitForest) -> None:
    old_user, old_group = Sid.parse("S-1-5-21-9-9-9-1"), Sid.parse("S-1-5-21-9-9-9-2")

    def work(b: ForestBuilder) -> str:
        dn = b.user("moved", 1300, {"sIDHistory": bytes(old_user)})
        group = f"CN=moved group,{USERS_DN}"
        values: dict[str, str | bytes | int] = {"groupType": -2147483646, "sIDHistory": bytes(old_group)}
        b.add(group, "group", values, sid=rid(3001))
        b.link(group, "member", dn)
        return dn

    dn = sqlite_forest.build(work)
    assert membership(sqlite_forest, dn).sid_history == (old_user, old_group)
    assert {old_user, old_group} <= sqlite_forest.token(dn).sids


def test_a_token_has_what_every_logon_brings(sqlite_forest: KitForest) -> None:
    token = sqlite_forest.token(ALICE)
    assert token.user == rid(1101)
    assert {
        wellknown.EVERYONE,
        wellknown.AUTHENTICATED_USERS,
        wellknown.THIS_ORGANIZATION,
        wellknown.NETWORK,
        rid(513),
    } <= token.sids
    assert wellknown.ALIAS_PREW2KCOMPACC in token.sids, "through the foreign principal of Authenticated Users"
    assert token.primary_group == rid(513)
    assert wellknown.BUILTIN_ADMINISTRATORS not in token.sids
    assert wellknown.ENTERPRISE_DOMAIN_CONTROLLERS not in token.sids
    assert not token.has(Privilege.SE_SECURITY)
    assert not token.has(Privilege.SE_RESTORE)


def test_administrators_have_their_privileges(sqlite_forest: KitForest) -> None:
    token = sqlite_forest.token(f"CN=Administrator,{USERS_DN}")
    assert {rid(512), wellknown.BUILTIN_ADMINISTRATORS} <= token.sids
    assert token.has(Privilege.SE_SECURITY | Privilege.SE_TAKE_OWNERSHIP | Privilege.SE_BACKUP)
    assert not token.has(Privilege.SE_TCB)


def test_domain_controllers_are_enterprise_domain_controllers(sqlite_forest: KitForest) -> None:
    values: dict[str, str | int] = {"userAccountControl": 0x82000, "primaryGroupID": 516}
    dn = f"CN=DC1,OU=Domain Controllers,{DOMAIN_DN}"
    sqlite_forest.build(lambda b: b.add(dn, "computer", values, sid=rid(1000)))
    assert wellknown.ENTERPRISE_DOMAIN_CONTROLLERS in sqlite_forest.token(dn).sids


def test_sids_of_a_pac_bring_this_domains_local_groups(sqlite_forest: KitForest) -> None:
    foreign, foreign_group = Sid.parse("S-1-5-21-8-8-8-1105"), Sid.parse("S-1-5-21-8-8-8-513")
    principal = f"CN={foreign_group},CN=ForeignSecurityPrincipals,{DOMAIN_DN}"

    def work(b: ForestBuilder) -> None:
        b.add(principal, "foreignSecurityPrincipal", sid=foreign_group)
        b.group("guests of ours", rid(3001), DOMAIN_LOCAL, [principal])
        b.group("not ours", rid(3002), GLOBAL, [principal])

    sqlite_forest.build(work)
    token = sqlite_forest.read(lambda ctx: groups.token_of_sids(ctx, foreign, [foreign_group]))
    assert rid(3001) in token.sids
    assert rid(3002) not in token.sids, "global groups of this domain are not for foreigners"


def test_the_system_is_the_system(sqlite_forest: KitForest) -> None:
    token = sqlite_forest.read(lambda ctx: groups.token_of_sids(ctx, wellknown.LOCAL_SYSTEM, ()))
    assert token is SYSTEM


@pytest.mark.parametrize("dnt", [Dnt(1), Dnt(999_999)])
def test_what_is_no_principal_has_no_token(sqlite_forest: KitForest, dnt: Dnt) -> None:
    with pytest.raises(DsError) as caught:
        sqlite_forest.read(lambda ctx: groups.token_for(ctx, dnt))
    assert caught.value.code == Win32.ERROR_DS_OBJ_NOT_FOUND


def test_a_deleted_account_has_no_token(sqlite_forest: KitForest) -> None:
    dn = f"CN=gone,CN=Deleted Objects,{DOMAIN_DN}"
    dnt = sqlite_forest.build(lambda b: b.add(dn, "user", sid=rid(1400), state=ObjectState.DELETED))
    with pytest.raises(DsError):
        sqlite_forest.read(lambda ctx: groups.token_for(ctx, dnt))
