"""Memberships that end by themselves limit tickets. [MS-ADTS] 3.1.1.9.2."""

import pytest

from addc.base.clock import TICKS_PER_S
from addc.directory import membership_ends
from tests.kit.corp import add_values
from tests.kit.graveyard import ADD, DELETE, PRIVILEGED_ACCESS, Graveyard, change, result

ANN = "CN=ann,CN=Users"
CLUB, INNER = "CN=club,CN=Users", "CN=inner,CN=Users"


@pytest.fixture
def club(yard: Graveyard) -> Graveyard:
    assert result(yard.enable(PRIVILEGED_ACCESS)) == (0, 0)
    for name in ("club", "inner"):
        yard.corp.group(name)
    yard.corp.user("ann", "Tr0ub4dor&3")
    return yard


def join(yard: Graveyard, group: str, member: str, seconds: int | None = None) -> None:
    dn = yard.corp.dn(member)
    value = dn if seconds is None else f"<TTL={seconds},{dn}>"
    assert result(yard.modify(group, change(ADD, "member", value))) == (0, 0)


def left(yard: Graveyard) -> int | None:
    """Seconds until ann's first membership ends."""
    row = yard.corp.row(ANN)
    end = yard.corp.read(lambda ctx: membership_ends.soonest(ctx, row.dnt))
    return None if end is None else (end - yard.desk.clock.when) // TICKS_PER_S


def test_lasting_memberships_have_no_end(club: Graveyard) -> None:
    join(club, CLUB, ANN)
    assert left(club) is None


def test_the_first_end_counts(club: Graveyard) -> None:
    join(club, CLUB, ANN, 500)
    assert left(club) == 500
    join(club, INNER, ANN, 200)
    assert left(club) == 200
    club.later(50)
    assert left(club) == 150


def test_memberships_of_groups_in_groups_count(club: Graveyard) -> None:
    join(club, INNER, ANN)
    join(club, CLUB, INNER, 300)
    assert left(club) == 300


def test_other_members_ends_do_not_count(club: Graveyard) -> None:
    club.corp.user("bob")
    join(club, CLUB, ANN)
    join(club, CLUB, "CN=bob,CN=Users", 100)
    assert left(club) is None


def test_what_has_ended_does_not_count(club: Graveyard) -> None:
    join(club, CLUB, ANN, 100)
    club.later(101)
    assert left(club) is None
    join(club, CLUB, ANN, 100)
    assert result(club.modify(CLUB, change(DELETE, "member", club.corp.dn(ANN)))) == (0, 0)
    assert left(club) is None


def test_a_value_taken_away_and_a_way_around_it(club: Graveyard) -> None:
    """The removal of a deleted value also waits for its time, which is nobody's end."""
    join(club, CLUB, ANN)
    club.corp.modify(INNER, add_values("member", club.corp.dn(ANN)))
    club.corp.modify(CLUB, add_values("member", club.corp.dn(INNER)))
    assert result(club.modify(CLUB, change(DELETE, "member", club.corp.dn(ANN)))) == (0, 0)
    assert left(club) is None


def test_without_the_feature_nothing_is_looked_up(yard: Graveyard) -> None:
    yard.corp.user("ann")
    assert left(yard) is None
