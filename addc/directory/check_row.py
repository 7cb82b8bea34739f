"""Invariants of one row: name, place, class, values, stamps, descriptor, index keys; and how each is mended.

Spec: [MS-ADTS] 3.1.1.1 (state model), 3.1.1.2.3, 3.1.1.5.1, 6.1.3.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from addc.base.errors import DecodeError, DsError, StoreError
from addc.base.ids import AttId, Dnt
from addc.directory import (
    entry,
    managed_passwords,
    names,
    object_sd,
    owners,
    rights,
    schema_cache,
    sd_propagate,
    tombstones,
)
from addc.directory.add import index_of
from addc.directory.context import Fact, ReadContext, WriteContext
from addc.directory.object_classes import ClassPlan, class_plan
from addc.directory.stamp import replicates, set_name_index, whole_second
from addc.schema import attr
from addc.schema.snapshot import Attribute
from addc.schema.syntax import DnKind
from addc.security.account_flags import InstanceType
from addc.security.descriptor import SecurityDescriptor
from addc.security.sd_create import create_sd
from addc.security.token import SYSTEM
from addc.store import index
from addc.store.links import LinkRow
from addc.store.objects import NO_GUID, ObjectRow, ObjectState, Stamp

_STAMPED_COLUMNS: Final = (attr.INSTANCE_TYPE, attr.NT_SECURITY_DESCRIPTOR, attr.NAME)


@dataclass(frozen=True, slots=True)
class RowView:
    """A row with all that hangs on it, read past the caches.

    keys: its index keys by attribute. links: the values of its forward links, deleted ones too.
    """

    row: ObjectRow
    keys: dict[AttId, set[bytes]]
    links: list[LinkRow]


@dataclass(frozen=True, slots=True)
class Rule:
    """One invariant. find: what is wrong, in words. mend: puts it right; None where only a person can."""

    name: str
    find: Callable[[ReadContext, RowView], Iterator[str]]
    mend: Callable[[WriteContext, RowView], None] | None = None


def plan_of(ctx: ReadContext, row: ObjectRow) -> ClassPlan | None:
    """The row's classes; None where they make no sense, which is a finding of its own."""
    try:
        return class_plan(ctx.schema, row.attrs.get(attr.OBJECT_CLASS, ()))
    except DsError:
        return None


def is_object(row: ObjectRow) -> bool:
    """Whether the row stands for an object, living or deleted."""
    return row.state is not ObjectState.PHANTOM


# --- readable at all ---------------------------------------------------------------------------------------


def unreadable(ctx: ReadContext, view: RowView) -> Iterator[str]:
    """What cannot be decoded; nothing else of such a row is looked at."""
    del ctx
    try:
        _ = view.row.attrs, view.row.meta
    except (DecodeError, StoreError) as error:
        yield f"cannot be read: {error}"


# --- place and name ----------------------------------------------------------------------------------------


def _path(ctx: ReadContext, view: RowView) -> Iterator[str]:
    row = view.row
    if row.dnt == names.ROOT:
        return
    parent = ctx.tx.get(row.parent)
    if parent is None:
        yield f"its parent, row {row.parent}, is missing"
    elif row.path != parent.path + row.dnt.to_bytes(8, "big"):
        yield "its path does not lead through its parent"


def _mend_path(ctx: WriteContext, view: RowView) -> None:
    row = view.row
    parent = ctx.tx.get(row.parent)
    if parent is None:
        parent = _lost_and_found(ctx, row)
        tail = f"\nCNF:{row.dnt}"
        rdn = row.rdn[: 255 - len(tail)] + tail
        key = names.rdn_key(ctx.schema, row.rdn_att, rdn)
        moved = ctx.tx.move(row.dnt, parent.dnt, name=(row.rdn_att, rdn, key))
        set_name_index(ctx, moved, rdn)
    else:
        ctx.tx.move(row.dnt, parent.dnt)
    names.renamed(ctx)


def _lost_and_found(ctx: WriteContext, row: ObjectRow) -> ObjectRow:
    """Where an object without a parent goes. Spec: [MS-ADTS] 6.1.1.4.9."""
    for nc, name in ((row.nc, "CN=LostAndFound,"), (ctx.forest.config_nc, "CN=LostAndFoundConfig,")):
        if ctx.tx.get(nc) is not None:
            try:
                return names.resolve(ctx, name + names.dn_of(ctx, nc))
            except DsError:
                continue
    found = ctx.tx.get(ctx.forest.domain_nc)
    assert found is not None
    return found


def _naming_context(ctx: ReadContext, view: RowView) -> Iterator[str]:
    row = view.row
    if not is_object(row) or row.nc == row.dnt:
        return
    parent = ctx.tx.get(row.parent)
    if parent is not None and is_object(parent) and row.nc != parent.nc:
        yield f"it counts to the naming context of row {row.nc}, its parent to that of row {parent.nc}"


def _mend_naming_context(ctx: WriteContext, view: RowView) -> None:
    parent = ctx.tx.get(view.row.parent)
    assert parent is not None
    ctx.tx.update(view.row, nc=parent.nc)


def _name_key(ctx: ReadContext, view: RowView) -> Iterator[str]:
    row = view.row
    if row.dnt == names.ROOT:
        return
    try:
        if row.rdn_key != names.rdn_key(ctx.schema, row.rdn_att, row.rdn):
            yield "it is filed under another name than it has"
    except DsError as error:
        yield f"its name cannot be compared: {error.detail}"


def _mend_name_key(ctx: WriteContext, view: RowView) -> None:
    row = view.row
    key = names.rdn_key(ctx.schema, row.rdn_att, row.rdn)
    other = ctx.tx.child(row.parent, key)
    if other is not None and other.dnt != row.dnt:
        raise StoreError(f"row {other.dnt} has that name as well")
    ctx.tx.update(row, rdn_key=key)
    names.renamed(ctx)


def _identity(ctx: ReadContext, view: RowView) -> Iterator[str]:
    row = view.row
    if not is_object(row) or row.dnt == names.ROOT:
        return
    if row.guid == NO_GUID:
        yield "it has no objectGUID"
    head = bool(row.instance_type & InstanceType.IT_NC_HEAD)
    if head != (row.nc == row.dnt):
        yield f"instanceType {row.instance_type} does not fit its place"


# --- class and values --------------------------------------------------------------------------------------


def _object_class(ctx: ReadContext, view: RowView) -> Iterator[str]:
    row = view.row
    if not is_object(row):
        return
    plan = plan_of(ctx, row)
    if plan is None:
        yield "its objectClass values make no object"
    elif plan.structural.class_id != row.class_id:
        yield f"it is filed as class {row.class_id:#x}, its objectClass says {plan.structural.name}"


def _mend_object_class(ctx: WriteContext, view: RowView) -> None:
    plan = plan_of(ctx, view.row)
    if plan is None:
        raise StoreError("what it was cannot be told")
    ctx.tx.update(view.row, class_id=plan.structural.class_id)


def _bad_values(ctx: ReadContext, attribute: Attribute, values: tuple[bytes, ...]) -> Iterator[str]:
    if attribute.single_valued and len(values) > 1:
        yield f"{attribute.name} takes one value and has {len(values)}"
    if attribute.is_linked:
        yield f"{attribute.name} is a link, and stands among the values"
        return
    if attribute.syntax.dn_kind is not DnKind.NONE:
        gone = [value for value in values if ctx.tx.get(names.reference_dnt(value)) is None]
        if gone:
            yield f"{attribute.name} refers to {len(gone)} rows that do not exist"
        return
    for value in values:
        try:
            attribute.syntax.canonical(value, ctx.schema)
        except DecodeError as error:
            yield f"{attribute.name} has a value that is none of its syntax: {error.why}"
            return


def _values(ctx: ReadContext, view: RowView) -> Iterator[str]:
    for att, values in view.row.attrs.items():
        attribute = ctx.schema.attribute_by_id(att)
        if attribute is None:
            yield f"attribute {att:#x} is not in the schema"
        else:
            yield from _bad_values(ctx, attribute, values)


def _mend_values(ctx: WriteContext, view: RowView) -> None:
    """Take dangling references away; all else is for a person."""
    attrs = dict(view.row.attrs)
    for att, values in view.row.attrs.items():
        attribute = ctx.schema.attribute_by_id(att)
        if attribute is None or attribute.syntax.dn_kind is DnKind.NONE or attribute.is_linked:
            continue
        attrs[att] = tuple([one for one in values if ctx.tx.get(names.reference_dnt(one)) is not None])
    ctx.tx.update(view.row, attrs={att: values for att, values in attrs.items() if values})


def _mandatory(ctx: ReadContext, view: RowView) -> Iterator[str]:
    row = view.row
    plan = plan_of(ctx, row) if row.state is ObjectState.LIVE else None
    if plan is None:
        return
    linked = {link.link_base for link in view.links if not link.deleted}
    for att in sorted(plan.must - entry.COLUMN_ATTRIBUTES - {row.rdn_att}):
        attribute = ctx.schema.attribute_by_id(att)
        if attribute is None or attribute.is_constructed or att in row.attrs:
            continue
        if not attribute.is_linked or entry.link_base(attribute) not in linked:
            yield f"{attribute.name} is mandatory for a {plan.structural.name} and missing"


def _state(ctx: ReadContext, view: RowView) -> Iterator[str]:
    del ctx
    row = view.row
    if row.is_deleted and not entry.boolean(row, attr.IS_DELETED):
        yield f"it is filed as {row.state.name.lower()}, and isDeleted is not set"
    if row.state is ObjectState.LIVE and entry.boolean(row, attr.IS_DELETED) and not _is_container(row):
        yield "isDeleted is set, and it is filed as living"


def _is_container(row: ObjectRow) -> bool:
    """Deleted Objects containers carry isDeleted themselves. Spec: [MS-ADTS] 6.1.1.4.2."""
    return row.rdn == "Deleted Objects"


def _agenda(ctx: ReadContext, view: RowView) -> Iterator[str]:
    row = view.row
    if tombstones.is_to_be_collected(row) and not ctx.tx.due_of(tombstones.TOMBSTONE, row.dnt):
        yield "it is deleted, and nothing will ever collect it"
    if managed_passwords.is_managed(row) and not ctx.tx.due_of(managed_passwords.ROLL, row.dnt):
        yield "its password is managed, and nothing will ever renew it"


def _mend_agenda(ctx: WriteContext, view: RowView) -> None:
    if managed_passwords.is_managed(view.row):
        managed_passwords.enter(ctx, view.row)
    else:
        tombstones.enter(ctx, view.row)


# --- stamps ------------------------------------------------------------------------------------------------


def _unstamped(ctx: ReadContext, row: ObjectRow) -> list[AttId]:
    wanted = [att for att in row.attrs if replicates(ctx.schema, att)]
    wanted += [*_STAMPED_COLUMNS, row.rdn_att]
    if row.sid is not None:
        wanted.append(attr.OBJECT_SID)
    return [att for att in wanted if att not in row.meta]


def _newest_usn(view: RowView) -> int:
    stamps = [*view.row.meta.values(), *(link.stamp for link in view.links)]
    return max((stamp.local_usn for stamp in stamps), default=0)


def _stamps(ctx: ReadContext, view: RowView) -> Iterator[str]:
    row = view.row
    if not is_object(row):
        return
    if bare := _unstamped(ctx, row):
        known = [ctx.schema.attribute_by_id(att) for att in bare]
        yield f"no stamp for {', '.join(one.name if one else '?' for one in known)}"
    newest = _newest_usn(view)
    if newest > row.usn_changed:
        yield f"uSNChanged is {row.usn_changed}, and a change of it has USN {newest}"
    if max(newest, row.usn_changed) > ctx.tx.usn:
        yield f"a change of it has USN {max(newest, row.usn_changed)}; the highest ever given is {ctx.tx.usn}"


def _mend_stamps(ctx: WriteContext, view: RowView) -> None:
    row = view.row
    usn = ctx.tx.next_usn()
    stamp = Stamp(1, whole_second(ctx.now), ctx.forest.invocation_id.bytes_le, usn, usn)
    meta = {**row.meta, **dict.fromkeys(_unstamped(ctx, row), stamp)}
    ctx.tx.update(row, meta=meta, usn_changed=usn)


# --- descriptor --------------------------------------------------------------------------------------------


def _descriptor(ctx: ReadContext, view: RowView) -> Iterator[str]:
    row = view.row
    if not is_object(row):
        return
    try:
        found = SecurityDescriptor.unpack(ctx.tx.descriptor(row.sd_id))
    except StoreError:
        yield "it has no security descriptor"
        return
    except DecodeError as error:
        yield f"its security descriptor cannot be read: {error.why}"
        return
    missing = [
        name
        for name, part in (("owner", found.owner), ("group", found.group), ("DACL", found.dacl))
        if part is None
    ]
    if missing:
        yield f"its security descriptor has no {', no '.join(missing)}"


def _mend_descriptor(ctx: WriteContext, view: RowView) -> None:
    """The default of its class, with what its parent hands down."""
    row = view.row
    plan = plan_of(ctx, row)
    if plan is None:
        raise StoreError("its class is unknown")
    parent = None if object_sd.is_nc_root(row) else ctx.tx.get(row.parent)
    ctx.tx.update(row, sd_id=object_sd.new_descriptor(ctx, parent, plan, row.nc))


_MADE: Final[Fact[dict[tuple[int, int, tuple[bytes, ...]], bool]]] = Fact()


def _inherits_all(ctx: ReadContext, row: ObjectRow) -> bool:
    """Whether the descriptor is what the parent's makes of it, or a change is still on its way down."""
    parent = None if object_sd.is_nc_root(row) else ctx.tx.get(row.parent)
    plan = plan_of(ctx, row)
    if parent is None or plan is None or row.state is not ObjectState.LIVE:
        return True
    made = _MADE.get(ctx, ctx.tx.seq, dict)
    key = (row.sd_id, parent.sd_id, plan.object_types)
    if key not in made:
        own, above = (rights.descriptor_by_id(ctx, one) for one in (row.sd_id, parent.sd_id))
        made[key] = create_sd(above, own, SYSTEM, plan.object_types).pack() == ctx.tx.descriptor(row.sd_id)
    return made[key] or ctx.tx.next_due(sd_propagate.KIND) is not None


def _inheritance(ctx: ReadContext, view: RowView) -> Iterator[str]:
    try:
        if is_object(view.row) and not _inherits_all(ctx, view.row):
            yield "its security descriptor lacks what its parent hands down, or has more"
    except (StoreError, DecodeError):
        return  # a missing or broken descriptor, which is reported as such


def _mend_inheritance(ctx: WriteContext, view: RowView) -> None:
    row = view.row
    parent, plan = ctx.tx.get(row.parent), plan_of(ctx, row)
    assert parent is not None and plan is not None
    sd_id = object_sd.inherited_anew(ctx, row.sd_id, parent.sd_id, plan.object_types)
    sd_propagate.propagate(ctx, ctx.tx.update(row, sd_id=sd_id), row.sd_id)


# --- index -------------------------------------------------------------------------------------------------


def _wanted_keys(ctx: ReadContext, row: ObjectRow) -> dict[AttId, set[bytes]]:
    """What the index must hold of a row."""
    if not is_object(row):
        return {}
    found = index_of(ctx.schema, row.attrs, row.rdn_att, row.rdn)
    found[owners.OWNER_INDEX] = owners.keys_of(ctx, row)
    return {att: {index.cut(key) for key in keys} for att, keys in found.items() if keys}


def _index(ctx: ReadContext, view: RowView) -> Iterator[str]:
    try:
        wanted = _wanted_keys(ctx, view.row)
    except (DecodeError, StoreError):
        return  # a bad value or descriptor, which is reported as such
    for att in sorted((wanted.keys() | view.keys.keys()) - schema_cache.indexes_under_way(ctx)):
        if wanted.get(att, set()) != view.keys.get(att, set()):
            attribute = ctx.schema.attribute_by_id(att)
            what = "owners" if att == owners.OWNER_INDEX else attribute.name if attribute else hex(att)
            yield f"the index of {what} is not what its values say"


def _mend_index(ctx: WriteContext, view: RowView) -> None:
    wanted = _wanted_keys(ctx, view.row)
    for att in wanted.keys() | view.keys.keys():
        ctx.tx.set_index(view.row.dnt, att, wanted.get(att, set()))


ROW_RULES: Final = (
    Rule("path", _path, _mend_path),
    Rule("naming-context", _naming_context, _mend_naming_context),
    Rule("name", _name_key, _mend_name_key),
    Rule("identity", _identity),
    Rule("class", _object_class, _mend_object_class),
    Rule("values", _values, _mend_values),
    Rule("mandatory", _mandatory),
    Rule("state", _state),
    Rule("agenda", _agenda, _mend_agenda),
    Rule("stamps", _stamps, _mend_stamps),
    Rule("descriptor", _descriptor, _mend_descriptor),
    Rule("inheritance", _inheritance, _mend_inheritance),
    Rule("index", _index, _mend_index),
)
"""In the order in which they are mended: where a row is comes before what it is."""


def dn_or_row(ctx: ReadContext, dnt: Dnt) -> str:
    """How a person finds the row."""
    try:
        return names.dn_of(ctx, dnt) or "the root"
    except (DsError, DecodeError, StoreError, RecursionError):
        return f"row {dnt}"
