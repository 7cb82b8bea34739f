"""Search filters: text and bytes to values and back, depth and number of terms bounded.

Attribute names stay as written; which of them exist and what a value means is for the schema.
An empty And is true and an empty Or is false, as RFC 4526 has it.

Spec: RFC 4511 4.5.1.7 (BER), RFC 4515 (text), RFC 4526, [MS-ADTS] 3.1.1.3.1.3.1 (what AD makes of filters).
"""

import re
from dataclasses import dataclass
from typing import Final, assert_never

from addc.base.errors import DecodeError
from addc.base.limits import FILTER_DEPTH_MAX, FILTER_TERMS_MAX
from addc.codec.ber_wire import element, long_length, read_element


@dataclass(frozen=True, slots=True)
class And:
    """True if no term is false or undefined."""

    terms: "tuple[Filter, ...]"


@dataclass(frozen=True, slots=True)
class Or:
    """True if one term is."""

    terms: "tuple[Filter, ...]"


@dataclass(frozen=True, slots=True)
class Not:
    """True if the term is false."""

    term: "Filter"


@dataclass(frozen=True, slots=True)
class Equal:
    """equalityMatch."""

    attribute: str
    value: bytes


@dataclass(frozen=True, slots=True)
class Substrings:
    """substrings: what the value begins with, holds in this order, and ends with."""

    attribute: str
    initial: bytes | None
    any: tuple[bytes, ...]
    final: bytes | None


@dataclass(frozen=True, slots=True)
class GreaterOrEqual:
    """greaterOrEqual."""

    attribute: str
    value: bytes


@dataclass(frozen=True, slots=True)
class LessOrEqual:
    """lessOrEqual."""

    attribute: str
    value: bytes


@dataclass(frozen=True, slots=True)
class Present:
    """present."""

    attribute: str


@dataclass(frozen=True, slots=True)
class Approx:
    """approxMatch."""

    attribute: str
    value: bytes


@dataclass(frozen=True, slots=True)
class Extensible:
    """extensibleMatch.

    rule: OID or name of a matching rule; attribute: may be absent if there is a rule.
    dn_attributes: the components of the object's name count as attributes too.
    """

    rule: str | None
    attribute: str | None
    value: bytes
    dn_attributes: bool = False


Filter = And | Or | Not | Equal | Substrings | GreaterOrEqual | LessOrEqual | Present | Approx | Extensible

_Assertion = type[Equal] | type[GreaterOrEqual] | type[LessOrEqual] | type[Approx]
_ASSERTIONS: Final[dict[int, _Assertion]] = {
    0xA3: Equal,
    0xA5: GreaterOrEqual,
    0xA6: LessOrEqual,
    0xA8: Approx,
}
_ASSERTION_TAGS: Final[dict[type, int]] = {cls: tag for tag, cls in _ASSERTIONS.items()}
_OCTET_STRING: Final = 0x04


def unpack(data: bytes) -> Filter:
    """The filter that all of `data` is; raises DecodeError."""
    _, _, stop = read_element(data, 0, len(data), "Filter")
    if stop != len(data):
        raise DecodeError(f"{len(data) - stop} bytes too many", stop, "Filter")
    return decode(data, 0, stop)


def decode(data: bytes, start: int, end: int) -> Filter:
    """The filter in the element data[start:end], tag included."""
    try:
        return _decode(data, start, end, FILTER_DEPTH_MAX, [FILTER_TERMS_MAX])
    except IndexError:
        raise DecodeError("ends early", end, "Filter") from None


def _decode(data: bytes, start: int, end: int, depth: int, left: list[int]) -> Filter:
    """depth: how many levels may still follow. left: one number, how many terms may still follow."""
    tag, pos, stop = data[start], start + 2, data[start + 1]
    if stop >= 0x80:
        stop, pos = long_length(data, start + 1, "Filter")
    if pos + stop != end:
        raise DecodeError("length disagrees with what holds the filter", start, "Filter")
    left[0] -= 1
    if left[0] < 0:
        raise DecodeError("too many terms", start, "Filter")
    if tag in _ASSERTIONS:
        attribute, value = _attribute_value(data, pos, end)
        return _ASSERTIONS[tag](attribute, value)
    if tag == 0x87:
        return Present(_text(data, pos, end))
    if tag == 0xA4:
        return _substrings(data, pos, end)
    if tag == 0xA9:
        return _extensible(data, pos, end)
    if tag not in (0xA0, 0xA1, 0xA2):
        raise DecodeError(f"no filter has tag {tag:#x}", start, "Filter")
    if depth <= 1:
        raise DecodeError("nested too deeply", start, "Filter")
    terms = []
    while pos < end:
        _, _, stop = read_element(data, pos, end, "Filter")
        terms.append(_decode(data, pos, stop, depth - 1, left))
        pos = stop
    if tag == 0xA2:
        if len(terms) != 1:
            raise DecodeError("not one term", start, "Filter.not")
        return Not(terms[0])
    return And(tuple(terms)) if tag == 0xA0 else Or(tuple(terms))


def _text(data: bytes, start: int, end: int) -> str:
    if start == end:
        raise DecodeError("empty attribute description", start, "Filter")
    try:
        return data[start:end].decode()
    except UnicodeDecodeError:
        raise DecodeError("not UTF-8", start, "Filter") from None


def _attribute_value(data: bytes, pos: int, end: int) -> tuple[str, bytes]:
    """The two fields of an AttributeValueAssertion."""
    tag, start, stop = read_element(data, pos, end, "AttributeValueAssertion.attributeDesc")
    value_tag, value_start, value_end = read_element(
        data, stop, end, "AttributeValueAssertion.assertionValue"
    )
    if tag != _OCTET_STRING or value_tag != _OCTET_STRING or value_end != end:
        raise DecodeError("not two octet strings", pos, "AttributeValueAssertion")
    return _text(data, start, stop), data[value_start:value_end]


def _substrings(data: bytes, pos: int, end: int) -> "Substrings | Or":
    """Without pieces, which RFC 4511 forbids and some send: what nothing matches."""
    tag, start, stop = read_element(data, pos, end, "SubstringFilter.type")
    list_tag, pos, list_end = read_element(data, stop, end, "SubstringFilter.substrings")
    if tag != _OCTET_STRING or list_tag != 0x30 or list_end != end:
        raise DecodeError("not a type and its substrings", start, "SubstringFilter")
    if pos == end:
        return Or(())
    initial: bytes | None = None
    final: bytes | None = None
    middle: list[bytes] = []
    first = pos
    while pos < end:
        piece_tag, piece_start, piece_end = read_element(data, pos, end, "SubstringFilter.substrings")
        piece = data[piece_start:piece_end]
        if piece_tag == 0x80 and pos == first:
            initial = piece
        elif piece_tag == 0x81:
            middle.append(piece)
        elif piece_tag == 0x82 and piece_end == end:
            final = piece
        else:
            raise DecodeError("initial, any and final out of order", pos, "SubstringFilter.substrings")
        if len(middle) > FILTER_TERMS_MAX:
            raise DecodeError("too many substrings", pos, "SubstringFilter.substrings")
        pos = piece_end
    return Substrings(_text(data, start, stop), initial, tuple(middle), final)


def _extensible(data: bytes, pos: int, end: int) -> Extensible:
    rule: str | None = None
    attribute: str | None = None
    value: bytes | None = None
    dn_attributes = False
    last = 0x80
    while pos < end:
        tag, start, stop = read_element(data, pos, end, "MatchingRuleAssertion")
        if tag <= last or not 0x81 <= tag <= 0x84:
            raise DecodeError(f"tag {tag:#x} out of order", pos, "MatchingRuleAssertion")
        if tag == 0x81:
            rule = _text(data, start, stop)
        elif tag == 0x82:
            attribute = _text(data, start, stop)
        elif tag == 0x83:
            value = data[start:stop]
        elif stop - start != 1:
            raise DecodeError("bad size of a boolean", pos, "MatchingRuleAssertion.dnAttributes")
        else:
            dn_attributes = data[start] != 0
        last, pos = tag, stop
    if value is None or (rule is None and attribute is None):
        raise DecodeError("value, or both rule and type, missing", pos, "MatchingRuleAssertion")
    return Extensible(rule, attribute, value, dn_attributes)


def pack(filter_: Filter) -> bytes:
    """The BER form."""
    match filter_:
        case And(terms):
            return element(0xA0, b"".join(map(pack, terms)))
        case Or(terms):
            return element(0xA1, b"".join(map(pack, terms)))
        case Not(term):
            return element(0xA2, pack(term))
        case Equal() | GreaterOrEqual() | LessOrEqual() | Approx():
            assertion = element(_OCTET_STRING, filter_.attribute.encode()) + element(
                _OCTET_STRING, filter_.value
            )
            return element(_ASSERTION_TAGS[type(filter_)], assertion)
        case Present(attribute):
            return element(0x87, attribute.encode())
        case Substrings():
            return _pack_substrings(filter_)
        case Extensible():
            return _pack_extensible(filter_)
        case _:
            assert_never(filter_)


def _pack_substrings(filter_: Substrings) -> bytes:
    pieces = [element(0x81, piece) for piece in filter_.any]
    if filter_.initial is not None:
        pieces.insert(0, element(0x80, filter_.initial))
    if filter_.final is not None:
        pieces.append(element(0x82, filter_.final))
    assert pieces, "a substring filter without substrings"
    return element(0xA4, element(_OCTET_STRING, filter_.attribute.encode()) + element(0x30, b"".join(pieces)))


def _pack_extensible(filter_: Extensible) -> bytes:
    out = b""
    if filter_.rule is not None:
        out += element(0x81, filter_.rule.encode())
    if filter_.attribute is not None:
        out += element(0x82, filter_.attribute.encode())
    out += element(0x83, filter_.value)
    if filter_.dn_attributes:
        out += b"\x84\x01\xff"
    return element(0xA9, out)


_ITEM: Final = re.compile(
    r"(?P<attribute>[A-Za-z0-9_.;-]+)?(?P<dn>:[dD][nN](?=:))?(?::(?P<rule>[A-Za-z0-9_.-]+)(?=:=))?"
    r"(?P<operator>:=|~=|>=|<=|=)(?P<value>[^()\x00]*)"
)
_ESCAPED: Final = re.compile(rb"\\([0-9A-Fa-f]{2})|\\")
_TEXT_ASSERTIONS: Final[dict[str, _Assertion]] = {">=": GreaterOrEqual, "<=": LessOrEqual, "~=": Approx}


def parse_text(text: str) -> Filter:
    """The filter that `text` stands for; the outermost parentheses may be missing. Raises DecodeError."""
    parser = _TextParser(text)
    found = parser.filter(FILTER_DEPTH_MAX) if text.startswith("(") else parser.item()
    if parser.pos != len(text):
        raise DecodeError("text behind the filter", parser.pos, "Filter")
    return found


class _TextParser:
    """Recursive descent over RFC 4515, with a depth budget."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.pos = 0
        self.left = FILTER_TERMS_MAX

    def filter(self, depth: int) -> Filter:
        """What stands in parentheses at the cursor."""
        self.left -= 1
        if depth < 1 or self.left < 0:
            raise DecodeError("nested too deeply or too many terms", self.pos, "Filter")
        self.expect("(")
        sign = self.text[self.pos : self.pos + 1]
        found: Filter
        if sign and sign in "&|!":
            self.pos += 1
            terms = []
            while self.text.startswith("(", self.pos):
                terms.append(self.filter(depth - 1))
            if sign == "!" and len(terms) != 1:
                raise DecodeError("not one term behind !", self.pos, "Filter")
            found = Not(terms[0]) if sign == "!" else (And if sign == "&" else Or)(tuple(terms))
        else:
            found = self.item()
        self.expect(")")
        return found

    def expect(self, sign: str) -> None:
        if not self.text.startswith(sign, self.pos):
            raise DecodeError(f"{sign} missing", self.pos, "Filter")
        self.pos += 1

    def item(self) -> Filter:
        match = _ITEM.match(self.text, self.pos)
        if match is None:
            raise DecodeError("not an assertion", self.pos, "Filter")
        attribute, operator, value = match["attribute"], match["operator"], match["value"]
        start, self.pos = self.pos, match.end()
        if operator == ":=":
            if attribute is None and match["rule"] is None:
                raise DecodeError("neither attribute nor rule", start, "Filter")
            return Extensible(match["rule"], attribute, self.value(value), match["dn"] is not None)
        if attribute is None or match["dn"] or match["rule"]:
            raise DecodeError("not an attribute", start, "Filter")
        if operator in _TEXT_ASSERTIONS:
            return _TEXT_ASSERTIONS[operator](attribute, self.value(value))
        if "*" not in value:
            return Equal(attribute, self.value(value))
        first, *middle, last = value.split("*")
        if not (first or last or any(middle)):
            return Present(attribute)
        pieces = tuple(self.value(piece) for piece in middle if piece)
        initial, final = (self.value(piece) if piece else None for piece in (first, last))
        return Substrings(attribute, initial, pieces, final)

    def value(self, text: str) -> bytes:
        r"""The bytes of a value with \xx escapes."""
        if "*" in text:
            raise DecodeError("* is not allowed here", self.pos, "Filter")
        return _ESCAPED.sub(self.unescape, text.encode("utf-8", "surrogatepass"))

    def unescape(self, match: re.Match[bytes]) -> bytes:
        if match[1] is None:
            raise DecodeError("backslash without two hex digits", self.pos, "Filter")
        return bytes.fromhex(match[1].decode())


_MUST_ESCAPE: Final = re.compile("[\\x00()*\\\\\udc80-\udcff]")


def _escape(value: bytes) -> str:
    text = value.decode("utf-8", "surrogateescape")
    return _MUST_ESCAPE.sub(lambda match: f"\\{ord(match[0]) & 0xFF:02x}", text)


def to_text(filter_: Filter) -> str:
    """The RFC 4515 form."""
    match filter_:
        case And(terms):
            return f"(&{''.join(map(to_text, terms))})"
        case Or(terms):
            return f"(|{''.join(map(to_text, terms))})"
        case Not(term):
            return f"(!{to_text(term)})"
        case Equal(attribute, value):
            return f"({attribute}={_escape(value)})"
        case GreaterOrEqual(attribute, value):
            return f"({attribute}>={_escape(value)})"
        case LessOrEqual(attribute, value):
            return f"({attribute}<={_escape(value)})"
        case Approx(attribute, value):
            return f"({attribute}~={_escape(value)})"
        case Present(attribute):
            return f"({attribute}=*)"
        case Substrings(attribute, initial, middle, final):
            pieces = (initial or b"", *middle, final or b"")
            return f"({attribute}={'*'.join(map(_escape, pieces))})"
        case Extensible(rule, attribute, value, dn_attributes):
            head = f"{attribute or ''}{':dn' if dn_attributes else ''}{f':{rule}' if rule else ''}"
            return f"({head}:={_escape(value)})"
        case _:
            assert_never(filter_)
