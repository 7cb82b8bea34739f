"""What the documents, and a forest planned by Windows, say in numbers. [MS-ADTS] 6.2.2, 6.1.4.5.2."""

from itertools import pairwise

import pytest

from addc.codec.schedule import pack_schedule
from addc.kcc.plan import plan_forest, plan_share
from addc.kcc.snapshot import ConnectionOption, DcAt, Snapshot
from addc.kcc.wanted import Action, Plan, Rule
from tests.kit.kcc_flows import flows_of_plan, reached
from tests.kit.kcc_forest import ADc, ALink, ASite, dc_at, forest, in_order, nc_at, site_at

HOUR_BYTES_AT = 20
WINDOWS_SITES = ("First", "S2", "S4", "S3", "S5")


def _pairs(plan: Plan) -> set[tuple[str, str]]:
    dcs = plan.snapshot.dcs
    return {
        (dcs[one.source].name, dcs[one.target].name) for one in plan.connections if one.source is not None
    }


def _three_sites() -> Snapshot:
    links = [ALink(f"{one}{two}", (one, two)) for one, two in pairwise("1231")]
    return forest(sites=["1", "2", "3"], dcs=["1/dc1", "2/dc2", "3/dc3"], links=links)


def test_three_dcs_in_three_sites_of_equal_cost_agree_on_one_tree_6_2_2_3() -> None:
    """The example of the text, where two trees that are each right lose one DC's changes."""
    snapshot = _three_sites()
    made = set()
    for at in range(3):
        made |= _pairs(plan_share(snapshot, [DcAt(at)]))
    plan = plan_forest(snapshot)
    assert made == _pairs(plan)
    assert len(made) == 4
    flows, config = flows_of_plan(plan), nc_at(snapshot, "config")
    assert all(len(reached(flows, config, DcAt(at))) == 3 for at in range(3))


def _one_link() -> Snapshot:
    sites = [ASite(name, guid=in_order(at)) for at, name in enumerate(WINDOWS_SITES)]
    dcs = [f"{name}/{name.lower()}" for name in WINDOWS_SITES]
    return forest(sites=sites, dcs=dcs, links=[ALink("DEFAULTIPSITELINK", WINDOWS_SITES)])


def test_one_default_link_gives_a_star_around_the_site_of_the_lowest_guid() -> None:
    around = {("first", name.lower()) for name in WINDOWS_SITES[1:]}
    assert _pairs(plan_forest(_one_link())) == around | {(two, one) for one, two in around}


def test_three_hours_between_starts_are_56_a_week_in_the_first_quarter_of_the_hour() -> None:
    for one in plan_forest(_one_link()).connections:
        assert one.schedule is not None
        stored = pack_schedule(one.schedule)
        assert len(stored) == 188
        assert stored[HOUR_BYTES_AT:] == bytes([0x08, 0, 0]) * 56
        assert (one.options, one.transport) == (ConnectionOption.IS_GENERATED, "IP")


def test_inside_a_site_without_a_schedule_the_last_quarter_of_each_hour_starts_one_6_2_2_2() -> None:
    plan = plan_forest(forest(dcs=["A/a1", "A/a2"]))
    assert len(plan.connections) == 2
    for one in plan.connections:
        assert one.schedule is not None
        assert pack_schedule(one.schedule)[HOUR_BYTES_AT:] == bytes([0x01]) * 168
        assert (one.options, one.transport, one.is_enabled) == (ConnectionOption.IS_GENERATED, "", True)


@pytest.mark.parametrize(
    ("dcs", "inbound"),
    [(3, 2), (7, 2), (8, 3), (15, 3), (16, 4), (27, 4), (28, 5), (43, 5), (44, 6), (63, 6)],
)
def test_inbound_edges_grow_with_the_ring_and_no_faster_6_2_2_2(dcs: int, inbound: int) -> None:
    plan = plan_forest(forest(dcs=[f"A/a{at}" for at in range(dcs)]))
    per_dc = [sum(one.target == at for one in plan.connections) for at in range(dcs)]
    assert max(per_dc) <= inbound
    flows, config = flows_of_plan(plan), nc_at(plan.snapshot, "config")
    assert max(max(reached(flows, config, DcAt(at)).values()) for at in range(dcs)) <= 3


def test_seven_dcs_have_a_ring_and_no_shortcuts() -> None:
    plan = plan_forest(forest(dcs=[f"A/a{at}" for at in range(7)]))
    assert {reason.rule for one in plan.connections for reason in one.reasons} == {Rule.RING}
    assert len(plan.connections) == 14


def test_a_ring_goes_by_the_stored_bytes_of_the_guids_6_2_2_2() -> None:
    order = ["d", "a", "c", "b"]
    dcs = [ADc(name, "A", guid=in_order(at)) for at, name in enumerate(order)]
    ring = set(pairwise([*order, order[0]]))
    assert _pairs(plan_forest(forest(dcs=dcs))) == ring | {(two, one) for one, two in ring}


def test_the_first_pass_around_failed_dcs_and_the_ideal_ring_stand_side_by_side_6_2_2_2() -> None:
    order = ["a", "b", "c", "d", "e"]
    dcs = [ADc(name, "A", guid=in_order(at)) for at, name in enumerate(order)]
    made = _pairs(plan_forest(forest(dcs=dcs, failures={"b": 2.5})))
    assert {("a", "c"), ("c", "a"), ("a", "b"), ("b", "c")} <= made
    assert not {("a", "c"), ("c", "a")} & _pairs(plan_forest(forest(dcs=dcs, failures={"b": 1.5})))


def test_an_istg_that_is_silent_for_two_hours_loses_the_role_to_the_next_6_2_2_3_1() -> None:
    dcs = [ADc(name, "A", guid=in_order(at)) for at, name in enumerate("abc")]
    for silent_h, holder in ((0.0, "b"), (1.9, "b"), (2.1, "c"), (4.1, "a"), (6.1, "b")):
        snapshot = forest(
            sites=[ASite("A", generator="b")], dcs=dcs, cursors={"b": silent_h, "a": 0, "c": 0}, local="a"
        )
        assert plan_forest(snapshot).istg == {site_at(snapshot, "A"): dc_at(snapshot, holder)}, silent_h


def test_all_naming_contexts_share_one_connection() -> None:
    plan = plan_forest(
        forest(
            sites=["A", "B"],
            dcs=[ADc("a", "A", gc=True, apps=("DomainDnsZones",)), ADc("b", "B", apps=("DomainDnsZones",))],
            links=[ALink("ab", ("A", "B"))],
        )
    )
    assert [one.action for one in plan.connections] == [Action.ADD] * 2
    assert [len(one.ncs) for one in plan.connections] == [4, 4]
