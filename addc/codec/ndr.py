"""NDR 2.0, 32-bit: a structure is declared once, as a frozen dataclass whose annotations name the wire kinds.

    @structure
    class GroupMembership(Ndr):
        relative_id: Annotated[int, U32]
        attributes: Annotated[int, U32]

    @structure
    class DomainGroupMembership(Ndr):
        domain_id: Annotated[Sid | None, Unique(SID)]
        group_count: ClassVar = CountOf("group_ids")
        group_ids: Annotated[tuple[GroupMembership, ...] | None, Unique(Conformant(GroupMembership))]

Counts and reserved words are class variables: they stand at their place on the wire, follow from what they
count, and no caller can set them. Plans are compiled when the class is made.
Spec: [C706] 14, [MS-RPCE] 2.2.4 (NDR transfer syntax), 2.2.6 (type serialization version 1).
"""

import dataclasses
import enum
import inspect
import struct
from dataclasses import dataclass
from typing import Annotated, ClassVar, Final, Self, TypeVar, cast, dataclass_transform, get_args, get_origin

from addc.base.errors import DecodeError
from addc.codec.declare import register
from addc.codec.ndr_kinds import (
    CONFORMANT_BYTES,
    CONTEXT_HANDLE,
    ENUM16,
    FILETIME,
    GUID,
    I16,
    I32,
    I64,
    NOTHING,
    NULL_HANDLE,
    SELF,
    SID,
    STRING,
    U8,
    U16,
    U32,
    U64,
    UNICODE_STRING,
    WSTRING,
    Conformant,
    ConformantVarying,
    ContextHandle,
    Embedded,
    FixedArray,
    FixedBytes,
    Full,
    Kind,
    KindLike,
    NarrowString,
    Pointer,
    Primitive,
    Ref,
    UnicodeString,
    Union,
    Unique,
    Varying,
    WideString,
    kind_of,
)
from addc.codec.ndr_plan import (
    FIELDS,
    PLANS,
    Emitter,
    Fixed,
    NdrReader,
    NdrWriter,
    PackFunction,
    Plan,
    Shape,
    UnpackBody,
    UnpackRest,
    body_lines,
    compile_plan,
    indent,
    run_source,
)

__all__ = [
    "CONFORMANT_BYTES", "CONTEXT_HANDLE", "ENUM16", "FILETIME", "GUID", "I16", "I32", "I64", "NOTHING",
    "NULL_HANDLE", "SELF", "SID", "STRING", "U8", "U16", "U32", "U64", "UNICODE_STRING", "WSTRING",
    "Conformant", "ConformantVarying", "Const", "ContextHandle", "CountOf", "Embedded", "FixedArray",
    "FixedBytes", "Full", "Kind", "KindLike", "NarrowString", "Ndr", "NdrReader", "NdrWriter", "Primitive",
    "Ref", "UnicodeString", "Union", "Unique", "Varying", "WideString", "deserialize_v1", "parameters",
    "read_structure", "serialize_v1", "structure", "write_structure",
]  # fmt: skip


class Ndr:
    """Base of declared structures."""

    __slots__ = ()

    def pack(self) -> bytes:
        """The structure as the whole of an octet stream."""
        writer = NdrWriter()
        PLANS[type(self)].pack_whole(self, writer)
        return bytes(writer.out)

    @classmethod
    def unpack(cls, data: bytes) -> Self:
        """Read an octet stream that holds this structure and nothing else."""
        reader = NdrReader(data)
        value = read_structure(cls, reader)
        if reader.pos != reader.end:
            raise DecodeError(f"{reader.end - reader.pos} bytes too many", reader.pos, cls.__name__)
        return value


T = TypeVar("T", bound=Ndr)


def read_structure(cls: type[T], reader: NdrReader) -> T:
    """The next structure of a stream; every way of being malformed is one DecodeError."""
    try:
        value = PLANS[cls].unpack_whole(reader)
    except struct.error:
        raise DecodeError("ends too early", reader.pos, cls.__name__) from None
    except ValueError as error:
        raise DecodeError(f"no valid value: {type(error).__name__}", reader.pos, cls.__name__) from None
    if reader.pos > reader.end:
        raise DecodeError("ends too early", reader.pos, cls.__name__)
    return cast(T, value)


def write_structure(value: Ndr, writer: NdrWriter) -> None:
    """Append a structure to a stream."""
    PLANS[type(value)].pack_whole(value, writer)


@dataclass(frozen=True, slots=True)
class CountOf:
    """A member that holds the number of items of another member, 0 where that is None."""

    member: str
    kind: Primitive = U32


@dataclass(frozen=True, slots=True)
class Const:
    """A reserved member: `value` when written, ignored when read."""

    kind: Primitive
    value: int = 0


@dataclass_transform(frozen_default=True)
def structure(cls: type[T]) -> type[T]:
    """Declare an NDR structure."""
    made = dataclass(frozen=True, slots=True)(cls)
    return _declare(made, False)


@dataclass_transform(frozen_default=True)
def parameters(cls: type[T]) -> type[T]:
    """Declare the [in] or the [out] parameters of an operation, in order.

    Each is aligned by itself, its pointees follow it at once, and a [ref] of its own has no referent id.
    """
    made = dataclass(frozen=True, slots=True)(cls)
    return _declare(made, True)


def _declare(cls: type[T], are_parameters: bool) -> type[T]:
    plan = Plan.__new__(Plan)
    PLANS[cls] = plan
    e = Emitter(cls.__name__)
    e.owner = cls
    if are_parameters:
        _compile_parameters(e, cls, plan)
    else:
        plan.align = max((member.align for _, member in _members(cls)), default=1)
        FIELDS[cls] = lambda e, owner: _fields_shape(e, cls, owner)
        compile_plan(e, _fields_shape(e, cls, "v"), plan.align, plan)
    register(cls)
    return cls


def _annotations(cls: type[Ndr]) -> dict[str, object]:
    return dict(inspect.get_annotations(cls))


def _members(cls: type[Ndr]) -> list[tuple[str, Kind]]:
    """Name and kind of each member, in wire order; counts and constants stand as their kinds."""
    found: list[tuple[str, Kind]] = []
    for name, annotation in _annotations(cls).items():
        if annotation is ClassVar or get_origin(annotation) is ClassVar:
            member = getattr(cls, name)
            if isinstance(member, CountOf | Const):
                found.append((name, member.kind))
        elif get_origin(annotation) is Annotated:
            found.append((name, kind_of(get_args(annotation)[1])))
        else:
            found.append((name, Embedded(cast(type[object], annotation))))
    return found


def _wrap(e: Emitter, cls: type[Ndr], name: str) -> str:
    """The name of a constructor for the annotated type, where reading yields a bare number."""
    annotation = _annotations(cls)[name]
    kind = get_args(annotation)[0] if get_origin(annotation) is Annotated else None
    if isinstance(kind, type) and (issubclass(kind, enum.Enum) or kind is bool):
        return e.const(kind, "E")
    return ""


def _member_shape(e: Emitter, cls: type[Ndr], owner: str, member: tuple[str, Kind]) -> Shape:
    name, kind = member
    e.path = f"{cls.__name__}.{name}"
    extra = cls.__dict__.get(name)
    if isinstance(extra, Const):
        return Shape([Fixed(extra.kind.code, extra.kind.size, extra.kind.align, repr(extra.value), "")])
    if isinstance(extra, CountOf):
        of, counted = f"{owner}.{extra.member}", e.temp("c")
        e.counts.append((of, counted))
        argument = f"0 if {of} is None else len({of})"
        return Shape([Fixed(extra.kind.code, extra.kind.size, extra.kind.align, argument, counted)])
    shape = kind.shape(e, f"{owner}.{name}", _wrap(e, cls, name))
    e.values[f"{owner}.{name}"] = shape.value
    return shape


def _count_checks(e: Emitter, since: int) -> list[str]:
    """Lines that compare each count read with what it counts."""
    lines = []
    for of, counted in e.counts[since:]:
        value = e.values[of]
        lines += [
            f"if {value} is not None and len({value}) != {counted}:",
            f'    raise DecodeError("a count disagrees with its array", r.pos, "{e.title}")',
        ]
    del e.counts[since:]
    return lines


def _construct(e: Emitter, cls: type[Ndr], owner: str) -> str:
    make = e.const(cls, "C")
    names = [item.name for item in dataclasses.fields(cast(type[_DataclassLike], cls))]
    return f"{make}({', '.join(e.values[f'{owner}.{name}'] for name in names)})"


class _DataclassLike:
    __dataclass_fields__: ClassVar[dict[str, dataclasses.Field[object]]]


def _fields_shape(e: Emitter, cls: type[Ndr], owner: str) -> Shape:
    """The shape of a structure whose value is the expression `owner`."""
    out, since = Shape(), len(e.counts)
    for member in _members(cls):
        out.extend(_member_shape(e, cls, owner, member))
    out.load += _count_checks(e, since)
    out.value = _construct(e, cls, owner)
    return out


def _compile_parameters(e: Emitter, cls: type[Ndr], plan: Plan) -> None:
    pack: list[str] = ["out = w.out"]
    unpack: list[str] = []
    for name, kind in _members(cls):
        bare = kind_of(kind.target) if isinstance(kind, Pointer) and not kind.null else kind
        shape = _member_shape(e, cls, "v", (name, bare))
        put, take = body_lines(e, shape, bare.align)
        pack += [*put, *shape.rest]
        unpack += [*take, *shape.load]
    unpack += _count_checks(e, 0)
    lines = ["def pack_body(v, w):", *indent(pack), "def unpack_body(r):", *indent(unpack)]
    lines.append(f"    return {_construct(e, cls, 'v')}")
    scope = run_source(e, lines)
    plan.align, plan.item_size, plan.has_rest, plan.conformant = 1, 0, False, False
    plan.pack_body = cast(PackFunction, scope["pack_body"])
    plan.pack_rest = lambda value, writer: None
    plan.unpack_body = cast(UnpackBody, scope["unpack_body"])
    plan.unpack_rest = cast(UnpackRest, lambda reader, raw: raw)


_TYPE_HEADER: Final = struct.Struct("<BBHIII")


def serialize_v1(value: Ndr, *, pointer: bool) -> bytes:
    """An octet stream of type serialization version 1 that holds one constructed type.

    pointer: the top-level type is a [unique] pointer to the structure, as PAC buffers have it.
    Spec: [MS-RPCE] 2.2.6.1, 2.2.6.2.
    """
    writer = NdrWriter()
    out = writer.out
    out += bytes(_TYPE_HEADER.size)
    if pointer:
        writer.ref += 4
        out += writer.ref.to_bytes(4, "little")
    PLANS[type(value)].pack_whole(value, writer)
    out += bytes(-len(out) & 7)
    _TYPE_HEADER.pack_into(out, 0, 1, 0x10, 8, 0xCCCC_CCCC, len(out) - _TYPE_HEADER.size, 0)
    return bytes(out)


def deserialize_v1(cls: type[T], data: bytes, *, pointer: bool) -> T | None:
    """What serialize_v1 wrote; None for a null top-level pointer.

    Bytes of padding behind the type are allowed, up to the next multiple of 8.
    """
    path = cls.__name__
    if len(data) < _TYPE_HEADER.size:
        raise DecodeError("no type header", 0, path)
    version, endian, size, _, length, _ = _TYPE_HEADER.unpack_from(data)
    if version != 1 or endian != 0x10 or size != 8:
        raise DecodeError("not type serialization version 1, little-endian", 0, path)
    if length > len(data) - _TYPE_HEADER.size:
        raise DecodeError("a type longer than its stream", 8, path)
    reader = NdrReader(data, _TYPE_HEADER.size, _TYPE_HEADER.size + length)
    if pointer and not int.from_bytes(reader.take(4, path), "little"):
        return None
    value = read_structure(cls, reader)
    if reader.end - reader.pos > 7:
        raise DecodeError(f"{reader.end - reader.pos} bytes too many", reader.pos, path)
    return value
