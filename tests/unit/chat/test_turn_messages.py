"""Turns of parts as a provider reads them, and what is sent of a conversation."""

import pytest

from core.models.chat import Turn
from core.models.parts import (
    FilePart,
    PicturePart,
    TextPart,
    ToolCall,
    ToolResult,
    blob_hashes,
    with_text,
)
from core.providers.deepseek.endpoint import ChatEndpoint
from core.providers.deepseek.messages import messages_from
from core.wire.attachments.block import file_block
from core.work.chat.asking.context import sent_turns

OWN = ChatEndpoint("https://api.deepseek.com/chat/completions")
DATA_URL = "data:image/png;base64,iVBORw0KGgo="
CALL = ToolCall("call_0_a", "search", '{"q": "墨"}')
RESULT = ToolResult("call_0_a", "三条结果")


def message(*turns: Turn) -> dict[str, object]:
    (one,) = messages_from(turns, OWN)
    return one


@pytest.mark.parametrize("text", ["你好", "", "a\nb"])
def test_a_turn_of_text_alone_is_a_plain_string(text: str) -> None:
    assert message(Turn.of_text("user", text)) == {"role": "user", "content": text}


def test_a_picture_makes_a_list_of_parts_in_their_order() -> None:
    picture = PicturePart(DATA_URL, detail="low")
    turn = Turn("user", (TextPart("这是"), picture, TextPart("什么？"), FilePart("a.txt", "x")))
    assert message(turn)["content"] == [
        {"type": "text", "text": "这是"},
        {"type": "image_url", "image_url": {"url": DATA_URL, "detail": "low"}},
        {"type": "text", "text": "什么？"},
        {"type": "text", "text": file_block(FilePart("a.txt", "x"))},
    ]
    assert turn.text == "这是\n什么？"


def test_a_picture_that_is_gone_is_told() -> None:
    turn = Turn("user", (PicturePart(sha256="f" * 64, name="cat.png"),))
    assert message(turn)["content"] == [{"type": "text", "text": "[missing picture: cat.png]"}]


def test_a_file_goes_as_a_block_behind_the_words() -> None:
    file = FilePart("notes\n.md", "```py\nx\n```")
    content = message(Turn("user", (file, TextPart("看看"))))["content"]
    assert content == f"看看\n\n{file_block(file)}"


def test_tool_calls_and_their_results_go_as_messages_of_their_own() -> None:
    other = ToolResult("call_1_b", "")
    turns = [
        Turn("assistant", (TextPart("我查查。"), CALL), reasoning_content="要查"),
        Turn("tool", (RESULT, other)),
    ]
    assert messages_from(turns, OWN) == [
        {
            "role": "assistant",
            "content": "我查查。",
            "tool_calls": [
                {
                    "id": "call_0_a",
                    "type": "function",
                    "function": {"name": "search", "arguments": '{"q": "墨"}'},
                }
            ],
            "reasoning_content": "要查",
        },
        {"role": "tool", "tool_call_id": "call_0_a", "content": "三条结果"},
        {"role": "tool", "tool_call_id": "call_1_b", "content": ""},
    ]


def test_a_call_without_words_has_an_empty_text() -> None:
    assert message(Turn("assistant", (CALL,)))["content"] == ""


def test_earlier_reasoning_is_sent_where_tools_were_used() -> None:
    plain = [Turn.of_text("user", "?"), Turn.of_text("assistant", "!", "想")]
    assert [turn.reasoning_content for turn in sent_turns(plain, with_reasoning=False)] == [
        None,
        None,
    ]
    used = [*plain, Turn("assistant", (CALL,), "再想"), Turn("tool", (RESULT,))]
    assert [turn.reasoning_content for turn in sent_turns(used, with_reasoning=False)] == [
        None,
        "想",
        "再想",
        None,
    ]


def test_calls_without_results_and_results_without_calls_are_not_sent() -> None:
    lost = ToolCall("call_9", "search", "{")
    turns = [
        Turn("assistant", (TextPart("我查。"), lost)),
        Turn("assistant", (lost,)),
        Turn("tool", (RESULT,)),
        Turn.of_text("user", "然后？"),
    ]
    sent = sent_turns(turns, with_reasoning=False)
    assert sent == [Turn.of_text("assistant", "我查。"), Turn.of_text("user", "然后？")]


def test_a_reworded_question_keeps_what_is_attached_to_it() -> None:
    picture, file = PicturePart(sha256="a" * 64), FilePart("f", "t", sha256="b" * 64)
    parts = with_text((picture, TextPart("旧"), file), "新")
    assert parts == (TextPart("新"), picture, file)
    assert blob_hashes(parts) == {"a" * 64, "b" * 64}
