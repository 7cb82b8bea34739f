"""What a process remembers of the directory's zones, and how it follows their changes row by row.

A question is answered from here; a name asked for the first time is read from the directory. Each commit that
touched rows of DNS is looked through once: the names it changed are forgotten and told to whoever keeps whole
replies. Commits elsewhere, of logons say, cost one look at the log.

A change of a zone's SOA alone, as every update makes one, is told apart from other changes at the top of the
zone: only negative answers show it.

Spec: [MS-DNSP] 2.3.2, RFC 4592 2.2.2 (empty non-terminals)
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from addc.base.ids import Dnt
from addc.codec.dns_names import Name
from addc.codec.dns_rdata import DnsRecord, DnsType, SoaData
from addc.directory import commit_log, dns_zones, names
from addc.directory.context import ReadContext
from addc.directory.dns_node import unpacked
from addc.directory.dns_records import is_tombstoned
from addc.directory.dns_settings import (
    SETTINGS_STATE,
    ZONES_STATE,
    DnsSettings,
    ZoneSettings,
    all_zone_settings,
    settings,
)
from addc.directory.dns_zones import Replication, ZoneFacts
from addc.schema import attr, cls
from addc.store.objects import ObjectRow, ObjectState

SOA_MARK: Final = b""
"""Before the labels of an apex: the zone's SOA, and nothing else at the apex. No name has an empty label."""
NODES_MAX: Final = 200_000
"""Names remembered, those that are not there too; where it is reached all is forgotten."""
_BATCH: Final = 1000
_CHANGED_MAX: Final = 5_000
"""Rows looked through one by one; after a larger change it is cheaper to begin anew."""

Records = Sequence[DnsRecord]
_NOT_KNOWN: Final[Records] = []


class KnownZone:
    """One zone. nodes: records by name relative to the apex; None for a name that is not there.

    interior: how many nodes lie below each name that is above a node; None until somebody asked.
    """

    __slots__ = ("facts", "interior", "nodes", "settings")

    def __init__(self, facts: ZoneFacts, decided: ZoneSettings) -> None:
        self.facts = facts
        self.settings = decided
        self.nodes: dict[Name, Records | None] = {}
        self.interior: dict[Name, int] | None = None

    @property
    def apex(self) -> Name:
        return self.facts.apex

    def count(self, name: Name, step: int) -> None:
        """Take a node into account for the names between it and the apex, or out again."""
        interior = self.interior
        if interior is None:
            return
        for skip in range(1, len(name)):
            above = name[skip:]
            left = interior.get(above, 0) + step
            if left > 0:
                interior[above] = left
            else:
                interior.pop(above, None)


class ZoneMemory:
    """All zones as of commit `seq`; `follow` brings them up to a context's snapshot."""

    def __init__(self) -> None:
        self.seq = -1
        self.settings = DnsSettings()
        self.blocked: frozenset[bytes] = frozenset()
        """Labels that zones are not asked for."""
        self._kept: tuple[bytes | None, ...] = ()
        self._zones: dict[Name, KnownZone] = {}
        self._by_row: dict[Dnt, KnownZone] = {}
        self._where: dict[Dnt, tuple[KnownZone, Name]] = {}
        self._deep: dict[Dnt, tuple[KnownZone, Name]] = {}
        self._containers: frozenset[Dnt] = frozenset()
        self._legacy: Dnt | None = None
        self._legacy_zones: list[tuple[bytes, Dnt]] = []
        self._has_legacy = False
        self._remembered = 0

    # --- asking ---

    def covering(self, name: Name) -> KnownZone | None:
        """The zone with the longest apex that ends `name`, whatever its type."""
        zones = self._zones
        for skip in range(len(name) + 1):
            zone = zones.get(name[skip:])
            if zone is not None:
                return zone
        return None

    def node(self, ctx: ReadContext, zone: KnownZone, relative: Name) -> Records | None:
        """The records of a name; () where only names below it exist; None where there is nothing."""
        known = zone.nodes.get(relative, _NOT_KNOWN)
        if known is not _NOT_KNOWN:
            return known
        found = self._read(ctx, zone, relative)
        if self._remembered >= NODES_MAX:
            self._forget_nodes()
        self._remembered += 1
        zone.nodes[relative] = found
        return found

    def _read(self, ctx: ReadContext, zone: KnownZone, relative: Name) -> Records | None:
        text = _rdn(relative)
        row = None if text is None else names.child_named(ctx, zone.facts.row.dnt, attr.DC, text)
        # The directory takes names for equal that differ in accents; the DNS does not.
        if row is not None and row.class_id == cls.DNS_NODE and _same(row.rdn, text):
            self._where[row.dnt] = zone, relative
            if not is_tombstoned(row):
                records = unpacked(row.attrs.get(attr.DNS_RECORD, ()))
                return records if relative else _own(records, ctx.forest.host_fqdn)
        if not relative or relative in self._interior(ctx, zone):
            return ()
        return None

    def _interior(self, ctx: ReadContext, zone: KnownZone) -> dict[Name, int]:
        if zone.interior is None:
            zone.interior = {}
            for row in _deep_rows(ctx, zone.facts.row.dnt):
                self._count(zone, row)
        return zone.interior

    def _count(self, zone: KnownZone, row: ObjectRow) -> None:
        """Take a node into account, if it is one that lives and lies deeper than just below the apex."""
        if zone.interior is not None and "." in row.rdn and _counts(row):
            name = _labels(row.rdn)
            self._deep[row.dnt] = zone, name
            zone.count(name, 1)

    def warm(self, ctx: ReadContext) -> None:
        """Learn the names between nodes and apex of every zone, which takes time in large ones."""
        self.follow(ctx)
        for zone in self._zones.values():
            self._interior(ctx, zone)

    # --- following ---

    def follow(self, ctx: ReadContext) -> set[Name] | None:
        """Come up to the context's snapshot; the names that changed since, None for all of them.

        A name stands for itself alone: those above it that come or go with it are named too.
        """
        if ctx.tx.seq == self.seq:
            return set()
        before, self.seq = self.seq, -1  # what fails on the way begins anew
        changed = self._followed(ctx, before)
        self.seq = ctx.tx.seq
        return changed

    def _followed(self, ctx: ReadContext, before: int) -> set[Name] | None:
        commits = commit_log.commits_after(ctx, before) if before >= 0 else None
        dnts = None if commits is None else self._touched(ctx, commits)
        if dnts is None or len(dnts) > _CHANGED_MAX:
            self._list_zones(ctx, {})
            return None
        zones_changed = self._decisions_changed(ctx)
        changed: set[Name] = set()
        rows = {row.dnt: row for row in ctx.tx.get_many(dnts)} if dnts else {}
        for dnt in dnts:
            row = rows.get(dnt)
            if dnt in self._containers or dnt in self._by_row or (row is not None and _is_zone(row)):
                zones_changed = True
            else:
                self._follow_row(ctx, dnt, row, changed)
        if not zones_changed:
            return changed
        self._list_zones(ctx, self._by_row)
        return None

    def _touched(self, ctx: ReadContext, commits: Iterable[commit_log.Commit]) -> list[Dnt]:
        """Rows that commits touched where zones are."""
        forest = ctx.forest
        own = {forest.domain_dns_nc, forest.forest_dns_nc} - {0}
        if self._has_legacy:
            own.add(forest.domain_nc)
        dnts: dict[Dnt, None] = {}
        for commit in commits:
            if not own.isdisjoint(commit.ncs):
                dnts.update(dict.fromkeys(commit.dnts))
        return list(dnts)

    def _decisions_changed(self, ctx: ReadContext) -> bool:
        """Whether settings changed, or zones came or went where most commits are not looked at."""
        legacy = self._legacy
        if legacy is not None and ctx.tx.children(legacy) != self._legacy_zones:
            return True
        return _kept_settings(ctx) != self._kept

    def _list_zones(self, ctx: ReadContext, held: Mapping[Dnt, KnownZone]) -> None:
        """List the zones anew. held: those whose content is still known."""
        if not held:
            self._where.clear()
            self._deep.clear()
            self._remembered = 0
        self._kept = _kept_settings(ctx)
        self.settings = found = settings(ctx)
        blocked = found.blocked_names if found.block_queries else ()
        self.blocked = frozenset(one.lower().encode() for one in blocked)
        decided_all = all_zone_settings(ctx)
        places = dict(dns_zones.containers(ctx))
        self._containers = frozenset(places.values())
        self._legacy = places.get(Replication.LEGACY)
        self._legacy_zones = [] if self._legacy is None else ctx.tx.children(self._legacy)
        known: dict[Dnt, KnownZone] = {}
        for facts in dns_zones.all_zones(ctx):
            decided = decided_all.get(facts.name, ZoneSettings())
            zone = held.get(facts.row.dnt) or KnownZone(facts, decided)
            zone.facts, zone.settings = facts, decided
            known[facts.row.dnt] = zone
        self._by_row = known
        self._zones = {zone.apex: zone for zone in known.values()}
        self._has_legacy = any(zone.facts.replication is Replication.LEGACY for zone in known.values())

    def _forget_nodes(self) -> None:
        """Make room; what whole replies depend on is looked up by row again where a row changes."""
        self._remembered = 0
        for zone in self._zones.values():
            zone.nodes.clear()

    def _follow_row(self, ctx: ReadContext, dnt: Dnt, row: ObjectRow | None, changed: set[Name]) -> None:
        """Forget what a touched row said, under the name that it had and the one it has."""
        for known in (self._where.pop(dnt, None), self._deep.get(dnt)):
            if known is not None:
                self._change(ctx, *known, changed)
        deep = self._deep.pop(dnt, None)
        if deep is not None:
            deep[0].count(deep[1], -1)
        zone = None if row is None else self._by_row.get(row.parent)
        if zone is not None and row is not None and row.class_id == cls.DNS_NODE:
            self._count(zone, row)
            self._change(ctx, zone, () if row.rdn == "@" else _labels(row.rdn), changed)

    def _change(self, ctx: ReadContext, zone: KnownZone, name: Name, changed: set[Name]) -> None:
        if not name:
            self._change_apex(ctx, zone, changed)
            return
        for skip in range(len(name)):
            zone.nodes.pop(name[skip:], None)
            changed.add(name[skip:] + zone.apex)

    def _change_apex(self, ctx: ReadContext, zone: KnownZone, changed: set[Name]) -> None:
        before = zone.nodes.pop((), None)
        after = self.node(ctx, zone, ())
        changed.add((SOA_MARK, *zone.apex))
        if before is None or _without_soa(before) != _without_soa(after or ()):
            changed.add(zone.apex)


def _kept_settings(ctx: ReadContext) -> tuple[bytes | None, ...]:
    """The settings as they are stored: equal ones need not be read."""
    return ctx.tx.state(SETTINGS_STATE), ctx.tx.state(ZONES_STATE)


def _own(apex: Records, host: str) -> Records:
    """An apex as this server shows it: the server that takes updates is itself (each DC is a primary)."""
    return [
        replace(one, data=replace(one.data, mname=host)) if isinstance(one.data, SoaData) else one
        for one in apex
    ]


def _without_soa(records: Records) -> list[DnsRecord]:
    return [one for one in records if one.type != DnsType.SOA]


def _deep_rows(ctx: ReadContext, zone: Dnt) -> Iterable[ObjectRow]:
    """The rows of a zone whose names have more than one label; others are passed over by their keys."""
    deep = [dnt for key, dnt in ctx.tx.children(zone) if b"." in key[4:]]
    for start in range(0, len(deep), _BATCH):
        yield from ctx.tx.pass_by(deep[start : start + _BATCH])


def _is_zone(row: ObjectRow) -> bool:
    return row.class_id == cls.DNS_ZONE


def _counts(row: ObjectRow) -> bool:
    return row.class_id == cls.DNS_NODE and row.state is ObjectState.LIVE and not is_tombstoned(row)


def _labels(rdn: str) -> Name:
    return tuple(rdn.lower().encode("utf-8", "surrogateescape").split(b"."))


def _same(rdn: str, text: str | None) -> bool:
    return rdn == text or (text is not None and rdn.lower() == text.lower())


def _rdn(name: Name) -> str | None:
    """The RDN of a relative name; None for what no node can have: not UTF-8, with a dot, or "@" itself."""
    if not name:
        return "@"
    if name == (b"@",) or any(b"." in label for label in name):
        return None
    try:
        return b".".join(name).decode("utf-8")
    except UnicodeDecodeError:
        return None
