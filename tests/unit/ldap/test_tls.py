"""StartTLS over sockets: what becomes of the connection, and of a bind that was begun before."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest

from addc.base.ids import MessageId
from addc.base.rng import SystemRng
from addc.codes.ldap_result import LdapResult
from addc.ldap import messages as m
from addc.ldap.service import Endpoint
from addc.security.crypto.x509 import make_ca, make_server_certificate
from tests.kit.corp import Corp
from tests.kit.ldap_desk import Desk, FakeExchange, open_desk

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@pytest.fixture
def desk(corp_sqlite: Corp, runner: asyncio.Runner, tmp_path: Path) -> Desk:
    """A service with a certificate."""
    now = datetime.now(UTC)
    pair = make_server_certificate(make_ca("CA", now, SystemRng()), ["dc1"], [], now, SystemRng())
    (tmp_path / "server.pem").write_bytes(pair.certificate)
    (tmp_path / "server.key").write_bytes(pair.key.reveal())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "server.pem", tmp_path / "server.key")
    return open_desk(corp_sqlite, runner, tls=context)


def trusting() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


@asynccontextmanager
async def connected(port: int) -> AsyncIterator[Streams]:
    """A client's streams, closed at the end whatever the server did."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield reader, writer
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


def over_sockets(desk: Desk, work: Callable[[int], Awaitable[None]]) -> None:
    """Run `work` with the port of a listener; nothing of its connections stays."""

    async def run() -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: desk.service.connection(Endpoint()), "127.0.0.1", 0)
        async with server, asyncio.timeout(20):
            await work(server.sockets[0].getsockname()[1])
            await gone(desk)

    desk.runner.run(run())


async def gone(desk: Desk) -> None:
    """Wait until the service holds no connection and does nothing."""
    while desk.service.admission.everybody() or desk.service._tasks:  # noqa: ASYNC110 - it has no event for tests
        await asyncio.sleep(0)


def test_a_handshake_that_fails_leaves_nothing_behind(desk: Desk) -> None:
    async def work(port: int) -> None:
        async with connected(port) as (reader, writer):
            writer.write(m.LdapMessage(MessageId(1), m.ExtendedRequest(m.START_TLS)).pack())
            await reader.read(100)
            writer.write(b"\x16\x03\x01\x00\x05junk!")
            with suppress(ConnectionResetError):
                await reader.read()
            await gone(desk)

    over_sockets(desk, work)


def test_a_bind_begun_in_clear_is_not_finished_over_tls(desk: Desk) -> None:
    """It knows nothing of the channel's binding, and took its first token from where others listen."""
    first, second = FakeExchange(steps=[b"more", b"mutual"]), FakeExchange()
    desk.acceptor.prepared += [first, second]
    codes: list[int] = []

    async def work(port: int) -> None:
        async with connected(port) as (reader, writer):
            bind = m.BindRequest(3, "", m.SaslCredentials("GSS-SPNEGO", b"token"))
            ops: list[m.Request] = [bind, m.ExtendedRequest(m.START_TLS), bind]
            for number, op in enumerate(ops, 1):
                writer.write(m.LdapMessage(MessageId(number), op).pack())
                answer = m.LdapMessage.unpack_first(await reader.read(1000), 0)[0].protocol_op
                assert isinstance(answer, m.BindResponse | m.ExtendedResponse)
                codes.append(answer.result_code)
                if number == 2:
                    await writer.start_tls(trusting())

    over_sockets(desk, work)
    assert codes == [LdapResult.SASL_BIND_IN_PROGRESS, LdapResult.SUCCESS, LdapResult.SUCCESS]
    assert not first.complete and second.complete
    assert second.channel_binding is not None


def test_the_server_says_nothing_in_clear_amid_a_handshake(desk: Desk) -> None:
    client = desk.connect()
    client.protocol._upgrading = True
    client.protocol.farewell()
    assert client.transport.aborted and not client.transport.written
