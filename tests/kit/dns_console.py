"""A client of DnsServer, as the console of Windows or samba-tool is one."""

import struct
from dataclasses import dataclass, field
from typing import Final

from addc.codec.dns_rdata import AData, DnsType, RecordData, SoaData
from addc.codes.win32 import Win32
from addc.rpc.interfaces.dnsserver import idl, record_data
from addc.rpc.interfaces.dnsserver.enum_records import ALL_TYPES, VIEW_AUTHORITY
from addc.rpc.interfaces.dnsserver.idl import ClientVersion, Data, RpcRecord, TypeId
from addc.rpc.interfaces.dnsserver.idl_parts import NameAndParam
from addc.rpc.interfaces.dnsserver.idl_zones import ZoneCreateInfoLonghorn
from addc.rpc.interfaces.dnsserver.operations import SERVER
from addc.security.token import Token
from tests.kit.rpc_desk import RpcDesk

LONGHORN: Final = ClientVersion.LONGHORN
OK: Final = Win32.ERROR_SUCCESS
DENIED: Final = Win32.ERROR_ACCESS_DENIED
DOMAIN_PARTITION: Final = 4
FOREST_PARTITION: Final = 8


@dataclass(frozen=True, slots=True)
class Seen:
    """A record as it came."""

    type: DnsType
    data: RecordData
    flags: int
    ttl_s: int
    timestamp_h: int


@dataclass(frozen=True, slots=True)
class SeenNode:
    """A node as it came."""

    name: str
    flags: int
    children: int
    records: list[Seen] = field(default_factory=list)


def nodes_of(buffer: bytes) -> list[SeenNode]:
    """The nodes of an answer, read by what [MS-DNSP] says of them alone."""
    found, at = [], 0
    while at < len(buffer):
        size, count, flags, children = struct.unpack_from("<HHII", buffer, at)
        length = buffer[at + 12]
        node = SeenNode(buffer[at + 13 : at + 13 + length].decode(), flags, children)
        at += size
        for _ in range(count):
            length, kind, flags, _serial, ttl_s, stamp, _ = struct.unpack_from("<HHIIIII", buffer, at)
            data = record_data.read_data(DnsType(kind), buffer[at + 24 : at + 24 + length])
            node.records.append(Seen(DnsType(kind), data, flags, ttl_s, stamp))
            at += (24 + length + 3) & ~3
        found.append(node)
    return found


def sent(kind: DnsType, data: RecordData, *, ttl_s: int = 900, flags: int = 0) -> RpcRecord:
    """A record as clients send it."""
    return RpcRecord(kind, flags, 0, ttl_s, data=record_data.pack_data(kind, data))


def address(text: str, **how: int) -> RpcRecord:
    """An A record."""
    return sent(DnsType.A, AData(bytes(map(int, text.split(".")))), **how)


@dataclass(frozen=True, slots=True)
class DnsConsole:
    """Somebody who manages the DNS server of a desk."""

    desk: RpcDesk
    token: Token

    def query(
        self, operation: str, zone: str | None = None, version: ClientVersion = LONGHORN
    ) -> idl.DnssrvQuery2Response:
        request = idl.DnssrvQuery2(version, 0, "dc1", zone, operation)
        return self.desk.call(SERVER, request, idl.DnssrvQuery2Response, token=self.token)

    def ask(
        self,
        operation: str,
        kind: TypeId,
        data: Data,
        zone: str | None = None,
        version: ClientVersion = LONGHORN,
    ) -> idl.DnssrvComplexOperation2Response:
        request = idl.DnssrvComplexOperation2(version, 0, "dc1", zone, operation, kind, data)
        return self.desk.call(SERVER, request, idl.DnssrvComplexOperation2Response, token=self.token)

    def operate(
        self,
        operation: str,
        zone: str | None = None,
        kind: TypeId = TypeId.NULL,
        data: Data = None,
        context: int = 0,
    ) -> Win32:
        request = idl.DnssrvOperation2(LONGHORN, 0, "dc1", zone, context, operation, kind, data)
        return self.desk.call(SERVER, request, idl.DnssrvOperation2Response, token=self.token).status

    def set_number(self, name: str, value: int, zone: str | None = None) -> Win32:
        return self.operate("ResetDwordProperty", zone, TypeId.NAME_AND_PARAM, NameAndParam(value, name))

    def number(self, name: str, zone: str | None = None) -> int:
        told = self.query(name, zone)
        assert told.status == OK and told.type_id == TypeId.DWORD and isinstance(told.data, int)
        return told.data

    def create(self, name: str, partition: int = DOMAIN_PARTITION, **more: object) -> Win32:
        values = {"zone_type": 1, "ds_integrated": 1, "load_existing": 1, "dp_flags": partition, **more}
        return self.operate(
            "ZoneCreate",
            kind=TypeId.ZONE_CREATE,
            data=ZoneCreateInfoLonghorn(zone_name=name, **values),  # type: ignore[arg-type]
        )

    def update(
        self, zone: str | None, name: str, add: RpcRecord | None = None, delete: RpcRecord | None = None
    ) -> Win32:
        request = idl.DnssrvUpdateRecord2(LONGHORN, 0, "dc1", zone, name, add, delete)
        return self.desk.call(SERVER, request, idl.DnssrvUpdateRecord2Response, token=self.token).status

    def enumerate(
        self,
        zone: str | None,
        name: str | None = "@",
        kind: int = ALL_TYPES,
        view: int = VIEW_AUTHORITY,
        start: str | None = None,
    ) -> idl.DnssrvEnumRecords2Response:
        request = idl.DnssrvEnumRecords2(LONGHORN, 0, "dc1", zone, name, start, kind, view, None, None)
        return self.desk.call(SERVER, request, idl.DnssrvEnumRecords2Response, token=self.token)

    def nodes(
        self, zone: str | None, name: str | None = "@", kind: int = ALL_TYPES, view: int = VIEW_AUTHORITY
    ) -> list[SeenNode]:
        told = self.enumerate(zone, name, kind, view)
        assert told.status == OK, told.status
        return nodes_of(told.buffer or b"")

    def records(self, zone: str | None, name: str = "@", kind: int = ALL_TYPES) -> list[Seen]:
        """The records of one name; none where there is no such name."""
        told = self.enumerate(zone, name, kind, VIEW_AUTHORITY | 0x4 | 0x1_0000)
        if told.status == Win32.DNS_ERROR_NAME_DOES_NOT_EXIST:
            return []
        assert told.status == OK, told.status
        return nodes_of(told.buffer or b"")[0].records

    def serial(self, zone: str) -> int:
        (soa,) = self.records(zone, "@", DnsType.SOA)
        assert isinstance(soa.data, SoaData)
        return soa.data.serial
