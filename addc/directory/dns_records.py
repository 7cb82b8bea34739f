"""Reading and changing the records of a zone that the directory holds.

A change of names is one raise of the zone's serial: each record that is new bears it, a name that loses its
last record stays as a tombstone, so that the DNS servers of other DCs see it end, and a tombstone wakes up
when it is given records again. Nodes are written by the requester's own rights; the serial, which is the DNS
server's, as SYSTEM.

Spec: [MS-DNSP] 2.3.2 (zones in the directory), 3.1.4.5 (R_DnssrvUpdateRecord), RFC 1982 (serials).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from addc.base.errors import DsError
from addc.codec.dns_rdata import DnsRecord, DnsType, SoaData, tombstone
from addc.codes.win32 import Win32
from addc.directory import dns_node, names
from addc.directory.add import add_object
from addc.directory.changes import Change, ModOp
from addc.directory.context import ReadContext, WriteContext
from addc.directory.dns_node import APEX, Records
from addc.directory.dns_zones import ZoneFacts
from addc.directory.modify import modify_row
from addc.schema import attr, cls
from addc.security.token import SYSTEM
from addc.store.objects import ObjectRow, ObjectState

_TRUE: Final = (b"TRUE",)
_FALSE: Final = (b"FALSE",)


@dataclass(frozen=True, slots=True)
class Node:
    """A dnsNode. relative: its RDN. records: none of a tombstone."""

    row: ObjectRow
    relative: str
    records: Records
    tombstoned: bool


def is_tombstoned(row: ObjectRow) -> bool:
    """Whether a node lost its last record, and is kept so that other DCs see that."""
    return tuple(row.attrs.get(attr.DNS_TOMBSTONED, _FALSE)) == _TRUE


def node_of(row: ObjectRow) -> Node:
    """What a row says."""
    dead = is_tombstoned(row)
    records = () if dead else dns_node.unpacked(row.attrs.get(attr.DNS_RECORD, ()))
    return Node(row, row.rdn, records, dead)


def read_node(ctx: ReadContext, zone: ZoneFacts, relative: str) -> Node | None:
    """The node of a name, tombstones too; None where there is none."""
    row = names.child_named(ctx, zone.row.dnt, attr.DC, relative)
    return None if row is None or row.class_id != cls.DNS_NODE else node_of(row)


def records_at(ctx: ReadContext, zone: ZoneFacts, relative: str) -> Records:
    """The records of a name."""
    node = read_node(ctx, zone, relative)
    return () if node is None else node.records


def nodes(ctx: ReadContext, zone: ZoneFacts) -> Iterator[Node]:
    """Every node of a zone, tombstones too; batches are read as they are wanted."""
    for row in names.children(ctx, zone.row.dnt):
        if row.class_id == cls.DNS_NODE and row.state is ObjectState.LIVE:
            yield node_of(row)


def below_cut(ctx: ReadContext, zone: ZoneFacts, relative: str) -> bool:
    """Whether a name is at or below a delegation."""
    return any(
        one.type == DnsType.NS for name in dns_node.above(relative) for one in records_at(ctx, zone, name)
    )


def serial_of(ctx: ReadContext, zone: ZoneFacts) -> int:
    """The serial of a zone's SOA; 0 without one."""
    soa = dns_node.soa_of(records_at(ctx, zone, APEX))
    return 0 if soa is None else _soa_serial(soa)


def write_nodes(ctx: WriteContext, zone: ZoneFacts, wanted: Mapping[str, Sequence[DnsRecord]]) -> int:
    """Make each name hold just these records, all or none; the zone's serial afterwards.

    Records that are there already keep their serials, others get the new one. Names that hold it all are left
    alone, and so is the serial if every name does. Raises DsError where the requester may not.
    """
    held = {relative: read_node(ctx, zone, relative) for relative in wanted}
    changed = {name: tuple(records) for name, records in wanted.items() if _differs(held[name], records)}
    before = serial_of(ctx, zone)
    if not changed:
        return before
    serial = _next_serial(before, changed.get(APEX, ()))
    for relative, records in changed.items():
        _write_node(ctx, zone, relative, held[relative], _stamped(held[relative], records, serial))
    if any(_visibly(held[name], records) for name, records in changed.items()):
        return _raise_to(ctx, zone, serial)
    return before


def raise_serial(ctx: WriteContext, zone: ZoneFacts) -> int:
    """The zone's next serial, for changes that were not made here; 0 for a zone without SOA."""
    before = serial_of(ctx, zone)
    return _raise_to(ctx, zone, dns_node.serial_after(before)) if before else 0


def remove_node(ctx: WriteContext, zone: ZoneFacts, relative: str) -> None:
    """Make a name hold nothing."""
    write_nodes(ctx, zone, {relative: ()})


def _differs(node: Node | None, records: Sequence[DnsRecord]) -> bool:
    if node is None:
        return bool(records)
    return set(node.records) != set(records) or (node.tombstoned and bool(records))


def _visibly(node: Node | None, records: Sequence[DnsRecord]) -> bool:
    """Whether resolvers see the change; one of time stamps alone is for ageing only."""
    before = () if node is None else node.records
    return set(map(dns_node.without_stamps, before)) != set(map(dns_node.without_stamps, records))


def _next_serial(before: int, apex: Sequence[DnsRecord]) -> int:
    """The serial that follows, or the one that a new SOA asks for if that is later."""
    soa = dns_node.soa_of(apex)
    asked = 0 if soa is None else _soa_serial(soa)
    if asked and (not before or dns_node.is_later(asked, before)):
        return asked
    return dns_node.serial_after(before) if before else 1


def _soa_serial(soa: DnsRecord) -> int:
    assert isinstance(soa.data, SoaData)
    return soa.data.serial


def _stamped(node: Node | None, records: Records, serial: int) -> Records:
    """The records with the new serial on those that were not there."""
    before = {dns_node.without_stamps(one): one for one in (() if node is None else node.records)}
    told = []
    for one in records:
        kept = before.get(dns_node.without_stamps(one))
        told.append(replace(one, serial=kept.serial if kept is not None else serial))
    return tuple(told)


def _write_node(
    ctx: WriteContext, zone: ZoneFacts, relative: str, node: Node | None, records: Records
) -> None:
    if node is None:
        packed = [one.pack() for one in records]
        values = [("objectClass", [b"dnsNode"]), ("dnsRecord", packed)]
        add_object(ctx, zone.node_dn(ctx, relative), values)
        return
    if not records and relative == APEX:
        raise DsError(Win32.DNS_ERROR_SOA_DELETE_INVALID, "a zone's own name keeps its records")
    changes = []
    if records:
        values_now = (*_unreadable(node), *(one.pack() for one in records))
        changes.append(Change(ModOp.REPLACE, "dnsRecord", values_now))
        if node.tombstoned:
            changes.append(Change(ModOp.REPLACE, "dNSTombstoned", _FALSE))
    else:
        grave = tombstone(ctx.now, serial_of(ctx, zone))
        changes.append(Change(ModOp.REPLACE, "dnsRecord", (grave.pack(),)))
        changes.append(Change(ModOp.REPLACE, "dNSTombstoned", _TRUE))
    modify_row(ctx, node.row, changes)


def _unreadable(node: Node) -> list[bytes]:
    """Values that nothing here can read: they are another's and stay."""
    if node.tombstoned:
        return []
    values = node.row.attrs.get(attr.DNS_RECORD, ())
    return [one for one in values if not dns_node.is_readable(one)]


def _raise_to(ctx: WriteContext, zone: ZoneFacts, serial: int) -> int:
    """Put a serial into the zone's SOA."""
    node = read_node(ctx, zone, APEX)
    soa = None if node is None else dns_node.soa_of(node.records)
    if node is None or soa is None:
        return serial
    records = [dns_node.with_serial(one, serial) if one is soa else one for one in node.records]
    values = (*_unreadable(node), *(one.pack() for one in records))
    modify_row(ctx.as_requester(SYSTEM), node.row, [Change(ModOp.REPLACE, "dnsRecord", values)])
    return serial
