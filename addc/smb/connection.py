"""One connection of an SMB client: messages come in, are verified, worked on and answered.

What must be right before a request is worked on is checked here, once for all commands; what a command does
is elsewhere. A request that needs no waiting is answered without a task; compounds are worked on in order.

Spec: [MS-SMB2] 3.3.5.1, 3.3.5.2, 3.3.4.1, 3.3.4.2, 3.3.5.16, 3.3.7.1.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Final, Protocol, cast
from uuid import UUID

from addc.base import eager
from addc.base.clock import TICKS_PER_S, FileTime
from addc.base.errors import DecodeError, DsError, NtError, StoreError
from addc.codec.packed import Bytes, Packed
from addc.codes.faces import nt_face
from addc.codes.ntstatus import NtStatus
from addc.security.crypto.hashes import sha512
from addc.smb import encryption, negotiate
from addc.smb import messages as m
from addc.smb.credits import CREDITS_MAX, Window, charge_of
from addc.smb.frames import POSITIVE, Framer
from addc.smb.messages import Command, Dialect, Header
from addc.smb.outgoing import Response, assembled, error_body
from addc.smb.policy import ASYNC_MAX, MESSAGE_MAX_UNKNOWN, NULL_IDLE_S, OVERHEAD_MAX, SmbPolicy
from addc.smb.request import Compound, Handler, Reply, Request, SmbError, SmbHost, Violation, Written
from addc.smb.session import Session, SessionState
from addc.smb.session_setup import Setup
from addc.smb.signing import Signer

_LOG: Final = logging.getLogger("addc.smb")
_WRITTEN_AT_ONCE: Final = 65_536
_HIGH_WATER: Final = 4 * 1024 * 1024
_GRANTED_UNKNOWN: Final = 8
"""Credits of a client that has not proven who it is."""
_EXPIRED_MAY: Final = frozenset({Command.LOGOFF, Command.CLOSE, Command.LOCK})
_WITHOUT_SESSION: Final = frozenset({Command.NEGOTIATE, Command.SESSION_SETUP, Command.ECHO})
_WITHOUT_TREE: Final = frozenset({Command.LOGOFF, Command.TREE_CONNECT})
_LARGE_MAY: Final = frozenset(
    {
        Command.READ,
        Command.WRITE,
        Command.IOCTL,
        Command.QUERY_DIRECTORY,
        Command.CHANGE_NOTIFY,
        Command.QUERY_INFO,
        Command.SET_INFO,
    }
)
_SMALL_MAX: Final = 68 * 1024


class Host(SmbHost, Protocol):
    """What a connection needs of the server."""

    policy: SmbPolicy
    offer: negotiate.Offer

    def negotiated_by_smb1(
        self, link: "SmbConnection", dialect: Dialect
    ) -> tuple[bytes, negotiate.Agreed]: ...

    def connected(self, link: "SmbConnection") -> bool: ...

    def disconnected(self, link: "SmbConnection") -> None: ...

    def handler(self, request: Request) -> Handler: ...


@dataclass(slots=True)
class _Item:
    """One request of a compound as it came. message: from its header to the next one's."""

    header: Header
    message: memoryview
    request: Request | None = None
    cancelled: bool = False


class _Batch:
    """The requests that came in one frame. sealed_by: the session whose encryption they came in."""

    __slots__ = ("compound", "current", "items", "responses", "sealed_by", "task")

    def __init__(self, items: list[_Item], sealed_by: Session | None) -> None:
        self.items = items
        self.sealed_by = sealed_by
        self.compound = Compound()
        self.responses: list[Response] = []
        self.current: _Item | None = None
        self.task: asyncio.Task[None] | None = None


class SmbConnection(asyncio.Protocol):
    """A Link. agreed: None until the dialect is known."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self.agreed: negotiate.Agreed | None = None
        self.dialect = Dialect.WILDCARD
        self.client_guid = UUID(int=0)
        self.client_capabilities = 0
        self.peer = self.local = ""
        self.peer_port = 0
        self.max_size = negotiate.SIZE_MAX_SMALL
        self.preauth = bytes(64)
        self.sessions: dict[int, Session] = {}
        self.setups: dict[int, Setup] = {}
        self.authenticated = False
        self.has_null_session = False
        self.since_ft = FileTime(0)
        self.number = 0
        """In the order of all that came."""
        self.window = Window()
        self._framer = Framer(MESSAGE_MAX_UNKNOWN)
        self._queue: deque[memoryview] = deque()
        self._transport: asyncio.Transport | None = None
        self._writable = True
        self._draining = False
        self._out: list[Bytes] = []
        self._out_size = 0
        self._running: dict[int, _Batch] = {}
        """Batches that wait, by the message ids of their requests."""
        self._async_ids: dict[int, _Batch] = {}
        self._next_async_id = 1

    # --- transport ---

    @property
    def is_open(self) -> bool:
        return self._transport is not None and not self._transport.is_closing()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport = cast(asyncio.Transport, transport)
        peer, local = transport.get_extra_info("peername"), transport.get_extra_info("sockname")
        self.peer, self.local = (str(peer[0]) if peer else ""), (str(local[0]) if local else "")
        self.peer_port = int(peer[1]) if peer and len(peer) > 1 else 0
        transport.set_write_buffer_limits(high=_HIGH_WATER)
        self._transport = transport
        self.since_ft = self.host.services.clock.now()
        if not self.host.connected(self):
            transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._queue.clear()
        for batch in {id(one): one for one in self._running.values()}.values():
            if batch.task is not None and not self._goes_on(batch):
                batch.task.cancel()
        self.host.disconnected(self)

    def _goes_on(self, batch: _Batch) -> bool:
        """Whether a request outlives its connection: a CREATE, which another channel may ask for again."""
        current = batch.current
        if current is None or current.header.command != Command.CREATE:
            return False
        session = self.sessions.get(batch.compound.session_id)
        return session is not None and any(link is not self for link in session.channels)

    def pause_writing(self) -> None:
        self._writable = False
        self._pace()

    def resume_writing(self) -> None:
        self._writable = True
        self._work()

    def data_received(self, data: bytes) -> None:
        try:
            self._queue.extend(self._framer.receive(data))
        except DecodeError as error:
            self._drop(str(error))
            return
        if self._framer.session_requests:
            self._out += [POSITIVE] * self._framer.session_requests
            self._framer.session_requests = 0
        self._work()

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def drain(self) -> set[asyncio.Task[None]]:
        """Take no more requests; who still works on those that were begun.

        Those whose clients were told that they wait are not among them: they may wait for ever.
        """
        self._draining = True
        self._pace()
        told = {id(batch) for batch in self._async_ids.values()}
        begun = [batch for batch in self._running.values() if id(batch) not in told]
        return {batch.task for batch in begun if batch.task is not None}

    def close(self) -> None:
        """Send what is left, and end."""
        self.flush()
        if self._transport is not None:
            self._transport.close()

    def _drop(self, why: str) -> None:
        _LOG.info("SMB connection dropped", extra={"fields": {"source": self.peer, "why": why}})
        self.flush()
        self.abort()

    def _pace(self) -> None:
        """Read on only while what comes can be worked on."""
        if self._transport is None or self._transport.is_closing():
            return
        if self._writable and not self._queue and not self._draining:
            self._transport.resume_reading()
        else:
            self._transport.pause_reading()

    def _work(self) -> None:
        """Work on what came, as long as the answers are taken."""
        queue = self._queue
        try:
            while queue and self._writable and self.is_open and not self._draining:
                self._receive(queue.popleft())
                if self._out_size > _WRITTEN_AT_ONCE:
                    self.flush()
        except (Violation, DecodeError) as error:
            self._drop(str(error))
            return
        except Exception as error:
            self._fault(error)
            return
        self.flush()
        self._pace()

    def _fault(self, error: Exception) -> None:
        """Our bug: leave a trace, close this connection, keep serving the others."""
        _LOG.error("SMB connection failed", exc_info=error, extra={"fields": {"source": self.peer}})
        self.abort()

    def flush(self) -> None:
        """Hand what is to be sent to the transport."""
        out, self._out = self._out, []
        size, self._out_size = self._out_size, 0
        transport = self._transport
        if not out or transport is None:
            return
        if size <= _WRITTEN_AT_ONCE:
            transport.write(b"".join(out))
            return
        for piece in out:
            transport.write(piece)

    def _put(self, pieces: list[Bytes]) -> None:
        self._out += pieces
        self._out_size += sum(map(len, pieces))

    # --- messages ---

    def _receive(self, message: memoryview) -> None:
        """Spec: [MS-SMB2] 3.3.5.2."""
        magic = bytes(message[:4])
        if magic == m.PROTOCOL_ID:
            self._begin(message, None)
        elif magic == m.PROTOCOL_ID_TRANSFORM:
            session = self.sessions.get(encryption.session_of(message))
            if session is None or session.sealer is None:
                raise Violation("encrypted for no session of this connection")
            self._begin(memoryview(session.sealer.open(message)), session)
        elif magic == m.PROTOCOL_ID_SMB1:
            self._multi_protocol(message)
        else:
            raise Violation("not a message of SMB 2 or 3")

    def _multi_protocol(self, message: memoryview) -> None:
        """Spec: [MS-SMB2] 3.3.5.3."""
        dialects = negotiate.smb1_dialects(message)
        dialect = None if dialects is None else negotiate.multi_protocol(self.host.offer, dialects)
        if self.agreed is not None or dialect is None:
            raise Violation("SMB 1")
        self.window.consume(0, 1)
        body, self.agreed = self.host.negotiated_by_smb1(self, dialect)
        self.dialect, self.max_size = dialect, self.agreed.max_size
        header = Header(Command.NEGOTIATE, 0, flags=m.FLAGS_SERVER_TO_REDIR, credits=self.window.grant(1))
        self._put(assembled([Response(header, body)]))

    def _begin(self, message: memoryview, sealed_by: Session | None) -> None:
        """Take a message apart, count its credits, and work on it."""
        items = self._taken_apart(message)
        if sealed_by is not None:
            sealed_by.was_encrypted = True
            self._check_sealed(items, sealed_by.session_id)
        first = items[0].header
        if first.command == Command.CANCEL:
            self._cancel(items[0], sealed_by)
            return
        for item in items:
            charge = 1 if self.dialect is Dialect.SMB_2_0_2 else item.header.credit_charge
            if item.header.command == Command.CANCEL or not self.window.consume(
                item.header.message_id, charge
            ):
                raise Violation("a message id that was not granted")
        self._run(_Batch(items, sealed_by))

    @staticmethod
    def _taken_apart(message: memoryview) -> list[_Item]:
        """Spec: [MS-SMB2] 3.3.5.2.6, 3.3.5.2.7."""
        items: list[_Item] = []
        while True:
            header = Header.unpack(message)
            if header.command > Command.OPLOCK_BREAK and not items:
                raise Violation("an unknown command")
            step = header.next_command
            if not step:
                items.append(_Item(header, message))
                return items
            if step % 8 or not m.HEADER_SIZE <= step < len(message):
                raise Violation("a compound is out of shape")
            items.append(_Item(header, message[:step]))
            message = message[step:]

    @staticmethod
    def _check_sealed(items: list[_Item], session_id: int) -> None:
        """Spec: [MS-SMB2] 3.3.5.2.1.1."""
        if items[0].header.flags & m.FLAGS_RELATED_OPERATIONS:
            raise Violation("an encrypted message that relates to none")
        for item in items:
            related = item.header.flags & m.FLAGS_RELATED_OPERATIONS
            if not related and item.header.session_id != session_id:
                raise Violation("an encrypted message for another session")

    def _cancel(self, item: _Item, sealed_by: Session | None) -> None:
        """Spec: [MS-SMB2] 3.3.5.16. Nothing is answered."""
        header = item.header
        session = self.sessions.get(header.session_id)
        if header.flags & m.FLAGS_SIGNED and sealed_by is None:
            signer = None if session is None else session.channels[self].signer
            if signer is None or not signer.verifies(item.message):
                return
        if header.flags & m.FLAGS_ASYNC_COMMAND:
            batch = self._async_ids.get(header.async_id)
        else:
            batch = self._running.get(header.message_id)
        current = None if batch is None else batch.current
        if batch is None or batch.task is None or current is None:
            return
        by_async = header.flags & m.FLAGS_ASYNC_COMMAND
        if by_async or current.header.message_id == header.message_id:
            current.cancelled = True
            # Once the task has begun: one that is cancelled before never gets to the work's own clean-up.
            asyncio.get_running_loop().call_soon(batch.task.cancel)

    # --- work ---

    def _run(self, batch: _Batch) -> None:
        rest = eager.begun(self._worked(batch))
        if rest is None:
            return
        for item in batch.items:
            self._running[item.header.message_id] = batch
        batch.task = asyncio.get_running_loop().create_task(self._finished(batch, rest))

    async def _finished(self, batch: _Batch, rest: Coroutine[None, None, None]) -> None:
        """The part of a batch's work that is done in a task."""
        try:
            await rest
        except asyncio.CancelledError:
            return
        except (Violation, DecodeError) as error:
            self._drop(str(error))
        except Exception as error:
            self._fault(error)
        finally:
            for item in batch.items:
                self._running.pop(item.header.message_id, None)
        self.flush()

    async def _worked(self, batch: _Batch) -> None:
        """Answer the requests of a batch, in order."""
        last = len(batch.items) - 1
        for index, item in enumerate(batch.items):
            batch.current = item
            response = await self._answer(batch, item, last=index == last)
            batch.responses.append(response)  # `interim` has put another list there, perhaps
        batch.current = None
        self._send(batch)

    def _send(self, batch: _Batch) -> None:
        """Send the responses of a batch that are there."""
        responses = batch.responses
        batch.responses = []
        if not responses:
            return
        sealed_by = batch.sealed_by
        if sealed_by is None:
            self._put(assembled(responses))
        else:
            self._put(assembled(responses, sealed_by.sealer, sealed_by.session_id))
        for response in responses:
            if response.after is not None:
                response.after()

    async def _answer(self, batch: _Batch, item: _Item, *, last: bool) -> Response:
        """The response to one request."""
        compound = batch.compound
        reply: Reply | None = None
        data, status = b"", NtStatus.STATUS_SUCCESS
        try:
            request = self._checked(batch, item)
            request.last = last
            reply = await self.host.handler(request)(request)
            status = reply.status
            if reply.file_id is not None:
                compound.file_id = reply.file_id
        except SmbError as error:
            status, data = NtStatus(error.status), error.data
        except NtError as error:
            status = NtStatus(error.status)
        except DsError as error:
            status = nt_face(error)
        except DecodeError:
            status = NtStatus.STATUS_INVALID_PARAMETER
        except StoreError as error:
            _LOG.error("the store failed", extra={"fields": {"source": self.peer, "why": str(error)}})
            status = NtStatus.STATUS_INSUFFICIENT_RESOURCES
        except asyncio.CancelledError:
            if not item.cancelled or not self.is_open:
                raise
            status = NtStatus.STATUS_CANCELLED
        compound.status = status if status >> 30 == 3 else NtStatus.STATUS_SUCCESS
        if reply is None and item.header.command == Command.CREATE:
            compound.file_id = None
        return self._response(batch, item, reply, (status, data))

    def _response(
        self, batch: _Batch, item: _Item, reply: Reply | None, refusal: tuple[NtStatus, bytes]
    ) -> Response:
        asked, request = item.header, item.request
        header = Header(
            asked.command,
            asked.message_id,
            asked.credit_charge,
            refusal[0],
            flags=m.FLAGS_SERVER_TO_REDIR
            | asked.flags & (m.FLAGS_RELATED_OPERATIONS | m.FLAGS_PRIORITY_MASK),
            process_id=asked.process_id,
            tree_id=asked.tree_id,
            session_id=asked.session_id,
        )
        if request is not None:
            request.uncount()
            header.tree_id = request.compound.tree_id or asked.tree_id
            header.session_id = request.compound.session_id or asked.session_id
        if request is not None and request.async_id:
            header.flags |= m.FLAGS_ASYNC_COMMAND
            header.process_id, header.tree_id = request.async_id & 0xFFFF_FFFF, request.async_id >> 32
            self._async_ids.pop(request.async_id, None)
        else:
            header.credits = self._granted(asked)
        body = error_body(refusal[1]) if reply is None else reply.body.pack(m.HEADER_SIZE)
        response = Response(header, body, b"" if reply is None else reply.payload)
        if reply is not None:
            response.packed, response.after = reply.packed, reply.after
        if batch.sealed_by is None:
            response.signer = self._signer_of(item, header.session_id)
            if response.signer is None:  # the rest of the header is the request's ([MS-SMB2] 3.3.4.4)
                header.flags |= asked.flags & m.FLAGS_SIGNED
                header.signature = asked.signature
        return response

    def _signer_of(self, item: _Item, session_id: int) -> Signer | None:
        """Who signs a response. Spec: [MS-SMB2] 3.3.4.1.1."""
        request = item.request
        if request is not None and request.signer is not None:
            return request.signer
        session = self.sessions.get(session_id)
        if session is None or item.header.command in (Command.NEGOTIATE, Command.SESSION_SETUP):
            return None
        if not item.header.flags & m.FLAGS_SIGNED and not session.signing_required:
            return None
        return session.channels[self].signer

    def _granted(self, asked: Header) -> int:
        known = self.authenticated or self.has_null_session  # clients pay for the room of a read beforehand
        return self.window.grant(asked.credits, CREDITS_MAX if known else _GRANTED_UNKNOWN)

    def interim(self, request: Request) -> None:
        """Send STATUS_PENDING, and what was answered before it. Spec: [MS-SMB2] 3.3.4.2."""
        if len(self._async_ids) >= ASYNC_MAX:
            raise SmbError(NtStatus.STATUS_INSUFFICIENT_RESOURCES)
        batch = request.batch
        assert isinstance(batch, _Batch)
        asked = request.header
        request.async_id = self._next_async_id
        self._next_async_id += 1
        if batch.sealed_by is None and batch.current is not None:  # its session may be gone by then
            request.signer = self._signer_of(batch.current, request.compound.session_id)
        self._async_ids[request.async_id] = batch
        header = Header(
            asked.command,
            asked.message_id,
            asked.credit_charge,
            NtStatus.STATUS_PENDING,
            self._granted(asked),
            m.FLAGS_SERVER_TO_REDIR | m.FLAGS_ASYNC_COMMAND,
            process_id=request.async_id & 0xFFFF_FFFF,
            tree_id=request.async_id >> 32,
            session_id=request.compound.session_id or asked.session_id,
        )
        self._send(batch)
        batch.responses = [Response(header, error_body())]
        self._send(batch)
        self.flush()

    # --- checks ---

    def _checked(self, batch: _Batch, item: _Item) -> Request:
        """The request, if it may be worked on. Raises NtError, DecodeError, Violation.

        Spec: [MS-SMB2] 3.3.5.2.2, 3.3.5.2.4 to 3.3.5.2.11.
        """
        header, compound = item.header, batch.compound
        command = header.command
        if command > Command.OPLOCK_BREAK:
            raise SmbError(NtStatus.STATUS_INVALID_PARAMETER)
        if self.dialect is Dialect.WILDCARD and command != Command.NEGOTIATE:
            raise Violation("a request before a dialect was chosen")
        self._relate(batch, item)
        session = self.sessions.get(compound.session_id)
        self._check_signature(item, session, sealed=batch.sealed_by is not None)
        if len(item.message) > _SMALL_MAX and command not in _LARGE_MAY:
            raise Violation("too large for its command")
        message = m.unpack_request(command, item.message)
        self._check_charge(header, message)
        request = item.request = Request(self.host, self, header, message, compound)
        request.encrypted = batch.sealed_by is not None
        request.raw, request.batch, request.interim = item.message, batch, self.interim
        if command in _WITHOUT_SESSION:
            return request
        if session is None:
            raise SmbError(NtStatus.STATUS_USER_SESSION_DELETED)
        request.session = session
        self._check_session(session, request)
        if command in _WITHOUT_TREE:
            return request
        tree = session.trees.get(compound.tree_id)
        if tree is None:
            raise SmbError(NtStatus.STATUS_NETWORK_NAME_DELETED)
        if tree.share.encrypt and not request.encrypted:
            raise SmbError(NtStatus.STATUS_ACCESS_DENIED)
        request.tree = tree
        return request

    def _relate(self, batch: _Batch, item: _Item) -> None:
        """Which session and tree a request means. Spec: [MS-SMB2] 3.3.5.2.7."""
        header, compound = item.header, batch.compound
        if not header.flags & m.FLAGS_RELATED_OPERATIONS:
            compound.session_id, compound.tree_id = header.session_id, header.tree_id
            compound.file_id, compound.status = None, NtStatus.STATUS_SUCCESS
        elif item is batch.items[0] or compound.session_id not in self.sessions:
            raise SmbError(NtStatus.STATUS_INVALID_PARAMETER)

    def _check_signature(self, item: _Item, session: Session | None, *, sealed: bool) -> None:
        """Spec: [MS-SMB2] 3.3.5.2.4. SESSION_SETUP checks its own: it knows what it is about."""
        header = item.header
        if header.command == Command.NEGOTIATE:
            if header.flags & m.FLAGS_SIGNED:
                raise SmbError(NtStatus.STATUS_INVALID_PARAMETER)
            return
        if sealed or header.command == Command.SESSION_SETUP:
            return
        if header.flags & m.FLAGS_SIGNED:
            if session is None:
                raise SmbError(NtStatus.STATUS_USER_SESSION_DELETED)
            signer = session.channels[self].signer
            if signer is None:
                raise SmbError(NtStatus.STATUS_NOT_SUPPORTED)
            if not signer.verifies(item.message):
                _LOG.info("a wrong signature", extra={"fields": {"source": self.peer}})
                raise SmbError(NtStatus.STATUS_ACCESS_DENIED)
        elif session is not None and session.signing_required:
            raise SmbError(NtStatus.STATUS_ACCESS_DENIED)

    def _check_charge(self, header: Header, message: Packed) -> None:
        """Spec: [MS-SMB2] 3.3.5.2.5 and the sizes of each command."""
        match message:
            case m.ReadRequest():
                size = message.length
            case m.WriteRequest():
                size = len(message.data)
            case m.IoctlRequest():
                size = max(
                    len(message.input) + len(message.output),
                    message.max_input_response + message.max_output_response,
                )
            case m.QueryInfoRequest():
                size = max(len(message.input), message.output_buffer_length)
            case m.QueryDirectoryRequest() | m.ChangeNotifyRequest():
                size = message.output_buffer_length
            case m.SetInfoRequest():
                size = len(message.buffer)
            case _:
                return
        if size > self.max_size:
            raise SmbError(NtStatus.STATUS_INVALID_PARAMETER)
        if self.dialect is not Dialect.SMB_2_0_2 and charge_of(size) > max(header.credit_charge, 1):
            raise SmbError(NtStatus.STATUS_INVALID_PARAMETER)

    def _check_session(self, session: Session, request: Request) -> None:
        """Spec: [MS-SMB2] 3.3.5.2.9."""
        now = self.host.services.clock.now()
        session.idle_since_ft = now
        if session.anonymous:
            self.since_ft = now
        if session.state is SessionState.VALID and now >= session.expires_ft:
            session.state = SessionState.EXPIRED
        if session.state is not SessionState.VALID and request.header.command not in _EXPIRED_MAY:
            if session.state is SessionState.EXPIRED:
                raise SmbError(NtStatus.STATUS_NETWORK_SESSION_EXPIRED)
            raise SmbError(NtStatus.STATUS_USER_SESSION_DELETED)
        if session.encrypt and not request.encrypted:
            raise SmbError(NtStatus.STATUS_ACCESS_DENIED)

    # --- for the commands and the server ---

    def negotiate(self, request: Request, hint: bytes) -> Reply:
        """Spec: [MS-SMB2] 3.3.5.4."""
        if self.agreed is not None and self.dialect is not Dialect.WILDCARD:
            raise Violation("negotiated twice")
        offer, services = self.host.offer, self.host.services
        agreed = negotiate.choose(offer, request.body(m.NegotiateRequest), request.raw)
        self.agreed = agreed
        self.dialect, self.max_size = agreed.dialect, agreed.max_size
        self.client_guid, self.client_capabilities = agreed.client_guid, agreed.client_capabilities
        salt = services.rng.bytes(negotiate.SALT_SIZE)
        body = negotiate.response(offer, agreed, hint, services.clock.now(), salt)
        if agreed.dialect is not Dialect.SMB_3_1_1:
            return Reply(Written(body))
        self.preauth = sha512(bytes(64) + request.raw)

        def note(response: bytes) -> None:
            self.preauth = sha512(self.preauth + response)

        return Reply(Written(body), packed=note)

    def trust(self) -> None:
        """Somebody has proven who they are: messages may be as large as was agreed."""
        self.authenticated = self._framer.trusted = True
        self._framer.limit = self.max_size + OVERHEAD_MAX

    def admit_nobody(self) -> None:
        """A null session is there: the connection may stay while it is used; its limits stay as they are."""
        self.has_null_session = True

    def has_been_silent(self, now: FileTime, limit_s: float) -> bool:
        """Whether nobody has proven who they are for so long, or a null session was not used for longer."""
        if self.has_null_session:
            limit_s = NULL_IDLE_S
        return not self.authenticated and now - self.since_ft > limit_s * TICKS_PER_S

    def notify(self, session: Session, command: int, body: bytes) -> None:
        """Spec: [MS-SMB2] 3.3.4.6, 3.3.4.7."""
        header = Header(command, m.NO_MESSAGE_ID, flags=m.FLAGS_SERVER_TO_REDIR)
        sealer = session.sealer if session.encrypt or session.was_encrypted else None
        self._put(assembled([Response(header, body)], sealer, session.session_id))
        self.flush()
