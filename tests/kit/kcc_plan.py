"""Plans written by hand, for what tells of plans: names instead of places."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from addc.codec.schedule import ALWAYS, Quarters
from addc.kcc.schedule import starts
from addc.kcc.snapshot import Connection, ConnectionOption, DcAt, LinkOption, NcAt, Replica, Snapshot
from addc.kcc.wanted import Action, Path, Plan, Planned, Reason, Removal, Rule, SiteTree, Unreachable
from tests.kit.kcc_forest import dc_at, link_at, nc_at, site_at

EVERY_3_H: Final = starts(ALWAYS, 180)


@dataclass(frozen=True, slots=True)
class APlanned:
    """One connection of a plan.

    ncs: None for all that both ends hold. via: links of the reason's path, and with it the rule of the tree.
    """

    source: str
    target: str
    action: Action = Action.ADD
    options: ConnectionOption = ConnectionOption.IS_GENERATED
    schedule: Quarters | None = ALWAYS
    is_enabled: bool = True
    ncs: Sequence[str] | None = None
    via: Sequence[str] = ()
    rule: Rule | None = None
    removal: Removal | None = None
    is_written: bool = True


def a_plan(
    snapshot: Snapshot,
    connections: Sequence[APlanned],
    *,
    istg: Mapping[str, str] | None = None,
    trees: Sequence[SiteTree] = (),
    unreachable: Sequence[Unreachable] = (),
) -> Plan:
    """A plan of the whole forest."""
    planned = sorted(
        (_planned(snapshot, one) for one in connections),
        key=lambda one: (one.target, -1 if one.source is None else one.source),
    )
    return Plan(
        snapshot,
        frozenset(DcAt(at) for at in range(len(snapshot.dcs))),
        tuple(planned),
        {site_at(snapshot, site): dc_at(snapshot, dc) for site, dc in (istg or {}).items()},
        tuple(trees),
        tuple(unreachable),
    )


def both(one: str, other: str, schedule: Quarters | None = EVERY_3_H, *, via: str) -> list[APlanned]:
    """A pair of connections between sites over one link."""
    return [
        APlanned(one, other, schedule=schedule, via=(via,)),
        APlanned(other, one, schedule=schedule, via=(via,)),
    ]


def _planned(snapshot: Snapshot, one: APlanned) -> Planned:
    target = dc_at(snapshot, one.target)
    names = [dc.name for dc in snapshot.dcs]
    source = dc_at(snapshot, one.source) if one.source in names else None
    ncs = _shared(snapshot, source, target) if one.ncs is None else [nc_at(snapshot, nc) for nc in one.ncs]
    crosses = source is not None and snapshot.dcs[source].site != snapshot.dcs[target].site
    path = _path(snapshot, one.via, source, target) if one.via and source is not None else None
    rule = one.rule or (Rule.TREE if path else Rule.RING if not crosses else None)
    return Planned(
        one.action,
        source,
        target,
        one.options,
        "IP" if crosses else "",
        one.schedule,
        one.is_enabled,
        None if one.action is Action.ADD else _existing(snapshot, one, target),
        tuple(Reason(rule, nc, path) for nc in ncs) if rule and one.removal is None else (),
        tuple(ncs),
        one.removal,
        one.is_written,
    )


def _existing(snapshot: Snapshot, one: APlanned, target: DcAt) -> Connection:
    return next(there for there in snapshot.dcs[target].connections if f"CN={one.source}," in there.source_dn)


def _shared(snapshot: Snapshot, source: DcAt | None, target: DcAt) -> list[NcAt]:
    if source is None:
        return []
    given, taken = snapshot.dcs[source].held, snapshot.dcs[target].held
    return sorted(nc for nc in taken if nc in given and given[nc] >= min(taken[nc], Replica.READ_ONLY))


def _path(snapshot: Snapshot, via: Sequence[str], source: DcAt, target: DcAt) -> Path:
    """Over links of two sites each, in order."""
    at = snapshot.dcs[source].site
    sites, cost, interval, window = [at], 0, 0, ALWAYS
    for name in via:
        link = snapshot.links[link_at(snapshot, name)]
        end = snapshot.dcs[target].site
        at = end if end in link.sites else next(site for site in link.sites if site not in sites)
        sites.append(at)
        cost, interval = cost + link.cost, max(interval, link.interval_min)
        window = Quarters(window & link.window)
    places = tuple(link_at(snapshot, name) for name in via)
    return Path(places, tuple(sites), cost, interval, LinkOption.NONE, window)
