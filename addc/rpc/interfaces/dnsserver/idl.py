"""The interface DnsServer: its operations, as they are on the wire.

The same five operations come in four forms: the first of Windows 2000, the second with the client's version,
the third with a zone scope, the fourth with a virtualization instance as well.
Spec: [MS-DNSP] 2.2.1.1.1, 2.2.1.2.6, 2.2.2.2.5, 3.1.4, 6 (the IDL).
"""

from typing import Annotated, ClassVar, Final

from addc.base.enums import OpenIntEnum
from addc.codec.interface import Operation, interface
from addc.codec.ndr import (
    STRING,
    U8,
    U16,
    U32,
    Conformant,
    CountOf,
    Ndr,
    Ref,
    Union,
    Unique,
    parameters,
    structure,
)
from addc.codes.win32 import Win32
from addc.rpc.interfaces.dnsserver.idl_kinds import (
    ADDRS,
    IP4,
    TEXT,
    WIDE,
    RpcBuffer,
    UnicodeStringList,
    Utf8StringList,
)
from addc.rpc.interfaces.dnsserver.idl_parts import (
    Autoconfigure,
    DpEnum,
    DpInfo,
    DpList,
    EnlistDp,
    ForwardersDotnet,
    ForwardersLonghorn,
    ForwardersW2k,
    IpValidate,
    NameAndParam,
    RrlParams,
    ZoneChangeDp,
)
from addc.rpc.interfaces.dnsserver.idl_server import (
    ServerInfoDotnet,
    ServerInfoLonghorn,
    ServerInfoW2k,
)
from addc.rpc.interfaces.dnsserver.idl_zones import (
    EnumZonesFilter,
    ZoneCreateInfoDotnet,
    ZoneCreateInfoLonghorn,
    ZoneCreateInfoW2k,
    ZoneDatabaseDotnet,
    ZoneDatabaseW2k,
    ZoneDotnet,
    ZoneExportInfo,
    ZoneInfoDotnet,
    ZoneInfoLonghorn,
    ZoneInfoW2k,
    ZoneListDotnet,
    ZoneListW2k,
    ZoneSecondariesDotnet,
    ZoneSecondariesLonghorn,
    ZoneSecondariesW2k,
    ZoneW2k,
)

BUFFER_MAX: Final = 0x0080_0000
"""Octets of records in one answer, at most."""


class ClientVersion(OpenIntEnum):
    """DNS_RPC_CURRENT_CLIENT_VER, [MS-DNSP] 2.2.1.2.1: which forms of structures a client knows."""

    W2K = 0
    DOTNET = 0x0006_0000
    LONGHORN = 0x0007_0000


class TypeId(OpenIntEnum):
    """DNS_RPC_TYPEID, [MS-DNSP] 2.2.1.1.1."""

    NULL = 0
    DWORD = 1
    LPSTR = 2
    LPWSTR = 3
    IPARRAY = 4
    BUFFER = 5
    SERVER_INFO_W2K = 6
    STATS = 7
    FORWARDERS_W2K = 8
    ZONE_W2K = 9
    ZONE_INFO_W2K = 10
    ZONE_SECONDARIES_W2K = 11
    ZONE_DATABASE_W2K = 12
    ZONE_TYPE_RESET_W2K = 13
    ZONE_CREATE_W2K = 14
    NAME_AND_PARAM = 15
    ZONE_LIST_W2K = 16
    ZONE_RENAME = 17
    ZONE_EXPORT = 18
    SERVER_INFO_DOTNET = 19
    FORWARDERS_DOTNET = 20
    ZONE = 21
    ZONE_INFO_DOTNET = 22
    ZONE_SECONDARIES_DOTNET = 23
    ZONE_DATABASE = 24
    ZONE_TYPE_RESET_DOTNET = 25
    ZONE_CREATE_DOTNET = 26
    ZONE_LIST = 27
    DP_ENUM = 28
    DP_INFO = 29
    DP_LIST = 30
    ENLIST_DP = 31
    ZONE_CHANGE_DP = 32
    ENUM_ZONES_FILTER = 33
    ADDRARRAY = 34
    SERVER_INFO = 35
    ZONE_INFO = 36
    FORWARDERS = 37
    ZONE_SECONDARIES = 38
    ZONE_TYPE_RESET = 39
    ZONE_CREATE = 40
    IP_VALIDATE = 41
    AUTOCONFIGURE = 42
    UTF8_STRING_LIST = 43
    UNICODE_STRING_LIST = 44
    RRL = 61


@structure
class RpcRecord(Ndr):
    """DNS_RPC_RECORD, [MS-DNSP] 2.2.2.2.5, as a parameter; record_data.py reads its octets."""

    data_length: ClassVar = CountOf("data", U16)
    type: Annotated[int, U16] = 0
    flags: Annotated[int, U32] = 0
    serial: Annotated[int, U32] = 0
    ttl_s: Annotated[int, U32] = 0
    timestamp_h: Annotated[int, U32] = 0
    reserved: Annotated[int, U32] = 0
    data: Annotated[bytes, Conformant(U8, 0xFFFF)] = b""


Data = int | str | Ndr | None
"""What a DNSSRV_RPC_UNION holds."""

_ARMS: Final = {
    TypeId.NULL: Unique(U8),
    TypeId.DWORD: U32,
    TypeId.LPSTR: TEXT,
    TypeId.LPWSTR: WIDE,
    TypeId.IPARRAY: IP4,
    TypeId.BUFFER: Unique(RpcBuffer),
    TypeId.SERVER_INFO_W2K: Unique(ServerInfoW2k),
    TypeId.FORWARDERS_W2K: Unique(ForwardersW2k),
    TypeId.ZONE_W2K: Unique(ZoneW2k),
    TypeId.ZONE_INFO_W2K: Unique(ZoneInfoW2k),
    TypeId.ZONE_SECONDARIES_W2K: Unique(ZoneSecondariesW2k),
    TypeId.ZONE_DATABASE_W2K: Unique(ZoneDatabaseW2k),
    TypeId.ZONE_CREATE_W2K: Unique(ZoneCreateInfoW2k),
    TypeId.NAME_AND_PARAM: Unique(NameAndParam),
    TypeId.ZONE_LIST_W2K: Unique(ZoneListW2k),
    TypeId.ZONE_EXPORT: Unique(ZoneExportInfo),
    TypeId.SERVER_INFO_DOTNET: Unique(ServerInfoDotnet),
    TypeId.FORWARDERS_DOTNET: Unique(ForwardersDotnet),
    TypeId.ZONE: Unique(ZoneDotnet),
    TypeId.ZONE_INFO_DOTNET: Unique(ZoneInfoDotnet),
    TypeId.ZONE_SECONDARIES_DOTNET: Unique(ZoneSecondariesDotnet),
    TypeId.ZONE_DATABASE: Unique(ZoneDatabaseDotnet),
    TypeId.ZONE_CREATE_DOTNET: Unique(ZoneCreateInfoDotnet),
    TypeId.ZONE_LIST: Unique(ZoneListDotnet),
    TypeId.DP_ENUM: Unique(DpEnum),
    TypeId.DP_INFO: Unique(DpInfo),
    TypeId.DP_LIST: Unique(DpList),
    TypeId.ENLIST_DP: Unique(EnlistDp),
    TypeId.ZONE_CHANGE_DP: Unique(ZoneChangeDp),
    TypeId.ENUM_ZONES_FILTER: Unique(EnumZonesFilter),
    TypeId.ADDRARRAY: ADDRS,
    TypeId.SERVER_INFO: Unique(ServerInfoLonghorn),
    TypeId.ZONE_INFO: Unique(ZoneInfoLonghorn),
    TypeId.FORWARDERS: Unique(ForwardersLonghorn),
    TypeId.ZONE_SECONDARIES: Unique(ZoneSecondariesLonghorn),
    TypeId.ZONE_CREATE: Unique(ZoneCreateInfoLonghorn),
    TypeId.IP_VALIDATE: Unique(IpValidate),
    TypeId.AUTOCONFIGURE: Unique(Autoconfigure),
    TypeId.UTF8_STRING_LIST: Unique(Utf8StringList),
    TypeId.UNICODE_STRING_LIST: Unique(UnicodeStringList),
    TypeId.RRL: Unique(RrlParams),
}


@parameters
class DnssrvOperation(Ndr):
    """Opnum 0."""

    server_name: Annotated[str | None, WIDE]
    zone: Annotated[str | None, TEXT]
    context: Annotated[int, U32]
    operation: Annotated[str | None, TEXT]
    type_id: Annotated[TypeId, U32]
    data: Annotated[Data, Union("type_id", _ARMS)]


@parameters
class DnssrvOperationResponse(Ndr):
    """Opnum 0."""

    status: Annotated[Win32, U32] = Win32.ERROR_SUCCESS


@parameters
class DnssrvQuery(Ndr):
    """Opnum 1."""

    server_name: Annotated[str | None, WIDE]
    zone: Annotated[str | None, TEXT]
    operation: Annotated[str | None, TEXT]


@parameters
class DnssrvQueryResponse(Ndr):
    """Opnum 1."""

    type_id: Annotated[TypeId, U32] = TypeId.NULL
    data: Annotated[Data, Union("type_id", _ARMS)] = None
    status: Annotated[Win32, U32] = Win32.ERROR_SUCCESS


@parameters
class DnssrvComplexOperation(Ndr):
    """Opnum 2."""

    server_name: Annotated[str | None, WIDE]
    zone: Annotated[str | None, TEXT]
    operation: Annotated[str | None, TEXT]
    type_in: Annotated[TypeId, U32]
    data_in: Annotated[Data, Union("type_in", _ARMS)]


@parameters
class DnssrvComplexOperationResponse(Ndr):
    """Opnum 2."""

    type_out: Annotated[TypeId, U32] = TypeId.NULL
    data_out: Annotated[Data, Union("type_out", _ARMS)] = None
    status: Annotated[Win32, U32] = Win32.ERROR_SUCCESS


@parameters
class DnssrvEnumRecords(Ndr):
    """Opnum 3."""

    server_name: Annotated[str | None, WIDE]
    zone: Annotated[str | None, TEXT]
    node_name: Annotated[str | None, TEXT]
    start_child: Annotated[str | None, TEXT]
    record_type: Annotated[int, U16]
    select_flag: Annotated[int, U32]
    filter_start: Annotated[str | None, TEXT]
    filter_stop: Annotated[str | None, TEXT]


@parameters
class DnssrvEnumRecordsResponse(Ndr):
    """Opnum 3."""

    buffer_length: ClassVar = CountOf("buffer")
    buffer: Annotated[bytes | None, Unique(Conformant(U8, BUFFER_MAX))] = None
    status: Annotated[Win32, U32] = Win32.ERROR_SUCCESS


@parameters
class DnssrvUpdateRecord(Ndr):
    """Opnum 4."""

    server_name: Annotated[str | None, WIDE]
    zone: Annotated[str | None, TEXT]
    node_name: Annotated[str, Ref(STRING)]
    add_record: Annotated[RpcRecord | None, Unique(RpcRecord)]
    delete_record: Annotated[RpcRecord | None, Unique(RpcRecord)]


@parameters
class DnssrvUpdateRecordResponse(Ndr):
    """Opnum 4."""

    status: Annotated[Win32, U32] = Win32.ERROR_SUCCESS


@parameters
class DnssrvOperation2(Ndr):
    """Opnum 5."""

    client_version: Annotated[ClientVersion, U32]
    setting_flags: Annotated[int, U32]
    server_name: Annotated[str | None, WIDE]
    zone: Annotated[str | None, TEXT]
    context: Annotated[int, U32]
    operation: Annotated[str | None, TEXT]
    type_id: Annotated[TypeId, U32]
    data: Annotated[Data, Union("type_id", _ARMS)]


@parameters
class DnssrvOperation2Response(Ndr):
    """Opnum 5."""

    status: Annotated[Win32, U32] = Win32.ERROR_SUCCESS


@parameters
class DnssrvQuery2(Ndr):
    """Opnum 6."""

    client_version: Annotated[ClientVersion, U32]
    setting_flags: Annotated[int, U32]
    server_name: Annotated[str | None, WIDE]
    zone: Annotated[str | None, TEXT]
    operation: Annotated[str | None, TEXT]


@parameters
class DnssrvQuery2Response(Ndr):
    """Opnum 6."""

    type_id: Annotated[TypeId, U32] = TypeId.NULL
    data: Annotated[Data, Union("type_id", _ARMS)] = None
    status: Annotated[Win32, U32] = Win32.ERROR_SUCCESS


@parameters
class DnssrvComplexOperation2(Ndr):
    """Opnum 7."""

    client_version: Annotated[ClientVersion, U32]
    setting_flags: Annotated[int, U32]
    server_name: Annotated[str | None, WIDE]
    zone: Annotated[str | None, TEXT]
    operation: Annotated[str | None, TEXT]
    type_in: Annotated[TypeId, U32]
    data_in: Annotated[Data, Union("type_in", _ARMS)]


@parameters
class DnssrvComplexOperation2Response(Ndr):
    """Opnum 7."""

    type_out: Annotated[TypeId, U32] = TypeId.NULL
    data_out: Annotated[Data, Union("type_out", _ARMS)] = None
    status: Annotated[Win32, U32] = Win32.ERROR_SUCCESS


@parameters
class DnssrvEnumRecords2(Ndr):
    """Opnum 8."""

    client_version: Annotated[ClientVersion, U32]
    setting_flags: Annotated[int, U32]
    server_name: Annotated[str | None, WIDE]
    zone: Annotated[str | None, TEXT]
    node_name: Annotated[str | None, TEXT]
    start_child: Annotated[str | None, TEXT]
    record_type: Annotated[int, U16]
    select_flag: Annotated[int, U32]
    filter_start: Annotated[str | None, TEXT]
    filter_stop: Annotated[str | None, TEXT]


@parameters
class DnssrvEnumRecords2Response(Ndr):
    """Opnum 8."""

    buffer_length: ClassVar = CountOf("buffer")
    buffer: Annotated[bytes | None, Unique(Conformant(U8, BUFFER_MAX))] = None
    status: Annotated[Win32, U32] = Win32.ERROR_SUCCESS


@parameters
class DnssrvUpdateRecord2(Ndr):
    """Opnum 9."""

    client_version: Annotated[ClientVersion, U32]
    setting_flags: Annotated[int, U32]
    server_name: Annotated[str | None, WIDE]
    zone: Annotated[str | None, TEXT]
    node_name: Annotated[str, Ref(STRING)]
    add_record: Annotated[RpcRecord | None, Unique(RpcRecord)]
    delete_record: Annotated[RpcRecord | None, Unique(RpcRecord)]


@parameters
class DnssrvUpdateRecord2Response(Ndr):
    """Opnum 9."""

    status: Annotated[Win32, U32] = Win32.ERROR_SUCCESS


@parameters
class DnssrvUpdateRecord3(Ndr):
    """Opnum 10."""

    client_version: Annotated[ClientVersion, U32]
    setting_flags: Annotated[int, U32]
    server_name: Annotated[str | None, WIDE]
    zone: Annotated[str | None, TEXT]
    zone_scope: Annotated[str | None, WIDE]
    node_name: Annotated[str, Ref(STRING)]
    add_record: Annotated[RpcRecord | None, Unique(RpcRecord)]
    delete_record: Annotated[RpcRecord | None, Unique(RpcRecord)]


@parameters
class DnssrvUpdateRecord3Response(Ndr):
    """Opnum 10."""

    status: Annotated[Win32, U32] = Win32.ERROR_SUCCESS


@parameters
class DnssrvEnumRecords3(Ndr):
    """Opnum 11."""

    client_version: Annotated[ClientVersion, U32]
    setting_flags: Annotated[int, U32]
    server_name: Annotated[str | None, WIDE]
    zone: Annotated[str | None, TEXT]
    zone_scope: Annotated[str | None, WIDE]
    node_name: Annotated[str | None, TEXT]
    start_child: Annotated[str | None, TEXT]
    record_type: Annotated[int, U16]
    select_flag: Annotated[int, U32]
    filter_start: Annotated[str | None, TEXT]
    filter_stop: Annotated[str | None, TEXT]


@parameters
class DnssrvEnumRecords3Response(Ndr):
    """Opnum 11."""

    buffer_length: ClassVar = CountOf("buffer")
    buffer: Annotated[bytes | None, Unique(Conformant(U8, BUFFER_MAX))] = None
    status: Annotated[Win32, U32] = Win32.ERROR_SUCCESS


@parameters
class DnssrvOperation3(Ndr):
    """Opnum 12."""

    client_version: Annotated[ClientVersion, U32]
    setting_flags: Annotated[int, U32]
    server_name: Annotated[str | None, WIDE]
    zone: Annotated[str | None, TEXT]
    zone_scope: Annotated[str | None, WIDE]
    context: Annotated[int, U32]
    operation: Annotated[str | None, TEXT]
    type_id: Annotated[TypeId, U32]
    data: Annotated[Data, Union("type_id", _ARMS)]


@parameters
class DnssrvOperation3Response(Ndr):
    """Opnum 12."""

    status: Annotated[Win32, U32] = Win32.ERROR_SUCCESS


@parameters
class DnssrvQuery3(Ndr):
    """Opnum 13."""

    client_version: Annotated[ClientVersion, U32]
    setting_flags: Annotated[int, U32]
    server_name: Annotated[str | None, WIDE]
    zone: Annotated[str | None, TEXT]
    zone_scope: Annotated[str | None, WIDE]
    operation: Annotated[str | None, TEXT]


@parameters
class DnssrvQuery3Response(Ndr):
    """Opnum 13."""

    type_id: Annotated[TypeId, U32] = TypeId.NULL
    data: Annotated[Data, Union("type_id", _ARMS)] = None
    status: Annotated[Win32, U32] = Win32.ERROR_SUCCESS


@parameters
class DnssrvComplexOperation3(Ndr):
    """Opnum 14."""

    client_version: Annotated[ClientVersion, U32]
    setting_flags: Annotated[int, U32]
    server_name: Annotated[str | None, WIDE]
    virtualization_instance: Annotated[str | None, WIDE]
    zone: Annotated[str | None, TEXT]
    operation: Annotated[str | None, TEXT]
    type_in: Annotated[TypeId, U32]
    data_in: Annotated[Data, Union("type_in", _ARMS)]


@parameters
class DnssrvComplexOperation3Response(Ndr):
    """Opnum 14."""

    type_out: Annotated[TypeId, U32] = TypeId.NULL
    data_out: Annotated[Data, Union("type_out", _ARMS)] = None
    status: Annotated[Win32, U32] = Win32.ERROR_SUCCESS


@parameters
class DnssrvOperation4(Ndr):
    """Opnum 15."""

    client_version: Annotated[ClientVersion, U32]
    setting_flags: Annotated[int, U32]
    server_name: Annotated[str | None, WIDE]
    virtualization_instance: Annotated[str | None, WIDE]
    zone: Annotated[str | None, TEXT]
    zone_scope: Annotated[str | None, WIDE]
    context: Annotated[int, U32]
    operation: Annotated[str | None, TEXT]
    type_id: Annotated[TypeId, U32]
    data: Annotated[Data, Union("type_id", _ARMS)]


@parameters
class DnssrvOperation4Response(Ndr):
    """Opnum 15."""

    status: Annotated[Win32, U32] = Win32.ERROR_SUCCESS


@parameters
class DnssrvQuery4(Ndr):
    """Opnum 16."""

    client_version: Annotated[ClientVersion, U32]
    setting_flags: Annotated[int, U32]
    server_name: Annotated[str | None, WIDE]
    virtualization_instance: Annotated[str | None, WIDE]
    zone: Annotated[str | None, TEXT]
    zone_scope: Annotated[str | None, WIDE]
    operation: Annotated[str | None, TEXT]


@parameters
class DnssrvQuery4Response(Ndr):
    """Opnum 16."""

    type_id: Annotated[TypeId, U32] = TypeId.NULL
    data: Annotated[Data, Union("type_id", _ARMS)] = None
    status: Annotated[Win32, U32] = Win32.ERROR_SUCCESS


@parameters
class DnssrvUpdateRecord4(Ndr):
    """Opnum 17."""

    client_version: Annotated[ClientVersion, U32]
    setting_flags: Annotated[int, U32]
    server_name: Annotated[str | None, WIDE]
    virtualization_instance: Annotated[str | None, WIDE]
    zone: Annotated[str | None, TEXT]
    zone_scope: Annotated[str | None, WIDE]
    node_name: Annotated[str, Ref(STRING)]
    add_record: Annotated[RpcRecord | None, Unique(RpcRecord)]
    delete_record: Annotated[RpcRecord | None, Unique(RpcRecord)]


@parameters
class DnssrvUpdateRecord4Response(Ndr):
    """Opnum 17."""

    status: Annotated[Win32, U32] = Win32.ERROR_SUCCESS


@parameters
class DnssrvEnumRecords4(Ndr):
    """Opnum 18."""

    client_version: Annotated[ClientVersion, U32]
    setting_flags: Annotated[int, U32]
    server_name: Annotated[str | None, WIDE]
    virtualization_instance: Annotated[str | None, WIDE]
    zone: Annotated[str | None, TEXT]
    zone_scope: Annotated[str | None, WIDE]
    node_name: Annotated[str | None, TEXT]
    start_child: Annotated[str | None, TEXT]
    record_type: Annotated[int, U16]
    select_flag: Annotated[int, U32]
    filter_start: Annotated[str | None, TEXT]
    filter_stop: Annotated[str | None, TEXT]


@parameters
class DnssrvEnumRecords4Response(Ndr):
    """Opnum 18."""

    buffer_length: ClassVar = CountOf("buffer")
    buffer: Annotated[bytes | None, Unique(Conformant(U8, BUFFER_MAX))] = None
    status: Annotated[Win32, U32] = Win32.ERROR_SUCCESS


DNSSERVER: Final = interface(
    "DnsServer",
    "50abc2a4-574d-40b3-9d66-ee4fd5fba076",
    (5, 0),
    Operation(0, "R_DnssrvOperation", DnssrvOperation, DnssrvOperationResponse),
    Operation(1, "R_DnssrvQuery", DnssrvQuery, DnssrvQueryResponse),
    Operation(2, "R_DnssrvComplexOperation", DnssrvComplexOperation, DnssrvComplexOperationResponse),
    Operation(3, "R_DnssrvEnumRecords", DnssrvEnumRecords, DnssrvEnumRecordsResponse),
    Operation(4, "R_DnssrvUpdateRecord", DnssrvUpdateRecord, DnssrvUpdateRecordResponse),
    Operation(5, "R_DnssrvOperation2", DnssrvOperation2, DnssrvOperation2Response),
    Operation(6, "R_DnssrvQuery2", DnssrvQuery2, DnssrvQuery2Response),
    Operation(7, "R_DnssrvComplexOperation2", DnssrvComplexOperation2, DnssrvComplexOperation2Response),
    Operation(8, "R_DnssrvEnumRecords2", DnssrvEnumRecords2, DnssrvEnumRecords2Response),
    Operation(9, "R_DnssrvUpdateRecord2", DnssrvUpdateRecord2, DnssrvUpdateRecord2Response),
    Operation(10, "R_DnssrvUpdateRecord3", DnssrvUpdateRecord3, DnssrvUpdateRecord3Response),
    Operation(11, "R_DnssrvEnumRecords3", DnssrvEnumRecords3, DnssrvEnumRecords3Response),
    Operation(12, "R_DnssrvOperation3", DnssrvOperation3, DnssrvOperation3Response),
    Operation(13, "R_DnssrvQuery3", DnssrvQuery3, DnssrvQuery3Response),
    Operation(14, "R_DnssrvComplexOperation3", DnssrvComplexOperation3, DnssrvComplexOperation3Response),
    Operation(15, "R_DnssrvOperation4", DnssrvOperation4, DnssrvOperation4Response),
    Operation(16, "R_DnssrvQuery4", DnssrvQuery4, DnssrvQuery4Response),
    Operation(17, "R_DnssrvUpdateRecord4", DnssrvUpdateRecord4, DnssrvUpdateRecord4Response),
    Operation(18, "R_DnssrvEnumRecords4", DnssrvEnumRecords4, DnssrvEnumRecords4Response),
)
