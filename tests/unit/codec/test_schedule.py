"""SCHEDULE and REPLTIMES, [MS-ADTS] 6.1.4.5 and [MS-DRSR] 5.165."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from addc.base.errors import DecodeError
from addc.codec.schedule import (
    ALWAYS,
    Quarters,
    pack_reps_times,
    pack_schedule,
    unpack_reps_times,
    unpack_schedule,
)

_HEAD = bytes.fromhex("bc000000 00000000 01000000 00000000 14000000")
weeks = st.integers(0, ALWAYS).map(Quarters)


def test_0x8_is_the_first_quarter_of_an_hour_and_the_high_half_says_nothing() -> None:
    every_three_hours = _HEAD + bytes.fromhex("f8 f0 f0") * 56
    week = unpack_schedule(every_three_hours)
    assert [at for at in range(672) if week >> at & 1] == list(range(0, 672, 12))
    assert pack_schedule(week) == _HEAD + bytes.fromhex("08 00 00") * 56


def test_the_last_quarter_is_bit_0_of_the_byte() -> None:
    week = unpack_schedule(_HEAD + bytes(167) + b"\x01")
    assert week == 1 << 671


def test_reps_times_hold_two_hours_in_a_byte_the_earlier_one_high() -> None:
    week = unpack_schedule(_HEAD + b"\x08\x01" + bytes(166))
    assert pack_reps_times(week) == b"\x81" + bytes(83)


def test_the_default_of_a_site_is_the_last_quarter_of_each_hour() -> None:
    week = unpack_schedule(_HEAD + b"\x01" * 168)
    assert week.bit_count() == 168
    assert pack_reps_times(week) == b"\x11" * 84


def test_the_interval_schedule_is_found_behind_another_one() -> None:
    two = bytes.fromhex("6c010000 00000000 02000000 01000000 1c000000 00000000 c4000000")
    assert unpack_schedule(two + bytes(168) + b"\x0f" * 168) == ALWAYS


@pytest.mark.parametrize(
    "data",
    [
        b"",
        _HEAD + bytes(167),
        bytes.fromhex("ff000000 00000000 01000000 00000000 14000000") + bytes(168),
        bytes.fromhex("bc000000 00000000 00000000 00000000 14000000") + bytes(168),
        bytes.fromhex("bc000000 00000000 01000000 00000000 15000000") + bytes(168),
        bytes.fromhex("bc000000 00000000 01000000 00000000 00000000") + bytes(168),
        bytes.fromhex("bc000000 00000000 01000000 01000000 14000000") + bytes(168),
        bytes(2000),
    ],
)
def test_what_is_no_schedule_is_refused(data: bytes) -> None:
    with pytest.raises(DecodeError):
        unpack_schedule(data)


def test_reps_times_are_84_bytes() -> None:
    with pytest.raises(DecodeError):
        unpack_reps_times(bytes(83))


@given(weeks)
def test_weeks_survive_both_forms(week: Quarters) -> None:
    assert unpack_schedule(pack_schedule(week)) == week
    assert unpack_reps_times(pack_reps_times(week)) == week
