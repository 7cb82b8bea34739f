"""A plan for people: a summary, then what was found, then what changes, site by site.

Long lists end with the number of what was left out; `everything` leaves nothing out, and tells what stays as
well.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from addc.base.terminal import visible
from addc.kcc.snapshot import DcAt, SiteAt, Snapshot
from addc.kcc.telling.finding import Finding, Severity
from addc.kcc.telling.findings import is_whole
from addc.kcc.telling.flow import Hop
from addc.kcc.telling.latency import Latency
from addc.kcc.telling.words import (
    ACTIONS,
    counted,
    dc_name,
    duration,
    gone_name,
    moment,
    names,
    nc_labels,
    option_words,
    starts_words,
    why_words,
)
from addc.kcc.wanted import Action, Plan, Planned

_LABEL: Final = 11
_NO_LIMIT: Final = 1 << 30


@dataclass(frozen=True, slots=True)
class _Limits:
    """How much of each list is told. reasons: lines of why for a connection."""

    alike: int = 5
    sites: int = 20
    connections: int = 20
    latencies: int = 8
    reasons: int = 3


_EVERYTHING: Final = _Limits(_NO_LIMIT, _NO_LIMIT, _NO_LIMIT, _NO_LIMIT, _NO_LIMIT)


def as_text(
    plan: Plan,
    findings: Sequence[Finding] = (),
    latencies: Sequence[Latency] = (),
    *,
    everything: bool = False,
) -> str:
    """The report in full. everything: kept connections as well, and no list cut short."""
    limits = _EVERYTHING if everything else _Limits()
    parts = [
        _summary(plan, findings, latencies),
        _findings(findings, limits),
        _latencies(plan.snapshot, latencies, limits),
        _changes(plan, limits, everything=everything),
    ]
    return "\n\n".join("\n".join(map(visible, lines)) for lines in parts if lines)


def _row(label: str, text: str) -> str:
    return f"  {label:<{_LABEL}}{text}"


# --- ten seconds -------------------------------------------------------------------------------------------


def _summary(plan: Plan, findings: Sequence[Finding], latencies: Sequence[Latency]) -> list[str]:
    snapshot = plan.snapshot
    whose = snapshot.forest_dns or snapshot.config_dn or "a forest"
    lines = [f"Replication topology of {whose}, {moment(snapshot.now) or 'at no time'}"]
    read_only = sum(dc.is_read_only for dc in snapshot.dcs)
    dcs = counted(len(snapshot.dcs), "DC") + (f" ({read_only:,} read-only)" if read_only else "")
    lines.append(
        _row(
            "Forest",
            f"{counted(len(snapshot.sites), 'site')}, {dcs}, {counted(len(snapshot.links), 'site link')}, "
            f"{counted(len(snapshot.ncs), 'naming context')}",
        )
    )
    if not is_whole(plan):
        told = names([snapshot.dcs[dc].name for dc in sorted(plan.planned_for)], 4)
        lines.append(_row("Planned", f"{counted(len(plan.planned_for), 'DC')} alone: {told or 'none'}"))
    lines.append(_row("Changes", _counts(plan)))
    if plan.unreachable or is_whole(plan):
        lines.append(_row("Joined", _joined(plan)))
    if latencies:
        lines.append(_row("Slowest", _slowest(snapshot, latencies[0])))
    busiest = _busiest(plan)
    if busiest:
        lines.append(_row("Busiest", busiest))
    lines.append(_row("Findings", finding_counts(findings)))
    lines += [_row(name.capitalize(), note) for name, note in plan.notes.items() if note]
    return lines


def _counts(plan: Plan) -> str:
    counts = dict.fromkeys(ACTIONS, 0)
    implied = 0
    for one in plan.connections:
        if one.is_written:
            counts[one.action] += 1
        else:
            implied += 1
    more = f"; {implied:,} of read-only DCs, which nobody writes" if implied else ""
    if not counts[Action.ADD] + counts[Action.CHANGE] + counts[Action.DELETE]:
        if not counts[Action.KEEP]:
            return f"none: there are no connections, and none are wanted{more}"
        return f"none: all {counted(counts[Action.KEEP], 'connection')} stay as they are{more}"
    return ", ".join(f"{counts[action]:,} {word}" for action, (_, word) in ACTIONS.items()) + more


def _joined(plan: Plan) -> str:
    if not plan.unreachable:
        return "every naming context reaches all of its replicas"
    snapshot = plan.snapshot
    apart = sorted({nc for one in plan.unreachable for nc in one.ncs})
    sites = {site for one in plan.unreachable for site in one.sites}
    return f"NOT {nc_labels(snapshot, apart, 4)}: {counted(len(sites), 'site')} cut off, see below"


def _slowest(snapshot: Snapshot, one: Latency) -> str:
    return f"{latency_words(one)} until a change is everywhere ({nc_labels(snapshot, one.ncs, 3)})"


def latency_words(one: Latency) -> str:
    """ "6 h", "at most 6 h", "between 4 h and 6 h"."""
    if one.is_exact:
        return duration(one.at_most_s)
    if duration(one.at_least_s) == duration(one.at_most_s):
        return f"at most {duration(one.at_most_s)}"
    return f"between {duration(one.at_least_s)} and {duration(one.at_most_s)}"


def _busiest(plan: Plan) -> str:
    """The DC with most connections between sites, where it stands out."""
    snapshot = plan.snapshot
    load: dict[DcAt, int] = {}
    for one in plan.connections:
        if one.action is Action.DELETE or one.source is None:
            continue
        if snapshot.dcs[one.source].site != snapshot.dcs[one.target].site:
            load[one.source] = load.get(one.source, 0) + 1
            load[one.target] = load.get(one.target, 0) + 1
    if not load:
        return ""
    dc = max(load, key=lambda at: (load[at], -at))
    return f"{dc_name(snapshot, dc)}: {counted(load[dc], 'connection')} with other sites"


def finding_counts(findings: Sequence[Finding]) -> str:
    """ "1 error, 3 warnings"; "none"."""
    counts = [(severity, sum(one.severity is severity for one in findings)) for severity in Severity]
    return ", ".join(counted(count, severity.word) for severity, count in counts if count) or "none"


# --- findings and latency ----------------------------------------------------------------------------------


def _findings(findings: Sequence[Finding], limits: _Limits) -> list[str]:
    lines = ["Findings"] if findings else []
    for (severity, code), group in groupby(findings, key=lambda one: (one.severity, one.code)):
        alike = list(group)
        lines.append(f"  {severity.word} [{code}]" + (f", {len(alike):,} of them" if len(alike) > 1 else ""))
        said = ""
        for one in alike[: limits.alike]:
            lines.append(f"    {one.what}.")
            if one.then != said:
                lines.append(f"      Next step: {one.then}.")
            said = one.then
        if len(alike) > limits.alike:
            lines.append(f"    ... and {len(alike) - limits.alike:,} more of these (--all)")
    return lines


def _latencies(snapshot: Snapshot, latencies: Sequence[Latency], limits: _Limits) -> list[str]:
    lines = ["Worst latency"] if latencies else []
    for one in latencies[: limits.latencies]:
        labels = nc_labels(snapshot, one.ncs, 0 if limits is _EVERYTHING else 4)
        lines.append(f"  {latency_words(one)}: {labels}, {counted(one.replicas, 'replica')}")
        if one.hops:
            lines.append(f"    {hops_words(snapshot, one.hops, limits.connections)}")
        if one.cut_off:
            told = names([snapshot.dcs[dc].name for dc in one.cut_off], 4)
            lines.append(f"    not counting {counted(len(one.cut_off), 'DC')} that misses changes: {told}")
    if len(latencies) > limits.latencies:
        lines.append(f"  ... and {len(latencies) - limits.latencies:,} more (--all)")
    return lines


def hops_words(snapshot: Snapshot, hops: Sequence[Hop], limit: int = 20) -> str:
    """ "DC1 (Bonn) -3 h-> DC2 (Berlin)": each with the longest wait."""
    steps = [f" -{duration(hop.wait_s)}-> {dc_name(snapshot, hop.target)}" for hop in hops]
    if len(steps) > limit:
        steps[limit // 2 : -(limit // 2)] = [f" ... {len(steps) - limit:,} more ..."]
    return dc_name(snapshot, hops[0].source) + "".join(steps) if hops else ""


# --- changes -----------------------------------------------------------------------------------------------


def _changes(plan: Plan, limits: _Limits, *, everything: bool) -> list[str]:
    snapshot = plan.snapshot
    by_site: dict[SiteAt, list[Planned]] = {}
    for one in plan.connections:
        if everything or one.action is not Action.KEEP:
            by_site.setdefault(snapshot.dcs[one.target].site, []).append(one)
    if not by_site:
        return []
    sites = sorted(by_site, key=lambda site: (snapshot.sites[site].name.lower(), site))
    lines = ["Connections" if everything else "Changes"]
    for site in sites[: limits.sites]:
        lines += _site(plan, site, by_site[site], limits)
    if len(sites) > limits.sites:
        left = sum(len(by_site[site]) for site in sites[limits.sites :])
        lines.append(
            f"  ... and {counted(left, 'more connection')} in "
            f"{counted(len(sites) - limits.sites, 'more site')} (--all, or --site NAME)"
        )
    return lines


def _site(plan: Plan, site: SiteAt, connections: Sequence[Planned], limits: _Limits) -> Iterator[str]:
    snapshot = plan.snapshot
    generator = plan.istg.get(site)
    who = f", topology generator {snapshot.dcs[generator].name}" if generator is not None else ""
    yield f"  Site {snapshot.sites[site].name}{who}"
    order = {action: at for at, action in enumerate(ACTIONS)}
    ordered = sorted(
        connections,
        key=lambda one: (
            snapshot.dcs[one.target].name.lower(),
            order[one.action],
            source_name(snapshot, one),
        ),
    )
    told = ordered[: limits.connections]
    width = max(len(_ends(snapshot, one)) for one in told)
    for one in told:
        yield f"    {ACTIONS[one.action][0]} {_ends(snapshot, one):<{width}}  {_kind(one)}"
        why = [f"carries {nc_labels(snapshot, one.ncs)}"] if one.ncs and limits is _EVERYTHING else []
        why += why_words(snapshot, one)
        yield from (f"        {line}" for line in why[: limits.reasons])
        if len(why) > limits.reasons:
            yield f"        ... and {len(why) - limits.reasons} more reasons (--all)"
    if len(ordered) > limits.connections:
        yield f"    ... and {len(ordered) - limits.connections:,} more here (--all, or --dc NAME)"


def _ends(snapshot: Snapshot, one: Planned) -> str:
    return f"{snapshot.dcs[one.target].name} <- {source_name(snapshot, one)}"


def source_name(snapshot: Snapshot, one: Planned) -> str:
    """Where a connection copies from, as people call it."""
    if one.source is None:
        return gone_name(one.existing.source_dn if one.existing is not None else "")
    source = snapshot.dcs[one.source]
    if source.site == snapshot.dcs[one.target].site:
        return source.name
    return dc_name(snapshot, one.source)


def _kind(one: Planned) -> str:
    """What the connection is like."""
    if one.action is Action.DELETE:
        return ACTIONS[one.action][1]
    told = f"{option_words(one.options)}, {starts_words(one.schedule)}"
    if not one.is_enabled:
        told += ", disabled"
    if not one.is_decided:
        told += ", decided by the site's topology generator"
    return told if one.is_written else f"{told}, not written: the DC is read-only"
