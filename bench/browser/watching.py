"""A browser that notes when what becomes visible, and every byte that comes for it."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Browser, Page, WebSocket, sync_playwright

from tests.browser.chromium import CHROMIUM, FLAGS
from tests.upstream import Exchange, Upstream

PATIENCE_MS = 300_000

# Notes, in the frame after each change, the highest 〔number〕 in the last message. Only the
# message's end is read: reading all of it each time would slow the page that is measured.
_WATCH = """
() => {
  const log = window.inklingLog = {marks: [], enter: 0, click: 0, seen: 0, loaded: 0};
  const now = () => performance.timeOrigin + performance.now();
  let due = false;
  const look = () => {
    due = false;
    const all = document.querySelectorAll('[data-testid=stChatMessage]');
    const last = all[all.length - 1];
    if (!last) return;
    const blocks = last.querySelectorAll('[data-testid=stMarkdown]');
    let text = '';
    for (let at = blocks.length - 1; at >= 0 && text.length < 600; at--)
      text = blocks[at].textContent.slice(-2000) + text;
    let found = 0;
    for (const match of text.matchAll(/〔(\\d+)〕/g)) found = Math.max(found, +match[1]);
    if (found > log.seen) { log.seen = found; log.marks.push([found, now()]); }
  };
  new MutationObserver(() => { if (!due) { due = true; requestAnimationFrame(look); } })
    .observe(document, {subtree: true, childList: true, characterData: true});
  document.addEventListener('keydown', event => {
    if (event.key === 'Enter') { log.enter = now(); log.seen = 0; log.marks = []; }
  }, true);
  document.addEventListener('click', () => { log.click = now(); }, true);
  addEventListener('load', () => { log.loaded = now(); });
}
"""


@dataclass  # without slots: Playwright leaves a mark on the object whose method it calls
class Wire:
    """What came over the page's websockets."""

    frames: int = 0
    size_bytes: int = 0

    def listen(self, socket: WebSocket) -> None:
        socket.on("framereceived", self._received)

    def _received(self, payload: Any) -> None:
        self.frames += 1
        self.size_bytes += len(payload if isinstance(payload, bytes) else payload.encode())


@dataclass(frozen=True, slots=True)
class Log:
    """What the page noted: moments in Unix seconds."""

    enter: float
    click: float
    loaded: float
    marks: list[tuple[int, float]]

    def seen_at(self, mark: int) -> float | None:
        """Return when this sentence, or a later one, became visible."""
        return next((at for number, at in self.marks if number >= mark), None)


class Renderer:
    """Tells how long the page's own thread has worked."""

    def __init__(self, page: Page) -> None:
        self._session = page.context.new_cdp_session(page)
        self._session.send("Performance.enable")

    def worked_s(self) -> float:
        """Return the seconds of work so far."""
        metrics = self._session.send("Performance.getMetrics")["metrics"]
        return float(next(one["value"] for one in metrics if one["name"] == "TaskDuration"))


@contextmanager
def browsing() -> Iterator[Browser]:
    """Open a Chromium, and close it."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


def watched_page(browser: Browser, url: str, *, is_idle: bool = True) -> tuple[Page, Wire]:
    """Open the app in a page that watches itself; return once it takes questions."""
    page = browser.new_page(locale="zh-CN", viewport={"width": 1280, "height": 900})
    page.set_default_timeout(PATIENCE_MS)
    wire = Wire()
    page.on("websocket", wire.listen)
    page.add_init_script(f"({_WATCH})()")
    page.goto(url)
    page.get_by_test_id("stChatInputTextArea").wait_for()
    if is_idle:
        wait_idle(page)
    return page, wire


def ask(page: Page, upstream: Upstream, question: str) -> Exchange:
    """Type a question and send it; return once the upstream has it."""
    known = len(upstream.answers)
    page.get_by_test_id("stChatInputTextArea").fill(question)
    page.keyboard.press("Enter")
    while len(upstream.answers) == known:
        page.wait_for_timeout(5)
    return upstream.answers[-1]


def wait_over(page: Page, exchange: Exchange) -> None:
    """Wait until the upstream has sent everything, with the page's events going on."""
    while not exchange.is_over.is_set():
        page.wait_for_timeout(50)


def wait_mark(page: Page, mark: int) -> None:
    """Wait until a sentence is visible."""
    page.wait_for_function(f"() => window.inklingLog && window.inklingLog.seen >= {mark}")


def wait_idle(page: Page) -> None:
    """Wait until the page's script no longer runs, nor is about to."""
    idle_since = time.monotonic()
    while time.monotonic() - idle_since < 0.4:
        app = page.get_by_test_id("stApp")
        if app.get_attribute("data-test-script-state") != "notRunning":
            idle_since = time.monotonic()
        page.wait_for_timeout(50)


def log_of(page: Page) -> Log:
    """Return what the page noted so far."""
    log = page.evaluate("() => window.inklingLog")
    marks = [(int(mark), at / 1000) for mark, at in log["marks"]]
    return Log(log["enter"] / 1000, log["click"] / 1000, log["loaded"] / 1000, marks)
