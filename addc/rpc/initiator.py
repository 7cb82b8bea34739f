"""The client's end of one connection: calls in, fragments out, answers back; no socket and no clock.

The first interface is bound, later ones by alter_context; a security context's further tokens go in
alter_context or, where they are the last of an odd number, in auth3. Calls may be outstanding beside each
other where the server agrees to that.

Spec: [C706] 9.3.2 (client), 12.6; [MS-RPCE] 3.3.1.5, 3.3.2.
"""

from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from addc.base.errors import DecodeError, LocalProtocolError
from addc.base.limits import RPC_RESPONSE_MAX
from addc.codec.interface import Interface
from addc.rpc import auth_layer, pdu
from addc.rpc.auth_layer import RefusedError, SecurityContext
from addc.rpc.pdu import (
    NDR32_SYNTAX,
    AuthVerifier,
    Bind,
    BindAck,
    BindNak,
    ContextElement,
    Fault,
    Header,
    PduType,
    Pfc,
    Request,
    Response,
    SyntaxId,
    Verdict,
)
from addc.rpc.verification import RequestFacts

_FRAG_MAX: Final = 5840


@dataclass(frozen=True, slots=True)
class Bound:
    """The server's answer to a bind or alter_context. taken: the interface is served. token: its proof's."""

    taken: bool
    token: bytes


@dataclass(frozen=True, slots=True)
class Nak:
    """The server refuses the bind."""

    reason: int


@dataclass(frozen=True, slots=True)
class Responded:
    """A call's answer."""

    call_id: int
    stub: bytes


@dataclass(frozen=True, slots=True)
class Faulted:
    """A call's, or an alter_context's, refusal."""

    call_id: int
    status: int


@dataclass(frozen=True, slots=True)
class Broken:
    """The server does what it may not; the connection is at its end."""

    why: str


Answer = Bound | Nak | Responded | Faulted | Broken


@dataclass(slots=True)
class _Outstanding:
    context: SecurityContext
    parts: list[bytes] = field(default_factory=list)
    size: int = 0


class RpcInitiator:
    """One connection. group_id: the server's association group, once bound."""

    def __init__(self) -> None:
        self.group_id = 0
        self._frag_max = _FRAG_MAX
        self._data = bytearray()
        self._out: list[bytes] = []
        self._next_call = 1
        self._contexts: dict[tuple[UUID, int], int] = {}
        self._bound = False
        self._signs_headers = False
        self._multiplexed = False
        self._binding: SecurityContext | None = None
        self._calls: dict[int, _Outstanding] = {}

    @property
    def is_multiplexed(self) -> bool:
        """Calls may go out before the last one was answered."""
        return self._multiplexed

    def bind(self, interface: Interface, context: SecurityContext, token: bytes) -> None:
        """Ask for an interface, with the first token of a security context unless its level is NONE.

        `group_id`, where it was set before the first bind, is the association group to join.
        """
        flags = pdu.WHOLE | Pfc.CONC_MPX
        if context.level >= auth_layer.PKT:
            flags |= Pfc.SUPPORT_HEADER_SIGN
        ptype = PduType.ALTER_CONTEXT if self._bound else PduType.BIND
        self._ask(ptype, flags, interface, context, token)

    def go_on(self, interface: Interface, context: SecurityContext, token: bytes, *, last: bool) -> None:
        """A further token of the same proof. last: no answer is expected (auth3)."""
        if not last:
            self._ask(PduType.ALTER_CONTEXT, pdu.WHOLE, interface, context, token)
            return
        verifier = AuthVerifier(context.auth_type, context.level, context.context_id, token)
        self._out.append(pdu.frame(PduType.AUTH3, pdu.WHOLE, self._take_id(), bytes(4), verifier))

    def _ask(
        self, ptype: PduType, flags: int, interface: Interface, context: SecurityContext, token: bytes
    ) -> None:
        number = self._contexts.setdefault((interface.uuid, interface.version[0]), len(self._contexts))
        element = ContextElement(number, _abstract(interface), (NDR32_SYNTAX,))
        body = Bind(self._frag_max, self._frag_max, self.group_id, (element,)).pack()
        verifier = None
        if context.level != auth_layer.NONE:
            verifier = AuthVerifier(context.auth_type, context.level, context.context_id, token)
        self._binding = context
        self._out.append(pdu.frame(ptype, flags, self._take_id(), body, verifier))

    def _take_id(self) -> int:
        call_id, self._next_call = self._next_call, self._next_call + 1 & 0xFFFF_FFFF
        return call_id

    def call(self, interface: Interface, context: SecurityContext, opnum: int, stub: bytes) -> int:
        """Send a request; its call id."""
        if self._calls and not self._multiplexed:
            raise LocalProtocolError("a call before the last was answered")
        call_id, number = self._take_id(), self._contexts[interface.uuid, interface.version[0]]
        if context.level >= auth_layer.PKT:
            facts = RequestFacts(
                self._signs_headers, _abstract(interface), NDR32_SYNTAX, call_id, number, opnum
            )
            stub += bytes(-len(stub) % 4) + facts.pack()

        def head(flags: int, frag_length: int, auth_length: int, left: int) -> bytes:
            return pdu.request_head(flags, frag_length, auth_length, call_id, Request(left, number, opnum))

        self._out += context.fragments(
            stub, head, pdu.REQUEST_SIZE, self._frag_max, signed_header=self._signs_headers
        )
        self._calls[call_id] = _Outstanding(context)
        return call_id

    def data_to_send(self) -> bytes:
        """What is to go out."""
        out, self._out = self._out, []
        return b"".join(out)

    def receive(self, data: bytes) -> list[Answer]:
        """What the octets come to; never raises because of them."""
        self._data += data
        found: list[Answer] = []
        buffer, at = self._data, 0
        while len(buffer) - at >= pdu.HEADER_SIZE:
            header = Header.read(buffer, at)
            size = header.frag_length
            if not header.is_sound or size < pdu.HEADER_SIZE:
                found.append(Broken("no sound header"))
                buffer.clear()
                return found
            if len(buffer) - at < size:
                break
            fragment = bytes(buffer[at : at + size])
            at += size
            try:
                answer = self._take(header, fragment)
            except DecodeError as error:
                answer = Broken(str(error))
            except RefusedError as error:
                answer = Broken(error.why)
            if answer is not None:
                found.append(answer)
        del buffer[:at]
        return found

    def _take(self, header: Header, fragment: bytes) -> Answer | None:
        body = fragment[pdu.HEADER_SIZE : header.body_end]
        match header.ptype:
            case PduType.RESPONSE:
                return self._response(header, fragment)
            case PduType.FAULT:
                self._calls.pop(header.call_id, None)
                return Faulted(header.call_id, Fault.unpack(body).status)
            case PduType.BIND_ACK | PduType.ALTER_CONTEXT_RESP:
                return self._acknowledged(header, fragment, BindAck.unpack(body))
            case PduType.BIND_NAK:
                return Nak(BindNak.unpack(body).reason)
            case PduType.SHUTDOWN:
                return None
        return Broken(f"a PDU of type {header.ptype}")

    def _acknowledged(self, header: Header, fragment: bytes, ack: BindAck) -> Answer:
        context, self._binding = self._binding, None
        if context is None:
            return Broken("an answer that nobody asked for")
        self._bound = True
        self.group_id = ack.assoc_group_id
        self._frag_max = max(min(ack.max_recv_frag, _FRAG_MAX), pdu.REQUEST_SIZE + 1024)
        self._multiplexed = self._multiplexed or bool(header.flags & Pfc.CONC_MPX)
        self._signs_headers = self._signs_headers or bool(header.flags & Pfc.SUPPORT_HEADER_SIGN)
        token = AuthVerifier.of(fragment, header).token if header.auth_length else b""
        return Bound(any(one.verdict == Verdict.ACCEPTANCE for one in ack.results), token)

    def _response(self, header: Header, fragment: bytes) -> Answer | None:
        call = self._calls.get(header.call_id)
        if call is None:
            return Broken("a response that nobody waits for")
        Response.of(fragment, header)
        stub = call.context.open_stub(fragment, header, pdu.REQUEST_SIZE, signed_header=self._signs_headers)
        call.size += len(stub)
        if call.size > RPC_RESPONSE_MAX:
            return Broken("too long a response")
        call.parts.append(stub)
        if not header.flags & Pfc.LAST_FRAG:
            return None
        del self._calls[header.call_id]
        return Responded(header.call_id, b"".join(call.parts))


def _abstract(interface: Interface) -> SyntaxId:
    return SyntaxId(interface.uuid, interface.version[0] | interface.version[1] << 16)
