"""Passwords over SAM's remote protocol: changes by who proved the old one, resets by who holds a handle.

Spec: [MS-SAMR] 3.1.5.6.4, 3.1.5.10, 3.1.5.14.5, 3.1.5.14.6.
"""

from addc.base.errors import DsError
from addc.base.ids import Dnt
from addc.codes.win32 import Win32
from addc.directory import entry, logon_counters, passwords
from addc.directory.context import WriteContext
from addc.directory.draft import draft_of
from addc.directory.passwords import PreparedPassword, WrongPasswordError
from addc.directory.stamp import save
from addc.schema import attr
from addc.security.crypto.hashes import equal
from addc.store.objects import ObjectRow


def change_proved(ctx: WriteContext, account: Dnt, old: bytes, new: PreparedPassword | bytes) -> None:
    """Change a password whose old NT hash was proved to be known, in the name of the account itself.

    new: the password with its keys, or the NT hash of one that was not told.
    Raises WrongPasswordError where the old hash is not the present one, DsError: ERROR_ACCOUNT_LOCKED_OUT,
    ERROR_ACCESS_DENIED, ERROR_PASSWORD_RESTRICTION.
    """
    row = _account(ctx, account)
    if logon_counters.is_locked_out(ctx, account):
        raise DsError(Win32.ERROR_ACCOUNT_LOCKED_OUT, "the account is locked out")
    if not equal(present_hash(row) or b"", old):
        raise WrongPasswordError(account)
    if isinstance(new, PreparedPassword):
        passwords.change_password(ctx, row, None, new)
        return
    passwords.require_change_right(ctx, row)
    draft = draft_of(ctx, row)
    passwords.end_lockout(draft)
    passwords.store_hash(ctx, draft, new, change=True)
    save(ctx, draft)


def reset_to_hash(ctx: WriteContext, account: Dnt, nt_hash: bytes) -> None:
    """Reset a password that is told by its NT hash alone. Spec: [MS-SAMR] 3.1.5.6.4.3."""
    row = _account(ctx, account)
    passwords.require_reset_right(ctx, row)
    draft = draft_of(ctx, row)
    passwords.store_hash(ctx, draft, nt_hash, change=False)
    save(ctx, draft)


def present_hash(row: ObjectRow) -> bytes | None:
    """The NT hash of the present password; None where there is none, which nobody can prove to know."""
    return entry.first(row, attr.UNICODE_PWD)


def _account(ctx: WriteContext, account: Dnt) -> ObjectRow:
    row = ctx.tx.get(account)
    if row is None:
        raise DsError(Win32.ERROR_NO_SUCH_USER, "the account is gone")
    return row
