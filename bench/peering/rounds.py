"""What is measured of a program in one of its runs."""

import itertools
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Browser, Error, Page

from bench.peering import process_tree
from bench.peering.pages import ask, has_answers, open_chat, page_of, tabs_cpu_s
from bench.peering.programs import Program, Running, running
from bench.peering.questions import Question
from bench.peering.trouble import Trouble
from tests.upstream import Upstream

ANSWERS = 5
LATER_QUESTIONS = 2

Figures = defaultdict[str, list[float]]


@dataclass(frozen=True, slots=True)
class Place:
    """A program that can be run, and what has been measured of it."""

    program: Program
    python: Path
    folder: Path
    figures: Figures = field(default_factory=lambda: defaultdict(list))


@dataclass(frozen=True, slots=True)
class Bench:
    """What all runs share: the browser, the upstream, the numbers of questions."""

    browser: Browser
    upstream: Upstream
    numbers: Iterator[int] = field(default_factory=itertools.count)

    def warm(self, place: Place) -> None:
        """Run a program once without measuring: bytecode, a data folder, the system's cache."""
        with self._opened(place) as (_, page):
            self._ask(place, page)

    def measure_start(self, place: Place, conversations: int) -> None:
        """Measure a start, the first answer behind it, and those of further conversations."""
        figures, box = place.figures, place.program.box
        with self._running(place) as program, page_of(self.browser) as page:
            figures["answers"].append(program.answered_at - program.began_at)
            figures["ready"].append(open_chat(page, program.url, box) - program.began_at)
            process_tree.come_to_rest(program.process.pid)
            figures["first"].append(self._ask(place, page))
            for _ in range(conversations):
                process_tree.come_to_rest(program.process.pid)
                open_chat(page, program.url, box)
                process_tree.come_to_rest(program.process.pid)
                if has_answers(page):
                    raise Trouble("not measured: a new page goes on with an old conversation")
                figures["new"].append(self._ask(place, page))
                for _ in range(LATER_QUESTIONS):
                    process_tree.come_to_rest(program.process.pid)
                    figures["later"].append(self._ask(place, page))

    def measure_rest(self, place: Place, idle_s: float) -> None:
        """Measure the memory before and after answers, and what an idle page costs."""
        figures, box = place.figures, place.program.box
        with self._running(place) as program, page_of(self.browser) as page:
            pid = program.process.pid
            process_tree.come_to_rest(pid)
            idle = process_tree.memory(pid)
            open_chat(page, program.url, box)
            for _ in range(ANSWERS):
                process_tree.come_to_rest(pid)
                self._ask(place, page)
            process_tree.come_to_rest(pid)
            after = process_tree.memory(pid)
            figures["idle rss"].append(idle.rss)
            figures["idle pss"].append(idle.pss)
            figures["after rss"].append(after.rss)
            figures["after pss"].append(after.pss)
            server_s, tab_s = process_tree.cpu_s(pid), tabs_cpu_s(self.browser)
            began = time.monotonic()
            page.wait_for_timeout(idle_s * 1000)
            minutes = (time.monotonic() - began) / 60
            figures["server cpu"].append((process_tree.cpu_s(pid) - server_s) / minutes)
            figures["tab cpu"].append((tabs_cpu_s(self.browser) - tab_s) / minutes)

    def _ask(self, place: Place, page: Page) -> float:
        return ask(page, place.program.box, Question(next(self.numbers)))

    @contextmanager
    def _running(self, place: Place) -> Iterator[Running]:
        url = self.upstream.url
        with running(place.program, place.python, place.folder, url) as program:
            try:
                yield program
            except Error as error:
                said = error.message.splitlines()[0]
                raise Trouble(f"not opened: {said}") from error

    @contextmanager
    def _opened(self, place: Place) -> Iterator[tuple[Running, Page]]:
        with self._running(place) as program, page_of(self.browser) as page:
            open_chat(page, program.url, place.program.box)
            yield program, page
