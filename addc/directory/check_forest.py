"""Invariants of the forest as a whole: fixed facts, well-known objects, role owners, what no row owns.

Spec: [MS-ADTS] 6.1.1.3, 6.1.1.4, 6.1.5 (FSMO roles).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from addc.base.errors import DsError
from addc.base.ids import Dnt
from addc.directory import entry, names
from addc.directory.context import Forest, ReadContext, WriteContext
from addc.directory.draft import draft_of
from addc.directory.stamp import save
from addc.schema import attr
from addc.schema.wellknown import WellKnownContainer
from addc.store import integrity
from addc.store.objects import ObjectState

_STRAYS_SHOWN: Final = 100
_IN_EVERY_NC: Final = ("DELETED_OBJECTS",)
_IN_DOMAIN: Final = (
    "COMPUTERS", "DELETED_OBJECTS", "DOMAIN_CONTROLLERS", "FOREIGNSECURITYPRINCIPALS", "INFRASTRUCTURE",
    "KEYS", "LOSTANDFOUND", "MANAGED_SERVICE_ACCOUNTS", "NTDS_QUOTAS", "PROGRAM_DATA", "SYSTEMS", "USERS",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ForestRule:
    """One invariant of the whole. find: the row it is about (0: none) and what is wrong."""

    name: str
    find: Callable[[ReadContext], Iterator[tuple[Dnt, str]]]
    mend: Callable[[WriteContext], None] | None = None


def naming_contexts(forest: Forest) -> list[Dnt]:
    """The roots of the naming contexts that this DC holds."""
    held = (forest.domain_nc, forest.config_nc, forest.schema_nc, forest.domain_dns_nc, forest.forest_dns_nc)
    return [nc for nc in held if nc]


def _facts(ctx: ReadContext) -> Iterator[tuple[Dnt, str]]:
    forest = ctx.forest
    for nc in naming_contexts(forest):
        row = ctx.tx.get(nc)
        if row is None or row.state is not ObjectState.LIVE:
            yield nc, f"row {nc}, the root of a naming context, is missing"
    for dnt, guid, what in (
        (forest.dsa_dnt, forest.dsa_guid, "nTDSDSA"), (forest.domain_nc, forest.domain_guid, "domain"),
    ):  # fmt: skip
        row = ctx.tx.get(dnt)
        if row is None or row.state is not ObjectState.LIVE or row.guid != guid.bytes_le:
            yield dnt, f"the {what} object is not the one this DC was made with"
    head = ctx.tx.get(forest.domain_nc)
    if head is not None and head.sid != bytes(forest.domain_sid):
        yield head.dnt, "the domain has another SID than this DC was made with"


def _well_known(ctx: ReadContext) -> Iterator[tuple[Dnt, str]]:
    forest = ctx.forest
    for nc in naming_contexts(forest):
        root = ctx.tx.get(nc)
        if root is None or nc == forest.schema_nc:
            continue
        for name in _IN_DOMAIN if nc == forest.domain_nc else _IN_EVERY_NC:
            found = names.well_known(ctx, root, getattr(WellKnownContainer, name))
            if found is None or found.nc != nc:
                yield nc, f"the well-known container {name} is missing"


def _role_owners(ctx: ReadContext) -> Iterator[tuple[Dnt, str]]:
    forest = ctx.forest
    roles = [
        forest.domain_dn,
        forest.schema_dn,
        f"CN=Partitions,{forest.config_dn}",
        f"CN=Infrastructure,{forest.domain_dn}",
        f"CN=RID Manager$,CN=System,{forest.domain_dn}",
    ]
    for dn in roles:
        try:
            row = names.resolve(ctx, dn)
        except DsError:
            yield Dnt(0), f"{dn}, which carries a role, is missing"
            continue
        owner = ctx.tx.get(entry.reference(row, attr.FSMO_ROLE_OWNER) or Dnt(0))
        if owner is None or not entry.is_a(owner, b"nTDSDSA") or owner.state is not ObjectState.LIVE:
            yield row.dnt, "no domain controller owns its role"


def _mend_role_owners(ctx: WriteContext) -> None:
    """Give ownerless roles to this DC."""
    for dnt, _ in list(_role_owners(ctx)):
        row = ctx.tx.get(dnt)
        if row is not None:
            draft = draft_of(ctx, row)
            draft.put(attr.FSMO_ROLE_OWNER, names.reference(ctx.forest.dsa_dnt))
            save(ctx, draft)


def _strays(ctx: ReadContext) -> Iterator[tuple[Dnt, str]]:
    for kind in integrity.STRAY_KINDS:
        for dnt in integrity.strays(ctx.tx, kind, _STRAYS_SHOWN):
            yield dnt, f"an entry of the {kind} table belongs to a row that does not exist"


def _mend_strays(ctx: WriteContext) -> None:
    for kind in integrity.STRAY_KINDS:
        integrity.drop_strays(ctx.tx, kind)


FOREST_RULES: Final = (
    ForestRule("strays", _strays, _mend_strays),
    ForestRule("facts", _facts),
    ForestRule("well-known", _well_known),
    ForestRule("roles", _role_owners, _mend_role_owners),
)
