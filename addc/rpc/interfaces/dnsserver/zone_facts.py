"""Zones as DnsServer tells of them: by name, all of them, or those that a filter means.

Those of the directory are all DCs' own; secondary zones are this server's. The names of the root's servers
are the zone of type cache.
Spec: [MS-DNSP] 2.2.5.1.4 (ZONE_REQUEST_FILTERS), 2.2.5.2.1 to 2.2.5.2.4, 3.1.4.1 (multizone operations).
"""

from dataclasses import dataclass
from typing import Final

from addc.base.clock import FileTime
from addc.base.errors import DsError
from addc.codes.win32 import Win32
from addc.directory import dns_secondary
from addc.directory.context import ReadContext
from addc.directory.dns_management import require_server, require_zone
from addc.directory.dns_properties import ZoneState, notify_level, secondary_security
from addc.directory.dns_secondary import Secondary
from addc.directory.dns_settings import settings, zone_settings
from addc.directory.dns_zones import (
    ROOT_HINTS,
    Replication,
    ZoneFacts,
    ZoneProperties,
    ZoneType,
    ZoneUpdate,
    all_zones,
    zone_named,
)
from addc.rpc.interfaces.dnsserver import addresses, partitions
from addc.rpc.interfaces.dnsserver.asked import Told, filled
from addc.rpc.interfaces.dnsserver.idl import ClientVersion, TypeId
from addc.rpc.interfaces.dnsserver.idl_zones import (
    ZoneDotnet,
    ZoneInfoDotnet,
    ZoneInfoLonghorn,
    ZoneInfoW2k,
    ZoneListDotnet,
    ZoneListW2k,
    ZoneW2k,
)

SHUTDOWN: Final = 0x2
REVERSE: Final = 0x4
DS_INTEGRATED: Final = 0x10
AGING: Final = 0x20
_UPDATES: Final = {ZoneUpdate.OFF: 0, ZoneUpdate.UNSECURE: 0x40, ZoneUpdate.SECURE: 0x80}
_VERSION: Final = 50
"""Of the protocol, as Windows has it in DNS_RPC_ZONE."""
_UNIX_FT: Final = 116_444_736_000_000_000
_TICKS_PER_S: Final = 10_000_000

REQUEST_PRIMARY: Final = 0x1
REQUEST_SECONDARY: Final = 0x2
REQUEST_CACHE: Final = 0x4
REQUEST_AUTO: Final = 0x8
REQUEST_FORWARD: Final = 0x10
REQUEST_REVERSE: Final = 0x20
REQUEST_FORWARDER: Final = 0x40
REQUEST_STUB: Final = 0x80
REQUEST_DS: Final = 0x100
REQUEST_NON_DS: Final = 0x200
_OF_TYPE: Final = {
    ZoneType.PRIMARY: REQUEST_PRIMARY,
    ZoneType.SECONDARY: REQUEST_SECONDARY,
    ZoneType.CACHE: REQUEST_CACHE,
    ZoneType.FORWARDER: REQUEST_FORWARDER,
    ZoneType.STUB: REQUEST_STUB,
}
_TYPES: Final = 0xCF
_DIRECTIONS: Final = REQUEST_FORWARD | REQUEST_REVERSE
_STORES: Final = REQUEST_DS | REQUEST_NON_DS
PARTITIONS: Final = 0x3C00
OF_PARTITION: Final = {Replication.DOMAIN: 0x400, Replication.FOREST: 0x800, Replication.LEGACY: 0x2000}
_ALL: Final = _TYPES | _DIRECTIONS | _STORES | PARTITIONS
MULTIZONE: Final = {
    "..allzones": _ALL & ~REQUEST_CACHE,
    "..allzonesandcache": _ALL,
    "..allprimaryzones": REQUEST_PRIMARY,
    "..allsecondaryzones": REQUEST_SECONDARY,
    "..allforwardzones": REQUEST_FORWARD,
    "..allreversezones": REQUEST_REVERSE,
    "..alldszones": REQUEST_DS,
    "..allnondszones": REQUEST_NON_DS,
    "..allprimaryreversezones": REQUEST_REVERSE | REQUEST_PRIMARY,
    "..allprimaryforwardzones": REQUEST_FORWARD | REQUEST_PRIMARY,
    "..allsecondaryreversezones": REQUEST_REVERSE | REQUEST_SECONDARY,
    "..allsecondaryforwardzones": REQUEST_FORWARD | REQUEST_SECONDARY,
}
"""Names that mean several zones."""
_CACHE_NAMES: Final = frozenset((".", "..cache", "..roothints", ROOT_HINTS.lower()))


@dataclass(frozen=True, slots=True)
class Zone:
    """One zone: of the directory, or a secondary one. loaded: its content is here."""

    name: str
    facts: ZoneFacts | None
    secondary: Secondary | None = None
    loaded: bool = True

    @property
    def properties(self) -> ZoneProperties:
        if self.facts is not None:
            return self.facts.properties
        return ZoneProperties(type=ZoneType.SECONDARY, allow_update=ZoneUpdate.OFF)

    @property
    def type(self) -> ZoneType:
        return self.properties.type

    @property
    def is_reverse(self) -> bool:
        return self.name == "arpa" or self.name.endswith(".arpa")

    @property
    def masters(self) -> tuple[str, ...]:
        if self.secondary is not None:
            return self.secondary.masters
        return addresses.texts(self.properties.masters)

    def in_directory(self) -> ZoneFacts:
        """Its facts. Raises DsError for one that is not in the directory."""
        if self.facts is None:
            raise DsError(Win32.DNS_ERROR_INVALID_ZONE_TYPE, f"{self.name} is not in the directory")
        return self.facts


def find(ctx: ReadContext, name: str, *, write: bool = False) -> Zone:
    """The zone of a name, which the requester may read or write. Raises DsError."""
    require_server(ctx)
    held = _of_name(ctx, name)
    if held is None:
        raise DsError(Win32.DNS_ERROR_ZONE_DOES_NOT_EXIST, f"no zone {name}")
    if held.facts is not None:
        require_zone(ctx, held.facts, write=write)
    else:
        require_server(ctx, write=write)
    return held


def _of_name(ctx: ReadContext, name: str) -> Zone | None:
    if name.lower() in _CACHE_NAMES:
        return _cache(ctx)
    facts = zone_named(ctx, name)
    if facts is not None:
        return Zone(facts.name, facts)
    secondary = dns_secondary.secondary_named(ctx, name)
    return None if secondary is None else _copy(ctx, secondary)


def _cache(ctx: ReadContext) -> Zone | None:
    facts = zone_named(ctx, ROOT_HINTS)
    return None if facts is None else Zone(".", facts)


def _copy(ctx: ReadContext, secondary: Secondary) -> Zone:
    loaded = bool(dns_secondary.status(ctx, secondary.name).pieces)
    return Zone(secondary.name, None, secondary, loaded)


def matching(ctx: ReadContext, request: int) -> list[Zone]:
    """Zones by name that a filter means; of each kind of bits one must fit, where there are any."""
    held = [Zone(one.name, one) for one in all_zones(ctx)]
    held += [_copy(ctx, one) for _, one in sorted(dns_secondary.secondaries(ctx).items())]
    if request & REQUEST_CACHE and (cache := _cache(ctx)) is not None:
        held.append(cache)
    return [one for one in held if _fits(one, request)]


def _fits(zone: Zone, request: int) -> bool:
    direction = REQUEST_REVERSE if zone.is_reverse else REQUEST_FORWARD
    store = REQUEST_NON_DS if zone.facts is None or zone.type == ZoneType.CACHE else REQUEST_DS
    partition = 0 if zone.facts is None else OF_PARTITION[zone.facts.replication]
    return all(
        not request & kinds or request & kinds & own
        for kinds, own in (
            (_TYPES, _OF_TYPE.get(zone.type, 0)),
            (_DIRECTIONS, direction),
            (_STORES, store),
            (PARTITIONS, partition or request),
        )
    )


def state_of(ctx: ReadContext, zone: Zone) -> ZoneState:
    """Everything that is decided about a zone."""
    return ZoneState(
        zone.properties, zone_settings(ctx, zone.name), settings(ctx), ds_integrated=zone.facts is not None
    )


def partition_fqdn(ctx: ReadContext, zone: Zone) -> str | None:
    """Where a zone is kept; None for one that is not in the directory."""
    return None if zone.facts is None else partitions.fqdn_of(ctx, zone.facts.replication)


def _abbreviated(ctx: ReadContext, zone: Zone) -> dict[str, object]:
    held = zone.properties
    flags = _UPDATES.get(held.allow_update, 0) | (REVERSE if zone.is_reverse else 0)
    flags |= (AGING if held.aging else 0) | (0 if zone.loaded else SHUTDOWN)
    flags |= DS_INTEGRATED if zone.facts is not None else 0
    return {
        "zone_name": zone.name,
        "flags": flags,
        "zone_type": int(zone.type) & 0xFF,
        "version": _VERSION,
        "dp_flags": 0 if zone.facts is None else partitions.FLAGS[zone.facts.replication],
        "dp_fqdn": partition_fqdn(ctx, zone),
    }


def tell(ctx: ReadContext, zone: Zone, version: ClientVersion) -> Told:
    """DNS_RPC_ZONE, [MS-DNSP] 2.2.5.2.1."""
    values = _abbreviated(ctx, zone)
    if version < ClientVersion.DOTNET:
        return TypeId.ZONE_W2K, filled(ZoneW2k, values)
    return TypeId.ZONE, filled(ZoneDotnet, values)


def tell_list(ctx: ReadContext, request: int, version: ClientVersion, part: str = "") -> Told:
    """DNS_RPC_ZONE_LIST, [MS-DNSP] 2.2.5.2.3. part: of the names of zones that are meant."""
    require_server(ctx)
    found = [one for one in matching(ctx, request) if part.lower() in one.name]
    if version < ClientVersion.DOTNET:
        old = tuple(filled(ZoneW2k, _abbreviated(ctx, one)) for one in found)
        return TypeId.ZONE_LIST_W2K, ZoneListW2k(old)
    new = tuple(filled(ZoneDotnet, _abbreviated(ctx, one)) for one in found)
    return TypeId.ZONE_LIST, ZoneListDotnet(zones=new)


def tell_info(ctx: ReadContext, zone: Zone, version: ClientVersion) -> Told:
    """DNS_RPC_ZONE_INFO, [MS-DNSP] 2.2.5.2.4."""
    values = _info(ctx, zone, version)
    if version < ClientVersion.DOTNET:
        return TypeId.ZONE_INFO_W2K, filled(ZoneInfoW2k, values)
    if version < ClientVersion.LONGHORN:
        return TypeId.ZONE_INFO_DOTNET, filled(ZoneInfoDotnet, values)
    return TypeId.ZONE_INFO, filled(ZoneInfoLonghorn, {**values, "rpc_structure_version": 2})


def _info(ctx: ReadContext, zone: Zone, version: ClientVersion) -> dict[str, object]:
    state, held = state_of(ctx, zone), zone.properties
    local = state.local
    copied = None if zone.secondary is None else dns_secondary.status(ctx, zone.name)
    forwards = zone.type == ZoneType.FORWARDER
    return {
        "zone_name": zone.name,
        "zone_type": int(zone.type),
        "reverse": int(zone.is_reverse),
        "allow_update": int(held.allow_update),
        "shutdown": int(not zone.loaded),
        "use_database": int(zone.facts is not None),
        "masters": addresses.shown(zone.masters, version),
        "secure_secondaries": secondary_security(local),
        "notify_level": notify_level(local),
        "secondaries": addresses.shown(_single(local.transfer_networks), version),
        "notify": addresses.shown(local.notify_to, version),
        "aging": int(held.aging),
        "no_refresh_interval": held.no_refresh_h,
        "refresh_interval": held.refresh_h,
        "avail_for_scavenge_time": held.scavenge_from_h,
        "scavenge_servers": addresses.shown(addresses.texts(held.scavengers), version),
        "forwarder_timeout": local.forward_timeout_s if forwards else 0,
        "forwarder_slave": int(forwards and local.forward_is_slave),
        "dp_flags": 0 if zone.facts is None else partitions.FLAGS[zone.facts.replication],
        "dp_fqdn": partition_fqdn(ctx, zone),
        "zone_dn": None if zone.facts is None else zone.facts.dn(ctx),
        "last_successful_soa_check": 0 if copied is None else _unix(copied.checked_ft),
        "last_successful_xfr": 0 if copied is None else _unix(copied.loaded_ft),
    }


def _single(networks: tuple[str, ...]) -> tuple[str, ...]:
    """Those of the networks that are one address, which is all that can be told here."""
    hosts = (one.removesuffix("/32").removesuffix("/128") for one in networks)
    return tuple(one for one in hosts if "/" not in one)


def secondaries_of(state: ZoneState) -> tuple[str, ...]:
    """The servers that may have a copy."""
    return _single(state.local.transfer_networks)


def _unix(when: int) -> int:
    return max(0, FileTime(when) - _UNIX_FT) // _TICKS_PER_S if when else 0
