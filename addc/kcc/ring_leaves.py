"""Replicas that only take: partial ones of a site, those of read-only DCs, those not yet counted by others.

They stand in a ring of all replicas, full ones included, but no edge leads from a partial replica to a full
one. Their shortcuts are chosen so that every full replica is at most three hops away.

Spec: [MS-ADTS] 6.2.2.2.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Final

from addc.kcc.rings import FullRing, Known, neighbours
from addc.kcc.shortcuts import INBOUND_MAX, reach_masks, shortcuts_each
from addc.kcc.snapshot import DcAt

_SAMPLE: Final = 64
_ROUNDS: Final = 6
_STRIDE: Final = 7919
"""Leaves next to each other look for sources from places far from each other on."""


@dataclass(frozen=True, slots=True)
class Fed:
    """What one replica takes from: neighbours in the ring, and shortcuts."""

    ring: tuple[DcAt, ...]
    shortcuts: tuple[DcAt, ...] = ()


@dataclass(slots=True)
class _Leaf:
    """One of them while its shortcuts are sought.

    there: DCs beside its neighbours that it takes from already. usual: all that it really takes from. barred:
    those from which its connection is disabled. room: how many more it may have.
    """

    dc: DcAt
    place: int
    ring: tuple[DcAt, ...]
    there: tuple[DcAt, ...]
    usual: tuple[DcAt, ...]
    barred: Set[DcAt]
    each: int
    room: int
    made: tuple[DcAt, ...] = ()


class Leaves:
    """The replicas around the ring of a site's full replicas of a naming context.

    partial: DCs with partial replicas, in GUID order.
    """

    def __init__(self, full: FullRing, partial: tuple[DcAt, ...], known: Known, has_shortcuts: bool) -> None:
        self._full = full
        self._known = known
        self._has_shortcuts = has_shortcuts
        self._goal = (1 << len(full.members)) - 1
        _, one, two = reach_masks(full.inbound, 2)
        # Which full replicas reach a DC in one hop, and in two.
        self._one: dict[DcAt, int] = dict(zip(full.members, one, strict=True))
        self._two: dict[DcAt, int] = dict(zip(full.members, two, strict=True))
        self._order = sorted((*full.members, *partial))
        self.partial: dict[DcAt, Fed] = {}
        if partial:
            self._feed_partial(partial)

    def outsider(self, dc: DcAt, *, takes_partial: bool, may_feed: Callable[[DcAt], bool]) -> Fed:
        """What a DC takes from that is no member of these rings: a read-only one, one that just joins, or one
        that others hold for failed.

        takes_partial: its own replica is partial. may_feed: of the others, which can be its source.
        """
        pool: Iterable[DcAt] = self._order if takes_partial else self._full.members
        order = [other for other in pool if other != dc and may_feed(other)]
        order.insert(bisect_left(order, dc), dc)
        leaf = self._leaf(dc, order)
        lacks = self._goal
        own = self._full.place.get(dc)
        if own is not None:
            lacks &= ~(1 << own)
        candidates = [other for other in self._full.members if other != dc and may_feed(other)]
        self._choose(leaf, lacks, candidates, leaf.each)
        self._choose(leaf, lacks, candidates, leaf.room)
        return self._fed(leaf, order)

    def _leaf(self, dc: DcAt, order: Sequence[DcAt]) -> _Leaf:
        size = len(order)
        place = bisect_left(order, dc)
        ring = tuple(order[at] for at in neighbours(place, size))
        members = set(order)
        taken = self._known.taken.get(dc, frozenset())
        barred = self._known.barred.get(dc, frozenset())
        there = tuple(sorted(other for other in taken if other in members and other not in ring))
        usual = (*(other for other in ring if other not in barred), *there)
        each = shortcuts_each(size) if self._has_shortcuts else 0
        room = INBOUND_MAX - len(taken | set(ring)) if each else 0
        return _Leaf(dc, place, ring, there, usual, barred, each, room)

    def _feed_partial(self, partial: tuple[DcAt, ...]) -> None:
        leaves = [self._leaf(dc, self._order) for dc in partial]
        if leaves[0].each:
            for turn in range(_ROUNDS):
                self._measure(leaves)
                short = [leaf for leaf in leaves if self._reach(leaf) != self._goal]
                if not short:
                    break
                for leaf in short:
                    leaf.made = ()
                    self._choose(leaf, self._goal, self._full.members, leaf.each)
                    if turn == _ROUNDS - 1:
                        self._choose(leaf, self._goal, self._full.members, leaf.room)
                    self._measure([leaf])
        self.partial = {leaf.dc: self._fed(leaf, self._order) for leaf in leaves}

    def _measure(self, leaves: list[_Leaf]) -> None:
        """Bring up to date which full replicas reach the partial ones in one and in two hops."""
        place = self._full.place
        for leaf in leaves:
            mask = 0
            for source in (*leaf.usual, *leaf.made):
                at = place.get(source)
                if at is not None:
                    mask |= 1 << at
            self._one[leaf.dc] = mask
        for leaf in leaves:
            mask = 0
            for source in (*leaf.usual, *leaf.made):
                mask |= self._one.get(source, 0)
            self._two[leaf.dc] = mask

    def _reach(self, leaf: _Leaf) -> int:
        mask = 0
        for source in (*leaf.usual, *leaf.made):
            mask |= self._two.get(source, 0)
        return mask

    def _choose(self, leaf: _Leaf, goal: int, candidates: Sequence[DcAt], most: int) -> None:
        """Take those sources that bring the most full replicas within three hops, until all are."""
        budget = min(most, leaf.room)
        lacks = goal & ~self._reach(leaf)
        if leaf.barred:
            candidates = [dc for dc in candidates if dc not in leaf.barred]
        if not lacks or budget <= 0 or not candidates:
            return
        start = leaf.place * _STRIDE % len(candidates)
        turned = (*candidates[start:], *candidates[:start])
        sample = turned[:: max(1, len(turned) // _SAMPLE)]
        two = self._two
        while lacks and len(leaf.made) < budget:
            best = max(sample, key=lambda dc: (two[dc] & lacks).bit_count())
            if not two[best] & lacks:
                best = max(turned, key=lambda dc: (two[dc] & lacks).bit_count())
            if not two[best] & lacks:
                return
            leaf.made = (*leaf.made, best)
            lacks &= ~two[best]

    def _fed(self, leaf: _Leaf, order: Sequence[DcAt]) -> Fed:
        """All its edges; what is still wanting of its n goes to DCs spread over the ring."""
        there = leaf.there
        wanting = min(leaf.each - len(leaf.made) - len(there), leaf.room - len(leaf.made))
        made = list(leaf.made)
        if wanting > 0:
            taken = {leaf.dc, *leaf.ring, *there, *leaf.barred, *made}
            size = len(order)
            step = max(1, size // (leaf.each + 1))
            spread = ((leaf.place + turn * step) % size for turn in range(1, leaf.each + 1))
            for at in (*spread, *range(size)):
                if wanting <= 0:
                    break
                if order[at] not in taken:
                    taken.add(order[at])
                    made.append(order[at])
                    wanting -= 1
        shortcuts = (*made, *there)[: max(leaf.each, len(made))]
        return Fed(leaf.ring, shortcuts if leaf.each else ())


def fed_members(full: FullRing) -> Mapping[DcAt, Fed]:
    """What each of the full replicas takes from."""
    members = full.members
    return {
        dc: Fed(
            tuple(members[source] for source in full.ring[at]),
            tuple(members[source] for source in full.shortcuts[at]),
        )
        for at, dc in enumerate(members)
    }
