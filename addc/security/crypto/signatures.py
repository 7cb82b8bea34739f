"""Signatures of certificates and of signed data, by the algorithm that their identifiers name.

MD5 and older are unknown here. SHA-1 is not: a client signs its own request, so that only the client could
profit from a collision; in certificates it is refused (trust_chain.py).

Spec: RFC 3370 3, RFC 5754 3, RFC 4055 3 (PSS), RFC 5753 2.1, RFC 5349 4, [MS-PKCA] 2.2.
"""

import hashlib
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes, PublicKeyTypes
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)

from addc.base.errors import DecodeError
from addc.base.secret import Secret

SHA1: Final = "1.3.14.3.2.26"
SHA256: Final = "2.16.840.1.101.3.4.2.1"
SHA384: Final = "2.16.840.1.101.3.4.2.2"
SHA512: Final = "2.16.840.1.101.3.4.2.3"
RSA_ENCRYPTION: Final = "1.2.840.113549.1.1.1"
RSA_PSS: Final = "1.2.840.113549.1.1.10"
SHA256_WITH_RSA: Final = "1.2.840.113549.1.1.11"
ECDSA_WITH_SHA256: Final = "1.2.840.10045.4.3.2"
ECDSA_WITH_SHA384: Final = "1.2.840.10045.4.3.3"

DIGESTS: Final = {SHA1: "sha1", SHA256: "sha256", SHA384: "sha384", SHA512: "sha512"}
"""Digest algorithms by their identifiers."""
_RSA: Final = {
    "1.2.840.113549.1.1.5": "sha1",
    SHA256_WITH_RSA: "sha256",
    "1.2.840.113549.1.1.12": "sha384",
    "1.2.840.113549.1.1.13": "sha512",
}
_ECDSA: Final = {
    "1.2.840.10045.4.1": "sha1",
    ECDSA_WITH_SHA256: "sha256",
    ECDSA_WITH_SHA384: "sha384",
    "1.2.840.10045.4.3.4": "sha512",
}
_HASHES: Final[dict[str, hashes.HashAlgorithm]] = {
    "sha1": hashes.SHA1(),  # noqa: S303 - see the module's head
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}
RSA_BITS_MIN: Final = 2048
_RSA_BITS_MAX: Final = 8192
_EXPONENT_BITS_MAX: Final = 32
"""Of RSA keys whose signatures are looked at: others, which nobody uses, cost a stranger's packet dearly."""


def digest(oid: str, data: bytes) -> bytes | None:
    """The digest by an algorithm's identifier; None for one that is not supported."""
    name = DIGESTS.get(oid)
    return None if name is None else hashlib.new(name, data, usedforsecurity=False).digest()


def is_supported(algorithm: str) -> bool:
    """Whether signatures of this algorithm can be verified; some leave the digest to another field."""
    return algorithm in _RSA or algorithm in _ECDSA or algorithm in (RSA_ENCRYPTION, RSA_PSS)


def verify(key: PublicKeyTypes, algorithm: str, digest_oid: str, signature: bytes, data: bytes) -> bool:
    """Whether `signature` over `data` is the key's.

    algorithm: identifier of the signature's algorithm. digest_oid: of the digest, where that is not told.
    Strangers bring the key along with what it signed, so its size is bounded.
    """
    name = _RSA.get(algorithm) or _ECDSA.get(algorithm) or DIGESTS.get(digest_oid)
    if name is None:
        return False
    chosen = _HASHES[name]
    try:
        if isinstance(key, rsa.RSAPublicKey) and algorithm not in _ECDSA:
            if key.key_size > _RSA_BITS_MAX or key.public_numbers().e.bit_length() > _EXPONENT_BITS_MAX:
                return False
            if algorithm == RSA_PSS:
                scheme: padding.AsymmetricPadding = padding.PSS(padding.MGF1(chosen), padding.PSS.AUTO)
            else:
                scheme = padding.PKCS1v15()
            key.verify(signature, data, scheme, chosen)
        elif isinstance(key, ec.EllipticCurvePublicKey) and algorithm in _ECDSA:
            key.verify(signature, data, ec.ECDSA(chosen))
        else:
            return False
    except InvalidSignature:
        return False
    return True


@dataclass(frozen=True, slots=True, eq=False)
class Signer:
    """A private key that signs. algorithm, digest: identifiers of what it signs with."""

    _key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
    algorithm: str
    digest: str

    def __repr__(self) -> str:
        return f"Signer({self.algorithm})"

    @classmethod
    def load(cls, pem: Secret) -> "Signer":
        """The key of a PEM file: RSA, or on one of the NIST curves. Raises DecodeError."""
        try:
            key: PrivateKeyTypes = load_pem_private_key(pem.reveal(), password=None)
        except (ValueError, TypeError) as error:
            raise DecodeError(f"not a private key: {error}", 0, "private key") from None
        if isinstance(key, rsa.RSAPrivateKey):
            return cls(key, SHA256_WITH_RSA, SHA256)
        if isinstance(key, ec.EllipticCurvePrivateKey):
            if key.curve.key_size > 256:
                return cls(key, ECDSA_WITH_SHA384, SHA384)
            return cls(key, ECDSA_WITH_SHA256, SHA256)
        raise DecodeError("neither an RSA nor an EC key", 0, "private key")

    @property
    def is_rsa(self) -> bool:
        return isinstance(self._key, rsa.RSAPrivateKey)

    def fits(self, spki: bytes) -> bool:
        """Whether it is the key of this SubjectPublicKeyInfo."""
        own = self._key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return own == spki

    def sign(self, data: bytes) -> bytes:
        chosen = _HASHES[DIGESTS[self.digest]]
        if isinstance(self._key, rsa.RSAPrivateKey):
            return self._key.sign(data, padding.PKCS1v15(), chosen)
        return self._key.sign(data, ec.ECDSA(chosen))


def rsa_public_key(exponent: bytes, modulus: bytes) -> bytes:
    """SubjectPublicKeyInfo of an RSA key given as big-endian numbers; raises DecodeError, also if short."""
    try:
        numbers = rsa.RSAPublicNumbers(int.from_bytes(exponent, "big"), int.from_bytes(modulus, "big"))
        key = numbers.public_key()
    except (ValueError, OverflowError) as error:
        raise DecodeError(f"not an RSA key: {error}", 0, "RSA key") from None
    if key.key_size < RSA_BITS_MIN:
        raise DecodeError("a short RSA key", 0, "RSA key")
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
