"""The directory's own work in the one process that does it: by period, by agenda, and after commits.

One batch of each job that is due, then the next round: no job keeps another waiting. A job that fails is
logged and tried again, later each time. Commits of other processes are seen by looking, those of this one at
once; either way the agenda is asked at most once per look.
"""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from addc.base.clock import TICKS_PER_S, Clock
from addc.base.errors import AddcError
from addc.directory.api import Directory
from addc.directory.context import ReadContext
from addc.directory.jobs import JOBS, Job
from addc.provision import sysvol
from addc.security.token import SYSTEM
from addc.store.writer import Committed

_LOG: Final = logging.getLogger("addc.background")
LOOK_S: Final = 1.0
"""How long a commit may go unseen."""
WORK: Final = (Job("sysvol", sysvol.step, 43_200.0), *JOBS)
"""The directory's own work, and what a forest of an earlier version has to be given first."""
_BACK_OFF_S: Final = 2.0
_BACK_OFF_MAX_S: Final = 600.0


@dataclass(slots=True)
class _Turn:
    """One job's plan. run_at, rested_at: on the loop's clock. failures: in a row.

    rested_at: when it may run again after it said that nothing was waiting, whatever the agenda says.
    """

    job: Job
    run_at: float
    rested_at: float = 0.0
    failures: int = 0


class Background:
    """Runs the jobs of one directory until it is told to stop."""

    def __init__(self, directory: Directory, clock: Clock, jobs: Sequence[Job] = WORK) -> None:
        self._directory = directory
        self._clock = clock
        self._jobs = jobs
        self._changed = True
        self._kinds = tuple({job.kind: None for job in jobs if job.kind is not None})

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set; the batch that is running then is finished."""
        unsubscribe = self._directory.subscribe(self._note)
        now = asyncio.get_running_loop().time()
        turns = [_Turn(job, now) for job in self._jobs]
        try:
            while not stop.is_set():
                await self._look(turns)
                if not await self._round(turns, stop):
                    await _pause(stop, self._idle_s(turns))
        finally:
            unsubscribe()

    def _note(self, change: Committed) -> None:
        """A commit, on the writer's thread."""
        del change
        self._changed = True

    async def _look(self, turns: Sequence[_Turn]) -> None:
        """Bring forward the jobs whose agenda has something earlier than was known."""
        try:
            await asyncio.to_thread(self._directory.poll)
            if not self._changed:
                return
            self._changed = False
            due = await self._directory.read("background.agenda", SYSTEM, self._next_due, point=True)
        except AddcError as error:
            self._changed = True
            _LOG.error("the agenda cannot be read", extra={"fields": {"why": str(error)}})
            return
        now, now_ft = asyncio.get_running_loop().time(), self._clock.now()
        for turn in turns:
            due_ft = None if turn.job.kind is None else due[turn.job.kind]
            if due_ft is not None and not turn.failures:
                wanted_at = now + max(due_ft - now_ft, 0) / TICKS_PER_S
                turn.run_at = min(turn.run_at, max(wanted_at, turn.rested_at))

    def _next_due(self, ctx: ReadContext) -> dict[str, int | None]:
        return {kind: ctx.tx.next_due(kind) for kind in self._kinds}

    async def _round(self, turns: Sequence[_Turn], stop: asyncio.Event) -> bool:
        """One batch of each job that is due; whether any has more to do now."""
        loop = asyncio.get_running_loop()
        more = False
        for turn in turns:
            if stop.is_set():
                return False
            if turn.run_at <= loop.time():
                more |= await self._batch(turn)
        return more

    async def _batch(self, turn: _Turn) -> bool:
        job, loop = turn.job, asyncio.get_running_loop()
        try:
            more = await self._directory.write(job.name, SYSTEM, job.step)
        except Exception as error:
            turn.failures += 1
            wait_s = min(_BACK_OFF_S * 2 ** min(turn.failures, 16), _BACK_OFF_MAX_S)
            turn.run_at = loop.time() + wait_s
            fields = {"job": job.name, "failures": turn.failures, "again_in_s": wait_s, "why": str(error)}
            trace = None if isinstance(error, AddcError) else error
            _LOG.error("background work failed", exc_info=trace, extra={"fields": fields})
            return False
        turn.failures = 0
        turn.run_at = loop.time() + (0 if more else job.period_s)
        if not more:
            turn.rested_at = loop.time() + LOOK_S
            self._changed = True  # its next time may be earlier than its period
        return more

    def _idle_s(self, turns: Sequence[_Turn]) -> float:
        now = asyncio.get_running_loop().time()
        earliest = min((turn.run_at for turn in turns), default=now + LOOK_S)
        return min(max(earliest - now, 0.0), LOOK_S)


async def _pause(stop: asyncio.Event, wait_s: float) -> None:
    try:
        async with asyncio.timeout(wait_s):
            await stop.wait()
    except TimeoutError:
        return
