"""Zone transfers out: the records of a zone, or of its changes, as a stream of messages.

Spec: RFC 5936 2.2 (AXFR responses), RFC 1995 4 (IXFR responses), RFC 1035 4.1.4 (compression), RFC 3597 4.
"""

import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from addc.codec.dns_names import Name, NamePacker
from addc.dns.zone_content import TYPE_SOA, Rr

TYPE_OPT: Final = 41
TYPE_IXFR: Final = 251
TYPE_AXFR: Final = 252
CLASS_IN: Final = 1
TSIG_ROOM: Final = 512
"""Octets that each message leaves free for whoever signs it."""
MESSAGE_SIZE: Final = 16_384
"""What pointers of compression reach; longer messages only grow."""
MESSAGE_MAX: Final = 65_535
_QR: Final = 0x8000
_AA: Final = 0x0400
_RD: Final = 0x0100
_NAME_AT: Final = {2: 0, 5: 0, 12: 0, 15: 2}
"""Types whose data is a name that may be compressed, and what stands before it: NS, CNAME, PTR, MX."""
_FIXED: Final = struct.Struct(">HHIH")


@dataclass(frozen=True, slots=True)
class Head:
    """What the replies to one request have in common.

    question: its name as spelled, type and class. edns: the size to tell in an OPT record; None for none.
    """

    id: int
    name: Name
    qtype: int
    qclass: int = CLASS_IN
    recursion_desired: bool = False
    edns: int | None = None


class _Builder:
    """One message that grows."""

    __slots__ = ("_edns", "_packer", "count")

    def __init__(self, head: Head, *, question: bool) -> None:
        flags = _QR | _AA | (_RD if head.recursion_desired else 0)
        self._packer = NamePacker()
        self._edns = b"" if head.edns is None else b"\0" + _FIXED.pack(TYPE_OPT, head.edns, 0, 0)
        self.count = 0
        self._packer.out += struct.pack(">HHHHHH", head.id, flags, int(question), 0, 0, 0)
        if question:
            self._packer.put(head.name)
            self._packer.out += struct.pack(">HH", head.qtype, head.qclass)

    @property
    def size(self) -> int:
        return len(self._packer.out) + len(self._edns)

    def put(self, one: Rr) -> None:
        """Add a record to the answers."""
        packer = self._packer
        out, rdata = packer.out, one.rdata
        packer.put(one.owner)
        skip = _NAME_AT.get(one.type)
        if skip is None:
            out += _FIXED.pack(one.type, CLASS_IN, one.ttl_s, len(rdata))
            out += rdata
        else:
            at = len(out)
            out += _FIXED.pack(one.type, CLASS_IN, one.ttl_s, 0)
            out += rdata[:skip]
            packer.put(wire_labels(rdata, skip))
            struct.pack_into(">H", out, at + 8, len(out) - at - 10)
        self.count += 1

    def mark(self) -> tuple[int, int]:
        return len(self._packer.out), self.count

    def back_to(self, mark: tuple[int, int]) -> None:
        """Take back what was put since; the message is finished then."""
        del self._packer.out[mark[0] :]
        self.count = mark[1]

    def finish(self) -> bytes:
        out = self._packer.out
        struct.pack_into(">H", out, 6, self.count)
        if self._edns:
            struct.pack_into(">H", out, 10, 1)
        return bytes(out + self._edns)


def wire_labels(rdata: bytes, at: int) -> Name:
    """The labels of an uncompressed name in wire form."""
    found = []
    while at < len(rdata) and (size := rdata[at]):
        found.append(rdata[at + 1 : at + 1 + size])
        at += 1 + size
    return tuple(found)


def messages(head: Head, records: Iterable[Rr], size: int = MESSAGE_SIZE) -> Iterator[bytes]:
    """The messages that carry the records, the question in the first one (RFC 5936 2.2.1).

    size: of a message, but for a record that alone is longer; each leaves TSIG_ROOM free below that.
    """
    limit = min(size, MESSAGE_MAX) - TSIG_ROOM
    builder = _Builder(head, question=True)
    for one in records:
        mark = builder.mark()
        builder.put(one)
        if builder.size > limit and mark[1]:
            builder.back_to(mark)
            yield builder.finish()
            builder = _Builder(head, question=False)
            builder.put(one)
    yield builder.finish()


def single(head: Head, records: Sequence[Rr], size: int) -> bytes | None:
    """One message with all the records; None where they do not fit into `size` less the room for a TSIG."""
    builder = _Builder(head, question=True)
    for one in records:
        builder.put(one)
        if builder.size > size - TSIG_ROOM:
            return None
    return builder.finish()


def full(soa: Rr, others: Iterable[Rr]) -> Iterator[Rr]:
    """A whole zone: its SOA record first and last (RFC 5936 2.2)."""
    yield soa
    yield from others
    yield soa


@dataclass(frozen=True, slots=True)
class Step:
    """What changed from one serial to the next. before, after: the SOA records; they are not in the lists."""

    before: Rr
    after: Rr
    removed: tuple[Rr, ...]
    added: tuple[Rr, ...]

    @property
    def size(self) -> int:
        """How many records it holds."""
        return 2 + len(self.removed) + len(self.added)


def incremental(soa: Rr, steps: Iterable[Step]) -> Iterator[Rr]:
    """Changes in the order of serials: the newest SOA around, each step's before its lists (RFC 1995 4)."""
    assert soa.type == TYPE_SOA
    yield soa
    for step in steps:
        yield step.before
        yield from step.removed
        yield step.after
        yield from step.added
    yield soa
