"""The keyboard alone: first chat, stop, copy, a picture, open it, delete it, undo. No mouse."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.journeys import PATIENCE_MS, Journey, await_scripts
from tests.running_app import RunningApp, running_app, wait_until_there

pytestmark = pytest.mark.browser

MOST_TABS = 60
# What has the focus is outlined, or stands in a frame that is; a box to write in has a caret.
IS_SEEN = """() => {
    if (document.activeElement.matches("textarea, input:not([type=checkbox], [type=radio])"))
        return true
    for (let one = document.activeElement; one; one = one.parentElement) {
        const style = getComputedStyle(one)
        if (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0) return true
        if (style.boxShadow !== "none") return true
        if (one.querySelectorAll("a, button, input, textarea").length > 2) return false
    }
    return false
}"""


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApp]:
    with running_app(tmp_path_factory.mktemp("keyboard") / "data") as running:
        wait_until_there(f"{running.url}/readyz", running)
        yield running


@pytest.fixture
def page(browser: Browser, app: RunningApp) -> Iterator[Page]:
    context = browser.new_context(locale="en-US", viewport={"width": 1366, "height": 850})
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = context.new_page()
    page.goto(app.url)
    await_scripts(page, "composer", "copying", "shortcuts")
    yield page
    context.close()


def tab_to(one: Journey, target: Locator, keys: str = "Tab") -> None:
    """Press Tab until it has the focus; what is passed on the way is seen to have it."""
    one.see(target.first)
    for _ in range(MOST_TABS):
        if target.evaluate_all("all => all.some(each => each.contains(document.activeElement))"):
            return
        one.press(keys)
        assert one.page.evaluate(IS_SEEN), one.page.evaluate("document.activeElement.outerHTML")
    raise AssertionError(f"not reached by {MOST_TABS} times {keys}: {target}")


def test_a_chat_and_a_picture_without_a_mouse(page: Page) -> None:
    box = page.get_by_test_id("stChatInputTextArea")
    expect(box).to_be_focused(timeout=PATIENCE_MS)
    copies = page.get_by_role("button", name=re.compile("^Copy this answer"))
    with Journey(page, "first chat by keyboard") as one:
        one.write("What can you do?")
        one.press("Enter")
        one.see(copies)
        assert (one.clicks, one.keys) == (0, 1)
    with Journey(page, "stop by keyboard") as one:
        expect(box).to_be_focused(timeout=PATIENCE_MS)
        # So slowly that it is not over before it is stopped.
        one.write("/practice slow 200 写 2000 字，关于砚台与墨的历史")
        one.press("Enter")
        one.see(page.get_by_role("button", name="Stop"))
        one.press("Escape")
        one.see(page.get_by_text("Stopped").first)
    with Journey(page, "copy by keyboard") as one:
        one.press("Alt+KeyC")
        one.see(page.locator("button.done"))
    assert page.evaluate("navigator.clipboard.readText()")

    with Journey(page, "go to another page by keyboard") as one:
        one.press("Control+KeyK")
        palette = page.get_by_role("dialog").get_by_role("searchbox")
        expect(palette).to_be_focused(timeout=PATIENCE_MS)
        one.write("Images")
        one.see(page.get_by_role("dialog").get_by_text("Images"))
        one.press("Enter")
        expect(page).to_have_url(re.compile("/images"), timeout=PATIENCE_MS)
    with Journey(page, "a picture by keyboard") as one:
        expect(page.locator(".st-key-image-prompt textarea")).to_be_focused(timeout=PATIENCE_MS)
        one.write("a heron in the reeds")
        one.press("Control+Enter")
        opens = page.get_by_role("button", name="Open large: Picture 1: a heron in the reeds")
        one.see(opens)
        assert (one.clicks, one.keys) == (0, 1)
    with Journey(page, "open a picture by keyboard, and close it") as one:
        tab_to(one, opens)
        one.press("Enter")
        one.see(page.locator(".st-key-large-picture img"))
        one.press("Escape")
        expect(page.get_by_role("dialog")).to_have_count(0, timeout=PATIENCE_MS)
    with Journey(page, "delete a picture by keyboard, and undo") as one:
        expect(opens).to_be_focused(timeout=PATIENCE_MS)  # where closing the large view left it
        one.press("Delete")
        expect(opens).to_have_count(0, timeout=PATIENCE_MS)
        expect(page.get_by_role("button", name="Undo")).to_be_focused(timeout=PATIENCE_MS)
        one.press("Enter")
        one.see(opens)
        assert (one.clicks, one.keys) == (0, 2)
    tab_to(one, opens)
    page.keyboard.press("Enter")
    one.see(page.locator(".st-key-large-picture img"))
    page.keyboard.press("Delete")
    expect(opens).to_have_count(0, timeout=PATIENCE_MS)
    expect(page.get_by_role("button", name="Undo")).to_be_focused(timeout=PATIENCE_MS)
    page.keyboard.press("Enter")
    one.see(opens)


# A key that comes while the address of a closed view is taken back, as soon as it can.
PRESS_AS_IT_GOES_BACK = """(opens) => {
  const back = history.back.bind(history);
  history.back = () => {
    opens.dispatchEvent(new KeyboardEvent("keydown", { key: "Delete", bubbles: true }));
    back();
  };
}"""


def test_a_key_pressed_while_a_closed_views_address_goes_back_is_not_lost(page: Page) -> None:
    page.get_by_role("link", name="Images", exact=True).click()
    page.locator(".st-key-image-prompt textarea").fill("a heron in the reeds")
    page.keyboard.press("Control+Enter")
    opens = page.get_by_role("button", name="Open large: Picture 1: a heron in the reeds")
    opens.click(timeout=PATIENCE_MS)
    page.locator(".st-key-large-picture img").wait_for(timeout=PATIENCE_MS)
    opens.evaluate(PRESS_AS_IT_GOES_BACK)
    page.keyboard.press("Escape")
    expect(opens).to_have_count(0, timeout=PATIENCE_MS)
    expect(page.get_by_role("button", name="Undo")).to_be_focused(timeout=PATIENCE_MS)
