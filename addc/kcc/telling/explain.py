"""Whether the changes of one DC or site reach another, over which connections, and why each is there.

Spec: [MS-ADTS] 6.2.2.2, 6.2.2.3.4
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from addc.base.terminal import visible
from addc.kcc.snapshot import DcAt, NcAt, Replica, Snapshot
from addc.kcc.telling.explain_direct import why_not_at_all, why_not_directly
from addc.kcc.telling.flow import Flow, Hop, carrying, flow, reach_s, slowest_way
from addc.kcc.telling.named import dcs_named, nc_named
from addc.kcc.telling.words import (
    ACTIONS,
    counted,
    dc_name,
    duration,
    nc_labels,
    option_words,
    starts_words,
    why_words,
)
from addc.kcc.wanted import Action, Plan, Planned

_SOURCES_MAX: Final = 16
"""Of a site with more writable DCs so many are tried."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What becomes of changes of naming contexts that go the same way, in the plan's end state.

    source, target: the DCs that are slowest of those asked for; None where none makes or hears of changes.
    hops: () where nothing arrives. why_not: why nothing does, or why it does not go directly.
    """

    ncs: tuple[NcAt, ...]
    source: DcAt | None
    target: DcAt | None
    hops: tuple[Hop, ...] = ()
    why_not: tuple[str, ...] = ()

    @property
    def arrives(self) -> bool:
        return bool(self.hops)

    @property
    def at_most_s(self) -> int:
        return sum(hop.wait_s for hop in self.hops)


@dataclass(frozen=True, slots=True)
class Explanation:
    """The whole answer. direct: connections from the one to the other, whatever they carry."""

    plan: Plan
    source: str
    target: str
    answers: tuple[Answer, ...]
    direct: tuple[Planned, ...]

    @property
    def arrives(self) -> bool:
        """Whether all that the target should hear of gets there."""
        return bool(self.answers) and all(one.arrives for one in self.answers)


def explain(plan: Plan, source: str, target: str, nc: str = "") -> Explanation:
    """Answer for each naming context that the source may change and the target holds, or for one.

    Raises UserError for unknown names.
    """
    snapshot = plan.snapshot
    sources, its_name = dcs_named(snapshot, source)
    targets, their_name = dcs_named(snapshot, target)
    wanted = [nc_named(snapshot, nc)] if nc else _shared(snapshot, sources, targets)
    carried = carrying(plan)
    groups: dict[object, Answer] = {}
    for one in wanted:
        ways = flow(snapshot, carried.get(one, ()))
        found = _answer(plan, ways, one, (sources, targets))
        key = (found.source, found.target, tuple(id(hop.planned) for hop in found.hops), found.why_not)
        held = groups.get(key)
        groups[key] = found if held is None else replace(held, ncs=(*held.ncs, one))
    between = (
        {(one, other) for one in sources for other in targets} if len(sources) * len(targets) < 10**5 else ()
    )
    direct = [
        one
        for one in plan.connections
        if one.action is not Action.DELETE and (one.source, one.target) in between
    ]
    return Explanation(plan, its_name, their_name, tuple(groups.values()), tuple(direct))


def _shared(snapshot: Snapshot, sources: Sequence[DcAt], targets: Sequence[DcAt]) -> list[NcAt]:
    """What some source may change and some target holds."""
    made = {
        nc for dc in sources for nc, replica in snapshot.dcs[dc].held.items() if replica is Replica.WRITABLE
    }
    return sorted(made & {nc for dc in targets for nc in snapshot.dcs[dc].held})


def _answer(plan: Plan, ways: Flow, nc: NcAt, ends: tuple[Sequence[DcAt], Sequence[DcAt]]) -> Answer:
    """Of one naming context: the slowest of the ways between the ends."""
    snapshot = plan.snapshot
    sources = [dc for dc in ends[0] if snapshot.dcs[dc].held.get(nc) is Replica.WRITABLE][:_SOURCES_MAX]
    targets = [dc for dc in ends[1] if nc in snapshot.dcs[dc].held]
    slowest: tuple[int, DcAt, DcAt] | None = None
    for source in sources:
        far = reach_s(ways, source)
        for target in targets:
            if target == source:
                continue
            if target not in far:
                why = why_not_at_all(plan, nc, source, target)
                return Answer((nc,), source, target, (), tuple(why))
            if slowest is None or far[target] > slowest[0]:
                slowest = (far[target], source, target)
    if slowest is None:
        return Answer((nc,), None, None, (), _nobody(sources, targets))
    _, source, target = slowest
    hops = slowest_way(ways, source, target) or ()
    why_not = tuple(why_not_directly(plan, nc, source, target)) if len(hops) > 1 else ()
    return Answer((nc,), source, target, hops, why_not)


def _nobody(sources: Sequence[DcAt], targets: Sequence[DcAt]) -> tuple[str, ...]:
    if not sources:
        return ("the source has no writable replica of it: no change of it is made there",)
    if not targets:
        return ("the target has no replica of it: there is nothing to bring there",)
    return ("source and target are one DC",)


# --- for people and machines -------------------------------------------------------------------------------


def as_text(found: Explanation) -> str:
    """The explanation for people."""
    return "\n".join(map(visible, _lines(found)))


def _lines(found: Explanation) -> Iterator[str]:
    snapshot = found.plan.snapshot
    yield f"Do changes made at {found.source} reach {found.target}?"
    if not found.answers:
        yield ""
        yield "There is nothing to bring: no naming context that is writable at the one is held by the other."
    for one in found.answers:
        yield ""
        labels = nc_labels(snapshot, one.ncs)
        if not one.arrives:
            yield f"{labels}: no."
            yield from (f"  {line}" for line in one.why_not)
            continue
        assert one.source is not None and one.target is not None
        ends = f"from {dc_name(snapshot, one.source)} to {dc_name(snapshot, one.target)}"
        over = counted(len(one.hops), "connection")
        yield f"{labels}: yes, {ends} over {over} in at most {duration(one.at_most_s)}."
        for number, hop in enumerate(one.hops, 1):
            yield from _hop(snapshot, number, hop)
        if one.why_not:
            yield "  Why not directly:"
            yield from (f"    {line}" for line in one.why_not)


def _hop(snapshot: Snapshot, number: int, hop: Hop) -> Iterator[str]:
    sign, word = ACTIONS[hop.planned.action]
    waits = "notified at once" if hop.starts is None else starts_words(hop.starts)
    yield (
        f"  {number}. {dc_name(snapshot, hop.source)} -> {dc_name(snapshot, hop.target)}: up to "
        f"{duration(hop.wait_s)} ({waits})"
    )
    yield f"     {sign} {word}, {option_words(hop.planned.options)}"
    yield from (f"     {line}" for line in why_words(snapshot, hop.planned))


def as_json(found: Explanation) -> dict[str, object]:
    """The explanation for machines."""
    snapshot = found.plan.snapshot
    return {
        "from": found.source,
        "to": found.target,
        "arrives": found.arrives,
        "direct_connections": len(found.direct),
        "answers": [_facts(snapshot, one) for one in found.answers],
    }


def _facts(snapshot: Snapshot, one: Answer) -> dict[str, object]:
    return {
        "ncs": [snapshot.ncs[nc].dn for nc in one.ncs],
        "arrives": one.arrives,
        "from": None if one.source is None else snapshot.dcs[one.source].dn,
        "to": None if one.target is None else snapshot.dcs[one.target].dn,
        "at_most_s": one.at_most_s if one.arrives else None,
        "hops": [
            {
                "from": snapshot.dcs[hop.source].dn,
                "to": snapshot.dcs[hop.target].dn,
                "action": hop.planned.action.value,
                "wait_s": hop.wait_s,
                "notified": hop.starts is None,
                "why": why_words(snapshot, hop.planned),
            }
            for hop in one.hops
        ],
        "why_not": list(one.why_not),
    }
