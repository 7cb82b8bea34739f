"""A run of the KCC on a real directory: what it writes, what it leaves alone. Spec: [MS-ADTS] 6.2.2."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from addc.base.errors import DsError
from addc.codec.blobs import RepsFrom
from addc.codec.drs_options import DrsOption
from addc.codec.kcc_failures import FailedDc, FailureLists
from addc.codec.schedule import pack_schedule, unpack_reps_times, unpack_schedule
from addc.codes.win32 import Win32
from addc.directory import kcc_runs, names, replica_links, replication_failures
from addc.directory.context import ReadContext, WriteContext
from addc.directory.delete import delete_row
from addc.kcc.one_run import Decision, Report, StaleError, carry_out, decide, look
from addc.kcc.writing import AddConnection
from addc.security.token import SYSTEM
from addc.store.objects import ObjectRow
from tests.kit.corp import Corp, replace_values
from tests.kit.corp_forest import CONFIG_DN, DOMAIN_DN
from tests.kit.corp_sites import FIRST, SITES, add_dc, add_link, add_site

OWN = f"CN=NTDS Settings,CN=DC1,CN=Servers,CN={FIRST},{SITES}"
SCHEMA_DN = f"CN=Schema,{CONFIG_DN}"
SETTINGS = f"CN=NTDS Site Settings,CN={FIRST},{SITES}"


def run(corp: Corp) -> Report:
    decision = decide(corp.read(look), corp.rng)
    return corp.write(lambda ctx: carry_out(ctx, decision), SYSTEM)


def connections(corp: Corp, dsa: str = OWN) -> list[ObjectRow]:
    def work(ctx: ReadContext) -> list[ObjectRow]:
        return [row for row in names.children(ctx, names.resolve(ctx, dsa).dnt) if names.is_object(row)]

    return corp.read(work)


def partners(corp: Corp, nc: str = CONFIG_DN) -> tuple[RepsFrom, ...]:
    return replica_links.sources(corp.row(nc))


def usn(corp: Corp) -> int:
    return corp.read(lambda ctx: int(ctx.tx.usn))


def put_sources(corp: Corp, nc: str, values: Sequence[RepsFrom]) -> None:
    row = corp.row(nc)
    corp.write(lambda ctx: replica_links.keep_sources(ctx, row, values), SYSTEM)


def test_a_lone_dc_has_nothing_to_do_and_no_usn_is_drawn(corp_sqlite: Corp) -> None:
    before = usn(corp_sqlite)
    report = run(corp_sqlite)
    assert report.is_quiet and report.is_istg
    assert (report.added, report.kept, report.partners, report.to_fetch) == (0, 0, 0, ())
    assert usn(corp_sqlite) == before


def test_a_neighbour_is_connected_with_as_windows_writes_it(corp_sqlite: Corp) -> None:
    corp = corp_sqlite
    dsa = add_dc(corp, "DC2", FIRST)
    report = run(corp)
    (row,) = connections(corp)
    dn = corp.read(lambda ctx: names.dn_of_row(ctx, row))
    assert (report.added, report.is_istg) == (1, True)
    assert corp.text(dn, "fromServer") == dsa
    assert corp.text(dn, "enabledConnection") == "TRUE"
    assert corp.text(dn, "options") == "1"
    assert corp.text(dn, "systemFlags") == str(0x6000_0000)
    assert corp.text(dn, "showInAdvancedViewOnly") == "TRUE"
    assert not corp.values(dn, "transportType")
    assert corp.values(dn, "schedule") == corp.values(SETTINGS, "schedule")
    assert f"B:8:00000002:{CONFIG_DN}".encode() in corp.values(dn, "mS-DS-ReplicatesNCReason")
    assert str(row.rdn) == str(row.rdn).lower() and len(row.rdn) == 36


def test_its_naming_contexts_get_a_partner_and_nobodys_metadata_moves(corp_sqlite: Corp) -> None:
    corp = corp_sqlite
    dsa = add_dc(corp, "DC2", FIRST)
    heads = [CONFIG_DN, SCHEMA_DN, DOMAIN_DN]
    before = [(row.usn_changed, row.meta) for row in map(corp.row, heads)]
    report = run(corp)
    assert report.partners == 3
    for nc in heads:
        (one,) = partners(corp, nc)
        assert one.uuid_dsa_obj == corp.row(dsa).guid
        assert one.address.endswith("._msdcs.corp.example.com")
        assert DrsOption(one.replica_flags) & DrsOption.DRS_WRIT_REP
        assert unpack_reps_times(one.schedule) == unpack_schedule(corp.values(SETTINGS, "schedule")[0])
    assert [(row.usn_changed, row.meta) for row in map(corp.row, heads)] == before


def test_a_second_run_changes_nothing(corp_sqlite: Corp) -> None:
    add_dc(corp_sqlite, "DC2", FIRST)
    run(corp_sqlite)
    before = usn(corp_sqlite)
    report = run(corp_sqlite)
    assert report.is_quiet and report.kept == 1
    assert usn(corp_sqlite) == before


def test_a_dc_that_is_gone_takes_its_connection_and_partnerships_along(corp_sqlite: Corp) -> None:
    corp = corp_sqlite
    dsa = add_dc(corp, "DC2", FIRST)
    run(corp)
    corp.write(lambda ctx: delete_row(ctx, names.resolve(ctx, dsa)), SYSTEM)
    report = run(corp)
    assert report.deleted == 1 and not connections(corp) and not partners(corp)


def test_an_administrators_connection_is_left_alone_and_used(corp_sqlite: Corp) -> None:
    corp = corp_sqlite
    dsa = add_dc(corp, "DC2", FIRST)
    dn = f"CN=mine,{OWN}"
    held = {"fromServer": dsa, "options": "0", "enabledConnection": "TRUE"}
    corp.add(dn, "nTDSConnection", values=held)
    before = corp.row(dn)
    report = run(corp)
    assert (report.added, report.kept) == (0, 1)
    assert corp.row(dn) == before
    assert len(partners(corp)) == 1


def test_the_istg_is_named_where_another_is(corp_sqlite: Corp) -> None:
    """The named one is no DC of the site."""
    corp = corp_sqlite
    add_site(corp, "Branch")
    far = add_dc(corp, "DC9", "Branch")
    corp.modify(SETTINGS, replace_values("interSiteTopologyGenerator", far), requester=SYSTEM)
    report = run(corp)
    assert corp.text(SETTINGS, "interSiteTopologyGenerator") == OWN
    assert any("generator" in line for line in report.done)


def test_what_the_engine_wrote_meanwhile_is_kept(corp_sqlite: Corp) -> None:
    """Between looking and writing it came further."""
    corp = corp_sqlite
    add_dc(corp, "DC2", FIRST)
    run(corp)
    decision = decide(corp.read(look), corp.rng)
    (one,) = partners(corp)
    further = replace(one, usn_vector=(99, 0, 99), last_success_s=7)
    put_sources(corp, CONFIG_DN, [further])
    corp.write(lambda ctx: carry_out(ctx, decision), SYSTEM)
    assert partners(corp) == (further,)


def test_a_configuration_that_changed_meanwhile_is_looked_at_again(corp_sqlite: Corp) -> None:
    corp = corp_sqlite
    decision = decide(corp.read(look), corp.rng)
    add_dc(corp, "DC2", FIRST)
    with pytest.raises(StaleError):
        corp.write(lambda ctx: carry_out(ctx, decision), SYSTEM)


def test_failures_to_replicate_are_listed_and_forgotten_when_they_end(corp_sqlite: Corp) -> None:
    """kCCFailedLinks, from repsFrom."""
    corp = corp_sqlite
    add_dc(corp, "DC2", FIRST)
    run(corp)
    (one,) = partners(corp)
    failing = replace(one, consecutive_failures=4, last_success_s=5, result_last_attempt=1722)
    put_sources(corp, CONFIG_DN, [failing])
    run(corp)
    lists = corp.read(replication_failures.failure_lists)
    (failed,) = lists.links.values()
    assert (failed.dsa_guid, failed.count, failed.last_result) == (one.uuid_dsa_obj, 4, 1722)
    put_sources(corp, CONFIG_DN, [one])
    run(corp)
    assert corp.read(replication_failures.failure_lists) == FailureLists()


def test_reports_that_come_during_a_run_are_not_lost(corp_sqlite: Corp) -> None:
    corp = corp_sqlite
    corp.write(lambda ctx: replication_failures.note_unreachable(ctx, b"\x01" * 16, 5), SYSTEM)
    decision = decide(corp.read(look), corp.rng)
    corp.write(lambda ctx: replication_failures.note_unreachable(ctx, b"\x02" * 16, 1722), SYSTEM)
    corp.write(lambda ctx: carry_out(ctx, decision), SYSTEM)
    lists = corp.read(replication_failures.failure_lists)
    assert lists.connections == {b"\x02" * 16: FailedDc(b"\x02" * 16, 1, corp.now, 1722)}


def test_a_run_that_fails_half_way_leaves_nothing_half_done(corp: Corp) -> None:
    """For every write that can be the one that fails."""
    for name in ("DC2", "DC3", "DC4"):
        add_dc(corp, name, FIRST)
    before, told = usn(corp), corp.read(kcc_runs.last_run)
    decision = decide(corp.read(look), corp.rng)
    assert len(decision.writes) > 1
    for count in range(len(decision.writes)):
        broken = _broken_after(decision, count)
        with pytest.raises(DsError):
            corp.write(lambda ctx, it=broken: carry_out(ctx, it), SYSTEM)  # type: ignore[misc]
        assert not connections(corp) and not partners(corp)
        assert (usn(corp), corp.read(kcc_runs.last_run)) == (before, told)
    corp.write(lambda ctx: carry_out(ctx, decision), SYSTEM)
    assert len(connections(corp)) == len(decision.writes)


def _broken_after(decision: Decision, count: int) -> Decision:
    wrong = AddConnection(f"CN=x,CN=nobody,{SITES}", "", (("objectClass", (b"nTDSConnection",)),))
    return replace(decision, writes=(*decision.writes[:count], wrong))


def test_a_run_that_dies_after_its_last_write_leaves_nothing(corp_sqlite: Corp) -> None:
    corp = corp_sqlite
    add_dc(corp, "DC2", FIRST)
    before = usn(corp)
    decision = decide(corp.read(look), corp.rng)

    def work(ctx: WriteContext) -> None:
        carry_out(ctx, decision)
        raise DsError(Win32.ERROR_DS_BUSY, "the end")

    with pytest.raises(DsError):
        corp.write(work, SYSTEM)
    assert usn(corp) == before and not connections(corp) and not partners(corp)


def test_the_last_run_is_remembered(corp_sqlite: Corp) -> None:
    corp = corp_sqlite
    assert corp.read(kcc_runs.last_run) is None
    add_dc(corp, "DC2", FIRST)
    corp.write(kcc_runs.request_run, SYSTEM)
    assert corp.read(kcc_runs.is_requested)
    run(corp)
    last = corp.read(kcc_runs.last_run)
    assert last is not None and (last.when, last.is_istg) == (corp.now, True)
    assert last.counts["added"] == 1 and last.counts["partners"] == 3
    assert not corp.read(kcc_runs.is_requested)


def test_sites_get_connections_over_ip(corp_sqlite: Corp) -> None:
    """Options 1, transportType IP, and starts every three hours without a link schedule."""
    corp = corp_sqlite
    add_site(corp, "Branch")
    add_link(corp, "wan", 100, FIRST, "Branch")
    dsa = add_dc(corp, "DC9", "Branch")
    run(corp)
    (row,) = connections(corp)
    dn = corp.read(lambda ctx: names.dn_of_row(ctx, row))
    assert corp.text(dn, "fromServer") == dsa
    assert corp.text(dn, "transportType") == f"CN=IP,CN=Inter-Site Transports,{SITES}"
    week = unpack_schedule(corp.values(dn, "schedule")[0])
    assert week.bit_count() == 56
    assert corp.values(dn, "schedule") == [pack_schedule(week)]
    assert f"B:8:00000040:{CONFIG_DN}".encode() in corp.values(dn, "mS-DS-ReplicatesNCReason")
    (one,) = partners(corp)
    assert DrsOption(one.replica_flags) & DrsOption.DRS_USE_COMPRESSION


def test_a_dc_that_is_not_in_its_configuration_does_not_run(corp_sqlite: Corp) -> None:
    found = corp_sqlite.read(look)
    with pytest.raises(DsError) as refused:
        decide(replace(found, snapshot=replace(found.snapshot, local=None)), corp_sqlite.rng)
    assert refused.value.code == Win32.ERROR_DS_NOT_INSTALLED
