"""The directory's own work: by period, by agenda, after commits; failures are tried again."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from addc.base.clock import TICKS_PER_S
from addc.base.errors import DsError
from addc.codes.win32 import Win32
from addc.directory.api import Directory, Services
from addc.directory.context import WriteContext
from addc.directory.jobs import Job, run_jobs
from addc.security.token import SYSTEM
from addc.server import background
from addc.server.background import Background
from addc.store.agenda import Due
from tests.kit.corp import Corp
from tests.kit.corp_forest import CountingRng, StandingClock

FOREVER_S = 1e9


@dataclass
class Bench:
    """A directory, its background and a note of every batch. The work ends when `enough` says so."""

    corp: Corp
    enough: Callable[[list[str]], bool]
    ran: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.clock = StandingClock(self.corp.now)
        services = Services(self.clock, CountingRng(b"background"))
        self.directory = Directory(self.corp.store, self.corp.schema, services)

    def job(self, name: str, *answers: bool | Exception, kind: str | None = None) -> Job:
        """A job whose batches answer in turn, then "nothing more"."""
        left = list(answers)

        def step(ctx: WriteContext) -> bool:
            assert ctx.requester is SYSTEM
            answer = left.pop(0) if left else False
            self.ran.append(name)
            if isinstance(answer, Exception):
                raise answer
            return answer

        return Job(name, step, FOREVER_S, kind)

    def run(self, *jobs: Job, during: Callable[[], None] | None = None) -> list[str]:
        asyncio.run(self._run(jobs, during))
        return self.ran

    async def _run(self, jobs: tuple[Job, ...], during: Callable[[], None] | None) -> None:
        stop = asyncio.Event()
        task = asyncio.create_task(Background(self.directory, self.clock, jobs).run(stop))
        begun = False
        async with asyncio.timeout(30):
            while not self.enough(self.ran):
                await asyncio.sleep(0)
                if self.ran and during is not None and not begun:
                    begun = True
                    await asyncio.to_thread(during)
            stop.set()
            await task


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background, "LOOK_S", 0.01)
    monkeypatch.setattr(background, "_BACK_OFF_S", 0.0)


def test_every_job_runs_at_the_start_and_no_job_keeps_another_waiting(corp_sqlite: Corp) -> None:
    bench = Bench(corp_sqlite, lambda ran: len(ran) >= 4)
    assert bench.run(bench.job("long", True, True), bench.job("short")) == ["long", "short", "long", "long"]


def test_a_job_that_fails_is_logged_and_tried_again(
    corp_sqlite: Corp, caplog: pytest.LogCaptureFixture
) -> None:
    bench = Bench(corp_sqlite, lambda ran: len(ran) >= 4)
    refused = DsError(Win32.ERROR_DS_BUSY, "not now")
    with caplog.at_level(logging.ERROR, "addc.background"):
        ran = bench.run(bench.job("bad", refused, ValueError("a bug")), bench.job("good"))
    assert ran == ["bad", "good", "bad", "bad"]
    assert [bool(record.exc_info) for record in caplog.records] == [False, True]


def put_due(bench: Bench, due_ft: int) -> None:
    def work(ctx: WriteContext) -> None:
        ctx.tx.put_due(Due("tombstone", ctx.forest.domain_nc, b"", due_ft))

    bench.directory.write_now("test", SYSTEM, work)


def test_work_put_on_the_agenda_is_done_at_once_after_its_commit(corp_sqlite: Corp) -> None:
    bench = Bench(corp_sqlite, lambda ran: ran.count("kept") >= 2)
    kept, other = bench.job("kept", kind="tombstone"), bench.job("other", kind="sdprop")

    ran = bench.run(kept, other, during=lambda: put_due(bench, int(bench.clock.now())))
    assert ran[:3] == ["kept", "other", "kept"] and ran.count("other") == 1


def test_work_whose_time_has_not_come_waits_for_it(corp_sqlite: Corp) -> None:
    bench = Bench(corp_sqlite, lambda ran: ran.count("kept") >= 1 and ran.count("later") >= 3)
    put_due(bench, int(bench.clock.now()) + 3600 * TICKS_PER_S)
    ticking = Job("later", bench.job("later").step, 0.02)
    assert bench.run(bench.job("kept", kind="tombstone"), ticking).count("kept") == 1


def test_all_that_waits_can_be_run_to_its_end(corp_sqlite: Corp) -> None:
    bench = Bench(corp_sqlite, lambda _: True)
    first, second = bench.job("first", True, False, False), bench.job("second", True)
    assert run_jobs(bench.directory, (first, second)) == 2
    assert bench.ran == ["first", "first", "second", "second", "first", "second"]
