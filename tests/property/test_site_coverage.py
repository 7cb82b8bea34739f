"""Which sites are near, on random forests, beside the plain way: all pairs, link by link.

Spec: [MS-DRSR] 4.1.16.3, [MS-ADTS] 6.3.1.10
"""

from itertools import permutations

from hypothesis import given, settings
from hypothesis import strategies as st

from addc.base.ids import Dnt
from addc.directory.site_coverage import Placed, SiteLink, Topology, costs_from, covered, next_closest

_COUNT = 6
_SITES = {Dnt(at): name for at, name in enumerate(("Fez", "ulm", "Bonn", "Aix", "bonn2", "Celle"), 1)}
_LINK = st.builds(
    lambda sites, cost: SiteLink(frozenset(map(Dnt, sites)), cost),
    st.frozensets(st.integers(1, _COUNT), min_size=1, max_size=4),
    st.integers(1, 5),
)
_BRIDGES = st.none() | st.lists(st.frozensets(st.integers(0, 6), max_size=4), max_size=3)
_PLACED = st.dictionaries(
    st.integers(1, _COUNT).map(Dnt),
    st.tuples(st.integers(1, 3), st.integers(0, 3)).map(lambda one: Placed(one[0], min(one))),
)


@st.composite
def _topologies(draw: st.DrawFn) -> Topology:
    links = tuple(draw(st.lists(_LINK, max_size=7)))
    bridges = draw(_BRIDGES)
    if bridges is None:
        return Topology(_SITES, links)
    return Topology(_SITES, links, tuple(frozenset(at for at in one if at < len(links)) for one in bridges))


def _costs(there: Topology) -> dict[tuple[Dnt, Dnt], int]:
    """Floyd and Warshall's way over each group of links that paths may not leave."""
    groups = [there.links]
    if there.bridges is not None:
        groups = [tuple(there.links[at] for at in one) for one in there.bridges]
        groups += [(one,) for one in there.links]
    best = {(site, site): 0 for site in _SITES}
    for group in groups:
        cost = {(site, site): 0 for site in _SITES}
        for link in group:
            for pair in permutations(link.sites, 2):
                cost[pair] = min(link.cost, cost.get(pair, link.cost))
        for by in _SITES:
            for one in _SITES:
                for other in _SITES:
                    if (one, by) in cost and (by, other) in cost:
                        way = cost[one, by] + cost[by, other]
                        cost[one, other] = min(way, cost.get((one, other), way))
        for pair, way in cost.items():
            best[pair] = min(way, best.get(pair, way))
    return best


@settings(max_examples=80, deadline=None)
@given(_topologies(), _PLACED)
def test_near_sites_are_those_of_the_least_costs(there: Topology, placed: dict[Dnt, Placed]) -> None:
    costs = _costs(there)
    for start in _SITES:
        assert costs_from(there, start) == {
            site: costs[start, site] for site in _SITES if (start, site) in costs
        }
    roots = [site for site, one in placed.items() if one.writable]
    shared: dict[Dnt, list[str]] = {}
    nearest: dict[Dnt, Dnt] = {}
    for site, name in _SITES.items():
        near = [one for one in roots if (site, one) in costs]
        others = [one for one in near if one != site]
        if site not in placed and near:
            by = min(near, key=lambda one: (costs[site, one], -placed[one].count, _SITES[one].casefold()))
            shared.setdefault(by, []).append(name)
        if others:
            nearest[site] = min(others, key=lambda one: (costs[site, one], _SITES[one].casefold()))
    assert next_closest(there, roots) == nearest
    for own in _SITES:
        assert covered(there, placed, own) == tuple(sorted(shared.get(own, ()), key=str.casefold))
