"""The client's side of PKINIT, made of the codec: requests that a certificate signs, and replies opened."""

import hashlib
from dataclasses import dataclass, field, replace
from typing import Final

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from addc.base.clock import FileTime, whole_seconds
from addc.codec import cms
from addc.codec.ber_wire import find_element
from addc.codec.cms import (
    AlgorithmIdentifier,
    Attribute,
    ContentInfo,
    EncapsulatedContentInfo,
    EnvelopedData,
    IssuerAndSerialNumber,
    KeyIdentifier,
    SignedAttributes,
    SignedData,
    SignerInfo,
    SubjectPublicKeyInfo,
)
from addc.codec.krb5 import PaData
from addc.codec.krb5_numbers import PaType
from addc.codec.pkinit import (
    DH_PUBLIC_NUMBER,
    EC_PUBLIC_KEY,
    ID_AUTH_DATA,
    ID_DH_KEY_DATA,
    ID_RKEY_DATA,
    AuthPack,
    DhPublicKey,
    DomainParameters,
    KdcDhKeyInfo,
    KdfAlgorithmId,
    PaPkAsRepDh,
    PaPkAsRepKey,
    PaPkAsReq,
    PkAuthenticator,
    ReplyKeyPack,
)
from addc.security.crypto import certificate, dh, envelope, signatures
from addc.security.krb_keys import Key
from addc.security.pkinit_keys import Exchange, derived_key, octetstring2key
from tests.kit.certificates import Holder

_DIGESTS: Final[dict[str, hashes.HashAlgorithm]] = {
    "sha1": hashes.SHA1(),  # noqa: S303 - old clients sign so
    "sha256": hashes.SHA256(),
    "sha512": hashes.SHA512(),
}
_OIDS: Final = {name: oid for oid, name in signatures.DIGESTS.items()}
_RSA_OIDS: Final = {
    "sha1": "1.2.840.113549.1.1.5",
    "sha256": signatures.SHA256_WITH_RSA,
    "sha512": "1.2.840.113549.1.1.13",
}
_EC_OIDS: Final = {"sha1": "1.2.840.10045.4.1", "sha256": signatures.ECDSA_WITH_SHA256}
_PRIVATE: Final = 0x1234_5678_9ABC_DEF0_1234_5678_9ABC_DEF1


@dataclass
class Card:
    """A certificate and its key, and how they are used.

    digest: of content and signature. attributes: sign attributes, not the content itself.
    """

    holder: Holder
    digest: str = "sha256"
    attributes: bool = True
    by_identifier: bool = False
    content_type: str = ID_AUTH_DATA

    def sign(self, data: bytes) -> bytes:
        chosen, key = _DIGESTS[self.digest], self.holder.key
        if isinstance(key, rsa.RSAPrivateKey):
            return key.sign(data, padding.PKCS1v15(), chosen)
        return key.sign(data, ec.ECDSA(chosen))

    def signed(self, content: bytes) -> bytes:
        """ContentInfo with SignedData over `content`."""
        own = certificate.read(self.holder.der)
        digest = AlgorithmIdentifier(_OIDS[self.digest])
        hashed = hashlib.new(self.digest, content).digest()
        attributes = (
            Attribute(cms.ID_CONTENT_TYPE, (cms.oid(self.content_type),)),
            Attribute(cms.ID_MESSAGE_DIGEST, (cms.octets(hashed),)),
        )
        covered = SignedAttributes(attributes).pack() if self.attributes else content
        algorithms_ = _RSA_OIDS if isinstance(self.holder.key, rsa.RSAPrivateKey) else _EC_OIDS
        info = SignerInfo(
            version=1,
            sid=KeyIdentifier(own.key_identifier)
            if self.by_identifier
            else IssuerAndSerialNumber(own.issuer, own.serial),
            digest_algorithm=digest,
            signed_attrs=b"".join(one.pack() for one in attributes) if self.attributes else None,
            signature_algorithm=AlgorithmIdentifier(algorithms_[self.digest]),
            signature=self.sign(covered),
        )
        return self.wrap(content, info, digest)

    def wrap(self, content: bytes, info: SignerInfo | None, digest: AlgorithmIdentifier) -> bytes:
        data = SignedData(
            version=3,
            digest_algorithms=(digest,),
            encap_content_info=EncapsulatedContentInfo(self.content_type, cms.octets(content)),
            certificates=self.holder.der if info is not None else None,
            signer_infos=() if info is None else (info,),
        )
        return ContentInfo(cms.ID_SIGNED_DATA, data.pack()).pack()


def unsigned(content: bytes) -> bytes:
    """SignedData that nobody signed, for anonymous requests."""
    data = SignedData(
        version=3,
        digest_algorithms=(),
        encap_content_info=EncapsulatedContentInfo(ID_AUTH_DATA, cms.octets(content)),
        signer_infos=(),
    )
    return ContentInfo(cms.ID_SIGNED_DATA, data.pack()).pack()


@dataclass
class ModpPair:
    """A key pair over a MODP group."""

    group: dh.ModpGroup = dh.MODP_2048
    with_q: bool = True

    def value(self) -> SubjectPublicKeyInfo:
        q = self.group.q if self.with_q else None
        parameters = DomainParameters(self.group.p, self.group.g, q).pack()
        y = pow(self.group.g, _PRIVATE, self.group.p)
        return SubjectPublicKeyInfo(AlgorithmIdentifier(DH_PUBLIC_NUMBER, parameters), DhPublicKey(y).pack())

    def secret(self, public: bytes) -> bytes:
        size = self.group.bits // 8
        return pow(DhPublicKey.unpack(public).y, _PRIVATE, self.group.p).to_bytes(size, "big")


@dataclass
class CurvePair:
    """A key pair on a named curve."""

    on: dh.Curve = dh.P256

    @property
    def _key(self) -> ec.EllipticCurvePrivateKey:
        curves = {dh.P256: ec.SECP256R1(), dh.P384: ec.SECP384R1(), dh.P521: ec.SECP521R1()}
        return ec.derive_private_key(_PRIVATE, curves[self.on])

    def value(self) -> SubjectPublicKeyInfo:
        point = self._key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        return SubjectPublicKeyInfo(AlgorithmIdentifier(EC_PUBLIC_KEY, cms.oid(self.on.oid)), point)

    def secret(self, public: bytes) -> bytes:
        own = self._key
        return own.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(own.curve, public))


Pair = ModpPair | CurvePair


@dataclass
class PkinitClient:
    """What one request says. pair: None for a key package. kdfs: None for the derivation of RFC 4556."""

    card: Card | None
    pair: Pair | None = field(default_factory=ModpPair)
    kdfs: tuple[str, ...] | None = None
    nonce: int = 99
    client_nonce: bytes | None = None
    token: bytes | None = None
    cms_types: tuple[AlgorithmIdentifier, ...] | None = (AlgorithmIdentifier(signatures.SHA256_WITH_RSA),)

    def auth_pack(self, body: bytes, now: FileTime) -> AuthPack:
        authenticator = PkAuthenticator(
            cusec=0,
            ctime=whole_seconds(now),
            nonce=self.nonce,
            pa_checksum=hashlib.sha1(body, usedforsecurity=False).digest(),
            freshness_token=self.token,
        )
        kdfs = None if self.kdfs is None else tuple(KdfAlgorithmId(oid) for oid in self.kdfs)
        return AuthPack(
            pk_authenticator=authenticator,
            client_public_value=None if self.pair is None else self.pair.value(),
            supported_cms_types=self.cms_types,
            client_dh_nonce=self.client_nonce,
            supported_kdfs=kdfs,
        )

    def padata(self, body: bytes, now: FileTime, **changes: object) -> PaData:
        """PA-PK-AS-REQ for a request with this body. changes: of PkAuthenticator."""
        pack = self.auth_pack(body, now)
        return self.of(replace(pack, pk_authenticator=replace(pack.pk_authenticator, **changes)))  # type: ignore[arg-type]

    def of(self, pack: AuthPack) -> PaData:
        signed = unsigned(pack.pack()) if self.card is None else self.card.signed(pack.pack())
        return PaData(int(PaType.PA_PK_AS_REQ), PaPkAsReq(signed).pack())

    def reply_key(self, padata: bytes, etype: int, exchange: Exchange) -> Key:
        """The key that a PA-PK-AS-REP gives."""
        if self.pair is None:
            return self._unpacked(padata)
        info = PaPkAsRepDh.unpack(padata).dh_info
        signed = SignedData.unpack(cms.unwrap(info.dh_signed_data, cms.ID_SIGNED_DATA))
        assert signed.encap_content_info.e_content_type == ID_DH_KEY_DATA
        found = KdcDhKeyInfo.unpack(signed.content())
        assert found.nonce == self.nonce
        assert (
            (found.dh_key_expiration is None) == (info.server_dh_nonce is None) == (self.client_nonce is None)
        )
        secret = self.pair.secret(found.subject_public_key)
        if info.kdf is not None:
            return derived_key(info.kdf.kdf_id, etype, secret, exchange.answered(padata))
        return octetstring2key(etype, secret, self.client_nonce or b"", info.server_dh_nonce or b"")

    def _unpacked(self, padata: bytes) -> Key:
        signed = SignedData.unpack(unsealed(self.card, padata, wrapped=not self.cms_types))
        assert signed.encap_content_info.e_content_type == ID_RKEY_DATA
        reply = ReplyKeyPack.unpack(signed.content()).reply_key
        return Key(reply.keytype, reply.keyvalue)


def unsealed(card: Card | None, padata: bytes, *, wrapped: bool) -> bytes:
    """The SignedData in an encKeyPack."""
    data = EnvelopedData.unpack(cms.unwrap(PaPkAsRepKey.unpack(padata).enc_key_pack, cms.ID_ENVELOPED_DATA))
    assert card is not None and isinstance(card.holder.key, rsa.RSAPrivateKey)
    key = card.holder.key.decrypt(data.recipient_infos[0].encrypted_key, padding.PKCS1v15())
    content = data.encrypted_content_info
    assert content.content_encryption_algorithm.parameters is not None and content.encrypted_content
    iv = find_element(content.content_encryption_algorithm.parameters, (0x04,), "iv")
    des = content.content_encryption_algorithm.algorithm == envelope.INSECURE_DES_EDE3_CBC
    cipher = Cipher(TripleDES(key) if des else algorithms.AES(key), modes.CBC(iv)).decryptor()
    plain = cipher.update(content.encrypted_content) + cipher.finalize()
    plain = plain[: -plain[-1]]
    return cms.unwrap(plain, cms.ID_SIGNED_DATA) if wrapped else plain
