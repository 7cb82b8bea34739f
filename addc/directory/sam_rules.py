"""What SAM demands and derives when users, computers and groups are written.

Each rule takes the draft of one object, refuses by DsError, and writes what follows from the requester's
values. hooks.py calls them in their fixed order.

Spec: [MS-SAMR] 3.1.1.6, 3.1.1.8.1 ... 3.1.1.8.10, [MS-ADTS] 3.1.1.5.2.2.
"""

import re
from typing import Final
from uuid import UUID

from addc.base.clock import NEVER_FT
from addc.base.errors import DsError
from addc.base.ids import AttId
from addc.codes.ldap_result import LdapResult
from addc.codes.win32 import Win32
from addc.directory import rights
from addc.directory.context import WriteContext
from addc.directory.draft import Draft
from addc.schema import attr
from addc.schema.wellknown import ExtendedRight
from addc.security import wellknown

_BAD_NAME_CHARACTERS: Final = frozenset('"/\\[]:|<>+=;?,*') | {chr(code) for code in range(0x20)}
_SAM_NAME_USER_MAX: Final = 20
_SAM_NAME_GROUP_MAX: Final = 256
_LOGON_HOURS_MAX: Final = 1260
"""10,080 minutes of a week, a bit each."""
_WORKSTATION_MAX: Final = 20
_DNS_NAME_MAX: Final = 255
_DNS_LABEL: Final = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
_OLD_CLIENTS_MIN_LENGTH_MAX: Final = 14

_KEPT_BY_USERS: Final[tuple[tuple[AttId, str], ...]] = (
    (attr.SAM_ACCOUNT_NAME, "sAMAccountName"),
    (attr.USER_ACCOUNT_CONTROL, "userAccountControl"),
    (attr.PRIMARY_GROUP_ID, "primaryGroupID"),
    (attr.ACCOUNT_EXPIRES, "accountExpires"),
    (attr.CODE_PAGE, "codePage"),
    (attr.COUNTRY_CODE, "countryCode"),
    (attr.PWD_LAST_SET, "pwdLastSet"),
)
_KEPT_BY_GROUPS: Final[tuple[tuple[AttId, str], ...]] = (
    (attr.SAM_ACCOUNT_NAME, "sAMAccountName"),
    (attr.GROUP_TYPE, "groupType"),
)
_USER_DEFAULTS: Final[tuple[tuple[AttId, bytes], ...]] = (
    (attr.BAD_PWD_COUNT, b"0"),
    (attr.CODE_PAGE, b"0"),
    (attr.COUNTRY_CODE, b"0"),
    (attr.BAD_PASSWORD_TIME, b"0"),
    (attr.LAST_LOGOFF, b"0"),
    (attr.LAST_LOGON, b"0"),
    (attr.PWD_LAST_SET, b"0"),
    (attr.ACCOUNT_EXPIRES, b"%d" % NEVER_FT),
    (attr.LOGON_COUNT, b"0"),
)


def unwilling(code: Win32, detail: str, attribute: str) -> DsError:
    """A refusal that comes as unwillingToPerform."""
    return DsError(code, detail, ldap_result=LdapResult.UNWILLING_TO_PERFORM, attribute=attribute)


def invalid(code: Win32, detail: str, attribute: str) -> DsError:
    """What SAM itself refuses comes as `other` with a SysErr text; the documents leave the result open."""
    return DsError(code, detail, ldap_result=LdapResult.OTHER, attribute=attribute)


def is_domain_admin(ctx: WriteContext) -> bool:
    """Whether the requester is the DC itself or a member of Domain Admins."""
    return ctx.unrestricted or ctx.forest.domain_sid.child(wellknown.RID_DOMAIN_ADMINS) in ctx.requester.sids


def check_kept(draft: Draft) -> None:
    """Values that every account has are changed and not taken away. Spec: [MS-SAMR] 3.1.1.8.1."""
    for att, name in _KEPT_BY_USERS if draft.plan.is_user else _KEPT_BY_GROUPS:
        if att in draft.given and not draft.has(att):
            raise unwilling(Win32.ERROR_DS_ILLEGAL_MOD_OPERATION, f"{name} cannot be removed", name)


def user_defaults(draft: Draft) -> None:
    """Values that every new user has. Spec: [MS-SAMR] 3.1.1.8.1."""
    for att, value in _USER_DEFAULTS:
        draft.put_if_absent(att, value)


def default_sam_account_name(ctx: WriteContext, draft: Draft) -> None:
    """`$XXXXXX-YYYYYYYYYYYY` where a new account was given no name, as Windows makes them up."""
    if draft.has(attr.SAM_ACCOUNT_NAME):
        return
    letters = "0123456789ABCDEFGHIJKLMNOPQRSTUV"
    made = "".join(letters[byte & 31] for byte in ctx.rng.bytes(18))
    name = f"${made[:6]}-{made[6:]}"
    if draft.plan.is_computer:
        name = name[:-1] + "$"
    draft.put(attr.SAM_ACCOUNT_NAME, name.encode())


def check_sam_account_name(ctx: WriteContext, draft: Draft) -> None:
    """The form of sAMAccountName. Spec: [MS-SAMR] 3.1.1.6, 3.1.1.8.4."""
    if not draft.changes(attr.SAM_ACCOUNT_NAME) or ctx.unrestricted:
        return
    name = draft.text(attr.SAM_ACCOUNT_NAME)
    if not name.strip() or name.endswith(".") or not _BAD_NAME_CHARACTERS.isdisjoint(name):
        raise invalid(Win32.ERROR_INVALID_ACCOUNT_NAME, "not a sAMAccountName", "sAMAccountName")
    # Deviation: computers may have longer names than 20 characters, as Windows lets LDAP clients make them.
    limit = _SAM_NAME_USER_MAX if draft.plan.is_user and not draft.plan.is_computer else _SAM_NAME_GROUP_MAX
    if len(name) > limit:
        raise invalid(Win32.ERROR_INVALID_ACCOUNT_NAME, "sAMAccountName is too long", "sAMAccountName")
    if draft.rid() == wellknown.RID_KRBTGT:
        raise invalid(Win32.ERROR_SPECIAL_ACCOUNT, "krbtgt keeps its name", "sAMAccountName")


def check_machine_name(ctx: WriteContext, draft: Draft) -> None:
    """A computer's name ends in one `$`, unless a domain admin says otherwise.

    Spec: [MS-SAMR] 3.1.1.6 (CVE-2021-42278).
    """
    if not draft.plan.is_computer or is_domain_admin(ctx) or not draft.changes(attr.SAM_ACCOUNT_NAME):
        return
    name = draft.text(attr.SAM_ACCOUNT_NAME)
    if not name.endswith("$") or name.endswith("$$"):
        raise unwilling(
            Win32.ERROR_INVALID_ACCOUNT_NAME, "a computer's sAMAccountName ends in $", "sAMAccountName"
        )


def check_account_values(draft: Draft) -> None:
    """accountExpires, logonHours and userWorkstations. Spec: [MS-SAMR] 3.1.1.6."""
    if draft.changes(attr.ACCOUNT_EXPIRES) and draft.rid() == wellknown.RID_ADMINISTRATOR:
        if draft.integer(attr.ACCOUNT_EXPIRES) not in (0, NEVER_FT):
            raise invalid(Win32.ERROR_SPECIAL_ACCOUNT, "the administrator does not expire", "accountExpires")
    if draft.changes(attr.LOGON_HOURS) and len(draft.first(attr.LOGON_HOURS) or b"") > _LOGON_HOURS_MAX:
        raise invalid(Win32.ERROR_INVALID_PARAMETER, "a week has 10080 minutes", "logonHours")
    if draft.changes(attr.USER_WORKSTATIONS) and draft.has(attr.USER_WORKSTATIONS):
        for name in draft.text(attr.USER_WORKSTATIONS).split(","):
            if not _is_workstation(name):
                raise invalid(Win32.ERROR_INVALID_PARAMETER, "not the name of a machine", "userWorkstations")


def _is_workstation(name: str) -> bool:
    """A DNS host name, or a NetBIOS name. Spec: [MS-SAMR] 3.1.1.6 (userWorkstations), RFC 1123 2.1."""
    if 1 < len(name) <= _WORKSTATION_MAX and name == name.strip(" "):
        if _BAD_NAME_CHARACTERS.isdisjoint(name):
            return True
    return 0 < len(name) <= _DNS_NAME_MAX and all(_DNS_LABEL.fullmatch(label) for label in name.split("."))


def may_on_domain(ctx: WriteContext, right: UUID) -> bool:
    """Whether the requester holds a control access right on the root of the domain NC."""
    if ctx.unrestricted:
        return True
    domain = ctx.tx.get(ctx.forest.domain_nc)
    assert domain is not None
    return rights.grants(ctx, domain).allows(rights.CONTROL_ACCESS, right.bytes_le)


def additional_sam_account_names(draft: Draft) -> None:
    """Every additional host name `label.suffix` brings the name `label$` along, and takes it away again.

    Spec: [MS-ADTS] 3.1.1.5.3.3.
    """
    if not draft.changes(attr.MS_DS_ADDITIONAL_DNS_HOST_NAME):
        return
    before = {_account_of(host) for host in draft.before.get(attr.MS_DS_ADDITIONAL_DNS_HOST_NAME, ())}
    after = {_account_of(host) for host in draft.get(attr.MS_DS_ADDITIONAL_DNS_HOST_NAME)}
    kept = [name for name in draft.get(attr.MS_DS_ADDITIONAL_SAM_ACCOUNT_NAME) if name not in before - after]
    draft.put(attr.MS_DS_ADDITIONAL_SAM_ACCOUNT_NAME, *kept, *sorted((after - before) - set(kept)))


def _account_of(host: bytes) -> bytes:
    return host.partition(b".")[0] + b"$"


def pwd_last_set(ctx: WriteContext, draft: Draft) -> None:
    """pwdLastSet by a requester: 0 lets the password expire, -1 lets it live again; nothing else.

    Spec: [MS-SAMR] 3.1.1.8.8; 3.1.1.8.7 for Unexpire-Password.
    """
    if attr.PWD_LAST_SET not in draft.given or attr.UNICODE_PWD in draft.touched or ctx.unrestricted:
        return  # with a new password, passwords.py has settled it
    asked, old = draft.integer(attr.PWD_LAST_SET), draft.integer_before(attr.PWD_LAST_SET)
    if asked == 0:
        return
    if asked != -1:
        raise invalid(Win32.ERROR_INVALID_PARAMETER, "pwdLastSet takes 0 or -1", "pwdLastSet")
    if old:
        draft.put_integer(attr.PWD_LAST_SET, old)
    elif may_on_domain(ctx, ExtendedRight.UNEXPIRE_PASSWORD):
        draft.put_integer(attr.PWD_LAST_SET, ctx.now)
    else:
        raise DsError(Win32.ERROR_ACCESS_DENIED, "Unexpire-Password is needed", attribute="pwdLastSet")


def lockout_time(ctx: WriteContext, draft: Draft) -> None:
    """Unlocking resets the count of bad passwords. Spec: [MS-SAMR] 3.1.1.8.3."""
    if attr.LOCKOUT_TIME not in draft.given:
        return
    if draft.integer(attr.LOCKOUT_TIME) == 0:
        if draft.integer(attr.BAD_PWD_COUNT):
            draft.put(attr.BAD_PWD_COUNT, b"0")
    elif not ctx.unrestricted:
        raise invalid(Win32.ERROR_INVALID_PARAMETER, "lockoutTime takes 0", "lockoutTime")


def check_domain_policy(draft: Draft) -> None:
    """Password and lockout policy on the domain object. Spec: [MS-SAMR] 3.1.1.6."""
    for att, name in (
        (attr.LOCK_OUT_OBSERVATION_WINDOW, "lockOutObservationWindow"),
        (attr.LOCKOUT_DURATION, "lockoutDuration"),
        (attr.MAX_PWD_AGE, "maxPwdAge"),
        (attr.MIN_PWD_AGE, "minPwdAge"),
    ):
        if draft.changes(att) and draft.integer(att) > 0:
            raise invalid(Win32.ERROR_INVALID_PARAMETER, f"{name} is a negative span", name)
    lockout = draft.changes(attr.LOCK_OUT_OBSERVATION_WINDOW) or draft.changes(attr.LOCKOUT_DURATION)
    if lockout and draft.integer(attr.LOCK_OUT_OBSERVATION_WINDOW) < draft.integer(attr.LOCKOUT_DURATION):
        raise invalid(
            Win32.ERROR_INVALID_PARAMETER, "the window outlasts the lockout", "lockOutObservationWindow"
        )
    if draft.changes(attr.PWD_HISTORY_LENGTH) and draft.integer(attr.PWD_HISTORY_LENGTH) > 1024:
        raise invalid(Win32.ERROR_INVALID_PARAMETER, "at most 1024", "pwdHistoryLength")
    longest = _OLD_CLIENTS_MIN_LENGTH_MAX if draft.integer(attr.UAS_COMPAT) else 256
    if draft.changes(attr.MIN_PWD_LENGTH) and draft.integer(attr.MIN_PWD_LENGTH) > longest:
        raise invalid(Win32.ERROR_INVALID_PARAMETER, f"at most {longest}", "minPwdLength")
