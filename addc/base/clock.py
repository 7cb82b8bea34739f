"""Time as Active Directory counts it; always a parameter, never looked up by rules.

Spec: [MS-DTYP] 2.3.3 (FILETIME).
"""

import time
from typing import Final, NewType, Protocol

FileTime = NewType("FileTime", int)
"""100 ns since 1601-01-01 UTC."""

UNIX_EPOCH_FT: Final = 116_444_736_000_000_000
TICKS_PER_S: Final = 10_000_000
MINUTE_FT: Final = 60 * TICKS_PER_S
HOUR_FT: Final = 60 * MINUTE_FT
DAY_FT: Final = 24 * HOUR_FT
NEVER_FT: Final = FileTime(0x7FFF_FFFF_FFFF_FFFF)


class Clock(Protocol):
    """Where `now` comes from: the machine, or a test."""

    def now(self) -> FileTime: ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> FileTime:
        return FileTime(time.time_ns() // 100 + UNIX_EPOCH_FT)


def from_unix(unix_s: float) -> FileTime:
    """FILETIME of seconds since 1970."""
    return FileTime(int(unix_s * TICKS_PER_S) + UNIX_EPOCH_FT)


def to_unix(when_ft: int) -> int:
    """Whole seconds since 1970, rounded down."""
    return (when_ft - UNIX_EPOCH_FT) // TICKS_PER_S


def whole_seconds(when_ft: int) -> FileTime:
    """Without the fraction of a second, as Kerberos and replication keep times."""
    return FileTime(when_ft - when_ft % TICKS_PER_S)


def micros(when_ft: int) -> int:
    """Microseconds within the second."""
    return when_ft % TICKS_PER_S // 10
