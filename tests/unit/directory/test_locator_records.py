"""The record set of a domain controller against the list of [MS-ADTS] 6.3.2.3 and 6.3.2.4."""

from dataclasses import replace
from ipaddress import ip_address
from uuid import UUID

from addc.directory.locator_records import LocatorFacts, locator_records

FACTS = LocatorFacts(
    dns_domain="corp.example.com",
    dns_forest="corp.example.com",
    host_fqdn="dc1.corp.example.com",
    domain_guid=UUID("11111111-2222-3333-4444-555555555555"),
    dsa_guid=UUID("aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"),
    sites=("Home",),
    addresses=(ip_address("192.0.2.10"), ip_address("2001:db8::10")),
    app_ncs=("DomainDnsZones.corp.example.com",),
)

SRV_NAMES = """
_ldap._tcp.corp.example.com 389
_ldap._tcp.dc._msdcs.corp.example.com 389
_ldap._tcp.11111111-2222-3333-4444-555555555555.domains._msdcs.corp.example.com 389
_kerberos._tcp.corp.example.com 88
_kerberos._udp.corp.example.com 88
_kerberos._tcp.dc._msdcs.corp.example.com 88
_kpasswd._tcp.corp.example.com 464
_kpasswd._udp.corp.example.com 464
_ldap._tcp.gc._msdcs.corp.example.com 3268
_gc._tcp.corp.example.com 3268
_ldap._tcp.pdc._msdcs.corp.example.com 389
_ldap._tcp.DomainDnsZones.corp.example.com 389
_ldap._tcp.Home._sites.corp.example.com 389
_ldap._tcp.Home._sites.dc._msdcs.corp.example.com 389
_kerberos._tcp.Home._sites.corp.example.com 88
_kerberos._tcp.Home._sites.dc._msdcs.corp.example.com 88
_ldap._tcp.Home._sites.gc._msdcs.corp.example.com 3268
_gc._tcp.Home._sites.corp.example.com 3268
_ldap._tcp.Home._sites.DomainDnsZones.corp.example.com 389
"""


def test_a_writable_pdc_and_gc_registers_every_name_once() -> None:
    records = locator_records(FACTS)
    srv = {f"{r.name} {r.port}" for r in records if r.kind == "SRV"}
    assert srv == set(SRV_NAMES.split("\n")[1:-1])
    assert len(records) == len(set(records)) == 19 + 1 + 4 * 2


def test_srv_records_hold_the_defaults() -> None:
    found = {(r.priority, r.weight, r.ttl_s, r.data) for r in locator_records(FACTS) if r.kind == "SRV"}
    assert found == {(0, 100, 600, "dc1.corp.example.com")}


def test_the_dsa_is_found_by_its_guid() -> None:
    found = [(r.name, r.data) for r in locator_records(FACTS) if r.kind == "CNAME"]
    assert found == [("aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee._msdcs.corp.example.com", "dc1.corp.example.com")]


def test_addresses_of_both_families_stand_at_each_name() -> None:
    found = {(r.name, r.kind, r.data) for r in locator_records(FACTS) if r.kind in ("A", "AAAA")}
    names = ["corp.example.com", "dc1.corp.example.com", "gc._msdcs.corp.example.com", FACTS.app_ncs[0]]
    assert found == {
        (name, kind, data) for name in names for kind, data in (("A", "192.0.2.10"), ("AAAA", "2001:db8::10"))
    }


def test_a_read_only_dc_registers_its_site_alone() -> None:
    facts = replace(FACTS, is_writable=False, is_gc=False, is_pdc=False, app_ncs=())
    assert {r.name for r in locator_records(facts) if r.kind == "SRV"} == {
        "_ldap._tcp.Home._sites.corp.example.com",
        "_ldap._tcp.Home._sites.dc._msdcs.corp.example.com",
        "_kerberos._tcp.Home._sites.corp.example.com",
        "_kerberos._tcp.Home._sites.dc._msdcs.corp.example.com",
    }
