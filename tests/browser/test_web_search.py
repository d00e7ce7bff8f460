"""Web search in a real browser: sources are plain links, and hostile pages do nothing.

One studio for all of it; whatever a page would load, ping or open from elsewhere would be seen.
"""

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from core.practice.web.hostile import HOSTILE
from tests.browser.journeys import PATIENCE_MS
from tests.running_app import RunningApp, running_app

pytestmark = pytest.mark.browser
CHIPS = ".inkling-sources a"


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApp]:
    with running_app(tmp_path_factory.mktemp("search") / "data") as running:
        yield running


@pytest.fixture
def left(browser: Browser, app: RunningApp) -> Iterator[tuple[Page, list[str]]]:
    """A page on the chat, and every address elsewhere that anything on it asked for."""
    context = browser.new_context(locale="zh-CN", viewport={"width": 390, "height": 844})
    asked: list[str] = []

    def note(url: str) -> None:
        host = urlsplit(url).hostname
        if host is not None and host != urlsplit(app.url).hostname:
            asked.append(url)

    page = context.new_page()
    context.on("request", lambda request: note(request.url))
    page.on("dialog", lambda dialog: asked.append(dialog.message))
    page.goto(f"{app.url}/chat")
    yield page, asked
    context.close()


def say(page: Page, words: str) -> None:
    box = page.get_by_test_id("stChatInputTextArea")
    box.fill(words)
    box.press("Enter")


def switch_on(page: Page) -> None:
    switch = page.get_by_test_id("stCheckbox").filter(has_text="联网").locator("input")
    switch.focus()
    if not switch.is_checked():
        page.keyboard.press("Space")
    expect(switch).to_be_checked()


def menu(page: Page) -> Locator:
    return page.get_by_role("button", name=re.compile("读网页"))


def test_a_question_is_searched_for_and_a_page_of_it_read(left: tuple[Page, list[str]]) -> None:
    page, asked = left
    switch_on(page)
    say(page, "讲讲端砚的历史")
    expect(page.locator(CHIPS)).to_have_count(8, timeout=PATIENCE_MS)
    first = page.locator(CHIPS).first
    expect(first).to_contain_text("encyclopedia.example")
    expect(first).to_contain_text(re.compile(r"2026-\d\d-\d\d"))
    rel = (first.get_attribute("rel") or "").split()
    assert {"noopener", "noreferrer"} <= set(rel)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    menu(page).click()
    page.get_by_text("2 · news.example").click()
    expect(page.locator(CHIPS)).to_have_count(9, timeout=PATIENCE_MS)
    expect(page.get_by_text("请阅读来源 [2]（news.example）的网页")).to_be_visible(
        timeout=PATIENCE_MS
    )
    assert not asked


def test_a_search_without_results_leaves_both_ways_on(left: tuple[Page, list[str]]) -> None:
    page, asked = left
    switch_on(page)
    say(page, "/practice web-lost 讲讲端砚")
    expect(page.get_by_text("可能已经收费")).to_be_visible(timeout=PATIENCE_MS)
    expect(page.get_by_role("button", name="再联网一次（可能再收一次费）")).to_be_visible(
        timeout=PATIENCE_MS
    )
    page.get_by_role("button", name="不联网直接回答").click()
    expect(page.get_by_role("button", name="重新回答")).to_be_visible(timeout=PATIENCE_MS)
    expect(page.get_by_text("可能已经收费")).to_have_count(0, timeout=PATIENCE_MS)
    assert not asked


def test_hostile_pages_load_run_and_open_nothing(left: tuple[Page, list[str]]) -> None:
    page, asked = left
    switch_on(page)
    say(page, "/practice web-hostile 讲讲端砚")
    expect(page.locator(CHIPS)).to_have_count(8, timeout=PATIENCE_MS)
    menu(page).click()
    page.get_by_text("1 · hostile.example").click()
    expect(page.locator(CHIPS)).to_have_count(9, timeout=PATIENCE_MS)
    # All of them at once, as a page that the practice model repeats word for word.
    said = page.get_by_test_id("stChatMessage")
    assert said.locator("img, iframe, script, form, object, embed, video, audio").count() == 0
    links = said.locator("a").evaluate_all("all => all.map(one => one.href)")
    assert not [one for one in links if not re.match(r"https?:", one)]
    assert said.locator("[onclick], [onerror], [ping]").count() == 0
    assert len(HOSTILE) > 8
    assert not asked
