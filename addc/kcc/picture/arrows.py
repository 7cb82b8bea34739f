"""Connections as arrows: those of one pair of ends and one fate together, bent around what stands in the way.

Also the spots of labels and marks, on free places as well as that goes.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from addc.codec.schedule import ALWAYS
from addc.kcc.picture.composition import link_line, names_links, road_label
from addc.kcc.picture.layout import Point
from addc.kcc.picture.layout_spread import Size, Spots
from addc.kcc.picture.parts import Box, Node, Picture, Road, between_sites
from addc.kcc.picture.text import text_width
from addc.kcc.picture.ways import BESIDE, Roads, along, curve_between, on_curve, road_curve
from addc.kcc.snapshot import SiteAt
from addc.kcc.wanted import Action, Path

BENDS: Final = (0.0, 0.1, -0.1, 0.2, -0.2, 0.32, -0.32, 0.5, -0.5, 0.75, -0.75, 0.95, -0.95)
BEND_PLAIN: Final = 0.1
STEPS: Final = 20
OFF_SHEET: Final = 100.0
CHECKED_BOXES_MAX: Final = 20_000
MARK: Final = 15.0
LINE_H: Final = 14.0
CHIP: Final = 15.0
ORDER: Final = (Action.KEEP, Action.CHANGE, Action.DELETE, Action.ADD)
MARKS_ON_ROADS: Final = (0.3, 0.7, 0.2, 0.8, 0.12, 0.88, 0.4, 0.6, 0.5)
MARKS_FREE: Final = (0.5, 0.4, 0.6, 0.3, 0.7)
ALONG: Final = (0.5, 0.42, 0.58, 0.34, 0.66, 0.26, 0.74)
MARKED_MAX: Final = 4000
PILED_UP_TO: Final = 400
UNUSED_PILED_UP_TO: Final = 12
"""So many roads all have their labels, the second number where they carry nothing; of more, those have one
that find room: heaps nobody can read."""


@dataclass(frozen=True, slots=True)
class Arrow:
    """Connections between two ends that share their fate. ahead, back: places in the plan, by direction.

    way: points as in ways.py.
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
    """All that lies over the nodes and the roads. folds: of tiles that stand for many, the fates."""

    arrows: tuple[Arrow, ...]
    minis: Mapping[SiteAt, tuple[Mini, ...]]
    labels: tuple[Label, ...]
    folds: Mapping[SiteAt, Mapping[Action, int]]


_Key = tuple[str, int]


def over(picture: Picture, chips: Mapping[int, int]) -> Over:
    """Labels and arrows of a picture. chips: of each link the number of signs on its label."""
    spots = Spots()
    for node in picture.nodes:
        spots.take((node.box.x, node.box.y), (node.box.w + 6, node.box.h + 6))
    labels = _labels(picture, spots, chips)
    minis: dict[SiteAt, dict[Action, tuple[list[int], list[int]]]] = {}
    folds: dict[SiteAt, Counter[Action]] = {}
    groups: dict[tuple[_Key, _Key], dict[Action, tuple[list[int], list[int]]]] = {}
    for at, one, source, target in between_sites(picture.plan):
        _file_minis(picture, (minis, folds), (source, target), one.action, at)
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
        folds,
    )


_Rows = dict[SiteAt, dict[Action, tuple[list[int], list[int]]]]


def _file_minis(
    picture: Picture,
    rows: tuple[_Rows, dict[SiteAt, Counter[Action]]],
    ends: tuple[SiteAt, SiteAt],
    action: Action,
    at: int,
) -> None:
    """Note a connection on the tiles of its ends; on a hub's tile only what goes beyond its own leaves."""
    minis, folds = rows
    tiles = [picture.tile_of.get(end) for end in ends]
    for fold in {tile.site for tile in tiles if tile is not None and tile.folded}:
        folds.setdefault(fold, Counter())[action] += 1
    for way, (tile, other, site) in enumerate(zip(tiles, reversed(tiles), reversed(ends), strict=True)):
        if tile is None or tile is other or any(inner.site == site for inner in tile.tiles):
            continue
        minis.setdefault(tile.site, {}).setdefault(action, ([], []))[1 - way].append(at)


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
    roads = Roads(picture)
    legs = {
        (first, last, action): roads.legs(*_path(picture, fates[action]), (homes[first], homes[last]))
        for (first, last), fates in groups.items()
        for action in fates
    }
    numbers = {key: number for number, key in enumerate(legs)}
    for (first, last, action), taken in legs.items():
        roads.use(numbers[first, last, action], taken, (boxes[first], boxes[last]))
    connections = picture.plan.connections
    found = []
    for (first, last), fates in groups.items():
        a, b = boxes[first], boxes[last]
        ends = (homes[first], homes[last])
        free = [action for action in ORDER if action in fates and not legs[first, last, action]]
        bend = 0.0
        if free:
            others = _in_the_way(picture, (first, last), ends, boxes) if is_checked else None
            bend = _bend(a, b, others, (picture.width, picture.height))
        for action in (one for one in ORDER if one in fates):
            ahead, back = fates[action]
            if action in free:
                beside = (free.index(action) - (len(free) - 1) / 2) * BESIDE
                way: tuple[Point, ...] = curve_between(a, b, bend, beside)
            else:
                key = first, last, action
                way = roads.way(numbers[key], legs[key], (a, b) if first[0] == "dc" else None)
            implied = all(not connections[at].is_written for at in (*ahead, *back))
            found.append(Arrow(action, tuple(ahead), tuple(back), way, way[0], ends[0] == ends[1], implied))
    return _marked(found, spots)


def _marked(arrows: Sequence[Arrow], spots: Spots) -> list[Arrow]:
    """The arrows with places for their signs: curves, which are short, have the first choice."""
    found = list(arrows)
    order = sorted(range(len(found)), key=lambda at: (len(found[at].way) > 3, not found[at].is_inside, at))
    for at in order:
        one = found[at]
        if one.action is not Action.KEEP:
            parts = MARKS_FREE if one.is_inside else MARKS_ON_ROADS
            if len(found) > MARKED_MAX:  # nobody reads so many: no search for room that is not there
                found[at] = replace(one, mark=along(one.way, parts[0]))
                continue
            mark = spots.best([along(one.way, part) for part in parts], (MARK + 5, MARK + 5))
            found[at] = replace(one, mark=mark)
    return found


def _path(picture: Picture, fate: tuple[list[int], list[int]]) -> tuple[Path | None, bool]:
    """The path of connections, and whether it is that of the way back."""
    for is_back, numbers in enumerate(fate):
        for at in numbers:
            for reason in picture.plan.connections[at].reasons:
                if reason.path is not None and reason.path.links:
                    return reason.path, bool(is_back)
    return None, False


def _in_the_way(
    picture: Picture, ends: tuple[_Key, _Key], homes: tuple[int, int], boxes: Mapping[_Key, Box]
) -> list[Box]:
    """What an arrow must not cross: other sites, and other DCs of its own sites."""
    others = [node for at, node in enumerate(picture.nodes) if at not in homes]
    found = [node.box for node in others] + [spot.box for node in others for spot in node.dcs]
    for home in set(homes):
        found += [spot.box for spot in picture.nodes[home].dcs if ("dc", spot.dc) not in ends]
        if picture.nodes[home].dcs:
            found.append(_title_box(picture.nodes[home]))
    return found


def _title_box(node: Node) -> Box:
    return Box(node.box.left + 50, node.box.top + 14, 80, 18)


def _bend(a: Box, b: Box, others: Sequence[Box] | None, sheet: Point) -> float:
    """The least bend that crosses fewest boxes and stays on the sheet."""
    if others is None:
        return BEND_PLAIN
    best, least = 0.0, -1.0
    for bend in BENDS:
        curve = curve_between(a, b, bend, 0.0)
        points = [on_curve(curve, part / STEPS) for part in range(1, STEPS)]
        hits = float(not all(2 < x < sheet[0] - 2 and 2 < y < sheet[1] - 2 for x, y in points)) * OFF_SHEET
        hits += sum(
            any(abs(x - box.x) < box.w / 2 + 5 and abs(y - box.y) < box.h / 2 + 4 for x, y in points)
            for box in others
        )
        if least < 0 or hits < least:
            best, least = bend, hits
        if not hits:
            break
    return best


# --- labels ------------------------------------------------------------------------------------------------


def _labels(picture: Picture, spots: Spots, chips: Mapping[int, int]) -> list[Label]:
    """The labels of all roads; where there is no room for a whole one, a shorter one."""
    found = []
    is_named, is_heap = names_links(picture.nodes), len(picture.roads) > PILED_UP_TO
    order = sorted(range(len(picture.roads)), key=lambda at: picture.roads[at].link not in picture.carried)
    for at in order:
        road = picture.roads[at]
        if road.is_part:
            continue
        is_few = len(picture.roads) <= UNUSED_PILED_UP_TO
        is_told = not is_heap and (is_few or road.link in picture.carried)
        curve = road_curve(picture, road)
        label, places = None, [on_curve(curve, part) for part in ALONG]
        for lines in _variants(picture, road, is_named):
            size = _label_size(picture, road, lines, chips.get(road.link, 0))
            middle, is_free = _spot(spots, places, size, is_heap)
            if is_free or is_told:
                label = Label(at, lines, Box(middle[0], middle[1], *size))
            if is_free:
                break
        if label is not None:
            spots.take((label.box.x, label.box.y), (label.box.w + 4, label.box.h + 4))
            found.append(label)
    return found


def _spot(spots: Spots, places: Sequence[Point], size: Size, is_heap: bool) -> tuple[Point, bool]:
    """The best spot for a label, and whether it is free; where labels are many, the first one on the road."""
    wide = size[0] + 4, size[1] + 4
    if is_heap:
        free = next((one for one in places if spots.is_free(one, wide)), None)
        return free or places[0], free is not None
    beside = [(x, y + off) for off in (size[1] * 0.8, -size[1] * 0.8) for x, y in places[:3]]
    middle, over = spots.free((*places, *beside), wide)
    return middle, over < 1


def _variants(picture: Picture, road: Road, is_named: bool) -> list[tuple[str, ...]]:
    """What a label may say, the longest first."""
    link = picture.plan.snapshot.links[road.link]
    lines = road_label(link, is_named)
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
