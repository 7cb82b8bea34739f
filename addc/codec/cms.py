"""The Cryptographic Message Syntax as far as PKINIT needs it: signed data, and data for one RSA key.

Only shapes are here; security/crypto/signatures.py and security/crypto/envelope.py do the mathematics. Names,
certificates and attribute values stay the bytes that came, since signatures and hashes cover them.

Spec: RFC 5652 3 (ContentInfo), 5 (SignedData), 6 (EnvelopedData), 11 (attributes); RFC 2315 7 (old content).
"""

from typing import Annotated, Final

from addc.base.errors import DecodeError
from addc.codec import ber
from addc.codec.ber_wire import decode_oid, element, encode_oid, header, read_element

ID_DATA: Final = "1.2.840.113549.1.7.1"
ID_SIGNED_DATA: Final = "1.2.840.113549.1.7.2"
ID_ENVELOPED_DATA: Final = "1.2.840.113549.1.7.3"
ID_CONTENT_TYPE: Final = "1.2.840.113549.1.9.3"
ID_MESSAGE_DIGEST: Final = "1.2.840.113549.1.9.4"
NULL: Final = b"\x05\x00"

_OCTET_STRING: Final = 0x04
_OBJECT_IDENTIFIER: Final = 0x06
_SEQUENCE: Final = 0x30
_SET: Final = 0x31
_SERIAL_SIZE_MAX: Final = 64
_CERTIFICATES_MAX: Final = 16
_SIGNERS_MAX: Final = 4
_ATTRIBUTES_MAX: Final = 32


def _decode_serial(content: bytes) -> int:
    if not 0 < len(content) <= _SERIAL_SIZE_MAX:
        raise DecodeError("bad size of a serial number", 0, "CertificateSerialNumber")
    return int.from_bytes(content, "big", signed=True)


def encode_integer(value: int) -> bytes:
    """Content octets of an INTEGER of any size."""
    return value.to_bytes(((value if value >= 0 else ~value).bit_length() >> 3) + 1, "big", signed=True)


SERIAL: Final = ber.Converted(0x02, _decode_serial, encode_integer)
"""CertificateSerialNumber: up to 20 octets by the book, longer ones are about."""


def _same(content: bytes) -> bytes:
    return content


def _raw(tag: int) -> ber.Converted:
    """The content octets of an element with this tag, as they came."""
    return ber.Converted(tag, _same, _same)


@ber.sequence()
class AlgorithmIdentifier(ber.Value):
    """AlgorithmIdentifier; parameters as their whole element. Spec: RFC 5280 4.1.1.2."""

    algorithm: Annotated[str, ber.OID]
    parameters: Annotated[bytes | None, ber.ANY] = None


@ber.sequence()
class SubjectPublicKeyInfo(ber.Value):
    """SubjectPublicKeyInfo. Spec: RFC 5280 4.1.2.7."""

    algorithm: AlgorithmIdentifier
    subject_public_key: Annotated[bytes, ber.BIT_STRING]


@ber.sequence()
class ContentInfo(ber.Value):
    """ContentInfo; content as its whole element. Spec: RFC 5652 3."""

    content_type: Annotated[str, ber.OID]
    content: Annotated[bytes, ber.ANY, ber.Tag(0)]


@ber.sequence()
class EncapsulatedContentInfo(ber.Value):
    """EncapsulatedContentInfo; e_content as its whole element. Spec: RFC 5652 5.2."""

    e_content_type: Annotated[str, ber.OID]
    e_content: Annotated[bytes | None, ber.ANY, ber.Tag(0)] = None


@ber.sequence()
class IssuerAndSerialNumber(ber.Value):
    """IssuerAndSerialNumber; issuer is the Name as it came. Spec: RFC 5652 10.2.4."""

    issuer: Annotated[bytes, ber.ANY]
    serial_number: Annotated[int, SERIAL]


@ber.single(context=0)
class KeyIdentifier(ber.Value):
    """The subjectKeyIdentifier of a SignerIdentifier or RecipientIdentifier. Spec: RFC 5652 5.3, 6.2.1."""

    identifier: bytes


@ber.single(context=0, explicit=True)
class WrappedKeyIdentifier(ber.Value):
    """The same with an explicit tag.

    Deviation: Heimdal up to 7 writes it so.
    """

    identifier: bytes


Identifier = IssuerAndSerialNumber | KeyIdentifier | WrappedKeyIdentifier
IDENTIFIER: Final = ber.Choice(IssuerAndSerialNumber, KeyIdentifier, WrappedKeyIdentifier)


@ber.sequence()
class Attribute(ber.Value):
    """Attribute; each value as its whole element. Spec: RFC 5652 5.3."""

    attr_type: Annotated[str, ber.OID]
    attr_values: Annotated[tuple[bytes, ...], ber.set_of(ber.ANY, limit=_ATTRIBUTES_MAX)]


@ber.single()
class SignedAttributes(ber.Value):
    """SignedAttributes as they are signed: a SET OF, not the [0] in its place. Spec: RFC 5652 5.4."""

    attributes: Annotated[
        tuple[Attribute, ...], ber.set_of(ber.Nested(Attribute), low=1, limit=_ATTRIBUTES_MAX)
    ]


@ber.sequence(kw_only=True)
class SignerInfo(ber.Value):
    """SignerInfo; signed_attrs are the content octets of the SET. Spec: RFC 5652 5.3."""

    version: Annotated[int, ber.Integer(0, 5)]
    sid: Annotated[Identifier, IDENTIFIER]
    digest_algorithm: AlgorithmIdentifier
    signed_attrs: Annotated[bytes | None, _raw(0xA0)] = None
    signature_algorithm: AlgorithmIdentifier
    signature: bytes
    unsigned_attrs: Annotated[bytes | None, _raw(0xA1)] = None

    def signed_bytes(self) -> bytes | None:
        """What the signature covers if there are signed attributes: the SET OF in full."""
        if self.signed_attrs is None:
            return None
        return header(_SET, len(self.signed_attrs)) + self.signed_attrs


@ber.sequence(kw_only=True)
class SignedData(ber.Value):
    """SignedData; certificates and crls are the content octets of their SETs. Spec: RFC 5652 5.1."""

    version: Annotated[int, ber.Integer(0, 5)]
    digest_algorithms: Annotated[
        tuple[AlgorithmIdentifier, ...], ber.set_of(ber.Nested(AlgorithmIdentifier), limit=_SIGNERS_MAX)
    ]
    encap_content_info: EncapsulatedContentInfo
    certificates: Annotated[bytes | None, _raw(0xA0)] = None
    crls: Annotated[bytes | None, _raw(0xA1)] = None
    signer_infos: Annotated[tuple[SignerInfo, ...], ber.set_of(ber.Nested(SignerInfo), limit=_SIGNERS_MAX)]

    def content(self) -> bytes:
        """The signed content: inside its OCTET STRING, or itself a structure as in RFC 2315 9.1."""
        element = self.encap_content_info.e_content
        if element is None:
            raise DecodeError("no content", 0, "SignedData.encapContentInfo")
        tag, body, end = read_element(element, 0, len(element), "SignedData.eContent")
        return element[body:end] if tag == _OCTET_STRING else element

    def digested(self) -> bytes:
        """The octets that messageDigest covers: content without the identifier and length of its element."""
        element = self.encap_content_info.e_content
        if element is None:
            raise DecodeError("no content", 0, "SignedData.encapContentInfo")
        _, body, end = read_element(element, 0, len(element), "SignedData.eContent")
        return element[body:end]

    def certificate_ders(self) -> tuple[bytes, ...]:
        """The X.509 certificates; other forms of CertificateChoices are passed over."""
        return tuple(elements(self.certificates or b"", _SEQUENCE, _CERTIFICATES_MAX))


def elements(data: bytes, tag: int, limit: int) -> list[bytes]:
    """The whole elements in a row of them that have this tag; more than `limit` in all are refused."""
    found, pos, count = [], 0, 0
    while pos < len(data):
        count += 1
        if count > limit:
            raise DecodeError("too many elements", pos, "SET")
        kind, _, end = read_element(data, pos, len(data), "SET")
        if kind == tag:
            found.append(data[pos:end])
        pos = end
    return found


@ber.sequence(kw_only=True)
class KeyTransRecipientInfo(ber.Value):
    """KeyTransRecipientInfo. Spec: RFC 5652 6.2.1."""

    version: Annotated[int, ber.Integer(0, 2)]
    rid: Annotated[Identifier, IDENTIFIER]
    key_encryption_algorithm: AlgorithmIdentifier
    encrypted_key: bytes


@ber.sequence(kw_only=True)
class EncryptedContentInfo(ber.Value):
    """EncryptedContentInfo. Spec: RFC 5652 6.1."""

    content_type: Annotated[str, ber.OID]
    content_encryption_algorithm: AlgorithmIdentifier
    encrypted_content: Annotated[bytes | None, ber.Implicit(0)] = None


@ber.sequence(kw_only=True)
class EnvelopedData(ber.Value):
    """EnvelopedData for recipients of an RSA key; who originated it is not told. Spec: RFC 5652 6.1."""

    version: Annotated[int, ber.Integer(0, 4)] = 0
    recipient_infos: Annotated[
        tuple[KeyTransRecipientInfo, ...], ber.set_of(ber.Nested(KeyTransRecipientInfo), low=1, limit=4)
    ]
    encrypted_content_info: EncryptedContentInfo


def octets(value: bytes) -> bytes:
    """An OCTET STRING, as its whole element."""
    return header(_OCTET_STRING, len(value)) + value


def unwrap(data: bytes, content_type: str) -> bytes:
    """The content of a ContentInfo of this type."""
    info = ContentInfo.unpack(data)
    if info.content_type != content_type:
        raise DecodeError(f"content of type {info.content_type}", 0, "ContentInfo")
    return info.content


def oid(text: str) -> bytes:
    """An OBJECT IDENTIFIER, as its whole element."""
    return element(_OBJECT_IDENTIFIER, encode_oid(text))


def read_oid(data: bytes) -> str:
    """The text of an OBJECT IDENTIFIER's whole element."""
    tag, body, end = read_element(data, 0, len(data), "OBJECT IDENTIFIER")
    if tag != _OBJECT_IDENTIFIER or end != len(data):
        raise DecodeError("not an object identifier", 0, "OBJECT IDENTIFIER")
    return decode_oid(data[body:end])
