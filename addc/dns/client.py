"""A client of other DNS servers: one message and its reply, by UDP, TCP or TLS, signed where there is a key.

A datagram that comes back truncated is asked for again by TCP. A reply counts only with the id and the
question that were sent, from the address asked, and to a signed request only with a signature that holds.
Spec: RFC 1035 4.2, RFC 7766 5, RFC 7858 3, RFC 5452 9, RFC 8945 5.3
"""

import asyncio
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Final

from addc.base.clock import Clock, to_unix
from addc.base.errors import AddcError, DecodeError
from addc.base.rng import Rng
from addc.codec.dns_message import Message, decode_message, encode_message
from addc.codec.dns_names import fold
from addc.codec.dns_rdata import DnsType
from addc.codes.rcode import Rcode
from addc.dns import tsig
from addc.dns.tsig import ReplyStream, TsigError, TsigKey

PORT: Final = 53
TLS_PORT: Final = 853
UDP_MAX: Final = 1232
"""Requests above this go by TCP at once."""
_TRANSFER_MESSAGES_MAX: Final = 1_000_000
_DATAGRAMS_MAX: Final = 16
"""Wrong replies that are looked at before a try is given up."""


class NoReplyError(AddcError):
    """A server gave no reply that counts; says why, for people."""


@dataclass(frozen=True, slots=True)
class NameServer:
    """Whom to ask. tls: for DNS over TLS; tls_name: the name its certificate must have, "" for none asked."""

    address: str
    port: int = PORT
    tls: ssl.SSLContext | None = None
    tls_name: str = ""

    def __str__(self) -> str:
        return self.address if self.port == PORT else f"{self.address}#{self.port}"


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply. data: its bytes as they came. by: "UDP", "TCP" or "TLS"."""

    message: Message
    data: bytes
    by: str


class DnsClient:
    """Asks one server. key: what requests are signed with."""

    def __init__(self, server: NameServer, rng: Rng, clock: Clock, *, key: TsigKey | None = None) -> None:
        self.server = server
        self.key = key
        self.tcp = server.tls is not None
        self.timeout_s = 5.0
        self.tries = 3
        self.rng = rng
        self.clock = clock

    def now_s(self) -> int:
        return to_unix(self.clock.now())

    def token(self, size: int) -> str:
        """Random hexadecimal digits, for a name that nobody else has."""
        return self.rng.bytes(size).hex()

    async def ask(self, message: Message) -> Reply:
        """The reply to a message, whose id is chosen here. Raises NoReplyError."""
        message = replace(message, id=int.from_bytes(self.rng.bytes(2), "big"))
        data, mac = self._signed(message)
        if not self.tcp and len(data) <= UDP_MAX:
            reply = await self._ask_datagram(message, data, mac)
            if not reply.message.tc:
                return reply
        try:
            async with asyncio.timeout(self.timeout_s):
                return await self._ask_stream(message, data, mac)
        except TimeoutError:
            raise NoReplyError(f"{self.server} gave no reply within {self.timeout_s:g} s") from None
        except (OSError, asyncio.IncompleteReadError) as error:
            raise NoReplyError(f"{self.server} cannot be asked: {_why(error)}") from None

    def _signed(self, message: Message) -> tuple[bytes, bytes]:
        data = encode_message(message)
        if self.key is None:
            return data, b""
        signed = tsig.sign_request(data, self.key, self.now_s())
        return signed.data, signed.mac

    def _checked(self, message: Message, data: bytes, mac: bytes) -> Message:
        """The reply in `data`. Raises DecodeError or TsigError where it is none that counts."""
        reply = decode_message(data)
        check_reply(message, reply)
        if self.key is not None:
            self._check_signature(reply, data, mac)
        return reply

    def _check_signature(self, reply: Message, data: bytes, mac: bytes) -> None:
        assert self.key is not None
        if reply.tsig is None:
            raise TsigError(Rcode.BADSIG, f"the reply is not signed ({Rcode(reply.rcode).name})")
        said = Rcode(reply.tsig.data.error)
        if said and not reply.tsig.data.mac:
            raise TsigError(said, f"the server does not take the signature ({_tsig_name(said)})")
        found = tsig.verify(data, reply.tsig, self.key, self.now_s(), mac)
        if found or said:
            raise TsigError(found or said, f"signatures do not hold ({_tsig_name(found or said)})")

    # --- transports ---

    async def _ask_datagram(self, message: Message, data: bytes, mac: bytes) -> Reply:
        loop = asyncio.get_running_loop()
        why = "gave no reply"
        for _ in range(self.tries):
            transport, box = await self._socket(loop)
            try:
                transport.sendto(data)
                async with asyncio.timeout(self.timeout_s):
                    for _ in range(_DATAGRAMS_MAX):
                        found = await box.get()
                        if isinstance(found, OSError):
                            raise found
                        try:
                            return Reply(self._checked(message, found, mac), found, "UDP")
                        except DecodeError as error:
                            why = f"gave no reply that can be read ({error})"
            except TimeoutError:
                continue
            except OSError as error:
                raise NoReplyError(f"{self.server} cannot be asked: {_why(error)}") from None
            except TsigError as error:
                raise NoReplyError(f"{self.server}: {error}") from None
            finally:
                transport.close()
        raise NoReplyError(f"{self.server} {why} in {self.tries} tries of {self.timeout_s:g} s")

    async def _socket(
        self, loop: asyncio.AbstractEventLoop
    ) -> "tuple[asyncio.DatagramTransport, asyncio.Queue[bytes | OSError]]":
        """A connected socket of a fresh port: the system drops what comes from elsewhere."""
        try:
            transport, box = await loop.create_datagram_endpoint(
                _Box, remote_addr=(self.server.address, self.server.port)
            )
        except OSError as error:
            raise NoReplyError(f"{self.server} cannot be asked: {_why(error)}") from None
        return transport, box.received

    async def _ask_stream(self, message: Message, data: bytes, mac: bytes) -> Reply:
        by = "TCP" if self.server.tls is None else "TLS"
        reader, writer = await self._connected()
        try:
            await _send(writer, data)
            found = await _receive(reader)
            return Reply(self._checked(message, found, mac), found, by)
        except (DecodeError, TsigError) as error:
            raise NoReplyError(f"{self.server}: {error}") from None
        finally:
            writer.close()

    async def _connected(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        server = self.server
        if server.tls is None:
            return await asyncio.open_connection(server.address, server.port)
        name = server.tls_name or server.address
        return await asyncio.open_connection(
            server.address, server.port, ssl=server.tls, server_hostname=name
        )

    async def transfer(self, message: Message) -> AsyncIterator[Message]:
        """The messages of a zone transfer, until its second SOA. Raises NoReplyError."""
        message = replace(message, id=int.from_bytes(self.rng.bytes(2), "big"))
        data, mac = self._signed(message)
        stream = ReplyStream(self.key, mac) if self.key is not None else None
        try:
            async with asyncio.timeout(self.timeout_s):
                reader, writer = await self._connected()
                await _send(writer, data)
            try:
                async for one in self._messages(message, reader, stream):
                    yield one
            finally:
                writer.close()
        except TimeoutError:
            raise NoReplyError(f"{self.server} gave no reply within {self.timeout_s:g} s") from None
        except (OSError, asyncio.IncompleteReadError, DecodeError, TsigError) as error:
            raise NoReplyError(f"{self.server}: {_why(error)}") from None

    async def _messages(
        self, message: Message, reader: asyncio.StreamReader, stream: ReplyStream | None
    ) -> AsyncIterator[Message]:
        soas = 0
        for _ in range(_TRANSFER_MESSAGES_MAX):
            async with asyncio.timeout(self.timeout_s):
                data = await _receive(reader)
            reply = decode_message(data)
            if reply.id != message.id or not reply.qr:
                raise DecodeError("a reply to something else", 0, "DNS")
            if stream is not None:
                stream.take(data, reply.tsig, self.now_s())
            yield reply
            soas += sum(record.type == DnsType.SOA for record in reply.answers)
            if reply.rcode or not reply.answers or soas >= 2:
                if stream is not None:
                    stream.end()
                return
        raise DecodeError(f"over {_TRANSFER_MESSAGES_MAX} messages", -1, "AXFR")


class _Box(asyncio.DatagramProtocol):
    """Datagrams and errors in the order in which they came."""

    def __init__(self) -> None:
        self.received: asyncio.Queue[bytes | OSError] = asyncio.Queue(_DATAGRAMS_MAX)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._put(data)

    def error_received(self, exc: Exception) -> None:
        self._put(exc if isinstance(exc, OSError) else OSError(str(exc)))

    def _put(self, found: bytes | OSError) -> None:
        if not self.received.full():
            self.received.put_nowait(found)


def check_reply(message: Message, reply: Message) -> None:
    """Raises DecodeError where `reply` is none to `message` (RFC 5452 9.1)."""
    asked = [(fold(one.name), one.qtype, one.qclass) for one in message.questions]
    said = [(fold(one.name), one.qtype, one.qclass) for one in reply.questions]
    if not reply.qr or reply.id != message.id or reply.opcode != message.opcode:
        raise DecodeError("a reply to something else", 0, "DNS.id")
    if said != asked and (
        said or not (reply.rcode or message.opcode)
    ):  # some refuse, and update, without the question
        raise DecodeError("a reply to another question", 12, "DNS.question")


async def _send(writer: asyncio.StreamWriter, data: bytes) -> None:
    writer.write(len(data).to_bytes(2, "big") + data)
    await writer.drain()


async def _receive(reader: asyncio.StreamReader) -> bytes:
    return await reader.readexactly(int.from_bytes(await reader.readexactly(2), "big"))


def _tsig_name(error: Rcode) -> str:
    return "BADSIG" if error == Rcode.BADVERS else error.name


def _why(error: Exception) -> str:
    if isinstance(error, asyncio.IncompleteReadError):
        return "it closed the connection"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) or type(error).__name__
