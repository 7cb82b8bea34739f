"""When memberships end by themselves: the time-bound ones among those that an account's groups come from.

Without the Privileged Access Management feature there are none, and nothing is looked up.

Spec: [MS-ADTS] 3.1.1.9.2, 3.1.1.3.1.2.4 (TTL-DN).
"""

from addc.base.ids import Dnt
from addc.directory import groups, ttl_links
from addc.directory.context import ReadContext
from addc.directory.linked_values import LINK, agenda_data
from addc.store.objects import ObjectRow


def soonest(ctx: ReadContext, dnt: Dnt) -> int | None:
    """FILETIME of the first end of an account's memberships, direct or through groups; None for never."""
    if not ttl_links.is_enabled(ctx):
        return None
    row = ctx.tx.get(dnt)
    if row is None:
        return None
    primary = groups.primary_group(ctx, row)
    start = [row] if primary is None else [row, primary]
    above = groups.closure(ctx, start)
    members = {one.dnt for one in (*start, *above)}
    ends = [end for group in above if (end := _first_end(ctx, group, members)) is not None]
    return min(ends, default=None)


def _first_end(ctx: ReadContext, group: ObjectRow, members: set[Dnt]) -> int | None:
    """The first end among a group's values that name one of `members`; deleted values do not count."""
    due = {work.data: work.due_ft for work in ctx.tx.due_of(LINK, group.dnt)}
    if not due:
        return None
    ends = []
    for member in members:
        end = due.get(agenda_data(groups.MEMBER_LINK, member, b""))
        if end is None:
            continue
        link = ctx.tx.link(groups.MEMBER_LINK, group.dnt, member)
        if link is not None and not link.deleted:
            ends.append(end)
    return min(ends, default=None)
