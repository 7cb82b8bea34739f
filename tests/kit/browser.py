"""A real browser without a screen, driven over its debugging pipe: pages, keys, mouse, what is seen."""

import base64
import json
import os
import select
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

MEASURE: Final = """(() => {
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
  const boxes = shapes.map(box).sort((a, b) => a[0] - b[0]);
  let count = 0;
  boxes.forEach((a, at) => {
    for (let next = at + 1; next < boxes.length && boxes[next][0] < a[2] - 1; next += 1) {
      const b = boxes[next];
      if (a[0] < b[2] - 1 && a[1] < b[3] - 1 && b[1] < a[3] - 1) count += 1;
    }
  });
  return count;
};
const sheet = all("#map")[0].getBoundingClientRect();
return {
  hacked: window.hacked === undefined ? null : String(window.hacked),
  overlaps: meeting(all(".nodes > .site > .box, .nodes > .hub > .box")),
  tiles: meeting(all(".nodes > .tile:not(.sub) > .box")) + meeting(all(".nodes > .tile.sub > .box")),
  pills: meeting(all(".dc > .box")),
  labels: meeting(all(".labels > .label > rect, .nodes > .site > .box, .nodes > .hub > .box")),
  outside: all(".nodes .box").map(box).filter((b) => b[0] < sheet.left - 1 || b[2] > sheet.right + 1
    || b[1] < sheet.top - 1 || b[3] > sheet.bottom + 1).length,
  spilling: [...spill(".site", ".sn", ".box"), ...spill(".tile", ".tn", ".box"),
    ...spill(".dc", ".dn", ".box"), ...spill(".label", "text", "rect")],
  letters: Math.min(...all(".tile .tn, .site .sn, .dc .dn, .label text").map((one) =>
    parseFloat(getComputedStyle(one).fontSize) * document.getElementById("map").getScreenCTM().a)),
  elements: all("*").length,
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
})()"""
HOW: Final = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--remote-debugging-pipe"),
    *("--no-first-run", "--disable-background-networking", "--disable-component-update"),
)
PATIENCE_S: Final = 120.0
KEYS: Final[Mapping[str, tuple[str, int, str]]] = {
    **{
        f"Arrow{way}": (f"Arrow{way}", code, "")
        for way, code in zip(("Left", "Up", "Right", "Down"), range(37, 41), strict=True)
    },
    "Tab": ("Tab", 9, ""),
    "Enter": ("Enter", 13, "\r"),
    "Escape": ("Escape", 27, ""),
    " ": ("Space", 32, " "),
}
SHIFT: Final = 8
Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Look:
    """What came of opening a page. console: what the browser said of it. asked: what the page asked for."""

    dom: str
    console: tuple[str, ...]
    asked: tuple[str, ...]


class Browser:
    """Debian's chromium with a folder of its own and without any network; one page at a time."""

    def __init__(self, folder: Path) -> None:
        their_in, self._out = os.pipe()
        self._in, their_out = os.pipe()
        pipes = f"3<&{their_in} 4>&{their_out}"
        self._process = subprocess.Popen(
            [
                "unshare",
                "--net",
                "bash",
                "-c",
                f'exec chromium "$@" {pipes}',
                "bash",
                *HOW,
                f"--user-data-dir={folder}",
            ],
            pass_fds=(their_in, their_out),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=folder,
        )
        os.close(their_in)
        os.close(their_out)
        self._rest = b""
        self._number = 0
        self._session = ""
        self._events: list[dict[str, object]] = []
        target = self._do("Target.createTarget", url="about:blank")["targetId"]
        self._session = str(self._do("Target.attachToTarget", targetId=target, flatten=True)["sessionId"])
        for part in ("Page", "Runtime", "Log", "Network"):
            self._do(f"{part}.enable")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._session = ""
        self._do("Browser.close")
        self._process.wait(PATIENCE_S)
        os.close(self._in)
        os.close(self._out)

    # --- pages ---------------------------------------------------------------------------------------------

    def open(self, page: Path, hash_text: str = "", size: tuple[int, int] = (1400, 900)) -> None:
        """Load a page in a window of that size, and wait until its scripts have run."""
        self._go_to("about:blank")
        self._do(
            "Emulation.setDeviceMetricsOverride",
            width=size[0],
            height=size[1],
            deviceScaleFactor=1,
            mobile=False,
        )
        self._events.clear()
        self._go_to(page.resolve().as_uri() + (f"#{hash_text}" if hash_text else ""))

    def ask(self, script: str) -> object:
        """The value of an expression in the page; of a promise, what it comes to."""
        found = self._do("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        result = found["result"]
        assert isinstance(result, dict)
        return result.get("value")

    def until(self, condition: str) -> None:
        """Wait for what comes only after the page had a turn."""
        turn = f"const turn = () => ({condition}) ? done(true) : requestAnimationFrame(turn); turn();"
        self.ask(f"new Promise((done) => {{ {turn} }})")

    def look(self, page: Path, hash_text: str = "") -> Look:
        """Open a page and see what becomes of it."""
        self.open(page, hash_text)
        dom = str(self.ask("document.documentElement.outerHTML"))
        said = []
        asked = []
        for event in self._events:
            about = event["params"]
            assert isinstance(about, dict)
            if event["method"] in ("Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded"):
                said.append(json.dumps(about))
            if event["method"] == "Network.requestWillBeSent" and about["type"] != "Document":
                asked.append(str(about["request"]["url"]))
        return Look(dom, tuple(said), tuple(asked))

    def measure(
        self, page: Path, hash_text: str = "", size: tuple[int, int] = (1400, 900)
    ) -> dict[str, object]:
        """What a page shows, in numbers."""
        self.open(page, hash_text, size)
        return self.measured()

    def measured(self) -> dict[str, object]:
        """What the page that is open shows now."""
        found = self.ask(MEASURE)
        assert isinstance(found, dict)
        return found

    def photograph(self) -> bytes:
        """A PNG of what is seen."""
        return base64.b64decode(str(self._do("Page.captureScreenshot", format="png")["data"]))

    def print(self) -> bytes:
        """The page as PDF."""
        return base64.b64decode(
            str(self._do("Page.printToPDF", preferCSSPageSize=True, printBackground=True)["data"])
        )

    def as_printed(self, is_so: bool) -> None:
        """Show the page as it is on paper, or again as on a screen."""
        self._do("Emulation.setEmulatedMedia", media="print" if is_so else "")

    # --- people --------------------------------------------------------------------------------------------

    def press(self, *keys: str, is_shift: bool = False) -> None:
        """Press keys one after another."""
        for key in keys:
            code, number, text = KEYS.get(key, (key, ord(key[0].upper()), key))
            about = {"key": key, "code": code, "windowsVirtualKeyCode": number, "modifiers": SHIFT * is_shift}
            down = "keyDown" if text else "rawKeyDown"
            self._do("Input.dispatchKeyEvent", type=down, **about, **({"text": text} if text else {}))
            self._do("Input.dispatchKeyEvent", type="keyUp", **about)

    def write(self, text: str) -> None:
        """Put text where the focus is, as an input method does."""
        self._do("Input.insertText", text=text)

    def click(self, what: str) -> None:
        """Click on the middle of the first element of a selector, wherever that is on the page."""
        self.click_at(self.middle(what))

    def click_at(self, point: Point) -> None:
        """Press and release the mouse on a spot of the window."""
        self._mouse("mouseMoved", point)
        self._mouse("mousePressed", point, button="left", clickCount=1)
        self._mouse("mouseReleased", point, button="left", clickCount=1)

    def drag(self, start: Point, end: Point) -> None:
        """Press the mouse on one spot and release it on another."""
        self._mouse("mouseMoved", start)
        self._mouse("mousePressed", start, button="left", clickCount=1)
        half = (start[0] + end[0]) / 2, (start[1] + end[1]) / 2
        for point in (half, end):
            self._mouse("mouseMoved", point, button="left", buttons=1)
        self._mouse("mouseReleased", end, button="left", clickCount=1)

    def wheel(self, point: Point, down: float) -> None:
        """Turn the wheel over a spot."""
        self._mouse("mouseWheel", point, deltaX=0, deltaY=down)

    def middle(self, what: str) -> Point:
        """Where an element is in the window; it is scrolled into it first."""
        found = self.ask(
            f"(() => {{ const one = document.querySelector({json.dumps(what)}); "
            'one.scrollIntoView({ block: "nearest" }); const r = one.getBoundingClientRect(); '
            "return [r.x + r.width / 2, r.y + r.height / 2]; })()"
        )
        assert isinstance(found, list)
        return float(found[0]), float(found[1])

    def _mouse(self, kind: str, point: Point, **more: object) -> None:
        self._do("Input.dispatchMouseEvent", type=kind, x=point[0], y=point[1], **more)

    # --- the pipe ------------------------------------------------------------------------------------------

    def _go_to(self, address: str) -> None:
        """Navigate, and wait for the page to be complete."""
        self._events = [event for event in self._events if event["method"] != "Page.loadEventFired"]
        self._do("Page.navigate", url=address)
        while not any(event["method"] == "Page.loadEventFired" for event in self._events):
            self._take(self._message())

    def _do(self, method: str, **how: object) -> dict[str, object]:
        """One command and its answer; what the browser tells meanwhile is kept."""
        self._number += 1
        number = self._number
        command = {"id": number, "method": method, "params": how}
        if self._session:
            command["sessionId"] = self._session
        sent = json.dumps(command).encode() + b"\0"
        while sent:
            sent = sent[os.write(self._out, sent) :]
        while True:
            message = self._message()
            if message.get("id") == number:
                assert "error" not in message, message["error"]
                found = message["result"]
                assert isinstance(found, dict)
                return found
            self._take(message)

    def _take(self, message: dict[str, object]) -> None:
        if "method" in message and message.get("sessionId") == self._session:
            self._events.append(message)

    def _message(self) -> dict[str, object]:
        while b"\0" not in self._rest:
            ready, _, _ = select.select([self._in], [], [], PATIENCE_S)
            assert ready, "the browser says nothing more"
            read = os.read(self._in, 1 << 20)
            assert read, f"the browser has ended: {self._process.wait(PATIENCE_S)}"
            self._rest += read
        first, _, self._rest = self._rest.partition(b"\0")
        found: dict[str, object] = json.loads(first)
        return found
