"""Another device is let in: by a one-time link and its button, seen from a second address."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, expect

from core.practice.server import PracticeServer
from tests.browser.chromium import chromium_elsewhere, launched
from tests.browser.journeys import PATIENCE_MS
from tests.browser.test_access import QUICK, ask, live, open_chat
from tests.running_app import RunningApp, running_app
from tests.second_address import SecondAddress, second_address
from tests.waiting import until

STRANGER = "you come from another machine"

pytestmark = pytest.mark.browser


@pytest.fixture
def provider() -> Iterator[PracticeServer]:
    """What stands for DeepSeek and Kling here: who reaches it would have spent money."""
    with PracticeServer(settings=QUICK) as server:
        yield server


@pytest.fixture
def line() -> Iterator[SecondAddress]:
    with second_address() as made:
        yield made


@pytest.fixture
def app(tmp_path: Path, provider: PracticeServer) -> Iterator[RunningApp]:
    with running_app(tmp_path / "data", live(provider), address="0.0.0.0") as running:
        yield running


@contextmanager
def device(playwright: Playwright, line: SecondAddress, folder: Path) -> Iterator[BrowserContext]:
    """A browser at the other end of the line."""
    with launched(playwright, program=chromium_elsewhere(line, folder)) as chromium:
        yield chromium.new_context(locale="en-US")


def address(app: RunningApp, line: SecondAddress) -> str:
    return f"http://{line.here}:{app.url.rpartition(':')[2]}"


def make_link(page: Page) -> str:
    """Press the button on Status, and return the path of the link."""
    page.get_by_role("button", name="Make a link").click()
    link = page.get_by_text(re.compile(r"/enter\?code="))
    expect(link).to_be_visible(timeout=PATIENCE_MS)
    return "/enter" + (link.text_content() or "").partition("/enter")[2].strip()


def enter(page: Page) -> None:
    page.get_by_role("button", name="Let this device in").click()
    expect(page.get_by_test_id("stChatInputTextArea")).to_be_visible(timeout=PATIENCE_MS)


def test_a_link_and_its_button_lead_to_live_chat_until_it_is_revoked(
    app: RunningApp,
    tmp_path: Path,
    playwright: Playwright,
    browser: Browser,
    provider: PracticeServer,
    line: SecondAddress,
) -> None:
    owner = browser.new_context(locale="en-US").new_page()
    owner.goto(f"http://localhost:{app.url.rpartition(':')[2]}/status")
    path = make_link(owner)
    with device(playwright, line, tmp_path) as context:
        phone = context.new_page()
        open_chat(phone, app, line.here)
        expect(phone.get_by_text(STRANGER)).to_be_visible(timeout=PATIENCE_MS)
        ask(phone, "hello")
        phone.goto(f"{address(app, line)}{path}")  # looked at, as a preview does: nothing happens
        open_chat(phone, app, line.here)
        ask(phone, "hello again")
        assert provider.counters.chat_requests == 0

        phone.goto(f"{address(app, line)}{path}")
        enter(phone)
        expect(phone.get_by_role("button", name="Leave this device")).to_be_visible(
            timeout=PATIENCE_MS
        )
        expect(phone.get_by_text(STRANGER)).to_have_count(0)
        ask(phone, "what does it cost?")
        spent = provider.counters.chat_requests
        assert spent >= 1
        phone.get_by_role("link", name="Status").click()
        expect(phone.get_by_text("Storage")).to_be_visible(timeout=PATIENCE_MS)
        expect(phone.get_by_text("Let another device in")).to_have_count(0)

        thief = context.browser.new_context(locale="en-US").new_page()  # type: ignore[union-attr]
        thief.goto(f"{address(app, line)}{path}")
        thief.get_by_role("button", name="Let this device in").click()
        expect(thief.get_by_role("alert")).to_contain_text("used already")
        open_chat(thief, app, line.here)
        expect(thief.get_by_text(STRANGER)).to_be_visible(timeout=PATIENCE_MS)

        owner.reload()
        owner.get_by_role("button", name="Revoke").click()
        expect(owner.get_by_role("button", name="Revoke")).to_have_count(0, timeout=PATIENCE_MS)
        spent = provider.counters.chat_requests
        open_chat(phone, app, line.here)
        expect(phone.get_by_text(STRANGER)).to_be_visible(timeout=PATIENCE_MS)
        ask(phone, "and now?")
        assert provider.counters.chat_requests == spent


def test_the_link_of_the_console_makes_an_owner_of_a_device_that_can_leave(
    app: RunningApp,
    tmp_path: Path,
    playwright: Playwright,
    provider: PracticeServer,
    line: SecondAddress,
) -> None:
    printed = until(
        lambda: re.search(r"(/enter\?code=\S+)\s", app.log.read_text()), "the link is printed"
    )
    with device(playwright, line, tmp_path) as context:
        phone = context.new_page()
        phone.goto(f"{address(app, line)}{printed[1]}")
        enter(phone)
        phone.get_by_role("link", name="Status").click()
        expect(phone.get_by_text("(this device)")).to_be_visible(timeout=PATIENCE_MS)
        make_link(phone)
        # By the address that this device came by, which others reach as well.
        expect(phone.get_by_text(f"{address(app, line)}/enter?code=")).to_be_visible()
        expect(phone.get_by_test_id("stImage").last.locator("img")).to_be_visible()
        phone.get_by_role("button", name="Leave this device").click()
        expect(phone.get_by_role("button", name="Leave this device")).to_have_count(
            0, timeout=PATIENCE_MS
        )
        open_chat(phone, app, line.here)
        expect(phone.get_by_text(STRANGER)).to_be_visible(timeout=PATIENCE_MS)
        ask(phone, "hello")
        assert provider.counters.chat_requests == 0
