"""AdminSDHolder: the descriptors of powerful principals are put back to what the holder's says, every hour.

Who could write to an administrator could become one, so what was delegated over an OU must not reach those of
its users who joined a powerful group. What was protected once keeps the descriptor, and adminCount, when it
leaves: the administrator decides what holds for it from then on.

Spec: [MS-ADTS] 3.1.1.6.1, 6.1.1.5.1.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from addc.base.errors import DsError
from addc.base.ids import Dnt
from addc.codec.ids import Sid
from addc.directory import entry, fsmo, groups, names, object_sd, policy, rights, sd_propagate
from addc.directory.context import ReadContext, WriteContext
from addc.directory.draft import draft_of
from addc.directory.object_classes import class_plan
from addc.directory.stamp import save
from addc.schema import attr
from addc.security import wellknown
from addc.security.account_flags import GroupType
from addc.security.descriptor import INHERITED, Acl, Control, SecurityDescriptor
from addc.store.objects import ObjectRow, ObjectState

JOB: Final = "protectAdminGroups"
PERIOD_S: Final = 3600.0
BATCH: Final = 200
"""Principals that one step stamps."""

_HOLDER: Final = "CN=AdminSDHolder,CN=System,"
_PAGE: Final = 1000
_SECURE: Final = int(GroupType.GROUP_TYPE_SECURITY_ENABLED)
_BUILTIN_GROUPS: Final[tuple[tuple[Sid, int], ...]] = (
    (wellknown.BUILTIN_ADMINISTRATORS, 0),
    (wellknown.REPLICATOR, 0),
    (wellknown.ACCOUNT_OPERATORS, 0x1),
    (wellknown.SERVER_OPERATORS, 0x2),
    (wellknown.PRINTER_OPERATORS, 0x4),
    (wellknown.BACKUP_OPERATORS, 0x8),
)
"""Groups whose members are protected, each with the bit of dwAdminSDExMask that excludes it."""
_DOMAIN_GROUPS: Final = (
    wellknown.RID_DOMAIN_ADMINS,
    wellknown.RID_SCHEMA_ADMINS,
    wellknown.RID_ENTERPRISE_ADMINS,
    # Not in the document: Windows Server 2016 and later protect them, since keys are as good as passwords.
    wellknown.RID_KEY_ADMINS,
    wellknown.RID_ENTERPRISE_KEY_ADMINS,
)
_THEMSELVES: Final = (
    wellknown.RID_ADMINISTRATOR,
    wellknown.RID_KRBTGT,
    wellknown.RID_DOMAIN_CONTROLLERS,
    wellknown.RID_READONLY_DOMAIN_CONTROLLERS,
)
"""Principals that are protected without their members."""


def step(ctx: WriteContext) -> bool:
    """Stamp the next principals that need it; whether there may be more. Only the PDC does it."""
    holder = _holder(ctx)
    if holder is None or not fsmo.is_ours(ctx, fsmo.PDC):
        return False
    wanted = ctx.tx.put_descriptor(_as_stamped(rights.descriptor(ctx, holder)).pack())
    stamped = 0
    for row in protected(ctx):
        stamped += _stamp(ctx, row, wanted)
        if stamped >= BATCH:
            return True
    return False


def _holder(ctx: ReadContext) -> ObjectRow | None:
    try:
        return names.resolve(ctx, _HOLDER + ctx.forest.domain_dn)
    except DsError:
        return None


def _as_stamped(holder: SecurityDescriptor) -> SecurityDescriptor:
    """The holder's own descriptor, without what it inherits, closed to inheritance whatever the holder is."""
    return replace(
        holder,
        control=holder.control | int(Control.PD),
        dacl=None if holder.dacl is None else _explicit(holder.dacl),
        sacl=None if holder.sacl is None else _explicit(holder.sacl),
    )


def _explicit(acl: Acl) -> Acl:
    return replace(acl, aces=tuple(ace for ace in acl.aces if not ace.flags & INHERITED))


def _stamp(ctx: WriteContext, row: ObjectRow, wanted: int) -> bool:
    """Give a principal the descriptor and adminCount; False where it has both."""
    parent = ctx.tx.get(row.parent)
    plan = class_plan(ctx.schema, entry.class_names(row))
    sd_id = object_sd.inherited_anew(ctx, wanted, 0 if parent is None else parent.sd_id, plan.object_types)
    if sd_id == row.sd_id and entry.integer(row, attr.ADMIN_COUNT) == 1:
        return False
    draft = draft_of(ctx, row)
    draft.put(attr.ADMIN_COUNT, b"1")
    if sd_id == row.sd_id:
        save(ctx, draft)
        return True
    save(ctx, draft, stamped=[attr.NT_SECURITY_DESCRIPTOR], change={"sd_id": sd_id})
    now = ctx.tx.get(row.dnt)
    assert now is not None
    sd_propagate.propagate(ctx, now, row.sd_id)
    return True


# --- who is protected --------------------------------------------------------------------------------------


def protected(ctx: ReadContext) -> list[ObjectRow]:
    """The principals that are protected now, powerful groups first. Spec: [MS-ADTS] 3.1.1.6.1.2.

    Deviation: the groups themselves are protected too, as on every Windows DC; an exclusion takes a group out
    of the powerful ones, and not its members out of the others that they are in.
    """
    roots = [row for sid in _powerful(ctx) for row in _of_sid(ctx, sid)]
    seen: dict[Dnt, ObjectRow] = {row.dnt: row for row in roots}
    frontier = roots
    while frontier:
        below: dict[Dnt, ObjectRow] = {}
        for group in frontier:
            for row in _members(ctx, group):
                if row.dnt not in seen:
                    below[row.dnt] = row
        seen.update(below)
        # Distribution groups pass protection on: a click makes security groups of them.
        frontier = [row for row in below.values() if entry.is_a(row, b"group")]
    for rid in _THEMSELVES:
        seen.update({row.dnt: row for row in _of_sid(ctx, ctx.forest.domain_sid.child(rid))})
    return [row for row in seen.values() if _is_principal(ctx, row)]


def _powerful(ctx: ReadContext) -> list[Sid]:
    excluded = policy.heuristics(ctx).admin_sd_ex_mask
    found = [sid for sid, bit in _BUILTIN_GROUPS if not excluded & bit]
    return found + [ctx.forest.domain_sid.child(rid) for rid in _DOMAIN_GROUPS]


def _of_sid(ctx: ReadContext, sid: Sid) -> list[ObjectRow]:
    rows = ctx.tx.by_sid(bytes(sid))
    return [row for row in rows if row.state is ObjectState.LIVE and row.nc == ctx.forest.domain_nc]


def _members(ctx: ReadContext, group: ObjectRow) -> Iterator[ObjectRow]:
    """Those in `member`, and those whose primary group it is."""
    links = ctx.tx.links(groups.MEMBER_LINK, group.dnt)
    for at in range(0, len(links), _PAGE):
        yield from ctx.tx.get_many([link.target for link in links[at : at + _PAGE]])
    if group.sid is not None and Sid(group.sid).domain() == ctx.forest.domain_sid:
        yield from _primary_members(ctx, group.sid)


def _primary_members(ctx: ReadContext, sid: bytes) -> Iterator[ObjectRow]:
    attribute = ctx.schema.attribute_by_id(attr.PRIMARY_GROUP_ID)
    assert attribute is not None
    key = attribute.syntax.key(b"%d" % int.from_bytes(sid[-4:], "little"))
    after = Dnt(0)
    while True:
        batch = ctx.tx.index_eq(attr.PRIMARY_GROUP_ID, key, limit=_PAGE, after=after)
        for row in ctx.tx.get_many(batch):
            if row.sid is not None and row.sid[:-4] == sid[:-4]:
                yield row
        if len(batch) < _PAGE:
            return
        after = batch[-1]


def _is_principal(ctx: ReadContext, row: ObjectRow) -> bool:
    """A user, or a group that counts in tokens, of this domain or of BUILTIN."""
    if row.state is not ObjectState.LIVE or row.nc != ctx.forest.domain_nc or row.sid is None:
        return False
    if Sid(row.sid).domain() not in (ctx.forest.domain_sid, wellknown.BUILTIN_DOMAIN):
        return False
    if entry.is_a(row, b"group"):
        return bool(entry.integer(row, attr.GROUP_TYPE) & _SECURE)
    return entry.is_a(row, b"user")
