"""What the server tells of itself: all at once, or one property by name.

Spec: [MS-DNSP] 2.2.4.2.2 (DNS_RPC_SERVER_INFO), 3.1.1.1 (properties), 3.1.4.2 (R_DnssrvQuery).
"""

from typing import Final

from addc.base.errors import DsError
from addc.codes.win32 import Win32
from addc.directory import dns_scavenging, levels
from addc.directory.context import ReadContext
from addc.directory.dns_management import require_server
from addc.directory.dns_properties import server_number
from addc.directory.dns_settings import DnsSettings, settings
from addc.directory.dns_zones import Replication, container_dn
from addc.rpc.dns_server import DnsHost
from addc.rpc.interfaces.dnsserver import addresses, partitions
from addc.rpc.interfaces.dnsserver.asked import Asked, Told, filled
from addc.rpc.interfaces.dnsserver.idl import ClientVersion, TypeId
from addc.rpc.interfaces.dnsserver.idl_kinds import Utf8StringList
from addc.rpc.interfaces.dnsserver.idl_server import (
    ServerInfoDotnet,
    ServerInfoLonghorn,
    ServerInfoW2k,
)

VERSION: Final = 17763 << 16 | 0 << 8 | 10
"""10.0.17763, as everywhere else: Server 2019."""
_FROM_DIRECTORY: Final = 3
_UNIX_H: Final = 3_234_576
"""Hours from 1601 to 1970."""
_HOUR_S: Final = 3600
_FLAGS: Final = {
    "admin_configured": "AdminConfigured",
    "allow_update": "AllowUpdate",
    "auto_cache_update": "AutoCacheUpdate",
    "recurse_after_forwarding": "IsSlave",
    "forward_delegations": "ForwardDelegations",
    "no_recursion": "NoRecursion",
    "secure_responses": "SecureResponses",
    "round_robin": "RoundRobin",
    "local_net_priority": "LocalNetPriority",
    "bind_secondaries": "BindSecondaries",
    "write_authority_ns": "WriteAuthorityNs",
    "strict_file_parsing": "StrictFileParsing",
    "loose_wildcarding": "LooseWildcarding",
    "default_aging_state": "DefaultAgingState",
    "log_level": "LogLevel",
    "forward_timeout": "ForwardingTimeout",
    "rpc_protocol": "RpcProtocol",
    "name_check_flag": "NameCheckFlag",
    "address_answer_limit": "AddressAnswerLimit",
    "recursion_retry": "RecursionRetry",
    "recursion_timeout": "RecursionTimeout",
    "max_cache_ttl": "MaxCacheTtl",
    "ds_polling_interval": "DsPollingInterval",
    "local_net_priority_net_mask": "LocalNetPriorityNetMask",
    "scavenging_interval": "ScavengingInterval",
    "default_refresh_interval": "DefaultRefreshInterval",
    "default_no_refresh_interval": "DefaultNoRefreshInterval",
    "event_log_level": "EventLogLevel",
    "log_file_max_size": "LogFileMaxSize",
}
"""Members that are properties too."""


def forwarders(held: DnsSettings, host: DnsHost | None) -> tuple[str, ...]:
    """Where the world outside is asked: what operators decided, or else the configuration's."""
    if held.forwarders is not None:
        return held.forwarders
    return () if host is None else host.forwarders


def _own(ctx: ReadContext, host: DnsHost | None) -> tuple[str, ...]:
    """This server's addresses: those it listens on, or else those that DNS tells of it."""
    if host is not None and host.listening:
        return host.listening
    return addresses.texts(dns_scavenging.addresses_in_dns(ctx))


def tell_info(ctx: ReadContext, version: ClientVersion, host: DnsHost | None) -> Told:
    """The structure of the client's version."""
    require_server(ctx)
    values = _values(ctx, version, host)
    if version < ClientVersion.DOTNET:
        return TypeId.SERVER_INFO_W2K, filled(ServerInfoW2k, values)
    if version < ClientVersion.LONGHORN:
        return TypeId.SERVER_INFO_DOTNET, filled(ServerInfoDotnet, values)
    return TypeId.SERVER_INFO, filled(ServerInfoLonghorn, {**values, "rpc_structure_version": 2})


def _values(ctx: ReadContext, version: ClientVersion, host: DnsHost | None) -> dict[str, object]:
    held, forest = settings(ctx), ctx.forest
    own = addresses.shown(_own(ctx, host), version)
    last_h = dns_scavenging.course(ctx).last_h
    told: dict[str, object] = {member: server_number(held, name) or 0 for member, name in _FLAGS.items()}
    return told | {
        "version": VERSION,
        "boot_method": _FROM_DIRECTORY,
        "ds_available": 1,
        "server_name": forest.host_fqdn,
        "ds_container": container_dn(ctx, Replication.LEGACY),
        "server_addrs": own,
        "listen_addrs": own,
        "forwarders": addresses.shown(forwarders(held, host), version),
        "domain_name": forest.dns_domain,
        "forest_name": forest.dns_forest,
        "domain_directory_partition": partitions.fqdn_of(ctx, Replication.DOMAIN),
        "forest_directory_partition": partitions.fqdn_of(ctx, Replication.FOREST),
        "last_scavenge_time": max(0, last_h - _UNIX_H) * _HOUR_S if last_h else 0,
        "ds_forest_version": levels.forest_level(ctx),
        "ds_domain_version": levels.domain_level(ctx),
        "ds_dsa_version": max(levels.domain_level(ctx), levels.forest_level(ctx)),
    }


_ADDRESS_ARRAYS: Final = frozenset(
    ("forwarders", "dynamicforwarders", "listenaddresses", "breakonreceivefrom", "breakonupdatefrom",
     "logipfilterlist")
)  # fmt: skip
_TEXTS: Final = {
    "domaindirectorypartitionbasename": "DomainDnsZones",
    "forestdirectorypartitionbasename": "ForestDnsZones",
}
_WIDE_TEXTS: Final = frozenset(("logfilepath", "serverlevelplugindll"))
_LISTS: Final = frozenset(("globalqueryblocklist", "socketpoolexcludedportranges"))


def tell_property(ctx: ReadContext, asked: Asked, host: DnsHost | None) -> Told:
    """One property by name. Raises DsError(DNS_ERROR_INVALID_PROPERTY) for a name that is none."""
    require_server(ctx)
    name, held = asked.operation.lower(), settings(ctx)
    if name in _ADDRESS_ARRAYS:
        return addresses.answered(_array(ctx, name, host), asked.version)
    if name in _TEXTS:
        return TypeId.LPSTR, _TEXTS[name]
    if name in _WIDE_TEXTS:
        return TypeId.LPWSTR, None
    if name in _LISTS:
        listed = held.blocked_names if name == "globalqueryblocklist" else ()
        return TypeId.UTF8_STRING_LIST, Utf8StringList(listed)
    return TypeId.DWORD, number(ctx, held, name)


def _array(ctx: ReadContext, name: str, host: DnsHost | None) -> tuple[str, ...]:
    if name in ("forwarders", "dynamicforwarders"):
        return forwarders(settings(ctx), host)
    return _own(ctx, host) if name == "listenaddresses" else ()


def number(ctx: ReadContext, held: DnsSettings, name: str) -> int:
    """A property that is a number. Raises DsError(DNS_ERROR_INVALID_PROPERTY)."""
    key = name.lower()
    if key == "version":
        return VERSION
    if key in ("forceforestbehaviorversion", "forcedsabehaviorversion"):
        return levels.forest_level(ctx)
    if key == "forcedomainbehaviorversion":
        return levels.domain_level(ctx)
    value = server_number(held, name)
    if value is None:
        raise DsError(Win32.DNS_ERROR_INVALID_PROPERTY, f"no property {name}")
    return value
