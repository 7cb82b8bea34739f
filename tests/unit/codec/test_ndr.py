"""NDR kinds against bytes written out by hand from [C706] 14 and [MS-RPCE] 2.2.6."""

from enum import IntEnum
from typing import Annotated, ClassVar
from uuid import UUID

import pytest

from addc.base.errors import DecodeError, LocalProtocolError
from addc.codec.ids import Sid
from addc.codec.ndr import (
    ENUM16,
    GUID,
    NOTHING,
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
    Const,
    CountOf,
    FixedArray,
    FixedBytes,
    Full,
    Ndr,
    Ref,
    Union,
    Unique,
    Varying,
    deserialize_v1,
    parameters,
    serialize_v1,
    structure,
)


class Color(IntEnum):
    RED = 1
    BLUE = 2


@structure
class Padded(Ndr):
    a: Annotated[int, U8]
    b: Annotated[int, U32]
    c: Annotated[Color, ENUM16]
    d: Annotated[int, U64]


@structure
class Inner(Ndr):
    x: Annotated[int, U16]
    y: Annotated[int, U64]


@structure
class Outer(Ndr):
    first: Annotated[int, U8]
    inner: Inner
    last: Annotated[bool, U32]


@structure
class Named(Ndr):
    name: Annotated[str | None, UNICODE_STRING]
    number: Annotated[int, U32]


@structure
class NamedArray(Ndr):
    count: ClassVar = CountOf("items")
    items: Annotated[tuple[Named, ...] | None, Unique(Conformant(Named))]


@structure
class Tail(Ndr):
    reserved: ClassVar = Const(U16, 7)
    count: ClassVar = CountOf("data")
    data: Annotated[bytes, Conformant(U8)]


@structure
class TailHolder(Ndr):
    number: Annotated[int, U64]
    tail: Tail


@structure
class Node(Ndr):
    value: Annotated[int, U32]
    next: Annotated["Node | None", Unique(SELF)]


@structure
class Texts(Ndr):
    wide: Annotated[str | None, Unique(WSTRING)]
    narrow: Annotated[str, Ref(STRING)]
    varying: Annotated[tuple[int, ...], Unique(ConformantVarying(U16))]
    part: Annotated[tuple[int, ...], Varying(U16, 4)]


@structure
class Mixed(Ndr):
    guid: Annotated[UUID, GUID]
    fixed: Annotated[bytes, FixedBytes(3)]
    words: Annotated[tuple[int, ...], FixedArray(U16, 2)]
    sid: Annotated[Sid | None, Full(SID)]
    again: Annotated[Sid | None, Full(SID)]


@structure
class Choice(Ndr):
    level: Annotated[int, U16]
    info: Annotated[object, Union("level", {1: Named, 2: U8, 3: Unique(Inner)}, default=NOTHING, tag=U16)]


@parameters
class In(Ndr):
    handle: Annotated[bytes, FixedBytes(4)]
    name: Annotated[str | None, Unique(WSTRING)]
    sid: Annotated[Sid, Ref(SID)]
    flag: Annotated[int, U8]
    count: Annotated[int, U32]


def check(value: Ndr, wire: str) -> None:
    """`value` packs to `wire` and comes back."""
    data = bytes.fromhex(wire)
    assert value.pack().hex() == data.hex()
    assert type(value).unpack(data) == value


def test_scalars_are_aligned_to_their_size() -> None:
    check(Padded(1, 2, Color.BLUE, 3), "01000000 02000000 0200 000000000000 0300000000000000")
    assert isinstance(Padded.unpack(Padded(1, 2, Color.RED, 3).pack()).c, Color)


def test_an_embedded_structure_brings_its_own_alignment() -> None:
    check(
        Outer(1, Inner(2, 3), True),
        "01 00000000000000 0200 000000000000 0300000000000000 01000000",
    )


def test_strings_of_an_array_follow_all_of_its_bodies() -> None:
    check(
        NamedArray((Named("a", 1), Named(None, 2), Named("", 3))),
        "03000000 00000200"
        "03000000"
        "02000200 04000200 01000000"
        "00000000 00000000 02000000"
        "00000000 08000200 03000000"
        "01000000 00000000 01000000 6100 0000"
        "00000000 00000000 00000000",
    )


def test_a_null_array_has_count_zero() -> None:
    check(NamedArray(None), "00000000 00000000")


def test_conformance_is_hoisted_before_the_structure() -> None:
    check(Tail(b"abc"), "03000000 0700 0000 03000000 616263")


def test_conformance_of_an_embedded_tail_is_hoisted_before_the_outermost_structure() -> None:
    check(TailHolder(9, Tail(b"ab")), "02000000 00000000 0900000000000000 0700 0000 02000000 6162")


def test_a_list_refers_to_itself() -> None:
    check(Node(1, Node(2, None)), "01000000 00000200 02000000 00000000")


def test_a_list_deeper_than_the_budget_is_refused() -> None:
    link = bytes.fromhex("01000000 00000200")
    with pytest.raises(DecodeError, match="too deep"):
        Node.unpack(link * 100 + bytes(8))


def test_text_arrays_and_varying_arrays() -> None:
    check(
        Texts("é", "ab", (1, 2), (5,)),
        "00000200 04000200 08000200 00000000 01000000 0500 0000"
        "02000000 00000000 02000000 e900 0000"
        "03000000 00000000 03000000 616200 00"
        "02000000 00000000 02000000 0100 0200",
    )


def test_guid_fixed_arrays_and_full_pointers() -> None:
    value = Mixed(
        UUID("00112233-4455-6677-8899-aabbccddeeff"), b"xyz", (1, 2), Sid.parse("S-1-5-18"), None
    )  # fmt: skip
    check(
        value,
        "33221100 5544 7766 8899aabbccddeeff 78797a 00 0100 0200 00000200 00000000"
        "01000000 01010000 00000005 12000000",
    )


def test_full_pointers_may_share_their_pointee() -> None:
    wire = (
        "33221100 5544 7766 8899aabbccddeeff 78797a 00 0100 0200 00000200 00000200"
        "01000000 01010000 00000005 12000000"
    )
    value = Mixed.unpack(bytes.fromhex(wire))
    assert value.sid == value.again == Sid.parse("S-1-5-18")


def test_a_union_repeats_its_tag_and_defers_its_pointers() -> None:
    check(Choice(1, Named("a", 5)), "0100 0100 02000200 00000200 05000000 01000000 00000000 01000000 6100")
    check(Choice(2, 7), "0200 0200 07")
    check(Choice(3, Inner(1, 2)), "0300 0300 00000200 0100 000000000000 0200000000000000")
    check(Choice(9, b""), "0900 0900")


def test_a_union_whose_tag_differs_from_its_switch_is_refused() -> None:
    with pytest.raises(DecodeError, match="tag"):
        Choice.unpack(bytes.fromhex("0100 0200 07"))


def test_parameters_are_followed_by_their_pointees_at_once() -> None:
    check(
        In(b"hndl", "a", Sid.parse("S-1-5-18"), 1, 2),
        "686e646c 00000200 02000000 00000000 02000000 61000000"
        "01000000 01010000 00000005 12000000 01 000000 02000000",
    )


@pytest.mark.parametrize(
    ("cls", "wire"),
    [
        (NamedArray, "02000000 00000200 01000000 00000000 00000000 02000000"),
        (NamedArray, "00000000 00000200 ffffffff"),
        (Named, "0200 0200 00000000 01000000"),
        (Named, "0300 0400 00000200 01000000 02000000 00000000 02000000 61006200"),
        (Named, "0200 0200 00000200 01000000 01000000 01000000 01000000 6100"),
        (Named, "0400 0200 00000200 01000000 02000000 00000000 02000000 61006200"),
        (Padded, "01"),
        (Padded, "01000000 02000000 0900 000000000000 0300000000000000"),
        (Padded, "01000000 02000000 0200 000000000000 0300000000000000 00"),
        (Texts, "00000000 00000000"),
        (Mixed, "00" * 32),
        (Tail, "03000000 0700 0000 02000000 616263"),
        (Tail, "ffffffff 0700 0000 ffffffff 616263"),
    ],
)
def test_malformed_bytes_are_a_decode_error(cls: type[Ndr], wire: str) -> None:
    data = bytes.fromhex(wire)
    if cls is Mixed:
        assert Mixed.unpack(data).sid is None
        return
    with pytest.raises(DecodeError):
        cls.unpack(data)


def test_an_array_of_the_wrong_fixed_size_is_our_own_error() -> None:
    with pytest.raises(LocalProtocolError):
        Mixed(UUID(int=0), b"too long", (1, 2), None, None).pack()


def test_type_serialization_frames_a_pointer() -> None:
    wire = bytes.fromhex("01100800cccccccc 10000000 00000000 00000200 01000000 00000000 00000000")
    assert serialize_v1(Node(1, None), pointer=True) == wire
    assert deserialize_v1(Node, wire, pointer=True) == Node(1, None)
    assert deserialize_v1(Node, wire[:16] + bytes(16), pointer=True) is None


@pytest.mark.parametrize(
    "wire",
    [
        "",
        "02100800cccccccc 10000000 00000000 00000200 01000000 00000000 00000000",
        "01000800cccccccc 10000000 00000000 00000200 01000000 00000000 00000000",
        "01100800cccccccc 20000000 00000000 00000200 01000000 00000000 00000000",
        "01100800cccccccc 04000000 00000000 00000200 01000000 00000000 00000000",
        "01100800cccccccc 18000000 00000000 00000200 01000000 00000000 00000000 0000000000000000",
    ],
)
def test_a_wrong_type_header_is_a_decode_error(wire: str) -> None:
    with pytest.raises(DecodeError):
        deserialize_v1(Node, bytes.fromhex(wire), pointer=True)
