"""A plan as a picture to show: one SVG, or one HTML page that needs nothing else.

The page works from a file, without a network and in part without scripts: the map, the figures, the findings
and the first changes are there already. Its policy lets nothing run or load but what it brings.
"""

from base64 import b64encode
from collections.abc import Sequence
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Final

from addc.kcc.picture.composition import picture
from addc.kcc.picture.drawing import SIGN, WORD, Drawn, safe
from addc.kcc.picture.drawing_frame import framed
from addc.kcc.picture.page_data import as_json, gone
from addc.kcc.telling.figures import Figures, figures
from addc.kcc.telling.finding import Finding, Severity
from addc.kcc.telling.latency import Latency
from addc.kcc.telling.words import (
    changed_words,
    counted,
    duration,
    moment,
    names,
    nc_label,
    nc_labels,
    why_words,
)
from addc.kcc.wanted import Action, Plan, Planned

CHANGES_SHOWN: Final = 8
EXAMPLES_SHOWN: Final = 4
FATES: Final = (Action.DELETE, Action.CHANGE, Action.ADD)
TOLD: Final = {Action.DELETE: "deleted", Action.CHANGE: "changed", Action.ADD: "added"}
ALIKE_SHOWN: Final = 40
KINDS_SHOWN: Final = 60
COLUMNS: Final = ("What", "From", "To", "Sites", "Naming contexts", "Links", "Why")


@cache
def _shipped(name: str) -> str:
    """A file that lies beside this module."""
    return files("addc.kcc.picture").joinpath(name).read_text(encoding="utf-8")


def as_svg(plan: Plan, *, findings: Sequence[Finding] = (), latencies: Sequence[Latency] = ()) -> str:
    """The map of a plan with title, figures and legend. latencies: the picture has no place for them."""
    return framed(Drawn(picture(plan)), len(findings), _shipped("picture.css"))


def as_html(plan: Plan, *, findings: Sequence[Finding] = (), latencies: Sequence[Latency] = ()) -> str:
    """The whole page. latencies: the slowest way of each naming context, told beside it."""
    drawn = Drawn(picture(plan))
    look = _shipped("picture.css") + _shipped("page.css")
    script = _shipped("page.js")
    counts = figures(plan)
    title = safe(f"Replication plan of {plan.snapshot.forest_dns or 'the forest'}")
    parts = [
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{_policy(look, script)}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{title}</title><style>{look}</style></head><body>",
        _top(plan, counts, title),
        _findings(findings),
        _tools(bool(counts.changes)),
        '<main class="work"><div class="sheet">',
        _map(drawn, counts),
        '<div class="zooms"><button type="button" id="zoom-in" aria-label="Zoom in">+</button>'
        '<button type="button" id="zoom-out" aria-label="Zoom out">−</button>'
        '<button type="button" id="zoom-fit">Fit</button></div></div>',
        '<aside id="panel" aria-live="polite" aria-label="Details">',
        _home(drawn, counts, latencies),
        "</aside></main>",
        _table(),
        f'<script type="application/json" id="plan">{as_json(drawn)}</script>',
        f"<script>{script}</script></body></html>\n",
    ]
    return "".join(parts)


def _policy(look: str, script: str) -> str:
    """Nothing may be loaded; only this style and this script may work."""
    own = f"style-src '{_hash(look)}'; script-src '{_hash(script)}'"
    return f"default-src 'none'; {own}; base-uri 'none'; form-action 'none'"


def _hash(text: str) -> str:
    return "sha256-" + b64encode(sha256(text.encode()).digest()).decode()


def _top(plan: Plan, counts: Figures, title: str) -> str:
    cells = (
        ("Sites", counts.sites, ""),
        ("DCs", counts.dcs, ""),
        ("Site links", counts.links, ""),
        ("Kept", counts.kept, "keep"),
        ("Added", counts.added, "add"),
        ("Changed", counts.changed, "chg"),
        ("Deleted", counts.deleted, "del"),
    )
    boxes = "".join(
        f'<div class="{kind}{" none" if not count else ""}"><dt>{name}</dt><dd>{count:,}</dd></div>'
        for name, count, kind in cells
    )
    when = moment(plan.snapshot.now)
    return (
        f'<header class="top"><div class="who"><h1>{title}</h1>'
        f'<p class="verdict">{safe(_verdict(plan, counts))} <span class="soft">{when}</span></p></div>'
        f'<dl class="figures">{boxes}</dl></header>'
    )


def _verdict(plan: Plan, counts: Figures) -> str:
    """What the plan comes to, in a sentence."""
    if not counts.changes:
        verdict = "Nothing would change: the connections are as they should be."
    else:
        done = [
            f"{count:,} {word}"
            for count, word in (
                (counts.added, "added"),
                (counts.changed, "changed"),
                (counts.deleted, "deleted"),
            )
            if count
        ]
        verdict = f"Connections that would change: {names(done)}."
    if plan.unreachable:
        cut_off = {site for one in plan.unreachable for site in one.sites}
        verdict += f" {counted(len(cut_off), 'site')} cannot be reached."
    return verdict


def _findings(found: Sequence[Finding]) -> str:
    """The findings, those of a kind together; the worst stands on the closed fold."""
    if not found:
        return ""
    kinds: dict[tuple[Severity, str], list[Finding]] = {}
    for one in found:
        kinds.setdefault((one.severity, one.code), []).append(one)
    counts = ", ".join(
        counted(count, severity.word)
        for severity in Severity
        if (count := sum(one.severity is severity for one in found))
    )
    worst = found[0]
    items = "".join(_kind(ones) for ones in list(kinds.values())[:KINDS_SHOWN])
    return (
        f'<details class="found"><summary>{_level(worst.severity)}<b>{safe(counts)}</b> · '
        f"{safe(worst.what)}</summary><ul>{items}</ul></details>"
    )


def _level(severity: Severity) -> str:
    return f'<span class="level {severity.word}">{severity.word}</span>'


def _kind(ones: Sequence[Finding]) -> str:
    first = ones[0]
    text = f'<li>{_level(first.severity)}{safe(first.what)} <span class="soft">{safe(first.then)}</span>'
    if len(ones) > 1:
        more = "".join(f"<li>{safe(one.what)}</li>" for one in ones[1:ALIKE_SHOWN])
        left = len(ones) - ALIKE_SHOWN
        rest = f"<li>and {left:,} more, in the text report</li>" if left > 0 else ""
        text += f"<details><summary>{len(ones) - 1:,} more like this</summary><ul>{more}{rest}</ul></details>"
    return text + "</li>"


def _tools(has_changes: bool) -> str:
    views = (
        ("before", "Before"),
        ("after", "After"),
        ("changes", "Changes" if has_changes else "No changes"),
    )
    buttons = "".join(
        f'<button type="button" data-view="{name}" aria-pressed="false">{word}</button>'
        for name, word in views
    )
    return (
        f'<div class="tools" role="toolbar" aria-label="Map"><span class="views">{buttons}</span>'
        '<label>Naming context <select id="nc"><option value="-1">all</option></select></label>'
        '<label><input type="checkbox" id="show-links" checked> site links</label>'
        '<label><input type="checkbox" id="show-conns" checked> connections</label>'
        '<label>Find <input type="search" id="search" placeholder="site or DC, then Enter"></label>'
        '<span class="soft" id="hits" role="status"></span></div>'
    )


def _map(drawn: Drawn, counts: Figures) -> str:
    shown = drawn.picture
    view = "view-changes has-changes" if counts.changes else "view-after"
    words = safe(
        f"Map of {counted(counts.sites, 'site')} and {counted(counts.links, 'site link')}. "
        "Arrow keys go from site to site, Enter tells more."
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" id="map" class="map {view}" role="group" '
        f'aria-label="{words}" viewBox="0 0 {max(shown.width, 400):.0f} {max(shown.height, 240):.0f}">'
        f"{drawn.markup()}</svg>"
    )


def _home(drawn: Drawn, counts: Figures, latencies: Sequence[Latency]) -> str:
    """The panel while nothing is chosen: what changes, what each link carries, what the signs mean."""
    parts = []
    if counts.changes:
        parts += ["<h2>What would change</h2>", _changes(drawn)]
    if drawn.plan.snapshot.links:
        parts += ["<h2>What the links carry</h2>", _ways(drawn)]
    if latencies:
        parts += ["<h2>Slowest replication</h2>", _slowest(drawn.plan, latencies)]
    parts += ["<h2>Signs</h2>", _signs(drawn)]
    return "".join(parts)


def _changes(drawn: Drawn) -> str:
    """What changes, by fate and reason: between sites before within, each with its first few."""
    plan = drawn.plan
    kinds: dict[tuple[bool, int, str], list[int]] = {}
    for at, one in enumerate(plan.connections):
        if one.action is not Action.KEEP:
            kinds.setdefault((_is_inside(plan, at), FATES.index(one.action), _why(plan, one)), []).append(at)
    items = []
    for (is_inside, _, why), numbers in sorted(kinds.items())[:CHANGES_SHOWN]:
        action = plan.connections[numbers[0]].action
        few = "".join(f"<li>{_jump(plan, at)}</li>" for at in numbers[:EXAMPLES_SHOWN])
        left = len(numbers) - EXAMPLES_SHOWN
        rest = f'<li class="soft">and {left:,} more</li>' if left > 0 else ""
        where = "within a site" if is_inside else "between sites"
        items.append(
            f'<li><span class="fate {WORD[action]}">{SIGN[action]} {len(numbers):,} {TOLD[action]}</span> '
            f'<span class="soft">{where}: {safe(why)}</span><ul class="few">{few}{rest}</ul></li>'
        )
    left = len(kinds) - len(items)
    rest = f'<p class="soft">and {counted(left, "kind")} more, in the table below</p>' if left > 0 else ""
    return f'<ul class="lines">{"".join(items)}</ul>{rest}'


def _why(plan: Plan, one: Planned) -> str:
    """Why a connection comes or goes, or what of it changes, in few words: the rest is a click away."""
    if one.action is Action.CHANGE:
        return ", ".join(line.partition(":")[0] for line in changed_words(one))
    lines = why_words(plan.snapshot, one)
    return lines[0].partition(" [")[0] if lines else ""


def _jump(plan: Plan, at: int) -> str:
    one = plan.connections[at]
    dcs = plan.snapshot.dcs
    was = one.existing.source_dn if one.existing is not None else ""
    source = dcs[one.source].name if one.source is not None else gone(was)
    return (
        f'<button type="button" class="jump" data-sel="c{at}">'
        f"{safe(source)} → {safe(dcs[one.target].name)}</button>"
    )


def _is_inside(plan: Plan, at: int) -> bool:
    one = plan.connections[at]
    dcs = plan.snapshot.dcs
    return one.source is None or dcs[one.source].site == dcs[one.target].site


def _ways(drawn: Drawn) -> str:
    """Groups of naming contexts by the links that they take; each is a filter of the map."""
    snapshot = drawn.plan.snapshot
    if not drawn.groups:
        return '<p class="soft">No connection goes over a link.</p>'
    rows = []
    many = len(drawn.groups) > 1
    for rank, group in enumerate(drawn.groups):
        label = safe(names([nc_label(snapshot, nc) for nc in group.ncs], 4))
        chip = f'<span class="chip sample g{min(rank, 8)}">{group.letter}</span>' if many else ""
        rows.append(
            f'<button type="button" data-nc="{group.ncs[0]}" aria-pressed="false">{chip}<span>{label}</span>'
            f'<span class="over">{counted(len(group.links), "link")}</span></button>'
        )
    idle = len(snapshot.links) - len(drawn.picture.carried)
    told = "" if many else '<p class="soft">Every naming context takes the same links.</p>'
    text = counted(idle, "link carries nothing", "links carry nothing")
    unused = f'<p class="soft">{text}: dotted on the map.</p>'
    return f'<div class="ways">{"".join(rows)}</div>{told}{unused if idle else ""}'


def _slowest(plan: Plan, latencies: Sequence[Latency]) -> str:
    snapshot = plan.snapshot
    items = []
    for one in latencies[:8]:
        most = duration(one.at_most_s) if one.is_exact else f"at most {duration(one.at_most_s)}"
        items.append(
            f"<li>{safe(nc_labels(snapshot, one.ncs, 4))}: <b>{most}</b> "
            f'<span class="soft">{safe(snapshot.dcs[one.source].name)} → '
            f"{safe(snapshot.dcs[one.target].name)}, {counted(len(one.hops), 'hop')}</span></li>"
        )
    return f'<ul class="lines">{"".join(items)}</ul>'


def _signs(drawn: Drawn) -> str:
    """What the signs of the map mean."""
    box = '<rect class="box" x="6" y="-8" width="34" height="16" rx="4"/>'
    rows = [
        _sign('<path class="road" d="M4 0H42"/>', "site link in use"),
        _sign('<path class="road idle" d="M4 0H42"/>', "site link that carries nothing"),
        *(
            _sign(
                f'<g class="arrow {word}"><path class="line" d="M1 0H43" marker-end="url(#head-{word})"/>'
                "</g>",
                f"connection {told}",
            )
            for word, told in (("keep", "kept"), ("add", "added"), ("chg", "changed"), ("del", "deleted"))
        ),
        *(
            _sign(f'<g class="site {role}">{box}</g>', told)
            for role, told in (
                ("gc", "site with a global catalog"),
                ("plain", "site without one"),
                ("rodc", "read-only DCs alone"),
                ("empty", "no DC"),
            )
        ),
        _sign('<use href="#clock" x="23"/>', "closed at times"),
    ]
    if drawn.failed:
        bang = '<g class="bang" transform="translate(23 0)"><circle r="7"/><text y="4">!</text></g>'
        rows.append(_sign(bang, "does not answer"))
    if drawn.picture.has_dcs:
        star = '<use href="#star" x="23"/>'
        rows.append(_sign(star, "the site's ISTG, which plans its connections with other sites"))
    return f'<div class="legend">{"".join(rows)}</div>'


def _sign(mark: str, words: str) -> str:
    view = 'viewBox="0 -9 46 18" aria-hidden="true"'
    return f'<svg class="map view-changes" {view}>{mark}</svg><span>{words}</span>'


def _table() -> str:
    heads = "".join(
        f'<th scope="col" data-by="{at}" aria-sort="none"><button type="button">{name}</button></th>'
        for at, name in enumerate(COLUMNS)
    )
    fates = (("any", "changes alone"), ("1", "added"), ("2", "changed"), ("3", "deleted"), ("0", "kept"))
    options = "".join(f'<option value="{value}">{word}</option>' for value, word in fates)
    return (
        '<section class="list"><div class="bar"><h2>All connections</h2>'
        '<label>Filter <input type="search" id="filter"></label>'
        f'<select id="fate" aria-label="Which connections"><option value="">all</option>{options}</select>'
        '<span class="soft" id="count" role="status"></span></div>'
        "<noscript><p>The list of all connections needs JavaScript.</p></noscript>"
        f'<div class="scroll"><table><thead><tr>{heads}</tr></thead><tbody id="rows"></tbody></table></div>'
        '<button type="button" id="more" hidden>Show more</button></section>'
    )
