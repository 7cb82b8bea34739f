"""How changes of a naming context flow over a plan's connections, and how long each may make them wait.

A change that is notified waits for its source's turn: 15 s for the first partner, 3 s for each further one.
One that is not waits for the connection's next start, at most as long as the longest gap between two starts,
round the week's end as well.

Spec: [MS-ADTS] 6.1.1.2.1.1 (delays of notification), 3.1.1.5.1.6 (notification), 6.2.2.5 (schedules)
"""

import heapq
from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from addc.codec.schedule import NEVER, QUARTERS, Quarters
from addc.kcc.schedule import longest_wait_min
from addc.kcc.snapshot import DcAt, DsaOption, NcAt, Snapshot
from addc.kcc.telling.findings_connections import is_notified
from addc.kcc.wanted import Action, Plan, Planned

NOTIFY_FIRST_S: Final = 15
NOTIFY_NEXT_S: Final = 3
QUARTER_S: Final = 900
WEEK_S: Final = QUARTERS * QUARTER_S
_NO_INBOUND: Final = int(DsaOption.DISABLE_INBOUND_REPL)
_NO_OUTBOUND: Final = int(DsaOption.DISABLE_OUTBOUND_REPL)


@dataclass(frozen=True, slots=True)
class Hop:
    """A connection that a change travels by. wait_s: at most. starts: None where it is notified."""

    source: DcAt
    target: DcAt
    wait_s: int
    starts: Quarters | None
    planned: Planned


@dataclass(frozen=True, slots=True)
class Flow:
    """The connections that carry a naming context, by both ends."""

    out: Mapping[DcAt, Sequence[Hop]] = field(default_factory=dict)
    into: Mapping[DcAt, Sequence[Hop]] = field(default_factory=dict)


def carrying(plan: Plan) -> dict[NcAt, list[Planned]]:
    """The connections that work in the end, by the naming contexts that they carry."""
    dcs = plan.snapshot.dcs
    found: dict[NcAt, list[Planned]] = {}
    for one in plan.connections:
        if one.action is Action.DELETE or one.source is None or not one.is_enabled:
            continue
        if int(dcs[one.target].options) & _NO_INBOUND or int(dcs[one.source].options) & _NO_OUTBOUND:
            continue
        for nc in one.ncs:
            found.setdefault(nc, []).append(one)
    return found


Kept = dict[tuple[int, int], Hop]
"""Hops that were made before, by connection and wait: many naming contexts go over the same ones."""


def flow(snapshot: Snapshot, connections: Iterable[Planned], kept: Kept | None = None) -> Flow:
    """The flow over connections that carry one naming context. kept: of the same plan's others."""
    kept = {} if kept is None else kept
    listed: list[tuple[Planned, DcAt, bool]] = []
    partners: dict[DcAt, int] = {}
    dcs = snapshot.dcs
    for one in connections:
        if one.source is None:
            continue
        notified = is_notified(one.options, same_site=dcs[one.source].site == dcs[one.target].site)
        listed.append((one, one.source, notified))
        if notified:
            partners[one.source] = partners.get(one.source, 0) + 1
    out: dict[DcAt, list[Hop]] = {}
    into: dict[DcAt, list[Hop]] = {}
    for one, source, notified in listed:
        if notified:
            key = id(one), partners[source]
            hop = kept.get(key) or Hop(source, one.target, notify_s(partners[source]), None, one)
        elif one.schedule is None or one.schedule == NEVER:
            continue
        else:
            key = id(one), 0
            hop = kept.get(key) or Hop(source, one.target, _longest_wait_s(one.schedule), one.schedule, one)
        kept[key] = hop
        out.setdefault(source, []).append(hop)
        into.setdefault(one.target, []).append(hop)
    return Flow(out, into)


def notify_s(partners: int) -> int:
    """Until the last of so many partners has been notified."""
    return NOTIFY_FIRST_S + NOTIFY_NEXT_S * (partners - 1)


@lru_cache(maxsize=16_384)
def _longest_wait_s(starts: Quarters) -> int:
    return (longest_wait_min(starts) or 0) * 60


@lru_cache(maxsize=16_384)
def waits(starts: Quarters) -> "array[int]":
    """For each quarter hour, how many later the next start is; what begins in a start's own has missed it.

    All are kept, each in a kilobyte: a way of links that all differ asks for them again and again.
    """
    found = [0] * QUARTERS
    until = QUARTERS
    for quarter in range(2 * QUARTERS - 1, -1, -1):
        at = quarter % QUARTERS
        found[at] = until
        until = 1 if starts >> at & 1 else until + 1
    return array("H", found)


def reach_s(flow: Flow, start: DcAt, *, backward: bool = False) -> dict[DcAt, int]:
    """How long changes may take from a DC to each that hears of them (backward: from each to the DC)."""
    return _search(flow.into if backward else flow.out, start, backward=backward)[0]


def notified(flow: Flow, start: DcAt) -> dict[DcAt, int]:
    """Who hears of a DC's changes by notifications alone, and after how long at most."""
    near = {dc: [hop for hop in hops if hop.starts is None] for dc, hops in _around(flow, start).items()}
    return _search(near, start, backward=False)[0]


def _around(flow: Flow, start: DcAt) -> dict[DcAt, Sequence[Hop]]:
    """The hops out of every DC that notifications alone lead to."""
    found: dict[DcAt, Sequence[Hop]] = {}
    stack = [start]
    while stack:
        at = stack.pop()
        if at not in found:
            found[at] = flow.out.get(at, ())
            stack += [hop.target for hop in found[at] if hop.starts is None]
    return found


def slowest_way(flow: Flow, source: DcAt, target: DcAt) -> tuple[Hop, ...] | None:
    """The hops from one DC to another, by what is quickest at the worst moment; None without a way."""
    _, by = _search(flow.out, source, backward=False)
    hops: list[Hop] = []
    while target != source:
        hop = by.get(target)
        if hop is None:
            return None
        hops.append(hop)
        target = hop.source
    return tuple(reversed(hops))


def _search(
    edges: Mapping[DcAt, Sequence[Hop]], start: DcAt, *, backward: bool
) -> tuple[dict[DcAt, int], dict[DcAt, Hop]]:
    """Dijkstra's algorithm over the longest waits."""
    best: dict[DcAt, int] = {start: 0}
    by: dict[DcAt, Hop] = {}
    done: set[DcAt] = set()
    queue: list[tuple[int, DcAt]] = [(0, start)]
    while queue:
        so_far, at = heapq.heappop(queue)
        if at in done:
            continue
        done.add(at)
        for hop in edges.get(at, ()):
            to = hop.source if backward else hop.target
            cost = so_far + hop.wait_s
            if cost < best.get(to, cost + 1):
                best[to] = cost
                by[to] = hop
                heapq.heappush(queue, (cost, to))
    return best, by


def arrivals(flow: Flow, source: DcAt, moment_s: int) -> tuple[dict[DcAt, int], int]:
    """When a change made at a moment of the week is at each DC, in seconds after it; and how many hops were
    looked at to find out."""
    best: dict[DcAt, int] = {source: 0}
    done: set[DcAt] = set()
    queue: list[tuple[int, DcAt]] = [(0, source)]
    looked = 0
    while queue:
        so_far, at = heapq.heappop(queue)
        if at in done:
            continue
        done.add(at)
        for hop in flow.out.get(at, ()):
            looked += 1
            when = so_far + (
                hop.wait_s if hop.starts is None else _until_start(hop.starts, moment_s + so_far)
            )
            if when < best.get(hop.target, when + 1):
                best[hop.target] = when
                heapq.heappush(queue, (when, hop.target))
    return best, looked


def _until_start(starts: Quarters, moment_s: int) -> int:
    """Seconds from a moment to the next start; one that begins in that very second is missed."""
    quarter, inside = divmod(moment_s % WEEK_S, QUARTER_S)
    return waits(starts)[quarter] * QUARTER_S - inside
