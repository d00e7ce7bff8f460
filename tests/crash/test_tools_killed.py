"""A process killed between the turns of an answer with tools: what was made is kept, paid once."""

import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from core.access.owners import LOCAL_OWNER
from core.models.chat import AnswerStatus
from core.models.money.ledger import LineState
from core.models.parts import steps_in
from core.practice import PracticeServer
from core.providers.deepseek import endpoint
from core.storage.money.filters import LedgerFilter
from tests.crash.tools_runner import KEY, opened
from tests.web.serving import QUICK

ROOT = Path(__file__).parents[2]
PATIENCE_S = 30.0
QUESTION = "/practice tool-calculator /practice tool-search /practice then-slow 30 端砚 6*7"


@pytest.fixture
def practice() -> Iterator[PracticeServer]:
    server = PracticeServer(settings=replace(QUICK, chat_key=KEY))
    server.start()
    yield server
    server.stop()


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_steps_are_kept_and_nothing_is_asked_again(
    tmp_path: Path, practice: PracticeServer, turns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(endpoint, "_is_deepseek", endpoint._is_deepseek)  # put back at the end
    data_dir, url = tmp_path / "data", practice.chat_url
    command = [sys.executable, "-m", "tests.crash.tools_runner", str(data_dir), url, QUESTION]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        conversation_id = process.stdout.readline().strip()
        deadline = time.monotonic() + PATIENCE_S
        while practice.counters.chat_requests < turns:
            assert time.monotonic() < deadline, "the turn is not asked"
            time.sleep(0.005)
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
