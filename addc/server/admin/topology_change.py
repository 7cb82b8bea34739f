"""What the KCC makes of a change of sites, links or servers: the plan before beside the plan afterwards.

Both plans are of the same objects at the same moment; in the second one the change is laid over them. So it
can be told before anything is written, and whether or not the KCC has run since the last change.

Spec: [MS-ADTS] 6.2.2
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from addc.base.clock import FileTime
from addc.base.errors import UserError
from addc.codec.filter import Filter
from addc.kcc.plan import plan_forest
from addc.kcc.reading.dn_keys import key_of, parent
from addc.kcc.reading.entries import RawEntry, RootFacts
from addc.kcc.reading.forest import snapshot_of
from addc.kcc.snapshot import Failure, Snapshot
from addc.kcc.telling.words import counted, dc_name, names, nc_labels, option_words, starts_words, why_words
from addc.kcc.wanted import Action, Plan, Planned
from addc.server.admin.overlay import overlaid
from addc.server.admin.target import (
    EVERYTHING,
    PLAIN_LOOK,
    Entry,
    Look,
    Move,
    Operation,
    Place,
    Target,
)
from addc.server.kcc_sources import entries_of, failures_of

Facts = dict[str, object]
_Ends = tuple[bytes, bytes]
"""GUIDs of the DC that a connection is from and of the one that it is to."""
LINES_MAX: Final = 20
"""Connections told one by one to people; machines are told all."""


@dataclass(frozen=True, slots=True)
class Consequence:
    """How two plans differ, by the ends of connections. kept: connections that are in both, as they are."""

    added: tuple[Planned, ...]
    deleted: tuple[Planned, ...]
    changed: tuple[tuple[Planned, Planned], ...]
    kept: int
    before: Plan
    after: Plan


def compared(before: Plan, after: Plan) -> Consequence:
    """What is in one plan and not in the other, connections that go left out of both."""
    old, new = _by_ends(before), _by_ends(after)
    both = [(old[ends], one) for ends, one in new.items() if ends in old]
    changed = tuple(
        pair for pair in both if _told(before.snapshot, pair[0]) != _told(after.snapshot, pair[1])
    )
    return Consequence(
        tuple(one for ends, one in new.items() if ends not in old),
        tuple(one for ends, one in old.items() if ends not in new),
        changed,
        len(both) - len(changed),
        before,
        after,
    )


def _by_ends(plan: Plan) -> dict[_Ends, Planned]:
    dcs = plan.snapshot.dcs
    return {
        (dcs[one.source].guid, dcs[one.target].guid): one
        for one in plan.connections
        if one.action is not Action.DELETE and one.source is not None
    }


def _told(snapshot: Snapshot, one: Planned) -> tuple[object, ...]:
    ncs = tuple(snapshot.ncs[nc].dn for nc in one.ncs)
    return (one.options, one.schedule, one.transport, one.is_enabled, ncs)


# --- telling -----------------------------------------------------------------------------------------------


def as_facts(found: Consequence) -> Facts:
    """All of it for machines."""
    before, after = found.before, found.after
    return {
        "added": [_connection(after, one) for one in found.added],
        "deleted": [_connection(before, one) for one in found.deleted],
        "changed": [
            {**_connection(after, new), "changes": _changes(before.snapshot, after.snapshot, old, new)}
            for old, new in found.changed
        ],
        "kept": found.kept,
        "cut_off": [dict(zip(("sites", "ncs", "why"), one, strict=True)) for one in _cut_off(after, before)],
        "joined": [dict(zip(("sites", "ncs", "why"), one, strict=True)) for one in _cut_off(before, after)],
        "generators": _generators(before, after),
    }


def _connection(plan: Plan, one: Planned) -> Facts:
    snapshot = plan.snapshot
    assert one.source is not None
    source, target = snapshot.dcs[one.source], snapshot.dcs[one.target]
    return {
        "from": source.name,
        "from_site": snapshot.sites[source.site].name,
        "to": target.name,
        "to_site": snapshot.sites[target.site].name,
        "ncs": [snapshot.ncs[nc].dn for nc in one.ncs],
        "schedule": starts_words(one.schedule),
        "why": why_words(snapshot, one),
    }


def _changes(was: Snapshot, now: Snapshot, old: Planned, new: Planned) -> list[str]:
    """What is not as it was; each plan's naming contexts are of its own snapshot."""
    lines = []
    if old.options != new.options:
        lines.append(f"options: {option_words(old.options)} -> {option_words(new.options)}")
    if old.schedule != new.schedule:
        lines.append(f"starts: {starts_words(old.schedule)} -> {starts_words(new.schedule)}")
    if old.transport != new.transport:
        lines.append(f"transport: {old.transport or 'none'} -> {new.transport or 'none'}")
    before, after = nc_labels(was, old.ncs), nc_labels(now, new.ncs)
    if before != after:
        lines.append(f"carries: {before or 'nothing'} -> {after or 'nothing'}")
    return lines


def _cut_off(plan: Plan, other: Plan) -> Iterator[tuple[list[str], list[str], str]]:
    """Sites that one plan cannot join to the rest and the other can: their names, NCs and why."""
    known = {site for one in other.unreachable for site in _unreached(other, one.sites)}
    for one in plan.unreachable:
        sites = [site for site in one.sites if plan.snapshot.sites[site].guid not in known]
        if sites:
            ncs = [plan.snapshot.ncs[nc].dn for nc in one.ncs]
            yield [plan.snapshot.sites[site].name for site in sites], ncs, one.why


def _unreached(plan: Plan, sites: Sequence[int]) -> list[bytes]:
    return [plan.snapshot.sites[site].guid for site in sites]


def _generators(before: Plan, after: Plan) -> list[Facts]:
    """Sites whose links to others another DC decides than before."""
    old = {before.snapshot.sites[site].guid: before.snapshot.dcs[dc] for site, dc in before.istg.items()}
    found: list[Facts] = []
    for site, dc in after.istg.items():
        place, now = after.snapshot.sites[site], after.snapshot.dcs[dc]
        was = old.get(place.guid)
        if was is None or was.guid != now.guid:
            found.append({"site": place.name, "was": "" if was is None else was.name, "is": now.name})
    return found


def as_lines(found: Consequence) -> list[str]:
    """The same for people."""
    lines = [*_connection_lines(found)]
    head = (
        f"The KCC adds {counted(len(found.added), 'connection')}, changes {len(found.changed):,}, ends"
        f" {len(found.deleted):,} and leaves {found.kept:,} as they are"
    )
    if not lines:
        head = f"The KCC leaves {counted(found.kept, 'connection')} as they are"
        if not found.kept:
            head = "The KCC makes no connections of it: no two DCs would replicate that do not now"
    if len(lines) > LINES_MAX:
        lines[LINES_MAX:] = [f"  ... and {len(lines) - LINES_MAX:,} more; --json tells all"]
    for sites, ncs, why in _cut_off(found.after, found.before):
        lines.append(f"  ! cut off for {names(ncs, 3)}: {names(sites)}. {why}")
    for sites, ncs, _ in _cut_off(found.before, found.after):
        lines.append(f"  joined again for {names(ncs, 3)}: {names(sites)}")
    for one in _generators(found.before, found.after):
        was = f", no more by {one['was']}" if one["was"] else ""
        lines.append(f"  {one['site']}: what comes from other sites is decided by {one['is']}{was}")
    return [f"{head}{':' if lines else '.'}", *lines]


def _connection_lines(found: Consequence) -> Iterator[str]:
    before, after = found.before.snapshot, found.after.snapshot
    for one in found.added:
        yield f"  + {_ends(after, one)}: {starts_words(one.schedule)}"
        yield from (f"      {why}" for why in why_words(after, one)[:1])
    for one in found.deleted:
        yield f"  - {_ends(before, one)}"
    for old, new in found.changed:
        yield f"  ~ {_ends(after, new)}: {'; '.join(_changes(before, after, old, new))}"


def _ends(snapshot: Snapshot, one: Planned) -> str:
    assert one.source is not None
    return f"{dc_name(snapshot, one.source)} to {dc_name(snapshot, one.target)}"


# --- watching ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Before:
    """The objects before anything was changed."""

    entries: Sequence[RawEntry]
    facts: RootFacts
    failures: Mapping[bytes, Failure]


class Watched:
    """A target whose changes are noted, so that it can be told what the KCC makes of them."""

    def __init__(self, inner: Target, now: Callable[[], FileTime]) -> None:
        self._inner = inner
        self._now = now
        self._before: _Before | None = None
        self._operations: list[Operation] = []
        self._found: Consequence | None = None

    @property
    def place(self) -> Place:
        return self._inner.place

    def search(
        self,
        base: str,
        scope: int,
        wanted: Filter = EVERYTHING,
        attributes: Sequence[str] = (),
        look: Look = PLAIN_LOOK,
    ) -> Iterator[Entry]:
        return self._inner.search(base, scope, wanted, attributes, look)

    def read(self, dn: str, attributes: Sequence[str] = (), look: Look = PLAIN_LOOK) -> Entry | None:
        return self._inner.read(dn, attributes, look)

    def apply(self, operations: Sequence[Operation], *, dry_run: bool = False) -> None:
        """Carry out changes, once it is known what the KCC makes of them."""
        if self._before is None:
            entries, facts = entries_of(self._inner)
            self._before = _Before(entries, facts, failures_of(self._inner))
        self._operations += operations
        self._found = self._planned(self._before)
        self._inner.apply(operations, dry_run=dry_run)

    def close(self) -> None:
        self._inner.close()

    def consequence(self) -> Consequence:
        """What the KCC makes of all that was changed. Raises UserError where nothing was."""
        if self._found is None:
            raise UserError("Nothing was changed. Next step: addc kcc --plan tells what the KCC does anyway")
        return self._found

    def _planned(self, was: _Before) -> Consequence:
        now = self._now()
        facts = RootFacts(
            was.facts.config_dn,
            was.facts.schema_dn,
            was.facts.root_dn,
            was.facts.domain_dn,
            _moved(was.facts.service_dn, self._operations),
        )
        before = plan_forest(snapshot_of(was.entries, was.facts, now, was.failures))
        entries = overlaid(was.entries, self._operations)
        return compared(before, plan_forest(snapshot_of(entries, facts, now, was.failures)))


def _moved(dn: str, operations: Sequence[Operation]) -> str:
    """Where an object is after servers were moved."""
    for one in operations:
        if isinstance(one, Move) and key_of(dn).endswith("," + key_of(one.dn)):
            above = parent(one.dn) if one.new_parent is None else one.new_parent
            dn = f"{dn[: len(dn) - len(one.dn)]}{one.new_rdn},{above}"
    return dn
