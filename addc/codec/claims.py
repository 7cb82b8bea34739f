"""Sets of claims as PACs carry them: what is known of a user or device besides its groups.

Spec: [MS-ADTS] 2.2.18, 3.1.1.11.2.5 - 3.1.1.11.2.10, [MS-PAC] 2.11, 2.13.
"""

from typing import Annotated, ClassVar, Final

from addc.base.enums import OpenIntEnum
from addc.base.errors import DecodeError
from addc.codec.ndr import (
    CONFORMANT_BYTES,
    ENUM16,
    I64,
    NOTHING,
    U16,
    U32,
    U64,
    WSTRING,
    Conformant,
    Const,
    CountOf,
    Ndr,
    Union,
    Unique,
    deserialize_v1,
    serialize_v1,
    structure,
)
from addc.codec.xpress_huffman import compress, decompress

VALUES_MAX: Final = 65_536
"""Values of one claim, claims of one source."""
SET_SIZE_MAX: Final = 1_048_576
"""Bytes of a set; a smaller one is never unpacked to more."""
COMPRESSED_FROM: Final = 384
"""Size from which sets are compressed.

Deviation: [MS-ADTS] 3.1.1.11.2.6 says 0x100, but Windows' own KDC leaves sets of 344 bytes as they are.
"""


class ClaimType(OpenIntEnum):
    """CLAIM_TYPE, [MS-ADTS] 2.2.18.2."""

    INT64 = 1
    UINT64 = 2
    STRING = 3
    BOOLEAN = 6


class ClaimsSourceType(OpenIntEnum):
    """CLAIMS_SOURCE_TYPE, [MS-ADTS] 2.2.18.3."""

    AD = 1
    CERTIFICATE = 2


class CompressionFormat(OpenIntEnum):
    """CLAIMS_COMPRESSION_FORMAT, [MS-ADTS] 2.2.18.4."""

    NONE = 0
    LZNT1 = 2
    XPRESS = 3
    XPRESS_HUFF = 4


@structure
class ClaimInt64(Ndr):
    """The values of a CLAIM_TYPE_INT64."""

    value_count: ClassVar = CountOf("values")
    values: Annotated[tuple[int, ...] | None, Unique(Conformant(I64, VALUES_MAX))]


@structure
class ClaimUint64(Ndr):
    """The values of a CLAIM_TYPE_UINT64 or CLAIM_TYPE_BOOLEAN."""

    value_count: ClassVar = CountOf("values")
    values: Annotated[tuple[int, ...] | None, Unique(Conformant(U64, VALUES_MAX))]


@structure
class ClaimString(Ndr):
    """The values of a CLAIM_TYPE_STRING."""

    value_count: ClassVar = CountOf("values")
    values: Annotated[tuple[str | None, ...] | None, Unique(Conformant(Unique(WSTRING), VALUES_MAX))]


ClaimValues = ClaimInt64 | ClaimUint64 | ClaimString | bytes


@structure
class ClaimEntry(Ndr):
    """CLAIM_ENTRY, [MS-ADTS] 2.2.18.5; of an unknown type it has no values, b""."""

    id: Annotated[str | None, Unique(WSTRING)]
    type: Annotated[ClaimType, ENUM16]
    values: Annotated[
        ClaimValues,
        Union(
            "type", {1: ClaimInt64, 2: ClaimUint64, 3: ClaimString, 6: ClaimUint64}, default=NOTHING, tag=U16
        ),
    ]


@structure
class ClaimsArray(Ndr):
    """CLAIMS_ARRAY, [MS-ADTS] 2.2.18.6."""

    claims_source_type: Annotated[ClaimsSourceType, ENUM16]
    claims_count: ClassVar = CountOf("claim_entries")
    claim_entries: Annotated[tuple[ClaimEntry, ...] | None, Unique(Conformant(ClaimEntry, VALUES_MAX))]


@structure
class ClaimsSet(Ndr):
    """CLAIMS_SET, [MS-ADTS] 2.2.18.7."""

    claims_array_count: ClassVar = CountOf("claims_arrays")
    claims_arrays: Annotated[tuple[ClaimsArray, ...] | None, Unique(Conformant(ClaimsArray, VALUES_MAX))]
    reserved_type: ClassVar = Const(U16)
    reserved_field_size: ClassVar = CountOf("reserved_field")
    reserved_field: Annotated[bytes | None, Unique(CONFORMANT_BYTES)]


@structure
class ClaimsSetMetadata(Ndr):
    """CLAIMS_SET_METADATA, [MS-ADTS] 2.2.18.8. claims_set: type serialization version 1 of a ClaimsSet."""

    claims_set_size: ClassVar = CountOf("claims_set")
    claims_set: Annotated[bytes | None, Unique(CONFORMANT_BYTES)]
    compression_format: Annotated[CompressionFormat, ENUM16]
    uncompressed_claims_set_size: Annotated[int, U32]
    reserved_type: ClassVar = Const(U16)
    reserved_field_size: ClassVar = CountOf("reserved_field")
    reserved_field: Annotated[bytes | None, Unique(CONFORMANT_BYTES)]


def encode_claims(claims: ClaimsSet) -> bytes:
    """CLAIMS_BLOB of a set, as EncodeClaimsSet makes it; b"" for one without claims."""
    if not any(array.claim_entries for array in claims.claims_arrays or ()):
        return b""
    plain = serialize_v1(claims, pointer=True)
    wire, how = plain, CompressionFormat.NONE
    if len(plain) >= COMPRESSED_FROM:
        packed = compress(plain)
        if len(packed) < len(plain):
            wire, how = packed, CompressionFormat.XPRESS_HUFF
    return serialize_v1(ClaimsSetMetadata(wire, how, len(plain), None), pointer=True)


def decode_claims(data: bytes) -> ClaimsSet | None:
    """The set in a CLAIMS_BLOB, as DecodeClaimsSet reads it; None for one that is empty.

    Raises DecodeError for what is malformed, larger than SET_SIZE_MAX, or compressed by another algorithm:
    KDCs use only the one.
    """
    if not data:
        return None
    metadata = deserialize_v1(ClaimsSetMetadata, data, pointer=True)
    if metadata is None or not metadata.claims_set:
        return None
    size = metadata.uncompressed_claims_set_size
    plain = metadata.claims_set
    if size > SET_SIZE_MAX:
        raise DecodeError(f"a set of {size} bytes", 0, "CLAIMS_SET")
    if metadata.compression_format == CompressionFormat.XPRESS_HUFF:
        plain = decompress(plain, size)
    elif metadata.compression_format != CompressionFormat.NONE:
        raise DecodeError(f"compressed by {metadata.compression_format!r}", 0, "CLAIMS_SET")
    if len(plain) != size:
        raise DecodeError("a set of another size than it says", 0, "CLAIMS_SET")
    return deserialize_v1(ClaimsSet, plain, pointer=True)
