"""What a plan's picture shows and where: sites, their DCs, links as roads.

Up to some thirty DCs each is drawn inside its site. Leaves of a hub, where there are many, stand as tiles on
the hub's card instead of around it; a link of many sites is a node of its own, so that n sites make n lines.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from addc.kcc.picture.cards import MULTI, NAME_MAX, Hung, hung
from addc.kcc.picture.layout import Bond, Places, place
from addc.kcc.picture.parts import Box, DcSpot, Node, Picture, Road, Shape, carried
from addc.kcc.picture.sites import ROOMY_NODES_MAX, plain_site, site_with_dcs, turned
from addc.kcc.picture.text import cut, text_width
from addc.kcc.picture.tiles import card
from addc.kcc.snapshot import LinkAt, SiteAt, SiteLink, Snapshot
from addc.kcc.telling.words import duration
from addc.kcc.wanted import Plan

DCS_DRAWN_MAX: Final = 30
SITES_WITH_DCS_MAX: Final = 16
EDGE: Final = 30.0


def picture(plan: Plan) -> Picture:
    """The picture of a plan."""
    snapshot = plan.snapshot
    has_dcs = len(snapshot.dcs) <= DCS_DRAWN_MAX and len(snapshot.sites) <= SITES_WITH_DCS_MAX
    tiles = Hung() if has_dcs else hung(plan)
    tiled = tiles.tiled()
    homes = {*tiles.leaves, *tiles.subs} - {("site", int(site)) for site in tiled}
    nodes: list[Node] = []
    at: dict[SiteAt, int] = {}
    by_site = snapshot.dcs_by_site()
    single_count = len(snapshot.sites) - len(tiled)
    for number, site in enumerate(snapshot.sites):
        here = SiteAt(number)
        if here in tiled:
            continue
        at[here] = len(nodes)
        if ("site", number) in homes:
            nodes.append(card(snapshot, ("site", number), tiles))
        elif has_dcs:
            nodes.append(site_with_dcs(snapshot, here, by_site[number]))
        else:
            nodes.append(plain_site(site.name, here, single_count))
    link_nodes: dict[LinkAt, int] = {}
    for number, link in enumerate(snapshot.links):
        if len(link.sites) < MULTI:
            continue
        link_nodes[LinkAt(number)] = len(nodes)
        if ("link", number) in homes:
            nodes.append(card(snapshot, ("link", number), tiles))
        else:
            nodes.append(Node(Shape.LINK, Box(0, 0, *_link_size(link)), link=LinkAt(number)))
    for rows in (tiles.subs, tiles.leaves):  # hubs first: their leaves are where they are
        for (what, number), held in rows.items():
            home = at[SiteAt(number)] if what == "site" else link_nodes[LinkAt(number)]
            at.update((site, home) for site, _ in held)
    roads = _roads(snapshot, at, link_nodes, tiled)
    return _placed_picture(plan, nodes, roads, (at, has_dcs, tiles.is_rich))


def _placed_picture(
    plan: Plan, nodes: Sequence[Node], roads: Sequence[Road], how: tuple[Mapping[SiteAt, int], bool, bool]
) -> Picture:
    """The picture with all nodes at their places. how: nodes of sites, whether DCs are drawn, rich tiles."""
    at, has_dcs, is_rich = how
    places = _placed(plan.snapshot, nodes, roads, has_dcs)
    moved = [_moved(node, point) for node, point in zip(nodes, places.points, strict=True)]
    if has_dcs:
        moved = turned(plan, moved, at)
    return Picture(
        plan,
        places.width + 2 * EDGE,
        places.height + 2 * EDGE,
        tuple(moved),
        tuple(roads),
        at,
        {
            site: tile
            for node in moved
            for hub in node.tiles
            for tile in (hub, *hub.tiles)
            for site in tile.all_sites()
        },
        has_dcs,
        is_rich,
        carried(plan),
    )


def link_line(link: SiteLink) -> str:
    """A link's figures: "cost 100 · 3 h"."""
    return f"cost {link.cost} · {duration(link.interval_min * 60)}"


def _link_size(link: SiteLink) -> tuple[float, float]:
    return min(max(text_width(link.name, 12), text_width(link_line(link), 11) + 16), NAME_MAX) + 40, 46


def _roads(
    snapshot: Snapshot, at: Mapping[SiteAt, int], link_nodes: Mapping[LinkAt, int], tiled: set[SiteAt]
) -> list[Road]:
    """The links to draw: those of tiles go with the tiles. Parallel ones lie beside each other."""
    pairs: dict[tuple[int, int], list[LinkAt]] = {}
    roads = []
    for number, link in enumerate(snapshot.links):
        here = LinkAt(number)
        if here in link_nodes:
            middle = link_nodes[here]
            ends = {at[site] for site in link.sites if site not in tiled}
            roads += [Road(here, end, middle, is_part=True) for end in sorted(ends)]
            continue
        if len(link.sites) != MULTI - 1 or tiled & set(link.sites):
            continue
        low, high = sorted(at[site] for site in link.sites)
        if low != high:
            pairs.setdefault((low, high), []).append(here)
    for (low, high), links in pairs.items():
        half = (len(links) - 1) / 2
        roads += [Road(link, low, high, rank - half) for rank, link in enumerate(links)]
    return roads


def names_links(nodes: Sequence[Node]) -> bool:
    """Whether there is room for the names of links."""
    return len(nodes) + sum(len(node.tiles) for node in nodes) / 8 <= ROOMY_NODES_MAX // 2


def road_label(link: SiteLink, is_named: bool) -> tuple[str, ...]:
    """The lines of a link's label."""
    if is_named:
        return cut(link.name, 170, 12), link_line(link)
    return (link_line(link),)


def _placed(snapshot: Snapshot, nodes: Sequence[Node], roads: Sequence[Road], has_dcs: bool) -> Places:
    """Places of all nodes. Joined ones keep room for a label between them."""
    bonds, is_named = [], names_links(nodes)
    for road in roads:
        lines = () if road.is_part else road_label(snapshot.links[road.link], is_named)
        room = max((text_width(line, 12) for line in lines), default=20.0)
        gap = 40 + room * 0.8 if len(nodes) <= ROOMY_NODES_MAX else 20 + room * 0.3
        gap *= min(max(len(roads) / (1.2 * len(nodes)), 1.0), 1.6)
        bonds.append(Bond(road.a, road.b, gap))
    margin = 40.0 if has_dcs else 26.0 if len(nodes) <= ROOMY_NODES_MAX else 14.0
    return place([(node.box.w, node.box.h) for node in nodes], bonds, margin)


def _shifted(box: Box, point: tuple[float, float]) -> Box:
    return Box(box.x + point[0] + EDGE, box.y + point[1] + EDGE, box.w, box.h)


def _moved(node: Node, point: tuple[float, float]) -> Node:
    return Node(
        node.shape,
        _shifted(node.box, point),
        node.site,
        node.link,
        tuple(tile.moved(point[0] + EDGE, point[1] + EDGE) for tile in node.tiles),
        tuple(DcSpot(spot.dc, _shifted(spot.box, point)) for spot in node.dcs),
        node.shared,
    )
