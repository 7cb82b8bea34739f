"""Whether an account may log on now, whatever the protocol: one list of rules in one order.

Before the password is judged: locked out. After it proved right: disabled, expired, hours, workstation,
smart card, age of the password. So nobody who lacks the password learns anything but the lockout.

Spec: [MS-SAMR] 3.1.5.14.6, 2.2.6.5; [MS-KILE] 3.3.5.6.3, 3.3.5.7.1; [MS-APDS] 3.1.5
"""

from dataclasses import dataclass
from typing import Final

from addc.base.clock import HOUR_FT, NEVER_FT, FileTime
from addc.codes.ntstatus import NtStatus

_WEEK_HOURS: Final = 168
_MAP_BYTES: Final = 21
_MONDAY_OFFSET_HOURS: Final = 24
"""1601-01-01 was a Monday; the map of allowed hours begins with Sunday."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What the rules look at. Times are FILETIME.

    lockout_until: 0 = not locked. account_expires: 0 or NEVER_FT = never. password_must_change: 0 = at once.
    logon_hours: 21 bytes, bit n = n-th hour since Sunday 00:00 UTC; None = always. workstations: () = any.
    of_trust: an interdomain trust account.
    """

    disabled: bool = False
    lockout_until: int = 0
    account_expires: int = int(NEVER_FT)
    password_must_change: int = int(NEVER_FT)
    logon_hours: bytes | None = None
    workstations: tuple[str, ...] = ()
    smartcard_required: bool = False
    of_trust: bool = False


def lockout(standing: Standing, now: FileTime) -> NtStatus | None:
    """The refusal that holds before any password is looked at."""
    return NtStatus.STATUS_ACCOUNT_LOCKED_OUT if standing.lockout_until > now else None


def account_refusal(standing: Standing, now: FileTime) -> NtStatus | None:
    """What is wrong with the account as such: disabled, locked out or expired."""
    if standing.disabled:
        return NtStatus.STATUS_ACCOUNT_DISABLED
    if standing.lockout_until > now:
        return NtStatus.STATUS_ACCOUNT_LOCKED_OUT
    if standing.account_expires and standing.account_expires <= now:
        return NtStatus.STATUS_ACCOUNT_EXPIRED
    return None


def trust_refusal(standing: Standing) -> NtStatus | None:
    """A trusting domain's account is for its secure channel and for Kerberos; nobody logs on with it.

    Spec: [MS-APDS] 3.1.5.
    """
    return NtStatus.STATUS_NOLOGON_INTERDOMAIN_TRUST_ACCOUNT if standing.of_trust else None


def logon_refusal(standing: Standing, now: FileTime, workstation: str | None) -> NtStatus | None:
    """What forbids this logon although account and password are right; the password's age is apart.

    workstation: NetBIOS name of the client's machine; None where the protocol does not tell it.
    """
    if not within_logon_hours(standing.logon_hours, now):
        return NtStatus.STATUS_INVALID_LOGON_HOURS
    if standing.workstations and workstation is not None:
        allowed = {name.casefold() for name in standing.workstations}
        if workstation.casefold() not in allowed:
            return NtStatus.STATUS_INVALID_WORKSTATION
    if standing.smartcard_required:
        return NtStatus.STATUS_SMARTCARD_LOGON_REQUIRED
    return None


def password_refusal(standing: Standing, now: FileTime) -> NtStatus | None:
    """Whether the password, though right, is too old; a change of it is still allowed."""
    if standing.password_must_change == 0:
        return NtStatus.STATUS_PASSWORD_MUST_CHANGE
    return NtStatus.STATUS_PASSWORD_EXPIRED if standing.password_must_change <= now else None


def within_logon_hours(hours: bytes | None, now: FileTime) -> bool:
    """Whether the map of allowed hours allows this one."""
    if hours is None or len(hours) != _MAP_BYTES:
        return True
    hour = (now // HOUR_FT + _MONDAY_OFFSET_HOURS) % _WEEK_HOURS
    return bool(hours[hour >> 3] >> (hour & 7) & 1)


def hours_end(hours: bytes | None, account_expires: int, now: FileTime) -> int:
    """When the allowed hours end, or the account ([MS-KILE] 3.3.5.6.4.1, LogoffTime)."""
    if hours is None or len(hours) != _MAP_BYTES or hours == b"\xff" * _MAP_BYTES:
        return account_expires
    start = now // HOUR_FT
    for ahead in range(1, _WEEK_HOURS + 1):
        if not within_logon_hours(hours, FileTime((start + ahead) * HOUR_FT)):
            return min((start + ahead) * HOUR_FT, account_expires)
    return account_expires
