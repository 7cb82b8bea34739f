"""Indexes that come and go with searchFlags: built and dropped in the background, a bounded batch at a time.

From the moment at which an attribute is indexed every write keeps its keys; what was there before gets them
here, by row number, which no rename changes. Until then searches do without.

Spec: [MS-ADTS] 2.2.9 (fATTINDEX), 3.1.1.3.3.32 (schemaUpdateIndicesNow); the rest is the implementation's.
"""

from typing import Final

from addc.base.ids import AttId, Dnt
from addc.directory import schema_cache
from addc.directory.context import WriteContext
from addc.directory.write_values import index_keys
from addc.schema.snapshot import Attribute
from addc.store.agenda import Due
from addc.store.objects import ObjectState

BATCH: Final = 1000
"""Rows in one transaction."""


def step(ctx: WriteContext) -> bool:
    """The job: a batch of the first index that is to be built or dropped; whether more is waiting now."""
    waiting = ctx.tx.due(schema_cache.REINDEX_KIND, ctx.now, 1)
    if not waiting:
        return False
    due = waiting[0]
    att, what = AttId(int.from_bytes(due.data[:4], "big")), due.data[4:]
    done = _build(ctx, att) if what == schema_cache.BUILD else _drop(ctx, att)
    if done:
        _finish(ctx, due, att)
    return True


def _finish(ctx: WriteContext, due: Due, att: AttId) -> None:
    ctx.tx.drop_due(due.kind, due.dnt, due.data)
    ctx.tx.set_state(schema_cache.cursor_state(att), None)
    if due.data[4:] == schema_cache.BUILD:
        schema_cache.set_index_ready(ctx, att)


def _build(ctx: WriteContext, att: AttId) -> bool:
    """Index the next rows; True at the end."""
    tx = ctx.tx
    attribute = ctx.schema.attribute_by_id(att)
    if attribute is None or not attribute.is_indexed:
        return True
    state = schema_cache.cursor_state(att)
    first = int.from_bytes(tx.state(state) or b"", "big") + 1
    last = min(first + BATCH - 1, int(tx.last_dnt))
    for row in tx.pass_by([Dnt(dnt) for dnt in range(first, last + 1)]):
        if row.state is ObjectState.PHANTOM:
            continue
        values = row.attrs.get(att, ())
        if row.rdn_att == att:
            values = (row.rdn.encode("utf-8", "surrogatepass"),)
        if values:
            _index(ctx, attribute, row.dnt, values)
    tx.set_state(state, last.to_bytes(8, "big"))
    return last >= tx.last_dnt


def _index(ctx: WriteContext, attribute: Attribute, dnt: Dnt, values: tuple[bytes, ...]) -> None:
    keys = index_keys(ctx.schema, attribute.att_id, values)
    if keys:
        ctx.tx.set_index(dnt, attribute.att_id, keys)


def _drop(ctx: WriteContext, att: AttId) -> bool:
    """Take the next keys away; True at the end."""
    found = ctx.tx.index_scan(att, b"", None, BATCH)
    for dnt in {dnt for _, dnt in found}:
        ctx.tx.set_index(dnt, att, ())
    return len(found) < BATCH
