"""Asking again: retries, other versions, branches, continuations, and the title."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from core.errors import InputError
from core.models.chat import AnswerStatus, ChatParameters, Conversation
from core.practice.server import PracticeServer
from core.practice.settings import PracticeSettings
from tests.upstream import (
    DONE,
    STREAM_HEAD,
    Plan,
    Step,
    Upstream,
    completion,
    ending,
    event,
    streamed,
    whole,
)
from tests.waiting import until
from tests.web.chat.answering import OWNER, PLAIN, Asker, answering

THINKING = ChatParameters(thinking=True)
QUICK = PracticeSettings(first_delta_s=0, delta_interval_s=0)
MUST_BE_PASSED_BACK = {
    "error": {
        "message": "The `reasoning_content` in the thinking mode must be passed back to the API.",
        "type": "invalid_request_error",
        "param": None,
        "code": "invalid_request_error",
    }
}


class Refusing:
    """Refuses the first requests that `refusals` names, then answers."""

    def __init__(self, refusals: Sequence[bytes] = ()) -> None:
        self.refusals = list(refusals)
        self.title = "山中的寺"

    def plan(self, body: dict[str, Any]) -> Plan:
        if not body["stream"]:
            yield Step(0, completion(self.title))
        elif self.refusals:
            yield Step(0, self.refusals.pop(0))
        else:
            yield Step(0, STREAM_HEAD)
            yield Step(0, event(reasoning_content="想了想"))
            yield from list(streamed(["从前", "有座山。"], 0))[1:]


@pytest.fixture
def server() -> Refusing:
    return Refusing()


@pytest.fixture
def upstream(server: Refusing) -> Iterator[Upstream]:
    with Upstream(server.plan) as running:
        yield running


@pytest.fixture
def asker(tmp_path: Path, upstream: Upstream) -> Iterator[Asker]:
    with answering(tmp_path, upstream.url) as opened:
        yield opened


@pytest.fixture
def practice_desk(tmp_path: Path) -> Iterator[Asker]:
    with PracticeServer(settings=QUICK) as practice, answering(tmp_path, practice.chat_url) as one:
        yield one


def reasoning_sent(body: dict[str, Any]) -> list[str | None]:
    return [turn.get("reasoning_content") for turn in body["messages"]]


def test_reasoning_is_left_out_until_the_api_asks_for_it(
    asker: Asker, server: Refusing, upstream: Upstream
) -> None:
    conversation = asker.conversation()
    asker.answered("一？", conversation, THINKING)
    server.refusals = [whole(MUST_BE_PASSED_BACK, "400 Bad Request")]
    message = asker.answered("二？", asker.again(conversation), THINKING)
    assert message.status is AnswerStatus.COMPLETE
    _, refused, accepted = upstream.answers
    assert reasoning_sent(refused.body) == [None, None, None]
    assert reasoning_sent(accepted.body) == [None, "想了想", None]


def test_the_other_reasoning_rule_is_tried_once_only(
    asker: Asker, server: Refusing, upstream: Upstream
) -> None:
    server.refusals = [whole(MUST_BE_PASSED_BACK, "400 Bad Request")] * 5
    message = asker.answered("一？", parameters=THINKING)
    assert (message.status, message.error_text_id) == (
        AnswerStatus.FAILED,
        "error.reasoning_required",
    )
    assert len(upstream.answers) == 2


def test_another_400_is_not_tried_again(asker: Asker, server: Refusing, upstream: Upstream) -> None:
    server.refusals = [whole({"error": {"message": "bad"}}, "400 Bad Request")] * 5
    assert asker.answered("一？").status is AnswerStatus.FAILED
    assert len(upstream.answers) == 1


@pytest.mark.parametrize("status", ["429 Too Many Requests", "503 Service Unavailable"])
def test_what_was_refused_for_now_is_asked_again(
    asker: Asker, server: Refusing, upstream: Upstream, status: str
) -> None:
    server.refusals = [whole({"error": {"message": "busy"}}, status)] * 2
    assert asker.answered("一？").content == "从前有座山。"
    assert len(upstream.answers) == 3


def test_an_answer_that_has_begun_is_never_asked_for_again(tmp_path: Path) -> None:
    def breaking(body: dict[str, Any]) -> Plan:
        yield Step(0, STREAM_HEAD)
        yield Step(0, event(reasoning_content="想了一半"))

    with Upstream(breaking) as upstream, answering(tmp_path, upstream.url) as asker:
        message = asker.answered("一？", parameters=THINKING)
        assert len(upstream.answers) == 1
    assert message.status is AnswerStatus.CUT_OFF
    assert message.reasoning_content == "想了一半"


def test_regenerating_keeps_the_earlier_version_with_its_usage(asker: Asker) -> None:
    conversation = asker.conversation()
    first = asker.answered("一？", conversation)
    again = asker.answers.regenerate(OWNER, asker.again(conversation), first, PLAIN)
    second = asker.ended(again)
    assert (second.version, second.version_count) == (2, 2)
    earlier, later = asker.store.messages.versions(OWNER, first.id)
    assert (earlier.id, later.id) == (first.id, second.id)
    assert earlier.usage is not None
    assert asker.path(conversation)[-1].id == second.id


def test_an_edited_question_is_a_branch_and_both_stay_reachable(asker: Asker) -> None:
    conversation = asker.conversation()
    asker.answered("一？", conversation)
    second = asker.answered("二？", asker.again(conversation))
    question = asker.path(conversation)[2]
    edited = asker.answers.edit(OWNER, asker.again(conversation), question, "别的？", PLAIN)
    asker.ended(edited)
    shown = asker.path(conversation)
    assert [message.content for message in shown if message.role == "user"] == ["一？", "别的？"]
    assert (shown[2].version, shown[2].version_count) == (2, 2)
    asker.store.messages.choose_version(OWNER, conversation.id, question.id)
    assert asker.path(conversation)[-1].id == second.id


def test_an_edited_first_question_does_not_send_the_old_one(
    asker: Asker, upstream: Upstream
) -> None:
    conversation = asker.conversation()
    asker.answered("一？", conversation)
    question = asker.path(conversation)[0]
    asker.ended(asker.answers.edit(OWNER, asker.again(conversation), question, "别的？", PLAIN))
    sent = upstream.answers[-1].body["messages"]
    assert [turn["content"] for turn in sent] == ["别的？"]


def test_a_cut_answer_goes_on_where_it_was_cut(practice_desk: Asker) -> None:
    asker = practice_desk
    conversation = asker.conversation()
    whole_answer = asker.answered("写一首诗")
    cut = asker.answered("写一首诗 /practice length", conversation)
    rest = asker.ended(asker.answers.resume(OWNER, asker.again(conversation), cut, PLAIN))
    assert cut.finish_reason == "length"
    assert rest.content.startswith(cut.content)
    assert rest.content == whole_answer.content
    assert (rest.version, rest.version_count) == (2, 2)
    assert asker.store.messages.get(OWNER, cut.id) == cut.__class__(
        **{name: getattr(cut, name) for name in cut.__slots__} | {"version_count": 2}
    )


def test_a_continuation_that_fails_keeps_what_was_there(asker: Asker, server: Refusing) -> None:
    conversation = asker.conversation()
    first = asker.answered("一？", conversation)
    server.refusals = [whole({"error": {"message": "no"}}, "402 Payment Required")]
    message = asker.ended(asker.answers.resume(OWNER, asker.again(conversation), first, PLAIN))
    assert message.status is AnswerStatus.FAILED
    assert message.content == first.content


def test_a_deleted_conversation_takes_no_more_questions(asker: Asker) -> None:
    conversation = asker.conversation()
    asker.answered("一？", conversation)
    asker.store.conversations.delete(OWNER, conversation.id)
    with pytest.raises(InputError):
        asker.ask("二？", conversation)
    asker.store.conversations.restore(OWNER, conversation.id)
    assert asker.answered("二？", asker.again(conversation)).status is AnswerStatus.COMPLETE


def title(asker: Asker, conversation: Conversation) -> str:
    return asker.again(conversation).title


def test_the_model_names_the_conversation_after_its_first_answer(
    asker: Asker, server: Refusing, upstream: Upstream
) -> None:
    server.title = "《山中的寺》"
    conversation = asker.conversation()
    live = asker.ask("一个很长的问题？", conversation)
    assert title(asker, conversation) == "一个很长的问题？"
    asker.ended(live)
    until(lambda: title(asker, conversation) == "山中的寺", "the title")
    until(lambda: not asker.answers.is_title_awaited(conversation.id), "the end of naming")
    server.title = "别的标题"
    asker.answered("二？", asker.again(conversation))
    assert title(asker, conversation) == "山中的寺"
    assert sum(not one.body["stream"] for one in upstream.exchanges) == 1


def test_a_page_that_sees_the_end_knows_that_a_title_will_come(tmp_path: Path) -> None:
    asked_for_title: list[bool] = []

    def slow_title(body: dict[str, Any]) -> Plan:
        if body["stream"]:
            yield from streamed(["好。"], 0)
            return
        while not asked_for_title:
            yield Step(0.005, b"")
        yield Step(0, completion("一个标题"))

    with Upstream(slow_title) as upstream, answering(tmp_path, upstream.url) as asker:
        conversation = asker.conversation()
        live = asker.ask("一？", conversation)
        assert not asker.answers.is_title_awaited(conversation.id)
        asker.ended(live)
        assert asker.answers.is_title_awaited(conversation.id)
        asked_for_title.append(True)
        until(lambda: not asker.answers.is_title_awaited(conversation.id), "the title")
        assert title(asker, conversation) == "一个标题"


def test_a_title_that_a_person_wrote_stays(asker: Asker) -> None:
    conversation = asker.conversation()
    asker.store.conversations.rename(OWNER, conversation.id, "我的标题", manual=True)
    asker.answered("一？", asker.again(conversation))
    assert not asker.answers.is_title_awaited(conversation.id)
    assert title(asker, conversation) == "我的标题"


def test_a_title_that_cannot_be_had_changes_nothing(tmp_path: Path) -> None:
    def no_title(body: dict[str, Any]) -> Plan:
        if body["stream"]:
            yield from streamed(["好。"], 0)
        else:
            yield Step(0, whole({"error": {"message": "no"}}, "500 Internal Server Error"))

    with Upstream(no_title) as upstream, answering(tmp_path, upstream.url) as asker:
        conversation = asker.conversation()
        assert asker.answered("一？", conversation).status is AnswerStatus.COMPLETE
        until(lambda: not asker.answers.is_title_awaited(conversation.id), "the end of naming")
        assert title(asker, conversation) == "一？"


def test_a_stopped_first_answer_gets_no_title(tmp_path: Path) -> None:
    def silent(_body: dict[str, Any]) -> Plan:
        yield Step(0, STREAM_HEAD)
        yield Step(0, event(content="开头"))
        yield Step(0, None)

    with Upstream(silent) as upstream, answering(tmp_path, upstream.url) as asker:
        live = asker.ask("一？")
        until(lambda: live.has_grown, "the first text")
        asker.answers.stop(OWNER, live.message_id)
        asker.ended(live)
        assert len(upstream.exchanges) == 1


def test_moving_parameters_while_it_runs_does_not_touch_the_answer(tmp_path: Path) -> None:
    go_on: list[bool] = []

    def halting(body: dict[str, Any]) -> Plan:
        yield Step(0, STREAM_HEAD)
        yield Step(0, event(content="开头，"))
        while not go_on:
            yield Step(0.005, b"")
        yield Step(0, event(content="结尾。") + ending() + DONE)

    with Upstream(halting) as upstream, answering(tmp_path, upstream.url) as asker:
        conversation = asker.conversation()
        live = asker.ask("一？", conversation, ChatParameters(temperature=0.2))
        until(lambda: live.has_grown, "the first text")
        asker.store.conversations.configure(
            OWNER, conversation.id, parameters=ChatParameters(temperature=1.9)
        )
        go_on.append(True)
        message = asker.ended(live)
        assert message.content == "开头，结尾。"
        assert message.parameters == ChatParameters(temperature=0.2)
