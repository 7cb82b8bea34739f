"""LDIF in the form that Samba's KCC exports and imports, written from a snapshot.

A second hand beside kcc/reading/ldif_form.py, on purpose: what reads must agree with what a stranger writes.
"""

import hashlib
from base64 import b64encode
from collections.abc import Iterable, Iterator
from typing import Final, TypeAlias
from uuid import UUID

from addc.base.ids import Usn
from addc.codec.blobs import ReplUpToDateVector, UpToDateCursor
from addc.codec.schedule import ALWAYS, Quarters, pack_schedule
from addc.codec.times import format_generalized
from addc.kcc.snapshot import (
    Connection,
    Dc,
    DcAt,
    NamingContext,
    NcAt,
    NcKind,
    Replica,
    SiteLink,
    SiteLinkBridge,
    Snapshot,
)

_WIDTH: Final = 77
_ATTRIBUTE: Final = {
    Replica.WRITABLE: ("msDS-hasMasterNCs",),
    Replica.READ_ONLY: ("msDS-hasFullReplicaNCs",),
    Replica.PARTIAL: ("hasPartialReplicaNCs",),
}
_CLASSIC: Final = {NcKind.CONFIG, NcKind.SCHEMA, NcKind.DOMAIN}
_SITE_FLAGS: Final = 0x42000000
_CONNECTION_FLAGS: Final = 0x60000000
_DSTIME_TICKS: Final = 10_000_000

Line: TypeAlias = tuple[str, str | bytes]


def ldif_of(snapshot: Snapshot, local: DcAt | None = None) -> str:
    """All that the planner reads of it, as the DC `local` (the snapshot's own, or the first) would export it.

    Failures are not in it: an export has them only in repsFrom.
    """
    seen_from = local if local is not None else snapshot.local or DcAt(0)
    return "\n".join(_folded(record) for record in _records(snapshot, seen_from)) + "\n"


def _folded(record: Iterable[Line]) -> str:
    lines: list[str] = []
    for name, value in record:
        text = (
            f"{name}: {value}" if isinstance(value, str) else f"{name}:: {b64encode(value).decode('ascii')}"
        )
        lines.append(text[:_WIDTH] if name != "dn" else text)
        if name != "dn":
            lines += [" " + text[at : at + _WIDTH - 1] for at in range(_WIDTH, len(text), _WIDTH - 1)]
    return "\n".join(lines) + "\n"


def _records(snapshot: Snapshot, local: DcAt) -> Iterator[list[Line]]:
    yield from _partitions(snapshot)
    yield from _sites(snapshot)
    for dc in snapshot.dcs:
        yield _dsa(snapshot, dc)
    for dc in snapshot.dcs:
        for connection in dc.connections:
            yield _connection(snapshot, connection)
    yield _transport(snapshot)
    for link in snapshot.links:
        yield _link(snapshot, link)
    for bridge in snapshot.bridges:
        yield _bridge(snapshot, bridge)
    yield from _servers(snapshot)
    for at, nc in enumerate(snapshot.ncs):
        yield _head(snapshot, NcAt(at), nc)
    yield _root(snapshot, local)


def _made(dn: str, *classes: str, guid: bytes = b"") -> list[Line]:
    stored = guid or hashlib.blake2b(dn.encode(), digest_size=16).digest()
    return [
        ("dn", dn),
        ("objectClass", "top"),
        *(("objectClass", name) for name in classes),
        ("cn", dn.partition(",")[0].partition("=")[2]),
        ("objectGUID", str(UUID(bytes_le=stored))),
    ]


def _partitions(snapshot: Snapshot) -> Iterator[list[Line]]:
    for at, nc in enumerate(snapshot.ncs):
        record = _made(f"CN=nc{at},CN=Partitions,{snapshot.config_dn}", "crossRef")
        flags = 3 if nc.kind is NcKind.DOMAIN else 5 if nc.kind is NcKind.APPLICATION else 1
        if nc.kind is NcKind.DOMAIN and not nc.is_in_gc:
            flags |= 4
        record += [("nCName", nc.dn), ("systemFlags", str(flags))]
        if nc.kind is NcKind.APPLICATION:
            for dc in snapshot.dcs:
                if NcAt(at) in dc.due:
                    kind = "RO-" if dc.is_read_only else ""
                    record.append((f"msDS-NC-{kind}Replica-Locations", dc.dn))
        yield record
    container = _made(f"CN=Partitions,{snapshot.config_dn}", "crossRefContainer")
    naming_masters = snapshot.role_owners.get(NcAt(0), frozenset())
    container += [("fSMORoleOwner", snapshot.dcs[owner].dn) for owner in naming_masters]
    yield [*container, ("msDS-Behavior-Version", "7")]


def _sites(snapshot: Snapshot) -> Iterator[list[Line]]:
    for site in snapshot.sites:
        yield [*_made(site.dn, "site", guid=site.guid), ("systemFlags", str(_SITE_FLAGS))]
        if not site.has_settings:
            continue
        settings = _made(f"CN=NTDS Site Settings,{site.dn}", "applicationSiteSettings", "nTDSSiteSettings")
        if site.options:
            settings.append(("options", str(int(site.options))))
        if site.generator:
            settings.append(("interSiteTopologyGenerator", site.generator))
        if site.failover_s != 7200:
            settings.append(("interSiteTopologyFailover", str(site.failover_s)))
        yield settings + _schedule(site.schedule)


def _schedule(week: Quarters | None) -> list[Line]:
    return [] if week is None else [("schedule", pack_schedule(week))]


def _dsa(snapshot: Snapshot, dc: Dc) -> list[Line]:
    kind = "nTDSDSARO" if dc.is_read_only else ""
    classes = ["applicationSettings", "nTDSDSA", *([kind] if kind else [])]
    record = _made(dc.dn, *classes, guid=dc.guid)
    record += [
        ("msDS-Behavior-Version", str(dc.behavior_version)),
        ("msDS-isRODC", "TRUE" if dc.is_read_only else "FALSE"),
    ]
    if dc.options:
        record.append(("options", str(int(dc.options))))
    if any(dc.invocation_id):
        record.append(("invocationId", str(UUID(bytes_le=dc.invocation_id))))
    if dc.domain is not None:
        record.append(("msDS-HasDomainNCs", snapshot.ncs[dc.domain].dn))
    for nc, replica in dc.held.items():
        held = snapshot.ncs[nc]
        record += [(name, held.dn) for name in _ATTRIBUTE[replica]]
        if replica is Replica.WRITABLE and held.kind in _CLASSIC:
            record.append(("hasMasterNCs", held.dn))
    return record


def _connection(snapshot: Snapshot, one: Connection) -> list[Line]:
    record = _made(one.dn, "leaf", "nTDSConnection", guid=one.guid)
    record += [
        ("whenCreated", format_generalized(one.created).decode("ascii")),
        ("enabledConnection", "TRUE" if one.is_enabled else "FALSE"),
        ("fromServer", one.source_dn),
        ("options", str(int(one.options))),
        ("systemFlags", str(_CONNECTION_FLAGS)),
    ]
    if one.transport:
        record.append(("transportType", f"CN={one.transport},{snapshot.transport_dn.partition(',')[2]}"))
    return record + _schedule(one.schedule)


def _transport(snapshot: Snapshot) -> list[Line]:
    record = _made(snapshot.transport_dn, "interSiteTransport", guid=snapshot.transport_guid)
    record += [("name", "IP"), ("transportAddressAttribute", "dNSHostName")]
    if snapshot.transport_options:
        record.append(("options", str(int(snapshot.transport_options))))
    for dc in snapshot.dcs:
        if dc.is_preferred:
            record.append(("bridgeheadServerListBL", dc.dn.partition(",")[2]))
    return record


def _link(snapshot: Snapshot, link: SiteLink) -> list[Line]:
    record = _made(link.dn, "siteLink", guid=link.guid)
    record[0] = ("dn", f"<GUID={UUID(bytes_le=link.guid)}>;{link.dn}")
    record += [
        ("cost", str(link.cost)),
        ("replInterval", str(link.interval_min)),
        ("systemFlags", str(0x40000000)),
    ]
    if link.options:
        record.append(("options", str(int(link.options))))
    for at in link.sites:
        site = snapshot.sites[at]
        record.append(("siteList", f"<GUID={site.guid.hex()}>;{site.dn}"))
    return record + _schedule(None if link.window == ALWAYS else link.window)


def _bridge(snapshot: Snapshot, bridge: SiteLinkBridge) -> list[Line]:
    record = _made(bridge.dn, "siteLinkBridge", guid=bridge.guid)
    return [*record, *(("siteLinkList", snapshot.links[at].dn) for at in bridge.links)]


def _servers(snapshot: Snapshot) -> Iterator[list[Line]]:
    for site in snapshot.sites:
        yield _made(f"CN=Servers,{site.dn}", "serversContainer")
    for dc in snapshot.dcs:
        record = _made(dc.dn.partition(",")[2], "server")
        yield [*record, ("dNSHostName", f"{dc.name}.{snapshot.forest_dns}".lower())]


def _head(snapshot: Snapshot, at: NcAt, nc: NamingContext) -> list[Line]:
    record = _made(nc.dn, "domain", "domainDNS")
    if nc.kind is NcKind.DOMAIN:
        record.append(("objectSid", f"S-1-5-21-1-2-{1000 + at}"))
    owners = frozenset() if nc.kind is NcKind.CONFIG else snapshot.role_owners.get(at, frozenset())
    record += [("fSMORoleOwner", snapshot.dcs[owner].dn) for owner in sorted(owners)[:1]]
    if nc.kind is NcKind.CONFIG and snapshot.cursors:
        cursors = tuple(
            UpToDateCursor(invocation, Usn(1), when // _DSTIME_TICKS)
            for invocation, when in snapshot.cursors.items()
        )
        record.append(("replUpToDateVector", ReplUpToDateVector(cursors).pack()))
    return record


def _root(snapshot: Snapshot, local: DcAt) -> list[Line]:
    dc = snapshot.dcs[local]
    root = snapshot.config_dn.partition(",")[2]
    own = snapshot.ncs[dc.domain].dn if dc.domain is not None else root
    return [
        ("dn", "@ROOTDSE"),
        ("configurationNamingContext", snapshot.config_dn),
        ("defaultNamingContext", own),
        ("rootDomainNamingContext", root),
        ("schemaNamingContext", f"CN=Schema,{snapshot.config_dn}"),
        ("dsServiceName", dc.dn),
    ]
