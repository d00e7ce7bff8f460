"""core/providers/deepseek/events: many events at once, and never other than one by one."""

import asyncio
import json
import random
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import UnavailableError
from core.models.chat import AnswerPart, ChatParameters, Turn
from core.models.deltas import Completion, Delta, Extras
from core.providers.deepseek.client import DeepSeek
from core.providers.deepseek.events import fast_decoder
from core.providers.deepseek.events.event import plain_text
from core.providers.deepseek.events.fast_decoder import FastDecoder
from core.providers.deepseek.events.template import EventTemplate
from core.providers.http.client import build_client
from core.wire.sse import SSEDecoder
from tests.unit.replies import Pieces, deltas_in

URL = "https://api.deepseek.com/chat/completions"
MODEL = "flash"


def chunk_json(delta: dict[str, Any], **more: Any) -> str:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": None}
    fields = {"id": "answer-1", "created": 1763779200, "model": MODEL, "choices": [choice], **more}
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":"))


def delta(part: AnswerPart, text: str) -> dict[str, str | None]:
    """Return what DeepSeek sends while it thinks, and while it answers."""
    return {"content": None, "reasoning_content": None, part: text}


def event(text: str, part: AnswerPart = "content", **more: Any) -> bytes:
    return f"data: {chunk_json(delta(part, text), **more)}\n\n".encode()


PARTS: list[AnswerPart] = ["content", "reasoning_content"]
AROUND = {part: event("|", part)[6:-2].split(b"|") for part in PARTS}


def learned(text: str = "字", part: AnswerPart = "content") -> EventTemplate:
    template = EventTemplate()
    template.learn(event(text, part)[6:-2], Delta(part, [text]), MODEL)
    return template


def one_by_one(block: bytes) -> list[Delta | None]:
    decoder = SSEDecoder()
    decoder.feed(b":\n\n")  # behind the beginning, where a BOM may stand
    return [plain_text(data, MODEL) for _, data in decoder.feed_raw(block)]


@pytest.mark.parametrize("part", PARTS)
def test_usual_events_are_read_at_once(part: AnswerPart) -> None:
    texts = ["墨", "灵", ' "quoted" \\ ', "a\nb", "🎨", '","']
    block = b"".join(event(text, part) for text in texts)
    assert learned(part=part).read(block) == (Delta(part, texts), b"")


def test_the_answer_is_no_more_of_the_thinking() -> None:
    said = event("答")
    found = learned(part="reasoning_content").read(event("想", "reasoning_content") + said)
    assert found == (Delta("reasoning_content", ["想"]), said)


def test_what_follows_the_usual_events_is_left() -> None:
    last = event("", usage={"total_tokens": 3}) + b": keep-alive\n\ndata: [DONE]\n\n"
    found = learned().read(event("墨") + event("灵") + last)
    assert found == (Delta("content", ["墨", "灵"]), last)


@pytest.mark.parametrize(
    "block",
    [
        b": keep-alive\n\n" + event("墨"),
        event("墨", model="other"),
        event("墨")[:-1],
        event("墨")[:40],
        event(""),
        event("墨", "reasoning_content"),
        b"",
    ],
)
def test_another_beginning_is_not_read(block: bytes) -> None:
    assert learned().read(block) is None


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (chunk_json({"content": "index"}), "index"),  # stands there twice
        ('{"choices":[{"delta":{"content":"x"}}],\n"model":"flash"}', "x"),  # of two lines
        ('{"note":"x","choices":[{"delta":{"content":"\\u0078"}}]}', "x"),  # another one's place
        ('{"choices":[{"delta":{"content":"x","content":"\\u0078"}}]}', "x"),  # the last one counts
        ('{"choices":[{"delta":{"reasoning":"x","reasoning_content":"\\u0078"}}]}', "x"),
    ],
)
def test_an_event_that_leaves_doubts_teaches_nothing(data: str, text: str) -> None:
    run = plain_text(data.encode(), MODEL)
    assert run is not None
    assert run.texts == [text]
    template = EventTemplate()
    template.learn(data.encode(), run, MODEL)
    assert template.read(b"data: " + data.encode() + b"\n\n") is None


@pytest.mark.parametrize("text", ["字", "a\n", '"', "\\", "🎨"])
@pytest.mark.parametrize("ascii_only", [True, False])
def test_an_event_teaches_whatever_its_text(text: str, ascii_only: bool) -> None:
    data = json.dumps(json.loads(chunk_json({"content": text})), ensure_ascii=ascii_only).encode()
    template = EventTemplate()
    run = Delta("content", [text])
    template.learn(data, run, MODEL)
    assert template.read(b"data: " + data + b"\n\n") == (run, b"")


fragments = st.sampled_from(
    [
        *b'a , " \\ \\" \\n "," \\u5b57 \\ud800 { } \xff \x00 \xe5\xad data: :'.split(b" "),
        *("字".encode(), b"\n", b"\r", b"\n\n", b"data: "),
        *(around for part in PARTS for around in AROUND[part]),
    ]
)
insides = st.lists(fragments, max_size=5).map(b"".join)


@settings(max_examples=4_000, deadline=None)
@given(st.lists(insides, min_size=1, max_size=5), st.sampled_from(PARTS))
def test_it_never_reads_anything_else_than_event_by_event(
    inside: list[bytes], part: AnswerPart
) -> None:
    start, end = AROUND[part]
    block = b"".join(b"data: " + start + piece + end + b"\n\n" for piece in inside)
    found = learned(part=part).read(block)
    if found is not None:
        (found_part, texts, _), others = found
        expected = one_by_one(block)
        assert [Delta(found_part, [text]) for text in texts] == expected[: len(texts)]
        assert one_by_one(others) == expected[len(texts) :]


# -- in the stream ---------------------------------------------------------------------------------

DONE = b"data: [DONE]\n\n"
FINISH = b'data: {"choices":[{"delta":{"content":""},"finish_reason":"stop"}]}\n\n'


def read(pieces: list[bytes]) -> list[Delta]:
    transport = httpx.MockTransport(
        lambda _: httpx.Response(
            200, headers={"content-type": "text/event-stream"}, stream=Pieces(pieces)
        )
    )

    async def run() -> list[Delta]:
        client = build_client(timeout=httpx.Timeout(5), transport=transport)
        provider = DeepSeek(url=URL, api_key="sk-1" * 9, client=client)
        async with (
            asyncio.timeout(20),
            provider.stream([Turn.of_text("user", "?")], ChatParameters()) as s,
        ):
            chunks = [delta async for delta in deltas_in(s)]
        await provider.aclose()
        return chunks

    return asyncio.run(run())


def cut(body: bytes, source: random.Random, *, mean: int) -> list[bytes]:
    pieces = []
    while body:
        size = source.randint(1, 2 * mean)
        pieces.append(body[:size])
        body = body[size:]
    return pieces


def test_what_one_read_brings_is_one_delta_a_part() -> None:
    decoder = FastDecoder(host="h", secrets=(), content_type="text/event-stream")
    for text in "开头":  # the model is told, and what the others look like
        decoder.feed(event(text, "reasoning_content"))
    thoughts = event("想", "reasoning_content") + event("一想", "reasoning_content")
    assert decoder.feed(thoughts + event("答")[:30]) == [Delta("reasoning_content", ["想", "一想"])]
    assert decoder.feed(event("答")[30:]) == [Delta("content", ["答"])]
    assert decoder.feed(event("案") + event("。")) == [Delta("content", ["案", "。"])]
    assert decoder.feed(b": keep-alive\n\n") == []
    assert not decoder.answer.has_moved
    (told,) = decoder.feed(FINISH)
    assert told == Delta("content", [], Extras("stop"))
    assert (decoder.feed(DONE), decoder.answer.is_ended) == ([], True)


def test_a_decoder_gives_out_what_it_held_back_when_the_line_breaks() -> None:
    decoder = FastDecoder(host="h", secrets=(), content_type="text/event-stream")
    half = b'data: {"choices":[{"delta":{"content":"Hi \\ud83d"}}]}\n\n'
    assert Completion.of(decoder.feed(half)).content == "Hi "
    broken = UnavailableError("error.cut_off", provider="deepseek", facts={"host": "h"})
    assert decoder.break_off(broken) == [Delta("content", ["\ufffd"])]
    assert decoder.answer.failure is broken


@pytest.mark.parametrize("mean", [3, 150, 5_000])
def test_a_mixed_stream_gives_the_same_however_it_is_cut(mean: int) -> None:
    source = random.Random(mean)
    for _ in range(30):
        body, said, thought = b"", "", ""
        for number in range(source.randint(1, 120)):
            kind = source.choice("tttttttttttttqnrmcxli")
            if kind == "r":
                for step in range(source.randint(1, 9)):
                    body += event(f"想{number}.{step}", "reasoning_content")
                    thought += f"想{number}.{step}"
                continue
            if kind == "c":
                body += b": keep-alive\n\n"
                continue
            text = {"q": f'"{number}\\', "n": f"\n{number}\n\n"}.get(kind, f"字{number}")
            said += text
            sent = event(text)
            if kind == "m":
                sent = event(text, model=f"model-{number}")
            elif kind == "x":
                sent = event(text, obfuscation=f"{source.random()}")
            elif kind == "l":
                sent = sent.replace(b"\n", b"\r\n")
            elif kind == "i":
                sent = f"id: {number}\n".encode() + sent
            body += sent
        chunks = read(cut(body + FINISH + DONE, source, mean=mean))
        whole = Completion.of(chunks)
        assert (whole.content, whole.reasoning_content) == (said, thought)
        assert whole.extras.finish_reason == "stop"


def count_full_readings(monkeypatch: pytest.MonkeyPatch, body: bytes) -> int:
    read_in_full = 0

    def counted(data: bytes, model: str | None) -> Delta | None:
        nonlocal read_in_full
        read_in_full += 1
        return plain_text(data, model)

    monkeypatch.setattr(fast_decoder, "plain_text", counted)
    read(cut(body + FINISH + DONE, random.Random(1), mean=2_000))
    return read_in_full


def test_nearly_all_of_a_usual_stream_is_read_the_short_way(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    thoughts = b"".join(event(f"想{number}", "reasoning_content") for number in range(1_000))
    said = b"".join(event(f"字{number}\n") for number in range(1_000))
    assert count_full_readings(monkeypatch, event("墨") + thoughts + said) < 16


def test_keep_alives_do_not_use_up_the_lessons(monkeypatch: pytest.MonkeyPatch) -> None:
    said = b"".join(
        event(f"字{number}") + (b": keep-alive\n\n" if number % 20 == 0 else b"")
        for number in range(1_000)
    )
    assert count_full_readings(monkeypatch, said) < 120


def test_a_stream_with_noise_in_each_event_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    lessons = 0
    learn = EventTemplate.learn

    def counted(self: EventTemplate, data: bytes, said: Delta, model: str | None) -> None:
        nonlocal lessons
        lessons += self.is_of_use
        learn(self, data, said, model)

    monkeypatch.setattr(EventTemplate, "learn", counted)
    body = b"".join(event(f"字{number}", noise=f"{number}" * 3) for number in range(500))
    chunks = read(cut(body + FINISH + DONE, random.Random(1), mean=2_000))
    assert Completion.of(chunks).content == "".join(f"字{n}" for n in range(500))
    assert lessons < 40
