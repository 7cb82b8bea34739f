"""What a security template says of the domain's passwords, lockout and tickets, and how objects keep that.

All values are compared and carried in the form of the template: numbers of days, minutes and so on.

Spec: [MS-GPSB] 2.2.1 (System Access), 2.2.2 (Kerberos Policy), 3.2.5.1, 3.2.5.2.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from addc.base.clock import DAY_FT, MINUTE_FT
from addc.codec.inf_file import InfFile
from addc.directory import entry
from addc.directory.kerberos_policy import KerberosPolicy
from addc.directory.modify import Change, ModOp
from addc.directory.password_policy import PwdProperties
from addc.schema import attr
from addc.store.objects import ObjectRow

SYSTEM_ACCESS: Final = "System Access"
KERBEROS: Final = "Kerberos Policy"
RIGHTS: Final = "Privilege Rights"
NEVER: Final = -(1 << 63)

Settings = dict[str, int]
"""By the template's names."""

_NUMBERS: Final = {
    "MinimumPasswordLength": (attr.MIN_PWD_LENGTH, "minPwdLength", 0, 65_535),
    "PasswordHistorySize": (attr.PWD_HISTORY_LENGTH, "pwdHistoryLength", 0, 65_535),
    "LockoutBadCount": (attr.LOCKOUT_THRESHOLD, "lockoutThreshold", 0, 65_535),
}
_SPANS: Final = {
    "MinimumPasswordAge": (attr.MIN_PWD_AGE, "minPwdAge", DAY_FT, 0, 999),
    "MaximumPasswordAge": (attr.MAX_PWD_AGE, "maxPwdAge", DAY_FT, -1, 999),
    "ResetLockoutCount": (attr.LOCK_OUT_OBSERVATION_WINDOW, "lockOutObservationWindow", MINUTE_FT, 1, 99_999),
    "LockoutDuration": (attr.LOCKOUT_DURATION, "lockoutDuration", MINUTE_FT, -1, 99_999),
}
_FLAGS: Final = {
    "PasswordComplexity": PwdProperties.DOMAIN_PASSWORD_COMPLEX,
    "ClearTextPassword": PwdProperties.DOMAIN_PASSWORD_STORE_CLEARTEXT,
}
_LOGOFF: Final = "ForceLogoffWhenHourExpire"
_ONLY_WITH_LOCKOUT: Final = frozenset(("ResetLockoutCount", "LockoutDuration"))
_OR_NEVER: Final = frozenset(("MaximumPasswordAge", "LockoutDuration"))
"""-1 stands for no end."""
_TICKETS: Final = {
    "MaxTicketAge": "max_ticket_age_h",
    "MaxRenewAge": "max_renew_age_d",
    "MaxServiceAge": "max_service_age_min",
    "MaxClockSkew": "max_clock_skew_min",
}
_VALIDATE: Final = "TicketValidateClient"
ACCESS_NAMES: Final = frozenset((*_NUMBERS, *_SPANS, *_FLAGS, _LOGOFF))
TICKET_NAMES: Final = frozenset((*_TICKETS, _VALIDATE))


def number(text: str) -> int | None:
    """A value as templates write it; None for what is no number."""
    try:
        return int(text, 0) if text.lower().startswith("0x") else int(text)
    except ValueError:
        return None


def said(template: InfFile, section: str, known: frozenset[str]) -> Settings:
    """What a section says of the known settings; values outside their ranges are not heeded."""
    found: Settings = {}
    spelled = {name.lower(): name for name in known}
    for name, text in template.items(section):
        proper, value = spelled.get(name.lower()), number(text)
        if proper is not None and value is not None and _in_range(proper, value):
            found[proper] = value
    return found


def _in_range(name: str, value: int) -> bool:
    if name in _NUMBERS:
        return _NUMBERS[name][2] <= value <= _NUMBERS[name][3]
    if name in _SPANS:
        return _SPANS[name][3] <= value <= _SPANS[name][4]
    return 0 <= value <= 99_999


# --- the domain object -------------------------------------------------------------------------------------


def of_domain(domain: ObjectRow) -> Settings:
    """What stands on the domain object."""
    found: Settings = {name: entry.integer(domain, att) for name, (att, *_) in _NUMBERS.items()}
    for name, (att, _, unit, *_) in _SPANS.items():
        value = entry.integer(domain, att)
        if value == NEVER or (value == 0 and name in _OR_NEVER):
            found[name] = -1 if name in _OR_NEVER else 0
        else:
            found[name] = -value // unit
    properties = entry.integer(domain, attr.PWD_PROPERTIES)
    for name, bit in _FLAGS.items():
        found[name] = 1 if properties & bit else 0
    found[_LOGOFF] = 1 if entry.integer(domain, attr.FORCE_LOGOFF, NEVER) == 0 else 0
    return found


def domain_changes(domain: ObjectRow, wanted: Mapping[str, int]) -> list[Change]:
    """What is to be changed on the domain object so that it says what is wanted."""
    held = of_domain(domain)
    changes = []
    properties = before = entry.integer(domain, attr.PWD_PROPERTIES)
    for name, value in wanted.items():
        if held.get(name) == value:
            continue
        if name in _NUMBERS:
            changes.append(_replace(_NUMBERS[name][1], value))
        elif name in _SPANS:
            never = name in _OR_NEVER and value <= 0
            changes.append(_replace(_SPANS[name][1], NEVER if never else -value * _SPANS[name][2]))
        elif name in _FLAGS:
            bit = int(_FLAGS[name])
            properties = properties | bit if value else properties & ~bit
        elif name == _LOGOFF:
            changes.append(_replace("forceLogoff", 0 if value else NEVER))
    if properties != before:
        changes.append(_replace("pwdProperties", properties))
    return changes


def _replace(name: str, value: int) -> Change:
    return Change(ModOp.REPLACE, name, (str(value).encode(),))


# --- tickets -----------------------------------------------------------------------------------------------


def of_tickets(policy: KerberosPolicy) -> Settings:
    """What the KDC keeps to."""
    found: Settings = {name: getattr(policy, field) for name, field in _TICKETS.items()}
    found[_VALIDATE] = int(policy.validate_client)
    return found


def ticket_policy(before: KerberosPolicy, wanted: Mapping[str, int]) -> KerberosPolicy:
    """`before` with what is wanted."""
    numbers = {field: wanted[name] for name, field in _TICKETS.items() if name in wanted}
    validate = bool(wanted.get(_VALIDATE, before.validate_client))
    return replace(before, **numbers, validate_client=validate)


# --- writing -----------------------------------------------------------------------------------------------


def put(template: InfFile, access: Mapping[str, int], tickets: Mapping[str, int]) -> None:
    """Have a template say these values."""
    locks = access.get("LockoutBadCount", number(template.get(SYSTEM_ACCESS, "LockoutBadCount") or "0"))
    for name, value in access.items():
        if name in _ONLY_WITH_LOCKOUT and not locks:
            template.drop(SYSTEM_ACCESS, name)
        else:
            template.put(SYSTEM_ACCESS, name, str(value))
    for name, value in tickets.items():
        template.put(KERBEROS, name, str(value))
