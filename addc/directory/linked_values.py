"""Values of forward link attributes: each is a row with its own stamp; a removed one stays as a tombstone.

What comes next in a value's life stands on the agenda, one row per value: a living one expires (the
Privileged Access Management feature), a tombstone is taken away for good.

Spec: [MS-ADTS] 3.1.1.1.9 (LinkValueStamp), 3.1.1.1.6 (forward and back links), 3.1.1.5.5.6, 3.1.1.9.2.
"""

from typing import Final

from addc.base.clock import TICKS_PER_S
from addc.base.ids import Dnt, Usn
from addc.codec.times import format_generalized
from addc.directory import entry
from addc.directory.context import WriteContext
from addc.directory.stamp import next_version, whole_second
from addc.schema import attr
from addc.schema.snapshot import Attribute
from addc.store.agenda import Due
from addc.store.links import LinkRow
from addc.store.objects import ObjectRow, Stamp

LINK: Final = "link"
"""On the agenda: a link value whose next change is due."""
KEPT_FT: Final = 180 * 86_400 * TICKS_PER_S
"""When the tombstone of a value is first looked at; ttl_links.step settles by the lifetime in force then."""


def agenda_data(link_base: int, target: Dnt, data: bytes) -> bytes:
    """What names a value on the agenda of its source."""
    return link_base.to_bytes(4, "big") + target.to_bytes(8, "big") + data


def _stamp(ctx: WriteContext, version: int, usn: Usn) -> Stamp:
    return Stamp(version, whole_second(ctx.now), ctx.forest.invocation_id.bytes_le, usn, usn)


def find(ctx: WriteContext, source: Dnt, attribute: Attribute, target: Dnt, data: bytes) -> LinkRow | None:
    """The row of a value, living or tombstone."""
    return ctx.tx.link(entry.link_base(attribute), source, target, data)


def add_value(
    ctx: WriteContext, source: Dnt, attribute: Attribute, value: tuple[Dnt, bytes], usn: Usn
) -> bool:
    """Make a link value live; False where it is so already.

    value: target and payload. A tombstone comes back with its version raised and timeCreated kept.
    Spec: [MS-ADTS] 3.1.1.1.9.
    """
    target, data = value
    old = find(ctx, source, attribute, target, data)
    when = whole_second(ctx.now)
    if old is None:
        stamp = _stamp(ctx, 1, usn)
        ctx.tx.put_link(LinkRow(entry.link_base(attribute), source, target, data, when, 0, stamp))
        return True
    if not old.deleted:
        return False
    stamp = _stamp(ctx, next_version(old.stamp.version), usn)
    ctx.tx.update_link(old._replace(deleted_ft=0, stamp=stamp))
    ctx.tx.drop_due(LINK, source, agenda_data(old.link_base, target, data))
    return True


def remove_value(
    ctx: WriteContext, source: Dnt, attribute: Attribute, value: tuple[Dnt, bytes], usn: Usn
) -> bool:
    """Make a link value a tombstone; False where there is no living one."""
    target, data = value
    old = find(ctx, source, attribute, target, data)
    if old is None or old.deleted:
        return False
    bury(ctx, old, usn)
    return True


def bury(ctx: WriteContext, old: LinkRow, usn: Usn) -> None:
    """Make one living link row a tombstone."""
    stamp = _stamp(ctx, next_version(old.stamp.version), usn)
    ctx.tx.update_link(old._replace(deleted_ft=whole_second(ctx.now), stamp=stamp))
    await_removal(ctx, old)


def await_removal(ctx: WriteContext, link: LinkRow) -> None:
    """Enter the physical removal of a value that has just become a tombstone."""
    data = agenda_data(link.link_base, link.target, link.data)
    ctx.tx.put_due(Due(LINK, link.source, data, ctx.now + KEPT_FT))


def set_expiry(
    ctx: WriteContext, source: Dnt, attribute: Attribute, value: tuple[Dnt, bytes], due_ft: int | None
) -> bool:
    """Let a living value expire at `due_ft`, or never (None); whether that is anything new."""
    data = agenda_data(entry.link_base(attribute), *value)
    if due_ft is None:
        return ctx.tx.drop_due(LINK, source, data)
    ctx.tx.put_due(Due(LINK, source, data, due_ft))
    return True


def restamp(ctx: WriteContext, source: Dnt, attribute: Attribute, value: tuple[Dnt, bytes], usn: Usn) -> None:
    """Raise the version of a living value whose expiry changed."""
    old = find(ctx, source, attribute, *value)
    assert old is not None
    ctx.tx.update_link(old._replace(stamp=_stamp(ctx, next_version(old.stamp.version), usn)))


def living(ctx: WriteContext, row: ObjectRow, attribute: Attribute) -> dict[tuple[Dnt, bytes], LinkRow]:
    """All living values of a forward link attribute, by target and payload."""
    return {(link.target, link.data): link for link in entry.live_links(ctx, row, attribute)}


def compare_links(x: LinkRow | None, y: LinkRow | None) -> int:
    """Order two versions of one link value: > 0 where `x` wins. Spec: [MS-DRSR] 5.118, 5.119."""
    if x is None or y is None:
        return (x is not None) - (y is not None)
    if x.created_ft != y.created_ft:
        return 1 if x.created_ft > y.created_ft else -1
    distance = (x.stamp.version - y.stamp.version) & 0xFFFF_FFFF
    if distance:
        return 1 if distance < 0x8000_0000 else -1
    x_rest = (x.stamp.time_ft, x.stamp.invocation_id)
    y_rest = (y.stamp.time_ft, y.stamp.invocation_id)
    return (x_rest > y_rest) - (x_rest < y_rest)


def touch_source(ctx: WriteContext, row: ObjectRow, usn: Usn) -> None:
    """Move uSNChanged and whenChanged of an object one of whose link values changed at `usn`."""
    now = ctx.tx.get(row.dnt)
    assert now is not None
    attrs = {**now.attrs, attr.WHEN_CHANGED: (format_generalized(ctx.now),)}
    ctx.tx.update(now, attrs=attrs, usn_changed=usn)


def purge(ctx: WriteContext, dnt: Dnt) -> None:
    """Take every link value from and to an object away, which is no originating update.

    Costs few statements however many values there are.
    Spec: [MS-ADTS] 3.1.1.5.5.6.1.
    """
    for work in ctx.tx.due_of(LINK, dnt):
        ctx.tx.drop_due(LINK, dnt, work.data)
    for link in ctx.tx.purge_links(dnt):
        ctx.tx.drop_due(LINK, link.source, agenda_data(link.link_base, link.target, link.data))
