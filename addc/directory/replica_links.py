"""repsFrom and repsTo of the naming contexts that are here: whom this DC replicates from, and whom it tells.

Neither replicates, so a change of them moves no USN and no time of change.

Spec: [MS-DRSR] 5.169 - 5.172; [MS-ADTS] 3.1.1.1.13.
"""

from collections.abc import Sequence
from typing import Final

from addc.base.errors import DecodeError
from addc.base.ids import AttId
from addc.codec.blobs import RepsFrom
from addc.directory import entry
from addc.directory.context import ReadContext, WriteContext
from addc.directory.draft import draft_of
from addc.directory.stamp import save
from addc.schema import attr
from addc.store.objects import ObjectRow, ObjectState

__all__ = ["destinations", "heads", "keep_destinations", "keep_sources", "sources"]

_HELD: Final = (
    attr.HAS_MASTER_N_CS,
    attr.MS_DS_HAS_MASTER_N_CS,
    attr.MS_DS_HAS_FULL_REPLICA_N_CS,
    attr.HAS_PARTIAL_REPLICA_N_CS,
)


def heads(ctx: ReadContext) -> list[ObjectRow]:
    """The root of each naming context that this DC holds."""
    forest = ctx.forest
    found = [
        forest.config_nc, forest.schema_nc, forest.domain_nc, forest.domain_dns_nc, forest.forest_dns_nc,
    ]  # fmt: skip
    dsa = ctx.tx.get(forest.dsa_dnt)
    for att in _HELD if dsa is not None else ():
        attribute = ctx.schema.attribute_by_id(att)
        if attribute is not None and dsa is not None:
            found += [link.target for link in entry.live_links(ctx, dsa, attribute)]
    rows = [ctx.tx.get(dnt) for dnt in dict.fromkeys(found) if dnt]
    return [row for row in rows if row is not None and row.nc == row.dnt and row.state is ObjectState.LIVE]


def _partners(row: ObjectRow, att: AttId) -> tuple[RepsFrom, ...]:
    found = []
    for value in row.attrs.get(att, ()):
        try:
            found.append(RepsFrom.unpack(value))
        except DecodeError:
            continue  # of a version that nobody here writes
    return tuple(sorted(found, key=lambda one: one.uuid_dsa_obj))


def sources(row: ObjectRow) -> tuple[RepsFrom, ...]:
    """Whom the replica is fed by."""
    return _partners(row, attr.REPS_FROM)


def destinations(row: ObjectRow) -> tuple[RepsFrom, ...]:
    """Whom changes are told to."""
    return _partners(row, attr.REPS_TO)


def keep_sources(ctx: WriteContext, row: ObjectRow, partners: Sequence[RepsFrom]) -> bool:
    """Have just these; whether that changed anything."""
    return _keep(ctx, row, attr.REPS_FROM, partners)


def keep_destinations(ctx: WriteContext, row: ObjectRow, partners: Sequence[RepsFrom]) -> bool:
    """Have just these; whether that changed anything."""
    return _keep(ctx, row, attr.REPS_TO, partners)


def _keep(ctx: WriteContext, row: ObjectRow, att: AttId, partners: Sequence[RepsFrom]) -> bool:
    wanted = sorted(partners, key=lambda one: one.uuid_dsa_obj)
    if tuple(wanted) == _partners(row, att):
        return False
    draft = draft_of(ctx, row)
    draft.put(att, *[one.pack() for one in wanted])
    return save(ctx, draft)
