"""Sound on the wire: any cut of any stream gives the same samples, and sentences their text."""

import base64
import struct
from typing import TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.wire.audio import (
    Base64Joiner,
    Resampler,
    SampleJoiner,
    SentenceCutter,
    WavError,
    WavReader,
    cut_sentences,
    portions,
    spoken,
    to_mono,
    wav_header,
)

Text = TypeVar("Text", str, bytes)
QUICK = settings(max_examples=150, deadline=None)
CUTS = st.lists(st.integers(1, 40), min_size=1, max_size=30)


def cut(whole: Text, cuts: list[int]) -> list[Text]:
    pieces: list[Text] = []
    at = 0
    for size in cuts:
        pieces.append(whole[at : at + size])
        at += size
    pieces.append(whole[at:])
    return pieces


@QUICK
@given(st.binary(max_size=400), CUTS, st.sampled_from([2, 4]))
def test_samples_are_the_same_however_a_stream_is_cut(
    pcm: bytes, cuts: list[int], width: int
) -> None:
    joiner = SampleJoiner(width)
    fed = [joiner.feed(piece) for piece in cut(pcm, cuts)]
    assert all(len(piece) % width == 0 for piece in fed)
    assert b"".join(fed) == pcm[: len(pcm) - len(pcm) % width]


@QUICK
@given(st.binary(max_size=300), CUTS)
def test_base64_is_decoded_event_by_event(pcm: bytes, cuts: list[int]) -> None:
    joiner = Base64Joiner()
    events = [base64.b64encode(piece).decode() for piece in cut(pcm, cuts)]
    events = [text.rstrip("=") if i % 2 else text for i, text in enumerate(events)]
    assert b"".join(map(joiner.feed, events)) == pcm[: len(pcm) - len(pcm) % 2]


def test_what_is_no_base64_is_told() -> None:
    with pytest.raises(ValueError, match="base64"):
        Base64Joiner().feed("a*b=")


@QUICK
@given(st.binary(max_size=200), CUTS, st.booleans(), st.booleans(), st.booleans())
def test_a_wav_stream_gives_its_samples_however_it_is_cut(
    pcm: bytes, cuts: list[int], is_known: bool, has_list: bool, is_stereo: bool
) -> None:
    channels = 2 if is_stereo else 1
    pcm = pcm[: len(pcm) - len(pcm) % (2 * channels)]
    head = wav_header(len(pcm) if is_known else None, rate=22_050, channels=channels)
    if has_list:
        head = head[:36] + struct.pack("<4sI", b"LIST", 3) + b"abc\0" + head[36:]
    # Behind a known length other chunks may stand; 0 of them is as good as unknown.
    tail = b"LIST\x02\0\0\0xx" if is_known and pcm else b""
    reader = WavReader()
    fed = b"".join(reader.feed(piece) for piece in cut(head + pcm + tail, cuts))
    assert fed == pcm
    assert reader.format is not None
    assert (reader.format.rate, reader.format.channels) == (22_050, channels)


@pytest.mark.parametrize(
    "data",
    [
        b"ID3\x04" + bytes(40),
        b"RIFF\0\0\0\0AVI " + bytes(40),
        wav_header(4)[:20] + b"\x03\0" + wav_header(4)[22:],
        b"RIFF\0\0\0\0WAVEdata\0\0\0\0",
    ],
    ids=["mp3", "another RIFF", "floats", "no format"],
)
def test_what_is_no_wav_of_samples_is_told(data: bytes) -> None:
    with pytest.raises(WavError):
        WavReader().feed(data)


@QUICK
@given(
    st.lists(st.integers(-32768, 32767), max_size=120),
    st.lists(st.integers(1, 20), min_size=1, max_size=20),
    st.sampled_from([(22_050, 24_000), (48_000, 24_000), (16_000, 24_000), (24_000, 24_000)]),
)
def test_a_stream_is_resampled_the_same_however_it_is_cut(
    samples: list[int], cuts: list[int], rates: tuple[int, int]
) -> None:
    pcm = struct.pack(f"<{len(samples)}h", *samples)
    whole, pieces = Resampler(*rates), Resampler(*rates)
    want = whole.feed(pcm) + whole.finish()
    got = b"".join(pieces.feed(piece) for piece in cut(pcm, [2 * size for size in cuts]))
    assert got + pieces.finish() == want
    assert len(want) // 2 == len(samples) * rates[1] // rates[0]


def test_channels_are_mixed() -> None:
    assert to_mono(struct.pack("<4h", 100, 300, -8, -10), 2) == struct.pack("<2h", 200, -9)


# -- sentences -------------------------------------------------------------------------------------

BLOCKS = {
    "code": "```py\nx = 1. \ny = '。'\n```\n",
    "table": "| a | b |\n|---|---|\n| 1。 | 2. |\n\n",
    "bare table": "甲 | 乙\n--- | ---\n1。 | 2. \n\n",
    "formula": "$$\na = 1. \nb\n$$\n",
}
INLINE = ("`a. b。c`", "$x. y。$", "\\(a. b\\)", "3.14", "1,000.50", "12:30")
WORDS = (
    "你好，世界。",
    "Hello there. ",
    "真的吗？",
    "“好！”",
    "and so on; ",
    "价格是",
    " it is ",
    "\n",
    "\n\n",
    "- 第一项\n",
    "1. one\n",
    "**重点。**",
    "……",
    "e.g. this ",
    "http://a.b/c?d=e. ",
)
MARKDOWN = st.lists(
    st.one_of(
        st.sampled_from(WORDS),
        st.sampled_from([f" {one} " for one in INLINE]),
        st.sampled_from([f"\n\n{block}" for block in BLOCKS.values()]),
    ),
    max_size=14,
).map("".join)
ODD = st.text(alphabet="ab你1。.!,\n `$|\\-~#()[]*>", max_size=60)


@settings(max_examples=400, deadline=None)
@given(st.one_of(MARKDOWN, ODD, st.text(max_size=80)), CUTS)
def test_pieces_joined_are_the_text_and_the_same_however_it_came(
    text: str, cuts: list[int]
) -> None:
    cutter = SentenceCutter()
    pieces = [one for piece in cut(text, cuts) for one in cutter.feed(piece)] + cutter.finish()
    assert "".join(pieces) == text
    assert pieces == cut_sentences(text)
    assert all(len(piece.strip()) >= 8 for piece in pieces[:-1])


@QUICK
@given(MARKDOWN, st.sampled_from(sorted(BLOCKS)), MARKDOWN)
def test_no_piece_ends_inside_a_block(before: str, name: str, after: str) -> None:
    block = BLOCKS[name]
    text = f"{before}\n\n{block}\n{after}"
    at, ends = len(before) + 2, 0
    for piece in cut_sentences(text):
        ends += len(piece)
        assert not at < ends < at + len(block.rstrip("\n")), (piece, text)


@QUICK
@given(MARKDOWN, st.sampled_from(INLINE), st.sampled_from(["。然后呢，", " and more "]))
def test_no_piece_ends_inside_code_a_formula_or_a_number(
    before: str, protected: str, after: str
) -> None:
    text = f"{before}\n\n这里是 {protected}{after}"
    at, ends = len(before) + 6, 0
    for piece in cut_sentences(text):
        ends += len(piece)
        assert not at < ends < at + len(protected), (piece, text)


def test_a_sentence_is_told_as_soon_as_it_has_ended() -> None:
    cutter = SentenceCutter()
    assert cutter.feed("今天天气很不错。") == []  # a quote may close behind it
    assert cutter.feed("我") == ["今天天气很不错。"]
    assert cutter.feed("们出去走走吧！") + cutter.finish() == ["我们出去走走吧！"]


def test_a_sentence_without_an_end_is_cut_between_words() -> None:
    pieces = cut_sentences("很长的话，" * 100)
    assert all(len(piece) <= 201 and piece.endswith("，") for piece in pieces)


@QUICK
@given(st.text(alphabet="ab 你。，.\n", max_size=300), st.integers(10, 60))
def test_portions_fit_and_joined_are_the_text(text: str, most: int) -> None:
    parts = portions(text, most)
    assert "".join(parts) == text
    assert all(0 < len(part) <= most for part in parts)


@pytest.mark.parametrize(
    ("markdown", "words"),
    [
        ("## 标题\n\n**重点**：看 [文档](http://a.b/c)。", "标题\n重点：看 文档。"),
        ("用 `print` 输出。\n\n```py\nprint(1)\n```\n好了。", "用 print 输出。\n好了。"),
        ("| a | b |\n|--|--|\n| 1 | 2 |\n\n完。", "完。"),
        ("a | b\n--|--\n1 | 2\n\n完。", "完。"),
        ("面积是 $\\pi r^2$，即\n$$\nx\n$$\n如此。", "面积是 ，即\n如此。"),
        ("- 一\n- [x] 二\n> 引用", "一\n二\n引用"),
        ("costs $5 and $6.", "costs $5 and $6."),
        ("snake_case stays, _so_ does not ~~this~~", "snake_case stays, so does not this"),
        ("![图](a.png)<br>看<b>这</b>。[^1]", "看这。"),
        ("```\nunclosed", ""),
        ("***", ""),
        ("见 https://a.b/c?d=1 。", "见 。"),
        ("2 < 3 \\* 4", "2 < 3 * 4"),
    ],
)
def test_what_is_spoken_of_markdown(markdown: str, words: str) -> None:
    assert spoken(markdown) == words


# Each opens something that never ends: to look for its end from every one of them takes minutes.
_UNENDED = (
    *(
        "`",
        "` ``",
        "\\(",
        "\\[",
        "[",
        "![",
        "[^",
        "[a](",
        "[a][",
        "[a]: ",
        "$a ",
        "$$",
        "<",
        "<a",
        "<!--",
    ),
    *(
        "_",
        "a_",
        "a__b",
        "*",
        "~~",
        "\u3000",
        "\x0b",
        "|",
        "- ",
        "#",
        "> ",
        "\\begin{a",
        "http://a",
    ),
)


@pytest.mark.parametrize("opening", _UNENDED)
def test_what_opens_again_and_again_is_read_once(opening: str) -> None:
    for text in (opening * (100_000 // len(opening)), f"a{opening * 50_000}b"):
        assert len(spoken(text)) <= len(text)


@pytest.mark.parametrize(
    ("markdown", "words"),
    [
        ("`a``b` c", "ab c"),
        ("``a`b`` c", "ab c"),
        ("snake_case_name and _this_ and __that__", "snake_case_name and this and that"),
        ("a \\_b\\_ c", "a _b_ c"),
        ("one\u3000\n\u3000\n two", "one\ntwo"),
        (f"`{'x' * 41}` said", "said"),
    ],
)
def test_marks_are_told_apart_in_one_pass(markdown: str, words: str) -> None:
    assert spoken(markdown) == words


@QUICK
@given(MARKDOWN)
def test_no_code_block_table_or_formula_is_spoken(text: str) -> None:
    words = spoken(f"{text}\n\n```\nSECRET。\n```\n\n| SECRET |\n|---|\n\n$$SECRET$$\n")
    assert "SECRET" not in words
