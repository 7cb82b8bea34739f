"""Records in buffers: every type of [MS-DNSP] 2.2.2.2.4, in its own octets, both ways."""

import pytest

from addc.base.clock import FileTime
from addc.base.errors import DecodeError
from addc.codec.dns_data import (
    DnskeyData,
    DsData,
    NaptrData,
    Nsec3Data,
    Nsec3ParamData,
    NsecData,
    NxtData,
    RrsigData,
    TlsaData,
    WinsData,
    WinsrData,
    WksData,
)
from addc.codec.dns_rdata import (
    AData,
    DnsRecord,
    DnsType,
    MailData,
    MxData,
    NameData,
    RawData,
    RecordData,
    SoaData,
    SrvData,
    TombstoneData,
    TxtData,
)
from addc.rpc.interfaces.dnsserver.record_data import ShownNode, pack_data, pack_record, read_data

EVERY: list[tuple[DnsType, RecordData, str]] = [
    (DnsType.A, AData(b"\xc0\0\2\1"), "c0000201"),
    (DnsType.PTR, NameData("a.b"), "04612e622e"),
    (DnsType.DNAME, NameData("."), "012e"),
    (
        DnsType.SOA,
        SoaData("a", "b", 1, 2, 3, 4, 5),
        "0100000002000000030000000400000005000000" "02612e02622e",
    ),
    (DnsType.SRV, SrvData(1, 2, 389, "a"), "010002008501" "02612e"),
    (DnsType.MX, MxData(10, "a"), "0a00" "02612e"),
    (DnsType.RP, MailData("a", "b"), "02612e02622e"),
    (DnsType.TXT, TxtData((b"a", b"")), "016100"),
    (DnsType.WKS, WksData(b"\xc0\0\2\1", 6, b"\x80"), "c0000201" "06" "80"),
    (DnsType.DS, DsData(0x1234, 13, 2, b"\xff" * 4), "3412" "0d02" "ffffffff"),
    (DnsType.DNSKEY, DnskeyData(257, 3, 13, b"key"), "0101" "030d" "6b6579"),
    (
        DnsType.RRSIG,
        RrsigData(1, 13, 2, 3600, 5, 6, 7, "a", b"sig"),
        "0100" "0d02" "100e0000" "05000000" "06000000" "0700" "02612e" "736967",
    ),
    (DnsType.NSEC, NsecData("a", b"\0\1\x40"), "02612e" "000140"),
    (DnsType.NXT, NxtData("a", b"\1\2\3\4"), "0200" "02010403" "02612e"),
    (DnsType.NSEC3, Nsec3Data(1, 0, 10, b"s", b"hh", b"\0\1\x40"), "0100" "0a00" "0102" "73" "6868" "000140"),
    (DnsType.NSEC3PARAM, Nsec3ParamData(1, 0, 10, b"s"), "0100" "0a00" "01" "73"),
    (DnsType.TLSA, TlsaData(3, 1, 1, b"d"), "030101" "64"),
    (
        DnsType.NAPTR,
        NaptrData(1, 2, b"u", b"sip", b"!x!", "a"),
        "01000200" "0175" "03736970" "03217821" "02612e",
    ),
    (
        DnsType.WINS,
        WinsData(0x10000, 2, 900, (b"\xc0\0\2\1",)),
        "00000100" "02000000" "84030000" "01000000" "c0000201",
    ),
    (DnsType.WINSR, WinsrData(0, 2, 900, "a"), "00000000" "02000000" "84030000" "02612e"),
    (DnsType.DHCID, RawData(b"opaque"), "6f7061717565"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "data", "octets"), EVERY, ids=lambda one: getattr(one, "name", None))
def test_each_type_in_its_octets(kind: DnsType, data: RecordData, octets: str) -> None:
    assert pack_data(kind, data).hex() == octets
    assert read_data(kind, bytes.fromhex(octets)) == data


def test_a_node_and_its_records_start_at_multiples_of_four() -> None:
    """[MS-DNSP] 2.2.2.2.3, 2.2.2.2.5: the length of a node holds its padding, that of a record does not."""
    record = DnsRecord(DnsType.TXT, TxtData((b"ab",)), ttl_s=60, serial=9, timestamp_h=3, rank=0xF0)
    packed = pack_record(record, 0x2000_0000)
    assert packed.hex() == "03001000f0000020090000003c000000030000000000000002616200"
    node = ShownNode("host", 1, 2, [(record, 0)]).pack()
    assert node[:20].hex() == "14000100010000000200000004686f7374000000"
    assert len(node) == 20 + len(packed)


def test_a_tombstone_says_when() -> None:
    assert pack_data(DnsType.ZERO, TombstoneData(FileTime(5))).hex() == "0500000000000000"


@pytest.mark.parametrize(
    ("kind", "octets"),
    [
        (DnsType.A, "c00002"),
        (DnsType.A, "c000020100"),
        (DnsType.CNAME, ""),
        (DnsType.CNAME, "00"),
        (DnsType.CNAME, "0561"),
        (DnsType.CNAME, "032e2e61"),
        (DnsType.SOA, "01000000"),
        (DnsType.TXT, "0561"),
        (DnsType.NSEC3, "01000a00ffff"),
        (DnsType.WINS, "000000000000000000000000ffffffff"),
        (DnsType.NXT, "ffff"),
    ],
)
def test_what_is_no_record_is_refused(kind: DnsType, octets: str) -> None:
    with pytest.raises(DecodeError):
        read_data(kind, bytes.fromhex(octets))
