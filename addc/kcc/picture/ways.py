"""The ways of arrows: along the roads of their path, side by side, or straight and bent where no road leads.

A way is three points, a quadratic curve, or more, a line with round corners.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from math import hypot
from typing import Final

from addc.kcc.picture.layout import Point
from addc.kcc.picture.parts import Box, Picture, Road
from addc.kcc.snapshot import LinkAt
from addc.kcc.wanted import Path

BESIDE: Final = 9.0
ROAD_BESIDE: Final = 26.0
LANE: Final = 8.0
ROAD_WIDTH_MAX: Final = 60.0
HEAD_OFF: Final = 3.0

Curve = tuple[Point, Point, Point]
Leg = tuple[Road, bool]
"""A road, and whether it is taken from its first end to its second."""


# --- along roads -------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Roads:
    """The roads of a picture by what they join, and the lanes of each."""

    picture: Picture
    _users: dict[Road, list[tuple[float, int]]] = field(default_factory=dict)
    _by_link: dict[tuple[LinkAt, int, int], Road] = field(default_factory=dict)
    _by_ends: dict[tuple[int, int], Road] = field(default_factory=dict)
    _nodes: dict[LinkAt, int] = field(default_factory=dict)
    _ranks: dict[Road, dict[int, int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for road in self.picture.roads:
            ends = min(road.a, road.b), max(road.a, road.b)
            self._by_link[road.link, *ends] = road
            if road.is_part:
                self._nodes[road.link] = road.b
            else:
                self._by_ends.setdefault(ends, road)

    def legs(self, path: Path | None, is_back: bool, ends: tuple[int, int]) -> tuple[Leg, ...]:
        """The roads from one node to another; none where no road leads there.

        path: of a connection; is_back: from the second node to the first. Without a path the straight road.
        """
        if path is None:
            road = self._by_ends.get((min(ends), max(ends)))
            return () if road is None else ((road, road.a == ends[0]),)
        nodes = [self.picture.at[site] for site in path.sites]
        found: list[Leg] = []
        for link, a, b in zip(path.links, nodes, nodes[1:], strict=False):
            middle = self._nodes.get(link)
            stops = [a, b] if middle is None else [a, middle, b]
            for here, there in pairwise(stops):
                if here == there:
                    continue
                road = self._by_link.get((link, min(here, there), max(here, there)))
                if road is None:
                    return ()
                found.append((road, road.a == here))
        return tuple((road, not is_ahead) for road, is_ahead in reversed(found)) if is_back else tuple(found)

    def use(self, number: int, legs: Sequence[Leg], ends: tuple[Box, Box]) -> None:
        """Say that a way will follow these; all are said before any is drawn. Lanes lie as the ends do."""
        for road, _ in legs:
            a, b = self.picture.nodes[road.a].box, self.picture.nodes[road.b].box
            side = sum((end.y - a.y) * (b.x - a.x) - (end.x - a.x) * (b.y - a.y) for end in ends)
            self._users.setdefault(road, []).append((round(side), number))

    def way(self, number: int, legs: Sequence[Leg], ends: tuple[Box, Box] | None) -> tuple[Point, ...]:
        """The points of a way along roads, on a lane of its own. ends: DCs that it goes from and to."""
        curves = list(self._lanes(number, legs))
        if ends is None and len(curves) == 1:
            return curves[0]
        points = [point for start, _, end in curves for point in (start, end)]
        if ends is None:
            return tuple(points)
        first, last = ends
        return (
            leave(first, (first.x, first.y), points[0]),
            *points,
            leave(last, (last.x, last.y), points[-1]),
        )

    def _lanes(self, number: int, legs: Sequence[Leg]) -> Iterator[Curve]:
        for road, is_ahead in legs:
            ranks = self._ranks.get(road)
            if ranks is None:
                users = sorted(self._users[road], reverse=True)  # of two lanes of one way the first counts
                last = len(users) - 1
                ranks = self._ranks[road] = {user: last - at for at, (_, user) in enumerate(users)}
            count, rank = len(self._users[road]), ranks[number]
            beside = (rank - (count - 1) / 2) * min(LANE, ROAD_WIDTH_MAX / count)
            start, control, end = road_curve(self.picture, road)
            far = hypot(end[0] - start[0], end[1] - start[1]) or 1.0
            off = (-(end[1] - start[1]) / far * beside, (end[0] - start[0]) / far * beside)
            start, control, end = ((x + off[0], y + off[1]) for x, y in (start, control, end))
            yield (start, control, end) if is_ahead else (end, control, start)


def road_curve(picture: Picture, road: Road) -> Curve:
    """A road from border to border; parallel ones bend away from each other."""
    a, b = picture.nodes[road.a].box, picture.nodes[road.b].box
    far = hypot(b.x - a.x, b.y - a.y) or 1.0
    return curve_between(a, b, road.beside * ROAD_BESIDE * 2 / far, road.beside * BESIDE)


# --- curves ------------------------------------------------------------------------------------------------


def curve_between(a: Box, b: Box, bend: float, beside: float) -> Curve:
    """From border to border, shifted sideways and bent by parts of its length."""
    dx, dy = b.x - a.x, b.y - a.y
    far = hypot(dx, dy) or 1.0
    across = (-dy / far, dx / far)
    start = _inside(a, (a.x + across[0] * beside, a.y + across[1] * beside))
    end = _inside(b, (b.x + across[0] * beside, b.y + across[1] * beside))
    control = _bent(start, end, across, bend * far)
    first, last = leave(a, start, control), leave(b, end, control)
    return first, _bent(first, last, across, bend * far), last


def _bent(start: Point, end: Point, across: Point, off: float) -> Point:
    return (start[0] + end[0]) / 2 + across[0] * off, (start[1] + end[1]) / 2 + across[1] * off


def _inside(box: Box, point: Point) -> Point:
    half_w, half_h = box.w / 2 - 2, box.h / 2 - 2
    return (
        min(max(point[0], box.x - half_w), box.x + half_w),
        min(max(point[1], box.y - half_h), box.y + half_h),
    )


def leave(box: Box, start: Point, toward: Point) -> Point:
    """Where the line from a point in a box to another point leaves it, a little further on."""
    dx, dy = toward[0] - start[0], toward[1] - start[1]
    far = hypot(dx, dy)
    if far < 1e-6:
        return start
    part = 1e9
    if abs(dx) > 1e-9:
        part = min(part, (box.x + (box.w / 2 if dx > 0 else -box.w / 2) - start[0]) / dx)
    if abs(dy) > 1e-9:
        part = min(part, (box.y + (box.h / 2 if dy > 0 else -box.h / 2) - start[1]) / dy)
    part += HEAD_OFF / far
    return start[0] + dx * part, start[1] + dy * part


def on_curve(curve: Curve, part: float) -> Point:
    """The point of a quadratic curve at a part of its way."""
    (ax, ay), (cx, cy), (bx, by) = curve
    rest = 1 - part
    return (
        rest * rest * ax + 2 * rest * part * cx + part * part * bx,
        rest * rest * ay + 2 * rest * part * cy + part * part * by,
    )


def along(way: Sequence[Point], part: float) -> Point:
    """The point of a way at a part of it; of one with corners, at a part of its longest stretch."""
    if len(way) == 3:
        return on_curve((way[0], way[1], way[2]), part)
    start, end = max(
        pairwise(way),
        key=lambda ends: hypot(ends[1][0] - ends[0][0], ends[1][1] - ends[0][1]),
    )
    return start[0] + (end[0] - start[0]) * part, start[1] + (end[1] - start[1]) * part
