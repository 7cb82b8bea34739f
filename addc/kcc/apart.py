"""Why sites cannot be joined, in words.

Spec: [MS-ADTS] 6.2.2.3.3
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Final

from addc.kcc.bridgeheads import Bridgeheads, Need
from addc.kcc.site_graph import Colour, Colouring, SiteGraph, Variant
from addc.kcc.site_tree import Grown
from addc.kcc.snapshot import DcAt, NcAt, SiteAt
from addc.kcc.wanted import Path, TreeEdge, Unreachable

Grow = Callable[[Variant, Colouring], Grown]
_NAMED_MAX: Final = 6


class Apart:
    """Finds the reasons: by what would join the sites if one rule did not hold."""

    def __init__(self, heads: Bridgeheads, grow: Grow, graph_of: Callable[[Variant], SiteGraph]) -> None:
        self._heads = heads
        self._snapshot = heads.snapshot
        self._grow = grow
        self._graph_of = graph_of

    def reasons(
        self, ncs: tuple[NcAt, ...], variant: Variant, colouring: Colouring, grown: Grown
    ) -> list[Unreachable]:
        """What is cut off from the largest component of a tree, one entry for each reason."""
        if len(grown.components) < 2:
            return []
        rest = sorted(grown.components, key=lambda sites: _size(sites, colouring))
        main = rest.pop()
        relaxed = _Relaxed(self._grow, variant, colouring, main)
        found: dict[str, list[SiteAt]] = {}
        for sites in sorted(rest):
            found.setdefault(self._why(ncs[0], variant, colouring, relaxed, sites), []).extend(sites)
        return [Unreachable(ncs, tuple(sorted(sites)), why) for why, sites in found.items()]

    def _why(
        self,
        nc: NcAt,
        variant: Variant,
        colouring: Colouring,
        relaxed: "_Relaxed",
        sites: Sequence[SiteAt],
    ) -> str:
        if not any(colouring.accepts[site] for site in sites):
            return self._all_failed(nc, colouring, sites[0])
        links = self._graph_of(variant).everything.at_site
        if not any(site in links for site in sites):
            return "no site link joins it with another site"
        for is_open, is_bridged in ((True, False), (False, True), (True, True)):
            if (is_open and variant.is_ignoring_schedules) or (is_bridged and not variant.is_bridge_wanted):
                continue
            edge = relaxed.joining(sites, is_open=is_open, is_bridged=is_bridged)
            if edge is not None:
                return self._in_the_way(edge.path, is_open=is_open, is_bridged=is_bridged)
        return "no chain of site links leads from it to the other sites"

    def _all_failed(self, nc: NcAt, colouring: Colouring, site: SiteAt) -> str:
        need = Need(nc, is_partial_ok=colouring.colours[site] == Colour.BLACK, is_detecting=False)
        names = self._dc_names(self._heads.meeting(need).at(site))
        return f"none of its DCs that could serve as bridgehead answers: {names}"

    def _in_the_way(self, path: Path, *, is_open: bool, is_bridged: bool) -> str:
        """What keeps this path from being used."""
        first, last = self._snapshot.sites[path.sites[0]].name, self._snapshot.sites[path.sites[-1]].name
        links = _listed([self._snapshot.links[link].name for link in dict.fromkeys(path.links)])
        never = (
            f"the schedule of site link {links} is never open"
            if len(set(path.links)) == 1
            else f"the site links between {first} and {last} ({links}) are never open at the same time"
        )
        unbridged = (
            "site links are not bridged by themselves here, and no site link bridge joins those between "
            f"{first} and {last} ({links})"
        )
        if is_open and is_bridged:
            return f"{unbridged}; they are never open at the same time either"
        return never if is_open else unbridged

    def leaf(self, variant: Variant, site: SiteAt, sources: bytes) -> str:
        """Why nothing can feed a read-only DC of the site, or a replica that is yet to come."""
        if not any(sources):
            return "no other site has a DC that answers and could be its source"
        if site not in self._graph_of(variant).everything.at_site:
            return "no site link joins it with another site"
        return "no way over site links that is ever open leads from a site that could be its source"

    def _dc_names(self, dcs: Iterable[DcAt]) -> str:
        return _listed([self._snapshot.dcs[dc].name for dc in dcs])


class _Relaxed:
    """Trees as they would be if windows, or bridges, or both did not matter."""

    def __init__(self, grow: Grow, variant: Variant, colouring: Colouring, main: tuple[SiteAt, ...]) -> None:
        self._grow, self._variant, self._colouring = grow, variant, colouring
        self._main = main[0]
        self._grown: dict[Variant, tuple[Grown, dict[SiteAt, int], dict[SiteAt, list[TreeEdge]]]] = {}

    def joining(self, sites: Sequence[SiteAt], *, is_open: bool, is_bridged: bool) -> TreeEdge | None:
        """An edge that leads out of these sites in the relaxed tree, if that joins them with the rest."""
        variant = Variant(
            self._variant.is_bridge_wanted and not is_bridged,
            self._variant.is_ignoring_schedules or is_open,
        )
        _, component, at_site = self._facts(variant)
        if component.get(sites[0]) != component.get(self._main):
            return None
        inside = set(sites)
        out = (
            edge
            for site in sites
            for edge in at_site.get(site, ())
            if edge.source not in inside or edge.target not in inside
        )
        return next(out, None)

    def _facts(self, variant: Variant) -> tuple[Grown, dict[SiteAt, int], dict[SiteAt, list[TreeEdge]]]:
        found = self._grown.get(variant)
        if found is None:
            grown = self._grow(variant, self._colouring)
            component = {site: at for at, sites in enumerate(grown.components) for site in sites}
            at_site: dict[SiteAt, list[TreeEdge]] = {}
            for edge in grown.edges:
                at_site.setdefault(edge.source, []).append(edge)
                at_site.setdefault(edge.target, []).append(edge)
            found = self._grown[variant] = (grown, component, at_site)
        return found


def _size(sites: Sequence[SiteAt], colouring: Colouring) -> tuple[bool, int, int, int]:
    """What makes a component the main one: something writable that answers, more sites, the lowest GUID."""
    has_writable = any(colouring.colours[site] == Colour.RED and colouring.accepts[site] for site in sites)
    return has_writable, sum(colouring.accepts[site] for site in sites), len(sites), -sites[0]


def _listed(names: Sequence[str]) -> str:
    shown = list(names[:_NAMED_MAX])
    more = len(names) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")
