"""Accessibility by axe-core, on every page: both languages, both themes, empty and with content.

What is Streamlit's own is listed below by rule and part; everything else is ours and must be none.
"""

import json
import urllib.request
from collections.abc import Iterator, Sequence
from typing import Any, Literal

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Browser, Page

from core.access.owners import LOCAL_OWNER
from core.storage.store import Store
from tests.browser.journeys import PATIENCE_MS
from tests.running_app import RunningApp, running_app, wait_until_there

PAGES = ("", "images", "gallery", "history", "money", "xray", "status")

# Streamlit 1.67's own: the rule, a sign of the part, and why nothing here can mend it.
STREAMLITS: tuple[tuple[str, str, str], ...] = (
    ("presentation-role-conflict", "stFileUploaderDropzone", "its section has a role and a name"),
    ("label", 'type="checkbox" disabled', "the box of a task in an answer has no label"),
    ("region", 'role="menu"', "an open menu is drawn outside of the page's landmarks"),
    ("scrollable-region-focusable", "<pre", "wide code scrolls, and takes no focus"),
    ("scrollable-region-focusable", "katex-display", "so does a wide formula"),
)

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApp]:
    with running_app(tmp_path_factory.mktemp("axe") / "data") as running:
        wait_until_there(f"{running.url}/readyz", running)
        yield running


def settled(page: Page) -> None:
    page.wait_for_selector(
        '[data-testid="stMainBlockContainer"] :is(h1, h2, h3)', timeout=PATIENCE_MS
    )
    page.wait_for_function(
        "document.querySelector('[data-testid=stApp]').dataset.testScriptState === 'notRunning'",
        timeout=PATIENCE_MS,
    )


def violations(page: Page, *rules: str) -> list[str]:
    """Return what axe-core finds that is not Streamlit's own, as lines that tell where."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    options = {"resultTypes": ["violations"], **({"runOnly": list(rules)} if rules else {})}
    found: dict[str, Any] = page.evaluate("(options) => axe.run(options)", options)
    return [
        f"{rule['id']} at {node['target']}: {node['html'][:200]}"
        for rule in found["violations"]
        for node in rule["nodes"]
        if not is_streamlits(rule["id"], node["html"])
    ]


def is_streamlits(rule: str, html: str) -> bool:
    return any(rule == known and sign in html for known, sign, _ in STREAMLITS)


def found_everywhere(
    browser: Browser, app: RunningApp, locale: str, pages: Sequence[str] = PAGES
) -> list[str]:
    """Return what breaks a rule on any page in this language, in either theme."""
    context = browser.new_context(locale=locale, viewport={"width": 1366, "height": 850})
    page = context.new_page()
    found = []
    for name in pages:
        page.goto(f"{app.url}/{name}")
        settled(page)
        in_theme(page, "light")
        found += [f"/{name} light: {line}" for line in violations(page)]
        if name.startswith("?c="):  # with the menu of a row open
            page.locator("li.current .dots").click()
            found += [f"/{name} menu: {line}" for line in violations(page)]
            page.keyboard.press("Escape")
            page.locator('[class*="st-key-draw-"] button:visible').first.click()
            page.locator(".st-key-drawing-submit button").wait_for(timeout=PATIENCE_MS)
            settled(page)  # what is being drawn again is faded until then
            found += [f"/{name} drawing: {line}" for line in violations(page)]
        if name == "history":
            page.get_by_test_id("stPopoverButton").first.click()
            page.locator(".choose button").wait_for(timeout=PATIENCE_MS)
            found += [f"/{name} transfer: {line}" for line in violations(page)]
        in_theme(page, "dark")  # which changes colours and nothing else
        if name.startswith("?c="):
            page.locator(".st-key-chat-settings button").first.click()
            page.get_by_role("slider").first.wait_for(timeout=PATIENCE_MS)
            found += [f"/{name} settings: {line}" for line in violations(page, "color-contrast")]
            page.keyboard.press("Escape")
        found += [f"/{name} dark: {line}" for line in violations(page, "color-contrast")]
    context.close()
    return found


def in_theme(page: Page, scheme: Literal["light", "dark"]) -> None:
    page.emulate_media(color_scheme=scheme)
    page.wait_for_function(
        "(scheme) => getComputedStyle(document.querySelector('.stApp')).colorScheme === scheme",
        arg=scheme,
    )


def post(address: str, fields: dict[str, Any]) -> Any:
    body = json.dumps(fields).encode()
    request = urllib.request.Request(address, body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as reply:
        return json.load(reply)


def test_no_page_breaks_a_rule_of_axe(app: RunningApp, browser: Browser) -> None:
    found = found_everywhere(browser, app, "zh-CN")
    post(f"{app.url}/kling/v1/images/generations", {"prompt": "a crane", "n": 2})
    post(f"{app.url}/complete", {"question": "给我看看 Markdown"})
    store = Store.open(str(app.data_dir / "inkling.sqlite3"))
    conversation = store.conversations.list(LOCAL_OWNER).items[0]
    store.close()
    full = [f"?c={conversation.id}", *PAGES[1:]]
    found += found_everywhere(browser, app, "en-US", full)
    assert found == [], "\n".join(found)
