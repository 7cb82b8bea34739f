"""The ring of a site's full replicas: its edges, and the shortcuts that are reused or made.

Connections that are there count first, so that a site which grows does not get a new set of shortcuts with
every DC. Where they and the new ones leave two DCs more than three hops apart, edges are added between those,
or the table's own are taken, whichever makes fewer.

Spec: [MS-ADTS] 6.2.2.2.
"""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Final

from addc.kcc.shortcuts import HOPS_MAX, INBOUND_MAX, reach_masks, shortcut_sources, shortcuts_each
from addc.kcc.snapshot import DcAt

# A mended site is tried with so few edges that the look over all pairs after each stays cheap.
_MENDING: Final = 20_000
_NONE: Final[frozenset[DcAt]] = frozenset()


@dataclass(frozen=True, slots=True)
class Known:
    """What is settled before a ring is made, for each DC of the site.

    taken: those that it replicates from already, or by what was decided before. barred: those that it does
    not replicate from because the connection is disabled: no shortcut is looked for there.
    """

    taken: Mapping[DcAt, Set[DcAt]] = field(default_factory=dict)
    barred: Mapping[DcAt, Set[DcAt]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FullRing:
    """members: in GUID order. The rest goes by places among them: neighbours, shortcuts, and all from which
    changes really come, connections that no rule asks for included."""

    members: tuple[DcAt, ...]
    place: Mapping[DcAt, int]
    ring: Sequence[tuple[int, ...]]
    shortcuts: Sequence[tuple[int, ...]]
    inbound: Sequence[Sequence[int]]


def neighbours(place: int, size: int) -> tuple[int, ...]:
    """The places beside one in a ring."""
    if size == 1:
        return ()
    before, after = (place - 1) % size, (place + 1) % size
    return (before,) if before == after else (before, after)


def full_ring(members: tuple[DcAt, ...], known: Known, has_shortcuts: bool) -> FullRing:
    """The ring of these DCs, closed with shortcuts to at most three hops if the site wants that.

    Spec: [MS-ADTS] 6.2.2.2.
    """
    size = len(members)
    place = {dc: at for at, dc in enumerate(members)}
    ring = [neighbours(at, size) for at in range(size)]
    there = [_places(known.taken.get(dc, _NONE), place).difference(ring[at]) for at, dc in enumerate(members)]
    each = shortcuts_each(size) if has_shortcuts else 0
    barred = [_places(known.barred.get(dc, _NONE), place) for dc in members] if known.barred else []
    base = [[*ring[at], *sorted(there[at])] for at in range(size)]
    if barred:
        base = [[source for source in base[at] if source not in barred[at]] for at in range(size)]
    if not each:
        return FullRing(members, place, ring, [()] * size, base)
    room = [
        INBOUND_MAX - len(known.taken.get(dc, _NONE) | {members[source] for source in ring[at]})
        for at, dc in enumerate(members)
    ]
    made = _Shortcuts(base, there, barred, room, each).made()
    chosen = [_counted(made[at], there[at], shortcut_sources(size)[at], each) for at in range(size)]
    inbound = [(*base[at], *made[at]) for at in range(size)]
    return FullRing(members, place, ring, chosen, inbound)


def _places(dcs: Set[DcAt], place: Mapping[DcAt, int]) -> set[int]:
    return {place[dc] for dc in dcs if dc in place}


def _counted(made: Sequence[int], there: Set[int], table: Sequence[int], each: int) -> tuple[int, ...]:
    """The shortcuts that a place's n stand for: new ones, then those that are there, the table's first."""
    usual = [source for source in table if source in there]
    others = sorted(there - set(usual))
    return tuple((*made, *usual, *others))[: max(each, len(made))]


class _Shortcuts:
    """The new edges of a ring, while they are chosen. All goes by places in it.

    base: from where changes come to each place anyway. there: those of them that are no neighbours. barred:
    from where none may be made (empty where that is so nowhere). room: how many more a place may have at all.
    """

    def __init__(
        self,
        base: Sequence[Sequence[int]],
        there: Sequence[Set[int]],
        barred: Sequence[Set[int]],
        room: Sequence[int],
        each: int,
    ) -> None:
        self._size = len(base)
        self._base = base
        self._there = there
        self._barred = barred
        self._room = room
        self._each = each

    def made(self) -> list[list[int]]:
        """The new edges directed to each place."""
        size, each = self._size, self._each
        table = shortcut_sources(size)
        missing = [[source for source in table[at] if self._may_be_made(source, at)] for at in range(size)]
        tabled = [missing[at][: max(0, self._room[at])] for at in range(size)]
        filled = [tabled[at][: max(0, each - len(self._there[at]))] for at in range(size)]
        if filled == tabled and not any(self._barred):
            return tabled
        mended = self._mended(filled, [min(room, each) for room in self._room])
        if mended is not None and sum(map(len, mended)) <= sum(map(len, tabled)):
            return mended
        if not any(self._barred) and tabled == missing:
            return tabled
        return mended or self._mended(tabled, self._room) or tabled

    def _may_be_made(self, source: int, target: int) -> bool:
        return source not in self._there[target] and not (self._barred and source in self._barred[target])

    def _mended(self, made: Sequence[Sequence[int]], room: Sequence[int]) -> list[list[int]] | None:
        """`made`, with edges that bring every two places within three hops; None where few do not suffice.

        Each goes where the most is missing: to the place that fewest reach, or from the one that reaches
        fewest. room: how many new ones each place may have.
        """
        size = self._size
        everyone = (1 << size) - 1
        more = [list(sources) for sources in made]
        inbound = [[*self._base[at], *more[at]] for at in range(size)]
        for _ in range(4 + _MENDING // size):
            into = reach_masks(inbound, HOPS_MAX)
            worst, lacks = _worst(into[HOPS_MAX], everyone)
            if not lacks:
                return more
            out = reach_masks(_turned(inbound), HOPS_MAX)
            worst_out, lacks_out = _worst(out[HOPS_MAX], everyone)
            targets = [at for at in range(size) if len(more[at]) < room[at]]
            if len(more[worst]) < room[worst] and lacks.bit_count() >= lacks_out.bit_count():
                edges = [(source, worst) for source in range(size)]
                gains = [(mask & lacks).bit_count() for mask in into[HOPS_MAX - 1]]
            else:
                edges = [(worst_out, target) for target in targets]
                gains = [(out[HOPS_MAX - 1][target] & lacks_out).bit_count() for target in targets]
            best = max(
                (at for at, edge in enumerate(edges) if gains[at] and self._may_be_made(*edge)),
                key=lambda at: (gains[at], -len(inbound[edges[at][1]]), -at),
                default=None,
            )
            if best is None:
                return None
            source, target = edges[best]
            inbound[target].append(source)
            more[target].append(source)
        return None


def _worst(reached: Sequence[int], everyone: int) -> tuple[int, int]:
    """The place that lacks the most, and what it lacks."""
    lacks = [everyone & ~mask for mask in reached]
    worst = max(range(len(lacks)), key=lambda at: (lacks[at].bit_count(), -at))
    return worst, lacks[worst]


def _turned(inbound: Sequence[Sequence[int]]) -> list[list[int]]:
    """Which places each one feeds."""
    outbound: list[list[int]] = [[] for _ in inbound]
    for target, sources in enumerate(inbound):
        for source in sources:
            outbound[source].append(target)
    return outbound
