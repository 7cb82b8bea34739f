"""Time requests of domain members, their replies, and the protocol by which a time server has them signed.

Spec: RFC 5905 7.3; [MS-SNTP] 2.2; Samba's ntp_signd.idl as chrony and ntpd speak it.
"""

import struct
from enum import IntEnum
from typing import Final, NamedTuple

from addc.base.errors import DecodeError

HEADER_SIZE: Final = 48
_SIGNED_SIZE: Final = 68
_EXTENDED_SIZE: Final = 120
_CLIENT_MODES: Final = {1: 2, 3: 4}  # symmetric active is answered as symmetric passive
_FIRST_VERSION: Final = 1
_LAST_VERSION: Final = 4
_HEADER: Final = struct.Struct(">BBbbII4s8s8s8s8s")
_EXTENSION: Final = struct.Struct("<IBBBB")
_OLD_KEY: Final = 1
_SELECTOR: Final = 0x8000_0000
_NTLM_PWD_HASH: Final = 1
_EPOCH_S: Final = 2_208_988_800
_PRECISION: Final = -20
_STRATUM: Final = 10  # what chrony says of a clock it has from nobody
_ROOT_DISPERSION: Final = 1 << 12
_REFERENCE: Final = bytes((127, 127, 1, 1))


class KeyWish(NamedTuple):
    """Whose key is to sign. extended: by HMAC-SHA512, not by MD5."""

    rid: int
    is_old: bool
    is_extended: bool
    raw: bytes


class TimeRequest(NamedTuple):
    """A request that is to be answered. key: None where no signature is wanted."""

    version: int
    mode: int
    poll: int
    transmitted: bytes
    key: KeyWish | None


def key_wish(identifier: bytes) -> KeyWish:
    """The Key Identifier of an Authenticator: 31 bits of a RID and the key selector. Spec: 2.2.1."""
    number = int.from_bytes(identifier, "little")
    return KeyWish(number & ~_SELECTOR, bool(number & _SELECTOR), False, identifier)


def read_request(data: bytes) -> TimeRequest:
    """Raises DecodeError for what is no request of a client, which is passed over. Spec: 3.2.5.1."""
    if len(data) not in (HEADER_SIZE, _SIGNED_SIZE, _EXTENDED_SIZE):
        raise DecodeError(f"a time request of {len(data)} bytes")
    version, mode = data[0] >> 3 & 7, data[0] & 7
    if mode not in _CLIENT_MODES or not _FIRST_VERSION <= version <= _LAST_VERSION:
        raise DecodeError(f"no time request: version {version}, mode {mode}")
    key = None
    if len(data) == _SIGNED_SIZE:
        key = key_wish(data[HEADER_SIZE : HEADER_SIZE + 4])
    elif len(data) == _EXTENDED_SIZE:
        rid, _, flags, hints, _ = _EXTENSION.unpack_from(data, HEADER_SIZE)
        if not hints & _NTLM_PWD_HASH:
            raise DecodeError("a time request that wants no known signature")
        key = KeyWish(rid, bool(flags & _OLD_KEY), True, data[HEADER_SIZE : HEADER_SIZE + 4])
    return TimeRequest(version, mode, data[2], data[40:48], key)


def ntp_time(unix_ns: int) -> bytes:
    """64-bit NTP time of a Unix time."""
    seconds, rest = divmod(unix_ns, 1_000_000_000)
    return struct.pack(">II", (seconds + _EPOCH_S) & 0xFFFF_FFFF, (rest << 32) // 1_000_000_000)


def header(request: TimeRequest, received_ns: int, sent_ns: int) -> bytes:
    """The 48 bytes of the reply, from this machine's clock."""
    poll = request.poll - 256 if request.poll > 127 else request.poll
    received = ntp_time(received_ns)
    return _HEADER.pack(
        request.version << 3 | _CLIENT_MODES[request.mode],
        _STRATUM,
        poll,
        _PRECISION,
        0,
        _ROOT_DISPERSION,
        _REFERENCE,
        received,
        request.transmitted,
        received,
        ntp_time(sent_ns),
    )


def signed(message: bytes, key: KeyWish, checksum: bytes) -> bytes:
    """A reply and its signature. Spec: 2.2.2, 2.2.4."""
    if not key.is_extended:
        return message + key.raw + checksum
    flags = _OLD_KEY if key.is_old else 0
    return message + key.raw + bytes((0, flags, _NTLM_PWD_HASH, _NTLM_PWD_HASH)) + checksum


# --- ntp_signd ---------------------------------------------------------------------------------------------


class SigndOp(IntEnum):
    """What a message of the signing socket is."""

    SIGN_TO_CLIENT = 0
    ASK_SERVER_TO_SIGN = 1
    CHECK_SERVER_SIGNATURE = 2
    SIGNING_SUCCESS = 3
    SIGNING_FAILURE = 4


class SigndRequest(NamedTuple):
    """A time server's wish: sign message by the key; its reply bears packet_id."""

    packet_id: int
    key: KeyWish
    message: bytes


_SIGND_REQUEST: Final = struct.Struct(">IIHH4s")
_SIGND_REPLY: Final = struct.Struct(">III")
SIGND_MAX: Final = 1024


def read_signd(data: bytes) -> SigndRequest:
    """A message without its length. Raises DecodeError."""
    if len(data) != _SIGND_REQUEST.size + HEADER_SIZE:
        raise DecodeError(f"a signing request of {len(data)} bytes")
    version, op, packet_id, _, identifier = _SIGND_REQUEST.unpack_from(data)
    if version != 0 or op != SigndOp.SIGN_TO_CLIENT:
        raise DecodeError(f"a signing request of version {version} and kind {op}")
    return SigndRequest(packet_id, key_wish(identifier), data[_SIGND_REQUEST.size :])


def write_signd(packet_id: int, packet: bytes | None) -> bytes:
    """The reply with its length; None: nothing was signed."""
    op = SigndOp.SIGNING_FAILURE if packet is None else SigndOp.SIGNING_SUCCESS
    body = _SIGND_REPLY.pack(0, op, packet_id) + (packet or b"")
    return len(body).to_bytes(4, "big") + body
