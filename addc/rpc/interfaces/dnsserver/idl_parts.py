"""Forwarders, directory partitions and other parameters of server operations, as they are on the wire.

Spec: [MS-DNSP] 2.2.1.2, 2.2.3.2, 2.2.5.2.10, 2.2.7.2, 2.2.8.2, 2.2.16.2.
"""

from typing import Annotated, ClassVar

from addc.codec.ndr import ENUM16, U32, Conformant, Const, CountOf, FixedArray, Ndr, Range, Unique, structure
from addc.rpc.interfaces.dnsserver.idl_kinds import ADDRS, IP4, TEXT, WIDE, DnsAddrArray, Ip4Array


@structure
class ForwardersW2k(Ndr):
    """DNS_RPC_FORWARDERS_W2K, [MS-DNSP] 2.2.5.2.10.1."""

    recurse_after_forwarding: Annotated[int, U32] = 0
    forward_timeout: Annotated[int, U32] = 0
    forwarders: Annotated[Ip4Array | None, IP4] = None


@structure
class ForwardersDotnet(Ndr):
    """DNS_RPC_FORWARDERS_DOTNET, [MS-DNSP] 2.2.5.2.10.2."""

    rpc_structure_version: Annotated[int, U32] = 1
    reserved0: ClassVar = Const(U32)
    recurse_after_forwarding: Annotated[int, U32] = 0
    forward_timeout: Annotated[int, U32] = 0
    forwarders: Annotated[Ip4Array | None, IP4] = None


@structure
class ForwardersLonghorn(Ndr):
    """DNS_RPC_FORWARDERS_LONGHORN, [MS-DNSP] 2.2.5.2.10.3."""

    rpc_structure_version: Annotated[int, U32] = 1
    reserved0: ClassVar = Const(U32)
    recurse_after_forwarding: Annotated[int, U32] = 0
    forward_timeout: Annotated[int, U32] = 0
    forwarders: Annotated[DnsAddrArray | None, ADDRS] = None


@structure
class IpValidate(Ndr):
    """DNS_RPC_IP_VALIDATE, [MS-DNSP] 2.2.3.2.4."""

    rpc_structure_version: Annotated[int, U32] = 1
    reserved0: ClassVar = Const(U32)
    context: Annotated[int, U32] = 0
    reserved1: ClassVar = Const(U32)
    context_name: Annotated[str | None, TEXT] = None
    validate_addrs: Annotated[DnsAddrArray | None, ADDRS] = None


@structure
class Autoconfigure(Ndr):
    """DNS_RPC_AUTOCONFIGURE, [MS-DNSP] 2.2.8.2.1."""

    rpc_structure_version: Annotated[int, U32] = 1
    reserved0: ClassVar = Const(U32)
    auto_config_flags: Annotated[int, U32] = 0
    reserved1: ClassVar = Const(U32)
    new_domain_name: Annotated[str | None, TEXT] = None


@structure
class NameAndParam(Ndr):
    """DNS_RPC_NAME_AND_PARAM, [MS-DNSP] 2.2.1.2.5."""

    param: Annotated[int, U32] = 0
    node_name: Annotated[str | None, TEXT] = None


@structure
class RrlParams(Ndr):
    """DNS_RPC_RRL_PARAMS, [MS-DNSP] 2.2.16.2.1."""

    responses_per_second: Annotated[int, U32] = 0
    errors_per_second: Annotated[int, U32] = 0
    leak_rate: Annotated[int, U32] = 0
    tc_rate: Annotated[int, U32] = 0
    total_responses_in_window: Annotated[int, U32] = 0
    window_size: Annotated[int, U32] = 0
    ipv4_prefix_length: Annotated[int, U32] = 0
    ipv6_prefix_length: Annotated[int, U32] = 0
    mode: Annotated[int, ENUM16] = 0
    flags: Annotated[int, U32] = 0
    set_default: Annotated[int, U32] = 0


@structure
class DpReplica(Ndr):
    """DNS_RPC_DP_REPLICA, [MS-DNSP] 2.2.7.2.2."""

    replica_dn: Annotated[str | None, WIDE] = None


@structure
class DpInfo(Ndr):
    """DNS_RPC_DP_INFO, [MS-DNSP] 2.2.7.2.1."""

    rpc_structure_version: Annotated[int, U32] = 1
    reserved0: ClassVar = Const(U32)
    dp_fqdn: Annotated[str | None, TEXT] = None
    dp_dn: Annotated[str | None, WIDE] = None
    cr_dn: Annotated[str | None, WIDE] = None
    flags: Annotated[int, U32] = 0
    zone_count: Annotated[int, U32] = 0
    state: Annotated[int, U32] = 0
    reserved_words: Annotated[tuple[int, ...], FixedArray(U32, 3)] = (0,) * 3
    reserved_texts: Annotated[tuple[str | None, ...], FixedArray(WIDE, 3)] = (None,) * 3
    replica_count: ClassVar = CountOf("replicas", Range(0, 10_000))
    replicas: Annotated[tuple[DpReplica | None, ...], Conformant(Unique(DpReplica), 10_000)] = ()


@structure
class DpEnum(Ndr):
    """DNS_RPC_DP_ENUM, [MS-DNSP] 2.2.7.2.3."""

    rpc_structure_version: Annotated[int, U32] = 1
    reserved0: ClassVar = Const(U32)
    dp_fqdn: Annotated[str | None, TEXT] = None
    flags: Annotated[int, U32] = 0
    zone_count: Annotated[int, U32] = 0


@structure
class DpList(Ndr):
    """DNS_RPC_DP_LIST, [MS-DNSP] 2.2.7.2.4."""

    rpc_structure_version: Annotated[int, U32] = 1
    reserved0: ClassVar = Const(U32)
    dp_count: ClassVar = CountOf("partitions", Range(0, 5000))
    partitions: Annotated[tuple[DpEnum | None, ...], Conformant(Unique(DpEnum), 5000)] = ()


@structure
class EnlistDp(Ndr):
    """DNS_RPC_ENLIST_DP, [MS-DNSP] 2.2.7.2.5."""

    rpc_structure_version: Annotated[int, U32] = 1
    reserved0: ClassVar = Const(U32)
    dp_fqdn: Annotated[str | None, TEXT] = None
    operation: Annotated[int, U32] = 0


@structure
class ZoneChangeDp(Ndr):
    """DNS_RPC_ZONE_CHANGE_DP, [MS-DNSP] 2.2.7.2.6."""

    rpc_structure_version: Annotated[int, U32] = 1
    reserved0: ClassVar = Const(U32)
    dest_partition: Annotated[str | None, TEXT] = None
