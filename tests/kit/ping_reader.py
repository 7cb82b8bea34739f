"""A client's reading of a ping's answer, written from the documents and not from our writer.

Deviation: the pseudo-code of [MS-ADTS] 6.3.7 steps back behind a pointer after one label; the answers of
Windows itself only make sense when the name is read to its end first, as RFC 1035 4.1.4 has it.
"""

import struct
from dataclasses import dataclass


class Undecodable(Exception):
    """The client would discard the answer."""


@dataclass
class PingReader:
    """The bytes of one answer and how far they were read."""

    data: bytes
    at: int = 0

    def number(self, kind: str) -> int:
        size = struct.calcsize(kind)
        (value,) = struct.unpack_from("<" + kind, self.data, self.at)
        self.at += size
        return int(value)

    def raw(self, size: int) -> bytes:
        found = self.data[self.at : self.at + size]
        if len(found) != size:
            raise Undecodable("short")
        self.at += size
        return found

    def unicode(self) -> str:
        """A null-terminated UTF-16 text."""
        end = self.at
        while self.data[end : end + 2] != b"\0\0":
            end += 2
        found = self.data[self.at : end].decode("utf-16-le")
        self.at = end + 2
        return found

    def name(self) -> str:
        """A compressed name: any byte with one of the two high bits is a pointer of one byte's reach."""
        labels: list[bytes] = []
        back, at = 0, self.at
        for _ in range(len(self.data)):
            if at >= len(self.data):
                raise Undecodable("behind the end")
            size = self.data[at]
            if size == 0:
                self.at = back or at + 1
                return b".".join(labels).decode()
            if size & 0xC0:
                back = back or at + 2
                at = self.data[at + 1]
            elif size + at >= len(self.data):
                raise Undecodable("label behind the end")
            else:
                labels.append(self.data[at + 1 : at + 1 + size])
                at += 1 + size
        raise Undecodable("a loop")

    def end(self, version: int) -> None:
        """NtVersion and the two tokens, and nothing behind them."""
        assert (self.number("I"), self.number("H"), self.number("H")) == (version, 0xFFFF, 0xFFFF)
        assert self.at == len(self.data)
