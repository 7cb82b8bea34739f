"""How many objects somebody may own in a naming context, and how many are his.

Only who creates objects in his own name is held to a quota; whose objects belong to a group is not.

Spec: [MS-ADTS] 3.1.1.5.2.5, 6.1.1.4.3, 3.1.1.4.5.22 - 3.1.1.4.5.24.
"""

from collections.abc import Callable
from typing import Final, NamedTuple

from addc.base.errors import DsError
from addc.base.ids import Dnt
from addc.codec.ids import Sid
from addc.codes.ldap_result import LdapResult
from addc.codes.ntstatus import NtStatus
from addc.directory import accounts, entry, groups, names, owners, rights, visibility
from addc.directory.context import ReadContext, WriteContext
from addc.schema import attr, cls
from addc.schema.wellknown import ExtendedRight, WellKnownContainer
from addc.store.objects import ObjectRow, ObjectState

UNLIMITED: Final = 0xFFFF_FFFF
"""msDS-QuotaAmount and msDS-DefaultQuota of -1."""
TOP_USAGE_RANGE: Final = 10
"""Values of msDS-TopQuotaUsage that are shown unless a range is asked for."""

_FACTOR_DEFAULT: Final = 100
_USAGE: Final = (
    "<MS_DS_TOP_QUOTA_USAGE>\n\t<partitionDN>{nc}</partitionDN>\n\t<ownerSID>{owner}</ownerSID>\n"
    "\t<quotaUsed>{used}</quotaUsed>\n\t<tombstoneCount>{dead}</tombstoneCount>\n"
    "\t<{last}>{count}</{last}>\n</MS_DS_TOP_QUOTA_USAGE>\n"
)


class Effect(NamedTuple):
    """What an operation adds to the objects of an owner."""

    live: int
    dead: int


ADDED: Final = Effect(1, 0)
DELETED: Final = Effect(-1, 1)
UNDELETED: Final = Effect(1, -1)
DEAD_GAINED: Final = Effect(0, 1)


def container(ctx: ReadContext, nc: Dnt) -> ObjectRow | None:
    """The NTDS Quotas container of a naming context."""
    root = ctx.tx.get(nc)
    found = None if root is None else names.well_known(ctx, root, WellKnownContainer.NTDS_QUOTAS)
    return found if found is not None and found.state is ObjectState.LIVE else None


def check(
    ctx: WriteContext, nc: Dnt, owner: Sid | None, effect: Effect = ADDED, *, bypass: bool = False
) -> None:
    """Refuse an operation that leaves the requester with more objects than he may own.

    owner: who owns the object once it is carried out. bypass: LDAP_SERVER_BYPASS_QUOTA_OID was sent.
    Raises DsError(STATUS_QUOTA_EXCEEDED).
    """
    if ctx.unrestricted or owner is None or owner != ctx.requester.user:
        return
    holder = container(ctx, nc)
    if holder is None:
        return
    limit = _limit(ctx, holder)
    if limit >= UNLIMITED or (bypass and _may_bypass(ctx, nc)):
        return
    factor = _factor(holder)
    live, dead = owners.owned(ctx, nc, owner, limit + 2)
    if _usage(live + effect.live, dead + effect.dead, factor) > limit:
        raise DsError(
            NtStatus.STATUS_QUOTA_EXCEEDED,
            "the requester owns as many objects as he may",
            ldap_result=LdapResult.ADMIN_LIMIT_EXCEEDED,
        )


def check_descriptor(
    ctx: WriteContext, nc: Dnt, sd_id: int, effect: Effect = ADDED, *, bypass: bool = False
) -> None:
    """`check` for the owner that a stored descriptor names."""
    if not ctx.unrestricted:
        check(ctx, nc, rights.descriptor_by_id(ctx, sd_id).owner, effect, bypass=bypass)


def check_new_owner(ctx: WriteContext, row: ObjectRow, sd_id: int) -> None:
    """`check` for an object that gets another descriptor, and with it perhaps another owner."""
    if ctx.unrestricted or rights.descriptor(ctx, row).owner == rights.descriptor_by_id(ctx, sd_id).owner:
        return
    check_descriptor(ctx, row.nc, sd_id, ADDED if row.state is ObjectState.LIVE else DEAD_GAINED)


def _may_bypass(ctx: WriteContext, nc: Dnt) -> bool:
    root = ctx.tx.get(nc)
    return root is not None and rights.holds_right(ctx, root, ExtendedRight.DS_BYPASS_QUOTA.bytes_le)


def _usage(live: int, dead: int, factor: int) -> int:
    return live + (dead * factor + 99) // 100


def _factor(holder: ObjectRow) -> int:
    return max(entry.integer(holder, attr.MS_DS_TOMBSTONE_QUOTA_FACTOR, _FACTOR_DEFAULT), 0)


def _amounts(ctx: ReadContext, holder: ObjectRow, seen: Callable[[ObjectRow], bool]) -> list[tuple[Sid, int]]:
    """Trustee and amount of the quotas in a container."""
    if not ctx.tx.has_children(holder.dnt):
        return []
    found = []
    for row in names.children(ctx, holder.dnt):
        trustee = entry.first(row, attr.MS_DS_QUOTA_TRUSTEE)
        if row.class_id == cls.MS_DS_QUOTA_CONTROL and trustee is not None and seen(row):
            found.append((Sid(trustee), entry.integer(row, attr.MS_DS_QUOTA_AMOUNT) & UNLIMITED))
    return found


def _limit(ctx: ReadContext, holder: ObjectRow) -> int:
    """MAX-USAGE of the requester."""
    mine = [amount for sid, amount in _amounts(ctx, holder, lambda _: True) if sid in ctx.requester.sids]
    return max(mine) if mine else entry.integer(holder, attr.MS_DS_DEFAULT_QUOTA, -1) & UNLIMITED


# --- constructed attributes --------------------------------------------------------------------------------


def _is_container(ctx: ReadContext, row: ObjectRow) -> bool:
    holder = container(ctx, row.nc)
    return holder is not None and holder.dnt == row.dnt


def _may_query(ctx: ReadContext, row: ObjectRow, sid: Sid) -> bool:
    """Whether the requester may learn about the quota of `sid`. Spec: 6.1.1.2.7.47 (DS-Query-Self-Quota)."""
    if sid == ctx.requester.user and rights.holds_right(ctx, row, ExtendedRight.DS_QUERY_SELF_QUOTA.bytes_le):
        return True
    return rights.allows(ctx, row, rights.READ_PROPERTY)


def _sids(ctx: ReadContext, sid: Sid) -> frozenset[Sid]:
    if sid == ctx.requester.user:
        return ctx.requester.sids
    account = accounts.find_by_sid(ctx, sid)
    return frozenset((sid,)) if account is None else groups.token_for(ctx, account.dnt).sids


def effective(ctx: ReadContext, row: ObjectRow, sid: Sid | None = None) -> list[bytes]:
    """msDS-QuotaEffective of a quotas container: the limit of `sid`, the requester's without one.

    -1 where there is no limit. Spec: 3.1.1.4.5.22.
    """
    who = sid or ctx.requester.user
    if not _is_container(ctx, row) or not _may_query(ctx, row, who):
        return []
    wanted = [ctx.schema.attribute_by_id(att) for att in (attr.MS_DS_QUOTA_AMOUNT, attr.MS_DS_QUOTA_TRUSTEE)]

    def seen(child: ObjectRow) -> bool:
        if who == ctx.requester.user:  # one's own limit is told even where the object that sets it is hidden
            return True
        readable = all(one is not None and rights.can_read(ctx, child, one) for one in wanted)
        return readable and visibility.visible(ctx, child)

    sids = _sids(ctx, who)
    amounts = [amount for trustee, amount in _amounts(ctx, row, seen) if trustee in sids]
    limit = max(amounts) if amounts else entry.integer(row, attr.MS_DS_DEFAULT_QUOTA, -1) & UNLIMITED
    return [b"%d" % (limit - (1 << 32) if limit >> 31 else limit)]


def used(ctx: ReadContext, row: ObjectRow, sid: Sid | None = None) -> list[bytes]:
    """msDS-QuotaUsed of a quotas container: what `sid` uses of it. Spec: 3.1.1.4.5.23."""
    who = sid or ctx.requester.user
    if not _is_container(ctx, row) or not _may_query(ctx, row, who):
        return []
    live, dead = owners.owned(ctx, row.nc, who)
    return [b"%d" % _usage(live, dead, _factor(row))]


def _usages(ctx: ReadContext, holder: ObjectRow) -> list[tuple[int, int, int, Sid]]:
    """What everybody uses, highest first: used, deleted, all, owner."""
    factor = _factor(holder)
    found = []
    for owner in owners.owners(ctx, holder.nc):
        live, dead = owners.owned(ctx, holder.nc, owner)
        found.append((_usage(live, dead, factor), dead, live + dead, owner))
    return sorted(found, key=lambda one: (-one[0], str(one[3])))


def top_usage(ctx: ReadContext, row: ObjectRow) -> list[bytes]:
    """msDS-TopQuotaUsage of a quotas container, whole; a search shows the first TOP_USAGE_RANGE.

    Spec: [MS-ADTS] 3.1.1.4.5.24.
    """
    if not _is_container(ctx, row) or not rights.allows(ctx, row, rights.READ_PROPERTY):
        return []
    nc = names.dn_of(ctx, row.nc)
    return [
        _USAGE.format(nc=nc, owner=owner, used=use, dead=dead, last="totalCount", count=total).encode()
        for use, dead, total, owner in _usages(ctx, row)
    ]


def top_usage_of_dc(ctx: ReadContext, ncs: list[Dnt]) -> list[bytes]:
    """msDS-TopQuotaUsage of the rootDSE: the ten who use most in the naming contexts of this DC.

    Spec: [MS-ADTS] 3.1.1.3.2.31.
    """
    found = []
    for nc in ncs:
        holder = container(ctx, nc)
        if holder is not None and rights.allows(ctx, holder, rights.READ_PROPERTY):
            found += [(*one, names.dn_of(ctx, nc)) for one in _usages(ctx, holder)]
    found.sort(key=lambda one: -one[0])
    return [
        _USAGE.format(nc=nc, owner=owner, used=use, dead=dead, last="liveCount", count=total - dead).encode()
        for use, dead, total, owner, nc in found[:TOP_USAGE_RANGE]
    ]
