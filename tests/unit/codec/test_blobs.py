"""Binary attribute values, byte for byte."""

import struct

import pytest

from addc.base.clock import TICKS_PER_S, FileTime
from addc.base.errors import DecodeError
from addc.base.ids import AttId, Usn
from addc.codec import blobs
from addc.codec.blobs import (
    AuthInformation,
    KerbKeyData,
    KerbKeyDataNew,
    KerbStoredCredential,
    KerbStoredCredentialNew,
    PropertyMetaData,
    ReplPropertyMetaData,
    ReplUpToDateVector,
    RepsFrom,
    SchemaInfo,
    TrustAuthInfo,
    UpToDateCursor,
    UserProperties,
)
from addc.codec.declare import Declared

_A = bytes(range(16))
_B = bytes(range(16, 32))
_HOUR = 3600 * TICKS_PER_S


def test_property_meta_data() -> None:
    value = ReplPropertyMetaData(
        (
            PropertyMetaData(AttId(0x900DD), 2, 0x0102, _A, Usn(7), Usn(9)),
            PropertyMetaData(AttId(0), 1, 5, _B, Usn(1), Usn(1)),
        )
    )
    data = value.pack()
    assert data == (
        bytes.fromhex("01000000 00000000 02000000 00000000")
        + bytes.fromhex("00000000 01000000 0500000000000000")
        + _B
        + bytes.fromhex("0100000000000000 0100000000000000")
        + bytes.fromhex("dd000900 02000000 0201000000000000")
        + _A
        + bytes.fromhex("0700000000000000 0900000000000000")
    )
    assert [entry.att_id for entry in ReplPropertyMetaData.unpack(data).entries] == [0, 0x900DD]


def test_up_to_date_vector() -> None:
    value = ReplUpToDateVector((UpToDateCursor(_B, Usn(3), 4), UpToDateCursor(_A, Usn(1), 2)))
    data = value.pack()
    assert data == (
        bytes.fromhex("02000000 00000000 02000000 00000000")
        + _A
        + bytes.fromhex("0100000000000000 0200000000000000")
        + _B
        + bytes.fromhex("0300000000000000 0400000000000000")
    )
    assert ReplUpToDateVector.unpack(data).cursors[0].uuid_dsa == _A


def test_up_to_date_vector_version_1_is_read() -> None:
    data = bytes.fromhex("01000000 00000000 01000000 00000000") + _A + struct.pack("<Q", 5)
    assert ReplUpToDateVector.unpack(data).cursors == (UpToDateCursor(_A, Usn(5)),)


def test_schema_info() -> None:
    assert SchemaInfo(1, _A).pack() == b"\xff\0\0\0\x01" + _A
    assert SchemaInfo.unpack(b"\xff\0\0\x01\0" + _A) == SchemaInfo(256, _A)
    with pytest.raises(DecodeError):
        SchemaInfo.unpack(bytes(21))


def test_reps_from() -> None:
    value = RepsFrom(
        address="0c4b3a29-0000-0000-0000-000000000000._msdcs.example.com",
        uuid_dsa_obj=_A,
        uuid_invoc_id=_B,
        replica_flags=0x70,
        usn_vector=(10, 0, 11),
        consecutive_failures=2,
        last_success_s=1,
        last_attempt_s=2,
        result_last_attempt=8524,
        schedule=b"\x11" * 84,
    )
    data = value.pack()
    assert len(data) % 4 == 0 and data[8:12] == struct.pack("<I", len(data))
    assert RepsFrom.unpack(data) == value


def test_user_properties_without_any() -> None:
    """[MS-SAMR] 2.2.10.1: 0x6F bytes, no PropertyCount."""
    data = UserProperties(()).pack()
    assert len(data) == 0x6F
    assert UserProperties.unpack(data).entries == ()


def test_user_properties_list_their_packages() -> None:
    value = UserProperties.of([(blobs.KERBEROS_NEWER_KEYS, b"\x01\xab"), (blobs.CLEARTEXT, b"p\0")])
    packages = value.get(blobs.PACKAGES)
    assert packages == "Kerberos-Newer-Keys\0CLEARTEXT".encode("utf-16-le")
    data = value.pack()
    assert data[4:8] == struct.pack("<I", len(data) - 13)
    assert data[12:108] == " ".encode("utf-16-le") * 48
    assert data[108:112] == bytes.fromhex("5000 0300")
    assert data.endswith(b"7000\0") and b"01ab" in data
    assert UserProperties.unpack(data) == value


def test_user_properties_change() -> None:
    value = UserProperties.of([(blobs.KERBEROS, b"k"), (blobs.CLEARTEXT, b"c")])
    without = value.replaced(blobs.CLEARTEXT, None)
    assert without.get(blobs.CLEARTEXT) is None
    assert without.get(blobs.PACKAGES) == "Kerberos".encode("utf-16-le")
    assert value.replaced(blobs.KERBEROS, b"n").get(blobs.KERBEROS) == b"n"
    assert value.replaced(blobs.KERBEROS, None).replaced(blobs.CLEARTEXT, None).entries == ()


def test_kerberos_newer_keys() -> None:
    value = KerbStoredCredentialNew(
        default_salt="EXAMPLE.COMjürgen".encode(),
        default_iteration_count=4096,
        credentials=(KerbKeyDataNew(4096, 18, b"A" * 32), KerbKeyDataNew(4096, 17, b"B" * 16)),
        service_credentials=(),
        old_credentials=(KerbKeyDataNew(4096, 18, b"C" * 32),),
        older_credentials=(KerbKeyDataNew(4096, 18, b"D" * 32),),
    )
    data = value.pack()
    salt = "EXAMPLE.COMjürgen".encode("utf-16-le")
    assert data[:24] == struct.pack("<HHHHHHHHII", 4, 0, 2, 0, 1, 1, len(salt), len(salt), 24 + 4 * 24, 4096)
    assert data[24:48] == struct.pack("<HHIIIII", 0, 0, 0, 4096, 18, 32, 120 + len(salt))
    assert data[120 : 120 + len(salt)] == salt
    assert KerbStoredCredentialNew.unpack(data) == value


def test_kerberos_keys() -> None:
    value = KerbStoredCredential(b"SALT", (KerbKeyData(3, b"12345678"), KerbKeyData(1, b"abcdefgh")))
    data = value.pack()
    assert data[:16] == struct.pack("<HHHHHHI", 3, 0, 2, 0, 8, 8, 56)
    assert KerbStoredCredential.unpack(data) == value


def test_keys_stay_out_of_texts() -> None:
    key = KerbKeyDataNew(4096, 18, b"very secret key")
    value = KerbStoredCredentialNew(b"salt", 4096, (key,))
    assert "very secret" not in repr(value)
    assert "very secret" not in repr(UserProperties.of([(blobs.CLEARTEXT, b"very secret")]))
    assert "very secret" not in repr(AuthInformation(FileTime(0), 2, b"very secret"))


def test_trust_secrets() -> None:
    one = AuthInformation(FileTime(5), blobs.TRUST_AUTH_TYPE_CLEAR, b"abcde")
    two = AuthInformation(FileTime(6), blobs.TRUST_AUTH_TYPE_VERSION, b"\x01\0\0\0")
    value = TrustAuthInfo((one, two), (two, one))
    data = value.pack()
    first = struct.pack("<QII", 5, 2, 5) + b"abcde\0\0\0"
    second = struct.pack("<QII", 6, 3, 4) + b"\x01\0\0\0"
    assert data == struct.pack("<III", 2, 12, 12 + 44) + first + second + second + first
    assert TrustAuthInfo.unpack(data) == value
    assert TrustAuthInfo.unpack(TrustAuthInfo((), ()).pack()) == TrustAuthInfo((), ())


_SAMPLES: list[Declared] = [
    ReplPropertyMetaData((PropertyMetaData(AttId(1), 1, 1, _A, Usn(1), Usn(1)),)),
    ReplUpToDateVector((UpToDateCursor(_A, Usn(1), 2),)),
    SchemaInfo(1, _A),
    RepsFrom("host.example.com", _A),
    UserProperties.of([(blobs.KERBEROS, b"abc")]),
    KerbStoredCredential(b"SALT", (KerbKeyData(3, b"12345678"),)),
    KerbStoredCredentialNew(b"SALT", 1, (KerbKeyDataNew(1, 18, b"12345678"),)),
    TrustAuthInfo((AuthInformation(FileTime(1), 2, b"ab"),), (AuthInformation(FileTime(1), 2, b"ab"),)),
]


@pytest.mark.parametrize("value", _SAMPLES)
def test_every_cut_gives_a_value_or_decode_error(value: Declared) -> None:
    data = value.pack()
    for size in range(len(data)):
        try:
            cut = type(value).unpack(data[:size])
        except DecodeError:
            continue
        assert type(value).unpack(cut.pack()) == cut


@pytest.mark.parametrize("value", _SAMPLES)
def test_every_changed_byte_gives_a_value_or_decode_error(value: Declared) -> None:
    data = bytearray(value.pack())
    for at in range(len(data)):
        for byte in (0, 0xFF, data[at] ^ 1):
            changed = bytes(data[:at]) + bytes((byte,)) + bytes(data[at + 1 :])
            try:
                read = type(value).unpack(changed)
            except DecodeError:
                continue
            assert type(value).unpack(read.pack()) == read


# 1601-01-07 was a Sunday.
_SUNDAY = 6 * 24 * _HOUR


def test_seconds() -> None:
    assert blobs.dstime(12_345_678_901) == 1234
    assert blobs.from_dstime(1234) == 12_340_000_000
