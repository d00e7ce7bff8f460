"""core/providers/deepseek: streamed answers, however they are cut, and however they end."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import ProtocolError, ProviderError, RateLimitError, UnavailableError
from core.models.chat import AnswerPart, ChatParameters, Turn, Usage
from core.models.deltas import Completion, Delta, Extras
from core.models.parts import ToolCallPiece
from core.providers.deepseek.client import DeepSeek
from core.providers.deepseek.events.event import plain_text
from core.providers.deepseek.reply import ReplyReader
from core.providers.deepseek.timeouts import StreamTimers
from core.providers.http.client import build_client
from tests.unit.replies import (
    Pieces,
    bytewise,
    deltas_in,
    raw_server,
    read_request,
    told_beside,
)

URL = "https://api.deepseek.com/chat/completions"
KEY = "sk-0123456789abcdef0123456789abcdef"
TURNS = [Turn.of_text("user", "你好")]
SSE = {"content-type": "text/event-stream"}
DEADLINE_S = 60


def event(**fields: Any) -> bytes:
    return f"data: {json.dumps(fields, ensure_ascii=False)}\n\n".encode()


def delta(finish_reason: str | None = None, **fields: Any) -> bytes:
    choice = {"index": 0, "delta": fields, "finish_reason": finish_reason}
    return event(id="answer-1", model="deepseek-flash", choices=[choice])


DONE = b"data: [DONE]\n\n"
THINKING = delta(role="assistant", content=None, reasoning_content="") + delta(
    content=None, reasoning_content="想一想\u2028…"
)
TEXT = delta(content="墨") + delta(content="灵 🎨")
FINISH = delta("stop", content="")
WHOLE = THINKING + TEXT + FINISH + DONE


def client_for(
    body: bytes | Pieces,
    *,
    status_code: int = 200,
    headers: dict[str, str] | None = None,
    timers: StreamTimers | None = None,
    url: str = URL,
) -> DeepSeek:
    def answer(_: httpx.Request) -> httpx.Response:
        stream = body if isinstance(body, Pieces) else Pieces([body])
        return httpx.Response(status_code, headers=headers or SSE, stream=stream)

    transport = httpx.MockTransport(answer)
    client = build_client(timeout=httpx.Timeout(5), transport=transport)
    return DeepSeek(url=url, api_key=KEY, timers=timers, client=client)


async def collect(
    provider: DeepSeek, into: list[Delta], parameters: ChatParameters | None = None
) -> None:
    try:
        async with (
            asyncio.timeout(DEADLINE_S),
            provider.stream(TURNS, parameters or ChatParameters()) as chunks,
        ):
            async for batch in chunks.batches():
                into += batch
    finally:
        await provider.aclose()


def read(body: bytes | Pieces, **options: Any) -> list[Delta]:
    chunks: list[Delta] = []
    asyncio.run(collect(client_for(body, **options), chunks))
    return chunks


def read_until_error(body: bytes | Pieces, **options: Any) -> tuple[list[Delta], ProviderError]:
    chunks: list[Delta] = []
    with pytest.raises(ProviderError) as caught:
        asyncio.run(collect(client_for(body, **options), chunks))
    return chunks, caught.value


def text(chunks: list[Delta]) -> str:
    return Completion.of(chunks).content


def thoughts(chunks: list[Delta]) -> str:
    return Completion.of(chunks).reasoning_content


def usage(chunks: list[Delta]) -> Usage | None:
    return Completion.of(chunks).extras.usage


def finish_reason(chunks: list[Delta]) -> str | None:
    return next((one.finish_reason for one in told_beside(chunks) if one.finish_reason), None)


@pytest.fixture(params=["in one piece", "byte by byte"])
def cut(request: pytest.FixtureRequest) -> Any:
    """Return how a body is cut on its way."""
    is_whole = request.param == "in one piece"
    return lambda body: Pieces([body] if is_whole else bytewise(body))


# -- what arrives ----------------------------------------------------------------------------------


def test_a_thinking_answer_arrives_however_it_is_cut() -> None:
    for position in range(len(WHOLE)):
        chunks = read(Pieces([WHOLE[:position], WHOLE[position:]]))
        assert (thoughts(chunks), text(chunks)) == ("想一想\u2028…", "墨灵 🎨")
        assert finish_reason(chunks) == "stop"


def test_the_first_chunk_tells_model_and_request_id(cut: Any) -> None:
    first = told_beside(read(cut(WHOLE)))[0]
    assert (first.model, first.request_id) == ("deepseek-flash", "answer-1")


def test_comments_and_empty_events_add_nothing(cut: Any) -> None:
    noise = b": keep-alive\n\n:\n\nevent: ping\n\ndata:\n\ndata: : OPENROUTER PROCESSING\n\n"
    assert text(read(cut(noise + TEXT + noise + FINISH + noise + DONE))) == "墨灵 🎨"


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n", b"\r"])
def test_every_line_end_and_a_missing_space_are_read(cut: Any, line_end: bytes) -> None:
    body = WHOLE.replace(b"data: ", b"data:").replace(b"\n", line_end)
    assert text(read(cut(body))) == "墨灵 🎨"


def test_done_is_known_with_blanks_around_it(cut: Any) -> None:
    body = WHOLE.replace(b"data: [DONE]", b"data:  [DONE] ") + delta(content="late")
    assert text(read(cut(body))) == "墨灵 🎨"


def test_events_without_a_blank_line_between_them_are_told_apart(cut: Any) -> None:
    assert text(read(cut((TEXT + FINISH).replace(b"\n\n", b"\n") + DONE))) == "墨灵 🎨"


@pytest.mark.parametrize(
    ("last", "total"),
    [
        # since September 2026: with the finish reason
        (event(choices=[{"delta": {}, "finish_reason": "stop"}], usage={"total_tokens": 7}), 7),
        # until then: behind it, with no choices
        (FINISH + event(choices=[], usage={"total_tokens": 8}), 8),
        # both: the last one wins
        (
            event(choices=[{"finish_reason": "stop"}], usage={"total_tokens": 7})
            + event(choices=[], usage={"total_tokens": 9}),
            9,
        ),
        # null on all chunks but one before the last
        (event(choices=[], usage={"total_tokens": 6}) + event(choices=[], usage=None) + FINISH, 6),
    ],
)
def test_usage_is_found_wherever_it_rides(cut: Any, last: bytes, total: int) -> None:
    found = usage(read(cut(TEXT + last + DONE)))
    assert found is not None
    assert found.total_tokens == total


def test_usage_is_read_in_full(cut: Any) -> None:
    counts = {
        "prompt_tokens": 20,
        "completion_tokens": 69,
        "total_tokens": 89,
        "prompt_cache_hit_tokens": 16,
        "prompt_cache_miss_tokens": 4,
        "prompt_tokens_details": {"cached_tokens": 15},
        "completion_tokens_details": {"reasoning_tokens": 24},
    }
    chunks = read(cut(TEXT + FINISH + event(choices=[], usage=counts) + DONE))
    assert usage(chunks) == Usage(20, 69, 89, 16, 4, 24)


@pytest.mark.parametrize("count", [2**63, 10**30, -1, 1.5, "7", True])
def test_a_count_that_is_none_is_not_given(count: object) -> None:
    told = {"prompt_tokens": count, "completion_tokens": 8}
    found = usage(read(event(choices=[], usage=told) + FINISH + DONE))
    assert found == Usage(completion_tokens=8)


def test_the_openai_spelling_of_cached_tokens_is_read() -> None:
    counts = {"prompt_tokens_details": {"cached_tokens": 15}, "completion_tokens_details": None}
    chunks = read(FINISH + event(choices=[], usage=counts) + DONE)
    assert usage(chunks) == Usage(cache_hit_tokens=15)


@pytest.mark.parametrize(
    "odd",
    [
        event(choices=[]),
        event(choices=None),
        event(choices=[None]),
        event(choices=[{}]),
        event(choices=[{"delta": None}]),
        event(choices=[{"delta": {"content": None, "tool_calls": []}}]),
        event(id="", model=None, choices=[{"index": 0}]),
        event(choices=[], prompt_filter_results=[{}], error=None),
        event(choices=[{"delta": {"content": []}}]),
        event(),
    ],
)
def test_a_chunk_that_lacks_something_adds_nothing(cut: Any, odd: bytes) -> None:
    assert text(read(cut(odd + TEXT + odd + FINISH + DONE))) == "墨灵 🎨"


def test_reasoning_is_read_under_either_name(cut: Any) -> None:
    body = delta(reasoning="a") + delta(reasoning_content="", reasoning="b") + WHOLE
    assert thoughts(read(cut(body))).startswith("ab")


def test_half_a_surrogate_pair_does_not_get_further() -> None:
    body = b'data: {"choices":[{"delta":{"content":"\\ud83d"},"finish_reason":"stop"}]}\n\n' + DONE
    assert text(read(body)) == "\ufffd"


@pytest.mark.parametrize(
    "reason",
    [
        "stop",
        "length",
        "content_filter",
        "tool_calls",
        "insufficient_system_resource",
        "aborted",
        "a word of next year",
    ],
)
def test_every_finish_reason_is_handed_on(cut: Any, reason: str) -> None:
    chunks = read(cut(TEXT + delta(reason) + DONE))
    assert finish_reason(chunks) == reason


# -- how it ends -----------------------------------------------------------------------------------


def test_finish_without_done_is_complete_at_the_end_of_the_stream(cut: Any) -> None:
    assert finish_reason(read(cut(TEXT + FINISH))) == "stop"


def test_finish_without_done_is_complete_though_the_connection_breaks() -> None:
    body = Pieces([TEXT + FINISH, httpx.ReadError("reset")])
    assert finish_reason(read(body)) == "stop"


def test_finish_without_done_is_complete_though_the_server_stays(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("core.providers.deepseek.events.stream.GRACE_S", 0.05)
    assert text(read(Pieces([TEXT + FINISH, asyncio.Event()]))) == "墨灵 🎨"


def test_usage_within_the_grace_is_waited_for() -> None:
    late = event(choices=[], usage={"total_tokens": 3})
    found = usage(read(Pieces([TEXT + FINISH, b": keep-alive\n\n", late])))
    assert found == Usage(total_tokens=3)


def test_done_without_finish_is_complete(cut: Any) -> None:
    assert text(read(cut(TEXT + DONE))) == "墨灵 🎨"


def test_done_without_its_blank_line_is_complete(cut: Any) -> None:
    assert text(read(cut(TEXT + b"data: [DONE]"))) == "墨灵 🎨"


def test_an_answer_cut_at_any_byte_keeps_what_arrived() -> None:
    body = THINKING + TEXT
    for position in range(len(body) + 1):
        chunks, error = read_until_error(Pieces([body[:position]]))
        assert isinstance(error, UnavailableError)
        assert error.text_id == "error.cut_off"
        assert "墨灵 🎨".startswith(text(chunks))
    assert text(chunks) == "墨灵 🎨"


@pytest.mark.parametrize(
    "broken",
    [
        httpx.ReadError("reset"),
        httpx.RemoteProtocolError("peer closed connection (incomplete chunked read)"),
    ],
)
def test_a_connection_that_breaks_keeps_what_arrived(broken: Exception) -> None:
    chunks, error = read_until_error(Pieces([TEXT, broken]))
    assert text(chunks) == "墨灵 🎨"
    assert error.text_id == "error.cut_off"


def test_only_comments_and_then_the_end_is_a_cut(cut: Any) -> None:
    _, error = read_until_error(cut(b": keep-alive\n\n" * 3))
    assert error.text_id == "error.cut_off"


@pytest.mark.parametrize(
    ("payload", "kind", "text_id"),
    [
        ({"error": {"message": "m", "code": 429}}, RateLimitError, "error.deepseek_rate"),
        ({"error": {"message": "m", "code": "502"}}, UnavailableError, "error.chat_gateway"),
        (
            {"error": {"message": "m", "type": "service_unavailable_error", "code": None}},
            UnavailableError,
            "error.chat_overloaded",
        ),
        ({"error": "it broke"}, UnavailableError, "error.chat_broken_off"),
        ({"error": {"message": "m"}, "choices": []}, UnavailableError, "error.chat_broken_off"),
        ({"code": 50505, "message": "busy"}, UnavailableError, "error.chat_broken_off"),
        (
            {"error": {"message": "maximum context length is 8", "code": 400}},
            ProviderError,
            "error.context_too_long",
        ),
    ],
)
def test_an_error_in_the_stream_ends_it_and_keeps_the_text(
    cut: Any, payload: dict[str, Any], kind: type[ProviderError], text_id: str
) -> None:
    chunks, error = read_until_error(cut(TEXT + event(**payload) + TEXT + DONE))
    assert text(chunks) == "墨灵 🎨"
    assert isinstance(error, kind)
    assert error.text_id == text_id


def test_an_event_named_error_is_an_error(cut: Any) -> None:
    _, error = read_until_error(cut(TEXT + b'event: error\ndata: {"message": "gone"}\n\n'))
    assert (error.text_id, error.detail) == ("error.chat_broken_off", "gone")


def test_a_line_that_is_not_json_is_skipped_and_noted(
    cut: Any, caplog: pytest.LogCaptureFixture
) -> None:
    garbage = b"data: {oops\n\n"
    assert text(read(cut(garbage + TEXT + garbage + FINISH + DONE))) == "墨灵 🎨"
    noted = [record for record in caplog.records if record.name.startswith("core.")]
    assert len(noted) == 1
    assert "oops" not in noted[0].getMessage()


@pytest.mark.parametrize("ending", [b"", DONE])
def test_nothing_but_garbage_is_no_answer(cut: Any, ending: bytes) -> None:
    _, error = read_until_error(cut(b"data: oops\n\ndata: [1]\n\n" + ending))
    assert isinstance(error, ProtocolError)
    assert error.text_id == "error.chat_unreadable"


def test_an_endless_line_is_given_up() -> None:
    _, error = read_until_error(Pieces([b"data: "] + [b"x" * 1_000_000] * 9))
    assert isinstance(error, ProtocolError)
    assert (error.provider, error.text_id) == ("deepseek", "error.stream_too_large")


# -- what is no stream -----------------------------------------------------------------------------

ANSWER = {
    "id": "answer-2",
    "model": "m",
    "choices": [
        {"message": {"content": "墨灵", "reasoning": "想"}, "finish_reason": "stop"},
    ],
    "usage": {"total_tokens": 5},
}


@pytest.mark.parametrize("content_type", ["application/json; charset=utf-8", "text/plain", ""])
def test_a_whole_answer_in_place_of_a_stream_is_taken(cut: Any, content_type: str) -> None:
    body = b"\n\n  " + json.dumps(ANSWER, indent=1).encode()
    chunks = read(cut(body), headers={"content-type": content_type})
    told = Extras("stop", Usage(total_tokens=5), "m", "answer-2")
    assert Completion.of(chunks) == Completion("墨灵", "想", told)


@pytest.mark.parametrize("content_type", ["application/json", "text/event-stream", "text/plain"])
def test_an_error_in_place_of_a_stream_is_told(cut: Any, content_type: str) -> None:
    body = b'{"error": {"message": "Insufficient Balance", "code": "400"}}'
    headers = {"content-type": content_type}
    _, error = read_until_error(cut(body), headers=headers)
    assert error.text_id == "error.deepseek_balance"


@pytest.mark.parametrize("content_type", ["text/html", "text/event-stream", ""])
def test_a_web_page_in_place_of_a_stream_is_told_without_its_markup(
    cut: Any, content_type: str
) -> None:
    page = b"<!doctype html><style>p{}</style><h1>Sign in</h1><p>" + b"to go on " * 90
    _, error = read_until_error(cut(page), headers={"content-type": content_type})
    assert isinstance(error, ProtocolError)
    assert error.text_id == "error.chat_web_page"
    assert error.detail.startswith("Sign in to go on")
    assert len(error.detail) <= 200
    assert "<" not in str(error) + error.detail


# -- the two timers --------------------------------------------------------------------------------


def test_comments_do_not_make_an_answer_move() -> None:
    async def run() -> tuple[list[Delta], ProviderError]:
        class Chatter(Pieces):
            async def __aiter__(self) -> AsyncIterator[bytes]:
                yield TEXT
                while True:
                    await asyncio.sleep(0.01)
                    yield b": keep-alive\n\n"

        timers = StreamTimers(socket_silence_s=5, first_data_s=5, data_silence_s=0.1)
        chunks: list[Delta] = []
        with pytest.raises(UnavailableError) as caught:
            await collect(client_for(Chatter([]), timers=timers), chunks)
        return chunks, caught.value

    chunks, error = asyncio.run(run())
    assert text(chunks) == "墨灵 🎨"
    assert error.text_id == "error.answer_stalled"
    assert error.facts["seconds"] == 0.1


def test_a_request_that_stays_queued_is_given_up() -> None:
    timers = StreamTimers(socket_silence_s=5, first_data_s=0.05)
    body = Pieces([b": keep-alive\n\n", asyncio.Event()])
    _, error = read_until_error(body, timers=timers)
    assert error.text_id == "error.queue_too_long"


def test_where_both_patiences_end_at_once_it_is_the_answer_that_stood_still() -> None:
    timers = StreamTimers(socket_silence_s=0.1, first_data_s=60, data_silence_s=0.1)
    _, error = read_until_error(Pieces([TEXT, asyncio.Event()]), timers=timers)
    assert error.text_id == "error.answer_stalled"


def test_a_slow_reader_does_not_use_up_the_patience() -> None:
    async def run() -> str:
        # A patience that no machine's own stall uses up.
        timers = StreamTimers(data_silence_s=2.0)
        provider = client_for(Pieces([*bytewise(TEXT), FINISH, DONE]), timers=timers)
        said = ""
        async with provider.stream(TURNS, ChatParameters()) as chunks:
            async for delta in deltas_in(chunks):
                if not said:
                    await asyncio.sleep(2.5)  # the reader's own time, longer than the patience
                said += "".join(delta.texts)
        await provider.aclose()
        return said

    assert asyncio.run(run()) == "墨灵 🎨"


@pytest.mark.parametrize(
    "sent", [b"", b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"]
)
def test_a_dead_socket_is_told_apart_from_a_slow_answer(sent: bytes) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(sent)
        await writer.drain()
        await reader.read()  # until the client leaves

    async def run() -> UnavailableError:
        async with raw_server(serve) as origin:
            provider = DeepSeek(
                url=f"{origin}/chat/completions",
                api_key=KEY,
                timers=StreamTimers(socket_silence_s=0.1),
            )
            with pytest.raises(UnavailableError) as caught:
                await collect(provider, [])
            return caught.value

    error = asyncio.run(run())
    assert error.text_id == "error.socket_silent"
    assert error.facts["seconds"] == 0.1


# -- leaving ---------------------------------------------------------------------------------------


@asynccontextmanager
async def talker() -> AsyncIterator[tuple[DeepSeek, asyncio.Event]]:
    """Yield a client of a server that talks without end, and an event set when it is left."""
    is_left = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n" + TEXT)
        await writer.drain()
        await reader.read()
        is_left.set()

    async with raw_server(serve) as origin:
        provider = DeepSeek(url=f"{origin}/v1/chat/completions", api_key=KEY)
        yield provider, is_left
        await provider.aclose()


def test_leaving_the_stream_closes_the_connection() -> None:
    async def run() -> None:
        async with talker() as (provider, is_left), asyncio.timeout(DEADLINE_S):
            async with provider.stream(TURNS, ChatParameters()) as chunks:
                async for _ in chunks.batches():
                    break
            await is_left.wait()
            assert [batch async for batch in chunks.batches()] == []

    asyncio.run(run())


def test_cancelling_the_reader_closes_the_connection() -> None:
    async def run() -> None:
        async with talker() as (provider, is_left), asyncio.timeout(DEADLINE_S):
            has_read = asyncio.Event()

            async def follow() -> None:
                async with provider.stream(TURNS, ChatParameters()) as chunks:
                    async for delta in deltas_in(chunks):
                        if delta.texts:
                            has_read.set()

            task = asyncio.create_task(follow())
            await has_read.wait()
            task.cancel()
            await is_left.wait()
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(run())


def test_an_exception_in_the_reader_closes_the_body() -> None:
    body = Pieces([TEXT, asyncio.Event()])

    async def read_and_fail(provider: DeepSeek) -> None:
        async with provider.stream(TURNS, ChatParameters()) as chunks:
            async for _ in chunks.batches():
                raise KeyError

    with pytest.raises(KeyError):
        asyncio.run(read_and_fail(client_for(body)))
    assert body.is_closed


def test_a_complete_answer_leaves_its_connection_for_the_next() -> None:
    async def run() -> int:
        connections = 0

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal connections
            connections += 1
            while True:
                await read_request(reader)
                writer.write(
                    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
                    b"Transfer-Encoding: chunked\r\n\r\n"
                    + f"{len(WHOLE):x}\r\n".encode()
                    + WHOLE
                    + b"\r\n"
                )
                await writer.drain()
                writer.write(b"0\r\n\r\n")
                await writer.drain()

        async with raw_server(serve) as origin, asyncio.timeout(DEADLINE_S):
            provider = DeepSeek(url=f"{origin}/chat/completions", api_key=KEY)
            for _ in range(3):
                async with provider.stream(TURNS, ChatParameters()) as chunks:
                    assert text([delta async for delta in deltas_in(chunks)]) == "墨灵 🎨"
            await provider.aclose()
        return connections

    assert asyncio.run(run()) == 1


fields = st.none() | st.sampled_from(["", "字", "a\nb"]) | st.integers()
deltas = st.fixed_dictionaries(
    {}, optional=dict.fromkeys(("content", "reasoning_content", "reasoning", "role"), fields)
)
choices = st.fixed_dictionaries(
    {},
    optional={
        "delta": deltas | st.none(),
        "finish_reason": st.sampled_from([None, "", "stop", 1]),
        "index": st.integers(),
    },
)
events = st.fixed_dictionaries(
    {},
    optional={
        "choices": st.lists(choices | st.none(), max_size=2) | st.none(),
        "model": st.sampled_from([None, "", "flash", "other", 3]),
        "usage": st.sampled_from([None, {}, {"total_tokens": 3}, "much"]),
        "error": st.sampled_from([None, {}, {"message": "no"}, "no"]),
    },
)


@settings(max_examples=2_000, deadline=None)
@given(events)
def test_the_short_way_takes_only_what_the_long_way_reads_the_same(payload: dict[str, Any]) -> None:
    run = plain_text(json.dumps(payload).encode(), "flash")
    if run is not None:
        part, (text,), _ = run
        changed: dict[str, Any] = {part: text}
        told, error = ReplyReader().take(payload)
        assert error is None
        assert told._replace(extras=Extras()) == Completion()._replace(**changed)
        assert told.extras._replace(model=None) == Extras()
        assert told.extras.model in (None, "flash")
        assert not payload.get("error")


@pytest.mark.parametrize("reasons", [{}, {"finish_reason": None}])
@pytest.mark.parametrize(
    ("said", "part"),
    [
        ({"content": "字", "reasoning_content": None}, "content"),
        ({"content": None, "reasoning_content": "字"}, "reasoning_content"),
        ({"content": "", "reasoning": "字"}, "reasoning_content"),
    ],
)
def test_the_short_way_takes_the_usual_event(
    said: dict[str, Any], part: AnswerPart, reasons: dict[str, None]
) -> None:
    delta_fields = {"role": None, **said}
    payload = {
        "id": "1",
        "model": "flash",
        "usage": None,
        "choices": [{"index": 0, "delta": delta_fields, "logprobs": None, **reasons}],
    }
    assert plain_text(json.dumps(payload).encode(), "flash") == Delta(part, ["字"])
    assert plain_text(json.dumps(payload).encode(), "other") is None


def call_delta(**fields: Any) -> bytes:
    return delta(tool_calls=[fields])


def test_tool_calls_come_in_pieces() -> None:
    body = (
        call_delta(
            index=0, id="call_a", type="function", function={"name": "find", "arguments": ""}
        )
        + call_delta(index=0, function={"arguments": '{"q":'})
        + call_delta(index=0, function={"arguments": '"墨"}'})
        + delta("tool_calls", content="")
        + DONE
    )
    pieces = [piece for one in told_beside(read(body)) for piece in one.tool_calls]
    assert pieces == [
        ToolCallPiece(0, "call_a", "find"),
        ToolCallPiece(0, arguments='{"q":'),
        ToolCallPiece(0, arguments='"墨"}'),
    ]


def test_a_tool_call_beside_a_text_is_not_passed_over() -> None:
    both = delta(content="查", tool_calls=[{"index": 0, "id": "c", "function": {"name": "find"}}])
    chunks = read(TEXT + both + TEXT + FINISH + DONE)
    assert text(chunks) == "墨灵 🎨查墨灵 🎨"
    assert [one.tool_calls for one in told_beside(chunks) if one.tool_calls] == [
        (ToolCallPiece(0, "c", "find"),)
    ]


@pytest.mark.parametrize(
    "wrong",
    [None, {}, "x", [None], [{"index": 0, "function": None}], [{"index": -1, "id": 5}], [[]]],
)
def test_what_is_no_tool_call_spoils_nothing(wrong: Any) -> None:
    chunks = read(TEXT + delta(content="。", tool_calls=wrong) + FINISH + DONE)
    assert text(chunks) == "墨灵 🎨。"


def test_a_whole_answer_in_place_of_a_stream_keeps_its_tool_calls() -> None:
    calls = [{"id": "a", "function": {"name": "find", "arguments": "{}"}}, {"id": "b"}]
    message = {"role": "assistant", "content": None, "tool_calls": calls}
    body = json.dumps({"choices": [{"message": message, "finish_reason": "tool_calls"}]}).encode()
    (told,) = told_beside(read(body, headers={"content-type": "application/json"}))
    assert told.tool_calls == (ToolCallPiece(0, "a", "find", "{}"), ToolCallPiece(1, "b"))
    assert told.finish_reason == "tool_calls"
