"""The check-up and the X-ray as a person meets them: one button, held streams, a tour."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.browser.journeys import PATIENCE_MS, Journey, wait_until
from tests.running_app import RunningApp, running_app, wait_until_there
from tests.unit.checkup.servers import API_KEY, CHAT_KEY, Provider

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApp]:
    """A studio whose chat is practice, and whose Kling refuses its key."""
    folder = tmp_path_factory.mktemp("diagnostics") / "data"
    with Provider() as provider:
        provider.accepts = set()
        origin = {"KLING_API_ORIGIN": provider.origin, "KLING_API_KEY": API_KEY}
        with running_app(folder, origin) as running:
            wait_until_there(f"{running.url}/readyz", running)
            yield running


@pytest.fixture(scope="module")
def page(browser: Browser, app: RunningApp) -> Iterator[Page]:
    context = browser.new_context(locale="en-US", viewport={"width": 1366, "height": 900})
    page = context.new_page()
    page.goto(app.url)
    yield page
    context.close()


def at_once(route: Route) -> None:
    """Answer as a proxy does that collects a reply before it passes it on."""
    route.fulfill(status=200, content_type="text/event-stream", body="data: 0\n\n" * 6)


def test_what_is_wrong_is_found_by_one_button(page: Page) -> None:
    with Journey(page, "find out what is wrong") as journey:
        journey.click(page.get_by_role("link", name="Status", exact=True))
        journey.click(page.get_by_role("button", name="Run the check-up"))
        journey.see(page.get_by_text("Copy it again from Kling's console").first)
    assert (journey.clicks, journey.keys) == (2, 0)
    page.locator("summary").filter(has_text="in order").click()
    expect(page.get_by_text("Events arrive one by one").first).to_be_visible(timeout=PATIENCE_MS)
    assert API_KEY not in page.content()
    assert CHAT_KEY not in page.content()


def test_a_proxy_that_holds_streams_back_is_seen_by_the_browser(page: Page) -> None:
    page.route("**/checkup/beat", at_once)
    page.get_by_role("button", name="Run the check-up").click()
    held = page.get_by_text("Something in front of the studio holds answers back")
    expect(held.first).to_be_visible(timeout=PATIENCE_MS)
    page.unroute("**/checkup/beat")


def test_a_browser_that_was_busy_for_a_moment_takes_nothing_for_a_proxy(page: Page) -> None:
    page.reload()
    page.route("**/checkup/beat", at_once, times=1)
    page.get_by_role("button", name="Run the check-up").click()
    page.locator("summary").filter(has_text="in order").click()
    expect(page.get_by_text("Events arrive one by one").first).to_be_visible(timeout=PATIENCE_MS)
    expect(page.get_by_text("Something in front of the studio")).to_have_count(0)


def test_the_first_tour_shows_what_it_speaks_of(page: Page) -> None:
    page.get_by_role("link", name="Chat", exact=True).click()
    box = page.get_by_test_id("stChatInputTextArea")
    box.fill("/practice comments 3")
    box.press("Enter")
    expect(page.get_by_role("button", name="Regenerate")).to_be_visible(timeout=PATIENCE_MS)
    with Journey(page, "see what an answer sent and received") as journey:
        journey.click(page.get_by_role("button", name="More", exact=True).last)
        journey.click(page.get_by_role("menuitem", name="X-ray"))
        journey.click(page.get_by_role("tab", name="Events"))
        journey.see(page.get_by_text("Keep-alives", exact=True))
    assert journey.clicks == 3
    count = page.get_by_test_id("stMetricValue").last
    expect(count).to_have_text("3")


def test_a_row_chosen_in_a_list_that_is_read_along_is_taken_apart(
    page: Page, app: RunningApp
) -> None:
    page.goto(f"{app.url}/xray")
    page.get_by_text("Read along", exact=True).click()
    table = page.get_by_test_id("stDataFrame").first
    expect(table).to_be_visible(timeout=PATIENCE_MS)
    heading = page.get_by_role("heading", level=2).first
    before = heading.inner_text()
    cells = table.locator('table[role=grid] [data-testid^="glide-cell-2-"]')

    def others() -> list[int]:
        kinds = cells.all_text_contents()
        return [number for number, kind in enumerate(kinds) if kind != before]

    wait_until(page, lambda: bool(others()), "a list with another kind")
    row = others()[0]
    kind = cells.nth(row).text_content() or ""
    assert row < 8  # in sight
    box = table.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + 12, box["y"] + 35 * (row + 1) + 17)
    expect(heading).to_have_text(kind, timeout=PATIENCE_MS)
