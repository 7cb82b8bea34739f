"""Link values that expire, over LDAP. [MS-ADTS] 3.1.1.3.1.2.4 (TTL-DN), 3.1.1.3.4.1.36, 3.1.1.9.2."""

from collections.abc import Callable

import pytest

from addc.codes.ldap_result import LdapResult
from addc.codes.win32 import Win32
from addc.directory.jobs import JOBS
from addc.ldap import controls as c
from addc.ldap import messages as m
from addc.schema import attr
from addc.store.links import LinkRow
from tests.kit.graveyard import (
    ADD,
    DAY,
    DELETE,
    PERMISSIVE,
    PRIVILEGED_ACCESS,
    REPLACE,
    Graveyard,
    change,
    result,
)

ANN = "CN=ann,CN=Users"
CLUB = "CN=club,CN=Users"
TTL = m.Control(c.LDAP_SERVER_LINK_TTL_OID, True, None)
EXTENDED = m.Control(c.LDAP_SERVER_EXTENDED_DN_OID, True, None)
SUCCESS = (0, 0)


@pytest.fixture
def club(yard: Graveyard) -> Graveyard:
    """A group, two users, and the feature."""
    assert result(yard.enable(PRIVILEGED_ACCESS)) == SUCCESS
    yard.corp.group("club")
    yard.corp.user("ann", "Tr0ub4dor&3")
    yard.corp.user("bob")
    return yard


def ttl(yard: Graveyard, seconds: int, dn: str = ANN) -> str:
    return f"<TTL={seconds},{yard.corp.dn(dn)}>"


def members(yard: Graveyard, *controls: m.Control) -> list[str]:
    return [value.decode() for value in yard.read(CLUB, "member", controls=controls).get("member", [])]


def link(yard: Graveyard) -> LinkRow:
    corp = yard.corp
    found = corp.read(lambda ctx: ctx.tx.link(1, corp.row(CLUB).dnt, corp.row(ANN).dnt))
    assert found is not None
    return found


def test_a_membership_ends_by_itself(club: Graveyard) -> None:
    """3.1.1.9.2"""
    assert result(club.modify(CLUB, change(ADD, "member", ttl(club, 600)))) == SUCCESS
    sid = club.corp.sid(CLUB)
    assert members(club) == [club.corp.dn(ANN)] and sid in club.corp.token("ann").sids
    club.later(599)
    assert members(club) == [club.corp.dn(ANN)]
    stamp = link(club).stamp
    club.later(2)
    assert members(club) == [] and sid not in club.corp.token("ann").sids
    assert link(club).deleted and link(club).stamp == stamp  # every DC lets it expire for itself
    assert club.read(ANN, "memberOf").keys() == {"dn"}
    club.later(181 * DAY)
    assert club.corp.read(lambda ctx: ctx.tx.all_links(club.corp.row(CLUB).dnt)) == []


def test_the_control_shows_what_is_left(club: Graveyard) -> None:
    """3.1.1.3.4.1.36; forward and back links, alone and with extended DNs"""
    bob = club.corp.dn("CN=bob,CN=Users")
    club.modify(CLUB, change(ADD, "member", ttl(club, 600), bob))
    club.later(10)
    assert members(club, TTL) == [ttl(club, 590), bob]
    assert members(club) == [club.corp.dn(ANN), bob]
    assert club.read(ANN, "memberOf", controls=(TTL,))["memberOf"] == [
        f"<TTL=590,{club.corp.dn(CLUB)}>".encode()
    ]
    assert all(one.startswith(("<TTL=590,<GUID=", "<GUID=")) for one in members(club, TTL, EXTENDED))


def test_the_form_is_case_blind_and_takes_other_names(club: Graveyard) -> None:
    """3.1.1.3.1.2.4"""
    guid = club.guid(ANN)
    assert result(club.modify(CLUB, change(ADD, "member", f"<ttl=60,{guid}>"))) == SUCCESS
    assert members(club, TTL) == [ttl(club, 60)]


def test_a_new_ttl_takes_the_place_of_the_old(club: Graveyard) -> None:
    club.modify(CLUB, change(ADD, "member", ttl(club, 600)))
    version = link(club).stamp.version
    assert result(club.modify(CLUB, change(ADD, "member", ttl(club, 60)))) == SUCCESS
    assert members(club, TTL) == [ttl(club, 60)] and link(club).stamp.version == version + 1
    assert result(club.modify(CLUB, change(REPLACE, "member", ttl(club, 900)))) == SUCCESS
    assert members(club, TTL) == [ttl(club, 900)]
    club.later(600)
    assert members(club) == [club.corp.dn(ANN)]
    club.later(301)
    assert members(club) == []


def test_a_ttl_of_zero_or_none_makes_it_last(club: Graveyard) -> None:
    """3.1.1.3.1.2.4"""
    plain = club.corp.dn(ANN)
    ways: tuple[Callable[[], m.LdapResultFields], ...] = (
        lambda: club.modify(CLUB, change(ADD, "member", ttl(club, 0))),
        lambda: club.modify(CLUB, change(REPLACE, "member", plain)),
        lambda: club.modify(CLUB, change(ADD, "member", plain), controls=(PERMISSIVE,)),
        lambda: club.modify(CLUB, change(DELETE, "member", plain), change(ADD, "member", plain)),
    )
    for again in ways:
        assert result(club.modify(CLUB, change(REPLACE, "member", ttl(club, 600)))) == SUCCESS
        assert members(club, TTL) == [ttl(club, 600)]
        assert result(again()) == SUCCESS
        assert members(club, TTL) == [plain]
    club.later(10_000)
    assert members(club) == [plain]


def test_a_second_plain_add_is_refused_and_changes_nothing(club: Graveyard) -> None:
    club.modify(CLUB, change(ADD, "member", ttl(club, 600)))
    refused = result(club.modify(CLUB, change(ADD, "member", club.corp.dn(ANN))))
    assert refused == (LdapResult.ENTRY_ALREADY_EXISTS, Win32.ERROR_MEMBER_IN_ALIAS)
    assert members(club, TTL) == [ttl(club, 600)]


def test_a_removed_value_comes_back_without_its_old_end(club: Graveyard) -> None:
    club.modify(CLUB, change(ADD, "member", ttl(club, 600)))
    assert result(club.modify(CLUB, change(DELETE, "member", ttl(club, 1)))) == SUCCESS
    assert members(club) == []
    club.modify(CLUB, change(ADD, "member", club.corp.dn(ANN)))
    club.later(700)
    assert members(club, TTL) == [club.corp.dn(ANN)]


def test_what_was_buried_comes_back_without_its_old_end(club: Graveyard) -> None:
    """Tombstones lose their links, and with them when they expire."""
    club.modify(CLUB, change(ADD, "member", ttl(club, 600)))
    guid = club.guid(ANN)
    club.delete(ANN)
    club.undelete(guid, ANN)
    club.modify(CLUB, change(ADD, "member", club.corp.dn(ANN)))
    club.later(700)
    assert members(club) == [club.corp.dn(ANN)]


def test_a_new_group_brings_members_for_a_while(club: Graveyard) -> None:
    club.add("CN=new,CN=Users", "group", sAMAccountName="new", member=ttl(club, 60))
    seen = club.read("CN=new,CN=Users", "member", controls=(TTL,))["member"]
    assert seen == [ttl(club, 60).encode()]
    club.later(61)
    assert club.read("CN=new,CN=Users", "member").keys() == {"dn"}


def test_without_the_feature_the_form_is_no_name(yard: Graveyard) -> None:
    """3.1.1.3.1.2.4: only valid with the feature, and for link valued attributes"""
    yard.corp.group("club")
    yard.corp.user("ann")
    refused = (LdapResult.INVALID_DN_SYNTAX, Win32.ERROR_DS_INVALID_DN_SYNTAX)
    for op in (ADD, REPLACE, DELETE):
        assert result(yard.modify(CLUB, change(op, "member", ttl(yard, 60)))) == refused
    assert result(yard.add("CN=x,CN=Users", "group", sAMAccountName="x", member=ttl(yard, 60))) == refused
    assert members(yard) == []
    yard.enable(PRIVILEGED_ACCESS)
    assert result(yard.modify(CLUB, change(ADD, "assistant", ttl(yard, 60))))[0] != 0


def test_expiring_needs_no_right_and_adding_does(club: Graveyard) -> None:
    clerk = club.as_clerk()
    answer = clerk.modify(CLUB, change(ADD, "member", ttl(club, 60)))
    assert answer.result_code == LdapResult.INSUFFICIENT_ACCESS_RIGHTS
    assert members(club) == []


def test_the_job_is_woken_by_the_earliest_end(club: Graveyard) -> None:
    club.modify(CLUB, change(ADD, "member", ttl(club, 600), ttl(club, 60, "CN=bob,CN=Users")))
    (job,) = [one for one in JOBS if one.name == "links"]
    assert job.kind is not None
    kind = job.kind
    due = club.corp.read(lambda ctx: ctx.tx.next_due(kind))
    assert due is not None and (due - club.corp.now) // 10_000_000 == 60


def test_the_object_that_holds_the_value_is_marked_as_changed_by_the_writer_alone(club: Graveyard) -> None:
    club.modify(CLUB, change(ADD, "member", ttl(club, 60)))
    usn = club.corp.row(CLUB).usn_changed
    club.later(61)
    assert club.corp.row(CLUB).usn_changed == usn and attr.MEMBER not in club.corp.row(CLUB).meta
