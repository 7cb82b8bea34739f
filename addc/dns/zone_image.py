"""A zone of the directory in memory, as others are given it, and what commits change of it.

The image is a value; following makes the next one from the rows that changed, and tells the difference.

Spec: [MS-DNSP] 3.1 (the server notices what changes in the directory), RFC 1995 4
"""

import struct
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from addc.base.errors import DecodeError
from addc.base.ids import Dnt, Usn
from addc.codec.dns_names import Name, fold
from addc.codec.dns_rdata import DnsRecord, DnsType, SoaData
from addc.codec.dns_wire import rdata_bytes, unpack_rdata
from addc.directory.context import ReadContext
from addc.directory.dns_records import is_tombstoned
from addc.directory.dns_zones import ZoneFacts
from addc.dns.transfer import Step
from addc.dns.zone_content import TYPE_SOA, Data, Rr, ZoneContent, pack_node, unpack_node
from addc.schema import attr, cls
from addc.store.objects import ObjectRow, ObjectState

_BATCH: Final = 1000
_HEAD: Final = struct.Struct("<HHBBHI")
_HEAD_SIZE: Final = 24
_PLAIN: Final = {int(DnsType.A): 4, int(DnsType.AAAA): 16}
"""Types whose data is the same everywhere, and their sizes."""
_LOCAL: Final = frozenset((DnsType.ZERO, DnsType.WINS, DnsType.WINSR))
"""What means something to this kind of server alone."""
_RDATA_MAX: Final = 64_000


@dataclass(frozen=True, slots=True)
class ZoneImage:
    """A zone as of a snapshot. names: the relative name of each row, () for the apex.

    zone_usn: of the zone's own object, which changes with its keys.
    """

    zone: ZoneFacts
    usn: Usn
    content: ZoneContent
    names: dict[Dnt, Name]
    zone_usn: int

    @property
    def soa(self) -> Rr | None:
        """The SOA record."""
        found = self.content.soa
        return None if found is None else Rr(self.zone.apex, *found)


def read_image(ctx: ReadContext, zone: ZoneFacts) -> ZoneImage:
    """The whole zone, in one snapshot."""
    nodes: dict[Name, bytes] = {}
    rows: dict[Dnt, Name] = {}
    count = 0
    after = Dnt(0)
    while batch := ctx.tx.child_dnts(zone.row.dnt, after, _BATCH):
        for row in ctx.tx.pass_by(batch):
            held = _node(ctx, zone, row)
            if held is not None:
                name, records = held
                rows[row.dnt] = name
                if records:
                    nodes[name] = pack_node(records)
                    count += len(records)
        after = batch[-1]
    return ZoneImage(zone, ctx.tx.usn, ZoneContent(zone.apex, nodes, count), rows, zone.row.usn_changed)


def followed(ctx: ReadContext, zone: ZoneFacts, image: ZoneImage | None) -> tuple[ZoneImage, set[Name]]:
    """The image as of the context's snapshot, and the names that changed; all of it anew without one."""
    if image is None or image.zone.row.dnt != zone.row.dnt:
        fresh = read_image(ctx, zone)
        return fresh, set(fresh.content.nodes)
    if image.usn == ctx.tx.usn:
        return image, set()
    changed: dict[Name, bytes | None] = {}
    rows, count = image.names, image.content.records
    dnts = ctx.tx.changes(zone.row.nc, image.usn)
    for start in range(0, len(dnts), _BATCH):
        for row in ctx.tx.pass_by(dnts[start : start + _BATCH]):
            held = _node(ctx, zone, row)
            was = rows.get(row.dnt)
            if was is None and held is None:
                continue
            if rows is image.names:
                rows = dict(rows)
            if was is not None and (held is None or held[0] != was):
                changed[was] = None
                del rows[row.dnt]
            if held is not None:
                changed[held[0]] = pack_node(held[1]) or None
                rows[row.dnt] = held[0]
    differing = {name: data for name, data in changed.items() if image.content.nodes.get(name) != data}
    for name, data in differing.items():
        count += len(unpack_node(data or b"")) - len(unpack_node(image.content.nodes.get(name, b"")))
    content = image.content.with_nodes(differing, count) if differing else image.content
    after = replace(
        image, zone=zone, usn=ctx.tx.usn, content=content, names=rows, zone_usn=zone.row.usn_changed
    )
    return after, set(differing)


def difference(before: ZoneContent, after: ZoneContent, names: Iterable[Name]) -> tuple[list[Rr], list[Rr]]:
    """Records that went and records that came at these names, but for the SOA."""
    removed: list[Rr] = []
    added: list[Rr] = []
    for name in names:
        old = dict.fromkeys(unpack_node(before.nodes.get(name, b"")))
        new = dict.fromkeys(unpack_node(after.nodes.get(name, b"")))
        owner = (*name, *after.apex)
        removed += [Rr(owner, *one) for one in old if one not in new and one.type != TYPE_SOA]
        added += [Rr(owner, *one) for one in new if one not in old and one.type != TYPE_SOA]
    return removed, added


def step_between(before: ZoneImage, after: ZoneImage, names: Iterable[Name]) -> Step | None:
    """What leads from one image to the next; None where one of them has no SOA."""
    if before.soa is None or after.soa is None:
        return None
    removed, added = difference(before.content, after.content, names)
    return Step(before.soa, after.soa, tuple(removed), tuple(added))


def _node(ctx: ReadContext, zone: ZoneFacts, row: ObjectRow) -> tuple[Name, list[Data]] | None:
    """A row's relative name and records; None for a row that is no name of the zone (any more)."""
    if row.parent != zone.row.dnt or row.class_id != cls.DNS_NODE or row.state is not ObjectState.LIVE:
        return None
    rdn = row.rdn
    name: Name = () if rdn == "@" else fold(tuple(rdn.encode("utf-8", "surrogateescape").split(b".")))
    if any(not 0 < len(label) <= 63 for label in name) or sum(map(len, name)) + len(name) > 250:
        return None
    if is_tombstoned(row):
        return name, []
    records = wire_records(row.attrs.get(attr.DNS_RECORD, ()))
    if not name:
        records = [_told_by(ctx.forest.host_fqdn, one) for one in records]
    return name, records


def wire_records(values: Iterable[bytes]) -> list[Data]:
    """What values of dnsRecord say, in wire form; what cannot be read or told to others is left out."""
    found: dict[Data, None] = {}
    for value in values:
        if len(value) < _HEAD_SIZE:
            continue
        size, kind, *_ = _HEAD.unpack_from(value)
        if kind in _LOCAL:
            continue
        if _PLAIN.get(kind) == size == len(value) - _HEAD_SIZE:
            found[Data(kind, int.from_bytes(value[12:16], "big"), value[_HEAD_SIZE:])] = None
            continue
        try:
            record = DnsRecord.unpack(value)
            rdata = rdata_bytes(record.type, record.data)
        except DecodeError:
            continue
        if len(rdata) <= _RDATA_MAX:
            found[Data(record.type, record.ttl_s, rdata)] = None
    return list(found)


def _told_by(host: str, one: Data) -> Data:
    """A DC names itself as the primary of each zone that it holds (every one may be written to)."""
    if one.type != TYPE_SOA:
        return one
    soa = unpack_rdata(DnsType.SOA, one.rdata)
    assert isinstance(soa, SoaData)
    return Data(one.type, one.ttl_s, rdata_bytes(DnsType.SOA, replace(soa, mname=host)))
