"""Data of the rarer record types: what a zone's signer, WINS, NAPTR and the keys of messages need.

Names are dotted text as in dns_rdata.py; numbers are as the RFCs name them.
Spec: RFC 4034, RFC 5155, RFC 6698, RFC 3403, RFC 1035 3.4.2, RFC 2930, RFC 8945, [MS-DNSP] 2.2.2.2.4
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from addc.base.errors import DecodeError

_TYPES_MAX: Final = 0xFFFF
_WINDOW_MAX: Final = 32


@dataclass(frozen=True, slots=True)
class WksData:
    """WKS: an IPv4 address, an IP protocol, a bit for each port that is served (RFC 1035 3.4.2)."""

    address: bytes
    protocol: int
    bitmap: bytes

    def ports(self) -> tuple[int, ...]:
        return _set_bits(self.bitmap)


@dataclass(frozen=True, slots=True)
class RrsigData:
    """RRSIG and SIG: times in seconds since 1970, modulo 2**32."""

    covered: int
    algorithm: int
    labels: int
    original_ttl_s: int
    expiration: int
    inception: int
    key_tag: int
    signer: str
    signature: bytes


@dataclass(frozen=True, slots=True)
class DnskeyData:
    """DNSKEY, CDNSKEY and KEY."""

    flags: int
    protocol: int
    algorithm: int
    key: bytes


@dataclass(frozen=True, slots=True)
class DsData:
    """DS, CDS and DLV."""

    key_tag: int
    algorithm: int
    digest_type: int
    digest: bytes


@dataclass(frozen=True, slots=True)
class NsecData:
    """NSEC; bitmap: as `pack_types` makes it."""

    next_name: str
    bitmap: bytes

    def types(self) -> tuple[int, ...]:
        return unpack_types(self.bitmap)


@dataclass(frozen=True, slots=True)
class NxtData:
    """NXT, the NSEC of 1999; a bit for each type below 128 (RFC 2535 5.2)."""

    next_name: str
    bitmap: bytes

    def types(self) -> tuple[int, ...]:
        return _set_bits(self.bitmap)


@dataclass(frozen=True, slots=True)
class Nsec3Data:
    """NSEC3; next_hash: the hash itself, not its base32 text."""

    algorithm: int
    flags: int
    iterations: int
    salt: bytes
    next_hash: bytes
    bitmap: bytes

    def types(self) -> tuple[int, ...]:
        return unpack_types(self.bitmap)


@dataclass(frozen=True, slots=True)
class Nsec3ParamData:
    """NSEC3PARAM."""

    algorithm: int
    flags: int
    iterations: int
    salt: bytes


@dataclass(frozen=True, slots=True)
class TlsaData:
    """TLSA and SMIMEA."""

    usage: int
    selector: int
    matching: int
    data: bytes


@dataclass(frozen=True, slots=True)
class NaptrData:
    """NAPTR."""

    order: int
    preference: int
    flags: bytes
    service: bytes
    regexp: bytes
    replacement: str


@dataclass(frozen=True, slots=True)
class WinsData:
    """WINS: flags are DNS_WINS_FLAG_*; addresses of 4 octets."""

    flags: int
    lookup_timeout_s: int
    cache_timeout_s: int
    servers: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class WinsrData:
    """WINS-R: what is asked of NetBIOS for an address, and the domain its answer is put into."""

    flags: int
    lookup_timeout_s: int
    cache_timeout_s: int
    domain: str


@dataclass(frozen=True, slots=True)
class TsigData:
    """TSIG (RFC 8945 4.2). algorithm: a name's text. signed_at: seconds since 1970, 48 bits."""

    algorithm: str
    signed_at: int
    fudge_s: int
    mac: bytes
    original_id: int
    error: int = 0
    other: bytes = b""


@dataclass(frozen=True, slots=True)
class TkeyData:
    """TKEY (RFC 2930 2). mode: 3 is GSS-API, 5 deletes a key. Times in seconds since 1970."""

    algorithm: str
    inception: int
    expiration: int
    mode: int
    error: int
    key: bytes
    other: bytes = b""


def _set_bits(bitmap: bytes, base: int = 0) -> tuple[int, ...]:
    return tuple(
        base + 8 * at + bit for at, octet in enumerate(bitmap) for bit in range(8) if octet & (0x80 >> bit)
    )


def pack_bits(numbers: Iterable[int]) -> bytes:
    """A bit for each number, the first is the highest of the first octet: WKS and NXT."""
    bits = bytearray()
    for number in numbers:
        if number // 8 >= len(bits):
            bits += bytes(number // 8 + 1 - len(bits))
        bits[number // 8] |= 0x80 >> number % 8
    return bytes(bits)


def pack_types(types: Iterable[int]) -> bytes:
    """The type bitmap of NSEC and NSEC3 (RFC 4034 4.1.2)."""
    windows: dict[int, bytearray] = {}
    for number in sorted(types):
        assert 0 <= number <= _TYPES_MAX
        bits = windows.setdefault(number >> 8, bytearray())
        at = (number & 0xFF) >> 3
        if at >= len(bits):
            bits += bytes(at + 1 - len(bits))
        bits[at] |= 0x80 >> (number & 7)
    return b"".join(bytes((window, len(bits))) + bits for window, bits in windows.items())


def unpack_types(bitmap: bytes) -> tuple[int, ...]:
    """The types of a bitmap; DecodeError where windows are out of order or of no length."""
    types: list[int] = []
    pos, last = 0, -1
    while pos < len(bitmap):
        window, size = bitmap[pos], bitmap[pos + 1] if pos + 1 < len(bitmap) else 0
        if window <= last or not 0 < size <= _WINDOW_MAX or pos + 2 + size > len(bitmap):
            raise DecodeError("no bitmap of types", pos, "NSEC.bitmap")
        types += _set_bits(bitmap[pos + 2 : pos + 2 + size], window << 8)
        pos, last = pos + 2 + size, window
    return tuple(types)
