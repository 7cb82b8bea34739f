"""Connections as arrows: those of one pair of ends and one fate together, bent around what stands in the way.

Also the spots of labels and marks, on free places as well as that goes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import hypot
from typing import Final

from addc.codec.schedule import ALWAYS
from addc.kcc.layout import Point
from addc.kcc.layout_spread import Spots
from addc.kcc.picture import link_line, road_label
from addc.kcc.picture_parts import Box, Node, Picture, Road, between_sites
from addc.kcc.picture_text import text_width
from addc.kcc.snapshot import SiteAt
from addc.kcc.wanted import Action

BESIDE: Final = 9.0
ROAD_BESIDE: Final = 26.0
LANE: Final = 8.0
BENDS: Final = (0.0, 0.1, -0.1, 0.2, -0.2, 0.32, -0.32, 0.5, -0.5)
BEND_PLAIN: Final = 0.1
CHECKED_BOXES_MAX: Final = 20_000
HEAD_OFF: Final = 3.0
MARK: Final = 15.0
LINE_H: Final = 14.0
CHIP: Final = 15.0
ORDER: Final = (Action.KEEP, Action.CHANGE, Action.DELETE, Action.ADD)
ALONG: Final = (0.5, 0.42, 0.58, 0.34, 0.66, 0.26, 0.74)

Curve = tuple[Point, Point, Point]


@dataclass(frozen=True, slots=True)
class Arrow:
    """Connections between two ends that share their fate. ahead, back: places in the plan, by direction.

    way: start, control point and end of a quadratic curve; or four points, start, along a road, end.
    mark: where its sign goes. is_inside: within a site.
    """

    action: Action
    ahead: tuple[int, ...]
    back: tuple[int, ...]
    way: tuple[Point, ...]
    mark: Point
    is_inside: bool = False
    is_implied: bool = False


@dataclass(frozen=True, slots=True)
class Mini:
    """The connections of a tile that share their fate. inward: to the leaf."""

    action: Action
    inward: tuple[int, ...]
    outward: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Label:
    """A link's label: its lines, its middle and its size with what stands beside the text."""

    road: int
    lines: tuple[str, ...]
    box: Box


@dataclass(frozen=True, slots=True)
class Over:
    """All that lies over the nodes and the roads."""

    arrows: tuple[Arrow, ...]
    minis: Mapping[SiteAt, tuple[Mini, ...]]
    labels: tuple[Label, ...]


_Key = tuple[str, int]


def over(picture: Picture, chips: Mapping[int, int]) -> Over:
    """Labels and arrows of a picture. chips: of each link the number of signs on its label."""
    spots = Spots()
    for node in picture.nodes:
        spots.take((node.box.x, node.box.y), (node.box.w + 6, node.box.h + 6))
    labels = _labels(picture, spots, chips)
    minis: dict[SiteAt, dict[Action, tuple[list[int], list[int]]]] = {}
    groups: dict[tuple[_Key, _Key], dict[Action, tuple[list[int], list[int]]]] = {}
    for at, one, source, target in between_sites(picture.plan):
        for leaf, way in ((target, 0), (source, 1)):
            if leaf in picture.tile_of:
                minis.setdefault(leaf, {}).setdefault(one.action, ([], []))[way].append(at)
        if picture.at[source] == picture.at[target]:
            continue
        first = ("dc", one.source or 0) if picture.has_dcs else ("node", picture.at[source])
        last = ("dc", one.target) if picture.has_dcs else ("node", picture.at[target])
        _file(groups, first, last, one.action, at)
    if picture.has_dcs:
        dcs = picture.plan.snapshot.dcs
        for at, one in enumerate(picture.plan.connections):
            if one.source is not None and dcs[one.source].site == dcs[one.target].site:
                _file(groups, ("dc", one.source), ("dc", one.target), one.action, at)
    return Over(
        tuple(_arrows(picture, groups, spots)),
        {
            site: tuple(
                Mini(action, tuple(rows[action][0]), tuple(rows[action][1]))
                for action in ORDER
                if action in rows
            )
            for site, rows in minis.items()
        },
        tuple(labels),
    )


def _file(
    groups: dict[tuple[_Key, _Key], dict[Action, tuple[list[int], list[int]]]],
    first: _Key,
    last: _Key,
    action: Action,
    at: int,
) -> None:
    if first == last:
        return
    is_ahead = first < last
    pair = (first, last) if is_ahead else (last, first)
    groups.setdefault(pair, {}).setdefault(action, ([], []))[0 if is_ahead else 1].append(at)


# --- arrows ------------------------------------------------------------------------------------------------


def _arrows(
    picture: Picture,
    groups: Mapping[tuple[_Key, _Key], Mapping[Action, tuple[list[int], list[int]]]],
    spots: Spots,
) -> list[Arrow]:
    boxes: dict[_Key, Box] = {("node", at): node.box for at, node in enumerate(picture.nodes)}
    homes: dict[_Key, int] = {("node", at): at for at in range(len(picture.nodes))}
    for at, node in enumerate(picture.nodes):
        for spot in node.dcs:
            boxes["dc", spot.dc] = spot.box
            homes["dc", spot.dc] = at
    is_checked = len(groups) * len(boxes) <= CHECKED_BOXES_MAX
    lanes = _lanes(picture, groups, homes)
    connections = picture.plan.connections
    found = []
    for (first, last), fates in groups.items():
        a, b = boxes[first], boxes[last]
        ends = (homes[first], homes[last])
        free = [action for action in ORDER if action in fates and (first, last, action) not in lanes]
        bend = 0.0
        if free:
            others = _in_the_way(picture, (first, last), ends, boxes) if is_checked else None
            bend = _bend(a, b, others)
        middle = (len(free) - 1) / 2
        for action in (one for one in ORDER if one in fates):
            ahead, back = fates[action]
            lane = lanes.get((first, last, action))
            if lane is not None:
                way: tuple[Point, ...] = _on_road(picture, lane, (first[0] == "dc", a, b), ends)
            else:
                way = _curve(a, b, bend, (free.index(action) - middle) * BESIDE)
            mark = way[0]
            if action is not Action.KEEP:
                parts = (
                    (0.3, 0.7, 0.2, 0.8, 0.12, 0.88, 0.4, 0.6, 0.5)
                    if lane is not None
                    else (0.5, 0.4, 0.6, 0.3, 0.7)
                )
                mark = spots.best([along(way, part) for part in parts], (MARK, MARK))
            implied = all(not connections[at].is_written for at in (*ahead, *back))
            found.append(Arrow(action, tuple(ahead), tuple(back), way, mark, ends[0] == ends[1], implied))
    return found


@dataclass(frozen=True, slots=True)
class Lane:
    """The way of an arrow along a road. beside: how far from its middle."""

    road: Road
    beside: float


def _lanes(
    picture: Picture,
    groups: Mapping[tuple[_Key, _Key], Mapping[Action, tuple[list[int], list[int]]]],
    homes: Mapping[_Key, int],
) -> dict[tuple[_Key, _Key, Action], Lane]:
    """The arrows that follow a road, because one link alone carries them, or may have; side by side."""
    roads: dict[tuple[int, int], list[Road]] = {}
    for road in picture.roads:
        if not road.is_part:
            roads.setdefault((road.a, road.b), []).append(road)
    users: dict[Road, list[tuple[_Key, _Key, Action]]] = {}
    for (first, last), fates in groups.items():
        ends = homes[first], homes[last]
        beside = roads.get((min(ends), max(ends)))
        if beside is None:
            continue
        for action in (one for one in ORDER if one in fates):
            used = _links_used(picture, (*fates[action][0], *fates[action][1]))
            if any(len(links) > 1 for links in used):
                continue
            only = next(iter(used))[0] if used else beside[0].link
            chosen = next((road for road in beside if road.link == only), beside[0])
            users.setdefault(chosen, []).append((first, last, action))
    return {
        key: Lane(road, (rank - (len(keys) - 1) / 2) * LANE)
        for road, keys in users.items()
        for rank, key in enumerate(keys)
    }


def _links_used(picture: Picture, numbers: Sequence[int]) -> set[tuple[int, ...]]:
    """The paths of connections."""
    return {
        tuple(reason.path.links)
        for at in numbers
        for reason in picture.plan.connections[at].reasons
        if reason.path is not None and reason.path.links
    }


def _on_road(
    picture: Picture, lane: Lane, ends: tuple[bool, Box, Box], homes: tuple[int, int]
) -> tuple[Point, ...]:
    """From a DC, or a site's border, along the road, to the other end."""
    has_dcs, a, b = ends
    road = lane.road
    start, control, end = road_curve(picture, road)
    far = hypot(end[0] - start[0], end[1] - start[1]) or 1.0
    across = (-(end[1] - start[1]) / far * lane.beside, (end[0] - start[0]) / far * lane.beside)
    start, control, end = ((point[0] + across[0], point[1] + across[1]) for point in (start, control, end))
    if homes[0] != road.a:
        start, end = end, start
    if not has_dcs:
        return start, control, end
    return leave(a, (a.x, a.y), start), start, end, leave(b, (b.x, b.y), end)


def _in_the_way(
    picture: Picture, ends: tuple[_Key, _Key], homes: tuple[int, int], boxes: Mapping[_Key, Box]
) -> list[Box]:
    """What an arrow must not cross: other sites, and other DCs of its own sites."""
    found = [node.box for at, node in enumerate(picture.nodes) if at not in homes]
    for home in set(homes):
        found += [spot.box for spot in picture.nodes[home].dcs if ("dc", spot.dc) not in ends]
        if picture.nodes[home].dcs:
            found.append(_title_box(picture.nodes[home]))
    return found


def _title_box(node: Node) -> Box:
    return Box(node.box.left + 50, node.box.top + 14, 80, 18)


def _bend(a: Box, b: Box, others: Sequence[Box] | None) -> float:
    """The least bend that crosses fewest boxes."""
    if others is None:
        return BEND_PLAIN
    best, least = 0.0, -1.0
    for bend in BENDS:
        curve = _curve(a, b, bend, 0.0)
        points = [on_curve(curve, part / 14) for part in range(1, 14)]
        hits = sum(
            any(abs(x - box.x) < box.w / 2 + 5 and abs(y - box.y) < box.h / 2 + 4 for x, y in points)
            for box in others
        )
        if least < 0 or hits < least:
            best, least = bend, hits
        if not hits:
            break
    return best


def _curve(a: Box, b: Box, bend: float, beside: float) -> Curve:
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
    """The point of an arrow's way at a part of it; of one along a road, at a part of the road."""
    if len(way) == 3:
        return on_curve((way[0], way[1], way[2]), part)
    (ax, ay), (bx, by) = way[1], way[2]
    return ax + (bx - ax) * part, ay + (by - ay) * part


# --- labels ------------------------------------------------------------------------------------------------


def road_curve(picture: Picture, road: Road) -> Curve:
    """A road from border to border; parallel ones bend away from each other."""
    a, b = picture.nodes[road.a].box, picture.nodes[road.b].box
    far = hypot(b.x - a.x, b.y - a.y) or 1.0
    return _curve(a, b, road.beside * ROAD_BESIDE * 2 / far, road.beside * BESIDE)


def _labels(picture: Picture, spots: Spots, chips: Mapping[int, int]) -> list[Label]:
    """The labels of all roads; where there is no room for a whole one, a shorter one."""
    found = []
    order = sorted(range(len(picture.roads)), key=lambda at: picture.roads[at].link not in picture.carried)
    for at in order:
        road = picture.roads[at]
        if road.is_part:
            continue
        curve = road_curve(picture, road)
        places = [on_curve(curve, part) for part in ALONG]
        label = None
        for lines in _variants(picture, road):
            size = _label_size(picture, road, lines, chips.get(road.link, 0))
            beside = [(x, y + off) for off in (size[1] * 0.8, -size[1] * 0.8) for x, y in places[:3]]
            middle, over = spots.free((*places, *beside), (size[0] + 4, size[1] + 4))
            label = Label(at, lines, Box(middle[0], middle[1], *size))
            if over < 1:
                break
        if label is not None:
            spots.take((label.box.x, label.box.y), (label.box.w + 4, label.box.h + 4))
            found.append(label)
    return found


def _variants(picture: Picture, road: Road) -> list[tuple[str, ...]]:
    """What a label may say, the longest first."""
    link = picture.plan.snapshot.links[road.link]
    lines = road_label(picture.nodes, link)
    short = (link_line(link),)
    if road.link in picture.carried:
        return [lines, short, (str(link.cost),)]
    return [(*lines[:-1], lines[-1] + " · unused"), short, (str(link.cost),)]


def _label_size(picture: Picture, road: Road, lines: Sequence[str], chips: int) -> tuple[float, float]:
    wide = max(text_width(line, 12 if len(lines) > 1 and not rank else 11) for rank, line in enumerate(lines))
    aside = CHIP * chips + (0 if is_open(picture, road.link) else 15)
    return max(wide, text_width(lines[-1], 11) + aside + 4) + 14, LINE_H * len(lines) + 8


def is_open(picture: Picture, link: int) -> bool:
    """Whether a link is open all the time."""
    return picture.plan.snapshot.links[link].window == ALWAYS
