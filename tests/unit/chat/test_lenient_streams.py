"""Answers in other shapes than the documented one: read whole, or said to lack something."""

import json
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import ProtocolError, ProviderError, UnavailableError
from core.models.deltas import Completion, Delta
from core.models.parts import ToolCallPiece
from core.providers.deepseek.events.fast_decoder import FastDecoder
from tests.unit.chat.test_deepseek_stream import (
    DONE,
    FINISH,
    SSE,
    TEXT,
    delta,
    event,
    finish_reason,
    read,
    read_until_error,
    text,
    thoughts,
)
from tests.unit.replies import told_beside

TAB_JSON = b'data: {"choices":[{"index":0,"delta":{"content":"A\tB"},"finish_reason":null}]}\n\n'
JSON_TYPE = {"content-type": "application/json"}


def unread(chunks: list[Delta]) -> int:
    return Completion.of(chunks).extras.unread


def said(chunks: list[Delta]) -> tuple[str, str, int]:
    return text(chunks), thoughts(chunks), unread(chunks)


def choice(**fields: Any) -> bytes:
    return event(id="c", model="m", choices=[{"index": 0, **fields}])


# -- shapes ----------------------------------------------------------------------------------------

PARTS = [
    "plain",
    {"type": "text", "text": " part"},
    {"type": "thinking", "thinking": [{"type": "text", "text": "Weigh both."}]},
    {"type": "output_text", "text": {"value": " value"}},
    {"type": "reference", "reference_ids": [1]},
]


@pytest.mark.parametrize(
    ("body", "content", "reasoning"),
    [
        (delta(content=PARTS), "plain part value", "Weigh both."),
        (delta(content=[{"text": "a"}]) + delta(content="b"), "ab", ""),
        (delta(content={"type": "text", "text": "a"}), "a", ""),
        (delta(content=[[{"type": "text", "text": "a"}], "b"]), "ab", ""),
        (delta(content=[{"type": "reasoning", "summary": [{"text": "r"}]}]), "", "r"),
        (delta(reasoning_details=[{"type": "reasoning.text", "text": "r"}]), "", "r"),
        (delta(reasoning="r", reasoning_details=[{"text": "r"}]), "", "r"),
        (delta(refusal="I will not."), "I will not.", ""),
        (delta(content="a", refusal="b") + delta(content="c"), "abc", ""),
        (choice(message={"content": "a"}) + choice(message={"content": "b"}), "ab", ""),
        (choice(message={"content": "a", "reasoning": "r"}), "a", "r"),
        (choice(delta={"role": "assistant"}, message={"content": "a"}), "a", ""),
        (choice(text="a") + choice(text="b", logprobs=None), "ab", ""),
        (choice(delta="a"), "a", ""),
        (event(choices={"delta": {"content": "a"}}), "a", ""),
        (event(success=True, data={"choices": [{"delta": {"content": "a"}}]}), "a", ""),
        (event(code=0, msg="ok", data={"choices": [{"delta": {"content": "a"}}]}), "a", ""),
        (event(output={"choices": [{"message": {"content": "a"}}]}, usage={}), "a", ""),
        (event(message={"role": "assistant", "content": "a"}, done=False), "a", ""),
        # The whole once more at the end, or beside each piece.
        (delta(content="ab") + choice(delta={}, message={"content": "ab"}), "ab", ""),
        (delta(content="ab") + choice(message={"content": "ab"}, finish_reason="stop"), "ab", ""),
        (
            choice(delta={"content": "a"}, message={"content": "a"})
            + choice(delta={"content": "b"}, message={"content": "ab"}),
            "ab",
            "",
        ),
        (
            choice(message={"content": "a"})
            + choice(message={"content": "b"})
            + choice(message={"content": "ab"}, finish_reason="stop"),
            "ab",
            "",
        ),
        (b"\xef\xbb\xbf" + delta(content="a"), "a", ""),
        (delta(content="a") + b"event: ping\ndata: {}\n\nevent: heartbeat\ndata: now\n\n", "a", ""),
        (b"event: message_delta\n" + delta(content="a"), "a", ""),
        (event(type="ping", at="12:00") + delta(content="a"), "a", ""),
        (event(choices=[], prompt_filter_results=[{"x": "y"}]) + delta(content="a"), "a", ""),
        (b"data: null\n\n" + delta(content="a"), "a", ""),
        (TAB_JSON + delta(content=" C"), "A\tB C", ""),
        (b'data: {"choices":[{"delta":{"content":"\x00\x1b[1m"}}]}\n\n', "\x00\x1b[1m", ""),
    ],
)
def test_every_shape_is_read(body: bytes, content: str, reasoning: str) -> None:
    for ending in (FINISH + DONE, b'data: "[DONE]"\n\n', choice(finish_reason="stop")):
        assert said(read(body + ending)) == (content, reasoning, 0)
    cut = body.replace(b"\n\n", b"\r\r") + DONE
    assert said(read(cut)) == (content, reasoning, 0)


@pytest.mark.parametrize(
    "lost",
    [
        b"data: {oops\n\n",
        b"data: some words\n\n",
        b"data: [1, 2]\n\n",
        event(type="response.output_text.delta", delta="a"),
        event(candidates=[{"parts": [{"text": "a"}]}]),
        event(choices=[{"delta": {"words": "a"}}]),
        delta(content=5),
        delta(content=[{"type": "image_url", "image_url": {"url": "u"}}]),
        delta(tool_calls="search"),
        event(choices=[{"index": 1, "delta": {"content": "another version"}}]),
        b"event: note\ndata: words\n\n",
    ],
)
def test_what_cannot_be_read_is_counted(lost: bytes) -> None:
    chunks = read(TEXT + lost + TEXT + FINISH + DONE)
    assert said(chunks) == ("墨灵 🎨墨灵 🎨", "", 1)
    assert finish_reason(chunks) == "stop"


def test_the_first_of_several_choices_is_the_answer() -> None:
    both = [{"index": place, "delta": {"content": "ab"[place]}} for place in range(2)]
    chunks = read(event(choices=both) + event(choices=both[1:]) + FINISH + DONE)
    assert said(chunks) == ("a", "", 2)
    alone = event(choices=[{"index": 3, "delta": {"content": "x"}}])
    assert said(read(alone + alone + DONE)) == ("xx", "", 0)


def test_calls_in_other_shapes_are_read() -> None:
    old = delta(function_call={"name": "find", "arguments": {"q": "墨"}})
    chunks = read(delta(content="查") + old + FINISH + DONE)
    assert [one.tool_calls for one in told_beside(chunks) if one.tool_calls] == [
        (ToolCallPiece(0, "", "find", '{"q": "墨"}'),)
    ]


def test_nothing_that_ends_an_answer_makes_it_lack_something() -> None:
    for tail in (b"data: {", b"data: [DON", b"da", event(choices=[])):
        assert said(read(TEXT + FINISH + tail)) == ("墨灵 🎨", "", 0)


# -- errors ----------------------------------------------------------------------------------------

FLAT = [
    ({"code": 50505, "msg": "overloaded"}, "overloaded"),
    ({"code": "50505", "message": "overloaded", "choices": []}, "overloaded"),
    ({"code": 50505, "error": "overloaded"}, "overloaded"),
    ({"code": 50505, "data": None}, ""),
    ({"error": "Unavailable", "message": "overloaded", "status": 503}, "Unavailable: overloaded"),
    ({"success": False, "message": "overloaded"}, "overloaded"),
    ({"success": False, "data": {"code": 7, "msg": "overloaded"}}, "overloaded"),
    ({"error_code": 336100, "error_msg": "overloaded"}, "overloaded"),
    ({"object": "error", "message": "overloaded", "code": None}, "overloaded"),
    (
        {"type": "error", "error": {"type": "overloaded_error", "message": "overloaded"}},
        "overloaded",
    ),
    ({"base_resp": {"status_code": 1004, "status_msg": "overloaded"}}, "overloaded"),
    ({"error": {"error": {"message": "overloaded"}}}, "overloaded"),
    ({"choices": [{"index": 0, "error": {"message": "overloaded"}}]}, "overloaded"),
    ({"choices": [{"delta": {}, "finish_reason": "error"}], "message": "overloaded"}, "overloaded"),
    ({"choices": [{"delta": {"content": ""}, "finish_reason": "error"}]}, ""),
    ({"error": {"message": "over\ud83dloaded"}}, "over\ufffdloaded"),
    ({"error": {"code": 7}, "detail": "over\ud83dloaded"}, "over\ufffdloaded"),
]


@pytest.mark.parametrize(("payload", "words"), FLAT)
def test_an_errors_words_are_told_in_a_stream(payload: dict[str, Any], words: str) -> None:
    chunks, error = read_until_error(TEXT + ascii_event(payload))
    assert text(chunks) == "墨灵 🎨"
    assert error.detail == words


def ascii_event(payload: dict[str, Any]) -> bytes:
    return f"data: {json.dumps(payload)}\n\n".encode()


@pytest.mark.parametrize(("payload", "words"), FLAT)
@pytest.mark.parametrize("content_type", ["application/json", "text/event-stream"])
def test_an_errors_words_are_told_as_a_body(
    payload: dict[str, Any], words: str, content_type: str
) -> None:
    body = json.dumps(payload).encode()
    _, error = read_until_error(body, headers={"content-type": content_type})
    assert error.detail == words


def test_the_text_of_an_event_that_holds_an_error_too_is_kept() -> None:
    both = event(error={"message": "m"}, choices=[{"delta": {"content": "!"}}])
    chunks, error = read_until_error(TEXT + both)
    assert (text(chunks), error.detail) == ("墨灵 🎨!", "m")


def test_an_event_named_error_tells_its_words_as_they_are() -> None:
    _, error = read_until_error(TEXT + b"event: error\ndata: out of memory\n\n")
    assert (error.text_id, error.detail) == ("error.chat_broken_off", "out of memory")


def test_the_last_words_before_a_cut_are_told() -> None:
    chunks, error = read_until_error(TEXT + event(message="going down"))
    assert (text(chunks), unread(chunks)) == ("墨灵 🎨", 1)
    assert isinstance(error, UnavailableError)
    assert (error.text_id, error.detail) == ("error.cut_off", "going down")


# -- whole for stream, stream for whole ------------------------------------------------------------

WHOLE = {"choices": [{"message": {"content": "Whole."}, "finish_reason": "stop"}]}


@pytest.mark.parametrize("headers", [SSE, JSON_TYPE, {"content-type": "text/plain"}])
@pytest.mark.parametrize(
    "body",
    [
        json.dumps(WHOLE),
        json.dumps({"success": True, "data": WHOLE}, indent=2),
        "\ufeff" + json.dumps(WHOLE),
        json.dumps([WHOLE]),
        json.dumps({"choices": [{"text": "Whole.", "finish_reason": "stop"}]}),
        json.dumps({"data": {"choices": [{"message": {"content": [{"text": "Whole."}]}}]}}),
        json.dumps({**WHOLE, "padding": "x" * 200_000}),
        '\n\n{"choices": [{"message": {"content": "Whole."}}], "n": NaN}',
    ],
)
def test_a_whole_answer_is_taken_for_a_stream(headers: dict[str, str], body: str) -> None:
    assert said(read(body.encode(), headers=headers)) == ("Whole.", "", 0)


def test_a_raw_tab_in_a_whole_answer_is_read() -> None:
    body = b'{"choices":[{"message":{"content":"A\tB"}}]}'
    assert said(read(body, headers=JSON_TYPE)) == ("A\tB", "", 0)


def whole_of(
    body: bytes, *, size: int = 1 << 20, content_type: str = JSON_TYPE["content-type"]
) -> tuple[Completion, ProviderError | None]:
    pieces = [body[at : at + size] for at in range(0, len(body), size)]
    return read_pieces(pieces, content_type)


def read_pieces(pieces: list[bytes], content_type: str) -> tuple[Completion, ProviderError | None]:
    """Return what the decoder makes of a reply that comes so, and how that broke off."""
    decoder = FastDecoder(host="h", secrets=(), content_type=content_type)
    deltas = [delta for piece in pieces for delta in decoder.feed(piece)]
    if not decoder.answer.is_ended:
        deltas += decoder.end()
    return Completion.of(deltas), decoder.answer.failure


@pytest.mark.parametrize("size", [1, 3, 1 << 20])
@pytest.mark.parametrize("before", [b"", b"\n\n ", b": keep-alive\n\n", b"\xef\xbb\xbf"])
def test_a_stream_is_taken_for_a_whole_answer(size: int, before: bytes) -> None:
    whole, failure = whole_of(before + TEXT + FINISH + DONE, size=size)
    assert failure is None
    assert (whole.content, whole.extras.finish_reason, whole.extras.model) == (
        "墨灵 🎨",
        "stop",
        "deepseek-flash",
    )


def test_a_stream_for_a_whole_answer_that_breaks_off_keeps_its_text() -> None:
    whole, failure = whole_of(TEXT)
    assert whole.content == "墨灵 🎨"
    assert failure is not None
    assert failure.text_id == "error.cut_off"


def test_a_body_that_is_neither_is_told() -> None:
    _, failure = whole_of(b"dat")
    assert isinstance(failure, ProtocolError)
    _, failure = whole_of(json.dumps({"choices": [{}]}).encode())
    assert isinstance(failure, ProtocolError)


@pytest.mark.parametrize(
    ("before", "behind", "lost"),
    [
        ("", "\n\ndata: [DONE]\n\n", 0),
        (": ping\n\n: ping\n\n", "", 0),
        ("\n: ping\n", "\n[DONE]", 0),
        ("", '\n{"choices": []}\n', 0),
        ("", '\n{"rest": "of it"}\n', 1),
        ("", "\nrest of it\n", 1),
    ],
)
def test_a_whole_answer_with_something_around_it_is_read(
    before: str, behind: str, lost: int
) -> None:
    whole, failure = whole_of((before + json.dumps(WHOLE) + behind).encode())
    assert failure is None
    assert (whole.content, whole.extras.unread) == ("Whole.", lost)


# -- ends that are none, and words behind the end --------------------------------------------------


@pytest.mark.parametrize("word", ["null", "None", "", " "])
def test_a_word_for_no_finish_reason_ends_nothing(word: str) -> None:
    first = choice(delta={"content": "a"}, finish_reason=word)
    chunks = read(first + choice(delta={"content": "b"}, finish_reason="stop") + DONE)
    assert said(chunks) == ("ab", "", 0)
    assert [one.finish_reason for one in told_beside(chunks) if one.finish_reason] == ["stop"]


@pytest.mark.parametrize(
    "status",
    [{"code": 1, "msg": "ok"}, {"event": "done", "code": 10000, "message": "success"}],
)
def test_a_status_behind_the_end_takes_no_answer_back(status: dict[str, Any]) -> None:
    chunks = read(TEXT + FINISH + event(**status) + DONE)
    assert (text(chunks), unread(chunks)) == ("墨灵 🎨", 1)


def test_an_error_object_that_says_that_there_is_none_ends_nothing() -> None:
    fine = {"code": 0, "message": ""}
    first = event(id="c", choices=[{"index": 0, "delta": {"content": "a"}}], error=fine)
    assert text(read(first + choice(delta={"content": "b"}, finish_reason="stop") + DONE)) == "ab"


def test_half_a_character_in_the_last_words_harms_no_reply() -> None:
    error = read_until_error(TEXT + b"data: oops \xed\xa0\x80 x\n\n")[1]
    assert "oops" in error.detail
    error.detail.encode()


# -- characters in halves --------------------------------------------------------------------------


def raw_delta(part: str, literal: str) -> bytes:
    return f'data: {{"choices":[{{"index":0,"delta":{{"{part}":"{literal}"}}}}]}}\n\n'.encode()


@pytest.mark.parametrize("part", ["content", "reasoning_content"])
@pytest.mark.parametrize(
    "between",
    [
        b"",
        b": keep-alive\n\n",
        event(choices=[], usage={"total_tokens": 3}),
        delta(role="assistant"),
        b"event: ping\ndata: {}\n\n",
    ],
)
def test_halves_are_joined_over_events(part: str, between: bytes) -> None:
    body = raw_delta(part, "Hi \\ud83d") + between + raw_delta(part, "\\ude00 there")
    content, reasoning, _ = said(read(body + TEXT + FINISH + DONE))
    assert content.removesuffix("墨灵 🎨") + reasoning == "Hi 😀 there"


def test_halves_of_both_texts_do_not_meet() -> None:
    body = (
        raw_delta("content", "\\ud83d")
        + raw_delta("reasoning_content", "r\\ud83d")
        + raw_delta("content", "\\ude00")
        + raw_delta("reasoning_content", "\\ude01")
    )
    assert said(read(body + DONE)) == ("😀", "r😁", 0)


@pytest.mark.parametrize("ending", [FINISH + DONE, DONE, FINISH, delta("length")])
def test_half_a_character_at_the_end_is_one_sign(ending: bytes) -> None:
    assert text(read(raw_delta("content", "Hi \\ud83d") + ending)) == "Hi \ufffd"


def test_half_a_character_before_a_cut_is_one_sign() -> None:
    chunks, _ = read_until_error(raw_delta("content", "Hi \\ud83d"))
    assert text(chunks) == "Hi \ufffd"


def test_half_a_character_before_usual_events_is_one_sign() -> None:
    body = TEXT + TEXT + delta(content="字") + raw_delta("content", "\\ud83d") + TEXT * 3
    assert text(read(body + DONE)) == "墨灵 🎨墨灵 🎨字\ufffd" + "墨灵 🎨" * 3


def test_halves_that_stand_as_bytes_are_joined() -> None:
    pair = ["\ud83d".encode("utf-8", "surrogatepass"), "\ude00".encode("utf-8", "surrogatepass")]
    body = b"".join(b'data: {"choices":[{"delta":{"content":"' + one + b'"}}]}\n\n' for one in pair)
    assert text(read(body + DONE)) == "😀"


# -- for every split -------------------------------------------------------------------------------


def escaped(unit: str, dice: random.Random) -> str:
    """Return a UTF-16 unit as it may stand in a JSON string: raw control characters too."""
    if unit in '"\\' or 0xD800 <= ord(unit) <= 0xDFFF or unit in "\r\n" or dice.random() < 0.3:
        return f"\\u{ord(unit):04x}"
    return unit


def streamed(texts: dict[str, str], seed: int) -> list[bytes]:
    """Return a stream of these texts in events, escapes and chunks as the seed has it."""
    dice = random.Random(seed)
    events: list[str] = []
    for part, whole in texts.items():
        raw = whole.encode("utf-16-be")
        units = [chr(int.from_bytes(raw[at : at + 2], "big")) for at in range(0, len(raw), 2)]
        while units:
            size = dice.choice((1, 1, 2, 3, 8))
            literal = "".join(escaped(unit, dice) for unit in units[:size])
            units = units[size:]
            events.append(f'data: {{"choices":[{{"index":0,"delta":{{"{part}":"{literal}"}}}}]}}')
            if dice.random() < 0.2:
                events.append(dice.choice((": keep-alive", 'data: {"choices":[],"usage":null}')))
    end = dice.choice(("\n", "\r\n", "\r"))
    body = "".join(f"{one}{end}{end}" for one in (*events, "data: [DONE]")).encode()
    chunks = []
    while body:
        size = dice.choice((1, 7, 40, 400, 4000))
        chunks.append(body[:size])
        body = body[size:]
    return chunks


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=40), st.text(max_size=40), st.integers(0, 1 << 30))
def test_for_every_split_the_text_is_the_text(thought: str, answer: str, seed: int) -> None:
    pieces = streamed({"reasoning_content": thought, "content": answer}, seed)
    whole, failure = read_pieces(pieces, SSE["content-type"])
    assert failure is None
    assert (whole.content, whole.reasoning_content, whole.extras.unread) == (answer, thought, 0)


# -- fields beside the text ------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["thinking", "thinking_content", "thought", "reasoning"])
def test_thinking_beside_the_content_is_read_under_any_name(name: str) -> None:
    body = b"".join(
        delta(**{name: thought, "content": word})
        for thought, word in zip("abc", "xyz", strict=True)
    )
    body += delta(**{name: "", "content": "!"}) + delta(**{name: None, "content": "?"})
    assert said(read(body + FINISH + DONE)) == ("xyz!?", "abc", 0)
    details = delta(reasoning_details=[{"text": "r"}], content="c")
    assert said(read(details + FINISH + DONE)) == ("c", "r", 0)


def test_thinking_under_two_names_is_read_once_or_both() -> None:
    same = delta(reasoning="r", reasoning_content="r", reasoning_details=[{"text": "r"}])
    other = delta(reasoning_content="s", thinking="t")
    assert said(read(same + other + FINISH + DONE)) == ("", "rst", 0)


PADDED = [
    choice(delta={}, padding="x3Jq0a", **{"finish_reason": "stop"}),
    choice(delta={"content": "", "p": "abcdefgh"}, finish_reason="stop"),
    choice(delta={"_pad": "== =="}, finish_reason="stop"),
    choice(delta=None, obfuscation="abc", finish_reason="stop"),
    choice(delta={"x_fill": "0000000000"}, finish_reason="stop"),
    FINISH + event(choices=[], usage={"total_tokens": 3}, random_padding="x y z"),
    FINISH + event(choices=[], usage={"total_tokens": 3}, seal="bG9yZW0="),
    FINISH + event(choices=[], noise="lorem ipsum", p="  "),
]


@pytest.mark.parametrize("last", PADDED)
def test_what_fills_a_last_event_up_is_no_lack(last: bytes) -> None:
    assert said(read(TEXT + last + DONE)) == ("墨灵 🎨", "", 0)


@pytest.mark.parametrize(
    "last",
    [
        choice(delta={"words": "42"}, finish_reason="stop"),
        choice(delta={"x": {"t": "42"}}, finish_reason="stop"),
        choice(delta={"tail": "and so on"}, finish_reason="stop"),
        choice(delta={"tail": "等等"}, finish_reason="stop"),
        FINISH + event(choices=[], usage={"total_tokens": 3}, answer="42"),
        FINISH + event(choices=[], rest="42"),
    ],
)
def test_what_may_be_words_in_a_last_event_is_counted(last: bytes) -> None:
    assert said(read(TEXT + last + DONE)) == ("墨灵 🎨", "", 1)


# -- lines of JSON, and bytes of a character apart -------------------------------------------------


def lines_of(*objects: dict[str, Any], end: str = "\n") -> bytes:
    return "".join(json.dumps(one, ensure_ascii=False) + end for one in objects).encode()


def piece(**fields: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, **fields}]}


IN_LINES = [
    piece(delta={"content": "The 墨 "}),
    piece(delta={"content": "is 😀.", "reasoning_content": "Weigh."}),
    piece(delta={}, finish_reason="stop"),
]
OF_OLLAMA = [
    {"model": "m", "message": {"role": "assistant", "content": "The 墨 "}, "done": False},
    {"model": "m", "message": {"content": "is 😀.", "thinking": "Weigh."}, "done": False},
    {"model": "m", "message": {"content": ""}, "done": True, "done_reason": "stop"},
]
NDJSON_TYPES = ["application/x-ndjson", "application/json", "text/event-stream", "text/plain", ""]


@pytest.mark.parametrize("content_type", NDJSON_TYPES)
@pytest.mark.parametrize("size", [1, 7, 1 << 20])
@pytest.mark.parametrize("objects", [IN_LINES, OF_OLLAMA, [{"id": "a", "object": "x"}, *IN_LINES]])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\n\n"])
def test_lines_of_json_are_a_stream(
    content_type: str, size: int, objects: list[dict[str, Any]], end: str
) -> None:
    body = lines_of(*objects, end=end)
    for whole in (body, body.rstrip(), body + b"[DONE]\n"):
        told, failure = whole_of(whole, size=size, content_type=content_type)
        assert failure is None
        assert (told.content, told.reasoning_content) == ("The 墨 is 😀.", "Weigh.")
        assert (told.extras.finish_reason, told.extras.unread) == ("stop", 0)


def test_lines_are_told_as_they_come() -> None:
    decoder = FastDecoder(host="h", secrets=(), content_type="application/json")
    assert text(decoder.feed(lines_of(IN_LINES[0]))) == "The 墨 "
    assert decoder.feed(lines_of({"error": {"message": "overloaded"}})) == []
    assert decoder.answer.failure is not None
    assert decoder.answer.failure.detail == "overloaded"


@pytest.mark.parametrize("end", ["", " ", ",", "\n"])
def test_pieces_one_behind_the_other_are_read(end: str) -> None:
    body = lines_of(*IN_LINES, end=end)
    for whole in (body, b"[" + body + b"]") if end == "," else (body,):
        told, failure = whole_of(whole.replace(b",]", b"]"))
        assert failure is None
        assert (told.content, told.extras.finish_reason, told.extras.unread) == (
            "The 墨 is 😀.",
            "stop",
            0,
        )


def test_lines_without_an_end_are_cut_off() -> None:
    for body in (lines_of(*IN_LINES[:2]), lines_of(*IN_LINES[:2], end="")):
        told, failure = whole_of(body)
        assert told.content == "The 墨 is 😀."
        assert failure is not None
        assert failure.text_id == "error.cut_off"


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=30), st.text(max_size=30), st.integers(0, 1 << 30))
def test_a_text_cut_by_bytes_is_the_text(thought: str, answer: str, seed: int) -> None:
    """Raw UTF-8, cut anywhere, one piece an event; what JSON escapes stays together."""
    dice, body = random.Random(seed), b""
    for part, text_ in (("reasoning_content", thought), ("content", answer)):
        raw = text_.encode()
        while raw:
            size = dice.randint(1, 5)
            cut = json.dumps(raw[:size].decode("latin-1"), ensure_ascii=False).encode("latin-1")
            raw = raw[size:]
            body += b'data: {"choices":[{"index":0,"delta":{"%b":%b}}]}\n\n' % (part.encode(), cut)
            if dice.random() < 0.2:
                body += dice.choice((b": keep-alive\n\n", b'data: {"choices":[]}\n\n'))
    size = dice.choice((1, 30, 1 << 20))
    told, _ = whole_of(body + DONE, size=size, content_type=SSE["content-type"])
    if "\ufffd" not in thought + answer:
        assert (told.content, told.reasoning_content, told.extras.unread) == (answer, thought, 0)


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        (b"Hi \xf0\x9f", "Hi \ufffd"),
        (b"\x98\x80 there", "\ufffd\ufffd there"),
        (b"\xc4\xe3\xba\xc3", "\ufffd\ufffd\ufffd"),
    ],
)
def test_bytes_that_nothing_completes_are_signs(raw: bytes, shown: str) -> None:
    body = b'data: {"choices":[{"delta":{"content":"%b"}}]}\n\n' % raw
    assert text(read(body + DONE)).rstrip("\ufffd") == shown.rstrip("\ufffd")
    assert "\ufffd" in text(read(body + TEXT + DONE))
    assert text(read(body + TEXT + DONE)).endswith("墨灵 🎨")
    bad = b'data: {"error":{"message":"%b"}}\n\n' % raw
    assert all(not ord(sign) >= 0x10FE00 for sign in read_until_error(bad)[1].detail)
