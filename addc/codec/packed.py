"""Little-endian structures without padding of their own, whose texts and buffers lie behind the fixed part.

    @packed
    class SessionSetupResponse(Packed):
        structure_size: ClassVar = Const(U16, 9)
        session_flags: Annotated[int, U16] = 0
        security_buffer: Annotated[bytes, Buffer(U16, U16)] = b""

A member that is a class variable stands at its place on the wire and no caller can set it. A Buffer is an
offset and a length at the place of its field; what they point to is written behind the fixed part, in order
of declaration. Offsets count from the first byte of the message that the structure is part of: `at` is where
in it the structure begins. Bytes behind what is declared are left alone: these protocols extend messages so.
Functions are written and compiled when a class is first used.
Spec: [MS-SMB2] 2.2, [MS-FSCC] 2.1.
"""

import struct
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, Self, TypeVar, cast, dataclass_transform
from uuid import UUID

from addc.base.errors import DecodeError
from addc.codec.declare import FieldPlan, Source, field_plans, register, slot_setters
from addc.codec.value import Value, valued

ITEMS_MAX: Final = 65_536
Bytes = bytes | bytearray | memoryview


@dataclass(frozen=True, slots=True)
class Number:
    """An integer. code: its letter for the struct module."""

    code: str
    size: int


U8: Final = Number("B", 1)
U16: Final = Number("H", 2)
U32: Final = Number("I", 4)
U64: Final = Number("Q", 8)
I64: Final = Number("q", 8)


@dataclass(frozen=True, slots=True)
class _Guid:
    pass


GUID: Final = _Guid()
"""A UUID in the byte order of Windows."""


@dataclass(frozen=True, slots=True)
class Octets:
    """So many bytes in place."""

    size: int


@dataclass(frozen=True, slots=True)
class Inline:
    """A packed structure without buffers of its own, in place."""

    kind: "type[Packed]"


@dataclass(frozen=True, slots=True)
class Buffer:
    """Bytes, or text where the field is a str, behind the fixed part; length in octets.

    offset: None where nothing points to it: it follows the fixed part, or the buffer before it.
    gap: unused octets between offset and length, or behind both where the length comes first.
    view: a memoryview of the message instead of a copy. align: where it may begin.
    """

    offset: Number | None
    length: Number
    gap: int = 0
    length_first: bool = False
    view: bool = False
    align: int = 1


@dataclass(frozen=True, slots=True)
class Counted:
    """A count at the place of the field; its items (a Number or a packed class) behind the fixed part."""

    count: Number
    item: "Number | type[Packed]"


@dataclass(frozen=True, slots=True)
class Rest:
    """All bytes behind the fixed part and its buffers."""

    view: bool = False


@dataclass(frozen=True, slots=True)
class Const:
    """A class variable: this number on the wire, and nothing else accepted."""

    kind: Number
    value: int


@dataclass(frozen=True, slots=True)
class Pad:
    """A class variable: octets that nobody reads, zeros when written."""

    size: int


P = TypeVar("P", bound="Packed")
PackFunction = Callable[[object, int], bytes]
UnpackFunction = Callable[[memoryview, int], object]
Functions = tuple[PackFunction, UnpackFunction, int]


class Packed(Value):
    """Base of packed structures."""

    __slots__ = ()

    def pack(self, at: int = 0) -> bytes:
        """at: where in its message the structure will begin."""
        return functions_of(type(self))[0](self, at)

    @classmethod
    def unpack(cls, data: Bytes, at: int = 0) -> Self:
        """The structure at `at` in the message `data`. Raises DecodeError."""
        view = data if data.__class__ is memoryview else memoryview(data)
        return cast(Self, functions_of(cls)[1](view, at))

    @classmethod
    def fixed_size(cls) -> int:
        return functions_of(cls)[2]


@dataclass_transform(frozen_default=True)
def packed(cls: type[P]) -> type[P]:
    """Declare a packed structure: like a frozen, slotted dataclass."""
    made = valued(cls)
    _ORDER[made] = tuple(cls.__annotations__)
    register(made)
    return made


_ORDER: Final[dict[type[Packed], tuple[str, ...]]] = {}


_FUNCTIONS: Final[dict[type[Packed], Functions]] = {}


def functions_of(cls: type[Packed]) -> Functions:
    """(pack, unpack, size of the fixed part)."""
    found = _FUNCTIONS.get(cls)
    if found is None:
        found = _FUNCTIONS[cls] = _Compiler(cls).compiled()
    return found


class _Compiler:
    """Writes the functions of one class."""

    def __init__(self, cls: type[Packed]) -> None:
        self.cls = cls
        self.plans: dict[str, FieldPlan] = {plan.name: plan for plan in field_plans(cls)}
        self.source = Source()
        self.format = "<"
        self.loaded: list[str] = []
        """Names for what the struct yields."""
        self.stored: list[str] = []
        """Expressions that the struct takes."""
        self.made: dict[str, str] = {}
        """Field name to the expression of its value, when unpacking."""
        self.checks: list[tuple[str, int]] = []
        self.tails: list[tuple[str, Buffer | Counted | Rest]] = []

    def compiled(self) -> Functions:
        for name in _ORDER[self.cls]:
            self._member(name)
        fixed = struct.Struct(self.format)
        s = self.source
        s.names.update(S=fixed, DecodeError=DecodeError, new=object.__new__, cls=self.cls)
        self._write_unpack(fixed.size)
        self._write_pack(fixed.size)
        names = s.compile(self.cls.__name__)
        return names["pack"], names["unpack"], fixed.size

    # --- the fixed part ---

    def _value(self, code: str, stored: str) -> str:
        name = f"w{len(self.loaded)}"
        self.format += code
        self.loaded.append(name)
        self.stored.append(stored)
        return name

    def _member(self, name: str) -> None:
        plan = self.plans.get(name)
        if plan is None:
            fixed = getattr(self.cls, name)
            if isinstance(fixed, Pad):
                self.format += f"{fixed.size}x"
            elif isinstance(fixed, Const):
                self.checks.append((self._value(fixed.kind.code, str(fixed.value)), fixed.value))
            return
        (kind,) = plan.marks
        match kind:
            case Number():
                self._number(name, plan, kind)
            case _Guid():
                uuid = self.source.bind("UUID", UUID)
                self.made[name] = f"{uuid}(bytes_le={self._value('16s', f'v.{name}.bytes_le')})"
            case Octets():
                self.made[name] = self._value(f"{kind.size}s", f"octets(v.{name}, {kind.size})")
                self.source.names["octets"] = _octets
            case Inline():
                size = kind.kind.fixed_size()
                inner = self.source.bind("unpack_" + name, functions_of(kind.kind)[1])
                data = self._value(f"{size}s", f"v.{name}.pack()")
                self.made[name] = f"{inner}(memoryview({data}), 0)"
            case Buffer() | Counted() | Rest():
                self._tail(name, kind)
            case _:
                raise TypeError(f"{self.cls.__name__}.{name}: not a packed kind")

    def _number(self, name: str, plan: FieldPlan, kind: Number) -> None:
        value = self._value(kind.code, f"v.{name}")
        if plan.type is bool:
            self.made[name] = f"{value} != 0"
        elif isinstance(plan.type, type) and issubclass(plan.type, int) and plan.type is not int:
            convert = plan.type
            if issubclass(convert, IntEnum):
                table = self.source.bind("known_" + name, convert._value2member_map_)
                kind_name = self.source.bind("enum_" + name, convert)
                self.made[name] = f"({table}.get({value}) or of_enum({kind_name}, {value}))"
                self.source.names["of_enum"] = _of_enum
            else:
                self.made[name] = f"{self.source.bind('type_' + name, convert)}({value})"
        else:
            self.made[name] = value

    def _tail(self, name: str, kind: "Buffer | Counted | Rest") -> None:
        self.tails.append((name, kind))
        if isinstance(kind, Rest):
            return
        if isinstance(kind, Counted):
            self.made[name + "#"] = self._value(kind.count.code, f"len(v.{name})")
            return
        gap = f"{kind.gap}x" if kind.gap else ""
        if kind.length_first:
            self.made[name + "#"] = self._value(kind.length.code, f"n_{name}")
            if kind.offset is not None:
                self.made[name + "@"] = self._value(kind.offset.code, f"o_{name}")
            self.format += gap
            return
        if kind.offset is not None:
            self.made[name + "@"] = self._value(kind.offset.code, f"o_{name}")
        self.format += gap
        self.made[name + "#"] = self._value(kind.length.code, f"n_{name}")

    # --- reading ---

    def _write_unpack(self, size: int) -> None:
        s, title = self.source, self.cls.__name__
        with s.block("def unpack(data, at)"):
            with s.block(f"if len(data) - at < {size}"):
                s.line(f"raise DecodeError('{size} bytes wanted', at, {title!r})")
            if self.loaded:
                s.line(f"{', '.join(self.loaded)}, = S.unpack_from(data, at)")
            for value, must_be in self.checks:
                with s.block(f"if {value} != {must_be}"):
                    s.line(f"raise DecodeError('not {must_be}', at, {title!r})")
            if self.tails:
                s.line(f"end = at + {size}")
            for name, kind in self.tails:
                self._unpack_tail(name, kind)
            s.line("value = new(cls)")
            for name, setter in slot_setters(self.cls).items():
                s.line(f"{s.bind('set_' + name, setter)}(value, {self.made[name]})")
            s.line("return value")

    def _unpack_tail(self, name: str, kind: "Buffer | Counted | Rest") -> None:
        s, path = self.source, f"{self.cls.__name__}.{name}"
        local = f"t_{name}"
        match kind:
            case Rest():
                s.line(f"{local} = data[end:]" if kind.view else f"{local} = bytes(data[end:])")
            case Counted(item=Number() as item):
                s.names["take_numbers"] = _take_numbers
                count = self.made[name + "#"]
                s.line(f"{local}, end = take_numbers(data, end, {count}, {item.code!r}, {path!r})")
            case Counted(item=item):
                s.names["take_items"] = _take_items
                inner = s.bind("item_" + name, item)
                s.line(f"{local}, end = take_items(data, end, {self.made[name + '#']}, {inner}, {path!r})")
            case Buffer():
                self._unpack_buffer(name, kind, local, path)
        self.made[name] = local

    def _unpack_buffer(self, name: str, kind: Buffer, local: str, path: str) -> None:
        s, length = self.source, self.made[name + "#"]
        is_text = self.plans[name].type is str
        with s.block(f"if {length}"):
            s.line(f"start = {self.made[name + '@']}" if kind.offset is not None else "start = end")
            with s.block(f"if start < at or start + {length} > len(data)"):
                s.line(f"raise DecodeError('a buffer outside of its message', at, {path!r})")
            s.line(f"end = start + {length}")
            if is_text:
                with s.block(f"if {length} % 2"):
                    s.line(f"raise DecodeError('odd number of bytes', start, {path!r})")
                s.line(f"{local} = str(data[start:end], 'utf-16-le', 'surrogatepass')")
            else:
                s.line(f"{local} = data[start:end]" if kind.view else f"{local} = bytes(data[start:end])")
        with s.block("else"):
            s.line(f"{local} = ''" if is_text else f"{local} = data[:0]" if kind.view else f"{local} = b''")

    # --- writing ---

    def _write_pack(self, size: int) -> None:
        s = self.source
        with s.block("def pack(v, at)"):
            if self.tails:
                s.line(f"end = at + {size}")
                s.line("parts = [b'']")
            for name, kind in self.tails:
                self._pack_tail(name, kind)
            fixed = f"S.pack({', '.join(self.stored)})"
            if self.tails:
                s.line(f"parts[0] = {fixed}")
                s.line("return b''.join(parts)")
            else:
                s.line(f"return {fixed}")

    def _pack_tail(self, name: str, kind: "Buffer | Counted | Rest") -> None:
        s = self.source
        match kind:
            case Rest():
                s.line(f"parts.append(v.{name})")
            case Counted(item=Number() as item):
                s.names["put_numbers"] = _put_numbers
                s.line(f"d_{name} = put_numbers(v.{name}, {item.code!r})")
                s.line(f"parts.append(d_{name}); end += len(d_{name})")
            case Counted():
                s.line(f"d_{name} = b''.join([item.pack() for item in v.{name}])")
                s.line(f"parts.append(d_{name}); end += len(d_{name})")
            case Buffer():
                self._pack_buffer(name, kind)

    def _pack_buffer(self, name: str, kind: Buffer) -> None:
        s = self.source
        if self.plans[name].type is str:
            s.line(f"d_{name} = v.{name}.encode('utf-16-le', 'surrogatepass')")
        else:
            s.line(f"d_{name} = v.{name}")
        s.line(f"n_{name} = len(d_{name})")
        if kind.align > 1:
            with s.block(f"if n_{name} and end % {kind.align}"):
                s.line(f"pad = -end % {kind.align}; parts.append(bytes(pad)); end += pad")
        s.line(f"o_{name} = end")
        if kind.offset is not None:
            with s.block(f"if not n_{name} and end >= {1 << 8 * kind.offset.size}"):
                s.line(f"o_{name} = 0")  # nothing is there that could be pointed to
        s.line(f"parts.append(d_{name}); end += n_{name}")


def _octets(data: bytes, size: int) -> bytes:
    """`data`, which must be of this size: the struct module would cut or fill it silently."""
    assert len(data) == size
    return data


def _of_enum(kind: type[IntEnum], value: int) -> IntEnum:
    try:
        return kind(value)
    except ValueError:
        raise DecodeError(f"{value} is no {kind.__name__}", -1, kind.__name__) from None


def _take_numbers(data: memoryview, at: int, count: int, code: str, path: str) -> tuple[tuple[int, ...], int]:
    size = count * struct.calcsize("<" + code)
    if count > ITEMS_MAX or size > len(data) - at:
        raise DecodeError(f"{count} items cannot be here", at, path)
    return struct.unpack_from(f"<{count}{code}", data, at), at + size


def _put_numbers(values: Sequence[int], code: str) -> bytes:
    return struct.pack(f"<{len(values)}{code}", *values)


def _take_items(
    data: memoryview, at: int, count: int, item: type[Packed], path: str
) -> tuple[tuple[Packed, ...], int]:
    _, unpack, size = functions_of(item)
    if count > ITEMS_MAX or count * size > len(data) - at:
        raise DecodeError(f"{count} items cannot be here", at, path)
    items = [cast(Packed, unpack(data, at + index * size)) for index in range(count)]
    return tuple(items), at + count * size


def chained(entries: Iterable[bytes], align: int = 8) -> bytes:
    """Entries that begin with NextEntryOffset, 0 in each so far: all but the last get theirs.

    Spec: [MS-FSCC] 2.4, [MS-SMB2] 2.2.13.2.
    """
    out = bytearray()
    before = -1
    for entry in entries:
        out += bytes(-len(out) % align)
        if before >= 0:
            struct.pack_into("<I", out, before, len(out) - before)
        before = len(out)
        out += entry
    return bytes(out)


def unchained(data: Bytes, limit: int, path: str) -> list[memoryview]:
    """The entries of such a chain, each a view from its NextEntryOffset on. Raises DecodeError."""
    view = memoryview(data)
    entries: list[memoryview] = []
    at = 0
    while view:
        if len(view) - at < 4 or len(entries) >= limit:
            raise DecodeError("an entry cannot be here", at, path)
        (step,) = struct.unpack_from("<I", view, at)
        if step == 0:
            entries.append(view[at:])
            break
        if step < 4 or step > len(view) - at:
            raise DecodeError("an entry points outside", at, path)
        entries.append(view[at : at + step])
        at += step
    return entries
