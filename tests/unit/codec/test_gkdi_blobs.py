"""Structures of group key distribution, byte for byte as Windows writes them."""

from uuid import UUID

import pytest

from addc.base.errors import DecodeError
from addc.codec.declare import Declared
from addc.codec.gkdi_blobs import (
    EcdhKey,
    FfcDhKey,
    FfcDhParameters,
    GroupKeyEnvelope,
    KdfParameters,
    KeyIdentifier,
    ManagedPasswordBlob,
)

_SHA512 = bytes.fromhex("00000000 01000000 0e000000 00000000 5300480041003500310032000000")
_DOMAIN = bytes.fromhex("6500780061006d0070006c0065002e0063006f006d000000")


def test_kdf_parameters() -> None:
    """[MS-GKDI] 2.2.1"""
    assert KdfParameters("SHA512").pack() == _SHA512
    assert KdfParameters.unpack(_SHA512) == KdfParameters("SHA512")


def test_ffc_dh_parameters_and_key() -> None:
    """[MS-GKDI] 2.2.2, 2.2.3.1: numbers fill their size."""
    parameters = FfcDhParameters(2, 23, 5)
    assert parameters.pack() == bytes.fromhex("10000000 4448504d 02000000 0017 0005")
    key = FfcDhKey(2, 23, 5, 8)
    assert key.pack() == bytes.fromhex("44485042 02000000 0017 0005 0008")
    assert FfcDhKey.unpack(key.pack()) == key


@pytest.mark.parametrize(
    ("curve", "magic"), [("P256", "45434b31"), ("P384", "45434b33"), ("P521", "45434b35")]
)
def test_ecdh_key(curve: str, magic: str) -> None:
    """[MS-GKDI] 2.2.3.2"""
    key = EcdhKey(curve, 2, 1, 2)
    assert key.pack() == bytes.fromhex(magic + "02000000 0001 0002")
    assert EcdhKey.unpack(key.pack()) == key


def test_key_identifier() -> None:
    """msDS-ManagedPasswordId as Windows writes it."""
    value = KeyIdentifier(
        362, 1, 14, UUID("9d922231-af27-b73b-1056-aeb18eeca71a"), "example.com", "example.com"
    )
    data = (
        bytes.fromhex("01000000 4b44534b 02000000 6a010000 01000000 0e000000")
        + bytes.fromhex("3122929d27af3bb71056aeb18eeca71a 00000000 18000000 18000000")
        + _DOMAIN * 2
    )
    assert value.pack() == data
    assert KeyIdentifier.unpack(data) == value


def test_group_key_envelope() -> None:
    """[MS-GKDI] 2.2.4: names, parameters, domain and forest, then the keys."""
    value = GroupKeyEnvelope(
        362, 1, 14, UUID("de8cc48c-7076-9794-056d-89377b5a8052"),
        "SP800_108_CTR_HMAC", _SHA512, "DH", b"", 512, 2048, "example.com", "example.com",
        b"\x44" * 64, b"\x03" * 64,
    )  # fmt: skip
    data = value.pack()
    assert data[:40] == bytes.fromhex(
        "01000000 4b44534b 00000000 6a010000 01000000 0e000000 8cc48cde7670949705 6d89377b5a8052"
    )
    assert data[40:80] == bytes.fromhex(
        "26000000 1e000000 06000000 00000000 00020000 00080000 40000000 40000000 18000000 18000000"
    )
    assert data.endswith(_DOMAIN * 2 + b"\x44" * 64 + b"\x03" * 64)
    assert GroupKeyEnvelope.unpack(data) == value


def test_keys_stay_out_of_the_text_of_an_envelope() -> None:
    value = GroupKeyEnvelope(0, 0, 0, UUID(int=0), "", b"", "", b"", 0, 0, "", "", b"hidden-l1", b"hidden-l2")
    assert "hidden" not in repr(value)
    assert "hidden" not in repr(ManagedPasswordBlob(b"hidden00", b"hidden00", 0, 0))


def test_managed_password_blob_without_previous() -> None:
    """[MS-ADTS] 2.2.19; the spans follow the password unaligned, as in blobs from Windows."""
    value = ManagedPasswordBlob(b"\x67\x86" * 128, None, 0x178069019574, 0x177FB6313774)
    data = value.pack()
    assert data[:16] == bytes.fromhex("01000000 22010000 1000 0000 1201 1a01")
    assert data[16:272] == b"\x67\x86" * 128
    assert data[272:] == bytes.fromhex("0000 7495016980170000 743731b67f170000")
    assert ManagedPasswordBlob.unpack(data) == value


def test_managed_password_blob_with_previous() -> None:
    value = ManagedPasswordBlob(b"ab", b"cdef", 5, 4)
    data = value.pack()
    assert data[:16] == bytes.fromhex("01000000 2a000000 1000 1400 1a00 2200")
    assert ManagedPasswordBlob.unpack(data) == value


@pytest.mark.parametrize(
    ("cls", "data"),
    [
        (KdfParameters, _SHA512[:-2]),
        (KdfParameters, _SHA512[:-2] + b"a\0"),
        (KdfParameters, b"\x01" + _SHA512[1:]),
        (FfcDhParameters, bytes.fromhex("11000000 4448504d 02000000 0017 0005")),
        (FfcDhKey, bytes.fromhex("44485042 ffffffff 0017")),
        (EcdhKey, bytes.fromhex("45434b39 02000000 0001 0002")),
        (KeyIdentifier, b"\1\0\0\0KDSX" + bytes(64)),
        (KeyIdentifier, b"\1\0\0\0KDSK" + bytes(8) + b"\x20\0\0\0" + bytes(40)),
        (GroupKeyEnvelope, b"\1\0\0\0KDSK" + bytes(64)),
        (ManagedPasswordBlob, bytes.fromhex("01000000 10000000 0800 0000 0800 0800")),
        (ManagedPasswordBlob, bytes.fromhex("01000000 14000000 1000 0000 1000 f000 00000000")),
        (ManagedPasswordBlob, bytes.fromhex("02000000 10000000 1000 0000 1000 1000")),
    ],
)
def test_damage_is_refused(cls: type[Declared], data: bytes) -> None:
    with pytest.raises(DecodeError):
        cls.unpack(data)
