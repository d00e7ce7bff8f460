"""Debian's Chromium, headless, whose pages wait for as long as the tests do."""

import os
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Playwright, expect

from tests.browser.journeys import PATIENCE_MS
from tests.second_address import SecondAddress

CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

# Playwright's own five seconds are not enough where three browsers share two cores.
expect.set_options(timeout=PATIENCE_MS)


@contextmanager
def launched(playwright: Playwright, *flags: str, program: Path | None = None) -> Iterator[Browser]:
    """Launch Chromium, or a program that does, and close it; skip where it is not installed."""
    if not Path(CHROMIUM).exists():
        pytest.skip("Chromium is not installed (apt-get install chromium)")
    # Where the clock is moved (tests.moments) its threads would never rest: it has the real one.
    environment: dict[str, str | float | bool] = {**os.environ}
    environment.pop("LD_PRELOAD", None)
    browser = playwright.chromium.launch(
        executable_path=program or CHROMIUM,
        args=[*FLAGS, *flags],
        env=environment,
        timeout=PATIENCE_MS,
    )
    # Nor are its thirty seconds, for a press or for a page that opens.
    browser.on("context", lambda context: context.set_default_timeout(PATIENCE_MS))
    try:
        yield browser
    finally:
        browser.close()


def chromium_elsewhere(line: SecondAddress, folder: Path) -> Path:
    """Return a program that runs Chromium at the other end of a line."""
    program = folder / "chromium-elsewhere"
    program.write_text(f'#!/bin/sh\nexec {shlex.join(line.inside(CHROMIUM))} "$@"\n')
    program.chmod(0o755)
    return program
