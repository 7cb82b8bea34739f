"""Sites with their settings, the IP transport, site links and bridges.

Spec: [MS-ADTS] 6.1.1.2.2.1, 6.1.1.2.2.1.1, 6.1.1.2.2.3
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from addc.codec.schedule import ALWAYS
from addc.kcc.reading.dn_keys import guid_bytes, guid_in, is_conflict, key_of, parent, plain, rdn_value
from addc.kcc.reading.entries import RawEntry
from addc.kcc.reading.values import Range, Reader
from addc.kcc.snapshot import (
    COST_DEFAULT,
    FAILOVER_DEFAULT_S,
    INTERVAL_DEFAULT_MIN,
    LinkAt,
    LinkOption,
    Site,
    SiteAt,
    SiteLink,
    SiteLinkBridge,
    SiteOption,
    TransportOption,
)

_WEEK_MIN: Final = 7 * 24 * 60
_COST: Final = Range(COST_DEFAULT, 1, 0x7FFF_FFFF)
_INTERVAL: Final = Range(INTERVAL_DEFAULT_MIN, 15, _WEEK_MIN)
_FAILOVER: Final = Range(0, 0, 0x7FFF_FFFF)


@dataclass(slots=True)
class SitesRead:
    """The sites in order of their GUIDs, and where each is by key and by GUID."""

    sites: list[Site] = field(default_factory=list)
    places: dict[str, SiteAt] = field(default_factory=dict)
    by_guid: dict[bytes, SiteAt] = field(default_factory=dict)

    def find(self, reader: Reader, value: bytes) -> SiteAt | None:
        """The site that a value names: by DN, else by the GUID of an extended DN."""
        at = self.places.get(reader.key(value))
        if at is None and value.startswith(b"<"):
            guid = guid_in(value.decode("utf-8", "replace"))
            return None if guid is None else self.by_guid.get(guid)
        return at


def unique(reader: Reader, entries: Sequence[RawEntry]) -> dict[str, RawEntry]:
    """Entries by key; of two with one DN the first counts."""
    found: dict[str, RawEntry] = {}
    for entry in entries:
        key = key_of(entry.dn)
        if key in found:
            reader.note(plain(entry.dn), "the object is there twice", "the first one counts")
        else:
            found[key] = entry
    return found


def read_sites(reader: Reader, sites: Sequence[RawEntry], settings: Sequence[RawEntry]) -> SitesRead:
    """All sites. A site without settings has the defaults."""
    of_site: dict[str, RawEntry] = {}
    for entry in settings:
        site_key = parent(key_of(entry.dn))
        if site_key in of_site:
            reader.note(plain(entry.dn), "a second settings object of its site", "the first one counts")
        else:
            of_site[site_key] = entry
    found = sorted(
        ((reader.guid(entry), key, entry) for key, entry in unique(reader, sites).items()),
        key=lambda one: one[0],
    )
    read = SitesRead()
    for at, (guid, key, entry) in enumerate(found):
        read.places[key] = SiteAt(at)
        read.by_guid[guid] = SiteAt(at)
        read.sites.append(_site(reader, entry, guid, of_site.pop(key, None)))
    for entry in of_site.values():
        reader.note(plain(entry.dn), "settings of no site", "they are passed over")
    return read


def _site(reader: Reader, entry: RawEntry, guid: bytes, settings: RawEntry | None) -> Site:
    dn = plain(entry.dn)
    name = rdn_value(dn)
    if is_conflict(dn):
        reader.note(dn, "a site of this name was made twice, on two DCs at once", "both count as sites")
    if settings is None:
        reader.note(dn, "the site has no NTDS Site Settings", "the defaults hold")
        return Site(guid, dn, name, has_settings=False)
    generator = reader.single(settings, "intersitetopologygenerator")
    return Site(
        guid,
        dn,
        name,
        reader.options(settings, SiteOption),
        "" if generator is None else plain(generator.decode("utf-8", "replace")),
        reader.number(settings, "intersitetopologyfailover", _FAILOVER) or FAILOVER_DEFAULT_S,
        reader.week(settings, "intrasite connections have the default, once an hour"),
    )


@dataclass(frozen=True, slots=True)
class TransportRead:
    """The IP transport. key: "" where the input has none. bridgeheads: keys of preferred servers."""

    guid: bytes
    dn: str
    key: str
    options: TransportOption
    bridgeheads: frozenset[str]


def read_transport(
    reader: Reader, transports: Sequence[RawEntry], servers: Sequence[RawEntry], config_dn: str
) -> TransportRead:
    """The IP transport. Preferred bridgeheads are told by its back link, or by the servers' own links."""
    found = [entry for entry in unique(reader, transports).values() if _is_ip(entry.dn)]
    if not found:
        dn = f"CN=IP,CN=Inter-Site Transports,CN=Sites,{config_dn}"
        reader.note(dn, "the IP transport is missing", "its links count, with the default options")
        return TransportRead(
            bytes(16), dn, key_of(dn), TransportOption.NONE, _preferring(reader, servers, dn)
        )
    entry = found[0]
    dn = plain(entry.dn)
    value = entry.first("objectguid")
    named = {reader.key(one) for one in entry.values.get("bridgeheadserverlistbl", ())}
    known = {key_of(one.dn) for one in servers} if named else set()
    for missing in sorted(named - known):
        if known:
            reader.note(dn, f"the preferred bridgehead {missing} is no server", "it is passed over")
    options = reader.options(entry, TransportOption)
    guid = (guid_bytes(value) if value is not None else None) or bytes(16)
    return TransportRead(guid, dn, key_of(dn), options, frozenset(named) | _preferring(reader, servers, dn))


def _is_ip(dn: str) -> bool:
    return rdn_value(dn).upper() == "IP"


def _preferring(reader: Reader, servers: Sequence[RawEntry], transport_dn: str) -> frozenset[str]:
    """Servers that name the transport in bridgeheadTransportList."""
    wanted = key_of(transport_dn)
    return frozenset(
        key_of(entry.dn)
        for entry in servers
        if any(reader.key(one) == wanted for one in entry.values.get("bridgeheadtransportlist", ()))
    )


def read_links(
    reader: Reader, links: Sequence[RawEntry], sites: SitesRead, transport: TransportRead
) -> tuple[tuple[SiteLink, ...], dict[str, LinkAt]]:
    """Links of the IP transport that join at least two sites, in order of their GUIDs; places by key."""
    found: list[tuple[str, SiteLink]] = []
    for key, entry in unique(reader, links).items():
        if parent(key) != transport.key and not _is_ip(parent(plain(entry.dn))):
            what = f"a link of another transport, {rdn_value(parent(plain(entry.dn)))}"
            reader.note(plain(entry.dn), what, "it is passed over: the KCC plans over IP only")
            continue
        joined = _joined(reader, entry, sites)
        if len(joined) < 2:
            if len(sites.sites) > 1:  # with one site there is nothing to join, and the first link is so
                what = f"the link joins {'one site only' if joined else 'no site'}"
                reader.note(plain(entry.dn), what, "it is passed over")
            continue
        found.append((key, _link(reader, entry, joined)))
    found.sort(key=lambda one: one[1].guid)
    return tuple(link for _, link in found), {key: LinkAt(at) for at, (key, _) in enumerate(found)}


def _joined(reader: Reader, entry: RawEntry, sites: SitesRead) -> list[SiteAt]:
    joined: set[SiteAt] = set()
    for value in entry.values.get("sitelist", ()):
        at = sites.find(reader, value)
        if at is None:
            told = f"siteList names no site: {plain(value.decode('utf-8', 'replace'))}"
            reader.note(plain(entry.dn), told, "the link joins its other sites")
        elif at in joined:
            told = f"siteList names {sites.sites[at].name} twice"
            reader.note(plain(entry.dn), told, "once is enough")
        else:
            joined.add(at)
    return sorted(joined)


def _link(reader: Reader, entry: RawEntry, joined: Sequence[SiteAt]) -> SiteLink:
    dn = plain(entry.dn)
    week = reader.week(entry, "the link counts as always open")
    return SiteLink(
        reader.guid(entry),
        dn,
        rdn_value(dn),
        tuple(joined),
        reader.number(entry, "cost", _COST),
        reader.number(entry, "replinterval", _INTERVAL),
        reader.options(entry, LinkOption),
        ALWAYS if week is None else week,
    )


def read_bridges(
    reader: Reader,
    bridges: Sequence[RawEntry],
    places: Mapping[str, LinkAt],
    passed_over: frozenset[str],
    transport: TransportRead,
) -> tuple[SiteLinkBridge, ...]:
    """Bridges of the IP transport over at least two links. passed_over: keys of links that do not count."""
    found: list[SiteLinkBridge] = []
    for key, entry in unique(reader, bridges).items():
        dn = plain(entry.dn)
        if parent(key) != transport.key and not _is_ip(parent(dn)):
            what = f"a bridge of another transport, {rdn_value(parent(dn))}"
            reader.note(dn, what, "it is passed over: the KCC plans over IP only")
            continue
        links: set[LinkAt] = set()
        for value in entry.values.get("sitelinklist", ()):
            at = places.get(reader.key(value))
            if at is not None:
                links.add(at)
            elif reader.key(value) not in passed_over:
                told = f"siteLinkList names no link: {plain(value.decode('utf-8', 'replace'))}"
                reader.note(dn, told, "the bridge joins its other links")
        if len(links) < 2:
            what = f"the bridge joins {'one link only' if links else 'no link'}"
            reader.note(dn, what, "it is passed over")
            continue
        found.append(SiteLinkBridge(reader.guid(entry), dn, rdn_value(dn), tuple(sorted(links))))
    return tuple(sorted(found, key=lambda one: one.guid))
