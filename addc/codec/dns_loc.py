"""LOC: where on Earth something is, as 16 octets and as text.

Spec: RFC 1876 2, 3
"""

import struct
from collections.abc import Sequence
from typing import Final

from addc.base.errors import DecodeError

SIZE: Final = 16
_EQUATOR: Final = 1 << 31
_ALTITUDE_BASE_CM: Final = 10_000_000
_U32_MAX: Final = 0xFFFF_FFFF
_DEGREE_MS: Final = 3_600_000
_SIZE_DEFAULTS_CM: Final = (100, 1_000_000, 1_000)
"""Size, horizontal and vertical precision where the text has none."""


def parse(words: Sequence[bytes]) -> bytes:
    """The octets of a text, in one string or in several. Raises DecodeError."""
    try:
        return _parse(b" ".join(words).decode("ascii").split())
    except (ValueError, IndexError) as error:
        raise DecodeError(f"no place on Earth: {error}", -1, "LOC") from error


def _parse(words: list[str]) -> bytes:
    latitude, at = _angle(words, 0, "NS", 90)
    longitude, at = _angle(words, at, "EW", 180)
    metres = [_centimetres(word) for word in words[at:]]
    if not 0 < len(metres) <= 4:
        raise ValueError("an altitude and up to three sizes are wanted")
    altitude = metres[0] + _ALTITUDE_BASE_CM
    if not 0 <= altitude <= _U32_MAX:
        raise ValueError("no such altitude")
    sizes = [_size_octet(size) for size in (*metres[1:], *_SIZE_DEFAULTS_CM[len(metres) - 1 :])]
    return struct.pack(">4B3I", 0, *sizes, latitude, longitude, altitude)


def _angle(words: list[str], at: int, letters: str, most: int) -> tuple[int, int]:
    """Thousandths of an arc second, and the place of the next word."""
    parts: list[str] = []
    while words[at].upper() not in letters:
        parts.append(words[at])
        at += 1
    if not 0 < len(parts) <= 3:
        raise ValueError("degrees, minutes and seconds are wanted")
    degrees, minutes = int(parts[0]), int(parts[1]) if len(parts) > 1 else 0
    seconds_ms = _thousandths(parts[2]) if len(parts) > 2 else 0
    total = degrees * _DEGREE_MS + minutes * 60_000 + seconds_ms
    within = 0 <= degrees and 0 <= minutes < 60 and 0 <= seconds_ms < 60_000
    if not within or total > most * _DEGREE_MS:
        raise ValueError(f"{' '.join(parts)} is no angle")
    sign = 1 if words[at].upper() == letters[0] else -1
    return _EQUATOR + sign * total, at + 1


def _thousandths(text: str) -> int:
    whole, _, rest = text.partition(".")
    if len(rest) > 3:
        raise ValueError(f"{text} is finer than a thousandth")
    return int(whole) * 1000 + int(rest.ljust(3, "0"))


def _centimetres(word: str) -> int:
    text = word.removesuffix("m")
    whole, _, rest = text.removeprefix("-").partition(".")
    if len(rest) > 2 or not (whole + rest).isdigit():
        raise ValueError(f"{word} are no metres")
    value = int(whole or "0") * 100 + int(rest.ljust(2, "0"))
    return -value if text.startswith("-") else value


def _size_octet(centimetres: int) -> int:
    """A digit and a power of ten."""
    if not 0 <= centimetres <= 9 * 10**9:
        raise ValueError("no such size")
    power = 0
    while centimetres > 9:
        centimetres //= 10
        power += 1
    return centimetres << 4 | power


def show(data: bytes) -> str:
    """The text of 16 octets; DecodeError where they are of another version, or no place."""
    if len(data) != SIZE or data[0] != 0:
        raise DecodeError("another version of LOC", 0, "LOC")
    _, size, horizontal, vertical, latitude, longitude, altitude = struct.unpack(">4B3I", data)
    metres = altitude - _ALTITUDE_BASE_CM
    sign = "-" if metres < 0 else ""
    height = f"{sign}{abs(metres) // 100}.{abs(metres) % 100:02d}m"
    sizes = " ".join(_size_text(octet) for octet in (size, horizontal, vertical))
    return f"{_angle_text(latitude, 'NS', 90)} {_angle_text(longitude, 'EW', 180)} {height} {sizes}"


def _angle_text(value: int, letters: str, most: int) -> str:
    thousandths = abs(value - _EQUATOR)
    if thousandths > most * _DEGREE_MS:
        raise DecodeError("no angle", 0, "LOC")
    degrees, rest = divmod(thousandths, _DEGREE_MS)
    minutes, rest = divmod(rest, 60_000)
    return f"{degrees} {minutes} {rest // 1000}.{rest % 1000:03d} {letters[value < _EQUATOR]}"


def _size_text(octet: int) -> str:
    digit, power = octet >> 4, octet & 0xF
    if digit > 9 or power > 9:
        raise DecodeError("no size", 0, "LOC")
    value = digit * 10**power
    return f"{value // 100}.{value % 100:02d}m"
