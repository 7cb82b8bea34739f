"""DnsServer's zones: made, told, changed and ended ([MS-DNSP] 3.1.4.1, 3.1.4.2, 3.1.4.3)."""

import pytest

from addc.codec.dns_rdata import DnsType, NameData, SoaData
from addc.codes.win32 import Win32
from addc.directory import dns_secondary, dns_settings, dns_zones
from addc.directory.dns_zones import Replication, ZoneType
from addc.rpc.interfaces.dnsserver import zone_facts
from addc.rpc.interfaces.dnsserver.addresses import array_of, fours_of
from addc.rpc.interfaces.dnsserver.idl import ClientVersion, TypeId
from addc.rpc.interfaces.dnsserver.idl_kinds import DnsAddrArray
from addc.rpc.interfaces.dnsserver.idl_parts import NameAndParam, ZoneChangeDp
from addc.rpc.interfaces.dnsserver.idl_zones import (
    EnumZonesFilter,
    ZoneDatabaseDotnet,
    ZoneDotnet,
    ZoneInfoDotnet,
    ZoneInfoLonghorn,
    ZoneInfoW2k,
    ZoneListDotnet,
    ZoneListW2k,
    ZoneSecondariesLonghorn,
)
from tests.kit.dns_console import FOREST_PARTITION, OK, DnsConsole, address
from tests.kit.rpc_desk import RpcDesk

ZONE = "zone.test"
MASTER = array_of(["192.0.2.53"])


@pytest.fixture
def admin(rpc_desk: RpcDesk) -> DnsConsole:
    return DnsConsole(rpc_desk, rpc_desk.corp.admin)


def info(admin: DnsConsole, zone: str = ZONE) -> ZoneInfoLonghorn:
    told = admin.query("ZoneInfo", zone)
    assert told.status == OK and isinstance(told.data, ZoneInfoLonghorn)
    return told.data


def names(admin: DnsConsole, request: int) -> list[str | None]:
    told = admin.ask("EnumZones", TypeId.DWORD, request)
    assert told.status == OK and isinstance(told.data_out, ZoneListDotnet)
    return [one.zone_name for one in told.data_out.zones if one is not None]


def test_a_new_zone_has_its_own_records_and_ends_with_all_it_holds(admin: DnsConsole) -> None:
    """[MS-DNSP] 3.1.4.1 (ZoneCreate, DeleteZoneFromDs)."""
    assert admin.create(ZONE) == OK
    assert {one.type for one in admin.records(ZONE)} == {DnsType.SOA, DnsType.NS}
    assert admin.create(ZONE) == Win32.DNS_ERROR_ZONE_ALREADY_EXISTS
    assert admin.update(ZONE, "one", address("192.0.2.1")) == OK
    assert admin.operate("DeleteZoneFromDs", ZONE) == OK
    assert admin.query("Zone", ZONE).status == Win32.DNS_ERROR_ZONE_DOES_NOT_EXIST
    assert admin.operate("DeleteZoneFromDs", ZONE) == Win32.DNS_ERROR_ZONE_DOES_NOT_EXIST
    assert admin.create(ZONE) == OK
    assert admin.records(ZONE, "one") == []


def test_where_a_zone_goes_and_who_is_written_to(admin: DnsConsole) -> None:
    """[MS-DNSP] 2.2.5.2.7.1, 3.1.4.1: by flag, by the partition's name, else the domain itself."""
    assert admin.create("forest.test", FOREST_PARTITION, admin="boss.forest.test.") == OK
    assert admin.create("named.test", 0, dp_fqdn="DomainDnsZones.corp.example.com") == OK
    assert admin.create("old.test", 0) == OK
    where = {
        zone.name: zone.replication
        for zone in admin.desk.corp.read(dns_zones.all_zones)
        if zone.name.endswith(".test")
    }
    assert where == {
        "forest.test": Replication.FOREST, "named.test": Replication.DOMAIN, "old.test": Replication.LEGACY,
    }  # fmt: skip
    soa = admin.records("forest.test", "@", DnsType.SOA)[0].data
    assert isinstance(soa, SoaData) and soa.rname == "boss.forest.test"
    assert info(admin, "forest.test").dp_fqdn == "ForestDnsZones.corp.example.com"
    assert admin.create("no.test", 0, dp_fqdn="nowhere.test") == Win32.DNS_ERROR_DP_DOES_NOT_EXIST


def test_zones_that_are_not_made(admin: DnsConsole) -> None:
    """[MS-DNSP] 3.1.4.1: caches never; what needs masters not without; names that are none."""
    assert admin.create(ZONE, zone_type=0) == Win32.DNS_ERROR_INVALID_ZONE_TYPE
    assert admin.create(ZONE, zone_type=5) == Win32.DNS_ERROR_INVALID_ZONE_TYPE
    assert admin.create(ZONE, zone_type=4) == Win32.DNS_ERROR_ZONE_REQUIRES_MASTER_IP
    assert admin.create(ZONE, zone_type=2, masters=MASTER) == Win32.DNS_ERROR_INVALID_ZONE_TYPE
    assert admin.create(ZONE, 0, ds_integrated=0) == Win32.ERROR_NOT_SUPPORTED
    for name in ("", "..cache", "a..b", "a" * 64):
        assert admin.create(name) == Win32.DNS_ERROR_INVALID_NAME_CHAR, name


def test_conditional_forwarders_and_copies(admin: DnsConsole) -> None:
    """Zones of type forwarder are in the directory, those of type secondary this server's own."""
    assert admin.create("fw.test", zone_type=4, masters=MASTER, timeout=9, recurse_after_forwarding=1) == OK
    told = info(admin, "fw.test")
    assert (told.zone_type, told.forwarder_timeout, told.forwarder_slave) == (4, 9, 1)
    assert told.masters == MASTER
    assert admin.set_number("ForwarderTimeout", 3, "fw.test") == OK
    assert info(admin, "fw.test").forwarder_timeout == 3
    other = array_of(["2001:db8::53", "192.0.2.54#5353"])
    assert admin.operate("MasterServers", "fw.test", TypeId.ADDRARRAY, other) == OK
    assert admin.create("copy.test", 0, zone_type=2, ds_integrated=0, masters=MASTER) == OK
    assert admin.operate("MasterServers", "copy.test", TypeId.IPARRAY, fours_of(["192.0.2.55"])) == OK
    held = admin.desk.corp.read(lambda ctx: dns_secondary.secondary_named(ctx, "copy.test"))
    assert held is not None and held.masters == ("192.0.2.55",)
    assert (info(admin, "copy.test").shutdown, info(admin, "copy.test").use_database) == (1, 0)
    assert admin.operate("RefreshZone", "copy.test") == OK
    assert admin.operate("RefreshZone", "fw.test") == Win32.DNS_ERROR_ZONE_NOT_SECONDARY
    none = admin.operate("MasterServers", "fw.test", TypeId.ADDRARRAY, DnsAddrArray())
    assert none == Win32.DNS_ERROR_ZONE_REQUIRES_MASTER_IP
    assert admin.operate("DeleteZone", "fw.test") == Win32.ERROR_NOT_SUPPORTED
    assert admin.operate("DeleteZone", "copy.test") == OK
    assert admin.query("Zone", "copy.test").status == Win32.DNS_ERROR_ZONE_DOES_NOT_EXIST


def test_filters_mean_zones_by_kind(admin: DnsConsole) -> None:
    """[MS-DNSP] 2.2.5.1.4."""
    admin.create("2.0.192.in-addr.arpa", FOREST_PARTITION)
    admin.create("fw.test", zone_type=4, masters=MASTER)
    admin.create("copy.test", 0, zone_type=2, ds_integrated=0, masters=MASTER)
    own = ["_msdcs.corp.example.com", "corp.example.com"]
    reverse = "2.0.192.in-addr.arpa"
    assert names(admin, zone_facts.REQUEST_PRIMARY) == [reverse, *own]
    assert names(admin, zone_facts.REQUEST_REVERSE) == [reverse]
    assert names(admin, zone_facts.REQUEST_PRIMARY | zone_facts.REQUEST_FORWARD) == own
    assert names(admin, zone_facts.REQUEST_FORWARDER) == ["fw.test"]
    assert names(admin, zone_facts.REQUEST_NON_DS) == ["copy.test"]
    assert names(admin, zone_facts.REQUEST_CACHE) == ["."]
    assert names(admin, zone_facts.REQUEST_AUTO) == []
    assert names(admin, 0x400) == ["corp.example.com", "copy.test"] or names(admin, 0x400)[0] == own[1]
    told = admin.ask("EnumZones2", TypeId.ENUM_ZONES_FILTER, EnumZonesFilter(filter=1, query_string="msdcs"))
    assert isinstance(told.data_out, ZoneListDotnet)
    assert [one.zone_name for one in told.data_out.zones if one] == [own[0]]


def test_each_client_gets_the_structures_it_knows(admin: DnsConsole) -> None:
    """[MS-DNSP] 2.2.1.2.1."""
    kinds = {}
    for version in (ClientVersion.W2K, ClientVersion.DOTNET, ClientVersion.LONGHORN):
        told = admin.query("ZoneInfo", "corp.example.com", version)
        listed = admin.ask("EnumZones", TypeId.DWORD, 1, version=version)
        kinds[version] = (type(told.data), type(listed.data_out))
    assert kinds == {
        ClientVersion.W2K: (ZoneInfoW2k, ZoneListW2k),
        ClientVersion.DOTNET: (ZoneInfoDotnet, ZoneListDotnet),
        ClientVersion.LONGHORN: (ZoneInfoLonghorn, ZoneListDotnet),
    }
    short = admin.query("Zone", "CORP.example.com.").data
    assert isinstance(short, ZoneDotnet)
    assert (short.zone_name, short.zone_type, short.flags) == ("corp.example.com", 1, 0x90)


def test_properties_of_a_zone_are_read_and_set(admin: DnsConsole) -> None:
    """[MS-DNSP] 3.1.1.2.1."""
    admin.create(ZONE)
    assert admin.number("AllowUpdate", ZONE) == 0
    assert admin.set_number("AllowUpdate", 2, ZONE) == OK
    assert admin.set_number("Aging", 1, ZONE) == OK
    assert admin.set_number("NoRefreshInterval", 24, ZONE) == OK
    assert admin.set_number("RefreshInterval", 0, ZONE) == OK
    told = info(admin)
    assert (told.allow_update, told.aging, told.no_refresh_interval, told.refresh_interval) == (2, 1, 24, 168)
    assert told.avail_for_scavenge_time > 0
    by_name = admin.ask("QueryDwordProperty", TypeId.LPSTR, "NoRefreshInterval", ZONE)
    assert (by_name.type_out, by_name.data_out) == (TypeId.DWORD, 24)
    assert admin.set_number("Aging", 7, ZONE) == OK
    assert admin.set_number("AllowUpdate", 3, ZONE) == Win32.DNS_ERROR_DWORD_VALUE_TOO_LARGE
    assert admin.set_number("Type", 2, ZONE) == Win32.DNS_ERROR_INVALID_PROPERTY
    assert admin.set_number("LogUpdates", 1, ZONE) == Win32.ERROR_NOT_SUPPORTED
    assert admin.set_number("Nonsense", 1, ZONE) == Win32.DNS_ERROR_INVALID_PROPERTY
    assert admin.query("Nonsense", ZONE).status == Win32.DNS_ERROR_INVALID_PROPERTY


def test_who_may_have_a_copy_and_who_is_told(admin: DnsConsole) -> None:
    """[MS-DNSP] 2.2.5.2.5 (SecondaryServers)."""
    admin.create(ZONE)
    wanted = ZoneSecondariesLonghorn(1, 2, 2, array_of(["192.0.2.7"]), array_of(["192.0.2.8"]))
    assert admin.operate("SecondaryServers", ZONE, TypeId.ZONE_SECONDARIES, wanted) == OK
    told = info(admin)
    assert (told.secure_secondaries, told.notify_level) == (2, 2)
    assert (told.secondaries, told.notify) == (wanted.secondaries, wanted.notify)
    held = admin.desk.corp.read(lambda ctx: dns_settings.zone_settings(ctx, ZONE))
    assert (held.transfers, held.transfer_networks, held.notify_to) == (
        "listed", ("192.0.2.7",), ("192.0.2.8",),
    )  # fmt: skip
    nobody = ZoneSecondariesLonghorn(1, 2, 0)
    refused = admin.operate("SecondaryServers", ZONE, TypeId.ZONE_SECONDARIES, nobody)
    assert refused == Win32.DNS_ERROR_NEED_SECONDARY_ADDRESSES
    assert admin.set_number("SecureSecondaries", 3, ZONE) == OK
    assert info(admin).secure_secondaries == 3
    assert admin.query("SecondaryServers", ZONE).data == wanted.secondaries


def test_new_zones_give_no_copies(admin: DnsConsole) -> None:
    """Clients that say nothing of transfers send 0, which would mean anyone."""
    admin.create(ZONE)
    assert info(admin).secure_secondaries == 3


def test_names_end_with_what_is_below_them_or_stay(admin: DnsConsole) -> None:
    """[MS-DNSP] 3.1.4.1 (DeleteNode, DeleteRecordSet)."""
    admin.create(ZONE)
    for name in ("a", "b.a", "c"):
        admin.update(ZONE, name, address("192.0.2.1"))

    def delete(operation: str, name: str, param: int) -> Win32:
        return admin.operate(operation, ZONE, TypeId.NAME_AND_PARAM, NameAndParam(param, name))

    assert delete("DeleteNode", "a", 0) == OK
    assert admin.records(ZONE, "a") != []
    assert delete("DeleteNode", f"a.{ZONE}.", 1) == OK
    assert admin.records(ZONE, "a") == admin.records(ZONE, "b.a") == []
    assert delete("DeleteNode", "nobody", 1) == OK
    assert delete("DeleteNode", "@", 1) == Win32.DNS_ERROR_INVALID_ZONE_OPERATION
    assert delete("DeleteRecordSet", "c", DnsType.AAAA) == OK
    assert admin.records(ZONE, "c") != []
    assert delete("DeleteRecordSet", "c", 0xFF) == OK
    assert admin.records(ZONE, "c") == []
    assert delete("DeleteRecordSet", "@", DnsType.SOA) == Win32.DNS_ERROR_SOA_DELETE_INVALID


def test_records_are_made_to_age(admin: DnsConsole) -> None:
    """[MS-DNSP] 3.1.4.1 (ForceAgingOnNode): where the zone's records age at all."""
    admin.create(ZONE)
    admin.update(ZONE, "one", address("192.0.2.1"))
    force = TypeId.NAME_AND_PARAM, NameAndParam(0, "one")
    assert admin.operate("ForceAgingOnNode", ZONE, *force) == Win32.DNS_ERROR_INVALID_ZONE_OPERATION
    admin.set_number("Aging", 1, ZONE)
    assert admin.operate("ForceAgingOnNode", ZONE, *force) == OK
    assert admin.records(ZONE, "one")[0].timestamp_h > 0


def test_a_zone_moves_with_all_it_holds(admin: DnsConsole) -> None:
    """[MS-DNSP] 3.1.4.1 (ZoneChangeDirectoryPartition)."""
    admin.create(ZONE)
    admin.update(ZONE, "one", address("192.0.2.1"))
    serial = admin.serial(ZONE)
    where = ZoneChangeDp(dest_partition="ForestDnsZones.corp.example.com")
    assert admin.operate("ZoneChangeDirectoryPartition", ZONE, TypeId.ZONE_CHANGE_DP, where) == OK
    assert info(admin).dp_fqdn == where.dest_partition
    assert len(admin.records(ZONE, "one")) == 1 and admin.serial(ZONE) == serial
    nowhere = ZoneChangeDp(dest_partition="nowhere.test")
    gone = admin.operate("ZoneChangeDirectoryPartition", ZONE, TypeId.ZONE_CHANGE_DP, nowhere)
    assert gone == Win32.DNS_ERROR_DP_DOES_NOT_EXIST


def test_several_zones_at_once(admin: DnsConsole) -> None:
    """[MS-DNSP] 3.1.4.1 (multizone operations): by name or by filter."""
    admin.create("a.test")
    admin.create("fw.test", zone_type=4, masters=MASTER)
    number = NameAndParam(30, "NoRefreshInterval")
    assert admin.operate("ResetDwordProperty", "..AllPrimaryZones", TypeId.NAME_AND_PARAM, number) == OK
    assert admin.number("NoRefreshInterval", "a.test") == 30
    assert admin.number("NoRefreshInterval", "corp.example.com") == 30
    some = admin.operate("ResetDwordProperty", "..AllZones", TypeId.NAME_AND_PARAM, number)
    assert some == Win32.DNS_ERROR_INVALID_ZONE_TYPE
    nobody = admin.operate("ReloadZone", None, context=zone_facts.REQUEST_STUB)
    assert nobody == OK
    unknown = admin.operate("ReloadZone", "nowhere.test", context=zone_facts.REQUEST_PRIMARY)
    assert unknown == Win32.DNS_ERROR_ZONE_DOES_NOT_EXIST


def test_what_reloads_has_nothing_to_do_and_what_is_not_here_is_refused(admin: DnsConsole) -> None:
    for name in ("ReloadZone", "UpdateZoneFromDs", "WriteBackFile", "IncrementVersion", "ResumeZone"):
        assert admin.operate(name, "corp.example.com") == OK, name
    for name in ("PauseZone", "ZoneExport", "ZoneTypeReset", "CreateZoneScope"):
        assert admin.operate(name, "corp.example.com") == Win32.ERROR_NOT_SUPPORTED, name
    assert admin.operate("Nonsense", "corp.example.com") == Win32.DNS_ERROR_INVALID_PROPERTY
    stays = ZoneDatabaseDotnet(ds_integrated=1)
    assert admin.operate("DatabaseFile", "corp.example.com", TypeId.ZONE_DATABASE, stays) == OK
    file = ZoneDatabaseDotnet(ds_integrated=0, file_name="zone.dns")
    refused = admin.operate("DatabaseFile", "corp.example.com", TypeId.ZONE_DATABASE, file)
    assert refused == Win32.ERROR_NOT_SUPPORTED


def test_the_root_s_servers_are_the_cache_s_zone(admin: DnsConsole) -> None:
    assert info(admin, "..RootHints").zone_type == ZoneType.CACHE
    assert info(admin, "..Cache").zone_name == "."
    assert admin.set_number("Aging", 1, "..Cache") == Win32.DNS_ERROR_INVALID_ZONE_TYPE
    assert admin.operate("DeleteZoneFromDs", ".") == Win32.DNS_ERROR_INVALID_ZONE_OPERATION
    assert admin.query("ApplicationDirectoryPartition", ZONE).status == Win32.DNS_ERROR_ZONE_DOES_NOT_EXIST
    assert NameData("a.root-servers.net") in [
        one.data for one in admin.nodes("..RootHints", ".", view=0x8)[0].records
    ]


def test_a_zone_is_signed_and_unsigned(admin: DnsConsole) -> None:
    """[MS-DNSP] 3.1.4.1 (SignZone, UnsignZone, ResignZone), 3.1.1.2.1 (IsSigned, IsKeymaster)."""
    admin.create(ZONE)
    admin.create("fw.test", zone_type=4, masters=MASTER)
    assert admin.operate("UnsignZone", ZONE) == Win32.DNS_ERROR_INVALID_ZONE_OPERATION
    assert admin.operate("SignZone", "fw.test") == Win32.DNS_ERROR_INVALID_ZONE_TYPE
    assert admin.operate("SignZone", ZONE) == OK
    assert (admin.number("IsSigned", ZONE), admin.number("IsKeymaster", ZONE)) == (1, 1)
    assert admin.operate("SignZone", ZONE) == Win32.DNS_ERROR_INVALID_ZONE_OPERATION
    assert admin.operate("ResignZone", ZONE) == OK
    assert admin.operate("UnsignZone", ZONE) == OK
    assert (admin.number("IsSigned", ZONE), admin.number("IsKeymaster", ZONE)) == (0, 0)
