"""What an administrator should know of a forest and its plan, worst first.

Each look is near-linear in the forest's size. What needs the whole forest's plan is left out of a part's.

Spec: [MS-ADTS] 6.2.2
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from addc.kcc.telling.finding import Finding, in_order
from addc.kcc.telling.findings_connections import of_connections
from addc.kcc.telling.findings_dcs import of_dcs
from addc.kcc.telling.findings_outage import of_outages
from addc.kcc.telling.findings_replicas import of_cut_off, of_replicas, of_untold
from addc.kcc.telling.findings_sites import of_links, of_sites, of_troubles
from addc.kcc.telling.latency import Latency
from addc.kcc.wanted import Plan

_LOOKS: Final[tuple[Callable[[Plan], Iterator[Finding]], ...]] = (
    of_troubles,
    of_sites,
    of_links,
    of_dcs,
    of_replicas,
    of_connections,
)


def findings(plan: Plan, latencies: Sequence[Latency] = ()) -> tuple[Finding, ...]:
    """Everything found, in order. latencies: of the whole plan; they tell who misses changes."""
    found = [one for look in _LOOKS for one in look(plan)]
    if is_whole(plan):
        found += of_outages(plan)
        found += of_cut_off(plan, latencies)
        found += of_untold(plan, latencies)
    return in_order(found)


def is_whole(plan: Plan) -> bool:
    """Whether every DC's connections were decided."""
    return len(plan.planned_for) == len(plan.snapshot.dcs) and all(one.is_decided for one in plan.connections)
