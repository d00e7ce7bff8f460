"""An answer's life as a job: asked, watched, stopped, interrupted, kept."""

import gc
import sqlite3
import threading
import weakref
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest

from core.errors import BusyError, InputError, StoreError
from core.models.chat import AnswerStatus, Conversation, Message
from core.models.money.ledger import LineState
from core.storage.chat.running_answers import AnswerDraft
from core.storage.db.errors import store_error
from core.storage.money.filters import LedgerFilter
from core.storage.store import Store
from core.work.chat import persistence
from core.work.chat.asking import kept as kept_questions
from core.work.chat.asking.context import stored_turns
from core.work.chat.buffers.cursors import Cursor
from core.work.chat.live_answer import LiveAnswer
from core.work.standing_leases import StandingLeases
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
from tests.waiting import PATIENCE_S, until
from tests.web.chat.answering import OWNER, PLAIN, QUICK, Asker, answering

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
def asker(tmp_path: Path, upstream: Upstream) -> Iterator[Asker]:
    with answering(tmp_path, upstream.url) as opened:
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


def test_an_answer_goes_on_where_its_title_cannot_be_written(
    asker: Asker, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate.opened.set()
    away = StoreError("error.store_unwritable")
    monkeypatch.setattr(asker.store.conversations, "rename", Mock(side_effect=away))
    answer = asker.answered("在吗？")
    assert (answer.status, answer.content) == (AnswerStatus.COMPLETE, "".join(PIECES))
    (line,) = asker.store.ledger.every(LedgerFilter(kinds=["chat"]))
    assert line.state is not LineState.RESERVED


def test_the_question_is_kept_before_anything_is_sent(asker: Asker, upstream: Upstream) -> None:
    conversation = asker.conversation()
    live = asker.ask("在吗？", conversation)
    question, answer = asker.path(conversation)
    assert (question.content, question.status) == ("在吗？", AnswerStatus.COMPLETE)
    assert (answer.id, answer.status) == (live.message_id, AnswerStatus.RUNNING)


def test_the_text_so_far_is_kept_while_the_answer_grows(asker: Asker) -> None:
    live = asker.ask("在吗？")
    until(lambda: asker.stored(live).content.startswith(half()), "the first half in the store")
    assert asker.stored(live).status is AnswerStatus.RUNNING


def test_a_reader_that_comes_late_or_vanishes_changes_nothing(asker: Asker, gate: Gate) -> None:
    live = asker.ask("在吗？")
    until(lambda: len(live.snapshot().content) >= len(half()), "the first half")
    vanished = live.wait(Cursor(), timeout_s=0)
    assert vanished.content.startswith(half())
    gate.opened.set()
    message = asker.ended(live)
    assert message.content == live.read(Cursor()).content == "".join(PIECES)
    assert message.status is AnswerStatus.COMPLETE
    assert message.usage is not None
    assert message.usage.completion_tokens == len(PIECES)


def test_an_ended_answer_is_no_longer_live(asker: Asker, gate: Gate) -> None:
    gate.opened.set()
    conversation = asker.conversation()
    live = asker.ask("在吗？", conversation)
    asker.ended(live)
    assert asker.answers.live(live.message_id) is None
    assert asker.answers.live_in(conversation.id) is None
    assert not asker.answers.running_conversations()


def test_stopping_closes_a_silent_upstream_and_keeps_the_text(tmp_path: Path) -> None:
    with Upstream(silent) as upstream, answering(tmp_path, upstream.url) as asker:
        live = asker.ask("在吗？")
        until(lambda: live.has_grown, "the first text")
        asker.answers.stop(OWNER, live.message_id)
        message = asker.ended(live)
        (exchange,) = upstream.answers
        assert exchange.is_over.wait(60)
        assert exchange.closed_at is not None
    assert message.status is AnswerStatus.STOPPED
    assert message.content == "开头，然后"
    assert message.usage is None


def test_stopping_works_before_the_upstream_has_answered_at_all(tmp_path: Path) -> None:
    def nothing(_body: dict[str, Any]) -> Plan:
        yield Step(0, None)

    with Upstream(nothing) as upstream, answering(tmp_path, upstream.url) as asker:
        live = asker.ask("在吗？")
        until(lambda: upstream.answers, "the request")
        asker.answers.stop(OWNER, live.message_id)
        assert asker.ended(live).status is AnswerStatus.STOPPED
        assert upstream.answers[0].is_over.wait(60)
        assert upstream.answers[0].closed_at is not None


def test_stopping_at_once_and_again_is_harmless(asker: Asker, upstream: Upstream) -> None:
    live = asker.ask("在吗？")
    asker.answers.stop(OWNER, live.message_id)
    asker.answers.stop(OWNER, live.message_id)
    assert asker.ended(live).status is AnswerStatus.STOPPED
    asker.answers.stop(OWNER, live.message_id)
    assert asker.stored(live).status is AnswerStatus.STOPPED


def test_nobody_stops_another_persons_answer(asker: Asker, gate: Gate) -> None:
    live = asker.ask("在吗？")
    asker.answers.stop("somebody else", live.message_id)
    gate.opened.set()
    assert asker.ended(live).status is AnswerStatus.COMPLETE


def test_another_process_can_stop_it_through_the_store(
    asker: Asker, tmp_path: Path, upstream: Upstream
) -> None:
    live = asker.ask("在吗？")
    until(lambda: live.has_grown, "the first text")
    with answering(tmp_path, upstream.url) as elsewhere:
        elsewhere.answers.stop(OWNER, live.message_id)
        assert asker.ended(live).status is AnswerStatus.STOPPED


def test_a_stop_that_comes_with_the_end_comes_too_late(
    asker: Asker, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate.opened.set()
    conversation = asker.conversation()
    live = asker.ask("在吗？", conversation)
    finish = live.finish

    def finish_and_stop(*args: Any) -> None:
        finish(*args)
        asker.answers.stop(OWNER, live.message_id)

    monkeypatch.setattr(live, "finish", finish_and_stop)
    assert asker.ended(live).status is AnswerStatus.COMPLETE
    until(lambda: asker.again(conversation).title == "一个标题", "the title")
    until(lambda: not asker.answers.is_title_awaited(conversation.id), "it is awaited no more")


def begun_elsewhere(
    store: Store, conversation: Conversation, lease_s: float, content: str = ""
) -> Message:
    """Return an answer that runs in another process, as its row says."""
    _, answer = store.messages.begin_answer(
        OWNER,
        conversation.id,
        question="有人吗？",
        parent_id=None,
        parameters=PLAIN,
        model=PLAIN.model,
        practice=True,
        process_id="elsewhere",
        lease_s=lease_s,
        content=content,
    )
    return answer


@pytest.mark.parametrize("lease_s", [0.2, 3 * 3600.0])  # or given before the clock was set back
def test_what_a_dead_process_left_is_ended_by_one_that_lives(
    tmp_path: Path, upstream: Upstream, lease_s: float
) -> None:
    often = replace(QUICK, lease_s=0.5, sweep_s=0.05)
    with answering(tmp_path, upstream.url, timings=often) as asker:
        live = asker.ask("在吗？")
        until(lambda: asker.stored(live).content, "the first text in the store")
        left = begun_elsewhere(asker.store, asker.conversation(), lease_s, content="半句")

        def found() -> Message:
            message = asker.store.messages.get(OWNER, left.id)
            assert message is not None
            return message

        until(lambda: found().status is AnswerStatus.INTERRUPTED, "it is ended")
        assert found().content == "半句"
        assert not live.is_final


@pytest.mark.parametrize("ahead_s", [-3600.0, 3600.0, 40 * 86400.0])
def test_an_answer_that_a_host_of_another_clock_renews_is_left_alone(
    tmp_path: Path, upstream: Upstream, ahead_s: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both hosts are at one database: what the other's leases end at tells nothing here."""
    passed_s = [0.0]  # goes on between two renewals, however long those take on this machine
    monkeypatch.setattr(
        persistence,
        "StandingLeases",
        lambda _clock, **more: StandingLeases(lambda: passed_s[0], **more),
    )
    often = replace(QUICK, lease_s=1.0, sweep_s=0.05)
    with answering(tmp_path, upstream.url, timings=often) as asker:
        elsewhere = Store(
            asker.store._database,
            process_lock=None,
            clock=lambda: datetime.now(UTC) + timedelta(seconds=ahead_s),
        )
        living, dead = (
            begun_elsewhere(elsewhere, asker.conversation(), often.lease_s) for _ in range(2)
        )

        def status_of(answer: Message) -> AnswerStatus:
            found = asker.store.messages.get(OWNER, answer.id)
            assert found is not None
            return found.status

        def renewed() -> bool:
            draft = AnswerDraft(living.id, "半句")
            elsewhere.running_answers.save_running([draft], lease_s=often.lease_s)
            passed_s[0] += often.lease_s / 10
            return status_of(dead) is AnswerStatus.INTERRUPTED

        until(renewed, "what nobody renews is ended")
        assert status_of(living) is AnswerStatus.RUNNING


def test_a_second_question_is_refused_and_leaves_no_trace(asker: Asker, gate: Gate) -> None:
    conversation = asker.conversation()
    live = asker.ask("一？", conversation)
    with pytest.raises(BusyError):
        asker.ask("二？", asker.again(conversation))
    with pytest.raises(BusyError):
        asker.answers.regenerate(
            OWNER, asker.again(conversation), asker.path(conversation)[-1], PLAIN
        )
    gate.opened.set()
    asker.ended(live)
    assert [message.content for message in asker.path(conversation)] == ["一？", "".join(PIECES)]


def test_an_empty_question_is_refused_before_anything_is_kept(asker: Asker) -> None:
    conversation = asker.conversation()
    with pytest.raises(InputError):
        asker.ask(" \n", conversation)
    assert asker.path(conversation) == ()


def test_closing_keeps_what_came_as_interrupted(tmp_path: Path, upstream: Upstream) -> None:
    with answering(tmp_path, upstream.url) as asker:
        conversation = asker.conversation()
        live = asker.ask("在吗？", conversation)
        until(lambda: len(live.snapshot().content) >= len(half()), "the first half")
    assert upstream.answers[0].is_over.wait(60)
    with answering(tmp_path, upstream.url) as asker:
        message = asker.stored(live)
    assert message.status is AnswerStatus.INTERRUPTED
    assert message.content.startswith(half())


def test_a_store_that_fails_for_a_while_loses_nothing(
    gate: Gate, tmp_path: Path, upstream: Upstream
) -> None:
    with answering(tmp_path, upstream.url, busy_timeout_s=0.05) as asker:
        live = asker.ask("在吗？")
        until(lambda: live.has_grown, "the first text")
        with blocked(tmp_path):
            gate.opened.set()
            until(lambda: live.is_final, "the answer's end")
            assert not live.saved.is_set()
            assert asker.answers.live(live.message_id) is live  # pages still find it
        message = asker.ended(live)
        assert message.status is AnswerStatus.COMPLETE
        assert message.content == "".join(PIECES)


def test_a_posted_chat_that_cannot_be_written_down_is_never_asked(tmp_path: Path) -> None:
    with (
        Upstream(silent) as upstream,
        answering(tmp_path, upstream.url, busy_timeout_s=0.05) as asker,
    ):
        with blocked(tmp_path):
            refused = asker.ask_posted("在吗？")
            assert refused.saved.wait(PATIENCE_S)
            assert isinstance(refused.error, StoreError)
            left = asker.ask_posted("不等了？")
            asker.answers.stop(OWNER, left.message_id)
            assert left.saved.wait(PATIENCE_S)
            assert asker.answers.live(left.message_id) is None
        assert asker.store.messages.get(OWNER, refused.message_id) is None
        again = asker.ask_posted("好了吗？")
        until(lambda: again.has_grown, "the first text")
        asker.answers.stop(OWNER, again.message_id)
        assert asker.ended(again).status is AnswerStatus.STOPPED
        assert len(upstream.exchanges) == 1


def test_a_chat_that_is_stopped_while_it_is_written_down_ends_as_stopped_and_is_never_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Upstream(silent) as upstream, answering(tmp_path, upstream.url) as asker:
        begin, may_write = asker.store.posted_chats.begin, threading.Event()
        reached = threading.Event()

        def slow(*args: Any, **named: Any) -> Any:
            reached.set()
            assert may_write.wait(PATIENCE_S)
            return begin(*args, **named)

        monkeypatch.setattr(asker.store.posted_chats, "begin", slow)
        live = asker.ask_posted("在吗？")
        assert reached.wait(PATIENCE_S)
        asker.answers.stop(OWNER, live.message_id)
        until(lambda: live.is_final, "the answer's end")
        may_write.set()
        assert asker.ended(live).status is AnswerStatus.STOPPED
        assert upstream.exchanges == []


def test_a_row_whose_commit_was_not_confirmed_is_never_asked_and_ends_with_its_lease(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    often = replace(QUICK, lease_s=0.5, sweep_s=0.1)
    with Upstream(silent) as upstream, answering(tmp_path, upstream.url, timings=often) as asker:
        begin = asker.store.posted_chats.begin

        def unconfirmed(*args: Any, **named: Any) -> None:
            begin(*args, **named)
            monkeypatch.setattr(asker.store.posted_chats, "begin", begin)
            raise store_error("error.store_gone", "the store")

        monkeypatch.setattr(asker.store.posted_chats, "begin", unconfirmed)
        doubtful = asker.ask_posted("在吗？")
        assert doubtful.saved.wait(PATIENCE_S)
        assert isinstance(doubtful.error, StoreError)
        running = asker.ask_posted("好了吗？")
        until(
            lambda: asker.stored(doubtful).status is AnswerStatus.INTERRUPTED,
            "the row that nobody runs is ended",
        )
        assert asker.stored(running).status is AnswerStatus.RUNNING
        until(lambda: running.has_grown, "the other one goes on")
        assert "在吗？" not in str([one.body for one in upstream.exchanges])
        assert len(asker.store.conversations.list(OWNER).items) == 2


def test_a_chat_that_is_asked_while_the_studio_closes_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Upstream(silent) as upstream:
        with answering(tmp_path, upstream.url) as asker:
            with monkeypatch.context() as patched:
                held: list[Any] = []
                patched.setattr(asker.loop, "post", held.append)
                late = asker.ask_posted("在吗？")
            asker.answers.close()
            asker.loop.post(held[0])
            assert asker.ended(late).status is AnswerStatus.INTERRUPTED
            with monkeypatch.context() as patched:
                patched.setattr(asker.loop, "post", held.append)
                forgotten = asker.ask_posted("还在吗？")
        asker.answers.end_late()
        assert forgotten.outline().status is AnswerStatus.INTERRUPTED
        too_late = asker.ask_posted("太晚了？")
        assert too_late.outline().status is AnswerStatus.INTERRUPTED
        assert upstream.exchanges == []


def test_an_answer_that_is_written_down_and_not_yet_asked_keeps_its_lease(
    tmp_path: Path, upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    may_read = threading.Event()

    def slow(*args: Any, **named: Any) -> Any:
        assert may_read.wait(PATIENCE_S)
        return stored_turns(*args, **named)

    monkeypatch.setattr(kept_questions, "stored_turns", slow)
    often = replace(QUICK, lease_s=1.0, save_interval_s=0.05)
    with answering(tmp_path, upstream.url, timings=often) as asker:
        live = asker.ask("在吗？")
        first = _lease_of(tmp_path, live)
        until(lambda: _lease_of(tmp_path, live) > first, "its lease is renewed")
        assert upstream.exchanges == []
        may_read.set()
        until(lambda: live.has_grown, "the first text")


def _lease_of(folder: Path, live: LiveAnswer) -> int:
    with closing(sqlite3.connect(folder / "inkling.sqlite3")) as database:
        query = "SELECT lease_until FROM messages WHERE id = ?"
        return int(database.execute(query, (live.message_id,)).fetchone()[0])


def test_text_that_comes_while_the_store_is_away_is_kept_whole(
    tmp_path: Path, upstream: Upstream, gate: Gate
) -> None:
    with answering(tmp_path, upstream.url) as asker:
        live = asker.ask_posted("在吗？")
        until(lambda: live.has_grown, "the first text")
        with blocked(tmp_path):
            gate.opened.set()
            until(lambda: live.is_final, "the answer's end")
            assert not live.saved.is_set()
        message = asker.ended(live)
    assert message.status is AnswerStatus.COMPLETE
    assert message.content == "".join(PIECES)


@pytest.mark.parametrize("is_posted", [True, False], ids=["posted", "page"])
def test_an_answer_that_is_kept_leaves_the_memory(tmp_path: Path, is_posted: bool) -> None:
    def quick(_body: dict[str, Any]) -> Plan:
        yield from streamed(PIECES, 0)

    with Upstream(quick) as upstream, answering(tmp_path, upstream.url) as asker:
        gc.collect()
        gc.disable()
        try:
            live = asker.ask_posted("在吗？") if is_posted else asker.ask("在吗？")
            asker.ended(live)
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

    with Upstream(steady) as upstream, answering(tmp_path, upstream.url) as asker:
        post = asker.loop.post
        held: list[Any] = []
        saves: list[Any] = []
        save_running = asker.store.running_answers.save_running

        def save(*args: Any, **named: Any) -> Any:
            saves.append(args)
            return save_running(*args, **named)

        monkeypatch.setattr(asker.store.running_answers, "save_running", save)
        asker.ask("在吗？")
        with monkeypatch.context() as patched:
            patched.setattr(asker.loop, "post", held.append)
            late = asker.ask_posted("也在吗？")
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

    with Upstream(patient) as upstream, answering(tmp_path, upstream.url) as asker:
        message = asker.answered("在吗？")
    assert message.content == "好。"
    assert message.status is AnswerStatus.COMPLETE
