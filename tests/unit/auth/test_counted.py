"""Proofs by NTLM whose answer waits until they are counted; [MS-SAMR] 3.1.5.14.5, 3.1.5.14.6."""

import asyncio
import logging
from collections.abc import Coroutine
from typing import cast

import pytest

from addc.auth.acceptor import Acceptor, AcceptorPolicy, AuthContext
from addc.auth.counted import Place, counted_step
from addc.auth.gss import AuthError, GssAcceptor
from addc.auth.ntlm import NtlmExchange, ServerNames
from addc.auth.ntlm_logon import NotLetInError
from addc.codec import ntlm
from addc.codec.ntlm import NegotiateFlags
from addc.codes.ntstatus import NtStatus
from addc.directory.api import Directory, Services
from tests.kit.corp import Corp, replace_values
from tests.kit.corp_forest import DOMAIN_DN, NOW, CountingRng, StandingClock
from tests.kit.ldap_desk import FakeAcceptor
from tests.kit.ntlm_client import NtlmClient
from tests.kit.policies import deny_network

PLACE = Place("RPC", "192.0.2.9", 40_000)
PASSWORD = "Blu3.Moon.Rises"


class Door:
    """A directory in which alice's account locks after two wrong passwords."""

    def __init__(self, corp: Corp) -> None:
        self.corp = corp
        services = Services(StandingClock(corp.now), CountingRng(b"door"))
        self.directory = Directory(corp.store, corp.schema, services)
        gss = cast(GssAcceptor, FakeAcceptor(b""))
        self.acceptor = Acceptor(self.directory, gss, services, AcceptorPolicy())
        corp.modify(DOMAIN_DN, replace_values("lockoutThreshold", "2"))
        self.alice = corp.user("alice", PASSWORD)
        self.later: list[Coroutine[None, None, None]] = []

    def step(self, context: AuthContext, token: bytes) -> Coroutine[None, None, bytes]:
        return counted_step(self.directory, context, token, PLACE, self.later.append)

    async def log_on(self, password: str, user: str = "alice") -> NtStatus:
        client, context = NtlmClient.of(user, password), self.acceptor.context()
        challenge = await self.step(context, client.negotiate())
        try:
            assert await self.step(context, client.authenticate(challenge)) == b""
        except NotLetInError as error:
            return error.verdict.status
        return NtStatus.STATUS_SUCCESS

    def count(self, name: str) -> int:
        values = self.corp.values(self.alice, name)
        return int(values[0]) if values else 0


@pytest.fixture
def door(corp_sqlite: Corp) -> Door:
    return Door(corp_sqlite)


def test_a_right_password_is_noted_later(door: Door, runner: asyncio.Runner) -> None:
    assert runner.run(door.log_on(PASSWORD)) is NtStatus.STATUS_SUCCESS
    assert door.count("logonCount") == 0 and len(door.later) == 1
    runner.run(door.later[0])
    assert door.count("logonCount") == 1


def test_a_wrong_password_is_counted_before_it_is_told(door: Door, runner: asyncio.Runner) -> None:
    assert runner.run(door.log_on("wrong")) is NtStatus.STATUS_WRONG_PASSWORD
    assert door.count("badPwdCount") == 1 and not door.later


def test_a_right_password_after_a_wrong_one_is_settled_first(door: Door, runner: asyncio.Runner) -> None:
    runner.run(door.log_on("wrong"))
    assert runner.run(door.log_on(PASSWORD)) is NtStatus.STATUS_SUCCESS
    assert door.count("badPwdCount") == 0 and not door.later


def test_guesses_at_once_do_not_outrun_the_lockout(door: Door, runner: asyncio.Runner) -> None:
    async def all_at_once() -> list[NtStatus]:
        guesses = ("one", "two", "three", "four", PASSWORD)
        return list(await asyncio.gather(*(door.log_on(guess) for guess in guesses)))

    told = runner.run(all_at_once())
    assert told.count(NtStatus.STATUS_WRONG_PASSWORD) == 2
    assert told.count(NtStatus.STATUS_ACCOUNT_LOCKED_OUT) == 3
    assert runner.run(door.log_on(PASSWORD)) is NtStatus.STATUS_ACCOUNT_LOCKED_OUT


def test_a_right_password_without_the_right_to_come_from_the_network(
    door: Door, runner: asyncio.Runner
) -> None:
    deny_network(door.corp, door.corp.sid(door.alice))
    assert runner.run(door.log_on(PASSWORD)) is NtStatus.STATUS_LOGON_TYPE_NOT_GRANTED
    assert runner.run(door.log_on("wrong")) is NtStatus.STATUS_WRONG_PASSWORD


def test_nobodys_name_is_refused(door: Door, runner: asyncio.Runner) -> None:
    assert runner.run(door.log_on(PASSWORD, "mallory")) is NtStatus.STATUS_NO_SUCH_USER


def test_the_audit_log_is_told(door: Door, runner: asyncio.Runner, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "addc.audit"):
        runner.run(door.log_on("wrong"))
        runner.run(door.log_on(PASSWORD))
    fields = [record.__dict__["fields"] for record in caplog.records]
    assert [(one["result"], one["protocol"], one["address"]) for one in fields] == [
        ("failure", "RPC", "192.0.2.9"), ("success", "RPC", "192.0.2.9"),
    ]  # fmt: skip


NAMES = ServerNames("CORP", "DC1", "corp.example.com", "dc1.corp.example.com", "corp.example.com")
FLAGS = NegotiateFlags.UNICODE | NegotiateFlags.NTLM | NegotiateFlags.SIGN | NegotiateFlags.SEAL
MODERN = FLAGS | NegotiateFlags.EXTENDED_SESSIONSECURITY | NegotiateFlags.N128


def nobody(flags: int, *, lm: bytes = b"\0", user: str = "", session_key: bytes = b"") -> bytes:
    return ntlm.Authenticate(lm, b"", "", user, "WKS", session_key, int(flags), b"").pack()


def met(*, lets_nobody_in: bool) -> NtlmExchange:
    exchange = NtlmExchange(NAMES, lambda proof: pytest.fail(proof.user), CountingRng(), NOW)
    exchange.lets_nobody_in = lets_nobody_in
    exchange.step(ntlm.Negotiate(int(MODERN)).pack())
    return exchange


def test_null_sessions_are_let_in_where_a_protocol_takes_them() -> None:
    """[MS-NLMP] 3.2.5.1.2: nobody's session base key is zero."""
    exchange = met(lets_nobody_in=True)
    assert exchange.step(nobody(MODERN)) == b"" and exchange.complete and exchange.is_anonymous
    assert exchange.session_key() == bytes(16) and exchange.confidential


def test_null_sessions_are_refused_everywhere_else() -> None:
    with pytest.raises(AuthError):
        met(lets_nobody_in=False).step(nobody(MODERN))


def test_who_is_named_without_a_response_is_no_null_session() -> None:
    for message in (nobody(MODERN, user="alice"), nobody(MODERN, lm=bytes(24))):
        with pytest.raises(AuthError):
            met(lets_nobody_in=True).step(message)


def test_old_clients_null_sessions_protect_nothing() -> None:
    exchange = met(lets_nobody_in=True)
    exchange.step(nobody(FLAGS))
    assert exchange.complete and not exchange.integrity and not exchange.confidential


def test_a_null_sessions_logon_is_anonymous(door: Door) -> None:
    context = door.acceptor.context(anonymous=True)
    context.step(ntlm.Negotiate(int(MODERN)).pack())
    context.step(nobody(MODERN))
    logon = context.logon()
    assert logon.token.is_anonymous and (logon.principal, logon.package) == ("", "NTLM")
