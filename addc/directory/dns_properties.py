"""Settings by the names that Windows has for them: a number each, its range, and where it is kept.

What this server does not have is told as Windows has it by default, and cannot be changed.
Spec: [MS-DNSP] 3.1.1.1.1 (DNS Server Integer Properties), 3.1.1.2.1 (DNS Zone Integer Properties).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from addc.base.clock import FileTime
from addc.base.errors import DsError
from addc.codes.win32 import Win32
from addc.directory import dns_aging
from addc.directory.dns_settings import DnsSettings, ZoneSettings
from addc.directory.dns_zones import ZoneProperties, ZoneType, ZoneUpdate, taking

_DAY_S: Final = 86_400
_HOUR_S: Final = 3600
_YEAR_H: Final = 8760
_MONTH_S: Final = 30 * _DAY_S


@dataclass(frozen=True, slots=True)
class Kept:
    """A property of the server that is a setting.

    field: of DnsSettings. low, high: what it may be. default: what 0 stands for; 0 is itself without one.
    inverted: the property is true where the setting is false. unit: how much of the property one of the
    setting is.
    """

    field: str
    low: int = 0
    high: int = 1
    default: int | None = None
    inverted: bool = False
    unit: int = 1


KEPT: Final[Mapping[str, Kept]] = {
    "DefaultAgingState": Kept("default_aging"),
    "DefaultNoRefreshInterval": Kept("default_no_refresh_h", high=_YEAR_H),
    "DefaultRefreshInterval": Kept("default_refresh_h", high=_YEAR_H),
    "DsTombstoneInterval": Kept(
        "tombstone_interval_h", 3 * _DAY_S, 56 * _DAY_S, default=14 * _DAY_S, unit=_HOUR_S
    ),
    "EnableGlobalQueryBlockList": Kept("block_queries"),
    "ForwardingTimeout": Kept("forward_timeout_s", 1, 15, default=3),
    "IsSlave": Kept("is_slave"),
    "LocalNetPriority": Kept("local_net_priority"),
    "MaxCacheTtl": Kept("max_cache_ttl_s", high=_MONTH_S),
    "MaxNegativeCacheTtl": Kept("max_negative_ttl_s", high=_MONTH_S),
    "NoRecursion": Kept("recursion", inverted=True),
    "RecursionTimeout": Kept("recursion_timeout_s", 1, 15, default=8),
    "RoundRobin": Kept("round_robin"),
    "ScavengingInterval": Kept("scavenging_interval_h", high=_YEAR_H),
}
"""What operators change through this server's settings."""

FIXED: Final[Mapping[str, int]] = {
    "AdditionalRecursionTimeout": 4,
    "AddressAnswerLimit": 0,
    "AdminConfigured": 1,
    "AllowCNAMEAtNS": 1,
    "AllowMsdcsLookupRetry": 1,
    "AllowReadOnlyZoneTransfer": 0,
    "AllowUpdate": 1,
    "AppendMsZoneTransferTag": 0,
    "AutoCacheUpdate": 0,
    "AutoConfigFileZones": 1,
    "AutoCreateDelegations": 0,
    "BindSecondaries": 0,
    "BootMethod": 3,
    "BreakOnAscFailure": 0,
    "CacheEmptyAuthResponses": 1,
    "CacheLockingPercent": 100,
    "DebugLevel": 0,
    "DeleteOutsideGlue": 0,
    "DirectoryPartitionAutoEnlistInterval": _DAY_S,
    "DisableAutoReverseZones": 1,
    "DisjointNets": 0,
    "DsBackgroundLoadPaused": 0,
    "DsLazyUpdateInterval": 0,
    "DsMinimumBackgroundLoadThreads": 0,
    "DsPollingInterval": 180,
    "DsRemoteReplicationDelay": 30,
    "EDnsCacheTimeout": 900,
    "EnableDirectoryPartitions": 1,
    "EnableDnsSec": 1,
    "EnableDuplicateQuerySuppression": 1,
    "EnableEDnsProbes": 1,
    "EnableEDnsReception": 1,
    "EnableForwarderReordering": 1,
    "EnableGlobalNamesSupport": 0,
    "EnableIPv6": 1,
    "EnableIQueryResponseGeneration": 0,
    "EnableOnlineSigning": 1,
    "EnablePolicies": 0,
    "EnableRegistryBoot": 0xFFFF_FFFF,
    "EnableRsoForRodc": 1,
    "EnableSendErrorSuppression": 1,
    "EnableServerPolicies": 0,
    "EnableUpdateForwarding": 0,
    "EnableVersionQuery": 0,
    "EnableWinsR": 0,
    "EventLogLevel": 4,
    "ForceRODCMode": 0,
    "ForceSoaExpire": 0,
    "ForceSoaMinimumTtl": 0,
    "ForceSoaRefresh": 0,
    "ForceSoaRetry": 0,
    "ForceSoaSerial": 0,
    "ForwardDelegations": 0,
    "GlobalNamesAlwaysQuerySrv": 0,
    "GlobalNamesBlockUpdates": 0,
    "GlobalNamesEnableEDnsProbes": 1,
    "GlobalNamesPreferAAAA": 0,
    "GlobalNamesQueryOrder": 0,
    "GlobalNamesSendTimeout": 3,
    "GlobalNamesServerQueryInterval": 21_600,
    "HeapDebug": 0,
    "LameDelegationTtl": 0,
    "LocalNetPriorityNetMask": 0xFF,
    "LogFileMaxSize": 0,
    "LogLevel": 0,
    "LooseWildcarding": 0,
    "MaxCacheSize": 0,
    "MaxResourceRecordsInNonSecureUpdate": 30,
    "MaximumRodcRsoAttemptsPerCycle": 100,
    "MaximumRodcRsoQueueLength": 300,
    "MaximumSignatureScanPeriod": _DAY_S,
    "MaximumUdpPacketSize": 1232,
    "MaxTrustAnchorActiveRefreshInterval": 15 * _DAY_S,
    "NameCheckFlag": 2,
    "NoUpdateDelegations": 0,
    "OpenACLOnProxyUpdates": 1,
    "OperationsLogLevel": 0,
    "OperationsLogLevel2": 0,
    "PublishAutonet": 0,
    "QuietRecvFaultInterval": 0,
    "QuietRecvLogInterval": 0,
    "RecurseToInternetRootMask": 0,
    "RecursionRetry": 3,
    "ReloadException": 0,
    "RemoteIPv4RankBoost": 0,
    "RemoteIPv6RankBoost": 0,
    "RpcProtocol": 5,
    "SecureResponses": 1,
    "SelfTest": 0xFFFF_FFFF,
    "SendPort": 0,
    "SilentlyIgnoreCNameUpdateConflicts": 0,
    "SocketPoolSize": 2500,
    "StrictFileParsing": 0,
    "SyncDsZoneSerial": 4,
    "TcpReceivePacketSize": 0x1_0000,
    "UdpRecvThreadCount": 0,
    "UpdateOptions": 0x30F,
    "UseSystemEventLog": 0,
    "WriteAuthorityNs": 0,
    "XfrConnectTimeout": 30,
    "XfrThrottleMultiplier": 10,
}
"""What this server is, or does not have."""

_KEPT: Final = {name.lower(): kept for name, kept in KEPT.items()}
_FIXED: Final = {name.lower(): value for name, value in FIXED.items()}


def server_number(held: DnsSettings, name: str) -> int | None:
    """A property of the server; None for a name that is none."""
    kept = _KEPT.get(name.lower())
    if kept is None:
        return _FIXED.get(name.lower())
    value = int(getattr(held, kept.field)) * kept.unit
    return int(not value) if kept.inverted else value


def with_server_number(held: DnsSettings, name: str, value: int) -> DnsSettings:
    """The settings with another value of a property. Raises DsError for what it cannot be."""
    kept = _KEPT.get(name.lower())
    if kept is None:
        _require_fixed(_FIXED.get(name.lower()), name, value)
        return held
    if kept.high == 1:
        value = int(bool(value) != kept.inverted)
    else:
        value = _in_range(value, kept) // kept.unit
    old = getattr(held, kept.field)
    return replace(held, **{kept.field: bool(value) if isinstance(old, bool) else value})  # type: ignore[arg-type]


def _in_range(value: int, kept: Kept) -> int:
    if value == 0 and kept.default is not None:
        return kept.default
    if value < kept.low:
        raise DsError(Win32.DNS_ERROR_DWORD_VALUE_TOO_SMALL, f"at least {kept.low}")
    if value > kept.high:
        raise DsError(Win32.DNS_ERROR_DWORD_VALUE_TOO_LARGE, f"at most {kept.high}")
    return value


def _require_fixed(fixed: int | None, name: str, value: int) -> None:
    """To be told what it is anyway is no change."""
    if fixed is None:
        raise DsError(Win32.DNS_ERROR_INVALID_PROPERTY, f"no property {name}")
    if fixed != value:
        raise DsError(Win32.ERROR_NOT_SUPPORTED, f"{name} is {fixed} here")


# --- zones ---

_TRANSFERS: Final = ("any", "servers", "listed", "off")
"""DNS_ZONE_SECONDARY_SECURITY, [MS-DNSP] 2.2.5.1.2."""
_NOTIFY: Final = ("off", "servers", "listed")
"""DNS_ZONE_NOTIFY_LEVEL, [MS-DNSP] 2.2.5.1.3."""


@dataclass(frozen=True, slots=True)
class ZoneState:
    """What can be asked about a zone, and what is decided about it: here, and in the directory."""

    properties: ZoneProperties
    local: ZoneSettings
    defaults: DnsSettings
    ds_integrated: bool = True


def secondary_security(local: ZoneSettings) -> int:
    return _TRANSFERS.index(local.transfers)


def notify_level(local: ZoneSettings) -> int:
    return _NOTIFY.index(local.notify)


def transfers_of(level: int) -> str:
    """ZoneSettings.transfers of a DNS_ZONE_SECONDARY_SECURITY. Raises DsError for no such level."""
    return _level(_TRANSFERS, level)


def notify_of(level: int) -> str:
    """ZoneSettings.notify of a DNS_ZONE_NOTIFY_LEVEL. Raises DsError for no such level."""
    return _level(_NOTIFY, level)


def _level(known: tuple[str, ...], level: int) -> str:
    if level >= len(known):
        raise DsError(Win32.DNS_ERROR_DWORD_VALUE_TOO_LARGE, f"at most {len(known) - 1}")
    return known[level]


def zone_number(state: ZoneState, name: str) -> int | None:
    """A property of a zone; None for a name that is none."""
    held, local = state.properties, state.local
    told = {
        "aging": int(held.aging),
        "allowupdate": int(held.allow_update),
        "dsintegrated": int(state.ds_integrated),
        "forwarderslave": int(local.forward_is_slave),
        "forwardertimeout": local.forward_timeout_s,
        "freezesoaserialnumber": 0,
        "logupdates": 0,
        "norefreshinterval": held.no_refresh_h,
        "notifylevel": notify_level(local),
        "pluginenabled": 0,
        "refreshinterval": held.refresh_h,
        "securesecondaries": secondary_security(local),
        "type": int(held.type),
        "unicode": 0,
    }
    return told.get(name.lower())


_READ_ONLY: Final = frozenset(("type", "dsintegrated"))


def with_zone_number(state: ZoneState, name: str, value: int, now: FileTime) -> ZoneState:
    """The zone with another value of a property. Raises DsError for what it cannot be."""
    key, local = name.lower(), state.local
    if key in _DIRECTORY:
        return replace(state, properties=_with_property(state, key, value, now))
    if key == "securesecondaries":
        return replace(state, local=replace(local, transfers=transfers_of(value)))
    if key == "notifylevel":
        return replace(state, local=replace(local, notify=notify_of(value)))
    if key in ("forwarderslave", "forwardertimeout"):
        if state.properties.type != ZoneType.FORWARDER:
            raise DsError(Win32.DNS_ERROR_INVALID_ZONE_TYPE, f"{name} is of forwarder zones")
        if key == "forwarderslave":
            return replace(state, local=replace(local, forward_is_slave=bool(value)))
        return replace(state, local=replace(local, forward_timeout_s=_in_range(value, Kept("", 1, 15, 5))))
    if key == "unicode":  # ignored, [MS-DNSP] 3.1.1.2.1
        return state
    held = zone_number(state, name)
    if key in _READ_ONLY and held != value:
        raise DsError(Win32.DNS_ERROR_INVALID_PROPERTY, f"{name} is not to be set")
    _require_fixed(held, name, value)
    return state


_DIRECTORY: Final = frozenset(("aging", "allowupdate", "norefreshinterval", "refreshinterval"))


def _with_property(state: ZoneState, key: str, value: int, now: FileTime) -> ZoneProperties:
    held = state.properties
    if held.type != ZoneType.PRIMARY:
        raise DsError(Win32.DNS_ERROR_INVALID_ZONE_TYPE, "not a primary zone")
    if key == "allowupdate":
        if value > ZoneUpdate.SECURE:
            raise DsError(Win32.DNS_ERROR_DWORD_VALUE_TOO_LARGE, "0, 1 or 2")
        return taking(held, ZoneUpdate(value), now)
    if key == "norefreshinterval":
        hours = _in_range(value, Kept("", high=10 * _YEAR_H, default=state.defaults.default_no_refresh_h))
        return replace(held, no_refresh_h=hours)
    if key == "refreshinterval":
        hours = _in_range(value, Kept("", high=10 * _YEAR_H, default=state.defaults.default_refresh_h))
        return replace(held, refresh_h=hours)
    return dns_aging.enabled(held, replace(held, aging=bool(value)), now)
