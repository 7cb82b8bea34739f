"""Findings about sites and links, and about damaged input.

Spec: [MS-ADTS] 6.1.1.2.2.1.1 (site options), 6.1.1.2.2.3 (transports and links), 6.2.2.3.1 (ISTG)
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate
from operator import or_
from typing import Final

from addc.codec.schedule import NEVER, Quarters
from addc.kcc.snapshot import DcAt, NcKind, SiteAt, SiteLink, SiteOption, Snapshot, TransportOption
from addc.kcc.telling.finding import Finding, Severity
from addc.kcc.telling.words import moment, window_words
from addc.kcc.wanted import Plan

_OFF: Final = (
    (
        SiteOption.IS_AUTO_TOPOLOGY_DISABLED,
        "intrasite-generation-off",
        "connections within it are an administrator's to make, and nobody replaces a DC that fails",
    ),
    (
        SiteOption.IS_INTER_SITE_AUTO_TOPOLOGY_DISABLED,
        "intersite-generation-off",
        "connections from other sites are an administrator's to make, and nobody replaces a bridgehead "
        "that fails",
    ),
)


def of_troubles(plan: Plan) -> Iterator[Finding]:
    """What could not be read as it should."""
    for one in plan.snapshot.troubles:
        yield Finding(Severity.WARNING, "damaged-input", one.dn, one.what, one.then)


def of_sites(plan: Plan) -> Iterator[Finding]:
    """Sites that lack something."""
    snapshot = plan.snapshot
    linked = {site for link in snapshot.links for site in link.sites}
    has_domains = sum(nc.kind is NcKind.DOMAIN and nc.is_in_gc for nc in snapshot.ncs) > 1
    places = {dc.dn.lower(): DcAt(at) for at, dc in enumerate(snapshot.dcs)}
    for at, held in enumerate(snapshot.dcs_by_site()):
        site = snapshot.sites[at]
        if SiteAt(at) not in linked and len(snapshot.sites) > 1:
            yield _unlinked(snapshot, SiteAt(at), is_cut_off=0 < len(held) < len(snapshot.dcs))
        if not held:
            yield Finding(
                Severity.NOTE,
                "site-without-dc",
                site.dn,
                f"Site {site.name} has no DC",
                "its clients go to the cheapest site that has one; put a DC there if that is far",
            )
            continue
        caching = site.options & SiteOption.IS_GROUP_CACHING_ENABLED
        if has_domains and not caching and not any(snapshot.dcs[dc].is_gc for dc in held):
            yield Finding(
                Severity.WARNING,
                "site-without-gc",
                site.dn,
                f"Site {site.name} has no global catalog, and the forest has several domains",
                "logons ask one in another site: make a DC a global catalog, or turn group caching on",
            )
        yield from _switched_off(snapshot, SiteAt(at))
        yield from _generator(plan, SiteAt(at), places)


def _unlinked(snapshot: Snapshot, at: SiteAt, *, is_cut_off: bool) -> Finding:
    site = snapshot.sites[at]
    return Finding(
        Severity.ERROR if is_cut_off else Severity.NOTE,
        "site-in-no-link",
        site.dn,
        f"Site {site.name} is in no site link"
        + (": its DCs replicate with no other site" if is_cut_off else ""),
        "put it into one: addc sites links set LINK --add SITE",
    )


def _switched_off(snapshot: Snapshot, at: SiteAt) -> Iterator[Finding]:
    site = snapshot.sites[at]
    for bit, code, so in _OFF:
        if site.options & bit:
            yield Finding(
                Severity.WARNING,
                code,
                site.dn,
                f"Automatic generation is switched off in site {site.name}: {so}",
                f"clear bit {int(bit):#x} in the options of its NTDS Site Settings, unless that is meant",
            )


def _generator(plan: Plan, at: SiteAt, places: Mapping[str, DcAt]) -> Iterator[Finding]:
    """The topology generator that is named, where it cannot be or is silent."""
    snapshot, site = plan.snapshot, plan.snapshot.sites[at]
    if not site.generator:
        return
    named = places.get(site.generator.lower())
    follower = plan.istg.get(at)
    if named is None:
        why = "is no DC that is there"
    elif snapshot.dcs[named].site != at:
        why = "is in another site now"
    elif snapshot.dcs[named].is_read_only:
        why = "is read-only"
    elif (failure := snapshot.failures.get(snapshot.dcs[named].guid)) is not None and failure.count > 0:
        why = f"has not answered since {moment(failure.first)}"
    elif follower is not None and follower != named:
        why = "has been silent for longer than its time"
    else:
        return
    then = "nobody can take over: no DC of the site is writable"
    if follower is not None:
        then = f"{snapshot.dcs[follower].name} takes over"
    if follower is not None and follower == named:
        then = f"it stays until it has failed for long enough; look at {snapshot.dcs[named].name}"
    what = f"The topology generator named for site {site.name} {why}"
    yield Finding(Severity.WARNING, "generator-gone", site.dn, what, then)


# --- links -------------------------------------------------------------------------------------------------


def of_links(plan: Plan) -> Iterator[Finding]:
    """Links that do less than they should."""
    snapshot = plan.snapshot
    for link in snapshot.links:
        if len(set(link.sites)) < 2:
            joins = f"joins {snapshot.sites[link.sites[0]].name} alone" if link.sites else "joins no sites"
            yield Finding(
                Severity.WARNING,
                "link-of-one-site",
                link.dn,
                f"Site link {link.name} {joins}",
                "add a second site, or delete the link",
            )
    if snapshot.transport_options & TransportOption.IGNORE_SCHEDULES:
        return
    for link in snapshot.links:
        if link.window == NEVER and link.sites:
            yield Finding(
                Severity.WARNING,
                "link-never-open",
                link.dn,
                f"Site link {link.name} is never open: nothing replicates over it",
                "open it for some hours, or delete it",
            )
    yield from _without_overlap(snapshot)


def _without_overlap(snapshot: Snapshot) -> Iterator[Finding]:
    """Links that are shut whenever the others at one of their sites are open."""
    at_site: list[list[SiteLink]] = [[] for _ in snapshot.sites]
    for link in snapshot.links:
        if link.window == NEVER or len(set(link.sites)) < 2:
            continue
        for end in set(link.sites):
            at_site[end].append(link)
    has_dc = {dc.site for dc in snapshot.dcs if not dc.is_read_only}
    for at, links in enumerate(at_site):
        if len(links) < 2:
            continue
        site = snapshot.sites[at]
        severity = Severity.NOTE if SiteAt(at) in has_dc else Severity.WARNING
        for link, others in zip(links, _of_others(links), strict=True):
            if not link.window & others:
                yield Finding(
                    severity,
                    "link-without-overlap",
                    link.dn,
                    f"Site link {link.name} ({window_words(link.window)}) is never open together with "
                    f"another link at site {site.name}: no way goes on over it there",
                    "changes wait at that site's DCs; let the windows overlap if they should not"
                    if severity is Severity.NOTE
                    else "the site has no writable DC where changes could wait: let the windows overlap",
                )


def _of_others(links: Sequence[SiteLink]) -> list[Quarters]:
    """For each link, when any of the others is open."""
    before = accumulate((link.window for link in links), or_, initial=0)
    after = list(accumulate((link.window for link in reversed(links)), or_, initial=0))[::-1]
    return [Quarters(a | b) for a, b in zip(before, after[1:], strict=False)]
