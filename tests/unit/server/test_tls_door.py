"""Handshakes that never end do not keep others out, nor pile up."""

import asyncio
import ssl
from datetime import UTC, datetime
from pathlib import Path

import pytest

from addc.base.rng import SystemRng
from addc.security.crypto.x509 import make_ca, make_server_certificate
from addc.server import listeners
from addc.server.tls_door import TlsDoor


class Greeter(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport) or hasattr(transport, "write")
        transport.write(b"hello")


@pytest.fixture
def context(tmp_path: Path) -> ssl.SSLContext:
    now = datetime.now(UTC)
    pair = make_server_certificate(make_ca("CA", now, SystemRng()), ["dc1"], [], now, SystemRng())
    (tmp_path / "server.pem").write_bytes(pair.certificate)
    (tmp_path / "server.key").write_bytes(pair.key.reveal())
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(tmp_path / "server.pem", tmp_path / "server.key")
    return made


def trusting() -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.check_hostname = False
    made.verify_mode = ssl.CERT_NONE
    return made


async def greeted(port: int) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=trusting())
    try:
        return await reader.readexactly(5)
    finally:
        writer.close()


def test_the_slowest_handshake_goes_for_one_too_many(context: ssl.SSLContext) -> None:
    async def run() -> None:
        sock = listeners.listen_tcp("127.0.0.1", 0)
        port = sock.getsockname()[1]
        door = TlsDoor(sock, context, Greeter, handshake_s=30, handshakes_max=2)
        silent = [await asyncio.open_connection("127.0.0.1", port) for _ in range(3)]
        assert await silent[0][0].read() == b""  # dropped for the third
        assert await greeted(port) == b"hello"
        door.close()
        for _, writer in silent:
            writer.close()

    asyncio.run(asyncio.wait_for(run(), 20))


def test_a_client_that_speaks_no_tls_harms_nobody(context: ssl.SSLContext) -> None:
    async def run() -> None:
        sock = listeners.listen_tcp("127.0.0.1", 0)
        port = sock.getsockname()[1]
        door = TlsDoor(sock, context, Greeter, handshake_s=30)
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.0\r\n\r\n")
        await reader.read()
        writer.close()
        assert await greeted(port) == b"hello"
        door.close()

    asyncio.run(asyncio.wait_for(run(), 20))
