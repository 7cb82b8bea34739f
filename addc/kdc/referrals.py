"""Who else to ask: names that belong to a trusted realm, and the ticket for that realm's KDC.

Spec: RFC 6806 7, 8, [MS-KILE] 3.3.5.6.2, 3.3.5.7.5, [MS-ADTS] 6.1.6.9.3.2, W-TRUST-06, W-TRUST-09.
"""

from collections.abc import Iterator
from typing import Final

from addc.base.clock import FileTime
from addc.codec.krb5 import PrincipalName
from addc.codec.krb5_numbers import KdcOptions, NameType
from addc.codes.krb_error import KrbErrorCode
from addc.codes.ntstatus import NtStatus
from addc.kdc import tickets
from addc.kdc.facts import KdcRefusal, KeyRing, Principal, RealmFacts, TrustFacts
from addc.kdc.principal_names import TGS, is_change_password, is_tgs
from addc.security import wellknown
from addc.security.sid_filter import claims_name, is_below
from addc.security.trusts import TrustAttributes

_ENTERPRISE: Final = int(NameType.KRB_NT_ENTERPRISE)
_SERVICE: Final = int(NameType.KRB_NT_SRV_INST)
_CANONICALIZE: Final = int(KdcOptions.CANONICALIZE)
_WITHIN_FOREST: Final = int(TrustAttributes.WITHIN_FOREST)
_NON_TRANSITIVE: Final = int(TrustAttributes.NON_TRANSITIVE)
_NO_DELEGATION: Final = int(TrustAttributes.NO_TGT_DELEGATION | TrustAttributes.QUARANTINED_DOMAIN)
_DELEGATION: Final = int(TrustAttributes.WITHIN_FOREST | TrustAttributes.ENABLE_TGT_DELEGATION)
_NAME_MAX: Final = 512


# --- whose name is it --------------------------------------------------------------------------------------


def _targets(name: PrincipalName) -> Iterator[str]:
    """The realms and host names that a service's name may belong to, the surest first."""
    parts = name.name_string
    if is_tgs(name):
        yield parts[1]
        return
    if "@" in parts[-1]:
        yield parts[-1].rpartition("@")[2]
    if len(parts) > 1:
        yield parts[1].partition(":")[0]
        yield from parts[2:3]
    elif "\\" in parts[0]:
        yield parts[0].partition("\\")[0]


def trust_of_name(target: str, realm: RealmFacts) -> TrustFacts | None:
    """The trust whose partner a realm, host or NetBIOS name belongs to: the longest claim wins, ours too."""
    folded = target.rstrip(".").lower()
    if not folded or len(folded) > _NAME_MAX:
        return None
    found = realm.trusts.get(folded.upper())
    if found is not None:
        return found
    own = realm.dns_domain.lower()
    best, longest = None, len(own) if is_below(folded, own) else 0
    for one in realm.trusts.values():
        if folded in one.netbios_names:
            return one
        score = claims_name(folded, one.names)
        if score > longest:
            best, longest = one, score
    if best is None and longest == 0 and any(is_below(folded, name) for name in realm.forest_names):
        return _towards_the_forest(realm)
    return best


def _towards_the_forest(realm: RealmFacts) -> TrustFacts | None:
    """The parent's trust, else the first within the forest: they know the way."""
    inside = [one for one in realm.trusts.values() if one.attributes & _WITHIN_FOREST]
    own = realm.dns_domain.lower()
    above = [one for one in inside if is_below(own, one.realm.lower())]
    return next(iter((*above, *inside)), None)


def route(name: PrincipalName, options: int, realm: RealmFacts) -> TrustFacts | None:
    """The trust over which a service is reached that is not here.

    krbtgt/REALM is always answered; other names where the client takes another answer than it asked for, or
    names a service instance, as clients without canonicalization do (RFC 6806 8).
    """
    if not name.name_string or is_change_password(name):
        return None
    if not (is_tgs(name) or options & _CANONICALIZE or name.name_type == _SERVICE):
        return None
    for target in _targets(name):
        found = trust_of_name(target, realm)
        if found is not None and found.to_partner is not None:
            return found
    return None


def client_realm(name: PrincipalName | None, realm: RealmFacts) -> str | None:
    """The realm to ask about an enterprise name that is nobody's here; None where none is known.

    Spec: RFC 6806 7, W-LOGON-04.
    """
    if name is None or name.name_type != _ENTERPRISE or not realm.trusts:
        return None
    _, at, suffix = "/".join(name.name_string).rpartition("@")
    found = trust_of_name(suffix, realm) if at else None
    return None if found is None else found.realm


def unknown_client(name: PrincipalName | None, realm: RealmFacts) -> KdcRefusal:
    """The answer about a client that is nobody here: the realm to ask, where a trust tells it."""
    crealm = client_realm(name, realm)
    if crealm is not None:
        return KdcRefusal(KrbErrorCode.KDC_ERR_WRONG_REALM, crealm=crealm)
    return KdcRefusal(KrbErrorCode.KDC_ERR_C_PRINCIPAL_UNKNOWN, NtStatus.STATUS_NO_SUCH_USER)


# --- may the way be gone -----------------------------------------------------------------------------------


def check_transit(came_by: TrustFacts | None, onward: TrustFacts) -> None:
    """Refuse to lead a client of one trust on to another, unless both ways are transitive.

    Trusts with other forests, domains and realms end here: only within a forest one leads to the next.
    Spec: [MS-ADTS] 6.1.6.7.9 (TANT), RFC 4120 2.7.
    """
    if came_by is None:
        return
    inside = (came_by.attributes | onward.attributes) & _WITHIN_FOREST
    if not inside or (came_by.attributes | onward.attributes) & _NON_TRANSITIVE:
        raise KdcRefusal(KrbErrorCode.KDC_ERR_PATH_NOT_ACCEPTED)


def may_be_delegated(trust: TrustFacts, flags: int | None) -> bool:
    """Whether a ticket over this trust may say ok-as-delegate.

    flags: of the source ticket, None where the client's own KDC made it, which starts the chain.
    Spec: [MS-KILE] 3.3.5.7.5.
    """
    if flags is not None and not flags & tickets.OK_AS_DELEGATE:
        return False
    return bool(trust.attributes & _DELEGATION) and not trust.attributes & _NO_DELEGATION


# --- the ticket --------------------------------------------------------------------------------------------


def referral_name(trust: TrustFacts) -> PrincipalName:
    """krbtgt/PARTNER ([MS-KILE] 3.3.5.1.2)."""
    return PrincipalName(_SERVICE, (TGS, trust.realm))


def partner_krbtgt(trust: TrustFacts, now: FileTime) -> Principal:
    """The partner's KDC as the service that a referral ticket is for.

    Within an hour of a change the former key is used, which every DC of the partner knows (W-TRUST-06).
    """
    ring = trust.to_partner
    assert ring is not None
    if ring.old and now < trust.former_until_ft:
        version, keys = ring.old[0]
        ring = KeyRing(version, keys, ring.salt)
    return Principal(
        key=0,
        name=f"{TGS}/{trust.realm}",
        sid=wellknown.NULL,
        flags=0,
        keys=ring,
        supported_enctypes=trust.enctypes,
        has_spn=True,
    )
