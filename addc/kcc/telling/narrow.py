"""A plan and what was found of it, narrowed to what a reader asked for.

A whole forest's plan stays one: what is told of is less, what was decided is the same.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace

from addc.kcc.snapshot import DcAt, NcAt
from addc.kcc.telling.finding import Finding
from addc.kcc.telling.latency import Latency
from addc.kcc.wanted import Action, Plan, Planned


def of_nc(plan: Plan, nc: NcAt) -> Plan:
    """What concerns one naming context: connections that carry it, its tree, where it is cut apart.

    Deleted connections carry nothing any more; they are told of where their ends both held it.
    """
    return replace(
        plan,
        connections=tuple(one for one in plan.connections if _concerns(plan, one, nc)),
        trees=tuple(replace(tree, ncs=(nc,)) for tree in plan.trees if nc in tree.ncs),
        unreachable=tuple(replace(one, ncs=(nc,)) for one in plan.unreachable if nc in one.ncs),
    )


def _concerns(plan: Plan, one: Planned, nc: NcAt) -> bool:
    if one.action is not Action.DELETE:
        return nc in one.ncs
    dcs = plan.snapshot.dcs
    return nc in dcs[one.target].held and (one.source is None or nc in dcs[one.source].held)


def latencies_of_nc(latencies: Sequence[Latency], nc: NcAt) -> tuple[Latency, ...]:
    return tuple(replace(one, ncs=(nc,)) for one in latencies if nc in one.ncs)


def findings_about(found: Sequence[Finding], plan: Plan, dcs: Collection[DcAt]) -> tuple[Finding, ...]:
    """Findings about these DCs, their sites, and connections below the DCs."""
    snapshot = plan.snapshot
    exact = {snapshot.sites[snapshot.dcs[dc].site].dn for dc in dcs} | {snapshot.dcs[dc].dn for dc in dcs}
    return tuple(one for one in found if one.where in exact or one.where.partition(",")[2] in exact)
