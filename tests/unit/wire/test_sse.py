"""Server-sent events against the WHATWG text, however the bytes are cut."""

import itertools
import json
import random
import tracemalloc
from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import ProtocolError
from core.wire import sse
from core.wire.sse import ServerSentEvent, SSEDecoder, encode_comment, encode_event
from tests.unit.wire.sse_cases import CASES, Case

Outcome = tuple[list[tuple[str, str, str]], str, int | None]

every_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)


def outcome(chunks: Iterable[bytes], *, max_event_bytes: int = sse.MAX_EVENT_BYTES) -> Outcome:
    decoder = SSEDecoder(max_event_bytes=max_event_bytes)
    raw_decoder = SSEDecoder(max_event_bytes=max_event_bytes)
    events: list[ServerSentEvent] = []
    for chunk in chunks:
        try:
            came = decoder.feed(chunk)
        except ProtocolError:
            with pytest.raises(ProtocolError):
                raw_decoder.feed_raw(chunk)
            raise
        raw = raw_decoder.feed_raw(chunk)
        decoded = [(name, bytes(data).decode("utf-8", "replace")) for name, data in raw]
        assert decoded == [(event.event, event.data) for event in came]
        events += came
    assert raw_decoder.last_event_id == decoder.last_event_id
    return (
        [(event.event, event.data, event.id) for event in events],
        decoder.last_event_id,
        decoder.retry_ms,
    )


def expected(case: Case) -> Outcome:
    return list(case.events), case.last_event_id, case.retry_ms


def cut(stream: bytes, places: Iterable[int]) -> list[bytes]:
    edges = [0, *sorted(places), len(stream)]
    return [stream[start:end] for start, end in itertools.pairwise(edges)]


def after_blank_lines(stream: bytes) -> list[int]:
    """Return the places where servers cut: one event a chunk."""
    return [place for place in range(2, len(stream)) if stream[place - 2 : place] == b"\n\n"]


# The text once more, step by step and slowly: whole stream to characters, to lines, to events.


def reference_text(stream: bytes) -> str:
    """Follow "UTF-8 decode" and the UTF-8 decoder of the Encoding Standard."""
    stream = stream[3:] if stream[:3] == b"\xef\xbb\xbf" else stream
    text = ""
    code_point = needed = seen = 0
    lower, upper = 0x80, 0xBF
    at = 0
    while at < len(stream):
        byte = stream[at]
        at += 1
        if needed == 0:
            if byte <= 0x7F:
                text += chr(byte)
            elif 0xC2 <= byte <= 0xDF:
                needed, code_point = 1, byte & 0x1F
            elif 0xE0 <= byte <= 0xEF:
                lower = 0xA0 if byte == 0xE0 else lower
                upper = 0x9F if byte == 0xED else upper
                needed, code_point = 2, byte & 0xF
            elif 0xF0 <= byte <= 0xF4:
                lower = 0x90 if byte == 0xF0 else lower
                upper = 0x8F if byte == 0xF4 else upper
                needed, code_point = 3, byte & 0x7
            else:
                text += "\ufffd"
            continue
        if not lower <= byte <= upper:
            code_point = needed = seen = 0
            lower, upper = 0x80, 0xBF
            at -= 1
            text += "\ufffd"
            continue
        lower, upper = 0x80, 0xBF
        code_point = code_point << 6 | byte & 0x3F
        seen += 1
        if seen == needed:
            text += chr(code_point)
            code_point = needed = seen = 0
    return text + ("\ufffd" if needed else "")


def reference_lines(text: str) -> tuple[list[str], str]:
    """Return the ended lines and what follows the last end."""
    lines, line, at = [], "", 0
    while at < len(text):
        if text[at] in "\r\n":
            lines.append(line)
            line = ""
            at += 2 if text[at : at + 2] == "\r\n" else 1
        else:
            line += text[at]
            at += 1
    return lines, line


def reference_outcome(stream: bytes) -> Outcome:
    """Follow "interpreting an event stream"."""
    events: list[tuple[str, str, str]] = []
    data_buffer = event_type_buffer = last_event_id_buffer = last_event_id = ""
    retry_ms = None
    for line in reference_lines(reference_text(stream))[0]:
        if line == "":
            last_event_id = last_event_id_buffer
            if data_buffer != "":
                data = data_buffer[:-1] if data_buffer[-1] == "\n" else data_buffer
                events.append((event_type_buffer or "message", data, last_event_id))
            data_buffer = event_type_buffer = ""
            continue
        if line[0] == ":":
            continue
        field, value = line, ""
        if ":" in line:
            field, value = line[: line.index(":")], line[line.index(":") + 1 :]
            value = value[1:] if value[:1] == " " else value
        if field == "event":
            event_type_buffer = value
        elif field == "data":
            data_buffer += value + "\n"
        elif field == "id" and "\0" not in value:
            last_event_id_buffer = value
        elif field == "retry" and value and set(value) <= set("0123456789"):
            retry_ms = min(int(value.lstrip("0")[:400] or "0"), 10**300 - 1)
    return events, last_event_id, retry_ms


FRAGMENTS = (
    *(b"data", b"data:", b"data: ", b"event", b"event:", b"id", b"id: ", b"retry: ", b"retry:"),
    *(b":", b" ", b"\n", b"\r", b"\r\n", b"\n\n", b"\r\r", b"\xef\xbb\xbf", b"\xef", b"\xbb"),
    *(b"\x00", b"7", b"42", b"x", b"\t", b"\x0b", b"\x0c", b"\x85", b"\xc2\x85", b"\xe2\x80\xa8"),
    *("墨灵".encode(), "🖌".encode(), b"\xe5\xa2", b"\xf0\x9f", b"\xc0\x8a", b"\xed\xa0", b"\xff"),
)
streams = st.lists(st.one_of(st.sampled_from(FRAGMENTS), st.binary(max_size=4)), max_size=60).map(
    b"".join
)


@st.composite
def cut_streams(draw: st.DrawFn) -> tuple[bytes, list[bytes]]:
    stream = draw(streams)
    places = st.integers(0, len(stream))
    blank_lines = after_blank_lines(stream)
    if blank_lines:
        places = st.one_of(places, st.sampled_from(blank_lines))
    return stream, cut(stream, draw(st.lists(places, max_size=30)))


@every_case
def test_a_stream_is_read_as_the_text_says(case: Case) -> None:
    assert outcome([case.stream]) == expected(case)


@every_case
def test_a_stream_cut_in_two_at_any_byte_is_read_the_same(case: Case) -> None:
    for place in range(len(case.stream) + 1):
        assert outcome(cut(case.stream, [place])) == expected(case), place


@every_case
def test_a_stream_in_mid_connection_is_read_the_same_cut_in_two(case: Case) -> None:
    greeting = b": hello\n\n"
    whole = reference_outcome(greeting + case.stream)
    for place in range(len(case.stream) + 1):
        assert outcome([greeting, *cut(case.stream, [place])]) == whole, place


@every_case
def test_a_stream_is_read_the_same_byte_by_byte(case: Case) -> None:
    assert outcome(bytes([byte]) for byte in case.stream) == expected(case)


@every_case
def test_a_stream_is_read_the_same_one_event_a_chunk(case: Case) -> None:
    assert outcome(cut(case.stream, after_blank_lines(case.stream))) == expected(case)


@every_case
def test_empty_chunks_between_all_bytes_change_nothing(case: Case) -> None:
    chunks = [piece for byte in case.stream for piece in (b"", bytes([byte]), b"")]
    assert outcome(chunks) == expected(case)


@every_case
def test_the_slow_reference_agrees_with_the_cases(case: Case) -> None:
    assert reference_outcome(case.stream) == expected(case)


def test_there_are_enough_cases_and_no_name_twice() -> None:
    assert len({case.name for case in CASES}) == len(CASES) >= 80


@settings(max_examples=1500, deadline=None)
@given(cut_streams())
def test_any_stream_cut_anyhow_is_read_as_the_slow_reference_reads_it(
    stream_and_chunks: tuple[bytes, list[bytes]],
) -> None:
    stream, chunks = stream_and_chunks
    assert outcome(chunks) == reference_outcome(stream)


def test_broken_utf8_is_replaced_as_the_encoding_standard_says() -> None:
    edges = bytes.fromhex("41 80 8f 90 9f a0 bf c1 c2 e0 e1 ed ef f0 f1 f4 f5")
    values = [bytes(four) for four in itertools.product(edges, repeat=4)]
    stream = b"".join(b"data:" + value + b"\n\n" for value in values)
    events, _, _ = outcome([stream])
    assert [data for _, data, _ in events] == [reference_text(b"A" + value)[1:] for value in values]


@pytest.fixture(scope="module")
def chinese_answer() -> tuple[bytes, str]:
    """A stream of 200 kB as DeepSeek sends it, and the text it carries."""
    generator = random.Random(20261122)
    pieces: list[str] = []
    stream = bytearray(b": keep-alive\n\n")
    while len(stream) < 200_000:
        size = generator.randint(1, 4)
        piece = "".join(generator.choices("墨灵画江南春夜雨，。“”…\n \u2028\u0085𠮷🖌️é", k=size))
        pieces.append(piece)
        chunk = {
            "id": "930c60df-bf64-41c9-a88e-3ec75f81e00e",
            "choices": [{"index": 0, "delta": {"content": piece}, "finish_reason": None}],
            "object": "chat.completion.chunk",
        }
        line_end = generator.choice((b"\n", b"\n", b"\r\n", b"\r"))
        stream += b"data: " + json.dumps(chunk, ensure_ascii=False).encode() + line_end * 2
    return bytes(stream), "".join(pieces)


def test_ten_thousand_random_cuts_of_a_chinese_answer_leave_every_character(
    chinese_answer: tuple[bytes, str],
) -> None:
    stream, text = chinese_answer
    generator = random.Random(8)
    for _ in range(200):
        places = [generator.randint(0, len(stream)) for _ in range(50)]
        events, _, _ = outcome(cut(stream, places))
        bodies = [json.loads(data) for _, data, _ in events]
        assert "".join(body["choices"][0]["delta"]["content"] for body in bodies) == text


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64, 1000, 65_536])
def test_a_chinese_answer_in_chunks_of_one_size_leaves_every_character(
    chinese_answer: tuple[bytes, str], size: int
) -> None:
    stream, _ = chinese_answer
    assert outcome(cut(stream, range(size, len(stream), size))) == outcome([stream])


def test_an_event_is_given_out_with_the_byte_that_ends_it() -> None:
    decoder = SSEDecoder()
    assert decoder.feed(b"data: x\r") == []
    assert decoder.feed(b"\n") == []
    assert decoder.feed(b"\r") == [ServerSentEvent("message", "x", "")]
    assert decoder.feed(b"\ndata: y\n") == []
    assert decoder.feed(b"\n") == [ServerSentEvent("message", "y", "")]


def test_an_id_is_in_force_from_the_blank_line_on() -> None:
    decoder = SSEDecoder()
    decoder.feed(b"id: 1\nretry: 5\n")
    assert (decoder.last_event_id, decoder.retry_ms) == ("", 5)
    decoder.feed(b"\n")
    assert decoder.last_event_id == "1"


def test_a_long_line_in_small_pieces_is_joined_no_more_often_than_it_grows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    joins = 0
    join_pieces = SSEDecoder._join_pieces

    def counted(decoder: SSEDecoder) -> None:
        nonlocal joins
        joins += 1
        join_pieces(decoder)

    monkeypatch.setattr(SSEDecoder, "_join_pieces", counted)
    stream = b"data: " + "墨".encode() * 700_000 + b"\n\n"
    assert outcome(cut(stream, range(50, len(stream), 50)))[0] == [("message", "墨" * 700_000, "")]
    assert joins <= 2 * (len(stream) // sse._JOIN_BYTES + 2)  # `outcome` reads twice


# limits


def passes(stream: bytes, limit: int) -> bool:
    """Tell whether no line, with the data before it in its event, is longer than `limit`."""
    lines = stream.removeprefix(b"\xef\xbb\xbf").splitlines()
    data: list[bytes] = []
    for line in lines:
        if len(line) + len(b"\n".join(data)) > limit:
            return False
        if line == b"":
            data = []
        elif line.partition(b":")[0] == b"data":
            data.append(line.partition(b":")[2].removeprefix(b" "))
    return True


@settings(max_examples=800, deadline=None)
@given(cut_streams(), st.integers(3, 40))
def test_what_is_too_large_does_not_depend_on_the_cuts(
    stream_and_chunks: tuple[bytes, list[bytes]], limit: int
) -> None:
    stream, chunks = stream_and_chunks
    if passes(stream, limit):
        assert outcome(chunks, max_event_bytes=limit) == reference_outcome(stream)
    else:
        with pytest.raises(ProtocolError):
            outcome(chunks, max_event_bytes=limit)


@pytest.mark.parametrize("size", [1, 7, 1000])
@pytest.mark.parametrize(
    "stream",
    [
        pytest.param(b"data: " + b"x" * 95, id="an unfinished line"),
        pytest.param(b"data: " + b"x" * 95 + b"\n\n", id="a line"),
        pytest.param(b"\xef\xbb\xbfdata: " + b"x" * 95, id="a first line behind a BOM"),
        pytest.param(b"data: 1234\n" * 21, id="an event of many lines"),
        pytest.param(b"data\n" * 99 + b"\n\n", id="an event of empty lines"),
        pytest.param(b":" + b"x" * 100 + b"\n", id="a comment"),
        pytest.param(b"id:" + b"x" * 98 + b"\n", id="an id"),
    ],
)
def test_more_than_the_limit_is_an_error(stream: bytes, size: int) -> None:
    with pytest.raises(ProtocolError) as caught:
        outcome(cut(stream, range(size, len(stream), size)), max_event_bytes=100)
    assert caught.value.text_id == "error.stream_too_large"
    assert caught.value.facts["limit_bytes"] == 100
    assert caught.value.provider == "sse"
    assert "100 bytes" in str(caught.value)


@pytest.mark.parametrize("size", [1, 7, 1000])
@pytest.mark.parametrize(
    "stream",
    [
        pytest.param(b"data: " + b"x" * 94 + b"\n\n", id="a line of just the limit"),
        pytest.param(b"\xef\xbb\xbfdata: " + b"x" * 94 + b"\n\n", id="the same behind a BOM"),
        pytest.param(b"data: 1234\n\n" * 100, id="many events"),
        pytest.param(b"data: x\n" + b": keep-alive\n" * 100 + b"\n", id="many comments"),
        pytest.param(b"event: a\nid: b\nretry: 5\n" * 100 + b"data: x\n\n", id="many fields"),
    ],
)
def test_what_stays_within_the_limit_is_read(stream: bytes, size: int) -> None:
    chunks = cut(stream, range(size, len(stream), size))
    assert outcome(chunks, max_event_bytes=100) == reference_outcome(stream)


def test_after_too_large_an_event_everything_is_an_error() -> None:
    decoder = SSEDecoder(max_event_bytes=10)
    for chunk in (b"data: xxxxxxxxxx", b"", b"x", b"\n", b"data: x\n\n", b"\r", b"\n", b"\n"):
        with pytest.raises(ProtocolError):
            decoder.feed(chunk)
    assert decoder.last_event_id == ""


@pytest.mark.parametrize(
    "piece", [b"x" * 65_536, b"x", b"data: xy\n"], ids=["64 KiB", "1", "lines"]
)
def test_too_large_an_event_never_fills_the_memory_and_is_let_go(piece: bytes) -> None:
    limit = 512 * 1024
    decoder = SSEDecoder(max_event_bytes=limit)
    pieces = [bytes(bytearray(piece)) for _ in range(4 * limit // len(piece))]

    def feed_all() -> None:
        for each in pieces:
            decoder.feed(each)

    tracemalloc.start()
    try:
        with pytest.raises(ProtocolError) as caught:
            feed_all()
        held, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 8 * limit
    assert held < limit // 8
    assert caught.value.__traceback__ is not None  # alive, and still it holds nothing


# writing

one_line = st.text(st.characters(exclude_characters="\r\n\0", codec="utf-8"))
texts = st.text(
    st.one_of(st.sampled_from("\r\n:\u2028\u0085\x0b\x0c \ufeff"), st.characters(codec="utf-8"))
)


@settings(max_examples=500, deadline=None)
@given(
    texts,
    st.none() | one_line,
    st.none() | one_line,
    st.none() | st.integers(0, 10**12),
    st.integers(1, 20),
)
def test_what_is_written_is_read(
    data: str, event: str | None, id: str | None, retry_ms: int | None, size: int
) -> None:
    stream = encode_event(data, event=event, id=id, retry_ms=retry_ms)
    events, last_event_id, read_retry_ms = outcome(cut(stream, range(size, len(stream), size)))
    joined = data.replace("\r\n", "\n").replace("\r", "\n")
    assert events == [(event or "message", joined, id or "")]
    assert (last_event_id, read_retry_ms) == (id or "", retry_ms)


def test_an_event_is_written_field_by_field() -> None:
    written = encode_event("墨\r\n灵", event="add", id="7", retry_ms=0)
    assert written == "event: add\nid: 7\nretry: 0\ndata: 墨\ndata: 灵\n\n".encode()
    assert encode_event("") == b"data: \n\n"


@pytest.mark.parametrize("mark", ["\n", "\r", "\r\n", "\0"])
def test_a_name_or_id_with_a_line_end_or_nul_is_refused(mark: str) -> None:
    with pytest.raises(ValueError, match="event must hold"):
        encode_event("x", event=f"a{mark}data: y")
    with pytest.raises(ValueError, match="id must hold"):
        encode_event("x", id=f"a{mark}b")


def test_a_negative_retry_is_refused() -> None:
    with pytest.raises(ValueError, match="retry_ms"):
        encode_event("x", retry_ms=-1)


@given(texts)
def test_a_comment_dispatches_nothing(text: str) -> None:
    stream = encode_comment(text) + encode_event("x")
    assert outcome([stream])[0] == [("message", "x", "")]


def test_a_comment_is_written_with_its_own_blank_line() -> None:
    assert encode_comment("keep-alive") == b": keep-alive\n\n"
    assert encode_comment("a\rb") == b": a\n: b\n\n"
    assert encode_comment() == b":\n\n"
