"""Stamps: version, time, invocationId and USN of every replicated change; the rule that settles conflicts.

`save` stores what one transaction changes in one object: one USN, a stamp for each changed replicated
attribute, index keys of what changed.

Spec: [MS-ADTS] 3.1.1.1.9, [MS-DRSR] 5.11 (AttributeStamp), 5.118 (LinkValueStamp).
"""

from collections.abc import Iterable
from typing import Final

from addc.base.clock import TICKS_PER_S
from addc.base.ids import AttId, Usn
from addc.codec.times import format_generalized
from addc.directory import groups, owners
from addc.directory.context import WriteContext
from addc.directory.draft import Draft
from addc.directory.write_values import index_keys
from addc.schema import attr
from addc.schema.snapshot import Schema
from addc.store.objects import ObjectRow, RowChange, Stamp

_VERSION_MAX: Final = 0xFFFF_FFFF


def next_version(previous: int) -> int:
    """dwVersion of an originating update over `previous`, 0 where there was none. Spec: [MS-DRSR] 5.11."""
    return previous + 1 if previous < _VERSION_MAX else 0


def whole_second(when_ft: int) -> int:
    """Stamps hold whole seconds. Spec: [MS-ADTS] 3.1.1.1.9."""
    return when_ft - when_ft % TICKS_PER_S


def compare_versions(x: int, y: int) -> int:
    """Order two dwVersions that may have wrapped: > 0 where `x` is the newer. Spec: [MS-DRSR] 5.11."""
    if x == y:
        return 0
    distance = (x - y) & _VERSION_MAX
    if distance == 0x8000_0000:
        return 1 if x > y else -1
    return 1 if distance < 0x8000_0000 else -1


def compare_stamps(x: Stamp | None, y: Stamp | None) -> int:
    """Order two attribute stamps: > 0 where `x` wins. Spec: [MS-DRSR] 5.11 (Comparisons), 4.1.10.3.5."""
    if x is None or y is None:
        return (x is not None) - (y is not None)
    by_version = compare_versions(x.version, y.version)
    if by_version:
        return by_version
    x_rest = (x.time_ft, x.invocation_id)
    y_rest = (y.time_ft, y.invocation_id)
    return (x_rest > y_rest) - (x_rest < y_rest)


def usn_of(ctx: WriteContext, draft: Draft) -> Usn:
    """The USN of this transaction's update of the object, drawn when first asked for."""
    if draft.usn is None:
        draft.usn = ctx.tx.next_usn()
    return draft.usn


def replicates(schema: Schema, att: AttId) -> bool:
    """Whether changes of an attribute carry a stamp. Spec: [MS-ADTS] 3.1.1.1.9."""
    attribute = schema.attribute_by_id(att)
    return attribute is not None and not attribute.not_replicated and not attribute.is_linked


def save(
    ctx: WriteContext, draft: Draft, *, stamped: Iterable[AttId] = (), change: RowChange | None = None
) -> bool:
    """Store the changes of an existing object; False where there are none.

    stamped: attributes kept in columns of the row, whose new values stand in `change`.
    uSNChanged and whenChanged move only with a replicated change or one of the object's link values.
    """
    row = draft.row
    assert row is not None
    changed = draft.changed()
    columns: RowChange = change or {}
    fresh = [att for att in changed if replicates(ctx.schema, att)]
    fresh += stamped
    if fresh or draft.usn is not None:
        usn = usn_of(ctx, draft)
        when, invocation_id = whole_second(ctx.now), ctx.forest.invocation_id.bytes_le
        meta = dict(row.meta)
        for att in fresh:
            old = meta.get(att)
            version = next_version(old.version) if old is not None else 1
            meta[att] = Stamp(version, when, invocation_id, usn, usn)
        draft.put(attr.WHEN_CHANGED, format_generalized(ctx.now))
        columns["usn_changed"] = usn
        columns["meta"] = meta
        columns["attrs"] = draft.attrs
    elif changed:
        columns["attrs"] = draft.attrs
    if not columns:
        return False
    if "sd_id" in columns or "state" in columns:
        owners.follow(ctx, row, columns)
    groups.changed(ctx, changed)
    ctx.tx.update(row, **columns)
    for att in changed:
        keys = index_keys(ctx.schema, att, draft.get(att))
        if keys is not None:
            ctx.tx.set_index(row.dnt, att, keys)
    return True


def set_name_index(ctx: WriteContext, row: ObjectRow, rdn: str) -> None:
    """Index a new name, which the row keeps in a column."""
    wire = rdn.encode("utf-8", "surrogatepass")
    for att in (attr.NAME, row.rdn_att):
        keys = index_keys(ctx.schema, att, (wire,))
        if keys is not None:
            ctx.tx.set_index(row.dnt, att, keys)
