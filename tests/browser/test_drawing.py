"""画成图 by hand: two clicks from an answer to a task, and a selection instead of the whole."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, Playwright, ViewportSize, expect

from tests.browser.chromium import launched
from tests.browser.journeys import PATIENCE_MS, Journey, await_scripts
from tests.running_app import RunningApp, running_app

DESK: ViewportSize = {"width": 1366, "height": 850}
PHONE: ViewportSize = {"width": 390, "height": 844}
SELECT = """(words) => {
    const parts = [...document.querySelectorAll('[data-testid="stChatMessage"] li')]
    const range = document.createRange()
    range.selectNodeContents(parts.find((one) => one.textContent.includes(words)))
    getSelection().removeAllRanges()
    getSelection().addRange(range)
    return getSelection().toString()
}"""

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApp]:
    """A studio in practice mode."""
    with running_app(tmp_path_factory.mktemp("drawing")) as running:
        yield running


@pytest.fixture(scope="module")
def chromium(playwright: Playwright) -> Iterator[Browser]:
    with launched(playwright) as running:
        yield running


def answered(chromium: Browser, app: RunningApp, *, is_phone: bool = False) -> Page:
    """Return a page with an answer on it."""
    size = PHONE if is_phone else DESK
    page = chromium.new_context(
        locale="en-US", viewport=size, has_touch=is_phone, is_mobile=is_phone
    ).new_page()
    page.goto(app.url)
    box = page.get_by_test_id("stChatInputTextArea")
    expect(box).to_be_visible(timeout=PATIENCE_MS)
    box.fill("Tell me about bamboo in the mountains")
    box.press("Enter")
    expect(draw(page)).to_be_visible(timeout=PATIENCE_MS)
    await_scripts(page, "drawing")
    return page


def draw(page: Page) -> Locator:
    return page.get_by_role("button", name="Draw it").last


def submit(page: Page) -> Locator:
    return page.locator(".st-key-drawing-submit button")


def prompt(page: Page) -> Locator:
    return page.locator(".st-key-drawing-prompt textarea")


def pictures(page: Page) -> Locator:
    return page.locator('[class*="st-key-drawn-"] img')


def test_two_clicks_lead_from_an_answer_to_its_picture(chromium: Browser, app: RunningApp) -> None:
    page = answered(chromium, app)
    with Journey(page, "draw an answer") as one:
        one.click(draw(page))
        one.see(submit(page))
        one.click(submit(page))
        one.see(page.locator('[class*="st-key-drawn-"]'))
        assert (one.clicks, one.keys) == (2, 0)
    expect(pictures(page).first).to_be_visible(timeout=PATIENCE_MS)
    page.get_by_role("link", name="In the gallery").click()
    expect(page.get_by_role("link", name=re.compile("Drawn from"))).to_be_visible(
        timeout=PATIENCE_MS
    )
    page.get_by_role("link", name=re.compile("Drawn from")).click()
    expect(pictures(page).first).to_be_visible(timeout=PATIENCE_MS)
    page.context.close()


def test_keys_alone_draw_an_answer(chromium: Browser, app: RunningApp) -> None:
    page = answered(chromium, app)
    draw(page).focus()
    page.keyboard.press("Enter")
    expect(submit(page)).to_be_visible(timeout=PATIENCE_MS)
    submit(page).focus()
    page.keyboard.press("Enter")
    expect(pictures(page).first).to_be_visible(timeout=PATIENCE_MS)
    page.context.close()


@pytest.mark.parametrize("is_phone", [False, True], ids=["mouse", "finger"])
def test_what_is_selected_is_drawn_instead_of_the_whole(
    chromium: Browser, app: RunningApp, *, is_phone: bool
) -> None:
    page = answered(chromium, app, is_phone=is_phone)
    selected = str(page.evaluate(SELECT, "Depth."))
    assert "expert" in selected
    if is_phone:
        draw(page).tap()
    else:
        draw(page).click()
    expect(prompt(page)).to_have_value(re.compile("^Depth"), timeout=PATIENCE_MS)
    expect(page.get_by_text(re.compile("Of the selected passage"))).to_be_visible()
    # Another time without a selection it is the whole once more.
    page.evaluate("getSelection().removeAllRanges()")
    draw(page).click()
    expect(prompt(page)).to_have_value(re.compile("^About"), timeout=PATIENCE_MS)
    page.context.close()
