"""The verification trailer: what a client signed of its bind and header, where those travel unsigned.

It follows the parameters of a request, aligned to 4, so it is found once they are unpacked.

Spec: [MS-RPCE] 2.2.2.13, 3.3.1.5.2.2 (server), 3.2.1.4.1.1 (client).
"""

import struct
from dataclasses import dataclass
from typing import Final

from addc.rpc.pdu import DREP, PduType, SyntaxId

MAGIC: Final = bytes.fromhex("8ae3137102f43671")
_COMMAND: Final = struct.Struct("<HH")
_HEADER2: Final = struct.Struct("<BBHIIHH")
_KIND: Final = 0x3FFF
_END: Final = 0x4000
_MUST_PROCESS: Final = 0x8000
_BITMASK1: Final = 1
_PCONTEXT: Final = 2
_HEADER2_KIND: Final = 3
_CLIENT_SUPPORTS_HEADER_SIGNING: Final = 1


@dataclass(frozen=True, slots=True)
class RequestFacts:
    """What the receiver saw of a request. header_signing: the client said in a bind that it can."""

    header_signing: bool
    abstract: SyntaxId
    transfer: SyntaxId
    call_id: int
    context_id: int
    opnum: int

    def _expected(self, kind: int) -> bytes | None:
        if kind == _PCONTEXT:
            return self.abstract.pack() + self.transfer.pack()
        if kind == _HEADER2_KIND:
            return _HEADER2.pack(PduType.REQUEST, 0, 0, DREP, self.call_id, self.context_id, self.opnum)
        return None

    def is_confirmed_by(self, rest: bytes) -> bool:
        """Whether what follows the parameters agrees; it does where there is no trailer at all.

        rest: the octets behind the last parameter.
        """
        at, seen = rest.find(MAGIC) + len(MAGIC), set[int]()
        if at < len(MAGIC):
            return True
        while at + 4 <= len(rest):
            command, length = _COMMAND.unpack_from(rest, at)
            value, at = rest[at + 4 : at + 4 + length], at + 4 + length
            kind = command & _KIND
            if at > len(rest) or length % 4 or kind in seen or not self._agrees(kind, command, value):
                return False
            if command & _END:
                return True
            seen.add(kind)
        return False

    def _agrees(self, kind: int, command: int, value: bytes) -> bool:
        if kind == _BITMASK1:
            if len(value) != 4:
                return False
            return self.header_signing or not value[0] & _CLIENT_SUPPORTS_HEADER_SIGNING
        expected = self._expected(kind)
        if expected is None:
            return not command & _MUST_PROCESS
        if kind == _HEADER2_KIND:  # reserved octets, whatever is in them
            return value[:1] + value[4:] == expected[:1] + expected[4:]
        return value == expected

    def pack(self) -> bytes:
        """The trailer that says all of it."""
        commands = (
            (_BITMASK1, int(self.header_signing).to_bytes(4, "little")),
            (_PCONTEXT, self._expected(_PCONTEXT) or b""),
            (_HEADER2_KIND | _END, self._expected(_HEADER2_KIND) or b""),
        )
        return MAGIC + b"".join(_COMMAND.pack(kind, len(value)) + value for kind, value in commands)
