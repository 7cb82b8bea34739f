"""Who plans a site's connections with other sites, [MS-ADTS] 6.2.2.3.1."""

from collections.abc import Mapping

import pytest

from addc.base.clock import HOUR_FT, FileTime
from addc.kcc.istg import istg, istgs
from addc.kcc.snapshot import SiteAt, SiteOption, Snapshot
from tests.kit.kcc_forest import NOW, ADc, ASite, forest, in_order, site_at

DCS = [ADc(f"d{n}", "A", guid=in_order(n)) for n in range(3)]


def site_of_three(
    *,
    generator: str = "",
    cursors: Mapping[str, float] | None = None,
    failures: Mapping[str, float] | None = None,
    local: str = "",
    failover_s: int = 7200,
    options: SiteOption = SiteOption.NONE,
    now: FileTime = NOW,
) -> Snapshot:
    return forest(
        sites=[ASite("A", generator=generator, failover_s=failover_s, options=options), "B"],
        dcs=[*DCS, ADc("r", "A", rodc=True, guid=in_order(9)), ADc("b", "B"), ADc("rb", "B", rodc=True)],
        cursors=cursors,
        failures=failures,
        local=local,
        now=now,
    )


def chosen(snapshot: Snapshot) -> str:
    found = istg(snapshot, SiteAt(site_at(snapshot, "A")))
    assert found is not None
    assert istgs(snapshot)[site_at(snapshot, "A")] == found
    return snapshot.dcs[found].name


def test_nobody_named_the_first_by_guid_is_the_generator() -> None:
    assert chosen(site_of_three()) == "d0"


def test_nobody_named_one_that_failed_is_passed_over() -> None:
    assert chosen(site_of_three(failures={"d0": 3})) == "d1"
    assert chosen(site_of_three(failures={"d0": 1})) == "d0"
    assert chosen(site_of_three(failures={"d0": 3, "d1": 3, "d2": 3})) == "d0"


def test_a_name_that_is_no_dc_of_the_site_or_read_only_counts_as_nobody() -> None:
    assert chosen(site_of_three(generator="b", local="d1", cursors={"b": 0})) == "d0"
    assert chosen(site_of_three(generator="r", local="d1", cursors={"r": 0})) == "d0"


@pytest.mark.parametrize(
    ("ago_h", "keeper"), [(0, "d1"), (1.9, "d1"), (2.1, "d2"), (4.1, "d0"), (6.1, "d1"), (8.5, "d2")]
)
def test_the_role_passes_on_once_for_each_failover_time_without_news(ago_h: float, keeper: str) -> None:
    assert chosen(site_of_three(generator="d1", local="d0", cursors={"d1": ago_h})) == keeper


def test_the_failover_time_is_the_sites_own() -> None:
    stale = {"d1": 1.5}
    assert chosen(site_of_three(generator="d1", local="d0", cursors=stale, failover_s=3600)) == "d2"
    assert chosen(site_of_three(generator="d1", local="d0", cursors=stale, failover_s=0)) == "d1"


def test_the_local_dc_keeps_the_role_whatever_its_own_cursor_says() -> None:
    assert chosen(site_of_three(generator="d1", local="d1", cursors={"d1": 9, "d0": 0})) == "d1"


def test_a_clock_ahead_by_more_than_the_failover_starts_over_at_the_first() -> None:
    for rounds in range(3):
        now = FileTime(rounds * 2 * HOUR_FT + 3 * 2 * HOUR_FT * 1000)
        snapshot = site_of_three(generator="d1", local="d0", cursors={"d1": -2.1}, now=now)
        assert chosen(snapshot) == f"d{rounds}"
    assert chosen(site_of_three(generator="d1", local="d0", cursors={"d1": -1.9})) == "d1"


def test_no_cursor_of_the_named_one_moves_the_role_with_time_from_it_on() -> None:
    for rounds in range(3):
        now = FileTime(rounds * 2 * HOUR_FT + 3 * 2 * HOUR_FT * 1000)
        snapshot = site_of_three(generator="d1", local="d0", cursors={"d2": 0}, now=now)
        assert chosen(snapshot) == f"d{(1 + rounds) % 3}"


def test_a_view_without_any_cursor_believes_the_name() -> None:
    assert chosen(site_of_three(generator="d2")) == "d2"
    assert chosen(site_of_three(generator="d2", local="d0")) == "d2"
    assert chosen(site_of_three(generator="d2", failures={"d2": 5})) == "d0"


def test_another_sites_cursor_says_nothing_about_who_is_alive_there() -> None:
    assert chosen(site_of_three(generator="d2", local="b", cursors={"d2": 50})) == "d2"
    assert chosen(site_of_three(generator="d2", local="b", cursors={"d2": 50}, failures={"d2": 9})) == "d0"


def test_a_view_of_no_dcs_own_uses_the_cursors_it_has() -> None:
    assert chosen(site_of_three(generator="d1", cursors={"d1": 2.5})) == "d2"


def test_the_election_of_windows_2000_keeps_the_named_one_until_it_fails() -> None:
    old = SiteOption.FORCE_KCC_W2K_ELECTION
    assert chosen(site_of_three(generator="d1", local="d0", cursors={"d1": 30}, options=old)) == "d1"
    assert chosen(site_of_three(generator="d1", local="d0", failures={"d1": 3}, options=old)) == "d2"
    assert chosen(site_of_three(generator="d1", failures={"d1": 3, "d2": 3}, options=old)) == "d0"
    assert chosen(site_of_three(generator="d1", failures={"d0": 3, "d1": 3, "d2": 3}, options=old)) == "d1"


def test_a_site_without_a_writable_dc_has_no_generator() -> None:
    snapshot = forest(sites=["A", "B", "C"], dcs=["A/a", "B/b!"])
    assert istg(snapshot, site_at(snapshot, "B")) is None
    assert istg(snapshot, site_at(snapshot, "C")) is None
    assert set(istgs(snapshot)) == {site_at(snapshot, "A")}
