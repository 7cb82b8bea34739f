"""The forest's zones, read from the directory where a question needs them: no copy that could grow stale.

A zone is a dnsZone below CN=MicrosoftDNS of a DNS partition (or of CN=System, as Windows 2000 kept them);
a name in it is a dnsNode whose RDN is the name relative to the zone, "@" for the apex.

Spec: [MS-DNSP] 3.1.1.1, 2.3.2
"""

from collections.abc import Iterator, Sequence
from typing import Final

from addc.base.errors import DecodeError, DsError
from addc.base.ids import Dnt, Usn
from addc.codec.dns_rdata import DnsRecord, DnsType
from addc.directory import names
from addc.directory.context import ReadContext
from addc.dns.answer import Name
from addc.schema import attr, cls
from addc.store.objects import ObjectRow, ObjectState

_CONTAINER: Final = "CN=MicrosoftDNS,"
_HIDDEN_ZONES: Final = frozenset({"rootdnsservers", "..trustanchors", "..cache"})
_BATCH: Final = 1000
_NO_RDN: Final = "\udcff"
"""What no attribute can hold."""


class DirectoryZone:
    """One dnsZone in one read transaction."""

    __slots__ = ("_ctx", "_interior", "_row", "apex")

    def __init__(self, ctx: ReadContext, row: ObjectRow, apex: Name, interior: "InteriorNames") -> None:
        self._ctx = ctx
        self._row = row
        self.apex = apex
        self._interior = interior

    def node(self, name: Name) -> Sequence[DnsRecord] | None:
        """The records at `name`; () where only names below it exist; None where there is nothing."""
        relative = name[: len(name) - len(self.apex)]
        row = names.child_named(self._ctx, self._row.dnt, attr.DC, _text(relative) if relative else "@")
        if row is not None:
            records = _records(row)
            if records or not _is_tombstoned(row):
                return records
        if not relative or relative in self._interior.of(self._ctx, self._row):
            return ()
        return None


class DirectoryZones:
    """All zones of one read transaction."""

    __slots__ = ("_containers", "_ctx", "_interior", "_known")

    def __init__(self, ctx: ReadContext, interior: "InteriorNames") -> None:
        self._ctx = ctx
        self._interior = interior
        self._containers = tuple(_containers(ctx))
        self._known: dict[Name, DirectoryZone | None] = {}

    def covering(self, name: Name) -> DirectoryZone | None:
        """The zone with the longest apex that ends `name`."""
        for skip in range(len(name)):
            zone = self._zone(name[skip:])
            if zone is not None:
                return zone
        return None

    def _zone(self, apex: Name) -> DirectoryZone | None:
        if apex not in self._known:
            self._known[apex] = self._find(apex)
        return self._known[apex]

    def _find(self, apex: Name) -> DirectoryZone | None:
        text = _text(apex)
        if text in _HIDDEN_ZONES:
            return None
        for container in self._containers:
            row = names.child_named(self._ctx, container, attr.DC, text)
            if row is not None and row.class_id == cls.DNS_ZONE:
                return DirectoryZone(self._ctx, row, apex, self._interior)
        return None


class InteriorNames:
    """Names that exist only because names below them do (empty non-terminals), per zone.

    Kept from request to request and brought up to date by what changed since; a removal of names makes the
    zone's set anew when it is next needed.
    """

    __slots__ = ("_zones",)

    def __init__(self) -> None:
        self._zones: dict[Dnt, tuple[Usn, set[Name]]] = {}

    def of(self, ctx: ReadContext, zone: ObjectRow) -> set[Name]:
        """The zone's empty non-terminals as of the context's snapshot."""
        kept = self._zones.get(zone.dnt)
        if kept is not None and kept[0] == ctx.tx.usn:
            return kept[1]
        found = self._renew(ctx, zone, *kept) if kept is not None and kept[0] < ctx.tx.usn else None
        if found is None:
            found = set()
            for row in names.children(ctx, zone.dnt):
                if not _is_tombstoned(row):
                    _add_interior(found, row.rdn)
        self._zones[zone.dnt] = (ctx.tx.usn, found)
        return found

    @staticmethod
    def _renew(ctx: ReadContext, zone: ObjectRow, usn: Usn, found: set[Name]) -> set[Name] | None:
        """`found` with what came since `usn`; None where it has to be made anew."""
        changed = ctx.tx.changes(zone.nc, usn, _BATCH)
        if len(changed) == _BATCH:
            return None
        renewed = set(found)
        for row in ctx.tx.get_many(changed):
            if row.state is not ObjectState.LIVE or _is_tombstoned(row):
                return None
            if row.parent == zone.dnt:
                _add_interior(renewed, row.rdn)
        return renewed


def _add_interior(found: set[Name], rdn: str) -> None:
    """Every proper suffix of a relative name."""
    parts = tuple(rdn.lower().encode("utf-8").split(b"."))
    found.update(parts[skip:] for skip in range(1, len(parts)))


def _containers(ctx: ReadContext) -> Iterator[Dnt]:
    forest = ctx.forest
    for base in (forest.domain_dns_dn, forest.forest_dns_dn, f"CN=System,{forest.domain_dn}"):
        if base:
            try:
                yield names.resolve(ctx, _CONTAINER + base).dnt
            except DsError:
                continue


def _text(name: Name) -> str:
    """The RDN that stands for a name; no object has one for labels that are not UTF-8 or hold dots."""
    if any(b"." in label for label in name):
        return _NO_RDN
    return b".".join(name).decode("utf-8", "surrogateescape")


def _is_tombstoned(row: ObjectRow) -> bool:
    return row.attrs.get(attr.DNS_TOMBSTONED, (b"FALSE",))[0] == b"TRUE"


def _records(row: ObjectRow) -> list[DnsRecord]:
    """The node's records; one that cannot be read is left out, so that it hides no other."""
    found = []
    for value in row.attrs.get(attr.DNS_RECORD, ()):
        try:
            record = DnsRecord.unpack(value)
        except DecodeError:
            continue
        if record.type != DnsType.ZERO:
            found.append(record)
    return found
