"""[MS-XCA] 2.1, 2.2, 3.2: the document's examples both ways, and what is not to be decompressed."""

import json
from pathlib import Path
from random import Random

import pytest

from addc.base.errors import DecodeError
from addc.codec.xpress_huffman import compress, decompress

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "MS-XCA" / "huffman.json").read_text())
ALPHABET = b"abcdefghijklmnopqrstuvwxyz"


def chance(seed: int) -> Random:
    return Random(seed)  # noqa: S311  (repeatable on purpose)


def test_the_examples_are_read() -> None:
    assert decompress(bytes.fromhex(VECTORS["alphabet"]), 26) == ALPHABET
    assert decompress(bytes.fromhex(VECTORS["abc_100_times"]), 300) == b"abc" * 100


def test_the_examples_are_written_byte_by_byte() -> None:
    assert compress(ALPHABET).hex() == VECTORS["alphabet"]
    assert compress(b"abc" * 100).hex() == VECTORS["abc_100_times"]


@pytest.mark.parametrize("size", [0, 1, 2, 3, 17, 18, 300, 4000, 65_535, 65_536, 65_537, 140_000])
def test_what_is_compressed_comes_back(size: int) -> None:
    rng = chance(size)
    for data in (b"x" * size, bytes(rng.choices(b"ab", k=size)), rng.randbytes(size)):
        assert decompress(compress(data), size) == data


def test_repeated_text_becomes_smaller() -> None:
    assert len(compress(b"an attribute of some length " * 400)) < 400


@pytest.mark.parametrize(
    "data", [b"", bytes(256), bytes(300), b"\xff" * 300, bytes.fromhex(VECTORS["alphabet"])[:100]]
)
def test_what_is_no_stream_is_refused(data: bytes) -> None:
    with pytest.raises(DecodeError):
        decompress(data, 26)


def test_a_stream_that_ends_before_its_size_is_refused() -> None:
    with pytest.raises(DecodeError):
        decompress(bytes.fromhex(VECTORS["alphabet"]), 1_000_000)


def test_a_match_may_not_run_past_the_size() -> None:
    with pytest.raises(DecodeError):
        decompress(bytes.fromhex(VECTORS["abc_100_times"]), 299)


def test_any_bytes_give_a_value_or_an_error() -> None:
    rng, whole = chance(7), compress(bytes(chance(1).choices(b"claims", k=2000)))
    for _ in range(300):
        data = bytearray(whole)
        for _ in range(rng.randint(1, 6)):
            data[rng.randrange(len(data))] = rng.randrange(256)
        try:
            assert len(decompress(bytes(data), 2000)) == 2000
        except DecodeError:
            continue
