"""The studio's tools in a bounded loop: called while an answer is made, kept, paid for once."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from core.models.chat import AnswerStatus, ChatParameters, Conversation, Message
from core.models.money.ledger import LedgerLine, LineState
from core.models.parts import sources_in, steps_in
from core.practice import PRACTICE_CHAT_KEY, PracticeServer
from core.practice.chat.request import ChatRequest, chat_request_from_json
from core.storage.money.filters import LedgerFilter
from tests.web.serving import QUICK, Served, serving, until

TOOLS = ChatParameters(tools=True)
THINKING = ChatParameters(tools=True, thinking=True)
RECEIVED: list[dict[str, Any]] = []  # the bodies of chats that this test's practice was sent


@pytest.fixture
def practice(monkeypatch: pytest.MonkeyPatch) -> Callable[[], PracticeServer]:
    servers: list[PracticeServer] = []

    def build(**options: Any) -> PracticeServer:
        pace = replace(QUICK, chat_key=PRACTICE_CHAT_KEY)
        servers.append(PracticeServer(**options, settings=pace))
        return servers[-1]

    def read(body: bytes, *, beta: bool) -> ChatRequest:
        RECEIVED.append(json.loads(body))
        return chat_request_from_json(body, beta=beta)

    RECEIVED.clear()
    monkeypatch.setattr("core.practice.chat.routes.chat_request_from_json", read)
    monkeypatch.setattr("core.work.services.PracticeServer", build)
    return lambda: servers[-1]


@pytest.fixture
def served(tmp_path: Path, practice: object) -> Iterator[Served]:
    with serving(tmp_path) as running:
        yield running


def begin(served: Served, parameters: ChatParameters = TOOLS) -> Conversation:
    return served.studio.store.conversations.create("local", parameters=parameters)


def asked(
    served: Served,
    question: str,
    parameters: ChatParameters = TOOLS,
    conversation: Conversation | None = None,
    **options: Any,
) -> Message:
    """Return the answer to a question as it is kept."""
    conversation = conversation or begin(served, parameters)
    fresh = served.studio.store.conversations.get("local", conversation.id)
    assert fresh is not None
    live = served.studio.answers.ask("local", fresh, question, parameters, **options)
    kept: Message = served.kept(live.message_id)
    return kept


def bodies() -> list[dict[str, Any]]:
    """Return the chats that practice was sent, oldest first, but for those about a title."""
    return [one for one in RECEIVED if one["messages"][0]["role"] == "user"]


def lines(served: Served) -> list[LedgerLine]:
    """Return the ledger's lines but for titles, oldest first, once all are settled."""

    def settled() -> tuple[list[LedgerLine]] | None:
        found = list(served.studio.store.ledger.every(LedgerFilter(owner="local")))
        is_open = any(one.state is LineState.RESERVED for one in found)
        return None if is_open else (found,)

    found: list[LedgerLine] = until(settled, "all lines are settled")[0]
    return [one for one in reversed(found) if one.kind != "title"]


def states(answer: Message) -> list[tuple[str, str]]:
    return [(step.name, step.state) for step in steps_in(answer.parts)]


def is_booked(served: Served, practice: Callable[[], PracticeServer]) -> bool:
    """Tell whether the ledger's sum is what practice has charged, titles and all."""
    lines(served)
    every = served.studio.store.ledger.every(LedgerFilter(owner="local"))
    ours = sum((one.amount or Decimal(0) for one in every), Decimal(0))
    book = practice()
    theirs = sum((one.cost or Decimal(0) for one in book.chat_book), Decimal(0))
    return ours == theirs + sum((one.cost for one in book.web_book), Decimal(0))


@pytest.mark.parametrize("parameters", [TOOLS, THINKING, replace(TOOLS, stream=False)])
def test_tools_are_called_one_after_the_other_and_the_answer_follows(
    served: Served, practice: Callable[[], PracticeServer], parameters: ChatParameters
) -> None:
    question = "/practice tool-calculator /practice tool-search /practice tool-fetch 端砚 12*(3+4)"
    answer = asked(served, question, parameters)
    assert (answer.status, answer.error_text_id) == (AnswerStatus.COMPLETE, None)
    assert states(answer) == [("calculator", "done"), ("search", "done"), ("fetch", "done")]
    steps = steps_in(answer.parts)
    assert steps[0].result == "84"
    assert all(step.duration_ms for step in steps)
    assert [one.kind for one in sources_in(answer.parts)] == ["search"] * 8 + ["fetch"]
    assert "工具给出了结果" in answer.content
    sent = bodies()
    assert len(sent) == 4
    assert all(one["tools"] == sent[0]["tools"] for one in sent)
    for before, after in pairwise(sent):
        assert after["messages"][: len(before["messages"])] == before["messages"]
    assert sorted(one.kind for one in lines(served)) == ["chat"] * 4 + ["fetch", "search"]
    assert {one.message_id for one in lines(served)} == {answer.id}
    assert is_booked(served, practice)
    turns = [one for one in lines(served) if one.kind == "chat"]
    assert answer.usage is not None
    assert answer.usage.completion_tokens == sum(one.completion or 0 for one in turns)


def test_off_is_the_default_and_sends_what_was_sent_before(served: Served) -> None:
    asked(served, "/practice tool-calculator 1+1", ChatParameters())
    (body,) = bodies()
    assert "tools" not in body
