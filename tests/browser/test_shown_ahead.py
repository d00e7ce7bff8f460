"""What is shown of a question ahead of the page is what the page then shows: nothing is built anew.

Were it drawn at other places, the browser would take it away and put another in its stead: what is
read would jump, a selection would be lost, and a screen reader would say it twice.
"""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.running_app import RunningApp, running_app
from tests.upstream import DONE, STREAM_HEAD, Plan, Step, Upstream, completion, ending, event

PATIENCE_MS = 60_000
WORDS = "月落乌啼霜满天"

pytestmark = pytest.mark.browser

# Keeps the parts of the page in which the words were seen first, and counts what else they are in.
WATCH = """
([question, words]) => {
  const seen = window.seen = {question: [], words: []};
  const look = () => {
    for (const [kind, text] of [["question", question], ["words", words]])
      for (const part of document.querySelectorAll(
          '[data-testid="stChatMessage"] [data-testid="stMarkdownContainer"]'))
        if (part.innerText.includes(text) && !seen[kind].includes(part)) seen[kind].push(part);
  };
  new MutationObserver(look).observe(document.body,
    {childList: true, subtree: true, characterData: true});
}
"""
STATE = """
() => Object.fromEntries(Object.entries(window.seen).map(([kind, parts]) =>
  [kind, parts.map(part => part.isConnected)]))
"""


class Teller:
    """Says the first words of each answer, and ends it once it is let go."""

    def __init__(self) -> None:
        self.go = threading.Event()

    def plan(self, body: dict[str, Any]) -> Plan:
        if not body["stream"]:
            yield Step(0, completion("夜泊"))
            return
        number = sum(1 for one in body["messages"] if one["role"] == "user")
        yield Step(0, STREAM_HEAD + event(content=f"{WORDS} {number}"))
        while not self.go.is_set():
            yield Step(0.02, b"")
        yield Step(0, ending() + DONE)


@pytest.fixture
def teller() -> Iterator[Teller]:
    one = Teller()
    yield one
    one.go.set()


@pytest.fixture
def app(tmp_path: Path, teller: Teller) -> Iterator[RunningApp]:
    with Upstream(teller.plan) as upstream:
        settings = {"DEEPSEEK_API_URL": upstream.url, "DEEPSEEK_API_KEY": "sk-0123456789abcdef"}
        with running_app(tmp_path / "data", settings) as running:
            yield running
            teller.go.set()


@pytest.fixture
def page(browser: Browser, app: RunningApp) -> Iterator[Page]:
    with browser.new_context(locale="zh-CN") as context:
        context.set_default_timeout(PATIENCE_MS)
        one = context.new_page()
        one.goto(app.url)
        yield one


def test_a_question_and_its_first_words_stay_what_they_were(page: Page, teller: Teller) -> None:
    box = page.get_by_test_id("stChatInputTextArea")
    stop = page.get_by_role("button", name="停止")
    box.wait_for()
    for number in (1, 2, 3):
        teller.go.clear()
        question, words = f"枫桥在哪里？第 {number} 问", f"{WORDS} {number}"
        page.evaluate(WATCH, [question, words])
        box.fill(question)
        box.press("Enter")
        # With the button to stop it, the page of the running answer is drawn.
        expect(stop).to_be_visible(timeout=PATIENCE_MS)
        expect(page.get_by_test_id("stChatMessage")).to_have_count(2 * number)
        expect(page.get_by_test_id("stChatMessage").last).to_contain_text(words)
        assert page.evaluate(STATE) == {"question": [True], "words": [True]}, number
        teller.go.set()
        expect(stop).to_have_count(0, timeout=PATIENCE_MS)
