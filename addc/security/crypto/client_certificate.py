"""What a client's certificate says of its holder, in the words that accounts are mapped by.

Only strong mappings are made: the issuer with the serial number or the SID, the subject key identifier, the
hash of the public key, and the SID alone that an enterprise authority put in. Names that somebody could get
a certificate for elsewhere (subject, mail address, principal name) map nobody.

Spec: [MS-PKCA] 3.1.5.2.1.3 (altSecurityIdentities), [MS-WCCE] 2.2.2.7.7.4 (szOID_NTDS_CA_SECURITY_EXT).
"""

import hashlib
from dataclasses import dataclass
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, ObjectIdentifier

from addc.base.errors import DecodeError

_SID_EXTENSION: Final = ObjectIdentifier("1.3.6.1.4.1.311.25.2")
_SID_NAME: Final = bytes.fromhex("060a2b060104018237190201")
"""The OID 1.3.6.1.4.1.311.25.2.1 of the otherName that holds the SID's text."""
_CLIENT_USES: Final = frozenset({ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE})
_SID_MAX: Final = 200


@dataclass(frozen=True, slots=True)
class ClientCertificate:
    """A certificate that may prove who a client is.

    identities: altSecurityIdentities values that mean its holder. sid: text of the SID in it, "" if none.
    """

    identities: tuple[str, ...]
    sid: str


def read(der: bytes) -> ClientCertificate:
    """Raises DecodeError for what is no certificate, or is not for clients."""
    try:
        found = x509.load_der_x509_certificate(der)
        extensions = found.extensions
    except ValueError as error:
        raise DecodeError(f"not a certificate: {error}", 0, "certificate") from None
    try:
        uses = extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        uses = None
    if uses is not None and _CLIENT_USES.isdisjoint(uses):
        raise DecodeError("not a client's certificate", 0, "certificate")
    sid = _sid(extensions)
    return ClientCertificate(_identities(found, extensions, sid), sid)


def _identities(found: x509.Certificate, extensions: x509.Extensions, sid: str) -> tuple[str, ...]:
    serial = found.serial_number
    octets = serial.to_bytes((serial.bit_length() + 8) // 8 or 1, "big", signed=True)
    issuer = ",".join([part.rfc4514_string() for part in found.issuer.rdns])
    key = found.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    names = [f"X509:<I>{issuer}<SR>{octets[::-1].hex()}"]
    if sid:
        names.append(f"X509:<I>{issuer}<SID>{sid}")
    try:
        identifier = extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
        names.append(f"X509:<SKI>{identifier.hex()}")
    except x509.ExtensionNotFound:
        pass
    digest = x509.SubjectKeyIdentifier.from_public_key(found.public_key()).digest
    names.append(f"X509:<SHA1-PUKEY>{digest.hex()}")
    names.append(f"X509:<SHA1-PUKEY>{hashlib.sha1(key, usedforsecurity=False).hexdigest()}")
    return tuple(dict.fromkeys(names))


def _sid(extensions: x509.Extensions) -> str:
    """The text in OtherName { type-id, [0] EXPLICIT OCTET STRING }."""
    for one in extensions:
        if one.oid == _SID_EXTENSION and isinstance(one.value, x509.UnrecognizedExtension):
            data = one.value.value
            at = data.find(_SID_NAME)
            text = data[at + len(_SID_NAME) :]
            if at < 0 or len(text) < 4 or text[0] != 0xA0 or text[2] != 0x04 or text[3] > _SID_MAX:
                return ""
            return text[4 : 4 + text[3]].decode("ascii", "replace")
    return ""
