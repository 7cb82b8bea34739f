"""Handing a changed descriptor down: at once to a few descendants, to the rest in the background.

A walk goes through the subtree by path, parents before children, and works each row's descriptor out from its
parent's as that is now; below a row whose descriptor stays it does not go. It is no originating update: rows
get no stamp and keep their uSNChanged, for every DC hands down for itself.

What a walk has still to do stands on the agenda: the row it began at and, behind a letter, the path below
that row up to which it is done. So it goes on after a crash, and is true of whatever the tree looks like by
then: an object that comes in from elsewhere gets its descriptor by coming.

Spec: [MS-ADTS] 6.1.3, 6.1.3.3, 3.1.1.6.3, 3.1.1.3.3.10 (fixupInheritance).
"""

from typing import Final

from addc.base.errors import DsError
from addc.base.ids import Dnt
from addc.codes.ldap_result import LdapResult
from addc.codes.win32 import Win32
from addc.directory import object_sd, referrals, rights
from addc.directory.context import WriteContext
from addc.directory.object_classes import class_plan
from addc.schema import attr
from addc.security.account_flags import InstanceType
from addc.security.descriptor import CONTAINER_INHERIT, OBJECT_INHERIT, Ace, SecurityDescriptor
from addc.store.agenda import Due
from addc.store.objects import ObjectRow, ObjectState

KIND: Final = "sdprop"
AT_ONCE: Final = 200
"""Descendants that the transaction of the change itself looks at."""
BATCH: Final = 250
"""Descendants that one step in the background looks at."""

_SKIPPING: Final = b"N"
_FORCED: Final = b"F"
"""A walk that goes on below rows whose descriptors stay."""
_HANDED: Final = CONTAINER_INHERIT | OBJECT_INHERIT
_BEHIND: Final = b"\xff"
"""Sorts a path behind all that begin with it."""


def propagate(ctx: WriteContext, row: ObjectRow, was: int) -> None:
    """Hand the descriptor of `row` down, after a write gave it another one. was: the id of the one before."""
    waiting = ctx.tx.due_of(KIND, row.dnt)
    if waiting:
        # An older walk from here is under way. What it has changed halfway may by now look as it should.
        for one in waiting:
            ctx.tx.drop_due(KIND, row.dnt, one.data)
        _put(ctx, row.dnt, _FORCED)
    elif _handed_down(ctx, was) != _handed_down(ctx, row.sd_id):
        _begin(ctx, row)


def moved(ctx: WriteContext, row: ObjectRow, was: int) -> None:
    """Hand down the descriptor of a row that has another parent now."""
    if ctx.tx.next_due(KIND) is not None:
        # A walk that began above may have come to the middle of this subtree: here it would be lost.
        _put(ctx, row.dnt, _FORCED)
    else:
        propagate(ctx, row, was)


def step(ctx: WriteContext) -> bool:
    """One batch of the work that waits; whether more is waiting."""
    due = ctx.tx.due(KIND, ctx.now, 1)
    if not due:
        return False
    work = due[0]
    ctx.tx.drop_due(KIND, work.dnt, work.data)
    row = ctx.tx.get(work.dnt)
    if row is not None and row.state is ObjectState.LIVE:
        mode = work.data[:1]
        done = _walk(ctx, row, work.data[1:], BATCH, force=mode == _FORCED)
        if done is not None:
            _put(ctx, row.dnt, mode + done)
    return ctx.tx.next_due(KIND) is not None


def fixup_inheritance(ctx: WriteContext, value: bytes) -> None:
    """The rootDSE operation: work out everything anew, "forceupdate" below unchanged rows too.

    "dnt:" and a number: only below that row. Who may, rootdse_operations.py knows.
    Raises DsError(ERROR_INVALID_PARAMETER).
    Spec: [MS-ADTS] 3.1.1.3.3.10.
    """
    if value.startswith(b"dnt:") and value[4:].isdigit():
        row = ctx.tx.get(Dnt(int(value[4:20])))
        if row is None or row.state is not ObjectState.LIVE:
            raise _not_accepted()
        _put(ctx, row.dnt, _FORCED)
    elif value in (b"1", b"forceupdate", b"downgrade"):
        for nc in _hosted(ctx):
            _put(ctx, nc, _FORCED)
    else:
        raise _not_accepted()


def _not_accepted() -> DsError:
    return DsError(
        Win32.ERROR_INVALID_PARAMETER,
        "nothing to fix",
        ldap_result=LdapResult.UNWILLING_TO_PERFORM,
        attribute="fixupInheritance",
    )


def _hosted(ctx: WriteContext) -> set[Dnt]:
    """The roots of the naming contexts that this DC can write."""
    forest = ctx.forest
    found = {forest.domain_nc, forest.config_nc, forest.schema_nc}
    for one in referrals.cross_refs(ctx):
        head = ctx.tx.get(one.nc)
        if head is not None and head.instance_type & InstanceType.IT_WRITE:
            found.add(one.nc)
    return found


def _put(ctx: WriteContext, dnt: Dnt, data: bytes) -> None:
    ctx.tx.put_due(Due(KIND, dnt, data, 0))


def _handed_down(ctx: WriteContext, sd_id: int) -> tuple[tuple[Ace, ...], tuple[Ace, ...]]:
    """All of a descriptor that those below look at."""
    sd: SecurityDescriptor = rights.descriptor_by_id(ctx, sd_id)
    dacl = () if sd.dacl is None else sd.dacl.aces
    sacl = () if sd.sacl is None else sd.sacl.aces
    return (
        tuple([ace for ace in dacl if ace.flags & _HANDED]),
        tuple([ace for ace in sacl if ace.flags & _HANDED]),
    )


def _begin(ctx: WriteContext, row: ObjectRow) -> None:
    done = _walk(ctx, row, b"", AT_ONCE, force=False)
    if done is not None:
        _put(ctx, row.dnt, _SKIPPING + done)


def _walk(ctx: WriteContext, root: ObjectRow, done: bytes, limit: int, *, force: bool) -> bytes | None:
    """Go on through the subtree of `root` for `limit` rows; up to where, or None when it came to the end.

    done: the path below the root that it goes on behind, b"" for the root itself.
    """
    path = root.path
    paths = ctx.tx.subtree_paths(path, path + done, limit)
    skipped = _BEHIND
    for row in ctx.tx.get_many([Dnt(int.from_bytes(one[-8:], "big")) for one in paths]):
        if row.path.startswith(skipped):
            continue
        if object_sd.is_nc_root(row):
            skipped = row.path
        elif row.state is ObjectState.LIVE and not _update(ctx, row) and not force:
            skipped = row.path
    if len(paths) < limit:
        return None
    last = skipped + _BEHIND if paths[-1].startswith(skipped) else paths[-1]
    return last[len(path) :]


def _update(ctx: WriteContext, row: ObjectRow) -> bool:
    """Give one row the descriptor that its parent's makes of its own; whether that is another."""
    parent = ctx.tx.get(row.parent)
    assert parent is not None and parent.nc == row.nc
    plan = class_plan(ctx.schema, row.attrs[attr.OBJECT_CLASS])
    sd_id = object_sd.inherited_anew(ctx, row.sd_id, parent.sd_id, plan.object_types)
    if sd_id == row.sd_id:
        return False
    ctx.tx.update(row, sd_id=sd_id)
    return True
