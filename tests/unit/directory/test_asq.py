"""Attribute scoped queries. [MS-ADTS] 3.1.1.3.4.1.18."""

import pytest

from addc.base.errors import DsError
from addc.codes.ldap_result import LdapResult
from addc.directory.controls import ListView, RequestOptions, SortKey
from addc.directory.search import BASE, SUBTREE, ControlRefused, SearchResult
from addc.security.token import SYSTEM, Token
from addc.store.objects import ObjectState
from tests.kit.forest import CLOSED, DOMAIN_DN, DOMAIN_SID, USERS_DN, ForestBuilder, KitForest
from tests.kit.searching import ask, order_of

TEAM = f"CN=team,{USERS_DN}"
MEMBERS = [f"CN=m{number},{USERS_DN}" for number in range(5)]
GONE = f"CN=gone,CN=Deleted Objects,{DOMAIN_DN}"


@pytest.fixture
def team(sqlite_forest: KitForest) -> KitForest:
    """A group of five people, one of them deleted since, and a manager."""

    def build(b: ForestBuilder) -> None:
        for number in range(5):
            b.user(f"m{number}", 3000 + number, {"sn": "x"} if number % 2 else None)
        b.add(GONE, "user", {"isDeleted": "TRUE"}, state=ObjectState.DELETED)
        b.group("team", DOMAIN_SID.child(3100), members=[*MEMBERS, GONE])
        b.user("boss", 3101)
        b.link(TEAM, "managedBy", f"CN=boss,{USERS_DN}")

    sqlite_forest.build(build)
    return sqlite_forest


def scoped(
    forest: KitForest,
    attribute: str = "member",
    wanted: str = "(objectClass=*)",
    *,
    base: str = TEAM,
    scope: int = BASE,
    who: Token = SYSTEM,
    **more: object,
) -> SearchResult:
    options = RequestOptions(asq_attribute=attribute, **more)  # type: ignore[arg-type]
    return ask(forest, base, scope, wanted, options=options, who=who)


def test_the_objects_that_the_attribute_names_are_searched(team: KitForest) -> None:
    found = scoped(team)
    assert sorted(order_of(found)) == ["m0", "m1", "m2", "m3", "m4"]
    assert found.asq_result == LdapResult.SUCCESS
    assert sorted(order_of(scoped(team, wanted="(sn=x)"))) == ["m1", "m3"]
    assert order_of(scoped(team, "managedBy")) == ["boss"]


def test_back_links_and_single_references_too(team: KitForest) -> None:
    assert order_of(scoped(team, "memberOf", base=MEMBERS[0])) == ["team"]
    assert order_of(scoped(team, "objectCategory", base=MEMBERS[0])) == ["Person"]
    assert order_of(scoped(team, "distinguishedName")) == ["team"]


def test_deleted_objects_need_their_controls(team: KitForest) -> None:
    assert "gone" not in order_of(scoped(team, show_deleted=True))
    assert "gone" in order_of(scoped(team, show_deleted=True, show_deactivated_link=True))


def test_pages(team: KitForest) -> None:
    seen: list[str] = []
    cookie = b""
    while True:
        found = scoped(team, page_size=2, page_cookie=cookie)
        seen += order_of(found)
        if not found.cookie:
            break
        cookie = found.cookie
    assert sorted(seen) == ["m0", "m1", "m2", "m3", "m4"]


def test_sorted_and_as_a_list_view(team: KitForest) -> None:
    backwards = (SortKey("cn", reverse=True),)
    assert order_of(scoped(team, sort_keys=backwards)) == ["m4", "m3", "m2", "m1", "m0"]
    window = ListView(1, 1, offset=3, critical=True)
    assert order_of(scoped(team, sort_keys=backwards, list_view=window)) == ["m3", "m2", "m1"]


@pytest.mark.parametrize(
    ("attribute", "scope", "result"),
    [
        ("cn", BASE, LdapResult.INVALID_ATTRIBUTE_SYNTAX),
        ("nonsense", BASE, LdapResult.INVALID_ATTRIBUTE_SYNTAX),
        ("msDS-RevealedUsers", BASE, LdapResult.INVALID_ATTRIBUTE_SYNTAX),
        ("member", SUBTREE, LdapResult.UNWILLING_TO_PERFORM),
    ],
)
def test_what_names_no_objects(team: KitForest, attribute: str, scope: int, result: LdapResult) -> None:
    lax = scoped(team, attribute, scope=scope)
    assert lax.asq_result == result
    assert lax.entries == []
    with pytest.raises(ControlRefused) as caught:
        scoped(team, attribute, scope=scope, asq_critical=True)
    assert caught.value.result.asq_result == result


def test_objects_that_are_not_held_here(team: KitForest) -> None:
    team.build(lambda b: b.link(TEAM, "member", f"CN=stranger,DC=child,{DOMAIN_DN}"))
    found = scoped(team)
    assert found.asq_result == LdapResult.AFFECTS_MULTIPLE_DSAS
    assert len(found.entries) == 5


def test_an_attribute_that_may_not_be_read_names_nothing(team: KitForest) -> None:
    closed = f"CN=closed,{USERS_DN}"
    team.build(lambda b: b.group("closed", DOMAIN_SID.child(3200), members=MEMBERS, acl=CLOSED))
    reader = team.token(MEMBERS[0])
    assert len(scoped(team, base=closed).entries) == 5
    assert scoped(team, base=closed, who=reader).entries == []


def test_objects_that_may_not_be_listed_stay_hidden(team: KitForest) -> None:
    """[MS-ADTS] 5.1.3.3.6: the way to an object makes no difference."""
    hidden = f"CN=hidden,OU=closed,{DOMAIN_DN}"

    def build(b: ForestBuilder) -> None:
        b.add(f"OU=closed,{DOMAIN_DN}", "organizationalUnit", acl=CLOSED)
        b.add(hidden, "user", sid=DOMAIN_SID.child(3300))
        b.link(TEAM, "member", hidden)

    team.build(build)
    assert "hidden" in order_of(scoped(team))
    assert "hidden" not in order_of(scoped(team, who=team.token(MEMBERS[0])))


def test_a_base_that_is_not_there(team: KitForest) -> None:
    with pytest.raises(DsError):
        scoped(team, base=f"CN=nobody,{USERS_DN}")
