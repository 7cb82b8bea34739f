"""Signatures of DNS records: keys in the form of DNSKEY, signatures in the form of RRSIG.

What is weak or was never used (RSA with MD5 or SHA-1, DSA, GOST) is unknown here: a zone signed by that alone
counts as unsigned, as RFC 9905 asks of SHA-1.

Spec: RFC 3110 2 (RSA keys), RFC 5702 (RSA with SHA-2), RFC 6605 4 (ECDSA), RFC 8080 3-4 (EdDSA).
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from typing import Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from addc.base.errors import DecodeError
from addc.base.rng import Rng
from addc.base.secret import Secret

_RSA_BITS_MIN: Final = 1024
_RSA_BITS_MAX: Final = 4096
_EXPONENT_BITS_MAX: Final = 64
"""Of keys that strangers name: larger ones cost more than they are worth (RFC 3110 2 bounds the modulus)."""


class Algorithm(IntEnum):
    """DNS security algorithm numbers that are spoken here."""

    RSASHA256 = 8
    RSASHA512 = 10
    ECDSAP256SHA256 = 13
    ECDSAP384SHA384 = 14
    ED25519 = 15
    ED448 = 16


_ALGORITHMS: Final = frozenset(int(one) for one in Algorithm)
_RSA: Final[dict[int, hashes.HashAlgorithm]] = {8: hashes.SHA256(), 10: hashes.SHA512()}


@dataclass(frozen=True, slots=True)
class _Curve:
    curve: ec.EllipticCurve
    digest: hashes.HashAlgorithm
    size: int
    order: int


_P256_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_P384_ORDER: Final = int(
    "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973", 16
)
_CURVES: Final = {
    13: _Curve(ec.SECP256R1(), hashes.SHA256(), 32, _P256_ORDER),
    14: _Curve(ec.SECP384R1(), hashes.SHA384(), 48, _P384_ORDER),
}


def is_supported(algorithm: int) -> bool:
    """Whether signatures by this algorithm can be verified."""
    return algorithm in _ALGORITHMS


# --- verifying ---------------------------------------------------------------------------------------------

_Verify = Callable[[bytes, bytes], None]


def verify(algorithm: int, public_key: bytes, signature: bytes, data: bytes) -> bool:
    """Whether `signature` (an RRSIG's field) over `data` is that of `public_key` (a DNSKEY's field).

    False as well for keys that are damaged or of an unknown algorithm.
    """
    check = _verifier(algorithm, public_key)
    if check is None:
        return False
    try:
        check(signature, data)
    except (InvalidSignature, ValueError):
        return False
    return True


@lru_cache(maxsize=1024)
def _verifier(algorithm: int, public_key: bytes) -> _Verify | None:
    """Reading a key costs as much as half a verification, so some are kept read."""
    try:
        if algorithm in _RSA:
            return _rsa_verifier(algorithm, public_key)
        if algorithm in _CURVES:
            return _curve_verifier(_CURVES[algorithm], public_key)
        if algorithm == Algorithm.ED25519:
            return ed25519.Ed25519PublicKey.from_public_bytes(public_key).verify
        if algorithm == Algorithm.ED448:
            return ed448.Ed448PublicKey.from_public_bytes(public_key).verify
    except (ValueError, UnsupportedAlgorithm):
        return None
    return None


def _rsa_verifier(algorithm: int, public_key: bytes) -> _Verify | None:
    exponent, modulus = _rsa_numbers(public_key)
    if not _RSA_BITS_MIN <= modulus.bit_length() <= _RSA_BITS_MAX:
        return None
    if exponent.bit_length() > _EXPONENT_BITS_MAX:
        return None
    key, digest = rsa.RSAPublicNumbers(exponent, modulus).public_key(), _RSA[algorithm]
    return lambda signature, data: key.verify(signature, data, padding.PKCS1v15(), digest)


def _rsa_numbers(public_key: bytes) -> tuple[int, int]:
    """Exponent and modulus. Spec: RFC 3110 2."""
    size, at = (public_key[0], 1) if public_key else (0, 0)
    if size == 0:
        size, at = int.from_bytes(public_key[1:3], "big"), 3
    exponent, modulus = public_key[at : at + size], public_key[at + size :]
    if len(exponent) != size or not size or not modulus:
        raise ValueError("not an RSA key")
    return int.from_bytes(exponent, "big"), int.from_bytes(modulus, "big")


def _curve_verifier(curve: _Curve, public_key: bytes) -> _Verify | None:
    size = curve.size
    if len(public_key) != 2 * size:
        return None
    key = ec.EllipticCurvePublicKey.from_encoded_point(curve.curve, b"\x04" + public_key)
    scheme = ec.ECDSA(curve.digest)

    def check(signature: bytes, data: bytes) -> None:
        if len(signature) != 2 * size:
            raise InvalidSignature
        r, s = int.from_bytes(signature[:size], "big"), int.from_bytes(signature[size:], "big")
        key.verify(encode_dss_signature(r, s), data, scheme)

    return check


# --- signing -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CurveNumbers:
    """An ECDSA key pair: the point's coordinates and the private number, each of the curve's size."""

    x: bytes
    y: bytes
    d: Secret


@dataclass(frozen=True, slots=True)
class RsaNumbers:
    """An RSA key pair, big-endian."""

    exponent: bytes
    modulus: bytes
    prime1: Secret
    prime2: Secret


_PrivateKey = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey


@dataclass(frozen=True, slots=True, eq=False)
class SigningKey:
    """A key pair that signs. public_key: the DNSKEY's field."""

    algorithm: Algorithm
    public_key: bytes
    _key: _PrivateKey

    def __repr__(self) -> str:
        return f"SigningKey({self.algorithm.name})"

    def sign(self, data: bytes) -> bytes:
        """The RRSIG's signature field. ECDSA nonces follow from key and data (RFC 6979)."""
        if isinstance(self._key, ec.EllipticCurvePrivateKey):
            curve = _CURVES[self.algorithm]
            made = self._key.sign(data, ec.ECDSA(curve.digest, deterministic_signing=True))
            r, s = decode_dss_signature(made)
            return r.to_bytes(curve.size, "big") + s.to_bytes(curve.size, "big")
        if isinstance(self._key, rsa.RSAPrivateKey):
            return self._key.sign(data, padding.PKCS1v15(), _RSA[self.algorithm])
        return self._key.sign(data)

    @classmethod
    def of_curve(cls, algorithm: Algorithm, numbers: CurveNumbers) -> "SigningKey":
        """An ECDSA key pair. Raises DecodeError where the parts do not belong together."""
        curve = _CURVES[algorithm]
        d = int.from_bytes(numbers.d.reveal(), "big")
        if not 0 < d < curve.order or len(numbers.x) != curve.size or len(numbers.y) != curve.size:
            raise DecodeError("no key of this curve", 0, "ECDSA key pair")
        key = ec.derive_private_key(d, curve.curve)
        public = key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)[1:]
        if public != numbers.x + numbers.y:
            raise DecodeError("the public key is of another pair", 0, "ECDSA key pair")
        return cls(algorithm, public, key)

    @classmethod
    def of_rsa(cls, algorithm: Algorithm, numbers: RsaNumbers) -> "SigningKey":
        """An RSA key pair. Raises DecodeError where the parts do not belong together."""
        e, n = int.from_bytes(numbers.exponent, "big"), int.from_bytes(numbers.modulus, "big")
        p, q = (int.from_bytes(one.reveal(), "big") for one in (numbers.prime1, numbers.prime2))
        if p < 3 or q < 3 or p * q != n or not _RSA_BITS_MIN <= n.bit_length() <= _RSA_BITS_MAX:
            raise DecodeError("no RSA key that is used here", 0, "RSA key pair")
        try:
            d = rsa.rsa_recover_private_exponent(e, p, q)
            made = rsa.RSAPrivateNumbers(
                p, q, d, rsa.rsa_crt_dmp1(d, p), rsa.rsa_crt_dmq1(d, q), rsa.rsa_crt_iqmp(p, q),
                rsa.RSAPublicNumbers(e, n),
            )  # fmt: skip
            key = made.private_key()
        except ValueError as error:
            raise DecodeError(f"no RSA key: {error}", 0, "RSA key pair") from None
        exponent = e.to_bytes((e.bit_length() + 7) // 8, "big")
        head = bytes((len(exponent),)) if len(exponent) < 256 else b"\0" + len(exponent).to_bytes(2, "big")
        return cls(algorithm, head + exponent + n.to_bytes((n.bit_length() + 7) // 8, "big"), key)

    @classmethod
    def of_seed(cls, seed: Secret) -> "SigningKey":
        """An Ed25519 key pair of its 32 octets. Raises DecodeError."""
        try:
            key = ed25519.Ed25519PrivateKey.from_private_bytes(seed.reveal())
        except ValueError:
            raise DecodeError("32 octets wanted", 0, "Ed25519 key") from None
        return cls(Algorithm.ED25519, key.public_key().public_bytes_raw(), key)


def new_curve_numbers(algorithm: Algorithm, rng: Rng) -> CurveNumbers:
    """A new ECDSA key pair; the private number has 64 bits more to draw from (FIPS 186-5 A.2.1)."""
    curve = _CURVES[algorithm]
    d = int.from_bytes(rng.bytes(curve.size + 8), "big") % (curve.order - 1) + 1
    key = ec.derive_private_key(d, curve.curve)
    public = key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)[1:]
    return CurveNumbers(public[: curve.size], public[curve.size :], Secret(d.to_bytes(curve.size, "big")))
