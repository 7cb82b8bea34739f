"""What `addc domain` does: the domain as a whole, its functional levels, its rules for passwords.

Spec: [MS-ADTS] 6.1.4.2 - 6.1.4.4 (functional levels), [MS-SAMR] 3.1.1.5 (password and lockout settings).
"""

from dataclasses import dataclass
from typing import Final

from addc.base.clock import TICKS_PER_S
from addc.base.errors import UserError
from addc.codec.dn import Dn
from addc.directory.password_policy import PASSWORD_LENGTH_MAX, PwdProperties
from addc.server.admin import site_servers
from addc.server.admin.site_objects import Facts, class_is, rdn_of, same
from addc.server.admin.target import ONE_LEVEL, Change, Entry, Modify, Operation, Target, replace

LEVELS: Final = {
    "2000": 0, "2003-interim": 1, "2003": 2, "2008": 3, "2008R2": 4, "2012": 5, "2012R2": 6, "2016": 7,
    "2025": 10,
}  # fmt: skip
_NEVER: Final = -(1 << 63)
_MINUTE: Final = 60 * TICKS_PER_S
_DAY: Final = 24 * 60 * _MINUTE
_DAYS_MAX: Final = 999
_MINUTES_MAX: Final = 99_999
_HISTORY_MAX: Final = 1024
_THRESHOLD_MAX: Final = 999
_TOMBSTONE_DAYS: Final = 60
"""Where tombstoneLifetime is not set ([MS-ADTS] 6.1.1.2.4.1.1)."""


def _partitions(target: Target) -> str:
    return f"CN=Partitions,{target.place.config_dn}"


def _read(target: Target, dn: str, *attributes: str) -> Entry:
    found = target.read(dn, attributes)
    if found is None:
        raise UserError(f"{dn} cannot be read. Next step: run the command as somebody who may")
    return found


def level_name(number: int) -> str:
    """As people call a functional level."""
    return next((name for name, one in LEVELS.items() if one == number), str(number))


def info(target: Target) -> Facts:
    """The domain at a glance."""
    place = target.place
    domain = _read(target, place.domain_dn, "objectSid", "msDS-Behavior-Version", "ms-DS-MachineAccountQuota")
    partitions = _read(target, _partitions(target), "msDS-Behavior-Version", "msDS-EnabledFeature")
    refs = target.search(
        _partitions(target), ONE_LEVEL, class_is("crossRef"), ("nCName", "nETBIOSName", "dnsRoot")
    )
    ref = next((one for one in list(refs) if same(one.text("nCName"), place.domain_dn)), None)
    schema = _read(target, place.schema_dn, "objectVersion")
    service = target.read(
        f"CN=Directory Service,CN=Windows NT,CN=Services,{place.config_dn}", ("tombstoneLifetime",)
    )
    sid = domain.sid()
    return {
        "domain": place.dns_domain,
        "netbios": "" if ref is None else ref.text("nETBIOSName"),
        "sid": "" if sid is None else str(sid),
        "forest": Dn.parse(place.config_dn).parent.dns_domain(),
        "dn": place.domain_dn,
        "domain_level": level_name(domain.number("msDS-Behavior-Version")),
        "forest_level": level_name(partitions.number("msDS-Behavior-Version")),
        "schema": schema.number("objectVersion"),
        "features": sorted(rdn_of(one) for one in partitions.texts("msDS-EnabledFeature")),
        "machine_account_quota": domain.number("ms-DS-MachineAccountQuota"),
        "tombstone_days": _TOMBSTONE_DAYS
        if service is None
        else service.number("tombstoneLifetime", _TOMBSTONE_DAYS),
        "dcs": [
            f"{one['host'] or one['name']} ({one['site']})"
            for one in site_servers.servers(target)
            if one["dc"]
        ],
    }


# --- functional levels -------------------------------------------------------------------------------------


def levels(target: Target) -> Facts:
    """Of domain and forest, and the highest that every DC can do."""
    domain = _read(target, target.place.domain_dn, "msDS-Behavior-Version")
    forest = _read(target, _partitions(target), "msDS-Behavior-Version")
    dsas = [
        target.read(f"CN=NTDS Settings,{one['dn']}", ("msDS-Behavior-Version",))
        for one in site_servers.servers(target)
        if one["dc"]
    ]
    able = [one.number("msDS-Behavior-Version") for one in dsas if one is not None]
    return {
        "domain": level_name(domain.number("msDS-Behavior-Version")),
        "forest": level_name(forest.number("msDS-Behavior-Version")),
        "dcs_can": level_name(min(able)) if able else "",
    }


def set_levels(target: Target, *, domain: str = "", forest: str = "", dry_run: bool = False) -> Facts:
    """Raise (or lower, where that is allowed) functional levels; the domain first."""
    operations: list[Operation] = []
    for name, dn in ((domain, target.place.domain_dn), (forest, _partitions(target))):
        if name:
            value = str(_level(name)).encode()
            operations.append(Modify(dn, [replace("msDS-Behavior-Version", value)]))
    if not operations:
        raise UserError("No level was named. Next step: --domain LEVEL, --forest LEVEL, or both")
    before = levels(target)
    target.apply(operations, dry_run=dry_run)
    return {
        **before,
        "domain": domain or before["domain"],
        "forest": forest or before["forest"],
        "before": before,
    }


def _level(name: str) -> int:
    found = next((number for one, number in LEVELS.items() if one.lower() == name.lower()), None)
    if found is None:
        raise UserError(f"There is no functional level {name!r}. Next step: one of {', '.join(LEVELS)}")
    return found


# --- passwords ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PasswordSettings:
    """What is to be changed; None for as it is. max_age_days 0: never; lockout_minutes 0: until unlocked."""

    complexity: bool | None = None
    plain_text: bool | None = None
    history: int | None = None
    min_length: int | None = None
    min_age_days: int | None = None
    max_age_days: int | None = None
    lockout_threshold: int | None = None
    lockout_minutes: int | None = None
    window_minutes: int | None = None


_NUMBERS: Final = (
    ("history", "pwdHistoryLength", _HISTORY_MAX),
    ("min_length", "minPwdLength", PASSWORD_LENGTH_MAX),
    ("lockout_threshold", "lockoutThreshold", _THRESHOLD_MAX),
)
_SPANS: Final = (
    ("min_age_days", "minPwdAge", _DAY, _DAYS_MAX),
    ("max_age_days", "maxPwdAge", _DAY, _DAYS_MAX),
    ("lockout_minutes", "lockoutDuration", _MINUTE, _MINUTES_MAX),
    ("window_minutes", "lockOutObservationWindow", _MINUTE, _MINUTES_MAX),
)
_FLAGS: Final = (
    ("complexity", PwdProperties.DOMAIN_PASSWORD_COMPLEX),
    ("plain_text", PwdProperties.DOMAIN_PASSWORD_STORE_CLEARTEXT),
)
_ATTRIBUTES: Final = ("pwdProperties", *(one[1] for one in _NUMBERS), *(one[1] for one in _SPANS))


def password_settings(target: Target) -> Facts:
    """The domain's rules for those whom no fine-grained settings concern."""
    return _settings_of(_read(target, target.place.domain_dn, *_ATTRIBUTES))


def _settings_of(domain: Entry) -> Facts:
    properties = domain.number("pwdProperties")
    told: Facts = {name: bool(properties & flag) for name, flag in _FLAGS}
    told |= {name: domain.number(attribute) for name, attribute, _ in _NUMBERS}
    for name, attribute, unit, _ in _SPANS:
        held = domain.number(attribute)
        told[name] = 0 if held == _NEVER else -held // unit
    return told


def set_password_settings(target: Target, wanted: PasswordSettings, *, dry_run: bool = False) -> Facts:
    """Change the domain's rules."""
    domain = _read(target, target.place.domain_dn, *_ATTRIBUTES)
    changes = _changes(domain, wanted)
    if not changes:
        raise UserError(
            "Nothing is to be changed. Next step: addc domain passwordsettings set --help tells what can be"
        )
    values = {**domain.values, **{one.attribute.lower(): tuple(one.values) for one in changes}}
    after = _settings_of(Entry(domain.dn, values))
    _fits(after)
    target.apply([Modify(domain.dn, changes)], dry_run=dry_run)
    return after


def _changes(domain: Entry, wanted: PasswordSettings) -> list[Change]:
    changes: list[Change] = []
    properties = held = domain.number("pwdProperties")
    for name, flag in _FLAGS:
        value = getattr(wanted, name)
        if value is not None:
            properties = properties | flag if value else properties & ~flag
    if properties != held:
        changes.append(replace("pwdProperties", str(int(properties)).encode()))
    for name, attribute, most in _NUMBERS:
        value = _in_range(name, getattr(wanted, name), most)
        if value is not None:
            changes.append(replace(attribute, str(value).encode()))
    for name, attribute, unit, most in _SPANS:
        value = _in_range(name, getattr(wanted, name), most)
        if value is not None:
            never = not value and name in ("max_age_days", "lockout_minutes")
            changes.append(replace(attribute, str(_NEVER if never else -value * unit).encode()))
    return changes


def _in_range(name: str, value: int | None, most: int) -> int | None:
    if value is not None and not 0 <= value <= most:
        raise UserError(f"{name.replace('_', ' ')} is never {value}. Next step: 0 to {most}")
    return value


def _fits(after: Facts) -> None:
    """Rules that hold between settings, as Windows' editors keep them."""
    if after["max_age_days"] and int(str(after["min_age_days"])) >= int(str(after["max_age_days"])):
        raise UserError(
            f"Nobody could change a password in time: at the earliest after {after['min_age_days']} days, at"
            f" the latest after {after['max_age_days']}. Next step: make --min-age less than --max-age"
        )
    if after["lockout_minutes"] and int(str(after["window_minutes"])) > int(str(after["lockout_minutes"])):
        raise UserError(
            f"A lockout of {after['lockout_minutes']} minutes ends before its bad passwords are forgotten,"
            f" after {after['window_minutes']}. Next step: --lockout-window at most as --lockout-duration"
        )
