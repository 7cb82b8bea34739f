"""Connections that go, and those that never do, [MS-ADTS] 6.2.2.4."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from addc.kcc.removal import removals
from addc.kcc.snapshot import ConnectionOption, DcAt, SiteOption, Snapshot
from addc.kcc.wanted import Removal, Wanted
from tests.kit.kcc_forest import AConnection, ASite, dc_at, forest, in_order, site_at

SYSVOL = ConnectionOption.IS_GENERATED | ConnectionOption.RODC_TOPOLOGY
GUID_LOW, GUID_HIGH = in_order(1), in_order(2)


def gone(
    snapshot: Snapshot, complete: Mapping[str, bool] | None = None, used: tuple[str, ...] = ()
) -> dict[str, Removal]:
    """What goes, by the name of its source and the number among those from there.

    complete: by name of site. used: names of sources whose connections serve something.
    """
    dcs = snapshot.dcs
    every = [c for dc in dcs for c in dc.connections]
    wanted = [
        Wanted(c.source, c.target, (), (c,))
        for c in every
        if c.source is not None and dcs[c.source].name in used
    ]
    found = removals(
        snapshot,
        [DcAt(at) for at in range(len(dcs))],
        wanted,
        {site_at(snapshot, name): value for name, value in (complete or {}).items()},
    )
    return {c.dn.partition(",")[0].removeprefix("CN="): found[c.guid] for c in every if c.guid in found}


def named(snapshot: Snapshot) -> list[str]:
    return [c.dn.partition(",")[0].removeprefix("CN=") for dc in snapshot.dcs for c in dc.connections]


def twice(
    first: ConnectionOption = ConnectionOption.IS_GENERATED,
    second: ConnectionOption = ConnectionOption.IS_GENERATED,
    *,
    ages: tuple[float, float] = (9, 3),
    site: str | ASite = "A",
) -> Snapshot:
    """Two connections from a to b: `first` is older, unless ages say otherwise."""
    return forest(
        sites=[site],
        dcs=["A/a", "A/b"],
        connections=[
            AConnection("a", "b", first, age_h=ages[0], name="first", guid=GUID_LOW),
            AConnection("a", "b", second, age_h=ages[1], name="second", guid=GUID_HIGH),
        ],
    )


def across(options: ConnectionOption = ConnectionOption.IS_GENERATED, site: str | ASite = "B") -> Snapshot:
    return forest(
        sites=["A", site],
        dcs=["A/a", "B/b"],
        connections=[AConnection("a", "b", options, transport="IP", name="over")],
    )


# --- inside a site -----------------------------------------------------------------------------------------


def test_the_older_of_two_from_the_same_dc_goes() -> None:
    assert gone(twice()) == {"first": Removal.DUPLICATE}
    assert gone(twice(ages=(3, 9))) == {"second": Removal.DUPLICATE}


def test_of_equally_old_ones_the_lower_guid_goes() -> None:
    assert gone(twice(ages=(3, 3))) == {"first": Removal.DUPLICATE}


def test_an_administrators_duplicate_is_not_deleted() -> None:
    assert gone(twice(first=ConnectionOption(0))) == {}


def test_a_generated_one_gives_way_to_a_newer_one_of_an_administrator() -> None:
    assert gone(twice(second=ConnectionOption(0))) == {"first": Removal.DUPLICATE}


def test_a_sysvol_connection_neither_goes_nor_replaces() -> None:
    assert gone(twice(first=SYSVOL)) == {}
    assert gone(twice(second=SYSVOL)) == {}


def test_two_of_different_sources_made_in_one_second_both_stay() -> None:
    both = [AConnection("a", "b", age_h=1), AConnection("c", "b", age_h=1)]
    assert gone(forest(sites=["A"], dcs=["A/a", "A/b", "A/c"], connections=both)) == {}


def test_a_connection_inside_the_site_that_no_ring_wants_is_not_deleted() -> None:
    one = forest(sites=["A"], dcs=["A/a", "A/b"], connections=[AConnection("a", "b")])
    assert gone(one, {"A": True}) == {}


def test_duplicates_are_not_deleted_where_clean_up_is_off_site_bit_2() -> None:
    assert gone(twice(site=ASite("A", options=SiteOption.IS_TOPL_CLEANUP_DISABLED))) == {}


def test_duplicates_go_even_where_none_are_made_site_bit_1() -> None:
    site = ASite("A", options=SiteOption.IS_AUTO_TOPOLOGY_DISABLED)
    assert gone(twice(site=site)) == {"first": Removal.DUPLICATE}


def test_only_the_clean_up_of_those_asked_for_is_done() -> None:
    snapshot = twice()
    assert removals(snapshot, [dc_at(snapshot, "a")], [], {}) == {}


# --- between sites -----------------------------------------------------------------------------------------


def test_what_no_tree_wants_goes() -> None:
    assert gone(across(), {"B": True}) == {"over": Removal.UNNEEDED}


def test_what_serves_is_not_deleted() -> None:
    assert gone(across(), {"B": True}, used=("a",)) == {}


def test_nothing_is_deleted_while_a_tree_is_in_pieces() -> None:
    assert gone(across(), {"B": False}) == {}


def test_another_sites_connections_are_not_deleted() -> None:
    assert gone(across(), {"A": True}) == {}
    assert gone(across()) == {}


def test_an_administrators_connection_between_sites_is_not_deleted() -> None:
    assert gone(across(ConnectionOption(0)), {"B": True}) == {}


def test_a_sysvol_connection_between_sites_is_not_deleted() -> None:
    assert gone(across(SYSVOL), {"B": True}) == {}


def test_nothing_is_deleted_where_the_generator_does_not_plan_site_bit_10() -> None:
    site = ASite("B", options=SiteOption.IS_INTER_SITE_AUTO_TOPOLOGY_DISABLED)
    assert gone(across(site=site), {"B": True}) == {}


def test_a_dc_that_moved_leaves_its_connections_of_the_old_site_behind() -> None:
    """Those below it and those from it are between sites now: the generators of both sites judge them."""
    old = [AConnection("stays", "moved", name="below"), AConnection("moved", "stays", name="from")]
    snapshot = forest(sites=["A", "B"], dcs=["A/stays", "B/moved", "B/b"], connections=old)
    assert gone(snapshot, {"A": True, "B": True}) == dict.fromkeys(("below", "from"), Removal.UNNEEDED)
    assert gone(snapshot, {"A": True, "B": False}) == {"from": Removal.UNNEEDED}


# --- sources that are gone ---------------------------------------------------------------------------------


def test_a_generated_connection_from_a_dc_that_is_gone_goes() -> None:
    one = forest(sites=["A"], dcs=["A/b"], connections=[AConnection("demoted", "b")])
    assert list(gone(one).values()) == [Removal.SOURCE_GONE]


@pytest.mark.parametrize("options", [ConnectionOption(0), SYSVOL])
def test_other_connections_from_a_dc_that_is_gone_are_not_deleted(options: ConnectionOption) -> None:
    assert gone(forest(sites=["A"], dcs=["A/b"], connections=[AConnection("demoted", "b", options)])) == {}


# --- read-only DCs -----------------------------------------------------------------------------------------


def test_connections_of_a_read_only_dc_are_not_deleted() -> None:
    connections = [
        AConnection("a", "r", age_h=5, name="1"),
        AConnection("a", "r", age_h=4, name="2"),
        AConnection("b", "r", name="3"),
        AConnection("demoted", "r", name="4"),
    ]
    snapshot = forest(sites=["A", "B"], dcs=["A/a", "A/r!", "B/b"], connections=connections)
    assert gone(snapshot, {"A": True, "B": True}) == {}


def test_whatever_the_state_an_administrators_connection_is_not_deleted() -> None:
    """Every kind at once: duplicate, unneeded, dangling, moved."""
    admins = [
        AConnection(source, target, ConnectionOption(0), age_h=age, name=f"{source}{target}{age}")
        for source, target in (("a", "b"), ("a", "c"), ("c", "a"), ("none", "a"))
        for age in (5, 4)
    ]
    snapshot = forest(sites=["A", "B"], dcs=["A/a", "A/b", "B/c"], connections=admins)
    assert len(named(snapshot)) == 8
    assert gone(snapshot, {"A": True, "B": True}) == {}
    dcs = tuple(
        replace(
            dc, connections=tuple(replace(c, options=ConnectionOption.IS_GENERATED) for c in dc.connections)
        )
        for dc in snapshot.dcs
    )
    assert len(gone(replace(snapshot, dcs=dcs), {"A": True, "B": True})) == 7
