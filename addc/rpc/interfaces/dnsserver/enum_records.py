"""R_DnssrvEnumRecords: a name's records, and those of the names right below it.

Spec: [MS-DNSP] 3.1.4.4, 2.2.2.1.2 (DNS_RPC_NODE_FLAGS).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from addc.base.errors import DsError
from addc.codec.dns_rdata import (
    RANK_GLUE,
    RANK_NS_GLUE,
    RANK_ROOT_HINT,
    RANK_ZONE,
    DnsRecord,
    DnsType,
    MxData,
    NameData,
    SoaData,
    SrvData,
    split_name,
)
from addc.codes.win32 import Win32
from addc.directory import dns_edit, dns_records, dns_zones
from addc.directory.context import ReadContext
from addc.directory.dns_management import may_read, require_server, zone_of
from addc.directory.dns_node import APEX
from addc.directory.dns_records import Node
from addc.directory.dns_zones import ROOT_HINTS, ZoneFacts
from addc.rpc.interfaces.dnsserver.record_data import ShownNode

ROOM: Final = 4 << 20
"""Octets of one answer; the rest comes with another call."""
ALL_TYPES: Final = 0xFF

VIEW_AUTHORITY: Final = 0x1
VIEW_CACHE: Final = 0x2
VIEW_GLUE: Final = 0x4
VIEW_ROOT_HINTS: Final = 0x8
VIEW_ADDITIONAL: Final = 0x10
NO_CHILDREN: Final = 0x1_0000
ONLY_CHILDREN: Final = 0x2_0000

ZONE_ROOT: Final = 0x4000_0000
AUTH_ZONE_ROOT: Final = 0x2000_0000
ZONE_DELEGATION: Final = 0x1000_0000
NODE_STICKY: Final = 0x0100_0000
NODE_COMPLETE: Final = 0x0080_0000
_PSEUDO_HINTS: Final = "..roothints"
_PSEUDO_CACHE: Final = "..cache"
_TARGETS: Final = frozenset({DnsType.NS, DnsType.CNAME, DnsType.SOA, DnsType.MX, DnsType.SRV})
_ADDRESSES: Final = frozenset({DnsType.A, DnsType.AAAA})


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for. start: the last child that an earlier answer told; "" for the first answer."""

    zone: str | None
    node: str
    start: str
    type: int
    view: int


@dataclass(slots=True)
class _Child:
    """A name right below the one asked for. below: labels right below it."""

    label: str
    node: Node | None = None
    below: set[str] = field(default_factory=set)


def listed_zone(ctx: ReadContext, name: str | None, *, write: bool = False) -> ZoneFacts:
    """The zone that a client means by a name, or by a name of what is none. Raises DsError."""
    lower = (name or _PSEUDO_CACHE).lower()
    if lower == _PSEUDO_CACHE:
        require_server(ctx, write=write)
        raise DsError(Win32.DNS_ERROR_NAME_DOES_NOT_EXIST, "what is remembered is not shown")
    return zone_of(ctx, ROOT_HINTS if lower == _PSEUDO_HINTS else name or "", write=write)


def enumerate_records(ctx: ReadContext, wanted: Wanted, room: int = ROOM) -> tuple[bytes, Win32]:
    """The nodes as octets, and whether they are all. Raises DsError where there is no such name."""
    zone = listed_zone(ctx, wanted.zone)
    relative = dns_edit.relative_of(zone, wanted.node)
    base = dns_records.read_node(ctx, zone, relative)
    children = {} if wanted.view & NO_CHILDREN and base is not None else _children(ctx, zone, relative)
    if (base is None or base.tombstoned) and not children:
        raise DsError(Win32.DNS_ERROR_NAME_DOES_NOT_EXIST, f"no name {wanted.node}")
    out, last = bytearray(), ""
    shown: list[DnsRecord] = []
    status = Win32.ERROR_SUCCESS
    for one in _nodes(zone, wanted, (relative, base), children):
        octets = one.pack()
        if last and len(out) + len(octets) > room:  # never without a child to go on from
            status = Win32.ERROR_MORE_DATA
            break
        out += octets
        last = one.name
        shown += [record for record, _ in one.records]
    if wanted.view & VIEW_ADDITIONAL:
        for one in _additional(ctx, zone, shown):
            out += one.pack()
    return bytes(out), status


def _children(ctx: ReadContext, zone: ZoneFacts, relative: str) -> dict[str, _Child]:
    """Names right below one, by label; living names make them, however far below."""
    found: dict[str, _Child] = {}
    if dns_edit.is_root_hints(zone):  # its names are whole ones, and none is below another
        return found
    ending = [] if relative == APEX else relative.lower().split(".")
    for node in dns_records.nodes(ctx, zone):
        if node.tombstoned or node.relative == APEX:
            continue
        labels = node.relative.split(".")
        at = len(labels) - len(ending)
        if at <= 0 or [label.lower() for label in labels[at:]] != ending:
            continue
        child = found.setdefault(labels[at - 1].lower(), _Child(labels[at - 1]))
        if at == 1:
            child.node = node
        else:
            child.below.add(labels[at - 2].lower())
    return found


def _nodes(
    zone: ZoneFacts, wanted: Wanted, base: tuple[str, Node | None], children: dict[str, _Child]
) -> Iterator[ShownNode]:
    """The name itself, then what is below it, by label."""
    relative, node = base
    if not wanted.view & ONLY_CHILDREN and not wanted.start:
        at_root = relative == APEX
        flags = NODE_COMPLETE | (ZONE_ROOT | AUTH_ZONE_ROOT | NODE_STICKY if at_root else 0)
        held = () if node is None else node.records
        yield ShownNode("", flags, 0, _matching(wanted, held, at_root=at_root, is_base=True))
    if wanted.view & NO_CHILDREN:
        return
    start = wanted.start.lower().removesuffix(".")
    if start and start not in children:
        raise DsError(Win32.DNS_ERROR_NAME_DOES_NOT_EXIST, f"no name {wanted.start} to go on from")
    for label in sorted(children):
        child = children[label]
        if start and label <= start:
            continue
        held = () if child.node is None or child.below else child.node.records
        cut = child.node is not None and any(one.rank == RANK_NS_GLUE for one in child.node.records)
        flags = NODE_COMPLETE | (ZONE_DELEGATION if cut else 0)
        yield ShownNode(child.label, flags, len(child.below), _matching(wanted, held))


def _matching(
    wanted: Wanted, records: Iterable[DnsRecord], *, at_root: bool = False, is_base: bool = False
) -> list[tuple[DnsRecord, int]]:
    """The records of the type and the kinds of data asked for, each with its flags."""
    found = []
    for one in records:
        if wanted.type not in (ALL_TYPES, one.type) or not _in_view(one.rank, wanted.view, is_base=is_base):
            continue
        flags = ZONE_ROOT if at_root or one.rank == RANK_NS_GLUE else 0
        if at_root and one.rank == RANK_ZONE:
            flags |= AUTH_ZONE_ROOT
        found.append((one, flags))
    return found


def _in_view(rank: int, view: int, *, is_base: bool) -> bool:
    """A delegation is a zone of its own: told where it is asked for itself, and with glue."""
    if rank == RANK_ZONE:
        return bool(view & (VIEW_AUTHORITY | VIEW_CACHE))
    if rank == RANK_NS_GLUE:
        return bool(view & VIEW_GLUE) or (is_base and bool(view & VIEW_AUTHORITY))
    if rank == RANK_GLUE:
        return bool(view & VIEW_GLUE)
    return rank == RANK_ROOT_HINT and bool(view & VIEW_ROOT_HINTS)


def _additional(ctx: ReadContext, zone: ZoneFacts, shown: list[DnsRecord]) -> Iterator[ShownNode]:
    """Addresses of the hosts that the records name, wherever this server has them."""
    told = set()
    zones: tuple[ZoneFacts, ...] = (zone,)
    if not dns_edit.is_root_hints(zone):
        zones = tuple(one for one in dns_zones.all_zones(ctx) if may_read(ctx, one))
    for record in shown:
        target = _target(record)
        if target is None or target.lower() in told:
            continue
        told.add(target.lower())
        addresses = _addresses(ctx, zones, target)
        if addresses:
            yield ShownNode(target + ".", NODE_COMPLETE, 0, [(one, 0) for one in addresses])


def _target(record: DnsRecord) -> str | None:
    if record.type not in _TARGETS:
        return None
    match record.data:
        case NameData(name):
            return name
        case SoaData():
            return record.data.mname
        case MxData():
            return record.data.exchange
        case SrvData():
            return record.data.target
    return None


def _addresses(ctx: ReadContext, zones: Iterable[ZoneFacts], target: str) -> list[DnsRecord]:
    """By the longest zone that the name is in."""
    labels = tuple(split_name(target))
    for zone in sorted(zones, key=lambda one: len(one.apex), reverse=True):
        relative = target.lower() if dns_edit.is_root_hints(zone) else zone.relative(labels)
        if relative is not None:
            return [one for one in dns_records.records_at(ctx, zone, relative) if one.type in _ADDRESSES]
    return []
