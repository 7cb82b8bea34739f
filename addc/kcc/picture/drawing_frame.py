"""What stands around a map that goes out alone as SVG: title, figures, what the signs mean."""

from typing import Final

from addc.kcc.picture.drawing import Drawn, safe, text_line
from addc.kcc.picture.text import text_width
from addc.kcc.telling.figures import figures, figures_words
from addc.kcc.telling.words import moment, names, nc_label

HEAD_H: Final = 78.0
LEGEND_H: Final = 40.0
LEAST_W: Final = 980.0
EDGE_X: Final = 24.0

LEGEND: Final = (
    ("road", "site link in use"),
    ("road idle", "link that carries nothing"),
    ("keep", "kept"),
    ("add", "added"),
    ("chg", "changed"),
    ("del", "deleted"),
)


def framed(drawn: Drawn, finding_count: int, style: str) -> str:
    """The whole file."""
    shown = drawn.picture
    chips = _chips(drawn)
    wide = max(shown.width, LEAST_W)
    high = HEAD_H + shown.height + LEGEND_H + 18 * len(chips)
    plan = drawn.plan
    title = f"Replication plan of {plan.snapshot.forest_dns or 'the forest'}"
    told = figures_words(figures(plan), finding_count)
    changed = " has-changes" if figures(plan).changes else ""
    left = (wide - shown.width) / 2
    parts = [
        '<?xml version="1.0" encoding="UTF-8"?>\n',
        f'<svg xmlns="http://www.w3.org/2000/svg" class="map view-changes{changed}" role="img" '
        f'viewBox="0 0 {wide:.0f} {high:.0f}" width="{wide:.0f}" height="{high:.0f}" '
        f'aria-label="{safe(title)}">',
        f"<title>{safe(title)}</title><desc>{safe(told)}</desc><style>{style}</style>",
        f'<rect class="frame-bg" width="{wide:.0f}" height="{high:.0f}"/>',
        text_line("frame-title left", EDGE_X, 34, title),
        text_line("lc left", EDGE_X, 56, f"{moment(plan.snapshot.now)} · {told}".strip(" ·")),
        f'<g transform="translate({left:.1f} {HEAD_H:.0f})">{drawn.markup()}</g>',
        f'<g transform="translate(0 {HEAD_H + shown.height + 14:.1f})">{_legend()}</g>',
    ]
    for rank, line in enumerate(chips):
        parts.append(text_line("lc left", EDGE_X, HEAD_H + shown.height + LEGEND_H + 18 * rank + 4, line))
    return "".join(parts) + "</svg>\n"


def _legend() -> str:
    x = EDGE_X
    parts = []
    for kind, words in LEGEND:
        if kind.startswith("road"):
            parts.append(f'<path class="{kind}" d="M{x:.0f} 0h30"/>')
        else:
            line = f'<path class="line" marker-end="url(#head-{kind})" d="M{x:.0f} 0h30"/>'
            parts.append(f'<g class="arrow {kind}">{line}</g>')
        parts.append(text_line("lc left", x + 40, 4, words))
        x += 40 + text_width(words, 11) + 26
    return "".join(parts)


def _chips(drawn: Drawn) -> list[str]:
    """Which letter stands for which naming contexts; nothing where all take the same links."""
    if len(drawn.groups) < 2:
        return []
    snapshot = drawn.plan.snapshot
    return [
        f"{group.letter}: {names([nc_label(snapshot, nc) for nc in group.ncs], 6)}" for group in drawn.groups
    ]
