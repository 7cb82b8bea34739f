"""Keys that accounts trust ([MS-ADTS] 2.2.20): entries in their order, RSA keys of 2048 bits."""

import struct

import pytest

from addc.base.errors import DecodeError
from addc.codec.key_credential import CustomKeyFlags, EntryKind, KeyCredential, KeyUse, RsaPublicBlob

MODULUS = bytes(range(1, 256)) + b"\x01"
MATERIAL = RsaPublicBlob(2048, b"\x01\x00\x01", MODULUS)


def blob(*more: tuple[int, bytes]) -> KeyCredential:
    base = (
        (EntryKind.KEY_ID, bytes(32)),
        (EntryKind.KEY_MATERIAL, MATERIAL.pack()),
        (EntryKind.KEY_USAGE, b"\x01"),
    )
    return KeyCredential((*((int(kind), value) for kind, value in base), *more))


def test_the_blob_byte_for_byte() -> None:
    data = blob((EntryKind.CUSTOM_KEY_INFORMATION, b"\x01\x02")).pack()
    material = MATERIAL.pack()
    expected = struct.pack("<IHB", 0x200, 32, 1) + bytes(32) + struct.pack("<HB", len(material), 3) + material
    assert data == expected + b"\x01\x00\x04\x01" + b"\x02\x00\x07\x01\x02"
    assert material[:24] == struct.pack("<6I", 0x31415352, 2048, 3, 256, 0, 0)


def test_it_is_read_again() -> None:
    found = KeyCredential.unpack(blob((EntryKind.CUSTOM_KEY_INFORMATION, b"\x01\x02")).pack())
    material = found.get(EntryKind.KEY_MATERIAL)
    assert material is not None and RsaPublicBlob.unpack(material) == MATERIAL
    assert found.get(EntryKind.KEY_USAGE) == bytes((KeyUse.KEY_USAGE_NGC,))
    assert found.custom_flags == CustomKeyFlags.MFA_NOT_USED
    assert blob().custom_flags is None


@pytest.mark.parametrize(
    "data",
    [
        b"",
        struct.pack("<I", 0x100),
        struct.pack("<IHB", 0x200, 5, 1) + b"1234",
        struct.pack("<I", 0x200) + struct.pack("<HB", 0, 4) + struct.pack("<HB", 0, 3),
        struct.pack("<I", 0x200) + struct.pack("<HB", 0, 9) * 33,
    ],
    ids=["empty", "version 1", "short entry", "out of order", "too many"],
)
def test_what_is_no_blob(data: bytes) -> None:
    with pytest.raises(DecodeError):
        KeyCredential.unpack(data)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        MATERIAL.pack()[:-1],
        MATERIAL.pack() + b"x",
        struct.pack("<6I", 0x32415352, 8, 1, 1, 0, 0) + b"ab",
    ],
    ids=["empty", "short", "long", "private key"],
)
def test_what_is_no_public_key(data: bytes) -> None:
    with pytest.raises(DecodeError):
        RsaPublicBlob.unpack(data)
