"""New secrets for accounts that only log on with smart cards: nobody types them, so nobody renews them.

Spec: [MS-PKCA] 3.1.5.2.2, [MS-SAMS] 3.2.4.7 (ResetSmartCardAccountPassword), [MS-ADA2] 2.319
(msDS-ExpirePasswordsOnSmartCardOnlyAccounts).
"""

from typing import Final

from addc.base.clock import FileTime
from addc.base.ids import Dnt
from addc.directory import accounts, entry
from addc.directory.account_control import forget_password
from addc.directory.context import ReadContext, WriteContext
from addc.directory.draft import draft_of
from addc.directory.password_policy import effective_policy
from addc.directory.stamp import save
from addc.schema import attr
from addc.security.account_flags import UserAccountControl
from addc.store.objects import ObjectRow

_SMARTCARD: Final = int(UserAccountControl.UF_SMARTCARD_REQUIRED)
_NEVER: Final = int(UserAccountControl.UF_DONT_EXPIRE_PASSWD)


def is_due(ctx: ReadContext, row: ObjectRow, until: FileTime) -> bool:
    """Whether an account's secret is to be renewed before a ticket that ends at `until` is made.

    At once where it is set to be changed or too old; and if it will be too old before the ticket ends, once
    half of its time is over, so that short lives do not renew it at each logon.
    """
    flags = entry.integer(row, attr.USER_ACCOUNT_CONTROL)
    if not flags & _SMARTCARD or flags & _NEVER or not _is_wanted(ctx):
        return False
    last_set = entry.integer(row, attr.PWD_LAST_SET)
    if last_set == 0:
        return True
    age = effective_policy(ctx, row).maximum_age
    if not age:
        return False
    end = last_set + age
    return end <= ctx.now or (end < until and ctx.now - last_set > age // 2)


def _is_wanted(ctx: ReadContext) -> bool:
    domain = ctx.tx.get(ctx.forest.domain_nc)
    assert domain is not None
    return entry.first(domain, attr.MS_DS_EXPIRE_PASSWORDS_ON_SMART_CARD_ONLY_ACCOUNTS) == b"TRUE"


def renew(ctx: WriteContext, account: Dnt, until: FileTime) -> None:
    """Random bytes in place of the secret, unless somebody has done that meanwhile."""
    row = ctx.tx.get(account)
    if row is None or not accounts.is_account(row) or not is_due(ctx, row, until):
        return
    draft = draft_of(ctx, row)
    forget_password(ctx, draft, effective_policy(ctx, row).history_length)
    draft.put_integer(attr.PWD_LAST_SET, int(ctx.now))
    save(ctx, draft)
