"""Connections inside a site, rule by rule of [MS-ADTS] 6.2.2.2."""

from collections import Counter, defaultdict
from dataclasses import replace

import pytest

from addc.kcc.implied import implied
from addc.kcc.intrasite import HOURLY, wanted_inside
from addc.kcc.shortcuts import shortcuts_each
from addc.kcc.snapshot import (
    Connection,
    ConnectionOption,
    DcAt,
    NcAt,
    Replica,
    SiteOption,
    Snapshot,
)
from addc.kcc.wanted import Rule, Wanted
from tests.kit.kcc_forest import AConnection, ADc, ASite, dc_at, forest, hours, in_order, nc_at


def ring_of(count: int, site: str | ASite = "A", **more: object) -> Snapshot:
    """DCs d0, d1, ... of one site, in this order of GUIDs."""
    name = site if isinstance(site, str) else site.name
    dcs = [ADc(f"d{at}", name, guid=in_order(at)) for at in range(count)]
    return forest(sites=[site], dcs=dcs, **more)  # type: ignore[arg-type]


def everything(snapshot: Snapshot) -> list[Wanted]:
    return wanted_inside(snapshot, map(DcAt, range(len(snapshot.dcs))))


def pairs(
    snapshot: Snapshot, nc: str = "", rule: Rule | None = None, as_if: bool | None = None
) -> set[tuple[str, str]]:
    """Source and target by name, of edges for this NC and by this rule."""
    wanted_nc = nc_at(snapshot, nc) if nc else None
    return {
        (snapshot.dcs[one.source].name, snapshot.dcs[one.target].name)
        for one in everything(snapshot)
        if any(
            (wanted_nc is None or why.nc == wanted_nc)
            and (rule is None or why.rule is rule)
            and (as_if is None or why.as_if_none_failed is as_if)
            for why in one.reasons
        )
    }


def shortcuts(snapshot: Snapshot) -> list[Wanted]:
    return [one for one in everything(snapshot) if one.reasons[0].rule is Rule.SHORTCUT]


def hops(snapshot: Snapshot, nc: NcAt) -> int:
    """The longest way from a writable replica to any replica, over what is wanted and what is there."""
    sources: dict[DcAt, set[DcAt]] = defaultdict(set)
    there = [c for dc in snapshot.dcs for c in dc.connections if c.is_enabled and not c.is_sysvol_only]
    edges = [(c.source, c.target) for c in there if c.source is not None]
    edges += [(one.source, one.target) for one in everything(snapshot) if not one.serving]
    for source, target in edges:
        if nc in implied(snapshot, source, target):
            sources[target].add(source)
    longest = 0
    for target in (DcAt(at) for at, dc in enumerate(snapshot.dcs) if nc in dc.due):
        reached, step = {target: 0}, 0
        edge = [target]
        while edge:
            step += 1
            edge = sorted({source for at in edge for source in sources[at]} - set(reached))
            reached.update(dict.fromkeys(edge, step))
        writable = (at for at, dc in enumerate(snapshot.dcs) if dc.held.get(nc) is Replica.WRITABLE)
        longest = max(longest, *(reached.get(DcAt(at), 99) for at in writable))
    return longest


def with_connections(snapshot: Snapshot, wanted: list[Wanted]) -> Snapshot:
    """The forest after these were made."""
    more: dict[DcAt, list[Connection]] = defaultdict(list)
    for one in wanted:
        if not one.serving:
            name = f"{one.source}-{one.target}"
            source_dn = snapshot.dcs[one.source].dn
            guid = one.source.to_bytes(8, "big") + one.target.to_bytes(8, "big")
            more[one.target].append(Connection(guid, f"CN={name}", one.source, one.target, source_dn))
    dcs = tuple(
        replace(dc, connections=(*dc.connections, *more[DcAt(at)])) for at, dc in enumerate(snapshot.dcs)
    )
    return replace(snapshot, dcs=dcs)


# --- the ring ----------------------------------------------------------------------------------------------


def test_a_lone_dc_wants_nothing() -> None:
    assert everything(ring_of(1)) == []


def test_two_dcs_replicate_from_each_other() -> None:
    assert pairs(ring_of(2)) == {("d0", "d1"), ("d1", "d0")}


def test_the_ring_goes_both_ways_in_guid_order_6_2_2_2() -> None:
    snapshot = ring_of(5)
    around = {(f"d{at}", f"d{(at + 1) % 5}") for at in range(5)}
    assert pairs(snapshot) == around | {(b, a) for a, b in around}


def test_guids_compare_by_their_stored_bytes() -> None:
    first, second = b"\x01" + bytes(14) + b"\xff", b"\x02" + bytes(15)
    dcs = [ADc("x", "A", guid=second), ADc("y", "A", guid=first)]
    dcs += [ADc(name, "A", guid=bytes([at]) * 16) for at, name in ((3, "z"), (4, "u"), (5, "v"))]
    assert pairs(forest(sites=["A"], dcs=dcs)) >= {("y", "x"), ("x", "z"), ("v", "y")}


def test_one_connection_serves_all_naming_contexts() -> None:
    snapshot = ring_of(3)
    assert len(everything(snapshot)) == 6
    assert all({why.nc for why in one.reasons} == {0, 1, 2} for one in everything(snapshot))


def test_other_sites_do_not_count() -> None:
    assert everything(forest(sites=["A", "B"], dcs=["A/a", "B/b"])) == []


def test_nothing_where_automatic_topology_is_off_site_bit_1() -> None:
    assert everything(ring_of(4, ASite("A", options=SiteOption.IS_AUTO_TOPOLOGY_DISABLED))) == []


def test_a_new_connection_is_generated_hourly_and_names_no_transport() -> None:
    for one in everything(ring_of(3)):
        assert (one.options, one.transport) == (ConnectionOption.IS_GENERATED, "")
        assert one.schedule == HOURLY
    assert HOURLY.bit_count() == 168 and HOURLY & 0xFF == 0x88


def test_the_sites_own_schedule_comes_before_hourly() -> None:
    week = hours(range(20, 24))
    assert {one.schedule for one in everything(ring_of(3, ASite("A", schedule=week)))} == {week}


def test_only_those_asked_for_are_given_and_alike() -> None:
    snapshot = ring_of(20)
    whole = everything(snapshot)
    for at in range(20):
        assert wanted_inside(snapshot, [DcAt(at)]) == [one for one in whole if one.target == at]


# --- whose replicas ----------------------------------------------------------------------------------------


def test_a_full_replica_never_learns_from_a_partial_one_6_2_2_2() -> None:
    dcs = [ADc(f"c{at}", "A", domain="child", guid=in_order(2 * at)) for at in range(3)]
    dcs += [ADc(f"g{at}", "A", gc=True, guid=in_order(2 * at + 1)) for at in range(3)]
    snapshot = forest(sites=["A"], dcs=dcs)
    edges = pairs(snapshot, "child")
    assert not {edge for edge in edges if edge[0][0] == "g" and edge[1][0] == "c"}
    assert {("c0", "c1"), ("c1", "c2"), ("c2", "c0")} <= edges
    assert {("c0", "g0"), ("c1", "g0"), ("c0", "g2")} <= edges


def test_partial_replicas_form_a_ring_with_the_full_ones() -> None:
    dcs = [ADc("c", "A", domain="child", guid=in_order(0))]
    dcs += [ADc(f"g{at}", "A", gc=True, guid=in_order(at + 1)) for at in range(3)]
    expected = {("c", "g0"), ("g1", "g0"), ("g0", "g1"), ("g2", "g1"), ("g1", "g2"), ("c", "g2")}
    assert pairs(forest(sites=["A"], dcs=dcs), "child") == expected


def test_global_catalogs_have_their_own_ring_for_the_configuration() -> None:
    dcs = [ADc(f"d{at}", "A", gc=at in (0, 3), guid=in_order(at)) for at in range(6)]
    snapshot = forest(sites=["A"], dcs=dcs)
    assert pairs(snapshot, "config", Rule.GC_RING) == {("d0", "d3"), ("d3", "d0")}


def test_read_only_dcs_are_nobodys_source() -> None:
    snapshot = forest(sites=["A"], dcs=["A/d0*", "A/d1*", "A/r0!*", "A/r1!*"])
    edges = pairs(snapshot)
    assert not {edge for edge in edges if edge[0].startswith("r")}
    assert {("d0", "r0"), ("d1", "r0"), ("d0", "r1"), ("d1", "r1")} <= edges


def test_a_read_only_dc_writes_no_connection() -> None:
    snapshot = forest(sites=["A"], dcs=["A/d0", "A/d1", "A/r!"])
    for one in everything(snapshot):
        assert one.is_written is (snapshot.dcs[one.target].name != "r")


def test_an_old_dc_does_not_feed_a_read_only_domain_but_the_configuration() -> None:
    dcs = [ADc("old", "A", behavior_version=2), ADc("new", "A"), ADc("r", "A", rodc=True)]
    snapshot = forest(sites=["A"], dcs=dcs)
    assert ("old", "r") not in pairs(snapshot, "corp")
    assert {("old", "r"), ("new", "r")} <= pairs(snapshot, "config")
    assert ("new", "r") in pairs(snapshot, "corp")


def test_a_replica_that_is_due_but_not_there_takes_and_does_not_give() -> None:
    dcs = [ADc("a", "A"), ADc("b", "A"), ADc("new", "A", held={"corp": None})]
    edges = pairs(forest(sites=["A"], dcs=dcs), "corp")
    assert edges == {("a", "b"), ("b", "a"), ("a", "new"), ("b", "new")}


def test_a_replica_that_is_there_but_not_due_asks_for_nothing() -> None:
    snapshot = forest(sites=["A"], dcs=[ADc("a", "A", apps=("Zones",)), ADc("b", "A")])
    zones = nc_at(snapshot, "Zones")
    b = snapshot.dcs[dc_at(snapshot, "b")]
    held = {**b.held, zones: Replica.WRITABLE}
    dcs = tuple(replace(dc, held=held) if dc.name == "b" else dc for dc in snapshot.dcs)
    assert pairs(replace(snapshot, dcs=dcs), "Zones") == {("b", "a")}


# --- stale DCs ---------------------------------------------------------------------------------------------


def test_the_ring_closes_around_a_failed_dc_and_stays_as_if_none_had_failed() -> None:
    snapshot = ring_of(5, failures={"d2": 3})
    assert {("d1", "d3"), ("d3", "d1")} <= pairs(snapshot, as_if=False)
    assert ("d2", "d3") not in pairs(snapshot, as_if=False)
    assert {("d2", "d3"), ("d2", "d1")} == pairs(snapshot, as_if=True)


def test_a_failed_dc_still_takes_from_its_neighbours() -> None:
    assert {("d1", "d2"), ("d3", "d2")} <= pairs(ring_of(5, failures={"d2": 3}), as_if=False)


def test_two_hours_of_failure_are_not_yet_stale() -> None:
    assert ("d1", "d3") not in pairs(ring_of(5, failures={"d2": 2}))


def test_stale_dcs_are_not_looked_for_site_bit_8() -> None:
    site = ASite("A", options=SiteOption.IS_TOPL_DETECT_STALE_DISABLED)
    snapshot = ring_of(5, site, failures={"d2": 3})
    assert pairs(snapshot) == pairs(ring_of(5))
    assert not pairs(snapshot, as_if=True)


# --- shortcuts ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [7, 8, 15, 16, 27, 43, 44, 100])
def test_every_two_dcs_are_within_three_hops_and_inbound_is_bounded(size: int) -> None:
    snapshot = ring_of(size)
    inbound = Counter(one.target for one in everything(snapshot))
    assert set(inbound.values()) == {shortcuts_each(size) + 2}
    assert hops(snapshot, NcAt(0)) <= 3


def test_no_shortcuts_where_minimum_hops_are_off_site_bit_4() -> None:
    snapshot = ring_of(15, ASite("A", options=SiteOption.IS_TOPL_MIN_HOPS_DISABLED))
    assert {why.rule for one in everything(snapshot) for why in one.reasons} == {Rule.RING}


@pytest.mark.parametrize("count", [9, 14, 30])
def test_partial_replicas_of_several_domains_are_within_three_hops(count: int) -> None:
    domains = ("corp", "child", "kid")
    dcs = [ADc(f"d{at}", "A", gc=at % 4 > 0, domain=domains[at % 3]) for at in range(count)]
    snapshot = forest(sites=["A"], dcs=dcs)
    assert all(hops(snapshot, NcAt(nc)) <= 3 for nc in range(len(snapshot.ncs)))


@pytest.mark.parametrize("count", [7, 14, 30])
def test_read_only_dcs_are_within_three_hops(count: int) -> None:
    dcs = [*(f"A/d{at}" for at in range(count)), *(f"A/r{at}!*" for at in range(5))]
    snapshot = forest(sites=["A"], dcs=dcs)
    inbound = Counter(one.target for one in everything(snapshot))
    for at, dc in enumerate(snapshot.dcs):
        if dc.is_read_only:
            assert inbound[DcAt(at)] == shortcuts_each(count + 1) + 2
    assert all(hops(snapshot, NcAt(nc)) <= 3 for nc in range(len(snapshot.ncs)))


def test_connections_that_are_there_count_as_shortcuts_before_new_ones_6_2_2_2() -> None:
    drawn = [AConnection(f"d{(at + 4) % 8}", f"d{at}", ConnectionOption(0)) for at in range(8)]
    snapshot = ring_of(8, connections=drawn)
    extra = pairs(snapshot, rule=Rule.SHORTCUT)
    assert extra == {(one.source, one.target) for one in drawn}
    assert hops(snapshot, NcAt(0)) <= 3


def test_connections_that_leave_dcs_too_far_apart_do_not_count_alone() -> None:
    near = [AConnection(f"d{(at + 2) % 15}", f"d{at}") for at in range(15)]
    snapshot = ring_of(15, connections=near)
    assert hops(snapshot, NcAt(0)) <= 3
    new = Counter(
        one.target for one in everything(snapshot) if not one.serving and one.reasons[0].rule is Rule.SHORTCUT
    )
    assert max(new.values()) <= 1


def test_disabled_and_sysvol_connections_are_no_shortcuts() -> None:
    drawn = [AConnection("d4", "d0", is_enabled=False), AConnection("d5", "d1", ConnectionOption(0x41))]
    assert not pairs(ring_of(8, connections=drawn), rule=Rule.SHORTCUT) & {("d4", "d0"), ("d5", "d1")}


def test_shortcuts_go_around_a_disabled_connection_of_the_ring() -> None:
    off = [AConnection(f"d{at}", f"d{at + 1}", is_enabled=False) for at in range(0, 20, 4)]
    snapshot = ring_of(24, connections=off)
    assert {(one.source, one.target) for one in off} <= pairs(snapshot, rule=Rule.RING)
    assert hops(snapshot, NcAt(0)) <= 3


def test_a_site_that_grows_keeps_three_hops_and_gets_few_new_connections() -> None:
    snapshot = ring_of(40)
    snapshot = with_connections(snapshot, everything(snapshot))
    dcs = [*snapshot.dcs]
    for turn in range(3):
        grown = ring_of(40 + turn + 1)
        snapshot = replace(grown, dcs=(*dcs, grown.dcs[-1]))
        wanted = everything(snapshot)
        assert len([one for one in wanted if not one.serving]) <= 16
        assert hops(snapshot, NcAt(0)) <= 3
        snapshot = with_connections(snapshot, wanted)
        dcs = [*snapshot.dcs]


@pytest.mark.parametrize("count", [3, 9, 30])
def test_what_was_made_is_enough_the_next_time(count: int) -> None:
    domains = ("corp", "child")
    dcs = [ADc(f"d{at}", "A", gc=at % 3 > 0, domain=domains[at % 2]) for at in range(count)]
    snapshot = forest(sites=["A"], dcs=[*dcs, "A/r!*"], failures={"d1": 9})
    snapshot = with_connections(snapshot, everything(snapshot))
    assert all(one.serving for one in everything(snapshot))


# --- what serves -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("options", [ConnectionOption(0), ConnectionOption.IS_GENERATED])
@pytest.mark.parametrize("enabled", [True, False])
def test_any_connection_from_the_source_serves_6_2_2_2(options: ConnectionOption, enabled: bool) -> None:
    snapshot = ring_of(2, connections=[AConnection("d0", "d1", options, enabled)])
    served = next(one for one in everything(snapshot) if snapshot.dcs[one.target].name == "d1")
    assert [c.options for c in served.serving] == [options]
    assert served.schedule is None


def test_a_sysvol_only_connection_does_not_serve() -> None:
    snapshot = ring_of(2, connections=[AConnection("d0", "d1", ConnectionOption(0x41))])
    assert not any(one.serving for one in everything(snapshot))
