"""Whether a plan does what it may, to whom it may, and gives true reasons; beside what it leaves behind.

`violations(plan)` is everything about a forest plan; the planner's own functions are handed in where a rule
is about planning twice or in shares.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterator
from itertools import pairwise

import networkx

from addc.codec.schedule import ALWAYS, NEVER, QUARTERS, Quarters
from addc.kcc.snapshot import (
    Connection,
    ConnectionOption,
    DcAt,
    LinkOption,
    NcAt,
    SiteAt,
    SiteOption,
    Snapshot,
)
from addc.kcc.wanted import Action, Path, Plan, Planned, Removal, Rule
from tests.kit.kcc_checker import check_state
from tests.kit.kcc_flows import applied, flows_of_plan
from tests.kit.kcc_forest import label
from tests.kit.kcc_reference import Colour, Reference, Variant

INBOUND_MAX = 50
NOTIFY = ConnectionOption.OVERRIDE_NOTIFY_DEFAULT | ConnectionOption.USE_NOTIFY
_BETWEEN = {Rule.TREE, Rule.REDUNDANT}

Planner = Callable[[Snapshot], Plan]
ShareOf = Callable[[Snapshot, Collection[DcAt]], Plan]


def violations(plan: Plan) -> list[str]:
    """Everything wrong with a forest plan by itself."""
    judge = _Judge(plan)
    return [
        *check_state(plan.snapshot, flows_of_plan(plan), plan.istg),
        *judge.accounted(),
        *judge.duplicates(),
        *judge.additions(),
        *judge.deletions(),
        *judge.paths(),
        *judge.starts(),
        *judge.options(),
        *judge.inbound(),
        *judge.carried(),
        *least_cost(plan),
    ]


def not_stable(plan: Plan, planner: Planner) -> Iterator[str]:
    """A second run on what the first one left changes nothing."""
    again = planner(applied(plan))
    for one in again.connections:
        if one.is_written and one.action is not Action.KEEP:
            yield f"a second run would {one.action.value} {_words(plan.snapshot, one)}"
    if again.istg != plan.istg:
        yield "a second run moves an ISTG"


def not_the_sum(plan: Plan, share_of: ShareOf) -> Iterator[str]:
    """The shares of all DCs are the forest's plan, and no connection is in two."""
    shares: Counter[str] = Counter()
    for at in range(len(plan.snapshot.dcs)):
        for one in share_of(plan.snapshot, [DcAt(at)]).connections:
            if one.is_decided:
                shares[repr(one)] += 1
    whole = Counter(repr(one) for one in plan.connections if one.is_decided)
    for text, count in (whole - shares).items():
        yield f"in no share, {count} times: {text}"
    for text, count in (shares - whole).items():
        yield f"in a share, but not in the forest's plan, {count} times: {text}"


def _words(snapshot: Snapshot, one: Planned) -> str:
    source = "?" if one.source is None else snapshot.dcs[one.source].name
    return f"{source} -> {snapshot.dcs[one.target].name}"


class _Judge:
    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.snapshot = plan.snapshot
        self.reference = Reference(plan.snapshot)
        self.existing = [one for dc in self.snapshot.dcs for one in dc.connections]
        self.final = [one for one in plan.connections if one.action is not Action.DELETE]

    def _site(self, dc: DcAt) -> SiteAt:
        return self.snapshot.dcs[dc].site

    def _is_between(self, one: Planned) -> bool:
        return one.source is not None and self._site(one.source) != self._site(one.target)

    def accounted(self) -> Iterator[str]:
        """Each connection that is there is told of once; an administrator's and SYSVOL's are not touched."""
        told = Counter(one.existing.guid for one in self.plan.connections if one.existing is not None)
        for one in self.existing:
            if told[one.guid] != 1:
                yield f"{one.dn} is in the plan {told[one.guid]} times"
        for planned in self.plan.connections:
            there = planned.existing
            if there is None:
                if planned.action is not Action.ADD:
                    yield f"{_words(self.snapshot, planned)} is not there to {planned.action.value}"
                continue
            if planned.action is Action.ADD:
                yield f"{there.dn} is added though it is there"
            if planned.action is not Action.KEEP and (not there.is_generated or there.is_sysvol_only):
                yield f"{there.dn} is not the KCC's to {planned.action.value}"
            if planned.action is Action.KEEP and not _is_same(planned, there):
                yield f"{there.dn} is kept, but not as it is"
            if planned.action is Action.CHANGE and _is_same(planned, there):
                yield f"{there.dn} is changed, but nothing of it"
            if planned.is_enabled != there.is_enabled:
                yield f"{there.dn}: whether it is enabled is for the administrator to say"

    def duplicates(self) -> Iterator[str]:
        """No second generated connection between the same two DCs, and none added beside one that does.

        Below a read-only DC they stay: it cannot write, and no one else is to.
        """
        pairs = Counter(
            (one.source, one.target)
            for one in self.final
            if one.options & ConnectionOption.IS_GENERATED
            and not one.options & ConnectionOption.RODC_TOPOLOGY
            and not self._site_options(one) & SiteOption.IS_TOPL_CLEANUP_DISABLED
            and not self.snapshot.dcs[one.target].is_read_only
        )
        for (source, target), count in pairs.items():
            if count > 1 and source is not None and self._may_clean(source, target):
                yield f"{count} generated connections {self._ends(source, target)}"
        added = Counter((one.source, one.target) for one in self.final if one.action is Action.ADD)
        for (source, target), count in added.items():
            serving = [
                one
                for one in self.existing
                if (one.source, one.target) == (source, target)
                and not one.is_sysvol_only
                and (
                    not one.is_generated
                    or self._site_of(one.source) == self._site(target)
                    or one.transport == "IP"
                )
            ]
            if source is not None and (count > 1 or serving):
                yield f"{self._ends(source, target)} is added beside another"

    def _ends(self, source: DcAt, target: DcAt) -> str:
        return f"{self.snapshot.dcs[source].name} -> {self.snapshot.dcs[target].name}"

    def _site_of(self, dc: DcAt | None) -> SiteAt | None:
        return None if dc is None else self._site(dc)

    def _may_clean(self, source: DcAt, target: DcAt) -> bool:
        """Whether its duplicates go: between sites only where each tree is complete."""
        if self._site(source) == self._site(target):
            return True
        return self._is_complete(self._site(target)) and self._has_istg(self._site(target))

    def _has_istg(self, site: SiteAt) -> bool:
        stops = SiteOption.IS_INTER_SITE_AUTO_TOPOLOGY_DISABLED
        return site in self.plan.istg and not self.snapshot.sites[site].options & stops

    def _site_options(self, one: Planned) -> SiteOption:
        return self.snapshot.sites[self._site(one.target)].options

    def _is_complete(self, site: SiteAt) -> bool:
        """Every tree of a naming context that the site has a replica of joins all its replicas."""
        for at in range(len(self.snapshot.ncs)):
            if self.reference.colour(NcAt(at), site) is not Colour.WHITE:
                gone = self.reference.failed(site)
                if not self.reference.tree(NcAt(at), self.reference.variant(site), gone).is_complete:
                    return False
        return True

    def additions(self) -> Iterator[str]:
        """What is added is the KCC's, enabled, from a writable DC that is there, for a reason."""
        for one in self.plan.connections:
            if one.action is not Action.ADD:
                continue
            words = _words(self.snapshot, one)
            options = self._site_options(one)
            if one.source is None or self.snapshot.dcs[one.source].is_read_only:
                yield f"{words} is added with a source that can be none"
                continue
            if not one.options & ConnectionOption.IS_GENERATED or not one.is_enabled or not one.reasons:
                yield f"{words} is added disabled, not as the KCC's, or for no reason"
            if one.is_written is self.snapshot.dcs[one.target].is_read_only:
                yield f"{words}: is_written does not tell a read-only DC"
            between = self._is_between(one)
            if (one.transport == "IP") is not between or one.transport not in {"", "IP"}:
                yield f"{words} has transport {one.transport!r}"
            stops = (
                SiteOption.IS_INTER_SITE_AUTO_TOPOLOGY_DISABLED
                if between
                else SiteOption.IS_AUTO_TOPOLOGY_DISABLED
            )
            if options & stops:
                yield f"{words} is added where the site's options forbid it"

    def deletions(self) -> Iterator[str]:
        """Only for the three reasons, each of them true."""
        for one in self.plan.connections:
            if one.action is not Action.DELETE:
                continue
            there = one.existing
            if there is None or one.removal is None:
                yield f"{_words(self.snapshot, one)} is deleted for no reason"
            elif one.removal is Removal.SOURCE_GONE:
                if there.source is not None:
                    yield f"{there.dn}: its source is there"
            elif one.removal is Removal.UNNEEDED:
                yield from self._wrongly_unneeded(one, there)
            elif not self._has_twin(one, there):
                yield f"{there.dn} is deleted as a duplicate of nothing"

    def _wrongly_unneeded(self, one: Planned, there: Connection) -> Iterator[str]:
        site = self._site(one.target)
        if not self._is_between(one):
            yield f"{there.dn} is inside its site: not needed is no reason there"
        elif not self._is_complete(site):
            yield f"{there.dn} is deleted though a tree is in pieces"
        elif not self._has_istg(site):
            yield f"{there.dn} is deleted though no one plans for its site"

    def _has_twin(self, one: Planned, there: Connection) -> bool:
        """Another one from the same source, or one between the same sites that carries as much, stays."""
        for other in self.final:
            if other.target == one.target and other.source == one.source:
                return True
            if self._is_between(one) and other.source is not None and one.source is not None:
                ends = (self._site(other.source), self._site(other.target))
                carries = self.reference.implied(other.source, other.target)
                if ends == (self._site(one.source), self._site(one.target)):
                    if carries >= self.reference.implied(one.source, one.target):
                        return True
        return False

    def _paths(self, one: Planned) -> list[Path]:
        return [reason.path for reason in one.reasons if reason.path is not None]

    def paths(self) -> Iterator[str]:
        """A tree edge's path runs from site to site over links that may be chained and are open together."""
        for one in self.plan.connections:
            for reason in one.reasons:
                if reason.rule in _BETWEEN and reason.path is None:
                    yield f"{_words(self.snapshot, one)} has a tree for a reason, but no path"
            for path in self._paths(one):
                if one.source is not None:
                    yield from (f"{_words(self.snapshot, one)}: {text}" for text in self._path(one, path))

    def _path(self, one: Planned, path: Path) -> Iterator[str]:
        assert one.source is not None
        site = self._site(one.target)
        variant = self.reference.variant(site)
        if (path.sites[0], path.sites[-1]) != (self._site(one.source), site):
            yield "the path does not run between their sites"
        if len(path.sites) != len(path.links) + 1 or len(set(path.sites)) != len(path.sites):
            yield "the path has holes or circles"
        links = [self.snapshot.links[at] for at in path.links]
        for link, here, there in zip(links, path.sites[:-1], path.sites[1:], strict=True):
            if not {here, there} <= set(link.sites):
                yield f"{link.name} does not join the sites of the path"
        window, options = ALWAYS, LinkOption(7)
        for link in links:
            window = Quarters(window & (link.window if variant.is_scheduled else ALWAYS))
            options &= link.options
        if window == NEVER or path.window != window:
            yield "its links are not open when the path says so"
        if path.cost != sum(link.cost for link in links) or path.options & 7 != options:
            yield "cost or options are not those of the links"
        if path.interval_min != max(link.interval_min for link in links):
            yield "the interval is not the largest of the links"
        chains = self.reference.edge_sets(variant)
        if len(links) > 1 and not any(set(path.links) <= chain for chain in chains):
            yield "the path goes on where no bridge does"

    def starts(self) -> Iterator[str]:
        """Generated connections between sites start when their path is open, an interval apart."""
        for one in self.final:
            paths = self._paths(one)
            is_ours = one.options & ConnectionOption.IS_GENERATED
            if not paths or not is_ours or one.options & ConnectionOption.USER_OWNED_SCHEDULE:
                continue
            if one.schedule is None:
                yield f"{_words(self.snapshot, one)} never starts"
                continue
            spread = bool(self._site_options(one) & SiteOption.IS_SCHEDULE_HASHING_ENABLED)
            if not any(are_starts(one.schedule, path, is_spread=spread) for path in paths):
                yield f"{_words(self.snapshot, one)} does not start as its path allows"

    def options(self) -> Iterator[str]:
        """Notification, two ways and compression are those of the path's links."""
        for one in self.final:
            paths = self._paths(one)
            if paths and one.options & ConnectionOption.IS_GENERATED:
                if not any(_fits(one.options, path.options) for path in paths):
                    yield f"{_words(self.snapshot, one)}: options {one.options!r} are not its path's"

    def inbound(self) -> Iterator[str]:
        """Nobody is given more than 50 to pull from inside its site."""
        added = Counter(
            one.target for one in self.final if one.action is Action.ADD and not self._is_between(one)
        )
        for dc, count in added.items():
            if count > INBOUND_MAX:
                yield f"{self.snapshot.dcs[dc].name} is given {count} sources in its site"

    def carried(self) -> Iterator[str]:
        """The naming contexts told are those that the connection implies."""
        for one in self.final:
            is_plain = one.source is not None and not one.options & ConnectionOption.RODC_TOPOLOGY
            if is_plain and one.is_enabled and one.source is not None:
                if set(one.ncs) != self.reference.implied(one.source, one.target):
                    yield f"{_words(self.snapshot, one)} is said to carry {list(one.ncs)}"


def _is_same(planned: Planned, there: Connection) -> bool:
    return (planned.options, planned.transport, planned.schedule, planned.source, planned.target) == (
        there.options,
        there.transport,
        there.schedule,
        there.source,
        there.target,
    )


def _fits(options: ConnectionOption, link: LinkOption) -> bool:
    return (
        (options & NOTIFY == NOTIFY) == bool(link & LinkOption.USE_NOTIFY)
        and bool(options & ConnectionOption.TWOWAY_SYNC) == bool(link & LinkOption.TWOWAY_SYNC)
        and bool(options & ConnectionOption.DISABLE_INTERSITE_COMPRESSION)
        == bool(link & LinkOption.DISABLE_COMPRESSION)
    )


def are_starts(week: Quarters, path: Path, *, is_spread: bool) -> bool:
    """Whether these are starts inside the window, an interval apart, the first one where a stretch begins."""
    step = max(1, -(-path.interval_min // 15))
    starts = [at for at in range(QUARTERS) if week >> at & 1]
    if week & ~path.window or not starts:
        return False
    for at in range(QUARTERS):
        is_open = path.window >> at & 1
        begins = is_open and (at == 0 or not path.window >> (at - 1) & 1)
        if begins:
            length = next((n for n in range(QUARTERS - at) if not path.window >> (at + n) & 1), QUARTERS - at)
            inside = [start - at for start in starts if at <= start < at + length]
            gaps = {later - sooner for sooner, later in pairwise(inside)}
            wraps = at == 0 and path.window >> (QUARTERS - 1) & 1
            first_max = step - 1 if is_spread or wraps else 0
            if gaps - {step} or (inside and inside[0] > first_max) or (not inside and length >= step):
                return False
            if inside and length - inside[-1] > step:
                return False
    return True


def least_cost(plan: Plan) -> Iterator[str]:
    """The trees' cost is the least there is, by networkx, where no schedule narrows the choice.

    Not where a coloured site has no bridgehead: ProcessEdge then starts from that site all the same, so that
    to the letter of 6.2.2.3.4.4 two others may be joined by way of it, which is dearer.
    """
    snapshot = plan.snapshot
    reference = Reference(snapshot)
    variants = {reference.variant(SiteAt(at)) for at in range(len(snapshot.sites))}
    if len(variants) > 1:
        return
    (variant,) = variants
    if variant.is_scheduled and any(one.window != ALWAYS for one in snapshot.links):
        return
    for tree in plan.trees:
        for nc in tree.ncs:
            mine = sum(edge.path.cost for edge in tree.edges)
            best = _least(reference, nc, variant, tree.failed)
            if best is not None and mine != best:
                yield f"the tree of {label(snapshot.ncs[nc])} costs {mine}, not {best}"


def _least(reference: Reference, nc: NcAt, variant: Variant, gone: Collection[DcAt]) -> int | None:
    """Cost of the least forest: red sites first, then black ones; None where one cannot be joined."""
    sites = [SiteAt(at) for at in range(len(reference.snapshot.sites))]
    colours = {at: reference.colour(nc, at) for at in sites}
    there = [at for at in sites if reference.candidates(nc, at, colours[at], gone)]
    if len(there) < sum(colour is not Colour.WHITE for colour in colours.values()):
        return None
    closure = _closure(reference, there, variant)
    red = networkx.Graph()
    red.add_nodes_from(at for at in there if colours[at] is Colour.RED)
    for (one, other), cost in closure.items():
        if colours[one] is colours[other] is Colour.RED:
            red.add_edge(one, other, weight=cost)
    trunk = networkx.minimum_spanning_tree(red)
    whole = networkx.Graph()
    whole.add_nodes_from(there)
    whole.add_edges_from((one, other, {"weight": -1}) for one, other in trunk.edges)
    for (one, other), cost in closure.items():
        if Colour.BLACK in {colours[one], colours[other]}:
            whole.add_edge(one, other, weight=cost)
    hung = networkx.minimum_spanning_tree(whole)
    costs = [data["weight"] for _, _, data in hung.edges(data=True) if data["weight"] >= 0]
    return int(trunk.size(weight="weight")) + int(sum(costs))


def _closure(reference: Reference, there: list[SiteAt], variant: Variant) -> dict[tuple[SiteAt, SiteAt], int]:
    """Cost of the cheapest path between every two of these sites, over links that may be chained."""
    links = reference.snapshot.links
    found: dict[tuple[SiteAt, SiteAt], int] = {}
    chains = [*reference.edge_sets(variant), *(frozenset({at}) for at in range(len(links)))]
    for chain in chains:
        graph = networkx.Graph()
        for at in chain:
            for one in links[at].sites:
                graph.add_edge(("site", one), ("link", at), weight=links[at].cost / 2)
        for start in there:
            if ("site", start) not in graph:
                continue
            far = networkx.single_source_dijkstra_path_length(graph, ("site", start))
            for end in there:
                if end > start and ("site", end) in far:
                    cost = round(far["site", end])
                    found[start, end] = min(cost, found.get((start, end), cost))
    return found


def every_violation(snapshot: Snapshot, planner: Planner, share_of: ShareOf) -> list[str]:
    """All of it: the plan by itself, planned twice, and in shares."""
    plan = planner(snapshot)
    return [
        *violations(plan),
        *not_stable(plan, planner),
        *not_the_sum(plan, share_of),
    ]
