"""A real browser without a screen: what a page comes to in it, what it says of it, what the page asks for."""

import json
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

MEASURE: Final = """
const box = (shape) => {
  const r = shape.getBoundingClientRect();
  return [r.left, r.top, r.right, r.bottom];
};
const all = (what) => [...document.querySelectorAll(what)];
const shown = (one) => one.getClientRects().length && getComputedStyle(one).display !== "none";
const seen = (what) => all(what).filter(shown);
const spill = (group, text, frame) => all(group).flatMap((one) => {
  const outer = one.querySelector(":scope > " + frame);
  return [...one.querySelectorAll(":scope > " + text)].filter((line) => {
    const [a, b] = [box(line), box(outer)];
    return a[0] < b[0] - 1 || a[2] > b[2] + 1 || a[1] < b[1] - 1 || a[3] > b[3] + 1;
  }).map((line) => line.textContent);
});
const meeting = (shapes) => {
  const boxes = shapes.map(box);
  let count = 0;
  boxes.forEach((a, at) => boxes.slice(0, at).forEach((b) => {
    if (a[0] < b[2] - 1 && b[0] < a[2] - 1 && a[1] < b[3] - 1 && b[1] < a[3] - 1) count += 1;
  }));
  return count;
};
const sheet = all("#map")[0].getBoundingClientRect();
const facts = {
  hacked: window.hacked === undefined ? null : String(window.hacked),
  overlaps: meeting(all(".nodes > .site > .box, .nodes > .hub > .box")),
  tiles: meeting(all(".nodes > .tile > .box")),
  pills: meeting(all(".dc > .box")),
  labels: meeting(all(".labels > .label > rect, .nodes > .site > .box, .nodes > .hub > .box")),
  outside: all(".nodes .box").map(box).filter((b) => b[0] < sheet.left - 1 || b[2] > sheet.right + 1
    || b[1] < sheet.top - 1 || b[3] > sheet.bottom + 1).length,
  spilling: [...spill(".site", ".sn", ".box"), ...spill(".tile", ".tn", ".box"),
    ...spill(".dc", ".dn", ".box"), ...spill(".label", "text", "rect")],
  arrows: Object.fromEntries(
    ["keep", "add", "chg", "del"].map((kind) => [kind, seen("#map .arrow." + kind).length])),
  off: all("#map .off").length,
  on: all("#map .on").length,
  roads: seen("#map .road").length,
  panel: document.getElementById("panel").textContent,
  rows: all("#rows tr").length,
  width: document.documentElement.scrollWidth,
  pressed: all("[data-view][aria-pressed=true]").map((one) => one.dataset.view),
};
const told = document.createElement("output");
told.id = "measured";
told.textContent = JSON.stringify(facts);
document.body.append(told);
"""
POLICY: Final = re.compile(r'<meta http-equiv="Content-Security-Policy"[^>]*>')
OF_PAGES: Final = 101845102
"""What chromium's network log calls requests of a page's own: blink_resource_loader."""
TIME_MS: Final = 5000
PATIENCE_S: Final = 120


@dataclass(frozen=True, slots=True)
class Look:
    """What came of opening a page. console: what the browser said of it. asked: what the page asked for."""

    dom: str
    console: tuple[str, ...]
    asked: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Browser:
    """Debian's chromium with a folder of its own and without any network."""

    folder: Path

    def look(self, page: Path, hash_text: str = "", size: tuple[int, int] = (1400, 900)) -> Look:
        """Open a page and see what becomes of it."""
        log = self.folder / "net.json"
        log.unlink(missing_ok=True)
        done = self._run(page, hash_text, size, "--dump-dom", f"--log-net-log={log}")
        said = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
        # The browser's own windows are pages too, and talk in the same log.
        console = tuple(line for line in said if "source: chrome://" not in line)
        return Look(done.stdout, console, _asked(log))

    def measure(
        self, page: Path, hash_text: str = "", size: tuple[int, int] = (1400, 900)
    ) -> dict[str, object]:
        """What a page shows, in numbers: of a copy that also runs MEASURE."""
        copy = self.folder / f"measured-{page.name}"
        text = POLICY.sub("", page.read_text(encoding="utf-8"), count=1)
        copy.write_text(text.replace("</body>", f"<script>{MEASURE}</script></body>"), encoding="utf-8")
        done = self._run(copy, hash_text, size, "--dump-dom")
        found = re.search(r'<output id="measured">(.*?)</output>', done.stdout, re.DOTALL)
        assert found is not None, done.stderr[-2000:]
        facts: dict[str, object] = json.loads(
            found[1].replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
        )
        return facts

    def photograph(self, page: Path, picture: Path, size: tuple[int, int] = (1400, 900)) -> bytes:
        """A PNG of a page."""
        self._run(page, "", size, f"--screenshot={picture}")
        return picture.read_bytes()

    def _run(
        self, page: Path, hash_text: str, size: tuple[int, int], *how: str
    ) -> subprocess.CompletedProcess[str]:
        address = page.resolve().as_uri() + (f"#{hash_text}" if hash_text else "")
        done = subprocess.run(
            [
                *(
                    "unshare",
                    "--net",
                    "chromium",
                    "--headless",
                    "--no-sandbox",
                    "--disable-gpu",
                    "--hide-scrollbars",
                ),
                *("--no-first-run", "--disable-background-networking", "--disable-component-update"),
                *("--enable-logging=stderr", f"--user-data-dir={self.folder / 'profile'}"),
                *(f"--virtual-time-budget={TIME_MS}", f"--window-size={size[0]},{size[1]}", *how, address),
            ],
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE_S,
            cwd=self.folder,
        )
        assert done.returncode == 0, done.stderr[-2000:]
        return done


def _asked(log: Path) -> tuple[str, ...]:
    """The addresses in a network log that a page asked for; the browser's own errands are not among them."""
    found = re.findall(rf'"traffic_annotation":{OF_PAGES},"url":"([^"]+)"', log.read_text(encoding="utf-8"))
    return tuple(dict.fromkeys(found))
