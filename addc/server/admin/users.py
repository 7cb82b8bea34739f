"""What `addc user` does: people's and services' accounts.

Spec: [MS-ADTS] 2.2.16 (userAccountControl), 3.1.1.3.1.5 (passwords), [MS-SAMR] 3.1.1.8.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from typing import Final

from addc.base.clock import NEVER_FT
from addc.base.errors import UserError
from addc.base.secret import Secret
from addc.codec.dn import Dn
from addc.codec.filter import Equal, Filter, GreaterOrEqual
from addc.schema.wellknown import WellKnownContainer
from addc.security.account_flags import UserAccountControl as Uac
from addc.server.admin import accounts, names
from addc.server.admin.accounts import Facts, time_text
from addc.server.admin.names import GROUP, USER, find
from addc.server.admin.target import Add, Change, Modify, Operation, Target, insert, replace, secret_pwd, text

TEXTS: Final = {
    "given_name": "givenName",
    "surname": "sn",
    "display_name": "displayName",
    "upn": "userPrincipalName",
    "mail": "mail",
    "description": "description",
    "phone": "telephoneNumber",
    "mobile": "mobile",
    "title": "title",
    "department": "department",
    "company": "company",
    "office": "physicalDeliveryOfficeName",
    "employee_id": "employeeID",
    "home_directory": "homeDirectory",
    "home_drive": "homeDrive",
    "script": "scriptPath",
    "profile": "profilePath",
}
"""Options of `addc user add` and `set`, and the attributes that they are."""
FLAGS: Final = {
    "password_never_expires": Uac.UF_DONT_EXPIRE_PASSWD,
    "smartcard_required": Uac.UF_SMARTCARD_REQUIRED,
    "sensitive": Uac.UF_NOT_DELEGATED,
    "preauth_not_required": Uac.UF_DONT_REQUIRE_PREAUTH,
    "password_not_required": Uac.UF_PASSWD_NOTREQD,
}
_STATE: Final = (
    "userAccountControl", "msDS-User-Account-Control-Computed", "lockoutTime", "accountExpires", "pwdLastSet",
    "msDS-UserPasswordExpiryTimeComputed",
)  # fmt: skip
_SHOWN: Final = (
    *TEXTS.values(), *_STATE, "memberOf", "primaryGroupID", "objectGUID", "whenCreated", "lastLogonTimestamp",
    "badPwdCount", "logonCount", "servicePrincipalName", "adminCount", "manager", "cn",
)  # fmt: skip
_LOCKED: Final = int(Uac.UF_LOCKOUT)
_EXPIRED: Final = int(Uac.UF_PASSWORD_EXPIRED)


@dataclass(frozen=True, slots=True)
class NewUser:
    """A user as a person describes it.

    password: None for an account that is disabled until it has one. place: "" for the domain's default.
    """

    name: str
    password: Secret | None
    texts: dict[str, str] = field(default_factory=dict)
    place: str = ""
    cn: str = ""
    groups: Sequence[str] = ()
    flags: dict[str, bool] = field(default_factory=dict)
    must_change: bool = False
    disabled: bool = False
    settings: Sequence[str] = ()


def add(target: Target, new: NewUser, *, dry_run: bool) -> Facts:
    """Make a user and put it into its groups."""
    place = (
        names.find_place(target, new.place).dn
        if new.place
        else names.default_place(target, WellKnownContainer.USERS)
    )
    texts = {name: value for name, value in new.texts.items() if value}
    full_name = " ".join(filter(None, (texts.get("given_name"), texts.get("surname"))))
    cn = new.cn or texts.get("display_name") or full_name or new.name
    texts.setdefault("upn", f"{new.name}@{target.place.dns_domain}")
    if full_name:
        texts.setdefault("display_name", full_name)
    disabled = new.disabled or new.password is None
    uac = Uac.UF_NORMAL_ACCOUNT | (Uac.UF_ACCOUNTDISABLE if disabled else 0)
    for name, is_on in new.flags.items():
        uac |= FLAGS[name] if is_on else 0
    dn = str(Dn.parse(place).child("CN", cn))
    attributes: list[tuple[str, Sequence[bytes]]] = [
        ("objectClass", text("user")),
        ("sAMAccountName", text(new.name)),
        ("userAccountControl", text(str(int(uac)))),
        *((TEXTS[name], text(value)) for name, value in texts.items()),
        *((one.attribute, one.values) for one in accounts.attribute_changes(new.settings)),
    ]
    if new.password is not None:
        attributes.append(("unicodePwd", secret_pwd(new.password)))
    if new.must_change:
        attributes.append(("pwdLastSet", text("0")))
    groups = [find(target, name, GROUP) for name in new.groups]
    operations: list[Operation] = [Add(dn, attributes)]
    operations += [Modify(group.dn, (insert("member", *text(dn)),)) for group in groups]
    target.apply(operations, dry_run=dry_run)
    return {
        "name": new.name, "dn": dn, "upn": texts["upn"], "enabled": not disabled,
        "groups": [group.text("sAMAccountName") for group in groups],
    }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Asked:
    """Which users a list is to hold. name: * stands for anything. below: a place, "" for the whole domain."""

    name: str = ""
    below: str = ""
    disabled: bool = False
    locked: bool = False


def listed(target: Target, asked: Asked, step: Callable[[], None]) -> Iterator[Facts]:
    """Users in short."""
    terms: list[Filter] = [
        Equal("objectCategory", b"person"),
        Equal("objectClass", b"user"),
        accounts.no_computer(),
    ]
    if asked.name:
        terms.append(accounts.pattern("sAMAccountName", asked.name))
    if asked.disabled:
        terms.append(accounts.with_bits(Uac.UF_ACCOUNTDISABLE))
    if asked.locked:
        terms.append(GreaterOrEqual("lockoutTime", b"1"))
    wanted = ("sAMAccountName", "userAccountControl", "displayName", "msDS-User-Account-Control-Computed")
    for entry in accounts.listed(target, terms, wanted, asked.below, step):
        locked = bool(entry.number("msDS-User-Account-Control-Computed") & _LOCKED)
        if asked.locked and not locked:
            continue
        yield {
            **accounts.brief(entry),
            "display_name": entry.text("displayName"),
            "enabled": not entry.number("userAccountControl") & Uac.UF_ACCOUNTDISABLE,
            "locked": locked,
        }


def show(target: Target, name: str) -> Facts:
    """One user in full, but for its secrets."""
    entry = find(target, name, USER, _SHOWN)
    uac = entry.number("userAccountControl")
    computed = entry.number("msDS-User-Account-Control-Computed")
    guid = entry.first("objectGUID")
    return {
        **accounts.brief(entry),
        "sid": str(entry.sid()),
        "guid": accounts.guid_text(guid),
        **{name: entry.text(attribute) for name, attribute in TEXTS.items()},
        "manager": entry.text("manager"),
        "enabled": not uac & Uac.UF_ACCOUNTDISABLE,
        "locked": bool(computed & _LOCKED),
        **{name: bool(uac & bit) for name, bit in FLAGS.items()},
        "password_expired": bool(computed & _EXPIRED),
        "must_change_password": entry.first("pwdLastSet") == b"0",
        "password_set": time_text(entry.number("pwdLastSet")),
        "password_expires": time_text(entry.number("msDS-UserPasswordExpiryTimeComputed")),
        "account_expires": time_text(entry.number("accountExpires")),
        "last_logon": time_text(entry.number("lastLogonTimestamp")),
        "wrong_passwords": entry.number("badPwdCount"),
        "created": accounts.generalized_text(entry.text("whenCreated")),
        "service_principal_names": entry.texts("servicePrincipalName"),
        "groups": accounts.groups_of(target, entry, nested=False),
        "protected_by_adminsdholder": entry.number("adminCount") == 1,
    }


@dataclass(frozen=True, slots=True)
class Changes:
    """What is to be otherwise. texts: "" takes one away. must_change: None for no say."""

    texts: dict[str, str] = field(default_factory=dict)
    flags: dict[str, bool] = field(default_factory=dict)
    manager: str | None = None
    must_change: bool | None = None
    settings: Sequence[str] = ()


def change(target: Target, name: str, wanted: Changes, *, dry_run: bool) -> Facts:
    """Change a user's attributes and flags."""
    entry = find(target, name, USER, ("userAccountControl",))
    changes = [replace(TEXTS[name], *(text(value) if value else ())) for name, value in wanted.texts.items()]
    changes += accounts.attribute_changes(wanted.settings)
    on = sum(FLAGS[name] for name, is_on in wanted.flags.items() if is_on)
    off = sum(FLAGS[name] for name, is_on in wanted.flags.items() if not is_on)
    flags = accounts.flags_change(entry, on, off)
    if flags is not None:
        changes.append(flags)
    if wanted.manager is not None:
        manager = find(target, wanted.manager).dn if wanted.manager else ""
        changes.append(replace("manager", *(text(manager) if manager else ())))
    if wanted.must_change is not None:
        changes.append(replace("pwdLastSet", *text("0" if wanted.must_change else "-1")))
    if not changes:
        if wanted.flags:
            return {**accounts.brief(entry), "changed": []}
        raise UserError("Nothing was to be changed. Next step: addc user set --help tells what can be")
    target.apply([Modify(entry.dn, changes)], dry_run=dry_run)
    return {**accounts.brief(entry), "changed": [one.attribute for one in changes]}


def unlock(target: Target, name: str, *, dry_run: bool) -> Facts:
    """Let an account log on again that wrong passwords have locked out."""
    entry = find(target, name, USER, ("lockoutTime",))
    was_locked = entry.number("lockoutTime") > 0
    if was_locked:
        target.apply([Modify(entry.dn, (replace("lockoutTime", *text("0")),))], dry_run=dry_run)
    return {**accounts.brief(entry), "was_locked": was_locked}


def set_password(
    target: Target, name: str, password: Secret, *, must_change: bool, unlock: bool, dry_run: bool
) -> Facts:
    """Reset a password."""
    entry = find(target, name, USER, ("lockoutTime",))
    changes: list[Change] = [replace("unicodePwd", *secret_pwd(password))]
    if must_change:
        changes.append(replace("pwdLastSet", *text("0")))
    if unlock and entry.number("lockoutTime"):
        changes.append(replace("lockoutTime", *text("0")))
    target.apply([Modify(entry.dn, changes)], dry_run=dry_run)
    return {**accounts.brief(entry), "must_change_password": must_change}


def expiry_of(*, at: str = "", days: int | None = None, now: datetime) -> int:
    """accountExpires of a date (its end, UTC), of days from now, or of never. Raises UserError."""
    if days is not None:
        return accounts.filetime_of(now + timedelta(days=days))
    if not at:
        return NEVER_FT
    try:
        when = datetime.fromisoformat(at)
    except ValueError as error:
        raise UserError(f"{at!r} is no date. Next step: write 2027-01-31, or 2027-01-31T18:00") from error
    if "T" not in at and " " not in at:
        when = datetime.combine(when.date(), time.min) + timedelta(days=1)
    return accounts.filetime_of(when if when.tzinfo else when.replace(tzinfo=UTC))


def set_expiry(target: Target, name: str, expires_ft: int, *, dry_run: bool) -> Facts:
    """Say when an account ends."""
    entry = find(target, name, USER)
    target.apply([Modify(entry.dn, (replace("accountExpires", *text(str(expires_ft))),))], dry_run=dry_run)
    return {**accounts.brief(entry), "account_expires": time_text(expires_ft)}


def rename(target: Target, name: str, new: str, *, cn: str, keep_upn: bool, dry_run: bool) -> Facts:
    """Another logon name, and user principal name with it unless that was another."""
    entry = find(target, name, USER, ("userPrincipalName", "cn"))
    upn, old = entry.text("userPrincipalName"), entry.text("sAMAccountName")
    local, _, suffix = upn.partition("@")
    changes = []
    if suffix and local.lower() == old.lower() and not keep_upn:
        changes.append(replace("userPrincipalName", *text(f"{new}@{suffix}")))
    kept = "" if entry.text("cn").lower() == old.lower() else entry.text("cn")
    return accounts.rename(target, entry.dn, USER, new, changes=changes, cn=cn or kept, dry_run=dry_run)


def groups(target: Target, name: str, *, nested: bool) -> list[str]:
    """The groups that a user is in."""
    entry = find(target, name, USER, ("memberOf", "primaryGroupID"))
    return accounts.groups_of(target, entry, nested=nested)
