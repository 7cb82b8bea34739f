"""What read-only DCs replicate from, [MS-ADTS] 6.2.2.3.4.4 and 6.2.2.3.4.5 (AmIRODC)."""

from addc.kcc.intersite import wanted_between
from addc.kcc.snapshot import ConnectionOption, Snapshot
from addc.kcc.wanted import Rule
from tests.kit.kcc_forest import AConnection, ADc, ALink, forest, label

LINKS = [ALink("ab", ("A", "B"), 10), ALink("bc", ("B", "C"), 10), ALink("cd", ("C", "D"), 30)]


def sources(snapshot: Snapshot) -> dict[str, set[str]]:
    """By "source>target": the naming contexts, of connections of read-only DCs."""
    found = {}
    for one in wanted_between(snapshot).wanted:
        if snapshot.dcs[one.target].is_read_only:
            assert not one.is_written
            assert {reason.rule for reason in one.reasons} == {Rule.RODC_SOURCE}
            ends = f"{snapshot.dcs[one.source].name}>{snapshot.dcs[one.target].name}"
            found[ends] = {label(snapshot.ncs[reason.nc]) for reason in one.reasons}
    return found


def test_one_alone_in_its_site_gets_everything_from_the_nearest_site() -> None:
    snapshot = forest(sites=["A", "B", "C", "D"], dcs=["A/a", "C/r!", "D/d"], links=LINKS)
    assert sources(snapshot) == {"a>r": {"config", "schema", "corp"}}
    assert sum(not snapshot.dcs[one.target].is_read_only for one in wanted_between(snapshot).wanted) == 2


def test_nobody_else_plans_with_it() -> None:
    snapshot = forest(sites=["A", "B", "C"], dcs=["A/a", "B/r!", "C/c"], links=LINKS[:2])
    names = {snapshot.dcs[one.source].name for one in wanted_between(snapshot).wanted}
    assert names == {"a", "c"}
    assert set(wanted_between(snapshot).complete.values()) == {True}


def test_what_its_own_site_has_it_gets_there() -> None:
    snapshot = forest(sites=["A", "B"], dcs=["A/a", "B/b", "B/r!"], links=LINKS[:1])
    assert sources(snapshot) == {}


def test_only_what_its_site_lacks_comes_from_elsewhere() -> None:
    snapshot = forest(
        sites=["A", "B"],
        dcs=["A/a", ADc("b", "B", domain="child"), ADc("r", "B", rodc=True)],
        links=LINKS[:1],
    )
    assert sources(snapshot) == {"a>r": {"corp"}}


def test_its_domain_comes_from_windows_2008_or_later_and_the_rest_from_anyone() -> None:
    snapshot = forest(
        sites=["A", "B", "C"],
        dcs=[ADc("old", "A", behavior_version=2), "B/r!", ADc("new", "C")],
        links=[ALink("ab", ("A", "B"), 10), ALink("bc", ("B", "C"), 90)],
    )
    assert sources(snapshot) == {"old>r": {"config", "schema"}, "new>r": {"corp"}}


def test_a_read_only_gc_gets_partial_replicas_from_gcs_too() -> None:
    snapshot = forest(
        sites=["A", "B", "C"],
        dcs=[ADc("x", "A", domain="child"), ADc("g", "B", gc=True), ADc("r", "C", gc=True, rodc=True)],
        links=LINKS[:2],
    )
    assert sources(snapshot) == {"g>r": {"config", "schema", "corp", "child"}}


def test_failed_dcs_are_gone_around_and_used_where_there_is_nothing_else() -> None:
    dcs = ["A/a", "B/b", "C/r!"]
    snapshot = forest(sites=["A", "B", "C"], dcs=dcs, links=LINKS[:2], failures={"b": 5})
    assert set(sources(snapshot)) == {"a>r"}
    both = forest(sites=["A", "B", "C"], dcs=dcs, links=LINKS[:2], failures={"a": 5, "b": 5})
    assert set(sources(both)) == {"b>r"}


def test_a_failed_source_in_its_site_is_gone_around() -> None:
    snapshot = forest(sites=["A", "B"], dcs=["A/a", "B/b", "B/r!"], links=LINKS[:1], failures={"b": 5})
    assert set(sources(snapshot)) == {"a>r"}


def test_an_administrators_connection_serves_and_one_for_sysvol_does_not() -> None:
    by_hand = forest(
        sites=["A", "B"],
        dcs=["A/a1", "A/a2", "B/r!"],
        links=LINKS[:1],
        connections=[AConnection("a2", "r", ConnectionOption(0))],
    )
    assert set(sources(by_hand)) == {"a2>r"}
    sysvol = forest(
        sites=["A", "B"],
        dcs=["A/a", "B/r!"],
        links=LINKS[:1],
        connections=[AConnection("a", "r", ConnectionOption(0x41), transport="IP")],
    )
    assert all(not one.serving for one in wanted_between(sysvol).wanted)


def test_every_one_of_many_in_a_site_has_its_own_source() -> None:
    snapshot = forest(sites=["A", "B"], dcs=["A/a", "B/r1!", "B/r2!"], links=LINKS[:1])
    assert set(sources(snapshot)) == {"a>r1", "a>r2"}


def test_its_wishes_do_not_sway_which_bridgeheads_serve_the_writable_dcs_of_its_site() -> None:
    """They are in no other DC's view, so a share that leaves them out must come to the same."""
    for n in range(6):
        dcs: list[str | ADc] = [f"A/a{n}", ADc(f"x{n}", "A", apps=("App",)), f"B/b{n}"]
        rodc = ADc("r", "B", rodc=True, apps=("App",))
        links = LINKS[:1]
        with_it = forest(sites=["A", "B"], dcs=[*dcs, rodc], links=links)
        without = forest(sites=["A", "B"], dcs=dcs, links=links)
        served = {
            (with_it.dcs[one.source].name, with_it.dcs[one.target].name)
            for one in wanted_between(with_it).wanted
            if one.is_written
        }
        assert served == {
            (without.dcs[one.source].name, without.dcs[one.target].name)
            for one in wanted_between(without).wanted
        }


def test_one_that_others_take_for_failed_has_its_source_all_the_same() -> None:
    snapshot = forest(sites=["A", "B"], dcs=["A/a", "B/r!"], links=LINKS[:1], failures={"r": 9})
    assert set(sources(snapshot)) == {"a>r"}
