"""The parts of a plan's picture, as values, and which connections and links they show."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum

from addc.kcc.snapshot import DcAt, LinkAt, NcAt, SiteAt
from addc.kcc.wanted import Action, Plan, Planned


class Shape(Enum):
    """What a node of the picture is."""

    SITE = "site"
    LINK = "link"
    """A link that joins three sites or more."""
    CARD = "card"
    """A site with its leaves as tiles."""
    LINK_CARD = "link card"
    """A link with those of its sites as tiles that nothing else leads to."""


@dataclass(frozen=True, slots=True)
class Box:
    """A box by its middle."""

    x: float
    y: float
    w: float
    h: float

    @property
    def left(self) -> float:
        return self.x - self.w / 2

    @property
    def top(self) -> float:
        return self.y - self.h / 2


@dataclass(frozen=True, slots=True)
class DcSpot:
    """A DC that is drawn in its site."""

    dc: DcAt
    box: Box


@dataclass(frozen=True, slots=True)
class Tile:
    """A leaf on a card: its link and its connections go with it. label: its name without what all share.

    tiles, shared: of a hub that stands on another's card, its leaves and what their names share.
    folded: all sites that it stands for in numbers, itself among them. site: the hub, or the first of them.
    """

    site: SiteAt
    link: LinkAt
    box: Box
    label: str
    tiles: "tuple[Tile, ...]" = ()
    folded: tuple[SiteAt, ...] = ()
    shared: str = ""
    is_hub: bool = False

    def moved(self, dx: float, dy: float) -> "Tile":
        """The same tile elsewhere, with all that is on it."""
        box = Box(self.box.x + dx, self.box.y + dy, self.box.w, self.box.h)
        inner = tuple(tile.moved(dx, dy) for tile in self.tiles)
        return Tile(self.site, self.link, box, self.label, inner, self.folded, self.shared, self.is_hub)

    def all_sites(self) -> tuple[SiteAt, ...]:
        """The sites that it stands for, without those that have tiles of their own."""
        return self.folded or (self.site,)


@dataclass(frozen=True, slots=True)
class Node:
    """A site, a link of many sites, or a card. site or link is what it stands for; the other is None."""

    shape: Shape
    box: Box
    site: SiteAt | None = None
    link: LinkAt | None = None
    tiles: tuple[Tile, ...] = ()
    dcs: tuple[DcSpot, ...] = ()
    shared: str = ""


@dataclass(frozen=True, slots=True)
class Road:
    """A link between two nodes. beside: its rank among parallel ones. is_part: the link itself is a node."""

    link: LinkAt
    a: int
    b: int
    beside: float = 0.0
    is_part: bool = False


@dataclass(frozen=True, slots=True)
class Picture:
    """Everything at its place, on a sheet that starts at (0, 0). at: of each site its node."""

    plan: Plan
    width: float
    height: float
    nodes: tuple[Node, ...]
    roads: tuple[Road, ...]
    at: Mapping[SiteAt, int]
    tile_of: Mapping[SiteAt, Tile]
    has_dcs: bool
    is_rich: bool
    carried: Mapping[LinkAt, frozenset[NcAt]] = field(default_factory=dict)

    def tiles(self) -> Iterator[Tile]:
        """All tiles, those on tiles too."""
        for node in self.nodes:
            for tile in node.tiles:
                yield tile
                yield from tile.tiles


def between_sites(plan: Plan) -> list[tuple[int, Planned, SiteAt, SiteAt]]:
    """The connections between sites that are drawn, with their places in the plan."""
    dcs = plan.snapshot.dcs
    return [
        (at, one, dcs[one.source].site, dcs[one.target].site)
        for at, one in enumerate(plan.connections)
        if one.source is not None
        and dcs[one.source].site != dcs[one.target].site
        and not (one.existing is not None and one.existing.is_sysvol_only)
    ]


def carried(plan: Plan) -> dict[LinkAt, frozenset[NcAt]]:
    """Of each link that is to be used, the naming contexts whose changes travel over it."""
    found: dict[LinkAt, set[NcAt]] = {}
    for one in plan.connections:
        if one.action is Action.DELETE:
            continue
        links = {link for reason in one.reasons if reason.path is not None for link in reason.path.links}
        for link in links:
            found.setdefault(link, set()).update(one.ncs)
            found[link].update(reason.nc for reason in one.reasons)
    return {link: frozenset(ncs) for link, ncs in found.items()}
