"""A journey: what a person does for one task, its clicks and keys counted, its seconds measured.

With JOURNEYS set to a file's path, each journey that arrives is written there as a line of JSON:
task, clicks, keys, seconds. Nothing asserts seconds.
"""

import json
import os
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from playwright.sync_api import Locator, Page, expect

from tests.waiting import PATIENCE_S, until

PATIENCE_MS = 1_000 * PATIENCE_S


def await_scripts(page: Page, *names: str) -> None:
    """Wait for scripts of ours: what they act upon is there before them."""
    there = "names => names.every((name) => window[Symbol.for(`inkling.${name}`)])"
    page.wait_for_function(there, arg=list(names), timeout=PATIENCE_MS)


def wait_until(page: Page, fact: Callable[[], object], what: str) -> None:
    """Wait for what a page's events tell: they are handed over while the page waits."""
    until(fact, what, rest=lambda pause_s: page.wait_for_timeout(1_000 * pause_s))


class Journey:
    """One task on a page; every act of a person goes through it, so that it is counted."""

    def __init__(self, page: Page, task: str) -> None:
        self.page = page
        self.task = task
        self.clicks = 0
        self.keys = 0
        self._began = 0.0

    def __enter__(self) -> Self:
        self._began = time.monotonic()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        place = os.environ.get("JOURNEYS")
        if kind is not None or not place:
            return
        seconds = round(time.monotonic() - self._began, 2)
        line = {"task": self.task, "clicks": self.clicks, "keys": self.keys, "seconds": seconds}
        with open(place, "a", encoding="utf-8") as file:
            file.write(json.dumps(line, ensure_ascii=False) + "\n")

    def click(self, target: Locator) -> None:
        """Click (or tap) once."""
        target.click(timeout=PATIENCE_MS)
        self.clicks += 1

    def press(self, keys: str) -> None:
        """Press one key, or a combination of keys, wherever the focus is."""
        self.page.keyboard.press(keys)
        self.keys += 1

    def write(self, words: str) -> None:
        """Type words where the focus is; typing is not counted, since it is the task's own."""
        self.page.keyboard.insert_text(words)

    def see(self, target: Locator) -> None:
        """Wait until the page shows it."""
        expect(target).to_be_visible(timeout=PATIENCE_MS)
