"""However an upstream ends an answer: the right state, and a sentence in both languages."""

import string
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core.models.chat import AnswerStatus, ChatParameters, Message
from core.practice.server import PracticeServer
from core.practice.settings import PracticeSettings
from core.providers.deepseek.timeouts import StreamTimers
from core.texts import catalogue
from tests.upstream import (
    DONE,
    KEEP_ALIVE,
    STREAM_HEAD,
    Plan,
    Step,
    Upstream,
    chunk,
    ending,
    event,
    whole,
)
from tests.web.chat.answering import Asker, answering

COMPLETE, CUT_OFF, FAILED = AnswerStatus.COMPLETE, AnswerStatus.CUT_OFF, AnswerStatus.FAILED
SILENCE_S = 0.3
# One patience ends in each; on a busy machine another one would otherwise be over as well.
PATIENT = StreamTimers(socket_silence_s=60, first_data_s=60, data_silence_s=60)
SILENT = replace(PATIENT, socket_silence_s=SILENCE_S)
QUEUED = replace(PATIENT, first_data_s=SILENCE_S)
STALLED = replace(PATIENT, data_silence_s=SILENCE_S)
QUICK = PracticeSettings(first_delta_s=0, delta_interval_s=0)


@pytest.fixture(scope="module")
def practice() -> Iterator[PracticeServer]:
    with PracticeServer(settings=QUICK) as server:
        yield server


@pytest.fixture
def asker(tmp_path: Path, practice: PracticeServer) -> Iterator[Asker]:
    with answering(tmp_path, practice.chat_url) as opened:
        yield opened


def check_sentences(message: Message) -> None:
    """Check that both languages have the error's sentence, with every fact it needs."""
    assert message.error_text_id is not None
    for language in catalogue.LANGUAGES:
        template = catalogue.texts_of(language)[message.error_text_id]
        needed = {name for _, name, _, _ in string.Formatter().parse(template) if name}
        assert needed <= message.error_facts.keys()
        said = catalogue.sentence(language, message.error_text_id, message.error_facts)
        assert said
        assert "{" not in said


@pytest.mark.parametrize("stream", [True, False], ids=["streamed", "whole"])
@pytest.mark.parametrize(
    "reason",
    ["length", "content_filter", "insufficient_system_resource", "aborted", "tool_calls"],
)
def test_every_finish_reason_is_kept_as_it_came(asker: Asker, reason: str, stream: bool) -> None:
    message = asker.answered(
        f"写一首诗 /practice {reason}", parameters=ChatParameters(stream=stream)
    )
    assert (message.status, message.finish_reason) == (COMPLETE, reason)
    assert message.usage is not None
    for language in catalogue.LANGUAGES:
        assert f"chat.finish_{reason}" in catalogue.texts_of(language)


def test_a_finish_reason_nobody_knows_is_kept_too(asker: Asker) -> None:
    message = asker.answered("写一首诗 /practice unknown-finish")
    assert (message.status, message.finish_reason) == (COMPLETE, "paused")


@pytest.mark.parametrize(
    "fault", ["no-done", "garbage-line", "no-delta", "burst", "usage-chunk", "usage-twice"]
)
def test_what_is_odd_but_complete_is_an_answer_like_any_other(asker: Asker, fault: str) -> None:
    usual = asker.answered("写一首诗")
    odd = asker.answered(f"写一首诗 /practice {fault}")
    assert odd.status is COMPLETE
    assert odd.finish_reason == "stop"
    assert odd.content == usual.content
    assert odd.usage is not None
    assert usual.usage is not None
    assert odd.usage.completion_tokens == usual.usage.completion_tokens


def test_usage_that_was_never_given_stays_unknown(asker: Asker) -> None:
    message = asker.answered("写一首诗 /practice no-usage")
    assert (message.status, message.usage) == (COMPLETE, None)


def test_nothing_said_is_an_empty_answer(asker: Asker) -> None:
    message = asker.answered("写一首诗 /practice empty")
    assert (message.status, message.content, message.reasoning_content) == (COMPLETE, "", "")


def test_reasoning_without_an_answer_is_kept(asker: Asker) -> None:
    message = asker.answered("写一首诗 /practice reasoning-only")
    assert (message.status, message.content) == (COMPLETE, "")
    assert message.reasoning_content
    assert message.reasoning_s is not None


@pytest.mark.parametrize(
    ("fault", "text_id"),
    [
        ("cut", "error.cut_off"),
        ("half-json", "error.cut_off"),
        ("error-in-stream", "error.chat_fault"),
    ],
)
def test_what_breaks_off_midway_keeps_its_text(asker: Asker, fault: str, text_id: str) -> None:
    usual = asker.answered("写一首诗")
    message = asker.answered(f"写一首诗 /practice {fault}")
    assert (message.status, message.error_text_id) == (CUT_OFF, text_id)
    assert message.content
    assert usual.content.startswith(message.content)
    assert message.finish_reason is None
    check_sentences(message)


@pytest.mark.parametrize(
    "fault", ["400", "401", "402", "422", "429", "500", "503", "html", "html 502"]
)
def test_a_refusal_fails_with_its_own_sentence(asker: Asker, fault: str) -> None:
    message = asker.answered(f"写一首诗 /practice {fault}")
    assert message.status is FAILED
    assert message.content == ""
    assert message.error_text_id not in (None, "error.unexpected", "error.provider")
    check_sentences(message)


def comments(_body: dict[str, Any]) -> Plan:
    """Ten minutes of comments, as far as the hurried timers can tell."""
    yield Step(0, STREAM_HEAD)
    while True:
        yield Step(SILENCE_S / 10, KEEP_ALIVE)


def nothing(_body: dict[str, Any]) -> Plan:
    yield Step(0, STREAM_HEAD)
    yield Step(0, None)


def no_reply(_body: dict[str, Any]) -> Plan:
    yield Step(0, None)


def comments_after_text(_body: dict[str, Any]) -> Plan:
    yield Step(0, STREAM_HEAD)
    yield Step(0, event(content="开头，然后"))
    while True:
        yield Step(SILENCE_S / 10, KEEP_ALIVE)


def nothing_after_text(_body: dict[str, Any]) -> Plan:
    yield Step(0, STREAM_HEAD)
    yield Step(0, event(content="开头，然后"))
    yield Step(0, None)


ERROR: dict[str, Any] = {
    "error": {"message": "it broke", "type": "server_error", "code": "server_error"}
}


def error_for_a_stream(_body: dict[str, Any]) -> Plan:
    yield Step(0, whole(ERROR))


def error_as_first_event(_body: dict[str, Any]) -> Plan:
    yield Step(0, STREAM_HEAD)
    yield Step(0, chunk(ERROR) + DONE)


@pytest.mark.parametrize(
    ("plan", "timers", "status", "text_id"),
    [
        (comments, QUEUED, FAILED, "error.queue_too_long"),
        (nothing, SILENT, FAILED, "error.socket_silent"),
        (no_reply, SILENT, FAILED, "error.socket_silent"),
        (comments_after_text, STALLED, CUT_OFF, "error.answer_stalled"),
        (nothing_after_text, STALLED, CUT_OFF, "error.answer_stalled"),
        (error_for_a_stream, PATIENT, FAILED, "error.chat_fault"),
        (error_as_first_event, PATIENT, FAILED, "error.chat_fault"),
    ],
    ids=lambda value: value.__name__ if callable(value) else None,
)
def test_silence_and_errors_behind_200_end_the_answer(
    tmp_path: Path, plan: Any, timers: StreamTimers, status: AnswerStatus, text_id: str
) -> None:
    with Upstream(plan) as upstream, answering(tmp_path, upstream.url, timers=timers) as asker:
        message = asker.answered("在吗？")
        assert upstream.answers[0].is_over.wait(60)  # the socket is closed on every way out
    assert (message.status, message.error_text_id) == (status, text_id)
    assert message.content == ("开头，然后" if status is CUT_OFF else "")
    check_sentences(message)


def test_half_a_json_line_at_the_very_beginning_is_a_cut(tmp_path: Path) -> None:
    def half(_body: dict[str, Any]) -> Plan:
        yield Step(0, STREAM_HEAD)
        yield Step(0, event(content="没有说完")[:30])

    with Upstream(half) as upstream, answering(tmp_path, upstream.url) as asker:
        message = asker.answered("在吗？")
    assert message.status is FAILED
    assert message.error_text_id == "error.cut_off"
    check_sentences(message)


def test_what_follows_the_finish_reason_is_not_waited_for(tmp_path: Path) -> None:
    def open_end(_body: dict[str, Any]) -> Plan:
        yield Step(0, STREAM_HEAD)
        yield Step(0, event(content="好。") + ending("stop"))
        while True:
            yield Step(0.05, KEEP_ALIVE)

    with Upstream(open_end) as upstream, answering(tmp_path, upstream.url) as asker:
        message = asker.answered("在吗？")
    assert (message.status, message.content) == (COMPLETE, "好。")
