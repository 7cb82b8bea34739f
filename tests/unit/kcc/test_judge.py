"""The judge of topologies sees each kind of fault: a good plan, spoilt in one way at a time."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from addc.codec.schedule import ALWAYS
from addc.kcc.plan import plan_forest, plan_share
from addc.kcc.snapshot import ConnectionOption, Snapshot
from addc.kcc.wanted import Action, Plan, Planned, Removal
from tests.kit.kcc_forest import AConnection, ADc, ALink, ASite, dc_at, forest, hours, site_at
from tests.kit.kcc_plan_checker import every_violation, not_stable, not_the_sum, violations

BY_HAND = ConnectionOption(0)


def _snapshot() -> Snapshot:
    """Three DCs in A, two in B, one in C behind it, a read-only one in D; one connection made by hand."""
    return forest(
        sites=["A", "B", ASite("C"), "D"],
        dcs=["A/a1*", "A/a2", "A/a3", ADc("b1", "B", gc=True), "B/b2", "C/c1", "D/d1!"],
        links=[
            ALink("ab", ("A", "B"), window=hours(range(20, 24)), interval_min=60),
            ALink("bc", ("B", "C")),
            ALink("cd", ("C", "D")),
        ],
        connections=[
            AConnection("a3", "b2", BY_HAND, name="manual"),
            AConnection("c1", "a1", transport="IP"),
        ],
    )


def _changed(plan: Plan, which: Callable[[Planned], bool], **values: object) -> Plan:
    """With other values in the first connection for which it holds."""
    at = next(at for at, one in enumerate(plan.connections) if which(one))
    changed = replace(plan.connections[at], **values)  # type: ignore[arg-type]
    return replace(plan, connections=(*plan.connections[:at], changed, *plan.connections[at + 1 :]))


def _without(plan: Plan, which: Callable[[Planned], bool]) -> Plan:
    at = next(at for at, one in enumerate(plan.connections) if which(one))
    return replace(plan, connections=plan.connections[:at] + plan.connections[at + 1 :])


def _is_between(plan: Plan, one: Planned) -> bool:
    dcs = plan.snapshot.dcs
    return one.source is not None and dcs[one.source].site != dcs[one.target].site


def _is_added(plan: Plan, one: Planned, *, between: bool) -> bool:
    is_plain = one.action is Action.ADD and one.is_written
    return is_plain and _is_between(plan, one) is between


@pytest.fixture(scope="module")
def plan() -> Plan:
    return plan_forest(_snapshot())


def test_nothing_is_wrong_with_a_good_plan(plan: Plan) -> None:
    assert every_violation(plan.snapshot, plan_forest, plan_share) == []


@pytest.mark.parametrize("between", [False, True])
def test_a_connection_that_is_missing_is_missed(plan: Plan, between: bool) -> None:
    spoilt = _without(plan, lambda one: _is_added(plan, one, between=between))
    told = " ".join(violations(spoilt))
    assert "do not reach" in told
    assert ("nothing from site" in told) if between else ("ring of" in told)


def test_a_read_only_dc_without_a_source_is_missed(plan: Plan) -> None:
    spoilt = _without(plan, lambda one: not one.is_written)
    assert any("d1 has nothing to replicate from" in text for text in violations(spoilt))


def test_a_read_only_dc_is_no_source(plan: Plan) -> None:
    rodc = dc_at(plan.snapshot, "d1")
    spoilt = _changed(plan, lambda one: _is_added(plan, one, between=True), source=rodc)
    assert any("source that can be none" in text for text in violations(spoilt))


def test_starts_outside_the_window_or_too_seldom_are_seen(plan: Plan) -> None:
    narrow = [one for one in plan.connections if _is_added(plan, one, between=True)]
    for schedule in (ALWAYS, None, hours([21])):
        for one in narrow:
            spoilt = _changed(plan, lambda other, one=one: other is one, schedule=schedule)  # type: ignore[misc]
            assert any("start" in text for text in violations(spoilt)), schedule


def test_options_that_are_not_the_links_are_seen(plan: Plan) -> None:
    noisy = ConnectionOption(0xD)
    spoilt = _changed(plan, lambda one: _is_added(plan, one, between=True), options=noisy)
    assert any("are not its path's" in text for text in violations(spoilt))


def test_a_path_that_costs_something_else_is_seen(plan: Plan) -> None:
    one = next(one for one in plan.connections if _is_added(plan, one, between=True))
    path = one.reasons[0].path
    assert path is not None
    reasons = (replace(one.reasons[0], path=replace(path, cost=path.cost + 1)), *one.reasons[1:])
    assert any(
        "cost or options" in text
        for text in violations(_changed(plan, lambda other: other is one, reasons=reasons))
    )


def test_an_administrators_connection_is_not_the_kccs(plan: Plan) -> None:
    for values in ({"action": Action.DELETE, "removal": Removal.UNNEEDED}, {"action": Action.CHANGE}):
        spoilt = _changed(plan, lambda one: one.existing is not None and one.options == BY_HAND, **values)
        assert any("is not the KCC's to" in text for text in violations(spoilt))


def test_a_connection_that_is_not_told_of_is_seen(plan: Plan) -> None:
    spoilt = _without(plan, lambda one: one.existing is not None)
    assert any("is in the plan 0 times" in text for text in violations(spoilt))


def test_twice_the_same_is_seen(plan: Plan) -> None:
    added = next(one for one in plan.connections if one.action is Action.ADD)
    assert any(
        "added beside another" in text
        for text in violations(replace(plan, connections=(*plan.connections, added)))
    )


def test_a_second_istg_and_none_are_seen(plan: Plan) -> None:
    site = site_at(plan.snapshot, "A")
    elsewhere = {**plan.istg, site: dc_at(plan.snapshot, "b1")}
    none = {at: dc for at, dc in plan.istg.items() if at != site}
    for istg in (elsewhere, none):
        assert "site A has no ISTG of its own" in violations(replace(plan, istg=istg))


def test_a_tree_that_is_not_the_cheapest_is_seen() -> None:
    links = [ALink("ab", ("A", "B"), 1), ALink("bc", ("B", "C"), 1), ALink("ac", ("A", "C"), 5)]
    plan = plan_forest(forest(sites=["A", "B", "C"], dcs=["A/a1", "B/b1", "C/c1"], links=links))
    assert not violations(plan)
    tree = plan.trees[0]
    dear = replace(tree.edges[0], path=replace(tree.edges[0].path, cost=5))
    spoilt = replace(plan, trees=(replace(tree, edges=(dear, *tree.edges[1:])), *plan.trees[1:]))
    assert "the tree of config costs 6, not 2" in violations(spoilt)


def test_too_many_hops_are_seen() -> None:
    plan = plan_forest(forest(dcs=[f"A/a{at}" for at in range(12)]))
    rings = tuple(
        one for one in plan.connections if any(reason.rule.value == "ring" for reason in one.reasons)
    )
    assert any("more than 3 hops" in text for text in violations(replace(plan, connections=rings)))


def test_a_plan_that_never_rests_and_shares_that_do_not_add_up_are_seen(plan: Plan) -> None:
    def restless(snapshot: Snapshot) -> Plan:
        again = plan_forest(snapshot)
        return replace(
            again, connections=tuple(replace(one, action=Action.CHANGE) for one in again.connections)
        )

    assert any("a second run would change" in text for text in not_stable(plan, restless))
    assert any(
        "in no share" in text for text in not_the_sum(plan, lambda snapshot, dcs: plan_share(snapshot, []))
    )
