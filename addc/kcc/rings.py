"""The ring of a site's full replicas: its edges, and the shortcuts that are reused or made.

Connections that are there count first, so that a site which grows does not get a new set of shortcuts with
every DC. Where they and the new ones leave two DCs more than three hops apart, edges are added between those,
or the table's own are taken, whichever makes fewer.

Spec: [MS-ADTS] 6.2.2.2.
"""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Final

from addc.kcc.shortcuts import HOPS_MAX, INBOUND_MAX, reach_masks, shortcut_sources, shortcuts_each
from addc.kcc.snapshot import DcAt

# A mended site is tried with so few edges that the look over all pairs after each stays cheap.
_MENDING: Final = 20_000

Known = Mapping[DcAt, Set[DcAt]]
"""For each DC those of its site that it replicates from already, or by what was decided before."""


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
    there = [
        {place[source] for source in known.get(dc, ()) if source in place}.difference(ring[at])
        for at, dc in enumerate(members)
    ]
    each = shortcuts_each(size) if has_shortcuts else 0
    if not each:
        inbound = [(*ring[at], *sorted(there[at])) for at in range(size)]
        return FullRing(members, place, ring, [()] * size, inbound)
    room = [
        INBOUND_MAX - len(ring[at]) - len(there[at]) - _elsewhere(known.get(dc, ()), place)
        for at, dc in enumerate(members)
    ]
    made = _made(ring, there, room, each)
    chosen = [_counted(made[at], there[at], shortcut_sources(size)[at], each) for at in range(size)]
    inbound = [(*ring[at], *sorted(there[at]), *made[at]) for at in range(size)]
    return FullRing(members, place, ring, chosen, inbound)


def _elsewhere(sources: Set[DcAt] | tuple[()], place: Mapping[DcAt, int]) -> int:
    return sum(source not in place for source in sources)


def _counted(made: Sequence[int], there: Set[int], table: Sequence[int], each: int) -> tuple[int, ...]:
    """The shortcuts that a place's n stand for: new ones, then those that are there, the table's first."""
    usual = [source for source in table if source in there]
    others = sorted(there - set(usual))
    return tuple((*made, *usual, *others))[: max(each, len(made))]


def _made(
    ring: Sequence[tuple[int, ...]], there: Sequence[Set[int]], room: Sequence[int], each: int
) -> list[list[int]]:
    """The new edges directed to each place."""
    size = len(ring)
    table = shortcut_sources(size)
    missing = [[source for source in table[at] if source not in there[at]] for at in range(size)]
    tabled = [missing[at][: max(0, room[at])] for at in range(size)]
    filled = [tabled[at][: max(0, each - len(there[at]))] for at in range(size)]
    if filled == tabled:
        return tabled
    inbound = [[*ring[at], *there[at], *filled[at]] for at in range(size)]
    more = _mended(inbound, [min(room[at], each) - len(filled[at]) for at in range(size)])
    if more is None or sum(map(len, filled)) + len(more) > sum(map(len, tabled)):
        return tabled
    for source, target in more:
        filled[target].append(source)
    return filled


def _mended(inbound: list[list[int]], room: list[int]) -> list[tuple[int, int]] | None:
    """Edges (source, target) that bring every two places within three hops; None where few do not suffice.

    Each goes where the most is missing: to the place that fewest reach, or from the one that reaches fewest.
    `inbound` gets them too.
    """
    size = len(inbound)
    everyone = (1 << size) - 1
    added: list[tuple[int, int]] = []
    for _ in range(4 + _MENDING // size):
        into = reach_masks(inbound, HOPS_MAX)
        worst_in = max(range(size), key=lambda at: ((everyone & ~into[HOPS_MAX][at]).bit_count(), -at))
        lacks_in = everyone & ~into[HOPS_MAX][worst_in]
        if not lacks_in:
            return added
        outbound: list[list[int]] = [[] for _ in range(size)]
        for target, sources in enumerate(inbound):
            for source in sources:
                outbound[source].append(target)
        out = reach_masks(outbound, HOPS_MAX)
        worst_out = max(range(size), key=lambda at: ((everyone & ~out[HOPS_MAX][at]).bit_count(), -at))
        lacks_out = everyone & ~out[HOPS_MAX][worst_out]
        if room[worst_in] > 0 and lacks_in.bit_count() >= lacks_out.bit_count():
            source = max(range(size), key=lambda at: ((into[HOPS_MAX - 1][at] & lacks_in).bit_count(), -at))
            edge = (source, worst_in)
        else:
            targets = [at for at in range(size) if room[at] > 0]
            if not targets:
                return None
            target = max(targets, key=lambda at: ((out[HOPS_MAX - 1][at] & lacks_out).bit_count(), -at))
            if not out[HOPS_MAX - 1][target] & lacks_out:
                return None
            edge = (worst_out, target)
        inbound[edge[1]].append(edge[0])
        room[edge[1]] -= 1
        added.append(edge)
    return None
