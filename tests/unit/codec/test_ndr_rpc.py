"""NDR kinds of RPC interfaces, and NDR64, against bytes written out by hand ([C706] 14, [MS-RPCE] 2.2.5)."""

from dataclasses import FrozenInstanceError, fields, is_dataclass, replace
from enum import IntEnum
from typing import Annotated, ClassVar
from uuid import UUID

import pytest

from addc.base.errors import DecodeError, LocalProtocolError
from addc.codec.ids import Sid
from addc.codec.ndr import (
    CONTEXT_HANDLE,
    ENUM16,
    NULL_HANDLE,
    SELF,
    SID,
    STRING_LARGE,
    U8,
    U16,
    U32,
    U64,
    U3264,
    WCHAR,
    WSTRING,
    Conformant,
    ConformantVarying,
    ContextHandle,
    CountOf,
    FixedText,
    Full,
    LengthOf,
    Ndr,
    Range,
    Ref,
    Syntax,
    Tagged,
    TaggedUnion,
    Union,
    Unique,
    Varying,
    WideString,
    parameters,
    read_stub,
    structure,
)
from addc.codec.ndr_plan import PLANS

NDR32, NDR64 = Syntax.NDR32, Syntax.NDR64


class Color(IntEnum):
    RED = 1
    BLUE = 2


@structure
class Small(Ndr):
    a: Annotated[int, U32]
    b: Annotated[int, U8]


@structure
class Pair(Ndr):
    name: Annotated[str | None, STRING_LARGE]
    color: Annotated[Color, ENUM16]


@structure
class Named(Ndr):
    text: Annotated[str | None, Unique(WSTRING)]


@structure
class Buffer(Ndr):
    """As winreg's names: room and length are octets, what is there may be less than the room."""

    length: ClassVar = LengthOf("text", U16, scale=2)
    size: Annotated[int, U16]
    text: Annotated[str | None, Unique(ConformantVarying(WCHAR, size="size", scale=2))]


@structure
class Tail(Ndr):
    count: ClassVar = CountOf("numbers")
    numbers: Annotated[tuple[int, ...], Conformant(U16)]


@structure
class Level(Ndr):
    level: Annotated[Color, ENUM16]
    info: Annotated[object, Union("level", {1: U8, 2: U64}, tag=ENUM16)]


@structure
class Tree(Ndr):
    children: Annotated[tuple["Tree | None", ...] | None, Unique(Conformant(Unique(SELF)))]


@structure
class Holder(Ndr):
    """Embeds a structure that refers to itself."""

    tree: Tree


@parameters
class Question(Ndr):
    handle: Annotated[ContextHandle, CONTEXT_HANDLE]
    level: Annotated[int, Range(1, 3)]
    names: Annotated[tuple[str | None, ...], Conformant(Unique(WSTRING))]
    big: Annotated[int, U3264]


@parameters
class Answer(Ndr):
    info: Annotated[Tagged | None, Ref(Unique(TaggedUnion({1: Named, 2: U64})))] = None
    flag: Annotated[bool, U8] = False
    color: Annotated[Color | None, Unique(ENUM16)] = None
    status: Annotated[int, U32] = 0


def check(value: Ndr, wire: str, syntax: Syntax = NDR32) -> None:
    """`value` packs to `wire` and comes back."""
    data = bytes.fromhex(wire)
    assert value.pack(syntax).hex() == data.hex()
    assert type(value).unpack(data, syntax) == value


def test_a_structure_of_ndr64_is_a_multiple_of_its_alignment() -> None:
    """[MS-RPCE] 2.2.5.3.4.1."""

    @structure
    class Two(Ndr):
        first: Small
        last: Annotated[int, U8]

    check(Two(Small(1, 2), 3), "01000000 02 03")
    check(Two(Small(1, 2), 3), "01000000 02 000000 03 000000", NDR64)


def test_pointers_counts_and_enumerations_of_ndr64() -> None:
    """[MS-RPCE] 2.2.5.2, 2.2.5.3.2, 2.2.5.3.5."""
    check(Pair("a", Color.BLUE), "0200 0400 00000200 0200 0000 02000000 00000000 01000000 6100")
    check(
        Pair("a", Color.BLUE),
        "0200 0400 00000000 0000020000000000 02000000 00000000"
        "0200000000000000 0000000000000000 0100000000000000 6100",
        NDR64,
    )


def test_conformance_of_ndr64_is_hoisted_as_64_bits() -> None:
    """[MS-RPCE] 2.2.5.3.4.2."""
    check(Tail((5, 6)), "02000000 02000000 0500 0600")
    check(Tail((5, 6)), "0200000000000000 02000000 0500 0600", NDR64)


def test_the_arms_of_a_union_of_ndr64_share_one_alignment() -> None:
    """[MS-RPCE] 2.2.5.3.4.4."""
    check(Level(Color.RED, 7), "0100 0100 07")
    check(Level(Color.RED, 7), "01000000 00000000 01000000 00000000 07 00000000000000", NDR64)
    check(Level(Color.BLUE, 7), "0200 0200 00000000 0700000000000000")


def test_a_sid_of_ndr64() -> None:
    @structure
    class Holds(Ndr):
        sid: Annotated[Sid | None, Unique(SID)]

    check(Holds(Sid.parse("S-1-5-18")), "0000020000000000 0100000000000000 01010000 00000005 12000000", NDR64)


def test_a_buffer_may_have_more_room_than_text() -> None:
    """[MS-RPCE] 2.2.4.7: size_is and length_is are expressions of other members."""
    check(Buffer(8, "ab"), "0400 0800 00000200 04000000 00000000 02000000 61006200")
    check(Buffer(8, ""), "0000 0800 00000200 04000000 00000000 00000000")
    check(Buffer(8, None), "0000 0800 00000000")
    check(
        Buffer(4, "€"),
        "0200 0400 00000000 0000020000000000 0200000000000000 0000000000000000 0100000000000000 ac20",
        NDR64,
    )


def test_more_text_than_room_is_refused() -> None:
    with pytest.raises(DecodeError):
        Buffer.unpack(bytes.fromhex("0400 0200 00000200 01000000 00000000 02000000 61006200"))


def test_parameters_with_a_handle_a_range_and_an_array_of_texts() -> None:
    handle = ContextHandle(0, UUID("00112233-4455-6677-8899-aabbccddeeff"))
    check(
        Question(handle, 2, ("a", None), 9),
        "00000000 33221100 5544 7766 8899aabbccddeeff 02000000"
        "02000000 00000200 00000000 02000000 00000000 02000000 61000000 09000000",
    )
    check(
        Question(handle, 2, (), 9),
        "00000000 33221100 5544 7766 8899aabbccddeeff 02000000 0000000000000000 0900000000000000",
        NDR64,
    )


def test_a_number_out_of_its_range_is_refused() -> None:
    """[MS-RPCE] 2.2.4.14.1, 3.1.1.5.3.2.2."""
    data = bytearray(Question(NULL_HANDLE, 1, (), 0).pack())
    data[20] = 4
    with pytest.raises(DecodeError, match="range"):
        Question.unpack(bytes(data))


def test_a_union_that_says_its_tag_behind_two_pointers() -> None:
    """[MS-RPCE] 2.2.4.8: an [out] union switched by an [in] parameter."""
    check(
        Answer(Tagged(1, Named("a")), True, Color.BLUE, 5),
        "00000200 01000000 04000200 02000000 00000000 02000000 6100000001 000000 08000200 0200 0000 05000000",
    )
    check(Answer(Tagged(2, 3)), "00000200 02000000 0300000000000000 00 000000 00000000 00000000")
    check(
        Answer(Tagged(2, 3)),
        "0000020000000000 02000000 00000000 0300000000000000 00 00000000000000 0000000000000000 00000000",
        NDR64,
    )
    assert isinstance(Answer.unpack(Answer(None, color=Color.RED).pack()).color, Color)


def test_a_tag_without_an_arm_is_refused_when_read_and_our_own_error_when_written() -> None:
    with pytest.raises(DecodeError, match="arm"):
        read_stub(Answer, bytes.fromhex("00000200 03000000 00000000"), NDR32)
    with pytest.raises(LocalProtocolError, match="arm"):
        Answer(Tagged(3, b"")).pack()


def test_octets_behind_a_stub_are_left_alone() -> None:
    assert read_stub(Answer, Answer(status=7).pack(NDR64) + b"\x8a\xe3\x13\x71", NDR64) == Answer(status=7)


def test_a_refusal_is_a_response_with_nothing_but_its_status() -> None:
    check(Answer(status=5), "00000000 00 000000 00000000 05000000")


def test_text_of_fixed_size_ends_at_its_first_nul() -> None:
    @structure
    class Fixed(Ndr):
        wide: Annotated[str, FixedText(3)]
        narrow: Annotated[str, FixedText(4, width=1)]

    check(Fixed("ab", "xyz"), "6100 6200 0000 78797a00")
    assert Fixed.unpack(bytes.fromhex("6100 0000 6200 78007a00")) == Fixed("a", "x")
    with pytest.raises(LocalProtocolError):
        Fixed("abcd", "").pack()


def test_text_with_room_of_its_own_and_varying_text() -> None:
    @structure
    class Texts(Ndr):
        room: Annotated[int, U32]
        text: Annotated[str | None, Unique(WideString(size="room"))]
        part: Annotated[str, Varying(WCHAR, 4)]

    check(
        Texts(5, "a", "b"),
        "05000000 00000200 00000000 01000000 6200 0000 05000000 00000000 02000000 6100 0000",
    )


def test_a_tree_refers_to_itself_also_where_it_is_embedded() -> None:
    leaf = Tree(None)
    check(Holder(Tree((leaf, None))), "00000200 02000000 04000200 00000000 00000000")
    deep = b""
    for _ in range(100):
        deep += bytes.fromhex("00000200 01000000 00000200")
    with pytest.raises(DecodeError, match="too deep"):
        Holder.unpack(deep + bytes(4))


def test_full_pointers_to_one_thing_must_be_of_one_kind() -> None:
    @structure
    class Both(Ndr):
        one: Annotated[int | None, Full(U32)]
        other: Annotated[int | None, Full(U16)]

    with pytest.raises(DecodeError, match="kinds"):
        Both.unpack(bytes.fromhex("00000200 00000200 01000000"))


def test_nothing_is_compiled_before_its_first_use_nor_for_another_syntax() -> None:
    @structure
    class Unused(Ndr):
        small: Small
        again: Annotated[Small | None, Unique(Small)] = None

    assert Unused not in PLANS[NDR32]
    Unused(Small(1, 2)).pack()
    assert Unused in PLANS[NDR32]
    assert Unused not in PLANS[NDR64]


def test_a_wrong_declaration_leaves_no_half_made_plan() -> None:
    @structure
    class Wrong(Ndr):
        tails: Annotated[tuple[Tail, ...], Conformant(Tail)]

    for _ in range(2):
        with pytest.raises(LocalProtocolError, match="no form"):
            Wrong(()).pack()


def test_declared_values_are_frozen_slotted_and_replaceable() -> None:
    value = Answer(status=1)
    with pytest.raises(FrozenInstanceError):
        value.status = 2  # type: ignore[misc]
    assert not hasattr(value, "__dict__")
    assert replace(value, flag=True) == Answer(flag=True, status=1)
    assert is_dataclass(value)
    assert [field.name for field in fields(value)] == ["info", "flag", "color", "status"]
    assert len({Small(1, 2), Small(1, 2)}) == 1
    assert repr(Small(1, 2)) == "Small(a=1, b=2)"
    assert Small(1, 2) != Tail((1,))
    with pytest.raises(TypeError):
        Small(1)  # type: ignore[call-arg]
