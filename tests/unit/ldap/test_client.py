"""LDAP as a client against our own server: binds, pages, refusals, ends of connections."""

import socket
from typing import cast

import pytest

from addc.auth.gss import AuthError
from addc.base.ids import MessageId
from addc.base.secret import Secret
from addc.codec.filter import Equal, Present
from addc.codes.ldap_result import LdapResult
from addc.codes.win32 import Win32
from addc.ldap import client as module
from addc.ldap import messages as m
from addc.ldap.client import LdapClient, NoServerError, RefusedError, Server, connect
from tests.kit.admin_target import FakeInitiator, ldap_client
from tests.kit.corp_forest import DOMAIN_DN
from tests.kit.ldap_desk import Desk, FakeExchange


def _bound(desk: Desk) -> LdapClient:
    client = ldap_client(desk)
    client.bind_sasl(FakeInitiator(), seal=True)
    return client


def test_a_search_comes_page_by_page(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAGE", 7)
    with _bound(desk) as client:
        found = list(client.search(DOMAIN_DN, 2, Equal("objectCategory", b"group"), ("cn",)))
    assert len(found) > 14 and all(one.attributes[0].type == "cn" for one in found)


def test_a_refusal_tells_result_and_code(desk: Desk) -> None:
    client = _bound(desk)
    with pytest.raises(RefusedError) as told:
        client.apply(m.DelRequest(f"CN=nobody,{DOMAIN_DN}"))
    assert told.value.result == LdapResult.NO_SUCH_OBJECT
    assert told.value.code == Win32.ERROR_DS_OBJ_NOT_FOUND and told.value.matched_dn == DOMAIN_DN
    assert list(client.search("", 0, Present("objectClass"), ("dnsHostName",)))  # and goes on


@pytest.mark.parametrize(("text", "code"), [("00000005: x", 5), ("0000: x", 0), ("zz000005: x", 0), ("", 0)])
def test_codes_in_texts(text: str, code: int) -> None:
    assert RefusedError(53, text).code == code


def test_a_password_in_clear_is_never_sent(desk: Desk) -> None:
    with pytest.raises(NoServerError, match="TLS alone"):
        ldap_client(desk).bind_simple("Administrator@corp.example.com", Secret(b"Corr3ct.Horse"))


def test_a_server_that_refuses_the_proof(desk: Desk) -> None:
    desk.acceptor.broken = True
    with pytest.raises(RefusedError):
        ldap_client(desk).bind_sasl(FakeInitiator(), seal=True)


def test_a_server_that_does_not_prove_itself_is_not_trusted(desk: Desk) -> None:
    """It says that all is well, and leaves its own proof out."""

    class Careful(FakeInitiator):
        def step(self, token: bytes = b"") -> bytes:
            self.complete = False
            return b"" if token else b"client"

    desk.acceptor.prepared.append(FakeExchange(steps=[b""]))
    with pytest.raises(AuthError, match="before it proved itself"):
        ldap_client(desk).bind_sasl(Careful(), seal=True)


def test_an_answer_in_clear_on_a_sealed_connection_is_refused(desk: Desk) -> None:
    class Signed(FakeInitiator):
        def unwrap(self, data: bytes) -> tuple[bytes, bool]:
            return data[1:], False

    client = ldap_client(desk)
    client.bind_sasl(Signed(), seal=True)
    with pytest.raises(AuthError, match="in clear"):
        list(client.search(DOMAIN_DN, 0, Present("objectClass")))


class _Deaf:
    """A socket that gives what it was told to."""

    def __init__(self, *given: bytes | OSError) -> None:
        self._given = list(given)

    def sendall(self, data: bytes) -> None:
        if not self._given:
            raise BrokenPipeError("gone")

    def recv(self, size: int) -> bytes:
        found = self._given.pop(0)
        if isinstance(found, OSError):
            raise found
        return found

    def close(self) -> None: ...


def _notice() -> bytes:
    gone = m.ExtendedResponse(result_code=52, diagnostic_message="drained", response_name="1.3")
    return m.LdapMessage(MessageId(0), gone).pack()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ((b"",), "closed the connection"),
        ((TimeoutError("timed out"),), "does not answer: timed out"),
        ((b"\x04\x00\x00",), "malformed"),
        ((_notice(),), "ends the connection: drained"),
        ((), "is gone"),
    ],
)
def test_ends_of_connections(given: tuple[bytes | OSError, ...], said: str) -> None:
    client = LdapClient(cast(socket.socket, _Deaf(*given)))
    with pytest.raises(NoServerError, match=said):
        client.apply(m.DelRequest("CN=a"))
    client.close()


def test_nobody_answers() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(NoServerError, match="no connection"):
            connect(Server("127.0.0.1", taken.getsockname()[1]), timeout_s=5)
