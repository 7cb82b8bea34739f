"""A name server of "the outside world": answers every A question for *.outside.test with 203.0.113.7.

Run as `python -m tests.kit.outside_dns ADDRESS`; serves UDP and TCP on port 53 until it is ended.
"""

import asyncio
import sys
from typing import cast

from addc.codec.dns_message import Message, Record, decode_message, encode_message, reply_to
from addc.codec.dns_names import fold, is_below
from addc.codec.dns_rdata import AData, DnsType

_ZONE = (b"outside", b"test")


def answer(data: bytes) -> bytes:
    query = decode_message(data)
    return encode_message(_reply(query))


def _reply(query: Message) -> Message:
    name = query.questions[0].name
    if not is_below(fold(name), _ZONE):
        return reply_to(query, rcode=3, edns=query.edns)
    address = Record(name, DnsType.A, 1, 60, AData(bytes((203, 0, 113, 7))))
    return reply_to(query, answers=(address,), edns=query.edns)


class _Datagrams(asyncio.DatagramProtocol):
    transport: asyncio.DatagramTransport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.transport.sendto(answer(data), addr)


async def _stream(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while True:
            reply = answer(await reader.readexactly(int.from_bytes(await reader.readexactly(2), "big")))
            writer.write(len(reply).to_bytes(2, "big") + reply)
            await writer.drain()
    except asyncio.IncompleteReadError:
        writer.close()


async def main(address: str) -> None:
    await asyncio.get_running_loop().create_datagram_endpoint(_Datagrams, local_addr=(address, 53))
    async with await asyncio.start_server(_stream, address, 53) as server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
