"""Packed rows: what goes in comes out, and hostile bytes give a DecodeError."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from addc.base.errors import DecodeError
from addc.base.ids import AttId, Dnt, Usn
from addc.store.objects import (
    Stamp,
    pack_attrs,
    pack_meta,
    path_before,
    path_dnts,
    path_end,
    unpack_attrs,
    unpack_meta,
)

ATT_IDS = st.integers(0, 0xFFFF_FFFF).map(AttId)
USNS = st.integers(0, 2**63 - 1).map(Usn)
VALUES = st.lists(st.binary(max_size=40), min_size=1, max_size=5).map(tuple)
STAMPS = st.builds(
    Stamp,
    st.integers(0, 0xFFFF_FFFF),
    st.integers(0, 2**63 - 1),
    st.sampled_from([bytes(16), b"i" * 16, b"j" * 16]),
    USNS,
    USNS,
)


def test_attributes_have_the_documented_bytes() -> None:
    packed = pack_attrs({AttId(0x90001): (b"ab", b"c"), AttId(3): (b"",)})
    assert packed.hex() == "0102000300010009000300000002000100020001000000616263"
    assert unpack_attrs(packed) == {AttId(0x90001): (b"ab", b"c"), AttId(3): (b"",)}


def test_attributes_without_values_are_not_stored() -> None:
    assert unpack_attrs(pack_attrs({AttId(1): (), AttId(2): (b"x",)})) == {AttId(2): (b"x",)}


def test_large_values_and_many_values_take_the_wide_form() -> None:
    attrs = {AttId(1): (b"x" * 70_000,), AttId(2): tuple(b"%d" % number for number in range(70_000))}
    packed = pack_attrs(attrs)
    assert packed[0] == 2
    assert unpack_attrs(packed) == attrs


@given(st.dictionaries(ATT_IDS, VALUES, max_size=8))
def test_attributes_come_back(attrs: dict[AttId, tuple[bytes, ...]]) -> None:
    assert unpack_attrs(pack_attrs(attrs)) == attrs


@given(st.dictionaries(ATT_IDS, STAMPS, max_size=8))
def test_stamps_come_back(meta: dict[AttId, Stamp]) -> None:
    assert unpack_meta(pack_meta(meta)) == meta


def test_equal_usns_are_stored_once() -> None:
    same = Stamp(1, 2, bytes(16), Usn(3), Usn(3))
    assert len(pack_meta({AttId(1): same._replace(local_usn=Usn(4))})) == len(pack_meta({AttId(1): same})) + 8


@given(st.binary(max_size=80), st.sampled_from([b"", b"\x01", b"\x02", b"\x01\x01\x00", b"\x02\x01\x01\x00"]))
def test_any_bytes_give_a_value_or_decode_error(tail: bytes, head: bytes) -> None:
    with suppress(DecodeError):
        pack_attrs(unpack_attrs(head + tail))
    with suppress(DecodeError):
        pack_meta(unpack_meta(head + tail))


@pytest.mark.parametrize("cut", range(1, 12))
def test_cut_attributes_are_refused(cut: int) -> None:
    packed = pack_attrs({AttId(1): (b"value", b"more"), AttId(2): (b"x",)})
    with pytest.raises(DecodeError):
        unpack_attrs(packed[:-cut])
    with pytest.raises(DecodeError):
        unpack_attrs(packed + bytes(cut))


def test_huge_counts_are_refused_before_anything_is_allocated() -> None:
    with pytest.raises(DecodeError):
        unpack_attrs(b"\x02" + b"\xff" * 8)
    with pytest.raises(DecodeError):
        unpack_meta(b"\x02\xff\xff\xff")


def test_a_stamp_of_an_unknown_invocation_is_refused() -> None:
    packed = bytearray(pack_meta({AttId(1): Stamp(1, 2, b"i" * 16, Usn(3), Usn(3))}))
    packed[4 + 16 + 8] = 1
    with pytest.raises(DecodeError):
        unpack_meta(bytes(packed))


def test_path_bounds_enclose_the_subtree_and_nothing_else() -> None:
    base = b"".join(number.to_bytes(8, "big") for number in (1, 256))
    below = base + (2**62).to_bytes(8, "big")
    sibling_before = base[:8] + (255).to_bytes(8, "big")
    low, high = path_before(base), path_end(base)
    assert low < base < below < high
    assert sibling_before < sibling_before + (2**62).to_bytes(8, "big") < low
    assert not base[:8] + (257).to_bytes(8, "big") < high
    assert path_dnts(below) == [Dnt(1), Dnt(256), Dnt(2**62)]
