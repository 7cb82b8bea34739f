"""DnsServer as it is on the wire, held against Samba's NDR in both transfer syntaxes."""

from dataclasses import replace
from typing import Any, Final, cast

from addc.base.clock import FileTime
from addc.codec.dns_rdata import (
    AaaaData,
    AData,
    DnsRecord,
    DnsType,
    MxData,
    NameData,
    RecordData,
    SoaData,
    SrvData,
    TombstoneData,
    TxtData,
)
from addc.codec.ndr import Ndr, Syntax
from addc.rpc.interfaces.dnsserver import idl, idl_parts, idl_zones
from addc.rpc.interfaces.dnsserver.idl import DNSSERVER
from addc.rpc.interfaces.dnsserver.record_data import ShownNode, pack_data
from tests.kit.ndr_oracle import Sample, check_calls, made_up

_SAMBA_S: Final = replace(
    DNSSERVER, operations={number: one for number, one in DNSSERVER.operations.items() if number < 10}
)
"""The forms with scopes and virtualization instances are unknown to Samba."""
_RECORDS: Final = {
    3: "Samba reads the records",
    4: "Samba has the node's name as a [unique] pointer, [MS-DNSP] as a [ref] one",
    8: "Samba reads the records",
    9: "Samba reads the records",
}
_UNKNOWN: Final = frozenset(
    (
        idl.TypeId.UNICODE_STRING_LIST,
        idl.TypeId.RRL,
        idl.TypeId.UTF8_STRING_LIST,  # Samba reads its strings as one
    )
)


def _known(value: Any) -> Ndr:
    """Arms that Samba knows."""
    changes: dict[str, object] = {}
    for name, data in (("type_id", "data"), ("type_in", "data_in"), ("type_out", "data_out")):
        if name in value.__match_args__ and getattr(value, name) in _UNKNOWN:
            changes |= {name: idl.TypeId.NULL, data: None}
    return cast(Ndr, replace(value, **changes))


def _octet(value: Any) -> Ndr:
    """Samba has one octet, and padding, where [MS-DNSP] has 32 bits."""
    return cast(Ndr, replace(value, allow_update=value.allow_update & 0xFF))


def _wordless(value: idl_parts.DpInfo) -> Ndr:
    """Reserved pointers: Samba has UTF-8 behind them, [MS-DNSP] UTF-16."""
    return replace(value, reserved_texts=(None,) * 3)


def test_stubs_are_samba_s() -> None:
    amend = {kind: _known for one in _SAMBA_S.operations.values() for kind in (one.request, one.response)}
    amend[idl_parts.DpInfo] = _wordless
    amend |= {
        kind: _octet
        for kind in vars(idl_zones).values()
        if "allow_update" in getattr(kind, "__match_args__", ())
    }
    samples = made_up(_SAMBA_S, each=60, leave=_RECORDS, amend=amend)
    check_calls(_SAMBA_S, "dnsserver", *samples)


def _shown(kind: DnsType, data: RecordData) -> DnsRecord:
    return DnsRecord(kind, data, ttl_s=60, serial=7, timestamp_h=9)


_EVERY: Final = (
    _shown(DnsType.A, AData(bytes((192, 0, 2, 1)))),
    _shown(DnsType.AAAA, AaaaData(bytes(range(16)))),
    _shown(DnsType.NS, NameData("ns.a.test")),
    _shown(DnsType.CNAME, NameData("b.a.test")),
    _shown(DnsType.PTR, NameData("c.a.test")),
    _shown(DnsType.DNAME, NameData("d.a.test")),
    _shown(DnsType.SOA, SoaData("dc1.a.test", "hostmaster.a.test", 1, 2, 3, 4, 5)),
    _shown(DnsType.MX, MxData(10, "mail.a.test")),
    _shown(DnsType.SRV, SrvData(1, 2, 389, "dc1.a.test")),
    _shown(DnsType.TXT, TxtData((b"one", b"two words"))),
    DnsRecord(DnsType.ZERO, TombstoneData(FileTime(5))),
)


def test_enumerated_records_are_samba_s() -> None:
    """Nodes and records in the buffer of an answer, as Samba reads and writes them."""
    nodes = (
        ShownNode("", 0, 2, [(one, 0x6000_0000) for one in _EVERY]),
        ShownNode("a", 0, 0, []),
        ShownNode("longer", 0x0080_0000, 5, [(_EVERY[0], 0)]),
    )
    buffer = b"".join(node.pack() for node in nodes)
    request = idl.DnssrvEnumRecords2(
        idl.ClientVersion.LONGHORN, 0, "dc1", "a.test", "@", None, DnsType.A, 1, None, None
    )
    sees: dict[str, int | str | None] = {
        "out_pdwBufferLength": len(buffer),
        "out_pBuffer.count": 3,
        "out_pBuffer.rec.0.wRecordCount": len(_EVERY),
        "out_pBuffer.rec.0.records.0.data": "192.0.2.1",
        "out_pBuffer.rec.0.records.6.data.NamePrimaryServer.str": "dc1.a.test.",
        "out_pBuffer.rec.0.records.8.data.wPort": 389,
        "out_pBuffer.rec.0.records.9.data.str.1.str": "two words",
        "out_pBuffer.rec.2.dnsNodeName.str": "longer",
        "out_pBuffer.rec.2.dwChildCount": 5,
    }
    response = idl.DnssrvEnumRecords2Response(buffer)
    check_calls(_SAMBA_S, "dnsserver", Sample(8, request, response, sees, (Syntax.NDR32,)))


def test_updated_records_are_samba_s() -> None:
    version = idl.ClientVersion.LONGHORN
    samples = []
    for one in _EVERY[:-1]:
        record = idl.RpcRecord(one.type, 0xF0, 7, 60, 9, 0, pack_data(one.type, one.data))
        request = idl.DnssrvUpdateRecord2(version, 0, "dc1", "a.test", "one", record, None)
        sees = {"in_pAddRecord.rec.wType": int(one.type), "in_pAddRecord.rec.dwTtlSeconds": 60}
        samples.append(Sample(9, request, idl.DnssrvUpdateRecord2Response(), sees))
    check_calls(_SAMBA_S, "dnsserver", *samples)
