"""What is shown of a question ahead of the page is what the page then shows: nothing is built anew.

Were it drawn at other places, the browser would take it away and put another in its stead: what is
read would jump, a selection would be lost, and a screen reader would say it twice.
"""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.journeys import PATIENCE_MS
from tests.running_app import RunningApp, running_app
from tests.upstream import DONE, STREAM_HEAD, Plan, Step, Upstream, completion, ending, event

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
def pages(browser: Browser, app: RunningApp) -> Iterator[Callable[[str], Page]]:
    """Open a page of the studio; in none may a script of the page fail, which takes it all away."""
    failed: list[str] = []
    with browser.new_context(locale="zh-CN") as context:

        def opened(query: str) -> Page:
            one = context.new_page()
            one.on("pageerror", lambda error: failed.append(str(error)))
            one.goto(app.url + query)
            one.get_by_test_id("stChatInputTextArea").wait_for()
            return one

        yield opened
    assert failed == []


@pytest.fixture
def page(pages: Callable[[str], Page]) -> Page:
    return pages("")


def ask(page: Page, question: str) -> None:
    box = page.get_by_test_id("stChatInputTextArea")
    box.fill(question)
    box.press("Enter")


def stop_button(page: Page) -> Locator:
    return page.get_by_role("button", name="停止")


def expect_last(page: Page, question: str, words: str) -> None:
    """Expect a running answer: its question once, and nothing behind it."""
    messages = page.get_by_test_id("stChatMessage")
    # With the button to stop it, the page of the running answer is drawn.
    expect(stop_button(page)).to_be_visible(timeout=PATIENCE_MS)
    expect(messages.last).to_contain_text(words)
    expect(messages.filter(has_text=question)).to_have_count(1)
    expect(messages.nth(-2)).to_contain_text(question)


def end_answer(page: Page, teller: Teller) -> None:
    teller.go.set()
    expect(stop_button(page)).to_have_count(0, timeout=PATIENCE_MS)
    expect(page.get_by_role("button", name="重新回答").last).to_be_visible()
    teller.go.clear()


def test_a_question_and_its_first_words_stay_what_they_were(page: Page, teller: Teller) -> None:
    for number in (1, 2, 3):
        question, words = f"枫桥在哪里？第 {number} 问", f"{WORDS} {number}"
        page.evaluate(WATCH, [question, words])
        ask(page, question)
        expect_last(page, question, words)
        expect(page.get_by_test_id("stChatMessage")).to_have_count(2 * number)
        assert page.evaluate(STATE) == {"question": [True], "words": [True]}, number
        end_answer(page, teller)


def test_a_long_conversation_shows_the_question_once_as_its_window_moves_on(
    page: Page, teller: Teller
) -> None:
    """Earlier turns go, and a way to them comes: what was drawn ahead stands elsewhere then."""
    ask(page, "写在前面的" * 3_600)  # one turn is nearly all that is drawn at once
    expect(stop_button(page)).to_be_visible(timeout=PATIENCE_MS)
    end_answer(page, teller)
    for number in range(2, 6):
        question = f"第 {number} 问：{'很长的话' * 750 if number < 4 else ''}"
        ask(page, question)
        expect_last(page, f"第 {number} 问：", f"{WORDS} {number}")
        end_answer(page, teller)
    expect(page.get_by_role("button", name="显示更早的")).to_be_visible()


def test_what_was_asked_on_another_page_meanwhile_stands_before_it(
    page: Page, pages: Callable[[str], Page], teller: Teller
) -> None:
    ask(page, "先问一句")
    expect_last(page, "先问一句", WORDS)
    end_answer(page, teller)
    other = pages(page.url.removeprefix(page.url.partition("?")[0]))
    expect(other.get_by_test_id("stChatMessage")).to_have_count(2)
    for number in (2, 3):
        ask(page, f"这边第 {number} 问")
        expect_last(page, f"这边第 {number} 问", WORDS)
        end_answer(page, teller)
    ask(other, "那边的问题")
    expect_last(other, "那边的问题", WORDS)
    expect(other.get_by_test_id("stChatMessage")).to_have_count(8)


@pytest.mark.parametrize("wait_ms", [0, 60, 120, 180, 240])
def test_who_leaves_in_the_moment_of_asking_finds_the_answer(
    page: Page, teller: Teller, wait_ms: int
) -> None:
    ask(page, "离开前的问题")
    # However far the run has come by then: no fact tells, and each is a case.
    page.wait_for_timeout(wait_ms)
    gallery = page.get_by_test_id("stSidebarNavLink").filter(has_text="作品")
    gallery.evaluate("(link) => link.click()")
    expect(page.get_by_role("heading", name="作品")).to_be_visible(timeout=PATIENCE_MS)
    chat = page.get_by_test_id("stSidebarNavLink").filter(has_text="对话")
    chat.evaluate("(link) => link.click()")
    expect_last(page, "离开前的问题", WORDS)
