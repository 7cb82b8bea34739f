"""Conditional expressions and resource attributes as SDDL text.

Spec: [MS-DTYP] 2.5.1.1 (cond-expr, attribute-data), 2.5.1.2, 2.5.1.3.
"""

import re
from collections.abc import Callable
from typing import Final

from addc.base.errors import DecodeError
from addc.codec.ids import Sid
from addc.security import conditions as c
from addc.security.token import ClaimValue

DEPTH_MAX: Final = 64

_SPACE: Final = re.compile(r"[\t-\r ]*")
_INT: Final = re.compile(r"([+-]?)(0[xX][0-9a-fA-F]+|[0-9]+)")
_STRING: Final = re.compile(r'"([^"]*)"')
_OCTETS: Final = re.compile(r"#((?:[0-9a-fA-F]{2})*)")
_SID: Final = re.compile(r"SID\s*\(\s*([A-Za-z0-9-]+)\s*\)", re.IGNORECASE)
_SIMPLE_NAME: Final = re.compile(r"[A-Za-z0-9:./_][A-Za-z0-9:./_@]*")
_PREFIXED_NAME: Final = re.compile(
    r"@(user|device|resource)\.((?:[^\s!&()<>=|%\",]|%[0-9a-fA-F]{4})+)", re.IGNORECASE
)
_ENCODED: Final = re.compile(r"%([0-9a-fA-F]{4})")
_MUST_ENCODE: Final = re.compile(r'[!&()<>=|%" ,\x00-\x1f]')
_WORD: Final = re.compile(r"[A-Za-z_]+")
_RELATION: Final = re.compile(r"==|!=|<=|>=|<|>")

_PREFIXES: Final = {
    "user": c.USER_ATTRIBUTE,
    "device": c.DEVICE_ATTRIBUTE,
    "resource": c.RESOURCE_ATTRIBUTE,
}
_PREFIX_NAMES: Final = {
    c.LOCAL_ATTRIBUTE: "",
    c.USER_ATTRIBUTE: "@User.",
    c.DEVICE_ATTRIBUTE: "@Device.",
    c.RESOURCE_ATTRIBUTE: "@Resource.",
}
_SYMBOLS: Final = {
    "==": c.EQUAL,
    "!=": c.NOT_EQUAL,
    "<": c.LESS,
    "<=": c.LESS_EQUAL,
    ">": c.GREATER,
    ">=": c.GREATER_EQUAL,
}
_LIST_WORDS: Final = {
    "Contains": c.CONTAINS,
    "Not_Contains": c.NOT_CONTAINS,
    "Any_of": c.ANY_OF,
    "Not_Any_of": c.NOT_ANY_OF,
}
_MEMBER_WORDS: Final = {
    "Member_of": c.MEMBER_OF,
    "Not_Member_of": c.NOT_MEMBER_OF,
    "Member_of_Any": c.MEMBER_OF_ANY,
    "Not_Member_of_Any": c.NOT_MEMBER_OF_ANY,
    "Device_Member_of": c.DEVICE_MEMBER_OF,
    "Device_Member_of_Any": c.DEVICE_MEMBER_OF_ANY,
    "Not_Device_Member_of": c.NOT_DEVICE_MEMBER_OF,
    "Not_Device_Member_of_Any": c.NOT_DEVICE_MEMBER_OF_ANY,
}
_EXISTS_WORDS: Final = {"Exists": c.EXISTS, "Not_Exists": c.NOT_EXISTS}
_WORDS: Final = {name.lower(): code for name, code in (_MEMBER_WORDS | _EXISTS_WORDS).items()}
_LIST_CODES: Final = {name.lower(): code for name, code in _LIST_WORDS.items()}
_OPERATOR_TEXT: Final = {
    code: name
    for table in (_SYMBOLS, _LIST_WORDS, _MEMBER_WORDS, _EXISTS_WORDS)
    for name, code in table.items()
}

SidParser = Callable[[str], Sid]
SidPrinter = Callable[[Sid], str]


def _decode_name(text: str) -> str:
    return _ENCODED.sub(lambda match: chr(int(match.group(1), 16)), text)


def _encode_name(name: str) -> str:
    return _MUST_ENCODE.sub(lambda match: f"%{ord(match.group()):04x}", name)


class _Cursor:
    """A place in a text; everything skips the white space before it."""

    __slots__ = ("pos", "sid", "text")

    def __init__(self, text: str, sid: SidParser) -> None:
        self.text = text
        self.pos = 0
        self.sid = sid

    def fail(self, why: str) -> DecodeError:
        return DecodeError(why, self.pos, "cond-expr")

    def match(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        space = _SPACE.match(self.text, self.pos)
        self.pos = space.end() if space else self.pos
        found = pattern.match(self.text, self.pos)
        if found is not None:
            self.pos = found.end()
        return found

    def eat(self, symbol: str) -> bool:
        space = _SPACE.match(self.text, self.pos)
        self.pos = space.end() if space else self.pos
        if self.text.startswith(symbol, self.pos):
            self.pos += len(symbol)
            return True
        return False

    def expect(self, symbol: str) -> None:
        if not self.eat(symbol):
            raise self.fail(f"{symbol} expected")

    def finish(self) -> None:
        self.match(_SPACE)
        if self.pos != len(self.text):
            raise self.fail("end expected")

    def attribute(self) -> c.Item | None:
        """An attribute's name in either form."""
        found = self.match(_PREFIXED_NAME)
        if found is not None:
            return c.Item(_PREFIXES[found.group(1).lower()], _decode_name(found.group(2)))
        found = self.match(_SIMPLE_NAME)
        return None if found is None else c.Item(c.LOCAL_ATTRIBUTE, found.group())

    def integer(self) -> c.Item | None:
        found = self.match(_INT)
        if found is None:
            return None
        sign_text, digits = found.groups()
        base = c.BASE_16 if digits[:2] in ("0x", "0X") else c.BASE_8 if _is_octal(digits) else c.BASE_10
        try:
            value = int(digits, {c.BASE_16: 16, c.BASE_8: 8, c.BASE_10: 10}[base])
        except ValueError:
            raise self.fail("not a number") from None
        value = -value if sign_text == "-" else value
        if not -(1 << 63) <= value < 1 << 63:
            raise self.fail("more than 64 bits")
        sign = {"+": c.SIGN_PLUS, "-": c.SIGN_MINUS, "": c.SIGN_NONE}[sign_text]
        return c.Item(c.INT64, value, (), sign, base)

    def literal(self) -> c.Item | None:
        found = self.match(_STRING)
        if found is not None:
            return c.Item(c.UNICODE_STRING, found.group(1))
        found = self.match(_OCTETS)
        if found is not None:
            return c.Item(c.OCTET_STRING, bytes.fromhex(found.group(1)))
        found = self.match(_SID)
        if found is not None:
            return c.Item(c.SID, self.sid(found.group(1)))
        return self.integer()

    def literals(self) -> c.Item:
        """One literal, or a list in braces."""
        if not self.eat("{"):
            single = self.literal()
            if single is None:
                raise self.fail("literal expected")
            return single
        items: list[c.Item] = []
        while not self.eat("}"):
            if items:
                self.expect(",")
            item = self.literal()
            if item is None:
                raise self.fail("literal expected")
            items.append(item)
        return c.Item(c.COMPOSITE, None, tuple(items))


def _is_octal(digits: str) -> bool:
    return digits[0] == "0" and len(digits) > 1


class _ConditionParser(_Cursor):
    """Recursive descent over cond-expr; tokens come out in postfix order."""

    __slots__ = ("out",)

    def __init__(self, text: str, sid: SidParser) -> None:
        super().__init__(text, sid)
        self.out: list[c.Item] = []

    def expression(self, depth: int) -> None:
        if depth > DEPTH_MAX:
            raise self.fail("nested too deeply")
        self.conjunction(depth)
        while self.eat("||"):
            self.conjunction(depth)
            self.out.append(c.Item(c.OR))

    def conjunction(self, depth: int) -> None:
        self.factor(depth)
        while self.eat("&&"):
            self.factor(depth)
            self.out.append(c.Item(c.AND))

    def factor(self, depth: int) -> None:
        if depth > DEPTH_MAX:
            raise self.fail("nested too deeply")
        if self.eat("("):
            self.expression(depth + 1)
            self.expect(")")
        elif self.eat("!"):
            self.factor(depth + 1)
            self.out.append(c.Item(c.NOT))
        else:
            self.term()

    def term(self) -> None:
        start = self.pos
        word = self.match(_WORD)
        code = _WORDS.get(word.group().lower()) if word is not None else None
        if code is not None and code in c.MEMBERSHIPS:
            self.out += (self.sids(), c.Item(code))
            return
        if code is not None:
            attribute = self.attribute()
            if attribute is None:
                raise self.fail("attribute expected")
            self.out += (attribute, c.Item(code))
            return
        self.pos = start
        attribute = self.attribute()
        if attribute is None:
            raise self.fail("term expected")
        self.out.append(attribute)
        self.relation()

    def sids(self) -> c.Item:
        operand = self.literals()
        items = operand.items if operand.code == c.COMPOSITE else (operand,)
        if not items or any(item.code != c.SID for item in items):
            raise self.fail("SIDs expected")
        return operand

    def relation(self) -> None:
        """What follows an attribute: nothing, or an operator with its right side."""
        symbol = self.match(_RELATION)
        if symbol is not None:
            code: int | None = _SYMBOLS[symbol.group()]
        else:
            start = self.pos
            word = self.match(_WORD)
            code = _LIST_CODES.get(word.group().lower()) if word is not None else None
            if code is None:
                self.pos = start
                return
        found = self.match(_PREFIXED_NAME)
        if found is not None:
            right = c.Item(_PREFIXES[found.group(1).lower()], _decode_name(found.group(2)))
        else:
            right = self.literals()
        assert code is not None
        self.out += (right, c.Item(code))


def parse_condition(text: str, sid: SidParser) -> bytes:
    """ApplicationData of a conditional entry from "(cond-expr)"; raises DecodeError."""
    parser = _ConditionParser(text, sid)
    parser.expect("(")
    parser.expression(0)
    parser.expect(")")
    parser.finish()
    return c.SIGNATURE + b"".join([c.pack_item(item) for item in parser.out])


def _operand_text(item: c.Item, sid: SidPrinter) -> str:
    if item.code in c.ATTRIBUTES:
        return _PREFIX_NAMES[item.code] + _encode_name(str(item.value))
    if item.code == c.COMPOSITE:
        return "{" + ", ".join([_operand_text(inner, sid) for inner in item.items]) + "}"
    value = item.value
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, Sid):
        return f"SID({sid(value)})"
    if isinstance(value, bytes):
        return "#" + value.hex()
    assert isinstance(value, int)
    sign = {c.SIGN_PLUS: "+", c.SIGN_MINUS: "-"}.get(item.sign, "")
    digits = {c.BASE_8: f"0{abs(value):o}", c.BASE_16: f"{abs(value):#x}"}.get(item.base, str(abs(value)))
    return sign + digits


_TERM: Final = 4
_RANK: Final = {c.AND: 2, c.OR: 1}


def format_condition(data: bytes, sid: SidPrinter) -> str:
    """ "(cond-expr)" of a conditional entry's data; raises DecodeError if it is none."""
    stack: list[tuple[str, int]] = []

    def pop() -> tuple[str, int]:
        if not stack:
            raise DecodeError("operand missing", -1, "ApplicationData")
        return stack.pop()

    for item in c.unpack_condition(data):
        if item.code in c.RELATIONS:
            right, left = pop()[0], pop()[0]
            stack.append((f"{left} {_OPERATOR_TEXT[item.code]} {right}", _TERM))
        elif item.code in c.MEMBERSHIPS or item.code in (c.EXISTS, c.NOT_EXISTS):
            stack.append((f"{_OPERATOR_TEXT[item.code]} {pop()[0]}", _TERM))
        elif item.code == c.NOT:
            stack.append((f"!({pop()[0]})", 3))
        elif item.code in c.BINARY_LOGIC:
            rank = _RANK[item.code]
            (right, right_rank), (left, left_rank) = pop(), pop()
            right = f"({right})" if right_rank <= rank else right
            left = f"({left})" if left_rank < rank else left
            stack.append((f"{left} {'&&' if item.code == c.AND else '||'} {right}", rank))
        else:
            stack.append((_operand_text(item, sid), _TERM))
    if len(stack) != 1:
        raise DecodeError("not one expression", -1, "ApplicationData")
    return f"({stack[0][0]})"


_VALUE_TYPES: Final = {
    "TI": c.TYPE_INT64,
    "TU": c.TYPE_UINT64,
    "TS": c.TYPE_STRING,
    "TD": c.TYPE_SID,
    "TX": c.TYPE_OCTET_STRING,
    "TB": c.TYPE_BOOLEAN,
}
_VALUE_TYPE_NAMES: Final = {number: name for name, number in _VALUE_TYPES.items()}
_TYPE_WORD: Final = re.compile(r"T[IUSDXB]", re.IGNORECASE)
_FLAGS: Final = re.compile(r"0[xX][0-9a-fA-F]{1,8}|[0-9]{1,10}")
_HEX: Final = re.compile(r"#?((?:[0-9a-fA-F]{2})+)")
_SID_WORD: Final = re.compile(r"SID\s*\(\s*([A-Za-z0-9-]+)\s*\)|([A-Za-z0-9-]+)", re.IGNORECASE)


def parse_resource_attribute(text: str, sid: SidParser) -> bytes:
    """CLAIM_SECURITY_ATTRIBUTE_RELATIVE_V1 from ("name",TS,0x0,"value",...); raises DecodeError."""
    cursor = _Cursor(text, sid)
    cursor.expect("(")
    name = cursor.match(_STRING)
    cursor.expect(",")
    word = cursor.match(_TYPE_WORD)
    cursor.expect(",")
    flags = cursor.match(_FLAGS)
    if name is None or not name.group(1) or word is None or flags is None:
        raise cursor.fail("name, type and flags expected")
    kind = _VALUE_TYPES[word.group().upper()]
    values: list[ClaimValue] = []
    while cursor.eat(","):
        values.append(_attribute_value(cursor, kind))
        if len(values) > c.VALUES_MAX:
            raise cursor.fail("too many values")
    cursor.expect(")")
    cursor.finish()
    number = int(flags.group(), 0 if flags.group()[:2] in ("0x", "0X") else 10) & 0xFFFF_FFFF
    return c.ResourceAttribute(_decode_name(name.group(1)), kind, number, tuple(values)).pack()


def _attribute_value(cursor: _Cursor, kind: int) -> ClaimValue:
    if kind == c.TYPE_STRING:
        text = cursor.match(_STRING)
        if text is not None:
            return text.group(1)
    elif kind == c.TYPE_OCTET_STRING:
        octets = cursor.match(_HEX)
        if octets is not None:
            return bytes.fromhex(octets.group(1))
    elif kind == c.TYPE_SID:
        word = cursor.match(_SID_WORD)
        if word is not None:
            return cursor.sid(word.group(1) or word.group(2))
    else:
        number = cursor.match(_INT)
        if number is not None:
            digits = number.group(2)
            base = 16 if digits[:2] in ("0x", "0X") else 10
            value = int(digits, base) * (-1 if number.group(1) == "-" else 1)
            low, high = (-(1 << 63), 1 << 63) if kind == c.TYPE_INT64 else (0, 1 << 64)
            if kind == c.TYPE_BOOLEAN and value in (0, 1):
                return bool(value)
            if kind != c.TYPE_BOOLEAN and low <= value < high:
                return value
    raise cursor.fail("value does not fit the type")


def format_resource_attribute(data: bytes, sid: SidPrinter) -> str:
    """The text form of a resource attribute; raises DecodeError."""
    attribute = c.unpack_resource_attribute(data)
    name = _VALUE_TYPE_NAMES.get(attribute.type)
    if name is None:
        raise DecodeError("unknown value type", 4, "ValueType")
    fields = [f'"{_encode_name(attribute.name)}"', name, f"{attribute.flags:#x}"]
    for value in attribute.values:
        if isinstance(value, Sid):
            fields.append(sid(value))
        elif isinstance(value, bytes):
            fields.append(value.hex())
        else:
            fields.append(f'"{value}"' if isinstance(value, str) else str(int(value)))
    return f"({','.join(fields)})"
