"""The interface srvsvc: its structures, unions and operations, as they are on the wire.

A union of another level than those listed holds nothing, b"".
Spec: [MS-SRVS] 2.2, 3.1.4, 6 (the IDL).
"""

from typing import Annotated, ClassVar, Final

from addc.codec.interface import Operation, interface
from addc.codec.ndr import (
    CONFORMANT_BYTES,
    I32,
    NOTHING,
    U32,
    WCHAR,
    WSTRING,
    Conformant,
    ConformantVarying,
    Container,
    CountOf,
    KindLike,
    Ndr,
    Range,
    Tagged,
    TaggedUnion,
    Union,
    Unique,
    Varying,
    parameters,
    structure,
)
from addc.codes.win32 import Win32

NAME: Final = Unique(WSTRING)
NO_INFO: Final = Tagged(0, None)
BUFFER_MAX: Final = 64_000
"""Range of OutbufLen, [MS-SRVS] 3.1.4.30."""


def _containers(items: dict[int, KindLike]) -> Union:
    """The union of an enumeration, switched by its member `level`."""
    return Union("level", {level: Unique(Container(item)) for level, item in items.items()}, NOTHING)


def _infos(items: dict[int, KindLike]) -> TaggedUnion:
    """The union of one item, by level."""
    return TaggedUnion({level: Unique(item) for level, item in items.items()}, NOTHING)


# --- connections -------------------------------------------------------------------------------------------


@structure
class ConnectionInfo0(Ndr):
    """CONNECTION_INFO_0, [MS-SRVS] 2.2.4.1."""

    id: Annotated[int, U32]


@structure
class ConnectionInfo1(Ndr):
    """CONNECTION_INFO_1, [MS-SRVS] 2.2.4.2; time in seconds."""

    id: Annotated[int, U32]
    type: Annotated[int, U32]
    num_opens: Annotated[int, U32]
    num_users: Annotated[int, U32]
    time: Annotated[int, U32]
    username: Annotated[str | None, NAME]
    netname: Annotated[str | None, NAME]


@structure
class ConnectEnumStruct(Ndr):
    """CONNECT_ENUM_STRUCT, [MS-SRVS] 2.2.4.5."""

    level: Annotated[int, U32]
    info: Annotated[object, _containers({0: ConnectionInfo0, 1: ConnectionInfo1})]


# --- files -------------------------------------------------------------------------------------------------


@structure
class FileInfo2(Ndr):
    """FILE_INFO_2, [MS-SRVS] 2.2.4.6."""

    id: Annotated[int, U32]


@structure
class FileInfo3(Ndr):
    """FILE_INFO_3, [MS-SRVS] 2.2.4.7."""

    id: Annotated[int, U32]
    permissions: Annotated[int, U32]
    num_locks: Annotated[int, U32]
    pathname: Annotated[str | None, NAME]
    username: Annotated[str | None, NAME]


@structure
class FileEnumStruct(Ndr):
    """FILE_ENUM_STRUCT, [MS-SRVS] 2.2.4.10."""

    level: Annotated[int, U32]
    info: Annotated[object, _containers({2: FileInfo2, 3: FileInfo3})]


FILE_INFO: Final = _infos({2: FileInfo2, 3: FileInfo3})
"""FILE_INFO, [MS-SRVS] 2.2.3.5."""


# --- sessions ----------------------------------------------------------------------------------------------


@structure
class SessionInfo0(Ndr):
    """SESSION_INFO_0, [MS-SRVS] 2.2.4.11."""

    cname: Annotated[str | None, NAME]


@structure
class SessionInfo1(Ndr):
    """SESSION_INFO_1, [MS-SRVS] 2.2.4.12; times in seconds."""

    cname: Annotated[str | None, NAME]
    username: Annotated[str | None, NAME]
    num_opens: Annotated[int, U32]
    time: Annotated[int, U32]
    idle_time: Annotated[int, U32]
    user_flags: Annotated[int, U32]


@structure
class SessionInfo2(Ndr):
    """SESSION_INFO_2, [MS-SRVS] 2.2.4.13."""

    cname: Annotated[str | None, NAME]
    username: Annotated[str | None, NAME]
    num_opens: Annotated[int, U32]
    time: Annotated[int, U32]
    idle_time: Annotated[int, U32]
    user_flags: Annotated[int, U32]
    cltype_name: Annotated[str | None, NAME]


@structure
class SessionInfo10(Ndr):
    """SESSION_INFO_10, [MS-SRVS] 2.2.4.14."""

    cname: Annotated[str | None, NAME]
    username: Annotated[str | None, NAME]
    time: Annotated[int, U32]
    idle_time: Annotated[int, U32]


@structure
class SessionInfo502(Ndr):
    """SESSION_INFO_502, [MS-SRVS] 2.2.4.15."""

    cname: Annotated[str | None, NAME]
    username: Annotated[str | None, NAME]
    num_opens: Annotated[int, U32]
    time: Annotated[int, U32]
    idle_time: Annotated[int, U32]
    user_flags: Annotated[int, U32]
    cltype_name: Annotated[str | None, NAME]
    transport: Annotated[str | None, NAME]


@structure
class SessionEnumStruct(Ndr):
    """SESSION_ENUM_STRUCT, [MS-SRVS] 2.2.4.21."""

    level: Annotated[int, U32]
    info: Annotated[
        object,
        _containers(
            {0: SessionInfo0, 1: SessionInfo1, 2: SessionInfo2, 10: SessionInfo10, 502: SessionInfo502}
        ),
    ]


# --- shares ------------------------------------------------------------------------------------------------


@structure
class ShareInfo0(Ndr):
    """SHARE_INFO_0, [MS-SRVS] 2.2.4.22."""

    netname: Annotated[str | None, NAME]


@structure
class ShareInfo1(Ndr):
    """SHARE_INFO_1, [MS-SRVS] 2.2.4.23."""

    netname: Annotated[str | None, NAME]
    type: Annotated[int, U32]
    remark: Annotated[str | None, NAME]


@structure
class ShareInfo2(Ndr):
    """SHARE_INFO_2, [MS-SRVS] 2.2.4.24."""

    netname: Annotated[str | None, NAME]
    type: Annotated[int, U32]
    remark: Annotated[str | None, NAME]
    permissions: Annotated[int, U32]
    max_uses: Annotated[int, U32]
    current_uses: Annotated[int, U32]
    path: Annotated[str | None, NAME]
    passwd: Annotated[str | None, NAME]


@structure
class ShareInfo501(Ndr):
    """SHARE_INFO_501, [MS-SRVS] 2.2.4.25."""

    netname: Annotated[str | None, NAME]
    type: Annotated[int, U32]
    remark: Annotated[str | None, NAME]
    flags: Annotated[int, U32]


@structure
class ShareInfo502(Ndr):
    """SHARE_INFO_502_I, [MS-SRVS] 2.2.4.26."""

    netname: Annotated[str | None, NAME]
    type: Annotated[int, U32]
    remark: Annotated[str | None, NAME]
    permissions: Annotated[int, U32]
    max_uses: Annotated[int, U32]
    current_uses: Annotated[int, U32]
    path: Annotated[str | None, NAME]
    passwd: Annotated[str | None, NAME]
    reserved: ClassVar = CountOf("security_descriptor")
    security_descriptor: Annotated[bytes | None, Unique(CONFORMANT_BYTES)]


@structure
class ShareInfo503(Ndr):
    """SHARE_INFO_503_I, [MS-SRVS] 2.2.4.27."""

    netname: Annotated[str | None, NAME]
    type: Annotated[int, U32]
    remark: Annotated[str | None, NAME]
    permissions: Annotated[int, U32]
    max_uses: Annotated[int, U32]
    current_uses: Annotated[int, U32]
    path: Annotated[str | None, NAME]
    passwd: Annotated[str | None, NAME]
    servername: Annotated[str | None, NAME]
    reserved: ClassVar = CountOf("security_descriptor")
    security_descriptor: Annotated[bytes | None, Unique(CONFORMANT_BYTES)]


@structure
class ShareInfo1004(Ndr):
    """SHARE_INFO_1004, [MS-SRVS] 2.2.4.28."""

    remark: Annotated[str | None, NAME]


@structure
class ShareInfo1005(Ndr):
    """SHARE_INFO_1005, [MS-SRVS] 2.2.4.29."""

    flags: Annotated[int, U32]


@structure
class ShareInfo1006(Ndr):
    """SHARE_INFO_1006, [MS-SRVS] 2.2.4.30."""

    max_uses: Annotated[int, U32]


@structure
class ShareInfo1501(Ndr):
    """SHARE_INFO_1501_I, [MS-SRVS] 2.2.4.31."""

    reserved: ClassVar = CountOf("security_descriptor")
    security_descriptor: Annotated[bytes | None, Unique(CONFORMANT_BYTES)]


@structure
class ShareEnumStruct(Ndr):
    """SHARE_ENUM_STRUCT, [MS-SRVS] 2.2.4.38."""

    level: Annotated[int, U32]
    info: Annotated[
        object,
        _containers(
            {
                0: ShareInfo0,
                1: ShareInfo1,
                2: ShareInfo2,
                501: ShareInfo501,
                502: ShareInfo502,
                503: ShareInfo503,
            }
        ),
    ]


SHARE_INFO: Final = _infos(
    {
        0: ShareInfo0,
        1: ShareInfo1,
        2: ShareInfo2,
        501: ShareInfo501,
        502: ShareInfo502,
        503: ShareInfo503,
        1004: ShareInfo1004,
        1005: ShareInfo1005,
        1006: ShareInfo1006,
        1501: ShareInfo1501,
    }
)
"""SHARE_INFO, [MS-SRVS] 2.2.3.6."""


# --- the server --------------------------------------------------------------------------------------------


@structure
class ServerInfo100(Ndr):
    """SERVER_INFO_100, [MS-DTYP] 2.3.12."""

    platform_id: Annotated[int, U32]
    name: Annotated[str | None, NAME]


@structure
class ServerInfo101(Ndr):
    """SERVER_INFO_101, [MS-DTYP] 2.3.13."""

    platform_id: Annotated[int, U32]
    name: Annotated[str | None, NAME]
    version_major: Annotated[int, U32]
    version_minor: Annotated[int, U32]
    type: Annotated[int, U32]
    comment: Annotated[str | None, NAME]


@structure
class ServerInfo102(Ndr):
    """SERVER_INFO_102, [MS-SRVS] 2.2.4.41."""

    platform_id: Annotated[int, U32]
    name: Annotated[str | None, NAME]
    version_major: Annotated[int, U32]
    version_minor: Annotated[int, U32]
    type: Annotated[int, U32]
    comment: Annotated[str | None, NAME]
    users: Annotated[int, U32]
    disc: Annotated[int, U32]
    hidden: Annotated[int, U32]
    announce: Annotated[int, U32]
    anndelta: Annotated[int, U32]
    licenses: Annotated[int, U32]
    userpath: Annotated[str | None, NAME]


@structure
class ServerInfo103(Ndr):
    """SERVER_INFO_103, [MS-SRVS] 2.2.4.43."""

    platform_id: Annotated[int, U32]
    name: Annotated[str | None, NAME]
    version_major: Annotated[int, U32]
    version_minor: Annotated[int, U32]
    type: Annotated[int, U32]
    comment: Annotated[str | None, NAME]
    users: Annotated[int, U32]
    disc: Annotated[int, U32]
    hidden: Annotated[int, U32]
    announce: Annotated[int, U32]
    anndelta: Annotated[int, U32]
    licenses: Annotated[int, U32]
    userpath: Annotated[str | None, NAME]
    capabilities: Annotated[int, U32]


@structure
class ServerInfo502(Ndr):
    """SERVER_INFO_502, [MS-SRVS] 2.2.4.44."""

    sessopens: Annotated[int, U32]
    sesssvc: Annotated[int, U32]
    opensearch: Annotated[int, U32]
    sizereqbuf: Annotated[int, U32]
    initworkitems: Annotated[int, U32]
    maxworkitems: Annotated[int, U32]
    rawworkitems: Annotated[int, U32]
    irpstacksize: Annotated[int, U32]
    maxrawbuflen: Annotated[int, U32]
    sessusers: Annotated[int, U32]
    sessconns: Annotated[int, U32]
    maxpagedmemoryusage: Annotated[int, U32]
    maxnonpagedmemoryusage: Annotated[int, U32]
    enablesoftcompat: Annotated[int, U32]
    enableforcedlogoff: Annotated[int, U32]
    timesource: Annotated[int, U32]
    acceptdownlevelapis: Annotated[int, U32]
    lmannounce: Annotated[int, U32]


@structure
class ServerInfo503(Ndr):
    """SERVER_INFO_503, [MS-SRVS] 2.2.4.45."""

    sessopens: Annotated[int, U32]
    sesssvc: Annotated[int, U32]
    opensearch: Annotated[int, U32]
    sizereqbuf: Annotated[int, U32]
    initworkitems: Annotated[int, U32]
    maxworkitems: Annotated[int, U32]
    rawworkitems: Annotated[int, U32]
    irpstacksize: Annotated[int, U32]
    maxrawbuflen: Annotated[int, U32]
    sessusers: Annotated[int, U32]
    sessconns: Annotated[int, U32]
    maxpagedmemoryusage: Annotated[int, U32]
    maxnonpagedmemoryusage: Annotated[int, U32]
    enablesoftcompat: Annotated[int, U32]
    enableforcedlogoff: Annotated[int, U32]
    timesource: Annotated[int, U32]
    acceptdownlevelapis: Annotated[int, U32]
    lmannounce: Annotated[int, U32]
    domain: Annotated[str | None, NAME]
    maxcopyreadlen: Annotated[int, U32]
    maxcopywritelen: Annotated[int, U32]
    minkeepsearch: Annotated[int, U32]
    maxkeepsearch: Annotated[int, U32]
    minkeepcomplsearch: Annotated[int, U32]
    maxkeepcomplsearch: Annotated[int, U32]
    threadcountadd: Annotated[int, U32]
    numblockthreads: Annotated[int, U32]
    scavtimeout: Annotated[int, U32]
    minrcvqueue: Annotated[int, U32]
    minfreeworkitems: Annotated[int, U32]
    xactmemsize: Annotated[int, U32]
    threadpriority: Annotated[int, U32]
    maxmpxct: Annotated[int, U32]
    oplockbreakwait: Annotated[int, U32]
    oplockbreakresponsewait: Annotated[int, U32]
    enableoplocks: Annotated[int, U32]
    enableoplockforceclose: Annotated[int, U32]
    enablefcbopens: Annotated[int, U32]
    enableraw: Annotated[int, U32]
    enablesharednetdrives: Annotated[int, U32]
    minfreeconnections: Annotated[int, U32]
    maxfreeconnections: Annotated[int, U32]


@structure
class ServerInfo1005(Ndr):
    """SERVER_INFO_1005, [MS-SRVS] 2.2.4.47."""

    comment: Annotated[str | None, NAME]


_SETTINGS: Final = (
    1010, 1016, 1017, 1018, 1107, 1501, 1502, 1503, 1506, 1510, 1511, 1512, 1513, 1514, 1515, 1516, 1518,
    1523, 1528, 1529, 1530, 1533, 1534, 1535, 1536, 1538, 1539, 1540, 1541, 1542, 1543, 1544, 1545, 1546,
    1547, 1548, 1549, 1550, 1552, 1553, 1554, 1555, 1556,
)  # fmt: skip
"""Levels of a single number each, which can be set only."""
SERVER_INFO: Final = _infos(
    {
        100: ServerInfo100,
        101: ServerInfo101,
        102: ServerInfo102,
        103: ServerInfo103,
        502: ServerInfo502,
        503: ServerInfo503,
        1005: ServerInfo1005,
        **dict.fromkeys(_SETTINGS, U32),
    }
)
"""SERVER_INFO, [MS-SRVS] 2.2.3.7."""


@structure
class DiskInfo(Ndr):
    """DISK_INFO, [MS-SRVS] 2.2.4.92; with the NUL at its end."""

    disk: Annotated[str, Varying(WCHAR, 3)]


@structure
class DiskEnumContainer(Ndr):
    """DISK_ENUM_CONTAINER, [MS-SRVS] 2.2.4.93."""

    entries_read: ClassVar = CountOf("buffer")
    buffer: Annotated[tuple[DiskInfo, ...] | None, Unique(ConformantVarying(DiskInfo))] = None


@structure
class ServerTransportInfo0(Ndr):
    """SERVER_TRANSPORT_INFO_0, [MS-SRVS] 2.2.4.94."""

    numberofvcs: Annotated[int, U32]
    transportname: Annotated[str | None, NAME]
    transportaddress: Annotated[bytes | None, Unique(CONFORMANT_BYTES)]
    transportaddresslength: ClassVar = CountOf("transportaddress")
    networkaddress: Annotated[str | None, NAME]


@structure
class ServerTransportInfo1(Ndr):
    """SERVER_TRANSPORT_INFO_1, [MS-SRVS] 2.2.4.95."""

    numberofvcs: Annotated[int, U32]
    transportname: Annotated[str | None, NAME]
    transportaddress: Annotated[bytes | None, Unique(CONFORMANT_BYTES)]
    transportaddresslength: ClassVar = CountOf("transportaddress")
    networkaddress: Annotated[str | None, NAME]
    domain: Annotated[str | None, NAME]


@structure
class ServerXportEnumStruct(Ndr):
    """SERVER_XPORT_ENUM_STRUCT, [MS-SRVS] 2.2.4.102; the levels that this server has."""

    level: Annotated[int, U32]
    info: Annotated[object, _containers({0: ServerTransportInfo0, 1: ServerTransportInfo1})]


@structure
class TimeOfDayInfo(Ndr):
    """TIME_OF_DAY_INFO, [MS-SRVS] 2.2.4.105."""

    elapsedt: Annotated[int, U32]
    msecs: Annotated[int, U32]
    hours: Annotated[int, U32]
    mins: Annotated[int, U32]
    secs: Annotated[int, U32]
    hunds: Annotated[int, U32]
    timezone: Annotated[int, I32]
    tinterval: Annotated[int, U32]
    day: Annotated[int, U32]
    month: Annotated[int, U32]
    year: Annotated[int, U32]
    weekday: Annotated[int, U32]


@structure
class AdtSecurityDescriptor(Ndr):
    """ADT_SECURITY_DESCRIPTOR, [MS-SRVS] 2.2.4.106."""

    length: ClassVar = CountOf("buffer")
    buffer: Annotated[bytes | None, Unique(CONFORMANT_BYTES)]


# --- operations --------------------------------------------------------------------------------------------


@parameters
class NetrConnectionEnum(Ndr):
    """Opnum 8."""

    server_name: Annotated[str | None, NAME]
    qualifier: Annotated[str | None, NAME]
    info_struct: ConnectEnumStruct
    prefered_maximum_length: Annotated[int, U32]
    resume_handle: Annotated[int | None, Unique(U32)]


@parameters
class NetrConnectionEnumResponse(Ndr):
    """Opnum 8."""

    info_struct: ConnectEnumStruct = ConnectEnumStruct(0, None)
    total_entries: Annotated[int, U32] = 0
    resume_handle: Annotated[int | None, Unique(U32)] = None
    status: Annotated[Win32, U32] = Win32.NERR_Success


@parameters
class NetrFileEnum(Ndr):
    """Opnum 9."""

    server_name: Annotated[str | None, NAME]
    base_path: Annotated[str | None, NAME]
    user_name: Annotated[str | None, NAME]
    info_struct: FileEnumStruct
    prefered_maximum_length: Annotated[int, U32]
    resume_handle: Annotated[int | None, Unique(U32)]


@parameters
class NetrFileEnumResponse(Ndr):
    """Opnum 9."""

    info_struct: FileEnumStruct = FileEnumStruct(2, None)
    total_entries: Annotated[int, U32] = 0
    resume_handle: Annotated[int | None, Unique(U32)] = None
    status: Annotated[Win32, U32] = Win32.NERR_Success


@parameters
class NetrFileGetInfo(Ndr):
    """Opnum 10."""

    server_name: Annotated[str | None, NAME]
    file_id: Annotated[int, U32]
    level: Annotated[int, U32]


@parameters
class NetrFileGetInfoResponse(Ndr):
    """Opnum 10."""

    info_struct: Annotated[Tagged, FILE_INFO] = Tagged(2, None)
    status: Annotated[Win32, U32] = Win32.NERR_Success


@parameters
class NetrFileClose(Ndr):
    """Opnum 11."""

    server_name: Annotated[str | None, NAME]
    file_id: Annotated[int, U32]


@parameters
class NetrFileCloseResponse(Ndr):
    """Opnum 11."""

    status: Annotated[Win32, U32] = Win32.NERR_Success


@parameters
class NetrSessionEnum(Ndr):
    """Opnum 12."""

    server_name: Annotated[str | None, NAME]
    client_name: Annotated[str | None, NAME]
    user_name: Annotated[str | None, NAME]
    info_struct: SessionEnumStruct
    prefered_maximum_length: Annotated[int, U32]
    resume_handle: Annotated[int | None, Unique(U32)]


@parameters
class NetrSessionEnumResponse(Ndr):
    """Opnum 12."""

    info_struct: SessionEnumStruct = SessionEnumStruct(0, None)
    total_entries: Annotated[int, U32] = 0
    resume_handle: Annotated[int | None, Unique(U32)] = None
    status: Annotated[Win32, U32] = Win32.NERR_Success


@parameters
class NetrSessionDel(Ndr):
    """Opnum 13."""

    server_name: Annotated[str | None, NAME]
    client_name: Annotated[str | None, NAME]
    user_name: Annotated[str | None, NAME]


@parameters
class NetrSessionDelResponse(Ndr):
    """Opnum 13."""

    status: Annotated[Win32, U32] = Win32.NERR_Success


@parameters
class NetrShareAdd(Ndr):
    """Opnum 14."""

    server_name: Annotated[str | None, NAME]
    level: Annotated[int, U32]
    info_struct: Annotated[Tagged, SHARE_INFO]
    parm_err: Annotated[int | None, Unique(U32)]


@parameters
class NetrShareAddResponse(Ndr):
    """Opnum 14."""

    parm_err: Annotated[int | None, Unique(U32)] = None
    status: Annotated[Win32, U32] = Win32.NERR_Success


@parameters
class NetrShareEnum(Ndr):
    """Opnum 15."""

    server_name: Annotated[str | None, NAME]
    info_struct: ShareEnumStruct
    prefered_maximum_length: Annotated[int, U32]
    resume_handle: Annotated[int | None, Unique(U32)]


@parameters
class NetrShareEnumResponse(Ndr):
    """Opnum 15."""

    info_struct: ShareEnumStruct = ShareEnumStruct(0, None)
    total_entries: Annotated[int, U32] = 0
    resume_handle: Annotated[int | None, Unique(U32)] = None
    status: Annotated[Win32, U32] = Win32.NERR_Success


@parameters
class NetrShareGetInfo(Ndr):
    """Opnum 16."""

    server_name: Annotated[str | None, NAME]
    net_name: Annotated[str, WSTRING]
    level: Annotated[int, U32]


@parameters
class NetrShareGetInfoResponse(Ndr):
    """Opnum 16."""

    info_struct: Annotated[Tagged, SHARE_INFO] = NO_INFO
    status: Annotated[Win32, U32] = Win32.NERR_Success


@parameters
class NetrShareSetInfo(Ndr):
    """Opnum 17."""

    server_name: Annotated[str | None, NAME]
    net_name: Annotated[str, WSTRING]
    level: Annotated[int, U32]
    share_info: Annotated[Tagged, SHARE_INFO]
    parm_err: Annotated[int | None, Unique(U32)]


@parameters
class NetrShareSetInfoResponse(Ndr):
    """Opnum 17."""

    parm_err: Annotated[int | None, Unique(U32)] = None
    status: Annotated[Win32, U32] = Win32.NERR_Success


@parameters
class NetrShareDel(Ndr):
    """Opnum 18."""

    server_name: Annotated[str | None, NAME]
    net_name: Annotated[str, WSTRING]
    reserved: Annotated[int, U32]


@parameters
class NetrShareDelResponse(Ndr):
    """Opnum 18."""

    status: Annotated[Win32, U32] = Win32.NERR_Success


@parameters
class NetrShareDelSticky(Ndr):
    """Opnum 19."""

    server_name: Annotated[str | None, NAME]
    net_name: Annotated[str, WSTRING]
    reserved: Annotated[int, U32]


@parameters
class NetrShareDelStickyResponse(Ndr):
    """Opnum 19."""

    status: Annotated[Win32, U32] = Win32.NERR_Success


@parameters
class NetrShareCheck(Ndr):
    """Opnum 20."""

    server_name: Annotated[str | None, NAME]
    device: Annotated[str, WSTRING]


@parameters
class NetrShareCheckResponse(Ndr):
    """Opnum 20."""

    type: Annotated[int, U32] = 0
    status: Annotated[Win32, U32] = Win32.NERR_Success


@parameters
class NetrServerGetInfo(Ndr):
    """Opnum 21."""

    server_name: Annotated[str | None, NAME]
    level: Annotated[int, U32]


@parameters
class NetrServerGetInfoResponse(Ndr):
    """Opnum 21."""

    info_struct: Annotated[Tagged, SERVER_INFO] = Tagged(100, None)
    status: Annotated[Win32, U32] = Win32.NERR_Success


@parameters
class NetrServerSetInfo(Ndr):
    """Opnum 22."""

    server_name: Annotated[str | None, NAME]
    level: Annotated[int, U32]
    server_info: Annotated[Tagged, SERVER_INFO]
    parm_err: Annotated[int | None, Unique(U32)]


@parameters
class NetrServerSetInfoResponse(Ndr):
    """Opnum 22."""

    parm_err: Annotated[int | None, Unique(U32)] = None
    status: Annotated[Win32, U32] = Win32.NERR_Success


@parameters
class NetrServerDiskEnum(Ndr):
    """Opnum 23."""

    server_name: Annotated[str | None, NAME]
    level: Annotated[int, U32]
    disk_info_struct: DiskEnumContainer
    prefered_maximum_length: Annotated[int, U32]
    resume_handle: Annotated[int | None, Unique(U32)]


@parameters
class NetrServerDiskEnumResponse(Ndr):
    """Opnum 23."""

    disk_info_struct: DiskEnumContainer = DiskEnumContainer()
    total_entries: Annotated[int, U32] = 0
    resume_handle: Annotated[int | None, Unique(U32)] = None
    status: Annotated[Win32, U32] = Win32.NERR_Success


@parameters
class NetrServerTransportEnum(Ndr):
    """Opnum 26."""

    server_name: Annotated[str | None, NAME]
    info_struct: ServerXportEnumStruct
    prefered_maximum_length: Annotated[int, U32]
    resume_handle: Annotated[int | None, Unique(U32)]


@parameters
class NetrServerTransportEnumResponse(Ndr):
    """Opnum 26."""

    info_struct: ServerXportEnumStruct = ServerXportEnumStruct(0, None)
    total_entries: Annotated[int, U32] = 0
    resume_handle: Annotated[int | None, Unique(U32)] = None
    status: Annotated[Win32, U32] = Win32.NERR_Success


@parameters
class NetrRemoteTOD(Ndr):
    """Opnum 28."""

    server_name: Annotated[str | None, NAME]


@parameters
class NetrRemoteTODResponse(Ndr):
    """Opnum 28."""

    buffer_ptr: Annotated[TimeOfDayInfo | None, Unique(TimeOfDayInfo)] = None
    status: Annotated[Win32, U32] = Win32.NERR_Success


@parameters
class NetprPathType(Ndr):
    """Opnum 30."""

    server_name: Annotated[str | None, NAME]
    path_name: Annotated[str, WSTRING]
    flags: Annotated[int, U32]


@parameters
class NetprPathTypeResponse(Ndr):
    """Opnum 30."""

    path_type: Annotated[int, U32] = 0
    status: Annotated[Win32, U32] = Win32.NERR_Success


@parameters
class NetprPathCanonicalize(Ndr):
    """Opnum 31."""

    server_name: Annotated[str | None, NAME]
    path_name: Annotated[str, WSTRING]
    outbuf_len: Annotated[int, Range(0, BUFFER_MAX)]
    prefix: Annotated[str, WSTRING]
    path_type: Annotated[int, U32]
    flags: Annotated[int, U32]


@parameters
class NetprPathCanonicalizeResponse(Ndr):
    """Opnum 31."""

    outbuf: Annotated[bytes, CONFORMANT_BYTES] = b""
    path_type: Annotated[int, U32] = 0
    status: Annotated[Win32, U32] = Win32.NERR_Success


@parameters
class NetprPathCompare(Ndr):
    """Opnum 32."""

    server_name: Annotated[str | None, NAME]
    path_name1: Annotated[str, WSTRING]
    path_name2: Annotated[str, WSTRING]
    path_type: Annotated[int, U32]
    flags: Annotated[int, U32]


@parameters
class NetprPathCompareResponse(Ndr):
    """Opnum 32."""

    status: Annotated[Win32, U32] = Win32.NERR_Success


@parameters
class NetprNameValidate(Ndr):
    """Opnum 33."""

    server_name: Annotated[str | None, NAME]
    name: Annotated[str, WSTRING]
    name_type: Annotated[int, U32]
    flags: Annotated[int, U32]


@parameters
class NetprNameValidateResponse(Ndr):
    """Opnum 33."""

    status: Annotated[Win32, U32] = Win32.NERR_Success


@parameters
class NetprNameCanonicalize(Ndr):
    """Opnum 34."""

    server_name: Annotated[str | None, NAME]
    name: Annotated[str, WSTRING]
    outbuf_len: Annotated[int, Range(0, BUFFER_MAX)]
    name_type: Annotated[int, U32]
    flags: Annotated[int, U32]


@parameters
class NetprNameCanonicalizeResponse(Ndr):
    """Opnum 34."""

    outbuf: Annotated[str, Conformant(WCHAR)] = ""
    status: Annotated[Win32, U32] = Win32.NERR_Success


@parameters
class NetprNameCompare(Ndr):
    """Opnum 35."""

    server_name: Annotated[str | None, NAME]
    name1: Annotated[str, WSTRING]
    name2: Annotated[str, WSTRING]
    name_type: Annotated[int, U32]
    flags: Annotated[int, U32]


@parameters
class NetprNameCompareResponse(Ndr):
    """Opnum 35."""

    status: Annotated[Win32, U32] = Win32.NERR_Success


@parameters
class NetrShareEnumSticky(Ndr):
    """Opnum 36."""

    server_name: Annotated[str | None, NAME]
    info_struct: ShareEnumStruct
    prefered_maximum_length: Annotated[int, U32]
    resume_handle: Annotated[int | None, Unique(U32)]


@parameters
class NetrShareEnumStickyResponse(Ndr):
    """Opnum 36."""

    info_struct: ShareEnumStruct = ShareEnumStruct(0, None)
    total_entries: Annotated[int, U32] = 0
    resume_handle: Annotated[int | None, Unique(U32)] = None
    status: Annotated[Win32, U32] = Win32.NERR_Success


@parameters
class NetrpGetFileSecurity(Ndr):
    """Opnum 39."""

    server_name: Annotated[str | None, NAME]
    share_name: Annotated[str | None, NAME]
    file_name: Annotated[str, WSTRING]
    requested_information: Annotated[int, U32]


@parameters
class NetrpGetFileSecurityResponse(Ndr):
    """Opnum 39."""

    security_descriptor: Annotated[AdtSecurityDescriptor | None, Unique(AdtSecurityDescriptor)] = None
    status: Annotated[Win32, U32] = Win32.NERR_Success


@parameters
class NetrpSetFileSecurity(Ndr):
    """Opnum 40."""

    server_name: Annotated[str | None, NAME]
    share_name: Annotated[str | None, NAME]
    file_name: Annotated[str, WSTRING]
    security_information: Annotated[int, U32]
    security_descriptor: AdtSecurityDescriptor


@parameters
class NetrpSetFileSecurityResponse(Ndr):
    """Opnum 40."""

    status: Annotated[Win32, U32] = Win32.NERR_Success


SRVSVC: Final = interface(
    "srvsvc",
    "4b324fc8-1670-01d3-1278-5a47bf6ee188",
    (3, 0),
    Operation(8, "NetrConnectionEnum", NetrConnectionEnum, NetrConnectionEnumResponse),
    Operation(9, "NetrFileEnum", NetrFileEnum, NetrFileEnumResponse),
    Operation(10, "NetrFileGetInfo", NetrFileGetInfo, NetrFileGetInfoResponse),
    Operation(11, "NetrFileClose", NetrFileClose, NetrFileCloseResponse),
    Operation(12, "NetrSessionEnum", NetrSessionEnum, NetrSessionEnumResponse),
    Operation(13, "NetrSessionDel", NetrSessionDel, NetrSessionDelResponse),
    Operation(14, "NetrShareAdd", NetrShareAdd, NetrShareAddResponse),
    Operation(15, "NetrShareEnum", NetrShareEnum, NetrShareEnumResponse),
    Operation(16, "NetrShareGetInfo", NetrShareGetInfo, NetrShareGetInfoResponse),
    Operation(17, "NetrShareSetInfo", NetrShareSetInfo, NetrShareSetInfoResponse),
    Operation(18, "NetrShareDel", NetrShareDel, NetrShareDelResponse),
    Operation(19, "NetrShareDelSticky", NetrShareDelSticky, NetrShareDelStickyResponse),
    Operation(20, "NetrShareCheck", NetrShareCheck, NetrShareCheckResponse),
    Operation(21, "NetrServerGetInfo", NetrServerGetInfo, NetrServerGetInfoResponse),
    Operation(22, "NetrServerSetInfo", NetrServerSetInfo, NetrServerSetInfoResponse),
    Operation(23, "NetrServerDiskEnum", NetrServerDiskEnum, NetrServerDiskEnumResponse),
    Operation(26, "NetrServerTransportEnum", NetrServerTransportEnum, NetrServerTransportEnumResponse),
    Operation(28, "NetrRemoteTOD", NetrRemoteTOD, NetrRemoteTODResponse),
    Operation(30, "NetprPathType", NetprPathType, NetprPathTypeResponse),
    Operation(31, "NetprPathCanonicalize", NetprPathCanonicalize, NetprPathCanonicalizeResponse),
    Operation(32, "NetprPathCompare", NetprPathCompare, NetprPathCompareResponse),
    Operation(33, "NetprNameValidate", NetprNameValidate, NetprNameValidateResponse),
    Operation(34, "NetprNameCanonicalize", NetprNameCanonicalize, NetprNameCanonicalizeResponse),
    Operation(35, "NetprNameCompare", NetprNameCompare, NetprNameCompareResponse),
    Operation(36, "NetrShareEnumSticky", NetrShareEnumSticky, NetrShareEnumStickyResponse),
    Operation(39, "NetrpGetFileSecurity", NetrpGetFileSecurity, NetrpGetFileSecurityResponse),
    Operation(40, "NetrpSetFileSecurity", NetrpSetFileSecurity, NetrpSetFileSecurityResponse),
)
