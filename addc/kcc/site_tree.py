"""The least-cost tree of the sites of a naming context.

Spec: [MS-ADTS] 6.2.2.3.4.4 (GetSpanningTreeEdges, ProcessEdgeSet, Kruskal, CopyOutputEdges)
"""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from addc.codec.schedule import ALWAYS, QUARTERS
from addc.kcc.site_graph import (
    COST_MAX,
    Colour,
    Colouring,
    EdgeSet,
    Reach,
    SiteGraph,
    at_root,
    path_over,
    path_to,
    spread,
    turned,
)
from addc.kcc.snapshot import LinkAt, SiteAt
from addc.kcc.wanted import Path, TreeEdge


@dataclass(frozen=True, slots=True)
class Grown:
    """A tree: its edges in the order in which they were taken, and the coloured sites that it joins together.

    In components a site that holds nothing writable joins no two groups of sites that do: it cannot carry
    changes from one to the other, though it may be fed by both.
    """

    edges: tuple[TreeEdge, ...]
    components: tuple[tuple[SiteAt, ...], ...]


class _Way(NamedTuple):
    """A path between two coloured sites (INTERNALEDGE), in the order that Kruskal takes them. place: where in
    the order of finding; it settles what the text leaves open (equal paths over different links)."""

    has_black_end: bool
    cost: int
    minus_open: int
    low: SiteAt
    high: SiteAt
    place: int
    one: Reach
    link: LinkAt
    other: Reach


def grow(graph: SiteGraph, colouring: Colouring) -> Grown:
    """The tree of the coloured sites: red ones joined at least cost, black ones hung on.

    Spec: [MS-ADTS] 6.2.2.3.4.4 (GetSpanningTreeEdges)
    """
    red, black = roots(colouring)
    search = _Search(graph, colouring.colours)
    for edge_set in graph.sets:
        search.collect(edge_set, spread(graph, edge_set, red))
        if black:
            search.collect(edge_set, spread(graph, edge_set, red + black))
    search.collect(graph.everything, {site: at_root(site) for site in sorted(red + black)})
    taken = _kruskal(sorted(search.ways), len(colouring.colours))
    edges = _directed(graph, colouring, taken)
    return Grown(edges, _components(colouring, edges))


def roots(colouring: Colouring) -> tuple[list[SiteAt], list[SiteAt]]:
    """Red and black sites that accept edges."""
    red, black = [], []
    for at, (colour, accepts) in enumerate(zip(colouring.colours, colouring.accepts, strict=True)):
        if accepts and colour == Colour.RED:
            red.append(SiteAt(at))
        elif accepts and colour == Colour.BLACK:
            black.append(SiteAt(at))
    return red, black


class _Search:
    """Finds paths between the trees of shortest-path forests (ProcessEdgeSet)."""

    __slots__ = ("colours", "graph", "ways")

    def __init__(self, graph: SiteGraph, colours: bytes) -> None:
        self.graph, self.colours = graph, colours
        self.ways: list[_Way] = []

    def collect(self, edge_set: EdgeSet, reached: Mapping[SiteAt, Reach]) -> None:
        """Of each link: paths from the tree of its best site to those of all its others (ProcessEdge)."""
        for link in edge_set.links:
            best = self._best(self.graph.edges[link].sites, reached)
            if best is None:
                continue
            for site in self.graph.edges[link].sites:
                other = reached.get(site)
                if other is not None and other.root != best.root:
                    self._add(best, link, other)

    def _best(self, sites: Sequence[SiteAt], reached: Mapping[SiteAt, Reach]) -> Reach | None:
        """What is known of the site that comes first by colour, cost and GUID; None if it was not reached."""
        colours = self.colours
        best: Reach | None = None
        first = (Colour.WHITE + 1, COST_MAX)
        for site in sites:  # in GUID order
            reach = reached.get(site)
            rank = (colours[site], COST_MAX if reach is None else reach.cost)
            if rank < first:
                first, best = rank, reach
        return best

    def _add(self, one: Reach, link: LinkAt, other: Reach) -> None:
        """A path between two roots, unless it is never open (AddIntEdge)."""
        edge = self.graph.edges[link]
        if edge.window == one.window == other.window == ALWAYS:
            minus_open = -QUARTERS
        else:
            open_quarters = (edge.window & one.window & other.window).bit_count()
            if not open_quarters:
                return
            minus_open = -open_quarters
        colours, a, b = self.colours, one.root, other.root
        self.ways.append(
            _Way(
                bool(colours[a] or colours[b]),
                min(one.cost + other.cost + edge.cost, COST_MAX),
                minus_open,
                min(a, b),
                max(a, b),
                len(self.ways),
                one,
                link,
                other,
            )
        )


def _kruskal(ways: Iterable[_Way], site_count: int) -> list[_Way]:
    """Those that join what was apart, in their order.

    Deviation: the text stops after as many edges as there are red and white sites, which would leave out
    black ones; it ends by itself.
    Spec: [MS-ADTS] 6.2.2.3.4.4 (Kruskal)
    """
    groups = _Groups(site_count)
    return [way for way in ways if groups.join(way.low, way.high)]


class _Groups:
    """Sites that are joined (GetComponentID)."""

    __slots__ = ("above",)

    def __init__(self, count: int) -> None:
        self.above = list(range(count))

    def head(self, site: int) -> int:
        above = self.above
        while above[site] != site:
            above[site] = above[above[site]]
            site = above[site]
        return site

    def join(self, one: int, other: int) -> bool:
        """Whether they were apart."""
        first, second = self.head(one), self.head(other)
        self.above[first] = second
        return first != second


def _directed(graph: SiteGraph, colouring: Colouring, taken: Sequence[_Way]) -> tuple[TreeEdge, ...]:
    """The edges of the tree; those with a black end lead away from the red sites (CopyOutputEdges)."""
    far = _steps_from_red(colouring, taken) if any(way.has_black_end for way in taken) else {}
    edges = []
    for way in taken:
        path = path_over(graph, way.one, way.link, way.other)
        source, target = way.low, way.high
        is_one_way = way.has_black_end and source in far
        if is_one_way and far[target] < far[source]:
            source, target = target, source
        if path.sites[0] != source:
            path = turned(path)
        edges.append(TreeEdge(source, target, path, is_one_way))
    return tuple(edges)


def _steps_from_red(colouring: Colouring, taken: Sequence[_Way]) -> dict[SiteAt, int]:
    """How many edges of the tree a site is away from the nearest red one; black ones without a way are
    absent.
    """
    beside: dict[SiteAt, list[SiteAt]] = {}
    for way in taken:
        beside.setdefault(way.low, []).append(way.high)
        beside.setdefault(way.high, []).append(way.low)
    far = {SiteAt(at): 0 for at, colour in enumerate(colouring.colours) if colour == Colour.RED}
    queue = deque(far)
    while queue:
        site = queue.popleft()
        for neighbour in beside.get(site, ()):
            if neighbour not in far:
                far[neighbour] = far[site] + 1
                queue.append(neighbour)
    return far


def _components(colouring: Colouring, edges: Iterable[TreeEdge]) -> tuple[tuple[SiteAt, ...], ...]:
    """Coloured sites by what joins them. Red-red edges come first in the tree; a black one joins a red group
    once, as what it feeds, and never two of them."""
    colours = colouring.colours
    groups = _Groups(len(colours))
    has_red = [colour == Colour.RED for colour in colours]
    for edge in edges:
        first, second = groups.head(edge.source), groups.head(edge.target)
        if has_red[first] and has_red[second] and edge.is_one_way:
            continue
        groups.join(first, second)
        has_red[groups.head(second)] = has_red[first] or has_red[second]
    found: dict[int, list[SiteAt]] = {}
    for at, colour in enumerate(colours):
        if colour != Colour.WHITE:
            found.setdefault(groups.head(at), []).append(SiteAt(at))
    return tuple(tuple(sites) for sites in found.values())


class Nearest:
    """The nearest of some sites to a site that is to be hung on as a leaf (read-only DCs).

    Paths obey the same rules as those of the tree: links that may follow one another, or one link alone.
    """

    __slots__ = ("_forests", "_graph", "_roots")

    def __init__(self, graph: SiteGraph, among: Iterable[SiteAt]) -> None:
        self._graph = graph
        self._roots = frozenset(among)
        self._forests = [spread(graph, edge_set, self._roots) for edge_set in graph.sets]

    def path(self, site: SiteAt) -> Path | None:
        """From the nearest of them to the site: by cost, then longest open, then GUID. None without a way."""
        found = [reach for forest in self._forests if (reach := forest.get(site)) is not None]
        if self._graph.everything not in self._graph.sets:
            found += self._direct(site)
        if not found:
            return None
        return path_to(min(found, key=lambda reach: (reach.cost, -reach.open_quarters, reach.root)))

    def _direct(self, site: SiteAt) -> list[Reach]:
        """Over one link alone."""
        found = []
        for link in self._graph.everything.at_site.get(site, ()):
            edge = self._graph.edges[link]
            found += [
                Reach(
                    edge.cost,
                    root,
                    edge.interval_min,
                    edge.options,
                    edge.window,
                    edge.open_quarters,
                    site,
                    link,
                    at_root(root),
                )
                for root in edge.sites
                if root in self._roots and root != site and edge.open_quarters
            ]
        return found
