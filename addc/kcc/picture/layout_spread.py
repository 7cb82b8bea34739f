"""Boxes moved apart until none lies over another, and away from lines that join others; spots for labels."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import hypot
from typing import Final

ROUNDS: Final = 400
GROWTH: Final = 1.06
GROWS_AFTER: Final = 14
CLEARED_UP_TO: Final = 14_000
CLEAR_ROUNDS: Final = 50
CELL: Final = 120.0

Size = tuple[float, float]


def push_apart(xs: list[float], ys: list[float], sizes: Sequence[Size], margin: float) -> None:
    """Move boxes until the way between any two is at least `margin`, as little as possible."""
    for turn in range(ROUNDS):
        if not _push_once(xs, ys, sizes, margin):
            return
        if turn % GROWS_AFTER == GROWS_AFTER - 1:
            for at in range(len(xs)):
                xs[at] *= GROWTH
                ys[at] *= GROWTH
    _line_up(xs, ys, sizes, margin)


def _push_once(xs: list[float], ys: list[float], sizes: Sequence[Size], margin: float) -> bool:
    """One pass over all pairs that overlap; whether there was one."""
    order = sorted(range(len(xs)), key=lambda at: (xs[at] - sizes[at][0] / 2, at))
    moved = False
    open_boxes: list[int] = []
    for at in order:
        left = xs[at] - sizes[at][0] / 2 - margin
        open_boxes = [other for other in open_boxes if xs[other] + sizes[other][0] / 2 > left]
        for other in open_boxes:
            over_x = (sizes[at][0] + sizes[other][0]) / 2 + margin - abs(xs[at] - xs[other])
            over_y = (sizes[at][1] + sizes[other][1]) / 2 + margin - abs(ys[at] - ys[other])
            if over_x <= 1e-6 or over_y <= 1e-6:
                continue
            moved = True
            if over_x < over_y:
                way = (over_x / 2 + 1e-3) * (1 if (xs[at], at) > (xs[other], other) else -1)
                xs[at] += way
                xs[other] -= way
            else:
                way = (over_y / 2 + 1e-3) * (1 if (ys[at], at) > (ys[other], other) else -1)
                ys[at] += way
                ys[other] -= way
        open_boxes.append(at)
    return moved


def _line_up(xs: list[float], ys: list[float], sizes: Sequence[Size], margin: float) -> None:
    """A sure way out where pushing did not end: every box right of those that it still meets."""
    order = sorted(range(len(xs)), key=lambda at: (xs[at] - sizes[at][0] / 2, at))
    for rank, at in enumerate(order):
        for other in order[:rank]:
            if abs(ys[at] - ys[other]) < (sizes[at][1] + sizes[other][1]) / 2 + margin:
                least = xs[other] + (sizes[at][0] + sizes[other][0]) / 2 + margin
                xs[at] = max(xs[at], least)


def keep_off_bonds(
    xs: list[float],
    ys: list[float],
    sizes: Sequence[Size],
    bonds: Sequence[tuple[int, int]],
    margin: float,
) -> None:
    """Move boxes off lines between two others, as far as that goes; where there are not too many of them."""
    if len(xs) * len(bonds) > CLEARED_UP_TO:
        return
    for _ in range(CLEAR_ROUNDS):
        moved = False
        for a, b in bonds:
            dx, dy = xs[b] - xs[a], ys[b] - ys[a]
            far = hypot(dx, dy)
            if far < 1e-6:
                continue
            across_x, across_y = -dy / far, dx / far
            for at in range(len(xs)):
                if at in (a, b):
                    continue
                along = ((xs[at] - xs[a]) * dx + (ys[at] - ys[a]) * dy) / (far * far)
                if not 0.02 < along < 0.98:
                    continue
                off = (xs[at] - xs[a]) * across_x + (ys[at] - ys[a]) * across_y
                reach = (sizes[at][0] * abs(across_x) + sizes[at][1] * abs(across_y)) / 2 + margin * 0.6
                if abs(off) < reach:
                    moved = True
                    way = min((reach - abs(off)) * 0.6 + 0.5, 30) * (1 if off >= 0 else -1)
                    xs[at] += across_x * way
                    ys[at] += across_y * way
                    for end in (a, b):
                        xs[end] -= across_x * way * 0.25
                        ys[end] -= across_y * way * 0.25
        push_apart(xs, ys, sizes, margin)
        if not moved:
            return


@dataclass(slots=True)
class Spots:
    """What is taken on a sheet already, in cells, so that a free spot for a label is found at once."""

    cells: dict[tuple[int, int], list[tuple[float, float, float, float]]] = field(default_factory=dict)

    def take(self, middle: tuple[float, float], size: Size) -> None:
        """Mark a box as taken."""
        box = _corners(middle, size)
        for cell in _cells(box):
            self.cells.setdefault(cell, []).append(box)

    def overlap(self, middle: tuple[float, float], size: Size) -> float:
        """How much of a box lies on what is taken."""
        left, top, right, bottom = box = _corners(middle, size)
        seen = {other for cell in _cells(box) for other in self.cells.get(cell, ())}
        return sum(
            max(0.0, min(right, other[2]) - max(left, other[0]))
            * max(0.0, min(bottom, other[3]) - max(top, other[1]))
            for other in seen
        )

    def is_free(self, middle: tuple[float, float], size: Size) -> bool:
        """Whether nothing is there yet."""
        left, top, right, bottom = box = _corners(middle, size)
        return not any(
            other[0] < right and left < other[2] and other[1] < bottom and top < other[3]
            for cell in _cells(box)
            for other in self.cells.get(cell, ())
        )

    def best(self, spots: Sequence[tuple[float, float]], size: Size) -> tuple[float, float]:
        """The first of these spots with least overlap; it is taken from then on."""
        found, _ = self.free(spots, size)
        self.take(found, size)
        return found

    def free(self, spots: Sequence[tuple[float, float]], size: Size) -> tuple[tuple[float, float], float]:
        """The first of these spots with least overlap, and that."""
        found = spots[0]
        least = -1.0
        for spot in spots:
            over = self.overlap(spot, size)
            if least < 0 or over < least - 1e-9:
                found, least = spot, over
            if not over:
                break
        return found, least


def _corners(middle: tuple[float, float], size: Size) -> tuple[float, float, float, float]:
    return (
        middle[0] - size[0] / 2,
        middle[1] - size[1] / 2,
        middle[0] + size[0] / 2,
        middle[1] + size[1] / 2,
    )


def _cells(box: tuple[float, float, float, float]) -> list[tuple[int, int]]:
    return [
        (column, row)
        for column in range(int(box[0] // CELL), int(box[2] // CELL) + 1)
        for row in range(int(box[1] // CELL), int(box[3] // CELL) + 1)
    ]
