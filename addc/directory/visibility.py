"""Which objects exist for a requester: by what the parent lets it list, and by life-cycle state.

Spec: [MS-ADTS] 5.1.3.3.6, 3.1.1.3.4.1.14 (LDAP_SERVER_SHOW_DELETED_OID), 3.1.1.3.4.1.26 (show recycled).
"""

from typing import Final

from addc.base.ids import Dnt
from addc.directory import policy, rights
from addc.directory.context import ReadContext
from addc.store.objects import ObjectRow, ObjectState

NC_HEAD: Final = 0x1
"""IT_NC_HEAD of instanceType."""

LIVE_ONLY: Final = frozenset((ObjectState.LIVE,))
AND_DELETED: Final = frozenset((ObjectState.LIVE, ObjectState.DELETED))
_PARENTS_MAX: Final = 4096
AND_RECYCLED: Final = frozenset((ObjectState.LIVE, ObjectState.DELETED, ObjectState.RECYCLED))


def shown_states(show_deleted: bool, show_recycled: bool) -> frozenset[ObjectState]:
    """The states of objects that an operation with these controls can see."""
    if show_recycled:
        return AND_RECYCLED
    return AND_DELETED if show_deleted else LIVE_ONLY


class Seen:
    """`visible` for one search: what the requester may list is found out once for each parent."""

    __slots__ = ("_ctx", "_lists")

    def __init__(self, ctx: ReadContext) -> None:
        self._ctx = ctx
        self._lists: dict[Dnt, bool] = {}

    def visible(self, row: ObjectRow) -> bool:
        """As the function of that name."""
        if row.instance_type & NC_HEAD:
            return True
        lists = self._lists.get(row.parent)
        if lists is None:
            ctx = self._ctx
            parent = ctx.tx.get(row.parent)
            lists = ctx.unrestricted or (
                parent is not None and bool(rights.grants(ctx, parent).object_mask & rights.LIST_CONTENTS)
            )
            if len(self._lists) >= _PARENTS_MAX:
                self._lists.clear()
            self._lists[row.parent] = lists
        return lists or visible(self._ctx, row)


def visible(ctx: ReadContext, row: ObjectRow) -> bool:
    """Whether the requester may learn that the object exists.

    An NC root is always visible; else RIGHT_DS_LIST_CONTENTS on the parent decides, or in List Object mode
    RIGHT_DS_LIST_OBJECT on both.
    Spec: [MS-ADTS] 5.1.3.3.6.
    """
    if ctx.unrestricted or row.instance_type & NC_HEAD:
        return True
    parent = ctx.tx.get(row.parent)
    if parent is None:
        return False
    mask = rights.grants(ctx, parent).object_mask
    if mask & rights.LIST_CONTENTS:
        return True
    return (
        bool(mask & rights.LIST_OBJECT)
        and policy.heuristics(ctx).do_list_object
        and bool(rights.grants(ctx, row).object_mask & rights.LIST_OBJECT)
    )
