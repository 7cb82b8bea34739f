"""Garbage collection: lifetimes, recycling, what is left of expunged objects. [MS-ADTS] 3.1.1.1.5.1."""

import pytest

from addc.base.ids import Dnt
from addc.codes.ldap_result import LdapResult
from addc.directory import garbage, names, tombstones
from addc.directory.delete import delete_object
from addc.store.objects import ObjectState
from tests.kit.corp import Corp, add_values, replace_values
from tests.kit.corp_forest import CONFIG_DN, DOMAIN_DN
from tests.kit.graveyard import (
    ADD,
    DAY,
    DEACTIVATED,
    DELETE,
    DELETED,
    DIRECTORY_SERVICE,
    RECYCLED,
    REPLACE,
    Graveyard,
    change,
    result,
)

ANN = "CN=ann,CN=Users"
CLUB = "CN=club,CN=Users"


def lifetimes(yard: Graveyard, tombstone: int | None, deleted: int | None = None) -> None:
    for name, days in (("tombstoneLifetime", tombstone), ("msDS-DeletedObjectLifetime", deleted)):
        values = [] if days is None else [str(days)]
        assert result(yard.modify(DIRECTORY_SERVICE, change(REPLACE, name, *values))) == (0, 0)


def state(yard: Graveyard, dnt: Dnt) -> ObjectState | None:
    row = yard.corp.read(lambda ctx: ctx.tx.get(dnt))
    return None if row is None else row.state


# --- lifetimes ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tombstone", "deleted", "expected"),
    [
        (None, None, (60, 60)),
        (180, None, (180, 180)),
        (1, None, (2, 2)),
        (180, 1, (180, 2)),
        (5, 30, (5, 30)),
    ],
)
def test_lifetimes_have_defaults_and_a_minimum(
    yard: Graveyard, tombstone: int | None, deleted: int | None, expected: tuple[int, int]
) -> None:
    """3.1.1.1.5.1"""
    lifetimes(yard, tombstone, deleted)
    assert yard.corp.read(tombstones.lifetimes_days) == expected


def test_a_tombstone_goes_after_its_lifetime(yard: Graveyard) -> None:
    """3.1.1.5.5.1.1"""
    ann = yard.corp.user("ann")
    guid = yard.guid(ANN)
    lifetimes(yard, 10)
    yard.delete(ANN)
    yard.later(10 * DAY - 60)
    assert yard.read(guid, controls=(DELETED,))
    yard.later(120)
    assert yard.read(guid, controls=(DELETED,)) == {} and yard.read(guid, controls=(RECYCLED,)) == {}
    assert state(yard, ann) is ObjectState.PHANTOM
    yard.later(2 * DAY)
    assert state(yard, ann) is None


def test_lifetimes_count_as_they_are_when_collected(yard: Graveyard) -> None:
    """3.1.1.3.3.8: longer and shorter ones alike."""
    yard.corp.user("ann")
    guid = yard.guid(ANN)
    lifetimes(yard, 10)
    yard.delete(ANN)
    yard.later(5 * DAY)
    lifetimes(yard, 20)
    yard.later(10 * DAY)
    assert yard.read(guid, controls=(DELETED,))
    lifetimes(yard, 15)
    assert result(yard.modify("", change(ADD, "doGarbageCollection", "1"))) == (0, 0)
    assert yard.read(guid, controls=(DELETED,)) == {}


def test_collecting_now_takes_nothing_early(yard: Graveyard) -> None:
    yard.corp.user("ann")
    guid = yard.guid(ANN)
    yard.delete(ANN)
    yard.modify("", change(ADD, "doGarbageCollection", "1"))
    assert yard.read(guid, controls=(DELETED,))


def test_collecting_takes_its_right(yard: Graveyard) -> None:
    """3.1.1.3.3.8"""
    clerk = yard.as_clerk()
    for name in ("doGarbageCollection", "doGarbageCollectionPhantomsNow"):
        answer = clerk.modify("", change(ADD, name, "1"))
        assert answer.result_code == LdapResult.INSUFFICIENT_ACCESS_RIGHTS


def test_a_deleted_object_is_recycled_and_later_goes(yard: Graveyard) -> None:
    """3.1.1.5.5.1.2, 3.1.1.5.5.1.3: one lifetime after the other."""
    yard.enable()
    lifetimes(yard, 10, 5)
    yard.corp.group("club")
    yard.corp.user("ann", description="a user")
    yard.modify(CLUB, change(ADD, "member", yard.corp.dn(ANN)))
    guid = yard.guid(ANN)
    yard.delete(ANN)
    yard.later(5 * DAY - 60)
    assert yard.read(guid, "description", controls=(DELETED,))["description"] == [b"a user"]
    yard.later(120)
    assert yard.read(guid, controls=(DELETED,)) == {}
    seen = yard.read(guid, controls=(RECYCLED,))
    assert seen["isRecycled"] == [b"TRUE"] and "description" not in seen
    assert yard.read(CLUB, "member", controls=(DEACTIVATED,)).keys() == {"dn"}
    yard.later(9 * DAY)
    assert yard.read(guid, controls=(RECYCLED,))
    yard.later(2 * DAY)
    assert yard.read(guid, controls=(RECYCLED,)) == {}


def test_what_was_undeleted_is_not_collected(yard: Graveyard) -> None:
    yard.corp.user("ann")
    guid = yard.guid(ANN)
    yard.delete(ANN)
    yard.undelete(guid, ANN)
    yard.later(400 * DAY)
    assert yard.read(ANN)


def test_the_containers_of_deleted_objects_stay(yard: Graveyard) -> None:
    """6.1.1.4.2"""
    yard.later(4000 * DAY)
    for nc in (DOMAIN_DN, CONFIG_DN):
        assert yard.read(f"CN=Deleted Objects,{nc}", controls=(DELETED,))


# --- what is left ------------------------------------------------------------------------------------------


def test_values_that_refer_to_an_expunged_object_stay_and_name_nothing(yard: Graveyard) -> None:
    """3.1.1.1.6: the DN corresponds to no object; the name goes when its last reference does."""
    corp = yard.corp
    ann = corp.user("ann")
    corp.user("bob")
    bob = "CN=bob,CN=Users"
    assert result(yard.modify(bob, change(ADD, "assistant", corp.dn(ANN)))) == (0, 0)
    guid = yard.guid(ANN)
    yard.delete(ANN)
    shown = yard.read(bob, "assistant")["assistant"]
    assert shown[0].startswith(b"CN=ann\\0ADEL:")
    yard.later(181 * DAY)
    assert yard.read(guid, controls=(RECYCLED,)) == {}
    yard.later(3 * DAY)
    assert state(yard, ann) is ObjectState.PHANTOM
    assert yard.read(bob, "assistant")["assistant"] == shown
    assert yard.read(bob)["assistant"] == shown
    assert result(yard.modify(bob, change(DELETE, "assistant", shown[0])))[0] in (
        0,
        LdapResult.NO_SUCH_ATTRIBUTE,
    )
    yard.modify(bob, change(REPLACE, "assistant"))
    assert result(yard.modify("", change(ADD, "doGarbageCollectionPhantomsNow", "1"))) == (0, 0)
    assert state(yard, ann) is None


def test_nothing_refers_to_a_phantom_anew(yard: Graveyard) -> None:
    corp = yard.corp
    ann = corp.user("ann")
    corp.user("bob")
    yard.delete(ANN)
    yard.later(181 * DAY)
    dn = corp.read(lambda ctx: names.dn_of(ctx, ann))
    answer = yard.modify("CN=bob,CN=Users", change(ADD, "assistant", dn))
    assert result(answer)[0] == LdapResult.NO_SUCH_OBJECT


def test_tombstones_below_tombstones_all_go(yard: Graveyard) -> None:
    """Some stay in their place, which itself is deleted later."""
    sites = f"CN=Sites,{CONFIG_DN}"
    berlin = yard.corp.add(f"CN=Berlin,{sites}", "site")
    servers = yard.corp.add(f"CN=Servers,CN=Berlin,{sites}", "serversContainer")
    yard.delete(f"CN=Servers,CN=Berlin,{sites}")
    yard.delete(f"CN=Berlin,{sites}")
    yard.later(181 * DAY)
    yard.later(2 * DAY)
    yard.later(2 * DAY)
    assert (state(yard, servers), state(yard, berlin)) == (None, None)


def test_a_search_for_references_takes_many_steps(yard: Graveyard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(garbage, "SCAN", 100)
    corp = yard.corp
    dnts = [corp.user(f"u{number}") for number in range(5)]
    corp.user("bob", assistant=corp.dn("CN=u3,CN=Users"))
    for number in range(5):
        yard.delete(f"CN=u{number},CN=Users")
    yard.later(181 * DAY)
    yard.later(2 * DAY)
    left = [state(yard, dnt) for dnt in dnts]
    assert left == [None, None, None, ObjectState.PHANTOM, None]


def test_many_tombstones_go_in_batches(corp_sqlite: Corp, monkeypatch: pytest.MonkeyPatch) -> None:
    corp = corp_sqlite
    monkeypatch.setattr(garbage, "BATCH", 2)
    for number in range(5):
        dn = corp.dn(f"CN=u{number},CN=Users")
        corp.user(f"u{number}")
        corp.write(lambda ctx, dn=dn: delete_object(ctx, dn))  # type: ignore[misc]
    corp.later(181 * DAY)
    steps = 1
    while corp.write(garbage.collect_step):
        steps += 1
    assert steps == 3
    assert corp.read(lambda ctx: ctx.tx.due("tombstone", corp.now)) == []


# --- link values -------------------------------------------------------------------------------------------


def test_removed_link_values_go_after_the_tombstone_lifetime(yard: Graveyard) -> None:
    """3.1.1.1.9: their rows are tombstones too."""
    corp = yard.corp
    club, ann, bob = corp.group("club"), corp.user("ann"), corp.user("bob")
    corp.modify(CLUB, add_values("member", corp.dn(ANN), corp.dn("CN=bob,CN=Users")))
    corp.modify(CLUB, replace_values("member"))
    corp.modify(CLUB, add_values("member", corp.dn("CN=bob,CN=Users")))

    def held() -> dict[Dnt, bool]:
        return {link.target: link.deleted for link in corp.read(lambda ctx: ctx.tx.all_links(club))}

    assert held() == {ann: True, bob: False}
    yard.later(170 * DAY)
    assert held() == {ann: True, bob: False}
    yard.later(20 * DAY)
    assert held() == {bob: False}
