"""What a directory tells of a forest, for `addc kcc`: the one here, or that of a DC elsewhere.

Spec: [MS-ADTS] 6.2.2 (inputs)
"""

from collections.abc import Iterator, Mapping
from typing import Final

from addc.base.clock import FileTime
from addc.base.errors import UserError
from addc.codec.filter import Filter, Or
from addc.directory.replication_failures import failure_lists
from addc.kcc.failures import together
from addc.kcc.reading.entries import (
    NC_ATTRIBUTES,
    PARTITION_ATTRIBUTES,
    PARTITION_CLASSES,
    ROLE_PLACES,
    ROOT_ATTRIBUTES,
    SITE_ATTRIBUTES,
    SITE_CLASSES,
    RawEntry,
    RootFacts,
)
from addc.kcc.snapshot import Failure, Snapshot
from addc.server.admin.local import LocalTarget, operator
from addc.server.admin.site_objects import class_is
from addc.server.admin.target import SUBTREE, Entry, Target
from addc.server.kcc_files import Source

_CONTEXTS: Final = "namingContexts"
_NONE: Final[Mapping[bytes, Failure]] = {}


def from_target(target: Target, now: FileTime) -> Snapshot:
    """The forest as a DC has it. Raises UserError where it does not tell."""
    return read_target(target, now).snapshot()


def read_target(target: Target, now: FileTime) -> Source:
    """What a DC has. Raises UserError where it does not tell.

    Failure lists are the local directory's; a DC elsewhere does not tell its own by LDAP.
    """
    entries, facts = entries_of(target)
    return Source(entries, facts, now, failures_of(target))


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
