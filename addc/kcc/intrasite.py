"""Connections inside a site: rings of each naming context's replicas, closed to three hops by shortcuts.

A site is always planned whole, so that every DC of it comes to the same rings; what is asked for is given.

Spec: [MS-ADTS] 6.2.2.2.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final

from addc.base.clock import HOUR_FT
from addc.codec.schedule import Quarters
from addc.kcc.ring_leaves import Fed, Leaves, fed_members
from addc.kcc.rings import FullRing, Known, full_ring
from addc.kcc.snapshot import (
    BEHAVIOR_WIN2008,
    Connection,
    DcAt,
    NcAt,
    NcKind,
    Replica,
    Site,
    SiteAt,
    SiteOption,
    Snapshot,
)
from addc.kcc.wanted import Reason, Rule, Wanted

HOURLY: Final = Quarters(int("8" * 168, 16))
"""The last quarter of every hour: of connections in sites whose settings say nothing else."""
STALE_FT: Final = 2 * HOUR_FT

_ORDER: Final = {NcKind.CONFIG: 0, NcKind.SCHEMA: 1, NcKind.DOMAIN: 2, NcKind.APPLICATION: 3}
_Members = tuple[tuple[DcAt, ...], tuple[DcAt, ...]]
_Why = dict[DcAt, dict[DcAt, list[Reason]]]
"""By target, then by source."""


def wanted_inside(snapshot: Snapshot, targets: Iterable[DcAt]) -> list[Wanted]:
    """Connections that these DCs want from others of their sites, in the order of target and source.

    Spec: [MS-ADTS] 6.2.2.2.
    """
    asked: dict[SiteAt, list[DcAt]] = defaultdict(list)
    for target in sorted(set(targets)):
        asked[snapshot.dcs[target].site].append(target)
    by_site = snapshot.dcs_by_site()
    found: list[Wanted] = []
    for site, dcs in asked.items():
        members = by_site[site]
        if len(members) < 2 or snapshot.sites[site].options & SiteOption.IS_AUTO_TOPOLOGY_DISABLED:
            continue
        why = _SitePlan(snapshot, site, members).reasons()
        schedule = new_schedule(snapshot.sites[site])
        for target in dcs:
            found += _wanted(snapshot, target, why.get(target, {}), schedule)
    found.sort(key=lambda one: (one.target, one.source))
    return found


def new_schedule(site: Site) -> Quarters:
    """When connections that are made inside a site start: as its settings say, or once an hour."""
    return HOURLY if site.schedule is None else site.schedule


def is_stale(snapshot: Snapshot, dc: DcAt) -> bool:
    """Whether a DC has failed for more than two hours. Spec: [MS-ADTS] 6.2.2.2."""
    failure = snapshot.failures.get(snapshot.dcs[dc].guid)
    return failure is not None and failure.count > 0 and snapshot.now - failure.first > STALE_FT


def _wanted(
    snapshot: Snapshot, target: DcAt, why: Mapping[DcAt, list[Reason]], schedule: Quarters
) -> Iterator[Wanted]:
    """One for each source. An administrator's connection, and a disabled one, does as well."""
    dc = snapshot.dcs[target]
    there: dict[DcAt, list[Connection]] = defaultdict(list)
    for one in dc.connections:
        if one.source is not None and one.source in why and not one.is_sysvol_only:
            there[one.source].append(one)
    for source in sorted(why):
        serving = tuple(there.get(source, ()))
        yield Wanted(
            source,
            target,
            tuple(why[source]),
            serving,
            schedule=None if serving else schedule,
            is_written=not dc.is_read_only,
        )


@dataclass(slots=True)
class _Rings:
    """The graph of one set of replicas, with what was asked of it already."""

    full: FullRing
    leaves: Leaves
    fed: dict[DcAt, Fed]
    outsiders: dict[tuple[DcAt, bool, bool], Fed]


class _SitePlan:
    """One site while its graphs are made. members: its DCs, in GUID order."""

    def __init__(self, snapshot: Snapshot, site: SiteAt, members: list[DcAt]) -> None:
        self._snapshot = snapshot
        self._dcs = snapshot.dcs
        self._members = members
        self._writable = [dc for dc in members if not self._dcs[dc].is_read_only]
        self._options = snapshot.sites[site].options
        self._has_shortcuts = not self._options & SiteOption.IS_TOPL_MIN_HOPS_DISABLED
        # What a DC takes from already; decided edges are added, so that later graphs use them again.
        self._taken: dict[DcAt, set[DcAt]] = {}
        self._barred: dict[DcAt, set[DcAt]] = {}
        for dc in members:
            self._look(dc, site)
        self._known = Known(self._taken, self._barred)
        self._why: _Why = {dc: defaultdict(list) for dc in members}
        self._rings: dict[_Members, _Rings] = {}
        self._shared: dict[tuple[Rule, NcAt, bool], Reason] = {}
        self._due = self._due_in_order()

    def _look(self, dc: DcAt, site: SiteAt) -> None:
        """What the DC's connections are from inside the site, enabled ones and disabled ones."""
        taken: set[DcAt] = set()
        disabled: set[DcAt] = set()
        for one in self._dcs[dc].connections:
            if one.source is not None and not one.is_sysvol_only and self._dcs[one.source].site == site:
                (taken if one.is_enabled else disabled).add(one.source)
        self._taken[dc] = taken
        if disabled - taken:
            self._barred[dc] = disabled - taken

    def _due_in_order(self) -> dict[NcAt, list[DcAt]]:
        """Of each NC the DCs that it is due on; the configuration first, which all hold."""
        due: dict[NcAt, list[DcAt]] = defaultdict(list)
        for dc in self._members:
            for nc in self._dcs[dc].due:
                due[nc].append(dc)
        ncs = self._snapshot.ncs
        return {nc: due[nc] for nc in sorted(due, key=lambda nc: (_ORDER[ncs[nc].kind], nc))}

    def reasons(self) -> _Why:
        """Why each DC wants what from which other."""
        failed: frozenset[DcAt] = frozenset()
        if self._snapshot.failures and not self._options & SiteOption.IS_TOPL_DETECT_STALE_DISABLED:
            failed = frozenset(dc for dc in self._writable if is_stale(self._snapshot, dc))
        self._pass(failed, as_if=False)
        if failed:
            self._pass(frozenset(), as_if=True)
        return self._why

    def _pass(self, failed: frozenset[DcAt], *, as_if: bool) -> None:
        """All graphs once. failed: DCs that are nobody's source now."""
        sources = [dc for dc in self._writable if dc not in failed]
        for nc, due in self._due.items():
            self._graph(nc, Rule.RING, due, sources, as_if=as_if)
            if self._snapshot.ncs[nc].kind is NcKind.CONFIG:
                catalogs = [dc for dc in sources if self._dcs[dc].is_gc]
                those = [dc for dc in due if self._dcs[dc].is_gc]
                self._graph(nc, Rule.GC_RING, those, catalogs, as_if=as_if)

    def _graph(self, nc: NcAt, rule: Rule, due: Iterable[DcAt], sources: list[DcAt], *, as_if: bool) -> None:
        """The replicas of one NC: members of its rings first, then DCs that others do not count."""
        dcs = self._dcs
        full: list[DcAt] = []
        part: list[DcAt] = []
        for dc in sources:
            held = dcs[dc].held.get(nc)
            if held is Replica.WRITABLE:
                full.append(dc)
            elif held is Replica.PARTIAL:
                part.append(dc)
        if not full and not part:
            return
        rings = self._rings_of((tuple(full), tuple(part)))
        is_domain = self._snapshot.ncs[nc].kind is NcKind.DOMAIN
        for dc in due:
            kind = dcs[dc].due[nc]
            fed = rings.fed.get(dc)
            if fed is None or (kind is Replica.PARTIAL) != (dc in rings.leaves.partial):
                is_old_unfit = is_domain and kind is Replica.READ_ONLY
                fed = self._outsider(rings, dc, kind is Replica.PARTIAL, is_old_unfit)
            self._note(dc, fed, (rule, nc, as_if))

    def _rings_of(self, members: _Members) -> _Rings:
        """Equal sets of replicas have one graph, whatever they are replicas of."""
        rings = self._rings.get(members)
        if rings is None:
            full = full_ring(members[0], self._known, self._has_shortcuts)
            leaves = Leaves(full, members[1], self._known, self._has_shortcuts)
            rings = _Rings(full, leaves, {**fed_members(full), **leaves.partial}, {})
            for dc, fed in rings.fed.items():
                self._decide(dc, fed)
            self._rings[members] = rings
        return rings

    def _outsider(self, rings: _Rings, dc: DcAt, takes_partial: bool, is_old_unfit: bool) -> Fed:
        """Of a DC that is no member. is_old_unfit: sources before Windows Server 2008 will not do."""
        key = (dc, takes_partial, is_old_unfit)
        fed = rings.outsiders.get(key)
        if fed is None:
            may_feed: Callable[[DcAt], bool] = partial(self._may_feed, is_old_unfit)
            fed = rings.leaves.outsider(dc, takes_partial=takes_partial, may_feed=may_feed)
            rings.outsiders[key] = fed
            self._decide(dc, fed)
        return fed

    def _decide(self, dc: DcAt, fed: Fed) -> None:
        """Later graphs count on these edges."""
        self._taken[dc].update(fed.ring, fed.shortcuts)
        if dc in self._barred:
            self._taken[dc] -= self._barred[dc]

    def _may_feed(self, is_old_unfit: bool, dc: DcAt) -> bool:
        return not is_old_unfit or self._dcs[dc].behavior_version >= BEHAVIOR_WIN2008

    def _note(self, dc: DcAt, fed: Fed, what: tuple[Rule, NcAt, bool]) -> None:
        rule, nc, as_if = what
        why = self._why[dc]
        for kind, sources in ((rule, fed.ring), (Rule.SHORTCUT, fed.shortcuts)):
            if not sources:
                continue
            reason = self._reason(kind, nc, as_if)
            usual = self._reason(kind, nc, False)
            for source in sources:
                given = why[source]
                if reason not in given and not (as_if and usual in given):
                    given.append(reason)

    def _reason(self, rule: Rule, nc: NcAt, as_if: bool) -> Reason:
        reason = self._shared.get((rule, nc, as_if))
        if reason is None:
            reason = self._shared[rule, nc, as_if] = Reason(rule, nc, as_if_none_failed=as_if)
        return reason
