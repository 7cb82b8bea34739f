"""The tree of sites as the pseudocode of the document computes it, step by step and pair by pair: slow,
short, and independent of addc.kcc's own. Where the text is known to be wrong, the step says so.

Spec: [MS-ADTS] 6.2.2.3.4.4
"""

from dataclasses import dataclass, field
from itertools import count

MAX_DWORD = 0xFFFFFFFF
WEEK = (1 << 672) - 1
RED, BLACK, WHITE = 0, 1, 2


@dataclass(frozen=True)
class ReplInfo:
    cost: int = 0
    interval: int = 0
    options: int = 0xFFFFFFFF
    schedule: int = WEEK

    @property
    def duration(self) -> int:
        return self.schedule.bit_count()


@dataclass
class Vertex:
    id: int
    color: int
    accepts: bool
    edges: list["MultiEdge"] = field(default_factory=list)
    info: ReplInfo = field(default_factory=ReplInfo)
    root: int | None = None
    component: int | None = None
    dist_to_red: int = MAX_DWORD


@dataclass
class MultiEdge:
    id: int
    vertices: list[int]
    info: ReplInfo


@dataclass(frozen=True)
class InternalEdge:
    v1: int
    v2: int
    red_red: bool
    info: ReplInfo


@dataclass(frozen=True)
class OutEdge:
    source: int
    target: int
    is_directed: bool
    info: ReplInfo


class Book:
    """edge_sets: links by place, of each bridge or the one implied."""

    def __init__(self, vertices: list[Vertex], edges: list[MultiEdge], edge_sets: list[list[int]]) -> None:
        self.vertices, self.edges, self.edge_sets = vertices, edges, edge_sets

    def tree(self) -> tuple[list[OutEdge], int]:
        """GetSpanningTreeEdges, of all sites and not only the local one's; and the number of components."""
        internal: list[InternalEdge] = []
        for edge_set in self.edge_sets:
            chosen = [e for e in self.edges if e.id in edge_set]
            for v in self.vertices:
                v.edges = [e for e in chosen if v.id in e.vertices]
            for include_black in (False, True):
                self.dijkstra(include_black)
                for e in chosen:
                    self.process_edge(e, internal)
        self.setup_vertices()
        for e in self.edges:
            for v in self.members(e):
                if v.color != WHITE and not v.accepts:
                    v.info, v.root = ReplInfo(cost=MAX_DWORD), None
            self.process_edge(e, internal)
            for v in self.members(e):
                if v.color != WHITE:
                    v.info, v.root = ReplInfo(), v.id
        out = self.kruskal(internal)
        self.measure(out)
        components = sum(v.color != WHITE and self.component(v) == v.id for v in self.vertices)
        return [self.direct(e) for e in out], components

    def members(self, e: MultiEdge) -> list[Vertex]:
        return [v for v in self.vertices if v.id in e.vertices]

    def setup_vertices(self) -> None:
        for v in self.vertices:
            if v.color == WHITE:
                v.info, v.root, v.component = ReplInfo(cost=MAX_DWORD), None, None
            else:
                v.info, v.root, v.component = ReplInfo(), v.id, v.id

    def dijkstra(self, include_black: bool) -> None:
        self.setup_vertices()
        vs = []
        for v in self.vertices:
            if v.color == WHITE:
                continue
            if (v.color == BLACK and not include_black) or not v.accepts:
                v.info, v.root = ReplInfo(cost=MAX_DWORD), None
            else:
                vs.append(v)
        while vs:
            u = min(vs, key=lambda v: (v.info.cost, v.id))
            vs.remove(u)
            for e in u.edges:
                for v in self.members(e):
                    self.try_new_path(vs, u, e, v)

    def try_new_path(self, vs: list[Vertex], u: Vertex, e: MultiEdge, v: Vertex) -> None:
        info = combined(u.info, e.info)
        if info is None:  # the text lets an equally cheap path pass here that is never open
            return
        if info.cost > v.info.cost:
            return
        if info.cost < v.info.cost or info.duration > v.info.duration:
            v.root, v.component, v.info = u.root, u.component, info
            vs.append(v)

    def process_edge(self, e: MultiEdge, internal: list[InternalEdge]) -> None:
        members = self.members(e)
        if not members:
            return
        best = min(members, key=lambda v: (v.color, v.info.cost, v.id))
        for v in members:
            # the text skips those that HAVE a root and a component
            if v.component is None or v.root is None or best.component is None or best.root is None:
                continue
            if best.component != v.component:
                self.add_int_edge(e, best, v, internal)

    def add_int_edge(self, e: MultiEdge, v1: Vertex, v2: Vertex, internal: list[InternalEdge]) -> None:
        assert v1.root is not None and v2.root is not None
        root1, root2 = self.vertices[v1.root], self.vertices[v2.root]
        if not root1.accepts or not root2.accepts:
            return
        ri = combined(v1.info, v2.info)
        ri2 = None if ri is None else combined(ri, e.info)
        if ri2 is None:
            return
        low, high = sorted((root1.id, root2.id))
        edge = InternalEdge(low, high, root1.color == root2.color == RED, ri2)
        if edge not in internal:
            internal.append(edge)

    def kruskal(self, internal: list[InternalEdge]) -> list[InternalEdge]:
        internal.sort(key=lambda e: (not e.red_red, e.info.cost, -e.info.duration, e.v1, e.v2))
        out = []
        for e in internal:  # the text stops early, counting white sites where it means black ones
            comp1 = self.component(self.vertices[e.v1])
            comp2 = self.component(self.vertices[e.v2])
            if comp1 != comp2:
                out.append(e)
                self.vertices[comp1].component = comp2
        return out

    def component(self, v: Vertex) -> int:
        while v.component != v.id:
            assert v.component is not None
            v = self.vertices[v.component]
        return v.id

    def measure(self, out: list[InternalEdge]) -> None:
        for v in self.vertices:
            v.dist_to_red = 0 if v.color == RED else MAX_DWORD
        for _ in self.vertices:
            for e in out:
                a, b = self.vertices[e.v1], self.vertices[e.v2]
                a.dist_to_red = min(a.dist_to_red, b.dist_to_red + 1)
                b.dist_to_red = min(b.dist_to_red, a.dist_to_red + 1)

    def direct(self, e: InternalEdge) -> OutEdge:
        v, w = self.vertices[e.v1], self.vertices[e.v2]
        is_directed = BLACK in {v.color, w.color} and v.dist_to_red < MAX_DWORD
        if is_directed and w.dist_to_red < v.dist_to_red:
            v, w = w, v
        return OutEdge(v.id, w.id, is_directed, e.info)


def combined(a: ReplInfo, b: ReplInfo) -> ReplInfo | None:
    """CombineReplInfo."""
    schedule = a.schedule & b.schedule
    if not schedule:
        return None
    return ReplInfo(
        min(a.cost + b.cost, MAX_DWORD), max(a.interval, b.interval), a.options & b.options, schedule
    )


def book_of(
    colors: list[int],
    accepts: list[bool],
    links: list[tuple[list[int], int, int, int, int]],
    bridges: list[list[int]] | None,
) -> Book:
    """links: sites, cost, interval, options, schedule. bridges: None where all links are bridged."""
    places = count()
    edges = [
        MultiEdge(next(places), sites, ReplInfo(cost, interval, options, schedule))
        for sites, cost, interval, options, schedule in links
    ]
    vertices = [Vertex(at, color, ok) for at, (color, ok) in enumerate(zip(colors, accepts, strict=True))]
    return Book(vertices, edges, [list(range(len(edges)))] if bridges is None else bridges)
