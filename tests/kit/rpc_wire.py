"""Both ends of an RPC connection in memory: what clients write, and a protector that only adds a mark.

A server's engine is fed octets; what it sends is read back as PDUs.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from addc.base.errors import DecodeError
from addc.codec.interface import interface
from addc.rpc import pdu
from addc.rpc.engine import Endpoint, Event, Incoming, ProofStep, RpcEngine, Violation
from addc.rpc.pdu import (
    NDR32_SYNTAX,
    AuthVerifier,
    Bind,
    ContextElement,
    Fault,
    Header,
    PduType,
    Request,
    SyntaxId,
)

TOY: Final = interface("toy", "11111111-2222-3333-4444-555555555555", (1, 0))
ABSTRACT: Final = SyntaxId(TOY.uuid, 1)
GROUP: Final = 77
MARK: Final = b"signed by nobody"


class Marks:
    """A protector: sealing turns octets over, a signature is a mark and a sum."""

    signs_headers = False

    def protect(self, before: bytes, data: bytes, after: bytes, *, seal: bool) -> tuple[bytes, bytes]:
        token = MARK[:12] + (sum(before + data + after) & 0xFFFF_FFFF).to_bytes(4, "little")
        return (bytes(octet ^ 0xFF for octet in data) if seal else data), token

    def unprotect(self, before: bytes, data: bytes, after: bytes, token: bytes, *, seal: bool) -> bytes:
        plain = bytes(octet ^ 0xFF for octet in data) if seal else data
        if token != self.protect(before, plain, after, seal=False)[1]:
            raise DecodeError("changed on its way")
        return plain

    def signature_size(self, *, seal: bool) -> int:
        del seal
        return 16


def bind_body(*elements: ContextElement, group_id: int = 0, frag_max: int = 5840) -> bytes:
    found = elements or (ContextElement(0, ABSTRACT, (NDR32_SYNTAX,)),)
    return Bind(frag_max, frag_max, group_id, found).pack()


def bind(
    *elements: ContextElement, flags: int = 0, call_id: int = 1, verifier: AuthVerifier | None = None
) -> bytes:
    return pdu.frame(PduType.BIND, pdu.WHOLE | flags, call_id, bind_body(*elements), verifier)


def alter(
    *elements: ContextElement, flags: int = 0, call_id: int = 2, verifier: AuthVerifier | None = None
) -> bytes:
    return pdu.frame(PduType.ALTER_CONTEXT, pdu.WHOLE | flags, call_id, bind_body(*elements), verifier)


def request(
    stub: bytes = b"stub",
    *,
    call_id: int = 3,
    flags: int = pdu.WHOLE,
    context_id: int = 0,
    alloc_hint: int = 0,
) -> bytes:
    """A request without a security trailer."""
    fixed = Request(alloc_hint, context_id, 0)
    return pdu.request_head(flags, pdu.REQUEST_SIZE + len(stub), 0, call_id, fixed) + stub


@dataclass
class Wire:
    """An engine, and what came of the octets that it was fed."""

    engine: RpcEngine
    events: list[Event] = field(default_factory=list)
    memory: int = 0

    def feed(self, data: bytes) -> list[tuple[Header, bytes]]:
        """What the engine sends back at once."""
        self.events += self.engine.receive(data)
        return list(sent(self.engine.data_to_send()))

    def feed_only(self, data: bytes) -> None:
        """Octets whose answers are looked at later."""
        self.events += self.engine.receive(data)

    @property
    def calls(self) -> list[Incoming]:
        return [event for event in self.events if isinstance(event, Incoming)]

    @property
    def steps(self) -> list[ProofStep]:
        return [event for event in self.events if isinstance(event, ProofStep)]

    @property
    def is_over(self) -> bool:
        return isinstance(self.events[-1], Violation) if self.events else False


def sent(data: bytes) -> Iterator[tuple[Header, bytes]]:
    """The fragments in what was sent."""
    at = 0
    while at < len(data):
        header = Header.read(data, at)
        assert header.is_sound and at + header.frag_length <= len(data)
        yield header, data[at : at + header.frag_length]
        at += header.frag_length


def fault_of(answers: list[tuple[Header, bytes]]) -> tuple[int, int, int, int]:
    """Status, flags, call id and context id of the one fault that was sent."""
    ((header, fragment),) = answers
    assert header.ptype == PduType.FAULT
    fault = Fault.unpack(fragment[16:])
    return fault.status, header.flags, header.call_id, fault.context_id


def wire(*, frag_max: int = 5840, memory: int = 1 << 30) -> Wire:
    """A connection that nobody has bound yet, to an endpoint that serves TOY."""
    made = Wire.__new__(Wire)

    def join(group_id: int) -> int | None:
        return GROUP if group_id in (0, GROUP) else None

    def reserve(size: int) -> bool:
        if size > made.memory:
            return False
        made.memory -= size
        return True

    endpoint = Endpoint({(TOY.uuid, 1): TOY}, frag_max, "135")
    made.__init__(RpcEngine(endpoint, join, reserve), [], memory)  # type: ignore[misc]
    return made
