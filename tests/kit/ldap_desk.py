"""The LDAP service without sockets: connections over a transport that only remembers, Kerberos by script.

A Desk serves one directory; what its clients send is worked on until nothing runs any more, so tests need
neither waits nor ports.
"""

import asyncio
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Address
from typing import Final, cast

import pytest

from addc.auth.gss import AuthError, GssAcceptor, NoKeysError, Peer
from addc.base.ids import MessageId
from addc.codec.pac import Pac, PacType, pack_ndr_buffer
from addc.directory.api import Directory, Services
from addc.ldap import messages as m
from addc.ldap.bind import Binder, BindPolicy
from addc.ldap.locator import Self
from addc.ldap.service import Endpoint, LdapConnection, LdapService
from tests.kit.corp import Corp
from tests.kit.corp_forest import ADMIN_PASSWORD, CountingRng, StandingClock
from tests.kit.partner import info

CLIENT: Final = "192.0.2.77"
OWN: Final = Self((IPv4Address("192.0.2.10"),))
ADMIN: Final = "Administrator@corp.example.com"
_POLICY: Final = BindPolicy()
_ADMIN: Final = "Administrator@CORP.EXAMPLE.COM"
_ADMIN_GROUPS: Final = (512, 513, 518, 519, 520)
SEALED: Final = b"S"
SIGNED: Final = b"I"


class FakeTransport(asyncio.Transport):
    """Remembers what was written and whether reading goes on."""

    def __init__(self, source: str = CLIENT) -> None:
        super().__init__({"peername": (source, 40_000)})
        self.written = bytearray()
        self.closed = False
        self.aborted = False
        self.reading = True

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += data

    def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        self.closed = self.aborted = True

    def is_closing(self) -> bool:
        return self.closed

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True


@dataclass
class FakeExchange:
    """An acceptor's context that does as told; its "sealed" messages begin with a letter.

    steps: what is answered to each token; the last one completes. b"forged" is never good.
    """

    steps: list[bytes] = field(default_factory=lambda: [b"mutual"])
    who: Peer = field(default_factory=lambda: Peer(_ADMIN, None))
    confidential: bool = True
    integrity: bool = True
    complete: bool = False
    expired: bool = False
    channel_binding: bytes | None = None

    def step(self, token: bytes) -> bytes:
        if token == b"forged":
            raise AuthError("integrity check failed")
        answer = self.steps.pop(0)
        self.complete = not self.steps
        return answer

    def peer(self) -> Peer:
        return self.who

    def wrap(self, data: bytes, *, seal: bool) -> bytes:
        if self.expired:
            raise AuthError("context expired")
        return (SEALED if seal else SIGNED) + data

    def unwrap(self, data: bytes) -> tuple[bytes, bool]:
        if data[:1] not in (SEALED, SIGNED):
            raise AuthError("integrity check failed")
        return data[1:], data[:1] == SEALED

    def size_limit(self, size: int, *, seal: bool) -> int:
        del seal
        return size - 1


class FakeAcceptor:
    """Hands out the exchanges that a test prepared.

    pac: of Administrator's tickets, put into those that tests leave without one.
    """

    def __init__(self, pac: bytes) -> None:
        self.prepared: list[FakeExchange] = []
        self.broken = False
        self.pac = pac

    def exchange(self, channel_binding: bytes | None = None) -> FakeExchange:
        if self.broken:
            raise NoKeysError("the acceptor has no keys")
        found = self.prepared.pop(0) if self.prepared else FakeExchange()
        found.channel_binding = channel_binding
        if found.who.principal == _ADMIN and found.who.pac is None:
            found.who = replace(found.who, pac=self.pac)
        return found


@dataclass
class Desk:
    """A service, the means to turn its clock, and its clients."""

    corp: Corp
    directory: Directory
    clock: StandingClock
    acceptor: FakeAcceptor
    service: LdapService
    runner: asyncio.Runner

    def connect(self, *, tls: bool = False, gc_port: bool = False, source: str = CLIENT) -> "LdapClient":
        """A new connection."""
        protocol = self.service.connection(Endpoint(tls, gc_port))
        transport = FakeTransport(source)
        protocol.connection_made(transport)
        return LdapClient(self, protocol, transport)

    def settle(self) -> None:
        """Let everything that was begun come to its end."""
        self.runner.run(self._settle())

    async def _settle(self) -> None:
        while self.service._tasks:
            await asyncio.wait(set(self.service._tasks))


@dataclass
class LdapClient:
    """The other end of one connection."""

    desk: Desk
    protocol: LdapConnection
    transport: FakeTransport
    exchange: FakeExchange | None = None
    sealed: bool = False
    last_id: int = 0

    def frame(self, *ops: m.Request, controls: tuple[m.Control, ...] = ()) -> bytes:
        """The bytes of requests with the next message ids."""
        data = b""
        for op in ops:
            self.last_id += 1
            data += m.LdapMessage(MessageId(self.last_id), op, controls).pack()
        if self.exchange is not None:
            data = self.exchange.wrap(data, seal=self.sealed)
            data = len(data).to_bytes(4, "big") + data
        return data

    def send_raw(self, data: bytes) -> list[m.LdapMessage]:
        """What comes back until nothing runs any more."""

        async def deliver() -> None:
            self.protocol.data_received(data)

        self.desk.runner.run(deliver())
        self.desk.settle()
        return self.take()

    def send(self, *ops: m.Request, controls: tuple[m.Control, ...] = ()) -> list[m.LdapMessage]:
        """Requests in one segment, and all that comes back."""
        return self.send_raw(self.frame(*ops, controls=controls))

    def ask(self, op: m.Request, *controls: m.Control) -> m.LdapResultFields:
        """The response that ends one request."""
        last = self.send(op, controls=controls)[-1]
        assert last.message_id == self.last_id
        return cast(m.LdapResultFields, last.protocol_op)

    def take(self) -> list[m.LdapMessage]:
        """The messages that came since the last look."""
        data, self.transport.written[:] = bytes(self.transport.written), b""
        if self.exchange is not None:
            data = self._unwrapped(self.exchange, data)
        found, at = [], 0
        while at < len(data):
            message, at = m.LdapMessage.unpack_first(data, at)
            found.append(message)
        return found

    @staticmethod
    def _unwrapped(exchange: FakeExchange, data: bytes) -> bytes:
        plain, at = b"", 0
        while at < len(data):
            end = at + 4 + int.from_bytes(data[at : at + 4], "big")
            plain += exchange.unwrap(data[at + 4 : end])[0]
            at = end
        return plain

    def bind(self, name: str = ADMIN, password: str = ADMIN_PASSWORD) -> m.BindResponse:
        """A simple bind."""
        answer = self.send(m.BindRequest(3, name, m.SimpleAuth(password.encode())))[0].protocol_op
        assert isinstance(answer, m.BindResponse)
        return answer

    def sasl(self, token: bytes, mechanism: str = "GSS-SPNEGO") -> m.BindResponse:
        """One step of a SASL bind."""
        answer = self.send(m.BindRequest(3, "", m.SaslCredentials(mechanism, token)))[0].protocol_op
        assert isinstance(answer, m.BindResponse)
        return answer


def open_desk(
    corp: Corp,
    runner: asyncio.Runner,
    *,
    policy: BindPolicy = _POLICY,
    tls: ssl.SSLContext | None = None,
    connections_max: int = 100,
) -> Desk:
    """A service over a forest; the corp's store is not closed by it."""
    clock = StandingClock(corp.now)
    services = Services(clock, CountingRng(b"desk"))
    directory = Directory(corp.store, corp.schema, services)
    logon = info(500, _ADMIN_GROUPS, domain=corp.forest.domain_sid)
    acceptor = FakeAcceptor(Pac(((PacType.LOGON_INFO, pack_ndr_buffer(logon)),)).pack())
    binder = Binder(directory, cast(GssAcceptor, acceptor), services, policy)
    service = LdapService(
        directory,
        clock,
        binder,
        OWN,
        tls=tls,
        channel_binding=b"tls-server-end-point:x" if tls else None,
        connections_max=connections_max,
    )
    return Desk(corp, directory, clock, acceptor, service, runner)


@pytest.fixture
def runner() -> Iterator[asyncio.Runner]:
    """An event loop that tests step through."""
    with asyncio.Runner() as found:
        yield found


@pytest.fixture
def desk(corp_sqlite: Corp, runner: asyncio.Runner) -> Desk:
    """A service over a fresh copy of the forest."""
    return open_desk(corp_sqlite, runner)
