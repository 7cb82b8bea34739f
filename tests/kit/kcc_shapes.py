"""Big forests in a few shapes, for benchmarks and for screenshots."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from addc.codec.schedule import ALWAYS, Quarters
from addc.kcc.snapshot import ConnectionOption, LinkOption, Snapshot
from tests.kit.kcc_forest import AConnection, ADc, ALink, forest, hours

NIGHT: Final = hours([22, 23, *range(6)])
BRANCHES_PER_HUB: Final = 48
_APPS: Final = ("DomainDnsZones", "ForestDnsZones")


def hub_tree(sites: int, *, scheduled: int = 0, domains: int = 2, connected: bool = True) -> Snapshot:
    """A core, hubs around it, branches around each hub: two DCs in core and hubs, one in each branch.

    Two domains (every third hub with its branches is the second one's), two application partitions.
    scheduled: one link in so many is open at night only. connected: half of the branches have their
    connections already, some of which an administrator made.
    """
    hubs = max(1, (sites - 1) // (BRANCHES_PER_HUB + 1))
    names = ["core", *(f"hub{at}" for at in range(hubs))]
    parents = {f"hub{at}": "core" for at in range(hubs)}
    for at in range(sites - len(names)):
        names.append(f"branch{at}")
        parents[f"branch{at}"] = f"hub{at % hubs}"
    second = {f"hub{at}" for at in range(0, hubs, 3) if domains > 1 and hubs > 1}
    domain_of = {name: "child" if name in second or parents.get(name) in second else "corp" for name in names}
    dcs = [dc for name in names for dc in _dcs(name, domain_of[name])]
    links = [
        ALink(
            f"{parent}-{name}",
            (parent, name),
            cost=100 if parent == "core" else 200 + at % 3,
            interval_min=15 if parent == "core" else 60,
            options=LinkOption.USE_NOTIFY if parent == "core" else LinkOption.NONE,
            window=_window(at, scheduled),
        )
        for at, (name, parent) in enumerate(parents.items())
    ]
    made = list(_connections(names, parents)) if connected else []
    return forest(sites=names, dcs=dcs, links=links, connections=made)


def _dcs(site: str, domain: str) -> Iterator[ADc]:
    is_hub = not site.startswith("branch")
    apps = _APPS if domain == "corp" else _APPS[1:]
    for number in (1, 2) if is_hub else (1,):
        yield ADc(f"{site}-dc{number}", site, gc=is_hub, domain=domain, apps=apps)


def _window(at: int, scheduled: int) -> Quarters:
    return NIGHT if scheduled and at % scheduled == 0 else ALWAYS


def _connections(names: Sequence[str], parents: dict[str, str]) -> Iterator[AConnection]:
    for at, name in enumerate(names):
        parent = parents.get(name, "")
        if parent and at % 2:
            yield AConnection(f"{parent}-dc1", f"{name}-dc1", transport="IP", schedule=hours([0, 6, 12, 18]))
            one = AConnection(f"{name}-dc1", f"{parent}-dc1", transport="IP", schedule=hours(range(24)))
            yield replace(one, options=ConnectionOption(0)) if at % 20 == 1 else one


def one_link(sites: int, *, scheduled: int = 0) -> Snapshot:
    """All sites in the link that every forest begins with, a DC in each; every tenth is a GC.

    scheduled: one more link in so many sites, to its neighbour, cheaper and at night only.
    """
    names = [f"site{at}" for at in range(sites)]
    dcs = [
        ADc(f"dc{at}", name, gc=at % 10 == 0, apps=_APPS, domain="child" if at % 7 == 3 else "corp")
        for at, name in enumerate(names)
    ]
    links = [ALink("DEFAULTIPSITELINK", tuple(names))]
    if scheduled:
        links += [
            ALink(f"night{at}", (names[at], names[at + 1]), cost=50, window=NIGHT)
            for at in range(0, sites - 1, scheduled)
        ]
    return forest(sites=names, dcs=dcs, links=links)


def mesh(regions: int, sites_each: int) -> Snapshot:
    """Regions whose sites share a link; the first sites of the regions lie on a ring of dearer links."""
    names = [[f"r{region}s{at}" for at in range(sites_each)] for region in range(regions)]
    links = [ALink(f"region{at}", tuple(region), cost=50, interval_min=30) for at, region in enumerate(names)]
    for at in range(regions if regions > 2 else regions - 1):
        ends = (names[at][0], names[(at + 1) % regions][0])
        links.append(ALink(f"ring{at}", ends, cost=300, interval_min=180))
    dcs = [
        ADc(f"{name}-dc{number}", name, gc=number == 1 and at == 0, apps=_APPS)
        for region in names
        for at, name in enumerate(region)
        for number in ((1, 2, 3) if at == 0 else (1,))
    ]
    return forest(sites=[name for region in names for name in region], dcs=dcs, links=links)
