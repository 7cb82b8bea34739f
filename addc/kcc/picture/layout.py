"""Places of boxes on a plane: joined boxes near each other, none over another, pieces side by side.

The same boxes and bonds give the same places always: the start is a tree of rings around the most central
box, what follows is arithmetic in a fixed order.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import cos, pi, sin, sqrt
from typing import Final

from addc.kcc.picture.layout_grid import in_grid, suits
from addc.kcc.picture.layout_spread import keep_off_bonds, push_apart
from addc.kcc.picture.layout_stress import distances, relax, relax_by_pivots

PAIRS_UP_TO: Final = 140
PIVOTS_UP_TO: Final = 900
STRETCH: Final = 1.5
PIECE_GAP: Final = 70.0
SHEET: Final = 1.7
GRID_BONDS_MAX: Final = 30


@dataclass(frozen=True, slots=True)
class Bond:
    """Two boxes that belong near each other. gap: the way that is wanted between their borders."""

    a: int
    b: int
    gap: float = 60.0


@dataclass(frozen=True, slots=True)
class Places:
    """Where the middles of boxes are, on a sheet that starts at (0, 0)."""

    points: tuple[tuple[float, float], ...]
    width: float
    height: float


Size = tuple[float, float]
Point = tuple[float, float]


def place(sizes: Sequence[Size], bonds: Sequence[Bond], margin: float = 18.0) -> Places:
    """Places for boxes of these sizes; no two are nearer to each other than `margin`."""
    near: list[list[tuple[int, float]]] = [[] for _ in sizes]
    for bond in bonds:
        if bond.a != bond.b:
            way = _radius(sizes[bond.a]) + _radius(sizes[bond.b]) + bond.gap
            near[bond.a].append((bond.b, way))
            near[bond.b].append((bond.a, way))
    gap = max((bond.gap for bond in bonds), default=60.0) * 1.2 + 26
    found: list[Point] = [(0.0, 0.0)] * len(sizes)
    pieces = []
    for members in _pieces(near):
        points = _piece(members, sizes, near, margin, gap)
        left = min(x - sizes[at][0] / 2 for at, (x, _) in zip(members, points, strict=True))
        top = min(y - sizes[at][1] / 2 for at, (_, y) in zip(members, points, strict=True))
        right = max(x + sizes[at][0] / 2 for at, (x, _) in zip(members, points, strict=True))
        bottom = max(y + sizes[at][1] / 2 for at, (_, y) in zip(members, points, strict=True))
        for at, (x, y) in zip(members, points, strict=True):
            found[at] = (x - left, y - top)
        pieces.append((members, right - left, bottom - top))
    return _packed(found, pieces, margin)


def _radius(size: Size) -> float:
    """How far a box reaches, in the narrow plane where widths are divided by STRETCH."""
    return (size[0] / STRETCH + size[1]) / 4 + abs(size[0] / STRETCH - size[1]) / 8


def _pieces(near: Sequence[Sequence[tuple[int, float]]]) -> list[list[int]]:
    seen = [False] * len(near)
    pieces = []
    for start in range(len(near)):
        if seen[start]:
            continue
        seen[start] = True
        members = [start]
        for at in members:
            for other, _ in near[at]:
                if not seen[other]:
                    seen[other] = True
                    members.append(other)
        pieces.append(sorted(members))
    return pieces


def _piece(
    members: list[int],
    sizes: Sequence[Size],
    near: Sequence[Sequence[tuple[int, float]]],
    margin: float,
    gap: float,
) -> list[Point]:
    """Places of the boxes of one piece, around any origin. gap: between columns, where it gets any."""
    if len(members) == 1:
        return [(0.0, 0.0)]
    index = {at: place for place, at in enumerate(members)}
    inner = [[(index[other], way) for other, way in near[at]] for at in members]
    own = [sizes[at] for at in members]
    pairs = [(at, other) for at, row in enumerate(inner) for other, _ in row if at < other]
    xs, ys = _rings(inner, own)
    if suits(own) and len(pairs) <= GRID_BONDS_MAX:
        order = sorted(range(len(own)), key=lambda at: (round(ys[at]), xs[at], at))
        return in_grid(own, pairs, order, gap)
    if len(members) <= PAIRS_UP_TO:
        relax(xs, ys, [distances(inner, at) for at in range(len(members))])
    elif len(members) <= PIVOTS_UP_TO:
        relax_by_pivots(xs, ys, inner)
    xs = [x * STRETCH for x in xs]
    push_apart(xs, ys, own, margin)
    keep_off_bonds(xs, ys, own, pairs, margin)
    return list(zip(xs, ys, strict=True))


def _rings(
    near: Sequence[Sequence[tuple[int, float]]], sizes: Sequence[Size]
) -> tuple[list[float], list[float]]:
    """A start: the most central box in the middle, those joined to it in a ring around it, and so on.

    Each subtree gets the part of the circle that its boxes need.
    """
    root = _centre(near)
    parent = [-1] * len(near)
    depth = [0] * len(near)
    order = [root]
    parent[root] = root
    for at in order:
        for other, _ in near[at]:
            if parent[other] < 0:
                parent[other] = at
                depth[other] = depth[at] + 1
                order.append(other)
    need = [_radius(size) * 2 + 12 for size in sizes]
    below = [0.0] * len(near)
    children: list[list[int]] = [[] for _ in near]
    for at in reversed(order):
        below[at] = max(below[at], need[at])
        if at != root:
            below[parent[at]] += below[at]
            children[parent[at]].append(at)
    radius = _ring_radii(order, depth, need)
    xs, ys = [0.0] * len(near), [0.0] * len(near)
    start = [0.0] * len(near)
    part = [0.0] * len(near)
    part[root] = 2 * pi
    for at in order:
        turn = start[at]
        total = sum(below[child] for child in children[at]) or 1.0
        for child in sorted(children[at]):
            part[child] = part[at] * below[child] / total
            start[child] = turn
            turn += part[child]
            angle = start[child] + part[child] / 2 - pi / 2
            xs[child] = radius[depth[child]] * cos(angle)
            ys[child] = radius[depth[child]] * sin(angle)
    return xs, ys


def _ring_radii(order: Sequence[int], depth: Sequence[int], need: Sequence[float]) -> list[float]:
    around = [0.0] * (max(depth) + 1)
    widest = [0.0] * (max(depth) + 1)
    for at in order:
        around[depth[at]] += need[at]
        widest[depth[at]] = max(widest[depth[at]], need[at])
    radius = [0.0]
    for ring in range(1, len(around)):
        step = (widest[ring - 1] + widest[ring]) / 2 + 40
        radius.append(max(radius[-1] + step, around[ring] / (2 * pi)))
    return radius


def _centre(near: Sequence[Sequence[tuple[int, float]]]) -> int:
    """The box from which the others are nearest, by number of bonds; among many, the one with most bonds."""
    if len(near) > PAIRS_UP_TO:
        return max(range(len(near)), key=lambda at: (len(near[at]), -at))
    unit = [[(other, 1.0) for other, _ in row] for row in near]
    return min(range(len(near)), key=lambda at: (sum(distances(unit, at)), at))


def _packed(
    points: Sequence[Point], pieces: Sequence[tuple[list[int], float, float]], margin: float
) -> Places:
    """The pieces in rows on a sheet somewhat wider than high: large ones first."""
    if not pieces:
        return Places((), 0.0, 0.0)
    gap = max(PIECE_GAP if len(pieces) < 40 else margin, margin)
    area = sum((width + gap) * (height + gap) for _, width, height in pieces)
    row_width = max(sqrt(area * SHEET), *(width for _, width, _ in pieces))
    found = list(points)
    left = top = row_height = 0.0
    sheet_width = 0.0
    for members, width, height in sorted(pieces, key=lambda piece: (-piece[2], -piece[1], piece[0][0])):
        if left and left + width > row_width:
            top, left, row_height = top + row_height + gap, 0.0, 0.0
        for at in members:
            found[at] = (points[at][0] + left, points[at][1] + top)
        left += width + gap
        row_height = max(row_height, height)
        sheet_width = max(sheet_width, left - gap)
    return Places(tuple(found), sheet_width, top + row_height)
