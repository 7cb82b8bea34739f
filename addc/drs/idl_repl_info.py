"""drsuapi's messages about replication's state: who feeds whom, how far, what failed; and running the KCC.

Spec: [MS-DRSR] 4.1.6.1, 4.1.13.1.
"""

from enum import IntFlag
from typing import Annotated, ClassVar, Final
from uuid import UUID

from addc.base.enums import OpenIntEnum
from addc.codec.ndr import (
    CONTEXT_HANDLE,
    FILETIME,
    GUID,
    I64,
    U16,
    U32,
    WSTRING,
    Conformant,
    Const,
    ContextHandle,
    CountOf,
    Ndr,
    Union,
    Unique,
    parameters,
    structure,
)
from addc.codes.win32 import Win32

NO_MORE: Final = 0xFFFF_FFFF
"""dwEnumerationContext where everything was told."""


class KccFlags(IntFlag):
    """dwFlags of a request to run the KCC. Spec: [MS-DRSR] 4.1.6.1.2."""

    NONE = 0
    DS_KCC_FLAG_ASYNC_OP = 0x1
    DS_KCC_FLAG_DAMPED = 0x2


@structure
class DrsMsgKccExecuteV1(Ndr):
    """DRS_MSG_KCC_EXECUTE_V1, [MS-DRSR] 4.1.6.1.2."""

    dw_task_id: Annotated[int, U32]
    dw_flags: Annotated[int, U32]


@parameters
class DrsExecuteKcc(Ndr):
    h_drs: Annotated[ContextHandle, CONTEXT_HANDLE]
    dw_in_version: Annotated[int, U32]
    pmsg_in: Annotated[DrsMsgKccExecuteV1, Union("dw_in_version", {1: DrsMsgKccExecuteV1})]


@parameters
class DrsExecuteKccResponse(Ndr):
    status: Annotated[Win32, U32] = Win32.ERROR_SUCCESS


class ReplInfo(OpenIntEnum):
    """DS_REPL_INFO codes. Spec: [MS-DRSR] 4.1.13.1.4."""

    DS_REPL_INFO_NEIGHBORS = 0
    DS_REPL_INFO_CURSORS_FOR_NC = 1
    DS_REPL_INFO_METADATA_FOR_OBJ = 2
    DS_REPL_INFO_KCC_DSA_CONNECT_FAILURES = 3
    DS_REPL_INFO_KCC_DSA_LINK_FAILURES = 4
    DS_REPL_INFO_PENDING_OPS = 5
    DS_REPL_INFO_METADATA_FOR_ATTR_VALUE = 6
    DS_REPL_INFO_CURSORS_2_FOR_NC = 7
    DS_REPL_INFO_CURSORS_3_FOR_NC = 8
    DS_REPL_INFO_METADATA_2_FOR_OBJ = 9
    DS_REPL_INFO_METADATA_2_FOR_ATTR_VALUE = 10
    DS_REPL_INFO_SERVER_OUTGOING_CALLS = 0xFFFF_FFFA
    DS_REPL_INFO_UPTODATE_VECTOR_V1 = 0xFFFF_FFFB
    DS_REPL_INFO_CLIENT_CONTEXTS = 0xFFFF_FFFC
    DS_REPL_INFO_REPSTO = 0xFFFF_FFFE


@structure
class DrsMsgGetReplInfoReqV1(Ndr):
    """DRS_MSG_GETREPLINFO_REQ_V1, [MS-DRSR] 4.1.13.1.2."""

    info_type: Annotated[ReplInfo, U32]
    psz_object_dn: Annotated[str | None, Unique(WSTRING)] = None
    uuid_source_dsa_obj_guid: Annotated[UUID, GUID] = UUID(int=0)


@structure
class DrsMsgGetReplInfoReqV2(Ndr):
    """DRS_MSG_GETREPLINFO_REQ_V2, [MS-DRSR] 4.1.13.1.3."""

    info_type: Annotated[ReplInfo, U32]
    psz_object_dn: Annotated[str | None, Unique(WSTRING)] = None
    uuid_source_dsa_obj_guid: Annotated[UUID, GUID] = UUID(int=0)
    ul_flags: Annotated[int, U32] = 0
    psz_attribute_name: Annotated[str | None, Unique(WSTRING)] = None
    psz_value_dn: Annotated[str | None, Unique(WSTRING)] = None
    dw_enumeration_context: Annotated[int, U32] = 0


GetReplInfoReq = DrsMsgGetReplInfoReqV1 | DrsMsgGetReplInfoReqV2


@structure
class DsReplNeighbor(Ndr):
    """DS_REPL_NEIGHBORW, [MS-DRSR] 4.1.13.1.7."""

    psz_naming_context: Annotated[str | None, Unique(WSTRING)]
    psz_source_dsa_dn: Annotated[str | None, Unique(WSTRING)]
    psz_source_dsa_address: Annotated[str | None, Unique(WSTRING)]
    psz_async_intersite_transport_dn: Annotated[str | None, Unique(WSTRING)]
    dw_replica_flags: Annotated[int, U32]
    dw_reserved: ClassVar = Const(U32)
    uuid_naming_context_obj_guid: Annotated[UUID, GUID]
    uuid_source_dsa_obj_guid: Annotated[UUID, GUID]
    uuid_source_dsa_invocation_id: Annotated[UUID, GUID]
    uuid_async_intersite_transport_obj_guid: Annotated[UUID, GUID]
    usn_last_obj_change_synced: Annotated[int, I64]
    usn_attribute_filter: Annotated[int, I64]
    ftime_last_sync_success: Annotated[int, FILETIME]
    ftime_last_sync_attempt: Annotated[int, FILETIME]
    dw_last_sync_result: Annotated[int, U32]
    c_num_consecutive_sync_failures: Annotated[int, U32]


@structure
class DsReplNeighbors(Ndr):
    """DS_REPL_NEIGHBORSW, [MS-DRSR] 4.1.13.1.6."""

    c_num_neighbors: ClassVar = CountOf("rg_neighbor")
    dw_reserved: ClassVar = Const(U32)
    rg_neighbor: Annotated[tuple[DsReplNeighbor, ...], Conformant(DsReplNeighbor)] = ()


@structure
class DsReplCursor(Ndr):
    """DS_REPL_CURSOR, [MS-DRSR] 4.1.13.1.9."""

    uuid_source_dsa_invocation_id: Annotated[UUID, GUID]
    usn_attribute_filter: Annotated[int, I64]


@structure
class DsReplCursors(Ndr):
    """DS_REPL_CURSORS, [MS-DRSR] 4.1.13.1.8."""

    c_num_cursors: ClassVar = CountOf("rg_cursor")
    dw_reserved: ClassVar = Const(U32)
    rg_cursor: Annotated[tuple[DsReplCursor, ...], Conformant(DsReplCursor)] = ()


@structure
class DsReplCursor2(Ndr):
    """DS_REPL_CURSOR_2, [MS-DRSR] 4.1.13.1.11."""

    uuid_source_dsa_invocation_id: Annotated[UUID, GUID]
    usn_attribute_filter: Annotated[int, I64]
    ftime_last_sync_success: Annotated[int, FILETIME]


@structure
class DsReplCursors2(Ndr):
    """DS_REPL_CURSORS_2, [MS-DRSR] 4.1.13.1.10."""

    c_num_cursors: ClassVar = CountOf("rg_cursor")
    dw_enumeration_context: Annotated[int, U32] = NO_MORE
    rg_cursor: Annotated[tuple[DsReplCursor2, ...], Conformant(DsReplCursor2)] = ()


@structure
class DsReplCursor3(Ndr):
    """DS_REPL_CURSOR_3W, [MS-DRSR] 4.1.13.1.13."""

    uuid_source_dsa_invocation_id: Annotated[UUID, GUID]
    usn_attribute_filter: Annotated[int, I64]
    ftime_last_sync_success: Annotated[int, FILETIME]
    psz_source_dsa_dn: Annotated[str | None, Unique(WSTRING)]


@structure
class DsReplCursors3(Ndr):
    """DS_REPL_CURSORS_3W, [MS-DRSR] 4.1.13.1.12."""

    c_num_cursors: ClassVar = CountOf("rg_cursor")
    dw_enumeration_context: Annotated[int, U32] = NO_MORE
    rg_cursor: Annotated[tuple[DsReplCursor3, ...], Conformant(DsReplCursor3)] = ()


@structure
class DsReplAttrMetaData(Ndr):
    """DS_REPL_ATTR_META_DATA, [MS-DRSR] 4.1.13.1.15."""

    psz_attribute_name: Annotated[str | None, Unique(WSTRING)]
    dw_version: Annotated[int, U32]
    ftime_last_originating_change: Annotated[int, FILETIME]
    uuid_last_originating_dsa_invocation_id: Annotated[UUID, GUID]
    usn_originating_change: Annotated[int, I64]
    usn_local_change: Annotated[int, I64]


@structure
class DsReplObjMetaData(Ndr):
    """DS_REPL_OBJ_META_DATA, [MS-DRSR] 4.1.13.1.14."""

    c_num_entries: ClassVar = CountOf("rg_meta_data")
    dw_reserved: ClassVar = Const(U32)
    rg_meta_data: Annotated[tuple[DsReplAttrMetaData, ...], Conformant(DsReplAttrMetaData)] = ()


@structure
class DsReplAttrMetaData2(Ndr):
    """DS_REPL_ATTR_META_DATA_2, [MS-DRSR] 4.1.13.1.17."""

    psz_attribute_name: Annotated[str | None, Unique(WSTRING)]
    dw_version: Annotated[int, U32]
    ftime_last_originating_change: Annotated[int, FILETIME]
    uuid_last_originating_dsa_invocation_id: Annotated[UUID, GUID]
    usn_originating_change: Annotated[int, I64]
    usn_local_change: Annotated[int, I64]
    psz_last_originating_dsa_dn: Annotated[str | None, Unique(WSTRING)]


@structure
class DsReplObjMetaData2(Ndr):
    """DS_REPL_OBJ_META_DATA_2, [MS-DRSR] 4.1.13.1.16."""

    c_num_entries: ClassVar = CountOf("rg_meta_data")
    dw_reserved: ClassVar = Const(U32)
    rg_meta_data: Annotated[tuple[DsReplAttrMetaData2, ...], Conformant(DsReplAttrMetaData2)] = ()


@structure
class DsReplKccDsaFailure(Ndr):
    """DS_REPL_KCC_DSA_FAILUREW, [MS-DRSR] 4.1.13.1.19."""

    psz_dsa_dn: Annotated[str | None, Unique(WSTRING)]
    uuid_dsa_obj_guid: Annotated[UUID, GUID]
    ftime_first_failure: Annotated[int, FILETIME]
    c_num_failures: Annotated[int, U32]
    dw_last_result: Annotated[int, U32]


@structure
class DsReplKccDsaFailures(Ndr):
    """DS_REPL_KCC_DSA_FAILURESW, [MS-DRSR] 4.1.13.1.18."""

    c_num_entries: ClassVar = CountOf("rg_dsa_failure")
    dw_reserved: ClassVar = Const(U32)
    rg_dsa_failure: Annotated[tuple[DsReplKccDsaFailure, ...], Conformant(DsReplKccDsaFailure)] = ()


@structure
class DsReplOp(Ndr):
    """DS_REPL_OPW, [MS-DRSR] 4.1.13.1.21."""

    ftime_enqueued: Annotated[int, FILETIME]
    ul_serial_number: Annotated[int, U32]
    ul_priority: Annotated[int, U32]
    op_type: Annotated[int, U16]
    ul_options: Annotated[int, U32]
    psz_naming_context: Annotated[str | None, Unique(WSTRING)]
    psz_dsa_dn: Annotated[str | None, Unique(WSTRING)]
    psz_dsa_address: Annotated[str | None, Unique(WSTRING)]
    uuid_naming_context_obj_guid: Annotated[UUID, GUID]
    uuid_dsa_obj_guid: Annotated[UUID, GUID]


@structure
class DsReplPendingOps(Ndr):
    """DS_REPL_PENDING_OPSW, [MS-DRSR] 4.1.13.1.20."""

    ftime_current_op_started: Annotated[int, FILETIME] = 0
    c_num_pending_ops: ClassVar = CountOf("rg_pending_op")
    rg_pending_op: Annotated[tuple[DsReplOp, ...], Conformant(DsReplOp)] = ()


@structure
class UptodateVectorV1Ext(Ndr):
    """UPTODATE_VECTOR_V1_EXT, [MS-DRSR] 5.204."""

    dw_version: ClassVar = Const(U32, 1)
    dw_reserved1: ClassVar = Const(U32)
    c_num_cursors: ClassVar = CountOf("rg_cursors")
    dw_reserved2: ClassVar = Const(U32)
    rg_cursors: Annotated[tuple[DsReplCursor, ...], Conformant(DsReplCursor)] = ()


GetReplInfoReply = (
    DsReplNeighbors
    | DsReplCursors
    | DsReplCursors2
    | DsReplCursors3
    | DsReplObjMetaData
    | DsReplObjMetaData2
    | DsReplKccDsaFailures
    | DsReplPendingOps
    | UptodateVectorV1Ext
    | None
)
_ARMS: Final = {
    ReplInfo.DS_REPL_INFO_NEIGHBORS: Unique(DsReplNeighbors),
    ReplInfo.DS_REPL_INFO_CURSORS_FOR_NC: Unique(DsReplCursors),
    ReplInfo.DS_REPL_INFO_METADATA_FOR_OBJ: Unique(DsReplObjMetaData),
    ReplInfo.DS_REPL_INFO_KCC_DSA_CONNECT_FAILURES: Unique(DsReplKccDsaFailures),
    ReplInfo.DS_REPL_INFO_KCC_DSA_LINK_FAILURES: Unique(DsReplKccDsaFailures),
    ReplInfo.DS_REPL_INFO_PENDING_OPS: Unique(DsReplPendingOps),
    ReplInfo.DS_REPL_INFO_CURSORS_2_FOR_NC: Unique(DsReplCursors2),
    ReplInfo.DS_REPL_INFO_CURSORS_3_FOR_NC: Unique(DsReplCursors3),
    ReplInfo.DS_REPL_INFO_METADATA_2_FOR_OBJ: Unique(DsReplObjMetaData2),
    ReplInfo.DS_REPL_INFO_UPTODATE_VECTOR_V1: Unique(UptodateVectorV1Ext),
    ReplInfo.DS_REPL_INFO_REPSTO: Unique(DsReplNeighbors),
}
TOLD: Final = frozenset(_ARMS)
"""What can be asked for."""


@parameters
class DrsGetReplInfo(Ndr):
    h_drs: Annotated[ContextHandle, CONTEXT_HANDLE]
    dw_in_version: Annotated[int, U32]
    pmsg_in: Annotated[
        GetReplInfoReq, Union("dw_in_version", {1: DrsMsgGetReplInfoReqV1, 2: DrsMsgGetReplInfoReqV2})
    ]


@parameters
class DrsGetReplInfoResponse(Ndr):
    pdw_out_version: Annotated[ReplInfo, U32] = ReplInfo.DS_REPL_INFO_NEIGHBORS
    pmsg_out: Annotated[GetReplInfoReply, Union("pdw_out_version", _ARMS)] = None
    status: Annotated[Win32, U32] = Win32.ERROR_SUCCESS
