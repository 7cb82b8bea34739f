"""Netlogon's calls about the records of DCs. Spec: [MS-NRPC] 3.5.4.3.7, 3.5.4.3.10, 3.5.4.3.11, 3.5.4.9.1."""

import pytest

from addc.auth.secure_channels import ChannelType
from addc.codec.dns_rdata import DnsRecord, DnsType, SrvData
from addc.codec.ndr import Tagged
from addc.codes.ntstatus import NtStatus
from addc.codes.win32 import Win32
from addc.directory import dns_locator
from addc.directory.context import ReadContext, WriteContext
from addc.directory.dns_node import Records
from addc.directory.dns_records import records_at, write_nodes
from addc.directory.dns_zones import zone_named
from addc.rpc.interfaces.netlogon import idl
from addc.rpc.interfaces.netlogon.operations import SERVER
from addc.security.token import SYSTEM, Token
from tests.kit.corp import replace_values
from tests.kit.corp_forest import CONFIG_DN
from tests.kit.netlogon_member import MEMBER_PASSWORD, Member, add_member
from tests.kit.rpc_desk import RpcDesk

ZONE = "corp.example.com"
SITES = f"CN=Sites,{CONFIG_DN}"
SRV = DnsRecord(DnsType.SRV, SrvData(0, 100, 389, "dc2.corp.example.com"), 600)


@pytest.fixture
def user(rpc_desk: RpcDesk) -> Token:
    rpc_desk.corp.user("alice", "Us3r of the domain!")
    return rpc_desk.corp.token("alice")


def at(desk: RpcDesk, relative: str) -> Records:
    def work(ctx: ReadContext) -> Records:
        zone = zone_named(ctx, ZONE)
        assert zone is not None
        return records_at(ctx, zone, relative)

    return desk.corp.read(work)


def put(desk: RpcDesk, relative: str) -> None:
    def work(ctx: WriteContext) -> None:
        zone = zone_named(ctx, ZONE)
        assert zone is not None
        write_nodes(ctx, zone, {relative: (*records_at(ctx, zone, relative), SRV)})

    desk.corp.write(work, SYSTEM)


def test_coverage_tells_the_sites_that_are_covered_too(rpc_desk: RpcDesk, user: Token) -> None:
    link = f"CN=DEFAULTIPSITELINK,CN=IP,CN=Inter-Site Transports,{SITES}"
    first = f"CN=Default-First-Site-Name,{SITES}"
    rpc_desk.corp.add(f"CN=Branch,{SITES}", "site")
    rpc_desk.corp.modify(link, replace_values("siteList", first, f"CN=Branch,{SITES}"))
    told = rpc_desk.call(
        SERVER, idl.DsrGetDcSiteCoverageW(None), idl.DsrGetDcSiteCoverageWResponse, token=user
    )
    assert told.site_names is not None
    names = [one.text for one in told.site_names.site_names or ()]
    assert names == ["Default-First-Site-Name", "Branch"]


def _deregister(desk: RpcDesk, token: Token) -> Win32:
    request = idl.DsrDeregisterDnsHostRecords(None, None, None, None, "dc2.corp.example.com")
    return desk.call(SERVER, request, idl.DsrDeregisterDnsHostRecordsResponse, token=token).status


def test_the_records_of_a_dc_end_for_administrators(rpc_desk: RpcDesk) -> None:
    put(rpc_desk, "_ldap._tcp")
    assert len(at(rpc_desk, "_ldap._tcp")) == 2
    assert _deregister(rpc_desk, rpc_desk.corp.admin) is Win32.ERROR_SUCCESS
    assert len(at(rpc_desk, "_ldap._tcp")) == 1


def test_nobody_else_ends_records(rpc_desk: RpcDesk, user: Token) -> None:
    put(rpc_desk, "_ldap._tcp")
    assert _deregister(rpc_desk, user) is Win32.ERROR_ACCESS_DENIED
    assert len(at(rpc_desk, "_ldap._tcp")) == 2


def _control(desk: RpcDesk, token: Token) -> Win32:
    request = idl.NetrLogonControl2(None, 0xB, 1, Tagged(0xB, b""))
    return desk.call(SERVER, request, idl.NetrLogonControl2Response, token=token).status


def test_administrators_have_the_records_registered_again(rpc_desk: RpcDesk, user: Token) -> None:
    def due(ctx: ReadContext) -> bool:
        return bool(ctx.tx.due(dns_locator.KIND, ctx.now + 1, 1))

    assert _control(rpc_desk, user) is Win32.ERROR_ACCESS_DENIED
    assert not rpc_desk.corp.read(due)
    assert _control(rpc_desk, rpc_desk.corp.admin) is Win32.ERROR_SUCCESS
    assert rpc_desk.directory.read_now("test", SYSTEM, due)


def _update(member: Member, *wanted: idl.NlDnsNameInfo) -> idl.DsrUpdateReadOnlyServerDnsRecordsResponse:
    request = idl.DsrUpdateReadOnlyServerDnsRecords(
        None, member.name, member.authenticator(), "Branch", 600, idl.NlDnsNameInfoArray(wanted)
    )
    return member.client.call(SERVER, request, idl.DsrUpdateReadOnlyServerDnsRecordsResponse)


AT_SITE = idl.NlDnsNameInfo(22, ZONE, 1, 0, 100, 389, 1, 0)


def test_a_workstation_has_no_records_of_dcs_registered(rpc_desk: RpcDesk) -> None:
    add_member(rpc_desk)
    told = _update(Member(rpc_desk).open(), AT_SITE)
    assert told.status is NtStatus.STATUS_NOT_SUPPORTED
    assert not at(rpc_desk, "_ldap._tcp.Branch._sites")


def test_a_read_only_dc_has_its_site_registered_and_no_other(rpc_desk: RpcDesk) -> None:
    corp = rpc_desk.corp
    add_member(rpc_desk, "RODC1", MEMBER_PASSWORD, 0x5001000)
    corp.modify("CN=RODC1,CN=Computers", replace_values("dNSHostName", "rodc1.corp.example.com"))
    server = f"CN=RODC1,CN=Servers,CN=Branch,{SITES}"
    corp.add(f"CN=Branch,{SITES}", "site")
    corp.add(f"CN=Servers,CN=Branch,{SITES}", "serversContainer", SYSTEM)
    corp.add(server, "server", SYSTEM, values={"dNSHostName": "rodc1.corp.example.com"})
    corp.add(f"CN=NTDS Settings,{server}", "nTDSDSARO", SYSTEM)
    member = Member(rpc_desk, "RODC1", kind=int(ChannelType.CDC_SERVER)).open()
    told = _update(member, AT_SITE, idl.NlDnsNameInfo(10, ZONE, 1, 0, 100, 389, 1, 0))
    assert told.status is NtStatus.STATUS_SUCCESS
    assert [one.status for one in told.dns_names.dns_names_info or ()] == [0, NtStatus.STATUS_NOT_SUPPORTED]
    (record,) = at(rpc_desk, "_ldap._tcp.Branch._sites")
    assert record.data == SrvData(0, 100, 389, "rodc1.corp.example.com")
