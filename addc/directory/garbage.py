"""Garbage collection: deleted objects whose time is over, dynamic objects that expired, names nobody uses.

Spec: [MS-ADTS] 3.1.1.1.5.1, 3.1.1.1.6, 3.1.1.3.3.8, 3.1.1.3.3.20, 6.1.7.
"""

from typing import Final

from addc.base.clock import NEVER_FT
from addc.base.ids import AttId, Dnt
from addc.directory import dynamic_objects, levels, names, tombstones
from addc.directory.context import Fact, ReadContext, WriteContext
from addc.directory.tombstones import DAY, PHANTOM, TOMBSTONE
from addc.schema.syntax import DnKind
from addc.store.agenda import Due
from addc.store.objects import ObjectRow, ObjectState, unpack_attrs

BATCH: Final = 200
"""Objects that one step takes."""
SCAN: Final = 1000
"""Rows that one step looks through for references."""
CANDIDATES_MAX: Final = 10_000

_LIFETIMES_STATE: Final = "tombstone-lifetimes"
"""Store state: the lifetimes that the times on the agenda were reckoned with."""
_SWEEP_STATE: Final = "phantom-sweep"
"""Store state: a search for references under way: last row seen, last row there, then the candidates."""


# --- deleted objects ---------------------------------------------------------------------------------------


def collect_step(ctx: WriteContext) -> bool:
    """Take deleted objects on whose lifetime is over, earliest first; whether more are waiting.

    A deleted-object becomes a recycled-object, a tombstone or recycled-object is expunged. The lifetimes in
    force now count, whatever they were when the objects were deleted.
    Spec: [MS-ADTS] 3.1.1.3.3.8, 3.1.1.1.5.1.
    """
    _follow_lifetimes(ctx)
    due = ctx.tx.due(TOMBSTONE, ctx.now, BATCH)
    for work in due:
        _collect(ctx, work)
    return len(due) == BATCH


def _collect(ctx: WriteContext, work: Due) -> None:
    row = ctx.tx.get(work.dnt)
    if row is None or not row.is_deleted:
        ctx.tx.drop_due(TOMBSTONE, work.dnt)
        return
    ends = tombstones.due_ft(ctx, row)
    if ends > ctx.now:
        ctx.tx.put_due(work._replace(due_ft=ends))
    elif tombstones.is_recycled(row) or not levels.recycle_bin_enabled(ctx):
        tombstones.expunge(ctx, row)
    else:
        tombstones.recycle(ctx, row)


def _follow_lifetimes(ctx: WriteContext) -> None:
    """After a change of the lifetimes, reckon all times anew: shorter ones would else be noticed too late."""
    now = b"%d %d" % tombstones.lifetimes_days(ctx)
    if ctx.tx.state(_LIFETIMES_STATE) == now:
        return
    ctx.tx.set_state(_LIFETIMES_STATE, now)
    for work in ctx.tx.due(TOMBSTONE, NEVER_FT):
        row = ctx.tx.get(work.dnt)
        ends = 0 if row is None else tombstones.due_ft(ctx, row)
        if ends != work.due_ft:
            ctx.tx.put_due(work._replace(due_ft=ends))


# --- dynamic objects ---------------------------------------------------------------------------------------


def expire_objects_step(ctx: WriteContext) -> bool:
    """Expunge dynamic objects whose time to die has come and that have no descendants. Spec: 6.1.7."""
    due = ctx.tx.due(dynamic_objects.OBJECT, ctx.now, BATCH)
    for work in due:
        row = ctx.tx.get(work.dnt)
        if row is None or row.state is not ObjectState.LIVE or not dynamic_objects.is_dynamic(row):
            ctx.tx.drop_due(dynamic_objects.OBJECT, work.dnt)
        elif not dynamic_objects.outlive_children(ctx, row):
            tombstones.expunge(ctx, row)
    return len(due) == BATCH


# --- phantoms ----------------------------------------------------------------------------------------------


def phantoms_step(ctx: WriteContext) -> bool:
    """Look through some rows for references to names of expunged objects; at the end remove the unused ones.

    No reference to a phantom is ever made, so what was looked through stays without one. Rows are taken in
    the order of their ids, which no move changes.
    Spec: [MS-ADTS] 3.1.1.3.3.20, 3.1.1.1.6 (values that refer to expunged objects stay).
    """
    held = ctx.tx.state(_SWEEP_STATE)
    if held is None:
        due = ctx.tx.due(PHANTOM, ctx.now, CANDIDATES_MAX)
        if not due:
            return False
        at, end, unused = Dnt(0), ctx.tx.last_dnt, {work.dnt for work in due}
    else:
        numbers = [Dnt(int.from_bytes(held[i : i + 8], "big")) for i in range(0, len(held), 8)]
        at, end, unused = numbers[0], numbers[1], set(numbers[2:])
    attributes = _references(ctx)
    for row in ctx.tx.get_many([Dnt(number) for number in range(at + 1, min(at + SCAN, end) + 1)]):
        _keep_used(ctx, row, attributes, unused)
    at = Dnt(at + SCAN)
    if at < end and unused:
        kept = b"".join([number.to_bytes(8, "big") for number in (at, end, *sorted(unused))])
        ctx.tx.set_state(_SWEEP_STATE, kept)
        return True
    ctx.tx.set_state(_SWEEP_STATE, None)
    _remove(ctx, unused)
    return bool(ctx.tx.due(PHANTOM, ctx.now, 1))


def hasten_phantoms(ctx: WriteContext) -> None:
    """Let the next step look at every name of an expunged object, however short a time it has waited."""
    for work in ctx.tx.due(PHANTOM, NEVER_FT, CANDIDATES_MAX):
        if work.due_ft > ctx.now:
            ctx.tx.put_due(work._replace(due_ft=ctx.now))


def _references(ctx: ReadContext) -> frozenset[AttId]:
    return _REFERENCES.get(
        ctx,
        ctx.schema,
        lambda: frozenset(
            one.att_id
            for one in ctx.schema.attributes
            if one.syntax.dn_kind is not DnKind.NONE and not one.is_linked
        ),
    )


_REFERENCES: Final[Fact[frozenset[AttId]]] = Fact()


def _keep_used(ctx: WriteContext, row: ObjectRow, attributes: frozenset[AttId], unused: set[Dnt]) -> None:
    """Strike the phantoms that a row refers to from `unused`, and look at them again another day."""
    attrs = unpack_attrs(row.attrs_packed)
    used = {row.parent}
    for att in attributes.intersection(attrs):
        used.update([names.reference_dnt(value) for value in attrs[att]])
    for dnt in used & unused:
        unused.discard(dnt)
        ctx.tx.put_due(Due(PHANTOM, dnt, b"", ctx.now + DAY))


def _remove(ctx: WriteContext, unused: set[Dnt]) -> None:
    for row in ctx.tx.get_many(sorted(unused)):
        if row.state is ObjectState.PHANTOM and not ctx.tx.has_children(row.dnt):
            ctx.tx.remove(row.dnt)
        else:
            ctx.tx.drop_due(PHANTOM, row.dnt)
