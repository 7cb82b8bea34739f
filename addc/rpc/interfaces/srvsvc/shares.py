"""Shares: listed, asked for, added, changed, removed; descriptors of the files in them.

Spec: [MS-SRVS] 3.1.4.7 - 3.1.4.13, 3.1.4.15, 3.1.4.27, 3.1.4.28.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from addc.base.errors import DecodeError, DsError
from addc.codec.ndr import Ndr, Tagged
from addc.codes.win32 import Win32
from addc.rpc.call import Call
from addc.rpc.file_server import ShareFacts
from addc.rpc.interfaces.srvsvc import idl
from addc.rpc.interfaces.srvsvc.names import NameType, is_valid_name
from addc.rpc.interfaces.srvsvc.rights import Right, require
from addc.rpc.pages import page
from addc.rpc.refusals import refusing
from addc.security.descriptor import SecurityDescriptor

STYPE_DISKTREE: Final = 0
STYPE_IPC: Final = 3
STYPE_SPECIAL: Final = 0x8000_0000
UNLIMITED: Final = 0xFFFF_FFFF
_CACHING: Final = 0x30
"""SHI1005_FLAGS of offline caching, which level 501 has."""
_ADMIN_SHARES: Final = frozenset({"IPC$", "ADMIN$"})

SHARE_NETNAME_PARMNUM: Final = 1
SHARE_TYPE_PARMNUM: Final = 3
SHARE_PATH_PARMNUM: Final = 8


def share_type(share: ShareFacts) -> int:
    """Spec: [MS-SRVS] 2.2.2.4."""
    kind = STYPE_IPC if share.is_ipc else STYPE_DISKTREE
    return kind | STYPE_SPECIAL if share.name.upper() in _ADMIN_SHARES else kind


def _all(share: ShareFacts) -> tuple[str, int, str, int, int, int, str, None]:
    """The members that levels 2, 502 and 503 begin with."""
    limit = UNLIMITED if share.connections_max is None else share.connections_max
    return (
        share.name, share_type(share), share.comment, 0, limit, share.connections, share.path, None,
    )  # fmt: skip


def _descriptor(share: ShareFacts) -> bytes | None:
    return None if share.descriptor is None else share.descriptor.pack()


_INFO: Final[dict[int, Callable[[ShareFacts], Ndr]]] = {
    0: lambda share: idl.ShareInfo0(share.name),
    1: lambda share: idl.ShareInfo1(share.name, share_type(share), share.comment),
    2: lambda share: idl.ShareInfo2(*_all(share)),
    501: lambda share: idl.ShareInfo501(share.name, share_type(share), share.comment, share.flags & _CACHING),
    502: lambda share: idl.ShareInfo502(*_all(share), _descriptor(share)),
    503: lambda share: idl.ShareInfo503(*_all(share), "*", _descriptor(share)),
    1004: lambda share: idl.ShareInfo1004(share.comment),
    1005: lambda share: idl.ShareInfo1005(share.flags),
    1006: lambda share: idl.ShareInfo1006(_all(share)[4]),
    1501: lambda share: idl.ShareInfo1501(_descriptor(share)),
}
_FOR_OPERATORS: Final = frozenset({2, 502, 503, 1501})
_ENUMERATED: Final = frozenset({0, 1, 2, 501, 502, 503})
_ADDED: Final = frozenset({2, 502, 503})


def nothing(level: int) -> Tagged:
    """The union of a refusal."""
    return Tagged(level, None if level in _INFO else b"")


def _no_shares(level: int) -> idl.ShareEnumStruct:
    return idl.ShareEnumStruct(level, None if level in _ENUMERATED else b"")


def _require_level(call: Call, level: int, known: frozenset[int]) -> None:
    require(call.requester, Right.READ)
    if level not in known:
        raise DsError(Win32.ERROR_INVALID_LEVEL, f"level {level}")
    if level in _FOR_OPERATORS:
        require(call.requester, Right.READ_OPERATOR)


def find(call: Call, name: str) -> ShareFacts:
    """The share of a name in any case. Raises DsError(NERR_NetNameNotFound)."""
    for share in call.host.file_server.shares():
        if share.name.casefold() == name.casefold():
            return share
    raise DsError(Win32.NERR_NetNameNotFound, "no such share")


def _listed(call: Call, request: idl.NetrShareEnum | idl.NetrShareEnumSticky, persistent: bool) -> tuple[
    idl.ShareEnumStruct, int, int | None, Win32
]:  # fmt: skip
    level = request.info_struct.level
    _require_level(call, level, _ENUMERATED - {501} if persistent else _ENUMERATED)
    shares = [
        share
        for share in call.host.file_server.shares()
        if not share.hidden and (share.persistent or not persistent)
    ]
    found = page([_INFO[level](share) for share in shares], request)
    return idl.ShareEnumStruct(level, found.entries), found.total, found.resume_handle, found.status


@refusing(
    idl.NetrShareEnum,
    lambda request, status: idl.NetrShareEnumResponse(_no_shares(request.info_struct.level), status=status),
)
async def netr_share_enum(call: Call, request: idl.NetrShareEnum) -> idl.NetrShareEnumResponse:
    """Spec: [MS-SRVS] 3.1.4.8."""
    return idl.NetrShareEnumResponse(*_listed(call, request, persistent=False))


@refusing(
    idl.NetrShareEnumSticky,
    lambda request, status: idl.NetrShareEnumStickyResponse(
        _no_shares(request.info_struct.level), status=status
    ),
)
async def netr_share_enum_sticky(
    call: Call, request: idl.NetrShareEnumSticky
) -> idl.NetrShareEnumStickyResponse:
    """Spec: [MS-SRVS] 3.1.4.9."""
    return idl.NetrShareEnumStickyResponse(*_listed(call, request, persistent=True))


@refusing(
    idl.NetrShareGetInfo, lambda request, status: idl.NetrShareGetInfoResponse(nothing(request.level), status)
)
async def netr_share_get_info(call: Call, request: idl.NetrShareGetInfo) -> idl.NetrShareGetInfoResponse:
    """Spec: [MS-SRVS] 3.1.4.10."""
    _require_level(call, request.level, frozenset(_INFO))
    info = _INFO[request.level](find(call, request.net_name))
    return idl.NetrShareGetInfoResponse(Tagged(request.level, info))


class _BadParameterError(DsError):
    """A member of the given structure is wrong. number: which, [MS-SRVS] 2.2.2.11."""

    def __init__(self, number: int, code: Win32 = Win32.ERROR_INVALID_PARAMETER) -> None:
        super().__init__(code, f"parameter {number}")
        self.number = number


def _parsed(wire: bytes | None) -> SecurityDescriptor | None:
    if not wire:
        return None
    try:
        return SecurityDescriptor.unpack(wire)
    except DecodeError as error:
        raise DsError(Win32.ERROR_INVALID_PARAMETER, str(error)) from None


def _limit(max_uses: int) -> int | None:
    return None if max_uses == UNLIMITED else max_uses


async def netr_share_add(call: Call, request: idl.NetrShareAdd) -> idl.NetrShareAddResponse:
    """Spec: [MS-SRVS] 3.1.4.7."""
    parm_err = None if request.parm_err is None else 0
    try:
        require(call.requester, Right.SHARE)
        if request.level not in _ADDED or request.info_struct.tag != request.level:
            raise DsError(Win32.ERROR_INVALID_LEVEL, f"level {request.level}")
        info = request.info_struct.value
        if not isinstance(info, idl.ShareInfo2 | idl.ShareInfo502 | idl.ShareInfo503):
            raise DsError(Win32.ERROR_INVALID_PARAMETER, "no share is described")
        if not info.netname or not is_valid_name(info.netname, NameType.SHARE):
            raise _BadParameterError(SHARE_NETNAME_PARMNUM, Win32.ERROR_INVALID_NAME)
        if info.type & ~STYPE_SPECIAL != STYPE_DISKTREE:
            raise _BadParameterError(SHARE_TYPE_PARMNUM)
        if not info.path:
            raise _BadParameterError(SHARE_PATH_PARMNUM)
        descriptor = None if isinstance(info, idl.ShareInfo2) else _parsed(info.security_descriptor)
        await call.host.file_server.add_share(
            ShareFacts(
                info.netname,
                comment=info.remark or "",
                path=info.path,
                connections_max=_limit(info.max_uses),
                descriptor=descriptor,
            )
        )
    except _BadParameterError as error:
        return idl.NetrShareAddResponse(error.number if parm_err is not None else None, Win32(error.code))
    except DsError as error:
        return idl.NetrShareAddResponse(parm_err, Win32(error.code))
    return idl.NetrShareAddResponse(parm_err)


def _changed(share: ShareFacts, level: int, info: object) -> ShareFacts:
    """The share as [MS-SRVS] 3.1.4.11 changes it: name, type and path stay."""
    match info:
        case idl.ShareInfo2():
            return replace(share, comment=info.remark or "", connections_max=_limit(info.max_uses))
        case idl.ShareInfo502() | idl.ShareInfo503():
            return replace(
                share,
                comment=info.remark or "",
                connections_max=_limit(info.max_uses),
                descriptor=_parsed(info.security_descriptor) or share.descriptor,
            )
        case idl.ShareInfo1() | idl.ShareInfo1004():
            return replace(share, comment=info.remark or "")
        case idl.ShareInfo1005():
            return replace(share, flags=info.flags)
        case idl.ShareInfo1006():
            return replace(share, connections_max=_limit(info.max_uses))
        case idl.ShareInfo1501():
            return replace(share, descriptor=_parsed(info.security_descriptor))
        case None:
            raise DsError(Win32.ERROR_INVALID_PARAMETER, "nothing to set")
    raise DsError(Win32.ERROR_INVALID_LEVEL, f"level {level}")


async def netr_share_set_info(call: Call, request: idl.NetrShareSetInfo) -> idl.NetrShareSetInfoResponse:
    """Spec: [MS-SRVS] 3.1.4.11."""
    require(call.requester, Right.CHANGE)
    if request.share_info.tag != request.level:
        raise DsError(Win32.ERROR_INVALID_LEVEL, f"level {request.level}")
    share = find(call, request.net_name)
    await call.host.file_server.set_share(_changed(share, request.level, request.share_info.value))
    return idl.NetrShareSetInfoResponse(None if request.parm_err is None else 0)


async def netr_share_del(call: Call, request: idl.NetrShareDel) -> idl.NetrShareDelResponse:
    """Spec: [MS-SRVS] 3.1.4.12."""
    require(call.requester, Right.SHARE)
    await call.host.file_server.remove_share(find(call, request.net_name).name)
    return idl.NetrShareDelResponse()


async def netr_share_check(call: Call, request: idl.NetrShareCheck) -> idl.NetrShareCheckResponse:
    """Whether something of the server is shared, and as what. Spec: [MS-SRVS] 3.1.4.15."""
    require(call.requester, Right.READ)
    device = request.device.casefold().rstrip("\\")
    for share in call.host.file_server.shares():
        # IPC$ is no folder's: it answers to no name at all.
        if share.path.casefold().rstrip("\\") == device and (share.is_ipc or share.path):
            return idl.NetrShareCheckResponse(share_type(share))
    raise DsError(Win32.NERR_DeviceNotShared, "not shared")


async def netrp_get_file_security(
    call: Call, request: idl.NetrpGetFileSecurity
) -> idl.NetrpGetFileSecurityResponse:
    """Spec: [MS-SRVS] 3.1.4.27; the file's own descriptor decides."""
    require(call.requester, Right.READ)
    share = find(call, request.share_name or "").name
    wire = await call.host.file_server.security_of(
        call.requester, share, request.file_name, request.requested_information
    )
    return idl.NetrpGetFileSecurityResponse(idl.AdtSecurityDescriptor(wire))


async def netrp_set_file_security(
    call: Call, request: idl.NetrpSetFileSecurity
) -> idl.NetrpSetFileSecurityResponse:
    """Spec: [MS-SRVS] 3.1.4.28; the file's own descriptor decides."""
    require(call.requester, Right.READ)
    share = find(call, request.share_name or "").name
    if not request.security_descriptor.buffer:
        raise DsError(Win32.ERROR_INVALID_PARAMETER, "no descriptor")
    change = request.security_information, request.security_descriptor.buffer
    await call.host.file_server.set_security_of(call.requester, share, request.file_name, change)
    return idl.NetrpSetFileSecurityResponse()
