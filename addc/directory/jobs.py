"""The directory's own work: what it does by itself, when, and in which order.

Each topic provides a step in its own module and has a row here. A step does one bounded batch in one write
transaction: clients' writes pass between batches, and after a crash the work goes on where it stopped.

Spec: [MS-ADTS] 3.1.1.6 (background tasks).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol, TypeVar

from addc.directory import (
    admin_sd,
    dns_scavenging,
    dns_signing,
    dynamic_objects,
    garbage,
    gpo_apply,
    linked_values,
    managed_passwords,
    schema_cache,
    schema_index,
    sd_propagate,
    sysvol,
    sysvol_watch,
    tombstones,
    ttl_links,
    upgrades,
)
from addc.directory.context import WriteContext
from addc.security.token import SYSTEM, Token

T = TypeVar("T")

_SELDOM_S: Final = 600.0
"""For jobs that the agenda wakes."""

Step = Callable[[WriteContext], bool]
"""One bounded batch as SYSTEM; whether more is waiting now."""


@dataclass(frozen=True, slots=True)
class Job:
    """One kind of work.

    period_s: it runs at least so often, also when nothing is known to wait. kind: of its rows on the agenda,
    whose earliest time it is run at; None if it keeps none.
    """

    name: str
    step: Step
    period_s: float
    kind: str | None = None


class Door(Protocol):
    """What running a step needs of the directory."""

    def write_now(self, name: str, requester: Token, work: Callable[[WriteContext], T]) -> T: ...


_HALF_A_DAY_S: Final = 43_200.0
"""How often Windows collects garbage."""

JOBS: Final[tuple[Job, ...]] = (
    Job("upgrade", upgrades.step, _HALF_A_DAY_S),
    Job("schema", schema_cache.step, _SELDOM_S, schema_cache.DUE_KIND),
    Job("reindex", schema_index.step, _SELDOM_S, schema_cache.REINDEX_KIND),
    Job(admin_sd.JOB, admin_sd.step, admin_sd.PERIOD_S),
    Job("sdprop", sd_propagate.step, _SELDOM_S, sd_propagate.KIND),
    Job("links", ttl_links.step, _SELDOM_S, linked_values.LINK),
    Job("objects", garbage.expire_objects_step, _SELDOM_S, dynamic_objects.OBJECT),
    Job("passwords", managed_passwords.roll_step, _SELDOM_S, managed_passwords.ROLL),
    Job("garbage", garbage.collect_step, _HALF_A_DAY_S, tombstones.TOMBSTONE),
    Job("phantoms", garbage.phantoms_step, _HALF_A_DAY_S, tombstones.PHANTOM),
    Job("policies", gpo_apply.step, gpo_apply.PERIOD_S, sysvol_watch.KIND),
    Job("dns scavenging", dns_scavenging.step, dns_scavenging.PERIOD_S, dns_scavenging.KIND),
    Job(dns_signing.JOB, dns_signing.step, dns_signing.PERIOD_S),
    Job("removed files", sysvol.forget_step, _HALF_A_DAY_S),
)
"""All of them, in the order in which they are tried; what one leaves waiting, a later one may find."""


def run_jobs(directory: Door, jobs: Sequence[Job] | None = None) -> int:
    """Run everything that is waiting now to its end, also what one job leaves for another; batches run.

    Not for the event loop's thread. jobs: those of the table unless a caller names its own.
    """
    todo = JOBS if jobs is None else jobs
    batches = 0
    again = True
    while again:
        again = False
        for job in todo:
            while directory.write_now(job.name, SYSTEM, job.step):
                batches += 1
                again = True
    return batches
