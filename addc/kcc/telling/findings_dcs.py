"""Findings about DCs: what they are told not to do, what they fail at, what nobody uses.

Spec: [MS-ADTS] 6.1.1.2.2.1.2.1.1 (options of nTDSDSA), 6.2.2.3.4.5 (bridgeheads)
"""

from collections.abc import Iterator
from typing import Final

from addc.kcc.bridgeheads import preferred_without
from addc.kcc.snapshot import DcAt, DsaOption, NcAt, SiteAt, Snapshot
from addc.kcc.telling.finding import Finding, Severity
from addc.kcc.telling.words import counted, dc_name, moment, names, nc_labels
from addc.kcc.wanted import Action, Plan

_OFF: Final = (
    (
        DsaOption.DISABLE_INBOUND_REPL,
        "inbound-disabled",
        "copies nothing from others: inbound replication is disabled",
    ),
    (
        DsaOption.DISABLE_OUTBOUND_REPL,
        "outbound-disabled",
        "gives nothing to others: outbound replication is disabled",
    ),
    (
        DsaOption.DISABLE_NTDSCONN_XLATE,
        "translation-disabled",
        "does not make replication of its connections: their translation is disabled",
    ),
)


_BUSY: Final = 150
"""From so many on, one round of copying at the default interval of three hours leaves a minute for each."""


def of_dcs(plan: Plan) -> Iterator[Finding]:
    """DCs that keep replication from working, and bridgeheads without work."""
    snapshot = plan.snapshot
    for at, dc in enumerate(snapshot.dcs):
        for bit, code, so in _OFF:
            if not int(dc.options) & int(bit) or (bit is DsaOption.DISABLE_OUTBOUND_REPL and dc.is_read_only):
                continue
            yield Finding(
                Severity.WARNING,
                code,
                dc.dn,
                f"{dc_name(snapshot, DcAt(at))} {so}",
                f"clear bit {int(bit):#x} in the options of its NTDS Settings when the reason is gone",
            )
        failure = snapshot.failures.get(dc.guid)
        if failure is not None and failure.count > 0:
            yield Finding(
                Severity.WARNING,
                "dc-failing",
                dc.dn,
                f"{dc_name(snapshot, DcAt(at))} has not answered since {moment(failure.first)} "
                f"({counted(failure.count, 'try', 'tries')})",
                "after two hours others take its place; repair it, or remove it from the forest",
            )
    if len({dc.site for dc in snapshot.dcs}) > 1:
        yield from _preferred(plan)
        yield from _busy(plan)


def _busy(plan: Plan) -> Iterator[Finding]:
    """Bridgeheads that copy from very many."""
    snapshot = plan.snapshot
    load: dict[DcAt, int] = {}
    for one in plan.connections:
        if one.action is Action.DELETE or one.source is None:
            continue
        if snapshot.dcs[one.source].site != snapshot.dcs[one.target].site:
            load[one.target] = load.get(one.target, 0) + 1
    for dc, count in load.items():
        if count > _BUSY:
            yield Finding(
                Severity.WARNING,
                "bridgehead-busy",
                snapshot.dcs[dc].dn,
                f"{dc_name(snapshot, dc)} copies from {count:,} DCs of other sites, one after the other",
                "add DCs to its site, or put hub sites between: cheaper links to these make them the way",
                weight=count,
            )


def _preferred(plan: Plan) -> Iterator[Finding]:
    """Preferred bridgeheads that serve no one, or that do not hold what their site replicates."""
    snapshot = plan.snapshot
    by_site: dict[SiteAt, list[DcAt]] = {}
    for at, dc in enumerate(snapshot.dcs):
        if dc.is_preferred:
            by_site.setdefault(dc.site, []).append(DcAt(at))
    if not by_site:
        return
    if len(plan.planned_for) == len(snapshot.dcs):
        yield from _idle(plan, [dc for preferred in by_site.values() for dc in preferred])
    missing: dict[SiteAt, list[NcAt]] = {}
    for site, nc in preferred_without(snapshot):
        missing.setdefault(site, []).append(nc)
    for site, ncs in missing.items():
        yield _fallback(snapshot, site, by_site[site], ncs)


def _fallback(snapshot: Snapshot, site: SiteAt, preferred: list[DcAt], missing: list[NcAt]) -> Finding:
    told = names([snapshot.dcs[dc].name for dc in preferred])
    return Finding(
        Severity.WARNING,
        "preferred-bridgehead-fallback",
        snapshot.sites[site].dn,
        f"No preferred bridgehead of site {snapshot.sites[site].name} ({told}) holds "
        f"{nc_labels(snapshot, missing, 5)}: other DCs of the site stand in",
        "prefer a DC that holds it as well, or prefer none",
    )


def _idle(plan: Plan, preferred: list[DcAt]) -> Iterator[Finding]:
    snapshot = plan.snapshot
    busy: set[DcAt] = set()
    for one in plan.connections:
        if one.action is Action.DELETE or one.source is None:
            continue
        if snapshot.dcs[one.source].site != snapshot.dcs[one.target].site:
            busy.add(one.source)
            busy.add(one.target)
    for dc in preferred:
        if dc not in busy:
            yield Finding(
                Severity.NOTE,
                "bridgehead-idle",
                snapshot.dcs[dc].dn,
                f"{dc_name(snapshot, dc)} is a preferred bridgehead and serves no connection between sites",
                "it stands in when another fails; prefer it no more if it should never be one",
            )
