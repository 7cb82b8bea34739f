"""The interface wkssvc as this server has it: a member of its own domain that cannot leave it.

Spec: [MS-WKST] 3.2.4.
"""

from collections.abc import Callable
from typing import Final

from addc.base.errors import DsError
from addc.codec.ndr import Ndr, Tagged
from addc.codes.win32 import Win32
from addc.directory.context import Forest
from addc.rpc.call import Call, InterfaceServer
from addc.rpc.interfaces.wkssvc import idl
from addc.rpc.interfaces.wkssvc.idl import WKSSVC, JoinStatus
from addc.rpc.interfaces.wkssvc.rights import Right, require
from addc.rpc.pages import page
from addc.rpc.refusals import refusing

_BASE: Final = 500, 10, 0
"""PLATFORM_ID_NT, version."""

_REDIRECTOR: Final = (
    3600, 250, 16, 600, 50, 60, 512, 17, 10_240, 6144, 500, 10, 500, 40, 1023, 0xFFFF_FFFF, 3, 20, 5, 60,
    0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0,
)  # fmt: skip
"""As a Windows server says it without configuration; nothing here depends on it."""
_INFO: Final[dict[int, Callable[[Forest], Ndr]]] = {
    100: lambda own: idl.WkstaInfo100(_BASE[0], own.host.upper(), own.netbios, *_BASE[1:]),
    101: lambda own: idl.WkstaInfo101(_BASE[0], own.host.upper(), own.netbios, *_BASE[1:], ""),
    102: lambda own: idl.WkstaInfo102(_BASE[0], own.host.upper(), own.netbios, *_BASE[1:], "", 1),
    502: lambda own: idl.WkstaInfo502(_REDIRECTOR),
}


@refusing(
    idl.NetrWkstaGetInfo,
    lambda request, status: idl.NetrWkstaGetInfoResponse(
        Tagged(request.level, None if request.level in _INFO else b""), status
    ),
)
async def netr_wksta_get_info(call: Call, request: idl.NetrWkstaGetInfo) -> idl.NetrWkstaGetInfoResponse:
    """Spec: [MS-WKST] 3.2.4.1."""
    require(call.requester, Right.READ)
    make = _INFO.get(request.level)
    if make is None:
        raise DsError(Win32.ERROR_INVALID_LEVEL, f"level {request.level}")
    if request.level > 101:
        require(call.requester, Right.QUERY)
    return idl.NetrWkstaGetInfoResponse(Tagged(request.level, make(call.directory.forest)))


@refusing(
    idl.NetrWkstaUserEnum,
    lambda request, status: idl.NetrWkstaUserEnumResponse(
        idl.WkstaUserEnumStruct(request.user_info.level, None if request.user_info.level in (0, 1) else b""),
        status=status,
    ),
)
async def netr_wksta_user_enum(call: Call, request: idl.NetrWkstaUserEnum) -> idl.NetrWkstaUserEnumResponse:
    """Who is logged on here: the server itself, as nobody sits at it. Spec: [MS-WKST] 3.2.4.3."""
    require(call.requester, Right.QUERY)
    forest, level = call.directory.forest, request.user_info.level
    host = forest.host.upper()
    if level == 0:
        entry: Ndr = idl.WkstaUserInfo0(host + "$")
    elif level == 1:
        entry = idl.WkstaUserInfo1(host + "$", forest.netbios, "", "")
    else:
        raise DsError(Win32.ERROR_INVALID_LEVEL, f"level {level}")
    found = page([entry], request)
    info = idl.WkstaUserEnumStruct(level, found.entries)
    return idl.NetrWkstaUserEnumResponse(info, found.total, found.resume_handle, found.status)


@refusing(
    idl.NetrWkstaTransportEnum,
    lambda request, status: idl.NetrWkstaTransportEnumResponse(
        idl.WkstaTransportEnumStruct(
            request.transport_info.level, None if request.transport_info.level == 0 else b""
        ),
        status=status,
    ),
)
async def netr_wksta_transport_enum(
    call: Call, request: idl.NetrWkstaTransportEnum
) -> idl.NetrWkstaTransportEnumResponse:
    """Spec: [MS-WKST] 3.2.4.4."""
    require(call.requester, Right.READ)
    if request.transport_info.level != 0:
        raise DsError(Win32.ERROR_INVALID_LEVEL, f"level {request.transport_info.level}")
    found = page([idl.WkstaTransportInfo0(0, 0, "\\Device\\NetbiosSmb", "000000000000", 1)], request)
    info = idl.WkstaTransportEnumStruct(0, found.entries)
    return idl.NetrWkstaTransportEnumResponse(info, found.total, found.resume_handle, found.status)


async def netr_get_join_information(
    call: Call, request: idl.NetrGetJoinInformation
) -> idl.NetrGetJoinInformationResponse:
    """Spec: [MS-WKST] 3.2.4.12."""
    require(call.requester, Right.READ)
    return idl.NetrGetJoinInformationResponse(call.directory.forest.netbios, JoinStatus.DOMAIN_NAME)


async def refuse_to_move(
    call: Call,
    request: idl.NetrJoinDomain2 | idl.NetrUnjoinDomain2 | idl.NetrRenameMachineInDomain2,
) -> Ndr:
    """A domain controller neither joins, nor leaves, nor takes another name from afar.

    Spec: [MS-WKST] 3.2.4.13 - 3.2.4.15.
    """
    require(call.requester, Right.CHANGE_CONFIG)
    raise DsError(Win32.NERR_SetupDomainController, "a domain controller stays what it is")


async def refuse_names(
    call: Call, request: idl.NetrAddAlternateComputerName
) -> idl.NetrAddAlternateComputerNameResponse:
    """Its names are those of its account in the directory. Spec: [MS-WKST] 3.2.4.18 - 3.2.4.20."""
    del request
    require(call.requester, Right.CHANGE_CONFIG)
    raise DsError(Win32.ERROR_NOT_SUPPORTED, "names are the directory's")


async def netr_enumerate_computer_names(
    call: Call, request: idl.NetrEnumerateComputerNames
) -> idl.NetrEnumerateComputerNamesResponse:
    """One name, and no other. Spec: [MS-WKST] 3.2.4.21."""
    require(call.requester, Right.CHANGE_CONFIG)
    if request.name_type not in (*idl.ComputerNameType,):
        raise DsError(Win32.ERROR_INVALID_PARAMETER, f"NameType {request.name_type}")
    own = call.directory.forest
    alone = request.name_type == idl.ComputerNameType.ALTERNATE
    names = () if alone else (f"{own.host}.{own.dns_domain}",)
    return idl.NetrEnumerateComputerNamesResponse(idl.ComputerNames(names))


SERVER: Final = InterfaceServer(
    WKSSVC,
    {
        0: netr_wksta_get_info,
        2: netr_wksta_user_enum,
        5: netr_wksta_transport_enum,
        20: netr_get_join_information,
        22: refuse_to_move,
        23: refuse_to_move,
        24: refuse_to_move,
        27: refuse_names,
        28: refuse_names,
        29: refuse_names,
        30: netr_enumerate_computer_names,
    },
    pipes=("wkssvc",),
    tcp=False,
)
