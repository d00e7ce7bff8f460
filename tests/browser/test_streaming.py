"""An answer in a real browser: it grows, outlives the page, stops, and ends where it stood."""

import re
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.journeys import PATIENCE_MS
from tests.running_app import RunningApp, free_port, running_app
from tests.upstream import (
    DONE,
    STREAM_HEAD,
    Plan,
    Step,
    Upstream,
    completion,
    ending,
    event,
)

COLUMNS = " | ".join(f"第 {n} 列很宽的表头" for n in range(12))
WIDE = f"| {COLUMNS} |\n{'|---' * 12}|\n"
CODE = "x = 1  # 很长的一行" * 20
FIRST = f"## 开头\n\n这是**第一半**。\n\n```python\n{CODE}\n```\n\n{WIDE}"
SECOND = "\n这是第二半，到此为止。"

pytestmark = pytest.mark.browser


class Teller:
    """Tells the first half of each answer, and the second once it is let go."""

    def __init__(self) -> None:
        self.go = threading.Event()

    def plan(self, body: dict[str, Any]) -> Plan:
        if not body["stream"]:
            yield Step(0, completion("夜泊"))
            return
        yield Step(0, STREAM_HEAD)
        for at in range(0, len(FIRST), 20):
            yield Step(0.002, event(content=FIRST[at : at + 20]))
        while not self.go.is_set():
            yield Step(0.02, b"")
        usage: dict[str, object] = {"prompt_tokens": 5, "completion_tokens": 9}
        yield Step(0, event(content=SECOND) + ending(usage=usage) + DONE)


@pytest.fixture
def teller() -> Iterator[Teller]:
    one = Teller()
    yield one
    one.go.set()


@pytest.fixture
def upstream(teller: Teller) -> Iterator[Upstream]:
    with Upstream(teller.plan) as running:
        yield running


@pytest.fixture
def settings(upstream: Upstream) -> dict[str, str]:
    return {"DEEPSEEK_API_URL": upstream.url, "DEEPSEEK_API_KEY": "sk-0123456789abcdef"}


@pytest.fixture
def app(tmp_path: Path, settings: dict[str, str]) -> Iterator[RunningApp]:
    with running_app(tmp_path / "data", settings) as running:
        yield running


@pytest.fixture
def page(browser: Browser, app: RunningApp) -> Iterator[Page]:
    with browser.new_context(locale="zh-CN") as context:
        one = context.new_page()
        one.goto(app.url)
        yield one


def question_box(page: Page) -> Locator:
    return page.get_by_test_id("stChatInputTextArea")


def ask(page: Page, question: str) -> None:
    question_box(page).fill(question)
    question_box(page).press("Enter")


def answer(page: Page) -> Locator:
    return page.get_by_test_id("stChatMessage").last


def stop_button(page: Page) -> Locator:
    return page.get_by_role("button", name="停止")


def expect_half(page: Page) -> None:
    expect(answer(page).get_by_text("第 11 列")).to_be_visible(timeout=PATIENCE_MS)
    expect(answer(page).get_by_text("这是第一半。")).to_have_count(1)
    expect(stop_button(page)).to_be_visible()


def expect_whole(page: Page) -> None:
    expect(page.get_by_role("button", name="重新回答")).to_be_visible(timeout=PATIENCE_MS)
    expect(answer(page).get_by_text("这是第一半。")).to_have_count(1)
    expect(answer(page).get_by_text("这是第二半，到此为止。")).to_have_count(1)
    expect(stop_button(page)).to_have_count(0)


def overflow_px(page: Page) -> int:
    return int(
        page.evaluate(
            "() => document.scrollingElement.scrollWidth - document.documentElement.clientWidth"
        )
    )


def test_an_answer_outlives_reload_other_pages_and_moved_settings(
    page: Page, teller: Teller
) -> None:
    ask(page, "写一首诗")
    expect_half(page)
    expect(page).to_have_url(re.compile(r"\?c=\w+"))

    page.reload()
    expect_half(page)

    page.get_by_role("link", name="历史").click()
    expect(page.get_by_role("heading", name="历史", exact=True)).to_be_visible(timeout=PATIENCE_MS)
    page.get_by_role("link", name="对话").click()
    expect_half(page)

    page.get_by_role("button", name="设置").click()
    page.get_by_role("slider").first.press("ArrowRight")
    page.keyboard.press("Escape")
    expect_half(page)

    with page.expect_popup() as opened:
        page.evaluate("() => window.open(location.href)")
    second = opened.value
    expect_half(second)
    ask(second, "再写一首")  # waits in the box: one answer at a time
    expect(question_box(second)).to_have_value("再写一首")

    teller.go.set()
    expect_whole(page)
    expect_whole(second)
    expect(page.get_by_role("heading", name="夜泊")).to_be_visible(timeout=PATIENCE_MS)
    expect(page.get_by_test_id("stSidebar").get_by_text("夜泊")).to_be_visible()
    expect(page.get_by_text("输出 9 token")).to_be_visible()


def test_stop_from_another_tab_closes_the_silent_upstream(page: Page, upstream: Upstream) -> None:
    ask(page, "写一首诗")
    expect_half(page)
    with page.expect_popup() as opened:
        page.evaluate("() => window.open(location.href)")
    second = opened.value
    expect_half(second)
    stop_button(second).click()
    assert upstream.answers[0].is_over.wait(PATIENCE_MS / 1000)
    assert upstream.answers[0].closed_at is not None
    for tab in (page, second):
        expect(tab.get_by_text("已停止")).to_be_visible(timeout=PATIENCE_MS)
        expect(tab.get_by_text("这是第一半。")).to_have_count(1)


def test_a_server_that_is_asked_to_end_keeps_the_text_as_interrupted(
    browser: Browser, tmp_path: Path, settings: dict[str, str]
) -> None:
    port = free_port()
    with browser.new_context(locale="en-US") as context:
        page = context.new_page()
        with running_app(tmp_path / "data", settings, port=port) as app:
            page.goto(app.url)
            ask(page, "Write a poem")
            expect(answer(page).get_by_text("第 11 列")).to_be_visible(timeout=PATIENCE_MS)
            address = page.url
            app.process.send_signal(signal.SIGTERM)
            assert app.process.wait(PATIENCE_MS / 1000) in (0, -signal.SIGTERM)
        with running_app(tmp_path / "data", settings, port=port):
            page.goto(address)
            expect(page.get_by_text("Interrupted: the studio was closed")).to_be_visible()
            expect(answer(page).get_by_text("第 11 列")).to_be_visible()
            expect(page.get_by_role("button", name="Continue")).to_be_visible()


def test_a_phone_shows_a_growing_answer_without_scrolling_sideways(
    browser: Browser, app: RunningApp, teller: Teller
) -> None:
    size = {"width": 390, "height": 800}
    with browser.new_context(locale="zh-CN", viewport=size, has_touch=True) as context:  # type: ignore[arg-type]
        page = context.new_page()
        page.goto(app.url)
        ask(page, "写一首诗")
        expect_half(page)
        assert overflow_px(page) <= 0
        teller.go.set()
        expect_whole(page)
        assert overflow_px(page) <= 0


def test_the_language_can_be_changed_while_an_answer_grows(page: Page, teller: Teller) -> None:
    ask(page, "写一首诗")
    expect_half(page)
    page.get_by_role("radio", name="English").or_(
        page.get_by_role("button", name="English")
    ).click()
    expect(page.get_by_role("button", name="Stop")).to_be_visible(timeout=PATIENCE_MS)
    expect(answer(page).get_by_text("这是第一半。")).to_have_count(1)
    teller.go.set()
    expect(page.get_by_role("button", name="Regenerate")).to_be_visible(timeout=PATIENCE_MS)
    expect(answer(page).get_by_text("这是第二半，到此为止。")).to_have_count(1)


def test_a_list_of_the_composer_stays_open_while_an_answer_scrolls_the_page(
    browser: Browser, tmp_path: Path
) -> None:
    over = threading.Event()

    def plan(body: dict[str, Any]) -> Plan:
        if not body["stream"]:
            yield Step(0, completion("段"))
            return
        yield Step(0, STREAM_HEAD)
        number = 0
        while not over.is_set():
            number += 1
            yield Step(0.05, event(content=f"第 {number} 段。\n\n"))
        yield Step(0, ending(usage={"prompt_tokens": 5, "completion_tokens": 9}) + DONE)

    with (
        Upstream(plan) as upstream,
        running_app(
            tmp_path / "data",
            {"DEEPSEEK_API_URL": upstream.url, "DEEPSEEK_API_KEY": "sk-0123456789abcdef"},
        ) as app,
        browser.new_context(locale="zh-CN", viewport={"width": 390, "height": 844}) as context,
    ):
        page = context.new_page()
        page.goto(app.url)
        ask(page, "写")
        expect(answer(page).get_by_text("第 40 段。")).to_be_visible(timeout=PATIENCE_MS)
        page.get_by_role("combobox", name="模型").click()
        other = page.get_by_role("option", name="raw-model")
        expect(other).to_be_visible()
        other.hover()
        page.mouse.wheel(0, 20)  # within the list: the page was scrolled by nobody
        shown = answer(page).get_by_text("段。").count()
        # It goes on, and the page with it, below a list that is open.
        page.wait_for_function(
            """shown => [...document.querySelectorAll('[data-testid="stChatMessage"] p')]
              .filter((one) => one.textContent.includes('段。')).length > shown + 40""",
            arg=shown,
            timeout=PATIENCE_MS,
        )
        expect(other).to_be_visible()
        other.click()
        expect(page.get_by_role("combobox", name="模型")).to_have_value("raw-model")
        # Nor did it keep the page from staying at its end.
        latest = answer(page).get_by_text("段。").filter(visible=True).last
        expect(latest).to_be_in_viewport(timeout=PATIENCE_MS)
        over.set()
        expect(page.get_by_role("button", name="重新回答")).to_be_visible(timeout=PATIENCE_MS)
