"""Logons that members pass on: what is told of whom, what is counted, and whom nobody lets in."""

from dataclasses import replace
from typing import Final

import pytest

from addc.auth.secure_channels import ChannelType
from addc.base.ids import Dnt
from addc.codec.ndr import Tagged
from addc.codes.ntstatus import NtStatus
from addc.directory import accounts, names
from addc.directory.context import ReadContext
from addc.rpc.call import AuthLevel
from addc.rpc.interfaces.netlogon import idl
from addc.rpc.interfaces.netlogon.operations import SERVER
from addc.security import schannel
from tests.kit.corp import add_values, quoted, replace_values
from tests.kit.netlogon_member import HOST, MEMBER, USER_PASSWORD, Member, add_member
from tests.kit.rpc_desk import RpcDesk

PROTECTED_USERS: Final = 525


@pytest.fixture
def member(rpc_desk: RpcDesk) -> Member:
    add_member(rpc_desk)
    _user(rpc_desk, "alice", userPrincipalName="alice@corp.example", scriptPath="logon.cmd")
    return Member(rpc_desk).open()


def _user(desk: RpcDesk, name: str, password: str = USER_PASSWORD, **more: str) -> Dnt:
    return desk.corp.user(name, password, **more)


def _info(done: idl.NetrLogonSamLogonExResponse) -> idl.NetlogonSamInfo:
    value = done.validation_information.value
    if isinstance(value, idl.NetlogonSamInfo4 | idl.NetlogonSamInfo2):
        return value.base
    assert isinstance(value, idl.NetlogonSamInfo)
    return value


# --- good ones ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("level", [2, 3, 6])
def test_a_good_response_brings_the_session_key(member: Member, level: int) -> None:
    """W-NRPC-13: hidden with the channel's key in the older levels, as it is in level 6."""
    response = member.response("alice", USER_PASSWORD)
    done = member.logon(member.network("alice", response), level)
    assert (done.status, done.authoritative) == (NtStatus.STATUS_SUCCESS, 1)
    key = member.base_key("alice", USER_PASSWORD, response)
    told = _info(done).user_session_key
    assert told == (key if level == 6 else schannel.encrypted(member.key, key))


def test_what_a_member_is_told_of_a_user(member: Member) -> None:
    """[MS-NRPC] 2.2.1.4.13: names, groups, and times that never come."""
    done = member.log_on("alice", USER_PASSWORD)
    told = done.validation_information.value
    assert isinstance(told, idl.NetlogonSamInfo4)
    info, forest = told.base, member.desk.directory.forest
    assert (info.effective_name, info.logon_script) == ("alice", "logon.cmd")
    assert (info.logon_server, info.logon_domain_name) == (forest.host.upper(), forest.netbios)
    assert info.logon_domain_id == forest.domain_sid
    assert info.user_id == member.desk.corp.token("alice").user.rid()
    assert info.primary_group_id == 513
    assert [one.relative_id for one in info.group_ids or ()] == [513]
    assert info.logoff_time == info.kick_off_time == 0x7FFFFFFFFFFFFFFF
    assert info.user_account_control == 0x10
    assert info.user_flags & 0x100
    assert told.upn == "alice@corp.example"
    assert told.dns_logon_domain_name == forest.dns_domain.upper()


def test_extra_sids_hold_the_domains_local_groups(member: Member) -> None:
    """[MS-PAC] 2.2.1: they stand as resource groups."""
    corp = member.desk.corp
    local = corp.group("printers", kind=-2147483644)
    _join(member, "printers", "alice")
    told = member.log_on("alice", USER_PASSWORD, 3).validation_information.value
    assert isinstance(told, idl.NetlogonSamInfo2)
    assert [(one.sid, one.attributes) for one in told.extra_sids or ()] == [(corp.sid(local), 0x20000007)]
    assert told.base.user_flags & 0x20


def _join(member: Member, group: str, user: str) -> None:
    corp = member.desk.corp
    corp.modify(_dn(member, group), add_values("member", _dn(member, user)))


def _dn(member: Member, name: str) -> str:
    def found(ctx: ReadContext) -> str:
        row = accounts.row_by_sam(ctx, name)
        assert row is not None
        return names.dn_of_row(ctx, row)

    return member.desk.corp.read(found)


def test_a_password_at_the_console(member: Member) -> None:
    """[MS-NRPC] 3.5.4.5.1: its hash comes hidden with the channel's key."""
    done = member.logon(member.interactive("alice", USER_PASSWORD), 3)
    assert done.status is NtStatus.STATUS_SUCCESS
    assert _info(done).user_session_key == bytes(16)


def test_logons_with_an_authenticator(member: Member) -> None:
    """[MS-NRPC] 3.5.4.5.2, 3.5.4.5.3: refused ones move the chain on too."""
    good = member.network("alice", member.response("alice", USER_PASSWORD))
    bad = member.network("alice", member.response("alice", "wrong"))
    for information, status in (
        (bad, NtStatus.STATUS_WRONG_PASSWORD),
        (good, NtStatus.STATUS_SUCCESS),
    ):
        request = idl.NetrLogonSamLogonWithFlags(
            HOST, MEMBER, member.authenticator(), idl.NO_AUTHENTICATOR, 2, information, 6, 8
        )
        done = member.client.call(SERVER, request, idl.NetrLogonSamLogonWithFlagsResponse)
        assert (done.status, done.extra_flags) == (status, 8)
        assert member.took(done.return_authenticator)
    plain = idl.NetrLogonSamLogon(HOST, MEMBER, member.authenticator(), idl.NO_AUTHENTICATOR, 2, good, 3)
    last = member.client.call(SERVER, plain, idl.NetrLogonSamLogonResponse)
    assert last.status is NtStatus.STATUS_SUCCESS
    assert member.took(last.return_authenticator)


def test_a_logon_is_noted(member: Member) -> None:
    """[MS-SAMR] 3.1.5.14.6."""
    member.log_on("alice", USER_PASSWORD)
    dnt = member.desk.corp.read(lambda ctx: _dnt(ctx, "alice"))
    assert int(member.desk.corp.text(dnt, "lastLogon")) == int(member.desk.clock.now())


def _dnt(ctx: ReadContext, name: str) -> Dnt:
    found = accounts.find_by_sam(ctx, name)
    assert found is not None
    return found.dnt


# --- refused ones ------------------------------------------------------------------------------------------


def test_a_wrong_password_is_counted_and_locks_out(member: Member) -> None:
    """[MS-SAMR] 3.1.5.14.6: the same counters as of every other protocol."""
    corp = member.desk.corp
    corp.modify(member.desk.directory.forest.domain_dn, replace_values("lockoutThreshold", "3"))
    for _ in range(3):
        assert member.log_on("alice", "wrong").status is NtStatus.STATUS_WRONG_PASSWORD
    assert member.log_on("alice", USER_PASSWORD).status is NtStatus.STATUS_ACCOUNT_LOCKED_OUT
    locked = member.logon(member.interactive("alice", USER_PASSWORD), 3)
    assert locked.status is NtStatus.STATUS_ACCOUNT_LOCKED_OUT


def test_a_wrong_hash_at_the_console_is_a_guess(member: Member) -> None:
    done = member.logon(member.interactive("alice", "wrong"), 3)
    assert done.status is NtStatus.STATUS_WRONG_PASSWORD
    dnt = member.desk.corp.read(lambda ctx: _dnt(ctx, "alice"))
    assert member.desk.corp.text(dnt, "badPwdCount") == "1"


def test_the_two_passwords_before_are_no_guesses_at_the_console(member: Member) -> None:
    """[MS-SAMR] 3.1.5.14.6: as over the network; the third is one."""
    dnt = member.desk.corp.read(lambda ctx: _dnt(ctx, "alice"))
    for number in range(3):
        new = replace_values("unicodePwd", quoted(f"N3w.Passw0rd{number}"))
        member.desk.corp.modify(_dn(member, "alice"), new)
    for password, count in (("N3w.Passw0rd1", ""), ("N3w.Passw0rd0", ""), (USER_PASSWORD, "1")):
        done = member.logon(member.interactive("alice", password), 3)
        assert done.status is NtStatus.STATUS_WRONG_PASSWORD
        assert member.desk.corp.text(dnt, "badPwdCount").strip("0") == count


def test_unknown_users_and_domains(member: Member) -> None:
    """W-NRPC-13: of another domain the member may know better."""
    ours = member.log_on("nobody", "x")
    assert (ours.status, ours.authoritative) == (NtStatus.STATUS_NO_SUCH_USER, 1)
    response = member.response("alice", USER_PASSWORD, "ELSEWHERE")
    theirs = member.logon(member.network("alice", response, "ELSEWHERE"))
    assert (theirs.status, theirs.authoritative) == (NtStatus.STATUS_NO_SUCH_USER, 0)
    assert theirs.validation_information == Tagged(6, None)


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ({"userAccountControl": "514"}, NtStatus.STATUS_ACCOUNT_DISABLED),
        ({"accountExpires": "1"}, NtStatus.STATUS_ACCOUNT_EXPIRED),
        ({"userWorkstations": "OTHER"}, NtStatus.STATUS_INVALID_WORKSTATION),
        ({"pwdLastSet": "0"}, NtStatus.STATUS_PASSWORD_MUST_CHANGE),
    ],
)
def test_whom_the_rules_keep_out(member: Member, more: dict[str, str], status: NtStatus) -> None:
    """[MS-APDS] 3.1.5.2, [MS-SAMR] 3.1.5.14.6: network and interactive logons alike."""
    _user(member.desk, "bob")
    changes = [replace_values(name, value) for name, value in more.items()]
    member.desk.corp.modify(_dn(member, "bob"), *changes)
    assert member.log_on("bob", USER_PASSWORD).status is status
    assert member.logon(member.interactive("bob", USER_PASSWORD), 3).status is status


def test_protected_users_log_on_by_kerberos_alone(member: Member) -> None:
    """[MS-APDS] 3.1.5.1, 3.1.5.2."""
    _join(member, "Protected Users", "alice")
    for done in (
        member.log_on("alice", USER_PASSWORD),
        member.logon(member.interactive("alice", USER_PASSWORD), 3),
    ):
        assert done.status is NtStatus.STATUS_ACCOUNT_RESTRICTION


def test_computers_log_on_where_the_member_lets_them(member: Member) -> None:
    """[MS-APDS] 3.1.5.2: the K bit of ParameterControl."""
    add_member(member.desk, "WS2", "p4ssword of ws2")
    response = member.response("WS2$", "p4ssword of ws2")
    refused = member.logon(member.network("WS2$", response))
    assert refused.status is NtStatus.STATUS_NOLOGON_WORKSTATION_TRUST_ACCOUNT
    assert member.logon(member.network("WS2$", response, control=0x800)).status is NtStatus.STATUS_SUCCESS


@pytest.mark.parametrize("server", [("CORP", "FILES1"), ("EVIL", MEMBER)])
def test_a_response_for_another_server_is_refused(member: Member, server: tuple[str, str]) -> None:
    """[MS-APDS] 3.1.5.2: who passes it on has to be who asked for it (CVE-2015-0005)."""
    response = member.response("alice", USER_PASSWORD, server=server)
    done = member.logon(member.network("alice", response))
    assert (done.status, done.validation_information.value) == (NtStatus.STATUS_LOGON_FAILURE, None)


def test_ntlm_version_1_is_refused(member: Member) -> None:
    done = member.logon(member.network("alice", bytes(24)))
    assert done.status is NtStatus.STATUS_WRONG_PASSWORD


@pytest.mark.parametrize(("logon_level", "level"), [(2, 5), (2, 4), (2, 1), (2, 7), (4, 3), (8, 7), (8, 6)])
def test_levels_that_do_not_go_together(member: Member, logon_level: int, level: int) -> None:
    """[MS-NRPC] 3.5.4.5.1; W-NRPC-14: tickets get STATUS_INVALID_INFO_CLASS, so members fall back."""
    information: dict[int, object] = {
        2: member.network("alice", b"").value,
        4: member.generic("Kerberos", b"").value,
        8: idl.NetlogonTicketLogonInfo(member.identity("", None), 0, b"ticket", None),
    }
    done = member.logon(Tagged(logon_level, information[logon_level]), level)
    assert done.status is NtStatus.STATUS_INVALID_INFO_CLASS


def test_unknown_levels_leave_the_chain_alone(member: Member) -> None:
    """[MS-NRPC] 3.5.4.5.1: what cannot be meant is refused before the authenticator is looked at."""
    for level, wanted, status in (
        (2, 52, NtStatus.STATUS_INVALID_INFO_CLASS),
        (52, 3, NtStatus.STATUS_INVALID_PARAMETER),
    ):
        value = member.network("alice", b"").value if level == 2 else b""
        request = idl.NetrLogonSamLogon(
            HOST, MEMBER, idl.NO_AUTHENTICATOR, idl.NO_AUTHENTICATOR, level, Tagged(level, value), wanted
        )
        done = member.client.call(SERVER, request, idl.NetrLogonSamLogonResponse)
        assert (done.status, done.return_authenticator) == (status, idl.NO_AUTHENTICATOR)
    assert member.took(member.capabilities().return_authenticator)


def test_no_information_at_all(member: Member) -> None:
    assert member.logon(Tagged(2, None), 6).status is NtStatus.STATUS_INVALID_PARAMETER


@pytest.mark.parametrize("name", [None, "\\\\OTHER"])
def test_a_logon_is_for_this_server(member: Member, name: str | None) -> None:
    """W-NRPC-13: LogonServer."""
    request = idl.NetrLogonSamLogonEx(name, MEMBER, 2, member.network("alice", b""), 6, 0)
    done = member.client.call(SERVER, request, idl.NetrLogonSamLogonExResponse)
    assert done.status is NtStatus.STATUS_INVALID_COMPUTER_NAME


@pytest.mark.parametrize("level", [AuthLevel.INTEGRITY, AuthLevel.NONE])
def test_logons_come_sealed(member: Member, level: AuthLevel) -> None:
    """[MS-NRPC] 3.1.4.6 (CVE-2022-38023)."""
    member.client = replace(member.client, security=replace(member.client.security, level=level))
    assert member.log_on("alice", USER_PASSWORD).status is NtStatus.STATUS_ACCESS_DENIED


# --- generic pass-through ----------------------------------------------------------------------------------


def test_pacs_are_verified_by_whoever_has_the_key(member: Member) -> None:
    """W-NRPC-15."""
    seen: list[bytes] = []

    def verify(_: ReadContext, message: bytes) -> NtStatus:
        seen.append(message)
        return NtStatus.STATUS_SUCCESS if message == b"good" else NtStatus.STATUS_LOGON_FAILURE

    member.desk.host.verify_pac = verify
    good = member.logon(member.generic("Kerberos", b"good"), 5)
    bad = member.logon(member.generic("Kerberos", b"bad!"), 5)
    assert (good.status, bad.status) == (NtStatus.STATUS_SUCCESS, NtStatus.STATUS_LOGON_FAILURE)
    assert good.validation_information == Tagged(5, idl.NetlogonGenericInfo2(None))
    assert seen == [b"good", b"bad!"]


def test_digests_are_not_judged(member: Member) -> None:
    member.desk.host.verify_pac = lambda ctx, message: NtStatus.STATUS_SUCCESS
    assert member.logon(member.generic("WDigest", b"x"), 5).status is NtStatus.STATUS_NO_SUCH_PACKAGE


# --- logging off -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("domain", "level", "status"),
    [
        ("CORP", 1, NtStatus.STATUS_SUCCESS),
        ("CORP", 2, NtStatus.STATUS_INVALID_INFO_CLASS),
        ("ELSEWHERE", 1, NtStatus.STATUS_NO_SUCH_DOMAIN),
    ],
)
def test_logging_off(member: Member, domain: str, level: int, status: NtStatus) -> None:
    """[MS-NRPC] 3.5.4.5.4."""
    information = (
        member.interactive("alice", "x", domain) if level == 1 else member.network("alice", b"", domain)
    )
    request = idl.NetrLogonSamLogoff(
        HOST, MEMBER, member.authenticator(), idl.NO_AUTHENTICATOR, level, information
    )
    done = member.client.call(SERVER, request, idl.NetrLogonSamLogoffResponse)
    assert done.status is status
    assert member.took(done.return_authenticator)


def test_a_dc_may_pass_on_what_others_asked_for(rpc_desk: RpcDesk) -> None:
    """[MS-APDS] 3.1.5.2 is about members; DCs forward the responses of theirs."""
    add_member(rpc_desk, "DC9", "p4ssword of dc9", uac=0x2000)
    _user(rpc_desk, "alice")
    dc = Member(rpc_desk, "DC9", "p4ssword of dc9", int(ChannelType.SERVER)).open()
    response = dc.response("alice", USER_PASSWORD, server=("CORP", "FILES1"))
    assert dc.logon(dc.network("alice", response)).status is NtStatus.STATUS_SUCCESS


# --- NetApp ------------------------------------------------------------------------------------------------

BROKEN: Final = bytes.fromhex("b418badc2c38fd5bfb0ec1851ecc92bb")
"""A pair that is longer than what there is."""


def test_a_response_whose_names_break_off_is_taken(member: Member) -> None:
    """Samba bug 14932: NetApp's filers pass such ones on."""
    response = member.response("alice", USER_PASSWORD, tail=BROKEN)
    assert member.logon(member.network("alice", response)).status is NtStatus.STATUS_SUCCESS


def test_names_before_the_break_are_still_looked_at(member: Member) -> None:
    response = member.response("alice", USER_PASSWORD, server=("CORP", "OTHER"), tail=BROKEN)
    assert member.logon(member.network("alice", response)).status is not NtStatus.STATUS_SUCCESS
