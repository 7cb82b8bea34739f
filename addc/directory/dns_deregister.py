"""Records of other DCs that this one ends or makes for them: of a DC that is gone, and of read-only ones.

Only what names that DC's own host is touched, wherever it stands.

Spec: [MS-NRPC] 3.5.4.3.10 (DsrDeregisterDnsHostRecords), 3.5.4.3.11 (DsrUpdateReadOnlyServerDnsRecords),
2.2.1.2.5 (NL_DNS_NAME_INFO); [MS-ADTS] 6.3.2.3.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Final
from uuid import UUID

from addc.base.errors import DsError
from addc.base.ids import Dnt
from addc.codec.dns_rdata import DnsRecord, DnsType, NameData, SrvData
from addc.codec.ids import guid_from_wire
from addc.codes.ntstatus import NtStatus
from addc.directory import dns_aging, dns_node, entry
from addc.directory.context import ReadContext, WriteContext
from addc.directory.dns_locator import Item, Places, data_of
from addc.directory.dns_node import Records
from addc.directory.dns_records import records_at, write_nodes
from addc.directory.locator_facts import all_site_names, dc_places, locator_facts
from addc.directory.locator_records import (
    LocatorFacts,
    LocatorRecord,
    Service,
    gc_site_services,
    nc_site_service,
    services,
    site_services,
)
from addc.schema import attr
from addc.security.token import SYSTEM

_NOBODY: Final = UUID(int=0)
_TTL_MAX: Final = 0x7FFF_FFFF


def deregister_host(
    ctx: WriteContext,
    host: str,
    domain: str | None = None,
    domain_guid: UUID | None = None,
    dsa_guid: UUID | None = None,
) -> int:
    """End the SRV records of a DC at every site, and those by its GUIDs where these are told; how many.

    Addresses stay. What cannot be ended is passed over. Spec: [MS-NRPC] 3.5.4.3.10.
    """
    facts = locator_facts(ctx, ())
    widest = replace(
        facts,
        dns_domain=(domain or facts.dns_domain).removesuffix("."),
        host_fqdn=host,
        domain_guid=domain_guid or _NOBODY,
        sites=all_site_names(ctx),
        gc_sites=None,
        nc_sites={},
        is_writable=True,
        is_gc=True,
        is_pdc=True,
    )
    places = Places(ctx)
    records = [LocatorRecord(one.name, "SRV", host) for one in services(widest)]
    if dsa_guid is not None:
        records.append(LocatorRecord(f"{dsa_guid}._msdcs.{facts.dns_forest}", "CNAME", host))
    return _end(ctx, places, map(places.item, records), host)


def _end(ctx: WriteContext, places: Places, items: Iterable[Item], host: str) -> int:
    """End what names the host at these places; how many records that were."""
    wanted: dict[str, dict[str, Records]] = {}
    ended = 0
    for item in items:
        if not item.zone:
            continue
        held = records_at(ctx, places.zones[item.zone], item.relative)
        kept = tuple(one for one in held if not _names(one, item.record.kind, host))
        if len(kept) != len(held) and item.relative not in wanted.setdefault(item.zone, {}):
            wanted[item.zone][item.relative] = kept
            ended += len(held) - len(kept)
    for zone, changed in wanted.items():
        write_nodes(ctx.as_requester(SYSTEM), places.zones[zone], changed)
    return ended


def _names(one: DnsRecord, kind: str, host: str) -> bool:
    """Whether a record of that kind names the host."""
    data = one.data
    if kind == "SRV":
        named = data.target if isinstance(data, SrvData) else None
    else:
        named = data.name if isinstance(data, NameData) and one.type == DnsType.CNAME else None
    return named is not None and named.rstrip(".").lower() == host.rstrip(".").lower()


# --- for read-only DCs ---


class NameType(IntEnum):
    """Type of NL_DNS_NAME_INFO: what a read-only DC may have registered."""

    LDAP_AT_SITE = 22
    GC_AT_SITE = 25
    DSA_CNAME = 28
    KDC_AT_SITE = 30
    DC_AT_SITE = 32
    RFC1510_KDC_AT_SITE = 34
    GENERIC_GC_AT_SITE = 36


class InfoType(IntEnum):
    """DnsDomainInfoType."""

    DOMAIN_NAME = 1
    DOMAIN_NAME_ALIAS = 2
    FOREST_NAME = 3
    FOREST_NAME_ALIAS = 4
    NDNC_DOMAIN_NAME = 5
    RECORD_NAME = 6


_MNEMONICS: Final = {
    NameType.LDAP_AT_SITE: "LdapAtSite",
    NameType.GC_AT_SITE: "GcAtSite",
    NameType.KDC_AT_SITE: "KdcAtSite",
    NameType.DC_AT_SITE: "DcAtSite",
    NameType.RFC1510_KDC_AT_SITE: "Rfc1510KdcAtSite",
    NameType.GENERIC_GC_AT_SITE: "GenericGcAtSite",
}


@dataclass(frozen=True, slots=True)
class Wish:
    """One record that a read-only DC asks for. register: else it is to end. info: DnsDomainInfo."""

    kind: int
    info: str
    info_type: int
    priority: int
    weight: int
    port: int
    register: bool


@dataclass(frozen=True, slots=True)
class Branch:
    """A read-only DC. site: where it is; dsa_guid: of its nTDSDSA object."""

    host: str
    site: str
    dsa_guid: UUID


def branch_of(ctx: ReadContext, account: Dnt) -> Branch | None:
    """The read-only DC of an account, by its DNS host name; None where there is no such DC."""
    row = ctx.tx.get(account)
    host = None if row is None else entry.text(row, attr.DNS_HOST_NAME)
    if not host:
        return None
    for place in dc_places(ctx):
        dsa = ctx.tx.get(place.dsa)
        server = None if dsa is None else ctx.tx.get(dsa.parent)
        site = ctx.tx.get(place.site)
        if dsa is None or server is None or site is None or place.is_writable:
            continue
        if (entry.text(server, attr.DNS_HOST_NAME) or "").lower() == host.lower():
            return Branch(host, site.rdn, guid_from_wire(dsa.guid))
    return None


def update_for_branch(
    ctx: WriteContext, branch: Branch, site: str, ttl_s: int, wishes: Iterable[Wish]
) -> list[NtStatus]:
    """Do what a read-only DC asks for, as far as it may; a status for each wish. Spec: 3.5.4.3.11."""
    facts, places = locator_facts(ctx, ()), Places(ctx)
    return [_wish(ctx, places, _Asked(branch, site, min(ttl_s, _TTL_MAX), facts), one) for one in wishes]


@dataclass(frozen=True, slots=True)
class _Asked:
    branch: Branch
    site: str
    ttl_s: int
    facts: LocatorFacts


def _wish(ctx: WriteContext, places: Places, asked: _Asked, wish: Wish) -> NtStatus:
    if wish.kind not in list(NameType) or wish.info_type not in list(InfoType):
        return NtStatus.STATUS_NOT_SUPPORTED
    record = _record(asked, wish)
    if record is None:
        return NtStatus.STATUS_ACCESS_DENIED
    item = places.item(record)
    if not item.zone:
        return NtStatus.STATUS_NOT_SUPPORTED
    if not wish.register:
        _end(ctx, places, [item], asked.branch.host)
        return NtStatus.STATUS_SUCCESS
    return _make(ctx, places, item)


def _record(asked: _Asked, wish: Wish) -> LocatorRecord | None:
    """The record that is meant; None for what this read-only DC has no business with."""
    branch, facts = asked.branch, asked.facts
    if wish.info_type == InfoType.RECORD_NAME:
        if wish.register or not wish.info:
            return None
        kind = "CNAME" if wish.kind == NameType.DSA_CNAME else "SRV"
        return LocatorRecord(wish.info.removesuffix("."), "CNAME" if kind == "CNAME" else "SRV", branch.host)
    if wish.kind == NameType.DSA_CNAME:
        name = f"{branch.dsa_guid}._msdcs.{facts.dns_forest}"
        return LocatorRecord(name, "CNAME", branch.host, asked.ttl_s)
    site = asked.site or branch.site
    if wish.register and site.casefold() != branch.site.casefold():
        return None
    service = _service(facts, wish, site)
    if service is None or max(wish.priority, wish.weight, wish.port) > 0xFFFF:
        return None
    return LocatorRecord(
        service.name,
        "SRV",
        branch.host,
        asked.ttl_s,
        priority=wish.priority,
        weight=wish.weight,
        port=wish.port or service.port,
    )


def _service(facts: LocatorFacts, wish: Wish, site: str) -> Service | None:
    """The name that is meant; None where the domain, forest or NC is none that is known here."""
    info = wish.info.removesuffix(".").lower()
    if wish.info_type == InfoType.NDNC_DOMAIN_NAME:
        nc = next((one for one in facts.app_ncs if one.lower() == info), None)
        return nc_site_service(nc, site) if nc and wish.kind == NameType.LDAP_AT_SITE else None
    own = {InfoType.DOMAIN_NAME: facts.dns_domain, InfoType.FOREST_NAME: facts.dns_forest}
    known = own.get(InfoType(wish.info_type))
    if known is None or (info and info != known.lower()):
        return None
    told = (*site_services(facts, site), *gc_site_services(facts, site))
    return next(one for one in told if one.mnemonic == _MNEMONICS[NameType(wish.kind)])


def _make(ctx: WriteContext, places: Places, item: Item) -> NtStatus:
    zone = places.zones[item.zone]
    held = records_at(ctx, zone, item.relative)
    kind, data = data_of(item.record)
    others = tuple(one for one in held if not _names(one, item.record.kind, item.record.data))
    if dns_node.conflicts(others, kind) or (kind == DnsType.CNAME and others):
        return NtStatus.STATUS_ACCESS_DENIED
    stamp = dns_aging.new_stamp(item.relative, held, ctx.now)
    record = DnsRecord(kind, data, item.record.ttl_s, timestamp_h=stamp)
    try:
        write_nodes(ctx.as_requester(SYSTEM), zone, {item.relative: dns_node.added(others, record)})
    except DsError:
        return NtStatus.STATUS_UNSUCCESSFUL
    return NtStatus.STATUS_SUCCESS
