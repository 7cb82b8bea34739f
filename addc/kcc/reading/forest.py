"""The planner's view of a forest from the objects of a directory, however damaged these are.

Nothing here raises: what is wrong with an object is noted as a trouble, with how the plan goes on.

Spec: [MS-ADTS] 6.2.2, 6.1.1.2.1, 6.1.1.2.2
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final

from addc.base.clock import TICKS_PER_S, FileTime
from addc.base.errors import DecodeError
from addc.codec.blobs import ReplUpToDateVector
from addc.codec.dn import Dn
from addc.kcc.reading.dcs import DcsRead, read_connections, read_dcs, read_places
from addc.kcc.reading.dn_keys import is_deleted, key_of, parent, plain
from addc.kcc.reading.entries import Kind, RawEntry, RootFacts, kind_of
from addc.kcc.reading.ncs import NcsRead, read_ncs
from addc.kcc.reading.replicas import Replicas
from addc.kcc.reading.sites import (
    SitesRead,
    TransportRead,
    read_bridges,
    read_links,
    read_sites,
    read_transport,
)
from addc.kcc.reading.values import Reader
from addc.kcc.snapshot import Dc, DcAt, Failure, NcAt, NcKind, Site, SiteLink, SiteLinkBridge, Snapshot

_NO_FAILURES: Final[Mapping[bytes, Failure]] = {}
_CONFIG: Final = "CN=Configuration,"
_Sorted = dict[Kind, list[RawEntry]]


def snapshot_of(
    entries: Iterable[RawEntry],
    facts: RootFacts,
    now: FileTime,
    failures: Mapping[bytes, Failure] = _NO_FAILURES,
) -> Snapshot:
    """The forest as the entries tell. facts: what is empty in them is made out from the entries.

    failures: DCs that did not answer, by the GUIDs of their nTDSDSA objects.
    """
    reader = Reader()
    reader.troubles.extend(facts.troubles)
    of_kind = _sorted(reader, entries)
    facts = completed(facts, of_kind)
    if not facts.config_dn:
        reader.note("", "nothing tells the configuration naming context", "no naming context is planned for")
    ncs = read_ncs(reader, of_kind[Kind.CROSS_REF], facts)
    sites = read_sites(reader, of_kind[Kind.SITE], of_kind[Kind.SETTINGS])
    transport = read_transport(reader, of_kind[Kind.TRANSPORT], of_kind[Kind.SERVER], facts.config_dn)
    places = read_places(reader, of_kind[Kind.DSA], sites)
    connections = read_connections(reader, of_kind[Kind.CONNECTION], places)
    dcs = read_dcs(reader, places, Replicas(reader, ncs), connections, transport.bridgeheads)
    links, bridges = _joins(reader, of_kind, sites, transport)
    cursors, owners = _heads(reader, of_kind[Kind.OTHER], ncs, places)
    return Snapshot(
        now,
        facts.config_dn,
        _dns_name(facts.root_dn),
        _local(reader, facts, places),
        ncs.ncs,
        _with_generators(reader, sites, places, dcs),
        dcs,
        links,
        bridges,
        transport.guid,
        transport.dn,
        transport.options,
        dict(failures),
        cursors,
        owners,
        reader.all_troubles(),
    )


def _sorted(reader: Reader, entries: Iterable[RawEntry]) -> _Sorted:
    """Entries by kind, deleted ones left out. OTHER has only those that tell of roles and cursors."""
    of_kind: _Sorted = {kind: [] for kind in Kind}
    kinds: dict[tuple[bytes, ...], Kind] = {}
    for entry in entries:
        classes = tuple(entry.values.get("objectclass", ()))
        kind = kinds.get(classes)
        if kind is None:
            kind = kinds[classes] = kind_of(classes)
        if kind is Kind.OTHER:
            if "fsmoroleowner" in entry.values or "repluptodatevector" in entry.values:
                of_kind[kind].append(entry)
            elif not classes:
                reader.note(plain(entry.dn), "objectClass is missing", "the object is passed over")
        elif _is_gone(entry):
            reader.note(plain(entry.dn), "the object was deleted", "it is passed over")
        else:
            of_kind[kind].append(entry)
    return of_kind


def _is_gone(entry: RawEntry) -> bool:
    if "isdeleted" in entry.values and entry.values["isdeleted"][:1] != [b"FALSE"]:
        return True
    return "DEL:" in entry.dn.upper() and is_deleted(key_of(entry.dn))


def completed(facts: RootFacts, of_kind: Mapping[Kind, list[RawEntry]]) -> RootFacts:
    """Facts whose empty ones are made out from where the objects lie."""
    config = facts.config_dn
    if "=" not in config:
        named = [entry.dn for kind in (Kind.CROSS_REF, Kind.SITE) for entry in of_kind[kind][:1]]
        config = next((found for dn in named if (found := _config_above(plain(dn)))), "")
    schema = facts.schema_dn or (f"CN=Schema,{config}" if config else "")
    root = facts.root_dn
    if not root and key_of(config).startswith(_CONFIG.lower()):
        root = parent(config)
    return replace(facts, config_dn=config, schema_dn=schema, root_dn=root)


def _config_above(dn: str) -> str:
    while dn and not dn.upper().startswith(_CONFIG.upper()):
        dn = parent(dn)
    return dn


def _joins(
    reader: Reader, of_kind: _Sorted, sites: SitesRead, transport: TransportRead
) -> tuple[tuple[SiteLink, ...], tuple[SiteLinkBridge, ...]]:
    links, at = read_links(reader, of_kind[Kind.LINK], sites, transport)
    passed_over = (
        frozenset(key_of(entry.dn) for entry in of_kind[Kind.LINK]) if of_kind[Kind.BRIDGE] else None
    )
    bridges = read_bridges(reader, of_kind[Kind.BRIDGE], at, passed_over or frozenset(), transport)
    return links, bridges


def _dns_name(dn: str) -> str:
    try:
        return Dn.parse(dn).dns_domain() if dn else ""
    except DecodeError:
        return ""


def _local(reader: Reader, facts: RootFacts, places: DcsRead) -> DcAt | None:
    if not facts.service_dn:
        return None
    at = places.find(reader, facts.service_dn.encode())
    if at is None:
        what = "dsServiceName names no DC"
        reader.note(plain(facts.service_dn), what, "the view is of no DC's own")
    return at


def _with_generators(
    reader: Reader, sites: SitesRead, places: DcsRead, dcs: tuple[Dc, ...]
) -> tuple[Site, ...]:
    """Sites whose generator, where it is a DC, is spelled as that DC's DN is."""
    found = []
    for site in sites.sites:
        at = places.places.get(key_of(site.generator)) if site.generator else None
        if at is not None and site.generator != dcs[at].dn:
            site = replace(site, generator=dcs[at].dn)  # noqa: PLW2901
        elif at is None and site.generator:
            what = f"interSiteTopologyGenerator names no DC: {site.generator}"
            reader.note(site.dn, what, "the site's DCs choose anew")
        found.append(site)
    return tuple(found)


def _heads(
    reader: Reader, entries: list[RawEntry], ncs: NcsRead, places: DcsRead
) -> tuple[dict[bytes, FileTime], dict[NcAt, frozenset[DcAt]]]:
    """Cursors of the config NC, and the owners of roles in each naming context."""
    cursors: dict[bytes, FileTime] = {}
    owners: dict[NcAt, set[DcAt]] = {}
    config = ncs.of_kind(NcKind.CONFIG)
    for entry in entries:
        key = key_of(entry.dn)
        nc = _nc_above(key, ncs)
        if nc is None:
            continue
        vector = reader.single(entry, "repluptodatevector")
        if vector is not None and nc == config and ncs.places.get(key) == config:
            cursors = _cursors(reader, entry, vector)
        owner = reader.single(entry, "fsmoroleowner")
        if owner is None:
            continue
        dc = places.find(reader, owner)
        if dc is None:
            named = plain(owner.decode("utf-8", "replace"))
            reader.note(plain(entry.dn), f"fSMORoleOwner names no DC: {named}", "nobody has the role")
        else:
            owners.setdefault(nc, set()).add(dc)
    return cursors, {nc: frozenset(held) for nc, held in sorted(owners.items())}


def _nc_above(key: str, ncs: NcsRead) -> NcAt | None:
    while key:
        at = ncs.places.get(key)
        if at is not None:
            return at
        key = parent(key)
    return None


def _cursors(reader: Reader, entry: RawEntry, vector: bytes) -> dict[bytes, FileTime]:
    """By invocationId, when changes were last fetched; a version 1 vector does not tell."""
    try:
        found = ReplUpToDateVector.unpack(vector).cursors
    except DecodeError:
        what = "replUpToDateVector cannot be read"
        reader.note(plain(entry.dn), what, "nobody can tell when a DC was last heard of")
        return {}
    return {one.uuid_dsa: FileTime(one.last_sync_s * TICKS_PER_S) for one in found if one.last_sync_s}
