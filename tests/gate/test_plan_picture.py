"""docs/replication-plan.svg is what the product draws."""

from tests.gate.plan_picture import PICTURE, render


def test_the_picture_of_a_plan_is_fresh() -> None:
    assert PICTURE.read_text(encoding="utf-8") == render(), "run: python -m tests.gate.plan_picture"
