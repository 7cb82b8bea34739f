"""When the KCC runs, and that other DCs are asked. Spec: [MS-ADTS] 6.2.2, 6.2.2.1, 6.2.2.3.2."""

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import pytest

from addc.base.errors import DsError
from addc.base.ids import Usn
from addc.codec.blobs import ReplUpToDateVector, UpToDateCursor, dstime
from addc.codec.kcc_failures import FailedDc, FailureLists
from addc.codes.win32 import Win32
from addc.directory import kcc_runs, replication_failures
from addc.directory.api import Directory, Services
from addc.directory.delete import delete_object
from addc.kcc import one_run, service
from addc.kcc.one_run import Decision, Report
from addc.kcc.service import AGAIN_S, FIRST_S, PERIOD_S, SETTLE_MAX_S, SETTLE_S, Kcc, Timetable, changes_since
from addc.security.token import SYSTEM
from tests.kit.corp import Corp, delete_values, replace_values
from tests.kit.corp_forest import CONFIG_DN, CountingRng, StandingClock
from tests.kit.corp_sites import FIRST, IP, SITES, add_dc, add_link, add_site

# --- the timetable ---


def test_a_run_follows_the_start_and_each_run_after_fifteen_minutes() -> None:
    times = Timetable(FIRST_S)
    assert times.due_at() == FIRST_S < 60
    times.begun()
    times.done(20.0)
    assert times.due_at() == 20.0 + PERIOD_S == 920.0


def test_a_change_is_looked_at_once_it_has_settled() -> None:
    times = Timetable(900.0)
    for now in (10.0, 12.0, 14.0):
        times.note_change(now)
        assert times.due_at() == now + SETTLE_S


def test_changes_without_end_are_looked_at_meanwhile() -> None:
    times = Timetable(900.0)
    for now in range(10, 200):
        times.note_change(float(now))
    assert times.due_at() == 10 + SETTLE_MAX_S


def test_runs_that_others_cause_leave_nine_tenths_of_the_time() -> None:
    """Whoever changes sites without end, or asks for runs without end."""
    times = Timetable(0.0)
    times.done(100.0, took_s=8.0)
    times.note_change(101.0)
    assert times.due_at() == 100.0 + 9 * 8.0
    times.ask(102.0)
    assert times.due_at() == 172.0
    times.failed(200.0, took_s=1000.0)
    times.ask(201.0)
    assert times.due_at() == 200.0 + PERIOD_S
    times.done(300.0, took_s=0.02)
    times.ask(300.0)
    assert 300.0 < times.due_at() < 301.0


def test_a_change_during_a_run_brings_another() -> None:
    times = Timetable(0.0)
    times.note_change(1.0)
    times.begun()
    times.note_change(2.0)
    times.done(3.0)
    assert times.due_at() == 2.0 + SETTLE_S


def test_runs_that_fail_come_again_more_and_more_slowly() -> None:
    times = Timetable(0.0)
    waits = []
    for _ in range(9):
        times.begun()
        waits.append(times.failed(100.0))
        times.note_change(100.0)
        assert times.due_at() == 100.0 + waits[-1], "changes do not make it quicker"
    assert waits[:3] == [AGAIN_S, 2 * AGAIN_S, 4 * AGAIN_S]
    assert waits[-1] == PERIOD_S


def test_who_asks_does_not_wait() -> None:
    times = Timetable(900.0)
    times.ask(7.0)
    assert times.due_at() == 7.0


# --- what matters ---


def test_sites_dcs_links_and_partitions_matter_and_other_objects_do_not(corp_sqlite: Corp) -> None:
    corp = corp_sqlite

    def matters(change: Callable[[], object]) -> bool:
        since = corp.read(lambda ctx: ctx.tx.usn)
        change()
        return corp.read(lambda ctx: changes_since(ctx, since))[0]

    assert not matters(lambda: corp.user("jane"))
    assert not matters(lambda: corp.add("CN=x,CN=Services,CN=Configuration", "container", SYSTEM))
    assert matters(lambda: add_site(corp, "Branch"))
    assert matters(lambda: add_link(corp, "wan", 100, FIRST, "Branch"))
    assert matters(lambda: add_dc(corp, "DC2", "Branch"))
    wan = f"CN=wan,{IP}"
    assert matters(lambda: corp.modify(wan, delete_values("siteList", f"CN=Branch,{SITES}"))), "a link value"
    assert matters(lambda: corp.write(lambda ctx: delete_object(ctx, wan), SYSTEM)), "what goes"


# --- at work ---


class Peer:
    """Other DCs, as a test wants them to answer."""

    def __init__(self, reached: int = 0, lists: FailureLists | None = None) -> None:
        self.reached = reached
        self.lists = lists
        self.asked: list[tuple[str, bytes]] = []

    async def reach(self, dsa_guid: bytes, address: str) -> int:
        assert address.endswith("._msdcs.corp.example.com")
        self.asked.append(("reach", dsa_guid))
        return self.reached

    async def failures_of(self, dsa_guid: bytes, address: str) -> FailureLists:
        assert address.endswith("._msdcs.corp.example.com")
        self.asked.append(("lists", dsa_guid))
        if self.lists is None:
            raise DsError(Win32.ERROR_DS_BUSY, "no")
        return self.lists


def directory_of(corp: Corp) -> Directory:
    return Directory(corp.store, corp.schema, Services(StandingClock(corp.now), CountingRng(b"kcc")))


def execute(corp: Corp, peers: Peer | None = None) -> Report:
    directory = directory_of(corp)

    async def work() -> Report:
        return await Kcc(directory, corp.rng, peers).execute()

    return asyncio.run(work())


def test_a_run_says_once_what_it_did(corp_sqlite: Corp, caplog: pytest.LogCaptureFixture) -> None:
    add_dc(corp_sqlite, "DC2", FIRST)
    with caplog.at_level(logging.INFO, "addc.kcc"):
        execute(corp_sqlite)
        execute(corp_sqlite)
    (record,) = caplog.records
    assert record.levelno == logging.INFO
    fields = record.fields  # type: ignore[attr-defined]
    assert (fields["added"], fields["partners"], fields["istg"]) == (1, 3, True)
    assert len(fields["done"]) == 4


def test_dcs_that_did_not_answer_are_spoken_with_again(corp_sqlite: Corp) -> None:
    """6.2.2.1: counted again while they stay away, forgotten when they are back."""
    corp = corp_sqlite
    guid = corp.row(add_dc(corp, "DC2", FIRST)).guid
    corp.write(lambda ctx: replication_failures.note_unreachable(ctx, guid, 1722), SYSTEM)
    away = Peer(1727)
    execute(corp, away)
    assert away.asked == [("reach", guid)]
    lists = corp.read(replication_failures.failure_lists)
    assert lists.connections == {guid: FailedDc(guid, 2, corp.now, 1727)}
    execute(corp, Peer())
    assert corp.read(replication_failures.failure_lists) == FailureLists()


def test_bridgeheads_of_the_site_are_asked_for_their_lists(corp_sqlite: Corp) -> None:
    """6.2.2.3.2; one that cannot be asked is a failed connection itself."""
    corp = corp_sqlite
    add_site(corp, "Branch")
    add_link(corp, "wan", 100, FIRST, "Branch")
    far = add_dc(corp, "DC9", "Branch")
    bridge = add_dc(corp, "DC2", FIRST)
    held = {"fromServer": far, "options": "0", "enabledConnection": "TRUE"}
    corp.add(f"CN=mine,{bridge}", "nTDSConnection", values=held)
    guid = corp.row(bridge).guid
    told = FailedDc(corp.row(far).guid, 3, corp.now, 5)
    peers = Peer(lists=FailureLists({told.dsa_guid: told}))
    execute(corp, peers)
    assert ("lists", guid) in peers.asked
    assert corp.read(replication_failures.failure_lists).links == {told.dsa_guid: told}
    execute(corp, Peer())
    lists = corp.read(replication_failures.failure_lists)
    assert lists.connections == {guid: FailedDc(guid, 1, corp.now, Win32.ERROR_DS_BUSY)}


def test_bridgeheads_are_asked_by_the_generator_alone(corp_sqlite: Corp) -> None:
    """6.2.2.3: who plans nothing between sites does not; nor where the site wants no such plan."""
    corp = corp_sqlite
    add_site(corp, "Branch")
    far, bridge = add_dc(corp, "DC9", "Branch"), add_dc(corp, "DC2", FIRST)
    held = {"fromServer": far, "options": "0", "enabledConnection": "TRUE"}
    corp.add(f"CN=mine,{bridge}", "nTDSConnection", values=held)
    settings, peers = f"CN=NTDS Site Settings,CN={FIRST},{SITES}", Peer()
    corp.modify(settings, replace_values("options", "16"), requester=SYSTEM)
    execute(corp, peers)
    vector = ReplUpToDateVector((UpToDateCursor(bytes(15) + b"\x07", Usn(1), dstime(corp.now)),))
    corp.modify(bridge, replace_values("invocationId", bytes(15) + b"\x07"), requester=SYSTEM)
    corp.modify(CONFIG_DN, replace_values("replUpToDateVector", vector.pack()), requester=SYSTEM)
    generator = replace_values("interSiteTopologyGenerator", bridge)
    corp.modify(settings, replace_values("options", "0"), generator, requester=SYSTEM)
    assert not execute(corp, peers).is_istg
    assert not peers.asked


def test_a_configuration_that_never_rests_does_not_stop_the_kcc(
    corp_sqlite: Corp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who may write below CN=Sites could keep it from ever running; what is a moment old is written then."""
    corp, tries, decide = corp_sqlite, [], one_run.decide
    add_dc(corp, "DC2", FIRST)

    def disturbed(*args: Any) -> Decision:
        tries.append(1)
        add_site(corp, f"Another{len(tries)}")
        return decide(*args)

    monkeypatch.setattr(one_run, "decide", disturbed)
    assert execute(corp).added == 1
    assert len(tries) == one_run.TRIES
    assert one_run.run_now(directory_of(corp), corp.rng).is_quiet
    assert len(tries) == 2 * one_run.TRIES


def test_who_asks_during_a_run_gets_the_next_and_all_get_the_same(corp_sqlite: Corp) -> None:
    """A flood of requests brings two runs, not a queue of them."""
    directory, begun, began = directory_of(corp_sqlite), [], asyncio.Event()

    class Counted(Kcc):
        async def _run(self) -> Report:
            begun.append(1)
            began.set()
            return await super()._run()

    async def work() -> set[int]:
        kcc = Counted(directory, corp_sqlite.rng)
        first = asyncio.create_task(kcc.execute())
        await began.wait()
        rest = await asyncio.gather(*(kcc.execute() for _ in range(200)))
        await first
        return set(map(id, rest))

    assert len(asyncio.run(work())) == 1
    assert len(begun) == 2


def test_runs_follow_the_start_a_change_and_a_request(
    corp_sqlite: Corp, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("FIRST_S", 0.0), ("SETTLE_S", 0.0), ("_LOOK_S", 0.001)):
        monkeypatch.setattr(service, name, value)
    corp, directory = corp_sqlite, directory_of(corp_sqlite)

    async def work() -> None:
        stop, reports = asyncio.Event(), asyncio.Queue[Report]()
        kcc = Kcc(directory, corp.rng)
        execute_once = kcc.execute

        async def noted() -> Report:
            report = await execute_once()
            await reports.put(report)
            return report

        monkeypatch.setattr(kcc, "execute", noted)
        task = asyncio.create_task(kcc.run(stop))
        async with asyncio.timeout(30):
            assert (await reports.get()).is_quiet
            await asyncio.to_thread(add_dc, corp, "DC2", FIRST)
            while (await reports.get()).added != 1:
                pass  # it may have looked between the objects of the new DC
            assert (await reports.get()).is_quiet, "what it wrote is a change, too"
            await asyncio.to_thread(corp.write, kcc_runs.request_run, SYSTEM)
            await reports.get()
        stop.set()
        await task

    asyncio.run(work())
    assert not corp.read(kcc_runs.is_requested)
