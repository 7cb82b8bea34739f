"""From the directory to the KDC's facts about delegated managed accounts.

Spec: [MS-KILE] 2.2.13, 2.2.14.
"""

from dataclasses import replace

from addc.base.clock import FileTime
from addc.base.errors import DsError
from addc.base.ids import Dnt
from addc.directory import accounts, delegated_accounts, entry, groups, managed_passwords, passwords
from addc.directory.accounts import Account
from addc.directory.context import ReadContext
from addc.kdc.facts import Delegated, Membership, Principal
from addc.schema import attr
from addc.schema.wellknown import SUPERSEDED_SERVICE_ACCOUNT_STATE
from addc.security import gkdi
from addc.security.krb_keys import Key
from addc.store.objects import ObjectRow


def successor(ctx: ReadContext, row: ObjectRow) -> str | None:
    """The name of the account that has replaced this one; almost no row has the attribute to begin with."""
    if SUPERSEDED_SERVICE_ACCOUNT_STATE not in row.attrs:
        return None
    heir = delegated_accounts.successor(ctx, row)
    return None if heir is None else entry.text(heir, attr.SAM_ACCOUNT_NAME)


def delegated(
    ctx: ReadContext, wanted: Principal, own: Membership, old: Membership | None, machine: Account
) -> Delegated | None:
    """What a machine that asks for an account may have of it; None for what is no delegated account.

    own: the account's groups. old: those of the account that it replaced.
    """
    row = ctx.tx.get(Dnt(wanted.key))
    if row is None or not delegated_accounts.is_delegated(row):
        return None
    allowed = delegated_accounts.may_act_as(ctx, row, groups.token_for(ctx, machine.dnt))
    try:
        expiry_ft = managed_passwords.schedule(ctx, row).expiry_ft
    except DsError:
        expiry_ft = ctx.now
    found = managed_passwords.managed_keys(ctx, row).keys
    previous: tuple[Key, ...] = () if found.old is None else found.old.keys
    replaced = delegated_accounts.predecessor(ctx, row)
    if replaced is not None:
        previous += passwords.keys_of(ctx, replaced).keys
    return Delegated(
        allowed,
        found.keys,
        previous,
        FileTime(expiry_ft),
        FileTime(max(expiry_ft - gkdi.MAX_CLOCK_SKEW_FT, ctx.now)),
        own if old is None else _joined(own, old),
    )


def replaced_account(ctx: ReadContext, wanted: Principal) -> Account | None:
    """The account that a delegated one has replaced."""
    row = ctx.tx.get(Dnt(wanted.key))
    old = None if row is None else delegated_accounts.predecessor(ctx, row)
    return None if old is None else accounts.find_by_dnt(ctx, old.dnt)


def with_itself(account: Account, membership: Membership) -> Membership:
    """A replaced account's groups, and the account itself among them."""
    return replace(membership, domain_rids=(*membership.domain_rids, int(account.sid.rid())))


def _joined(own: Membership, old: Membership) -> Membership:
    return replace(
        own,
        domain_rids=tuple(dict.fromkeys((*own.domain_rids, *old.domain_rids))),
        other_sids=tuple(dict.fromkeys((*own.other_sids, *old.other_sids))),
        resource_rids=tuple(dict.fromkeys((*own.resource_rids, *old.resource_rids))),
    )
