"""What if: a snapshot as it would be without something, with a DC that fails, or after changes to objects.

Changes to objects are LDIF change records, as one would write them to carry them out: of the entries that the
snapshot was made from, or would be.

Spec: RFC 2849 (change records)
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from addc.base.clock import DAY_FT, FileTime
from addc.base.errors import DecodeError, UserError
from addc.codec.ldif import Record
from addc.codec.ldif import parse as parse_ldif
from addc.kcc.reading.as_entries import entries_of
from addc.kcc.reading.entries import RawEntry, RootFacts
from addc.kcc.reading.forest import snapshot_of
from addc.kcc.reading.what_if_edits import edited
from addc.kcc.reading.what_if_names import Kind, find, split
from addc.kcc.reading.what_if_removal import without as removed
from addc.kcc.snapshot import DcAt, Failure, LinkAt, SiteAt, Snapshot, Trouble

_FAILED_TIMES: Final = 100
_FAILED_FOR: Final = DAY_FT
"""Long and often enough for every rule that waits before it believes."""


@dataclass(frozen=True, slots=True)
class Without:
    """As if a DC, a site with its DCs, a link or a bridge were not there. name: as people write it."""

    name: str


@dataclass(frozen=True, slots=True)
class Failed:
    """As if a DC had not answered for a day."""

    name: str


@dataclass(frozen=True, slots=True)
class Edit:
    """Changes to objects, in order."""

    records: tuple[Record, ...]


Change = Without | Failed | Edit


def without(name: str) -> Without:
    """`DC:dc1`, `SITE:Berlin`, `LINK:wan`, `BRIDGE:b`, or the bare name. Raises UserError for none."""
    split(name)
    return Without(name)


def failed(name: str) -> Failed:
    """A DC by name. Raises UserError for none."""
    split(name)
    return Failed(name)


def parse(text: str) -> tuple[Edit, ...]:
    """The changes in a what-if file. Raises UserError with the line that cannot be read."""
    try:
        records = tuple(parse_ldif(text, moves=True))
    except DecodeError as error:
        raise UserError(
            f"The what-if file is no LDIF: {error.why}. Next step: write change records (dn:, changetype:"
            " add, modify, delete or modrdn), as for ldapmodify"
        ) from error
    if not records:
        raise UserError("The what-if file changes nothing. Next step: write at least one change record")
    return (Edit(records),)


def apply(snapshot: Snapshot, changes: Iterable[Change]) -> Snapshot:
    """The snapshot after the changes, in order. Raises UserError for what is not found or cannot be done."""
    for change in changes:
        match change:
            case Without(name):
                snapshot = _without(snapshot, name)
            case Failed(name):
                snapshot = _with_failed(snapshot, name)
            case Edit(records):
                entries, facts = entries_of(snapshot)
                made = snapshot_of(edited(entries, facts, records), facts, snapshot.now, snapshot.failures)
                snapshot = replace(made, troubles=_joined(snapshot, made))
    return snapshot


def _joined(before: Snapshot, after: Snapshot) -> tuple[Trouble, ...]:
    known = set(before.troubles)
    return (*before.troubles, *(one for one in after.troubles if one not in known))


def apply_to_entries(
    entries: Sequence[RawEntry], facts: RootFacts, changes: Iterable[Change]
) -> tuple[list[RawEntry], tuple[Change, ...]]:
    """Entries after the changes to objects that come first, and the changes that are left for a snapshot.

    Entries know more than a snapshot does: links that join one site yet, for instance.
    """
    found, rest = list(entries), tuple(changes)
    for done, change in enumerate(rest):
        if not isinstance(change, Edit):
            return found, rest[done:]
        found = edited(found, facts, change.records)
    return found, ()


def _without(snapshot: Snapshot, name: str) -> Snapshot:
    named = find(snapshot, name)
    match named.kind:
        case Kind.DC:
            return removed(snapshot, dcs=(DcAt(named.at),))
        case Kind.SITE:
            return removed(snapshot, sites=(SiteAt(named.at),))
        case Kind.LINK:
            return removed(snapshot, links=(LinkAt(named.at),))
        case Kind.BRIDGE:
            return removed(snapshot, bridges=(named.at,))


def _with_failed(snapshot: Snapshot, name: str) -> Snapshot:
    dc = snapshot.dcs[find(snapshot, name, (Kind.DC,)).at]
    first = FileTime(max(0, snapshot.now - _FAILED_FOR))
    return replace(snapshot, failures={**snapshot.failures, dc.guid: Failure(_FAILED_TIMES, first)})
