"""Zones and what makes them, in the versions that clients speak.

Spec: [MS-DNSP] 2.2.5.2.
"""

from typing import Annotated, ClassVar

from addc.codec.ndr import U8, U32, Conformant, Const, CountOf, FixedArray, Ndr, Range, Unique, structure
from addc.rpc.interfaces.dnsserver.idl_kinds import ADDRS, IP4, TEXT, WIDE, DnsAddrArray, Ip4Array


@structure
class ZoneW2k(Ndr):
    """DNS_RPC_ZONE_W2K, [MS-DNSP] 2.2.5.2.1.1."""

    zone_name: Annotated[str | None, WIDE] = None
    flags: Annotated[int, U32] = 0
    zone_type: Annotated[int, U8] = 0
    version: Annotated[int, U8] = 0


@structure
class ZoneDotnet(Ndr):
    """DNS_RPC_ZONE_DOTNET, [MS-DNSP] 2.2.5.2.1.2."""

    rpc_structure_version: Annotated[int, U32] = 1
    reserved0: ClassVar = Const(U32)
    zone_name: Annotated[str | None, WIDE] = None
    flags: Annotated[int, U32] = 0
    zone_type: Annotated[int, U8] = 0
    version: Annotated[int, U8] = 0
    dp_flags: Annotated[int, U32] = 0
    dp_fqdn: Annotated[str | None, TEXT] = None


@structure
class ZoneListW2k(Ndr):
    """DNS_RPC_ZONE_LIST_W2K, [MS-DNSP] 2.2.5.2.3.1."""

    zone_count: ClassVar = CountOf("zones", Range(0, 500_000))
    zones: Annotated[tuple[ZoneW2k | None, ...], Conformant(Unique(ZoneW2k), 500_000)] = ()


@structure
class ZoneListDotnet(Ndr):
    """DNS_RPC_ZONE_LIST_DOTNET, [MS-DNSP] 2.2.5.2.3.2."""

    rpc_structure_version: Annotated[int, U32] = 1
    reserved0: ClassVar = Const(U32)
    zone_count: ClassVar = CountOf("zones", Range(0, 500_000))
    zones: Annotated[tuple[ZoneDotnet | None, ...], Conformant(Unique(ZoneDotnet), 500_000)] = ()


@structure
class ZoneInfoW2k(Ndr):
    """DNS_RPC_ZONE_INFO_W2K, [MS-DNSP] 2.2.5.2.4.1."""

    zone_name: Annotated[str | None, TEXT] = None
    zone_type: Annotated[int, U32] = 0
    reverse: Annotated[int, U32] = 0
    allow_update: Annotated[int, U32] = 0
    paused: Annotated[int, U32] = 0
    shutdown: Annotated[int, U32] = 0
    auto_created: Annotated[int, U32] = 0
    use_database: Annotated[int, U32] = 0
    data_file: Annotated[str | None, TEXT] = None
    masters: Annotated[Ip4Array | None, IP4] = None
    secure_secondaries: Annotated[int, U32] = 0
    notify_level: Annotated[int, U32] = 0
    secondaries: Annotated[Ip4Array | None, IP4] = None
    notify: Annotated[Ip4Array | None, IP4] = None
    use_wins: Annotated[int, U32] = 0
    use_nbstat: Annotated[int, U32] = 0
    aging: Annotated[int, U32] = 0
    no_refresh_interval: Annotated[int, U32] = 0
    refresh_interval: Annotated[int, U32] = 0
    avail_for_scavenge_time: Annotated[int, U32] = 0
    scavenge_servers: Annotated[Ip4Array | None, IP4] = None
    reserved1: ClassVar = Const(U32)
    reserved2: ClassVar = Const(U32)
    reserved3: ClassVar = Const(U32)
    reserved4: ClassVar = Const(U32)


@structure
class ZoneInfoDotnet(Ndr):
    """DNS_RPC_ZONE_INFO_DOTNET, [MS-DNSP] 2.2.5.2.4.2."""

    rpc_structure_version: Annotated[int, U32] = 1
    reserved0: ClassVar = Const(U32)
    zone_name: Annotated[str | None, TEXT] = None
    zone_type: Annotated[int, U32] = 0
    reverse: Annotated[int, U32] = 0
    allow_update: Annotated[int, U32] = 0
    paused: Annotated[int, U32] = 0
    shutdown: Annotated[int, U32] = 0
    auto_created: Annotated[int, U32] = 0
    use_database: Annotated[int, U32] = 0
    data_file: Annotated[str | None, TEXT] = None
    masters: Annotated[Ip4Array | None, IP4] = None
    secure_secondaries: Annotated[int, U32] = 0
    notify_level: Annotated[int, U32] = 0
    secondaries: Annotated[Ip4Array | None, IP4] = None
    notify: Annotated[Ip4Array | None, IP4] = None
    use_wins: Annotated[int, U32] = 0
    use_nbstat: Annotated[int, U32] = 0
    aging: Annotated[int, U32] = 0
    no_refresh_interval: Annotated[int, U32] = 0
    refresh_interval: Annotated[int, U32] = 0
    avail_for_scavenge_time: Annotated[int, U32] = 0
    scavenge_servers: Annotated[Ip4Array | None, IP4] = None
    forwarder_timeout: Annotated[int, U32] = 0
    forwarder_slave: Annotated[int, U32] = 0
    local_masters: Annotated[Ip4Array | None, IP4] = None
    dp_flags: Annotated[int, U32] = 0
    dp_fqdn: Annotated[str | None, TEXT] = None
    zone_dn: Annotated[str | None, WIDE] = None
    last_successful_soa_check: Annotated[int, U32] = 0
    last_successful_xfr: Annotated[int, U32] = 0
    reserved1: ClassVar = Const(U32)
    reserved2: ClassVar = Const(U32)
    reserved3: ClassVar = Const(U32)
    reserved4: ClassVar = Const(U32)
    reserved5: ClassVar = Const(U32)
    text_reserved1: Annotated[str | None, TEXT] = None
    text_reserved2: Annotated[str | None, TEXT] = None
    text_reserved3: Annotated[str | None, TEXT] = None
    text_reserved4: Annotated[str | None, TEXT] = None


@structure
class ZoneInfoLonghorn(Ndr):
    """DNS_RPC_ZONE_INFO_LONGHORN, [MS-DNSP] 2.2.5.2.4.3."""

    rpc_structure_version: Annotated[int, U32] = 1
    reserved0: ClassVar = Const(U32)
    zone_name: Annotated[str | None, TEXT] = None
    zone_type: Annotated[int, U32] = 0
    reverse: Annotated[int, U32] = 0
    allow_update: Annotated[int, U32] = 0
    paused: Annotated[int, U32] = 0
    shutdown: Annotated[int, U32] = 0
    auto_created: Annotated[int, U32] = 0
    use_database: Annotated[int, U32] = 0
    data_file: Annotated[str | None, TEXT] = None
    masters: Annotated[DnsAddrArray | None, ADDRS] = None
    secure_secondaries: Annotated[int, U32] = 0
    notify_level: Annotated[int, U32] = 0
    secondaries: Annotated[DnsAddrArray | None, ADDRS] = None
    notify: Annotated[DnsAddrArray | None, ADDRS] = None
    use_wins: Annotated[int, U32] = 0
    use_nbstat: Annotated[int, U32] = 0
    aging: Annotated[int, U32] = 0
    no_refresh_interval: Annotated[int, U32] = 0
    refresh_interval: Annotated[int, U32] = 0
    avail_for_scavenge_time: Annotated[int, U32] = 0
    scavenge_servers: Annotated[DnsAddrArray | None, ADDRS] = None
    forwarder_timeout: Annotated[int, U32] = 0
    forwarder_slave: Annotated[int, U32] = 0
    local_masters: Annotated[DnsAddrArray | None, ADDRS] = None
    dp_flags: Annotated[int, U32] = 0
    dp_fqdn: Annotated[str | None, TEXT] = None
    zone_dn: Annotated[str | None, WIDE] = None
    last_successful_soa_check: Annotated[int, U32] = 0
    last_successful_xfr: Annotated[int, U32] = 0
    queued_for_background_load: Annotated[int, U32] = 0
    background_load_in_progress: Annotated[int, U32] = 0
    read_only_zone: Annotated[int, U32] = 0
    last_xfr_attempt: Annotated[int, U32] = 0
    last_xfr_result: Annotated[int, U32] = 0


@structure
class ZoneSecondariesW2k(Ndr):
    """DNS_RPC_ZONE_SECONDARIES_W2K, [MS-DNSP] 2.2.5.2.5.1."""

    secure_secondaries: Annotated[int, U32] = 0
    notify_level: Annotated[int, U32] = 0
    secondaries: Annotated[Ip4Array | None, IP4] = None
    notify: Annotated[Ip4Array | None, IP4] = None


@structure
class ZoneSecondariesDotnet(Ndr):
    """DNS_RPC_ZONE_SECONDARIES_DOTNET, [MS-DNSP] 2.2.5.2.5.2."""

    rpc_structure_version: Annotated[int, U32] = 1
    reserved0: ClassVar = Const(U32)
    secure_secondaries: Annotated[int, U32] = 0
    notify_level: Annotated[int, U32] = 0
    secondaries: Annotated[Ip4Array | None, IP4] = None
    notify: Annotated[Ip4Array | None, IP4] = None


@structure
class ZoneSecondariesLonghorn(Ndr):
    """DNS_RPC_ZONE_SECONDARIES_LONGHORN, [MS-DNSP] 2.2.5.2.5.3."""

    rpc_structure_version: Annotated[int, U32] = 1
    reserved0: ClassVar = Const(U32)
    secure_secondaries: Annotated[int, U32] = 0
    notify_level: Annotated[int, U32] = 0
    secondaries: Annotated[DnsAddrArray | None, ADDRS] = None
    notify: Annotated[DnsAddrArray | None, ADDRS] = None


@structure
class ZoneDatabaseW2k(Ndr):
    """DNS_RPC_ZONE_DATABASE_W2K, [MS-DNSP] 2.2.5.2.6.1."""

    ds_integrated: Annotated[int, U32] = 0
    file_name: Annotated[str | None, TEXT] = None


@structure
class ZoneDatabaseDotnet(Ndr):
    """DNS_RPC_ZONE_DATABASE_DOTNET, [MS-DNSP] 2.2.5.2.6.2."""

    rpc_structure_version: Annotated[int, U32] = 1
    reserved0: ClassVar = Const(U32)
    ds_integrated: Annotated[int, U32] = 0
    file_name: Annotated[str | None, TEXT] = None


@structure
class ZoneCreateInfoW2k(Ndr):
    """DNS_RPC_ZONE_CREATE_INFO_W2K, [MS-DNSP] 2.2.5.2.7.1."""

    zone_name: Annotated[str | None, TEXT] = None
    zone_type: Annotated[int, U32] = 0
    allow_update: Annotated[int, U32] = 0
    aging: Annotated[int, U32] = 0
    flags: Annotated[int, U32] = 0
    data_file: Annotated[str | None, TEXT] = None
    ds_integrated: Annotated[int, U32] = 0
    load_existing: Annotated[int, U32] = 0
    admin: Annotated[str | None, TEXT] = None
    masters: Annotated[Ip4Array | None, IP4] = None
    secondaries: Annotated[Ip4Array | None, IP4] = None
    secure_secondaries: Annotated[int, U32] = 0
    notify_level: Annotated[int, U32] = 0
    text_reserved1: Annotated[str | None, TEXT] = None
    text_reserved2: Annotated[str | None, TEXT] = None
    text_reserved3: Annotated[str | None, TEXT] = None
    text_reserved4: Annotated[str | None, TEXT] = None
    text_reserved5: Annotated[str | None, TEXT] = None
    text_reserved6: Annotated[str | None, TEXT] = None
    text_reserved7: Annotated[str | None, TEXT] = None
    text_reserved8: Annotated[str | None, TEXT] = None
    reserved1: ClassVar = Const(U32)
    reserved2: ClassVar = Const(U32)
    reserved3: ClassVar = Const(U32)
    reserved4: ClassVar = Const(U32)
    reserved5: ClassVar = Const(U32)
    reserved6: ClassVar = Const(U32)
    reserved7: ClassVar = Const(U32)
    reserved8: ClassVar = Const(U32)


@structure
class ZoneCreateInfoDotnet(Ndr):
    """DNS_RPC_ZONE_CREATE_INFO_DOTNET, [MS-DNSP] 2.2.5.2.7.2."""

    rpc_structure_version: Annotated[int, U32] = 1
    reserved0: ClassVar = Const(U32)
    zone_name: Annotated[str | None, TEXT] = None
    zone_type: Annotated[int, U32] = 0
    allow_update: Annotated[int, U32] = 0
    aging: Annotated[int, U32] = 0
    flags: Annotated[int, U32] = 0
    data_file: Annotated[str | None, TEXT] = None
    ds_integrated: Annotated[int, U32] = 0
    load_existing: Annotated[int, U32] = 0
    admin: Annotated[str | None, TEXT] = None
    masters: Annotated[Ip4Array | None, IP4] = None
    secondaries: Annotated[Ip4Array | None, IP4] = None
    secure_secondaries: Annotated[int, U32] = 0
    notify_level: Annotated[int, U32] = 0
    timeout: Annotated[int, U32] = 0
    recurse_after_forwarding: Annotated[int, U32] = 0
    dp_flags: Annotated[int, U32] = 0
    dp_fqdn: Annotated[str | None, TEXT] = None
    reserved_words: Annotated[tuple[int, ...], FixedArray(U32, 32)] = (0,) * 32


@structure
class ZoneCreateInfoLonghorn(Ndr):
    """DNS_RPC_ZONE_CREATE_INFO_LONGHORN, [MS-DNSP] 2.2.5.2.7.3."""

    rpc_structure_version: Annotated[int, U32] = 1
    reserved0: ClassVar = Const(U32)
    zone_name: Annotated[str | None, TEXT] = None
    zone_type: Annotated[int, U32] = 0
    allow_update: Annotated[int, U32] = 0
    aging: Annotated[int, U32] = 0
    flags: Annotated[int, U32] = 0
    data_file: Annotated[str | None, TEXT] = None
    ds_integrated: Annotated[int, U32] = 0
    load_existing: Annotated[int, U32] = 0
    admin: Annotated[str | None, TEXT] = None
    masters: Annotated[DnsAddrArray | None, ADDRS] = None
    secondaries: Annotated[DnsAddrArray | None, ADDRS] = None
    secure_secondaries: Annotated[int, U32] = 0
    notify_level: Annotated[int, U32] = 0
    timeout: Annotated[int, U32] = 0
    recurse_after_forwarding: Annotated[int, U32] = 0
    dp_flags: Annotated[int, U32] = 0
    dp_fqdn: Annotated[str | None, TEXT] = None
    reserved_words: Annotated[tuple[int, ...], FixedArray(U32, 32)] = (0,) * 32


@structure
class ZoneExportInfo(Ndr):
    """DNS_RPC_ZONE_EXPORT_INFO, [MS-DNSP] 2.2.5.2.8."""

    rpc_structure_version: Annotated[int, U32] = 1
    reserved0: ClassVar = Const(U32)
    zone_export_file: Annotated[str | None, TEXT] = None


@structure
class EnumZonesFilter(Ndr):
    """DNS_RPC_ENUM_ZONES_FILTER, [MS-DNSP] 2.2.5.2.9."""

    rpc_structure_version: Annotated[int, U32] = 1
    reserved0: ClassVar = Const(U32)
    filter: Annotated[int, U32] = 0
    partition_fqdn: Annotated[str | None, TEXT] = None
    query_string: Annotated[str | None, TEXT] = None
    reserved_texts: Annotated[tuple[str | None, ...], FixedArray(TEXT, 6)] = (None,) * 6
