"""Principals as facts: what logons, tickets and name look-ups need to know of an account.

Counters of logons are written by logon_counters.py, secrets are passwords.py's.

Spec: [MS-SAMR] 3.1.1, [MS-KILE] 3.3.5.6.1, 3.3.5.1.1, [MS-ADTS] 5.1.1.1 (user names), 2.2.21 (SPN).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeVar
from uuid import UUID

from addc.base.clock import NEVER_FT
from addc.base.errors import DecodeError
from addc.base.ids import AttId, Dnt
from addc.codec.ids import Sid
from addc.directory import entry, names, policy
from addc.directory.context import Fact, ReadContext
from addc.schema import attr
from addc.schema.wellknown import MANAGED_ACCOUNT_CLASSES
from addc.security import wellknown
from addc.security.account_flags import UserAccountControl
from addc.store.objects import ObjectRow, ObjectState

T = TypeVar("T")

_MATCHES_MAX: Final = 16
_KRBTGT: Final = "krbtgt"
_CHANGE_PASSWORD: Final = ("kadmin", "changepw")


@dataclass(frozen=True, slots=True)
class Account:
    """One user, computer or managed service account as of one version of its row.

    user_account_control: UserAccountControl bits. Times: FILETIME, 0 = never. account_expires: NEVER_FT
    for "never". supported_enctypes: msDS-SupportedEncryptionTypes, None where absent.
    logon_hours: the 21-byte map of allowed hours, None = always. workstations: () = from anywhere.
    is_managed: the DC makes its password. delegate_to: SPNs of constrained delegation.
    """

    dnt: Dnt
    guid: UUID
    sid: Sid
    dn: str
    sam_account_name: str
    user_principal_name: str | None
    user_account_control: int
    is_computer: bool
    is_managed: bool
    primary_group_id: int
    pwd_last_set: int
    account_expires: int
    lockout_time: int
    bad_pwd_count: int
    bad_password_time: int
    last_logon: int
    last_logon_timestamp: int
    logon_count: int
    logon_hours: bytes | None
    workstations: tuple[str, ...]
    supported_enctypes: int | None
    display_name: str
    home_directory: str
    home_drive: str
    script_path: str
    profile_path: str
    dns_host_name: str
    spns: tuple[str, ...]
    delegate_to: tuple[str, ...]
    allowed_to_act: bytes | None

    def has(self, flags: UserAccountControl) -> bool:
        """Whether every bit of `flags` is set."""
        return self.user_account_control & flags == flags

    @property
    def is_disabled(self) -> bool:
        return bool(self.user_account_control & UserAccountControl.UF_ACCOUNTDISABLE)

    @property
    def is_machine(self) -> bool:
        """Whether this is the account of a machine: workstation or DC."""
        return bool(
            self.user_account_control
            & (UserAccountControl.UF_WORKSTATION_TRUST_ACCOUNT | UserAccountControl.UF_SERVER_TRUST_ACCOUNT)
        )

    @property
    def primary_group_sid(self) -> Sid:
        return self.sid.domain().child(self.primary_group_id)


def kept(ctx: ReadContext, kind: str, row: ObjectRow, derive: Callable[[], T]) -> T:
    """`derive()` for this very version of `row`, remembered while the row stays the same."""
    key = (kind, row.dnt)
    found = ctx.facts.get(key)
    if found is not None and found[0] is row:
        return found[1]  # type: ignore[return-value]
    value = derive()
    ctx.keep(key, row, value)
    return value


def is_account(row: ObjectRow) -> bool:
    """Whether a row is a living user, computer or managed service account."""
    return (
        row.state is ObjectState.LIVE
        and row.sid is not None
        and b"user" in row.attrs.get(attr.OBJECT_CLASS, ())
    )


def account(ctx: ReadContext, row: ObjectRow) -> Account:
    """The facts of an account's row; `is_account(row)` must hold."""
    return kept(ctx, "account", row, lambda: _read(ctx, row))


def _read(ctx: ReadContext, row: ObjectRow) -> Account:
    assert row.sid is not None
    classes = entry.class_names(row)
    enctypes = entry.first(row, attr.MS_DS_SUPPORTED_ENCRYPTION_TYPES)
    expires = entry.integer(row, attr.ACCOUNT_EXPIRES)
    workstations = entry.text(row, attr.USER_WORKSTATIONS) or ""
    return Account(
        dnt=row.dnt,
        guid=UUID(bytes_le=row.guid),
        sid=Sid(row.sid),
        dn=names.dn_of_row(ctx, row),
        sam_account_name=entry.text(row, attr.SAM_ACCOUNT_NAME) or "",
        user_principal_name=entry.text(row, attr.USER_PRINCIPAL_NAME),
        user_account_control=entry.integer(row, attr.USER_ACCOUNT_CONTROL),
        is_computer=b"computer" in classes,
        is_managed=row.class_id in MANAGED_ACCOUNT_CLASSES,
        primary_group_id=entry.integer(row, attr.PRIMARY_GROUP_ID, int(wellknown.RID_DOMAIN_USERS)),
        pwd_last_set=entry.integer(row, attr.PWD_LAST_SET),
        account_expires=expires or int(NEVER_FT),
        lockout_time=entry.integer(row, attr.LOCKOUT_TIME),
        bad_pwd_count=entry.integer(row, attr.BAD_PWD_COUNT),
        bad_password_time=entry.integer(row, attr.BAD_PASSWORD_TIME),
        last_logon=entry.integer(row, attr.LAST_LOGON),
        last_logon_timestamp=entry.integer(row, attr.LAST_LOGON_TIMESTAMP),
        logon_count=entry.integer(row, attr.LOGON_COUNT),
        logon_hours=entry.first(row, attr.LOGON_HOURS),
        workstations=tuple(part.strip() for part in workstations.split(",") if part.strip()),
        supported_enctypes=None if enctypes is None else int(enctypes),
        display_name=entry.text(row, attr.DISPLAY_NAME) or "",
        home_directory=entry.text(row, attr.HOME_DIRECTORY) or "",
        home_drive=entry.text(row, attr.HOME_DRIVE) or "",
        script_path=entry.text(row, attr.SCRIPT_PATH) or "",
        profile_path=entry.text(row, attr.PROFILE_PATH) or "",
        dns_host_name=entry.text(row, attr.DNS_HOST_NAME) or "",
        spns=tuple(entry.texts(row, attr.SERVICE_PRINCIPAL_NAME)),
        delegate_to=tuple(entry.texts(row, attr.MS_DS_ALLOWED_TO_DELEGATE_TO)),
        allowed_to_act=entry.first(row, attr.MS_DS_ALLOWED_TO_ACT_ON_BEHALF_OF_OTHER_IDENTITY),
    )


def indexed(ctx: ReadContext, att: AttId, value: str | bytes) -> list[ObjectRow]:
    """Living rows that hold `value` in an indexed attribute, by the attribute's own match rule.

    value: text, or the bytes of the attribute's LDAP form. Tombstones keep their names, and any number of
    them may stand before the living.
    """
    attribute = ctx.schema.attribute_by_id(att)
    assert attribute is not None
    try:
        raw = value.encode("utf-8", "surrogatepass") if isinstance(value, str) else value
        key = attribute.syntax.key(raw)
    except DecodeError:
        return []  # a name of foreign bytes; no stored value is equal to it
    found: list[ObjectRow] = []
    after = Dnt(0)
    while True:
        batch = ctx.tx.index_eq(att, key, limit=_MATCHES_MAX, after=after)
        found += [
            row
            for row in ctx.tx.get_many(batch)
            if row.state is ObjectState.LIVE
            and any(attribute.syntax.key(one) == key for one in row.attrs.get(att, ()))
        ]
        if len(batch) < _MATCHES_MAX or len(found) >= _MATCHES_MAX:
            return found
        after = batch[-1]


def row_by_sam(ctx: ReadContext, name: str) -> ObjectRow | None:
    """The user, computer or group with this sAMAccountName."""
    if not name:
        return None
    for row in indexed(ctx, attr.SAM_ACCOUNT_NAME, name):
        return row
    return None


def find_by_sam(ctx: ReadContext, name: str) -> Account | None:
    """The account with this sAMAccountName."""
    for row in indexed(ctx, attr.SAM_ACCOUNT_NAME, name) if name else ():
        if is_account(row):
            return account(ctx, row)
    return None


def find_by_upn(ctx: ReadContext, upn: str) -> Account | None:
    """The account with this userPrincipalName, or whose implicit one it is: sAMAccountName@domain.

    None too where two accounts share it. Spec: [MS-ADTS] 5.1.1.1.1 (4 and 5).
    """
    rows = [row for row in indexed(ctx, attr.USER_PRINCIPAL_NAME, upn) if is_account(row)]
    if rows:
        return account(ctx, rows[0]) if len(rows) == 1 else None
    user, at, domain = upn.rpartition("@")
    own = (ctx.forest.dns_domain.lower(), ctx.forest.netbios.lower())
    if not at or domain.lower() not in own:
        return None
    return find_by_sam(ctx, user) or find_by_sam(ctx, user + "$")


def find_by_identity(ctx: ReadContext, identity: str) -> Account | None:
    """The one account that has this among its altSecurityIdentities."""
    rows = [row for row in indexed(ctx, attr.ALT_SECURITY_IDENTITIES, identity) if is_account(row)]
    return account(ctx, rows[0]) if len(rows) == 1 else None


def find_by_sid(ctx: ReadContext, sid: Sid) -> Account | None:
    """The living account with this objectSid."""
    for row in ctx.tx.by_sid(bytes(sid)):
        if is_account(row):
            return account(ctx, row)
    return None


def find_by_dnt(ctx: ReadContext, dnt: Dnt) -> Account | None:
    """The account of a row."""
    row = ctx.tx.get(dnt)
    return None if row is None or not is_account(row) else account(ctx, row)


def find_by_spn(ctx: ReadContext, spn: str) -> Account | None:
    """The account that runs the service.

    First krbtgt's fixed names, which no servicePrincipalName can take from it; then a servicePrincipalName
    that is equal; then, for an alias of HOST, the account with the HOST name; then a computer by its own
    names. None too where two accounts share the name.
    Spec: [MS-KILE] 3.3.5.1.1, [MS-ADA3] 2.276 (sPNMappings).
    """
    parts = spn.split("/")
    service = parts[0].lower()
    if is_reserved_spn(spn):
        return _krbtgt(ctx, parts, service)
    found = _by_exact_spn(ctx, spn)
    if found is not None or len(parts) < 2:
        return found
    for alias in mapped_to(ctx, service):
        found = _by_exact_spn(ctx, "/".join((alias, *parts[1:])))
        if found is not None:
            return found
    if service == "host" or "host" in mapped_to(ctx, service) or service == "restrictedkrbhost":
        return _by_host(ctx, parts)
    return None


def is_reserved_spn(spn: str) -> bool:
    """Whether a name is krbtgt's whoever registers it."""
    parts = spn.lower().split("/")
    return len(parts) > 1 and (parts[0] == _KRBTGT or (parts[0], parts[1]) == _CHANGE_PASSWORD)


def find_by_host(ctx: ReadContext, spn: str) -> Account | None:
    """The computer that answers to a name by its host alone, registered or not."""
    return _by_host(ctx, spn.split("/"))


def _by_exact_spn(ctx: ReadContext, spn: str) -> Account | None:
    rows = [row for row in indexed(ctx, attr.SERVICE_PRINCIPAL_NAME, spn) if is_account(row)]
    return account(ctx, rows[0]) if len(rows) == 1 else None


def _krbtgt(ctx: ReadContext, parts: list[str], service: str) -> Account | None:
    own = (ctx.forest.realm.lower(), ctx.forest.netbios.lower())
    if service == _KRBTGT and (len(parts) != 2 or parts[1].lower() not in own):
        return None
    return find_by_sam(ctx, _KRBTGT)


def _by_host(ctx: ReadContext, parts: list[str]) -> Account | None:
    """A computer by its host name, for the HOST names that it never registered."""
    if len(parts) != 2:
        return None
    host = parts[1].partition(":")[0].lower()
    short, _, domain = host.partition(".")
    if domain and domain != ctx.forest.dns_domain.lower():
        return None
    found = find_by_sam(ctx, short + "$")
    if found is None or not found.is_machine:
        return None
    if domain and found.dns_host_name and found.dns_host_name.lower() != host:
        return None
    return found


_MAPPINGS: Final[Fact[dict[str, tuple[str, ...]]]] = Fact()


def spn_mappings(ctx: ReadContext) -> dict[str, tuple[str, ...]]:
    """Service class to the classes that it is an alias of, lower case: cifs -> (host,)."""
    service = policy.directory_service(ctx)
    if service is None:
        return {}
    return _MAPPINGS.get(ctx, service, lambda: parse_mappings(entry.texts(service, attr.SPN_MAPPINGS)))


def parse_mappings(values: list[str]) -> dict[str, tuple[str, ...]]:
    """The inverse of `x=a,b,c` values. Spec: [MS-ADTS] 3.1.1.5.1.3."""
    found: dict[str, tuple[str, ...]] = {}
    for value in values:
        target, _, aliases = value.partition("=")
        for alias in aliases.split(","):
            name = alias.strip().lower()
            found[name] = (*found.get(name, ()), target.strip().lower())
    return found


def mapped_to(ctx: ReadContext, service: str) -> tuple[str, ...]:
    """The classes that a service class is an alias of."""
    return spn_mappings(ctx).get(service.lower(), ())


@dataclass(frozen=True, slots=True)
class Spn:
    """serviceclass/hostname[:port|:instancename][/servicename]. Spec: [MS-ADTS] 2.2.21."""

    service_class: str
    host: str
    instance: str
    service_name: str

    @classmethod
    def parse(cls, text: str) -> "Spn | None":
        """None for what is no SPN."""
        parts = text.split("/")
        if len(parts) not in (2, 3) or not all(parts):
            return None
        host, _, instance = parts[1].partition(":")
        if not host or parts[1].endswith(":") or any(character <= " " for character in text):
            return None
        return cls(parts[0], host, instance, parts[2] if len(parts) == 3 else "")

    @property
    def has_instance_name(self) -> bool:
        """Whether the suffix of the host is a name and not a port."""
        return bool(self.instance) and not self.instance.isdecimal()
