"""What the server tells of itself, in the three versions that clients ask for.

Spec: [MS-DNSP] 2.2.4.2.2.
"""

from typing import Annotated, ClassVar

from addc.codec.ndr import U8, U32, Const, FixedArray, FixedBytes, Ndr, Unique, structure
from addc.rpc.interfaces.dnsserver.idl_kinds import ADDRS, IP4, TEXT, WIDE, DnsAddrArray, Ip4Array


@structure
class ServerInfoW2k(Ndr):
    """DNS_RPC_SERVER_INFO_W2K, [MS-DNSP] 2.2.4.2.2.1."""

    version: Annotated[int, U32] = 0
    boot_method: Annotated[int, U8] = 0
    admin_configured: Annotated[int, U8] = 0
    allow_update: Annotated[int, U8] = 0
    ds_available: Annotated[int, U8] = 0
    server_name: Annotated[str | None, TEXT] = None
    ds_container: Annotated[str | None, WIDE] = None
    server_addrs: Annotated[Ip4Array | None, IP4] = None
    listen_addrs: Annotated[Ip4Array | None, IP4] = None
    forwarders: Annotated[Ip4Array | None, IP4] = None
    extension1: Annotated[int | None, Unique(U32)] = None
    extension2: Annotated[int | None, Unique(U32)] = None
    extension3: Annotated[int | None, Unique(U32)] = None
    extension4: Annotated[int | None, Unique(U32)] = None
    extension5: Annotated[int | None, Unique(U32)] = None
    log_level: Annotated[int, U32] = 0
    debug_level: Annotated[int, U32] = 0
    forward_timeout: Annotated[int, U32] = 0
    rpc_protocol: Annotated[int, U32] = 0
    name_check_flag: Annotated[int, U32] = 0
    address_answer_limit: Annotated[int, U32] = 0
    recursion_retry: Annotated[int, U32] = 0
    recursion_timeout: Annotated[int, U32] = 0
    max_cache_ttl: Annotated[int, U32] = 0
    ds_polling_interval: Annotated[int, U32] = 0
    scavenging_interval: Annotated[int, U32] = 0
    default_refresh_interval: Annotated[int, U32] = 0
    default_no_refresh_interval: Annotated[int, U32] = 0
    reserved_words: Annotated[tuple[int, ...], FixedArray(U32, 10)] = (0,) * 10
    auto_reverse_zones: Annotated[int, U8] = 0
    auto_cache_update: Annotated[int, U8] = 0
    recurse_after_forwarding: Annotated[int, U8] = 0
    forward_delegations: Annotated[int, U8] = 0
    no_recursion: Annotated[int, U8] = 0
    secure_responses: Annotated[int, U8] = 0
    round_robin: Annotated[int, U8] = 0
    local_net_priority: Annotated[int, U8] = 0
    bind_secondaries: Annotated[int, U8] = 0
    write_authority_ns: Annotated[int, U8] = 0
    strict_file_parsing: Annotated[int, U8] = 0
    loose_wildcarding: Annotated[int, U8] = 0
    default_aging_state: Annotated[int, U8] = 0
    reserved_flags: Annotated[bytes, FixedBytes(15)] = bytes(15)


@structure
class ServerInfoDotnet(Ndr):
    """DNS_RPC_SERVER_INFO_DOTNET, [MS-DNSP] 2.2.4.2.2.2."""

    rpc_structure_version: Annotated[int, U32] = 1
    reserved0: ClassVar = Const(U32)
    version: Annotated[int, U32] = 0
    boot_method: Annotated[int, U8] = 0
    admin_configured: Annotated[int, U8] = 0
    allow_update: Annotated[int, U8] = 0
    ds_available: Annotated[int, U8] = 0
    server_name: Annotated[str | None, TEXT] = None
    ds_container: Annotated[str | None, WIDE] = None
    server_addrs: Annotated[Ip4Array | None, IP4] = None
    listen_addrs: Annotated[Ip4Array | None, IP4] = None
    forwarders: Annotated[Ip4Array | None, IP4] = None
    log_filter: Annotated[Ip4Array | None, IP4] = None
    log_file_path: Annotated[str | None, WIDE] = None
    domain_name: Annotated[str | None, TEXT] = None
    forest_name: Annotated[str | None, TEXT] = None
    domain_directory_partition: Annotated[str | None, TEXT] = None
    forest_directory_partition: Annotated[str | None, TEXT] = None
    extensions: Annotated[tuple[str | None, ...], FixedArray(TEXT, 6)] = (None,) * 6
    log_level: Annotated[int, U32] = 0
    debug_level: Annotated[int, U32] = 0
    forward_timeout: Annotated[int, U32] = 0
    rpc_protocol: Annotated[int, U32] = 0
    name_check_flag: Annotated[int, U32] = 0
    address_answer_limit: Annotated[int, U32] = 0
    recursion_retry: Annotated[int, U32] = 0
    recursion_timeout: Annotated[int, U32] = 0
    max_cache_ttl: Annotated[int, U32] = 0
    ds_polling_interval: Annotated[int, U32] = 0
    local_net_priority_net_mask: Annotated[int, U32] = 0
    scavenging_interval: Annotated[int, U32] = 0
    default_refresh_interval: Annotated[int, U32] = 0
    default_no_refresh_interval: Annotated[int, U32] = 0
    last_scavenge_time: Annotated[int, U32] = 0
    event_log_level: Annotated[int, U32] = 0
    log_file_max_size: Annotated[int, U32] = 0
    ds_forest_version: Annotated[int, U32] = 0
    ds_domain_version: Annotated[int, U32] = 0
    ds_dsa_version: Annotated[int, U32] = 0
    reserved_words: Annotated[tuple[int, ...], FixedArray(U32, 4)] = (0,) * 4
    auto_reverse_zones: Annotated[int, U8] = 0
    auto_cache_update: Annotated[int, U8] = 0
    recurse_after_forwarding: Annotated[int, U8] = 0
    forward_delegations: Annotated[int, U8] = 0
    no_recursion: Annotated[int, U8] = 0
    secure_responses: Annotated[int, U8] = 0
    round_robin: Annotated[int, U8] = 0
    local_net_priority: Annotated[int, U8] = 0
    bind_secondaries: Annotated[int, U8] = 0
    write_authority_ns: Annotated[int, U8] = 0
    strict_file_parsing: Annotated[int, U8] = 0
    loose_wildcarding: Annotated[int, U8] = 0
    default_aging_state: Annotated[int, U8] = 0
    reserved_flags: Annotated[bytes, FixedBytes(15)] = bytes(15)


@structure
class ServerInfoLonghorn(Ndr):
    """DNS_RPC_SERVER_INFO_LONGHORN, [MS-DNSP] 2.2.4.2.2.3."""

    rpc_structure_version: Annotated[int, U32] = 1
    reserved0: ClassVar = Const(U32)
    version: Annotated[int, U32] = 0
    boot_method: Annotated[int, U8] = 0
    admin_configured: Annotated[int, U8] = 0
    allow_update: Annotated[int, U8] = 0
    ds_available: Annotated[int, U8] = 0
    server_name: Annotated[str | None, TEXT] = None
    ds_container: Annotated[str | None, WIDE] = None
    server_addrs: Annotated[DnsAddrArray | None, ADDRS] = None
    listen_addrs: Annotated[DnsAddrArray | None, ADDRS] = None
    forwarders: Annotated[DnsAddrArray | None, ADDRS] = None
    log_filter: Annotated[DnsAddrArray | None, ADDRS] = None
    log_file_path: Annotated[str | None, WIDE] = None
    domain_name: Annotated[str | None, TEXT] = None
    forest_name: Annotated[str | None, TEXT] = None
    domain_directory_partition: Annotated[str | None, TEXT] = None
    forest_directory_partition: Annotated[str | None, TEXT] = None
    extensions: Annotated[tuple[str | None, ...], FixedArray(TEXT, 6)] = (None,) * 6
    log_level: Annotated[int, U32] = 0
    debug_level: Annotated[int, U32] = 0
    forward_timeout: Annotated[int, U32] = 0
    rpc_protocol: Annotated[int, U32] = 0
    name_check_flag: Annotated[int, U32] = 0
    address_answer_limit: Annotated[int, U32] = 0
    recursion_retry: Annotated[int, U32] = 0
    recursion_timeout: Annotated[int, U32] = 0
    max_cache_ttl: Annotated[int, U32] = 0
    ds_polling_interval: Annotated[int, U32] = 0
    local_net_priority_net_mask: Annotated[int, U32] = 0
    scavenging_interval: Annotated[int, U32] = 0
    default_refresh_interval: Annotated[int, U32] = 0
    default_no_refresh_interval: Annotated[int, U32] = 0
    last_scavenge_time: Annotated[int, U32] = 0
    event_log_level: Annotated[int, U32] = 0
    log_file_max_size: Annotated[int, U32] = 0
    ds_forest_version: Annotated[int, U32] = 0
    ds_domain_version: Annotated[int, U32] = 0
    ds_dsa_version: Annotated[int, U32] = 0
    read_only_dc: Annotated[int, U8] = 0
    reserved_words: Annotated[tuple[int, ...], FixedArray(U32, 3)] = (0,) * 3
    auto_reverse_zones: Annotated[int, U8] = 0
    auto_cache_update: Annotated[int, U8] = 0
    recurse_after_forwarding: Annotated[int, U8] = 0
    forward_delegations: Annotated[int, U8] = 0
    no_recursion: Annotated[int, U8] = 0
    secure_responses: Annotated[int, U8] = 0
    round_robin: Annotated[int, U8] = 0
    local_net_priority: Annotated[int, U8] = 0
    bind_secondaries: Annotated[int, U8] = 0
    write_authority_ns: Annotated[int, U8] = 0
    strict_file_parsing: Annotated[int, U8] = 0
    loose_wildcarding: Annotated[int, U8] = 0
    default_aging_state: Annotated[int, U8] = 0
    reserved_flags: Annotated[bytes, FixedBytes(15)] = bytes(15)
