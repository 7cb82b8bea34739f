"""Content encrypted for the holder of one RSA key: the mathematics of EnvelopedData.

Spec: RFC 5652 6.3 (padding), RFC 3370 4.2.1 (RSA), 5.1 (three-key triple DES), RFC 3565 4 (AES).
"""

from dataclasses import dataclass
from typing import Final

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from addc.base.errors import DecodeError
from addc.base.rng import Rng

AES256_CBC: Final = "2.16.840.1.101.3.4.1.42"
INSECURE_DES_EDE3_CBC: Final = "1.2.840.113549.3.7"


@dataclass(frozen=True, slots=True)
class Envelope:
    """key: the content's key, encrypted. iv: of the cipher. content: encrypted and padded."""

    key: bytes
    iv: bytes
    content: bytes


def seal(to: PublicKeyTypes, cipher: str, plain: bytes, rng: Rng) -> Envelope:
    """Encrypt for the holder of an RSA key; DecodeError for another kind of key.

    cipher: AES256_CBC or INSECURE_DES_EDE3_CBC, which is what [MS-PKCA] 3.1.5 names for old clients.
    """
    if not isinstance(to, rsa.RSAPublicKey):
        raise DecodeError("not an RSA key", 0, "recipient")
    if cipher == INSECURE_DES_EDE3_CBC:
        key, block = _odd_parity(rng.bytes(24)), 8
        iv = rng.bytes(block)
        made = Cipher(TripleDES(key), modes.CBC(iv))
    else:
        assert cipher == AES256_CBC
        key, block = rng.bytes(32), 16
        iv = rng.bytes(block)
        made = Cipher(algorithms.AES(key), modes.CBC(iv))
    fill = block - len(plain) % block
    encryptor = made.encryptor()
    content = encryptor.update(plain + bytes((fill,)) * fill) + encryptor.finalize()
    return Envelope(to.encrypt(key, padding.PKCS1v15()), iv, content)


def _odd_parity(key: bytes) -> bytes:
    """DES keys have an odd number of ones in each octet."""
    return bytes(octet & 0xFE | (octet & 0xFE).bit_count() + 1 & 1 for octet in key)
