"""A DC's own records in its zones. Spec: [MS-ADTS] 6.3.2, [MS-NRPC] 3.5.4.3.10, 3.5.4.3.11."""

from collections.abc import Sequence
from dataclasses import replace
from ipaddress import ip_address

import pytest

from addc.codec.dns_rdata import AData, DnsRecord, DnsType, NameData, SrvData
from addc.codes.ntstatus import NtStatus
from addc.directory import dns_locator, fsmo, names
from addc.directory.context import ReadContext, WriteContext
from addc.directory.dns_deregister import (
    Branch,
    InfoType,
    NameType,
    Wish,
    deregister_host,
    update_for_branch,
)
from addc.directory.dns_locator import Plan, Registrar, plan, register, registered
from addc.directory.dns_node import Records
from addc.directory.dns_records import records_at, serial_of, write_nodes
from addc.directory.dns_settings import keep_settings, settings
from addc.directory.dns_zones import ZoneProperties, create_zone, set_properties, zone_named
from addc.directory.locator_facts import coverage
from addc.directory.locator_records import Address
from addc.schema import attr
from addc.security.token import SYSTEM
from addc.store.agenda import Due
from tests.kit.corp import Corp, replace_values
from tests.kit.corp_forest import ANSWERS, CONFIG_DN, DOMAIN_DN

ZONE = "corp.example.com"
HOST = "dc1.corp.example.com"
SITES = f"CN=Sites,{CONFIG_DN}"
LINK = f"CN=DEFAULTIPSITELINK,CN=IP,CN=Inter-Site Transports,{SITES}"
OWN: tuple[Address, ...] = tuple(ANSWERS.addresses)
NEW = (ip_address("192.0.2.99"),)


def at(corp: Corp, relative: str, zone: str = ZONE) -> Records:
    def work(ctx: ReadContext) -> Records:
        found = zone_named(ctx, zone)
        assert found is not None
        return records_at(ctx, found, relative)

    return corp.read(work)


def put(corp: Corp, relative: str, *records: DnsRecord, zone: str = ZONE) -> None:
    def work(ctx: WriteContext) -> None:
        found = zone_named(ctx, zone)
        assert found is not None
        write_nodes(ctx, found, {relative: (*records_at(ctx, found, relative), *records)})

    corp.write(work, SYSTEM)


def go(corp: Corp, addresses: tuple[Address, ...] = OWN, *, forget: bool = False) -> Plan:
    return corp.write(lambda ctx: register(ctx, addresses, forget=forget), SYSTEM)


def done(found: Plan, word: str) -> list[str]:
    return sorted(
        f"{one.item.record.name} {one.item.record.kind}" for one in found.outcomes if one.done == word
    )


def add_site(corp: Corp, name: str, *, linked: bool = True) -> None:
    corp.add(f"CN={name},{SITES}", "site")
    if linked:
        sites = [dn.decode() for dn in corp.values(LINK, "siteList")]
        corp.modify(LINK, replace_values("siteList", *sites, f"CN={name},{SITES}"))


def test_a_fresh_forest_has_all_it_needs(corp_sqlite: Corp) -> None:
    found = go(corp_sqlite)
    assert {one.done for one in found.outcomes} == {"kept"} and not found.writes
    assert corp_sqlite.read(registered)
    again = corp_sqlite.read(lambda ctx: plan(ctx, OWN))
    assert {one.done for one in again.outcomes} == {"kept"}


def test_what_was_lost_comes_back(corp_sqlite: Corp) -> None:
    corp = corp_sqlite
    put_away = {"_ldap._tcp": (), "_kerberos._udp": ()}
    zone = corp.read(lambda ctx: zone_named(ctx, ZONE))
    assert zone is not None
    corp.write(lambda ctx: write_nodes(ctx, zone, put_away), SYSTEM)
    assert done(go(corp), "added") == [f"_kerberos._udp.{ZONE} SRV", f"_ldap._tcp.{ZONE} SRV"]
    (back,) = at(corp, "_ldap._tcp")
    assert back.data == SrvData(0, 100, 389, HOST) and back.ttl_s == 600 and back.timestamp_h


def test_a_changed_address_moves_at_every_name(corp_sqlite: Corp) -> None:
    corp = corp_sqlite
    found = go(corp, NEW)  # the first time: nothing is remembered, the old one stood at the host's own name
    assert f"{HOST} A" in done(found, "added") and f"{ZONE} A" in done(found, "removed")
    for relative, zone in (("dc1", ZONE), ("@", ZONE), ("gc", f"_msdcs.{ZONE}"), ("DomainDnsZones", ZONE)):
        told = {one.data for one in at(corp, relative, zone) if one.type in (DnsType.A, DnsType.AAAA)}
        assert told == {AData(NEW[0].packed)}, relative
    go(corp, OWN)
    assert AData(NEW[0].packed) not in {one.data for one in at(corp, "@")}


def test_records_of_others_stay(corp_sqlite: Corp) -> None:
    corp = corp_sqlite
    go(corp)
    other = DnsRecord(DnsType.SRV, SrvData(0, 100, 389, "dc2.corp.example.com"), 600)
    hand = DnsRecord(DnsType.A, AData(ip_address("198.51.100.1").packed), 600)
    put(corp, "_ldap._tcp", other)
    put(corp, "@", hand)
    put(corp, "dc1", hand)
    go(corp, NEW)
    for relative, record in (("_ldap._tcp", other), ("@", hand), ("dc1", hand)):
        assert record.data in {one.data for one in at(corp, relative)}, relative


def test_an_alias_of_somebody_else_is_refused_and_stays(corp_sqlite: Corp) -> None:
    corp = corp_sqlite
    zone = corp.read(lambda ctx: zone_named(ctx, ZONE))
    assert zone is not None
    alias = DnsRecord(DnsType.CNAME, NameData("elsewhere.example.net"), 600)
    corp.write(lambda ctx: write_nodes(ctx, zone, {"_ldap._tcp": (alias,)}), SYSTEM)
    found = go(corp)
    assert done(found, "refused") == [f"_ldap._tcp.{ZONE} SRV"]
    assert [one.data for one in at(corp, "_ldap._tcp")] == [alias.data]


def test_the_pdc_role_takes_its_record_along(corp_sqlite: Corp) -> None:
    corp = corp_sqlite
    go(corp)
    assert at(corp, "_ldap._tcp.pdc", f"_msdcs.{ZONE}")
    other = _another_dc(corp)
    corp.write(lambda ctx: _give_role(ctx, other), SYSTEM)
    assert done(go(corp), "removed") == [f"_ldap._tcp.pdc._msdcs.{ZONE} SRV"]
    assert not at(corp, "_ldap._tcp.pdc", f"_msdcs.{ZONE}")


def _another_dc(corp: Corp, site: str = "Default-First-Site-Name") -> int:
    server = f"CN=DC2,CN=Servers,CN={site},{SITES}"
    values = {
        "dNSHostName": "dc2.corp.example.com",
    }
    corp.add(server, "server", SYSTEM, values=values)
    ncs = [DOMAIN_DN, CONFIG_DN, f"CN=Schema,{CONFIG_DN}"]
    return corp.add(
        f"CN=NTDS Settings,{server}",
        "nTDSDSA",
        SYSTEM,
        values={"hasMasterNCs": ncs, "msDS-hasMasterNCs": ncs, "options": "1"},
    )


def _give_role(ctx: WriteContext, dsa: int) -> None:
    row = fsmo.role_object(ctx, fsmo.PDC)
    assert row is not None
    values = {**row.attrs, attr.FSMO_ROLE_OWNER: (names.reference(dsa),)}  # type: ignore[arg-type]
    ctx.tx.update(row, attrs=values)


def test_a_site_without_a_dc_is_covered_once_a_link_leads_to_it(corp_sqlite: Corp) -> None:
    corp = corp_sqlite
    go(corp)
    add_site(corp, "Branch", linked=False)
    assert done(go(corp), "added") == []
    sites = [dn.decode() for dn in corp.values(LINK, "siteList")]
    corp.modify(LINK, replace_values("siteList", *sites, f"CN=Branch,{SITES}"))
    assert corp.read(lambda ctx: coverage(ctx).dc) == ("Default-First-Site-Name", "Branch")
    added = done(go(corp), "added")
    assert f"_ldap._tcp.Branch._sites.dc._msdcs.{ZONE} SRV" in added
    assert f"_gc._tcp.Branch._sites.{ZONE} SRV" in added
    assert f"_ldap._tcp.Branch._sites.DomainDnsZones.{ZONE} SRV" in added


def test_a_site_that_gets_its_own_dc_is_no_longer_covered(corp_sqlite: Corp) -> None:
    corp = corp_sqlite
    add_site(corp, "Branch")
    go(corp)
    assert at(corp, "_ldap._tcp.Branch._sites")
    corp.add(f"CN=Servers,CN=Branch,{SITES}", "serversContainer", SYSTEM)
    _another_dc(corp, "Branch")
    removed = done(go(corp), "removed")
    assert f"_ldap._tcp.Branch._sites.{ZONE} SRV" in removed
    assert not at(corp, "_ldap._tcp.Branch._sites")


def test_settings_say_what_records_hold_and_which_are_left_out(corp_sqlite: Corp) -> None:
    corp = corp_sqlite
    go(corp)
    wanted = {
        "srv_priority": 5,
        "srv_weight": 7,
        "locator_ttl_s": 90,
        "avoid_records": ("Gc", "LdapIpAddress"),
    }
    corp.write(lambda ctx: keep_settings(ctx, replace(settings(ctx), **wanted)), SYSTEM)  # type: ignore[arg-type]
    removed = done(go(corp), "removed")
    assert f"_ldap._tcp.gc._msdcs.{ZONE} SRV" in removed and f"{ZONE} A" in removed
    (record,) = at(corp, "_ldap._tcp")
    assert record.data == SrvData(5, 7, 389, HOST) and record.ttl_s == 90


def test_the_servers_name_is_added_to_each_zone_that_it_holds(corp_sqlite: Corp) -> None:
    corp = corp_sqlite
    ns = DnsRecord(DnsType.NS, NameData("ns.elsewhere.example"), 600)
    corp.write(
        lambda ctx: create_zone(ctx, "2.0.192.in-addr.arpa", ZoneProperties(), nodes={"@": (ns,)}), SYSTEM
    )
    assert done(go(corp), "added") == ["2.0.192.in-addr.arpa NS"]
    held = {one.data: one.timestamp_h for one in at(corp, "@", "2.0.192.in-addr.arpa")}
    assert held == {NameData("ns.elsewhere.example"): 0, NameData(HOST): 0}


def test_what_no_zone_here_holds_is_told_and_not_written(corp_sqlite: Corp) -> None:
    corp = corp_sqlite
    cut = DnsRecord(DnsType.NS, NameData("ns.elsewhere.example"), 600)
    zone = corp.read(lambda ctx: zone_named(ctx, ZONE))
    assert zone is not None
    corp.write(lambda ctx: write_nodes(ctx, zone, {"_sites": (cut,), "_tcp": (cut,)}), SYSTEM)
    found = go(corp)
    assert f"_ldap._tcp.{ZONE} SRV" in done(found, "elsewhere")
    assert all("another server" in one.why for one in found.outcomes if one.done == "elsewhere")


def test_a_refresh_moves_time_stamps_by_the_rules_of_ageing(corp_sqlite: Corp) -> None:
    corp = corp_sqlite
    add_site(corp, "Branch")
    go(corp)
    zone = corp.read(lambda ctx: zone_named(ctx, ZONE))
    assert zone is not None
    corp.write(lambda ctx: set_properties(ctx, zone, replace(zone.properties, aging=True)), SYSTEM)
    (first,) = at(corp, "_ldap._tcp.Branch._sites")
    serial = corp.read(lambda ctx: serial_of(ctx, zone))
    corp.later(6 * 86_400)
    assert done(go(corp), "refreshed") == []
    corp.later(2 * 86_400)
    assert f"_ldap._tcp.Branch._sites.{ZONE} SRV" in done(go(corp), "refreshed")
    (second,) = at(corp, "_ldap._tcp.Branch._sites")
    assert second.timestamp_h - first.timestamp_h == 8 * 24
    assert corp.read(lambda ctx: serial_of(ctx, zone)) == serial


# --- the job ---


class Watched:
    """Counts how often the job registers."""

    def __init__(self, corp: Corp, monkeypatch: pytest.MonkeyPatch) -> None:
        self.addresses: tuple[Address, ...] = OWN
        self.count = 0
        self._corp = corp
        self._job = Registrar(lambda: self.addresses)
        monkeypatch.setattr(dns_locator, "register", self._register)

    def _register(self, ctx: WriteContext, addresses: Sequence[Address]) -> None:
        del ctx, addresses
        self.count += 1

    def look(self) -> int:
        assert self._corp.write(self._job.step, SYSTEM) is False
        return self.count


def test_the_job_registers_at_the_start_each_hour_and_after_changes(
    corp_sqlite: Corp, monkeypatch: pytest.MonkeyPatch
) -> None:
    corp, job = corp_sqlite, Watched(corp_sqlite, monkeypatch)
    assert (job.look(), job.look()) == (1, 1)
    corp.later(3601)
    assert (job.look(), job.look()) == (2, 2)
    add_site(corp, "Branch")
    assert (job.look(), job.look()) == (3, 3)
    job.addresses = NEW
    assert (job.look(), job.look()) == (4, 4)
    corp.write(dns_locator.request_registration, SYSTEM)
    assert (job.look(), job.look()) == (5, 5)
    other = _another_dc(corp)
    job.look()
    count = job.count
    corp.write(lambda ctx: _give_role(ctx, other), SYSTEM)
    assert (job.look(), job.look()) == (count + 1, count + 1)


def test_without_a_network_nothing_is_removed(corp_sqlite: Corp, monkeypatch: pytest.MonkeyPatch) -> None:
    job = Watched(corp_sqlite, monkeypatch)
    job.addresses = ()
    assert job.look() == 0


def test_an_operator_can_keep_the_job_from_registering(
    corp_sqlite: Corp, monkeypatch: pytest.MonkeyPatch
) -> None:
    corp, job = corp_sqlite, Watched(corp_sqlite, monkeypatch)
    corp.write(lambda ctx: keep_settings(ctx, replace(settings(ctx), register_records=False)), SYSTEM)
    assert job.look() == 0
    corp.write(lambda ctx: ctx.tx.put_due(Due(dns_locator.KIND, ctx.forest.domain_nc, b"", ctx.now)), SYSTEM)
    assert job.look() == 1  # but not from doing so when it is asked to


# --- DsrDeregisterDnsHostRecords ---


def test_the_records_of_a_dc_that_is_gone_end_and_no_others(corp_sqlite: Corp) -> None:
    corp = corp_sqlite
    gone = "DC2.corp.example.com"
    srv = DnsRecord(DnsType.SRV, SrvData(0, 100, 389, "dc2.corp.example.com."), 600)
    a = DnsRecord(DnsType.A, AData(bytes(4)), 600)
    put(corp, "_ldap._tcp", srv)
    put(corp, "_ldap._tcp.Default-First-Site-Name._sites", srv)
    put(corp, "dc2", a)
    ended = corp.write(lambda ctx: deregister_host(ctx, gone), SYSTEM)
    assert ended == 2
    assert {one.data for one in at(corp, "_ldap._tcp")} == {SrvData(0, 100, 389, HOST)}
    assert [one.data for one in at(corp, "dc2")] == [a.data]  # addresses stay


def test_records_by_guid_end_where_the_guids_are_told(corp_sqlite: Corp) -> None:
    corp, forest = corp_sqlite, corp_sqlite.forest
    by_guid = f"_ldap._tcp.{forest.domain_guid}.domains"
    corp.write(lambda ctx: deregister_host(ctx, HOST, ZONE), SYSTEM)
    assert at(corp, by_guid, f"_msdcs.{ZONE}") and at(corp, str(forest.dsa_guid), f"_msdcs.{ZONE}")
    assert not at(corp, "_kerberos._tcp")
    corp.write(lambda ctx: deregister_host(ctx, HOST, None, forest.domain_guid, forest.dsa_guid), SYSTEM)
    assert not at(corp, by_guid, f"_msdcs.{ZONE}") and not at(corp, str(forest.dsa_guid), f"_msdcs.{ZONE}")


# --- DsrUpdateReadOnlyServerDnsRecords ---


def _branch(corp: Corp) -> Branch:
    return Branch("rodc1.corp.example.com", "Branch", corp.forest.dsa_guid)


def _ask(corp: Corp, *wishes: Wish, site: str = "Branch") -> list[NtStatus]:
    return corp.write(lambda ctx: update_for_branch(ctx, _branch(corp), site, 300, wishes), SYSTEM)


def wish(kind: int, info: str = "", info_type: int = InfoType.DOMAIN_NAME, *, register: bool = True) -> Wish:
    return Wish(kind, info, info_type, 0, 100, 0, register)


def test_a_read_only_dc_is_registered_at_its_own_site(corp_sqlite: Corp) -> None:
    corp = corp_sqlite
    found = _ask(
        corp,
        wish(NameType.LDAP_AT_SITE, ZONE),
        wish(NameType.GC_AT_SITE, ZONE, InfoType.FOREST_NAME),
        wish(NameType.LDAP_AT_SITE, f"DomainDnsZones.{ZONE}", InfoType.NDNC_DOMAIN_NAME),
    )
    assert found == [NtStatus.STATUS_SUCCESS] * 3
    (record,) = at(corp, "_ldap._tcp.Branch._sites")
    assert record.data == SrvData(0, 100, 389, "rodc1.corp.example.com") and record.ttl_s == 300
    assert at(corp, "_ldap._tcp.Branch._sites.DomainDnsZones")
    assert _ask(corp, wish(NameType.LDAP_AT_SITE, ZONE, register=False)) == [NtStatus.STATUS_SUCCESS]
    assert not at(corp, "_ldap._tcp.Branch._sites")


def test_a_read_only_dc_gets_nothing_at_other_sites_or_of_other_domains(corp_sqlite: Corp) -> None:
    corp = corp_sqlite
    denied = [NtStatus.STATUS_ACCESS_DENIED]
    first = "Default-First-Site-Name"
    assert _ask(corp, wish(NameType.LDAP_AT_SITE, ZONE), site=first) == denied
    assert _ask(corp, wish(NameType.LDAP_AT_SITE, "other.example")) == denied
    assert _ask(corp, wish(NameType.LDAP_AT_SITE, "x.example", InfoType.NDNC_DOMAIN_NAME)) == denied
    assert _ask(corp, wish(NameType.LDAP_AT_SITE, f"_ldap._tcp.{ZONE}", InfoType.RECORD_NAME)) == denied
    assert _ask(corp, wish(10, ZONE)) == [NtStatus.STATUS_NOT_SUPPORTED]


def test_a_read_only_dc_ends_its_own_records_alone(corp_sqlite: Corp) -> None:
    corp = corp_sqlite
    name = f"_ldap._tcp.{ZONE}"
    found = _ask(corp, wish(NameType.LDAP_AT_SITE, name, InfoType.RECORD_NAME, register=False))
    assert found == [NtStatus.STATUS_SUCCESS]
    assert [one.data for one in at(corp, "_ldap._tcp")] == [SrvData(0, 100, 389, HOST)]
