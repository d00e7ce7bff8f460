"""A process killed between the turns of an answer with tools: what was made is kept, paid once."""

import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from starlette.requests import Request
from starlette.responses import Response

from core.access.owners import LOCAL_OWNER
from core.models.chat import AnswerStatus
from core.models.money.ledger import LineState
from core.models.parts import steps_in
from core.practice.chat.routes import Chat
from core.practice.server import PracticeServer
from core.providers.deepseek import endpoint
from core.storage.money.filters import LedgerFilter
from tests.crash.tools_runner import KEY, opened
from tests.web.serving import QUICK

ROOT = Path(__file__).parents[2]
PATIENCE_S = 90.0
QUESTION = "/practice tool-calculator /practice tool-search /practice then-slow 30 端砚 6*7"


class Deadly:
    """Practice that has a process killed when it asks for a turn, before it hears a word of it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, turn: int) -> None:
        self.turn, self.asked = turn, 0
        self.process: subprocess.Popen[str] | None = None
        self.may_die = threading.Event()
        complete = Chat._complete

        async def asked(chat: Chat, request: Request) -> Response:
            self.asked += 1
            if self.asked == self.turn:
                self.may_die.wait(PATIENCE_S)
                assert self.process is not None
                self.process.kill()
            return await complete(chat, request)

        monkeypatch.setattr(Chat, "_complete", asked)


@pytest.fixture
def deadly(monkeypatch: pytest.MonkeyPatch, turns: int) -> Deadly:
    return Deadly(monkeypatch, turns)


@pytest.fixture
def practice(deadly: Deadly) -> Iterator[PracticeServer]:
    with PracticeServer(settings=replace(QUICK, chat_key=KEY)) as server:
        yield server


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_steps_are_kept_and_nothing_is_asked_again(
    tmp_path: Path,
    practice: PracticeServer,
    deadly: Deadly,
    turns: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(endpoint, "_is_deepseek", endpoint._is_deepseek)  # put back at the end
    data_dir, url = tmp_path / "data", practice.chat_url
    command = [sys.executable, "-m", "tests.crash.tools_runner", str(data_dir), url, QUESTION]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    deadly.process = process
    try:
        assert process.stdout is not None
        conversation_id = process.stdout.readline().strip()
        deadly.may_die.set()
        assert process.wait(PATIENCE_S) == -signal.SIGKILL
    finally:
        process.kill()
        process.communicate()
    requests, looks = practice.counters.chat_requests, len(practice.web_book)

    studio = opened(data_dir, url)
    try:
        _, answer = studio.store.messages.path(LOCAL_OWNER, conversation_id)
        assert answer.status is AnswerStatus.INTERRUPTED
        steps = [(step.name, step.state) for step in steps_in(answer.parts)]
        made = [("calculator", "done"), ("search", "done")]
        assert steps[: turns - 1] == made[: turns - 1]
        assert practice.counters.chat_requests == requests
        assert len(practice.web_book) == looks == (turns > 2)
        ledger = studio.store.ledger
        lines = list(reversed(list(ledger.every(LedgerFilter(owner=LOCAL_OWNER)))))
        chats = [one for one in lines if one.kind == "chat"]
        searches = [one for one in lines if one.kind == "search"]
        assert len(chats) == turns
        assert [one.state for one in chats[:-1]] == [LineState.COMPUTED] * (turns - 1)
        assert [one.amount for one in searches] == [one.cost for one in practice.web_book]
        whole = [one.cost for one in practice.chat_book if not one.was_stopped]
        assert [one.amount for one in chats[:-1]] == whole[: turns - 1]
    finally:
        studio.close()
