"""Why there is no connection from one DC to another, or no way at all.

Spec: [MS-ADTS] 6.2.2.2, 6.2.2.3.4.4, 6.2.2.5
"""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import replace

from addc.kcc.snapshot import DcAt, DsaOption, NcAt, SiteAt, SiteLink, Snapshot
from addc.kcc.telling.words import counted, dc_name, names, nc_label, site_name, way_words
from addc.kcc.wanted import Action, Plan, Planned, Rule, TreeEdge

_RING: tuple[Rule, ...] = (Rule.RING, Rule.SHORTCUT, Rule.GC_RING)


def why_not_directly(plan: Plan, nc: NcAt, source: DcAt, target: DcAt) -> Iterator[str]:
    """Why changes go by others, where they do arrive."""
    snapshot = plan.snapshot
    between = _between(plan, source, target)
    if between:
        yield from (_unused(snapshot, nc, one) for one in between)
        return
    one, other = snapshot.dcs[source], snapshot.dcs[target]
    if one.site == other.site:
        yield from _in_ring(plan, nc, source, target)
        return
    edges = _tree_way(plan, nc, one.site, other.site)
    if not edges:
        yield "the plan has no tree of sites that joins theirs: connections that are there carry it"
    elif len(edges) == 1:
        path = edges[0].path
        yield (
            f"the cheapest tree of sites joins {site_name(snapshot, one.site)} with "
            f"{site_name(snapshot, other.site)} ({way_words(snapshot, path)}, cost {path.cost}), "
            "and a pair of bridgeheads carries that edge for all DCs of the two sites"
        )
    else:
        yield from _by_other_sites(snapshot, edges, one.site, other.site)


def _between(plan: Plan, source: DcAt, target: DcAt) -> list[Planned]:
    return [
        one
        for one in plan.connections
        if one.source == source and one.target == target and one.action is not Action.DELETE
    ]


def _unused(snapshot: Snapshot, nc: NcAt, one: Planned) -> str:
    """Why a connection that is there is not the way."""
    source = one.target if one.source is None else one.source
    ends = f"{dc_name(snapshot, source)} -> {dc_name(snapshot, one.target)}"
    if not one.is_enabled:
        return f"the connection {ends} is disabled"
    if nc not in one.ncs:
        return f"the connection {ends} does not carry {nc_label(snapshot, nc)}"
    if one.schedule is None or not one.schedule:
        return f"the connection {ends} never starts by itself"
    return f"the connection {ends} is there, but waits longer than the way above"


def _in_ring(plan: Plan, nc: NcAt, source: DcAt, target: DcAt) -> Iterator[str]:
    snapshot = plan.snapshot
    feeds = sorted(
        {
            snapshot.dcs[one.target].name
            for one in plan.connections
            if one.source == source
            and one.action is not Action.DELETE
            and any(reason.rule in _RING and reason.nc == nc for reason in one.reasons)
        }
    )
    yield (
        "within a site each DC feeds its neighbours in the ring by GUID and, where three hops need it, a few "
        f"more [6.2.2.2]; {snapshot.dcs[source].name} feeds {names(feeds) or 'nobody'}, not "
        f"{snapshot.dcs[target].name}"
    )


def _by_other_sites(
    snapshot: Snapshot, edges: Sequence[TreeEdge], one: SiteAt, other: SiteAt
) -> Iterator[str]:
    stops = [site_name(snapshot, one)]
    at = one
    for edge in edges:
        at = edge.target if edge.source == at else edge.source
        stops.append(site_name(snapshot, at))
    yield f"the cheapest tree of sites leads {' - '.join(stops)} [6.2.2.3.4]:"
    at = one
    for edge in edges:
        path = edge.path
        if edge.source != at:
            path = replace(path, links=path.links[::-1], sites=path.sites[::-1])
        yield f"  {way_words(snapshot, path)}, cost {path.cost}"
        at = edge.target if edge.source == at else edge.source
    link = _link_between(snapshot, one, other)
    if link is not None:
        yield f"site link {link.name} joins them at cost {link.cost}: an edge over it would close a circle"


def _link_between(snapshot: Snapshot, one: SiteAt, other: SiteAt) -> SiteLink | None:
    found = [link for link in snapshot.links if one in link.sites and other in link.sites]
    return min(found, key=lambda link: link.cost, default=None)


def _tree_way(plan: Plan, nc: NcAt, start: SiteAt, end: SiteAt) -> list[TreeEdge]:
    """The edges of the naming context's tree from one site to another; [] without a way."""
    for tree in plan.trees:
        if nc not in tree.ncs:
            continue
        around: dict[SiteAt, list[TreeEdge]] = {}
        for edge in tree.edges:
            around.setdefault(edge.source, []).append(edge)
            around.setdefault(edge.target, []).append(edge)
        by: dict[SiteAt, TreeEdge | None] = {start: None}
        queue = deque([start])
        while queue and end not in by:
            at = queue.popleft()
            for edge in around.get(at, ()):
                to = edge.target if edge.source == at else edge.source
                if to not in by:
                    by[to] = edge
                    queue.append(to)
        if end in by:
            return _followed(by, end)
    return []


def _followed(by: dict[SiteAt, TreeEdge | None], end: SiteAt) -> list[TreeEdge]:
    """Back from the end."""
    edges: list[TreeEdge] = []
    edge = by[end]
    while edge is not None:
        edges.append(edge)
        end = edge.source if edge.target == end else edge.target
        edge = by[end]
    return edges[::-1]


# --- no way at all -----------------------------------------------------------------------------------------


def why_not_at_all(plan: Plan, nc: NcAt, source: DcAt, target: DcAt) -> Iterator[str]:
    """Why changes of one DC never get to another."""
    snapshot = plan.snapshot
    told = False
    for dc, bit, so in (
        (source, DsaOption.DISABLE_OUTBOUND_REPL, "outbound replication is disabled there"),
        (target, DsaOption.DISABLE_INBOUND_REPL, "inbound replication is disabled there"),
    ):
        if snapshot.dcs[dc].options & bit:
            told = True
            yield f"{dc_name(snapshot, dc)}: {so}"
    if snapshot.dcs[source].is_read_only:
        told = True
        yield f"{dc_name(snapshot, source)} is read-only: nobody copies from it"
    sites = {snapshot.dcs[source].site, snapshot.dcs[target].site}
    for one in plan.unreachable:
        if nc in one.ncs and sites.intersection(one.sites):
            told = True
            listed = names([site_name(snapshot, site) for site in one.sites], 5)
            yield f"{counted(len(one.sites), 'site')} ({listed}) cannot be joined to the rest: {one.why}"
    for edge in _between(plan, source, target):
        told = True
        yield _unused(snapshot, nc, edge)
    if not told:
        yield (
            f"no chain of connections that carry {nc_label(snapshot, nc)} leads from "
            f"{dc_name(snapshot, source)} to {dc_name(snapshot, target)}"
        )
