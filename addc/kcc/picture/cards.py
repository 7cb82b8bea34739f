"""Which sites hang on which: leaves on their hubs, and in large forests hubs with their leaves on other hubs.

A leaf is a site on one link only that is to replicate with one other site at most.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from addc.kcc.picture.parts import between_sites
from addc.kcc.snapshot import LinkAt, SiteAt
from addc.kcc.wanted import Action, Plan

TILES_MIN: Final = 7
SUBS_MIN: Final = 4
RICH_TILES_MAX: Final = 130
NAMED_TILES_MAX: Final = 900
MULTI: Final = 3
MINI: Final = 23.0
MINI_KEPT: Final = 16.0
SIGN_W: Final = 13.0
TITLE_H: Final = 24.0
NAME_MAX: Final = 190.0

Leaf = tuple[SiteAt, LinkAt]
Home = tuple[str, int]
"""What leaves hang on: ("site", place) or ("link", place)."""


@dataclass(frozen=True, slots=True)
class Hung:
    """What is drawn as tiles. subs: hubs that stand with their leaves on another hub's card.

    signs_w: the room that the arrows of any one tile need.
    """

    leaves: Mapping[Home, Sequence[Leaf]] = field(default_factory=dict)
    subs: Mapping[Home, Sequence[Leaf]] = field(default_factory=dict)
    signs_w: float = 0.0

    @property
    def count(self) -> int:
        return sum(len(held) for held in self.leaves.values())

    @property
    def is_rich(self) -> bool:
        """Whether each tile has room for its link."""
        return self.count <= RICH_TILES_MAX

    @property
    def is_folded(self) -> bool:
        """Whether leaves are too many to be told apart, and stand in numbers."""
        return self.count > NAMED_TILES_MAX

    def tiled(self) -> set[SiteAt]:
        """The sites that stand on cards of others."""
        return {site for rows in (self.leaves, self.subs) for held in rows.values() for site, _ in held}


def hung(plan: Plan) -> Hung:
    """What hangs on what."""
    leaves = leaves_of(plan)
    found = Hung(leaves)
    if found.is_rich:
        return Hung(leaves, {}, _signs_width(plan, found.tiled()))
    return Hung(leaves, _subs_of(plan, leaves), SIGN_W)


def leaves_of(plan: Plan) -> dict[Home, list[Leaf]]:
    """Sites that are drawn as tiles, by the hub or the link that they hang on, in order of their names."""
    snapshot = plan.snapshot
    on: list[list[LinkAt]] = [[] for _ in snapshot.sites]
    for number, link in enumerate(snapshot.links):
        for site in link.sites:
            on[site].append(LinkAt(number))
    partners: list[set[SiteAt]] = [set() for _ in snapshot.sites]
    for _, one, source, target in between_sites(plan):
        if one.action is not Action.DELETE:
            partners[source].add(target)
            partners[target].add(source)
    found: dict[Home, list[Leaf]] = {}
    for number in range(len(snapshot.sites)):
        if len(on[number]) != 1 or len(partners[number]) > 1:
            continue
        link = snapshot.links[on[number][0]]
        others = [site for site in link.sites if site != number]
        if len(others) == 1 and len(on[others[0]]) > 1:
            found.setdefault(("site", others[0]), []).append((SiteAt(number), on[number][0]))
        elif len(others) >= MULTI - 1:
            found.setdefault(("link", on[number][0]), []).append((SiteAt(number), on[number][0]))
    names = snapshot.sites
    return {
        home: sorted(leaves, key=lambda leaf: (_natural(names[leaf[0]].name), leaf))
        for home, leaves in found.items()
        if len(leaves) >= TILES_MIN
    }


def _subs_of(plan: Plan, leaves: Mapping[Home, Sequence[Leaf]]) -> dict[Home, list[Leaf]]:
    """Hubs that hang with all their leaves on one link, by what they hang on: those of the lowest rank."""
    snapshot = plan.snapshot
    hub_of = {site: SiteAt(at) for (what, at), held in leaves.items() if what == "site" for site, _ in held}
    own = {link for held in leaves.values() for _, link in held}
    up: dict[SiteAt, list[LinkAt]] = {hub: [] for hub in hub_of.values()}
    for number, link in enumerate(snapshot.links):
        for site in link.sites if LinkAt(number) not in own else ():
            if site in up:
                up[site].append(LinkAt(number))
    partners: dict[SiteAt, set[SiteAt]] = {hub: set() for hub in up}
    for _, one, source, target in between_sites(plan):
        a, b = hub_of.get(source, source), hub_of.get(target, target)
        if a != b and one.action is not Action.DELETE:
            partners.setdefault(a, set()).add(b)
            partners.setdefault(b, set()).add(a)
    homes: dict[SiteAt, Home] = {}
    for hub, links in up.items():
        if len(links) != 1:
            continue
        others = [site for site in snapshot.links[links[0]].sites if site != hub]
        if len(others) == 1 and partners[hub] <= set(others):
            homes[hub] = ("site", others[0])
        elif len(others) >= MULTI - 1 and len(partners[hub]) <= 1:
            homes[hub] = ("link", links[0])
    above = set(homes.values())
    found: dict[Home, list[Leaf]] = {}
    for hub, home in homes.items():
        if ("site", hub) not in above:
            found.setdefault(home, []).append((hub, up[hub][0]))
    names = snapshot.sites
    return {
        home: sorted(subs, key=lambda one: (_natural(names[one[0]].name), one))
        for home, subs in found.items()
        if len(subs) >= SUBS_MIN
    }


def _signs_width(plan: Plan, tiled: set[SiteAt]) -> float:
    """The room that the arrows of any one tile need."""
    fates: dict[SiteAt, set[Action]] = {}
    for _, one, source, target in between_sites(plan):
        for site in (source, target):
            if site in tiled:
                fates.setdefault(site, set()).add(one.action)
    return max(
        (sum(MINI_KEPT if fate is Action.KEEP else MINI for fate in own) for own in fates.values()),
        default=0.0,
    )


def _natural(name: str) -> list[tuple[int, int, str]]:
    """A key by which Branch-2 comes before Branch-10."""
    parts: list[tuple[int, int, str]] = []
    at = 0
    while at < len(name):
        end = at
        is_number = name[at] in "0123456789"
        while end < len(name) and (name[end] in "0123456789") == is_number:
            end += 1
        word = name[at:end]
        parts.append((0, int(word), word) if is_number and end - at < 18 else (1, 0, word.casefold()))
        at = end
    return parts


def shared_start(names: Sequence[str]) -> str:
    """What all names begin with, cut back to where a word ends; "" where that is little."""
    first, last = min(names), max(names)
    same = 0
    while same < min(len(first), len(last)) and first[same] == last[same]:
        same += 1
    start = first[:same]
    if all(name[same : same + 1].isdigit() for name in names) or start[-1:].isdigit():
        start = start.rstrip("0123456789")
    elif start and start[-1].isalnum():
        start = start[: max((at + 1 for at, one in enumerate(start) if not one.isalnum()), default=0)]
    return start if len(start) > 2 and all(len(name) > len(start) for name in names) else ""
