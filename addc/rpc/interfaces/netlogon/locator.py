"""Where domain controllers are, and which site a machine is in.

This DC knows of itself; other domains' DCs it does not look for yet, and says that there are none.

Spec: [MS-NRPC] 3.5.4.3; [MS-ADTS] 6.3.1.2, 6.3.6, 6.1.1.2.2.
"""

import re
from dataclasses import dataclass
from enum import IntFlag
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final
from uuid import UUID

from addc.base.errors import DsError
from addc.codec.locator_ping import DsFlag
from addc.codes.win32 import Win32
from addc.directory import accounts, fsmo, locator_facts, sites, trusts
from addc.directory.context import ReadContext
from addc.directory.domain_controllers import own_flags
from addc.rpc.call import Call
from addc.rpc.interfaces.netlogon import idl, server_names
from addc.rpc.interfaces.netlogon.rights import NetlogonAccess
from addc.security.account_flags import UserAccountControl
from addc.security.token import SYSTEM

_INET: Final = 1
_DC_IS_DNS: Final = 0x2000_0000
_DOMAIN_IS_DNS: Final = 0x4000_0000
_FOREST_IS_DNS: Final = 0x8000_0000
"""M, N and O of DOMAIN_CONTROLLER_INFOW."""
_AF_INET: Final = 2
_AF_INET6: Final = 23
_SOCKADDR_IN: Final = 8
_SOCKADDR_IN6: Final = 24
_NETBIOS: Final = re.compile(r"[^\\/:*?\"<>|\x00-\x1f]{1,15}")
_FQDN: Final = re.compile(
    r"(?=.{1,255}\Z)[^\s.\x00-\x1f\\/:*?\"<>|]{1,63}(?:\.[^\s.\x00-\x1f\\/:*?\"<>|]{1,63})*\.?"
)


class GetDc(IntFlag):
    """Flags of DsrGetDcName, 3.5.4.3.1."""

    FORCE_REDISCOVERY = 0x1
    DIRECTORY_SERVICE_REQUIRED = 0x10
    DIRECTORY_SERVICE_PREFERRED = 0x20
    GC_SERVER_REQUIRED = 0x40
    PDC_REQUIRED = 0x80
    BACKGROUND_ONLY = 0x100
    IP_REQUIRED = 0x200
    KDC_REQUIRED = 0x400
    TIMESERV_REQUIRED = 0x800
    WRITABLE_REQUIRED = 0x1000
    GOOD_TIMESERV_PREFERRED = 0x2000
    AVOID_SELF = 0x4000
    ONLY_LDAP_NEEDED = 0x8000
    IS_FLAT_NAME = 0x1_0000
    IS_DNS_NAME = 0x2_0000
    TRY_NEXTCLOSEST_SITE = 0x4_0000
    DIRECTORY_SERVICE_6_REQUIRED = 0x8_0000
    WEB_SERVICE_REQUIRED = 0x10_0000
    DIRECTORY_SERVICE_8_REQUIRED = 0x20_0000
    DIRECTORY_SERVICE_9_REQUIRED = 0x40_0000
    DIRECTORY_SERVICE_10_REQUIRED = 0x80_0000
    RETURN_DNS_NAME = 0x4000_0000
    RETURN_FLAT_NAME = 0x8000_0000


_ALL: Final = sum(GetDc)
_ONE_ROLE: Final = GetDc.GC_SERVER_REQUIRED | GetDc.PDC_REQUIRED | GetDc.KDC_REQUIRED
_ONE_LEVEL: Final = (
    GetDc.DIRECTORY_SERVICE_REQUIRED
    | GetDc.DIRECTORY_SERVICE_6_REQUIRED
    | GetDc.DIRECTORY_SERVICE_8_REQUIRED
    | GetDc.DIRECTORY_SERVICE_9_REQUIRED
    | GetDc.DIRECTORY_SERVICE_10_REQUIRED
)
_NO_TIME: Final = GetDc.DIRECTORY_SERVICE_REQUIRED | GetDc.DIRECTORY_SERVICE_PREFERRED | GetDc(_ONE_ROLE)
_NAMES: Final = GetDc.IS_FLAT_NAME | GetDc.IS_DNS_NAME
_RETURNS: Final = GetDc.RETURN_DNS_NAME | GetDc.RETURN_FLAT_NAME

_ACCOUNT_BITS: Final = (
    (0x08 | 0x100, UserAccountControl.UF_TEMP_DUPLICATE_ACCOUNT),
    (0x10 | 0x200, UserAccountControl.UF_NORMAL_ACCOUNT),
    (0x40 | 0x800, UserAccountControl.UF_INTERDOMAIN_TRUST_ACCOUNT),
    (0x80 | 0x1000, UserAccountControl.UF_WORKSTATION_TRUST_ACCOUNT),
    (0x100 | 0x2000, UserAccountControl.UF_SERVER_TRUST_ACCOUNT),
    (0x400_0000, UserAccountControl.UF_PARTIAL_SECRETS_ACCOUNT),
)
"""AllowableAccountControlBits, 3.5.4.3.1, which some clients say in the bits of SAM instead."""


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What the three forms of DsrGetDcName ask. account: None where none has to be there."""

    domain: str | None
    domain_guid: UUID | None
    site: str | None
    flags: int
    account: str | None = None
    bits: int = 0


def _fail(code: Win32, detail: str) -> DsError:
    return DsError(code, detail)


def _several(value: int, of: int) -> bool:
    return (value & of).bit_count() > 1


def check_flags(flags: int, *, has_site: bool) -> None:
    """Raises DsError(ERROR_INVALID_FLAGS) for unknown flags, and for contradictions. Spec: 3.5.4.3.1."""
    clash = (
        flags & ~_ALL
        or _several(flags, _ONE_ROLE)
        or _several(flags, _ONE_LEVEL)
        or _several(flags, _NAMES)
        or _several(flags, _RETURNS)
        or (flags & GetDc.GOOD_TIMESERV_PREFERRED and flags & _NO_TIME)
        or (flags & GetDc.TRY_NEXTCLOSEST_SITE and has_site)
    )
    if clash:
        raise _fail(Win32.ERROR_INVALID_FLAGS, f"flags {flags:#x}")


def _check_name(wanted: _Wanted) -> None:
    name = wanted.domain
    if not name:
        return
    is_flat, is_dns = _NETBIOS.fullmatch(name) is not None, _FQDN.fullmatch(name) is not None
    flags = wanted.flags
    if (flags & GetDc.IS_FLAT_NAME and not is_flat) or not (is_flat or is_dns):
        raise _fail(Win32.ERROR_INVALID_DOMAINNAME, f"{name!r} is no name of a domain")


def _is_this_domain(ctx: ReadContext, wanted: _Wanted) -> bool:
    """By name, else by the GUID, so that renamed domains are found; the forest's name for a GC."""
    forest, name = ctx.forest, (wanted.domain or "").rstrip(".").lower()
    if not name:
        return True
    names = set()
    if not wanted.flags & GetDc.IS_DNS_NAME:
        names.add(forest.netbios.lower())
    if not wanted.flags & GetDc.IS_FLAT_NAME:
        names.add(forest.dns_domain.lower())
        if wanted.flags & GetDc.GC_SERVER_REQUIRED:
            names.add(forest.dns_forest.lower())
    return name in names or wanted.domain_guid == forest.domain_guid


def _has_account(ctx: ReadContext, wanted: _Wanted) -> bool:
    if wanted.account is None:
        return True
    found = accounts.find_by_sam(ctx, wanted.account)
    if found is None or found.is_disabled:
        return False
    return any(wanted.bits & bit and found.has(flag) for bit, flag in _ACCOUNT_BITS)


def _site_of(ctx: ReadContext, address: str) -> str:
    try:
        return sites.site_map(ctx).site_of(ip_address(address.partition("%")[0]))
    except ValueError:
        return ""


def _speaks_for(ctx: ReadContext, site: str) -> bool:
    """Whether the site's DNS names lead here: it is this DC's own, or it covers it. Spec: 3.5.4.3.1."""
    if site.lower() == sites.own_site(ctx).lower():
        return True
    return site.casefold() in map(str.casefold, locator_facts.coverage(ctx).dc)


def _found(ctx: ReadContext, call: Call, wanted: _Wanted) -> idl.DomainControllerInfo:
    forest = ctx.forest
    client_site = _site_of(ctx, call.peer)
    flags = own_flags(ctx, client_site, keeps_time=call.host.keeps_time)
    fits = (
        _is_this_domain(ctx, wanted)
        and _has_account(ctx, wanted)
        and not wanted.flags & GetDc.WEB_SERVICE_REQUIRED
        and not (wanted.flags & GetDc.PDC_REQUIRED and not flags & DsFlag.DS_PDC_FLAG)
        and (not wanted.site or _speaks_for(ctx, wanted.site))
    )
    if not fits:
        raise _fail(Win32.ERROR_NO_SUCH_DOMAIN, "no such domain controller is known")
    flat = bool(wanted.flags & GetDc.RETURN_FLAT_NAME)
    if not wanted.flags & _RETURNS:
        flat = (wanted.domain or "").lower() == forest.netbios.lower()
    extra = _FOREST_IS_DNS | (0 if flat else _DC_IS_DNS | _DOMAIN_IS_DNS)
    return idl.DomainControllerInfo(
        "\\\\" + (forest.host.upper() if flat else forest.host_fqdn),
        "\\\\" + (call.local or forest.host.upper()),
        _INET if call.local else 2,
        forest.domain_guid,
        forest.netbios if flat else forest.dns_domain,
        forest.dns_forest,
        int(flags) | extra,
        sites.own_site(ctx),
        client_site or None,
    )


def _get_dc(call: Call, wanted: _Wanted) -> idl.DomainControllerInfo:
    server_names.require(call, NetlogonAccess.DCLOC_RPC)
    check_flags(wanted.flags, has_site=bool(wanted.site))
    _check_name(wanted)
    return call.directory.read_now("netlogon.dc", SYSTEM, lambda ctx: _found(ctx, call, wanted))


async def get_dc_name_ex2(call: Call, request: idl.DsrGetDcNameEx2) -> idl.DsrGetDcNameEx2Response:
    """DsrGetDcNameEx2."""
    wanted = _Wanted(
        request.domain_name,
        request.domain_guid,
        request.site_name,
        request.flags,
        request.account_name,
        request.allowable_account_control_bits,
    )
    return idl.DsrGetDcNameEx2Response(_get_dc(call, wanted))


async def get_dc_name_ex(call: Call, request: idl.DsrGetDcNameEx) -> idl.DsrGetDcNameExResponse:
    """DsrGetDcNameEx."""
    wanted = _Wanted(request.domain_name, request.domain_guid, request.site_name, request.flags)
    return idl.DsrGetDcNameExResponse(_get_dc(call, wanted))


async def get_dc_name(call: Call, request: idl.DsrGetDcName) -> idl.DsrGetDcNameResponse:
    """DsrGetDcName; a site's GUID is ignored."""
    wanted = _Wanted(request.domain_name, request.domain_guid, None, request.flags)
    return idl.DsrGetDcNameResponse(_get_dc(call, wanted))


async def netr_get_dc_name(call: Call, request: idl.NetrGetDCName) -> idl.NetrGetDCNameResponse:
    """NetrGetDCName: the PDC's NetBIOS name. Spec: 3.5.4.3.4."""
    server_names.require(call, NetlogonAccess.DCLOC_RPC)
    server_names.check_win32(call, request.server_name)
    name = request.domain_name

    def is_here(ctx: ReadContext) -> bool:
        wanted = _Wanted(name, None, None, 0)
        return _is_this_domain(ctx, wanted) and fsmo.is_ours(ctx, fsmo.PDC)

    if (name and not _NETBIOS.fullmatch(name)) or not call.directory.read_now("netlogon.dc", SYSTEM, is_here):
        raise _fail(Win32.NERR_DCNotFound, "no PDC of that domain is known")
    return idl.NetrGetDCNameResponse("\\\\" + call.directory.forest.host.upper())


async def get_any_dc_name(call: Call, request: idl.NetrGetAnyDCName) -> idl.NetrGetAnyDCNameResponse:
    """NetrGetAnyDCName: the PDC knows of no DC but itself, and is not to name itself. Spec: 3.5.4.3.5."""
    server_names.require(call, NetlogonAccess.DCLOC_RPC)
    server_names.check_win32(call, request.server_name)
    name = request.domain_name

    def answer(ctx: ReadContext) -> str:
        if not _is_this_domain(ctx, _Wanted(name, None, None, 0)):
            is_trusted = trusts.find(ctx, name or "") is not None
            code = Win32.ERROR_NO_LOGON_SERVERS if is_trusted else Win32.ERROR_NO_SUCH_DOMAIN
            raise _fail(code, "no DC of that domain is known")
        if fsmo.is_ours(ctx, fsmo.PDC):
            raise _fail(Win32.ERROR_NO_SUCH_DOMAIN, "this is the PDC itself")
        return ctx.forest.host.upper()

    return idl.NetrGetAnyDCNameResponse("\\\\" + call.directory.read_now("netlogon.dc", SYSTEM, answer))


# --- sites -------------------------------------------------------------------------------------------------


async def get_site_name(call: Call, request: idl.DsrGetSiteName) -> idl.DsrGetSiteNameResponse:
    """DsrGetSiteName: this DC's own. Spec: 3.5.4.3.6."""
    server_names.require(call, NetlogonAccess.DCLOC_RPC)
    server_names.check_win32(call, request.computer_name)
    return idl.DsrGetSiteNameResponse(call.directory.read_now("netlogon.site", SYSTEM, sites.own_site))


async def get_dc_site_coverage(
    call: Call, request: idl.DsrGetDcSiteCoverageW
) -> idl.DsrGetDcSiteCoverageWResponse:
    """DsrGetDcSiteCoverageW: the sites in whose name SRV records are registered. Spec: 3.5.4.3.7."""
    server_names.require(call, NetlogonAccess.DCLOC_RPC)
    server_names.check_win32(call, request.server_name)
    sites = call.directory.read_now("netlogon.coverage", SYSTEM, locator_facts.coverage).dc
    return idl.DsrGetDcSiteCoverageWResponse(idl.NlSiteNameArray(tuple(map(idl.NlString, sites))))


def _address(given: idl.NlSocketAddress) -> IPv4Address | IPv6Address | None:
    """The address of a sockaddr; None for other families and for what is too short. Spec: 2.2.1.2.4."""
    data = given.sockaddr or b""
    family = int.from_bytes(data[:2], "little")
    if family == _AF_INET and len(data) >= _SOCKADDR_IN:
        return IPv4Address(data[4:8])
    if family == _AF_INET6 and len(data) >= _SOCKADDR_IN6:
        return IPv6Address(data[8:24])
    return None


def _placed(
    ctx: ReadContext, addresses: tuple[idl.NlSocketAddress, ...]
) -> list[tuple[str | None, str | None]]:
    """Site and subnet of each address, None where nothing tells."""
    known = sites.site_map(ctx)
    found: list[tuple[str | None, str | None]] = []
    for one in addresses:
        address = _address(one)
        if address is None:
            found.append((None, None))
            continue
        place = known.place_of(address)
        found.append((known.site_of(address) or None, None if place is None else str(place[0])))
    return found


def _sites(call: Call, addresses: tuple[idl.NlSocketAddress, ...]) -> list[tuple[str | None, str | None]]:
    server_names.require(call, NetlogonAccess.DCLOC_RPC)
    if not addresses:
        raise _fail(Win32.ERROR_INVALID_PARAMETER, "no addresses")
    return call.directory.read_now("netlogon.sites", SYSTEM, lambda ctx: _placed(ctx, addresses))


async def address_to_site_names(
    call: Call, request: idl.DsrAddressToSiteNamesW
) -> idl.DsrAddressToSiteNamesWResponse:
    """DsrAddressToSiteNamesW."""
    found = _sites(call, request.socket_addresses)
    return idl.DsrAddressToSiteNamesWResponse(
        idl.NlSiteNameArray(tuple(idl.NlString(site) for site, _ in found))
    )


async def address_to_site_names_ex(
    call: Call, request: idl.DsrAddressToSiteNamesExW
) -> idl.DsrAddressToSiteNamesExWResponse:
    """DsrAddressToSiteNamesExW."""
    found = _sites(call, request.socket_addresses)
    return idl.DsrAddressToSiteNamesExWResponse(
        idl.NlSiteNameExArray(
            tuple(idl.NlString(site) for site, _ in found), tuple(idl.NlString(net) for _, net in found)
        )
    )


async def time_service_parent_domain(
    call: Call, request: idl.NetrLogonGetTimeServiceParentDomain
) -> idl.NetrLogonGetTimeServiceParentDomainResponse:
    """NetrLogonGetTimeServiceParentDomain: the forest's first domain has none. Spec: 3.5.4.8.6."""
    server_names.require(call, NetlogonAccess.QUERY)
    server_names.check_win32(call, request.server_name)

    def parent(ctx: ReadContext) -> str:
        forest = ctx.forest
        if forest.root_nc == forest.domain_nc or forest.root_dn == forest.domain_dn:
            raise _fail(Win32.ERROR_NO_SUCH_DOMAIN, "the forest's root has no parent")
        return forest.dns_domain.partition(".")[2]

    return idl.NetrLogonGetTimeServiceParentDomainResponse(
        call.directory.read_now("netlogon.parent", SYSTEM, parent), 1
    )
