"""Sites as boxes: with their DCs in a ring inside, or by name alone; DCs turned towards their partners."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import cos, hypot, pi, sin
from typing import Final

from addc.kcc.picture.cards import NAME_MAX, TITLE_H
from addc.kcc.picture.parts import Box, DcSpot, Node, Shape, between_sites
from addc.kcc.picture.text import text_width
from addc.kcc.snapshot import DcAt, SiteAt, Snapshot
from addc.kcc.wanted import Plan

ROOMY_NODES_MAX: Final = 60
NAMED_NODES_MAX: Final = 700
PILL_H: Final = 26.0
RING_GAP: Final = 30.0


def pill_width(name: str, tags: int) -> float:
    """How wide a DC's pill is. tags: the number of letters behind its name."""
    return max(60.0, min(text_width(name, 12), 130) + 22 + 7.5 * tags + (6 if tags else 0))


def dc_tags(plan: Plan, dc: DcAt) -> tuple[str, ...]:
    """The marks of a DC in letters."""
    found = plan.snapshot.dcs[dc]
    tags = []
    if found.is_gc:
        tags.append("GC")
    if found.is_read_only:
        tags.append("RO")
    return tuple(tags)


def site_with_dcs(snapshot: Snapshot, site: SiteAt, dcs: Sequence[DcAt]) -> Node:
    """A site with its DCs: one in the middle, two side by side, more in a ring in the order of the rules."""
    count = len(dcs)
    wide = max((_dc_width(snapshot, dc) for dc in dcs), default=0.0)
    if count <= 1:
        spots = [(0.0, 0.0)] * count
    elif count == 2:
        spots = [(-(wide + 46) / 2, 0.0), ((wide + 46) / 2, 0.0)]
    else:
        spots = _ring(count, wide)
    name = min(text_width(snapshot.sites[site].name, 14), NAME_MAX)
    reach_x = max((abs(x) for x, _ in spots), default=0.0)
    least_y = min((y for _, y in spots), default=0.0)
    most_y = max((y for _, y in spots), default=0.0)
    box_w = max(name + 36, 2 * reach_x + wide + 28, 110)
    box_h = TITLE_H + 14 + (most_y - least_y + PILL_H + 18 if count else 14)
    low = -box_h / 2 + TITLE_H + 12 + PILL_H / 2 - least_y
    placed = tuple(
        DcSpot(dc, Box(x, y + low, _dc_width(snapshot, dc), PILL_H))
        for dc, (x, y) in zip(dcs, spots, strict=True)
    )
    return Node(Shape.SITE, Box(0, 0, box_w, box_h), site, dcs=placed)


def _ring(count: int, wide: float) -> list[tuple[float, float]]:
    """Spots in a ring that is just large enough for arrows between neighbours."""
    across = wide * 0.5 + 30
    while True:
        spots = [
            (across * sin(2 * pi * turn / count), -across * 0.74 * cos(2 * pi * turn / count))
            for turn in range(count)
        ]
        gaps = (
            max(abs(x - u) - wide, abs(y - v) - PILL_H, 0.0)
            for (x, y), (u, v) in zip(spots, [*spots[1:], spots[0]], strict=True)
        )
        if min(gaps) >= RING_GAP:
            return spots
        across *= 1.06


def _dc_width(snapshot: Snapshot, dc: DcAt) -> float:
    found = snapshot.dcs[dc]
    tags = 2 * (found.is_gc + found.is_read_only) + 3
    return pill_width(found.name, tags)


def plain_site(name: str, site: SiteAt, count: int) -> Node:
    """A site by its name. count: of such sites; the more there are the smaller each is."""
    if count > NAMED_NODES_MAX:
        return Node(Shape.SITE, Box(0, 0, 76, 22), site)
    wide = min(max(text_width(name, 13), 84), NAME_MAX) + 26
    return Node(Shape.SITE, Box(0, 0, wide, 46 if count <= ROOMY_NODES_MAX else 40), site)


def turned(plan: Plan, nodes: Sequence[Node], at: Mapping[SiteAt, int]) -> list[Node]:
    """The DCs of each site turned within their ring: those with partners elsewhere look along their way."""
    hubs = {node.link: node.box for node in nodes if node.link is not None}
    partners: dict[DcAt, list[Box]] = {}
    for _, one, source, target in between_sites(plan):
        if one.source is None:
            continue
        path = next((reason.path for reason in one.reasons if reason.path is not None), None)
        if path is None or not path.links:
            ways = (nodes[at[target]].box, nodes[at[source]].box)
        else:
            ways = (
                hubs.get(path.links[0], nodes[at[path.sites[1]]].box),
                hubs.get(path.links[-1], nodes[at[path.sites[-2]]].box),
            )
        partners.setdefault(one.source, []).append(ways[0])
        partners.setdefault(one.target, []).append(ways[1])
    return [_best_turn(node, partners) if len(node.dcs) > 1 else node for node in nodes]


def _best_turn(node: Node, partners: Mapping[DcAt, Sequence[Box]]) -> Node:
    dcs = [spot.dc for spot in node.dcs]
    boxes = [spot.box for spot in node.dcs]
    turns = [
        [order[(rank + turn) % len(order)] for rank in range(len(order))]
        for order in (dcs, [dcs[0], *reversed(dcs[1:])])
        for turn in range(len(dcs))
    ]

    def cost(order: Sequence[DcAt]) -> float:
        return sum(
            hypot((box.x - other.x) / 2, box.y - other.y)
            for dc, box in zip(order, boxes, strict=True)
            for other in partners.get(dc, ())
        )

    best = min(turns, key=lambda order: (round(cost(order)), turns.index(order)))
    width = {spot.dc: spot.box.w for spot in node.dcs}
    placed = (DcSpot(dc, Box(box.x, box.y, width[dc], box.h)) for dc, box in zip(best, boxes, strict=True))
    return replace(node, dcs=tuple(placed))
