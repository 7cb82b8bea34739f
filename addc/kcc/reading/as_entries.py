"""A snapshot as the objects that it could have been read from.

What a snapshot does not keep is made from names: crossRefs, containers, SIDs of domains, GUIDs of what has
none of its own. Reading the objects gives the snapshot again, but for its failures and troubles.

Spec: [MS-ADTS] 6.1.1.2.1.1, 6.1.1.2.2
"""

from collections.abc import Iterator, Mapping, Sequence
from enum import IntFlag
from hashlib import blake2b
from typing import Final
from uuid import UUID

from addc.base.clock import TICKS_PER_S
from addc.base.ids import Usn
from addc.codec.blobs import ReplUpToDateVector, UpToDateCursor
from addc.codec.dn import Dn, join_dn_binary
from addc.codec.schedule import ALWAYS, pack_schedule
from addc.codec.times import format_generalized
from addc.kcc.reading.dn_keys import key_of, parent, rdn_value
from addc.kcc.reading.entries import RawEntry, RootFacts
from addc.kcc.reading.values import made_guid
from addc.kcc.snapshot import (
    NO_TIME,
    Connection,
    Dc,
    DcAt,
    NamingContext,
    NcAt,
    NcKind,
    Replica,
    Site,
    SiteLink,
    Snapshot,
)

_FLAGS: Final = {NcKind.CONFIG: 1, NcKind.SCHEMA: 1, NcKind.DOMAIN: 3, NcKind.APPLICATION: 5}
_NOT_IN_GC: Final = 4
_HEAD_CLASS: Final = {
    NcKind.CONFIG: "configuration",
    NcKind.SCHEMA: "dMD",
    NcKind.DOMAIN: "domainDNS",
    NcKind.APPLICATION: "domainDNS",
}
_HELD_IN: Final = {
    Replica.WRITABLE: "msds-hasmasterncs",
    Replica.READ_ONLY: "msds-hasfullreplicancs",
    Replica.PARTIAL: "haspartialreplicancs",
}
_INSTANCE: Final = {
    Replica.WRITABLE: b"\0\0\0\x0d",
    Replica.READ_ONLY: b"\0\0\0\x09",
    Replica.PARTIAL: b"\0\0\0\x09",
}
_KINDS_IN_MASTER: Final = (NcKind.CONFIG, NcKind.SCHEMA, NcKind.DOMAIN)
_Values = dict[str, Sequence[bytes]]


def entries_of(snapshot: Snapshot) -> tuple[list[RawEntry], RootFacts]:
    """Every object, parents first, and what a rootDSE would say."""
    facts = _facts(snapshot)
    return list(_entries(snapshot)), facts


def _facts(snapshot: Snapshot) -> RootFacts:
    schema = next((nc.dn for nc in snapshot.ncs if nc.kind is NcKind.SCHEMA), "")
    local = None if snapshot.local is None else snapshot.dcs[snapshot.local]
    root = str(Dn.of_dns(snapshot.forest_dns))
    at = None if local is None else local.domain
    return RootFacts(
        snapshot.config_dn,
        schema,
        root,
        root if at is None else snapshot.ncs[at].dn,
        "" if local is None else local.dn,
    )


def _entries(snapshot: Snapshot) -> Iterator[RawEntry]:
    yield from _heads(snapshot)
    yield from _partitions(snapshot)
    sites_dn = f"CN=Sites,{snapshot.config_dn}"
    yield _entry(sites_dn, "sitesContainer")
    for site in snapshot.sites:
        yield from _site(site)
    yield from _transport(snapshot, f"CN=Inter-Site Transports,{sites_dn}")
    for dc in snapshot.dcs:
        yield from _dc(snapshot, dc)


def _entry(dn: str, *classes: str, guid: bytes = b"", **values: str | int) -> RawEntry:
    """An object. Values by attribute; empty ones and zeros are left out."""
    held: _Values = {
        "objectclass": tuple(one.encode() for one in ("top", *classes)),
        "objectguid": (guid or made_guid(key_of(dn)),),
    }
    for name, value in values.items():
        if value:
            held[name] = (str(value).encode(),)
    return RawEntry(dn, held)


def _bits(options: IntFlag) -> int:
    """Options as the directory has them: signed, 32 bits."""
    return int(options) - (1 << 32) if int(options) >= 1 << 31 else int(options)


def _heads(snapshot: Snapshot) -> Iterator[RawEntry]:
    for at, nc in enumerate(snapshot.ncs):
        owners = sorted(snapshot.role_owners.get(NcAt(at), ()))
        entry = _entry(
            nc.dn, _HEAD_CLASS[nc.kind], fsmoroleowner=snapshot.dcs[owners[0]].dn if owners else ""
        )
        values = dict(entry.values)
        if nc.kind is NcKind.DOMAIN:
            values["objectsid"] = (_sid(nc.dn),)
        if nc.kind is NcKind.CONFIG and snapshot.cursors:
            values["repluptodatevector"] = (_vector(snapshot),)
        yield RawEntry(nc.dn, values)
        for number, owner in enumerate(owners[1:]):
            place = "CN=Infrastructure" if number == 0 else f"CN=Role {number}"
            yield _entry(f"{place},{nc.dn}", "infrastructureUpdate", fsmoroleowner=snapshot.dcs[owner].dn)


def _sid(dn: str) -> bytes:
    digest = blake2b(key_of(dn).encode(), digest_size=12).digest()
    parts = [int.from_bytes(digest[at : at + 4], "little") for at in (0, 4, 8)]
    return f"S-1-5-21-{parts[0]}-{parts[1]}-{parts[2]}".encode()


def _vector(snapshot: Snapshot) -> bytes:
    cursors = [
        UpToDateCursor(one, Usn(1), when // TICKS_PER_S) for one, when in sorted(snapshot.cursors.items())
    ]
    return ReplUpToDateVector(tuple(cursors)).pack()


def _partitions(snapshot: Snapshot) -> Iterator[RawEntry]:
    container = f"CN=Partitions,{snapshot.config_dn}"
    yield _entry(container, "crossRefContainer")
    listed = _listed(snapshot)
    taken: set[str] = set()
    for at, nc in enumerate(snapshot.ncs):
        name = _cross_ref_name(nc)
        if name in taken:
            name = str(UUID(bytes=made_guid(key_of(nc.dn))))
        taken.add(name)
        flags = _FLAGS[nc.kind]
        if nc.kind is NcKind.DOMAIN and not nc.is_in_gc:
            flags |= _NOT_IN_GC
        entry = _entry(f"CN={name},{container}", "crossRef", ncname=nc.dn, systemflags=flags)
        yield RawEntry(entry.dn, {**entry.values, **listed.get(NcAt(at), {})})


def _cross_ref_name(nc: NamingContext) -> str:
    match nc.kind:
        case NcKind.CONFIG:
            return "Enterprise Configuration"
        case NcKind.SCHEMA:
            return "Enterprise Schema"
        case NcKind.DOMAIN:
            return rdn_value(nc.dn).upper()
        case NcKind.APPLICATION:
            return str(UUID(bytes=made_guid(key_of(nc.dn))))


def _listed(snapshot: Snapshot) -> dict[NcAt, _Values]:
    """The DCs that crossRefs of application NCs list."""
    found: dict[NcAt, dict[str, list[bytes]]] = {}
    applications = {NcAt(at) for at, nc in enumerate(snapshot.ncs) if nc.kind is NcKind.APPLICATION}
    for dc in snapshot.dcs:
        name = "msds-nc-ro-replica-locations" if dc.is_read_only else "msds-nc-replica-locations"
        for nc in dc.due:
            if nc in applications:
                found.setdefault(nc, {}).setdefault(name, []).append(dc.dn.encode())
    return {nc: dict(values) for nc, values in found.items()}


def _site(site: Site) -> Iterator[RawEntry]:
    yield _entry(site.dn, "site", guid=site.guid)
    yield _entry(f"CN=Servers,{site.dn}", "serversContainer")
    if not site.has_settings:
        return
    entry = _entry(
        f"CN=NTDS Site Settings,{site.dn}",
        "applicationSiteSettings",
        "nTDSSiteSettings",
        options=_bits(site.options),
        intersitetopologygenerator=site.generator,
        intersitetopologyfailover=site.failover_s,
    )
    if site.schedule is None:
        yield entry
    else:
        yield RawEntry(entry.dn, {**entry.values, "schedule": (pack_schedule(site.schedule),)})


def _transport(snapshot: Snapshot, container: str) -> Iterator[RawEntry]:
    yield _entry(container, "interSiteTransportContainer")
    dn = snapshot.transport_dn or f"CN=IP,{container}"
    guid = snapshot.transport_guid if any(snapshot.transport_guid) else b""
    entry = _entry(
        dn,
        "interSiteTransport",
        guid=guid,
        options=_bits(snapshot.transport_options),
        transportaddressattribute="dNSHostName",
    )
    preferred = tuple(parent(dc.dn).encode() for dc in snapshot.dcs if dc.is_preferred)
    yield RawEntry(dn, {**entry.values, **({"bridgeheadserverlistbl": preferred} if preferred else {})})
    sites = [site.dn.encode() for site in snapshot.sites]
    for link in snapshot.links:
        yield _link(link, sites)
    links = [link.dn.encode() for link in snapshot.links]
    for bridge in snapshot.bridges:
        entry = _entry(bridge.dn, "siteLinkBridge", guid=bridge.guid)
        yield RawEntry(bridge.dn, {**entry.values, "sitelinklist": tuple(links[at] for at in bridge.links)})


def _link(link: SiteLink, sites: Sequence[bytes]) -> RawEntry:
    entry = _entry(
        link.dn,
        "siteLink",
        guid=link.guid,
        cost=link.cost,
        replinterval=link.interval_min,
        options=_bits(link.options),
    )
    values: _Values = {**entry.values, "sitelist": tuple(sites[at] for at in link.sites)}
    if link.window != ALWAYS:
        values["schedule"] = (pack_schedule(link.window),)
    return RawEntry(link.dn, values)


def _dc(snapshot: Snapshot, dc: Dc) -> Iterator[RawEntry]:
    server = parent(dc.dn)
    yield _entry(server, "server", dnshostname=f"{dc.name.lower()}.{_dns_of(snapshot, dc)}")
    more = ("nTDSDSARO",) if dc.is_read_only else ()
    entry = _entry(dc.dn, "applicationSettings", "nTDSDSA", *more, guid=dc.guid, options=_bits(dc.options))
    values: _Values = {**entry.values, **_replicas(snapshot, dc.held)}
    values["msds-isrodc"] = (b"TRUE" if dc.is_read_only else b"FALSE",)
    values["msds-behavior-version"] = (b"%d" % dc.behavior_version,)
    if any(dc.invocation_id):
        values["invocationid"] = (dc.invocation_id,)
    if dc.domain is not None:
        values["msds-hasdomainncs"] = (snapshot.ncs[dc.domain].dn.encode(),)
    yield RawEntry(dc.dn, values)
    for connection in dc.connections:
        yield _connection(snapshot, connection)


def _dns_of(snapshot: Snapshot, dc: Dc) -> str:
    return snapshot.forest_dns if dc.domain is None else Dn.parse(snapshot.ncs[dc.domain].dn).dns_domain()


def _replicas(snapshot: Snapshot, held: Mapping[NcAt, Replica]) -> _Values:
    values: dict[str, list[bytes]] = {}
    for at, kind in held.items():
        nc = snapshot.ncs[at]
        dn = nc.dn.encode()
        values.setdefault(_HELD_IN[kind], []).append(dn)
        if kind is Replica.WRITABLE and nc.kind in _KINDS_IN_MASTER:
            values.setdefault("hasmasterncs", []).append(dn)
        values.setdefault("msds-hasinstantiatedncs", []).append(
            join_dn_binary(_INSTANCE[kind], nc.dn).encode()
        )
    return dict(values)


def _connection(snapshot: Snapshot, connection: Connection) -> RawEntry:
    source: DcAt | None = connection.source
    transport = connection.transport
    if transport:
        above = parent(snapshot.transport_dn) or f"CN=Inter-Site Transports,CN=Sites,{snapshot.config_dn}"
        transport = f"CN={transport},{above}"
    entry = _entry(
        connection.dn,
        "leaf",
        "nTDSConnection",
        guid=connection.guid,
        fromserver=connection.source_dn if source is None else snapshot.dcs[source].dn,
        transporttype=transport,
        options=_bits(connection.options),
        enabledconnection="TRUE" if connection.is_enabled else "FALSE",
    )
    values = dict(entry.values)
    if connection.created != NO_TIME:
        values["whencreated"] = (format_generalized(connection.created),)
    if connection.schedule is not None:
        values["schedule"] = (pack_schedule(connection.schedule),)
    return RawEntry(connection.dn, values)
