"""When connections between sites start: by the hours that their path is open, and by the interval.

Spec: [MS-ADTS] 6.2.2.3.4.5 (CreateConnections: the schedule of a tree edge), 6.1.1.2.2.3.3 (replInterval).
"""

from functools import lru_cache
from hashlib import blake2b
from typing import Final

from addc.codec.schedule import ALWAYS, NEVER, QUARTERS, Quarters

QUARTER_MIN: Final = 15
WEEK_MIN: Final = QUARTERS * QUARTER_MIN


@lru_cache(maxsize=4096)
def starts(window: Quarters, interval_min: int, offset: int = 0) -> Quarters:
    """The quarter hours in which a sync starts: one at the beginning of each stretch that is open, and
    one every interval after it as long as it stays open. The week goes round: Saturday night runs on into
    Sunday.

    interval_min: rounded up to a quarter hour. offset: quarter hours by which the first start of a stretch is
    put off, so that not all targets ask at once; one longer than the stretch wraps around in it.
    Spec: [MS-ADTS] 6.2.2.3.4.5
    """
    step = max(1, -(-interval_min // QUARTER_MIN))
    if window == NEVER:
        return NEVER
    if window == ALWAYS:
        return _every(offset % min(step, QUARTERS), QUARTERS, step)
    found = 0
    for first, length in _stretches(window):
        begun = _every(offset % min(step, length), length, step) << first
        found |= begun | begun >> QUARTERS
    return Quarters(found & ALWAYS)


def _every(first: int, end: int, step: int) -> Quarters:
    """Bits first, first + step, ... below end."""
    return Quarters(sum(1 << at for at in range(first, end, step)))


def _stretches(window: Quarters) -> list[tuple[int, int]]:
    """First quarter hour and length of each open stretch of a week that is neither all open nor all
    closed.
    """
    turned = (window << 1 | window >> (QUARTERS - 1)) & ALWAYS
    begins = window & ~turned
    found = []
    while begins:
        first = (begins & -begins).bit_length() - 1
        begins &= begins - 1
        onward = window >> first | window << (QUARTERS - first)
        closed = ~onward
        found.append((first, (closed & -closed).bit_length() - 1))
    return found


def stagger(guid: bytes, interval_min: int) -> int:
    """The offset for `starts` of one target among many, from its GUID: any quarter hour of the interval.

    Spec: [MS-ADTS] 6.1.1.2.2.1.1 (NTDSSETTINGS_OPT_IS_SCHEDULE_HASHING_ENABLED)
    """
    step = max(1, -(-interval_min // QUARTER_MIN))
    return int.from_bytes(blake2b(guid, digest_size=8).digest(), "little") % step


def open_min(week: Quarters) -> int:
    """Minutes of the week that are open."""
    return week.bit_count() * QUARTER_MIN


@lru_cache(maxsize=4096)
def longest_wait_min(week: Quarters) -> int | None:
    """The most minutes from one start to the next, around the week's end; None where nothing ever starts."""
    if week == NEVER:
        return None
    first = (week & -week).bit_length() - 1
    rest = week & (week - 1)
    longest, before = 0, first
    while rest:
        at = (rest & -rest).bit_length() - 1
        rest &= rest - 1
        longest = max(longest, at - before)
        before = at
    return max(longest, first + QUARTERS - before) * QUARTER_MIN
