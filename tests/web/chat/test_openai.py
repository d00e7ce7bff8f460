"""The official openai client with the studio as its base_url: no provider key, the same errors."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openai
import pytest
from openai.types.chat import ChatCompletionMessageParam

from core.practice.server import PracticeServer
from tests.upstream import STREAM_HEAD, Plan, Step, Upstream, event
from tests.waiting import until
from tests.web.serving import CHAT_KEY, QUICK, Served, ask_once, serving, serving_practice

HELLO: list[ChatCompletionMessageParam] = [{"role": "user", "content": "你好"}]


@pytest.fixture(scope="module")
def practice() -> Iterator[PracticeServer]:
    with PracticeServer(settings=QUICK) as server:
        yield server


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, practice: PracticeServer) -> Iterator[Served]:
    with serving_practice(tmp_path_factory.mktemp("openai"), practice, build=ask_once) as running:
        yield running


def client_of(served: Served) -> openai.OpenAI:
    return openai.OpenAI(
        base_url=f"{served.url}/v1", api_key="not-a-key", max_retries=0, timeout=60
    )


@pytest.fixture
def client(served: Served) -> Iterator[openai.OpenAI]:
    with client_of(served) as running:
        yield running


def asking(fault: str) -> list[ChatCompletionMessageParam]:
    return [{"role": "user", "content": f"/practice {fault}"}]


def test_a_whole_chat(client: openai.OpenAI) -> None:
    done = client.chat.completions.create(model="deepseek-flash", messages=HELLO)
    assert "墨灵" in (done.choices[0].message.content or "")
    assert done.choices[0].finish_reason == "stop"
    assert done.model == "deepseek-flash"
    assert done.id.startswith("chatcmpl-")
    assert done.usage is not None
    assert done.usage.total_tokens == done.usage.prompt_tokens + done.usage.completion_tokens > 0


def test_a_streamed_chat(client: openai.OpenAI) -> None:
    stream = client.chat.completions.create(
        model="deepseek-flash",
        messages=HELLO,
        stream=True,
        stream_options={"include_usage": True},
    )
    chunks = list(stream)
    text = "".join(one.choices[0].delta.content or "" for one in chunks if one.choices)
    assert "墨灵" in text
    assert len(chunks) > 20
    assert chunks[0].choices[0].delta.role == "assistant"
    assert [one.choices[0].finish_reason for one in chunks if one.choices][-1] == "stop"
    assert chunks[-1].usage is not None
    assert chunks[-1].choices == []
    assert len({one.id for one in chunks}) == 1


def test_thinking_comes_beside_the_text(client: openai.OpenAI) -> None:
    stream = client.chat.completions.create(
        model="deepseek-flash",
        messages=HELLO,
        stream=True,
        extra_body={"thinking": {"type": "enabled"}},
    )
    thoughts = "".join(
        getattr(one.choices[0].delta, "reasoning_content", None) or "" for one in stream
    )
    assert thoughts
    whole = client.chat.completions.create(
        model="deepseek-flash", messages=HELLO, reasoning_effort="high"
    )
    assert getattr(whole.choices[0].message, "reasoning_content", "")


def test_the_models(client: openai.OpenAI) -> None:
    assert "deepseek-flash" in [model.id for model in client.models.list()]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("401", openai.AuthenticationError),
        ("400", openai.BadRequestError),
        ("422", openai.UnprocessableEntityError),
        ("402", openai.APIStatusError),
    ],
)
def test_an_error_keeps_its_status(
    client: openai.OpenAI, fault: str, error: type[openai.APIStatusError], stream: bool
) -> None:
    with pytest.raises(error) as caught:
        client.chat.completions.create(
            model="deepseek-flash", messages=asking(fault), stream=stream
        )
    assert caught.value.status_code == int(fault)
    assert isinstance(caught.value.body, dict)
    assert caught.value.body["message"]
    assert CHAT_KEY not in str(caught.value.body)


def test_too_much_upstream_is_too_much_here(client: openai.OpenAI) -> None:
    with pytest.raises(openai.RateLimitError):
        client.chat.completions.create(model="deepseek-flash", messages=asking("429"))
    with pytest.raises(openai.InternalServerError) as caught:
        client.chat.completions.create(model="deepseek-flash", messages=asking("503"))
    assert caught.value.status_code == 503


def test_an_error_in_mid_stream_ends_it_with_its_words(client: openai.OpenAI) -> None:
    stream = client.chat.completions.create(
        model="deepseek-flash", messages=asking("cut"), stream=True
    )
    with pytest.raises(openai.APIError, match="cut off"):
        list(stream)


@pytest.mark.parametrize(
    "fields",
    [
        {"messages": []},
        {"messages": [{"role": "assistant", "content": "x"}]},
        {"messages": [{"role": "user", "content": " "}]},
        {"messages": [{"role": "tool", "content": "x"}]},
        {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": "x"}]}]},
        {"messages": [{"role": "user", "content": [{"type": "input_audio", "input_audio": {}}]}]},
        {"messages": [{"role": "assistant", "content": "x", "prefix": True}, *HELLO]},
        {"messages": HELLO, "tools": [{"type": "function", "function": {"name": "f g"}}]},
        {"messages": HELLO, "tool_choice": "required"},
        {"messages": HELLO, "functions": [{"name": "f"}]},
        {"messages": HELLO, "modalities": ["text", "audio"]},
        {"messages": HELLO, "top_logprobs": 2},
        {"messages": HELLO, "stop": ["x"] * 17},
        {"messages": HELLO, "extra_body": {"user_id": "a b"}},
        {"messages": HELLO, "extra_body": {"web_search_options": {"x": 1}}},
        {
            "messages": HELLO,
            "tools": [{"type": "function", "function": {"name": "f"}}],
            "extra_body": {"web_search_options": {}},
        },
        {"messages": HELLO, "n": 2},
        {"messages": HELLO, "temperature": 9},
        {"messages": HELLO, "max_tokens": 0},
        {"messages": HELLO, "response_format": {"type": "json_schema"}},
    ],
)
def test_what_cannot_be_asked_here_is_a_bad_request_that_names_the_field(
    client: openai.OpenAI, practice: PracticeServer, fields: dict[str, Any]
) -> None:
    before = practice.counters.chat_requests
    with pytest.raises(openai.BadRequestError) as caught:
        client.chat.completions.create(model="deepseek-flash", **fields)
    assert isinstance(caught.value.body, dict)
    named = caught.value.body["param"].partition("[")[0].partition(".")[0]
    assert named in {**fields, **fields.get("extra_body", {})}
    assert practice.counters.chat_requests == before


def test_a_client_that_leaves_aborts_the_upstream_at_once(tmp_path: Path) -> None:
    def plan(_body: dict[str, Any]) -> Plan:
        yield Step(0, STREAM_HEAD + event(content="一"))
        yield Step(0, None)

    with Upstream(plan) as upstream, serving(tmp_path, chat_url=upstream.url) as served:
        with client_of(served) as client:
            stream = client.chat.completions.create(model="m", messages=HELLO, stream=True)
            next(stream)
            stream.close()
        until(lambda: upstream.exchanges[0].closed_at, "the upstream is closed")
