"""What the documents say about a forest, worked out slowly and to the letter, beside the planner.

Nothing here comes from the planner's own modules but its input. Small forests only: the site graph is the
pseudocode of [MS-ADTS] 6.2.2.3.4.4, step by step.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from enum import IntEnum
from functools import cached_property
from typing import Final

from addc.base.clock import HOUR_FT
from addc.codec.schedule import ALWAYS, NEVER, Quarters
from addc.kcc.snapshot import (
    BEHAVIOR_WIN2008,
    DcAt,
    LinkAt,
    LinkOption,
    NcAt,
    NcKind,
    Replica,
    SiteAt,
    SiteOption,
    Snapshot,
    TransportOption,
)

_STALE_AFTER: Final = 2 * HOUR_FT
_COST_MAX: Final = 0xFFFFFFFF
_ALL_OPTIONS: Final = LinkOption(7)


class Colour(IntEnum):
    """Of a site, for one naming context."""

    RED = 0
    BLACK = 1
    WHITE = 2


@dataclass(frozen=True, slots=True)
class Info:
    """What holds along a path: REPLINFO."""

    cost: int = 0
    interval_min: int = 0
    options: LinkOption = _ALL_OPTIONS
    window: Quarters = ALWAYS

    def then(self, other: "Info") -> "Info | None":
        """CombineReplInfo; None where the two are never open together."""
        window = Quarters(self.window & other.window)
        if window == NEVER:
            return None
        return Info(
            min(self.cost + other.cost, _COST_MAX),
            max(self.interval_min, other.interval_min),
            self.options & other.options,
            window,
        )


@dataclass(frozen=True, slots=True)
class Edge:
    """Of a tree: from `first` to `second` only where is_one_way, else both ways."""

    first: SiteAt
    second: SiteAt
    info: Info
    is_one_way: bool = False

    def into(self, site: SiteAt) -> SiteAt | None:
        """The site that `site` replicates from by this edge."""
        if site == self.second:
            return self.first
        return self.second if site == self.first and not self.is_one_way else None


@dataclass(frozen=True, slots=True)
class Tree:
    """edges: of the tree; reds, blacks: the sites; joined: sets of red sites that reach each other."""

    edges: tuple[Edge, ...]
    reds: frozenset[SiteAt]
    blacks: frozenset[SiteAt]
    joined: tuple[frozenset[SiteAt], ...]

    @property
    def is_complete(self) -> bool:
        """CountComponents gives one at most: every coloured site is joined, be it one-way."""
        waiting = set(self.reds | self.blacks)
        found = {min(waiting)} if waiting else set()
        for _ in self.edges:
            for edge in self.edges:
                if {edge.first, edge.second} & found:
                    found |= {edge.first, edge.second}
        return found >= waiting

    @property
    def cost(self) -> int:
        return sum(edge.info.cost for edge in self.edges)


@dataclass(frozen=True, slots=True)
class Variant:
    """How a site is told to see the network."""

    is_bridged: bool
    is_scheduled: bool


@dataclass(slots=True)
class _Vertex:
    colour: Colour
    accepts: bool
    info: Info = field(default_factory=Info)
    root: SiteAt | None = None
    component: SiteAt | None = None


@dataclass(frozen=True, slots=True)
class _Link:
    at: LinkAt
    sites: tuple[SiteAt, ...]
    info: Info


@dataclass(frozen=True)
class Reference:
    """The rules' answers for one snapshot."""

    snapshot: Snapshot

    @cached_property
    def by_site(self) -> list[list[DcAt]]:
        return self.snapshot.dcs_by_site()

    def failed(self, viewer: SiteAt) -> frozenset[DcAt]:
        """DCs that this site's ISTG routes around: silent for over two hours, unless it is not to look."""
        if self.snapshot.sites[viewer].options & SiteOption.IS_TOPL_DETECT_STALE_DISABLED:
            return frozenset()
        return self.silent

    @cached_property
    def silent(self) -> frozenset[DcAt]:
        found = set()
        for at, dc in enumerate(self.snapshot.dcs):
            failure = self.snapshot.failures.get(dc.guid)
            if failure and failure.count > 1 and self.snapshot.now - failure.first > _STALE_AFTER:
                found.add(DcAt(at))
        return frozenset(found)

    def variant(self, site: SiteAt) -> Variant:
        transport = self.snapshot.transport_options
        options = self.snapshot.sites[site].options
        needs_bridges = bool(
            transport & TransportOption.BRIDGES_REQUIRED or options & SiteOption.W2K3_BRIDGES_REQUIRED
        )
        ignores = bool(
            transport & TransportOption.IGNORE_SCHEDULES or options & SiteOption.W2K3_IGNORE_SCHEDULES
        )
        return Variant(is_bridged=not needs_bridges, is_scheduled=not ignores)

    def colour(self, nc: NcAt, site: SiteAt) -> Colour:
        held = [
            self.snapshot.dcs[dc].held.get(nc)
            for dc in self.by_site[site]
            if not self.snapshot.dcs[dc].is_read_only
        ]
        if Replica.WRITABLE in held:
            return Colour.RED
        return Colour.BLACK if Replica.PARTIAL in held else Colour.WHITE

    def is_settled(self, nc: NcAt) -> bool:
        """Every DC holds just what it should of it: nothing is on its way in or out."""
        return all(dc.held.get(nc) == dc.due.get(nc) for dc in self.snapshot.dcs)

    def candidates(self, nc: NcAt, site: SiteAt, colour: Colour, gone: Collection[DcAt] = ()) -> list[DcAt]:
        """DCs that may be a bridgehead there: preferred ones where one holds it; none of `gone`."""
        holding = [
            at
            for at in self.by_site[site]
            if not self.snapshot.dcs[at].is_read_only
            and (
                self.snapshot.dcs[at].held.get(nc) is Replica.WRITABLE
                or (colour is Colour.BLACK and nc in self.snapshot.dcs[at].held)
            )
        ]
        preferred = [at for at in holding if self.snapshot.dcs[at].is_preferred]
        return [at for at in preferred or holding if at not in gone]

    def links(self, variant: Variant) -> list[_Link]:
        return [
            _Link(
                LinkAt(at),
                tuple(sorted(set(link.sites))),
                Info(
                    link.cost,
                    link.interval_min,
                    link.options & _ALL_OPTIONS,
                    link.window if variant.is_scheduled else ALWAYS,
                ),
            )
            for at, link in enumerate(self.snapshot.links)
        ]

    def edge_sets(self, variant: Variant) -> list[frozenset[LinkAt]]:
        """Links over which paths go on."""
        if variant.is_bridged:
            return [frozenset(LinkAt(at) for at in range(len(self.snapshot.links)))]
        return [frozenset(bridge.links) for bridge in self.snapshot.bridges]

    def tree(self, nc: NcAt, variant: Variant, gone: Collection[DcAt] = ()) -> Tree:
        """GetSpanningTreeEdges, for all sites at once, without the DCs that are gone."""
        return _Graph(self, nc, variant, gone).tree()

    def source_may_feed(self, source: DcAt, target: DcAt, nc: NcAt) -> bool:
        """Whether a connection "implies" a tuple in repsFrom, 6.2.2.5."""
        held = self.snapshot.dcs[source].held.get(nc)
        due = self.snapshot.dcs[target].due.get(nc)
        if held is None or due is None:
            return False
        return held is Replica.WRITABLE or due is Replica.PARTIAL

    def implied(self, source: DcAt, target: DcAt) -> frozenset[NcAt]:
        return frozenset(
            nc for nc in self.snapshot.dcs[target].due if self.source_may_feed(source, target, nc)
        )

    def ring_sources(self, target: DcAt, nc: NcAt, *, detect: bool, gcs_only: bool = False) -> set[DcAt]:
        """The DCs whose ring edges for the NC come to this one, 6.2.2.2 steps 1 to 3."""
        ring = self.ring(target, nc, detect=detect, gcs_only=gcs_only)
        place = ring.index(target)
        around = {ring[place - 1], ring[(place + 1) % len(ring)]} - {target}
        partial = self.snapshot.dcs[target].due[nc] is Replica.PARTIAL
        return {dc for dc in around if partial or self.snapshot.dcs[dc].held.get(nc) is not Replica.PARTIAL}

    def ring(self, target: DcAt, nc: NcAt, *, detect: bool, gcs_only: bool = False) -> list[DcAt]:
        """R of 6.2.2.2, in GUID order."""
        local = self.snapshot.dcs[target]
        wanted = {Replica.WRITABLE} | ({Replica.PARTIAL} if local.due[nc] is Replica.PARTIAL else set())
        needs_2008 = local.due[nc] is Replica.READ_ONLY and self.snapshot.ncs[nc].kind is NcKind.DOMAIN
        found = [target]
        for at in self.by_site[local.site]:
            dc = self.snapshot.dcs[at]
            if at == target or dc.is_read_only or dc.held.get(nc) not in wanted:
                continue
            if (detect and self._is_stale(at)) or (gcs_only and not dc.is_gc):
                continue
            if not (needs_2008 and dc.behavior_version < BEHAVIOR_WIN2008):
                found.append(at)
        return sorted(found, key=lambda at: self.snapshot.dcs[at].guid)

    def _is_stale(self, at: DcAt) -> bool:
        dc = self.snapshot.dcs[at]
        failure = self.snapshot.failures.get(dc.guid)
        if failure is None or not failure.count:
            return False
        if self.snapshot.sites[dc.site].options & SiteOption.IS_TOPL_DETECT_STALE_DISABLED:
            return False
        return self.snapshot.now - failure.first > _STALE_AFTER


class _Graph:
    """The site graph of one naming context, [MS-ADTS] 6.2.2.3.4.1 to 6.2.2.3.4.4."""

    def __init__(self, reference: Reference, nc: NcAt, variant: Variant, gone: Collection[DcAt]) -> None:
        self.links = reference.links(variant)
        self.sets = reference.edge_sets(variant)
        self.vertices: list[_Vertex] = []
        self.internal: dict[tuple[SiteAt, SiteAt, Info], bool] = {}
        for at in range(len(reference.snapshot.sites)):
            colour = reference.colour(nc, SiteAt(at))
            candidates = reference.candidates(nc, SiteAt(at), colour, gone)
            self.vertices.append(_Vertex(colour, colour is not Colour.WHITE and bool(candidates)))

    def tree(self) -> Tree:
        for edges in self.sets:
            chained = [link for link in self.links if link.at in edges]
            for with_black in (False, True):
                self._setup(with_black)
                self._dijkstra(chained)
                for link in chained:
                    self._process(link)
        self._setup(with_black=True)
        for link in self.links:
            self._process(link)
        return self._kruskal()

    def _setup(self, with_black: bool) -> None:
        for at, vertex in enumerate(self.vertices):
            is_root = vertex.accepts and (with_black or vertex.colour is Colour.RED)
            vertex.info = Info() if is_root else Info(cost=_COST_MAX, window=NEVER)
            vertex.root = vertex.component = SiteAt(at) if is_root else None

    def _dijkstra(self, links: Sequence[_Link]) -> None:
        waiting = {at for at, vertex in enumerate(self.vertices) if vertex.root is not None}
        while waiting:
            here = min(waiting, key=lambda at: (self.vertices[at].info.cost, at))
            waiting.remove(here)
            for link in links:
                if SiteAt(here) in link.sites:
                    waiting |= {at for at in link.sites if self._try(self.vertices[here], link, at)}

    def _try(self, nearer: _Vertex, link: _Link, at: SiteAt) -> bool:
        """TryNewPath: whether the vertex there has a better path now."""
        vertex = self.vertices[at]
        new = nearer.info.then(link.info)
        if new is None or new.cost > vertex.info.cost:
            return False
        if new.cost == vertex.info.cost and new.window.bit_count() <= vertex.info.window.bit_count():
            return False
        vertex.info, vertex.root, vertex.component = new, nearer.root, nearer.component
        return True

    def _process(self, link: _Link) -> None:
        """ProcessEdge; a vertex that no root reaches is none to start from, whatever its colour."""
        reached = [at for at in link.sites if self.vertices[at].root is not None]
        if not reached:
            return
        best = min(reached, key=lambda at: (self.vertices[at].colour, self.vertices[at].info.cost, at))
        for at in reached:
            if self.vertices[at].component != self.vertices[best].component:
                self._add(self.vertices[best], self.vertices[at], link)

    def _add(self, one: _Vertex, other: _Vertex, link: _Link) -> None:
        """AddIntEdge."""
        between = one.info.then(other.info)
        info = between.then(link.info) if between else None
        if info is None or one.root is None or other.root is None:
            return
        low, high = sorted((one.root, other.root))
        is_red = self.vertices[low].colour is self.vertices[high].colour is Colour.RED
        self.internal[low, high, info] = is_red

    def _kruskal(self) -> Tree:
        up = list(range(len(self.vertices)))

        def top(at: int) -> int:
            while up[at] != at:
                at = up[at]
            return at

        taken: list[tuple[SiteAt, SiteAt, Info]] = []
        for (low, high, info), _ in sorted(
            self.internal.items(),
            key=lambda item: (
                not item[1],
                item[0][2].cost,
                -item[0][2].window.bit_count(),
                item[0][:2],
            ),
        ):
            if top(low) != top(high):
                up[top(low)] = top(high)
                taken.append((low, high, info))
        return self._finished(taken)

    def _finished(self, taken: list[tuple[SiteAt, SiteAt, Info]]) -> Tree:
        reds = frozenset(SiteAt(at) for at, one in enumerate(self.vertices) if one.colour is Colour.RED)
        blacks = frozenset(SiteAt(at) for at, one in enumerate(self.vertices) if one.colour is Colour.BLACK)
        distance = {at: 0 for at in reds}
        for _ in taken:
            for low, high, _ in taken:
                for near, far in ((low, high), (high, low)):
                    if near in distance:
                        distance[far] = min(distance.get(far, len(taken) + 1), distance[near] + 1)
        edges = []
        for low, high, info in taken:
            is_one_way = bool({low, high} & blacks)
            first, second = low, high
            if is_one_way and distance.get(high, _COST_MAX) < distance.get(low, _COST_MAX):
                first, second = high, low
            edges.append(Edge(first, second, info, is_one_way))
        return Tree(tuple(edges), reds, blacks, tuple(_joined(reds, edges)))


def _joined(reds: Iterable[SiteAt], edges: Iterable[Edge]) -> Iterator[frozenset[SiteAt]]:
    """Red sites that exchange changes both ways, over edges between red sites alone."""
    waiting = set(reds)
    both_ways = [edge for edge in edges if not edge.is_one_way]
    while waiting:
        found = {min(waiting)}
        for _ in range(len(waiting)):
            for edge in both_ways:
                if {edge.first, edge.second} & found:
                    found |= {edge.first, edge.second}
        waiting -= found
        yield frozenset(found)


def without_windows(snapshot: Snapshot) -> Snapshot:
    """The same forest with every link always open."""
    return replace(snapshot, links=tuple(replace(link, window=ALWAYS) for link in snapshot.links))
