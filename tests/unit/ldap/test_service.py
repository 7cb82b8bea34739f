"""Connections: what each request is answered, in which order, and what ends a connection."""

import asyncio
import logging
import ssl

import pytest

from addc.base.clock import TICKS_PER_S, FileTime
from addc.base.ids import MessageId
from addc.codec.filter import Equal, Present
from addc.codes.ldap_result import LdapResult
from addc.ldap import messages as m
from addc.ldap.bind import Protection
from addc.ldap.engine import Limits
from tests.kit.corp import Corp
from tests.kit.corp_forest import DOMAIN_DN
from tests.kit.ldap_desk import ADMIN, Desk, FakeExchange, LdapClient, open_desk

FAST_BIND = "1.2.840.113556.1.4.1781"
WHO_AM_I = "1.3.6.1.4.1.4203.1.11.3"
ROOT_DSE = m.SearchRequest("", 0, 0, 0, 0, False, Present("objectClass"), ("defaultNamingContext",))
DOMAIN = m.SearchRequest(DOMAIN_DN, 0, 0, 0, 0, False, Present("objectClass"), ("dc",))
SUBTREE = m.SearchRequest(DOMAIN_DN, 2, 0, 0, 0, False, Equal("objectClass", b"user"), ("cn",))
COMPARE = m.CompareRequest(DOMAIN_DN, m.AttributeValueAssertion("dc", b"corp"))
MAIL = m.ModifyRequest(
    f"CN=Guest,CN=Users,{DOMAIN_DN}", (m.Change(2, m.PartialAttribute("mail", (b"g@corp.example.com",))),)
)


def response(messages: list[m.LdapMessage]) -> m.LdapResultFields:
    last = messages[-1].protocol_op
    assert isinstance(last, m.LdapResultFields)
    return last


def notice(client: LdapClient) -> m.ExtendedResponse:
    last = client.take()[-1]
    assert last.message_id == 0 and isinstance(last.protocol_op, m.ExtendedResponse)
    assert last.protocol_op.response_name == m.NOTICE_OF_DISCONNECTION
    assert client.transport.closed
    return last.protocol_op


def sealed(desk: Desk, exchange: FakeExchange | None = None) -> LdapClient:
    """A client whose connection is sealed as the Administrator."""
    client, chosen = desk.connect(), exchange or FakeExchange()
    desk.acceptor.prepared.append(chosen)
    assert client.sasl(b"token").result_code == LdapResult.SUCCESS
    client.exchange, client.sealed = chosen, True
    return client


def test_everybody_reads_the_root_dse(desk: Desk) -> None:
    entry, done = desk.connect().send(ROOT_DSE)
    assert isinstance(entry.protocol_op, m.SearchResultEntry)
    assert entry.protocol_op.attributes[0].vals == (DOMAIN_DN.encode(),)
    assert response([done]).result_code == LdapResult.SUCCESS


@pytest.mark.parametrize(
    "op", [DOMAIN, SUBTREE, COMPARE, MAIL, m.DelRequest("CN=x"), m.AddRequest("CN=x", ())]
)
def test_strangers_are_told_to_bind_first(desk: Desk, op: m.Request) -> None:
    answer = desk.connect().ask(op)
    assert answer.result_code == LdapResult.OPERATIONS_ERROR
    assert answer.diagnostic_message.startswith("000004DC: ")


def test_searches_compares_and_changes_of_somebody(desk: Desk) -> None:
    client = desk.connect(tls=True)
    assert client.bind().result_code == LdapResult.SUCCESS
    assert len(client.send(SUBTREE)) >= 3
    assert client.ask(COMPARE).result_code == LdapResult.COMPARE_TRUE
    wrong = m.CompareRequest(DOMAIN_DN, m.AttributeValueAssertion("dc", b"other"))
    assert client.ask(wrong).result_code == LdapResult.COMPARE_FALSE
    assert client.ask(MAIL).result_code == LdapResult.SUCCESS


def test_requests_of_one_segment_are_all_answered(desk: Desk) -> None:
    client = desk.connect(tls=True)
    client.bind()
    answers = client.send(ROOT_DSE, SUBTREE, MAIL, COMPARE)
    ends = {a.message_id for a in answers if isinstance(a.protocol_op, m.LdapResultFields)}
    assert ends == {2, 3, 4, 5}


def test_a_search_runs_as_who_sent_it_although_a_bind_comes_behind(desk: Desk) -> None:
    client = desk.connect(tls=True)
    bind = m.BindRequest(3, ADMIN, m.SimpleAuth(b"Corr3ct.Horse"))
    answers = {answer.message_id: answer.protocol_op for answer in client.send(SUBTREE, bind)}
    bound, searched = answers[MessageId(2)], answers[MessageId(1)]
    assert isinstance(bound, m.BindResponse) and bound.result_code == LdapResult.SUCCESS
    assert isinstance(searched, m.SearchResultDone)
    assert searched.result_code == LdapResult.OPERATIONS_ERROR, "it was a stranger's search"


def test_abandoned_operations_are_not_answered(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    client = desk.connect(tls=True)
    client.bind()
    with caplog.at_level(logging.INFO, "addc.ldap"):
        assert client.send(SUBTREE, m.AbandonRequest(MessageId(2))) == []
        assert client.send(DOMAIN, m.AbandonRequest(MessageId(4))) == []
    assert not caplog.records
    assert client.ask(COMPARE).result_code == LdapResult.COMPARE_TRUE


def test_unbind_closes_without_a_word(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    client = desk.connect()
    with caplog.at_level(logging.INFO, "addc.ldap"):
        assert client.send(ROOT_DSE, m.UnbindRequest(), ROOT_DSE) == []
    assert client.transport.closed and not client.transport.aborted and not caplog.records


def test_what_was_changed_before_an_unbind_is_changed(desk: Desk) -> None:
    client = desk.connect(tls=True)
    client.bind()
    client.send(MAIL, m.UnbindRequest())
    assert desk.corp.text("CN=Guest,CN=Users", "mail") == "g@corp.example.com"


def test_garbage_ends_the_connection_with_a_notice(desk: Desk) -> None:
    client = desk.connect()
    client.protocol.data_received(b"\x30\x05garba")
    assert notice(client).result_code == LdapResult.PROTOCOL_ERROR


def test_a_bug_closes_one_connection_and_leaves_a_trace(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    broken, other = desk.connect(), desk.connect()

    def fail(*_: object) -> None:
        raise RuntimeError("bug")

    monkeypatch.setattr(broken.protocol, "_search", fail)
    assert broken.send(ROOT_DSE) == []
    assert broken.transport.aborted
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    assert other.send(ROOT_DSE)


# --- extended operations ---


def test_who_am_i(desk: Desk) -> None:
    client = desk.connect(tls=True)
    stranger = client.ask(m.ExtendedRequest(WHO_AM_I))
    assert isinstance(stranger, m.ExtendedResponse) and stranger.response_value == b""
    client.bind()
    known = client.ask(m.ExtendedRequest(WHO_AM_I))
    assert isinstance(known, m.ExtendedResponse) and known.response_value == b"u:CORP\\Administrator"


def test_unknown_extended_operations_are_a_protocol_error_and_no_more(desk: Desk) -> None:
    client = desk.connect()
    answer = client.ask(m.ExtendedRequest("1.2.3.4"))
    assert answer.result_code == LdapResult.PROTOCOL_ERROR
    assert answer.diagnostic_message.startswith("0000203D: ")
    assert not client.transport.closed


def test_fast_binds_judge_passwords_and_leave_nobody_bound(desk: Desk) -> None:
    client = desk.connect(tls=True)
    assert client.ask(m.ExtendedRequest(FAST_BIND)).result_code == LdapResult.SUCCESS
    assert client.bind().result_code == LdapResult.SUCCESS
    assert client.bind(password="wrong").result_code == LdapResult.INVALID_CREDENTIALS
    assert client.ask(DOMAIN).result_code == LdapResult.OPERATIONS_ERROR, "still anonymous"
    refused = client.sasl(b"token")
    assert refused.result_code == LdapResult.UNWILLING_TO_PERFORM
    assert refused.diagnostic_message.startswith("00002029: ")


def test_fast_bind_is_refused_once_bound(desk: Desk) -> None:
    client = desk.connect(tls=True)
    client.bind()
    answer = client.ask(m.ExtendedRequest(FAST_BIND))
    assert answer.result_code == LdapResult.UNWILLING_TO_PERFORM
    assert answer.diagnostic_message.startswith("00002035: ")
    assert client.ask(DOMAIN).result_code == LdapResult.SUCCESS


# --- StartTLS ---


def test_start_tls_without_a_certificate(desk: Desk) -> None:
    answer = desk.connect().ask(m.ExtendedRequest(m.START_TLS))
    assert answer.result_code == LdapResult.UNAVAILABLE


def test_start_tls_where_something_protects_already(corp_sqlite: Corp, runner: asyncio.Runner) -> None:
    desk = open_desk(corp_sqlite, runner, tls=ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))
    start_tls = m.ExtendedRequest(m.START_TLS)
    over_tls = desk.connect(tls=True)
    assert over_tls.ask(start_tls).result_code == LdapResult.OPERATIONS_ERROR
    assert sealed(desk).ask(start_tls).result_code == LdapResult.OPERATIONS_ERROR
    busy = desk.connect()
    first = busy.send(SUBTREE, start_tls)[0]
    assert first.message_id == busy.last_id and response([first]).result_code == LdapResult.OPERATIONS_ERROR


class UpgradableLoop:
    """Stands where a connection looks for the loop's start_tls: data comes before the upgrade returns."""

    def __init__(self, client: LdapClient, early: bytes) -> None:
        self.client, self.early = client, early
        self.upgraded = type(client.transport)()

    async def start_tls(self, *_: object, **__: object) -> asyncio.Transport:
        assert not self.client.transport.reading
        self.client.protocol.data_received(self.early)
        return self.upgraded


def test_what_comes_with_the_end_of_the_handshake_is_answered_over_tls(
    corp_sqlite: Corp, runner: asyncio.Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = open_desk(corp_sqlite, runner, tls=ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))
    client = desk.connect()
    start_tls, early = client.frame(m.ExtendedRequest(m.START_TLS)), client.frame(ROOT_DSE)
    loop = UpgradableLoop(client, early)
    real = asyncio.get_running_loop

    async def deliver() -> None:
        client.protocol.data_received(start_tls)
        assert not client.transport.reading, "the handshake must not be read as LDAP"
        monkeypatch.setattr(real(), "start_tls", loop.start_tls, raising=False)

    runner.run(deliver())
    desk.settle()
    answers = client.take()
    assert [a.message_id for a in answers] == [1], "nothing but the answer to StartTLS leaves in clear"
    client.transport = loop.upgraded
    assert [a.message_id for a in client.take()] == [2, 2]
    assert client.protocol._protection is Protection.TLS


# --- security layers, expiry ---


def test_sealed_connections_speak_in_sealed_messages(desk: Desk) -> None:
    client = sealed(desk)
    assert client.ask(DOMAIN).result_code == LdapResult.SUCCESS
    assert client.ask(m.ExtendedRequest(WHO_AM_I)).result_code == LdapResult.SUCCESS


def test_messages_that_are_only_signed_are_refused_on_a_sealed_connection(desk: Desk) -> None:
    client = sealed(desk)
    client.sealed = False
    client.protocol.data_received(client.frame(DOMAIN))
    assert notice(client).result_code == LdapResult.PROTOCOL_ERROR


def test_an_expired_ticket_ends_its_connection(desk: Desk) -> None:
    exchange = FakeExchange()
    exchange.who = type(exchange.who)(exchange.who.principal, None, lifetime_s=600)
    client = sealed(desk, exchange)
    desk.clock.when = FileTime(desk.clock.when + 599 * TICKS_PER_S)
    assert client.ask(DOMAIN).result_code == LdapResult.SUCCESS
    desk.clock.when = FileTime(desk.clock.when + TICKS_PER_S)
    client.protocol.data_received(client.frame(MAIL))
    assert notice(client).result_code == LdapResult.UNAVAILABLE
    assert desk.corp.values("CN=Guest,CN=Users", "mail") == []


def test_a_silent_client_goes_when_its_ticket_does(desk: Desk) -> None:
    exchange = FakeExchange()
    exchange.who = type(exchange.who)(exchange.who.principal, None, lifetime_s=600)
    client = sealed(desk, exchange)
    client.protocol.tick(FileTime(desk.clock.when + 599 * TICKS_PER_S))
    assert not client.transport.closed
    exchange.expired = True
    client.protocol.tick(FileTime(desk.clock.when + 600 * TICKS_PER_S))
    assert client.transport.aborted, "nothing can be sealed any more, so nothing is said"


# --- limits ---


def test_beyond_the_limit_the_oldest_stranger_goes(corp_sqlite: Corp, runner: asyncio.Runner) -> None:
    desk = open_desk(corp_sqlite, runner, connections_max=3)
    known, old, young = desk.connect(tls=True), desk.connect(), desk.connect()
    known.bind()
    newest = desk.connect()
    assert old.transport.aborted
    assert not any(c.transport.closed for c in (known, young, newest))
    known.protocol.connection_lost(None)
    assert not desk.connect().transport.aborted and not young.transport.aborted


def test_where_all_are_bound_the_newcomer_goes(corp_sqlite: Corp, runner: asyncio.Runner) -> None:
    desk = open_desk(corp_sqlite, runner, connections_max=1)
    known = desk.connect(tls=True)
    known.bind()
    assert desk.connect().transport.aborted and not known.transport.closed
    assert known.send(m.BindRequest(3, "", m.SimpleAuth(b"")))
    assert desk.connect() and known.transport.aborted, "an anonymous bind makes a stranger again"


def test_silent_connections_are_closed(desk: Desk) -> None:
    silent, idle = desk.connect(), desk.connect()
    idle.send(ROOT_DSE)
    desk.clock.when = FileTime(desk.clock.when + 120 * TICKS_PER_S)
    for client in (silent, idle):
        client.protocol.tick(desk.clock.now())
    assert silent.transport.closed and not idle.transport.closed
    desk.clock.when = FileTime(desk.clock.when + 780 * TICKS_PER_S)
    idle.protocol.tick(desk.clock.now())
    assert idle.transport.closed


def test_reading_stops_while_the_client_does_not_take_its_answers(desk: Desk) -> None:
    client = desk.connect()
    client.protocol.pause_writing()
    assert not client.transport.reading
    client.protocol.resume_writing()
    assert client.transport.reading


def test_requests_wait_while_the_client_does_not_take_its_answers(desk: Desk) -> None:
    """One segment with thousands of requests would otherwise fill memory with their answers."""
    client = desk.connect()
    client.protocol.pause_writing()
    first = client.send(*[ROOT_DSE] * 500)
    assert 0 < len(first) <= 2 * Limits().outstanding
    client.protocol.resume_writing()
    rest = client.take()
    ends = [a.message_id for a in (*first, *rest) if isinstance(a.protocol_op, m.LdapResultFields)]
    assert ends == list(range(1, 501))


def test_the_limits_follow_the_query_policy(desk: Desk) -> None:
    policy = "CN=Default Query Policy,CN=Query-Policies,CN=Directory Service,CN=Windows NT,CN=Services"
    client = desk.connect(tls=True)
    client.bind()
    change = m.Change(2, m.PartialAttribute("lDAPAdminLimits", (b"MaxConnIdleTime=60", b"MaxConnections=2")))
    dn = f"{policy},CN=Configuration,{DOMAIN_DN}"
    assert client.ask(m.ModifyRequest(dn, (change,))).result_code == LdapResult.SUCCESS
    desk.service.renew_limits()
    assert desk.service.limits.max_conn_idle_time_s == 60
    strangers = [desk.connect(), desk.connect()]
    assert [s.transport.aborted for s in strangers] == [True, False]


# --- the end ---


def test_drain_answers_what_was_begun_and_says_good_bye(desk: Desk) -> None:
    client, idle = desk.connect(tls=True), desk.connect()
    client.bind()

    async def shut_down() -> None:
        client.protocol.data_received(client.frame(SUBTREE))
        assert not client.transport.written
        await desk.service.drain()

    desk.runner.run(shut_down())
    answers = client.take()
    assert isinstance(answers[-2].protocol_op, m.SearchResultDone)
    assert answers[-1].message_id == 0 and client.transport.closed
    assert notice(idle).result_code == LdapResult.UNAVAILABLE


def test_answers_for_clients_that_left_are_dropped(desk: Desk) -> None:
    client = desk.connect(tls=True)
    client.bind()

    async def leave() -> None:
        client.protocol.data_received(client.frame(SUBTREE))
        client.protocol.connection_lost(None)

    desk.runner.run(leave())
    desk.settle()
    assert not client.transport.written
