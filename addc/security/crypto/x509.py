"""A certificate authority of one's own, and the server certificate that it signs.

Spec: RFC 5280 4.1, RFC 6125 6.4, [MS-ADTS] 5.1.1.2
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv4Address, IPv6Address
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

from addc.base.errors import DecodeError
from addc.base.rng import Rng
from addc.base.secret import Secret
from addc.codec.krb5 import PrincipalName
from addc.codec.krb5_numbers import NameType
from addc.codec.pkinit import ID_KP_KDC, Krb5PrincipalName

CA_DAYS: Final = 3650
SERVER_DAYS: Final = 825
_CLOCK_SKEW: Final = timedelta(minutes=10)
_COMMON_NAME_MAX: Final = 64
_CA_KEY_BITS: Final = 3072
_KDC_KEY_BITS: Final = 2048
_KDC_USE: Final = ObjectIdentifier(ID_KP_KDC)
_PKINIT_SAN: Final = ObjectIdentifier("1.3.6.1.5.2.2")


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A certificate and its private key, both PEM."""

    certificate: bytes
    key: Secret


def _serial(rng: Rng) -> int:
    """Positive, at most 20 octets, 128 bits of it random (RFC 5280 4.1.2.2)."""
    return int.from_bytes(b"\x01" + rng.bytes(16), "big")


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name[:_COMMON_NAME_MAX])])


def _usage(*, ca: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=ca,
        crl_sign=ca,
        encipher_only=False,
        decipher_only=False,
    )


def _pem_key(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> Secret:
    return Secret(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )


def make_ca(common_name: str, now: datetime, rng: Rng) -> KeyPair:
    """A self-signed authority on RSA, good for ten years: Heimdal's clients know no other signatures.

    now: time-zone aware. rng: for the serial number; the key comes from the system's own generator.
    """
    key = rsa.generate_private_key(public_exponent=65537, key_size=_CA_KEY_BITS)
    name = _name(common_name)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(_serial(rng))
        .not_valid_before(now - _CLOCK_SKEW)
        .not_valid_after(now + timedelta(days=CA_DAYS))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(ca=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    return KeyPair(certificate.public_bytes(serialization.Encoding.PEM), _pem_key(key))


def make_kdc_certificate(ca: KeyPair, names: Sequence[str], realm: str, now: datetime, rng: Rng) -> KeyPair:
    """A certificate that proves a realm's KDC to PKINIT clients, on RSA: what all of them know.

    names: DNS names, the host's own first, the domain's among them, which Windows looks for.
    Spec: RFC 4556 3.2.4, [MS-PKCA] 3.1.5.1
    """
    key = rsa.generate_private_key(public_exponent=65537, key_size=_KDC_KEY_BITS)
    tgs = PrincipalName(int(NameType.KRB_NT_SRV_INST), ("krbtgt", realm))
    alternatives: list[x509.GeneralName] = [x509.DNSName(name) for name in dict.fromkeys(names)]
    alternatives.append(x509.OtherName(_PKINIT_SAN, Krb5PrincipalName(realm, tgs).pack()))
    uses = [_KDC_USE, ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
    return _signed(ca, key, (names[0], uses, alternatives), now, rng)


def make_server_certificate(
    ca: KeyPair,
    names: Sequence[str],
    addresses: Sequence[IPv4Address | IPv6Address],
    now: datetime,
    rng: Rng,
) -> KeyPair:
    """A certificate for TLS servers and clients that `ca` signs.

    names: DNS names, the host's own first: it becomes the common name, all become subjectAltNames.
    addresses: become subjectAltNames too.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    alternatives: list[x509.GeneralName] = [x509.DNSName(name) for name in dict.fromkeys(names)]
    alternatives += [x509.IPAddress(address) for address in dict.fromkeys(addresses)]
    uses = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
    return _signed(ca, key, (names[0], uses, alternatives), now, rng)


def _signed(
    ca: KeyPair,
    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey,
    holds: tuple[str, Sequence[ObjectIdentifier], Sequence[x509.GeneralName]],
    now: datetime,
    rng: Rng,
) -> KeyPair:
    """A certificate that `ca` signs. holds: common name, uses, alternative names."""
    ca_certificate = x509.load_pem_x509_certificate(ca.certificate)
    ca_key = serialization.load_pem_private_key(ca.key.reveal(), password=None)
    if not isinstance(ca_key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
        raise DecodeError("neither an EC nor an RSA private key", 0, "CA key")
    common_name, uses, alternatives = holds
    certificate = (
        x509.CertificateBuilder()
        .subject_name(_name(common_name))
        .issuer_name(ca_certificate.subject)
        .public_key(key.public_key())
        .serial_number(_serial(rng))
        .not_valid_before(now - _CLOCK_SKEW)
        .not_valid_after(min(now + timedelta(days=SERVER_DAYS), ca_certificate.not_valid_after_utc))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(ca=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage(uses), critical=False)
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), critical=False
        )
        .sign(ca_key, hashes.SHA256())
    )
    return KeyPair(certificate.public_bytes(serialization.Encoding.PEM), _pem_key(key))
