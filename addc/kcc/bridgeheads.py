"""Which DCs of a site may replicate with other sites, and in which order they are chosen.

Spec: [MS-ADTS] 6.2.2.3.4.4 (GetAllBridgeheadDCs, BridgeheadDCFailed)
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final

from addc.base.clock import HOUR_FT
from addc.kcc.snapshot import DcAt, NcAt, Replica, SiteAt, SiteOption, Snapshot

FAILED_AFTER_FT: Final = 2 * HOUR_FT
_FAILURES_ENDURED: Final = 1


def failed_dcs(snapshot: Snapshot) -> frozenset[DcAt]:
    """DCs that are known to have failed: more than one failure, the first more than two hours ago.

    Spec: [MS-ADTS] 6.2.2.3.4.4 (BridgeheadDCFailed). Deviation: its pseudocode gives back whether
    detection is on where nothing failed; its comment and its callers want "only if the DC has failed".
    """
    if not snapshot.failures:
        return frozenset()
    return frozenset(
        DcAt(at)
        for at, dc in enumerate(snapshot.dcs)
        if (failure := snapshot.failures.get(dc.guid)) is not None
        and failure.count > _FAILURES_ENDURED
        and snapshot.now - failure.first > FAILED_AFTER_FT
    )


@dataclass(frozen=True, slots=True)
class Need:
    """What a bridgehead must have for one naming context.

    is_partial_ok: a partial replica does. by_due: judged by what should be present (the own site) and not by
    what is present (other sites). behavior_min: of the DC; a read-only DC wants 3 for its own domain.
    is_detecting: failed DCs do not do.
    """

    nc: NcAt
    is_partial_ok: bool = False
    by_due: bool = False
    behavior_min: int = 0
    is_detecting: bool = True


class Candidates:
    """The DCs of each site that meet one need; what was found once is kept."""

    __slots__ = ("_found", "_heads", "need")

    def __init__(self, heads: "Bridgeheads", need: Need) -> None:
        self._heads, self.need = heads, need
        self._found: dict[SiteAt, tuple[DcAt, ...]] = {}

    def at(self, site: SiteAt) -> tuple[DcAt, ...]:
        """Those of the site, in GUID order.

        Where the site names preferred bridgeheads and one of them holds the naming context, only those.
        Deviation: the text skips every DC that is not preferred as soon as one is anywhere in the forest;
        Windows looks at each site for itself and falls back on all DCs where none of the preferred holds
        it (event 1567).
        Spec: [MS-ADTS] 6.2.2.3.4.4 (GetAllBridgeheadDCs)
        """
        found = self._found.get(site)
        if found is None:
            found = self._found[site] = self._find(site)
        return found

    def _find(self, site: SiteAt) -> tuple[DcAt, ...]:
        heads, need = self._heads, self.need
        dcs = heads.snapshot.dcs
        least = Replica.PARTIAL if need.is_partial_ok else Replica.WRITABLE
        found = []
        for at in heads.writable[site]:
            dc = dcs[at]
            replica = (dc.due if need.by_due else dc.held).get(need.nc)
            if replica is not None and replica >= least and dc.behavior_version >= need.behavior_min:
                found.append(at)
        if heads.has_preferred[site]:
            found = [at for at in found if dcs[at].is_preferred] or found
        if need.is_detecting and heads.failed:
            found = [at for at in found if at not in heads.failed]
        return tuple(found)


class Bridgeheads:
    """The DCs of a snapshot by site, and which of them are candidates for what."""

    __slots__ = ("_by_need", "failed", "has_preferred", "read_only", "snapshot", "writable")

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self.failed = failed_dcs(snapshot)
        self.writable: list[list[DcAt]] = [[] for _ in snapshot.sites]
        self.read_only: list[list[DcAt]] = [[] for _ in snapshot.sites]
        self.has_preferred = [False] * len(snapshot.sites)
        for at, dc in enumerate(snapshot.dcs):
            if dc.is_read_only:
                self.read_only[dc.site].append(DcAt(at))
                continue
            self.writable[dc.site].append(DcAt(at))
            if dc.is_preferred:
                self.has_preferred[dc.site] = True
        self._by_need: dict[Need, Candidates] = {}

    def meeting(self, need: Need) -> Candidates:
        """The candidates of every site for this need."""
        found = self._by_need.get(need)
        if found is None:
            found = self._by_need[need] = Candidates(self, need)
        return found

    def ranked(
        self, site: SiteAt, other: SiteAt, among: Sequence[DcAt], weight: Callable[[DcAt], int]
    ) -> list[DcAt]:
        """DCs of `site` in the order in which they are taken for replication with `other`.

        weight: of how many naming contexts of the two sites a DC holds a replica; more goes first, so
        that few connections serve them all. Among equals a hash of the two sites and the DC spreads the
        load over DCs, the same way on every DC that plans. With
        NTDSSETTINGS_OPT_IS_RAND_BH_SELECTION_DISABLED: GCs first, then by GUID.
        """
        if len(among) < 2:
            return list(among)
        dcs = self.snapshot.dcs
        if self.snapshot.sites[site].options & SiteOption.IS_RAND_BH_SELECTION_DISABLED:
            return sorted(among, key=lambda at: (not dcs[at].is_gc, at))
        pair = self.snapshot.sites[site].guid + self.snapshot.sites[other].guid
        return sorted(
            among,
            key=lambda at: (-weight(at), blake2b(pair + dcs[at].guid, digest_size=16).digest(), at),
        )


def preferred_without(snapshot: Snapshot) -> list[tuple[SiteAt, NcAt]]:
    """Sites whose preferred bridgeheads hold no replica of a naming context that another DC of the site
    holds: there all DCs of the site are candidates.
    """
    heads = Bridgeheads(snapshot)
    found = []
    for at, has_preferred in enumerate(heads.has_preferred):
        if not has_preferred:
            continue
        mine = [snapshot.dcs[dc] for dc in heads.writable[at]]
        ours = {nc for dc in mine for nc in dc.held}
        theirs = {nc for dc in mine if dc.is_preferred for nc in dc.held}
        found += [(SiteAt(at), nc) for nc in sorted(ours - theirs)]
    return found
