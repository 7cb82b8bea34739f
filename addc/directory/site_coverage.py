"""Which sites are near: those that a DC speaks for, and where clients go when their own site has none.

Every DC computes this from the same objects and decides its own share alone; ties end the same everywhere.
One run tells it for all sites at once. A link is a node between its sites, so that its size counts once and
is not squared.

Spec: [MS-ADTS] 6.3.1.10 (PerformAutoSiteCoverage), 6.1.1.2.2.3 (site links), 6.2.2.3.4 (costs of paths);
[MS-DRSR] 4.1.16.3 (what the way from site to site costs).
"""

import heapq
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from addc.base.ids import Dnt


@dataclass(frozen=True, slots=True)
class SiteLink:
    """Sites that reach each other at a cost."""

    sites: frozenset[Dnt]
    cost: int


@dataclass(frozen=True, slots=True)
class Topology:
    """Sites by row, their names, and how they are linked.

    bridges: groups of links (by place in `links`) across which paths go on; None where all links are bridged.
    """

    sites: Mapping[Dnt, str]
    links: tuple[SiteLink, ...] = ()
    bridges: tuple[frozenset[int], ...] | None = None


@dataclass(frozen=True, slots=True)
class Placed:
    """What a site has of the DCs that count: all, and the writable ones, which may speak for others."""

    count: int
    writable: int


_NONE = Placed(0, 0)
_Reached = list[tuple[int, int]]
"""Roots within reach as (cost, place in their order), nearest first."""


def covered(topology: Topology, placed: Mapping[Dnt, Placed], own: Dnt) -> tuple[str, ...]:
    """The names of the sites that the DCs of `own` cover beside it, in alphabetical order.

    A site has the cheapest-connected site with a writable DC; among several the one with the most DCs, then
    the first by name. A site that no link leads to is nobody's.
    """
    if placed.get(own, _NONE).writable == 0 or own not in topology.sites:
        return ()
    roots = [site for site in topology.sites if placed.get(site, _NONE).writable]
    roots.sort(key=lambda one: (-placed[one].count, topology.sites[one].casefold(), one))
    near, rank = _nearest(topology, roots, 1), roots.index(own)
    found = [
        name
        for site, name in topology.sites.items()
        if not placed.get(site, _NONE).count and site in near and near[site][0][1] == rank
    ]
    return tuple(sorted(found, key=str.casefold))


def next_closest(topology: Topology, candidates: Iterable[Dnt]) -> dict[Dnt, Dnt]:
    """For each site the candidate at least cost that is another site; the first by name among several.

    Sites that no candidate can be reached from are not in it. Spec: [MS-ADTS] 6.3.3.2 (NextClosestSiteName).
    """
    roots = [site for site in candidates if site in topology.sites]
    roots.sort(key=lambda one: (topology.sites[one].casefold(), one))
    found: dict[Dnt, Dnt] = {}
    for site, reached in _nearest(topology, roots, 2).items():
        other = next((roots[rank] for _, rank in reached if roots[rank] != site), None)
        if other is not None:
            found[site] = other
    return found


def costs_from(topology: Topology, start: Dnt) -> dict[Dnt, int]:
    """What it costs to reach each site that can be reached; paths do not leave a group of bridged links."""
    return {site: reached[0][0] for site, reached in _nearest(topology, [start], 1).items()} | {start: 0}


def _nearest(topology: Topology, roots: list[Dnt], keep: int) -> dict[Dnt, _Reached]:
    """The nearest `keep` roots of each site; of equally near ones those that come first in `roots`."""
    order = {root: rank for rank, root in enumerate(roots)}
    if topology.bridges is None:
        return _spread(topology.links, order, keep)
    best: dict[Dnt, _Reached] = {}
    groups = [[topology.links[at] for at in sorted(group)] for group in topology.bridges]
    for found in (
        *(_spread(group, order, keep) for group in groups),
        *(_across(link, order, keep) for link in topology.links),
    ):
        for site, reached in found.items():
            held = best.get(site)
            best[site] = reached if held is None else _merged(held, reached, keep)
    return best


def _merged(one: _Reached, other: _Reached, keep: int) -> _Reached:
    costs: dict[int, int] = {}
    for cost, rank in (*one, *other):
        costs[rank] = min(cost, costs.get(rank, cost))
    return sorted((cost, rank) for rank, cost in costs.items())[:keep]


def _across(link: SiteLink, order: Mapping[Dnt, int], keep: int) -> dict[Dnt, _Reached]:
    """Over one link alone: no search is needed."""
    first = sorted(order[site] for site in link.sites if site in order)[: keep + 1]
    told: _Reached = [(link.cost, rank) for rank in first]
    found: dict[Dnt, _Reached] = {}
    for site in link.sites:
        own = order.get(site)
        if own is None:
            found[site] = told[:keep]
        else:
            found[site] = [(0, own), *(one for one in told if one[1] != own)][:keep]
    return {site: reached for site, reached in found.items() if reached}


def _spread(links: Iterable[SiteLink], order: Mapping[Dnt, int], keep: int) -> dict[Dnt, _Reached]:
    """Dijkstra's algorithm from all roots at once. Sites are nodes, and so are links, as numbers below zero:
    the way from a site into a link costs, the way out is free."""
    told = list(links)
    by_site: dict[int, list[int]] = {}
    for at, link in enumerate(told):
        for site in link.sites:
            by_site.setdefault(site, []).append(~at)
    reached: dict[int, _Reached] = {}
    waiting: list[tuple[int, int, int]] = [(0, order[Dnt(site)], site) for site in by_site if site in order]
    heapq.heapify(waiting)
    while waiting:
        cost, rank, node = heapq.heappop(waiting)
        held = reached.setdefault(node, [])
        if len(held) == keep or any(one[1] == rank for one in held):
            continue
        held.append((cost, rank))
        if node < 0:
            for site in told[~node].sites:
                if len(reached.get(site, ())) < keep:
                    heapq.heappush(waiting, (cost, rank, site))
        else:
            for link_node in by_site[node]:
                if len(reached.get(link_node, ())) < keep:
                    heapq.heappush(waiting, (cost + told[~link_node].cost, rank, link_node))
    return {Dnt(node): held for node, held in reached.items() if node >= 0}
