"""Schedules in words, [MS-ADTS] 6.1.4.5.2: what is read, what is shown, and that they agree."""

import pytest

from addc.base.errors import UserError
from addc.codec.schedule import ALWAYS, NEVER, QUARTERS, Quarters
from addc.kcc.schedule_text import parse_schedule, parse_starts, show_schedule, show_starts

_HOUR = 4
_DAY = 96
_SU, _MO, _TU, _FR, _SA = 0, _DAY, 2 * _DAY, 5 * _DAY, 6 * _DAY


def _week(*spans: tuple[int, int]) -> Quarters:
    """Spans as (first quarter, number of quarters), turned round the week's end."""
    return Quarters(sum({1 << (begin + at) % QUARTERS for begin, size in spans for at in range(size)}))


@pytest.mark.parametrize(
    ("text", "week"),
    [
        ("always", ALWAYS),
        ("Never", NEVER),
        ("Mo", _week((_MO, _DAY))),
        ("monday 08:00-09:15", _week((_MO + 8 * _HOUR, 5))),
        ("Sa-Su", _week((_SA, 2 * _DAY))),
        ("Sat 22:00-24:00", _week((_SA + 22 * _HOUR, 8))),
        ("Sa 22:00-02:00", _week((_SA + 22 * _HOUR, 16))),
        ("Mo 0-1, 2 - 3 UTC", _week((_MO, 4), (_MO + 8, 4))),
        ("Mo,Tuesday 00:00-01:00 (UTC)", _week((_MO, 4), (_TU, 4))),
        ("00:00-12:00; 12:00-24:00", ALWAYS),
        ("daily 23:45-24:00", _week(*((day * _DAY + 95, 1) for day in range(7)))),
        (
            "Mo-Fr 20:00-06:00; Sa-Su",
            _week(*((day * _DAY + 80, 40) for day in range(1, 6)), (_SA, 2 * _DAY)),
        ),
    ],
)
def test_readable_schedules(text: str, week: Quarters) -> None:
    assert parse_schedule(text) == week


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "empty"),
        ("Mo-Fr 20:00-06:00;", "empty"),
        ("M 08:00-09:00", "no day"),
        ("Mo 08:10-09:00", "quarters of an hour"),
        ("Mo 08:00-25:00", "no time of the day"),
        ("Mo 08:00-24:15", "no time of the day"),
        ("Mo 24:00-01:00", "next day's 00:00"),
        ("Mo 08:00-08:00", "ends where it begins"),
        ("Mo 08:00", "from one time to another"),
        ("Mo 08:00-09:00 CET", "not days and times"),
        ("x" * 20_000, "too long"),
    ],
)
def test_what_is_wrong_with_a_schedule_is_told(text: str, why: str) -> None:
    with pytest.raises(UserError, match=why) as found:
        parse_schedule(text)
    assert "Next step" in str(found.value)


@pytest.mark.parametrize(
    "text",
    [
        "always",
        "never",
        "Mo-Fr 20:00-06:00; Sa-Su (UTC)",
        "20:00-06:00; Sa-Su (UTC)",
        "Fr-Mo (UTC)",
        "Mo-Fr 08:00-12:00,13:00-17:00 (UTC)",
        "Mo,We,Fr 01:15-01:30 (UTC)",
        "Sa 22:00-04:00 (UTC)",
        "Tu,Th (UTC)",
    ],
)
def test_the_shortest_text_comes_back(text: str) -> None:
    assert show_schedule(parse_schedule(text)) == text


def test_a_day_but_for_a_quarter_of_an_hour() -> None:
    week = Quarters(ALWAYS & ~(1 << _FR + 50))
    assert show_schedule(week) == "00:00-12:30,12:45-24:00; Sa-Th (UTC)"
    assert parse_schedule(show_schedule(week)) == week


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("every 3 h", "every 3 h from 00:00 UTC, 56 times a week"),
        ("every 45 min from 00:30", "every 45 min from 00:30 UTC, 224 times a week"),
        ("every hour from 00:45", "every 1 h from 00:45 UTC, 168 times a week"),
        ("every 15 min", "every 15 min, 672 times a week"),
        ("every 7 h", "every 7 h from Su 00:00 UTC, 24 times a week"),
        ("never", "never"),
        ("Su 03:00-03:15", "Su 03:00 UTC, once a week"),
        ("Mo,We,Fr 01:15-01:30", "Mo,We,Fr 01:15-01:30 (UTC), 3 times a week"),
    ],
)
def test_starts_in_words(text: str, told: str) -> None:
    week = parse_starts(text)
    assert show_starts(week) == told
    if told.startswith("every"):
        assert parse_starts(told.partition(",")[0]) == week


def test_starts_within_a_window() -> None:
    week = Quarters(parse_starts("every 1 h") & parse_schedule("Mo-Fr 20:00-06:00"))
    assert show_starts(week) == "every 1 h in Mo-Fr 20:00-05:15 (UTC), 50 times a week"


def test_starts_without_a_rule_are_counted() -> None:
    week = Quarters(sum(1 << at * at for at in range(25)))
    assert show_starts(week).startswith("25 times a week")


@pytest.mark.parametrize("text", ["every 10 min", "every 5 h", "every 0 h", "every 3 d"])
def test_starts_that_no_week_has(text: str) -> None:
    with pytest.raises(UserError):
        parse_starts(text)
