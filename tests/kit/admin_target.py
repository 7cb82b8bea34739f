"""Targets of administrators' commands over a fresh forest: in this process, and by LDAP without sockets."""

import socket
from collections.abc import Callable
from typing import cast

import pytest

from addc.auth.gss import Peer
from addc.codec.pac import Pac, PacType, pack_ndr_buffer
from addc.ldap.client import LdapClient
from addc.server.admin.local import LocalTarget
from addc.server.admin.remote import RemoteTarget, place_of
from addc.server.admin.target import Target
from tests.kit.ldap_desk import SEALED, Desk, FakeExchange
from tests.kit.ldap_desk import LdapClient as DeskClient
from tests.kit.partner import info


class FakeInitiator:
    """The client's side of the kit's fake exchange: one token, then everything behind a letter."""

    complete = False

    def step(self, token: bytes = b"") -> bytes:
        self.complete = bool(token)
        return b"" if token else b"client"

    def wrap(self, data: bytes, *, seal: bool) -> bytes:
        assert seal
        return SEALED + data

    def unwrap(self, data: bytes) -> tuple[bytes, bool]:
        return data[1:], data[:1] == SEALED

    def size_limit(self, size: int, *, seal: bool) -> int:
        return size - 1


class DeskSocket:
    """A socket whose other end is a desk's connection."""

    def __init__(self, client: DeskClient) -> None:
        self._client = client

    def sendall(self, data: bytes) -> None:
        async def deliver() -> None:
            self._client.protocol.data_received(data)

        self._client.desk.runner.run(deliver())
        self._client.desk.settle()

    def recv(self, size: int) -> bytes:
        held = self._client.transport.written
        data, held[:] = bytes(held[:size]), held[size:]
        return data

    def close(self) -> None:
        """Nothing to let go of."""


def ldap_client(desk: Desk) -> LdapClient:
    """A new connection that nobody is bound on."""
    return LdapClient(cast(socket.socket, DeskSocket(desk.connect())))


def remote(desk: Desk, who: str = "") -> RemoteTarget:
    """Bound, sealed, as a user of the forest; "" for its administrator."""
    client = ldap_client(desk)
    if who:
        rid = desk.corp.sid(f"CN={who},CN=Users").rid()
        logon = info(rid, (513,), domain=desk.corp.forest.domain_sid)
        pac = Pac(((PacType.LOGON_INFO, pack_ndr_buffer(logon)),)).pack()
        desk.acceptor.prepared.append(FakeExchange(who=Peer(f"{who}@CORP.EXAMPLE.COM", pac)))
    client.bind_sasl(FakeInitiator(), seal=True)
    return RemoteTarget(client, place_of(client, "dc1"), who or "Administrator")


def _local(desk: Desk) -> Target:
    return LocalTarget(desk.directory, "the forest of a test")


@pytest.fixture(params=[_local, remote], ids=["here", "elsewhere"])
def target(request: pytest.FixtureRequest, desk: Desk) -> Target:
    """The same forest by both ways: what holds for one holds for the other."""
    made: Callable[[Desk], Target] = request.param
    return made(desk)
