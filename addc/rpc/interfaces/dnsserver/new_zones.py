"""ZoneCreate: zones of the directory, and copies of other servers' zones.

Spec: [MS-DNSP] 2.2.5.2.7 (DNS_RPC_ZONE_CREATE_INFO), 3.1.4.1 (ZoneCreate).
"""

from dataclasses import replace
from typing import Final

from addc.base.errors import DecodeError, DsError
from addc.codec.dns_names import parse_name
from addc.codec.dns_rdata import DnsRecord, NameData, SoaData
from addc.codes.win32 import Win32
from addc.directory import dns_aging, dns_secondary, dns_zones
from addc.directory.context import WriteContext
from addc.directory.dns_management import require_server
from addc.directory.dns_properties import transfers_of
from addc.directory.dns_secondary import Secondary
from addc.directory.dns_settings import DnsSettings, ZoneSettings, keep_zone_settings, settings
from addc.directory.dns_zones import Replication, ZoneProperties, ZoneType, ZoneUpdate
from addc.rpc.call import Call
from addc.rpc.interfaces.dnsserver import addresses, partitions
from addc.rpc.interfaces.dnsserver.asked import Asked, write
from addc.rpc.interfaces.dnsserver.idl_zones import (
    ZoneCreateInfoDotnet,
    ZoneCreateInfoLonghorn,
    ZoneCreateInfoW2k,
)

CreateInfo = ZoneCreateInfoW2k | ZoneCreateInfoDotnet | ZoneCreateInfoLonghorn
_FOR_DCPROMO: Final = 0x1000
_FOR_DCPROMO_FOREST: Final = 0x4000
_MASTERED: Final = frozenset((ZoneType.SECONDARY, ZoneType.STUB, ZoneType.FORWARDER))
_MADE: Final = _MASTERED | {ZoneType.PRIMARY}


async def create(call: Call, asked: Asked) -> None:
    """A zone in the directory is made by the rights on its container, another by those on the server."""
    info = asked.data
    if not isinstance(info, CreateInfo):
        raise DsError(Win32.ERROR_INVALID_PARAMETER, "no description of a zone")
    await write(call, lambda ctx: _create(ctx, info))


def _create(ctx: WriteContext, info: CreateInfo) -> None:
    kind = ZoneType(info.zone_type)
    integrated = bool(info.ds_integrated) or _has_partition(info)
    require_server(ctx, write=not integrated)
    name = _checked(info.zone_name or "")
    masters = addresses.given(info.masters)
    if kind not in _MADE:
        raise DsError(Win32.DNS_ERROR_INVALID_ZONE_TYPE, f"no zone of type {kind:d} is made")
    if kind in _MASTERED and not masters:
        raise DsError(Win32.DNS_ERROR_ZONE_REQUIRES_MASTER_IP, "such a zone needs masters")
    if kind == ZoneType.SECONDARY:
        if integrated:
            raise DsError(Win32.DNS_ERROR_INVALID_ZONE_TYPE, "a copy is not kept in the directory")
        dns_secondary.create_secondary(ctx, Secondary(name, masters))
        return
    if not integrated:
        raise DsError(Win32.ERROR_NOT_SUPPORTED, "zones have no files here")
    properties = _properties(ctx, info, kind, masters)
    zone = dns_zones.create_zone(ctx, name, properties, _partition(ctx, info), _nodes(ctx, info, kind))
    local = _local(info, kind)
    if local != ZoneSettings():
        keep_zone_settings(ctx, zone.name, local)


def _has_partition(info: CreateInfo) -> bool:
    """Whether the zone is to be in a partition, which some clients say without saying fDsIntegrated."""
    if info.flags & (_FOR_DCPROMO | _FOR_DCPROMO_FOREST):
        return True
    return not isinstance(info, ZoneCreateInfoW2k) and bool(info.dp_flags or info.dp_fqdn)


def _checked(name: str) -> str:
    try:
        labels = parse_name(name)
    except DecodeError as error:
        raise DsError(Win32.DNS_ERROR_INVALID_NAME_CHAR, str(error)) from error
    if name.startswith("..") or (not labels and name != "."):
        raise DsError(Win32.DNS_ERROR_INVALID_NAME_CHAR, "no name of a zone")
    return name


def _partition(ctx: WriteContext, info: CreateInfo) -> Replication:
    if info.flags & _FOR_DCPROMO_FOREST:
        return Replication.FOREST
    if info.flags & _FOR_DCPROMO:
        return Replication.DOMAIN
    if isinstance(info, ZoneCreateInfoW2k):
        return Replication.LEGACY
    return partitions.chosen(ctx, info.dp_flags, info.dp_fqdn)


def _properties(
    ctx: WriteContext, info: CreateInfo, kind: ZoneType, masters: tuple[str, ...]
) -> ZoneProperties:
    held: DnsSettings = settings(ctx)
    if kind != ZoneType.PRIMARY:
        return ZoneProperties(type=kind, allow_update=ZoneUpdate.OFF, masters=addresses.packed(masters))
    if info.allow_update > ZoneUpdate.SECURE:
        raise DsError(Win32.DNS_ERROR_DWORD_VALUE_TOO_LARGE, "updates are 0, 1 or 2")
    start = ZoneProperties(
        allow_update=ZoneUpdate.OFF,
        no_refresh_h=held.default_no_refresh_h,
        refresh_h=held.default_refresh_h,
    )
    without = dns_zones.taking(start, ZoneUpdate(info.allow_update), ctx.now)
    aging = bool(info.aging) or held.default_aging
    return dns_aging.enabled(without, replace(without, aging=aging), ctx.now)


def _nodes(ctx: WriteContext, info: CreateInfo, kind: ZoneType) -> dict[str, list[DnsRecord]] | None:
    """The zone's own records, where somebody is named to write to about it."""
    if kind != ZoneType.PRIMARY or not info.admin:
        return None
    soa, servers = dns_zones.own_records(ctx)
    assert isinstance(soa.data, SoaData) and isinstance(servers.data, NameData)
    return {
        "@": [replace(soa, data=replace(soa.data, rname=_checked(info.admin).removesuffix("."))), servers]
    }


def _local(info: CreateInfo, kind: ZoneType) -> ZoneSettings:
    """What this server decides about the zone, as far as clients say so on its creation."""
    if kind == ZoneType.FORWARDER and not isinstance(info, ZoneCreateInfoW2k):
        seconds = min(info.timeout, 15) or ZoneSettings().forward_timeout_s
        return ZoneSettings(forward_timeout_s=seconds, forward_is_slave=bool(info.recurse_after_forwarding))
    listed = addresses.given(info.secondaries)
    if kind == ZoneType.PRIMARY and listed:
        return ZoneSettings(transfers=transfers_of(info.secure_secondaries), transfer_networks=listed)
    return ZoneSettings()
