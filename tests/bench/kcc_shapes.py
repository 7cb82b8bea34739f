"""Thousands of random forests through the planner and its judge.

    python -m tests.bench.kcc_shapes --examples 5000 --minutes 20

Ends with 1 and the smallest forest that it could find where a rule is broken, as a test would write it.
"""

import argparse
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.strategies import SearchStrategy

from addc.kcc.plan import plan_forest, plan_share
from tests.kit.kcc_plan_checker import every_violation
from tests.kit.kcc_random import Drawn, built, forests

SITES_MAX: Final = (1, 3, 6, 12)
_SHOWN: Final = 8


class _OutOfTime(Exception):
    """The time is up."""


@dataclass(slots=True)
class _Count:
    """Of all rounds. ends: when the time is up, by the clock."""

    ends: float
    forests: int = 0


def judge(examples: int, minutes: float, first_seed: int) -> str:
    """What is wrong with the smallest forest found; empty where all is well. Half have no odd cases."""
    count = _Count(time.monotonic() + 60 * minutes)
    each = max(1, examples // (2 * len(SITES_MAX)))
    for at, sites_max in enumerate(SITES_MAX):
        for is_odd in (False, True):
            wrong = _round(forests(sites_max=sites_max, is_odd=is_odd), each, first_seed + at, count)
            if wrong:
                return "\n".join(wrong)
    late = " until the time was up" if time.monotonic() > count.ends else ""
    print(f"{count.forests} forests{late}, nothing wrong")
    return ""


def _round(drawing: SearchStrategy[Drawn], examples: int, round_seed: int, count: _Count) -> list[str]:
    failing: list[str] = []

    @seed(round_seed)
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
        report_multiple_bugs=False,
    )
    @given(drawing)
    def one(drawn: Drawn) -> None:
        if time.monotonic() > count.ends:
            raise _OutOfTime
        count.forests += 1
        wrong = every_violation(built(drawn), plan_forest, plan_share)
        if wrong:
            failing[:] = [written(drawn), *wrong[:_SHOWN]]
            raise AssertionError

    # What is found is in `failing`, the last time that it got smaller.
    with suppress(_OutOfTime, AssertionError):
        one()
    return failing


def written(drawn: Drawn) -> str:
    """The call that builds it."""
    return f"forest({', '.join(f'{name}={value!r}' for name, value in drawn.items() if value)})"


def main(words: Sequence[str] | None = None) -> int:
    """0 where every forest drawn is planned as promised."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", type=int, default=5000)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args(words)
    wrong = judge(chosen.examples, chosen.minutes, chosen.seed)
    if wrong:
        print(wrong)
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
