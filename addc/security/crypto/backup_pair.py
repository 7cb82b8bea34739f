"""The RSA key pair that clients wrap secrets with: making one, its certificate, opening what was wrapped.

Spec: [MS-BKRP] 2.2.1 (the certificate), 3.1.4.1.3, 3.1.4.1.4 (step 3).
"""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from cryptography import x509
from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher, modes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from addc.base.errors import DecodeError
from addc.codec.backup_key import ClientWrapPair
from addc.codec.ber_wire import element

_BITS: Final = 2048
_LIFE: Final = timedelta(days=365)
_SHA1_WITH_RSA: Final = bytes.fromhex("300d06092a864886f70d0101050500")
_VERSION_3: Final = bytes.fromhex("a003020102")
_SEQUENCE, _INTEGER, _BIT_STRING, _UTC_TIME, _ISSUER_ID, _SUBJECT_ID = 0x30, 0x02, 0x03, 0x17, 0x81, 0x82


def new_pair(key_id: UUID, domain: str, now: datetime) -> ClientWrapPair:
    """A fresh pair; takes a tenth of a second. domain: DNS name, the certificate's common name."""
    key = rsa.generate_private_key(65537, _BITS)
    numbers = key.private_numbers()
    return ClientWrapPair(
        numbers.public_numbers.e,
        numbers.public_numbers.n,
        numbers.p,
        numbers.q,
        numbers.dmp1,
        numbers.dmq1,
        numbers.iqmp,
        numbers.d,
        _certificate(key, key_id, domain, now),
    )


def _certificate(key: rsa.RSAPrivateKey, key_id: UUID, domain: str, now: datetime) -> bytes:
    """Self-signed, by SHA-1 as Windows has it: it proves nothing, and clients only take the key out of it.

    Written here, for the library has no word for the unique identifiers that name the pair.
    """
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, domain)]).public_bytes()
    key_der = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    number = int.from_bytes(key_id.bytes_le, "little")
    serial = number.to_bytes(number.bit_length() // 8 + 1, "big")
    unique = b"\0" + key_id.bytes_le
    body = element(
        _SEQUENCE,
        _VERSION_3
        + element(_INTEGER, serial)
        + _SHA1_WITH_RSA
        + name
        + element(_SEQUENCE, _utc_time(now) + _utc_time(now + _LIFE))
        + name
        + key_der
        + element(_ISSUER_ID, unique)
        + element(_SUBJECT_ID, unique),
    )
    signature = key.sign(body, padding.PKCS1v15(), hashes.SHA1())  # noqa: S303
    return element(_SEQUENCE, body + _SHA1_WITH_RSA + element(_BIT_STRING, b"\0" + signature))


def _utc_time(when: datetime) -> bytes:
    return element(_UTC_TIME, when.strftime("%y%m%d%H%M%SZ").encode())


def open_with(pair: ClientWrapPair, encrypted: bytes) -> bytes:
    """What was encrypted for the pair; little-endian, as CryptoAPI writes it. Raises DecodeError."""
    public = rsa.RSAPublicNumbers(pair.public_exponent, pair.modulus)
    numbers = rsa.RSAPrivateNumbers(
        pair.prime1,
        pair.prime2,
        pair.private_exponent,
        pair.exponent1,
        pair.exponent2,
        pair.coefficient,
        public,
    )
    try:
        return numbers.private_key().decrypt(encrypted[::-1], padding.PKCS1v15())
    except ValueError:
        raise DecodeError("not encrypted for this key", 0, "EncryptedSecret") from None


def insecure_des_ede3_decrypt(key: bytes, iv: bytes, data: bytes) -> bytes:
    """Whole blocks only; what version 2 of client wrapping uses."""
    if len(data) % 8:
        raise DecodeError("not a whole number of blocks", len(data), "AccessCheck")
    return Cipher(TripleDES(key), modes.CBC(iv)).decryptor().update(data)
