"""The LZ77+Huffman variant of Xpress compression, in which Windows packs sets of claims.

Spec: [MS-XCA] 2.1 (compression), 2.2 (decompression).
"""

import heapq
import struct
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from addc.base.errors import DecodeError

_SYMBOLS: Final = 512
_TABLE_SIZE: Final = 256
_CODE_BITS_MAX: Final = 15
_BLOCK: Final = 65_536
_END: Final = 256
_MATCH_MIN: Final = 3
_MATCH_MAX: Final = 65_535
_OFFSET_MAX: Final = 65_535
_PATH: Final = "xpress"
_U16: Final = struct.Struct("<H")


def decompress(data: bytes, size: int) -> bytes:
    """The `size` bytes that were compressed. Raises DecodeError for what yields less or is malformed.

    size: bounds the work; whoever takes it from foreign bytes limits it first.
    Spec: [MS-XCA] 2.2.4.
    """
    out = bytearray()
    pos = 0
    try:
        while len(out) < size:
            pos = _take_block(data, pos, out, min(len(out) + _BLOCK, size))
    except (struct.error, IndexError):
        raise DecodeError("ends too early", len(data), _PATH) from None
    return bytes(out)


def _take_block(data: bytes, pos: int, out: bytearray, end: int) -> int:
    """Append one block's bytes up to `end`; where the next block starts."""
    table = _decoding_table(data, pos)
    pos += _TABLE_SIZE
    high, low = struct.unpack_from("<HH", data, pos)
    bits, extra = high << 16 | low, 16
    pos += 4
    while len(out) < end:
        symbol, length = table[bits >> 17]
        bits, extra, pos = _shift(data, pos, bits, extra, length)
        if symbol < _END:
            out.append(symbol)
            continue
        if symbol == _END and pos >= len(data):
            raise DecodeError("ends too early", pos, _PATH)
        count, pos = _match_length(data, pos, symbol & 15)
        width = symbol - _END >> 4
        offset = (bits >> 32 - width) + (1 << width)
        bits, extra, pos = _shift(data, pos, bits, extra, width)
        if offset > len(out) or count > end - len(out):
            raise DecodeError("a match outside of the data", pos, _PATH)
        _copy(out, offset, count)
    return pos


def _shift(data: bytes, pos: int, bits: int, extra: int, count: int) -> tuple[int, int, int]:
    """(bits, bits in reserve, position) behind `count` bits; a stream's last words read as zeros."""
    bits = bits << count & 0xFFFF_FFFF
    extra -= count
    if extra < 0:
        word = _U16.unpack_from(data, pos)[0] if pos + 2 <= len(data) else 0
        bits |= word << -extra
        extra += 16
        pos += 2
    return bits, extra, pos


def _match_length(data: bytes, pos: int, nibble: int) -> tuple[int, int]:
    """(length of a match, position behind it); lengths of 18 and more follow in bytes of their own."""
    if nibble < 15:
        return nibble + _MATCH_MIN, pos
    length = data[pos] + 15
    pos += 1
    if length == 15 + 255:
        (length,) = _U16.unpack_from(data, pos)
        pos += 2
        if not length:
            (length,) = struct.unpack_from("<I", data, pos)
            pos += 4
        if length < 15:
            raise DecodeError("a match of impossible length", pos, _PATH)
    return length + _MATCH_MIN, pos


def _copy(out: bytearray, offset: int, count: int) -> None:
    """Repeat what stands `offset` bytes back; source and target may overlap."""
    start = len(out) - offset
    if offset >= count:
        out += out[start : start + count]
        return
    pattern = bytes(out[start:])
    out += (pattern * (count // offset + 1))[:count]


def _decoding_table(data: bytes, pos: int) -> list[tuple[int, int]]:
    """(symbol, length of its code) for every 15 bits that a code may begin."""
    lengths: list[int] = []
    for byte in data[pos : pos + _TABLE_SIZE]:
        lengths += (byte & 15, byte >> 4)
    if len(lengths) != _SYMBOLS:
        raise DecodeError("no table of codes", pos, _PATH)
    table: list[tuple[int, int]] = []
    for symbol in sorted(range(_SYMBOLS), key=lengths.__getitem__):
        length = lengths[symbol]
        if length:
            table += [(symbol, length)] * (1 << _CODE_BITS_MAX - length)
    if len(table) != 1 << _CODE_BITS_MAX:
        raise DecodeError("codes that leave bits without a meaning", pos, _PATH)
    return table


def compress(data: bytes) -> bytes:
    """The compressed form, which ends with the symbol for its end. Spec: [MS-XCA] 2.1.4."""
    out = bytearray()
    heads: dict[bytes, int] = {}
    for start in range(0, max(len(data), 1), _BLOCK):
        end = min(start + _BLOCK, len(data))
        _put_block(out, list(_items(data, start, end, heads)), end == len(data))
    return bytes(out)


def _items(data: bytes, start: int, end: int, heads: dict[bytes, int]) -> Iterator[tuple[int, int]]:
    """Literals as (0, byte) and matches as (offset, length) of one block.

    heads: where each three bytes stood last. Spec: [MS-XCA] 2.1.4.1.
    """
    at = start
    while at < end:
        key = data[at : at + _MATCH_MIN]
        seen = heads.get(key)
        heads[key] = at
        length = 0
        if seen is not None and at - seen <= _OFFSET_MAX and len(key) == _MATCH_MIN:
            length = _common(data, seen, at, min(end - at, _MATCH_MAX))
        if length < _MATCH_MIN:
            yield 0, data[at]
            at += 1
            continue
        yield at - seen if seen is not None else 0, length
        for inside in range(at + 1, min(at + length, at + _MATCH_MIN)):
            heads[data[inside : inside + _MATCH_MIN]] = inside
        at += length


def _common(data: bytes, first: int, second: int, limit: int) -> int:
    length = 0
    while length < limit and data[first + length] == data[second + length]:
        length += 1
    return length


def _symbol(offset: int, value: int) -> int:
    """The symbol of a literal or a match ([MS-XCA] 2.1.4.3)."""
    if not offset:
        return value
    return _END + ((offset.bit_length() - 1) << 4 | min(value - _MATCH_MIN, 15))


class _BitWriter:
    """Bits in words of 16, between which whole bytes stand where the reader comes by them."""

    def __init__(self, out: bytearray) -> None:
        self._out = out
        self._word, self._free = 0, 16
        self._first, self._second = len(out), len(out) + 2
        out += bytes(4)

    def put(self, count: int, value: int) -> None:
        if self._free >= count:
            self._free -= count
            self._word = self._word << count | value
            return
        left = count - self._free
        self._store(self._word << self._free | value >> left)
        self._first, self._second = self._second, len(self._out)
        self._out += bytes(2)
        self._word, self._free = value & (1 << left) - 1, 16 - left

    def flush(self) -> None:
        self._store(self._word << self._free)

    def _store(self, word: int) -> None:
        _U16.pack_into(self._out, self._first, word & 0xFFFF)


def _put_block(out: bytearray, items: Sequence[tuple[int, int]], is_last: bool) -> None:
    counts = Counter(_symbol(offset, value) for offset, value in items)
    if is_last:
        counts[_END] += 1
    lengths = _code_lengths(counts)
    codes = _codes(lengths)
    out += bytes(lengths[2 * at] | lengths[2 * at + 1] << 4 for at in range(_TABLE_SIZE))
    writer = _BitWriter(out)
    for offset, value in items:
        symbol = _symbol(offset, value)
        writer.put(lengths[symbol], codes[symbol])
        if offset:
            _put_length(out, value - _MATCH_MIN)
            width = offset.bit_length() - 1
            writer.put(width, offset - (1 << width))
    if is_last:
        writer.put(lengths[_END], codes[_END])
    writer.flush()


def _put_length(out: bytearray, length: int) -> None:
    if length >= 15:
        out.append(min(length - 15, 255))
        if length - 15 >= 255:
            out += _U16.pack(length)


def _code_lengths(counts: Counter[int]) -> list[int]:
    """Lengths of Huffman codes, none longer than 15 bits; every sum of them is complete.

    Frequencies are halved until the deepest leaf fits. Spec: [MS-XCA] 2.1.4.2.
    """
    weights = dict(counts)
    while len(weights) < 2:
        weights[_END if _END not in weights else 0] = 1
    while True:
        lengths = _huffman(weights)
        if max(lengths) <= _CODE_BITS_MAX:
            return lengths
        weights = {symbol: weight // 2 + 1 for symbol, weight in weights.items()}


def _huffman(weights: dict[int, int]) -> list[int]:
    lengths = [0] * _SYMBOLS
    heap: list[tuple[int, int, tuple[int, ...]]] = []
    heap += [(weight, symbol, (symbol,)) for symbol, weight in weights.items()]
    heapq.heapify(heap)
    while len(heap) > 1:
        one, other = heapq.heappop(heap), heapq.heappop(heap)
        members = (*one[2], *other[2])
        for symbol in members:
            lengths[symbol] += 1
        heapq.heappush(heap, (one[0] + other[0], min(one[1], other[1]), members))
    return lengths


def _codes(lengths: list[int]) -> list[int]:
    """Canonical codes: by length, then by symbol."""
    codes = [0] * _SYMBOLS
    code = before = 0
    for symbol in sorted((one for one in range(_SYMBOLS) if lengths[one]), key=lengths.__getitem__):
        code <<= lengths[symbol] - before
        before = lengths[symbol]
        codes[symbol] = code
        code += 1
    return codes
