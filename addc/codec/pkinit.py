"""PKINIT's messages, declared once.

Certificates, signed data and enveloped data inside them are octets here; codec/cms.py knows them.

Spec: RFC 4556 3.2, RFC 8636 3-6, RFC 8070 4, RFC 8062 7.2, [MS-PKCA] 2.2.
"""

from typing import Annotated, Final

from addc.base.errors import DecodeError
from addc.codec import ber
from addc.codec.cms import AlgorithmIdentifier, SubjectPublicKeyInfo, encode_integer
from addc.codec.krb5 import Checksum, EncryptionKey, Int32, Micros, PrincipalName, Realm, Time, UInt32

ID_AUTH_DATA: Final = "1.3.6.1.5.2.3.1"
ID_DH_KEY_DATA: Final = "1.3.6.1.5.2.3.2"
ID_RKEY_DATA: Final = "1.3.6.1.5.2.3.3"
ID_KP_CLIENT_AUTH: Final = "1.3.6.1.5.2.3.4"
ID_KP_KDC: Final = "1.3.6.1.5.2.3.5"
KDF_SHA1: Final = "1.3.6.1.5.2.3.6.1"
KDF_SHA256: Final = "1.3.6.1.5.2.3.6.2"
KDF_SHA512: Final = "1.3.6.1.5.2.3.6.3"
KDF_SHA384: Final = "1.3.6.1.5.2.3.6.4"
DH_PUBLIC_NUMBER: Final = "1.2.840.10046.2.1"
EC_PUBLIC_KEY: Final = "1.2.840.10045.2.1"

TD_TRUSTED_CERTIFIERS: Final = 104
TD_INVALID_CERTIFICATES: Final = 105
TD_DH_PARAMETERS: Final = 109
TD_CMS_DIGEST_ALGORITHMS: Final = 111
TD_CERT_DIGEST_ALGORITHMS: Final = 112

_LISTED_MAX: Final = 64
_BIG_SIZE_MAX: Final = 1025
"""Octets of a number of 8192 bits; larger ones cost more than they are worth."""


def _decode_big(content: bytes) -> int:
    if not 0 < len(content) <= _BIG_SIZE_MAX:
        raise DecodeError("bad size of an integer", 0, "INTEGER")
    return int.from_bytes(content, "big", signed=True)


BIG_INTEGER: Final = ber.Converted(0x02, _decode_big, encode_integer)


@ber.sequence(extensible=True, kw_only=True)
class ExternalPrincipalIdentifier(ber.Value):
    """ExternalPrincipalIdentifier: DER of a Name, of an IssuerAndSerialNumber, of a key's identifier.

    Spec: RFC 4556 3.2.1.
    """

    subject_name: Annotated[bytes | None, ber.Implicit(0)] = None
    issuer_and_serial_number: Annotated[bytes | None, ber.Implicit(1)] = None
    subject_key_identifier: Annotated[bytes | None, ber.Implicit(2)] = None


@ber.single()
class ExternalPrincipalIdentifiers(ber.Value):
    """TD-TRUSTED-CERTIFIERS and TD-INVALID-CERTIFICATES. Spec: RFC 4556 3.1.3, 3.2.2."""

    identifiers: Annotated[
        tuple[ExternalPrincipalIdentifier, ...],
        ber.SequenceOf(ber.Nested(ExternalPrincipalIdentifier), limit=_LISTED_MAX),
    ]


@ber.single()
class AlgorithmIdentifiers(ber.Value):
    """TD-DH-PARAMETERS and the digest algorithms of RFC 8636. Spec: RFC 4556 3.2.2, RFC 8636 4, 5."""

    algorithms: Annotated[
        tuple[AlgorithmIdentifier, ...],
        ber.SequenceOf(ber.Nested(AlgorithmIdentifier), limit=_LISTED_MAX),
    ]


@ber.sequence(extensible=True)
class PaPkAsReq(ber.Value):
    """PA-PK-AS-REQ. Spec: RFC 4556 3.2.1."""

    signed_auth_pack: Annotated[bytes, ber.Implicit(0)]
    trusted_certifiers: Annotated[ExternalPrincipalIdentifiers | None, ber.Tag(1)] = None
    kdc_pk_id: Annotated[bytes | None, ber.Implicit(2)] = None


@ber.sequence()
class PaChecksum2(ber.Value):
    """PAChecksum2: a digest of the request's body by a named algorithm. Spec: [MS-PKCA] 2.2.3."""

    checksum: Annotated[bytes, ber.Tag(0)]
    algorithm_identifier: Annotated[AlgorithmIdentifier, ber.Tag(1)]


@ber.sequence(extensible=True, kw_only=True)
class PkAuthenticator(ber.Value):
    """PKAuthenticator. Spec: RFC 4556 3.2.1, RFC 8070 4 (freshnessToken), [MS-PKCA] 2.2.3 (paChecksum2)."""

    cusec: Annotated[Micros, ber.Tag(0)]
    ctime: Annotated[Time, ber.Tag(1)]
    nonce: Annotated[UInt32, ber.Tag(2)]
    pa_checksum: Annotated[bytes | None, ber.Tag(3)] = None
    freshness_token: Annotated[bytes | None, ber.Tag(4)] = None
    pa_checksum2: Annotated[PaChecksum2 | None, ber.Tag(5)] = None


@ber.sequence(extensible=True)
class KdfAlgorithmId(ber.Value):
    """KDFAlgorithmId. Spec: RFC 8636 6."""

    kdf_id: Annotated[str, ber.OID, ber.Tag(0)]


@ber.sequence(extensible=True, kw_only=True)
class AuthPack(ber.Value):
    """AuthPack. Spec: RFC 4556 3.2.1, RFC 8636 6 (supportedKDFs)."""

    pk_authenticator: Annotated[PkAuthenticator, ber.Tag(0)]
    client_public_value: Annotated[SubjectPublicKeyInfo | None, ber.Tag(1)] = None
    supported_cms_types: Annotated[
        tuple[AlgorithmIdentifier, ...] | None,
        ber.SequenceOf(ber.Nested(AlgorithmIdentifier), limit=_LISTED_MAX),
        ber.Tag(2),
    ] = None
    client_dh_nonce: Annotated[bytes | None, ber.Tag(3)] = None
    supported_kdfs: Annotated[
        tuple[KdfAlgorithmId, ...] | None,
        ber.SequenceOf(ber.Nested(KdfAlgorithmId), limit=_LISTED_MAX),
        ber.Tag(4),
    ] = None


@ber.sequence(extensible=True)
class DomainParameters(ber.Value):
    """DomainParameters of a finite field; what follows q is of no use. Spec: RFC 3279 2.3.3."""

    p: Annotated[int, BIG_INTEGER]
    g: Annotated[int, BIG_INTEGER]
    q: Annotated[int | None, BIG_INTEGER] = None


@ber.single()
class DhPublicKey(ber.Value):
    """DHPublicKey. Spec: RFC 3279 2.3.3."""

    y: Annotated[int, BIG_INTEGER]


@ber.sequence(extensible=True, kw_only=True)
class DhRepInfo(ber.Value):
    """DHRepInfo. Spec: RFC 4556 3.2.3.1, RFC 8636 6 (kdf)."""

    dh_signed_data: Annotated[bytes, ber.Implicit(0)]
    server_dh_nonce: Annotated[bytes | None, ber.Tag(1)] = None
    kdf: Annotated[KdfAlgorithmId | None, ber.Tag(2)] = None


@ber.single(context=0, explicit=True)
class PaPkAsRepDh(ber.Value):
    """PA-PK-AS-REP with dhInfo. Spec: RFC 4556 3.2.3."""

    dh_info: DhRepInfo


@ber.single(context=1)
class PaPkAsRepKey(ber.Value):
    """PA-PK-AS-REP with encKeyPack. Spec: RFC 4556 3.2.3."""

    enc_key_pack: bytes


@ber.sequence(extensible=True, kw_only=True)
class KdcDhKeyInfo(ber.Value):
    """KDCDHKeyInfo. Spec: RFC 4556 3.2.3.1."""

    subject_public_key: Annotated[bytes, ber.BIT_STRING, ber.Tag(0)]
    nonce: Annotated[UInt32, ber.Tag(1)]
    dh_key_expiration: Annotated[Time | None, ber.Tag(2)] = None


@ber.sequence(extensible=True)
class ReplyKeyPack(ber.Value):
    """ReplyKeyPack. Spec: RFC 4556 3.2.3.2."""

    reply_key: Annotated[EncryptionKey, ber.Tag(0)]
    as_checksum: Annotated[Checksum, ber.Tag(1)]


@ber.sequence()
class Krb5PrincipalName(ber.Value):
    """KRB5PrincipalName: an id-pkinit-san, and a party of the key derivation. Spec: RFC 4556 3.2.2."""

    realm: Annotated[Realm, ber.Tag(0)]
    principal_name: Annotated[PrincipalName, ber.Tag(1)]


@ber.sequence(extensible=True)
class PkinitSuppPubInfo(ber.Value):
    """PkinitSuppPubInfo. Spec: RFC 8636 6."""

    enctype: Annotated[Int32, ber.Tag(0)]
    as_req: Annotated[bytes, ber.Tag(1)]
    pk_as_rep: Annotated[bytes, ber.Tag(2)]


@ber.sequence()
class OtherInfo(ber.Value):
    """OtherInfo of the key derivation. Spec: RFC 8636 6, SP 800-56A 5.8.1.2."""

    algorithm_id: AlgorithmIdentifier
    party_u_info: Annotated[bytes, ber.Tag(0)]
    party_v_info: Annotated[bytes, ber.Tag(1)]
    supp_pub_info: Annotated[bytes, ber.Tag(2)]


# --- the draft that [MS-PKCA] keeps ------------------------------------------------------------------------


@ber.sequence(extensible=True)
class PaPkAsReqOld(ber.Value):
    """PA-PK-AS-REP_OLD of a request. Spec: [MS-PKCA] 2.2.1."""

    signed_auth_pack: Annotated[bytes, ber.Implicit(0)]


@ber.sequence(extensible=True)
class PkAuthenticatorOld(ber.Value):
    """PKAuthenticator of the draft. Spec: [MS-PKCA] 2.2.1."""

    kdc_name: Annotated[PrincipalName, ber.Tag(0)]
    kdc_realm: Annotated[Realm, ber.Tag(1)]
    cusec: Annotated[Int32, ber.Tag(2)]
    ctime: Annotated[Time, ber.Tag(3)]
    nonce: Annotated[UInt32, ber.Tag(4)]


@ber.sequence(extensible=True)
class AuthPackOld(ber.Value):
    """AuthPack of the draft. Spec: [MS-PKCA] 2.2.1."""

    pk_authenticator: Annotated[PkAuthenticatorOld, ber.Tag(0)]


@ber.sequence(extensible=True)
class ReplyKeyPackOld(ber.Value):
    """KERB-REPLY-KEY-PACKAGE. Spec: [MS-PKCA] 2.2.2."""

    reply_key: Annotated[EncryptionKey, ber.Tag(0)]
    nonce: Annotated[UInt32, ber.Tag(1)]
