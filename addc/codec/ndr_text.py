"""Kinds of text and of security identifiers.

Spec: [C706] 14.3.4, [MS-RPCE] 2.2.5.3.3, [MS-DTYP] 2.3.10, 2.4.2.3.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from addc.base.errors import DecodeError, LocalProtocolError
from addc.base.limits import NDR_ITEMS_MAX, SID_SUBAUTHORITIES_MAX
from addc.codec.ids import Sid
from addc.codec.ndr_arrays import code_units
from addc.codec.ndr_kinds import Kind
from addc.codec.ndr_plan import Emitter, Fixed, NdrReader, Shape, Step, Syntax

_HEADS: Final = (struct.Struct("<III"), struct.Struct("<QQQ"))
"""Maximum count, offset, actual count."""
_ENCODINGS: Final = {1: "utf-8", 2: "utf-16-le"}
"""Of text by octets of its units."""


@dataclass(frozen=True)
class UnicodeString(Kind):
    """RPC_UNICODE_STRING ([MS-DTYP] 2.3.10): str, or None for a null buffer.

    room: bytes that MaximumLength exceeds Length by.
    """

    room: int = 0

    def align(self, syntax: Syntax) -> int:
        return 8 if syntax else 4

    def shape(self, e: Emitter, x: str, wrap: str = "") -> Shape:
        b, n, p, u = e.temp("b"), e.temp("n"), e.temp("p"), e.temp("u")
        ln, mx, word = e.temp("l"), e.temp("m"), e.word_size
        head, take = e.const(_HEADS[e.syntax]), e.const(_BUFFERS[e.syntax])
        prep = [
            f"{b} = {x}",
            f"if {b} is None:",
            f"    {n} = {mx} = 0",
            "else:",
            f'    {b} = {b}.encode("utf-16-le", "surrogatepass")',
            f"    {n} = len({b})",
            f"    {mx} = {n} + {self.room}",
        ]
        assign = [f"{p} = 0", f"if {b} is not None:", f"    {p} = w.ref = w.ref + 4"]
        rest = [
            f"if {b} is not None:",
            f"    out += PAD[-len(out) & {word - 1}]",
            f"    out += {head}.pack({mx} >> 1, 0, {n} >> 1)",
            f"    out += {b}",
        ]
        load = [f'{u} = {take}(r, {ln}, {mx}, {u}, "{e.path}")']
        steps: list[Fixed | Step] = [
            Fixed("H", 2, word, n, ln),
            Fixed("H", 2, 2, mx, mx),
            Fixed(e.word, word, word, p, u),
        ]
        return Shape(steps, prep, assign, rest, load, u)


UNICODE_STRING: Final = UnicodeString()
STRING_LARGE: Final = UnicodeString(room=2)
"""An RPC_UNICODE_STRING whose buffer has room for a NUL that is not sent, as Windows makes most of them."""

_Buffer = Callable[[NdrReader, int, int, int, str], str | None]


def _buffer_reader(syntax: Syntax) -> _Buffer:
    head, align = _HEADS[syntax], 7 if syntax else 3

    def take(r: NdrReader, length: int, maximum: int, referent: int, path: str) -> str | None:
        """What an RPC_UNICODE_STRING's Buffer refers to."""
        if not referent:
            if length:
                raise DecodeError("a length without a buffer", r.pos, path)
            return None
        r.pos += -r.pos & align
        size, offset, actual = head.unpack_from(r.data, r.pos)
        r.pos += head.size
        if length & 1 or offset or actual * 2 != length or actual > size or size * 2 > maximum + 1:
            raise DecodeError("lengths of a string disagree", r.pos, path)
        return r.take(length, path).decode("utf-16-le", "surrogatepass")

    return take


_BUFFERS: Final = (_buffer_reader(Syntax.NDR32), _buffer_reader(Syntax.NDR64))


@dataclass(frozen=True)
class _Sid(Kind):
    """RPC_SID ([MS-DTYP] 2.4.2.3): its sub-authorities are a conformant array."""

    def align(self, syntax: Syntax) -> int:
        return 4

    def shape(self, e: Emitter, x: str, wrap: str = "") -> Shape:
        n, t, take = e.temp("n"), e.temp(), e.const(_take_sid)
        step = Step([f"out += {x}"], [f'{t} = {take}(r, {n}, "{e.path}")'], [t])
        return Shape([step], value=t, conform=f"{x}[1]", conform_to=n)


SID: Final = _Sid()


def _take_sid(r: NdrReader, count: int, path: str) -> Sid:
    if count > SID_SUBAUTHORITIES_MAX:
        raise DecodeError("a SID of too many sub-authorities", r.pos, path)
    return Sid.of(r.take(8 + 4 * count, path))


@dataclass(frozen=True)
class _Text(Kind):
    """[string]: conformant, varying, ends with a NUL that the value does not hold.

    size: where the maximum count is not that of the text: a number, or the member that holds it.
    """

    limit: int = NDR_ITEMS_MAX
    size: str | int = ""

    def align(self, syntax: Syntax) -> int:
        return 8 if syntax else 4

    def argument(self, owner: str, x: str) -> str:
        if self.size == "":
            return x
        return f"({x}, {self.size})" if isinstance(self.size, int) else f"({x}, {owner}.{self.size} or 0)"

    def shape(self, e: Emitter, x: str, wrap: str = "") -> Shape:
        t, put, take = e.temp(), e.const(_WRITERS[e.syntax]), e.const(_READERS[e.syntax])
        width = 2 if isinstance(self, WideString) else 1
        given = f"{x}, 0" if self.size == "" else f"*{x}"
        step = Step(
            [f"{put}(out, {width}, {given})"], [f'{t} = {take}(r, {width}, {self.limit}, "{e.path}")'], [t]
        )
        return Shape([step], value=t)


@dataclass(frozen=True)
class WideString(_Text):
    """[string] wchar_t *."""

    def length(self, e: Emitter, x: str) -> str:
        return f"{e.const(code_units)}({x}) + 1"


@dataclass(frozen=True)
class NarrowString(_Text):
    """[string] char *, in UTF-8."""

    def length(self, e: Emitter, x: str) -> str:
        return f'len({x}.encode("utf-8", "surrogatepass")) + 1'


WSTRING: Final = WideString()
STRING: Final = NarrowString()


def _text_writer(syntax: Syntax) -> Callable[[bytearray, int, str, int], None]:
    head, align = _HEADS[syntax], 7 if syntax else 3

    def put(out: bytearray, width: int, text: str, size: int) -> None:
        data = text.encode(_ENCODINGS[width], "surrogatepass") + bytes(width)
        count = len(data) // width
        out += bytes(-len(out) & align)
        out += head.pack(max(size, count), 0, count)
        out += data

    return put


def _text_reader(syntax: Syntax) -> Callable[[NdrReader, int, int, str], str]:
    head, align = _HEADS[syntax], 7 if syntax else 3

    def take(r: NdrReader, width: int, limit: int, path: str) -> str:
        r.pos += -r.pos & align
        size, offset, actual = head.unpack_from(r.data, r.pos)
        r.pos += head.size
        if offset or actual > size or not actual:
            raise DecodeError("lengths of a string disagree", r.pos, path)
        data = r.take(r.count(actual, width, limit, path) * width, path)
        if any(data[-width:]):
            raise DecodeError("a string without its NUL", r.pos, path)
        return data[:-width].decode(
            "utf-16-le" if width == 2 else "utf-8", "surrogatepass" if width == 2 else "strict"
        )

    return take


_WRITERS: Final = (_text_writer(Syntax.NDR32), _text_writer(Syntax.NDR64))
_READERS: Final = (_text_reader(Syntax.NDR32), _text_reader(Syntax.NDR64))


@dataclass(frozen=True)
class FixedText(Kind):
    """wchar_t[size], or char[size] in UTF-8: text, filled up with NULs; behind the first nothing is read."""

    size: int
    width: int = 2

    def align(self, syntax: Syntax) -> int:
        return self.width

    def shape(self, e: Emitter, x: str, wrap: str = "") -> Shape:
        t, put, take = e.temp(), e.const(_fixed_text), e.const(_from_fixed_text)
        size = self.size * self.width
        argument = f'{put}({x}, {self.width}, {size}, "{e.path}")'
        return Shape([Fixed(f"{size}s", size, self.width, argument, t)], value=f"{take}({t}, {self.width})")


def _fixed_text(text: str, width: int, size: int, path: str) -> bytes:
    data = text.encode(_ENCODINGS[width], "surrogatepass")
    if len(data) > size:
        raise LocalProtocolError(f"{path}: longer than its room")
    return data


def _from_fixed_text(data: bytes, width: int) -> str:
    if width == 1:
        return data.partition(b"\0")[0].decode()
    return data.decode("utf-16-le", "surrogatepass").partition("\0")[0]
