"""Connections between sites, [MS-ADTS] 6.2.2.3.4.5 and 6.2.2.3.4.2."""

from addc.codec.schedule import ALWAYS, pack_schedule
from addc.kcc.intersite import Intersite, wanted_between
from addc.kcc.schedule import starts
from addc.kcc.snapshot import (
    ConnectionOption,
    LinkOption,
    SiteOption,
    Snapshot,
    TransportOption,
)
from addc.kcc.wanted import Rule, Wanted
from tests.kit.kcc_forest import (
    AConnection,
    ADc,
    ALink,
    ASite,
    dc_at,
    forest,
    hours,
    in_order,
    label,
    nc_at,
    site_at,
)

ABC = [ALink("ab", ("A", "B")), ALink("bc", ("B", "C"))]
MADE = ConnectionOption(0)


def pairs(snapshot: Snapshot, found: Intersite) -> list[str]:
    names = [dc.name for dc in snapshot.dcs]
    return sorted(f"{names[one.source]}>{names[one.target]}" for one in found.wanted)


def planned(snapshot: Snapshot) -> list[str]:
    return pairs(snapshot, wanted_between(snapshot))


def wanted(snapshot: Snapshot, source: str, target: str) -> Wanted:
    ends = (dc_at(snapshot, source), dc_at(snapshot, target))
    return next(one for one in wanted_between(snapshot).wanted if (one.source, one.target) == ends)


def reasons(snapshot: Snapshot, one: Wanted) -> dict[str, Rule]:
    return {label(snapshot.ncs[reason.nc]): reason.rule for reason in one.reasons}


def test_a_tree_edge_is_a_connection_each_way_for_all_naming_contexts() -> None:
    snapshot = forest(sites=["A", "B", "C"], dcs=["A/a", "B/b", "C/c"], links=ABC)
    assert planned(snapshot) == ["a>b", "b>a", "b>c", "c>b"]
    one = wanted(snapshot, "a", "b")
    assert reasons(snapshot, one) == dict.fromkeys(("config", "schema", "corp"), Rule.TREE)
    assert (one.options, one.transport, one.is_written, one.serving) == (1, "IP", True, ())
    assert one.schedule is not None
    assert pack_schedule(one.schedule)[20:] == bytes.fromhex("080000") * 56


def test_options_interval_and_hours_come_from_the_whole_path() -> None:
    links = [
        ALink("ab", ("A", "B"), 10, 60, LinkOption(0x7), hours(range(8, 20))),
        ALink("bc", ("B", "C"), 20, 240, LinkOption.TWOWAY_SYNC, hours(range(12))),
    ]
    snapshot = forest(sites=["A", "B", "C"], dcs=["A/a", "C/c"], links=links)
    one = wanted(snapshot, "a", "c")
    assert one.options == 0x3
    assert one.schedule == starts(hours(range(8, 12)), 240)
    path = one.reasons[0].path
    assert path is not None
    assert [snapshot.sites[site].name for site in path.sites] == ["A", "B", "C"]
    assert (path.cost, path.interval_min) == (30, 240)
    back = wanted(snapshot, "c", "a").reasons[0].path
    assert back is not None
    assert back.sites == path.sites[::-1]


def test_one_that_is_there_between_any_candidates_serves() -> None:
    snapshot = forest(
        sites=["A", "B"],
        dcs=["A/a1", "A/a2", "B/b1", "B/b2"],
        links=ABC[:1],
        connections=[AConnection("a2", "b1", transport="IP"), AConnection("b2", "a1", MADE)],
    )
    assert planned(snapshot) == ["a2>b1", "b2>a1"]
    assert all(len(one.serving) == 1 for one in wanted_between(snapshot).wanted)


def test_generated_ones_without_transport_and_those_for_sysvol_do_not_serve() -> None:
    snapshot = forest(
        sites=["A", "B"],
        dcs=["A/a", "B/b"],
        links=ABC[:1],
        connections=[AConnection("a", "b"), AConnection("b", "a", ConnectionOption(0x41), transport="IP")],
    )
    assert all(not one.serving for one in wanted_between(snapshot).wanted)


def test_one_that_carries_a_part_gives_way_to_one_to_the_same_dc_that_carries_all() -> None:
    snapshot = forest(
        sites=["A", "B"],
        dcs=["A/a1", ADc("a2", "A", apps=("App",)), ADc("b", "B", apps=("App",))],
        links=ABC[:1],
        connections=[AConnection("a1", "b", transport="IP"), AConnection("b", "a1", transport="IP")],
    )
    assert planned(snapshot) == ["a2>b", "b>a1", "b>a2"]
    assert reasons(snapshot, wanted(snapshot, "a2", "b")).keys() == {"config", "schema", "corp", "App"}


def test_a_new_pair_is_one_that_serves_all_naming_contexts() -> None:
    dcs: list[str | ADc] = [
        "A/a1",
        "A/a2",
        ADc("a3", "A", apps=("App",)),
        "B/b1",
        ADc("b2", "B", apps=("App",)),
    ]
    snapshot = forest(sites=["A", "B"], dcs=dcs, links=ABC[:1])
    assert planned(snapshot) == ["a3>b2", "b2>a3"]


def test_a_failed_end_is_kept_and_gone_around() -> None:
    snapshot = forest(
        sites=["A", "B"],
        dcs=["A/a1", "A/a2", "B/b"],
        links=ABC[:1],
        connections=[AConnection("a1", "b", transport="IP"), AConnection("b", "a1", transport="IP")],
        failures={"a1": 3},
    )
    found = wanted_between(snapshot)
    assert pairs(snapshot, found) == ["a1>b", "a2>b", "b>a1", "b>a2"]
    assert not wanted(snapshot, "a2", "b").serving
    assert all(reason.as_if_none_failed for reason in wanted(snapshot, "a1", "b").reasons)
    assert set(found.complete.values()) == {True}


def test_without_detection_nothing_is_gone_around() -> None:
    blind = SiteOption.IS_TOPL_DETECT_STALE_DISABLED
    snapshot = forest(
        sites=["A", ASite("B", options=blind)],
        dcs=["A/a1", "A/a2", "B/b"],
        links=ABC[:1],
        connections=[AConnection("a1", "b", transport="IP"), AConnection("b", "a1", transport="IP")],
        failures={"a1": 3},
    )
    assert planned(snapshot) == ["a1>b", "b>a1", "b>a2"]


def test_where_failures_cut_a_site_off_the_ideal_tree_is_there_too() -> None:
    snapshot = forest(sites=["A", "B", "C"], dcs=["A/a", "B/b", "C/c"], links=ABC, failures={"b": 3})
    found = wanted_between(snapshot)
    assert pairs(snapshot, found) == ["a>b", "a>c", "b>a", "b>c", "c>a", "c>b"]
    assert not wanted(snapshot, "a", "c").reasons[0].as_if_none_failed
    assert wanted(snapshot, "a", "b").reasons[0].as_if_none_failed
    assert [tree.as_if_none_failed for tree in found.trees] == [False, True]
    assert found.trees[0].failed == {dc_at(snapshot, "b")}
    assert not any(found.complete.values())
    (cut_off,) = found.unreachable
    assert cut_off.sites == (site_at(snapshot, "B"),)
    assert cut_off.why == "none of its DCs that could serve as bridgehead answers: b"


def test_a_site_that_generates_nothing_wants_and_loses_nothing() -> None:
    off = SiteOption.IS_INTER_SITE_AUTO_TOPOLOGY_DISABLED
    snapshot = forest(
        sites=["A", ASite("B", options=off)], dcs=["A/a", "B/b", ADc("r", "B", rodc=True)], links=ABC[:1]
    )
    assert planned(snapshot) == ["b>a"]
    assert not wanted_between(snapshot).complete[site_at(snapshot, "B")]


def test_gcs_get_partial_replicas_one_way_even_from_one_another() -> None:
    dcs: list[str | ADc] = [ADc("a", "A", domain="child"), ADc("b", "B", gc=True), ADc("c", "C", gc=True)]
    snapshot = forest(sites=["A", "B", "C"], dcs=dcs, links=ABC)
    child = nc_at(snapshot, "child")
    carries = {
        pair: "child" in reasons(snapshot, one)
        for pair, one in zip(
            (
                f"{snapshot.dcs[w.source].name}>{snapshot.dcs[w.target].name}"
                for w in wanted_between(snapshot).wanted
            ),
            wanted_between(snapshot).wanted,
            strict=True,
        )
    }
    assert carries == {"a>b": True, "b>a": False, "b>c": True, "c>b": False}
    tree = next(tree for tree in wanted_between(snapshot).trees if child in tree.ncs)
    assert all(edge.is_one_way for edge in tree.edges)
    assert len(tree.components) == 1


def test_preferred_bridgeheads_are_taken_where_there_are_some() -> None:
    dcs: list[str | ADc] = ["A/a1", ADc("a2", "A", preferred=True), "A/a3", "B/b"]
    snapshot = forest(sites=["A", "B"], dcs=dcs, links=ABC[:1])
    assert planned(snapshot) == ["a2>b", "b>a2"]


def test_without_random_choice_gcs_go_first() -> None:
    dcs: list[str | ADc] = [
        ADc("a1", "A", guid=in_order(1)),
        ADc("a2", "A", gc=True, guid=in_order(2)),
        "B/b",
    ]
    sites: list[str | ASite] = [ASite("A", options=SiteOption.IS_RAND_BH_SELECTION_DISABLED), "B"]
    assert planned(forest(sites=sites, dcs=dcs, links=ABC[:1])) == ["a2>b", "b>a2"]


def test_redundant_topology_adds_a_pair_that_differs_in_both_ends() -> None:
    sites: list[str | ASite] = ["A", ASite("B", options=SiteOption.IS_REDUNDANT_SERVER_TOPOLOGY_ENABLED)]
    snapshot = forest(sites=sites, dcs=["A/a1", "A/a2", "B/b1", "B/b2"], links=ABC[:1])
    into_b = [one for one in wanted_between(snapshot).wanted if snapshot.dcs[one.target].name[0] == "b"]
    assert len(into_b) == 2
    assert len({one.source for one in into_b}) == len({one.target for one in into_b}) == 2
    assert sorted({reason.rule for one in into_b for reason in one.reasons}, key=str) == [
        Rule.REDUNDANT,
        Rule.TREE,
    ]
    assert len(wanted_between(snapshot).wanted) == 3


def test_redundant_topology_differs_in_one_end_where_there_is_only_one_of_the_other() -> None:
    sites: list[str | ASite] = ["A", ASite("B", options=SiteOption.IS_REDUNDANT_SERVER_TOPOLOGY_ENABLED)]
    snapshot = forest(sites=sites, dcs=["A/a1", "A/a2", "B/b"], links=ABC[:1])
    assert [pair for pair in planned(snapshot) if pair.endswith("b")] == ["a1>b", "a2>b"]
    alone = forest(sites=sites, dcs=["A/a", "B/b"], links=ABC[:1])
    assert planned(alone) == ["a>b", "b>a"]


def test_schedule_hashing_moves_the_starts_of_targets_apart() -> None:
    hashed = SiteOption.IS_SCHEDULE_HASHING_ENABLED
    names = [f"S{n}" for n in range(8)]
    snapshot = forest(
        sites=["A", *(ASite(name, options=hashed) for name in names)],
        dcs=["A/a", *(f"{name}/{name.lower()}" for name in names)],
        links=[ALink(name, ("A", name)) for name in names],
    )
    weeks = {wanted(snapshot, "a", name.lower()).schedule for name in names}
    assert len(weeks) > 3
    assert {week.bit_count() for week in weeks if week is not None} == {56}
    assert wanted(snapshot, "s0", "a").schedule == starts(ALWAYS, 180)


def test_superseded_ones_are_not_in_use_but_needed_ones_are() -> None:
    both = [AConnection("a1", "b", transport="IP"), AConnection("a2", "b", transport="IP")]
    snapshot = forest(sites=["A", "B"], dcs=["A/a1", "A/a2", "B/b"], links=ABC[:1], connections=both)
    assert [pair for pair in planned(snapshot) if pair.endswith("b")] in (["a1>b"], ["a2>b"])
    by_hand = [*both, AConnection("a2", "b", MADE, name="made")]
    snapshot = forest(sites=["A", "B"], dcs=["A/a1", "A/a2", "B/b"], links=ABC[:1], connections=by_hand)
    assert [pair for pair in planned(snapshot) if pair.endswith("b")] == ["a2>b"]
    assert [one.is_generated for one in wanted(snapshot, "a2", "b").serving] == [False]


def test_one_to_another_bridgehead_is_superseded_by_nothing() -> None:
    both = [AConnection("a", "b1", transport="IP"), AConnection("a", "b2", transport="IP")]
    snapshot = forest(sites=["A", "B"], dcs=["A/a", "B/b1", "B/b2"], links=ABC[:1], connections=both)
    assert {"a>b1", "a>b2"} <= set(planned(snapshot))


def test_a_replica_that_is_yet_to_come_is_fed_from_the_nearest_that_is_there() -> None:
    dcs: list[str | ADc] = [
        ADc("a", "A", apps=("App",)),
        "B/b",
        ADc("c", "C", apps=("App",), held={"App": None}),
    ]
    snapshot = forest(sites=["A", "B", "C"], dcs=dcs, links=ABC)
    assert reasons(snapshot, wanted(snapshot, "a", "c")) == {"App": Rule.TREE}
    assert planned(snapshot) == ["a>b", "a>c", "b>a", "b>c", "c>b"]
    (tree,) = [tree for tree in wanted_between(snapshot).trees if nc_at(snapshot, "App") in tree.ncs]
    assert tree.components == (tuple(sorted((site_at(snapshot, "A"), site_at(snapshot, "C")))),)
    assert set(wanted_between(snapshot).complete.values()) == {True}


def test_options_of_a_site_change_its_own_plan_only() -> None:
    links = [ALink("ab", ("A", "B"), window=hours(range(6))), ALink("bc", ("B", "C"), window=hours([9]))]
    for option in (SiteOption.W2K3_IGNORE_SCHEDULES, SiteOption.W2K3_BRIDGES_REQUIRED):
        free = option == SiteOption.W2K3_IGNORE_SCHEDULES
        snapshot = forest(
            sites=["A", "B", ASite("C", options=option)], dcs=["A/a", "C/c"], links=links if free else ABC
        )
        assert planned(snapshot) == (["a>c"] if free else ["c>a"])
        trees = wanted_between(snapshot).trees
        assert {tree.planned_by for tree in trees} == {
            frozenset({site_at(snapshot, "A")}),
            frozenset({site_at(snapshot, "C")}),
        }


def test_options_of_the_transport_change_all_plans() -> None:
    links = [ALink("ab", ("A", "B"), window=hours(range(6))), ALink("bc", ("B", "C"), window=hours([9]))]
    shut = forest(sites=["A", "B", "C"], dcs=["A/a", "C/c"], links=links)
    assert planned(shut) == []
    free = forest(
        sites=["A", "B", "C"],
        dcs=["A/a", "C/c"],
        links=links,
        transport_options=TransportOption.IGNORE_SCHEDULES,
    )
    assert planned(free) == ["a>c", "c>a"]
    assert wanted(free, "a", "c").schedule == starts(ALWAYS, 180)


def test_the_share_of_a_site_is_its_part_of_the_whole() -> None:
    snapshot = forest(
        sites=["A", "B", "C"], dcs=["A/a1*", "A/a2", "B/b*", "C/c", "C/r!"], links=ABC, failures={"b": 9}
    )
    whole = wanted_between(snapshot)
    parts = [
        one
        for site in range(3)
        for one in wanted_between(snapshot, [site_at(snapshot, "ABC"[site])], []).wanted
    ]
    parts += wanted_between(snapshot, [], None).wanted
    assert sorted(parts, key=lambda one: (one.target, one.source)) == list(whole.wanted)


def test_no_link_no_dc_no_site_is_no_trouble() -> None:
    for snapshot in (forest(sites=[]), forest(sites=["A"]), forest(sites=["A"], dcs=["A/a", "A/r!"])):
        found = wanted_between(snapshot)
        assert found.wanted == ()
        assert found.unreachable == ()
