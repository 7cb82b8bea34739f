"""Secure channels: proofs, the chain of authenticators, and everything that is refused."""

from dataclasses import replace

import pytest

from addc.auth.secure_channels import ChannelType, NegotiateFlags
from addc.base.secret import Secret
from addc.codes.nca import NcaStatus
from addc.codes.ntstatus import NtStatus
from addc.rpc.call import AuthLevel, AuthType, CallSecurity, RpcFault
from addc.rpc.interfaces.netlogon import idl
from addc.rpc.interfaces.netlogon.operations import SERVER
from addc.security import schannel
from tests.kit.netlogon_member import FLAGS, HOST, MEMBER, Member, add_member, hash_of
from tests.kit.rpc_desk import RpcDesk, undefaulted


@pytest.fixture
def desk(rpc_desk: RpcDesk) -> RpcDesk:
    add_member(rpc_desk)
    return rpc_desk


def test_every_response_can_be_a_refusal() -> None:
    assert undefaulted(SERVER.interface) == []


def test_a_computer_proves_itself_and_so_does_the_server(desk: RpcDesk) -> None:
    """[MS-NRPC] 3.1.4.1, 3.5.4.4.2."""
    member = Member(desk)
    theirs = member.ask()
    done = member.prove(theirs)
    assert done.status is NtStatus.STATUS_SUCCESS
    assert done.server_credential == schannel.credential(theirs, member.key)
    assert done.account_rid == desk.corp.token(member.account).user.rid()
    assert done.negotiate_flags & NegotiateFlags.AES
    assert not done.negotiate_flags & NegotiateFlags.KERBEROS


def test_a_wrong_password_opens_nothing(desk: RpcDesk) -> None:
    """[MS-NRPC] 3.5.4.4.2: ACCESS_DENIED, with the flags, which Windows 7 reads even then."""
    member = Member(desk, password="another")
    done = member.authenticate()
    assert (done.status, done.account_rid) == (NtStatus.STATUS_ACCESS_DENIED, 0)
    assert done.server_credential == bytes(8)
    assert done.negotiate_flags & NegotiateFlags.AES
    assert desk.host.channels.find(MEMBER) is None


def test_a_challenge_is_good_for_one_answer(desk: RpcDesk) -> None:
    """W-NRPC-02, W-NRPC-05: a failed answer spends it too."""
    member = Member(desk)
    theirs = member.ask()
    member.prove(theirs)
    assert member.prove(theirs).status is NtStatus.STATUS_ACCESS_DENIED
    theirs = member.ask()
    member.password = "wrong"
    assert member.prove(theirs).status is NtStatus.STATUS_ACCESS_DENIED
    member.password = Member(desk).password
    assert member.prove(theirs).status is NtStatus.STATUS_ACCESS_DENIED


def test_a_challenge_may_be_answered_over_another_connection(desk: RpcDesk) -> None:
    """W-NRPC-02."""
    one, other = Member(desk), Member(desk)
    assert other.prove(one.ask()).status is NtStatus.STATUS_SUCCESS


def test_another_account_does_not_take_a_computers_channel(desk: RpcDesk) -> None:
    """Clients say what their computer is called; a stranger's channel gives way to the name's account."""
    add_member(desk, "MALLORY", "m4llory of the domain")
    member = Member(desk).open()
    channel = desk.host.channels.find(MEMBER)
    mallory = Member(desk, MEMBER, "m4llory of the domain", account="MALLORY$")
    assert mallory.authenticate().status is NtStatus.STATUS_ACCESS_DENIED
    assert desk.host.channels.find(MEMBER) is channel
    desk.host.channels.forget(MEMBER)
    assert mallory.authenticate().status is NtStatus.STATUS_SUCCESS
    assert member.authenticate().status is NtStatus.STATUS_SUCCESS


def test_a_connection_of_another_account_is_not_a_computers(desk: RpcDesk) -> None:
    """It began with a channel under the computer's name, before the computer itself came."""
    add_member(desk, "MALLORY", "m4llory of the domain")
    mallory = Member(desk, MEMBER, "m4llory of the domain", account="MALLORY$").open()
    assert mallory.capabilities().status is NtStatus.STATUS_SUCCESS
    member = Member(desk).open()
    asked = idl.NetrLogonSamLogonEx(
        HOST, MEMBER, idl.LogonLevel.NETWORK, mallory.network("Guest", b"x" * 64), 3, 0
    )
    denied = mallory.client.call(SERVER, asked, idl.NetrLogonSamLogonExResponse)
    assert denied.status is NtStatus.STATUS_ACCESS_DENIED
    answered = member.client.call(SERVER, asked, idl.NetrLogonSamLogonExResponse)
    assert answered.status is not NtStatus.STATUS_ACCESS_DENIED


def test_a_strangers_challenge_does_not_take_the_place_of_a_members(desk: RpcDesk) -> None:
    member, stranger = Member(desk), Member(desk, peer="198.51.100.9")
    theirs = member.ask()
    stranger.ask()
    assert member.prove(theirs).status is NtStatus.STATUS_SUCCESS


def test_who_never_asked_is_refused(desk: RpcDesk) -> None:
    assert Member(desk).prove(bytes(8)).status is NtStatus.STATUS_ACCESS_DENIED


@pytest.mark.parametrize("flags", [0, 0x4000, FLAGS & ~0x0100_0000, 0x200F_FFFF])
def test_without_aes_nothing_is_agreed(desk: RpcDesk, flags: int) -> None:
    """W-NRPC-03, W-NRPC-04: STATUS_DOWNGRADE_DETECTED with no flags at all (CVE-2022-38023)."""
    member = Member(desk, flags=flags)
    done = member.authenticate()
    assert (done.status, done.negotiate_flags) == (NtStatus.STATUS_DOWNGRADE_DETECTED, 0)


def test_the_older_forms_are_judged_alike(desk: RpcDesk) -> None:
    """[MS-NRPC] 3.5.4.4.4, 3.5.4.4.5: the first one offers nothing, so it is refused."""
    member = Member(desk)
    theirs = member.ask()
    member.key = schannel.session_key(hash_of(member.password), member.challenge, theirs)
    proof = schannel.credential(member.challenge, member.key)
    older = member.client.call(
        SERVER,
        idl.NetrServerAuthenticate2(HOST, member.account, member.kind, MEMBER, proof, FLAGS),
        idl.NetrServerAuthenticate2Response,
    )
    assert older.status is NtStatus.STATUS_SUCCESS
    oldest = member.client.call(
        SERVER,
        idl.NetrServerAuthenticate(HOST, member.account, member.kind, MEMBER, proof),
        idl.NetrServerAuthenticateResponse,
    )
    assert oldest.status is NtStatus.STATUS_DOWNGRADE_DETECTED


@pytest.mark.parametrize("challenge", [bytes(8), b"\x41" * 8, b"\x00" * 5 + b"abc"])
def test_zeros_are_no_challenge(desk: RpcDesk, challenge: bytes) -> None:
    """[MS-NRPC] 3.1.4.1: none of the first five bytes unique (CVE-2020-1472)."""
    assert Member(desk, challenge=challenge).authenticate().status is NtStatus.STATUS_ACCESS_DENIED


def test_zerologon_gets_in_nowhere(desk: RpcDesk) -> None:
    """CVE-2020-1472: zeros as challenge and credential, against a DC's account, many times."""
    member = Member(desk, name="DC1", challenge=bytes(8), kind=int(ChannelType.SERVER))
    for _ in range(300):
        member.ask()
        request = idl.NetrServerAuthenticate3(HOST, "DC1$", 6, "DC1", bytes(8), 0x212FFFFF)
        done = member.client.call(SERVER, request, idl.NetrServerAuthenticate3Response)
        assert done.status is NtStatus.STATUS_ACCESS_DENIED


@pytest.mark.parametrize(
    ("account", "kind", "status"),
    [
        ("nobody$", 2, NtStatus.STATUS_NO_TRUST_SAM_ACCOUNT),
        ("WS1$", 6, NtStatus.STATUS_NO_TRUST_SAM_ACCOUNT),
        ("WS1$", 7, NtStatus.STATUS_NO_TRUST_SAM_ACCOUNT),
        ("WS1$", 3, NtStatus.STATUS_NO_TRUST_SAM_ACCOUNT),
        ("WS1$", 4, NtStatus.STATUS_NO_TRUST_SAM_ACCOUNT),
        ("DC1$", 2, NtStatus.STATUS_NO_TRUST_SAM_ACCOUNT),
        ("Administrator", 2, NtStatus.STATUS_NO_TRUST_SAM_ACCOUNT),
        ("WS1$", 0, NtStatus.STATUS_INVALID_PARAMETER),
        ("WS1$", 9, NtStatus.STATUS_INVALID_PARAMETER),
    ],
)
def test_a_channels_type_is_held_against_the_account(
    desk: RpcDesk, account: str, kind: int, status: NtStatus
) -> None:
    """[MS-NRPC] 2.2.1.3.13, 3.5.4.4.2; W-NRPC-03."""
    assert Member(desk, account=account, kind=kind).authenticate().status is status


def test_a_disabled_computer_is_refused(desk: RpcDesk) -> None:
    add_member(desk, "OFF1", "d1sabled computer", uac=0x1002)
    done = Member(desk, name="OFF1", password="d1sabled computer").authenticate()
    assert done.status is NtStatus.STATUS_NO_TRUST_SAM_ACCOUNT


def test_another_servers_name_is_refused(desk: RpcDesk) -> None:
    """[MS-NRPC] 3, common error processing rule B."""
    request = idl.NetrServerReqChallenge("\\\\OTHER", MEMBER, b"12345678")
    done = Member(desk).client.call(SERVER, request, idl.NetrServerReqChallengeResponse)
    assert done.status is NtStatus.STATUS_INVALID_COMPUTER_NAME


# --- the chain ---------------------------------------------------------------------------------------------


def test_capabilities_are_those_agreed_and_those_asked_for(desk: RpcDesk) -> None:
    """W-NRPC-08."""
    member = Member(desk, flags=FLAGS | 0x8000_0000).open()
    agreed = member.capabilities(1)
    assert member.took(agreed.return_authenticator)
    assert agreed.capabilities.value == FLAGS
    asked = member.capabilities(2)
    assert member.took(asked.return_authenticator)
    assert asked.capabilities.value == FLAGS | 0x8000_0000


def test_unknown_levels_of_capabilities_are_a_fault(desk: RpcDesk) -> None:
    """W-NRPC-08: nca_s_fault_invalid_tag, and the chain stays where it was."""
    member = Member(desk).open()
    before = member.stored
    with pytest.raises(RpcFault) as caught:
        member.capabilities(3)
    assert caught.value.status is NcaStatus.NCA_S_FAULT_INVALID_TAG
    member.stored = before
    assert member.took(member.capabilities(1).return_authenticator)


def test_a_wrong_authenticator_is_refused_and_moves_nothing(desk: RpcDesk) -> None:
    """[MS-NRPC] 3.1.4.5."""
    member = Member(desk).open()
    before = member.stored
    bad = idl.NetrLogonGetCapabilities(
        HOST, MEMBER, idl.NetlogonAuthenticator(b"87654321", 5), idl.NO_AUTHENTICATOR, 1
    )
    done = member.client.call(SERVER, bad, idl.NetrLogonGetCapabilitiesResponse)
    assert done.status is NtStatus.STATUS_ACCESS_DENIED
    assert done.return_authenticator == idl.NO_AUTHENTICATOR
    member.stored = before
    assert member.took(member.capabilities().return_authenticator)


def test_an_authenticator_is_good_once(desk: RpcDesk) -> None:
    """[MS-NRPC] 3.1.4.5."""
    member = Member(desk).open()
    request = idl.NetrLogonGetCapabilities(HOST, MEMBER, member.authenticator(), idl.NO_AUTHENTICATOR, 1)
    first = member.client.call(SERVER, request, idl.NetrLogonGetCapabilitiesResponse)
    again = member.client.call(SERVER, request, idl.NetrLogonGetCapabilitiesResponse)
    assert (first.status, again.status) == (NtStatus.STATUS_SUCCESS, NtStatus.STATUS_ACCESS_DENIED)


@pytest.mark.parametrize(
    "security",
    [
        CallSecurity(),
        CallSecurity(AuthLevel.INTEGRITY, AuthType.NETLOGON, Secret(bytes(16)), computer=MEMBER),
        CallSecurity(AuthLevel.PRIVACY, AuthType.NETLOGON, Secret(bytes(16)), computer="OTHER"),
        CallSecurity(AuthLevel.PRIVACY, AuthType.SPNEGO, Secret(bytes(16)), computer=MEMBER),
        CallSecurity(AuthLevel.PRIVACY, AuthType.KERBEROS, Secret(bytes(16)), computer=MEMBER),
    ],
    ids=["clear", "signed", "of-another", "spnego", "kerberos"],
)
def test_calls_of_a_channel_need_it_sealed_and_their_own(desk: RpcDesk, security: CallSecurity) -> None:
    """[MS-NRPC] 3.1.4.6 (CVE-2022-38023): neither clear nor signed, nor in another computer's name."""
    member = Member(desk).open()
    member.client = replace(member.client, security=security)
    assert member.capabilities().status is NtStatus.STATUS_ACCESS_DENIED


def test_a_channel_opened_anew_has_a_chain_anew(desk: RpcDesk) -> None:
    """[MS-NRPC] 3.5.1 (ClientSessionInfo): one record for each computer name."""
    first = Member(desk).open()
    second = Member(desk).open()
    assert second.took(second.capabilities().return_authenticator)
    assert first.capabilities().status is NtStatus.STATUS_ACCESS_DENIED
    assert len(desk.host.channels) == 1


# --- Kerberos as the proof ---------------------------------------------------------------------------------


def _by_kerberos(
    desk: RpcDesk, level: AuthLevel = AuthLevel.PRIVACY, who: str = "WS1$", auth: AuthType = AuthType.KERBEROS
) -> tuple[Member, idl.NetrServerAuthenticateKerberosResponse]:
    member = Member(desk)
    security = CallSecurity(level, auth, Secret(bytes(16)), who, "Kerberos")
    member.client = replace(member.client, security=security, token=desk.corp.token(who))
    request = idl.NetrServerAuthenticateKerberos(HOST, "WS1$", 2, MEMBER, 0xE12FFFFF)
    return member, member.client.call(SERVER, request, idl.NetrServerAuthenticateKerberosResponse)


def test_a_ticket_is_proof_enough_and_authenticators_are_not_looked_at(desk: RpcDesk) -> None:
    """[MS-NRPC] 3.5.4.4.3, W-NRPC-21."""
    member, done = _by_kerberos(desk)
    assert done.status is NtStatus.STATUS_SUCCESS
    assert done.negotiate_flags & NegotiateFlags.KERBEROS
    request = idl.NetrLogonGetCapabilities(HOST, MEMBER, idl.NO_AUTHENTICATOR, idl.NO_AUTHENTICATOR, 2)
    told = member.client.call(SERVER, request, idl.NetrLogonGetCapabilitiesResponse)
    assert (told.status, told.capabilities.value) == (NtStatus.STATUS_SUCCESS, 0xE12FFFFF)


@pytest.mark.parametrize(
    ("level", "who", "auth"),
    [
        (AuthLevel.INTEGRITY, "WS1$", AuthType.KERBEROS),
        (AuthLevel.PRIVACY, "Administrator", AuthType.KERBEROS),
        (AuthLevel.PRIVACY, "WS1$", AuthType.SPNEGO),
    ],
)
def test_tickets_that_are_no_proof(desk: RpcDesk, level: AuthLevel, who: str, auth: AuthType) -> None:
    """[MS-NRPC] 3.5.4.4.3: privacy, Kerberos itself, and the account's own ticket."""
    _, done = _by_kerberos(desk, level, who, auth)
    assert done.status is NtStatus.STATUS_ACCESS_DENIED
    assert desk.host.channels.find(MEMBER) is None


def test_what_kerberos_opened_stays_with_kerberos(desk: RpcDesk) -> None:
    """W-NRPC-21: afterwards every call comes sealed by Kerberos, as the same account."""
    member, _ = _by_kerberos(desk)
    request = idl.NetrLogonGetCapabilities(HOST, MEMBER, idl.NO_AUTHENTICATOR, idl.NO_AUTHENTICATOR, 1)
    clear = replace(member.client, security=CallSecurity())
    other = replace(member.client, token=desk.corp.admin)
    for client in (clear, other):
        done = client.call(SERVER, request, idl.NetrLogonGetCapabilitiesResponse)
        assert done.status is NtStatus.STATUS_ACCESS_DENIED
