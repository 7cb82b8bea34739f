"""DnsServer's server: settings, properties, partitions, statistics ([MS-DNSP] 3.1.4.1 to 3.1.4.3)."""

import struct
from dataclasses import dataclass, field

import pytest

from addc.base.clock import HOUR_FT, FileTime
from addc.codec.ndr import Ndr
from addc.codes.win32 import Win32
from addc.directory import dns_scavenging, dns_settings
from addc.directory.dns_properties import FIXED, KEPT
from addc.directory.dns_settings import DnsSettings
from addc.rpc.dns_server import DnsFigures
from addc.rpc.interfaces.dnsserver import idl
from addc.rpc.interfaces.dnsserver.addresses import array_of, fours_of
from addc.rpc.interfaces.dnsserver.idl import ClientVersion, TypeId
from addc.rpc.interfaces.dnsserver.idl_kinds import DnsAddrArray, RpcBuffer, Utf8StringList
from addc.rpc.interfaces.dnsserver.idl_parts import (
    DpInfo,
    DpList,
    EnlistDp,
    ForwardersLonghorn,
    ForwardersW2k,
    IpValidate,
)
from addc.rpc.interfaces.dnsserver.idl_server import ServerInfoDotnet, ServerInfoLonghorn, ServerInfoW2k
from addc.rpc.interfaces.dnsserver.operations import SERVER
from tests.kit.corp_forest import DOMAIN_DN
from tests.kit.dns_console import OK, DnsConsole
from tests.kit.rpc_desk import RpcDesk, undefaulted


@dataclass
class Host:
    """A DNS server that counts, and knows of one other."""

    started: FileTime
    listening: tuple[str, ...] = ("192.0.2.10",)
    forwarders: tuple[str, ...] = ("192.0.2.53",)
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    cleared: int = 0

    async def figures(self) -> DnsFigures:
        return DnsFigures(self.started, self.started, {"QUERY.UdpQueries": 7, "QUERY.TcpResponses": 2**40})

    async def clear_figures(self) -> None:
        self.cleared += 1

    async def validate(self, address: str, zone: str | None) -> int:
        self.asked.append((address, zone))
        return 0 if address == "192.0.2.53" else 3


@pytest.fixture
def admin(rpc_desk: RpcDesk) -> DnsConsole:
    return DnsConsole(rpc_desk, rpc_desk.corp.admin)


def held(admin: DnsConsole) -> DnsSettings:
    return admin.desk.corp.read(dns_settings.settings)


def test_refusals_are_whole_responses() -> None:
    assert undefaulted(SERVER.interface) == []


@pytest.mark.parametrize(
    ("version", "kind"),
    [
        (ClientVersion.W2K, ServerInfoW2k),
        (ClientVersion.DOTNET, ServerInfoDotnet),
        (ClientVersion.LONGHORN, ServerInfoLonghorn),
    ],
)
def test_the_server_tells_of_itself(admin: DnsConsole, version: ClientVersion, kind: type[Ndr]) -> None:
    """[MS-DNSP] 2.2.4.2.2: the structure that the client knows."""
    told = admin.query("ServerInfo", version=version).data
    assert isinstance(told, kind) and isinstance(told, ServerInfoW2k | ServerInfoDotnet | ServerInfoLonghorn)
    assert told.server_name == "dc1.corp.example.com"
    assert told.ds_container == f"CN=MicrosoftDNS,CN=System,{DOMAIN_DN}"
    assert (told.boot_method, told.ds_available, told.max_cache_ttl) == (3, 1, 86_400)
    assert told.server_addrs is not None


def test_the_forms_of_old_clients_answer_as_theirs(rpc_desk: RpcDesk) -> None:
    """[MS-DNSP] 3.1.4.2: opnum 1 is of version 0; opnums 13 and 16 know scopes, of which there are none."""
    admin = rpc_desk.corp.admin
    old = rpc_desk.call(
        SERVER, idl.DnssrvQuery("dc1", None, "ServerInfo"), idl.DnssrvQueryResponse, token=admin
    )
    assert isinstance(old.data, ServerInfoW2k)
    version = ClientVersion.LONGHORN
    scoped = idl.DnssrvQuery3(version, 0, "dc1", "corp.example.com", "inside", "Zone")
    assert rpc_desk.call(SERVER, scoped, idl.DnssrvQuery3Response, token=admin).status == 9959
    plain = idl.DnssrvQuery4(version, 0, "dc1", None, "corp.example.com", None, "Zone")
    assert rpc_desk.call(SERVER, plain, idl.DnssrvQuery4Response, token=admin).status == OK
    other = idl.DnssrvQuery4(version, 0, "dc1", "other", "corp.example.com", None, "Zone")
    assert rpc_desk.call(SERVER, other, idl.DnssrvQuery4Response, token=admin).status == 9922


def test_every_property_is_told_and_only_settings_are_set(admin: DnsConsole) -> None:
    """[MS-DNSP] 3.1.1.1.1: what this server does not have cannot be changed, but may be said again."""
    for name, value in FIXED.items():
        assert admin.number(name) == value
    for name in KEPT:
        by_name = admin.ask("QueryDwordProperty", TypeId.LPSTR, name)
        assert by_name.data_out == admin.number(name)
    assert admin.set_number("LooseWildcarding", 1) == Win32.ERROR_NOT_SUPPORTED
    assert admin.set_number("loosewildcarding", 0) == OK
    assert admin.set_number("Nonsense", 0) == Win32.DNS_ERROR_INVALID_PROPERTY
    assert admin.query("Nonsense").status == Win32.DNS_ERROR_INVALID_PROPERTY
    assert admin.number("Version") == 0x4563_000A


def test_numbers_are_kept_within_their_ranges(admin: DnsConsole) -> None:
    """[MS-DNSP] 3.1.1.1.1: ranges, and what zero stands for."""
    assert admin.set_number("ForwardingTimeout", 15) == OK
    assert held(admin).forward_timeout_s == 15
    assert admin.set_number("ForwardingTimeout", 0) == OK
    assert held(admin).forward_timeout_s == 3
    assert admin.set_number("ForwardingTimeout", 16) == Win32.DNS_ERROR_DWORD_VALUE_TOO_LARGE
    assert admin.set_number("DsTombstoneInterval", 10) == Win32.DNS_ERROR_DWORD_VALUE_TOO_SMALL
    assert admin.set_number("DsTombstoneInterval", 4 * 86_400) == OK
    assert held(admin).tombstone_interval_h == 96
    assert admin.set_number("NoRecursion", 5) == OK
    assert (held(admin).recursion, admin.number("NoRecursion")) == (False, 1)
    assert admin.set_number("RoundRobin", 0) == OK
    assert held(admin).round_robin is False


def test_forwarders_are_told_and_set(admin: DnsConsole) -> None:
    """[MS-DNSP] 2.2.5.2.10: until an operator decides, the configuration's hold."""
    admin.desk.host.dns = Host(admin.desk.corp.now)
    assert admin.query("Forwarders").data == array_of(["192.0.2.53"])
    wanted = ForwardersLonghorn(1, 1, 5, array_of(["2001:db8::1", "192.0.2.9#5353"]))
    assert admin.operate("Forwarders", None, TypeId.FORWARDERS, wanted) == OK
    assert held(admin).forwarders == ("2001:db8::1", "192.0.2.9#5353")
    assert (held(admin).forward_timeout_s, held(admin).is_slave) == (5, True)
    told = admin.query("Forwarders", version=ClientVersion.DOTNET)
    assert (told.type_id, told.data) == (TypeId.IPARRAY, fours_of(["192.0.2.9"]))
    assert admin.operate("Forwarders", None, TypeId.FORWARDERS_W2K, ForwardersW2k(0, 3)) == OK
    assert held(admin).forwarders == ()
    wrong = admin.operate("Forwarders", None, TypeId.DWORD, 5)
    assert wrong == Win32.ERROR_INVALID_PARAMETER


def test_texts_and_lists(admin: DnsConsole) -> None:
    """[MS-DNSP] 3.1.1.1.3, 3.1.1.1.4."""
    assert admin.query("DomainDirectoryPartitionBaseName").data == "DomainDnsZones"
    assert admin.query("ServerLevelPluginDll").type_id == TypeId.LPWSTR
    assert admin.query("GlobalQueryBlockList").data == Utf8StringList(("isatap", "wpad"))
    assert admin.query("ListenAddresses").type_id == TypeId.ADDRARRAY


def test_names_that_no_zone_is_asked_for(admin: DnsConsole) -> None:
    """[MS-DNSP] 3.1.1.1.1 (EnableGlobalQueryBlockList), 3.1.1.1.4 (GlobalQueryBlockList)."""

    def operate(*names: str) -> int:
        return admin.operate("GlobalQueryBlockList", None, TypeId.UTF8_STRING_LIST, Utf8StringList(names))

    assert operate("WPAD", "proxy", "wpad") == OK
    assert held(admin).blocked_names == ("wpad", "proxy")
    for wrong in ("two.labels", "x" * 64):
        assert operate(wrong) == Win32.ERROR_INVALID_PARAMETER
    assert held(admin).blocked_names == ("wpad", "proxy")
    assert admin.set_number("EnableGlobalQueryBlockList", 0) == OK
    assert not held(admin).block_queries


def test_the_cache_is_emptied_and_scavenging_begun(admin: DnsConsole) -> None:
    """[MS-DNSP] 3.1.4.1 (ClearCache, StartScavenging, AbortScavenging)."""
    assert admin.operate("ClearCache") == OK
    assert held(admin).cache_generation == 1
    assert admin.operate("StartScavenging") == OK
    due = admin.desk.corp.read(lambda ctx: ctx.tx.due(dns_scavenging.KIND, ctx.now, 5))
    assert len(due) == 1
    assert admin.operate("AbortScavenging") == OK
    assert admin.desk.corp.read(lambda ctx: ctx.tx.due(dns_scavenging.KIND, ctx.now, 5)) == []


@pytest.mark.parametrize(
    "name",
    ["ServerLevelPluginDll", "LogFilePath", "ExportSettings", "Restart", "AutoConfigure", "ListenAddresses",
     "SetRRL", "CreatePolicy", "DeleteNode"],
)  # fmt: skip
def test_no_code_no_files_and_nothing_pretended(admin: DnsConsole, name: str) -> None:
    assert (
        admin.operate(name, None, TypeId.LPWSTR, "\\\\evil\\share\\plugin.dll") == Win32.ERROR_NOT_SUPPORTED
    )


def test_operations_without_work_succeed(admin: DnsConsole) -> None:
    for name in ("WriteDirtyZones", "WriteBackFile", "ClearDebugLog", "PrepareForUninstall"):
        assert admin.operate(name) == OK
    assert admin.operate("Nonsense") == Win32.DNS_ERROR_INVALID_PROPERTY
    built_in = EnlistDp(operation=5)
    there = admin.operate("EnlistDirectoryPartition", None, TypeId.ENLIST_DP, built_in)
    assert there == Win32.DNS_ERROR_DP_ALREADY_EXISTS


def test_partitions_are_told(admin: DnsConsole) -> None:
    """[MS-DNSP] 2.2.7: by DNS name or DN, with the DCs that have them."""
    listed = admin.ask("EnumDirectoryPartitions", TypeId.DWORD, 0).data_out
    assert isinstance(listed, DpList)
    assert [(one.dp_fqdn, one.flags, one.zone_count) for one in listed.partitions if one] == [
        ("DomainDnsZones.corp.example.com", 0x15, 1),
        ("ForestDnsZones.corp.example.com", 0x19, 1),
        ("corp.example.com", 0x12, 0),
    ]
    assert admin.ask("EnumDirectoryPartitions", TypeId.DWORD, 1).data_out == DpList(0)
    told = admin.ask("DirectoryPartitionInfo", TypeId.LPSTR, "DomainDnsZones.corp.example.com").data_out
    assert isinstance(told, DpInfo)
    assert told.dp_dn == f"DC=DomainDnsZones,{DOMAIN_DN}"
    assert told.cr_dn is not None and told.cr_dn.endswith(f"CN=Partitions,CN=Configuration,{DOMAIN_DN}")
    assert [one.replica_dn for one in told.replicas if one] != []
    none = admin.ask("DirectoryPartitionInfo", TypeId.LPSTR, "nowhere.test")
    assert none.status == Win32.DNS_ERROR_DP_DOES_NOT_EXIST


def test_statistics_are_counters_in_windows_structures(admin: DnsConsole) -> None:
    """[MS-DNSP] 2.2.10: what is not counted is 0, what is too large the most there is."""
    assert admin.ask("Statistics", TypeId.DWORD, 0x3).status == Win32.ERROR_NOT_SUPPORTED
    host = admin.desk.host.dns = Host(FileTime(admin.desk.corp.now - HOUR_FT))
    told = admin.ask("Statistics", TypeId.DWORD, 0x3).data_out
    assert isinstance(told, RpcBuffer)
    kind, length, _, _, *words = struct.unpack_from("<IHBB4I", told.data)
    assert (kind, length, words) == (1, 48, [0, 0, 3600, 3600])
    kind, length, _, _, *words = struct.unpack_from("<IHBB9I", told.data, 56)
    assert (kind, length, words) == (2, 36, [7, 0, 0, 0, 0, 0, 0xFFFF_FFFF, 0, 0])
    assert len(told.data) == 56 + 44
    assert admin.operate("ClearStatistics") == OK
    assert host.cleared == 1


def test_servers_are_asked_whether_they_answer(admin: DnsConsole) -> None:
    """[MS-DNSP] 2.2.3.2.4 (IpValidate), 2.2.3.2.2.2 (Flags)."""
    wanted = IpValidate(
        context=3, context_name="z.test", validate_addrs=array_of(["192.0.2.53", "192.0.2.1"])
    )
    assert admin.ask("IpValidate", TypeId.IP_VALIDATE, wanted).status == Win32.ERROR_NOT_SUPPORTED
    host = admin.desk.host.dns = Host(admin.desk.corp.now)
    told = admin.ask("IpValidate", TypeId.IP_VALIDATE, wanted).data_out
    assert isinstance(told, DnsAddrArray)
    assert [one.user[:8] for one in told.addresses] == [bytes(8), bytes(4) + b"\3\0\0\0"]
    assert host.asked == [("192.0.2.53", "z.test"), ("192.0.2.1", "z.test")]
    many = IpValidate(validate_addrs=array_of(["192.0.2.1"] * 65))
    assert admin.ask("IpValidate", TypeId.IP_VALIDATE, many).status == Win32.ERROR_INVALID_PARAMETER


def test_what_is_not_told_here(admin: DnsConsole) -> None:
    assert admin.ask("EnumeratePolicy", TypeId.NULL, None).status == Win32.ERROR_NOT_SUPPORTED
    assert admin.ask("Nonsense", TypeId.NULL, None).status == Win32.DNS_ERROR_INVALID_PROPERTY
    assert admin.ask("EnumZones", TypeId.LPSTR, "x").status == Win32.ERROR_INVALID_PARAMETER
    signing = admin.ask("EnumZoneSigningKeyDescriptors", TypeId.NULL, None, "corp.example.com")
    assert signing.status == Win32.ERROR_NOT_SUPPORTED
