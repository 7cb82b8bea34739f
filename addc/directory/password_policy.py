"""Which password and lockout policy an account is under, and whether a clear-text password satisfies it.

Spec: [MS-SAMR] 3.1.1.5 (Effective-*), 3.1.1.7.1, 3.1.1.7.2, [MS-ADTS] 3.1.1.4.5.36 (msDS-ResultantPSO).
"""

import unicodedata
from dataclasses import dataclass
from enum import IntFlag
from typing import Final

from addc.base.ids import AttId, Dnt
from addc.directory import entry, names
from addc.directory.context import Fact, ReadContext
from addc.schema import attr, cls
from addc.security import wellknown
from addc.security.account_flags import UserAccountControl
from addc.store.objects import ObjectRow, ObjectState

PASSWORD_LENGTH_MAX: Final = 256
_SPECIAL: Final = frozenset("(`~!@#$%^&*_-+=|\\{}[]:;\"'<>,.?)/")
_DELIMITERS: Final = str.maketrans(dict.fromkeys(",.\t-_#", " "))
_NEVER: Final = -(1 << 63)

TOO_SHORT: Final = "the password is too short"
HOLDS_ACCOUNT_NAME: Final = "the password holds the account's name"
HOLDS_FULL_NAME: Final = "the password holds a part of the display name"
NOT_COMPLEX: Final = "the password is not complex enough"
"""What `weakness` says; protocols with a code for each look for these."""


class PwdProperties(IntFlag):
    """pwdProperties of the domain object. Spec: [MS-SAMR] 2.2.3.2."""

    DOMAIN_PASSWORD_COMPLEX = 0x01
    DOMAIN_PASSWORD_NO_ANON_CHANGE = 0x02
    DOMAIN_PASSWORD_NO_CLEAR_CHANGE = 0x04
    DOMAIN_LOCKOUT_ADMINS = 0x08
    DOMAIN_PASSWORD_STORE_CLEARTEXT = 0x10
    DOMAIN_REFUSE_PASSWORD_CHANGE = 0x20


@dataclass(frozen=True, slots=True)
class PasswordPolicy:
    """The Effective-* attributes of one account.

    *_age, lockout_duration, observation_window: positive 100 ns; 0 for ages means no limit, for
    lockout_duration until an administrator unlocks. lockout_threshold: bad passwords, 0 = never lock.
    """

    minimum_length: int = 0
    history_length: int = 0
    complexity: bool = False
    reversible: bool = False
    minimum_age: int = 0
    maximum_age: int = 0
    lockout_threshold: int = 0
    lockout_duration: int = 0
    observation_window: int = 0
    properties: int = 0


def _span(row: ObjectRow, att: AttId) -> int:
    """A delta time as a positive number; "never" and absent are 0."""
    value = entry.integer(row, att)
    return 0 if value == _NEVER or value >= 0 else -value


_DOMAIN: Final[Fact[PasswordPolicy]] = Fact()


def domain_policy(ctx: ReadContext) -> PasswordPolicy:
    """The policy on the domain object."""
    row = ctx.tx.get(ctx.forest.domain_nc)
    return PasswordPolicy() if row is None else _DOMAIN.get(ctx, row, lambda: policy_of_domain(row))


def policy_of_domain(row: ObjectRow) -> PasswordPolicy:
    """The policy that stands in a domain object's attributes."""
    properties = entry.integer(row, attr.PWD_PROPERTIES)
    return PasswordPolicy(
        minimum_length=entry.integer(row, attr.MIN_PWD_LENGTH),
        history_length=entry.integer(row, attr.PWD_HISTORY_LENGTH),
        complexity=bool(properties & PwdProperties.DOMAIN_PASSWORD_COMPLEX),
        reversible=bool(properties & PwdProperties.DOMAIN_PASSWORD_STORE_CLEARTEXT),
        minimum_age=_span(row, attr.MIN_PWD_AGE),
        maximum_age=_span(row, attr.MAX_PWD_AGE),
        lockout_threshold=entry.integer(row, attr.LOCKOUT_THRESHOLD),
        lockout_duration=_span(row, attr.LOCKOUT_DURATION),
        observation_window=_span(row, attr.LOCK_OUT_OBSERVATION_WINDOW),
        properties=properties,
    )


def policy_of_settings(row: ObjectRow, properties: int) -> PasswordPolicy:
    """The policy of an msDS-PasswordSettings object; `properties` are the domain's."""
    reversible = entry.boolean(row, attr.MS_DS_PASSWORD_REVERSIBLE_ENCRYPTION_ENABLED)
    return PasswordPolicy(
        minimum_length=entry.integer(row, attr.MS_DS_MINIMUM_PASSWORD_LENGTH),
        history_length=entry.integer(row, attr.MS_DS_PASSWORD_HISTORY_LENGTH),
        complexity=entry.boolean(row, attr.MS_DS_PASSWORD_COMPLEXITY_ENABLED),
        reversible=reversible or bool(properties & PwdProperties.DOMAIN_PASSWORD_STORE_CLEARTEXT),
        minimum_age=_span(row, attr.MS_DS_MINIMUM_PASSWORD_AGE),
        maximum_age=_span(row, attr.MS_DS_MAXIMUM_PASSWORD_AGE),
        lockout_threshold=entry.integer(row, attr.MS_DS_LOCKOUT_THRESHOLD),
        lockout_duration=_span(row, attr.MS_DS_LOCKOUT_DURATION),
        observation_window=_span(row, attr.MS_DS_LOCKOUT_OBSERVATION_WINDOW),
        properties=properties,
    )


def effective_policy(ctx: ReadContext, row: ObjectRow | None) -> PasswordPolicy:
    """The policy that an account is under: its resultant settings object, else the domain's.

    row: None for an account that is being created, which no settings object can name yet.
    """
    base = domain_policy(ctx)
    if row is None:
        return base
    settings = resultant_settings(ctx, row)
    return base if settings is None else policy_of_settings(settings, base.properties)


def resultant_settings(ctx: ReadContext, row: ObjectRow) -> ObjectRow | None:
    """msDS-ResultantPSO: the settings object of lowest precedence that applies to the user or its groups.

    Spec: [MS-ADTS] 3.1.1.4.5.36.
    """
    if not _is_normal(row):
        return None
    own = _settings_of(ctx, row)
    if own:
        return min(own, key=_precedence)
    if not ctx.tx.index_eq(attr.OBJECT_CLASS, _settings_class_key(ctx), limit=1):
        return None
    found: dict[int, ObjectRow] = {}
    for group in _global_groups(ctx, row):
        for settings in _settings_of(ctx, group):
            found[settings.dnt] = settings
    return min(found.values(), key=_precedence) if found else None


def _settings_class_key(ctx: ReadContext) -> bytes:
    attribute = ctx.schema.attribute_by_id(attr.OBJECT_CLASS)
    assert attribute is not None
    return attribute.syntax.key(b"msDS-PasswordSettings")


def _is_normal(row: ObjectRow) -> bool:
    uac = entry.integer(row, attr.USER_ACCOUNT_CONTROL)
    machine = UserAccountControl.UF_WORKSTATION_TRUST_ACCOUNT | UserAccountControl.UF_SERVER_TRUST_ACCOUNT
    rid = int.from_bytes(row.sid[-4:], "little") if row.sid else 0
    of_kdc = rid == wellknown.RID_KRBTGT or attr.MS_DS_SECONDARY_KRB_TGT_NUMBER in row.attrs
    is_user = entry.is_a(row, b"user")
    return is_user and bool(uac & UserAccountControl.UF_NORMAL_ACCOUNT) and not uac & machine and not of_kdc


def _precedence(settings: ObjectRow) -> tuple[int, bytes]:
    return entry.integer(settings, attr.MS_DS_PASSWORD_SETTINGS_PRECEDENCE, 1 << 31), settings.guid


def _settings_of(ctx: ReadContext, row: ObjectRow) -> list[ObjectRow]:
    attribute = ctx.schema.attribute("msDS-PSOApplied")
    if attribute is None:
        return []
    links = entry.live_back_links(ctx, row, attribute)
    if not links:
        return []
    found = ctx.tx.get_many([link.source for link in links])
    container = _settings_container(ctx)
    return [
        one
        for one in found
        if one.state is ObjectState.LIVE
        and one.class_id == cls.MS_DS_PASSWORD_SETTINGS
        and one.parent == container
    ]


def _settings_container(ctx: ReadContext) -> Dnt | None:
    """The Password Settings Container; settings elsewhere apply to nobody. Spec: [MS-ADTS] 6.1.1.4.11.1."""
    parent: Dnt = ctx.forest.domain_nc
    for name in ("System", "Password Settings Container"):
        row = names.child_named(ctx, parent, attr.CN, name)
        if row is None:
            return None
        parent = row.dnt
    return parent


def _global_groups(ctx: ReadContext, row: ObjectRow) -> list[ObjectRow]:
    """The global security groups that the user is in, nested ones and the primary group included."""
    member_of = ctx.schema.attribute("memberOf")
    assert member_of is not None and row.sid is not None
    todo = [row]
    primary = row.sid[:-4] + entry.integer(row, attr.PRIMARY_GROUP_ID).to_bytes(4, "little")
    todo += ctx.tx.by_sid(primary)
    seen: dict[int, ObjectRow] = {}
    while todo:
        one = todo.pop()
        if one.dnt in seen or one.state is not ObjectState.LIVE:
            continue
        seen[one.dnt] = one
        links = entry.live_back_links(ctx, one, member_of)
        todo += ctx.tx.get_many([link.source for link in links if link.source not in seen])
    seen.pop(row.dnt, None)
    return [one for one in seen.values() if entry.integer(one, attr.GROUP_TYPE) & 0xFFFF_FFFF == 0x8000_0002]


def is_of_person(user_account_control: int, rid: int) -> bool:
    """Whether length and complexity bind an account. Spec: [MS-SAMR] 3.1.1.7.2.

    Deviation: UF_PASSWD_NOTREQD lets an account have the empty password, and no other one that the policy
    refuses: so do Windows DCs, or new accounts, which are born with that bit, would take anything.
    """
    return bool(user_account_control & UserAccountControl.UF_NORMAL_ACCOUNT) and rid != wellknown.RID_KRBTGT


def keeps_history(user_account_control: int, rid: int) -> bool:
    """Whether an account may not go back to its last passwords. Spec: [MS-SAMR] 3.1.1.7.1."""
    not_required = user_account_control & UserAccountControl.UF_PASSWD_NOTREQD
    return is_of_person(user_account_control, rid) and not not_required


def weakness(policy: PasswordPolicy, password: str, sam_account_name: str, display_name: str) -> str:
    """Why the policy refuses a clear-text password; "" where it does not.

    Spec: [MS-SAMR] 3.1.1.7.2.
    """
    if len(password) < policy.minimum_length:
        return TOO_SHORT
    if not policy.complexity:
        return ""
    folded = password.casefold()
    if len(sam_account_name) > 2 and sam_account_name.casefold() in folded:
        return HOLDS_ACCOUNT_NAME
    for part in display_name.translate(_DELIMITERS).split():
        if len(part) > 2 and part.casefold() in folded:
            return HOLDS_FULL_NAME
    classes = {kind for kind in map(_character_class, password) if kind}
    return "" if len(classes) >= 3 else NOT_COMPLEX


def _character_class(character: str) -> str:
    if "A" <= character <= "Z":
        return "upper"
    if "a" <= character <= "z":
        return "lower"
    if "0" <= character <= "9":
        return "digit"
    if character in _SPECIAL:
        return "special"
    return "letter" if unicodedata.category(character) in ("Lu", "Ll", "Lt", "Lm", "Lo") else ""
