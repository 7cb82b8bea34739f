"""RPC as a client over TCP: for replication, and for what this DC asks of other DCs.

    async with await connect(address, port) as connection:
        await connection.bind(NETLOGON, Credentials(AuthType.KERBEROS, AuthLevel.PRIVACY, make_initiator))
        response = await connection.call(NETLOGON, 34, DsrGetDcNameEx2(...), DsrGetDcNameEx2Response)

Spec: [MS-RPCE] 3.3.2, [C706] App. O (ept_map).
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Address
from types import TracebackType
from typing import Final, Protocol, Self, TypeVar

from addc.base.errors import AddcError, DecodeError
from addc.codec.interface import Interface
from addc.codec.ndr import NULL_HANDLE, Ndr, NdrReader, read_structure
from addc.codes.nca import NcaStatus
from addc.rpc import auth_layer
from addc.rpc.auth_layer import SecurityContext
from addc.rpc.call import AuthLevel, AuthType, RpcFault
from addc.rpc.initiator import Answer, Bound, Broken, Faulted, Nak, Responded, RpcInitiator
from addc.rpc.interfaces.epmapper.idl import EPMAPPER, EptMap, EptMapResponse, TwrT
from addc.rpc.pdu import SyntaxId
from addc.rpc.towers import TcpAddress, Tower, tower_to

MAPPER_PORT: Final = 135
TIMEOUT_S: Final = 60.0
R = TypeVar("R", bound=Ndr)


class RpcError(AddcError):
    """The server could not be asked: no connection, no agreement, or it broke the rules."""


class Initiator(Protocol):
    """The client's side of a proof; GssInitiator, NtlmInitiator and NetlogonInitiator have this shape."""

    @property
    def complete(self) -> bool: ...

    @property
    def signs_headers(self) -> bool: ...

    def step(self, token: bytes = b"") -> bytes: ...

    def session_key(self) -> bytes: ...

    def protect(self, before: bytes, data: bytes, after: bytes, *, seal: bool) -> tuple[bytes, bytes]: ...

    def unprotect(self, before: bytes, data: bytes, after: bytes, token: bytes, *, seal: bool) -> bytes: ...

    def signature_size(self, *, seal: bool) -> int: ...


@dataclass(frozen=True, slots=True)
class Credentials:
    """How to prove who calls.

    make: a new exchange; it may block, so it runs on a thread.
    """

    auth_type: AuthType
    level: AuthLevel
    make: Callable[[], Initiator]


_NO_REPLY_TO_THE_LAST: Final = (AuthType.WINNT, AuthType.KERBEROS)
"""Mechanisms with an odd number of tokens: the last goes in an auth3."""


class RpcConnection:
    """One connection. Calls may run beside each other, as far as the server takes that."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, timeout_s: float) -> None:
        self._reader = reader
        self._writer = writer
        self._timeout_s = timeout_s
        self._engine = RpcInitiator()
        self._context = SecurityContext(0, auth_layer.NONE, 0)
        self._context.finish(None)
        self._next_context = 1
        self._waiting: dict[int, asyncio.Future[bytes]] = {}
        self._answers: asyncio.Queue[Answer] = asyncio.Queue()
        self._turn = asyncio.Lock()
        self._end: RpcError | None = None
        self._pump = asyncio.get_running_loop().create_task(self._receive())
        self.session_key = b""

    @property
    def group_id(self) -> int:
        """The association group on the server; another connection may join it."""
        return self._engine.group_id

    @group_id.setter
    def group_id(self, value: int) -> None:
        self._engine.group_id = value

    # --- binding ---

    async def bind(self, interface: Interface, credentials: Credentials | None = None) -> None:
        """Ask for an interface. credentials: of a new security context, which later calls use.

        Raises RpcError where the server does not serve it, or does not take the proof.
        """
        if credentials is None:
            self._engine.bind(interface, SecurityContext(0, auth_layer.NONE, 0), b"")
            await self._bound()
            return
        context = SecurityContext(credentials.auth_type, credentials.level, self._next_context)
        self._next_context += 1
        exchange = await asyncio.to_thread(credentials.make)
        token = await asyncio.to_thread(exchange.step)
        self._engine.bind(interface, context, token)
        answer = await self._bound()
        while not exchange.complete:
            token = await asyncio.to_thread(exchange.step, answer)
            if not token:
                break
            if exchange.complete and credentials.auth_type in _NO_REPLY_TO_THE_LAST:
                self._engine.go_on(interface, context, token, last=True)
                await self._send()
                break
            self._engine.go_on(interface, context, token, last=False)
            answer = await self._bound()
        if not exchange.complete:
            raise RpcError("the server ended the proof early")
        context.finish(exchange)
        self._context, self.session_key = context, exchange.session_key()

    async def _bound(self) -> bytes:
        """The token in the answer to a bind or alter_context."""
        await self._send()
        match await self._next_answer():
            case Bound(taken=True, token=token):
                return token
            case Bound():
                raise RpcError("the server does not serve the interface")
            case Nak(reason):
                raise RpcError(f"the server refuses the bind: reason {reason}")
            case Faulted(status=status):
                raise RpcFault(NcaStatus(status), "alter_context")
            case other:
                raise RpcError(f"no answer to a bind: {other}")

    async def _next_answer(self) -> Answer:
        if self._end is not None:
            raise self._end
        try:
            async with asyncio.timeout(self._timeout_s):
                answer = await self._answers.get()
        except TimeoutError:
            raise RpcError("the server does not answer") from None
        if isinstance(answer, Broken):
            raise self._end or RpcError(answer.why)
        return answer

    # --- calling ---

    async def call(self, interface: Interface, opnum: int, request: Ndr, response: type[R]) -> R:
        """One call. Raises RpcFault where the server refuses, RpcError where it cannot be asked."""
        stub = await self.call_stub(interface, opnum, request.pack())
        try:
            return read_structure(response, NdrReader(stub))
        except DecodeError as error:
            raise RpcError(f"the server's answer is malformed: {error}") from None

    async def call_stub(self, interface: Interface, opnum: int, stub: bytes) -> bytes:
        """One call, in octets both ways."""
        async with _NO_TURN if self._engine.is_multiplexed else self._turn:
            if self._end is not None:
                raise self._end
            call_id = self._engine.call(interface, self._context, opnum, stub)
            mine: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
            self._waiting[call_id] = mine
            try:
                await self._send()
                async with asyncio.timeout(self._timeout_s):
                    return await mine
            except TimeoutError:
                raise RpcError("the server does not answer") from None
            finally:
                self._waiting.pop(call_id, None)

    # --- octets ---

    async def _send(self) -> None:
        try:
            self._writer.write(self._engine.data_to_send())
            await self._writer.drain()
        except OSError as error:
            raise RpcError(f"the connection is gone: {error}") from None

    async def _receive(self) -> None:
        why = "the server closed the connection"
        try:
            while data := await self._reader.read(65_536):
                for answer in self._engine.receive(data):
                    if isinstance(answer, Broken):
                        why = answer.why
                        return
                    self._deliver(answer)
        except OSError as error:
            why = str(error)
        finally:
            self._over(why)

    def _deliver(self, answer: Answer) -> None:
        if isinstance(answer, Responded | Faulted):
            mine = self._waiting.get(answer.call_id)
            if mine is not None:
                if mine.done():
                    return
                if isinstance(answer, Responded):
                    mine.set_result(answer.stub)
                else:
                    mine.set_exception(RpcFault(NcaStatus(answer.status)))
                return
        self._answers.put_nowait(answer)

    def _over(self, why: str) -> None:
        self._end = RpcError(why)
        for mine in self._waiting.values():
            if not mine.done():
                mine.set_exception(self._end)
        self._answers.put_nowait(Broken(why))

    async def close(self) -> None:
        """End the connection; handles of its association group run down on the server."""
        self._pump.cancel()
        self._writer.close()
        await asyncio.wait((self._pump,))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


class _NoTurn:
    """Where calls may run beside each other, nobody waits."""

    async def __aenter__(self) -> None: ...

    async def __aexit__(self, *_: object) -> None: ...


_NO_TURN: Final = _NoTurn()


async def connect(host: str, port: int, *, timeout_s: float = TIMEOUT_S) -> RpcConnection:
    """A connection to a server's port. Raises RpcError."""
    try:
        async with asyncio.timeout(timeout_s):
            reader, writer = await asyncio.open_connection(host, port)
    except (OSError, TimeoutError) as error:
        raise RpcError(f"no connection to {host}: {error}") from None
    return RpcConnection(reader, writer, timeout_s)


async def find_port(
    host: str, interface: Interface, *, mapper_port: int = MAPPER_PORT, timeout_s: float = TIMEOUT_S
) -> int:
    """The port on which a machine serves an interface, as its endpoint mapper says. Raises RpcError."""
    abstract = SyntaxId(interface.uuid, interface.version[0] | interface.version[1] << 16)
    wanted = tower_to(abstract, TcpAddress(MAPPER_PORT, IPv4Address(0)))
    async with await connect(host, mapper_port, timeout_s=timeout_s) as connection:
        await connection.bind(EPMAPPER)
        request = EptMap(None, TwrT(wanted.pack()), NULL_HANDLE, 4)
        answer = await connection.call(EPMAPPER, 3, request, EptMapResponse)
    for found in answer.towers:
        try:
            tower = None if found.tower is None else Tower.unpack(found.tower.tower_octet_string)
        except DecodeError:
            continue
        if tower is not None and isinstance(tower.address, TcpAddress) and tower.address.port:
            return tower.address.port
    raise RpcError(f"{host} does not serve {interface} over TCP")
