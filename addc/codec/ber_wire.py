"""The octets of BER: identifiers, lengths and the contents of the primitive types.

Spec: X.690 8.1.3 (length), 8.3 (INTEGER), 8.6 (BIT STRING), 8.19 (OBJECT IDENTIFIER), 11.7 (GeneralizedTime).
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from addc.base.clock import FileTime
from addc.base.errors import DecodeError
from addc.codec.times import kerberos_time, parse_generalized

OID_SIZE_MAX: Final = 128
_ARC_SIZE_MAX: Final = 10


@lru_cache(maxsize=256)
def short_headers(tag: int) -> tuple[bytes, ...]:
    """Identifier and length octet of the elements of 0 to 127 octets."""
    return tuple(bytes((tag, size)) for size in range(128))


def header(tag: int, size: int) -> bytes:
    """Identifier and DER length."""
    if size < 0x80:
        return bytes((tag, size))
    if size < 0x100:
        return bytes((tag, 0x81, size))
    if size < 0x10000:
        return bytes((tag, 0x82, size >> 8, size & 0xFF))
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length


def element(tag: int, content: bytes) -> bytes:
    """A whole element."""
    return header(tag, len(content)) + content


def long_length(data: bytes, pos: int, path: str) -> tuple[int, int]:
    """(length, where the content begins) of a length in the long form at `pos`.

    Leading zeros are taken: Windows writes every length in four octets. The caller compares with its end.
    """
    count = data[pos] & 0x7F
    if not 0 < count <= 8:
        raise DecodeError("length form not allowed", pos, path)
    start = pos + 1 + count
    return int.from_bytes(data[pos + 1 : start], "big"), start


def read_element(data: bytes, pos: int, end: int, path: str) -> tuple[int, int, int]:
    """(tag, start, end) of the content of the element at `pos`; for readers made by hand."""
    if end - pos < 2:
        raise DecodeError("ends early", pos, path)
    tag, size = data[pos], data[pos + 1]
    start = pos + 2
    if size >= 0x80:
        size, start = long_length(data, pos + 1, path)
    stop = start + size
    if stop > end:
        raise DecodeError(f"{size} bytes wanted, {max(end - start, 0)} left", pos, path)
    return tag, start, stop


def find_element(data: bytes, tags: Sequence[int | None], path: str) -> bytes:
    """The content of the element reached by going down through `tags`, as it came.

    At each level the first element with the tag is entered; None enters the first element whatever its tag.
    """
    start, end = 0, len(data)
    for wanted in tags:
        while True:
            tag, body, stop = read_element(data, start, end, path)
            if wanted is None or tag == wanted:
                break
            start = stop
        start, end = body, stop
    return data[start:end]


def encode_int(value: int) -> bytes:
    """Content octets of an INTEGER, the fewest possible."""
    if 0 <= value < 128:
        return _SMALL[value]
    return value.to_bytes(((value if value >= 0 else ~value).bit_length() >> 3) + 1, "big", signed=True)


_SMALL: Final = tuple(bytes((value,)) for value in range(128))


def encode_flags(value: int) -> bytes:
    """Content octets of a 32-bit BIT STRING."""
    return b"\x00" + value.to_bytes(4, "big")


def decode_flags(content: bytes) -> int:
    """The first 32 bits of a BIT STRING, its first bit the most significant; missing bits are zeros."""
    bits = decode_bits(content)
    unused = content[0]
    value = int.from_bytes(bits[:4].ljust(4, b"\x00"), "big")
    if unused and len(bits) <= 4:
        low = 8 * (4 - len(bits)) + unused
        value = value >> low << low
    return value


def decode_bits(content: bytes) -> bytes:
    """The octets of a BIT STRING."""
    if not content or content[0] > 7 or (content[0] and len(content) < 2):
        raise DecodeError("bad bit string", 0, "BIT STRING")
    return content[1:]


def encode_bits(value: bytes) -> bytes:
    """Content octets of a BIT STRING of whole octets."""
    return b"\x00" + value


@lru_cache(maxsize=1024)
def decode_time(content: bytes) -> FileTime:
    """FileTime of YYYYMMDDHHMMSSZ, the only form of DER and of KerberosTime; 0 for what is before 1601."""
    if len(content) != 15 or content[14:] != b"Z" or not content[:14].isdigit():
        raise DecodeError("not a GeneralizedTime of whole seconds in UTC", 0, "GeneralizedTime")
    if content < b"1601":
        parse_generalized(b"1604" + content[4:])
        return FileTime(0)
    return parse_generalized(content)


@lru_cache(maxsize=1024)
def encode_time(when_ft: int) -> bytes:
    """YYYYMMDDHHMMSSZ; parts of a second are dropped. Raises OverflowError behind the year 9999."""
    return kerberos_time(when_ft)


@lru_cache(maxsize=1024)
def decode_oid(content: bytes) -> str:
    """Dotted text of an OBJECT IDENTIFIER's content octets."""
    if not content or len(content) > OID_SIZE_MAX or content[-1] & 0x80:
        raise DecodeError("bad object identifier", 0, "OBJECT IDENTIFIER")
    arcs: list[int] = []
    arc = size = 0
    for octet in content:
        size += 1
        if size > _ARC_SIZE_MAX or (size == 1 and octet == 0x80):
            raise DecodeError("bad arc in an object identifier", 0, "OBJECT IDENTIFIER")
        arc = arc << 7 | octet & 0x7F
        if not octet & 0x80:
            arcs.append(arc)
            arc = size = 0
    first = min(arcs[0] // 40, 2)
    return ".".join(map(str, (first, arcs[0] - 40 * first, *arcs[1:])))


@lru_cache(maxsize=1024)
def encode_oid(text: str) -> bytes:
    """Content octets of dotted text; raises DecodeError, since the text may come from outside."""
    try:
        arcs = [int(part) for part in text.split(".") if part.isdecimal() or _bad_oid(text)]
    except ValueError:
        _bad_oid(text)
    if len(arcs) < 2 or arcs[0] > 2 or (arcs[0] < 2 and arcs[1] > 39) or max(arcs) >= 1 << 62:
        _bad_oid(text)
    out = bytearray()
    for arc in (arcs[0] * 40 + arcs[1], *arcs[2:]):
        octets = [arc & 0x7F]
        while arc := arc >> 7:
            octets.append(arc & 0x7F | 0x80)
        out += bytes(reversed(octets))
    if len(out) > OID_SIZE_MAX:
        _bad_oid(text)
    return bytes(out)


def _bad_oid(text: str) -> bool:
    raise DecodeError(f"not an object identifier: {text[:64]!r}", 0, "OBJECT IDENTIFIER")
