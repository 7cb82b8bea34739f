"""Talking to other servers of a zone: one datagram and its reply, or a stream; signed where there is a key.

Spec: RFC 1035 4.2, RFC 1996 3, RFC 8945 5.1, 5.3.1
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final, Self

from addc.base.clock import Clock, to_unix
from addc.base.errors import AddcError, DecodeError
from addc.codec.dns_message import Message, decode_message, encode_message
from addc.codec.dns_names import fold, parse_name
from addc.directory.api import Directory
from addc.directory.dns_tsig_keys import tsig_key
from addc.dns.tsig import HmacKey, ReplyStream, TsigError, TsigKey, sign_request
from addc.security.token import SYSTEM

CONNECT_S: Final = 10.0
IDLE_S: Final = 30.0
"""How long a master may be silent in the middle of a transfer."""
TOTAL_S: Final = 3600.0


class PeerError(AddcError):
    """Another server is not there, or says nothing that counts."""


@dataclass(frozen=True, slots=True)
class Peer:
    """Another server. key: what signs requests to it, and its replies; None for none."""

    address: str
    port: int = 53
    key: TsigKey | None = None

    def __str__(self) -> str:
        return self.address if self.port == 53 else f"{self.address}#{self.port}"


async def key_of(directory: Directory, name: str) -> TsigKey | None:
    """The key of a name; None for no name. Raises PeerError where there is no such key any more."""
    if not name:
        return None
    facts = await directory.read("dns.key", SYSTEM, lambda ctx: tsig_key(ctx, name), point=True)
    if facts is None:
        raise PeerError(f"there is no TSIG key {name}")
    return HmacKey(parse_name(facts.name), facts.algorithm, facts.secret)


class _Reply(asyncio.DatagramProtocol):
    """The first datagram that counts, of those that come from the server asked."""

    def __init__(self, request: Message, verifier: "Verifier") -> None:
        self._request = request
        self._verifier = verifier
        self.found: asyncio.Future[Message] = asyncio.get_running_loop().create_future()

    def datagram_received(self, data: bytes, addr: object) -> None:
        del addr
        if self.found.done():
            return
        try:
            reply = decode_message(data)
            if not answers(reply, self._request):
                return
            self._verifier.take(data, reply)
        except (DecodeError, TsigError):
            return  # it may be forged: the true one may still come
        self.found.set_result(reply)

    def error_received(self, exc: Exception) -> None:
        if not self.found.done():
            self.found.set_exception(exc)


class Verifier:
    """Checks the signatures of what answers one request; where that has none, nothing is checked."""

    def __init__(self, key: TsigKey | None, request_mac: bytes, clock: Clock) -> None:
        self._stream = ReplyStream(key, request_mac) if key is not None else None
        self._clock = clock

    def take(self, data: bytes, message: Message) -> None:
        """Raises TsigError."""
        if self._stream is not None:
            self._stream.take(data, message.tsig, to_unix(self._clock.now()))

    def end(self) -> None:
        """Raises TsigError where the last message was not signed."""
        if self._stream is not None:
            self._stream.end()


def signed(data: bytes, peer: Peer, clock: Clock) -> tuple[bytes, Verifier]:
    """A request to a peer as it is sent, and what verifies the replies."""
    if peer.key is None:
        return data, Verifier(None, b"", clock)
    done = sign_request(data, peer.key, to_unix(clock.now()))
    return done.data, Verifier(peer.key, done.mac, clock)


def answers(reply: Message, request: Message) -> bool:
    """Whether a message is the reply to a request, by id, opcode and question."""
    if reply.id != request.id or not reply.qr or reply.opcode != request.opcode:
        return False
    if not reply.questions:
        return bool(reply.rcode)
    (asked,) = request.questions
    return [(fold(one.name), one.qtype, one.qclass) for one in reply.questions] == [
        (fold(asked.name), asked.qtype, asked.qclass)
    ]


async def ask(peer: Peer, request: Message, clock: Clock, timeout_s: float) -> Message:
    """The reply to one datagram. Raises PeerError where none comes."""
    data, verifier = signed(encode_message(request), peer, clock)
    loop = asyncio.get_running_loop()
    try:
        transport, protocol = await loop.create_datagram_endpoint(
            lambda: _Reply(request, verifier), remote_addr=(peer.address, peer.port)
        )
    except OSError as error:
        raise PeerError(f"{peer} is out of reach: {error}") from error
    try:
        transport.sendto(data)
        async with asyncio.timeout(timeout_s):
            return await protocol.found
    except TimeoutError as error:
        raise PeerError(f"{peer} does not answer") from error
    except OSError as error:
        raise PeerError(f"{peer} does not answer: {error}") from error
    finally:
        transport.close()


class Line:
    """A TCP connection with one request on it."""

    def __init__(self, peer: Peer, clock: Clock) -> None:
        self._peer = peer
        self._clock = clock
        self._writer: asyncio.StreamWriter | None = None
        self._reader: asyncio.StreamReader | None = None

    async def __aenter__(self) -> Self:
        try:
            async with asyncio.timeout(CONNECT_S):
                self._reader, self._writer = await asyncio.open_connection(
                    self._peer.address, self._peer.port
                )
        except (OSError, TimeoutError) as error:
            raise PeerError(f"{self._peer} is out of reach") from error
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._writer is not None:
            self._writer.close()

    async def send(self, request: bytes) -> Verifier:
        """Send a request; what verifies the replies to it."""
        assert self._writer is not None
        data, verifier = signed(request, self._peer, self._clock)
        self._writer.write(len(data).to_bytes(2, "big") + data)
        await self._writer.drain()
        return verifier

    async def replies(self) -> AsyncIterator[bytes]:
        """The messages as they come, until who reads them has enough. Raises PeerError."""
        assert self._reader is not None
        try:
            async with asyncio.timeout(TOTAL_S):
                while True:
                    async with asyncio.timeout(IDLE_S):
                        size = int.from_bytes(await self._reader.readexactly(2), "big")
                        data = await self._reader.readexactly(size)
                    yield data
        except TimeoutError as error:
            raise PeerError(f"{self._peer} fell silent") from error
        except (OSError, asyncio.IncompleteReadError) as error:
            raise PeerError(f"{self._peer} ended the connection too early") from error
