"""X.509 certificates as far as logons look at them: read once, kept as plain values and one public key.

Spec: RFC 5280 4.1, 4.2; RFC 4556 3.2.2 (uses); [MS-WCCE] 2.2.2.7.7.4 (szOID_NTDS_CA_SECURITY_EXT).
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ObjectIdentifier

from addc.base.clock import FileTime, from_unix
from addc.base.errors import DecodeError
from addc.codec.ber_wire import find_element, read_element
from addc.security.crypto import signatures

ANY_USE: Final = "2.5.29.37.0"
CLIENT_AUTH: Final = "1.3.6.1.5.5.7.3.2"
SMARTCARD_LOGON: Final = "1.3.6.1.4.1.311.20.2.2"
_SID_EXTENSION: Final = ObjectIdentifier("1.3.6.1.4.1.311.25.2")
_UPN: Final = ObjectIdentifier("1.3.6.1.4.1.311.20.2.3")
_SID_NAME: Final = bytes.fromhex("060a2b060104018237190201")
"""The OID 1.3.6.1.4.1.311.25.2.1 of the otherName that holds the SID's text."""
_INTEGER, _UTF8_STRING, _SEQUENCE, _VERSION = 0x02, 0x0C, 0x30, 0xA0
_UNDERSTOOD: Final = (
    x509.BasicConstraints,
    x509.KeyUsage,
    x509.ExtendedKeyUsage,
    x509.SubjectAlternativeName,
    x509.SubjectKeyIdentifier,
    x509.AuthorityKeyIdentifier,
    x509.CRLDistributionPoints,
    x509.CertificatePolicies,
)
UNREADABLE: Final = (
    ValueError,
    TypeError,
    OverflowError,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
)
"""What the library raises over certificates and lists that are none; few of them have a base in common."""

E = TypeVar("E", bound=x509.ExtensionType)


@dataclass(frozen=True, slots=True)
class Names:
    """The names in a certificate's subjectAltName. upns: of the otherName that smart cards carry."""

    upns: tuple[str, ...] = ()
    dns: tuple[str, ...] = ()
    uris: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Certificate:
    """One certificate. subject, issuer: DER of the Names. uses: of its extended key usage, None where absent.

    signs: it may sign data. signs_certificates, signs_lists: likewise; a missing key usage allows all.
    path_length: how many authorities may stand below, None for any. sid: text in the SID extension.
    names_lists: it tells where its revocation list is. is_understood: nothing critical in it is unknown here.
    """

    der: bytes
    subject: bytes
    issuer: bytes
    serial: int
    not_before: FileTime
    not_after: FileTime
    key: PublicKeyTypes
    spki: bytes
    is_authority: bool = False
    path_length: int | None = None
    signs: bool = True
    signs_certificates: bool = True
    signs_lists: bool = True
    uses: frozenset[str] | None = None
    key_identifier: bytes = b""
    authority_key_identifier: bytes = b""
    names: Names = Names()
    sid: str = ""
    names_lists: bool = False
    is_understood: bool = True
    digest_name: str = ""
    issuer_text: str = ""
    _parsed: x509.Certificate | None = field(default=None, repr=False)

    @property
    def is_self_issued(self) -> bool:
        return self.subject == self.issuer

    @property
    def has_weak_digest(self) -> bool:
        """Whether its signature is over a digest for which collisions can be made, or an unknown one."""
        return self.digest_name not in ("sha256", "sha384", "sha512")

    @property
    def has_weak_key(self) -> bool:
        """Whether its key is shorter than what is safe, or of no kind that is known here."""
        if isinstance(self.key, rsa.RSAPublicKey):
            return self.key.key_size < signatures.RSA_BITS_MIN
        return not isinstance(self.key, ec.EllipticCurvePublicKey) or self.key.curve.key_size < 256

    def is_issued_by(self, authority: "Certificate") -> bool:
        """Whether `authority` has the issuer's name and its key made the signature."""
        if authority.subject != self.issuer or self._parsed is None:
            return False
        wanted = self.authority_key_identifier
        if wanted and authority.key_identifier and wanted != authority.key_identifier:
            return False
        assert authority._parsed is not None
        try:
            self._parsed.verify_directly_issued_by(authority._parsed)
        except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
            return False
        return True

    def is_in_time(self, now: FileTime) -> bool:
        return self.not_before <= now <= self.not_after


def read(der: bytes) -> Certificate:
    """Raises DecodeError for what is no certificate, or has extensions that cannot be read."""
    _check_serial(der)
    try:
        found = x509.load_der_x509_certificate(der)
        return _certificate(der, found)
    except UNREADABLE as error:
        raise DecodeError(f"not a certificate: {error}", 0, "certificate") from None


def _check_serial(der: bytes) -> None:
    """Refuse a serial number that is not positive before the library sees it, which warns of each."""
    fields = find_element(der, (_SEQUENCE, _SEQUENCE), "TBSCertificate")
    _, body, end = read_element(fields, 0, len(fields), "TBSCertificate")
    if fields[0] == _VERSION:
        fields = fields[end:]
        _, body, end = read_element(fields, 0, len(fields), "TBSCertificate")
    if fields[0] != _INTEGER or int.from_bytes(fields[body:end], "big", signed=True) <= 0:
        raise DecodeError("a serial number that is not positive", 0, "TBSCertificate.serialNumber")


def read_pem(data: bytes) -> tuple[Certificate, ...]:
    """All certificates of a PEM file, in its order; raises DecodeError where there is none."""
    try:
        return tuple(read(one.public_bytes(Encoding.DER)) for one in x509.load_pem_x509_certificates(data))
    except UNREADABLE as error:
        raise DecodeError(f"not certificates: {error}", 0, "PEM") from None


def _value(extensions: x509.Extensions, kind: type[E]) -> E | None:
    try:
        return extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


def file_time(when: datetime) -> FileTime:
    return from_unix(when.timestamp())


def _certificate(der: bytes, found: x509.Certificate) -> Certificate:
    extensions = found.extensions
    constraints = _value(extensions, x509.BasicConstraints)
    usage = _value(extensions, x509.KeyUsage)
    uses = _value(extensions, x509.ExtendedKeyUsage)
    own = _value(extensions, x509.SubjectKeyIdentifier)
    above = _value(extensions, x509.AuthorityKeyIdentifier)
    key = found.public_key()
    return Certificate(
        der,
        found.subject.public_bytes(),
        found.issuer.public_bytes(),
        found.serial_number,
        file_time(found.not_valid_before_utc),
        file_time(found.not_valid_after_utc),
        key,
        key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        is_authority=constraints is not None and constraints.ca,
        path_length=None if constraints is None else constraints.path_length,
        signs=usage is None or usage.digital_signature,
        signs_certificates=usage is None or usage.key_cert_sign,
        signs_lists=usage is None or usage.crl_sign,
        uses=None if uses is None else frozenset(use.dotted_string for use in uses),
        key_identifier=b"" if own is None else own.digest,
        authority_key_identifier=(above.key_identifier or b"") if above is not None else b"",
        names=_names(_value(extensions, x509.SubjectAlternativeName)),
        sid=_sid(extensions),
        names_lists=_value(extensions, x509.CRLDistributionPoints) is not None,
        is_understood=all(isinstance(one.value, _UNDERSTOOD) for one in extensions if one.critical),
        digest_name=_digest_name(found),
        issuer_text=",".join([part.rfc4514_string() for part in found.issuer.rdns]),
        _parsed=found,
    )


def _digest_name(found: x509.Certificate) -> str:
    try:
        algorithm = found.signature_hash_algorithm
    except UnsupportedAlgorithm:
        return ""
    return "" if algorithm is None else algorithm.name


def _names(found: x509.SubjectAlternativeName | None) -> Names:
    if found is None:
        return Names()
    upns = []
    for one in found.get_values_for_type(x509.OtherName):
        if one.type_id == _UPN:
            upns.append(find_element(one.value, (_UTF8_STRING,), "UPN").decode("utf-8", "replace"))
    return Names(
        tuple(upns),
        tuple(found.get_values_for_type(x509.DNSName)),
        tuple(found.get_values_for_type(x509.UniformResourceIdentifier)),
    )


def _sid(extensions: x509.Extensions) -> str:
    """The text of the SID extension: GeneralNames with one OtherName of [0] EXPLICIT OCTET STRING."""
    for one in extensions:
        if one.oid == _SID_EXTENSION and isinstance(one.value, x509.UnrecognizedExtension):
            try:
                value = find_element(one.value.value, (0x30, 0xA0), "NTDS_CA_SECURITY_EXT")
                if not value.startswith(_SID_NAME):
                    return ""
                return find_element(value[len(_SID_NAME) :], (0xA0, 0x04), "NTDS_CA_SECURITY_EXT").decode(
                    "ascii"
                )
            except (DecodeError, UnicodeDecodeError):
                return ""
    return ""
