"""What protects the fragments of one RPC security context: signing and sealing, at the level agreed.

Without header signing the stub alone is signed; with it the header before and the trailer behind as well.
Each packet protected (PKT) means the same as its octets protected.

Spec: [MS-RPCE] 2.2.1.1.8, 2.2.2.11, 2.2.2.12, 3.3.1.5.2.2; [C706] 13.
"""

from collections.abc import Callable
from typing import Final, Protocol

from addc.base.errors import AddcError, LocalProtocolError
from addc.codes.nca import NcaStatus
from addc.rpc import pdu
from addc.rpc.pdu import Header

CONNECT: Final = 2
PKT: Final = 4
INTEGRITY: Final = 5
PRIVACY: Final = 6
NONE: Final = 1
LEVELS: Final = range(CONNECT, PRIVACY + 1)


class Protector(Protocol):
    """What a mechanism does once it is complete; the exchanges of addc/auth have this shape.

    signs_headers: its signatures cover the header even where that was not agreed.
    """

    @property
    def signs_headers(self) -> bool: ...

    def protect(self, before: bytes, data: bytes, after: bytes, *, seal: bool) -> tuple[bytes, bytes]: ...

    def unprotect(self, before: bytes, data: bytes, after: bytes, token: bytes, *, seal: bool) -> bytes: ...

    def signature_size(self, *, seal: bool) -> int: ...


class RefusedError(AddcError):
    """A fragment is not what its security context lets through. status: of the fault."""

    def __init__(self, status: NcaStatus, why: str) -> None:
        super().__init__(status, why)
        self.status = status
        self.why = why


class SecurityContext:
    """One security context of a connection. level: NONE and auth_type 0 for what comes without a trailer.

    finished: the proof is good. invalid: nothing comes through any more. who: for the service, what it knows
    of the client.
    """

    __slots__ = (
        "_seals", "_signs", "auth_type", "context_id", "finished", "invalid", "level", "protector", "who",
    )  # fmt: skip

    def __init__(self, auth_type: int, level: int, context_id: int) -> None:
        self.auth_type = auth_type
        self.level = level
        self.context_id = context_id
        self.finished = False
        self.invalid = False
        self.protector: Protector | None = None
        self.who: object = None
        self._signs = level >= PKT
        self._seals = level == PRIVACY

    @property
    def started(self) -> bool:
        """A proof was begun, or none is needed."""
        return self.finished or self.level != NONE

    def finish(self, protector: Protector | None) -> None:
        """The proof is good."""
        if self._signs and protector is None:
            raise LocalProtocolError("a protected level without what protects")
        self.protector = protector
        self.finished = True

    # --- what comes ---

    def open_stub(self, fragment: bytes, header: Header, at: int, *, signed_header: bool) -> bytes:
        """The stub of a fragment, which begins at an offset. Raises RefusedError.

        Whether the trailer names this context is for the caller, who found the context by it.
        """
        if not header.auth_length:
            if self._signs:
                raise RefusedError(NcaStatus.NCA_PROTO_ERROR, "an unprotected fragment")
            return fragment[at:]
        if self.level == NONE:
            raise RefusedError(NcaStatus.NCA_S_FAULT_ACCESS_DENIED, "a trailer of no security context")
        end = header.body_end
        if end % 4:
            raise RefusedError(NcaStatus.NCA_PROTO_ERROR, "a security trailer that is not aligned")
        pad_length = fragment[end + 2]
        if pad_length > end - at:
            raise RefusedError(NcaStatus.NCA_PROTO_ERROR, "more padding than stub")
        data = fragment[at:end]
        if self._signs:
            data = self._unprotected(fragment, data, at, end, signed_header)
        return data[: len(data) - pad_length] if pad_length else data

    def _unprotected(self, fragment: bytes, data: bytes, at: int, end: int, signed_header: bool) -> bytes:
        assert self.protector is not None
        token_at = end + pdu.TRAILER_SIZE
        covers_all = signed_header or self.protector.signs_headers
        before, after = (fragment[:at], fragment[end:token_at]) if covers_all else (b"", b"")
        try:
            return self.protector.unprotect(before, data, after, fragment[token_at:], seal=self._seals)
        except AddcError as error:
            raise RefusedError(NcaStatus.NCA_S_FAULT_SEC_PKG_ERROR, str(error)) from None

    # --- what goes ---

    def fragments(
        self, stub: bytes, head: "Head", head_size: int, frag_max: int, *, signed_header: bool
    ) -> list[bytes]:
        """The fragments that carry a stub, none longer than frag_max. head_size: of what `head` makes."""
        protector = self.protector if self._signs else None
        signature_size, room = 0, frag_max - head_size
        if protector is not None:
            signature_size = protector.signature_size(seal=self._seals)
            room -= pdu.TRAILER_SIZE + signature_size
        room &= ~(pdu.TRAILER_ALIGN - 1)
        out, at, left, flags = [], 0, len(stub), pdu.FIRST
        while True:
            part = stub if left <= room and not at else stub[at : at + room]
            if left <= room:
                flags |= pdu.LAST
            if protector is None:
                out.append(head(flags, head_size + len(part), 0, left) + part)
            else:
                pad_length = -len(part) & (pdu.TRAILER_ALIGN - 1)
                data = part + bytes(pad_length)
                frag_length = head_size + len(data) + pdu.TRAILER_SIZE + signature_size
                before = head(flags, frag_length, signature_size, left)
                after = pdu.trailer(self.auth_type, self.level, pad_length, self.context_id)
                if signed_header or protector.signs_headers:
                    travels, token = protector.protect(before, data, after, seal=self._seals)
                else:
                    travels, token = protector.protect(b"", data, b"", seal=self._seals)
                if len(token) != signature_size:
                    raise LocalProtocolError("a signature of another size than was said")
                out.append(before + travels + after + token)
            if left <= room:
                return out
            at, left, flags = at + room, left - room, 0


Head = Callable[[int, int, int, int], bytes]
"""Makes a fragment's header and fixed part of: flags, frag_length, auth_length, octets of stub left."""
