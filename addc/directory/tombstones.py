"""What becomes of an object that is deleted: tombstone, or deleted-object and later recycled-object; its end.

Without the Recycle Bin a deleted object is a tombstone (state DELETED, isRecycled TRUE). With it, it is first
a deleted-object (state DELETED, no isRecycled), then a recycled-object (state RECYCLED).

Spec: [MS-ADTS] 3.1.1.5.5.1, 3.1.1.5.5.6, 3.1.1.1.5.1.
"""

from functools import lru_cache
from typing import Final
from uuid import UUID

from addc.base.clock import TICKS_PER_S, FileTime
from addc.base.ids import AttId, Dnt, Usn
from addc.directory import entry, levels, linked_values, names, object_sd, policy
from addc.directory.context import Fact, ReadContext, WriteContext
from addc.directory.draft import Draft, draft_of
from addc.directory.stamp import save, set_name_index, usn_of
from addc.schema import attr
from addc.schema.snapshot import Schema
from addc.schema.wellknown import TOMBSTONE_PRESERVED, WellKnownContainer
from addc.security.account_flags import SystemFlags
from addc.store.agenda import Due
from addc.store.objects import NO_GUID, ObjectRow, ObjectState, RowChange

TOMBSTONE: Final = "tombstone"
"""On the agenda: a deleted object whose time ends."""
PHANTOM: Final = "phantom"
"""On the agenda: what an expunged object left of its name, to be taken away once nothing refers to it."""
DAY: Final = 86_400 * TICKS_PER_S

_RDN_MAX: Final = 255
_LIFETIME_DEFAULT: Final = 60
_LIFETIME_MIN: Final = 2
_ALWAYS_REMOVED: Final = frozenset((attr.OBJECT_CATEGORY, attr.SAM_ACCOUNT_TYPE))
_NO_CLASS: Final = AttId(0)


@lru_cache(maxsize=8)
def _preserved(schema: Schema) -> frozenset[AttId]:
    """Attributes that tombstones and recycled-objects keep. Spec: 3.1.1.5.5.6.1, 3.1.1.5.5.6.3."""
    marked = {one.att_id for one in schema.attributes if one.preserve_on_delete and not one.is_linked}
    return (TOMBSTONE_PRESERVED | marked) - _ALWAYS_REMOVED


def mangled(rdn: str, guid_text: str) -> str:
    """The delete-mangled RDN: unique below Deleted Objects. Spec: 3.1.1.5.5."""
    tail = f"\nDEL:{guid_text}"
    return rdn[: _RDN_MAX - len(tail)] + tail


def deleted_objects(ctx: ReadContext, nc: Dnt) -> ObjectRow | None:
    """The Deleted Objects container of a naming context."""
    root = ctx.tx.get(nc)
    return None if root is None else names.well_known(ctx, root, WellKnownContainer.DELETED_OBJECTS)


def is_recycled(row: ObjectRow) -> bool:
    """Whether a deleted object has lost its attributes: a tombstone or a recycled-object."""
    return entry.boolean(row, attr.IS_RECYCLED)


# --- lifetimes ---------------------------------------------------------------------------------------------


def lifetimes_days(ctx: ReadContext) -> tuple[int, int]:
    """Tombstone lifetime and deleted-object lifetime. Spec: 3.1.1.1.5.1."""
    return _LIFETIMES.get(ctx, ctx.tx.seq, lambda: _read_lifetimes(ctx))


_LIFETIMES: Final[Fact[tuple[int, int]]] = Fact()


def _read_lifetimes(ctx: ReadContext) -> tuple[int, int]:
    service = policy.directory_service(ctx)
    if service is None:
        return _LIFETIME_DEFAULT, _LIFETIME_DEFAULT
    tombstone = max(entry.integer(service, attr.TOMBSTONE_LIFETIME, _LIFETIME_DEFAULT), _LIFETIME_MIN)
    deleted = max(entry.integer(service, attr.MS_DS_DELETED_OBJECT_LIFETIME, tombstone), _LIFETIME_MIN)
    return tombstone, deleted


def due_ft(ctx: ReadContext, row: ObjectRow) -> int:
    """When a deleted object's present state ends, by the lifetimes in force now.

    Spec: [MS-ADTS] 3.1.1.4.5.37, 3.1.1.4.5.38 (the times that count are those of the transformations).
    """
    tombstone, deleted = lifetimes_days(ctx)
    recycled = is_recycled(row)
    stamp = row.meta.get(attr.IS_RECYCLED if recycled else attr.IS_DELETED)
    since = ctx.now if stamp is None else stamp.time_ft
    return since + (tombstone if recycled else deleted) * DAY


def is_to_be_collected(row: ObjectRow) -> bool:
    """Whether somebody deleted the object; the Deleted Objects containers are born as they are."""
    return row.is_deleted and attr.LAST_KNOWN_PARENT in row.attrs


def enter(ctx: WriteContext, row: ObjectRow) -> None:
    """Put a deleted object on the agenda, for when its lifetime ends."""
    now = ctx.tx.get(row.dnt)
    assert now is not None
    ctx.tx.put_due(Due(TOMBSTONE, row.dnt, b"", due_ft(ctx, now)))


# --- transformations ---------------------------------------------------------------------------------------


def bury(ctx: WriteContext, row: ObjectRow) -> None:
    """Make an existing-object a tombstone, or a deleted-object where the Recycle Bin is on.

    The caller tells names.renamed, once for all that it buries.
    Spec: [MS-ADTS] 3.1.1.5.5.6.1, 3.1.1.5.5.6.2.
    """
    keeps = levels.recycle_bin_enabled(ctx)
    container = deleted_objects(ctx, row.nc)
    stays = container is None or object_sd.is_nc_root(row) or _keeps_place(row)
    rdn = mangled(row.rdn, str(UUID(bytes_le=row.guid)))
    key = names.rdn_key(ctx.schema, row.rdn_att, rdn)
    last_parent, last_rdn = row.parent, row.rdn
    if not stays:
        assert container is not None
        row = ctx.tx.move(row.dnt, container.dnt, name=(row.rdn_att, rdn, key))
    draft = draft_of(ctx, row)
    if keeps:
        for att in _ALWAYS_REMOVED:
            draft.put(att)
        draft.put(attr.MS_DS_LAST_KNOWN_RDN, last_rdn.encode("utf-8", "surrogatepass"))
    else:
        _strip(ctx, draft)
        draft.put(attr.IS_RECYCLED, b"TRUE")
    draft.put(attr.IS_DELETED, b"TRUE")
    draft.put(attr.LAST_KNOWN_PARENT, names.reference(last_parent))
    usn_of(ctx, draft)
    change: RowChange = {"rdn": rdn, "rdn_key": key, "state": ObjectState.DELETED}
    save(ctx, draft, stamped=[attr.NAME, row.rdn_att], change=change)
    set_name_index(ctx, row, rdn)
    if not keeps:
        linked_values.purge(ctx, row.dnt)
    enter(ctx, row)


def _keeps_place(row: ObjectRow) -> bool:
    return bool(entry.integer(row, attr.SYSTEM_FLAGS) & SystemFlags.FLAG_DISALLOW_MOVE_ON_DELETE)


def _strip(ctx: WriteContext, draft: Draft) -> None:
    kept = _preserved(ctx.schema)
    for att in list(draft.attrs):
        if att not in kept and att != attr.WHEN_CHANGED:
            draft.put(att)


def recycle(ctx: WriteContext, row: ObjectRow) -> None:
    """Make a deleted-object a recycled-object. Spec: 3.1.1.5.5.6.3."""
    draft = draft_of(ctx, row)
    _strip(ctx, draft)
    draft.put(attr.IS_DELETED, b"TRUE")
    draft.put(attr.IS_RECYCLED, b"TRUE")
    save(ctx, draft, change={"state": ObjectState.RECYCLED})
    linked_values.purge(ctx, row.dnt)
    enter(ctx, row)


def expunge(ctx: WriteContext, row: ObjectRow) -> None:
    """Remove an object without a trace but its name, which values that refer to it still show.

    The name is a phantom's; `garbage.phantoms_step` takes it away once nothing refers to it.
    Spec: [MS-ADTS] 3.1.1.1.6 (expunged objects), 3.1.1.3.3.20.
    """
    if row.guid == NO_GUID:
        return
    linked_values.purge(ctx, row.dnt)
    ctx.tx.drop_index(row.dnt)
    for kind in (TOMBSTONE, "object", "sdprop"):
        for work in ctx.tx.due_of(kind, row.dnt):
            ctx.tx.drop_due(kind, row.dnt, work.data)
    rdn = row.rdn
    if row.state is ObjectState.LIVE:  # its name becomes free, and its DN one that nobody can have
        rdn = mangled(row.rdn, str(UUID(bytes_le=row.guid)))
        names.renamed(ctx)
    ctx.tx.update(
        row,
        guid=NO_GUID,
        sid=None,
        rdn=rdn,
        rdn_key=names.rdn_key(ctx.schema, row.rdn_att, rdn),
        instance_type=0,
        state=ObjectState.PHANTOM,
        class_id=_NO_CLASS,
        sd_id=0,
        usn_changed=Usn(0),
        attrs={},
        meta={},
    )
    ctx.tx.put_due(Due(PHANTOM, row.dnt, b"", FileTime(ctx.now + DAY)))
