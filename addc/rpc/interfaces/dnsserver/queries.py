"""What is asked of the server and of zones: R_DnssrvQuery and R_DnssrvComplexOperation.

Spec: [MS-DNSP] 3.1.4.2, 3.1.4.3.
"""

from collections.abc import Mapping
from typing import Final

from addc.base.errors import DsError
from addc.codes.win32 import Win32
from addc.directory.context import ReadContext
from addc.directory.dns_keys import is_signed
from addc.directory.dns_management import require_server
from addc.directory.dns_properties import zone_number
from addc.directory.dns_settings import settings
from addc.directory.dns_signing import is_key_master
from addc.rpc.call import Call
from addc.rpc.interfaces.dnsserver import addresses, partitions, server_info, statistics, zone_facts
from addc.rpc.interfaces.dnsserver.asked import Asked, Tell, Told, read
from addc.rpc.interfaces.dnsserver.idl import TypeId
from addc.rpc.interfaces.dnsserver.idl_kinds import DnsAddr, DnsAddrArray
from addc.rpc.interfaces.dnsserver.idl_parts import IpValidate
from addc.rpc.interfaces.dnsserver.idl_zones import EnumZonesFilter
from addc.rpc.interfaces.dnsserver.zone_facts import Zone

VALIDATED_MAX: Final = 64
_WITH_ZONE: Final = (3, 4)
"""DNS_IPVAL_DNS_ZONE_MASTERS and DNS_IPVAL_DNS_DELEGATIONS."""


async def query(call: Call, asked: Asked) -> Told:
    """Spec: [MS-DNSP] 3.1.4.2."""
    if asked.zone:
        return await read(call, lambda ctx: _of_zone(ctx, asked))
    if asked.operation.lower() == "serverinfo":
        return await read(call, lambda ctx: server_info.tell_info(ctx, asked.version, call.host.dns))
    return await read(call, lambda ctx: server_info.tell_property(ctx, asked, call.host.dns))


def _of_zone(ctx: ReadContext, asked: Asked) -> Told:
    zone, name = zone_facts.find(ctx, asked.zone), asked.operation.lower()
    if name == "zone":
        return zone_facts.tell(ctx, zone, asked.version)
    if name == "zoneinfo":
        return zone_facts.tell_info(ctx, zone, asked.version)
    arrays = _arrays(ctx, zone)
    if name in arrays:
        return addresses.answered(arrays[name], asked.version)
    if name in ("databasefile", "breakonnameupdate", "keymaster", "nsec3usersalt", "nsec3currentsalt"):
        return TypeId.LPSTR, None
    if name == "applicationdirectorypartition":
        return TypeId.LPSTR, zone_facts.partition_fqdn(ctx, zone)
    return TypeId.DWORD, _number(ctx, zone, asked.operation)


def _arrays(ctx: ReadContext, zone: Zone) -> dict[str, tuple[str, ...]]:
    state = zone_facts.state_of(ctx, zone)
    return {
        "allownsrecordsautocreation": (),
        "scavengeservers": addresses.texts(state.properties.scavengers),
        "masterservers": zone.masters,
        "localmasterservers": (),
        "notifyservers": state.local.notify_to,
        "secondaryservers": zone_facts.secondaries_of(state),
    }


def _number(ctx: ReadContext, zone: Zone, name: str) -> int:
    if name.lower() == "issigned":
        return int(zone.facts is not None and is_signed(zone.facts.row))
    if name.lower() == "iskeymaster":
        return int(zone.facts is not None and is_key_master(ctx, zone.facts))
    value = zone_number(zone_facts.state_of(ctx, zone), name)
    if value is None:
        raise DsError(Win32.DNS_ERROR_INVALID_PROPERTY, f"no property {name} of a zone")
    return value


async def complex_operation(call: Call, asked: Asked) -> Told:
    """Spec: [MS-DNSP] 3.1.4.3."""
    name = asked.operation.lower()
    if asked.zone:
        if name != "querydwordproperty":
            return await _refuse_zone(call, asked, known=name in _OF_ZONES)
        text = asked.text()
        return await read(
            call, lambda ctx: (TypeId.DWORD, _number(ctx, zone_facts.find(ctx, asked.zone), text))
        )
    tell = _OF_SERVER.get(name)
    if tell is None:
        await read(call, require_server)
        code = Win32.ERROR_NOT_SUPPORTED if name in _NOT_HERE else Win32.DNS_ERROR_INVALID_PROPERTY
        raise DsError(code, f"{asked.operation} is not told here")
    return await tell(call, asked)


async def _refuse_zone(call: Call, asked: Asked, *, known: bool) -> Told:
    await read(call, lambda ctx: zone_facts.find(ctx, asked.zone))
    code = Win32.ERROR_NOT_SUPPORTED if known else Win32.DNS_ERROR_INVALID_PROPERTY
    raise DsError(code, f"{asked.operation} is not told of zones here")


async def _zones(call: Call, asked: Asked) -> Told:
    request = asked.number()
    return await read(call, lambda ctx: zone_facts.tell_list(ctx, request, asked.version), point=False)


async def _filtered_zones(call: Call, asked: Asked) -> Told:
    """EnumZones2; a filter's text is part of a name, and a partition may be meant by its DNS name."""
    given = asked.given(EnumZonesFilter)

    def work(ctx: ReadContext) -> Told:
        request = given.filter
        if given.partition_fqdn:
            request = (request & ~zone_facts.PARTITIONS) | zone_facts.OF_PARTITION[
                partitions.named(ctx, given.partition_fqdn)
            ]
        return zone_facts.tell_list(ctx, request, asked.version, given.query_string or "")

    return await read(call, work, point=False)


async def _partitions(call: Call, asked: Asked) -> Told:
    custom_only = asked.number() == 1

    def work(ctx: ReadContext) -> Told:
        require_server(ctx)
        return TypeId.DP_LIST, partitions.listed(ctx, custom_only=custom_only)

    return await read(call, work, point=False)


async def _partition(call: Call, asked: Asked) -> Told:
    name = asked.text()

    def work(ctx: ReadContext) -> Told:
        require_server(ctx)
        return TypeId.DP_INFO, partitions.info(ctx, name)

    return await read(call, work, point=False)


async def _server_number(call: Call, asked: Asked) -> Told:
    name = asked.text()

    def work(ctx: ReadContext) -> Told:
        require_server(ctx)
        return TypeId.DWORD, server_info.number(ctx, settings(ctx), name)

    return await read(call, work)


async def _validated(call: Call, asked: Asked) -> Told:
    """IpValidate: whether servers answer, which takes packets, and so the right to manage the server."""
    given = asked.given(IpValidate)
    await read(call, lambda ctx: require_server(ctx, write=True))
    host = statistics.host_of(call)
    listed = () if given.validate_addrs is None else given.validate_addrs.addresses
    if len(listed) > VALIDATED_MAX:
        raise DsError(Win32.ERROR_INVALID_PARAMETER, f"over {VALIDATED_MAX} addresses")
    zone = given.context_name if given.context in _WITH_ZONE else None
    told: list[DnsAddr] = []
    for one in listed:
        flags = await host.validate(addresses.text_of(one), zone)
        user = bytes(4) + flags.to_bytes(4, "little") + bytes(20)  # behind the length of a subnet
        told.append(DnsAddr(one.family, one.port, one.body, one.length, user))
    return TypeId.ADDRARRAY, DnsAddrArray(max_count=len(told), addresses=tuple(told))


_OF_SERVER: Final[Mapping[str, Tell]] = {
    "enumzones": _zones,
    "enumzones2": _filtered_zones,
    "enumdirectorypartitions": _partitions,
    "directorypartitioninfo": _partition,
    "statistics": statistics.tell,
    "querydwordproperty": _server_number,
    "ipvalidate": _validated,
}
_NOT_HERE: Final = frozenset(
    (
        "enumeratekeystorageproviders", "enumeratetrustpoints", "enumeratetrustanchors", "enumserverscopes",
        "enumerateclientsubnetrecord", "getclientsubnetrecord", "enumeratepolicy", "getpolicy", "getrrlinfo",
        "enumvirtualizationinstances",
    )
)  # fmt: skip
_OF_ZONES: Final = frozenset(
    (
        "modifyzonesigningkeydescriptor", "enumzonesigningkeydescriptors", "getzonesigningkeydescriptorstate",
        "setzonesigningkeydescriptorstate", "validatezonesigningparameters", "exportzonesigningsettings",
        "importzonesigningsettings", "enumzonescopes", "zonestatistics", "enumeratepolicy", "getpolicy",
    )
)  # fmt: skip
