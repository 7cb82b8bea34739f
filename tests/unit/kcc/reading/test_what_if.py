"""What if: snapshots without something, with a DC that fails, and after change records."""

from base64 import b64encode

import pytest

from addc.base.clock import HOUR_FT
from addc.base.errors import UserError
from addc.codec.schedule import pack_schedule
from addc.kcc.reading import what_if
from addc.kcc.reading.entries import RootFacts
from addc.kcc.schedule_text import parse_schedule, parse_starts
from addc.kcc.snapshot import DcAt, Replica, Snapshot
from tests.kit.kcc_forest import (
    CONFIG_DN,
    FOREST_DN,
    NOW,
    SITES_DN,
    TRANSPORT_DN,
    AConnection,
    ALink,
    dc_at,
    dsa_dn,
    forest,
    link_at,
    nc_at,
    site_at,
)
from tests.kit.kcc_objects import Objects


def sound() -> Snapshot:
    return forest(
        sites=["A", "B", "Berlin"],
        dcs=["A/a1*", "A/a2", "B/b1", "Berlin/c1", "Berlin/b2!"],
        links=[ALink("ab", ("A", "B"), 5), ALink("bc", ("B", "Berlin")), ALink("all", ("A", "B", "Berlin"))],
        bridges={"both": ("ab", "bc")},
        connections=[
            AConnection("b1", "a1", transport="IP"),
            AConnection("a1", "a2"),
            AConnection("c1", "b1", transport="IP"),
        ],
        failures={"b1": 3, "a2": 3},
        cursors={"b1": 1, "a1": 2},
        roles={"config": ["b1", "a1"]},
        local="a2",
    )


def after(*names: str) -> Snapshot:
    return what_if.apply(sound(), [what_if.without(name) for name in names])


def edited(text: str, snapshot: Snapshot | None = None) -> Snapshot:
    return what_if.apply(snapshot or sound(), what_if.parse(text))


def connections(snapshot: Snapshot, name: str) -> list[str | None]:
    """The names of those that a DC replicates from."""
    held = snapshot.dcs[dc_at(snapshot, name)].connections
    return [None if one.source is None else snapshot.dcs[one.source].name for one in held]


# --- without ---


def test_a_dc_goes_with_all_that_was_its_own() -> None:
    found = after("DC:b1")
    assert sorted(dc.name for dc in found.dcs) == ["a1", "a2", "b2", "c1"]
    assert {dc.name: found.sites[dc.site].name for dc in found.dcs} == {
        "a1": "A", "a2": "A", "c1": "Berlin", "b2": "Berlin",
    }  # fmt: skip
    assert connections(found, "a1") == [None]
    assert connections(found, "a2") == ["a1"]
    assert all(one.target == DcAt(at) for at, dc in enumerate(found.dcs) for one in dc.connections)
    assert found.local == dc_at(found, "a2")
    assert (len(found.failures), len(found.cursors)) == (1, 1)
    assert found.role_owners[nc_at(found, "config")] == frozenset({dc_at(found, "a1")})


def test_a_site_goes_with_its_dcs_and_links_that_then_join_nothing() -> None:
    found = after("SITE:B")
    assert sorted(site.name for site in found.sites) == ["A", "Berlin"]
    assert sorted(dc.name for dc in found.dcs) == ["a1", "a2", "b2", "c1"]
    assert [link.name for link in found.links] == ["all"]
    assert set(found.links[0].sites) == {site_at(found, "A"), site_at(found, "Berlin")}
    assert found.bridges == ()


def test_a_link_goes_and_bridges_are_counted_anew() -> None:
    found = after("link:all")
    assert {found.links[at].name for at in found.bridges[0].links} == {"ab", "bc"}
    assert after("ab").bridges == ()


def test_the_local_dc_may_be_the_one_that_goes() -> None:
    assert after("a2").local is None


def test_a_bridge_goes() -> None:
    assert after("BRIDGE:both").bridges == ()


def test_several_go_one_after_the_other() -> None:
    found = after("a1", f"CN=b1,CN=Servers,CN=B,{SITES_DN}".replace("CN=b1,CN=Servers,", ""), "all")
    assert sorted(dc.name for dc in found.dcs) == ["a2", "b2", "c1"]
    assert found.links == ()


@pytest.mark.parametrize("name", ["B", "b", "SITE:B", f"CN=b,{SITES_DN}", "site: b "])
def test_names_are_taken_as_people_write_them(name: str) -> None:
    assert "B" not in [site.name for site in after(name).sites]


@pytest.mark.parametrize("name", ["B/b1", "dc:B/b1", dsa_dn("b1", "B")])
def test_a_dc_may_be_named_with_its_site(name: str) -> None:
    assert "b1" not in [dc.name for dc in after(name).dcs]


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("Berln", "perhaps one of SITE:Berlin is meant"),
        ("DC:zzz", "there are DC:a1, DC:a2, DC:b1, DC:b2, DC:c1. Next step: addc sites servers list"),
        ("LINK:abc", "perhaps one of LINK:bc, LINK:ab is meant"),
        ("SITE:", "names nothing"),
        (" ", "names nothing"),
    ],
)
def test_what_is_not_found_is_told_with_the_candidates(name: str, told: str) -> None:
    with pytest.raises(UserError) as refused:
        after(name)
    assert told in str(refused.value)
    assert "Next step" in str(refused.value)


def test_a_name_of_several_things_has_to_say_which() -> None:
    snapshot = forest(sites=["ab", "B"], dcs=["ab/x", "B/ab"], links=[ALink("ab", ("ab", "B"))])
    with pytest.raises(UserError, match="ab may be any of DC:B/ab, SITE:ab, LINK:ab"):
        what_if.apply(snapshot, [what_if.without("ab")])
    assert what_if.apply(snapshot, [what_if.without("DC:ab")]).sites == snapshot.sites


# --- failed ---


def test_a_failed_dc_has_not_answered_for_longer_than_any_rule_waits() -> None:
    found = what_if.apply(sound(), [what_if.failed("c1")])
    failure = found.failures[found.dcs[dc_at(found, "c1")].guid]
    assert failure.count > 1
    assert found.now - failure.first > 2 * HOUR_FT
    assert len(found.failures) == 3


def test_only_a_dc_fails() -> None:
    with pytest.raises(UserError, match=r"LINK:ab is a LINK\. Next step: name a DC"):
        what_if.apply(sound(), [what_if.failed("LINK:ab")])


# --- change records ---


def test_a_link_is_changed_and_nothing_else() -> None:
    text = f"dn: CN=ab,{TRANSPORT_DN}\nchangetype: modify\nreplace: cost\ncost: 900\n-\n"
    text += "replace: schedule\nschedule: Mo-Fr 20:00-06:00\n-\n"
    found = edited(text)
    link = found.links[link_at(found, "ab")]
    assert (link.cost, link.window) == (900, parse_schedule("Mo-Fr 20:00-06:00"))
    assert (found.dcs, found.sites, found.failures) == (sound().dcs, sound().sites, sound().failures)


def test_a_schedule_may_be_the_bytes_too() -> None:
    week = parse_schedule("Sa 00:00-12:00")
    value = b64encode(pack_schedule(week)).decode()
    found = edited(f"dn: CN=ab,{TRANSPORT_DN}\nchangetype: modify\nadd: schedule\nschedule:: {value}\n-\n")
    assert found.links[link_at(found, "ab")].window == week


def test_a_connection_starts_when_it_says() -> None:
    dn = sound().dcs[dc_at(sound(), "a2")].connections[0].dn
    found = edited(f"dn: {dn}\nchangetype: modify\nadd: schedule\nschedule: every 3 h from 00:30\n-\n")
    (connection,) = found.dcs[dc_at(found, "a2")].connections
    assert connection.schedule == parse_starts("every 3 h from 00:30")


def test_a_new_site_with_a_new_dc_holds_what_every_dc_does() -> None:
    site = f"CN=Dublin,{SITES_DN}"
    found = edited(
        f"dn: {site}\nchangetype: add\nobjectClass: site\n\n"
        f"dn: CN=NTDS Settings,CN=d1,CN=Servers,{site}\nchangetype: add\nobjectClass: nTDSDSA\noptions: 1\n\n"
        f"dn: CN=ab,{TRANSPORT_DN}\nchangetype: modify\nadd: siteList\nsiteList: {site}\n-\n"
    )
    dc = found.dcs[dc_at(found, "d1")]
    assert dc.held == {nc_at(found, one): Replica.WRITABLE for one in ("config", "schema", "corp")}
    assert dc.is_gc and found.ncs[dc.domain or 0].dn == FOREST_DN
    assert site_at(found, "Dublin") in found.links[link_at(found, "ab")].sites
    assert [one.what for one in found.troubles] == ["the site has no NTDS Site Settings"]


def test_a_connection_of_an_administrator_is_enabled_unless_it_says_otherwise() -> None:
    dn = f"CN=mine,{dsa_dn('c1', 'Berlin')}"
    found = edited(
        f"dn: {dn}\nchangetype: add\nobjectClass: nTDSConnection\nfromServer: {dsa_dn('a1', 'A')}\n"
    )
    (connection,) = found.dcs[dc_at(found, "c1")].connections
    assert (connection.is_enabled, connection.is_generated) == (True, False)


def test_a_dc_moves_to_another_site_and_what_names_it_follows() -> None:
    found = edited(
        f"dn: CN=b1,CN=Servers,CN=B,{SITES_DN}\nchangetype: modrdn\nnewrdn: CN=b1\ndeleteoldrdn: 1\n"
        f"newsuperior: CN=Servers,CN=A,{SITES_DN}\n"
    )
    dc = found.dcs[dc_at(found, "b1")]
    assert (dc.dn, found.sites[dc.site].name) == (dsa_dn("b1", "A"), "A")
    assert connections(found, "a1") == ["b1"]
    assert [one.target for one in dc.connections] == [dc_at(found, "b1")]
    assert found.troubles == ()
    assert dc.held == sound().dcs[dc_at(sound(), "b1")].held


def test_a_site_gets_another_name() -> None:
    found = edited(f"dn: CN=B,{SITES_DN}\nchangetype: modrdn\nnewrdn: CN=Bonn\ndeleteoldrdn: 1\n")
    assert found.troubles == ()
    assert "Bonn" in [site.name for site in found.sites]
    assert [len(link.sites) for link in found.links] == [len(link.sites) for link in sound().links]


def test_deleting_takes_what_is_below_and_links_let_go() -> None:
    found = edited(f"dn: CN=B,{SITES_DN}\nchangetype: delete\n")
    assert sorted(dc.name for dc in found.dcs) == ["a1", "a2", "b2", "c1"]
    assert [link.name for link in found.links] == ["all"]
    assert connections(found, "a1") == [None]


def test_values_are_deleted_as_the_directory_compares_them() -> None:
    found = edited(
        f"dn: CN=all,{TRANSPORT_DN}\nchangetype: modify\ndelete: siteList\nsiteList: cn=b, {SITES_DN}\n-\n"
    )
    assert len(found.links[link_at(found, "all")].sites) == 2


def test_links_of_one_site_are_known_to_entries() -> None:
    """A forest's first link joins its one site; a second site joins it."""
    made = Objects(forest(sites=["A", "B"], dcs=["A/a1"], links=[ALink("first", ("A", "B"))]))
    made.set("CN=first", "siteList", f"CN=A,{SITES_DN}")
    records = what_if.parse(
        f"dn: CN=first,{TRANSPORT_DN}\nchangetype: modify\nadd: siteList\nsiteList: CN=B,{SITES_DN}\n-\n"
    )
    changes: list[what_if.Change] = [*records, what_if.without("a1")]
    entries, rest = what_if.apply_to_entries(made.entries, made.facts, changes)
    made.entries = entries
    assert [link.name for link in made.read().links] == ["first"]
    assert rest == (what_if.without("a1"),)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (f"dn: CN=abb,{TRANSPORT_DN}\nchangetype: delete\n", f"one of these is meant: CN=ab,{TRANSPORT_DN}"),
        (f"dn: CN=B,{SITES_DN}\nchangetype: add\nobjectClass: site\n", "already"),
        (f"dn: CN=D,{SITES_DN}\nchangetype: add\ncn: D\n", "has no objectClass"),
        (f"dn: CN=ab,{TRANSPORT_DN}\nchangetype: modify\ndelete: cost\ncost: 6\n-\n", "has no value 6"),
        (f"dn: CN=ab,{TRANSPORT_DN}\nchangetype: modify\nadd: schedule\nschedule: sometimes\n-\n", "line 1"),
        (f"dn: CN=B,{SITES_DN}\nchangetype: modrdn\nnewrdn: CN=A\ndeleteoldrdn: 1\n", "already"),
        (f"dn: CN=qqqqqqqq,{CONFIG_DN}\nchangetype: delete\n", "write the DN of an object"),
        ("nonsense", "is no LDIF: line 1"),
        ("", "changes nothing"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_told_with_a_next_step(text: str, told: str) -> None:
    with pytest.raises(UserError) as refused:
        edited(text)
    assert told in str(refused.value)
    assert "Next step" in str(refused.value)


def test_edits_without_facts_do_not_fail() -> None:
    made = Objects(sound())
    (edit,) = what_if.parse(f"dn: CN=x,{SITES_DN}\nchangetype: add\nobjectClass: nTDSDSA\n")
    entries, _ = what_if.apply_to_entries(made.entries, RootFacts(), [edit])
    assert len(entries) == len(made.entries) + 1


def test_the_time_stays() -> None:
    assert after("a1").now == NOW
