"""Vertices whose outage cuts a graph apart: articulation points with the sizes of the parts.

One depth-first search, near-linear in edges, without recursion.
"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cut:
    """A vertex, and how many marked vertices the parts hold that its outage leaves, largest first.

    samples: a marked vertex of each part, -1 where none is at hand.
    """

    vertex: int
    parts: tuple[int, ...]
    samples: tuple[int, ...]

    @property
    def lost(self) -> int:
        """Marked vertices outside the largest part."""
        return sum(self.parts[1:])


@dataclass(slots=True)
class _Search:
    """Arrays by vertex: order of discovery, the earliest vertex reachable from below, marked ones below."""

    order: list[int]
    low: list[int]
    below: list[int]
    sample: list[int]


def cuts(
    neighbours: Sequence[Sequence[int]], marked: Sequence[bool], vertices: int | None = None
) -> list[Cut]:
    """The vertices whose outage leaves marked ones in two or more parts.

    neighbours: both ways. vertices: only the first so many are asked about (others are helpers); None asks
    about all.
    """
    count = len(neighbours)
    asked = count if vertices is None else vertices
    search = _Search([-1] * count, [0] * count, [0] * count, [-1] * count)
    found: list[Cut] = []
    for root in range(count):
        if search.order[root] < 0:
            found += [cut for cut in _component(neighbours, marked, root, search) if cut.vertex < asked]
    return found


def _component(
    neighbours: Sequence[Sequence[int]], marked: Sequence[bool], root: int, search: _Search
) -> list[Cut]:
    """The cuts of the component around a vertex."""
    order, low, below, sample = search.order, search.low, search.below, search.sample
    apart: dict[int, list[tuple[int, int]]] = {}
    seen: list[int] = []
    parent = {root: -1}
    stack = [(root, iter(neighbours[root]))]
    order[root] = low[root] = 0
    seen.append(root)
    while stack:
        at, rest = stack[-1]
        for to in rest:
            if order[to] < 0:
                order[to] = low[to] = len(seen)
                seen.append(to)
                parent[to] = at
                stack.append((to, iter(neighbours[to])))
                break
            low[at] = min(low[at], order[to])
        else:
            stack.pop()
            below[at] += marked[at]
            if sample[at] < 0 and marked[at]:
                sample[at] = at
            up = parent[at]
            if up >= 0:
                _fold(at, up, search, apart)
    return _told(apart, marked, root, seen, search)


def _fold(at: int, up: int, search: _Search, apart: dict[int, list[tuple[int, int]]]) -> None:
    """Hand a finished vertex's findings to the one above it."""
    order, low, below, sample = search.order, search.low, search.below, search.sample
    below[up] += below[at]
    if sample[up] < 0:
        sample[up] = sample[at]
    if low[at] >= order[up]:
        if below[at]:
            apart.setdefault(up, []).append((below[at], sample[at]))
    elif low[at] < low[up]:
        low[up] = low[at]


def _told(
    apart: dict[int, list[tuple[int, int]]],
    marked: Sequence[bool],
    root: int,
    seen: Sequence[int],
    search: _Search,
) -> list[Cut]:
    """Cuts of what every vertex has apart below it, and of the rest of the component above it."""
    total = search.below[root]
    first = next((at for at in seen if marked[at]), root)
    found: list[Cut] = []
    for vertex, parts in apart.items():
        rest = total - marked[vertex] - sum(size for size, _ in parts)
        if rest:
            parts.append((rest, first if search.order[first] < search.order[vertex] else -1))
        if len(parts) > 1:
            parts.sort(key=lambda part: -part[0])
            found.append(Cut(vertex, tuple(size for size, _ in parts), tuple(sample for _, sample in parts)))
    return found
