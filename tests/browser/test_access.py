"""Who may spend from the pages: signed in, refused, from another machine, let in by the owner."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Playwright, expect

from core.practice.server import PracticeServer
from core.practice.settings import PracticeSettings
from tests.browser.chromium import chromium_elsewhere, launched
from tests.browser.journeys import PATIENCE_MS
from tests.running_app import RunningApp, free_port, running_app, wait_until_there
from tests.second_address import SecondAddress, second_address

CHAT_KEY = "sk-live-0123456789"
KLING_KEY = "kling-live-0123456789"
QUICK = PracticeSettings(
    chat_key=CHAT_KEY,
    kling_api_key=KLING_KEY,
    first_delta_s=0.02,
    delta_interval_s=0.001,
    submitted_s=0.1,
    processing_s=0.2,
    picture_pixels=256,
)
PEOPLE = ("ann@example.com", "bob@example.org", "mallory@example.net")

pytestmark = pytest.mark.browser


@pytest.fixture
def provider() -> Iterator[PracticeServer]:
    """What stands for DeepSeek and Kling here: who reaches it would have spent money."""
    with PracticeServer(settings=QUICK) as server:
        yield server


def live(provider: PracticeServer) -> dict[str, str]:
    return {
        "DEEPSEEK_API_KEY": CHAT_KEY,
        "DEEPSEEK_API_URL": provider.chat_url,
        "KLING_API_KEY": KLING_KEY,
        "KLING_API_ORIGIN": provider.origin,
    }


def ask(page: Page, question: str) -> None:
    answers = page.get_by_role("button", name="Regenerate").count()
    box = page.get_by_test_id("stChatInputTextArea")
    box.fill(question)
    box.press("Enter")
    expect(page.get_by_role("button", name="Regenerate")).to_have_count(
        answers + 1, timeout=PATIENCE_MS
    )


def open_chat(page: Page, app: RunningApp, host: str = "localhost") -> None:
    page.goto(f"http://{host}:{app.url.rpartition(':')[2]}")
    expect(page.get_by_test_id("stChatInputTextArea")).to_be_visible(timeout=PATIENCE_MS)


# -- signing in ------------------------------------------------------------------------------------


@contextmanager
def with_sign_in(tmp_path: Path, provider: PracticeServer, users: str) -> Iterator[RunningApp]:
    port, identity_port = free_port(), free_port()
    issuer = f"http://localhost:{identity_port}"
    claims = [
        argument
        for address in PEOPLE
        for argument in (
            "--user-claims",
            json.dumps({"sub": address, "email": address, "email_verified": True}),
        )
    ]
    # In a process of its own: it uses deprecated parts of its libraries.
    identity = subprocess.Popen(
        [
            *(sys.executable, "-W", "ignore", "-m", "oidc_provider_mock"),
            *("--port", str(identity_port), *claims),
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_until_there(f"{issuer}/.well-known/openid-configuration")
        secrets = tmp_path / "secrets.toml"
        secrets.write_text(
            f"""
[access]
users = {users}

[auth]
redirect_uri = "http://localhost:{port}/oauth2callback"
cookie_secret = "a-cookie-secret-of-this-test-0123456789"
client_id = "studio"
client_secret = "a-client-secret-of-this-test"
server_metadata_url = "{issuer}/.well-known/openid-configuration"
"""
        )
        with running_app(tmp_path / "data", live(provider), port=port, secrets=secrets) as app:
            yield app
    finally:
        identity.terminate()
        identity.wait(60)


def sign_in(page: Page, address: str) -> None:
    page.get_by_role("button", name="Sign in").click()
    page.locator("input[name=sub]").fill(address)
    page.get_by_role("button", name="Authorize").click()
    expect(page.get_by_role("button", name="Sign out")).to_be_visible(timeout=PATIENCE_MS)


def test_people_on_the_list_spend_and_see_only_their_own(
    tmp_path: Path, browser: Browser, provider: PracticeServer
) -> None:
    with with_sign_in(tmp_path, provider, '["ann@example.com", "example.org"]') as app:
        ann = browser.new_context(locale="en-US")
        page = ann.new_page()
        open_chat(page, app)
        sign_in(page, "ann@example.com")
        ask(page, "a question of ann")
        assert provider.counters.chat_requests >= 1

        bob = browser.new_context(locale="en-US")
        other = bob.new_page()
        open_chat(other, app)
        sign_in(other, "bob@example.org")
        expect(other.get_by_text("No conversations yet.")).to_be_visible(timeout=PATIENCE_MS)
        expect(other.get_by_text("a question of ann")).to_have_count(0)
        other.goto(page.url)  # knowing the address of a conversation is not enough
        expect(other.get_by_test_id("stChatInputTextArea")).to_be_visible(timeout=PATIENCE_MS)
        expect(other.get_by_text("a question of ann")).to_have_count(0)

        page.get_by_role("button", name="Sign out").click()
        page.get_by_role("button", name="End session").click()  # the identity provider's own page
        expect(page.get_by_role("button", name="Sign in")).to_be_visible(timeout=PATIENCE_MS)
        expect(page.get_by_text("a question of ann")).to_have_count(0)
        ann.close()
        bob.close()


def test_who_is_not_on_the_list_is_told_and_spends_nothing(
    tmp_path: Path, browser: Browser, provider: PracticeServer
) -> None:
    with with_sign_in(tmp_path, provider, '["ann@example.com"]') as app:
        context = browser.new_context(locale="en-US")
        page = context.new_page()
        open_chat(page, app)
        sign_in(page, "mallory@example.net")
        expect(page.get_by_text("is not on the owner's list")).to_be_visible(timeout=PATIENCE_MS)
        ask(page, "hello")
        assert provider.counters.chat_requests == 0
        context.clear_cookies()  # an expired session: nobody is signed in any more
        page.reload()
        expect(page.get_by_role("button", name="Sign in")).to_be_visible(timeout=PATIENCE_MS)
        context.close()


# -- from another machine --------------------------------------------------------------------------


@pytest.fixture
def elsewhere() -> Iterator[SecondAddress]:
    with second_address() as line:
        yield line


@contextmanager
def visit(
    playwright: Playwright, line: SecondAddress, app: RunningApp, folder: Path
) -> Iterator[Page]:
    """Open the chat page in a Chromium that runs at the other end of the line."""
    with launched(playwright, program=chromium_elsewhere(line, folder)) as chromium:
        page = chromium.new_page(locale="en-US")
        open_chat(page, app, line.here)
        yield page


def test_a_visitor_from_elsewhere_works_in_practice_with_keys_configured(
    tmp_path: Path, playwright: Playwright, provider: PracticeServer, elsewhere: SecondAddress
) -> None:
    with (
        running_app(tmp_path / "data", live(provider), address="0.0.0.0") as app,
        visit(playwright, elsewhere, app, tmp_path) as page,
    ):
        expect(page.get_by_text("you come from another machine")).to_be_visible()
        ask(page, "hello")
        page.get_by_role("link", name="Images").click()
        page.get_by_label("Prompt", exact=True).fill("a mountain")
        page.get_by_role("button", name="Generate").click()
        expect(page.get_by_test_id("stDownloadButton")).to_have_count(1, timeout=PATIENCE_MS)
        page.get_by_role("link", name="Status").click()
        expect(page.get_by_text("Images · Kling")).to_be_visible(timeout=PATIENCE_MS)
        expect(page.get_by_text("it needs no key").nth(1)).to_be_visible(timeout=PATIENCE_MS)
        assert str(tmp_path) not in page.content()
        assert provider.counters.chat_requests == 0
        assert provider.counters.tasks_accepted == 0


def test_an_open_studio_lets_the_visitor_spend(
    tmp_path: Path, playwright: Playwright, provider: PracticeServer, elsewhere: SecondAddress
) -> None:
    secrets = tmp_path / "secrets.toml"
    secrets.write_text("[access]\nopen = true\n")
    with (
        running_app(tmp_path / "data", live(provider), address="0.0.0.0", secrets=secrets) as app,
        visit(playwright, elsewhere, app, tmp_path) as page,
    ):
        expect(page.get_by_text("you come from another machine")).to_have_count(0)
        ask(page, "hello")
        assert provider.counters.chat_requests >= 1
