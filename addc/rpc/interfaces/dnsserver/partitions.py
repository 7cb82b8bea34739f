"""Directory partitions of DNS: the domain's, the forest's, and the domain itself as Windows 2000 had it.

Spec: [MS-DNSP] 2.2.7, 3.1.4.3 (EnumDirectoryPartitions, DirectoryPartitionInfo).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from addc.base.errors import DsError
from addc.codes.win32 import Win32
from addc.directory import cross_refs, dns_zones, names
from addc.directory.context import ReadContext
from addc.directory.dns_zones import Replication
from addc.rpc.interfaces.dnsserver.idl_parts import DpEnum, DpInfo, DpList, DpReplica

AUTOCREATED: Final = 0x1
LEGACY: Final = 0x2
DOMAIN_DEFAULT: Final = 0x4
FOREST_DEFAULT: Final = 0x8
ENLISTED: Final = 0x10
FLAGS: Final = {
    Replication.DOMAIN: AUTOCREATED | DOMAIN_DEFAULT | ENLISTED,
    Replication.FOREST: AUTOCREATED | FOREST_DEFAULT | ENLISTED,
    Replication.LEGACY: LEGACY | ENLISTED,
}
"""DNS_RPC_DP_FLAGS, [MS-DNSP] 2.2.7.1.1."""


@dataclass(frozen=True, slots=True)
class Partition:
    """A partition that this DC holds. fqdn: its name in DNS. dn: of its root."""

    replication: Replication
    fqdn: str
    dn: str
    nc: int


def fqdn_of(ctx: ReadContext, replication: Replication) -> str:
    """The DNS name of a partition."""
    forest = ctx.forest
    if replication is Replication.DOMAIN:
        return f"DomainDnsZones.{forest.dns_domain}"
    if replication is Replication.FOREST:
        return f"ForestDnsZones.{forest.dns_forest}"
    return forest.dns_domain


def partitions(ctx: ReadContext) -> Iterator[Partition]:
    """Those that this DC holds."""
    forest = ctx.forest
    held = {
        Replication.DOMAIN: (forest.domain_dns_dn, forest.domain_dns_nc),
        Replication.FOREST: (forest.forest_dns_dn, forest.forest_dns_nc),
        Replication.LEGACY: (forest.domain_dn, forest.domain_nc),
    }
    for replication, (dn, nc) in held.items():
        if nc:
            yield Partition(replication, fqdn_of(ctx, replication), dn, nc)


def named(ctx: ReadContext, name: str) -> Replication:
    """The partition of a DNS name or a DN. Raises DsError(DNS_ERROR_DP_DOES_NOT_EXIST)."""
    wanted = name.lower().removesuffix(".")
    for one in partitions(ctx):
        if wanted in (one.fqdn.lower(), one.dn.lower()):
            return one.replication
    raise DsError(Win32.DNS_ERROR_DP_DOES_NOT_EXIST, f"no partition {name} here")


def chosen(ctx: ReadContext, flags: int, fqdn: str | None) -> Replication:
    """The partition for a new zone: one of the built-in ones by flag, or one by name; else the domain.

    Spec: [MS-DNSP] 3.1.4.1 (ZoneCreate).
    """
    for replication, flag in (
        (Replication.FOREST, FOREST_DEFAULT),
        (Replication.DOMAIN, DOMAIN_DEFAULT),
        (Replication.LEGACY, LEGACY),
    ):
        if flags & flag:
            return replication
    return named(ctx, fqdn) if fqdn else Replication.LEGACY


def listed(ctx: ReadContext, *, custom_only: bool) -> DpList:
    """Every partition; none that is not built in, which this server does not have."""
    told = []
    for one in partitions(ctx):
        if not custom_only:
            told.append(DpEnum(0, one.fqdn, FLAGS[one.replication], _zone_count(ctx, one.replication)))
    return DpList(0, tuple(told))


def info(ctx: ReadContext, name: str) -> DpInfo:
    """All about one partition. Raises DsError(DNS_ERROR_DP_DOES_NOT_EXIST)."""
    replication = named(ctx, name)
    one = next(found for found in partitions(ctx) if found.replication is replication)
    cross_ref = cross_refs.of_nc(ctx, names.resolve(ctx, one.dn).dnt)
    locations = ctx.schema.attribute("msDS-NC-Replica-Locations")
    replicas: tuple[DpReplica, ...] = ()
    cross_ref_dn = None
    if cross_ref is not None and locations is not None and locations.link_id is not None:
        cross_ref_dn = names.dn_of_row(ctx, cross_ref)
        replicas = tuple(
            DpReplica(names.dn_of(ctx, target))
            for target in ctx.tx.link_targets(locations.link_id // 2, cross_ref.dnt)
        )
    return DpInfo(
        0,
        one.fqdn,
        one.dn,
        cross_ref_dn,
        FLAGS[replication],
        _zone_count(ctx, replication),
        replicas=replicas,
    )


def _zone_count(ctx: ReadContext, replication: Replication) -> int:
    return sum(one.replication is replication for one in dns_zones.all_zones(ctx))
