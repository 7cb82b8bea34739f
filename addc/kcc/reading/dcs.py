"""DCs from nTDSDSA objects, with the connections below each.

Spec: [MS-ADTS] 6.1.1.2.2.1.2.1, 6.1.1.2.2.1.2.1.2 (nTDSConnection), 6.1.1.2.2.1.2.1.3 (RODC)
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from addc.kcc.reading.dn_keys import guid_bytes, guid_in, is_deleted, key_of, parent, plain, rdn_value
from addc.kcc.reading.entries import RawEntry, is_rodc_class
from addc.kcc.reading.replicas import Replicas
from addc.kcc.reading.sites import SitesRead, unique
from addc.kcc.reading.values import Range, Reader
from addc.kcc.snapshot import Connection, ConnectionOption, Dc, DcAt, DsaOption, SiteAt

_LEVELS: Final = Range(0, 0, 0x7FFF_FFFF)
_NO_ID: Final = bytes(16)
_UNKNOWN_SOURCE: Final = "it replicates from nobody; a generated one is to go"


@dataclass(slots=True)
class DcsRead:
    """The nTDSDSA objects in order of their GUIDs, and where each is by key and by GUID."""

    entries: list[RawEntry] = field(default_factory=list)
    guids: list[bytes] = field(default_factory=list)
    sites: list[SiteAt] = field(default_factory=list)
    places: dict[str, DcAt] = field(default_factory=dict)
    by_guid: dict[bytes, DcAt] = field(default_factory=dict)

    def find(self, reader: Reader, value: bytes) -> DcAt | None:
        """The DC that a value names: by DN, else by the GUID of an extended DN."""
        at = self.places.get(reader.key(value))
        if at is None and value.startswith(b"<"):
            guid = guid_in(value.decode("utf-8", "replace"))
            return None if guid is None else self.by_guid.get(guid)
        return at


def read_places(reader: Reader, dsas: Sequence[RawEntry], sites: SitesRead) -> DcsRead:
    """Where each DC is; one outside every site is passed over."""
    found: list[tuple[bytes, str, SiteAt, RawEntry]] = []
    for key, entry in unique(reader, dsas).items():
        site = _site_of(key, sites.places)
        if site is None:
            reader.note(plain(entry.dn), "the DC is in no site", "it is passed over")
        else:
            found.append((reader.guid(entry), key, site, entry))
    found.sort(key=lambda one: one[0])
    read = DcsRead()
    for at, (guid, key, site, entry) in enumerate(found):
        read.guids.append(guid)
        read.sites.append(site)
        read.entries.append(entry)
        read.places[key] = read.by_guid[guid] = DcAt(at)
    return read


def _site_of(key: str, sites: Mapping[str, SiteAt]) -> SiteAt | None:
    """The nearest site above: the server's container lies in it."""
    above = parent(key)
    while above:
        at = sites.get(above)
        if at is not None:
            return at
        above = parent(above)
    return None


def read_connections(
    reader: Reader, entries: Sequence[RawEntry], dcs: DcsRead
) -> dict[DcAt, list[Connection]]:
    """Connections by the DC that they are of, in order of their GUIDs."""
    found: dict[DcAt, list[Connection]] = {}
    for key, entry in unique(reader, entries).items():
        target = dcs.places.get(parent(key))
        if target is None:
            reader.note(plain(entry.dn), "the connection is of no DC", "it is passed over")
        else:
            found.setdefault(target, []).append(_connection(reader, entry, target, dcs))
    for held in found.values():
        held.sort(key=lambda one: one.guid)
    return found


def _connection(reader: Reader, entry: RawEntry, target: DcAt, dcs: DcsRead) -> Connection:
    source, source_dn = _source(reader, entry, target, dcs)
    enabled = reader.truth(entry, "enabledconnection")
    if enabled is None:
        reader.note(plain(entry.dn), "enabledConnection is missing", "the connection counts as disabled")
    transport = reader.single(entry, "transporttype")
    return Connection(
        reader.guid(entry),
        plain(entry.dn),
        source,
        target,
        source_dn,
        reader.options(entry, ConnectionOption),
        enabled is True,
        "" if transport is None else _transport(transport),
        reader.week(entry, "the connection never starts by itself"),
        reader.time(entry, "whencreated"),
    )


def _transport(value: bytes) -> str:
    name = rdn_value(value.decode("utf-8", "replace"))
    return "IP" if name.upper() == "IP" else name


def _source(reader: Reader, entry: RawEntry, target: DcAt, dcs: DcsRead) -> tuple[DcAt | None, str]:
    value = reader.single(entry, "fromserver")
    if value is None:
        reader.note(plain(entry.dn), "fromServer is missing", _UNKNOWN_SOURCE)
        return None, ""
    named = plain(value.decode("utf-8", "replace"))
    source = dcs.find(reader, value)
    if source is None:
        gone = "a DC that was deleted" if is_deleted(reader.key(value)) else "no DC"
        reader.note(plain(entry.dn), f"fromServer names {gone}: {named}", _UNKNOWN_SOURCE)
    elif source == target:
        reader.note(plain(entry.dn), "fromServer names the DC itself", _UNKNOWN_SOURCE)
        return None, named
    return source, named


def read_dcs(
    reader: Reader,
    dcs: DcsRead,
    replicas: Replicas,
    connections: Mapping[DcAt, Sequence[Connection]],
    bridgeheads: frozenset[str],
) -> tuple[Dc, ...]:
    """All DCs. bridgeheads: keys of the servers that are preferred ones."""
    replicas.read_lists(dcs.places, map(DcAt, range(len(dcs.entries))))
    found = []
    for at, entry in enumerate(dcs.entries):
        dc = DcAt(at)
        server = parent(plain(entry.dn))
        options = reader.options(entry, DsaOption)
        is_read_only = _is_read_only(reader, entry)
        held = replicas.held(entry)
        domain = replicas.domain(entry, held)
        found.append(
            Dc(
                dcs.guids[at],
                plain(entry.dn),
                rdn_value(server),
                dcs.sites[at],
                _invocation_id(reader, entry, is_read_only),
                options,
                reader.number(entry, "msds-behavior-version", _LEVELS),
                is_read_only,
                domain,
                held,
                replicas.due(dc, domain, bool(options & DsaOption.IS_GC), is_read_only),
                bool(bridgeheads) and key_of(server) in bridgeheads,
                tuple(connections.get(dc, ())),
            )
        )
    return tuple(found)


def _is_read_only(reader: Reader, entry: RawEntry) -> bool:
    said = reader.truth(entry, "msds-isrodc")
    return is_rodc_class(entry.values.get("objectclass", ())) if said is None else said


def _invocation_id(reader: Reader, entry: RawEntry, is_read_only: bool) -> bytes:
    """Which database of the DC changes come from: cursors name it."""
    value = reader.single(entry, "invocationid")
    found = guid_bytes(value) if value is not None else None
    if found is None and not is_read_only:
        what = "invocationId is missing" if value is None else "invocationId is no GUID"
        reader.note(plain(entry.dn), what, "nobody can tell when the DC was last heard of")
    return found or _NO_ID
