"""The records by which clients and other domain controllers find a DC.

Spec: [MS-ADTS] 6.3.2.3, 6.3.2.4, 6.3.1.10
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address
from typing import Final, Literal, NamedTuple
from uuid import UUID

RecordType = Literal["SRV", "CNAME", "A", "AAAA", "NS"]
Address = IPv4Address | IPv6Address

TTL_S: Final = 600
PRIORITY: Final = 0
WEIGHT: Final = 100

_LDAP: Final = 389
_GC: Final = 3268
_KERBEROS: Final = 88
_KPASSWD: Final = 464

MNEMONICS: Final = frozenset(
    (
        "LdapIpAddress", "Ldap", "LdapAtSite", "Pdc", "Gc", "GcAtSite", "DcByGuid", "GcIpAddress", "DsaCname",
        "Kdc", "KdcAtSite", "Dc", "DcAtSite", "Rfc1510Kdc", "Rfc1510KdcAtSite", "GenericGc",
        "GenericGcAtSite", "Rfc1510UdpKdc", "Rfc1510Kpwd", "Rfc1510UdpKpwd",
    )
)  # fmt: skip
"""Names by which records are left out (AvoidDNSRecordsList); those without one are always registered."""


@dataclass(frozen=True, slots=True)
class LocatorSettings:
    """What an operator decides of a DC's records. avoid: mnemonics of those that it does not register."""

    ttl_s: int = TTL_S
    priority: int = PRIORITY
    weight: int = WEIGHT
    avoid: frozenset[str] = frozenset()


DEFAULTS: Final = LocatorSettings()


@dataclass(frozen=True, slots=True)
class LocatorFacts:
    """What a domain controller's records are made from.

    sites: those whose names it registers as a DC, its own first. gc_sites: as a GC; None for the same.
    app_ncs: DNS names of the application NCs it hosts. nc_sites: as a host of one, where others than `sites`.
    addresses: what clients can reach it by.
    """

    dns_domain: str
    dns_forest: str
    host_fqdn: str
    domain_guid: UUID
    dsa_guid: UUID
    sites: tuple[str, ...]
    addresses: tuple[Address, ...]
    app_ncs: tuple[str, ...] = ()
    is_writable: bool = True
    is_gc: bool = True
    is_pdc: bool = True
    gc_sites: tuple[str, ...] | None = None
    nc_sites: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LocatorRecord:
    """One record: `name` is absolute without its last dot; `data` is the target's name or an address.

    priority, weight, port: of SRV records, else 0.
    """

    name: str
    kind: RecordType
    data: str
    ttl_s: int = TTL_S
    priority: int = 0
    weight: int = 0
    port: int = 0


class Service(NamedTuple):
    """A name that an SRV record stands at. mnemonic: "" for those of application NCs."""

    mnemonic: str
    name: str
    port: int


def locator_records(facts: LocatorFacts, settings: LocatorSettings = DEFAULTS) -> tuple[LocatorRecord, ...]:
    """Every record that this domain controller registers, in a stable order and without repeats.

    A read-only one registers its own site's names only ([MS-ADTS] 6.3.2.3).
    """
    found = [
        LocatorRecord(
            one.name,
            "SRV",
            facts.host_fqdn,
            settings.ttl_s,
            priority=settings.priority,
            weight=settings.weight,
            port=one.port,
        )
        for one in services(facts)
        if one.mnemonic not in settings.avoid
    ]
    if "DsaCname" not in settings.avoid:
        found.append(LocatorRecord(dsa_name(facts), "CNAME", facts.host_fqdn, settings.ttl_s))
    for mnemonic, name in _address_names(facts):
        if mnemonic not in settings.avoid:
            found += [
                LocatorRecord(name, _kind(address), str(address), settings.ttl_s)
                for address in facts.addresses
            ]
    return tuple(dict.fromkeys(found))


def dsa_name(facts: LocatorFacts) -> str:
    """The DC's GUID-based DNS name. Spec: 6.3.2.4."""
    return f"{facts.dsa_guid}._msdcs.{facts.dns_forest}"


def _kind(address: Address) -> RecordType:
    return "A" if address.version == 4 else "AAAA"


def services(facts: LocatorFacts) -> Iterator[Service]:
    """Every name that it has SRV records at. Spec: 6.3.2.3."""
    if facts.is_writable:
        yield from _everywhere(facts)
    gc_sites = facts.sites if facts.gc_sites is None else facts.gc_sites
    for site in _own(facts, facts.sites):
        yield from site_services(facts, site)
    if facts.is_gc:
        for site in _own(facts, gc_sites):
            yield from gc_site_services(facts, site)
    for nc in facts.app_ncs:
        for site in _own(facts, facts.nc_sites.get(nc, facts.sites)):
            yield nc_site_service(nc, site)


def _own(facts: LocatorFacts, sites: tuple[str, ...]) -> tuple[str, ...]:
    """A read-only DC speaks for no other site."""
    return sites if facts.is_writable else sites[:1]


def _everywhere(facts: LocatorFacts) -> Iterator[Service]:
    domain, forest = facts.dns_domain, facts.dns_forest
    yield Service("Ldap", f"_ldap._tcp.{domain}", _LDAP)
    yield Service("Dc", f"_ldap._tcp.dc._msdcs.{domain}", _LDAP)
    yield Service("DcByGuid", f"_ldap._tcp.{facts.domain_guid}.domains._msdcs.{forest}", _LDAP)
    yield Service("Rfc1510Kdc", f"_kerberos._tcp.{domain}", _KERBEROS)
    yield Service("Rfc1510UdpKdc", f"_kerberos._udp.{domain}", _KERBEROS)
    yield Service("Kdc", f"_kerberos._tcp.dc._msdcs.{domain}", _KERBEROS)
    yield Service("Rfc1510Kpwd", f"_kpasswd._tcp.{domain}", _KPASSWD)
    yield Service("Rfc1510UdpKpwd", f"_kpasswd._udp.{domain}", _KPASSWD)
    for nc in facts.app_ncs:
        yield Service("", f"_ldap._tcp.{nc}", _LDAP)
    if facts.is_gc:
        yield Service("Gc", f"_ldap._tcp.gc._msdcs.{forest}", _GC)
        yield Service("GenericGc", f"_gc._tcp.{forest}", _GC)
    if facts.is_pdc:
        yield Service("Pdc", f"_ldap._tcp.pdc._msdcs.{domain}", _LDAP)


def site_services(facts: LocatorFacts, site: str) -> Iterator[Service]:
    """The names of a DC at a site."""
    domain = facts.dns_domain
    yield Service("LdapAtSite", f"_ldap._tcp.{site}._sites.{domain}", _LDAP)
    yield Service("DcAtSite", f"_ldap._tcp.{site}._sites.dc._msdcs.{domain}", _LDAP)
    yield Service("Rfc1510KdcAtSite", f"_kerberos._tcp.{site}._sites.{domain}", _KERBEROS)
    yield Service("KdcAtSite", f"_kerberos._tcp.{site}._sites.dc._msdcs.{domain}", _KERBEROS)


def gc_site_services(facts: LocatorFacts, site: str) -> Iterator[Service]:
    """The names of a GC at a site."""
    forest = facts.dns_forest
    yield Service("GcAtSite", f"_ldap._tcp.{site}._sites.gc._msdcs.{forest}", _GC)
    yield Service("GenericGcAtSite", f"_gc._tcp.{site}._sites.{forest}", _GC)


def nc_site_service(nc: str, site: str) -> Service:
    """The name of an application NC's host at a site."""
    return Service("", f"_ldap._tcp.{site}._sites.{nc}", _LDAP)


def _address_names(facts: LocatorFacts) -> Iterator[tuple[str, str]]:
    """Names that answer with the domain controller's own addresses; its host name among them."""
    yield "", facts.host_fqdn
    if facts.is_writable:
        yield "LdapIpAddress", facts.dns_domain
        for nc in facts.app_ncs:
            yield "", nc
        if facts.is_gc:
            yield "GcIpAddress", f"gc._msdcs.{facts.dns_forest}"
