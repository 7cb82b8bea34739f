"""The worst replication latency of each naming context: how long a change may take to be everywhere.

From a writable replica to any other, made at the worst moment of the week: right after a start was missed.
What is told is exact where `at_least_s` and `at_most_s` agree. Else both are proven: some change does take
`at_least_s`, and none takes longer than `at_most_s`. How long a sync itself keeps DCs busy is not in it.

`at_most_s` adds up the longest wait of each hop; starts that fit together can be quicker than that. Up to
`EXACT_REPLICAS` replicas the slowest sources are tried at each moment that counts, until nothing slower is
left or the budget is spent; beyond it a bound comes from a replica amid the others.

Spec: [MS-ADTS] 6.2.2.5; [MS-DRSR] 5.172
"""

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final

from addc.kcc.snapshot import DcAt, NcAt, Replica, Snapshot
from addc.kcc.telling.flow import (
    QUARTER_S,
    WEEK_S,
    Flow,
    Hop,
    Kept,
    arrivals,
    carrying,
    flow,
    notified,
    reach_s,
    slowest_way,
)
from addc.kcc.wanted import Plan

EXACT_REPLICAS: Final = 120
LOOKED_MAX: Final = 8_000_000
"""Looks at connections in all: some seconds. Hundreds of naming contexts on hundreds of DCs need more."""
_SWEEPS: Final = 10
_HOPS_MAX: Final = 150_000
"""Hops looked at for one naming context beyond the first moment tried."""


@dataclass(frozen=True, slots=True)
class Latency:
    """The slowest change of naming contexts that go the same ways.

    hops: the way from `source` to `target` that takes `at_most_s`, or the longest that was found. cut_off:
    DCs that do not hear of all changes, or whose own do not get out; what is told is of the others.
    """

    ncs: tuple[NcAt, ...]
    source: DcAt
    target: DcAt
    at_least_s: int
    at_most_s: int
    hops: tuple[Hop, ...]
    replicas: int
    cut_off: tuple[DcAt, ...] = ()

    @property
    def is_exact(self) -> bool:
        return self.at_least_s == self.at_most_s


@dataclass(frozen=True, slots=True)
class _Replicas:
    """Who makes changes of a naming context, and who hears of them."""

    writable: tuple[DcAt, ...]
    all: tuple[DcAt, ...]


def latencies(plan: Plan) -> tuple[Latency, ...]:
    """Of every naming context with two replicas or more, the slowest first; as many as LOOKED_MAX allows."""
    snapshot = plan.snapshot
    replicas = _replicas(snapshot)
    carried = carrying(plan)
    groups: dict[tuple[bytes, tuple[DcAt, ...], tuple[DcAt, ...]], list[NcAt]] = {}
    for nc, held in enumerate(replicas):
        if len(held.all) > 1 and held.writable:
            ids = array("Q", map(id, carried.get(NcAt(nc), ())))
            ways = blake2b(ids.tobytes(), digest_size=16).digest()  # of millions in all only a few bytes stay
            groups.setdefault((ways, held.writable, held.all), []).append(NcAt(nc))
    kept: Kept = {}
    found: list[Latency] = []
    budget = LOOKED_MAX
    for ncs in groups.values():
        budget -= len(carried.get(ncs[0], ())) * _searches(replicas[ncs[0]])
        if found and budget < 0:
            break
        found.append(_latency(flow(snapshot, carried.get(ncs[0], ()), kept), tuple(ncs), replicas[ncs[0]]))
    return tuple(sorted(found, key=lambda one: (-one.at_most_s, one.ncs)))


def untold(plan: Plan, latencies: Sequence[Latency]) -> tuple[NcAt, ...]:
    """The naming contexts that were too many to add up."""
    known = {nc for one in latencies for nc in one.ncs}
    return tuple(
        NcAt(nc)
        for nc, held in enumerate(_replicas(plan.snapshot))
        if len(held.all) > 1 and held.writable and nc not in known
    )


def _searches(held: _Replicas) -> int:
    """About how often each connection is looked at."""
    return _SWEEPS + (len(held.writable) if len(held.all) <= EXACT_REPLICAS else 0)


def _replicas(snapshot: Snapshot) -> list[_Replicas]:
    writable: list[list[DcAt]] = [[] for _ in snapshot.ncs]
    every: list[list[DcAt]] = [[] for _ in snapshot.ncs]
    for at, dc in enumerate(snapshot.dcs):
        for nc, replica in dc.held.items():
            every[nc].append(DcAt(at))
            if replica is Replica.WRITABLE:
                writable[nc].append(DcAt(at))
    return [_Replicas(tuple(a), tuple(b)) for a, b in zip(writable, every, strict=True)]


def _latency(ways: Flow, ncs: tuple[NcAt, ...], held: _Replicas) -> Latency:
    middle = _hub(ways, held)
    hears = reach_s(ways, middle)
    heard = reach_s(ways, middle, backward=True)
    read_only = set(held.all).difference(held.writable)
    cut_off = tuple(dc for dc in held.all if dc not in hears or (dc not in read_only and dc not in heard))
    sources = tuple(dc for dc in held.writable if dc in heard)
    targets = tuple(dc for dc in held.all if dc in hears)
    inside = _Replicas(sources, targets)
    search = _all_pairs if len(targets) <= EXACT_REPLICAS else _two_sweeps
    at_least, at_most, source, target = search(ways, inside, middle)
    hops = slowest_way(ways, source, target) or ()
    return Latency(ncs, source, target, at_least, at_most, hops, len(held.all), cut_off)


def _hub(ways: Flow, held: _Replicas) -> DcAt:
    """A writable replica of the largest part of those that hang together."""
    seen: set[DcAt] = set()
    best: tuple[int, DcAt] = (0, held.writable[0])
    for dc in held.writable:
        if dc in seen:
            continue
        part = {dc}
        stack = [dc]
        while stack:
            at = stack.pop()
            ends = [hop.target for hop in ways.out.get(at, ())] + [
                hop.source for hop in ways.into.get(at, ())
            ]
            for to in ends:
                if to not in part:
                    part.add(to)
                    stack.append(to)
        seen |= part
        if len(part) > best[0]:
            best = (len(part), dc)
    return best[1]


# --- few replicas: exact, within a budget ------------------------------------------------------------------


def _all_pairs(ways: Flow, held: _Replicas, _: DcAt) -> tuple[int, int, DcAt, DcAt]:
    """at least, at most, from, to; by every source, the slowest by its longest waits first."""
    slowest: list[tuple[int, DcAt, DcAt]] = []
    for source in held.writable:
        far = reach_s(ways, source)
        wait, target = max((far.get(dc, 0), -dc) for dc in held.all)
        slowest.append((wait, source, DcAt(-target)))
    slowest.sort(key=lambda one: (-one[0], one[1]))
    best, spent = (-1, slowest[0][1], slowest[0][2]), 0
    for bound, source, _far in slowest:
        if bound <= best[0]:
            break
        if spent > _HOPS_MAX:
            return best[0], bound, slowest[0][1], slowest[0][2]
        worst, target, looked, is_whole = _exactly(ways, source, held.all, _HOPS_MAX - spent, bound)
        spent += looked
        if worst > best[0]:
            best = (worst, source, target)
        if not is_whole and worst < bound:
            return best[0], bound, slowest[0][1], slowest[0][2]
    return best[0], best[0], best[1], best[2]


def _exactly(
    ways: Flow, source: DcAt, targets: Sequence[DcAt], budget: int, enough_s: int
) -> tuple[int, DcAt, int, bool]:
    """The slowest change of a source, to whom, hops looked at, and whether every moment was tried.

    enough_s: nothing is slower, so that no more moments are tried when it is reached.
    """
    best, spent = (-1, targets[0]), 0
    for moment in _moments(ways, source):
        if spent > budget:
            return best[0], best[1], spent, False
        at, looked = arrivals(ways, source, moment)
        spent += looked + 1
        worst, target = max((at.get(dc, 0), -dc) for dc in targets)
        if worst > best[0]:
            best = (worst, DcAt(-target))
        if best[0] >= enough_s:
            break
    return best[0], best[1], spent, True


def _moments(ways: Flow, source: DcAt) -> Iterator[int]:
    """The moments of the week at which a change is slowest to leave: it just misses a start.

    All that follows depends on the first start that the change is there for, so others need not be tried.
    """
    near = notified(ways, source)
    leaving = {(hop.starts, wait) for dc, wait in near.items() for hop in ways.out.get(dc, ()) if hop.starts}
    moments = {
        (quarter * QUARTER_S - wait) % WEEK_S
        for starts, wait in leaving
        for quarter in range(starts.bit_length())
        if starts >> quarter & 1
    }
    yield from sorted(moments) or (0,)


# --- many replicas: a bound from amid them -----------------------------------------------------------------


def _two_sweeps(ways: Flow, held: _Replicas, middle: DcAt) -> tuple[int, int, DcAt, DcAt]:
    """at least, at most, from, to: the ends of a long way, and twice the reach of what lies amid it."""
    target = _farthest(reach_s(ways, middle), held.all)
    source = _farthest(reach_s(ways, target, backward=True), held.writable)
    far = reach_s(ways, source)
    target = _farthest(far, held.all)
    hops = slowest_way(ways, source, target) or ()
    amid, so_far = source, 0
    for hop in hops:
        if so_far >= far[target] // 2:
            break
        so_far += hop.wait_s
        amid = hop.target
    into, out = reach_s(ways, amid, backward=True), reach_s(ways, amid)
    at_most = max(into.get(dc, 0) for dc in held.writable) + max(out.get(dc, 0) for dc in held.all)
    at, _ = arrivals(ways, source, _worst_moment(hops))
    at_least, slow = max((at.get(dc, 0), -dc) for dc in held.all)
    return at_least, max(at_most, at_least), source, (target if at_least < at_most else DcAt(-slow))


def _farthest(reach: dict[DcAt, int], among: Sequence[DcAt]) -> DcAt:
    return max(among, key=lambda dc: (reach.get(dc, -1), -dc))


def _worst_moment(hops: Sequence[Hop]) -> int:
    """When a change on a way is slowest."""
    before = 0
    for hop in hops:
        if hop.starts is None:
            before += hop.wait_s
            continue
        starts = hop.starts
        tried = (
            (quarter * QUARTER_S - before) % WEEK_S
            for quarter in range(starts.bit_length())
            if starts >> quarter & 1
        )
        return max(tried, key=lambda moment: (_along(hops, moment), -moment))
    return 0


def _along(hops: Sequence[Hop], moment: int) -> int:
    """How long a change of a moment takes over hops."""
    chain: dict[DcAt, list[Hop]] = {hop.source: [hop] for hop in hops}
    return arrivals(Flow(chain, {}), hops[0].source, moment)[0].get(hops[-1].target, 0)
