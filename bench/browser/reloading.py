"""Reload in mid-answer: nothing lost, nothing doubled, everything so far there at once."""

import random
import re
from collections import Counter
from pathlib import Path

from bench.browser import figures
from bench.browser.documents import MARK, marks_by_chunk
from bench.browser.scripted_upstream import Script, answer_script
from bench.browser.servers import studio
from bench.browser.watching import ask, browsing, log_of, wait_mark, wait_over, watched_page
from tests.upstream import Upstream

RELOADS = 10
CHARS = 7_000


def report(folder: Path) -> str:
    """Reload once during each of ten answers, at a random moment of its middle."""
    dice = random.Random(7)
    after_load: list[float] = []
    faults: list[str] = []
    with (
        Upstream(answer_script) as upstream,
        studio(folder, upstream) as app,
        browsing() as browser,
    ):
        for number in range(RELOADS):
            page, _ = watched_page(browser, app.url)
            script = Script(chars=CHARS, pause_ms=10, first=1 + 10_000 * number)
            marks = marks_by_chunk(script.pieces)
            exchange = ask(page, upstream, script.question)
            wait_mark(page, marks[len(marks) // 10])
            page.wait_for_timeout(dice.uniform(300, 3_500))
            known = marks[len(exchange.sent_at) - 2]  # without the head
            page.reload()
            wait_mark(page, known)
            log = log_of(page)
            seen_at = log.seen_at(known)
            assert seen_at is not None
            after_load.append(seen_at - log.loaded)
            wait_over(page, exchange)
            page.get_by_role("button", name="重新回答").wait_for()
            page.wait_for_timeout(500)
            faults += _faults(page.get_by_test_id("stChatMessage").last.inner_text(), script)
            page.close()
    columns = ("", "n", "ms after load, median", "p95", "max")
    rows = [["everything so far visible", len(after_load), *figures.spread(after_load)]]
    said = f"\nSentences lost or doubled: {len(faults)} {faults[:5] or ''}"
    return figures.table("Reload in mid-answer", columns, rows) + said


def _faults(shown: str, script: Script) -> list[str]:
    # The text as shown and as sent, without what Markdown turns into something else.
    found = Counter(int(mark) for mark in MARK.findall(shown))
    expected = Counter(int(mark) for mark in MARK.findall(script.text))
    faults = [f"{mark}×{found[mark]}" for mark in expected | found if found[mark] != expected[mark]]
    chinese = re.compile(r"[\u4e00-\u9fff]")
    lengths = [len(chinese.findall(text)) for text in (_answer_only(shown), script.text)]
    if lengths[0] != lengths[1]:
        faults.append(f"{lengths[0]} characters of {lengths[1]}")
    return faults


def _answer_only(shown: str) -> str:
    return shown[: shown.rindex("deepseek-flash")]  # what follows are figures and buttons
