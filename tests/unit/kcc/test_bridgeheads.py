"""DCs that replicate with other sites, [MS-ADTS] 6.2.2.3.4.4 (GetAllBridgeheadDCs, BridgeheadDCFailed)."""

from addc.base.clock import HOUR_FT, FileTime
from addc.kcc.bridgeheads import Bridgeheads, Need, failed_dcs, preferred_without
from addc.kcc.snapshot import DcAt, Failure, Replica, SiteAt, SiteOption, Snapshot
from tests.kit.kcc_forest import NOW, ADc, ASite, dc_at, forest, in_order, nc_at, site_at

RANDOM_OFF = SiteOption.IS_RAND_BH_SELECTION_DISABLED


def names(snapshot: Snapshot, found: tuple[DcAt, ...] | list[DcAt]) -> list[str]:
    return [snapshot.dcs[at].name for at in found]


def candidates(snapshot: Snapshot, site: str, nc: str, **how: bool | int) -> list[str]:
    need = Need(
        nc_at(snapshot, nc),
        is_partial_ok=bool(how.get("is_partial_ok", False)),
        by_due=bool(how.get("by_due", False)),
        behavior_min=int(how.get("behavior_min", 0)),
        is_detecting=bool(how.get("is_detecting", True)),
    )
    return names(snapshot, Bridgeheads(snapshot).meeting(need).at(site_at(snapshot, site)))


def test_a_dc_has_failed_after_more_than_one_failure_over_more_than_two_hours() -> None:
    def failed(count: int, ago_ft: int) -> bool:
        snapshot = forest(dcs=["A/a"], failures={"a": Failure(count, FileTime(NOW - ago_ft))})
        return bool(failed_dcs(snapshot))

    assert failed(2, 2 * HOUR_FT + 1)
    assert not failed(2, 2 * HOUR_FT)
    assert not failed(1, 90 * HOUR_FT)


def test_failed_dcs_do_only_where_nobody_detects() -> None:
    snapshot = forest(dcs=["A/a", "A/b"], failures={"a": 5})
    assert candidates(snapshot, "A", "config") == ["b"]
    assert sorted(candidates(snapshot, "A", "config", is_detecting=False)) == ["a", "b"]


def test_candidates_hold_the_naming_context_and_are_writable() -> None:
    snapshot = forest(
        dcs=[
            ADc("full", "A", domain="child", guid=in_order(1)),
            ADc("gc", "A", gc=True, guid=in_order(2)),
            ADc("other", "A", guid=in_order(3)),
            ADc("rodc", "A", rodc=True, domain="child", guid=in_order(4)),
        ]
    )
    assert candidates(snapshot, "A", "child") == ["full"]
    assert candidates(snapshot, "A", "child", is_partial_ok=True) == ["full", "gc"]
    assert candidates(snapshot, "A", "config") == ["full", "gc", "other"]


def test_the_own_site_goes_by_what_is_due_and_others_by_what_is_there() -> None:
    snapshot = forest(
        dcs=[
            ADc("new", "A", apps=("App",), held={"App": None}),
            ADc("old", "A", held={"App": Replica.WRITABLE}),
        ]
    )
    assert candidates(snapshot, "A", "App") == ["old"]
    assert candidates(snapshot, "A", "App", by_due=True) == ["new"]


def test_a_behavior_version_may_be_wanted() -> None:
    snapshot = forest(dcs=[ADc("old", "A", behavior_version=2), ADc("new", "A", behavior_version=3)])
    assert candidates(snapshot, "A", "corp", behavior_min=3) == ["new"]


def test_preferred_bridgeheads_are_asked_for_site_by_site() -> None:
    snapshot = forest(sites=["A", "B"], dcs=[ADc("a1", "A", preferred=True), ADc("a2", "A"), ADc("b1", "B")])
    assert candidates(snapshot, "A", "config") == ["a1"]
    assert candidates(snapshot, "B", "config") == ["b1"]


def test_preferred_bridgeheads_without_the_replica_give_way_to_all() -> None:
    snapshot = forest(
        dcs=[ADc("a1", "A", preferred=True), ADc("a2", "A", domain="child"), ADc("a3", "A", preferred=True)]
    )
    assert candidates(snapshot, "A", "child") == ["a2"]
    assert preferred_without(snapshot) == [(site_at(snapshot, "A"), nc_at(snapshot, "child"))]


def test_preferred_bridgeheads_that_failed_do_not_give_way() -> None:
    snapshot = forest(dcs=[ADc("a1", "A", preferred=True), "A/a2"], failures={"a1": 5})
    assert candidates(snapshot, "A", "config") == []


def ranked(snapshot: Snapshot, other: str, weights: dict[str, int] | None = None) -> list[str]:
    heads = Bridgeheads(snapshot)
    site = site_at(snapshot, "A")
    all_there = heads.writable[site]
    return names(
        snapshot,
        heads.ranked(
            site,
            site_at(snapshot, other),
            all_there,
            lambda at: (weights or {}).get(snapshot.dcs[at].name, 1),
        ),
    )


def test_without_random_choice_gcs_come_first_and_then_guids() -> None:
    snapshot = forest(
        sites=[ASite("A", options=RANDOM_OFF), "B"],
        dcs=[
            ADc("plain0", "A", guid=in_order(0)),
            ADc("gc2", "A", gc=True, guid=in_order(2)),
            ADc("gc1", "A", gc=True, guid=in_order(1)),
            ADc("plain3", "A", guid=in_order(3)),
        ],
    )
    assert ranked(snapshot, "B") == ["gc1", "gc2", "plain0", "plain3"]


def test_the_load_of_many_sites_spreads_over_bridgeheads_and_stays_where_it_is() -> None:
    others = [f"S{n}" for n in range(60)]
    snapshot = forest(sites=["A", *others], dcs=["A/a1", "A/a2", "A/a3"])
    first = [ranked(snapshot, other)[0] for other in others]
    assert {first.count(name) > 10 for name in ("a1", "a2", "a3")} == {True}
    fewer = forest(sites=["A", *others], dcs=["A/a1", "A/a2"])
    moved = [was for was, now in zip(first, (ranked(fewer, o)[0] for o in others), strict=True) if was != now]
    assert set(moved) == {"a3"}  # only what the missing one served


def test_dcs_that_hold_most_of_what_two_sites_share_go_first() -> None:
    snapshot = forest(sites=["A", "B"], dcs=["A/a1", "A/a2", "A/a3"])
    for best in ("a1", "a2", "a3"):
        assert ranked(snapshot, "B", {best: 5})[0] == best


def test_candidates_are_found_once() -> None:
    snapshot = forest(dcs=["A/a"])
    heads = Bridgeheads(snapshot)
    need = Need(nc_at(snapshot, "config"))
    assert heads.meeting(need).at(SiteAt(0)) is heads.meeting(need).at(SiteAt(0))
    assert heads.meeting(need).at(SiteAt(0)) == (dc_at(snapshot, "a"),)
