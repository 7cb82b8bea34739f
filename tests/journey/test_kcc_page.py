"""A plan's page in a real browser: it runs, loads nothing, takes names for names, and nothing overlaps."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from addc.kcc.picture.page import as_html, as_svg
from addc.kcc.plan import plan_forest
from addc.kcc.telling.findings import findings
from addc.kcc.telling.latency import latencies
from tests.kit.browser import Browser
from tests.kit.kcc_forest import ALink, forest, nc_at
from tests.kit.kcc_pages import TOPOLOGIES, hostile, hub_tree, mesh, one_link, two_domains

PNG: bytes = b"\x89PNG"


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with Browser(tmp_path_factory.mktemp("browser")) as found:
        yield found


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The pages of all topologies."""
    folder = tmp_path_factory.mktemp("pages")
    found = {}
    for name, made in {**TOPOLOGIES, "hostile": hostile, "mesh": mesh, "one-link": one_link}.items():
        plan = plan_forest(made())
        found[name] = folder / f"{name}.html"
        text = as_html(plan, findings=findings(plan), latencies=latencies(plan))
        found[name].write_text(text, encoding="utf-8")
        found[name].with_suffix(".svg").write_text(as_svg(plan), encoding="utf-8")
    return found


@pytest.mark.parametrize("name", [*TOPOLOGIES, "hostile", "mesh", "one-link"])
def test_a_page_runs_without_a_word_and_asks_for_nothing(
    name: str, browser: Browser, pages: dict[str, Path]
) -> None:
    look = browser.look(pages[name])
    assert 'data-shown="changes"' in look.dom
    assert look.console == () and look.asked == ()


def test_a_page_that_asks_or_fails_would_be_seen(browser: Browser, tmp_path: Path) -> None:
    page = tmp_path / "asks.html"
    page.write_text("<body><img src='http://192.0.2.1/x.png'><script>nosuch()</script></body>")
    look = browser.look(page)
    assert look.asked == ("http://192.0.2.1/x.png",)
    assert any("nosuch" in line for line in look.console)


@pytest.mark.parametrize("name", [*TOPOLOGIES, "hostile", "mesh", "one-link"])
@pytest.mark.parametrize("width", [1400, 500])
def test_nothing_overlaps_and_no_text_leaves_its_box(
    name: str, width: int, browser: Browser, pages: dict[str, Path]
) -> None:
    facts = browser.measure(pages[name], size=(width, 900))
    assert [facts[what] for what in ("overlaps", "tiles", "pills", "labels", "outside")] == [0] * 5
    assert facts["spilling"] == []
    assert facts["width"] == width


def test_names_that_try_to_be_scripts_stay_names(browser: Browser, pages: dict[str, Path]) -> None:
    for state in ("", "sel=s0", "sel=s2", "sel=l0", "sel=c0", "q=<img src=x onerror=window.hacked=1>"):
        facts = browser.measure(pages["hostile"], state)
        assert facts["hacked"] is None
    look = browser.look(pages["hostile"].with_suffix(".svg"))
    assert look.console == () and look.asked == ()


def test_views_show_before_after_and_changes(browser: Browser, pages: dict[str, Path]) -> None:
    changes, before, after = (
        browser.measure(pages["hub-tree"], f"view={view}") for view in ("changes", "before", "after")
    )
    assert [facts["pressed"] for facts in (changes, before, after)] == [["changes"], ["before"], ["after"]]
    arrows = [facts["arrows"] for facts in (changes, before, after)]
    whole = arrows[0]
    assert isinstance(whole, dict) and min(whole.values()) > 0
    assert arrows[1:] == [{**whole, "add": 0}, {**whole, "del": 0}]


def test_a_naming_context_fades_what_does_not_carry_it(browser: Browser, pages: dict[str, Path]) -> None:
    nc = nc_at(two_domains(), "corp")
    everything = browser.measure(pages["two-domains"])
    alone = browser.measure(pages["two-domains"], f"nc={nc}")
    assert everything["off"] == 0 and int(str(alone["off"])) > 5
    assert int(str(alone["rows"])) < int(str(everything["rows"]))


def test_what_is_chosen_is_told_beside_the_map(browser: Browser, pages: dict[str, Path]) -> None:
    snapshot = two_domains()
    madrid = [site.name for site in snapshot.sites].index("Madrid")
    facts = browser.measure(pages["two-domains"], f"sel=s{madrid}")
    assert "Madrid" in str(facts["panel"]) and "MAD-EU1" in str(facts["panel"]) and facts["on"]
    link = [link.name for link in snapshot.links].index("LON-MAD")
    idle = browser.measure(pages["two-domains"], f"sel=l{link}")
    assert "nothing: no path of the plan uses it" in str(idle["panel"])
    plan = plan_forest(snapshot)
    at = next(at for at, one in enumerate(plan.connections) if one.reasons and one.reasons[0].path)
    told = browser.measure(pages["two-domains"], f"sel=c{at}")
    assert "Why" in str(told["panel"]) and "Path" in str(told["panel"])


def test_links_can_be_hidden(browser: Browser, pages: dict[str, Path]) -> None:
    assert browser.measure(pages["five-sites"])["roads"] == 5
    assert browser.measure(pages["five-sites"], "hide=links")["roads"] == 0


def test_a_picture_is_drawn(browser: Browser, pages: dict[str, Path]) -> None:
    for page in (pages["two-domains"], pages["two-domains"].with_suffix(".svg")):
        browser.open(page)
        assert browser.photograph().startswith(PNG)


def test_what_stands_on_the_map_is_large_enough_to_read(browser: Browser, pages: dict[str, Path]) -> None:
    for name in ("two-domains", "hub-tree", "one-link"):
        assert float(str(browser.measure(pages[name])["letters"])) >= 9.5


def test_ten_thousand_sites_make_a_map_of_hubs_in_numbers(browser: Browser, tmp_path: Path) -> None:
    plan = plan_forest(hub_tree(10_000, 101))
    page = tmp_path / "large.html"
    page.write_text(as_html(plan), encoding="utf-8")
    facts = browser.measure(page)
    assert [facts[what] for what in ("overlaps", "tiles", "outside", "spilling")] == [0, 0, 0, []]
    assert float(str(facts["letters"])) >= 9 and int(str(facts["elements"])) < 5000
    branch = [site.name for site in plan.snapshot.sites].index("Branch-5152")
    browser.click("#search")
    browser.write("branch-5152")
    browser.press("Enter")
    lit = "[...document.querySelectorAll('#map .sel.hit .sn')].map((one) => one.textContent).join()"
    assert browser.ask("location.hash.slice(1)") == f"sel=s{branch}&q=branch-5152"
    assert browser.ask(lit) == "Region-52"
    assert "B5152-DC1" in str(browser.measured()["panel"])


def test_leaves_in_numbers_are_listed_when_they_are_chosen(browser: Browser, tmp_path: Path) -> None:
    names = tuple(f"S{number:04}" for number in range(1001))
    page = tmp_path / "leaves.html"
    page.write_text(as_html(plan_forest(forest(sites=names, links=[ALink("all", names)]))), encoding="utf-8")
    browser.open(page)
    browser.click("#map .tile.fold:nth-of-type(3) > .box")
    assert str(browser.ask("location.hash")).startswith("#sel=f")
    panel = str(browser.measured()["panel"])
    assert "S0250 … S0499" in panel and "250 sites" in panel and "S0333" in panel
    browser.click("#panel .jump:nth-of-type(2)")
    assert browser.ask("document.querySelector('#panel h2').textContent") == "S0251"
    assert browser.measured()["on"] == 1


def test_paper_has_the_map_first_and_everything_unfolded(browser: Browser, pages: dict[str, Path]) -> None:
    browser.open(pages["two-domains"])
    browser.click("#zoom-in")
    state = (
        "[document.querySelectorAll('[open]').length, document.getElementById('map').getAttribute('viewBox')]"
    )
    before = browser.ask(state)
    browser.ask("window.addEventListener('beforeprint', () => { window.printed = " + state + "; })")
    paper = browser.print()
    assert paper.startswith(b"%PDF") and 3 <= len(re.findall(rb"/Type /Page\b", paper)) <= 5
    on_paper = browser.ask("window.printed")
    assert isinstance(on_paper, list) and on_paper[0] == 2
    assert browser.ask(state) == before and isinstance(before, list) and before[0] == 0
    browser.as_printed(True)
    assert browser.ask("getComputedStyle(document.querySelector('.tools')).display") == "none"
    below = "(([a, b]) => a.bottom <= b.top)(['.sheet', '.found'].map((one) => "
    assert browser.ask(below + "document.querySelector(one).getBoundingClientRect()))")
    browser.as_printed(False)
