"""Sites and the links between them as a graph, and the least-cost paths in it.

A link joins all its sites pairwise at one cost. The pairs are never listed: the first site of a link that is
settled offers the link to all others, and what a later one offers cannot be better unless it is equally far
from its root and its path is open longer. So a link of n sites costs n steps and not n * n, with the same
result (tests/kit/kcc_by_the_book.py lists the pairs).

Spec: [MS-ADTS] 6.2.2.3.3, 6.2.2.3.4.3 (SetupGraph), 6.2.2.3.4.4 (Dijkstra, TryNewPath, CombineReplInfo)
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from heapq import heappop, heappush
from typing import Final, NamedTuple

from addc.codec.schedule import ALWAYS, QUARTERS, Quarters
from addc.kcc.snapshot import LinkAt, LinkOption, SiteAt, SiteOption, Snapshot, TransportOption
from addc.kcc.wanted import Path

COST_MAX: Final = 0xFFFF_FFFF
ALL_OPTIONS: Final = 0xFFFF_FFFF
NO_LINK: Final = LinkAt(-1)


class Colour(IntEnum):
    """What a site holds of a naming context. Members in the order in which they are preferred."""

    RED = 0
    """A writable DC has a writable replica."""
    BLACK = 1
    """No writable replica, but a partial one."""
    WHITE = 2
    """None: it can only be passed through."""


@dataclass(frozen=True, slots=True)
class Colouring:
    """The sites of a naming context. colours: a byte for each site. accepts: 1 where a DC of the site can be
    found that replicates with others, else 0."""

    colours: bytes
    accepts: bytes


@dataclass(frozen=True, slots=True)
class Variant:
    """How a site reads the links: by options of the transport and its own.

    Spec: [MS-ADTS] 6.2.2.3.4.3 (SetupGraph), 6.2.2.3.3 (NTDSTRANSPORT_OPT_IGNORE_SCHEDULES)
    """

    is_bridge_wanted: bool = False
    is_ignoring_schedules: bool = False


def variant_of(snapshot: Snapshot, site: SiteAt) -> Variant:
    """How the plan of this site reads the links."""
    transport, own = snapshot.transport_options, snapshot.sites[site].options
    return Variant(
        bool(transport & TransportOption.BRIDGES_REQUIRED or own & SiteOption.W2K3_BRIDGES_REQUIRED),
        bool(transport & TransportOption.IGNORE_SCHEDULES or own & SiteOption.W2K3_IGNORE_SCHEDULES),
    )


class Edge(NamedTuple):
    """A link as paths see it (MULTIEDGE). open_quarters: how much of the week its window is."""

    sites: tuple[SiteAt, ...]
    cost: int
    interval_min: int
    options: int
    window: Quarters
    open_quarters: int


@dataclass(frozen=True, slots=True)
class EdgeSet:
    """Links that may follow one another in a path (MULTIEDGESET), in GUID order; and by the site they
    touch.
    """

    links: tuple[LinkAt, ...]
    at_site: dict[SiteAt, list[LinkAt]]


@dataclass(frozen=True, slots=True)
class SiteGraph:
    """The links of a forest in one reading. everything: all of them, to look up by site."""

    edges: tuple[Edge, ...]
    sets: tuple[EdgeSet, ...]
    everything: EdgeSet


def site_graph(snapshot: Snapshot, variant: Variant) -> SiteGraph:
    """The graph that plans of this variant use. Links that join fewer than two sites are left out of paths.

    Spec: [MS-ADTS] 6.2.2.3.4.3 (SetupGraph, CreateAutoEdgeSet, CreateEdgeSet)
    """
    edges = []
    for link in snapshot.links:
        window = ALWAYS if variant.is_ignoring_schedules else link.window
        sites = tuple(sorted(set(link.sites)))
        cost = min(max(link.cost, 0), COST_MAX)
        edges.append(Edge(sites, cost, link.interval_min, int(link.options), window, window.bit_count()))
    everything = edge_set(edges, (LinkAt(at) for at in range(len(edges))))
    if variant.is_bridge_wanted:
        sets = tuple(edge_set(edges, bridge.links) for bridge in snapshot.bridges)
    else:
        sets = (everything,)
    return SiteGraph(tuple(edges), sets, everything)


def edge_set(edges: Sequence[Edge], links: Iterable[LinkAt]) -> EdgeSet:
    """These links, without those that join nothing."""
    used = tuple(sorted({link for link in links if len(edges[link].sites) > 1}))
    at_site: dict[SiteAt, list[LinkAt]] = {}
    for link in used:
        for site in edges[link].sites:
            at_site.setdefault(site, []).append(link)
    return EdgeSet(used, at_site)


class Reach(NamedTuple):
    """The best path from a root to a site: its values so far, and the step before. `before` is None at a
    root.
    """

    cost: int
    root: SiteAt
    interval_min: int
    options: int
    window: Quarters
    open_quarters: int
    site: SiteAt
    link: LinkAt
    before: "Reach | None"


def at_root(site: SiteAt) -> Reach:
    """The empty path of a root to itself."""
    return Reach(0, site, 0, ALL_OPTIONS, ALWAYS, QUARTERS, site, NO_LINK, None)


def spread(graph: SiteGraph, links: EdgeSet, roots: Iterable[SiteAt]) -> dict[SiteAt, Reach]:
    """The shortest-path forest from roots: of each site that can be reached, the path from its nearest root.

    A cheaper path is taken if it is ever open, an equally cheap one if it is open longer; a dearer one never.
    Among equals the one of the site settled first stays: by cost, then by GUID.
    Deviation: TryNewPath lets a dearer path of a longer schedule look better, and an equally cheap one
    that is never open; its comment says what is done here.
    Spec: [MS-ADTS] 6.2.2.3.4.4 (Dijkstra, TryNewPath)
    """
    edges, at_site = graph.edges, links.at_site
    reached = {root: at_root(root) for root in sorted(roots) if root in at_site}
    waiting = set(reached)
    heap = [(0, site) for site in reached]  # sorted, so a heap
    offered: dict[LinkAt, tuple[int, int]] = {}  # by link: cost of the site it was offered from, quarters
    while heap:
        cost, site = heappop(heap)
        if site not in waiting:
            continue
        waiting.discard(site)
        here = reached[site]
        for link in at_site[site]:
            edge = edges[link]
            best = offered.get(link)
            if best is not None and best[0] != cost:
                continue  # offered from nearer
            window = here.window if edge.window == ALWAYS else Quarters(here.window & edge.window)
            open_quarters = here.open_quarters if window == here.window else window.bit_count()
            if not open_quarters or (best is not None and best[1] >= open_quarters):
                continue
            offered[link] = (cost, open_quarters)
            farther = _Offer(here, edge, link, window, open_quarters)
            for neighbour in farther.taken(reached):
                waiting.add(neighbour)
                heappush(heap, (farther.cost, neighbour))
    return reached


class _Offer:
    """A link on from a settled site: what it gives to the other sites of the link."""

    __slots__ = ("cost", "edge", "here", "link", "open_quarters", "window")

    def __init__(self, here: Reach, edge: Edge, link: LinkAt, window: Quarters, open_quarters: int) -> None:
        self.here, self.edge, self.link = here, edge, link
        self.window, self.open_quarters = window, open_quarters
        self.cost = min(here.cost + edge.cost, COST_MAX)

    def taken(self, reached: dict[SiteAt, Reach]) -> list[SiteAt]:
        """The sites for which it is better than what they had; they have it then."""
        cost, open_quarters = self.cost, self.open_quarters
        if cost == COST_MAX:
            return []  # as far as a site that nothing reaches
        took = []
        for site in self.edge.sites:
            was = reached.get(site)
            if was is not None and (
                cost > was.cost or (cost == was.cost and open_quarters <= was.open_quarters)
            ):
                continue
            reached[site] = self._onward(site)
            took.append(site)
        return took

    def _onward(self, site: SiteAt) -> Reach:
        here, edge = self.here, self.edge
        return Reach(
            self.cost,
            here.root,
            max(here.interval_min, edge.interval_min),
            here.options & edge.options,
            self.window,
            self.open_quarters,
            site,
            self.link,
            here,
        )


def path_over(graph: SiteGraph, one: Reach, link: LinkAt, other: Reach) -> Path:
    """The path from the root of `one` over the link to the root of `other`."""
    edge = graph.edges[link]
    if one.before is None and other.before is None:
        return Path(
            (link,),
            (one.site, other.site),
            edge.cost,
            edge.interval_min,
            LinkOption(edge.options),
            edge.window,
        )
    links, sites = _steps(one)
    links.append(link)
    back_links, back_sites = _steps(other)
    return Path(
        links=(*links, *reversed(back_links)),
        sites=(*sites, *reversed(back_sites)),
        cost=min(min(one.cost + other.cost, COST_MAX) + edge.cost, COST_MAX),
        interval_min=max(one.interval_min, other.interval_min, edge.interval_min),
        options=LinkOption(one.options & other.options & edge.options),
        window=Quarters(one.window & other.window & edge.window),
    )


def path_to(reach: Reach) -> Path:
    """The path from the root to the site."""
    links, sites = _steps(reach)
    return Path(
        tuple(links),
        tuple(sites),
        reach.cost,
        reach.interval_min,
        LinkOption(reach.options if links else 0),
        reach.window,
    )


def turned(path: Path) -> Path:
    """The same path the other way."""
    return Path(path.links[::-1], path.sites[::-1], path.cost, path.interval_min, path.options, path.window)


def _steps(reach: Reach) -> tuple[list[LinkAt], list[SiteAt]]:
    """Links and sites from the root to the site."""
    links, sites = [], [reach.site]
    step = reach
    while step.before is not None:
        links.append(step.link)
        step = step.before
        sites.append(step.site)
    return links[::-1], sites[::-1]
