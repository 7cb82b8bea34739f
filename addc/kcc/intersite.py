"""Connections between sites: the trees of all naming contexts, and the bridgeheads that carry them.

Spec: [MS-ADTS] 6.2.2.3
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from addc.kcc.apart import Apart
from addc.kcc.bridgeheads import Bridgeheads, Need
from addc.kcc.colours import Colours
from addc.kcc.connection_rules import counts, options_in_line
from addc.kcc.serving import Demand, Servers
from addc.kcc.site_graph import (
    Colour,
    Colouring,
    SiteGraph,
    Variant,
    site_graph,
    turned,
    variant_of,
)
from addc.kcc.site_tree import Grown, Nearest, grow
from addc.kcc.snapshot import (
    BEHAVIOR_WIN2008,
    Connection,
    DcAt,
    NcAt,
    Replica,
    SiteAt,
    SiteOption,
    Snapshot,
)
from addc.kcc.wanted import Path, Rule, SiteTree, TreeEdge, Unreachable, Wanted

__all__ = ("Intersite", "options_in_line", "wanted_between")


@dataclass(frozen=True, slots=True)
class Intersite:
    """What is wanted between sites. complete: of each site that was decided, whether every site with a
    replica of any of its naming contexts is joined with it; only then may connections go."""

    wanted: tuple[Wanted, ...]
    trees: tuple[SiteTree, ...]
    complete: Mapping[SiteAt, bool]
    unreachable: tuple[Unreachable, ...]


def wanted_between(
    snapshot: Snapshot,
    sites: Collection[SiteAt] | None = None,
    rodcs: Collection[DcAt] | None = None,
) -> Intersite:
    """The connections that lead into sites from others, and what trees they come from.

    sites: those whose inbound connections are decided; None for all. rodcs: read-only DCs whose own are; None
    for all.
    Spec: [MS-ADTS] 6.2.2.3.4.2 (CreateIntersiteConnections)
    """
    return _Planner(snapshot).plan(
        range(len(snapshot.sites)) if sites is None else sites,
        [at for at, dc in enumerate(snapshot.dcs) if dc.is_read_only] if rodcs is None else rodcs,
    )


@dataclass(frozen=True, slots=True)
class _View:
    """How a site looks at the forest: all sites with the same view have the same trees."""

    variant: Variant
    is_detecting: bool


@dataclass(frozen=True, slots=True)
class _Group:
    """Naming contexts that the same sites hold. newcomers: sites that should hold them and do not yet."""

    ncs: tuple[NcAt, ...]
    colouring: Colouring
    newcomers: tuple[tuple[SiteAt, Colour], ...]


_Ends = tuple[SiteAt, SiteAt, DcAt | None]
"""Two sites; and the read-only DC that is served, apart from the rest: its wishes must not sway theirs."""


class _Planner:
    """One run over a snapshot; graphs, trees and candidates are made once each."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._heads = Bridgeheads(snapshot)
        self._colours = Colours(self._heads)
        self._graphs: dict[Variant, SiteGraph] = {}
        self._grown: dict[tuple[Variant, Colouring], Grown] = {}
        self._nearest: dict[tuple[Variant, bytes], Nearest] = {}
        self._sources: dict[Need, bytes] = {}
        self._apart = Apart(self._heads, self._tree, self._graph)
        self._demands: dict[_Ends, list[Demand]] = {}
        self._trees: list[SiteTree] = []
        self._unreachable: dict[tuple[tuple[NcAt, ...], str], set[SiteAt]] = defaultdict(set)
        self._complete: dict[SiteAt, bool] = {}

    def plan(self, sites: Iterable[int], rodcs: Iterable[int]) -> Intersite:
        views = self._views(sites)
        for view, among in views.items():
            self._plan_view(view, among, is_only=len(views) == 1)
        for rodc in sorted(rodcs):
            self._plan_rodc(DcAt(rodc))
        wanted = self._served()
        return Intersite(
            tuple(wanted),
            tuple(self._trees),
            self._complete,
            tuple(
                Unreachable(ncs, tuple(sorted(cut_off)), why)
                for (ncs, why), cut_off in self._unreachable.items()
            ),
        )

    # --- what is made once

    def _graph(self, variant: Variant) -> SiteGraph:
        found = self._graphs.get(variant)
        if found is None:
            found = self._graphs[variant] = site_graph(self._snapshot, variant)
        return found

    def _tree(self, variant: Variant, colouring: Colouring) -> Grown:
        key = (variant, colouring)
        found = self._grown.get(key)
        if found is None:
            found = self._grown[key] = grow(self._graph(variant), colouring)
        return found

    def _leaf_path(self, variant: Variant, site: SiteAt, need: Need) -> Path | None:
        """From the nearest other site that meets the need."""
        sources = self._sources_for(need)
        key = (variant, sources)
        found = self._nearest.get(key)
        if found is None:
            among = [SiteAt(at) for at, fits in enumerate(sources) if fits]
            found = self._nearest[key] = Nearest(self._graph(variant), among)
        path = found.path(site)
        return path if path is not None and path.links else None

    def _sources_for(self, need: Need) -> bytes:
        found = self._sources.get(need)
        if found is None:
            found = self._sources[need] = self._colours.sources(need)
        return found

    def _view_of(self, site: SiteAt) -> _View:
        is_blind = self._snapshot.sites[site].options & SiteOption.IS_TOPL_DETECT_STALE_DISABLED
        return _View(variant_of(self._snapshot, site), bool(self._heads.failed) and not is_blind)

    def _views(self, sites: Iterable[int]) -> dict[_View, frozenset[SiteAt]]:
        """The sites that are planned for by what they see. Those that plan nothing are never complete."""
        found: dict[_View, set[SiteAt]] = {}
        for at in sorted(set(sites)):
            site = SiteAt(at)
            off = self._snapshot.sites[site].options & SiteOption.IS_INTER_SITE_AUTO_TOPOLOGY_DISABLED
            self._complete[site] = not off
            if not off and self._heads.writable[site]:
                found.setdefault(self._view_of(site), set()).add(site)
        return {view: frozenset(among) for view, among in found.items()}

    # --- trees

    def _groups(self, *, is_detecting: bool, among: Collection[SiteAt]) -> list[_Group]:
        """The naming contexts that the sites hold, or should, by who else does."""
        found: dict[tuple[Colouring, tuple[tuple[SiteAt, Colour], ...]], list[NcAt]] = {}
        for at, holding in enumerate(self._colours.holdings):
            nc = NcAt(at)
            if not any(
                holding.present[site] != Colour.WHITE or holding.due[site] != Colour.WHITE for site in among
            ):
                continue
            newcomers = tuple((site, Colour(holding.due[site])) for site in holding.newcomers())
            colouring = self._colours.colouring(nc, is_detecting=is_detecting)
            found.setdefault((colouring, newcomers), []).append(nc)
        return [_Group(tuple(ncs), key[0], key[1]) for key, ncs in found.items()]

    def _plan_view(self, view: _View, among: frozenset[SiteAt], *, is_only: bool) -> None:
        planned_by = None if is_only else among
        for group in self._groups(is_detecting=view.is_detecting, among=among):
            grown = self._tree(view.variant, group.colouring)
            leaves = self._newcomers(view, group, among)
            self._want(grown.edges, group, among, is_detecting=view.is_detecting)
            self._trees.append(
                SiteTree(
                    group.ncs,
                    (*grown.edges, *leaves),
                    _with_leaves(grown.components, leaves),
                    self._heads.failed if view.is_detecting else frozenset(),
                    planned_by=planned_by,
                )
            )
            if len(grown.components) > 1:
                self._note_pieces(view, group, grown, among, planned_by)

    def _note_pieces(
        self,
        view: _View,
        group: _Group,
        grown: Grown,
        among: frozenset[SiteAt],
        planned_by: frozenset[SiteAt] | None,
    ) -> None:
        """Not all hangs together: say why, let nothing go, and where DCs failed want the ideal tree as
        well.
        """
        for one in self._apart.reasons(group.ncs, view.variant, group.colouring, grown):
            self._unreachable[one.ncs, one.why].update(one.sites)
        for site in among:
            if group.colouring.colours[site] != Colour.WHITE:
                self._complete[site] = False
        ideal = self._colours.colouring(group.ncs[0], is_detecting=False)
        if not view.is_detecting or ideal == group.colouring:
            return
        better = self._tree(view.variant, ideal)
        self._want(better.edges, group, among, is_detecting=False, as_if=True)
        self._trees.append(
            SiteTree(
                group.ncs,
                better.edges,
                better.components,
                as_if_none_failed=True,
                planned_by=planned_by,
            )
        )

    def _want(
        self,
        edges: Iterable[TreeEdge],
        group: _Group,
        among: frozenset[SiteAt],
        *,
        is_detecting: bool,
        as_if: bool = False,
    ) -> None:
        """Demands of the sites that edges lead into; an ideal edge only where the real tree has none."""
        colours = group.colouring.colours
        for edge in edges:
            ways = [(edge.source, edge.target, edge.path)]
            if not edge.is_one_way:
                ways.append((edge.target, edge.source, turned(edge.path)))
            for source, target, path in ways:
                if target not in among:
                    continue
                is_partial_ok = colours[target] == Colour.BLACK
                demands = self._demands.setdefault((source, target, None), [])
                ncs = group.ncs
                if as_if:
                    known = {nc for one in demands for nc in one.ncs}
                    ncs = tuple(nc for nc in ncs if nc not in known)
                if ncs:
                    demands.append(Demand(ncs, path, Rule.TREE, is_partial_ok, is_detecting, as_if))

    def _newcomers(self, view: _View, group: _Group, among: frozenset[SiteAt]) -> list[TreeEdge]:
        """Edges to sites whose replicas are yet to come, from the nearest site that has one to give.

        Deviation: the text draws them into the trees of their own generators alone. They can feed nobody, so
        they are leaves here.
        """
        edges = []
        for site, due in group.newcomers:
            need = Need(group.ncs[0], due == Colour.BLACK, is_detecting=view.is_detecting)
            path = self._leaf_path(view.variant, site, need)
            if path is None:
                self._lack(view, group.ncs, site, need, among)
                continue
            edges.append(TreeEdge(path.sites[0], site, path, is_one_way=True))
            if site in among:
                demand = Demand(group.ncs, path, Rule.TREE, need.is_partial_ok, view.is_detecting)
                self._demands.setdefault((path.sites[0], site, None), []).append(demand)
        return edges

    def _lack(
        self,
        view: _View,
        ncs: tuple[NcAt, ...],
        site: SiteAt,
        need: Need,
        among: Collection[SiteAt],
    ) -> None:
        """Nothing can feed the site, unless another DC of it does."""
        holding = self._colours.holdings[need.nc]
        if holding.present[site] <= holding.due[site] or site not in among:
            return
        self._complete[site] = False
        self._unreachable[ncs, self._apart.leaf(view.variant, site, self._sources_for(need))].add(site)

    # --- read-only DCs

    def _plan_rodc(self, at: DcAt) -> None:
        """What a read-only DC has no source for in its own site it gets from the nearest site that has it.

        Spec: [MS-ADTS] 6.2.2.3.4.4, 6.2.2.3.4.5 (AmIRODC)
        """
        dc = self._snapshot.dcs[at]
        options = self._snapshot.sites[dc.site].options
        if options & SiteOption.IS_INTER_SITE_AUTO_TOPOLOGY_DISABLED:
            return
        view = self._view_of(dc.site)
        by_way: dict[tuple[Path, Need], list[NcAt]] = {}
        for nc in sorted(dc.due):
            behavior_min = BEHAVIOR_WIN2008 if nc == dc.domain else 0
            is_partial_ok = dc.due[nc] is Replica.PARTIAL
            need = Need(nc, is_partial_ok, False, behavior_min, view.is_detecting)
            found = self._rodc_path(view, dc.site, need)
            if found is not None:
                path, is_detecting = found
                flags = Need(NcAt(0), is_partial_ok, False, behavior_min, is_detecting)
                by_way.setdefault((path, flags), []).append(nc)
        for (path, flags), ncs in by_way.items():
            demand = Demand(
                tuple(ncs),
                path,
                Rule.RODC_SOURCE,
                flags.is_partial_ok,
                flags.is_detecting,
                view.is_detecting and not flags.is_detecting,
                flags.behavior_min,
                into=at,
            )
            self._demands.setdefault((path.sites[0], dc.site, at), []).append(demand)

    def _rodc_path(self, view: _View, site: SiteAt, need: Need) -> tuple[Path, bool] | None:
        """The way, and whether it avoids failed DCs; None where a DC of the site is the source, or
        nothing is.
        """
        needs = [need]
        if need.is_detecting:
            needs.append(Need(need.nc, need.is_partial_ok, False, need.behavior_min, False))
        for one in needs:
            if self._heads.meeting(one).at(site):
                return None
            path = self._leaf_path(view.variant, site, one)
            if path is not None:
                return path, one.is_detecting
        why = self._apart.leaf(view.variant, site, self._sources_for(needs[-1]))
        self._unreachable[(need.nc,), why].add(site)
        return None

    # --- bridgeheads

    def _served(self) -> list[Wanted]:
        """The pairs of bridgeheads for all demands, in the order of target and source."""
        servers = Servers(self._heads)
        existing = self._existing()
        wanted: list[Wanted] = []
        for (source, target, rodc), demands in self._demands.items():
            there = existing.get((source, target, rodc), ())
            found, unserved = servers.serve(source, target, demands, there)
            wanted += found
            for demand, nc in unserved:
                name = self._snapshot.sites[source].name
                self._unreachable[(nc,), f"no DC of {name} that answers can give it a full replica"].add(
                    target
                )
                if demand.into is None:
                    self._complete[target] = False
        wanted.sort(key=lambda one: (one.target, one.source))
        return wanted

    def _existing(self) -> dict[_Ends, list[Connection]]:
        """Connections that may serve, by what they join."""
        dcs = self._snapshot.dcs
        found: dict[_Ends, list[Connection]] = {}
        for at, dc in enumerate(dcs):
            rodc = DcAt(at) if dc.is_read_only else None
            for one in dc.connections:
                if one.source is not None and counts(one):
                    ends = (dcs[one.source].site, dc.site, rodc)
                    if ends in self._demands:
                        found.setdefault(ends, []).append(one)
        return found


def _with_leaves(
    components: Sequence[tuple[SiteAt, ...]], leaves: Sequence[TreeEdge]
) -> tuple[tuple[SiteAt, ...], ...]:
    """Components with the sites that hang on them."""
    if not leaves:
        return tuple(components)
    hung: dict[SiteAt, set[SiteAt]] = defaultdict(set)
    coloured = {site for sites in components for site in sites}
    for leaf in leaves:
        if leaf.target not in coloured:
            hung[leaf.source].add(leaf.target)
    return tuple(
        tuple(sorted({*sites, *(leaf for site in sites for leaf in hung.get(site, ()))}))
        for sites in components
    )
