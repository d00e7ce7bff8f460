"""Reading aloud: from a sentence's end on the page to its sound, and from Stop to silence.

The loudness is that of Web Audio's own analyser, behind all that is mixed; the voice is practice's,
over HTTP and, as a streaming one, by WebSocket.
"""

import time
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from bench.browser import figures
from core.practice.server import PracticeServer
from core.practice.settings import PRACTICE_SPEECH_KEY, PracticeSettings
from core.practice.speech.realtime import PATH as REALTIME_PATH
from tests.browser.chromium import CHROMIUM, FLAGS
from tests.running_app import RunningApp, running_app

ROUNDS = 10
PATIENCE_MS = 120_000
# One piece each 40 ms: the answer goes on for long after its first sentence.
QUESTION = "/practice slow 40 写 2000 字，关于砚台与墨的历史"

# Reading is asked for as soon as there is a button, which is before the first sentence ends.
_HEAR = """
() => new Promise(done => {
  const seen = {};
  const now = () => performance.timeOrigin + performance.now();
  const timer = setInterval(() => {
    const messages = document.querySelectorAll('[data-testid=stChatMessage]');
    const last = messages[messages.length - 1];
    const button = last && last.querySelector('.inkling-read button');
    if (button && !seen.asked) { button.click(); seen.asked = now(); }
    // The first to be said may be a heading, which ends where the next block begins.
    const blocks = '[data-testid=stMarkdown] :is(h1,h2,h3,h4,p,li)';
    const text = last ? last.querySelectorAll(blocks) : [];
    const isWhole = text.length > 1 || (text.length && /[。！？]/.test(text[0].textContent));
    if (button && !seen.sentence && isWhole) seen.sentence = now();
    const player = window[Symbol.for('inkling.reading')];
    if (seen.asked && !seen.sound && player.level() > 0.02) {
      seen.sound = now();
      seen.isWritten = !document.querySelector('.st-key-stop-answer');
    }
    if (seen.sound && seen.sentence) { clearInterval(timer); done(seen); }
  }, 4);
})
"""
_STOP = """
() => new Promise(done => {
  const now = () => performance.timeOrigin + performance.now();
  const player = window[Symbol.for('inkling.reading')];
  const pressed = now();
  document.querySelector('.inkling-reading .stop').click();
  const timer = setInterval(() => {
    if (player.level() < 0.001) { clearInterval(timer); done({pressed, silent: now()}); }
  }, 4);
})
"""


def report(folder: Path) -> str:
    """Let answers be read while they are written, and stop each in the middle of a word."""
    rows: list[list[object]] = []
    early = 0
    with PracticeServer(settings=PracticeSettings(voice_pace=4.0)) as practice:
        realtime = practice.origin.replace("http:", "ws:") + REALTIME_PATH
        for name, url in {"HTTP": practice.origin, "WebSocket": realtime}.items():
            settings = {"SPEECH_API_URL": url, "SPEECH_API_KEY": PRACTICE_SPEECH_KEY}
            with running_app(folder / name, settings) as app:
                sounds, silences, closed, heard_early = _listen(app, practice)
            early += heard_early
            rows += [
                [f"{name}: a sentence's end, or the wish → sound", ROUNDS, *figures.spread(sounds)],
                [f"{name}: Stop → silence", ROUNDS, *figures.spread(silences)],
                [f"{name}: Stop → the voice closed upstream", ROUNDS, *figures.spread(closed)],
            ]
    columns = ("", "n", "ms, median", "p95", "max")
    said = f"\nHeard while the answer was still being written in {early} of {2 * ROUNDS}."
    return figures.table("Reading aloud", columns, rows) + said


def _listen(
    app: RunningApp, practice: PracticeServer
) -> tuple[list[float], list[float], list[float], int]:
    sounds: list[float] = []
    silences: list[float] = []
    closed: list[float] = []
    early = 0
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*FLAGS])
        for _ in range(ROUNDS):
            page = _page(browser, app)
            heard = page.evaluate(_HEAR)
            sounds.append((heard["sound"] - max(heard["sentence"], heard["asked"])) / 1000)
            early += not heard["isWritten"]
            page.wait_for_timeout(700)
            stopped = page.evaluate(_STOP)
            silences.append((stopped["silent"] - stopped["pressed"]) / 1000)
            while practice.counters.voices_open:
                time.sleep(0.002)
            closed.append(max(time.time() - stopped["pressed"] / 1000, silences[-1]))
            page.locator(".st-key-stop-answer button").click()
            page.close()
        browser.close()
    return sounds, silences, closed, early


def _page(browser: Browser, app: RunningApp) -> Page:
    page = browser.new_page(locale="zh-CN", viewport={"width": 1366, "height": 850})
    page.set_default_timeout(PATIENCE_MS)
    page.goto(app.url)
    box = page.get_by_test_id("stChatInputTextArea")
    box.fill(QUESTION)
    page.wait_for_timeout(1_000)
    box.press("Enter")
    return page
