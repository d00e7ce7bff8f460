"""Posted responses one by one: what is served, and which field is refused with which words.

What is not read for a kind of item or part is not looked at, whatever stands there.
"""

import base64
from typing import Any, get_args

import pytest

from core.models.parts import PicturePart, ToolCall
from core.texts.catalogue import sentence
from core.web.chat.posted.bodies import RoleWord
from core.web.chat.posted.request import ChatRequest, Dialect, chat_request_from_json
from core.web.openai.responses.request import chat_fields
from tests.unit.attachments.files import picture
from tests.web.serving import Served

HI = {"role": "user", "content": "hello"}
TOOL = {"type": "function", "name": "f"}
PICTURE = f"data:image/png;base64,{base64.b64encode(picture('PNG')).decode()}"
THOUGHT = {"type": "reasoning_text", "text": "So."}
CALL = {"type": "function_call", "name": "f", "call_id": "c", "arguments": "{}"}
RESULT = {"type": "function_call_output", "call_id": "c", "output": "Rain"}
MESSAGES: list[dict[str, Any]] = [HI, {"role": "assistant", "content": "Yes"}]
# No text, no parts, no word of a list: refused wherever they were looked at.
ODD: tuple[Any, ...] = ({"a": 1}, [5], 5)
SERVED = None

Case = tuple[dict[str, Any], tuple[str, str] | None]


def said(*items: Any) -> dict[str, Any]:
    return {"input": [*items, HI]}


def part(**fields: Any) -> dict[str, Any]:
    return {"input": [{"role": "user", "content": [{"type": "input_text", "text": "a"}, fields]}]}


def unread(item: dict[str, Any], *names: str) -> list[Case]:
    return [(said(item | {name: odd}), SERVED) for name in names for odd in ODD]


NO_TOOLS: list[dict[str, Any]] = [{}, {"tools": []}, {"tools": None}, {"tools": {}}]
NOTHING: list[Any] = ["", None, 0, False, {}, []]
ODD_CHOICES: list[Any] = [{"type": "web_search_preview"}, "any", {"name": 5}, 5, [], "required"]

CASES: list[Case] = [
    # Nothing is chosen where there are no tools.
    *[({"tool_choice": choice, **tools}, SERVED) for choice in ODD_CHOICES for tools in NO_TOOLS],
    *[({"tools": tools}, SERVED) for tools in NOTHING],
    ({"tools": {"a": 1}}, ("tools", "want_described")),
    ({"tools": "f"}, ("tools", "want_described")),
    ({"tools": [5]}, ("tools[0].type", "functions_only")),
    ({"tools": [{"name": "f"}]}, ("tools[0].type", "functions_only")),
    ({"tools": [TOOL, {"type": "web_search"}]}, ("tools[1].type", "functions_only")),
    ({"tools": [TOOL, {**TOOL, "type": None}]}, ("tools[1].type", "functions_only")),
    ({"tools": [{**TOOL, "name": "a b"}]}, ("tools[0].name", "want_described")),
    ({"tools": [TOOL], "tool_choice": {"type": "custom", "name": "f"}}, SERVED),
    ({"tools": [TOOL], "tool_choice": {"type": 7, "name": "f"}}, SERVED),
    ({"tools": [TOOL], "tool_choice": {"name": "f"}}, SERVED),
    ({"tools": [TOOL], "tool_choice": {"type": "web_search"}}, ("tool_choice", "want_described")),
    ({"tools": [TOOL], "tool_choice": "any"}, ("tool_choice", "want_described")),
    # What says nothing is as good as left out.
    *[(said({**HI, "type": nothing}), SERVED) for nothing in NOTHING],
    *[(part(type="input_image", image_url=PICTURE, detail=nothing), SERVED) for nothing in NOTHING],
    (part(type="input_image", image_url=PICTURE, detail="word"), ("input[0].content", "want_part")),
    (part(type="input_image", image_url=""), ("input[0].content", "want_part")),
    # Fields of other kinds.
    *[
        case
        for message in MESSAGES
        for case in unread(message, "summary", "name", "call_id", "arguments", "output", "id")
    ],
    *[
        (said({**CALL, name: odd}, RESULT), SERVED)
        for name in ("role", "content", "summary", "output", "id")
        for odd in ODD
    ],
    *[
        (said(CALL, {**RESULT, name: odd}), SERVED)
        for name in ("role", "content", "summary", "name", "arguments", "id")
        for odd in ODD
    ],
    *unread({"type": "reasoning", "content": [THOUGHT]}, "role", "name", "arguments", "output"),
    *[
        (part(type="input_text", text="b", **{name: odd}), SERVED)
        for name in ("refusal", "image_url", "detail", "file_data", "filename", "file_id")
        for odd in ODD
    ],
    (part(type="input_image", image_url=PICTURE, text=5, filename=[]), SERVED),
    *[
        ({"text": {"format": {"type": "text", name: odd}}}, SERVED)
        for name in ("name", "schema", "strict")
        for odd in ODD
    ],
    # Of thinking the content is read, or else the summary.
    *[
        (said({"type": "reasoning", "content": [THOUGHT], "summary": summary}), SERVED)
        for summary in ([{"type": "new", "text": "x"}], [5], 5, {"a": 1}, "word")
    ],
    *[
        (said({"type": "reasoning", "content": nothing, "summary": [THOUGHT]}), SERVED)
        for nothing in NOTHING
    ],
    *[(said({"type": "reasoning", "summary": nothing}), SERVED) for nothing in NOTHING],
    (
        said({"type": "reasoning", "content": [{"type": "new"}], "summary": [THOUGHT]}),
        ("input[0].content", "want_text_only"),
    ),
    (
        said({"type": "reasoning", "summary": [{"type": "input_image"}]}),
        ("input[0].summary", "want_text_only"),
    ),
    (said({"type": "reasoning", "summary": {"a": 1}}), ("input[0].summary", "want_text")),
    # What is read is looked at.
    (said({**HI, "role": "robot"}), ("input[0].role", "want_one_of")),
    (said({**HI, "role": {}}), ("input[0].role", "want_one_of")),
    (said({"content": "hello"}), ("input", "want_one_of")),
    (said({**HI, "type": "word", "role": 5}), ("input[0].type", "not_offered")),
    (said({**HI, "type": {"a": 1}}), ("input[0].type", "not_offered")),
    (said({**HI, "content": {"a": 1}}), ("input[0].content", "want_text")),
    (said({"role": "assistant", "content": 5}), ("input[0].content", "want_text")),
    (said({"role": "assistant", "content": [5]}), ("input[0].content", "want_text_only")),
    (said({**HI, "content": [5]}), ("input[0].content", "want_part")),
    (said({**HI, "content": [{"type": "new"}]}), ("input[0].content", "want_part")),
    (said({**RESULT, "output": {"a": 1}}), ("input[0].output", "want_text")),
    (said({**RESULT, "output": [{"type": "new"}]}), ("input[0].output", "want_text_only")),
    (said({**CALL, "arguments": {"a": 1}}), ("input[0].arguments", "want_described")),
    (said({**CALL, "name": 5}), ("input[0].name", "want_described")),
    (said({**CALL, "call_id": 5}), ("input[0].call_id", "want_described")),
    ({"instructions": 5}, ("instructions", "want_text")),
    ({"text": 5}, ("text", "want_described")),
    ({"reasoning": "low"}, ("reasoning", "want_described")),
]


@pytest.mark.parametrize(("fields", "refusal"), CASES)
def test_each_body_is_served_or_refused_by_its_field(
    served: Served, fields: dict[str, Any], refusal: tuple[str, str] | None
) -> None:
    body = {"input": "hello", **fields}
    reply = served.http.post("/v1/responses", json=body, headers={"Accept-Language": "en"})
    if refusal is SERVED:
        assert (reply.status_code, reply.json().get("status")) == (200, "completed"), reply.text
        return
    assert reply.status_code == 400
    field, name = refusal
    error = reply.json()["error"]
    facts = {"field": field, "offered": ", ".join(get_args(RoleWord))}
    assert (error["param"], error["message"]) == (field, sentence("en", f"http.{name}", facts))


def read(**fields: Any) -> ChatRequest:
    body = {"input": "hello", **fields}
    return chat_request_from_json(chat_fields(body), Dialect("deepseek-flash", thinks=True))


def test_what_is_read_arrives_beside_what_is_not() -> None:
    call = {**CALL, "content": {"a": 1}, "output": 5}
    thought = {"type": "reasoning", "content": [THOUGHT], "summary": [5], "name": {}}
    look = {"type": "input_image", "image_url": PICTURE, "detail": "", "text": 5}
    asked = [thought, call, {**RESULT, "name": []}, {"role": "user", "content": [look]}]
    called, result, question = read(input=asked).turns
    assert (called.reasoning_content, called.content) == ("So.", (ToolCall("c", "f", "{}"),))
    assert result.role == "tool"
    (seen,) = question.content
    assert isinstance(seen, PicturePart)
    assert seen.detail == "auto"
    summed = {"type": "reasoning", "content": {}, "summary": [THOUGHT]}
    assert read(input=[summed, call, RESULT]).turns[0].reasoning_content == "So."


def test_whatever_kind_of_tool_is_chosen_the_function_of_that_name_is() -> None:
    chosen = {"type": "function", "function": {"name": "f"}}
    for kind in ("function", "custom", 7, None):
        options = read(tools=[TOOL], tool_choice={"type": kind, "name": "f"}).options
        assert options.tool_choice == chosen
    assert read(tool_choice={"type": "custom", "name": "f"}).options.tool_choice is None


def test_a_posted_body_stays_as_it_is() -> None:
    items: list[dict[str, Any]] = [
        {**CALL, "type": "function_call", "content": 5},
        {**HI, "type": ""},
    ]
    body = {"input": items, "tools": {}, "tool_choice": "any", "text": {"format": {"type": "text"}}}
    copy = {**body, "input": [dict(one) for one in items]}
    chat_fields(body)
    assert body == copy
