"""Hubs with many leaves as cards: each leaf is a tile that carries its link and its connections.

A leaf is a site on one link only that is to replicate with one other site at most.
"""

from collections.abc import Sequence
from typing import Final

from addc.kcc.picture_parts import Box, Node, Shape, Tile, between_sites
from addc.kcc.picture_text import cut, text_width
from addc.kcc.snapshot import LinkAt, SiteAt, Snapshot
from addc.kcc.wanted import Action, Plan

TILES_MIN: Final = 7
NAMED_TILES_MAX: Final = 2500
MULTI: Final = 3
MINI: Final = 23.0
MINI_KEPT: Final = 16.0
TITLE_H: Final = 24.0
NAME_MAX: Final = 190.0

Leaf = tuple[SiteAt, LinkAt]
Home = tuple[str, int]
"""What leaves hang on: ("site", place) or ("link", place)."""


def leaves_of(plan: Plan) -> dict[Home, list[Leaf]]:
    """Sites that are drawn as tiles, by the hub or the link that they hang on, in order of their names."""
    snapshot = plan.snapshot
    on: list[list[LinkAt]] = [[] for _ in snapshot.sites]
    for number, link in enumerate(snapshot.links):
        for site in link.sites:
            on[site].append(LinkAt(number))
    partners: list[set[SiteAt]] = [set() for _ in snapshot.sites]
    for _, one, source, target in between_sites(plan):
        if one.action is not Action.DELETE:
            partners[source].add(target)
            partners[target].add(source)
    found: dict[Home, list[Leaf]] = {}
    for number in range(len(snapshot.sites)):
        if len(on[number]) != 1 or len(partners[number]) > 1:
            continue
        link = snapshot.links[on[number][0]]
        others = [site for site in link.sites if site != number]
        if len(others) == 1 and len(on[others[0]]) > 1:
            found.setdefault(("site", others[0]), []).append((SiteAt(number), on[number][0]))
        elif len(others) >= MULTI - 1:
            found.setdefault(("link", on[number][0]), []).append((SiteAt(number), on[number][0]))
    names = snapshot.sites
    return {
        home: sorted(leaves, key=lambda leaf: (_natural(names[leaf[0]].name), leaf))
        for home, leaves in found.items()
        if len(leaves) >= TILES_MIN
    }


def signs_width(plan: Plan, tiled: set[SiteAt]) -> float:
    """The room that the arrows of any one tile need."""
    fates: dict[SiteAt, set[Action]] = {}
    for _, one, source, target in between_sites(plan):
        for site in (source, target):
            if site in tiled:
                fates.setdefault(site, set()).add(one.action)
    return max(
        (sum(MINI_KEPT if fate is Action.KEEP else MINI for fate in own) for own in fates.values()),
        default=0.0,
    )


def _natural(name: str) -> list[tuple[int, int, str]]:
    """A key by which Branch-2 comes before Branch-10."""
    parts: list[tuple[int, int, str]] = []
    at = 0
    while at < len(name):
        end = at
        is_number = name[at] in "0123456789"
        while end < len(name) and (name[end] in "0123456789") == is_number:
            end += 1
        word = name[at:end]
        parts.append((0, int(word), word) if is_number and end - at < 18 else (1, 0, word.casefold()))
        at = end
    return parts


def shared_start(names: Sequence[str]) -> str:
    """What all names begin with, cut back to where a word ends; "" where that is little."""
    first, last = min(names), max(names)
    same = 0
    while same < min(len(first), len(last)) and first[same] == last[same]:
        same += 1
    start = first[:same]
    if all(name[same : same + 1].isdigit() for name in names) or start[-1:].isdigit():
        start = start.rstrip("0123456789")
    elif start and start[-1].isalnum():
        start = start[: max((at + 1 for at, one in enumerate(start) if not one.isalnum()), default=0)]
    return start if len(start) > 2 and all(len(name) > len(start) for name in names) else ""


def card(
    snapshot: Snapshot,
    leaves: Sequence[Leaf],
    kind: tuple[bool, int, float],
    *,
    site: SiteAt | None = None,
    link: LinkAt | None = None,
) -> Node:
    """A card around the origin, its tiles in rows under its head.

    kind: whether tiles have room for their link, how many there are in all, and the width of their signs.
    site, link: what the leaves hang on, one or the other.
    """
    is_rich, tile_count, signs_w = kind
    names = [snapshot.sites[at].name for at, _ in leaves]
    shared = "" if is_rich else shared_start(names)
    labels = [cut(name[len(shared) :], 74 if not is_rich else 96, 12) for name in names]
    if is_rich:
        tile_w, tile_h, gap = 148.0, 40.0, 8.0
    elif tile_count <= NAMED_TILES_MAX:
        tile_w, tile_h, gap = max(text_width(label, 12) for label in labels) + 10 + signs_w, 21.0, 6.0
    else:
        tile_w, tile_h, gap = 14.0, 12.0, 2.0
    ratio = 2.1 if is_rich else 1.9
    columns = max(2, round((len(leaves) * ratio * (tile_h + gap) / (tile_w + gap)) ** 0.5))
    columns = min(columns, len(leaves))
    head = snapshot.sites[site].name if site is not None else snapshot.links[link or 0].name
    wide = max(columns * (tile_w + gap) + gap, min(text_width(head, 14), NAME_MAX) + 150)
    rows = -(-len(leaves) // columns)
    high = TITLE_H + 18 + rows * (tile_h + gap) + gap + 4
    tiles = []
    inset = (wide - columns * (tile_w + gap) + gap) / 2
    for number, (at, own) in enumerate(leaves):
        x = -wide / 2 + inset + (number % columns) * (tile_w + gap) + tile_w / 2
        y = -high / 2 + TITLE_H + 18 + gap / 2 + (number // columns) * (tile_h + gap) + tile_h / 2
        label = labels[number] if tile_w > 20 else ""
        tiles.append(Tile(at, own, Box(x, y, tile_w, tile_h), label))
    shape = Shape.CARD if site is not None else Shape.LINK_CARD
    return Node(shape, Box(0, 0, wide, high), site, link, tuple(tiles), shared=shared)
