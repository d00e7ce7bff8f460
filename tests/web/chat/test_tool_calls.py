"""Tool calls of an answer, over real sockets: kept with it, and never bought twice."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.models.chat import AnswerStatus, ChatParameters, Turn
from core.models.parts import Blob, PicturePart, TextPart, ToolCall
from core.wire.masking.secrets import known_secrets
from tests.upstream import DONE, STREAM_HEAD, Plan, Step, Upstream, completion, ending, event, whole
from tests.web.chat.answering import OWNER, PLAIN, answering

SECRET = "sk-0123456789-tools"


def piece(arguments: str, **first: Any) -> bytes:
    function = {"arguments": arguments, **({"name": "find"} if first else {})}
    return event(tool_calls=[{"index": 0, "function": function, **first}])


def calling(*, ends: bool = True) -> Callable[[dict[str, Any]], Plan]:
    def plan(body: dict[str, Any]) -> Plan:
        if not body["stream"]:
            yield Step(0, completion("标题"))
            return
        yield Step(0, STREAM_HEAD)
        yield Step(0, event(content="我查查。"))
        yield Step(0, piece('{"q":"墨","key":"sk-01234', id="call_a", type="function"))
        yield Step(0, piece('56789-tools"}'))
        if ends:
            yield Step(0, ending("tool_calls") + DONE)

    return plan


def test_streamed_tool_calls_are_kept_and_go_back_only_with_their_results(tmp_path: Path) -> None:
    known_secrets.add(SECRET)
    with Upstream(calling()) as upstream, answering(tmp_path, upstream.url) as asker:
        conversation = asker.conversation()
        answer = asker.answered("找墨", conversation)
        assert (answer.status, answer.finish_reason) == (AnswerStatus.COMPLETE, "tool_calls")
        call = ToolCall("call_a", "find", '{"q":"墨","key":"…"}')
        assert answer.parts == (TextPart("我查查。"), call)
        asker.answered("怎么样？", asker.again(conversation))
        assert upstream.answers[-1].body["messages"] == [
            {"role": "user", "content": "找墨"},
            {"role": "assistant", "content": "我查查。"},
            {"role": "user", "content": "怎么样？"},
        ]


def test_tool_calls_of_a_whole_answer_are_kept(tmp_path: Path) -> None:
    calls = [{"id": "call_a", "function": {"name": "find", "arguments": "{}"}}]
    message = {"role": "assistant", "content": None, "tool_calls": calls}
    reply = whole({"choices": [{"message": message, "finish_reason": "tool_calls"}]})
    with (
        Upstream(lambda _: iter([Step(0, reply)])) as upstream,
        answering(tmp_path, upstream.url) as asker,
    ):
        answer = asker.answered("找墨", parameters=ChatParameters(stream=False))
        assert (answer.content, answer.parts) == ("", (ToolCall("call_a", "find", "{}"),))


def test_a_call_that_breaks_off_is_not_asked_for_again(tmp_path: Path) -> None:
    with Upstream(calling(ends=False)) as upstream, answering(tmp_path, upstream.url) as asker:
        answer = asker.answered("找墨")
        assert answer.status is AnswerStatus.CUT_OFF
        assert [type(part) for part in answer.parts] == [TextPart, ToolCall]
        assert len(upstream.answers) == 1


@pytest.mark.parametrize("edited", [False, True])
def test_an_attached_picture_is_sent_also_with_other_words(tmp_path: Path, edited: bool) -> None:
    picture = Blob(b"\x89PNG", "image/png")
    part = PicturePart(sha256=picture.sha256)
    with Upstream(calling()) as upstream, answering(tmp_path, upstream.url) as asker:
        conversation = asker.conversation()
        asked, answer = asker.store.messages.begin_answer(
            OWNER,
            conversation.id,
            question=Turn("user", (TextPart("这是什么？"), part)),
            parent_id=None,
            parameters=PLAIN,
            model="m",
            practice=True,
            process_id="another",
            lease_s=9,
            attached=[picture],
        )
        asker.store.running_answers.interrupt_others("this one")
        assert asked is not None
        conversation = asker.again(conversation)
        if edited:
            live = asker.answers.edit(OWNER, conversation, asked, "是猫吗？", PLAIN)
        else:
            live = asker.answers.regenerate(OWNER, conversation, answer, PLAIN)
        asker.ended(live)
        assert upstream.answers[0].body["messages"][0]["content"] == [
            {"type": "text", "text": "是猫吗？" if edited else "这是什么？"},
            {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw=="}},
        ]
