"""Counters that logons leave on accounts: bad passwords and lockout, last logon.

Design: no logon waits for these. The service asks `is_due` of the facts it has at hand and, only then, queues
`record_logon` on the writer without awaiting it; group commit takes many together. What is lost in a crash is
a few seconds of lastLogon. lastLogon and logonCount of an account that logs on again and again are written
once a minute; a logon that ends a row of bad passwords, or a lockout, is always written.

Spec: [MS-SAMR] 3.1.5.14.5, 3.1.5.14.6, [MS-ADA1] lastLogonTimestamp, [MS-ADA2] msDS-LogonTimeSyncInterval.
"""

from typing import Final

from addc.base.clock import DAY_FT, TICKS_PER_S
from addc.base.ids import Dnt
from addc.base.secret import Secret
from addc.codec.ids import Sid
from addc.directory import accounts, audit, entry
from addc.directory.accounts import Account
from addc.directory.context import ReadContext, WriteContext
from addc.directory.draft import Draft, draft_of
from addc.directory.password_policy import PasswordPolicy, PwdProperties, effective_policy
from addc.directory.stamp import save
from addc.schema import attr
from addc.security import wellknown
from addc.security.krb_keys import nt_hash
from addc.store.objects import ObjectRow

LAST_LOGON_EVERY_S: Final = 60
SYNC_INTERVAL_DAYS: Final = 14
_SPREAD_DAYS: Final = 5


def is_due(account: Account, now: int) -> bool:
    """Whether a successful logon at `now` is worth a write."""
    return bool(
        account.bad_pwd_count
        or account.lockout_time
        or now - account.last_logon >= LAST_LOGON_EVERY_S * TICKS_PER_S
    )


def record_logon(ctx: WriteContext, dnt: Dnt) -> bool:
    """Note a successful logon; False if there was nothing to write."""
    row = ctx.tx.get(dnt)
    if row is None or not accounts.is_account(row) or not is_due(accounts.account(ctx, row), ctx.now):
        return False
    draft = draft_of(ctx, row)
    draft.put_integer(attr.LAST_LOGON, ctx.now)
    draft.put_integer(attr.LOGON_COUNT, min(draft.integer(attr.LOGON_COUNT) + 1, 0x7FFF_FFFF))
    if draft.integer(attr.BAD_PWD_COUNT):
        draft.put(attr.BAD_PWD_COUNT, b"0")
    if draft.integer(attr.LOCKOUT_TIME):
        draft.put(attr.LOCKOUT_TIME, b"0")
    if _is_stale(ctx, draft):
        draft.put_integer(attr.LAST_LOGON_TIMESTAMP, ctx.now)
    return save(ctx, draft)


def _is_stale(ctx: WriteContext, draft: Draft) -> bool:
    """Whether lastLogonTimestamp, which replicates, is old enough to be renewed.

    Older than the interval less a random part of five days, so that accounts do not renew in step.
    """
    domain = ctx.tx.get(ctx.forest.domain_nc)
    days = SYNC_INTERVAL_DAYS
    if domain is not None:
        days = entry.integer(domain, attr.MS_DS_LOGON_TIME_SYNC_INTERVAL, days)
    if days == 0:
        return False
    span = days * DAY_FT
    if days >= _SPREAD_DAYS:
        span -= int.from_bytes(ctx.rng.bytes(4), "big") * _SPREAD_DAYS * DAY_FT >> 32
    return ctx.now - draft.integer(attr.LAST_LOGON_TIMESTAMP) >= span


def record_bad_password(ctx: WriteContext, dnt: Dnt, password: Secret | None = None) -> bool:
    """Count a wrong password; whether the account is locked now.

    password: UTF-16LE; one of the two passwords before the present one is no attack and does not count.
    Spec: [MS-SAMR] 3.1.5.14.6.
    """
    row = ctx.tx.get(dnt)
    if row is None or not accounts.is_account(row):
        return False
    rules = effective_policy(ctx, row)
    draft = draft_of(ctx, row)
    locked = draft.integer(attr.LOCKOUT_TIME)
    if locked:
        if not rules.lockout_duration or ctx.now < locked + rules.lockout_duration:
            return True
        draft.put(attr.LOCKOUT_TIME, b"0")
        draft.put(attr.BAD_PWD_COUNT, b"0")
    window = rules.observation_window
    is_late = bool(window) and ctx.now - draft.integer(attr.BAD_PASSWORD_TIME) > window
    count = draft.integer(attr.BAD_PWD_COUNT)
    if not (password is not None and was_used(row, password)):
        count = 1 if is_late else count + 1
        draft.put_integer(attr.BAD_PWD_COUNT, count)
    draft.put_integer(attr.BAD_PASSWORD_TIME, ctx.now)
    enough = bool(rules.lockout_threshold) and count >= rules.lockout_threshold
    lock = enough and _may_lock(draft.rid(), rules)
    if lock:
        draft.put_integer(attr.LOCKOUT_TIME, ctx.now)
    save(ctx, draft)
    if lock:
        audit.locked_out(ctx, dnt)
    return lock


def settle_wrong(ctx: WriteContext, dnt: Dnt, password: Secret | None = None) -> bool:
    """Count a wrong password before anybody is told that it was; whether that may be told.

    False where others locked the account out since it was judged: each worker process judges by what it sees,
    but all counts pass the one writer, so that no more guesses than the threshold are ever answered.
    """
    if is_locked_out(ctx, dnt):
        return False
    record_bad_password(ctx, dnt, password)
    return True


def settle_right(ctx: WriteContext, dnt: Dnt) -> bool:
    """Note a logon; whether it may be told: a right guess may come too late, as with `settle_wrong`."""
    if is_locked_out(ctx, dnt):
        return False
    record_logon(ctx, dnt)
    return True


def is_locked_out(ctx: ReadContext, dnt: Dnt) -> bool:
    """Whether wrong passwords keep everybody out now."""
    row = ctx.tx.get(dnt)
    since = 0 if row is None else entry.integer(row, attr.LOCKOUT_TIME)
    if row is None or not since:
        return False
    span = effective_policy(ctx, row).lockout_duration
    return not span or ctx.now < since + span


def is_guessed_at(ctx: ReadContext, account: Account) -> bool:
    """Whether somebody may be guessing the account's password, so that even a right one is to be settled."""
    return bool(account.bad_pwd_count) and can_lock_out(ctx, account.dnt)


def can_lock_out(ctx: ReadContext, dnt: Dnt) -> bool:
    """Whether wrong passwords lock this account out some time."""
    row = ctx.tx.get(dnt)
    if row is None or row.sid is None:
        return False
    rules = effective_policy(ctx, row)
    return bool(rules.lockout_threshold) and _may_lock(int(Sid(row.sid).rid()), rules)


def _may_lock(rid: int, rules: PasswordPolicy) -> bool:
    """The administrator is locked out only where the domain says so."""
    return rid != wellknown.RID_ADMINISTRATOR or bool(rules.properties & PwdProperties.DOMAIN_LOCKOUT_ADMINS)


def was_used(row: ObjectRow, password: Secret) -> bool:
    """Whether `password` is one of the two before the present one."""
    history = entry.first(row, attr.NT_PWD_HISTORY) or b""
    given = nt_hash(password)
    return any(history[at : at + 16] == given for at in (16, 32) if len(history) >= at + 16)
