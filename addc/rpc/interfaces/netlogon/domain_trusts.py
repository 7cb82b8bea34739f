"""Which domains this one trusts, and what trusted forests claim.

Spec: [MS-NRPC] 3.5.4.7, 2.2.1.6.2, 2.2.1.3.10.
"""

from enum import IntFlag
from typing import Final

from addc.auth.secure_channels import TRUST_TYPES
from addc.base.errors import DsError, NtError
from addc.codec.forest_trust import DomainInfo, ForestTrustInfo, OtherRecord, TopLevelName
from addc.codec.ids import Sid
from addc.codec.ndr import Ndr, Tagged
from addc.codes.ntstatus import NtStatus
from addc.codes.win32 import Win32
from addc.directory import trust_namespaces, trusts
from addc.directory.context import ReadContext
from addc.rpc.call import Call
from addc.rpc.interfaces.netlogon import channel as channels
from addc.rpc.interfaces.netlogon import idl, server_names
from addc.rpc.interfaces.netlogon.rights import NetlogonAccess
from addc.security.token import SYSTEM
from addc.security.trusts import TrustAttributes, TrustDirection, TrustType

_UPDATE_TDO: Final = 0x1


class TrustFlags(IntFlag):
    """Flags of DS_DOMAIN_TRUSTSW, 2.2.1.6.2."""

    IN_FOREST = 0x1
    DIRECT_OUTBOUND = 0x2
    TREE_ROOT = 0x4
    PRIMARY = 0x8
    NATIVE_MODE = 0x10
    DIRECT_INBOUND = 0x20


_ALL: Final = sum(TrustFlags)


def known_domains(ctx: ReadContext) -> tuple[idl.DsDomainTrusts, ...]:
    """Every trusted domain, then this one."""
    forest = ctx.forest
    found = [_trusted(one) for one in trusts.trusted_domains(ctx)]
    is_root = forest.root_dn == forest.domain_dn
    flags = TrustFlags.PRIMARY | TrustFlags.IN_FOREST | TrustFlags.NATIVE_MODE
    own = idl.DsDomainTrusts(
        forest.netbios,
        forest.dns_domain,
        int(flags | TrustFlags.TREE_ROOT if is_root else flags),
        0,
        int(TrustType.UPLEVEL),
        0,
        forest.domain_sid,
        forest.domain_guid,
    )
    return (*found, own)


def _trusted(one: trusts.Trust) -> idl.DsDomainTrusts:
    flags = TrustFlags(0)
    if one.direction & TrustDirection.OUTBOUND:
        flags |= TrustFlags.DIRECT_OUTBOUND
    if one.direction & TrustDirection.INBOUND:
        flags |= TrustFlags.DIRECT_INBOUND
    if one.within_forest:
        flags |= TrustFlags.IN_FOREST
    dns = None if one.trust_type == TrustType.DOWNLEVEL else one.partner
    return idl.DsDomainTrusts(
        one.flat_name,
        dns,
        int(flags),
        0,
        one.trust_type,
        int(one.attributes),
        one.sid,
        idl.NO_GUID,
    )


def _listed(call: Call, flags: int) -> tuple[idl.DsDomainTrusts, ...]:
    every = call.directory.read_now("netlogon.trusts", SYSTEM, known_domains)
    return tuple(one for one in every if one.flags & flags)


async def enumerate_domain_trusts(
    call: Call, request: idl.DsrEnumerateDomainTrusts
) -> idl.DsrEnumerateDomainTrustsResponse:
    """DsrEnumerateDomainTrusts: for whoever is somebody; joins ask by SMB alone. Spec: 3.5.4.7.1."""
    server_names.require(call, NetlogonAccess.DCLOC_RPC)
    if not request.flags & _ALL or request.flags & ~_ALL:
        raise DsError(Win32.ERROR_INVALID_FLAGS, f"flags {request.flags:#x}")
    server_names.check_win32(call, request.server_name)
    return idl.DsrEnumerateDomainTrustsResponse(
        idl.NetlogonTrustedDomainArray(_listed(call, request.flags) or None)
    )


def _outbound(call: Call) -> tuple[idl.DsDomainTrusts, ...]:
    """Without those that only trust this domain, and without their flag. Spec: 3.5.4.7.2."""
    server_names.require(call, NetlogonAccess.DCLOC_RPC)
    wanted = TrustFlags.IN_FOREST | TrustFlags.DIRECT_OUTBOUND | TrustFlags.PRIMARY
    inbound = int(TrustFlags.DIRECT_INBOUND)
    return tuple(
        idl.DsDomainTrusts(
            one.netbios_domain_name,
            one.dns_domain_name,
            one.flags & ~inbound,
            one.parent_index,
            one.trust_type,
            one.trust_attributes,
            one.domain_sid,
            one.domain_guid,
        )
        for one in _listed(call, wanted)
    )


async def enumerate_trusted_domains_ex(
    call: Call, request: idl.NetrEnumerateTrustedDomainsEx
) -> idl.NetrEnumerateTrustedDomainsExResponse:
    """NetrEnumerateTrustedDomainsEx."""
    server_names.check_win32(call, request.server_name)
    return idl.NetrEnumerateTrustedDomainsExResponse(idl.NetlogonTrustedDomainArray(_outbound(call) or None))


async def enumerate_trusted_domains(
    call: Call, request: idl.NetrEnumerateTrustedDomains
) -> idl.NetrEnumerateTrustedDomainsResponse:
    """NetrEnumerateTrustedDomains: NetBIOS names, each with its NUL, and one more. Spec: 2.2.1.6.1."""
    server_names.check_nt(call, request.server_name)
    names = "".join(f"{one.netbios_domain_name}\0" for one in _outbound(call) if one.netbios_domain_name)
    return idl.NetrEnumerateTrustedDomainsResponse(
        idl.DomainNameBuffer((names + "\0").encode("utf-16-le", "surrogatepass"))
    )


# --- forests -----------------------------------------------------------------------------------------------


def _records(info: ForestTrustInfo) -> idl.LsaForestTrustInformation:
    return idl.LsaForestTrustInformation(tuple(_record(one) for one in info.records))


def _record(record: TopLevelName | DomainInfo | OtherRecord) -> idl.LsaForestTrustRecord:
    match record:
        case TopLevelName():
            kind = 1 if record.excluded else 0
            data: Ndr = idl.LsaTopLevelName(record.name)
        case DomainInfo():
            kind, data = 2, idl.LsaForestTrustDomainInfo(record.sid, record.dns_name, record.netbios_name)
        case OtherRecord():
            kind, data = record.record_type, idl.LsaForestTrustBinaryData(record.data)
    return idl.LsaForestTrustRecord(record.flags, kind, record.timestamp, Tagged(kind, data))


def _own_forest(ctx: ReadContext) -> ForestTrustInfo:
    """What this forest claims: the names of its trees, and each domain."""
    domains = trust_namespaces.own_domains(ctx)
    root = ctx.forest.dns_forest
    trees = [one.dns_name for one in domains if not one.dns_name.lower().endswith(f".{root.lower()}")]
    names = tuple(TopLevelName(name) for name in dict.fromkeys((root, *trees)))
    return ForestTrustInfo((*names, *(one for one in domains if _is_known(one.sid))))


def _is_known(sid: Sid | None) -> bool:
    return sid is not None


async def get_forest_trust_information(
    call: Call, request: idl.NetrGetForestTrustInformation
) -> idl.NetrGetForestTrustInformationResponse:
    """NetrGetForestTrustInformation: for the DCs of domains that trust this one. Spec: 3.5.4.7.4."""
    channel, returned = channels.stepped(call, request.computer_name, request.authenticator)
    try:
        if channel.kind not in TRUST_TYPES:
            raise NtError(NtStatus.STATUS_NOT_IMPLEMENTED, "for trusted domains alone")
        server_names.check_nt(call, request.server_name)
    except NtError as error:
        return idl.NetrGetForestTrustInformationResponse(returned, status=NtStatus(error.status))
    own = call.directory.read_now("netlogon.forest", SYSTEM, _own_forest)
    return idl.NetrGetForestTrustInformationResponse(returned, _records(own))


async def dsr_get_forest_trust_information(
    call: Call, request: idl.DsrGetForestTrustInformation
) -> idl.DsrGetForestTrustInformationResponse:
    """DsrGetForestTrustInformation: this forest's claims, or what is known of a trusted forest's.

    A trusted forest's DCs are not asked anew: this DC opens no channels to them yet. Spec: 3.5.4.7.5.
    """
    server_names.require(call, NetlogonAccess.FTINFO)
    server_names.check_win32(call, request.server_name)
    if request.flags & ~_UPDATE_TDO or (request.flags & _UPDATE_TDO and request.trusted_domain_name is None):
        raise DsError(Win32.ERROR_INVALID_FLAGS, f"flags {request.flags:#x}")
    if request.flags & _UPDATE_TDO:
        raise DsError(Win32.ERROR_NO_LOGON_SERVERS, "no DC of the trusted forest is reached")
    name = request.trusted_domain_name

    def read(ctx: ReadContext) -> ForestTrustInfo:
        if name is None or ctx.forest.is_realm(name):
            return _own_forest(ctx)
        found = trusts.find(ctx, name)
        if found is None:
            raise DsError(Win32.ERROR_NO_SUCH_DOMAIN, f"there is no trust with {name}")
        if not found.attributes & TrustAttributes.FOREST_TRANSITIVE or found.forest is None:
            raise DsError(Win32.ERROR_NO_SUCH_DOMAIN, f"{name} is no trusted forest")
        return found.forest

    info = call.directory.read_now("netlogon.forest", SYSTEM, read)
    return idl.DsrGetForestTrustInformationResponse(_records(info))
