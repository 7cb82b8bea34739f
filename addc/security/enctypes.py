"""Which encryption types an account may be used with: the bits of msDS-SupportedEncryptionTypes.

Spec: [MS-KILE] 2.2.7.
"""

from enum import IntFlag
from typing import Final

from addc.security.krb_keys import Etype


class SupportedEncryption(IntFlag):
    """Bits of msDS-SupportedEncryptionTypes and PA-SUPPORTED-ENCTYPES.

    The two SHA-2 bits are those that Windows Server 2025 and Samba use.
    Spec: [MS-KILE] 2.2.7.
    """

    DES_CBC_CRC = 0x1
    DES_CBC_MD5 = 0x2
    RC4_HMAC = 0x4
    AES128_SHA1 = 0x8
    AES256_SHA1 = 0x10
    AES256_SHA1_SK = 0x20
    AES128_SHA2 = 0x40
    AES256_SHA2 = 0x80
    FAST = 0x1_0000
    COMPOUND_IDENTITY = 0x2_0000
    CLAIMS = 0x4_0000
    RESOURCE_SID_COMPRESSION_DISABLED = 0x8_0000


DES: Final = int(SupportedEncryption.DES_CBC_CRC | SupportedEncryption.DES_CBC_MD5)
RC4: Final = int(SupportedEncryption.RC4_HMAC)
AES_SHA1: Final = int(SupportedEncryption.AES128_SHA1 | SupportedEncryption.AES256_SHA1)
AES_SHA2: Final = int(SupportedEncryption.AES128_SHA2 | SupportedEncryption.AES256_SHA2)
CIPHERS: Final = RC4 | AES_SHA1 | AES_SHA2
_BITS: Final = tuple(
    (int(etype), int(bit))
    for etype, bit in (
        (Etype.AES256_CTS_HMAC_SHA1_96, SupportedEncryption.AES256_SHA1),
        (Etype.AES128_CTS_HMAC_SHA1_96, SupportedEncryption.AES128_SHA1),
        (Etype.AES256_CTS_HMAC_SHA384_192, SupportedEncryption.AES256_SHA2),
        (Etype.AES128_CTS_HMAC_SHA256_128, SupportedEncryption.AES128_SHA2),
        (Etype.RC4_HMAC, SupportedEncryption.RC4_HMAC),
    )
)


def etypes_of(bits: int) -> tuple[int, ...]:
    """The encryption types that these bits name, in the order in which tickets use them."""
    return tuple([etype for etype, bit in _BITS if bits & bit])
