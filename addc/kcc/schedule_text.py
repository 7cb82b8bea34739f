"""Schedules as people write and read them: "Mo-Fr 20:00-06:00; Sa-Su (UTC)", "every 3 h from 00:00 UTC".

A week is clauses between semicolons; a clause is days, times or both: no days are every day, no times the
whole day. A time that ends before it begins goes over midnight, from each of the clause's days into the next.
All is UTC, as it is stored.

Spec: [MS-ADTS] 6.1.4.5.2 (SCHEDULE).
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from addc.base.errors import UserError
from addc.codec.schedule import ALWAYS, NEVER, QUARTERS, Quarters

DAY_QUARTERS: Final = 96
DAYS: Final = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
_SHORT: Final = tuple(day[:2].title() for day in DAYS)
_DAY_LETTERS_MIN: Final = 2
_WEEK_DAYS: Final = len(DAYS)
_QUARTER_MIN: Final = 15
_HOUR_QUARTERS: Final = 4
_TEXT_MAX: Final = 16_384
_RUN_SHORT: Final = 3
"""So many days and more behind one another are shown as a range."""
_WINDOW_LETTERS_MAX: Final = 120
"""Of start times that have no rule only their number is told."""
_TIME: Final = re.compile(r"(\d{1,2})(?::(\d{2}))?")
_ZONE: Final = re.compile(r"\s*\(?\b(?:UTC|GMT)\)?\s*$", re.IGNORECASE)
_EVERY: Final = re.compile(
    r"every\s+(?:(\d{1,3})\s*)?(h|hours?|min|minutes?)(?:\s+from\s+(?:([a-z]{2,9})\s+)?(\d{1,2}:\d{2}))?",
    re.IGNORECASE,
)
_MEANT: Final = 'Next step: write it as "Mo-Fr 20:00-06:00; Sa-Su", "always" or "never"; times are UTC'


def _wrong(why: str) -> UserError:
    return UserError(f"{why}. {_MEANT}")


# --- reading -----------------------------------------------------------------------------------------------


def parse_schedule(text: str) -> Quarters:
    """The week that a text tells. Raises UserError, in words that tell what is wrong."""
    if len(text) > _TEXT_MAX:
        raise _wrong("This schedule is too long")
    bare = _ZONE.sub("", text).strip()
    if bare.lower() == "always":
        return ALWAYS
    if bare.lower() == "never":
        return NEVER
    week = 0
    for clause in bare.split(";"):
        week |= _clause(clause.strip())
    return Quarters(week)


def parse_starts(text: str) -> Quarters:
    """The week of a schedule that says when to begin: `parse_schedule`, or "every 3 h [from 00:30]" besides.

    Spec: [MS-ADTS] 6.1.2.2.1 (schedules of connections and site settings tell when to poll).
    """
    found = _EVERY.fullmatch(_ZONE.sub("", text).strip())
    if found is None:
        return parse_schedule(text)
    number, unit, day, time = found.groups()
    step = int(number or 1) * (_HOUR_QUARTERS if unit.lower().startswith("h") else 1)
    if unit.lower().startswith("m"):
        if step % _QUARTER_MIN:
            raise _wrong(f"Schedules count quarters of an hour, and {step} minutes are none")
        step //= _QUARTER_MIN
    if step < 1 or QUARTERS % step:
        raise _wrong(f"A week does not divide into {text.strip()!r}")
    first = (_day(day) * DAY_QUARTERS if day else 0) + (_time(time) if time else 0)
    return Quarters(sum(1 << at for at in range(first % step, QUARTERS, step)))


def _clause(clause: str) -> int:
    """Days and times of one clause. Spaces are allowed around commas and hyphens."""
    if not clause:
        raise _wrong("A part of this schedule is empty")
    tight = re.sub(r"\s*([,-])\s*", r"\1", clause)
    words = tight.split()
    days, times = list(range(_WEEK_DAYS)), ""
    match words:
        case [one]:
            if one[0].isdigit():
                times = one
            else:
                days = _days(one)
        case [first, second]:
            days, times = _days(first), second
        case _:
            raise _wrong(f"{clause!r} is not days and times")
    week = 0
    for begin, length in _ranges(times):
        for day in days:
            week |= _turned(((1 << length) - 1) << begin, day)
    return week


def _turned(quarters: int, days: int) -> int:
    """Quarters so many days later; what leaves the week at its end comes in at its start."""
    later = quarters << (days * DAY_QUARTERS)
    return (later | later >> QUARTERS) & ALWAYS


def _days(text: str) -> list[int]:
    found: list[int] = []
    for part in text.split(","):
        first, hyphen, last = part.partition("-")
        if not hyphen and part.lower() in ("daily", "everyday"):
            found += range(_WEEK_DAYS)
            continue
        begin = _day(first)
        end = _day(last) if hyphen else begin
        found += [(begin + more) % _WEEK_DAYS for more in range((end - begin) % _WEEK_DAYS + 1)]
    return found


def _day(text: str) -> int:
    """A day by its English name, or by two letters or more of its beginning."""
    low = text.lower().removesuffix(".")
    for at, name in enumerate(DAYS):
        if len(low) >= _DAY_LETTERS_MIN and name.startswith(low):
            return at
    raise _wrong(f"{text!r} is no day of the week")


def _ranges(text: str) -> list[tuple[int, int]]:
    """First quarter of the day, and how many quarters."""
    if not text:
        return [(0, DAY_QUARTERS)]
    found = []
    for part in text.split(","):
        first, hyphen, last = part.partition("-")
        if not hyphen:
            raise _wrong(f"{part!r} is not from one time to another")
        begin, end = _time(first), _time(last)
        if begin == DAY_QUARTERS:
            raise _wrong("No time begins at 24:00: the next day's 00:00 is meant")
        if begin == end:
            raise _wrong(f"{part!r} ends where it begins: a whole day is 00:00-24:00")
        found.append((begin, end - begin if end > begin else end - begin + DAY_QUARTERS))
    return found


def _time(text: str) -> int:
    found = _TIME.fullmatch(text)
    hour, minute = (int(found[1]), int(found[2] or 0)) if found else (DAY_QUARTERS, 0)
    if hour * 60 + minute > 24 * 60 or minute >= 60:
        raise _wrong(f"{text!r} is no time of the day")
    if minute % _QUARTER_MIN:
        raise _wrong(f"Schedules count quarters of an hour, and {text} is none")
    return hour * _HOUR_QUARTERS + minute // _QUARTER_MIN


# --- writing -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Stretch:
    """A time of day: first quarter and number of quarters, fewer than a day's or just a day's."""

    begin: int
    length: int

    def on(self, day: int) -> int:
        return _turned(((1 << self.length) - 1) << self.begin, day)

    def __str__(self) -> str:
        end = self.begin + self.length
        return f"{_clock(self.begin)}-{_clock(end if end <= DAY_QUARTERS else end - DAY_QUARTERS)}"


_WHOLE_DAY: Final = _Stretch(0, DAY_QUARTERS)


@lru_cache(maxsize=1024)
def show_schedule(week: Quarters) -> str:
    """A short text that `parse_schedule` reads as this week; the same week always gives the same text."""
    if week == ALWAYS:
        return "always"
    if week == NEVER:
        return "never"
    by_days: dict[tuple[tuple[int, ...], bool], list[_Stretch]] = {}
    for stretch, days in _cover(week):
        order = tuple(map(_from_monday, days))
        by_days.setdefault((order, stretch == _WHOLE_DAY), []).append(stretch)
    clauses = []
    for (days, is_whole), stretches in sorted(by_days.items()):
        stretches.sort(key=lambda one: (one.begin, one.length))
        times = "" if is_whole else ",".join(map(str, stretches))
        clauses.append(f"{_show_days(days)} {times}".strip())
    return "; ".join(clauses) + " (UTC)"


def _from_monday(day: int) -> int:
    return (day - 1) % _WEEK_DAYS


def _cover(week: Quarters) -> list[tuple[_Stretch, tuple[int, ...]]]:
    """Stretches and the days that each begins on; together they are this week. The widest are taken first."""
    possible: dict[_Stretch, int] = {}
    days_of: dict[_Stretch, list[int]] = {}
    for stretch in sorted(_stretches(week), key=lambda one: (-one.length, one.begin)):
        days_of[stretch] = [day for day in range(_WEEK_DAYS) if not stretch.on(day) & ~week]
        possible[stretch] = _union(stretch, days_of[stretch])
    missing: int = week
    taken: list[_Stretch] = []
    while missing:
        taken.append(max(possible, key=lambda one: (possible[one] & missing).bit_count()))
        missing &= ~possible.pop(taken[-1])
    behind = [0]
    for stretch in reversed(taken):
        behind.append(behind[-1] | _union(stretch, days_of[stretch]))
    found, before = [], 0
    for at, stretch in enumerate(taken, 1):
        others, days = before | behind[-1 - at], days_of[stretch]
        needed = [day for day in days if stretch.on(day) & ~others]
        shown = needed if not needed or _width(needed) <= _width(days) else days
        before |= _union(stretch, shown)
        if shown:
            found.append((stretch, tuple(sorted(shown, key=_from_monday))))
    return found


def _union(stretch: _Stretch, days: Iterable[int]) -> int:
    quarters = 0
    for day in days:
        quarters |= stretch.on(day)
    return quarters


def _width(days: Iterable[int]) -> int:
    return len(_show_days(tuple(map(_from_monday, days))))


def _stretches(week: Quarters) -> set[_Stretch]:
    """What can be said of a week that is neither always nor never: each open time as a whole where it is
    shorter than a day, else its whole days and what is before and behind them."""
    found: set[_Stretch] = set()
    for begin, length in _open_times(week):
        first = begin % DAY_QUARTERS
        if length < DAY_QUARTERS:
            found.add(_Stretch(first, length))
            continue
        head = -first % DAY_QUARTERS
        tail = (length - head) % DAY_QUARTERS
        if length - head >= DAY_QUARTERS:
            found.add(_WHOLE_DAY)
        found |= {_Stretch(at, long) for at, long in ((first, head), (0, tail)) if long}
    return found


def _open_times(week: Quarters) -> list[tuple[int, int]]:
    """Where each unbroken row of quarters begins and how long it is; the week goes round."""
    closed = ~week & ALWAYS
    shift = (closed & -closed).bit_length() - 1  # a closed quarter, so that no row goes over the end
    left = (week >> shift | week << (QUARTERS - shift)) & ALWAYS
    found = []
    while left:
        begin = (left & -left).bit_length() - 1
        row = left >> begin
        length = (~row & (row + 1)).bit_length() - 1
        left &= ~(((1 << length) - 1) << begin)
        found.append(((begin + shift) % QUARTERS, length))
    return found


def _show_days(days: tuple[int, ...]) -> str:
    """Days, counted from Monday, as ranges; one may go from a week into the next. All of them as nothing."""
    if len(days) == _WEEK_DAYS:
        return ""
    firsts = [day for day in days if (day - 1) % _WEEK_DAYS not in days]
    parts = []
    for first in firsts:
        size = next(more for more in range(1, _WEEK_DAYS) if (first + more) % _WEEK_DAYS not in days)
        names = [_SHORT[(first + more + 1) % _WEEK_DAYS] for more in range(size)]
        is_range = size >= _RUN_SHORT or (size > 1 and size == len(days))
        parts += [f"{names[0]}-{names[-1]}"] if is_range else names
    return ",".join(parts)


def _clock(quarter: int) -> str:
    return f"{quarter // _HOUR_QUARTERS:02d}:{quarter % _HOUR_QUARTERS * _QUARTER_MIN:02d}"


# --- starts ------------------------------------------------------------------------------------------------


@lru_cache(maxsize=1024)
def show_starts(week: Quarters) -> str:
    """When replication begins, in words: "every 3 h from 00:00 UTC, 56 times a week"."""
    count = week.bit_count()
    if not count:
        return "never"
    often = "once a week" if count == 1 else f"{count} times a week"
    at = [quarter for quarter in range(QUARTERS) if week >> quarter & 1]
    gaps = [
        (after - before) % QUARTERS or QUARTERS for before, after in zip(at, [*at[1:], at[0]], strict=True)
    ]
    step = min(gaps)
    if count == 1:
        return f"{_SHORT[at[0] // DAY_QUARTERS]} {_clock(at[0] % DAY_QUARTERS)} UTC, {often}"
    if step == max(gaps):
        if step == 1:
            return f"every 15 min, {often}"
        day = "" if DAY_QUARTERS % step == 0 else f"{_SHORT[at[0] // DAY_QUARTERS]} "
        return f"every {_long(step)} from {day}{_clock(at[0] % DAY_QUARTERS)} UTC, {often}"
    filled: int = week
    for begin, gap in zip(at, gaps, strict=True):
        if gap == step:
            filled |= _from_quarter(((1 << gap) - 1), begin)
    if step >= DAY_QUARTERS or (filled == week and step > 1):
        return f"{show_schedule(week)}, {often}"
    inside = show_schedule(Quarters(filled))
    if len(inside) > _WINDOW_LETTERS_MAX:
        return f"{often}, {_long(step)} to {_long(max(gaps))} apart"
    return f"every {_long(step)} in {inside}, {often}"


def _from_quarter(quarters: int, begin: int) -> int:
    later = quarters << begin
    return (later | later >> QUARTERS) & ALWAYS


def _long(quarters: int) -> str:
    hours, rest = divmod(quarters, _HOUR_QUARTERS)
    return f"{hours} h" if not rest else f"{quarters * _QUARTER_MIN} min"
