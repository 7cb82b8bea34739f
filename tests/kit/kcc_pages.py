"""Forests whose plans are worth a picture: from one site to five hundred."""

from collections.abc import Callable, Mapping
from typing import Final

from addc.codec.schedule import ALWAYS
from addc.kcc.schedule import starts
from addc.kcc.snapshot import ConnectionOption, Snapshot, TransportOption
from tests.kit.kcc_forest import AConnection, ADc, ALink, ASite, forest, hours

NIGHT: Final = hours([*range(20, 24), *range(6)])
OPEN_DAYS: Final = hours(range(6, 20))


def one_site() -> Snapshot:
    """Seven DCs in one site."""
    return forest(
        sites=["Headquarters"],
        dcs=[f"Headquarters/DC{number}{'*' if number < 4 else ''}" for number in range(1, 8)],
    )


def five_sites() -> Snapshot:
    """A hub and four branches, one of them closed by day."""
    return forest(
        sites=["Zurich", "Geneva", "Basel", "Bern", "Lugano"],
        dcs=[
            *("Zurich/ZRH-DC1*", "Zurich/ZRH-DC2*", "Zurich/ZRH-DC3"),
            *("Geneva/GVA-DC1*", "Geneva/GVA-DC2", "Basel/BSL-DC1", "Bern/BRN-DC1*", "Lugano/LUG-DC1"),
        ],
        links=[
            ALink("ZRH-GVA", ("Zurich", "Geneva"), cost=50, interval_min=15),
            ALink("ZRH-BSL", ("Zurich", "Basel"), cost=50, interval_min=15),
            ALink("ZRH-BRN", ("Zurich", "Bern"), cost=80, interval_min=60),
            ALink("ZRH-LUG", ("Zurich", "Lugano"), cost=200, interval_min=180, window=NIGHT),
            ALink("GVA-BRN", ("Geneva", "Bern"), cost=300, interval_min=180),
        ],
    )


def two_domains() -> Snapshot:
    """Two domains, a branch with a read-only DC, a DC that does not answer, and connections from before."""
    return forest(
        sites=["London", "Paris", "Madrid", "Porto-Branch", "Oslo"],
        dcs=[
            *("London/LON-DC1*", "London/LON-DC2*"),
            *(ADc("LON-EU1", "London", domain="emea"), ADc("PAR-EU1", "Paris", domain="emea", gc=True)),
            *(
                "Paris/PAR-DC1",
                ADc("MAD-EU1", "Madrid", domain="emea"),
                ADc("MAD-EU2", "Madrid", domain="emea"),
            ),
            *(ADc("POR-RO1", "Porto-Branch", domain="emea", rodc=True), "Oslo/OSL-DC1*"),
        ],
        links=[
            ALink("LON-PAR", ("London", "Paris"), cost=100, interval_min=15),
            ALink("PAR-MAD", ("Paris", "Madrid"), cost=100, interval_min=30),
            ALink("MAD-POR", ("Madrid", "Porto-Branch"), cost=200, interval_min=180, window=NIGHT),
            ALink("LON-MAD", ("London", "Madrid"), cost=400, interval_min=180),
            ALink("LON-OSL", ("London", "Oslo"), cost=150, interval_min=60),
        ],
        connections=[
            AConnection("LON-DC2", "LON-DC1"),
            AConnection("LON-DC1", "LON-DC2"),
            AConnection("LON-DC1", "LON-EU1"),
            AConnection("LON-DC2", "PAR-DC1", transport="IP", schedule=hours(range(0, 24, 3))),
            AConnection("PAR-EU1", "MAD-EU1", transport="IP", schedule=hours(range(24))),
            AConnection("MAD-EU1", "MAD-EU2"),
            AConnection("MAD-EU2", "MAD-EU1"),
            AConnection("OSL-DC1", "PAR-DC1", transport="IP", schedule=hours(range(0, 24, 6))),
            AConnection("OSL-DC1", "MAD-EU2", options=ConnectionOption(0), schedule=hours(range(2))),
            AConnection("LON-OLD1", "OSL-DC1", transport="IP"),
        ],
        failures={"PAR-EU1": 5},
    )


def three_regions() -> Snapshot:
    """Sixty sites: six hubs of three regions in a mesh, branches with schedules, bridges per region."""
    regions = {"EU": ("Frankfurt", "London"), "US": ("NewYork", "Denver"), "AP": ("Singapore", "Tokyo")}
    sites: list[str] = []
    dcs: list[str] = []
    links: list[ALink] = []
    bridges: dict[str, list[str]] = {}
    for region, hubs in regions.items():
        sites += hubs
        dcs += [f"{hub}/{hub[:3].upper()}-DC{number}*" for hub in hubs for number in (1, 2, 3)]
        for number in range(1, 19):
            name = f"{region}-Branch{number:02}"
            hub = hubs[number % 2]
            sites.append(name)
            dcs.append(f"{name}/{name}-DC1")
            window = NIGHT if number % 5 == 0 else ALWAYS
            cost = 100 if number % 3 else 150
            links.append(ALink(f"{hub}-{name}", (hub, name), cost=cost, interval_min=30, window=window))
        links.append(ALink(f"{hubs[0]}-{hubs[1]}", hubs, cost=20, interval_min=15))
        bridges[f"Bridge-{region}"] = [
            link.name for link in links if hubs[0] in link.sites or hubs[1] in link.sites
        ]
    for name, ends, cost in (
        ("Atlantic-1", ("London", "NewYork"), 60),
        ("Atlantic-2", ("Frankfurt", "NewYork"), 80),
        ("Pacific", ("Denver", "Tokyo"), 120),
        ("Asia-Europe", ("Frankfurt", "Singapore"), 110),
    ):
        links.append(
            ALink(name, ends, cost=cost, interval_min=60, window=OPEN_DAYS if cost > 115 else ALWAYS)
        )
    backbone = ["Atlantic-1", "Atlantic-2", "Pacific", "Asia-Europe"]
    return forest(
        sites=sites,
        dcs=dcs,
        links=links,
        bridges={**bridges, "Backbone": backbone},
        transport_options=TransportOption.BRIDGES_REQUIRED,
    )


def hub_tree(count: int = 500, regions: int = 11) -> Snapshot:
    """A hub, regional hubs, and their branches; some replicate already, one is to be thrown out."""
    sites: list[str | ASite] = ["Central"]
    dcs = ["Central/CEN-DC1*", "Central/CEN-DC2*"]
    links = []
    connections = []
    for number in range(1, regions):
        name = f"Region-{number:02}"
        sites.append(name)
        dcs += [f"{name}/R{number:02}-DC1*", f"{name}/R{number:02}-DC2"]
        links.append(ALink(f"Core-{number:02}", ("Central", name), cost=50, interval_min=15))
    for number in range(count - regions):
        region = f"Region-{number % (regions - 1) + 1:02}"
        name = f"Branch-{number + 1:03}"
        sites.append(name)
        dcs.append(f"{name}/B{number + 1:03}-DC1")
        window = NIGHT if number % 10 == 3 else ALWAYS
        links.append(ALink(f"Edge-{number + 1:03}", (region, name), cost=100, interval_min=60, window=window))
        if number % 3:
            hub = f"R{number % (regions - 1) + 1:02}-DC1"
            schedule = starts(window, 60) if number % 7 else hours(range(2))
            connections.append(AConnection(hub, f"B{number + 1:03}-DC1", transport="IP", schedule=schedule))
            connections.append(AConnection(f"B{number + 1:03}-DC1", hub, transport="IP", schedule=schedule))
    connections.append(AConnection("B017-DC1", "B170-DC1", transport="IP"))
    return forest(sites=sites, dcs=dcs, links=links, connections=connections)


def one_link(count: int = 12) -> Snapshot:
    """All sites in the default link."""
    names = [f"Site-{number:02}" for number in range(1, count + 1)]
    return forest(
        sites=names,
        dcs=[f"{name}/{name}-DC{number}" for name in names for number in (1, 2, 3)],
        links=[ALink("DEFAULTIPSITELINK", tuple(names))],
    )


def mesh(count: int = 24) -> Snapshot:
    """Sites each joined to its next two, and some across."""
    names = [f"Town{number:02}" for number in range(count)]
    links = [
        ALink(f"w{a:02}-{b % count:02}", (names[a], names[b % count]), cost=100 + 7 * (a % 5))
        for a in range(count)
        for b in ([a + 1, a + 2] if a % 4 else [a + 1, a + count // 2])
        if a != b % count
    ]
    dcs = [f"{name}/{name}-DC{number}" for name in names for number in (1, 2)]
    return forest(sites=names, dcs=dcs, links=links)


def hostile() -> Snapshot:
    """Names that try to be markup, script or style."""
    evil = [
        "</script><script>window.hacked=1</script>",
        '"><img src=x onerror="window.hacked=1">',
        "a&b'c<b>",
        "x\u2028\u202ey\x9b\x1b[31m\0]]><!--{}\\",
    ]
    return forest(
        sites=[*evil, "</title></svg><iframe src=//x>"],
        dcs=[ADc(f"<svg onload=window.hacked=1>{number}", name) for number, name in enumerate(evil)],
        links=[
            ALink("<a href=javascript:window.hacked=1>", (evil[0], evil[1])),
            ALink("]]>--><x>", (evil[1], evil[2])),
        ],
    )


TOPOLOGIES: Final[Mapping[str, Callable[[], Snapshot]]] = {
    "one-site": one_site,
    "five-sites": five_sites,
    "two-domains": two_domains,
    "three-regions": three_regions,
    "hub-tree": hub_tree,
}
