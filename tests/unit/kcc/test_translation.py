"""Connections to repsFrom and repsTo. Spec: [MS-ADTS] 6.2.2.5."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

import pytest

from addc.codec.blobs import RepsFrom
from addc.codec.drs_options import DrsOption
from addc.codec.schedule import NEVER, Quarters, unpack_reps_times
from addc.kcc.snapshot import ConnectionOption, DcAt, DsaOption, NcAt, Replica, Snapshot
from addc.kcc.translation import ReplicaLinks, Why, address_of, replica_links
from addc.kcc.wanted import Action, Plan, Planned
from tests.kit.kcc_forest import AConnection, ADc, dc_at, forest, nc_at

HOURLY = Quarters(int("1" * 168, 16))
OVERRIDE, NOTIFY = ConnectionOption.OVERRIDE_NOTIFY_DEFAULT, ConnectionOption.USE_NOTIFY
WRITABLE = DrsOption.DRS_WRIT_REP
FAR = WRITABLE | DrsOption.DRS_PER_SYNC | DrsOption.DRS_NEVER_NOTIFY | DrsOption.DRS_USE_COMPRESSION
NEAR = WRITABLE | DrsOption.DRS_PER_SYNC | DrsOption.DRS_INIT_SYNC


def two(*connections: AConnection, dcs: Sequence[str | ADc] = (), **more: object) -> Snapshot:
    """ "here" and "near" in one site, "far" in another."""
    return forest(
        sites=["A", "B"],
        dcs=dcs or ["A/here", "A/near", "B/far"],
        connections=connections,
        **more,  # type: ignore[arg-type]
    )


def no_plan(snapshot: Snapshot) -> Plan:
    return Plan(snapshot, frozenset(), (), {})


def translated(
    snapshot: Snapshot, *before: tuple[str, RepsFrom], plan: Plan | None = None, dc: str = "here"
) -> ReplicaLinks:
    """before: values of repsFrom by name of naming context."""
    at = dc_at(snapshot, dc)
    held: dict[NcAt, list[RepsFrom]] = {nc: [] for nc in snapshot.dcs[at].held}
    for name, value in before:
        held[nc_at(snapshot, name)].append(value)
    return replica_links(snapshot, plan or no_plan(snapshot), at, held)


def of(snapshot: Snapshot, found: ReplicaLinks, nc: str = "config") -> dict[str, RepsFrom]:
    names = {dc.guid: dc.name for dc in snapshot.dcs}
    return {names[one.uuid_dsa_obj]: one for one in found.sources[nc_at(snapshot, nc)]}


def value(snapshot: Snapshot, name: str, **more: object) -> RepsFrom:
    guid = snapshot.dcs[dc_at(snapshot, name)].guid
    return replace(RepsFrom(address_of(guid, snapshot.forest_dns), guid), **more)  # type: ignore[arg-type]


def test_a_connection_implies_a_partner_of_each_naming_context_that_both_have() -> None:
    snapshot = two(AConnection("near", "here", schedule=HOURLY))
    found = translated(snapshot)
    assert all(list(of(snapshot, found, nc)) == ["near"] for nc in ("config", "schema", "corp"))
    one = of(snapshot, found)["near"]
    near = snapshot.dcs[dc_at(snapshot, "near")]
    assert one.uuid_dsa_obj == near.guid
    assert one.address == f"{UUID(bytes_le=near.guid)}._msdcs.corp.example"
    assert (one.uuid_transport_obj, one.uuid_invoc_id, one.usn_vector) == (bytes(16), bytes(16), (0, 0, 0))
    assert unpack_reps_times(one.schedule) == HOURLY
    assert {change.why for change in found.changes} == {Why.ADDED}


@pytest.mark.parametrize(
    ("source", "options", "schedule", "enabled", "flags"),
    [
        ("near", 1, HOURLY, True, NEAR),
        ("near", 1, NEVER, True, NEAR & ~DrsOption.DRS_PER_SYNC),
        ("near", 1, None, True, NEAR & ~DrsOption.DRS_PER_SYNC),
        ("near", 1 | OVERRIDE, HOURLY, True, NEAR | DrsOption.DRS_NEVER_NOTIFY),
        ("near", 1 | OVERRIDE | NOTIFY, HOURLY, True, NEAR),
        ("near", 1 | NOTIFY, HOURLY, True, NEAR),
        ("near", 1 | ConnectionOption.TWOWAY_SYNC, HOURLY, True, NEAR | DrsOption.DRS_TWOWAY_SYNC),
        ("near", 1 | ConnectionOption.DISABLE_INTERSITE_COMPRESSION, HOURLY, True, NEAR),
        ("far", 1, HOURLY, True, FAR),
        ("far", 1 | OVERRIDE, HOURLY, True, FAR),
        ("far", 1 | OVERRIDE | NOTIFY, HOURLY, True, FAR & ~DrsOption.DRS_NEVER_NOTIFY),
        ("far", 1 | NOTIFY, HOURLY, True, FAR),
        ("far", 0x11, HOURLY, True, FAR & ~DrsOption.DRS_USE_COMPRESSION),
    ],
)
def test_flags_follow_from_the_connection(
    source: str, options: int, schedule: Quarters | None, enabled: bool, flags: DrsOption
) -> None:
    snapshot = two(
        AConnection(
            source, "here", ConnectionOption(options), is_enabled=enabled, schedule=schedule, transport="IP"
        )
    )
    assert DrsOption(of(snapshot, translated(snapshot))[source].replica_flags) == flags


def test_a_role_owner_is_replicated_from_at_start_for_the_naming_context_of_its_role() -> None:
    snapshot = two(AConnection("far", "here", schedule=HOURLY), roles={"schema": ["far"]})
    found = translated(snapshot)
    flags = {nc: of(snapshot, found, nc)["far"].replica_flags for nc in ("config", "schema")}
    assert flags == {"config": FAR, "schema": FAR | DrsOption.DRS_INIT_SYNC}


def test_a_partner_without_connection_is_dropped() -> None:
    snapshot = two()
    found = translated(snapshot, ("config", value(snapshot, "near")))
    assert not of(snapshot, found)
    (change,) = found.changes
    assert (change.why, change.is_source) == (Why.NO_CONNECTION, True)


def test_a_partner_of_a_dc_that_is_gone_is_dropped() -> None:
    snapshot = two()
    found = translated(snapshot, ("config", RepsFrom("gone", b"\x07" * 16)))
    assert not of(snapshot, found)
    assert [change.why for change in found.changes] == [Why.SOURCE_GONE]


def test_a_sysvol_connection_implies_nothing_and_keeps_nothing() -> None:
    snapshot = two(AConnection("near", "here", ConnectionOption.RODC_TOPOLOGY, schedule=HOURLY))
    assert not of(snapshot, translated(snapshot))
    assert not of(snapshot, translated(snapshot, ("config", value(snapshot, "near"))))


def test_a_disabled_connection_adds_nobody_and_disables_who_is_there() -> None:
    snapshot = two(AConnection("near", "here", is_enabled=False, schedule=HOURLY))
    assert not of(snapshot, translated(snapshot))
    found = translated(snapshot, ("config", value(snapshot, "near")))
    assert of(snapshot, found)["near"].replica_flags == (
        NEAR | DrsOption.DRS_DISABLE_AUTO_SYNC | DrsOption.DRS_DISABLE_PERIODIC_SYNC
    )


def test_an_enabled_connection_counts_before_a_disabled_one_and_an_administrators_before_a_generated() -> (
    None
):
    snapshot = two(
        AConnection("near", "here", ConnectionOption(0), is_enabled=False, schedule=NEVER, name="a"),
        AConnection("near", "here", ConnectionOption(1), schedule=NEVER, name="b"),
        AConnection("near", "here", ConnectionOption(0), schedule=HOURLY, name="c"),
    )
    assert unpack_reps_times(of(snapshot, translated(snapshot))["near"].schedule) == HOURLY


def test_what_the_engine_wrote_stays() -> None:
    """How far it came, when and with what result, and the bits of its own."""
    snapshot = two(AConnection("near", "here", schedule=HOURLY))
    own = DrsOption.DRS_NEVER_SYNCED | DrsOption.DRS_FULL_SYNC_IN_PROGRESS
    stale = DrsOption.DRS_MAIL_REP | DrsOption.DRS_NEVER_NOTIFY | DrsOption.DRS_USE_COMPRESSION
    before = value(
        snapshot, "near", replica_flags=int(own | stale), usn_vector=(5, 0, 7), uuid_invoc_id=b"\x05" * 16,
        consecutive_failures=3, last_success_s=11, last_attempt_s=12, result_last_attempt=8524,
        uuid_transport_obj=b"\x09" * 16, address="old.example",
    )  # fmt: skip
    after = of(snapshot, translated(snapshot, ("config", before)))["near"]
    wanted = replace(
        before,
        replica_flags=int(own | NEAR),
        uuid_transport_obj=bytes(16),
        address=address_of(before.uuid_dsa_obj, "corp.example"),
        schedule=after.schedule,
    )
    assert after == wanted
    assert not translated(
        snapshot, *[(nc, of(snapshot, translated(snapshot, (nc, before)), nc)["near"]) for nc in NCS]
    ).changes


NCS = ("config", "schema", "corp")


def test_a_source_that_no_longer_holds_the_naming_context_is_dropped() -> None:
    snapshot = two(
        AConnection("near", "here", schedule=HOURLY),
        dcs=["A/here", ADc("near", "A", held={"corp": None})],
    )
    found = translated(snapshot, ("corp", value(snapshot, "near")))
    assert not of(snapshot, found, "corp") and of(snapshot, found, "config")
    assert Why.NOT_HELD in {change.why for change in found.changes}


def test_a_partial_source_feeds_no_full_replica() -> None:
    dcs = [ADc("here", "A", domain="child"), ADc("near", "A", gc=True)]
    snapshot = two(AConnection("near", "here", schedule=HOURLY), dcs=dcs)
    found = translated(snapshot, ("child", value(snapshot, "near")))
    assert not of(snapshot, found, "child")
    assert Why.NOT_FULL in {change.why for change in found.changes}


def test_a_partial_replica_is_fed_by_a_partial_one_and_is_not_writable() -> None:
    dcs = [ADc("here", "A", gc=True), ADc("near", "A", gc=True), ADc("child", "B", domain="child")]
    snapshot = two(AConnection("near", "here", schedule=HOURLY), dcs=dcs)
    one = of(snapshot, translated(snapshot), "child")["near"]
    assert one.replica_flags == NEAR & ~WRITABLE


def test_a_read_only_dc_replicates_read_only_and_without_secrets() -> None:
    dcs = [ADc("here", "A", rodc=True), ADc("near", "A")]
    snapshot = two(dcs=dcs)
    implied = Planned(
        Action.ADD,
        dc_at(snapshot, "near"),
        dc_at(snapshot, "here"),
        ConnectionOption.IS_GENERATED,
        schedule=HOURLY,
        is_written=False,
    )
    plan = Plan(snapshot, frozenset({dc_at(snapshot, "here")}), (implied,), {})
    found = of(snapshot, translated(snapshot, plan=plan))
    read_only = DrsOption.DRS_NONGC_RO_REP | DrsOption.DRS_SPECIAL_SECRET_PROCESSING
    assert found["near"].replica_flags == NEAR & ~WRITABLE | read_only


def test_the_plan_counts_where_it_speaks_and_what_is_there_where_it_does_not() -> None:
    snapshot = two(AConnection("near", "here", schedule=NEVER), AConnection("far", "here", schedule=HOURLY))
    here = dc_at(snapshot, "here")
    there = {one.source: one for one in snapshot.dcs[here].connections}
    near = there[dc_at(snapshot, "near")]
    gone = Planned(Action.DELETE, near.source, here, near.options, existing=near)
    plan = Plan(snapshot, frozenset({here}), (gone,), {})
    assert list(of(snapshot, translated(snapshot, plan=plan))) == ["far"]
    changed = replace(gone, action=Action.CHANGE, schedule=HOURLY)
    found = of(snapshot, translated(snapshot, plan=replace(plan, connections=(changed,))))
    assert set(found) == {"near", "far"}
    assert unpack_reps_times(found["near"].schedule) == HOURLY


def test_nothing_is_translated_where_the_dc_says_so() -> None:
    """NTDSDSA_OPT_DISABLE_NTDSCONN_XLATE."""
    dcs = [ADc("here", "A", options=DsaOption.DISABLE_NTDSCONN_XLATE), ADc("near", "A")]
    snapshot = two(AConnection("near", "here", schedule=HOURLY), dcs=dcs)
    assert translated(snapshot, ("config", value(snapshot, "near"))) == ReplicaLinks(is_skipped=True)


def test_a_connection_over_smtp_from_elsewhere_implies_nothing() -> None:
    """MAIL_REP is never set; inside a site the transport says nothing."""
    snapshot = two(
        AConnection("far", "here", transport="SMTP", schedule=HOURLY),
        AConnection("near", "here", transport="SMTP", schedule=HOURLY),
    )
    assert list(of(snapshot, translated(snapshot))) == ["near"]


def test_what_is_due_and_not_here_is_fetched_and_what_is_here_and_not_due_is_given_up() -> None:
    dcs = [
        ADc("here", "A", gc=True, held={"child": None}),
        ADc("near", "A", gc=True),
        ADc("child", "B", domain="child", apps=("app",)),
    ]
    snapshot = two(AConnection("near", "here", schedule=HOURLY), dcs=dcs)
    app, child = nc_at(snapshot, "app"), nc_at(snapshot, "child")
    held = {nc: () for nc in snapshot.dcs[dc_at(snapshot, "here")].held}
    held[app] = (value(snapshot, "child"),)  # type: ignore[assignment]
    found = replica_links(snapshot, no_plan(snapshot), dc_at(snapshot, "here"), held)
    assert (found.to_fetch, found.to_remove) == ((child,), (app,))
    assert found.sources[app] == () and len(found.sources[child]) == 1
    assert snapshot.dcs[dc_at(snapshot, "here")].due[child] is Replica.PARTIAL


def test_destinations_without_connection_from_here_or_without_dc_are_removed() -> None:
    dcs: list[str | ADc] = ["A/here", "A/near", "A/other", ADc("branch", "A", rodc=True)]
    snapshot = two(AConnection("here", "near", schedule=HOURLY), dcs=dcs)
    told = [value(snapshot, name) for name in ("near", "other", "branch")]
    told.append(RepsFrom("gone", b"\x07" * 16))
    config, here = nc_at(snapshot, "config"), dc_at(snapshot, "here")
    found = replica_links(snapshot, no_plan(snapshot), here, {}, {config: told})
    assert found.destinations[config] == (told[0], told[2])
    assert [(one.partner, one.why) for one in found.changes if not one.is_source] == [
        (told[1].uuid_dsa_obj, Why.NO_CONNECTION),
        (told[3].uuid_dsa_obj, Why.SOURCE_GONE),
    ]


def test_partners_come_in_the_order_of_their_guids() -> None:
    names = [f"d{number}" for number in range(6)]
    snapshot = two(
        *[AConnection(name, "here", schedule=HOURLY) for name in names],
        dcs=["A/here", *(f"A/{name}" for name in names)],
    )
    found = translated(snapshot).sources[nc_at(snapshot, "config")]
    assert [one.uuid_dsa_obj for one in found] == sorted(one.uuid_dsa_obj for one in found)
    assert len(found) == 6 and DcAt(0) is not None
