"""Starts of connections between sites, [MS-ADTS] 6.2.2.3.4.5."""

import pytest

from addc.codec.schedule import ALWAYS, NEVER, QUARTERS, Quarters, pack_schedule
from addc.kcc.schedule import WEEK_MIN, longest_wait_min, open_min, stagger, starts
from tests.kit.kcc_forest import hours

HOUR = 4


def places(week: Quarters) -> list[int]:
    return [at for at in range(QUARTERS) if week >> at & 1]


def test_an_open_week_and_180_minutes_start_at_the_hours_windows_writes() -> None:
    week = starts(ALWAYS, 180)
    assert pack_schedule(week)[20:] == bytes.fromhex("08 00 00") * 56
    assert week.bit_count() == 56


def test_a_stretch_starts_at_its_beginning_and_goes_on_as_long_as_it_is_open() -> None:
    week = starts(hours([1, 2, 3, 4, 10]), 120)
    one_day = [HOUR, 3 * HOUR, 10 * HOUR]
    assert places(week) == [24 * HOUR * day + at for day in range(7) for at in one_day]


def test_each_stretch_starts_even_one_shorter_than_the_interval() -> None:
    assert places(starts(Quarters(0b11 << 40 | 1 << 50), 10_000)) == [40, 50]


def test_a_stretch_runs_on_over_the_end_of_the_week() -> None:
    around = Quarters(0b1111 << (QUARTERS - 4) | 0b1111)
    assert places(starts(around, 45)) == [2, QUARTERS - 4, QUARTERS - 1]


@pytest.mark.parametrize(("interval_min", "quarters"), [(1, 1), (15, 1), (16, 2), (100, 7), (0, 1), (-5, 1)])
def test_the_interval_is_rounded_up_to_a_quarter_hour(interval_min: int, quarters: int) -> None:
    assert places(starts(ALWAYS, interval_min))[:3] == [0, quarters, 2 * quarters]


def test_an_interval_longer_than_a_week_starts_once() -> None:
    assert places(starts(ALWAYS, WEEK_MIN * 3)) == [0]


def test_never_open_never_starts() -> None:
    assert starts(NEVER, 180) == NEVER


def test_an_offset_puts_the_first_start_off_but_never_out_of_its_stretch() -> None:
    assert places(starts(ALWAYS, 180, 5))[:2] == [5, 17]
    assert places(starts(Quarters(0b111 << 8), 180, 5)) == [10]
    assert places(starts(ALWAYS, 180, 12)) == places(starts(ALWAYS, 180))


def test_the_stagger_of_targets_lies_in_the_interval_and_spreads() -> None:
    found = {stagger(bytes([n]) * 16, 180) for n in range(100)}
    assert found <= set(range(12))
    assert len(found) > 6


def test_starts_lie_in_the_window_and_wait_no_longer_than_the_interval_inside_it() -> None:
    window = hours(range(8, 20))
    week = starts(window, 60, 2)
    assert week & ~window == 0
    assert longest_wait_min(week) == (12 + 1) * 60


def test_the_longest_wait_goes_around_the_end_of_the_week() -> None:
    assert longest_wait_min(starts(ALWAYS, 180)) == 180
    assert longest_wait_min(Quarters(1 << 100)) == WEEK_MIN
    assert longest_wait_min(Quarters(1 << 10 | 1 << 20)) == WEEK_MIN - 150
    assert longest_wait_min(NEVER) is None


def test_open_minutes() -> None:
    assert open_min(ALWAYS) == WEEK_MIN
    assert open_min(hours([3])) == 7 * 60
