"""Findings about naming contexts: parts that are not joined, and replicas that are the only ones.

Spec: [MS-ADTS] 6.2.2, 6.2.2.3.4.4
"""

from collections.abc import Iterator, Sequence

from addc.kcc.snapshot import DcAt, NcAt, Replica
from addc.kcc.telling.finding import Finding, Severity
from addc.kcc.telling.latency import Latency, untold
from addc.kcc.telling.words import counted, dc_name, names, nc_label, nc_labels
from addc.kcc.wanted import Plan


def of_replicas(plan: Plan) -> Iterator[Finding]:
    """Naming contexts that are cut apart, or that hang on one DC."""
    snapshot = plan.snapshot
    for one in plan.unreachable:
        sites = names([snapshot.sites[site].name for site in one.sites])
        yield Finding(
            Severity.ERROR,
            "nc-disconnected",
            snapshot.sites[one.sites[0]].dn if one.sites else snapshot.config_dn,
            f"{nc_labels(snapshot, one.ncs, 4)}: {counted(len(one.sites), 'site')} ({sites}) cannot be "
            f"joined to the rest: {one.why}",
            "changes made on one side never arrive on the other: add or open site links between them",
            weight=len(one.sites),
        )
    yield from _rare(plan)


def of_cut_off(plan: Plan, latencies: Sequence[Latency]) -> Iterator[Finding]:
    """DCs that miss changes though their sites are joined: replication or connections are switched off."""
    snapshot = plan.snapshot
    known = {(nc, site) for one in plan.unreachable for nc in one.ncs for site in one.sites}
    for one in latencies:
        dcs = [dc for dc in one.cut_off if (one.ncs[0], snapshot.dcs[dc].site) not in known]
        if not dcs:
            continue
        told = names([dc_name(snapshot, dc) for dc in dcs], 3)
        yield Finding(
            Severity.ERROR,
            "replica-cut-off",
            snapshot.dcs[dcs[0]].dn,
            f"{nc_labels(snapshot, one.ncs, 4)}: {counted(len(dcs), 'DC')} ({told}) will not hear of all "
            "changes, or the others not of theirs: no connections that work lead there and back",
            "addc kcc --explain FROM TO tells what is in the way",
            weight=len(dcs),
        )


def of_untold(plan: Plan, latencies: Sequence[Latency]) -> Iterator[Finding]:
    """Naming contexts that nobody looked into, as there are too many over too many connections."""
    missing = untold(plan, latencies) if latencies else ()
    if missing:
        yield Finding(
            Severity.NOTE,
            "not-added-up",
            plan.snapshot.ncs[missing[0]].dn,
            f"How long changes take, and whether they arrive everywhere, is not told of "
            f"{nc_labels(plan.snapshot, missing, 4)}: there are too many connections for that",
            "addc kcc --explain FROM TO --nc DN looks into one of them",
            weight=len(missing),
        )


def _rare(plan: Plan) -> Iterator[Finding]:
    """Naming contexts of one writable replica, or of none."""
    snapshot = plan.snapshot
    count = [0] * len(snapshot.ncs)
    last: dict[NcAt, DcAt] = {}
    for at, dc in enumerate(snapshot.dcs):
        for nc, replica in dc.held.items():
            if replica is Replica.WRITABLE:
                count[nc] += 1
                last[nc] = DcAt(at)
    lonely: dict[DcAt, list[NcAt]] = {}
    for place, found in enumerate(snapshot.ncs):
        nc = NcAt(place)
        if not count[nc]:
            yield Finding(
                Severity.ERROR,
                "nc-without-writable-replica",
                found.dn,
                f"No DC holds a writable replica of {nc_label(snapshot, nc)}",
                "restore one of its DCs, or remove its cross-reference",
            )
        elif count[nc] == 1:
            lonely.setdefault(last[nc], []).append(nc)
    for only, ncs in lonely.items():
        yield Finding(
            Severity.WARNING,
            "one-writable-replica",
            snapshot.ncs[ncs[0]].dn,
            f"{dc_name(snapshot, only)} holds the only writable replica of {nc_labels(snapshot, ncs, 5)}",
            "what is lost there is lost: add a second DC that holds it",
            weight=len(ncs),
        )
