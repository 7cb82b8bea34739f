"""The interface wkssvc: its structures, unions and operations, as they are on the wire.

Spec: [MS-WKST] 2.2, 3.2.4, 6 (the IDL).
"""

from typing import Annotated, ClassVar, Final

from addc.base.enums import OpenIntEnum
from addc.codec.interface import Operation, interface
from addc.codec.ndr import (
    ENUM16,
    NOTHING,
    U32,
    UNICODE_STRING,
    WSTRING,
    Conformant,
    Container,
    CountOf,
    FixedArray,
    FixedBytes,
    Ndr,
    Tagged,
    TaggedUnion,
    Union,
    Unique,
    parameters,
    structure,
)
from addc.codes.win32 import Win32

NAME: Final = Unique(WSTRING)


class JoinStatus(OpenIntEnum):
    """NETSETUP_JOIN_STATUS, [MS-WKST] 2.2.3.1."""

    UNKNOWN_STATUS = 0
    UNJOINED = 1
    WORKGROUP_NAME = 2
    DOMAIN_NAME = 3


@structure
class WkstaInfo100(Ndr):
    """WKSTA_INFO_100, [MS-WKST] 2.2.5.1."""

    platform_id: Annotated[int, U32]
    computername: Annotated[str | None, NAME]
    langroup: Annotated[str | None, NAME]
    ver_major: Annotated[int, U32]
    ver_minor: Annotated[int, U32]


@structure
class WkstaInfo101(Ndr):
    """WKSTA_INFO_101, [MS-WKST] 2.2.5.2."""

    platform_id: Annotated[int, U32]
    computername: Annotated[str | None, NAME]
    langroup: Annotated[str | None, NAME]
    ver_major: Annotated[int, U32]
    ver_minor: Annotated[int, U32]
    lanroot: Annotated[str | None, NAME]


@structure
class WkstaInfo102(Ndr):
    """WKSTA_INFO_102, [MS-WKST] 2.2.5.3."""

    platform_id: Annotated[int, U32]
    computername: Annotated[str | None, NAME]
    langroup: Annotated[str | None, NAME]
    ver_major: Annotated[int, U32]
    ver_minor: Annotated[int, U32]
    lanroot: Annotated[str | None, NAME]
    logged_on_users: Annotated[int, U32]


@structure
class WkstaInfo502(Ndr):
    """WKSTA_INFO_502, [MS-WKST] 2.2.5.4: how the redirector is tuned, in the order of its members."""

    settings: Annotated[tuple[int, ...], FixedArray(U32, 35)]


WKSTA_INFO: Final = TaggedUnion(
    {
        100: Unique(WkstaInfo100),
        101: Unique(WkstaInfo101),
        102: Unique(WkstaInfo102),
        502: Unique(WkstaInfo502),
    },
    NOTHING,
)
"""WKSTA_INFO, [MS-WKST] 2.2.3.2; the levels that can be asked for."""


@structure
class WkstaUserInfo0(Ndr):
    """WKSTA_USER_INFO_0, [MS-WKST] 2.2.5.9."""

    username: Annotated[str | None, NAME]


@structure
class WkstaUserInfo1(Ndr):
    """WKSTA_USER_INFO_1, [MS-WKST] 2.2.5.10."""

    username: Annotated[str | None, NAME]
    logon_domain: Annotated[str | None, NAME]
    oth_domains: Annotated[str | None, NAME]
    logon_server: Annotated[str | None, NAME]


@structure
class WkstaUserEnumStruct(Ndr):
    """WKSTA_USER_ENUM_STRUCT, [MS-WKST] 2.2.5.14."""

    level: Annotated[int, U32]
    info: Annotated[
        object,
        Union("level", {0: Unique(Container(WkstaUserInfo0)), 1: Unique(Container(WkstaUserInfo1))}, NOTHING),
    ]


@structure
class WkstaTransportInfo0(Ndr):
    """WKSTA_TRANSPORT_INFO_0, [MS-WKST] 2.2.5.11."""

    quality_of_service: Annotated[int, U32]
    number_of_vcs: Annotated[int, U32]
    transport_name: Annotated[str | None, NAME]
    transport_address: Annotated[str | None, NAME]
    wan_ish: Annotated[int, U32]


@structure
class WkstaTransportEnumStruct(Ndr):
    """WKSTA_TRANSPORT_ENUM_STRUCT, [MS-WKST] 2.2.5.16."""

    level: Annotated[int, U32]
    info: Annotated[object, Union("level", {0: Unique(Container(WkstaTransportInfo0))}, NOTHING)]


@structure
class JoinprEncryptedUserPassword(Ndr):
    """JOINPR_ENCRYPTED_USER_PASSWORD, [MS-WKST] 2.2.5.18."""

    buffer: Annotated[bytes, FixedBytes(524)]


@parameters
class NetrWkstaGetInfo(Ndr):
    """Opnum 0."""

    server_name: Annotated[str | None, NAME]
    level: Annotated[int, U32]


@parameters
class NetrWkstaGetInfoResponse(Ndr):
    """Opnum 0."""

    wksta_info: Annotated[Tagged, WKSTA_INFO] = Tagged(100, None)
    status: Annotated[Win32, U32] = Win32.NERR_Success


@parameters
class NetrWkstaUserEnum(Ndr):
    """Opnum 2."""

    server_name: Annotated[str | None, NAME]
    user_info: WkstaUserEnumStruct
    prefered_maximum_length: Annotated[int, U32]
    resume_handle: Annotated[int | None, Unique(U32)]


@parameters
class NetrWkstaUserEnumResponse(Ndr):
    """Opnum 2."""

    user_info: WkstaUserEnumStruct = WkstaUserEnumStruct(0, None)
    total_entries: Annotated[int, U32] = 0
    resume_handle: Annotated[int | None, Unique(U32)] = None
    status: Annotated[Win32, U32] = Win32.NERR_Success


@parameters
class NetrWkstaTransportEnum(Ndr):
    """Opnum 5."""

    server_name: Annotated[str | None, NAME]
    transport_info: WkstaTransportEnumStruct
    prefered_maximum_length: Annotated[int, U32]
    resume_handle: Annotated[int | None, Unique(U32)]


@parameters
class NetrWkstaTransportEnumResponse(Ndr):
    """Opnum 5."""

    transport_info: WkstaTransportEnumStruct = WkstaTransportEnumStruct(0, None)
    total_entries: Annotated[int, U32] = 0
    resume_handle: Annotated[int | None, Unique(U32)] = None
    status: Annotated[Win32, U32] = Win32.NERR_Success


@parameters
class NetrGetJoinInformation(Ndr):
    """Opnum 20."""

    server_name: Annotated[str | None, NAME]
    name_buffer: Annotated[str | None, NAME]


@parameters
class NetrGetJoinInformationResponse(Ndr):
    """Opnum 20."""

    name_buffer: Annotated[str | None, NAME] = None
    buffer_type: Annotated[JoinStatus, ENUM16] = JoinStatus.UNKNOWN_STATUS
    status: Annotated[Win32, U32] = Win32.NERR_Success


@parameters
class NetrJoinDomain2(Ndr):
    """Opnum 22."""

    server_name: Annotated[str | None, NAME]
    domain_name: Annotated[str, WSTRING]
    machine_account_ou: Annotated[str | None, NAME]
    account_name: Annotated[str | None, NAME]
    password: Annotated[JoinprEncryptedUserPassword | None, Unique(JoinprEncryptedUserPassword)]
    options: Annotated[int, U32]


@parameters
class NetrJoinDomain2Response(Ndr):
    """Opnum 22."""

    status: Annotated[Win32, U32] = Win32.NERR_Success


@parameters
class NetrUnjoinDomain2(Ndr):
    """Opnum 23."""

    server_name: Annotated[str | None, NAME]
    account_name: Annotated[str | None, NAME]
    password: Annotated[JoinprEncryptedUserPassword | None, Unique(JoinprEncryptedUserPassword)]
    options: Annotated[int, U32]


@parameters
class NetrUnjoinDomain2Response(Ndr):
    """Opnum 23."""

    status: Annotated[Win32, U32] = Win32.NERR_Success


@parameters
class NetrRenameMachineInDomain2(Ndr):
    """Opnum 24."""

    server_name: Annotated[str | None, NAME]
    machine_name: Annotated[str | None, NAME]
    account_name: Annotated[str | None, NAME]
    password: Annotated[JoinprEncryptedUserPassword | None, Unique(JoinprEncryptedUserPassword)]
    options: Annotated[int, U32]


@parameters
class NetrRenameMachineInDomain2Response(Ndr):
    """Opnum 24."""

    status: Annotated[Win32, U32] = Win32.NERR_Success


@parameters
class NetrAddAlternateComputerName(Ndr):
    """Opnum 27; the requests of opnums 28 and 29 are the same."""

    server_name: Annotated[str | None, NAME]
    computer_name: Annotated[str | None, NAME]
    account_name: Annotated[str | None, NAME]
    password: Annotated[JoinprEncryptedUserPassword | None, Unique(JoinprEncryptedUserPassword)]
    reserved: Annotated[int, U32]


@parameters
class NetrAddAlternateComputerNameResponse(Ndr):
    """Opnum 27."""

    status: Annotated[Win32, U32] = Win32.NERR_Success


class ComputerNameType(OpenIntEnum):
    """NET_COMPUTER_NAME_TYPE, [MS-WKST] 2.2.3.4."""

    PRIMARY = 0
    ALTERNATE = 1
    ALL = 2


@structure
class ComputerNames(Ndr):
    """NET_COMPUTER_NAME_ARRAY, [MS-WKST] 2.2.5.21."""

    entry_count: ClassVar = CountOf("names")
    names: Annotated[tuple[str | None, ...] | None, Unique(Conformant(UNICODE_STRING))]


@parameters
class NetrEnumerateComputerNames(Ndr):
    """Opnum 30."""

    server_name: Annotated[str | None, NAME]
    name_type: Annotated[int, ENUM16]
    reserved: Annotated[int, U32]


@parameters
class NetrEnumerateComputerNamesResponse(Ndr):
    """Opnum 30."""

    computer_names: Annotated[ComputerNames | None, Unique(ComputerNames)] = None
    status: Annotated[Win32, U32] = Win32.NERR_Success


WKSSVC: Final = interface(
    "wkssvc",
    "6bffd098-a112-3610-9833-46c3f87e345a",
    (1, 0),
    Operation(0, "NetrWkstaGetInfo", NetrWkstaGetInfo, NetrWkstaGetInfoResponse),
    Operation(2, "NetrWkstaUserEnum", NetrWkstaUserEnum, NetrWkstaUserEnumResponse),
    Operation(5, "NetrWkstaTransportEnum", NetrWkstaTransportEnum, NetrWkstaTransportEnumResponse),
    Operation(20, "NetrGetJoinInformation", NetrGetJoinInformation, NetrGetJoinInformationResponse),
    Operation(22, "NetrJoinDomain2", NetrJoinDomain2, NetrJoinDomain2Response),
    Operation(23, "NetrUnjoinDomain2", NetrUnjoinDomain2, NetrUnjoinDomain2Response),
    Operation(
        24, "NetrRenameMachineInDomain2", NetrRenameMachineInDomain2, NetrRenameMachineInDomain2Response
    ),
    *(
        Operation(opnum, name, NetrAddAlternateComputerName, NetrAddAlternateComputerNameResponse)
        for opnum, name in (
            (27, "NetrAddAlternateComputerName"),
            (28, "NetrRemoveAlternateComputerName"),
            (29, "NetrSetPrimaryComputerName"),
        )
    ),
    Operation(
        30, "NetrEnumerateComputerNames", NetrEnumerateComputerNames, NetrEnumerateComputerNamesResponse
    ),
)
