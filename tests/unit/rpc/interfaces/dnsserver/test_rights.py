"""Who manages DNS over RPC: the descriptors of CN=MicrosoftDNS,CN=System and of zones decide.

Spec: [MS-DNSP] 3.1.6.1 (Three-phase authorization test), 2.1.1.
"""

import pytest

from addc.codec.dns_rdata import DnsType, NameData
from addc.codes.win32 import Win32
from addc.directory.changes import Change, ModOp
from addc.directory.modify import modify_object
from addc.rpc.interfaces.dnsserver import server_operations, zone_operations
from addc.rpc.interfaces.dnsserver.idl import TypeId
from addc.rpc.interfaces.dnsserver.idl_parts import ForwardersLonghorn, NameAndParam
from addc.security import sddl
from addc.security.token import ANONYMOUS
from tests.kit.corp import Corp
from tests.kit.corp_forest import DOMAIN_DN
from tests.kit.dns_console import DENIED, OK, DnsConsole, address, sent
from tests.kit.rpc_desk import RpcDesk

ZONE = "corp.example.com"
ZONE_DN = f"DC={ZONE},CN=MicrosoftDNS,DC=DomainDnsZones,{DOMAIN_DN}"
SERVER_DN = f"CN=MicrosoftDNS,CN=System,{DOMAIN_DN}"


def managing(desk: RpcDesk, who: str) -> DnsConsole:
    """alice is a plain user, dora one of DnsAdmins."""
    corp = desk.corp
    corp.user(who)
    dn = f"CN={who},CN=Users,{DOMAIN_DN}"
    if who == "dora":
        corp.write(
            lambda ctx: modify_object(
                ctx, f"CN=DnsAdmins,CN=Users,{DOMAIN_DN}", [Change(ModOp.ADD, "member", (dn.encode(),))]
            )
        )
    return DnsConsole(desk, corp.token(who))


def let_in(corp: Corp, dn: str, aces: str) -> None:
    """Put a descriptor on an object."""
    value = sddl.parse(f"O:SYG:SYD:P(A;;GA;;;SY){aces}").pack()
    corp.write(lambda ctx: modify_object(ctx, dn, [Change(ModOp.REPLACE, "nTSecurityDescriptor", (value,))]))


@pytest.fixture
def alice(rpc_desk: RpcDesk) -> DnsConsole:
    return managing(rpc_desk, "alice")


def test_plain_users_and_strangers_are_told_nothing(rpc_desk: RpcDesk, alice: DnsConsole) -> None:
    """Phase 1: who may not read the server's container does not come in, not even to learn what exists."""
    for nobody in (alice, DnsConsole(rpc_desk, ANONYMOUS)):
        for zone in (None, ZONE, "nowhere.test", "..RootHints"):
            assert nobody.query("ServerInfo" if zone is None else "ZoneInfo", zone).status == DENIED
        assert nobody.ask("EnumZones", TypeId.DWORD, 1).status == DENIED
        assert nobody.ask("EnumDirectoryPartitions", TypeId.DWORD, 0).status == DENIED
        assert nobody.ask("DirectoryPartitionInfo", TypeId.LPSTR, ZONE).status == DENIED
        assert nobody.ask("Statistics", TypeId.DWORD, 1).status == DENIED
        assert nobody.ask("Nonsense", TypeId.DWORD, 1).status == DENIED
        assert nobody.ask("QueryDwordProperty", TypeId.LPSTR, "Type", ZONE).status == DENIED
        for zone in (ZONE, "..RootHints", "..Cache", "nowhere.test"):
            assert nobody.enumerate(zone).status == DENIED


def test_plain_users_change_nothing(alice: DnsConsole) -> None:
    """Each way to change something, by somebody without a right to."""
    assert alice.create("mine.test") == DENIED
    assert alice.create("mine.test", 0, zone_type=2, ds_integrated=0) == DENIED
    assert alice.set_number("RoundRobin", 0) == DENIED
    assert alice.set_number("AllowUpdate", 1, ZONE) == DENIED
    assert alice.operate("Forwarders", None, TypeId.FORWARDERS, ForwardersLonghorn()) == DENIED
    for name in ("ClearCache", "StartScavenging", "ClearStatistics", "ServerLevelPluginDll", "Nonsense"):
        assert alice.operate(name) == DENIED, name
    for name in ("DeleteZoneFromDs", "DeleteZone", "ReloadZone", "PauseZone", "Nonsense"):
        assert alice.operate(name, ZONE) == DENIED, name
    assert alice.operate("ReloadZone", "..AllZones") == DENIED
    for name in ("DeleteNode", "DeleteRecordSet"):
        assert alice.operate(name, ZONE, TypeId.NAME_AND_PARAM, NameAndParam(255, "dc1")) == DENIED
    assert alice.update(ZONE, "mine", address("192.0.2.1")) == DENIED
    assert alice.update("..RootHints", ".", sent(DnsType.NS, NameData("evil.test"))) == DENIED
    assert alice.update("..Cache", "mine", address("192.0.2.1")) == DENIED


def test_no_operation_is_left_out(rpc_desk: RpcDesk, alice: DnsConsole) -> None:
    """Denied: each of the server and each of a zone, to users, machines and strangers."""
    corp = rpc_desk.corp
    corp.add("CN=pc1,CN=Computers", "computer", sAMAccountName="pc1$", userAccountControl="4096")
    machine = DnsConsole(rpc_desk, corp.token("pc1$"))
    for nobody in (alice, machine, DnsConsole(rpc_desk, ANONYMOUS)):
        for name in server_operations.OPERATIONS.keys() - {"zonecreate"}:  # that has to be given a zone
            assert nobody.operate(name) == DENIED, name
        for name in zone_operations.OPERATIONS:
            for zone in (ZONE, "..AllZones"):
                assert nobody.operate(name, zone) == DENIED, name


def test_dns_admins_manage_the_server_and_domain_wide_zones(rpc_desk: RpcDesk) -> None:
    """[MS-DNSP] 3.1.1: full control of DnsAdmins, by the containers' descriptors."""
    dora = managing(rpc_desk, "dora")
    assert dora.set_number("RoundRobin", 0) == OK
    assert dora.create("dora.test") == OK
    assert dora.update("dora.test", "one", address("192.0.2.1")) == OK
    assert dora.set_number("AllowUpdate", 2, "dora.test") == OK
    assert dora.operate("DeleteZoneFromDs", "dora.test") == OK
    assert dora.create("dora.test", 8) == DENIED  # the forest's partition is not theirs


def test_who_comes_in_does_what_the_directory_lets_them(rpc_desk: RpcDesk, alice: DnsConsole) -> None:
    """Phases 2 and 3: reading the server is not writing it; a zone's descriptor has the last word on it."""
    let_in(rpc_desk.corp, SERVER_DN, "(A;;RPLCRC;;;AU)")
    assert alice.query("ServerInfo").status == OK
    assert alice.query("ZoneInfo", ZONE).status == OK
    assert alice.set_number("RoundRobin", 0) == DENIED
    assert alice.operate("ClearCache") == DENIED
    assert alice.set_number("Aging", 1, ZONE) == DENIED
    assert alice.operate("DeleteZoneFromDs", ZONE) == DENIED
    assert alice.update(ZONE, "mine", address("192.0.2.1")) == OK  # authenticated users make names there
    assert alice.update(ZONE, "dc1", address("192.0.2.66")) == DENIED
    assert alice.create("mine.test") == DENIED


def test_a_zone_that_may_not_be_read_is_not_told(rpc_desk: RpcDesk, alice: DnsConsole) -> None:
    let_in(rpc_desk.corp, SERVER_DN, "(A;;RPLCRC;;;AU)")
    let_in(rpc_desk.corp, ZONE_DN, "(A;;GA;;;BA)")
    assert alice.query("ZoneInfo", ZONE).status == DENIED
    assert alice.enumerate(ZONE).status == DENIED
    assert alice.update(ZONE, "mine", address("192.0.2.1")) == DENIED


def test_zones_without_objects_are_the_server_s(rpc_desk: RpcDesk, alice: DnsConsole) -> None:
    """A copy of another server's zone is managed by those who manage the server."""
    dora = managing(rpc_desk, "dora")
    created = dora.create("copy.test", 0, zone_type=2, ds_integrated=0)
    assert created == Win32.DNS_ERROR_ZONE_REQUIRES_MASTER_IP
    let_in(rpc_desk.corp, SERVER_DN, "(A;;RPLCRC;;;AU)")
    assert alice.create("copy.test", 0, zone_type=2, ds_integrated=0) == DENIED
