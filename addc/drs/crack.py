"""Names of objects from one form into another: what CrackNames answers, one item for each name.

A requester is told of no object that it may not see. What the documents leave open follows Windows: an
unknown account of our own domain is NOT_FOUND, one of a domain that nobody here knows is DOMAIN_ONLY.

Spec: [MS-DRSR] 4.1.4.2.
"""

from collections.abc import Callable, Sequence
from typing import Final
from uuid import UUID

from addc.base.errors import DecodeError, DsError
from addc.base.ids import AttId
from addc.codec.dn import Dn
from addc.codec.ids import Sid, guid_to_wire
from addc.directory import accounts, entry, names, rights, trusts
from addc.directory.constructed import canonical_name
from addc.directory.context import ReadContext
from addc.directory.visibility import visible
from addc.drs.idl import DsNameResultItem, NameFlags, NameFormat, NameStatus
from addc.schema import attr
from addc.security.account_flags import SamAccountType, UserAccountControl
from addc.store.objects import ObjectRow, ObjectState

_GUID_LENGTH: Final = 38
_NOT_FOUND: Final = DsNameResultItem(NameStatus.DS_NAME_ERROR_NOT_FOUND)
_BUILTIN: Final = "BUILTIN"

_UNKNOWN_NAME_ORDER: Final = (
    NameFormat.DS_FQDN_1779_NAME,
    NameFormat.DS_USER_PRINCIPAL_NAME,
    NameFormat.DS_NT4_ACCOUNT_NAME,
    NameFormat.DS_CANONICAL_NAME,
    NameFormat.DS_UNIQUE_ID_NAME,
    NameFormat.DS_DISPLAY_NAME,
    NameFormat.DS_SERVICE_PRINCIPAL_NAME,
    NameFormat.DS_SID_OR_SID_HISTORY_NAME,
    NameFormat.DS_CANONICAL_NAME_EX,
)


def crack(
    ctx: ReadContext, offered: NameFormat, desired: NameFormat, flags: NameFlags, name: str
) -> DsNameResultItem:
    """One name in another form. Spec: [MS-DRSR] 4.1.4.2.10 (LookupName)."""
    if offered is NameFormat.DS_UNKNOWN_NAME:
        for form in _UNKNOWN_NAME_ORDER:
            item = crack(ctx, form, desired, flags, name)
            if item.name_status != NameStatus.DS_NAME_ERROR_NOT_FOUND:
                return item
        return _NOT_FOUND
    if flags & NameFlags.DS_NAME_FLAG_SYNTACTICAL_ONLY:
        return _by_syntax(offered, desired, name)
    find = _FORMS.get(offered)
    if find is None:
        return DsNameResultItem(NameStatus.DS_NAME_ERROR_RESOLVING)
    rows = [row for row in find(ctx, name) if row.state is ObjectState.LIVE and visible(ctx, row)]
    if not rows:
        return _unknown(ctx, offered, flags, name)
    if len(rows) > 1:
        return DsNameResultItem(NameStatus.DS_NAME_ERROR_NOT_UNIQUE)
    return _described(ctx, rows[0], desired)


# --- from a name to rows ---


def _by_dn(ctx: ReadContext, name: str) -> Sequence[ObjectRow]:
    try:
        return [names.resolve(ctx, name)]
    except (DsError, DecodeError):
        return []


def _by_nt4_name(ctx: ReadContext, name: str) -> Sequence[ObjectRow]:
    """DOMAIN\\account, or DOMAIN\\ for the domain itself; the domain by its NetBIOS name alone."""
    domain, backslash, account = name.partition("\\")
    if not backslash:
        return []
    if domain.upper() == _BUILTIN and account:
        return [row for row in accounts.indexed(ctx, attr.SAM_ACCOUNT_NAME, account) if _is_builtin(row)]
    if domain.upper() != ctx.forest.netbios.upper():
        return []
    if not account:
        return _domain(ctx)
    return [row for row in accounts.indexed(ctx, attr.SAM_ACCOUNT_NAME, account) if not _is_builtin(row)]


def _by_sam_name(ctx: ReadContext, name: str) -> Sequence[ObjectRow]:
    return accounts.indexed(ctx, attr.SAM_ACCOUNT_NAME, name)


def _by_usable_sam_name(ctx: ReadContext, name: str) -> Sequence[ObjectRow]:
    unusable = UserAccountControl.UF_ACCOUNTDISABLE | UserAccountControl.UF_TEMP_DUPLICATE_ACCOUNT
    rows = accounts.indexed(ctx, attr.SAM_ACCOUNT_NAME, name)
    return [row for row in rows if not entry.integer(row, attr.USER_ACCOUNT_CONTROL) & unusable]


def _by_upn(ctx: ReadContext, name: str) -> Sequence[ObjectRow]:
    """A userPrincipalName; else account@domain where the domain is ours, by either of its names."""
    rows = accounts.indexed(ctx, attr.USER_PRINCIPAL_NAME, name)
    user, at, domain = name.rpartition("@")
    if rows or not at or not _is_own_domain(ctx, domain):
        return rows
    return accounts.indexed(ctx, attr.SAM_ACCOUNT_NAME, user)


def _by_upn_or_identity(ctx: ReadContext, name: str) -> Sequence[ObjectRow]:
    found = [*accounts.indexed(ctx, attr.USER_PRINCIPAL_NAME, name), *_by_identity(ctx, name)]
    return found or _by_upn(ctx, name)


def _by_identity(ctx: ReadContext, name: str) -> Sequence[ObjectRow]:
    return accounts.indexed(ctx, attr.ALT_SECURITY_IDENTITIES, name)


def _by_display_name(ctx: ReadContext, name: str) -> Sequence[ObjectRow]:
    return accounts.indexed(ctx, attr.DISPLAY_NAME, name)


def _by_guid(ctx: ReadContext, name: str) -> Sequence[ObjectRow]:
    if len(name) != _GUID_LENGTH or name[0] != "{" or name[-1] != "}":
        return []
    try:
        row = ctx.tx.by_guid(guid_to_wire(UUID(name)))
    except ValueError:
        return []
    return [] if row is None else [row]


def _by_canonical_name(ctx: ReadContext, name: str) -> Sequence[ObjectRow]:
    """example.com/Users/Alice; a slash inside a name is escaped by a backslash."""
    domain, *path = name.replace("\\/", "\0").split("/")
    if not path or domain.lower() != ctx.forest.dns_domain.lower():
        return []
    row = ctx.tx.get(ctx.forest.domain_nc)
    for part in path if path != [""] else ():
        row = None if row is None else _child_named(ctx, row, part.replace("\0", "/"))
    return [] if row is None else [row]


def _child_named(ctx: ReadContext, parent: ObjectRow, value: str) -> ObjectRow | None:
    for att in (attr.CN, attr.OU, attr.DC):
        if (row := names.child_named(ctx, parent.dnt, att, value)) is not None:
            return row
    return None


def _by_extended_canonical_name(ctx: ReadContext, name: str) -> Sequence[ObjectRow]:
    above, newline, last = name.rpartition("\n")
    return _by_canonical_name(ctx, f"{above}/{last}") if newline else []


def _by_spn(ctx: ReadContext, name: str) -> Sequence[ObjectRow]:
    """A servicePrincipalName as it is; else what its class is an alias of. Spec: [MS-DRSR] 4.1.4.2.14."""
    rows = accounts.indexed(ctx, attr.SERVICE_PRINCIPAL_NAME, name)
    service, slash, rest = name.partition("/")
    if rows or not slash:
        return rows
    for alias in accounts.mapped_to(ctx, service):
        if found := accounts.indexed(ctx, attr.SERVICE_PRINCIPAL_NAME, f"{alias}/{rest}"):
            return found
    return []


def _by_sid(ctx: ReadContext, name: str) -> Sequence[ObjectRow]:
    """Of the domain: Windows does not find the well-known principals of the configuration here."""
    try:
        sid = Sid.parse(name)
    except DecodeError:
        return []
    rows = [row for row in ctx.tx.by_sid(bytes(sid)) if row.state is ObjectState.LIVE]
    own = [row for row in rows if row.nc == ctx.forest.domain_nc]
    return own or accounts.indexed(ctx, attr.SID_HISTORY, bytes(sid))


Finder = Callable[[ReadContext, str], Sequence[ObjectRow]]
_FORMS: Final[dict[NameFormat, Finder]] = {
    NameFormat.DS_FQDN_1779_NAME: _by_dn,
    NameFormat.DS_NT4_ACCOUNT_NAME: _by_nt4_name,
    NameFormat.DS_DISPLAY_NAME: _by_display_name,
    NameFormat.DS_UNIQUE_ID_NAME: _by_guid,
    NameFormat.DS_CANONICAL_NAME: _by_canonical_name,
    NameFormat.DS_USER_PRINCIPAL_NAME: _by_upn,
    NameFormat.DS_CANONICAL_NAME_EX: _by_extended_canonical_name,
    NameFormat.DS_SERVICE_PRINCIPAL_NAME: _by_spn,
    NameFormat.DS_SID_OR_SID_HISTORY_NAME: _by_sid,
    NameFormat.DS_STRING_SID_NAME: _by_sid,
    NameFormat.DS_NT4_ACCOUNT_NAME_SANS_DOMAIN: _by_sam_name,
    NameFormat.DS_NT4_ACCOUNT_NAME_SANS_DOMAIN_EX: _by_usable_sam_name,
    NameFormat.DS_ALT_SECURITY_IDENTITIES_NAME: _by_identity,
    NameFormat.DS_USER_PRINCIPAL_NAME_AND_ALTSECID: _by_upn_or_identity,
}


def _domain(ctx: ReadContext) -> list[ObjectRow]:
    row = ctx.tx.get(ctx.forest.domain_nc)
    return [] if row is None else [row]


def _is_own_domain(ctx: ReadContext, name: str) -> bool:
    return name.lower() in (ctx.forest.dns_domain.lower(), ctx.forest.netbios.lower())


def _is_builtin(row: ObjectRow) -> bool:
    sid = entry.sid(row)
    return sid is not None and str(sid).startswith("S-1-5-32-")


# --- where nothing was found ---


def _unknown(ctx: ReadContext, offered: NameFormat, flags: NameFlags, name: str) -> DsNameResultItem:
    """Perhaps another domain's. Spec: [MS-DRSR] 4.1.4.2.10."""
    domain = _domain_part(offered, name)
    if not domain or (offered is not NameFormat.DS_SERVICE_PRINCIPAL_NAME and _is_own_domain(ctx, domain)):
        return _NOT_FOUND
    trusted = trusts.find(ctx, domain)
    if trusted is not None and trusted.partner:
        referral = bool(flags & NameFlags.DS_NAME_FLAG_TRUST_REFERRAL)
        status = NameStatus.DS_NAME_ERROR_TRUST_REFERRAL if referral else NameStatus.DS_NAME_ERROR_DOMAIN_ONLY
        return DsNameResultItem(status, trusted.partner)
    if offered is NameFormat.DS_NT4_ACCOUNT_NAME:
        return _NOT_FOUND
    return DsNameResultItem(NameStatus.DS_NAME_ERROR_DOMAIN_ONLY, domain)


def _domain_part(offered: NameFormat, name: str) -> str:
    """What the name says of the domain it is of; "" where it says nothing."""
    match offered:
        case NameFormat.DS_NT4_ACCOUNT_NAME:
            return name.partition("\\")[0] if "\\" in name else ""
        case NameFormat.DS_USER_PRINCIPAL_NAME | NameFormat.DS_USER_PRINCIPAL_NAME_AND_ALTSECID:
            return name.rpartition("@")[2] if "@" in name else ""
        case NameFormat.DS_SERVICE_PRINCIPAL_NAME:
            _, slash, rest = name.partition("/")
            return rest.rpartition("@")[2] if "@" in rest else rest.rpartition("/")[2] if slash else ""
    return ""


def _by_syntax(offered: NameFormat, desired: NameFormat, name: str) -> DsNameResultItem:
    """A DN as canonical name, nothing looked up: the one mapping that syntax alone can do."""
    canonical = {NameFormat.DS_CANONICAL_NAME: "/", NameFormat.DS_CANONICAL_NAME_EX: "\n"}.get(desired)
    if offered is not NameFormat.DS_FQDN_1779_NAME or canonical is None:
        return DsNameResultItem(NameStatus.DS_NAME_ERROR_NO_MAPPING)
    try:
        dn = Dn.parse(name)
    except DecodeError:
        return _NOT_FOUND
    text = _canonical(dn, canonical)
    return DsNameResultItem(NameStatus.DS_NAME_NO_ERROR, text.replace("\n", "/").partition("/")[0], text)


# --- from a row to the desired form ---


def _described(ctx: ReadContext, row: ObjectRow, desired: NameFormat) -> DsNameResultItem:
    """Spec: [MS-DRSR] 4.1.4.2.25 (ConstructOutput)."""
    form = _OUTPUTS.get(desired)
    if form is None:
        return DsNameResultItem(NameStatus.DS_NAME_ERROR_RESOLVING)
    found = form(ctx, row)
    if not found:
        return DsNameResultItem(NameStatus.DS_NAME_ERROR_NO_MAPPING)
    if len(found) > 1:
        return DsNameResultItem(NameStatus.DS_NAME_ERROR_NOT_UNIQUE)
    return DsNameResultItem(NameStatus.DS_NAME_NO_ERROR, _dns_domain(ctx, row), found[0])


def _dns_domain(ctx: ReadContext, row: ObjectRow) -> str:
    return _canonical(names.parsed_dn(ctx, row), "/").partition("/")[0] or ctx.forest.dns_domain


def _canonical(dn: Dn, last: str) -> str:
    """last: what stands before the last name."""
    above, _, name = canonical_name(dn).replace("\\/", "\0").rpartition("/")
    return (above + last + name).replace("\0", "\\/")


def _readable(ctx: ReadContext, row: ObjectRow, att: AttId) -> list[str]:
    """Values that the requester may read."""
    attribute = ctx.schema.attribute_by_id(att)
    assert attribute is not None
    return entry.texts(row, att) if rights.can_read(ctx, row, attribute) else []


def _nt4_name(ctx: ReadContext, row: ObjectRow) -> list[str]:
    if row.dnt == ctx.forest.domain_nc:
        return [ctx.forest.netbios + "\\"]
    account = entry.text(row, attr.SAM_ACCOUNT_NAME)
    if account is None or row.nc != ctx.forest.domain_nc:
        return []
    return [f"{_BUILTIN if _is_builtin(row) else ctx.forest.netbios}\\{account}"]


def _sid_text(_: ReadContext, row: ObjectRow) -> list[str]:
    sid = entry.sid(row)
    return [] if sid is None else [str(sid)]


def _upn_for_logon(ctx: ReadContext, row: ObjectRow) -> list[str]:
    """The userPrincipalName, else the one that every account has."""
    upn = _readable(ctx, row, attr.USER_PRINCIPAL_NAME)
    account = entry.text(row, attr.SAM_ACCOUNT_NAME)
    users = (SamAccountType.SAM_USER_OBJECT, SamAccountType.SAM_MACHINE_ACCOUNT)
    if upn or account is None or entry.integer(row, attr.SAM_ACCOUNT_TYPE) not in users:
        return upn
    return [f"{account}@{ctx.forest.dns_domain}"]


Output = Callable[[ReadContext, ObjectRow], list[str]]
_OUTPUTS: Final[dict[NameFormat, Output]] = {
    NameFormat.DS_FQDN_1779_NAME: lambda ctx, row: [names.dn_of_row(ctx, row)],
    NameFormat.DS_NT4_ACCOUNT_NAME: _nt4_name,
    NameFormat.DS_DISPLAY_NAME: lambda ctx, row: _readable(ctx, row, attr.DISPLAY_NAME),
    NameFormat.DS_UNIQUE_ID_NAME: lambda ctx, row: [f"{{{UUID(bytes_le=row.guid)}}}"],
    NameFormat.DS_CANONICAL_NAME: lambda ctx, row: [_canonical(names.parsed_dn(ctx, row), "/")],
    NameFormat.DS_CANONICAL_NAME_EX: lambda ctx, row: [_canonical(names.parsed_dn(ctx, row), "\n")],
    NameFormat.DS_USER_PRINCIPAL_NAME: lambda ctx, row: _readable(ctx, row, attr.USER_PRINCIPAL_NAME),
    NameFormat.DS_SERVICE_PRINCIPAL_NAME: lambda ctx, row: _readable(ctx, row, attr.SERVICE_PRINCIPAL_NAME),
    NameFormat.DS_STRING_SID_NAME: _sid_text,
    NameFormat.DS_USER_PRINCIPAL_NAME_FOR_LOGON: _upn_for_logon,
    # [MS-DRSR] has no output in this form; group policy clients ask for it and Windows answers.
    NameFormat.DS_DNS_DOMAIN_NAME: lambda ctx, row: [_dns_domain(ctx, row)],
}
