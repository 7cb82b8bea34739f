"""What a file tells of a forest, for `addc kcc --ldif`: without the directory, which takes long to load.

Spec: [MS-ADTS] 6.2.2 (inputs)
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from addc.base.clock import FileTime, SystemClock
from addc.base.errors import DecodeError, UserError
from addc.kcc.reading.entries import Kind, RawEntry, RootFacts, kind_of
from addc.kcc.reading.forest import snapshot_of
from addc.kcc.reading.ldif_form import read_dated_ldif
from addc.kcc.reading.what_if import Change, apply, apply_to_entries
from addc.kcc.snapshot import NO_TIME, Failure, Snapshot

FILE_MAX_MIB: Final = 256
"""A forest of 10,000 sites takes a sixth of it."""


@dataclass(frozen=True, slots=True)
class Source:
    """What was read, before the planner's rules looked at it. failures: by GUIDs of nTDSDSA objects."""

    entries: Sequence[RawEntry]
    facts: RootFacts
    now: FileTime
    failures: Mapping[bytes, Failure] = field(default_factory=dict)

    def snapshot(self, changes: Iterable[Change] = ()) -> Snapshot:
        """The forest; after changes, where some are given. Raises UserError for those that cannot be."""
        entries, rest = apply_to_entries(self.entries, self.facts, changes)
        return apply(snapshot_of(entries, self.facts, self.now, self.failures), rest)


def from_ldif(path: Path, now: FileTime | None = None) -> Snapshot:
    """The forest that a file tells of. now: None for the newest time in the file. Raises UserError."""
    return read_file(path, now).snapshot()


def read_file(path: Path, now: FileTime | None = None) -> Source:
    """What is in a file. now: None for the newest time in it.

    Raises UserError where it cannot be read, or holds no DC.
    """
    entries, facts, newest = entries_from_ldif(path)
    if now is None:
        now = newest if newest != NO_TIME else SystemClock().now()
    if not any(kind_of(one.values.get("objectclass", ())) is Kind.DSA for one in entries):
        raise UserError(
            f"{path}: no DC is in it (objects of class nTDSDSA below a site). Next step: have a DC write"
            " one, by samba_kcc --exportldif or by ldapsearch below CN=Sites,CN=Configuration,..."
        )
    return Source(entries, facts, now)


def entries_from_ldif(path: Path) -> tuple[list[RawEntry], RootFacts, FileTime]:
    """The objects in a file, what its rootDSE says, the newest time in it. Raises UserError."""
    try:
        with path.open("rb") as file:
            data = file.read((FILE_MAX_MIB << 20) + 1)
    except OSError as error:
        raise UserError(
            f"{path} cannot be read: {error.strerror}. Next step: name a file that can be"
        ) from error
    if len(data) > FILE_MAX_MIB << 20:
        raise UserError(
            f"{path} is larger than {FILE_MAX_MIB} MiB. Next step: leave out what the KCC does not read:"
            " CN=Sites and CN=Partitions are enough"
        )
    try:
        return read_dated_ldif(data)
    except DecodeError as error:
        raise UserError(f"{path} is no LDIF: {error.why}. Next step: name one, as ldapsearch or"
                        " samba_kcc --exportldif write it") from error  # fmt: skip
