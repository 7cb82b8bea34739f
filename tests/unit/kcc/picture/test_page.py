"""A plan as SVG and as one HTML page: complete, still, and deaf to what names would like to do."""

import json
import re
import xml.etree.ElementTree as ET
from base64 import b64encode
from functools import cache
from hashlib import sha256
from html.parser import HTMLParser
from itertools import combinations

import pytest

from addc.kcc.picture.cards import shared_start
from addc.kcc.picture.composition import picture
from addc.kcc.picture.drawing import Drawn, safe
from addc.kcc.picture.page import as_html, as_svg
from addc.kcc.picture.parts import Box, Picture, Shape, between_sites
from addc.kcc.picture.text import cut, text_width
from addc.kcc.plan import plan_forest
from addc.kcc.snapshot import Snapshot
from addc.kcc.telling.finding import Finding, Severity
from addc.kcc.wanted import Action, Plan
from tests.kit.kcc_forest import ALink, dc_at, forest, link_at, nc_at, site_at
from tests.kit.kcc_pages import TOPOLOGIES, five_sites, hostile, hub_tree, mesh, one_link, two_domains

SVG = "{http://www.w3.org/2000/svg}"
SMALL = [name for name in TOPOLOGIES if name != "hub-tree"]


class Page(HTMLParser):
    """The elements of a page, its scripts, and every attribute."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self.styles: list[str] = []
        self._into: list[str] | None = None
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._into = {"script": self.scripts, "style": self.styles}.get(tag)
        if self._into is not None:
            self._into.append("")

    def handle_data(self, data: str) -> None:
        if self._into is not None:
            self._into[-1] += data

    def handle_endtag(self, tag: str) -> None:
        self._into = None

    def data(self) -> dict[str, list[list[object]]]:
        """What the script reads."""
        found: dict[str, list[list[object]]] = json.loads(self.scripts[0])
        return found


@cache
def _plan(name: str) -> Plan:
    return plan_forest(TOPOLOGIES[name]())


@cache
def _hubs() -> Plan:
    return plan_forest(hub_tree(180, 7))


def _page(snapshot: Snapshot) -> Page:
    return Page(as_html(plan_forest(snapshot)))


def _meet(a: Box, b: Box) -> bool:
    return abs(a.x - b.x) < (a.w + b.w) / 2 - 1e-3 and abs(a.y - b.y) < (a.h + b.h) / 2 - 1e-3


def _is_inside(inner: Box, outer: Box) -> bool:
    return (
        abs(inner.x - outer.x) + inner.w / 2 <= outer.w / 2 + 1e-3
        and abs(inner.y - outer.y) + inner.h / 2 <= outer.h / 2 + 1e-3
    )


def _boxes_are_clear(shown: Picture) -> bool:
    return (
        not any(_meet(a.box, b.box) for a, b in combinations(shown.nodes, 2))
        and all(_is_inside(tile.box, node.box) for node in shown.nodes for tile in node.tiles)
        and all(_is_inside(spot.box, node.box) for node in shown.nodes for spot in node.dcs)
        and not any(_meet(a.box, b.box) for node in shown.nodes for a, b in combinations(node.dcs, 2))
        and not any(_meet(a.box, b.box) for node in shown.nodes for a, b in combinations(node.tiles, 2))
        and all(_is_inside(inner.box, tile.box) for tile in shown.tiles() for inner in tile.tiles)
        and not any(_meet(a.box, b.box) for tile in shown.tiles() for a, b in combinations(tile.tiles, 2))
    )


@pytest.mark.parametrize("name", SMALL)
def test_no_two_boxes_of_a_map_overlap(name: str) -> None:
    assert _boxes_are_clear(picture(_plan(name)))


@pytest.mark.parametrize("snapshot", [one_link(40), mesh(30)], ids=["one link", "mesh"])
def test_no_two_boxes_overlap_in_other_shapes(snapshot: Snapshot) -> None:
    assert _boxes_are_clear(picture(plan_forest(snapshot)))


def test_every_site_and_link_is_on_the_map_once() -> None:
    shown = picture(_hubs())
    tiles = list(shown.tiles())
    sites = [node.site for node in shown.nodes if node.site is not None] + [tile.site for tile in tiles]
    links = [road.link for road in shown.roads] + [tile.link for tile in tiles]
    assert sorted(sites) == list(range(180)) and sorted(links) == list(range(179))


def test_hubs_on_one_hub_stand_on_its_card_with_their_leaves() -> None:
    shown = picture(_hubs())
    (central,) = shown.nodes
    assert not shown.roads and len(central.tiles) == 6
    assert all(tile.is_hub and len(tile.tiles) in (28, 29) for tile in central.tiles)
    by_site = {tile.site: tile for tile in shown.tiles()}
    assert all(shown.tile_of[site] is tile for site, tile in by_site.items())


def test_beyond_some_hundred_leaves_stand_in_numbers_and_none_is_lost() -> None:
    plan = plan_forest(hub_tree(910, 5))
    shown = picture(plan)
    (central,) = shown.nodes
    told = [site for tile in central.tiles for site in tile.folded]
    assert sorted([*told, central.site or 0]) == list(range(910)) and len(central.tiles) == 4
    counts = Drawn(shown).over.folds
    assert sum(sum(one.values()) for one in counts.values()) == len(between_sites(plan)) + 1


def test_leaves_of_one_hub_stand_in_numbers_by_name() -> None:
    names = [f"S{number:04}" for number in range(1001)]
    shown = picture(plan_forest(forest(sites=names, links=[ALink("all", tuple(names))])))
    tiles = list(shown.tiles())
    assert _boxes_are_clear(shown) and tiles[1].label == "S0250 … S0499"
    assert sorted(site for tile in tiles for site in tile.folded) == list(range(1001))


def test_what_is_on_tiles_is_told_where_it_ends() -> None:
    plan = _hubs()
    over = Drawn(picture(plan)).over
    dcs = plan.snapshot.dcs
    region = site_at(plan.snapshot, "Region-01")
    numbers = [at for mini in over.minis[region] for at in (*mini.inward, *mini.outward)]
    ends = {
        dcs[end].site
        for at in numbers
        for end in (plan.connections[at].source, plan.connections[at].target)
        if end is not None
    }
    assert ends == {region, site_at(plan.snapshot, "Central")}


def test_a_link_of_many_sites_is_a_node_and_not_a_line_for_each_pair() -> None:
    shown = picture(plan_forest(one_link(50)))
    assert [node.shape for node in shown.nodes].count(Shape.LINK_CARD) == 1
    assert len(shown.roads) == 1 and sum(len(node.tiles) for node in shown.nodes) == 49


def test_few_dcs_are_drawn_in_their_sites() -> None:
    shown = picture(plan_forest(five_sites()))
    assert shown.has_dcs and sum(len(node.dcs) for node in shown.nodes) == 8


@pytest.mark.parametrize("name", SMALL)
def test_every_connection_between_sites_has_an_arrow(name: str) -> None:
    plan = _plan(name)
    svg = as_svg(plan)
    drawn = {int(number) for found in re.findall(r'data-c="([^"]*)"', svg) for number in found.split()}
    dcs = plan.snapshot.dcs
    for at, one in enumerate(plan.connections):
        if one.source is not None and dcs[one.source].site != dcs[one.target].site:
            assert at in drawn


@pytest.mark.parametrize("name", SMALL)
def test_the_same_plan_gives_the_same_page(name: str) -> None:
    plan = _plan(name)
    assert as_html(plan) == as_html(plan) and as_svg(plan) == as_svg(plan)


@pytest.mark.parametrize("name", SMALL)
def test_a_picture_alone_is_sound_xml(name: str) -> None:
    root = ET.fromstring(as_svg(_plan(name)))  # noqa: S314 - our own text
    assert root.tag == f"{SVG}svg"
    assert not list(root.iter(f"{SVG}script")) and not list(root.iter(f"{SVG}image"))


def test_names_stay_names_in_a_picture() -> None:
    root = ET.fromstring(as_svg(plan_forest(hostile())))  # noqa: S314 - our own text
    tags = {element.tag.removeprefix(SVG) for element in root.iter()}
    assert not tags & {"script", "iframe", "img", "a", "x", "b"}
    assert "</script><script>" in "".join(root.itertext())
    assert all(not name.startswith("on") for element in root.iter() for name in element.attrib)


def test_names_stay_names_in_a_page() -> None:
    page = _page(hostile())
    tags = [tag for tag, _ in page.elements]
    assert tags.count("script") == 2 and not {"iframe", "img", "a", "x"} & set(tags)
    assert not [name for _, attrs in page.elements for name in attrs if name.startswith("on")]
    names = {row[0] for row in page.data()["sites"]}
    assert "</script><script>window.hacked=1</script>" in names


def test_a_page_loads_nothing_and_runs_its_own_script_alone() -> None:
    page = _page(two_domains())
    assert not [attrs for _, attrs in page.elements if {"src", "style"} & set(attrs)]
    assert all((attrs.get("href") or "#").startswith("#") for _, attrs in page.elements)
    policy = next(attrs["content"] or "" for _, attrs in page.elements if "http-equiv" in attrs)
    for kind, text in (("script-src", page.scripts[1]), ("style-src", page.styles[0])):
        digest = b64encode(sha256(text.encode()).digest()).decode()
        assert f"{kind} 'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy
    assert "url(" not in page.styles[0] and "@import" not in page.styles[0]


def test_the_script_puts_no_markup_together() -> None:
    script = _page(five_sites()).scripts[1]
    for word in (
        "innerHTML",
        "outerHTML",
        "insertAdjacent",
        "document.write",
        "eval(",
        "Function(",
        "fetch(",
    ):
        assert word not in script


def test_letters_that_markup_cannot_hold_are_replaced() -> None:
    assert safe("a\x00b\x1f<\ud800") == "a\ufffdb\ufffd&lt;\ufffd"
    snapshot = forest(
        sites=["bad\x01\x0bname", "B"], dcs=["B/b1"], links=[ALink("a\x02b", ("bad\x01\x0bname", "B"))]
    )
    text = as_svg(plan_forest(snapshot))
    ET.fromstring(text)  # noqa: S314 - our own text
    as_html(plan_forest(snapshot)).encode("utf-8")


def test_the_data_tells_what_becomes_of_each_connection() -> None:
    snapshot = two_domains()
    plan = plan_forest(snapshot)
    rows = Page(as_html(plan)).data()["conns"]
    order = [Action.KEEP, Action.ADD, Action.CHANGE, Action.DELETE]
    assert [row[2] for row in rows] == [order.index(one.action) for one in plan.connections]
    gone = next(at for at, one in enumerate(plan.connections) if one.source is None)
    texts = Page(as_html(plan)).data()["texts"]
    assert rows[gone][0] == -1 and str(texts[int(str(rows[gone][9]))]) == "LON-OLD1 (gone)"


def test_a_link_tells_what_it_carries() -> None:
    snapshot = two_domains()
    drawn = Drawn(picture(plan_forest(snapshot)))
    corp = nc_at(snapshot, "corp")
    assert corp in drawn.picture.carried[link_at(snapshot, "LON-OSL")]
    assert corp not in drawn.picture.carried.get(link_at(snapshot, "MAD-POR"), ())
    assert link_at(snapshot, "LON-MAD") not in drawn.picture.carried
    assert "unused" in drawn.markup()


def test_a_dc_that_does_not_answer_is_marked() -> None:
    snapshot = two_domains()
    drawn = Drawn(picture(plan_forest(snapshot)))
    assert drawn.failed == {dc_at(snapshot, "PAR-EU1")}
    assert "1 down" in drawn.site_words(site_at(snapshot, "Paris"))


def test_what_changes_is_told_without_a_script() -> None:
    text = as_html(plan_forest(five_sites()))
    assert "Connections that would change: 16 added." in text
    assert 'class="map view-changes has-changes"' in text
    still = as_html(plan_forest(forest(sites=["A"], dcs=["A/a1"])))
    assert "Nothing would change" in still and 'class="map view-after"' in still


def test_findings_of_a_kind_stand_together() -> None:
    found = [Finding(Severity.WARNING, "x", "", f"<b>{at}</b>", "do") for at in range(3)]
    text = as_html(plan_forest(five_sites()), findings=found)
    assert "3 warnings" in text and "2 more like this" in text and "<b>0</b>" not in text


def test_500_sites_are_clear_and_take_less_than_a_megabyte() -> None:
    plan = plan_forest(hub_tree(500))
    assert _boxes_are_clear(picture(plan))
    assert len(as_html(plan).encode()) < 1_000_000


def test_a_forest_without_sites_or_dcs_has_a_page() -> None:
    assert "<svg" in as_html(plan_forest(forest(sites=["A"])))
    assert "<svg" in as_html(plan_forest(forest(sites=[], dcs=[])))


def test_what_leaves_share_is_said_once() -> None:
    assert shared_start(["Branch-001", "Branch-012"]) == "Branch-"
    assert shared_start(["Berlin", "Bern"]) == ""
    assert shared_start(["AB", "AB"]) == ""


def test_long_names_are_cut_to_their_room() -> None:
    text = cut("a very long name of a site", 80, 12)
    assert text.endswith("…") and text_width(text, 12) <= 80
    assert cut("short", 80, 12) == "short"
