"""The zones that the directory holds: where they are, what kind they are, how they are made and ended.

A zone is a dnsZone below CN=MicrosoftDNS of a DNS partition, or of CN=System, as Windows 2000 kept them.
Whoever reads here sees by the requester's rights only where the caller asks for it: the DNS server itself
reads as SYSTEM. What changes a zone is decided by the zone's and its container's descriptors.

Spec: [MS-DNSP] 2.3.1 (objects), 2.3.2.1 (dNSProperty), 3.1.1 (DNS Zone Table), 3.1.4.1 (ZoneCreate).
"""

import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import lru_cache
from typing import Final

from addc.base.clock import TICKS_PER_S, FileTime
from addc.base.enums import OpenIntEnum
from addc.base.errors import DecodeError, DsError
from addc.base.ids import Dnt
from addc.codec.dn import Dn
from addc.codec.dns_names import name_text
from addc.codec.dns_rdata import (
    DnsProperty,
    DnsPropertyId,
    DnsRecord,
    DnsType,
    NameData,
    SoaData,
    pack_addr_array,
    pack_ip4_array,
    split_name,
    unpack_addr_array,
    unpack_ip4_array,
)
from addc.codes.win32 import Win32
from addc.directory import names
from addc.directory.add import add_object
from addc.directory.changes import Change, ModOp
from addc.directory.context import ReadContext, WriteContext
from addc.directory.controls import RequestOptions
from addc.directory.delete import delete_part
from addc.directory.modify import modify_row
from addc.schema import attr, cls
from addc.store.objects import ObjectRow, ObjectState

_P = DnsPropertyId
_WEEK_H: Final = 168
_KNOWN_PROPERTIES: Final = 512
"""Zones whose properties are not read anew."""
_SOA_TTL_S: Final = 3600
_TREE: Final = RequestOptions(tree_delete=True)
ROOT_HINTS: Final = "RootDNSServers"
TRUST_ANCHORS: Final = "..TrustAnchors"
_NOT_LISTED: Final = frozenset((ROOT_HINTS.lower(), TRUST_ANCHORS.lower(), "..cache"))
_DELETED: Final = "..deleted-"
"""What Windows puts before the name of a zone whose nodes it is still removing."""


class ZoneType(OpenIntEnum):
    """DNS_ZONE_TYPE, [MS-DNSP] 2.2.5.1.1."""

    CACHE = 0
    PRIMARY = 1
    SECONDARY = 2
    STUB = 3
    FORWARDER = 4
    SECONDARY_CACHE = 5


class ZoneUpdate(OpenIntEnum):
    """DNS_ZONE_UPDATE, [MS-DNSP] 2.2.6.1.1."""

    OFF = 0
    UNSECURE = 1
    SECURE = 2


class Replication(Enum):
    """Where a zone is, and so which DCs have it."""

    DOMAIN = "domain"
    FOREST = "forest"
    LEGACY = "legacy"


@dataclass(frozen=True, slots=True)
class ZoneProperties:
    """What dNSProperty says of a zone.

    no_refresh_h, refresh_h: the intervals of ageing. scavenge_from_h: no record ends before this hour since
    1601. scavengers, masters: addresses of 4 or 16 octets. secure_since_s: seconds since 1601.
    others: properties that are kept as they are.
    """

    type: ZoneType = ZoneType.PRIMARY
    allow_update: ZoneUpdate = ZoneUpdate.SECURE
    aging: bool = False
    no_refresh_h: int = _WEEK_H
    refresh_h: int = _WEEK_H
    scavenge_from_h: int = 0
    scavengers: tuple[bytes, ...] = ()
    masters: tuple[bytes, ...] = ()
    secure_since_s: int = 0
    others: tuple[DnsProperty, ...] = ()

    def pack(self) -> tuple[bytes, ...]:
        """The values of dNSProperty."""
        told = [
            DnsProperty.of_int(_P.DSPROPERTY_ZONE_TYPE, self.type),
            DnsProperty.of_int(_P.DSPROPERTY_ZONE_ALLOW_UPDATE, self.allow_update),
            DnsProperty.of_int(_P.DSPROPERTY_ZONE_SECURE_TIME, self.secure_since_s),
            DnsProperty.of_int(_P.DSPROPERTY_ZONE_NOREFRESH_INTERVAL, self.no_refresh_h),
            DnsProperty.of_int(_P.DSPROPERTY_ZONE_REFRESH_INTERVAL, self.refresh_h),
            DnsProperty.of_int(_P.DSPROPERTY_ZONE_AGING_STATE, self.aging),
            DnsProperty.of_int(_P.DSPROPERTY_ZONE_AGING_ENABLED_TIME, self.scavenge_from_h),
            *_addresses(
                _P.DSPROPERTY_ZONE_SCAVENGING_SERVERS,
                _P.DSPROPERTY_ZONE_SCAVENGING_SERVERS_DA,
                self.scavengers,
            ),
            *_addresses(
                _P.DSPROPERTY_ZONE_MASTER_SERVERS, _P.DSPROPERTY_ZONE_MASTER_SERVERS_DA, self.masters
            ),
            *self.others,
        ]
        return tuple(one.pack() for one in told)

    @classmethod
    def unpack(cls, values: Iterable[bytes]) -> "ZoneProperties":
        """What the values say; one that cannot be read leaves its default ([MS-DNSP] 2.3.2.1.1)."""
        found = cls(allow_update=ZoneUpdate.OFF)
        others = []
        for value in values:
            try:
                one = DnsProperty.unpack(value)
                changed = _property(found, one)
            except (DecodeError, struct.error):
                continue
            if changed is None:
                others.append(one)
            elif one.data:  # an empty one stands for the default, and takes nothing back that another says
                found = changed
        return replace(found, others=tuple(others))


def taking(held: ZoneProperties, updates: ZoneUpdate, now: FileTime) -> ZoneProperties:
    """A zone that takes such updates from now on: names from before it was secure can be told by the time.

    Spec: [MS-DNSP] 3.1.1 (Time Zone Secured)
    """
    secured = updates == ZoneUpdate.SECURE != held.allow_update
    since_s = now // TICKS_PER_S if secured else held.secure_since_s
    return replace(held, allow_update=updates, secure_since_s=since_s)


def _addresses(four: DnsPropertyId, both: DnsPropertyId, listed: tuple[bytes, ...]) -> list[DnsProperty]:
    """The two properties that hold a list of addresses; none for an empty list."""
    if not listed:
        return []
    old = tuple(one for one in listed if len(one) == 4)
    return [DnsProperty(four, pack_ip4_array(old)), DnsProperty(both, pack_addr_array(listed))]


def _property(held: ZoneProperties, one: DnsProperty) -> ZoneProperties | None:
    """The properties with one more of them; None for one that is only kept."""
    match one.id:
        case _P.DSPROPERTY_ZONE_TYPE:
            return replace(held, type=ZoneType(one.number(ZoneType.PRIMARY)))
        case _P.DSPROPERTY_ZONE_ALLOW_UPDATE:
            return replace(held, allow_update=ZoneUpdate(one.number(0)))
        case _P.DSPROPERTY_ZONE_SECURE_TIME:
            return replace(held, secure_since_s=one.number(0))
        case _P.DSPROPERTY_ZONE_NOREFRESH_INTERVAL:
            return replace(held, no_refresh_h=one.number(_WEEK_H))
        case _P.DSPROPERTY_ZONE_REFRESH_INTERVAL:
            return replace(held, refresh_h=one.number(_WEEK_H))
        case _P.DSPROPERTY_ZONE_AGING_STATE:
            return replace(held, aging=bool(one.number(0)))
        case _P.DSPROPERTY_ZONE_AGING_ENABLED_TIME:
            return replace(held, scavenge_from_h=one.number(0))
        case _P.DSPROPERTY_ZONE_SCAVENGING_SERVERS_DA:
            return replace(held, scavengers=unpack_addr_array(one.data) if one.data else ())
        case _P.DSPROPERTY_ZONE_SCAVENGING_SERVERS:
            return held if held.scavengers else replace(held, scavengers=_fours(one.data))
        case _P.DSPROPERTY_ZONE_MASTER_SERVERS_DA:
            return replace(held, masters=unpack_addr_array(one.data) if one.data else ())
        case _P.DSPROPERTY_ZONE_MASTER_SERVERS:
            return held if held.masters else replace(held, masters=_fours(one.data))
    return None


def _fours(data: bytes) -> tuple[bytes, ...]:
    return unpack_ip4_array(data) if data else ()


@dataclass(frozen=True, slots=True)
class ZoneFacts:
    """One zone. name: lower case, without its last dot. apex: the same as labels."""

    row: ObjectRow
    name: str
    apex: tuple[bytes, ...]
    replication: Replication
    properties: ZoneProperties = field(compare=False)

    def dn(self, ctx: ReadContext) -> str:
        return names.dn_of_row(ctx, self.row)

    def node_dn(self, ctx: ReadContext, relative: str) -> str:
        """The DN of the node of a name, "@" for the apex."""
        return str(Dn.parse(self.dn(ctx)).child("DC", relative))

    def relative(self, name: tuple[bytes, ...]) -> str | None:
        """The RDN of a name's node; None for a name outside, or that no node can have."""
        size = len(name) - len(self.apex)
        if size < 0 or tuple(part.lower() for part in name[size:]) != self.apex:
            return None
        if size == 0:
            return "@"
        if name[:size] == (b"@",) or any(b"." in label for label in name[:size]):
            return None  # "@" is the RDN of the zone's own name
        try:
            return b".".join(name[:size]).decode("utf-8")
        except UnicodeDecodeError:
            return None


def containers(ctx: ReadContext) -> Iterator[tuple[Replication, Dnt]]:
    """CN=MicrosoftDNS of every place where this DC can hold zones, in the order in which they count."""
    for replication in Replication:
        try:
            yield replication, names.resolve(ctx, container_dn(ctx, replication)).dnt
        except DsError:
            continue


def container_dn(ctx: ReadContext, replication: Replication) -> str:
    """Where zones of a scope lie. Raises DsError where this DC does not hold that partition."""
    forest = ctx.forest
    base = {
        Replication.DOMAIN: forest.domain_dns_dn,
        Replication.FOREST: forest.forest_dns_dn,
        Replication.LEGACY: f"CN=System,{forest.domain_dn}",
    }[replication]
    if not base:
        raise DsError(Win32.DNS_ERROR_DP_DOES_NOT_EXIST, f"no {replication.value}-wide partition of DNS here")
    return f"CN=MicrosoftDNS,{base}"


def facts_of(row: ObjectRow, replication: Replication) -> ZoneFacts:
    """A zone by its row."""
    name = row.rdn.lower()
    apex = () if name == "." else tuple(part.lower() for part in split_name(name))
    return ZoneFacts(row, name, apex, replication, _properties(tuple(row.attrs.get(attr.DNS_PROPERTY, ()))))


@lru_cache(maxsize=_KNOWN_PROPERTIES)
def _properties(values: tuple[bytes, ...]) -> ZoneProperties:
    """Every update looks at its zone twice; what its properties say changes once a year."""
    return ZoneProperties.unpack(values)


def all_zones(ctx: ReadContext) -> tuple[ZoneFacts, ...]:
    """Every zone by name; of two of one name the first counts. Root hints and trust anchors are none."""
    found: dict[str, ZoneFacts] = {}
    for replication, container in containers(ctx):
        for row in names.children(ctx, container):
            if row.class_id == cls.DNS_ZONE and row.state is ObjectState.LIVE and _is_listed(row.rdn):
                one = facts_of(row, replication)
                found.setdefault(one.name, one)
    return tuple(found[name] for name in sorted(found))


def _is_listed(rdn: str) -> bool:
    return rdn.lower() not in _NOT_LISTED and not rdn.lower().startswith(_DELETED)


def zone_named(ctx: ReadContext, name: str) -> ZoneFacts | None:
    """A zone, by name with or without its last dot; also root hints and trust anchors by theirs."""
    wanted = name if name == "." else name.removesuffix(".")
    if not wanted or wanted.lower().startswith(_DELETED):
        return None
    for replication, container in containers(ctx):
        row = names.child_named(ctx, container, attr.DC, wanted)
        if row is not None and row.class_id == cls.DNS_ZONE:
            return facts_of(row, replication)
    return None


def zone_covering(ctx: ReadContext, name: tuple[bytes, ...]) -> ZoneFacts | None:
    """The zone with the longest apex that ends a name, whatever its type; None for a name in none."""
    for skip in range(len(name) + 1):
        zone = zone_named(ctx, name_text(name[skip:]))
        if zone is not None and _is_listed(zone.name):
            return zone
    return None


def create_zone(
    ctx: WriteContext,
    name: str,
    properties: ZoneProperties,
    replication: Replication = Replication.DOMAIN,
    nodes: Mapping[str, Sequence[DnsRecord]] | None = None,
) -> ZoneFacts:
    """A new zone, by the requester's rights on the container. nodes: what it holds, "@" included.

    A primary zone without them gets its SOA and NS records, which name this DC. Raises DsError.
    """
    if zone_named(ctx, name) is not None:
        raise DsError(Win32.DNS_ERROR_ZONE_ALREADY_EXISTS, f"there is a zone {name}")
    dn = str(Dn.parse(container_dn(ctx, replication)).child("DC", name.removesuffix(".") or "."))
    values = [("objectClass", [b"dnsZone"]), ("dNSProperty", list(properties.pack()))]
    dnt = add_object(ctx, dn, values)
    row = ctx.tx.get(dnt)
    assert row is not None
    if nodes is None:
        nodes = {"@": own_records(ctx)} if properties.type == ZoneType.PRIMARY else {}
    zone = facts_of(row, replication)
    for relative, records in nodes.items():
        packed = [one.pack() for one in records]
        add_object(ctx, zone.node_dn(ctx, relative), [("objectClass", [b"dnsNode"]), ("dnsRecord", packed)])
    return zone


def own_records(ctx: ReadContext) -> tuple[DnsRecord, DnsRecord]:
    """The SOA and NS records of a new zone whose primary this DC is."""
    return first_records(ctx.forest.host_fqdn, ctx.forest.dns_domain)


def first_records(host: str, dns_domain: str) -> tuple[DnsRecord, DnsRecord]:
    """The SOA and NS records of a new zone whose primary is a DC of that name and domain."""
    soa = SoaData(host, f"hostmaster.{dns_domain}", 1, 900, 600, 86_400, 3600)
    return DnsRecord(DnsType.SOA, soa, _SOA_TTL_S), DnsRecord(DnsType.NS, NameData(host), _SOA_TTL_S)


def delete_zone(ctx: WriteContext, zone: ZoneFacts, limit: int = 5000) -> bool:
    """End a zone and at most `limit` of its nodes, by the requester's right to; whether nothing is left.

    The caller commits and goes on until nothing is.
    """
    return delete_part(ctx, zone.dn(ctx), _TREE, limit).finished


def set_properties(ctx: WriteContext, zone: ZoneFacts, properties: ZoneProperties) -> None:
    """Change what a zone is, by the requester's right to."""
    modify_row(ctx, zone.row, [Change(ModOp.REPLACE, "dNSProperty", properties.pack())])
