"""Which sites without a DC of the domain a DC speaks for: those that its own site is closest to.

Every DC computes this from the same objects and decides its own share alone; ties end the same everywhere.

Spec: [MS-ADTS] 6.3.1.10 (PerformAutoSiteCoverage), 6.1.1.2.2.3 (site links), 6.2.2.3.4 (costs of paths).
"""

import heapq
from collections.abc import Mapping, Sequence
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


def covered(topology: Topology, placed: Mapping[Dnt, Placed], own: Dnt) -> tuple[str, ...]:
    """The names of the sites that the DCs of `own` cover beside it, in alphabetical order.

    A site has the cheapest-connected site with a writable DC; among several the one with the most DCs, then
    the first by name. A site that no link leads to is nobody's.
    """
    if placed.get(own, Placed(0, 0)).writable == 0:
        return ()
    found = [
        name
        for site, name in topology.sites.items()
        if not placed.get(site, Placed(0, 0)).count and _closest(topology, placed, site) == own
    ]
    return tuple(sorted(found, key=str.casefold))


def _closest(topology: Topology, placed: Mapping[Dnt, Placed], site: Dnt) -> Dnt | None:
    costs = costs_from(topology, site)
    candidates = [one for one in costs if one in topology.sites and placed.get(one, Placed(0, 0)).writable]
    if not candidates:
        return None
    return min(
        candidates,
        key=lambda one: (costs[one], -placed[one].count, topology.sites[one].casefold(), one),
    )


def costs_from(topology: Topology, start: Dnt) -> dict[Dnt, int]:
    """What it costs to reach each site that can be reached; paths do not leave a group of bridged links."""
    best: dict[Dnt, int] = {}
    for group in _groups(topology):
        for site, cost in _cheapest(group, start).items():
            if cost < best.get(site, cost + 1):
                best[site] = cost
    return best


def _groups(topology: Topology) -> list[Sequence[SiteLink]]:
    if topology.bridges is None:
        return [topology.links]
    bridged = [[topology.links[at] for at in sorted(group)] for group in topology.bridges]
    return [*bridged, *([one] for one in topology.links)]


def _cheapest(links: Sequence[SiteLink], start: Dnt) -> dict[Dnt, int]:
    """Dijkstra's algorithm over one group."""
    by_site: dict[Dnt, list[SiteLink]] = {}
    for link in links:
        for site in link.sites:
            by_site.setdefault(site, []).append(link)
    found: dict[Dnt, int] = {}
    waiting: list[tuple[int, Dnt]] = [(0, start)]
    while waiting:
        cost, site = heapq.heappop(waiting)
        if site in found:
            continue
        found[site] = cost
        for link in by_site.get(site, ()):
            for other in link.sites:
                if other not in found:
                    heapq.heappush(waiting, (cost + link.cost, other))
    return found
