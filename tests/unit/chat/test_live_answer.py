"""An answer that grows in memory, as its job and its readers see it."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from core.errors import UnavailableError
from core.models.chat import AnswerStatus, Message, Usage
from core.models.deltas import Completion, Delta, Extras
from core.models.parts import TextPart, ToolCall, ToolCallPiece
from core.work.chat.buffers.cursors import Cursor
from core.work.chat.buffers.text_buffer import DISTINCT_PIECES
from core.work.chat.live_answer import LiveAnswer

START = 100.0


class Stopwatch:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def stopwatch() -> Stopwatch:
    return Stopwatch()


@pytest.fixture
def answer(stopwatch: Stopwatch) -> LiveAnswer:
    return begun(stopwatch)


def begun(clock: Callable[[], float], **fields: str) -> LiveAnswer:
    message = Message(
        id="a1",
        conversation_id="c1",
        parent_id="q1",
        role="assistant",
        content=fields.get("content", ""),
        reasoning_content=fields.get("reasoning_content", ""),
        created_at=datetime(2026, 11, 22, tzinfo=UTC),
        status=AnswerStatus.RUNNING,
    )
    return LiveAnswer(message, "local", clock=clock)


def test_a_reader_gets_what_came_since_it_looked(answer: LiveAnswer) -> None:
    answer.add(Delta("reasoning_content", ["先想"]))
    first = answer.read(Cursor())
    answer.add(Delta("content", ["再答"]))
    second = answer.read(first.cursor)
    assert (first.reasoning, first.content) == ("先想", "")
    assert (second.reasoning, second.content) == ("", "再答")
    assert answer.read(second.cursor).content == ""


def test_a_late_reader_gets_everything_at_once(answer: LiveAnswer) -> None:
    for number in range(3 * DISTINCT_PIECES):
        answer.add(Delta("content", [f"{number},"]))
    assert answer.read(Cursor()).content == "".join(f"{n}," for n in range(3 * DISTINCT_PIECES))


def test_a_continued_answer_begins_with_the_text_that_was_there(stopwatch: Stopwatch) -> None:
    answer = begun(stopwatch, content="从前，", reasoning_content="想")
    assert not answer.has_grown
    answer.add(Delta("content", ["有座山。"]))
    growth = answer.read(Cursor())
    assert (growth.reasoning, growth.content) == ("想", "从前，有座山。")
    assert answer.has_grown
    # How long the thinking took that it begins with, nobody knows here.
    answer.finish(AnswerStatus.COMPLETE)
    assert answer.snapshot().reasoning_s is None


def test_times_run_from_the_request(answer: LiveAnswer, stopwatch: Stopwatch) -> None:
    stopwatch.now += 5  # a refused attempt, and the pause behind it
    answer.restart_clock()
    stopwatch.now += 1
    answer.add(Delta("reasoning_content", ["嗯"]))
    assert answer.reasoning_s == 0
    stopwatch.now += 2
    assert answer.reasoning_s == 2
    answer.add(Delta("content", ["好"]))
    stopwatch.now += 3
    answer.finish(AnswerStatus.COMPLETE)
    message = answer.snapshot()
    assert (message.first_token_s, message.reasoning_s, message.duration_s) == (1, 2, 6)


def test_thinking_that_never_came_to_an_answer_has_its_length(
    answer: LiveAnswer, stopwatch: Stopwatch
) -> None:
    answer.add(Delta("reasoning_content", ["嗯"]))
    stopwatch.now += 4
    answer.finish(AnswerStatus.STOPPED)
    assert answer.snapshot().reasoning_s == 4


def test_nobody_knows_how_long_it_thought_that_came_whole(
    answer: LiveAnswer, stopwatch: Stopwatch
) -> None:
    stopwatch.now += 3
    answer.add(*Completion("答", "想").deltas())
    answer.finish(AnswerStatus.COMPLETE)
    message = answer.snapshot()
    assert (message.content, message.reasoning_content) == ("答", "想")
    assert (message.first_token_s, message.reasoning_s) == (3, None)


def test_an_empty_chunk_is_no_first_token(answer: LiveAnswer) -> None:
    answer.add(Delta("content", [], Extras(model="deepseek-flash")))
    assert not answer.has_grown
    assert answer.snapshot().first_token_s is None
    assert answer.snapshot().model == "deepseek-flash"


def test_the_last_usage_counts(answer: LiveAnswer) -> None:
    answer.add(Delta("content", [], Extras(usage=Usage(completion_tokens=8))))
    answer.add(
        Delta("content", ["。"], Extras(finish_reason="stop", usage=Usage(completion_tokens=9)))
    )
    answer.finish(AnswerStatus.COMPLETE)
    assert answer.snapshot().usage == Usage(completion_tokens=9)


def test_the_final_message_says_why_it_failed(answer: LiveAnswer) -> None:
    error = UnavailableError(
        "error.cut_off", provider="deepseek", facts={"host": "h"}, detail="words"
    )
    answer.add(Delta("content", ["半句"]))
    answer.finish(AnswerStatus.CUT_OFF, error)
    message = answer.snapshot()
    assert message.status is AnswerStatus.CUT_OFF
    assert message.content == "半句"
    assert message.error_text_id == "error.cut_off"
    assert message.error_facts["host"] == "h"
    assert message.error_detail == "words"
    assert answer.is_final


def test_waiting_ends_at_once_when_the_answer_has(answer: LiveAnswer) -> None:
    answer.finish(AnswerStatus.COMPLETE)
    cursor = answer.read(Cursor()).cursor
    assert answer.wait(cursor, timeout_s=3600).is_final


def test_waiting_ends_when_nothing_comes(answer: LiveAnswer) -> None:
    cursor = answer.read(Cursor()).cursor
    assert not answer.wait(cursor, timeout_s=0).is_final


def test_readers_in_other_threads_miss_nothing_and_get_nothing_twice(answer: LiveAnswer) -> None:
    collected: list[str] = []

    def follow() -> None:
        cursor, pieces, is_final = Cursor(), [], False
        while not is_final:
            growth = answer.wait(cursor, timeout_s=30)
            cursor, is_final = growth.cursor, growth.is_final
            pieces.append(growth.content)
        collected.append("".join(pieces))

    readers = [threading.Thread(target=follow) for _ in range(4)]
    for reader in readers:
        reader.start()
    for number in range(5_000):
        answer.add(Delta("content", [f"{number} "]))
    answer.finish(AnswerStatus.COMPLETE)
    for reader in readers:
        reader.join(120)
    assert collected == ["".join(f"{number} " for number in range(5_000))] * 4


def test_a_listener_is_called_until_it_leaves(answer: LiveAnswer) -> None:
    calls: list[int] = []
    leave = answer.listen(lambda: calls.append(1))
    answer.add(Delta("content", ["一"]))
    leave()
    answer.add(Delta("content", ["二"]))
    assert calls == [1]


def test_the_end_is_told_too(answer: LiveAnswer) -> None:
    ends: list[bool] = []
    answer.listen(lambda: ends.append(True))
    answer.finish(AnswerStatus.STOPPED)
    assert ends == [True]


def test_tool_calls_are_joined_by_index_and_stand_behind_the_text(
    answer: LiveAnswer, stopwatch: Stopwatch
) -> None:
    answer.add(Delta("reasoning_content", ["想"]))
    stopwatch.now += 2
    answer.add(
        Delta(
            "content",
            [],
            Extras(tool_calls=(ToolCallPiece(0, "a", "find", "{"), ToolCallPiece(1, "b"))),
        )
    )
    stopwatch.now += 1
    answer.add(
        Delta("content", ["我查"], Extras(tool_calls=(ToolCallPiece(1, "b", "look", "[]"),)))
    )
    answer.add(Delta("content", [], Extras(tool_calls=(ToolCallPiece(0, "", "find", "}"),))))
    message = answer.snapshot()
    assert message.content == "我查"
    assert message.parts == (
        TextPart("我查"),
        ToolCall("a", "find", "{}"),
        ToolCall("b", "look", "[]"),
    )
    assert message.reasoning_s == 2
    assert "我查" not in repr(answer.outline())


def test_calls_that_a_server_does_not_number_are_told_apart(answer: LiveAnswer) -> None:
    answer.add(Delta("content", [], Extras(tool_calls=(ToolCallPiece(0, "a", "find", "{}"),))))
    answer.add(Delta("content", [], Extras(tool_calls=(ToolCallPiece(0, "b", "find", "[]"),))))
    assert answer.has_grown, "what a call was bought for is not asked for again"
    assert answer.snapshot().parts == (ToolCall("a", "find", "{}"), ToolCall("b", "find", "[]"))


def test_a_call_without_an_id_is_given_one(answer: LiveAnswer) -> None:
    answer.add(
        Delta("content", [], Extras(tool_calls=(ToolCallPiece(0, "", "find"), ToolCallPiece(1))))
    )
    assert [part.id for part in answer.snapshot().parts if isinstance(part, ToolCall)] == [
        "call_a1_0",
        "call_a1_1",
    ]


def test_an_answer_of_text_alone_has_no_parts(answer: LiveAnswer) -> None:
    answer.add(Delta("content", ["好"]))
    assert answer.snapshot().parts == ()
    assert answer.snapshot().said() == (TextPart("好"),)


def test_calls_that_may_not_be_made_end_the_answer_all_the_same() -> None:
    """A client that is told `tool_calls` without any would wait for ever."""
    answer = LiveAnswer(begun(Stopwatch()).snapshot(), "local", has_studio_tools=True)
    piece = ToolCallPiece(0, "a", "search", "{}")
    answer.add(
        Delta("content", [], Extras(tool_calls=(piece,))),
        Delta("content", [], Extras(finish_reason="tool_calls")),
    )
    answer.end_turn()
    assert answer.asks_for_tools
    answer.leave_calls()
    assert not answer.asks_for_tools
    answer.finish(AnswerStatus.COMPLETE)
    ended = answer.snapshot()
    assert (ended.finish_reason, ended.parts) == ("stop", ())
