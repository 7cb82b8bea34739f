"""Extra edges by ring size: how many, and that they give three hops, [MS-ADTS] 6.2.2.2."""

import pytest

from addc.kcc.shortcuts import (
    HOPS_MAX,
    INBOUND_MAX,
    reach_masks,
    shortcut_sources,
    shortcuts_each,
)

LIMITS = {7: 2, 15: 3, 27: 4, 43: 5, 63: 6, 87: 7, 115: 8, 4903: 50}


@pytest.mark.parametrize(("size", "inbound"), LIMITS.items())
def test_inbound_edges_grow_with_the_site_6_2_2_2(size: int, inbound: int) -> None:
    assert shortcuts_each(size) + 2 == inbound
    assert shortcuts_each(size + 1) + 2 == min(inbound + 1, INBOUND_MAX)


def test_the_number_is_the_smallest_that_the_text_allows() -> None:
    for size in range(1, 4904):
        n = shortcuts_each(size)
        assert size <= 2 * n * n + 6 * n + 7
        assert n == 0 or size > 2 * (n - 1) ** 2 + 6 * (n - 1) + 7


def test_never_more_than_fifty_edges_to_one_dc() -> None:
    assert shortcuts_each(100_000) + 2 == INBOUND_MAX


@pytest.mark.parametrize("size", [*range(1, 121), 200, 419, 420, 1000, 2000, 5000])
def test_every_dc_is_within_three_hops_of_every_other(size: int) -> None:
    inbound = [
        sorted({(at - 1) % size, (at + 1) % size, *extra} - {at})
        for at, extra in enumerate(shortcut_sources(size))
    ]
    assert all(mask == (1 << size) - 1 for mask in reach_masks(inbound, HOPS_MAX)[HOPS_MAX])


@pytest.mark.parametrize("size", [*range(8, 121), 1000])
def test_shortcuts_are_others_than_neighbours_and_as_many_as_wanted(size: int) -> None:
    for at, extra in enumerate(shortcut_sources(size)):
        assert len(set(extra)) == len(extra) == shortcuts_each(size)
        assert not {at, (at + 1) % size, (at - 1) % size} & set(extra)
