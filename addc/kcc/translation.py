"""From a DC's connections to whom it replicates each naming context from: repsFrom, and what stays of repsTo.

What the replication engine writes into these values (how far it came, when, how often it failed) is its own
and stays. The engine alone makes new replicas and takes replicas away; it is told which.

Spec: [MS-ADTS] 6.2.2.5; [MS-DRSR] 5.170 (REPS_FROM), 5.171 (REPS_TO).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Final
from uuid import UUID

from addc.codec.blobs import RepsFrom
from addc.codec.drs_options import DrsOption
from addc.codec.schedule import NEVER, Quarters, pack_reps_times
from addc.kcc.snapshot import ConnectionOption, DcAt, DsaOption, NcAt, Replica, Snapshot
from addc.kcc.wanted import Action, Plan

_IP: Final = "ip"
_NULL_GUID: Final = bytes(16)
_DISABLED: Final = DrsOption.DRS_DISABLE_AUTO_SYNC | DrsOption.DRS_DISABLE_PERIODIC_SYNC
_READ_ONLY: Final = DrsOption.DRS_NONGC_RO_REP | DrsOption.DRS_SPECIAL_SECRET_PROCESSING
_OURS: Final = (
    DrsOption.DRS_WRIT_REP
    | DrsOption.DRS_INIT_SYNC
    | DrsOption.DRS_PER_SYNC
    | DrsOption.DRS_MAIL_REP
    | DrsOption.DRS_TWOWAY_SYNC
    | DrsOption.DRS_USE_COMPRESSION
    | DrsOption.DRS_NEVER_NOTIFY
    | _READ_ONLY
    | _DISABLED
)
"""Bits that translation decides; all others of a value are the replication engine's."""


class Why(Enum):
    """What became of a partner, and the reason."""

    ADDED = "a connection from it implies this"
    CHANGED = "the connection says otherwise"
    NO_CONNECTION = "no connection from it any more"
    NOT_HELD = "it no longer holds the naming context"
    NOT_FULL = "its replica cannot feed a full one"
    SOURCE_GONE = "the DC is gone"
    NOT_DUE = "the naming context does not belong here"


@dataclass(frozen=True, slots=True)
class PartnerChange:
    """One partner of one naming context that was added, changed or dropped. partner: GUID of its nTDSDSA."""

    nc: NcAt
    partner: bytes
    why: Why
    is_source: bool = True


@dataclass(frozen=True, slots=True)
class ReplicaLinks:
    """repsFrom and repsTo as they ought to be, by naming context, and what is new in them.

    sources: also of NCs that are due and not here yet; the engine has to make these replicas.
    to_fetch: those NCs. to_remove: NCs that are here and not due. is_skipped: the DC's options forbid it.
    """

    sources: Mapping[NcAt, tuple[RepsFrom, ...]] = field(default_factory=dict)
    destinations: Mapping[NcAt, tuple[RepsFrom, ...]] = field(default_factory=dict)
    changes: tuple[PartnerChange, ...] = ()
    to_fetch: tuple[NcAt, ...] = ()
    to_remove: tuple[NcAt, ...] = ()
    is_skipped: bool = False


@dataclass(frozen=True, slots=True)
class Feed:
    """A connection as translation sees it, whether it is there, planned or only implied."""

    source: DcAt
    options: ConnectionOption
    is_enabled: bool
    transport: str
    schedule: Quarters
    guid: bytes = _NULL_GUID

    def rank(self) -> tuple[bool, bool, bytes]:
        """Which of several from one source counts: one that is enabled, then an administrator's."""
        return not self.is_enabled, bool(self.options & ConnectionOption.IS_GENERATED), self.guid


def feeds(plan: Plan, dc: DcAt) -> dict[DcAt, Feed]:
    """The connections into a DC as they will be after the plan, one from each source.

    Those that the plan does not speak of stay as they are: others decide on them.
    """
    planned = [one for one in plan.connections if one.target == dc]
    spoken_of = {one.existing.guid for one in planned if one.existing is not None}
    found = [
        Feed(
            one.source, one.options, one.is_enabled, one.transport,
            NEVER if one.schedule is None else one.schedule,
            _NULL_GUID if one.existing is None else one.existing.guid,
        )
        for one in planned
        if one.action is not Action.DELETE and one.source is not None
    ]  # fmt: skip
    found += [
        Feed(
            one.source, one.options, one.is_enabled, one.transport,
            NEVER if one.schedule is None else one.schedule, one.guid,
        )
        for one in plan.snapshot.dcs[dc].connections
        if one.guid not in spoken_of and one.source is not None
    ]  # fmt: skip
    best: dict[DcAt, Feed] = {}
    for feed in sorted(found, key=Feed.rank):
        if not feed.options & ConnectionOption.RODC_TOPOLOGY and feed.source != dc:
            best.setdefault(feed.source, feed)
    return best


def address_of(dsa_guid: bytes, forest_dns: str) -> str:
    """The name that a DC is found by, whatever it is called. Spec: [MS-DRSR] 2.2.2."""
    return f"{UUID(bytes_le=dsa_guid)}._msdcs.{forest_dns}"


class _Fed:
    """Who replicates from whom, looked up once for each DC that is asked for."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._known: dict[DcAt, Mapping[DcAt, Feed]] = {}

    def into(self, target: DcAt) -> Mapping[DcAt, Feed]:
        """The connections into a DC by their sources."""
        if target not in self._known:
            self._known[target] = feeds(self._plan, target)
        return self._known[target]


@dataclass(frozen=True, slots=True)
class _View:
    """What translation of one DC looks at. at: DCs by GUID. by_source: connections into it."""

    snapshot: Snapshot
    dc: DcAt
    at: Mapping[bytes, DcAt]
    by_source: Mapping[DcAt, Feed]
    fed: _Fed


def replica_links(
    snapshot: Snapshot,
    plan: Plan,
    dc: DcAt,
    held: Mapping[NcAt, Sequence[RepsFrom]],
    held_to: Mapping[NcAt, Sequence[RepsFrom]] | None = None,
) -> ReplicaLinks:
    """What the repsFrom and repsTo of a DC are to be. held, held_to: as they are, of each NC that is here."""
    local = snapshot.dcs[dc]
    if local.options & DsaOption.DISABLE_NTDSCONN_XLATE:
        return ReplicaLinks(is_skipped=True)
    before_to = held_to or {}
    fed = _Fed(plan)
    at = {one.guid: DcAt(place) for place, one in enumerate(snapshot.dcs)}
    view = _View(snapshot, dc, at, fed.into(dc), fed)
    sources: dict[NcAt, tuple[RepsFrom, ...]] = {}
    destinations: dict[NcAt, tuple[RepsFrom, ...]] = {}
    changes: list[PartnerChange] = []
    for nc in sorted({*local.due, *held, *before_to}):
        sources[nc], told = _sources(view, nc, held.get(nc, ()))
        changes += told
        destinations[nc], told = _destinations(view, nc, before_to.get(nc, ()))
        changes += told
    return ReplicaLinks(
        sources,
        destinations,
        tuple(changes),
        tuple(nc for nc in sorted(local.due) if nc not in held),
        tuple(nc for nc in sorted(held) if nc not in local.due),
    )


def can_feed(there: Replica, due: Replica) -> bool:
    """Whether a replica may be replicated from: a writable one always, others only by a partial one.

    Deviation: a full read-only replica learns from no partial one; the text only says so of new values.
    """
    return there is Replica.WRITABLE or due is Replica.PARTIAL


def _refusal(snapshot: Snapshot, feed: Feed | None, dc: DcAt, nc: NcAt) -> Why | None:
    """Why a connection does not imply replication of an NC; None where it does, but for being enabled."""
    if feed is None:
        return Why.NO_CONNECTION
    there = snapshot.dcs[feed.source].held.get(nc)
    due = snapshot.dcs[dc].due[nc]
    if there is None:
        return Why.NOT_HELD
    if not can_feed(there, due):
        return Why.NOT_FULL
    if not _is_ip(snapshot, feed, dc):
        return Why.NO_CONNECTION
    return None


def _is_ip(snapshot: Snapshot, feed: Feed, dc: DcAt) -> bool:
    """Whether the connection goes over RPC.

    Deviation: one over another transport implies nothing at all, not even for NCs that SMTP could carry.
    """
    is_local = snapshot.dcs[feed.source].site == snapshot.dcs[dc].site
    return is_local or feed.transport.lower() in ("", _IP)


def _sources(
    view: _View, nc: NcAt, before: Sequence[RepsFrom]
) -> tuple[tuple[RepsFrom, ...], list[PartnerChange]]:
    snapshot, dc = view.snapshot, view.dc
    if nc not in snapshot.dcs[dc].due:
        return (), [PartnerChange(nc, one.uuid_dsa_obj, Why.NOT_DUE) for one in before]
    kept: dict[DcAt, RepsFrom] = {}
    changes: list[PartnerChange] = []
    for value in before:
        source = view.at.get(value.uuid_dsa_obj)
        feed = None if source is None else view.by_source.get(source)
        why = Why.SOURCE_GONE if source is None else _refusal(snapshot, feed, dc, nc)
        if why is not None or source is None or feed is None or source in kept:
            changes.append(PartnerChange(nc, value.uuid_dsa_obj, why or Why.NO_CONNECTION))
            continue
        kept[source] = _as_told(snapshot, value, feed, dc, nc)
        if kept[source] != value:
            changes.append(PartnerChange(nc, value.uuid_dsa_obj, Why.CHANGED))
    for source, feed in view.by_source.items():
        if source not in kept and feed.is_enabled and _refusal(snapshot, feed, dc, nc) is None:
            guid = snapshot.dcs[source].guid
            fresh = RepsFrom(address_of(guid, snapshot.forest_dns), guid)
            kept[source] = _as_told(snapshot, fresh, feed, dc, nc)
            changes.append(PartnerChange(nc, guid, Why.ADDED))
    return tuple(kept[source] for source in sorted(kept)), changes


def _as_told(snapshot: Snapshot, value: RepsFrom, feed: Feed, dc: DcAt, nc: NcAt) -> RepsFrom:
    """The value with everything in it that a connection decides."""
    guid = snapshot.dcs[feed.source].guid
    flags = replica_flags(snapshot, feed, dc, nc) | DrsOption(value.replica_flags) & ~_OURS
    return replace(
        value,
        address=address_of(guid, snapshot.forest_dns),
        uuid_transport_obj=_NULL_GUID,
        replica_flags=int(flags),
        schedule=pack_reps_times(feed.schedule),
    )


def replica_flags(snapshot: Snapshot, feed: Feed, dc: DcAt, nc: NcAt) -> DrsOption:
    """The bits that follow from a connection, a rule a line. Spec: [MS-ADTS] 6.2.2.5."""
    due, options = snapshot.dcs[dc].due[nc], feed.options
    is_local = snapshot.dcs[feed.source].site == snapshot.dcs[dc].site
    owns_role = feed.source in snapshot.role_owners.get(nc, ())
    overrides = bool(options & ConnectionOption.OVERRIDE_NOTIFY_DEFAULT)
    notifies = bool(options & ConnectionOption.USE_NOTIFY) if overrides else is_local
    compresses = not is_local and not options & ConnectionOption.DISABLE_INTERSITE_COMPRESSION
    flags = DrsOption.NONE
    flags |= DrsOption.DRS_WRIT_REP if due is Replica.WRITABLE else DrsOption.NONE
    flags |= _READ_ONLY if due is Replica.READ_ONLY else DrsOption.NONE
    flags |= DrsOption.DRS_PER_SYNC if feed.schedule != NEVER else DrsOption.NONE
    flags |= DrsOption.DRS_INIT_SYNC if is_local or owns_role else DrsOption.NONE
    flags |= DrsOption.NONE if notifies else DrsOption.DRS_NEVER_NOTIFY
    flags |= DrsOption.DRS_USE_COMPRESSION if compresses else DrsOption.NONE
    flags |= DrsOption.DRS_TWOWAY_SYNC if options & ConnectionOption.TWOWAY_SYNC else DrsOption.NONE
    flags |= DrsOption.NONE if feed.is_enabled else _DISABLED
    return flags


def _destinations(
    view: _View, nc: NcAt, before: Sequence[RepsFrom]
) -> tuple[tuple[RepsFrom, ...], list[PartnerChange]]:
    """repsTo without those that are gone or have no connection from here; partners add themselves.

    A read-only DC stays: its connections are written nowhere that others could see.
    """
    kept: list[RepsFrom] = []
    changes: list[PartnerChange] = []
    for value in before:
        partner = view.at.get(value.uuid_dsa_obj)
        if partner is None:
            changes.append(PartnerChange(nc, value.uuid_dsa_obj, Why.SOURCE_GONE, is_source=False))
        elif view.snapshot.dcs[partner].is_read_only or view.dc in view.fed.into(partner):
            kept.append(value)
        else:
            changes.append(PartnerChange(nc, value.uuid_dsa_obj, Why.NO_CONNECTION, is_source=False))
    return tuple(kept), changes
