"""What DeepSeek takes beside plain text, asked for by the official openai client of practice."""

import asyncio
import base64
import io
import json
import re
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import msgspec
import openai
import pytest
from openai.types.chat import ChatCompletion
from PIL import Image
from pydantic import BaseModel

from core.models.parts import PicturePart, ToolCall, ToolResult
from core.storage.store import Store
from core.web.chat.posted.bodies import ChatBody
from core.web.chat.posted.body_room import BodyRoom
from core.web.chat.posted.end_users import EndUsers
from core.web.chat.posted.fields import FATES, OWN
from core.web.http_call import BODY_BYTES, HttpCallError
from core.web.timings import HttpTimings
from tests.upstream import Plan, Step, Upstream, completion
from tests.web.chat.test_openai import client_of
from tests.web.serving import Served, ask_once, serving

MODEL = "deepseek-flash"
WEATHER: Any = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather in a city",
        "parameters": {
            "type": "object",
            "properties": {
                "city": {"type": "string"},
                "days": {"type": "integer", "minimum": 1},
                "unit": {"type": "string", "enum": ["celsius", "fahrenheit"]},
            },
            "required": ["city"],
        },
    },
}
ASKED: Any = {"role": "user", "content": "What is the weather in Paris for 3 days, in fahrenheit?"}
OFF = {"thinking": {"type": "disabled"}}


class City(BaseModel):
    name: str
    people: int
    is_capital: bool


def notices(reply: Any) -> list[str]:
    return [notice["id"] for notice in (reply.model_extra or {}).get("notices", [])]


@pytest.mark.parametrize("stream", [False, True])
def test_tools_are_called_and_their_results_answered(
    client: openai.OpenAI, served: Served, stream: bool
) -> None:
    asked: list[Any] = [{"role": "system", "content": "Be brief."}, ASKED]
    first: ChatCompletion
    if stream:
        with client.chat.completions.stream(model=MODEL, messages=asked, tools=[WEATHER]) as told:
            first = told.get_final_completion()
    else:
        first = client.chat.completions.create(model=MODEL, messages=asked, tools=[WEATHER])
    message = first.choices[0].message
    assert first.choices[0].finish_reason == "tool_calls"
    assert not message.content
    assert message.tool_calls is not None
    call = message.tool_calls[0]
    assert call.type == "function"
    assert json.loads(call.function.arguments) == {
        "city": "Paris",
        "days": 3,
        "unit": "fahrenheit",
    }
    assert notices(first) == []
    # As clients send it back: without the thinking, and content null.
    back: Any = {"role": "assistant", "content": None, "tool_calls": [call.model_dump()]}
    result: Any = {"role": "tool", "tool_call_id": call.id, "content": "Rain, 54 °F"}
    done = client.chat.completions.create(
        model=MODEL, messages=[*asked, back, result], tools=[WEATHER]
    )
    assert "Rain, 54 °F" in (done.choices[0].message.content or "")
    assert done.choices[0].finish_reason == "stop"
    answer = served.kept(done.id.removeprefix("chatcmpl-"))
    path = served.studio.store.messages.path("local", answer.conversation_id)
    assert [one.role for one in path] == ["user", "assistant", "tool", "assistant"]
    assert path[1].parts == (ToolCall(call.id, "get_weather", call.function.arguments),)
    assert path[2].parts == (ToolResult(call.id, "Rain, 54 °F"),)
    kept = served.kept(first.id.removeprefix("chatcmpl-"))
    assert kept.parts == path[1].parts


def test_the_contracts_routes_tell_of_calls_too(served: Served) -> None:
    body = {"messages": [ASKED], "tools": [WEATHER], "seed": 7}
    whole = served.http.post("/complete", json=body).json()
    assert [call["function"]["name"] for call in whole["tool_calls"]] == ["get_weather"]
    assert [notice["id"] for notice in whole["notices"]] == ["fields_ignored"]
    told = served.http.post("/stream", json=body).text
    events = [block for block in told.split("\n\n") if "event: tool_calls" in block]
    assert len(events) == 1
    assert '"get_weather"' in events[0]


def test_a_tool_that_must_be_called_is_and_thinking_gives_way(client: openai.OpenAI) -> None:
    done = client.chat.completions.create(
        model=MODEL,
        messages=[{"role": "user", "content": "hello"}],
        tools=[WEATHER],
        tool_choice={"type": "function", "function": {"name": "get_weather"}},
    )
    calls = done.choices[0].message.tool_calls
    assert calls is not None
    assert len(calls) == 1
    with pytest.raises(openai.BadRequestError):  # as DeepSeek refuses it
        client.chat.completions.create(
            model=MODEL,
            messages=[{"role": "user", "content": "hello"}],
            tools=[WEATHER],
            tool_choice="required",
            extra_body={"thinking": {"type": "enabled"}},
        )


def test_calls_that_went_wrong_come_as_the_model_wrote_them(client: openai.OpenAI) -> None:
    for fault, count in (("bad-arguments", 1), ("unknown-tool", 1), ("two-calls", 2)):
        done = client.chat.completions.create(
            model=MODEL,
            messages=[{"role": "user", "content": f"/practice {fault} the weather in Oslo"}],
            tools=[WEATHER],
        )
        calls: Any = done.choices[0].message.tool_calls
        assert len(calls) == count
        assert len({call.id for call in calls}) == count
        if fault == "bad-arguments":
            with pytest.raises(ValueError, match=r"Unterminated|Expecting"):
                json.loads(calls[0].function.arguments)


def test_a_result_without_its_call_is_refused_by_the_provider(client: openai.OpenAI) -> None:
    lost: Any = {"role": "tool", "tool_call_id": "call_x", "content": "?"}
    with pytest.raises(openai.BadRequestError, match="preceding message"):
        client.chat.completions.create(model=MODEL, messages=[ASKED, lost])


def test_json_by_mode_and_by_schema(client: openai.OpenAI) -> None:
    asked: Any = [{"role": "user", "content": 'Tell me in JSON of "Oslo" with 700000 people'}]
    done = client.chat.completions.create(
        model=MODEL, messages=asked, response_format={"type": "json_object"}
    )
    assert isinstance(json.loads(done.choices[0].message.content or ""), dict)
    parsed = client.chat.completions.parse(model=MODEL, messages=asked, response_format=City)
    assert parsed.choices[0].message.parsed == City(name="Oslo", people=700_000, is_capital=True)
    assert parsed.choices[0].finish_reason == "stop"
    assert notices(parsed) == ["schema_by_tool"]
    with client.chat.completions.stream(
        model=MODEL, messages=asked, response_format=City, extra_body=OFF
    ) as told:
        text = "".join(one.delta for one in told if one.type == "content.delta")
    assert City.model_validate_json(text).people == 700_000
    thought = client.chat.completions.parse(
        model=MODEL, messages=asked, response_format=City, reasoning_effort="high"
    )
    assert thought.choices[0].message.parsed is not None
    assert notices(thought) == ["schema_in_prompt"]


def test_a_schema_in_the_prompt_alone_is_followed(client: openai.OpenAI) -> None:
    """As instructor asks in its mode MD_JSON; the word "title" in it asks for none."""
    system = f"Match the following json_schema:\n{json.dumps(City.model_json_schema())}"
    done = client.chat.completions.create(
        model=MODEL,
        messages=[
            {"role": "system", "content": system},
            {"role": "user", "content": 'Tell of "Oslo" with 700000 people, in a ```json block'},
        ],
    )
    told = re.search(r"```json\n(.*)\n```", done.choices[0].message.content or "")
    assert told is not None
    assert City.model_validate_json(told[1]).people == 700_000


def test_a_picture_is_looked_at_and_kept_without_metadata(
    client: openai.OpenAI, served: Served
) -> None:
    image = Image.new("RGB", (64, 40), (205, 40, 40))
    exif = Image.Exif()
    exif[0x010E] = "a secret place"
    file = io.BytesIO()
    image.save(file, "JPEG", exif=exif)
    url = f"data:image/jpeg;base64,{base64.b64encode(file.getvalue()).decode()}"
    parts: Any = [
        {"type": "text", "text": "What is this?"},
        {"type": "image_url", "image_url": {"url": url, "detail": "low"}},
    ]
    done = client.chat.completions.create(
        model=MODEL, messages=[{"role": "user", "content": parts}]
    )
    assert "64 × 40, mostly red" in (done.choices[0].message.content or "")
    answer = served.kept(done.id.removeprefix("chatcmpl-"))
    question = served.studio.store.messages.path("local", answer.conversation_id)[0]
    picture = question.parts[1]
    assert isinstance(picture, PicturePart)
    assert (picture.detail, picture.url) == ("low", "")
    blob = served.studio.store.messages.blob("local", picture.sha256)
    assert blob is not None
    assert b"secret" not in blob.content
    parts[1]["image_url"]["url"] = "data:image/png;base64,bm8gcGljdHVyZQ=="
    with pytest.raises(openai.BadRequestError) as caught:
        client.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": parts}])
    assert caught.value.param == "messages"


@pytest.mark.parametrize("stream", [False, True])
def test_how_likely_each_token_was(client: openai.OpenAI, stream: bool) -> None:
    asked: Any = [{"role": "user", "content": "hello"}]
    how: Any = {"logprobs": True, "top_logprobs": 2, "extra_body": OFF}
    if stream:
        with client.chat.completions.stream(model=MODEL, messages=asked, **how) as told:
            done: Any = told.get_final_completion()
    else:
        done = client.chat.completions.create(model=MODEL, messages=asked, **how)
    entries = done.choices[0].logprobs.content
    assert "".join(entry.token for entry in entries) == done.choices[0].message.content
    assert all(len(entry.top_logprobs) == 2 for entry in entries)


def test_a_beginning_is_continued_and_a_stop_stops(client: openai.OpenAI, served: Served) -> None:
    asked: Any = {"role": "user", "content": "你好"}
    whole = client.chat.completions.create(model=MODEL, messages=[asked], extra_body=OFF)
    text = whole.choices[0].message.content or ""
    begun: Any = {"role": "assistant", "content": text[:20], "prefix": True}
    rest = client.chat.completions.create(model=MODEL, messages=[asked, begun], extra_body=OFF)
    assert rest.choices[0].message.content == text[20:]
    stream = client.chat.completions.create(
        model=MODEL, messages=[asked, begun], extra_body=OFF, stream=True
    )
    told = "".join(one.choices[0].delta.content or "" for one in stream)
    assert told == text[20:]
    assert served.kept(rest.id.removeprefix("chatcmpl-")).content == text
    cut = client.chat.completions.create(
        model=MODEL, messages=[asked], stop=[text[30:33]], extra_body=OFF
    )
    assert cut.choices[0].message.content == text.split(text[30:33])[0]


def test_nothing_is_dropped_in_silence(client: openai.OpenAI) -> None:
    done: Any = client.chat.completions.create(
        model=MODEL,
        messages=[{"role": "user", "content": "hello", "name": "ada"}],
        seed=7,
        parallel_tool_calls=True,  # as it is anyway
        extra_body={"logit_bias": {"1": 2}, "top_k": 3, "user_id": "ada-1", "user": "ada"},
    )
    (notice,) = done.model_extra["notices"]
    assert notice["id"] == "fields_ignored"
    assert notice["names"] == "seed, logit_bias, top_k"
    assert done.choices[0].message.reasoning_content  # the provider thinks unless told otherwise


@pytest.mark.parametrize("asked", [False, True])
def test_usage_comes_once_unasked_with_deepseeks_names(client: openai.OpenAI, asked: bool) -> None:
    options: Any = {"stream_options": {"include_usage": True}} if asked else {}
    stream = client.chat.completions.create(model=MODEL, messages=[ASKED], stream=True, **options)
    chunks: list[Any] = list(stream)
    (usage,) = [one.usage for one in chunks if one.usage is not None]
    assert chunks[-1].usage is usage
    assert bool(chunks[-1].choices) is not asked
    cached = usage.prompt_cache_hit_tokens
    assert usage.prompt_tokens == cached + usage.prompt_cache_miss_tokens
    assert usage.prompt_tokens_details.cached_tokens == cached


def test_models_one_by_one_and_names_that_are_none(client: openai.OpenAI) -> None:
    assert client.models.retrieve(MODEL).id == MODEL
    with pytest.raises(openai.NotFoundError) as missing:
        client.models.retrieve("vendor/none")
    assert missing.value.param == "model"
    for name in ("deepseek-chat", "gpt-9"):
        for stream in (False, True):
            with pytest.raises(openai.BadRequestError) as caught:
                client.chat.completions.create(model=name, messages=[ASKED], stream=stream)
            assert (caught.value.param, caught.value.code) == ("model", "model_not_found")
            assert (caught.value.request_id or "").startswith("req_")


def test_a_browser_may_send_what_the_client_sends(served: Served) -> None:
    asked = "authorization,content-type,x-stainless-os,x-stainless-retry-count,openai-project"
    reply = served.http.options(
        "/v1/chat/completions",
        headers={
            "Origin": "http://localhost:5173",
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": f"{asked},x-forwarded-for,x-anything",
        },
    )
    allowed = reply.headers["access-control-allow-headers"].lower().replace(" ", "").split(",")
    assert set(asked.split(",")) < set(allowed)
    assert not {"x-forwarded-for", "x-anything"} & set(allowed)
    assert reply.headers["x-request-id"]


def test_long_texts_are_taken_and_longer_ones_refused(served: Served) -> None:
    def post(size: int) -> httpx.Response:
        messages = [{"role": "user", "content": "a " * (size // 2)}]
        body = {"model": MODEL, "messages": messages, "max_tokens": 10}
        return served.http.post("/v1/chat/completions", json=body)

    assert post(1_500_000).status_code == 200
    refused = post(16 * 1024 * 1024 + 10)
    assert refused.status_code == 413
    assert "16 MB" in refused.json()["error"]["message"]


def test_a_late_refusal_keeps_its_status_on_a_stream(tmp_path: Path) -> None:
    def plan(_body: dict[str, Any]) -> Plan:
        yield Step(0.5, b"HTTP/1.1 402 Payment Required\r\ncontent-length: 0\r\n\r\n")

    timings = HttpTimings(keep_alive_s=0.05)
    with (
        Upstream(plan) as upstream,
        serving(tmp_path, chat_url=upstream.url, build=ask_once, timings=timings) as served,
        client_of(served) as client,
        pytest.raises(openai.APIStatusError) as caught,
    ):
        client.chat.completions.create(model="m", messages=[ASKED], stream=True)
    assert caught.value.status_code == 402


def test_other_servers_get_openais_own_fields_as_they_are(tmp_path: Path) -> None:
    form: Any = {"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "array"}}}
    sent: dict[str, Any] = {"seed": 7, "user": "ada", "reasoning_effort": "xhigh"}
    with (
        Upstream(lambda _: iter([Step(0, completion("[]"))])) as upstream,
        serving(tmp_path, chat_url=upstream.url, build=ask_once) as served,
        client_of(served) as client,
    ):
        done = client.chat.completions.create(
            model="m", messages=[ASKED], response_format=form, tools=[WEATHER], **sent
        )
        body = upstream.exchanges[0].body
    assert notices(done) == []
    assert body.items() >= {**sent, "response_format": form, "tools": [WEATHER]}.items()
    assert not {"thinking", "user_id"} & body.keys()


def test_an_end_user_is_told_by_a_hash(tmp_path: Path) -> None:
    with closing(Store.open(tmp_path / "store.sqlite3")) as store:

        def ids(*asked: tuple[str, str | None]) -> list[str | None]:
            users = EndUsers(store.key_values)  # each time anew: the salt is in the store
            return [asyncio.run(users.id_of(caller, user)) for caller, user in asked]

        told = ids(("token:a", None), ("token:b", None), ("token:a", "ada"), ("local", "ada"))
        assert len({*told}) == 4
        assert all(one is not None and re.fullmatch("[0-9a-f]{32}", one) for one in told)
        assert ids(("token:a", None)) == told[:1]
        assert ids(("local", None)) == [None]


def test_large_bodies_have_a_room_of_their_own() -> None:
    room = BodyRoom(most_bytes=5 * BODY_BYTES)
    with room.hold() as small, room.hold() as large, room.hold() as other:
        small.grow(BODY_BYTES)
        large.grow(4 * BODY_BYTES)
        with pytest.raises(HttpCallError) as caught:
            other.grow(2 * BODY_BYTES)
    assert (caught.value.status, caught.value.text_id) == (503, "http.bodies_full")
    with room.hold() as again:  # what was held has been given back
        again.grow(5 * BODY_BYTES)


def test_what_becomes_of_each_field_is_written_down() -> None:
    posted = {field.name for field in msgspec.structs.fields(ChatBody)}
    assert posted - OWN <= FATES.keys()
    for name in ("README.md", "README.zh-CN.md"):
        text = Path(name).read_text(encoding="utf-8")
        assert [field for field in FATES if f"`{field}`" not in text] == []
