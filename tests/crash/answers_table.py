"""Kills a process in the middle of answers: `python -m tests.crash.answers_table --runs 100`.

In each run six answers are asked for, whole, cut short and refused ones among them, and the
process is killed at a moment of chance. Opened again, each answer has one line in the ledger,
settled, and nothing else but its title has one.
"""

import argparse
import random
import signal
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from core.access.owners import LOCAL_OWNER
from core.models.chat import AnswerStatus, ChatParameters
from core.models.money.ledger import LineState
from core.settings import ChatSettings, Secret, Settings
from core.storage.money.filters import LedgerFilter
from core.work.money.upkeep import LedgerUpkeep
from core.work.studio import Studio
from tests.upstream import Plan, Step, Upstream, streamed

ROOT = Path(__file__).parents[2]
QUESTIONS = ("short", "short", "long", "long", "cut", "refused")
LONGEST_S = 1.2  # by then all have ended


@dataclass
class AnswersOutcome:
    """What a run saw: was it killed, how answers and their lines stood, and what is wrong."""

    was_killed: bool
    statuses: Counter[str] = field(default_factory=Counter)
    states: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)


def replies(body: dict[str, Any]) -> Plan:
    """Plan what the upstream answers, as the question asks for it."""
    asked = body["messages"][-1]["content"]
    if asked == "refused":
        yield Step(0, b"HTTP/1.1 400 Bad Request\r\nContent-Length: 2\r\n\r\n{}")
        return
    pieces = [f"第 {number} 行，墨迹未干。" for number in range({"short": 4}.get(asked, 60))]
    steps: Iterator[Step] = iter(streamed(pieces, 0.012))
    for number, step in enumerate(steps):
        if asked == "cut" and number == 20:
            return
        yield step


def run(seed: int, longest_s: float = LONGEST_S) -> AnswersOutcome:
    """Ask, kill within so many seconds, open again, look."""
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory(prefix="inkling-answers-") as folder, Upstream(replies) as up:
        command = [sys.executable, "-m", "tests.crash.answers_table", "--ask", folder, up.url]
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        killer = threading.Timer(chance.uniform(0, longest_s), process.kill)
        process.stdout.readline()  # it is about to ask
        killer.start()
        process.communicate()
        killer.cancel()
        outcome = AnswersOutcome(process.returncode == -signal.SIGKILL)
        with closing(Studio.open(settings(Path(folder), up.url))) as studio:
            _look(studio, outcome)
        return outcome


def _look(studio: Studio, outcome: AnswersOutcome) -> None:
    # A title has no row that tells of its end: its line is settled when its time is over.
    ledger = studio.store.ledger
    ledger._clock = lambda: datetime.now(UTC) + timedelta(days=1)
    LedgerUpkeep(studio.store, studio.spending, old_enough=timedelta(0)).settle_left()
    lines = {line.id: line for line in studio.store.ledger.every(LedgerFilter())}
    answers = {}
    for conversation in studio.store.conversations.list(LOCAL_OWNER, limit=99).items:
        for message in studio.store.messages.path(LOCAL_OWNER, conversation.id):
            if message.role == "assistant":
                answers[message.id] = message
    for name, message in answers.items():
        outcome.statuses[message.status.value] += 1
        if message.status is AnswerStatus.RUNNING:
            outcome.problems.append("an answer runs for ever")
        line = lines.pop(name, None)
        if line is None and message.status is not AnswerStatus.FAILED:
            outcome.problems.append(f"an answer has no line: {message.status.value}")
        if line is not None:
            outcome.states[line.state.value] += 1
            if line.state is LineState.RESERVED:
                outcome.problems.append("a line is held back for ever")
    for line in lines.values():
        outcome.states[f"{line.kind}: {line.state.value}"] += 1
        if line.kind != "title" or line.state is LineState.RESERVED:
            outcome.problems.append(f"a line of nothing: {line.kind} {line.state.value}")


def settings(folder: Path, url: str) -> Settings:
    """Return settings with this upstream for chat."""
    chat = ChatSettings(url=url, api_key=Secret("sk-0123456789abcdef"))
    return Settings(data_dir=folder / "data", chat=chat, kling=None)


def ask(folder: str, url: str) -> None:
    """Be the process that is killed; end by itself once all have ended."""
    with closing(Studio.open(settings(Path(folder), url))) as studio:
        sys.stdout.write("asking\n")
        sys.stdout.flush()
        asked = []
        for question in QUESTIONS:
            conversation = studio.store.conversations.create(LOCAL_OWNER)
            asked.append(studio.answers.ask(LOCAL_OWNER, conversation, question, ChatParameters()))
        for live in asked:
            live.saved.wait()


def main() -> int:
    """Run and print the table; return 1 when anything is wrong."""
    parser = argparse.ArgumentParser(description="Kill a process in the middle of answers.")
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--at-once", type=int, default=4)
    parser.add_argument("--ask", nargs=2)
    wanted = parser.parse_args()
    if wanted.ask:
        ask(*wanted.ask)
        return 0
    with ThreadPoolExecutor(wanted.at_once) as pool:
        outcomes = list(pool.map(run, range(wanted.runs)))
    problems = Counter(problem for one in outcomes for problem in one.problems)
    sys.stdout.write(
        f"{len(outcomes)} runs, {sum(one.was_killed for one in outcomes)} killed\n"
        f"answers: {dict(sum((one.statuses for one in outcomes), Counter()))}\n"
        f"lines: {dict(sum((one.states for one in outcomes), Counter()))}\n"
        f"problems: {dict(problems)}\n"
    )
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
