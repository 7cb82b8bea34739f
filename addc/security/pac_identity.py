"""Who a PAC says its holder is, and back: SIDs, claims and the device of a token as parts of a PAC.

Spec: [MS-KILE] 3.4.5.3, [MS-PAC] 2.5, 2.11 - 2.13, [MS-DTYP] 2.4.10.1.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from addc.base.errors import DecodeError
from addc.codec.claims import (
    ClaimEntry,
    ClaimInt64,
    ClaimsArray,
    ClaimsSet,
    ClaimsSourceType,
    ClaimString,
    ClaimType,
    ClaimUint64,
    decode_claims,
    encode_claims,
)
from addc.codec.ids import Sid
from addc.codec.pac import (
    SE_GROUP_DEFAULT,
    GroupMembership,
    KerbSidAndAttributes,
    KerbValidationInfo,
    Pac,
    PacDeviceInfo,
    PacType,
    UserFlags,
    unpack_device_info,
    unpack_logon_info,
)
from addc.security import wellknown
from addc.security.token import LOGON_SIDS, NO_CLAIMS, Claim, Claims, ClaimValue, Token


@dataclass(frozen=True, slots=True)
class Identity:
    """The holder of a PAC.

    sids: user, groups and asserted SIDs; what logging on somewhere adds is not among them.
    device_sids: user, groups and asserted SIDs of the device, none without one that counts.
    """

    domain: Sid
    user: Sid
    primary_group: Sid
    sids: frozenset[Sid]
    claims: Claims = NO_CLAIMS


def identity_of(pac: Pac) -> Identity:
    """Whom a PAC speaks of. Raises DecodeError for one that cannot be read or names nobody.

    Claims count only where the SID is there that says they are valid, the device only where the logon was
    compounded with it. Spec: [MS-KILE] 3.4.5.3.
    """
    logon = pac.get(PacType.LOGON_INFO)
    if logon is None:
        raise DecodeError("no logon information", 0, "PAC")
    info = unpack_logon_info(logon)
    domain = info.logon_domain_id
    if domain is None:
        raise DecodeError("no domain", 0, "PAC.LOGON_INFO")
    primary_group = domain.child(info.primary_group_id)
    sids = frozenset((*sids_of(info), primary_group))
    return Identity(
        domain,
        domain.child(info.user_id),
        primary_group,
        sids,
        _claims_of(pac, sids),
    )


def user_of(info: KerbValidationInfo) -> Sid | None:
    """The user of LOGON_INFO; None for one without a domain."""
    return None if info.logon_domain_id is None else info.logon_domain_id.child(info.user_id)


def sids_of(info: KerbValidationInfo) -> tuple[Sid, ...]:
    """The user of LOGON_INFO, then every group, resource groups included; () for one without a domain."""
    domain, user = info.logon_domain_id, user_of(info)
    if domain is None or user is None:
        return ()
    found = [user, *(domain.child(one.relative_id) for one in info.group_ids or ())]
    found += [one.sid for one in info.extra_sids or () if one.sid is not None]
    if info.resource_group_domain_sid is not None:
        resources = info.resource_group_domain_sid
        found += [resources.child(one.relative_id) for one in info.resource_group_ids or ()]
    return tuple(dict.fromkeys(found))


def device_sids_of(info: PacDeviceInfo) -> frozenset[Sid]:
    """The SIDs of a device."""
    domain = info.account_domain_id
    sids: set[Sid] = set()
    if domain is not None:
        sids |= {domain.child(info.user_id), domain.child(info.primary_group_id)}
        sids.update(domain.child(group.relative_id) for group in info.account_group_ids or ())
    sids.update(extra.sid for extra in info.extra_sids or () if extra.sid is not None)
    for groups in info.domain_group or ():
        if groups.domain_id is not None:
            sids.update(groups.domain_id.child(group.relative_id) for group in groups.group_ids or ())
    return frozenset(sids)


def _claims_of(pac: Pac, sids: frozenset[Sid]) -> Claims:
    user: tuple[Claim, ...] = ()
    device: tuple[Claim, ...] = ()
    device_sids: frozenset[Sid] = frozenset()
    if wellknown.CLAIMS_VALID in sids:
        user = claims_in(pac.get(PacType.CLIENT_CLAIMS_INFO))
    info = pac.get(PacType.DEVICE_INFO)
    if info and wellknown.COMPOUNDED_AUTHENTICATION in sids:
        device_sids = device_sids_of(unpack_device_info(info))
        if wellknown.CLAIMS_VALID in device_sids:
            device = claims_in(pac.get(PacType.DEVICE_CLAIMS_INFO))
        device_sids |= LOGON_SIDS
    if not user and not device_sids:
        return NO_CLAIMS
    return Claims(user, device, device_sids=device_sids)


def claims_in(data: bytes | None) -> tuple[Claim, ...]:
    """The claims of a CLIENT_CLAIMS_INFO or DEVICE_CLAIMS_INFO buffer; none for None. Raises DecodeError."""
    found = decode_claims(data) if data else None
    if found is None:
        return ()
    out = []
    for array in found.claims_arrays or ():
        for entry in array.claim_entries or ():
            values = _values_of(entry)
            if entry.id is not None and values:
                out.append(Claim(entry.id, values))
    return tuple(out)


def _values_of(entry: ClaimEntry) -> tuple[ClaimValue, ...]:
    if isinstance(entry.values, bytes):
        return ()
    values = entry.values.values or ()
    if entry.type == ClaimType.BOOLEAN:
        return tuple(bool(value) for value in values)
    return tuple(value for value in values if value is not None)


def claims_buffer(claims: Iterable[Claim]) -> bytes:
    """The buffer that says these claims, b"" for none; values that no claim can have are left out."""
    entries = tuple(entry for claim in claims if (entry := _entry_of(claim)) is not None)
    return encode_claims(ClaimsSet((ClaimsArray(ClaimsSourceType.AD, entries),), None))


def _entry_of(claim: Claim) -> ClaimEntry | None:
    values = claim.values
    if not values:
        return None
    if all(isinstance(value, bool) for value in values):
        return ClaimEntry(claim.name, ClaimType.BOOLEAN, ClaimUint64(tuple(int(v) for v in values)))
    numbers = tuple(value for value in values if isinstance(value, int))
    if len(numbers) == len(values):
        if all(-(1 << 63) <= number < 1 << 63 for number in numbers):
            return ClaimEntry(claim.name, ClaimType.INT64, ClaimInt64(numbers))
        return ClaimEntry(claim.name, ClaimType.UINT64, ClaimUint64(numbers))
    texts = tuple(value for value in values if isinstance(value, str))
    return ClaimEntry(claim.name, ClaimType.STRING, ClaimString(texts)) if len(texts) == len(values) else None


def info_of_token(token: Token, base: KerbValidationInfo, domain: Sid) -> KerbValidationInfo:
    """`base` with the identity of a token: what other machines are told of a logon that happened here.

    domain: of the user. SIDs that only this machine gave are left out: those of the logon, BUILTIN groups.
    """
    primary = token.primary_group or token.user.domain().child(wellknown.RID_DOMAIN_USERS)
    told = sorted(
        sid
        for sid in token.sids - LOGON_SIDS - {token.user}
        if sid.domain() != wellknown.BUILTIN_DOMAIN and sid != wellknown.ENTERPRISE_DOMAIN_CONTROLLERS
    )
    groups = tuple(GroupMembership(sid.rid(), SE_GROUP_DEFAULT) for sid in told if sid.domain() == domain)
    others = tuple(KerbSidAndAttributes(sid, SE_GROUP_DEFAULT) for sid in told if sid.domain() != domain)
    flags = base.user_flags & ~int(UserFlags.EXTRA_SIDS) | (int(UserFlags.EXTRA_SIDS) if others else 0)
    return replace(
        base,
        user_id=token.user.rid(),
        primary_group_id=primary.rid(),
        logon_domain_id=domain,
        group_ids=groups or None,
        extra_sids=others or None,
        user_flags=flags,
        resource_group_domain_sid=None,
        resource_group_ids=None,
    )
