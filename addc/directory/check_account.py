"""Invariants of accounts: SIDs out of the pool and never twice, names never twice, primary groups that exist.

Spec: [MS-SAMR] 3.1.1.8, 3.1.1.9.2; [MS-ADTS] 3.1.1.1.5.
"""

from collections.abc import Iterator
from typing import Final

from addc.base.errors import StoreError
from addc.codec.ids import Sid
from addc.directory import entry, names, rid_pool
from addc.directory.check_row import RowView, Rule
from addc.directory.context import Fact, ReadContext, WriteContext
from addc.directory.draft import draft_of
from addc.directory.stamp import save
from addc.schema import attr
from addc.security import wellknown
from addc.security.account_flags import UserAccountControl
from addc.store.objects import ObjectState


def _domain_rid(ctx: ReadContext, view: RowView) -> int | None:
    """The RID, if the row is a principal of this domain."""
    sid = view.row.sid
    if sid is None or view.row.state is ObjectState.PHANTOM or view.row.nc != ctx.forest.domain_nc:
        return None
    found = Sid(sid)
    return found.rid() if found.domain() == ctx.forest.domain_sid and found != ctx.forest.domain_sid else None


_GIVEN: Final[Fact[tuple[tuple[int, int], ...]]] = Fact()


def _given(ctx: ReadContext) -> tuple[tuple[int, int], ...]:
    """Ranges of RIDs that this DC or another may have given out, as the RID manager and our own set say."""
    if isinstance(ctx, WriteContext):  # which may just have changed them
        return _read_given(ctx)
    return _GIVEN.get(ctx, ctx.tx.seq, lambda: _read_given(ctx))


def _read_given(ctx: ReadContext) -> tuple[tuple[int, int], ...]:
    manager = names.resolve(ctx, f"CN=RID Manager$,CN=System,{ctx.forest.domain_dn}")
    below = rid_pool.unpack_pool(entry.integer(manager, attr.RID_AVAILABLE_POOL))[0]
    own = rid_pool.rid_set(ctx)
    if own is None:
        return ((0, below - 1),)
    next_rid = entry.integer(own, attr.RID_NEXT_RID)
    current = rid_pool.unpack_pool(entry.integer(own, attr.RID_PREVIOUS_ALLOCATION_POOL))
    waiting = rid_pool.unpack_pool(entry.integer(own, attr.RID_ALLOCATION_POOL))
    not_given = [(next_rid + 1, current[1])]
    if waiting != current:
        not_given.append(waiting)
    ranges, low = [], 0
    for start, end in sorted(not_given):
        if start > low:
            ranges.append((low, start - 1))
        low = max(low, end + 1)
    ranges.append((low, below - 1))
    return tuple(ranges)


def _sid(ctx: ReadContext, view: RowView) -> Iterator[str]:
    row = view.row
    rid = _domain_rid(ctx, view)
    if rid is None or row.sid is None:
        return
    others = [one for one in ctx.tx.by_sid(row.sid) if one.dnt != row.dnt and one.state is ObjectState.LIVE]
    if others and row.state is ObjectState.LIVE:
        yield f"row {others[0].dnt} has its objectSid {Sid(row.sid)} as well"
    if not any(low <= rid <= high for low, high in _given(ctx)):
        yield f"its RID {rid} was never given out: a later account would get it again"


def _mend_sid(ctx: WriteContext, view: RowView) -> None:
    """Let the pool go on behind a RID that is taken."""
    rid = _domain_rid(ctx, view)
    own = rid_pool.rid_set(ctx)
    if rid is None or own is None:
        raise StoreError("nothing to mend it by")
    draft = draft_of(ctx, own)
    low, high = rid_pool.unpack_pool(draft.integer(attr.RID_PREVIOUS_ALLOCATION_POOL))
    if not low <= rid <= high:
        raise StoreError("the RID is outside of this DC's pool")
    draft.put_integer(attr.RID_NEXT_RID, max(rid, draft.integer(attr.RID_NEXT_RID)))
    save(ctx, draft)


def _account_name(ctx: ReadContext, view: RowView) -> Iterator[str]:
    row = view.row
    if row.state is not ObjectState.LIVE or row.nc != ctx.forest.domain_nc:
        return
    attribute = ctx.schema.attribute_by_id(attr.SAM_ACCOUNT_NAME)
    for name in row.attrs.get(attr.SAM_ACCOUNT_NAME, ()):
        assert attribute is not None
        found = ctx.tx.get_many(ctx.tx.index_eq(attr.SAM_ACCOUNT_NAME, attribute.syntax.key(name), 3))
        others = [one.dnt for one in found if one.dnt != row.dnt and one.state is ObjectState.LIVE]
        if others:
            yield f"row {others[0]} has its sAMAccountName as well"


def _primary_group(ctx: ReadContext, view: RowView) -> Iterator[str]:
    row = view.row
    rid = entry.integer(row, attr.PRIMARY_GROUP_ID)
    if row.state is not ObjectState.LIVE or not rid:
        return
    sid = bytes(ctx.forest.domain_sid.child(rid))
    if not any(one.state is ObjectState.LIVE for one in ctx.tx.by_sid(sid)):
        yield f"its primary group, RID {rid}, does not exist"


def _mend_primary_group(ctx: WriteContext, view: RowView) -> None:
    """Domain Users, Domain Computers or Domain Controllers, as the kind of account wants it."""
    flags = entry.integer(view.row, attr.USER_ACCOUNT_CONTROL)
    rid = wellknown.RID_DOMAIN_USERS
    if flags & UserAccountControl.UF_SERVER_TRUST_ACCOUNT:
        rid = wellknown.RID_DOMAIN_CONTROLLERS
    elif flags & UserAccountControl.UF_WORKSTATION_TRUST_ACCOUNT:
        rid = wellknown.RID_DOMAIN_COMPUTERS
    draft = draft_of(ctx, view.row)
    draft.put_integer(attr.PRIMARY_GROUP_ID, rid)
    save(ctx, draft)


ACCOUNT_RULES: Final = (
    Rule("sid", _sid, _mend_sid),
    Rule("account-name", _account_name),
    Rule("primary-group", _primary_group, _mend_primary_group),
)
