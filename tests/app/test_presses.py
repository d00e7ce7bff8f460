"""What is pressed is done, however soon something else is, and whatever the page waits for."""

import asyncio
import random
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.app.page_session import PageSession
from tests.raw_server import RawServer
from tests.running_app import RunningApp, running_app
from tests.waiting import PATIENCE_S

SWITCHES = ("Thinking", "Web", "Tools")
TABS = 8


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApp]:
    """A studio in practice mode."""
    with running_app(tmp_path_factory.mktemp("presses") / "data") as running:
        yield running


async def _kept_of_three(url: str, pauses_s: list[float]) -> list[str]:
    """Turn three switches on behind an answer's end; return which of them another tab shows on."""
    async with PageSession(url) as tab:
        ended = tab.runs_ended
        await tab.question("What can you do?")
        await tab.until(lambda: "c=" in tab.query and tab.runs_ended > ended)
        for pause_s, label in zip(pauses_s, SWITCHES, strict=True):
            await asyncio.sleep(pause_s)
            await tab.switch(label)
        await tab.go("status")
    async with PageSession(url, tab.query) as another:
        return [label for label in SWITCHES if another.shown("checkbox", label).default]


@pytest.mark.parametrize("seed", [1, 2])
def test_switches_turned_on_right_behind_each_other_are_all_kept(
    app: RunningApp, seed: int
) -> None:
    chance = random.Random(seed)

    async def tabs() -> list[list[str]]:
        pauses = ([chance.uniform(0, 0.8), *(chance.uniform(0, 0.06),) * 2] for _ in range(TABS))
        return await asyncio.gather(*(_kept_of_three(app.url, each) for each in pauses))

    assert asyncio.run(tabs()) == [list(SWITCHES)] * TABS


def test_a_question_worded_anew_is_asked_once_however_often_that_is_pressed(
    app: RunningApp,
) -> None:
    async def pressed_thrice() -> str:
        async with PageSession(app.url) as tab:
            await tab.question("What can you do?")
            await tab.until(lambda: tab.shown("button", "Regenerate"))
            await tab.press("Edit")
            await tab.until(lambda: tab.shown("button", "Ask again"))
            for _ in range(3):
                await tab.press("Ask again")
            await tab.until(lambda: tab.shown("markdown", " / "))
            await tab.go("history")
        async with PageSession(app.url, tab.query) as another:
            return str(another.shown("markdown", " / ").body)

    assert asyncio.run(pressed_thrice()) == "2 / 2"


def test_what_is_pressed_with_the_first_question_belongs_to_its_conversation(
    app: RunningApp,
) -> None:
    """The browser has not heard of the conversation yet, and names none."""

    async def told() -> tuple[bool, bool]:
        async with PageSession(app.url) as tab:
            query = tab.query
            await tab.question("What can you do?")
            tab.query = query
            await tab.switch("Web")
            await tab.until(lambda: tab.shown("button", "Regenerate"))
        async with PageSession(app.url, tab.query) as another:
            switched = another.shown("checkbox", "Web").default
            return bool(another.shown("button", "Regenerate")), switched

    async def tabs() -> list[tuple[bool, bool]]:
        return await asyncio.gather(*(told() for _ in range(TABS)))

    assert asyncio.run(tabs()) == [(True, True)] * TABS


@pytest.mark.parametrize("seed", [1, 2])
def test_a_thinking_answer_is_stopped_whatever_is_pressed_right_behind(
    app: RunningApp, seed: int
) -> None:
    """The run that is left folds the thinking on its way out, and is asked for more meanwhile."""
    chance = random.Random(seed)

    async def is_stopped(pause_s: float) -> bool:
        async with PageSession(app.url) as tab:
            await tab.switch("Thinking")
            await tab.question("/practice slow 200")
            await tab.until(lambda: tab.shown("expandable", "Thinking"))
            await tab.press("Stop")
            await asyncio.sleep(pause_s)
            await tab.switch("Web")
            return bool(await tab.until(lambda: tab.shown("alert", "Stopped.")))

    async def tabs() -> list[bool]:
        return await asyncio.gather(*(is_stopped(chance.uniform(0, 0.05)) for _ in range(TABS)))

    assert all(asyncio.run(tabs()))


@pytest.mark.parametrize("seed", [1, 2])
def test_a_checkup_is_run_whatever_is_pressed_right_behind(app: RunningApp, seed: int) -> None:
    chance = random.Random(seed)

    async def found(pause_s: float) -> bool:
        async with PageSession(app.url) as tab:
            await tab.go("status")
            await tab.press("Run the check-up")
            await asyncio.sleep(pause_s)
            await tab.go("history")
            await tab.turn_to("status")
            return bool(await tab.until(lambda: tab.shown("markdown", "in order")))

    async def tabs() -> list[bool]:
        return await asyncio.gather(*(found(chance.uniform(0, 0.06)) for _ in range(TABS)))

    assert all(asyncio.run(tabs()))


class SilentProvider(RawServer):
    """Takes requests, and never answers one."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = threading.Event()  # what the account holds
        self.left = threading.Event()  # by whom had asked for that

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            if b"/balance" in line:
                self.asked.set()
        if self.asked.is_set():
            self.left.set()


@pytest.mark.parametrize(
    ("page", "button"), [("status", "Check"), ("money", "Ask now")], ids=["run", "callback"]
)
def test_another_page_comes_at_once_while_a_provider_is_silent(
    tmp_path: Path, page: str, button: str
) -> None:
    async def leave(url: str, provider: SilentProvider) -> Any:
        async with PageSession(url) as tab:
            await tab.go(page)
            await tab.press(button)
            await asyncio.to_thread(provider.asked.wait, PATIENCE_S)
            await tab.go("history")
            return tab.shown("text_input", "Search")

    with SilentProvider() as provider:
        given = {
            "DEEPSEEK_API_KEY": "sk-presses-0123456789abcdef",
            "DEEPSEEK_API_URL": f"http://127.0.0.1:{provider.port}/chat/completions",
        }
        with running_app(tmp_path / "data", given) as app:
            assert asyncio.run(leave(app.url, provider))
            assert not provider.left.is_set()  # nobody's patience has come to its end
