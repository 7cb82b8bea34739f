"""Invariants of link values: both ends exist, and the source may have the link and so many of it.

Spec: [MS-ADTS] 3.1.1.1.6, 3.1.1.1.9, 3.1.1.5.5.6.
"""

from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from addc.directory import entry
from addc.directory.check_row import RowView, Rule, is_object, plan_of
from addc.directory.context import ReadContext, WriteContext
from addc.schema.snapshot import Attribute, Schema
from addc.store.links import LinkRow
from addc.store.objects import ObjectRow, ObjectState


@lru_cache(maxsize=4)
def _forward(schema: Schema) -> dict[int, Attribute]:
    """Forward link attributes by the number that the store keeps their values under."""
    return {entry.link_base(one): one for one in schema.attributes if one.is_linked and not one.is_back_link}


def _fault(ctx: ReadContext, source: ObjectRow, link: LinkRow) -> str:
    """What is wrong with one value beyond mending; empty if nothing is."""
    attribute = _forward(ctx.schema).get(link.link_base)
    if attribute is None:
        return f"link {link.link_base} is no attribute of the schema"
    target = ctx.tx.get(link.target)
    if target is None:
        return f"{attribute.name} points at row {link.target}, which does not exist"
    if target.state is ObjectState.RECYCLED and not link.deleted:
        return f"{attribute.name} points at a recycled object"
    if source.state is ObjectState.RECYCLED and not link.deleted:
        return f"a recycled object has a value of {attribute.name}"
    return ""


def _ends(ctx: ReadContext, view: RowView) -> Iterator[str]:
    for link in view.links:
        if fault := _fault(ctx, view.row, link):
            yield fault


def _mend_ends(ctx: WriteContext, view: RowView) -> None:
    for link in view.links:
        if _fault(ctx, view.row, link):
            ctx.tx.delete_link(link.link_base, link.source, link.target, link.data)


def _counts(ctx: ReadContext, view: RowView) -> Iterator[str]:
    counts = Counter(link.link_base for link in view.links if not link.deleted)
    for base, count in counts.items():
        attribute = _forward(ctx.schema).get(base)
        if attribute is not None and attribute.single_valued and count > 1:
            yield f"{attribute.name} takes one value and has {count}"


def _allowed(ctx: ReadContext, view: RowView) -> Iterator[str]:
    if not view.links or not is_object(view.row):
        return
    plan = plan_of(ctx, view.row) if view.row.state is ObjectState.LIVE else None
    if plan is None:
        return
    for base in sorted({link.link_base for link in view.links if not link.deleted}):
        attribute = _forward(ctx.schema).get(base)
        if attribute is not None and attribute.att_id not in plan.may:
            yield f"a {plan.structural.name} may not have {attribute.name}"


LINK_RULES: Final = (
    Rule("link-ends", _ends, _mend_ends),
    Rule("link-count", _counts),
    Rule("link-class", _allowed),
)
