"""A chat page in Chromium that notes when one can type in it, and when an answer begins."""

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, Page, sync_playwright

from bench.peering.questions import MARKS, Question
from tests.browser.chromium import CHROMIUM, FLAGS

PATIENCE_MS = 60_000
TYPED_MS = 150  # between the last key and Enter, for what a page does while one types
# Names lead nowhere: pages of peers ask the world for fonts.
_ONLY_HERE = "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1"

# From Enter on looks in each frame for the mark in the page's visible text, until it is there.
_WATCH = """() => {
  const log = window.peering = {mark: '', enter: 0, seen: 0};
  const now = () => performance.timeOrigin + performance.now();
  const look = () => {
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
      if (!texts.currentNode.data.includes(log.mark)) continue;
      const place = texts.currentNode.parentElement;
      if (!place.checkVisibility({opacityProperty: true, visibilityProperty: true})) continue;
      log.seen = now();
      return;
    }
    requestAnimationFrame(look);
  };
  document.addEventListener('keydown', event => {
    if (event.key !== 'Enter' || !log.mark || log.enter) return;
    log.enter = now();
    requestAnimationFrame(look);
  }, true);
}"""
_READY = """(box) => {
  const found = document.querySelector(box);
  if (!found || found.disabled || found.readOnly || !found.checkVisibility()) return 0;
  return performance.timeOrigin + performance.now();
}"""
_ANSWERED = f"() => /[{MARKS}]/.test(document.body.textContent)"
_SHOWN = "(mark) => document.body.textContent.includes(mark)"


@contextmanager
def browsing() -> Iterator[Browser]:
    """Open a Chromium that knows this machine only, and close it."""
    with sync_playwright() as playwright:
        flags = [*FLAGS, _ONLY_HERE]
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
        yield browser
        browser.close()


@contextmanager
def page_of(browser: Browser) -> Iterator[Page]:
    """Open an empty page of its own, with nothing kept from others."""
    context = browser.new_context(locale="zh-CN", viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    page.add_init_script(f"({_WATCH})()")
    yield page
    context.close()


def open_chat(page: Page, url: str, box: str) -> float:
    """Open a new conversation; return when one could type in it (Unix seconds)."""
    page.goto(url, wait_until="commit")
    return float(page.wait_for_function(_READY, arg=box).json_value()) / 1000


def has_answers(page: Page) -> bool:
    """Whether the page shows an answer: a new conversation must not."""
    return bool(page.evaluate(_ANSWERED))


def ask(page: Page, box: str, question: Question) -> float:
    """Ask, and wait for the end; return the ms from Enter to the answer's first character."""
    page.evaluate(
        "(mark) => Object.assign(window.peering, {mark, enter: 0, seen: 0})", question.first
    )
    page.locator(box).click()
    page.keyboard.insert_text(question.text)
    page.wait_for_timeout(TYPED_MS)
    page.keyboard.press("Enter")
    page.wait_for_function("() => window.peering.seen > 0")
    log = page.evaluate("() => window.peering")
    page.wait_for_function(_SHOWN, arg=question.last, polling=200)
    return float(log["seen"] - log["enter"])


def tabs_cpu_s(browser: Browser) -> float:
    """Return the processor seconds of the pages' processes so far."""
    session = browser.new_browser_cdp_session()
    known = session.send("SystemInfo.getProcessInfo")["processInfo"]
    session.detach()
    return float(sum(one["cpuTime"] for one in known if one["type"] == "renderer"))
