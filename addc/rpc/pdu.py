"""The connection-oriented PDUs of DCE/RPC: each declared once, little-endian.

A fragment is a header, a body, and where `auth_length` says so a security trailer with a token at its end.
Bodies here are without either. Requests and responses are framed where their octets are protected
(auth_layer.py), because the header is signed with them.

Deviation: integers are little-endian in both directions. Clients that say anything else in `drep` are
refused like those of another version; none of those that join domains does.

Spec: [C706] 12.6, [MS-RPCE] 2.2.2.
"""

import struct
from dataclasses import dataclass
from enum import IntEnum, IntFlag
from typing import Final, NamedTuple, Self
from uuid import UUID

from addc.base.enums import OpenIntEnum
from addc.base.errors import DecodeError
from addc.codec.cursor import Reader, Writer

HEADER_SIZE: Final = 16
REQUEST_SIZE: Final = 24
"""Header and fixed part of a request without an object, and of a response."""
TRAILER_SIZE: Final = 8
OBJECT_SIZE: Final = 16
TRAILER_ALIGN: Final = 16
"""What stubs are padded to before a security trailer. Spec: [MS-RPCE] 2.2.2.11."""
VERSION: Final = 5
DREP: Final = 0x10
"""Little-endian, ASCII, IEEE."""
CONTEXTS_MAX: Final = 255

_HEADER: Final = struct.Struct("<BBBBIHHI")
_HEADER_V5: Final = struct.Struct("<HBBIHHI")
_REQUEST: Final = struct.Struct("<IHH")
_RESPONSE: Final = struct.Struct("<IHBB")
_FAULT: Final = struct.Struct("<IHBBII")
_TRAILER: Final = struct.Struct("<BBBBI")


class PduType(OpenIntEnum):
    """ptype. Spec: [C706] 12.6.3.1, [MS-RPCE] 2.2.2.5 (auth3)."""

    REQUEST = 0
    RESPONSE = 2
    FAULT = 3
    BIND = 11
    BIND_ACK = 12
    BIND_NAK = 13
    ALTER_CONTEXT = 14
    ALTER_CONTEXT_RESP = 15
    AUTH3 = 16
    SHUTDOWN = 17
    CO_CANCEL = 18
    ORPHANED = 19


class Pfc:
    """pfc_flags, as plain numbers: every fragment has them tested.

    Spec: [C706] 12.6.3.1, [MS-RPCE] 2.2.2.3.
    """

    FIRST_FRAG: Final = 0x01
    LAST_FRAG: Final = 0x02
    PENDING_CANCEL: Final = 0x04
    SUPPORT_HEADER_SIGN: Final = 0x04
    """The same bit, of binds and their answers."""
    CONC_MPX: Final = 0x10
    DID_NOT_EXECUTE: Final = 0x20
    MAYBE: Final = 0x40
    OBJECT_UUID: Final = 0x80


WHOLE: Final = 0x03
FIRST: Final = 0x01
LAST: Final = 0x02


class RejectReason(IntEnum):
    """provider_reject_reason of a bind_nak. Spec: [C706] 12.6.3.1, [MS-RPCE] 2.2.2.5."""

    NOT_SPECIFIED = 0
    TEMPORARY_CONGESTION = 1
    LOCAL_LIMIT_EXCEEDED = 2
    PROTOCOL_VERSION_NOT_SUPPORTED = 4
    AUTH_TYPE_NOT_RECOGNIZED = 8
    INVALID_CHECKSUM = 9


class Verdict(IntEnum):
    """p_cont_def_result_t. Spec: [C706] 12.6.3.1, [MS-RPCE] 2.2.2.4."""

    ACCEPTANCE = 0
    USER_REJECTION = 1
    PROVIDER_REJECTION = 2
    NEGOTIATE_ACK = 3


class ProviderReason(IntEnum):
    """p_provider_reason_t."""

    NOT_SPECIFIED = 0
    ABSTRACT_SYNTAX_NOT_SUPPORTED = 1
    TRANSFER_SYNTAXES_NOT_SUPPORTED = 2
    LOCAL_LIMIT_EXCEEDED = 3


class BindTimeFeature(IntFlag):
    """Spec: [MS-RPCE] 2.2.2.14."""

    SECURITY_CONTEXT_MULTIPLEXING = 1
    KEEP_CONNECTION_ON_ORPHAN = 2


@dataclass(frozen=True, slots=True)
class SyntaxId:
    """p_syntax_id_t: an interface or a transfer syntax. version: minor in the upper half."""

    uuid: UUID
    version: int

    @property
    def major(self) -> int:
        return self.version & 0xFFFF

    @property
    def minor(self) -> int:
        return self.version >> 16

    def pack(self) -> bytes:
        return self.uuid.bytes_le + self.version.to_bytes(4, "little")

    @classmethod
    def read(cls, reader: Reader, path: str) -> Self:
        return cls(UUID(bytes_le=reader.take(16, path)), reader.u32(path))


NO_SYNTAX: Final = SyntaxId(UUID(int=0), 0)
NDR32_SYNTAX: Final = SyntaxId(UUID("8a885d04-1ceb-11c9-9fe8-08002b104860"), 2)
NDR64_SYNTAX: Final = SyntaxId(UUID("71710533-beba-4937-8319-b5dbef9ccc36"), 1)
_FEATURES_PREFIX: Final = UUID("6cb71c2c-9812-4540-0000-000000000000").bytes_le[:8]


def bind_time_features(syntax: SyntaxId) -> int | None:
    """The features that a client asks for in the place of a transfer syntax; None where it is one.

    Spec: [MS-RPCE] 2.2.2.14, 3.3.1.5.3.
    """
    data = syntax.uuid.bytes_le
    if data[:8] != _FEATURES_PREFIX or syntax.version != 1:
        return None
    return int.from_bytes(data[8:], "little")


def features_syntax(features: int) -> SyntaxId:
    """The "transfer syntax" that asks for features."""
    return SyntaxId(UUID(bytes_le=_FEATURES_PREFIX + features.to_bytes(8, "little")), 1)


class Header(NamedTuple):
    """What every PDU begins with. version: minor in the upper octet. drep: all four octets."""

    version: int
    ptype: int
    flags: int
    drep: int
    frag_length: int
    auth_length: int
    call_id: int

    @classmethod
    def read(cls, data: bytes | bytearray, at: int = 0) -> Self:
        """The header at an offset, where 16 octets are to be."""
        return cls._make(_HEADER_V5.unpack_from(data, at))

    @property
    def is_sound(self) -> bool:
        """Version 5.0, little-endian, and a security trailer that fits in."""
        if self.version != VERSION or self.drep != DREP:
            return False
        return not self.auth_length or HEADER_SIZE + TRAILER_SIZE + self.auth_length <= self.frag_length

    @property
    def body_end(self) -> int:
        """Where the body ends in the fragment: at the security trailer, padding included, or its end."""
        return self.frag_length - self.auth_length - TRAILER_SIZE if self.auth_length else self.frag_length


@dataclass(frozen=True, slots=True)
class AuthVerifier:
    """sec_trailer with its token. Spec: [MS-RPCE] 2.2.2.11."""

    auth_type: int
    level: int
    context_id: int
    token: bytes
    pad_length: int = 0

    def pack(self) -> bytes:
        return trailer(self.auth_type, self.level, self.pad_length, self.context_id) + self.token

    @classmethod
    def of(cls, fragment: bytes, header: Header) -> Self:
        """That of a fragment; its header is sound and has an auth_length."""
        at = header.body_end
        auth_type, level, pad_length, _, context_id = _TRAILER.unpack_from(fragment, at)
        return cls(auth_type, level, context_id, fragment[at + TRAILER_SIZE :], pad_length)


def swapped(number: int) -> int:
    """A call id as a big-endian client means it."""
    return int.from_bytes(number.to_bytes(4, "little"), "big")


def trailer(auth_type: int, level: int, pad_length: int, context_id: int) -> bytes:
    """A sec_trailer without its token."""
    return _TRAILER.pack(auth_type, level, pad_length, 0, context_id)


@dataclass(frozen=True, slots=True)
class ContextElement:
    """p_cont_elem_t: a presentation context as the client proposes it."""

    context_id: int
    abstract: SyntaxId
    transfers: tuple[SyntaxId, ...]


@dataclass(frozen=True, slots=True)
class Bind:
    """bind and alter_context. Spec: [C706] 12.6.4.1, 12.6.4.3."""

    max_xmit_frag: int
    max_recv_frag: int
    assoc_group_id: int
    contexts: tuple[ContextElement, ...]

    def pack(self) -> bytes:
        w = Writer()
        w.u16(self.max_xmit_frag)
        w.u16(self.max_recv_frag)
        w.u32(self.assoc_group_id)
        w.u32(len(self.contexts))
        for element in self.contexts:
            w.u16(element.context_id)
            w.u16(len(element.transfers))
            w.put(element.abstract.pack())
            for syntax in element.transfers:
                w.put(syntax.pack())
        return w.bytes()

    @classmethod
    def unpack(cls, body: bytes) -> Self:
        """Octets behind the last context are padding."""
        r = Reader(body)
        xmit, recv, group = r.u16("max_xmit_frag"), r.u16("max_recv_frag"), r.u32("assoc_group_id")
        count = r.u32("p_context_elem.n_context_elem") & 0xFF
        return cls(xmit, recv, group, tuple(_read_element(r) for _ in range(count)))


def _read_element(r: Reader) -> ContextElement:
    context_id = r.u16("p_cont_id")
    count = r.u16("n_transfer_syn") & 0xFF
    abstract = SyntaxId.read(r, "abstract_syntax")
    return ContextElement(
        context_id, abstract, tuple(SyntaxId.read(r, "transfer_syntaxes") for _ in range(count))
    )


@dataclass(frozen=True, slots=True)
class ContextResult:
    """p_result_t. reason: of a rejection; the features granted, of Verdict.NEGOTIATE_ACK."""

    verdict: int
    reason: int = 0
    transfer: SyntaxId = NO_SYNTAX


@dataclass(frozen=True, slots=True)
class BindAck:
    """bind_ack and alter_context_resp. secondary: the port, or the pipe. Spec: [C706] 12.6.4.2, 12.6.4.4."""

    max_xmit_frag: int
    max_recv_frag: int
    assoc_group_id: int
    secondary: str
    results: tuple[ContextResult, ...]

    def pack(self) -> bytes:
        w = Writer()
        w.u16(self.max_xmit_frag)
        w.u16(self.max_recv_frag)
        w.u32(self.assoc_group_id)
        name = self.secondary.encode("ascii") + b"\0" if self.secondary else b""
        w.u16(len(name))
        w.put(name)
        w.align(4)
        w.u32(len(self.results))
        for result in self.results:
            w.u16(result.verdict)
            w.u16(result.reason)
            w.put(result.transfer.pack())
        return w.bytes()

    @classmethod
    def unpack(cls, body: bytes) -> Self:
        r = Reader(body)
        xmit, recv, group = r.u16("max_xmit_frag"), r.u16("max_recv_frag"), r.u32("assoc_group_id")
        name = r.take(r.u16("sec_addr.length"), "sec_addr").rstrip(b"\0")
        r.skip(-r.pos % 4, "pad2")
        count = r.u32("p_result_list.n_results") & 0xFF
        results = tuple(
            ContextResult(r.u16("result"), r.u16("reason"), SyntaxId.read(r, "transfer_syntax"))
            for _ in range(count)
        )
        return cls(xmit, recv, group, name.decode("ascii", "replace"), results)


@dataclass(frozen=True, slots=True)
class BindNak:
    """bind_nak; the one version that is spoken stands in it. Spec: [C706] 12.6.4.5."""

    reason: int

    def pack(self) -> bytes:
        return self.reason.to_bytes(2, "little") + bytes((1, VERSION, 0, 0, 0, 0))

    @classmethod
    def unpack(cls, body: bytes) -> Self:
        return cls(Reader(body).u16("provider_reject_reason"))


@dataclass(frozen=True, slots=True)
class Fault:
    """fault. Spec: [C706] 12.6.4.7."""

    context_id: int
    status: int
    flags: int = 0
    alloc_hint: int = 32

    def pack(self) -> bytes:
        return _FAULT.pack(self.alloc_hint, self.context_id, 0, self.flags, self.status, 0)

    @classmethod
    def unpack(cls, body: bytes) -> Self:
        if len(body) < _FAULT.size - 4:
            raise DecodeError("ends too early", len(body), "fault")
        alloc_hint, context_id, _, flags, status = struct.unpack_from("<IHBBI", body)
        return cls(context_id, status, flags, alloc_hint)


@dataclass(frozen=True, slots=True)
class Request:
    """The fixed part of a request. Spec: [C706] 12.6.4.9."""

    alloc_hint: int
    context_id: int
    opnum: int
    object_id: UUID | None = None

    @property
    def size(self) -> int:
        """With the header: where the stub begins."""
        return REQUEST_SIZE if self.object_id is None else REQUEST_SIZE + OBJECT_SIZE

    def pack(self) -> bytes:
        fixed = _REQUEST.pack(self.alloc_hint, self.context_id, self.opnum)
        return fixed if self.object_id is None else fixed + self.object_id.bytes_le

    @classmethod
    def of(cls, fragment: bytes, header: Header) -> Self:
        """That of a fragment with a sound header."""
        end = header.body_end
        has_object = header.flags & Pfc.OBJECT_UUID
        if end < (REQUEST_SIZE + OBJECT_SIZE if has_object else REQUEST_SIZE):
            raise DecodeError("ends too early", end, "request")
        alloc_hint, context_id, opnum = _REQUEST.unpack_from(fragment, HEADER_SIZE)
        if not has_object:
            return cls(alloc_hint, context_id, opnum)
        return cls(alloc_hint, context_id, opnum, UUID(bytes_le=fragment[REQUEST_SIZE : REQUEST_SIZE + 16]))


@dataclass(frozen=True, slots=True)
class Response:
    """The fixed part of a response. Spec: [C706] 12.6.4.10."""

    alloc_hint: int
    context_id: int

    @classmethod
    def of(cls, fragment: bytes, header: Header) -> Self:
        if header.body_end < REQUEST_SIZE:
            raise DecodeError("ends too early", header.body_end, "response")
        alloc_hint, context_id, _, _ = _RESPONSE.unpack_from(fragment, HEADER_SIZE)
        return cls(alloc_hint, context_id)


def response_head(
    flags: int, frag_length: int, auth_length: int, call_id: int, fixed: tuple[int, int]
) -> bytes:
    """Header and fixed part of a response. fixed: alloc_hint and context id, of which an octet goes out.

    Deviation: Windows sends the low octet of the context id alone, and so does this.
    """
    head = _HEADER.pack(VERSION, 0, PduType.RESPONSE, flags, DREP, frag_length, auth_length, call_id)
    return head + _RESPONSE.pack(fixed[0], fixed[1] & 0xFF, 0, 0)


def request_head(flags: int, frag_length: int, auth_length: int, call_id: int, fixed: Request) -> bytes:
    """Header and fixed part of a request."""
    if fixed.object_id is not None:
        flags |= Pfc.OBJECT_UUID
    head = _HEADER.pack(VERSION, 0, PduType.REQUEST, flags, DREP, frag_length, auth_length, call_id)
    return head + fixed.pack()


def frame(ptype: int, flags: int, call_id: int, body: bytes, verifier: AuthVerifier | None = None) -> bytes:
    """A whole PDU in one fragment; the body is padded to 4 before a security trailer."""
    if verifier is None:
        size = HEADER_SIZE + len(body)
        return _HEADER.pack(VERSION, 0, ptype, flags, DREP, size, 0, call_id) + body
    body += bytes(-len(body) % 4)
    tail = verifier.pack()
    size = HEADER_SIZE + len(body) + len(tail)
    head = _HEADER.pack(VERSION, 0, ptype, flags, DREP, size, len(verifier.token), call_id)
    return head + body + tail
