"""dnsRecord and dnsProperty as Samba reads them, and Samba's as we do."""

import pytest

from addc.base.clock import FileTime
from addc.codec.dns_rdata import (
    AaaaData,
    AData,
    DnsProperty,
    DnsPropertyId,
    DnsRecord,
    DnsType,
    MxData,
    NameData,
    SoaData,
    SrvData,
    TombstoneData,
    TxtData,
    pack_addr_array,
    pack_ip4_array,
)
from tests.kit.samba_bindings import ask_samba

_RECORDS = [
    DnsRecord(DnsType.A, AData(bytes((192, 0, 2, 1))), timestamp_h=3_700_000),
    DnsRecord(DnsType.AAAA, AaaaData(bytes(range(16)))),
    DnsRecord(DnsType.NS, NameData("dc1.example.com"), rank=0x82),
    DnsRecord(DnsType.CNAME, NameData("host.example.com")),
    DnsRecord(DnsType.PTR, NameData("host.example.com"), ttl_s=1200),
    DnsRecord(DnsType.SOA, SoaData("dc1.example.com", "hostmaster.example.com", 7, 900, 600, 86400, 3600)),
    DnsRecord(DnsType.SRV, SrvData(1, 100, 389, "dc1.example.com"), ttl_s=600, serial=110),
    DnsRecord(DnsType.MX, MxData(10, "mail.example.com")),
    DnsRecord(DnsType.TXT, TxtData((b"one", b"two three"))),
    DnsRecord(DnsType.ZERO, TombstoneData(FileTime(132_000_000_000_000_000)), ttl_s=0, rank=0),
]


@pytest.mark.parametrize("record", _RECORDS, ids=lambda record: record.type.name)
def test_record(record: DnsRecord) -> None:
    data = record.pack()
    answer = ask_samba(
        """
from samba.dcerpc import dnsp
value = ndr_unpack(dnsp.DnssrvRpcRecord, bytes.fromhex(given))
answer = {"type": int(value.wType), "ttl": value.dwTtlSeconds, "serial": value.dwSerial,
          "hours": value.dwTimeStamp, "rank": int(value.rank), "again": ndr_pack(value).hex()}
""",
        data.hex(),
    )
    assert answer == {
        "type": record.type,
        "ttl": record.ttl_s,
        "serial": record.serial,
        "hours": record.timestamp_h,
        "rank": record.rank,
        "again": data.hex(),
    }


def test_fields_of_an_srv_and_a_soa_record() -> None:
    answer = ask_samba(
        """
from samba.dcerpc import dnsp
srv, soa = (ndr_unpack(dnsp.DnssrvRpcRecord, bytes.fromhex(one)).data for one in given)
answer = {"srv": [srv.wPriority, srv.wWeight, srv.wPort, srv.nameTarget],
          "soa": [soa.serial, soa.refresh, soa.retry, soa.expire, soa.minimum, soa.mname, soa.rname]}
""",
        [_RECORDS[6].pack().hex(), _RECORDS[5].pack().hex()],
    )
    assert answer == {
        "srv": [1, 100, 389, "dc1.example.com"],
        "soa": [7, 900, 600, 86400, 3600, "dc1.example.com", "hostmaster.example.com"],
    }


_PROPERTIES = [
    DnsProperty.of_int(DnsPropertyId.DSPROPERTY_ZONE_TYPE, 1),
    DnsProperty.of_int(DnsPropertyId.DSPROPERTY_ZONE_ALLOW_UPDATE, 2),
    DnsProperty.of_int(DnsPropertyId.DSPROPERTY_ZONE_SECURE_TIME, 132_000_000_000_000_000),
    DnsProperty.of_int(DnsPropertyId.DSPROPERTY_ZONE_NOREFRESH_INTERVAL, 168),
    DnsProperty.of_int(DnsPropertyId.DSPROPERTY_ZONE_AGING_STATE, 0),
    DnsProperty(DnsPropertyId.DSPROPERTY_ZONE_MASTER_SERVERS, pack_ip4_array((bytes((192, 0, 2, 1)),))),
    DnsProperty(DnsPropertyId.DSPROPERTY_ZONE_MASTER_SERVERS_DA, pack_addr_array((bytes((192, 0, 2, 1)),))),
    DnsProperty(DnsPropertyId.DSPROPERTY_ZONE_DELETED_FROM_HOSTNAME, "dc1\0".encode("utf-16-le")),
]


@pytest.mark.parametrize("value", _PROPERTIES, ids=lambda value: value.id.name)
def test_property(value: DnsProperty) -> None:
    answer = ask_samba(
        """
from samba.dcerpc import dnsp
value = ndr_unpack(dnsp.DnsProperty, bytes.fromhex(given))
answer = {"id": int(value.id), "length": value.wDataLength, "again": ndr_pack(value).hex()}
""",
        value.pack().hex(),
    )
    assert (answer["id"], answer["length"]) == (value.id, len(value.data))
    assert DnsProperty.unpack(bytes.fromhex(str(answer["again"]))) == value
