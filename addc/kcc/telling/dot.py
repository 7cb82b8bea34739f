"""A plan as a graph in Graphviz' language: sites as clusters, DCs in them, lines coloured by what they carry.

A line has a strand for each naming context, up to so many. Added ones are dashed, deleted ones grey, changed
ones bold. Every name is quoted.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from addc.kcc.snapshot import DcAt, NcAt, SiteAt, Snapshot
from addc.kcc.telling.words import ACTIONS, gone_name, moment, nc_label, nc_labels
from addc.kcc.wanted import Action, Plan, Planned

_COLOURS: Final = (
    "#0072b2",
    "#d55e00",
    "#009e73",
    "#cc79a7",
    "#e69f00",
    "#56b4e9",
    "#7f3c8d",
    "#8c6d31",
)
"""Told apart by people who do not see all colours, too."""
_GONE: Final = "#999999"
_STRANDS_MAX: Final = 4
_TIP_MAX: Final = 30


def as_dot(plan: Plan) -> str:
    """The whole graph: `dot -Tsvg` draws it, for many sites `sfdp -Tsvg`."""
    return "\n".join(_lines(plan)) + "\n"


def colour_of(nc: NcAt) -> str:
    """The colour of a naming context."""
    return _COLOURS[nc % len(_COLOURS)]


def _lines(plan: Plan) -> Iterator[str]:
    snapshot = plan.snapshot
    yield "digraph replication {"
    title = f"Replication topology of {snapshot.forest_dns or snapshot.config_dn}, {moment(snapshot.now)}"
    yield f"  graph [label={_quoted(title)}, labelloc=t, rankdir=LR, compound=true, fontname=Helvetica];"
    yield '  node [shape=box, style="rounded,filled", fillcolor=white, fontname=Helvetica];'
    yield "  edge [fontname=Helvetica, fontsize=9];"
    told = [one for one in plan.connections if one.source is not None or one.existing is not None]
    gone = {one.existing.source_dn for one in told if one.source is None and one.existing is not None}
    shown = {dc for one in told for dc in (one.source, one.target) if dc is not None} | plan.planned_for
    by_site = snapshot.dcs_by_site()
    for at in range(len(snapshot.sites)):
        dcs = [dc for dc in by_site[at] if dc in shown]
        if dcs:
            yield from _site(plan, SiteAt(at), dcs)
    for dn in sorted(gone):
        yield f'  {_gone_node(dn)} [label={_quoted(gone_name(dn))}, fontcolor="{_GONE}", color="{_GONE}"];'
    for one in told:
        yield _edge(snapshot, one)
    yield from _legend(snapshot, sorted({nc for one in told for nc in one.ncs}))
    yield "}"


def _site(plan: Plan, site: SiteAt, dcs: Sequence[DcAt]) -> Iterator[str]:
    snapshot = plan.snapshot
    yield f"  subgraph {_quoted(f'cluster_{site}')} {{"
    yield f'    label={_quoted(snapshot.sites[site].name)}; style="rounded,filled"; fillcolor="#f4f4f4";'
    for at in dcs:
        dc = snapshot.dcs[at]
        marks = [word for word, so in (("GC", dc.is_gc), ("read-only", dc.is_read_only)) if so]
        if plan.istg.get(site) == at:
            marks.append("ISTG")
        label = f"{dc.name}\n{', '.join(marks)}" if marks else dc.name
        frame = ', style="rounded,filled,dashed"' if dc.is_read_only else ""
        yield f"    {_node(at)} [label={_quoted(label)}, tooltip={_quoted(dc.dn)}{frame}];"
    yield "  }"


def _edge(snapshot: Snapshot, one: Planned) -> str:
    """Replication flows along the arrow."""
    if one.source is not None:
        source = _node(one.source)
    else:
        source = _gone_node("" if one.existing is None else one.existing.source_dn)
    labels = nc_labels(snapshot, one.ncs, _TIP_MAX)
    colours = ":".join(colour_of(nc) for nc in one.ncs[:_STRANDS_MAX]) or "#444444"
    style = {Action.ADD: "dashed", Action.CHANGE: "bold", Action.DELETE: "dotted"}.get(one.action, "solid")
    if one.action is Action.DELETE:
        colours = _GONE
    tip = f"{ACTIONS[one.action][1]}: {labels}" if labels else ACTIONS[one.action][1]
    path = next((reason.path for reason in one.reasons if reason.path is not None), None)
    cost = "" if path is None else f", label={_quoted(str(path.cost))}"
    return (
        f"  {source} -> {_node(one.target)} "
        f"[color={_quoted(colours)}, style={style}, tooltip={_quoted(tip)}{cost}];"
    )


def _legend(snapshot: Snapshot, ncs: Sequence[NcAt]) -> Iterator[str]:
    yield '  subgraph "cluster_legend" {'
    yield '    label="Naming contexts"; style="rounded"; fontsize=10;'
    for nc in ncs:
        label = _quoted(nc_label(snapshot, nc))
        yield f'    "nc{nc}" [shape=plaintext, style="", label={label}, fontcolor="{colour_of(nc)}"];'
    yield "  }"


def _node(dc: DcAt) -> str:
    return f'"dc{dc}"'


def _gone_node(dn: str) -> str:
    return _quoted(f"gone {dn}")


def _quoted(text: str) -> str:
    """A string of the language: a quote is escaped, and a backslash stands for itself."""
    bare = "".join(one if one.isprintable() or one == "\n" else "?" for one in text)
    return '"' + bare.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
