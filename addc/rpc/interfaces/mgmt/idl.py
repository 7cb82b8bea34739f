"""The interface mgmt, as it is on the wire.

Spec: [C706] App. Q, [MS-RPCE] 2.2.1.3.
"""

from typing import Annotated, ClassVar, Final
from uuid import UUID

from addc.codec.interface import Operation, interface
from addc.codec.ndr import (
    GUID,
    U8,
    U16,
    U32,
    UNSENT,
    Conformant,
    ConformantVarying,
    CountOf,
    Ndr,
    Unique,
    parameters,
    structure,
)
from addc.codes.win32 import Win32

STATISTICS: Final = 4


@structure
class RpcIfId(Ndr):
    """rpc_if_id_t."""

    uuid: Annotated[UUID, GUID]
    vers_major: Annotated[int, U16]
    vers_minor: Annotated[int, U16]


@structure
class RpcIfIdPtr(Ndr):
    """rpc_if_id_p_t."""

    if_id: Annotated[RpcIfId | None, Unique(RpcIfId)]


@structure
class RpcIfIdVector(Ndr):
    """rpc_if_id_vector_t."""

    count: ClassVar = CountOf("if_id")
    if_id: Annotated[tuple[RpcIfIdPtr, ...], Conformant(RpcIfIdPtr)]


@parameters
class InqIfIds(Ndr):
    pass


@parameters
class InqIfIdsResponse(Ndr):
    if_id_vector: Annotated[RpcIfIdVector | None, Unique(RpcIfIdVector)] = None
    status: Annotated[Win32, U32] = Win32.ERROR_SUCCESS


@parameters
class InqStats(Ndr):
    count: Annotated[int, U32]


@parameters
class InqStatsResponse(Ndr):
    count: ClassVar = CountOf("statistics")
    statistics: Annotated[tuple[int, ...], Conformant(U32)] = ()
    status: Annotated[Win32, U32] = Win32.ERROR_SUCCESS


@parameters
class IsServerListening(Ndr):
    pass


@parameters
class IsServerListeningResponse(Ndr):
    error: Annotated[Win32, U32] = Win32.ERROR_SUCCESS
    is_listening: Annotated[bool, U32] = False


@parameters
class StopServerListening(Ndr):
    pass


@parameters
class StopServerListeningResponse(Ndr):
    status: Annotated[Win32, U32] = Win32.ERROR_SUCCESS


@parameters
class InqPrincName(Ndr):
    authn_proto: Annotated[int, U32]
    princ_name_size: Annotated[int, U32]


@parameters
class InqPrincNameResponse(Ndr):
    princ_name_size: Annotated[int, UNSENT] = 0
    princ_name: Annotated[bytes, ConformantVarying(U8, size="princ_name_size")] = b"\0"
    status: Annotated[Win32, U32] = Win32.ERROR_SUCCESS


MGMT: Final = interface(
    "mgmt",
    "afa8bd80-7d8a-11c9-bef4-08002b102989",
    (1, 0),
    Operation(0, "rpc__mgmt_inq_if_ids", InqIfIds, InqIfIdsResponse),
    Operation(1, "rpc__mgmt_inq_stats", InqStats, InqStatsResponse),
    Operation(2, "rpc__mgmt_is_server_listening", IsServerListening, IsServerListeningResponse),
    Operation(3, "rpc__mgmt_stop_server_listening", StopServerListening, StopServerListeningResponse),
    Operation(4, "rpc__mgmt_inq_princ_name", InqPrincName, InqPrincNameResponse),
)
