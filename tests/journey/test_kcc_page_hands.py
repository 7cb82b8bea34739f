"""A plan's page under people's hands: keys, mouse and wheel in a real browser do what they say."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from addc.kcc.picture.page import as_html
from addc.kcc.plan import plan_forest
from tests.kit.browser import Browser
from tests.kit.kcc_forest import link_at, nc_at, site_at
from tests.kit.kcc_pages import two_domains

SNAPSHOT = two_domains()
HASH = "decodeURIComponent(location.hash)"
PANEL = "document.querySelector('#panel h2').textContent"
ROWS = "document.querySelectorAll('#rows tr').length"
VIEW = "(({ x, y, width, height }) => [x, y, width, height])(document.getElementById('map').viewBox.baseVal)"
FOCUS = (
    "((one) => one.id || one.dataset.view || one.dataset.sel || (one.dataset.s && 's' + one.dataset.s)"
    " || one.dataset.nc || one.className)(document.activeElement)"
)
RING = (
    "(() => { const one = document.activeElement; "
    "const box = getComputedStyle(one.querySelector(':scope > .box') || one); "
    "return parseFloat(box.outlineStyle === 'none' ? box.strokeWidth : box.outlineWidth); })()"
)


def _site(name: str) -> str:
    return f"s{site_at(SNAPSHOT, name)}"


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Browser, Path]]:
    folder = tmp_path_factory.mktemp("browser")
    page = folder / "plan.html"
    page.write_text(as_html(plan_forest(SNAPSHOT)), encoding="utf-8")
    with Browser(folder) as browser:
        yield browser, page


@pytest.fixture
def browser(started: tuple[Browser, Path]) -> Browser:
    """A browser with the page freshly opened."""
    started[0].open(started[1])
    return started[0]


def _view(browser: Browser) -> list[float]:
    found = browser.ask(VIEW)
    assert isinstance(found, list)
    return [float(str(part)) for part in found]


def _texts(browser: Browser, column: int) -> list[str]:
    found = browser.ask(
        f"[...document.querySelectorAll('#rows td:nth-child({column})')].map((one) => one.textContent)"
    )
    assert isinstance(found, list)
    return [str(one) for one in found]


def test_tab_goes_through_the_page_in_order_and_is_seen(browser: Browser) -> None:
    seen = []
    for _ in range(13):
        browser.press("Tab")
        seen.append(str(browser.ask(FOCUS)))
        assert float(str(browser.ask(RING))) >= 2, seen
    order = ["before", "after", "changes", "nc", "show-links", "show-conns", "search"]
    assert seen[:7] == order
    assert seen[7].startswith("s") and seen[8:11] == ["zoom-in", "zoom-out", "zoom-fit"]
    assert seen[11].startswith("c")
    browser.press("Tab", is_shift=True)
    assert browser.ask(FOCUS) == seen[11]


def test_arrow_keys_go_from_site_to_site_and_enter_or_space_chooses(browser: Browser) -> None:
    browser.ask(
        f"document.querySelector('#map [data-{_site('Madrid')[0]}=\"{_site('Madrid')[1:]}\"]').focus()"
    )
    browser.press("ArrowUp")
    assert browser.ask(FOCUS) == _site("Porto-Branch")
    browser.press("ArrowRight")
    assert browser.ask(FOCUS) == _site("Oslo")
    browser.press("Enter")
    assert browser.ask(PANEL) == "Oslo" and browser.ask(HASH) == f"#sel={_site('Oslo')}"
    browser.press("ArrowDown", " ")
    assert browser.ask(PANEL) == "London"
    browser.press("Escape")
    assert browser.ask(PANEL) == "What would change" and browser.ask(FOCUS) == _site("London")


def test_keys_alone_lead_to_a_connection_and_back(browser: Browser) -> None:
    browser.ask("document.querySelector('#panel .jump').focus()")
    browser.press("Enter")
    assert str(browser.ask("document.querySelector('#panel h3').textContent")).startswith("Why")
    assert browser.ask(FOCUS) == "close"
    browser.press("Tab", "Enter")
    assert str(browser.ask(HASH)).startswith("#sel=s") and browser.ask(FOCUS) == "close"
    browser.press("Escape")
    assert browser.ask(PANEL) == "What would change"
    assert str(browser.ask(FOCUS)).startswith("s")
    browser.ask("document.querySelector('#rows .jump').focus()")
    before = browser.ask(FOCUS)
    browser.press(" ")
    assert str(browser.ask(HASH)) == f"#sel={before}" and browser.ask(FOCUS) == before


def test_the_wheel_zooms_around_the_mouse(browser: Browser) -> None:
    whole = _view(browser)
    spot = browser.middle(f"#map [data-s='{_site('Oslo')[1:]}'] > .box")
    browser.wheel(spot, -400)
    browser.until(f"{VIEW}[2] < {whole[2] * 0.8}")
    again = browser.middle(f"#map [data-s='{_site('Oslo')[1:]}'] > .box")
    assert abs(again[0] - spot[0]) < 3 and abs(again[1] - spot[1]) < 3
    browser.wheel(spot, 4000)
    browser.until(f"{VIEW}[2] > {whole[2]}")
    assert _view(browser)[2] < whole[2] * 4.01


def test_dragging_moves_the_map_and_chooses_nothing(browser: Browser) -> None:
    spot = browser.middle(f"#map [data-s='{_site('Oslo')[1:]}'] > .box")
    browser.drag(spot, (spot[0] - 120, spot[1] + 60))
    after = browser.middle(f"#map [data-s='{_site('Oslo')[1:]}'] > .box")
    assert abs(after[0] - spot[0] + 120) < 3 and abs(after[1] - spot[1] - 60) < 3
    assert browser.ask(HASH) == ""
    browser.click_at(after)
    assert browser.ask(PANEL) == "Oslo"


def test_buttons_and_keys_zoom_and_fit(browser: Browser) -> None:
    whole = _view(browser)
    browser.click("#zoom-in")
    browser.click("#zoom-in")
    assert _view(browser)[2] == pytest.approx(whole[2] * 0.5625, rel=0.01)
    browser.click("#zoom-out")
    assert _view(browser)[2] == pytest.approx(whole[2] * 0.748, rel=0.01)
    browser.click("#zoom-fit")
    assert _view(browser) == pytest.approx(whole)
    browser.ask("document.querySelector('#map [tabindex=\"0\"]').focus()")
    browser.press("+")
    assert _view(browser)[2] < whole[2]
    browser.press("0")
    assert _view(browser) == pytest.approx(whole)


def test_search_marks_what_it_finds_goes_there_and_says_when_there_is_nothing(browser: Browser) -> None:
    browser.ask("document.querySelector('#map [tabindex=\"0\"]').focus()")
    browser.press(*"++++++")
    browser.click("#search")
    browser.write("mad-eu")
    hits = "[...document.querySelectorAll('#map .hit')].map((one) => one.dataset.s).join()"
    assert browser.ask(hits) == _site("Madrid")[1:]
    assert browser.ask("document.getElementById('hits').textContent") == "1 found"
    browser.press("Enter")
    assert browser.ask(PANEL) == "Madrid"
    sheet, madrid = ("#map", f"#map [data-s='{_site('Madrid')[1:]}'] > .box")
    edges = "(([a, b]) => [a.left - b.left, b.right - a.right, a.top - b.top])"
    boxes = f"{[madrid, sheet]}.map((one) => document.querySelector(one).getBoundingClientRect())"
    room = browser.ask(f"{edges}({boxes})")
    assert isinstance(room, list) and min(room) > 0
    assert browser.ask(FOCUS) == "search"
    browser.write(" nowhere")
    assert browser.ask("document.getElementById('hits').textContent") == "nothing found"
    assert browser.ask(hits) == ""
    browser.press("Enter")
    assert browser.ask(PANEL) == "Madrid"


def test_the_table_is_sorted_and_filtered(browser: Browser) -> None:
    every = len(_texts(browser, 3))
    browser.click("th[data-by='2'] button")
    once = _texts(browser, 3)
    assert once == sorted(once) and len(once) == every
    assert browser.ask("document.querySelector('th[data-by=\"2\"]').getAttribute('aria-sort')") == "ascending"
    browser.click("th[data-by='2'] button")
    assert _texts(browser, 3) == sorted(once, reverse=True)
    browser.click("#filter")
    browser.write("oslo paris")
    found = _texts(browser, 4)
    assert 0 < len(found) < every and all("Oslo" in one for one in found)
    browser.write(" nosuch")
    assert browser.ask(ROWS) == 0
    assert str(browser.ask("document.getElementById('count').textContent")).startswith("0 of 0 shown")
    browser.press("Escape")
    assert browser.ask(ROWS) == every
    browser.ask("document.getElementById('fate').focus()")
    browser.press("a", "d")
    assert set(_texts(browser, 1)) == {"+ added"}


def test_views_filters_and_boxes_of_the_tool_bar(browser: Browser) -> None:
    seen = "getComputedStyle(document.querySelector('#map .{0}')).display !== 'none'"
    assert browser.ask(seen.format("arrow.add"))
    browser.click("[data-view=before]")
    assert not browser.ask(seen.format("arrow.add")) and "+ added" not in _texts(browser, 1)
    browser.click("[data-view=after]")
    assert browser.ask(seen.format("arrow.add")) and "× deleted" not in _texts(browser, 1)
    browser.click("#show-links")
    assert not browser.ask(seen.format("road")) and browser.ask(seen.format("arrow"))
    browser.click("#show-conns")
    assert not browser.ask(seen.format("arrow"))
    assert browser.ask(HASH) == "#view=after&hide=links,connections"
    browser.press(" ")
    assert browser.ask(seen.format("arrow"))


def test_a_naming_context_is_chosen_in_the_list_or_beside_the_map(browser: Browser) -> None:
    corp = nc_at(SNAPSHOT, "corp")
    off = "document.querySelectorAll('#map .off').length"
    browser.click(f"#panel [data-nc='{corp}']")
    assert browser.ask("document.getElementById('nc').value") == str(corp)
    alone = browser.ask(off)
    assert int(str(alone)) > 5 and browser.ask(FOCUS) == str(corp)
    browser.click(f"#panel [data-nc='{corp}']")
    assert browser.ask(off) == 0
    browser.ask("document.getElementById('nc').focus()")
    browser.press("c", "o", "r", "p")
    assert browser.ask(HASH) == f"#nc={corp}" and browser.ask(off) == alone


def test_links_of_the_panel_come_into_view_on_the_map(browser: Browser) -> None:
    lost = "(() => { const [a, b] = ['#map .road.on', '#map'].map((one) => document.querySelector(one)"
    lost += ".getBoundingClientRect()); return a.right < b.left || a.left > b.right || a.bottom < b.top; })()"
    browser.click(f"#map [data-s='{_site('Madrid')[1:]}'] > text")
    for _ in range(5):
        browser.click("#zoom-in")
    spot = browser.middle("#map")
    browser.drag(spot, (spot[0] - 300, spot[1] - 200))
    browser.click(f"#panel [data-sel=l{link_at(SNAPSHOT, 'MAD-POR')}]")
    assert browser.ask(PANEL) == "MAD-POR" and not browser.ask(lost)
    browser.click("#rows tr:last-child .jump")
    assert float(str(browser.ask("document.getElementById('map').getBoundingClientRect().bottom"))) > 200


def test_the_address_keeps_what_is_shown_and_back_goes_back(
    browser: Browser, started: tuple[Browser, Path]
) -> None:
    browser.click("[data-view=before]")
    browser.click(f"#map [data-s='{_site('Oslo')[1:]}'] > text")
    browser.click("#search")
    browser.write("par")
    kept = str(browser.ask("location.hash.slice(1)"))
    assert kept == f"view=before&sel={_site('Oslo')}&q=par"
    browser.ask("history.back()")
    browser.until(f"{HASH} === '#view=before'")
    assert browser.ask(PANEL) == "What would change"
    browser.ask("history.back()")
    browser.until(f"{HASH} === ''")
    assert browser.ask("document.querySelector('[aria-pressed=true]').dataset.view") == "changes"
    browser.open(started[1], kept)
    assert browser.ask(PANEL) == "Oslo" and browser.ask("document.getElementById('search').value") == "par"
    assert browser.ask("document.querySelector('[aria-pressed=true]').dataset.view") == "before"
    assert browser.ask("document.querySelectorAll('#map .hit').length") == 1
    browser.open(started[1], "view=nonsense&nc=99&sel=x9&sel=c99999&nc=__proto__&hide=")
    assert browser.ask(PANEL) == "What would change"


def test_a_second_click_on_an_arrow_for_several_goes_on(browser: Browser) -> None:
    several = "[...document.querySelectorAll('#map .mark')].find((one) => one.dataset.c.includes(' '))"
    spot = browser.ask(f"((r) => [r.x + r.width / 2, r.y + r.height / 2])({several}.getBoundingClientRect())")
    assert isinstance(spot, list)
    shown = []
    for _ in range(2):
        browser.click_at((spot[0], spot[1]))
        shown.append(browser.ask(PANEL))
    assert shown[0] != shown[1]
