"""A snapshot without some of its DCs, sites, links or bridges: every place in it counted anew.

What depended on what is gone is as a directory would have it afterwards: connections from a DC that is gone
name nobody, links that are left with one site and bridges with one link join nothing and go as well.
"""

from collections.abc import Collection, Mapping
from dataclasses import replace

from addc.kcc.snapshot import Connection, Dc, DcAt, LinkAt, SiteAt, Snapshot


def without(
    snapshot: Snapshot,
    *,
    dcs: Collection[DcAt] = (),
    sites: Collection[SiteAt] = (),
    links: Collection[LinkAt] = (),
    bridges: Collection[int] = (),
) -> Snapshot:
    """The snapshot without these; a site goes with its DCs."""
    gone = set(dcs) | {DcAt(at) for at, dc in enumerate(snapshot.dcs) if dc.site in sites}
    dc_to = {DcAt(old): DcAt(new) for new, old in enumerate(_kept(len(snapshot.dcs), gone))}
    site_to = {SiteAt(old): SiteAt(new) for new, old in enumerate(_kept(len(snapshot.sites), set(sites)))}
    linked = [
        (at, replace(link, sites=tuple(site_to[site] for site in link.sites if site in site_to)))
        for at, link in enumerate(snapshot.links)
        if at not in links
    ]
    linked = [(at, link) for at, link in linked if len(link.sites) > 1]
    link_to = {LinkAt(old): LinkAt(new) for new, (old, _) in enumerate(linked)}
    bridged = [
        replace(bridge, links=tuple(link_to[link] for link in bridge.links if link in link_to))
        for at, bridge in enumerate(snapshot.bridges)
        if at not in bridges
    ]
    left = [dc for at, dc in enumerate(snapshot.dcs) if at in dc_to]
    names = {dc.invocation_id for at, dc in enumerate(snapshot.dcs) if at in gone}
    guids = {dc.guid for at, dc in enumerate(snapshot.dcs) if at in gone}
    return replace(
        snapshot,
        local=None if snapshot.local is None else dc_to.get(snapshot.local),
        sites=tuple(snapshot.sites[old] for old in site_to),
        dcs=tuple(_dc(dc, dc_to, site_to) for dc in left) if gone or sites else snapshot.dcs,
        links=tuple(link for _, link in linked),
        bridges=tuple(bridge for bridge in bridged if len(bridge.links) > 1),
        failures={guid: one for guid, one in snapshot.failures.items() if guid not in guids},
        cursors={one: when for one, when in snapshot.cursors.items() if one not in names},
        role_owners={
            nc: frozenset(dc_to[dc] for dc in owners if dc in dc_to)
            for nc, owners in snapshot.role_owners.items()
        },
    )


def _kept(count: int, gone: Collection[int]) -> list[int]:
    return [at for at in range(count) if at not in gone]


def _dc(dc: Dc, dc_to: Mapping[DcAt, DcAt], site_to: Mapping[SiteAt, SiteAt]) -> Dc:
    connections = tuple(_connection(one, dc_to) for one in dc.connections)
    return replace(dc, site=site_to[dc.site], connections=connections)


def _connection(one: Connection, dc_to: Mapping[DcAt, DcAt]) -> Connection:
    source = None if one.source is None else dc_to.get(one.source)
    return replace(one, source=source, target=dc_to[one.target])
