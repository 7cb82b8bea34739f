"""What is cut off, and why in words, [MS-ADTS] 6.2.2.3.3."""

from collections.abc import Mapping, Sequence

from addc.codec.schedule import NEVER
from addc.kcc.intersite import wanted_between
from addc.kcc.snapshot import Snapshot, TransportOption
from tests.kit.kcc_forest import ADc, ALink, forest, hours

NIGHT, DAY = hours(range(6)), hours(range(8, 18))


def three(
    links: Sequence[ALink],
    *,
    bridges: Mapping[str, Sequence[str]] | None = None,
    options: TransportOption = TransportOption.NONE,
    dcs: Sequence[str | ADc] = ("A/a1", "A/a2", "C/c"),
    failures: Mapping[str, float] | None = None,
) -> Snapshot:
    return forest(
        sites=["A", "B", "C", "D"],
        dcs=[*dcs, "D/d"],
        links=[*links, ALink("ad", ("A", "D"))],
        bridges=bridges,
        transport_options=options,
        failures=failures,
    )


def told(snapshot: Snapshot) -> list[tuple[str, str]]:
    return sorted(
        {
            (snapshot.sites[site].name, one.why)
            for one in wanted_between(snapshot).unreachable
            for site in one.sites
        }
    )


def test_all_joined_nothing_to_tell() -> None:
    assert told(three([ALink("ac", ("A", "C"))])) == []


def test_a_site_in_no_link() -> None:
    assert told(three([])) == [("C", "no site link joins it with another site")]


def test_a_link_that_leads_nowhere() -> None:
    assert told(three([ALink("bc", ("B", "C"))])) == [
        ("C", "no chain of site links leads from it to the other sites")
    ]


def test_a_link_that_is_never_open() -> None:
    assert told(three([ALink("ac", ("A", "C"), window=NEVER)])) == [
        ("C", "the schedule of site link ac is never open")
    ]


def test_links_that_are_never_open_at_the_same_time() -> None:
    ((site, why),) = told(three([ALink("ab", ("A", "B"), window=NIGHT), ALink("bc", ("B", "C"), window=DAY)]))
    assert site == "C"
    assert why.startswith("the site links between ")
    assert "ab" in why
    assert "bc" in why
    assert why.endswith("are never open at the same time")


def test_bridges_required_and_none_joins() -> None:
    links = [ALink("ab", ("A", "B")), ALink("bc", ("B", "C"))]
    ((site, why),) = told(three(links, options=TransportOption.BRIDGES_REQUIRED))
    assert site == "C"
    assert why.startswith(
        "site links are not bridged by themselves here, and no site link bridge joins those"
    )
    assert told(three(links, options=TransportOption.BRIDGES_REQUIRED, bridges={"x": ["ab", "bc"]})) == []


def test_neither_bridged_nor_open() -> None:
    links = [ALink("ab", ("A", "B"), window=NIGHT), ALink("bc", ("B", "C"), window=DAY)]
    ((_, why),) = told(three(links, options=TransportOption.BRIDGES_REQUIRED))
    assert why.endswith("they are never open at the same time either")


def test_all_bridgeheads_failed() -> None:
    assert told(three([ALink("ac", ("A", "C"))], failures={"c": 5})) == [
        ("C", "none of its DCs that could serve as bridgehead answers: c")
    ]


def test_sites_of_partial_replicas_between_carry_nothing_from_one_to_another() -> None:
    links = [ALink("ab", ("A", "B"), window=NIGHT), ALink("bc", ("B", "C"), window=DAY)]
    dcs = [ADc("a", "A", domain="child"), ADc("b", "B", gc=True), ADc("c", "C", domain="child")]
    found = [why for _, why in told(three(links, dcs=dcs)) if why.endswith("never open at the same time")]
    assert found


def test_sites_with_the_same_reason_are_told_together() -> None:
    names = [f"S{n}" for n in range(5)]
    snapshot = forest(
        sites=["A", "B", *names],
        dcs=["A/a", "B/b", *(f"{name}/{name.lower()}" for name in names)],
        links=[ALink("ab", ("A", "B"))],
    )
    (one,) = wanted_between(snapshot).unreachable
    assert len(one.sites) == 5
    assert len(one.ncs) == 3


def test_a_read_only_dc_that_nothing_can_feed() -> None:
    snapshot = forest(sites=["A", "B"], dcs=["A/a", "B/r!"])
    assert told(snapshot) == [("B", "no site link joins it with another site")]
    shut = forest(sites=["A", "B"], dcs=["A/a", "B/r!"], links=[ALink("ab", ("A", "B"), window=NEVER)])
    assert told(shut) == [
        ("B", "no way over site links that is ever open leads from a site that could be its source")
    ]
    old = forest(
        sites=["A", "B"],
        dcs=[ADc("a", "A", behavior_version=2), "B/r!"],
        links=[ALink("ab", ("A", "B"))],
    )
    assert told(old) == [("B", "no other site has a DC that answers and could be its source")]
