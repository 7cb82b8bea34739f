"""The records of a whole zone in memory, small: a node's records are one string of bytes until asked for.

Names are relative to the zone, folded, leaf first; () is the apex. Data is in wire form without compression.
"""

import struct
from collections.abc import Iterable, Iterator, Mapping
from typing import Final, NamedTuple

from addc.base.errors import AddcError, DecodeError
from addc.codec.dns_names import Name, fold

_HEAD: Final = struct.Struct(">HIH")
TYPE_SOA: Final = 6
TYPE_NS: Final = 2


class Rr(NamedTuple):
    """A record on its way between servers. owner: whole, leaf first; rdata: in wire form, uncompressed."""

    owner: Name
    type: int
    ttl_s: int
    rdata: bytes


class Data(NamedTuple):
    """A record of a node."""

    type: int
    ttl_s: int
    rdata: bytes


class NotThereError(AddcError):
    """A change ends a record that the zone does not have, or makes one that it has."""


def soa_serial(rdata: bytes) -> int:
    """The serial of an SOA's data in wire form. Raises DecodeError."""
    return soa_numbers(rdata)[0]


def soa_numbers(rdata: bytes) -> tuple[int, int, int, int, int]:
    """serial, refresh, retry, expire and minimum: the last twenty octets."""
    if len(rdata) < 22:
        raise DecodeError("an SOA has 22 octets at least", len(rdata), "SOA")
    serial, refresh, retry, expire, minimum = struct.unpack(">5I", rdata[-20:])
    return serial, refresh, retry, expire, minimum


def pack_node(records: Iterable[Data]) -> bytes:
    """A node's records as one string of bytes."""
    return b"".join(_HEAD.pack(one.type, one.ttl_s, len(one.rdata)) + one.rdata for one in records)


def unpack_node(data: bytes) -> list[Data]:
    """The inverse of `pack_node`; only ever given what that made, or DecodeError."""
    found, at, end = [], 0, len(data)
    while at < end:
        if end - at < _HEAD.size:
            raise DecodeError("a record is cut off", at, "node")
        kind, ttl_s, size = _HEAD.unpack_from(data, at)
        at += _HEAD.size
        if end - at < size:
            raise DecodeError("a record is cut off", at, "node")
        found.append(Data(kind, ttl_s, data[at : at + size]))
        at += size
    return found


class ZoneContent:
    """A zone's nodes by name; a change makes another one, which shares what is as it was."""

    __slots__ = ("_between", "_nodes", "apex", "records")

    def __init__(self, apex: Name, nodes: dict[Name, bytes], records: int) -> None:
        """apex: folded. nodes: by relative name. records: how many there are in all."""
        self.apex = apex
        self._nodes = nodes
        self.records = records
        self._between: dict[Name, int] | None = None

    @classmethod
    def of(cls, apex: Name, records: Iterable[Rr]) -> "ZoneContent":
        """The content made of records of the zone; two that are equal count once."""
        nodes: dict[Name, dict[Data, None]] = {}
        depth = len(apex)
        for one in records:
            relative = fold(one.owner[: len(one.owner) - depth])
            nodes.setdefault(relative, {})[Data(one.type, one.ttl_s, one.rdata)] = None
        count = sum(map(len, nodes.values()))
        return cls(apex, {name: pack_node(held) for name, held in nodes.items()}, count)

    @property
    def nodes(self) -> Mapping[Name, bytes]:
        return self._nodes

    def at(self, relative: Name) -> list[Data] | None:
        """The records of a name; [] where only names below it exist; None where there is nothing."""
        held = self._nodes.get(relative)
        if held is not None:
            return unpack_node(held)
        return [] if not relative or relative in self._lying_between() else None

    def learn(self) -> None:
        """Find the names that lie between others now, which takes time, and not while somebody waits."""
        self._lying_between()

    def _lying_between(self) -> dict[Name, int]:
        """Names that exist only because names below them do, and how many do."""
        if self._between is None:
            found: dict[Name, int] = {}
            for name in self._nodes:
                for skip in range(1, len(name)):
                    above = name[skip:]
                    found[above] = found.get(above, 0) + 1
            self._between = found
        return self._between

    @property
    def soa(self) -> Data | None:
        """The SOA record."""
        return next((one for one in self.at(()) or () if one.type == TYPE_SOA), None)

    @property
    def serial(self) -> int:
        """The SOA's serial; 0 without one."""
        soa = self.soa
        return 0 if soa is None else soa_serial(soa.rdata)

    def all_records(self) -> Iterator[Rr]:
        """Every record but the SOA."""
        for name, held in self._nodes.items():
            owner = (*name, *self.apex)
            for kind, ttl_s, rdata in unpack_node(held):
                if kind != TYPE_SOA or name:
                    yield Rr(owner, kind, ttl_s, rdata)

    def changed(self, removed: Iterable[Rr], added: Iterable[Rr]) -> "ZoneContent":
        """The content after a change. Raises NotThereError where the change is of another content."""
        depth = len(self.apex)
        touched: dict[Name, dict[Data, None]] = {}
        count = self.records

        def node(owner: Name) -> dict[Data, None]:
            relative = fold(owner[: len(owner) - depth])
            held = touched.get(relative)
            if held is None:
                held = touched[relative] = dict.fromkeys(unpack_node(self._nodes.get(relative, b"")))
            return held

        for one in removed:
            held = node(one.owner)
            if held.pop(Data(one.type, one.ttl_s, one.rdata), _MISSING) is _MISSING:
                raise NotThereError("a record to be removed is not there")
            count -= 1
        for one in added:
            held = node(one.owner)
            data = Data(one.type, one.ttl_s, one.rdata)
            if data in held:
                raise NotThereError("a record to be added is there")
            held[data] = None
            count += 1
        nodes = dict(self._nodes)
        for relative, held in touched.items():
            if held:
                nodes[relative] = pack_node(held)
            else:
                nodes.pop(relative, None)
        return ZoneContent(self.apex, nodes, count)

    def with_nodes(self, changed: Mapping[Name, bytes | None], records: int) -> "ZoneContent":
        """The content with some nodes as given; None ends one."""
        nodes = dict(self._nodes)
        for name, held in changed.items():
            if held:
                nodes[name] = held
            else:
                nodes.pop(name, None)
        return ZoneContent(self.apex, nodes, records)


_MISSING: Final = object()
