"""Master files: the records that a text says, and the text of records.

$INCLUDE is refused: what a zone is made of stands in one text. $GENERATE is expanded within bounds.
Spec: RFC 1035 5, RFC 2308 4 ($TTL), RFC 3597 5
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from addc.base.errors import DecodeError
from addc.codec.dns_message import CLASS_IN, Record
from addc.codec.dns_names import Name, fold, is_below, order_key
from addc.codec.dns_rdata import DnsType, SoaData
from addc.codec.dns_text import parse_rdata, show_rdata, show_unknown
from addc.codec.dns_wire import rdata_bytes
from addc.codec.dns_words import (
    is_span,
    name_in,
    parse_class,
    parse_type,
    seconds,
    show_class,
    show_label,
    show_name,
    show_type,
)

RECORDS_MAX: Final = 1_000_000
_GENERATED_MAX: Final = 65_536
_LINE_WORDS_MAX: Final = 20_000
_WIDTH_MAX: Final = 255
_TOKEN: Final = re.compile(
    r"(?P<space>[ \t\r\f\v]+)|(?P<end>\n)|(?P<comment>;[^\n]*)|(?P<paren>[()])"
    r'|(?P<word>(?:"(?:[^"\\\n]|\\[^\n])*"|[^\s;()"\\]|\\[^\n])+)'
)
_QUOTED: Final = re.compile(r'"((?:[^"\\]|\\.)*)"|(\\.)')
_PLACE: Final = re.compile(r"\\\$|\$\$|\$\{([^}]*)\}|\$")
_WITHOUT_TEXT: Final = frozenset({DnsType.WINS, DnsType.WINSR, DnsType.ATMA, DnsType.NULL})
"""Types whose text other servers do not read: they are written as octets."""


@dataclass(frozen=True, slots=True)
class ZoneFile:
    """What a master file says. origin: where it begins; the SOA's owner where it has one."""

    origin: Name
    records: tuple[Record, ...]


@dataclass(frozen=True, slots=True)
class _Line:
    """One entry: its words, whether white space begins it, and the line it begins on."""

    number: int
    indented: bool
    words: tuple[str, ...]


def parse_zone(text: str, origin: Name, *, default_ttl_s: int = 3600, limit: int = RECORDS_MAX) -> ZoneFile:
    """The records of a master file. Raises DecodeError, whose path is the line.

    origin: of names without a last dot until $ORIGIN says another. default_ttl_s: where neither the record,
    nor $TTL, nor the record before it has one, and there is no SOA.
    """
    reading = _Reading(origin, default_ttl_s, limit)
    for line in _lines(text):
        try:
            reading.take(line)
        except DecodeError as error:
            if error.path.startswith("line "):
                raise
            raise DecodeError(error.why, -1, f"line {line.number}") from error
    apex = next((one.owner for one in reading.records if one.type == DnsType.SOA), origin)
    return ZoneFile(apex, tuple(reading.records))


class _Reading:
    """Where the reader of a master file stands."""

    __slots__ = ("_default_ttl_s", "_last_ttl_s", "_limit", "_origin", "_owner", "_ttl_s", "records")

    def __init__(self, origin: Name, default_ttl_s: int, limit: int) -> None:
        self.records: list[Record] = []
        self._origin = origin
        self._limit = limit
        self._owner: Name | None = None
        self._ttl_s: int | None = None  # $TTL
        self._last_ttl_s: int | None = None
        self._default_ttl_s = default_ttl_s

    def take(self, line: _Line) -> None:
        first = line.words[0]
        if first.startswith("$") and not line.indented:
            self._directive(first.upper(), line)
            return
        if line.indented:
            if self._owner is None:
                raise DecodeError("a record without a name, and none before it", -1, "text")
            self._record(self._owner, line.words)
            return
        self._owner = name_in(first, self._origin)
        self._record(self._owner, line.words[1:])

    def _directive(self, word: str, line: _Line) -> None:
        if word == "$INCLUDE":
            raise DecodeError(
                "$INCLUDE is not followed; write the zone into one file, as named-compilezone does",
                -1,
                "text",
            )
        if word == "$GENERATE":
            self._generate(line.words[1:])
            return
        if word not in ("$ORIGIN", "$TTL"):
            raise DecodeError(f"{word} is no directive that is known here", -1, "text")
        if len(line.words) != 2:
            raise DecodeError(f"{word} takes one word", -1, "text")
        if word == "$ORIGIN":
            self._origin = name_in(line.words[1], self._origin)
        else:
            self._ttl_s = seconds(line.words[1])

    def _record(self, owner: Name, words: Sequence[str]) -> None:
        """[TTL] [CLASS] TYPE data, the first two in any order."""
        at, ttl_s, rclass = 0, None, None
        while at < len(words):
            word = words[at]
            if ttl_s is None and is_span(word):
                ttl_s = seconds(word)
            elif rclass is None and (found := parse_class(word)) is not None:
                rclass = found
            else:
                break
            at += 1
        if rclass not in (None, CLASS_IN):
            raise DecodeError("only records of class IN have a place in a zone", -1, "text")
        if at == len(words):
            raise DecodeError("a type wanted", -1, "text")
        rtype = parse_type(words[at])
        data = parse_rdata(rtype, words[at + 1 :], self._origin)
        if len(self.records) >= self._limit:
            raise DecodeError(f"over {self._limit} records", -1, "text")
        if isinstance(data, SoaData) and self._last_ttl_s is None and ttl_s is None:
            self._last_ttl_s = data.minimum  # RFC 1035's rule for files without $TTL
        self.records.append(Record(owner, rtype, CLASS_IN, self._ttl_of(ttl_s), data))

    def _ttl_of(self, ttl_s: int | None) -> int:
        if ttl_s is not None:
            self._last_ttl_s = ttl_s
            return ttl_s
        for known in (self._ttl_s, self._last_ttl_s):
            if known is not None:
                return known
        return self._default_ttl_s

    def _generate(self, words: Sequence[str]) -> None:
        """RANGE OWNER [TTL] [CLASS] TYPE DATA, once for each number of the range."""
        if len(words) < 4:
            raise DecodeError("$GENERATE takes a range, a name, a type and data", -1, "text")
        numbers = _range(words[0])
        for each in numbers:
            made = [_placed(word, each) for word in words[1:]]
            parts = made if len(words) > 4 else [*made[:2], *made[2].split()]
            self._record(name_in(parts[0], self._origin), parts[1:])


def _range(word: str) -> range:
    found = re.fullmatch(r"(\d{1,9})-(\d{1,9})(?:/(\d{1,9}))?", word)
    if found is None:
        raise DecodeError(f"{word!r} is no range", -1, "text")
    start, stop, step = int(found.group(1)), int(found.group(2)), int(found.group(3) or 1)
    if start > stop or not step:
        raise DecodeError(f"{word!r} is no range", -1, "text")
    numbers = range(start, stop + 1, step)
    if len(numbers) > _GENERATED_MAX:
        raise DecodeError(f"$GENERATE makes at most {_GENERATED_MAX} records", -1, "text")
    return numbers


def _placed(word: str, value: int) -> str:
    """A word of $GENERATE with the number in its places: $, ${OFFSET,WIDTH,BASE}; $$ and \\$ are a dollar."""

    def put(found: "re.Match[str]") -> str:
        if found.group(0) in ("\\$", "$$"):
            return "$"
        return _number_text(value, found.group(1) or "0")

    return _PLACE.sub(put, word)


def _number_text(value: int, form: str) -> str:
    found = re.fullmatch(r"([+-]?\d{1,9})(?:,(\d{1,3})(?:,([doxXnN]))?)?", form)
    if found is None:
        raise DecodeError(f"${{{form}}} is no place of a number", -1, "text")
    shown, width, base = value + int(found.group(1)), int(found.group(2) or 0), found.group(3) or "d"
    if shown < 0 or width > _WIDTH_MAX:
        raise DecodeError(f"${{{form}}} makes no number", -1, "text")
    if base in "nN":
        digits = f"{shown:x}"[::-1]
        last = "." if not width % 2 and width // 2 >= len(digits) else ""  # a width counts dots, too
        text = ".".join(digits.ljust((width + 1) // 2, "0")) + last
        return text.upper() if base == "N" else text
    return f"{shown:0{width}{base}}" if width else f"{shown:{base}}"


def _lines(text: str) -> Iterator[_Line]:
    """The entries of a file: parentheses joined, comments gone, quotes taken off."""
    words: list[str] = []
    pos, number, began, depth, indented = 0, 1, 1, 0, False
    fresh = True
    while pos < len(text):
        found = _TOKEN.match(text, pos)
        if found is None:
            raise DecodeError("a quote that does not end, or a backslash at the end", -1, f"line {number}")
        pos, kind = found.end(), found.lastgroup
        if kind == "end":
            number += 1
            if depth == 0:
                if words:
                    yield _Line(began, indented, tuple(words))
                words, indented, fresh = [], False, True
            continue
        if fresh:
            began, indented, fresh = number, kind == "space", False
        if kind == "paren":
            depth += 1 if found.group() == "(" else -1
            if depth not in (0, 1):
                raise DecodeError("parentheses that do not match", -1, f"line {number}")
        elif kind == "word":
            words.append(_word(found.group()))
            if len(words) > _LINE_WORDS_MAX:
                raise DecodeError(f"over {_LINE_WORDS_MAX} words in one entry", -1, f"line {began}")
    if depth:
        raise DecodeError("a parenthesis that does not end", -1, f"line {began}")
    if words:
        yield _Line(began, indented, tuple(words))


def _word(token: str) -> str:
    """A word without its quotes; a quoted @ is no origin."""
    if '"' not in token:
        return token
    plain = _QUOTED.sub(lambda found: found.group(1) if found.group(1) is not None else found.group(2), token)
    return "\\@" if plain == "@" else plain


def words_of(text: str) -> list[str]:
    """The words of a record's data on one line, as a master file has them. Raises DecodeError."""
    lines = list(_lines(text.replace("\n", " ")))
    return list(lines[0].words) if lines else []


def show_zone(origin: Name, records: Iterable[Record], *, default_ttl_s: int = 3600) -> Iterator[str]:
    """The lines of a master file: the SOA first, then by name and type; owners relative to the origin."""
    yield f"$ORIGIN {show_name(origin)}"
    yield f"$TTL {default_ttl_s}"
    ordered = sorted(
        records,
        key=lambda one: (
            one.type != DnsType.SOA, order_key(one.owner), one.type, rdata_bytes(one.type, one.data)
        ),
    )  # fmt: skip
    apex = fold(origin)
    for record in ordered:
        yield show_record(record, apex)


def show_record(record: Record, origin: Name | None = None) -> str:
    """A record on one line; its owner relative to `origin` (folded) where it is below it."""
    owner = show_name(record.owner) if origin is None else _relative(record.owner, origin)
    text = show_data(record)
    return f"{owner}\t{record.ttl_s}\t{show_class(record.rclass)}\t{_type_text(record.type)}\t{text}".rstrip()


def _type_text(rtype: int) -> str:
    return f"TYPE{rtype}" if rtype in _WITHOUT_TEXT else show_type(rtype)


def show_data(record: Record) -> str:
    """The data of a record as other servers read them."""
    if record.type in _WITHOUT_TEXT:
        return show_unknown(rdata_bytes(record.type, record.data))
    return show_rdata(record.type, record.data)


def _relative(owner: Name, origin: Name) -> str:
    if not is_below(fold(owner), origin) or not origin:
        return show_name(owner)
    labels = owner[: len(owner) - len(origin)]
    return ".".join(show_label(label) for label in labels) or "@"
