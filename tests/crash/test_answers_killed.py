"""A process killed in mid-answer: what is found afterwards is the beginning of that answer."""

import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from core.access.owners import LOCAL_OWNER
from core.models.chat import AnswerStatus, ChatParameters
from core.models.money.ledger import LineState, Mark
from core.models.money.usage import estimate_tokens
from core.settings import ChatSettings, Secret, Settings
from core.work.money.upkeep import LedgerUpkeep
from core.work.studio import Studio
from tests.crash.answers_table import LONGEST_S, AnswersOutcome, run
from tests.upstream import Plan, Upstream, streamed

ROOT = Path(__file__).parents[2]
PIECES = [f"第 {number} 行，墨迹未干。\n\n" for number in range(100_000)]
PATIENCE_S = 90.0


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    def endless(body: dict[str, Any]) -> Plan:
        yield from streamed(PIECES, 0.002)

    with Upstream(endless) as running:
        yield running


def stored_characters(database: Path) -> int:
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
        row = connection.execute(
            "SELECT length(content) FROM messages WHERE role = 'assistant'"
        ).fetchone()
    return int(row[0]) if row else 0


@pytest.mark.parametrize("characters", [1, 400, 3_000])
def test_what_was_kept_is_a_prefix_marked_as_interrupted(
    tmp_path: Path, upstream: Upstream, characters: int
) -> None:
    data_dir = tmp_path / "data"
    command = [sys.executable, "-m", "tests.crash.answer_runner", str(data_dir), upstream.url]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        conversation_id = process.stdout.readline().strip()
        deadline = time.monotonic() + PATIENCE_S
        while (seen := stored_characters(data_dir / "inkling.sqlite3")) < characters:
            assert time.monotonic() < deadline, "the text so far is not kept"
            time.sleep(0.01)
    finally:
        process.kill()
        process.communicate()

    chat = ChatSettings(url=upstream.url, api_key=Secret("sk-0123456789abcdef"))
    studio = Studio.open(Settings(data_dir=data_dir, chat=chat, kling=None))
    try:
        question, answer = studio.store.messages.path(LOCAL_OWNER, conversation_id)
        assert question.content == "写一首长诗"
        assert answer.status is AnswerStatus.INTERRUPTED
        assert len(answer.content) >= seen
        assert "".join(PIECES).startswith(answer.content)
        upkeep = LedgerUpkeep(studio.store, studio.spending, old_enough=timedelta(0))
        assert upkeep.settle_left() == 1
        assert upkeep.settle_left() == 0
        line = studio.store.ledger.several(LOCAL_OWNER, [answer.id])[answer.id]
        assert (line.state, line.mark) == (LineState.ESTIMATED, Mark.ABOUT)
        assert line.completion == estimate_tokens(answer.content)
        # Nothing stands in the way of asking again.
        conversation = studio.store.conversations.get(LOCAL_OWNER, conversation_id)
        assert conversation is not None
        live = studio.answers.regenerate(LOCAL_OWNER, conversation, answer, ChatParameters())
        studio.answers.stop(LOCAL_OWNER, live.message_id)
        assert live.saved.wait(PATIENCE_S)
    finally:
        studio.close()


def test_whenever_it_dies_each_answer_has_one_settled_line() -> None:
    outcomes: list[AnswersOutcome] = []
    states: set[str] = set()
    # How far an answer comes before it dies is chance, and the machine's pace: until each way has
    # been seen, with a longer life where none came to its end.
    longest_s = LONGEST_S
    for first in range(1000, 1040, 4):
        with ThreadPoolExecutor(4) as pool:
            outcomes += pool.map(partial(run, longest_s=longest_s), range(first, first + 4))
        states = set().union(*(one.states for one in outcomes))
        if {"computed", "estimated"} <= states:
            break
        longest_s *= 0.5 if "computed" in states else 2
    assert [one.problems for one in outcomes] == [[]] * len(outcomes)
    assert sum(one.was_killed for one in outcomes) >= 2
    assert {"computed", "estimated"} <= states
