"""Which DCs speak for a site that has none. Spec: [MS-ADTS] 6.3.1.10, 6.1.1.2.2.3."""

import pytest

from addc.base.ids import Dnt
from addc.directory.site_coverage import Placed, SiteLink, Topology, costs_from, covered

A, B, C, D = (Dnt(number) for number in (1, 2, 3, 4))
NAMES = {A: "Athens", B: "Berlin", C: "Cairo", D: "Dakar"}


def links(*told: tuple[int, Dnt, Dnt]) -> tuple[SiteLink, ...]:
    return tuple(SiteLink(frozenset((one, other)), cost) for cost, one, other in told)


def test_the_cheapest_connected_site_covers() -> None:
    there = Topology(NAMES, links((100, A, C), (50, B, C)))
    placed = {A: Placed(9, 9), B: Placed(1, 1), D: Placed(1, 1)}
    assert covered(there, placed, B) == ("Cairo",)
    assert covered(there, placed, A) == ()


def test_of_equally_near_ones_the_site_with_most_dcs_covers_then_the_first_by_name() -> None:
    there = Topology(NAMES, links((100, A, C), (100, B, C)))
    assert covered(there, {A: Placed(1, 1), B: Placed(2, 2)}, B) == ("Cairo",)
    assert covered(there, {A: Placed(1, 1), B: Placed(1, 1)}, A) == ("Cairo",)
    assert covered(there, {A: Placed(1, 1), B: Placed(1, 1)}, B) == ()


def test_a_site_that_no_link_leads_to_is_nobodys() -> None:
    assert covered(Topology(NAMES, links((1, A, B))), {A: Placed(1, 1)}, A) == ("Berlin",)


def test_a_read_only_dc_covers_its_own_site_and_no_other() -> None:
    there = Topology(NAMES, links((1, A, C), (9, B, C)))
    assert covered(there, {A: Placed(1, 0), B: Placed(1, 1)}, A) == ()
    assert covered(there, {A: Placed(1, 0), B: Placed(1, 1)}, B) == ("Cairo",)


def test_paths_go_across_links_unless_bridges_are_required() -> None:
    chain = links((10, A, B), (10, B, C))
    assert costs_from(Topology(NAMES, chain), A) == {A: 0, B: 10, C: 20}
    assert costs_from(Topology(NAMES, chain, ()), A) == {A: 0, B: 10}
    assert costs_from(Topology(NAMES, chain, (frozenset((0, 1)),)), A) == {A: 0, B: 10, C: 20}


@pytest.mark.parametrize("own", [A, B, D])
def test_each_site_without_a_dc_has_exactly_one_that_covers_it(own: Dnt) -> None:
    there = Topology(NAMES, links((7, A, C), (7, D, C), (8, A, B)))
    placed = {one: Placed(1, 1) for one in (A, B, D)}
    assert covered(there, placed, own) == (("Cairo",) if own == A else ())
