"""The practice DeepSeek over real sockets: the official client, the rules, every fault."""

import json
import threading
from collections.abc import Iterator
from typing import Any

import httpx
import openai
import pytest

from core.practice.server import PracticeServer
from core.practice.settings import PRACTICE_CHAT_KEY, PracticeSettings
from core.wire.sse import SSEDecoder
from tests.waiting import until

SETTINGS = PracticeSettings(first_delta_s=0, delta_interval_s=0, keep_alive_s=0.01)
USER = {"role": "user", "content": "天空为什么是蓝色的？"}
OFF = {"thinking": {"type": "disabled"}}
TOOL = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}


@pytest.fixture(scope="module")
def practice() -> Iterator[PracticeServer]:
    with PracticeServer(settings=SETTINGS) as server:
        yield server


@pytest.fixture(scope="module")
def client(practice: PracticeServer) -> Iterator[httpx.Client]:
    headers = {"authorization": f"Bearer {PRACTICE_CHAT_KEY}"}
    with httpx.Client(base_url=practice.origin, headers=headers, timeout=60) as client:
        yield client


@pytest.fixture(scope="module")
def official(practice: PracticeServer) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(
        api_key=PRACTICE_CHAT_KEY, base_url=practice.origin, max_retries=0
    ) as client:
        yield client


def ask(content: str, **fields: object) -> dict[str, object]:
    messages = [{"role": "user", "content": content}]
    return {"model": "deepseek-flash", "messages": messages, "stream": True, **fields}


def streamed(client: httpx.Client, body: dict[str, object]) -> tuple[list[Any], bool]:
    """Return the JSON of every event, and whether [DONE] came."""
    answer = client.post("/chat/completions", json=body)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/event-stream")
    events = [event.data for event in SSEDecoder().feed(answer.content)]
    return [json.loads(data) for data in events if data != "[DONE]"], "[DONE]" in events


def said(chunks: list[Any], field: str = "content") -> str:
    deltas = [c["choices"][0].get("delta", {}) for c in chunks if c.get("choices")]
    return "".join(delta.get(field) or "" for delta in deltas)


def finish_of(chunks: list[Any]) -> list[str]:
    choices = [c["choices"][0] for c in chunks if c.get("choices")]
    return [choice["finish_reason"] for choice in choices if choice["finish_reason"]]


# The official client


def test_the_official_client_streams_reasoning_answer_and_usage(official: openai.OpenAI) -> None:
    stream = official.chat.completions.create(
        model="deepseek-v4-pro",
        messages=[{"role": "user", "content": "What is this app?"}],
        stream=True,
        stream_options={"include_usage": True},
    )
    chunks = list(stream)

    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
    thoughts = "".join(
        getattr(chunk.choices[0].delta, "reasoning_content", None) or "" for chunk in chunks
    )
    assert "Inkling" in text
    assert thoughts
    assert chunks[-1].choices[0].finish_reason == "stop"
    usage = chunks[-1].usage
    assert usage is not None
    assert usage.completion_tokens_details is not None
    assert 0 < (usage.completion_tokens_details.reasoning_tokens or 0) < usage.completion_tokens
    assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens
    assert chunks[-1].model == "deepseek-v4-pro"


def test_the_official_client_reads_a_whole_answer(official: openai.OpenAI) -> None:
    answer = official.chat.completions.create(
        model="deepseek-flash",
        messages=[{"role": "user", "content": "你好"}],
        extra_body={**OFF, "user_id": "reader-1"},
    )

    assert "墨灵" in (answer.choices[0].message.content or "")
    assert not hasattr(answer.choices[0].message, "reasoning_content")
    assert answer.usage is not None


def test_the_official_client_lists_the_models(official: openai.OpenAI) -> None:
    models = list(official.models.list())

    assert [model.id for model in models] == ["deepseek-flash", "deepseek-v4-pro"]
    assert models[0].model_dump()["context_window"] == 1_048_576
    assert models[0].model_dump()["effort"]["default_level"] == "high"


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("400", openai.BadRequestError),
        ("401", openai.AuthenticationError),
        ("402", openai.APIStatusError),
        ("422", openai.UnprocessableEntityError),
        ("429", openai.RateLimitError),
        ("500", openai.InternalServerError),
        ("503", openai.InternalServerError),
        ("error-in-stream", openai.APIError),
    ],
)
def test_the_official_client_raises_for_each_error(
    official: openai.OpenAI, fault: str, error: type[Exception]
) -> None:
    with pytest.raises(error) as raised:
        for _ in official.chat.completions.create(
            model="deepseek-flash",
            messages=[{"role": "user", "content": f"/practice {fault}"}],
            stream=True,
        ):
            pass

    assert getattr(raised.value, "status_code", None) == (int(fault) if fault.isdigit() else None)


def test_the_official_client_is_refused_with_a_wrong_key(practice: PracticeServer) -> None:
    with (
        openai.OpenAI(api_key="sk-wrong-1234", base_url=practice.origin) as stranger,
        pytest.raises(openai.AuthenticationError) as raised,
    ):
        stranger.models.list()

    assert raised.value.body == {
        "message": "Authentication Fails, Your api key: ****1234 is invalid",
        "type": "authentication_error",
        "param": None,
        "code": "invalid_request_error",
    }


# Rules


@pytest.mark.parametrize("base", ["", "/v1", "/beta"])
def test_chat_and_models_stand_under_every_base(client: httpx.Client, base: str) -> None:
    answer = client.post(f"{base}/chat/completions", json=ask("你好", stream=False, **OFF))

    assert answer.json()["choices"][0]["finish_reason"] == "stop"
    assert client.get(f"{base}/models").json()["object"] == "list"


def test_the_balance_is_told_in_decimal_strings(client: httpx.Client) -> None:
    balance = client.get("/user/balance").json()

    assert balance["is_available"] is True
    assert balance["balance_infos"][0]["currency"] == "CNY"


def test_a_request_without_a_key_is_refused(practice: PracticeServer) -> None:
    answer = httpx.post(practice.chat_url, json=ask("你好"))

    assert answer.status_code == 401
    assert answer.json()["error"]["type"] == "authentication_error"


@pytest.mark.parametrize("alias", ["deepseek-v4-flash", "deepseek-v4-flash-vision-exp"])
def test_older_flash_names_are_served_as_flash(client: httpx.Client, alias: str) -> None:
    answer = client.post("/chat/completions", json=ask("你好", model=alias, stream=False)).json()

    assert answer["model"] == "deepseek-flash"


@pytest.mark.parametrize("name", ["deepseek-chat", "deepseek-reasoner", "gpt-5"])
def test_retired_and_unknown_models_are_refused_with_the_names(
    client: httpx.Client, name: str
) -> None:
    answer = client.post("/chat/completions", json=ask("你好", model=name))

    assert answer.status_code == 400
    message = answer.json()["error"]["message"]
    assert all(known in message for known in ("deepseek-flash", "deepseek-v4-pro", name))


@pytest.mark.parametrize(
    ("fields", "status", "clue"),
    [
        ({"messages": []}, 400, "messages"),
        ({"messages": None}, 422, "messages"),
        ({"messages": [{"role": "developer", "content": "x"}]}, 422, "developer"),
        ({"messages": [{"role": "user", "content": 5}]}, 422, "content"),
        ({"messages": [{"role": "tool", "content": "x"}]}, 422, "tool_call_id"),
        ({"max_tokens": 0}, 422, "max_tokens"),
        ({"max_tokens": 393_217}, 422, "max_tokens"),
        ({"temperature": 2.1}, 422, "temperature"),
        ({"temperature": "hot"}, 422, "temperature"),
        ({"top_p": 1.1}, 422, "top_p"),
        ({"stop": ["x"] * 17}, 422, "stop"),
        ({"thinking": {"type": "auto"}}, 422, "thinking"),
        ({"reasoning_effort": "huge"}, 422, "reasoning_effort"),
        ({"response_format": {"type": "json_schema"}}, 422, "response_format"),
        ({"user_id": "not allowed!"}, 422, "user_id"),
        ({"stream": "yes"}, 422, "stream"),
        ({"stream": False, "stream_options": {"include_usage": True}}, 400, "stream_options"),
        ({"top_logprobs": 3}, 400, "top_logprobs"),
        ({"tools": [{"type": "function", "function": {"name": "a b"}}]}, 422, "tools"),
        ({"tools": [TOOL], "tool_choice": "required"}, 400, "tool_choice"),
        (
            {
                "tools": [TOOL],
                "messages": [USER, {"role": "assistant", "content": "x"}, USER],
            },
            400,
            "reasoning_content",
        ),
        ({"messages": [USER, {"role": "assistant", "content": "x", "prefix": True}]}, 400, "beta"),
        ({"messages": [{**USER, "content": "x" * 3_500_000}]}, 400, "maximum context length"),
        (
            {
                "model": "deepseek-v4-pro",
                "messages": [{"role": "user", "content": [{"type": "image_url"}]}],
            },
            400,
            "image",
        ),
    ],
)
def test_a_request_against_the_rules_is_refused(
    client: httpx.Client, fields: dict[str, object], status: int, clue: str
) -> None:
    answer = client.post("/chat/completions", json=ask("你好", **fields))

    assert answer.status_code == status
    assert clue in answer.json()["error"]["message"]


@pytest.mark.parametrize("body", [b"{", b"[]", b"\xff"])
def test_a_body_that_is_not_an_object_is_refused(client: httpx.Client, body: bytes) -> None:
    assert client.post("/chat/completions", content=body).status_code == 400


def test_tools_with_reasoning_passed_back_are_accepted(client: httpx.Client) -> None:
    turn = {"role": "assistant", "content": "", "reasoning_content": ""}

    streamed(client, ask("x", tools=[TOOL], messages=[USER, turn, USER]))


def test_thinking_is_on_unless_switched_off(client: httpx.Client) -> None:
    thinking, _ = streamed(client, ask("你好"))
    plain, _ = streamed(client, ask("你好", **OFF))
    none, _ = streamed(client, ask("你好", reasoning_effort="none"))

    assert said(thinking, "reasoning_content")
    assert not said(plain, "reasoning_content")
    assert not said(none, "reasoning_content")
    assert said(thinking) == said(plain)


@pytest.mark.parametrize(
    ("alias", "level"), [("minimal", "low"), ("medium", "high"), ("ultra", "max")]
)
def test_effort_has_aliases(client: httpx.Client, alias: str, level: str) -> None:
    thoughts = [
        said(streamed(client, ask("你好", reasoning_effort=effort))[0], "reasoning_content")
        for effort in (alias, level)
    ]

    assert thoughts[0] == thoughts[1]


def test_max_tokens_cuts_the_answer_with_length(client: httpx.Client) -> None:
    chunks, done = streamed(client, ask("你好", max_tokens=50, **OFF))

    assert done
    assert finish_of(chunks) == ["length"]
    assert chunks[-1]["usage"]["completion_tokens"] <= 50


def test_a_small_max_tokens_can_be_spent_on_reasoning_alone(client: httpx.Client) -> None:
    chunks, _ = streamed(client, ask("你好", max_tokens=5))

    assert said(chunks, "reasoning_content")
    assert said(chunks) == ""
    assert finish_of(chunks) == ["length"]


def test_stop_ends_the_answer_before_the_words(client: httpx.Client) -> None:
    chunks, _ = streamed(client, ask("你好", stop=["真的", "三个"], **OFF))

    assert said(chunks)
    assert "真的" not in said(chunks)
    assert finish_of(chunks) == ["stop"]


def test_a_prefix_is_continued_on_the_beta_base(client: httpx.Client) -> None:
    whole = said(streamed(client, ask("你好", **OFF))[0])
    messages = [
        {"role": "user", "content": "/practice length 你好"},
        {"role": "assistant", "content": whole[:100], "prefix": True},
    ]
    answer = client.post("/beta/chat/completions", json=ask("", messages=messages, **OFF))

    chunks = [
        json.loads(event.data)
        for event in SSEDecoder().feed(answer.content)
        if event.data != "[DONE]"
    ]
    assert whole[:100] + said(chunks) == whole


def test_a_request_to_go_on_gets_the_rest(client: httpx.Client) -> None:
    whole = said(streamed(client, ask("Hello", **OFF))[0])
    messages = [
        {"role": "user", "content": "Hello /practice cut"},
        {"role": "assistant", "content": whole[:120]},
        {"role": "user", "content": "continue"},
        {"role": "assistant", "content": whole[120:200]},
        {"role": "user", "content": "go on"},
    ]

    assert whole[:200] + said(streamed(client, ask("", messages=messages, **OFF))[0]) == whole


def test_json_mode_answers_in_json(client: httpx.Client) -> None:
    chunks, _ = streamed(client, ask("give json", response_format={"type": "json_object"}, **OFF))

    assert json.loads(said(chunks))["practice"] is True


def test_a_title_is_short_and_free_of_faults(client: httpx.Client) -> None:
    messages = [
        {"role": "system", "content": "Reply with a short title only. 只回复标题。"},
        {"role": "user", "content": "/practice 503 请问天空为什么是蓝色的？"},
    ]
    chunks, _ = streamed(client, ask("", messages=messages, **OFF))

    assert said(chunks) == "天空为什么是蓝色的"


def test_a_repeated_beginning_is_served_from_the_cache(client: httpx.Client) -> None:
    question = "cache " * 200
    first, _ = streamed(client, ask(question, user_id="cache-test", **OFF))
    second, _ = streamed(client, ask(question, user_id="cache-test", **OFF))
    stranger, _ = streamed(client, ask(question, user_id="someone-else", **OFF))

    hits = [chunks[-1]["usage"]["prompt_cache_hit_tokens"] for chunks in (first, second, stranger)]
    assert hits[0] == hits[2] == 0
    assert hits[1] > 0
    usage = second[-1]["usage"]
    assert usage["prompt_tokens"] == hits[1] + usage["prompt_cache_miss_tokens"]
    assert usage["prompt_tokens_details"]["cached_tokens"] == hits[1]


def test_a_long_text_is_streamed_whole(client: httpx.Client) -> None:
    chunks, done = streamed(client, ask("写 28000 字", **OFF))

    assert done
    assert 27_000 < len(said(chunks)) <= 28_000


def test_a_whole_answer_may_begin_with_blank_lines(client: httpx.Client) -> None:
    answer = client.post("/chat/completions", json=ask("你好", stream=False))

    assert answer.text.startswith("\n{")
    assert answer.json()["choices"][0]["message"]["reasoning_content"]


# Faults


@pytest.mark.parametrize("status", [400, 401, 402, 422, 429, 500, 503])
def test_a_status_can_be_asked_for(client: httpx.Client, status: int) -> None:
    answer = client.post("/chat/completions", json=ask(f"/practice {status}"))

    assert answer.status_code == status
    assert set(answer.json()["error"]) == {"message", "type", "param", "code"}


def test_a_status_with_a_number_of_times_gives_way(client: httpx.Client) -> None:
    body = ask("/practice 503 2 an answer after all")
    statuses = [client.post("/chat/completions", json=body).status_code for _ in range(3)]

    assert statuses == [503, 503, 200]


@pytest.mark.parametrize(("question", "status"), [("html", 200), ("html 502", 502)])
def test_a_web_page_can_come_instead(client: httpx.Client, question: str, status: int) -> None:
    answer = client.post("/chat/completions", json=ask(f"/practice {question}"))

    assert answer.status_code == status
    assert answer.headers["content-type"].startswith("text/html")


def test_cut_drops_the_connection_in_mid_answer(client: httpx.Client) -> None:
    body = ask("/practice cut 你好", **OFF)
    received: list[bytes] = []

    def read() -> None:
        with client.stream("POST", "/chat/completions", json=body) as answer:
            for piece in answer.iter_raw():
                received.append(piece)

    with pytest.raises(httpx.RemoteProtocolError):
        read()
    chunks = [json.loads(event.data) for event in SSEDecoder().feed(b"".join(received))]
    assert said(chunks)
    assert finish_of(chunks) == []


def test_cut_drops_a_whole_answer_too(client: httpx.Client) -> None:
    with pytest.raises(httpx.RemoteProtocolError):
        client.post("/chat/completions", json=ask("/practice cut", stream=False))


def test_half_json_ends_inside_a_line(client: httpx.Client) -> None:
    answer = client.post("/chat/completions", json=ask("/practice half-json", **OFF))

    last = answer.text.rsplit("\n", 1)[1]
    assert last.startswith("data: {")
    with pytest.raises(json.JSONDecodeError):
        json.loads(last.removeprefix("data: "))


def test_no_done_leaves_out_the_last_event(client: httpx.Client) -> None:
    chunks, done = streamed(client, ask("/practice no-done", **OFF))

    assert finish_of(chunks) == ["stop"]
    assert not done


def test_an_error_object_can_stand_in_the_stream(client: httpx.Client) -> None:
    chunks, done = streamed(client, ask("/practice error-in-stream 你好", **OFF))

    assert said(chunks)
    assert set(chunks[-1]) == {"error"}
    assert not done


def test_a_garbage_line_is_followed_by_the_rest(client: httpx.Client) -> None:
    answer = client.post("/chat/completions", json=ask("/practice garbage-line 你好", **OFF))
    events = [event.data for event in SSEDecoder().feed(answer.content)]
    garbage = [data for data in events if not data.startswith("{") and data != "[DONE]"]

    assert len(garbage) == 1
    assert events[-1] == "[DONE]"


@pytest.mark.parametrize(
    "reason", ["length", "content_filter", "insufficient_system_resource", "aborted"]
)
def test_an_answer_can_end_halfway(client: httpx.Client, reason: str) -> None:
    whole = said(streamed(client, ask("你好", **OFF))[0])
    chunks, done = streamed(client, ask(f"/practice {reason} 你好", **OFF))

    assert finish_of(chunks) == [reason]
    assert done
    assert whole.startswith(said(chunks))
    assert 0 < len(said(chunks)) < len(whole)


def test_a_tool_call_comes_in_pieces(client: httpx.Client) -> None:
    chunks, _ = streamed(client, ask("/practice tool_calls", tools=[TOOL]))
    deltas = [chunk["choices"][0]["delta"] for chunk in chunks]
    calls = [delta["tool_calls"][0] for delta in deltas if "tool_calls" in delta]

    assert finish_of(chunks) == ["tool_calls"]
    assert calls[0]["id"].startswith("call_00_")
    assert calls[0]["function"]["name"] == "weather"
    assert json.loads("".join(call["function"]["arguments"] for call in calls)) == {}


def test_a_forced_tool_is_called(client: httpx.Client) -> None:
    body = ask("x", tools=[TOOL], tool_choice="required", stream=False, **OFF)
    choice = client.post("/chat/completions", json=body).json()["choices"][0]

    assert choice["finish_reason"] == "tool_calls"
    assert choice["message"]["tool_calls"][0]["function"]["name"] == "weather"


def test_a_finish_reason_nobody_knows(client: httpx.Client) -> None:
    assert finish_of(streamed(client, ask("/practice unknown-finish", **OFF))[0]) == ["paused"]


def test_usage_can_be_missing(client: httpx.Client) -> None:
    chunks, _ = streamed(client, ask("/practice no-usage", **OFF))

    assert all(not chunk.get("usage") for chunk in chunks)


def test_usage_can_come_twice_and_the_later_is_larger(client: httpx.Client) -> None:
    chunks, _ = streamed(client, ask("/practice usage-twice", **OFF))
    totals = [chunk["usage"]["total_tokens"] for chunk in chunks if chunk.get("usage")]

    assert len(totals) == 2
    assert totals[0] < totals[1]


def test_usage_can_come_in_the_old_style(client: httpx.Client) -> None:
    chunks, _ = streamed(client, ask("/practice usage-chunk", **OFF))

    assert chunks[-1]["choices"] == []
    assert chunks[-1]["usage"]["total_tokens"] > 0
    assert not chunks[-2].get("usage")


def test_an_answer_can_be_empty(client: httpx.Client) -> None:
    chunks, done = streamed(client, ask("/practice empty"))

    assert said(chunks) == said(chunks, "reasoning_content") == ""
    assert finish_of(chunks) == ["stop"]
    assert done


def test_there_can_be_reasoning_alone(client: httpx.Client) -> None:
    chunks, _ = streamed(client, ask("/practice reasoning-only"))

    assert said(chunks, "reasoning_content")
    assert said(chunks) == ""


def test_the_finish_chunk_can_lack_its_delta(client: httpx.Client) -> None:
    chunks, _ = streamed(client, ask("/practice no-delta", **OFF))

    assert "delta" not in chunks[-1]["choices"][0]


@pytest.mark.parametrize("fault", ["silent 0", "comments 0", "slow 0", "burst", "long 3000"])
def test_a_late_or_hasty_stream_is_still_complete(client: httpx.Client, fault: str) -> None:
    chunks, done = streamed(client, ask(f"/practice {fault}", **OFF))

    assert done
    assert said(chunks)
    assert finish_of(chunks) == ["stop"]


def test_burst_comes_in_one_write(client: httpx.Client) -> None:
    with client.stream("POST", "/chat/completions", json=ask("/practice burst", **OFF)) as answer:
        first = next(answer.iter_raw(chunk_size=None))

    assert first.startswith(b": keep-alive\n\ndata: ")
    assert first.count(b"data: ") > 50


# Readers who leave


def test_a_reader_who_leaves_is_counted(practice: PracticeServer, client: httpx.Client) -> None:
    before = practice.counters.streams_closed_early
    with client.stream("POST", "/chat/completions", json=ask("/practice silent 600")) as answer:
        pieces = answer.iter_raw()  # kept: a dropped one would close the stream
        next(pieces)
        until(lambda: practice.counters.streams_open == 1, "the stream is open")

    until(lambda: practice.counters.streams_open == 0, "the stream is closed")
    assert practice.counters.streams_closed_early == before + 1


def test_many_readers_are_served_at_once(practice: PracticeServer, client: httpx.Client) -> None:
    finished: list[bool] = []

    def read() -> None:
        finished.append(streamed(client, ask("你好", **OFF))[1])

    readers = [threading.Thread(target=read) for _ in range(20)]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join(60)

    assert finished == [True] * 20
