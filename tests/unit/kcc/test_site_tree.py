"""The tree of sites, [MS-ADTS] 6.2.2.3.4.4, by itself and against the document's pseudocode."""

import random
from collections.abc import Sequence

import pytest

from addc.codec.schedule import NEVER, Quarters
from addc.kcc.site_graph import (
    COST_MAX,
    Colour,
    Colouring,
    Variant,
    site_graph,
    turned,
    variant_of,
)
from addc.kcc.site_tree import Grown, Nearest, grow
from addc.kcc.snapshot import LinkAt, LinkOption, SiteAt, SiteOption, Snapshot, TransportOption
from addc.kcc.wanted import Path
from tests.kit.kcc_book_shapes import difference, small_shape
from tests.kit.kcc_forest import ALink, ASite, forest, hours, in_order, link_at, site_at


def ways(links: Sequence[ALink], bridges: dict[str, Sequence[str]] | None = None, count: int = 5) -> Snapshot:
    """Sites 0, 1, ... in the order of their GUIDs, and links in the order given."""
    return forest(
        sites=[ASite(str(n), guid=in_order(n)) for n in range(count)],
        links=[
            ALink(one.name, one.sites, one.cost, one.interval_min, one.options, one.window, in_order(n))
            for n, one in enumerate(links)
        ],
        bridges=bridges,
    )


def tree(
    snapshot: Snapshot,
    colours: str = "",
    *,
    failed: Sequence[int] = (),
    bridged: bool = True,
    ignoring: bool = False,
) -> Grown:
    """colours: r, b or w for each site. failed: sites where no bridgehead can be found."""
    count = len(snapshot.sites)
    by_letter = {"r": Colour.RED, "b": Colour.BLACK, "w": Colour.WHITE}
    colouring = Colouring(
        bytes(by_letter[letter] for letter in colours or "r" * count),
        bytes(n not in failed for n in range(count)),
    )
    return grow(site_graph(snapshot, Variant(not bridged, ignoring)), colouring)


def ends(grown: Grown) -> list[tuple[int, int, bool]]:
    return [(edge.source, edge.target, edge.is_one_way) for edge in grown.edges]


def test_one_link_of_all_gives_a_star_around_the_lowest_guid() -> None:
    grown = tree(ways([ALink("all", tuple("01234"))]))
    assert ends(grown) == [(0, n, False) for n in range(1, 5)]
    assert grown.components == ((0, 1, 2, 3, 4),)


def test_the_cheapest_links_make_the_tree() -> None:
    links = [ALink("a", ("0", "1"), 5), ALink("b", ("1", "2"), 1), ALink("c", ("0", "2"), 3)]
    assert ends(tree(ways(links, count=3))) == [(1, 2, False), (0, 2, False)]


def test_a_path_through_a_site_without_replica_adds_up() -> None:
    links = [
        ALink("a", ("0", "1"), 5, 15, LinkOption.USE_NOTIFY | LinkOption.TWOWAY_SYNC, hours(range(12))),
        ALink("b", ("1", "2"), 7, 60, LinkOption.USE_NOTIFY, hours(range(6, 24))),
    ]
    (edge,) = tree(ways(links, count=3), "rwr").edges
    window = hours(range(6, 12))
    links_used, sites = (LinkAt(0), LinkAt(1)), (SiteAt(0), SiteAt(1), SiteAt(2))
    assert edge.path == Path(links_used, sites, 12, 60, LinkOption.USE_NOTIFY, window)
    assert turned(edge.path).sites == (2, 1, 0)
    assert turned(edge.path).links == (1, 0)


def test_a_path_that_is_never_open_does_not_exist() -> None:
    links = [
        ALink("a", ("0", "1"), window=hours(range(6))),
        ALink("b", ("1", "2"), window=hours(range(6, 24))),
    ]
    assert tree(ways(links, count=3), "rwr").components == ((0,), (2,))
    assert len(tree(ways(links, count=3), "rrr").edges) == 2  # each link by itself is open
    assert len(tree(ways(links, count=3), "rwr", ignoring=True).edges) == 1
    assert tree(ways([ALink("a", ("0", "1"), window=NEVER)], count=2)).edges == ()


def test_a_dearer_path_is_never_taken_however_long_it_is_open() -> None:
    links = [ALink("short", ("0", "1"), 5, window=Quarters(1)), ALink("long", ("0", "1"), 6)]
    (edge,) = tree(ways(links, count=2)).edges
    assert edge.path.links == (0,)


def test_of_equally_cheap_paths_the_one_open_longer_is_taken() -> None:
    links = [
        ALink("a", ("0", "1"), 5, window=hours(range(8))),
        ALink("b", ("1", "3"), 5),
        ALink("c", ("0", "2"), 5, window=hours(range(9))),
        ALink("d", ("2", "3"), 5),
    ]
    (edge,) = tree(ways(links, count=4), "rwwr").edges
    assert edge.path.sites == (0, 2, 3)


def test_of_equal_links_the_one_with_the_lower_guid_is_taken() -> None:
    links = [ALink("a", ("0", "1")), ALink("b", ("0", "1"), options=LinkOption.USE_NOTIFY)]
    (edge,) = tree(ways(links, count=2)).edges
    assert edge.path.links == (0,)
    assert not edge.path.options


def test_black_sites_are_hung_on_one_way_and_red_ones_never_behind_them() -> None:
    links = [ALink("a", ("0", "1"), 1), ALink("b", ("1", "2"), 1), ALink("c", ("0", "2"), 9)]
    grown = tree(ways(links, count=3), "rbr")
    assert ends(grown) == [(0, 2, False), (0, 1, True)]
    assert grown.edges[0].path.sites == (0, 1, 2)  # it may pass through
    assert ends(tree(ways(links[:2], count=3), "bbr")) == [(1, 0, True), (2, 1, True)]


def test_black_sites_without_any_red_one_feed_each_other() -> None:
    grown = tree(ways([ALink("a", ("0", "1"))], count=2), "bb")
    assert ends(grown) == [(0, 1, False)]


def test_a_black_site_between_red_ones_does_not_join_them() -> None:
    links = [ALink("a", ("0", "1")), ALink("b", ("1", "2"))]
    grown = tree(ways(links, {}, count=3), "rbr", bridged=False)
    assert ends(grown) == [(0, 1, True), (2, 1, True)]
    assert grown.components == ((0, 1), (2,))


def test_without_bridges_links_do_not_follow_one_another() -> None:
    links = [ALink("a", ("0", "1")), ALink("b", ("1", "2")), ALink("c", ("2", "3"))]
    assert tree(ways(links, count=4), "rwrr").components == ((0, 2, 3),)
    assert tree(ways(links, count=4), "rwrr", bridged=False).components == ((0,), (2, 3))
    joined = ways(links, {"ab": ["a", "b"]}, count=4)
    assert tree(joined, "rwrr", bridged=False).components == ((0, 2, 3),)
    assert tree(joined, "rwwr", bridged=False).components == ((0,), (3,))


def test_a_site_without_bridgehead_is_only_passed_through() -> None:
    links = [ALink("a", ("0", "1")), ALink("b", ("1", "2"))]
    grown = tree(ways(links, count=3), failed=[1])
    assert ends(grown) == [(0, 2, False)]
    assert grown.components == ((0, 2), (1,))


def test_costs_stop_at_what_32_bits_hold() -> None:
    huge = COST_MAX - 1
    links = [ALink("a", ("0", "1"), huge), ALink("b", ("1", "2"), huge), ALink("c", ("0", "2"), COST_MAX)]
    grown = tree(ways(links, count=3))
    assert [edge.path.cost for edge in grown.edges] == [huge, huge]
    assert [edge.path.cost for edge in tree(ways(links, count=3), "rwr").edges] == [COST_MAX]


def test_variants_come_from_the_transport_and_the_planning_site() -> None:
    own = SiteOption.W2K3_BRIDGES_REQUIRED | SiteOption.W2K3_IGNORE_SCHEDULES
    snapshot = forest(sites=["A", ASite("B", options=own)])
    assert variant_of(snapshot, site_at(snapshot, "A")) == Variant(False, False)
    assert variant_of(snapshot, site_at(snapshot, "B")) == Variant(True, True)
    for option, variant in (
        (TransportOption.BRIDGES_REQUIRED, Variant(True, False)),
        (TransportOption.IGNORE_SCHEDULES, Variant(False, True)),
    ):
        all_of = forest(sites=["A"], transport_options=option)
        assert variant_of(all_of, SiteAt(0)) == variant


def test_a_leaf_hangs_on_the_nearest_of_the_sites_that_may_feed_it() -> None:
    links = [ALink("a", ("0", "1"), 9), ALink("b", ("0", "2"), 3), ALink("c", ("2", "3"), 3)]
    snapshot = ways(links, {}, count=5)
    free = Nearest(site_graph(snapshot, Variant()), [SiteAt(1), SiteAt(3)])
    path = free.path(SiteAt(0))
    assert path is not None
    assert (path.sites, path.cost) == ((3, 2, 0), 6)
    assert free.path(SiteAt(4)) is None
    bound = Nearest(site_graph(snapshot, Variant(True)), [SiteAt(1), SiteAt(3)])
    direct = bound.path(SiteAt(0))
    assert direct is not None
    assert (direct.sites, direct.links) == ((1, 0), (link_at(snapshot, "a"),))


def test_a_leaf_over_one_link_beats_a_dearer_way_over_a_bridge() -> None:
    links = [ALink("a", ("0", "1"), 1), ALink("b", ("0", "2"), 3), ALink("c", ("2", "1"), 3)]
    snapshot = ways(links, {"bc": ["b", "c"]}, count=3)
    path = Nearest(site_graph(snapshot, Variant(True)), [SiteAt(0)]).path(SiteAt(1))
    assert path is not None
    assert path.links == (0,)


@pytest.mark.parametrize("seed", range(4))
def test_every_edge_is_the_one_that_the_pseudocode_gives(seed: int) -> None:
    rng = random.Random(seed)  # noqa: S311  # the same shapes each time
    for _ in range(60):
        assert difference(small_shape(rng)) == ""


def test_the_empty_path_of_a_root_has_no_links() -> None:
    nearest = Nearest(site_graph(ways([ALink("a", ("0", "1"))], count=2), Variant()), [SiteAt(0)])
    path = nearest.path(SiteAt(0))
    assert path is not None
    assert (path.links, path.sites, path.options) == ((), (0,), LinkOption.NONE)
