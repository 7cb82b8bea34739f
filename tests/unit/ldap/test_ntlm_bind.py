"""NTLM version 2 over LDAP: Sicily and GSS-SPNEGO, what protects the connection, and who is turned away.

[MS-ADTS] 5.1.1.1.2, 5.1.1.1.3; [MS-NLMP] 3.2.5.1; [MS-SPNG] 3.3.5.
"""

import asyncio
import ssl
from dataclasses import replace
from typing import cast

import pytest
from impacket import ntlm as impacket_ntlm

from addc.auth.acceptor import ChannelBinding
from addc.codec import spnego
from addc.codec.filter import Present
from addc.codec.spnego import NextToken
from addc.codes.ldap_result import LdapResult
from addc.ldap import messages as m
from addc.ldap.bind import BindPolicy
from tests.kit.corp import Corp, add_values, replace_values
from tests.kit.ldap_desk import Desk, FakeExchange, LdapClient, open_desk
from tests.kit.ntlm_client import SEALED, SIGNED, NtlmClient

USER, PASSWORD = "ann", "Corr3ct.Horse"
CHANNEL = b"tls-server-end-point:x"
ROOT_DSE = m.SearchRequest("", 0, 0, 0, 0, False, Present("objectClass"), ("defaultNamingContext",))


@pytest.fixture
def ann(corp_sqlite: Corp) -> Corp:
    """A forest with a user to log on."""
    corp_sqlite.user(USER, PASSWORD)
    return corp_sqlite


def _desk(corp: Corp, runner: asyncio.Runner, policy: BindPolicy | None = None) -> Desk:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    return open_desk(corp, runner, policy=policy or BindPolicy(), tls=tls)


def _bind_response(client: LdapClient, authentication: m.AuthenticationChoice) -> m.BindResponse:
    answer = client.send(m.BindRequest(3, "", authentication))[0].protocol_op
    assert isinstance(answer, m.BindResponse)
    return answer


def sicily(client: LdapClient, context: NtlmClient) -> m.BindResponse:
    """Both messages of a Sicily bind; the last answer."""
    challenge = _bind_response(client, m.SicilyNegotiate(context.negotiate()))
    assert challenge.result_code == LdapResult.SUCCESS, challenge
    return _bind_response(client, m.SicilyResponse(context.authenticate(challenge.matched_dn)))


def layer(client: LdapClient, context: NtlmClient, *, sealed: bool) -> None:
    """Let the client speak through the context."""
    client.exchange, client.sealed = cast(FakeExchange, context), sealed


def who(client: LdapClient) -> bytes:
    answer = client.ask(m.ExtendedRequest("1.3.6.1.4.1.4203.1.11.3"))
    assert isinstance(answer, m.ExtendedResponse)
    return answer.response_value or b""


def test_sicily_packages_are_told(ann: Corp, runner: asyncio.Runner) -> None:
    found = _bind_response(_desk(ann, runner).connect(), m.SicilyPackageDiscovery())
    assert (found.result_code, found.matched_dn) == (LdapResult.SUCCESS, b"NTLM")


@pytest.mark.parametrize("protection", [SIGNED, SEALED])
def test_a_sicily_bind_protects_what_follows(ann: Corp, runner: asyncio.Runner, protection: int) -> None:
    client = _desk(ann, runner).connect()
    context = NtlmClient.of(USER, PASSWORD, int(protection))
    assert sicily(client, context).result_code == LdapResult.SUCCESS
    layer(client, context, sealed=protection == SEALED)
    assert who(client) == b"u:CORP\\ann"
    assert client.ask(ROOT_DSE).result_code == LdapResult.SUCCESS


def test_ntlm_inside_tls_needs_no_layer(ann: Corp, runner: asyncio.Runner) -> None:
    client = _desk(ann, runner).connect(tls=True)
    assert sicily(client, NtlmClient.of(USER, PASSWORD, 0)).result_code == LdapResult.SUCCESS
    assert who(client) == b"u:CORP\\ann"


def test_ntlm_in_clear_has_to_sign(ann: Corp, runner: asyncio.Runner) -> None:
    client = _desk(ann, runner).connect()
    assert sicily(client, NtlmClient.of(USER, PASSWORD, 0)).result_code == LdapResult.STRONG_AUTH_REQUIRED
    assert who(client) == b""


def test_an_operator_may_allow_unsigned_ntlm(ann: Corp, runner: asyncio.Runner) -> None:
    client = _desk(ann, runner, BindPolicy(unsigned_sasl=True)).connect()
    assert sicily(client, NtlmClient.of(USER, PASSWORD, 0)).result_code == LdapResult.SUCCESS
    assert who(client) == b"u:CORP\\ann"


@pytest.mark.parametrize("domain", ["CORP", "corp.example.com", "", "WORKGROUP"])
def test_the_domain_may_be_named_in_several_ways(ann: Corp, runner: asyncio.Runner, domain: str) -> None:
    context = NtlmClient(USER, PASSWORD, domain=domain)
    assert sicily(_desk(ann, runner).connect(), context).result_code == LdapResult.SUCCESS


def test_a_principal_name_without_a_domain(ann: Corp, runner: asyncio.Runner) -> None:
    context = NtlmClient("ann@corp.example.com", PASSWORD, domain="")
    assert sicily(_desk(ann, runner).connect(), context).result_code == LdapResult.SUCCESS


def spnego_bind(client: LdapClient, context: NtlmClient, *, mic: bool = True) -> m.BindResponse:
    first = client.sasl(context.offer(token=context.negotiate()))
    assert first.result_code == LdapResult.SASL_BIND_IN_PROGRESS
    told = NextToken.unpack(first.server_sasl_creds or b"").resp
    assert told.supported_mech == spnego.NTLMSSP and told.response_token
    return client.sasl(context.answer(context.authenticate(told.response_token), mic=mic))


@pytest.mark.parametrize("mic", [True, False])
def test_ntlm_in_spnego(ann: Corp, runner: asyncio.Runner, mic: bool) -> None:
    client = _desk(ann, runner).connect()
    context = NtlmClient.of(USER, PASSWORD)
    done = spnego_bind(client, context, mic=mic)
    assert done.result_code == LdapResult.SUCCESS
    told = NextToken.unpack(done.server_sasl_creds or b"").resp
    assert told.neg_state == spnego.ACCEPT_COMPLETED
    if mic:
        context.check_mic(told.mech_list_mic)
    layer(client, context, sealed=True)
    assert who(client) == b"u:CORP\\ann"


@pytest.mark.parametrize("eager", [True, False])
def test_a_session_key_may_come_where_nothing_is_signed(
    ann: Corp, runner: asyncio.Runner, eager: bool
) -> None:
    """Over TLS: some clients (bloodyAD's) send one all the same and protect the list of mechanisms by it."""
    client = _desk(ann, runner).connect(tls=True)
    context = NtlmClient.of(USER, PASSWORD, 0)
    context.eager = eager
    assert spnego_bind(client, context).result_code == LdapResult.SUCCESS
    assert who(client) == b"u:CORP\\ann"


def test_ntlm_behind_an_unknown_mechanism_needs_the_list_protected(ann: Corp, runner: asyncio.Runner) -> None:
    """RFC 4178 5: else a better mechanism could be taken off the list unseen."""
    for mic, expected in ((True, LdapResult.SUCCESS), (False, LdapResult.INVALID_CREDENTIALS)):
        client, context = _desk(ann, runner).connect(), NtlmClient.of(USER, PASSWORD)
        first = client.sasl(context.offer("1.2.3.4", spnego.NTLMSSP, token=b"of that one"))
        told = NextToken.unpack(first.server_sasl_creds or b"").resp
        assert (told.neg_state, told.response_token) == (spnego.REQUEST_MIC, None)
        begin = NextToken(spnego.NegTokenResp(response_token=context.negotiate())).pack()
        challenge = NextToken.unpack(client.sasl(begin).server_sasl_creds or b"").resp.response_token
        done = client.sasl(context.answer(context.authenticate(challenge or b""), mic=mic))
        assert done.result_code == expected


def test_a_changed_list_of_mechanisms_is_refused(ann: Corp, runner: asyncio.Runner) -> None:
    client, context = _desk(ann, runner).connect(), NtlmClient.of(USER, PASSWORD)
    told = NextToken.unpack(client.sasl(context.offer(token=context.negotiate())).server_sasl_creds or b"")
    token = context.authenticate(told.resp.response_token or b"")
    context.offer("1.2.3.4", spnego.NTLMSSP)  # what the client believes to have offered
    assert client.sasl(context.answer(token)).result_code == LdapResult.INVALID_CREDENTIALS


def test_bare_ntlm_as_gss_spnego(ann: Corp, runner: asyncio.Runner) -> None:
    """Windows takes NTLM without SPNEGO around it."""
    client, context = _desk(ann, runner).connect(), NtlmClient.of(USER, PASSWORD)
    challenge = client.sasl(context.negotiate()).server_sasl_creds or b""
    assert client.sasl(context.authenticate(challenge)).result_code == LdapResult.SUCCESS


def test_impacket_logs_on(ann: Corp, runner: asyncio.Runner) -> None:
    """An implementation that is not ours, with the channel it speaks through."""
    client = _desk(ann, runner).connect(tls=True)
    first = impacket_ntlm.getNTLMSSPType1("", "CORP", signingRequired=True)
    challenge = _bind_response(client, m.SicilyNegotiate(first.getData())).matched_dn
    last, _ = impacket_ntlm.getNTLMSSPType3(first, challenge, USER, PASSWORD, "CORP")
    assert _bind_response(client, m.SicilyResponse(last.getData())).result_code == LdapResult.SUCCESS


# --- who is turned away ------------------------------------------------------------------------------------


def _data(answer: m.BindResponse) -> str:
    assert answer.result_code == LdapResult.INVALID_CREDENTIALS, answer
    return answer.diagnostic_message.partition("data ")[2].partition(",")[0]


def test_a_wrong_password_is_refused_and_counted(ann: Corp, runner: asyncio.Runner) -> None:
    desk = _desk(ann, runner)
    assert _data(sicily(desk.connect(), NtlmClient.of(USER, "wrong"))) == "52e"
    assert _data(spnego_bind(desk.connect(), NtlmClient.of(USER, "wrong"))) == "52e"
    assert ann.text(f"CN={USER},CN=Users", "badPwdCount") == "2"


def test_guesses_by_ntlm_lock_the_account_out(ann: Corp, runner: asyncio.Runner) -> None:
    ann.modify("", replace_values("lockoutThreshold", "3"))
    desk = _desk(ann, runner)
    for _ in range(3):
        assert _data(sicily(desk.connect(), NtlmClient.of(USER, "wrong"))) == "52e"
    assert _data(sicily(desk.connect(), NtlmClient.of(USER, PASSWORD))) == "775"


def test_the_former_password_lets_in_for_an_hour_and_does_not_count(
    ann: Corp, runner: asyncio.Runner
) -> None:
    ann.modify(f"CN={USER},CN=Users", replace_values("unicodePwd", '"N3w.Horse.x"'.encode("utf-16-le")))
    client = _desk(ann, runner).connect()
    assert sicily(client, NtlmClient.of(USER, PASSWORD)).result_code == LdapResult.SUCCESS
    ann.later(3601)
    assert _data(sicily(_desk(ann, runner).connect(), NtlmClient.of(USER, PASSWORD))) == "52e"
    assert ann.values(f"CN={USER},CN=Users", "badPwdCount") in ([], [b"0"])


def test_who_may_not_log_on(ann: Corp, runner: asyncio.Runner) -> None:
    desk = _desk(ann, runner)
    assert _data(sicily(desk.connect(), NtlmClient.of("nobody", PASSWORD))) == "52e"
    assert _data(sicily(desk.connect(), NtlmClient(USER, "wrong", domain="ELSEWHERE"))) == "52e"
    ann.modify(f"CN={USER},CN=Users", replace_values("userWorkstations", "OTHER"))
    assert _data(sicily(desk.connect(), NtlmClient.of(USER, PASSWORD))) == "531"
    ann.modify(f"CN={USER},CN=Users", replace_values("userAccountControl", "514"))
    assert _data(sicily(desk.connect(), NtlmClient.of(USER, PASSWORD))) == "533"


def test_protected_users_do_not_log_on_by_ntlm(ann: Corp, runner: asyncio.Runner) -> None:
    """[MS-APDS] 3.1.5.2."""
    ann.modify("CN=Protected Users,CN=Users", add_values("member", ann.dn(f"CN={USER},CN=Users")))
    assert _data(sicily(_desk(ann, runner).connect(), NtlmClient.of(USER, PASSWORD))) == "52f"


def test_ntlm_can_be_switched_off(ann: Corp, runner: asyncio.Runner) -> None:
    client = _desk(ann, runner, BindPolicy(ntlm=False)).connect()
    context = NtlmClient.of(USER, PASSWORD)
    discovered = _bind_response(client, m.SicilyPackageDiscovery())
    assert discovered.result_code == LdapResult.INAPPROPRIATE_AUTHENTICATION
    negotiated = _bind_response(client, m.SicilyNegotiate(context.negotiate()))
    assert negotiated.result_code == LdapResult.INAPPROPRIATE_AUTHENTICATION
    for token in (context.offer(token=context.negotiate()), context.negotiate()):
        assert client.sasl(token).result_code == LdapResult.INVALID_CREDENTIALS


def test_changed_messages_are_refused(ann: Corp, runner: asyncio.Runner) -> None:
    """The MIC: here somebody in the middle took sealing away."""
    client, context = _desk(ann, runner).connect(), NtlmClient.of(USER, PASSWORD)
    sent = context.negotiate()
    challenge = _bind_response(client, m.SicilyNegotiate(sent)).matched_dn
    context.first = replace(context).negotiate().replace(b"\x01", b"\x03", 1)
    assert _data(_bind_response(client, m.SicilyResponse(context.authenticate(challenge)))) == "52e"


def test_a_message_changed_later_ends_the_connection(ann: Corp, runner: asyncio.Runner) -> None:
    client, context = _desk(ann, runner).connect(), NtlmClient.of(USER, PASSWORD)
    assert sicily(client, context).result_code == LdapResult.SUCCESS
    layer(client, context, sealed=True)
    frame = bytearray(client.frame(ROOT_DSE))
    frame[-1] ^= 1
    assert [message.message_id for message in client.send_raw(bytes(frame))] == [0]  # the notice
    assert client.transport.closed


@pytest.mark.parametrize(
    ("bindings", "policy", "expected"),
    [
        (None, ChannelBinding.WHEN_SUPPORTED, LdapResult.SUCCESS),
        (CHANNEL, ChannelBinding.WHEN_SUPPORTED, LdapResult.SUCCESS),
        (b"another", ChannelBinding.WHEN_SUPPORTED, LdapResult.INVALID_CREDENTIALS),
        (None, ChannelBinding.ALWAYS, LdapResult.INVALID_CREDENTIALS),
        (CHANNEL, ChannelBinding.ALWAYS, LdapResult.SUCCESS),
        (b"another", ChannelBinding.NEVER, LdapResult.SUCCESS),
    ],
)
def test_channel_bindings(
    ann: Corp, runner: asyncio.Runner, bindings: bytes | None, policy: ChannelBinding, expected: LdapResult
) -> None:
    client = _desk(ann, runner, BindPolicy(channel_binding=policy)).connect(tls=True)
    context = replace(NtlmClient.of(USER, PASSWORD), bindings=bindings)
    answer = sicily(client, context)
    assert answer.result_code == expected, answer
    if expected != LdapResult.SUCCESS and policy is ChannelBinding.ALWAYS:
        assert _data(answer) == "80090346"


@pytest.mark.parametrize("response", [b"", b"r" * 24, b"r" * 16 + b"\x01\x01" + bytes(26)])
def test_nobody_old_or_nameless_is_let_in(ann: Corp, runner: asyncio.Runner, response: bytes) -> None:
    """No anonymous session, no NTLM of version 1, no response that only looks like one."""
    client, context = _desk(ann, runner).connect(), NtlmClient.of(USER, PASSWORD)
    _bind_response(client, m.SicilyNegotiate(context.negotiate()))
    forged = impacket_ntlm.NTLMAuthChallengeResponse("", "", b"x" * 8)
    forged["flags"], forged["ntlm"], forged["lanman"] = context.flags, response, b""
    forged["user_name"] = USER.encode("utf-16-le") if response else b""
    assert _data(_bind_response(client, m.SicilyResponse(forged.getData()))) == "52e"


@pytest.mark.parametrize(
    "token", [b"", b"NTLMSSP\0", b"NTLMSSP\0\x03\0\0\0", b"\x60\x02\x06\x07", b"x" * 70_000]
)
def test_garbage_is_refused(ann: Corp, runner: asyncio.Runner, token: bytes) -> None:
    desk = _desk(ann, runner)
    assert _data(_bind_response(desk.connect(), m.SicilyNegotiate(token))) == "52e"
    if token[:1] in (b"N", b"\x60"):  # all else is Kerberos' own
        assert desk.connect().sasl(token).result_code != LdapResult.SUCCESS


def test_a_response_without_a_challenge_is_refused(ann: Corp, runner: asyncio.Runner) -> None:
    client, context = _desk(ann, runner).connect(), NtlmClient.of(USER, PASSWORD)
    other = _desk(ann, runner).connect()
    challenge = _bind_response(other, m.SicilyNegotiate(context.negotiate())).matched_dn
    answer = _bind_response(client, m.SicilyResponse(context.authenticate(challenge)))
    assert answer.result_code == LdapResult.INAPPROPRIATE_AUTHENTICATION
    assert who(client) == b""
