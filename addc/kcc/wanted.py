"""What planning gives: the connections wanted, those that are there, what becomes of each, and why.

Spec: [MS-ADTS] 6.2.2.2 to 6.2.2.5
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from addc.codec.schedule import Quarters
from addc.kcc.snapshot import (
    Connection,
    ConnectionOption,
    DcAt,
    LinkAt,
    LinkOption,
    NcAt,
    SiteAt,
    Snapshot,
)


class Rule(Enum):
    """Why replication from one DC to another is wanted."""

    RING = "ring"
    """Neighbours in a site's ring of a naming context, 6.2.2.2."""
    SHORTCUT = "shortcut"
    """Keeps every two DCs of a site within three hops, 6.2.2.2."""
    GC_RING = "gc ring"
    """Neighbours among the GCs of a site, for the config NC, 6.2.2.2."""
    TREE = "tree"
    """An edge of the least-cost tree of sites, 6.2.2.3.4."""
    REDUNDANT = "redundant"
    """A second pair of bridgeheads beside a tree edge's, where the site wants redundant topology."""
    RODC_SOURCE = "rodc source"
    """What a read-only DC replicates from; no other DC knows of it."""


@dataclass(frozen=True, slots=True)
class Path:
    """Links one behind another from the source's site to the target's, and what holds over all of them.

    sites: those that it touches, ends included: one more than links. window: when all of them are open.
    """

    links: tuple[LinkAt, ...]
    sites: tuple[SiteAt, ...]
    cost: int
    interval_min: int
    options: LinkOption
    window: Quarters


@dataclass(frozen=True, slots=True)
class Reason:
    """One rule that wants a connection, for one naming context.

    path: of a tree edge. as_if_none_failed: the rule was applied as if no DC had failed, beside a detour.
    """

    rule: Rule
    nc: NcAt
    path: Path | None = None
    as_if_none_failed: bool = False


@dataclass(frozen=True, slots=True)
class Wanted:
    """Replication that rules want. serving: connections that are there already and do for it.

    options, transport, schedule: of a connection that has to be made, or that generated ones of `serving` are
    brought in line with; schedule None leaves that of existing ones alone (intrasite).
    is_written: False for a read-only DC's share, which only becomes repsFrom.
    """

    source: DcAt
    target: DcAt
    reasons: tuple[Reason, ...]
    serving: tuple[Connection, ...] = ()
    options: ConnectionOption = ConnectionOption.IS_GENERATED
    transport: str = ""
    schedule: Quarters | None = None
    is_written: bool = True


@dataclass(frozen=True, slots=True)
class TreeEdge:
    """An edge of the tree of sites of one naming context. is_one_way: only from the first site to the second,
    because the second holds none but partial (or read-only) replicas."""

    source: SiteAt
    target: SiteAt
    path: Path
    is_one_way: bool = False


@dataclass(frozen=True, slots=True)
class SiteTree:
    """How the sites of a naming context hang together. components: sites with replicas, those that are joined
    together; more than one means that some changes never arrive. edges: of the tree.

    ncs: all that share it, because the same sites hold them. failed: DCs that no edge may use. planned_by:
    the sites whose connections follow it, where options make others see the links differently; None for all.
    """

    ncs: tuple[NcAt, ...]
    edges: tuple[TreeEdge, ...]
    components: tuple[tuple[SiteAt, ...], ...]
    failed: frozenset[DcAt] = frozenset()
    as_if_none_failed: bool = False
    planned_by: frozenset[SiteAt] | None = None


class Action(Enum):
    """What becomes of a connection."""

    KEEP = "keep"
    ADD = "add"
    CHANGE = "change"
    DELETE = "delete"


class Removal(Enum):
    """Why a connection goes, 6.2.2.4."""

    DUPLICATE = "duplicate"
    """Another connection of the same DC has the same source, and stays."""
    UNNEEDED = "unneeded"
    """No tree of any naming context wants it."""
    SOURCE_GONE = "source gone"
    """fromServer names no DC."""


@dataclass(frozen=True, slots=True)
class Planned:
    """One connection after the plan, or one that goes.

    existing: as it is now; None for one that is added. source: None only for one whose source is gone.
    ncs: the NCs whose repsFrom it implies at the target, none of one that is disabled or goes. removal: of
    one that goes. is_written: False for what is only implied (read-only DCs). is_decided: False for one that
    is shown as it is because another DC decides on it.
    """

    action: Action
    source: DcAt | None
    target: DcAt
    options: ConnectionOption
    transport: str = ""
    schedule: Quarters | None = None
    is_enabled: bool = True
    existing: Connection | None = None
    reasons: tuple[Reason, ...] = ()
    ncs: tuple[NcAt, ...] = ()
    removal: Removal | None = None
    is_written: bool = True
    is_decided: bool = True


@dataclass(frozen=True, slots=True)
class Plan:
    """What a whole forest, or a part of it, is to look like.

    planned_for: the DCs whose connections were decided. istg: of each site that has a writable DC.
    trees: per colouring of sites.
    """

    snapshot: Snapshot
    planned_for: frozenset[DcAt]
    connections: tuple[Planned, ...]
    istg: Mapping[SiteAt, DcAt]
    trees: tuple[SiteTree, ...] = ()
    unreachable: tuple["Unreachable", ...] = ()
    notes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Unreachable:
    """Sites that cannot be joined to the rest for some naming contexts, and the reason in words."""

    ncs: tuple[NcAt, ...]
    sites: tuple[SiteAt, ...]
    why: str
