"""Random forests for the planner, as arguments of `forest`: what fails can be pasted into a test."""

from collections.abc import Sequence
from typing import Final, TypedDict

from hypothesis import strategies as st

from addc.codec.schedule import ALWAYS, Quarters
from addc.kcc.snapshot import (
    ConnectionOption,
    DsaOption,
    LinkOption,
    SiteOption,
    Snapshot,
    TransportOption,
)
from tests.kit.kcc_forest import AConnection, ADc, ALink, ASite, forest, hours

SITES: Final = tuple("ABCDEFGHIJKL")
DOMAINS: Final = ("corp", "child", "east")
APPS: Final = ("DomainDnsZones", "Extra")
SITE_OPTIONS: Final = (
    SiteOption.IS_AUTO_TOPOLOGY_DISABLED,
    SiteOption.IS_TOPL_CLEANUP_DISABLED,
    SiteOption.IS_TOPL_MIN_HOPS_DISABLED,
    SiteOption.IS_TOPL_DETECT_STALE_DISABLED,
    SiteOption.IS_INTER_SITE_AUTO_TOPOLOGY_DISABLED,
    SiteOption.FORCE_KCC_W2K_ELECTION,
    SiteOption.IS_RAND_BH_SELECTION_DISABLED,
    SiteOption.IS_SCHEDULE_HASHING_ENABLED,
    SiteOption.IS_REDUNDANT_SERVER_TOPOLOGY_ENABLED,
    SiteOption.W2K3_IGNORE_SCHEDULES,
    SiteOption.W2K3_BRIDGES_REQUIRED,
)
WINDOWS: Final = (
    hours(range(20, 24)),
    hours(range(12)),
    hours(range(12, 24)),
    hours(range(8, 18)),
    hours(range(24, 72)),
)
GONE: Final = "gone"


class Drawn(TypedDict):
    """Arguments of `forest`."""

    sites: list[ASite]
    dcs: list[ADc]
    links: list[ALink]
    bridges: dict[str, list[str]]
    connections: list[AConnection]
    failures: dict[str, float]
    cursors: dict[str, float]
    transport_options: TransportOption


def built(drawn: Drawn) -> Snapshot:
    """The snapshot of what was drawn."""
    return forest(**drawn)


def seldom(one_in: int) -> st.SearchStrategy[bool]:
    """True about once in so many; shrinks to False."""
    return st.integers(0, one_in - 1).map(lambda drawn: drawn == one_in - 1)


@st.composite
def forests(draw: st.DrawFn, *, sites_max: int = 8, is_odd: bool = True) -> Drawn:
    """A forest. is_odd: site options, failures, existing connections and other trouble may be in it."""
    names = SITES[: draw(st.integers(1, sites_max))]
    their_sites = [draw(_site(name, is_odd=is_odd)) for name in names]
    domains = DOMAINS[: draw(st.integers(1, 3))]
    has_preferred = draw(seldom(3))
    dcs: list[ADc] = []
    for name in names:
        for number in range(draw(st.integers(0 if len(names) > 1 else 1, 4))):
            dcs.append(draw(_dc(f"{name.lower()}{number + 1}", name, domains, has_preferred=has_preferred)))
    if not any(not dc.rodc for dc in dcs):
        dcs.append(ADc("z1", names[0]))
    links = draw(_links(names))
    return Drawn(
        sites=[_signed(draw, site, dcs) if is_odd else site for site in their_sites],
        dcs=dcs,
        links=links,
        bridges=draw(_bridges([link.name for link in links])),
        connections=draw(_connections(dcs)) if is_odd else [],
        failures={} if has_preferred or not is_odd else draw(_some(dcs, (1.0, 3.0, 50.0))),
        cursors=draw(_some(dcs, (0.5, 1.0, 5.0))) if is_odd and draw(seldom(4)) else {},
        transport_options=draw(_transport_options()),
    )


def _transport_options() -> st.SearchStrategy[TransportOption]:
    return st.sampled_from(
        (TransportOption.NONE,) * 4
        + (
            TransportOption.BRIDGES_REQUIRED,
            TransportOption.IGNORE_SCHEDULES,
            TransportOption.BRIDGES_REQUIRED | TransportOption.IGNORE_SCHEDULES,
        )
    )


@st.composite
def _site(draw: st.DrawFn, name: str, *, is_odd: bool) -> ASite:
    options = SiteOption.NONE
    if is_odd and draw(seldom(5)):
        options = draw(st.sampled_from(SITE_OPTIONS))
    has_settings = not (is_odd and draw(seldom(8)))
    schedule = draw(st.sampled_from((None, *WINDOWS))) if has_settings else None
    return ASite(
        name,
        options=options if has_settings else SiteOption.NONE,
        schedule=schedule,
        has_settings=has_settings,
    )


def _signed(draw: st.DrawFn, site: ASite, dcs: Sequence[ADc]) -> ASite:
    """With one of its DCs, or of another site's, as the ISTG of its settings."""
    if not site.has_settings or draw(st.booleans()):
        return site
    generator = draw(st.sampled_from([dc.name for dc in dcs]))
    return ASite(site.name, site.options, generator, site.failover_s, site.schedule)


@st.composite
def _dc(draw: st.DrawFn, name: str, site: str, domains: Sequence[str], *, has_preferred: bool) -> ADc:
    rodc = draw(seldom(8))
    domain = draw(st.sampled_from(domains))
    version = 2 if not rodc and draw(seldom(12)) else 7
    apps = tuple(app for app in APPS if draw(st.booleans()))
    options = DsaOption.DISABLE_NTDSCONN_XLATE if draw(seldom(20)) else DsaOption.NONE
    return ADc(
        name,
        site,
        gc=draw(st.booleans()),
        rodc=rodc,
        domain=domain,
        apps=apps,
        options=options,
        behavior_version=version,
        preferred=has_preferred and not rodc and draw(seldom(4)),
    )


@st.composite
def _links(draw: st.DrawFn, names: Sequence[str]) -> list[ALink]:
    if len(names) < 2:
        return []
    form = draw(st.sampled_from(("one", "tree", "any")))
    members: list[tuple[str, ...]] = []
    if form == "one":
        members.append(tuple(names))
    if form == "tree":
        for at in range(1, len(names)):
            members.append((names[draw(st.integers(0, at - 1))], names[at]))
    for _ in range(draw(st.integers(0, 4))):
        chosen = st.lists(st.sampled_from(names), min_size=2, max_size=4, unique=True)
        members.append(tuple(sorted(draw(chosen))))
    return [draw(_link(f"l{at}", sites)) for at, sites in enumerate(members)]


@st.composite
def _link(draw: st.DrawFn, name: str, sites: tuple[str, ...]) -> ALink:
    window: Quarters = draw(st.sampled_from(WINDOWS)) if draw(seldom(4)) else ALWAYS
    return ALink(
        name,
        sites,
        cost=draw(st.sampled_from((100, 100, 1, 50, 200))),
        interval_min=draw(st.sampled_from((180, 15, 60, 240, 1440))),
        options=LinkOption(draw(st.integers(0, 7))) if draw(seldom(3)) else LinkOption.NONE,
        window=window,
    )


@st.composite
def _bridges(draw: st.DrawFn, links: Sequence[str]) -> dict[str, list[str]]:
    if len(links) < 2 or not draw(seldom(3)):
        return {}
    some = st.lists(st.sampled_from(links), min_size=2, max_size=4, unique=True)
    return {f"b{at}": draw(some) for at in range(draw(st.integers(1, 2)))}


@st.composite
def _some(draw: st.DrawFn, dcs: Sequence[ADc], ages_h: Sequence[float]) -> dict[str, float]:
    chosen = draw(st.lists(st.sampled_from([dc.name for dc in dcs]), max_size=2, unique=True))
    return {name: draw(st.sampled_from(ages_h)) for name in chosen}


@st.composite
def _connections(draw: st.DrawFn, dcs: Sequence[ADc]) -> list[AConnection]:
    names = [dc.name for dc in dcs]
    found = []
    for at in range(draw(st.integers(0, 6))):
        source, target = draw(st.sampled_from([*names, GONE])), draw(st.sampled_from(names))
        if source == target:
            continue
        is_between = _site_of(dcs, source) != _site_of(dcs, target)
        found.append(draw(_connection(source, target, f"c{at}", is_between=is_between)))
    return found


def _site_of(dcs: Sequence[ADc], name: str) -> str:
    return next((dc.site for dc in dcs if dc.name == name), "")


@st.composite
def _connection(draw: st.DrawFn, source: str, target: str, name: str, *, is_between: bool) -> AConnection:
    options = draw(st.sampled_from((1, 1, 1, 0, 0x5, 0xD, 0x21, 0x41, 0x40, 0x13)))
    is_plain = not draw(seldom(3))
    return AConnection(
        source,
        target,
        name=name,
        options=ConnectionOption(options),
        is_enabled=not draw(seldom(10)),
        transport="IP" if is_between is is_plain else "",
        schedule=draw(st.sampled_from((None, *WINDOWS))),
        age_h=draw(st.sampled_from((1.0, 24.0))),
    )
