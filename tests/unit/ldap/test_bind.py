"""Binds: whom a name and a password let in, how refusals read, and which layers SASL puts on."""

import asyncio
import ssl
from dataclasses import replace

import pytest

from addc.auth.gss import Peer
from addc.base.clock import TICKS_PER_S
from addc.codec import spnego
from addc.codec.filter import Present
from addc.codes.ldap_result import LdapResult
from addc.ldap import messages as m
from addc.ldap.bind import BindPolicy, Protection
from tests.kit.corp import Corp, replace_values
from tests.kit.corp_forest import ADMIN_PASSWORD, DOMAIN_DN
from tests.kit.ldap_desk import ADMIN, Desk, FakeExchange, LdapClient, open_desk
from tests.kit.policies import deny_network

PASSWORD = "Us3r.Passw0rd"
NONE, INTEGRITY, CONFIDENTIALITY = 1, 2, 4
ROOT_DSE = m.SearchRequest("", 0, 0, 0, 0, False, Present("objectClass"), ())


@pytest.fixture
def tls(desk: Desk) -> LdapClient:
    return desk.connect(tls=True)


def principal(client: LdapClient) -> str:
    return client.protocol._principal


# --- simple binds ---


@pytest.mark.parametrize(
    "name",
    [
        ADMIN,
        "CORP\\Administrator",
        f"CN=Administrator,CN=Users,{DOMAIN_DN}",
        "corp.example.com/Users/Administrator",
        "corp.example.com/Users\nAdministrator",
    ],
)
def test_names_that_lead_to_an_account(tls: LdapClient, name: str) -> None:
    assert tls.bind(name).result_code == LdapResult.SUCCESS
    assert principal(tls) == "Administrator"


def test_who_is_denied_the_network_is_told_so(desk: Desk, tls: LdapClient) -> None:
    deny_network(desk.corp, desk.corp.sid(f"CN=Administrator,CN=Users,{DOMAIN_DN}"))
    answer = tls.bind(ADMIN)
    assert answer.result_code == LdapResult.INVALID_CREDENTIALS
    assert "data 569" in answer.diagnostic_message and not principal(tls)


@pytest.mark.parametrize("name", ["Administrator", "nobody@corp.example.com", "OTHER\\Administrator", "CN=x"])
def test_names_that_lead_nowhere(tls: LdapClient, name: str) -> None:
    answer = tls.bind(name)
    assert answer.result_code == LdapResult.INVALID_CREDENTIALS
    assert "data 52e" in answer.diagnostic_message
    assert not principal(tls)


def test_a_refusal_tells_why_only_to_who_knows_the_password(desk: Desk, tls: LdapClient) -> None:
    corp = desk.corp
    corp.user("off", PASSWORD)
    corp.modify("CN=off,CN=Users", replace_values("userAccountControl", "514"))
    corp.user("gone", PASSWORD)
    corp.modify("CN=gone,CN=Users", replace_values("accountExpires", str(corp.now - TICKS_PER_S)))
    corp.user("new", PASSWORD)
    corp.modify("CN=new,CN=Users", replace_values("pwdLastSet", "0"))
    corp.user("night", PASSWORD)
    corp.modify("CN=night,CN=Users", replace_values("logonHours", bytes(21)))
    for name, data in (("off", "533"), ("gone", "701"), ("new", "773"), ("night", "530")):
        told = tls.bind(f"{name}@corp.example.com", PASSWORD)
        assert told.result_code == LdapResult.INVALID_CREDENTIALS
        assert told.diagnostic_message.startswith("80090308: ") and f"data {data}," in told.diagnostic_message
        assert "data 52e," in tls.bind(f"{name}@corp.example.com", "wrong").diagnostic_message


def test_wrong_passwords_are_counted_and_lock_out(desk: Desk, tls: LdapClient) -> None:
    corp = desk.corp
    corp.modify("", replace_values("lockoutThreshold", "3"))
    corp.user("alice", PASSWORD)
    for _ in range(3):
        assert "data 52e," in tls.bind("CORP\\alice", "wrong").diagnostic_message
    desk.settle()
    assert corp.text("CN=alice,CN=Users", "badPwdCount") == "3"
    assert "data 775," in tls.bind("CORP\\alice", PASSWORD).diagnostic_message
    assert int(corp.text("CN=alice,CN=Users", "lockoutTime")) == desk.clock.when


def test_guesses_that_come_all_at_once_do_not_outrun_the_lockout(
    corp_sqlite: Corp, runner: asyncio.Runner
) -> None:
    desk = open_desk(corp_sqlite, runner, policy=BindPolicy(clear_simple_bind=True))
    corp_sqlite.modify("", replace_values("lockoutThreshold", "3"))
    corp_sqlite.user("alice", PASSWORD)
    clients = [desk.connect() for _ in range(10)]

    async def all_at_once() -> None:
        for number, client in enumerate(clients):
            password = PASSWORD if number == 9 else "wrong"
            auth = m.SimpleAuth(password.encode())
            client.protocol.data_received(client.frame(m.BindRequest(3, "CORP\\alice", auth)))

    runner.run(all_at_once())
    desk.settle()
    told = [str(client.take()[0].protocol_op.diagnostic_message) for client in clients]  # type: ignore[union-attr]
    assert ["data 775," in one for one in told] == [False] * 3 + [True] * 7
    assert corp_sqlite.text("CN=alice,CN=Users", "badPwdCount") == "3"
    assert not desk.directory.turns._waiting


def test_a_good_password_is_noted(desk: Desk, tls: LdapClient) -> None:
    desk.corp.user("alice", PASSWORD)
    tls.bind("CORP\\alice", "wrong")
    assert tls.bind("CORP\\alice", PASSWORD).result_code == LdapResult.SUCCESS
    assert desk.corp.text("CN=alice,CN=Users", "badPwdCount") == "0"
    assert int(desk.corp.text("CN=alice,CN=Users", "lastLogon")) == desk.clock.when


def test_a_refused_bind_makes_the_connection_anonymous(tls: LdapClient) -> None:
    assert tls.bind().result_code == LdapResult.SUCCESS
    assert tls.bind(password="wrong").result_code == LdapResult.INVALID_CREDENTIALS
    assert tls.protocol._token.is_anonymous


@pytest.mark.parametrize("name", ["", ADMIN])
def test_a_bind_without_a_password_is_anonymous(tls: LdapClient, name: str) -> None:
    assert tls.bind(name, "").result_code == LdapResult.SUCCESS
    assert tls.protocol._token.is_anonymous


def test_passwords_in_clear_are_refused_before_they_are_judged(desk: Desk) -> None:
    for password in (ADMIN_PASSWORD, "wrong"):
        answer = desk.connect().bind(password=password)
        assert answer.result_code == LdapResult.STRONG_AUTH_REQUIRED
        assert answer.diagnostic_message.startswith("00002028: ")


def test_passwords_in_clear_where_the_operator_allows_them(corp_sqlite: Corp, runner: asyncio.Runner) -> None:
    desk = open_desk(corp_sqlite, runner, policy=BindPolicy(clear_simple_bind=True))
    assert desk.connect().bind().result_code == LdapResult.SUCCESS


@pytest.mark.parametrize(("version", "result"), [(2, 0), (3, 0), (1, 2), (4, 2)])
def test_versions(tls: LdapClient, version: int, result: int) -> None:
    answer = tls.send(m.BindRequest(version, ADMIN, m.SimpleAuth(ADMIN_PASSWORD.encode())))[0].protocol_op
    assert isinstance(answer, m.BindResponse) and answer.result_code == result


# --- SASL ---


def prepared(desk: Desk, exchange: FakeExchange) -> FakeExchange:
    desk.acceptor.prepared.append(exchange)
    return exchange


def test_mechanisms_that_are_not_here(desk: Desk) -> None:
    client = desk.connect()
    assert client.sasl(b"", "DIGEST-MD5").result_code == LdapResult.AUTH_METHOD_NOT_SUPPORTED


def test_forged_tokens_are_refused_with_empty_credentials(desk: Desk) -> None:
    answer = desk.connect().sasl(b"forged")
    assert answer.result_code == LdapResult.INVALID_CREDENTIALS
    assert answer.server_sasl_creds == b""
    assert "data 52e" in answer.diagnostic_message


def test_without_keys_kerberos_is_unavailable(desk: Desk) -> None:
    desk.acceptor.broken = True
    answer = desk.connect().sasl(b"token")
    assert answer.result_code == LdapResult.UNAVAILABLE
    assert "keys" not in answer.diagnostic_message, "why is for the log"


def test_spnego_takes_the_layer_of_its_context(desk: Desk) -> None:
    for confidential, integrity, wanted in (
        (True, True, Protection.SEALED),
        (False, True, Protection.SIGNED),
        (True, False, Protection.SEALED),
    ):
        client = desk.connect()
        prepared(desk, FakeExchange(confidential=confidential, integrity=integrity))
        answer = client.sasl(b"token")
        assert (answer.result_code, answer.server_sasl_creds) == (LdapResult.SUCCESS, b"mutual")
        assert client.protocol._protection is wanted
        assert principal(client) == "Administrator@CORP.EXAMPLE.COM"


def test_spnego_without_any_layer_is_refused_unless_tls_protects(desk: Desk) -> None:
    prepared(desk, FakeExchange(confidential=False, integrity=False))
    answer = desk.connect().sasl(b"token")
    assert answer.result_code == LdapResult.STRONG_AUTH_REQUIRED
    prepared(desk, FakeExchange(confidential=False, integrity=False))
    client = desk.connect(tls=True)
    assert client.sasl(b"token").result_code == LdapResult.SUCCESS
    assert client.protocol._protection is Protection.TLS


def test_spnego_by_the_name_of_gssapi_has_no_layers_to_choose(desk: Desk) -> None:
    """As ldap3's Kerberos has it in BloodHound's hands; NTLM does not come in by that name."""

    def offer(mechanism: str, token: bytes) -> bytes:
        init = spnego.NegTokenInit(mech_types=spnego.MechTypeList((mechanism,)), mech_token=token)
        return spnego.GssInitialToken(spnego.SPNEGO, spnego.FirstToken(init).pack()).pack()

    kerberos = offer(spnego.MS_KERBEROS, b"\x60token")
    prepared(desk, FakeExchange(confidential=False, integrity=False))
    assert desk.connect().sasl(kerberos, "GSSAPI").result_code == LdapResult.STRONG_AUTH_REQUIRED
    prepared(desk, FakeExchange(confidential=False, integrity=False))
    assert desk.connect(tls=True).sasl(kerberos, "GSSAPI").result_code == LdapResult.SUCCESS
    client = desk.connect()
    prepared(desk, FakeExchange())
    assert client.sasl(kerberos, "GSSAPI").result_code == LdapResult.SUCCESS
    assert client.protocol._protection is Protection.SEALED
    for token in (offer(spnego.NTLMSSP, b"NTLMSSP\0"), b"NTLMSSP\0\x01\0\0\0"):
        assert desk.connect().sasl(token, "GSSAPI").result_code == LdapResult.INVALID_CREDENTIALS


def test_spnego_over_several_messages(desk: Desk) -> None:
    prepared(desk, FakeExchange(steps=[b"more", b"done"]))
    client = desk.connect()
    first = client.sasl(b"one")
    assert (first.result_code, first.server_sasl_creds) == (LdapResult.SASL_BIND_IN_PROGRESS, b"more")
    assert client.protocol._token.is_anonymous
    assert client.sasl(b"two").result_code == LdapResult.SUCCESS


def test_another_mechanism_begins_anew(desk: Desk) -> None:
    abandoned = prepared(desk, FakeExchange(steps=[b"more", b"done"]))
    prepared(desk, FakeExchange())
    client = desk.connect()
    client.sasl(b"one")
    assert client.sasl(b"token", "GSSAPI").server_sasl_creds == b"mutual"
    assert not abandoned.complete


def gssapi(client: LdapClient, choice: bytes) -> m.BindResponse:
    """A GSSAPI bind up to the client's choice of a layer; the offer is looked at on the way."""
    first = client.sasl(b"token", "GSSAPI")
    assert (first.result_code, first.server_sasl_creds) == (LdapResult.SASL_BIND_IN_PROGRESS, b"mutual")
    offer = client.sasl(b"", "GSSAPI")
    assert offer.result_code == LdapResult.SASL_BIND_IN_PROGRESS
    assert offer.server_sasl_creds == b"I\x07\x01\x00\x00"
    return client.sasl(b"I" + choice, "GSSAPI")


@pytest.mark.parametrize(
    ("layer", "protection"), [(INTEGRITY, Protection.SIGNED), (CONFIDENTIALITY, Protection.SEALED)]
)
def test_gssapi_lets_the_client_choose(desk: Desk, layer: int, protection: Protection) -> None:
    client = desk.connect()
    assert gssapi(client, bytes((layer, 0, 0x40, 0))).result_code == LdapResult.SUCCESS
    assert client.protocol._protection is protection


def test_answers_are_cut_to_what_the_client_takes(desk: Desk) -> None:
    exchange, client = prepared(desk, FakeExchange()), desk.connect()
    assert gssapi(client, bytes((CONFIDENTIALITY, 0, 0x04, 0))).result_code == LdapResult.SUCCESS
    client.exchange, client.sealed = exchange, True
    client.protocol.data_received(client.frame(ROOT_DSE))
    data, at, sizes = bytes(client.transport.written), 0, []
    while at < len(data):
        sizes.append(int.from_bytes(data[at : at + 4], "big"))
        at += 4 + sizes[-1]
    assert len(sizes) > 1 and max(sizes) == 0x400
    assert [answer.message_id for answer in client.take()] == [client.last_id] * 2


def test_gssapi_without_a_layer_is_refused_unless_tls_protects(desk: Desk) -> None:
    assert gssapi(desk.connect(), bytes((NONE, 0, 0, 0))).result_code == LdapResult.STRONG_AUTH_REQUIRED
    client = desk.connect(tls=True)
    assert gssapi(client, bytes((NONE, 0, 0, 0))).result_code == LdapResult.SUCCESS
    assert client.protocol._protection is Protection.TLS


def test_no_layer_inside_tls(desk: Desk) -> None:
    answer = gssapi(desk.connect(tls=True), bytes((CONFIDENTIALITY, 0, 0xFF, 0xFF)))
    assert answer.result_code == LdapResult.UNWILLING_TO_PERFORM
    assert answer.diagnostic_message.startswith("00002029: ")


@pytest.mark.parametrize(
    "choice",
    [b"", b"\x04\x00", b"\x06\x00\x40\x00", b"\x08\x00\x40\x00", b"\x00\0\0\0", b"\x04\x00\x03\xff"],
)
def test_choices_that_are_none(desk: Desk, choice: bytes) -> None:
    assert gssapi(desk.connect(), choice).result_code == LdapResult.INVALID_CREDENTIALS


def test_a_layer_that_was_not_offered_cannot_be_chosen(desk: Desk) -> None:
    prepared(desk, FakeExchange(confidential=False))
    client = desk.connect()
    client.sasl(b"token", "GSSAPI")
    assert client.sasl(b"", "GSSAPI").server_sasl_creds == b"I\x03\x01\x00\x00"
    assert client.sasl(b"I\x04\x00\x40\x00", "GSSAPI").result_code == LdapResult.INVALID_CREDENTIALS


def test_the_offer_goes_out_at_once_where_the_context_has_nothing_to_say(desk: Desk) -> None:
    prepared(desk, FakeExchange(steps=[b""]))
    assert desk.connect().sasl(b"token", "GSSAPI").server_sasl_creds == b"I\x07\x01\x00\x00"


def test_tickets_of_nobody_known_are_refused(desk: Desk) -> None:
    for who in ("nobody@CORP.EXAMPLE.COM", "Administrator@OTHER.EXAMPLE.COM"):
        prepared(desk, FakeExchange(who=Peer(who, None)))
        client = desk.connect()
        assert client.sasl(b"token").result_code == LdapResult.INVALID_CREDENTIALS
        assert client.protocol._token.is_anonymous
    prepared(desk, FakeExchange(who=replace(Peer("Administrator@CORP.EXAMPLE.COM", None), pac=b"broken")))
    assert desk.connect().sasl(b"token").result_code == LdapResult.INVALID_CREDENTIALS


def test_the_channel_binding_is_that_of_the_certificate(corp_sqlite: Corp, runner: asyncio.Runner) -> None:
    desk = open_desk(corp_sqlite, runner, tls=ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))
    over_tls, plain = prepared(desk, FakeExchange()), prepared(desk, FakeExchange())
    desk.connect(tls=True).sasl(b"token")
    desk.connect().sasl(b"token")
    assert over_tls.channel_binding == b"tls-server-end-point:x" and plain.channel_binding is None
