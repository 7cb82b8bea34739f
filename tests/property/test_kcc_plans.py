"""Plans of random forests keep every promise, judged by what the documents say (tests/kit/kcc_checker.py)."""

import json

from hypothesis import HealthCheck, given, settings

from addc.kcc.plan import plan_forest, plan_share
from addc.kcc.snapshot import DcAt, SiteAt, Snapshot
from addc.kcc.telling.report import as_json, json_text
from tests.kit.kcc_checker import check_state
from tests.kit.kcc_flows import flows_of_plan, flows_of_report
from tests.kit.kcc_plan_checker import every_violation
from tests.kit.kcc_random import Drawn, built, forests

FEW = settings(max_examples=10, deadline=None, database=None, suppress_health_check=list(HealthCheck))


@FEW
@given(forests(sites_max=5, is_odd=False))
def test_a_plain_forest_is_planned_as_promised(drawn: Drawn) -> None:
    assert not every_violation(built(drawn), plan_forest, plan_share)


@FEW
@given(forests(sites_max=4))
def test_a_forest_with_failures_options_and_a_past_is_planned_as_promised(drawn: Drawn) -> None:
    assert not every_violation(built(drawn), plan_forest, plan_share)


@FEW
@given(forests(sites_max=4, is_odd=False))
def test_the_report_by_itself_is_enough_to_judge_a_topology(drawn: Drawn) -> None:
    snapshot = built(drawn)
    plan = plan_forest(snapshot)
    report = json.loads("".join(json_text(as_json(plan))))
    flows, wrong = flows_of_report(snapshot, report)
    assert not wrong
    istg = {
        SiteAt(at): dc_of(snapshot, report["istg"][site.dn])
        for at, site in enumerate(snapshot.sites)
        if site.dn in report["istg"]
    }
    assert istg == plan.istg
    assert sorted(flows, key=repr) == sorted(flows_of_plan(plan), key=repr)
    assert not check_state(snapshot, flows, istg)


def dc_of(snapshot: Snapshot, dn: str) -> DcAt:
    return DcAt([dc.dn for dc in snapshot.dcs].index(dn))
