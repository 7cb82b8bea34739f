"""What a client's certificate says of its holder, in the words that accounts are mapped by.

Only strong mappings are made: the issuer with the serial number or the SID, the subject key identifier, the
hash of the public key, and the SID alone that an enterprise authority put in. Names that somebody could get
a certificate for elsewhere (subject, mail address, principal name) map nobody.

Spec: [MS-PKCA] 3.1.5.2.1.3, 3.1.5.2.1.5, 3.1.5.2.1.6; [MS-WCCE] 2.2.2.7.7.4 (szOID_NTDS_CA_SECURITY_EXT).
"""

import hashlib
from dataclasses import dataclass
from typing import Final

from cryptography.x509 import SubjectKeyIdentifier

from addc.base.errors import DecodeError
from addc.security.crypto import certificate
from addc.security.crypto.certificate import Certificate

_TLS_USES: Final = frozenset({certificate.CLIENT_AUTH, certificate.ANY_USE})
_SID_URI: Final = "tag:microsoft.com,2022-09-14:sid:"
_WINDOWS_TYPES: Final = (("ST=", "S="), ("1.2.840.113549.1.9.1=", "E="))
"""Attribute types that Windows writes in its own way."""


@dataclass(frozen=True, slots=True)
class ClientCertificate:
    """A certificate that may prove who a client is.

    identities: altSecurityIdentities values that mean its holder. sid: text of the SID in it, "" if none.
    """

    identities: tuple[str, ...]
    sid: str


def read(der: bytes) -> ClientCertificate:
    """For TLS; raises DecodeError for what is no certificate, or is not for clients."""
    found = certificate.read(der)
    if found.uses is not None and _TLS_USES.isdisjoint(found.uses):
        raise DecodeError("not a client's certificate", 0, "certificate")
    return ClientCertificate(identities(found), sid(found))


def sid(found: Certificate) -> str:
    """The SID of its holder: of the extension, else of a URI among its names; "" for none."""
    if found.sid:
        return found.sid
    uris = (uri for uri in found.names.uris if uri.startswith(_SID_URI))
    return next((uri.removeprefix(_SID_URI) for uri in uris), "")


def identities(found: Certificate) -> tuple[str, ...]:
    """Every altSecurityIdentities value that maps the certificate strongly."""
    names = []
    for issuer in dict.fromkeys((found.issuer_text, _as_windows_writes(found.issuer_text))):
        names += [f"X509:<I>{issuer}<SR>{serial}" for serial in _serials(found.serial)]
        if holder := sid(found):
            names.append(f"X509:<I>{issuer}<SID>{holder}")
    if found.key_identifier:
        names.append(f"X509:<SKI>{found.key_identifier.hex()}")
    names += [f"X509:<SHA1-PUKEY>{one.hex()}" for one in _key_hashes(found)]
    return tuple(dict.fromkeys(names))


def _serials(serial: int) -> list[str]:
    """The serial number's octets, last first; an upper zero that only keeps it positive may be left out."""
    octets = serial.to_bytes((serial.bit_length() + 8) // 8 or 1, "big", signed=True)
    texts = [octets[::-1].hex()]
    if len(octets) > 1 and octets[0] == 0:
        texts.append(octets[:0:-1].hex())
    return texts


def _key_hashes(found: Certificate) -> list[bytes]:
    """SHA-1 of the public key in the forms that are about: key identifier, SubjectPublicKeyInfo, certificate.

    [MS-PKCA] does not say which; administrators copy any of them, and all are equally strong.
    """
    return [
        SubjectKeyIdentifier.from_public_key(found.key).digest,  # type: ignore[arg-type]
        hashlib.sha1(found.spki, usedforsecurity=False).digest(),
        hashlib.sha1(found.der, usedforsecurity=False).digest(),
    ]


def _as_windows_writes(issuer: str) -> str:
    for ours, theirs in _WINDOWS_TYPES:
        issuer = ",".join(
            theirs + part.removeprefix(ours) if part.startswith(ours) else part for part in issuer.split(",")
        )
    return issuer
