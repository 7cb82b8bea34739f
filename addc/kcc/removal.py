"""Which connections go: duplicates inside a site, those that no tree between sites wants, and dangling ones.

Only generated ones ever go, and never those that a read-only DC's SYSVOL hangs on. A read-only DC removes
nothing: it cannot write.

Spec: [MS-ADTS] 6.2.2.4.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from addc.kcc.snapshot import Connection, DcAt, SiteAt, SiteOption, Snapshot
from addc.kcc.wanted import Removal, Wanted


def removals(
    snapshot: Snapshot,
    targets: Iterable[DcAt],
    wanted: Sequence[Wanted],
    complete: Mapping[SiteAt, bool],
) -> dict[bytes, Removal]:
    """The connections that go, by their GUID, and why.

    targets: DCs whose own clean-up is asked for. complete: the sites whose connections with other sites were
    decided, and whether all trees hold together there; where they do not, nothing goes. wanted: everything
    that was decided; what serves any of it is in use.
    Spec: [MS-ADTS] 6.2.2.4.
    """
    gone: dict[bytes, Removal] = {}
    for target in targets:
        if snapshot.dcs[target].connections and not snapshot.dcs[target].is_read_only:
            gone.update(_own(snapshot, target))
    decided = {site for site, is_complete in complete.items() if is_complete and _is_planned(snapshot, site)}
    if decided:
        used = {one.guid for each in wanted for one in each.serving}
        for dc in snapshot.dcs:
            if dc.connections and dc.site in decided and not dc.is_read_only:
                gone.update(_unneeded(snapshot, dc.connections, used))
    return gone


def is_removable(one: Connection) -> bool:
    """Whether the KCC may delete it at all: an administrator's stays, and one for SYSVOL alone does."""
    return one.is_generated and not one.is_sysvol_only


def _is_planned(snapshot: Snapshot, site: SiteAt) -> bool:
    """Whether connections with other sites are decided here at all."""
    return not snapshot.sites[site].options & SiteOption.IS_INTER_SITE_AUTO_TOPOLOGY_DISABLED


def _own(snapshot: Snapshot, target: DcAt) -> Iterator[tuple[bytes, Removal]]:
    """Of two from the same DC of the site the older one goes, of equally old ones that with the lower GUID.

    Those whose source is gone do too: no tuple of repsFrom can come of them.
    """
    dc = snapshot.dcs[target]
    if snapshot.sites[dc.site].options & SiteOption.IS_TOPL_CLEANUP_DISABLED:
        return
    newest: dict[DcAt, Connection] = {}
    for one in dc.connections:
        if one.source is None:
            if is_removable(one):
                yield one.guid, Removal.SOURCE_GONE
        elif snapshot.dcs[one.source].site == dc.site and not one.is_sysvol_only:
            known = newest.get(one.source)
            if known is None or (one.created, one.guid) > (known.created, known.guid):
                newest[one.source] = one
    for one in dc.connections:
        if one.source in newest and is_removable(one) and newest[one.source].guid != one.guid:
            yield one.guid, Removal.DUPLICATE


def _unneeded(
    snapshot: Snapshot, connections: Iterable[Connection], used: set[bytes]
) -> Iterator[tuple[bytes, Removal]]:
    """Those from other sites that serve nothing."""
    for one in connections:
        if one.source is None or one.guid in used or not is_removable(one):
            continue
        if snapshot.dcs[one.source].site != snapshot.dcs[one.target].site:
            yield one.guid, Removal.UNNEEDED
