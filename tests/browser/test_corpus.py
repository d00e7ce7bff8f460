"""Answers as models write them: what is seen in a real browser is what was meant."""

import difflib
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.corpus import DATA, Document, documents
from tests.browser.journeys import PATIENCE_MS
from tests.modules import ROOT
from tests.running_app import running_app

DOCUMENTS = documents()

# What differs while an answer grows, and why. The redraw of the whole mends it.
OTHERWISE_WHILE_GROWING = {
    "脚注": "a footnote's number and its note need the whole text",
    "footnotes": "a footnote's number and its note need the whole text",
    "reference link": "a link whose address comes in a later block is known only in the whole",
}

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("corpus")
    script = ROOT / "tests" / "browser" / "corpus_page.py"
    with running_app(folder / "data", script=script) as app:
        yield app.url


def drawn(page: Page, address: str) -> None:
    page.goto(address)
    page.get_by_text("all drawn").wait_for(timeout=PATIENCE_MS)
    # Formulas, code and diagrams load their libraries when they are met.
    page.wait_for_function(
        """() => [...document.querySelectorAll('[data-testid="stMermaidChart"]')].every(
            (chart) => chart.querySelector('img, [data-testid="stMermaidError"]'))
            && !document.querySelector('[data-testid="stSkeleton"]')""",
        timeout=PATIENCE_MS,
    )


def seen(page: Page, kind: str) -> list[list[str]]:
    script = (DATA / "seen.js").read_text(encoding="utf-8")
    return page.evaluate(  # type: ignore[no-any-return]
        script, [f".st-key-{kind}-{number}-end" for number in range(len(DOCUMENTS))]
    )


def differences(document: Document, lines: list[str]) -> str:
    meant = [line.rstrip() for line in document.meant]
    got = [line.rstrip() for line in lines]
    return "\n".join(difflib.unified_diff(meant, got, document.name, "seen", lineterm="", n=0))


def wrong(page: Page, kind: str, excepted: dict[str, str]) -> dict[str, str]:
    found = {}
    for document, lines in zip(DOCUMENTS, seen(page, kind), strict=True):
        if (text := differences(document, lines)) and document.name not in excepted:
            found[document.name] = text
    return found


def test_there_are_at_least_200_answers_of_different_names() -> None:
    assert len({document.name for document in DOCUMENTS}) == len(DOCUMENTS) >= 200


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 390)])
def test_what_is_seen_is_what_was_meant(
    browser: Browser, address: str, scheme: str, width: int
) -> None:
    size = {"width": width, "height": 900}
    with browser.new_context(color_scheme=scheme, viewport=size) as context:  # type: ignore[arg-type]
        page = context.new_page()
        drawn(page, address)
        whole = wrong(page, "whole", {})
        growing = wrong(page, "growing", OTHERWISE_WHILE_GROWING)
        overflow = page.evaluate(
            "() => document.scrollingElement.scrollWidth - document.documentElement.clientWidth"
        )

    assert not whole, "\n".join(whole.values())
    assert not growing, "\n".join(growing.values())
    assert overflow <= 0
