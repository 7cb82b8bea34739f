"""What of a foreign PAC is believed: SIDs, names and claims that cross the boundary of a trust.

Nothing here trusts the partner further than its trusted domain object does: what it may not say is taken out,
and a PAC whose own parts contradict each other is refused as a whole.

Spec: [MS-PAC] 4.1.2.2, 4.1.2.3, [MS-KILE] 3.3.5.7.5, [MS-ADTS] 3.1.1.11.2.11, 6.1.6.9.3.2.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

from addc.codec.forest_trust import DomainInfo, TopLevelName
from addc.codec.ids import Sid
from addc.codec.pac import (
    SE_GROUP_DEFAULT,
    KerbSidAndAttributes,
    KerbValidationInfo,
    Pac,
    PacType,
    UpnDnsInfo,
    UserFlags,
    pack_ndr_buffer,
    unpack_logon_info,
)
from addc.security import wellknown
from addc.security.trusts import Boundary

_NT: Final = bytes((0, 0, 0, 0, 0, 5))
_NON_UNIQUE: Final = bytes((0, 0, 0, 0, 0, 4))
_PASSPORT: Final = bytes((0, 0, 0, 0, 0, 10))
_AUTHENTICATION: Final = bytes((0, 0, 0, 0, 0, 18))
"""S-1-18: how an identity was asserted ([MS-DTYP] 2.4.2.4); younger than the table of [MS-PAC]."""
_DOMAIN_AUTHORITY: Final = 21
_DOMAIN_PARTS: Final = 5
"""Sub-authorities of a principal's SID: 21, three of the domain, the RID."""
_FIRST_USER_RID: Final = 1000
_NEVER_FILTERED: Final = frozenset((wellknown.COMPOUNDED_AUTHENTICATION, wellknown.CLAIMS_VALID))
_FOREIGN: Final = frozenset(
    (
        Boundary.CROSS_FOREST,
        Boundary.EXTERNAL,
        Boundary.QUARANTINED_EXTERNAL,
        Boundary.PRIVILEGED_IDENTITY,
    )
)
_KEPT_BUFFERS: Final = frozenset(
    int(kind)
    for kind in (
        PacType.LOGON_INFO,
        PacType.CLIENT_INFO,
        PacType.UPN_DNS_INFO,
        PacType.DELEGATION_INFO,
        PacType.ATTRIBUTES_INFO,
        PacType.REQUESTOR_SID,
    )
)
"""Buffers that come over a forest's boundary. Claims have no transformation policy here, so none do."""


class PacRefusedError(Exception):
    """A PAC that no filter makes right: whose user is not the partner's to speak for, or that lies."""


@dataclass(frozen=True, slots=True)
class TrustScope:
    """What of a partner's words is believed.

    partner_sid: of the trusted domain object. local: SIDs of this forest's domains.
    domains: those that the partner's forest claims, in force or not.
    selective: TRUST_ATTRIBUTE_CROSS_ORGANIZATION.
    """

    boundary: Boundary
    partner_sid: Sid | None
    local: frozenset[Sid]
    domains: tuple[DomainInfo, ...] = ()
    selective: bool = False

    def foreign_domains(self) -> frozenset[Sid]:
        """The domains whose SIDs may come over a cross-forest trust."""
        claimed = {one.sid for one in self.domains if one.enabled and one.sid is not None}
        named = {one.sid for one in self.domains}
        if self.partner_sid is not None and self.partner_sid not in named:
            claimed.add(self.partner_sid)
        return frozenset(claimed - self.local)

    def may_speak_for(self, domain: Sid) -> bool:
        """Whether users of that domain come over this trust.

        Deviation: a plain external trust is not transitive, so its users are the partner's own.
        """
        match self.boundary:
            case Boundary.WITHIN_FOREST:
                return True
            case Boundary.CROSS_FOREST | Boundary.PRIVILEGED_IDENTITY:
                return domain in self.foreign_domains()
            case Boundary.EXTERNAL if self.domains:
                return domain in self.foreign_domains()
            case Boundary.QUARANTINED_WITHIN_FOREST:
                return domain == self.partner_sid
            case Boundary.EXTERNAL | Boundary.QUARANTINED_EXTERNAL:
                return domain == self.partner_sid and domain not in self.local
            case Boundary.MIT:
                return False


def passes(sid: Sid, scope: TrustScope, logon_domain: Sid) -> bool:
    """Whether a SID in a PAC of `logon_domain` crosses the boundary. Spec: [MS-PAC] 4.1.2.2."""
    if len(sid) < 8 or sid[0] != 1 or len(sid) != 8 + 4 * sid[1]:
        return False
    authority, count = bytes(sid[2:8]), sid[1]
    if authority in (_NON_UNIQUE, _PASSPORT, _AUTHENTICATION):
        return True
    if authority != _NT or not count:
        return False
    first = int.from_bytes(sid[8:12], "little")
    if first == _DOMAIN_AUTHORITY:
        return sid in _NEVER_FILTERED or (
            count == _DOMAIN_PARTS and _domain_sid_passes(sid, scope, logon_domain)
        )
    if sid == wellknown.ENTERPRISE_DOMAIN_CONTROLLERS:
        return scope.boundary not in _FOREIGN
    return sid == wellknown.THIS_ORGANIZATION or first >= _FIRST_USER_RID


def _domain_sid_passes(sid: Sid, scope: TrustScope, logon_domain: Sid) -> bool:
    domain = sid.domain()
    boundary = scope.boundary
    if boundary is Boundary.WITHIN_FOREST:
        return True
    if boundary in (Boundary.QUARANTINED_WITHIN_FOREST, Boundary.QUARANTINED_EXTERNAL):
        return domain == scope.partner_sid and domain not in scope.local
    if boundary is Boundary.PRIVILEGED_IDENTITY:
        return domain in scope.local or domain in scope.foreign_domains()
    if domain in scope.local:
        return False
    if sid.rid() < _FIRST_USER_RID and domain != logon_domain:
        return False
    return boundary is Boundary.EXTERNAL or domain in scope.foreign_domains()


def filtered_logon(info: KerbValidationInfo, scope: TrustScope) -> KerbValidationInfo:
    """LOGON_INFO as this domain believes it, with the SID of the other organization where that is asked for.

    Raises PacRefusedError where the user is none that may come over this trust.
    """
    domain = info.logon_domain_id
    if domain is None or not scope.may_speak_for(domain):
        raise PacRefusedError("the user is not of a domain that the partner speaks for")
    if not passes(domain.child(info.user_id), scope, domain):
        raise PacRefusedError("the user's own SID does not cross the trust")
    groups = tuple(
        one for one in info.group_ids or () if passes(domain.child(one.relative_id), scope, domain)
    )
    extra = tuple(
        one for one in info.extra_sids or () if one.sid is not None and passes(one.sid, scope, domain)
    )
    flags = info.user_flags & ~int(UserFlags.RESOURCE_GROUPS | UserFlags.EXTRA_SIDS)
    if scope.selective and all(one.sid != wellknown.OTHER_ORGANIZATION for one in extra):
        extra = tuple(one for one in extra if one.sid != wellknown.THIS_ORGANIZATION)
        extra += (KerbSidAndAttributes(wellknown.OTHER_ORGANIZATION, SE_GROUP_DEFAULT),)
    if extra:
        flags |= int(UserFlags.EXTRA_SIDS)
    # Resource groups of where the ticket comes from mean nothing here.
    return replace(
        info,
        group_ids=groups or None,
        extra_sids=extra or None,
        user_flags=flags,
        resource_group_domain_sid=None,
        resource_group_ids=None,
    )


@lru_cache(maxsize=1024)
def filtered_pac(pac: Pac, scope: TrustScope, crealm: str) -> Pac:
    """A verified PAC of a cross-realm TGT with what crosses the boundary.

    crealm: of the ticket. Raises PacRefusedError, DecodeError.
    """
    logon = pac.get(PacType.LOGON_INFO)
    if logon is None:
        raise PacRefusedError("no logon information")
    info = unpack_logon_info(logon)
    believed = filtered_logon(info, scope)
    assert info.logon_domain_id is not None
    user = info.logon_domain_id.child(info.user_id)
    requestor = pac.get(PacType.REQUESTOR_SID)
    if requestor is not None and Sid.of(requestor) != user:
        raise PacRefusedError("requestor and user are two")
    within = scope.boundary is Boundary.WITHIN_FOREST
    buffers = []
    for kind, data in pac.buffers:
        if kind == PacType.LOGON_INFO:
            buffers.append((kind, pack_ndr_buffer(believed)))
        elif kind == PacType.UPN_DNS_INFO:
            if _upn_fits(data, user, crealm):
                buffers.append((kind, data))
        elif within or kind in _KEPT_BUFFERS:
            buffers.append((kind, data))
    return Pac(tuple(buffers))


def _upn_fits(data: bytes, user: Sid, crealm: str) -> bool:
    """Whether UPN_DNS_INFO is of the ticket's realm; one with somebody else's SID is a lie."""
    info = UpnDnsInfo.unpack(data)
    if info.sid is not None and info.sid != user:
        raise PacRefusedError("UPN_DNS_INFO is somebody else's")
    return info.dns_domain_name.upper() == crealm.upper()


# --- names -------------------------------------------------------------------------------------------------


def is_below(name: str, suffix: str) -> bool:
    """Whether a DNS name is `suffix` or below it; both in lower case."""
    return name == suffix or name.endswith("." + suffix)


def claims_name(name: str, names: Iterable[TopLevelName]) -> int:
    """How many characters of a DNS name these top-level names claim: the longest suffix, 0 for none.

    An exclusion takes back what is at or below it, unless a longer name claims it again.
    Spec: [MS-ADTS] 6.1.6.9.3.2.
    """
    folded = name.rstrip(".").lower()
    best = excluded = 0
    for one in names:
        suffix = one.name.rstrip(".").lower()
        if not suffix or not one.enabled or not is_below(folded, suffix):
            continue
        if one.excluded:
            excluded = max(excluded, len(suffix))
        else:
            best = max(best, len(suffix))
    return 0 if excluded >= best else best
