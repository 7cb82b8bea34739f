"""Conditional expressions and resource attributes: their binary forms.

Spec: [MS-DTYP] 2.4.4.17.4 - 2.4.4.17.8, 2.4.10.1.
"""

import struct
from functools import lru_cache
from typing import Final, NamedTuple

from addc.base.errors import DecodeError
from addc.codec.cursor import Reader, Writer
from addc.codec.ids import Sid
from addc.codec.text import utf16_from_wire, utf16_to_wire
from addc.security.token import Claim, ClaimValue

SIGNATURE: Final = b"artx"

INT8: Final = 0x01
INT16: Final = 0x02
INT32: Final = 0x03
INT64: Final = 0x04
UNICODE_STRING: Final = 0x10
OCTET_STRING: Final = 0x18
COMPOSITE: Final = 0x50
SID: Final = 0x51
LOCAL_ATTRIBUTE: Final = 0xF8
USER_ATTRIBUTE: Final = 0xF9
RESOURCE_ATTRIBUTE: Final = 0xFA
DEVICE_ATTRIBUTE: Final = 0xFB

EQUAL: Final = 0x80
NOT_EQUAL: Final = 0x81
LESS: Final = 0x82
LESS_EQUAL: Final = 0x83
GREATER: Final = 0x84
GREATER_EQUAL: Final = 0x85
CONTAINS: Final = 0x86
EXISTS: Final = 0x87
ANY_OF: Final = 0x88
MEMBER_OF: Final = 0x89
DEVICE_MEMBER_OF: Final = 0x8A
MEMBER_OF_ANY: Final = 0x8B
DEVICE_MEMBER_OF_ANY: Final = 0x8C
NOT_EXISTS: Final = 0x8D
NOT_CONTAINS: Final = 0x8E
NOT_ANY_OF: Final = 0x8F
NOT_MEMBER_OF: Final = 0x90
NOT_DEVICE_MEMBER_OF: Final = 0x91
NOT_MEMBER_OF_ANY: Final = 0x92
NOT_DEVICE_MEMBER_OF_ANY: Final = 0x93
AND: Final = 0xA0
OR: Final = 0xA1
NOT: Final = 0xA2

INTS: Final = frozenset((INT8, INT16, INT32, INT64))
ATTRIBUTES: Final = frozenset((LOCAL_ATTRIBUTE, USER_ATTRIBUTE, RESOURCE_ATTRIBUTE, DEVICE_ATTRIBUTE))
RELATIONS: Final = frozenset((*range(0x80, 0x87), ANY_OF, NOT_CONTAINS, NOT_ANY_OF))
MEMBERSHIPS: Final = frozenset((*range(0x89, 0x8D), *range(0x90, 0x94)))
UNARY_LOGIC: Final = frozenset((EXISTS, NOT_EXISTS, NOT))
BINARY_LOGIC: Final = frozenset((AND, OR))
_OPERATORS: Final = RELATIONS | MEMBERSHIPS | UNARY_LOGIC | BINARY_LOGIC

SIGN_PLUS: Final = 1
SIGN_MINUS: Final = 2
SIGN_NONE: Final = 3
BASE_8: Final = 1
BASE_10: Final = 2
BASE_16: Final = 3

TOKENS_MAX: Final = 4096


class Item(NamedTuple):
    """One token of an expression in postfix order.

    value: of a literal, an attribute's name, None for an operator; a composite has its elements in `items`.
    sign, base: how an integer was written, for printing.
    """

    code: int
    value: int | str | bytes | Sid | None = None
    items: "tuple[Item, ...]" = ()
    sign: int = SIGN_NONE
    base: int = BASE_10


@lru_cache(maxsize=1024)
def unpack_condition(data: bytes) -> tuple[Item, ...]:
    """The tokens of a callback entry's data; raises DecodeError if it is no conditional expression."""
    if data[:4] != SIGNATURE:
        raise DecodeError("not a conditional expression", 0, "ApplicationData")
    reader = Reader(data, 4)
    out: list[Item] = []
    while reader.remaining():
        if len(out) >= TOKENS_MAX:
            raise DecodeError("too many tokens", reader.pos, "ApplicationData")
        if reader.remaining() < 4 and not any(data[reader.pos :]):
            break
        out.append(_item(reader, True))
    return tuple(out)


def _item(reader: Reader, composite_allowed: bool) -> Item:
    at = reader.pos
    code = reader.u8("token")
    if code in _OPERATORS:
        return Item(code)
    if code in INTS:
        value = struct.unpack("<q", reader.take(8, "integer"))[0]
        sign, base = reader.u8("sign"), reader.u8("base")
        if sign not in (1, 2, 3) or base not in (1, 2, 3):
            raise DecodeError("unknown sign or base", at, "integer")
        return Item(code, -abs(value) if sign == SIGN_MINUS else abs(value), (), sign, base)
    if code == COMPOSITE and composite_allowed:
        inner = reader.window(reader.u32("size"), "composite")
        items: list[Item] = []
        while inner.remaining():
            items.append(_item(inner, False))
            if len(items) > TOKENS_MAX or items[-1].code in _OPERATORS | ATTRIBUTES:
                raise DecodeError("not a list of literals", at, "composite")
        return Item(code, None, tuple(items))
    if code in (UNICODE_STRING, OCTET_STRING, SID) or code in ATTRIBUTES:
        content = reader.take(reader.u32("size"), "content")
        if code == OCTET_STRING:
            return Item(code, content)
        if code == SID:
            return Item(code, Sid.of(content))
        return Item(code, utf16_from_wire(content))
    raise DecodeError(f"unknown token {code:#x}", at, "token")


def pack_item(item: Item) -> bytes:
    """Wire bytes of one token."""
    head = bytes((item.code,))
    if item.code in INTS:
        assert isinstance(item.value, int)
        return head + struct.pack("<qBB", item.value, item.sign, item.base)
    if item.code == COMPOSITE:
        content = b"".join([pack_item(inner) for inner in item.items])
    elif isinstance(item.value, str):
        content = utf16_to_wire(item.value)
    elif isinstance(item.value, bytes):
        content = bytes(item.value)
    else:
        return head
    return head + len(content).to_bytes(4, "little") + content


TYPE_INT64: Final = 0x01
TYPE_UINT64: Final = 0x02
TYPE_STRING: Final = 0x03
TYPE_SID: Final = 0x05
TYPE_BOOLEAN: Final = 0x06
TYPE_OCTET_STRING: Final = 0x10
VALUE_CASE_SENSITIVE: Final = 0x0002
VALUES_MAX: Final = 1024


class ResourceAttribute(NamedTuple):
    """CLAIM_SECURITY_ATTRIBUTE_RELATIVE_V1, [MS-DTYP] 2.4.10.1."""

    name: str
    type: int
    flags: int
    values: tuple[ClaimValue, ...]

    def claim(self) -> Claim:
        """As the evaluation of a condition sees it."""
        return Claim(self.name, self.values, bool(self.flags & VALUE_CASE_SENSITIVE))

    def pack(self) -> bytes:
        writer = Writer()
        writer.put(bytes(16))
        writer.put(bytes(4 * len(self.values)))
        offsets = []
        name_at = len(writer)
        writer.put(utf16_to_wire(self.name) + b"\0\0")
        for value in self.values:
            writer.align(4)
            offsets.append(len(writer))
            writer.put(_pack_value(self.type, value))
        head = struct.pack("<IHHII", name_at, self.type, 0, self.flags, len(self.values))
        writer.out[: 16 + 4 * len(offsets)] = head + struct.pack(f"<{len(offsets)}I", *offsets)
        return writer.bytes()


def _pack_value(kind: int, value: ClaimValue) -> bytes:
    if kind == TYPE_INT64:
        assert isinstance(value, int)
        return struct.pack("<q", value)
    if isinstance(value, int):
        return struct.pack("<Q", value)
    if isinstance(value, str):
        return utf16_to_wire(value) + b"\0\0"
    return len(value).to_bytes(4, "little") + value


def _text_at(data: bytes, pos: int, path: str) -> str:
    """A UTF-16 string that ends with NUL."""
    end = pos
    while data[end : end + 2] != b"\0\0":
        end += 2
        if end + 2 > len(data):
            raise DecodeError("unterminated string", pos, path)
    return utf16_from_wire(data[pos:end], path)


@lru_cache(maxsize=1024)
def unpack_resource_attribute(data: bytes) -> ResourceAttribute:
    """Read the data of a SYSTEM_RESOURCE_ATTRIBUTE_ACE; raises DecodeError."""
    reader = Reader(data)
    name_at, kind = reader.u32("Name"), reader.u16("ValueType")
    reader.skip(2, "Reserved")
    flags, count = reader.u32("Flags"), reader.u32("ValueCount")
    if count > VALUES_MAX:
        raise DecodeError("too many values", 12, "ValueCount")
    offsets = [reader.u32("Values") for _ in range(count)]
    values = tuple([_value_at(data, offset, kind) for offset in offsets])
    return ResourceAttribute(_text_at(data, min(name_at, len(data)), "Name"), kind, flags, values)


def _value_at(data: bytes, offset: int, kind: int) -> ClaimValue:
    reader = Reader(data, min(offset, len(data)))
    if kind == TYPE_INT64:
        return int(struct.unpack("<q", reader.take(8, "Values"))[0])
    if kind == TYPE_UINT64:
        return reader.u64("Values")
    if kind == TYPE_BOOLEAN:
        return bool(reader.u64("Values"))
    if kind == TYPE_STRING:
        return _text_at(data, reader.pos, "Values")
    if kind in (TYPE_SID, TYPE_OCTET_STRING):
        content = reader.take(reader.u32("Length"), "OctetString")
        if kind == TYPE_OCTET_STRING:
            return content
        if content[:4] == b"S\0-\0":
            return Sid.parse(utf16_from_wire(content).rstrip("\0"))
        return Sid.of(content)
    raise DecodeError(f"unknown value type {kind}", 4, "ValueType")
