"""SCHEDULE: the week of quarter hours in site links, connections and site settings, and in repsFrom.

Spec: [MS-ADTS] 6.1.4.5.1 (SCHEDULE_HEADER), 6.1.4.5.2 (SCHEDULE); [MS-DRSR] 5.165 (REPLTIMES).
"""

import struct
from functools import lru_cache
from typing import Final, NewType

from addc.base.errors import DecodeError

Quarters = NewType("Quarters", int)
"""A week as a bit for each quarter hour: bit 0 is Sunday 00:00 UTC, bit 671 Saturday 23:45. 0 is never."""
QUARTERS: Final = 672
NEVER: Final = Quarters(0)
ALWAYS: Final = Quarters((1 << QUARTERS) - 1)

_HEAD: Final = struct.Struct("<III")
_ENTRY: Final = struct.Struct("<II")
_INTERVAL: Final = 0
_HOURS: Final = 168
_ENTRIES_MAX: Final = 3
_SIZE_MAX: Final = 1024
_SIZE: Final = _HEAD.size + _ENTRY.size + _HOURS
# In the stored nibble of an hour 0x8 is its first quarter; turned round, the earliest is the lowest bit.
_TURNED: Final = tuple(int(f"{nibble:04b}"[::-1], 2) for nibble in range(16))
_HOUR_OF: Final = bytes(_TURNED[byte & 0xF] for byte in range(256))
_PAIR_OF: Final = bytes(_TURNED[byte >> 4] | _TURNED[byte & 0xF] << 4 for byte in range(256))


def unpack_schedule(data: bytes) -> Quarters:
    """The week in an attribute's value. Tools fill the high half of each hour's byte: it says nothing.

    Raises DecodeError where there is no interval schedule of a whole week in it.
    """
    if not _SIZE <= len(data) <= _SIZE_MAX:
        raise DecodeError(f"{_SIZE} bytes wanted", len(data), "SCHEDULE")
    size, _, count = _HEAD.unpack_from(data)
    if size > len(data) or not 1 <= count <= _ENTRIES_MAX:
        raise DecodeError("size and number of schedules do not fit", 0, "SCHEDULE")
    for at in range(count):
        kind, offset = _ENTRY.unpack_from(data, _HEAD.size + _ENTRY.size * at)
        if kind != _INTERVAL:
            continue
        hours = data[offset : offset + _HOURS]
        if offset < _HEAD.size + _ENTRY.size * count or len(hours) != _HOURS:
            raise DecodeError("the offset points outside", _HEAD.size + _ENTRY.size * at, "SCHEDULE.Offset")
        turned = hours.translate(_HOUR_OF)
        return Quarters(
            int.from_bytes(
                bytes(a | b << 4 for a, b in zip(turned[::2], turned[1::2], strict=True)), "little"
            )
        )
    raise DecodeError("no interval schedule in it", 0, "SCHEDULE")


def pack_schedule(week: Quarters) -> bytes:
    """The 188 bytes of an attribute's value."""
    pairs = week.to_bytes(_HOURS // 2, "little")
    hours = bytes(_TURNED[nibble] for pair in pairs for nibble in (pair & 0xF, pair >> 4))
    head = _HEAD.pack(_SIZE, 0, 1) + _ENTRY.pack(_INTERVAL, _HEAD.size + _ENTRY.size)
    return head + hours


@lru_cache(maxsize=1024)
def pack_reps_times(week: Quarters) -> bytes:
    """The 84 bytes of repsFrom: two hours in each, the earlier one in the high half."""
    return bytes(
        _TURNED[pair & 0xF] << 4 | _TURNED[pair >> 4] for pair in week.to_bytes(_HOURS // 2, "little")
    )


def unpack_reps_times(data: bytes) -> Quarters:
    """The week in the 84 bytes of repsFrom. Raises DecodeError."""
    if len(data) != _HOURS // 2:
        raise DecodeError(f"{_HOURS // 2} bytes wanted", len(data), "REPLTIMES")
    return Quarters(int.from_bytes(data.translate(_PAIR_OF), "little"))
