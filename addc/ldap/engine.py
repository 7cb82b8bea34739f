"""One LDAP connection as the server sees it: bytes in, messages out; answers in, bytes out.

What arrives while a bind or StartTLS is being answered is held, not parsed: only after the answer is it known
what the bytes mean. So is what arrives while too many operations are outstanding; `paused` tells the shell to
stop reading the socket. After each `reply`, `receive(b"", now)` hands out what was held.

Spec: RFC 4511 4.1.1, 4.1.1.1, 4.2.1, 4.4.1, 4.11, 4.14; RFC 4422 3.7 (security layers);
[MS-ADTS] 3.1.1.3.4.6 (limits), 5.1.1, 5.1.2.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from addc.base.clock import TICKS_PER_S, FileTime
from addc.base.errors import AddcError, DecodeError, LocalProtocolError
from addc.base.ids import MessageId
from addc.base.limits import LDAP_PREAUTH_RECEIVE_MAX, LDAP_RECEIVE_MAX
from addc.codec.ber_wire import long_length, read_element
from addc.codes.faces import ldap_error_text
from addc.codes.ldap_result import LdapResult
from addc.codes.win32 import Win32
from addc.ldap.messages import (
    NOTICE_OF_DISCONNECTION,
    START_TLS,
    AbandonRequest,
    AddRequest,
    BindRequest,
    BindResponse,
    CompareRequest,
    Control,
    DelRequest,
    ExtendedRequest,
    ExtendedResponse,
    IntermediateResponse,
    LdapMessage,
    ModifyDnRequest,
    ModifyRequest,
    Response,
    SearchRequest,
    SearchResultEntry,
    SearchResultReference,
    UnbindRequest,
)


class State(Enum):
    """What may be parsed and answered now."""

    OPEN = auto()
    """Requests are parsed as they come."""
    BINDING = auto()
    """A bind waits for its answer; everything else is held."""
    STARTTLS = auto()
    """StartTLS waits for its answer; everything else is held."""
    CLOSED = auto()
    """Nothing is parsed any more."""


class Input(Enum):
    """What moves the state."""

    BIND_REQUEST = auto()
    START_TLS_REQUEST = auto()
    OTHER_REQUEST = auto()
    UNBIND = auto()
    BIND_DONE = auto()
    START_TLS_DONE = auto()


MOVES: Final[dict[tuple[State, Input], State]] = {
    (State.OPEN, Input.BIND_REQUEST): State.BINDING,
    (State.OPEN, Input.START_TLS_REQUEST): State.STARTTLS,
    (State.OPEN, Input.OTHER_REQUEST): State.OPEN,
    (State.OPEN, Input.UNBIND): State.CLOSED,
    (State.BINDING, Input.BIND_DONE): State.OPEN,
    (State.STARTTLS, Input.START_TLS_DONE): State.OPEN,
}
"""All legal moves; violations, time-outs and our own farewell go to CLOSED from anywhere."""

_INPUTS: Final[dict[type, Input]] = {
    BindRequest: Input.BIND_REQUEST,
    UnbindRequest: Input.UNBIND,
    SearchRequest: Input.OTHER_REQUEST,
    ModifyRequest: Input.OTHER_REQUEST,
    AddRequest: Input.OTHER_REQUEST,
    DelRequest: Input.OTHER_REQUEST,
    ModifyDnRequest: Input.OTHER_REQUEST,
    CompareRequest: Input.OTHER_REQUEST,
    AbandonRequest: Input.OTHER_REQUEST,
    ExtendedRequest: Input.OTHER_REQUEST,
}
_NOT_FINAL: Final = (SearchResultEntry, SearchResultReference, IntermediateResponse)
_UNANSWERED: Final = (AbandonRequest, UnbindRequest)


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one connection may ask for; the defaults are Active Directory's.

    init_recv_timeout_s: for the first request. max_conn_idle_time_s: between an answer and the next request.
    outstanding: operations without their last answer, beyond which no more requests are parsed: so many
    answers may pile up for a client that does not read.
    Spec: [MS-ADTS] 3.1.1.3.4.6.
    """

    max_pre_auth_receive_buffer: int = LDAP_PREAUTH_RECEIVE_MAX
    max_receive_buffer: int = LDAP_RECEIVE_MAX
    init_recv_timeout_s: int = 120
    max_conn_idle_time_s: int = 900
    outstanding: int = 32


@dataclass(frozen=True, slots=True)
class SecurityLayer:
    """The SASL layer that a bind agreed on.

    wrap: at most `max_plain` bytes to a sealed or signed token.
    unwrap: the way back; raises an AddcError if the token is forged.
    Spec: RFC 4422 3.7, [MS-ADTS] 5.1.2.1.
    """

    wrap: Callable[[bytes], bytes]
    unwrap: Callable[[bytes], bytes]
    max_plain: int = 65_536 - 256


@dataclass(frozen=True, slots=True)
class Violation:
    """The peer broke the protocol: send `last_bytes` (the notice of disconnection), then close."""

    why: str
    last_bytes: bytes


@dataclass(frozen=True, slots=True)
class TimedOut:
    """The peer was silent for too long: close."""


Event = LdapMessage | Violation | TimedOut

_SEALED_SPARE: Final = 4096
"""How much longer a wrapped message may be than its plain text."""


def notice_of_disconnection(result: LdapResult, text: str) -> bytes:
    """The unsolicited notification that ends a connection.

    Deviation: [MS-ADTS] 5.1.1.6 has responseName behind the response; OpenLDAP and Java look for it inside,
    where RFC 4511 4.4.1 puts it.
    """
    response = ExtendedResponse(
        result_code=result, diagnostic_message=text, response_name=NOTICE_OF_DISCONNECTION
    )
    return LdapMessage(MessageId(0), response).pack()


def _parts(plain: bytes, size_max: int) -> Iterator[bytes]:
    """Runs of whole messages that fit into one token, as Windows has them: some clients join no two tokens.

    Only a message that is larger than a token goes in pieces.
    """
    start, end, size = 0, 0, len(plain)
    while end < size and size - start > size_max:
        stop = read_element(plain, end, size, "LDAPMessage")[2]
        if stop - start > size_max and end > start:
            yield plain[start:end]
            start = end
        while stop - start > size_max:
            yield plain[start : start + size_max]
            start += size_max
        end = stop
    if start < size:
        yield plain[start:]


class LdapEngine:
    """The server's side of one connection.

    authenticated: set by the shell after a bind as somebody; decides how long a request may be.
    """

    def __init__(self, now: FileTime, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self.authenticated = False
        self._state = State.OPEN
        self._outstanding: set[MessageId] = set()
        self._start_tls_id: MessageId | None = None
        self._layer: SecurityLayer | None = None
        self._fault: str | None = None
        self._requests_seen = False
        self._active = now
        self._answered = False
        self._buffer = b""  # plain bytes, parsed up to _start
        self._start = 0
        self._more = bytearray()  # plain bytes behind _buffer
        self._needed = 1
        self._sealed_in = bytearray()
        self._sealed_needed = 4
        self._plain_out: list[bytes] = []
        self._out: list[bytes] = []

    @property
    def state(self) -> State:
        return self._state

    @property
    def layered(self) -> bool:
        """Whether a SASL layer protects the connection; StartTLS is not possible then."""
        return self._layer is not None

    @property
    def outstanding(self) -> frozenset[MessageId]:
        """The operations that still await their last answer."""
        return frozenset(self._outstanding)

    @property
    def paused(self) -> bool:
        """Whether reading more from the socket would only fill memory."""
        return self._state is not State.OPEN or len(self._outstanding) >= self.limits.outstanding

    @property
    def held(self) -> int:
        """How many bytes wait for the rest of their message, or for an answer."""
        return self._held + len(self._sealed_in)

    def is_outstanding(self, message_id: MessageId) -> bool:
        """Whether an answer may still be given: not after an abandon."""
        return message_id in self._outstanding

    def forget(self, message_id: MessageId) -> None:
        """An operation ends without an answer."""
        self._outstanding.discard(message_id)

    def next_deadline(self) -> FileTime | None:
        """When `receive(b"", now)` must be called at the latest; None while an operation is running."""
        if self._state is State.CLOSED or self._outstanding:
            return None
        wait_s = self.limits.max_conn_idle_time_s if self._requests_seen else self.limits.init_recv_timeout_s
        return FileTime(self._active + wait_s * TICKS_PER_S)

    def receive(self, data: bytes, now: FileTime) -> Sequence[Event]:
        """The messages that `data` completes, in order; a violation comes last, and then nothing more."""
        events: list[Event] = []
        if self._state is State.CLOSED:
            return events
        if self._answered:
            self._active, self._answered = now, False
        try:
            if self._fault is not None:
                raise DecodeError(self._fault)
            if data:
                self._take(data)
            self._parse(events, now)
        except DecodeError as error:
            events.append(self._violation(str(error)))
        if not data and not events:
            deadline = self.next_deadline()
            if deadline is not None and now >= deadline:
                self._state = State.CLOSED
                events.append(TimedOut())
        return events

    def reply(self, to: MessageId, body: Response, controls: tuple[Control, ...] = ()) -> None:
        """Queue an answer; all but entries, references and intermediate responses end their operation.

        Raises LocalProtocolError if `to` is not outstanding; `is_outstanding` tells after an abandon.
        """
        if to not in self._outstanding:
            raise LocalProtocolError(f"message id {to} awaits no answer")
        final = not isinstance(body, _NOT_FINAL)
        if final and to == self._start_tls_id and isinstance(body, ExtendedResponse):
            self._start_tls_done(body.result_code == LdapResult.SUCCESS)
        elif isinstance(body, BindResponse):
            self._move(Input.BIND_DONE)
        self.reply_encoded(to, LdapMessage(to, body, controls).pack(), final=final)

    def reply_encoded(self, to: MessageId, message: bytes, *, final: bool) -> None:
        """Queue whole messages that answer `to`, packed by the caller; not for binds and StartTLS."""
        if to not in self._outstanding:
            raise LocalProtocolError(f"message id {to} awaits no answer")
        if final:
            self._outstanding.discard(to)
        self._answered = True
        self._plain_out.append(message)

    def secure(self, layer: SecurityLayer) -> None:
        """Put a SASL layer on everything behind the bind response just queued.

        Spec: RFC 4422 3.7.
        """
        if self._state is not State.OPEN:
            raise LocalProtocolError("a security layer before the bind was answered")
        self._flush()
        if self._held or self._sealed_in:
            self._fault = "bytes between a bind request and its answer"
        self._layer = layer

    def disconnect(self, result: LdapResult, text: str) -> bytes:
        """Close from our side; returns the last bytes to send.

        Spec: [MS-ADTS] 5.1.1.6 (a ticket expired), RFC 4511 4.4.1.
        """
        if self._state is State.CLOSED:
            return b""
        self._state = State.CLOSED
        self._outstanding.clear()
        self._plain_out.append(notice_of_disconnection(result, text))
        return self.data_to_send()

    def data_to_send(self) -> bytes:
        """All bytes queued since the last call, wrapped where a layer is on."""
        self._flush()
        data = b"".join(self._out)
        self._out.clear()
        return data

    def _flush(self) -> None:
        """Move queued messages to the wire side under the layer that is on now."""
        if not self._plain_out:
            return
        if self._layer is None:
            self._out.extend(self._plain_out)
        else:
            for part in _parts(b"".join(self._plain_out), self._layer.max_plain):
                token = self._layer.wrap(part)
                self._out.append(len(token).to_bytes(4, "big") + token)
        self._plain_out.clear()

    def _move(self, cause: Input) -> None:
        state = MOVES.get((self._state, cause))
        if state is None:
            raise LocalProtocolError(f"{cause.name} in state {self._state.name}")
        self._state = state

    def _start_tls_done(self, success: bool) -> None:
        self._move(Input.START_TLS_DONE)
        self._start_tls_id = None
        if success and self._held:
            # In the clear, yet meant to be taken for protected: RFC 4511 4.14.1 forbids sending it.
            self._fault = "bytes between StartTLS and its answer"

    @property
    def _held(self) -> int:
        """How many plain bytes wait to be parsed."""
        return len(self._buffer) - self._start + len(self._more)

    @property
    def _receive_max(self) -> int:
        return (
            self.limits.max_receive_buffer if self.authenticated else self.limits.max_pre_auth_receive_buffer
        )

    def _take(self, data: bytes) -> None:
        """Add bytes to what is to be parsed, unwrapped first where a layer is on."""
        if self._layer is not None:
            data = self._unwrap(self._layer, data)
        held = self._held
        if self.paused and held + len(data) > self._receive_max:
            raise DecodeError("too many bytes before an answer")
        if held:
            self._more += data
        else:
            self._buffer, self._start = data, 0

    def _unwrap(self, layer: SecurityLayer, data: bytes) -> bytes:
        """The plain bytes of all complete tokens; the rest waits, and is not looked at by every segment."""
        self._sealed_in += data
        if len(self._sealed_in) < self._sealed_needed:
            return b""
        sealed = bytes(self._sealed_in)
        pos, plain = 0, []
        self._sealed_needed = 4
        while len(sealed) - pos >= 4:
            end = pos + 4 + int.from_bytes(sealed[pos : pos + 4], "big")
            if end - pos > self._receive_max + _SEALED_SPARE:
                raise DecodeError("wrapped message too long")
            if end > len(sealed):
                self._sealed_needed = end - pos
                break
            try:
                plain.append(layer.unwrap(sealed[pos + 4 : end]))
            except AddcError as error:
                raise DecodeError(f"security layer: {error}") from None
            pos = end
        del self._sealed_in[:pos]
        return b"".join(plain)

    def _parse(self, events: list[Event], now: FileTime) -> None:
        """Append the messages that are complete, as far as the state allows."""
        if self._held < self._needed or self.paused:
            return
        if self._more:
            self._buffer, self._start = self._buffer[self._start :] + self._more, 0
            self._more.clear()
        data = self._buffer
        self._needed = 0
        while not self.paused:
            stop = self._frame(data, self._start)
            if stop > len(data):
                self._needed = stop - self._start
                break
            # A message is cut out, so that what it says of itself cannot depend on what came along with it.
            alone = data if self._start == 0 and stop == len(data) else data[self._start : stop]
            message = LdapMessage.unpack(alone)
            self._accept(message)
            events.append(message)
            self._active, self._requests_seen = now, True
            self._start = stop

    def _frame(self, data: bytes, pos: int) -> int:
        """The end of the message at `pos`, as far as its header is there; behind the data: more is needed."""
        left = len(data) - pos
        if left and data[pos] != LdapMessage.ber_tag:
            raise DecodeError(f"tag {data[pos]:#x}, not {LdapMessage.ber_tag:#x}", 0, "LDAPMessage")
        if left < 2:
            return pos + left + 1
        size, body = data[pos + 1], pos + 2
        if size >= 0x80:
            count = size & 0x7F
            if left < 2 + count and 0 < count <= 8:
                return pos + 2 + count
            size, body = long_length(data[pos : pos + 2 + count], 1, "LDAPMessage")
            body += pos
        if body + size - pos > self._receive_max:
            raise DecodeError(f"{size} bytes are too many", 0, "LDAPMessage")
        return body + size

    def _accept(self, message: LdapMessage) -> None:
        """Move the state by a request and note that it awaits an answer."""
        op = message.protocol_op
        cause = _INPUTS.get(type(op))
        if cause is None:
            raise DecodeError("a response from a client", path="LDAPMessage.protocolOp")
        if isinstance(op, ExtendedRequest) and op.request_name == START_TLS:
            cause, self._start_tls_id = Input.START_TLS_REQUEST, message.message_id
        if isinstance(op, AbandonRequest):
            self._outstanding.discard(op.abandoned)
        if not isinstance(op, _UNANSWERED):
            if message.message_id in self._outstanding:  # 0 is taken, as on Windows: some count from it
                raise DecodeError(f"message id {message.message_id} is taken", path="LDAPMessage.messageID")
            self._outstanding.add(message.message_id)
        self._move(cause)
        if cause is Input.UNBIND:
            self._outstanding.clear()

    def _violation(self, why: str) -> Violation:
        """Close, with what was queued and the notice as the last bytes."""
        text = ldap_error_text(
            Win32.ERROR_INVALID_PARAMETER, LdapResult.PROTOCOL_ERROR, "Error decoding ldap message"
        )
        return Violation(why, self.disconnect(LdapResult.PROTOCOL_ERROR, text))
