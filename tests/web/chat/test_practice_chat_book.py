"""The practice DeepSeek's book: every answer at its price, to the last place, and nothing else."""

import json
import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

import httpx
import pytest

from core.practice.chat.book import ChatCharge
from core.practice.chat.tokens import estimate_tokens
from core.practice.server import PracticeServer
from core.practice.settings import PRACTICE_CHAT_KEY, PracticeSettings
from core.wire.sse import SSEDecoder
from tests.waiting import until

SETTINGS = PracticeSettings(first_delta_s=0, delta_interval_s=0, keep_alive_s=0.01)
HEADERS = {"authorization": f"Bearer {PRACTICE_CHAT_KEY}"}
PATH = "/chat/completions"
OFF = {"thinking": {"type": "disabled"}}
# Per million tokens, off-peak: cached input, other input, output (money.md section 1).
PRICES = {
    "deepseek-flash": (Decimal("0.02"), Decimal(1), Decimal(4)),
    "deepseek-v4-pro": (Decimal("0.15"), Decimal("4.5"), Decimal("13.5")),
}
# Beijing; a Friday, then the edges of its peak hours, a weekend, a holiday, an unknown year.
MOMENTS = [
    ("2026-11-27T08:59:30", "off_peak"),
    ("2026-11-27T09:00:00", "peak"),
    ("2026-11-27T11:59:00", "peak"),
    ("2026-11-27T12:00:00", "off_peak"),
    ("2026-11-27T14:00:00", "peak"),
    ("2026-11-27T17:59:00", "peak"),
    ("2026-11-27T18:00:00", "off_peak"),
    ("2026-11-28T10:00:00", "off_peak"),
    ("2026-10-02T10:00:00", "off_peak"),
    ("2026-10-08T10:00:00", "peak"),
    ("2027-10-01T10:00:00", "peak"),
]


def beijing(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}+08:00")


@pytest.fixture
def practice() -> Iterator[PracticeServer]:
    with PracticeServer(settings=SETTINGS, clock=beijing("2026-11-27T10:00")) as server:
        yield server


@pytest.fixture
def client(practice: PracticeServer) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=practice.origin, headers=HEADERS, timeout=60) as client:
        yield client


SYSTEM = {"role": "system", "content": "请用平实的中文回答，每段不超过三句话。" * 12}


def ask(content: str, **fields: object) -> dict[str, object]:
    messages = [SYSTEM, {"role": "user", "content": content}]
    return {"model": "deepseek-flash", "messages": messages, "stream": True, **fields}


def events_of(content: bytes) -> list[Any]:
    found = [event.data for event in SSEDecoder().feed(content)]
    return [json.loads(data) for data in found if data != "[DONE]"]


def received(client: httpx.Client, body: dict[str, object]) -> tuple[bytes, bool]:
    """Return what came of a stream, and whether its connection was cut."""
    came = b""
    try:
        with client.stream("POST", PATH, json=body) as answer:
            for piece in answer.iter_raw():
                came += piece
    except httpx.RemoteProtocolError:
        return came, True
    return came, False


def said_in(events: list[Any]) -> tuple[str, str]:
    """Return the reasoning and the text that came."""
    thoughts, said = "", ""
    for delta in (one["choices"][0].get("delta", {}) for one in events if one.get("choices")):
        thoughts += delta.get("reasoning_content") or ""
        content = delta.get("content") or ""
        if isinstance(content, list):
            (part,) = content
            thoughts += "".join(inner["text"] for inner in part.get("thinking", []))
            content = part.get("text", "")
        said += content
    return thoughts, said


def cost_of(line: ChatCharge) -> Decimal:
    hit, miss, output = PRICES[line.model]
    total = hit * line.hit + miss * line.miss + output * line.completion
    return total * (2 if line.hour == "peak" else 1) / 1_000_000


def balance(client: httpx.Client) -> dict[str, Decimal]:
    (info,) = client.get("/user/balance").json()["balance_infos"]
    assert info["currency"] == "CNY"
    return {name: Decimal(info[f"{name}_balance"]) for name in ("total", "granted", "topped_up")}


def check_usage(line: ChatCharge, usage: dict[str, Any]) -> None:
    assert line.hit == usage["prompt_cache_hit_tokens"]
    assert line.miss == usage["prompt_cache_miss_tokens"]
    assert line.completion == usage["completion_tokens"]


def test_two_hundred_mixed_calls_are_each_charged_once_and_exactly(
    practice: PracticeServer, client: httpx.Client
) -> None:
    dice = random.Random(14)
    # Each with how the book is compared; what is refused is in no line.
    ways = ["stream"] * 4 + ["whole"] * 3 + ["pro", "cut", "broken", "no-usage", "refused", "empty"]
    hours: list[str] = []
    for number in range(220):
        way = dice.choice(ways)
        moment, hour = dice.choice(MOMENTS)
        practice.clock.set(beijing(moment))
        thinking = {} if dice.random() < 0.3 else OFF
        length = dice.randint(10, 400)
        content = f"第 {number} 问：写一段 {length} 字的文字"
        before = len(practice.chat_book)
        if way == "refused":
            status = dice.choice([400, 401, 402, 429, 500, 503])
            body = ask(f"{content} /practice {status}", **thinking)
            assert client.post(PATH, json=body).status_code == status
            assert len(practice.chat_book) == before
            continue
        hours.append(hour)
        if way == "whole":
            body = ask(content, stream=False, **thinking)
            usage = client.post(PATH, json=body).json()["usage"]
            check_usage(practice.chat_book[-1], usage)
        elif way in ("cut", "broken"):
            word = "cut" if way == "cut" else dice.choice(["error-in-stream", "flat-error"])
            came, was_cut = received(client, ask(f"{content} /practice {word}", **thinking))
            assert was_cut == (way == "cut")
            generated = sum(estimate_tokens(text) for text in said_in(events_of(came)))
            line = practice.chat_book[-1]
            assert line.was_stopped
            assert line.completion == generated > 0
        else:
            word = {"no-usage": "/practice no-usage", "empty": "/practice empty"}.get(way, "")
            model = "deepseek-v4-pro" if way == "pro" else "deepseek-flash"
            body = ask(f"{content} {word}", model=model, **thinking)
            events = events_of(client.post(PATH, json=body).content)
            line = practice.chat_book[-1]
            if way == "no-usage":
                assert line.completion == sum(map(estimate_tokens, said_in(events)))
            else:
                check_usage(line, events[-1]["usage"])
            assert line.request_id == events[0]["id"]
        assert len(practice.chat_book) == before + 1

    book = practice.chat_book
    assert [line.hour for line in book] == hours
    assert len({line.request_id for line in book}) == len(book) > 180
    assert {"peak", "off_peak"} == set(hours)
    assert any(line.hit for line in book)
    for line in book:
        assert line.cost == cost_of(line)
    spent = sum(cost_of(line) for line in book)
    assert balance(client)["total"] == Decimal(110) - spent
    told = client.get("/practice/book").json()["chat"]
    assert [Decimal(line["cost"]) for line in told] == [line.cost for line in book]


def test_a_stream_that_its_reader_leaves_is_charged_for_what_was_generated(
    practice: PracticeServer, client: httpx.Client
) -> None:
    whole = events_of(client.post(PATH, json=ask("写 3000 字", **OFF)).content)[-1]["usage"]
    came = b""
    body = ask("写 3000 字 /practice silent 600", **OFF)
    with client.stream("POST", PATH, json=body) as answer:
        for piece in answer.iter_raw():
            came += piece
            if len(said_in(events_of(came[: came.rfind(b"\n\n") + 2]))[1]) > 200:
                break
    until(lambda: len(practice.chat_book) == 2, "both are in the book")
    line = practice.chat_book[-1]
    assert line.was_stopped
    received = estimate_tokens(said_in(events_of(came[: came.rfind(b"\n\n") + 2]))[1])
    assert received <= line.completion < whole["completion_tokens"]
    assert line.cost == cost_of(line)


@pytest.mark.parametrize(
    ("starts", "ends", "hour"),
    [
        ("2026-11-27T08:59:00", "2026-11-27T09:00:00", "peak"),
        ("2026-11-27T11:59:00", "2026-11-27T12:00:00", "off_peak"),
    ],
)
def test_the_hour_at_the_end_counts(
    practice: PracticeServer, client: httpx.Client, starts: str, ends: str, hour: str
) -> None:
    practice.clock.set(beijing(starts))
    body = ask("你好 /practice silent 600", **OFF)
    with client.stream("POST", PATH, json=body) as answer:
        pieces = answer.iter_raw()  # kept: a dropped one would close the stream
        next(pieces)
        practice.clock.set(beijing(ends))
    until(lambda: bool(practice.chat_book), "it is in the book")
    (line,) = practice.chat_book
    assert (line.hour, line.cost) == (hour, cost_of(line))


@pytest.mark.parametrize("word", ["error-in-stream", "flat-error"])
def test_an_error_in_the_place_of_a_whole_answer_costs_nothing(
    practice: PracticeServer, client: httpx.Client, word: str
) -> None:
    client.post(PATH, json=ask(f"你好 /practice {word}", stream=False))
    assert practice.chat_book == ()
    assert balance(client)["total"] == 110


def test_half_a_whole_answer_was_generated_whole(
    practice: PracticeServer, client: httpx.Client
) -> None:
    with pytest.raises(httpx.RemoteProtocolError):
        client.post(PATH, json=ask("你好 /practice cut", stream=False, **OFF))
    (line,) = practice.chat_book
    again = client.post(PATH, json=ask("你好", stream=False, **OFF)).json()["usage"]
    assert line.completion == again["completion_tokens"]


@pytest.mark.parametrize("word", ["burst", "usage-twice", "usage-chunk", "no-done", "half-pairs"])
def test_other_shapes_of_an_answer_are_charged_as_its_usage_says(
    practice: PracticeServer, client: httpx.Client, word: str
) -> None:
    events = events_of(client.post(PATH, json=ask(f"你好 /practice {word}")).content)
    (line,) = practice.chat_book
    check_usage(line, next(one["usage"] for one in reversed(events) if one.get("usage")))
    assert not line.was_stopped


def test_an_answer_in_parts_is_counted_until_it_is_cut(
    practice: PracticeServer, client: httpx.Client
) -> None:
    came, was_cut = received(client, ask("你好 /practice content-parts /practice cut"))
    assert was_cut
    (line,) = practice.chat_book
    thoughts, said = said_in(events_of(came))
    assert thoughts
    assert line.completion == estimate_tokens(thoughts) + estimate_tokens(said) > 0


def test_granted_credit_is_spent_first() -> None:
    settings = replace(SETTINGS, granted_cny=Decimal("0.001"), topped_up_cny=Decimal("0.05"))
    with (
        PracticeServer(settings=settings) as server,
        httpx.Client(base_url=server.origin, headers=HEADERS, timeout=60) as client,
    ):
        info = client.get("/user/balance").json()["balance_infos"][0]
        assert info["total_balance"] == "0.051"
        assert info["topped_up_balance"] == "0.05"
        client.post(PATH, json=ask("写 3000 字", stream=False, **OFF))
        (line,) = server.chat_book
        assert line.cost is not None
        assert balance(client) == {
            "total": Decimal("0.051") - line.cost,
            "granted": Decimal(0),
            "topped_up": Decimal("0.051") - line.cost,
        }
        while balance(client)["total"] > 0:
            client.post(PATH, json=ask("写 9000 字", stream=False, **OFF))
        assert client.get("/user/balance").json()["is_available"] is False


def test_before_the_first_price_nothing_is_charged_and_nothing_is_said_to_cost_0(
    practice: PracticeServer, client: httpx.Client
) -> None:
    practice.clock.set(beijing("2026-08-01T10:00"))
    client.post(PATH, json=ask("你好", stream=False, **OFF))
    (line,) = practice.chat_book
    assert line.cost is None
    assert client.get("/practice/book").json()["chat"][0]["cost"] is None
    assert client.get("/user/balance").json()["balance_infos"][0] == {
        "currency": "CNY",
        "total_balance": "110.00",
        "granted_balance": "10.00",
        "topped_up_balance": "100.00",
    }
