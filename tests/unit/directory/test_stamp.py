"""Versions, conflicts, whole seconds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from addc.base.ids import Usn
from addc.directory.stamp import compare_stamps, compare_versions, next_version, whole_second
from addc.store.objects import Stamp

ONE, TWO = bytes(15) + b"\1", bytes(15) + b"\2"
VERSIONS = st.integers(0, 0xFFFF_FFFF)


def stamp(version: int, time_ft: int = 10_000_000, invocation_id: bytes = ONE, usn: int = 5) -> Stamp:
    return Stamp(version, time_ft, invocation_id, Usn(usn), Usn(usn))


def test_versions_count_from_one_and_wrap() -> None:
    assert next_version(0) == 1
    assert next_version(7) == 8
    assert next_version(0xFFFF_FFFF) == 0


def test_stamps_hold_whole_seconds() -> None:
    assert whole_second(133_000_000_012_345_678) == 133_000_000_010_000_000


@pytest.mark.parametrize(
    ("x", "y", "order"),
    [
        (1, 1, 0), (2, 1, 1), (1, 2, -1),
        # [MS-DRSR] 5.11: a version that wrapped is newer than those just before the end.
        (0, 0xFFFF_FFFF, 1), (0xFFFF_FFFF, 0, -1), (5, 0xFFFF_FFF0, 1),
        # Exactly half way round, the procedure prefers the larger number.
        (0x8000_0005, 5, 1), (5, 0x8000_0005, -1), (0xFFFF_FFFF, 0x7FFF_FFFF, 1),
    ],
)  # fmt: skip
def test_versions_are_compared_around_the_end(x: int, y: int, order: int) -> None:
    assert compare_versions(x, y) == order


@given(VERSIONS, VERSIONS)
def test_comparing_versions_is_antisymmetric(x: int, y: int) -> None:
    assert compare_versions(x, y) == -compare_versions(y, x)


def test_version_then_time_then_invocation_id_decide() -> None:
    assert compare_stamps(stamp(2, 1), stamp(1, 9)) > 0
    assert compare_stamps(stamp(1, 2, ONE), stamp(1, 1, TWO)) > 0
    assert compare_stamps(stamp(1, 1, TWO), stamp(1, 1, ONE)) > 0
    assert compare_stamps(stamp(1, usn=1), stamp(1, usn=2)) == 0
    assert compare_stamps(stamp(1), None) > 0 > compare_stamps(None, stamp(1))
    assert compare_stamps(None, None) == 0
