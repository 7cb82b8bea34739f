"""Records as administrators change them, by console, RPC or command line: one at a time, by value.

Unlike a dynamic update this has no prerequisites, tells each reason to refuse, and makes records that do not
age unless it is asked for ageing ones.
Spec: [MS-DNSP] 3.1.4.5 (R_DnssrvUpdateRecord), 3.1.4.1 (DeleteNode, DeleteRecordSet, ForceAgingOnNode).
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from addc.base.errors import DsError
from addc.codec.dns_rdata import (
    RANK_ROOT_HINT,
    DnsRecord,
    DnsType,
    NameData,
    RecordData,
    split_name,
    timestamp_hours,
)
from addc.codes.win32 import Win32
from addc.directory import dns_node, dns_records
from addc.directory.add import add_object
from addc.directory.context import ReadContext, WriteContext
from addc.directory.dns_node import APEX, Records
from addc.directory.dns_zones import ROOT_HINTS, ZoneFacts, ZoneType

_NO_RECORDS: Final = frozenset((DnsType.ZERO, DnsType.ALL))
_APEX_ONLY: Final = frozenset((DnsType.SOA,))
ALL_TYPES: Final = 0xFF


def is_root_hints(zone: ZoneFacts) -> bool:
    """Whether this is the zone that holds the names of the root's servers."""
    return zone.name == ROOT_HINTS.lower()


def require_editable(zone: ZoneFacts) -> None:
    """Raise DsError where a zone's records are another server's."""
    kind = zone.properties.type
    if kind == ZoneType.SECONDARY:
        raise DsError(Win32.DNS_ERROR_SECONDARY_DATA, f"{zone.name} is a copy")
    if kind != ZoneType.PRIMARY and not is_root_hints(zone):
        raise DsError(Win32.DNS_ERROR_INVALID_ZONE_TYPE, f"{zone.name} has no records of its own")


def relative_of(zone: ZoneFacts, text: str) -> str:
    """The RDN of the node that a client means.

    "@", "" and the zone's own name are the apex; what ends with a dot, or with the zone's name, is a whole
    name, anything else is below the apex. Raises DsError for a name outside the zone.
    """
    name = text.strip().lower()
    if is_root_hints(zone):
        return APEX if name in ("", "@", ".") else name.removesuffix(".")
    if name in ("", "@", ".") or name.removesuffix(".") == zone.name:
        return APEX
    if name.endswith("." + zone.name):
        name += "."
    if name.endswith("."):
        relative = zone.relative(tuple(split_name(name)))
        if relative is None:
            raise DsError(Win32.DNS_ERROR_NAME_NOT_IN_ZONE, f"{text} is not in {zone.name}")
        return relative
    return name


def add_record(ctx: WriteContext, zone: ZoneFacts, relative: str, record: DnsRecord) -> None:
    """Add one record. Raises DsError where it is there, or an alias is in its way."""
    held = _held(ctx, zone, relative)
    _require_possible(zone, relative, record)
    if dns_node.find(held, record.type, record.data) is not None:
        raise DsError(Win32.DNS_ERROR_RECORD_ALREADY_EXISTS, "the record is there")
    _require_no_alias(held, record.type)
    if record.type != DnsType.SOA and held and not all(one.timestamp_h for one in held):
        record = replace(record, timestamp_h=0)  # beside a static record there is none that ages
    _write(ctx, zone, relative, dns_node.added(held, record))


def add_name(ctx: WriteContext, zone: ZoneFacts, relative: str) -> None:
    """Make a name that holds nothing; one that is there stays as it is."""
    require_editable(zone)
    if dns_records.read_node(ctx, zone, relative) is None:
        add_object(ctx, zone.node_dn(ctx, relative), [("objectClass", [b"dnsNode"])])


def replace_record(
    ctx: WriteContext, zone: ZoneFacts, relative: str, old: tuple[DnsType, RecordData], record: DnsRecord
) -> None:
    """Put one record in another's place: other data, or another time to live."""
    held = _held(ctx, zone, relative)
    _require_possible(zone, relative, record)
    gone = dns_node.find(held, *old)
    if gone is None:
        raise DsError(Win32.DNS_ERROR_RECORD_DOES_NOT_EXIST, "the record to be replaced is not there")
    rest = tuple(one for one in held if one is not gone)
    if dns_node.find(rest, record.type, record.data) is not None:
        raise DsError(Win32.DNS_ERROR_RECORD_ALREADY_EXISTS, "the record is there")
    _require_no_alias(rest, record.type)
    _write(ctx, zone, relative, dns_node.added(rest, record))


def delete_record(ctx: WriteContext, zone: ZoneFacts, relative: str, kind: DnsType, data: RecordData) -> None:
    """Take one record away; a name that loses its last one stays as a tombstone."""
    held = _held(ctx, zone, relative)
    gone = dns_node.find(held, kind, data)
    if gone is None:
        raise DsError(Win32.DNS_ERROR_RECORD_DOES_NOT_EXIST, "no such record")
    if kind == DnsType.SOA:
        raise DsError(Win32.DNS_ERROR_SOA_DELETE_INVALID, "a zone keeps its SOA record")
    _write(ctx, zone, relative, tuple(one for one in held if one is not gone))


def delete_set(ctx: WriteContext, zone: ZoneFacts, relative: str, kind: int) -> None:
    """Take away every record of a type, or all of a name; what is not there is gone already."""
    held = _held(ctx, zone, relative)
    if kind == ALL_TYPES:
        kept: Records = tuple(
            one for one in held if relative == APEX and one.type in (DnsType.SOA, DnsType.NS)
        )
    elif kind == DnsType.SOA and relative == APEX:
        raise DsError(Win32.DNS_ERROR_SOA_DELETE_INVALID, "a zone keeps its SOA record")
    else:
        kept = dns_node.removed(held, kind)
    if len(kept) != len(held):
        _write(ctx, zone, relative, kept)


def delete_name(ctx: WriteContext, zone: ZoneFacts, relative: str, *, subtree: bool) -> None:
    """End a name, and those below it where `subtree` says so; without, one that has names below it stays."""
    require_editable(zone)
    if relative == APEX:
        raise DsError(Win32.DNS_ERROR_INVALID_ZONE_OPERATION, "a zone's own name ends with the zone")
    below = list(_below(ctx, zone, relative))
    if below and not subtree:
        return
    dns_records.write_nodes(ctx, zone, {name: () for name in (relative, *below)})


def age_names(ctx: WriteContext, zone: ZoneFacts, relative: str, *, subtree: bool) -> None:
    """Make the records of a name age from now on. Raises DsError where the zone's do not."""
    require_editable(zone)
    if not zone.properties.aging:
        raise DsError(Win32.DNS_ERROR_INVALID_ZONE_OPERATION, f"records of {zone.name} do not age")
    node = dns_records.read_node(ctx, zone, relative)
    below = list(_below(ctx, zone, relative)) if subtree else []
    if (node is None or node.tombstoned) and not below:
        raise DsError(Win32.DNS_ERROR_NAME_DOES_NOT_EXIST, "no such name")
    hour = timestamp_hours(ctx.now)
    dns_records.write_nodes(
        ctx,
        zone,
        {
            name: tuple(
                one if one.type == DnsType.SOA else replace(one, timestamp_h=hour)
                for one in dns_records.records_at(ctx, zone, name)
            )
            for name in (relative, *below)
        },
    )


def _held(ctx: ReadContext, zone: ZoneFacts, relative: str) -> Records:
    require_editable(zone)
    return dns_records.records_at(ctx, zone, relative)


def _below(ctx: ReadContext, zone: ZoneFacts, relative: str) -> Iterator[str]:
    """Living names below one."""
    ending = "" if relative == APEX else f".{relative.lower()}"
    for node in dns_records.nodes(ctx, zone):
        name = node.relative.lower()
        if not node.tombstoned and name != APEX and name != relative.lower() and name.endswith(ending):
            yield node.relative


def _require_possible(zone: ZoneFacts, relative: str, record: DnsRecord) -> None:
    if record.type in _NO_RECORDS:
        raise DsError(Win32.DNS_ERROR_INVALID_TYPE, f"no record of type {record.type:d}")
    if record.type in _APEX_ONLY and relative != APEX:
        raise DsError(Win32.DNS_ERROR_RECORD_ONLY_AT_ZONE_ROOT, "only a zone's own name has it")
    if record.type == DnsType.CNAME and isinstance(record.data, NameData):
        own = zone.name if relative == APEX else f"{relative}.{zone.name}"
        if record.data.name.lower().removesuffix(".") == own.lower():
            raise DsError(Win32.DNS_ERROR_CNAME_LOOP, "an alias of itself")


def _require_no_alias(held: Records, kind: DnsType) -> None:
    """RFC 1034 3.6.2; a new alias takes an old one's place."""
    if dns_node.conflicts(held, kind):
        code = Win32.DNS_ERROR_CNAME_COLLISION if kind == DnsType.CNAME else Win32.DNS_ERROR_NODE_IS_CNAME
        raise DsError(code, "an alias is alone")


def _write(ctx: WriteContext, zone: ZoneFacts, relative: str, records: Records) -> None:
    if is_root_hints(zone):
        ranked = tuple(replace(one, rank=RANK_ROOT_HINT, ttl_s=0) for one in records)
    else:
        cut = dns_records.below_cut(ctx, zone, relative) or any(one.type == DnsType.NS for one in records)
        ranked = tuple(
            replace(one, rank=dns_node.rank_of(relative, one.type, below_cut=cut)) for one in records
        )
    dns_records.write_nodes(ctx, zone, {relative: ranked})
