"""Where `addc kcc` takes its view of a forest from: an LDIF file, a DC elsewhere, the directory here.

Spec: [MS-ADTS] 6.2.2 (inputs)
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from addc.base.clock import FileTime, SystemClock
from addc.base.errors import DecodeError, UserError
from addc.codec.filter import Filter, Or
from addc.directory.replication_failures import failure_lists
from addc.kcc.entries import (
    NC_ATTRIBUTES,
    PARTITION_ATTRIBUTES,
    PARTITION_CLASSES,
    ROLE_PLACES,
    ROOT_ATTRIBUTES,
    SITE_ATTRIBUTES,
    SITE_CLASSES,
    Kind,
    RawEntry,
    RootFacts,
    kind_of,
)
from addc.kcc.failures import together
from addc.kcc.ldif_form import read_dated_ldif
from addc.kcc.read import snapshot_of
from addc.kcc.snapshot import NO_TIME, Failure, Snapshot
from addc.kcc.what_if import Change, apply, apply_to_entries
from addc.server.admin.local import LocalTarget, operator
from addc.server.admin.site_objects import class_is
from addc.server.admin.target import SUBTREE, Entry, Target

_CONTEXTS: Final = "namingContexts"
_NONE: Final[Mapping[bytes, Failure]] = {}


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


def from_target(target: Target, now: FileTime) -> Snapshot:
    """The forest as a DC has it. Raises UserError where it does not tell."""
    return read_target(target, now).snapshot()


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


def read_target(target: Target, now: FileTime) -> Source:
    """What a DC has. Raises UserError where it does not tell.

    Failure lists are the local directory's; a DC elsewhere does not tell its own by LDAP.
    """
    entries, facts = entries_of(target)
    return Source(entries, facts, now, failures_of(target))


def entries_from_ldif(path: Path) -> tuple[list[RawEntry], RootFacts, FileTime]:
    """The objects in a file, what its rootDSE says, the newest time in it. Raises UserError."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UserError(
            f"{path} cannot be read: {error.strerror}. Next step: name a file that can be"
        ) from error
    try:
        return read_dated_ldif(data)
    except DecodeError as error:
        raise UserError(f"{path} is no LDIF: {error.why}. Next step: name one, as ldapsearch or"
                        " samba_kcc --exportldif write it") from error  # fmt: skip


def failures_of(target: Target) -> Mapping[bytes, Failure]:
    """DCs that did not answer the DC whose directory is opened here; none of a DC elsewhere."""
    if not isinstance(target, LocalTarget):
        return _NONE
    directory = target.directory
    return directory.read_now(
        "kcc.failures", operator(directory.forest), lambda ctx: together(failure_lists(ctx))
    )


def entries_of(target: Target) -> tuple[list[RawEntry], RootFacts]:
    """Everything that the planner reads. Raises UserError."""
    root = target.read("", (*ROOT_ATTRIBUTES, _CONTEXTS))
    if root is None or not root.text("configurationNamingContext"):
        raise UserError(
            f"{target.place.name} tells no configuration naming context. Next step: name a DC of a forest"
        )
    config, schema, forest, domain, service = map(root.text, ROOT_ATTRIBUTES)
    facts = RootFacts(config, schema, forest, domain, service)
    entries = [_raw(one) for one in _read(target, facts, root.texts(_CONTEXTS))]
    return entries, facts


def _read(target: Target, facts: RootFacts, contexts: list[str]) -> Iterator[Entry]:
    partitions = f"CN=Partitions,{facts.config_dn}"
    yield from target.search(partitions, SUBTREE, _any(PARTITION_CLASSES), PARTITION_ATTRIBUTES)
    yield from target.search(f"CN=Sites,{facts.config_dn}", SUBTREE, _any(SITE_CLASSES), SITE_ATTRIBUTES)
    for nc in contexts:
        head = target.read(nc, NC_ATTRIBUTES)
        if head is None:
            continue
        yield head
        if head.is_a("domainDNS"):
            for place in ROLE_PLACES:
                holder = target.read(f"{place},{nc}", NC_ATTRIBUTES)
                if holder is not None:
                    yield holder


def _any(classes: tuple[str, ...]) -> Filter:
    return Or(tuple(map(class_is, classes)))


def _raw(one: Entry) -> RawEntry:
    return RawEntry(one.dn, one.values)
