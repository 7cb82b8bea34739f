"""Whatever a forest is like, its plan can be told in every form, and the latency told is the true one."""

import json

from hypothesis import HealthCheck, given, settings

from addc.kcc.plan import plan_forest, plan_share
from addc.kcc.snapshot import DcAt, Replica
from addc.kcc.telling import explain
from addc.kcc.telling.dot import as_dot
from addc.kcc.telling.findings import findings
from addc.kcc.telling.flow import QUARTER_S, WEEK_S, arrivals, carrying, flow
from addc.kcc.telling.latency import Latency, latencies
from addc.kcc.telling.report import as_json, json_text
from addc.kcc.telling.report_text import as_text
from addc.kcc.wanted import Plan
from tests.kit.kcc_random import Drawn, built, forests

FEW = settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))


@FEW
@given(forests(sites_max=5))
def test_every_plan_can_be_told_in_every_form(drawn: Drawn) -> None:
    snapshot = built(drawn)
    plans = [
        plan_forest(snapshot),
        *(plan_share(snapshot, [DcAt(at)]) for at in range(len(snapshot.dcs))[:1]),
    ]
    for plan in plans:
        slow = latencies(plan)
        found = findings(plan, slow)
        report = json.loads("".join(json_text(as_json(plan, found, slow))))
        assert len(report["plan"]) == len(plan.connections)
        for everything in (False, True):
            assert as_text(plan, found, slow, everything=everything)
        assert as_dot(plan).count("{") == as_dot(plan).count("}")
    for dc in snapshot.dcs[:2]:
        told = explain.explain(plans[0], dc.dn, snapshot.dcs[-1].dn)
        assert explain.as_text(told) and explain.as_json(told)


@FEW
@given(forests(sites_max=4))
def test_the_latency_told_is_that_of_every_change_tried(drawn: Drawn) -> None:
    plan = plan_forest(built(drawn))
    for one in latencies(plan):
        worst = _by_trying(plan, one)
        assert worst <= one.at_most_s
        # Tried is the first second of each quarter hour: the slowest change may be made a little before.
        assert one.cut_off or one.at_least_s - worst < QUARTER_S


def _by_trying(plan: Plan, one: Latency) -> int:
    nc = one.ncs[0]
    ways = flow(plan.snapshot, carrying(plan).get(nc, ()))
    left = set(one.cut_off)
    held = {
        DcAt(at): dc.held[nc]
        for at, dc in enumerate(plan.snapshot.dcs)
        if nc in dc.held and DcAt(at) not in left
    }
    worst = 0
    for source in (dc for dc, replica in held.items() if replica is Replica.WRITABLE):
        for moment in range(0, WEEK_S, QUARTER_S):
            at, _ = arrivals(ways, source, moment)
            worst = max(worst, *(at.get(dc, 0) for dc in held))
    return worst
