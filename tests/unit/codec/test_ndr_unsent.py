"""[in] parameters that sizes of [out] ones refer to; [C706] 14.3.7 (conformance says the size asked for)."""

from typing import Annotated, ClassVar

import pytest

from addc.codec.ndr import U32, UNSENT, ConformantVarying, LengthOf, Ndr, Syntax, parameters


@parameters
class Entries(Ndr):
    room: Annotated[int, UNSENT]
    count: ClassVar = LengthOf("items")
    items: Annotated[tuple[int, ...], ConformantVarying(U32, size="room")]


def test_what_is_asked_for_is_the_conformance_and_is_not_sent_by_itself() -> None:
    assert Entries(7, (1, 2)).pack().hex() == "02000000070000000000000002000000" + "0100000002000000"


@pytest.mark.parametrize("syntax", list(Syntax))
def test_who_reads_gets_the_items_without_it(syntax: Syntax) -> None:
    assert Entries.unpack(Entries(7, (1, 2)).pack(syntax), syntax) == Entries(0, (1, 2))
