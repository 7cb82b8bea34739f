"""Names of the DNS: labels, their text, their bytes in a message.

A Name is the labels, leaf first, as they were spelled; the root is (). Text has no last dot, the root is ".";
a dot or a backslash inside a label follows a backslash, an octet that is no printable character is \\DDD.
Spec: RFC 1035 3.1, 4.1.4, 5.1, RFC 4343 2.1, RFC 4034 6.1, RFC 3490 4
"""

from functools import lru_cache
from typing import Final

from addc.base.errors import DecodeError
from addc.codec.cursor import Reader

Name = tuple[bytes, ...]

ROOT: Final[Name] = ()
LABEL_MAX: Final = 63
NAME_MAX: Final = 255
_POINTER: Final = 0xC0
_POINTER_MAX: Final = 0x3FFF
_HOPS_MAX: Final = 64
"""Pointers in one name; each leads further back, so this bounds what a hostile message costs."""
_KEPT: Final = 16_384
_ESCAPE_DIGITS: Final = 3


def fold(name: Name) -> Name:
    """The name in ASCII lower case: what equal names have in common."""
    return tuple([label.lower() for label in name])


def is_below(name: Name, apex: Name) -> bool:
    """Whether `name` is `apex` or ends with it; both folded."""
    return name[len(name) - len(apex) :] == apex if len(name) >= len(apex) else False


def order_key(name: Name) -> tuple[bytes, ...]:
    """What names are sorted by in canonical order (RFC 4034 6.1)."""
    return tuple([label.lower() for label in reversed(name)])


@lru_cache(maxsize=_KEPT)
def parse_name(text: str) -> Name:
    """The labels of dotted text, with or without its last dot; "" and "." are the root.

    Raises DecodeError for what DNS does not allow.
    """
    name = tuple(split_text(text))
    check_name(name)
    return name


def check_name(name: Name) -> None:
    """Raises DecodeError for an empty or long label and for a long name."""
    size = 1
    for label in name:
        if not 0 < len(label) <= LABEL_MAX:
            raise DecodeError("a label has 1 to 63 octets", -1, "name")
        size += len(label) + 1
    if size > NAME_MAX:
        raise DecodeError("a name has at most 255 octets", -1, "name")


def split_text(text: str) -> list[bytes]:
    """The labels of dotted text, unchecked."""
    if text in ("", "."):
        return []
    if "\\" not in text:
        plain = text.encode("utf-8", "surrogateescape").split(b".")
        if not plain[-1]:
            plain.pop()
        return plain
    labels, label, pos = [], bytearray(), 0
    while pos < len(text):
        char = text[pos]
        if char == ".":
            labels.append(bytes(label))
            label = bytearray()
            pos += 1
            if pos == len(text):
                return labels
        elif char == "\\":
            octets, pos = _escaped(text, pos + 1)
            label += octets
        else:
            label += char.encode("utf-8", "surrogateescape")
            pos += 1
    return [*labels, bytes(label)]


def _escaped(text: str, pos: int) -> tuple[bytes, int]:
    """What follows a backslash: three digits are an octet, any other character stands for itself."""
    digits = text[pos : pos + _ESCAPE_DIGITS]
    if len(digits) == _ESCAPE_DIGITS and digits.isascii() and digits.isdigit():
        value = int(digits)
        if value > 0xFF:
            raise DecodeError(f"\\{digits} is no octet", -1, "name")
        return bytes((value,)), pos + _ESCAPE_DIGITS
    if not digits:
        raise DecodeError("nothing follows a backslash", -1, "name")
    return digits[0].encode("utf-8", "surrogateescape"), pos + 1


@lru_cache(maxsize=_KEPT)
def name_text(name: Name) -> str:
    """Dotted text without its last dot; the root is "."."""
    return ".".join([_label_text(label) for label in name]) or "."


def _label_text(label: bytes) -> str:
    try:
        text = label.decode("utf-8")
    except UnicodeDecodeError:
        text = label.decode("latin-1")
        return "".join(_shown(char) if char.isascii() else f"\\{ord(char):03d}" for char in text)
    if text.isprintable() and "\\" not in text and "." not in text:
        return text
    return "".join(_shown(char) for char in text)


def _shown(char: str) -> str:
    if char in ".\\":
        return "\\" + char
    if char.isprintable():
        return char
    return "".join(f"\\{octet:03d}" for octet in char.encode())


def pack_name(name: Name) -> bytes:
    """The name's bytes, not compressed. Raises DecodeError for a name that DNS does not allow."""
    return _plan(name)[0]


def pack_text(text: str) -> bytes:
    """The bytes of a name given as text, not compressed."""
    return _plan_text(text)[0]


@lru_cache(maxsize=_KEPT)
def _plan(name: Name) -> tuple[bytes, tuple[tuple[bytes, int], ...]]:
    """A name's bytes, and each of its ends (folded) with the place where it begins."""
    check_name(name)
    wire = b"".join([bytes((len(label),)) + label for label in name]) + b"\0"
    folded, at, ends = wire.lower(), 0, []  # lengths are below 64, so no length is a letter
    for label in name:
        ends.append((folded[at:], at))
        at += len(label) + 1
    return wire, tuple(ends)


@lru_cache(maxsize=_KEPT)
def _plan_text(text: str) -> tuple[bytes, tuple[tuple[bytes, int], ...]]:
    return _plan(parse_name(text))


class NamePacker:
    """The bytes of a message being written, and where in them which name stands (RFC 1035 4.1.4).

    Names are found again whatever their case. out: what was written; callers append to it between names.
    """

    __slots__ = ("_places", "out")

    def __init__(self) -> None:
        self.out = bytearray()
        self._places: dict[bytes, int] = {}

    def put(self, name: Name) -> None:
        """A name that may end with a pointer."""
        self._put(_plan(name))

    def put_text(self, text: str) -> None:
        """As `put`, from a name's text."""
        self._put(_plan_text(text))

    def put_whole(self, text: str) -> None:
        """A name that is written out (RFC 3597 4), though later ones may point to it."""
        wire, ends = _plan_text(text)
        places, base = self._places, len(self.out)
        for end, at in ends:
            if end in places or base + at > _POINTER_MAX:
                break
            places[end] = base + at
        self.out += wire

    def _put(self, plan: tuple[bytes, tuple[tuple[bytes, int], ...]]) -> None:
        wire, ends = plan
        places, out = self._places, self.out
        base = len(out)
        for end, at in ends:
            place = places.get(end)
            if place is not None:
                out += wire[:at]
                out.append(_POINTER | place >> 8)
                out.append(place & 0xFF)
                return
            if base + at <= _POINTER_MAX:
                places[end] = base + at
        out += wire

    def cut(self, size: int) -> None:
        """Take back what was written past `size`."""
        del self.out[size:]
        self._places = {end: place for end, place in self._places.items() if place < size}


def read_name(reader: Reader, *, pointers: bool = True) -> Name:
    """The next name of a message that begins at the start of the reader's data.

    pointers: False where a name may not be compressed. Raises DecodeError; a pointer leads back only.
    """
    data, pos, end = reader.data, reader.pos, reader.end
    labels: list[bytes] = []
    size, hops, after, floor = 1, 0, -1, pos
    while True:
        if pos >= end:
            raise DecodeError("the name does not end", pos, "name")
        length = data[pos]
        if not length:
            break
        if length <= LABEL_MAX:
            size += length + 1
            if size > NAME_MAX or pos + length >= end:
                raise DecodeError("a name too long, or cut off", pos, "name")
            labels.append(data[pos + 1 : pos + 1 + length])
            pos += length + 1
            continue
        if length < _POINTER or not pointers or pos + 1 >= end:
            raise DecodeError("neither a label nor a pointer", pos, "name")
        target = (length & 0x3F) << 8 | data[pos + 1]
        hops += 1
        if target >= floor or hops > _HOPS_MAX:
            raise DecodeError("a pointer that does not lead back, or too many", pos, "name")
        if after < 0:
            after = pos + 2
        pos = floor = target
    reader.pos = pos + 1 if after < 0 else after
    return tuple(labels)


def skip_name(data: bytes, pos: int) -> int:
    """Where the name at `pos` ends, without following pointers. Raises DecodeError."""
    size = len(data)
    while pos < size:
        length = data[pos]
        if not length:
            return pos + 1
        if length >= _POINTER:
            return pos + 2
        if length > LABEL_MAX:
            break
        pos += length + 1
    raise DecodeError("the name does not end", pos, "name")


def to_ascii(text: str) -> str:
    """An internationalised name as it is asked for: labels that are not ASCII become xn--...; DecodeError."""
    try:
        return ".".join(
            part if part.isascii() else part.encode("idna").decode("ascii") for part in text.split(".")
        )
    except UnicodeError as error:
        raise DecodeError(f"no internationalised name: {error}", -1, "name") from error


def to_unicode(text: str) -> str:
    """A name with its xn-- labels as people write them; a label that is none stays as it is."""
    return ".".join(_unicode_label(part) for part in text.split("."))


def _unicode_label(label: str) -> str:
    if not label[:4].lower() == "xn--":
        return label
    try:
        return label.encode("ascii").decode("idna")
    except UnicodeError:
        return label
