"""[MS-ADTS] 2.2.18: what Windows' KDCs put into PACs is read, and written again as it was."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from addc.base.errors import DecodeError
from addc.codec.claims import (
    COMPRESSED_FROM,
    SET_SIZE_MAX,
    ClaimEntry,
    ClaimInt64,
    ClaimsArray,
    ClaimsSet,
    ClaimsSetMetadata,
    ClaimsSourceType,
    ClaimString,
    ClaimType,
    ClaimUint64,
    CompressionFormat,
    decode_claims,
    encode_claims,
)
from addc.codec.ndr import deserialize_v1, serialize_v1

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "MS-ADTS" / "claims.json").read_text())


def entries(name: str) -> dict[str | None, ClaimEntry]:
    found = decode_claims(bytes.fromhex(VECTORS[name]))
    assert found is not None and found.claims_arrays is not None
    (array,) = found.claims_arrays
    assert array.claims_source_type is ClaimsSourceType.AD
    return {entry.id: entry for entry in array.claim_entries or ()}


def one(entry: ClaimEntry) -> ClaimsSet:
    return ClaimsSet((ClaimsArray(ClaimsSourceType.AD, (entry,)),), None)


def metadata(data: bytes) -> ClaimsSetMetadata:
    found = deserialize_v1(ClaimsSetMetadata, data, pointer=True)
    assert found is not None
    return found


def test_claims_of_every_type_are_read() -> None:
    plain, ints = entries("plain"), entries("int64")
    assert plain["720fd3c3_9"].values == ClaimUint64((1,))
    assert plain["720fd3c3_9"].type is ClaimType.BOOLEAN
    assert plain["720fd3c3_7"].values == ClaimString(("foo", "bar", "baz"))
    assert plain["720fd3c3_8"].values == ClaimUint64((655369, 65543, 65542, 65536))
    assert ints["a claim"].values == ClaimInt64((3, 42, -999, 1000, 20000))


def test_compressed_claims_are_read() -> None:
    data = bytes.fromhex(VECTORS["compressed"])
    assert metadata(data).compression_format is CompressionFormat.XPRESS_HUFF
    found = entries("compressed")
    assert found["720fd3c3_1"].values == ClaimString(
        (
            "DC=win22,DC=example,DC=com",
            "CN=Users,DC=win22,DC=example,DC=com",
            "CN=Computers,DC=win22,DC=example,DC=com",
        )
    )


def test_a_set_is_written_as_windows_writes_it() -> None:
    data = bytes.fromhex(VECTORS["int64"])
    claims = decode_claims(data)
    assert claims is not None and encode_claims(claims) == data


@pytest.mark.parametrize("name", ["plain", "compressed", "int64"])
def test_what_is_written_is_read_again(name: str) -> None:
    claims = decode_claims(bytes.fromhex(VECTORS[name]))
    assert claims is not None and decode_claims(encode_claims(claims)) == claims


def test_only_large_sets_are_compressed() -> None:
    small = metadata(encode_claims(one(ClaimEntry("c", ClaimType.STRING, ClaimString(("x" * 50,))))))
    large = metadata(encode_claims(one(ClaimEntry("c", ClaimType.STRING, ClaimString(("x" * 5000,))))))
    assert small.uncompressed_claims_set_size < COMPRESSED_FROM
    assert small.compression_format is CompressionFormat.NONE
    assert large.compression_format is CompressionFormat.XPRESS_HUFF
    assert large.claims_set is not None and len(large.claims_set) < 600


def test_no_claims_are_no_bytes() -> None:
    assert encode_claims(ClaimsSet(None, None)) == b""
    assert encode_claims(ClaimsSet((ClaimsArray(ClaimsSourceType.AD, ()),), None)) == b""
    assert decode_claims(b"") is None


def test_a_claim_of_an_unknown_type_has_no_values() -> None:
    data = encode_claims(one(ClaimEntry("c", ClaimType(9), b"")))
    found = decode_claims(data)
    assert found == one(ClaimEntry("c", ClaimType(9), b""))


def test_sizes_that_lie_are_refused() -> None:
    plain = metadata(bytes.fromhex(VECTORS["int64"]))
    huge = replace(
        metadata(bytes.fromhex(VECTORS["compressed"])), uncompressed_claims_set_size=SET_SIZE_MAX + 1
    )
    other = replace(plain, uncompressed_claims_set_size=plain.uncompressed_claims_set_size + 8)
    for bad in (huge, other):
        with pytest.raises(DecodeError):
            decode_claims(serialize_v1(bad, pointer=True))


def test_other_algorithms_are_refused() -> None:
    bad = replace(metadata(bytes.fromhex(VECTORS["int64"])), compression_format=CompressionFormat.LZNT1)
    with pytest.raises(DecodeError):
        decode_claims(serialize_v1(bad, pointer=True))
