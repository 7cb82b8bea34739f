"""Client certificates as an enterprise authority of one's own issues them, and its revocation lists."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

_SID_EXTENSION: Final = ObjectIdentifier("1.3.6.1.4.1.311.25.2")
_SID_OID: Final = bytes.fromhex("060a2b060104018237190201")
_UPN: Final = ObjectIdentifier("1.3.6.1.4.1.311.20.2.3")
SERIAL: Final = 0x1200_0000_0000_AC11_0000_0000_2B
_HOUR: Final = timedelta(hours=1)

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


@dataclass(frozen=True)
class Wish:
    """What a certificate is to be like. names: of its subjectAltName. when: the middle of its time."""

    uses: Sequence[ObjectIdentifier] | None = (ExtendedKeyUsageOID.CLIENT_AUTH,)
    sid: str = ""
    upn: str = ""
    names: Sequence[x509.GeneralName] = ()
    serial: int = SERIAL
    when: datetime | None = None
    key: PrivateKey | None = None
    more: Sequence[tuple[x509.ExtensionType, bool]] = ()


class Authority:
    """Issues to anybody. above: who vouches for it; nobody but itself for a root."""

    def __init__(
        self,
        name: str = "People CA",
        *,
        above: "Authority | None" = None,
        path_length: int | None = None,
        is_ca: bool = True,
        when: datetime | None = None,
    ) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        parts = [(NameOID.DOMAIN_COMPONENT, "com"), (NameOID.DOMAIN_COMPONENT, "example")]
        self.name = x509.Name(
            [x509.NameAttribute(oid, text) for oid, text in (*parts, (NameOID.COMMON_NAME, name))]
        )
        signer = above or self
        wish = Wish(
            uses=None,
            when=when,
            more=((x509.BasicConstraints(ca=is_ca, path_length=path_length if is_ca else None), True),),
        )
        self.certificate = signer.sign(self.name, self.key, wish)
        self.der = self.certificate.public_bytes(serialization.Encoding.DER)
        self.pem = self.certificate.public_bytes(serialization.Encoding.PEM)

    def sign(self, subject: x509.Name, key: PrivateKey, wish: Wish) -> x509.Certificate:
        """A certificate for a key."""
        now = wish.when or datetime.now(UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.name)
            .public_key(key.public_key())
            .serial_number(wish.serial)
            .not_valid_before(now - _HOUR)
            .not_valid_after(now + _HOUR)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        )
        for one, critical in (*_extensions(wish), *wish.more):
            builder = builder.add_extension(one, critical=critical)
        return builder.sign(self.key, hashes.SHA256())

    def issue(
        self, name: str, *, sid: str = "", use: ObjectIdentifier = ExtendedKeyUsageOID.CLIENT_AUTH
    ) -> "Holder":
        """A certificate and its key for `name`."""
        return self.fulfil(name, Wish(uses=(use,), sid=sid))

    def fulfil(self, name: str, wish: Wish) -> "Holder":
        """A certificate and its key for `name`, as wished."""
        key = wish.key or ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        return Holder(self.sign(subject, key, wish), key)

    def revocation_list(
        self,
        *serials: int,
        when: datetime | None = None,
        more: Sequence[tuple[x509.ExtensionType, bool]] = (),
    ) -> bytes:
        """A CRL in DER of these certificates, in its time for an hour around `when`."""
        now = when or datetime.now(UTC)
        builder = x509.CertificateRevocationListBuilder().issuer_name(self.name)
        builder = builder.last_update(now - _HOUR).next_update(now + _HOUR)
        builder = builder.add_extension(x509.CRLNumber(1), critical=False)
        for one, critical in more:
            builder = builder.add_extension(one, critical=critical)
        for serial in serials:
            entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(now - _HOUR)
            builder = builder.add_revoked_certificate(entry.build())
        return builder.sign(self.key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def _extensions(wish: Wish) -> list[tuple[x509.ExtensionType, bool]]:
    found: list[tuple[x509.ExtensionType, bool]] = []
    if wish.uses is not None:
        found.append((x509.ExtendedKeyUsage(wish.uses), False))
    names = list(wish.names)
    if wish.upn:
        text = wish.upn.encode()
        names.append(x509.OtherName(_UPN, b"\x0c" + bytes((len(text),)) + text))
    if names:
        found.append((x509.SubjectAlternativeName(names), False))
    if wish.sid:
        text = wish.sid.encode()
        inner = b"\x04" + bytes((len(text),)) + text
        other = _SID_OID + b"\xa0" + bytes((len(inner),)) + inner
        wrapped = b"\xa0" + bytes((len(other),)) + other
        value = b"\x30" + bytes((len(wrapped),)) + wrapped
        found.append((x509.UnrecognizedExtension(_SID_EXTENSION, value), False))
    return found


def self_signed(name: str, key: PrivateKey, when: datetime | None = None) -> "Holder":
    """A certificate that nobody vouches for."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = when or datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(now - _HOUR)
        .not_valid_after(now + _HOUR)
        .sign(key, hashes.SHA256())
    )
    return Holder(made, key)


class Holder:
    """Somebody with a certificate."""

    def __init__(self, certificate: x509.Certificate, key: PrivateKey) -> None:
        self.certificate = certificate
        self.key = key
        self.der = certificate.public_bytes(serialization.Encoding.DER)

    def write(self, folder: Path) -> tuple[Path, Path]:
        """PEM files of certificate and key."""
        paths = folder / "holder.pem", folder / "holder.key"
        paths[0].write_bytes(self.certificate.public_bytes(serialization.Encoding.PEM))
        form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        paths[1].write_bytes(self.key.private_bytes(*form))
        return paths


def pem_of(key: PrivateKey) -> bytes:
    """A private key, not encrypted."""
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return key.private_bytes(*form)
