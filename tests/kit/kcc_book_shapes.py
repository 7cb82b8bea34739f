"""Graphs of sites at random, and what of the planner's tree is not as the document's pseudocode has it."""

import random
from dataclasses import dataclass

from addc.base.clock import FileTime
from addc.codec.schedule import ALWAYS, QUARTERS, Quarters
from addc.kcc.site_graph import COST_MAX, Colouring, Variant, edge_set, site_graph
from addc.kcc.site_tree import Grown, grow
from addc.kcc.snapshot import LinkAt, LinkOption, Site, SiteAt, SiteLink, SiteLinkBridge, Snapshot
from tests.kit.kcc_by_the_book import book_of

Link = tuple[list[int], int, int, int, int]
"""Sites, cost, interval, options, week."""


@dataclass(frozen=True, slots=True)
class Shape:
    """colours: as in Colour. bridges: None where all links are bridged."""

    colours: list[int]
    accepts: list[bool]
    links: list[Link]
    bridges: list[list[int]] | None


def small_shape(rng: random.Random) -> Shape:
    """Whatever may meet in a small graph: ties, schedules, bridges, failures, costs at their ends."""
    count = rng.randint(1, 9)
    costs = rng.choice([[1], [1, 2], [1, 2, 3, 5], [0, 1, 2], [COST_MAX, 1, 0x80000000]])
    weeks: list[int] = rng.choice([[ALWAYS], [ALWAYS, 0b1, 0b11, 0b110, 0b1000, 0], list(range(16))])
    links = _links(rng, count, (0, 9), [1, 2, 2, 2, 3, 4, 9], costs, weeks)
    colours = [rng.choice([0, 0, 0, 1, 1, 2]) for _ in range(count)]
    return Shape(colours, [rng.random() < 0.85 for _ in range(count)], links, _bridges(rng, len(links)))


def larger_shape(rng: random.Random) -> Shape:
    """More sites; more of one kind at a time."""
    count = rng.randint(8, 24)
    mix = rng.choice([[0], [0, 0, 1], [0, 1, 2], [2, 2, 2, 0, 1], [1, 1, 2, 0]])
    costs = rng.choice([[1], [1, 2], list(range(1, 20)), [0, 1, 2], [0], [0, 0, 0, 5]])
    half = (1 << 300) - 1
    weeks = rng.choice(
        [
            [int(ALWAYS)],
            [int(ALWAYS), half, half << 200],
            [(1 << rng.randint(1, 40)) - 1 for _ in range(5)],
            [rng.getrandbits(QUARTERS) & rng.getrandbits(QUARTERS) for _ in range(6)],
        ]
    )
    links = _links(rng, count, (count // 2, 2 * count), [2, 2, 2, 3, 5, count], costs, weeks)
    ok = rng.choice([1.0, 0.9, 0.6])
    colours = [rng.choice(mix) for _ in range(count)]
    return Shape(colours, [rng.random() < ok for _ in range(count)], links, _bridges(rng, len(links)))


def _links(
    rng: random.Random,
    count: int,
    how_many: tuple[int, int],
    sizes: list[int],
    costs: list[int],
    weeks: list[int],
) -> list[Link]:
    return [
        (
            sorted(rng.sample(range(count), min(count, rng.choice(sizes)))),
            rng.choice(costs),
            rng.choice([15, 60, 180]),
            rng.getrandbits(3),
            rng.choice(weeks),
        )
        for _ in range(rng.randint(*how_many))
    ]


def _bridges(rng: random.Random, links: int) -> list[list[int]] | None:
    if rng.random() >= 0.4:
        return None
    return [sorted(rng.sample(range(links), rng.randint(0, links))) for _ in range(rng.randint(0, 4))]


def grown(shape: Shape) -> Grown:
    """The planner's tree."""
    snapshot = Snapshot(
        now=FileTime(0),
        sites=tuple(Site(at.to_bytes(16, "big"), "", str(at)) for at in range(len(shape.colours))),
        links=tuple(
            SiteLink(
                at.to_bytes(16, "big"),
                "",
                str(at),
                tuple(SiteAt(site) for site in sites),
                cost,
                interval_min,
                LinkOption(options),
                Quarters(week),
            )
            for at, (sites, cost, interval_min, options, week) in enumerate(shape.links)
        ),
        bridges=tuple(
            SiteLinkBridge(at.to_bytes(16, "big"), "", str(at), tuple(LinkAt(link) for link in links))
            for at, links in enumerate(shape.bridges or ())
        ),
    )
    graph = site_graph(snapshot, Variant(is_bridge_wanted=shape.bridges is not None))
    assert len(graph.sets) == (1 if shape.bridges is None else len(shape.bridges))
    assert graph.everything == edge_set(graph.edges, map(LinkAt, range(len(shape.links))))
    return grow(graph, Colouring(bytes(shape.colours), bytes(shape.accepts)))


def difference(shape: Shape) -> str:
    """What is not the same; "" where all is, and every path adds up over its links."""
    tree = grown(shape)
    book, components = book_of(shape.colours, shape.accepts, shape.links, shape.bridges).tree()
    mine = [
        (
            e.source,
            e.target,
            e.is_one_way,
            e.path.cost,
            e.path.interval_min,
            int(e.path.options),
            e.path.window,
        )
        for e in tree.edges
    ]
    theirs = [
        (e.source, e.target, e.is_directed, e.info.cost, e.info.interval, e.info.options, e.info.schedule)
        for e in book
    ]
    if mine != theirs:
        return f"{mine}\nis not\n{theirs}"
    if len(tree.components) < components:
        return f"{tree.components} are fewer than {components}"
    return _odd_paths(shape, tree)


def _odd_paths(shape: Shape, tree: Grown) -> str:
    for edge in tree.edges:
        path = edge.path
        if (path.sites[0], path.sites[-1]) != (edge.source, edge.target):
            return f"{edge} does not end where its path does"
        cost, week = 0, int(ALWAYS)
        for at, link in enumerate(path.links):
            sites, its_cost, _, _, its_week = shape.links[link]
            if not set(path.sites[at : at + 2]) <= set(sites):
                return f"{edge} leaves its links"
            cost, week = min(cost + its_cost, COST_MAX), week & its_week
        if (cost, week) != (path.cost, path.window):
            return f"{edge} does not add up"
    return ""
