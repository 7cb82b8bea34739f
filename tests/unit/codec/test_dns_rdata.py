"""dnsRecord and dnsProperty, byte for byte."""

import pytest

from addc.base.clock import FileTime
from addc.base.errors import DecodeError
from addc.codec.dns_rdata import (
    AaaaData,
    AData,
    DnsProperty,
    DnsPropertyId,
    DnsRecord,
    DnsType,
    MailData,
    MxData,
    NameData,
    RawData,
    SoaData,
    SrvData,
    TombstoneData,
    TxtData,
    join_labels,
    pack_addr_array,
    pack_count_name,
    pack_ip4_array,
    split_name,
    timestamp_hours,
    tombstone,
    unpack_addr_array,
    unpack_data,
    unpack_ip4_array,
)

_RECORDS = [
    DnsRecord(DnsType.A, AData(bytes((192, 0, 2, 1)))),
    DnsRecord(DnsType.AAAA, AaaaData(bytes(range(16))), timestamp_h=3_700_000),
    DnsRecord(DnsType.NS, NameData("dc1.example.com")),
    DnsRecord(DnsType.CNAME, NameData("."), rank=0x82),
    DnsRecord(DnsType.PTR, NameData("host.example.com"), ttl_s=1200),
    DnsRecord(DnsType.SOA, SoaData("dc1.example.com", "hostmaster.example.com", 7, 900, 600, 86400, 3600)),
    DnsRecord(DnsType.SRV, SrvData(0, 100, 389, "dc1.example.com"), ttl_s=600, serial=110),
    DnsRecord(DnsType.MX, MxData(10, "mail.example.com")),
    DnsRecord(DnsType.RP, MailData("admin.example.com", "text.example.com")),
    DnsRecord(DnsType.TXT, TxtData((b"v=spf1 -all", b"", b"\xff"))),
    DnsRecord(DnsType.ZERO, TombstoneData(FileTime(132_000_000_000_000_000)), ttl_s=0, rank=0),
    DnsRecord(DnsType(257), RawData(b"\x00\x05issue")),
]


def test_srv_record() -> None:
    assert _RECORDS[6].pack() == (
        bytes.fromhex("1900 2100 05 f0 0000 6e000000 00000258 00000000 00000000")
        + bytes.fromhex("0000 0064 0185 11 03")
        + b"\x03dc1\x07example\x03com\x00"
    )


def test_a_record() -> None:
    assert _RECORDS[0].pack() == bytes.fromhex(
        "0400 0100 05 f0 0000 01000000 00000e10 00000000 00000000 c0000201"
    )


@pytest.mark.parametrize("record", _RECORDS)
def test_round_trip(record: DnsRecord) -> None:
    assert DnsRecord.unpack(record.pack()) == record


@pytest.mark.parametrize("record", _RECORDS)
def test_every_cut_is_refused(record: DnsRecord) -> None:
    data = record.pack()
    for size in range(len(data)):
        with pytest.raises(DecodeError):
            DnsRecord.unpack(data[:size])
    with pytest.raises(DecodeError):
        DnsRecord.unpack(data + b"\0")


def test_names_with_odd_labels() -> None:
    assert split_name("john\\.doe.example.com") == [b"john.doe", b"example", b"com"]
    assert join_labels([b"john.doe", b"ex\\ample"]) == "john\\.doe.ex\\\\ample"
    assert split_name("a.b.") == [b"a", b"b"]
    assert split_name("") == split_name(".") == []
    assert split_name(join_labels([b"\xff\xfe", b"x"])) == [b"\xff\xfe", b"x"]
    assert split_name(join_labels([b"tail."])) == [b"tail."]
    assert pack_count_name(".") == b"\x01\x00\x00"


@pytest.mark.parametrize("name", ["a..b", "." * 3, "x" * 64, ".".join(["y" * 60] * 5)])
def test_names_that_dns_does_not_allow(name: str) -> None:
    with pytest.raises(DecodeError):
        pack_count_name(name)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x05\x01\x03abc",
        b"\x05\x01\x03abc\x01",
        b"\x03\x02\x01a\x00",
        b"\x02\x01\x00\x00",
        b"\x04\x01\x01a\x00x",
    ],
)
def test_broken_names(data: bytes) -> None:
    with pytest.raises(DecodeError):
        unpack_data(DnsType.CNAME, data)


def test_empty_name_is_the_root() -> None:
    assert unpack_data(DnsType.CNAME, b"\0\0") == NameData(".")


def test_long_string_is_refused() -> None:
    with pytest.raises(DecodeError):
        DnsRecord(DnsType.TXT, TxtData((b"x" * 256,))).pack()


def test_tombstone() -> None:
    record = tombstone(FileTime(36_000_000_000 * 5 + 1), 12)
    assert record.type is DnsType.ZERO and record.serial == 12 and record.timestamp_h == 5
    assert timestamp_hours(36_000_000_000 * 5 - 1) == 4


def test_property() -> None:
    value = DnsProperty.of_int(DnsPropertyId.DSPROPERTY_ZONE_TYPE, 1)
    assert value.pack() == bytes.fromhex("04000000 01000000 00000000 01000000 01000000 01000000 00000000")
    assert DnsProperty.unpack(value.pack()) == value
    assert value.number(7) == 1
    assert DnsProperty(DnsPropertyId.DSPROPERTY_ZONE_REFRESH_INTERVAL, b"").number(168) == 168


def test_property_sizes() -> None:
    assert len(DnsProperty.of_int(DnsPropertyId.DSPROPERTY_ZONE_ALLOW_UPDATE, 2).data) == 1
    assert len(DnsProperty.of_int(DnsPropertyId.DSPROPERTY_ZONE_SECURE_TIME, 2).data) == 8
    with pytest.raises(DecodeError):
        DnsProperty(DnsPropertyId.DSPROPERTY_ZONE_TYPE, bytes(9)).number(0)
    with pytest.raises(DecodeError):
        DnsProperty.unpack(bytes.fromhex("ff000000 01000000 00000000 01000000 01000000 01"))


def test_address_arrays() -> None:
    v4, v6 = bytes((192, 0, 2, 1)), bytes(range(16))
    assert unpack_ip4_array(pack_ip4_array((v4, v4))) == (v4, v4)
    data = pack_addr_array((v4, v6))
    assert len(data) == 32 + 2 * 64
    assert unpack_addr_array(data) == (v4, v6)
    for broken in (b"\xff\xff\xff\xff", pack_ip4_array((v4,))[:-1]):
        with pytest.raises(DecodeError):
            unpack_ip4_array(broken)
    with pytest.raises(DecodeError):
        unpack_addr_array(data[:-1])
    with pytest.raises(DecodeError):
        unpack_addr_array(data[:32] + b"\x09" + data[33:])
