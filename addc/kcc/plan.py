"""Whole plans: what becomes of every connection, of a forest, a site, or a DC's own share of it.

Spec: [MS-ADTS] 6.2.2.2 to 6.2.2.4.
"""

import hashlib
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

from addc.codec.schedule import Quarters
from addc.kcc.implied import Implied
from addc.kcc.intersite import Intersite, options_in_line, wanted_between
from addc.kcc.intrasite import wanted_inside
from addc.kcc.istg import istgs
from addc.kcc.removal import removals
from addc.kcc.snapshot import Connection, ConnectionOption, DcAt, NcAt, SiteAt, Snapshot
from addc.kcc.wanted import Action, Plan, Planned, Reason, Removal, Wanted

_NO_SOURCE: Final = -1
_in_line = lru_cache(maxsize=1024)(options_in_line)


@dataclass(frozen=True, slots=True)
class _Scope:
    """What is decided. own: DCs whose own connections are. sites: whose connections with others are."""

    own: frozenset[DcAt]
    sites: frozenset[SiteAt]
    istg: Mapping[SiteAt, DcAt]


def plan_forest(snapshot: Snapshot) -> Plan:
    """The plan of the whole forest: what all DCs together come to."""
    everyone = frozenset(DcAt(at) for at in range(len(snapshot.dcs)))
    sites = frozenset(SiteAt(at) for at in range(len(snapshot.sites)))
    return _planned(snapshot, _Scope(everyone, sites, istgs(snapshot)))


def plan_site(snapshot: Snapshot, site: SiteAt) -> Plan:
    """What the DCs of one site decide, the connections into it from other sites included."""
    own = frozenset(DcAt(at) for at, dc in enumerate(snapshot.dcs) if dc.site == site)
    return _planned(snapshot, _Scope(own, frozenset((site,)), istgs(snapshot)))


def plan_share(snapshot: Snapshot, dcs: Collection[DcAt]) -> Plan:
    """What these DCs decide: each for itself, and for its site where it is the generator of topology.

    The connections below the other DCs of such a site are listed as well, and those between sites below DCs
    that are no generators; `is_decided` tells whose decision is in it.
    """
    generators = istgs(snapshot)
    own = frozenset(dcs)
    sites = frozenset(site for site, dc in generators.items() if dc in own)
    return _planned(snapshot, _Scope(own, sites, generators))


def applied(plan: Plan) -> Snapshot:
    """The forest after the plan was carried out, connections of read-only DCs that nobody writes included."""
    snapshot = plan.snapshot
    gone: set[bytes] = set()
    changed: dict[bytes, Planned] = {}
    added: dict[DcAt, list[Connection]] = defaultdict(list)
    for one in plan.connections:
        if one.existing is None:
            added[one.target].append(_as_connection(snapshot, one))
        elif one.action is Action.DELETE:
            gone.add(one.existing.guid)
        elif one.action is Action.CHANGE:
            changed[one.existing.guid] = one
    touched = {one.target for one in plan.connections if one.action is not Action.KEEP or not one.existing}
    dcs = list(snapshot.dcs)
    for at in touched:
        kept = [
            replace(c, options=changed[c.guid].options, schedule=changed[c.guid].schedule)
            if c.guid in changed
            else c
            for c in dcs[at].connections
            if c.guid not in gone
        ]
        dcs[at] = replace(dcs[at], connections=(*kept, *added[at]))
    return replace(snapshot, dcs=tuple(dcs))


def _as_connection(snapshot: Snapshot, one: Planned) -> Connection:
    """A planned connection as it will stand in the directory, under a GUID that follows from its ends."""
    assert one.source is not None
    source, target = snapshot.dcs[one.source], snapshot.dcs[one.target]
    guid = hashlib.blake2b(source.guid + target.guid, digest_size=16, person=b"connection").digest()
    return Connection(
        guid,
        f"CN={guid.hex()},{target.dn}",
        one.source,
        one.target,
        source.dn,
        one.options,
        one.is_enabled,
        one.transport,
        one.schedule,
        snapshot.now,
    )


# --- composing ---------------------------------------------------------------------------------------------


def _planned(snapshot: Snapshot, scope: _Scope) -> Plan:
    """Everything decided, put together."""
    between = _between(snapshot, scope)
    wanted = _merged((*wanted_inside(snapshot, scope.own), *between.wanted))
    complete = {site: between.complete.get(site, False) for site in scope.sites}
    gone = removals(snapshot, sorted(scope.own), wanted, complete)
    listed = scope.own
    if scope.sites:
        listed |= {DcAt(at) for at, dc in enumerate(snapshot.dcs) if dc.site in scope.sites}
    connections = _Composition(snapshot, scope, wanted, gone).connections(sorted(listed))
    return Plan(
        snapshot=snapshot,
        planned_for=frozenset(listed),
        connections=connections,
        istg=scope.istg,
        trees=between.trees,
        unreachable=between.unreachable,
    )


def _between(snapshot: Snapshot, scope: _Scope) -> Intersite:
    """Everything between sites that is in scope."""
    rodcs = frozenset(dc for dc in scope.own if snapshot.dcs[dc].is_read_only)
    if len(scope.own) == len(snapshot.dcs) and len(scope.sites) == len(snapshot.sites):
        return wanted_between(snapshot)
    if not scope.sites and not rodcs:
        return Intersite((), (), {}, ())
    return wanted_between(snapshot, scope.sites, rodcs)


def _merged(wanted: Sequence[Wanted]) -> list[Wanted]:
    """One for each pair of DCs, in the order of target and source."""
    found: dict[tuple[DcAt, DcAt], Wanted] = {}
    for one in wanted:
        pair = (one.target, one.source)
        known = found.get(pair)
        found[pair] = one if known is None else _joined(known, one)
    return [found[pair] for pair in sorted(found)]


def _joined(one: Wanted, other: Wanted) -> Wanted:
    return replace(
        one,
        reasons=tuple(dict.fromkeys((*one.reasons, *other.reasons))),
        serving=tuple({c.guid: c for c in (*one.serving, *other.serving)}.values()),
        schedule=other.schedule if one.schedule is None else one.schedule,
        is_written=one.is_written or other.is_written,
    )


class _Composition:
    """What becomes of each connection. gone: those that are removed."""

    def __init__(
        self, snapshot: Snapshot, scope: _Scope, wanted: Sequence[Wanted], gone: Mapping[bytes, Removal]
    ) -> None:
        self._snapshot = snapshot
        self._dcs = snapshot.dcs
        self._scope = scope
        self._gone = gone
        self._implied = Implied(snapshot)
        self._served: dict[bytes, list[Wanted]] = defaultdict(list)
        self._new: dict[DcAt, list[Wanted]] = defaultdict(list)
        for one in wanted:
            self._place(one)

    def _place(self, one: Wanted) -> None:
        """Note what it becomes: one more reason for connections that stay, or a new connection."""
        staying = [c for c in one.serving if c.guid not in self._gone]
        for c in staying:
            self._served[c.guid].append(one)
        if not staying:
            self._new[one.target].append(one)

    def connections(self, targets: Sequence[DcAt]) -> tuple[Planned, ...]:
        """Of these DCs, in the order of target and source; what is there, by GUID, before what is new."""
        found: list[Planned] = []
        for target in targets:
            there = self._dcs[target].connections
            new = self._new.get(target, ())
            if there or new:
                planned = [self._existing(one) for one in there]
                planned += [self._added(one) for one in new]
                planned.sort(key=_order)
                found += planned
        return tuple(found)

    def _added(self, one: Wanted) -> Planned:
        return Planned(
            Action.ADD,
            one.source,
            one.target,
            one.options,
            one.transport,
            one.schedule,
            reasons=one.reasons,
            ncs=self._implied(one.source, one.target, one.transport),
            is_written=one.is_written,
        )

    def _existing(self, one: Connection) -> Planned:
        removal = self._gone.get(one.guid)
        served = self._served.get(one.guid, ())
        action, options, schedule = Action.KEEP, one.options, one.schedule
        if removal is not None:
            action = Action.DELETE
        elif served and one.is_generated and self._is_between(one):
            options, schedule = self._in_line(one, served)
            if (options, schedule) != (one.options, one.schedule):
                action = Action.CHANGE
        return Planned(
            action,
            one.source,
            one.target,
            options,
            one.transport,
            schedule,
            one.is_enabled,
            one,
            _all_reasons(served),
            () if removal is not None else self._carried(one),
            removal,
            action is not Action.CHANGE or not self._dcs[one.target].is_read_only,
            self._is_decided(one),
        )

    def _in_line(self, one: Connection, served: Sequence[Wanted]) -> tuple[ConnectionOption, Quarters | None]:
        """Options and schedule that the path asks for; of several paths, that between its own ends."""
        lead = next((w for w in served if w.source == one.source and w.target == one.target), served[0])
        options = _in_line(one.options, lead.options)
        if lead.schedule is None or one.options & ConnectionOption.USER_OWNED_SCHEDULE:
            return options, one.schedule
        return options, lead.schedule

    def _carried(self, one: Connection) -> tuple[NcAt, ...]:
        if one.source is None or not one.is_enabled or one.is_sysvol_only:
            return ()
        return self._implied(one.source, one.target, one.transport)

    def _is_between(self, one: Connection) -> bool:
        return one.source is not None and self._dcs[one.source].site != self._dcs[one.target].site

    def _is_decided(self, one: Connection) -> bool:
        """Whether its fate is in this plan: a site's generator decides on those from other sites, every DC on
        the rest of its own, and a read-only DC on all of them."""
        target = self._dcs[one.target]
        if not target.is_read_only and self._is_between(one) and target.site in self._scope.istg:
            return target.site in self._scope.sites
        return one.target in self._scope.own


def _all_reasons(served: Sequence[Wanted]) -> tuple[Reason, ...]:
    if len(served) == 1:
        return served[0].reasons
    return tuple(dict.fromkeys(reason for one in served for reason in one.reasons))


def _order(one: Planned) -> tuple[int, bool, bytes]:
    there = one.existing
    return (
        _NO_SOURCE if one.source is None else one.source,
        there is None,
        b"" if there is None else there.guid,
    )
