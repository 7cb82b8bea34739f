"""Sessions, connections and open files: listed and ended, by administrators.

Spec: [MS-SRVS] 3.1.4.1 - 3.1.4.6.
"""

from collections.abc import Callable
from typing import Final

from addc.base.errors import DsError
from addc.codec.ndr import Ndr, Tagged
from addc.codes.win32 import Win32
from addc.rpc.call import Call
from addc.rpc.file_server import ConnectionFacts, OpenFacts, SessionFacts
from addc.rpc.interfaces.srvsvc import idl
from addc.rpc.interfaces.srvsvc.rights import Right, require
from addc.rpc.interfaces.srvsvc.shares import STYPE_DISKTREE, STYPE_IPC
from addc.rpc.pages import page
from addc.rpc.refusals import refusing

SESS_GUEST: Final = 1
QUALIFIER_MAX: Final = 1023
"""Characters of a name to look for, without its NUL."""
_READ_DATA, _WRITE_DATA, _APPEND_DATA = 0x1, 0x2, 0x4
_PERM_READ, _PERM_WRITE, _PERM_CREATE = 0x1, 0x2, 0x4


def _flags(session: SessionFacts) -> int:
    return SESS_GUEST if session.is_guest else 0


_SESSION: Final[dict[int, Callable[[SessionFacts], Ndr]]] = {
    0: lambda one: idl.SessionInfo0(one.client),
    1: lambda one: idl.SessionInfo1(one.client, one.user, one.opens, one.age_s, one.idle_s, _flags(one)),
    2: lambda one: idl.SessionInfo2(one.client, one.user, one.opens, one.age_s, one.idle_s, _flags(one), ""),
    10: lambda one: idl.SessionInfo10(one.client, one.user, one.age_s, one.idle_s),
    502: lambda one: idl.SessionInfo502(
        one.client, one.user, one.opens, one.age_s, one.idle_s, _flags(one), "", ""
    ),
}
_CONNECTION: Final[dict[int, Callable[[ConnectionFacts], Ndr]]] = {
    0: lambda one: idl.ConnectionInfo0(one.connection_id),
    1: lambda one: idl.ConnectionInfo1(
        one.connection_id, STYPE_IPC if one.is_ipc else STYPE_DISKTREE, one.opens, 1, one.age_s, one.user,
        one.share,
    ),
}  # fmt: skip
_FILE: Final[dict[int, Callable[[OpenFacts], Ndr]]] = {
    2: lambda one: idl.FileInfo2(one.file_id),
    3: lambda one: idl.FileInfo3(one.file_id, _permissions(one.access), one.locks, one.path, one.user),
}


def _permissions(access: int) -> int:
    """PERM_FILE_*, [MS-SRVS] 2.2.4.7, of an access mask."""
    return (
        (_PERM_READ if access & _READ_DATA else 0)
        | (_PERM_WRITE if access & _WRITE_DATA else 0)
        | (_PERM_CREATE if access & _APPEND_DATA else 0)
    )


def _qualifier(text: str | None) -> str:
    """A name to look for, in one case; "" for any."""
    if text is not None and len(text) > QUALIFIER_MAX:
        raise DsError(Win32.ERROR_INVALID_PARAMETER, "a name too long")
    return (text or "").casefold()


def _computer(text: str | None) -> str:
    """The computer's name to look for, without its backslashes."""
    name = _qualifier(text)
    if name and not name.startswith("\\\\"):
        raise DsError(Win32.NERR_InvalidComputer, "no computer's name")
    return name.removeprefix("\\\\")


def _sessions(call: Call, client_name: str | None, user_name: str | None) -> list[SessionFacts]:
    """The sessions of a client and a user; [MS-SRVS] 3.1.4.5 wants an error where there is none."""
    client, user = _computer(client_name), _qualifier(user_name)
    found = [
        one
        for one in call.host.file_server.sessions()
        if (not client or one.client.casefold() == client) and (not user or one.user.casefold() == user)
    ]
    if not found and (client or user):
        raise DsError(Win32.NERR_ClientNameNotFound if client else Win32.NERR_UserNotFound, "no session")
    return found


def _known(level: int, known: dict[int, object]) -> None:
    if level not in known:
        raise DsError(Win32.ERROR_INVALID_LEVEL, f"level {level}")


@refusing(
    idl.NetrSessionEnum,
    lambda request, status: idl.NetrSessionEnumResponse(
        idl.SessionEnumStruct(
            request.info_struct.level, None if request.info_struct.level in _SESSION else b""
        ),
        status=status,
    ),
)
async def netr_session_enum(call: Call, request: idl.NetrSessionEnum) -> idl.NetrSessionEnumResponse:
    """Spec: [MS-SRVS] 3.1.4.5."""
    require(call.requester, Right.READ_ADMIN)
    level = request.info_struct.level
    _known(level, {**_SESSION})
    sessions = _sessions(call, request.client_name, request.user_name)
    found = page([_SESSION[level](one) for one in sessions], request)
    info = idl.SessionEnumStruct(level, found.entries)
    return idl.NetrSessionEnumResponse(info, found.total, found.resume_handle, found.status)


async def netr_session_del(call: Call, request: idl.NetrSessionDel) -> idl.NetrSessionDelResponse:
    """Spec: [MS-SRVS] 3.1.4.6."""
    require(call.requester, Right.CHANGE)
    if not request.client_name and not request.user_name:
        raise DsError(Win32.ERROR_INVALID_PARAMETER, "neither client nor user")
    for session in _sessions(call, request.client_name, request.user_name):
        await call.host.file_server.end_session(session.session_id)
    return idl.NetrSessionDelResponse()


@refusing(
    idl.NetrConnectionEnum,
    lambda request, status: idl.NetrConnectionEnumResponse(
        idl.ConnectEnumStruct(
            request.info_struct.level, None if request.info_struct.level in _CONNECTION else b""
        ),
        status=status,
    ),
)
async def netr_connection_enum(call: Call, request: idl.NetrConnectionEnum) -> idl.NetrConnectionEnumResponse:
    """Spec: [MS-SRVS] 3.1.4.1: of a share, or from a computer."""
    require(call.requester, Right.READ_OPERATOR)
    level, qualifier = request.info_struct.level, _qualifier(request.qualifier)
    _known(level, {**_CONNECTION})
    if not qualifier:
        raise DsError(Win32.ERROR_INVALID_PARAMETER, "of which share?")
    connections = call.host.file_server.connections()
    if qualifier.startswith("\\\\"):
        chosen = [one for one in connections if one.client.casefold() == qualifier.removeprefix("\\\\")]
    else:
        if qualifier not in {share.name.casefold() for share in call.host.file_server.shares()}:
            raise DsError(Win32.NERR_NetNameNotFound, "no such share")
        chosen = [one for one in connections if one.share.casefold() == qualifier]
    found = page([_CONNECTION[level](one) for one in chosen], request)
    info = idl.ConnectEnumStruct(level, found.entries)
    return idl.NetrConnectionEnumResponse(info, found.total, found.resume_handle, found.status)


@refusing(
    idl.NetrFileEnum,
    lambda request, status: idl.NetrFileEnumResponse(
        idl.FileEnumStruct(request.info_struct.level, None if request.info_struct.level in _FILE else b""),
        status=status,
    ),
)
async def netr_file_enum(call: Call, request: idl.NetrFileEnum) -> idl.NetrFileEnumResponse:
    """Spec: [MS-SRVS] 3.1.4.2."""
    require(call.requester, Right.READ_ADMIN)
    level = request.info_struct.level
    _known(level, {**_FILE})
    base, user = _qualifier(request.base_path), _qualifier(request.user_name)
    opens = [
        one
        for one in call.host.file_server.opens()
        if one.path.casefold().startswith(base) and (not user or one.user.casefold() == user)
    ]
    found = page([_FILE[level](one) for one in opens], request)
    info = idl.FileEnumStruct(level, found.entries)
    return idl.NetrFileEnumResponse(info, found.total, found.resume_handle, found.status)


def _open(call: Call, file_id: int) -> OpenFacts:
    for one in call.host.file_server.opens():
        if one.file_id == file_id:
            return one
    raise DsError(Win32.NERR_FileIdNotFound, "no such open file")


@refusing(
    idl.NetrFileGetInfo,
    lambda request, status: idl.NetrFileGetInfoResponse(
        Tagged(request.level, None if request.level in _FILE else b""), status
    ),
)
async def netr_file_get_info(call: Call, request: idl.NetrFileGetInfo) -> idl.NetrFileGetInfoResponse:
    """Spec: [MS-SRVS] 3.1.4.3."""
    require(call.requester, Right.READ_ADMIN)
    _known(request.level, {**_FILE})
    info = _FILE[request.level](_open(call, request.file_id))
    return idl.NetrFileGetInfoResponse(Tagged(request.level, info))


async def netr_file_close(call: Call, request: idl.NetrFileClose) -> idl.NetrFileCloseResponse:
    """Spec: [MS-SRVS] 3.1.4.4."""
    require(call.requester, Right.CHANGE)
    await call.host.file_server.close_open(_open(call, request.file_id).file_id)
    return idl.NetrFileCloseResponse()
