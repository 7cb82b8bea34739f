"""The reply key of a PKINIT exchange and how the client gets it: agreed on, or encrypted for its RSA key.

Spec: RFC 4556 3.2.3, RFC 5349 3, RFC 8636 6, [MS-PKCA] 2.2.2, 2.2.4, 3.1.5.
"""

from dataclasses import dataclass
from typing import Final

from addc.base.clock import MINUTE_FT, FileTime, whole_seconds
from addc.base.errors import DecodeError
from addc.base.rng import Rng
from addc.codec import cms
from addc.codec.cms import (
    AlgorithmIdentifier,
    Attribute,
    EncapsulatedContentInfo,
    EncryptedContentInfo,
    EnvelopedData,
    IssuerAndSerialNumber,
    KeyTransRecipientInfo,
    SignedAttributes,
    SignedData,
    SignerInfo,
    SubjectPublicKeyInfo,
)
from addc.codec.krb5 import TypedData, TypedDataEntry
from addc.codec.pkinit import (
    DH_PUBLIC_NUMBER,
    EC_PUBLIC_KEY,
    ID_DH_KEY_DATA,
    ID_RKEY_DATA,
    TD_DH_PARAMETERS,
    AlgorithmIdentifiers,
    AuthPack,
    DhPublicKey,
    DhRepInfo,
    DomainParameters,
    KdcDhKeyInfo,
    KdfAlgorithmId,
    PaPkAsRepDh,
    PaPkAsRepKey,
)
from addc.codes.krb_error import KrbErrorCode
from addc.kdc.facts import KdcRefusal
from addc.kdc.pkinit_facts import KdcIdentity, PkinitPolicy
from addc.security.crypto import dh, envelope, signatures
from addc.security.crypto.certificate import Certificate
from addc.security.krb_keys import Key
from addc.security.pkinit_keys import Exchange, choose_kdf, derived_key, octetstring2key

_NONCE_SIZE: Final = 32
_PAIR_LIFE: Final = 5 * MINUTE_FT


def _modp_identifier(group: dh.ModpGroup) -> AlgorithmIdentifier:
    return AlgorithmIdentifier(DH_PUBLIC_NUMBER, DomainParameters(group.p, group.g, group.q).pack())


def _accepted_groups() -> bytes:
    """TD-DH-PARAMETERS: the groups that are spoken here, best first (RFC 4556 3.2.2, RFC 5349 4)."""
    named = [_modp_identifier(group) for group in (dh.MODP_2048, dh.MODP_4096)]
    named += [AlgorithmIdentifier(EC_PUBLIC_KEY, cms.oid(on.oid)) for on in (dh.P256, dh.P384, dh.P521)]
    data = AlgorithmIdentifiers(tuple(named)).pack()
    return TypedData((TypedDataEntry(TD_DH_PARAMETERS, data),)).pack()


_ACCEPTED: Final = _accepted_groups()


def _group_refused() -> KdcRefusal:
    return KdcRefusal(KrbErrorCode.KDC_ERR_DH_KEY_PARAMETERS_NOT_ACCEPTED, e_data=_ACCEPTED)


def signed_data(identity: KdcIdentity, content_type: str, content: bytes) -> bytes:
    """SignedData over content that the KDC's certificate signs, with the certificates that lead to it."""
    signer, own = identity.signer, identity.certificate
    digest = signatures.digest(signer.digest, content)
    assert digest is not None
    attributes = (
        Attribute(cms.ID_CONTENT_TYPE, (cms.oid(content_type),)),
        Attribute(cms.ID_MESSAGE_DIGEST, (cms.octets(digest),)),
    )
    covered = SignedAttributes(attributes).pack()
    digest_algorithm = AlgorithmIdentifier(signer.digest)
    parameters = cms.NULL if signer.is_rsa else None
    info = SignerInfo(
        version=1,
        sid=IssuerAndSerialNumber(own.issuer, own.serial),
        digest_algorithm=digest_algorithm,
        signed_attrs=b"".join(one.pack() for one in attributes),
        signature_algorithm=AlgorithmIdentifier(signer.algorithm, parameters),
        signature=signer.sign(covered),
    )
    return SignedData(
        version=3,
        digest_algorithms=(digest_algorithm,),
        encap_content_info=EncapsulatedContentInfo(content_type, cms.octets(content)),
        certificates=b"".join(one.der for one in (own, *identity.chain)),
        signer_infos=(info,),
    ).pack()


@dataclass(frozen=True, slots=True)
class Agreed:
    """A key that was agreed on, and the padata value that lets the client make it too."""

    key: Key
    padata: bytes


@dataclass(frozen=True, slots=True)
class Replier:
    """Makes the PA-PK-AS-REP of one exchange. etype: of the reply key."""

    policy: PkinitPolicy
    etype: int
    now: FileTime
    rng: Rng

    def agreed(self, pack: AuthPack, exchange: Exchange) -> Agreed:
        """Answer a client's public value with one of our own, made for this exchange alone.

        exchange: its pk_as_rep is filled in here.
        With a clientDHNonce the client may use its key pair again, so both sides add a nonce (RFC 4556
        3.2.3.1); clients with Credential Guard insist on ours ([MS-PKCA] 3.1.5.1). The KDC's pair is never
        used again, so the client's nonce stands in the reply all the same, where Heimdal looks for it.
        """
        assert pack.client_public_value is not None
        kdf = _chosen_kdf(pack)
        public, secret = _shared(pack.client_public_value, self.policy.insecure_groups, self.rng)
        reused = pack.client_dh_nonce is not None
        info = KdcDhKeyInfo(
            subject_public_key=public,
            nonce=pack.pk_authenticator.nonce,
            dh_key_expiration=whole_seconds(self.now + _PAIR_LIFE) if reused else None,
        )
        server_nonce = self.rng.bytes(_NONCE_SIZE) if reused else None
        data = signed_data(self.policy.identity, ID_DH_KEY_DATA, info.pack())
        reply = DhRepInfo(
            dh_signed_data=cms.ContentInfo(cms.ID_SIGNED_DATA, data).pack(),
            server_dh_nonce=server_nonce,
            kdf=None if kdf is None else KdfAlgorithmId(kdf),
        )
        padata = PaPkAsRepDh(reply).pack()
        if kdf is None:
            key = octetstring2key(self.etype, secret, pack.client_dh_nonce or b"", server_nonce or b"")
        else:
            key = derived_key(kdf, self.etype, secret, exchange.answered(padata))
        return Agreed(key, padata)

    def enveloped(self, key_pack: bytes, recipient: Certificate, *, des: bool, wrapped: bool) -> bytes:
        """A ReplyKeyPack, signed and then encrypted for the holder of a certificate.

        des: the client names triple DES, as old ones do. wrapped: the SignedData stands in a ContentInfo.
        """
        signed = signed_data(self.policy.identity, ID_RKEY_DATA, key_pack)
        plain = cms.ContentInfo(cms.ID_SIGNED_DATA, signed).pack() if wrapped else signed
        cipher = envelope.INSECURE_DES_EDE3_CBC if des else envelope.AES256_CBC
        try:
            sealed = envelope.seal(recipient.key, cipher, plain, self.rng)
        except DecodeError:
            raise KdcRefusal(KrbErrorCode.KDC_ERR_PUBLIC_KEY_ENCRYPTION_NOT_SUPPORTED) from None
        info = KeyTransRecipientInfo(
            version=0,
            rid=IssuerAndSerialNumber(recipient.issuer, recipient.serial),
            key_encryption_algorithm=AlgorithmIdentifier(signatures.RSA_ENCRYPTION, cms.NULL),
            encrypted_key=sealed.key,
        )
        content = EncryptedContentInfo(
            content_type=cms.ID_SIGNED_DATA,
            content_encryption_algorithm=AlgorithmIdentifier(cipher, cms.octets(sealed.iv)),
            encrypted_content=sealed.content,
        )
        data = EnvelopedData(recipient_infos=(info,), encrypted_content_info=content).pack()
        return PaPkAsRepKey(cms.ContentInfo(cms.ID_ENVELOPED_DATA, data).pack()).pack()


def _chosen_kdf(pack: AuthPack) -> str | None:
    """The key derivation function of RFC 8636 if the client knows of them; else that of RFC 4556 serves."""
    if pack.supported_kdfs is None:
        return None
    kdf = choose_kdf(tuple(one.kdf_id for one in pack.supported_kdfs))
    if kdf is None:
        raise KdcRefusal(KrbErrorCode.KDC_ERR_NO_ACCEPTABLE_KDF)
    return kdf


def _shared(value: SubjectPublicKeyInfo, insecure_groups: bool, rng: Rng) -> tuple[bytes, bytes]:
    """Our public value as the reply's BIT STRING has it, and the secret."""
    algorithm = value.algorithm
    if algorithm.parameters is None:
        raise _group_refused()
    if algorithm.algorithm == EC_PUBLIC_KEY:
        on = dh.curve(cms.read_oid(algorithm.parameters))
        if on is None:
            raise _group_refused()
        return dh.agree_curve(on, value.subject_public_key, rng)
    if algorithm.algorithm != DH_PUBLIC_NUMBER:
        raise _group_refused()
    parameters = DomainParameters.unpack(algorithm.parameters)
    group = dh.modp_group(parameters.p, parameters.g, parameters.q)
    if group is None or (group is dh.INSECURE_MODP_1024 and not insecure_groups):
        raise _group_refused()
    public, secret = dh.agree_modp(group, DhPublicKey.unpack(value.subject_public_key).y, rng)
    return DhPublicKey(public).pack(), secret
