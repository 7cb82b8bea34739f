"""Kerberos keys: from passwords, for encryption, checksums and derivation, per encryption type.

Spec: RFC 3961, RFC 3962, RFC 8009, RFC 4757, RFC 6113 5.1.
"""

import hmac
from enum import IntEnum
from typing import Final, NamedTuple

from addc.base.enums import OpenIntEnum
from addc.base.errors import DecodeError
from addc.base.secret import Secret
from addc.security.crypto import hashes
from addc.security.crypto.ciphers import AesBlock, AesCts, insecure_rc4
from addc.security.crypto.kdf import derive_random, kdf_hmac_sha2, pbkdf2


class Etype(OpenIntEnum):
    """Encryption types, RFC 3961 8 and its registry."""

    DES_CBC_CRC = 1
    DES_CBC_MD5 = 3
    DES3_CBC_SHA1 = 16
    AES128_CTS_HMAC_SHA1_96 = 17
    AES256_CTS_HMAC_SHA1_96 = 18
    AES128_CTS_HMAC_SHA256_128 = 19
    AES256_CTS_HMAC_SHA384_192 = 20
    RC4_HMAC = 23
    RC4_HMAC_EXP = 24


class Cksumtype(OpenIntEnum):
    """Checksum types, RFC 3961 8 and [MS-KILE] 3.1.5.3."""

    CRC32 = 1
    RSA_MD5 = 7
    HMAC_SHA1_96_AES128 = 15
    HMAC_SHA1_96_AES256 = 16
    HMAC_SHA256_128_AES128 = 19
    HMAC_SHA384_192_AES256 = 20
    HMAC_MD5 = -138
    GSS_8003 = 0x8003


class KeyUsage(IntEnum):
    """Key usage numbers: RFC 4120 7.5.1, RFC 4121 2, RFC 6113 5, [MS-SFU] 2.2, [MS-KILE] 3.1.5.9."""

    AS_REQ_PA_ENC_TIMESTAMP = 1
    TICKET = 2
    AS_REP_ENC_PART = 3
    TGS_REQ_AUTH_DATA_SESSION = 4
    TGS_REQ_AUTH_DATA_SUBKEY = 5
    TGS_REQ_AUTHENTICATOR_CKSUM = 6
    TGS_REQ_AUTHENTICATOR = 7
    TGS_REP_ENC_PART_SESSION = 8
    TGS_REP_ENC_PART_SUBKEY = 9
    AP_REQ_AUTHENTICATOR_CKSUM = 10
    AP_REQ_AUTHENTICATOR = 11
    AP_REP_ENC_PART = 12
    KRB_PRIV = 13
    KRB_CRED = 14
    KRB_SAFE_CKSUM = 15
    OTHER_ENCRYPTED = 16
    OTHER_CKSUM = 17
    KERB_NON_KERB_SALT = 16
    KERB_NON_KERB_CKSUM_SALT = 17
    AD_KDC_ISSUED_CKSUM = 19
    GSS_ACCEPTOR_SEAL = 22
    GSS_ACCEPTOR_SIGN = 23
    GSS_INITIATOR_SEAL = 24
    GSS_INITIATOR_SIGN = 25
    PA_S4U_X509_USER_REQUEST = 26
    PA_S4U_X509_USER_REPLY = 27
    PA_PKINIT_KX = 44
    FAST_REQ_CHKSUM = 50
    FAST_ENC = 51
    FAST_REP = 52
    FAST_FINISHED = 53
    ENC_CHALLENGE_CLIENT = 54
    ENC_CHALLENGE_KDC = 55
    AS_REQ = 56
    AS_FRESHNESS = 60


class EtypeInfo(NamedTuple):
    """What is fixed per encryption type; sizes in bytes.

    seed_size: input of random-to-key. iterations: PBKDF2 rounds where s2kparams is absent.
    """

    etype: Etype
    name: bytes
    key_size: int
    seed_size: int
    confounder_size: int
    mac_size: int
    prf_size: int
    cksumtype: Cksumtype
    iterations: int
    insecure: bool

    @property
    def overhead(self) -> int:
        """Bytes by which a cipher text exceeds its plain text."""
        return self.confounder_size + self.mac_size


ETYPES: Final[dict[int, EtypeInfo]] = {
    info.etype: info
    for info in (
        EtypeInfo(Etype.AES128_CTS_HMAC_SHA1_96, b"aes128-cts-hmac-sha1-96", 16, 16, 16, 12, 16,
                  Cksumtype.HMAC_SHA1_96_AES128, 4096, False),
        EtypeInfo(Etype.AES256_CTS_HMAC_SHA1_96, b"aes256-cts-hmac-sha1-96", 32, 32, 16, 12, 16,
                  Cksumtype.HMAC_SHA1_96_AES256, 4096, False),
        EtypeInfo(Etype.AES128_CTS_HMAC_SHA256_128, b"aes128-cts-hmac-sha256-128", 16, 16, 16, 16, 32,
                  Cksumtype.HMAC_SHA256_128_AES128, 32768, False),
        EtypeInfo(Etype.AES256_CTS_HMAC_SHA384_192, b"aes256-cts-hmac-sha384-192", 32, 32, 16, 24, 48,
                  Cksumtype.HMAC_SHA384_192_AES256, 32768, False),
        EtypeInfo(Etype.RC4_HMAC, b"rc4-hmac", 16, 16, 8, 16, 20, Cksumtype.HMAC_MD5, 0, True),
    )
}  # fmt: skip
"""The encryption types that work here."""

_AES_SHA1: Final = frozenset((17, 18))
_AES_SHA2: Final = frozenset((19, 20))
_ALGORITHM: Final = {17: "sha1", 18: "sha1", 19: "sha256", 20: "sha384"}
_CKSUM_ETYPE: Final = {15: 17, 16: 18, 19: 19, 20: 20}
_ZERO_IV: Final = bytes(16)
_SUBKEYS_MAX: Final = 64
ITERATIONS_MAX: Final = 1 << 20
"""Rounds above this in s2kparams are refused; they come from outside."""


def etype_info(etype: int) -> EtypeInfo:
    """Facts of an encryption type; raises DecodeError for one that does not work here."""
    info = ETYPES.get(etype)
    if info is None:
        raise DecodeError(f"encryption type {int(etype)} is not supported", -1, "etype")
    return info


class _Subkeys(NamedTuple):
    """What one usage of an AES key needs; the checksum key is made when first asked for."""

    cipher: AesCts
    integrity: bytes


class Key:
    """A protocol key; derived keys are kept with it. Keep the object as long as the key is in use."""

    __slots__ = ("_block", "_checksum_keys", "_prf_block", "_subkeys", "etype", "value")

    def __init__(self, etype: int, value: bytes) -> None:
        """Raises DecodeError for an unsupported etype or a wrong size."""
        info = etype_info(etype)
        if len(value) != info.key_size:
            raise DecodeError(f"a key of etype {int(etype)} has {info.key_size} bytes", 0, "keyvalue")
        self.etype = info.etype
        self.value = bytes(value)
        self._block: AesBlock | None = None
        self._prf_block: AesBlock | None = None
        self._subkeys: dict[int, _Subkeys] = {}
        self._checksum_keys: dict[int, bytes] = {}

    def __repr__(self) -> str:
        return f"Key({self.etype.name}, {len(self.value)} bytes)"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Key):
            return NotImplemented
        return self.etype == other.etype and hmac.compare_digest(self.value, other.value)

    def __hash__(self) -> int:
        raise TypeError("a Key is not hashable")

    @property
    def info(self) -> EtypeInfo:
        return ETYPES[self.etype]

    def block_cipher(self) -> AesBlock:
        """The bare cipher under this key, for derivation."""
        if self._block is None:
            self._block = AesBlock(self.value)
        return self._block

    def prf_cipher(self) -> AesBlock:
        """The cipher of the pseudo-random function (RFC 3962 6)."""
        if self._prf_block is None:
            self._prf_block = AesBlock(derive_random(self.block_cipher(), b"prf", len(self.value)))
        return self._prf_block

    def subkeys(self, usage: int) -> _Subkeys:
        """Ke and Ki for `usage`."""
        found = self._subkeys.get(usage)
        if found is None:
            found = _Subkeys(AesCts(_derive(self, usage, 0xAA)), _derive(self, usage, 0x55))
            if len(self._subkeys) >= _SUBKEYS_MAX:
                self._subkeys.clear()
            self._subkeys[int(usage)] = found
        return found

    def checksum_key(self, usage: int) -> bytes:
        """Kc for `usage`."""
        found = self._checksum_keys.get(usage)
        if found is None:
            found = _derive(self, usage, 0x99)
            if len(self._checksum_keys) >= _SUBKEYS_MAX:
                self._checksum_keys.clear()
            self._checksum_keys[int(usage)] = found
        return found


def _derive(key: Key, usage: int, what: int) -> bytes:
    """Ke (0xAA), Ki (0x55) or Kc (0x99): RFC 3961 5.3, RFC 8009 5."""
    constant = int(usage).to_bytes(4, "big") + bytes((what,))
    etype = key.etype
    if etype in _AES_SHA1:
        return derive_random(key.block_cipher(), constant, len(key.value))
    size = 16 if etype == Etype.AES128_CTS_HMAC_SHA256_128 else 32 if what == 0xAA else 24
    return kdf_hmac_sha2(_ALGORITHM[etype], key.value, constant, size)


def _rc4_usage(usage: int) -> bytes:
    """The four bytes T of RFC 4757 3; by its errata, 9 stays 9."""
    if usage == 3:
        usage = 8
    elif usage == 23:
        usage = 13
    return int(usage).to_bytes(4, "little")


def encrypt(key: Key, usage: int, plain: bytes, confounder: bytes) -> bytes:
    """Cipher text with its integrity tag, as EncryptedData.cipher carries it.

    confounder: fresh random bytes, `key.info.confounder_size` of them.
    Spec: RFC 3961 5.3, RFC 8009 5, RFC 4757 5.
    """
    etype = key.etype
    if etype == 23:
        assert len(confounder) == 8
        usage_key = hmac.digest(key.value, _rc4_usage(usage), "md5")
        tag = hmac.digest(usage_key, confounder + plain, "md5")
        return tag + insecure_rc4(hmac.digest(usage_key, tag, "md5"), confounder + plain)
    assert len(confounder) == 16
    cipher, integrity = key.subkeys(usage)
    whole = confounder + plain
    data = cipher.encrypt(whole)
    if etype in _AES_SHA1:
        return data + hmac.digest(integrity, whole, "sha1")[:12]
    size = 16 if etype == 19 else 24
    return data + hmac.digest(integrity, _ZERO_IV + data, _ALGORITHM[etype])[:size]


def decrypt(key: Key, usage: int, data: bytes) -> bytes:
    """Plain text; raises DecodeError if the tag does not match.

    Spec: RFC 3961 5.3, RFC 8009 5, RFC 4757 5.
    """
    etype = key.etype
    info = ETYPES[etype]
    if len(data) < info.overhead:
        raise DecodeError("too short for its encryption type", len(data), "cipher")
    if etype == 23:
        usage_key = hmac.digest(key.value, _rc4_usage(usage), "md5")
        tag = data[:16]
        whole = insecure_rc4(hmac.digest(usage_key, tag, "md5"), data[16:])
        good = hmac.compare_digest(tag, hmac.digest(usage_key, whole, "md5"))
        if not good:
            raise DecodeError("integrity check failed", 0, "cipher")
        return whole[8:]
    cipher, integrity = key.subkeys(usage)
    size = info.mac_size
    body, tag = data[:-size], data[-size:]
    if etype in _AES_SHA1:
        whole = cipher.decrypt(body)
        good = hmac.compare_digest(tag, hmac.digest(integrity, whole, "sha1")[:12])
    else:
        expected = hmac.digest(integrity, _ZERO_IV + body, _ALGORITHM[etype])[:size]
        good = hmac.compare_digest(tag, expected)
        whole = cipher.decrypt(body) if good else b""
    if not good:
        raise DecodeError("integrity check failed", 0, "cipher")
    return whole[16:]


def is_keyed(cksumtype: int) -> bool:
    """Whether a checksum of this type proves knowledge of a key."""
    return cksumtype in _CKSUM_ETYPE or cksumtype == Cksumtype.HMAC_MD5


def checksum(key: Key, usage: int, data: bytes, cksumtype: int | None = None) -> bytes:
    """The checksum of `data`.

    cksumtype: None for the mandatory one of the key's etype. HMAC_MD5 takes any key ([MS-KILE] 3.1.5.3);
    RSA_MD5 ignores it.
    Raises DecodeError for a type that is not supported or does not go with the key.
    Spec: RFC 3961 5.4, RFC 8009 6, RFC 4757 4.
    """
    kind = ETYPES[key.etype].cksumtype if cksumtype is None else cksumtype
    if kind == -138:
        signing = hmac.digest(key.value, b"signaturekey\0", "md5")
        return hmac.digest(signing, hashes.insecure_md5(_rc4_usage(usage) + data), "md5")
    if kind == 7:
        return hashes.insecure_md5(data)
    etype = _CKSUM_ETYPE.get(kind)
    if etype is None or etype != key.etype:
        raise DecodeError(f"checksum type {int(kind)} does not go with this key", -1, "cksumtype")
    return hmac.digest(key.checksum_key(usage), data, _ALGORITHM[etype])[: ETYPES[etype].mac_size]


def verify_checksum(key: Key, usage: int, data: bytes, cksumtype: int, value: bytes) -> bool:
    """Whether `value` is the checksum of `data`; constant time.

    Raises DecodeError as `checksum` does.
    """
    return hmac.compare_digest(value, checksum(key, usage, data, cksumtype))


Password = Secret | str
"""Text, or the UTF-16LE bytes that unicodePwd holds."""


def password_utf16(password: Password) -> bytes:
    """UTF-16LE bytes; unpaired surrogates stay as they are."""
    if isinstance(password, Secret):
        return password.reveal()
    return password.encode("utf-16-le", "surrogatepass")


def password_utf8(password: Password) -> bytes:
    """UTF-8 bytes; what is not valid UTF-16 becomes U+FFFD, as Windows does with machine passwords."""
    return password_utf16(password).decode("utf-16-le", "replace").encode("utf-8")


def nt_hash(password: Password) -> bytes:
    """NTOWFv1: the RC4 key of a password ([MS-NLMP] 3.3.1, RFC 4757 2)."""
    return hashes.insecure_md4(password_utf16(password))


NT_HASH_OF_EMPTY: Final = bytes.fromhex("31d6cfe0d16ae931b73c59d7e0c089c0")


def string_to_key(etype: int, password: Password, salt: bytes, iterations: int | None = None) -> Key:
    """The long-term key of a password; slow for AES, so never on the event loop.

    password: text, or a Secret of UTF-16LE bytes. salt: as ETYPE-INFO2 gives it; RC4 has none.
    iterations: from s2kparams, None for the etype's default.
    Raises DecodeError for an unsupported etype or an iteration count outside 1..ITERATIONS_MAX.
    Spec: RFC 3962 4, RFC 8009 4, RFC 4757 2.
    """
    info = etype_info(etype)
    if info.etype == Etype.RC4_HMAC:
        return Key(etype, nt_hash(password))
    rounds = info.iterations if iterations is None else iterations
    if not 1 <= rounds <= ITERATIONS_MAX:
        raise DecodeError("iteration count out of range", -1, "s2kparams")
    text, size = password_utf8(password), info.key_size
    algorithm = _ALGORITHM[info.etype]
    if info.etype in _AES_SHA1:
        seed = pbkdf2(algorithm, text, salt, rounds, size)
        return Key(etype, derive_random(AesBlock(seed), b"kerberos", size))
    seed = pbkdf2(algorithm, text, info.name + b"\0" + salt, rounds, size)
    return Key(etype, kdf_hmac_sha2(algorithm, seed, b"kerberos", size))


def aes_sha1_keys(password: Password, salt: bytes) -> tuple[Key, Key]:
    """Both AES-SHA1 keys of a password, the 256-bit one first, for the price of that one.

    The seeds of equal salt and iterations differ in length alone, and a shorter PBKDF2 is the start of a
    longer one. Spec: RFC 3962 4, RFC 8018 5.2.
    """
    big, small = Etype.AES256_CTS_HMAC_SHA1_96, Etype.AES128_CTS_HMAC_SHA1_96
    info = etype_info(big)
    seed = pbkdf2(_ALGORITHM[big], password_utf8(password), salt, info.iterations, info.key_size)
    assert etype_info(small).iterations == info.iterations
    return tuple(  # type: ignore[return-value]
        Key(etype, derive_random(AesBlock(seed[:size]), b"kerberos", size))
        for etype, size in ((big, 32), (small, 16))
    )


def random_to_key(etype: int, seed: bytes) -> Key:
    """A key of `seed_size` random bytes; for all supported types the seed is the key."""
    return Key(etype, seed)


def prf(key: Key, data: bytes) -> bytes:
    """pseudo-random of RFC 3961 3, per etype: RFC 3962 6, RFC 8009 5; HMAC-SHA1 for RC4, as all KDCs do."""
    etype = key.etype
    if etype in _AES_SHA1:
        return key.prf_cipher().chain(hashes.insecure_sha1(data)[:16], 1)
    if etype in _AES_SHA2:
        return kdf_hmac_sha2(_ALGORITHM[etype], key.value, b"prf", ETYPES[etype].prf_size, data)
    return hashes.hmac_sha1(key.value, data)


def prf_plus(key: Key, data: bytes, size: int) -> bytes:
    """PRF+ of RFC 6113 5.1: `size` bytes."""
    assert 0 < size <= 255 * 16
    out = b""
    counter = 0
    while len(out) < size:
        counter += 1
        out += prf(key, bytes((counter,)) + data)
    return out[:size]


def cf2(first: Key, second: Key, pepper1: bytes, pepper2: bytes) -> Key:
    """KRB-FX-CF2 of RFC 6113 5.1; the result has the etype of `first`."""
    size = first.info.seed_size
    left = int.from_bytes(prf_plus(first, pepper1, size), "big")
    right = int.from_bytes(prf_plus(second, pepper2, size), "big")
    return random_to_key(first.etype, (left ^ right).to_bytes(size, "big"))
