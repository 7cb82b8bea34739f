"""The kinds that an NDR declaration is made of; declared structures themselves are in ndr.py.

Spec: [C706] 14.2 (primitive types), 14.3 (constructed types), [MS-DTYP] 2.3, 2.4.2.3.
"""

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, cast
from uuid import UUID

from addc.base.errors import DecodeError, LocalProtocolError
from addc.base.limits import NDR_ITEMS_MAX
from addc.codec.ids import Sid
from addc.codec.ndr_plan import (
    FIELDS,
    PLANS,
    Emitter,
    Fixed,
    NdrReader,
    NdrWriter,
    Plan,
    Shape,
    Step,
    compile_plan,
    indent,
)

_U32X3: Final = struct.Struct("<III")


class Kind:
    """What a value is on the wire. align: boundary it starts at."""

    align: int = 1

    def shape(self, e: Emitter, x: str, wrap: str = "") -> Shape:
        """How the value in expression `x` is packed; `wrap` names a type to make of the unpacked value."""
        raise AssertionError("each kind declares its own")

    def plan(self) -> Plan:
        """The compiled functions of this kind by itself."""
        e = Emitter(type(self).__name__)
        return compile_plan(e, self.shape(e, "v"), self.align)


KindLike = Kind | type[object]


def kind_of(kind: KindLike) -> Kind:
    return kind if isinstance(kind, Kind) else Embedded(kind)


@dataclass(frozen=True)
class Primitive(Kind):
    """A number of fixed size; enumerations and booleans by the annotated type."""

    code: str
    size: int
    align: int

    def shape(self, e: Emitter, x: str, wrap: str = "") -> Shape:
        t = e.temp()
        value = f"{wrap}({t})" if wrap else t
        return Shape([Fixed(self.code, self.size, self.align, x, t)], value=value)


U8: Final = Primitive("B", 1, 1)
U16: Final = Primitive("H", 2, 2)
U32: Final = Primitive("I", 4, 4)
U64: Final = Primitive("Q", 8, 8)
"""hyper."""
I16: Final = Primitive("h", 2, 2)
I32: Final = Primitive("i", 4, 4)
I64: Final = Primitive("q", 8, 8)
ENUM16: Final = Primitive("H", 2, 2)
FILETIME: Final = Primitive("Q", 8, 4)
"""Two 32-bit words, so aligned to 4 ([MS-DTYP] 2.3.3)."""


@dataclass(frozen=True)
class _Guid(Kind):
    """GUID ([MS-DTYP] 2.3.4): a structure that begins with a 32-bit number."""

    align: int = 4

    def shape(self, e: Emitter, x: str, wrap: str = "") -> Shape:
        t, make = e.temp(), e.const(UUID)
        return Shape([Fixed("16s", 16, 4, f"{x}.bytes_le", t)], value=f"{make}(bytes_le={t})")


GUID: Final = _Guid()


@dataclass(frozen=True, slots=True)
class ContextHandle:
    """ndr_context_handle: what a client shows to be known by ([C706] 14.2.15, [MS-RPCE] 2.2.5.3.1)."""

    attributes: int
    uuid: UUID


NULL_HANDLE: Final = ContextHandle(0, UUID(int=0))


@dataclass(frozen=True)
class _ContextHandle(Kind):
    """A context handle, as a parameter of its own."""

    align: int = 4

    def shape(self, e: Emitter, x: str, wrap: str = "") -> Shape:
        a, u, make, guid = e.temp("a"), e.temp("u"), e.const(ContextHandle), e.const(UUID)
        steps: list[Fixed | Step] = [
            Fixed("I", 4, 4, f"{x}.attributes", a),
            Fixed("16s", 16, 4, f"{x}.uuid.bytes_le", u),
        ]
        return Shape(steps, value=f"{make}({a}, {guid}(bytes_le={u}))")


CONTEXT_HANDLE: Final = _ContextHandle()


@dataclass(frozen=True)
class FixedBytes(Kind):
    """An array of `size` bytes."""

    size: int
    align: int = 1

    def shape(self, e: Emitter, x: str, wrap: str = "") -> Shape:
        t = e.temp()
        check = [f"if len({x}) != {self.size}:", f'    raise LocalProtocolError("{e.path}: size")']
        return Shape([Fixed(f"{self.size}s", self.size, self.align, x, t)], prep=check, value=t)


@dataclass(frozen=True)
class FixedArray(Kind):
    """An array of `length` items."""

    item: KindLike
    length: int

    @property
    def align(self) -> int:  # type: ignore[override]
        return kind_of(self.item).align

    def shape(self, e: Emitter, x: str, wrap: str = "") -> Shape:
        out, values = Shape(), []
        out.prep += [f"if len({x}) != {self.length}:", f'    raise LocalProtocolError("{e.path}: length")']
        for index in range(self.length):
            part = kind_of(self.item).shape(e, f"{x}[{index}]")
            values.append(part.value)
            out.extend(part)
        out.value = f"({', '.join(values)},)"
        return out


@dataclass(frozen=True)
class Embedded(Kind):
    """A structure inside another; its fields become part of the outer function."""

    cls: type[object]

    @property
    def align(self) -> int:  # type: ignore[override]
        return PLANS[self.cls].align

    def shape(self, e: Emitter, x: str, wrap: str = "") -> Shape:
        name = e.temp("s")
        inner = FIELDS[self.cls](e, name)
        inner.prep.insert(0, f"{name} = {x}")
        # A structure's first value carries the structure's own alignment.
        inner.steps.insert(0, Fixed("", 0, self.align, "", ""))
        return inner

    def plan(self) -> Plan:
        return PLANS[self.cls]


@dataclass(frozen=True)
class UnicodeString(Kind):
    """RPC_UNICODE_STRING ([MS-DTYP] 2.3.10): str, or None for a null buffer.

    room: bytes that MaximumLength exceeds Length by.
    """

    room: int = 0
    align: int = 4

    def shape(self, e: Emitter, x: str, wrap: str = "") -> Shape:
        b, n, p, u = e.temp("b"), e.temp("n"), e.temp("p"), e.temp("u")
        ln, mx = e.temp("l"), e.temp("m")
        head, take = e.const(struct.Struct("<III")), e.const(_string_buffer)
        prep = [
            f"{b} = {x}",
            f"if {b} is None:",
            f"    {n} = {mx} = 0",
            "else:",
            f'    {b} = {b}.encode("utf-16-le", "surrogatepass")',
            f"    {n} = len({b})",
            f"    {mx} = {n} + {self.room}",
        ]
        assign = [f"{p} = 0", f"if {b} is not None:", f"    {p} = w.ref = w.ref + 4"]
        rest = [
            f"if {b} is not None:",
            "    out += PAD[-len(out) & 3]",
            f"    out += {head}.pack({mx} >> 1, 0, {n} >> 1)",
            f"    out += {b}",
        ]
        load = [f'{u} = {take}(r, {ln}, {mx}, {u}, "{e.path}")']
        steps: list[Fixed | Step] = [
            Fixed("H", 2, 4, n, ln),
            Fixed("H", 2, 2, mx, mx),
            Fixed("I", 4, 4, p, u),
        ]
        return Shape(steps, prep, assign, rest, load, u)


UNICODE_STRING: Final = UnicodeString()


def _string_buffer(r: NdrReader, length: int, maximum: int, referent: int, path: str) -> str | None:
    """What an RPC_UNICODE_STRING's Buffer refers to."""
    if not referent:
        if length:
            raise DecodeError("a length without a buffer", r.pos, path)
        return None
    r.pos += -r.pos & 3
    size, offset, actual = _U32X3.unpack_from(r.data, r.pos)
    r.pos += 12
    if length & 1 or offset or actual * 2 != length or actual > size or size * 2 > maximum + 1:
        raise DecodeError("lengths of a string disagree", r.pos, path)
    return r.take(length, path).decode("utf-16-le", "surrogatepass")


@dataclass(frozen=True)
class _Sid(Kind):
    """RPC_SID ([MS-DTYP] 2.4.2.3): its sub-authorities are a conformant array."""

    align: int = 4

    def shape(self, e: Emitter, x: str, wrap: str = "") -> Shape:
        n, t, take = e.temp("n"), e.temp(), e.const(_take_sid)
        step = Step([f"out += {x}"], [f'{t} = {take}(r, {n}, "{e.path}")'], [t])
        return Shape([step], value=t, conform=f"{x}[1]", conform_to=n)


SID: Final = _Sid()


def _take_sid(r: NdrReader, count: int, path: str) -> Sid:
    if count > 15:
        raise DecodeError("a SID of too many sub-authorities", r.pos, path)
    return Sid.of(r.take(8 + 4 * count, path))


@dataclass(frozen=True)
class WideString(Kind):
    """[string] wchar_t *: conformant, varying, ends with a NUL that the value does not hold."""

    limit: int = NDR_ITEMS_MAX
    align: int = 4

    def shape(self, e: Emitter, x: str, wrap: str = "") -> Shape:
        return _text_shape(e, x, self.limit, 2)


@dataclass(frozen=True)
class NarrowString(Kind):
    """[string] char *, in UTF-8."""

    limit: int = NDR_ITEMS_MAX
    align: int = 4

    def shape(self, e: Emitter, x: str, wrap: str = "") -> Shape:
        return _text_shape(e, x, self.limit, 1)


WSTRING: Final = WideString()
STRING: Final = NarrowString()


def _text_shape(e: Emitter, x: str, limit: int, width: int) -> Shape:
    t, put, take = e.temp(), e.const(_put_text), e.const(_take_text)
    step = Step(
        [f"{put}(out, {x}, {width})"], [f'{t} = {take}(r, {width}, {limit}, "{e.path}")'], [t]
    )  # fmt: skip
    return Shape([step], value=t)


def _put_text(out: bytearray, text: str, width: int) -> None:
    data = text.encode("utf-16-le", "surrogatepass") + b"\0\0" if width == 2 else text.encode() + b"\0"
    count = len(data) // width
    out += bytes(-len(out) & 3)
    out += _U32X3.pack(count, 0, count)
    out += data


def _take_text(r: NdrReader, width: int, limit: int, path: str) -> str:
    r.pos += -r.pos & 3
    size, offset, actual = _U32X3.unpack_from(r.data, r.pos)
    r.pos += 12
    if offset or actual > size or not actual:
        raise DecodeError("lengths of a string disagree", r.pos, path)
    data = r.take(r.count(actual, width, limit, path) * width, path)
    if any(data[-width:]):
        raise DecodeError("a string without its NUL", r.pos, path)
    return data[:-width].decode(
        "utf-16-le" if width == 2 else "utf-8", "surrogatepass" if width == 2 else "strict"
    )


@dataclass(frozen=True)
class Conformant(Kind):
    """[size_is] array, as a pointee or as the last member of a structure; bytes if the item is U8.

    varying: [length_is] too (offset and actual count follow the conformance).
    """

    item: KindLike
    limit: int = NDR_ITEMS_MAX
    varying: bool = False

    @property
    def align(self) -> int:  # type: ignore[override]
        return max(kind_of(self.item).align, 4 if self.varying else 1)

    def shape(self, e: Emitter, x: str, wrap: str = "") -> Shape:
        n, t = e.temp("n"), e.temp()
        put, take, load = _array_functions(self, e.path)
        put_, take_ = e.const(put), e.const(take)
        shape = Shape([Step([f"{put_}({x}, w)"], [f"{t} = {take_}(r, {n})"], [t])], value=t)
        shape.conform, shape.conform_to = f"len({x})", n
        if load is not None:
            shape.rest = [f"{e.const(load[0])}({x}, w)"]
            shape.load = [f"{t} = {e.const(load[1])}(r, {t})"]
        return shape


def ConformantVarying(item: KindLike, limit: int = NDR_ITEMS_MAX) -> Conformant:
    return Conformant(item, limit, True)


CONFORMANT_BYTES: Final = Conformant(U8)


@dataclass(frozen=True)
class Varying(Kind):
    """[length_is] array of at most `length` items: offset, actual count, items."""

    item: KindLike
    length: int
    align: int = 4

    def shape(self, e: Emitter, x: str, wrap: str = "") -> Shape:
        inner = Conformant(self.item, self.length, True).shape(e, x)
        inner.conform = inner.conform_to = ""
        step = inner.steps[0]
        assert isinstance(step, Step)
        step.unpack = [line.rsplit(", ", 1)[0] + f", {self.length})" for line in step.unpack]
        return inner


PutArray = Callable[[object, NdrWriter], None]
TakeArray = Callable[[NdrReader, int], object]
LoadArray = Callable[[NdrReader, object], object]


def _array_functions(
    kind: Conformant, path: str
) -> tuple[PutArray, TakeArray, tuple[PutArray, LoadArray] | None]:
    """Writer and reader of an array's items; the pair is there where items have pointees."""
    item = kind_of(kind.item)
    header, limit, varying = _U32X2, kind.limit, kind.varying

    def counted(r: NdrReader, count: int, size: int) -> int:
        if varying:
            r.pos += -r.pos & 3
            offset, actual = header.unpack_from(r.data, r.pos)
            r.pos += 8
            if offset or actual > count:
                raise DecodeError("an array's counts disagree", r.pos, path)
            count = actual
        return r.count(count, size, limit, path)

    def begin(out: bytearray, count: int) -> None:
        if varying:
            out += bytes(-len(out) & 3)
            out += header.pack(0, count)

    if isinstance(item, Primitive):
        put, take = _number_array(item, counted, begin)
        return put, take, None
    return _item_array(item.plan(), counted, begin, path)


_U32X2: Final = struct.Struct("<II")
Counted = Callable[[NdrReader, int, int], int]
Begin = Callable[[bytearray, int], None]


def _number_array(item: Primitive, counted: Counted, begin: Begin) -> tuple[PutArray, TakeArray]:
    size, align, code = item.size, item.align - 1, item.code

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
    body, rest = plan.pack_body, plan.pack_rest
    read_body, read_rest = plan.unpack_body, plan.unpack_rest
    if plan.conformant:
        raise LocalProtocolError(f"{path}: an array of conformant structures has no form")

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


class _Self(Kind):
    """The structure being declared, for lists and trees."""


SELF: Final = _Self()


@dataclass(frozen=True)
class Pointer(Kind):
    """A pointer inside a structure or array: a referent id here, the pointee behind the outermost type.

    null: it may be None. full: two pointers may refer to the same thing ([C706] 14.3.10).
    """

    target: KindLike
    null: bool = True
    full: bool = False
    align: int = 4

    def shape(self, e: Emitter, x: str, wrap: str = "") -> Shape:
        recursive = self.target is SELF
        plan = PLANS[cast(type, e.owner)] if recursive else kind_of(self.target).plan()
        p, u, t = e.temp("p"), e.temp("u"), e.temp()
        put = e.const(plan.pack_whole if recursive or plan.has_rest else plan.pack_body)
        take = e.const(plan.unpack_whole)
        read = [f"{t} = {take}(r)"]
        if recursive:
            read = [
                "r.depth -= 1",
                "if r.depth < 0:",
                '    raise DecodeError("too deep", r.pos)',
                *read,
                "r.depth += 1",
            ]
        if self.full:
            read = [f"{t} = r.full.get({u})", f"if {t} is None:", *indent(read), f"    r.full[{u}] = {t}"]
        if not self.null:
            return Shape(
                [Fixed("I", 4, 4, p, u)],
                assign=[f"{p} = w.ref = w.ref + 4"],
                rest=[f"{put}({x}, w)"],
                load=[f"if not {u}:", f'    raise DecodeError("a null reference", r.pos, "{e.path}")', *read],
                value=t,
            )
        return Shape(
            [Fixed("I", 4, 4, p, u)],
            assign=[f"{p} = 0", f"if {x} is not None:", f"    {p} = w.ref = w.ref + 4"],
            rest=[f"if {x} is not None:", f"    {put}({x}, w)"],
            load=[f"{t} = None", f"if {u}:", *indent(read)],
            value=t,
        )


def Unique(target: KindLike) -> Pointer:
    """[unique]: may be null, refers to something of its own."""
    return Pointer(target)


def Ref(target: KindLike) -> Pointer:
    """[ref]: never null; a parameter's own [ref] has no referent id on the wire."""
    return Pointer(target, null=False)


def Full(target: KindLike) -> Pointer:
    """[ptr]."""
    return Pointer(target, full=True)


NOTHING: Final = FixedBytes(0)
"""An arm of a union that holds nothing; its value is b""."""


@dataclass(frozen=True)
class Union(Kind):
    """Non-encapsulated union: its tag is repeated before the arm that the member `switch` chooses.

    default: kind of every other tag; None refuses it.
    """

    switch: str
    arms: Mapping[int, KindLike]
    default: KindLike | None = None
    tag: Primitive = U32

    @property
    def align(self) -> int:  # type: ignore[override]
        kinds = [kind_of(arm) for arm in self.arms.values()]
        return max(self.tag.align, *(kind.align for kind in kinds))

    def shape(self, e: Emitter, x: str, wrap: str = "") -> Shape:
        owner = x.rpartition(".")[0]
        level, t, tag = f"{owner}.{self.switch}", e.temp(), e.temp("g")
        put, rest, take, load = _union_functions(self, e.path)
        put_, rest_, take_, load_ = (e.const(part) for part in (put, rest, take, load))
        known = e.values[f"{owner}.{self.switch}"]
        return Shape(
            [Step([f"{put_}({level}, {x}, w)"], [f"{tag}, {t} = {take_}(r)"], [tag, t])],
            rest=[f"{rest_}({level}, {x}, w)"],
            load=[
                f"if {tag} != {known}:",
                f'    raise DecodeError("a union of another tag", r.pos, "{e.path}")',
                f"{t} = {load_}(r, {tag}, {t})",
            ],
            value=t,
        )


PutArm = Callable[[int, object, NdrWriter], None]


def _union_functions(
    kind: Union, path: str
) -> tuple[
    PutArm, PutArm, Callable[[NdrReader], tuple[int, object]], Callable[[NdrReader, int, object], object]
]:
    plans = {tag: kind_of(arm).plan() for tag, arm in kind.arms.items()}
    default = kind_of(kind.default).plan() if kind.default is not None else None
    tag_struct, align = struct.Struct("<" + kind.tag.code), kind.tag.align - 1

    def chosen(tag: int) -> Plan:
        plan = plans.get(tag, default)
        if plan is None:
            raise DecodeError(f"no arm for tag {tag}", -1, path)
        return plan

    def put(tag: int, value: object, w: NdrWriter) -> None:
        w.out += bytes(-len(w.out) & align)
        w.out += tag_struct.pack(tag)
        chosen(tag).pack_body(value, w)

    def put_rest(tag: int, value: object, w: NdrWriter) -> None:
        chosen(tag).pack_rest(value, w)

    def take(r: NdrReader) -> tuple[int, object]:
        r.pos += -r.pos & align
        (tag,) = tag_struct.unpack_from(r.data, r.pos)
        r.pos += tag_struct.size
        return tag, chosen(tag).unpack_body(r)

    def load(r: NdrReader, tag: int, raw: object) -> object:
        return chosen(tag).unpack_rest(r, raw)

    return put, put_rest, take, load
