"""Words of a master file: read one by one as names, numbers, octets; and how octets and names are written.

A word keeps its escapes (\\. and \\DDD) and has lost its quotes.
Spec: RFC 1035 5.1, RFC 4648 4, 7, 8, RFC 4343 2.1, RFC 4034 3.2
"""

import base64
import binascii
import re
from calendar import timegm
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Final

from addc.base.errors import DecodeError
from addc.codec.dns_names import Name, check_name, name_text, parse_name, split_text
from addc.codec.dns_rdata import DnsType

U8_MAX: Final = 0xFF
U16_MAX: Final = 0xFFFF
U32_MAX: Final = 0xFFFF_FFFF
_TTL_MAX: Final = 0x7FFF_FFFF
_STRING_MAX: Final = 255
_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_DURATION: Final = re.compile(r"(?:\d{1,10}[smhdw])+", re.IGNORECASE)
_PART: Final = re.compile(r"(\d+)([smhdw])", re.IGNORECASE)
_ESCAPE: Final = re.compile(rb"\\(?:(\d{3})|(.))", re.DOTALL)
_PLAIN_LABEL: Final = re.compile(rb"[A-Za-z0-9_*/+=:!#%&'<>?\[\]^`{|}~-]+")
_TIME_DIGITS: Final = 14
_TYPE_ALIASES: Final = {"NSAP-PTR": 23, "ANY": 255, "*": 255}
_UNWRITTEN: Final = frozenset({DnsType.ZERO, DnsType.ALL})
_ALGORITHMS: Final = {
    "RSAMD5": 1, "DH": 2, "DSA": 3, "ECC": 4, "RSASHA1": 5, "DSA-NSEC3-SHA1": 6, "NSEC3DSA": 6,
    "RSASHA1-NSEC3-SHA1": 7, "NSEC3RSASHA1": 7, "RSASHA256": 8, "RSASHA512": 10, "ECC-GOST": 12,
    "ECCGOST": 12, "ECDSAP256SHA256": 13, "ECDSAP384SHA384": 14, "ED25519": 15, "ED448": 16, "INDIRECT": 252,
    "PRIVATEDNS": 253, "PRIVATEOID": 254,
}  # fmt: skip
_CLASSES: Final = {"IN": 1, "CS": 2, "CH": 3, "HS": 4, "NONE": 254, "ANY": 255}


class Words:
    """What is left of a record's text; every reading raises DecodeError where the word is not of its kind.

    origin: what names without a last dot are relative to.
    """

    __slots__ = ("origin", "pos", "words")

    def __init__(self, words: Sequence[str], origin: Name) -> None:
        self.words = list(words)
        self.origin = origin
        self.pos = 0

    def left(self) -> int:
        return len(self.words) - self.pos

    def next(self, what: str) -> str:
        if self.pos >= len(self.words):
            raise DecodeError(f"{what} wanted, nothing left", -1, "text")
        self.pos += 1
        return self.words[self.pos - 1]

    def rest(self) -> list[str]:
        rest = self.words[self.pos :]
        self.pos = len(self.words)
        return rest

    def number(self, most: int) -> int:
        return number(self.next("a number"), most)

    def u8(self) -> int:
        return self.number(U8_MAX)

    def u16(self) -> int:
        return self.number(U16_MAX)

    def u32(self) -> int:
        return self.number(U32_MAX)

    def algorithm(self) -> int:
        """The number of an algorithm of DNSSEC, or its name."""
        word = self.next("an algorithm")
        known = _ALGORITHMS.get(word.upper())
        return number(word, U8_MAX) if known is None else known

    def seconds(self) -> int:
        """A time span of data, which has all 32 bits where it is a plain number."""
        word = self.next("a time span")
        return number(word, U32_MAX) if word.isdigit() else seconds(word)

    def name(self) -> str:
        """A name's text, whole."""
        return name_text(name_in(self.next("a name"), self.origin))

    def string(self) -> bytes:
        return octets(self.next("a string"))

    def strings(self) -> tuple[bytes, ...]:
        return tuple(octets(word) for word in self.rest())

    def hexadecimal(self) -> bytes:
        """The rest, as hexadecimal digits in any number of words; "-" is none."""
        text = "".join(self.rest())
        return b"" if text == "-" else from_hexadecimal(text)

    def base64(self) -> bytes:
        """The rest, as base64 in any number of words."""
        try:
            return base64.b64decode("".join(self.rest()), validate=True)
        except (binascii.Error, ValueError) as error:
            raise DecodeError(f"no base64: {error}", -1, "text") from error

    def types(self) -> list[int]:
        return [parse_type(word) for word in self.rest()]

    def time(self) -> int:
        """Seconds since 1970, written so or as YYYYMMDDHHMMSS."""
        word = self.next("a time")
        if len(word) != _TIME_DIGITS or not word.isdigit():
            return number(word, U32_MAX)
        try:
            return timegm(datetime.strptime(word, "%Y%m%d%H%M%S").replace(tzinfo=UTC).timetuple()) & U32_MAX
        except ValueError as error:
            raise DecodeError(f"{word} is no time", -1, "text") from error

    def finish(self) -> None:
        if self.left():
            raise DecodeError(f"nothing wanted after {self.words[self.pos - 1]!r}", -1, "text")


def number(word: str, most: int) -> int:
    if not (word.isascii() and word.isdigit()) or len(word) > 20 or int(word) > most:
        raise DecodeError(f"{word!r} is no number from 0 to {most}", -1, "text")
    return int(word)


def seconds(word: str) -> int:
    """A time span: seconds, or as 1w2d3h4m5s."""
    if word.isascii() and word.isdigit():
        return number(word, _TTL_MAX)
    if not _DURATION.fullmatch(word):
        raise DecodeError(f"{word!r} is no time span", -1, "text")
    total = sum(int(count) * _UNITS[unit.lower()] for count, unit in _PART.findall(word))
    return number(str(total), _TTL_MAX)


def is_span(word: str) -> bool:
    """Whether a word can be a TTL."""
    return (word.isascii() and word.isdigit()) or _DURATION.fullmatch(word) is not None


def from_hexadecimal(text: str) -> bytes:
    try:
        return binascii.unhexlify(text)
    except (binascii.Error, ValueError) as error:
        raise DecodeError(f"no hexadecimal digits: {error}", -1, "text") from error


def octets(word: str, most: int = _STRING_MAX) -> bytes:
    """A string's octets, its escapes undone."""
    raw = unescaped(word)
    if len(raw) > most:
        raise DecodeError(f"a string has at most {most} octets", -1, "text")
    return raw


def unescaped(word: str) -> bytes:
    raw = word.encode("utf-8", "surrogateescape")
    return _ESCAPE.sub(_octet, raw) if b"\\" in raw else raw


def _octet(found: "re.Match[bytes]") -> bytes:
    digits = found.group(1)
    if digits is None:
        return found.group(2)
    if int(digits) > U8_MAX:
        raise DecodeError(f"\\{digits.decode()} is no octet", -1, "text")
    return bytes((int(digits),))


def quoted(raw: bytes) -> str:
    """A string in quotes, in ASCII alone."""
    return '"' + "".join(_quoted_octet(octet) for octet in raw) + '"'


def _quoted_octet(octet: int) -> str:
    if octet in (0x22, 0x5C):
        return "\\" + chr(octet)
    return chr(octet) if 0x20 <= octet < 0x7F else f"\\{octet:03d}"


def name_in(word: str, origin: Name) -> Name:
    """The labels of a name that may be relative; "@" is the origin."""
    if word == "@":
        return origin
    if not word:
        raise DecodeError("an empty name", -1, "text")
    if _is_whole(word):
        return parse_name(word)
    name = (*split_text(word), *origin)
    check_name(name)
    return name


def _is_whole(word: str) -> bool:
    """Whether the last dot of a name is its root's: an even number of backslashes stands before it."""
    if not word.endswith("."):
        return False
    body = word[:-1]
    return (len(body) - len(body.rstrip("\\"))) % 2 == 0


def show_name(name: Name) -> str:
    """A whole name with its last dot, in ASCII alone."""
    return "".join([show_label(label) + "." for label in name]) or "."


def show_text(text: str) -> str:
    """`show_name` of a name inside data."""
    return show_name(parse_name(text))


def show_label(label: bytes) -> str:
    if _PLAIN_LABEL.fullmatch(label):
        return label.decode("ascii")
    return "".join(_label_octet(octet) for octet in label)


def _label_octet(octet: int) -> str:
    if chr(octet) in '.\\"();@$':
        return "\\" + chr(octet)
    return chr(octet) if 0x21 <= octet < 0x7F else f"\\{octet:03d}"


def show_hexadecimal(raw: bytes) -> str:
    return raw.hex().upper()


def show_base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")


def show_time(when: int) -> str:
    """YYYYMMDDHHMMSS of seconds since 1970."""
    return datetime.fromtimestamp(when, UTC).strftime("%Y%m%d%H%M%S")


def show_type(rtype: int) -> str:
    """ "SRV", or "TYPE4711" (RFC 3597 5)."""
    if rtype == 255:
        return "ANY"
    known = DnsType(rtype)
    return f"TYPE{rtype}" if known.name.startswith("UNKNOWN") or known in _UNWRITTEN else known.name


def parse_type(word: str) -> int:
    """The number of a type's name. Raises DecodeError."""
    upper = word.upper()
    if upper in _TYPE_ALIASES:
        return _TYPE_ALIASES[upper]
    if upper.startswith("TYPE") and upper[4:].isdigit():
        return number(upper[4:], U16_MAX)
    known = DnsType.__members__.get(upper)
    if known is None or known in _UNWRITTEN:
        raise DecodeError(f"{word!r} is no type of records", -1, "text")
    return int(known)


def is_type(word: str) -> bool:
    try:
        parse_type(word)
    except DecodeError:
        return False
    return True


def show_types(types: Iterable[int]) -> str:
    return " ".join(show_type(rtype) for rtype in types)


def show_class(rclass: int) -> str:
    return next((name for name, number in _CLASSES.items() if number == rclass), f"CLASS{rclass}")


def parse_class(word: str) -> int | None:
    """The number of a class's name; None where the word is none."""
    upper = word.upper()
    if upper.startswith("CLASS") and upper[5:].isdigit():
        return number(upper[5:], U16_MAX)
    return _CLASSES.get(upper)
