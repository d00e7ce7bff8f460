"""A real Chromium, one for each file: asyncio.run() works in no test while its driver runs."""

from collections.abc import Generator, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Error, Page, Playwright, sync_playwright

from tests.browser.chromium import launched
from tests.running_app import RunningApp


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    """The driver of browsers."""
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="module")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """Debian's Chromium, headless."""
    with launched(playwright) as chromium:
        yield chromium


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Where a test failed, tell what its pages show and what its studios logged."""
    report = yield
    if report.failed and isinstance(item, pytest.Function):
        for name, value in item.funcargs.items():
            value = getattr(value, "app", value)
            if isinstance(value, RunningApp) and value.log.exists():
                report.sections.append((f"log of {name}", value.log.read_text()[-4000:]))
        for page in dict.fromkeys(_pages(item)):
            report.sections.append((f"page {page.url}", _told_by(page)))
    return report


def _pages(item: pytest.Function) -> Iterator[Page]:
    for value in item.funcargs.values():
        if isinstance(value, Page):
            yield value
        elif isinstance(value, BrowserContext):
            yield from value.pages
        elif isinstance(value, Browser):
            for context in value.contexts:
                yield from context.pages


def _told_by(page: Page) -> str:
    failed = """performance.getEntriesByType("resource")
        .filter(each => each.responseStatus >= 400 || each.responseStatus === 0)
        .map(each => `${each.responseStatus} ${each.name}`).join("\\n")"""
    try:
        return f"{page.inner_text('body', timeout=2_000)[:3000]}\n{page.evaluate(failed)}"
    except Error as error:
        return str(error)
