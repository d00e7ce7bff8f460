"""The exchange hook sees every request to a provider, and never a secret."""

import asyncio
import base64
import gzip
import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from core.errors import AppError
from core.models.accounts import KlingKeyPair
from core.models.chat import ChatParameters, Turn
from core.models.deltas import Completion
from core.models.generations import ImageRequest
from core.practice.server import PracticeServer
from core.practice.settings import PRACTICE_CHAT_KEY, PracticeSettings
from core.providers.deepseek.client import DeepSeek
from core.providers.http.client import build_client
from core.providers.http.exchanges import BODY_MOST, observe
from core.providers.http.kept_exchange import Exchange, KeptExchange
from core.providers.kling.client import Kling
from core.providers.kling.downloads import PictureFetcher
from core.wire.event_frames import event_frames
from core.wire.masking.secrets import known_secrets
from core.work.xray.reading import added_by
from tests.unit.replies import deltas_in
from tests.upstream import DONE, STREAM_HEAD, Plan, Step, Upstream

KEY = "sk-canary-9f8e7d6c5b4a39281706"
PAIR = KlingKeyPair("access-canary-1234567890", "secret-canary-09876543210987654321")
QUESTION = [Turn.of_text("user", "what is ink made of")]
TIMEOUT = httpx.Timeout(10)


@pytest.fixture
def seen() -> Iterator[list[Exchange]]:
    exchanges: list[Exchange] = []
    remove = observe(lambda kept: exchanges.append(kept.view()))
    yield exchanges
    remove()


@pytest.fixture(autouse=True)
def known() -> Iterator[None]:
    known_secrets.replace([KEY, PAIR.access_key, PAIR.secret_key])
    yield
    known_secrets.replace([])


def ask(plan: Callable[[dict[str, Any]], Plan], *, stream: bool = True) -> str:
    """Put the question to a server that follows the plan; return the text, or the error's name."""

    async def run(url: str) -> str:
        client = DeepSeek(url=url, api_key=KEY)
        try:
            if not stream:
                return (await client.complete(QUESTION, ChatParameters())).content
            async with client.stream(QUESTION, ChatParameters()) as chunks:
                return Completion.of([delta async for delta in deltas_in(chunks)]).content
        except AppError as error:
            return type(error).__name__
        finally:
            await client.aclose()

    with Upstream(plan) as upstream:
        return asyncio.run(run(upstream.url))


def event(text: str) -> bytes:
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": None}
    return b"data: %b\n\n" % json.dumps({"choices": [choice]}).encode()


def told(exchange: Exchange) -> str:
    return repr([getattr(exchange, field.name) for field in fields(exchange)])


def assert_no_secret(exchange: Exchange) -> None:
    shown = told(exchange)
    assert not known_secrets.is_in(shown)
    for secret in (KEY, PAIR.access_key, PAIR.secret_key):
        assert secret not in shown
        assert base64.b64encode(secret.encode()).decode().rstrip("=")[2:-2] not in shown


def test_a_streamed_answer_is_seen_chunk_by_chunk(seen: list[Exchange]) -> None:
    def plan(_body: dict[str, Any]) -> Plan:
        yield Step(data=STREAM_HEAD + event("soot "))
        yield Step(0.05, event("and glue"))
        yield Step(0.05, DONE)

    assert "soot" in ask(plan)
    (one,) = seen
    assert (one.method, one.status_code) == ("POST", 200)
    assert json.loads(one.request_body)["messages"][0]["content"] == QUESTION[0].text
    assert "soot " in one.response_body
    assert "and glue" in one.response_body
    assert len(one.chunks) >= 2
    times = [after for after, _ in one.chunks]
    assert times == sorted(times)
    assert one.first_byte_s is not None
    assert one.first_byte_s <= times[0] <= one.duration_s
    assert sum(size for _, size in one.chunks) == len(one.response_body.encode())


@pytest.mark.parametrize("cut_at", range(1, len(KEY), 4))
def test_a_key_that_a_server_echoes_in_two_chunks_is_masked(
    seen: list[Exchange], cut_at: int
) -> None:
    spoken = event(f"your key is {KEY}!")
    at = spoken.index(KEY.encode()) + cut_at

    def plan(_body: dict[str, Any]) -> Plan:
        yield Step(data=STREAM_HEAD + spoken[:at])
        yield Step(0.02, spoken[at:] + DONE)

    ask(plan)
    assert "your key is" in seen[0].response_body
    assert_no_secret(seen[0])


def test_a_key_that_a_model_says_in_pieces_is_not_put_together(seen: list[Exchange]) -> None:
    def plan(_body: dict[str, Any]) -> Plan:
        yield Step(data=STREAM_HEAD + event("墨 " + KEY[:4]))
        for at in range(4, len(KEY), 3):
            yield Step(data=event(KEY[at : at + 3]))
        yield Step(data=event(" soot") + DONE)

    ask(plan)
    (one,) = seen
    frames = event_frames(one.response_body, one.chunks)
    assert "".join(map(added_by, frames)) == f"墨 {'*' * len(KEY)} soot"
    assert sum(size for _, size in one.chunks) == len(one.response_body.encode())


def test_a_refusal_is_seen_with_what_it_says(seen: list[Exchange]) -> None:
    said = json.dumps({"error": {"message": f"bad key {KEY}", "code": "invalid"}}).encode()
    head = b"HTTP/1.1 401 No\r\nset-cookie: a=%b\r\n" % KEY.encode()

    def plan(_body: dict[str, Any]) -> Plan:
        yield Step(data=head + b"content-length: %d\r\n\r\n" % len(said) + said)

    ask(plan)
    (one,) = seen
    assert one.status_code == 401
    assert "bad key" in one.response_body
    assert dict(one.request_headers)["authorization"] == "…"
    assert dict(one.response_headers)["set-cookie"] == "…"
    assert_no_secret(one)


def test_no_reply_is_seen_with_the_errors_class(seen: list[Exchange]) -> None:
    async def run() -> None:
        client = build_client(timeout=TIMEOUT)
        with suppress(httpx.ConnectError):
            await client.get(f"http://u:{PAIR.secret_key}@127.0.0.1:1/p?key={KEY}#f")
        await client.aclose()

    asyncio.run(run())
    (one,) = seen
    assert one.status_code is None
    assert one.error == "ConnectError"
    assert one.url == "http://127.0.0.1:1/p"
    assert_no_secret(one)


def test_what_is_cancelled_is_seen_once(seen: list[Exchange]) -> None:
    def plan(_body: dict[str, Any]) -> Plan:
        yield Step(data=STREAM_HEAD + event("begun"))
        yield Step(60, DONE)

    async def run(url: str) -> None:
        client = DeepSeek(url=url, api_key=KEY)

        async def read() -> None:
            async with client.stream(QUESTION, ChatParameters()) as chunks:
                async for _ in chunks.batches():
                    begun.set()

        begun = asyncio.Event()
        reading = asyncio.create_task(read())
        await begun.wait()
        reading.cancel()
        with suppress(asyncio.CancelledError):
            await reading
        await client.aclose()

    with Upstream(plan) as upstream:
        asyncio.run(run(upstream.url))
    (one,) = seen
    assert "begun" in one.response_body
    assert one.status_code == 200


@pytest.mark.parametrize("streams", [True, False])
def test_a_packed_body_is_shown_unpacked_and_masked(seen: list[Exchange], streams: bool) -> None:
    packed = gzip.compress(json.dumps({"said": f"it is {KEY}"}).encode())
    head = b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-type: application/json\r\n"

    def plan(_body: dict[str, Any]) -> Plan:
        yield Step(data=head + b"content-length: %d\r\n\r\n" % len(packed) + packed)

    ask(plan, stream=streams)
    assert '"said": "it is' in seen[0].response_body
    assert_no_secret(seen[0])


def test_a_long_body_is_cut_and_the_client_gets_all_of_it(seen: list[Exchange]) -> None:
    text = "ink " * (BODY_MOST // 3) + KEY

    def plan(_body: dict[str, Any]) -> Plan:
        yield Step(data=STREAM_HEAD + event(text) + DONE)

    assert len(ask(plan)) > BODY_MOST
    (one,) = seen
    assert one.is_cut
    assert len(one.response_body) < BODY_MOST * 5 // 4  # one read may go beyond
    assert_no_secret(one)


def test_every_call_to_kling_is_seen_and_no_link_or_token_of_it(
    seen: list[Exchange], tmp_path: Path
) -> None:
    async def run(practice: PracticeServer) -> None:
        kling = Kling(origin=practice.origin, credentials=PAIR)
        fetcher = PictureFetcher(origin=practice.origin)
        try:
            task = await kling.create_task(
                ImageRequest(prompt="a pine"), external_task_id="exchange-1"
            )
            while not task.images:
                task = await kling.get_task("image", task.task_id)
            await fetcher.fetch(task.images[0].url, tmp_path / "pine.png")
        finally:
            await kling.aclose()
            await fetcher.aclose()

    settings = PracticeSettings(access_key=PAIR.access_key, secret_key=PAIR.secret_key)
    with PracticeServer(settings=replace(settings, processing_s=0.1)) as practice:
        asyncio.run(run(practice))
    assert {one.method for one in seen} == {"GET", "POST"}
    assert seen[-1].status_code == 200
    assert "?" not in seen[-1].url
    for one in seen:
        assert "eyJ" not in told(one)
        assert_no_secret(one)


def test_an_observer_that_fails_harms_nothing(caplog: pytest.LogCaptureFixture) -> None:
    def fail(_exchange: KeptExchange) -> None:
        raise RuntimeError("broken observer")

    def plan(_body: dict[str, Any]) -> Plan:
        yield Step(data=STREAM_HEAD + event("whole") + DONE)

    remove = observe(fail)
    try:
        assert "whole" in ask(plan)
    finally:
        remove()
    assert "an observer of exchanges failed" in caplog.text


def test_after_its_removal_nobody_is_told(seen: list[Exchange]) -> None:
    others: list[KeptExchange] = []
    observe(others.append)()

    async def run(url: str) -> None:
        client = build_client(timeout=TIMEOUT)
        await client.get(f"{url}/models", headers={"Authorization": f"Bearer {PRACTICE_CHAT_KEY}"})
        await client.aclose()

    with PracticeServer() as practice:
        asyncio.run(run(practice.origin))
    assert len(seen) == 1
    assert not others
