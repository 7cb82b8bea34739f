"""Debian's samba_kcc and our planner on the same LDIFs, edge by edge, for docs/conformance.md.

    python -m tests.bench.conformance_kcc [--only NAME]

Samba runs as every DC of a forest, round after round, until nothing moves; all changes are exchanged between
rounds. Between sites, edges are compared by site: which of a site's DCs is the bridgehead is free. Inside a
site they are compared by DC; edges beyond the rings are free there too. Without --only the table is written
into the document, between its two marks.
"""

import argparse
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Final

from addc.kcc.plan import plan_forest
from addc.kcc.snapshot import ConnectionOption, LinkOption, SiteAt, Snapshot, TransportOption
from tests.kit.kcc_checker import check_state
from tests.kit.kcc_flows import Flow, flows_of_connections, flows_of_plan
from tests.kit.kcc_forest import AConnection, ADc, ALink, ASite, forest, hours
from tests.kit.kcc_shapes import hub_tree, mesh, one_link
from tests.kit.samba_kcc import whole_forest

DOCUMENT: Final = Path("docs/conformance.md")
BEGIN: Final = "<!-- kcc: written by tests/bench/conformance_kcc.py -->"
END: Final = "<!-- kcc: end -->"
ROUNDS_MAX: Final = 6

_GC_ONLY: Final = "the edges agree, but Samba's GCs get nothing of other domains over them (fault 3)"

Edges = frozenset[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Case:
    """A forest and, where the two differ, why."""

    name: str
    snapshot: Snapshot
    why: str = ""


@dataclass(frozen=True, slots=True)
class Compared:
    """inside, between: our edges and Samba's. rounds: until Samba moved nothing any more; 0 if it gave up."""

    inside: tuple[Edges, Edges]
    between: tuple[Edges, Edges]
    starts: tuple[str, str]
    rounds: int
    judged: tuple[int, int]
    last_words: str = ""


def signed(*names: str) -> list[ASite]:
    """Sites whose first DC has signed as the ISTG, as after Samba's first rounds."""
    return [ASite(name, generator=f"{name.lower()}1") for name in names]


def cases() -> Iterator[Case]:
    """The forests."""
    shortcuts = "beyond the rings, extra edges are free: Samba's are random, ours keep three hops"
    yield Case("one site, 5 DCs", forest(sites=signed("A"), dcs=[f"A/a{at}" for at in range(1, 6)]))
    yield Case(
        "one site, 12 DCs", forest(sites=signed("A"), dcs=[f"A/a{at}" for at in range(1, 13)]), shortcuts
    )
    yield Case(
        "one site, 2 domains, GCs",
        forest(
            sites=signed("A"),
            dcs=["A/a1*", "A/a2", ADc("a3", "A", gc=True, domain="child"), ADc("a4", "A", domain="child")],
        ),
        _GC_ONLY,
    )
    yield Case("chain of 4 sites", forest(sites=signed(*"ABCD"), dcs=_dcs("ABCD"), links=_chain("ABCD")))
    yield Case("one link of 8 sites", _settled(one_link(8)), _GC_ONLY)
    yield Case("hub tree, 12 sites, one domain", _settled(hub_tree(12, domains=1, connected=False)))
    yield Case("hub tree, 7 sites, two domains", _settled(_two_domains()), _GC_ONLY)
    yield Case("three regions of 3 sites on a ring", _settled(mesh(3, 3)))
    yield Case(
        "a site without DCs on the way",
        forest(sites=[*signed("A"), ASite("B"), *signed("C")], dcs=_dcs("AC"), links=_chain("ABC")),
    )
    yield Case(
        "a read-only DC alone on the way",
        forest(
            sites=[*signed("A"), ASite("B"), *signed("C")], dcs=[*_dcs("AC"), "B/b1!"], links=_chain("ABC")
        ),
        "fault 16: Samba joins nothing over it, and gives up as the read-only DC (2)",
    )
    yield Case(
        "bridges required, none there",
        forest(
            sites=[*signed("A"), ASite("B"), *signed("C")],
            dcs=_dcs("AC"),
            links=_chain("ABC"),
            transport_options=TransportOption.BRIDGES_REQUIRED,
        ),
        "fault 7: Samba plans over links that the network does not chain; ours reports the pieces",
    )
    yield Case(
        "a preferred bridgehead in one of 3 sites",
        forest(sites=signed(*"ABC"), dcs=[ADc("a1", "A", preferred=True), *_dcs("BC")], links=_chain("ABC")),
        "fault 11: sites that name none are cut off",
    )
    yield Case(
        "a link open at night",
        forest(
            sites=signed(*"AB"), dcs=_dcs("AB"), links=[ALink("ab", ("A", "B"), window=hours([22, 23, 0, 1]))]
        ),
        "fault 1: every run gives up",
    )
    yield Case(
        "two ways, one of them dearer",
        forest(
            sites=signed(*"ABC"),
            dcs=_dcs("ABC"),
            links=[*_chain("ABC"), ALink("ac", ("A", "C"), cost=150, options=LinkOption.USE_NOTIFY)],
        ),
    )
    yield Case(
        "an administrator's connection beside a newer one",
        forest(
            sites=signed("A"),
            dcs=["A/a1", "A/a2"],
            connections=[
                AConnection("a2", "a1", options=ConnectionOption(0), age_h=9, name="manual"),
                AConnection("a2", "a1", age_h=1, name="generated"),
            ],
        ),
        "fault 5: the edges agree, but Samba deletes the administrator's connection; ours never does",
    )


def _dcs(names: str) -> list[str]:
    return [f"{name}/{name.lower()}1*" for name in names]


def _chain(names: str) -> list[ALink]:
    return [ALink(f"{one}{two}", (one, two)) for one, two in pairwise(names)]


def _two_domains() -> Snapshot:
    """A core, a hub of each domain with two branches; GCs in core and hubs."""
    parents = {"H1": "C", "H2": "C", "B1": "H1", "B2": "H1", "B3": "H2", "B4": "H2"}
    second = {"H2", "B3", "B4"}
    dcs = [
        ADc(f"{name.lower()}1", name, gc=name[0] != "B", domain="child" if name in second else "corp")
        for name in ("C", *parents)
    ]
    links = [ALink(f"{parent}-{name}", (parent, name)) for name, parent in parents.items()]
    return forest(sites=["C", *parents], dcs=dcs, links=links)


def _settled(snapshot: Snapshot) -> Snapshot:
    """With our ISTGs signed in, so that Samba's DCs do not all plan at once (fault 17)."""
    istg = plan_forest(snapshot).istg
    sites = tuple(
        replace(site, generator=snapshot.dcs[istg[SiteAt(at)]].dn) if SiteAt(at) in istg else site
        for at, site in enumerate(snapshot.sites)
    )
    return replace(snapshot, sites=sites)


def compare(case: Case, folder: Path) -> Compared:
    """Both on one forest."""
    plan = plan_forest(case.snapshot)
    ours = flows_of_plan(plan)
    current, rounds, gave_up = case.snapshot, 0, ""
    for count in range(ROUNDS_MAX):
        made = whole_forest(current, folder / str(count))
        gave_up = next(iter(made.gave_up.values()), gave_up)
        after = made.after
        if _there(after) == _there(current):
            break
        current, rounds = after, count + 1
    theirs = flows_of_connections(current, (one for dc in current.dcs for one in dc.connections))
    return Compared(
        (_inside(case.snapshot, ours), _inside(case.snapshot, theirs)),
        (_between(case.snapshot, ours), _between(case.snapshot, theirs)),
        (_starts(case.snapshot, ours), _starts(case.snapshot, theirs)),
        rounds,
        (
            len(check_state(case.snapshot, ours, plan.istg)),
            len(check_state(case.snapshot, theirs, plan.istg)),
        ),
        gave_up,
    )


def _there(snapshot: Snapshot) -> list[str]:
    return sorted(one.dn for dc in snapshot.dcs for one in dc.connections)


def _site(snapshot: Snapshot, flow: Flow) -> tuple[SiteAt, SiteAt]:
    return snapshot.dcs[flow.source].site, snapshot.dcs[flow.target].site


def _inside(snapshot: Snapshot, flows: Iterable[Flow]) -> Edges:
    inside = (flow for flow in flows if len(set(_site(snapshot, flow))) == 1)
    return frozenset((snapshot.dcs[one.source].name, snapshot.dcs[one.target].name) for one in inside)


def _between(snapshot: Snapshot, flows: Iterable[Flow]) -> Edges:
    ends = (_site(snapshot, flow) for flow in flows)
    return frozenset(
        (snapshot.sites[source].name, snapshot.sites[target].name)
        for source, target in ends
        if source != target
    )


def _starts(snapshot: Snapshot, flows: Iterable[Flow]) -> str:
    """How often a week connections between sites start, all that occur."""
    counts = {
        flow.schedule.bit_count()
        for flow in flows
        if flow.schedule is not None and len(set(_site(snapshot, flow))) > 1
    }
    return ", ".join(str(count) for count in sorted(counts))


def table(found: Iterable[tuple[Case, Compared]]) -> Iterator[str]:
    """Lines of the document."""
    yield "| forest | DCs | in sites: both, ours, Samba's | between: both, ours, Samba's | starts a week |"
    yield "|---|---|---|---|---|"
    remarks: list[str] = []
    for case, compared in found:
        inside, between = (_counted(edges) for edges in (compared.inside, compared.between))
        starts = " / ".join(one or "-" for one in compared.starts) if any(compared.starts) else ""
        yield f"| {case.name} | {len(case.snapshot.dcs)} | {inside} | {between} | {starts} |"
        remarks += _remark(case, compared)
    yield ""
    yield from remarks


def _counted(edges: tuple[Edges, Edges]) -> str:
    ours, theirs = edges
    if not ours and not theirs:
        return ""
    return f"{len(ours & theirs)}, {len(ours - theirs)}, {len(theirs - ours)}"


def _remark(case: Case, compared: Compared) -> Iterator[str]:
    told = [case.why] if case.why else []
    if compared.last_words:
        told.append(f"Samba gave up with `{compared.last_words}`")
    if compared.judged[1]:
        told.append(
            f"the judge of tests/kit/kcc_checker.py finds {compared.judged[1]} promises broken by Samba"
        )
    if compared.rounds > 1:
        told.append(f"Samba needs {compared.rounds} rounds (fault 4)")
    if told:
        yield f"- {case.name}: {'; '.join(told)}."


def unexplained(case: Case, compared: Compared) -> bool:
    """Whether the edges differ and no one has said why, or ours are wrong."""
    differs = any(ours != theirs for ours, theirs in (compared.inside, compared.between))
    return compared.judged[0] > 0 or (differs and not case.why)


def main(words: Sequence[str] | None = None) -> int:
    """0 where every difference has its reason."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="a part of a forest's name")
    chosen = parser.parse_args(words)
    found = []
    for at, case in enumerate(one for one in cases() if chosen.only in one.name):
        with tempfile.TemporaryDirectory() as scratch:
            compared = compare(case, Path(scratch) / str(at))
        found.append((case, compared))
        for label, (ours, theirs) in (("in sites", compared.inside), ("between", compared.between)):
            print(
                f"{case.name}: {label}: ours {sorted(ours - theirs)}, Samba's {sorted(theirs - ours)}",
                flush=True,
            )
    lines = list(table(found))
    print("\n".join(lines))
    if not chosen.only:
        text = DOCUMENT.read_text()
        head, _, rest = text.partition(BEGIN)
        tail = rest.partition(END)[2]
        DOCUMENT.write_text("\n".join([head + BEGIN, *lines, END]) + tail)
    return 1 if any(unexplained(case, compared) for case, compared in found) else 0


if __name__ == "__main__":
    raise SystemExit(main())
