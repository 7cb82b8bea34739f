"""The records by which clients and other domain controllers find this one.

Spec: [MS-ADTS] 6.3.2.3, 6.3.2.4, 6.3.1.10
"""

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import Final, Literal
from uuid import UUID

RecordType = Literal["SRV", "CNAME", "A", "AAAA"]
Address = IPv4Address | IPv6Address

TTL_S: Final = 600
PRIORITY: Final = 0
WEIGHT: Final = 100

_LDAP: Final = 389
_GC: Final = 3268
_KERBEROS: Final = 88
_KPASSWD: Final = 464


@dataclass(frozen=True, slots=True)
class LocatorFacts:
    """What a domain controller's records are made from.

    sites: the sites it covers, its own first. app_ncs: DNS names of the application NCs it hosts.
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


def locator_records(facts: LocatorFacts) -> tuple[LocatorRecord, ...]:
    """Every record that this domain controller registers, in a stable order and without repeats.

    A read-only one registers its site names only ([MS-ADTS] 6.3.2.3).
    """
    found = [_srv(name, port, facts) for name, port in _srv_names(facts)]
    found.append(LocatorRecord(f"{facts.dsa_guid}._msdcs.{facts.dns_forest}", "CNAME", facts.host_fqdn))
    for name in _address_names(facts):
        found += [LocatorRecord(name, _kind(address), str(address)) for address in facts.addresses]
    return tuple(dict.fromkeys(found))


def _srv(name: str, port: int, facts: LocatorFacts) -> LocatorRecord:
    return LocatorRecord(name, "SRV", facts.host_fqdn, priority=PRIORITY, weight=WEIGHT, port=port)


def _kind(address: Address) -> RecordType:
    return "A" if address.version == 4 else "AAAA"


def _srv_names(facts: LocatorFacts) -> list[tuple[str, int]]:
    domain, forest = facts.dns_domain, facts.dns_forest
    names: list[tuple[str, int]] = []
    if facts.is_writable:
        names += [
            (f"_ldap._tcp.{domain}", _LDAP),
            (f"_ldap._tcp.dc._msdcs.{domain}", _LDAP),
            (f"_ldap._tcp.{facts.domain_guid}.domains._msdcs.{forest}", _LDAP),
            (f"_kerberos._tcp.{domain}", _KERBEROS),
            (f"_kerberos._udp.{domain}", _KERBEROS),
            (f"_kerberos._tcp.dc._msdcs.{domain}", _KERBEROS),
            (f"_kpasswd._tcp.{domain}", _KPASSWD),
            (f"_kpasswd._udp.{domain}", _KPASSWD),
        ]
        names += [(f"_ldap._tcp.{nc}", _LDAP) for nc in facts.app_ncs]
        if facts.is_gc:
            names += [(f"_ldap._tcp.gc._msdcs.{forest}", _GC), (f"_gc._tcp.{forest}", _GC)]
        if facts.is_pdc:
            names.append((f"_ldap._tcp.pdc._msdcs.{domain}", _LDAP))
    for site in facts.sites:
        names += [
            (f"_ldap._tcp.{site}._sites.{domain}", _LDAP),
            (f"_ldap._tcp.{site}._sites.dc._msdcs.{domain}", _LDAP),
            (f"_kerberos._tcp.{site}._sites.{domain}", _KERBEROS),
            (f"_kerberos._tcp.{site}._sites.dc._msdcs.{domain}", _KERBEROS),
        ]
        if facts.is_gc:
            names += [
                (f"_ldap._tcp.{site}._sites.gc._msdcs.{forest}", _GC),
                (f"_gc._tcp.{site}._sites.{forest}", _GC),
            ]
        names += [(f"_ldap._tcp.{site}._sites.{nc}", _LDAP) for nc in facts.app_ncs]
    return names


def _address_names(facts: LocatorFacts) -> list[str]:
    """Names that answer with the domain controller's own addresses; its host name among them."""
    names = [facts.host_fqdn]
    if facts.is_writable:
        names += [facts.dns_domain, *facts.app_ncs]
        if facts.is_gc:
            names.append(f"gc._msdcs.{facts.dns_forest}")
    return names
