"""A DNS server on a loopback port that answers as a test says, by UDP and TCP."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import cast

from addc.dns.client import NameServer

Answer = Callable[[bytes, bool], list[bytes]]
"""Of a request, and whether it came by TCP: what is sent for it, in order."""


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        for reply in self._answer(data, False):
            self._transport.sendto(reply, addr)


@asynccontextmanager
async def answerer(answer: Answer) -> AsyncIterator[NameServer]:
    """While the context lasts; both transports on one port."""

    async def stream(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        data = await reader.readexactly(int.from_bytes(await reader.readexactly(2), "big"))
        for reply in answer(data, True):
            writer.write(len(reply).to_bytes(2, "big") + reply)
        await writer.drain()
        writer.close()

    listening = socket.create_server(("127.0.0.1", 0))
    port = listening.getsockname()[1]
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: _Datagrams(answer), local_addr=("127.0.0.1", port)
    )
    async with await asyncio.start_server(stream, sock=listening):
        try:
            yield NameServer("127.0.0.1", port)
        finally:
            transport.close()
