"""Plans of random forests keep every promise, judged by what the documents say (tests/kit/kcc_checker.py)."""

from hypothesis import HealthCheck, given, settings

from addc.kcc.plan import plan_forest, plan_share
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
