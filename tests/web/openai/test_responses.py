"""The Responses API by the official openai client: text, thinking, tools, schemas, events."""

import json
from typing import Any
from unittest.mock import Mock

import openai
import pytest
from pydantic import BaseModel

from core.models.parts import ToolCall, ToolResult
from core.wire.masking.secrets import known_secrets
from tests.web.serving import Served

MODEL = "deepseek-flash"
WEATHER: Any = {
    "type": "function",
    "name": "get_weather",
    "description": "The weather in a city",
    "strict": False,
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
}
QUESTION = "What is the weather in Paris?"
CONTENT = "input[0].content"


class City(BaseModel):
    name: str
    people: int


def test_text_comes_whole_with_its_thinking(client: openai.OpenAI) -> None:
    done: Any = client.responses.create(
        model=MODEL, instructions="Be brief.", input="你好", metadata={"a": "b"}, truncation="auto"
    )
    assert "墨灵" in done.output_text
    assert [item.type for item in done.output] == ["reasoning", "message"]
    assert (done.status, done.metadata, done.store) == ("completed", {"a": "b"}, False)
    assert done.usage.total_tokens == done.usage.input_tokens + done.usage.output_tokens > 0
    assert [one["names"] for one in done.model_extra["notices"]] == ["truncation"]
    off = client.responses.create(model=MODEL, input="你好", reasoning={"effort": "none"})
    assert [item.type for item in off.output] == ["message"]


def test_events_open_grow_and_close_in_their_order(client: openai.OpenAI) -> None:
    with client.responses.stream(model=MODEL, input="hello") as stream:
        events: list[Any] = list(stream)
        done = stream.get_final_response()
    kinds = [event.type for event in events]
    assert kinds[:2] == ["response.created", "response.in_progress"]
    assert kinds[-1] == "response.completed"
    assert [event.sequence_number for event in events] == list(range(len(events)))
    told = "".join(event.delta for event in events if event.type == "response.output_text.delta")
    assert told == done.output_text
    opened = kinds.count("response.output_item.added")
    assert opened == kinds.count("response.output_item.done") == len(done.output) == 2


@pytest.mark.parametrize("streams", [False, True])
def test_tools_are_called_and_their_results_answered(
    client: openai.OpenAI, served: Served, streams: bool
) -> None:
    if streams:
        with client.responses.stream(model=MODEL, input=QUESTION, tools=[WEATHER]) as stream:
            list(stream)
            first: Any = stream.get_final_response()
    else:
        first = client.responses.create(model=MODEL, input=QUESTION, tools=[WEATHER])
    call = next(item for item in first.output if item.type == "function_call")
    assert (call.name, json.loads(call.arguments)) == ("get_weather", {"city": "Paris"})
    result = {"type": "function_call_output", "call_id": call.call_id, "output": "Rain"}
    # As AI SDK sends them back: by their ids alone.
    back = [{"type": "item_reference", "id": item.id} for item in first.output]
    items: Any = [{"role": "user", "content": QUESTION}, *back, result]
    done = client.responses.create(model=MODEL, input=items, tools=[WEATHER])
    assert "Rain" in done.output_text
    answer = served.kept(done.id.removeprefix("resp_"))
    path = served.studio.store.messages.path("local", answer.conversation_id)
    assert path[1].reasoning_content  # went back with its call
    assert path[1].parts == (ToolCall(call.call_id, "get_weather", call.arguments),)
    assert path[2].parts == (ToolResult(call.call_id, "Rain"),)


def test_a_schema_and_an_answer_cut_short(client: openai.OpenAI) -> None:
    asked = 'Tell of "Oslo" with 700000 people'
    parsed = client.responses.parse(model=MODEL, input=asked, text_format=City)
    assert parsed.output_parsed == City(name="Oslo", people=700_000)
    cut = client.responses.create(
        model=MODEL, input=asked, max_output_tokens=5, reasoning={"effort": "none"}
    )
    assert cut.status == "incomplete"
    assert cut.incomplete_details is not None
    assert cut.incomplete_details.reason == "max_output_tokens"


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"previous_response_id": "resp_1"}, "previous_response_id"),
        ({"background": True}, "background"),
        ({"tools": [{"type": "web_search"}]}, "tools[0].type"),
        ({"input": [{"type": "item_reference", "id": "x"}]}, "input[0].id"),
        ({"input": [{"type": "web_search_call", "id": "x"}]}, "input[0].type"),
        ({"input": [{"role": "user", "content": [{"type": "input_file"}]}]}, "input[0].content"),
        ({"input": [{"role": "user", "content": [{"type": ["text"]}]}]}, "input[0].content"),
        ({"input": [{"role": "assistant", "content": [{"type": {}}]}]}, "input[0].content"),
        ({"input": []}, "input"),
        ({"input": 5}, "input"),
        ({"input": [5]}, "input[0]"),
        ({"input": [{"role": "nobody", "content": "hello"}]}, "input[0].role"),
        ({"input": [{"role": "user", "content": [{"type": "input_text", "text": 5}]}]}, CONTENT),
        ({"input": [{"role": "assistant"}]}, CONTENT),
        ({"input": [{"type": "function_call_output", "output": [5]}]}, "input[0].output"),
        ({"input": [{"type": "function_call", "arguments": {}}]}, "input[0].arguments"),
        ({"tools": [{"type": "function"}]}, "tools[0]"),
        ({"tools": [WEATHER], "tool_choice": {"type": "function"}}, "tool_choice"),
        ({"text": {"format": {"type": "xml"}}}, "text.format.type"),
        ({"reasoning": {"effort": "endless"}}, "reasoning.effort"),
        ({"instructions": 5}, "instructions"),
        ({"temperature": 3}, "temperature"),
        ({"max_output_tokens": 0}, "max_output_tokens"),
        ({"model": "gpt-9"}, "model"),
    ],
)
def test_what_cannot_be_had_is_refused_by_name(
    client: openai.OpenAI, fields: dict[str, Any], param: str
) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        client.responses.create(**{"model": MODEL, "input": "hello", **fields})
    assert caught.value.param == param


def test_an_error_in_mid_stream_fails_the_response(client: openai.OpenAI) -> None:
    with pytest.raises(openai.AuthenticationError):
        client.responses.create(model=MODEL, input="/practice 401", stream=True)
    events: list[Any] = list(
        client.responses.create(model=MODEL, input="/practice cut hello", stream=True)
    )
    assert events[-1].type == "response.failed"
    assert "cut off" in events[-1].response.error.message


def test_few_words_do_not_name_more_than_may_be_posted(
    client: openai.OpenAI, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = client.responses.create(
        model=MODEL, input="Write 20000 characters", reasoning={"effort": "none"}
    )
    served.kept(long.id.removeprefix("resp_"))
    look = Mock(side_effect=served.studio.store.messages.get)
    monkeypatch.setattr(served.studio.store.messages, "get", look)
    again: Any = [{"type": "item_reference", "id": long.output[0].id}] * 1000
    with pytest.raises(openai.APIStatusError) as caught:
        client.responses.create(model=MODEL, input=[*again, {"role": "user", "content": "Well?"}])
    assert caught.value.status_code == 413
    assert look.call_count == 1


def test_no_stream_repeats_a_key_that_the_request_held(served: Served) -> None:
    key = "sk-in-the-request-0123456789"
    known_secrets.add(key)
    said = {"instructions": key, "metadata": {"a": key}, "user": key, "model": key}
    for path, body in (
        ("/v1/responses", {**said, "model": MODEL, "input": "hello"}),
        ("/v1/chat/completions", {"messages": [{"role": "user", "content": "hello"}], **said}),
    ):
        reply = served.http.post(path, json={**body, "stream": True})
        assert reply.content
        assert key not in reply.text
