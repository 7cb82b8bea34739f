"""What Netlogon tells of the domain and its DCs, what it writes down of machines, and who may ask it."""

from typing import Final

import pytest

from addc.auth.secure_channels import ChannelType
from addc.codec.ndr import Tagged
from addc.codes.ntstatus import NtStatus
from addc.codes.win32 import Win32
from addc.directory import accounts, entry
from addc.directory.context import ReadContext
from addc.rpc.interfaces.netlogon import idl
from addc.rpc.interfaces.netlogon.locator import GetDc
from addc.rpc.interfaces.netlogon.operations import SERVER
from addc.schema import attr
from addc.security import schannel, time_signing
from addc.security.token import ANONYMOUS, Token
from tests.kit.corp_sites import FIRST, add_link, add_site
from tests.kit.netlogon_member import HOST, MEMBER_PASSWORD, Member, add_member, hash_of
from tests.kit.rpc_desk import CLEAR, RpcDesk

USER: Final = "alice"
"""Nobody special."""


@pytest.fixture
def user(rpc_desk: RpcDesk) -> Token:
    rpc_desk.corp.user(USER, "Us3r of the domain!")
    return rpc_desk.corp.token(USER)


@pytest.fixture
def member(rpc_desk: RpcDesk) -> Member:
    add_member(rpc_desk)
    return Member(rpc_desk).open()


# --- locator -----------------------------------------------------------------------------------------------


def _dc(desk: RpcDesk, token: Token, domain: str | None, flags: int = 0, site: str | None = None) -> object:
    request = idl.DsrGetDcNameEx2(None, None, 0, domain, None, site, flags)
    return desk.call(SERVER, request, idl.DsrGetDcNameEx2Response, token=token)


@pytest.mark.parametrize("domain", [None, "", "corp.example.com", "CORP", "Corp.Example.Com"])
def test_the_dc_of_this_domain_is_this_one(rpc_desk: RpcDesk, user: Token, domain: str | None) -> None:
    done = _dc(rpc_desk, user, domain)
    assert isinstance(done, idl.DsrGetDcNameEx2Response)
    assert done.status is Win32.ERROR_SUCCESS
    info = done.domain_controller_info
    assert info is not None
    assert info.domain_guid == rpc_desk.directory.forest.domain_guid
    assert (info.domain_controller_name or "").lower().startswith("\\\\dc1")


@pytest.mark.parametrize(
    ("domain", "flags", "site", "status"),
    [
        ("elsewhere.example", 0, None, Win32.ERROR_NO_SUCH_DOMAIN),
        (None, 0, "Mars", Win32.ERROR_NO_SUCH_DOMAIN),
        (None, 0xC000_0000, None, Win32.ERROR_INVALID_FLAGS),
        (None, 0x0000_0004, None, Win32.ERROR_INVALID_FLAGS),
        (None, 0x0000_0080 | 0x0000_0400, None, Win32.ERROR_INVALID_FLAGS),
    ],
)
def test_what_no_dc_fits(
    rpc_desk: RpcDesk, user: Token, domain: str | None, flags: int, site: str | None, status: Win32
) -> None:
    done = _dc(rpc_desk, user, domain, flags, site)
    assert isinstance(done, idl.DsrGetDcNameEx2Response)
    assert (done.status, done.domain_controller_info) == (status, None)


def test_nobody_anonymous_is_told_of_dcs(rpc_desk: RpcDesk) -> None:
    """2025's answer to unauthenticated denial of service through DsrGetDcName (W-NRPC)."""
    done = rpc_desk.call(
        SERVER,
        idl.DsrGetDcNameEx2(None, None, 0, None, None, None, 0),
        idl.DsrGetDcNameEx2Response,
        token=ANONYMOUS,
        security=CLEAR,
    )
    assert done.status is Win32.ERROR_ACCESS_DENIED


def test_the_site_of_the_dc(rpc_desk: RpcDesk, user: Token) -> None:
    done = rpc_desk.call(SERVER, idl.DsrGetSiteName(None), idl.DsrGetSiteNameResponse, token=user)
    assert done.site_name == rpc_desk.directory.forest.site
    covered = rpc_desk.call(
        SERVER, idl.DsrGetDcSiteCoverageW(None), idl.DsrGetDcSiteCoverageWResponse, token=user
    )
    assert covered.site_names is not None


def test_a_site_that_this_dc_covers_leads_to_it(rpc_desk: RpcDesk, user: Token) -> None:
    """Its DNS names at that site are what the locator asks for, 3.5.4.3.1."""
    add_site(rpc_desk.corp, "Aix", "198.51.100.0/24")
    done = _dc(rpc_desk, user, None, site="Aix")
    assert isinstance(done, idl.DsrGetDcNameEx2Response) and done.status is Win32.ERROR_NO_SUCH_DOMAIN
    add_link(rpc_desk.corp, "a", 10, "Aix", FIRST)
    done = _dc(rpc_desk, user, None, site="aix")
    assert isinstance(done, idl.DsrGetDcNameEx2Response) and done.domain_controller_info is not None
    assert done.domain_controller_info.dc_site_name == FIRST
    next_closest = _dc(rpc_desk, user, None, int(GetDc.TRY_NEXTCLOSEST_SITE))
    assert isinstance(next_closest, idl.DsrGetDcNameEx2Response) and not next_closest.status
    clash = _dc(rpc_desk, user, None, int(GetDc.TRY_NEXTCLOSEST_SITE), "Aix")
    assert isinstance(clash, idl.DsrGetDcNameEx2Response) and clash.status is Win32.ERROR_INVALID_FLAGS
    covered = rpc_desk.call(
        SERVER, idl.DsrGetDcSiteCoverageW(None), idl.DsrGetDcSiteCoverageWResponse, token=user
    )
    assert covered.site_names is not None
    assert [one.text for one in covered.site_names.site_names or ()] == [FIRST, "Aix"]


def test_another_servers_name_is_not_answered_for(rpc_desk: RpcDesk, user: Token) -> None:
    done = rpc_desk.call(SERVER, idl.DsrGetSiteName("\\\\DC9"), idl.DsrGetSiteNameResponse, token=user)
    assert done.status is Win32.ERROR_INVALID_COMPUTERNAME


# --- trusts ------------------------------------------------------------------------------------------------


def _trusts(desk: RpcDesk, token: Token, flags: int = 0x3F) -> list[str | None]:
    done = desk.call(
        SERVER, idl.DsrEnumerateDomainTrusts(None, flags), idl.DsrEnumerateDomainTrustsResponse, token=token
    )
    assert done.status is Win32.ERROR_SUCCESS
    return [one.netbios_domain_name for one in done.domains.domains or ()]


def test_the_domain_stands_among_the_trusts(rpc_desk: RpcDesk, user: Token) -> None:
    assert _trusts(rpc_desk, user) == ["CORP"]


def test_members_learn_of_trusts_before_they_have_a_channel(rpc_desk: RpcDesk, user: Token) -> None:
    """Joins ask over a pipe that SMB alone protects."""
    assert _trusts(rpc_desk, user, 1) == ["CORP"]


# --- what a machine tells of itself ------------------------------------------------------------------------


def _told(
    member: Member, host: str = "ws1.corp.example.com", flags: int = 0
) -> idl.NetrLogonGetDomainInfoResponse:
    info = idl.NetlogonWorkstationInfo(
        idl.NetlogonLsaPolicyInfo(),
        host,
        None,
        None,
        None,
        None,
        None,
        None,
        "Windows 11 Enterprise",
        None,
        None,
        flags,
        0,
    )
    request = idl.NetrLogonGetDomainInfo(
        HOST, member.name, member.authenticator(), idl.NO_AUTHENTICATOR, 1, Tagged(1, info)
    )
    return member.client.call(SERVER, request, idl.NetrLogonGetDomainInfoResponse)


def _machine(desk: RpcDesk) -> tuple[str | None, str | None, list[str]]:
    def read(ctx: ReadContext) -> tuple[str | None, str | None, list[str]]:
        row = accounts.row_by_sam(ctx, "WS1$")
        assert row is not None
        return (
            entry.text(row, attr.OPERATING_SYSTEM),
            entry.text(row, attr.DNS_HOST_NAME),
            sorted(entry.texts(row, attr.SERVICE_PRINCIPAL_NAME)),
        )

    return desk.corp.read(read)


def test_a_machine_has_its_names_written_down(rpc_desk: RpcDesk, member: Member) -> None:
    done = _told(member)
    assert done.status is NtStatus.STATUS_SUCCESS
    assert member.took(done.return_authenticator)
    domain = done.dom_buffer.value
    assert isinstance(domain, idl.NetlogonDomainInfo)
    assert domain.primary_domain.dns_domain_name == "corp.example.com."
    assert [one.dns_domain_name for one in domain.trusted_domains or ()] == ["corp.example.com"]
    system, host, names = _machine(rpc_desk)
    assert (system, host) == ("Windows 11 Enterprise", "ws1.corp.example.com")
    assert [one.lower() for one in names] == ["host/ws1", "host/ws1.corp.example.com"]


def test_a_machine_that_minds_its_names_itself_keeps_them(rpc_desk: RpcDesk, member: Member) -> None:
    assert _told(member, flags=2).status is NtStatus.STATUS_SUCCESS
    assert _machine(rpc_desk) == ("Windows 11 Enterprise", None, [])


@pytest.mark.parametrize("host", ["dc1.corp.example.com", "ws1.elsewhere.example", "ws1"])
def test_a_machine_gets_no_name_that_is_not_its_own(rpc_desk: RpcDesk, member: Member, host: str) -> None:
    """CVE-2022-26923's way in: a machine that is called like a DC."""
    assert _told(member, host).status is NtStatus.STATUS_SUCCESS
    assert _machine(rpc_desk)[1:] == (None, [])


def test_a_machine_without_a_channel_is_told_nothing(rpc_desk: RpcDesk, member: Member) -> None:
    member.stored = bytes(8)
    assert _told(member).status is NtStatus.STATUS_ACCESS_DENIED
    assert _machine(rpc_desk) == (None, None, [])


# --- control -----------------------------------------------------------------------------------------------


def _control(desk: RpcDesk, token: Token, function: int, level: int, name: str | None = None) -> Tagged:
    data: str | int | bytes | None = b""
    if function in (5, 6, 8, 9, 10):
        data = name
    elif function == 0xFFFE:
        data = 0
    request = idl.NetrLogonControl2Ex(None, function, level, Tagged(function, data))
    done = desk.call(SERVER, request, idl.NetrLogonControl2ExResponse, token=token)
    return Tagged(int(done.status), done.buffer.value)


def test_everybody_may_ask_how_netlogon_is(rpc_desk: RpcDesk, user: Token) -> None:
    done = _control(rpc_desk, user, 1, 1)
    assert done.tag == Win32.ERROR_SUCCESS
    assert isinstance(done.value, idl.NetlogonInfo1)


@pytest.mark.parametrize("function", [5, 9, 0xA, 0xFFFE])
def test_only_administrators_control_netlogon(rpc_desk: RpcDesk, user: Token, function: int) -> None:
    name = None if function == 0xFFFE else "CORP"
    level = 2 if function in (5, 0xA) else 1
    assert _control(rpc_desk, user, function, level, name).tag == Win32.ERROR_ACCESS_DENIED


def test_this_domains_channel_is_always_there(rpc_desk: RpcDesk, user: Token) -> None:
    done = _control(rpc_desk, user, 6, 2, "CORP")
    assert done.tag == Win32.ERROR_SUCCESS
    assert isinstance(done.value, idl.NetlogonInfo2)


@pytest.mark.parametrize(
    ("function", "level", "status"),
    [
        (1, 0, Win32.ERROR_INVALID_LEVEL),
        (1, 5, Win32.ERROR_INVALID_LEVEL),
        (1, 2, Win32.ERROR_INVALID_PARAMETER),
        (1, 4, Win32.ERROR_INVALID_PARAMETER),
        (2, 1, Win32.ERROR_NOT_SUPPORTED),
        (0xFFFF, 1, Win32.ERROR_NOT_SUPPORTED),
    ],
)
def test_controls_that_do_not_go_together(
    rpc_desk: RpcDesk, function: int, level: int, status: Win32
) -> None:
    assert _control(rpc_desk, rpc_desk.corp.admin, function, level).tag == status


# --- between DCs -------------------------------------------------------------------------------------------


def _rid(desk: RpcDesk, name: str) -> int:
    def read(ctx: ReadContext) -> int:
        found = accounts.find_by_sam(ctx, name)
        assert found is not None
        return found.sid.rid()

    return desk.corp.read(read)


def _digest(desk: RpcDesk, token: Token, rid: int) -> idl.NetrLogonComputeServerDigestResponse:
    request = idl.NetrLogonComputeServerDigest(None, rid, b"a time reply")
    return desk.call(SERVER, request, idl.NetrLogonComputeServerDigestResponse, token=token)


def test_administrators_have_digests_made(rpc_desk: RpcDesk) -> None:
    add_member(rpc_desk)
    done = _digest(rpc_desk, rpc_desk.corp.admin, _rid(rpc_desk, "WS1$"))
    expected = time_signing.insecure_digest(hash_of(MEMBER_PASSWORD), b"a time reply")
    assert (done.new_message_digest, done.old_message_digest) == (expected, expected)


def test_nobody_else_has_digests_made(rpc_desk: RpcDesk, user: Token) -> None:
    """A digest is enough to guess a password by."""
    add_member(rpc_desk)
    assert _digest(rpc_desk, user, _rid(rpc_desk, "WS1$")).status is Win32.ERROR_ACCESS_DENIED


def test_no_digest_is_made_of_a_users_password(rpc_desk: RpcDesk) -> None:
    done = _digest(rpc_desk, rpc_desk.corp.admin, 500)
    assert (done.status, done.new_message_digest) == (Win32.ERROR_NO_SUCH_USER, bytes(16))


def test_only_dcs_send_messages_to_sam(member: Member) -> None:
    request = idl.NetrLogonSendToSam(
        HOST, member.name, member.authenticator(), b"\1\0\0\0\x10\0\0\0" + bytes(16)
    )
    done = member.client.call(SERVER, request, idl.NetrLogonSendToSamResponse)
    assert done.status is NtStatus.STATUS_ACCESS_DENIED
    assert member.took(done.return_authenticator)


def test_a_full_dc_forwards_no_reset_of_an_unknown_account(rpc_desk: RpcDesk) -> None:
    add_member(rpc_desk, "DC2", uac=0x2000)
    dc = Member(rpc_desk, "DC2", kind=int(ChannelType.SERVER)).open()
    message = schannel.encrypted(dc.key, b"\1\0\0\0\x10\0\0\0" + bytes(16))
    request = idl.NetrLogonSendToSam(HOST, "DC2", dc.authenticator(), message)
    done = dc.client.call(SERVER, request, idl.NetrLogonSendToSamResponse)
    assert done.status is NtStatus.STATUS_ACCESS_DENIED
    assert dc.took(done.return_authenticator)


def test_lan_manager_s_calls_are_not_implemented(rpc_desk: RpcDesk) -> None:
    """[MS-NRPC] 3.5.4.10."""
    none = idl.NO_AUTHENTICATOR
    deltas = idl.NetrAccountDeltas(None, "X", none, none, idl.UasInfo0(), 1, 0, 0xFFFF_FFFF)
    refused = rpc_desk.call(SERVER, deltas, idl.NetrAccountDeltasResponse, token=rpc_desk.corp.admin)
    assert refused == idl.NetrAccountDeltasResponse(status=NtStatus.STATUS_NOT_IMPLEMENTED)
    sync = idl.NetrAccountSync(None, "X", none, none, 1, 0, 9)
    again = rpc_desk.call(SERVER, sync, idl.NetrAccountSyncResponse, token=rpc_desk.corp.admin)
    assert again == idl.NetrAccountSyncResponse(status=NtStatus.STATUS_NOT_IMPLEMENTED)
