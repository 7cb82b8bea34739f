"""Whether a topology keeps what is promised, judged from the outside: a text for each thing that is wrong.

What is promised, with `held` and `due` of [MS-ADTS] 6.2.2 and of all DCs where nothing else is said:

- every change of a writable replica arrives at every replica of its naming context, as far as the least-cost
  trees of sites join them (6.2.2, first requirement); partial replicas pass nothing on to full ones;
- inside a site (without the option that stops the KCC there) the same holds while any one DC is out: the
  rings run both ways (6.2.2.2). Between sites it is promised under no outage but those that the failure
  lists tell of, unless a site has the redundant topology option: then of any one bridgehead with a stand-in;
- full replicas inside a site are at most three hops apart, unless the site's option says not to care;
- one ISTG in each site that has a writable DC.

A connection that an administrator disabled counts as there: 6.2.2.2 and 6.2.2.3 let it serve.
Naming contexts with replicas on their way in or out anywhere are not judged for connectivity.
"""

from collections.abc import Iterator, Mapping, Sequence

from addc.kcc.snapshot import DcAt, NcAt, NcKind, Replica, SiteAt, SiteOption, Snapshot
from tests.kit.kcc_flows import Flow, named, reached
from tests.kit.kcc_forest import label
from tests.kit.kcc_reference import Colour, Reference, Tree, Variant

HOPS_MAX = 3


def check_state(snapshot: Snapshot, flows: Sequence[Flow], istg: Mapping[SiteAt, DcAt]) -> list[str]:
    """All that is wrong with what is there after planning."""
    judge = _Judge(snapshot, flows)
    return [
        *check_istg(snapshot, istg),
        *judge.sources(),
        *judge.rings(),
        *judge.outages_inside(),
        *judge.hops_inside(),
        *judge.tree_edges(),
        *judge.redundancy(),
        *judge.connected(),
        *judge.read_only(),
    ]


def check_istg(snapshot: Snapshot, istg: Mapping[SiteAt, DcAt]) -> Iterator[str]:
    """One in each site that has a writable DC, and that one of its writable DCs."""
    for at, dcs in enumerate(snapshot.dcs_by_site()):
        site = snapshot.sites[at]
        writable = [dc for dc in dcs if not snapshot.dcs[dc].is_read_only]
        chosen = istg.get(SiteAt(at))
        if not writable:
            if chosen is not None:
                yield f"site {site.name} has no writable DC, but an ISTG"
        elif chosen not in writable:
            yield f"site {site.name} has no ISTG of its own"
        elif len(writable) > 1 and not snapshot.cursors:
            alive = [dc for dc in writable if snapshot.dcs[dc].guid not in snapshot.failures]
            there = [dc for dc in alive if snapshot.dcs[dc].dn == site.generator]
            if there and chosen not in there:
                yield f"site {site.name} does not keep its ISTG"


class _Judge:
    def __init__(self, snapshot: Snapshot, flows: Sequence[Flow]) -> None:
        self.snapshot = snapshot
        self.flows = flows
        self.reference = Reference(snapshot)
        self.ncs = [NcAt(at) for at in range(len(snapshot.ncs))]
        self.settled = [nc for nc in self.ncs if self.reference.is_settled(nc)]
        self.pairs = {(flow.source, flow.target) for flow in flows}

    def _options(self, site: SiteAt) -> SiteOption:
        return self.snapshot.sites[site].options

    def _holders(self, nc: NcAt, site: SiteAt, *kinds: Replica) -> list[DcAt]:
        return [at for at in self.reference.by_site[site] if self.snapshot.dcs[at].due.get(nc) in kinds]

    def _planned_inside(self) -> Iterator[SiteAt]:
        for at in range(len(self.snapshot.sites)):
            if not self._options(SiteAt(at)) & SiteOption.IS_AUTO_TOPOLOGY_DISABLED:
                yield SiteAt(at)

    def sources(self) -> Iterator[str]:
        """No read-only DC is a source of what the KCC generates, and nothing flows against the colours."""
        for flow in self.flows:
            source, target = self.snapshot.dcs[flow.source], self.snapshot.dcs[flow.target]
            if flow.source == flow.target:
                yield f"{source.name} replicates from itself"
            for nc in flow.ncs:
                if not self.reference.source_may_feed(flow.source, flow.target, nc):
                    yield f"{target.name} cannot get {label(self.snapshot.ncs[nc])} from {source.name}"

    def rings(self) -> Iterator[str]:
        """Both neighbours in each ring feed a DC, with and without those that failed, 6.2.2.2."""
        for site in self._planned_inside():
            for target in self.reference.by_site[site]:
                yield from self._rings_of(target)

    def _rings_of(self, target: DcAt) -> Iterator[str]:
        dc = self.snapshot.dcs[target]
        for nc in dc.due:
            is_config = self.snapshot.ncs[nc].kind is NcKind.CONFIG
            for detect in (True, False):
                for gcs_only in (False, True) if is_config and dc.is_gc else (False,):
                    wanted = self.reference.ring_sources(target, nc, detect=detect, gcs_only=gcs_only)
                    lacking = [one for one in wanted if (one, target) not in self.pairs]
                    if lacking:
                        yield (
                            f"ring of {label(self.snapshot.ncs[nc])}: {dc.name} has no connection from "
                            f"{named(self.snapshot, lacking)}"
                        )

    def outages_inside(self) -> Iterator[str]:
        """Without any one DC of a site the others there still get what its full replicas change."""
        for site in self._planned_inside():
            inside = [flow for flow in self.flows if self._is_inside(flow, site)]
            for nc in self.settled:
                full = self._holders(nc, site, Replica.WRITABLE)
                others = self._holders(nc, site, Replica.WRITABLE, Replica.PARTIAL)
                for out in others:
                    for start in full:
                        if start == out:
                            continue
                        lost = set(others) - {out} - set(reached(inside, nc, start, [out]))
                        if lost:
                            yield (
                                f"without {named(self.snapshot, [out])} changes of "
                                f"{label(self.snapshot.ncs[nc])} on {named(self.snapshot, [start])} do not "
                                f"reach {named(self.snapshot, lost)} in the same site"
                            )

    def _is_inside(self, flow: Flow, site: SiteAt) -> bool:
        return self.snapshot.dcs[flow.source].site == site == self.snapshot.dcs[flow.target].site

    def hops_inside(self) -> Iterator[str]:
        """At most three between full replicas of a site."""
        for site in self._planned_inside():
            if self._options(site) & SiteOption.IS_TOPL_MIN_HOPS_DISABLED:
                continue
            inside = [flow for flow in self.flows if self._is_inside(flow, site)]
            for nc in self.settled:
                full = self._holders(nc, site, Replica.WRITABLE)
                for start in full:
                    hops = reached(inside, nc, start)
                    far = [dc for dc in full if hops.get(dc, HOPS_MAX + 1) > HOPS_MAX]
                    if far:
                        yield (
                            f"{label(self.snapshot.ncs[nc])}: more than {HOPS_MAX} hops from "
                            f"{named(self.snapshot, [start])} to {named(self.snapshot, far)}"
                        )

    def trees(self, nc: NcAt, site: SiteAt) -> Iterator[tuple[Tree, bool]]:
        """The tree that a site goes by: around the failed DCs, and if that is in pieces, as if none had."""
        variant, gone = self.reference.variant(site), self.reference.failed(site)
        around = self.reference.tree(nc, variant, gone)
        yield around, True
        if gone and not around.is_complete:
            yield self.reference.tree(nc, variant), False

    def tree_edges(self) -> Iterator[str]:
        """Each edge of a least-cost tree into a site has its connection."""
        for nc in self.settled:
            for at in range(len(self.snapshot.sites)):
                site = SiteAt(at)
                if self._options(site) & SiteOption.IS_INTER_SITE_AUTO_TOPOLOGY_DISABLED:
                    continue
                if self.reference.colour(nc, site) is Colour.WHITE:
                    continue
                for tree, detect in self.trees(nc, site):
                    for edge in tree.edges:
                        source = edge.into(site)
                        if source is not None and not self._joined(nc, source, site, detect=detect):
                            yield (
                                f"{label(self.snapshot.ncs[nc])}: nothing from site "
                                f"{self.snapshot.sites[source].name} to {self.snapshot.sites[site].name}"
                                f"{'' if detect else ' as if no DC had failed'}"
                            )

    def _joined(self, nc: NcAt, source: SiteAt, site: SiteAt, *, detect: bool) -> bool:
        gone = self.reference.failed(site) if detect else frozenset()
        return any(
            nc in flow.ncs
            and self.snapshot.dcs[flow.source].site == source
            and self.snapshot.dcs[flow.target].site == site
            and not {flow.source, flow.target} & gone
            and not self.snapshot.dcs[flow.target].is_read_only
            for flow in self.flows
        )

    def redundancy(self) -> Iterator[str]:
        """Where a site wants it, a stand-in for the bridgehead at each end that has one."""
        for nc in self.settled:
            for at, one in enumerate(self.snapshot.sites):
                site = SiteAt(at)
                stops = SiteOption.IS_INTER_SITE_AUTO_TOPOLOGY_DISABLED
                if not one.options & SiteOption.IS_REDUNDANT_SERVER_TOPOLOGY_ENABLED or one.options & stops:
                    continue
                gone = self.reference.failed(site)
                tree = self.reference.tree(nc, self.reference.variant(site), gone)
                for edge in tree.edges:
                    source = edge.into(site)
                    if source is not None and self.reference.colour(nc, site) is not Colour.WHITE:
                        yield from self._stand_ins(nc, source, site)

    def _stand_ins(self, nc: NcAt, source: SiteAt, site: SiteAt) -> Iterator[str]:
        between = [
            flow
            for flow in self.flows
            if nc in flow.ncs
            and self.snapshot.dcs[flow.source].site == source
            and self.snapshot.dcs[flow.target].site == site
        ]
        colour = self.reference.colour(nc, site)
        for here, ends in (
            (source, {flow.source for flow in between}),
            (site, {flow.target for flow in between}),
        ):
            there = self.reference.candidates(nc, here, colour, self.reference.failed(site))
            if len(there) > 1 and len(ends - self.reference.failed(site)) < 2:
                yield (
                    f"{label(self.snapshot.ncs[nc])}: no stand-in in {self.snapshot.sites[here].name} "
                    f"between {self.snapshot.sites[source].name} and {self.snapshot.sites[site].name}"
                )

    def connected(self) -> Iterator[str]:
        """Every change arrives everywhere that the trees lead to, failed DCs left out and with them."""
        stops = SiteOption.IS_AUTO_TOPOLOGY_DISABLED | SiteOption.IS_INTER_SITE_AUTO_TOPOLOGY_DISABLED
        sites = [SiteAt(at) for at in range(len(self.snapshot.sites))]
        views = {(self.reference.variant(site), self.reference.failed(site)) for site in sites}
        if any(site.options & stops for site in self.snapshot.sites) or len(views) > 1:
            return
        for nc in self.settled:
            for variant, failed in views:
                for gone in {failed, frozenset[DcAt]()}:
                    yield from self._connected(nc, variant, gone)

    def _connected(self, nc: NcAt, variant: Variant, gone: frozenset[DcAt]) -> Iterator[str]:
        tree = self.reference.tree(nc, variant, gone)
        for start, dc in enumerate(self.snapshot.dcs):
            if dc.due.get(nc) is not Replica.WRITABLE or start in gone or dc.is_read_only:
                continue
            sites = _fed_from(tree, dc.site)
            wanted = {
                DcAt(at)
                for at, other in enumerate(self.snapshot.dcs)
                if nc in other.due and other.site in sites and at not in gone and not other.is_read_only
            }
            lost = wanted - set(reached(self.flows, nc, DcAt(start), gone))
            if lost:
                yield (
                    f"{label(self.snapshot.ncs[nc])}: changes on {dc.name} do not reach "
                    f"{named(self.snapshot, lost)}{' around failed DCs' if gone else ''}"
                )

    def read_only(self) -> Iterator[str]:
        """Each read-only DC has a source for everything due, where any that will do can be reached."""
        stops = SiteOption.IS_AUTO_TOPOLOGY_DISABLED | SiteOption.IS_INTER_SITE_AUTO_TOPOLOGY_DISABLED
        for at, dc in enumerate(self.snapshot.dcs):
            if not dc.is_read_only or self._options(dc.site) & stops:
                continue
            for nc in dc.due:
                fed = any(nc in flow.ncs for flow in self.flows if flow.target == at)
                if not fed and self._has_source(DcAt(at), nc):
                    yield f"{label(self.snapshot.ncs[nc])}: {dc.name} has nothing to replicate from"

    def _has_source(self, target: DcAt, nc: NcAt) -> bool:
        """A writable DC that may feed it, in its site or one link away that is ever open."""
        local = self.snapshot.dcs[target]
        near = {local.site} | {
            site
            for link in self.snapshot.links
            if local.site in link.sites and link.window
            for site in link.sites
        }
        is_own = nc == local.domain
        return any(
            other.site in near
            and not other.is_read_only
            and self.reference.source_may_feed(DcAt(at), target, nc)
            and not (is_own and other.behavior_version < 3)
            for at, other in enumerate(self.snapshot.dcs)
        )


def _fed_from(tree: Tree, start: SiteAt) -> set[SiteAt]:
    """The sites that a change made in one of them gets to."""
    found = {start}
    for _ in tree.edges:
        for edge in tree.edges:
            if edge.first in found:
                found.add(edge.second)
            elif edge.second in found and not edge.is_one_way:
                found.add(edge.first)
    return found
