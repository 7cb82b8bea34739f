"""Administration of the Netlogon service: what nltest and netdom ask of it.

Spec: [MS-NRPC] 3.5.4.9, 2.2.1.7.
"""

from enum import IntEnum
from typing import Final

from addc.base.errors import DsError
from addc.codec.ndr import Tagged
from addc.codes.win32 import Win32
from addc.directory import dns_locator, trusts
from addc.directory.context import ReadContext
from addc.rpc.call import Call
from addc.rpc.interfaces.netlogon import idl, server_names
from addc.rpc.interfaces.netlogon.rights import NetlogonAccess
from addc.security.token import SYSTEM


class Function(IntEnum):
    """FunctionCode, 3.5.4.9.1."""

    QUERY = 1
    REPLICATE = 2
    SYNCHRONIZE = 3
    PDC_REPLICATE = 4
    REDISCOVER = 5
    TC_QUERY = 6
    TRANSPORT_NOTIFY = 7
    FIND_USER = 8
    CHANGE_PASSWORD = 9
    TC_VERIFY = 0xA
    FORCE_DNS_REG = 0xB
    QUERY_DNS_REG = 0xC
    BACKUP_CHANGE_LOG = 0xFFFC
    TRUNCATE_LOG = 0xFFFD
    SET_DBFLAG = 0xFFFE
    BREAKPOINT = 0xFFFF


_OF_TRUST: Final = frozenset(
    (Function.REDISCOVER, Function.TC_QUERY, Function.CHANGE_PASSWORD, Function.TC_VERIFY)
)
_AT_LEVEL_2: Final = frozenset((Function.REDISCOVER, Function.TC_QUERY, Function.TC_VERIFY))
_NOT_HERE: Final = frozenset(
    (
        Function.REPLICATE,
        Function.SYNCHRONIZE,
        Function.PDC_REPLICATE,
        Function.BACKUP_CHANGE_LOG,
        Function.BREAKPOINT,
    )
)
_OF_OLD: Final = frozenset(
    (
        Function.QUERY,
        Function.REPLICATE,
        Function.SYNCHRONIZE,
        Function.PDC_REPLICATE,
        Function.BACKUP_CHANGE_LOG,
        Function.TRUNCATE_LOG,
        Function.BREAKPOINT,
    )
)
"""What NetrLogonControl knows: it has no room for data."""
_HAS_IP: Final = 0x10
_HAS_TIME_SERVICE: Final = 0x20


def _fail(code: Win32, detail: str) -> DsError:
    return DsError(code, detail)


def _access(function: int) -> NetlogonAccess:
    """Asking is for everybody; what changes something, or is for debugging, is for administrators."""
    if function in (Function.QUERY, Function.TC_QUERY, Function.QUERY_DNS_REG):
        return NetlogonAccess.QUERY
    if function in (Function.BREAKPOINT, Function.SET_DBFLAG, Function.TRUNCATE_LOG):
        return NetlogonAccess.SERVICE
    return NetlogonAccess.CONTROL


def _check(function: int, level: int) -> None:
    """Which functions go with which levels. Spec: 3.5.4.9.1."""
    if function == Function.QUERY_DNS_REG and level != 1:
        raise _fail(Win32.ERROR_INVALID_LEVEL, f"level {level}")
    clash = (
        (level == 4) != (function == Function.FIND_USER)
        or (level == 2 and function not in _AT_LEVEL_2)
        or (function == Function.TC_VERIFY and level != 2)
    )
    if clash:
        raise _fail(Win32.ERROR_INVALID_PARAMETER, f"function {function}, level {level}")


def _do(call: Call, function: int, level: int, data: object) -> Tagged:
    """Carry a function out and tell how things are."""
    if not 1 <= level <= 4:
        raise _fail(Win32.ERROR_INVALID_LEVEL, f"level {level}")
    server_names.require(call, _access(function))
    _check(function, level)
    if function not in list(Function):
        raise _fail(Win32.ERROR_NOT_SUPPORTED, f"function {function}")
    if function in _NOT_HERE:
        raise _fail(Win32.ERROR_NOT_SUPPORTED, f"function {function}")
    name = data if isinstance(data, str) else None
    if function in _OF_TRUST:
        return _of_trust(call, function, level, name)
    if function == Function.FIND_USER:
        if not name:
            raise _fail(Win32.ERROR_INVALID_PARAMETER, "no user's name")
        raise _fail(Win32.NERR_UserNotFound, "trusted domains are not asked")
    return _state(call, level)


async def _after(call: Call, function: int) -> None:
    """What goes on in the background: the DC registers its records again. Spec: [MS-ADTS] 6.3.2.2.1."""
    if function == Function.FORCE_DNS_REG:
        await call.directory.write("netlogon.register", SYSTEM, dns_locator.request_registration)


def _state(call: Call, level: int) -> Tagged:
    if level == 3:
        return Tagged(3, idl.NetlogonInfo3(0, call.host.channels.logon_attempts & 0xFFFF_FFFF))
    return Tagged(1, idl.NetlogonInfo1(_HAS_IP | _HAS_TIME_SERVICE, 0))


def _of_trust(call: Call, function: int, level: int, name: str | None) -> Tagged:
    """Channels of this DC to others: it opens none yet, so none of them works."""
    if name is None:
        raise _fail(Win32.ERROR_INVALID_PARAMETER, "no domain's name")

    def known(ctx: ReadContext) -> bool:
        return ctx.forest.is_realm(name) or trusts.find(ctx, name) is not None

    if not call.directory.read_now("netlogon.control", SYSTEM, known):
        raise _fail(Win32.ERROR_NO_SUCH_DOMAIN, f"{name} is not trusted")
    if call.directory.forest.is_realm(name):
        if function == Function.CHANGE_PASSWORD:
            raise _fail(Win32.ERROR_NOT_SUPPORTED, "a DC changes its password by itself")
        return _own(call, level)
    if function != Function.TC_QUERY:
        raise _fail(Win32.ERROR_NO_LOGON_SERVERS, f"no DC of {name} is reached")
    status = int(Win32.ERROR_NO_LOGON_SERVERS)
    if level == 2:
        return Tagged(2, idl.NetlogonInfo2(0, status, "", status))
    return _state(call, level)


def _own(call: Call, level: int) -> Tagged:
    """This domain's own: the DC is at hand."""
    if level == 2:
        return Tagged(2, idl.NetlogonInfo2(0, 0, "\\\\" + call.directory.forest.host_fqdn, 0))
    return _state(call, level)


async def logon_control2_ex(call: Call, request: idl.NetrLogonControl2Ex) -> idl.NetrLogonControl2ExResponse:
    """NetrLogonControl2Ex."""
    try:
        server_names.check_win32(call, request.server_name)
        done = _do(call, request.function_code, request.query_level, request.data.value)
        await _after(call, request.function_code)
    except DsError as error:
        return idl.NetrLogonControl2ExResponse(idl.no_query(request.query_level), Win32(error.code))
    return idl.NetrLogonControl2ExResponse(done)


async def logon_control2(call: Call, request: idl.NetrLogonControl2) -> idl.NetrLogonControl2Response:
    """NetrLogonControl2: without level 4. Spec: 3.5.4.9.2."""
    level = request.query_level
    try:
        server_names.check_win32(call, request.server_name)
        if level == 4:
            raise _fail(Win32.ERROR_INVALID_LEVEL, "level 4")
        done = _do(call, request.function_code, level, request.data.value)
        await _after(call, request.function_code)
    except DsError as error:
        return idl.NetrLogonControl2Response(idl.no_query(level), Win32(error.code))
    return idl.NetrLogonControl2Response(done)


async def logon_control(call: Call, request: idl.NetrLogonControl) -> idl.NetrLogonControlResponse:
    """NetrLogonControl: level 1, and what needs no data. Spec: 3.5.4.9.3."""
    level, function = request.query_level, request.function_code
    try:
        server_names.check_win32(call, request.server_name)
        if level == 2 or (level == 1 and function not in _OF_OLD):
            raise _fail(Win32.ERROR_NOT_SUPPORTED, f"function {function}, level {level}")
        if level != 1:
            raise _fail(Win32.ERROR_INVALID_LEVEL, f"level {level}")
        done = _do(call, function, level, None)
    except DsError as error:
        return idl.NetrLogonControlResponse(idl.no_query(level), Win32(error.code))
    return idl.NetrLogonControlResponse(done)
