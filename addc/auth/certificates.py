"""The account that a client's certificate proves.

The TLS library has checked that one of the trusted authorities issued it and that it is in its time.

Spec: [MS-ADTS] 5.1.1.2, [MS-PKCA] 3.1.5.2.1.3.
"""

from addc.auth.gss import AuthError
from addc.base.errors import DecodeError
from addc.codec.ids import Sid
from addc.codes.ntstatus import NtStatus
from addc.directory import accounts, logon
from addc.directory.accounts import Account
from addc.directory.context import ReadContext
from addc.schema import attr
from addc.security import logon_rules
from addc.security.crypto import client_certificate


def account_of(ctx: ReadContext, der: bytes) -> Account:
    """The one account that the certificate is mapped to; raises AuthError if that is none or several."""
    try:
        found = client_certificate.read(der)
    except DecodeError as error:
        raise AuthError(str(error)) from None
    mapped: dict[int, Account] = {}
    for identity in found.identities:
        for row in accounts.indexed(ctx, attr.ALT_SECURITY_IDENTITIES, identity):
            if accounts.is_account(row):
                mapped[row.dnt] = accounts.account(ctx, row)
    if not mapped and found.sid:
        try:
            account = accounts.find_by_sid(ctx, Sid.parse(found.sid))
        except DecodeError:
            account = None
        if account is not None:
            mapped[account.dnt] = account
    if len(mapped) != 1:
        raise AuthError(f"the certificate is mapped to {len(mapped)} accounts")
    return next(iter(mapped.values()))


def refusal(ctx: ReadContext, account: Account) -> NtStatus | None:
    """Why the account may not log on with its certificate; None if it may. No password is looked at."""
    row = ctx.tx.get(account.dnt)
    if row is None:
        return NtStatus.STATUS_NO_SUCH_USER
    standing = logon.standing(ctx, account, row)
    if (locked := logon_rules.account_refusal(standing, ctx.now)) is not None:
        return locked
    return (
        None
        if logon_rules.within_logon_hours(account.logon_hours, ctx.now)
        else (NtStatus.STATUS_INVALID_LOGON_HOURS)
    )
