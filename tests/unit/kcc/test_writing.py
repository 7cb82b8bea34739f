"""What a plan changes in the directory. Spec: [MS-ADTS] 6.1.1.2.2.1.2.1.2, 6.2.2.3.1, 6.2.2.7."""

from dataclasses import replace
from uuid import UUID

from addc.codec.schedule import Quarters, pack_schedule
from addc.kcc.plan import plan_share
from addc.kcc.snapshot import ConnectionOption, Replica, SiteOption, Snapshot
from addc.kcc.wanted import Action, Plan, Planned, Reason, Rule
from addc.kcc.writing import (
    AddConnection,
    ChangeConnection,
    NameGenerator,
    RemoveConnection,
    Write,
    nc_reasons,
    sysvol_repointed,
    writes,
)
from tests.kit.kcc_forest import TRANSPORT_DN, AConnection, ADc, ALink, ASite, dc_at, dsa_dn, forest, nc_at

NAME = UUID("3d5e6d5f-9d3b-4f3a-8a3f-6d7a4a1f0c11")
WEEK = Quarters(int("8" * 168, 16))


def two(*connections: AConnection, **more: object) -> Snapshot:
    return forest(
        sites=["A", "B"],
        dcs=["A/a1", "B/b1", "B/b2"],
        links=[ALink("ab", ("A", "B"))],
        connections=connections,
        **more,  # type: ignore[arg-type]
    )


def written(snapshot: Snapshot, *planned: Planned) -> tuple[Write, ...]:
    return writes(Plan(snapshot, frozenset(), planned, {}), lambda: NAME)


def between(snapshot: Snapshot, action: Action, **more: object) -> Planned:
    """From b1 to a1."""
    there = snapshot.dcs[dc_at(snapshot, "a1")].connections
    one = Planned(
        action, dc_at(snapshot, "b1"), dc_at(snapshot, "a1"), ConnectionOption.IS_GENERATED,
        existing=there[0] if there else None,
    )  # fmt: skip
    return replace(one, **more)  # type: ignore[arg-type]


def test_a_new_connection_between_sites_has_a_transport() -> None:
    snapshot = two()
    (one,) = written(snapshot, between(snapshot, Action.ADD, transport="IP", schedule=WEEK))
    assert isinstance(one, AddConnection)
    assert one.dn == f"CN={NAME},{dsa_dn('a1', 'A')}"
    values = dict(one.attributes)
    assert values["transportType"] == (TRANSPORT_DN.encode(),)
    assert values["schedule"] == (pack_schedule(WEEK),)
    assert values["fromServer"] == (dsa_dn("b1", "B").encode(),)


def test_only_what_differs_is_changed() -> None:
    snapshot = two(AConnection("b1", "a1", transport="IP", schedule=WEEK))
    same = between(snapshot, Action.CHANGE, transport="IP", schedule=WEEK)
    assert not written(snapshot, same)
    other = replace(same, options=ConnectionOption(0xD), schedule=Quarters(1))
    (one,) = written(snapshot, other)
    assert isinstance(one, ChangeConnection)
    assert one.attributes == (("options", (b"13",)), ("schedule", (pack_schedule(Quarters(1)),)))
    (bare,) = written(snapshot, replace(same, transport="", schedule=None, is_enabled=False))
    assert isinstance(bare, ChangeConnection)
    assert dict(bare.attributes) == {"schedule": (), "transportType": (), "enabledConnection": (b"FALSE",)}


def test_what_is_kept_implied_or_decided_by_others_is_not_written() -> None:
    snapshot = two(AConnection("b1", "a1"))
    assert not written(
        snapshot,
        between(snapshot, Action.KEEP),
        between(snapshot, Action.ADD, is_written=False, existing=None),
        between(snapshot, Action.DELETE, is_decided=False),
    )
    (gone,) = written(snapshot, between(snapshot, Action.DELETE))
    existing = snapshot.dcs[dc_at(snapshot, "a1")].connections[0]
    assert gone == RemoveConnection(existing.dn, existing.guid)


def test_reasons_tell_each_naming_context_and_kind_of_topology() -> None:
    snapshot = forest(dcs=[ADc("a1", "A", gc=True), ADc("c1", "A", domain="child")])
    at, config, child = dc_at(snapshot, "a1"), nc_at(snapshot, "config"), nc_at(snapshot, "child")
    assert snapshot.dcs[at].due[child] is Replica.PARTIAL
    told = nc_reasons(
        snapshot,
        at,
        [
            Reason(Rule.RING, config),
            Reason(Rule.SHORTCUT, config),
            Reason(Rule.TREE, child),
            Reason(Rule.REDUNDANT, child),
        ],
    )
    assert told == (
        b"B:8:00000006:" + snapshot.ncs[config].dn.encode(),
        b"B:8:00000220:" + snapshot.ncs[child].dn.encode(),
    )


def generators(snapshot: Snapshot, name: str) -> list[NameGenerator]:
    plan = plan_share(snapshot, [dc_at(snapshot, name)])
    return [one for one in writes(plan, lambda: NAME) if isinstance(one, NameGenerator)]


def test_a_generator_names_itself_where_another_stands_and_nobody_else() -> None:
    snapshot = forest(sites=[ASite("A"), ASite("B")], dcs=["A/a1", "B/b1"], links=[ALink("ab", ("A", "B"))])
    (one,) = generators(snapshot, "a1")
    assert (one.dn.partition(",")[0], one.dsa_dn) == ("CN=NTDS Site Settings", dsa_dn("a1", "A"))
    named = forest(sites=[ASite("A", generator="a1"), "B"], dcs=["A/a1", "B/b1"])
    assert not generators(named, "a1")


def test_no_generator_is_named_without_settings_or_where_intersite_generation_is_off() -> None:
    """NTDSSETTINGS_OPT_IS_INTER_SITE_AUTO_TOPOLOGY_DISABLED."""
    off = SiteOption.IS_INTER_SITE_AUTO_TOPOLOGY_DISABLED
    for site in (ASite("A", off), ASite("A", has_settings=False)):
        assert not generators(forest(sites=[site], dcs=["A/a1"]), "a1")


def read_only(*connections: AConnection) -> Snapshot:
    return forest(sites=["A"], dcs=["A/a1", "A/a2", "A/r!"], connections=connections)


SYSVOL = ConnectionOption.IS_GENERATED | ConnectionOption.RODC_TOPOLOGY


def test_a_read_only_dcs_sysvol_connection_follows_one_that_it_replicates_by() -> None:
    snapshot = read_only(AConnection("a1", "r", SYSVOL, name="RODC Connection (SYSVOL)"))
    at, a2 = dc_at(snapshot, "r"), dc_at(snapshot, "a2")
    (one,) = sysvol_repointed(snapshot, at, [(a2, WEEK)])
    assert isinstance(one, ChangeConnection)
    assert dict(one.attributes) == {
        "fromServer": (dsa_dn("a2", "A").encode(),),
        "schedule": (pack_schedule(WEEK),),
    }


def test_it_stays_where_its_source_is_one_of_those() -> None:
    snapshot = read_only(AConnection("a1", "r", SYSVOL, schedule=WEEK))
    at, a1, a2 = (dc_at(snapshot, name) for name in ("r", "a1", "a2"))
    assert not sysvol_repointed(snapshot, at, [(a2, WEEK), (a1, WEEK)])
    (one,) = sysvol_repointed(snapshot, at, [(a2, WEEK), (a1, Quarters(1))])
    assert isinstance(one, ChangeConnection)
    assert one.attributes == (("schedule", (pack_schedule(Quarters(1)),)),)


def test_nothing_is_repointed_without_a_source_or_on_a_writable_dc() -> None:
    snapshot = read_only(AConnection("a1", "r", SYSVOL), AConnection("a1", "a2", SYSVOL))
    assert not sysvol_repointed(snapshot, dc_at(snapshot, "r"), [])
    assert not sysvol_repointed(snapshot, dc_at(snapshot, "a2"), [(dc_at(snapshot, "a1"), WEEK)])
