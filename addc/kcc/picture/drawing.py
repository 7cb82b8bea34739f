"""The picture of a plan as SVG: static, complete without a script, no colour that a sign does not repeat.

Every name from the directory goes through `safe`; nothing else puts text into the markup.
"""

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from math import hypot
from typing import Final

from addc.kcc.bridgeheads import failed_dcs
from addc.kcc.picture.arrows import CHIP, LINE_H, ORDER, Arrow, Label, Mini, Over, is_open, over
from addc.kcc.picture.cards import MINI, MINI_KEPT, MULTI
from addc.kcc.picture.composition import link_line
from addc.kcc.picture.groups import LETTERS, Group, groups, signs
from addc.kcc.picture.parts import Box, DcSpot, Node, Picture, Shape, Tile
from addc.kcc.picture.sites import dc_tags
from addc.kcc.picture.text import cut, text_width
from addc.kcc.picture.ways import road_curve
from addc.kcc.snapshot import DcAt, LinkAt, SiteAt
from addc.kcc.telling.words import counted, dc_name, duration, window_words
from addc.kcc.wanted import Action, Plan

WORD: Final[Mapping[Action, str]] = {
    Action.KEEP: "keep",
    Action.ADD: "add",
    Action.CHANGE: "chg",
    Action.DELETE: "del",
}
SIGN: Final[Mapping[Action, str]] = {Action.ADD: "+", Action.CHANGE: "~", Action.DELETE: "×"}
TURNING: Final = {
    code: 0xFFFD for code in (*range(0x7F, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A))
}
"""What turns the direction of text, of what follows as well."""
_UNFIT: Final = TURNING | {
    code: 0xFFFD
    for code in (*range(0x09), 0x0B, 0x0C, *range(0x0E, 0x20), 0x7F, *range(0xD800, 0xE000), 0xFFFE, 0xFFFF)
}
_STAR: Final = "M0-5.2 1.5-1.7 5.2-1.6 2.3.6 3.3 4.3 0 2.2-3.3 4.3-2.3.6-5.2-1.6-1.5-1.7z"


def safe(text: str) -> str:
    """Text as markup may hold it, in elements and in attributes."""
    return escape(text.translate(_UNFIT), quote=True)


class Drawn:
    """A picture with all that its markup needs."""

    __slots__ = ("by_site", "failed", "groups", "istg", "over", "picture", "plan", "signs")

    def __init__(self, shown: Picture) -> None:
        self.picture = shown
        self.plan = shown.plan
        self.by_site = shown.plan.snapshot.dcs_by_site()
        self.groups: tuple[Group, ...] = groups(shown.plan.snapshot, shown.carried)
        self.signs = signs(self.groups)
        self.over: Over = over(shown, {link: len(row) for link, row in self.signs.items()})
        self.failed: frozenset[DcAt] = failed_dcs(shown.plan.snapshot)
        self.istg = frozenset(shown.plan.istg.values())

    def markup(self) -> str:
        """All of the map, in the picture's own measures."""
        parts = [defs(), '<g class="roads">', *self._roads(), "</g>"]
        links = [self._node(node) for node in self.picture.nodes if node.shape is Shape.LINK]
        sites = [self._node(node) for node in self.picture.nodes if node.shape is not Shape.LINK]
        nodes = ['<g class="nodes">', *sites, "</g>"]
        arrows = ['<g class="arrows">', *(_arrow(self.plan, one) for one in self.over.arrows), "</g>"]
        # Arrows between DCs end inside their sites; others that meet a site go on behind it.
        parts += nodes + arrows if self.picture.has_dcs else arrows + nodes
        parts += ['<g class="nodes">', *links, '</g><g class="labels">']
        parts += [self._label(label) for label in self.over.labels]
        parts.append('</g><g class="marks">')
        parts += [_sign(arrow) for arrow in self.over.arrows if arrow.action in SIGN]
        parts.append("</g>")
        return "".join(parts)

    # --- links ---------------------------------------------------------------------------------------------

    def _roads(self) -> Iterable[str]:
        links = self.plan.snapshot.links
        for road in self.picture.roads:
            way = _way(road_curve(self.picture, road))
            used = "" if road.link in self.picture.carried else " idle"
            yield (
                f'<path class="road{used}" data-l="{road.link}" d="{way}">'
                f"<title>{safe(links[road.link].name)}</title></path>"
            )

    def _label(self, label: Label) -> str:
        link = self.picture.roads[label.road].link
        found = self.plan.snapshot.links[link]
        box = label.box
        used = "" if link in self.picture.carried else " idle"
        parts = [
            f'<g class="label{used}" data-l="{link}"><title>{safe(self._link_words(link))}</title>',
            f'<rect x="{_n(box.left)}" y="{_n(box.top)}" width="{_n(box.w)}" height="{_n(box.h)}" rx="6"/>',
        ]
        row = self.signs.get(link, ())
        aside = CHIP * len(row) + (0 if is_open(self.picture, link) else 15)
        for rank, line in enumerate(label.lines):
            last = rank == len(label.lines) - 1
            x = box.x - (aside / 2 if last else 0)
            kind = "ln" if len(label.lines) > 1 and not rank else "lc"
            parts.append(text_line(kind, x, box.top + LINE_H * rank + 15, line))
        x = box.left + box.w - 8 - aside
        y = box.top + box.h - 11
        if found.window and not is_open(self.picture, link):
            parts.append(f'<use href="#clock" x="{_n(x + 6)}" y="{_n(y)}"/>')
            x += 15
        elif not found.window:
            parts.append(f'<use href="#shut" x="{_n(x + 6)}" y="{_n(y)}"/>')
            x += 15
        parts.append(self._chips(row, x, y))
        return "".join(parts) + "</g>"

    def _chips(self, row: Iterable[int], x: float, y: float) -> str:
        parts = []
        for rank in row:
            letter = self.groups[rank].letter
            parts.append(
                f'<g class="chip g{min(rank, len(LETTERS))}" transform="translate({_n(x + 7)} {_n(y)})">'
                f'<rect x="-6.5" y="-6.5" width="13" height="13" rx="3"/><text y="3.6">{letter}</text></g>'
            )
            x += CHIP
        return "".join(parts)

    def _link_words(self, link: LinkAt) -> str:
        found = self.plan.snapshot.links[link]
        return f"{found.name}: {link_line(found)}, {window_words(found.window)}"

    # --- nodes ---------------------------------------------------------------------------------------------

    def _node(self, node: Node) -> str:
        if node.shape is Shape.LINK:
            return self._link_node(node)
        if node.shape is Shape.SITE and node.site is not None:
            return self._site(node, node.site)
        return self._card(node)

    def site_words(self, site: SiteAt) -> str:
        """A site in one line, for those who do not see the map."""
        found = self.plan.snapshot.sites[site]
        text = f"Site {found.name}: {self.about(site)}"
        istg = self.plan.istg.get(site)
        return f"{text}, ISTG {self.plan.snapshot.dcs[istg].name}" if istg is not None else text

    def about(self, site: SiteAt) -> str:
        """What DCs a site has."""
        dcs = self.dcs_in(site)
        if not dcs:
            return "no DC"
        snapshot = self.plan.snapshot
        parts = [counted(len(dcs), "DC")]
        if any(snapshot.dcs[dc].is_gc for dc in dcs):
            parts.append("GC")
        if all(snapshot.dcs[dc].is_read_only for dc in dcs):
            parts.append("read-only")
        if lost := sum(dc in self.failed for dc in dcs):
            parts.append(f"{lost} down")
        return " · ".join(parts)

    def dcs_in(self, site: SiteAt) -> list[DcAt]:
        """The DCs of a site."""
        return self.by_site[site]

    def _role(self, site: SiteAt) -> str:
        """The class that a site's colour follows."""
        snapshot = self.plan.snapshot
        dcs = self.dcs_in(site)
        if not dcs:
            return "empty"
        if all(snapshot.dcs[dc].is_read_only for dc in dcs):
            role = "rodc"
        else:
            role = "gc" if any(snapshot.dcs[dc].is_gc for dc in dcs) else "plain"
        return role + (" alert" if any(dc in self.failed for dc in dcs) else "")

    def _head(self, site: SiteAt, kind: str) -> str:
        words = safe(self.site_words(site))
        return (
            f'<g class="{kind} {self._role(site)}" data-s="{site}" role="button" tabindex="-1" '
            f'aria-label="{words}"><title>{words}</title>'
        )

    def _site(self, node: Node, site: SiteAt) -> str:
        box = node.box
        name = self.plan.snapshot.sites[site].name
        parts = [self._head(site, "site"), _rect(box, 12 if node.dcs else 9)]
        if self.picture.has_dcs:
            parts.append(text_line("sn left", box.left + 13, box.top + 20, cut(name, box.w - 22, 14)))
            parts += [self._dc(spot) for spot in node.dcs]
            if not node.dcs:
                parts.append(text_line("sd", box.x, box.top + 37, "no DC"))
        elif box.h < 30:
            parts.append(text_line("sn small", box.x, box.y + 4, cut(name, box.w - 8, 11)))
        else:
            parts.append(text_line("sn", box.x, box.y - 3, cut(name, box.w - 14, 13)))
            parts.append(text_line("sd", box.x, box.y + 13, self.about(site)))
        if any(dc in self.failed for dc in self.dcs_in(site)) and not self.picture.has_dcs:
            parts.append(_bang(box.left + box.w - 4, box.top + 4))
        return "".join(parts) + "</g>"

    def _dc(self, spot: DcSpot) -> str:
        found = self.plan.snapshot.dcs[spot.dc]
        box = spot.box
        tags = dc_tags(self.plan, spot.dc)
        kind = "dc" + (" ro" if found.is_read_only else "") + (" down" if spot.dc in self.failed else "")
        kind += " istg" if spot.dc in self.istg else ""
        roles = [
            *tags,
            *(["ISTG"] if spot.dc in self.istg else []),
            *(["does not answer"] if spot.dc in self.failed else []),
        ]
        words = safe(", ".join([f"DC {found.name}", *roles]))
        parts = [f'<g class="{kind}" data-d="{spot.dc}"><title>{words}</title>', _rect(box, PILL_ROUND)]
        right = box.left + box.w - 8
        for tag in reversed(tags):
            parts.append(f'<text class="tag" x="{_n(right)}" y="{_n(box.y + 3.4)}">{tag}</text>')
            right -= 18
        left = box.left + 8
        if spot.dc in self.istg:
            parts.append(f'<use href="#star" x="{_n(left + 5)}" y="{_n(box.y)}"/>')
            left += 12
        parts.append(text_line("dn", (left + right) / 2, box.y + 4.2, cut(found.name, right - left - 2, 12)))
        if spot.dc in self.failed:
            parts.append(_bang(box.left + box.w - 5, box.top + 2))
        return "".join(parts) + "</g>"

    def _link_node(self, node: Node) -> str:
        link = node.link if node.link is not None else LinkAt(0)
        found = self.plan.snapshot.links[link]
        box = node.box
        used = "" if link in self.picture.carried else " idle"
        text = f"{link_line(found)}" + ("" if is_open(self.picture, link) else " · limited")
        words = safe(f"{self._link_words(link)}; joins {counted(len(found.sites), 'site')}")
        row = self.signs.get(link, ())
        return (
            f'<g class="hub{used}" data-l="{link}" role="button" tabindex="-1" aria-label="{words}">'
            f"<title>{words}</title>{_rect(box, box.h / 2)}"
            + text_line("ln", box.x, box.y - 3, cut(found.name, box.w - 30, 12))
            + text_line("lc", box.x, box.y + 13, text)
            + self._chips(row, box.x - CHIP * len(row) / 2, box.top + box.h + 10)
            + "</g>"
        )

    # --- cards ---------------------------------------------------------------------------------------------

    def _card(self, node: Node) -> str:
        box = node.box
        leaves = self._leaves_words(node.tiles, node.shared)
        if node.site is not None:
            parts = [self._head(node.site, "site card"), _rect(box, 12)]
            name = self.plan.snapshot.sites[node.site].name
            lead = f"{self.about(node.site)} · {leaves}"
        else:
            link = node.link or LinkAt(0)
            words = safe(self._link_words(link))
            parts = [
                f'<g class="hub card" data-l="{link}" role="button" tabindex="-1" aria-label="{words}">',
                _rect(box, 12),
            ]
            name = self.plan.snapshot.links[link].name
            lead = f"link of {counted(len(self.plan.snapshot.links[link].sites), 'site')} · {leaves}"
        parts.append(text_line("sn left", box.left + 12, box.top + 19, cut(name, box.w - 24, 14)))
        parts.append(text_line("sd left", box.left + 12, box.top + 35, cut(lead, box.w - 20, 11)))
        if node.site is not None and any(dc in self.failed for dc in self.dcs_in(node.site)):
            parts.append(_bang(box.left + box.w - 4, box.top + 4))
        parts.append("</g>")
        parts += [self._tile(tile) for tile in node.tiles]
        return "".join(parts)

    def _leaves_words(self, tiles: Sequence[Tile], shared: str = "") -> str:
        """ "49 leaves Branch-… · cost 100 · 15 min": what the tiles of a card share."""
        if any(tile.is_hub for tile in tiles):
            hubs = [tile for tile in tiles if tile.is_hub]
            below = sum(max(len(tile.folded) - 1, len(tile.tiles)) for tile in hubs)
            below += sum(len(tile.all_sites()) for tile in tiles if not tile.is_hub)
            ways = self._cost_words([tile.link for tile in hubs])
            return f"{counted(len(hubs), 'hub')} · {ways} · with {counted(below, 'leaf', 'leaves')}"
        text = counted(sum(len(tile.all_sites()) for tile in tiles), "leaf", "leaves")
        if shared:
            text += f" {shared}…"
        return f"{text} · {self._cost_words([tile.link for tile in tiles])}"

    def _cost_words(self, links: Iterable[LinkAt]) -> str:
        found = [self.plan.snapshot.links[link] for link in links]
        costs = sorted({link.cost for link in found})
        steps = sorted({link.interval_min for link in found})
        text = f"cost {costs[0]}" + (f"–{costs[-1]}" if len(costs) > 1 else "")
        text += f" · {duration(steps[0] * 60)}"
        return text + (f"–{duration(steps[-1] * 60)}" if len(steps) > 1 else "")

    def _tile(self, tile: Tile) -> str:
        box = tile.box
        minis = self.over.minis.get(tile.site, ())
        fates = "".join(f" has-{WORD[mini.action]}" for mini in minis)
        idle = "" if tile.link in self.picture.carried else " idle"
        kind = " fold" if tile.folded else " sub" if tile.tiles else "" if minis else " alone"
        words = self.site_words(tile.site)
        if tile.folded and not tile.is_hub:
            words = f"{counted(len(tile.folded), 'site')}, {tile.label}"
        words = safe(f"{words}; {self._link_words(tile.link)}")
        what = "f" if tile.folded and not tile.is_hub else "s"
        folded = f' data-f="{" ".join(map(str, tile.folded))}"' if tile.folded else ""
        parts = [
            f'<g class="tile {self._role(tile.site)}{fates}{idle}{kind}" data-s="{tile.site}"{folded} '
            f'data-pick="{what}" data-l="{tile.link}" role="button" tabindex="-1" aria-label="{words}">'
            f"<title>{words}</title>",
            _rect(box, 3 if not self.picture.is_rich and not tile.is_hub else 7),
        ]
        if tile.is_hub or tile.folded:
            parts += self._many(tile, minis)
        elif self.picture.is_rich:
            parts += self._rich(tile, minis)
        else:
            parts.append(text_line("tn left", box.left + 4, box.y + 4, tile.label))
            parts += [
                _small(mini, box.left + box.w - 7 - 4 * rank, box.y)
                for rank, mini in enumerate(reversed(minis))
                if mini.action in SIGN or len(minis) == 1
            ]
        lost = any(dc in self.failed for site in tile.all_sites() for dc in self.dcs_in(site))
        if lost:
            parts.append(_bang(box.left + box.w - 3, box.top + 3))
        parts.append("</g>")
        return "".join(parts) + "".join(self._tile(inner) for inner in tile.tiles)

    def _rich(self, tile: Tile, minis: Sequence[Mini]) -> Iterable[str]:
        """A leaf with its link beneath its name."""
        box = tile.box
        link = self.plan.snapshot.links[tile.link]
        right = box.left + box.w - 6
        for mini in reversed(minis):
            yield _mini(mini, right - 6, box.y - 9)
            right -= MINI if mini.action in SIGN else MINI_KEPT
        x = box.left + 9
        yield text_line("tn left", x, box.y - 4, cut(tile.label, right - x - 2, 12))
        second = self.about(tile.site) if len(link.sites) >= MULTI else link_line(link)
        yield text_line("lc left", x, box.y + 12, second)
        row = self.signs.get(tile.link, ())
        x = box.left + box.w - 4 - CHIP * len(row)
        yield self._chips(row, x, box.y + 9)
        if not is_open(self.picture, tile.link):
            yield f'<use href="#clock" x="{_n(x - 8)}" y="{_n(box.y + 9)}"/>'

    def _many(self, tile: Tile, minis: Sequence[Mini]) -> Iterable[str]:
        """A hub that stands on another's card, or leaves in numbers."""
        box = tile.box
        right = box.left + box.w - 6
        for mini in reversed(minis):
            yield _mini(mini, right - 6, box.top + 15)
            right -= MINI if mini.action in SIGN else MINI_KEPT
        x = box.left + 9
        name = cut(tile.label, right - x - 6, 14)
        yield text_line("sn left", x, box.top + 19, name)
        if tile.tiles:
            cost = self._cost_words([tile.link])
            start = x + 1.12 * text_width(name, 13) + 8
            if start + text_width(cost, 11) < right:
                yield text_line("lc left", start, box.top + 19, cost)
            leaves = counted(len(tile.tiles), "leaf", "leaves")
            told = [self._leaves_words(tile.tiles, tile.shared), f"{leaves} {tile.shared}…", leaves]
        else:
            leaves = counted(len(tile.folded) - tile.is_hub, "leaf", "leaves")
            cost = f"cost {self.plan.snapshot.links[tile.link].cost}"
            told = [f"{leaves} · {self._cost_words([tile.link])}", f"{leaves} · {cost}", leaves]
        fitting = (words for words in told if text_width(words, 11) <= box.w - 14)
        yield text_line("sd left", x, box.top + 35, next(fitting, cut(leaves, box.w - 14, 11)))
        counts = self.over.folds.get(tile.site, {})
        if counts:
            yield _bar(counts, (x, box.top + 45), box.w - 18)


PILL_ROUND: Final = 13
BAR_MIN: Final = 5.0
TOLD: Final[Mapping[Action, str]] = {
    Action.KEEP: "kept",
    Action.ADD: "added",
    Action.CHANGE: "changed",
    Action.DELETE: "deleted",
}
ROUND: Final = 26.0


def defs() -> str:
    """Arrow heads and small signs."""
    heads = "".join(
        f'<marker id="head-{word}" class="head {word}" viewBox="0 0 10 10" refX="8.5" refY="5" '
        'markerWidth="9" markerHeight="9" markerUnits="userSpaceOnUse" orient="auto-start-reverse">'
        '<path d="M0 .8 9.5 5 0 9.2 2.4 5z"/></marker>'
        for word in WORD.values()
    )
    return (
        f"<defs>{heads}"
        f'<path id="star" class="star" d="{_STAR}"/>'
        '<g id="clock" class="clock"><circle r="5.4"/><path d="M0-3.2V0L2.3 1.6"/></g>'
        '<g id="shut" class="clock shut"><circle r="5.4"/><path d="M-3.6-3.6 3.6 3.6"/></g></defs>'
    )


def _arrow(plan: Plan, arrow: Arrow) -> str:
    word = WORD[arrow.action]
    kind = f"arrow {word}" + (" inside" if arrow.is_inside else "") + (" implied" if arrow.is_implied else "")
    heads = (f' marker-end="url(#head-{word})"' if arrow.ahead else "") + (
        f' marker-start="url(#head-{word})"' if arrow.back else ""
    )
    way = _way(arrow.way)
    numbers = " ".join(map(str, (*arrow.ahead, *arrow.back)))
    parts = [
        f'<g class="{kind}" data-c="{numbers}"><title>{safe(_arrow_words(plan, arrow))}</title>',
        f'<path class="halo" d="{way}"/><path class="line" d="{way}"{heads}/>',
    ]
    return "".join(parts) + "</g>"


def _way(points: Sequence[tuple[float, float]]) -> str:
    """The path of a way: a curve, or a line with round corners."""
    (ax, ay), (bx, by) = points[0], points[-1]
    if len(points) == 3:
        cx, cy = points[1]
        return f"M{_n(ax)} {_n(ay)}Q{_n(cx)} {_n(cy)} {_n(bx)} {_n(by)}"
    parts = [f"M{_n(ax)} {_n(ay)}"]
    for before, corner, after in zip(points, points[1:], points[2:], strict=False):
        come, go = _toward(corner, before), _toward(corner, after)
        parts.append(f"L{_n(come[0])} {_n(come[1])}Q{_n(corner[0])} {_n(corner[1])} {_n(go[0])} {_n(go[1])}")
    return "".join(parts) + f"L{_n(bx)} {_n(by)}"


def _toward(corner: tuple[float, float], other: tuple[float, float]) -> tuple[float, float]:
    """Where a corner begins to be round."""
    dx, dy = other[0] - corner[0], other[1] - corner[1]
    part = min(ROUND, hypot(dx, dy) * 0.45) / (hypot(dx, dy) or 1.0)
    return corner[0] + dx * part, corner[1] + dy * part


def _sign(arrow: Arrow) -> str:
    """The sign of a change, and how many connections there are where it is more than one each way."""
    count = len(arrow.ahead) + len(arrow.back)
    numbers = " ".join(map(str, (*arrow.ahead, *arrow.back)))
    text = SIGN[arrow.action] + (str(count) if count > 2 else "")
    return _mark(text, WORD[arrow.action], arrow.mark, numbers)


def _arrow_words(plan: Plan, arrow: Arrow) -> str:
    snapshot = plan.snapshot
    lines = []
    for at in (*arrow.ahead, *arrow.back)[:4]:
        one = plan.connections[at]
        source = dc_name(snapshot, one.source) if one.source is not None else "?"
        lines.append(f"{one.action.value}: {source} → {dc_name(snapshot, one.target)}")
    left = len(arrow.ahead) + len(arrow.back) - len(lines)
    return "\n".join(lines) + (f"\nand {left} more" if left else "")


def _mark(text: str, word: str, at: tuple[float, float], numbers: str) -> str:
    half = 7.5 + 4.4 * (len(text) - 1)
    return (
        f'<g class="mark {word}" data-c="{numbers}" transform="translate({_n(at[0])} {_n(at[1])})">'
        f'<rect x="{_n(-half)}" y="-7.5" width="{_n(2 * half)}" height="15" rx="7.5"/>'
        f'<text y="4.2">{text}</text></g>'
    )


def _mini(mini: Mini, x: float, y: float) -> str:
    word = WORD[mini.action]
    sign = SIGN.get(mini.action, "")
    numbers = " ".join(map(str, (*mini.inward, *mini.outward)))
    text = f'<text x="-11" y="4">{sign}</text>' if sign else ""
    return (
        f'<g class="arrow mini {word}" data-c="{numbers}" transform="translate({_n(x)} {_n(y)})">'
        f'<path class="line" d="{_ways(mini)}"/>{text}</g>'
    )


def _small(mini: Mini, x: float, y: float) -> str:
    """The fate of a tile's connections where there is room for one sign."""
    word = WORD[mini.action]
    numbers = " ".join(map(str, (*mini.inward, *mini.outward)))
    sign = SIGN.get(mini.action)
    if sign:
        shape = f'<text y="4">{sign}</text>'
    else:
        shape = f'<path class="line" d="{_ways(mini)}" transform="scale(.62)"/>'
    place = f'transform="translate({_n(x)} {_n(y)})"'
    return f'<g class="arrow mini {word}" data-c="{numbers}" {place}>{shape}</g>'


def _ways(mini: Mini) -> str:
    return ("M-6-2.5H5M2-5.5 5-2.5 2 .5" if mini.inward else "") + (
        "M6 2.5H-5M-2-.5-5 2.5-2 5.5" if mini.outward else ""
    )


def _bar(counts: Mapping[Action, int], start: tuple[float, float], wide: float) -> str:
    """How many connections have which fate, as parts of a line; each is wide enough to be seen."""
    found = [(action, counts[action]) for action in ORDER if counts.get(action)]
    room = wide - BAR_MIN * len(found)
    total = sum(count for _, count in found)
    x, y = start
    parts = []
    for action, count in found:
        part = BAR_MIN + room * count / total
        parts.append(
            f'<rect class="{WORD[action]}" x="{_n(x)}" y="{_n(y)}" width="{_n(part - 1)}" height="8"/>'
        )
        x += part
    told = safe(", ".join(f"{count:,} {TOLD[action]}" for action, count in found))
    return f'<g class="bar"><title>{told}</title>{"".join(parts)}</g>'


def _bang(x: float, y: float) -> str:
    return f'<g class="bang" transform="translate({_n(x)} {_n(y)})"><circle r="7"/><text y="4">!</text></g>'


def _rect(box: Box, round_by: float) -> str:
    return (
        f'<rect class="box" x="{_n(box.left)}" y="{_n(box.top)}" width="{_n(box.w)}" height="{_n(box.h)}" '
        f'rx="{_n(round_by)}"/>'
    )


def text_line(kind: str, x: float, y: float, text: str) -> str:
    """A line of text."""
    return f'<text class="{kind}" x="{_n(x)}" y="{_n(y)}">{safe(text)}</text>'


def _n(number: float) -> str:
    """A number as short as a tenth allows."""
    text = f"{number:.1f}"
    return text[:-2] if text.endswith(".0") else text
