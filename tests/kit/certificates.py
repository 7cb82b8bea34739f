"""Client certificates as an enterprise authority of one's own issues them."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

_SID_EXTENSION: Final = ObjectIdentifier("1.3.6.1.4.1.311.25.2")
_SID_OID: Final = bytes.fromhex("060a2b060104018237190201")
SERIAL: Final = 0x1200_0000_0000_AC11_0000_0000_2B


class Authority:
    """Issues to anybody."""

    def __init__(self, name: str = "People CA") -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        parts = [(NameOID.DOMAIN_COMPONENT, "com"), (NameOID.DOMAIN_COMPONENT, "example")]
        self.name = x509.Name(
            [x509.NameAttribute(oid, text) for oid, text in (*parts, (NameOID.COMMON_NAME, name))]
        )
        self.certificate = self._sign(self.name, self._key, x509.BasicConstraints(ca=True, path_length=None))
        self.pem = self.certificate.public_bytes(serialization.Encoding.PEM)

    def _sign(
        self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, *extensions: x509.ExtensionType
    ) -> x509.Certificate:
        now = datetime.now(UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.name)
            .public_key(key.public_key())
            .serial_number(SERIAL)
            .not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now + timedelta(hours=1))
        )
        for one in (x509.SubjectKeyIdentifier.from_public_key(key.public_key()), *extensions):
            builder = builder.add_extension(one, critical=False)
        return builder.sign(self._key, hashes.SHA256())

    def issue(
        self, name: str, *, sid: str = "", use: ObjectIdentifier = ExtendedKeyUsageOID.CLIENT_AUTH
    ) -> "Holder":
        """A certificate and its key for `name`."""
        key = ec.generate_private_key(ec.SECP256R1())
        extensions: list[x509.ExtensionType] = [x509.ExtendedKeyUsage([use])]
        if sid:
            text = sid.encode()
            inner = b"\x04" + bytes((len(text),)) + text
            other = _SID_OID + b"\xa0" + bytes((len(inner),)) + inner
            wrapped = b"\xa0" + bytes((len(other),)) + other
            extensions.append(
                x509.UnrecognizedExtension(_SID_EXTENSION, b"\x30" + bytes((len(wrapped),)) + wrapped)
            )
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        return Holder(self._sign(subject, key, *extensions), key)


class Holder:
    """Somebody with a certificate."""

    def __init__(self, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> None:
        self.certificate = certificate
        self._key = key
        self.der = certificate.public_bytes(serialization.Encoding.DER)

    def write(self, folder: Path) -> tuple[Path, Path]:
        """PEM files of certificate and key."""
        paths = folder / "holder.pem", folder / "holder.key"
        paths[0].write_bytes(self.certificate.public_bytes(serialization.Encoding.PEM))
        form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        paths[1].write_bytes(self._key.private_bytes(*form))
        return paths
