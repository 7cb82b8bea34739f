"""RPC over TCP ports and pipes: sockets and scheduling around the engine.

One object serves the whole process. `tcp` and `mapper` make the protocol of an accepted socket, `open_pipe`
is SMB's door to the pipes. Proofs are tasks of their own, and so are calls that wait: calls of one connection
may run beside each other, and are answered as they end.

Spec: [MS-RPCE] 2.1.1, 3.3.3; [C706] 9.3.3 (server), 12.6.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from addc.auth.acceptor import Acceptor
from addc.auth.counted import Place
from addc.auth.gss import AuthError
from addc.base import eager
from addc.base.clock import TICKS_PER_S
from addc.base.errors import NtError, StoreError
from addc.base.secret import Secret
from addc.codec.ndr import Syntax
from addc.codes.nca import NcaStatus
from addc.codes.ntstatus import NtStatus
from addc.directory.api import Directory, Services
from addc.rpc import dispatch, endpoints
from addc.rpc.call import Call, CallSecurity, InterfaceServer, RpcFault, RpcHost, Transport
from addc.rpc.contexts import AssociationGroup, AssociationGroups, RunsDown
from addc.rpc.dispatch import LevelError, RawCall
from addc.rpc.engine import Abandoned, Endpoint, Event, Incoming, ProofStep, RpcEngine, Violation
from addc.rpc.interfaces.epmapper import operations as epmapper
from addc.rpc.interfaces.mgmt import operations as mgmt
from addc.rpc.interfaces.oxid import operations as oxid
from addc.rpc.proofs import Identity, Judges, NetlogonDoor, Proof, UnknownTypeError
from addc.security.token import ANONYMOUS, Token

_LOG: Final = logging.getLogger("addc.rpc")
_SWEEP_S: Final = 5.0
_DRAIN_S: Final = 5.0
_HELD_MAX: Final = 262_144
_MAPPER: Final = (epmapper.SERVER, oxid.SERVER)
_EVERYWHERE: Final = (mgmt.SERVER,)


@dataclass(frozen=True, slots=True)
class RpcLimits:
    """What one process takes.

    connections_max: over TCP. unproven_s: until a bind, or a proof that was begun, has to be done.
    idle_s: how long a connection of nobody in particular may be silent.
    calls_max: of one connection at once. memory_max: octets of requests that are not whole yet.
    """

    connections_max: int = 20_000
    unproven_s: int = 30
    idle_s: int = 600
    calls_max: int = 64
    memory_max: int = 268_435_456


class PipeSession(Protocol):
    """Who opens a pipe; smb/pipes.py's PipeClient has this shape."""

    @property
    def token(self) -> Token: ...
    @property
    def session_key(self) -> Secret: ...
    @property
    def principal(self) -> str: ...
    @property
    def package(self) -> str: ...
    @property
    def peer(self) -> str: ...
    @property
    def local(self) -> str: ...


class RpcService:
    """All RPC connections of one process."""

    def __init__(
        self,
        directory: Directory,
        services: Services,
        acceptor: Acceptor,
        servers: Sequence[InterfaceServer],
        *,
        host: RpcHost,
        netlogon: NetlogonDoor | None = None,
        limits: RpcLimits | None = None,
    ) -> None:
        """servers: the DC's interfaces; mgmt, the endpoint mapper and what else port 135 serves are here.

        host: what the interfaces get of the process; its endpoint map is written by `open_to`.
        netlogon: makes the exchanges of auth_type 68.
        """
        self.directory = directory
        self.services = services
        self.host = host
        self.judges = Judges(directory, services, acceptor, netlogon)
        self.groups = AssociationGroups(services.rng)
        self.limits = limits or RpcLimits()
        self._servers = tuple(servers)
        self.by_interface = {one.interface.uuid: one for one in (*self._servers, *_MAPPER, *_EVERYWHERE)}
        self._endpoints: dict[tuple[bool, int | str], Endpoint | None] = {}
        self._connections: dict[TcpConnection, None] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._memory_left = self.limits.memory_max
        self.pipe_names = endpoints.pipe_names((*self._servers, *_MAPPER))
        self.open_to(0)

    # --- endpoints ---

    def open_to(self, port: int) -> None:
        """Tell the endpoint mapper which TCP port the DC's interfaces are served on; 0 for none."""
        self.host.mapped = tuple(endpoints.endpoint_map(self._servers, port))

    def tcp(self) -> "TcpConnection":
        """The protocol of a socket accepted on the DC's own port."""
        return TcpConnection(self, mapper=False)

    def mapper(self) -> "TcpConnection":
        """The protocol of a socket accepted on port 135."""
        return TcpConnection(self, mapper=True)

    def tcp_endpoint(self, port: int, *, mapper: bool) -> Endpoint:
        key = (mapper, port)
        found = self._endpoints.get(key)
        if found is None:
            servers = _MAPPER if mapper else self._servers
            found = endpoints.tcp_endpoint((*servers, *_EVERYWHERE), port)
            self._endpoints[key] = found
        return found

    def open_pipe(self, name: str, client: PipeSession) -> "PipeConnection | None":
        """The pipe of this name, lower case; None where there is none. SMB's PipeDoor."""
        key = (False, name)
        if key not in self._endpoints:
            if name not in self.pipe_names:
                return None
            servers = (*self._servers, *_MAPPER)
            self._endpoints[key] = endpoints.pipe_endpoint(servers, _EVERYWHERE, name)
        endpoint = self._endpoints[key]
        return None if endpoint is None else PipeConnection(self, endpoint, client)

    # --- tasks, memory, time ---

    def start(self, work: Coroutine[None, None, None]) -> None:
        """Own a task until it ends."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def begin(self, work: Coroutine[object, object, None]) -> None:
        """Do it at once as far as it goes without waiting; own a task for the rest."""
        rest = eager.begun(work)
        if rest is not None:
            self.start(rest)

    def reserve(self, size: int) -> bool:
        """Take memory for requests that are not whole yet, or give it back."""
        if size > self._memory_left:
            return False
        self._memory_left -= size
        return True

    def opened(self, connection: "TcpConnection") -> bool:
        """Whether one more connection may be; the longest silent one of nobody gives way."""
        if len(self._connections) >= self.limits.connections_max:
            victim = next((one for one in self._connections if one.talk.is_nobody), None)
            if victim is None:
                return False
            victim.abort()
            self._connections.pop(victim, None)
        self._connections[connection] = None
        return True

    def closed(self, connection: "TcpConnection") -> None:
        self._connections.pop(connection, None)

    async def sweep(self) -> None:
        """Close the connections that are silent for too long; runs until cancelled."""
        while True:
            await asyncio.sleep(_SWEEP_S)
            self.close_silent()

    def close_silent(self) -> None:
        """Close the connections that are silent for too long by now."""
        now = self.services.clock.now()
        for connection in tuple(self._connections):
            if connection.talk.is_overdue(now):
                connection.abort()

    async def drain(self) -> None:
        """Answer what was begun, then close everything."""
        if self._tasks:
            await asyncio.wait(set(self._tasks), timeout=_DRAIN_S)
        for connection in tuple(self._connections):
            connection.close()


class _Talk:
    """One connection, whatever carries it: drives the engine, judges proofs, runs calls."""

    __slots__ = (
        "_base", "_endpoint", "_group", "_ready", "_service", "_since", "_transport", "_transport_key",
        "engine", "is_nobody", "local", "peer", "peer_port",
    )  # fmt: skip

    def __init__(
        self, service: RpcService, endpoint: Endpoint, transport: Transport, base: Identity, ready: "_Ready"
    ) -> None:
        """base: who calls without an RPC security context. ready: called when there is something to send."""
        self._service = service
        self._endpoint = endpoint
        self._transport = transport
        self._base = base
        self._transport_key = base.security.session_key if transport is Transport.PIPE else None
        self._ready = ready
        self._group: AssociationGroup | None = None
        self._since = service.services.clock.now()
        self.is_nobody = True
        self.peer, self.peer_port, self.local = "", 0, ""
        self.engine = RpcEngine(endpoint, self._join, service.reserve)

    # --- what carries it ---

    def take(self, data: bytes) -> None:
        """Octets from the client."""
        self._since = self._service.services.clock.now()
        self._carry_out(self.engine.receive(data))

    def is_overdue(self, now: int) -> bool:
        limits = self._service.limits
        silent_s = (now - self._since) // TICKS_PER_S
        if not self.engine.is_bound and not self.engine.outstanding:
            return silent_s > limits.unproven_s
        return self.is_nobody and silent_s > limits.idle_s and not self.engine.outstanding

    @property
    def is_full(self) -> bool:
        """So much is under way that reading should wait."""
        engine = self.engine
        return engine.outstanding >= self._service.limits.calls_max or engine.held > _HELD_MAX

    def end(self) -> None:
        """The connection is gone."""
        self.engine.close()
        group, self._group = self._group, None
        if group is not None:
            for value in self._service.groups.leave(group):
                self._run_down(value)

    @staticmethod
    def _run_down(value: RunsDown) -> None:
        try:
            value.rundown()
        except Exception:
            _LOG.exception("a context handle was not run down")

    def _join(self, group_id: int) -> int | None:
        nobody = self.is_nobody and self._base.token.is_anonymous
        group = self._service.groups.join(group_id, self._transport, self.peer, nobody=nobody)
        self._group = group
        return None if group is None else group.group_id

    # --- events ---

    def _carry_out(self, events: Sequence[Event]) -> None:
        for event in events:
            if isinstance(event, Incoming):
                self._service.begin(self._answer(event))
            elif isinstance(event, ProofStep):
                self._service.start(self._judge(event))
            elif isinstance(event, Violation):
                _LOG.info("RPC connection refused", extra={"fields": {"source": self.peer, "why": event.why}})
            else:
                assert isinstance(event, Abandoned)  # what was begun is finished; its answer is dropped
        self._ready()

    async def _judge(self, step: ProofStep) -> None:
        """One token of a proof."""
        engine = self.engine
        try:
            await self._judged(step)
        except AuthError as error:
            fields = {"source": self.peer, "why": str(error)}
            _LOG.info("RPC proof refused", extra={"fields": fields})
            if not engine.is_closed:
                engine.proof_refused(str(error), unknown_type=isinstance(error, UnknownTypeError))
        except Exception:
            _LOG.exception("RPC proof failed")
            if not engine.is_closed:
                engine.proof_refused("a fault of ours")
        self._carry_out(engine.receive(b""))

    async def _judged(self, step: ProofStep) -> None:
        context = step.context
        proof = context.who
        if not isinstance(proof, Proof):
            proof = context.who = self._service.judges.begin(context.auth_type, context.level)
        place = Place("RPC", self.peer, self.peer_port)
        token = await proof.step(step.token, place, self._service.start)
        if self.engine.is_closed:
            return
        if not proof.complete:
            self.engine.proof_goes_on(token, complete=False)
            return
        if proof.lacks_sealing:
            self.engine.proof_refused("sealing was not agreed", status=NcaStatus.NCA_S_FAULT_SEC_PKG_ERROR)
            return
        context.who = proof.identity(self._transport_key)
        self.is_nobody = self.is_nobody and context.who.token.is_anonymous
        if not self.is_nobody and self._group is not None:
            self._service.groups.known(self._group)
        self.engine.proof_goes_on(token, complete=True, protector=proof.protector())

    def _identity(self, incoming: Incoming) -> Identity:
        who = incoming.context.who
        return who if isinstance(who, Identity) else self._base

    async def _answer(self, incoming: Incoming) -> None:
        """One call."""
        engine, service = self.engine, self._service
        statistics = service.host.statistics
        statistics.calls_in += 1
        try:
            stub = await self._result(incoming)
        except RpcFault as fault:
            self._refuse(incoming, fault)
        except StoreError:
            _LOG.exception("RPC call failed")
            engine.fault(incoming, NcaStatus.NCA_S_FAULT_UNSPEC)
        except Exception:
            _LOG.exception("RPC call failed", extra={"fields": {"call": _name(incoming)}})
            engine.fault(incoming, NcaStatus.NCA_S_FAULT_UNSPEC)
        else:
            engine.reply(incoming, stub)
        if engine.held:
            self._carry_out(engine.receive(b""))
        else:
            self._ready()

    async def _result(self, incoming: Incoming) -> bytes:
        service, presentation = self._service, incoming.presentation
        identity = self._identity(incoming)
        if service.services.clock.now() >= identity.expires_ft:
            raise RpcFault(NcaStatus.NCA_S_FAULT_ACCESS_DENIED, "the proof has ended")
        group = self._group
        assert group is not None
        interface = presentation.interface.uuid
        call = Call(
            service.directory,
            service.services,
            identity.token,
            identity.security,
            self._transport,
            group.handles(interface),
            service.host,
            self.peer,
            self.local,
            tuple(self._endpoint.interfaces.values()),
        )
        syntax = Syntax.NDR64 if presentation.is_ndr64 else Syntax.NDR32
        raw = RawCall(incoming.opnum, incoming.stub, syntax, incoming.facts)
        return await dispatch.answer(service.by_interface[interface], call, raw)

    def _refuse(self, incoming: Incoming, fault: RpcFault) -> None:
        below = isinstance(fault, LevelError)
        unknown = fault.status is NcaStatus.NCA_OP_RNG_ERROR
        if not unknown:
            fields = {
                "source": self.peer,
                "principal": self._identity(incoming).security.principal,
                "call": _name(incoming),
                "fault": fault.status.name,
                "why": fault.detail,
            }
            _LOG.info("RPC call refused", extra={"fields": fields})
        self.engine.fault(incoming, fault.status, executed=not unknown, below_level=below)


def _name(incoming: Incoming) -> str:
    interface = incoming.presentation.interface
    operation = interface.operations.get(incoming.opnum)
    return f"{interface.name}.{incoming.opnum if operation is None else operation.name}"


class TcpConnection(asyncio.Protocol):
    """One client over TCP."""

    def __init__(self, service: RpcService, *, mapper: bool) -> None:
        self._service = service
        self._is_mapper = mapper
        self._wire: asyncio.Transport | None = None
        self._paused = False
        self._writable = True
        self.talk: _Talk

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport) or hasattr(transport, "write")
        self._wire = transport  # type: ignore[assignment]
        local = transport.get_extra_info("sockname") or ("", 0)
        peer = transport.get_extra_info("peername") or ("", 0)
        endpoint = self._service.tcp_endpoint(int(local[1]), mapper=self._is_mapper)
        self.talk = _Talk(self._service, endpoint, Transport.TCP, _NOBODY, self._send)
        self.talk.peer, self.talk.peer_port, self.talk.local = str(peer[0]), int(peer[1]), str(local[0])
        if not self._service.opened(self):
            self.abort()

    def data_received(self, data: bytes) -> None:
        try:
            self.talk.take(data)
        except Exception:
            _LOG.exception("RPC connection failed")
            self.abort()

    def eof_received(self) -> bool:
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self._wire = None
        self._service.closed(self)
        self.talk.end()

    def pause_writing(self) -> None:
        self._writable = False
        self._pace()

    def resume_writing(self) -> None:
        self._writable = True
        self._pace()

    def close(self) -> None:
        """Read no more, send what is left, and end it."""
        if self._wire is not None:
            self._wire.close()

    def abort(self) -> None:
        """Drop it at once."""
        if self._wire is not None:
            self._wire.abort()

    def _send(self) -> None:
        wire, engine = self._wire, self.talk.engine
        if wire is None:
            return
        data = engine.data_to_send()
        if data:
            wire.write(data)
        if engine.is_closed:
            wire.close()
        else:
            self._pace()

    def _pace(self) -> None:
        """Read no further while too much is under way, or the client takes nothing."""
        wire = self._wire
        wanted = not self._writable or self.talk.is_full
        if wire is not None and wanted != self._paused and not wire.is_closing():
            self._paused = wanted
            if wanted:
                wire.pause_reading()
            else:
                wire.resume_reading()


class PipeConnection:
    """One open pipe, in message mode; smb/pipes.py's Pipe. A message is a fragment."""

    def __init__(self, service: RpcService, endpoint: Endpoint, client: PipeSession) -> None:
        security = CallSecurity(
            session_key=client.session_key, principal=client.principal, package=client.package
        )
        self._messages: deque[bytes] = deque()
        self._readers: deque[asyncio.Future[None]] = deque()
        self._talk = _Talk(service, endpoint, Transport.PIPE, Identity(client.token, security), self._collect)
        self._talk.peer, self._talk.local = client.peer, client.local
        self._closed_by_client = False

    def write(self, data: bytes) -> None:
        """The client writes a message or a part of one. Raises NtError(STATUS_PIPE_DISCONNECTED)."""
        if self._talk.engine.is_closed:
            raise NtError(NtStatus.STATUS_PIPE_DISCONNECTED)
        self._talk.take(data)

    async def read(self, size_max: int) -> tuple[bytes, bool]:
        """The next octets for the client, and whether their message has more.

        Waits until there is something. Raises NtError: STATUS_PIPE_BROKEN where the client closed the pipe
        meanwhile, STATUS_PIPE_DISCONNECTED at the server's end of it.
        """
        while not self._messages:
            if self._closed_by_client:
                raise NtError(NtStatus.STATUS_PIPE_BROKEN)
            if self._talk.engine.is_closed:
                raise NtError(NtStatus.STATUS_PIPE_DISCONNECTED)
            mine = asyncio.get_running_loop().create_future()
            self._readers.append(mine)
            try:
                await mine
            finally:
                if mine in self._readers:
                    self._readers.remove(mine)
        message = self._messages[0]
        if len(message) <= size_max:
            self._messages.popleft()
            return message, False
        self._messages[0] = message[size_max:]
        return message[:size_max], True

    def waiting(self) -> int:
        """Octets that a read would give at once."""
        return len(self._messages[0]) if self._messages else 0

    def close(self) -> None:
        """The client is gone."""
        self._closed_by_client = True
        self._talk.end()
        self._collect()

    def _collect(self) -> None:
        self._messages += self._talk.engine.fragments_to_send()
        if self._messages or self._talk.engine.is_closed or self._closed_by_client:
            for reader in self._readers:
                if not reader.done():
                    reader.set_result(None)
            self._readers.clear()


_Ready = Callable[[], None]
_NOBODY: Final = Identity(ANONYMOUS, CallSecurity())
