"""Kinds of arrays whose number of items is on the wire.

Spec: [C706] 14.3.3, [MS-RPCE] 2.2.5.3.2.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, cast

from addc.base.errors import DecodeError, LocalProtocolError
from addc.base.limits import NDR_ITEMS_MAX
from addc.codec.ndr_kinds import U8, Kind, KindLike, Primitive, Unique, kind_of
from addc.codec.ndr_plan import Emitter, Fixed, NdrReader, NdrWriter, Plan, Shape, Step, Syntax

PutArray = Callable[[object, NdrWriter], None]
TakeArray = Callable[[NdrReader, int], object]
LoadArray = Callable[[NdrReader, object], object]

_HEADERS: Final = (struct.Struct("<II"), struct.Struct("<QQ"))


@dataclass(frozen=True)
class _WideChar(Primitive):
    """An item of text that is counted, not ended by a NUL."""


WCHAR: Final = _WideChar("H", 2, 2)
"""wchar_t: an array of them is a str, and its count one of UTF-16 code units."""


def code_units(text: str) -> int:
    """How many UTF-16 code units a text has."""
    return len(text.encode("utf-16-le", "surrogatepass")) >> 1


@dataclass(frozen=True)
class Conformant(Kind):
    """[size_is] array, as a parameter, a pointee or the last member of a structure.

    Its value is a tuple; bytes if the item is U8, str if it is WCHAR.
    varying: [length_is] too (offset and actual count follow the conformance).
    size: where the conformance may be more than the number of items: a number, or the member that holds it
    times `scale`.
    """

    item: KindLike
    limit: int = NDR_ITEMS_MAX
    varying: bool = False
    size: str | int = ""
    scale: int = 1

    def align(self, syntax: Syntax) -> int:
        return max(kind_of(self.item).align(syntax), (8 if syntax else 4) if self.varying else 1)

    def argument(self, owner: str, x: str) -> str:
        if self.size == "":
            return x
        size = str(self.size) if isinstance(self.size, int) else f"({owner}.{self.size} or 0) // {self.scale}"
        return f"({x}, {size})"

    def length(self, e: Emitter, x: str) -> str:
        return f"{e.const(code_units)}({x})" if self.item == WCHAR else f"len({x})"

    def shape(self, e: Emitter, x: str, wrap: str = "") -> Shape:
        n, t = e.temp("n"), e.temp()
        prep: list[str] = []
        items, conform = x, self.length(e, x)
        if self.size != "":
            pair = e.temp("s")
            items = f"{pair}[0]"
            conform = f"max({pair}[1], {self.length(e, items)})"
            prep = [f"{pair} = {x}"]
        put, take, load = array_functions(self, e)
        put_, take_ = e.const(put), e.const(take)
        shape = Shape([Step([f"{put_}({items}, w)"], [f"{t} = {take_}(r, {n})"], [t])], prep, value=t)
        shape.conform, shape.conform_to = conform, n
        if load is not None:
            shape.rest = [f"{e.const(load[0])}({items}, w)"]
            shape.load = [f"{t} = {e.const(load[1])}(r, {t})"]
        return shape


def ConformantVarying(
    item: KindLike, limit: int = NDR_ITEMS_MAX, *, size: str | int = "", scale: int = 1
) -> Conformant:
    """[size_is, length_is] array."""
    return Conformant(item, limit, True, size, scale)


CONFORMANT_BYTES: Final = Conformant(U8)


@dataclass(frozen=True)
class Varying(Kind):
    """[length_is] array of at most `most` items: offset, actual count, items."""

    item: KindLike
    most: int

    def align(self, syntax: Syntax) -> int:
        return max(kind_of(self.item).align(syntax), 8 if syntax else 4)

    def length(self, e: Emitter, x: str) -> str:
        return Conformant(self.item).length(e, x)

    def shape(self, e: Emitter, x: str, wrap: str = "") -> Shape:
        inner = Conformant(self.item, self.most, True).shape(e, x)
        limit = Step([], [f"{inner.conform_to} = {self.most}"], [])
        inner.conform = inner.conform_to = ""
        inner.steps.insert(0, limit)
        return inner


@dataclass(frozen=True)
class Container(Kind):
    """A structure of a count and a pointer to so many items, as enumerations have it; a tuple, or None."""

    item: KindLike
    limit: int = NDR_ITEMS_MAX

    def align(self, syntax: Syntax) -> int:
        return 8 if syntax else 4

    def shape(self, e: Emitter, x: str, wrap: str = "") -> Shape:
        word, count = e.word_size, e.temp("c")
        shape = Unique(Conformant(self.item, self.limit)).shape(e, x)
        counted = Fixed("I", 4, word, f"0 if {x} is None else len({x})", count)
        shape.steps.insert(0, counted)
        shape.load += [
            f"if {shape.value} is not None and len({shape.value}) != {count}:",
            f'    raise DecodeError("a count disagrees with its array", r.pos, "{e.path}")',
        ]
        return shape


def array_functions(
    kind: Conformant, e: Emitter
) -> tuple[PutArray, TakeArray, tuple[PutArray, LoadArray] | None]:
    """Writer and reader of an array's items; the pair is there where items have pointees."""
    item, path = kind_of(kind.item), e.path
    header, limit, varying = _HEADERS[e.syntax], kind.limit, kind.varying
    align, size_of_header = e.word_size - 1, header.size

    def counted(r: NdrReader, count: int, size: int) -> int:
        if varying:
            r.pos += -r.pos & align
            offset, actual = header.unpack_from(r.data, r.pos)
            r.pos += size_of_header
            if offset or actual > count:
                raise DecodeError("an array's counts disagree", r.pos, path)
            count = actual
        return r.count(count, size, limit, path)

    def begin(out: bytearray, count: int) -> None:
        if varying:
            out += bytes(-len(out) & align)
            out += header.pack(0, count)

    if item == WCHAR:
        return *_text_array(counted, begin, path), None
    if isinstance(item, Primitive):
        return *_number_array(item.at(e.syntax), counted, begin), None
    return _item_array(item.plan(e.syntax), counted, begin, path)


Counted = Callable[[NdrReader, int, int], int]
Begin = Callable[[bytearray, int], None]


def _text_array(counted: Counted, begin: Begin, path: str) -> tuple[PutArray, TakeArray]:
    def put(value: object, w: NdrWriter) -> None:
        data = cast(str, value).encode("utf-16-le", "surrogatepass")
        begin(w.out, len(data) >> 1)
        w.out += bytes(len(w.out) & 1)
        w.out += data

    def take(r: NdrReader, count: int) -> object:
        count = counted(r, count, 2)
        r.pos += r.pos & 1
        return r.take(count * 2, path).decode("utf-16-le", "surrogatepass")

    return put, take


def _number_array(item: Primitive, counted: Counted, begin: Begin) -> tuple[PutArray, TakeArray]:
    size, align, code = item.size, item.boundary - 1, item.code

    def put_bytes(value: object, w: NdrWriter) -> None:
        data = cast(bytes, value)
        begin(w.out, len(data))
        w.out += data

    def take_bytes(r: NdrReader, count: int) -> object:
        return r.take(counted(r, count, 1), "")

    def put(value: object, w: NdrWriter) -> None:
        numbers = cast(tuple[int, ...], value)
        begin(w.out, len(numbers))
        w.out += bytes(-len(w.out) & align)
        w.out += struct.pack(f"<{len(numbers)}{code}", *numbers)

    def take(r: NdrReader, count: int) -> object:
        count = counted(r, count, size)
        r.pos += -r.pos & align
        return struct.unpack(f"<{count}{code}", r.take(count * size, ""))

    return (put_bytes, take_bytes) if item == U8 else (put, take)


def _item_array(
    plan: Plan, counted: Counted, begin: Begin, path: str
) -> tuple[PutArray, TakeArray, tuple[PutArray, LoadArray] | None]:
    if not plan.ready or plan.conformant:
        raise LocalProtocolError(f"{path}: an array of such structures has no form")
    body, rest = plan.pack_body, plan.pack_rest
    read_body, read_rest = plan.unpack_body, plan.unpack_rest

    def put(value: object, w: NdrWriter) -> None:
        items = cast(tuple[object, ...], value)
        begin(w.out, len(items))
        for item in items:
            body(item, w)

    def put_rest(value: object, w: NdrWriter) -> None:
        for item in cast(tuple[object, ...], value):
            rest(item, w)

    def take(r: NdrReader, count: int) -> object:
        return [read_body(r) for _ in range(counted(r, count, plan.item_size))]

    def load(r: NdrReader, raws: object) -> object:
        return tuple([read_rest(r, raw) for raw in cast(list[object], raws)])

    if plan.has_rest:
        return put, take, (put_rest, load)

    def take_all(r: NdrReader, count: int) -> object:
        return tuple([read_rest(r, read_body(r)) for _ in range(counted(r, count, plan.item_size))])

    return put, take_all, None
