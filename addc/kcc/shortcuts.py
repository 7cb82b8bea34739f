"""Extra edges in a site's ring that keep every two of its DCs within three hops, by the ring's size alone.

All DCs of a site that sort themselves by GUID find the same edges, without asking each other.

Spec: [MS-ADTS] 6.2.2.2 (additional edges; Windows draws them at random, which rarely reaches three hops).
"""

from collections.abc import Sequence
from functools import lru_cache
from itertools import chain
from math import isqrt
from typing import Final

INBOUND_MAX: Final = 50
HOPS_MAX: Final = 3
RING_EDGES: Final = 2

# Node i of a ring of this size is fed by nodes (a * i + b) mod size. Found by search over such pairs; that
# each row gives three hops is a test.
_SMALL: Final[dict[int, tuple[tuple[int, int], ...]]] = {
    8: ((1, 2),),
    9: ((1, 2),),
    10: ((1, 2),),
    11: ((1, 3),),
    12: ((1, 4),),
    13: ((1, 4),),
    14: ((9, 0),),
    15: ((11, 2),),
    16: ((1, 2), (1, 5)),
    17: ((1, 2), (1, 6)),
    18: ((1, 2), (1, 6)),
    19: ((1, 3), (1, 12)),
    20: ((1, 4), (1, 11)),
    21: ((1, 4), (1, 12)),
    22: ((1, 5), (1, 8)),
    23: ((1, 5), (1, 13)),
    24: ((19, 3), (7, 2)),
    25: ((1, 7), (1, 18)),
    26: ((23, 21), (23, 2)),
    27: ((10, 14), (10, 24)),
    28: ((1, 2), (1, 6), (1, 16)),
    29: ((1, 2), (1, 6), (1, 17)),
    30: ((1, 2), (1, 7), (1, 24)),
    31: ((1, 2), (1, 7), (1, 18)),
    32: ((1, 2), (1, 9), (1, 13)),
    33: ((1, 4), (1, 14), (1, 22)),
    34: ((1, 2), (1, 10), (1, 25)),
    35: ((1, 4), (1, 15), (1, 23)),
    36: ((1, 5), (1, 18), (1, 31)),
    37: ((5, 15), (4, 27), (27, 28)),
    38: ((7, 10), (7, 20), (1, 9)),
    39: ((27, 5), (27, 22), (14, 32)),
    40: ((21, 29), (21, 2), (21, 36)),
    41: ((38, 5), (38, 15), (38, 10)),
    42: ((29, 37), (13, 40), (29, 31)),
    43: ((15, 11), (15, 42), (15, 5)),
}


def shortcuts_each(size: int) -> int:
    """How many edges beside those of the ring are directed to each of `size` replicas.

    The smallest n with size <= 2n^2 + 6n + 7, and never more than fifty edges in all.
    Spec: [MS-ADTS] 6.2.2.2.
    """
    if size <= 7:
        return 0
    count = max(0, (isqrt(2 * size - 5) - 3) // 2)
    while 2 * count * count + 6 * count + 7 < size:
        count += 1
    return min(count, INBOUND_MAX - RING_EDGES)


@lru_cache(maxsize=64)
def shortcut_sources(size: int) -> tuple[tuple[int, ...], ...]:
    """For each place in a ring of `size`, the places of those that feed it beside its neighbours.

    From 44 on by the rule of Imase and Itoh: with k edges each, k^3 >= size, nothing is more than three of
    them away. Slots that fall on the node itself or a neighbour go across the ring instead.
    """
    each = shortcuts_each(size)
    if not each:
        return ((),) * size
    pairs = _SMALL.get(size)
    if pairs is not None:
        return tuple(
            _distinct(place, size, each, [(a * place + b) % size for a, b in pairs]) for place in range(size)
        )
    # Node i feeds (-k*i - 1 - j) mod size for j < k; turned round, these are the nodes that feed `place`.
    return tuple(
        _distinct(
            place, size, each, [((-1 - place) % size + turn * size) // each % size for turn in range(each)]
        )
        for place in range(size)
    )


def _distinct(place: int, size: int, each: int, wanted: Sequence[int]) -> tuple[int, ...]:
    """`each` different sources, none of them the place itself or its neighbours."""
    taken = {place, (place + 1) % size, (place - 1) % size}
    sources: list[int] = []
    across = ((place + size // 2 + step) % size for step in range(size))
    for source in chain(wanted, across):
        if len(sources) == each:
            break
        if source not in taken:
            taken.add(source)
            sources.append(source)
    return tuple(sources)


def reach_masks(inbound: Sequence[Sequence[int]], hops: int) -> list[list[int]]:
    """For each number of hops up to `hops`, and each place, a bit for every place that reaches it so."""
    levels = [[1 << place for place in range(len(inbound))]]
    for _ in range(hops):
        before = levels[-1]
        after: list[int] = []
        for place, sources in enumerate(inbound):
            mask = before[place]
            for source in sources:
                mask |= before[source]
            after.append(mask)
        levels.append(after)
    return levels
