"""Whole plans: what becomes of each connection, whose decision it is, and that a plan carried out stays."""

from dataclasses import replace

import pytest

from addc.codec.schedule import ALWAYS
from addc.kcc.plan import applied, plan_forest, plan_share, plan_site
from addc.kcc.snapshot import ConnectionOption, DcAt, SiteOption, Snapshot
from addc.kcc.wanted import Action, Plan, Planned, Removal, Rule
from tests.kit.kcc_forest import (
    AConnection,
    ADc,
    ALink,
    ASite,
    dc_at,
    forest,
    hours,
    in_order,
    label,
    site_at,
)

GENERATED, ADMINS = ConnectionOption.IS_GENERATED, ConnectionOption(0)
NIGHT = hours(range(22, 24))


def hub(*connections: AConnection, **more: object) -> Snapshot:
    """A hub of three DCs, two branches of one each, a branch with a read-only DC alone."""
    return forest(
        sites=["H", "X", "Y", "Z"],
        dcs=["H/h1*", "H/h2*", "H/h3", "X/x*", "Y/y", "Z/r!*"],
        links=[ALink("hx", ("H", "X")), ALink("hy", ("H", "Y"), window=NIGHT), ALink("hz", ("H", "Z"))],
        connections=connections,
        **more,  # type: ignore[arg-type]
    )


def ends(one: Planned, snapshot: Snapshot) -> str:
    source = "none" if one.source is None else snapshot.dcs[one.source].name
    return f"{source}>{snapshot.dcs[one.target].name}"


def by_ends(plan: Plan) -> dict[str, Planned]:
    return {ends(one, plan.snapshot): one for one in plan.connections}


def actions(plan: Plan) -> dict[str, Action]:
    return {name: one.action for name, one in by_ends(plan).items()}


# --- actions -----------------------------------------------------------------------------------------------


def test_what_rules_want_and_is_not_there_is_added() -> None:
    plan = plan_forest(forest(sites=["A"], dcs=["A/a", "A/b"]))
    one = by_ends(plan)["a>b"]
    assert (one.action, one.existing, one.options, one.transport) == (Action.ADD, None, GENERATED, "")
    assert {label(plan.snapshot.ncs[nc]) for nc in one.ncs} == {"config", "schema", "corp"}
    assert {why.rule for why in one.reasons} == {Rule.RING}


@pytest.mark.parametrize("options", [GENERATED, ADMINS])
def test_what_is_there_inside_a_site_is_kept_to_the_letter(options: ConnectionOption) -> None:
    there = AConnection("a", "b", options, schedule=NIGHT, transport="IP")
    one = by_ends(plan_forest(forest(sites=["A"], dcs=["A/a", "A/b"], connections=[there])))["a>b"]
    assert (one.action, one.options, one.schedule, one.transport) == (Action.KEEP, options, NIGHT, "IP")
    assert one.reasons and one.existing is not None


def test_a_new_connection_has_the_sites_schedule() -> None:
    plan = plan_forest(forest(sites=[ASite("A", schedule=NIGHT)], dcs=["A/a", "A/b"]))
    assert {one.schedule for one in plan.connections} == {NIGHT}


def test_an_administrators_connection_that_nobody_wants_is_kept_without_reasons() -> None:
    dcs = [ADc(f"d{at}", "A", guid=in_order(at)) for at in range(5)]
    plan = plan_forest(forest(sites=["A"], dcs=dcs, connections=[AConnection("d2", "d0", ADMINS)]))
    one = by_ends(plan)["d2>d0"]
    assert (one.action, one.reasons, one.options) == (Action.KEEP, (), ADMINS)


def test_a_duplicate_is_deleted_and_its_twin_bears_the_reasons() -> None:
    both = [AConnection("a", "b", age_h=at, name=str(at)) for at in (1, 2)]
    plan = plan_forest(forest(sites=["A"], dcs=["A/a", "A/b"], connections=both))
    found = {one.action: one for one in plan.connections if ends(one, plan.snapshot) == "a>b"}
    assert found[Action.DELETE].removal is Removal.DUPLICATE and found[Action.DELETE].ncs == ()
    assert found[Action.KEEP].reasons and found[Action.KEEP].ncs


def test_a_dangling_connection_is_deleted_and_an_administrators_is_not() -> None:
    gone = [AConnection("gone", "a"), AConnection("lost", "a", ADMINS)]
    plan = plan_forest(forest(sites=["A"], dcs=["A/a"], connections=gone))
    assert sorted(one.action.value for one in plan.connections) == ["delete", "keep"]
    assert all(one.source is None and one.ncs == () for one in plan.connections)


def test_disabled_and_sysvol_connections_carry_nothing() -> None:
    idle = [
        AConnection("a", "b", is_enabled=False),
        AConnection("b", "a", GENERATED | ConnectionOption(0x40)),
    ]
    plan = plan_forest(forest(sites=["A"], dcs=["A/a", "A/b"], connections=idle))
    assert [one.ncs for one in plan.connections if one.existing is not None] == [(), ()]


# --- between sites -----------------------------------------------------------------------------------------


def test_sites_are_joined_by_one_pair_of_connections() -> None:
    plan = plan_forest(hub())
    between = [one for one in plan.connections if one.transport and one.is_written]
    assert len(between) == 4 and all(one.reasons[0].rule is Rule.TREE for one in between)
    assert {one.reasons[0].path.window for one in between if one.reasons[0].path} == {ALWAYS, NIGHT}


def test_a_generated_connection_is_brought_in_line_with_its_path() -> None:
    plan = plan_forest(hub(AConnection("h1", "y", transport="IP", schedule=ALWAYS)))
    one = by_ends(plan)["h1>y"]
    assert one.action is Action.CHANGE and one.existing is not None
    assert one.schedule is not None and one.schedule & ~NIGHT == 0 and one.transport == "IP"


@pytest.mark.parametrize(
    "options", [ADMINS, GENERATED | ConnectionOption.USER_OWNED_SCHEDULE], ids=["administrator", "owned"]
)
def test_a_schedule_that_is_an_administrators_is_not_changed(options: ConnectionOption) -> None:
    plan = plan_forest(hub(AConnection("h1", "y", options, transport="IP", schedule=ALWAYS)))
    one = by_ends(plan)["h1>y"]
    assert (one.action, one.schedule, one.options) == (Action.KEEP, ALWAYS, options)


def test_a_connection_that_no_tree_wants_is_deleted_and_an_administrators_is_not() -> None:
    plan = plan_forest(hub(AConnection("x", "y", transport="IP"), AConnection("y", "x", ADMINS)))
    assert (actions(plan)["x>y"], actions(plan)["y>x"]) == (Action.DELETE, Action.KEEP)


def test_a_read_only_dcs_connections_are_shown_and_not_written() -> None:
    plan = plan_forest(hub())
    own = [one for one in plan.connections if plan.snapshot.dcs[one.target].name == "r"]
    assert own and not any(one.is_written for one in own)
    assert not [one for one in plan.connections if one.source == dc_at(plan.snapshot, "r")]


def test_a_read_only_dcs_connection_is_changed_for_its_own_repsfrom_alone() -> None:
    plan = plan_forest(hub(AConnection("h1", "r", transport="IP")))
    one = next(one for one in plan.connections if plan.snapshot.dcs[one.target].name == "r" and one.reasons)
    assert (one.action, one.is_written, one.schedule is None) == (Action.CHANGE, False, False)


# --- shares ------------------------------------------------------------------------------------------------


def a_past(snapshot: Snapshot) -> Snapshot:
    """The same with connections of every kind that does not fit."""
    odd = [
        AConnection("h1", "h2", age_h=1, name="new"),
        AConnection("h1", "h2", age_h=2, name="old"),
        AConnection("x", "y", transport="IP"),
        AConnection("y", "x", ADMINS),
        AConnection("gone", "h3"),
        AConnection("h3", "r", GENERATED | ConnectionOption.RODC_TOPOLOGY),
        AConnection("x", "h3", transport="IP", schedule=ALWAYS),
        AConnection("h2", "x", ADMINS, is_enabled=False, transport="IP"),
    ]
    past = hub(*odd)
    return replace(snapshot, dcs=past.dcs)


SHAPES = {
    "new": hub(),
    "with a past": a_past(hub()),
    "a failed hub": a_past(hub(failures={"h1": 5, "x": 1})),
    "no links": forest(sites=["A", "B"], dcs=["A/a1*", "A/a2*", "B/b"], connections=[AConnection("a1", "b")]),
    "options": forest(
        sites=[
            ASite("A", options=SiteOption.IS_AUTO_TOPOLOGY_DISABLED),
            ASite("B", options=SiteOption.IS_INTER_SITE_AUTO_TOPOLOGY_DISABLED),
            ASite("C", options=SiteOption.IS_REDUNDANT_SERVER_TOPOLOGY_ENABLED),
        ],
        dcs=["A/a1", "A/a2", "B/b1", "B/b2!", "C/c1", "C/c2*"],
        links=[ALink("all", ("A", "B", "C"))],
        connections=[AConnection("c1", "b1", transport="IP"), AConnection("b1", "a2", transport="IP")],
    ),
}


@pytest.mark.parametrize("name", SHAPES)
def test_what_all_dcs_decide_is_the_forests_plan(name: str) -> None:
    snapshot = SHAPES[name]
    whole = plan_forest(snapshot)
    assert all(one.is_decided for one in whole.connections)
    shares = [plan_share(snapshot, [DcAt(at)]) for at in range(len(snapshot.dcs))]
    assert {one for share in shares for one in share.connections if one.is_decided} == set(whole.connections)
    assert set(plan_share(snapshot, range(len(snapshot.dcs))).connections) == set(whole.connections)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", SHAPES)
def test_a_sites_plan_is_its_part_of_the_forests(name: str) -> None:
    snapshot = SHAPES[name]
    whole = plan_forest(snapshot).connections
    for site in snapshot.sites:
        at = site_at(snapshot, site.name)
        part = tuple(one for one in whole if snapshot.dcs[one.target].site == at)
        assert plan_site(snapshot, at).connections == part


@pytest.mark.parametrize("name", SHAPES)
def test_a_plan_that_was_carried_out_changes_nothing_more(name: str) -> None:
    again = plan_forest(applied(plan_forest(SHAPES[name])))
    assert {one.action for one in again.connections} <= {Action.KEEP}


def test_the_same_forest_gives_the_same_plan_in_the_order_of_target_and_source() -> None:
    plan = plan_forest(a_past(hub()))
    assert plan == plan_forest(a_past(hub()))
    order = [(one.target, -1 if one.source is None else one.source) for one in plan.connections]
    assert order == sorted(order)


def test_a_dc_that_is_no_generator_leaves_what_comes_from_other_sites_to_it() -> None:
    snapshot = hub(AConnection("y", "h1", transport="IP"), AConnection("y", "h2", transport="IP"))
    whole = plan_forest(snapshot)
    generator = whole.istg[site_at(snapshot, "H")]
    other = next(
        DcAt(at) for at, dc in enumerate(snapshot.dcs) if dc.name in ("h1", "h2") and at != generator
    )
    share = plan_share(snapshot, [other])
    foreign = [one for one in share.connections if one.transport]
    assert [(one.action, one.is_decided, one.reasons) for one in foreign] == [(Action.KEEP, False, ())]
    assert share.planned_for == {other}


def test_the_generators_share_holds_the_whole_sites_connections_with_others() -> None:
    snapshot = hub()
    site = site_at(snapshot, "H")
    share = plan_share(snapshot, [plan_forest(snapshot).istg[site]])
    assert share.planned_for == {at for at, dc in enumerate(snapshot.dcs) if dc.site == site}
    assert len([one for one in share.connections if one.transport]) == 2


# --- carried out -------------------------------------------------------------------------------------------


def test_applied_gives_the_forest_as_the_plan_leaves_it() -> None:
    plan = plan_forest(a_past(hub()))
    after = applied(plan)
    left = [one for one in plan.connections if one.action is not Action.DELETE]
    there = [c for dc in after.dcs for c in dc.connections]
    assert sorted((c.source or -1, c.target, int(c.options), c.schedule or 0) for c in there) == sorted(
        (one.source or -1, one.target, int(one.options), one.schedule or 0) for one in left
    )
    assert len({c.guid for c in there}) == len(there)
    assert after.dcs[dc_at(after, "y")].guid == plan.snapshot.dcs[dc_at(after, "y")].guid
