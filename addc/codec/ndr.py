"""NDR: a structure is declared once, as a class whose annotations name the wire kinds, for NDR32 and NDR64.

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
count, and no caller can set them. Where the count of an array is a member that callers need (a room), it is
an ordinary member, named as the `size` of the array. Declaring costs next to nothing: plans are made
at first use (decision 0028).
Spec: [C706] 14, [MS-RPCE] 2.2.4 (NDR), 2.2.5 (NDR64), 2.2.6 (type serialization version 1).
"""

import struct
from typing import Final, Self, TypeVar, cast

from addc.base.errors import DecodeError
from addc.codec.ndr_arrays import (
    CONFORMANT_BYTES,
    WCHAR,
    Conformant,
    ConformantVarying,
    Container,
    Varying,
)
from addc.codec.ndr_class import Const, CountOf, LengthOf, parameters, structure
from addc.codec.ndr_kinds import (
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
    U8,
    U16,
    U32,
    U64,
    U3264,
    UNSENT,
    ContextHandle,
    Embedded,
    FixedArray,
    FixedBytes,
    Full,
    Kind,
    KindLike,
    Primitive,
    Range,
    Ref,
    Unique,
)
from addc.codec.ndr_plan import PLANS, NdrReader, NdrWriter, Syntax
from addc.codec.ndr_text import (
    SID,
    STRING,
    STRING_LARGE,
    UNICODE_STRING,
    WSTRING,
    FixedText,
    NarrowString,
    UnicodeString,
    WideString,
)
from addc.codec.ndr_unions import Tagged, TaggedUnion, Union
from addc.codec.value import Value

__all__ = [
    "CONFORMANT_BYTES", "CONTEXT_HANDLE", "ENUM16", "FILETIME", "GUID", "I16", "I32", "I64", "NOTHING",
    "NULL_HANDLE", "SELF", "SID", "STRING", "STRING_LARGE", "U8", "U16", "U32", "U64", "U3264",
    "UNICODE_STRING", "UNSENT", "WCHAR", "WSTRING", "Conformant", "ConformantVarying", "Const",
    "Container", "ContextHandle", "CountOf", "Embedded", "FixedArray", "FixedBytes", "FixedText", "Full",
    "Kind", "KindLike", "LengthOf", "NarrowString", "Ndr", "NdrReader", "NdrWriter", "Primitive", "Range",
    "Ref", "Syntax", "Tagged", "TaggedUnion", "UnicodeString", "Union", "Unique", "Varying", "WideString",
    "deserialize_v1", "parameters", "read_structure", "read_stub", "serialize_v1", "structure",
    "write_structure", "write_stub",
]  # fmt: skip


class Ndr(Value):
    """Base of declared structures."""

    __slots__ = ()

    def pack(self, syntax: Syntax = Syntax.NDR32) -> bytes:
        """The structure as the whole of an octet stream."""
        writer = NdrWriter()
        PLANS[syntax][type(self)].pack_whole(self, writer)
        return bytes(writer.out)

    @classmethod
    def unpack(cls, data: bytes, syntax: Syntax = Syntax.NDR32) -> Self:
        """Read an octet stream that holds this structure and nothing else."""
        reader = NdrReader(data)
        value = read_structure(cls, reader, syntax)
        if reader.pos != reader.end:
            raise DecodeError(f"{reader.end - reader.pos} bytes too many", reader.pos, cls.__name__)
        return value


T = TypeVar("T", bound=Ndr)


def read_structure(cls: type[T], reader: NdrReader, syntax: Syntax = Syntax.NDR32) -> T:
    """The next structure of a stream; every way of being malformed is one DecodeError."""
    try:
        value = PLANS[syntax][cls].unpack_whole(reader)
    except struct.error:
        raise DecodeError("ends too early", reader.pos, cls.__name__) from None
    except ValueError as error:
        raise DecodeError(f"no valid value: {type(error).__name__}", reader.pos, cls.__name__) from None
    if reader.pos > reader.end:
        raise DecodeError("ends too early", reader.pos, cls.__name__)
    return cast(T, value)


def write_structure(value: Ndr, writer: NdrWriter, syntax: Syntax = Syntax.NDR32) -> None:
    """Append a structure to a stream."""
    PLANS[syntax][type(value)].pack_whole(value, writer)


def read_stub(cls: type[T], data: bytes, syntax: Syntax) -> T:
    """The parameters at the start of an RPC stub; octets behind them are padding or a verifier."""
    return read_structure(cls, NdrReader(data), syntax)


def write_stub(value: Ndr, syntax: Syntax) -> bytes:
    """The parameters as an RPC stub."""
    return value.pack(syntax)


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
    write_structure(value, writer)
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
