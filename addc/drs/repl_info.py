"""What drsuapi tells of replication's state, and running the KCC when somebody asks for it.

Spec: [MS-DRSR] 4.1.6.3, 4.1.13.3.
"""

from collections.abc import Iterable, Sequence
from typing import Final, TypeVar
from uuid import UUID

from addc.base.errors import DsError
from addc.codec.kcc_failures import FailedDc
from addc.codec.repl_info import Record
from addc.codes.win32 import Win32
from addc.directory import kcc_runs, names, replica_links, replication_failures, rights
from addc.directory.context import ReadContext
from addc.directory.repl_metadata import (
    attribute_records,
    cursor_records,
    dn_of_guid,
    may_read_topology,
    neighbor_records,
)
from addc.directory.visibility import visible
from addc.drs.context import DrsContext
from addc.drs.idl_repl_info import (
    NO_MORE,
    TOLD,
    DrsExecuteKcc,
    DrsExecuteKccResponse,
    DrsGetReplInfo,
    DrsGetReplInfoResponse,
    DrsMsgGetReplInfoReqV2,
    DsReplAttrMetaData,
    DsReplAttrMetaData2,
    DsReplCursor,
    DsReplCursor2,
    DsReplCursor3,
    DsReplCursors,
    DsReplCursors2,
    DsReplCursors3,
    DsReplKccDsaFailure,
    DsReplKccDsaFailures,
    DsReplNeighbor,
    DsReplNeighbors,
    DsReplObjMetaData,
    DsReplObjMetaData2,
    DsReplPendingOps,
    GetReplInfoReply,
    GetReplInfoReq,
    KccFlags,
    ReplInfo,
    UptodateVectorV1Ext,
)
from addc.rpc.call import Call
from addc.schema import attr
from addc.schema.wellknown import ExtendedRight
from addc.security.token import SYSTEM
from addc.store.objects import ObjectRow

T = TypeVar("T")
_PAGE: Final = 1000
"""Cursors in one reply. Spec: 4.1.13.3."""
_MANAGE: Final = ExtendedRight.DS_REPLICATION_MANAGE_TOPOLOGY.bytes_le
_NEIGHBORS: Final = {
    ReplInfo.DS_REPL_INFO_NEIGHBORS: attr.REPS_FROM,
    ReplInfo.DS_REPL_INFO_REPSTO: attr.REPS_TO,
}
_OF_NC: Final = frozenset(
    (
        ReplInfo.DS_REPL_INFO_CURSORS_FOR_NC,
        ReplInfo.DS_REPL_INFO_CURSORS_2_FOR_NC,
        ReplInfo.DS_REPL_INFO_CURSORS_3_FOR_NC,
        ReplInfo.DS_REPL_INFO_UPTODATE_VECTOR_V1,
    )
)
_OF_OBJECT: Final = frozenset(
    (ReplInfo.DS_REPL_INFO_METADATA_FOR_OBJ, ReplInfo.DS_REPL_INFO_METADATA_2_FOR_OBJ)
)


# --- the KCC ---


async def drs_execute_kcc(call: Call, request: DrsExecuteKcc) -> DrsExecuteKccResponse:
    """Spec: [MS-DRSR] 4.1.6.3. An asynchronous run is the process's that does the DC's own work."""
    call.handles.get(request.h_drs, DrsContext)
    asked = request.pmsg_in
    if asked.dw_task_id:
        raise DsError(Win32.ERROR_INVALID_PARAMETER, f"task {asked.dw_task_id}")
    await call.directory.read("drs.kcc", call.requester, _require_manager, point=True)
    if KccFlags.DS_KCC_FLAG_ASYNC_OP in KccFlags(asked.dw_flags):
        await call.directory.write("drs.kcc", SYSTEM, kcc_runs.request_run)
        return DrsExecuteKccResponse()
    if call.host.kcc is None:
        raise DsError(Win32.ERROR_NOT_SUPPORTED, "no KCC here")
    await call.host.kcc()
    return DrsExecuteKccResponse()


def _require_manager(ctx: ReadContext) -> None:
    config = ctx.tx.get(ctx.forest.config_nc)
    if config is None or not rights.holds_right(ctx, config, _MANAGE):
        raise _denied()


def _denied() -> DsError:
    return DsError(Win32.ERROR_DS_DRA_ACCESS_DENIED, "the requester may not look at replication")


# --- state ---


async def drs_get_repl_info(call: Call, request: DrsGetReplInfo) -> DrsGetReplInfoResponse:
    """Spec: [MS-DRSR] 4.1.13.3. Kinds that are not told of are not supported."""
    call.handles.get(request.h_drs, DrsContext)
    asked = _as_v2(request.pmsg_in)
    kind = asked.info_type
    if asked.dw_enumeration_context == NO_MORE:
        raise DsError(Win32.ERROR_NO_MORE_ITEMS, "all was told")
    if kind not in TOLD:
        known = kind in ReplInfo.__members__.values()
        code = Win32.ERROR_NOT_SUPPORTED if known else Win32.ERROR_INVALID_PARAMETER
        raise DsError(code, f"InfoType {int(kind):#x}")
    reply = await call.directory.read("drs.replinfo", call.requester, lambda ctx: told(ctx, asked))
    return DrsGetReplInfoResponse(kind, reply)


def _as_v2(asked: GetReplInfoReq) -> DrsMsgGetReplInfoReqV2:
    if isinstance(asked, DrsMsgGetReplInfoReqV2):
        return asked
    return DrsMsgGetReplInfoReqV2(asked.info_type, asked.psz_object_dn, asked.uuid_source_dsa_obj_guid)


def told(ctx: ReadContext, asked: DrsMsgGetReplInfoReqV2) -> GetReplInfoReply:
    """The reply to a request. Raises DsError."""
    kind = asked.info_type
    if kind in _NEIGHBORS:
        return _neighbors(ctx, asked)
    if kind in _OF_NC:
        return _cursors(ctx, asked)
    if kind in _OF_OBJECT:
        return _meta_data(ctx, asked)
    domain = ctx.tx.get(ctx.forest.domain_nc)
    if domain is None or not may_read_topology(ctx, domain):
        raise _denied()
    lists = replication_failures.failure_lists(ctx)
    if kind is ReplInfo.DS_REPL_INFO_KCC_DSA_CONNECT_FAILURES:
        return _failures(ctx, lists.connections.values())
    if kind is ReplInfo.DS_REPL_INFO_KCC_DSA_LINK_FAILURES:
        return _failures(ctx, lists.links.values())
    return DsReplPendingOps()


def _head(ctx: ReadContext, dn: str) -> ObjectRow | None:
    """The root of a naming context that is here."""
    try:
        row = names.resolve(ctx, dn)
    except DsError:
        return None
    return row if row.nc == row.dnt and visible(ctx, row) else None


def _require(ctx: ReadContext, row: ObjectRow | None, asked: DrsMsgGetReplInfoReqV2) -> ObjectRow:
    """A naming context's root that the requester may know the state of."""
    shown = row if row is not None else ctx.tx.get(ctx.forest.domain_nc)
    att = _NEIGHBORS.get(asked.info_type, attr.REPL_UP_TO_DATE_VECTOR)
    if shown is None or not may_read_topology(ctx, shown, att):
        raise _denied()
    if row is None:
        raise DsError(Win32.ERROR_DS_DRA_BAD_NC, f"{asked.psz_object_dn} is no naming context of this DC")
    return row


def _neighbors(ctx: ReadContext, asked: DrsMsgGetReplInfoReqV2) -> DsReplNeighbors:
    dn, wanted = asked.psz_object_dn, asked.uuid_source_dsa_obj_guid
    if dn is None:
        _require(ctx, ctx.tx.get(ctx.forest.domain_nc), asked)
        heads = replica_links.heads(ctx)
    else:
        heads = [_require(ctx, _head(ctx, dn), asked)]
    found: list[DsReplNeighbor] = []
    for head in heads:
        for record in neighbor_records(ctx, head, _NEIGHBORS[asked.info_type]):
            one = _neighbor(record, is_named=dn is not None)
            if not wanted.int or one.uuid_source_dsa_obj_guid == wanted:
                found.append(one)
    return DsReplNeighbors(tuple(found[asked.dw_enumeration_context :]))


def _number(record: Record, name: str) -> int:
    value = record[name]
    assert isinstance(value, int)
    return value


def _guid(record: Record, name: str) -> UUID:
    value = record[name]
    assert isinstance(value, bytes)
    return UUID(bytes_le=value)


def _text(record: Record, name: str) -> str | None:
    return str(record[name]) or None


def _neighbor(record: Record, *, is_named: bool) -> DsReplNeighbor:
    """is_named: the request named the naming context, so that its GUID is not told."""
    return DsReplNeighbor(
        _text(record, "pszNamingContext"),
        _text(record, "pszSourceDsaDN"),
        _text(record, "pszSourceDsaAddress"),
        _text(record, "pszAsyncIntersiteTransportDN"),
        _number(record, "dwReplicaFlags"),
        UUID(int=0) if is_named else _guid(record, "uuidNamingContextObjGuid"),
        _guid(record, "uuidSourceDsaObjGuid"),
        _guid(record, "uuidSourceDsaInvocationID"),
        _guid(record, "uuidAsyncIntersiteTransportObjGuid"),
        _number(record, "usnLastObjChangeSynced"),
        _number(record, "usnAttributeFilter"),
        _number(record, "ftimeLastSyncSuccess"),
        _number(record, "ftimeLastSyncAttempt"),
        _number(record, "dwLastSyncResult"),
        _number(record, "cNumConsecutiveSyncFailures"),
    )


def _page(items: Sequence[T], start: int) -> tuple[Sequence[T], int]:
    """The items from `start` on that fit, and where the next page starts."""
    end = start + _PAGE
    return items[start:end], end if end < len(items) else NO_MORE


def _cursors(ctx: ReadContext, asked: DrsMsgGetReplInfoReqV2) -> GetReplInfoReply:
    if asked.psz_object_dn is None:
        raise DsError(Win32.ERROR_INVALID_PARAMETER, "pszObjectDN is missing")
    start = asked.dw_enumeration_context
    records = cursor_records(ctx, _require(ctx, _head(ctx, asked.psz_object_dn), asked))
    page, following = _page(records, start)
    match asked.info_type:
        case ReplInfo.DS_REPL_INFO_CURSORS_2_FOR_NC:
            return DsReplCursors2(following, tuple(map(_cursor_2, page)))
        case ReplInfo.DS_REPL_INFO_CURSORS_3_FOR_NC:
            return DsReplCursors3(following, tuple(map(_cursor_3, page)))
        case ReplInfo.DS_REPL_INFO_CURSORS_FOR_NC:
            return DsReplCursors(tuple(map(_cursor, records[start:])))
    return UptodateVectorV1Ext(tuple(map(_cursor, records)))


def _cursor(record: Record) -> DsReplCursor:
    return DsReplCursor(_guid(record, "uuidSourceDsaInvocationID"), _number(record, "usnAttributeFilter"))


def _cursor_2(record: Record) -> DsReplCursor2:
    one = _cursor(record)
    return DsReplCursor2(
        one.uuid_source_dsa_invocation_id, one.usn_attribute_filter, _number(record, "ftimeLastSyncSuccess")
    )


def _cursor_3(record: Record) -> DsReplCursor3:
    one = _cursor_2(record)
    return DsReplCursor3(
        one.uuid_source_dsa_invocation_id,
        one.usn_attribute_filter,
        one.ftime_last_sync_success,
        _text(record, "pszSourceDsaDN"),
    )


def _meta_data(ctx: ReadContext, asked: DrsMsgGetReplInfoReqV2) -> GetReplInfoReply:
    if asked.psz_object_dn is None:
        raise DsError(Win32.ERROR_INVALID_PARAMETER, "pszObjectDN is missing")
    row = names.resolve(ctx, asked.psz_object_dn, deleted=True)
    if not visible(ctx, row):
        raise DsError(Win32.ERROR_DS_OBJ_NOT_FOUND, "no such object")
    if not may_read_topology(ctx, row, attr.REPL_PROPERTY_META_DATA):
        raise _denied()
    records = attribute_records(ctx, row)[asked.dw_enumeration_context :]
    if asked.info_type is ReplInfo.DS_REPL_INFO_METADATA_FOR_OBJ:
        return DsReplObjMetaData(tuple(map(_stamp, records)))
    return DsReplObjMetaData2(tuple(map(_stamp_2, records)))


def _stamp(record: Record) -> DsReplAttrMetaData:
    return DsReplAttrMetaData(
        _text(record, "pszAttributeName"),
        _number(record, "dwVersion"),
        _number(record, "ftimeLastOriginatingChange"),
        _guid(record, "uuidLastOriginatingDsaInvocationID"),
        _number(record, "usnOriginatingChange"),
        _number(record, "usnLocalChange"),
    )


def _stamp_2(record: Record) -> DsReplAttrMetaData2:
    one = _stamp(record)
    return DsReplAttrMetaData2(
        one.psz_attribute_name,
        one.dw_version,
        one.ftime_last_originating_change,
        one.uuid_last_originating_dsa_invocation_id,
        one.usn_originating_change,
        one.usn_local_change,
        _text(record, "pszLastOriginatingDsaDN"),
    )


def _failures(ctx: ReadContext, entries: Iterable[FailedDc]) -> DsReplKccDsaFailures:
    return DsReplKccDsaFailures(
        tuple(
            DsReplKccDsaFailure(
                dn_of_guid(ctx, one.dsa_guid) or None,
                UUID(bytes_le=one.dsa_guid),
                int(one.first),
                one.count,
                one.last_result,
            )
            for one in sorted(entries, key=lambda one: one.dsa_guid)
        )
    )
