"""Sharing of files ([MS-FSA] 2.1.5.1.2.2)."""

import itertools

import pytest

from addc.smb.share_modes import SHARE_ALL, SHARE_DELETE, SHARE_READ, SHARE_WRITE, ShareModes

READ, WRITE, DELETE, ATTRIBUTES = 0x1, 0x2, 0x1_0000, 0x80
_NEEDS = {READ: SHARE_READ, WRITE: SHARE_WRITE, DELETE: SHARE_DELETE}


@pytest.mark.parametrize("access", [READ, WRITE, DELETE])
def test_what_the_first_does_not_share_is_denied_to_the_second(access: int) -> None:
    modes = ShareModes()
    modes.add(READ, SHARE_ALL & ~_NEEDS[access])
    assert modes.conflict(access, SHARE_ALL)


@pytest.mark.parametrize("access", [READ, WRITE, DELETE])
def test_the_second_must_share_what_the_first_does(access: int) -> None:
    modes = ShareModes()
    modes.add(access, SHARE_ALL)
    assert modes.conflict(READ, SHARE_ALL & ~_NEEDS[access])
    assert not modes.conflict(READ, SHARE_ALL)


def test_who_only_looks_at_attributes_takes_no_part() -> None:
    modes = ShareModes()
    modes.add(ATTRIBUTES, 0)
    assert not modes.conflict(WRITE, 0)
    modes.add(WRITE, 0)
    assert not modes.conflict(ATTRIBUTES, 0)


def test_sums_say_what_every_pair_says() -> None:
    kinds = list(itertools.product((READ, WRITE, DELETE, READ | WRITE, ATTRIBUTES), range(8)))

    def pair(first: tuple[int, int], second: tuple[int, int]) -> bool:
        modes = ShareModes()
        modes.add(*first)
        return modes.conflict(*second)

    for third in kinds:
        for first, second in itertools.product(kinds[::3], kinds[::5]):
            modes = ShareModes()
            modes.add(*first)
            modes.add(*second)
            assert modes.conflict(*third) == (pair(first, third) or pair(second, third))
            modes.remove(*first)
            assert modes.conflict(*third) == pair(second, third)
