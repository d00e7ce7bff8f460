"""An answer's life as a job: asked, watched, stopped, interrupted, kept."""

import gc
import sqlite3
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from core.errors import BusyError, InputError, StoreError
from core.models.chat import AnswerStatus, Message
from core.storage.db.errors import store_error
from core.work.chat.live_answer import Cursor
from tests.upstream import (
    KEEP_ALIVE,
    STREAM_HEAD,
    Plan,
    Step,
    Upstream,
    completion,
    event,
    streamed,
)
from tests.web.chat.answering import OWNER, PATIENCE_S, PLAIN, Desk, answering, until

PIECES = [f"第 {number} 句。" for number in range(200)]


class Gate:
    """An upstream that sends half of an answer, and the rest once it is opened."""

    def __init__(self) -> None:
        self.opened = threading.Event()

    def plan(self, body: dict[str, Any]) -> Plan:
        if not body["stream"]:
            yield Step(0, completion("一个标题"))
            return
        steps = list(streamed(PIECES, 0.0005))
        middle = len(steps) // 2
        yield from steps[:middle]
        while not self.opened.is_set():
            yield Step(0.005, b"")
        yield from steps[middle:]


@pytest.fixture
def gate() -> Gate:
    return Gate()


@pytest.fixture
def upstream(gate: Gate) -> Iterator[Upstream]:
    with Upstream(gate.plan) as server:
        yield server


@pytest.fixture
def desk(tmp_path: Path, upstream: Upstream) -> Iterator[Desk]:
    with answering(tmp_path, upstream.url, busy_timeout_s=0.05) as opened:
        yield opened


def silent(_body: dict[str, Any]) -> Plan:
    yield Step(0, STREAM_HEAD)
    yield Step(0, event(content="开头，然后"))
    yield Step(0, None)


@contextmanager
def blocked(folder: Path) -> Iterator[None]:
    """Let nobody write to the store."""
    blocker = sqlite3.connect(folder / "inkling.sqlite3", isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        blocker.execute("ROLLBACK")
        blocker.close()


def half() -> str:
    return "".join(PIECES[:90])


def test_the_question_is_kept_before_anything_is_sent(desk: Desk, upstream: Upstream) -> None:
    conversation = desk.conversation()
    live = desk.ask("在吗？", conversation)
    question, answer = desk.path(conversation)
    assert (question.content, question.status) == ("在吗？", AnswerStatus.COMPLETE)
    assert (answer.id, answer.status) == (live.message_id, AnswerStatus.RUNNING)


def test_the_text_so_far_is_kept_while_the_answer_grows(desk: Desk) -> None:
    live = desk.ask("在吗？")
    until(lambda: desk.stored(live).content.startswith(half()), "the first half in the store")
    assert desk.stored(live).status is AnswerStatus.RUNNING


def test_a_reader_that_comes_late_or_vanishes_changes_nothing(desk: Desk, gate: Gate) -> None:
    live = desk.ask("在吗？")
    until(lambda: len(live.snapshot().content) >= len(half()), "the first half")
    vanished = live.wait(Cursor(), timeout_s=0)
    assert vanished.content.startswith(half())
    gate.opened.set()
    message = desk.ended(live)
    assert message.content == live.read(Cursor()).content == "".join(PIECES)
    assert message.status is AnswerStatus.COMPLETE
    assert message.usage is not None
    assert message.usage.completion_tokens == len(PIECES)


def test_an_ended_answer_is_no_longer_live(desk: Desk, gate: Gate) -> None:
    gate.opened.set()
    conversation = desk.conversation()
    live = desk.ask("在吗？", conversation)
    desk.ended(live)
    assert desk.answers.live(live.message_id) is None
    assert desk.answers.live_in(conversation.id) is None
    assert not desk.answers.running_conversations()


def test_stopping_closes_a_silent_upstream_and_keeps_the_text(tmp_path: Path) -> None:
    with Upstream(silent) as upstream, answering(tmp_path, upstream.url) as desk:
        live = desk.ask("在吗？")
        until(lambda: live.has_grown, "the first text")
        desk.answers.stop(OWNER, live.message_id)
        message = desk.ended(live)
        (exchange,) = upstream.answers
        assert exchange.is_over.wait(10)
        assert exchange.closed_at is not None
    assert message.status is AnswerStatus.STOPPED
    assert message.content == "开头，然后"
    assert message.usage is None


def test_stopping_works_before_the_upstream_has_answered_at_all(tmp_path: Path) -> None:
    def nothing(_body: dict[str, Any]) -> Plan:
        yield Step(0, None)

    with Upstream(nothing) as upstream, answering(tmp_path, upstream.url) as desk:
        live = desk.ask("在吗？")
        until(lambda: upstream.answers, "the request")
        desk.answers.stop(OWNER, live.message_id)
        assert desk.ended(live).status is AnswerStatus.STOPPED
        assert upstream.answers[0].is_over.wait(10)
        assert upstream.answers[0].closed_at is not None


def test_stopping_at_once_and_again_is_harmless(desk: Desk, upstream: Upstream) -> None:
    live = desk.ask("在吗？")
    desk.answers.stop(OWNER, live.message_id)
    desk.answers.stop(OWNER, live.message_id)
    assert desk.ended(live).status is AnswerStatus.STOPPED
    desk.answers.stop(OWNER, live.message_id)
    assert desk.stored(live).status is AnswerStatus.STOPPED


def test_nobody_stops_another_persons_answer(desk: Desk, gate: Gate) -> None:
    live = desk.ask("在吗？")
    desk.answers.stop("somebody else", live.message_id)
    gate.opened.set()
    assert desk.ended(live).status is AnswerStatus.COMPLETE


def test_another_process_can_stop_it_through_the_store(
    desk: Desk, tmp_path: Path, upstream: Upstream
) -> None:
    live = desk.ask("在吗？")
    until(lambda: live.has_grown, "the first text")
    with answering(tmp_path, upstream.url) as elsewhere:
        elsewhere.answers.stop(OWNER, live.message_id)
        assert desk.ended(live).status is AnswerStatus.STOPPED


def test_a_stop_that_comes_with_the_end_comes_too_late(desk: Desk, gate: Gate) -> None:
    gate.opened.set()
    conversation = desk.conversation()
    live = desk.ask("在吗？", conversation)
    finish = live.finish

    def finish_and_stop(*args: Any) -> None:
        finish(*args)
        desk.answers.stop(OWNER, live.message_id)

    live.finish = finish_and_stop  # type: ignore[method-assign]
    assert desk.ended(live).status is AnswerStatus.COMPLETE
    until(lambda: desk.again(conversation).title == "一个标题", "the title")
    until(lambda: not desk.answers.is_title_awaited(conversation.id), "it is awaited no more")


def test_what_a_dead_process_left_is_ended_by_one_that_lives(
    tmp_path: Path, upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.work.chat.persistence.SWEEP_S", 0.05)
    with answering(tmp_path, upstream.url) as desk:
        live = desk.ask("在吗？")
        until(lambda: desk.stored(live).content, "the first text in the store")
        _, left = desk.store.messages.begin_answer(
            OWNER,
            desk.conversation().id,
            question="有人吗？",
            parent_id=None,
            parameters=PLAIN,
            model=PLAIN.model,
            practice=True,
            process_id="dead",
            lease_s=0.2,
            content="半句",
        )

        def found() -> Message:
            message = desk.store.messages.get(OWNER, left.id)
            assert message is not None
            return message

        until(lambda: found().status is AnswerStatus.INTERRUPTED, "it is ended")
        assert found().content == "半句"
        assert not live.is_final


def test_a_second_question_is_refused_and_leaves_no_trace(desk: Desk, gate: Gate) -> None:
    conversation = desk.conversation()
    live = desk.ask("一？", conversation)
    with pytest.raises(BusyError):
        desk.ask("二？", desk.again(conversation))
    with pytest.raises(BusyError):
        desk.answers.regenerate(OWNER, desk.again(conversation), desk.path(conversation)[-1], PLAIN)
    gate.opened.set()
    desk.ended(live)
    assert [message.content for message in desk.path(conversation)] == ["一？", "".join(PIECES)]


def test_an_empty_question_is_refused_before_anything_is_kept(desk: Desk) -> None:
    conversation = desk.conversation()
    with pytest.raises(InputError):
        desk.ask(" \n", conversation)
    assert desk.path(conversation) == ()


def test_closing_keeps_what_came_as_interrupted(tmp_path: Path, upstream: Upstream) -> None:
    with answering(tmp_path, upstream.url) as desk:
        conversation = desk.conversation()
        live = desk.ask("在吗？", conversation)
        until(lambda: len(live.snapshot().content) >= len(half()), "the first half")
    assert upstream.answers[0].is_over.wait(10)
    with answering(tmp_path, upstream.url) as desk:
        message = desk.stored(live)
    assert message.status is AnswerStatus.INTERRUPTED
    assert message.content.startswith(half())


def test_a_store_that_fails_for_a_while_loses_nothing(
    desk: Desk, gate: Gate, tmp_path: Path
) -> None:
    live = desk.ask("在吗？")
    until(lambda: live.has_grown, "the first text")
    with blocked(tmp_path):
        gate.opened.set()
        until(lambda: live.is_final, "the answer's end")
        assert not live.saved.is_set()
        assert desk.answers.live(live.message_id) is live  # pages still find it
    message = desk.ended(live)
    assert message.status is AnswerStatus.COMPLETE
    assert message.content == "".join(PIECES)


def test_a_posted_chat_that_cannot_be_written_down_is_ended_and_kept_once_it_can(
    tmp_path: Path,
) -> None:
    with (
        Upstream(silent) as upstream,
        answering(tmp_path, upstream.url, busy_timeout_s=0.05) as desk,
    ):
        with blocked(tmp_path):
            live = desk.ask_posted("在吗？")
            until(lambda: live.is_final, "the answer's end")
            assert isinstance(live.error, StoreError)
            until(lambda: upstream.exchanges[0].closed_at, "the request is closed")
            if live.has_grown:
                assert not live.saved.is_set()
            # Known to be in trouble: nothing is sent for the next one.
            refused = desk.ask_posted("还在吗？")
            assert refused.saved.wait(PATIENCE_S)
            assert isinstance(refused.error, StoreError)
            left = desk.ask_posted("不等了？")
            desk.answers.stop(OWNER, left.message_id)
            assert left.saved.wait(PATIENCE_S)
            assert desk.answers.live(left.message_id) is None
            assert len(upstream.exchanges) == 1
        assert live.saved.wait(PATIENCE_S)
        kept = desk.store.messages.get(OWNER, live.message_id)
        assert kept is None or kept.content == live.snapshot().content
        assert (kept is not None) == live.has_grown
        assert desk.store.messages.get(OWNER, refused.message_id) is None
        again = desk.ask_posted("好了吗？")
        until(lambda: again.has_grown, "the first text")
        desk.answers.stop(OWNER, again.message_id)
        assert desk.ended(again).status is AnswerStatus.STOPPED


def test_a_row_whose_commit_was_not_confirmed_is_there_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Upstream(silent) as upstream, answering(tmp_path, upstream.url) as desk:
        begin = desk.store.posted_chats.begin

        def unconfirmed(*args: Any, **named: Any) -> None:
            begin(*args, **named)
            monkeypatch.setattr(desk.store.posted_chats, "begin", begin)
            raise store_error("error.store_gone", "the store")

        monkeypatch.setattr(desk.store.posted_chats, "begin", unconfirmed)
        live = desk.ask_posted("在吗？")
        message = desk.ended(live)
        assert message.status is AnswerStatus.FAILED
        assert message.content == live.snapshot().content
        assert len(desk.store.conversations.list(OWNER).items) == 1


def test_a_row_that_was_awaited_and_not_confirmed_is_ended_with_the_next_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Upstream(silent) as upstream, answering(tmp_path, upstream.url) as desk:
        begin = desk.store.posted_chats.begin

        def refused(*_args: Any, **_named: Any) -> None:
            raise store_error("error.store_gone", "the store")

        def unconfirmed(*args: Any, **named: Any) -> None:
            begin(*args, **named)
            refused()

        monkeypatch.setattr(desk.store.posted_chats, "begin", refused)
        first = desk.ask_posted("在吗？")
        until(lambda: first.is_final, "the trouble is known")
        monkeypatch.setattr(desk.store.posted_chats, "begin", unconfirmed)
        doubtful = desk.ask_posted("还在吗？")
        assert doubtful.saved.wait(PATIENCE_S)
        assert desk.stored(doubtful).status is AnswerStatus.RUNNING
        monkeypatch.setattr(desk.store.posted_chats, "begin", begin)
        third = desk.ask_posted("好了吗？")
        until(lambda: third.has_grown, "it is asked again")
        until(
            lambda: desk.stored(doubtful).status is AnswerStatus.FAILED, "the doubtful row is ended"
        )
        assert "还在吗？" not in str([one.body for one in upstream.exchanges])


def test_a_chat_that_is_asked_while_the_studio_closes_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Upstream(silent) as upstream:
        with answering(tmp_path, upstream.url) as desk:
            with monkeypatch.context() as patched:
                held: list[Any] = []
                patched.setattr(desk.loop, "post", held.append)
                late = desk.ask_posted("在吗？")
            desk.answers.close()
            desk.loop.post(held[0])
            assert desk.ended(late).status is AnswerStatus.INTERRUPTED
            with monkeypatch.context() as patched:
                patched.setattr(desk.loop, "post", held.append)
                forgotten = desk.ask_posted("还在吗？")
        desk.answers.end_late()
        assert forgotten.outline().status is AnswerStatus.INTERRUPTED
        too_late = desk.ask_posted("太晚了？")
        assert too_late.outline().status is AnswerStatus.INTERRUPTED
        assert upstream.exchanges == []


def test_text_does_not_wait_for_the_store_and_is_kept_whole(tmp_path: Path) -> None:
    def quick(_body: dict[str, Any]) -> Plan:
        yield from streamed(PIECES, 0)

    with Upstream(quick) as upstream, answering(tmp_path, upstream.url) as desk:
        with blocked(tmp_path):
            live = desk.ask_posted("在吗？")
            until(lambda: live.is_final, "the answer's end")
            assert not live.saved.is_set()
        message = desk.ended(live)
    assert message.status is AnswerStatus.COMPLETE
    assert message.content == "".join(PIECES)


@pytest.mark.parametrize("is_posted", [True, False], ids=["posted", "page"])
def test_an_answer_that_is_kept_leaves_the_memory(tmp_path: Path, is_posted: bool) -> None:
    def quick(_body: dict[str, Any]) -> Plan:
        yield from streamed(PIECES, 0)

    with Upstream(quick) as upstream, answering(tmp_path, upstream.url) as desk:
        gc.collect()
        gc.disable()
        try:
            live = desk.ask_posted("在吗？") if is_posted else desk.ask("在吗？")
            desk.ended(live)
            gone = weakref.ref(live)
            del live
            until(lambda: gone() is None, "nobody holds the answer")
        finally:
            gc.enable()


def test_an_answer_that_is_yet_to_begin_is_not_taken_for_one_that_was_deleted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def steady(_body: dict[str, Any]) -> Plan:
        yield from streamed(PIECES, 0.05)

    with Upstream(steady) as upstream, answering(tmp_path, upstream.url) as desk:
        post, held, saves = desk.loop.post, [], []
        save_running = desk.store.messages.save_running

        def save(*args: Any, **named: Any) -> Any:
            saves.append(args)
            return save_running(*args, **named)

        monkeypatch.setattr(desk.store.messages, "save_running", save)
        desk.ask("在吗？")
        with monkeypatch.context() as patched:
            patched.setattr(desk.loop, "post", held.append)
            late = desk.ask_posted("也在吗？")
        until(lambda: len(saves) > 1, "what grows is saved")
        post(held[0])
        until(lambda: late.has_grown or late.is_final, "the late answer goes on")
        assert not late.is_final


def test_comments_do_not_count_as_text(tmp_path: Path) -> None:
    def patient(body: dict[str, Any]) -> Plan:
        yield Step(0, STREAM_HEAD)
        for _ in range(20):
            yield Step(0.001, KEEP_ALIVE)
        yield from list(streamed(["好。"], 0))[1:]

    with Upstream(patient) as upstream, answering(tmp_path, upstream.url) as desk:
        message = desk.answered("在吗？")
    assert message.content == "好。"
    assert message.status is AnswerStatus.COMPLETE
