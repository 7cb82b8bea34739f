"""The server itself: what it is, its clock, its transports and drives, and rules of names.

Spec: [MS-SRVS] 3.1.4.17 - 3.1.4.34.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from addc.base.clock import UNIX_EPOCH_FT, to_unix
from addc.base.errors import DsError
from addc.codec.ndr import Ndr, Tagged
from addc.codes.win32 import Win32
from addc.directory import fsmo
from addc.directory.context import ReadContext
from addc.rpc.call import Call
from addc.rpc.interfaces.srvsvc import idl, names
from addc.rpc.interfaces.srvsvc.names import NameType
from addc.rpc.interfaces.srvsvc.rights import Right, require
from addc.rpc.pages import page
from addc.rpc.refusals import refusing
from addc.security.token import SYSTEM

PLATFORM_ID_NT: Final = 500
VERSION: Final = (10, 0)
SV_TYPE: Final = 0x0080_1023
"""SV_TYPE_WORKSTATION, _SERVER, _TIME_SOURCE, _NT, _DFS: what every domain controller is."""
SV_TYPE_DOMAIN_CTRL: Final = 0x8
SV_TYPE_DOMAIN_BAKCTRL: Final = 0x10
_UNLIMITED: Final = 0xFFFF_FFFF
_CLOCK_TICK: Final = 310
"""In 1/10,000 s, as every Windows machine says."""
_TUNING: Final = (
    2048,
    2048,
    2048,
    16_644,
    4,
    64,
    4,
    15,
    65_535,
    2048,
    2048,
    _UNLIMITED,
    _UNLIMITED,
    1,
    1,
    1,
    1,
    0,
)
"""Level 502, as a Windows server says it without configuration; nothing here depends on it."""
_TUNING_MORE: Final = (
    8192, 0, 480, 1800, 5, 600, 2, 4, 30, 2, 2, 131_072, 1, 50, 35, 35, 1, 0, 1, 1, 0, 2, 4096,
)  # fmt: skip
"""What level 503 has beyond it and the domain."""


@dataclass(frozen=True, slots=True)
class _Self:
    name: str
    netbios_domain: str
    type: int


def _base(me: _Self) -> tuple[int, str, int, int, int, str]:
    return PLATFORM_ID_NT, me.name, *VERSION, me.type, ""


_MORE: Final[tuple[int, int, int, int, int, int, str]] = (_UNLIMITED, 15, 0, 240, 3000, 0, "c:\\")
_INFO: Final[dict[int, Callable[[_Self], Ndr]]] = {
    100: lambda me: idl.ServerInfo100(PLATFORM_ID_NT, me.name),
    101: lambda me: idl.ServerInfo101(*_base(me)),
    102: lambda me: idl.ServerInfo102(*(*_base(me), *_MORE)),
    103: lambda me: idl.ServerInfo103(*(*_base(me), *_MORE), 0),
    502: lambda me: idl.ServerInfo502(*_TUNING),
    503: lambda me: idl.ServerInfo503(*_TUNING, me.netbios_domain, *_TUNING_MORE),
}
_NEEDS: Final = {
    102: Right.READ_OPERATOR,
    103: Right.READ_OPERATOR,
    502: Right.READ_OPERATOR,
    503: Right.READ_ADMIN,
}


def _self(ctx: ReadContext) -> _Self:
    role = SV_TYPE_DOMAIN_CTRL if fsmo.is_ours(ctx, fsmo.PDC) else SV_TYPE_DOMAIN_BAKCTRL
    return _Self(ctx.forest.host.upper(), ctx.forest.netbios, SV_TYPE | role)


@refusing(
    idl.NetrServerGetInfo,
    lambda request, status: idl.NetrServerGetInfoResponse(
        Tagged(request.level, None if request.level in idl.SERVER_INFO.arms else b""), status
    ),
)
async def netr_server_get_info(call: Call, request: idl.NetrServerGetInfo) -> idl.NetrServerGetInfoResponse:
    """Spec: [MS-SRVS] 3.1.4.17."""
    require(call.requester, Right.READ)
    make = _INFO.get(request.level)
    if make is None:
        raise DsError(Win32.ERROR_INVALID_LEVEL, f"level {request.level}")
    require(call.requester, _NEEDS.get(request.level, Right.READ))
    # Whether we are the PDC is no secret, though users may not read the role's object.
    me = call.directory.read_now("srvsvc.server", SYSTEM, _self)
    return idl.NetrServerGetInfoResponse(Tagged(request.level, make(me)))


async def netr_server_set_info(call: Call, request: idl.NetrServerSetInfo) -> idl.NetrServerSetInfoResponse:
    """Nothing of this can be set from afar. Spec: [MS-SRVS] 3.1.4.18."""
    require(call.requester, Right.CHANGE)
    if request.level not in idl.SERVER_INFO.arms or request.server_info.tag != request.level:
        raise DsError(Win32.ERROR_INVALID_LEVEL, f"level {request.level}")
    raise DsError(Win32.ERROR_NOT_SUPPORTED, "the operator's configuration says what this server is")


async def netr_server_disk_enum(
    call: Call, request: idl.NetrServerDiskEnum
) -> idl.NetrServerDiskEnumResponse:
    """The one drive that paths of shares name. Spec: [MS-SRVS] 3.1.4.19."""
    require(call.requester, Right.READ_ADMIN)
    if request.level != 0:
        raise DsError(Win32.ERROR_INVALID_LEVEL, f"level {request.level}")
    resume = None if request.resume_handle is None else 0
    return idl.NetrServerDiskEnumResponse(idl.DiskEnumContainer((idl.DiskInfo("C:\0"),)), 1, resume)


@refusing(
    idl.NetrServerTransportEnum,
    lambda request, status: idl.NetrServerTransportEnumResponse(
        idl.ServerXportEnumStruct(
            request.info_struct.level, None if request.info_struct.level in (0, 1) else b""
        ),
        status=status,
    ),
)
async def netr_server_transport_enum(
    call: Call, request: idl.NetrServerTransportEnum
) -> idl.NetrServerTransportEnumResponse:
    """The one transport there is, SMB over TCP. Spec: [MS-SRVS] 3.1.4.22."""
    require(call.requester, Right.READ)
    level, forest = request.info_struct.level, call.directory.forest
    sessions = len(call.host.file_server.sessions())
    name = forest.host.upper()
    facts = sessions, "\\Device\\NetbiosSmb", name.ljust(15).encode() + b" ", "000000000000"
    if level == 0:
        entry: Ndr = idl.ServerTransportInfo0(*facts)
    elif level == 1:
        entry = idl.ServerTransportInfo1(*facts, forest.netbios)
    else:
        raise DsError(Win32.ERROR_INVALID_LEVEL, f"level {level}")
    found = page([entry], request)
    info = idl.ServerXportEnumStruct(level, found.entries)
    return idl.NetrServerTransportEnumResponse(info, found.total, found.resume_handle, found.status)


async def netr_remote_tod(call: Call, request: idl.NetrRemoteTOD) -> idl.NetrRemoteTODResponse:
    """The time, in UTC; this server has no other zone. Spec: [MS-SRVS] 3.1.4.21."""
    require(call.requester, Right.READ)
    now = call.services.clock.now()
    when = datetime.fromtimestamp(to_unix(now), UTC)
    hundredths = now % 10_000_000 // 100_000
    running_ms = (now - UNIX_EPOCH_FT) // 10_000 & 0xFFFF_FFFF
    weekday = when.isoweekday() % 7
    return idl.NetrRemoteTODResponse(
        idl.TimeOfDayInfo(
            to_unix(now), running_ms, when.hour, when.minute, when.second, hundredths, 0, _CLOCK_TICK,
            when.day, when.month, when.year, weekday,
        )
    )  # fmt: skip


def _kind(name_type: int) -> NameType:
    try:
        return NameType(name_type)
    except ValueError:
        raise DsError(Win32.ERROR_INVALID_PARAMETER, f"name type {name_type}") from None


async def netpr_name_validate(call: Call, request: idl.NetprNameValidate) -> idl.NetprNameValidateResponse:
    """Spec: [MS-SRVS] 3.1.4.32."""
    require(call.requester, Right.READ)
    kind = _kind(request.name_type)
    if request.flags & ~names.LM2X:
        raise DsError(Win32.ERROR_INVALID_PARAMETER, f"flags {request.flags:#x}")
    if not names.is_valid_name(request.name, kind, request.flags):
        raise DsError(Win32.ERROR_INVALID_NAME, "no such name")
    return idl.NetprNameValidateResponse()


async def netpr_name_canonicalize(
    call: Call, request: idl.NetprNameCanonicalize
) -> idl.NetprNameCanonicalizeResponse:
    """Spec: [MS-SRVS] 3.1.4.33."""
    require(call.requester, Right.READ)
    kind, room = _kind(request.name_type), request.outbuf_len

    def answer(name: str, status: Win32) -> idl.NetprNameCanonicalizeResponse:
        # The array is of the length that the client said, whatever is in it.
        return idl.NetprNameCanonicalizeResponse(name.ljust(room, "\0"), status)

    if request.flags & ~(names.LM2X | 1):
        return answer("", Win32.ERROR_INVALID_PARAMETER)
    if not names.is_valid_name(request.name, kind):
        return answer("", Win32.ERROR_INVALID_NAME)
    name = names.canonical_name(request.name, kind, request.flags)
    needed = names.length_max(kind, request.flags) if request.flags & 1 else len(name)
    if needed + 1 > room:
        return answer("", Win32.NERR_BufTooSmall)
    return answer(name, Win32.NERR_Success)


async def netpr_name_compare(call: Call, request: idl.NetprNameCompare) -> idl.NetprNameCompareResponse:
    """Spec: [MS-SRVS] 3.1.4.34; the status says less, equal or greater."""
    require(call.requester, Right.READ)
    kind = _kind(request.name_type)
    if request.flags & ~(names.LM2X | 1):
        raise DsError(Win32.ERROR_INVALID_PARAMETER, f"flags {request.flags:#x}")
    name1, name2 = request.name1, request.name2
    if not request.flags & 1:
        if not (names.is_valid_name(name1, kind) and names.is_valid_name(name2, kind)):
            raise DsError(Win32.ERROR_INVALID_PARAMETER, "no such name")
        name1 = names.canonical_name(name1, kind, request.flags)
        name2 = names.canonical_name(name2, kind, request.flags)
    return idl.NetprNameCompareResponse(Win32(names.compare_names(name1, name2, kind) & 0xFFFF_FFFF))
