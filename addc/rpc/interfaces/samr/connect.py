"""The server object and the domains below it: connecting, listing, opening, closing.

Spec: [MS-SAMR] 3.1.5.1.1 - 3.1.5.1.5, 3.1.5.2.1, 3.1.5.11.1, 3.1.5.13.1, 3.1.5.13.5.
"""

from typing import Final

from addc.base.errors import NtError
from addc.codec.ids import Sid
from addc.codec.ndr import ContextHandle, Tagged
from addc.codes.ntstatus import NtStatus
from addc.directory import names
from addc.directory.context import ReadContext
from addc.rpc.call import Call
from addc.rpc.interfaces.samr import idl, rights
from addc.rpc.interfaces.samr.handles import (
    AliasHandle,
    DomainHandle,
    GroupHandle,
    SamHandle,
    ServerHandle,
    UserHandle,
    held,
    opened,
    read,
    refuse_anonymous,
)
from addc.schema import attr
from addc.security import wellknown
from addc.store.objects import ObjectRow

BUILTIN_NAME: Final = "Builtin"
REVISION: Final = 3
AES_PASSWORDS: Final = 0x10
REUSE_VALIDATION: Final = 0x20
REUSE_BY_CREATOR_AND_OWNER: Final = 0x40
FEATURES: Final = AES_PASSWORDS | REUSE_VALIDATION | REUSE_BY_CREATOR_AND_OWNER
"""SupportedFeatures: what of [MS-SAMR] 2.2.7.15 is there."""
_ENTRY_SIZE: Final = 64
"""Octets that one domain is reckoned to take of PreferedMaximumLength."""


def server_row(ctx: ReadContext) -> ObjectRow:
    """The samServer object of the account domain."""
    system = names.child_named(ctx, ctx.forest.domain_nc, attr.CN, "System")
    row = None if system is None else names.child_named(ctx, system.dnt, attr.CN, "Server")
    if row is None:
        raise NtError(NtStatus.STATUS_INTERNAL_DB_CORRUPTION, "no server object")
    return row


def domain_row(ctx: ReadContext, sid: Sid) -> ObjectRow:
    """The domain with this SID. Raises STATUS_NO_SUCH_DOMAIN."""
    row = None
    if sid == ctx.forest.domain_sid:
        row = ctx.tx.get(ctx.forest.domain_nc)
    elif sid == wellknown.BUILTIN_DOMAIN:
        row = names.child_named(ctx, ctx.forest.domain_nc, attr.CN, BUILTIN_NAME)
    if row is None:
        raise NtError(NtStatus.STATUS_NO_SUCH_DOMAIN)
    return row


async def _connect(call: Call, desired: int) -> ContextHandle:
    refuse_anonymous(call)

    def work(ctx: ReadContext) -> ServerHandle:
        row = server_row(ctx)
        granted = opened(ctx, row, rights.SERVER, desired)
        return ServerHandle(granted, ctx.requester.user, row.dnt, ctx.forest.domain_sid)

    return call.handles.open(await read(call, "samr.connect", work))


async def samr_connect(call: Call, request: idl.SamrConnect) -> idl.SamrConnectResponse:
    """Spec: [MS-SAMR] 3.1.5.1.4."""
    return idl.SamrConnectResponse(await _connect(call, request.desired_access))


async def samr_connect2(call: Call, request: idl.SamrConnect2) -> idl.SamrConnect2Response:
    """Spec: [MS-SAMR] 3.1.5.1.3."""
    return idl.SamrConnect2Response(await _connect(call, request.desired_access))


async def samr_connect3(call: Call, request: idl.SamrConnect3) -> idl.SamrConnect3Response:
    """As the others; old clients and tests call it."""
    return idl.SamrConnect3Response(await _connect(call, request.desired_access))


async def samr_test_private_functions(
    call: Call, request: idl.SamrTestPrivateFunctions
) -> idl.SamrTestPrivateFunctionsResponse:
    """What DCs answer to everybody. Spec: [MS-SAMR] 3.1.5, footnote 43."""
    held(call, request.handle, SamHandle)
    raise NtError(NtStatus.STATUS_NOT_IMPLEMENTED)


async def samr_connect4(call: Call, request: idl.SamrConnect4) -> idl.SamrConnect4Response:
    """Spec: [MS-SAMR] 3.1.5.1.2."""
    return idl.SamrConnect4Response(await _connect(call, request.desired_access))


async def samr_connect5(call: Call, request: idl.SamrConnect5) -> idl.SamrConnect5Response:
    """Spec: [MS-SAMR] 3.1.5.1.1."""
    if request.in_version != 1:
        raise NtError(NtStatus.STATUS_NOT_SUPPORTED, "InVersion")
    handle = await _connect(call, request.desired_access)
    return idl.SamrConnect5Response(1, Tagged(1, idl.RevisionInfoV1(REVISION, FEATURES)), handle)


async def samr_close_handle(call: Call, request: idl.SamrCloseHandle) -> idl.SamrCloseHandleResponse:
    """Spec: [MS-SAMR] 3.1.5.13.1."""
    held(call, request.sam_handle, SamHandle)
    return idl.SamrCloseHandleResponse(call.handles.close(request.sam_handle))


def _domain_names(call: Call) -> tuple[str, ...]:
    return (call.directory.forest.netbios, BUILTIN_NAME)


async def samr_enumerate_domains_in_sam_server(
    call: Call, request: idl.SamrEnumerateDomainsInSamServer
) -> idl.SamrEnumerateDomainsInSamServerResponse:
    """Spec: [MS-SAMR] 3.1.5.2.1."""
    held(call, request.server_handle, ServerHandle, int(rights.SamServer.ENUMERATE_DOMAINS))
    every = _domain_names(call)
    start = min(request.enumeration_context, len(every))
    found = every[start : start + max(1, request.prefered_maximum_length // _ENTRY_SIZE)]
    entries = tuple(idl.RidEnumeration(0, name) for name in found)
    reached = start + len(found)
    status = NtStatus.STATUS_SUCCESS if reached == len(every) else NtStatus.STATUS_MORE_ENTRIES
    return idl.SamrEnumerateDomainsInSamServerResponse(
        reached, idl.EnumerationBuffer(entries), len(entries), status
    )


async def samr_lookup_domain_in_sam_server(
    call: Call, request: idl.SamrLookupDomainInSamServer
) -> idl.SamrLookupDomainInSamServerResponse:
    """Spec: [MS-SAMR] 3.1.5.11.1."""
    held(call, request.server_handle, ServerHandle, int(rights.SamServer.LOOKUP_DOMAIN))
    name = request.name or ""
    if not name:
        raise NtError(NtStatus.STATUS_INVALID_PARAMETER, "no name")
    forest = call.directory.forest
    if name.casefold() == BUILTIN_NAME.casefold():
        return idl.SamrLookupDomainInSamServerResponse(wellknown.BUILTIN_DOMAIN)
    if forest.is_realm(name):
        return idl.SamrLookupDomainInSamServerResponse(forest.domain_sid)
    raise NtError(NtStatus.STATUS_NO_SUCH_DOMAIN)


async def samr_open_domain(call: Call, request: idl.SamrOpenDomain) -> idl.SamrOpenDomainResponse:
    """Spec: [MS-SAMR] 3.1.5.1.5."""
    held(call, request.server_handle, ServerHandle, int(rights.SamServer.LOOKUP_DOMAIN))

    def work(ctx: ReadContext) -> DomainHandle:
        row = domain_row(ctx, request.domain_id)
        granted = opened(ctx, row, rights.DOMAIN, request.desired_access)
        return DomainHandle(granted, ctx.requester.user, row.dnt, request.domain_id)

    return idl.SamrOpenDomainResponse(call.handles.open(await read(call, "samr.open_domain", work)))


async def samr_rid_to_sid(call: Call, request: idl.SamrRidToSid) -> idl.SamrRidToSidResponse:
    """Spec: [MS-SAMR] 3.1.5.13.5."""
    found = held(call, request.object_handle, SamHandle)
    if isinstance(found, DomainHandle):
        return idl.SamrRidToSidResponse(found.sid.child(request.rid))
    if isinstance(found, UserHandle | GroupHandle | AliasHandle):
        return idl.SamrRidToSidResponse(found.sid.domain().child(request.rid))
    raise NtError(NtStatus.STATUS_OBJECT_TYPE_MISMATCH)
