"""Capture files as tcpdump and Wireshark write them: the datagrams and streams of some ports.

Both formats: pcap in either byte order, pcapng with its blocks; of link layers Ethernet (with VLAN tags),
Linux' "cooked" ones, raw IP and loopback; IPv4 and IPv6, whose fragments are put together. Streams are put in
order by their sequence numbers; what a capture missed ends a stream.

Spec: RFC 791 3.1, RFC 8200 3, RFC 768, RFC 9293 3.1; the files' layouts are those of libpcap.
"""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Final, NamedTuple

from addc.base.clock import TICKS_PER_S, UNIX_EPOCH_FT, FileTime
from addc.base.errors import DecodeError

_PCAP_MAGICS: Final = {
    b"\xd4\xc3\xb2\xa1": ("<", 1_000_000),
    b"\xa1\xb2\xc3\xd4": (">", 1_000_000),
    b"\x4d\x3c\xb2\xa1": ("<", 1_000_000_000),
    b"\xa1\xb2\x3c\x4d": (">", 1_000_000_000),
}
_SECTION: Final = b"\x0a\x0d\x0d\x0a"
_BYTE_ORDERS: Final = {b"\x1a\x2b\x3c\x4d": ">", b"\x4d\x3c\x2b\x1a": "<"}
_INTERFACE, _SIMPLE, _ENHANCED = 1, 3, 6
_TIME_RESOLUTION: Final = 9
_FRAME_MAX: Final = 1 << 20
_IP, _IPV6 = 0x0800, 0x86DD
_VLANS: Final = frozenset((0x8100, 0x88A8, 0x9100))
_NULL, _ETHERNET, _COOKED, _LOOP, _COOKED2, _IPV4_LINK, _IPV6_LINK = 0, 1, 113, 108, 276, 228, 229
_RAW: Final = frozenset((12, 14, 101))
_TCP, _UDP, _FRAGMENT = 6, 17, 44
_EXTENSIONS: Final = frozenset((0, 43, 60, 135))
_FIN_OR_RST: Final = 0x05
_SYN: Final = 0x02
_STREAM_MAX: Final = 64 << 20


class Frame(NamedTuple):
    """One frame as it was seen. link: the LINKTYPE_ of its first bytes."""

    when_ft: FileTime
    link: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Carried:
    """The payload of a datagram, or a piece of a stream in its order. index: of the frame, from 1.

    source, target: address and port. is_stream: by TCP.
    """

    index: int
    when_ft: FileTime
    source: tuple[str, int]
    target: tuple[str, int]
    is_stream: bool
    data: bytes


def looks_like_capture(data: bytes) -> bool:
    """Whether a file begins as one of these does."""
    return data[:4] in _PCAP_MAGICS or data[:4] == _SECTION


def frames(data: bytes) -> Iterator[Frame]:
    """The frames of a file. Raises DecodeError; a file that was cut off ends with its last whole frame."""
    return _pcapng(data) if data[:4] == _SECTION else _pcap(data)


def _pcap(data: bytes) -> Iterator[Frame]:
    order, fraction = _PCAP_MAGICS.get(data[:4], ("", 0))
    if not order or len(data) < 24:
        raise DecodeError("no capture file", 0, "pcap")
    (link,) = struct.unpack_from(order + "I", data, 20)
    pos, head = 24, struct.Struct(order + "4I")
    while pos + head.size <= len(data):
        seconds, part, size, _ = head.unpack_from(data, pos)
        pos += head.size
        if size > _FRAME_MAX:
            raise DecodeError(f"a frame of {size} bytes", pos, "pcap")
        if pos + size > len(data):
            return
        when = seconds * TICKS_PER_S + part * TICKS_PER_S // fraction + UNIX_EPOCH_FT
        yield Frame(FileTime(when), link & 0xFFFF, data[pos : pos + size])
        pos += size


def _pcapng(data: bytes) -> Iterator[Frame]:
    order, pos = "<", 0
    interfaces: list[tuple[int, int]] = []
    while pos + 12 <= len(data):
        if data[pos : pos + 4] == _SECTION:
            order = _BYTE_ORDERS.get(data[pos + 8 : pos + 12], "")
            if not order:
                raise DecodeError("unknown byte order", pos, "pcapng")
            interfaces = []
        kind, size = struct.unpack_from(order + "II", data, pos)
        if size < 12 or size % 4 or size > _FRAME_MAX:
            raise DecodeError(f"a block of {size} bytes", pos, "pcapng")
        if pos + size > len(data):
            return
        body = data[pos + 8 : pos + size - 4]
        pos += size
        if kind == _INTERFACE:
            interfaces.append(_interface(body, order))
        elif kind in (_SIMPLE, _ENHANCED):
            yield _block_frame(kind, body, order, interfaces)


def _interface(body: bytes, order: str) -> tuple[int, int]:
    """Link type, and how many units of its time stamps make a second."""
    if len(body) < 8:
        raise DecodeError("a short block", 0, "pcapng.interface")
    (link,) = struct.unpack_from(order + "H", body)
    units, pos = 1_000_000, 8
    while pos + 4 <= len(body):
        code, size = struct.unpack_from(order + "HH", body, pos)
        value = body[pos + 4 : pos + 4 + size]
        if code == _TIME_RESOLUTION and len(value) == 1:
            units = 1 << (value[0] & 0x7F) if value[0] & 0x80 else 10 ** min(value[0], 18)
        if code == 0:
            break
        pos += 4 + (size + 3 & ~3)
    return link, units


def _block_frame(kind: int, body: bytes, order: str, interfaces: Sequence[tuple[int, int]]) -> Frame:
    number, high, low, size = 0, 0, 0, 0
    start = 20 if kind == _ENHANCED else 4
    if len(body) < start:
        raise DecodeError("a short block", 0, "pcapng.packet")
    if kind == _ENHANCED:
        number, high, low, size = struct.unpack_from(order + "4I", body)
    if number >= len(interfaces):
        raise DecodeError("a frame of no interface", 0, "pcapng.packet")
    link, units = interfaces[number]
    if kind == _SIMPLE:
        size = min(struct.unpack_from(order + "I", body)[0], len(body) - 4)
    if start + size > len(body):
        raise DecodeError("a frame longer than its block", 0, "pcapng.packet")
    when = (high << 32 | low) * TICKS_PER_S // units + UNIX_EPOCH_FT
    return Frame(FileTime(when), link, body[start : start + size])


# --- from frames to payloads ---


def _ip_of(frame: Frame) -> bytes:
    """The IP datagram of a frame; b"" for what carries none."""
    data, link = frame.data, frame.link
    if link in _RAW or link in (_IPV4_LINK, _IPV6_LINK):
        return data
    if link in (_NULL, _LOOP):
        return data[4:]
    at, kind_at = {_ETHERNET: (14, 12), _COOKED: (16, 14), _COOKED2: (20, 0)}.get(link, (0, -1))
    if kind_at < 0 or len(data) < at:
        return b""
    kind = int.from_bytes(data[kind_at : kind_at + 2], "big")
    while kind in _VLANS and len(data) >= at + 4:
        kind = int.from_bytes(data[at + 2 : at + 4], "big")
        at += 4
    return data[at:] if kind in (_IP, _IPV6) else b""


class _Datagram(NamedTuple):
    source: str
    target: str
    protocol: int
    data: bytes


class _Fragments:
    """Puts together what IP cut."""

    _HELD_MAX: Final = 1024

    def __init__(self) -> None:
        self._held: dict[tuple[bytes, bytes, int, int], dict[int, tuple[bytes, bool]]] = {}

    def whole(self, key: tuple[bytes, bytes, int, int], offset: int, data: bytes, more: bool) -> bytes | None:
        """All bytes once the last piece has come."""
        if not offset and not more:
            return data
        if len(self._held) > self._HELD_MAX:
            self._held.clear()
        pieces = self._held.setdefault(key, {})
        pieces[offset] = (data, more)
        out = b""
        while len(out) in pieces:
            piece, more = pieces[len(out)]
            out += piece
            if not more:
                del self._held[key]
                return out
            if not piece:
                break
        return None


def _datagram(packet: bytes, fragments: _Fragments) -> _Datagram | None:
    version = packet[0] >> 4 if packet else 0
    if version == 4:
        return _datagram4(packet, fragments)
    return _datagram6(packet, fragments) if version == 6 else None


def _datagram4(packet: bytes, fragments: _Fragments) -> _Datagram | None:
    head = (packet[0] & 15) * 4
    if head < 20 or len(packet) < head:
        return None
    size, ident, where = struct.unpack_from(">HHH", packet, 2)
    protocol = packet[9]
    source, target = packet[12:16], packet[16:20]
    body = packet[head : size or len(packet)]  # 0: the card was to cut it
    key = (source, target, ident, protocol)
    whole = fragments.whole(key, (where & 0x1FFF) * 8, body, bool(where & 0x2000))
    if whole is None:
        return None
    return _Datagram(str(ip_address(source)), str(ip_address(target)), protocol, whole)


def _datagram6(packet: bytes, fragments: _Fragments) -> _Datagram | None:
    if len(packet) < 40:
        return None
    (size,) = struct.unpack_from(">H", packet, 4)
    protocol, source, target = packet[6], packet[8:24], packet[24:40]
    body = packet[40 : 40 + size] if size else packet[40:]
    while protocol in _EXTENSIONS and len(body) >= 8:
        protocol, body = body[0], body[8 + 8 * body[1] :]
    if protocol == _FRAGMENT and len(body) >= 8:
        where, ident = struct.unpack_from(">HI", body, 2)
        key = (source, target, ident, body[0])
        whole = fragments.whole(key, where & 0xFFF8, body[8:], bool(where & 1))
        if whole is None:
            return None
        protocol, body = body[0], whole
    return _Datagram(str(ip_address(source)), str(ip_address(target)), protocol, body)


@dataclass(slots=True)
class _Stream:
    """One direction of a connection. wanted: the next sequence number."""

    wanted: int
    early: dict[int, bytes] = field(default_factory=dict)
    held: int = 0

    def take(self, sequence: int, data: bytes) -> bytes:
        """What is now in order."""
        out = b""
        if data:
            self.early[sequence] = data
        while True:
            piece = self._next()
            if piece is None:
                break
            out += piece
            self.wanted = (self.wanted + len(piece)) & 0xFFFF_FFFF
        self.held = sum(map(len, self.early.values()))
        if self.held > _STREAM_MAX:
            raise DecodeError("a stream with too large a gap", 0, "tcp")
        return out

    def _next(self) -> bytes | None:
        """The piece that goes on; what came twice is dropped."""
        for sequence in list(self.early):
            behind = (self.wanted - sequence) & 0xFFFF_FFFF
            if behind < 0x8000_0000:
                data = self.early.pop(sequence)
                if behind < len(data):
                    return data[behind:]
        return None


def carried(data: bytes, ports: frozenset[int]) -> Iterator[Carried]:
    """The payloads to and from these ports, in the order of the capture. Raises DecodeError."""
    fragments = _Fragments()
    streams: dict[tuple[tuple[str, int], tuple[str, int]], _Stream] = {}
    for index, frame in enumerate(frames(data), 1):
        found = _datagram(_ip_of(frame), fragments)
        if found is None or found.protocol not in (_TCP, _UDP) or len(found.data) < 8:
            continue
        ports_of = struct.unpack_from(">HH", found.data)
        if ports.isdisjoint(ports_of):
            continue
        source, target = (found.source, ports_of[0]), (found.target, ports_of[1])
        if found.protocol == _UDP:
            payload = found.data[8:]
        else:
            payload = _in_order(streams, (source, target), found.data)
        if payload:
            is_stream = found.protocol == _TCP
            yield Carried(index, frame.when_ft, source, target, is_stream, payload)


def _in_order(
    streams: dict[tuple[tuple[str, int], tuple[str, int]], _Stream],
    ends: tuple[tuple[str, int], tuple[str, int]],
    segment: bytes,
) -> bytes:
    """The bytes that this segment lets go on. A stream whose beginning was missed begins where it is seen."""
    if len(segment) < 20:
        return b""
    (sequence,) = struct.unpack_from(">I", segment, 4)
    flags = segment[13]
    payload = segment[(segment[12] >> 4) * 4 :]
    if flags & _SYN:
        streams[ends] = _Stream((sequence + 1) & 0xFFFF_FFFF)
        return b""
    stream = streams.get(ends)
    if stream is None:
        stream = streams[ends] = _Stream(sequence)
    out = stream.take(sequence, payload)
    if flags & _FIN_OR_RST and not stream.early:
        del streams[ends]
    return out
