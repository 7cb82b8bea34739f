"""What is found of a topology: a test for each finding, and that a healthy forest has none."""

from collections.abc import Sequence
from dataclasses import replace

from addc.codec.schedule import NEVER
from addc.kcc.snapshot import (
    ConnectionOption,
    DsaOption,
    Replica,
    SiteOption,
    Snapshot,
    TransportOption,
    Trouble,
)
from addc.kcc.telling.finding import Finding, Severity
from addc.kcc.telling.findings import findings
from addc.kcc.telling.latency import latencies
from addc.kcc.wanted import Action, Unreachable
from tests.kit.kcc_forest import AConnection, ADc, ALink, ASite, forest, hours, nc_at, site_at
from tests.kit.kcc_plan import EVERY_3_H, APlanned, a_plan, both

BY_HAND = ConnectionOption(0)
AB = [ALink("ab", ("A", "B"))]


def _found(
    snapshot: Snapshot, connections: Sequence[APlanned] = (), **more: object
) -> dict[str, list[Finding]]:
    by_code: dict[str, list[Finding]] = {}
    for one in findings(a_plan(snapshot, connections, **more)):  # type: ignore[arg-type]
        by_code.setdefault(one.code, []).append(one)
    return by_code


def _the(found: dict[str, list[Finding]], code: str) -> Finding:
    assert code in found, sorted(found)
    (one,) = found[code]
    assert one.what and one.then and one.where
    return one


def test_a_healthy_forest_has_none() -> None:
    snapshot = forest(
        sites=["A", "B"],
        dcs=["A/a1*", "A/a2", "B/b1", "B/b2"],
        links=AB,
    )
    inside = [APlanned(f"{x}{i}", f"{x}{3 - i}") for x in "ab" for i in (1, 2)]
    assert _found(snapshot, [*inside, *both("a1", "b1", via="ab")], istg={"A": "a1", "B": "b1"}) == {}


def test_damaged_input_is_told_with_what_was_made_of_it() -> None:
    snapshot = replace(
        forest(dcs=["A/a", "A/b"]), troubles=(Trouble("CN=x", "bad schedule", "taken as always"),)
    )
    one = _the(_found(snapshot), "damaged-input")
    assert (one.where, one.what, one.then) == ("CN=x", "bad schedule", "taken as always")


def test_sites_without_dc_link_or_gc() -> None:
    snapshot = forest(
        sites=["A", "B", "C", ASite("D", options=SiteOption.IS_GROUP_CACHING_ENABLED)],
        dcs=["A/a*", ADc("b", "B", domain="child"), ADc("b2", "B", domain="child"), "A/a2", "D/d"],
        links=[ALink("ac", ("A", "C", "D"))],
    )
    found = _found(snapshot)
    assert "Site C" in _the(found, "site-without-dc").what
    assert _the(found, "site-in-no-link").severity is Severity.ERROR
    # D caches groups, C has no DC: neither lacks a global catalog.
    assert "Site B" in _the(found, "site-without-gc").what


def test_an_empty_site_in_no_link_is_no_more_than_a_note() -> None:
    found = _found(forest(sites=["A", "B"], dcs=["A/a", "A/b"]))
    assert {one.severity for one in found["site-in-no-link"]} == {Severity.NOTE}


def test_one_domain_needs_no_global_catalog_in_every_site() -> None:
    assert "site-without-gc" not in _found(forest(sites=["A", "B"], dcs=["A/a*", "B/b"], links=AB))


def test_links_that_are_never_open_or_join_one_site() -> None:
    snapshot = forest(
        sites=["A", "B"],
        dcs=["A/a", "B/b"],
        links=[*AB, ALink("shut", ("A", "B"), window=NEVER), ALink("lone", ("A",))],
    )
    found = _found(snapshot)
    assert "shut" in _the(found, "link-never-open").what
    assert "lone joins A alone" in _the(found, "link-of-one-site").what
    ignoring = replace(snapshot, transport_options=TransportOption.IGNORE_SCHEDULES)
    assert "link-never-open" not in _found(ignoring)


def test_a_link_without_overlap_matters_where_no_dc_can_wait() -> None:
    """Spec: [MS-ADTS] 6.2.2.3.3: a path is open when all of its links are."""
    links = [
        ALink("ab", ("A", "B"), window=hours(range(8))),
        ALink("bc", ("B", "C"), window=hours(range(12, 20))),
        ALink("bd", ("B", "D"), window=hours(range(7, 13))),
    ]
    sites = ["A", "B", "C", "D"]
    empty = forest(sites=sites, dcs=["A/a", "C/c", "D/d"], links=links)
    assert "link-without-overlap" not in _found(empty)  # bd overlaps with both
    apart = forest(sites=sites, dcs=["A/a", "C/c", "D/d"], links=links[:2])
    told = _found(apart)["link-without-overlap"]
    assert {one.severity for one in told} == {Severity.WARNING} and len(told) == 2
    held = forest(sites=sites, dcs=["A/a", "B/b", "C/c", "D/d"], links=links[:2])
    assert {one.severity for one in _found(held)["link-without-overlap"]} == {Severity.NOTE}


def test_generation_switched_off() -> None:
    """Spec: [MS-ADTS] 6.1.1.2.2.1.1."""
    off = SiteOption.IS_AUTO_TOPOLOGY_DISABLED | SiteOption.IS_INTER_SITE_AUTO_TOPOLOGY_DISABLED
    found = _found(forest(sites=[ASite("A", options=off)], dcs=["A/a", "A/b"]))
    assert "0x1 " in _the(found, "intrasite-generation-off").then
    assert "0x10 " in _the(found, "intersite-generation-off").then


def test_a_generator_that_is_gone_elsewhere_or_silent() -> None:
    """Spec: [MS-ADTS] 6.2.2.3.1."""
    dcs = ["A/a", "A/a2", "B/b", "A/r!"]
    for generator, said in (("nobody", "no DC that is there"), ("b", "in another site"), ("r", "read-only")):
        snapshot = forest(sites=[ASite("A", generator=generator), "B"], dcs=dcs, links=AB)
        one = _the(_found(snapshot, istg={"A": "a2"}), "generator-gone")
        assert said in one.what and "a2 takes over" in one.then
    silent = forest(sites=[ASite("A", generator="a"), "B"], dcs=dcs, links=AB)
    assert "silent" in _the(_found(silent, istg={"A": "a2"}), "generator-gone").what
    failing = forest(sites=[ASite("A", generator="a"), "B"], dcs=dcs, links=AB, failures={"a": 5})
    assert "has not answered" in _the(_found(failing, istg={"A": "a2"}), "generator-gone").what
    assert "generator-gone" not in _found(silent, istg={"A": "a"})


def test_dcs_that_are_told_not_to_replicate_or_fail() -> None:
    """Spec: [MS-ADTS] 6.1.1.2.2.1.2.1.1."""
    off = DsaOption.DISABLE_INBOUND_REPL | DsaOption.DISABLE_OUTBOUND_REPL | DsaOption.DISABLE_NTDSCONN_XLATE
    found = _found(forest(dcs=[ADc("a", "A", options=off), "A/b", "A/r!"], failures={"b": 30}))
    for code in ("inbound-disabled", "outbound-disabled", "translation-disabled"):
        assert _the(found, code).what.startswith("a (A)")  # a read-only DC's outbound is always disabled
    assert "3 tries" in _the(found, "dc-failing").what


def test_preferred_bridgeheads_without_work_or_without_a_replica() -> None:
    """Spec: [MS-ADTS] 6.2.2.3.4.5; the fallback is Windows'."""
    dcs = [
        ADc("a", "A", preferred=True),
        ADc("a2", "A", apps=("Zones",)),
        ADc("a3", "A", preferred=True),
        ADc("b", "B", apps=("Zones",)),
    ]
    snapshot = forest(sites=["A", "B"], dcs=dcs, links=AB)
    found = _found(snapshot, both("a", "b", via="ab"))
    assert _the(found, "bridgehead-idle").what.startswith("a3")
    assert "Zones.corp.example: other DCs" in _the(found, "preferred-bridgehead-fallback").what


def test_naming_contexts_cut_apart_or_on_one_dc() -> None:
    snapshot = forest(sites=["A", "B"], dcs=["A/a", ADc("b", "B", domain="child")], links=AB)
    cut = Unreachable((nc_at(snapshot, "config"),), (site_at(snapshot, "B"),), "no site link leads there")
    found = _found(snapshot, unreachable=[cut])
    one = _the(found, "nc-disconnected")
    assert one.severity is Severity.ERROR and "no site link leads there" in one.what
    assert len(found["one-writable-replica"]) == 2
    orphan = forest(dcs=["A/a", ADc("b", "A", domain="child", held={"child": Replica.PARTIAL})])
    assert "child" in _the(_found(orphan), "nc-without-writable-replica").what


def test_dcs_that_miss_changes_though_their_sites_are_joined() -> None:
    """Nobody makes connections in B, and nobody did."""
    off = SiteOption.IS_INTER_SITE_AUTO_TOPOLOGY_DISABLED
    snapshot = forest(sites=["A", ASite("B", options=off)], dcs=["A/a", "A/a2", "B/b"], links=AB)
    plan = a_plan(snapshot, [APlanned("a", "a2"), APlanned("a2", "a"), APlanned("b", "a", via=("ab",))])
    found = [one for one in findings(plan, latencies(plan)) if one.code == "replica-cut-off"]
    assert len(found) == 1 and "1 DC (b (B)) will not hear of all changes" in found[0].what
    assert found[0].severity is Severity.ERROR
    ncs = (nc_at(snapshot, "config"), nc_at(snapshot, "schema"), nc_at(snapshot, "corp"))
    told = replace(plan, unreachable=(Unreachable(ncs, (site_at(snapshot, "B"),), "no way"),))
    assert "replica-cut-off" not in {one.code for one in findings(told, latencies(told))}


def test_a_bridgehead_that_copies_from_very_many() -> None:
    names = [f"s{at}" for at in range(151)]
    snapshot = forest(
        sites=["H", *names],
        dcs=["H/h", "H/h2", *(f"{name}/d{name}" for name in names)],
        links=[ALink("all", ("H", *names))],
    )
    inbound = [APlanned(f"d{name}", "h", schedule=EVERY_3_H) for name in names]
    assert "151 DCs of other sites" in _the(_found(snapshot, inbound), "bridgehead-busy").what
    assert "bridgehead-busy" not in _found(snapshot, inbound[:150])


def _with_connection(one: AConnection) -> Snapshot:
    return forest(sites=["A", "B"], dcs=["A/a", "A/a2", "B/b", "B/b2"], links=AB, connections=[one])


def test_connections_of_administrators() -> None:
    """Spec: [MS-ADTS] 6.2.2.4: the KCC never touches them."""
    snapshot = _with_connection(AConnection("a", "b", options=BY_HAND))
    kept = APlanned("a", "b", Action.KEEP, options=BY_HAND, schedule=EVERY_3_H)
    assert "manual-connection-across" in _found(snapshot, [kept])
    assert "manual-connection-across" not in _found(snapshot, [replace(kept, via=("ab",))])
    beside = APlanned("a", "b", schedule=EVERY_3_H, via=("ab",))
    assert "a (A) -> b (B)" in _the(_found(snapshot, [kept, beside]), "manual-connection-duplicate").what
    disabled = _with_connection(AConnection("a", "b", options=BY_HAND, is_enabled=False))
    off = replace(kept, is_enabled=False)
    (one,) = findings(a_plan(disabled, [off]))
    assert (one.code, one.severity) == ("manual-connection-disabled", Severity.NOTE)
    gone = _with_connection(AConnection("ghost", "b", options=BY_HAND))
    lost = APlanned("ghost", "b", Action.KEEP, options=BY_HAND)
    assert "ghost (gone)" in _the(_found(gone, [lost]), "manual-connection-without-source").what


def test_connections_that_never_start() -> None:
    """Spec: [MS-ADTS] 6.1.1.2.2.1.2.1.2: no schedule is never."""
    snapshot = _with_connection(AConnection("a", "b", options=BY_HAND))
    kept = APlanned("a", "b", Action.KEEP, options=BY_HAND, schedule=None, via=("ab",))
    assert "never replicates by itself" in _the(_found(snapshot, [kept]), "connection-never-syncs").what
    inside = _with_connection(AConnection("a", "a2", options=BY_HAND))
    told = _the(
        _found(inside, [APlanned("a", "a2", Action.KEEP, options=BY_HAND, schedule=None)]),
        "connection-without-schedule",
    )
    assert told.severity is Severity.NOTE


def test_sysvol_connections_are_left_alone() -> None:
    sysvol = ConnectionOption.IS_GENERATED | ConnectionOption.RODC_TOPOLOGY
    snapshot = _with_connection(AConnection("a", "b", options=sysvol))
    assert _found(snapshot, [APlanned("a", "b", Action.KEEP, options=sysvol, schedule=None)]) == {}


def test_a_site_that_all_ways_lead_through() -> None:
    links = [ALink("ab", ("A", "B")), ALink("bc", ("B", "C"))]
    dcs = ["A/a", "A/a2", "B/b", "C/c"]
    one = _the(_found(forest(sites=["A", "B", "C"], dcs=dcs, links=links)), "single-site")
    assert one.what.startswith("Site B alone joins 2 parts")
    around = [*links, ALink("ac", ("A", "C"), cost=900)]
    assert "single-site" not in _found(forest(sites=["A", "B", "C"], dcs=dcs, links=around))
    shut = [*links, ALink("ac", ("A", "C"), window=NEVER)]
    assert "single-site" in _found(forest(sites=["A", "B", "C"], dcs=dcs, links=shut))


def test_one_link_of_many_sites_has_no_single_point() -> None:
    sites = [f"S{at}" for at in range(6)]
    snapshot = forest(sites=sites, dcs=[f"{s}/{s}d" for s in sites], links=[ALink("all", tuple(sites))])
    assert "single-site" not in _found(snapshot)


def test_a_lone_dc_is_a_single_point_where_bridges_are_required() -> None:
    """Spec: [MS-ADTS] 6.2.2.3.3: without bridges, changes pass a site by its replicas alone."""
    links = [ALink("ab", ("A", "B")), ALink("bc", ("B", "C"))]
    sites, dcs = ["A", "B", "C"], ["A/a", "B/b", "C/c"]
    required = TransportOption.BRIDGES_REQUIRED
    one = _the(_found(forest(sites=sites, dcs=dcs, links=links, transport_options=required)), "single-dc")
    assert one.what.startswith("b (B) alone joins")
    assert "single-dc" not in _found(forest(sites=sites, dcs=dcs, links=links))
    two = forest(sites=sites, dcs=[*dcs, "B/b2"], links=links, transport_options=required)
    assert "single-dc" not in _found(two)
    bridge = {"br": ["ab", "bc"]}
    bridged = forest(sites=sites, dcs=dcs, links=links, bridges=bridge, transport_options=required)
    assert "single-dc" not in _found(bridged)


def test_a_dc_that_nobody_replaces_is_a_single_point() -> None:
    off = SiteOption.IS_INTER_SITE_AUTO_TOPOLOGY_DISABLED
    snapshot = forest(sites=[ASite("A", options=off), "B"], dcs=["A/a", "A/a2", "B/b"], links=AB)
    inside = [APlanned("a", "a2"), APlanned("a2", "a")]
    one = _the(_found(snapshot, [*inside, *both("a", "b", via="ab")]), "single-dc")
    assert "switched off in A" in one.what
    on = forest(sites=["A", "B"], dcs=["A/a", "A/a2", "B/b"], links=AB)
    assert "single-dc" not in _found(on, [*inside, *both("a", "b", via="ab")])


def test_the_worst_comes_first_and_the_heaviest_of_its_kind() -> None:
    sites = [f"S{at}" for at in range(7)]
    links = [ALink(f"l{at}", (f"S{at}", f"S{at + 1}")) for at in range(6)]
    snapshot = forest(sites=[*sites, "X"], dcs=[f"{s}/{s}d" for s in sites] + ["X/x"], links=links)
    found = findings(a_plan(snapshot, []))
    assert [one.severity for one in found] == sorted(one.severity for one in found)
    weights = [one.weight for one in found if one.code == "single-site"]
    assert weights == sorted(weights, reverse=True) and weights[0] == 3
