"""What an endpoint answers about itself.

Spec: [C706] App. Q, [MS-RPCE] 2.2.1.3.
"""

from typing import Final

from addc.base.errors import DsError
from addc.codes.win32 import Win32
from addc.rpc.call import ANY_LEVEL, AuthType, Call, InterfaceServer
from addc.rpc.interfaces.mgmt.idl import (
    MGMT,
    STATISTICS,
    InqIfIds,
    InqIfIdsResponse,
    InqPrincName,
    InqPrincNameResponse,
    InqStats,
    InqStatsResponse,
    IsServerListening,
    IsServerListeningResponse,
    RpcIfId,
    RpcIfIdPtr,
    RpcIfIdVector,
    StopServerListening,
    StopServerListeningResponse,
)

_OURS: Final = (AuthType.SPNEGO, AuthType.WINNT, AuthType.KERBEROS)


async def inq_if_ids(call: Call, request: InqIfIds) -> InqIfIdsResponse:
    """The interfaces of the endpoint, this one left out."""
    del request
    ids = [RpcIfId(one.uuid, *one.version) for one in call.served if one.uuid != MGMT.uuid]
    return InqIfIdsResponse(RpcIfIdVector(tuple(RpcIfIdPtr(one) for one in ids)))


async def inq_stats(call: Call, request: InqStats) -> InqStatsResponse:
    """calls_in, calls_out, packets_in, packets_out; as many of them as are wanted."""
    found = call.host.statistics
    counted = (found.calls_in, found.calls_out, found.packets_in, found.packets_out)
    return InqStatsResponse(
        tuple(number & 0xFFFF_FFFF for number in counted[: min(request.count, STATISTICS)])
    )


async def is_server_listening(call: Call, request: IsServerListening) -> IsServerListeningResponse:
    """It is, if it answers."""
    del call, request
    return IsServerListeningResponse(is_listening=True)


async def stop_server_listening(call: Call, request: StopServerListening) -> StopServerListeningResponse:
    """Nobody stops a DC this way. Spec: [MS-RPCE] 2.2.1.3.4."""
    del call, request
    raise DsError(Win32.ERROR_ACCESS_DENIED)


async def inq_princ_name(call: Call, request: InqPrincName) -> InqPrincNameResponse:
    """The principal that clients name in their tickets."""
    size = min(request.princ_name_size, 4096)
    if request.authn_proto not in _OURS:
        return InqPrincNameResponse(size, b"\0" if size else b"", Win32.RPC_S_UNKNOWN_AUTHN_SERVICE)
    name = f"host/{call.directory.forest.host_fqdn}".encode("ascii", "replace") + b"\0"
    if len(name) > size:
        return InqPrincNameResponse(size, b"\0" if size else b"", Win32.ERROR_INSUFFICIENT_BUFFER)
    return InqPrincNameResponse(size, name)


SERVER: Final = InterfaceServer(
    MGMT,
    {
        0: inq_if_ids,
        1: inq_stats,
        2: is_server_listening,
        3: stop_server_listening,
        4: inq_princ_name,
    },
    levels=ANY_LEVEL,
)
