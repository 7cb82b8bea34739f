"""Which dialect and algorithms a connection speaks: the negotiate exchange as a decision.

Spec: [MS-SMB2] 2.2.3, 2.2.4, 3.3.5.3, 3.3.5.4.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar, Final
from uuid import UUID

from addc.base.errors import DecodeError, NtError
from addc.codec.packed import U16, U32, Bytes, Counted, Octets, Packed, Pad, Rest, packed
from addc.codes.ntstatus import NtStatus
from addc.smb import messages as m
from addc.smb.messages import Dialect
from addc.smb.signing import Cipher, SigningAlgorithm

SIZE_MAX_SMALL: Final = 65_536
"""Of one payload where credits do not count in multiples."""
SIZE_MAX: Final = 8_388_608
_CONTEXTS_MAX: Final = 64
SALT_SIZE: Final = 32
_SHA512: Final = 1
_SMB1_HEADER: Final = 32
_SMB1_NEGOTIATE: Final = 0x72
_PREAUTH: Final = 1
_ENCRYPTION: Final = 2
_COMPRESSION: Final = 3
_RDMA: Final = 7
_SIGNING: Final = 8
_ONCE: Final = (_PREAUTH, _ENCRYPTION, _COMPRESSION, _RDMA, _SIGNING)

DIALECTS: Final = (
    Dialect.SMB_2_0_2,
    Dialect.SMB_2_1,
    Dialect.SMB_3_0,
    Dialect.SMB_3_0_2,
    Dialect.SMB_3_1_1,
)
CIPHERS: Final = (Cipher.AES_128_GCM, Cipher.AES_128_CCM, Cipher.AES_256_GCM, Cipher.AES_256_CCM)


@packed
class Context(Packed):
    """SMB2_NEGOTIATE_CONTEXT, [MS-SMB2] 2.2.3.1."""

    context_type: Annotated[int, U16]
    data_length: Annotated[int, U16]
    reserved: ClassVar = Pad(4)


@packed
class PreauthCapabilities(Packed):
    """SMB2_PREAUTH_INTEGRITY_CAPABILITIES, [MS-SMB2] 2.2.3.1.1. rest: the salt."""

    hash_count: Annotated[int, U16]
    salt_length: Annotated[int, U16]
    rest: Annotated[bytes, Rest()]


@packed
class NumberedCapabilities(Packed):
    """SMB2_ENCRYPTION_CAPABILITIES, SMB2_SIGNING_CAPABILITIES, [MS-SMB2] 2.2.3.1.2, 2.2.3.1.7."""

    numbers: Annotated[tuple[int, ...], Counted(U16, U16)]


@packed
class ValidateNegotiateRequest(Packed):
    """VALIDATE_NEGOTIATE_INFO Request, [MS-SMB2] 2.2.31.4."""

    capabilities: Annotated[int, U32]
    guid: Annotated[bytes, Octets(16)]
    security_mode: Annotated[int, U16]
    dialects: Annotated[tuple[int, ...], Counted(U16, U16)]


@packed
class ValidateNegotiateResponse(Packed):
    """VALIDATE_NEGOTIATE_INFO Response, [MS-SMB2] 2.2.32.6."""

    capabilities: Annotated[int, U32]
    guid: Annotated[bytes, Octets(16)]
    security_mode: Annotated[int, U16]
    dialect: Annotated[int, U16]


@dataclass(frozen=True, slots=True)
class Offer:
    """What this server speaks. Ciphers and signing algorithms: best first.

    reject_plain: messages that are not encrypted are refused; then older dialects cannot be spoken.
    """

    server_guid: UUID
    dialect_min: Dialect = Dialect.SMB_2_0_2
    dialect_max: Dialect = Dialect.SMB_3_1_1
    signing_required: bool = True
    ciphers: tuple[Cipher, ...] = CIPHERS
    signing: tuple[SigningAlgorithm, ...] = (
        SigningAlgorithm.AES_GMAC,
        SigningAlgorithm.AES_CMAC,
        SigningAlgorithm.HMAC_SHA256,
    )
    size_max: int = SIZE_MAX

    @property
    def dialects(self) -> tuple[Dialect, ...]:
        return tuple(one for one in DIALECTS if self.dialect_min <= one <= self.dialect_max)

    @property
    def security_mode(self) -> int:
        return m.SIGNING_ENABLED | (m.SIGNING_REQUIRED if self.signing_required else 0)


@dataclass(frozen=True, slots=True)
class Agreed:
    """What one connection speaks. capabilities: ours, as told. client_*: as the client told.

    answered: contexts that the response to 3.1.1 holds.
    """

    dialect: Dialect
    capabilities: int
    max_size: int
    client_guid: UUID
    client_capabilities: int
    client_security_mode: int
    client_dialects: tuple[int, ...]
    cipher: Cipher = Cipher.NONE
    signing: SigningAlgorithm = SigningAlgorithm.HMAC_SHA256
    answered: tuple[int, ...] = ()

    @property
    def can_encrypt(self) -> bool:
        return self.cipher is not Cipher.NONE


def smb1_dialects(message: Bytes) -> tuple[str, ...] | None:
    """The dialects of an SMB_COM_NEGOTIATE; None where it is none. Spec: [MS-CIFS] 2.2.4.52.1."""
    if len(message) < _SMB1_HEADER + 3 or bytes(message[:4]) != m.PROTOCOL_ID_SMB1:
        return None
    if message[4] != _SMB1_NEGOTIATE:
        return None
    words = message[_SMB1_HEADER]
    start = _SMB1_HEADER + 1 + words * 2 + 2
    names = bytes(message[start:]).split(b"\0")
    return tuple(name[1:].decode("ascii", "replace") for name in names if name[:1] == b"\x02")


def multi_protocol(offer: Offer, dialects: Sequence[str]) -> Dialect | None:
    """The dialect that answers an SMB_COM_NEGOTIATE; None closes the connection. Spec: 3.3.5.3."""
    if "SMB 2.???" in dialects and offer.dialect_max > Dialect.SMB_2_0_2:
        return Dialect.WILDCARD
    if "SMB 2.002" in dialects and offer.dialect_min is Dialect.SMB_2_0_2:
        return Dialect.SMB_2_0_2
    return None


def _capabilities(dialect: Dialect, asked: int, encryption: bool) -> int:
    """Spec: [MS-SMB2] 3.3.5.4."""
    capabilities = m.CAP_DFS
    if dialect >= Dialect.SMB_2_1:
        capabilities |= m.CAP_LEASING | m.CAP_LARGE_MTU
    if Dialect.SMB_3_0 <= dialect <= Dialect.SMB_3_1_1:
        capabilities |= asked & (m.CAP_MULTI_CHANNEL | m.CAP_DIRECTORY_LEASING)
        if dialect < Dialect.SMB_3_1_1 and encryption:
            capabilities |= asked & m.CAP_ENCRYPTION
    return capabilities


def _size_max(offer: Offer, dialect: Dialect) -> int:
    return SIZE_MAX_SMALL if dialect is Dialect.SMB_2_0_2 else offer.size_max


def by_smb1(offer: Offer, dialect: Dialect) -> Agreed:
    """What holds after an SMB_COM_NEGOTIATE was answered with `dialect`, which may be the wildcard."""
    return Agreed(dialect, _capabilities(dialect, 0, False), _size_max(offer, dialect), UUID(int=0), 0, 0, ())


def choose(offer: Offer, request: m.NegotiateRequest, message: Bytes) -> Agreed:
    """Decide on a NEGOTIATE request. Raises NtError. Spec: [MS-SMB2] 3.3.5.4."""
    if not request.dialects:
        raise NtError(NtStatus.STATUS_INVALID_PARAMETER)
    common = [dialect for dialect in offer.dialects if dialect in request.dialects]
    if not common:
        raise NtError(NtStatus.STATUS_NOT_SUPPORTED)
    dialect = common[-1]
    cipher, signing = Cipher.NONE, SigningAlgorithm.HMAC_SHA256
    answered: tuple[int, ...] = ()
    if dialect is Dialect.SMB_3_1_1:
        cipher, signing, answered = _by_contexts(offer, request, message)
    elif dialect >= Dialect.SMB_3_0:
        signing = SigningAlgorithm.AES_CMAC
        if request.capabilities & m.CAP_ENCRYPTION and Cipher.AES_128_CCM in offer.ciphers:
            cipher = Cipher.AES_128_CCM
    return Agreed(
        dialect,
        _capabilities(dialect, request.capabilities, cipher is not Cipher.NONE),
        _size_max(offer, dialect),
        request.client_guid,
        request.capabilities,
        request.security_mode,
        request.dialects,
        cipher,
        signing,
        answered,
    )


def _contexts(request: m.NegotiateRequest, message: Bytes) -> dict[int, Bytes]:
    """The negotiate contexts of a request, by type. Raises NtError."""
    found: dict[int, Bytes] = {}
    at = request.context_offset
    if request.context_count > _CONTEXTS_MAX:
        raise NtError(NtStatus.STATUS_INVALID_PARAMETER)
    for _ in range(request.context_count):
        at += -at % 8
        try:
            head = Context.unpack(message, at)
        except DecodeError:
            raise NtError(NtStatus.STATUS_INVALID_PARAMETER) from None
        data = message[at + 8 : at + 8 + head.data_length]
        if len(data) != head.data_length or (head.context_type in found and head.context_type in _ONCE):
            raise NtError(NtStatus.STATUS_INVALID_PARAMETER)
        found[head.context_type] = data
        at += 8 + head.data_length
    return found


def _numbers(data: Bytes) -> tuple[int, ...]:
    """Raises NtError where there are none."""
    try:
        numbers = NumberedCapabilities.unpack(data).numbers
    except DecodeError:
        numbers = ()
    if not numbers:
        raise NtError(NtStatus.STATUS_INVALID_PARAMETER)
    return numbers


def _by_contexts(
    offer: Offer, request: m.NegotiateRequest, message: Bytes
) -> tuple[Cipher, SigningAlgorithm, tuple[int, ...]]:
    found = _contexts(request, message)
    if _PREAUTH not in found:
        raise NtError(NtStatus.STATUS_INVALID_PARAMETER)
    _check_preauth(found[_PREAUTH])
    cipher, signing = Cipher.NONE, SigningAlgorithm.AES_CMAC
    answered = [_PREAUTH]
    if _ENCRYPTION in found and offer.ciphers:
        asked = _numbers(found[_ENCRYPTION])
        cipher = next((one for one in offer.ciphers if one in asked), Cipher.NONE)
        answered.append(_ENCRYPTION)
    if _SIGNING in found:
        asked = _numbers(found[_SIGNING])
        signing = next((one for one in offer.signing if one in asked), SigningAlgorithm.AES_CMAC)
        answered.append(_SIGNING)
    return cipher, signing, tuple(answered)


def _check_preauth(data: Bytes) -> None:
    try:
        preauth = PreauthCapabilities.unpack(data)
    except DecodeError:
        raise NtError(NtStatus.STATUS_INVALID_PARAMETER) from None
    count = preauth.hash_count
    if not count or len(preauth.rest) < count * 2 + preauth.salt_length:
        raise NtError(NtStatus.STATUS_INVALID_PARAMETER)
    if _SHA512 not in struct.unpack_from(f"<{count}H", preauth.rest):
        raise NtError(NtStatus.STATUS_SMB_NO_PREAUTH_INTEGRITY_HASH_OVERLAP)


def response(offer: Offer, agreed: Agreed, hint: bytes, now: int, salt: bytes) -> bytes:
    """The body of the NEGOTIATE response. hint: the security buffer. salt: 32 random octets."""
    made = m.NegotiateResponse(
        offer.security_mode,
        agreed.dialect,
        len(agreed.answered),
        offer.server_guid,
        agreed.capabilities,
        agreed.max_size,
        agreed.max_size,
        agreed.max_size,
        now,
        0,
        hint,
    )
    if not agreed.answered:
        return made.pack(m.HEADER_SIZE)
    contexts: list[bytes] = []
    for kind in agreed.answered:
        if kind == _PREAUTH:
            data = struct.pack("<HHH", 1, len(salt), _SHA512) + salt
        else:
            data = struct.pack("<HH", 1, agreed.cipher if kind == _ENCRYPTION else agreed.signing)
        contexts.append(struct.pack("<HHI", kind, len(data), 0) + data)
    plain = made.pack(m.HEADER_SIZE)
    at = m.HEADER_SIZE + len(plain)
    at += -at % 8
    out = bytearray(plain)
    struct.pack_into("<I", out, m.NegotiateResponse.fixed_size() - 4, at)
    for context in contexts:
        out += bytes(-(len(out) + m.HEADER_SIZE) % 8)
        out += context
    return bytes(out)


def validated(offer: Offer, agreed: Agreed, data: Bytes) -> ValidateNegotiateResponse | None:
    """The answer to FSCTL_VALIDATE_NEGOTIATE_INFO; None where somebody changed the negotiation.

    Spec: [MS-SMB2] 3.3.5.15.12.
    """
    try:
        said = ValidateNegotiateRequest.unpack(data)
    except DecodeError:
        return None
    common = [dialect for dialect in offer.dialects if dialect in said.dialects]
    if (
        not common
        or common[-1] is not agreed.dialect
        or said.guid != agreed.client_guid.bytes_le
        or said.security_mode != agreed.client_security_mode
        or said.capabilities != agreed.client_capabilities
    ):
        return None
    return ValidateNegotiateResponse(
        agreed.capabilities, offer.server_guid.bytes_le, offer.security_mode, agreed.dialect
    )
