"""Which pairs of bridgeheads carry what two sites have to exchange: as few connections as will do, those that
are there first.

Spec: [MS-ADTS] 6.2.2.3.4.5 (CreateConnection), 6.2.2.4 ("superseded by")
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from addc.kcc.bridgeheads import Bridgeheads, Candidates, Need
from addc.kcc.connection_rules import IP, connection_options, is_generated, without_copies
from addc.kcc.implied import Implied
from addc.kcc.schedule import stagger, starts
from addc.kcc.snapshot import (
    Connection,
    DcAt,
    NcAt,
    Replica,
    SiteAt,
    SiteOption,
)
from addc.kcc.wanted import Path, Reason, Rule, Wanted

Pair = tuple[DcAt, DcAt]
_Ends = tuple[tuple[DcAt, ...], tuple[DcAt, ...]]
"""Candidates, and those that would be if none had failed."""


@dataclass(frozen=True, slots=True)
class Demand:
    """Naming contexts that a site has to get from another. into: the only DC that wants them (a read-only
    one); None where any candidate of the site does."""

    ncs: tuple[NcAt, ...]
    path: Path
    rule: Rule = Rule.TREE
    is_partial_ok: bool = False
    is_detecting: bool = True
    as_if_none_failed: bool = False
    behavior_min: int = 0
    into: DcAt | None = None


class _Sides:
    """Who may serve one naming context of a demand: candidates that are chosen from, and all that count
    if they are there already."""

    __slots__ = ("all_sources", "all_targets", "demand", "nc", "sources", "targets")

    def __init__(self, demand: Demand, nc: NcAt, sources: _Ends, targets: _Ends) -> None:
        self.demand, self.nc = demand, nc
        self.sources, self.all_sources = sources
        self.targets, self.all_targets = targets if demand.into is None else ((demand.into,), (demand.into,))


class Servers:
    """Chooses pairs of bridgeheads, site pair by site pair."""

    def __init__(self, heads: Bridgeheads) -> None:
        self.heads = heads
        self.snapshot = heads.snapshot
        self.implied = Implied(heads.snapshot)
        self.redundant = self._with(SiteOption.IS_REDUNDANT_SERVER_TOPOLOGY_ENABLED)
        self._hashed = self._with(SiteOption.IS_SCHEDULE_HASHING_ENABLED)
        self._meeting: dict[tuple[bool, int, bool, bool], list[Candidates]] = {}

    def _with(self, option: SiteOption) -> frozenset[SiteAt]:
        return frozenset(SiteAt(at) for at, site in enumerate(self.snapshot.sites) if site.options & option)

    def sides(self, source: SiteAt, target: SiteAt, demands: Iterable[Demand]) -> list[_Sides]:
        """One for each naming context of the demands."""
        found = []
        for demand in demands:
            there = self._candidates(demand, by_due=False)
            here = self._candidates(demand, by_due=True)
            found += [
                _Sides(demand, nc, self._ends(there, nc, source), self._ends(here, nc, target))
                for nc in demand.ncs
            ]
        return found

    def _candidates(self, demand: Demand, *, by_due: bool) -> tuple[list[Candidates], list[Candidates]]:
        """By naming context: with detection if the demand asks for it, and without."""
        blind = self._of_kind(demand, by_due, is_detecting=False)
        if not (demand.is_detecting and self.heads.failed):
            return blind, blind
        return self._of_kind(demand, by_due, is_detecting=True), blind

    def _of_kind(self, demand: Demand, by_due: bool, *, is_detecting: bool) -> list[Candidates]:
        behavior_min = 0 if by_due else demand.behavior_min
        key = (demand.is_partial_ok, behavior_min, by_due, is_detecting)
        found = self._meeting.get(key)
        if found is None:
            found = self._meeting[key] = [
                self.heads.meeting(Need(NcAt(nc), key[0], by_due, behavior_min, is_detecting))
                for nc in range(len(self.snapshot.ncs))
            ]
        return found

    @staticmethod
    def _ends(kinds: tuple[list[Candidates], list[Candidates]], nc: NcAt, site: SiteAt) -> _Ends:
        seen, blind = kinds
        found = seen[nc].at(site)
        return found, found if seen is blind else blind[nc].at(site)

    def serve(
        self, source: SiteAt, target: SiteAt, demands: Sequence[Demand], existing: Iterable[Connection]
    ) -> tuple[list[Wanted], list[tuple[Demand, NcAt]]]:
        """The pairs wanted, and the demands that nobody can serve though the target's site should hold them.

        existing: connections from DCs of `source` to DCs of `target` that may count, see `counts`.
        """
        if not (self.heads.failed or existing):
            only = self._only_pair(source, target, demands)
            if only is not None:
                return [only], []
        exchange = _Exchange(self, source, target, demands)
        exchange.take_existing(existing)
        return exchange.wanted(), exchange.unserved

    def _only_pair(self, source: SiteAt, target: SiteAt, demands: Sequence[Demand]) -> Wanted | None:
        """The one pair there is between two sites of one DC each that hold everything; else None."""
        sources, targets = self.heads.writable[source], self.heads.writable[target]
        if len(sources) != 1 or len(targets) != 1:
            return None
        pair = (sources[0], targets[0])
        if any(demand.into is not None or demand.behavior_min for demand in demands):
            return None
        if not all(self.carries(pair, nc) for demand in demands for nc in demand.ncs):
            return None
        return self.wanted(pair, [_reason(one, nc) for one in demands for nc in one.ncs], ())

    def carries(self, pair: Pair, nc: NcAt) -> bool:
        """Whether one could learn the naming context from the other: a full replica never from a partial
        one.
        """
        there = self.snapshot.dcs[pair[0]].held.get(nc)
        here = self.snapshot.dcs[pair[1]].due.get(nc)
        return there is not None and here is not None and (there is not Replica.PARTIAL or not here.is_full)

    def is_alive(self, pair: Pair) -> bool:
        """Whether neither end has failed. A read-only DC plans for itself, and for itself it has not."""
        source, target = pair
        failed = self.heads.failed
        return source not in failed and (target not in failed or self.snapshot.dcs[target].is_read_only)

    def wanted(self, pair: Pair, reasons: Sequence[Reason], serving: tuple[Connection, ...]) -> Wanted:
        """The value, with options and starts of the cheapest of the reasons' paths."""
        lead = reasons[0].path
        assert lead is not None
        if len(reasons) > 1:
            for reason in reasons[1:]:
                path = reason.path
                assert path is not None
                if path is not lead and _is_better(path, lead):
                    lead = path
        target = self.snapshot.dcs[pair[1]]
        offset = stagger(target.guid, lead.interval_min) if target.site in self._hashed else 0
        return Wanted(
            pair[0],
            pair[1],
            tuple(reasons),
            serving,
            connection_options(lead.options),
            IP,
            starts(lead.window, lead.interval_min, offset),
            not target.is_read_only,
        )


def _is_better(one: Path, other: Path) -> bool:
    return (one.cost, -one.window.bit_count()) < (other.cost, -other.window.bit_count())


def _reason(demand: Demand, nc: NcAt, rule: Rule | None = None, *, as_if: bool | None = None) -> Reason:
    return Reason(
        rule or demand.rule,
        nc,
        demand.path,
        demand.as_if_none_failed if as_if is None else as_if,
    )


@dataclass(slots=True)
class _Line:
    """A pair of DCs and what it serves: sets of places in the demands. serves: with both ends alive where the
    demand asks for that; is_there_for: also with failed ends."""

    pair: Pair
    serves: frozenset[int]
    is_there_for: frozenset[int]
    connections: list[Connection]
    is_administrators: bool = False


class _Exchange:
    """One ordered pair of sites."""

    def __init__(self, servers: Servers, source: SiteAt, target: SiteAt, demands: Sequence[Demand]) -> None:
        self._servers = servers
        self._source, self._target = source, target
        self._sides = servers.sides(source, target, demands)
        self._lines: dict[Pair, _Line] = {}
        self._is_redundant = target in servers.redundant
        self.unserved: list[tuple[Demand, NcAt]] = []

    def take_existing(self, existing: Iterable[Connection]) -> None:
        """Those that serve a demand, dead or alive."""
        for one in existing:
            if one.source is None:
                continue
            pair = (one.source, one.target)
            line = self._lines.get(pair)
            if line is None:
                line = self._line(pair, anyone=True)
                if not line.is_there_for:
                    continue
                self._lines[pair] = line
            line.connections.append(one)
            line.is_administrators |= not is_generated(one)

    def _line(self, pair: Pair, *, anyone: bool) -> _Line:
        there, serves = set(), set()
        is_alive = self._servers.is_alive(pair)
        for at, sides in enumerate(self._sides):
            sources = sides.all_sources if anyone else sides.sources
            targets = sides.all_targets if anyone else sides.targets
            if pair[0] in sources and pair[1] in targets and self._servers.carries(pair, sides.nc):
                there.add(at)
                if is_alive or not sides.demand.is_detecting:
                    serves.add(at)
        return _Line(pair, frozenset(serves), frozenset(there), [])

    def wanted(self) -> list[Wanted]:
        """What is needed of what is there, and what has to be added; in the order of target and source."""
        given_up: set[int] = set()
        while True:
            first, second = self._needed()
            missing = self._missing(first, second, given_up)
            if missing is None:
                break
            at, new = missing
            if new is None:
                given_up.add(at)
            else:
                self._lines[new] = self._line(new, anyone=False)
        self.unserved = [
            (sides.demand, sides.nc)
            for at, sides in enumerate(self._sides)
            if at in given_up and at not in first and sides.all_targets
        ]
        needed = {line.pair for line in (*first.values(), *second.values())}
        kept = [line for line in self._lines.values() if self._stays(line, needed)]
        kept.sort(key=lambda line: (line.pair[1], line.pair[0]))
        return [self._as_wanted(line, first, second) for line in kept]

    def _needed(self) -> tuple[dict[int, _Line], dict[int, _Line]]:
        """The pair that serves each demand, as few pairs as greed finds; and the second one where the
        target's site wants redundant topology: one that differs in as many ends as can be."""
        first: dict[int, _Line] = {}
        open_ones = frozenset(range(len(self._sides)))
        lines = list(self._lines.values())
        while open_ones:
            best = max(
                lines,
                key=lambda line: (
                    len(line.serves & open_ones),
                    line.is_administrators,
                    -line.pair[0],
                    -line.pair[1],
                ),
                default=None,
            )
            if best is None or not best.serves & open_ones:
                break
            for at in best.serves & open_ones:
                first[at] = best
            open_ones -= best.serves
        second: dict[int, _Line] = {}
        if self._is_redundant:
            chosen = {line.pair for line in first.values()}
            for at, line in sorted(first.items()):
                fit = [other for other in lines if at in other.serves and self._is_second(at, line, other)]
                if fit and self._sides[at].demand.into is None:
                    second[at] = min(fit, key=lambda one: (one.pair not in chosen, one.pair))
                    chosen.add(second[at].pair)
        return first, second

    def _is_second(self, at: int, line: _Line, other: _Line) -> bool:
        """Whether it differs from the first in every end in which one can."""
        sides = self._sides[at]
        return (
            line.pair != other.pair
            and (line.pair[0] != other.pair[0] or len(sides.sources) < 2)
            and (line.pair[1] != other.pair[1] or len(sides.targets) < 2)
        )

    def _missing(
        self, first: dict[int, _Line], second: dict[int, _Line], given_up: set[int]
    ) -> tuple[int, Pair | None] | None:
        """The first demand without a pair, and the pair to add for it, None where nobody can serve it."""
        for at in range(len(self._sides)):
            if at in given_up:
                continue
            if at not in first:
                return at, self._choose(at, None)
            if self._is_redundant and at not in second and self._sides[at].demand.into is None:
                return at, self._choose(at, first[at].pair)
        return None

    def _choose(self, at: int, beside: Pair | None) -> Pair | None:
        """The best new pair for a demand; `beside`: one that it is to differ from in both ends where it
        can.
        """
        sides, heads = self._sides[at], self._servers.heads
        sources = heads.ranked(self._source, self._target, sides.sources, self._source_weight)
        targets = heads.ranked(self._target, self._source, sides.targets, self._target_weight)
        if beside is not None:
            if len(sources) < 2 and len(targets) < 2:
                return None
            sources = [dc for dc in sources if dc != beside[0]] or sources
            targets = [dc for dc in targets if dc != beside[1]] or targets
        nc = sides.nc
        found = (
            (source, target)
            for target in targets
            for source in sources
            if (source, target) not in self._lines and self._servers.carries((source, target), nc)
        )
        return next(found, None)

    def _source_weight(self, dc: DcAt) -> int:
        return sum(dc in sides.sources for sides in self._sides)

    def _target_weight(self, dc: DcAt) -> int:
        return sum(dc in sides.targets for sides in self._sides)

    def _stays(self, line: _Line, needed: set[Pair]) -> bool:
        """Whether it is in the plan: needed, or there and superseded by nothing that is needed.

        Superseded is a living one to the same DC as another that carries all it does. Deviation: by the
        text two equal ones supersede each other, and both go; one that is needed is not superseded here.
        """
        if line.pair in needed or not line.connections:
            return line.pair in needed
        if not self._servers.is_alive(line.pair):
            return True
        carried = set(self._servers.implied(*line.pair, IP))
        return not any(
            target == line.pair[1]
            and self._servers.is_alive((source, target))
            and carried <= set(self._servers.implied(source, target, IP))
            for source, target in needed
        )

    def _as_wanted(self, line: _Line, first: dict[int, _Line], second: dict[int, _Line]) -> Wanted:
        reasons = []
        for at in sorted(line.is_there_for):
            demand, nc = self._sides[at].demand, self._sides[at].nc
            rule = demand.rule
            if second.get(at) is line and first[at] is not line:
                rule = Rule.REDUNDANT
            as_if = demand.as_if_none_failed or at not in line.serves
            reasons.append(_reason(demand, nc, rule, as_if=as_if))
        return self._servers.wanted(line.pair, reasons, without_copies(line.connections))
