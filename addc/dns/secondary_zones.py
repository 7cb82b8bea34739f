"""Answers from copies of other servers' zones: their content in memory, in every process that answers.

Content is an immutable value that is exchanged as a whole; whoever follows reads only the pieces that a
transfer rewrote, on a thread. The seam is that of dns/answer.py: `covering` and `node`.

Spec: RFC 1034 4.3.5 (expiry: no answers at all), RFC 4034, RFC 5155 (signed copies pass through)
"""

import asyncio
import struct
import zlib
from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from typing import Final

from addc.base.clock import FileTime
from addc.base.errors import DecodeError
from addc.codec.dns_names import Name, fold, pack_name, parse_name
from addc.codec.dns_rdata import DnsRecord, DnsType
from addc.codec.dns_wire import unpack_rdata
from addc.directory import dns_secondary
from addc.directory.api import Directory
from addc.directory.context import ReadContext
from addc.directory.dns_secondary import PIECES_MAX, Status
from addc.dns.chain import Chain
from addc.dns.zone_content import ZoneContent, unpack_node
from addc.security.token import SYSTEM

_PIECE_SIZE: Final = 65_536
"""Octets that a piece has about."""
_ENTRY: Final = struct.Struct(">HI")


class SecondaryZone:
    """One copy, as of one transfer."""

    __slots__ = ("_expires_ft", "apex", "chain", "content", "name", "pieces")

    signing = None
    """It brings its own signatures."""

    def __init__(self, name: str, content: ZoneContent | None, status: Status) -> None:
        self.name = name
        self.apex = fold(parse_name(name))
        self.content = content
        self.pieces = status.pieces
        self._expires_ft = status.expires_ft if content is not None else 0
        apex_records = () if content is None else content.at(()) or ()
        signed = any(one.type == DnsType.DNSKEY for one in apex_records)
        self.chain = Chain(content) if content is not None and signed else None
        """What denies names, where its master signed it."""

    def with_status(self, status: Status) -> "SecondaryZone":
        """The same content, asked for again since."""
        other = copy(self)
        other.pieces = status.pieces
        other._expires_ft = status.expires_ft
        return other

    def expired(self, now: FileTime) -> bool:
        """Whether no master was heard of for so long, or ever, that nothing may be answered."""
        return now >= self._expires_ft

    def relative(self, name: Name) -> Name:
        """A name of the zone without the zone's own."""
        return fold(name[: len(name) - len(self.apex)])

    def node(self, name: Name) -> Sequence[DnsRecord] | None:
        """The records at `name`; () where only names below it exist; None where there is nothing."""
        if self.chain is not None and self.relative(name) in self.chain.hidden:
            return None
        return self.held(name)

    def held(self, name: Name) -> Sequence[DnsRecord] | None:
        """As `node`, with names that only the chain of NSEC3 has."""
        found = None if self.content is None else self.content.at(self.relative(name))
        if found is None:
            return None
        return [DnsRecord(DnsType(one.type), unpack_rdata(one.type, one.rdata), one.ttl_s) for one in found]


class SecondaryZones:
    """All copies that this process answers from."""

    __slots__ = ("_depths", "_lock", "_seen", "_zones", "version")

    def __init__(self) -> None:
        self._zones: dict[Name, SecondaryZone] = {}
        self._depths: tuple[int, ...] = ()
        self._seen = -1
        self._lock = asyncio.Lock()
        self.version = 0
        """Grows whenever answers may have changed."""

    def covering(self, name: Name) -> SecondaryZone | None:
        """The zone with the longest apex that ends `name`."""
        if not self._zones:
            return None
        key, size = fold(name), len(name)
        for depth in self._depths:
            if depth <= size:
                found = self._zones.get(key[size - depth :])
                if found is not None:
                    return found
        return None

    @property
    def zones(self) -> Mapping[Name, SecondaryZone]:
        return self._zones

    async def follow(self, directory: Directory) -> bool:
        """Bring the copies up to date with the store; whether anything changed."""
        async with self._lock:
            seen = await directory.read("dns.secondaries", SYSTEM, dns_secondary.version, point=True)
            if seen == self._seen:
                return False
            held = self._zones
            found = await directory.read("dns.secondaries", SYSTEM, lambda ctx: _renewed(ctx, held))
            self._zones = found
            self._depths = tuple(sorted({len(apex) for apex in found}, reverse=True))
            self._seen = seen
            self.version += 1
            return True


def _renewed(ctx: ReadContext, held: Mapping[Name, SecondaryZone]) -> dict[Name, SecondaryZone]:
    found: dict[Name, SecondaryZone] = {}
    for name in dns_secondary.secondaries(ctx):
        status = dns_secondary.status(ctx, name)
        apex = fold(parse_name(name))
        before = held.get(apex)
        if not status.pieces:
            content = None
        elif before is not None and before.pieces == status.pieces:
            content = before.content
        else:
            content = read_content(ctx, name, status, before)
        if content is not None:
            content.learn()
        if before is not None and before.content is content and content is not None:
            found[apex] = before.with_status(status)
        else:
            found[apex] = SecondaryZone(name, content, status)
    return found


# --- content in the store ---


@dataclass(frozen=True, slots=True)
class Stored:
    """What is to be written: the pieces that differ, and the versions of all."""

    versions: tuple[int, ...]
    pieces: dict[int, bytes]


def stored(content: ZoneContent, before: tuple[ZoneContent, tuple[int, ...]] | None = None) -> Stored:
    """A content in pieces; those alone that differ from what was stored `before`, where it can be told."""
    if before is not None and before[1]:
        old, versions = before
        count = len(versions)
        changed = {name for name, held in content.nodes.items() if old.nodes.get(name) != held}
        changed |= old.nodes.keys() - content.nodes.keys()
        numbers = {_number(name, count) for name in changed}
        if len(content.nodes) < 2 * len(old.nodes) + count * 1000:
            now = tuple(one + 1 if number in numbers else one for number, one in enumerate(versions))
            return Stored(now, _pieces(content, count, numbers))
    size = sum(len(held) + 32 for held in content.nodes.values())
    count = min(1 << max((size // _PIECE_SIZE).bit_length(), 0), PIECES_MAX)
    newest = max(before[1], default=0) + 1 if before is not None else 1
    return Stored((newest,) * count, _pieces(content, count, set(range(count))))


def _pieces(content: ZoneContent, count: int, numbers: set[int]) -> dict[int, bytes]:
    found = {number: bytearray() for number in numbers}
    for name, held in content.nodes.items():
        number = _number(name, count)
        if number in numbers:
            packed = pack_name(name)
            found[number] += _ENTRY.pack(len(packed), len(held)) + packed + held
    return {number: bytes(data) for number, data in found.items()}


def _number(name: Name, count: int) -> int:
    return zlib.crc32(b".".join(name)) % count


def read_content(
    ctx: ReadContext, name: str, status: Status, before: SecondaryZone | None = None
) -> ZoneContent | None:
    """A zone's content; pieces that `before` has are not read. None where what lies there is damaged."""
    apex = fold(parse_name(name))
    count = len(status.pieces)
    nodes: dict[Name, bytes] = {}
    stale = set(range(count))
    if before is not None and before.content is not None and len(before.pieces) == count:
        stale = {number for number in stale if before.pieces[number] != status.pieces[number]}
        nodes = {one: held for one, held in before.content.nodes.items() if _number(one, count) not in stale}
    try:
        for number in stale:
            _read_piece(dns_secondary.piece(ctx, name, number), nodes)
    except (DecodeError, struct.error):
        return None
    return ZoneContent(apex, nodes, status.records)


def _read_piece(data: bytes, nodes: dict[Name, bytes]) -> None:
    at = 0
    while at < len(data):
        name_size, size = _ENTRY.unpack_from(data, at)
        at += _ENTRY.size
        name, pos = [], at
        while label := data[pos]:
            name.append(data[pos + 1 : pos + 1 + label])
            pos += label + 1
        at += name_size
        if at + size > len(data):
            raise DecodeError("a node is cut off", at, "secondary zone")
        nodes[tuple(name)] = data[at : at + size]
        at += size


def checked(content: ZoneContent) -> None:
    """Raises DecodeError where a record cannot be answered from."""
    for held in content.nodes.values():
        for one in unpack_node(held):
            unpack_rdata(one.type, one.rdata)
