"""Ports 389, 636, 3268 and 3269: sockets, TLS and scheduling around the engine.

Bounded point reads and binds run on the loop; everything else runs in a thread of the directory, and its
answer is written when it comes. Each operation is answered once, or dropped when it was abandoned.

Spec: RFC 4511 4, 5; [MS-ADTS] 3.1.1.3.4.2, 3.1.1.3.4.6, 5.1.1
"""

import asyncio
import logging
import ssl
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, replace
from typing import Final

from addc.auth import logon_audit
from addc.auth.gss import AuthError
from addc.base.clock import NEVER_FT, TICKS_PER_S, Clock, FileTime
from addc.base.errors import AddcError, DsError, StoreError
from addc.base.ids import Dnt, MessageId
from addc.codes.faces import ldap_error_text, ldap_face
from addc.codes.ldap_result import LdapResult
from addc.codes.win32 import Win32
from addc.directory import policy
from addc.directory.api import Directory
from addc.directory.context import ReadContext, WriteContext
from addc.directory.lanes import WalkNeededError
from addc.directory.search import BASE, SearchRequest
from addc.ldap import batch, operations, refresh
from addc.ldap import messages as m
from addc.ldap.admission import Admission
from addc.ldap.bind import Binder, BindOutcome, Protection
from addc.ldap.bind_state import BindState
from addc.ldap.controls import read_controls
from addc.ldap.engine import Event, LdapEngine, Limits, TimedOut, Violation
from addc.ldap.locator import Self, answer_ping
from addc.ldap.notify import Notifier
from addc.ldap.operations import Asker, Session
from addc.security.token import ANONYMOUS, SYSTEM, Token

_LOG: Final = logging.getLogger("addc.ldap")
_SWEEP_S: Final = 2.0
_DRAIN_S: Final = 5.0
_HANDSHAKE_S: Final = 20.0
_FAST_BIND: Final = "1.2.840.113556.1.4.1781"
_WHO_AM_I: Final = "1.3.6.1.4.1.4203.1.11.3"
_TIMED_OUT: Final = ldap_error_text(
    Win32.ERROR_SUCCESS, LdapResult.UNAVAILABLE, "The server has timed out this connection"
)
_LATER: Final[dict[str, Callable[[Directory, bytes | None, Asker], Awaitable[bytes]]]] = {
    batch.OID: batch.run,
    refresh.OID: refresh.run,
}
"""Extended operations that go to the directory."""
_RESPONSES: Final[dict[type, type[m.LdapResultFields]]] = {
    m.SearchRequest: m.SearchResultDone,
    m.ModifyRequest: m.ModifyResponse,
    m.AddRequest: m.AddResponse,
    m.DelRequest: m.DelResponse,
    m.ModifyDnRequest: m.ModifyDnResponse,
    m.CompareRequest: m.CompareResponse,
}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One port's character. tls: from the first byte. gc_port: a global catalog port."""

    tls: bool = False
    gc_port: bool = False


class LdapService:
    """All connections of one process."""

    def __init__(
        self,
        directory: Directory,
        clock: Clock,
        binder: Binder,
        own: Self,
        *,
        tls: ssl.SSLContext | None,
        channel_binding: bytes | None,
        connections_max: int,
        renew_tls: Callable[[], bytes | None] | None = None,
    ) -> None:
        """channel_binding: tls-server-end-point data of `tls`. connections_max: what the process can hold.

        renew_tls: has `tls` use the certificate that is there now; its channel binding, None if it failed.
        """
        self.directory = directory
        self.clock = clock
        self.binder = binder
        self.own = own
        self.tls = tls
        self.channel_binding = channel_binding
        self._connections_max = connections_max
        self._renew_tls = renew_tls
        self.admission: Admission[LdapConnection] = Admission()
        self._tasks: set[asyncio.Task[None]] = set()
        self.notifier = Notifier(directory, clock)
        self.limits = Limits()
        self.renew_limits()

    def renew_certificate(self) -> None:
        """Serve the certificate that is in the data folder now. Spec: [MS-ADTS] 3.1.1.3.3.22."""
        binding = None if self._renew_tls is None else self._renew_tls()
        if binding is not None:
            self.channel_binding = binding

    def renew_limits(self) -> None:
        """Take the query policy as it is now; new connections follow it."""
        found, self.admission.denied = self.directory.read_now(
            "ldap.limits", SYSTEM, lambda ctx: (policy.limits(ctx), policy.denied_sources(ctx))
        )
        self.limits = Limits(
            max_receive_buffer=found.max_receive_buffer,
            init_recv_timeout_s=found.init_recv_timeout,
            max_conn_idle_time_s=found.max_conn_idle_time,
            max_pre_auth_receive_buffer=found.max_pre_auth_receive_buffer,
        )
        self.admission.allowed = min(found.max_connections, self._connections_max)

    def connection(self, endpoint: Endpoint) -> "LdapConnection":
        """The protocol of one accepted socket."""
        return LdapConnection(self, endpoint)

    def start(self, work: Coroutine[None, None, None]) -> None:
        """Own a task until it ends."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def sweep(self) -> None:
        """Close the connections that are silent for too long; runs until cancelled."""
        while True:
            await asyncio.sleep(_SWEEP_S)
            self.renew_limits()
            now = self.clock.now()
            for connection in self.admission.everybody():
                connection.tick(now)

    async def drain(self) -> None:
        """Answer what was begun, then say good-bye to everybody."""
        if self._tasks:
            await asyncio.wait(set(self._tasks), timeout=_DRAIN_S)
        for connection in self.admission.everybody():
            connection.farewell()


class LdapConnection(asyncio.Protocol):
    """One client."""

    def __init__(self, service: LdapService, endpoint: Endpoint) -> None:
        self._service = service
        self._directory = service.directory
        self._endpoint = endpoint
        self._engine = LdapEngine(service.clock.now(), service.limits)
        self._transport: asyncio.Transport | None = None
        self._token: Token = ANONYMOUS
        self._principal = ""
        self._protection = Protection.TLS if endpoint.tls else Protection.NONE
        self._binds = BindState(service.binder, service.channel_binding, tls_port=endpoint.tls)
        self._source = ""
        self._source_port = 0
        self._writable = True
        self._upgrading = False
        self._early = bytearray()
        self._expires = NEVER_FT
        self._session = Session(renew_certificate=service.renew_certificate)

    # --- asyncio.Protocol ---

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport) or hasattr(transport, "write")
        self._transport = transport  # type: ignore[assignment]
        peer = transport.get_extra_info("peername") or ("", 0)
        self._source, self._source_port = str(peer[0]), int(peer[1])
        if self._service.admission.refuses(self._source):
            self.abort()
            return
        self._service.admission.opened(self)
        if self._endpoint.tls:
            self._bind_by_channel()

    def _bind_by_channel(self) -> None:
        """Begin as whom the TLS channel itself proves."""
        outcome = self._binds.by_channel(self._shown_certificate())
        if outcome is not None and outcome.token is not None:
            self._token, self._principal = outcome.token, outcome.principal
            self._engine.authenticated = True
            self._service.admission.bound(self, authenticated=True)

    def _shown_certificate(self) -> bytes | None:
        """The client's certificate, DER, which the TLS library found good."""
        assert self._transport is not None
        tls = self._transport.get_extra_info("ssl_object")
        return None if tls is None else tls.getpeercert(True)

    def data_received(self, data: bytes) -> None:
        if self._upgrading:
            # What came in one flight with the end of the handshake waits until answers can go out sealed.
            self._early += data
            return
        try:
            self._handle(self._engine.receive(data, self._service.clock.now()))
        except Exception as error:
            self._fault(error)
        if not self._engine.authenticated:
            self._service.admission.holds(self, self._engine.held)

    def eof_received(self) -> bool:
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._service.notifier.forget(self)
        self._service.admission.closed(self)

    def pause_writing(self) -> None:
        self._writable = False
        self._pace()

    def resume_writing(self) -> None:
        self._writable = True
        self._service.notifier.wake()
        self.data_received(b"")

    # --- what the service tells it ---

    def abort(self) -> None:
        """Drop it at once."""
        if self._transport is not None:
            self._transport.abort()

    def tick(self, now: FileTime) -> None:
        """Time has passed."""
        if now >= self._expires:
            self._disconnect(_TIMED_OUT)
            return
        self._engine.limits = self._service.limits
        deadline = self._engine.next_deadline()
        if deadline is not None and now >= deadline:
            self.data_received(b"")

    def farewell(self) -> None:
        """The server shuts down."""
        text = "The server is shutting down"
        self._disconnect(ldap_error_text(Win32.ERROR_DS_SHUTTING_DOWN, LdapResult.UNAVAILABLE, text))

    def _disconnect(self, text: str) -> None:
        """Send the notice of disconnection and close."""
        if self._transport is None:
            return
        if self._upgrading:
            self.abort()  # what is not sealed yet is no place for messages
            return
        try:
            self._close(self._engine.disconnect(LdapResult.UNAVAILABLE, text))
        except AuthError:  # the context of the security layer is at its end, so nothing can be said
            self.abort()

    # --- requests ---

    def _handle(self, events: Sequence[Event]) -> None:
        """Carry out events until nothing that was held can go on."""
        while events:
            for event in events:
                if isinstance(event, m.LdapMessage):
                    self._request(event)
                elif isinstance(event, Violation):
                    fields = {"source": self._source, "why": event.why}
                    _LOG.warning("LDAP protocol violated", extra={"fields": fields})
                    self._flush()
                    self._close(event.last_bytes)
                    return
                elif isinstance(event, TimedOut):
                    self._close(b"")
                    return
            self._flush()
            if not self._writable:  # what is held waits until the client takes what it asked for
                break
            events = self._engine.receive(b"", self._service.clock.now())
        self._pace()

    def _request(self, message: m.LdapMessage) -> None:
        op = message.protocol_op
        if self._transport is None or self._transport.is_closing():
            return
        if self._expires != NEVER_FT and self._service.clock.now() >= self._expires:
            self._disconnect(_TIMED_OUT)  # [MS-ADTS] 5.1.1.6
            return
        match op:
            case m.SearchRequest():
                self._search(message, op)
            case m.BindRequest():
                if not self._refuse_controls(message, m.BindResponse):
                    self._bind(message.message_id, op)
            case m.AddRequest() | m.ModifyRequest() | m.ModifyDnRequest() | m.DelRequest():
                self._service.start(self._write(message, self._asker()))
            case m.CompareRequest():
                self._run(message, "ldap.compare", operations.compare_work(message, op, self._asker()))
            case m.ExtendedRequest():
                if not self._refuse_controls(message, m.ExtendedResponse):
                    self._extended(message.message_id, op)
            case m.UnbindRequest():
                self._close(b"")
            case m.AbandonRequest(abandoned):
                # The engine has forgotten the operation; its answer will find nobody waiting.
                self._service.notifier.forget(self, abandoned)

    def _refuse_controls(
        self, message: m.LdapMessage, response: type[m.BindResponse | m.ExtendedResponse]
    ) -> bool:
        """Whether a bind or extended operation came with a critical control, of which they take few."""
        try:
            read_controls(message.controls, operations.COMMON_CONTROLS)
        except DsError as error:
            result, text = ldap_face(error)
            self._engine.reply(message.message_id, response(result_code=result, diagnostic_message=text))
            return True
        return False

    def _asker(self) -> Asker:
        confidential = self._protection.confidential
        return Asker(self._token, confidential, self._endpoint.gc_port, self._source, self._session)

    def _search(self, message: m.LdapMessage, op: m.SearchRequest) -> None:
        message_id, source = message.message_id, self._source
        if not op.base_object and op.scope == BASE and operations.is_ping(op):
            asker = self._asker()
            value, beside = self._directory.read_now(
                "ldap.ping",
                self._token,
                lambda ctx: (
                    answer_ping(ctx, op.filter, source, self._service.own),
                    operations.beside_ping(ctx, op, asker),
                ),
            )
            self._answer(message_id, operations.encode_ping(message_id, value, beside))
            return
        try:
            request = operations.search_request(message, op, self._asker())
        except DsError as error:
            self._answer(message_id, operations.refuse(message_id, m.SearchResultDone, error))
            return

        if request.options.notification:
            self._service.start(self._stay(message_id, request))
            return

        def work(ctx: ReadContext) -> bytes:
            return operations.search_answer(ctx, message_id, request)

        self._run(message, "ldap.search", work, point=self._directory.is_point(request))

    def _run(
        self, message: m.LdapMessage, name: str, work: Callable[[ReadContext], bytes], *, point: bool = True
    ) -> None:
        """Answer a read: at once if it is a point read and needs no network, else from a thread."""
        if point and self._directory.reads_inline:
            try:
                self._answer(message.message_id, self._directory.read_point(name, self._token, work))
            except StoreError as error:
                self._answer(message.message_id, self._store_failed(message, error))
            except WalkNeededError:
                self._service.start(self._read(message, name, self._token, work))
        else:
            self._service.start(self._read(message, name, self._token, work))

    async def _read(
        self, message: m.LdapMessage, name: str, requester: Token, work: Callable[[ReadContext], bytes]
    ) -> None:
        """requester: whose request it was when it came; a bind may follow before its turn."""
        try:
            try:
                found = await self._directory.read(name, requester, work)
            except StoreError as error:
                found = self._store_failed(message, error)
            self._late_answer(message.message_id, found)
        except Exception as error:
            self._fault(error)

    async def _write(self, message: m.LdapMessage, asker: Asker) -> None:
        try:
            try:
                done = await operations.write(self._directory, message, asker)
            except StoreError as error:
                done = self._store_failed(message, error)
            self._late_answer(message.message_id, done)
        except Exception as error:
            self._fault(error)

    def _store_failed(self, message: m.LdapMessage, error: StoreError) -> bytes:
        _LOG.error("the database failed", extra={"fields": {"source": self._source, "why": str(error)}})
        response = _RESPONSES[type(message.protocol_op)]
        return operations.refuse_for_store(message.message_id, response, error)

    def _answer(self, message_id: MessageId, data: bytes) -> None:
        if self._engine.is_outstanding(message_id):  # no abandon or unbind came in one segment with it
            self._engine.reply_encoded(message_id, data, final=True)

    def _late_answer(self, message_id: MessageId, data: bytes) -> None:
        """An answer that comes outside of `data_received`; what it lets go on goes on."""
        if self._transport is None or not self._engine.is_outstanding(message_id):
            return
        self._answer(message_id, data)
        self._flush()
        if self._writable:
            self.data_received(b"")

    # --- standing searches ---

    async def _stay(self, message_id: MessageId, request: SearchRequest) -> None:
        try:
            try:
                await self._service.notifier.begin(self, message_id, self._token, request)
            except DsError as error:
                self.end_search(message_id, error)
            except StoreError as error:
                refused = operations.refuse_for_store(message_id, m.SearchResultDone, error)
                self._late_answer(message_id, refused)
            if self._transport is None or not self._engine.is_outstanding(message_id):
                self._service.notifier.forget(self, message_id)
        except Exception as error:
            self._fault(error)

    def takes_more(self) -> bool:
        return self._writable and self._transport is not None

    def notify(self, message_id: MessageId, entries: bytes) -> None:
        if self._transport is not None and self._engine.is_outstanding(message_id):
            self._engine.reply_encoded(message_id, entries, final=False)
            self._flush()

    def end_search(self, message_id: MessageId, error: DsError) -> None:
        self._late_answer(message_id, operations.refuse(message_id, m.SearchResultDone, error))

    # --- binds ---

    def _bind(self, message_id: MessageId, op: m.BindRequest) -> None:
        outcome = self._binds.judge(op, self._protection)
        turns, account = self._directory.turns, outcome.account
        if account is not None and turns.is_taken(account):
            self._service.start(self._bind_in_turn(message_id, op, account, outcome.again))
        elif outcome.is_settled_first:
            # A wrong password is counted before it is answered, or guesses could outrun the lockout.
            if account is not None and outcome.can_lock_out:
                turns.take(account)
            self._service.start(self._bind_counted(message_id, op, outcome))
        else:
            self._bind_judged(message_id, op, outcome)

    async def _bind_counted(self, message_id: MessageId, op: m.BindRequest, outcome: BindOutcome) -> None:
        try:
            settled = await self._settled(op, outcome)
        except Exception as error:
            self._fault(error)
            return
        finally:
            if outcome.account is not None and outcome.can_lock_out:
                self._directory.turns.give(outcome.account)
        self._bind_later(message_id, op, settled)

    async def _settled(self, op: m.BindRequest, outcome: BindOutcome) -> BindOutcome:
        """`outcome`, once its password is counted; judged anew where that came too late."""
        if not outcome.is_settled_first or outcome.count is None:
            return outcome
        if await self._count(outcome.count):
            return replace(outcome, count=None)
        return self._binds.judge(op, self._protection) if outcome.again is None else outcome.again()

    async def _bind_in_turn(
        self,
        message_id: MessageId,
        op: m.BindRequest,
        account: Dnt,
        again: Callable[[], BindOutcome] | None,
    ) -> None:
        """Judge anew once the wrong password before this one is counted."""
        await self._directory.turns.wait(account)
        try:
            if self._transport is None:
                return  # nobody is told whether it was right
            judged = self._binds.judge(op, self._protection) if again is None else again()
            outcome = await self._settled(op, judged)
        except Exception as error:
            self._fault(error)
            return
        finally:
            self._directory.turns.give(account)
        self._bind_later(message_id, op, outcome)

    def _bind_judged(self, message_id: MessageId, op: m.BindRequest, outcome: BindOutcome) -> None:
        if outcome.count is not None:
            self._service.start(self._note_logon(outcome.count))
        self._answer_bind(message_id, op, outcome)

    def _bind_later(self, message_id: MessageId, op: m.BindRequest, outcome: BindOutcome) -> None:
        if self._transport is not None and self._engine.is_outstanding(message_id):
            self._bind_judged(message_id, op, outcome)
            self._flush()
            self.data_received(b"")

    def _answer_bind(self, message_id: MessageId, op: m.BindRequest, outcome: BindOutcome) -> None:
        if outcome.token is not None:
            for standing in self._service.notifier.forget(self):  # what stood for one stands for no other
                self._engine.forget(standing)
        if outcome.token is not None and not self._binds.fast:
            self._token, self._principal = outcome.token, outcome.principal
            lifetime_s = outcome.lifetime_s
            now = self._service.clock.now()
            self._expires = NEVER_FT if lifetime_s is None else FileTime(now + lifetime_s * TICKS_PER_S)
        authenticated = not self._token.is_anonymous
        self._engine.authenticated = authenticated
        self._service.admission.bound(self, authenticated=authenticated)
        self._engine.reply(
            message_id,
            m.BindResponse(
                result_code=outcome.result,
                matched_dn=outcome.sicily_creds or b"",
                diagnostic_message=outcome.text,
                server_sasl_creds=outcome.creds,
            ),
        )
        if outcome.layer is not None:
            self._engine.secure(outcome.layer)
        if outcome.protection is not None:
            self._protection = outcome.protection
        self._note(op, outcome)

    def _note(self, op: m.BindRequest, outcome: BindOutcome) -> None:
        """Log the decision."""
        if outcome.result is LdapResult.SASL_BIND_IN_PROGRESS:
            return
        if outcome.audit is not None:
            logon_audit.tell(
                outcome.audit,
                granted=outcome.result is LdapResult.SUCCESS,
                protocol="LDAP",
                address=self._source,
                port=self._source_port,
            )
        if outcome.result is not LdapResult.SUCCESS or _LOG.isEnabledFor(logging.DEBUG):
            fields = {
                "source": self._source,
                "name": op.name or outcome.principal,
                "result": outcome.result.name,
                "protection": self._protection.name,
            }
            _LOG.info("bind", extra={"fields": fields})

    async def _note_logon(self, work: Callable[[WriteContext], bool]) -> None:
        """Write what a logon leaves on its account; nobody waits for it."""
        await self._count(work)

    async def _count(self, work: Callable[[WriteContext], bool]) -> bool:
        """Whether what was judged may be told, now that it is written down."""
        try:
            return await self._directory.write("ldap.logon", SYSTEM, work)
        except AddcError as error:
            _LOG.error("a logon was not counted", extra={"fields": {"why": str(error)}})
            return True

    # --- extended operations ---

    def _extended(self, message_id: MessageId, op: m.ExtendedRequest) -> None:
        name = op.request_name
        if name == m.START_TLS:
            self._start_tls(message_id)
            return
        if name == _WHO_AM_I:
            value = self._directory.read_now(
                "ldap.whoami", SYSTEM, lambda ctx: operations.who_am_i(ctx, self._token)
            )
            self._extended_success(message_id, value=value)
            return
        if name == _FAST_BIND:
            if self._token.is_anonymous:
                self._binds.fast = True
                self._extended_success(message_id, name=name)
                return
            error = DsError(
                Win32.ERROR_DS_UNWILLING_TO_PERFORM,
                "already bound",
                ldap_result=LdapResult.UNWILLING_TO_PERFORM,
            )
        elif name in _LATER:
            self._service.start(self._extended_later(message_id, op))
            return
        else:
            error = DsError(
                Win32.ERROR_DS_DECODING_ERROR,
                "Unknown extended request OID",
                ldap_result=LdapResult.PROTOCOL_ERROR,
            )
        self._answer(message_id, operations.refuse(message_id, m.ExtendedResponse, error))

    async def _extended_later(self, message_id: MessageId, op: m.ExtendedRequest) -> None:
        """An extended operation that reads or changes the directory."""
        name = op.request_name
        try:
            try:
                value = await _LATER[name](self._directory, op.request_value, self._asker())
                response = m.ExtendedResponse(
                    result_code=LdapResult.SUCCESS, response_name=name, response_value=value
                )
                answer = m.LdapMessage(message_id, response).pack()
            except DsError as error:
                answer = operations.refuse(message_id, m.ExtendedResponse, error)
            except StoreError as error:
                answer = operations.refuse_for_store(message_id, m.ExtendedResponse, error)
            self._late_answer(message_id, answer)
        except Exception as error:
            self._fault(error)

    def _extended_success(
        self, message_id: MessageId, *, name: str | None = None, value: bytes | None = None
    ) -> None:
        response = m.ExtendedResponse(
            result_code=LdapResult.SUCCESS, response_name=name, response_value=value
        )
        self._answer(message_id, m.LdapMessage(message_id, response).pack())

    def _start_tls(self, message_id: MessageId) -> None:
        refusal = self._start_tls_refusal()
        if refusal is not None:
            result, why = refusal
            text = ldap_error_text(Win32.ERROR_SUCCESS, result, why)
            self._engine.reply(
                message_id,
                m.ExtendedResponse(result_code=result, diagnostic_message=text, response_name=m.START_TLS),
            )
            return
        self._engine.reply(
            message_id, m.ExtendedResponse(result_code=LdapResult.SUCCESS, response_name=m.START_TLS)
        )
        self._flush()
        self._binds.begin_tls(self._service.channel_binding)
        assert self._transport is not None
        self._transport.pause_reading()
        self._upgrading = True
        self._service.start(self._upgrade(self._transport))

    def _start_tls_refusal(self) -> tuple[LdapResult, str] | None:
        """Spec: RFC 4511 4.14.2."""
        if self._service.tls is None:
            return LdapResult.UNAVAILABLE, "Error initializing SSL/TLS"
        if self._protection is Protection.TLS:
            return LdapResult.OPERATIONS_ERROR, "TLS or SSL already in effect"
        if self._engine.layered:
            return LdapResult.OPERATIONS_ERROR, "a SASL security layer is in effect"
        if len(self._engine.outstanding) > 1:
            return LdapResult.OPERATIONS_ERROR, "operations are outstanding"
        return None

    async def _upgrade(self, transport: asyncio.Transport) -> None:
        """TLS over `transport`. Nobody else tells when a connection is lost amid its handshake."""
        assert self._service.tls is not None
        try:
            upgraded = await asyncio.get_running_loop().start_tls(
                transport, self, self._service.tls, server_side=True, ssl_handshake_timeout=_HANDSHAKE_S
            )
        except (OSError, ssl.SSLError, asyncio.IncompleteReadError) as error:
            _LOG.info("StartTLS failed", extra={"fields": {"source": self._source, "why": str(error)}})
            transport.abort()
            self.connection_lost(error)
            return
        if upgraded is None or self._transport is None or transport.is_closing():
            self.connection_lost(None)
            return
        self._transport = upgraded
        self._protection = Protection.TLS
        self._binds.certificate = self._shown_certificate()
        self._upgrading = False
        early, self._early = bytes(self._early), bytearray()
        self.data_received(early)

    # --- sending ---

    def _flush(self) -> None:
        data = self._engine.data_to_send()
        if data and self._transport is not None:
            self._transport.write(data)

    def _pace(self) -> None:
        """Read on only while what comes can be worked on and what goes out is taken."""
        if self._transport is None or self._transport.is_closing() or self._upgrading:
            return
        if self._writable and not self._engine.paused:
            self._transport.resume_reading()
        else:
            self._transport.pause_reading()

    def _close(self, last_bytes: bytes) -> None:
        if self._transport is not None:
            if last_bytes:
                self._transport.write(last_bytes)
            self._transport.close()

    def _fault(self, error: Exception) -> None:
        """Our bug: leave a trace, close this connection, keep serving the others."""
        fields = {"source": self._source}
        if isinstance(error, AuthError):
            _LOG.info("security layer at its end", extra={"fields": fields | {"why": str(error)}})
        else:
            _LOG.error("LDAP connection failed", exc_info=error, extra={"fields": fields})
        self.abort()
