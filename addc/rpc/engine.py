"""The server's end of one connection: fragments in, calls out, fragments back; no socket and no clock.

What comes is read one fragment at a time. A proof of identity halts the reading until the service has judged
it (`proof_goes_on`, `proof_refused`). A violation is answered with its bind_nak or fault, and is the last
event. Which fault, and whether the connection survives it, is Windows' choice, as Samba's raw protocol tests
record it.

Spec: [C706] 9.3, 12.6; [MS-RPCE] 3.3.1.5, 3.3.3.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Final
from uuid import UUID

from addc.base.errors import DecodeError, LocalProtocolError
from addc.base.limits import RPC_REQUEST_MAX
from addc.codec.interface import Interface
from addc.codes.nca import NcaStatus
from addc.rpc import auth_layer, pdu, presentation
from addc.rpc.auth_layer import Protector, RefusedError, SecurityContext
from addc.rpc.pdu import (
    AuthVerifier,
    Bind,
    BindAck,
    BindNak,
    Fault,
    Header,
    PduType,
    Pfc,
    RejectReason,
    Request,
)
from addc.rpc.presentation import Presentation
from addc.rpc.verification import RequestFacts

SECURITY_CONTEXTS_MAX: Final = 2049
_TOKEN_MAX: Final = 4096
"""Of an auth3, as Windows has it."""
_FRAG_MIN: Final = 2048
_HELD_FREE: Final = 8192
"""Octets of a fragment that is not whole which any connection may hold."""


class State(Enum):
    """Where a connection is."""

    NEW = auto()
    """Nothing but a bind is allowed."""
    OPEN = auto()
    PROVING = auto()
    """A token is being judged; what comes meanwhile waits."""
    CLOSED = auto()
    """What is to be sent is the last."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """What a connection reached. interfaces: those served there, by UUID and major version.

    frag_max: of one fragment, 5840 over TCP and 4280 in a pipe. secondary: the port or the pipe's name.
    """

    interfaces: Mapping[tuple[UUID, int], Interface]
    frag_max: int
    secondary: str


@dataclass(frozen=True, slots=True)
class ProofStep:
    """A token to be judged; its context's `who` is the service's to keep the exchange in."""

    context: SecurityContext
    token: bytes


@dataclass(slots=True)
class Incoming:
    """A whole request. presentation: the interface meant; context: who calls."""

    call_id: int
    opnum: int
    presentation: Presentation
    context: SecurityContext
    object_id: UUID | None
    stub: bytes
    header_signing: bool

    def facts(self) -> RequestFacts:
        """What a verification trailer has to confirm."""
        found = self.presentation
        return RequestFacts(
            self.header_signing, found.abstract, found.transfer, self.call_id, found.context_id, self.opnum
        )


@dataclass(frozen=True, slots=True)
class Abandoned:
    """The client no longer waits for a call (co_cancel, orphaned)."""

    call_id: int


@dataclass(frozen=True, slots=True)
class Violation:
    """The connection is at its end; its last octets are among those to send."""

    why: str


Event = ProofStep | Incoming | Abandoned | Violation


@dataclass(slots=True)
class _Partial:
    """A request whose last fragment has not come."""

    call: Incoming
    parts: list[bytes] = field(default_factory=list)
    size: int = 0


JoinGroup = Callable[[int], int | None]
"""From a client's assoc_group_id to that of the group that it joined; None where it may not."""
Reserve = Callable[[int], bool]
"""Ask for octets of memory, or give back a negative number; False where there are none."""


class RpcEngine:
    """One connection."""

    def __init__(self, endpoint: Endpoint, join: JoinGroup, reserve: Reserve) -> None:
        self._endpoint = endpoint
        self._join = join
        self._reserve = reserve
        self._state = State.NEW
        self._data = bytearray()
        self._held_reserved = 0
        self._out: list[bytes] = []
        self._events: list[Event] = []
        self._frag_max = endpoint.frag_max
        self._group_id = 0
        self._presentations: dict[int, Presentation] = {}
        self._contexts: dict[int, SecurityContext] = {}
        self._default = SecurityContext(0, auth_layer.NONE, 0)
        self._implicit: SecurityContext | None = None
        self._protected_seen = False
        self._connect_seen = False
        self._client_signs_headers = False
        self._multiplexed = False
        self._partial: _Partial | None = None
        self._pending: dict[int, Incoming] = {}
        self._proving: tuple[SecurityContext, Header, BindAck | None, int] | None = None

    # --- the four verbs ---

    def receive(self, data: bytes) -> list[Event]:
        """What the octets come to; never raises because of them."""
        self._data += data
        buffer, at = self._data, 0
        while self._state in (State.NEW, State.OPEN) and len(buffer) - at >= pdu.HEADER_SIZE:
            header = Header.read(buffer, at)
            size = header.frag_length
            if header.drep != pdu.DREP:  # so its numbers say nothing, its length included
                self._nak(pdu.swapped(header.call_id), RejectReason.PROTOCOL_VERSION_NOT_SUPPORTED, "drep")
                break
            if size < pdu.HEADER_SIZE:
                self._end("a fragment shorter than its header")
                break
            if len(buffer) - at < size:
                break
            fragment = bytes(buffer[at : at + size])
            at += size
            self._take(header, fragment)
        if at:
            del buffer[:at]
        if self._state is State.CLOSED:
            buffer.clear()
        self._account()
        events, self._events = self._events, []
        return events

    def _account(self) -> None:
        """Ask for the memory of what waits to be read, beyond what is free."""
        wanted = max(0, len(self._data) - _HELD_FREE)
        more = wanted - self._held_reserved
        if more and self._reserve(more):
            self._held_reserved = wanted
        elif more:
            self._end("no memory for a fragment")
            self._data.clear()
            self._reserve(-self._held_reserved)
            self._held_reserved = 0

    def reply(self, call: Incoming, stub: bytes) -> None:
        """Answer a call."""
        if self._pending.pop(call.call_id, None) is not call:
            return  # the connection ended for another reason meanwhile
        call_id, context_id = call.call_id, call.presentation.context_id

        def head(flags: int, frag_length: int, auth_length: int, left: int) -> bytes:
            return pdu.response_head(flags, frag_length, auth_length, call_id, (left, context_id))

        self._out += call.context.fragments(
            stub, head, pdu.REQUEST_SIZE, self._frag_max, signed_header=self._client_signs_headers
        )

    def fault(self, call: Incoming, status: int, *, executed: bool = True, below_level: bool = False) -> None:
        """Refuse a call.

        executed: the operation was begun. below_level: its authentication level is too low, which ends a
        connection that has no better one.
        """
        if self._pending.pop(call.call_id, None) is not call:
            return
        context_id = call.presentation.context_id
        if below_level and not self._protected_seen:
            self._violated(call.call_id, status, "a level too low", context_id=context_id)
            return
        self._send_fault(call.call_id, status, context_id, executed=executed)

    def fragments_to_send(self) -> list[bytes]:
        """What is to go out, fragment by fragment, as a pipe's messages."""
        out, self._out = self._out, []
        return out

    def data_to_send(self) -> bytes:
        """What is to go out."""
        out, self._out = self._out, []
        return out[0] if len(out) == 1 else b"".join(out)

    # --- what the service asks ---

    @property
    def is_closed(self) -> bool:
        return self._state is State.CLOSED

    @property
    def is_bound(self) -> bool:
        """A bind was taken, and no proof is under way."""
        return self._state is State.OPEN

    @property
    def outstanding(self) -> int:
        """Calls that wait for their answer."""
        return len(self._pending)

    @property
    def held(self) -> int:
        """Octets that wait to be read."""
        return len(self._data)

    def close(self) -> None:
        """The connection is gone."""
        self._state = State.CLOSED
        self._forget_partial()
        self._data.clear()
        self._account()

    # --- one fragment ---

    def _take(self, header: Header, fragment: bytes) -> None:
        if self._state is State.NEW:
            self._bind(header, fragment)
            return
        match header.ptype:
            case PduType.REQUEST:
                self._request(header, fragment)
            case PduType.ALTER_CONTEXT:
                self._alter(header, fragment)
            case PduType.AUTH3:
                self._auth3(header, fragment)
            case PduType.CO_CANCEL | PduType.ORPHANED:
                # One whose fragments are still coming goes on when they have come, as on Windows.
                if header.call_id in self._pending:
                    self._events.append(Abandoned(header.call_id))
            case PduType.BIND:
                self._nak(header.call_id, RejectReason.NOT_SPECIFIED, "a second bind")
            case _:
                self._violated(header.call_id, NcaStatus.NCA_PROTO_ERROR, "no request", executed=False)

    # --- the end ---

    def _end(self, why: str) -> None:
        self._state = State.CLOSED
        self._forget_partial()
        self._pending.clear()
        self._events.append(Violation(why))

    def _nak(self, call_id: int, reason: int, why: str) -> None:
        self._out.append(pdu.frame(PduType.BIND_NAK, pdu.WHOLE, call_id, BindNak(reason).pack()))
        self._end(why)

    def _send_fault(self, call_id: int, status: int, context_id: int, *, executed: bool) -> None:
        flags = pdu.WHOLE if executed else pdu.WHOLE | Pfc.DID_NOT_EXECUTE
        self._out.append(pdu.frame(PduType.FAULT, flags, call_id, Fault(context_id, status).pack()))

    def _violated(
        self, call_id: int, status: int, why: str, *, context_id: int = 0, executed: bool = True
    ) -> None:
        """Answer with a fault, and no more after it."""
        self._send_fault(call_id, status, context_id, executed=executed)
        self._end(why)

    def _forget_partial(self) -> None:
        if self._partial is not None:
            self._reserve(-self._partial.size)
            self._partial = None

    # --- bind ---

    def _bind(self, header: Header, fragment: bytes) -> None:
        if not header.is_sound or header.ptype != PduType.BIND:
            self._nak(header.call_id, RejectReason.PROTOCOL_VERSION_NOT_SUPPORTED, "no bind")
            return
        try:
            bind = Bind.unpack(fragment[pdu.HEADER_SIZE : header.body_end])
        except DecodeError as error:
            self._nak(header.call_id, RejectReason.PROTOCOL_VERSION_NOT_SUPPORTED, str(error))
            return
        wanted = max(_FRAG_MIN, min(bind.max_xmit_frag, bind.max_recv_frag))
        self._frag_max = min(wanted, self._endpoint.frag_max) & ~7
        if not bind.contexts:
            self._nak(header.call_id, RejectReason.PROTOCOL_VERSION_NOT_SUPPORTED, "nothing to bind to")
            return
        group_id = self._join(bind.assoc_group_id)
        if group_id is None:
            self._nak(header.call_id, RejectReason.NOT_SPECIFIED, "no such association group")
            return
        self._group_id = group_id
        found = presentation.negotiate(bind.contexts, self._endpoint.interfaces, {}, features=True)
        if found is None:
            self._nak(header.call_id, RejectReason.NOT_SPECIFIED, "no good presentation context")
            return
        ack = BindAck(self._frag_max, self._frag_max, self._group_id, self._endpoint.secondary, found.results)
        flags = self._take_on(header, found)
        self._state = State.OPEN
        if not header.auth_length:
            self._default.finish(None)
            self._ack(PduType.BIND_ACK, flags, header.call_id, ack, None)
            return
        verifier = AuthVerifier.of(fragment, header)
        reason = _bind_refusal(verifier, header)
        if reason is not None:
            self._nak(header.call_id, reason, "no good security trailer")
            return
        self._default.finish(None)
        self._prove(self._new_context(verifier), verifier.token, header, (ack, flags))

    def _take_on(self, header: Header, found: presentation.Negotiated) -> int:
        """Keep what a bind or alter_context agreed; the flags of its answer."""
        flags = pdu.WHOLE
        if found.new is not None:
            self._presentations[found.new.context_id] = found.new
            if header.flags & Pfc.CONC_MPX:
                self._multiplexed = True
        if header.flags & Pfc.CONC_MPX and self._multiplexed:
            flags |= Pfc.CONC_MPX
        if header.flags & Pfc.SUPPORT_HEADER_SIGN:
            self._client_signs_headers = True
            flags |= Pfc.SUPPORT_HEADER_SIGN
        return flags

    def _new_context(self, verifier: AuthVerifier) -> SecurityContext:
        context = SecurityContext(verifier.auth_type, verifier.level, verifier.context_id)
        self._contexts[verifier.context_id] = context
        if verifier.level == auth_layer.CONNECT and not self._connect_seen:
            self._implicit = context
        return context

    def _ack(
        self, ptype: PduType, flags: int, call_id: int, ack: BindAck, verifier: AuthVerifier | None
    ) -> None:
        self._out.append(pdu.frame(ptype, flags, call_id, ack.pack(), verifier))

    # --- proofs ---

    def _prove(
        self, context: SecurityContext, token: bytes, header: Header, answer: tuple[BindAck, int] | None
    ) -> None:
        ack, flags = answer or (None, 0)
        self._proving = (context, header, ack, flags)
        self._state = State.PROVING
        self._events.append(ProofStep(context, token))

    def _proved(self) -> tuple[SecurityContext, Header, BindAck | None, int]:
        if self._state is not State.PROVING or self._proving is None:
            raise LocalProtocolError("no proof is under way")
        proving, self._proving = self._proving, None
        self._state = State.OPEN
        return proving

    def proof_goes_on(self, token: bytes, *, complete: bool, protector: Protector | None = None) -> None:
        """The client's token was good. token: ours. protector: of a complete exchange.

        Then `receive(b"")` gives what waited behind it.
        """
        context, header, ack, flags = self._proved()
        if complete:
            context.finish(protector)
        if ack is None:  # an auth3 gets no answer, so nothing may be left to say
            context.invalid = not complete or bool(token)
            return
        ptype = PduType.BIND_ACK if header.ptype == PduType.BIND else PduType.ALTER_CONTEXT_RESP
        verifier = AuthVerifier(context.auth_type, context.level, context.context_id, token)
        self._ack(ptype, flags, header.call_id, ack, verifier)

    def proof_refused(
        self,
        why: str,
        *,
        unknown_type: bool = False,
        status: NcaStatus = NcaStatus.NCA_S_FAULT_ACCESS_DENIED,
    ) -> None:
        """The client's token was not good. unknown_type: nobody here judges tokens of its auth_type.

        status: of the fault that answers an alter_context.
        """
        context, header, _, _ = self._proved()
        context.invalid = True
        if header.ptype == PduType.BIND:
            reason = RejectReason.AUTH_TYPE_NOT_RECOGNIZED if unknown_type else RejectReason.INVALID_CHECKSUM
            self._nak(header.call_id, reason, why)
        elif header.ptype == PduType.ALTER_CONTEXT:
            self._violated(header.call_id, status, why, executed=False)
        # The first request in the context of an auth3 is told.

    def _auth3(self, header: Header, fragment: bytes) -> None:
        """Spec: [MS-RPCE] 2.2.2.10, 3.3.3.5.4."""
        call_id = header.call_id
        status = NcaStatus.NCA_PROTO_ERROR
        if header.is_sound and header.auth_length <= _TOKEN_MAX:
            if not header.auth_length:
                context: SecurityContext | None = self._default
                verifier = None
            else:
                verifier = AuthVerifier.of(fragment, header)
                context = self._contexts.get(verifier.context_id)
            if context is not None and not context.finished and not context.invalid:
                if verifier is not None and (refusal := _auth3_refusal(context, verifier, header)) is None:
                    self._prove(context, verifier.token, header, None)
                    return
                status = NcaStatus.NCA_S_FAULT_REMOTE_NO_MEMORY if verifier is None else refusal or status
        self._violated(call_id, status, "no good auth3", executed=False)

    # --- alter_context ---

    def _alter(self, header: Header, fragment: bytes) -> None:
        call_id = header.call_id
        try:
            if not header.is_sound:
                raise DecodeError("no sound header", 0, "alter_context")
            alter = Bind.unpack(fragment[pdu.HEADER_SIZE : header.body_end])
        except DecodeError as error:
            self._violated(call_id, NcaStatus.NCA_PROTO_ERROR, str(error), executed=False)
            return
        verifier = AuthVerifier.of(fragment, header) if header.auth_length else None
        context, status, later = self._alter_context(header, verifier)
        if status is not None:
            self._violated(call_id, status, "no good security trailer", executed=False)
            return
        found = presentation.negotiate(
            alter.contexts, self._endpoint.interfaces, self._presentations, features=False
        )
        if not alter.contexts or found is None:
            self._violated(call_id, NcaStatus.NCA_PROTO_ERROR, "no good presentation context", executed=False)
            return
        if context is None:
            self._violated(call_id, later, "another security context", executed=False)
            return
        flags = self._take_on(header, found)
        ack = BindAck(self._frag_max, self._frag_max, self._group_id, "", found.results)
        if verifier is None:
            self._ack(PduType.ALTER_CONTEXT_RESP, flags, call_id, ack, None)
        else:
            self._prove(context, verifier.token, header, (ack, flags))

    def _alter_context(
        self, header: Header, verifier: AuthVerifier | None
    ) -> tuple[SecurityContext | None, NcaStatus | None, NcaStatus]:
        """The security context that an alter_context begins or goes on with, or the fault that it earns.

        The first fault is earned at once, the second where there is neither a context nor a first, and only
        when its presentation contexts were looked at.
        """
        later = NcaStatus.NCA_S_FAULT_ACCESS_DENIED
        if verifier is None:
            return self._default, None, later
        context = self._contexts.get(verifier.context_id)
        if context is None:
            if len(self._contexts) >= SECURITY_CONTEXTS_MAX:
                return None, NcaStatus.NCA_PROTO_ERROR, later
            if _trailer_is_bad(verifier, header):
                return None, NcaStatus.NCA_PROTO_ERROR, later
            if verifier.level not in auth_layer.LEVELS:
                return None, NcaStatus.NCA_S_FAULT_ACCESS_DENIED, later
            return self._new_context(verifier), None, later
        same_type = context.auth_type == verifier.auth_type
        if not same_type or context.level != verifier.level:
            context.invalid = True
        if context.finished:
            return None, NcaStatus.NCA_S_FAULT_ACCESS_DENIED, later
        if _trailer_is_bad(verifier, header):
            return None, NcaStatus.NCA_PROTO_ERROR, later
        if context.invalid:
            if not verifier.auth_type:
                return None, NcaStatus.NCA_S_FAULT_ACCESS_DENIED, later
            return None, None, later if same_type else NcaStatus.NCA_S_FAULT_SEC_PKG_ERROR
        return context, None, later

    # --- requests ---

    def _request(self, header: Header, fragment: bytes) -> None:
        """One fragment of a request. Spec: [C706] 12.6.4.9, [MS-RPCE] 3.3.3.5.2."""
        call_id, flags = header.call_id, header.flags
        if header.auth_length and not header.is_sound:
            self._violated(call_id, NcaStatus.NCA_PROTO_ERROR, "no sound header", executed=False)
            return
        context, matches = self._context_of(header, fragment)
        if context is None:
            self._violated(call_id, NcaStatus.NCA_PROTO_ERROR, "too many security contexts", executed=False)
            return
        if context.started and not context.invalid and not context.finished:
            self._violated(call_id, NcaStatus.NCA_PROTO_ERROR, "an unfinished proof", executed=False)
            return
        try:
            request = Request.of(fragment, header)
        except DecodeError:
            request = None
        if request is None or not header.is_sound:
            self._violated(call_id, NcaStatus.NCA_PROTO_ERROR, "no sound header", executed=False)
            return
        if header.frag_length > self._endpoint.frag_max:
            self._violated(call_id, NcaStatus.NCA_PROTO_ERROR, "too long a fragment")
            return
        if flags & pdu.FIRST:
            self._first_fragment(header, fragment, request, context)
        else:
            self._later_fragment(header, fragment, request, matches=matches)

    def _context_of(self, header: Header, fragment: bytes) -> tuple[SecurityContext | None, bool]:
        """Whose a fragment is, and whether its trailer names that rightly; None where there are too many."""
        if not header.auth_length:
            return self._implicit or self._default, True
        end = header.body_end
        auth_type, level = fragment[end], fragment[end + 1]
        context_id = int.from_bytes(fragment[end + 4 : end + 8], "little")
        self._implicit = None
        if level == auth_layer.CONNECT:
            self._connect_seen = True
        elif level >= auth_layer.PKT:
            self._protected_seen = True
        context = self._contexts.get(context_id)
        if context is None:  # never begun, so nothing in it is good
            if len(self._contexts) >= SECURITY_CONTEXTS_MAX:
                return None, False
            context = self._contexts[context_id] = SecurityContext(0, auth_layer.NONE, context_id)
            context.invalid = True
            return context, False
        matches = context.auth_type == auth_type and context.level == level
        if not matches and header.flags & pdu.FIRST:
            context.invalid = True
        return context, matches

    def _first_fragment(
        self, header: Header, fragment: bytes, request: Request, context: SecurityContext
    ) -> None:
        call_id = header.call_id
        if self._pending and not self._multiplexed:
            self._violated(call_id, NcaStatus.NCA_PROTO_ERROR, "a call before the last was answered")
            return
        if self._partial is not None:
            self._between_fragments(header, request, context, self._partial)
            return
        if header.flags & Pfc.PENDING_CANCEL:
            status = NcaStatus.NCA_S_FAULT_NO_CALL_ACTIVE
            self._violated(call_id, status, "cancelled before it began", executed=False)
            return
        found = self._presentations.get(request.context_id)
        if found is None:
            self._send_fault(call_id, NcaStatus.NCA_UNK_IF, 0, executed=False)
            return
        if call_id in self._pending:
            self._violated(
                call_id, NcaStatus.NCA_PROTO_ERROR, "a call id in use", context_id=found.context_id
            )
            return
        stub = self._opened(header, fragment, request.size, context, found)
        if stub is None:
            return
        call = Incoming(
            call_id, request.opnum, found, context, request.object_id, stub, self._client_signs_headers
        )
        if header.flags & pdu.LAST:
            self._pending[call_id] = call
            self._events.append(call)
            return
        if request.alloc_hint > RPC_REQUEST_MAX or not self._reserve(len(stub)):
            status = NcaStatus.NCA_S_FAULT_ACCESS_DENIED
            self._violated(call_id, status, "too long a request", context_id=found.context_id)
            return
        self._partial = _Partial(call, [stub], len(stub))

    def _opened(
        self, header: Header, fragment: bytes, at: int, context: SecurityContext, found: Presentation
    ) -> bytes | None:
        """The stub of a fragment; None once the connection is over because it was not good."""
        status: int
        if context.invalid or not context.finished:
            status, why = NcaStatus.NCA_S_FAULT_ACCESS_DENIED, "no good security context"
        else:
            try:
                return context.open_stub(fragment, header, at, signed_header=self._client_signs_headers)
            except RefusedError as error:
                status, why = error.status, error.why
        self._violated(header.call_id, status, why, context_id=found.context_id)
        return None

    def _between_fragments(
        self, header: Header, request: Request, context: SecurityContext, partial: _Partial
    ) -> None:
        """A first fragment where another request still lacks its last."""
        old, call_id, context_id = partial.call, header.call_id, 0
        status = NcaStatus.NCA_PROTO_ERROR
        if old.call_id == call_id:
            context_id = old.presentation.context_id
            same = self._presentations.get(request.context_id) is old.presentation
            if context is not old.context and header.auth_length and same:
                status = NcaStatus.NCA_S_FAULT_SEC_PKG_ERROR
        if not self._multiplexed:
            call_id, context_id = old.call_id, old.presentation.context_id
        self._violated(call_id, status, "a request between the fragments of another", context_id=context_id)

    def _later_fragment(self, header: Header, fragment: bytes, request: Request, *, matches: bool) -> None:
        call_id, partial = header.call_id, self._partial
        if partial is None or partial.call.call_id != call_id:
            self._stray_fragment(header, request, matches=matches)
            return
        call = partial.call
        stub = self._opened(header, fragment, request.size, call.context, call.presentation)
        if stub is None:
            return
        left = RPC_REQUEST_MAX - partial.size
        if request.alloc_hint > left or len(stub) > left or not self._reserve(len(stub)):
            status = NcaStatus.NCA_S_FAULT_ACCESS_DENIED
            context_id = call.presentation.context_id
            self._violated(call_id, status, "too long a request", context_id=context_id)
            return
        partial.parts.append(stub)
        partial.size += len(stub)
        if header.flags & pdu.LAST:
            call.stub = b"".join(partial.parts)
            self._forget_partial()
            self._pending[call_id] = call
            self._events.append(call)

    def _stray_fragment(self, header: Header, request: Request, *, matches: bool) -> None:
        """A later fragment of no request that was begun."""
        call_id, context_id, partial = header.call_id, 0, self._partial
        status = NcaStatus.NCA_PROTO_ERROR
        if not self._multiplexed:
            if partial is not None:
                call_id, context_id = partial.call.call_id, partial.call.presentation.context_id
        elif partial is None:
            found = self._presentations.get(request.context_id)
            if found is None:
                self._send_fault(call_id, NcaStatus.NCA_UNK_IF, 0, executed=False)
                return
            context_id = found.context_id
            if not matches:
                status = NcaStatus.NCA_S_FAULT_ACCESS_DENIED
        self._violated(call_id, status, "a fragment of no request", context_id=context_id)


def _trailer_is_bad(verifier: AuthVerifier, header: Header) -> bool:
    """Spec: [MS-RPCE] 2.2.2.11; binds and their like have no padding to tell of."""
    return bool(header.body_end % 4 or verifier.pad_length)


def _bind_refusal(verifier: AuthVerifier, header: Header) -> RejectReason | None:
    """Why a bind's security trailer is not good."""
    if header.body_end % 4:
        return RejectReason.NOT_SPECIFIED
    if verifier.pad_length:
        return RejectReason.PROTOCOL_VERSION_NOT_SUPPORTED
    return None if verifier.level in auth_layer.LEVELS else RejectReason.NOT_SPECIFIED


def _auth3_refusal(context: SecurityContext, verifier: AuthVerifier, header: Header) -> NcaStatus | None:
    """Why an auth3's security trailer is not good; what Windows answers differs with the reason."""
    if header.body_end % 4:
        return NcaStatus.NCA_PROTO_ERROR
    if verifier.pad_length or (verifier.auth_type, verifier.level) != (context.auth_type, context.level):
        return NcaStatus.NCA_S_FAULT_REMOTE_NO_MEMORY
    return None
