"""Ways cost the same to the locator and to the planner, [MS-DRSR] 4.1.16.3, [MS-ADTS] 6.2.2.3."""

from itertools import combinations

from hypothesis import given, settings
from hypothesis import strategies as st

from addc.base.ids import Dnt
from addc.directory.site_coverage import SiteLink, Topology, costs_from
from addc.kcc.intersite import wanted_between
from addc.kcc.snapshot import TransportOption
from tests.kit.kcc_forest import ALink, forest

_NAMES = ("A", "B", "C", "D", "E")
_LINKS = st.lists(
    st.tuples(st.lists(st.sampled_from(_NAMES), min_size=2, max_size=4, unique=True), st.integers(1, 9)),
    max_size=6,
)
_BRIDGES = st.none() | st.lists(st.frozensets(st.integers(0, 5), min_size=2, max_size=4), max_size=2)


@settings(max_examples=25, deadline=None)
@given(_LINKS, _BRIDGES)
def test_the_planners_ways_cost_what_the_locators_do(
    told: list[tuple[list[str], int]], bridges: list[frozenset[int]] | None
) -> None:
    groups = [frozenset(at for at in one if at < len(told)) for one in bridges or ()]
    there = Topology(
        {Dnt(at): name for at, name in enumerate(_NAMES, 1)},
        tuple(SiteLink(frozenset(Dnt(_NAMES.index(one) + 1) for one in sites), cost) for sites, cost in told),
        None if bridges is None else tuple(groups),
    )
    for one, other in combinations(_NAMES, 2):
        snapshot = forest(
            sites=list(_NAMES),
            dcs=[f"{one}/dc1", f"{other}/dc2"],
            links=[ALink(f"l{at}", tuple(sites), cost=cost) for at, (sites, cost) in enumerate(told)],
            bridges={f"b{at}": [f"l{link}" for link in sorted(group)] for at, group in enumerate(groups)},
            transport_options=TransportOption(0 if bridges is None else TransportOption.BRIDGES_REQUIRED),
        )
        found = {edge.path.cost for tree in wanted_between(snapshot).trees for edge in tree.edges}
        cost = costs_from(there, Dnt(_NAMES.index(one) + 1)).get(Dnt(_NAMES.index(other) + 1))
        assert found == (set() if cost is None else {cost})
