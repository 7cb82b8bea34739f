"""Whether a client's certificate logs its account on: the chain, its uses, and the mapping to the account.

Only strong mappings count (KB5014754, full enforcement). A key that the account itself trusts counts whatever
its certificate says.

Spec: [MS-PKCA] 3.1.5.2.1, RFC 4556 3.2.2, [MS-ADTS] 2.2.20.4.
"""

from typing import Final

from addc.base.clock import FileTime
from addc.codec.cms import IssuerAndSerialNumber
from addc.codec.ids import Sid
from addc.codec.key_credential import CustomKeyFlags
from addc.codec.krb5 import TypedData, TypedDataEntry
from addc.codec.pkinit import (
    ID_KP_CLIENT_AUTH,
    TD_CERT_DIGEST_ALGORITHMS,
    TD_INVALID_CERTIFICATES,
    TD_TRUSTED_CERTIFIERS,
    ExternalPrincipalIdentifier,
    ExternalPrincipalIdentifiers,
)
from addc.codes.krb_error import KrbErrorCode
from addc.kdc.facts import KdcRefusal, Principal, RealmFacts
from addc.kdc.pkinit_facts import CertificateFacts, TrustedKey
from addc.kdc.pkinit_request import digest_algorithms
from addc.security import wellknown
from addc.security.crypto import certificate, client_certificate, trust_chain
from addc.security.crypto.certificate import Certificate
from addc.security.crypto.trust_chain import BadChain, Fault

_LOGON_USES: Final = frozenset(
    {certificate.CLIENT_AUTH, certificate.SMARTCARD_LOGON, ID_KP_CLIENT_AUTH, certificate.ANY_USE}
)
_CERTIFIERS_MAX: Final = 32
_ASSERTED: Final = (wellknown.AUTHENTICATION_AUTHORITY_ASSERTED_IDENTITY,)
_CODES: Final = {
    Fault.INVALID: KrbErrorCode.KDC_ERR_INVALID_CERTIFICATE,
    Fault.REVOKED: KrbErrorCode.KDC_ERR_REVOKED_CERTIFICATE,
    Fault.STATUS_UNKNOWN: KrbErrorCode.KDC_ERR_REVOCATION_STATUS_UNKNOWN,
}


def judge(
    signer: Certificate,
    client: Principal,
    realm: RealmFacts,
    facts: CertificateFacts,
    now: FileTime,
    *,
    strict: bool,
) -> tuple[Sid, ...]:
    """SIDs that say how the certificate asserts the client's identity; raises KdcRefusal if it does not.

    strict: of revocation, see trust_chain.check.
    """
    trusted = next((key for key in facts.keys if key.spki == signer.spki), None)
    if trusted is not None:
        return (*_ASSERTED, wellknown.KEY_TRUST_IDENTITY, *_properties(trusted))
    try:
        trust_chain.check(signer, facts.store, now, strict=strict)
    except BadChain as bad:
        raise _refusal(bad, facts) from None
    if not signer.signs or (signer.uses is not None and _LOGON_USES.isdisjoint(signer.uses)):
        raise KdcRefusal(KrbErrorCode.KDC_ERR_INCONSISTENT_KEY_PURPOSE)
    _check_mapping(signer, client, realm, facts)
    return _ASSERTED


def _properties(key: TrustedKey) -> tuple[Sid, ...]:
    """What the key's registration says of it. Spec: [MS-ADTS] 2.2.20.4, [MS-DTYP] 2.4.2.4."""
    if key.flags is None:
        return ()
    mfa = () if key.flags & CustomKeyFlags.MFA_NOT_USED else (wellknown.KEY_PROPERTY_MFA,)
    attested = (wellknown.KEY_PROPERTY_ATTESTATION,) if key.flags & CustomKeyFlags.ATTESTATION else ()
    return (*mfa, *attested)


def _check_mapping(
    signer: Certificate, client: Principal, realm: RealmFacts, facts: CertificateFacts
) -> None:
    """[MS-PKCA] 3.1.5.2.1.5: an explicit mapping, else the SID; names alone map nobody, wrong ones refuse."""
    explicit = client_certificate.identities(signer)
    if any(one.casefold() in facts.identities for one in explicit):
        return
    if client_certificate.sid(signer).upper() != str(client.sid):
        raise KdcRefusal(KrbErrorCode.KDC_ERR_CERTIFICATE_MISMATCH)
    if not _names_fit(signer, client, realm):
        raise KdcRefusal(KrbErrorCode.KDC_ERR_CLIENT_NAME_MISMATCH)


def _names_fit(signer: Certificate, client: Principal, realm: RealmFacts) -> bool:
    """Whether the names in a certificate, if there are any, are the account's ([MS-PKCA] 3.1.5.2.1.1, .2)."""
    domain, bare = realm.dns_domain.casefold(), client.name.casefold().removesuffix("$")
    upns = {name.casefold() for name in signer.names.upns}
    own = {f"{client.name.casefold()}@{domain}", f"{bare}@{domain}", (client.upn or "").casefold()}
    if upns & own:
        return True
    if client.is_machine and signer.names.dns:
        return f"{bare}.{domain}" in {name.casefold() for name in signer.names.dns}
    return not upns


def _refusal(bad: BadChain, facts: CertificateFacts) -> KdcRefusal:
    """RFC 4556 3.2.2, RFC 8636 5."""
    if bad.fault is Fault.WEAK_DIGEST:
        return KdcRefusal(
            KrbErrorCode.KDC_ERR_DIGEST_IN_CERT_NOT_ACCEPTED,
            e_data=digest_algorithms(TD_CERT_DIGEST_ALGORITHMS),
        )
    code = _CODES.get(bad.fault)
    if code is None:
        named = [
            ExternalPrincipalIdentifier(subject_name=one.subject)
            for one in facts.store.issuers[:_CERTIFIERS_MAX]
        ]
        return _typed(KrbErrorCode.KDC_ERR_CLIENT_NOT_TRUSTED, TD_TRUSTED_CERTIFIERS, named)
    wrong = IssuerAndSerialNumber(bad.certificate.issuer, bad.certificate.serial).pack()
    return _typed(
        code, TD_INVALID_CERTIFICATES, [ExternalPrincipalIdentifier(issuer_and_serial_number=wrong)]
    )


def _typed(code: KrbErrorCode, kind: int, named: list[ExternalPrincipalIdentifier]) -> KdcRefusal:
    data = TypedDataEntry(kind, ExternalPrincipalIdentifiers(tuple(named)).pack())
    return KdcRefusal(code, e_data=TypedData((data,)).pack())
