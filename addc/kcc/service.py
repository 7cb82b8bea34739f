"""The KCC's timetable: soon after the start, every 15 minutes, soon after a change, and when somebody asks.

Spec: [MS-ADTS] 6.2.2; [MS-DRSR] 4.1.6.3 (IDL_DRSExecuteKCC).
"""

import asyncio
import logging
import time
from dataclasses import dataclass
from typing import Final

from addc.base.errors import AddcError
from addc.base.ids import Usn
from addc.base.rng import Rng
from addc.directory import kcc_runs
from addc.directory.api import Committed, Directory
from addc.directory.context import ReadContext, WriteContext
from addc.kcc import one_run
from addc.kcc.one_run import Decision, Peers, Report, StaleError
from addc.schema import cls
from addc.security.token import SYSTEM

_LOG: Final = logging.getLogger("addc.kcc")
PERIOD_S: Final = 900.0
"""Between the end of a run and the next. Spec: [MS-ADTS] 6.2.2."""
FIRST_S: Final = 15.0
"""Windows waits for five minutes while a machine boots; a DC that waits replicates with nobody until then."""
SETTLE_S: Final = 5.0
"""How long the configuration has to be left alone before a run looks at a change."""
SETTLE_MAX_S: Final = 60.0
"""After so long a run looks while changes go on."""
REST: Final = 9.0
"""After a run that somebody else caused, so many times as long as it took: who changes sites all day, or asks
all day, has a tenth of a processor. In a forest of ten sites that is less than a second."""
AGAIN_S: Final = 15.0
"""After a run that failed; twice as long after each further one, up to the period."""
_LOOK_S: Final = 1.0
_CHANGES: Final = 256
"""So many changed objects of the configuration are looked at; of more, one will matter."""
_INPUTS: Final = frozenset(
    (
        cls.CROSS_REF,
        cls.INTER_SITE_TRANSPORT,
        cls.NTDSDSA,
        cls.NTDSDSARO,
        cls.NTDS_CONNECTION,
        cls.NTDS_SITE_SETTINGS,
        cls.SERVER,
        cls.SITE,
        cls.SITE_LINK,
        cls.SITE_LINK_BRIDGE,
    )
)
"""Classes of the objects that a plan is made from. Spec: [MS-ADTS] 6.2.2."""


@dataclass(slots=True)
class Timetable:
    """When the next run is due, on the loop's clock. first, last: of changes that no run has seen."""

    periodic_at: float
    first: float = 0.0
    last: float = 0.0
    failed_runs: int = 0
    rests_until: float = 0.0

    def note_change(self, now: float) -> None:
        """Something changed; a run follows once it has settled, or went on for too long."""
        self.first = self.first or now
        self.last = now

    def due_at(self) -> float:
        due_at = self.periodic_at
        if self.first and not self.failed_runs:
            due_at = min(due_at, self.last + SETTLE_S, self.first + SETTLE_MAX_S)
        return max(due_at, self.rests_until)

    def ask(self, now: float) -> None:
        """Somebody asks for a run: no waiting, but for the rest after the last one."""
        self.periodic_at = min(self.periodic_at, now)

    def begun(self) -> None:
        """A run looks at everything that has changed until now."""
        self.first = 0.0

    def done(self, now: float, took_s: float = 0.0) -> None:
        self.periodic_at, self.failed_runs = now + PERIOD_S, 0
        self._rest(now, took_s)

    def _rest(self, now: float, took_s: float) -> None:
        self.rests_until = now + min(REST * took_s, PERIOD_S)

    def failed(self, now: float, took_s: float = 0.0) -> float:
        """In how many seconds the next try is."""
        self._rest(now, took_s)
        self.failed_runs += 1
        wait_s = min(AGAIN_S * 2.0 ** min(self.failed_runs - 1, 16), PERIOD_S)
        self.periodic_at = now + wait_s
        return wait_s


class Kcc:
    """The KCC of one process."""

    def __init__(self, directory: Directory, rng: Rng, peers: Peers | None = None) -> None:
        """peers: how to speak with other DCs; without it their failure lists are not asked for."""
        self._directory = directory
        self._rng = rng
        self._peers = peers
        self._running = asyncio.Lock()
        self._next: asyncio.Task[Report] | None = None
        self._committed = True
        self._seen = Usn(0)

    # --- one run ---

    async def execute(self) -> Report:
        """One run that begins from now on. Raises DsError.

        All who ask while one is under way get the same next one: no queue of runs can be built.
        """
        if self._next is None:
            self._next = asyncio.create_task(self._after_the_last())
        return await asyncio.shield(self._next)

    async def _after_the_last(self) -> Report:
        async with self._running:
            self._next = None
            began = time.monotonic()
            report = await self._run()
        _say(report, time.monotonic() - began)
        return report

    async def _run(self) -> Report:
        for left in reversed(range(one_run.TRIES)):
            found = await self._directory.read("kcc.look", SYSTEM, one_run.look)
            lists, failed = await one_run.asked(found, self._peers)
            decision = await asyncio.to_thread(one_run.decide, found, self._rng, lists, frozenset(failed))
            try:
                report = await self._written(decision, heeds_changes=left > 0)
            except StaleError:
                continue
            return report
        raise one_run.busy()

    async def _written(self, decision: Decision, *, heeds_changes: bool) -> Report:
        def work(ctx: WriteContext) -> Report:
            return one_run.carry_out(ctx, decision, heeds_changes=heeds_changes)

        return await self._directory.write("kcc.write", SYSTEM, work)

    # --- the timetable ---

    async def run(self, stop: asyncio.Event) -> None:
        """Run by the timetable until `stop` is set; a run that is under way then is finished.

        Commits of other processes are seen because the directory's own work, in this process, polls for them.
        """
        clock = asyncio.get_running_loop().time
        times = Timetable(clock() + FIRST_S)
        self._seen = await asyncio.to_thread(self._directory.usn)
        unsubscribe = self._directory.subscribe(self._note)
        try:
            while not stop.is_set():
                await self._look(times)
                if times.due_at() <= clock():
                    await self._turn(times)
                await _pause(stop, _LOOK_S)
        finally:
            unsubscribe()

    def _note(self, change: Committed) -> None:
        """A commit, on the writer's thread."""
        del change
        self._committed = True

    async def _look(self, times: Timetable) -> None:
        """See whether inputs changed, or a run is asked for."""
        if not self._committed:
            return
        self._committed = False
        now, since = asyncio.get_running_loop().time(), self._seen
        try:
            changed, asked, self._seen = await self._directory.read(
                "kcc.changes", SYSTEM, lambda ctx: changes_since(ctx, since)
            )
        except AddcError as error:
            self._committed = True
            _LOG.error("changes cannot be read", extra={"fields": {"why": str(error)}})
            return
        if changed:
            times.note_change(now)
        if asked:
            times.ask(now)

    async def _turn(self, times: Timetable) -> None:
        clock = asyncio.get_running_loop().time
        began = clock()
        times.begun()
        try:
            await self.execute()
        except Exception as error:
            wait_s = times.failed(clock(), clock() - began)
            fields = {"failures": times.failed_runs, "again_in_s": wait_s, "why": str(error)}
            trace = None if isinstance(error, AddcError) else error
            _LOG.error("the KCC's run failed", exc_info=trace, extra={"fields": fields})
        else:
            times.done(clock(), clock() - began)


def changes_since(ctx: ReadContext, usn: Usn) -> tuple[bool, bool, Usn]:
    """Whether a plan's inputs changed, whether a run is asked for, and the USN that this is told as of."""
    changed = ctx.tx.changes(ctx.forest.config_nc, usn, _CHANGES)
    matters = len(changed) == _CHANGES or any(row.class_id in _INPUTS for row in ctx.tx.get_many(changed))
    return matters, kcc_runs.is_requested(ctx), ctx.tx.usn


def _say(report: Report, took_s: float) -> None:
    fields: dict[str, object] = {
        "added": report.added,
        "changed": report.changed,
        "deleted": report.deleted,
        "kept": report.kept,
        "partners": report.partners,
        "istg": report.is_istg,
        "troubles": report.troubles,
        "took_ms": round(took_s * 1000),
    }
    if report.to_fetch:
        fields["to_fetch"] = list(report.to_fetch)
    if report.to_remove:
        fields["to_remove"] = list(report.to_remove)
    if report.is_quiet:
        _LOG.debug("the KCC's run changed nothing", extra={"fields": fields})
        return
    fields["done"] = list(report.done)
    _LOG.info("the KCC's run changed the topology", extra={"fields": fields})


async def _pause(stop: asyncio.Event, wait_s: float) -> None:
    try:
        async with asyncio.timeout(wait_s):
            await stop.wait()
    except TimeoutError:
        return
