"""A reader that cannot pass its end and a writer that closes its own lengths.

Every decoder of foreign bytes that walks a buffer by hand uses these; nothing else computes offsets.
"""

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from addc.base.errors import DecodeError

_U16LE: Final = struct.Struct("<H")
_U32LE: Final = struct.Struct("<I")
_U64LE: Final = struct.Struct("<Q")


class Reader:
    """Bounded cursor over bytes; every read names the field it is for."""

    __slots__ = ("data", "end", "pos")

    def __init__(self, data: bytes, pos: int = 0, end: int | None = None) -> None:
        self.data = data
        self.pos = pos
        self.end = len(data) if end is None else end
        assert 0 <= self.pos <= self.end <= len(data)

    def remaining(self) -> int:
        return self.end - self.pos

    def take(self, size: int, path: str) -> bytes:
        """The next `size` bytes."""
        pos = self.pos
        if size < 0 or size > self.end - pos:
            raise DecodeError(f"{size} bytes wanted, {self.end - pos} left", pos, path)
        self.pos = pos + size
        return self.data[pos : pos + size]

    def skip(self, size: int, path: str) -> None:
        if size < 0 or size > self.end - self.pos:
            raise DecodeError(f"{size} bytes wanted, {self.end - self.pos} left", self.pos, path)
        self.pos += size

    def u8(self, path: str) -> int:
        pos = self.pos
        if pos >= self.end:
            raise DecodeError("1 byte wanted, none left", pos, path)
        self.pos = pos + 1
        return self.data[pos]

    def u16(self, path: str) -> int:
        """Little-endian, as all of these."""
        return int(_U16LE.unpack(self.take(2, path))[0])

    def u32(self, path: str) -> int:
        return int(_U32LE.unpack(self.take(4, path))[0])

    def u64(self, path: str) -> int:
        return int(_U64LE.unpack(self.take(8, path))[0])

    def window(self, size: int, path: str) -> "Reader":
        """A reader of the next `size` bytes alone; this one steps over them."""
        pos = self.pos
        self.skip(size, path)
        return Reader(self.data, pos, pos + size)

    def finish(self, path: str) -> None:
        """Insist that all bytes were read."""
        if self.pos != self.end:
            raise DecodeError(f"{self.end - self.pos} bytes too many", self.pos, path)


class Writer:
    """Little-endian builder; `sized32`-style blocks fill their own length in."""

    __slots__ = ("out",)

    def __init__(self) -> None:
        self.out = bytearray()

    def __len__(self) -> int:
        return len(self.out)

    def put(self, data: bytes) -> None:
        self.out += data

    def u8(self, value: int) -> None:
        self.out.append(value)

    def u16(self, value: int) -> None:
        self.out += _U16LE.pack(value)

    def u32(self, value: int) -> None:
        self.out += _U32LE.pack(value)

    def u64(self, value: int) -> None:
        self.out += _U64LE.pack(value)

    def align(self, size: int) -> None:
        self.out += bytes(-len(self.out) % size)

    @contextmanager
    def sized16(self) -> Iterator[None]:
        """A 16-bit length, then what the block writes."""
        at = len(self.out)
        self.u16(0)
        yield
        _U16LE.pack_into(self.out, at, len(self.out) - at - 2)

    @contextmanager
    def sized32(self) -> Iterator[None]:
        """A 32-bit length, then what the block writes."""
        at = len(self.out)
        self.u32(0)
        yield
        _U32LE.pack_into(self.out, at, len(self.out) - at - 4)

    def bytes(self) -> bytes:
        return bytes(self.out)
