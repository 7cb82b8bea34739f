"""The signed part of a PKINIT request: whose certificate signed it, and what.

Spec: RFC 4556 3.2.1, 3.2.2; RFC 5652 5.4, 5.6; RFC 8636 4; RFC 8062 3.1 (nobody signed); [MS-PKCA] 2.2.
"""

from dataclasses import dataclass
from typing import Final

from addc.codec import cms
from addc.codec.cms import (
    AlgorithmIdentifier,
    IssuerAndSerialNumber,
    SignedAttributes,
    SignedData,
    SignerInfo,
)
from addc.codec.krb5 import TypedData, TypedDataEntry
from addc.codec.pkinit import TD_CMS_DIGEST_ALGORITHMS, AlgorithmIdentifiers
from addc.codes.krb_error import KrbErrorCode
from addc.kdc.facts import KdcRefusal
from addc.security.crypto import certificate, signatures
from addc.security.crypto.certificate import Certificate

_PREFERRED: Final = (signatures.SHA512, signatures.SHA384, signatures.SHA256)


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """signer: the certificate whose key signed the content; None where nobody did."""

    content: bytes
    signer: Certificate | None


def digest_algorithms(kind: int) -> bytes:
    """TYPED-DATA that names the digests taken here, best first (RFC 8636 4, 5)."""
    names = AlgorithmIdentifiers(tuple(AlgorithmIdentifier(oid) for oid in _PREFERRED))
    return TypedData((TypedDataEntry(kind, names.pack()),)).pack()


def open_signed(data: bytes, content_types: frozenset[str], *, anonymous: bool = False) -> SignedRequest:
    """Verify the signature of a SignedData in a ContentInfo; the certificate itself is not judged.

    anonymous: nobody has signed it, and nobody may. Raises KdcRefusal, DecodeError.
    """
    signed = SignedData.unpack(cms.unwrap(data, cms.ID_SIGNED_DATA))
    if signed.encap_content_info.e_content_type not in content_types:
        raise KdcRefusal(KrbErrorCode.KRB_ERR_GENERIC)
    if anonymous:
        if signed.signer_infos:
            raise KdcRefusal(KrbErrorCode.KDC_ERR_PREAUTH_FAILED)
        return SignedRequest(signed.content(), None)
    if len(signed.signer_infos) != 1:
        raise KdcRefusal(KrbErrorCode.KDC_ERR_INVALID_SIG)
    info = signed.signer_infos[0]
    signer = _signer(signed, info)
    if not signatures.is_supported(info.signature_algorithm.algorithm):
        raise _digest_refused()
    if not signatures.verify(
        signer.key,
        info.signature_algorithm.algorithm,
        info.digest_algorithm.algorithm,
        info.signature,
        _covered(signed, info),
    ):
        raise KdcRefusal(KrbErrorCode.KDC_ERR_INVALID_SIG)
    return SignedRequest(signed.content(), signer)


def named_signer(data: bytes) -> Certificate | None:
    """Whose certificate a SignedData says that it is signed with; nothing is verified. Raises DecodeError."""
    signed = SignedData.unpack(cms.unwrap(data, cms.ID_SIGNED_DATA))
    try:
        return _signer(signed, signed.signer_infos[0]) if signed.signer_infos else None
    except KdcRefusal:
        return None


def _digest_refused() -> KdcRefusal:
    return KdcRefusal(
        KrbErrorCode.KDC_ERR_DIGEST_IN_SIGNED_DATA_NOT_ACCEPTED,
        e_data=digest_algorithms(TD_CMS_DIGEST_ALGORITHMS),
    )


def _signer(signed: SignedData, info: SignerInfo) -> Certificate:
    """The certificate among those sent along that the signer is named by."""
    for der in signed.certificate_ders():
        found = certificate.read(der)
        if isinstance(info.sid, IssuerAndSerialNumber):
            if (found.issuer, found.serial) == (info.sid.issuer, info.sid.serial_number):
                return found
        elif found.key_identifier and found.key_identifier == info.sid.identifier:
            return found
    raise KdcRefusal(KrbErrorCode.KDC_ERR_CANT_VERIFY_CERTIFICATE)


def _covered(signed: SignedData, info: SignerInfo) -> bytes:
    """What the signature is over: the content, or attributes that hold the content's digest.

    Deviation: a missing content-type attribute is let pass, as Windows does.
    """
    covered = info.signed_bytes()
    if covered is None:
        return signed.digested()
    attributes = {one.attr_type: one.attr_values for one in SignedAttributes.unpack(covered).attributes}
    digest = signatures.digest(info.digest_algorithm.algorithm, signed.digested())
    if digest is None:
        raise _digest_refused()
    if attributes.get(cms.ID_MESSAGE_DIGEST) != (cms.octets(digest),):
        raise KdcRefusal(KrbErrorCode.KDC_ERR_INVALID_SIG)
    content_type = attributes.get(cms.ID_CONTENT_TYPE)
    if content_type is not None and content_type != (cms.oid(signed.encap_content_info.e_content_type),):
        raise KdcRefusal(KrbErrorCode.KDC_ERR_INVALID_SIG)
    return covered
