"""The inter-site topology generator: the one DC of a site that plans its connections with other sites.

Spec: [MS-ADTS] 6.2.2.3.1
"""

from collections.abc import Sequence
from typing import Final

from addc.base.clock import TICKS_PER_S
from addc.kcc.bridgeheads import failed_dcs
from addc.kcc.snapshot import (
    FAILOVER_DEFAULT_S,
    NO_TIME,
    DcAt,
    Site,
    SiteAt,
    SiteOption,
    Snapshot,
)

_FIRST: Final = 0


def istg(snapshot: Snapshot, site: SiteAt) -> DcAt | None:
    """The generator of one site; None where it has no writable DC (a read-only DC plans for itself alone).

    Spec: [MS-ADTS] 6.2.2.3.1
    """
    among = [DcAt(at) for at, dc in enumerate(snapshot.dcs) if dc.site == site and not dc.is_read_only]
    return _chosen(snapshot, site, among, failed_dcs(snapshot)) if among else None


def istgs(snapshot: Snapshot) -> dict[SiteAt, DcAt]:
    """The generator of every site that has a writable DC."""
    among: list[list[DcAt]] = [[] for _ in snapshot.sites]
    for at, dc in enumerate(snapshot.dcs):
        if not dc.is_read_only:
            among[dc.site].append(DcAt(at))
    failed = failed_dcs(snapshot)
    return {
        SiteAt(site): _chosen(snapshot, SiteAt(site), dcs, failed) for site, dcs in enumerate(among) if dcs
    }


def _chosen(snapshot: Snapshot, at: SiteAt, among: Sequence[DcAt], failed: frozenset[DcAt]) -> DcAt:
    """The generator among the writable DCs of a site, which are in GUID order.

    Deviation: where no DC of the site is named, the text lets each nominate itself, and all of them plan
    until one name has replicated. The first that has not failed is the same for everyone.
    """
    site = snapshot.sites[at]
    named = _named(snapshot, site, among)
    if named is None:
        return next((dc for dc in among if dc not in failed), among[_FIRST])
    if site.options & SiteOption.FORCE_KCC_W2K_ELECTION or not _has_evidence(snapshot, at):
        return _first_alive(among, named, failed)
    if snapshot.local == among[named]:
        return among[named]
    return among[_by_cursor(snapshot, site, among, named)]


def _named(snapshot: Snapshot, site: Site, among: Sequence[DcAt]) -> int | None:
    """Where among the site's DCs the one is that interSiteTopologyGenerator names."""
    if not site.generator:
        return None
    wanted = site.generator.casefold()
    return next((i for i, dc in enumerate(among) if snapshot.dcs[dc].dn.casefold() == wanted), None)


def _has_evidence(snapshot: Snapshot, site: SiteAt) -> bool:
    """Whether the up-to-dateness vector tells if the generator of the site lives.

    A generator proves itself to its own site. Another site's news take as long as the links let them, often
    longer than the failover. A view without any cursor (a file) tells nothing about anyone.
    """
    if not snapshot.cursors:
        return False
    return snapshot.local is None or snapshot.dcs[snapshot.local].site == site


def _first_alive(among: Sequence[DcAt], named: int, failed: frozenset[DcAt]) -> DcAt:
    """The named one as long as it has not failed, else the next after it; the named one where all have."""
    onward = (among[(named + i) % len(among)] for i in range(len(among)))
    return next((dc for dc in onward if dc not in failed), among[named])


def _by_cursor(snapshot: Snapshot, site: Site, among: Sequence[DcAt], named: int) -> int:
    """Which one is the generator by what has come from the named one: that one while news keep coming,
    and the next for each failover time that has passed without any.
    """
    failover_ft = (site.failover_s if site.failover_s > 0 else FAILOVER_DEFAULT_S) * TICKS_PER_S
    heard_ft = snapshot.cursors.get(snapshot.dcs[among[named]].invocation_id)
    first = named
    if heard_ft is None:
        heard_ft = NO_TIME
    elif snapshot.now < heard_ft - failover_ft:  # one of the two clocks is wrong
        first, heard_ft = _FIRST, NO_TIME
    return (first + max(0, snapshot.now - heard_ft) // failover_ft) % len(among)
