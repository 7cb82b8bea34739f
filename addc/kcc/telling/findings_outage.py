"""Single points of failure: sites and DCs whose outage cuts replicas apart, and nothing can stand in.

A site's outage takes the ways through it along. A DC's outage cuts only where its site cannot be passed
without it (bridges required), or where nobody makes new connections (generation switched off).

Spec: [MS-ADTS] 6.2.2.3.3 (bridges), 6.1.1.2.2.1.1 (site options)
"""

from collections.abc import Iterator, Sequence
from typing import Final

from addc.codec.schedule import NEVER
from addc.kcc.snapshot import (
    DcAt,
    LinkAt,
    NcAt,
    NcKind,
    Replica,
    SiteAt,
    SiteOption,
    Snapshot,
    TransportOption,
)
from addc.kcc.telling.cuts import Cut, cuts
from addc.kcc.telling.finding import Finding, Severity
from addc.kcc.telling.words import counted, dc_name, names, nc_labels
from addc.kcc.wanted import Action, Plan

_OFF: Final = SiteOption.IS_AUTO_TOPOLOGY_DISABLED | SiteOption.IS_INTER_SITE_AUTO_TOPOLOGY_DISABLED


def of_outages(plan: Plan) -> Iterator[Finding]:
    """Every single point of failure of a whole forest."""
    snapshot = plan.snapshot
    yield from _sites(snapshot)
    if snapshot.transport_options & TransportOption.BRIDGES_REQUIRED:
        yield from _unbridged(snapshot)
    if any(site.options & _OFF for site in snapshot.sites):
        yield from _unrepaired(plan)


def _usable(snapshot: Snapshot) -> Iterator[tuple[LinkAt, set[SiteAt]]]:
    """Links that a way may go over."""
    heeded = not snapshot.transport_options & TransportOption.IGNORE_SCHEDULES
    for at, link in enumerate(snapshot.links):
        ends = set(link.sites)
        if len(ends) > 1 and not (heeded and link.window == NEVER):
            yield LinkAt(at), ends


# --- sites -------------------------------------------------------------------------------------------------


def _sites(snapshot: Snapshot) -> Iterator[Finding]:
    """Sites that the ways of others lead through, without another way."""
    count = len(snapshot.sites)
    neighbours: list[list[int]] = [[] for _ in range(count + len(snapshot.links))]
    for link, ends in _usable(snapshot):
        for end in sorted(ends):
            neighbours[end].append(count + link)
            neighbours[count + link].append(end)
    marked = [False] * len(neighbours)
    for dc in snapshot.dcs:
        if not dc.is_read_only:
            marked[dc.site] = True
    for cut in cuts(neighbours, marked, count):
        site = snapshot.sites[cut.vertex]
        yield Finding(
            Severity.WARNING,
            "single-site",
            site.dn,
            f"Site {site.name} alone joins {_parts(cut)}{_examples(snapshot, cut)}",
            "link them past it, so that its outage does not cut them apart",
            weight=cut.lost,
        )


def _parts(cut: Cut) -> str:
    """ "4 parts of the forest: without it, 20 sites do not reach the largest"."""
    lost = counted(cut.lost, "site")
    return f"{len(cut.parts):,} parts of the forest: without it, {lost} cannot reach the largest part"


def _examples(snapshot: Snapshot, cut: Cut) -> str:
    found = [snapshot.sites[at].name for at in cut.samples[1:] if at >= 0][:3]
    return f" ({'for example ' if cut.lost > len(found) else ''}{', '.join(found)})" if found else ""


# --- DCs where sites have to be passed by a replica --------------------------------------------------------


def _unbridged(snapshot: Snapshot) -> Iterator[Finding]:
    """DCs that alone carry a naming context over their site, as no bridge leads past its replicas."""
    sets = _edge_sets(snapshot)
    by_holders: dict[tuple[DcAt, ...], list[NcAt]] = {}
    for nc, holders in enumerate(_holders(snapshot)):
        by_holders.setdefault(tuple(holders), []).append(NcAt(nc))
    for key, ncs in by_holders.items():
        in_site: dict[SiteAt, list[DcAt]] = {}
        for dc in key:
            in_site.setdefault(snapshot.dcs[dc].site, []).append(dc)
        for site, cut in _cuts_among(in_site, sets):
            if len(in_site[site]) == 1:
                yield _sole(snapshot, in_site[site][0], ncs, cut)


def _sole(snapshot: Snapshot, dc: DcAt, ncs: Sequence[NcAt], cut: Cut) -> Finding:
    return Finding(
        Severity.WARNING,
        "single-dc",
        snapshot.dcs[dc].dn,
        f"{dc_name(snapshot, dc)} alone joins, for {nc_labels(snapshot, ncs, 4)}, {_parts(cut)}; "
        "bridges are required, and none leads past its site",
        "add a second DC there that holds the same, or bridge the site's links",
        weight=cut.lost,
    )


def _holders(snapshot: Snapshot) -> list[list[DcAt]]:
    """Of each naming context, the DCs with a writable replica."""
    found: list[list[DcAt]] = [[] for _ in snapshot.ncs]
    for at, dc in enumerate(snapshot.dcs):
        for nc, replica in dc.held.items():
            if replica is Replica.WRITABLE:
                found[nc].append(DcAt(at))
    return found


def _edge_sets(snapshot: Snapshot) -> list[list[int]]:
    """Of each site, the sets of sites that it reaches without a replica on the way, by number.

    A bridge counts as a whole: what its links join stays joined.
    """
    usable = dict(_usable(snapshot))
    found: list[list[int]] = [[] for _ in snapshot.sites]
    number = 0
    bridged = {link for bridge in snapshot.bridges for link in bridge.links}
    groups: list[list[LinkAt]] = [[link] for link in usable if link not in bridged]
    groups += [[link for link in bridge.links if link in usable] for bridge in snapshot.bridges]
    for group in groups:
        for part in _joined([usable[link] for link in group]):
            for site in sorted(part):
                found[site].append(number)
            number += 1
    return found


def _joined(links: Sequence[set[SiteAt]]) -> list[set[SiteAt]]:
    """Sets of sites that links join one behind another."""
    top: dict[SiteAt, SiteAt] = {}

    def root(site: SiteAt) -> SiteAt:
        while (up := top.setdefault(site, site)) != site:
            top[site] = top[up]
            site = up
        return site

    for ends in links:
        first, *others = ends
        for other in others:
            top[root(other)] = root(first)
    parts: dict[SiteAt, set[SiteAt]] = {}
    for site in list(top):
        parts.setdefault(root(site), set()).add(site)
    return list(parts.values())


def _cuts_among(
    in_site: dict[SiteAt, list[DcAt]], sets: Sequence[Sequence[int]]
) -> Iterator[tuple[SiteAt, Cut]]:
    """The sites among those with replicas that cut the others apart; cuts speak of places in the forest."""
    sites = sorted(in_site)
    helpers: dict[int, int] = {}
    neighbours: list[list[int]] = [[] for _ in sites]
    for at, site in enumerate(sites):
        for number in sets[site]:
            helper = helpers.setdefault(number, len(sites) + len(helpers))
            if helper == len(neighbours):
                neighbours.append([])
            neighbours[at].append(helper)
            neighbours[helper].append(at)
    marked = [at < len(sites) for at in range(len(neighbours))]
    for cut in cuts(neighbours, marked, len(sites)):
        samples = tuple(sites[at] if at >= 0 else -1 for at in cut.samples)
        yield sites[cut.vertex], Cut(sites[cut.vertex], cut.parts, samples)


# --- DCs that nobody replaces ------------------------------------------------------------------------------


def _unrepaired(plan: Plan) -> Iterator[Finding]:
    """DCs that connections lead through in sites where nobody makes new ones."""
    snapshot = plan.snapshot
    config = next((NcAt(at) for at, nc in enumerate(snapshot.ncs) if nc.kind is NcKind.CONFIG), None)
    if config is None:
        return
    neighbours: list[list[int]] = [[] for _ in snapshot.dcs]
    for one in plan.connections:
        if one.action is Action.DELETE or one.source is None or not one.is_enabled or config not in one.ncs:
            continue
        neighbours[one.source].append(one.target)
        neighbours[one.target].append(one.source)
    marked = [not dc.is_read_only for dc in snapshot.dcs]
    for cut in cuts(neighbours, marked):
        around = {snapshot.dcs[at].site for at in neighbours[cut.vertex]} | {snapshot.dcs[cut.vertex].site}
        off = [snapshot.sites[site].name for site in sorted(around) if snapshot.sites[site].options & _OFF]
        if not off:
            continue
        dc = DcAt(cut.vertex)
        told = f"{counted(cut.lost, 'DC')} and the other {cut.parts[0]:,}"
        yield Finding(
            Severity.WARNING,
            "single-dc",
            snapshot.dcs[dc].dn,
            f"Every connection between {told} leads through {dc_name(snapshot, dc)}, and nobody makes new "
            f"ones: automatic generation is switched off in {names(off, 3)}",
            "make connections past it by hand, or switch generation on",
            weight=cut.lost,
        )
