"""The plan of a stream: what is written when, without a clock or a socket."""

import json
from typing import Any

import pytest

from core.practice.chat.messages import ChatMessage
from core.practice.chat.reply import Reply, compose_reply
from core.practice.chat.request import ChatRequest
from core.practice.chat.stream import Step, plan_stream, plan_whole
from core.practice.chat.tokens import PromptCache
from core.practice.chat.wire import split_deltas
from core.practice.faults import Faults
from core.practice.settings import PracticeSettings

SETTINGS = PracticeSettings(first_delta_s=2.5, keep_alive_s=1, delta_interval_s=0.01)


def reply_to(question: str = "你好", *, effort: str | None = None, faults: Faults = {}) -> Reply:  # noqa: B006
    request = ChatRequest("deepseek-flash", (ChatMessage("user", question),), effort)
    return compose_reply(request, faults, PromptCache(), reply_id="id-1", created=7)


def steps_of(
    *, effort: str | None = None, faults: Faults | None = None, include_usage: bool = False
) -> list[Step]:
    faults = faults or {}
    reply = reply_to(effort=effort, faults=faults)
    return list(plan_stream(reply, faults, SETTINGS, include_usage=include_usage))


def chunks_of(steps: list[Step]) -> list[dict[str, Any]]:
    lines = b"".join(step.data or b"" for step in steps).decode().split("\n")
    data = [line.removeprefix("data: ") for line in lines if line.startswith("data: ")]
    return [json.loads(line) for line in data if line != "[DONE]"]


def test_pieces_join_to_the_text_and_hold_up_to_eight_characters() -> None:
    text = "墨分五色，how nice 🖌️" * 20

    pieces = split_deltas(text, "seed")

    assert "".join(pieces) == text
    assert {len(piece) for piece in pieces} == set(range(1, 9))


def test_waiting_is_filled_with_comments() -> None:
    steps = steps_of()

    assert [step.data for step in steps[:4]] == [b": keep-alive\n\n"] * 3 + [b""]
    assert sum(step.wait_s for step in steps[:4]) == pytest.approx(2.5)


def test_a_stream_without_thinking_has_the_documented_chunks() -> None:
    steps = steps_of()
    chunks = chunks_of(steps)

    assert steps[-1].data == b"data: [DONE]\n\n"
    assert {(chunk["id"], chunk["created"], chunk["object"]) for chunk in chunks} == {
        ("id-1", 7, "chat.completion.chunk")
    }
    assert chunks[0]["choices"] == [
        {
            "index": 0,
            "delta": {"role": "assistant", "content": ""},
            "logprobs": None,
            "finish_reason": None,
        }
    ]
    assert all("reasoning_content" not in chunk["choices"][0]["delta"] for chunk in chunks)
    assert all("usage" not in chunk for chunk in chunks[:-1])
    assert chunks[-1]["choices"][0]["finish_reason"] == "stop"
    assert chunks[-1]["usage"]["completion_tokens"] > 0


def test_a_thinking_stream_reasons_before_it_answers() -> None:
    deltas = [chunk["choices"][0]["delta"] for chunk in chunks_of(steps_of(effort="high"))]

    assert deltas[0] == {"role": "assistant", "content": None, "reasoning_content": ""}
    kinds = ["r" if delta["reasoning_content"] else "c" for delta in deltas[1:-1]]
    assert kinds == sorted(kinds, reverse=True)
    assert {"r", "c"} == set(kinds)
    assert deltas[-1] == {"content": "", "reasoning_content": None}


def test_earlier_chunks_carry_a_null_usage_only_when_asked() -> None:
    chunks = chunks_of(steps_of(include_usage=True))

    assert all(chunk["usage"] is None for chunk in chunks[:-1])
    assert chunks[-1]["usage"]["total_tokens"] > 0


def test_silence_lies_in_the_middle_of_the_answer() -> None:
    steps = steps_of(effort="high", faults={"silent": 45})
    silent = next(k for k, step in enumerate(steps) if step.wait_s == 45)

    before = "".join(
        chunk["choices"][0]["delta"].get("content") or "" for chunk in chunks_of(steps[:silent])
    )
    assert before
    assert reply_to().content.startswith(before)
    assert len(chunks_of(steps)) > len(chunks_of(steps[:silent])) + 1


def test_comments_alone_can_fill_a_long_wait() -> None:
    steps = steps_of(faults={"comments": 60})

    comments = [step for step in steps if step.data == b": keep-alive\n\n"]
    assert len(comments) == 60


def test_slow_sets_the_pause_between_deltas() -> None:
    waits = {step.wait_s for step in steps_of(faults={"slow": 300})[6:]}

    assert waits == {0.3, 0}


def test_a_whole_reply_begins_with_blank_lines() -> None:
    steps = list(plan_whole(reply_to(), {}, SETTINGS))
    body = b"".join(step.data or b"" for step in steps)

    assert body.startswith(b"\n\n\n{")
    assert json.loads(body)["choices"][0]["message"]["content"]


def test_the_answer_does_not_depend_on_the_effort() -> None:
    assert reply_to(effort="low").content == reply_to(effort="max").content
