"""NTLM messages: what is negotiated, the challenge, the response with its attribute-value pairs.

Texts are UTF-16LE; a client that cannot speak Unicode is not understood. Fields that point into the payload
are followed once each and never past the end.

Spec: [MS-NLMP] 2.2.
"""

import struct
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from enum import IntFlag
from typing import Final, NamedTuple

from addc.base.enums import OpenIntEnum
from addc.base.errors import DecodeError
from addc.codec.cursor import Reader

SIGNATURE: Final = b"NTLMSSP\0"
MESSAGE_MAX: Final = 65_535
_HEAD: Final = 12
_MIC_AT: Final = 72
_MIC_SIZE: Final = 16
_PROOF_SIZE: Final = 16
_CLIENT_CHALLENGE_MIN: Final = 28
_PAIRS_MAX: Final = 64
_FIELDS: Final = struct.Struct("<HHI")


class NegotiateFlags(IntFlag):
    """NEGOTIATE, [MS-NLMP] 2.2.2.5."""

    UNICODE = 0x0000_0001
    OEM = 0x0000_0002
    REQUEST_TARGET = 0x0000_0004
    SIGN = 0x0000_0010
    SEAL = 0x0000_0020
    DATAGRAM = 0x0000_0040
    LM_KEY = 0x0000_0080
    NTLM = 0x0000_0200
    ANONYMOUS = 0x0000_0800
    OEM_DOMAIN_SUPPLIED = 0x0000_1000
    OEM_WORKSTATION_SUPPLIED = 0x0000_2000
    ALWAYS_SIGN = 0x0000_8000
    TARGET_TYPE_DOMAIN = 0x0001_0000
    EXTENDED_SESSIONSECURITY = 0x0008_0000
    IDENTIFY = 0x0010_0000
    TARGET_INFO = 0x0080_0000
    VERSION = 0x0200_0000
    N128 = 0x2000_0000
    KEY_EXCH = 0x4000_0000
    N56 = 0x8000_0000


class AvId(OpenIntEnum):
    """AvId, [MS-NLMP] 2.2.2.1."""

    EOL = 0
    NB_COMPUTER_NAME = 1
    NB_DOMAIN_NAME = 2
    DNS_COMPUTER_NAME = 3
    DNS_DOMAIN_NAME = 4
    DNS_TREE_NAME = 5
    FLAGS = 6
    TIMESTAMP = 7
    SINGLE_HOST = 8
    TARGET_NAME = 9
    CHANNEL_BINDINGS = 10


NO_BINDINGS: Final = bytes(16)
AV_MIC_PRESENT: Final = 0x2


def message_type(message: bytes) -> int:
    """1 negotiate, 2 challenge, 3 authenticate; DecodeError for what is no NTLM message."""
    if len(message) < _HEAD or message[:8] != SIGNATURE or len(message) > MESSAGE_MAX:
        raise DecodeError("not an NTLM message", 0, "ntlm")
    return int.from_bytes(message[8:12], "little")


def _open(message: bytes, kind: int) -> Reader:
    if message_type(message) != kind:
        raise DecodeError(f"an NTLM message of another type than {kind}", 8, "ntlm.type")
    return Reader(message, _HEAD)


def _payload(reader: Reader, path: str) -> bytes:
    """The bytes that the next eight point at."""
    size, _, offset = _FIELDS.unpack(reader.take(_FIELDS.size, path))
    if not size:
        return b""
    if offset < _HEAD or offset + size > len(reader.data):
        raise DecodeError("points past the message", offset, path)
    return reader.data[offset : offset + size]


def _text(data: bytes, path: str) -> str:
    try:
        return data.decode("utf-16-le")
    except UnicodeDecodeError as error:
        raise DecodeError("not UTF-16", error.start, path) from None


def pack_pairs(pairs: Iterable[tuple[int, bytes]]) -> bytes:
    """AV_PAIRs with their end."""
    parts = [struct.pack("<HH", name, len(value)) + value for name, value in pairs]
    return b"".join((*parts, bytes(4)))


def unpack_pairs(data: bytes) -> dict[int, bytes]:
    """AV_PAIRs up to their end; of one that comes twice the first counts."""
    found = dict[int, bytes]()
    _unpack_pairs(data, found)
    return found


def _unpack_pairs(data: bytes, found: dict[int, bytes]) -> None:
    reader = Reader(data)
    for _ in range(_PAIRS_MAX):
        name, size = reader.u16("av.id"), reader.u16("av.len")
        if name == AvId.EOL:
            return
        found.setdefault(name, reader.take(size, "av.value"))
    raise DecodeError("too many pairs", reader.pos, "av")


@dataclass(frozen=True, slots=True)
class Negotiate:
    """NEGOTIATE_MESSAGE; the names that it may carry decide nothing. Spec: 2.2.1.1."""

    flags: int

    def pack(self) -> bytes:
        return SIGNATURE + struct.pack("<II", 1, self.flags) + bytes(16)

    @classmethod
    def unpack(cls, data: bytes) -> "Negotiate":
        return cls(_open(data, 1).u32("negotiate.flags"))


@dataclass(frozen=True, slots=True)
class Challenge:
    """CHALLENGE_MESSAGE. target_info: packed AV_PAIRs. version: 8 bytes. Spec: 2.2.1.2."""

    flags: int
    target_name: str
    server_challenge: bytes
    target_info: bytes
    version: bytes = bytes(8)

    def pack(self) -> bytes:
        name = self.target_name.encode("utf-16-le")
        start = 56
        fields = _FIELDS.pack(len(name), len(name), start)
        info = _FIELDS.pack(len(self.target_info), len(self.target_info), start + len(name))
        head = SIGNATURE + struct.pack("<I", 2) + fields + struct.pack("<I", self.flags)
        return head + self.server_challenge + bytes(8) + info + self.version + name + self.target_info

    @classmethod
    def unpack(cls, data: bytes) -> "Challenge":
        reader = _open(data, 2)
        name = _text(_payload(reader, "challenge.target_name"), "challenge.target_name")
        flags = reader.u32("challenge.flags")
        nonce = reader.take(8, "challenge.server_challenge")
        reader.skip(8, "challenge.reserved")
        info = _payload(reader, "challenge.target_info")
        version = reader.take(8, "challenge.version") if reader.remaining() >= 8 else bytes(8)
        return cls(flags, name, nonce, info, version)


@dataclass(frozen=True, slots=True)
class Authenticate:
    """AUTHENTICATE_MESSAGE. mic: 16 bytes, b"" where there is no room for one. Spec: 2.2.1.3."""

    lm_response: bytes
    nt_response: bytes
    domain: str
    user: str
    workstation: str
    session_key: bytes
    flags: int
    mic: bytes = b""

    def pack(self) -> bytes:
        texts = [one.encode("utf-16-le") for one in (self.domain, self.user, self.workstation)]
        blobs = [self.lm_response, self.nt_response, *texts, self.session_key]
        at = _MIC_AT + (_MIC_SIZE if self.mic else 0)
        fields = []
        for blob in blobs:
            fields.append(_FIELDS.pack(len(blob), len(blob), at))
            at += len(blob)
        head = SIGNATURE + struct.pack("<I", 3) + b"".join(fields)
        return head + struct.pack("<I", self.flags) + bytes(8) + self.mic + b"".join(blobs)

    @classmethod
    def unpack(cls, data: bytes) -> "Authenticate":
        reader = _open(data, 3)
        lm, nt = _payload(reader, "authenticate.lm_response"), _payload(reader, "authenticate.nt_response")
        domain, user, workstation = (
            _text(_payload(reader, path), path)
            for path in ("authenticate.domain", "authenticate.user", "authenticate.workstation")
        )
        key, flags = _payload(reader, "authenticate.session_key"), reader.u32("authenticate.flags")
        mic = data[_MIC_AT : _MIC_AT + _MIC_SIZE] if _first_payload(data) >= _MIC_AT + _MIC_SIZE else b""
        return cls(lm, nt, domain, user, workstation, key, flags, mic)


def _first_payload(data: bytes) -> int:
    """Where the payload of an AUTHENTICATE_MESSAGE begins."""
    found = [_FIELDS.unpack_from(data, at) for at in range(_HEAD, _HEAD + 6 * _FIELDS.size, _FIELDS.size)]
    return min((offset for size, _, offset in found if size), default=len(data))


def without_mic(data: bytes) -> bytes:
    """An AUTHENTICATE_MESSAGE with zeros for its MIC, over which that is taken. Spec: 3.2.5.1.2."""
    return with_mic(data, bytes(_MIC_SIZE))


def with_mic(data: bytes, mic: bytes) -> bytes:
    """An AUTHENTICATE_MESSAGE that has room for a MIC, with it."""
    return data[:_MIC_AT] + mic + data[_MIC_AT + _MIC_SIZE :]


class NtlmV2Response(NamedTuple):
    """NTLMv2_RESPONSE. blob: NTLMv2_CLIENT_CHALLENGE as it came. pairs: AV_PAIRs. Spec: 2.2.2.7, 2.2.2.8."""

    proof: bytes
    blob: bytes
    time_ft: int
    client_challenge: bytes
    pairs: dict[int, bytes]

    @property
    def has_mic(self) -> bool:
        """Whether the client says that its messages are protected by a MIC."""
        return bool(int.from_bytes(self.pairs.get(AvId.FLAGS, b"")[:4], "little") & AV_MIC_PRESENT)

    @property
    def bindings(self) -> bytes:
        """MD5 of the TLS channel that the client means; zeros for none."""
        return self.pairs.get(AvId.CHANNEL_BINDINGS, NO_BINDINGS)


def unpack_v2_response(data: bytes) -> NtlmV2Response:
    """An NT response of version 2; DecodeError for any other."""
    return _v2_response(data, unpack_pairs(data[_PROOF_SIZE + _CLIENT_CHALLENGE_MIN :]))


def unpack_passed_response(data: bytes) -> NtlmV2Response:
    """A response of version 2 to somebody else's challenge: broken pairs count up to where they break.

    NetApp's filers send such ones (Samba bug 14932); what holds of them is still looked at.
    """
    pairs = dict[int, bytes]()
    with suppress(DecodeError):
        _unpack_pairs(data[_PROOF_SIZE + _CLIENT_CHALLENGE_MIN :], pairs)
    return _v2_response(data, pairs)


def _v2_response(data: bytes, pairs: dict[int, bytes]) -> NtlmV2Response:
    blob = data[_PROOF_SIZE:]
    if len(blob) < _CLIENT_CHALLENGE_MIN or blob[:2] != b"\x01\x01":
        raise DecodeError("not an NTLMv2 response", _PROOF_SIZE, "ntlmv2")
    time_ft = int.from_bytes(blob[8:16], "little")
    return NtlmV2Response(data[:_PROOF_SIZE], blob, time_ft, blob[16:24], pairs)
