"""Images and Gallery as a person uses them: clicks and keys counted, one studio and one browser."""

import re
from collections.abc import Iterator
from types import SimpleNamespace
from typing import cast

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from core.archive.archive import Archive
from core.storage.store import Store
from core.work.studio import Studio
from tests.app.test_gallery import made
from tests.browser.journeys import PATIENCE_MS, Journey, await_scripts
from tests.running_app import RunningApp, running_app, wait_until_there

pytestmark = pytest.mark.browser

BATCHES = 13  # of four pictures: three pages


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApp]:
    folder = tmp_path_factory.mktemp("pictures") / "data"
    folder.mkdir()
    store = Store.open(folder / "inkling.sqlite3")
    kept = SimpleNamespace(store=store, archive=Archive.open(folder / "pictures"))
    for number in range(BATCHES):
        made(cast("Studio", kept), f"crane {number}", n=4, shade=number * 9)
    store.close()
    with running_app(folder) as running:
        wait_until_there(f"{running.url}/readyz", running)
        yield running


@pytest.fixture(scope="module")
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(locale="en-US", viewport={"width": 1366, "height": 850})
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    yield context.new_page()
    context.close()


def shown(page: Page, part: str) -> Locator:
    """Return the part of that key that can be seen; a hint doubles a button, hidden."""
    return page.locator(f'[class*="st-key-{part}"] button:visible:not([kind="elementToolbar"])')


def open_at(page: Page, app: RunningApp, path: str) -> None:
    page.goto(f"{app.url}/{path}")
    expect(shown(page, "picture-").first).to_be_visible(timeout=PATIENCE_MS)
    await_scripts(page, "pictures")
    at_rest(page)


def at_rest(page: Page) -> None:
    expect(page.locator('[data-testid="stApp"]')).to_have_attribute(
        "data-test-script-state", "notRunning", timeout=PATIENCE_MS
    )


def prompt(page: Page) -> Locator:
    return page.locator(".st-key-image-prompt textarea")


def picture_in(page: Page) -> str:
    return page.url.partition("?p=")[2]


def test_prompt_and_generate_stand_above_the_fold_and_a_draft_survives_a_reload(
    page: Page, app: RunningApp
) -> None:
    open_at(page, app, "images")
    for width, height in ((1366, 850), (390, 844)):
        page.set_viewport_size({"width": width, "height": height})
        expect(shown(page, "generate").first).to_be_in_viewport(ratio=1)
        expect(prompt(page)).to_be_in_viewport(ratio=1)
    page.set_viewport_size({"width": 1366, "height": 850})
    with Journey(page, "one picture") as journey:
        journey.click(prompt(page))
        journey.write("a heron in the reeds")
        journey.press("Control+Enter")
        new = page.locator('[class*="st-key-picture-"]', has=page.locator("img")).first
        expect(page.get_by_text("a heron in the reeds").last).to_be_in_viewport(timeout=PATIENCE_MS)
        named = page.get_by_role("button", name="Open large: Picture 1: a heron in the reeds")
        expect(named).to_be_visible(timeout=PATIENCE_MS)
        journey.see(new)
    assert (journey.clicks, journey.keys) == (1, 1)
    prompt(page).fill("not sent yet")
    page.reload()
    expect(prompt(page)).to_have_value("not sent yet", timeout=PATIENCE_MS)


def test_a_picture_opens_where_it_is_seen_and_back_closes_it(page: Page, app: RunningApp) -> None:
    open_at(page, app, "gallery")
    view = page.get_by_role("dialog")
    picture = page.locator(".st-key-large-picture img")
    with Journey(page, "open a picture, the next, and back") as journey:
        journey.click(shown(page, "picture-").nth(1))
        journey.see(picture)
        first = picture_in(page)
        journey.press("ArrowRight")
        page.wait_for_url(re.compile(rf"\?p=(?!{first})"))
        expect(page.get_by_text("3 of ")).to_be_visible(timeout=PATIENCE_MS)
        page.go_back()
        expect(view).to_have_count(0, timeout=PATIENCE_MS)
    assert (journey.clicks, journey.keys) == (1, 1)
    assert page.url == f"{app.url}/gallery"

    page.go_forward()
    expect(view).to_be_visible(timeout=PATIENCE_MS)
    page.reload()
    journey.see(picture)
    await_scripts(page, "pictures")
    with Journey(page, "from the large view, see the original at its own size") as journey:
        journey.click(picture)
        journey.click(page.get_by_role("button", name="Original size"))
        page.wait_for_function(
            """() => {
                const { width, height } =
                    document.querySelector(".inkling-zoom img").getBoundingClientRect();
                return width === 640 && height === 480;
            }"""
        )
    assert journey.clicks == 2
    page.keyboard.press("Escape")
    expect(page.locator(".inkling-zoom")).to_have_count(0)
    prompt_box = view.locator(".inkling-box")
    prompt_box.get_by_role("button", name="Copy the prompt").click()
    expect(prompt_box.get_by_role("status")).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == prompt_box.locator("p").inner_text()
    loaded = page.evaluate("performance.getEntriesByType('resource').map(one => one.name)")
    assert not [name for name in loaded if "SyntaxHighlighter" in name]  # half a megabyte
    expect(picture).to_be_visible()
    page.keyboard.press("Escape")
    expect(picture).to_have_count(0, timeout=PATIENCE_MS)


def test_results_are_starred_deleted_brought_back_used_again_and_quoted(
    page: Page, app: RunningApp
) -> None:
    open_at(page, app, "images")
    with Journey(page, "favourite a result") as journey:
        journey.click(page.get_by_role("button", name=re.compile("^☆ Add to favourites")).first)
        journey.see(page.get_by_role("button", name=re.compile("^★ Remove from fav")).first)
    assert journey.clicks == 1

    count = shown(page, "picture-").count()
    with Journey(page, "delete a result, and undo") as journey:
        journey.click(shown(page, "icon-menu-").first)
        journey.click(page.get_by_role("menuitem", name="Delete"))
        journey.click(page.get_by_role("button", name="Undo"))
        expect(page.get_by_role("button", name="Undo")).to_have_count(0, timeout=PATIENCE_MS)
    assert journey.clicks == 3
    at_rest(page)
    expect(shown(page, "picture-")).to_have_count(count)

    with Journey(page, "use a prompt again") as journey:
        journey.click(shown(page, "icon-menu-").last)
        journey.click(page.get_by_role("menuitem", name="Use again"))
        expect(prompt(page)).to_have_value(re.compile("crane"), timeout=PATIENCE_MS)
    assert journey.clicks == 2
    at_rest(page)
    with Journey(page, "talk about a prompt") as journey:
        journey.click(shown(page, "icon-menu-").last)
        journey.click(page.get_by_role("menuitem", name="Quote in chat"))
        box = page.get_by_test_id("stChatInputTextArea")
        expect(box).to_have_value(re.compile("^> crane"), timeout=PATIENCE_MS)
    assert journey.clicks == 2


def test_a_result_is_expanded_by_dragging_and_made_a_reference(page: Page, app: RunningApp) -> None:
    open_at(page, app, "images")
    with Journey(page, "expand a result by its frame") as journey:
        journey.click(shown(page, "icon-menu-").last)
        journey.click(page.get_by_role("menuitem", name="Expand"))
        journey.click(page.get_by_role("radio", name="By sides"))
        handle = page.locator('[data-handle="right"]')
        handle.scroll_into_view_if_needed(timeout=PATIENCE_MS)
        at_rest(page)
        box = handle.bounding_box()
        assert box is not None
        page.mouse.move(box["x"] + 22, box["y"] + 22)
        page.mouse.down()
        page.mouse.move(box["x"] + 52, box["y"] + 22, steps=4)
        page.mouse.up()
        right = page.locator(".st-key-expand-right input")
        expect(right).not_to_have_value("0.25", timeout=PATIENCE_MS)
        at_rest(page)
        assert 0.3 < float(right.input_value()) <= 0.75
        journey.click(shown(page, "generate").first)
        made_here = page.get_by_role("button", name="Open large: Picture 1: Expand")
        expect(made_here.first).to_be_visible(timeout=PATIENCE_MS)
    assert journey.clicks == 4  # and one drag

    with Journey(page, "draw from two results") as journey:
        for count in (1, 2):
            journey.click(shown(page, "icon-menu-").nth(count))
            journey.click(page.get_by_role("menuitem", name="Use as a reference"))
            expect(page.get_by_role("button", name=f"@image{count}", exact=True)).to_be_visible(
                timeout=PATIENCE_MS
            )
            at_rest(page)
        journey.click(page.get_by_role("button", name="@image2", exact=True))
        expect(prompt(page)).to_have_value(re.compile("@image2"), timeout=PATIENCE_MS)
        journey.click(shown(page, "generate").first)
        expect(page.get_by_role("button", name=re.compile("Open large.*@image2"))).to_be_visible(
            timeout=PATIENCE_MS
        )
    assert journey.clicks == 6


def test_a_range_is_picked_and_any_page_is_one_jump_away(page: Page, app: RunningApp) -> None:
    open_at(page, app, "gallery")
    with Journey(page, "pick six pictures in a row") as journey:
        journey.click(page.get_by_text("Select", exact=True))
        expect(page.get_by_text("0 selected")).to_be_visible(timeout=PATIENCE_MS)
        at_rest(page)
        journey.click(shown(page, "picture-").nth(1))
        expect(page.get_by_text("1 selected")).to_be_visible(timeout=PATIENCE_MS)
        page.keyboard.down("Shift")
        journey.click(shown(page, "picture-").nth(6))
        page.keyboard.up("Shift")
        expect(page.get_by_text("6 selected")).to_be_visible(timeout=PATIENCE_MS)
    assert journey.clicks == 3

    with Journey(page, "jump to the last page") as journey:
        jump = page.get_by_role("spinbutton", name="Go to page")
        jump.fill("3")
        journey.press("Enter")
        expect(page.get_by_text("3 / 3")).to_be_in_viewport(timeout=PATIENCE_MS)
    assert journey.keys == 1

    with Journey(page, "see the oldest first") as journey:
        journey.click(page.get_by_role("button", name=re.compile("Newest first")))
        journey.click(page.get_by_text("Oldest first"))
        expect(shown(page, "picture-").first).to_have_text(
            re.compile("crane 0"), timeout=PATIENCE_MS
        )
    assert journey.clicks == 2
