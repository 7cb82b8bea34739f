"""A few large boxes in rows and columns: joined ones beside each other, lines clear of other boxes."""

from collections.abc import Sequence
from math import ceil, hypot
from typing import Final

BOXES_MAX: Final = 16
LARGE: Final = 9_000.0
"""Boxes of that area on average are better off in rows and columns than in rings."""
WIDE: Final = 1.45
GAP_Y: Final = 88.0
FIRST_SWEEPS: Final = 1
SWEEPS_MAX: Final = 10
FINISHED: Final = 2
THROUGH: Final = 420.0
ALIKE: Final = 60.0

Size = tuple[float, float]
Point = tuple[float, float]


def suits(sizes: Sequence[Size]) -> bool:
    """Whether these boxes are few and large."""
    return 2 < len(sizes) <= BOXES_MAX and sum(w * h for w, h in sizes) / len(sizes) > LARGE


def in_grid(
    sizes: Sequence[Size], bonds: Sequence[tuple[int, int]], order: Sequence[int], gap: float
) -> list[Point]:
    """Middles of the boxes in the best grid found. order: the boxes as they should be tried first."""
    count = len(sizes)
    tried: list[tuple[float, int, _Grid]] = []
    for columns in range(1, count + 1):
        for rows in range(ceil(count / columns), min(count, ceil(count / columns) + 1) + 1):
            if 0.4 <= columns / rows <= 4:
                found = _Grid(sizes, bonds, (columns, rows), gap)
                tried.append((found.improve(order, FIRST_SWEEPS), len(tried), found))
    tried.sort(key=lambda one: one[:2])
    finished = [(found.improve(found.cells, SWEEPS_MAX), rank, found) for _, rank, found in tried[:FINISHED]]
    return min(finished, key=lambda one: one[:2])[2].points()


class _Grid:
    """Boxes in the cells of a grid; a row is as high as its highest box, a column as wide as its widest."""

    def __init__(
        self, sizes: Sequence[Size], bonds: Sequence[tuple[int, int]], shape: tuple[int, int], gap: float
    ) -> None:
        self.sizes = sizes
        self.bonds = bonds
        self.columns, self.rows = shape
        self.gap = gap
        self.cells: list[int] = []

    def improve(self, order: Sequence[int], sweeps: int) -> float:
        """Swap cells as long as that helps; what is left of the cost."""
        cells = self.columns * self.rows
        self.cells = [*order, *[-1] * (cells - len(order))]
        cost = self.cost()
        for _ in range(sweeps):
            before = cost
            for a in range(cells):
                for b in range(a):
                    if self.cells[a] < 0 and self.cells[b] < 0:
                        continue
                    self.cells[a], self.cells[b] = self.cells[b], self.cells[a]
                    now = self.cost(cost)
                    if now < cost - 1e-6:
                        cost = now
                    else:
                        self.cells[a], self.cells[b] = self.cells[b], self.cells[a]
            if cost >= before - 1e-6:
                break
        return cost

    def points(self) -> list[Point]:
        """The middle of each box, in their order."""
        wide = [0.0] * self.columns
        high = [0.0] * self.rows
        for cell, box in enumerate(self.cells):
            if box >= 0:
                row, column = divmod(cell, self.columns)
                wide[column] = max(wide[column], self.sizes[box][0])
                high[row] = max(high[row], self.sizes[box][1])
        xs = _middles(wide, self.gap)
        ys = _middles(high, GAP_Y)
        found = [(0.0, 0.0)] * len(self.sizes)
        for cell, box in enumerate(self.cells):
            if box >= 0:
                row, column = divmod(cell, self.columns)
                found[box] = (xs[column], ys[row])
        return found

    def cost(self, enough: float = float("inf")) -> float:
        """What is wrong with the grid: its size, long lines, lines behind boxes and over one another."""
        points = self.points()
        left = min(x - size[0] / 2 for (x, _), size in zip(points, self.sizes, strict=True))
        right = max(x + size[0] / 2 for (x, _), size in zip(points, self.sizes, strict=True))
        top = min(y - size[1] / 2 for (_, y), size in zip(points, self.sizes, strict=True))
        bottom = max(y + size[1] / 2 for (_, y), size in zip(points, self.sizes, strict=True))
        total = max((right - left) / WIDE, bottom - top) * (1.5 + 0.12 * len(self.bonds))
        for a, b in self.bonds:
            total += 0.3 * hypot((points[a][0] - points[b][0]) / WIDE, points[a][1] - points[b][1])
        if total >= enough:
            return total
        for a, b in self.bonds:
            total += THROUGH * sum(
                _hits(points[a], points[b], point, size)
                for at, (point, size) in enumerate(zip(points, self.sizes, strict=True))
                if at not in (a, b)
            )
            if total >= enough:
                return total
        for rank, (a, b) in enumerate(self.bonds):
            for c, d in self.bonds[:rank]:
                if len({a, b, c, d}) == 4 and _cross(points[a], points[b], points[c], points[d]):
                    total += ALIKE
        return total


def _middles(widths: Sequence[float], gap: float) -> list[float]:
    found = []
    at = 0.0
    for width in widths:
        found.append(at + width / 2)
        at += width + (gap if width else 0.0)
    return found


def _hits(a: Point, b: Point, middle: Point, size: Size) -> bool:
    """Whether the line from a to b goes through a box."""
    if (
        max(a[0], b[0]) < middle[0] - size[0] / 2 - 6
        or min(a[0], b[0]) > middle[0] + size[0] / 2 + 6
        or max(a[1], b[1]) < middle[1] - size[1] / 2 - 6
        or min(a[1], b[1]) > middle[1] + size[1] / 2 + 6
    ):
        return False
    low, high = 0.0, 1.0
    for start, step, least, most in (
        (a[0], b[0] - a[0], middle[0] - size[0] / 2 - 6, middle[0] + size[0] / 2 + 6),
        (a[1], b[1] - a[1], middle[1] - size[1] / 2 - 6, middle[1] + size[1] / 2 + 6),
    ):
        if -1e-9 < step < 1e-9:
            if not least <= start <= most:
                return False
            continue
        first, last = (least - start) / step, (most - start) / step
        if first > last:
            first, last = last, first
        low, high = max(low, first), min(high, last)
        if low > high:
            return False
    return True


def _cross(a: Point, b: Point, c: Point, d: Point) -> bool:
    def side(p: Point, q: Point, r: Point) -> float:
        return (q[0] - p[0]) * (r[1] - p[1]) - (q[1] - p[1]) * (r[0] - p[0])

    return side(a, b, c) * side(a, b, d) < 0 and side(c, d, a) * side(c, d, b) < 0
