"""Every way an answer can end, as the page tells it in both languages."""

from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from core.access.owners import LOCAL_OWNER
from core.models.chat import AnswerStatus, ChatParameters, Turn
from core.models.parts import TextPart, ToolCall, ToolResult
from core.storage.store import Store
from core.texts import catalogue
from core.texts.catalogue import Language
from tests.app.elements import shown
from tests.kept_answers import end_answer

CUT = {"error_text_id": "error.cut_off", "error_facts": {"host": "api.example.com"}}
STALLED = {
    "error_text_id": "error.answer_stalled",
    "error_facts": {"host": "api.example.com", "seconds": 180},
}
QUEUED = {
    "error_text_id": "error.queue_too_long",
    "error_facts": {"host": "api.example.com", "seconds": 660},
}

THOUGHT = {"reasoning_content": "想过"}

# What was kept, and the texts that have to tell it.
ENDINGS: list[tuple[dict[str, Any], tuple[str, ...]]] = [
    ({"status": AnswerStatus.STOPPED}, ("chat.ended_stopped",)),
    ({"status": AnswerStatus.INTERRUPTED}, ("chat.ended_interrupted",)),
    ({"status": AnswerStatus.CUT_OFF, **CUT}, ("chat.ended_cut_off", "error.cut_off")),
    ({"status": AnswerStatus.CUT_OFF, **STALLED}, ("chat.ended_cut_off", "error.answer_stalled")),
    ({"status": AnswerStatus.FAILED, "content": "", **QUEUED}, ("error.queue_too_long",)),
    ({"finish_reason": "length"}, ("chat.finish_length",)),
    ({"finish_reason": "content_filter"}, ("chat.finish_content_filter",)),
    ({"finish_reason": "tool_calls", "content": ""}, ("chat.finish_tool_calls",)),
    ({"finish_reason": "aborted"}, ("chat.finish_aborted",)),
    (
        {"finish_reason": "insufficient_system_resource"},
        ("chat.finish_insufficient_system_resource",),
    ),
    ({"finish_reason": "paused"}, ("chat.finish_other",)),
    ({"finish_reason": "stop", "content": ""}, ("chat.ended_empty",)),
    (
        {"finish_reason": "stop", "content": "", "reasoning_content": "想过"},
        ("chat.ended_only_reasoning",),
    ),
    # Where there is nothing to go on from, nobody is told to go on.
    ({"finish_reason": "stop", "content": " \n"}, ("chat.ended_blank",)),
    ({"finish_reason": "length", "content": "", **THOUGHT}, ("chat.finish_length_bare",)),
    ({"finish_reason": "aborted", "content": " "}, ("chat.finish_aborted_bare",)),
    (
        {"finish_reason": "insufficient_system_resource", "content": ""},
        ("chat.finish_insufficient_system_resource_bare",),
    ),
    (
        {"status": AnswerStatus.CUT_OFF, "content": "", **CUT},
        ("chat.ended_cut_off_bare", "error.cut_off"),
    ),
    # What is said beside the ending.
    ({"finish_reason": "stop", "error_facts": {"unread_events": 2}}, ("notice.may_lack",)),
    (
        {"finish_reason": "tool_calls", "content": "", "parts": (ToolCall("a", "find", "{}"),)},
        ("notice.tool_wanted",),
    ),
    (
        {"finish_reason": "stop", "parts": (TextPart("半句话"), ToolCall("a", "", "x"))},
        ("notice.call_wanted",),
    ),
]


@pytest.fixture
def conversation_id(data_dir: Path) -> str:
    """A conversation in which every answer ended in another way."""
    store = Store.open(data_dir / "inkling.sqlite3")
    conversation = store.conversations.create(LOCAL_OWNER)
    parent_id: str | None = None
    for number, (ending, _) in enumerate(ENDINGS):
        _, answer = store.messages.begin_answer(
            LOCAL_OWNER,
            conversation.id,
            question=f"问题 {number}",
            parent_id=parent_id,
            parameters=ChatParameters(),
            model="deepseek-flash",
            practice=False,
            process_id="another",
            lease_s=60,
        )
        end_answer(store, LOCAL_OWNER, answer.id, **{"content": "半句话"} | ending)
        parent_id = answer.id
    store.close()
    return conversation.id


def said(language: Language, key: str) -> str:
    """Return the part of a text before its first placeholder."""
    return catalogue.texts_of(language)[key].split("{")[0].strip()


@pytest.mark.parametrize("language", catalogue.LANGUAGES)
def test_every_ending_is_told(app: AppTest, conversation_id: str, language: Language) -> None:
    app.query_params["c"] = conversation_id
    app.run()
    app.button_group(key="language-choice").set_value(language).run()
    while earlier := [one for one in app.button if one.key == "earlier-turns"]:
        earlier[0].click().run()
    told = [element.value for element in shown(app, "warning", "error")]
    for _, keys in ENDINGS:
        assert any(all(said(language, key) in one for key in keys) for one in told), keys
    assert len(told) == len(ENDINGS)
    assert all("{" not in one for one in told)
    assert not app.exception


def test_what_tools_returned_is_not_drawn_as_an_answer(app: AppTest, data_dir: Path) -> None:
    store = Store.open(data_dir / "inkling.sqlite3")
    conversation_id = store.conversations.create(LOCAL_OWNER).id
    parent_id: str | None = None
    for question, answer_text in (
        (Turn.of_text("user", "找猫"), "我查查。"),
        (Turn("tool", (ToolResult("call_a", "三只猫"),)), "找到了三只。"),
    ):
        _, answer = store.messages.begin_answer(
            LOCAL_OWNER,
            conversation_id,
            question=question,
            parent_id=parent_id,
            parameters=ChatParameters(),
            model="deepseek-flash",
            practice=False,
            process_id="another",
            lease_s=60,
        )
        end_answer(store, LOCAL_OWNER, answer.id, answer_text)
        parent_id = answer.id
    store.close()
    app.query_params["c"] = conversation_id
    app.run()
    assert [one.name for one in app.chat_message] == ["user", "assistant", "tool", "assistant"]
    returned = app.chat_message[2].expander[0]
    assert "call_a" in returned.label
    assert returned.code[0].value == "三只猫"
    assert [one.markdown[0].value for one in app.chat_message if one.markdown] == [
        "找猫",
        "我查查。",
        "找到了三只。",
    ]
    assert not app.exception
