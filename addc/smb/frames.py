"""Messages out of a byte stream: four octets of NetBIOS session service before each.

Spec: [MS-SMB2] 2.1, RFC 1002 4.3.
"""

from typing import Final

from addc.base.errors import DecodeError

HEAD_SIZE: Final = 4
_MESSAGE: Final = 0x00
_REQUEST: Final = 0x81
_KEEP_ALIVE: Final = 0x85
POSITIVE: Final = b"\x82\x00\x00\x00"
"""POSITIVE SESSION RESPONSE, for clients of port 139."""


def framed(size: int) -> bytes:
    """What precedes a message of this size."""
    return size.to_bytes(HEAD_SIZE, "big")


class Framer:
    """Cuts messages out of what comes. limit: of one message; it grows when the client is known.

    trusted: the client is known; until then room is made for what has come, not for what is announced.

    session_requests: how many were asked for that still wait for POSITIVE.
    """

    __slots__ = ("_filled", "_head", "_kind", "_message", "_size", "limit", "session_requests", "trusted")

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.session_requests = 0
        self.trusted = False
        self._size = 0
        self._head = b""
        self._kind = _MESSAGE
        self._message: bytearray | None = None
        self._filled = 0

    def receive(self, data: bytes) -> list[memoryview]:
        """The messages that `data` completes. Raises DecodeError; nothing good can follow then."""
        found: list[memoryview] = []
        view = memoryview(data)
        while view:
            if self._message is not None:
                view = self._fill(self._message, view, found)
                continue
            if self._head or len(view) < HEAD_SIZE:
                missing = HEAD_SIZE - len(self._head)
                self._head += bytes(view[:missing])
                view = view[missing:]
                if len(self._head) < HEAD_SIZE:
                    break
                head, self._head = self._head, b""
            else:
                head, view = bytes(view[:HEAD_SIZE]), view[HEAD_SIZE:]
            size = self._begun(head)
            if len(view) >= size:
                self._done(view[:size], found)
                view = view[size:]
            else:
                self._message, self._filled = bytearray(size if self.trusted else 0), 0
                self._size = size
        return found

    def _begun(self, head: bytes) -> int:
        self._kind = head[0]
        size = int.from_bytes(head[1:], "big")
        if self._kind not in (_MESSAGE, _REQUEST, _KEEP_ALIVE) or size > self.limit:
            raise DecodeError(f"a frame of kind {self._kind:#x} and {size} bytes", 0, "Frame")
        return size

    def _fill(self, message: bytearray, view: memoryview, found: list[memoryview]) -> memoryview:
        count = min(len(view), self._size - self._filled)
        message[self._filled : self._filled + count] = view[:count]
        self._filled += count
        if self._filled == self._size:
            self._message = None
            self._done(memoryview(message), found)
        return view[count:]

    def _done(self, message: memoryview, found: list[memoryview]) -> None:
        if self._kind == _MESSAGE:
            found.append(message)
        elif self._kind == _REQUEST:
            self.session_requests += 1
