"""The worst replication latency, by examples that a person can add up."""

import pytest

from addc.codec.schedule import ALWAYS, NEVER, Quarters
from addc.kcc.plan import plan_forest
from addc.kcc.schedule import starts
from addc.kcc.snapshot import ConnectionOption, Snapshot
from addc.kcc.telling import latency
from addc.kcc.telling.findings import findings
from addc.kcc.telling.flow import waits
from addc.kcc.telling.latency import Latency, latencies, untold
from addc.kcc.wanted import Plan
from tests.kit.kcc_forest import ADc, ALink, dc_at, forest, hours, nc_at
from tests.kit.kcc_plan import EVERY_3_H, APlanned, a_plan, both

HOUR = 3600
NOTIFIED = (
    ConnectionOption.IS_GENERATED | ConnectionOption.OVERRIDE_NOTIFY_DEFAULT | ConnectionOption.USE_NOTIFY
)


def _star(leaves: int) -> Snapshot:
    names = [f"l{at}" for at in range(leaves)]
    return forest(
        sites=["H", *(f"S{name}" for name in names)],
        dcs=["H/h", *(f"S{name}/{name}" for name in names)],
        links=[ALink(f"h{name}", ("H", f"S{name}")) for name in names],
    )


def _of(plan: Plan, nc: str) -> Latency:
    return next(one for one in latencies(plan) if nc_at(plan.snapshot, nc) in one.ncs)


def _names(plan: Plan, one: Latency) -> list[str]:
    dcs = plan.snapshot.dcs
    return [dcs[one.hops[0].source].name, *(dcs[hop.target].name for hop in one.hops)]


def test_a_star_of_three_hours_takes_six_from_leaf_to_leaf() -> None:
    plan = a_plan(_star(3), [one for at in range(3) for one in both("h", f"l{at}", via=f"hl{at}")])
    one = _of(plan, "config")
    assert (one.at_least_s, one.at_most_s, one.is_exact) == (6 * HOUR, 6 * HOUR, True)
    names = _names(plan, one)
    assert len(names) == 3 and names[1] == "h"
    assert one.replicas == 4 and one.cut_off == ()


def test_naming_contexts_that_go_the_same_ways_are_told_once() -> None:
    plan = a_plan(_star(2), [one for at in range(2) for one in both("h", f"l{at}", via=f"hl{at}")])
    assert [len(one.ncs) for one in latencies(plan)] == [3]


def test_starts_that_fit_together_are_quicker_than_the_sum_of_waits() -> None:
    """h takes from l0 at 0, 3, 6 ...; l1 takes from h at 1, 4, 7 ...: 3 h and then 1 h, not 6."""
    later = starts(ALWAYS, 180, 4)
    plan = a_plan(
        _star(2),
        [
            APlanned("l0", "h", schedule=EVERY_3_H, via=("hl0",)),
            APlanned("h", "l1", schedule=later, via=("hl1",)),
            APlanned("l1", "h", schedule=later, via=("hl1",)),
            APlanned("h", "l0", schedule=later, via=("hl0",)),
        ],
    )
    one = _of(plan, "config")
    # l1 to l0: both start at the same moments, so the second is always missed.
    assert one.is_exact and one.at_most_s == 6 * HOUR and _names(plan, one) == ["l1", "h", "l0"]
    plan = a_plan(
        _star(2),
        [APlanned("l0", "h", schedule=EVERY_3_H, via=("hl0",)), APlanned("h", "l1", schedule=later)],
    )
    one = _of(plan, "config")
    assert {plan.snapshot.dcs[dc].name for dc in one.cut_off} >= {"l1"}


def test_the_chain_of_fitting_starts_is_exact() -> None:
    later = starts(ALWAYS, 180, 4)
    snapshot = forest(
        sites=["A", "B", "C"],
        dcs=["A/a", "B/b", "C/c!"],
        links=[ALink("ab", ("A", "B")), ALink("bc", ("B", "C"))],
    )
    plan = a_plan(
        snapshot,
        [*both("a", "b", starts(ALWAYS, 15), via="ab"), APlanned("b", "c", schedule=later, via=("bc",))],
    )
    one = _of(plan, "config")
    assert one.is_exact and one.at_most_s == 3 * HOUR + 900
    plan = a_plan(
        snapshot,
        [
            APlanned("a", "b", schedule=EVERY_3_H, via=("ab",)),
            APlanned("b", "a", schedule=starts(ALWAYS, 15), via=("ab",)),
            APlanned("b", "c", schedule=later, via=("bc",)),
        ],
    )
    assert _of(plan, "config").at_most_s == 4 * HOUR


def test_the_week_goes_round() -> None:
    """Open on Monday from 0 to 2 alone, and every hour then: the gap is the rest of the week."""
    week = starts(hours([24, 25]), 60)
    snapshot = forest(sites=["A", "B"], dcs=["A/a", "B/b"], links=[ALink("ab", ("A", "B"))])
    one = _of(a_plan(snapshot, both("a", "b", week, via="ab")), "config")
    assert one.at_most_s == 167 * HOUR and one.is_exact


def test_waits_miss_the_start_they_are_in() -> None:
    found = waits(Quarters(1 << 0 | 1 << 4))
    assert (found[0], found[1], found[4], found[671]) == (4, 3, 668, 1)


def test_within_a_site_partners_are_notified_one_after_the_other() -> None:
    """15 s for the first, 3 s for the second: 18 s a hop, two hops around a ring of four."""
    ring = ["a", "b", "c", "d"]
    snapshot = forest(dcs=[f"A/{name}" for name in ring])
    edges = [(ring[at], ring[(at + step) % 4]) for at in range(4) for step in (1, 3)]
    one = _of(a_plan(snapshot, [APlanned(a, b) for a, b in edges]), "config")
    assert (one.at_most_s, one.is_exact, len(one.hops)) == (36, True, 2)


def test_connections_between_sites_that_are_notified_do_not_wait_for_a_start() -> None:
    snapshot = forest(sites=["A", "B"], dcs=["A/a", "B/b"], links=[ALink("ab", ("A", "B"))])
    plan = a_plan(
        snapshot,
        [
            APlanned("a", "b", options=NOTIFIED, via=("ab",)),
            APlanned("b", "a", options=NOTIFIED, via=("ab",)),
        ],
    )
    assert _of(plan, "config").at_most_s == 15


def test_what_never_starts_or_is_disabled_carries_nothing() -> None:
    snapshot = forest(sites=["A", "B"], dcs=["A/a", "B/b"], links=[ALink("ab", ("A", "B"))])
    for never in (
        APlanned("a", "b", schedule=NEVER, via=("ab",)),
        APlanned("a", "b", schedule=None, via=("ab",)),
        APlanned("a", "b", is_enabled=False, via=("ab",)),
    ):
        one = _of(a_plan(snapshot, [never, APlanned("b", "a", schedule=EVERY_3_H, via=("ab",))]), "config")
        assert len(one.cut_off) == 1


def test_a_large_star_is_bounded_from_amid_and_exact_where_that_is_tight() -> None:
    count = 150
    plan = a_plan(_star(count), [one for at in range(count) for one in both("h", f"l{at}", via=f"hl{at}")])
    one = _of(plan, "config")
    assert (one.at_least_s, one.at_most_s) == (6 * HOUR, 6 * HOUR) and _names(plan, one)[1] == "h"


def test_a_domain_of_one_replica_has_no_latency() -> None:
    snapshot = forest(dcs=["A/a"])
    assert latencies(a_plan(snapshot, [])) == ()
    assert dc_at(snapshot, "a") == 0


def test_naming_contexts_beyond_what_can_be_added_up_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """300 domains with global catalogs everywhere: 90,000 connections for each of 300 naming contexts."""
    dcs = [ADc("h", "H", gc=True), ADc("l0", "Sl0", gc=True, domain="c0"), ADc("l1", "Sl1", gc=True)]
    links = [ALink(f"hl{at}", ("H", f"Sl{at}")) for at in range(2)]
    plan = plan_forest(forest(sites=["H", "Sl0", "Sl1"], dcs=dcs, links=links))
    every = latencies(plan)
    assert len(every) > 1 and untold(plan, every) == ()
    monkeypatch.setattr(latency, "LOOKED_MAX", 1)
    told = latencies(plan)
    assert len(told) == 1 and set(untold(plan, told)) == {nc for one in every for nc in one.ncs} - set(
        told[0].ncs
    )
    assert [one.code for one in findings(plan, told) if one.code == "not-added-up"]
    assert not [one.code for one in findings(plan, every) if one.code == "not-added-up"]
