"""Names of SIDs and SIDs of names, as the LSA translates them for anybody who may ask it.

It translates in the DC's own name: who may look names up at all is the caller's to decide. Of trusted domains
only the domains themselves are known here; their users are left unknown, with the domain told.

Spec: [MS-LSAT] 3.1.1.1, 3.1.4.5, 3.1.4.9, 2.2.16.
"""

from dataclasses import dataclass
from enum import IntFlag
from typing import Final

from addc.codec.ids import Sid
from addc.directory import accounts, entry, trusts
from addc.directory.context import ReadContext
from addc.directory.trusts import Trust
from addc.schema import attr
from addc.security import sid_names, wellknown
from addc.security.sid_filter import claims_name
from addc.security.sid_names import KnownName, SidNameUse
from addc.security.trusts import TrustAttributes, TrustDirection, TrustType
from addc.store.objects import ObjectRow, ObjectState


class Scope(IntFlag):
    """The views that are searched. HISTORY: sIDHistory counts too."""

    PREDEFINED = 1
    ACCOUNTS = 2
    FOREST = 4
    TRUSTED_FORESTS = 8
    TRUSTED_DOMAINS = 16
    HISTORY = 32


EVERYWHERE: Final = Scope(63)


class Flag(IntFlag):
    """How a translation was come by. Spec: [MS-LSAT] 2.2.21."""

    OTHER_COLUMN = 1
    FOREST_TRUST = 2
    CONFIGURABLE = 4


@dataclass(frozen=True, slots=True)
class Domain:
    """A domain by its NetBIOS name and SID."""

    name: str
    sid: Sid | None


@dataclass(frozen=True, slots=True)
class Translation:
    """What a name or a SID means. sid, name: None where it is unknown; domain: known more often."""

    use: SidNameUse
    sid: Sid | None
    name: str | None
    domain: Domain | None
    flags: int = 0

    @property
    def is_mapped(self) -> bool:
        return self.use is not SidNameUse.UNKNOWN


UNKNOWN: Final = Translation(SidNameUse.UNKNOWN, None, None, None)
_USES: Final = {
    1: SidNameUse.GROUP,
    2: SidNameUse.ALIAS,
    3: SidNameUse.USER,
    4: SidNameUse.ALIAS,
}
"""By the highest digit of sAMAccountType. Spec: [MS-LSAT] 3.1.1.1.3."""
_BUILTIN: Final = Domain(sid_names.BUILTIN.name, wellknown.BUILTIN_DOMAIN)


def own_domain(ctx: ReadContext) -> Domain:
    return Domain(ctx.forest.netbios, ctx.forest.domain_sid)


def _of_known(one: KnownName) -> Translation:
    flags = int(Flag.CONFIGURABLE) if one.is_configurable else 0
    return Translation(one.use, one.sid, one.name, Domain(one.domain, one.domain_sid), flags)


_KNOWN: Final = {one.sid: _of_known(one) for one in sid_names.TABLE}


def _of_row(ctx: ReadContext, row: ObjectRow) -> Translation | None:
    """What a row is called, None for what is no principal of this domain."""
    if row.state is not ObjectState.LIVE or row.sid is None:
        return None
    return accounts.kept(ctx, "lsa.name", row, lambda: _read(ctx, row))


def _read(ctx: ReadContext, row: ObjectRow) -> Translation | None:
    name = entry.text(row, attr.SAM_ACCOUNT_NAME)
    use = _USES.get(entry.integer(row, attr.SAM_ACCOUNT_TYPE) >> 28)
    if name is None or use is None or row.sid is None:
        return None
    sid = Sid(row.sid)
    of = sid.domain()
    if of == wellknown.BUILTIN_DOMAIN:
        return Translation(use, sid, name, _BUILTIN)
    return Translation(use, sid, name, own_domain(ctx)) if of == ctx.forest.domain_sid else None


# --- SIDs --------------------------------------------------------------------------------------------------


def of_sid(ctx: ReadContext, sid: Sid, scope: Scope = EVERYWHERE) -> Translation:
    """The name of a SID; where it is unknown, its domain if that is known."""
    if scope & Scope.PREDEFINED:
        known = _KNOWN.get(sid)
        if known is not None:
            return known
    if scope & (Scope.ACCOUNTS | Scope.FOREST | Scope.PREDEFINED):
        found = _principal(ctx, sid, scope)
        if found is not None:
            return found
    for one in _trusted(ctx, scope):
        if one.sid is not None and sid == one.sid:
            return _of_trust(one, _told_by_forest(one, scope))
    return _unknown_of_domain(ctx, sid, scope)


def _principal(ctx: ReadContext, sid: Sid, scope: Scope) -> Translation | None:
    own = ctx.forest.domain_sid
    may_accounts = scope & (Scope.ACCOUNTS | Scope.FOREST)
    if may_accounts and sid == own:
        return Translation(SidNameUse.DOMAIN, sid, ctx.forest.netbios, own_domain(ctx))
    domain = sid.domain()
    if domain == own and may_accounts:
        return _by_sid(ctx, sid)
    if domain == wellknown.BUILTIN_DOMAIN:
        return _by_sid(ctx, sid) if scope & Scope.PREDEFINED else None
    if may_accounts and scope & Scope.HISTORY:
        for row in accounts.indexed(ctx, attr.SID_HISTORY, bytes(sid)):
            found = _of_row(ctx, row)
            if found is not None:
                return _other_column(found)
    return None


def _by_sid(ctx: ReadContext, sid: Sid) -> Translation | None:
    for row in ctx.tx.by_sid(bytes(sid)):
        found = _of_row(ctx, row)
        if found is not None:
            return found
    return None


def _other_column(found: Translation) -> Translation:
    flags = found.flags | Flag.OTHER_COLUMN
    return Translation(found.use, found.sid, found.name, found.domain, flags)


def _unknown_of_domain(ctx: ReadContext, sid: Sid, scope: Scope) -> Translation:
    domain = sid.domain()
    if scope & Scope.PREDEFINED and domain == wellknown.BUILTIN_DOMAIN:
        return Translation(SidNameUse.UNKNOWN, None, None, _BUILTIN)
    if scope & (Scope.ACCOUNTS | Scope.FOREST) and domain == ctx.forest.domain_sid:
        return Translation(SidNameUse.UNKNOWN, None, None, own_domain(ctx))
    for one in _trusted(ctx, scope):
        if one.sid == domain:
            flags = _told_by_forest(one, scope)
            return Translation(SidNameUse.UNKNOWN, None, None, Domain(one.flat_name, one.sid), flags)
    return UNKNOWN


# --- trusted domains ---------------------------------------------------------------------------------------


def _trusted(ctx: ReadContext, scope: Scope) -> list[Trust]:
    """The Windows domains that this one trusts, as far as the scope goes. Spec: [MS-LSAT] 3.1.1.3."""
    found = []
    for one in trusts.trusted_domains(ctx):
        if not one.direction & TrustDirection.OUTBOUND or one.trust_type > TrustType.UPLEVEL:
            continue
        if one.within_forest:
            needed = Scope.FOREST
        elif one.attributes & TrustAttributes.FOREST_TRANSITIVE:
            needed = Scope.TRUSTED_FORESTS
        else:
            needed = Scope.TRUSTED_DOMAINS
        if scope & needed:
            found.append(one)
    return found


def _of_trust(one: Trust, flags: int = 0) -> Translation:
    return Translation(SidNameUse.DOMAIN, one.sid, one.flat_name, Domain(one.flat_name, one.sid), flags)


def _told_by_forest(one: Trust, scope: Scope) -> int:
    """Flag.FOREST_TRUST for what the other side of a forest trust may know more of."""
    is_forest = one.attributes & TrustAttributes.FOREST_TRANSITIVE and scope & Scope.TRUSTED_FORESTS
    return int(Flag.FOREST_TRUST) if is_forest else 0


def _claims(one: Trust, suffix: str) -> bool:
    """Whether a forest says that a DNS name, or a NetBIOS name of a domain, is its own."""
    if one.forest is None or not one.attributes & TrustAttributes.FOREST_TRANSITIVE:
        return False
    if any(suffix == domain.netbios_name.lower() for domain in one.forest.domains if domain.enabled):
        return True
    return bool(claims_name(suffix, one.forest.names))


# --- names -------------------------------------------------------------------------------------------------


def of_name(ctx: ReadContext, name: str, scope: Scope = EVERYWHERE) -> Translation:
    """The SID of a name: `DOMAIN\\user`, `user@suffix`, or a name alone. Spec: [MS-LSAT] 3.1.4.5."""
    domain, backslash, account = name.partition("\\")
    if backslash:
        return _qualified(ctx, domain.lower().rstrip("."), account, scope)
    return _isolated(ctx, name, scope)


def _is_own(ctx: ReadContext, domain: str) -> bool:
    return domain in (ctx.forest.netbios.lower(), ctx.forest.dns_domain.lower())


def _qualified(ctx: ReadContext, domain: str, account: str, scope: Scope) -> Translation:
    if scope & Scope.PREDEFINED:
        found = _qualified_known(ctx, domain, account)
        if found is not None:
            return found
    if scope & (Scope.ACCOUNTS | Scope.FOREST) and _is_own(ctx, domain):
        own = own_domain(ctx)
        if not account:
            return Translation(SidNameUse.DOMAIN, own.sid, own.name, own)
        found = _by_sam(ctx, account, own.sid)
        return found or Translation(SidNameUse.UNKNOWN, None, None, own)
    for one in _trusted(ctx, scope):
        if domain in (one.flat_name.lower(), one.partner.lower()):
            flags = _told_by_forest(one, scope)
            if not account:
                return _of_trust(one, flags)
            return Translation(SidNameUse.UNKNOWN, None, None, Domain(one.flat_name, one.sid), flags)
    return _in_trusted_forest(ctx, domain, scope)


def _qualified_known(ctx: ReadContext, domain: str, account: str) -> Translation | None:
    of = sid_names.DOMAINS.get(domain)
    if of is None:
        return None
    if domain == sid_names.BUILTIN.name.lower() and account:
        found = _by_sam(ctx, account, wellknown.BUILTIN_DOMAIN)
        return found or Translation(SidNameUse.UNKNOWN, None, None, _BUILTIN)
    known = sid_names.BY_FULL_NAME.get((domain, account.lower() or domain))
    if known is not None:
        return _KNOWN[known.sid]
    return Translation(SidNameUse.UNKNOWN, None, None, Domain(of.domain, of.domain_sid))


def _in_trusted_forest(ctx: ReadContext, suffix: str, scope: Scope) -> Translation:
    if scope & Scope.TRUSTED_FORESTS and any(_claims(one, suffix) for one in _trusted(ctx, scope)):
        return Translation(SidNameUse.UNKNOWN, None, None, None, int(Flag.FOREST_TRUST))
    return UNKNOWN


def _isolated(ctx: ReadContext, name: str, scope: Scope) -> Translation:
    folded = name.lower()
    if scope & Scope.PREDEFINED:
        known = sid_names.BY_NAME.get(folded) if name else sid_names.BUILTIN
        if known is not None:
            return _KNOWN[known.sid]
        found = _by_sam(ctx, name, wellknown.BUILTIN_DOMAIN)
        if found is not None:
            return found
    if scope & (Scope.ACCOUNTS | Scope.FOREST) and name:
        found = _own_isolated(ctx, name, folded)
        if found is not None:
            return found
    for one in _trusted(ctx, scope):
        if folded == one.flat_name.lower():
            return _of_trust(one, _told_by_forest(one, scope))
        if folded == one.partner.lower():
            return _other_column(_of_trust(one, _told_by_forest(one, scope)))
    _, at, suffix = folded.rpartition("@")
    return _in_trusted_forest(ctx, suffix, scope) if at else UNKNOWN


def _own_isolated(ctx: ReadContext, name: str, folded: str) -> Translation | None:
    own = own_domain(ctx)
    if folded == own.name.lower():
        return Translation(SidNameUse.DOMAIN, own.sid, own.name, own)
    if folded == ctx.forest.dns_domain.lower():
        return _other_column(Translation(SidNameUse.DOMAIN, own.sid, own.name, own))
    found = _by_sam(ctx, name, own.sid)
    if found is not None or "@" not in name:
        return found
    return _by_upn(ctx, name)


def _by_upn(ctx: ReadContext, upn: str) -> Translation | None:
    """By userPrincipalName, which has to be one's alone; else by sAMAccountName@domain."""
    rows = accounts.indexed(ctx, attr.USER_PRINCIPAL_NAME, upn)
    holders = [found for row in rows if (found := _of_row(ctx, row)) is not None]
    if holders:
        return _other_column(holders[0]) if len(holders) == 1 else None
    account, _, suffix = upn.rpartition("@")
    if not _is_own(ctx, suffix.lower().rstrip(".")):
        return None
    found = _by_sam(ctx, account, ctx.forest.domain_sid)
    return None if found is None else _other_column(found)


def _by_sam(ctx: ReadContext, name: str, domain: Sid | None) -> Translation | None:
    if not name:
        return None
    for row in accounts.indexed(ctx, attr.SAM_ACCOUNT_NAME, name):
        found = _of_row(ctx, row)
        if found is not None and found.domain is not None and found.domain.sid == domain:
            return found
    return None
