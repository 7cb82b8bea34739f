"""The operations of drsuapi that clients and joining machines call.

Replication is not here: its opnums get the fault that says so.

Spec: [MS-DRSR] 4.1.3.2, 4.1.4.3, 4.1.5.2, 4.1.25.1, 4.1.28.3.
"""

import os
from collections.abc import Callable, Sequence
from typing import Final
from uuid import UUID

from addc.base.errors import DsError
from addc.codec.ids import guid_from_wire
from addc.codes.win32 import Win32
from addc.directory.context import ReadContext
from addc.directory.controls import RequestOptions
from addc.directory.modify import Change, ModOp
from addc.drs.context import DrsContext
from addc.drs.controller_info import domain_controllers, info_1, info_2, info_3, require_own_domain
from addc.drs.crack import crack
from addc.drs.idl import (
    DRSUAPI,
    LDAP_CONNECTIONS,
    NTDSAPI_CLIENT_GUID,
    DcInfoReply,
    DrsBind,
    DrsBindResponse,
    DrsCrackNames,
    DrsCrackNamesResponse,
    DrsDomainControllerInfo,
    DrsDomainControllerInfoResponse,
    DrsExtensions,
    DrsExtensionsInt,
    DrsMsgCrackReplyV1,
    DrsMsgCrackReqV1,
    DrsMsgDcInfoReplyV1,
    DrsMsgDcInfoReplyV2,
    DrsMsgDcInfoReplyV3,
    DrsMsgSpnReplyV1,
    DrsMsgSpnReqV1,
    DrsUnbind,
    DrsUnbindResponse,
    DrsWriteSpn,
    DrsWriteSpnResponse,
    DsNameResult,
    DsNameResultItem,
    Extensions,
    NameFlags,
    SpnOperation,
)
from addc.drs.listings import listing
from addc.drs.repl_info import drs_execute_kcc, drs_get_repl_info
from addc.rpc.call import PRIVACY_ONLY, Call, InterfaceServer

_POINT_NAMES: Final = 16
"""So few names are looked up without leaving the event loop."""
_SERVED: Final = (
    Extensions.DRS_EXT_BASE
    | Extensions.DRS_EXT_DCINFO_V1
    | Extensions.DRS_EXT_RESTORE_USN_OPTIMIZATION
    | Extensions.DRS_EXT_DCINFO_V2
    | Extensions.DRS_EXT_INSTANCE_TYPE_NOT_REQ_ON_MOD
    | Extensions.DRS_EXT_STRONG_ENCRYPTION
    | Extensions.DRS_EXT_POST_BETA3
    | Extensions.DRS_EXT_NONDOMAIN_NCS
)
_EXT_LH_BETA2: Final = 0x2
"""dwFlagsExt: read-only DCs are told of, information level 3. Spec: [MS-DRSR] 5.39."""


async def drs_bind(call: Call, request: DrsBind) -> DrsBindResponse:
    """Spec: [MS-DRSR] 4.1.3.2."""
    if call.requester.is_anonymous:
        raise DsError(Win32.ERROR_ACCESS_DENIED, "names are told to those who are known")
    client = request.puuid_client_dsa
    if client is None or not client.int:
        raise DsError(Win32.ERROR_INVALID_PARAMETER, "puuidClientDsa is missing")
    said = request.pext_client.rgb if request.pext_client is not None else b""
    handle = call.handles.open(DrsContext(client, DrsExtensionsInt.unpack(said)))
    server = await call.directory.read("drs.bind", call.requester, _own_extensions, point=True)
    return DrsBindResponse(DrsExtensions(server.pack()), handle)


def _own_extensions(ctx: ReadContext) -> DrsExtensionsInt:
    server = ctx.tx.get(ctx.forest.server_dnt)
    container = None if server is None else ctx.tx.get(server.parent)
    site = None if container is None else ctx.tx.get(container.parent)
    config = ctx.tx.get(ctx.forest.config_nc)
    nobody = UUID(int=0)
    return DrsExtensionsInt(
        dw_flags=int(_SERVED),
        dw_flags_ext=_EXT_LH_BETA2,
        site_obj_guid=nobody if site is None else guid_from_wire(site.guid),
        pid=os.getpid(),
        config_obj_guid=nobody if config is None else guid_from_wire(config.guid),
    )


async def drs_unbind(call: Call, request: DrsUnbind) -> DrsUnbindResponse:
    """Spec: [MS-DRSR] 4.1.25.1."""
    call.handles.get(request.ph_drs, DrsContext)
    return DrsUnbindResponse(call.handles.close(request.ph_drs))


async def drs_crack_names(call: Call, request: DrsCrackNames) -> DrsCrackNamesResponse:
    """Spec: [MS-DRSR] 4.1.4.3."""
    call.handles.get(request.h_drs, DrsContext)
    asked = request.pmsg_in
    names = tuple(name or "" for name in asked.rp_names or ())
    items = await call.directory.read(
        "drs.crack", call.requester, lambda ctx: _cracked(ctx, asked, names), point=len(names) <= _POINT_NAMES
    )
    return DrsCrackNamesResponse(pmsg_out=DrsMsgCrackReplyV1(DsNameResult(tuple(items))))


def _cracked(ctx: ReadContext, asked: DrsMsgCrackReqV1, names: Sequence[str]) -> list[DsNameResultItem]:
    listed = listing(ctx, asked.format_offered, names)
    if listed is not None:
        return listed
    flags = NameFlags(asked.dw_flags)
    return [crack(ctx, asked.format_offered, asked.format_desired, flags, name) for name in names]


_REPLIES: Final[dict[int, Callable[[ReadContext], DcInfoReply]]] = {
    1: lambda ctx: DrsMsgDcInfoReplyV1(
        tuple(info_1(ctx, dc) for dc in domain_controllers(ctx, read_only=False))
    ),
    2: lambda ctx: DrsMsgDcInfoReplyV2(
        tuple(info_2(ctx, dc) for dc in domain_controllers(ctx, read_only=False))
    ),
    3: lambda ctx: DrsMsgDcInfoReplyV3(
        tuple(info_3(ctx, dc) for dc in domain_controllers(ctx, read_only=True))
    ),
}


async def drs_domain_controller_info(
    call: Call, request: DrsDomainControllerInfo
) -> DrsDomainControllerInfoResponse:
    """Spec: [MS-DRSR] 4.1.5.2; connections of LDAP are in other processes than this one: not supported."""
    call.handles.get(request.h_drs, DrsContext)
    level, domain = request.pmsg_in.info_level, request.pmsg_in.domain or ""
    if level == LDAP_CONNECTIONS:
        raise DsError(Win32.ERROR_NOT_SUPPORTED, "LDAP connections are not listed")
    make = _REPLIES.get(level)
    if make is None:
        raise DsError(Win32.ERROR_INVALID_PARAMETER, f"InfoLevel {level}")

    def work(ctx: ReadContext) -> DcInfoReply:
        require_own_domain(ctx, domain)
        return make(ctx)

    reply = await call.directory.read("drs.dcinfo", call.requester, work)
    return DrsDomainControllerInfoResponse(level, reply)


_OPERATIONS: Final = {
    SpnOperation.DS_SPN_ADD_SPN_OP: ModOp.ADD,
    SpnOperation.DS_SPN_REPLACE_SPN_OP: ModOp.REPLACE,
    SpnOperation.DS_SPN_DELETE_SPN_OP: ModOp.DELETE,
}


async def drs_write_spn(call: Call, request: DrsWriteSpn) -> DrsWriteSpnResponse:
    """As a modify of servicePrincipalName over LDAP, in which nothing is there twice or missing.

    Spec: [MS-DRSR] 4.1.28.3.
    """
    context = call.handles.get(request.h_drs, DrsContext)
    if context.client != NTDSAPI_CLIENT_GUID:
        return _refused(Win32.ERROR_INVALID_PARAMETER)
    try:
        account, change = _spn_change(request.pmsg_in)
        await call.directory.modify(
            call.requester, account, (change,), RequestOptions(confidential=True, permissive_modify=True)
        )
    except DsError as error:
        return _refused(Win32(error.code))
    return DrsWriteSpnResponse()


def _spn_change(asked: DrsMsgSpnReqV1) -> tuple[str, Change]:
    """The account's DN and what to do to it. Raises DsError."""
    operation = _OPERATIONS.get(asked.operation)
    spns = asked.rpwsz_spn or ()
    if not asked.pwsz_account:
        raise DsError(Win32.ERROR_INVALID_PARAMETER, "pwszAccount is missing")
    if operation is None:
        raise DsError(Win32.ERROR_INVALID_FUNCTION, f"operation {asked.operation}")
    if (not spns and operation != ModOp.REPLACE) or not all(spns):
        raise DsError(Win32.ERROR_INVALID_PARAMETER, "an SPN is missing")
    values = tuple(spn.encode("utf-8", "surrogatepass") for spn in spns if spn)
    return asked.pwsz_account, Change(operation, "servicePrincipalName", values)


def _refused(code: Win32) -> DrsWriteSpnResponse:
    return DrsWriteSpnResponse(pmsg_out=DrsMsgSpnReplyV1(code), status=code)


SERVER: Final = InterfaceServer(
    DRSUAPI,
    {
        0: drs_bind,
        1: drs_unbind,
        12: drs_crack_names,
        13: drs_write_spn,
        16: drs_domain_controller_info,
        18: drs_execute_kcc,
        19: drs_get_repl_info,
    },
    pipes=("lsass", "ntds"),
    levels=PRIVACY_ONLY,
    annotation="MS NT Directory DRS Interface",
)
